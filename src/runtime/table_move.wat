;; table.copy between two tables, and table.init: $n entries at $s of one table go to $d of another.
;;
;; A template: the tables are those of the instruction; for references to the host, `funcref` reads `externref`. Both
;; ranges are checked before anything is written; the last instruction of the check is an access that no table has.
(module
  (import "table" "to" (table $to 0 funcref))
  (import "table" "from" (table $from 0 funcref))
  (func (export "table.move") (param $d i32) (param $s i32) (param $n i32)
    (if (i32.or
          (i32.or
            (i32.gt_u (local.get $n) (table.size $to))
            (i32.gt_u (local.get $d) (i32.sub (table.size $to) (local.get $n))))
          (i32.or
            (i32.gt_u (local.get $n) (table.size $from))
            (i32.gt_u (local.get $s) (i32.sub (table.size $from) (local.get $n)))))
      (then (drop (table.get $to (i32.const -1)))))
    (if (local.get $n)
      (then
        (loop
          (table.set $to (local.get $d) (table.get $from (local.get $s)))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (local.set $s (i32.add (local.get $s) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))
