;; References come back among several results, go into a table, and are left for through it.
;; RUN go(5, 0) = trap uninitialized element
;; RUN go(5, 4) = trap undefined element
;; RUN keep(1) = 1
;; RUN go(5, 1) = 6
;; RUN through(2) = 3
;; RUN go(5, 3) = 10
;; RUN go(5, 2) = trap uninitialized element
;; RUN other(5, 1) = 10
;; RUN other(5, 2) = trap indirect call type mismatch
;; VERIFY proved
(module
  (type $t (func (param i32) (result i32)))
  (type $pair (func (param i32) (result funcref i32)))
  (table $a 4 4 funcref)
  (table $b 3 3 funcref)
  (elem (table $b) (i32.const 0) func $inc $double $pairs)
  (global $g (mut funcref) (ref.null func))
  (func $inc (type $t) (i32.add (local.get 0) (i32.const 1)))
  (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))
  (func $pairs (type $pair)
    (if (result funcref i32) (i32.eq (local.get 0) (i32.const 1))
      (then (ref.func $inc) (i32.const 1))
      (else (ref.func $double) (i32.const 3))))
  (func (export "keep") (param i32) (result i32)
    (local $at i32) (local $f funcref)
    (call $pairs (local.get 0))
    (local.set $at) (local.set $f)
    (table.set $a (local.get $at) (local.get $f))
    (local.get $at))
  (func (export "through") (param i32) (result i32)
    (local $at i32)
    (call_indirect $b (type $pair) (local.get 0) (local.get 0))
    (local.set $at) (global.set $g)
    (table.set $a (local.get $at) (global.get $g))
    (local.get $at))
  (func (export "go") (param i32 i32) (result i32)
    (return_call_indirect $a (type $t) (local.get 0) (local.get 1)))
  (func (export "other") (param i32 i32) (result i32)
    (return_call_indirect $b (type $t) (local.get 0) (local.get 1))))
