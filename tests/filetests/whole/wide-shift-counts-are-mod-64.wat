;; A 64-bit shift takes its count modulo 64, also where it moves whole words.
;; RUN shl(1, 0) = 1
;; RUN shl(1, 31) = 0x80000000
;; RUN shl(1, 32) = 0x100000000
;; RUN shl(1, 63) = 0x8000000000000000
;; RUN shl(1, 64) = 1
;; RUN shr_u(-1, 33) = 0x7fffffff
;; RUN shr_s(-2, 63) = -1
;; RUN shr_s(0x4000000000000000, 62) = 1
;; RUN rotl(0x8000000000000001, 1) = 3
;; RUN rotr(1, 33) = 0x80000000
;; VERIFY proved
(module
  (func (export "shl") (param i64 i64) (result i64) (i64.shl (local.get 0) (local.get 1)))
  (func (export "shr_u") (param i64 i64) (result i64) (i64.shr_u (local.get 0) (local.get 1)))
  (func (export "shr_s") (param i64 i64) (result i64) (i64.shr_s (local.get 0) (local.get 1)))
  (func (export "rotl") (param i64 i64) (result i64) (i64.rotl (local.get 0) (local.get 1)))
  (func (export "rotr") (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1))))
