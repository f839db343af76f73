;; Without optimisation the code is longer and does the same.
;; OPTIONS opt-level=0
;; RUN f(6) = 8
;; RUN f(0) = 0
;; VERIFY proved
(module (func (export "f") (param i32) (result i32) (local i32 i32 i32)
  (local.set 2 (i32.const 1))
  (block
    (loop
      (br_if 1 (i32.eqz (local.get 0)))
      (local.set 3 (i32.add (local.get 1) (local.get 2)))
      (local.set 1 (local.get 2))
      (local.set 2 (local.get 3))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br 0)))
  (local.get 1)))
