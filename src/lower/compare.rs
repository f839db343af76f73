//! Conditions: comparisons fused with what consumes them, and comparisons as values.
//!
//! Ensures: the flags are written by the item that the consumer's own selection emits last, so
//! nothing stands between that could destroy them.

use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir;
use crate::ir::{Op, Type, Value};
use crate::vcode::VReg;
use crate::vcode::func::Purpose;
use crate::vcode::imm::{Imm8, ModifiedImm};
use crate::vcode::inst::{AluOp, Choice, CompareOp, Cond, Flags, Inst, Operand2, ShiftOp, Trap, UnaryOp, ZeroTest};

/// How a condition is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Test {
    /// By the flags.
    Flags(Cond),
    /// By a register that is or is not zero.
    Register(VReg, ZeroTest),
}

impl Test {
    fn negated(self) -> Test {
        match self {
            Test::Flags(cond) => Test::Flags(cond.negated()),
            Test::Register(n, ZeroTest::Zero) => Test::Register(n, ZeroTest::NonZero),
            Test::Register(n, ZeroTest::NonZero) => Test::Register(n, ZeroTest::Zero),
        }
    }
}

/// The orders and equality, as conditions on the flags of `cmp a, b`.
pub(super) fn condition(op: Op) -> Option<Cond> {
    match op {
        Op::Eq32 | Op::Eq64 => Some(Cond::Eq),
        Op::Ne32 | Op::Ne64 => Some(Cond::Ne),
        Op::LtU32 | Op::LtU64 => Some(Cond::Lo),
        Op::LtS32 | Op::LtS64 => Some(Cond::Lt),
        Op::LeU32 | Op::LeU64 => Some(Cond::Ls),
        Op::LeS32 | Op::LeS64 => Some(Cond::Le),
        _ => None,
    }
}

/// The condition with the operands of the comparison exchanged.
fn swapped(cond: Cond) -> Cond {
    match cond {
        Cond::Lo => Cond::Hi,
        Cond::Hi => Cond::Lo,
        Cond::Ls => Cond::Hs,
        Cond::Hs => Cond::Ls,
        Cond::Lt => Cond::Gt,
        Cond::Gt => Cond::Lt,
        Cond::Le => Cond::Ge,
        Cond::Ge => Cond::Le,
        other => other,
    }
}

/// The same comparison with a constant one larger or one smaller, if there is one.
fn neighbour(cond: Cond, bits: u32) -> Option<(Cond, u32)> {
    let signed = bits as i32;
    match cond {
        Cond::Lo => Some((Cond::Ls, bits.checked_sub(1)?)),
        Cond::Hs => Some((Cond::Hi, bits.checked_sub(1)?)),
        Cond::Ls => Some((Cond::Lo, bits.checked_add(1)?)),
        Cond::Hi => Some((Cond::Hs, bits.checked_add(1)?)),
        Cond::Lt => Some((Cond::Le, signed.checked_sub(1)? as u32)),
        Cond::Ge => Some((Cond::Gt, signed.checked_sub(1)? as u32)),
        Cond::Le => Some((Cond::Lt, signed.checked_add(1)? as u32)),
        Cond::Gt => Some((Cond::Ge, signed.checked_add(1)? as u32)),
        _ => None,
    }
}

