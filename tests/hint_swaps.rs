//! Hints are untrusted: none makes wrong code Proved, and none makes the validator panic.

use synth::config::{Config, OptLevel};
use synth::elf::{object, program::Program};
use synth::stage::NoTap;
use synth_fuzz::damage::hints::changed;
use synth_verify::check::{Checks, check};
use synth_verify::hints::{FunctionHints, Hints, codec};
use synth_verify::replay::Random;

const MODULES: [&str; 5] = [
    r#"(module (memory 1)
      (func (export "sum") (param i32 i32) (result i32) (local i32)
        (loop $next
          (local.set 2 (i32.add (local.get 2) (i32.load (local.get 0))))
          (local.set 0 (i32.add (local.get 0) (i32.const 4)))
          (br_if $next (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
        (local.get 2))
      (func (export "fill") (param i32 i32)
        (loop $next
          (i32.store8 (local.get 0) (local.get 1))
          (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get 0) (local.get 1))))))"#,
    r#"(module
      (func $six (param i32 i32 i32 i32 i32 i32) (result i32)
        (i32.sub (i32.mul (local.get 0) (local.get 4)) (i32.add (local.get 1) (local.get 5))))
      (func (export "f") (param i32 i32) (result i32)
        (i32.add (local.get 1)
          (call $six (local.get 1) (i32.const 2) (i32.const 3) (local.get 0) (local.get 0) (i32.const 6)))))"#,
    r#"(module (global $a (mut i32) (i32.const 5)) (global $b (mut i64) (i64.const 7))
      (func (export "f") (param i32) (result i32)
        (global.set $a (i32.add (global.get $a) (local.get 0)))
        (global.set $b (i64.add (global.get $b) (i64.extend_i32_u (local.get 0))))
        (if (result i32) (i32.and (local.get 0) (i32.const 1))
          (then (i32.div_u (local.get 0) (global.get $a)))
          (else (i32.sub (i32.const 0) (local.get 0)))))
      (func (export "count") (param i32)
        (loop $next
          (global.set $a (i32.add (global.get $a) (local.get 0)))
          (br_if $next (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1)))))))"#,
    r#"(module
      (func $power (export "power") (param i32 i32) (result i32)
        (if (result i32) (local.get 1)
          (then (i32.mul (local.get 0) (call $power (local.get 0) (i32.sub (local.get 1) (i32.const 1)))))
          (else (i32.const 1))))
      (func (export "min") (param i64 i64) (result i64)
        (select (local.get 0) (local.get 1) (i64.lt_s (local.get 0) (local.get 1)))))"#,
    r#"(module
      (func (export "f") (param f32 f32 i32) (result i32) (local f32)
        (loop $next
          (local.set 3 (f32.add (local.get 3) (f32.mul (local.get 0) (local.get 1))))
          (br_if $next (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
        (i32.add (f32.lt (local.get 3) (local.get 0)) (i32.trunc_f32_s (f32.neg (local.get 3))))))"#,
];

/// A module with its code and hints.
#[derive(Clone)]
struct Compiled {
    wasm: Vec<u8>,
    program: Program,
    hints: Hints,
}

impl Compiled {
    fn new(wat: &str) -> Compiled {
        let wasm = wat::parse_str(wat).unwrap();
        let config = Config { opt_level: OptLevel::O2, ..Config::default() };
        let output = synth::compile(&wasm, &config, &mut NoTap).unwrap();
        Compiled { wasm, program: output.program, hints: output.hints }
    }

    /// The object with these hints instead of its own.
    fn elf(&self, hints: &Hints) -> Vec<u8> {
        let program = Program { hints: codec::encode(hints), ..self.program.clone() };
        object(&program, Config::default().cpu).unwrap()
    }

    fn proved_with(&self, hints: &Hints) -> bool {
        check(&self.wasm, &self.elf(hints), Checks::All).is_ok_and(|report| report.proved())
    }

    /// The same with one bit of code flipped, if a concrete run shows that it is wrong now.
    fn damaged(&self, random: &mut Random) -> Option<Compiled> {
        let mut damaged = self.clone();
        let count = damaged.program.functions.len() as u64;
        let function = &mut damaged.program.functions[random.below(count) as usize];
        let at = random.below(function.code.len() as u64) as usize;
        function.code[at] ^= 1 << random.below(8);
        let report = check(&damaged.wasm, &damaged.elf(&damaged.hints), Checks::All).ok()?;
        report.refuted().then_some(damaged)
    }
}

#[test]
fn no_hints_make_wrong_code_proved() {
    let modules: Vec<Compiled> = MODULES.iter().map(|wat| Compiled::new(wat)).collect();
    let donors: Vec<FunctionHints> = modules.iter().flat_map(|module| module.hints.functions.clone()).collect();
    let mut random = Random::new(0x5eed);
    let mut tried = 0;
    for module in &modules {
        assert!(module.proved_with(&module.hints), "the accepted file is not Proved");
        let wrong: Vec<Compiled> = (0..24).filter_map(|_| module.damaged(&mut random)).take(5).collect();
        assert!(!wrong.is_empty(), "no damage is shown wrong");
        for wrong in &wrong {
            for _ in 0..10 {
                let mut hints = wrong.hints.clone();
                for _ in 0..=random.below(3) {
                    hints = changed(&hints, &donors, &mut random).map_or(hints, |(_, changed)| changed);
                }
                assert!(!wrong.proved_with(&hints), "hints make wrong code Proved:\n{}", codec::to_text(&hints));
                tried += 1;
            }
        }
    }
    println!("{tried} sets of hints, none of which makes wrong code Proved");
}

#[test]
fn no_hints_make_the_validator_panic() {
    let modules: Vec<Compiled> = MODULES.iter().map(|wat| Compiled::new(wat)).collect();
    let donors: Vec<FunctionHints> = modules.iter().flat_map(|module| module.hints.functions.clone()).collect();
    let mut random = Random::new(7);
    for module in &modules {
        for _ in 0..20 {
            let mut hints = module.hints.clone();
            for _ in 0..=random.below(6) {
                hints = changed(&hints, &donors, &mut random).map_or(hints, |(_, changed)| changed);
            }
            let _ = module.proved_with(&hints);
        }
        for _ in 0..60 {
            let mut bytes = codec::encode(&module.hints);
            for _ in 0..=random.below(3) {
                // The module's name and hash stay: other checks refuse those at once.
                let at = 48 + random.below(bytes.len() as u64 - 48) as usize;
                bytes[at] = random.word() as u8;
            }
            let program = Program { hints: bytes, ..module.program.clone() };
            let elf = object(&program, Config::default().cpu).unwrap();
            let _ = check(&module.wasm, &elf, Checks::All);
        }
    }
}
