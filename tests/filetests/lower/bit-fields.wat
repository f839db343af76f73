;; A shift and a mask are one `ubfx`; masks of 8 and 16 bits and sign extensions are one instruction.
;; CHECK asm: ubfx r0, r0, #5, #7
;; CHECK asm: uxtb r0, r0
;; CHECK asm: uxth r0, r0
;; CHECK asm: sxtb r0, r0
;; CHECK asm: sxth r0, r0
;; CHECK asm: sbfx r0, r0, #4, #8
;; SIZE field <= 6
;; SIZE byte <= 4
;; SIZE half <= 4
;; SIZE signed_byte <= 4
;; SIZE signed_half <= 4
;; SIZE shifts <= 6
;; RUN field(0xfff) = 127
;; RUN signed_byte(255) = -1
;; RUN shifts(0x8f0) = -113
;; VERIFY proved
(module
  (func (export "field") (param i32) (result i32)
    (i32.and (i32.shr_u (local.get 0) (i32.const 5)) (i32.const 127)))
  (func (export "byte") (param i32) (result i32) (i32.and (local.get 0) (i32.const 255)))
  (func (export "half") (param i32) (result i32) (i32.and (local.get 0) (i32.const 65535)))
  (func (export "signed_byte") (param i32) (result i32) (i32.extend8_s (local.get 0)))
  (func (export "signed_half") (param i32) (result i32)
    (i32.shr_s (i32.shl (local.get 0) (i32.const 16)) (i32.const 16)))
  (func (export "shifts") (param i32) (result i32)
    (i32.shr_s (i32.shl (local.get 0) (i32.const 20)) (i32.const 24))))
