//! What rules are written with: constructors of normal terms, and views of them.

use super::super::Terms;
use super::super::node::{BitOp, Bits, Id, Linear, Node, Sort, Writes};
use super::super::range::Range;
use crate::domain::{Bin32, Cmp, Un32};

/// Bits of a word, moved: `factor * ((source << distance) & mask)`, a negative distance to the right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::term) struct Field {
    /// Where the bits come from.
    pub source: Id,
    /// How far they are moved up.
    pub distance: i32,
    /// Where they end.
    pub mask: u32,
    /// An odd factor.
    pub factor: u32,
}

/// The inverse of an odd number modulo 2^32, by Newton's iteration.
pub(in crate::term) fn inverse(odd: u32) -> u32 {
    (0..5).fold(odd, |x, _| x.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(x))))
}

/// All bits up to the highest one of the mask.
pub(super) fn filled(mask: u32) -> u32 {
    u32::MAX.checked_shr(mask.leading_zeros()).unwrap_or(0)
}

impl Terms {
    pub(in crate::term) fn bin(&mut self, op: Bin32, a: Id, b: Id) -> Id {
        self.build(Node::Bin32(op, a, b))
    }

    pub(super) fn un(&mut self, op: Un32, a: Id) -> Id {
        self.build(Node::Un32(op, a))
    }

    pub(in crate::term) fn cmp(&mut self, op: Cmp, a: Id, b: Id) -> Id {
        self.build(Node::Cmp32(op, a, b))
    }

    /// A comparison with a constant.
    pub(in crate::term) fn cmp_const(&mut self, op: Cmp, a: Id, b: u32) -> Id {
        let b = self.word(b);
        self.cmp(op, a, b)
    }

    pub(super) fn eq(&mut self, a: Id, b: Id) -> Id {
        self.cmp(Cmp::Eq, a, b)
    }

    /// `a = 0`.
    pub(super) fn is_zero(&mut self, a: Id) -> Id {
        self.cmp_const(Cmp::Eq, a, 0)
    }

    /// `a <s 0`.
    pub(super) fn is_negative(&mut self, a: Id) -> Id {
        self.cmp_const(Cmp::LtS, a, 0)
    }

    pub(in crate::term) fn choose(&mut self, c: Id, a: Id, b: Id) -> Id {
        self.build(Node::Ite(c, a, b))
    }

    pub(in crate::term) fn negation(&mut self, a: Id) -> Id {
        self.build(Node::Not(a))
    }

    pub(super) fn both(&mut self, a: Id, b: Id) -> Id {
        self.build(Node::And([a, b].into()))
    }

    pub(super) fn either(&mut self, a: Id, b: Id) -> Id {
        self.build(Node::Or(a, b))
    }

    /// Whether `a + b + c` is 2^32 or more.
    pub(super) fn carry_of(&mut self, a: Id, b: Id, c: Id) -> Id {
        self.build(Node::Carry(a, b, c))
    }

    /// 1 if the condition holds, else 0.
    pub(in crate::term) fn flag(&mut self, c: Id) -> Id {
        let (one, zero) = (self.word(1), self.word(0));
        self.choose(c, one, zero)
    }

    /// A sum: nested sums opened, equal atoms collected, constants added.
    pub(in crate::term) fn sum(&mut self, parts: &[(Id, u32)], constant: u32) -> Id {
        let mut constant = constant;
        let mut monomials: Vec<(Id, u32)> = Vec::new();
        for (id, factor) in parts {
            match self.node(*id) {
                Node::Const(value) => constant = constant.wrapping_add(value.wrapping_mul(*factor)),
                Node::Linear(inner) => {
                    constant = constant.wrapping_add(inner.constant.wrapping_mul(*factor));
                    monomials.extend(inner.monomials.iter().map(|(id, own)| (*id, own.wrapping_mul(*factor))));
                }
                _ => monomials.push((*id, *factor)),
            }
        }
        monomials.sort_unstable();
        let mut collected: Vec<(Id, u32)> = Vec::with_capacity(monomials.len());
        for (id, factor) in monomials {
            match collected.last_mut() {
                Some((last, total)) if *last == id => *total = total.wrapping_add(factor),
                _ => collected.push((id, factor)),
            }
        }
        collected.retain(|(_, factor)| *factor != 0);
        match collected[..] {
            [] => self.word(constant),
            [(id, 1)] if constant == 0 => id,
            _ => self.build(Node::Linear(Linear { monomials: collected.into(), constant })),
        }
    }

