(module
  (func (export "never") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 77)) (then (unreachable)))
    (i32.rem_u (i32.const 1000) (local.get 0)))
  (func (export "deep") (param i32 i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 8))
      (then (i32.div_s (local.get 1) (local.get 0)))
      (else (i32.add (local.get 1) (i32.const 0x12345678))))))
