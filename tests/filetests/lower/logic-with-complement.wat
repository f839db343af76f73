;; A complement is part of the operator that uses it: `bic`, `orn`, and `mvn` alone.
;; CHECK asm: bics r0, r0, r1
;; CHECK asm: orn r0, r0, r1
;; CHECK asm: mvns r0, r0
;; SIZE bic <= 4
;; SIZE orn <= 6
;; SIZE mvn <= 4
;; RUN bic(0xff, 0x0f) = 0xf0
;; RUN orn(1, 0xfffffff0) = 15
;; RUN mvn(0) = -1
;; VERIFY proved
(module
  (func (export "bic") (param i32 i32) (result i32)
    (i32.and (local.get 0) (i32.xor (local.get 1) (i32.const -1))))
  (func (export "orn") (param i32 i32) (result i32)
    (i32.or (local.get 0) (i32.xor (local.get 1) (i32.const -1))))
  (func (export "mvn") (param i32) (result i32)
    (i32.xor (local.get 0) (i32.const -1))))
