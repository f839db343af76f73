;; Every kind of trap is reported as its own kind.
;; RUN unreachable() = trap unreachable
;; RUN bounds(65536) = trap out of bounds memory access
;; RUN zero(1, 0) = trap integer divide by zero
;; RUN overflow(0x80000000, -1) = trap integer overflow
;; RUN overflow(0x80000000, 1) = -2147483648
;; RUN overflow(7, -2) = -3
;; RUN table(0) = 5
;; RUN table(1) = trap indirect call type mismatch
;; RUN table(2) = trap uninitialized element
;; RUN table(3) = trap undefined element
;; RUN table(-1) = trap undefined element
;; RUN deep(1000000) = trap call stack exhausted
;; RUN deep(3) = 3
;; VERIFY proved
(module
  (type $value (func (result i32)))
  (memory 1)
  (table 3 funcref) (elem (i32.const 0) $five $nothing)
  (func $five (result i32) (i32.const 5))
  (func $nothing)
  (func (export "unreachable") (unreachable))
  (func (export "bounds") (param i32) (i32.store8 (local.get 0) (i32.const 1)))
  (func (export "zero") (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
  (func (export "overflow") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "table") (param i32) (result i32) (call_indirect (type $value) (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))
