;; table.fill: $n entries at $d become $value.
;;
;; A template: the table is that of the instruction; for references to the host, `funcref` reads `externref`. The
;; range is checked before anything is written; the last instruction of the check is an access that no table has.
(module
  (import "table" "to" (table 0 funcref))
  (func (export "table.fill") (param $d i32) (param $value funcref) (param $n i32)
    (if (i32.or
          (i32.gt_u (local.get $n) (table.size))
          (i32.gt_u (local.get $d) (i32.sub (table.size) (local.get $n))))
      (then (drop (table.get (i32.const -1)))))
    (if (local.get $n)
      (then
        (loop
          (table.set (local.get $d) (local.get $value))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))
