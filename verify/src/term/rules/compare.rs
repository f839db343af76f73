//! Comparisons and carries.

use super::super::Terms;
use super::super::node::{BitOp, Id, Linear, Node};
use super::super::value;
use super::linear::only_monomial;
use super::make::{filled, inverse};
use super::{Rule, rules};
use crate::domain::{Bin32, Cmp, Un32};

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;

/// Comparisons of words.
pub(super) const COMPARISONS: &[Rule] = rules![
    fold_comparison,
    compare_two_values,
    compare_choice,
    eq_is_difference,
    eq_out_of_range,
    eq_of_multiple,
    eq_of_bit,
    eq_of_shift,
    eq_of_xor,
    eq_with_xor,
    eq_of_or,
    eq_of_and,
    eq_of_parts,
    eq_of_clz,
    eq_of_extension,
    lt_by_range,
    lt_of_same,
    lt_u_ends,
    lt_u_constant_left,
    lt_u_of_shift,
    lt_u_of_multiple,
    lt_u_of_offset,
    lt_u_of_positive,
    lt_u_of_sign_flips,
    lt_u_of_sum,
    lt_u_of_complements,
    lt_s_ends,
    lt_s_constant_left,
    lt_s_of_same_sign,
    lt_s_of_sign_flips,
    lt_s_of_complements,
    lt_s_of_bit,
    lt_s_of_bits,
];

/// Carries.
pub(super) const CARRIES: &[Rule] = rules![
    carry_by_range,
    carry_sorted,
    carry_of_opposites,
    carry_without,
    carry_with,
    carry_of_sum,
    carry_with_negation,
    carry_into_constant,
];

fn of(op: Cmp, node: &Node) -> Option<(Id, Id)> {
    match *node {
        Node::Cmp32(own, a, b) if own == op => Some((a, b)),
        _ => None,
    }
}

/// The left side and the constant right side.
fn with_constant(t: &Terms, op: Cmp, node: &Node) -> Option<(Id, u32)> {
    let (a, b) = of(op, node)?;
    Some((a, t.constant(b)?))
}

/// `k op j` is its truth
fn fold_comparison(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Cmp32(op, a, b) = *node else {
        return None;
    };
    let (a, b) = (t.constant(a)?, t.constant(b)?);
    Some(t.truth(value::cmp32(op, a, b)))
}

/// `ite(c, k, j) op i = ite(c, k op i, j op i)`, also with the sides exchanged
fn compare_two_values(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Cmp32(op, a, b) = *node else {
        return None;
    };
    let (c, then, otherwise) = match (t.two_valued(a), t.two_valued(b)) {
        (Some((c, k, j)), None) => {
            let i = t.constant(b)?;
            (c, value::cmp32(op, k, i), value::cmp32(op, j, i))
        }
        (None, Some((c, k, j))) => {
            let i = t.constant(a)?;
            (c, value::cmp32(op, i, k), value::cmp32(op, i, j))
        }
        _ => return None,
    };
    let (then, otherwise) = (t.truth(then), t.truth(otherwise));
    Some(t.choose(c, then, otherwise))
}

/// `f*ite(c, x, y) + j op k = ite(c, f*x + j op k, f*y + j op k)` if one branch is then a constant
fn compare_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Cmp32(op, a, b) = *node else {
        return None;
    };
    t.constant(b)?;
    let sum = t.linear(a);
    let [(only, factor)] = sum.monomials[..] else {
        return None;
    };
    let Node::Ite(c, x, y) = *t.node(only) else {
        return None;
    };
    let [then, otherwise] = [x, y].map(|branch| {
        let branch = t.sum(&[(branch, factor)], sum.constant);
        t.cmp(op, branch, b)
    });
    let constant = |id| matches!(t.node(id), Node::Bool(_));
    (constant(then) || constant(otherwise)).then(|| t.choose(c, then, otherwise))
}

