//! The condition flags, kept as what set them.
//!
//! Ensures: every condition is what the manual's N, Z, C and V give (DDI0403, A7.3; `AddWithCarry`,
//! D6.6.1), in the shortest form: after a comparison `LO` is one unsigned comparison, and after a
//! 64-bit comparison by two instructions it is one of 64 bits.

use crate::domain::{Bin32, Cmp, Domain};
use crate::float::{Float, Format, Relation};

use super::inst::Cond;

/// N, Z, C and V, or the operation that sets them.
pub enum Flags<D: Domain + ?Sized> {
    /// One by one.
    Bits {
        /// Negative.
        n: D::Bool,
        /// Zero.
        z: D::Bool,
        /// Carry.
        c: D::Bool,
        /// Overflow.
        v: D::Bool,
    },
    /// N and Z of a result.
    Logic {
        /// The result.
        result: D::W32,
        /// Carry.
        c: D::Bool,
        /// Overflow.
        v: D::Bool,
    },
    /// `a + b + carry`.
    Add {
        /// First summand.
        a: D::W32,
        /// Second summand.
        b: D::W32,
        /// Carry in.
        carry: D::Bool,
        /// The sum.
        result: D::W32,
    },
    /// `a - b`.
    Sub {
        /// Minuend.
        a: D::W32,
        /// Subtrahend.
        b: D::W32,
        /// The difference.
        result: D::W32,
    },
    /// `a - b - !carry`.
    SubCarry {
        /// Minuend.
        a: D::W32,
        /// Subtrahend.
        b: D::W32,
        /// Carry in.
        carry: D::Bool,
        /// The difference.
        result: D::W32,
        /// The low words, if the carry comes from their difference: the pair is one of 64 bits.
        low: Option<(D::W32, D::W32)>,
    },
    /// A comparison of two floats (DDI0403, A2.5.8, `FPCompare`): N if less, Z and C if equal, C if greater,
    /// C and V if unordered.
    Float {
        /// The words of the first.
        a: Vec<D::W32>,
        /// The words of the second.
        b: Vec<D::W32>,
    },
}

impl<D: Domain + ?Sized> Clone for Flags<D> {
    fn clone(&self) -> Self {
        match self {
            Flags::Bits { n, z, c, v } => Flags::Bits { n: n.clone(), z: z.clone(), c: c.clone(), v: v.clone() },
            Flags::Logic { result, c, v } => Flags::Logic { result: result.clone(), c: c.clone(), v: v.clone() },
            Flags::Add { a, b, carry, result } => {
                Flags::Add { a: a.clone(), b: b.clone(), carry: carry.clone(), result: result.clone() }
            }
            Flags::Sub { a, b, result } => Flags::Sub { a: a.clone(), b: b.clone(), result: result.clone() },
            Flags::SubCarry { a, b, carry, result, low } => Flags::SubCarry {
                a: a.clone(),
                b: b.clone(),
                carry: carry.clone(),
                result: result.clone(),
                low: low.clone(),
            },
            Flags::Float { a, b } => Flags::Float { a: a.clone(), b: b.clone() },
        }
    }
}

impl<D: Domain> Flags<D> {
    /// From N, Z, C, V.
    pub fn from_bits([n, z, c, v]: [D::Bool; 4]) -> Flags<D> {
        Flags::Bits { n, z, c, v }
    }

    /// The result of `a - b` and its flags.
    pub fn sub(d: &mut D, a: &D::W32, b: &D::W32) -> (D::W32, Flags<D>) {
        let result = d.bin32(Bin32::Sub, a, b);
        (result.clone(), Flags::Sub { a: a.clone(), b: b.clone(), result })
    }

    /// The result of `a + b + carry` and its flags.
    pub fn add(d: &mut D, a: &D::W32, b: &D::W32, carry: &D::Bool) -> (D::W32, Flags<D>) {
        let sum = d.bin32(Bin32::Add, a, b);
        let carried = word(d, carry);
        let result = d.bin32(Bin32::Add, &sum, &carried);
        (result.clone(), Flags::Add { a: a.clone(), b: b.clone(), carry: carry.clone(), result })
    }

