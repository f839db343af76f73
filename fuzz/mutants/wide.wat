(module
  (func (export "sum") (param i64 i64) (result i64)
    (i64.sub (i64.add (local.get 0) (i64.const 0x100000001)) (i64.and (local.get 1) (local.get 0))))
  (func (export "less") (param i64 i64) (result i32)
    (i32.or (i64.lt_s (local.get 0) (local.get 1)) (i64.eqz (local.get 1))))
  (func (export "product") (param i64 i64) (result i64)
    (i64.mul (local.get 0) (local.get 1))))