/// `a = b` is `d = k`: the difference without its constant, its first factor positive, and the constant
fn eq_is_difference(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::Eq, node)?;
    let difference = t.sub(a, b);
    let sum = t.linear(difference);
    let Some((_, first)) = sum.monomials.first() else {
        return Some(t.truth(sum.constant == 0));
    };
    let sign = if *first as i32 > 0 || *first == MIN { 1 } else { u32::MAX };
    let left = t.sum(&[(difference, sign)], sum.constant.wrapping_mul(sign).wrapping_neg());
    let right = sum.constant.wrapping_mul(sign).wrapping_neg();
    (t.constant(b) != Some(right) || left != a).then(|| t.cmp_const(Cmp::Eq, left, right))
}

/// `x = k` is false if `x` cannot be `k`
fn eq_out_of_range(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let range = t.range(a);
    let possible = (range.low..=range.high).contains(&k) && range.zeros & k == 0 && range.ones & !k == 0;
    if !possible {
        return Some(t.truth(false));
    }
    (range.constant() == Some(k)).then(|| t.truth(true))
}

/// `j*x = k` is `x = k/j` for odd `j`; `2^s*x = k` is `x = k >> s` if the product cannot wrap
fn eq_of_multiple(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let (atom, factor) = only_monomial(&t.linear(a))?;
    let shift = factor.trailing_zeros();
    let odd = (factor as i32 >> shift) as u32;
    let k = k.wrapping_mul(inverse(odd));
    if k.trailing_zeros() < shift {
        return Some(t.truth(false));
    }
    if shift > 0 && t.range(atom).possible().leading_zeros() >= shift {
        return Some(t.cmp_const(Cmp::Eq, atom, k >> shift));
    }
    if odd == 1 {
        return None;
    }
    let left = t.scaled(atom, 1 << shift);
    Some(t.cmp_const(Cmp::Eq, left, k))
}

/// `x = b` is `not x = 0` if `x` is 0 or the bit `b`
fn eq_of_bit(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let range = t.range(a);
    if k == 0 || range.possible() != k || !k.is_power_of_two() {
        return None;
    }
    let zero = t.is_zero(a);
    Some(t.negation(zero))
}

/// `x >> k = 0` is `x <u 2^k`
fn eq_of_shift(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let Node::Bin32(Bin32::ShrU, x, count) = *t.node(a) else {
        return None;
    };
    let limit = 1u32.checked_shl(t.constant(count)?)?;
    (k == 0).then(|| t.cmp_const(Cmp::LtU, x, limit))
}

/// `x ^ k = j` is `x = k ^ j`; `x ^ y = 0` is `x = y`
fn eq_of_xor(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let Node::Bits(bits) = t.node(a).clone() else {
        return None;
    };
    match (bits.op, &bits.operands[..]) {
        (BitOp::Xor, [x, y]) if bits.constant == k => Some(t.eq(*x, *y)),
        (BitOp::Xor, operands) if bits.constant != 0 => {
            let plain = t.bits(BitOp::Xor, operands, 0);
            Some(t.cmp_const(Cmp::Eq, plain, k ^ bits.constant))
        }
        _ => None,
    }
}

/// `x ^ y - z = k` is `x ^ y ^ (z + k) = 0`
fn eq_with_xor(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let sum = t.linear(a);
    if sum.monomials.len() < 2 {
        return None;
    }
    let is_xor = |id: Id| matches!(t.node(id), Node::Bits(bits) if bits.op == BitOp::Xor);
    let &(xor, factor) = sum.monomials.iter().find(|(id, factor)| [1, u32::MAX].contains(factor) && is_xor(*id))?;
    let rest = t.sum(&[(a, 1), (xor, factor.wrapping_neg())], 0);
    let equal = t.sum(&[(rest, factor.wrapping_neg())], factor.wrapping_mul(k));
    let difference = t.bits(BitOp::Xor, &[xor, equal], 0);
    Some(t.cmp_const(Cmp::Eq, difference, 0))
}

