//! The high halves of 128-bit sums, differences and products, and with them the low halves where these
//! stand right before: then one chain of instructions makes both.

use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir::{Op, Value};
use crate::vcode::inst::{AluOp, Call, Callee, Flags, Inst, MulLongAddOp, Operand2, ShiftOp, Sign};
use crate::vcode::{PReg, VReg};

impl Lower<'_> {
    /// The registers asked for of the low half, if the operator right before this one makes it. It is
    /// not lowered again. A result that is an operand of this one as well is made on its own.
    fn low_before(&mut self, op: Op, args: [Value; 2], of: &[Value]) -> Pair {
        let none = Pair { low: None, high: None };
        let Some(before) = self.before.map(|inst| &self.ir.insts[inst]) else { return none };
        let is_pair = |value: &Value| before.op == op && before.args == args && !of.contains(value);
        let Some(value) = before.result.filter(|value| is_pair(value) && !self.floats.contains_key(value)) else {
            return none;
        };
        self.made_with_high.insert(value);
        Pair { low: self.asked(value, Half::Low), high: self.asked(value, Half::High) }
    }

    /// A sum or difference of four words, least first.
    pub(super) fn high_of_sum(&mut self, want: Pair, op: Op, args: &[Value]) {
        let &[a_low, a_high, b_low, b_high] = args else { unreachable!("two numbers in two halves each") };
        let is_sum = op == Op::Add128High;
        let low = self.low_before(if is_sum { Op::Add64 } else { Op::Sub64 }, [a_low, b_low], args);
        let words = |lower: &Self, low, high| {
            let (low, high) = (lower.words(low), lower.words(high));
            [low.0, low.1, high.0, high.1]
        };
        let (a, b) = (words(self, a_low, a_high), words(self, b_low, b_high));
        let results = [low.low, low.high, want.low, want.high];
        let last = if want.high.is_some() { 3 } else { 2 };
        for (index, d) in results.into_iter().enumerate().take(last + 1) {
            let flags = if index == last { Flags::Keep } else { Flags::Set };
            let d = self.wanted_or_local(d);
            let (x, y) = (a[index], b[index]);
            match (is_sum, index, x) {
                (true, 0, Word::Const(_)) => self.low_half((AluOp::Add, AluOp::Sub), d, y, x),
                (true, 0, Word::Part(..)) => self.low_half((AluOp::Add, AluOp::Sub), d, x, y),
                (true, ..) => self.add_with_carry(flags, d, x, y),
                (false, 0, _) => self.low_half((AluOp::Sub, AluOp::Add), d, x, y),
                (false, ..) => self.subtract_with_borrow(flags, d, x, y),
            }
        }
    }

    /// The product of two unsigned numbers by its four long products.
    pub(super) fn high_of_product(&mut self, want: Pair, a: Value, b: Value) {
        if self.is_small() {
            self.place_shared();
        }
        let ((a_low, a_high), (b_low, b_high)) = (self.factor(a), self.factor(b));
        let low = self.low_before(Op::Mul64, [a, b], &[a, b]);
        let (first, carried) = (self.wanted_or_local(low.low), self.local());
        self.long_product((first, carried), (a_low, b_low));
        let (middle, crossed) = (self.local(), self.local());
        self.add_long_product((middle, crossed), carried, (a_high, b_low));
        let (second, other) = (self.wanted_or_local(low.high), self.local());
        self.add_long_product((second, other), middle, (a_low, b_high));
        let (third, fourth) = (self.local(), self.local());
        self.add_long_product((third, fourth), crossed, (a_high, b_high));
        let d = self.wanted_or_local(want.low);
        self.emit(Inst::Alu { op: AluOp::Add, flags: Flags::Set, d, n: third, m: Operand2::Reg(other) });
        if let Some(d) = want.high {
            let zero = self.operand2(Word::Const(0));
            self.emit(Inst::Alu { op: AluOp::Adc, flags: Flags::Keep, d, n: fourth, m: zero });
        }
    }

    fn factor(&mut self, value: Value) -> (VReg, VReg) {
        let (low, high) = self.words(value);
        (self.word_reg(low), self.word_reg(high))
    }

    /// high:low = n * m; on Armv6-M the product of 64-bit numbers that the runtime computes.
    fn long_product(&mut self, (low, high): (VReg, VReg), (n, m): (VReg, VReg)) {
        let Some(helper) = self.module.helper(Op::Mul64) else {
            return self.emit(Inst::MulLong { sign: Sign::Unsigned, low, high, n, m });
        };
        let (own, above_n, above_m) = (self.local(), self.local(), self.local());
        self.emit(Inst::Move { d: own, m });
        for d in [above_n, above_m] {
            self.emit(Inst::Const { d, value: 0 });
        }
        let args = vec![(PReg::R0, n), (PReg::R1, above_n), (PReg::R2, own), (PReg::R3, above_m)];
        let results = vec![(PReg::R0, low), (PReg::R1, high)];
        self.emit(Inst::Call(Call { callee: Callee::Function(helper.0), args, results }));
    }

    /// high:low = addend + n * m.
    fn add_long_product(&mut self, (low, high): (VReg, VReg), addend: VReg, factors: (VReg, VReg)) {
        if self.is_small() {
            let (product_low, product_high) = (self.local(), self.local());
            self.long_product((product_low, product_high), factors);
            let m = Operand2::Reg(addend);
            self.emit(Inst::Alu { op: AluOp::Add, flags: Flags::Set, d: low, n: product_low, m });
            let zero = self.operand2(Word::Const(0));
            return self.emit(Inst::Alu { op: AluOp::Adc, flags: Flags::Keep, d: high, n: product_high, m: zero });
        }
        let high_in = self.local();
        self.emit(Inst::Const { d: high_in, value: 0 });
        let (n, m) = factors;
        self.emit(Inst::MulLongAdd { op: MulLongAddOp::Umlal, low, high, low_in: addend, high_in, n, m });
    }

    /// The unsigned product, less each factor whose other one is negative.
    pub(super) fn high_of_signed_product(&mut self, want: Pair, a: Value, b: Value) {
        let (mut low, mut high) = (self.local(), self.local());
        self.high_of_product(Pair { low: Some(low), high: Some(high) }, a, b);
        for (sign, factor, is_last) in [(a, b, false), (b, a, true)] {
            let (_, top) = self.factor(sign);
            let (less_low, less_high) = self.factor(factor);
            let mask = self.local();
            self.shift_imm(ShiftOp::Asr, mask, top, 31);
            let masked = [less_low, less_high].map(|word| {
                let d = self.local();
                self.emit(Inst::Alu { op: AluOp::And, flags: Flags::Keep, d, n: word, m: Operand2::Reg(mask) });
                d
            });
            let (next_low, next_high) = match is_last {
                true => (self.wanted_or_local(want.low), self.wanted_or_local(want.high)),
                false => (self.local(), self.local()),
            };
            let m = Operand2::Reg(masked[0]);
            self.emit(Inst::Alu { op: AluOp::Sub, flags: Flags::Set, d: next_low, n: low, m });
            let m = Operand2::Reg(masked[1]);
            self.emit(Inst::Alu { op: AluOp::Sbc, flags: Flags::Keep, d: next_high, n: high, m });
            (low, high) = (next_low, next_high);
        }
    }
}
