//! Sums and products.

use std::collections::BTreeMap;

use super::super::Terms;
use super::super::node::{BitOp, Id, Linear, Node, Width};
use super::super::value;
use super::make::{Field, filled};
use super::{Rule, rules};
use crate::domain::{Bin32, Un32};

/// `+` and `-`.
pub(super) const SUMS: &[Rule] = rules![add, sub];

/// Products, low and high words.
pub(super) const PRODUCTS: &[Rule] = rules![
    fold_product,
    mul_by_constant,
    mul_distributes,
    high_u_small,
    high_u_by_power,
    high_u_sorted,
    high_s_is_high_u,
];

/// Sums already collected.
pub(super) const SUM_RULES: &[Rule] = rules![
    sum_drops_high_bits,
    sum_of_aligned,
    sum_joins_fields,
    sum_joins_loads,
    sum_of_complemented_xor,
    sum_cancels_choice,
];

/// Products already collected.
pub(super) const PRODUCT_RULES: &[Rule] = rules![product_by_flag];

/// `a + b = 1*a + 1*b`
fn add(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::Add, a, b) = *node else {
        return None;
    };
    Some(t.sum(&[(a, 1), (b, 1)], 0))
}

/// `a - b = 1*a + (2^32 - 1)*b`
fn sub(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::Sub, a, b) = *node else {
        return None;
    };
    Some(t.sub(a, b))
}

/// `k op j` is its value, `op` a product
fn fold_product(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(op, a, b) = *node else {
        return None;
    };
    let (a, b) = (t.constant(a)?, t.constant(b)?);
    Some(t.word(value::bin32(op, a, b)))
}

/// `a * k = k*a`
fn mul_by_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::Mul, a, b) = *node else {
        return None;
    };
    if let Some(factor) = t.constant(a) {
        return Some(t.scaled(b, factor));
    }
    let factor = t.constant(b)?;
    Some(t.scaled(a, factor))
}

/// `(sum k_i*x_i + k) * (sum j_l*y_l + j) = sum k_i*j_l*(x_i*y_l) + sum j*k_i*x_i + sum k*j_l*y_l + k*j`
fn mul_distributes(t: &mut Terms, node: &Node) -> Option<Id> {
    const MONOMIALS_MAX: usize = 12;
    let Node::Bin32(Bin32::Mul, a, b) = *node else {
        return None;
    };
    let (left, right) = (t.linear(a), t.linear(b));
    if left.monomials.len() * right.monomials.len() > MONOMIALS_MAX {
        return Some(t.product(&[a, b]));
    }
    let mut parts: Vec<(Id, u32)> = Vec::new();
    for (x, k) in left.monomials.iter() {
        for (y, j) in right.monomials.iter() {
            let product = t.product(&[*x, *y]);
            parts.push((product, k.wrapping_mul(*j)));
        }
        parts.push((*x, k.wrapping_mul(right.constant)));
    }
    parts.extend(right.monomials.iter().map(|(y, j)| (*y, j.wrapping_mul(left.constant))));
    Some(t.sum(&parts, left.constant.wrapping_mul(right.constant)))
}

/// `mulhu(a, b) = 0` if `a * b` is below 2^32 for the greatest `a` and `b`
fn high_u_small(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::MulHighU, a, b) = *node else {
        return None;
    };
    let product = u64::from(t.range(a).high) * u64::from(t.range(b).high);
    (product >> 32 == 0).then(|| t.word(0))
}

/// `mulhu(a, 2^k) = a >> (32 - k)`, k from 1
fn high_u_by_power(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::MulHighU, a, b) = *node else {
        return None;
    };
    let (a, power) = match (t.constant(a), t.constant(b)) {
        (Some(power), None) => (b, power),
        (None, Some(power)) => (a, power),
        _ => return None,
    };
    (power.is_power_of_two() && power > 1).then(|| t.shr_u(a, 32 - power.trailing_zeros()))
}

/// `mulhu(a, b) = mulhu(b, a)`
fn high_u_sorted(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::MulHighU, a, b) = *node else {
        return None;
    };
    (b < a).then(|| t.bin(Bin32::MulHighU, b, a))
}

/// `mulhs(a, b) = mulhu(a, b) - ite(a <s 0, b, 0) - ite(b <s 0, a, 0)`
fn high_s_is_high_u(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::MulHighS, a, b) = *node else {
        return None;
    };
    let zero = t.word(0);
    let unsigned = t.bin(Bin32::MulHighU, a, b);
    let (left, right) = (t.is_negative(a), t.is_negative(b));
    let (by_left, by_right) = (t.choose(left, b, zero), t.choose(right, a, zero));
    Some(t.sum(&[(unsigned, 1), (by_left, u32::MAX), (by_right, u32::MAX)], 0))
}

