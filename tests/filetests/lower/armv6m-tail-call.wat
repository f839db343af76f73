;; On Armv6-M a tail call is a call and a return, with several results of the callee copied to the own area.
;; OPTIONS cpu=cortex-m0
;; CHECK vcode: call f0(
;; CHECK-NOT vcode: return call
;; RUN sum(10) = 55
;; RUN difference(9, 4) = 5
;; VERIFY proved
(module
  (type $pair (func (param i32 i32) (result i32 i32)))
  (table funcref (elem $swapped))
  (func $swapped (type $pair) (local.get 1) (local.get 0))
  (func $twice (type $pair) (return_call_indirect (type $pair) (local.get 1) (local.get 0) (i32.const 0)))
  (func $direct (type $pair) (return_call $swapped (local.get 0) (local.get 1)))
  (func (export "difference") (param i32 i32) (result i32)
    (call $direct (local.get 0) (local.get 1))
    (call $twice)
    (call $direct)
    (i32.sub))
  (func $sum (param $n i32) (param $so_far i32) (result i32)
    (if (result i32) (local.get $n)
      (then (return_call $sum (i32.sub (local.get $n) (i32.const 1)) (i32.add (local.get $so_far) (local.get $n))))
      (else (local.get $so_far))))
  (func (export "sum") (param $n i32) (result i32) (return_call $sum (local.get $n) (i32.const 0))))