/// `x | y = 0` is `x = 0 and y = 0`
fn eq_of_or(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let Node::Bits(bits) = t.node(a).clone() else {
        return None;
    };
    if bits.op != BitOp::Or || bits.constant != 0 || k != 0 {
        return None;
    }
    let zeros: Vec<Id> = bits.operands.iter().map(|id| t.is_zero(*id)).collect();
    Some(t.build(Node::And(zeros.into())))
}

/// `x & y = -1` is `x = -1 and y = -1`
fn eq_of_and(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let Node::Bits(bits) = t.node(a).clone() else {
        return None;
    };
    if bits.op != BitOp::And || bits.constant != u32::MAX || k != u32::MAX {
        return None;
    }
    let ones: Vec<Id> = bits.operands.iter().map(|id| t.cmp_const(Cmp::Eq, *id, u32::MAX)).collect();
    Some(t.build(Node::And(ones.into())))
}

/// `x + y = k` is `x = k & m and y = k & n` if `x` has only bits of `m`, `y` of `n`, and `m & n = 0`
fn eq_of_parts(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    for sign in [1, u32::MAX] {
        let signed = t.scaled(a, sign);
        let Some(Linear { monomials: parts, .. }) = t.disjoint_parts(signed) else {
            continue;
        };
        if parts.len() < 2 {
            continue;
        }
        let k = k.wrapping_mul(sign);
        let mut all = Vec::with_capacity(parts.len());
        let mut covered = 0;
        for part in parts.iter() {
            let possible = t.range_of_monomial(*part).possible();
            covered |= possible;
            let part = t.monomial(*part);
            all.push(t.cmp_const(Cmp::Eq, part, k & possible));
        }
        if k & !covered != 0 {
            return Some(t.truth(false));
        }
        return Some(t.build(Node::And(all.into())));
    }
    None
}

/// `clz(x) = 32` is `x = 0`; `clz(x) = 0` is `x <s 0`
fn eq_of_clz(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let Node::Un32(Un32::Clz, x) = *t.node(a) else {
        return None;
    };
    match k {
        32 => Some(t.is_zero(x)),
        0 => Some(t.is_negative(x)),
        _ => None,
    }
}

/// `sext(x) = k` is `x & m = k & m`, `m` the bits extended, if `k` is extended; else false
fn eq_of_extension(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::Eq, node)?;
    let (op, x, mask) = match *t.node(a) {
        Node::Un32(op @ Un32::Sext8, x) => (op, x, 0xff),
        Node::Un32(op @ Un32::Sext16, x) => (op, x, 0xffff),
        _ => return None,
    };
    if value::un32(op, k) != k {
        return Some(t.truth(false));
    }
    let low = t.masked(x, mask);
    Some(t.cmp_const(Cmp::Eq, low, k & mask))
}

/// `a < b` is its truth if the ranges decide it
fn lt_by_range(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Cmp32(op, a, b) = *node else {
        return None;
    };
    let (mut left, mut right) = (t.range(a), t.range(b));
    if op == Cmp::LtS {
        match (left.sign()?, right.sign()?) {
            (true, false) => return Some(t.truth(true)),
            (false, true) => return Some(t.truth(false)),
            _ => {
                left.low ^= MIN;
                left.high ^= MIN;
                right.low ^= MIN;
                right.high ^= MIN;
            }
        }
    }
    if op == Cmp::Eq {
        return None;
    }
    if left.high < right.low {
        return Some(t.truth(true));
    }
    (left.low >= right.high).then(|| t.truth(false))
}

/// `x < x` is false
fn lt_of_same(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Cmp32(op, a, b) = *node else {
        return None;
    };
    (op != Cmp::Eq && a == b).then(|| t.truth(false))
}

