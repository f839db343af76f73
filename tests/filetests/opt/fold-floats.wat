;; Operators on floats fold where all operands are constants, a NaN to the canonical one; equal operators
;; are computed once, and nothing else is known of them: not that a + 0 is a, nor that a + b is b + a.
;; CHECK opt: i32.const 1077936128
;; CHECK opt: i64.const 9221120237041090560
;; CHECK opt: f32.add v0, v1
;; CHECK opt: f32.add v1, v0
;; CHECK opt: f64.mul v0, v0
;; RUN three() = 0x40400000
;; RUN nan() = 0x7ff8000000000000
;; RUN zero(0x80000000) = 0
;; RUN order(0x3f800000, 0x40000000) = 0x40c00000
;; RUN fourth(0x4000000000000000) = 0x4030000000000000
;; RUN whole(0x40200000) = 2
;; RUN whole(0x7fc00000) = trap invalid conversion to integer
;; RUN whole(0x4f000000) = trap integer overflow
;; RUN whole(0xcf000000) = -2147483648
;; VERIFY proved
(module
  (func (export "three") (result f32) (f32.add (f32.const 1) (f32.const 2)))
  (func (export "nan") (result f64) (f64.sqrt (f64.sub (f64.const -nan:0x123) (f64.const 1))))
  (func (export "zero") (param f32) (result f32) (f32.add (local.get 0) (f32.const 0)))
  (func (export "order") (param f32 f32) (result f32)
    (f32.add (f32.add (local.get 0) (local.get 1)) (f32.add (local.get 1) (local.get 0))))
  (func (export "fourth") (param f64) (result f64)
    (f64.mul (f64.mul (local.get 0) (local.get 0)) (f64.mul (local.get 0) (local.get 0))))
  (func (export "whole") (param f32) (result i32) (i32.trunc_f32_s (local.get 0))))
