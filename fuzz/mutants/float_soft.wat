(module
  (func (export "sign") (param f32 f32) (result f32)
    (f32.copysign (f32.neg (local.get 0)) (local.get 1)))
  (func (export "half") (param f32) (result f32)
    (f32.mul (local.get 0) (f32.const 0.5))))
