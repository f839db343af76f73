;; The results of an `if` come into the join as parameters of its block.
;; CHECK ir: branch_if v0, b1(), b2()
;; CHECK ir: b3(v1: i32)
;; RUN f(1) = 10
;; RUN f(0) = 20
;; VERIFY proved
(module (func (export "f") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.const 10))
    (else (i32.const 20)))))
;;= ir
;; func 0 "f" (i32) -> (i32)
;; b0(v0: i32) 0:0x20 [v0 | ]
;;   branch_if v0, b1(), b2() @0x22
;; b1() 0:0x24 [- | ]
;;   v2 = i32.const 10 @0x24*
;;   jump b3(v2) @0x26
;; b2() 0:0x27 [- | ]
;;   v3 = i32.const 20 @0x27*
;;   jump b3(v3) @0x29
;; b3(v1: i32) 0:0x2a [- | v1]
;;   return v1 @0x2a
