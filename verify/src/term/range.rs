//! What is known of the value of a word: known bits and an unsigned interval.
//!
//! Ensures: the value of the node lies in the range computed from ranges in which the values of its
//! operands lie.

use crate::domain::{Bin32, Un32};

use super::node::{Arena, BitOp, Bounds, Id, Node};

/// A set of words: those between `low` and `high` with the bits of `zeros` clear and of `ones` set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// Bits that are 0.
    pub zeros: u32,
    /// Bits that are 1.
    pub ones: u32,
    /// Least unsigned value.
    pub low: u32,
    /// Greatest unsigned value.
    pub high: u32,
}

impl Range {
    /// Every word.
    pub const ALL: Range = Range { zeros: 0, ones: 0, low: 0, high: u32::MAX };

    /// One word.
    pub fn of_const(value: u32) -> Range {
        Range { zeros: !value, ones: value, low: value, high: value }
    }

    /// The words between two bounds.
    pub fn between(low: u32, high: u32) -> Range {
        Range { zeros: 0, ones: 0, low, high }.tightened()
    }

    /// The words that a symbol can have.
    pub fn of_bounds(bounds: Bounds) -> Range {
        let zeros = (1u32 << bounds.align_log2) - 1;
        Range { zeros, ones: 0, low: bounds.low, high: bounds.high }.tightened()
    }

    /// The words with these bits known.
    pub fn of_bits(zeros: u32, ones: u32) -> Range {
        Range { zeros, ones, low: 0, high: u32::MAX }.tightened()
    }

    /// The only word, if there is one.
    pub fn constant(self) -> Option<u32> {
        (self.low == self.high).then_some(self.low)
    }

    /// Whether no word is left: the facts contradict each other.
    pub fn is_empty(self) -> bool {
        self.low > self.high || self.zeros & self.ones != 0
    }

    /// Bits that can be 1.
    pub fn possible(self) -> u32 {
        !self.zeros
    }

