//! Decoder and semantics against QEMU's Cortex-M7: the same instruction from the same registers,
//! flags and memory must leave the same.
//!
//! Equally many encodings of each kind of instruction, from a fixed sample, alone and in an IT
//! block of one. Left out: branches, system instructions, literal loads, and what uses SP; their
//! values are worked out by hand in `step`. Without QEMU the test says that it is skipped, and
//! fails in CI.

#[path = "../../../tests/support/tools.rs"]
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::operands::{Sequence, sample};
use super::plain::Plain;
use crate::thumb::float::FloatInst;
use crate::thumb::inst::{Address, Cond, Inst, MultipleMode, Reg, Width};
use crate::thumb::operands::operands;
use crate::thumb::sem::{Alignment, Flags, Machine, step};

const SCRATCH: u32 = 0x2001_0000;
const SCRATCH_WORDS: u32 = 64;
const RECORDS: u32 = 0x1_0000;
const CAPTURE: u32 = 0x1c0;
const RECORD_BYTES: u32 = 200;
const CASES: usize = 16_000;
const RESULT_WORDS: usize = 48 + SCRATCH_WORDS as usize;

struct Case {
    bytes: Vec<u8>,
    inst: Inst,
    condition: Option<Cond>,
    /// The machine before, and where the code lies.
    before: Plain,
    at: u32,
}

fn is_comparable(inst: &Inst) -> bool {
    let used = operands(inst, None);
    if used.reads.union(used.writes).contains(Reg::SP) {
        return false;
    }
    match inst {
        Inst::Branch { .. }
        | Inst::BranchCond { .. }
        | Inst::CompareBranch { .. }
        | Inst::BranchLink { .. }
        | Inst::BranchLinkReg { .. }
        | Inst::BranchReg { .. }
        | Inst::TableBranch { .. }
        | Inst::It { .. }
        | Inst::Udf { .. }
        | Inst::System(_) => false,
        Inst::Load { t, address, .. } => *t != Reg::PC && !matches!(address, Address::Literal { .. }),
        Inst::LoadDual { address, .. } => !matches!(address, Address::Literal { .. }),
        Inst::LoadMultiple { registers, .. } => !registers.contains(Reg::PC),
        Inst::Float(FloatInst::Load { address, .. }) => !matches!(address, Address::Literal { .. }),
        _ => true,
    }
}

/// The name of its variant; of the floating-point unit, of that instruction's or operator's.
fn kind(inst: &Inst) -> String {
    let text = match inst {
        Inst::Float(FloatInst::Compute { op, .. }) => format!("F{op:?}"),
        Inst::Float(inst) => format!("F{inst:?}"),
        inst => format!("{inst:?}"),
    };
    let end = text.find([' ', '(']).unwrap_or(text.len());
    text[..end].to_owned()
}

fn float_word(sequence: &mut Sequence) -> u32 {
    const BOUNDARY: [u32; 14] = [
        0,
        0x8000_0000,
        0x3f80_0000,
        0xbfc0_0000,
        0x3ff0_0000,
        0x41e0_0000,
        0x7ff0_0000,
        0x7ff8_0000,
        0x7f80_0000,
        0x7fc0_0000,
        0x7f80_0001,
        0x4f00_0000,
        0x0000_0001,
        0xffff_ffff,
    ];
    match sequence.next() % 3 {
        0 => BOUNDARY[sequence.next() as usize % BOUNDARY.len()],
        1 => 0x3f00_0000 + (sequence.next() & 0x00ff_ffff),
        _ => sequence.next(),
    }
}