/// `x <u 1` is `x = 0`; `x <u 2^31` is `not x <s 0`; `x <u -1` is `not x = -1`
fn lt_u_ends(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtU, node)?;
    let opposite = match k {
        1 => return Some(t.is_zero(a)),
        MIN => t.is_negative(a),
        u32::MAX => t.cmp_const(Cmp::Eq, a, u32::MAX),
        _ => return None,
    };
    Some(t.negation(opposite))
}

/// `k <u x` is `not x <u k + 1`, `-1 <u x` is false
fn lt_u_constant_left(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtU, node)?;
    let k = t.constant(a)?;
    let Some(limit) = k.checked_add(1) else {
        return Some(t.truth(false));
    };
    let below = t.cmp_const(Cmp::LtU, b, limit);
    Some(t.negation(below))
}

/// `x >> s <u k` is `x <u k << s` if that does not overflow
fn lt_u_of_shift(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtU, node)?;
    let Node::Bin32(Bin32::ShrU, x, count) = *t.node(a) else {
        return None;
    };
    let limit = u32::try_from(u64::from(k) << t.constant(count)?.min(32)).ok()?;
    Some(t.cmp_const(Cmp::LtU, x, limit))
}

/// `2^s*x <u k` is `x <u (k + 2^s - 1) >> s` if the product cannot wrap
fn lt_u_of_multiple(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtU, node)?;
    let (atom, factor) = only_monomial(&t.linear(a))?;
    let shift = factor.trailing_zeros();
    if shift == 0 || !factor.is_power_of_two() || t.range(atom).possible().leading_zeros() < shift {
        return None;
    }
    let limit = (u64::from(k) + u64::from(factor) - 1) >> shift;
    Some(t.cmp_const(Cmp::LtU, atom, limit as u32))
}

/// `x + j <u k` is `x <u k - j` if `x + j` cannot wrap
fn lt_u_of_offset(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtU, node)?;
    let (x, j) = t.split_constant(a);
    if j == 0 || t.range(x).high.checked_add(j).is_none() {
        return None;
    }
    match k.checked_sub(j) {
        Some(limit) => Some(t.cmp_const(Cmp::LtU, x, limit)),
        None => Some(t.truth(false)),
    }
}

/// `x - j <u 2^31 - j` is `not x <s j` for `j` from 1 to 2^31 - 1
fn lt_u_of_positive(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtU, node)?;
    let (x, offset) = t.split_constant(a);
    let j = offset.wrapping_neg();
    if !(1..MIN).contains(&j) || k != MIN - j {
        return None;
    }
    let below = t.cmp_const(Cmp::LtS, x, j);
    Some(t.negation(below))
}

/// A word with its sign bit flipped, if that makes it simpler: `x + 2^31` or a constant.
fn sign_flipped(t: &mut Terms, id: Id) -> Option<Id> {
    if let Some(k) = t.constant(id) {
        return Some(t.word(k ^ MIN));
    }
    let (x, j) = t.split_constant(id);
    (j == MIN).then_some(x)
}

/// `x + 2^31 <u y + 2^31` is `x <s y`
fn lt_u_of_sign_flips(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtU, node)?;
    let (x, y) = (sign_flipped(t, a)?, sign_flipped(t, b)?);
    Some(t.cmp(Cmp::LtS, x, y))
}

/// How many monomials and constants a sum has.
fn size(t: &Terms, id: Id) -> usize {
    let sum = t.linear(id);
    sum.monomials.len() + usize::from(sum.constant != 0)
}

/// `x + y <u x` is the carry of `x + y`; `x <u x - y` is `x <u y`
fn lt_u_of_sum(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtU, node)?;
    let none = t.truth(false);
    let rest = t.sub(a, b);
    if size(t, rest) + size(t, b) == size(t, a) {
        return Some(t.carry_of(b, rest, none));
    }
    (size(t, rest) + size(t, a) == size(t, b)).then(|| t.cmp(Cmp::LtU, a, rest))
}

