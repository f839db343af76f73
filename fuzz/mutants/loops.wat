(module (memory 256 256 (pagesize 1))
  (func (export "sum") (param i32 i32) (result i32) (local i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get 1)))
      (local.set 2 (i32.add (local.get 2) (i32.load8_u (local.get 0))))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
      (br $next)))
    (local.get 2))
  (func (export "nested") (param i32) (result i32) (local i32 i32 i32)
    (local.set 0 (i32.and (local.get 0) (i32.const 15)))
    (loop $outer
      (local.set 2 (i32.const 0))
      (loop $inner
        (local.set 3 (i32.add (i32.mul (local.get 3) (i32.const 3)) (i32.xor (local.get 1) (local.get 2))))
        (br_if $inner (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 4))))
      (br_if $outer (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
    (local.get 3)))