    /// The result of `a - b - !carry` and its flags, where the carry is that of `self`.
    pub fn sub_carry(&self, d: &mut D, a: &D::W32, b: &D::W32) -> (D::W32, Flags<D>) {
        let carry = self.carry(d);
        let difference = d.bin32(Bin32::Sub, a, b);
        let no_borrow = d.not(&carry);
        let borrow = word(d, &no_borrow);
        let result = d.bin32(Bin32::Sub, &difference, &borrow);
        let low = match self {
            Flags::Sub { a, b, .. } => Some((a.clone(), b.clone())),
            Flags::Bits { .. }
            | Flags::Logic { .. }
            | Flags::Add { .. }
            | Flags::SubCarry { .. }
            | Flags::Float { .. } => None,
        };
        (result.clone(), Flags::SubCarry { a: a.clone(), b: b.clone(), carry, result, low })
    }

    /// Either set of flags.
    pub fn either(d: &mut D, condition: &D::Bool, then: &Flags<D>, otherwise: &Flags<D>) -> Flags<D> {
        let new = [then.negative(d), then.zero(d), then.carry(d), then.overflow(d)];
        let old = [otherwise.negative(d), otherwise.zero(d), otherwise.carry(d), otherwise.overflow(d)];
        let [n, z, c, v] = std::array::from_fn(|bit| d.ite_bool(condition, &new[bit], &old[bit]));
        Flags::Bits { n, z, c, v }
    }

    fn result(&self) -> Option<&D::W32> {
        match self {
            Flags::Bits { .. } | Flags::Float { .. } => None,
            Flags::Logic { result, .. }
            | Flags::Add { result, .. }
            | Flags::Sub { result, .. }
            | Flags::SubCarry { result, .. } => Some(result),
        }
    }

    /// N.
    pub fn negative(&self, d: &mut D) -> D::Bool {
        match (self, self.result()) {
            (Flags::Bits { n, .. }, _) => n.clone(),
            (Flags::Float { a, b }, _) => related(d, Relation::Lt, a, b),
            (_, Some(result)) => is_negative(d, result),
            (_, None) => unreachable!("the others have a result"),
        }
    }

    /// Z.
    pub fn zero(&self, d: &mut D) -> D::Bool {
        match (self, self.result()) {
            (Flags::Bits { z, .. }, _) => z.clone(),
            (Flags::Sub { a, b, .. }, _) => d.cmp32(Cmp::Eq, a, b),
            (Flags::Float { a, b }, _) => related(d, Relation::Eq, a, b),
            (_, Some(result)) => {
                let zero = d.w32(0);
                d.cmp32(Cmp::Eq, result, &zero)
            }
            (_, None) => unreachable!("the others have a result"),
        }
    }

    /// C.
    pub fn carry(&self, d: &mut D) -> D::Bool {
        match self {
            Flags::Bits { c, .. } | Flags::Logic { c, .. } => c.clone(),
            Flags::Add { a, b, carry, .. } => d.carry(a, b, carry),
            Flags::Sub { a, b, .. } => {
                let borrow = d.cmp32(Cmp::LtU, a, b);
                d.not(&borrow)
            }
            Flags::SubCarry { a, b, low: Some((a_low, b_low)), .. } => {
                let (a, b) = (d.join(a, a_low), d.join(b, b_low));
                let borrow = d.cmp64(Cmp::LtU, &a, &b);
                d.not(&borrow)
            }
            Flags::SubCarry { a, b, carry, low: None, .. } => {
                let ones = d.w32(u32::MAX);
                let complement = d.bin32(Bin32::Xor, b, &ones);
                d.carry(a, &complement, carry)
            }
            Flags::Float { a, b } => {
                let less = related(d, Relation::Lt, a, b);
                d.not(&less)
            }
        }
    }

