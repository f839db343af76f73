//! Bitwise operators and bit fields, on words.

use super::words::Word;
use super::{Half, Lower};
use crate::ir;
use crate::ir::{Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::{BitField, ModifiedImm, ShiftImm};
use crate::vcode::inst::{AluOp, Flags, Inst, Operand2, ShiftBy, ShiftOp, Sign, UnaryOp};

/// The number of low bits that a mask keeps, if it keeps low bits only.
fn low_bits(mask: u32) -> Option<u32> {
    (mask != 0 && mask & mask.wrapping_add(1) == 0).then(|| mask.count_ones())
}

/// The field of ones that a word consists of.
fn run_of_ones(bits: u32) -> Option<BitField> {
    let lsb = bits.trailing_zeros();
    let width = low_bits(bits.checked_shr(lsb)?)?;
    BitField::new(lsb, width)
}

impl Lower<'_> {
    pub(super) fn logic(&mut self, d: VReg, op: Op, a: Value, b: Value) {
        let (a, b) = match self.constant(a) {
            Some(_) => (b, a),
            None => (a, b),
        };
        if op == Op::And32
            && let Some(mask) = self.constant(b)
        {
            return self.and_constant(d, a, mask);
        }
        if op == Op::Or32 && (self.rotation(d, a, b) || self.rotation(d, b, a)) {
            return;
        }
        let (x, y) = (self.word(a, Half::Low), self.word(b, Half::Low));
        self.logic_words(d, op, x, y);
    }

    /// A bitwise operator on words; the operator is that of 32 or of 64 bits.
    pub(super) fn logic_words(&mut self, d: VReg, op: Op, x: Word, y: Word) {
        let (x, y) = match x {
            Word::Const(_) => (y, x),
            Word::Part(..) => (x, y),
        };
        let alu = match op {
            Op::And32 | Op::And64 => AluOp::And,
            Op::Or32 | Op::Or64 => AluOp::Orr,
            _ => AluOp::Eor,
        };
        match (x, y) {
            (Word::Const(a), Word::Const(b)) => {
                let value = match alu {
                    AluOp::And => a & b,
                    AluOp::Orr => a | b,
                    _ => a ^ b,
                };
                self.emit(Inst::Const { d, value });
            }
            (_, Word::Const(bits)) => self.logic_constant(d, alu, x, bits),
            _ => {
                for (x, y) in [(x, y), (y, x)] {
                    if self.with_complement(d, alu, x, y) {
                        return;
                    }
                }
                self.commutative(alu, d, x, y);
            }
        }
    }

    fn logic_constant(&mut self, d: VReg, alu: AluOp, x: Word, bits: u32) {
        let flags = Flags::Keep;
        match (alu, bits) {
            (AluOp::And, 0) => return self.emit(Inst::Const { d, value: 0 }),
            (AluOp::Orr, u32::MAX) => return self.emit(Inst::Const { d, value: bits }),
            (AluOp::And, u32::MAX) | (AluOp::Orr | AluOp::Eor, 0) => {
                let m = self.word_reg(x);
                return self.emit(Inst::Move { d, m });
            }
            (AluOp::Eor, u32::MAX) => {
                let m = self.operand2(x);
                return self.emit(Inst::Not { flags, d, m });
            }
            _ => {}
        }
        let n = self.word_reg(x);
        if alu == AluOp::And {
            return self.mask(d, n, bits);
        }
        let (imm, complement) = (ModifiedImm::new(bits), ModifiedImm::new(!bits));
        match (alu, imm, complement) {
            (_, Some(imm), _) => self.alu(alu, d, n, Operand2::Imm(imm)),
            (AluOp::Orr, _, Some(imm)) => self.alu(AluOp::Orn, d, n, Operand2::Imm(imm)),
            _ => {
                let m = Operand2::Reg(self.word_reg(Word::Const(bits)));
                self.alu(alu, d, n, m);
            }
        }
    }

    /// d = n & mask, where the mask is neither 0 nor all ones.
    fn mask(&mut self, d: VReg, n: VReg, mask: u32) {
        if let Some(op) = match mask {
            0xff => Some(UnaryOp::Uxtb),
            0xffff => Some(UnaryOp::Uxth),
            _ => None,
        } {
            return self.unary(op, d, n);
        }
        if let Some(imm) = ModifiedImm::new(mask) {
            return self.alu(AluOp::And, d, n, Operand2::Imm(imm));
        }
        if let Some(imm) = ModifiedImm::new(!mask) {
            return self.alu(AluOp::Bic, d, n, Operand2::Imm(imm));
        }
        if let Some(field) = low_bits(mask).and_then(|width| BitField::new(0, width)) {
            let sign = Sign::Unsigned;
            return self.emit(Inst::Extract { sign, d, n, field });
        }
        if let Some(field) = run_of_ones(!mask) {
            return self.emit(Inst::Clear { d, from: n, field });
        }
        let m = Operand2::Reg(self.word_reg(Word::Const(mask)));
        self.alu(AluOp::And, d, n, m);
    }

    /// d = a & mask; a shift right below it becomes a bit field.
    pub(super) fn and_constant(&mut self, d: VReg, a: Value, mask: u32) {
        let word = self.word(a, Half::Low);
        if let (Some(shifted), Some(width)) = (self.shifted(word), low_bits(mask))
            && matches!(shifted.op, ShiftOp::Lsr | ShiftOp::Asr)
        {
            let lsb = shifted.by.value();
            let n = self.word_reg(shifted.word);
            if width < 32 - lsb || (width == 32 - lsb && shifted.op == ShiftOp::Asr) {
                return self.extract(Sign::Unsigned, d, n, (lsb, width));
            }
            if shifted.op == ShiftOp::Lsr {
                return self.shift_imm(ShiftOp::Lsr, d, n, lsb);
            }
        }
        self.logic_constant(d, AluOp::And, word, mask);
    }

    /// d = the field of n with this lowest bit and width.
    pub(super) fn extract(&mut self, sign: Sign, d: VReg, n: VReg, (lsb, width): (u32, u32)) {
        let op = match (sign, lsb, width) {
            (Sign::Unsigned, 0, 8) => Some(UnaryOp::Uxtb),
            (Sign::Unsigned, 0, 16) => Some(UnaryOp::Uxth),
            (Sign::Signed, 0, 8) => Some(UnaryOp::Sxtb),
            (Sign::Signed, 0, 16) => Some(UnaryOp::Sxth),
            _ => None,
        };
        let shift = match sign {
            Sign::Unsigned => ShiftOp::Lsr,
            Sign::Signed => ShiftOp::Asr,
        };
        match (op, BitField::new(lsb, width)) {
            (Some(op), _) => self.unary(op, d, n),
            (None, Some(field)) if lsb + width < 32 => {
                self.emit(Inst::Extract { sign, d, n, field });
            }
            _ => self.shift_imm(shift, d, n, lsb),
        }
    }

    /// d = x op !y, if y is a complement that nothing else uses.
    fn with_complement(&mut self, d: VReg, alu: AluOp, x: Word, y: Word) -> bool {
        let op = match alu {
            AluOp::And => AluOp::Bic,
            AluOp::Orr => AluOp::Orn,
            _ => return false,
        };
        let Some(inst) = self.only_word_here(y).filter(|i| i.op == Op::Xor32) else {
            return false;
        };
        let complemented = match (self.constant(inst.args[0]), self.constant(inst.args[1])) {
            (_, Some(u32::MAX)) => inst.args[0],
            (Some(u32::MAX), _) => inst.args[1],
            _ => return false,
        };
        let m = self.word(complemented, Half::Low);
        let (m, n) = (self.operand2(m), self.word_reg(x));
        self.alu(op, d, n, m);
        true
    }

    /// d = (x << k) | (x >> (32 - k)), as one rotation.
    fn rotation(&mut self, d: VReg, a: Value, b: Value) -> bool {
        let (left, right) = (self.word(a, Half::Low), self.word(b, Half::Low));
        let (Some(left), Some(right)) = (self.shifted(left), self.shifted(right)) else {
            return false;
        };
        let is_rotation = left.word == right.word
            && (left.op, right.op) == (ShiftOp::Lsl, ShiftOp::Lsr)
            && left.by.value() + right.by.value() == 32;
        if is_rotation {
            let n = self.word_reg(left.word);
            self.shift_imm(ShiftOp::Ror, d, n, right.by.value());
        }
        is_rotation
    }

    /// d = a sign-extended from a byte or a halfword; a shift right below it becomes a field.
    pub(super) fn extend(&mut self, d: VReg, a: Value, op: UnaryOp) {
        let width = match op {
            UnaryOp::Sxtb => 8,
            _ => 16,
        };
        let word = self.word(a, Half::Low);
        if let Some(shifted) = self.shifted(word)
            && matches!(shifted.op, ShiftOp::Lsr | ShiftOp::Asr)
            && shifted.by.value() + width <= 32
        {
            let n = self.word_reg(shifted.word);
            return self.extract(Sign::Signed, d, n, (shifted.by.value(), width));
        }
        let m = self.word_reg(word);
        self.unary(op, d, m);
    }

    /// The field that a shift right of a shift left, or of a masked word, extracts: extension,
    /// source, lowest bit, width.
    pub(super) fn field(&self, op: Op, a: Value, right: u32) -> Option<(Sign, Word, u32, u32)> {
        let sign = match op {
            Op::ShrU32 => Sign::Unsigned,
            Op::ShrS32 => Sign::Signed,
            _ => return None,
        };
        let word = self.word(a, Half::Low);
        let inner = self.only_word_here(word)?;
        let bits = self.constant(*inner.args.get(1)?)?;
        let source = self.word(inner.args[0], Half::Low);
        let (lsb, width) = match (inner.op, sign) {
            (Op::Shl32, _) => (right.checked_sub(bits % 32)?, 32 - right),
            (Op::And32, Sign::Unsigned) => (right, low_bits(bits >> right)?),
            _ => return None,
        };
        let is_source = matches!(source, Word::Part(..)) && width < 32;
        is_source.then_some((sign, source, lsb, width))
    }

    /// Whether an instruction extracts a field and so is better not folded as a shift.
    pub(super) fn is_field(&self, inst: &ir::InstData) -> bool {
        let count = inst.args.get(1).and_then(|&count| self.constant(count));
        count.is_some_and(|count| self.field(inst.op, inst.args[0], count % 32).is_some())
    }

    /// d = n shifted by a register, whose low byte counts.
    pub(super) fn shift_reg(&mut self, op: ShiftOp, d: VReg, n: VReg, by: VReg) {
        let (by, flags) = (ShiftBy::Reg(by), Flags::Keep);
        self.emit(Inst::Shift { op, flags, d, n, by });
    }

    /// A register shifted by a constant from 1 to 31, as second operand.
    pub(super) fn shifted_reg(n: VReg, op: ShiftOp, by: u32) -> Operand2<VReg> {
        let by = ShiftImm::new(by).expect("callers treat 0 and 32 apart");
        Operand2::Shifted(n, op, by)
    }
}
