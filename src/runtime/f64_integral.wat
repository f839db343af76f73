;; Rounding of binary64 numbers to integral numbers. Numbers are passed as their bits.
;;
;; With the exponent field e, the significand has 1075 - e bits of fraction: none from e = 1075 on,
;; nothing else below e = 1023 (IEEE 754-2019, 3.4). Clearing them rounds towards zero. Adding them
;; all first rounds away from zero, as a carry moves into the exponent where it must. Adding a half
;; first, or a bit less if the last bit kept is 0, rounds to nearest, ties to even (5.9).
;;
;; NaN: a NaN operand gives the canonical NaN (core spec 4.3.3, nans). Other results have the sign of
;; the operand, also zeros.
(module
  ;; f64.trunc (core spec 4.3.3, ftrunc).
  (func (export "f64.trunc") (param $a i64) (result i64)
    (local $e i32)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.ge_u (local.get $e) (i32.const 1075)) (then (return (call $f64_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 1023))
      (then (return (i64.and (local.get $a) (i64.const 0x8000000000000000)))))
    (i64.and
      (local.get $a)
      (i64.xor (call $f64_fraction (local.get $e)) (i64.const -1))))

  ;; f64.ceil (core spec 4.3.3, fceil): positive numbers away from zero.
  (func (export "f64.ceil") (param $a i64) (result i64)
    (local $e i32) (local $fraction i64)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.ge_u (local.get $e) (i32.const 1075)) (then (return (call $f64_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 1023))
      (then
        (return
          (select (i64.const 0x3ff0000000000000)
            (i64.and (local.get $a) (i64.const 0x8000000000000000))
            (i64.gt_s (local.get $a) (i64.const 0))))))
    (local.set $fraction (call $f64_fraction (local.get $e)))
    (if (i64.ge_s (local.get $a) (i64.const 0))
      (then (local.set $a (i64.add (local.get $a) (local.get $fraction)))))
    (i64.and (local.get $a) (i64.xor (local.get $fraction) (i64.const -1))))

  ;; f64.floor (core spec 4.3.3, ffloor): negative numbers away from zero.
  (func (export "f64.floor") (param $a i64) (result i64)
    (local $e i32) (local $fraction i64)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.ge_u (local.get $e) (i32.const 1075)) (then (return (call $f64_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 1023))
      (then
        (return
          (select (i64.const 0xbff0000000000000)
            (i64.and (local.get $a) (i64.const 0x8000000000000000))
            (i64.gt_u (local.get $a) (i64.const 0x8000000000000000))))))
    (local.set $fraction (call $f64_fraction (local.get $e)))
    (if (i64.lt_s (local.get $a) (i64.const 0))
      (then (local.set $a (i64.add (local.get $a) (local.get $fraction)))))
    (i64.and (local.get $a) (i64.xor (local.get $fraction) (i64.const -1))))

  ;; f64.nearest (core spec 4.3.3, fnearest): ties to even.
  (func (export "f64.nearest") (param $a i64) (result i64)
    (local $e i32) (local $fraction i64)
    (local.set $e (i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 52))) (i32.const 0x7ff)))
    (if (i32.ge_u (local.get $e) (i32.const 1075)) (then (return (call $f64_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 1023))
      (then
        ;; 1 if above a half, else 0.
        (return
          (i64.or
            (i64.and (local.get $a) (i64.const 0x8000000000000000))
            (select (i64.const 0x3ff0000000000000) (i64.const 0)
              (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0x7fc0000000000000)))))))
    (local.set $fraction (call $f64_fraction (local.get $e)))
    ;; The last bit kept, that of value fraction + 1, is the lowest of the exponent if e = 1023. It
    ;; is then 1, as is the significand's first bit, which the format does not store.
    (i64.and
      (i64.add
        (i64.add (local.get $a) (i64.shr_u (local.get $fraction) (i64.const 1)))
        (i64.extend_i32_u
          (i64.ne
            (i64.and (local.get $a) (i64.add (local.get $fraction) (i64.const 1)))
            (i64.const 0))))
      (i64.xor (local.get $fraction) (i64.const -1))))

  ;; The bits that hold the fraction, for an exponent field e from 1023 to 1074.
  (func $f64_fraction (param $e i32) (result i64)
    (i64.shr_u
      (i64.const 0x000fffffffffffff)
      (i64.extend_i32_u (i32.sub (local.get $e) (i32.const 1023)))))

  ;; a, or the canonical NaN if it is a NaN.
  (func $f64_canonical (param $a i64) (result i64)
    (select
      (i64.const 0x7ff8000000000000)
      (local.get $a)
      (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000)))))
