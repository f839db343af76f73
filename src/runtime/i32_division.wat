;; Division of 32-bit integers, for processors without it.
;;
;; Requires: nothing. Operands that the operators trap on (core spec 4.3.2, idiv and irem) are the
;; caller's to refuse; here a / 0 = 0, MIN / -1 = MIN, and always a rem b = a - (a / b) * b.
;;
;; Long division in base 2, from the first digit that can be 1.
(module
  ;; i32.div_u: floor(a / b).
  (func $word_div_u (export "i32.div_u") (param $a i32) (param $b i32) (result i32)
    (local $digit i32) (local $quotient i32)
    (if (i32.eqz (local.get $b)) (then (return (i32.const 0))))
    (local.set $digit (i32.const 1))
    (block $aligned
      (loop $align
        (br_if $aligned (i32.lt_s (local.get $b) (i32.const 0)))
        (br_if $aligned (i32.ge_u (local.get $b) (local.get $a)))
        (local.set $b (i32.shl (local.get $b) (i32.const 1)))
        (local.set $digit (i32.shl (local.get $digit) (i32.const 1)))
        (br $align)))
    (loop $digits
      (if (i32.ge_u (local.get $a) (local.get $b))
        (then
          (local.set $a (i32.sub (local.get $a) (local.get $b)))
          (local.set $quotient (i32.add (local.get $quotient) (local.get $digit)))))
      (local.set $b (i32.shr_u (local.get $b) (i32.const 1)))
      (local.set $digit (i32.shr_u (local.get $digit) (i32.const 1)))
      (br_if $digits (local.get $digit)))
    (local.get $quotient))

  ;; i32.rem_u: a - floor(a / b) * b.
  (func (export "i32.rem_u") (param $a i32) (param $b i32) (result i32)
    (i32.sub (local.get $a) (i32.mul (call $word_div_u (local.get $a) (local.get $b)) (local.get $b))))

  ;; i32.div_s: a / b, rounded towards zero. A magnitude is (x xor s) - s with s the sign repeated;
  ;; that of MIN is 2^31 as an unsigned number.
  (func $word_div_s (export "i32.div_s") (param $a i32) (param $b i32) (result i32)
    (local $a_sign i32) (local $b_sign i32)
    (local.set $a_sign (i32.shr_s (local.get $a) (i32.const 31)))
    (local.set $b_sign (i32.shr_s (local.get $b) (i32.const 31)))
    (local.set $a (i32.sub (i32.xor (local.get $a) (local.get $a_sign)) (local.get $a_sign)))
    (local.set $b (i32.sub (i32.xor (local.get $b) (local.get $b_sign)) (local.get $b_sign)))
    (local.set $a_sign (i32.xor (local.get $a_sign) (local.get $b_sign)))
    (i32.sub
      (i32.xor (call $word_div_u (local.get $a) (local.get $b)) (local.get $a_sign))
      (local.get $a_sign)))

  ;; i32.rem_s: a - (a / b) * b.
  (func (export "i32.rem_s") (param $a i32) (param $b i32) (result i32)
    (i32.sub (local.get $a) (i32.mul (call $word_div_s (local.get $a) (local.get $b)) (local.get $b)))))
