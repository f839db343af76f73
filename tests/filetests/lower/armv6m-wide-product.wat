;; On Armv6-M the high half of a product is made of four products that the runtime computes.
;; OPTIONS cpu=cortex-m0
;; CHECK vcode: = call
;; CHECK-NOT vcode: umull
;; RUN unsigned(-1, -1) = -2
;; RUN unsigned(81985529216486895, -81985529216486896) = 81621149086635842
;; RUN signed(-1, -1) = 0
;; RUN signed(-9223372036854775808, 6) = -3
;; RUN signed(-9223372036854775808, -9223372036854775808) = 4611686018427387904
;; VERIFY proved
(module
  (func (export "unsigned") (param $a i64) (param $b i64) (result i64)
    (i64.mul_wide_u (local.get $a) (local.get $b))
    (local.set $a)
    (drop)
    (local.get $a))
  (func (export "signed") (param $a i64) (param $b i64) (result i64)
    (i64.mul_wide_s (local.get $a) (local.get $b))
    (local.set $a)
    (drop)
    (local.get $a)))
