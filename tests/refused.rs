//! What is refused: damaged modules, damaged files, places that cannot be written.
//!
//! Each ends with the documented exit code and a message, writes nothing, and never panics.

use std::path::Path;
use std::process::{Command, Output};

use object::{Object, ObjectSection};
use sha2::{Digest, Sha256};

use synth::config::Config;
use synth::elf;
use synth::stage::NoTap;
use synth::vcode::inst::Symbol;
use synth_verify::check::{Checks, check};
use synth_verify::hints::{Class, codec};
use synth_verify::verdict::{CheckError, Finding};

/// A loop over memory, a call, a global: every kind of hint.
const MODULE: &str = r#"(module
  (memory 1)
  (global $calls (mut i32) (i32.const 0))
  (func $weigh (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.mul (local.get 0) (i32.const 3)))
  (func (export "sum") (param i32 i32) (result i32) (local i32)
    (loop
      (local.set 2 (i32.add (local.get 2) (call $weigh (i32.load (local.get 0)))))
      (local.set 0 (i32.add (local.get 0) (i32.const 4)))
      (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    (local.get 2)))"#;

const ADD: &str = r#"(module (func (export "add") (param i32 i32) (result i32)
  (i32.add (local.get 0) (local.get 1))))"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn object_file(wasm: &[u8]) -> Vec<u8> {
    let config = Config::default();
    let output = synth::compile(wasm, &config, &mut NoTap).unwrap();
    elf::object(&output.program, config.cpu).unwrap()
}

/// Where a section's bytes lie in the file.
fn section(file: &[u8], name: &str) -> std::ops::Range<usize> {
    let parsed = object::File::parse(file).unwrap();
    let found = parsed.section_by_name(name).expect("the section is there");
    let (start, bytes) = found.file_range().expect("it has bytes");
    start as usize..(start + bytes) as usize
}

struct Place(tempfile::TempDir);

impl Place {
    /// A directory with a module, the object made from it, and a second pair.
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        for (name, text) in [("sum", MODULE), ("add", ADD)] {
            let wasm = wasm(text);
            place.put(&format!("{name}.o"), &object_file(&wasm));
            place.put(&format!("{name}.wasm"), &wasm);
        }
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.path()).unwrap().count()
    }

    fn synth(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_synth")).current_dir(self.path()).args(arguments).output().unwrap()
    }

    /// Runs a command that must be refused and leave the directory as it is.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], exit: i32, says: &str) {
        let before = self.files();
        let output = self.synth(arguments);
        let talk = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {talk}");
        assert!(talk.contains("error["), "{arguments:?}: {talk}");
        assert!(talk.contains(says), "{arguments:?}: {talk}");
        assert_eq!(self.files(), before, "{arguments:?} left a file");
    }
}

#[test]
fn a_wrong_module_leaves_the_output_as_it_was() {
    let place = Place::new();
    let whole = place.get("sum.wasm");
    place.put("cut.wasm", &whole[..whole.len() - 3]);
    place.put("garbage.wasm", b"\x7fELF or not");
    place.put("empty.wasm", b"");
    place.put("typed.wat", b"(module (func (result i32) (i64.const 1)))");
    place.put("vector.wat", b"(module (func (param v128)))");
    place.put("text.wat", b"(module (func");
    place.put("twice.wat", br#"(module (import "e" "f" (func (param i32))) (import "e" "f" (func)))"#);
    place.put("out.o", b"precious");
    for (input, says) in [
        ("cut.wasm", "error[invalid]"),
        ("garbage.wasm", "error[invalid]"),
        ("empty.wasm", "the file is empty"),
        ("typed.wat", "at typed.wat:1:10"),
        ("vector.wat", "error[unsupported]"),
        ("text.wat", "at text.wat:1:14"),
        ("twice.wat", "the import `e.f` is declared with two types"),
        ("sum.o", "error[invalid]"),
        ("none.wasm", "error[missing-file]"),
        (".", "error[cannot-read]"),
    ] {
        place.refuses(&["compile", input, "-o", "out.o"], 1, says);
        assert_eq!(place.get("out.o"), b"precious", "{input}");
    }
    place.refuses(&["explain", "alloc", "cut.wasm"], 1, "error[invalid]");
    place.refuses(&["run", "cut.wasm", "--invoke", "sum", "0", "1"], 1, "error[invalid]");
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("directory")).unwrap();
    for path in ["no/such/out.o", "directory", "sum.wasm/out.o"] {
        place.refuses(&["compile", "sum.wasm", "-o", path], 1, &format!("cannot write {path}"));
    }
    let emit = ["compile", "sum.wasm", "-o", "x.o", "--emit", "ir=no/ir.txt"];
    place.refuses(&emit, 1, "cannot write no/ir.txt");
    // It is found before the module is looked at.
    place.put("wrong.wasm", b"\0asm\x01\0\0\0\xff");
    place.refuses(&["compile", "wrong.wasm", "-o", "no/out.o"], 1, "cannot write no/out.o");
}

