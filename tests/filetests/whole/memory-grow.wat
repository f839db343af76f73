;; Memory grows up to its maximum, keeps its contents, and is zero where it is new.
;; RUN size() = 1
;; RUN load(65536) = trap out of bounds memory access
;; RUN store(65532, 77) =
;; RUN grow(1) = 1
;; RUN size() = 2
;; RUN load(65532) = 77
;; RUN load(65536) = 0
;; RUN grow(1) = -1
;; RUN grow(0) = 2
;; RUN load(131069) = trap out of bounds memory access
;; VERIFY proved
(module
  (memory 1 2)
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1))))
