//! Numeric instructions (core spec, 4.3.2 and 4.4.1).

use crate::trap::Trap;

use super::Translator;
use crate::ir::op::{Op, Type};
use crate::wasm::SignOp;

impl Translator<'_> {
    /// A total instruction whose operands are in order.
    pub(super) fn numeric(&mut self, op: Op) {
        let operands = self.func.operand_types(op).len();
        let args = self.stack.split_off(self.stack.len() - operands);
        self.result(op, args);
    }

    /// An instruction with a low and a high result: of 128-bit numbers in two halves each, or of two
    /// factors.
    pub(super) fn wide(&mut self, low: Op, high: Op) {
        let operands = self.func.operand_types(high).len();
        let args = self.stack.split_off(self.stack.len() - operands);
        let low_result = self.op(low, vec![args[0], args[operands / 2]]);
        let high_result = self.op(high, args);
        self.push_one_of(low_result, 1);
        self.push_one_of(high_result, 0);
    }

    /// A comparison with swapped operands.
    pub(super) fn swapped(&mut self, op: Op) {
        let (b, a) = (self.pop(), self.pop());
        self.result(op, vec![b, a]);
    }

    /// `eqz`.
    pub(super) fn is_zero(&mut self, ty: Type) {
        let (a, zero) = (self.pop(), self.op(Op::constant(ty, 0), vec![]));
        let op = match ty {
            Type::I32 => Op::Eq32,
            Type::I64 => Op::Eq64,
        };
        self.result(op, vec![a, zero]);
    }

    /// A 32-bit division or remainder, with the checks that make it trap.
    pub(super) fn divide(&mut self, op: Op) {
        let (b, a) = (self.pop(), self.pop());
        let ty = self.func.values[a].ty;
        let (equal, least) = match ty {
            Type::I32 => (Op::Eq32, 1 << 31),
            Type::I64 => (Op::Eq64, 1 << 63),
        };
        let zero = self.op(Op::constant(ty, 0), vec![]);
        let is_zero = self.op(equal, vec![b, zero]);
        self.trap_if(Trap::DivideByZero, is_zero);
        if matches!(op, Op::DivS32 | Op::DivS64) {
            let min = self.op(Op::constant(ty, least), vec![]);
            let minus_one = self.op(Op::constant(ty, u64::MAX), vec![]);
            let is_min = self.op(equal, vec![a, min]);
            let is_minus_one = self.op(equal, vec![b, minus_one]);
            let overflows = self.op(Op::And32, vec![is_min, is_minus_one]);
            self.trap_if(Trap::IntegerOverflow, overflows);
        }
        self.result(op, vec![a, b]);
    }

    /// `neg`, `abs` or `copysign` (core spec, 4.3.3): the sign is the top bit.
    pub(super) fn sign(&mut self, op: SignOp, ty: Type) {
        let (and, or, xor) = match ty {
            Type::I32 => (Op::And32, Op::Or32, Op::Xor32),
            Type::I64 => (Op::And64, Op::Or64, Op::Xor64),
        };
        let sign = 1 << (ty.bits() - 1);
        let b = self.pop();
        match op {
            SignOp::Neg => {
                let mask = self.op(Op::constant(ty, sign), vec![]);
                self.result(xor, vec![b, mask]);
            }
            SignOp::Abs => {
                let mask = self.op(Op::constant(ty, sign - 1), vec![]);
                self.result(and, vec![b, mask]);
            }
            SignOp::Copy => {
                let a = self.pop();
                let (mask, rest) =
                    (self.op(Op::constant(ty, sign), vec![]), self.op(Op::constant(ty, sign - 1), vec![]));
                let (magnitude, sign) = (self.op(and, vec![a, rest]), self.op(and, vec![b, mask]));
                self.result(or, vec![magnitude, sign]);
            }
        }
    }

    /// An integer from a float, with the checks that make it trap (core spec, 4.3.4).
    pub(super) fn truncate(&mut self, fits: Op, to_integer: Op) {
        let a = self.pop();
        let found = self.op(fits, vec![a]);
        let one = self.const32(1);
        let is_nan = self.op(Op::Eq32, vec![found, one]);
        self.trap_if(Trap::InvalidConversion, is_nan);
        self.trap_if(Trap::IntegerOverflow, found);
        self.result(to_integer, vec![a]);
    }
}
