;; An address that is known to lie inside memory is not checked.
;; CHECK-NOT asm: cmp
;; CHECK-NOT asm: udf
;; RUN f() = 0
;; VERIFY proved
(module (memory 1) (func (export "f") (result i32)
  (i32.load offset=16 (i32.const 1024))))
;;= asm
;; f:
;;    0: 4801       ldr r0, [pc, #4]
;;    2: f8d0 0410  ldr r0, [r0, #1040]
;;    6: 4770       bx lr
;;    8: 0000 0000  .data 0x0                             ; m.memory0
