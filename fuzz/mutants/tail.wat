(module
  (func $count (param i32 i32) (result i32)
    (if (i32.eqz (i32.and (local.get 0) (i32.const 31))) (then (return (local.get 1))))
    (return_call $flip (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (local.get 0))))
  (func $flip (export "flip") (param i32 i32) (result i32)
    (return_call $count (local.get 0) (i32.xor (local.get 1) (i32.const 5)))))
