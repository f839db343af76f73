//! Shifts, rotations and quotients.

use super::super::Terms;
use super::super::node::{BitOp, Id, Linear, Node};
use super::super::value;
use super::linear::only_monomial;
use super::make::Field;
use super::{Rule, rules};
use crate::domain::{Bin32, Un32};

/// Shifts and rotations.
pub(super) const SHIFTS: &[Rule] = rules![
    fold_shift,
    shift_by_two_values,
    shift_of_two_values,
    shift_of_zero,
    shift_out,
    shift_by_known,
    shl_by_constant,
    shr_u_by_zero,
    shr_u_of_small,
    shr_u_of_shr_u,
    shr_u_of_and,
    shr_u_of_field,
    shr_u_of_parts,
    shr_u_of_shl,
    shr_u_of_sign,
    shr_u_of_clz,
    shr_u_of_load,
    shr_s_by_zero,
    shr_s_of_positive,
    shr_s_of_sign,
    shr_s_of_shr_s,
    shr_s_of_shl,
    rot_r_count,
    rot_r_by_constant,
];

/// Quotients.
pub(super) const DIVISIONS: &[Rule] = rules![
    fold_division,
    div_u_by_power,
    div_u_of_small,
    div_by_zero,
    div_s_of_positive,
    div_s_by_one,
    div_s_by_minus_one,
];

/// The operands of a shift.
fn of(op: Bin32, node: &Node) -> Option<(Id, Id)> {
    match *node {
        Node::Bin32(own, a, b) if own == op => Some((a, b)),
        _ => None,
    }
}

/// The value and the constant count of a shift.
fn by_constant(t: &Terms, op: Bin32, node: &Node) -> Option<(Id, u32)> {
    let (a, b) = of(op, node)?;
    Some((a, t.constant(b)?))
}

/// `k op j` is its value
fn fold_shift(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    let (a, b) = (t.constant(a)?, t.constant(b)?);
    Some(t.word(value::bin32(op, a, b)))
}

/// `x op ite(c, k, j) = ite(c, x op k, x op j)`
fn shift_by_two_values(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    let (c, k, j) = t.two_valued(b)?;
    let (k, j) = (t.word(k), t.word(j));
    let (then, otherwise) = (t.bin(op, a, k), t.bin(op, a, j));
    Some(t.choose(c, then, otherwise))
}

/// `ite(c, k, j) op i = ite(c, k op i, j op i)`
fn shift_of_two_values(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    let count = t.constant(b)?;
    let (c, k, j) = t.two_valued(a)?;
    Some(t.choose_const(c, value::bin32(op, k, count), value::bin32(op, j, count)))
}

/// `0 op n = 0`
fn shift_of_zero(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(_, a, _) = *node else {
        return None;
    };
    (t.constant(a) == Some(0)).then_some(a)
}

/// `x << n = 0`, `x >> n = 0`, `x >>s n = x >>s 31` if `n` is 32 or more
fn shift_out(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    if t.range(b).low < 32 {
        return None;
    }
    match op {
        Bin32::Shl | Bin32::ShrU => Some(t.word(0)),
        Bin32::ShrS => Some(t.shr_s(a, 31)),
        _ => None,
    }
}

/// `x op n = x op k` if `n` can only be `k`
fn shift_by_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    if op == Bin32::RotR {
        return None;
    }
    let constant = t.range(b).constant()?;
    if t.constant(b).is_some() {
        return None;
    }
    let constant = t.word(constant);
    Some(t.bin(op, a, constant))
}

/// `x << k = 2^k*x`
fn shl_by_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::Shl, node)?;
    Some(if count < 32 { t.shl(a, count) } else { t.word(0) })
}

/// `x >> 0 = x`
fn shr_u_by_zero(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    (count == 0).then_some(a)
}

/// `x >> k = 0` if `x` is below 2^k
fn shr_u_of_small(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    (t.range(a).high.checked_shr(count).unwrap_or(0) == 0).then(|| t.word(0))
}

/// `(x >> j) >> k = x >> (j + k)`
fn shr_u_of_shr_u(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let (inner, first) = by_constant(t, Bin32::ShrU, &t.node(a).clone())?;
    let total = first.saturating_add(count);
    Some(if total < 32 { t.shr_u(inner, total) } else { t.word(0) })
}

/// `(x & m) >> k = (x >> k) & (m >> k)`
fn shr_u_of_and(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let Node::Bits(bits) = t.node(a).clone() else {
        return None;
    };
    if bits.op != BitOp::And || bits.constant == u32::MAX {
        return None;
    }
    let inner = t.bits(BitOp::And, &bits.operands, u32::MAX);
    let moved = t.shr_u(inner, count);
    Some(t.masked(moved, bits.constant >> count))
}

/// `((x << d) & m) >> k = (x << (d - k)) & (m >> k)`
fn shr_u_of_field(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let Node::Linear(sum) = t.node(a) else {
        return None;
    };
    let part = only_monomial(sum)?;
    let field = t.field(part);
    if field.factor != 1 {
        return None;
    }
    Some(t.of_field(Field { distance: field.distance - count as i32, mask: field.mask >> count, ..field }))
}

/// `(x + y) >> k = (x >> k) + (y >> k)` if `x` and `y` have no bit in common
fn shr_u_of_parts(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let Linear { monomials: parts, constant } = t.disjoint_parts(a)?;
    if parts.len() + usize::from(constant != 0) < 2 {
        return None;
    }
    let mut moved = Vec::with_capacity(parts.len());
    for part in parts.iter() {
        let part = t.monomial(*part);
        moved.push((t.shr_u(part, count), 1));
    }
    Some(t.sum(&moved, constant >> count))
}

