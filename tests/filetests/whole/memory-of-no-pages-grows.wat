;; A memory that starts with no page and has no reserve does not grow.
;; RUN grow(0) = 0
;; RUN grow(1) = -1
;; RUN load(0) = trap out of bounds memory access
;; VERIFY proved
(module
  (memory 0)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