#[test]
fn a_file_that_is_not_the_modules_is_refused() {
    let place = Place::new();
    let whole = place.get("sum.o");
    place.put("garbage.o", &[0x5a; 4096]);
    place.put("empty.o", b"");
    place.put("cut.o", &whole[..whole.len() / 2]);
    let verify = |elf: &str, exit: i32, says: &str| {
        place.refuses(&["verify", "sum.wasm", elf], exit, says);
    };
    verify("add.o", 5, "error[other-module]");
    verify("garbage.o", 1, "error[invalid-elf]");
    verify("empty.o", 1, "error[invalid-elf]");
    verify("cut.o", 1, "error[invalid-elf]");
    verify("sum.wasm", 1, "error[invalid-elf]");
    verify("none.o", 1, "error[missing-file]");
    place.refuses(&["disasm", "garbage.o"], 1, "error[invalid-elf]");
    place.refuses(&["disasm", "cut.o"], 1, "error[invalid-elf]");
}

#[test]
fn hints_that_are_missing_or_changed_prove_nothing() {
    let place = Place::new();
    let whole = place.get("sum.o");
    let hints = section(&whole, ".synth.hints");

    let mut nameless = whole.clone();
    let name = nameless.windows(12).position(|w| w == b".synth.hints");
    nameless[name.unwrap() + 11] = b'x';
    place.put("nameless.o", &nameless);
    place.refuses(&["verify", "sum.wasm", "nameless.o"], 4, "error[hints]");

    let mut version = whole.clone();
    version[hints.start] ^= 0xff;
    place.put("version.o", &version);
    place.refuses(&["verify", "sum.wasm", "version.o"], 4, "error[hints]");

    // Some byte says where a value lies; changed, it costs the proof but can refute nothing.
    let module = place.get("sum.wasm");
    let unproved = hints.clone().rev().find_map(|at| {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let report = check(&module, &changed, Checks::All).ok()?;
        (!report.proved()).then_some(changed)
    });
    place.put("changed.o", &unproved.expect("some hint is needed"));
    place.refuses(&["verify", "sum.wasm", "changed.o"], 4, "error[unproved]");
}

#[test]
fn wrong_code_is_refuted_by_a_run() {
    let place = Place::new();
    let mut file = place.get("add.o");
    let code = section(&file, ".text.module");
    // adds r0, r0, r1 becomes subs r0, r0, r1 (DDI0403 A7.7.4, A7.7.175).
    let add = code.clone().find(|at| file[*at..*at + 2] == [0x40, 0x18]);
    file[add.expect("the addition") + 1] = 0x1a;
    place.put("wrong.o", &file);
    let verify = ["verify", "add.wasm", "wrong.o"];
    for says in ["error[refuted]", "Wasm: returns", "machine code: returns"] {
        place.refuses(&verify, 3, says);
    }
}

#[test]
fn no_prefix_of_a_module_is_compiled() {
    let whole = wasm(MODULE);
    for length in 0..whole.len() {
        // A module may end behind any section, so a prefix may be a smaller module.
        if synth::compile(&whole[..length], &Config::default(), &mut NoTap).is_ok() {
            let valid = wasmparser::validate(&whole[..length]);
            assert!(valid.is_ok(), "the first {length} bytes");
        }
    }
}

