;; table.copy within a table: $n entries at $s go to $d, as if all were read first.
;;
;; A template: the table is that of the instruction; for references to the host, `funcref` reads `externref`. Both
;; ranges are checked before anything is written; the last instruction of the check is an access that no table has.
;; Upwards where the entries go down, so that none is overwritten before it is read; else downwards.
(module
  (import "table" "to" (table 0 funcref))
  (func (export "table.copy") (param $d i32) (param $s i32) (param $n i32)
    (if (i32.or
          (i32.gt_u (local.get $n) (table.size))
          (i32.or
            (i32.gt_u (local.get $d) (i32.sub (table.size) (local.get $n)))
            (i32.gt_u (local.get $s) (i32.sub (table.size) (local.get $n)))))
      (then (drop (table.get (i32.const -1)))))
    (if (i32.eqz (local.get $n)) (then (return)))
    (if (i32.lt_u (local.get $d) (local.get $s))
      (then
        (loop
          (table.set (local.get $d) (table.get (local.get $s)))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (local.set $s (i32.add (local.get $s) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (return)))
    (loop
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (table.set
        (i32.add (local.get $d) (local.get $n))
        (table.get (i32.add (local.get $s) (local.get $n))))
      (br_if 0 (local.get $n)))))
