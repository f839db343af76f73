//! Unary operators.

use super::super::Terms;
use super::super::node::{BitOp, Id, Node};
use super::super::value;
use super::linear::low_sum;
use super::{Rule, rules};
use crate::domain::Un32;

/// Unary operators.
pub(super) const UNARY: &[Rule] = rules![
    fold_unary,
    unary_of_two_values,
    rbit_of_rbit,
    rev_is_bytes,
    popcnt_is_sums,
    sext_low_bits,
    sext_of_extended,
    sext_of_positive,
    clz_known,
];

fn of(op: Un32, node: &Node) -> Option<Id> {
    match *node {
        Node::Un32(own, a) if own == op => Some(a),
        _ => None,
    }
}

/// The operand and the number of bits of a sign extension.
fn extension(node: &Node) -> Option<(Id, u32)> {
    match *node {
        Node::Un32(Un32::Sext8, a) => Some((a, 8)),
        Node::Un32(Un32::Sext16, a) => Some((a, 16)),
        _ => None,
    }
}

/// `op k` is its value
fn fold_unary(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Un32(op, a) = *node else {
        return None;
    };
    let a = t.constant(a)?;
    Some(t.word(value::un32(op, a)))
}

/// `op ite(c, k, j) = ite(c, op k, op j)`
fn unary_of_two_values(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Un32(op, a) = *node else {
        return None;
    };
    let (c, k, j) = t.two_valued(a)?;
    Some(t.choose_const(c, value::un32(op, k), value::un32(op, j)))
}

/// `rbit(rbit(x)) = x`
fn rbit_of_rbit(t: &mut Terms, node: &Node) -> Option<Id> {
    of(Un32::Rbit, t.node(of(Un32::Rbit, node)?))
}

/// `rev(x) = (x >> 24) + ((x >> 16 & 255) << 8) + ((x >> 8 & 255) << 16) + (x << 24)`
fn rev_is_bytes(t: &mut Terms, node: &Node) -> Option<Id> {
    let a = of(Un32::Rev, node)?;
    let bytes: Vec<(Id, u32)> = (0..4).map(|at| (t.byte_of(a, at), 1 << (24 - 8 * at))).collect();
    Some(t.sum(&bytes, 0))
}

/// `popcnt(x)`: sums of 2, of 4, of 8 neighbouring bits, then all of them by one product
fn popcnt_is_sums(t: &mut Terms, node: &Node) -> Option<Id> {
    let a = of(Un32::Popcnt, node)?;
    let moved = t.shr_u(a, 1);
    let odd = t.masked(moved, 0x5555_5555);
    let pairs = t.sub(a, odd);
    let moved = t.shr_u(pairs, 2);
    let (even, odd) = (t.masked(pairs, 0x3333_3333), t.masked(moved, 0x3333_3333));
    let fours = t.sum(&[(even, 1), (odd, 1)], 0);
    let moved = t.shr_u(fours, 4);
    let eights = t.sum(&[(fours, 1), (moved, 1)], 0);
    let eights = t.masked(eights, 0x0f0f_0f0f);
    let all = t.scaled(eights, 0x0101_0101);
    Some(t.shr_u(all, 24))
}

/// `sext(x) = sext(y)` if `x` and `y` agree in the bits extended
fn sext_low_bits(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Un32(op, _) = *node else {
        return None;
    };
    let (a, bits) = extension(node)?;
    let low = low_sum(t, a, bits);
    (low != a).then(|| t.un(op, low))
}

/// `sext16(sext8(x)) = sext8(x)`
fn sext_of_extended(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, bits) = extension(node)?;
    let (_, inner) = extension(t.node(a))?;
    (inner <= bits).then_some(a)
}

/// `sext8(x) = x & 255` if bit 7 of `x` is 0; `sext16(x) = x & 65535` if bit 15 is
fn sext_of_positive(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, bits) = extension(node)?;
    let positive = t.range(a).zeros >> (bits - 1) & 1 == 1;
    positive.then(|| t.bits(BitOp::And, &[a], (1 << bits) - 1))
}

/// `clz(x) = k` if all values that `x` can have agree in that
fn clz_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let range = t.range(of(Un32::Clz, node)?);
    let count = range.low.leading_zeros();
    (range.high.leading_zeros() == count).then(|| t.word(count))
}
