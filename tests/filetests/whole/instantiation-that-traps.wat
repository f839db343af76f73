;; Instantiation ends with a trap: an image does nothing behind it.
;; VERIFY proved
(module
  (memory 1)
  (data (i32.const 65535) "ab")
  (func (export "f") (result i32) (i32.const 3)))
