;; A table branch carries its operand to each of its targets; entries past the end go to the default.
;; RUN f(0, 5) = 6
;; RUN f(1, 5) = 15
;; RUN f(2, 5) = 105
;; RUN f(0x80000000, 5) = 105
;; VERIFY proved
(module (func (export "f") (param i32 i32) (result i32)
  (block $hundred (result i32)
    (block $ten (result i32)
      (block $one (result i32)
        (br_table $one $ten $hundred (local.get 1) (local.get 0)))
      (return (i32.add (i32.const 1))))
    (return (i32.add (i32.const 10))))
  (i32.add (i32.const 100))))
