;; A sum of products of floats in a loop stays in one register of the floating-point unit; what is loaded goes there.
;; OPTIONS cpu=cortex-m4 float=hard
;; CHECK asm: vmul.f32
;; CHECK asm: vadd.f32
;; CHECK-NOT asm: bl
;; CHECK-NOT asm: vldr
;; RUN dot(0, 16, 4) = 0x42c80000
;; SIZE dot <= 68
;; VERIFY proved
(module
  (memory 1)
  (data (i32.const 0) "\00\00\80\3f\00\00\00\40\00\00\40\40\00\00\80\40\00\00\20\41\00\00\20\41\00\00\20\41\00\00\20\41")
  (func (export "dot") (param i32 i32 i32) (result f32) (local f32)
    (loop
      (local.set 3 (f32.add (local.get 3) (f32.mul (f32.load (local.get 0)) (f32.load (local.get 1)))))
      (local.set 0 (i32.add (local.get 0) (i32.const 4)))
      (local.set 1 (i32.add (local.get 1) (i32.const 4)))
      (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
    (local.get 3)))
