;; Both operands of a commutative operator may be where the result is wanted. That the first one is
;; always chosen costs a swap of the two arguments here, three moves too many.
;; CHECK asm: mov r1, r12
;; RUN f(1, 2) = 15
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32)
  (i32.xor (local.get 1)
    (i32.add (i32.const 10) (i32.add (local.get 0) (local.get 1))))))
;;= asm
;; f:
;;    0: 4684       mov r12, r0
;;    2: 4608       mov r0, r1
;;    4: 4661       mov r1, r12
;;    6: 1809       adds r1, r1, r0
;;    8: 310a       adds r1, r1, #10
;;    a: 4048       eors r0, r0, r1
;;    c: 4770       bx lr
