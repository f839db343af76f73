;; Low registers and small constants take the two-byte encodings.
;; CHECK asm: 1840 adds r0, r0, r1
;; CHECK asm: 300a adds r0, r0, #10
;; CHECK asm: 1a40 subs r0, r0, r1
;; CHECK asm: 4770 bx lr
;; SIZE f <= 8
;; RUN f(1, 2) = 11
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32)
  (i32.sub
    (i32.add (i32.add (local.get 0) (local.get 1)) (i32.const 10))
    (local.get 1))))
