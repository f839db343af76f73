;; A float that lives across a call is in a register that calls preserve; arguments fill both halves of registers.
;; OPTIONS cpu=cortex-m4 float=hard
;; CHECK asm: vpush {d8}
;; CHECK asm: vpop {d8}
;; RUN g(0x3f800000) = 0x41200000
;; VERIFY proved
(module
  (func $f (export "f") (param f32 f32 f32) (result f32)
    (f32.sub (f32.mul (local.get 0) (local.get 1)) (local.get 2)))
  (func (export "g") (param f32) (result f32)
    (f32.add (call $f (f32.const 5) (f32.const 2) (local.get 0)) (local.get 0))))
