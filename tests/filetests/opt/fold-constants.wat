;; Operators on constants are computed; what would trap stays.
;; CHECK opt: i32.const 42
;; CHECK-NOT opt: i32.mul
;; CHECK-NOT opt: i32.div_u
;; SIZE f <= 4
;; RUN f() = 42
;; RUN zero() = trap integer divide by zero
;; VERIFY proved
(module
  (func (export "f") (result i32)
    (i32.add (i32.mul (i32.const 6) (i32.const 6)) (i32.const 6)))
  (func (export "zero") (result i32)
    (i32.div_u (i32.const 6) (i32.const 0))))
;;= opt
;; func 0 "f" () -> (i32)
;; b0() 0:0x27 [ | ]
;;   v4 = i32.const 42 @0x2e*
;;   return v4 @0x2f
;; func 1 "zero" () -> (i32)
;; b0() 1:0x32 [ | ]
;;   trap DivideByZero @0x36