/// The term whose low bits agree with those of this one and which has fewer operators.
fn low_bits(t: &mut Terms, id: Id, bits: u32) -> Id {
    let needed = if bits >= 32 { u32::MAX } else { (1 << bits) - 1 };
    match t.node(id).clone() {
        Node::Bits(and) if and.op == BitOp::And => {
            // All bits above the needed ones may be kept or dropped: keep none unless that frees the mask.
            let mask = and.constant & needed;
            if mask == needed {
                t.bits(BitOp::And, &and.operands, u32::MAX)
            } else {
                t.bits(BitOp::And, &and.operands, mask)
            }
        }
        Node::Un32(Un32::Sext8, a) if bits <= 8 => a,
        Node::Un32(Un32::Sext16, a) if bits <= 16 => a,
        Node::Load(width, memory, address) => {
            let narrow = match bits {
                0..=8 => Width::Byte,
                9..=16 => Width::Half,
                _ => Width::Word,
            };
            if narrow < width { t.build(Node::Load(narrow, memory, address)) } else { id }
        }
        _ => id,
    }
}

/// `y` with the low `bits` bits of `x`: for each monomial, what is above them in the result is dropped.
pub(super) fn low_sum(t: &mut Terms, id: Id, bits: u32) -> Id {
    let needed = if bits >= 32 { u32::MAX } else { (1 << bits) - 1 };
    let sum = t.linear(id);
    let mut parts = Vec::with_capacity(sum.monomials.len());
    for (atom, factor) in sum.monomials.iter() {
        let factor = factor & needed;
        if factor != 0 {
            parts.push((low_bits(t, *atom, bits - factor.trailing_zeros()), factor));
        }
    }
    t.sum(&parts, sum.constant & needed)
}

/// `2^k*j*x = 2^k*j*y` if the low `32 - k` bits of `x` and `y` are the same: masks, sign extensions
/// and wide loads vanish
fn sum_drops_high_bits(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    let mut parts = Vec::with_capacity(sum.monomials.len());
    for (atom, factor) in sum.monomials.iter() {
        let shift = factor.trailing_zeros();
        parts.push((if shift == 0 { *atom } else { low_bits(t, *atom, 32 - shift) }, *factor));
    }
    (parts[..] != sum.monomials[..]).then(|| t.sum(&parts, sum.constant))
}

/// `2^k*j*(x >> k) = j*x` if the low `k` bits of `x` are zero
fn sum_of_aligned(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    let whole = |(atom, factor): &(Id, u32)| {
        let Node::Bin32(Bin32::ShrU, source, count) = *t.node(*atom) else { return None };
        let count = t.constant(count).filter(|count| *count < 32 && factor.trailing_zeros() >= *count)?;
        let low = (1u32 << count) - 1;
        (low & !t.range(source).zeros == 0).then_some((source, factor >> count))
    };
    let parts: Vec<(Id, u32)> = sum.monomials.iter().map(|part| whole(part).unwrap_or(*part)).collect();
    (parts[..] != sum.monomials[..]).then(|| t.sum(&parts, sum.constant))
}

/// `k*((x << d) & m) + k*((x << d) & n) = k*((x << d) & (m | n))` if `m & n = 0`;
/// `k*((x << d) & m) - k*((x << d) & n) = k*((x << d) & (m & !n))` if `n & !m = 0`
fn sum_joins_fields(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    if sum.monomials.len() < 2 {
        return None;
    }
    let fields: Vec<Field> = sum.monomials.iter().map(|part| t.field(*part)).collect();
    // Of two that join, one has a mask: two whole words with one source are one atom.
    let is_whole = |(field, (id, _)): (&Field, &(Id, u32))| field.source == *id;
    if fields.iter().zip(sum.monomials.iter()).all(is_whole) {
        return None;
    }
    let of_source = positions(fields.iter().map(|field| Some((field.source, field.distance))));
    for (i, a) in fields.iter().enumerate() {
        for &j in of_source.get(&(a.source, a.distance)).into_iter().flatten().filter(|j| **j != i) {
            let b = &fields[j];
            let joined = if i < j && a.factor == b.factor && a.mask & b.mask == 0 {
                Field { mask: a.mask | b.mask, ..*a }
            } else if a.factor == b.factor.wrapping_neg() && b.mask & !a.mask == 0 {
                Field { mask: a.mask & !b.mask, ..*a }
            } else {
                continue;
            };
            let joined = t.of_field(joined);
            let others = sum.monomials.iter().enumerate().filter(|(at, _)| *at != i && *at != j);
            let mut parts: Vec<(Id, u32)> = others.map(|(_, part)| *part).collect();
            parts.push((joined, 1));
            return Some(t.sum(&parts, sum.constant));
        }
    }
    None
}

/// The positions of equal keys, for rules that look for two parts of a long sum: each asks only those.
fn positions<K: Ord>(keys: impl Iterator<Item = Option<K>>) -> BTreeMap<K, Vec<usize>> {
    let mut positions: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (at, key) in keys.enumerate() {
        if let Some(key) = key {
            positions.entry(key).or_default().push(at);
        }
    }
    positions
}