fn word(sequence: &mut Sequence) -> u32 {
    const BOUNDARY: [u32; 10] = [0, 1, 2, 0x1f, 0x20, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
    match sequence.next() % 3 {
        0 => BOUNDARY[sequence.next() as usize % BOUNDARY.len()],
        1 => sequence.next() & 0xff,
        _ => sequence.next(),
    }
}

/// Sets the base, and the index, so that the access lies in the scratch memory.
fn aim(machine: &mut Plain, inst: &Inst, sequence: &mut Sequence) {
    let middle = SCRATCH + 2 * SCRATCH_WORDS;
    let set = |machine: &mut Plain, register: Reg, value: u32| {
        machine.registers[usize::from(register.number())] = value;
    };
    match *inst {
        Inst::Load { address, .. } | Inst::Store { address, .. } => match address {
            Address::Offset { n, offset } | Address::PreIndex { n, offset } => {
                let target = middle + sequence.next() % 8;
                set(machine, n, target.wrapping_add_signed(-offset));
            }
            Address::PostIndex { n, .. } => set(machine, n, middle + sequence.next() % 8),
            Address::Index { n, m, shift } if n == m => {
                // base + (base << shift) = target, for a shift of 0 only approximately.
                let target = middle & !7;
                set(machine, n, target / (1 + (1 << shift)));
            }
            Address::Index { n, m, shift } => {
                let index = sequence.next();
                set(machine, m, index);
                set(machine, n, middle.wrapping_sub(index << shift));
            }
            Address::Literal { .. } => {}
        },
        Inst::LoadDual { address, .. } | Inst::StoreDual { address, .. } => match address {
            Address::Offset { n, offset } | Address::PreIndex { n, offset } => {
                set(machine, n, middle.wrapping_add_signed(-offset));
            }
            Address::PostIndex { n, .. } => set(machine, n, middle),
            Address::Index { .. } | Address::Literal { .. } => {}
        },
        Inst::Float(FloatInst::Load { address, .. } | FloatInst::Store { address, .. }) => {
            if let Address::Offset { n, offset } = address {
                set(machine, n, middle.wrapping_add_signed(-offset));
            }
        }
        Inst::LoadMultiple { n, mode, .. }
        | Inst::StoreMultiple { n, mode, .. }
        | Inst::Float(FloatInst::LoadMultiple { n, mode, .. } | FloatInst::StoreMultiple { n, mode, .. }) => {
            let start = match mode {
                MultipleMode::IncrementAfter => SCRATCH + 4 * (sequence.next() % 32),
                MultipleMode::DecrementBefore => middle + 4 * (sequence.next() % 32),
            };
            set(machine, n, start);
        }
        _ => {}
    }
}

fn cases() -> Vec<Case> {
    let mut sequence = Sequence::new(11);
    let mut kinds: BTreeMap<String, Vec<(Vec<u8>, Inst)>> = BTreeMap::new();
    for (bytes, inst) in sample() {
        if is_comparable(&inst) {
            kinds.entry(kind(&inst)).or_default().push((bytes, inst));
        }
    }
    let kinds: Vec<_> = kinds.into_values().collect();
    let mut at = RECORDS + RECORD_BYTES * (CASES as u32 + 1);
    let mut cases = Vec::new();
    for index in 0..CASES {
        let kind = &kinds[index % kinds.len()];
        let (bytes, inst) = &kind[sequence.next() as usize % kind.len()];
        let condition = sequence.next().is_multiple_of(3).then(|| Cond::ALL[sequence.next() as usize % 14]);
        let mut before = Plain::new();
        for register in 0..15 {
            before.registers[register] = word(&mut sequence);
        }
        before.registers[13] = 0x2000_1000;
        for register in 16..Reg::COUNT {
            before.registers[register] = float_word(&mut sequence);
        }
        aim(&mut before, inst, &mut sequence);
        let flags = sequence.next();
        before.flags = Flags::from_bits([0, 1, 2, 3].map(|bit| flags >> bit & 1 == 1));
        before.float_flags = Flags::from_bits([4, 5, 6, 7].map(|bit| flags >> bit & 1 == 1));
        for index in 0..SCRATCH_WORDS {
            let word = 0x89ab_cdef_u32.wrapping_add(index.wrapping_mul(0x0123_4567));
            before.put(SCRATCH + 4 * index, Width::Word, word);
        }
        let prefix = condition.map_or(Vec::new(), |cond| (0xbf08 | (cond as u16) << 4).to_le_bytes().to_vec());
        let at_inst = at + prefix.len() as u32;
        let bytes: Vec<u8> = [prefix, bytes.clone()].concat();
        let case = Case { inst: *inst, condition, before, at: at_inst, bytes };
        if expected(&case).is_some() {
            at += (case.bytes.len() as u32 + 4 + 3) & !3;
            cases.push(case);
        }
    }
    cases
}

/// What the semantics leaves, unless it refuses.
fn expected(case: &Case) -> Option<Plain> {
    let mut machine = case.before.clone();
    if let Some(first) = case.condition {
        step(&mut machine, &Inst::It { first, mask: 8 }, case.at - 2, 2).ok()?;
    }
    let size = case.bytes.len() as u32 - if case.condition.is_some() { 2 } else { 0 };
    step(&mut machine, &case.inst, case.at, size).ok()?;
    Some(machine)
}

/// `B.W` from one address to another (encoding T4).
fn branch(from: u32, to: u32) -> [u8; 4] {
    let offset = to.wrapping_sub(from + 4);
    let [s, i1, i2] = [24, 23, 22].map(|bit| offset >> bit & 1);
    let first = 0xf000 | s << 10 | offset >> 12 & 0x3ff;
    let second = 0x9000 | (1 ^ i1 ^ s) << 13 | (1 ^ i2 ^ s) << 11 | offset >> 1 & 0x7ff;
    let [a, b] = [first, second].map(|half| (half as u16).to_le_bytes());
    [a[0], a[1], b[0], b[1]]
}

/// FPSCR.DN: then every NaN is the one that `crate::float` gives.
const DEFAULT_NAN: u32 = 1 << 25;

fn top_bits([n, z, c, v]: [bool; 4]) -> u32 {
    u32::from(n) << 31 | u32::from(z) << 30 | u32::from(c) << 29 | u32::from(v) << 28
}

fn image(harness: &[u8], cases: &[Case]) -> Vec<u8> {
    let mut image = harness.to_vec();
    let mut put = |at: u32, bytes: &[u8]| {
        let end = at as usize + bytes.len();
        if image.len() < end {
            image.resize(end, 0);
        }
        image[at as usize..end].copy_from_slice(bytes);
    };
    for (index, case) in cases.iter().enumerate() {
        let start = case.at - if case.condition.is_some() { 2 } else { 0 };
        let end = start + case.bytes.len() as u32;
        put(start, &case.bytes);
        put(end, &branch(end, CAPTURE));
        let mut before = case.before.clone();
        let mut record = vec![start | 1, top_bits(before.nzcv())];
        record.extend(&before.registers[..13]);
        record.push(before.registers[14]);
        record.extend(&before.registers[16..]);
        record.push(top_bits(before.float_nzcv()) | DEFAULT_NAN);
        let bytes: Vec<u8> = record.iter().flat_map(|word| word.to_le_bytes()).collect();
        put(RECORDS + RECORD_BYTES * index as u32, &bytes);
    }
    image
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().expect("it is installed");
    assert!(status.success(), "{command:?}");
}

/// The words that QEMU leaves. `None`: a tool is missing.
fn results(directory: &Path, cases: &[Case]) -> Option<Vec<u32>> {
    let file = |name: &str| -> PathBuf { directory.join(name) };
    std::fs::write(file("harness.s"), include_str!("harness.s")).expect("a writable directory");
    run(tools::llvm("llvm-mc")?
        .args(["--triple=thumbv7em-none-eabi", "--mcpu=cortex-m7", "--filetype=obj", "-o"])
        .args([file("harness.o"), file("harness.s")]));
    run(tools::llvm("llvm-objcopy")?
        .args(["-O", "binary", "-j", ".text"])
        .args([file("harness.o"), file("harness.bin")]));
    let harness = std::fs::read(file("harness.bin")).expect("the harness is assembled");
    std::fs::write(file("image.bin"), image(&harness, cases)).expect("a writable directory");
    run(tools::installed("qemu-system-arm")?
        .args(["-M", "mps2-an500", "-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel", "image.bin"])
        .current_dir(directory));
    let bytes = std::fs::read(file("results.bin")).expect("the run ends without an exception");
    Some(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
}

#[test]
fn steps_are_qemus() {
    let cases = cases();
    assert!(cases.len() > CASES * 9 / 10, "{}", cases.len());
    let directory = std::env::temp_dir().join(format!("thumb-qemu-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a writable temporary directory");
    let results = results(&directory, &cases);
    std::fs::remove_dir_all(&directory).expect("our own directory");
    let Some(results) = results else {
        return tools::skipped("steps_are_qemus", "QEMU or LLVM");
    };
    assert_eq!(results.len(), cases.len() * RESULT_WORDS);
    let mut differences = Vec::new();
    for (case, result) in cases.iter().zip(results.chunks_exact(RESULT_WORDS)) {
        let mut machine = expected(case).expect("only what is accepted is a case");
        let mut ours = machine.registers[..13].to_vec();
        ours.extend([machine.registers[14], top_bits(machine.nzcv())]);
        ours.extend(&machine.registers[16..]);
        ours.push(top_bits(machine.float_nzcv()));
        ours.extend((0..SCRATCH_WORDS).map(|index| {
            machine.load(&(SCRATCH + 4 * index), Width::Word, Alignment::Any).expect("plain memory has no faults")
        }));
        let mut theirs = result.to_vec();
        theirs[14] &= 0xf000_0000;
        theirs[47] &= 0xf000_0000;
        if ours != theirs {
            differences.push(format!(
                "{} {:?}\n  before {:x?}\n  ours {ours:x?}\n  QEMU {theirs:x?}",
                case.inst, case.condition, case.before.registers
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        cases.len(),
        differences[..differences.len().min(8)].join("\n")
    );
}

#[test]
fn the_sample_has_every_kind() {
    let seen: BTreeSet<String> = cases().iter().map(|case| kind(&case.inst)).collect();
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen.join(" "),
        "Adr Bfi Bfx Bits DataImm DataReg Div Extend FBinary FCompare FConstant FConvert FDemote FFlags FLoad \
         FLoadMultiple FMove FPromote FSign FStore FStoreMultiple FTransfer FTruncate FUnary Load LoadDual LoadMultiple Mla Mls MovT MovW \
         MoveImm MoveReg Mul MulLong Nop ShiftReg Smmla Smmul Store StoreDual StoreMultiple TestImm \
         TestReg"
    );
}