/// `!x <u !y` is `y <u x`; `!x <u y` is the carry of `x + y`; `x <u !y` is `not` the carry of `x + y + 1`
fn lt_u_of_complements(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtU, node)?;
    let known = t.constant(b);
    match (t.complement_of(a), t.complement_of(b)) {
        (Some(x), Some(y)) => Some(t.cmp(Cmp::LtU, y, x)),
        (Some(x), None) => match known {
            Some(k) => {
                let limit = t.word(!k);
                Some(t.cmp(Cmp::LtU, limit, x))
            }
            None => {
                let none = t.truth(false);
                Some(t.carry_of(x, b, none))
            }
        },
        (None, Some(y)) => {
            let one = t.truth(true);
            let carry = t.carry_of(a, y, one);
            Some(t.negation(carry))
        }
        (None, None) => None,
    }
}

/// `x <s -2^31` is false; `x <s -2^31 + 1` is `x = -2^31`; `x <s 2^31 - 1` is `not x = 2^31 - 1`
fn lt_s_ends(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, k) = with_constant(t, Cmp::LtS, node)?;
    match k {
        MIN => Some(t.truth(false)),
        0x8000_0001 => Some(t.cmp_const(Cmp::Eq, a, MIN)),
        MAX => {
            let equal = t.cmp_const(Cmp::Eq, a, MAX);
            Some(t.negation(equal))
        }
        _ => None,
    }
}

/// `k <s x` is `not x <s k + 1`, `2^31 - 1 <s x` is false
fn lt_s_constant_left(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtS, node)?;
    let k = t.constant(a)?;
    if k == MAX {
        return Some(t.truth(false));
    }
    let below = t.cmp_const(Cmp::LtS, b, k.wrapping_add(1));
    Some(t.negation(below))
}

/// `x <s y` is `x <u y` if both have the same sign
fn lt_s_of_same_sign(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtS, node)?;
    let same = t.range(a).sign()? == t.range(b).sign()?;
    same.then(|| t.cmp(Cmp::LtU, a, b))
}

/// `x + 2^31 <s y + 2^31` is `x <u y`
fn lt_s_of_sign_flips(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtS, node)?;
    let (x, y) = (sign_flipped(t, a)?, sign_flipped(t, b)?);
    Some(t.cmp(Cmp::LtU, x, y))
}

/// `!x <s !y` is `y <s x`; `!x <s k` is `!k <s x`
fn lt_s_of_complements(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Cmp::LtS, node)?;
    let x = t.complement_of(a)?;
    let y = match t.constant(b) {
        Some(k) => t.word(!k),
        None => t.complement_of(b)?,
    };
    Some(t.cmp(Cmp::LtS, y, x))
}

/// `x <s 0` is `not x & b = 0` for words whose sign is bit `b` of another: `2^s*x`, `sext(x)`, `x >>s s`
fn lt_s_of_bit(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, 0) = with_constant(t, Cmp::LtS, node)? else {
        return None;
    };
    let (x, bit) = match *t.node(a) {
        Node::Un32(Un32::Sext8, x) => (x, 7),
        Node::Un32(Un32::Sext16, x) => (x, 15),
        Node::Bin32(Bin32::ShrS, x, _) => return Some(t.is_negative(x)),
        _ => {
            let (x, factor) = only_monomial(&t.linear(a))?;
            if factor == 1 || !factor.is_power_of_two() {
                return None;
            }
            (x, 31 - factor.trailing_zeros())
        }
    };
    let clear = t.masked(x, 1 << bit);
    let clear = t.is_zero(clear);
    Some(t.negation(clear))
}

