;; A recursive function compares SP with the limit before its frame exists.
;; CHECK asm: cmp sp, r12
;; CHECK asm: udf #231
;; RUN fac(5) = 120
;; RUN fac(0) = 1
;; VERIFY proved
(module (func $fac (export "fac") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.mul (local.get 0) (call $fac (i32.sub (local.get 0) (i32.const 1)))))
    (else (i32.const 1)))))
;;= asm
;; fac:
;;    0: f240 0c00  movw r12, #0                          ; synth_stack_limit
;;    4: f2c0 0c00  movt r12, #0                          ; synth_stack_limit
;;    8: f8dc c000  ldr r12, [r12]
;;    c: f10c 0c08  add r12, r12, #8
;;   10: 45e5       cmp sp, r12
;;   12: d30a       blo .+24
;;   14: b510       push {r4, lr}
;;   16: 4604       mov r4, r0
;;   18: b90c       cbnz r4, .+6
;;   1a: 2401       movs r4, #1
;;   1c: e003       b .+10
;;   1e: 1e60       subs r0, r4, #1
;;   20: f7ff ffee  bl .-32                               ; m.f0, fac
;;   24: 4344       muls r4, r0, r4
;;   26: 4620       mov r0, r4
;;   28: bd10       pop {r4, pc}
;;   2a: dee7       udf #231
