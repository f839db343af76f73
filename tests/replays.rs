//! Published miscompiles that need a large function: code as the compiler makes it, changed to what a number that is
//! cut off would have made of it. The short ones are cases, `verify/tests/cases/replay-*.case`.

use synth::config::Config;
use synth::elf::{self, program::Program};
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};
use synth_verify::hints::{FunctionHints, Hints};
use synth_verify::thumb::decode::decode;
use synth_verify::thumb::inst::{Address, Inst, Reg, Width};

/// A module that is Proved, with its code and hints.
struct Compiled {
    wasm: Vec<u8>,
    program: Program,
    hints: Hints,
}

impl Compiled {
    fn new(text: &str) -> Compiled {
        let wasm = wat::parse_str(text).expect("a module");
        let output = synth::compile(&wasm, &Config::default(), &mut NoTap).expect("it compiles");
        let compiled = Compiled { wasm, program: output.program, hints: output.hints };
        assert_eq!(compiled.judgement(), "");
        compiled
    }

    fn code(&mut self) -> &mut Vec<u8> {
        &mut self.program.functions[0].code
    }

    fn own_hints(&self) -> &FunctionHints {
        &self.hints.functions[0]
    }

    /// Each instruction of the first function, with its offset.
    fn instructions(&self) -> Vec<(usize, Inst)> {
        let code = &self.program.functions[0].code;
        let labels = self.own_hints().labels.iter().map(|label| label.at as usize);
        labels.map(|at| (at, decode(&code[at..], 0).expect("an instruction").0)).collect()
    }

    fn set(&mut self, at: usize, halves: &[u16]) {
        for (index, half) in halves.iter().enumerate() {
            self.code()[at + 2 * index..][..2].copy_from_slice(&half.to_le_bytes());
        }
    }

    /// What the validator says of the first function; nothing if all is Proved.
    fn judgement(&self) -> String {
        let object = elf::object(&self.program, Config::default().cpu).unwrap();
        let report = check(&self.wasm, &object, Checks::All).expect("a judgement");
        if report.proved() {
            return String::new();
        }
        let said: Vec<&str> = report.functions[0].findings.iter().map(|finding| finding.message.as_str()).collect();
        format!("refused: {}", said.join("; "))
    }

    #[track_caller]
    fn refuses(&self, words: &str) {
        let said = self.judgement();
        assert!(said.contains(words), "{words:?} expected: {said:?}");
    }
}

/// A `br_table` of so many targets, each of which returns a number of its own.
fn table(targets: usize) -> Compiled {
    let open = "(block ".repeat(targets + 1);
    let entries: Vec<String> = (0..targets).map(|depth| depth.to_string()).collect();
    let bodies: String = (0..=targets).map(|block| format!(") (return (i32.const {}))", 7 * block + 1)).collect();
    Compiled::new(&format!(
        "(module (func (export \"f\") (param i32) (result i32) {open} (br_table {} {targets} (local.get 0)) {bodies}
           (unreachable)))",
        entries.join(" ")
    ))
}

/// The jump table of a function: where it begins, and how wide its entries are.
fn jump_table(compiled: &Compiled) -> (usize, Width) {
    let tables = compiled.instructions().into_iter().filter_map(|(at, inst)| match inst {
        Inst::TableBranch { width, .. } => Some((at + 4, width)),
        _ => None,
    });
    tables.last().expect("a jump table")
}

/// The entries of a large table cut to bytes, and those of a small one as if it were read otherwise.
#[test]
fn a_large_jump_table_goes_elsewhere() {
    let mut large = table(300);
    let (at, width) = jump_table(&large);
    assert_eq!(width, Width::Half, "a table that bytes do not reach");
    let entries: Vec<u16> =
        (0..300).map(|entry| u16::from_le_bytes(large.code()[at + 2 * entry..][..2].try_into().unwrap())).collect();
    let far = entries.iter().position(|entry| *entry > 0xff).expect("a target further on than 510 bytes");
    for cut in [entries[far] & 0xff, entries[far] + 1, entries[(far + 1) % 300], 0xffff] {
        let mut damaged = table(300);
        damaged.set(at + 2 * far, &[cut]);
        damaged.refuses("refused: ");
    }
    // TBB where TBH is meant: every entry is half of one.
    large.set(at - 4, &[0xe8df]);
    let operand = u16::from_le_bytes(large.code()[at - 2..][..2].try_into().unwrap());
    large.set(at - 2, &[operand & !0x10]);
    large.refuses("refused: ");
    let small = table(20);
    let (at, width) = jump_table(&small);
    assert_eq!(width, Width::Byte);
    for entry in 0..20 {
        let mut damaged = table(20);
        damaged.code()[at + entry] ^= 0x80;
        damaged.refuses("refused: ");
    }
}

/// A branch over more than 2 KB whose offset loses the bits that a short branch does not have.
#[test]
fn a_far_branch_is_cut_off() {
    let stores: String =
        (0..600).map(|at| format!("(i32.store (i32.const {}) (local.get 1))", 8 * at)).collect::<Vec<_>>().concat();
    let mut compiled = Compiled::new(&format!(
        "(module (memory 1) (func (export \"f\") (param i32 i32)
           (if (local.get 0) (then {stores}) (else (i32.store (i32.const 4) (local.get 0))))))"
    ));
    let far = compiled.instructions().into_iter().find_map(|(at, inst)| match inst {
        Inst::Branch { offset } | Inst::BranchCond { offset, .. } if offset.abs() > 2048 => Some((at, inst, offset)),
        _ => None,
    });
    let (at, inst, offset) = far.expect("a branch that goes far");
    let short = offset & 0x7fe;
    let bits = |from: u32, count: u32| (short as u32 >> from & ((1 << count) - 1)) as u16;
    match inst {
        // B.W, encodings T4 and T3 (DDI0403, A7.7.12), of a positive offset.
        Inst::Branch { .. } => compiled.set(at, &[0xf000 | bits(12, 10), 0xb800 | bits(1, 11)]),
        Inst::BranchCond { cond, .. } => {
            compiled.set(at, &[0xf000 | (cond as u16) << 6 | bits(12, 6), 0x8000 | bits(1, 11)]);
        }
        _ => unreachable!("it was just found"),
    }
    let (cut, _) = decode(&compiled.code()[at..], 0).unwrap();
    let offset_of = |inst: &Inst| match inst {
        Inst::Branch { offset } | Inst::BranchCond { offset, .. } => *offset,
        other => panic!("{other} is no branch"),
    };
    assert_eq!(offset_of(&cut), short);
    compiled.refuses("refused: ");
}

/// A slot whose number loses the bits above the eighth.
#[test]
fn a_far_slot_is_cut_off() {
    let calls = "call $h ".repeat(300);
    let adds = "i64.add ".repeat(299);
    let mut compiled = Compiled::new(&format!(
        "(module (import \"h\" \"f\" (func $h (result i64))) (func (export \"f\") (result i64) {calls} {adds}))"
    ));
    let far = compiled.instructions().into_iter().find_map(|(at, inst)| match inst {
        Inst::Load { address: Address::Offset { n: Reg::SP, offset }, .. } if offset >= 1024 => Some((at, offset)),
        _ => None,
    });
    let (at, offset) = far.expect("a slot that is far from SP");
    let second = u16::from_le_bytes(compiled.code()[at + 2..][..2].try_into().unwrap());
    compiled.set(at + 2, &[second & 0xf000 | (offset as u16 & 0x3fc)]);
    compiled.refuses("the reload into");
}
