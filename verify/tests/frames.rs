//! Frame information: a table that agrees with the code is accepted, each damaged one is refused.

#[expect(dead_code, reason = "what twins need is used by the tests of cases")]
mod support;

use support::frames::Frames;
use support::{Case, INIT, parse, words_of};
use synth_verify::check::{Checks, check};

/// A function that saves r4 and LR around a call.
const CODE: &str = "
[wat]
(module (import \"host\" \"g\" (func $g (param i32) (result i32)))
  (func (export \"f\") (param i32) (result i32)
    (i32.add (local.get 0) (call $g (local.get 0)))))
[code 1]
frame 8
join entry 0 : r0 @r0 1
b510      | r4:@r4 lr:@lr -> [-8]:@r4 [-4]:@lr | frame      # push {r4, lr}
4604      | r0:1 -> r4:1 | move                             # mov r4, r0
f7ff fffe | r0:1 -> r0:2 | direct | reloc=call:host_g      # bl g
4420      | r0:2 r4:1 -> r0:3                               # add r0, r4
bd10      | [-8]:@r4 [-4]:@lr r0:3 -> r4:@r4 | frame        # pop {r4, pc}
[code init]
4770 | lr:@lr | frame
";

/// SP at entry is SP + 0 (DW_CFA_def_cfa).
const COMMON: [u8; 3] = [0x0c, 13, 0];

/// Behind the push: DW_CFA_advance_loc 1, DW_CFA_def_cfa_offset 8, r4 at -8, LR at -4 (DW_CFA_offset).
const GOOD: [u8; 7] = [0x41, 0x0e, 8, 0x84, 2, 0x8e, 1];

const BYTES: u32 = 12;

/// The entries of these functions and that of `m_init`.
fn case(mut entries: Vec<(u32, u32, Vec<u8>)>) -> Case {
    entries.push((INIT, 2, Vec::new()));
    with(entries)
}

fn with(entries: Vec<(u32, u32, Vec<u8>)>) -> Case {
    Case { frames: Some(Frames { common: COMMON.to_vec(), entries }), ..parse(CODE) }
}

fn refused(case: &Case, words: &str) {
    let report = check(&case.wasm, &case.elf(), Checks::All).expect("the file is readable");
    assert!(!report.proved(), "accepted, without {words:?}");
    assert!(words_of(&report).contains(words), "refused without {words:?}:\n{}", words_of(&report));
}

#[test]
fn a_table_that_agrees_is_accepted() {
    let case = case(vec![(1, BYTES, GOOD.to_vec())]);
    let report = check(&case.wasm, &case.elf(), Checks::All).expect("the file is readable");
    assert!(report.proved(), "{}", words_of(&report));
    assert!(report.assumptions.iter().all(|said| !said.contains("frame information")));
}

#[test]
fn a_file_without_a_table_says_so() {
    let case = parse(CODE);
    let report = check(&case.wasm, &case.elf(), Checks::All).expect("the file is readable");
    assert!(report.proved(), "{}", words_of(&report));
    assert!(report.assumptions.iter().any(|said| said.contains("no frame information")));
}

#[test]
fn damaged_tables_are_refused() {
    let at = |index: usize, byte: u8| {
        let mut damaged = GOOD;
        damaged[index] = byte;
        case(vec![(1, BYTES, damaged.to_vec())])
    };
    refused(&at(2, 16), "0x2 FrameInformation: the frame table says that SP was at SP+16, it was at SP+8");
    refused(&at(0, 0x42), "0x2 FrameInformation: the frame table says that SP was at SP+0, it was at SP+8");
    refused(&at(4, 1), "the caller's r4 is in stack word -4, it is in stack word -8");
    refused(&at(3, 0x85), "the caller's r5 is in stack word -8, it is in r5");
    // r4 still holds its own value at 0x2, not at 0x4.
    refused(
        &at(3, 0x85),
        "0x4 FrameInformation: the frame table says that the caller's r4 is in r4, it is in stack word -8",
    );
    refused(&at(6, 2), "the caller's r14 is in stack word -8");
    refused(&at(3, 0x83), "a rule for register 3, which nobody preserves");
    // The rule of r4 is an expression of length 0 (DW_CFA_expression).
    let expression = [0x41, 0x0e, 8, 0x10, 4, 0, 0x8e, 1].to_vec();
    refused(&case(vec![(1, BYTES, expression)]), "a rule for r4 that is not modelled");
    // No row behind the push.
    refused(&case(vec![(1, BYTES, vec![])]), "SP was at SP+0, it was at SP+8");
}

#[test]
fn each_function_has_one_whole_entry() {
    refused(&case(vec![]), "the frame table has no entry for the function");
    refused(&case(vec![(1, BYTES - 2, GOOD.to_vec())]), "does not have the function's addresses");
    let entry = (1, BYTES, GOOD.to_vec());
    refused(&case(vec![entry.clone(), entry]), "several entries of the frame table");
}

/// `m_init` with a frame: push {r4, lr}; movs r4, #0; pop {r4, pc}.
#[test]
fn instantiation_has_one_true_entry() {
    let framed = |entry: Option<Vec<u8>>| {
        let mut entries = vec![(1, BYTES, GOOD.to_vec())];
        entries.extend(entry.map(|entry| (INIT, 6, entry)));
        let mut case = with(entries);
        case.functions.get_mut(&INIT).unwrap().bytes = vec![0x10, 0xb5, 0x00, 0x24, 0x10, 0xbd];
        case
    };
    let good = framed(Some(GOOD.to_vec()));
    let report = check(&good.wasm, &good.elf(), Checks::All).expect("the file is readable");
    assert!(report.proved(), "{}", words_of(&report));
    assert_eq!(report.init_stack_bytes, 8);
    refused(&framed(None), "the frame table has no entry for the function");
    refused(&framed(Some(Vec::new())), "the frame table says that SP was at SP+0, it was at SP+8");
    let mut damaged = GOOD;
    damaged[4] = 1;
    refused(&framed(Some(damaged.to_vec())), "the caller's r4 is in stack word -4, it is in stack word -8");
    // r4 is still itself behind the push, but no longer behind the move.
    refused(&framed(Some(vec![0x41, 0x0e, 8, 0x8e, 1])), "the caller's r4 is in r4, it is in stack word -8");
}

#[test]
fn a_table_that_cannot_be_read_is_refused() {
    // An instruction there is not.
    refused(&case(vec![(1, BYTES, vec![0x3f])]), "file: FrameInformation: .debug_frame");
}
