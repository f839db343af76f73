//! What the data-processing instructions compute: shifts, arithmetic, multiplications, bit fields.

use super::super::flags::Flags;
use super::super::inst::{BitOp, DataOp, ExtendKind, Immediate, LongOp, MoveOp, Reg, Shift, ShiftKind, Sign, TestOp};
use super::{Machine, Writes};
use crate::domain::{Bin32, Cmp, Domain, Un32};

/// A second operand with the carry that a logical operation puts in C; `None` leaves C.
pub(super) struct Operand<M: Machine> {
    /// The operand.
    pub(super) word: M::W32,
    /// The carry.
    pub(super) carry: Option<M::Bool>,
}

pub(super) fn immediate<M: Machine>(m: &mut M, imm: Immediate) -> Operand<M> {
    let carry = imm.carry.map(|carry| m.bool(carry));
    Operand { word: m.w32(imm.value), carry }
}

/// `Shift_C` of the manual (A7.4.2) for a constant count.
pub(super) fn shifted<M: Machine>(m: &mut M, source: &M::W32, shift: Shift) -> Operand<M> {
    let (op, count, carry_bit) = match shift {
        Shift::Lsl(0) => {
            return Operand { word: source.clone(), carry: None };
        }
        Shift::Lsl(count) => (Bin32::Shl, count, 32 - u32::from(count)),
        Shift::Lsr(count) => (Bin32::ShrU, count, u32::from(count) - 1),
        Shift::Asr(count) => (Bin32::ShrS, count, u32::from(count) - 1),
        Shift::Ror(count) => (Bin32::RotR, count, u32::from(count) - 1),
        Shift::Rrx => return rotated_through_carry(m, source),
    };
    let count = m.w32(u32::from(count));
    let word = m.bin32(op, source, &count);
    Operand { word, carry: Some(bit(m, source, carry_bit)) }
}

fn rotated_through_carry<M: Machine>(m: &mut M, source: &M::W32) -> Operand<M> {
    let carry = m.flags().carry(m);
    let (one, zero, top) = (m.w32(1), m.w32(0), m.w32(1 << 31));
    let low = m.bin32(Bin32::ShrU, source, &one);
    let high = m.ite32(&carry, &top, &zero);
    Operand { word: m.bin32(Bin32::Or, &low, &high), carry: Some(bit(m, source, 0)) }
}

fn bit<M: Machine>(m: &mut M, word: &M::W32, number: u32) -> M::Bool {
    let (mask, zero) = (m.w32(1 << number), m.w32(0));
    let masked = m.bin32(Bin32::And, word, &mask);
    let clear = m.cmp32(Cmp::Eq, &masked, &zero);
    m.not(&clear)
}

/// `Shift_C` for a count in bits 7:0 of a register. A count of 0 leaves C.
pub(super) fn shifted_by_register<M: Machine>(
    m: &mut M,
    kind: ShiftKind,
    source: &M::W32,
    count: &M::W32,
) -> Operand<M> {
    let (byte, zero, one) = (m.w32(0xff), m.w32(0), m.w32(1));
    let count = m.bin32(Bin32::And, count, &byte);
    let op = match kind {
        ShiftKind::Lsl => Bin32::Shl,
        ShiftKind::Lsr => Bin32::ShrU,
        ShiftKind::Asr => Bin32::ShrS,
        ShiftKind::Ror => Bin32::RotR,
    };
    let word = m.bin32(op, source, &count);
    let before = m.bin32(Bin32::Sub, &count, &one);
    // The bit shifted out last: of the word shifted by one less.
    let last = m.bin32(op, source, &before);
    let carry = match kind {
        ShiftKind::Lsl => bit(m, &last, 31),
        ShiftKind::Lsr | ShiftKind::Asr => bit(m, &last, 0),
        ShiftKind::Ror => bit(m, &word, 31),
    };
    let is_zero = m.cmp32(Cmp::Eq, &count, &zero);
    let old = m.flags().carry(m);
    Operand { word, carry: Some(m.ite_bool(&is_zero, &old, &carry)) }
}

