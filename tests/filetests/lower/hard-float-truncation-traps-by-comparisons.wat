;; Whether a float has an integer is asked by comparisons: of itself, of the least and of the greatest one.
;; OPTIONS cpu=cortex-m7 float=hard
;; CHECK asm: vcvt.s32.f32
;; CHECK asm: vcvt.u32.f64
;; CHECK asm: bvs
;; CHECK-NOT asm: bl
;; RUN s(0x4effffff) = 2147483520
;; RUN s(0xcf000000) = -2147483648
;; RUN s(0xcf000001) = trap integer overflow
;; RUN s(0x4f000000) = trap integer overflow
;; RUN s(0x7fc00000) = trap invalid conversion to integer
;; RUN u(0xbfefffffffffffff) = 0
;; RUN u(0xbff0000000000000) = trap integer overflow
;; RUN u(0x41efffffffffffff) = 4294967295
;; RUN u(0x41f0000000000000) = trap integer overflow
;; RUN u(0xfff8000000000000) = trap invalid conversion to integer
;; VERIFY proved
(module
  (func (export "s") (param f32) (result i32) (i32.trunc_f32_s (local.get 0)))
  (func (export "u") (param f64) (result i32) (i32.trunc_f64_u (local.get 0))))
