;; Arm rotates right only: left by a constant is right by 32 less it, left by a value by its negative.
;; CHECK asm: ror r0, r0, #27
;; CHECK asm: rsbs r1, r1, #0
;; SIZE five <= 6
;; RUN five(0x80000001) = 48
;; RUN by(1, 33) = 2
;; VERIFY proved
(module
  (func (export "five") (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 5)))
  (func (export "by") (param i32 i32) (result i32) (i32.rotl (local.get 0) (local.get 1))))
