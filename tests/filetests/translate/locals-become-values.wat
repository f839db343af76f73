;; Locals leave no trace in SSA: a set and a get are the value itself.
;; CHECK ir: i32.mul v2, v2
;; RUN f(3, 4) = 49
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32) (local i32)
  (local.set 2 (i32.add (local.get 0) (local.get 1)))
  (i32.mul (local.get 2) (local.get 2))))
;;= ir
;; func 0 "f" (i32, i32) -> (i32)
;; b0(v0: i32, v1: i32) 0:0x23 [v0, v1, - | ]
;;   v2 = i32.add v0, v1 @0x27*
;;   v3 = i32.mul v2, v2 @0x2e*
;;   return v3 @0x2f
