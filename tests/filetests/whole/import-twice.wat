;; Two imports of one module and field are one function, called directly or through a table.
;; RUN f(2) = 0
;; RUN g(0) = 0
;; VERIFY proved
(module
  (type $t (func (param i32) (result i32)))
  (import "env" "get" (func $a (param i32) (result i32)))
  (import "env" "put" (func $other (param i32) (result i32)))
  (import "env" "get" (func $b (type $t)))
  (table 2 funcref)
  (elem (i32.const 0) $a $b)
  (func (export "f") (param i32) (result i32)
    (i32.add (call $a (local.get 0)) (i32.add (call $other (i32.const 1)) (call $b (i32.const 1)))))
  (func (export "g") (param i32) (result i32)
    (call_indirect (type $t) (i32.const 1) (local.get 0))))
