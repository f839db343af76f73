;; A second access no further than a checked one has no check of its own.
;; SIZE f <= 28
;; RUN f(65528) = 0
;; RUN f(65529) = trap out of bounds memory access
;; VERIFY proved
(module (memory 1) (func (export "f") (param i32) (result i32)
  (i32.add (i32.load offset=4 (local.get 0)) (i32.load (local.get 0)))))
;;= opt
;; func 0 "f" (i32) -> (i32)
;; b0(v0: i32) 0:0x25 [v0 | ]
;;   v1 = i32.const 65528 @0x27
;;   v2 = i32.lt_u v1, v0 @0x27
;;   trapif MemoryOutOfBounds v2 @0x27
;;   v3 = memory_base memory0 @0x27
;;   v4 = i32.add v3, v0 @0x27
;;   v5 = load.w32 memory0+0x4 v4 @0x27*
;;   v10 = load.w32 memory0+0x0 v4 @0x2c*
;;   v11 = i32.add v5, v10 @0x2f*
;;   return v11 @0x30
