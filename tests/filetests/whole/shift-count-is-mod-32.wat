;; A 32-bit shift takes its count modulo 32; a register shift of Arm does not.
;; RUN shl(1, 32) = 1
;; RUN shl(1, 33) = 2
;; RUN shr_u(-1, 63) = 1
;; RUN shr_s(-8, 34) = -2
;; VERIFY proved
(module
  (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func (export "shr_u") (param i32 i32) (result i32) (i32.shr_u (local.get 0) (local.get 1)))
  (func (export "shr_s") (param i32 i32) (result i32) (i32.shr_s (local.get 0) (local.get 1))))
