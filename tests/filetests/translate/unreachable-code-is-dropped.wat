;; Code behind an unconditional branch is not translated.
;; CHECK-NOT ir: i32.mul
;; RUN f(5) = 5
;; VERIFY proved
(module (func (export "f") (param i32) (result i32)
  (return (local.get 0))
  (i32.mul (local.get 0) (local.get 0))))
