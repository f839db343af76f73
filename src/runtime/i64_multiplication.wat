;; Multiplication of 64-bit integers, for processors whose products are words.
;;
;; Requires: nothing. Ensures: no loop.
;;
;; The product of the low words is long multiplication in base 2^16, where no sum of a partial product and two digits
;; exceeds a word (Knuth, The Art of Computer Programming vol. 2, 4.3.1, algorithm M).
(module
  ;; i64.mul
  (func (export "i64.mul") (param $a i64) (param $b i64) (result i64)
    (local $a_low i32) (local $b_low i32) (local $x0 i32) (local $x1 i32) (local $y0 i32) (local $y1 i32)
    (local $p i32) (local $q i32) (local $r i32)
    (local.set $a_low (i32.wrap_i64 (local.get $a)))
    (local.set $b_low (i32.wrap_i64 (local.get $b)))
    (local.set $x0 (i32.and (local.get $a_low) (i32.const 0xffff)))
    (local.set $x1 (i32.shr_u (local.get $a_low) (i32.const 16)))
    (local.set $y0 (i32.and (local.get $b_low) (i32.const 0xffff)))
    (local.set $y1 (i32.shr_u (local.get $b_low) (i32.const 16)))
    (local.set $p (i32.mul (local.get $x0) (local.get $y0)))
    (local.set $q (i32.add (i32.mul (local.get $x1) (local.get $y0)) (i32.shr_u (local.get $p) (i32.const 16))))
    (local.set $r
      (i32.add (i32.mul (local.get $x0) (local.get $y1)) (i32.and (local.get $q) (i32.const 0xffff))))
    (i64.or
      (i64.shl
        (i64.extend_i32_u
          (i32.add
            (i32.add
              (i32.add (i32.mul (local.get $x1) (local.get $y1)) (i32.shr_u (local.get $q) (i32.const 16)))
              (i32.shr_u (local.get $r) (i32.const 16)))
            (i32.add
              (i32.mul (local.get $a_low) (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 32))))
              (i32.mul (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))) (local.get $b_low)))))
        (i64.const 32))
      (i64.extend_i32_u
        (i32.or
          (i32.shl (local.get $r) (i32.const 16))
          (i32.and (local.get $p) (i32.const 0xffff)))))))
