;; The empty name is a name of an export and of an import like any other.
;; RUN f() = 0
;; VERIFY proved
(module
  (import "" "" (func $host (result i32)))
  (func (export "") (export "f") (result i32) (call $host)))
