;; What leaves a value as it is vanishes: adding 0, multiplying by 1, masking with all ones.
;; CHECK-NOT opt: i32.add
;; CHECK-NOT opt: i32.mul
;; CHECK-NOT opt: i32.and
;; SIZE f <= 2
;; RUN f(-7) = -7
;; VERIFY proved
(module (func (export "f") (param i32) (result i32)
  (i32.and (i32.const -1)
    (i32.mul (i32.const 1)
      (i32.add (local.get 0) (i32.const 0))))))
