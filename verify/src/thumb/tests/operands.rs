//! The table of operands against what the semantics really does, for every 16-bit encoding and a
//! fixed sample of the 32-bit ones, inside and outside IT blocks.
//!
//! Registers: the machine records which it is asked for and which it is told. Flags: a flag that
//! the table does not name as read must change nothing, one that it does not name as written must
//! keep its value.

use super::plain::{CODE, Plain};
use crate::thumb::decode::decode;
use crate::thumb::inst::{Cond, Inst, Reg, SetFlags};
use crate::thumb::operands::{FlagSet, Operands, operands};
use crate::thumb::sem::{Flags, Flow, step};

const FLAGS: [FlagSet; 4] = [FlagSet::N, FlagSet::Z, FlagSet::C, FlagSet::V];

/// A generator whose sequence is part of the test.
pub(super) struct Sequence(u64);

impl Sequence {
    pub(super) fn new(seed: u64) -> Sequence {
        Sequence(seed)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }
}

/// Bits of a second halfword that are random, and bits that are set, as many encodings have them.
const SHAPES: [(u16, u16); 16] = [
    (0xffff, 0),
    (0x7fff, 0),
    (0x7fcf, 0),
    (0x7f0f, 0),
    (0xff0f, 0x0010),
    (0x0fff, 0xf000),
    (0x0f0f, 0xf000),
    (0x0fbf, 0xf080),
    (0x0f0f, 0xf0f0),
    (0xf1ef, 0x0a00),
    (0xf1af, 0x0a40),
    (0xf1af, 0x0ac0),
    (0xf10f, 0x0b40),
    (0xf10f, 0x0bc0),
    (0xf180, 0x0a10),
    (0, 0xfa10),
];

/// Encodings that are accepted, with what they are.
pub(super) fn sample() -> Vec<(Vec<u8>, Inst)> {
    let mut sequence = Sequence::new(7);
    let narrow = (0..0xe800_u16).map(|half| half.to_le_bytes().to_vec());
    let mut wide = Vec::new();
    for first in 0xe800..=0xffff_u16 {
        for (and, or) in SHAPES {
            let second = sequence.next() as u16 & and | or;
            wide.push([first.to_le_bytes(), second.to_le_bytes()].concat());
        }
    }
    narrow.chain(wide).filter_map(|bytes| decode(&bytes, 0).ok().map(|(inst, _)| (bytes, inst))).collect()
}

/// Runs one instruction behind `IT cond`, if there is a condition; the IT itself is not recorded.
fn run(machine: &Plain, inst: &Inst, size: u32, condition: Option<Cond>) -> (Plain, Option<Flow<u32>>) {
    let mut after = machine.clone();
    if let Some(first) = condition {
        let it = Inst::It { first, mask: 8 };
        step(&mut after, &it, CODE - 2, 2).expect("IT begins a block");
    }
    let flow = step(&mut after, inst, CODE, size).ok();
    (after, flow)
}

fn random_machine(sequence: &mut Sequence) -> Plain {
    let mut machine = Plain::new();
    for register in &mut machine.registers {
        // Multiples of 4, so that no access faults; small ones, so that shifts are not all 0.
        *register = sequence.next() & 0x0fff_fffc >> (sequence.next() % 24);
    }
    let bits = sequence.next();
    machine.flags = Flags::from_bits([0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1));
    machine
}

/// Result and effect of a run, flags that are not of interest left out.
fn observed(machine: &mut Plain, flow: &Option<Flow<u32>>, of_interest: FlagSet) -> String {
    let flags = machine.nzcv();
    let flags: Vec<bool> =
        FLAGS.iter().zip(flags).filter_map(|(flag, value)| of_interest.contains(*flag).then_some(value)).collect();
    format!("{:?} {flags:?} {:?} {flow:?}", machine.registers, machine.memory)
}

fn check(inst: &Inst, size: u32, condition: Option<Cond>, sequence: &mut Sequence) {
    let table: Operands = operands(inst, condition);
    for _ in 0..3 {
        let mut before = random_machine(sequence);
        let (mut after, flow) = run(&before, inst, size, condition);
        if flow.is_none() {
            // Refused in this place: nothing is claimed of it.
            return;
        }
        let executed = match condition {
            Some(cond) => {
                let flags = before.flags.clone();
                flags.condition(&mut before, cond)
            }
            None => true,
        };
        let name = format!("{inst} ({condition:?}, {size} bytes)");
        let pc = 1 << Reg::PC.number();
        let (reads, writes) = (after.reads.bits() & !pc, after.writes.bits());
        // What decides about its condition may stop before it reads or writes anything.
        if executed {
            assert_eq!(writes, table.writes.bits(), "{name}: writes");
            assert_eq!(reads & !table.reads.bits(), 0, "{name}: reads {:?}", after.reads);
            if condition.is_none() {
                assert_eq!(reads, table.reads.bits(), "{name}: reads");
            }
        }
        let expected = observed(&mut after, &flow, table.flags_written);
        for (index, flag) in FLAGS.into_iter().enumerate() {
            let kept = after.nzcv()[index] == before.nzcv()[index];
            assert!(kept || table.flags_written.contains(flag), "{name}: writes flag {index}");
            if !table.flags_read.contains(flag) {
                let mut other = before.clone();
                let mut bits = other.nzcv();
                bits[index] = !bits[index];
                other.flags = Flags::from_bits(bits);
                let (mut end, flow) = run(&other, inst, size, condition);
                let came = observed(&mut end, &flow, table.flags_written);
                assert_eq!(came, expected, "{name}: reads flag {index}");
            }
        }
    }
}

#[test]
fn the_table_says_what_the_semantics_does() {
    let mut sequence = Sequence::new(3);
    let sample = sample();
    assert!(sample.len() > 64_000, "{}", sample.len());
    for (index, (bytes, inst)) in sample.iter().enumerate() {
        let size = bytes.len() as u32;
        check(inst, size, None, &mut sequence);
        if index % 3 == 0 {
            let cond = Cond::ALL[index / 3 % 14];
            check(inst, size, Some(cond), &mut sequence);
        }
    }
}

#[test]
fn some_rows() {
    let adds = Inst::Mul { flags: SetFlags::OutsideIt, d: Reg::R0, n: Reg::R1, m: Reg::R1 };
    let outside = operands(&adds, None);
    assert_eq!(outside.flags_written, FlagSet::N.union(FlagSet::Z));
    assert!(!outside.reads.contains(Reg::R0));
    let inside = operands(&adds, Some(Cond::Lo));
    assert!(inside.flags_written.is_empty());
    assert_eq!(inside.flags_read, FlagSet::C);
    assert!(inside.reads.contains(Reg::R0));
}
