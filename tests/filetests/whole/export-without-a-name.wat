;; The empty name is a name: its symbol is `$`.
;; RUN f() = 4
;; VERIFY proved
(module
  (func $four (export "") (result i32) (i32.const 4))
  (func (export "f") (result i32) (call $four)))
