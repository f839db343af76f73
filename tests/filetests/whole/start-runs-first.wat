;; Data segments are in place before the start function runs, and it before any export.
;; RUN seen() = 7
;; RUN next() = 8
;; RUN next() = 9
;; VERIFY proved
(module
  (memory 1) (data (i32.const 16) "\07")
  (global $seen (mut i32) (i32.const 0))
  (func $start (global.set $seen (i32.load8_u (i32.const 16))))
  (start $start)
  (func (export "seen") (result i32) (global.get $seen))
  (func (export "next") (result i32)
    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
    (global.get $seen)))
