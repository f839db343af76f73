;; A switch with bodies close by is a `tbb` behind one comparison.
;; CHECK asm: tbb
;; RUN f(0) = 11
;; RUN f(1) = 22
;; RUN f(2) = 33
;; RUN f(3) = 44
;; RUN f(4) = 55
;; RUN f(-1) = 55
;; VERIFY proved
(module (func (export "f") (param i32) (result i32)
  (block (block (block (block (block
    (br_table 0 1 2 3 4 (local.get 0)))
    (return (i32.const 11))) (return (i32.const 22))) (return (i32.const 33))) (return (i32.const 44)))
  (i32.const 55)))
;;= asm
;; f:
;;    0: 2804       cmp r0, #4
;;    2: d301       blo .+6
;;    4: 2037       movs r0, #55
;;    6: 4770       bx lr
;;    8: e8df f000  tbb [pc, r0]
;;    c: 0402 0806  .data 0x8060402
;;   10: 200b       movs r0, #11
;;   12: 4770       bx lr
;;   14: 2016       movs r0, #22
;;   16: 4770       bx lr
;;   18: 2021       movs r0, #33
;;   1a: 4770       bx lr
;;   1c: 202c       movs r0, #44
;;   1e: 4770       bx lr
