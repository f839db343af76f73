//! 32-bit shifts and rotations.

use super::shared::Shared;
use super::words::Word;
use super::{Half, Lower};
use crate::ir::{Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{AluOp, Inst, Operand2, ShiftOp};

impl Lower<'_> {
    pub(super) fn shift(&mut self, d: VReg, op: Op, a: Value, count: Value) {
        if let Some(bits) = self.constant(count) {
            return self.shift_constant(d, op, a, bits % 32);
        }
        let n = self.reg(a);
        match op {
            // A rotation to the right takes the low byte of its count modulo 32 by itself.
            Op::RotR32 => {
                let by = self.reg(count);
                self.shift_reg(ShiftOp::Ror, d, n, by);
            }
            Op::RotL32 => {
                let (count, zero) = (self.reg(count), ModifiedImm::new(0));
                let zero = Operand2::Imm(zero.expect("0 encodes"));
                let by = self.alu_local(AluOp::Rsb, count, zero);
                self.shift_reg(ShiftOp::Ror, d, n, by);
            }
            // Wasm takes the count modulo 32. Arm takes its low byte, so 32 would give 0.
            _ => {
                let by = self.masked_count(count, 31);
                self.shift_reg(plain_shift(op), d, n, by);
            }
        }
    }

    fn shift_constant(&mut self, d: VReg, op: Op, a: Value, count: u32) {
        if let Some((sign, source, lsb, width)) = self.field(op, a, count) {
            let n = self.word_reg(source);
            return self.extract(sign, d, n, (lsb, width));
        }
        if let Word::Const(bits) = self.word(a, Half::Low) {
            let value = match op {
                Op::Shl32 => bits << count,
                Op::ShrU32 => bits >> count,
                Op::ShrS32 => ((bits as i32) >> count) as u32,
                Op::RotL32 => bits.rotate_left(count),
                _ => bits.rotate_right(count),
            };
            return self.emit(Inst::Const { d, value });
        }
        let n = self.reg(a);
        match op {
            Op::RotL32 => self.shift_imm(ShiftOp::Ror, d, n, (32 - count) % 32),
            _ => self.shift_imm(plain_shift(op), d, n, count),
        }
    }

    /// A shift count modulo `mask` + 1, which is a power of two; the low word of a value.
    pub(super) fn masked_count(&mut self, count: Value, mask: u32) -> VReg {
        let word = self.word(count, Half::Low);
        match word {
            Word::Const(bits) => self.word_reg(Word::Const(bits & mask)),
            Word::Part(value, half) => match self.is_below(word, mask) {
                true => self.part(value, half),
                false => self.share(self.unmasked(value, half, mask)),
            },
        }
    }

    /// The masked count, of the value below a mask that makes no difference.
    fn unmasked(&self, value: Value, half: Half, mask: u32) -> Shared {
        if let Some(inst) = self.only_word_here(Word::Part(value, half))
            && inst.op == Op::And32
            && let Some(bits) = self.constant(inst.args[1])
            && let Word::Part(inner, half) = self.word(inst.args[0], Half::Low)
            && bits & mask == mask
        {
            return Shared::Masked(inner, half, mask);
        }
        Shared::Masked(value, half, mask)
    }

    /// Whether a word is seen to be at most `mask`.
    fn is_below(&self, word: Word, mask: u32) -> bool {
        let Word::Part(value, Half::Low) = word else {
            return false;
        };
        let Some(inst) = self.ir.definition(value) else {
            return false;
        };
        let constant = |index: usize| inst.args.get(index).and_then(|&arg| self.constant(arg));
        match inst.op {
            Op::And32 => constant(1).or(constant(0)).is_some_and(|bits| bits <= mask),
            Op::ShrU32 => constant(1).is_some_and(|count| u32::MAX >> (count % 32) <= mask),
            Op::RemU32 => constant(1).is_some_and(|bits| bits != 0 && bits - 1 <= mask),
            _ => false,
        }
    }
}

/// The machine's shift for one that is no rotation to the left.
pub(super) fn plain_shift(op: Op) -> ShiftOp {
    match op {
        Op::Shl32 | Op::Shl64 => ShiftOp::Lsl,
        Op::ShrU32 | Op::ShrU64 => ShiftOp::Lsr,
        Op::ShrS32 | Op::ShrS64 => ShiftOp::Asr,
        _ => ShiftOp::Ror,
    }
}