/// The flags of a logical result.
pub(super) fn logic<M: Machine>(m: &mut M, result: &M::W32, carry: Option<M::Bool>) -> Flags<M> {
    let old = m.flags();
    let c = carry.unwrap_or_else(|| old.carry(m));
    let v = old.overflow(m);
    Flags::Logic { result: result.clone(), c, v }
}

fn complement<M: Machine>(m: &mut M, word: &M::W32) -> M::W32 {
    let ones = m.w32(u32::MAX);
    m.bin32(Bin32::Xor, word, &ones)
}

pub(super) fn data<M: Machine>(m: &mut M, op: DataOp, n: &M::W32, operand: &Operand<M>) -> (M::W32, Flags<M>) {
    let logical = match op {
        DataOp::And => Some((Bin32::And, false)),
        DataOp::Bic => Some((Bin32::And, true)),
        DataOp::Orr => Some((Bin32::Or, false)),
        DataOp::Orn => Some((Bin32::Or, true)),
        DataOp::Eor => Some((Bin32::Xor, false)),
        DataOp::Add | DataOp::Adc | DataOp::Sub | DataOp::Sbc | DataOp::Rsb => None,
    };
    if let Some((op, inverted)) = logical {
        let second = if inverted { complement(m, &operand.word) } else { operand.word.clone() };
        let word = m.bin32(op, n, &second);
        let flags = logic(m, &word, operand.carry.clone());
        return (word, flags);
    }
    let never = m.bool(false);
    match op {
        DataOp::Add => Flags::add(m, n, &operand.word, &never),
        DataOp::Adc => {
            let carry = m.flags().carry(m);
            Flags::add(m, n, &operand.word, &carry)
        }
        DataOp::Sub => Flags::sub(m, n, &operand.word),
        DataOp::Rsb => Flags::sub(m, &operand.word, n),
        DataOp::Sbc | DataOp::And | DataOp::Bic | DataOp::Orr | DataOp::Orn | DataOp::Eor => {
            m.flags().sub_carry(m, n, &operand.word)
        }
    }
}

pub(super) fn moved<M: Machine>(m: &mut M, op: MoveOp, operand: &Operand<M>) -> (M::W32, Flags<M>) {
    let word = match op {
        MoveOp::Mov => operand.word.clone(),
        MoveOp::Mvn => complement(m, &operand.word),
    };
    let flags = logic(m, &word, operand.carry.clone());
    (word, flags)
}

pub(super) fn test<M: Machine>(m: &mut M, op: TestOp, n: Reg, operand: &Operand<M>) -> Result<Writes<M>, M::Stop> {
    let n = m.register(n)?;
    let flags = match op {
        TestOp::Cmp => Flags::sub(m, &n, &operand.word).1,
        TestOp::Cmn => {
            let never = m.bool(false);
            Flags::add(m, &n, &operand.word, &never).1
        }
        TestOp::Tst => data(m, DataOp::And, &n, operand).1,
        TestOp::Teq => data(m, DataOp::Eor, &n, operand).1,
    };
    Ok(Writes { registers: Vec::new(), flags: Some(flags), float_flags: None })
}

pub(super) fn product<M: Machine>(m: &mut M, op: Bin32, n: Reg, other: Reg) -> Result<M::W32, M::Stop> {
    let (n, other) = (m.register(n)?, m.register(other)?);
    Ok(m.bin32(op, &n, &other))
}