/// `(2^j*x) >> k = (x & (2^(32 - j) - 1)) >> (k - j)` for `j` up to `k`
fn shr_u_of_shl(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let sum = t.linear(a);
    let zeros = aligned(&sum).min(count);
    if !(1..32).contains(&zeros) {
        return None;
    }
    let parts: Vec<(Id, u32)> = sum.monomials.iter().map(|(id, factor)| (*id, factor >> zeros)).collect();
    let inner = t.sum(&parts, sum.constant >> zeros);
    let low = t.masked(inner, u32::MAX >> zeros);
    Some(t.shr_u(low, count - zeros))
}

/// How many of the lowest bits of a sum are 0 whatever its parts are.
fn aligned(sum: &Linear) -> u32 {
    sum.monomials.iter().fold(sum.constant.trailing_zeros(), |zeros, (_, factor)| zeros.min(factor.trailing_zeros()))
}

/// `x >> 31 = ite(x <s 0, 1, 0)`
fn shr_u_of_sign(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    if count != 31 {
        return None;
    }
    let negative = t.is_negative(a);
    Some(t.flag(negative))
}

/// `clz(x) >> 5 = ite(x = 0, 1, 0)`
fn shr_u_of_clz(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    let (Node::Un32(Un32::Clz, x), 5) = (t.node(a).clone(), count) else {
        return None;
    };
    let zero = t.is_zero(x);
    Some(t.flag(zero))
}

/// `load(m, a) >> 8*k` reads only the bytes above `k`
fn shr_u_of_load(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrU, node)?;
    super::memory::narrow_load(t, a, count, 32u32.saturating_sub(count))
}

/// `x >>s 0 = x`
fn shr_s_by_zero(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrS, node)?;
    (count == 0).then_some(a)
}

/// `x >>s n = x >> n` if `x` is not negative
fn shr_s_of_positive(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = of(Bin32::ShrS, node)?;
    (t.range(a).sign() == Some(false)).then(|| t.bin(Bin32::ShrU, a, count))
}

/// `x >>s k = -ite(x <s 0, 1, 0)` for `k` from 31
fn shr_s_of_sign(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrS, node)?;
    if count < 31 {
        return None;
    }
    let negative = t.is_negative(a);
    Some(t.choose_const(negative, u32::MAX, 0))
}

/// `(x >>s j) >>s k = x >>s (j + k)`
fn shr_s_of_shr_s(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrS, node)?;
    let (inner, first) = by_constant(t, Bin32::ShrS, &t.node(a).clone())?;
    Some(t.shr_s(inner, first.saturating_add(count).min(31)))
}

/// `(x << 24) >>s k = sext8(x) >>s (k - 24)` for `k` from 24; `(x << 16) >>s k = sext16(x) >>s (k - 16)`
/// for `k` from 16
fn shr_s_of_shl(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::ShrS, node)?;
    let sum = t.linear(a);
    let (op, shift) = match aligned(&sum) {
        24.. if count >= 24 => (Un32::Sext8, 24),
        16.. if count >= 16 => (Un32::Sext16, 16),
        _ => return None,
    };
    let parts: Vec<(Id, u32)> = sum.monomials.iter().map(|(id, factor)| (*id, factor >> shift)).collect();
    let inner = t.sum(&parts, sum.constant >> shift);
    let extended = t.un(op, inner);
    Some(t.shr_s(extended, count - shift))
}

/// `rotr(x, n) = rotr(x, m)` if `n` and `m` are equal modulo 32
fn rot_r_count(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = of(Bin32::RotR, node)?;
    let low = super::linear::low_sum(t, count, 5);
    (low != count).then(|| t.bin(Bin32::RotR, a, low))
}

/// `rotr(x, k) = (x >> k) + (x << (32 - k))` for `k` from 1 to 31
fn rot_r_by_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, count) = by_constant(t, Bin32::RotR, node)?;
    if count % 32 == 0 {
        return Some(a);
    }
    let low = t.shr_u(a, count % 32);
    Some(t.sum(&[(low, 1), (a, 1 << (32 - count % 32))], 0))
}

/// `k / j` is its value
fn fold_division(t: &mut Terms, node: &Node) -> Option<Id> {
    fold_shift(t, node)
}

/// `x /u 2^k = x >> k`
fn div_u_by_power(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, divisor) = by_constant(t, Bin32::DivU, node)?;
    divisor.is_power_of_two().then(|| t.shr_u(a, divisor.trailing_zeros()))
}

/// `x /u y = 0` if `x` is below `y`
fn div_u_of_small(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Bin32::DivU, node)?;
    (t.range(a).high < t.range(b).low).then(|| t.word(0))
}

/// `x / 0 = 0`, `0 / x = 0`
fn div_by_zero(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(_, a, b) = *node else {
        return None;
    };
    (t.constant(b) == Some(0) || t.constant(a) == Some(0)).then(|| t.word(0))
}

/// `x /s y = x /u y` if neither is negative
fn div_s_of_positive(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = of(Bin32::DivS, node)?;
    let positive = t.range(a).sign() == Some(false) && t.range(b).sign() == Some(false);
    positive.then(|| t.bin(Bin32::DivU, a, b))
}

/// `x /s 1 = x`
fn div_s_by_one(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, divisor) = by_constant(t, Bin32::DivS, node)?;
    (divisor == 1).then_some(a)
}

/// `x /s -1 = -x`
fn div_s_by_minus_one(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, divisor) = by_constant(t, Bin32::DivS, node)?;
    (divisor == u32::MAX).then(|| t.scaled(a, u32::MAX))
}
