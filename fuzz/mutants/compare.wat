(module
  (func (export "clamp") (param i32 i32 i32) (result i32)
    (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (local.get 1))))
    (if (i32.gt_u (local.get 0) (local.get 2)) (then (return (local.get 2))))
    (local.get 0))
  (func (export "order") (param i32 i32) (result i32)
    (i32.add
      (i32.shl (i32.le_u (local.get 0) (local.get 1)) (i32.const 2))
      (i32.add (i32.ne (local.get 0) (i32.const 17)) (i32.ge_s (local.get 1) (i32.const -3))))))
