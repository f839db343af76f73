//! Machine code run beside Wasm: the search for a difference, and instantiation.
//!
//! Each test has code that is right, and damages of it that must be found.

#[expect(dead_code, reason = "what twins need is used by the tests of cases")]
mod support;

use support::{Case, INIT, parse};
use synth_verify::concrete::bound::Bound;
use synth_verify::concrete::init::{self, Known};
use synth_verify::concrete::load;
use synth_verify::elf::Elf;
use synth_verify::hints::codec;
use synth_verify::program;
use synth_verify::replay;
use synth_verify::verdict::Counterexample;
use synth_verify::wasm::module;

const COUNTER: &str = r#"
[wat]
(module (memory 1) (data (i32.const 8) "a")
  (global $total (mut i32) (i32.const 7))
  (start $start)
  (func (export "f") (param i32) (result i32)
    (global.set $total (i32.add (global.get $total) (local.get 0)))
    (i32.load8_u (local.get 0)))
  (func $start))
[code 0]
f240 0100 | | | reloc=movw:instance # movw r1, #:lower16:instance
f2c0 0100 | | | reloc=movt:instance # movt r1, #:upper16:instance
680a      # ldr r2, [r1]
4402      # add r2, r0
600a      # str r2, [r1]
f5b0 3f80 # cmp.w r0, #65536
d205      # bhs trap
f240 0100 | | | reloc=movw:memory0 # movw r1, #:lower16:memory0
f2c0 0100 | | | reloc=movt:memory0 # movt r1, #:upper16:memory0
5c08      # ldrb r0, [r1, r0]
4770      # bx lr
dee1      # udf #0xe1
[code 1]
4770      # bx lr
[code init]
b510      # push {r4, lr}
f240 0000 | | | reloc=movw:memory0 # movw r0, #:lower16:memory0
f2c0 0000 | | | reloc=movt:memory0 # movt r0, #:upper16:memory0
2200      # movs r2, #0
f44f 3180 # mov.w r1, #65536
f840 2b04 # str.w r2, [r0], #4
3904      # subs r1, #4
d1fb      # bne
f240 0000 | | | reloc=movw:memory0 # movw r0, #:lower16:memory0
f2c0 0000 | | | reloc=movt:memory0 # movt r0, #:upper16:memory0
2161      # movs r1, #'a'
7201      # strb r1, [r0, #8]
f240 0000 | | | reloc=movw:instance # movw r0, #:lower16:instance
f2c0 0000 | | | reloc=movt:instance # movt r0, #:upper16:instance
2107      # movs r1, #7
6001      # str r1, [r0]
f7ff ffe4 # bl start
bd10      # pop {r4, pc}
"#;

/// The case with some bytes of a function replaced.
fn damaged(case: &Case, function: u32, at: usize, old: &[u16], new: &[u16]) -> Case {
    let mut case = case.clone();
    let bytes = |halves: &[u16]| -> Vec<u8> { halves.iter().flat_map(|half| half.to_le_bytes()).collect() };
    let code = case.functions.get_mut(&function).expect("the function is there");
    let (old, new) = (bytes(old), bytes(new));
    assert_eq!(&code.bytes[at..at + old.len()], old.as_slice());
    code.bytes[at..at + new.len()].copy_from_slice(&new);
    case
}

fn with_bound<T>(case: &Case, then: impl FnOnce(&Bound<'_>, &Elf<'_>) -> T) -> T {
    let module = module::read(&case.wasm).expect("within scope");
    let bytes = case.elf();
    let elf = Elf::read(&bytes).expect("readable");
    let (_, section) = elf.section(".synth.hints").expect("hints");
    let hints = codec::decode(elf.bytes(section)).expect("hints");
    let program = program::bind(&elf, &module, &hints).expect("bound");
    let bound = Bound::new(&module, &program, &elf, &hints.module_name).expect("loaded");
    then(&bound, &elf)
}

