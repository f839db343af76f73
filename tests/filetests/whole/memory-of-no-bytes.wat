;; A memory of no pages that does not grow has no bytes to load or store.
;; RUN size() = 0
;; RUN load(0) = trap out of bounds memory access
;; VERIFY proved
(module
  (memory 0)
  (func (export "size") (result i32) (memory.size))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
