;; A branch on zero that goes forward a little is one `cbz` or `cbnz`.
;; CHECK-NOT asm: cmp
;; SIZE f <= 10
;; RUN f(0) = 3
;; RUN f(9) = 4
;; VERIFY proved
(module (func (export "f") (param i32) (result i32)
  (if (local.get 0) (then (return (i32.const 4))))
  (i32.const 3)))
;;= asm
;; f:
;;    0: b908       cbnz r0, .+6
;;    2: 2003       movs r0, #3
;;    4: 4770       bx lr
;;    6: 2004       movs r0, #4
;;    8: 4770       bx lr
