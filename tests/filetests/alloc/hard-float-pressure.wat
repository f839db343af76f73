;; More doubles than there are registers go to slots of two words; at the loop's end they go round.
;; OPTIONS cpu=cortex-m7 float=hard
;; CHECK asm: vstr
;; CHECK asm: vldr
;; RUN f(1) = 0x4061000000000000
;; VERIFY proved
(module
  (func (export "f") (param i32) (result f64)
    (local f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64)
    (local.set 1 (f64.convert_i32_s (local.get 0)))
    (local.set 2 (f64.add (local.get 1) (local.get 1))) (local.set 3 (f64.add (local.get 2) (local.get 1)))
    (local.set 4 (f64.add (local.get 3) (local.get 1))) (local.set 5 (f64.add (local.get 4) (local.get 1)))
    (local.set 6 (f64.add (local.get 5) (local.get 1))) (local.set 7 (f64.add (local.get 6) (local.get 1)))
    (local.set 8 (f64.add (local.get 7) (local.get 1))) (local.set 9 (f64.add (local.get 8) (local.get 1)))
    (local.set 10 (f64.add (local.get 9) (local.get 1))) (local.set 11 (f64.add (local.get 10) (local.get 1)))
    (local.set 12 (f64.add (local.get 11) (local.get 1))) (local.set 13 (f64.add (local.get 12) (local.get 1)))
    (local.set 14 (f64.add (local.get 13) (local.get 1))) (local.set 15 (f64.add (local.get 14) (local.get 1)))
    (local.set 16 (f64.add (local.get 15) (local.get 1)))
    (f64.add (local.get 1) (f64.add (local.get 2) (f64.add (local.get 3) (f64.add (local.get 4) (f64.add (local.get 5)
    (f64.add (local.get 6) (f64.add (local.get 7) (f64.add (local.get 8) (f64.add (local.get 9) (f64.add (local.get 10)
    (f64.add (local.get 11) (f64.add (local.get 12) (f64.add (local.get 13) (f64.add (local.get 14)
    (f64.add (local.get 15) (local.get 16))))))))))))))))))
