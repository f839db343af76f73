//! 32-bit operators: the dispatch, arithmetic, counting.

use super::words::{ShiftedWord, Word};
use super::{Half, Lower};
use crate::ir;
use crate::ir::{Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::{Imm12, ModifiedImm, ShiftImm};
use crate::vcode::inst::{AluOp, Flags, Inst, Operand2, ShiftBy, ShiftOp, Sign, UnaryOp, WideOp};

/// How to multiply by a constant without a multiplication.
enum CheapProduct {
    /// n << k.
    Power(u32),
    /// n + (n << k).
    PowerPlusOne(ShiftImm),
    /// (n << k) - n.
    PowerMinusOne(ShiftImm),
}

fn cheap_product(bits: u32) -> Option<CheapProduct> {
    if bits.is_power_of_two() {
        return Some(CheapProduct::Power(bits.ilog2()));
    }
    let power = |bits: u32| {
        let exponent = bits.is_power_of_two().then(|| bits.ilog2())?;
        ShiftImm::new(exponent)
    };
    let plus = power(bits.wrapping_sub(1)).map(CheapProduct::PowerPlusOne);
    plus.or_else(|| power(bits.wrapping_add(1)).map(CheapProduct::PowerMinusOne))
}

impl Lower<'_> {
    /// Computes a pure operator with a 32-bit result.
    pub(super) fn lower_int(&mut self, d: VReg, op: Op, args: &[Value]) {
        let (a, b) = (args[0], *args.last().expect("every operator has an operand"));
        match op {
            Op::Add32 => self.add(d, a, b),
            Op::Sub32 => self.sub(d, a, b),
            Op::Mul32 => self.mul(d, a, b),
            Op::DivU32 => self.div_u(d, a, b),
            Op::DivS32 => {
                let (n, m) = (self.reg(a), self.reg(b));
                let sign = Sign::Signed;
                self.emit(Inst::Div { sign, d, n, m });
            }
            Op::RemU32 => self.rem(d, Op::DivU32, a, b),
            Op::RemS32 => self.rem(d, Op::DivS32, a, b),
            Op::And32 | Op::Or32 | Op::Xor32 => self.logic(d, op, a, b),
            Op::Shl32 | Op::ShrU32 | Op::ShrS32 | Op::RotL32 | Op::RotR32 => {
                self.shift(d, op, a, b);
            }
            Op::Clz32 => {
                let m = self.reg(a);
                self.unary(UnaryOp::Clz, d, m);
            }
            Op::Ctz32 => {
                let m = self.reg(a);
                self.count_trailing(d, m);
            }
            Op::Popcnt32 => {
                let n = self.reg(a);
                self.popcount(d, n);
            }
            Op::Extend8S32 => self.extend(d, a, UnaryOp::Sxtb),
            Op::Extend16S32 => self.extend(d, a, UnaryOp::Sxth),
            Op::Select32 => self.select(d, args),
            Op::Wrap => {
                let m = self.reg(a);
                self.emit(Inst::Move { d, m });
            }
            _ => self.materialise(d, op, a, b),
        }
    }

    // Emission of single items.

    pub(super) fn alu(&mut self, op: AluOp, d: VReg, n: VReg, m: Operand2<VReg>) {
        let flags = Flags::Keep;
        self.emit(Inst::Alu { op, flags, d, n, m });
    }

    /// Like `alu`, into a new register.
    pub(super) fn alu_local(&mut self, op: AluOp, n: VReg, m: Operand2<VReg>) -> VReg {
        let d = self.local();
        self.alu(op, d, n, m);
        d
    }

    pub(super) fn unary(&mut self, op: UnaryOp, d: VReg, m: VReg) {
        self.emit(Inst::Unary { op, d, m });
    }

    /// Shifts by a constant from 0 to 31.
    pub(super) fn shift_imm(&mut self, op: ShiftOp, d: VReg, n: VReg, by: u32) {
        assert!(by < 32, "a constant shift by {by}");
        match ShiftImm::new(by) {
            None => self.emit(Inst::Move { d, m: n }),
            Some(by) => {
                let by = ShiftBy::Imm(by);
                let flags = Flags::Keep;
                self.emit(Inst::Shift { op, flags, d, n, by });
            }
        }
    }

    pub(super) fn shift_imm_local(&mut self, op: ShiftOp, n: VReg, by: u32) -> VReg {
        let d = self.local();
        self.shift_imm(op, d, n, by);
        d
    }

    // Operands.

    /// A word as flexible second operand; folds a shift that nothing else uses.
    pub(super) fn operand2(&mut self, word: Word) -> Operand2<VReg> {
        if let Word::Const(bits) = word
            && let Some(imm) = ModifiedImm::new(bits)
        {
            return Operand2::Imm(imm);
        }
        if let Some(shifted) = self.shifted(word) {
            let n = self.word_reg(shifted.word);
            return Operand2::Shifted(n, shifted.op, shifted.by);
        }
        Operand2::Reg(self.word_reg(word))
    }

    /// A word that is another one shifted by a constant, if nothing else uses it.
    pub(super) fn shifted(&self, word: Word) -> Option<ShiftedWord> {
        let inst = self.only_word_here(word)?;
        let (op, count) = match inst.op {
            Op::Shl32 => (ShiftOp::Lsl, self.constant(inst.args[1])?),
            Op::ShrU32 => (ShiftOp::Lsr, self.constant(inst.args[1])?),
            Op::ShrS32 => (ShiftOp::Asr, self.constant(inst.args[1])?),
            Op::RotR32 => (ShiftOp::Ror, self.constant(inst.args[1])?),
            Op::RotL32 => (ShiftOp::Ror, self.constant(inst.args[1])?.wrapping_neg()),
            Op::Mul32 => {
                let bits = self.constant(inst.args[1])?;
                let exponent = bits.is_power_of_two().then(|| bits.ilog2())?;
                (ShiftOp::Lsl, exponent)
            }
            _ => return None,
        };
        if self.is_field(inst) {
            return None;
        }
        let by = ShiftImm::new(count % 32)?;
        let word = self.word(inst.args[0], Half::Low);
        matches!(word, Word::Part(..)).then_some(ShiftedWord { word, op, by })
    }

    /// The factors of a product that nothing else uses and that needs a multiplication.
    fn product(&mut self, value: Value) -> Option<(VReg, VReg)> {
        let word = self.word(value, Half::Low);
        let inst = self.only_word_here(word).filter(|i| i.op == Op::Mul32)?;
        let cheap = |value| self.constant(value).is_some_and(|c| c == 0 || cheap_product(c).is_some());
        if cheap(inst.args[0]) || cheap(inst.args[1]) {
            return None;
        }
        Some((self.reg(inst.args[0]), self.reg(inst.args[1])))
    }

    // Sums.

    fn add(&mut self, d: VReg, a: Value, b: Value) {
        let (a, b) = match self.constant(a) {
            Some(_) => (b, a),
            None => (a, b),
        };
        if let Some(bits) = self.constant(b) {
            let n = self.reg(a);
            return self.add_constant(d, n, bits);
        }
        for (factor, addend) in [(b, a), (a, b)] {
            if let Some((n, m)) = self.product(factor) {
                let a = self.reg(addend);
                return self.emit(Inst::MulAdd { d, n, m, a });
            }
        }
        let (x, y) = (self.word(a, Half::Low), self.word(b, Half::Low));
        self.commutative(AluOp::Add, d, x, y);
    }

    /// d = x op y with the better operand second.
    pub(super) fn commutative(&mut self, op: AluOp, d: VReg, x: Word, y: Word) {
        let is_second = |word| matches!(word, Word::Const(_));
        let swap = is_second(x) || (self.shifted(x).is_some() && self.shifted(y).is_none());
        let (x, y) = if swap && !is_second(y) { (y, x) } else { (x, y) };
        let m = self.operand2(y);
        let n = self.word_reg(x);
        self.alu(op, d, n, m);
    }

    pub(super) fn add_constant(&mut self, d: VReg, n: VReg, bits: u32) {
        let negated = bits.wrapping_neg();
        let wide = |op, bits| Imm12::new(bits).map(|imm| Inst::AluWide { op, d, n, imm });
        let narrow = |op, bits| {
            let m = Operand2::Imm(ModifiedImm::new(bits)?);
            let flags = Flags::Keep;
            Some(Inst::Alu { op, flags, d, n, m })
        };
        let inst = if bits == 0 {
            Some(Inst::Move { d, m: n })
        } else if (bits as i32) < 0 {
            narrow(AluOp::Sub, negated).or_else(|| narrow(AluOp::Add, bits))
        } else {
            narrow(AluOp::Add, bits).or_else(|| narrow(AluOp::Sub, negated))
        };
        let inst = inst.or_else(|| wide(WideOp::Add, bits)).or_else(|| wide(WideOp::Sub, negated));
        match inst {
            Some(inst) => self.emit(inst),
            None => {
                let m = Operand2::Reg(self.word_reg(Word::Const(bits)));
                self.alu(AluOp::Add, d, n, m);
            }
        }
    }

    fn sub(&mut self, d: VReg, a: Value, b: Value) {
        if let Some(bits) = self.constant(b) {
            let n = self.reg(a);
            return self.add_constant(d, n, bits.wrapping_neg());
        }
        if let Some(imm) = self.constant(a).and_then(ModifiedImm::new) {
            let n = self.reg(b);
            return self.alu(AluOp::Rsb, d, n, Operand2::Imm(imm));
        }
        if let Some((n, m)) = self.product(b) {
            let a = self.reg(a);
            return self.emit(Inst::MulSub { d, n, m, a });
        }
        let (x, y) = (self.word(a, Half::Low), self.word(b, Half::Low));
        if self.shifted(x).is_some() && self.shifted(y).is_none() {
            let (m, n) = (self.operand2(x), self.word_reg(y));
            return self.alu(AluOp::Rsb, d, n, m);
        }
        let (n, m) = (self.word_reg(x), self.operand2(y));
        self.alu(AluOp::Sub, d, n, m);
    }

    // Products and quotients.

    fn mul(&mut self, d: VReg, a: Value, b: Value) {
        let (a, b) = match self.constant(a) {
            Some(_) => (b, a),
            None => (a, b),
        };
        let n = self.reg(a);
        let bits = self.constant(b);
        if bits == Some(0) {
            return self.emit(Inst::Const { d, value: 0 });
        }
        match bits.and_then(cheap_product) {
            Some(CheapProduct::Power(exponent)) => self.shift_imm(ShiftOp::Lsl, d, n, exponent),
            Some(CheapProduct::PowerPlusOne(by)) => {
                self.alu(AluOp::Add, d, n, Operand2::Shifted(n, ShiftOp::Lsl, by));
            }
            Some(CheapProduct::PowerMinusOne(by)) => {
                self.alu(AluOp::Rsb, d, n, Operand2::Shifted(n, ShiftOp::Lsl, by));
            }
            None => {
                let m = self.reg(b);
                self.emit(Inst::Mul { d, n, m });
            }
        }
    }

    fn div_u(&mut self, d: VReg, a: Value, b: Value) {
        match self.constant(b).filter(|bits| bits.is_power_of_two()) {
            Some(bits) => {
                let n = self.reg(a);
                self.shift_imm(ShiftOp::Lsr, d, n, bits.ilog2());
            }
            None => {
                let (n, m, sign) = (self.reg(a), self.reg(b), Sign::Unsigned);
                self.emit(Inst::Div { sign, d, n, m });
            }
        }
    }

    /// d = a - (a / b) * b. The quotient by 0 is 0, hence the remainder is a.
    fn rem(&mut self, d: VReg, divide: Op, a: Value, b: Value) {
        let power = self.constant(b).filter(|bits| bits.is_power_of_two());
        if let (Op::DivU32, Some(power)) = (divide, power) {
            return self.and_constant(d, a, power - 1);
        }
        let (minuend, divisor) = (self.reg(a), self.reg(b));
        let quotient = match self.quotient_before(d, divide, a, b) {
            Some(value) => self.reg(value),
            None => {
                let (n, m, d) = (minuend, divisor, self.local());
                let sign = match divide {
                    Op::DivU32 => Sign::Unsigned,
                    _ => Sign::Signed,
                };
                self.emit(Inst::Div { sign, d, n, m });
                d
            }
        };
        let (n, m, a) = (quotient, divisor, minuend);
        self.emit(Inst::MulSub { d, n, m, a });
    }

    /// A quotient of the same operands that the block computes before the value in `d`.
    fn quotient_before(&self, d: VReg, divide: Op, a: Value, b: Value) -> Option<Value> {
        let insts = &self.ir.blocks[self.block].insts;
        let is_mine = |inst: &ir::InstData| {
            let result = inst.result.and_then(|value| self.asked(value, Half::Low));
            result == Some(d)
        };
        insts
            .iter()
            .filter(|&&inst| self.ir.is_lowered(inst))
            .map(|&inst| &self.ir.insts[inst])
            .take_while(|inst| !is_mine(inst))
            .find(|inst| inst.op == divide && inst.args == [a, b])
            .and_then(|inst| inst.result)
    }

    // Counting.

    pub(super) fn count_trailing(&mut self, d: VReg, m: VReg) {
        let reversed = self.local();
        self.unary(UnaryOp::Rbit, reversed, m);
        self.unary(UnaryOp::Clz, d, reversed);
    }

    /// Adds bits pairwise, then the sums: Warren, Hacker's Delight, 5-1.
    pub(super) fn popcount(&mut self, d: VReg, n: VReg) {
        let imm = |bits| Operand2::Imm(ModifiedImm::new(bits).expect("a byte repeated"));
        let odd = self.shift_imm_local(ShiftOp::Lsr, n, 1);
        let odd = self.alu_local(AluOp::And, odd, imm(0x5555_5555));
        let pairs = self.alu_local(AluOp::Sub, n, Operand2::Reg(odd));
        let even = self.alu_local(AluOp::And, pairs, imm(0x3333_3333));
        let odd = self.shift_imm_local(ShiftOp::Lsr, pairs, 2);
        let odd = self.alu_local(AluOp::And, odd, imm(0x3333_3333));
        let fours = self.alu_local(AluOp::Add, even, Operand2::Reg(odd));
        let four = ShiftImm::new(4).expect("4 is a shift amount");
        let eights = self.alu_local(AluOp::Add, fours, Operand2::Shifted(fours, ShiftOp::Lsr, four));
        let n = self.alu_local(AluOp::And, eights, imm(0x0f0f_0f0f));
        let m = self.word_reg(Word::Const(0x0101_0101));
        let sum = self.local();
        self.emit(Inst::Mul { d: sum, n, m });
        self.shift_imm(ShiftOp::Lsr, d, sum, 24);
    }
}
