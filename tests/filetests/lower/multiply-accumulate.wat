;; A multiply whose only use is an add becomes one `mla`; in a subtraction, one `mls`.
;; CHECK asm: mla
;; CHECK asm: mls
;; CHECK-NOT asm: muls
;; SIZE add <= 6
;; SIZE sub <= 6
;; RUN add(3, 4, 5) = 17
;; RUN sub(3, 4, 5) = -7
;; VERIFY proved
(module
  (func (export "add") (param i32 i32 i32) (result i32)
    (i32.add (i32.mul (local.get 0) (local.get 1)) (local.get 2)))
  (func (export "sub") (param i32 i32 i32) (result i32)
    (i32.sub (local.get 2) (i32.mul (local.get 0) (local.get 1)))))
;;= asm
;; add:
;;    0: fb00 2001  mla r0, r0, r1, r2
;;    4: 4770       bx lr
;; sub:
;;    0: fb00 2011  mls r0, r0, r1, r2
;;    4: 4770       bx lr
