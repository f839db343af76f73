//! 64-bit operators on pairs of words: the dispatch, arithmetic, counting.
//!
//! The forms are those to which the validator's terms normalise: a sum is the sum of the halves
//! with carry, a product is the long product of the low halves plus the crossed products.

use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir;
use crate::ir::{Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{AluOp, Choice, CompareOp, Cond, Flags, Inst, MulLongAddOp, Operand2, ShiftOp, Sign, UnaryOp};

impl Lower<'_> {
    /// Computes the halves asked for of a pure operator with a 64-bit result.
    pub(super) fn lower_wide(&mut self, want: Pair, op: Op, args: &[Value]) {
        let (a, b) = (args[0], *args.last().expect("every operator has an operand"));
        match op {
            Op::Add64 => self.add_wide(want, a, b),
            Op::Sub64 => self.sub_wide(want, a, b),
            Op::Mul64 => self.mul_wide(want, a, b),
            Op::And64 | Op::Or64 | Op::Xor64 => {
                for (d, half) in [(want.low, Half::Low), (want.high, Half::High)] {
                    if let Some(d) = d {
                        let (x, y) = (self.word(a, half), self.word(b, half));
                        self.logic_words(d, op, x, y);
                    }
                }
            }
            Op::Shl64 | Op::ShrU64 | Op::ShrS64 => self.shift_wide(want, op, a, b),
            Op::RotL64 | Op::RotR64 => self.rotate_wide(want, op, a, b),
            Op::Clz64 | Op::Ctz64 | Op::Popcnt64 => {
                if let Some(d) = want.low {
                    self.count_wide(d, op, a);
                }
                if let Some(d) = want.high {
                    self.emit(Inst::Const { d, value: 0 });
                }
            }
            Op::Extend8S64 => self.extend_wide(want, a, Some(UnaryOp::Sxtb)),
            Op::Extend16S64 => self.extend_wide(want, a, Some(UnaryOp::Sxth)),
            Op::Extend32S64 | Op::ExtendS => self.extend_wide(want, a, None),
            Op::ExtendU => {
                if let Some(d) = want.low {
                    let m = self.reg(a);
                    self.emit(Inst::Move { d, m });
                }
                if let Some(d) = want.high {
                    self.emit(Inst::Const { d, value: 0 });
                }
            }
            Op::Select64 => self.select_pair(want, args),
            Op::Add128High | Op::Sub128High => self.high_of_sum(want, op, args),
            Op::MulHighU64 => self.high_of_product(want, a, b),
            Op::MulHighS64 => self.high_of_signed_product(want, a, b),
            other => unreachable!("{other:?} has no 64-bit result"),
        }
    }

    // Words.

    /// d = word.
    pub(super) fn move_word(&mut self, d: VReg, word: Word) {
        match word {
            Word::Const(value) => self.emit(Inst::Const { d, value }),
            Word::Part(..) => {
                let m = self.word_reg(word);
                self.emit(Inst::Move { d, m });
            }
        }
    }

    /// d = x + y.
    fn add_words(&mut self, d: VReg, x: Word, y: Word) {
        match (x, y) {
            (Word::Const(a), Word::Const(b)) => self.move_word(d, Word::Const(a.wrapping_add(b))),
            (Word::Const(bits), word) | (word, Word::Const(bits)) => {
                let n = self.word_reg(word);
                self.add_constant(d, n, bits);
            }
            _ => self.commutative(AluOp::Add, d, x, y),
        }
    }

    fn alu_flags(&mut self, op: AluOp, flags: Flags, d: VReg, operands: (VReg, Operand2<VReg>)) {
        let (n, m) = operands;
        self.emit(Inst::Alu { op, flags, d, n, m });
    }

    /// d = x + y + carry.
    pub(super) fn add_with_carry(&mut self, flags: Flags, d: VReg, x: Word, y: Word) {
        let (x, y) = match x {
            Word::Const(_) => (y, x),
            Word::Part(..) => (x, y),
        };
        self.with_carry((AluOp::Adc, AluOp::Sbc), flags, d, (x, y));
    }

    /// d = x - y - borrow.
    pub(super) fn subtract_with_borrow(&mut self, flags: Flags, d: VReg, x: Word, y: Word) {
        self.with_carry((AluOp::Sbc, AluOp::Adc), flags, d, (x, y));
    }

    /// Adc of c and Sbc of !c are the same, flags included.
    fn with_carry(&mut self, (op, opposite): (AluOp, AluOp), flags: Flags, d: VReg, (x, y): (Word, Word)) {
        let n = self.word_reg(x);
        if let Word::Const(bits) = y
            && ModifiedImm::new(bits).is_none()
            && let Some(imm) = ModifiedImm::new(!bits)
        {
            return self.alu_flags(opposite, flags, d, (n, Operand2::Imm(imm)));
        }
        let m = self.operand2(y);
        self.alu_flags(op, flags, d, (n, m));
    }

    /// d = x op y for the low halves, with the carry for the high ones.
    pub(super) fn low_half(&mut self, (op, opposite): (AluOp, AluOp), d: VReg, x: Word, y: Word) {
        let n = self.word_reg(x);
        if let Word::Const(bits) = y
            && ModifiedImm::new(bits).is_none()
            && let Some(imm) = ModifiedImm::new(bits.wrapping_neg())
        {
            // Adding c and subtracting -c carry alike for every c but 0, which encodes.
            return self.alu_flags(opposite, Flags::Set, d, (n, Operand2::Imm(imm)));
        }
        let m = self.operand2(y);
        self.alu_flags(op, Flags::Set, d, (n, m));
    }

    pub(super) fn wanted_or_local(&mut self, d: Option<VReg>) -> VReg {
        d.unwrap_or_else(|| self.local())
    }

    // Sums.

    fn add_wide(&mut self, want: Pair, a: Value, b: Value) {
        if self.add_product(want, a, b) || self.add_product(want, b, a) {
            return;
        }
        let ((xl, xh), (yl, yh)) = (self.words(a), self.words(b));
        let ((xl, xh), (yl, yh)) = match xl {
            Word::Const(_) => ((yl, yh), (xl, xh)),
            Word::Part(..) => ((xl, xh), (yl, yh)),
        };
        match want {
            Pair { low, high: None } => {
                if let Some(d) = low {
                    self.add_words(d, xl, yl);
                }
            }
            Pair { low, high: Some(d) } if yl == Word::Const(0) => {
                if let Some(d) = low {
                    self.move_word(d, xl);
                }
                self.add_words(d, xh, yh);
            }
            Pair { low, high: Some(d) } => {
                let low = self.wanted_or_local(low);
                self.low_half((AluOp::Add, AluOp::Sub), low, xl, yl);
                self.add_with_carry(Flags::Keep, d, xh, yh);
            }
        }
    }

    /// a + b where b is a product that nothing else uses, in one instruction.
    fn add_product(&mut self, want: Pair, a: Value, b: Value) -> bool {
        let Some(inst) = self.only_here(b).filter(|inst| inst.op == Op::Mul64) else {
            return false;
        };
        let (xl, xh) = self.words(a);
        let factors = (inst.args[0], inst.args[1]);
        let (Pair { low, high }, long) = (want, self.long_factors(inst));
        match (high, long) {
            (None, _) => {
                if self.constant(factors.0).or(self.constant(factors.1)).is_some() {
                    return false;
                }
                let Some(d) = low else { return false };
                let (n, m) = (self.reg(factors.0), self.reg(factors.1));
                let a = self.word_reg(xl);
                self.emit(Inst::MulAdd { d, n, m, a });
                true
            }
            (Some(high), Some((sign, n, m))) => {
                let op = match sign {
                    Sign::Unsigned => MulLongAddOp::Umlal,
                    Sign::Signed => MulLongAddOp::Smlal,
                };
                let low = self.wanted_or_local(low);
                let (low_in, high_in) = (self.word_reg(xl), self.word_reg(xh));
                let (n, m) = (self.word_reg(n), self.word_reg(m));
                self.emit(Inst::MulLongAdd { op, low, high, low_in, high_in, n, m });
                true
            }
            (Some(_), None) => false,
        }
    }

    fn sub_wide(&mut self, want: Pair, a: Value, b: Value) {
        let ((xl, xh), (yl, yh)) = (self.words(a), self.words(b));
        let Some(high) = want.high else {
            if let Some(d) = want.low {
                self.sub_words(d, xl, yl);
            }
            return;
        };
        if yl == Word::Const(0) {
            if let Some(d) = want.low {
                self.move_word(d, xl);
            }
            return self.sub_words(high, xh, yh);
        }
        let low = self.wanted_or_local(want.low);
        match xl {
            Word::Const(bits) if ModifiedImm::new(bits).is_some() => {
                let (n, m) = (self.word_reg(yl), self.operand2(xl));
                self.alu_flags(AluOp::Rsb, Flags::Set, low, (n, m));
            }
            _ => self.low_half((AluOp::Sub, AluOp::Add), low, xl, yl),
        }
        self.subtract_with_borrow(Flags::Keep, high, xh, yh);
    }

    /// d = x - y.
    fn sub_words(&mut self, d: VReg, x: Word, y: Word) {
        match (x, y) {
            (_, Word::Const(bits)) => self.add_words(d, x, Word::Const(bits.wrapping_neg())),
            (Word::Const(bits), _) if ModifiedImm::new(bits).is_some() => {
                let (n, m) = (self.word_reg(y), self.operand2(x));
                self.alu(AluOp::Rsb, d, n, m);
            }
            _ => {
                let (n, m) = (self.word_reg(x), self.operand2(y));
                self.alu(AluOp::Sub, d, n, m);
            }
        }
    }

    // Products.

    /// The words whose extensions a product multiplies, if both are extended alike.
    fn long_factors(&self, inst: &ir::InstData) -> Option<(Sign, Word, Word)> {
        let extended = |value: Value| {
            let inst = self.ir.definition(value)?;
            matches!(inst.op, Op::ExtendU | Op::ExtendS).then(|| (inst.op, self.word(inst.args[0], Half::Low)))
        };
        let (a, b) = (inst.args[0], inst.args[1]);
        let is_word = |value: Value| self.word(value, Half::High) == Word::Const(0);
        match (extended(a), extended(b)) {
            (Some((Op::ExtendS, x)), Some((Op::ExtendS, y))) => Some((Sign::Signed, x, y)),
            _ if is_word(a) && is_word(b) => {
                let (x, y) = (self.word(a, Half::Low), self.word(b, Half::Low));
                Some((Sign::Unsigned, x, y))
            }
            _ => self.signed_constant_factor(inst),
        }
    }

    /// A sign-extended word times a constant that is one, too.
    fn signed_constant_factor(&self, inst: &ir::InstData) -> Option<(Sign, Word, Word)> {
        let [a, b] = inst.args[..] else { return None };
        let extension = self.ir.definition(a).filter(|i| i.op == Op::ExtendS)?;
        let (Word::Const(low), Word::Const(high)) = self.words(b) else {
            return None;
        };
        let is_extended = ((low as i32) >> 31) as u32 == high;
        let x = self.word(extension.args[0], Half::Low);
        is_extended.then_some((Sign::Signed, x, Word::Const(low)))
    }

    fn mul_wide(&mut self, want: Pair, a: Value, b: Value) {
        let (a, b) = match self.words(a) {
            (Word::Const(_), Word::Const(_)) => (b, a),
            _ => (a, b),
        };
        let ((xl, xh), (yl, yh)) = (self.words(a), self.words(b));
        if let (Word::Const(low), Word::Const(high)) = (yl, yh) {
            let bits = u64::from(high) << 32 | u64::from(low);
            if bits.is_power_of_two() {
                return self.shift_left_constant(want, (xl, xh), bits.ilog2());
            }
        }
        let Some(d) = want.high else {
            if let Some(d) = want.low {
                let (n, m) = (self.word_reg(xl), self.word_reg(yl));
                self.emit(Inst::Mul { d, n, m });
            }
            return;
        };
        let low = self.wanted_or_local(want.low);
        let inst = ir::InstData { op: Op::Mul64, args: vec![a, b], result: None, offset: self.source };
        if let Some((sign, n, m)) = self.long_factors(&inst) {
            let (n, m) = (self.word_reg(n), self.word_reg(m));
            return self.emit(Inst::MulLong { sign, low, high: d, n, m });
        }
        let crossed: Vec<_> =
            [(xl, yh), (xh, yl)].into_iter().filter(|&(x, y)| x != Word::Const(0) && y != Word::Const(0)).collect();
        let (n, m) = (self.word_reg(xl), self.word_reg(yl));
        let sign = Sign::Unsigned;
        let mut high = if crossed.is_empty() { d } else { self.local() };
        self.emit(Inst::MulLong { sign, low, high, n, m });
        for (index, &(x, y)) in crossed.iter().enumerate() {
            let is_last = index + 1 == crossed.len();
            let (n, m) = (self.word_reg(x), self.word_reg(y));
            let d = if is_last { d } else { self.local() };
            let a = std::mem::replace(&mut high, d);
            self.emit(Inst::MulAdd { d, n, m, a });
        }
    }

    // Extension and counting.

    /// Sign-extends the low word of a value, from a byte or a halfword if `op` says so.
    fn extend_wide(&mut self, want: Pair, a: Value, op: Option<UnaryOp>) {
        let word = self.word(a, Half::Low);
        let source = self.word_reg(word);
        let low = match (op, want.low) {
            (Some(op), low) => {
                let d = self.wanted_or_local(low);
                self.unary(op, d, source);
                d
            }
            (None, Some(d)) => {
                self.emit(Inst::Move { d, m: source });
                d
            }
            (None, None) => source,
        };
        if let Some(d) = want.high {
            self.shift_imm(ShiftOp::Asr, d, low, 31);
        }
    }

    fn count_wide(&mut self, d: VReg, op: Op, a: Value) {
        let (low, high) = self.words(a);
        let (low, high) = (self.word_reg(low), self.word_reg(high));
        if op == Op::Popcnt64 {
            let (x, y) = (self.local(), self.local());
            self.popcount(x, low);
            self.popcount(y, high);
            return self.alu(AluOp::Add, d, x, Operand2::Reg(y));
        }
        // The half that is counted first, and the one that counts if it is 0.
        let (first, second) = match op {
            Op::Clz64 => (high, low),
            _ => (low, high),
        };
        let (near, far, beyond) = (self.local(), self.local(), self.local());
        for (d, m) in [(near, first), (far, second)] {
            match op {
                Op::Clz64 => self.unary(UnaryOp::Clz, d, m),
                _ => self.count_trailing(d, m),
            }
        }
        self.add_constant(beyond, far, 32);
        let zero = ModifiedImm::new(0).expect("0 encodes");
        self.compare(CompareOp::Cmp, first, Operand2::Imm(zero));
        self.select_choice(d, Cond::Eq, Choice::Reg(beyond), Choice::Reg(near));
    }
}
