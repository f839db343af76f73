;; 64-bit division for processors that divide 32 bits.
;;
;; Restoring division bit by bit (Knuth, The Art of Computer Programming, vol. 2, 4.3.1), begun at the
;; dividend's highest bit; operands of 32 bits go to the 32-bit divider.
;; Every function is total: a divisor of 0 gives the quotient 0 and the dividend as remainder.
(module
  ;; The quotient n / d (core spec, 4.3.2, idiv_u).
  (func $div_u (export "i64.div_u") (param $n i64) (param $d i64) (result i64)
    (local $quotient i64) (local $rest i64) (local $count i32)
    (if (i64.eqz (i64.or (i64.shr_u (local.get $n) (i64.const 32)) (i64.shr_u (local.get $d) (i64.const 32))))
      (then
        (if (i32.eqz (i32.wrap_i64 (local.get $d))) (then (return (i64.const 0))))
        (return (i64.extend_i32_u
          (i32.div_u (i32.wrap_i64 (local.get $n)) (i32.wrap_i64 (local.get $d)))))))
    (if (i64.eqz (local.get $d)) (then (return (i64.const 0))))
    (local.set $count (i32.const 64))
    (loop $next
      (local.set $rest (i64.or (i64.shl (local.get $rest) (i64.const 1)) (i64.shr_u (local.get $n) (i64.const 63))))
      (local.set $n (i64.shl (local.get $n) (i64.const 1)))
      (local.set $quotient (i64.shl (local.get $quotient) (i64.const 1)))
      (if (i64.ge_u (local.get $rest) (local.get $d))
        (then
          (local.set $rest (i64.sub (local.get $rest) (local.get $d)))
          (local.set $quotient (i64.or (local.get $quotient) (i64.const 1)))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $quotient))

  ;; The remainder n - (n / d) * d (core spec, 4.3.2, irem_u).
  (func $rem_u (export "i64.rem_u") (param $n i64) (param $d i64) (result i64)
    (i64.sub (local.get $n) (i64.mul (call $div_u (local.get $n) (local.get $d)) (local.get $d))))

  ;; |x|, and 2^63 for the least number.
  (func $abs (param $x i64) (result i64) (local $sign i64)
    (local.set $sign (i64.shr_s (local.get $x) (i64.const 63)))
    (i64.sub (i64.xor (local.get $x) (local.get $sign)) (local.get $sign)))

  ;; The truncated quotient n / d; the least number for the least number by -1 (core spec, 4.3.2, idiv_s).
  (func $div_s (export "i64.div_s") (param $n i64) (param $d i64) (result i64) (local $sign i64)
    (local.set $sign (i64.shr_s (i64.xor (local.get $n) (local.get $d)) (i64.const 63)))
    (i64.sub
      (i64.xor (call $div_u (call $abs (local.get $n)) (call $abs (local.get $d))) (local.get $sign))
      (local.get $sign)))

  ;; The remainder with the sign of n (core spec, 4.3.2, irem_s).
  (func (export "i64.rem_s") (param $n i64) (param $d i64) (result i64)
    (i64.sub (local.get $n) (i64.mul (call $div_s (local.get $n) (local.get $d)) (local.get $d)))))