    pub(in crate::term) fn sub(&mut self, a: Id, b: Id) -> Id {
        self.sum(&[(a, 1), (b, u32::MAX)], 0)
    }

    pub(super) fn scaled(&mut self, a: Id, factor: u32) -> Id {
        self.sum(&[(a, factor)], 0)
    }

    /// `!a`.
    pub(super) fn complement(&mut self, a: Id) -> Id {
        self.sum(&[(a, u32::MAX)], u32::MAX)
    }

    /// The word that this is visibly the complement of: a sum with more negative factors than positive ones,
    /// or as many and the first of them negative.
    pub(super) fn complement_of(&mut self, a: Id) -> Option<Id> {
        let Node::Linear(sum) = self.node(a) else {
            return None;
        };
        // 2^31 is its own negative, so it gives no direction.
        let signs = sum.monomials.iter().filter(|(_, factor)| *factor != 1 << 31).map(|(_, factor)| *factor > 1 << 31);
        let first = signs.clone().next()?;
        let balance: i32 = signs.map(|negative| if negative { -1 } else { 1 }).sum();
        (balance < 0 || balance == 0 && first).then(|| self.complement(a))
    }

    /// One monomial as a term.
    pub(super) fn monomial(&mut self, part: (Id, u32)) -> Id {
        self.sum(&[part], 0)
    }

    /// A bit operator: nested ones opened, constants joined, operands sorted.
    pub(in crate::term) fn bits(&mut self, op: BitOp, operands: &[Id], constant: u32) -> Id {
        let mut constant = constant;
        let mut work: Vec<Id> = operands.to_vec();
        let mut all: Vec<Id> = Vec::new();
        while let Some(id) = work.pop() {
            match self.node(id) {
                Node::Const(value) => constant = combine(op, constant, *value),
                Node::Bits(inner) if inner.op == op => {
                    constant = combine(op, constant, inner.constant);
                    work.extend(inner.operands.iter());
                }
                _ => all.push(id),
            }
        }
        all.sort_unstable();
        if op == BitOp::Xor {
            all = without_pairs(&all);
        } else {
            all.dedup();
        }
        let neutral = if op == BitOp::And { u32::MAX } else { 0 };
        match all[..] {
            [] => self.word(constant),
            [only] if constant == neutral => only,
            _ => self.build(Node::Bits(Bits { op, operands: all.into(), constant })),
        }
    }

    /// `a & mask`.
    pub(in crate::term) fn masked(&mut self, a: Id, mask: u32) -> Id {
        self.bits(BitOp::And, &[a], mask)
    }

    /// `a >> count`, logical.
    pub(super) fn shr_u(&mut self, a: Id, count: u32) -> Id {
        let count = self.word(count);
        self.bin(Bin32::ShrU, a, count)
    }

    /// `a >> count`, arithmetic.
    pub(super) fn shr_s(&mut self, a: Id, count: u32) -> Id {
        let count = self.word(count);
        self.bin(Bin32::ShrS, a, count)
    }

    /// `a << count`, with `count` below 32.
    pub(super) fn shl(&mut self, a: Id, count: u32) -> Id {
        debug_assert!(count < 32);
        self.scaled(a, 1 << count)
    }

    /// The product of words, sums among them.
    pub(in crate::term) fn multiply(&mut self, operands: &[Id]) -> Id {
        let one = self.word(1);
        operands.iter().fold(one, |product, operand| self.bin(Bin32::Mul, product, *operand))
    }

