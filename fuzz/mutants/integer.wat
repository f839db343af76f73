(module
  (func (export "mix") (param i32 i32) (result i32)
    (i32.xor
      (i32.rotl (i32.add (local.get 0) (i32.const 0x9e3779b9)) (i32.const 7))
      (i32.shr_u (i32.mul (local.get 1) (i32.const 0x85ebca6b)) (local.get 0))))
  (func (export "bits") (param i32) (result i32)
    (i32.add
      (i32.sub (i32.clz (local.get 0)) (i32.ctz (local.get 0)))
      (i32.and (i32.extend8_s (i32.shr_s (local.get 0) (i32.const 9))) (i32.const 0xff00ff))))
  (func (export "choose") (param i32 i32 i32) (result i32)
    (select
      (i32.sub (local.get 0) (local.get 1))
      (i32.or (local.get 0) (i32.shl (local.get 1) (i32.const 3)))
      (i32.lt_s (local.get 2) (i32.const 100)))))