    /// V.
    pub fn overflow(&self, d: &mut D) -> D::Bool {
        match self {
            Flags::Bits { v, .. } | Flags::Logic { v, .. } => v.clone(),
            Flags::Add { a, b, result, .. } => {
                let left = d.bin32(Bin32::Xor, a, result);
                let right = d.bin32(Bin32::Xor, b, result);
                let both = d.bin32(Bin32::And, &left, &right);
                is_negative(d, &both)
            }
            Flags::Sub { a, b, result } | Flags::SubCarry { a, b, result, .. } => {
                let left = d.bin32(Bin32::Xor, a, b);
                let right = d.bin32(Bin32::Xor, a, result);
                let both = d.bin32(Bin32::And, &left, &right);
                is_negative(d, &both)
            }
            Flags::Float { a, b } => {
                // A number is equal to itself, a NaN is not.
                let [a, b] = [a, b].map(|words| related(d, Relation::Eq, words, words));
                let both = d.and(&a, &b);
                d.not(&both)
            }
        }
    }

    /// N differs from V.
    fn less_signed(&self, d: &mut D) -> D::Bool {
        match self {
            Flags::Sub { a, b, .. } => d.cmp32(Cmp::LtS, a, b),
            Flags::SubCarry { a, b, low: Some((a_low, b_low)), .. } => {
                let (a, b) = (d.join(a, a_low), d.join(b, b_low));
                d.cmp64(Cmp::LtS, &a, &b)
            }
            Flags::Float { a, b } => {
                let not_less = related(d, Relation::Le, b, a);
                d.not(&not_less)
            }
            Flags::Bits { .. } | Flags::Logic { .. } | Flags::Add { .. } | Flags::SubCarry { low: None, .. } => {
                let (n, v) = (self.negative(d), self.overflow(d));
                let not_v = d.not(&v);
                d.ite_bool(&n, &not_v, &v)
            }
        }
    }

    /// C is set and Z is clear.
    fn higher(&self, d: &mut D) -> D::Bool {
        if let Flags::Sub { a, b, .. } = self {
            return d.cmp32(Cmp::LtU, b, a);
        }
        if let Flags::Float { a, b } = self {
            let not_higher = related(d, Relation::Le, a, b);
            return d.not(&not_higher);
        }
        let (c, z) = (self.carry(d), self.zero(d));
        let not_zero = d.not(&z);
        d.and(&c, &not_zero)
    }

    /// Z is clear and N equals V.
    fn greater(&self, d: &mut D) -> D::Bool {
        if let Flags::Sub { a, b, .. } = self {
            return d.cmp32(Cmp::LtS, b, a);
        }
        if let Flags::Float { a, b } = self {
            return related(d, Relation::Lt, b, a);
        }
        let (less, z) = (self.less_signed(d), self.zero(d));
        let either = d.or(&less, &z);
        d.not(&either)
    }

    /// Whether a condition holds.
    pub fn condition(&self, d: &mut D, cond: Cond) -> D::Bool {
        let (positive, inverted) = match cond {
            Cond::Eq => (self.zero(d), false),
            Cond::Ne => (self.zero(d), true),
            Cond::Hs => (self.carry(d), false),
            Cond::Lo => (self.carry(d), true),
            Cond::Mi => (self.negative(d), false),
            Cond::Pl => (self.negative(d), true),
            Cond::Vs => (self.overflow(d), false),
            Cond::Vc => (self.overflow(d), true),
            Cond::Hi => (self.higher(d), false),
            Cond::Ls => (self.higher(d), true),
            Cond::Lt => (self.less_signed(d), false),
            Cond::Ge => (self.less_signed(d), true),
            Cond::Gt => (self.greater(d), false),
            Cond::Le => (self.greater(d), true),
        };
        if inverted { d.not(&positive) } else { positive }
    }
}

fn word<D: Domain>(d: &mut D, truth: &D::Bool) -> D::W32 {
    let (one, zero) = (d.w32(1), d.w32(0));
    d.ite32(truth, &one, &zero)
}

/// Whether a relation holds of two floats of one or two words.
fn related<D: Domain>(d: &mut D, relation: Relation, a: &[D::W32], b: &[D::W32]) -> D::Bool {
    let format = if a.len() == 1 { Format::F32 } else { Format::F64 };
    let [truth, _] = d.float(Float::Compare(relation, format), &[a, b].concat());
    let zero = d.w32(0);
    let is_false = d.cmp32(Cmp::Eq, &truth, &zero);
    d.not(&is_false)
}

fn is_negative<D: Domain>(d: &mut D, a: &D::W32) -> D::Bool {
    let zero = d.w32(0);
    d.cmp32(Cmp::LtS, a, &zero)
}
