;; A remainder is a division and one `mls`; by a power of two, unsigned, it is a mask.
;; CHECK asm: udiv
;; CHECK asm: mls
;; CHECK asm: and r0, r0, #7
;; SIZE mask <= 6
;; RUN rem(17, 5) = 2
;; RUN rem(17, 0) = trap integer divide by zero
;; RUN mask(17) = 1
;; VERIFY proved
(module
  (func (export "rem") (param i32 i32) (result i32) (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "mask") (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 8))))
