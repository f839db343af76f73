//! The equations by which `fold` simplifies. Each function's doc line says which.
//!
//! Ensures: a rule's result is equal to the instruction for all operands. `W` stands for 32 and 64;
//! `c` and `d` are constants.

use crate::ir::func::{Func, InstData, Value};
use crate::ir::op::{Access, Memory, Op, Type};
use crate::ir::{eval, float};

/// Something equal to an instruction, and simpler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Simpler {
    /// A value that exists.
    Value(Value),
    /// A constant operator.
    Constant(Op),
    /// Another operator.
    Op(Op, Vec<Value>),
    /// A binary operator on a value that exists and a new constant.
    WithConstant(Op, Value, Op),
}

/// The widest constant offset that loads and stores encode (DDI0403, A7.7.43, `LDR` T3).
const OFFSET_MAX: u32 = 4095;

/// Applies the first rule that fits.
pub fn simplify(func: &Func, inst: &InstData) -> Option<Simpler> {
    if let Op::Load { memory, access, offset } | Op::Store { memory, access, offset } = inst.op {
        return constant_address(func, inst, (memory, access, offset));
    }
    let (_, operands, result) = inst.op.plain()?;
    let context = Context { func, op: inst.op, args: &inst.args, ty: operands[operands.len() - 1] };
    context.all_constant(result).or_else(|| match inst.args.len() {
        1 => context.unary(),
        2 => context.binary(),
        3 => context.select(),
        _ => None,
    })
}

/// A value that is zero exactly if `value` is: `x != 0` is `x`.
pub fn condition(func: &Func, value: Value) -> Value {
    let mut value = value;
    while let Some(inst) = func.definition(value)
        && inst.op == Op::Ne32
        && func.constant(inst.args[1]) == Some(0)
    {
        value = inst.args[0];
    }
    value
}

/// The `x` of `x == 0`.
pub fn negated(func: &Func, value: Value) -> Option<Value> {
    let inst = func.definition(value)?;
    let is_zero_test = inst.op == Op::Eq32 && func.constant(inst.args[1]) == Some(0);
    is_zero_test.then(|| inst.args[0])
}

/// `[(base + c) + d] = [base + (c + d)]`, if that is an encodable offset.
fn constant_address(func: &Func, inst: &InstData, (memory, access, offset): (Memory, Access, u32)) -> Option<Simpler> {
    let sum = func.definition(inst.args[0]).filter(|sum| sum.op == Op::Add32)?;
    let base = func.op(sum.args[0]).filter(|op| matches!(op, Op::MemoryBase(_)));
    let constant = func.constant(sum.args[1]).filter(|_| base.is_some())?;
    let offset = (constant as u32).checked_add(offset).filter(|sum| *sum <= OFFSET_MAX)?;
    let mut args = inst.args.clone();
    args[0] = sum.args[0];
    Some(Simpler::Op(
        match inst.op {
            Op::Load { .. } => Op::Load { memory, access, offset },
            _ => Op::Store { memory, access, offset },
        },
        args,
    ))
}

/// An operator without immediates.
struct Context<'a> {
    func: &'a Func,
    op: Op,
    args: &'a [Value],
    /// The type of the last operand.
    ty: Type,
}