/// `x & y <s 0` is `x <s 0 and y <s 0`; so for `|` and `^`
fn lt_s_of_bits(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, 0) = with_constant(t, Cmp::LtS, node)? else {
        return None;
    };
    let Node::Bits(bits) = t.node(a).clone() else {
        return None;
    };
    if bits.op == BitOp::And && filled(bits.constant) != u32::MAX {
        return None;
    }
    let mut joined = t.truth(bits.op == BitOp::And);
    for id in bits.operands.iter() {
        let negative = t.is_negative(*id);
        joined = match bits.op {
            BitOp::And => t.both(joined, negative),
            BitOp::Or => t.either(joined, negative),
            BitOp::Xor => {
                let not = t.negation(negative);
                t.choose(joined, not, negative)
            }
        };
    }
    Some(joined)
}

/// `carry(a, b, c)` is its truth if the ranges decide it
fn carry_by_range(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let (a, b) = (t.range(a), t.range(b));
    let (least, most) = match *t.node(c) {
        Node::Bool(c) => (c, c),
        _ => (false, true),
    };
    if value::carry(a.low, b.low, least) {
        return Some(t.truth(true));
    }
    (!value::carry(a.high, b.high, most)).then(|| t.truth(false))
}

/// `carry(a, b, c) = carry(b, a, c)`
fn carry_sorted(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    (b < a).then(|| t.carry_of(b, a, c))
}

/// `carry(x, !x, c) = c`
fn carry_of_opposites(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let sum = t.sum(&[(a, 1), (b, 1)], 0);
    (t.constant(sum) == Some(u32::MAX)).then_some(c)
}

/// `carry(x, k, 0)` is `not x <u -k`, `k` not 0; `carry(!x, y, 0)` is `x <u y`
fn carry_without(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let Node::Bool(false) = *t.node(c) else {
        return None;
    };
    for (x, y) in [(a, b), (b, a)] {
        if let Some(k) = t.constant(y) {
            let below = t.cmp_const(Cmp::LtU, x, k.wrapping_neg());
            return Some(t.negation(below));
        }
        if let Some(plain) = t.complement_of(x) {
            return Some(t.cmp(Cmp::LtU, plain, y));
        }
    }
    None
}

/// `carry(x, k, 1)` is `not x <u !k`; `carry(!x, y, 1)` is `not y <u x`
fn carry_with(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let Node::Bool(true) = *t.node(c) else {
        return None;
    };
    for (x, y) in [(a, b), (b, a)] {
        let below = if let Some(k) = t.constant(y) {
            t.cmp_const(Cmp::LtU, x, !k)
        } else if let Some(plain) = t.complement_of(x) {
            t.cmp(Cmp::LtU, y, plain)
        } else {
            continue;
        };
        return Some(t.negation(below));
    }
    None
}

/// `carry(!x, x + y, 1)` is `not` the carry of `x + y`
fn carry_of_sum(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let Node::Bool(true) = *t.node(c) else {
        return None;
    };
    let (rest, none) = (t.sum(&[(a, 1), (b, 1)], 1), t.truth(false));
    for (negative, whole) in [(a, b), (b, a)] {
        let plain = t.complement(negative);
        if size(t, plain) + size(t, rest) == size(t, whole) {
            let carry = t.carry_of(plain, rest, none);
            return Some(t.negation(carry));
        }
    }
    None
}

/// `carry(a, b, not c) = not carry(!a, !b, c)`
fn carry_with_negation(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    let Node::Not(plain) = *t.node(c) else {
        return None;
    };
    let (a, b) = (t.complement(a), t.complement(b));
    let carry = t.carry_of(a, b, plain);
    Some(t.negation(carry))
}

/// `carry(x, 0, c)` is `x = -1 and c`; `carry(x, -1, c)` is `not x = 0 or c`
fn carry_into_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Carry(a, b, c) = *node else {
        return None;
    };
    for (x, y) in [(a, b), (b, a)] {
        match t.constant(y) {
            Some(0) => {
                let full = t.cmp_const(Cmp::Eq, x, u32::MAX);
                return Some(t.both(full, c));
            }
            Some(u32::MAX) => {
                let zero = t.is_zero(x);
                let some = t.negation(zero);
                return Some(t.either(some, c));
            }
            _ => {}
        }
    }
    None
}
