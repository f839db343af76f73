//! `and`, `or`, `xor`.

use super::super::Terms;
use super::super::node::{BitOp, Bits, Id, Linear, Node};
use super::linear::{low_mask_bits, low_sum};
use super::make::Field;
use super::{Rule, rules};
use crate::domain::Bin32;

/// Operators of two operands.
pub(super) const OPERATORS: &[Rule] = rules![and, or, xor];

/// Operators with all operands collected.
pub(super) const AND_OR_XOR: &[Rule] = rules![
    bits_of_complements,
    bits_of_two_values,
    bits_of_flags,
    and_known,
    and_low_zeros,
    and_shifted_load,
    and_of_shr_s,
    and_low_demand,
    and_of_parts,
    and_of_choice,
    and_absorbs,
    and_of_complements,
    or_constant,
    or_of_parts,
    or_disjoint,
    or_joins_fields,
    or_absorbs,
    or_of_complements,
    or_of_choice,
    xor_of_complement,
    xor_of_sign,
    xor_constant,
    xor_disjoint,
    xor_known,
    xor_joins_fields,
    xor_of_choice,
];

/// `a & b = and{a, b}`, nested ones opened
fn and(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::And, a, b) = *node else {
        return None;
    };
    Some(t.bits(BitOp::And, &[a, b], u32::MAX))
}

/// `a | b = or{a, b}`, nested ones opened
fn or(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::Or, a, b) = *node else {
        return None;
    };
    Some(t.bits(BitOp::Or, &[a, b], 0))
}

/// `a ^ b = xor{a, b}`, nested ones opened, equal operands cancelled
fn xor(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin32(Bin32::Xor, a, b) = *node else {
        return None;
    };
    Some(t.bits(BitOp::Xor, &[a, b], 0))
}

/// The bits of the wanted operator.
fn of(op: BitOp, node: &Node) -> Option<&Bits> {
    match node {
        Node::Bits(bits) if bits.op == op => Some(bits),
        _ => None,
    }
}

/// All operands but one.
fn others(bits: &Bits, at: usize) -> Vec<Id> {
    let mut rest = bits.operands.to_vec();
    rest.remove(at);
    rest
}

/// `x & !x = 0`, `x | !x = -1`
fn bits_of_complements(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bits(bits) = node else { return None };
    if bits.op == BitOp::Xor {
        return None;
    }
    for id in bits.operands.iter() {
        if let Some(plain) = t.complement_of(*id)
            && bits.operands.contains(&plain)
        {
            return Some(t.word(if bits.op == BitOp::And { 0 } else { u32::MAX }));
        }
    }
    None
}

/// `ite(c, k, j) op i = ite(c, k op i, j op i)`
fn bits_of_two_values(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bits(bits) = node else { return None };
    let [only] = bits.operands[..] else {
        return None;
    };
    let (c, a, b) = t.two_valued(only)?;
    let on = |value| super::make::combine(bits.op, value, bits.constant);
    Some(t.choose_const(c, on(a), on(b)))
}

/// `ite(c, 1, 0) op ite(d, 1, 0) = ite(c op d, 1, 0)`
fn bits_of_flags(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bits(bits) = node else { return None };
    let conditions: Option<Vec<Id>> = bits.operands.iter().map(|id| t.is_flag(*id)).collect();
    let conditions = conditions?;
    if bits.op != BitOp::And && bits.constant != 0 {
        return None;
    }
    let mut joined = conditions[0];
    for next in &conditions[1..] {
        joined = match bits.op {
            BitOp::And => t.both(joined, *next),
            BitOp::Or => t.either(joined, *next),
            BitOp::Xor => {
                let not = t.negation(*next);
                t.choose(joined, not, *next)
            }
        };
    }
    let flag = t.flag(joined);
    Some(if bits.op == BitOp::And { t.masked(flag, bits.constant & 1) } else { flag })
}

