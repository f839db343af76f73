;; Comparisons, minimum and maximum of binary64 numbers, which are passed as their bits.
;;
;; Bits of two numbers are ordered as signed integers, or the other way round if both are negative.
;; That puts -0 before +0: right for minimum and maximum (IEEE 754-2019, 9.6), an exception for
;; comparisons (5.11). A NaN is what exceeds infinity when the sign is shifted out. It is unordered:
;; with one, all comparisons but ne are false. a > b is b < a.
;;
;; NaN: min and max of a NaN give the canonical NaN (core spec 4.3.3, nans).
(module
  ;; f64.eq (core spec 4.3.3, feq): equal bits that are no NaN, or two zeros.
  (func (export "f64.eq") (param $a i64) (param $b i64) (result i32)
    (i32.or
      (i32.and
        (i64.eq (local.get $a) (local.get $b))
        (i64.le_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000)))
      (i64.eqz (i64.shl (i64.or (local.get $a) (local.get $b)) (i64.const 1)))))

  ;; f64.ne (core spec 4.3.3, fne).
  (func (export "f64.ne") (param $a i64) (param $b i64) (result i32)
    (i32.and
      (i32.or
        (i64.ne (local.get $a) (local.get $b))
        (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000)))
      (i64.ne (i64.shl (i64.or (local.get $a) (local.get $b)) (i64.const 1)) (i64.const 0))))

  ;; f64.lt (core spec 4.3.3, flt).
  (func (export "f64.lt") (param $a i64) (param $b i64) (result i32)
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000)) (then (return (i32.const 0))))
    (if (i64.gt_u (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000)) (then (return (i32.const 0))))
    (if (i64.eqz (i64.shl (i64.or (local.get $a) (local.get $b)) (i64.const 1)))
      (then (return (i32.const 0))))
    (if (i64.lt_s (i64.and (local.get $a) (local.get $b)) (i64.const 0))
      (then (return (i64.gt_s (local.get $a) (local.get $b)))))
    (i64.lt_s (local.get $a) (local.get $b)))

  ;; f64.le (core spec 4.3.3, fle).
  (func (export "f64.le") (param $a i64) (param $b i64) (result i32)
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000)) (then (return (i32.const 0))))
    (if (i64.gt_u (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000)) (then (return (i32.const 0))))
    (if (i64.eqz (i64.shl (i64.or (local.get $a) (local.get $b)) (i64.const 1)))
      (then (return (i32.const 1))))
    (if (i64.lt_s (i64.and (local.get $a) (local.get $b)) (i64.const 0))
      (then (return (i64.ge_s (local.get $a) (local.get $b)))))
    (i64.le_s (local.get $a) (local.get $b)))

  ;; f64.min (core spec 4.3.3, fmin).
  (func (export "f64.min") (param $a i64) (param $b i64) (result i64)
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.gt_u (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.lt_s (i64.and (local.get $a) (local.get $b)) (i64.const 0))
      (then
        (return (select (local.get $a) (local.get $b) (i64.gt_s (local.get $a) (local.get $b))))))
    (select (local.get $a) (local.get $b) (i64.lt_s (local.get $a) (local.get $b))))

  ;; f64.max (core spec 4.3.3, fmax).
  (func (export "f64.max") (param $a i64) (param $b i64) (result i64)
    (if (i64.gt_u (i64.shl (local.get $a) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.gt_u (i64.shl (local.get $b) (i64.const 1)) (i64.const 0xffe0000000000000))
      (then (return (i64.const 0x7ff8000000000000))))
    (if (i64.lt_s (i64.and (local.get $a) (local.get $b)) (i64.const 0))
      (then
        (return (select (local.get $b) (local.get $a) (i64.gt_s (local.get $a) (local.get $b))))))
    (select (local.get $b) (local.get $a) (i64.lt_s (local.get $a) (local.get $b)))))
