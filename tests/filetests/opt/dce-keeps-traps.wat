;; A result that nobody uses is not computed, but the trap of its operator stays.
;; CHECK-NOT asm: udiv
;; CHECK-NOT asm: mul
;; RUN f(7, 2) = 7
;; RUN f(7, 0) = trap integer divide by zero
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32)
  (drop (i32.div_u (local.get 0) (local.get 1)))
  (drop (i32.mul (local.get 0) (local.get 1)))
  (local.get 0)))
;;= opt
;; func 0 "f" (i32, i32) -> (i32)
;; b0(v0: i32, v1: i32) 0:0x21 [v0, v1 | ]
;;   v2 = i32.const 0 @0x25
;;   v3 = i32.eq v1, v2 @0x25
;;   trapif DivideByZero v3 @0x25
;;   return v0 @0x2f
