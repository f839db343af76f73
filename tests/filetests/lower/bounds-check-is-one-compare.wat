;; A check against a constant length is one comparison and one branch to a trap at the end.
;; CHECK asm: cmp
;; CHECK asm: udf #225
;; RUN f(65535) = 0
;; RUN f(65536) = trap out of bounds memory access
;; RUN f(-1) = trap out of bounds memory access
;; VERIFY proved
(module (memory 1) (func (export "f") (param i32) (result i32)
  (i32.load8_u (local.get 0))))
;;= asm
;; f:
;;    0: f5b0 3f80  cmp r0, #65536
;;    4: d202       bhs .+8
;;    6: 4902       ldr r1, [pc, #8]
;;    8: 5c08       ldrb r0, [r1, r0]
;;    a: 4770       bx lr
;;    c: dee1       udf #225
;;    e: 0000       .data 0x0
;;   10: 0000 0000  .data 0x0                             ; m.memory0
