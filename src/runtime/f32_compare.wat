;; Comparisons, minimum and maximum of binary32 numbers, which are passed as their bits.
;;
;; Bits of two numbers are ordered as signed integers, or the other way round if both are negative.
;; That puts -0 before +0: right for minimum and maximum (IEEE 754-2019, 9.6), an exception for
;; comparisons (5.11). A NaN is what exceeds infinity when the sign is shifted out. It is unordered:
;; with one, all comparisons but ne are false. a > b is b < a.
;;
;; NaN: min and max of a NaN give the canonical NaN (core spec 4.3.3, nans).
(module
  ;; f32.eq (core spec 4.3.3, feq): equal bits that are no NaN, or two zeros.
  (func (export "f32.eq") (param $a i32) (param $b i32) (result i32)
    (i32.or
      (i32.and
        (i32.eq (local.get $a) (local.get $b))
        (i32.le_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)))
      (i32.eqz (i32.shl (i32.or (local.get $a) (local.get $b)) (i32.const 1)))))

  ;; f32.ne (core spec 4.3.3, fne).
  (func (export "f32.ne") (param $a i32) (param $b i32) (result i32)
    (i32.and
      (i32.or
        (i32.ne (local.get $a) (local.get $b))
        (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)))
      (i32.ne (i32.shl (i32.or (local.get $a) (local.get $b)) (i32.const 1)) (i32.const 0))))

  ;; f32.lt (core spec 4.3.3, flt).
  (func (export "f32.lt") (param $a i32) (param $b i32) (result i32)
    (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)) (then (return (i32.const 0))))
    (if (i32.gt_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000)) (then (return (i32.const 0))))
    (if (i32.eqz (i32.shl (i32.or (local.get $a) (local.get $b)) (i32.const 1)))
      (then (return (i32.const 0))))
    (if (i32.lt_s (i32.and (local.get $a) (local.get $b)) (i32.const 0))
      (then (return (i32.gt_s (local.get $a) (local.get $b)))))
    (i32.lt_s (local.get $a) (local.get $b)))

  ;; f32.le (core spec 4.3.3, fle).
  (func (export "f32.le") (param $a i32) (param $b i32) (result i32)
    (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)) (then (return (i32.const 0))))
    (if (i32.gt_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000)) (then (return (i32.const 0))))
    (if (i32.eqz (i32.shl (i32.or (local.get $a) (local.get $b)) (i32.const 1)))
      (then (return (i32.const 1))))
    (if (i32.lt_s (i32.and (local.get $a) (local.get $b)) (i32.const 0))
      (then (return (i32.ge_s (local.get $a) (local.get $b)))))
    (i32.le_s (local.get $a) (local.get $b)))

  ;; f32.min (core spec 4.3.3, fmin).
  (func (export "f32.min") (param $a i32) (param $b i32) (result i32)
    (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.gt_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.lt_s (i32.and (local.get $a) (local.get $b)) (i32.const 0))
      (then
        (return (select (local.get $a) (local.get $b) (i32.gt_s (local.get $a) (local.get $b))))))
    (select (local.get $a) (local.get $b) (i32.lt_s (local.get $a) (local.get $b))))

  ;; f32.max (core spec 4.3.3, fmax).
  (func (export "f32.max") (param $a i32) (param $b i32) (result i32)
    (if (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.gt_u (i32.shl (local.get $b) (i32.const 1)) (i32.const 0xff000000))
      (then (return (i32.const 0x7fc00000))))
    (if (i32.lt_s (i32.and (local.get $a) (local.get $b)) (i32.const 0))
      (then
        (return (select (local.get $b) (local.get $a) (i32.gt_s (local.get $a) (local.get $b))))))
    (select (local.get $b) (local.get $a) (i32.lt_s (local.get $a) (local.get $b)))))