impl Context<'_> {
    fn constant(&self, value: Value) -> Option<u64> {
        self.func.constant(value)
    }

    /// The operands of `value`, if this operator computes it.
    fn match_op(&self, value: Value, op: Op) -> Option<&[Value]> {
        self.func.definition(value).filter(|inst| inst.op == op).map(|inst| inst.args.as_slice())
    }

    /// Low bits of a word that the operand type holds.
    fn truncate(&self, word: u64) -> u64 {
        word & self.ones()
    }

    fn ones(&self) -> u64 {
        u64::MAX >> (64 - self.ty.bits())
    }

    /// The operator of the table's pair for the operand type.
    fn pick(&self, op32: Op, op64: Op) -> Op {
        match self.ty {
            Type::I32 => op32,
            Type::I64 => op64,
        }
    }

    fn value(&self, value: Value) -> Option<Simpler> {
        Some(Simpler::Value(value))
    }

    /// A constant of the operand type.
    fn word(&self, word: u64) -> Option<Simpler> {
        Some(Simpler::Constant(Op::constant(self.ty, self.truncate(word))))
    }

    /// The constant 1 or 0, as comparisons give it.
    fn truth(&self, holds: bool) -> Option<Simpler> {
        Some(Simpler::Constant(Op::Const32(u32::from(holds))))
    }

    fn with(&self, op: Op, first: Value, constant: u64) -> Option<Simpler> {
        Some(Simpler::WithConstant(op, first, Op::constant(self.ty, self.truncate(constant))))
    }

    /// Whether a value is 0 or 1: the result of a comparison.
    fn is_truth(&self, value: Value) -> bool {
        self.func.op(value).is_some_and(|op| inverse(op).is_some())
    }

    /// `op(c, d) = e`.
    fn all_constant(&self, result: Type) -> Option<Simpler> {
        let args: Option<Vec<u64>> = self.args.iter().map(|arg| self.constant(*arg)).collect();
        let args = args?;
        if float::is_open(self.op, &args) {
            return None;
        }
        let word = eval::run(self.op, &args)?;
        Some(Simpler::Constant(Op::constant(result, word)))
    }

    /// `wrap(extend(x)) = x`; an extension of the same extension.
    fn unary(&self) -> Option<Simpler> {
        let inner = self.func.definition(self.args[0])?;
        match (self.op, inner.op) {
            (Op::Wrap, Op::ExtendU | Op::ExtendS) => self.value(inner.args[0]),
            (Op::Extend8S32, Op::Extend8S32 | Op::Load { access: Access::S8, .. })
            | (Op::Extend16S32, Op::Extend8S32 | Op::Extend16S32)
            | (Op::Extend16S32, Op::Load { access: Access::S8 | Access::S16 | Access::U8, .. })
            | (Op::Extend32S64, Op::ExtendS | Op::Extend32S64 | Op::Extend16S64 | Op::Extend8S64) => {
                self.value(self.args[0])
            }
            _ => None,
        }
    }

    /// `c op x = x op c` if the operator commutes; then the rules for its kind.
    fn binary(&self) -> Option<Simpler> {
        let (a, b) = (self.args[0], self.args[1]);
        let (left, right) = (self.constant(a), self.constant(b));
        if self.op.is_commutative() && left.is_some() && right.is_none() {
            return Some(Simpler::Op(self.op, vec![b, a]));
        }
        self.same(a, b)
            .or_else(|| right.and_then(|c| self.arithmetic(a, c)))
            .or_else(|| right.and_then(|c| self.bits(a, c)))
            .or_else(|| right.and_then(|c| self.shift(a, c)))
            .or_else(|| self.shift_count(a, b))
            .or_else(|| right.and_then(|c| self.equality(a, c)))
            .or_else(|| self.order(a, b, left, right))
    }

    /// `x - x = 0`, `x & x = x`, `x == x` is 1, and so on.
    fn same(&self, a: Value, b: Value) -> Option<Simpler> {
        if a != b {
            return None;
        }
        match self.op {
            Op::Sub32 | Op::Sub64 | Op::Xor32 | Op::Xor64 => self.word(0),
            Op::And32 | Op::And64 | Op::Or32 | Op::Or64 => self.value(a),
            Op::Eq32 | Op::Eq64 | Op::LeU32 | Op::LeU64 | Op::LeS32 | Op::LeS64 => self.truth(true),
            Op::Ne32 | Op::Ne64 | Op::LtU32 | Op::LtU64 | Op::LtS32 | Op::LtS64 => self.truth(false),
            _ => None,
        }
    }

    /// `x + 0 = x`, `x - c = x + -c`, `(x + c) + d = x + (c + d)`, `x * 1 = x`, `x * 0 = 0`,
    /// `x * 2^k = x << k`, `x / 1 = x`, `x /u 2^k = x >>u k`, `x %u 2^k = x & (2^k - 1)`.
    fn arithmetic(&self, a: Value, c: u64) -> Option<Simpler> {
        let log2 = c.is_power_of_two().then(|| u64::from(c.trailing_zeros()));
        match (self.op, c, log2) {
            (Op::Add32 | Op::Add64 | Op::Sub32 | Op::Sub64, 0, _) => self.value(a),
            (Op::Sub32, _, _) => self.with(Op::Add32, a, c.wrapping_neg()),
            (Op::Sub64, _, _) => self.with(Op::Add64, a, c.wrapping_neg()),
            (Op::Add32 | Op::Add64, _, _) => {
                let inner = self.match_op(a, self.op)?;
                let d = self.constant(inner[1])?;
                self.with(self.op, inner[0], c.wrapping_add(d))
            }
            (Op::Mul32 | Op::Mul64, 0, _) => self.word(0),
            (Op::Mul32 | Op::Mul64 | Op::DivU32 | Op::DivS32 | Op::DivU64 | Op::DivS64, 1, _) => self.value(a),
            (Op::RemU32 | Op::RemS32 | Op::RemU64 | Op::RemS64, 1, _) => self.word(0),
            (Op::Mul32, _, Some(k)) => self.with(Op::Shl32, a, k),
            (Op::Mul64, _, Some(k)) => self.with(Op::Shl64, a, k),
            (Op::DivU32, _, Some(k)) => self.with(Op::ShrU32, a, k),
            (Op::RemU32, _, Some(_)) => self.with(Op::And32, a, c - 1),
            (Op::DivU64, _, Some(k)) => self.with(Op::ShrU64, a, k),
            (Op::RemU64, _, Some(_)) => self.with(Op::And64, a, c - 1),
            _ => None,
        }
    }

    /// `x & 0 = 0`, `x & -1 = x`, `x | 0 = x`, `x | -1 = -1`, `x ^ 0 = x`, `(x & c) & d = x & (c & d)`
    /// and the same for `|` and `^`, `load8_u & c` if `c` covers it, `truth ^ 1 = (truth == 0)`.
    fn bits(&self, a: Value, c: u64) -> Option<Simpler> {
        let all = c == self.ones();
        match self.op {
            Op::And32 | Op::And64 if c == 0 => self.word(0),
            Op::And32 | Op::And64 if all => self.value(a),
            Op::Or32 | Op::Or64 | Op::Xor32 | Op::Xor64 if c == 0 => self.value(a),
            Op::Or32 | Op::Or64 if all => self.word(c),
            Op::And32 if self.bits_max(a) & !(c as u32) == 0 => self.value(a),
            Op::Xor32 if c == 1 && self.is_truth(a) => self.with(Op::Eq32, a, 0),
            Op::And32 | Op::And64 | Op::Or32 | Op::Or64 | Op::Xor32 | Op::Xor64 => {
                let inner = self.match_op(a, self.op)?;
                let d = self.constant(inner[1])?;
                let both = eval::run(self.op, &[c, d])?;
                self.with(self.op, inner[0], both)
            }
            _ => None,
        }
    }

    /// The bits of a 32-bit value that can be one.
    fn bits_max(&self, value: Value) -> u32 {
        match self.func.definition(value).map(|inst| (inst.op, &inst.args)) {
            Some((Op::Load { access: Access::U8, .. }, _)) => 0xff,
            Some((Op::Load { access: Access::U16, .. }, _)) => 0xffff,
            Some((Op::And32, args)) => self.constant(args[1]).map_or(u32::MAX, |c| c as u32),
            Some((Op::ShrU32, args)) => self.constant(args[1]).map_or(u32::MAX, |c| u32::MAX >> (c % 32)),
            Some((op, _)) if inverse(op).is_some() => 1,
            _ => u32::MAX,
        }
    }

    /// With `c` taken modulo W: `x << 0 = x`, `(x << c) << d = x << (c + d)` or 0, the same for
    /// `>>u`; `(x >>s c) >>s d = x >>s min(c + d, W - 1)`; `(x << c) >>s c` is an extension;
    /// `rotl(x, c) = rotr(x, W - c)`.
    fn shift(&self, a: Value, c: u64) -> Option<Simpler> {
        let bits = u64::from(self.ty.bits());
        let is_shift = matches!(
            self.op,
            Op::Shl32
                | Op::Shl64
                | Op::ShrU32
                | Op::ShrU64
                | Op::ShrS32
                | Op::ShrS64
                | Op::RotL32
                | Op::RotL64
                | Op::RotR32
                | Op::RotR64
        );
        if !is_shift {
            return None;
        }
        if c.is_multiple_of(bits) {
            return self.value(a);
        }
        if c >= bits {
            return self.with(self.op, a, c % bits);
        }
        match self.op {
            Op::RotL32 => return self.with(Op::RotR32, a, bits - c),
            Op::RotL64 => return self.with(Op::RotR64, a, bits - c),
            Op::ShrS32 => {
                let shifted = self.match_op(a, Op::Shl32);
                let inner = shifted.filter(|inner| self.constant(inner[1]) == Some(c));
                match (inner, c) {
                    (Some(inner), 24) => return Some(Simpler::Op(Op::Extend8S32, vec![inner[0]])),
                    (Some(inner), 16) => return Some(Simpler::Op(Op::Extend16S32, vec![inner[0]])),
                    _ => {}
                }
            }
            _ => {}
        }
        let inner = self.match_op(a, self.op)?;
        let sum = c + self.constant(inner[1]).filter(|d| *d < bits)?;
        match self.op {
            Op::ShrS32 | Op::ShrS64 => self.with(self.op, inner[0], sum.min(bits - 1)),
            Op::RotR32 | Op::RotR64 => self.with(self.op, inner[0], sum % bits),
            _ if sum >= bits => self.word(0),
            _ => self.with(self.op, inner[0], sum),
        }
    }

    /// `x << (y & c) = x << y` if `c` has all bits of a count, and the same for the other shifts.
    fn shift_count(&self, a: Value, b: Value) -> Option<Simpler> {
        let (and, counts) = match self.op {
            Op::Shl32 | Op::ShrU32 | Op::ShrS32 | Op::RotL32 | Op::RotR32 => (Op::And32, 31),
            Op::Shl64 | Op::ShrU64 | Op::ShrS64 | Op::RotL64 | Op::RotR64 => (Op::And64, 63),
            _ => return None,
        };
        let inner = self.match_op(b, and)?;
        let mask = self.constant(inner[1])?;
        (mask & counts == counts).then(|| Simpler::Op(self.op, vec![a, inner[0]]))
    }

    /// For a truth value t: `t == 0` inverts the comparison, `t != 0` and `t == 1` are t. Else
    /// `x - y == 0` and `x ^ y == 0` are `x == y`, and `x + c == d` is `x == d - c`.
    fn equality(&self, a: Value, c: u64) -> Option<Simpler> {
        let is_equal = match self.op {
            Op::Eq32 | Op::Eq64 => true,
            Op::Ne32 | Op::Ne64 => false,
            _ => return None,
        };
        let inner = self.func.definition(a)?;
        if let Some((inverse, operands)) = inverse(inner.op).zip(Some(&inner.args)) {
            return match (c, is_equal) {
                (0, true) | (1, false) => {
                    let (op, swaps) = inverse;
                    let mut operands = operands.clone();
                    if swaps == Swaps::Yes {
                        operands.swap(0, 1);
                    }
                    Some(Simpler::Op(op, operands))
                }
                (1, true) | (0, false) => self.value(a),
                _ => None,
            };
        }
        match inner.op {
            Op::Sub32 | Op::Sub64 | Op::Xor32 | Op::Xor64 if c == 0 => Some(Simpler::Op(self.op, inner.args.clone())),
            Op::Add32 | Op::Add64 => {
                let d = self.constant(inner.args[1])?;
                self.with(self.op, inner.args[0], c.wrapping_sub(d))
            }
            _ => None,
        }
    }

    /// Unsigned: `x < 0` is 0, `0 <= x` is 1, `0 < x` is `x != 0`, `x <= 0` is `x == 0`, `x < 1` is
    /// `x == 0`, `1 <= x` is `x != 0`.
    fn order(&self, a: Value, b: Value, left: Option<u64>, right: Option<u64>) -> Option<Simpler> {
        let (eq, ne) = (self.pick(Op::Eq32, Op::Eq64), self.pick(Op::Ne32, Op::Ne64));
        match (self.op, left, right) {
            (Op::LtU32 | Op::LtU64, _, Some(0)) => self.truth(false),
            (Op::LeU32 | Op::LeU64, Some(0), _) => self.truth(true),
            (Op::LtU32 | Op::LtU64, Some(0), _) | (Op::LeU32 | Op::LeU64, Some(1), _) => self.with(ne, b, 0),
            (Op::LeU32 | Op::LeU64, _, Some(0)) | (Op::LtU32 | Op::LtU64, _, Some(1)) => self.with(eq, a, 0),
            _ => None,
        }
    }

    /// `select(c, x, y)` is x or y, `select(c, x, x) = x`, `select(c == 0, x, y) = select(c, y, x)`,
    /// `select(c != 0, x, y) = select(c, x, y)`, `select(t, 1, 0) = t` for a truth value t.
    fn select(&self) -> Option<Simpler> {
        let (cond, then, otherwise) = (self.args[0], self.args[1], self.args[2]);
        if let Some(constant) = self.constant(cond) {
            return self.value(if constant != 0 { then } else { otherwise });
        }
        if then == otherwise {
            return self.value(then);
        }
        let stripped = condition(self.func, cond);
        if let Some(inner) = negated(self.func, stripped) {
            return Some(Simpler::Op(self.op, vec![inner, otherwise, then]));
        }
        if stripped != cond {
            return Some(Simpler::Op(self.op, vec![stripped, then, otherwise]));
        }
        let arms = (self.constant(then), self.constant(otherwise));
        let is_truth = self.op == Op::Select32 && arms == (Some(1), Some(0)) && self.is_truth(cond);
        if is_truth { self.value(cond) } else { None }
    }
}

/// Whether an inverse takes the operands in the other order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swaps {
    Yes,
    No,
}

/// The comparison that holds exactly if this one does not: `!(a < b)` is `b <= a`.
fn inverse(op: Op) -> Option<(Op, Swaps)> {
    Some(match op {
        Op::Eq32 => (Op::Ne32, Swaps::No),
        Op::Ne32 => (Op::Eq32, Swaps::No),
        Op::LtU32 => (Op::LeU32, Swaps::Yes),
        Op::LtS32 => (Op::LeS32, Swaps::Yes),
        Op::LeU32 => (Op::LtU32, Swaps::Yes),
        Op::LeS32 => (Op::LtS32, Swaps::Yes),
        Op::Eq64 => (Op::Ne64, Swaps::No),
        Op::Ne64 => (Op::Eq64, Swaps::No),
        Op::LtU64 => (Op::LeU64, Swaps::Yes),
        Op::LtS64 => (Op::LeS64, Swaps::Yes),
        Op::LeU64 => (Op::LtU64, Swaps::Yes),
        Op::LeS64 => (Op::LtS64, Swaps::Yes),
        _ => return None,
    })
}
