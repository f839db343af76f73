;; A value that lives across a call is in a register that callees preserve.
;; CHECK asm: push {r4, lr}
;; CHECK asm: pop {r4, pc}
;; CHECK alloc: slots: 0
;; RUN f(3) = 7
;; VERIFY proved
(module
  (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "f") (param i32) (result i32)
    (i32.add (local.get 0) (call $g (local.get 0)))))
;;= asm
;; g:
;;    0: 3001       adds r0, r0, #1
;;    2: 4770       bx lr
;; f:
;;    0: b510       push {r4, lr}
;;    2: 4604       mov r4, r0
;;    4: f7ff fffa  bl .-8                                ; m.f0
;;    8: 1820       adds r0, r4, r0
;;    a: bd10       pop {r4, pc}
