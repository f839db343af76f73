;; The fifth argument and those behind it are in the caller's frame; a call passes them the same way.
;; CHECK asm: [sp
;; RUN f(1, 2, 3, 4, 5, 6) = 654321
;; RUN g(1, 2, 3, 4, 5, 6) = 123456
;; VERIFY proved
(module
  (func $f (export "f") (param i32 i32 i32 i32 i32 i32) (result i32)
    (i32.add (local.get 0) (i32.mul (i32.const 10)
    (i32.add (local.get 1) (i32.mul (i32.const 10)
    (i32.add (local.get 2) (i32.mul (i32.const 10)
    (i32.add (local.get 3) (i32.mul (i32.const 10)
    (i32.add (local.get 4) (i32.mul (i32.const 10) (local.get 5))))))))))))
  (func (export "g") (param i32 i32 i32 i32 i32 i32) (result i32)
    (call $f (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0))))
