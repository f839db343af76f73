;; memory.fill: $n bytes at $d become the low byte of $value.
;;
;; A template: the memory is that of the instruction, and its size is counted in bytes. The range is
;; checked before anything is written; the last instruction of the check is an access that no memory has.
(module
  (import "memory" "to" (memory 0 (pagesize 1)))
  (func (export "memory.fill") (param $d i32) (param $value i32) (param $n i32)
    (local $word i64)
    (if (i32.or
          (i32.gt_u (local.get $n) (memory.size))
          (i32.gt_u (local.get $d) (i32.sub (memory.size) (local.get $n))))
      (then (drop (i32.load8_u offset=0xffffffff (i32.const 0)))))
    (if (i32.ge_u (local.get $n) (i32.const 8))
      (then
        (local.set $value
          (i32.mul (i32.and (local.get $value) (i32.const 0xff)) (i32.const 0x01010101)))
        (local.set $word
          (i64.or
            (i64.extend_i32_u (local.get $value))
            (i64.shl (i64.extend_i32_u (local.get $value)) (i64.const 32))))
        (loop
          (i64.store (local.get $d) (local.get $word))
          (local.set $d (i32.add (local.get $d) (i32.const 8)))
          (br_if 0
            (i32.ge_u
              (local.tee $n (i32.sub (local.get $n) (i32.const 8)))
              (i32.const 8))))))
    (if (local.get $n)
      (then
        (loop
          (i32.store8 (local.get $d) (local.get $value))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))
