;; Two imports of one name are one function of the host, whatever their indices.
;; RUN f(4) = 0
;; VERIFY proved
(module
  (import "host" "notify" (func $a (param i32) (result i32)))
  (import "host" "notify" (func $b (param i32) (result i32)))
  (func (export "f") (param i32) (result i32)
    (i32.add (call $a (local.get 0)) (call $b (local.get 0)))))
