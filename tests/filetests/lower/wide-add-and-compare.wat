;; 64-bit sums are an add and an add with carry; a comparison is a subtraction of which only flags stay.
;; CHECK asm: adcs r1, r1, r3
;; CHECK asm: sbcs
;; SIZE add <= 6
;; SIZE less <= 20
;; RUN add(0xffffffff, 1) = 0x100000000
;; RUN less(-1, 0) = 1
;; RUN less(0, -1) = 0
;; VERIFY proved
(module
  (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "less") (param i64 i64) (result i32) (i64.lt_s (local.get 0) (local.get 1))))
;;= asm
;; add:
;;    0: 1880       adds r0, r0, r2
;;    2: 4159       adcs r1, r1, r3
;;    4: 4770       bx lr
;; less:
;;    0: 4290       cmp r0, r2
;;    2: 4199       sbcs r1, r1, r3
;;    4: bfb4       ite lt
;;    6: 2001       movlt r0, #1
;;    8: 2000       movge r0, #0
;;    a: 4770       bx lr
