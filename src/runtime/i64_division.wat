;; Division of 64-bit integers, from the 32-bit division that the processor has.
;;
;; Requires: nothing. Operands that the operators trap on (core spec 4.3.2, idiv and irem) are the
;; caller's to refuse; here they give what the 32-bit divider gives: a / 0 = 0, MIN / -1 = MIN,
;; and always a rem b = a - (a / b) * b.
;; Ensures: at most three hardware divisions and no loop.
;;
;; Quotients by a 32-bit divisor are long division in base 2^32. One of its steps, two words by one,
;; is long division again, in base 2^16: Knuth, The Art of Computer Programming vol. 2, 4.3.1,
;; algorithm D. A larger divisor is first rounded down to 32 significant bits: Warren, Hacker's
;; Delight, 9-5.
(module
  ;; i64.div_u: floor(a / b).
  (func $div_u (export "i64.div_u") (param $a i64) (param $b i64) (result i64)
    (local $a_high i32) (local $b_high i32) (local $v i32) (local $digit i32)
    (local.set $a_high (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))))
    (local.set $b_high (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 32))))
    (if (local.get $b_high) (then (return (call $by_long (local.get $a) (local.get $b)))))
    (local.set $v (i32.wrap_i64 (local.get $b)))
    (if (i32.eqz (local.get $v)) (then (return (i64.const 0))))
    (if (i32.eqz (local.get $a_high))
      (then (return (i64.extend_i32_u (i32.div_u (i32.wrap_i64 (local.get $a)) (local.get $v))))))
    ;; The high digit of the quotient is 0 if the divisor is above the high word.
    (if (i32.lt_u (local.get $a_high) (local.get $v))
      (then (return (i64.extend_i32_u (call $long_by_word (local.get $a) (local.get $v))))))
    (local.set $digit (i32.div_u (local.get $a_high) (local.get $v)))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $digit)) (i64.const 32))
      (i64.extend_i32_u
        (call $long_by_word
          (i64.sub (local.get $a)
            (i64.shl (i64.extend_i32_u (i32.mul (local.get $digit) (local.get $v))) (i64.const 32)))
          (local.get $v)))))

  ;; i64.rem_u: a - floor(a / b) * b.
  (func (export "i64.rem_u") (param $a i64) (param $b i64) (result i64)
    (i64.sub (local.get $a) (i64.mul (call $div_u (local.get $a) (local.get $b)) (local.get $b))))

  ;; i64.div_s: a / b, rounded towards zero. A magnitude is (x xor s) - s with s the sign repeated;
  ;; that of MIN is 2^63 as an unsigned number.
  (func (export "i64.div_s") (param $a i64) (param $b i64) (result i64)
    (local $a_sign i64) (local $b_sign i64)
    (local.set $a_sign (i64.shr_s (local.get $a) (i64.const 63)))
    (local.set $b_sign (i64.shr_s (local.get $b) (i64.const 63)))
    (local.set $a (i64.sub (i64.xor (local.get $a) (local.get $a_sign)) (local.get $a_sign)))
    (local.set $b (i64.sub (i64.xor (local.get $b) (local.get $b_sign)) (local.get $b_sign)))
    (local.set $a_sign (i64.xor (local.get $a_sign) (local.get $b_sign)))
    (i64.sub
      (i64.xor (call $div_u (local.get $a) (local.get $b)) (local.get $a_sign))
      (local.get $a_sign)))

  ;; i64.rem_s: the remainder of the magnitudes with the sign of a.
  (func (export "i64.rem_s") (param $a i64) (param $b i64) (result i64)
    (local $sign i64) (local $b_sign i64)
    (local.set $sign (i64.shr_s (local.get $a) (i64.const 63)))
    (local.set $b_sign (i64.shr_s (local.get $b) (i64.const 63)))
    (local.set $a (i64.sub (i64.xor (local.get $a) (local.get $sign)) (local.get $sign)))
    (local.set $b (i64.sub (i64.xor (local.get $b) (local.get $b_sign)) (local.get $b_sign)))
    (local.set $a
      (i64.sub (local.get $a) (i64.mul (call $div_u (local.get $a) (local.get $b)) (local.get $b))))
    (i64.sub (i64.xor (local.get $a) (local.get $sign)) (local.get $sign)))

  ;; floor(a / b) for b >= 2^32.
  ;;
  ;; With b = v * 2^(32-n) + rest and v of exactly 32 bits, q = floor((a / 2) / v) / 2^(31-n) is the
  ;; quotient or one more. So q - 1, if there is one, is the quotient or one less, and the remainder
  ;; tells which.
  (func $by_long (param $a i64) (param $b i64) (result i64)
    (local $n i32) (local $q i32) (local $quotient i64)
    (if (i64.lt_u (local.get $a) (local.get $b)) (then (return (i64.const 0))))
    (local.set $n (i32.clz (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 32)))))
    (local.set $q
      (i32.shr_u
        (call $long_by_word
          (i64.shr_u (local.get $a) (i64.const 1))
          (i32.wrap_i64 (i64.shr_u (i64.shl (local.get $b) (i64.extend_i32_u (local.get $n))) (i64.const 32))))
        (i32.sub (i32.const 31) (local.get $n))))
    (local.set $q (i32.sub (local.get $q) (i32.ne (local.get $q) (i32.const 0))))
    (local.set $quotient (i64.extend_i32_u (local.get $q)))
    (i64.add (local.get $quotient)
      (i64.extend_i32_u
        (i64.ge_u
          (i64.sub (local.get $a) (i64.mul (local.get $quotient) (local.get $b)))
          (local.get $b)))))

  ;; floor(u / v), a word. Requires: the high word of u is below v.
  (func $long_by_word (param $u i64) (param $v i32) (result i32)
    (local $shift i32) (local $low i32) (local $rest i32) (local $next i32) (local $first i32)
    ;; Algorithm D wants the divisor's top bit set.
    (local.set $shift (i32.clz (local.get $v)))
    (local.set $v (i32.shl (local.get $v) (local.get $shift)))
    (local.set $u (i64.shl (local.get $u) (i64.extend_i32_u (local.get $shift))))
    (local.set $rest (i32.wrap_i64 (i64.shr_u (local.get $u) (i64.const 32))))
    (local.set $low (i32.wrap_i64 (local.get $u)))
    (local.set $next (i32.shr_u (local.get $low) (i32.const 16)))
    (local.set $first (call $digit (local.get $rest) (local.get $next) (local.get $v)))
    (local.set $rest
      (i32.sub
        (i32.or (i32.shl (local.get $rest) (i32.const 16)) (local.get $next))
        (i32.mul (local.get $first) (local.get $v))))
    (i32.or
      (i32.shl (local.get $first) (i32.const 16))
      (call $digit (local.get $rest) (i32.and (local.get $low) (i32.const 0xffff)) (local.get $v))))

  ;; One digit in base 2^16: floor((rest * 2^16 + next) / v). Requires: v >= 2^31, rest < v.
  ;;
  ;; The estimate from the divisor's high half is at most two too large (Knuth, 4.3.1, theorem B).
  ;; It is below 2^16 + 2, so that its product with the low half fits a word.
  (func $digit (param $rest i32) (param $next i32) (param $v i32) (result i32)
    (local $high i32) (local $q i32) (local $left i32) (local $product i32)
    (local.set $high (i32.shr_u (local.get $v) (i32.const 16)))
    (local.set $q (i32.div_u (local.get $rest) (local.get $high)))
    (local.set $left
      (i32.or
        (i32.shl
          (i32.sub (local.get $rest) (i32.mul (local.get $q) (local.get $high)))
          (i32.const 16))
        (local.get $next)))
    (local.set $product (i32.mul (local.get $q) (i32.and (local.get $v) (i32.const 0xffff))))
    (if (i32.lt_u (local.get $left) (local.get $product))
      (then
        (local.set $q (i32.sub (local.get $q) (i32.const 1)))
        (local.set $left (i32.add (local.get $left) (local.get $v)))
        ;; A sum that wrapped is above every product.
        (local.set $q
          (i32.sub (local.get $q)
            (i32.and
              (i32.ge_u (local.get $left) (local.get $v))
              (i32.lt_u (local.get $left) (local.get $product)))))))
    (local.get $q)))
