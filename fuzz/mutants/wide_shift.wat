(module
  (func (export "left") (param i64 i64) (result i64)
    (i64.shl (local.get 0) (local.get 1)))
  (func (export "turn") (param i64) (result i64)
    (i64.xor (i64.rotr (local.get 0) (i64.const 11)) (i64.shr_s (local.get 0) (i64.const 40))))
  (func (export "narrow") (param i64 i32) (result i64)
    (i64.add (i64.extend_i32_s (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32)))) (i64.extend_i32_u (local.get 1)))))
