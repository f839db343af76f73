;; What rounds to binary64: add, sub, mul, div, sqrt, and the conversions to f64. Numbers are passed
;; as their bits.
;;
;; Every result is the exact one rounded once, to nearest, ties to even, subnormals and signed zeros
;; included (IEEE 754-2019, 4.3.1, 6.3; core spec 4.3.3). An operator makes an exponent field e and a
;; significand of 64 bits with the top bit set, of which the lowest says if anything non-zero was cut
;; off ("sticky"); `round` makes the float. Its idea, a float put together by integer addition so that
;; carries move into the exponent, is the one of Hauser's SoftFloat. Signs and exponents are taken
;; from the high word alone, where the processor has them in one register.
;;
;; NaN: a result that is a NaN is the canonical one, 0x7ff8000000000000, whatever the operands (core spec 4.3.3,
;; nans). A value is a NaN if it exceeds infinity when the sign is shifted out.
(module
  ;; f64.sub (core spec 4.3.3, fsub).
  (func (export "f64.sub") (param $a i64) (param $b i64) (result i64)
    (call $f64_add (local.get $a) (i64.xor (local.get $b) (i64.const 0x8000000000000000))))

  ;; f64.add (core spec 4.3.3, fadd): x has the larger magnitude, y the other.
  (func $f64_add (export "f64.add") (param $a i64) (param $b i64) (result i64)
    (local $x i64) (local $y i64) (local $e i32) (local $y_e i32) (local $m i64) (local $y_m i64)
    (local $n i64)
    (local.set $x (local.get $a))
    (local.set $y (local.get $b))
    (if (i64.lt_u (i64.shl (local.get $a) (i64.const 1)) (i64.shl (local.get $b) (i64.const 1)))
      (then
        (local.set $x (local.get $b))
        (local.set $y (local.get $a))))
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 52))) (i32.const 0x7ff)))
    (local.set $y_e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $y) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.eq (local.get $e) (i32.const 2047))
      (then (return (call $f64_add_special (local.get $a) (local.get $b)))))
    ;; Significands with the leading bit at bit 61: room for a carry and 9 bits to round by.
    (local.set $m
      (i64.or
        (i64.and (i64.shl (local.get $x) (i64.const 9)) (i64.const 0x1fffffffffffffff))
        (i64.const 0x2000000000000000)))
    (local.set $y_m
      (i64.or
        (i64.and (i64.shl (local.get $y) (i64.const 9)) (i64.const 0x1fffffffffffffff))
        (i64.const 0x2000000000000000)))
    ;; A field of 0 means no leading bit, and the exponent of 1.
    (if (i32.eqz (local.get $y_e))
      (then
        (local.set $y_m (i64.xor (local.get $y_m) (i64.const 0x2000000000000000)))
        (local.set $y_e (i32.const 1))
        (if (i32.eqz (local.get $e))
          (then
            (local.set $m (i64.xor (local.get $m) (i64.const 0x2000000000000000)))
            (local.set $e (i32.const 1))))))
    ;; Three bits to round by would do: if bits are cut off, the difference loses one bit at most.
    (local.set $y_m (call $f64_shift_sticky (local.get $y_m) (i32.sub (local.get $e) (local.get $y_e))))
    (if (i64.lt_s (i64.xor (local.get $x) (local.get $y)) (i64.const 0))
      (then (local.set $y_m (i64.sub (i64.const 0) (local.get $y_m)))))
    (local.set $m (i64.add (local.get $m) (local.get $y_m)))
    ;; Zero is negative only as the sum of negative zeros.
    (if (i64.eqz (local.get $m))
      (then (return (i64.and (i64.and (local.get $x) (local.get $y)) (i64.const 0x8000000000000000)))))
    (local.set $n (i64.clz (local.get $m)))
    (call $f64_round
      (i64.shl (local.get $m) (local.get $n))
      (i32.sub (i32.add (local.get $e) (i32.const 2)) (i32.wrap_i64 (local.get $n)))
      (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 32)))))

  ;; The sum if an operand is infinite or a NaN.
  (func $f64_add_special (param $a i64) (param $b i64) (result i64)
    (if (call $f64_is_nan_either (local.get $a) (local.get $b))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.eq (i64.xor (local.get $a) (local.get $b)) (i64.const 0x8000000000000000))
      (then (return (i64.const 0x7ff8000000000000))))
    (select (local.get $a) (local.get $b)
      (i64.eq (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))))

  ;; f64.mul (core spec 4.3.3, fmul).
  (func (export "f64.mul") (param $a i64) (param $b i64) (result i64)
    (local $sign i32) (local $a_e i32) (local $b_e i32) (local $n i64) (local $m i64)
    (local.set $sign (i32.wrap_i64 (i64.shr_u (i64.xor (local.get $a) (local.get $b)) (i64.const 32))))
    (local.set $a_e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (local.set $b_e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.or
          (i32.ge_u (i32.sub (local.get $a_e) (i32.const 1)) (i32.const 2046))
          (i32.ge_u (i32.sub (local.get $b_e) (i32.const 1)) (i32.const 2046)))
      (then
        (if (i32.or (i32.eq (local.get $a_e) (i32.const 2047)) (i32.eq (local.get $b_e) (i32.const 2047)))
          (then (return (call $f64_mul_special (local.get $a) (local.get $b)))))
        (if (i64.eqz (i64.shl (local.get $a) (i64.const 1)))
          (then (return (call $f64_with_sign (local.get $sign) (i64.const 0)))))
        (if (i64.eqz (i64.shl (local.get $b) (i64.const 1)))
          (then (return (call $f64_with_sign (local.get $sign) (i64.const 0)))))
        (if (i32.eqz (local.get $a_e))
          (then
            (local.set $n (call $f64_subnormal_shift (local.get $a)))
            (local.set $a (i64.shl (local.get $a) (local.get $n)))
            (local.set $a_e (i32.sub (i32.const 1) (i32.wrap_i64 (local.get $n))))))
        (if (i32.eqz (local.get $b_e))
          (then
            (local.set $n (call $f64_subnormal_shift (local.get $b)))
            (local.set $b (i64.shl (local.get $b) (local.get $n)))
            (local.set $b_e (i32.sub (i32.const 1) (i32.wrap_i64 (local.get $n))))))))
    ;; Both significands with the leading bit at bit 63: the product's is the highest or the next.
    (local.set $a_e (i32.sub (i32.add (local.get $a_e) (local.get $b_e)) (i32.const 1022)))
    (local.set $m
      (call $f64_product
        (i64.or (i64.shl (local.get $a) (i64.const 11)) (i64.const 0x8000000000000000))
        (i64.or (i64.shl (local.get $b) (i64.const 11)) (i64.const 0x8000000000000000))))
    (if (i64.ge_s (local.get $m) (i64.const 0))
      (then
        (local.set $m (i64.shl (local.get $m) (i64.const 1)))
        (local.set $a_e (i32.sub (local.get $a_e) (i32.const 1)))))
    (call $f64_round (local.get $m) (local.get $a_e) (local.get $sign)))

  ;; The high 64 bits of a * b, sticky: multiplication in base 2^32 (Knuth vol. 2, 4.3.1, algorithm
  ;; M). No sum of a product and two words exceeds 64 bits.
  (func $f64_product (param $a i64) (param $b i64) (result i64)
    (local $a_low i64) (local $b_low i64) (local $low i64) (local $middle i64)
    (local.set $a_low (i64.and (local.get $a) (i64.const 0xffffffff)))
    (local.set $b_low (i64.and (local.get $b) (i64.const 0xffffffff)))
    (local.set $a (i64.shr_u (local.get $a) (i64.const 32)))
    (local.set $b (i64.shr_u (local.get $b) (i64.const 32)))
    (local.set $low (i64.mul (local.get $a_low) (local.get $b_low)))
    (local.set $middle
      (i64.add (i64.mul (local.get $a) (local.get $b_low)) (i64.shr_u (local.get $low) (i64.const 32))))
    (local.set $a_low
      (i64.add
        (i64.mul (local.get $a_low) (local.get $b))
        (i64.and (local.get $middle) (i64.const 0xffffffff))))
    (i64.or
      (i64.add
        (i64.add (i64.mul (local.get $a) (local.get $b)) (i64.shr_u (local.get $middle) (i64.const 32)))
        (i64.shr_u (local.get $a_low) (i64.const 32)))
      (i64.extend_i32_u
        (i32.ne
          (i32.or (i32.wrap_i64 (local.get $a_low)) (i32.wrap_i64 (local.get $low)))
          (i32.const 0)))))

  ;; The product if an operand is infinite or a NaN.
  (func $f64_mul_special (param $a i64) (param $b i64) (result i64)
    (if (call $f64_is_nan_either (local.get $a) (local.get $b))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.eqz (i64.shl (local.get $a) (i64.const 1))) (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.eqz (i64.shl (local.get $b) (i64.const 1))) (then (return (i64.const 0x7ff8000000000000))))
    (i64.or
      (i64.and (i64.xor (local.get $a) (local.get $b)) (i64.const 0x8000000000000000))
      (i64.const 0x7ff0000000000000)))

  ;; f64.div (core spec 4.3.3, fdiv).
  (func (export "f64.div") (param $a i64) (param $b i64) (result i64)
    (local $sign i32) (local $e i32) (local $a_e i32) (local $b_e i32) (local $n i64)
    (local.set $sign (i32.wrap_i64 (i64.shr_u (i64.xor (local.get $a) (local.get $b)) (i64.const 32))))
    (local.set $a_e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (local.set $b_e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.or
          (i32.ge_u (i32.sub (local.get $a_e) (i32.const 1)) (i32.const 2046))
          (i32.ge_u (i32.sub (local.get $b_e) (i32.const 1)) (i32.const 2046)))
      (then
        (if (i32.or (i32.eq (local.get $a_e) (i32.const 2047)) (i32.eq (local.get $b_e) (i32.const 2047)))
          (then (return (call $f64_div_special (local.get $a) (local.get $b)))))
        (if (i64.eqz (i64.shl (local.get $b) (i64.const 1)))
          (then
            (if (i64.eqz (i64.shl (local.get $a) (i64.const 1)))
              (then (return (i64.const 0x7ff8000000000000))))
            (return (call $f64_with_sign (local.get $sign) (i64.const 0x7ff0000000000000)))))
        (if (i64.eqz (i64.shl (local.get $a) (i64.const 1)))
          (then (return (call $f64_with_sign (local.get $sign) (i64.const 0)))))
        (if (i32.eqz (local.get $a_e))
          (then
            (local.set $n (call $f64_subnormal_shift (local.get $a)))
            (local.set $a (i64.shl (local.get $a) (local.get $n)))
            (local.set $a_e (i32.sub (i32.const 1) (i32.wrap_i64 (local.get $n))))))
        (if (i32.eqz (local.get $b_e))
          (then
            (local.set $n (call $f64_subnormal_shift (local.get $b)))
            (local.set $b (i64.shl (local.get $b) (local.get $n)))
            (local.set $b_e (i32.sub (i32.const 1) (i32.wrap_i64 (local.get $n))))))))
    (local.set $e (i32.add (i32.sub (local.get $a_e) (local.get $b_e)) (i32.const 1023)))
    ;; Significands with the leading bit at bit 60, as `quotient` has them.
    (local.set $a
      (i64.or
        (i64.and (i64.shl (local.get $a) (i64.const 8)) (i64.const 0x0fffffffffffffff))
        (i64.const 0x1000000000000000)))
    (local.set $b
      (i64.or
        (i64.and (i64.shl (local.get $b) (i64.const 8)) (i64.const 0x0fffffffffffffff))
        (i64.const 0x1000000000000000)))
    (if (i64.lt_u (local.get $a) (local.get $b))
      (then
        (local.set $a (i64.shl (local.get $a) (i64.const 1)))
        (local.set $e (i32.sub (local.get $e) (i32.const 1)))))
    (call $f64_round (call $f64_quotient (local.get $a) (local.get $b)) (local.get $e) (local.get $sign)))

  ;; The quotient if an operand is infinite or a NaN.
  (func $f64_div_special (param $a i64) (param $b i64) (result i64)
    (local $sign i64)
    (if (call $f64_is_nan_either (local.get $a) (local.get $b))
      (then (return (i64.const 0x7ff8000000000000))))
    (local.set $sign (i64.and (i64.xor (local.get $a) (local.get $b)) (i64.const 0x8000000000000000)))
    ;; A finite number by infinity.
    (if (i64.ne (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (local.get $sign))))
    (select (i64.const 0x7ff8000000000000)
      (i64.or (local.get $sign) (i64.const 0x7ff0000000000000))
      (i64.eq (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000))))

  ;; a / b with the leading bit at bit 63, and sticky. Requires: 2^60 <= b < 2^61, b <= a < 2b.
  ;;
  ;; Long division in base 2^28, by a reciprocal of b that is never too large. A digit is at most 5
  ;; too small: less than 1 each for it and for the remainder cut to a word, 1 for being cut itself,
  ;; and 3 for the reciprocal, which is right to 28 bits. The remainder is then less than 6b < 2^64,
  ;; and the next digit makes up for it. After the last digit subtraction does, typically once.
  (func $f64_quotient (param $a i64) (param $b i64) (result i64)
    (local $v i64) (local $digit i64) (local $q i64)
    (local.set $v
      (i64.extend_i32_u (call $f64_reciprocal (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 29))))))
    (local.set $digit
      (i64.shr_u (i64.mul (i64.shr_u (local.get $a) (i64.const 32)) (local.get $v)) (i64.const 32)))
    (local.set $a
      (i64.sub (i64.shl (local.get $a) (i64.const 28)) (i64.mul (local.get $digit) (local.get $b))))
    (local.set $q (i64.shl (local.get $digit) (i64.const 28)))
    (local.set $digit
      (i64.shr_u (i64.mul (i64.shr_u (local.get $a) (i64.const 32)) (local.get $v)) (i64.const 32)))
    (local.set $a
      (i64.sub (i64.shl (local.get $a) (i64.const 28)) (i64.mul (local.get $digit) (local.get $b))))
    (local.set $q (i64.add (local.get $q) (local.get $digit)))
    (block $exact
      (loop $next
        (br_if $exact (i64.lt_u (local.get $a) (local.get $b)))
        (local.set $a (i64.sub (local.get $a) (local.get $b)))
        (local.set $q (i64.add (local.get $q) (i64.const 1)))
        (br $next)))
    ;; 2^56 <= q < 2^57.
    (i64.or
      (i64.shl (local.get $q) (i64.const 7))
      (i64.extend_i32_u (i64.ne (local.get $a) (i64.const 0)))))

  ;; 2^63 / (d + 1), less at most 2^-28 of it. Requires: d >= 2^31.
  ;;
  ;; v is 2^48 / (d + 1) from the divider, too small by at most 1.5 * 2^-15 of it. Newton's method
  ;; (Knuth vol. 2, 4.3.1, algorithm R) squares that error, and errs on the same side.
  (func $f64_reciprocal (param $d i32) (result i32)
    (local $v i32) (local $error i64)
    (local.set $v
      (i32.div_u
        (i32.const 0xffffffff)
        (i32.add (i32.shr_u (local.get $d) (i32.const 16)) (i32.const 1))))
    ;; 2^48 - v * (d + 1), below 2^34.
    (local.set $error
      (i64.sub
        (i64.sub (i64.const 0x1000000000000) (i64.extend_i32_u (local.get $v)))
        (i64.mul (i64.extend_i32_u (local.get $v)) (i64.extend_i32_u (local.get $d)))))
    (i32.add
      (i32.shl (local.get $v) (i32.const 15))
      (i32.wrap_i64
        (i64.shr_u
          (i64.mul
            (i64.extend_i32_u (local.get $v))
            (i64.extend_i32_u (i32.wrap_i64 (i64.shr_u (local.get $error) (i64.const 2)))))
          (i64.const 31)))))

  ;; f64.sqrt (core spec 4.3.3, fsqrt). The root has half the exponent, rounded down, so that an odd
  ;; one leaves a factor of 2 to the significand. Nothing overflows and nothing is a tie: a root that
  ;; ends in a 1 beyond 53 bits has a square of more than 53 bits.
  (func (export "f64.sqrt") (param $a i64) (result i64)
    (local $e i32) (local $n i64)
    (local.set $e (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))))
    ;; Negative numbers have a field above 2047.
    (if (i32.ge_u (i32.sub (local.get $e) (i32.const 1)) (i32.const 2046))
      (then
        (if (i64.eqz (i64.shl (local.get $a) (i64.const 1))) (then (return (local.get $a))))
        (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
          (then (return (i64.const 0x7ff8000000000000))))
        (if (i64.lt_s (local.get $a) (i64.const 0)) (then (return (i64.const 0x7ff8000000000000))))
        (if (i32.eq (local.get $e) (i32.const 2047)) (then (return (local.get $a))))
        (local.set $n (call $f64_subnormal_shift (local.get $a)))
        (local.set $a (i64.shl (local.get $a) (local.get $n)))
        (local.set $e (i32.sub (i32.const 1) (i32.wrap_i64 (local.get $n))))))
    ;; The bias is odd: an odd exponent has an even field.
    (local.set $a (i64.or (i64.shl (local.get $a) (i64.const 11)) (i64.const 0x8000000000000000)))
    (if (i32.and (local.get $e) (i32.const 1))
      (then (local.set $a (i64.shr_u (local.get $a) (i64.const 1)))))
    (i64.add
      (i64.shl
        (i64.extend_i32_u (i32.shr_u (i32.add (local.get $e) (i32.const 1021)) (i32.const 1)))
        (i64.const 52))
      (i64.shr_u (i64.add (call $f64_root (local.get $a)) (i64.const 1)) (i64.const 1))))

  ;; floor(sqrt(x * 2^44)), of 54 bits. Requires: x >= 2^62.
  ;;
  ;; s is half of the root's high 32 bits, at most 5 too small; the rest is the remainder over twice
  ;; the root. The sum is within 1 of the exact root: what it leaves out, the rest's square, is below
  ;; 2^53. So the remainder of its square tells the floor, and 64 bits of the remainder tell enough.
  (func $f64_root (param $x i64) (result i64)
    (local $v i64) (local $s i64) (local $rest i64)
    (local.set $v
      (i64.extend_i32_u (call $f64_reciprocal_root (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 32))))))
    (local.set $s
      (i64.shr_u (i64.mul (i64.shr_u (local.get $x) (i64.const 32)) (local.get $v)) (i64.const 32)))
    ;; Below 2^37.
    (local.set $rest
      (i64.sub (local.get $x) (i64.shl (i64.mul (local.get $s) (local.get $s)) (i64.const 2))))
    (local.set $s
      (i64.add
        (i64.shl (local.get $s) (i64.const 23))
        (i64.shr_u
          (i64.mul
            (i64.extend_i32_u (i32.wrap_i64 (i64.shr_u (local.get $rest) (i64.const 5))))
            (local.get $v))
          (i64.const 37))))
    (local.set $rest
      (i64.sub (i64.shl (local.get $x) (i64.const 44)) (i64.mul (local.get $s) (local.get $s))))
    (if (i64.lt_s (local.get $rest) (i64.const 0))
      (then (return (i64.sub (local.get $s) (i64.const 1)))))
    (i64.add (local.get $s)
      (i64.extend_i32_u (i64.gt_s (local.get $rest) (i64.shl (local.get $s) (i64.const 1))))))

  ;; 2^47 / sqrt(x), at most 2^-29 of it too small. Requires: x >= 2^30.
  ;;
  ;; sqrt(x) to 15 bits by Heron's method: a line that is within 3 %, and two steps, each of which
  ;; squares the error and halves it. Its reciprocal v, and one step of Newton's method for
  ;; 1 / v^2 = x / 2^64, which squares the error, takes 3/2 of it and errs to the low side.
  (func $f64_reciprocal_root (param $x i32) (result i32)
    (local $s i32) (local $v i32) (local $error i64)
    (local.set $s
      (i32.add
        (i32.shr_u (i32.mul (i32.shr_u (local.get $x) (i32.const 16)) (i32.const 11)) (i32.const 4))
        (i32.const 22480)))
    (local.set $s
      (i32.shr_u (i32.add (local.get $s) (i32.div_u (local.get $x) (local.get $s))) (i32.const 1)))
    (local.set $s
      (i32.shr_u (i32.add (local.get $s) (i32.div_u (local.get $x) (local.get $s))) (i32.const 1)))
    (local.set $v (i32.div_u (i32.const 0xffffffff) (local.get $s)))
    ;; 2^64 - v^2 * x, between -2^51 and 2^51.
    (local.set $error
      (i64.sub
        (i64.const 0)
        (i64.mul
          (i64.mul (i64.extend_i32_u (local.get $v)) (i64.extend_i32_u (local.get $v)))
          (i64.extend_i32_u (local.get $x)))))
    (i32.add
      (i32.shl (local.get $v) (i32.const 15))
      (i32.wrap_i64
        (i64.shr_s
          (i64.mul
            (i64.extend_i32_u (local.get $v))
            (i64.shr_s (local.get $error) (i64.const 20)))
          (i64.const 30)))))

  ;; f64.convert_i32_s (core spec 4.3.4, convert).
  (func (export "f64.convert_i32_s") (param $a i32) (result i64)
    (if (i32.lt_s (local.get $a) (i32.const 0))
      (then
        (return
          (i64.or
            (call $f64_convert_i32_u (i32.sub (i32.const 0) (local.get $a)))
            (i64.const 0x8000000000000000)))))
    (call $f64_convert_i32_u (local.get $a)))

  ;; f64.convert_i32_u (core spec 4.3.4, convert): always exact.
  (func $f64_convert_i32_u (export "f64.convert_i32_u") (param $a i32) (result i64)
    (local $n i32)
    (if (i32.eqz (local.get $a)) (then (return (i64.const 0))))
    (local.set $n (i32.clz (local.get $a)))
    (call $f64_join
      (i32.sub (i32.const 1053) (local.get $n))
      (i64.shl (i64.extend_i32_u (i32.shl (local.get $a) (local.get $n))) (i64.const 21))))

  ;; f64.convert_i64_s (core spec 4.3.4, convert).
  (func (export "f64.convert_i64_s") (param $a i64) (result i64)
    (if (i64.lt_s (local.get $a) (i64.const 0))
      (then
        (return
          (i64.or
            (call $f64_convert_i64_u (i64.sub (i64.const 0) (local.get $a)))
            (i64.const 0x8000000000000000)))))
    (call $f64_convert_i64_u (local.get $a)))

  ;; f64.convert_i64_u (core spec 4.3.4, convert).
  (func $f64_convert_i64_u (export "f64.convert_i64_u") (param $a i64) (result i64)
    (local $n i64)
    (if (i64.eqz (local.get $a)) (then (return (i64.const 0))))
    (local.set $n (i64.clz (local.get $a)))
    (call $f64_round
      (i64.shl (local.get $a) (local.get $n))
      (i32.sub (i32.const 1086) (i32.wrap_i64 (local.get $n)))
      (i32.const 0)))

  ;; f64.promote_f32 (core spec 4.3.4, promote): always exact.
  (func (export "f64.promote_f32") (param $a i32) (result i64)
    (local $e i32) (local $n i32)
    (local.set $e (i32.and (i32.shr_u (local.get $a) (i32.const 23)) (i32.const 0xff)))
    (if (i32.ge_u (i32.sub (local.get $e) (i32.const 1)) (i32.const 254))
      (then
        (if (i32.eqz (i32.shl (local.get $a) (i32.const 1)))
          (then (return (call $f64_with_sign (local.get $a) (i64.const 0)))))
        (if (i32.eq (local.get $e) (i32.const 255))
          (then
            (if (i32.and (local.get $a) (i32.const 0x007fffff)) (then (return (i64.const 0x7ff8000000000000))))
            (return (call $f64_with_sign (local.get $a) (i64.const 0x7ff0000000000000)))))
        (local.set $n (i32.sub (i32.clz (i32.shl (local.get $a) (i32.const 1))) (i32.const 7)))
        (local.set $e (i32.sub (i32.const 1) (local.get $n)))))
    ;; The biases differ by 896, and the leading bit adds 1.
    (call $f64_with_sign (local.get $a)
      (call $f64_join
        (i32.add (local.get $e) (i32.const 895))
        (i64.shl
          (i64.extend_i32_u
            (i32.or
              (i32.and (i32.shl (local.get $a) (local.get $n)) (i32.const 0x007fffff))
              (i32.const 0x00800000)))
          (i64.const 29)))))

  ;; The positive float with this exponent field, if the leading bit of the significand, bit 52, is
  ;; counted as the 1 that it adds to the field.
  (func $f64_join (param $e i32) (param $significand i64) (result i64)
    (i64.add
      (i64.shl (i64.extend_i32_u (local.get $e)) (i64.const 52))
      (local.get $significand)))

  ;; The positive float a with the sign of the word `high`.
  (func $f64_with_sign (param $high i32) (param $a i64) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (i32.and (local.get $high) (i32.const 0x80000000))) (i64.const 32))
      (local.get $a)))

  ;; The float with the sign of the word `high`, exponent field e and significand m, which is rounded
  ;; from 64 bits to 53. Requires: the top bit of m is set. e may be out of range.
  (func $f64_round (param $m i64) (param $e i32) (param $high i32) (result i64)
    (local $low i32)
    (local.set $high (i32.and (local.get $high) (i32.const 0x80000000)))
    (if (i32.ge_u (i32.sub (local.get $e) (i32.const 1)) (i32.const 2046))
      (then
        (if (i32.gt_s (local.get $e) (i32.const 0))
          (then (return (call $f64_with_sign (local.get $high) (i64.const 0x7ff0000000000000)))))
        ;; Below the least exponent bits are lost, first of all the leading one.
        (local.set $m (call $f64_shift_sticky (local.get $m) (i32.sub (i32.const 1) (local.get $e))))
        (local.set $e (i32.const 1))))
    ;; The leading bit adds 1 to the field, which is why 1 is taken off. What is cut off, plus a half
    ;; less one, plus the last bit kept, carries out exactly if it must be rounded up.
    (local.set $low (i32.wrap_i64 (local.get $m)))
    (local.set $high
      (i32.or (local.get $high) (i32.shl (i32.sub (local.get $e) (i32.const 1)) (i32.const 20))))
    (i64.add
      (i64.add
        (i64.shl (i64.extend_i32_u (local.get $high)) (i64.const 32))
        (i64.shr_u (local.get $m) (i64.const 11)))
      (i64.extend_i32_u
        (i32.shr_u
          (i32.add
            (i32.add (i32.and (local.get $low) (i32.const 0x7ff)) (i32.const 0x3ff))
            (i32.and (i32.shr_u (local.get $low) (i32.const 11)) (i32.const 1)))
          (i32.const 11)))))

  ;; m / 2^n, sticky. Beyond 63, where only stickiness is left, n stands for 63; so m < 2^63, or the
  ;; two lowest bits of the result do not matter.
  ;;
  ;; What leaves a word is the word times 2^(32-n), in two steps since n may be 0.
  (func $f64_shift_sticky (param $m i64) (param $n i32) (result i64)
    (local $low i32) (local $high i32)
    (local.set $low (i32.wrap_i64 (local.get $m)))
    (local.set $high (i32.wrap_i64 (i64.shr_u (local.get $m) (i64.const 32))))
    (if (i32.lt_u (local.get $n) (i32.const 32))
      (then
        (return
          (i64.or
            (i64.shl (i64.extend_i32_u (i32.shr_u (local.get $high) (local.get $n))) (i64.const 32))
            (i64.extend_i32_u
              (i32.or
                (i32.or
                  (i32.shr_u (local.get $low) (local.get $n))
                  (i32.shl (i32.shl (local.get $high) (i32.const 1)) (i32.sub (i32.const 31) (local.get $n))))
                (i32.ne
                  (i32.shl (i32.shl (local.get $low) (i32.const 1)) (i32.sub (i32.const 31) (local.get $n)))
                  (i32.const 0))))))))
    (local.set $n
      (select (i32.sub (local.get $n) (i32.const 32)) (i32.const 31) (i32.lt_u (local.get $n) (i32.const 63))))
    (i64.extend_i32_u
      (i32.or
        (i32.shr_u (local.get $high) (local.get $n))
        (i32.ne
          (i32.or
            (i32.shl (i32.shl (local.get $high) (i32.const 1)) (i32.sub (i32.const 31) (local.get $n)))
            (local.get $low))
          (i32.const 0)))))

  ;; How far to shift a subnormal number to bring its leading bit to bit 52.
  (func $f64_subnormal_shift (param $a i64) (result i64)
    (i64.sub (i64.clz (i64.and (local.get $a) (i64.const 0x7fffffffffffffff))) (i64.const 11)))

  (func $f64_is_nan_either (param $a i64) (param $b i64) (result i32)
    (i32.or
      (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (i64.gt_u (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000)))))
