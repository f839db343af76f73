;; A product of extended halves is one `umull` or `smull`; a full product uses one of them.
;; CHECK asm: umull
;; CHECK asm: smull
;; SIZE unsigned <= 6
;; SIZE signed <= 6
;; RUN unsigned(-1, 2) = 8589934590
;; RUN signed(-1, 2) = -2
;; RUN full(0x100000001, 3) = 0x300000003
;; VERIFY proved
(module
  (func (export "unsigned") (param i32 i32) (result i64)
    (i64.mul (i64.extend_i32_u (local.get 0)) (i64.extend_i32_u (local.get 1))))
  (func (export "signed") (param i32 i32) (result i64)
    (i64.mul (i64.extend_i32_s (local.get 0)) (i64.extend_i32_s (local.get 1))))
  (func (export "full") (param i64 i64) (result i64)
    (i64.mul (local.get 0) (local.get 1))))
;;= asm
;; unsigned:
;;    0: fba0 0101  umull r0, r1, r0, r1
;;    4: 4770       bx lr
;; signed:
;;    0: fb80 0101  smull r0, r1, r0, r1
;;    4: 4770       bx lr
;; full:
;;    0: b430       push {r4, r5}
;;    2: 461c       mov r4, r3
;;    4: 460d       mov r5, r1
;;    6: fba0 3102  umull r3, r1, r0, r2
;;    a: fb00 1004  mla r0, r0, r4, r1
;;    e: fb05 0102  mla r1, r5, r2, r0
;;   12: 4618       mov r0, r3
;;   14: bc30       pop {r4, r5}
;;   16: 4770       bx lr
