//! Small modules whose files are damaged, and what they are compiled to.

use synth::config::{Config, OptLevel};
use synth::elf::program::Program;
use synth::elf::{self, ImageOptions, Imports};
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};
use synth_verify::hints::{Hints, codec};

use crate::oracle::STACK_BYTES;

/// Memory and loops; stack arguments; globals, division and 64 bits; recursion; floats; tables.
pub const MODULES: [&str; 6] = [
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
    r#"(module
      (table 4 4 funcref) (elem (i32.const 1) $twice $less)
      (func $twice (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
      (func $less (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)))
      (func (export "f") (param i32 i32) (result i32)
        (block $a (block $b (block $c (br_table $a $b $c (local.get 1))) (return (i32.const 3)))
          (return (call_indirect (param i32) (result i32) (local.get 0) (local.get 1))))
        (i32.add (local.get 0) (i32.const 70000))))"#,
];

/// A module with its code and hints.
#[derive(Clone)]
pub struct Compiled {
    /// The module.
    pub wasm: Vec<u8>,
    /// The code.
    pub program: Program,
    /// What the compiler says of it.
    pub hints: Hints,
}

/// All modules, compiled.
pub fn all() -> Vec<Compiled> {
    MODULES.iter().map(|text| Compiled::new(text)).collect()
}

impl Compiled {
    /// Compiles the text of a module.
    ///
    /// # Panics
    /// It is none, or not supported.
    pub fn new(text: &str) -> Compiled {
        let wasm = wat::parse_str(text).expect("the text of a module");
        let config = Config { opt_level: OptLevel::O2, ..Config::default() };
        let output = synth::compile(&wasm, &config, &mut NoTap).expect("a supported module");
        Compiled { wasm, program: output.program, hints: output.hints }
    }

    /// The object with these hints instead of its own.
    pub fn elf(&self, hints: &Hints) -> Vec<u8> {
        self.elf_of(codec::encode(hints))
    }

    /// The object with these bytes as hints.
    ///
    /// # Panics
    /// They are too many for a file.
    pub fn elf_of(&self, hints: Vec<u8>) -> Vec<u8> {
        let program = Program { hints, ..self.program.clone() };
        elf::object(&program, Config::default().cpu).expect("a small file")
    }

    /// The image, with its own hints.
    ///
    /// # Panics
    /// It is larger than the board.
    pub fn image(&self) -> Vec<u8> {
        let cpu = Config::default().cpu;
        let options = ImageOptions { imports: Imports::Stubbed, stack_bytes: STACK_BYTES, ..ImageOptions::of(cpu) };
        elf::image(&self.program, cpu, options).expect("a small image")
    }

    /// Whether an object of this module is proved.
    pub fn proves(&self, elf: &[u8]) -> bool {
        check(&self.wasm, elf, Checks::All).is_ok_and(|report| report.proved())
    }

    /// The same with one bit of code flipped, if a concrete run shows that it is wrong now.
    pub fn damaged(&self, function: usize, bit: usize) -> Option<Compiled> {
        let mut damaged = self.clone();
        let code = &mut damaged.program.functions[function].code;
        code[bit / 8] ^= 1 << (bit % 8);
        let report = check(&damaged.wasm, &damaged.elf(&damaged.hints), Checks::All).ok()?;
        report.refuted().then_some(damaged)
    }
}
