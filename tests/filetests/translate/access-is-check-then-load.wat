;; A memory access becomes a trap condition and a load from an address that is explicit.
;; CHECK ir: memory_base
;; CHECK ir: trapif MemoryOutOfBounds
;; RUN f(0) = 0
;; RUN f(65533) = trap out of bounds memory access
;; VERIFY proved
(module (memory 1) (func (export "f") (param i32) (result i32)
  (i32.load (local.get 0))))
