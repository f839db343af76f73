;; A call through a table that has no entry always traps, and needs no address of the table.
;; OPTIONS opt-level=0
;; RUN f(0) = trap undefined element
;; RUN f(-1) = trap undefined element
;; VERIFY proved
(module
  (type $t (func (param i32) (result i32)))
  (table 0 funcref)
  (func (export "f") (param i32) (result i32)
    (i32.add (i32.const 1) (call_indirect (type $t) (i32.const 5) (local.get 0)))))