fn differ(case: &Case, function: u32) -> Option<Counterexample> {
    with_bound(case, |bound, _| {
        let found = replay::differ(bound, function, 60, 1)?;
        let again = replay::run(bound, function, found.seed);
        assert_eq!(again.as_ref(), Some(&found), "a counterexample can be run again");
        Some(found)
    })
}

fn expect_difference(case: &Case, words: &str) {
    let found = differ(case, 0).expect("a difference");
    assert!(found.machine.contains(words), "{found:?}");
}

fn init_findings(case: &Case) -> Vec<String> {
    with_bound(case, |bound, elf| {
        let checked = init::check(bound, elf, Known { frames: None, start_bytes: 0 });
        assert_eq!(checked.obligations > 0, checked.findings.is_empty());
        checked.findings.into_iter().map(|finding| finding.message).collect()
    })
}

fn expect_finding(case: &Case, words: &str) {
    let found = init_findings(case);
    assert!(found.iter().any(|message| message.contains(words)), "{found:?}");
}

#[test]
fn right_code_does_not_differ() {
    assert_eq!(differ(&parse(COUNTER), 0), None);
    assert_eq!(differ(&parse(COUNTER), 1), None);
}

#[test]
fn wrong_code_differs() {
    let case = parse(COUNTER);
    // The sum becomes a difference.
    expect_difference(&damaged(&case, 0, 0xa, &[0x4402], &[0x1a12]), "global 0");
    // The sum is not stored.
    expect_difference(&damaged(&case, 0, 0xc, &[0x600a], &[0xbf00]), "global 0");
    // The bound is off by one.
    expect_difference(&damaged(&case, 0, 0x12, &[0xd205], &[0xd805]), "a load");
    // The bound check traps always.
    expect_difference(&damaged(&case, 0, 0x12, &[0xd205], &[0xe005]), "traps");
    // The trap has another code.
    expect_difference(&damaged(&case, 0, 0x20, &[0xdee1], &[0xdee0]), "unreachable");
    // The byte is loaded with its sign.
    expect_difference(&damaged(&case, 0, 0x1c, &[0x5c08], &[0x5608]), "returns 0xffffff");
    // The result is in another register.
    expect_difference(&damaged(&case, 0, 0x1c, &[0x5c08], &[0x5c0b]), "returns");
    // A callee-saved register is changed.
    expect_difference(&damaged(&case, 0, 0x1c, &[0x5c08], &[0x5c0c]), "r4");
}

const FILL: &str = r#"
[wat]
(module (import "env" "next" (func $next (param i32) (result i32))) (memory 1)
  (func (export "f") (param i32)
    (i32.store8 (i32.and (local.get 0) (i32.const 7)) (call $next (local.get 0)))))
[code 1]
b510      # push {r4, lr}
f000 0407 # and r4, r0, #7
f7ff fffe | | | reloc=call:env_next # bl env_next
f240 0100 | | | reloc=movw:memory0 # movw r1, #:lower16:memory0
f2c0 0100 | | | reloc=movt:memory0 # movt r1, #:upper16:memory0
5508      # strb r0, [r1, r4]
bd10      # pop {r4, pc}
[code init]
4770      # bx lr
"#;

#[test]
fn stores_and_host_calls_are_compared() {
    let case = parse(FILL);
    assert_eq!(differ(&case, 1), None);
    let expect = |at, old: &[u16], new: &[u16], words: &str| {
        let found = differ(&damaged(&case, 1, at, old, new), 1).expect("a difference");
        assert!(found.machine.contains(words), "{found:?}");
    };
    // Two bytes are stored, or none.
    expect(0x12, &[0x5508], &[0x5308], "of memory 0 is");
    expect(0x12, &[0x5508], &[0xbf00], "of memory 0 is");
    // The import gets another argument.
    expect(0x2, &[0xf000, 0x0407], &[0xf000, 0x0007], "");
    // The address is kept where the call destroys it: and r2, r0, #7; strb r0, [r1, r2].
    let lost = damaged(&case, 1, 0x2, &[0xf000, 0x0407], &[0xf000, 0x0207]);
    let lost = damaged(&lost, 1, 0x12, &[0x5508], &[0x5488]);
    let found = differ(&lost, 1).expect("a difference");
    assert!(found.machine.contains("a store at poison"), "{found:?}");
}

