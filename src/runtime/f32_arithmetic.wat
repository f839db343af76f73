;; What rounds to binary32: add, sub, mul, div, sqrt, and the conversions to f32. Numbers are passed
;; as their bits.
;;
;; Every result is the exact one rounded once, to nearest, ties to even, subnormals and signed zeros
;; included (IEEE 754-2019, 4.3.1, 6.3; core spec 4.3.3). An operator makes an exponent field e and a
;; significand of 32 bits with the top bit set, of which the lowest says if anything non-zero was cut
;; off ("sticky"); `round` makes the float. Its idea, a float put together by integer addition so that
;; carries move into the exponent, is the one of Hauser's SoftFloat.
;;
;; NaN: a result that is a NaN is the canonical one, 0x7fc00000, whatever the operands (core spec 4.3.3,
;; nans). A value is a NaN if it exceeds infinity when the sign is shifted out.
(module
  ;; f32.sub (core spec 4.3.3, fsub).
  (func (export "f32.sub") (param $a i32) (param $b i32) (result i32)
    (call $f32_add (local.get $a) (i32.xor (local.get $b) (i32.const 0x80000000))))

  ;; f32.add (core spec 4.3.3, fadd): x has the larger magnitude, y the other.
  (func $f32_add (export "f32.add") (param $a i32) (param $b i32) (result i32)
    (local $x i32) (local $y i32) (local $e i32) (local $y_e i32) (local $m i32) (local $y_m i32)
    (local $n i32)
    (local.set $x (local.get $a))
    (local.set $y (local.get $b))
    (if (i32.lt_u (i32.shl (local.get $a) (i32.const 1)) (i32.shl (local.get $b) (i32.const 1)))
      (then
        (local.set $x (local.get $b))
        (local.set $y (local.get $a))))
    (local.set $e (i32.shr_u (i32.shl (local.get $x) (i32.const 1)) (i32.const 24)))
    (local.set $y_e (i32.shr_u (i32.shl (local.get $y) (i32.const 1)) (i32.const 24)))
    (if (i32.eq (local.get $e) (i32.const 255))
      (then (return (call $f32_add_special (local.get $a) (local.get $b)))))
    ;; Significands with the leading bit at bit 29: room for a carry and 6 bits to round by.
    (local.set $m
      (i32.or (i32.and (i32.shl (local.get $x) (i32.const 6)) (i32.const 0x1fffffff)) (i32.const 0x20000000)))
    (local.set $y_m
      (i32.or (i32.and (i32.shl (local.get $y) (i32.const 6)) (i32.const 0x1fffffff)) (i32.const 0x20000000)))
    ;; A field of 0 means no leading bit, and the exponent of 1.
    (if (i32.eqz (local.get $y_e))
      (then
        (local.set $y_m (i32.xor (local.get $y_m) (i32.const 0x20000000)))
        (local.set $y_e (i32.const 1))
        (if (i32.eqz (local.get $e))
          (then
            (local.set $m (i32.xor (local.get $m) (i32.const 0x20000000)))
            (local.set $e (i32.const 1))))))
    ;; Three bits to round by would do: if bits are cut off, the difference loses one bit at most.
    ;; This is `shift_sticky`, here because a call costs as much as it does.
    (local.set $n (i32.sub (local.get $e) (local.get $y_e)))
    (local.set $n (select (local.get $n) (i32.const 31) (i32.lt_u (local.get $n) (i32.const 31))))
    (local.set $y_m
      (i32.or
        (i32.shr_u (local.get $y_m) (local.get $n))
        (i32.ne
          (i32.shl (i32.shr_u (local.get $y_m) (local.get $n)) (local.get $n))
          (local.get $y_m))))
    (if (i32.lt_s (i32.xor (local.get $x) (local.get $y)) (i32.const 0))
      (then (local.set $y_m (i32.sub (i32.const 0) (local.get $y_m)))))
    (local.set $m (i32.add (local.get $m) (local.get $y_m)))
    ;; Zero is negative only as the sum of negative zeros.
    (if (i32.eqz (local.get $m))
      (then (return (i32.and (i32.and (local.get $x) (local.get $y)) (i32.const 0x80000000)))))
    (local.set $n (i32.clz (local.get $m)))
    (call $f32_round
      (i32.shl (local.get $m) (local.get $n))
      (i32.sub (i32.add (local.get $e) (i32.const 2)) (local.get $n))
      (i32.and (local.get $x) (i32.const 0x80000000))))

  ;; The sum if an operand is infinite or a NaN.
  (func $f32_add_special (param $a i32) (param $b i32) (result i32)
    (if (call $f32_is_nan_either (local.get $a) (local.get $b))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.eq (i32.xor (local.get $a) (local.get $b)) (i32.const 0x80000000))
      (then (return (i32.const 0x7fc00000))))
    (select (local.get $a) (local.get $b)
      (i32.eq (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))))

  ;; f32.mul (core spec 4.3.3, fmul).
  (func (export "f32.mul") (param $a i32) (param $b i32) (result i32)
    (local $sign i32) (local $a_e i32) (local $b_e i32) (local $product i64) (local $m i32) (local $n i32)
    (local.set $sign (i32.and (i32.xor (local.get $a) (local.get $b)) (i32.const 0x80000000)))
    (local.set $a_e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (local.set $b_e (i32.shr_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 24)))
    (if (i32.or
          (i32.ge_u (i32.sub (local.get $a_e) (i32.const 1)) (i32.const 254))
          (i32.ge_u (i32.sub (local.get $b_e) (i32.const 1)) (i32.const 254)))
      (then
        (if (i32.or (i32.eq (local.get $a_e) (i32.const 255)) (i32.eq (local.get $b_e) (i32.const 255)))
          (then (return (call $f32_mul_special (local.get $a) (local.get $b) (local.get $sign)))))
        (if (i32.eqz (i32.shl (local.get $a) (i32.const 1))) (then (return (local.get $sign))))
        (if (i32.eqz (i32.shl (local.get $b) (i32.const 1))) (then (return (local.get $sign))))
        (if (i32.eqz (local.get $a_e))
          (then
            (local.set $n (call $f32_subnormal_shift (local.get $a)))
            (local.set $a (i32.shl (local.get $a) (local.get $n)))
            (local.set $a_e (i32.sub (i32.const 1) (local.get $n)))))
        (if (i32.eqz (local.get $b_e))
          (then
            (local.set $n (call $f32_subnormal_shift (local.get $b)))
            (local.set $b (i32.shl (local.get $b) (local.get $n)))
            (local.set $b_e (i32.sub (i32.const 1) (local.get $n)))))))
    ;; Both significands with the leading bit at bit 31: the product's is bit 63 or 62.
    (local.set $product
      (i64.mul
        (i64.extend_i32_u (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000)))
        (i64.extend_i32_u (i32.or (i32.shl (local.get $b) (i32.const 8)) (i32.const 0x80000000)))))
    (local.set $m
      (i32.or
        (i32.wrap_i64 (i64.shr_u (local.get $product) (i64.const 32)))
        (i32.ne (i32.wrap_i64 (local.get $product)) (i32.const 0))))
    (local.set $n (i32.clz (local.get $m)))
    (call $f32_round
      (i32.shl (local.get $m) (local.get $n))
      (i32.sub (i32.add (local.get $a_e) (local.get $b_e)) (i32.add (local.get $n) (i32.const 126)))
      (local.get $sign)))

  ;; The product if an operand is infinite or a NaN.
  (func $f32_mul_special (param $a i32) (param $b i32) (param $sign i32) (result i32)
    (if (call $f32_is_nan_either (local.get $a) (local.get $b))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.eqz (i32.shl (local.get $a) (i32.const 1))) (then (return (i32.const 0x7fc00000))))
    (if (i32.eqz (i32.shl (local.get $b) (i32.const 1))) (then (return (i32.const 0x7fc00000))))
    (i32.or (local.get $sign) (i32.const 0x7f800000)))

  ;; f32.div (core spec 4.3.3, fdiv).
  (func (export "f32.div") (param $a i32) (param $b i32) (result i32)
    (local $sign i32) (local $e i32) (local $a_e i32) (local $b_e i32) (local $n i32)
    (local.set $sign (i32.and (i32.xor (local.get $a) (local.get $b)) (i32.const 0x80000000)))
    (local.set $a_e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (local.set $b_e (i32.shr_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 24)))
    (if (i32.or
          (i32.ge_u (i32.sub (local.get $a_e) (i32.const 1)) (i32.const 254))
          (i32.ge_u (i32.sub (local.get $b_e) (i32.const 1)) (i32.const 254)))
      (then
        (if (i32.or (i32.eq (local.get $a_e) (i32.const 255)) (i32.eq (local.get $b_e) (i32.const 255)))
          (then (return (call $f32_div_special (local.get $a) (local.get $b) (local.get $sign)))))
        (if (i32.eqz (i32.shl (local.get $b) (i32.const 1)))
          (then
            (return
              (select (i32.const 0x7fc00000)
                (i32.or (local.get $sign) (i32.const 0x7f800000))
                (i32.eqz (i32.shl (local.get $a) (i32.const 1)))))))
        (if (i32.eqz (i32.shl (local.get $a) (i32.const 1))) (then (return (local.get $sign))))
        (if (i32.eqz (local.get $a_e))
          (then
            (local.set $n (call $f32_subnormal_shift (local.get $a)))
            (local.set $a (i32.shl (local.get $a) (local.get $n)))
            (local.set $a_e (i32.sub (i32.const 1) (local.get $n)))))
        (if (i32.eqz (local.get $b_e))
          (then
            (local.set $n (call $f32_subnormal_shift (local.get $b)))
            (local.set $b (i32.shl (local.get $b) (local.get $n)))
            (local.set $b_e (i32.sub (i32.const 1) (local.get $n)))))))
    (local.set $e (i32.add (i32.sub (local.get $a_e) (local.get $b_e)) (i32.const 127)))
    (local.set $a (i32.or (i32.and (local.get $a) (i32.const 0x007fffff)) (i32.const 0x00800000)))
    (local.set $b (i32.or (i32.and (local.get $b) (i32.const 0x007fffff)) (i32.const 0x00800000)))
    (if (i32.lt_u (local.get $a) (local.get $b))
      (then
        (local.set $a (i32.shl (local.get $a) (i32.const 1)))
        (local.set $e (i32.sub (local.get $e) (i32.const 1)))))
    (call $f32_round (call $f32_quotient (local.get $a) (local.get $b)) (local.get $e) (local.get $sign)))

  ;; The quotient if an operand is infinite or a NaN.
  (func $f32_div_special (param $a i32) (param $b i32) (param $sign i32) (result i32)
    (if (call $f32_is_nan_either (local.get $a) (local.get $b))
      (then (return (i32.const 0x7fc00000))))
    ;; A finite number by infinity.
    (if (i32.ne (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)) (then (return (local.get $sign))))
    (select (i32.const 0x7fc00000)
      (i32.or (local.get $sign) (i32.const 0x7f800000))
      (i32.eq (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000))))

  ;; a / b with the leading bit at bit 31, and sticky. Requires: 2^23 <= b < 2^24, b <= a < 2b.
  ;;
  ;; Long division in base 2^8 (Knuth vol. 2, 4.3.1): 8 bits of the quotient, 8 and 8. The next bit
  ;; is whether twice the remainder reaches b.
  (func $f32_quotient (param $a i32) (param $b i32) (result i32)
    (local $q i32) (local $digit i32)
    (local.set $a (i32.shl (local.get $a) (i32.const 7)))
    (local.set $q (i32.div_u (local.get $a) (local.get $b)))
    (local.set $a
      (i32.shl (i32.sub (local.get $a) (i32.mul (local.get $q) (local.get $b))) (i32.const 8)))
    (local.set $digit (i32.div_u (local.get $a) (local.get $b)))
    (local.set $q (i32.or (i32.shl (local.get $q) (i32.const 8)) (local.get $digit)))
    (local.set $a
      (i32.shl (i32.sub (local.get $a) (i32.mul (local.get $digit) (local.get $b))) (i32.const 8)))
    (local.set $digit (i32.div_u (local.get $a) (local.get $b)))
    (local.set $q (i32.or (i32.shl (local.get $q) (i32.const 8)) (local.get $digit)))
    (local.set $a
      (i32.shl (i32.sub (local.get $a) (i32.mul (local.get $digit) (local.get $b))) (i32.const 1)))
    (local.set $q (i32.shl (local.get $q) (i32.const 8)))
    (if (i32.ge_u (local.get $a) (local.get $b))
      (then
        (local.set $q (i32.or (local.get $q) (i32.const 0x80)))
        (local.set $a (i32.sub (local.get $a) (local.get $b)))))
    (i32.or (local.get $q) (i32.ne (local.get $a) (i32.const 0))))

  ;; f32.sqrt (core spec 4.3.3, fsqrt). The root has half the exponent, rounded down, so that an odd
  ;; one leaves a factor of 2 to the significand. Nothing overflows and nothing is a tie: a root that
  ;; ends in a 1 beyond 24 bits has a square of more than 24 bits.
  (func (export "f32.sqrt") (param $a i32) (result i32)
    (local $e i32) (local $n i32)
    (local.set $e (i32.shr_u (local.get $a) (i32.const 23)))
    ;; Negative numbers have a field above 255.
    (if (i32.ge_u (i32.sub (local.get $e) (i32.const 1)) (i32.const 254))
      (then
        (if (i32.eqz (i32.shl (local.get $a) (i32.const 1))) (then (return (local.get $a))))
        (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))
          (then (return (i32.const 0x7fc00000))))
        (if (i32.lt_s (local.get $a) (i32.const 0)) (then (return (i32.const 0x7fc00000))))
        (if (i32.eq (local.get $e) (i32.const 255)) (then (return (local.get $a))))
        (local.set $n (call $f32_subnormal_shift (local.get $a)))
        (local.set $a (i32.shl (local.get $a) (local.get $n)))
        (local.set $e (i32.sub (i32.const 1) (local.get $n)))))
    ;; The bias is odd: an odd exponent has an even field.
    (local.set $n (i32.and (local.get $e) (i32.const 1)))
    (local.set $a
      (i32.shr_u
        (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000))
        (local.get $n)))
    (i32.add
      (i32.shl (i32.shr_u (i32.add (local.get $e) (i32.const 125)) (i32.const 1)) (i32.const 23))
      (i32.shr_u (i32.add (call $f32_root (local.get $a)) (i32.const 1)) (i32.const 1))))

  ;; floor(sqrt(x * 2^18)), of 25 bits. Requires: x >= 2^30.
  ;;
  ;; The high 16 bits by Heron's method: a line that is within 3 %, and two steps, each of which
  ;; squares the error and halves it. They come out right or one too large. The 9 others by one
  ;; division of the remainder by twice the root (Zimmermann, Karatsuba Square Root, INRIA RR-3805).
  (func $f32_root (param $x i32) (result i32)
    (local $s i32) (local $rest i32) (local $q i32)
    (local.set $s
      (i32.add
        (i32.shr_u (i32.mul (i32.shr_u (local.get $x) (i32.const 16)) (i32.const 11)) (i32.const 4))
        (i32.const 22480)))
    (local.set $s
      (i32.shr_u (i32.add (local.get $s) (i32.div_u (local.get $x) (local.get $s))) (i32.const 1)))
    (local.set $s
      (i32.shr_u (i32.add (local.get $s) (i32.div_u (local.get $x) (local.get $s))) (i32.const 1)))
    ;; Between -2s and 2s, also where the square is 2^32.
    (local.set $rest (i32.sub (local.get $x) (i32.mul (local.get $s) (local.get $s))))
    (if (i32.lt_s (local.get $rest) (i32.const 0))
      (then
        (local.set $s (i32.sub (local.get $s) (i32.const 1)))
        (local.set $rest
          (i32.add (local.get $rest) (i32.add (i32.shl (local.get $s) (i32.const 1)) (i32.const 1))))))
    ;; (s * 2^9 + q)^2 is at most x * 2^18, unless the square of q is too much.
    (local.set $rest (i32.shl (local.get $rest) (i32.const 8)))
    (local.set $q (i32.div_u (local.get $rest) (local.get $s)))
    (local.set $rest (i32.sub (local.get $rest) (i32.mul (local.get $q) (local.get $s))))
    (i32.sub
      (i32.add (i32.shl (local.get $s) (i32.const 9)) (local.get $q))
      (i32.lt_u (i32.shl (local.get $rest) (i32.const 10)) (i32.mul (local.get $q) (local.get $q)))))

  ;; f32.convert_i32_s (core spec 4.3.4, convert).
  (func (export "f32.convert_i32_s") (param $a i32) (result i32)
    (if (i32.lt_s (local.get $a) (i32.const 0))
      (then
        (return
          (i32.or (call $f32_convert_i32_u (i32.sub (i32.const 0) (local.get $a))) (i32.const 0x80000000)))))
    (call $f32_convert_i32_u (local.get $a)))

  ;; f32.convert_i32_u (core spec 4.3.4, convert).
  (func $f32_convert_i32_u (export "f32.convert_i32_u") (param $a i32) (result i32)
    (local $n i32)
    (if (i32.eqz (local.get $a)) (then (return (i32.const 0))))
    (local.set $n (i32.clz (local.get $a)))
    (call $f32_round
      (i32.shl (local.get $a) (local.get $n))
      (i32.sub (i32.const 158) (local.get $n))
      (i32.const 0)))

  ;; f32.convert_i64_s (core spec 4.3.4, convert).
  (func (export "f32.convert_i64_s") (param $a i64) (result i32)
    (if (i64.lt_s (local.get $a) (i64.const 0))
      (then
        (return
          (i32.or (call $f32_convert_i64_u (i64.sub (i64.const 0) (local.get $a))) (i32.const 0x80000000)))))
    (call $f32_convert_i64_u (local.get $a)))

  ;; f32.convert_i64_u (core spec 4.3.4, convert).
  (func $f32_convert_i64_u (export "f32.convert_i64_u") (param $a i64) (result i32)
    (local $n i64)
    (if (i64.eqz (local.get $a)) (then (return (i32.const 0))))
    (local.set $n (i64.clz (local.get $a)))
    (local.set $a (i64.shl (local.get $a) (local.get $n)))
    (call $f32_round
      (i32.or
        (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32)))
        (i32.ne (i32.wrap_i64 (local.get $a)) (i32.const 0)))
      (i32.sub (i32.const 190) (i32.wrap_i64 (local.get $n)))
      (i32.const 0)))

  ;; f32.demote_f64 (core spec 4.3.4, demote).
  (func (export "f32.demote_f64") (param $a i64) (result i32)
    (local $high i32) (local $sign i32) (local $e i32) (local $m i32)
    (local.set $high (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))))
    (local.set $sign (i32.and (local.get $high) (i32.const 0x80000000)))
    (local.set $e (i32.shr_u (i32.shl (local.get $high) (i32.const 1)) (i32.const 21)))
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i32.const 0x7fc00000))))
    ;; Zeros, and binary64 subnormals, which are far below half of the least binary32 number.
    (if (i32.eqz (local.get $e)) (then (return (local.get $sign))))
    (local.set $m
      (i32.or
        (i32.or (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 21))) (i32.const 0x80000000))
        (i32.ne (i32.shl (i32.wrap_i64 (local.get $a)) (i32.const 11)) (i32.const 0))))
    ;; The biases differ by 896.
    (call $f32_round (local.get $m) (i32.sub (local.get $e) (i32.const 896)) (local.get $sign)))

  ;; The float with this sign bit, exponent field e and significand m, which is rounded from 32 bits
  ;; to 24. Requires: the top bit of m is set. e may be out of range.
  (func $f32_round (param $m i32) (param $e i32) (param $sign i32) (result i32)
    (if (i32.ge_u (i32.sub (local.get $e) (i32.const 1)) (i32.const 254))
      (then
        (if (i32.gt_s (local.get $e) (i32.const 0))
          (then (return (i32.or (local.get $sign) (i32.const 0x7f800000)))))
        ;; Below the least exponent bits are lost, first of all the leading one.
        (local.set $m (call $f32_shift_sticky (local.get $m) (i32.sub (i32.const 1) (local.get $e))))
        (local.set $e (i32.const 1))))
    ;; The leading bit adds 1 to the field, which is why 1 is taken off. What is cut off, plus a half
    ;; less one, plus the last bit kept, carries out exactly if it must be rounded up.
    (i32.add
      (i32.add
        (i32.or (local.get $sign) (i32.shl (i32.sub (local.get $e) (i32.const 1)) (i32.const 23)))
        (i32.shr_u (local.get $m) (i32.const 8)))
      (i32.shr_u
        (i32.add
          (i32.add (i32.and (local.get $m) (i32.const 0xff)) (i32.const 0x7f))
          (i32.and (i32.shr_u (local.get $m) (i32.const 8)) (i32.const 1)))
        (i32.const 8))))

  ;; m / 2^n, sticky. Beyond 31, where only stickiness is left, n stands for 31; so m < 2^31, or the
  ;; two lowest bits of the result do not matter.
  (func $f32_shift_sticky (param $m i32) (param $n i32) (result i32)
    (local $shifted i32)
    (local.set $n (select (local.get $n) (i32.const 31) (i32.lt_u (local.get $n) (i32.const 31))))
    (local.set $shifted (i32.shr_u (local.get $m) (local.get $n)))
    (i32.or
      (local.get $shifted)
      (i32.ne (i32.shl (local.get $shifted) (local.get $n)) (local.get $m))))

  ;; How far to shift a subnormal number to bring its leading bit to bit 23.
  (func $f32_subnormal_shift (param $a i32) (result i32)
    (i32.sub (i32.clz (i32.and (local.get $a) (i32.const 0x7fffffff))) (i32.const 8)))

  (func $f32_is_nan_either (param $a i32) (param $b i32) (result i32)
    (i32.or
      (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))
      (i32.gt_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000)))))
