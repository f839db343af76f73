;; A comparison that only a branch or a select uses leaves no 0 or 1 in a register.
;; CHECK asm: cmp r0, r1
;; CHECK-NOT asm: movs r2, #1
;; CHECK-NOT asm: uxtb
;; SIZE branch <= 12
;; SIZE choose <= 8
;; RUN branch(1, 2) = 7
;; RUN branch(2, 1) = 9
;; RUN choose(1, 2) = 1
;; RUN choose(2, 1) = 1
;; VERIFY proved
(module
  (func (export "branch") (param i32 i32) (result i32)
    (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (i32.const 7))))
    (i32.const 9))
  (func (export "choose") (param i32 i32) (result i32)
    (select (local.get 0) (local.get 1) (i32.lt_u (local.get 0) (local.get 1)))))
;;= asm
;; branch:
;;    0: 4288       cmp r0, r1
;;    2: db01       blt .+6
;;    4: 2009       movs r0, #9
;;    6: 4770       bx lr
;;    8: 2007       movs r0, #7
;;    a: 4770       bx lr
;; choose:
;;    0: 4288       cmp r0, r1
;;    2: bf28       it hs
;;    4: 4608       movhs r0, r1
;;    6: 4770       bx lr
