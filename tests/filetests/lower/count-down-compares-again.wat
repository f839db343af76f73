;; The branch back asks whether a difference is zero. The subtraction has set the flags for that, so
;; the comparison behind it is one too many.
;; CHECK asm: cmp r0, #0
;; RUN f(3) = 3
;; VERIFY proved
(module (func (export "f") (param i32) (result i32) (local i32)
  (loop
    (local.set 1 (i32.add (local.get 1) (i32.const 1)))
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 1)))
;;= asm
;; f:
;;    0: 2100       movs r1, #0
;;    2: 3101       adds r1, r1, #1
;;    4: 3801       subs r0, r0, #1
;;    6: 2800       cmp r0, #0
;;    8: d1fb       bne .-6
;;    a: 4608       mov r0, r1
;;    c: 4770       bx lr