#[test]
fn no_prefix_of_a_file_is_proved() {
    let module = wasm(MODULE);
    let whole = object_file(&module);
    for length in 0..whole.len() {
        let proved = check(&module, &whole[..length], Checks::All).is_ok_and(|r| r.proved());
        assert!(!proved, "the first {length} bytes");
    }
}

/// A failing proof costs many replays, so damage to files is sampled. Odd, to meet every bit.
const STRIDE: usize = 11;

/// Changes one bit of every `stride`-th byte, another bit each time.
fn damaged(whole: &[u8], stride: usize) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..whole.len()).step_by(stride).map(|at| {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 1 << (at % 8);
        (at, bytes)
    })
}

#[test]
fn damage_to_the_module_is_no_panic() {
    let whole = wasm(MODULE);
    for (_, bytes) in damaged(&whole, 1) {
        let Ok(output) = synth::compile(&bytes, &Config::default(), &mut NoTap) else {
            continue;
        };
        // What still compiles is another valid module, or differs in a name.
        assert!(wasmparser::validate(&bytes).is_ok());
        assert!(elf::object(&output.program, Config::default().cpu).is_ok());
    }
}

#[test]
fn damage_to_the_hints_refutes_nothing() {
    let module = wasm(MODULE);
    let whole = object_file(&module);
    let hints = section(&whole, ".synth.hints");
    let mut unproved = 0;
    for (at, bytes) in damaged(&whole, STRIDE).filter(|(at, _)| hints.contains(at)) {
        match check(&module, &bytes, Checks::All) {
            Ok(report) => {
                assert!(!report.refuted(), "byte {at}");
                unproved += u32::from(!report.proved());
            }
            Err(CheckError::Hints(_) | CheckError::OtherModule(_)) => unproved += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(unproved > 0);
}

#[test]
fn damage_to_the_file_is_no_panic() {
    let module = wasm(MODULE);
    let whole = object_file(&module);
    let code = section(&whole, ".text.module");
    let mut accepted = Vec::new();
    for (at, bytes) in damaged(&whole, STRIDE) {
        let proved = check(&module, &bytes, Checks::All).is_ok_and(|report| report.proved());
        if proved && code.contains(&at) {
            accepted.push(at - code.start);
        }
    }
    assert!(accepted.is_empty(), "changed code is Proved at {accepted:?}");
}

/// A hundred bytes of Wasm can declare millions of locals.
#[test]
fn too_many_locals() {
    let body = [1, 1, 0xe8, 0xfe, 2, 0x7e, 0x20, 0, 0x0b].as_slice();
    let body = [&[body.len() as u8 - 1], &body[1..]].concat();
    let module = |functions: u8| {
        let code = [&[functions][..], &body.repeat(functions.into())].concat();
        let length = [code.len() as u8 & 0x7f | 0x80, (code.len() >> 7) as u8];
        let head = b"\0asm\x01\0\0\0\x01\x06\x01\x60\x01\x7f\x01\x7f\x03";
        let types = [&[functions + 1, functions][..], &vec![0; functions.into()], &[10]].concat();
        [&head[..], &types, &length, &code].concat()
    };
    let compiled = |wasm: &[u8]| synth::compile(wasm, &Config::default(), &mut NoTap).map(|_| ());
    assert_eq!(compiled(&module(2)), Ok(()));
    let many = module(100);
    assert!(compiled(&many).unwrap_err().to_string().contains("the functions have more than 4194304 locals"));
    let error = check(&many, &object_file(&wasm(ADD)), Checks::All).unwrap_err();
    assert!(error.to_string().contains("a module with so many locals"), "{error}");
}

/// A module that divides, and one that differs from it in the operator alone.
const DIVIDES: [&str; 2] = ["i64.div_u", "i64.rem_u"];

fn dividing(operator: &str) -> Vec<u8> {
    wasm(&format!(
        "(module (func (export \"f\") (param i64 i64) (result i64) ({operator} (local.get 0) (local.get 1))))"
    ))
}

#[test]
fn a_function_of_the_runtime_is_its_own_operator_only() {
    let [quotient, rest] = DIVIDES.map(dividing);
    let file = object_file(&quotient);
    let report = check(&quotient, &file, Checks::All).expect("the file is readable");
    assert!(report.proved());
    assert!(
        report
            .assumptions
            .iter()
            .any(|line| line.starts_with("each is the operator of its name: i64.div_u of the runtime"))
    );
    // The same file, said to be made from the other module.
    let hash = |wasm: &[u8]| <[u8; 32]>::from(Sha256::digest(wasm));
    let at = file.windows(32).position(|bytes| bytes == hash(&quotient)).expect("the hints hold the hash");
    let mut other = file;
    other[at..at + 32].copy_from_slice(&hash(&rest));
    let report = check(&rest, &other, Checks::All).expect("the file is readable");
    assert!(!report.proved());
    let findings: Vec<&str> = report.functions.iter().flat_map(|f| &f.findings).map(|f| f.message.as_str()).collect();
    assert!(findings.iter().any(|message| message.contains("the result differs from Wasm's")), "{findings:?}");
}

#[test]
fn a_runtime_of_other_bytes_is_not_believed() {
    let module = dividing(DIVIDES[0]);
    let mut file = object_file(&module);
    let last = section(&file, ".synth.runtime").end - 1;
    file[last] ^= 1;
    let report = check(&module, &file, Checks::All).expect("the file is readable");
    assert!(!report.proved());
    assert!(report.findings.iter().any(|finding| finding.message.contains("is not known")), "{:?}", report.findings);
}

/// What a label calls a copy must be shown to be one, and behind a call nothing is.
#[test]
fn a_call_is_no_copy() {
    let wasm = wasm(
        r#"(module (func $g (result i32) (i32.const 7))
      (func (export "f") (result i32) (i32.add (call $g) (i32.const 1))))"#,
    );
    let config = Config::default();
    for (class, is_proved) in [(None, true), (Some(Class::Remat), false), (Some(Class::Reload), false)] {
        let mut output = synth::compile(&wasm, &config, &mut NoTap).unwrap();
        let labels = &mut output.hints.functions[1].labels;
        let call = labels.iter_mut().find(|label| label.class == Class::Direct && label.reads.is_empty());
        let call = call.expect("the call reads nothing");
        call.class = class.unwrap_or(call.class);
        output.program.hints = codec::encode(&output.hints);
        let object = elf::object(&output.program, config.cpu).unwrap();
        let report = check(&wasm, &object, Checks::All).unwrap();
        let says = |words: &str| report.functions[1].findings.iter().any(|finding| finding.message.contains(words));
        assert_eq!(report.proved(), is_proved, "{class:?}: {:?}", report.functions[1].findings);
        assert_eq!(says("a call is labelled as a copy"), !is_proved, "{class:?}");
    }
}

/// A segment lies among constants: what is written there, the same byte too, is no store to memory.
#[test]
fn a_data_segment_is_not_written() {
    let wasm = wasm(
        r#"(module (memory 1) (data "abcdefgh")
      (func (export "g") (param i32) (i32.store (i32.const 0) (local.get 0)))
      (func (export "f") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 8))))"#,
    );
    let config = Config::default();
    let mut output = synth::compile(&wasm, &config, &mut NoTap).unwrap();
    let judgement = |program: &elf::program::Program| {
        check(&wasm, &elf::object(program, config.cpu).unwrap(), Checks::All).unwrap()
    };
    assert!(judgement(&output.program).proved());
    let store = &mut output.program.functions[0].relocations;
    let of_memory = store.iter_mut().filter(|found| found.symbol == Symbol::Memory(0));
    of_memory.for_each(|found| found.symbol = Symbol::Memory(1));
    let report = judgement(&output.program);
    let said = |finding: &Finding| finding.message.contains("a data segment is written");
    assert!(report.functions[0].findings.iter().any(said), "{:?}", report.functions[0].findings);
}