/// Low and high word of a 64-bit multiplication.
pub(super) fn multiply_long<M: Machine>(
    m: &mut M,
    op: LongOp,
    (lo, hi): (Reg, Reg),
    (n, other): (Reg, Reg),
) -> Result<(M::W32, M::W32), M::Stop> {
    let high = match op {
        LongOp::Smull | LongOp::Smlal => Bin32::MulHighS,
        LongOp::Umull | LongOp::Umlal | LongOp::Umaal => Bin32::MulHighU,
    };
    let low = product(m, Bin32::Mul, n, other)?;
    let high = product(m, high, n, other)?;
    let never = m.bool(false);
    match op {
        LongOp::Smull | LongOp::Umull => Ok((low, high)),
        LongOp::Smlal | LongOp::Umlal => {
            let (old_low, old_high) = (m.register(lo)?, m.register(hi)?);
            let carry = m.carry(&old_low, &low, &never);
            let low = m.bin32(Bin32::Add, &old_low, &low);
            let high = Flags::add(m, &old_high, &high, &carry).0;
            Ok((low, high))
        }
        LongOp::Umaal => {
            let (first, second) = (m.register(lo)?, m.register(hi)?);
            let carry = m.carry(&low, &first, &never);
            let low = m.bin32(Bin32::Add, &low, &first);
            let zero = m.w32(0);
            let high = Flags::add(m, &high, &zero, &carry).0;
            let carry = m.carry(&low, &second, &never);
            let low = m.bin32(Bin32::Add, &low, &second);
            let high = Flags::add(m, &high, &zero, &carry).0;
            Ok((low, high))
        }
    }
}

fn field_mask(width: u8) -> u32 {
    u32::MAX >> (32 - u32::from(width))
}

pub(super) fn insert<M: Machine>(m: &mut M, d: Reg, n: Option<Reg>, (lsb, width): (u8, u8)) -> Result<M::W32, M::Stop> {
    let old = m.register(d)?;
    let keep = m.w32(!(field_mask(width) << lsb));
    let kept = m.bin32(Bin32::And, &old, &keep);
    let Some(n) = n else { return Ok(kept) };
    let n = m.register(n)?;
    let (mask, count) = (m.w32(field_mask(width)), m.w32(u32::from(lsb)));
    let field = m.bin32(Bin32::And, &n, &mask);
    let placed = m.bin32(Bin32::Shl, &field, &count);
    Ok(m.bin32(Bin32::Or, &kept, &placed))
}

pub(super) fn extract<M: Machine>(m: &mut M, sign: Sign, n: Reg, (lsb, width): (u8, u8)) -> Result<M::W32, M::Stop> {
    let n = m.register(n)?;
    match sign {
        Sign::Unsigned => {
            let (count, mask) = (m.w32(u32::from(lsb)), m.w32(field_mask(width)));
            let low = m.bin32(Bin32::ShrU, &n, &count);
            Ok(m.bin32(Bin32::And, &low, &mask))
        }
        Sign::Signed => {
            let up = m.w32(32 - u32::from(lsb) - u32::from(width));
            let down = m.w32(32 - u32::from(width));
            let top = m.bin32(Bin32::Shl, &n, &up);
            Ok(m.bin32(Bin32::ShrS, &top, &down))
        }
    }
}

pub(super) fn extend<M: Domain>(m: &mut M, kind: ExtendKind, word: &M::W32) -> M::W32 {
    match kind {
        ExtendKind::Sxtb => m.un32(Un32::Sext8, word),
        ExtendKind::Sxth => m.un32(Un32::Sext16, word),
        ExtendKind::Uxtb | ExtendKind::Uxth => {
            let mask = m.w32(if kind == ExtendKind::Uxtb { 0xff } else { 0xffff });
            m.bin32(Bin32::And, word, &mask)
        }
    }
}

pub(super) fn bits<M: Domain>(m: &mut M, op: BitOp, word: &M::W32) -> M::W32 {
    match op {
        BitOp::Clz => m.un32(Un32::Clz, word),
        BitOp::Rbit => m.un32(Un32::Rbit, word),
        BitOp::Rev => m.un32(Un32::Rev, word),
        BitOp::Rev16 => {
            let reversed = m.un32(Un32::Rev, word);
            let half = m.w32(16);
            m.bin32(Bin32::RotR, &reversed, &half)
        }
        BitOp::Revsh => {
            let reversed = m.un32(Un32::Rev, word);
            let half = m.w32(16);
            m.bin32(Bin32::ShrS, &reversed, &half)
        }
    }
}