impl Lower<'_> {
    pub(super) fn trap_if(&mut self, trap: Trap, cond: Value) {
        self.purpose = Purpose::Check;
        if self.trap_unless_fits(trap, cond) {
            return;
        }
        let cond = self.flags(cond);
        self.emit(Inst::TrapIf { cond, trap });
    }

    /// Writes the flags such that the condition holds exactly if `cond` is not zero.
    pub(super) fn flags(&mut self, cond: Value) -> Cond {
        match self.test(cond) {
            Test::Flags(cond) => cond,
            Test::Register(n, test) => {
                self.compare(CompareOp::Cmp, n, Operand2::Imm(zero()));
                match test {
                    ZeroTest::Zero => Cond::Eq,
                    ZeroTest::NonZero => Cond::Ne,
                }
            }
        }
    }

    /// How it is known whether `cond` is not zero; writes the flags if that is how.
    pub(super) fn test(&mut self, mut cond: Value) -> Test {
        let mut is_negated = false;
        while let Some((inner, is_zero_test)) = self.comparison_with_zero(cond) {
            cond = inner;
            is_negated ^= is_zero_test;
        }
        let test = self.test_nonzero(cond);
        if is_negated { test.negated() } else { test }
    }

    /// The operand of a comparison with zero, and whether it holds exactly for zero.
    fn comparison_with_zero(&self, cond: Value) -> Option<(Value, bool)> {
        let inst = self.here(cond)?;
        if !matches!(inst.op, Op::Eq32 | Op::Ne32) {
            return None;
        }
        let is_equal = inst.op == Op::Eq32;
        match (inst.args[0], inst.args[1]) {
            (a, b) if self.is_constant(b, 0) => Some((a, is_equal)),
            (a, b) if self.is_constant(a, 0) => Some((b, is_equal)),
            _ => None,
        }
    }

    fn test_nonzero(&mut self, cond: Value) -> Test {
        let Some(inst) = self.here(cond) else {
            return Test::Register(self.reg(cond), ZeroTest::NonZero);
        };
        if let Some(cond) = condition(inst.op) {
            let (a, b) = (inst.args[0], inst.args[1]);
            return Test::Flags(match self.ir.values[a].ty {
                Type::I32 => self.compare_words(cond, self.low(a), self.low(b)),
                Type::I64 => self.compare_wide(cond, a, b),
            });
        }
        if let Some(cond) = self.compare_floats(inst.op, &inst.args) {
            return Test::Flags(cond);
        }
        if self.usage[cond].uses == 1
            && let Some(cond) = self.all_equal(inst).or_else(|| self.test_bits(inst))
        {
            return Test::Flags(cond);
        }
        Test::Register(self.reg(cond), ZeroTest::NonZero)
    }

    fn low(&self, value: Value) -> Word {
        self.word(value, Half::Low)
    }

    pub(super) fn compare(&mut self, op: CompareOp, n: VReg, m: Operand2<VReg>) {
        self.emit(Inst::Compare { op, n, m });
    }

    /// The flags of a bitwise operator or a difference that nothing else uses.
    fn test_bits(&mut self, inst: &ir::InstData) -> Option<Cond> {
        let op = match inst.op {
            Op::And32 => CompareOp::Tst,
            Op::Xor32 => CompareOp::Teq,
            Op::Sub32 => CompareOp::Cmp,
            Op::Or32 => {
                let (n, m) = (self.reg(inst.args[0]), self.reg(inst.args[1]));
                self.or_flags(n, m);
                return Some(Cond::Ne);
            }
            _ => return None,
        };
        let (x, y) = (self.low(inst.args[0]), self.low(inst.args[1]));
        let (x, y) = match (x, inst.op) {
            (Word::Const(_), Op::And32 | Op::Xor32) => (y, x),
            _ => (x, y),
        };
        let n = self.word_reg(x);
        let m = self.operand2(y);
        self.compare(op, n, m);
        Some(Cond::Ne)
    }

    /// Z = whether n | m is 0.
    fn or_flags(&mut self, n: VReg, m: VReg) {
        let (op, flags, d) = (AluOp::Orr, Flags::Set, self.local());
        let m = Operand2::Reg(m);
        self.emit(Inst::Alu { op, flags, d, n, m });
    }

    /// The flags of "a = b and c = d", or of "a is not b or c is not d": whether (a ^ b) | (c ^ d)
    /// is 0.
    fn all_equal(&mut self, inst: &ir::InstData) -> Option<Cond> {
        let (inner, cond) = match inst.op {
            Op::And32 => (Op::Eq32, Cond::Eq),
            Op::Or32 => (Op::Ne32, Cond::Ne),
            _ => return None,
        };
        let sides = [inst.args[0], inst.args[1]].map(|side| {
            let inst = self.here(side).filter(|inst| inst.op == inner)?;
            Some((inst.args[0], inst.args[1]))
        });
        let [Some(first), Some(second)] = sides else {
            return None;
        };
        let n = self.difference(self.low(first.0), self.low(first.1));
        let m = self.difference(self.low(second.0), self.low(second.1));
        self.or_flags(n, m);
        Some(cond)
    }

    /// A register that is 0 exactly if two words are equal.
    fn difference(&mut self, x: Word, y: Word) -> VReg {
        let (x, y) = match x {
            Word::Const(_) => (y, x),
            Word::Part(..) => (x, y),
        };
        if y == Word::Const(0) {
            return self.word_reg(x);
        }
        let d = self.local();
        if y == Word::Const(u32::MAX) {
            let (m, flags) = (self.operand2(x), Flags::Keep);
            self.emit(Inst::Not { flags, d, m });
        } else {
            self.commutative(AluOp::Eor, d, x, y);
        }
        d
    }

    /// Compares two words.
    fn compare_words(&mut self, cond: Cond, x: Word, y: Word) -> Cond {
        let must_swap = match (x, y) {
            (Word::Const(_), Word::Const(_)) => false,
            (Word::Const(_), Word::Part(..)) => true,
            _ => self.shifted(x).is_some() && self.shifted(y).is_none(),
        };
        let (x, y, cond) = match must_swap && !matches!(y, Word::Const(_)) {
            true => (y, x, swapped(cond)),
            false => (x, y, cond),
        };
        let n = self.word_reg(x);
        let Word::Const(bits) = y else {
            let m = self.operand2(y);
            self.compare(CompareOp::Cmp, n, m);
            return cond;
        };
        for (cond, bits) in std::iter::once((cond, bits)).chain(neighbour(cond, bits)) {
            if let Some(imm) = ModifiedImm::new(bits) {
                self.compare(CompareOp::Cmp, n, Operand2::Imm(imm));
                return cond;
            }
            // The flags of n - c and of n + (-c) differ only for c = 0, which encodes above.
            if let Some(imm) = ModifiedImm::new(bits.wrapping_neg()) {
                self.compare(CompareOp::Cmn, n, Operand2::Imm(imm));
                return cond;
            }
        }
        let m = self.operand2(y);
        self.compare(CompareOp::Cmp, n, m);
        cond
    }

    /// Compares two 64-bit values: equality by the differences of the halves, order by a
    /// subtraction of which only the flags are used.
    fn compare_wide(&mut self, cond: Cond, a: Value, b: Value) -> Cond {
        let ((xl, xh), (yl, yh)) = (self.words(a), self.words(b));
        if matches!(cond, Cond::Eq | Cond::Ne) {
            if xh == yh {
                return self.compare_words(cond, xl, yl);
            }
            let (n, m) = (self.difference(xl, yl), self.difference(xh, yh));
            self.or_flags(n, m);
            return cond;
        }
        let unsigned = match cond {
            Cond::Lt => Cond::Lo,
            Cond::Le => Cond::Ls,
            other => other,
        };
        if xh == yh {
            return self.compare_words(unsigned, xl, yl);
        }
        match cond {
            Cond::Lo => self.subtract_flags((xl, xh), (yl, yh), Cond::Lo),
            Cond::Lt => self.subtract_flags((xl, xh), (yl, yh), Cond::Lt),
            // x <= y is x < y + 1, where y + 1 is a constant, else not y < x.
            Cond::Ls => match successor(yl, yh, |y| y.checked_add(1)) {
                Some(y) => self.subtract_flags((xl, xh), y, Cond::Lo),
                None => self.subtract_flags((yl, yh), (xl, xh), Cond::Hs),
            },
            _ => match successor(yl, yh, |y| Some((y as i64).checked_add(1)? as u64)) {
                Some(y) => self.subtract_flags((xl, xh), y, Cond::Lt),
                None => self.subtract_flags((yl, yh), (xl, xh), Cond::Ge),
            },
        }
    }

    /// The flags of x - y, for `cond` one of Lo, Hs, Lt, Ge.
    fn subtract_flags(&mut self, x: (Word, Word), y: (Word, Word), cond: Cond) -> Cond {
        let x_bits = constant(x);
        if let (Some(bits), None) = (x_bits, constant(y)) {
            // c < y is not y < c + 1; with the constant second, it can be an immediate.
            let next = match cond {
                Cond::Lo | Cond::Hs => bits.checked_add(1),
                _ => (bits as i64).checked_add(1).map(|bits| bits as u64),
            };
            if let Some(next) = next {
                return self.subtract_words(y, split(next), cond.negated());
            }
        }
        self.subtract_words(x, y, cond)
    }

    fn subtract_words(&mut self, x: (Word, Word), y: (Word, Word), cond: Cond) -> Cond {
        if y.0 == Word::Const(0) {
            // Nothing is borrowed from the high half, so it decides.
            let (n, m) = (self.word_reg(x.1), self.operand2(y.1));
            self.compare(CompareOp::Cmp, n, m);
            return cond;
        }
        let n = self.word_reg(x.0);
        match y.0 {
            Word::Const(bits) if ModifiedImm::new(bits).is_none() => match ModifiedImm::new(bits.wrapping_neg()) {
                Some(imm) => self.compare(CompareOp::Cmn, n, Operand2::Imm(imm)),
                None => {
                    let m = self.operand2(y.0);
                    self.compare(CompareOp::Cmp, n, m);
                }
            },
            word => {
                let m = self.operand2(word);
                self.compare(CompareOp::Cmp, n, m);
            }
        }
        let d = self.local();
        self.subtract_with_borrow(Flags::Set, d, x.1, y.1);
        cond
    }

    // Comparisons as values.

    /// d = 1 if the comparison holds, else 0.
    pub(super) fn materialise(&mut self, d: VReg, op: Op, a: Value, b: Value) {
        let cond = condition(op).expect("every other operator with a 32-bit result is selected");
        if self.ir.values[a].ty == Type::I32 {
            match cond {
                Cond::Eq if self.is_constant(b, 0) && self.here_comparison(a).is_none() && self.is_small() => {
                    // 0 - n borrows unless n is 0: -n + n + 1 is 1 then, and else 0.
                    let (m, minus) = (self.reg(a), self.local());
                    let (op, flags, zero) = (AluOp::Rsb, Flags::Set, Operand2::Imm(zero()));
                    self.emit(Inst::Alu { op, flags, d: minus, n: m, m: zero });
                    return self.alu(AluOp::Adc, d, minus, Operand2::Reg(m));
                }
                Cond::Eq if self.is_constant(b, 0) && self.here_comparison(a).is_none() => {
                    // Exactly 0 has 32 leading zeros.
                    let (zeros, m) = (self.local(), self.reg(a));
                    self.unary(UnaryOp::Clz, zeros, m);
                    return self.shift_imm(ShiftOp::Lsr, d, zeros, 5);
                }
                Cond::Lt if self.is_constant(b, 0) => {
                    let n = self.reg(a);
                    return self.shift_imm(ShiftOp::Lsr, d, n, 31);
                }
                Cond::Eq | Cond::Ne if self.is_constant(b, 0) => {
                    let cond = match (cond, self.flags(a)) {
                        (Cond::Eq, flags) => flags.negated(),
                        (_, flags) => flags,
                    };
                    return self.emit(Inst::SetCond { d, cond });
                }
                _ => {}
            }
        }
        let cond = match self.ir.values[a].ty {
            Type::I32 => self.compare_words(cond, self.low(a), self.low(b)),
            Type::I64 => self.compare_wide(cond, a, b),
        };
        self.emit(Inst::SetCond { d, cond });
    }

    /// The comparison in this block that a value is.
    fn here_comparison(&self, value: Value) -> Option<Cond> {
        self.here(value).and_then(|inst| condition(inst.op))
    }

    fn choice(&mut self, word: Word) -> Choice<VReg> {
        match word {
            Word::Const(bits) => match Imm8::new(bits) {
                Some(imm) => Choice::Imm(imm),
                None => Choice::Reg(self.word_reg(word)),
            },
            Word::Part(..) => Choice::Reg(self.word_reg(word)),
        }
    }

    /// d = args[1] if args[0] is not zero, else args[2].
    pub(super) fn select(&mut self, d: VReg, args: &[Value]) {
        let want = Pair { low: Some(d), high: None };
        self.select_pair(want, args);
    }

    /// The halves asked for, of args[1] if args[0] is not zero, else of args[2].
    pub(super) fn select_pair(&mut self, want: Pair, args: &[Value]) {
        let mut choices = Vec::new();
        for (d, half) in [(want.low, Half::Low), (want.high, Half::High)] {
            if let Some(d) = d {
                let (a, b) = (self.word(args[1], half), self.word(args[2], half));
                choices.push((d, self.choice(a), self.choice(b)));
            }
        }
        let cond = self.flags(args[0]);
        for (d, a, b) in choices {
            self.select_choice(d, cond, a, b);
        }
    }

    /// d = if cond then a else b.
    pub(super) fn select_choice(&mut self, d: VReg, cond: Cond, a: Choice<VReg>, b: Choice<VReg>) {
        let bits = |choice| match choice {
            Choice::Imm(imm) => Some(Imm8::value(imm)),
            Choice::Reg(_) => None,
        };
        match (bits(a), bits(b)) {
            (Some(1), Some(0)) => self.emit(Inst::SetCond { d, cond }),
            (Some(0), Some(1)) => {
                let cond = cond.negated();
                self.emit(Inst::SetCond { d, cond });
            }
            _ => self.emit(Inst::Select { d, cond, a, b }),
        }
    }
}

fn zero() -> ModifiedImm {
    ModifiedImm::new(0).expect("0 encodes")
}

fn split(bits: u64) -> (Word, Word) {
    (Word::Const(bits as u32), Word::Const((bits >> 32) as u32))
}

fn constant(words: (Word, Word)) -> Option<u64> {
    match words {
        (Word::Const(low), Word::Const(high)) => Some(u64::from(high) << 32 | u64::from(low)),
        _ => None,
    }
}

/// The constant after a constant.
fn successor(low: Word, high: Word, add_one: impl Fn(u64) -> Option<u64>) -> Option<(Word, Word)> {
    constant((low, high)).and_then(add_one).map(split)
}
