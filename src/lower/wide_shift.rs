//! 64-bit shifts and rotations.
//!
//! With l and h the halves and n the count modulo 64, a shift to the left is
//! `h = (h << n) | (l << (n - 32)) | (l >> (32 - n))` and `l = l << n`: a register shift takes the
//! low byte of its count and gives 0 from 32 on, so of the terms exactly those that matter remain,
//! and for n = 32 two of them agree.

use super::shift::plain_shift;
use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir::{Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::{Imm8, ModifiedImm};
use crate::vcode::inst::{AluOp, Choice, CompareOp, Cond, Flags, Inst, Operand2, ShiftOp};

fn imm(bits: u32) -> Operand2<VReg> {
    Operand2::Imm(ModifiedImm::new(bits).expect("counts encode"))
}

impl Lower<'_> {
    pub(super) fn shift_wide(&mut self, want: Pair, op: Op, a: Value, count: Value) {
        let (low, high) = self.words(a);
        if let Word::Const(bits) = self.word(count, Half::Low) {
            return match op {
                Op::Shl64 => self.shift_left_constant(want, (low, high), bits % 64),
                _ => self.shift_right_constant(want, plain_shift(op), (low, high), bits % 64),
            };
        }
        let n = self.masked_count(count, 63);
        match op {
            Op::Shl64 => {
                if let Some(d) = want.high {
                    let op = (ShiftOp::Lsl, ShiftOp::Lsr);
                    self.shift_across(d, op, (high, low), n);
                }
                if let Some(d) = want.low {
                    self.shift_word(d, ShiftOp::Lsl, low, n);
                }
            }
            Op::ShrU64 => {
                if let Some(d) = want.low {
                    let op = (ShiftOp::Lsr, ShiftOp::Lsl);
                    self.shift_across(d, op, (low, high), n);
                }
                if let Some(d) = want.high {
                    self.shift_word(d, ShiftOp::Lsr, high, n);
                }
            }
            _ => {
                if let Some(d) = want.low {
                    self.shift_across_signed(d, (low, high), n);
                }
                if let Some(d) = want.high {
                    self.shift_word(d, ShiftOp::Asr, high, n);
                }
            }
        }
    }

    fn shift_word(&mut self, d: VReg, op: ShiftOp, word: Word, by: VReg) {
        if word == Word::Const(0) {
            return self.emit(Inst::Const { d, value: 0 });
        }
        let n = self.word_reg(word);
        self.shift_reg(op, d, n, by);
    }

    /// d = the inclusive or of registers.
    fn or_all(&mut self, d: VReg, terms: &[VReg]) {
        match *terms {
            [] => self.emit(Inst::Const { d, value: 0 }),
            [m] => self.emit(Inst::Move { d, m }),
            [n, m] => self.alu(AluOp::Orr, d, n, Operand2::Reg(m)),
            [n, m, ref rest @ ..] => {
                let first = self.alu_local(AluOp::Orr, n, Operand2::Reg(m));
                let mut terms = vec![first];
                terms.extend(rest);
                self.or_all(d, &terms);
            }
        }
    }

    /// d = (near op n) | (far op (n - 32)) | (far back (32 - n)).
    fn shift_across(&mut self, d: VReg, (op, back): (ShiftOp, ShiftOp), (near, far): (Word, Word), n: VReg) {
        let mut terms = Vec::new();
        if near != Word::Const(0) {
            let term = self.local();
            self.shift_word(term, op, near, n);
            terms.push(term);
        }
        if far != Word::Const(0) {
            let beyond = self.alu_local(AluOp::Sub, n, imm(32));
            let term = self.local();
            self.shift_word(term, op, far, beyond);
            terms.push(term);
            let rest = self.alu_local(AluOp::Rsb, n, imm(32));
            let term = self.local();
            self.shift_word(term, back, far, rest);
            terms.push(term);
        }
        self.or_all(d, &terms);
    }

    /// d = (l >> n) | (h << (32 - n)) | (h >> (n - 32), signed, where n is at least 32).
    fn shift_across_signed(&mut self, d: VReg, (low, high): (Word, Word), n: VReg) {
        let [near, crossed, beyond, shifted, chosen] = std::array::from_fn(|_| self.local());
        self.shift_word(near, ShiftOp::Lsr, low, n);
        let rest = self.alu_local(AluOp::Rsb, n, imm(32));
        let h = self.word_reg(high);
        self.shift_reg(ShiftOp::Lsl, crossed, h, rest);
        let (op, flags, m) = (AluOp::Sub, Flags::Set, imm(32));
        self.emit(Inst::Alu { op, flags, d: beyond, n, m });
        self.shift_reg(ShiftOp::Asr, shifted, h, beyond);
        let zero = Choice::Imm(Imm8::new(0).expect("0 encodes"));
        self.select_choice(chosen, Cond::Hs, Choice::Reg(shifted), zero);
        self.or_all(d, &[near, crossed, chosen]);
    }

    // By constants.

    /// d = (near op by) | (far back (32 - by)), for 0 < by < 32.
    fn funnel(&mut self, d: VReg, (op, back): (ShiftOp, ShiftOp), (near, far): (Word, Word), by: u32) {
        let shift = |op, bits: u32, by| match op {
            ShiftOp::Lsl => bits << by,
            _ => bits >> by,
        };
        match (near, far) {
            (Word::Const(near), Word::Const(far)) => {
                let value = shift(op, near, by) | shift(back, far, 32 - by);
                self.emit(Inst::Const { d, value });
            }
            (Word::Const(0), _) => {
                let n = self.word_reg(far);
                self.shift_imm(back, d, n, 32 - by);
            }
            (_, Word::Const(0)) => {
                let n = self.word_reg(near);
                self.shift_imm(op, d, n, by);
            }
            _ => {
                let (near, far) = (self.word_reg(near), self.word_reg(far));
                let n = self.shift_imm_local(op, near, by);
                self.alu(AluOp::Orr, d, n, Lower::shifted_reg(far, back, 32 - by));
            }
        }
    }

    /// d = a word shifted by a constant below 32.
    fn shift_word_constant(&mut self, d: VReg, op: ShiftOp, word: Word, by: u32) {
        match (word, by) {
            (Word::Const(bits), _) => {
                let value = match op {
                    ShiftOp::Lsl => bits << by,
                    ShiftOp::Lsr => bits >> by,
                    ShiftOp::Asr => ((bits as i32) >> by) as u32,
                    ShiftOp::Ror => bits.rotate_right(by),
                };
                self.emit(Inst::Const { d, value });
            }
            (_, 0) => self.move_word(d, word),
            _ => {
                let n = self.word_reg(word);
                self.shift_imm(op, d, n, by);
            }
        }
    }

    pub(super) fn shift_left_constant(&mut self, want: Pair, (l, h): (Word, Word), by: u32) {
        if let Some(d) = want.high {
            match by {
                0 => self.move_word(d, h),
                1..32 => self.funnel(d, (ShiftOp::Lsl, ShiftOp::Lsr), (h, l), by),
                _ => self.shift_word_constant(d, ShiftOp::Lsl, l, by - 32),
            }
        }
        if let Some(d) = want.low {
            match by {
                0..32 => self.shift_word_constant(d, ShiftOp::Lsl, l, by),
                _ => self.emit(Inst::Const { d, value: 0 }),
            }
        }
    }

    fn shift_right_constant(&mut self, want: Pair, op: ShiftOp, (l, h): (Word, Word), by: u32) {
        if let Some(d) = want.low {
            match by {
                0 => self.move_word(d, l),
                1..32 => self.funnel(d, (ShiftOp::Lsr, ShiftOp::Lsl), (l, h), by),
                _ => self.shift_word_constant(d, op, h, by - 32),
            }
        }
        if let Some(d) = want.high {
            match (by, op) {
                (0..32, _) => self.shift_word_constant(d, op, h, by),
                (_, ShiftOp::Asr) => self.shift_word_constant(d, op, h, 31),
                _ => self.emit(Inst::Const { d, value: 0 }),
            }
        }
    }

    // Rotations.

    /// Rotates: bit 5 of the count exchanges the halves, the other bits shift across.
    pub(super) fn rotate_wide(&mut self, want: Pair, op: Op, a: Value, count: Value) {
        let (low, high) = self.words(a);
        let ops = match op {
            Op::RotL64 => (ShiftOp::Lsl, ShiftOp::Lsr),
            _ => (ShiftOp::Lsr, ShiftOp::Lsl),
        };
        if let Word::Const(bits) = self.word(count, Half::Low) {
            let (low, high) = if bits & 32 == 0 { (low, high) } else { (high, low) };
            for (d, near, far) in [(want.low, low, high), (want.high, high, low)] {
                match (d, bits % 32) {
                    (None, _) => {}
                    (Some(d), 0) => self.move_word(d, near),
                    (Some(d), by) => self.funnel(d, ops, (near, far), by),
                }
            }
            return;
        }
        let n = self.reg(count);
        let (low, high) = (self.word_reg(low), self.word_reg(high));
        let (first, second) = (self.local(), self.local());
        self.compare(CompareOp::Tst, n, imm(32));
        let (l, h) = (Choice::Reg(low), Choice::Reg(high));
        self.select_choice(first, Cond::Ne, h, l);
        self.select_choice(second, Cond::Ne, l, h);
        let by = self.masked_count(count, 31);
        let rest = self.alu_local(AluOp::Rsb, by, imm(32));
        for (d, near, far) in [(want.low, first, second), (want.high, second, first)] {
            let Some(d) = d else { continue };
            let (x, y) = (self.local(), self.local());
            self.shift_reg(ops.0, x, near, by);
            self.shift_reg(ops.1, y, far, rest);
            self.alu(AluOp::Orr, d, x, Operand2::Reg(y));
        }
    }
}
