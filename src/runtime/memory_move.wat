;; memory.copy between two memories, and memory.init: $n bytes at $s of one memory go to $d of another.
;;
;; A template: the memories are those of the instruction, and their sizes are counted in bytes. Both
;; ranges are checked before anything is written; the last instruction of the check is an access that no
;; memory has.
(module
  (import "memory" "to" (memory $to 0 (pagesize 1)))
  (import "memory" "from" (memory $from 0 (pagesize 1)))
  (func (export "memory.move") (param $d i32) (param $s i32) (param $n i32)
    (if (i32.or
          (i32.or
            (i32.gt_u (local.get $n) (memory.size $to))
            (i32.gt_u (local.get $d) (i32.sub (memory.size $to) (local.get $n))))
          (i32.or
            (i32.gt_u (local.get $n) (memory.size $from))
            (i32.gt_u (local.get $s) (i32.sub (memory.size $from) (local.get $n)))))
      (then (drop (i32.load8_u $to offset=0xffffffff (i32.const 0)))))
    (if (i32.ge_u (local.get $n) (i32.const 8))
      (then
        (loop
          (i64.store $to (local.get $d) (i64.load $from (local.get $s)))
          (local.set $d (i32.add (local.get $d) (i32.const 8)))
          (local.set $s (i32.add (local.get $s) (i32.const 8)))
          (br_if 0
            (i32.ge_u
              (local.tee $n (i32.sub (local.get $n) (i32.const 8)))
              (i32.const 8))))))
    (if (local.get $n)
      (then
        (loop
          (i32.store8 $to (local.get $d) (i32.load8_u $from (local.get $s)))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (local.set $s (i32.add (local.get $s) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))
