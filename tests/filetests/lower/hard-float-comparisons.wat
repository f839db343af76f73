;; A comparison of floats is VCMP and a condition that does not hold of a NaN, but "not equal", which does.
;; OPTIONS cpu=cortex-m4 float=hard
;; CHECK asm: vcmp.f32
;; CHECK asm: movmi
;; CHECK-NOT asm: bl
;; RUN lt(0x3f800000, 0x40000000) = 1
;; RUN lt(0x7fc00000, 0x40000000) = 0
;; RUN ge(0x7fc00000, 0x40000000) = 0
;; RUN ge(0x80000000, 0) = 1
;; RUN ne(0x7fc00000, 0x7fc00000) = 1
;; RUN least(0x3f800000, 0x7fc00000) = 0x7fc00000
;; VERIFY proved
(module
  (func (export "lt") (param f32 f32) (result i32) (f32.lt (local.get 0) (local.get 1)))
  (func (export "ge") (param f32 f32) (result i32) (f32.ge (local.get 0) (local.get 1)))
  (func (export "ne") (param f32 f32) (result i32) (f32.ne (local.get 0) (local.get 1)))
  (func (export "least") (param f32 f32) (result f32)
    (if (result f32) (f32.lt (local.get 0) (local.get 1)) (then (local.get 0)) (else (local.get 1)))))