#[test]
fn a_relocated_call_goes_to_the_start_of_a_function() {
    let case = parse(FILL);
    // An addend of 0 instead of -4: the call would enter the import behind its first instruction.
    for wrong in [[0xf000, 0xf800], [0xbf00, 0xbf00]] {
        let bytes = damaged(&case, 1, 0x6, &[0xf7ff, 0xfffe], &wrong).elf();
        let elf = Elf::read(&bytes).expect("readable");
        let refused = load::run(&elf).expect_err("refused");
        assert!(refused.to_string().contains("a relocated call"), "{refused}");
    }
}

#[test]
fn the_init_function_instantiates() {
    assert_eq!(init_findings(&parse(COUNTER)), Vec::<String>::new());
}

#[test]
fn a_wrong_init_function_is_found() {
    let case = parse(COUNTER);
    // Another byte of data, at another place, or none.
    expect_finding(&damaged(&case, INIT, 0x20, &[0x2161], &[0x2162]), "byte 0x8 of memory 0");
    expect_finding(&damaged(&case, INIT, 0x22, &[0x7201], &[0x7241]), "byte 0x8 of memory 0");
    expect_finding(&damaged(&case, INIT, 0x22, &[0x7201], &[0xbf00]), "byte 0x8 of memory 0");
    // Memory is cleared with something else, not to its end, or beyond.
    expect_finding(&damaged(&case, INIT, 0xa, &[0x2200], &[0x2201]), "byte 0x0 of memory 0");
    expect_finding(&damaged(&case, INIT, 0xc, &[0xf44f, 0x3180], &[0xf64f, 0x71fc]), "no integer");
    expect_finding(&damaged(&case, INIT, 0xc, &[0xf44f, 0x3180], &[0xf44f, 0x3181]), "a store");
    // The global has another value, or none.
    expect_finding(&damaged(&case, INIT, 0x2c, &[0x2107], &[0x2108]), "global 0");
    expect_finding(&damaged(&case, INIT, 0x2e, &[0x6001], &[0xbf00]), "global 0 is poison");
    // The start function is not called, or before the state is complete: then the rest comes too late.
    expect_finding(&damaged(&case, INIT, 0x30, &[0xf7ff, 0xffe4], &[0xbf00, 0xbf00]), "0 calls of the start function");
    let cells = "f240 0000 | | | reloc=movw:instance";
    let early = COUNTER.replace("f7ff ffe4 # bl start\n", "");
    let early = early.replace(cells, &format!("f7ff ffea # bl start\n{cells}"));
    expect_finding(&parse(&early), "cells are written behind a pause");
    // It traps at its end, although Wasm does not.
    expect_finding(&damaged(&case, INIT, 0x34, &[0xbd10], &[0xdee1]), "it ends with Trapped");
}

#[test]
fn a_segment_outside_traps() {
    let wat = "[wat]\n(module (memory 0) (data (i32.const 0) \"a\"))\n[code init]\n";
    let trapping = parse(&format!("{wat}dee1\n4770\n"));
    assert_eq!(init_findings(&trapping), Vec::<String>::new());
    expect_finding(&parse(&format!("{wat}4770\n")), "it does not trap where segments lie outside");
    expect_finding(&parse(&format!("{wat}dee4\n4770\n")), "it ends with Trapped");
    expect_finding(&parse(&format!("{wat}dee1\ndee1\n4770\n")), "it ends with Trapped");
    expect_finding(&parse(&format!("{wat}dee1\n")), "a fetch");
}