/// `x & m = x & n` if `m` and `n` differ only in bits that `x` has not, and without the mask or an
/// operand if it has all bits that the others can have
fn and_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let mask = bits.operands.iter().fold(bits.constant, |mask, id| mask & t.range(*id).possible());
    if mask == 0 {
        return Some(t.word(0));
    }
    for (at, id) in bits.operands.iter().enumerate() {
        let rest = others(bits, at);
        let needed = rest.iter().fold(bits.constant, |mask, id| mask & t.range(*id).possible());
        if t.range(*id).ones & needed == needed {
            return Some(t.bits(BitOp::And, &rest, bits.constant));
        }
    }
    let possible = bits.operands.iter().fold(u32::MAX, |mask, id| mask & t.range(*id).possible());
    let wanted = if mask == possible { u32::MAX } else { mask };
    (wanted != bits.constant).then(|| t.bits(BitOp::And, &bits.operands, wanted))
}

/// `x & (m << k) = 2^k * ((x >> k) & m)`
fn and_low_zeros(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let low = bits.constant.trailing_zeros();
    if low == 0 || low >= 32 {
        return None;
    }
    let inner = t.bits(BitOp::And, &bits.operands, u32::MAX);
    let field = t.field((inner, 1));
    if field.factor == 1 && field.distance > 0 {
        return Some(t.of_field(Field { mask: field.mask & bits.constant, ..field }));
    }
    let moved = t.shr_u(inner, low);
    let kept = t.masked(moved, bits.constant >> low);
    Some(t.shl(kept, low))
}

/// `(load(m, a) >> s) & k` reads only the bytes that the mask leaves
fn and_shifted_load(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let [only] = bits.operands[..] else {
        return None;
    };
    let Node::Bin32(Bin32::ShrU, load, count) = *t.node(only) else {
        return None;
    };
    let count = t.constant(count)?;
    let narrow = super::memory::narrow_load(t, load, count, low_mask_bits(bits.constant))?;
    Some(t.masked(narrow, bits.constant))
}

/// `(x >>s k) & m = (x >> k) & m` for `m` below 2^(32 - k)
fn and_of_shr_s(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Node::Bin32(Bin32::ShrS, x, count) = *t.node(*id) else { continue };
        if t.constant(count).is_some_and(|count| count < 32 && bits.constant <= u32::MAX >> count) {
            let mut rest = others(bits, at);
            rest.push(t.bin(Bin32::ShrU, x, count));
            return Some(t.bits(BitOp::And, &rest, bits.constant));
        }
    }
    None
}

/// `x & m = y & m` if `x` and `y` agree in the bits up to the highest of `m`
fn and_low_demand(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let needed = low_mask_bits(bits.constant);
    if needed >= 32 {
        return None;
    }
    let lowered: Vec<Id> = bits.operands.iter().map(|id| low_sum(t, *id, needed)).collect();
    (lowered[..] != bits.operands[..]).then(|| t.bits(BitOp::And, &lowered, bits.constant))
}

/// `(x + y) & m = (x & m) + (y & m)` if `x` and `y` have no bit in common
fn and_of_parts(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let [only] = bits.operands[..] else {
        return None;
    };
    let Linear { monomials: parts, constant } = t.disjoint_parts(only)?;
    if parts.len() + usize::from(constant != 0) < 2 {
        return None;
    }
    let mut kept = Vec::with_capacity(parts.len());
    for part in parts.iter() {
        let part = t.monomial(*part);
        kept.push((t.masked(part, bits.constant), 1));
    }
    Some(t.sum(&kept, constant & bits.constant))
}

/// `x & ite(c, -1, 0) = ite(c, x, 0)`, also where `-1` has only the bits that the other operands have
fn and_of_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Some((c, a, b)) = t.two_valued(*id) else {
            continue;
        };
        let rest = others(bits, at);
        let needed = rest.iter().fold(bits.constant, |mask, id| mask & t.range(*id).possible());
        if [a, b].iter().any(|value| value & needed != 0 && value & needed != needed) {
            continue;
        }
        let rest = t.bits(BitOp::And, &rest, bits.constant);
        let zero = t.word(0);
        let pick = |value: u32| if value & needed == 0 { zero } else { rest };
        return Some(t.choose(c, pick(a), pick(b)));
    }
    None
}

