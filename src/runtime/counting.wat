;; Zero bits at the ends of integers, for processors that do not count them.
;;
;; Requires: nothing. Ensures: no loop.
(module
  ;; i32.clz: halves what may hold the first one.
  (func $word_clz (export "i32.clz") (param $a i32) (result i32)
    (local $zeros i32)
    (if (i32.eqz (local.get $a)) (then (return (i32.const 32))))
    (if (i32.lt_u (local.get $a) (i32.const 0x10000))
      (then
        (local.set $zeros (i32.const 16))
        (local.set $a (i32.shl (local.get $a) (i32.const 16)))))
    (if (i32.lt_u (local.get $a) (i32.const 0x1000000))
      (then
        (local.set $zeros (i32.add (local.get $zeros) (i32.const 8)))
        (local.set $a (i32.shl (local.get $a) (i32.const 8)))))
    (if (i32.lt_u (local.get $a) (i32.const 0x10000000))
      (then
        (local.set $zeros (i32.add (local.get $zeros) (i32.const 4)))
        (local.set $a (i32.shl (local.get $a) (i32.const 4)))))
    (if (i32.lt_u (local.get $a) (i32.const 0x40000000))
      (then
        (local.set $zeros (i32.add (local.get $zeros) (i32.const 2)))
        (local.set $a (i32.shl (local.get $a) (i32.const 2)))))
    (if (i32.ge_s (local.get $a) (i32.const 0))
      (then (local.set $zeros (i32.add (local.get $zeros) (i32.const 1)))))
    (local.get $zeros))

  ;; i32.ctz: a and -a have one bit in common, the lowest one of a.
  (func $word_ctz (export "i32.ctz") (param $a i32) (result i32)
    (if (i32.eqz (local.get $a)) (then (return (i32.const 32))))
    (i32.sub (i32.const 31)
      (call $word_clz (i32.and (local.get $a) (i32.sub (i32.const 0) (local.get $a))))))

  ;; i64.clz: of the high word, unless that is 0.
  (func (export "i64.clz") (param $a i64) (result i64)
    (local $high i32)
    (local.set $high (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))))
    (if (i32.eqz (local.get $high))
      (then
        (return
          (i64.extend_i32_u (i32.add (call $word_clz (i32.wrap_i64 (local.get $a))) (i32.const 32))))))
    (i64.extend_i32_u (call $word_clz (local.get $high))))

  ;; i64.ctz: of the low word, unless that is 0.
  (func (export "i64.ctz") (param $a i64) (result i64)
    (local $low i32)
    (local.set $low (i32.wrap_i64 (local.get $a)))
    (if (i32.eqz (local.get $low))
      (then
        (return
          (i64.extend_i32_u
            (i32.add
              (call $word_ctz (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))))
              (i32.const 32))))))
    (i64.extend_i32_u (call $word_ctz (local.get $low)))))
