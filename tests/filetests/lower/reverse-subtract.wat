;; A constant minus a value is one `rsb`; a shifted operand is part of its user.
;; CHECK asm: rsb r0, r0, #100
;; CHECK asm: rsbs r0, r0, #0
;; CHECK asm: add r0, r0, r1, lsl #3
;; SIZE from <= 6
;; SIZE negate <= 4
;; SIZE scaled <= 6
;; RUN from(1) = 99
;; RUN negate(5) = -5
;; RUN scaled(1, 2) = 17
;; VERIFY proved
(module
  (func (export "from") (param i32) (result i32) (i32.sub (i32.const 100) (local.get 0)))
  (func (export "negate") (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
  (func (export "scaled") (param i32 i32) (result i32)
    (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 3)))))