/// `x & (x | y) = x`
fn and_absorbs(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    let absorbed = |id: &Id| match t.node(*id) {
        Node::Bits(or) if or.op == BitOp::Or => or.operands.iter().any(|operand| bits.operands.contains(operand)),
        _ => false,
    };
    let at = bits.operands.iter().position(absorbed)?;
    Some(t.bits(BitOp::And, &others(bits, at), bits.constant))
}

/// `!x & !y = !(x | y)`
fn and_of_complements(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::And, node)?;
    if bits.operands.len() < 2 || bits.constant != u32::MAX {
        return None;
    }
    let plain: Option<Vec<Id>> = bits.operands.iter().map(|id| t.complement_of(*id)).collect();
    let or = t.bits(BitOp::Or, &plain?, 0);
    Some(t.complement(or))
}

/// `x | k = (x & !k) + k`
fn or_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Or, node)?;
    if bits.constant == 0 {
        return None;
    }
    let or = t.bits(BitOp::Or, &bits.operands, 0);
    let rest = t.masked(or, !bits.constant);
    Some(t.sum(&[(rest, 1)], bits.constant))
}

/// `(x + y) | z = x | y | z` if `x` and `y` have no bit in common
fn or_of_parts(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Or, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Some(Linear { monomials: parts, constant }) = t.disjoint_parts(*id) else {
            continue;
        };
        if parts.len() + usize::from(constant != 0) < 2 {
            continue;
        }
        let mut all = others(bits, at);
        for part in parts.iter() {
            all.push(t.monomial(*part));
        }
        return Some(t.bits(BitOp::Or, &all, bits.constant | constant));
    }
    None
}

/// `x | y = x + y` if `x` and `y` have no bit in common
fn or_disjoint(t: &mut Terms, node: &Node) -> Option<Id> {
    disjoint(t, of(BitOp::Or, node)?)
}

/// `x ^ y = x + y` if `x` and `y` have no bit in common
fn xor_disjoint(t: &mut Terms, node: &Node) -> Option<Id> {
    disjoint(t, of(BitOp::Xor, node)?)
}

/// Takes out an operand that shares no bit with the others and adds it.
fn disjoint(t: &mut Terms, bits: &Bits) -> Option<Id> {
    for (at, id) in bits.operands.iter().enumerate() {
        let rest = others(bits, at);
        let used = rest.iter().fold(bits.constant, |used, id| used | t.range(*id).possible());
        if t.range(*id).possible() & used == 0 && (used != 0 || !rest.is_empty()) {
            let rest = t.bits(bits.op, &rest, bits.constant);
            return Some(t.sum(&[(*id, 1), (rest, 1)], 0));
        }
    }
    None
}

/// `((x << d) & m) | ((x << d) & n) = (x << d) & (m | n)`
fn or_joins_fields(t: &mut Terms, node: &Node) -> Option<Id> {
    joins_fields(t, of(BitOp::Or, node)?)
}

/// `((x << d) & m) ^ ((x << d) & n) = (x << d) & (m ^ n)`
fn xor_joins_fields(t: &mut Terms, node: &Node) -> Option<Id> {
    joins_fields(t, of(BitOp::Xor, node)?)
}

fn joins_fields(t: &mut Terms, bits: &Bits) -> Option<Id> {
    let mut fields = Vec::with_capacity(bits.operands.len());
    for id in bits.operands.iter() {
        let sum = t.linear(*id);
        let part = super::linear::only_monomial(&sum);
        fields.push(part.map(|part| t.field(part)).filter(|field| field.factor == 1));
    }
    for (i, a) in fields.iter().enumerate() {
        for (j, b) in fields.iter().enumerate().skip(i + 1) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            if (a.source, a.distance) != (b.source, b.distance) {
                continue;
            }
            let mask = super::make::combine(bits.op, a.mask, b.mask);
            let joined = t.of_field(Field { mask, ..*a });
            let mut rest = others(bits, j);
            rest[i] = joined;
            return Some(t.bits(bits.op, &rest, bits.constant));
        }
    }
    None
}

