;; Rounding of binary32 numbers to integral numbers. Numbers are passed as their bits.
;;
;; With the exponent field e, the significand has 150 - e bits of fraction: none from e = 150 on,
;; nothing else below e = 127 (IEEE 754-2019, 3.4). Clearing them rounds towards zero. Adding them
;; all first rounds away from zero, as a carry moves into the exponent where it must. Adding a half
;; first, or a bit less if the last bit kept is 0, rounds to nearest, ties to even (5.9).
;;
;; NaN: a NaN operand gives the canonical NaN (core spec 4.3.3, nans). Other results have the sign of
;; the operand, also zeros.
(module
  ;; f32.trunc (core spec 4.3.3, ftrunc).
  (func (export "f32.trunc") (param $a i32) (result i32)
    (local $e i32)
    (local.set $e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (if (i32.ge_u (local.get $e) (i32.const 150)) (then (return (call $f32_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 127))
      (then (return (i32.and (local.get $a) (i32.const 0x80000000)))))
    (i32.and
      (local.get $a)
      (i32.shr_s (i32.const 0xff800000) (i32.sub (local.get $e) (i32.const 127)))))

  ;; f32.ceil (core spec 4.3.3, fceil): positive numbers away from zero.
  (func (export "f32.ceil") (param $a i32) (result i32)
    (local $e i32) (local $fraction i32)
    (local.set $e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (if (i32.ge_u (local.get $e) (i32.const 150)) (then (return (call $f32_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 127))
      (then
        (return
          (select (i32.const 0x3f800000)
            (i32.and (local.get $a) (i32.const 0x80000000))
            (i32.gt_s (local.get $a) (i32.const 0))))))
    (local.set $fraction (i32.shr_u (i32.const 0x007fffff) (i32.sub (local.get $e) (i32.const 127))))
    (if (i32.ge_s (local.get $a) (i32.const 0))
      (then (local.set $a (i32.add (local.get $a) (local.get $fraction)))))
    (i32.and (local.get $a) (i32.xor (local.get $fraction) (i32.const -1))))

  ;; f32.floor (core spec 4.3.3, ffloor): negative numbers away from zero.
  (func (export "f32.floor") (param $a i32) (result i32)
    (local $e i32) (local $fraction i32)
    (local.set $e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (if (i32.ge_u (local.get $e) (i32.const 150)) (then (return (call $f32_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 127))
      (then
        (return
          (select (i32.const 0xbf800000)
            (i32.and (local.get $a) (i32.const 0x80000000))
            (i32.gt_u (local.get $a) (i32.const 0x80000000))))))
    (local.set $fraction (i32.shr_u (i32.const 0x007fffff) (i32.sub (local.get $e) (i32.const 127))))
    (if (i32.lt_s (local.get $a) (i32.const 0))
      (then (local.set $a (i32.add (local.get $a) (local.get $fraction)))))
    (i32.and (local.get $a) (i32.xor (local.get $fraction) (i32.const -1))))

  ;; f32.nearest (core spec 4.3.3, fnearest): ties to even.
  (func (export "f32.nearest") (param $a i32) (result i32)
    (local $e i32) (local $fraction i32)
    (local.set $e (i32.shr_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 24)))
    (if (i32.ge_u (local.get $e) (i32.const 150)) (then (return (call $f32_canonical (local.get $a)))))
    (if (i32.lt_u (local.get $e) (i32.const 127))
      (then
        ;; 1 if above a half, else 0.
        (return
          (i32.or
            (i32.and (local.get $a) (i32.const 0x80000000))
            (select (i32.const 0x3f800000) (i32.const 0)
              (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0x7e000000)))))))
    (local.set $fraction (i32.shr_u (i32.const 0x007fffff) (i32.sub (local.get $e) (i32.const 127))))
    ;; The last bit kept, bit 150 - e, is the lowest of the exponent if e = 127. It is then 1, as is
    ;; the significand's first bit, which the format does not store.
    (i32.and
      (i32.add
        (i32.add (local.get $a) (i32.shr_u (local.get $fraction) (i32.const 1)))
        (i32.and
          (i32.shr_u (local.get $a) (i32.sub (i32.const 150) (local.get $e)))
          (i32.const 1)))
      (i32.xor (local.get $fraction) (i32.const -1))))

  ;; a, or the canonical NaN if it is a NaN.
  (func $f32_canonical (param $a i32) (result i32)
    (select
      (i32.const 0x7fc00000)
      (local.get $a)
      (i32.gt_u (i32.shl (local.get $a) (i32.const 1)) (i32.const 0xff000000)))))
