;; memory.copy within a memory: $n bytes at $s go to $d, as if all were read first.
;;
;; A template: the memory is that of the instruction, and its size is counted in bytes. Both ranges are
;; checked before anything is written; the last instruction of the check is an access that no memory has.
;; Upwards where the bytes go down, so that none is overwritten before it is read; else downwards.
(module
  (import "memory" "to" (memory 0 (pagesize 1)))
  (func (export "memory.copy") (param $d i32) (param $s i32) (param $n i32)
    (if (i32.or
          (i32.gt_u (local.get $n) (memory.size))
          (i32.or
            (i32.gt_u (local.get $d) (i32.sub (memory.size) (local.get $n)))
            (i32.gt_u (local.get $s) (i32.sub (memory.size) (local.get $n)))))
      (then (drop (i32.load8_u offset=0xffffffff (i32.const 0)))))
    (if (i32.lt_u (local.get $d) (local.get $s))
      (then
        (if (i32.ge_u (local.get $n) (i32.const 8))
          (then
            (loop
              (i64.store (local.get $d) (i64.load (local.get $s)))
              (local.set $d (i32.add (local.get $d) (i32.const 8)))
              (local.set $s (i32.add (local.get $s) (i32.const 8)))
              (br_if 0
                (i32.ge_u
                  (local.tee $n (i32.sub (local.get $n) (i32.const 8)))
                  (i32.const 8))))))
        (if (local.get $n)
          (then
            (loop
              (i32.store8 (local.get $d) (i32.load8_u (local.get $s)))
              (local.set $d (i32.add (local.get $d) (i32.const 1)))
              (local.set $s (i32.add (local.get $s) (i32.const 1)))
              (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
        (return)))
    (local.set $d (i32.add (local.get $d) (local.get $n)))
    (local.set $s (i32.add (local.get $s) (local.get $n)))
    (if (i32.ge_u (local.get $n) (i32.const 8))
      (then
        (loop
          (local.set $d (i32.sub (local.get $d) (i32.const 8)))
          (local.set $s (i32.sub (local.get $s) (i32.const 8)))
          (i64.store (local.get $d) (i64.load (local.get $s)))
          (br_if 0
            (i32.ge_u
              (local.tee $n (i32.sub (local.get $n) (i32.const 8)))
              (i32.const 8))))))
    (if (local.get $n)
      (then
        (loop
          (local.set $d (i32.sub (local.get $d) (i32.const 1)))
          (local.set $s (i32.sub (local.get $s) (i32.const 1)))
          (i32.store8 (local.get $d) (i32.load8_u (local.get $s)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))