    /// Words in both.
    pub fn meet(self, other: Range) -> Range {
        Range {
            zeros: self.zeros | other.zeros,
            ones: self.ones | other.ones,
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
        .tightened()
    }

    /// Words in either.
    pub fn join(self, other: Range) -> Range {
        Range {
            zeros: self.zeros & other.zeros,
            ones: self.ones & other.ones,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The same set with bounds and bits drawn from each other.
    fn tightened(self) -> Range {
        let low = self.low.max(self.ones);
        let high = self.high.min(!self.zeros);
        let common = if low <= high { (low ^ high).leading_zeros() } else { 0 };
        let prefix = if common == 0 { 0 } else { u32::MAX << (32 - common).min(31) };
        let prefix = if common == 32 { u32::MAX } else { prefix };
        Range { zeros: self.zeros | prefix & !low, ones: self.ones | prefix & low, low, high }
    }

    /// Number of low bits that are 0.
    pub fn trailing_zeros(self) -> u32 {
        self.zeros.trailing_ones()
    }

    /// The sign, if it is known.
    pub fn sign(self) -> Option<bool> {
        if self.zeros >> 31 == 1 {
            Some(false)
        } else if self.ones >> 31 == 1 {
            Some(true)
        } else {
            None
        }
    }
}

/// The divisor `k` of a sum `x - (x /u k) * k`, a remainder below `k`.
pub fn remainder_divisor(arena: &Arena, id: Id) -> Option<u32> {
    let Node::Linear(sum) = arena.node(id) else {
        return None;
    };
    sum.monomials.iter().enumerate().find_map(|(at, (atom, factor))| {
        let Node::Bin32(Bin32::DivU, dividend, divisor) = *arena.node(*atom) else {
            return None;
        };
        let Node::Const(divisor) = *arena.node(divisor) else {
            return None;
        };
        let rest = sum.monomials.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| part);
        let is_dividend = match arena.node(dividend) {
            Node::Linear(whole) => whole.constant == sum.constant && whole.monomials.iter().eq(rest),
            _ => sum.constant == 0 && rest.eq([&(dividend, 1)]),
        };
        (is_dividend && divisor > 0 && *factor == divisor.wrapping_neg()).then_some(divisor)
    })
}

/// The range of a normalised node from the ranges of its operands; for a sort other than W32, all.
pub fn of_node(node: &Node, bounds: Bounds, mut child: impl FnMut(Id) -> Range) -> Range {
    match node {
        Node::Symbol(_) | Node::Apply(..) => Range::of_bounds(bounds),
        Node::Const(value) => Range::of_const(*value),
        Node::Ite(_, a, b) => child(*a).join(child(*b)),
        Node::Un32(op, a) => unary(*op, child(*a)),
        Node::Bin32(op, a, b) => binary(*op, child(*a), child(*b)),
        Node::Linear(sum) => {
            let parts: Vec<(Range, u32)> = sum.monomials.iter().map(|(id, factor)| (child(*id), *factor)).collect();
            linear(&parts, sum.constant)
        }
        Node::Product(operands) => {
            let operands: Vec<Range> = operands.iter().map(|id| child(*id)).collect();
            product(&operands)
        }
        Node::Bits(bits) => {
            let start = Range::of_const(bits.constant);
            bits.operands.iter().fold(start, |range, id| bitwise(bits.op, range, child(*id)))
        }
        Node::Load(width, ..) => Range::between(0, width.mask()),
        Node::Bool(_)
        | Node::Not(_)
        | Node::And(_)
        | Node::Or(..)
        | Node::Cmp32(..)
        | Node::Cmp64(..)
        | Node::Carry(..)
        | Node::SameMem(..)
        | Node::High(_)
        | Node::Low(_)
        | Node::Const64(_)
        | Node::Join(..)
        | Node::Un64(..)
        | Node::Bin64(..)
        | Node::Store(..)
        | Node::Writes(_) => Range::ALL,
    }
}

fn unary(op: Un32, a: Range) -> Range {
    match op {
        Un32::Clz => Range::between(a.high.leading_zeros(), a.low.leading_zeros()),
        Un32::Rbit => Range::of_bits(a.zeros.reverse_bits(), a.ones.reverse_bits()),
        Un32::Rev => Range::of_bits(a.zeros.swap_bytes(), a.ones.swap_bytes()),
        Un32::Popcnt => Range::between(a.ones.count_ones(), a.possible().count_ones()),
        Un32::Sext8 => Range::of_bits(a.zeros as u8 as i8 as u32, a.ones as u8 as i8 as u32),
        Un32::Sext16 => Range::of_bits(a.zeros as u16 as i16 as u32, a.ones as u16 as i16 as u32),
    }
}

fn binary(op: Bin32, a: Range, b: Range) -> Range {
    match op {
        Bin32::Add => linear(&[(a, 1), (b, 1)], 0),
        Bin32::Sub => linear(&[(a, 1), (b, u32::MAX)], 0),
        Bin32::Mul => product(&[a, b]),
        Bin32::And => bitwise(BitOp::And, a, b),
        Bin32::Or => bitwise(BitOp::Or, a, b),
        Bin32::Xor => bitwise(BitOp::Xor, a, b),
        Bin32::MulHighU => Range::between(high_product(a.low, b.low), high_product(a.high, b.high)),
        Bin32::DivU => divide(a, b),
        Bin32::DivS if a.sign() == Some(false) && b.sign() == Some(false) => divide(a, b),
        Bin32::DivS | Bin32::MulHighS | Bin32::RotR => Range::ALL,
        Bin32::Shl => match b.constant() {
            Some(count) if count < 32 => {
                let exact = Range::of_bits(a.zeros << count | ((1 << count) - 1), a.ones << count);
                match u32::try_from(u64::from(a.high) << count) {
                    Ok(high) => exact.meet(Range::between(a.low << count, high)),
                    Err(_) => exact,
                }
            }
            Some(_) => Range::of_const(0),
            None => Range::of_bits((1u32 << a.trailing_zeros().min(31)) - 1, 0),
        },
        Bin32::ShrU => match b.constant() {
            Some(count) if count < 32 => {
                let vacated = !(u32::MAX >> count);
                let exact = Range::of_bits(a.zeros >> count | vacated, a.ones >> count);
                exact.meet(Range::between(a.low >> count, a.high >> count))
            }
            Some(_) => Range::of_const(0),
            None => Range::between(0, a.high.checked_shr(b.low).unwrap_or(0)),
        },
        Bin32::ShrS => match (b.constant(), a.sign()) {
            (Some(count), _) => {
                let count = count.min(31);
                Range::of_bits((a.zeros as i32 >> count) as u32, (a.ones as i32 >> count) as u32)
            }
            (None, Some(false)) => Range::between(0, a.high),
            (None, _) => Range::ALL,
        },
    }
}

fn high_product(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

/// An unsigned quotient; 0 where the divisor is 0.
fn divide(a: Range, b: Range) -> Range {
    let low = if b.low == 0 { 0 } else { a.low / b.high.max(1) };
    Range::between(low, a.high / b.low.max(1))
}

fn bitwise(op: BitOp, a: Range, b: Range) -> Range {
    match op {
        BitOp::And => Range { zeros: a.zeros | b.zeros, ones: a.ones & b.ones, low: 0, high: a.high.min(b.high) },
        BitOp::Or => Range { zeros: a.zeros & b.zeros, ones: a.ones | b.ones, low: a.low.max(b.low), high: u32::MAX },
        BitOp::Xor => Range::of_bits(a.zeros & b.zeros | a.ones & b.ones, a.zeros & b.ones | a.ones & b.zeros),
    }
    .tightened()
}

/// A sum: the interval if all values wrap equally often, and the low bits that only the constant has.
fn linear(parts: &[(Range, u32)], constant: u32) -> Range {
    let (mut low, mut high) = (i128::from(constant), i128::from(constant));
    let mut aligned = 32;
    for (range, factor) in parts {
        let signed = i128::from(*factor as i32);
        let ends = (signed * i128::from(range.low), signed * i128::from(range.high));
        low += ends.0.min(ends.1);
        high += ends.0.max(ends.1);
        aligned = aligned.min(range.trailing_zeros() + factor.trailing_zeros());
    }
    let mask = if aligned >= 32 { u32::MAX } else { (1 << aligned) - 1 };
    let bits = Range::of_bits(!constant & mask, constant & mask);
    if low >> 32 == high >> 32 { bits.meet(Range::between(low as u32, high as u32)) } else { bits }
}

fn product(operands: &[Range]) -> Range {
    let mut bounds = (1u128, 1u128);
    let mut zeros = 0;
    for operand in operands {
        bounds = (bounds.0.saturating_mul(operand.low.into()), bounds.1.saturating_mul(operand.high.into()));
        zeros += operand.trailing_zeros();
    }
    let mask = if zeros >= 32 { u32::MAX } else { (1 << zeros) - 1 };
    let bits = Range::of_bits(mask, 0);
    match (u32::try_from(bounds.0), u32::try_from(bounds.1)) {
        (Ok(low), Ok(high)) => bits.meet(Range::between(low, high)),
        _ => bits,
    }
}
