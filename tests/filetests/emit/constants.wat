;; A constant takes the shortest way: two bytes, a modified immediate, a complement, `movw`, or more.
;; CHECK asm: movs r0, #255
;; CHECK asm: mov r0, #16711935
;; CHECK asm: mvn r0, #1
;; CHECK asm: movw r0, #65535
;; SIZE small <= 4
;; SIZE pattern <= 6
;; SIZE complement <= 6
;; SIZE half <= 6
;; SIZE any <= 10
;; RUN small() = 255
;; RUN pattern() = 0x00ff00ff
;; RUN complement() = -2
;; RUN half() = 65535
;; RUN any() = 0x12345678
;; VERIFY proved
(module
  (func (export "small") (result i32) (i32.const 255))
  (func (export "pattern") (result i32) (i32.const 0x00ff00ff))
  (func (export "complement") (result i32) (i32.const -2))
  (func (export "half") (result i32) (i32.const 65535))
  (func (export "any") (result i32) (i32.const 0x12345678)))
