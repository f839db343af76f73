(module
  (func (export "switch") (param i32) (result i32)
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $b $d (local.get 0)))
      (return (i32.const 11)))
      (return (i32.const 22)))
      (return (i32.add (local.get 0) (i32.const 33))))
    (i32.const 44))
  (func (export "steps") (param i32 i32) (result i32)
    (block $e (block $d (block $c (block $b (block $a
      (br_table $e $d $c $b $a $c (i32.sub (local.get 0) (i32.const 3))))
      (local.set 1 (i32.add (local.get 1) (i32.const 1))))
      (local.set 1 (i32.mul (local.get 1) (i32.const 3))))
      (local.set 1 (i32.xor (local.get 1) (i32.const 7))))
      (local.set 1 (i32.sub (local.get 1) (i32.const 5))))
    (local.get 1)))
