;; A branch on a constant goes, and with it the block that cannot be reached.
;; CHECK-NOT opt: branch_if
;; CHECK-NOT opt: i32.const 20
;; SIZE f <= 4
;; RUN f() = 10
;; VERIFY proved
(module (func (export "f") (result i32)
  (if (result i32) (i32.const 1)
    (then (i32.const 10))
    (else (i32.const 20)))))
