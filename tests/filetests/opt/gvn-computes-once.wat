;; The same operator on the same values is computed once, whatever the order of the operands.
;; SIZE f <= 6
;; RUN f(3, 4) = 49
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32)
  (i32.mul (i32.add (local.get 0) (local.get 1))
           (i32.add (local.get 1) (local.get 0)))))
;;= opt
;; func 0 "f" (i32, i32) -> (i32)
;; b0(v0: i32, v1: i32) 0:0x21 [v0, v1 | ]
;;   v2 = i32.add v0, v1 @0x25*
;;   v4 = i32.mul v2, v2 @0x2b*
;;   return v4 @0x2c