/// `load_v(m, a) << s + load_w(m, a + v) << (s + 8*v)` is one load of `v + w` bytes; runs of bytes are
/// regrouped from the lowest: words, then halves, then bytes
fn sum_joins_loads(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    // By memory and by the address that byte 0 of the result would have: shift in bytes, and bytes.
    let mut runs: BTreeMap<(Id, Id), u32> = BTreeMap::new();
    let mut loads: Vec<((Id, Id), u32, Width)> = Vec::new();
    let mut others: Vec<(Id, u32)> = Vec::new();
    for (id, factor) in sum.monomials.iter() {
        let shift = factor.trailing_zeros();
        let (Node::Load(width, memory, address), true) =
            (t.node(*id).clone(), factor.is_power_of_two() && shift % 8 == 0)
        else {
            others.push((*id, *factor));
            continue;
        };
        let origin = t.sum(&[(address, 1)], 0u32.wrapping_sub(shift / 8));
        let bytes = ((1u32 << width.bytes()) - 1) << (shift / 8) & 0xf;
        let run = runs.entry((memory, origin)).or_default();
        if *run & bytes != 0 {
            return None;
        }
        *run |= bytes;
        loads.push(((memory, origin), shift / 8, width));
    }
    let mut grouped: Vec<((Id, Id), u32, Width)> = Vec::new();
    for (key, bytes) in &runs {
        let mut at = 0;
        while at < 4 {
            let length = (bytes >> at).trailing_ones();
            let width = match length {
                0 => {
                    at += 1;
                    continue;
                }
                4.. => Width::Word,
                2 | 3 => Width::Half,
                _ => Width::Byte,
            };
            grouped.push((*key, at, width));
            at += width.bytes();
        }
    }
    if grouped.len() >= loads.len() {
        return None;
    }
    for ((memory, origin), at, width) in grouped {
        let address = t.sum(&[(origin, 1)], at);
        let load = t.build(Node::Load(width, memory, address));
        others.push((load, 1 << (8 * at)));
    }
    Some(t.sum(&others, sum.constant))
}

/// `-(x ^ k) - 1 = x ^ !k` for `k` not 0, also with the sign bit of both sides flipped
fn sum_of_complemented_xor(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    let ([(atom, u32::MAX)], true) = (&sum.monomials[..], matches!(sum.constant, u32::MAX | 0x7fff_ffff)) else {
        return None;
    };
    let Node::Bits(xor) = t.node(*atom).clone() else {
        return None;
    };
    if xor.op != BitOp::Xor || xor.constant == 0 {
        return None;
    }
    let flipped = t.bits(BitOp::Xor, &xor.operands, !xor.constant);
    Some(t.sum(&[(flipped, 1)], sum.constant.wrapping_add(1)))
}

/// `k*ite(c, a, b) + k*ite(c, d, e) = ite(c, k*(a + d), k*(b + e))` if one branch of the result is 0
fn sum_cancels_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Linear(sum) = node else { return None };
    let choice = |t: &Terms, id: Id| match *t.node(id) {
        Node::Ite(c, a, b) => Some((c, a, b)),
        _ => None,
    };
    let of_condition = positions(sum.monomials.iter().map(|(id, _)| choice(t, *id).map(|(c, ..)| c)));
    for (i, (first, k)) in sum.monomials.iter().enumerate() {
        let Some((c, a, b)) = choice(t, *first) else {
            continue;
        };
        for &j in of_condition.get(&c).into_iter().flatten().filter(|j| **j > i) {
            let (second, other) = &sum.monomials[j];
            let Some((_, x, y)) = choice(t, *second) else {
                continue;
            };
            let then = t.sum(&[(a, *k), (x, *other)], 0);
            let otherwise = t.sum(&[(b, *k), (y, *other)], 0);
            if t.constant(then) != Some(0) && t.constant(otherwise) != Some(0) {
                continue;
            }
            let joined = t.choose(c, then, otherwise);
            let rest = sum.monomials.iter().enumerate().filter(|(at, _)| *at != i && *at != j);
            let mut parts: Vec<(Id, u32)> = rest.map(|(_, part)| *part).collect();
            parts.push((joined, 1));
            return Some(t.sum(&parts, sum.constant));
        }
    }
    None
}

/// `ite(c, 1, 0) * x = ite(c, x, 0)`
fn product_by_flag(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Product(operands) = node else {
        return None;
    };
    let (at, c) = operands.iter().enumerate().find_map(|(at, id)| t.is_flag(*id).map(|c| (at, c)))?;
    let mut rest = operands.to_vec();
    rest.remove(at);
    let (rest, zero) = (t.product(&rest), t.word(0));
    Some(t.choose(c, rest, zero))
}

/// The highest bit of a mask that is all ones below it.
pub(super) fn low_mask_bits(mask: u32) -> u32 {
    32 - filled(mask).leading_zeros()
}

/// The one monomial of a sum without constant.
pub(super) fn only_monomial(sum: &Linear) -> Option<(Id, u32)> {
    match sum.monomials[..] {
        [part] if sum.constant == 0 => Some(part),
        _ => None,
    }
}
