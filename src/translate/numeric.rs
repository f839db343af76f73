//! Numeric instructions (core spec, 4.3.2 and 4.4.1).

use crate::trap::Trap;

use super::Translator;
use crate::ir::op::{Op, Type};

impl Translator<'_> {
    /// A total instruction whose operands are in order.
    pub(super) fn numeric(&mut self, op: Op) {
        let operands = self.func.operand_types(op).len();
        let args = self.stack.split_off(self.stack.len() - operands);
        self.result(op, args);
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
        let zero = self.const32(0);
        let is_zero = self.op(Op::Eq32, vec![b, zero]);
        self.trap_if(Trap::DivideByZero, is_zero);
        if op == Op::DivS32 {
            let (min, minus_one) = (self.const32(1 << 31), self.const32(u32::MAX));
            let is_min = self.op(Op::Eq32, vec![a, min]);
            let is_minus_one = self.op(Op::Eq32, vec![b, minus_one]);
            let overflows = self.op(Op::And32, vec![is_min, is_minus_one]);
            self.trap_if(Trap::IntegerOverflow, overflows);
        }
        self.result(op, vec![a, b]);
    }
}
