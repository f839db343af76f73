;; Conversions of binary32 and binary64 numbers to integers. Numbers are passed as their bits.
;;
;; An operator cuts off the fraction (IEEE 754-2019, 5.8, convertToIntegerTowardZero). Two exports
;; stand for the trapping T.trunc_F_S (core spec 4.3.4, trunc):
;;
;;   T.trunc_sat_F_S    the saturating operator (trunc_sat). A NaN gives 0, what is below the range
;;                      the least integer, what is above it the greatest. In range it is T.trunc_F_S.
;;   T.trunc_F_S.fits   0 if T.trunc_F_S has a result, 1 if the operand is a NaN (invalid conversion),
;;                      2 if it is out of range (integer overflow).
;;
;; A significand, its leading bit at the top of a word or double word, is shifted right by what the
;; exponent field lacks of the field of the word's top bit: 158 or 190 for binary32, 1054 or 1086 for
;; binary64. Magnitudes of floats are ordered as their bits are as integers.
(module
  ;; i32.trunc_sat_f32_s (core spec 4.3.4, trunc_sat_s).
  (func (export "i32.trunc_sat_f32_s") (param $a i32) (result i32)
    (local $e i32) (local $magnitude i32)
    (local.set $e (i32.and (i32.shr_u (local.get $a) (i32.const 23)) (i32.const 0xff)))
    (if (i32.lt_u (local.get $e) (i32.const 127)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 158))
      (then (return (call $i32_limit_s (call $f32_class (local.get $a))))))
    (local.set $magnitude
      (i32.shr_u
        (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000))
        (i32.sub (i32.const 158) (local.get $e))))
    (select (i32.sub (i32.const 0) (local.get $magnitude)) (local.get $magnitude)
      (i32.lt_s (local.get $a) (i32.const 0))))

  ;; i32.trunc_sat_f32_u (core spec 4.3.4, trunc_sat_u).
  (func (export "i32.trunc_sat_f32_u") (param $a i32) (result i32)
    (local $e i32)
    (local.set $e (i32.and (i32.shr_u (local.get $a) (i32.const 23)) (i32.const 0xff)))
    (if (i32.lt_u (local.get $e) (i32.const 127)) (then (return (i32.const 0))))
    (if (i32.lt_s (local.get $a) (i32.const 0)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 159))
      (then (return (call $i32_limit_u (call $f32_class (local.get $a))))))
    (i32.shr_u
      (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000))
      (i32.sub (i32.const 158) (local.get $e))))

  ;; i64.trunc_sat_f32_s (core spec 4.3.4, trunc_sat_s).
  (func (export "i64.trunc_sat_f32_s") (param $a i32) (result i64)
    (local $e i32) (local $magnitude i64)
    (local.set $e (i32.and (i32.shr_u (local.get $a) (i32.const 23)) (i32.const 0xff)))
    (if (i32.lt_u (local.get $e) (i32.const 127)) (then (return (i64.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 190))
      (then (return (call $i64_limit_s (call $f32_class (local.get $a))))))
    (local.set $magnitude
      (i64.shr_u
        (i64.shl
          (i64.extend_i32_u (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000)))
          (i64.const 32))
        (i64.extend_i32_u (i32.sub (i32.const 190) (local.get $e)))))
    (select (i64.sub (i64.const 0) (local.get $magnitude)) (local.get $magnitude)
      (i32.lt_s (local.get $a) (i32.const 0))))

  ;; i64.trunc_sat_f32_u (core spec 4.3.4, trunc_sat_u).
  (func (export "i64.trunc_sat_f32_u") (param $a i32) (result i64)
    (local $e i32)
    (local.set $e (i32.and (i32.shr_u (local.get $a) (i32.const 23)) (i32.const 0xff)))
    (if (i32.lt_u (local.get $e) (i32.const 127)) (then (return (i64.const 0))))
    (if (i32.lt_s (local.get $a) (i32.const 0)) (then (return (i64.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 191))
      (then (return (call $i64_limit_u (call $f32_class (local.get $a))))))
    (i64.shr_u
      (i64.shl
        (i64.extend_i32_u (i32.or (i32.shl (local.get $a) (i32.const 8)) (i32.const 0x80000000)))
        (i64.const 32))
      (i64.extend_i32_u (i32.sub (i32.const 190) (local.get $e)))))

  ;; i32.trunc_sat_f64_s (core spec 4.3.4, trunc_sat_s).
  (func (export "i32.trunc_sat_f64_s") (param $a i64) (result i32)
    (local $e i32) (local $magnitude i32)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.lt_u (local.get $e) (i32.const 1023)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 1054))
      (then (return (call $i32_limit_s (call $f64_class (local.get $a))))))
    (local.set $magnitude
      (i32.shr_u
        (i32.or (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 21))) (i32.const 0x80000000))
        (i32.sub (i32.const 1054) (local.get $e))))
    (select (i32.sub (i32.const 0) (local.get $magnitude)) (local.get $magnitude)
      (i64.lt_s (local.get $a) (i64.const 0))))

  ;; i32.trunc_sat_f64_u (core spec 4.3.4, trunc_sat_u).
  (func (export "i32.trunc_sat_f64_u") (param $a i64) (result i32)
    (local $e i32)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.lt_u (local.get $e) (i32.const 1023)) (then (return (i32.const 0))))
    (if (i64.lt_s (local.get $a) (i64.const 0)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 1055))
      (then (return (call $i32_limit_u (call $f64_class (local.get $a))))))
    (i32.shr_u
      (i32.or (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 21))) (i32.const 0x80000000))
      (i32.sub (i32.const 1054) (local.get $e))))

  ;; i64.trunc_sat_f64_s (core spec 4.3.4, trunc_sat_s).
  (func (export "i64.trunc_sat_f64_s") (param $a i64) (result i64)
    (local $e i32) (local $magnitude i64)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.lt_u (local.get $e) (i32.const 1023)) (then (return (i64.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 1086))
      (then (return (call $i64_limit_s (call $f64_class (local.get $a))))))
    (local.set $magnitude
      (i64.shr_u
        (i64.or (i64.shl (local.get $a) (i64.const 11)) (i64.const 0x8000000000000000))
        (i64.extend_i32_u (i32.sub (i32.const 1086) (local.get $e)))))
    (select (i64.sub (i64.const 0) (local.get $magnitude)) (local.get $magnitude)
      (i64.lt_s (local.get $a) (i64.const 0))))

  ;; i64.trunc_sat_f64_u (core spec 4.3.4, trunc_sat_u).
  (func (export "i64.trunc_sat_f64_u") (param $a i64) (result i64)
    (local $e i32)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.lt_u (local.get $e) (i32.const 1023)) (then (return (i64.const 0))))
    (if (i64.lt_s (local.get $a) (i64.const 0)) (then (return (i64.const 0))))
    (if (i32.ge_u (local.get $e) (i32.const 1087))
      (then (return (call $i64_limit_u (call $f64_class (local.get $a))))))
    (i64.shr_u
      (i64.or (i64.shl (local.get $a) (i64.const 11)) (i64.const 0x8000000000000000))
      (i64.extend_i32_u (i32.sub (i32.const 1086) (local.get $e)))))

  ;; Below 2^31; of negative numbers, -2^31 is the last that fits, and the next float does not.
  (func (export "i32.trunc_f32_s.fits") (param $a i32) (result i32)
    (call $f32_fits (local.get $a) (i32.const 0x4f000000) (i32.const 0x4f000001)))

  ;; Below 2^32; of negative numbers, -1 is the first that does not fit.
  (func (export "i32.trunc_f32_u.fits") (param $a i32) (result i32)
    (call $f32_fits (local.get $a) (i32.const 0x4f800000) (i32.const 0x3f800000)))

  ;; Below 2^63; of negative numbers, -2^63 is the last that fits, and the next float does not.
  (func (export "i64.trunc_f32_s.fits") (param $a i32) (result i32)
    (call $f32_fits (local.get $a) (i32.const 0x5f000000) (i32.const 0x5f000001)))

  ;; Below 2^64; of negative numbers, -1 is the first that does not fit.
  (func (export "i64.trunc_f32_u.fits") (param $a i32) (result i32)
    (call $f32_fits (local.get $a) (i32.const 0x5f800000) (i32.const 0x3f800000)))

  ;; Below 2^31; of negative numbers, -2^31 - 1 is the first that does not fit.
  (func (export "i32.trunc_f64_s.fits") (param $a i64) (result i32)
    (call $f64_fits (local.get $a) (i64.const 0x41e0000000000000) (i64.const 0x41e0000000200000)))

  ;; Below 2^32; of negative numbers, -1 is the first that does not fit.
  (func (export "i32.trunc_f64_u.fits") (param $a i64) (result i32)
    (call $f64_fits (local.get $a) (i64.const 0x41f0000000000000) (i64.const 0x3ff0000000000000)))

  ;; Below 2^63; of negative numbers, -2^63 is the last that fits, and the next float does not.
  (func (export "i64.trunc_f64_s.fits") (param $a i64) (result i32)
    (call $f64_fits (local.get $a) (i64.const 0x43e0000000000000) (i64.const 0x43e0000000000001)))

  ;; Below 2^64; of negative numbers, -1 is the first that does not fit.
  (func (export "i64.trunc_f64_u.fits") (param $a i64) (result i32)
    (call $f64_fits (local.get $a) (i64.const 0x43f0000000000000) (i64.const 0x3ff0000000000000)))

  ;; 0 if the magnitude of a is below the limit for its sign, else 1 for a NaN and 2 for a number.
  (func $f32_fits (param $a i32) (param $positive i32) (param $negative i32) (result i32)
    (local $magnitude i32)
    (local.set $magnitude (i32.and (local.get $a) (i32.const 0x7fffffff)))
    (if (i32.lt_u
          (local.get $magnitude)
          (select (local.get $negative) (local.get $positive) (i32.lt_s (local.get $a) (i32.const 0))))
      (then (return (i32.const 0))))
    (i32.sub (i32.const 2) (i32.gt_u (local.get $magnitude) (i32.const 0x7f800000))))

  ;; The same of binary64.
  (func $f64_fits (param $a i64) (param $positive i64) (param $negative i64) (result i32)
    (local $magnitude i64)
    (local.set $magnitude (i64.and (local.get $a) (i64.const 0x7fffffffffffffff)))
    (if (i64.lt_u
          (local.get $magnitude)
          (select (local.get $negative) (local.get $positive) (i64.lt_s (local.get $a) (i64.const 0))))
      (then (return (i32.const 0))))
    (i32.sub (i32.const 2) (i64.gt_u (local.get $magnitude) (i64.const 0x7ff0000000000000))))

  ;; 0 for a NaN, else the sign as -1 or 1.
  (func $f32_class (param $a i32) (result i32)
    (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))
      (then (return (i32.const 0))))
    (i32.or (i32.shr_s (local.get $a) (i32.const 31)) (i32.const 1)))

  ;; The same of binary64.
  (func $f64_class (param $a i64) (result i32)
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i32.const 0))))
    (i32.or (i32.wrap_i64 (i64.shr_s (local.get $a) (i64.const 63))) (i32.const 1)))

  ;; What a number of this class saturates to: the least or the greatest signed integer, or 0.
  (func $i32_limit_s (param $class i32) (result i32)
    (if (i32.eqz (local.get $class)) (then (return (i32.const 0))))
    (i32.xor (i32.shr_s (local.get $class) (i32.const 31)) (i32.const 0x7fffffff)))

  ;; The same of 64 bits.
  (func $i64_limit_s (param $class i32) (result i64)
    (if (i32.eqz (local.get $class)) (then (return (i64.const 0))))
    (i64.xor (i64.extend_i32_s (i32.shr_s (local.get $class) (i32.const 31))) (i64.const 0x7fffffffffffffff)))

  ;; The same of unsigned integers; the number is not negative: all ones, or 0.
  (func $i32_limit_u (param $class i32) (result i32)
    (i32.sub (i32.const 0) (local.get $class)))

  ;; The same of 64 bits.
  (func $i64_limit_u (param $class i32) (result i64)
    (i64.sub (i64.const 0) (i64.extend_i32_u (local.get $class)))))
