(module
  (func $divide (export "divide") (param i32 i32) (result i32 i32)
    (i32.div_u (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (local.get 1)))
  (func $three (param i32 i64) (result i64 i32 i32)
    (i64.add (local.get 1) (i64.const 1)) (local.get 0) (i32.wrap_i64 (local.get 1)))
  (func (export "use") (param i32 i64) (result i32) (local i32 i32)
    (call $three (local.get 0) (local.get 1))
    (local.set 2) (local.set 3)
    (i32.add (i32.wrap_i64) (i32.sub (local.get 2) (local.get 3)))))
