//! Constants: the shortest instructions for a number, and which numbers and addresses go to the
//! literal pool.
//!
//! Ensures: the result of [`steps`] needs no pool, leaves the flags alone if asked to, and uses no
//! register but the destination. [`pooled`] decides by bytes alone: a literal costs its loads
//! and one word for all of them together.

use std::collections::{BTreeMap, BTreeSet};

use crate::target::Isa;
use crate::vcode::imm::{ModifiedImm, ShiftImm};
use crate::vcode::inst::{AluOp, Operand2, ShiftOp};
use crate::vcode::reg::PReg;

use super::encode::encode;
use super::line::Literal;
use super::machine::{FlagsMode, Machine, Position};

/// Instructions that leave `value` in `d`, the shortest there are without a pool; none if it takes one.
pub fn steps(isa: Isa, value: u32, d: PReg, flags: FlagsMode) -> Option<Vec<Machine>> {
    match isa {
        Isa::V6M => short_steps(value, d, flags),
        Isa::V7M => Some(long_steps(value, d, flags)),
    }
}

/// One or two instructions of 16 bits. All of them set flags.
fn short_steps(value: u32, d: PReg, flags: FlagsMode) -> Option<Vec<Machine>> {
    if flags == FlagsMode::Keep || !d.is_low() {
        return None;
    }
    let byte = |value: u32| ModifiedImm::new(value).filter(|_| value < 256).map(Operand2::Imm);
    let first = |m| Machine::Mov { flags, d, m };
    if let Some(m) = byte(value) {
        return Some(vec![first(m)]);
    }
    let shift = value.trailing_zeros();
    if let (Some(m), Some(by)) = (byte(value >> shift), ShiftImm::new(shift)) {
        return Some(vec![first(m), Machine::Mov { flags, d, m: Operand2::Shifted(d, ShiftOp::Lsl, by) }]);
    }
    if let Some(m) = byte(!value) {
        return Some(vec![first(m), Machine::Mvn { flags, d, m: Operand2::Reg(d) }]);
    }
    let rest = byte(value.wrapping_sub(255))?;
    let most = byte(255)?;
    Some(vec![first(most), Machine::Alu { op: AluOp::Add, flags, d, n: d, m: rest }])
}

fn long_steps(value: u32, d: PReg, flags: FlagsMode) -> Vec<Machine> {
    if let Some(single) = single(value, d, flags) {
        return vec![single];
    }
    // A second instruction of 16 bits sets flags and needs a low register.
    if flags == FlagsMode::Dead
        && d.is_low()
        && let Some(pair) = pair(value, d)
    {
        return pair;
    }
    let [low, high] = [value as u16, (value >> 16) as u16];
    vec![Machine::Movw { d, imm: low }, Machine::Movt { d, imm: high }]
}

fn single(value: u32, d: PReg, flags: FlagsMode) -> Option<Machine> {
    if let Some(imm) = ModifiedImm::new(value) {
        return Some(Machine::Mov { flags, d, m: Operand2::Imm(imm) });
    }
    if let Ok(imm) = u16::try_from(value) {
        return Some(Machine::Movw { d, imm });
    }
    let inverse = ModifiedImm::new(!value)?;
    Some(Machine::Mvn { flags, d, m: Operand2::Imm(inverse) })
}

/// A 32-bit instruction and a 16-bit one: shifted left, inverted, negated, or a byte away.
fn pair(value: u32, d: PReg) -> Option<Vec<Machine>> {
    let flags = FlagsMode::Dead;
    let shift = value.trailing_zeros();
    let shifted = ShiftImm::new(shift)
        .map(|by| (value >> shift, Machine::Mov { flags, d, m: Operand2::Shifted(d, ShiftOp::Lsl, by) }));
    let inverted = Some((!value, Machine::Mvn { flags, d, m: Operand2::Reg(d) }));
    let candidates = [shifted, inverted].into_iter().flatten();
    let near = (1..256).flat_map(|byte: u32| {
        let imm = ModifiedImm::new(byte).expect("a byte is encodable");
        [(AluOp::Add, value.wrapping_sub(byte)), (AluOp::Sub, value.wrapping_add(byte))]
            .map(|(op, base)| (base, Machine::Alu { op, flags, d, n: d, m: Operand2::Imm(imm) }))
    });
    let mut pairs =
        candidates.chain(near).filter_map(|(base, last)| single(base, d, flags).map(|first| vec![first, last]));
    pairs.next()
}

/// Bytes of instructions outside IT blocks.
pub fn bytes(steps: &[Machine]) -> u32 {
    steps.iter().map(|step| encode(step, Position::Plain).bytes()).sum()
}

/// One place that needs a constant in a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Need {
    /// What it costs there without a pool.
    pub inline_bytes: u32,
    /// The register it is for.
    pub d: PReg,
}