/// `x | (x & y) = x`
fn or_absorbs(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Or, node)?;
    let absorbed = |id: &Id| match t.node(*id) {
        Node::Bits(and) if and.op == BitOp::And => and.operands.iter().any(|operand| bits.operands.contains(operand)),
        _ => false,
    };
    let at = bits.operands.iter().position(absorbed)?;
    Some(t.bits(BitOp::Or, &others(bits, at), bits.constant))
}

/// `!x | !y = !(x & y)`
fn or_of_complements(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Or, node)?;
    if bits.operands.len() < 2 || bits.constant != 0 {
        return None;
    }
    let plain: Option<Vec<Id>> = bits.operands.iter().map(|id| t.complement_of(*id)).collect();
    let and = t.bits(BitOp::And, &plain?, u32::MAX);
    Some(t.complement(and))
}

/// `x | ite(c, -1, 0) = ite(c, -1, x)`
fn or_of_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Or, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Some((c, a, b)) = t.two_valued(*id) else {
            continue;
        };
        if [a, b].iter().any(|value| !matches!(*value, 0 | u32::MAX)) {
            continue;
        }
        let rest = t.bits(BitOp::Or, &others(bits, at), bits.constant);
        let ones = t.word(u32::MAX);
        let pick = |value: u32| if value == 0 { rest } else { ones };
        return Some(t.choose(c, pick(a), pick(b)));
    }
    None
}

/// `x ^ !y = !(x ^ y)`
fn xor_of_complement(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Xor, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Node::Linear(sum) = t.node(*id) else {
            continue;
        };
        if sum.constant != u32::MAX {
            continue;
        }
        let Some(plain) = t.complement_of(*id) else {
            continue;
        };
        let mut all = others(bits, at);
        all.push(plain);
        let flipped = t.bits(BitOp::Xor, &all, bits.constant);
        return Some(t.complement(flipped));
    }
    None
}

/// `(x + 2^31) ^ y = (x ^ y) + 2^31`
fn xor_of_sign(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Xor, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Node::Linear(sum) = t.node(*id).clone() else {
            continue;
        };
        if sum.constant != 1 << 31 {
            continue;
        }
        let mut all = others(bits, at);
        all.push(t.sum(&sum.monomials, 0));
        let rest = t.bits(BitOp::Xor, &all, bits.constant);
        return Some(t.sum(&[(rest, 1)], 1 << 31));
    }
    None
}

/// `x ^ -1 = -x - 1`, `x ^ k = (x ^ (k - 2^31)) + 2^31` for `k` from 2^31, `x ^ (2^31 - 1) = -x - 1 + 2^31`
fn xor_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Xor, node)?;
    let (flips, sign) = (bits.constant & 0x7fff_ffff, bits.constant & 0x8000_0000);
    if flips == 0x7fff_ffff {
        let rest = t.bits(BitOp::Xor, &bits.operands, 0);
        return Some(t.sum(&[(rest, u32::MAX)], u32::MAX.wrapping_add(sign ^ 0x8000_0000)));
    }
    if sign == 0 {
        return None;
    }
    let rest = t.bits(BitOp::Xor, &bits.operands, flips);
    Some(t.sum(&[(rest, 1)], sign))
}

/// `x ^ k = x - k` if `x` has all bits of `k`
fn xor_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Xor, node)?;
    let [only] = bits.operands[..] else {
        return None;
    };
    let range = t.range(only);
    (range.ones & bits.constant == bits.constant).then(|| t.sum(&[(only, 1)], bits.constant.wrapping_neg()))
}

/// `x ^ ite(c, -1, 0) = ite(c, !x, x)`
fn xor_of_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let bits = of(BitOp::Xor, node)?;
    for (at, id) in bits.operands.iter().enumerate() {
        let Some((c, a, b)) = t.two_valued(*id) else {
            continue;
        };
        if [a, b].iter().any(|value| !matches!(*value, 0 | u32::MAX)) {
            continue;
        }
        let plain = t.bits(BitOp::Xor, &others(bits, at), bits.constant);
        let flipped = t.complement(plain);
        let pick = |value: u32| if value == 0 { plain } else { flipped };
        return Some(t.choose(c, pick(a), pick(b)));
    }
    None
}
