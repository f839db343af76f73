;; A constant used before and behind a call is made again; no register is saved for it.
;; CHECK-NOT asm: r4
;; RUN f(1) = 2000
;; VERIFY proved
(module
  (func $g (param i32) (result i32) (local.get 0))
  (func (export "f") (param i32) (result i32)
    (i32.mul (call $g (i32.mul (local.get 0) (i32.const 1000))) (i32.const 2))))
;;= asm
;; g:
;;    0: 4770       bx lr
;; f:
;;    0: b508       push {r3, lr}
;;    2: f44f 717a  mov r1, #1000
;;    6: 4348       muls r0, r1, r0
;;    8: f7ff fff9  bl .-10                               ; m.f0
;;    c: 0040       lsls r0, r0, #1
;;    e: bd08       pop {r3, pc}