    /// A memory with bytes written at distances from an address.
    pub(in crate::term) fn write_bytes(&mut self, memory: Id, base: Id, bytes: &[(u32, Id)]) -> Id {
        let (base, moved) = self.split_constant(base);
        let mut bytes: Vec<(u32, Id)> =
            bytes.iter().map(|(offset, byte)| (offset.wrapping_add(moved), *byte)).collect();
        bytes.sort_unstable();
        self.build(Node::Writes(Writes { memory, base, bytes: bytes.into() }))
    }

    /// The product of words, constants among them.
    pub(super) fn product(&mut self, operands: &[Id]) -> Id {
        let mut factor = 1u32;
        let mut all: Vec<Id> = Vec::new();
        for id in operands {
            match self.node(*id) {
                Node::Const(value) => factor = factor.wrapping_mul(*value),
                Node::Product(inner) => all.extend(inner.iter()),
                _ => all.push(*id),
            }
        }
        all.sort_unstable();
        let atom = match all[..] {
            [] => return self.word(factor),
            [only] => only,
            _ => self.build(Node::Product(all.into())),
        };
        self.scaled(atom, factor)
    }

    /// The condition and the two constants of a word that is one of two constants.
    pub(super) fn two_valued(&self, id: Id) -> Option<(Id, u32, u32)> {
        match self.node(id) {
            Node::Ite(c, a, b) => Some((*c, self.constant(*a)?, self.constant(*b)?)),
            Node::Linear(sum) => match sum.monomials[..] {
                [(only, factor)] => {
                    let c = self.is_flag(only)?;
                    Some((c, sum.constant.wrapping_add(factor), sum.constant))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The condition of a flag, `ite(c, 1, 0)`.
    pub(in crate::term) fn is_flag(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Ite(c, a, b) if self.constant(*a) == Some(1) && self.constant(*b) == Some(0) => Some(*c),
            _ => None,
        }
    }

    /// `ite(c, a, b)` of constants.
    pub(super) fn choose_const(&mut self, c: Id, a: u32, b: u32) -> Id {
        let (a, b) = (self.word(a), self.word(b));
        self.choose(c, a, b)
    }

    /// The range of a multiple of an atom.
    pub(super) fn range_of_monomial(&self, (id, factor): (Id, u32)) -> Range {
        let range = self.range(id);
        if factor == 1 {
            return range;
        }
        if factor.is_power_of_two() {
            let shift = factor.trailing_zeros();
            return Range::of_bits(range.zeros << shift | (factor - 1), range.ones << shift);
        }
        match u32::try_from(u64::from(range.high) * u64::from(factor)) {
            Ok(high) => Range::between(range.low.wrapping_mul(factor), high),
            Err(_) => Range::ALL,
        }
    }

    /// A sum of which no two parts have a bit in common, so that `+` is `|`. `None` for anything else.
    pub(super) fn disjoint_parts(&self, id: Id) -> Option<Linear> {
        let Node::Linear(sum) = self.node(id) else {
            return None;
        };
        let mut used = sum.constant;
        for part in sum.monomials.iter() {
            let possible = self.range_of_monomial(*part).possible();
            if possible & used != 0 {
                return None;
            }
            used |= possible;
        }
        Some(sum.clone())
    }

    /// A monomial as moved bits of a word.
    pub(in crate::term) fn field(&mut self, (id, factor): (Id, u32)) -> Field {
        let shift = factor.trailing_zeros();
        let odd = (factor as i32 >> shift) as u32;
        let (inner, mask) = match self.node(id).clone() {
            Node::Bits(bits) if bits.op == BitOp::And => {
                let inner = match bits.operands[..] {
                    [only] => only,
                    _ => self.bits(BitOp::And, &bits.operands, u32::MAX),
                };
                (inner, bits.constant)
            }
            _ => (id, u32::MAX),
        };
        let (source, down) = match *self.node(inner) {
            Node::Bin32(Bin32::ShrU, a, count) => match self.constant(count) {
                Some(count) if count < 32 => (a, count),
                _ => (inner, 0),
            },
            Node::Ite(c, ..) if self.is_flag(inner).is_some() => match *self.node(c) {
                Node::Cmp32(Cmp::LtS, a, zero) if self.constant(zero) == Some(0) => (a, 31),
                _ => (inner, 0),
            },
            _ => (inner, 0),
        };
        let mask = (mask & (u32::MAX >> down)) << shift;
        Field { source, distance: shift as i32 - down as i32, mask, factor: odd }
    }

    /// Moved bits of a word as a term.
    pub(in crate::term) fn of_field(&mut self, field: Field) -> Id {
        if field.mask == 0 {
            return self.word(0);
        }
        let low = field.mask.trailing_zeros();
        debug_assert!(low as i32 >= field.distance, "shifted-in bits are not in the mask");
        let down = (low as i32 - field.distance) as u32;
        if down >= 32 {
            return self.word(0);
        }
        let moved = self.shr_u(field.source, down);
        let bits = self.masked(moved, field.mask >> low);
        self.scaled(bits, field.factor << low)
    }

    /// The sum without its constant, and the constant; of a constant, 0 and the constant.
    pub(in crate::term) fn split_constant(&mut self, address: Id) -> (Id, u32) {
        let sum = self.linear(address);
        if sum.constant == 0 {
            return (address, 0);
        }
        (self.sum(&sum.monomials, 0), sum.constant)
    }

    /// Byte `at` of a word, as a word.
    pub(super) fn byte_of(&mut self, value: Id, at: u32) -> Id {
        let moved = self.shr_u(value, 8 * at);
        self.masked(moved, 0xff)
    }

    /// What a term is where a condition has the given truth: looked for in connectives and choices of
    /// truth values, and at the top of words.
    pub(super) fn assuming(&mut self, id: Id, c: Id, value: bool) -> Id {
        if id == c {
            return self.truth(value);
        }
        match self.node(id).clone() {
            Node::Not(a) => {
                let known = self.assuming(a, c, value);
                if known == a { id } else { self.negation(known) }
            }
            Node::Ite(d, x, y) if d == c => {
                if value {
                    x
                } else {
                    y
                }
            }
            Node::Ite(d, x, y) if self.arena().sort(x) == Sort::Bool => {
                let known = [d, x, y].map(|part| self.assuming(part, c, value));
                if known == [d, x, y] { id } else { self.choose(known[0], known[1], known[2]) }
            }
            Node::Ite(d, x, y) => {
                let known = self.assuming(d, c, value);
                if known == d { id } else { self.choose(known, x, y) }
            }
            Node::Linear(sum) => {
                let branch = |(part, factor): &(Id, u32)| match *self.node(*part) {
                    Node::Ite(d, x, y) if d == c => (if value { x } else { y }, *factor),
                    _ => (*part, *factor),
                };
                let known: Vec<(Id, u32)> = sum.monomials.iter().map(branch).collect();
                if known[..] == sum.monomials[..] { id } else { self.sum(&known, sum.constant) }
            }
            Node::And(parts) => {
                let known: Vec<Id> = parts.iter().map(|part| self.assuming(*part, c, value)).collect();
                if known[..] == parts[..] { id } else { self.build(Node::And(known.into())) }
            }
            _ => id,
        }
    }

    /// The halves of a normal 64-bit word.
    pub(super) fn halves(&self, id: Id) -> Option<(Id, Id)> {
        match self.node(id) {
            Node::Join(high, low) => Some((*high, *low)),
            _ => None,
        }
    }
}

/// A bit operator on constants.
pub(super) fn combine(op: BitOp, a: u32, b: u32) -> u32 {
    match op {
        BitOp::And => a & b,
        BitOp::Or => a | b,
        BitOp::Xor => a ^ b,
    }
}

/// A sorted list without pairs of equal elements.
fn without_pairs(sorted: &[Id]) -> Vec<Id> {
    let mut left: Vec<Id> = Vec::with_capacity(sorted.len());
    for id in sorted {
        if left.last() == Some(id) {
            left.pop();
        } else {
            left.push(*id);
        }
    }
    left
}
