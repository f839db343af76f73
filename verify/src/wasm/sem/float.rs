//! What operators on floats do. A float is its bits, on the stack as anywhere.

use crate::domain::{Bin32, Cmp};
use crate::float::Float;
use crate::hints::Sort;
use crate::trap::Trap;

use super::super::op::SignOp;
use super::super::world::{Value, World};
use super::{Done, Outcome, Stepper};

impl<W: World> Stepper<'_, W> {
    /// An operator on floats, of the words of its operands.
    pub(super) fn float(&mut self, float: Float, operands: &[Value<W>]) -> Value<W> {
        let mut words = Vec::new();
        for operand in operands {
            match operand {
                Value::W32(word) => words.push(word.clone()),
                Value::W64(wide) => words.extend([self.world.low(wide), self.world.high(wide)]),
            }
        }
        let [low, high] = self.world.float(float, &words);
        match float.result() {
            Sort::W32 => Value::W32(low),
            Sort::W64 => Value::W64(self.world.join(&high, &low)),
        }
    }

    /// `neg`, `abs` or `copysign`: the sign is the top bit, of the high word if there are two.
    pub(super) fn sign(&mut self, sign: SignOp, sort: Sort) {
        let by = self.pop();
        let of = match sign {
            SignOp::Neg | SignOp::Abs => by.clone(),
            SignOp::Copysign => self.pop(),
        };
        let (high_by, _) = self.top_word(&by);
        let (high_of, low) = self.top_word(&of);
        let (top, rest) = (self.world.w32(1 << 31), self.world.w32(u32::MAX >> 1));
        let high = match sign {
            SignOp::Neg => self.world.bin32(Bin32::Xor, &high_of, &top),
            SignOp::Abs => self.world.bin32(Bin32::And, &high_of, &rest),
            SignOp::Copysign => {
                let magnitude = self.world.bin32(Bin32::And, &high_of, &rest);
                let copied = self.world.bin32(Bin32::And, &high_by, &top);
                self.world.bin32(Bin32::Or, &magnitude, &copied)
            }
        };
        match sort {
            Sort::W32 => self.push32(high),
            Sort::W64 => {
                let wide = self.world.join(&high, &low);
                self.push64(wide);
            }
        }
    }

    /// The word with the top bit, and the low one; of a word it is itself.
    fn top_word(&mut self, value: &Value<W>) -> (W::W32, W::W32) {
        match value {
            Value::W32(word) => (word.clone(), word.clone()),
            Value::W64(wide) => (self.world.high(wide), self.world.low(wide)),
        }
    }

    /// An integer from a float. What `fits` says is 0, or 1 of a NaN, or 2.
    pub(super) fn truncate(&mut self, fits: Float, whole: Float) -> Outcome<W> {
        let operand = [self.activation.stack.last().expect("validated").clone()];
        let Value::W32(found) = self.float(fits, &operand) else {
            unreachable!("what fits is a word");
        };
        let (zero, one) = (self.world.w32(0), self.world.w32(1));
        let is_nan = self.world.cmp32(Cmp::Eq, &found, &one);
        if self.world.decide(&is_nan)? {
            return Ok(Done::Trap(Trap::InvalidConversion));
        }
        let is_right = self.world.cmp32(Cmp::Eq, &found, &zero);
        if !self.world.decide(&is_right)? {
            return Ok(Done::Trap(Trap::IntegerOverflow));
        }
        self.pop();
        let result = self.float(whole, &operand);
        self.activation.stack.push(result);
        Ok(Done::Next)
    }
}
