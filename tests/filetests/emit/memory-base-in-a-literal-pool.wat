;; The address of memory is a word behind the code that the linker fills in, aligned, and shared.
;; CHECK asm: .data 0x0 ; m.memory0
;; CHECK asm: [pc, #
;; RUN f(8) = 0
;; VERIFY proved
(module (memory 1) (func (export "f") (param i32) (result i32)
  (i32.add (i32.load (local.get 0)) (i32.load offset=65000 (local.get 0)))))
;;= asm
;; f:
;;    0: f64f 71fc  movw r1, #65532
;;    4: 4288       cmp r0, r1
;;    6: d80b       bhi .+26
;;    8: 4906       ldr r1, [pc, #24]
;;    a: 1809       adds r1, r1, r0
;;    c: 680a       ldr r2, [r1]
;;    e: f5b0 7f05  cmp r0, #532
;;   12: d806       bhi .+16
;;   14: f501 4070  add r0, r1, #61440
;;   18: f8d0 0de8  ldr r0, [r0, #3560]
;;   1c: 1810       adds r0, r2, r0
;;   1e: 4770       bx lr
;;   20: dee1       udf #225
;;   22: dee1       udf #225
;;   24: 0000 0000  .data 0x0                             ; m.memory0
