;; table.grow: $n entries behind the last, each $value.
;;
;; A template: the table is that of the instruction; for references to the host, `funcref` reads `externref` and the
;; null reference is theirs. Here `table.grow` only makes room, which is null.
(module
  (import "table" "to" (table 0 funcref))
  (func (export "table.grow") (param $value funcref) (param $n i32) (result i32)
    (local $old i32) (local $d i32)
    (local.set $old (table.grow (ref.null func) (local.get $n)))
    (if (i32.and (i32.ne (local.get $old) (i32.const -1)) (i32.ne (local.get $n) (i32.const 0)))
      (then
        (local.set $d (local.get $old))
        (loop
          (table.set (local.get $d) (local.get $value))
          (local.set $d (i32.add (local.get $d) (i32.const 1)))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
    (local.get $old)))