/// The constants that are shorter in a pool, all needs for them taken together.
pub fn pooled(needs: &BTreeMap<Literal, Vec<Need>>) -> BTreeSet<Literal> {
    let shorter = needs.iter().filter(|(_, needs)| {
        let inline: u32 = needs.iter().map(|need| need.inline_bytes).sum();
        let loads: u32 = needs.iter().map(|need| if need.d.is_low() { 2 } else { 4 }).sum();
        // The word itself, and half of the two bytes that align the pool.
        loads + 4 + 1 < inline
    });
    shorter.map(|(literal, _)| *literal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the instructions leave in the register, computed here.
    fn run(steps: &[Machine]) -> u32 {
        let operand = |m: Operand2<PReg>, now: u32| match m {
            Operand2::Reg(_) => now,
            Operand2::Shifted(_, ShiftOp::Lsl, by) => now << by.value(),
            Operand2::Shifted(..) => panic!("no such step"),
            Operand2::Imm(imm) => imm.value(),
        };
        steps.iter().fold(0xdead_beef, |now, step| match *step {
            Machine::Mov { m, .. } => operand(m, now),
            Machine::Mvn { m, .. } => !operand(m, now),
            Machine::Movw { imm, .. } => u32::from(imm),
            Machine::Movt { imm, .. } => now & 0xffff | u32::from(imm) << 16,
            Machine::Alu { op: AluOp::Add, m, .. } => now.wrapping_add(operand(m, now)),
            Machine::Alu { op: AluOp::Sub, m, .. } => now.wrapping_sub(operand(m, now)),
            _ => panic!("no such step"),
        })
    }

    #[test]
    fn constants_have_their_value_and_their_least_size() {
        let (low, high) = (PReg::R0, PReg::new(8));
        let cases = [
            (0, 2, 4, 4),
            (255, 2, 4, 4),
            (256, 4, 4, 4),
            (0x1234, 4, 4, 4),
            (0x00ab_00ab, 4, 4, 4),
            (0xffff_ffff, 4, 4, 4),
            (0xffff_ff00, 4, 4, 4),
            (0x0048_d000, 6, 8, 8),
            (0xffff_1234, 6, 8, 8),
            (0x1000_0010, 6, 8, 8),
            (0x0fff_fff1, 6, 8, 8),
            (0x1234_5678, 8, 8, 8),
        ];
        for (value, dead_low, keep_low, dead_high) in cases {
            for (d, flags, size) in
                [(low, FlagsMode::Dead, dead_low), (low, FlagsMode::Keep, keep_low), (high, FlagsMode::Dead, dead_high)]
            {
                let steps = steps(Isa::V7M, value, d, flags).unwrap();
                assert_eq!(run(&steps), value, "{value:#x} {steps:?}");
                assert_eq!(bytes(&steps), size, "{value:#x} {steps:?}");
            }
        }
    }

    #[test]
    fn random_constants_have_their_value() {
        let mut value: u32 = 1;
        for _ in 0..5000 {
            value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let sparse = value & value.rotate_left(7) & value.rotate_left(13);
            for value in [value, sparse, value >> 12, !(value >> 14)] {
                assert_eq!(run(&steps(Isa::V7M, value, PReg::R0, FlagsMode::Dead).unwrap()), value);
                assert_eq!(run(&steps(Isa::V7M, value, PReg::R0, FlagsMode::Keep).unwrap()), value);
            }
        }
    }

    #[test]
    fn short_constants_have_their_value_or_none() {
        let cases = [(0, 2), (255, 2), (256, 4), (0x00ab_0000, 4), (u32::MAX, 4), (510, 4), (511, 0), (0x1234, 0)];
        for (value, size) in cases {
            let steps = steps(Isa::V6M, value, PReg::R0, FlagsMode::Dead);
            assert_eq!(steps.as_ref().map_or(0, |steps| bytes(steps)), size, "{value:#x}");
            assert!(steps.is_none_or(|steps| run(&steps) == value), "{value:#x}");
        }
        assert_eq!(steps(Isa::V6M, 1, PReg::R0, FlagsMode::Keep), None);
        assert_eq!(steps(Isa::V6M, 1, PReg::new(8), FlagsMode::Dead), None);
    }

    #[test]
    fn a_literal_pays_when_it_is_shared_or_short() {
        let need = |inline_bytes, d| Need { inline_bytes, d: PReg::new(d) };
        let literal = Literal::Word(0x1234_5678);
        let is_pooled = |needs: &[Need]| pooled(&BTreeMap::from([(literal, needs.to_vec())])).contains(&literal);
        assert!(is_pooled(&[need(8, 0)]));
        assert!(!is_pooled(&[need(8, 8)]));
        assert!(is_pooled(&[need(8, 8), need(8, 9)]));
        assert!(!is_pooled(&[need(6, 0)]));
        assert!(is_pooled(&[need(6, 0), need(6, 1)]));
    }
}
