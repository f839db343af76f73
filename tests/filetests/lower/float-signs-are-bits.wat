;; The sign of a float is a bit of its high word: no function is called, and the low word stays.
;; CHECK asm: eor r0, r0, #2147483648
;; CHECK asm: eor r1, r1, #2147483648
;; CHECK asm: bic r0, r0, #2147483648
;; CHECK asm: bic r1, r1, #2147483648
;; CHECK-NOT asm: bl
;; RUN neg32(0x7fc00001) = 0xffc00001
;; RUN neg64(0x3ff0000000000001) = 0xbff0000000000001
;; RUN abs64(0xfff8000000000001) = 0x7ff8000000000001
;; RUN sign64(0x3ff0000000000001, 0x8000000000000000) = 0xbff0000000000001
;; RUN bits(0x7fa00001) = 0x7fa00001
;; SIZE neg64 <= 6
;; SIZE bits <= 2
;; VERIFY proved
(module
  (func (export "neg32") (param f32) (result f32) (f32.neg (local.get 0)))
  (func (export "neg64") (param f64) (result f64) (f64.neg (local.get 0)))
  (func (export "abs32") (param f32) (result f32) (f32.abs (local.get 0)))
  (func (export "abs64") (param f64) (result f64) (f64.abs (local.get 0)))
  (func (export "sign64") (param f64 f64) (result f64) (f64.copysign (local.get 0) (local.get 1)))
  (func (export "bits") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0))))
;;= asm
;; neg32:
;;    0: f080 4000  eor r0, r0, #2147483648
;;    4: 4770       bx lr
;; neg64:
;;    0: f081 4100  eor r1, r1, #2147483648
;;    4: 4770       bx lr
;; abs32:
;;    0: f020 4000  bic r0, r0, #2147483648
;;    4: 4770       bx lr
;; abs64:
;;    0: f021 4100  bic r1, r1, #2147483648
;;    4: 4770       bx lr
;; sign64:
;;    0: 4602       mov r2, r0
;;    2: f021 4100  bic r1, r1, #2147483648
;;    6: f003 4000  and r0, r3, #2147483648
;;    a: 4301       orrs r1, r1, r0
;;    c: 4610       mov r0, r2
;;    e: 4770       bx lr
;; bits:
;;    0: 4770       bx lr
