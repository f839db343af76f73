;; A host function is called by the standard procedure call; memory may have changed when it returns.
;; CHECK asm: bl
;; RUN f(4) = 4
;; VERIFY proved
(module
  (import "host" "notify" (func $notify (param i32) (result i32)))
  (memory 1)
  (func (export "f") (param i32) (result i32)
    (i32.store (i32.const 0) (local.get 0))
    (i32.add (call $notify (local.get 0)) (i32.load (i32.const 0)))))
