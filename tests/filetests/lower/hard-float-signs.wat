;; The sign of a float in a register of the floating-point unit is changed there; double precision only where it is.
;; OPTIONS cpu=cortex-m33 float=hard
;; CHECK asm: vneg.f32
;; CHECK asm: vabs.f32
;; CHECK asm: eor
;; CHECK-NOT asm: vneg.f64
;; RUN neg(0x3f800000) = 0xbf800000
;; RUN neg(0x7fc00001) = 0xffc00001
;; RUN abs(0xff800000) = 0x7f800000
;; RUN neg64(0x3ff0000000000001) = 0xbff0000000000001
;; VERIFY proved
(module
  (func (export "neg") (param f32) (result f32) (f32.neg (local.get 0)))
  (func (export "abs") (param f32) (result f32) (f32.abs (local.get 0)))
  (func (export "neg64") (param f64) (result f64) (f64.neg (local.get 0))))
