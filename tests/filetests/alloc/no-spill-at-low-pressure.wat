;; Four values in use at once stay in the registers they came in: no slot, no push.
;; CHECK alloc: slots: 0
;; CHECK-NOT asm: push
;; CHECK-NOT asm: sp
;; RUN f(1, 2, 3, 4) = 21
;; VERIFY proved
(module (func (export "f") (param i32 i32 i32 i32) (result i32)
  (i32.mul (i32.add (local.get 0) (local.get 1))
           (i32.add (local.get 2) (local.get 3)))))
;;= asm
;; f:
;;    0: 1840       adds r0, r0, r1
;;    2: 18d1       adds r1, r2, r3
;;    4: 4348       muls r0, r1, r0
;;    6: 4770       bx lr
