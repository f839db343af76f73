(module
  (func (export "signed") (param i32 i32) (result i32)
    (i32.add (i32.div_s (local.get 0) (local.get 1)) (i32.rem_s (local.get 0) (local.get 1))))
  (func (export "unsigned") (param i32 i32) (result i32)
    (i32.sub (i32.div_u (local.get 0) (local.get 1)) (i32.rem_u (local.get 1) (i32.const 8))))
  (func (export "tenth") (param i32) (result i32)
    (i32.div_u (local.get 0) (i32.const 10))))
