;; A memory that starts with no page has no bytes: nothing is cleared, an access traps.
;; RUN f() = 3
;; RUN load(0) = trap out of bounds memory access
;; RUN size() = 0
;; VERIFY proved
(module
  (memory 0)
  (func (export "f") (result i32) (i32.const 3))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "size") (result i32) (memory.size)))
