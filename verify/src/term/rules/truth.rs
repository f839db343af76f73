//! `not`, `and`, `or`.

use std::collections::BTreeSet;

use super::super::Terms;
use super::super::node::{Id, Node};
use super::{Rule, rules};
use crate::domain::Cmp;

/// Connectives of truth values.
pub(super) const CONNECTIVES: &[Rule] = rules![
    not_constant,
    not_not,
    or_is_and,
    and_flattened,
    and_resolves,
    and_knows_choice,
    and_knows_borrow,
    and_of_bounds,
    and_of_orders,
    and_of_signs,
];

/// `not true = false`, `not false = true`
fn not_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Not(a) = *node else { return None };
    let Node::Bool(value) = *t.node(a) else {
        return None;
    };
    Some(t.truth(!value))
}

/// `not not x = x`
fn not_not(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Not(a) = *node else { return None };
    match *t.node(a) {
        Node::Not(inner) => Some(inner),
        _ => None,
    }
}

/// `x or y = not (not x and not y)`
fn or_is_and(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Or(a, b) = *node else { return None };
    let (a, b) = (t.negation(a), t.negation(b));
    let neither = t.both(a, b);
    Some(t.negation(neither))
}

/// A condition without its negation, and whether it stands unnegated.
fn literal(t: &Terms, id: Id) -> (Id, bool) {
    match *t.node(id) {
        Node::Not(a) => (a, false),
        _ => (id, true),
    }
}

/// `x and (y and z) = and{x, y, z}`; `x and x = x`; `x and true = x`; `x and false = false`;
/// `x and not x = false`
fn and_flattened(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    let mut all: BTreeSet<Id> = BTreeSet::new();
    let mut work: Vec<Id> = operands.to_vec();
    while let Some(id) = work.pop() {
        match t.node(id) {
            Node::Bool(true) => {}
            Node::Bool(false) => return Some(id),
            Node::And(inner) => work.extend(inner.iter()),
            _ => {
                all.insert(id);
            }
        }
    }
    for id in &all {
        if let Node::Not(plain) = t.node(*id)
            && all.contains(plain)
        {
            return Some(t.truth(false));
        }
    }
    let all: Vec<Id> = all.into_iter().collect();
    match all[..] {
        [] => Some(t.truth(true)),
        [only] => Some(only),
        _ => (all[..] != operands[..]).then(|| t.build(Node::And(all.into()))),
    }
}

/// `x and not (x and y) = x and not y`; `x and not (not x and y) = x`
fn and_resolves(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    let literals: BTreeSet<(Id, bool)> = operands.iter().map(|id| literal(t, *id)).collect();
    for (at, id) in operands.iter().enumerate() {
        let (inner, false) = literal(t, *id) else {
            continue;
        };
        let Node::And(parts) = t.node(inner).clone() else {
            continue;
        };
        let opposed = |part: &Id| {
            let (atom, positive) = literal(t, *part);
            literals.contains(&(atom, !positive))
        };
        let mut rest = operands.to_vec();
        if parts.iter().any(opposed) {
            rest.remove(at);
            return Some(t.build(Node::And(rest.into())));
        }
        let left: Vec<Id> = parts.iter().copied().filter(|part| !literals.contains(&literal(t, *part))).collect();
        if left.len() < parts.len() {
            let left = t.build(Node::And(left.into()));
            rest[at] = t.negation(left);
            return Some(t.build(Node::And(rest.into())));
        }
    }
    None
}

/// `c and ite(..c..) = c and ite(..true..)`; `not c and ite(..c..) = not c and ite(..false..)`; so for a
/// negated `ite`
fn and_knows_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    for (at, id) in operands.iter().enumerate() {
        if !matches!(t.node(literal(t, *id).0), Node::Ite(..)) {
            continue;
        }
        let known = operands.iter().enumerate().filter(|(other, _)| *other != at);
        let known: Vec<(Id, bool)> = known.map(|(_, other)| literal(t, *other)).collect();
        let new = known.iter().fold(*id, |id, (c, value)| t.assuming(id, *c, *value));
        if new != *id {
            let mut rest = operands.to_vec();
            rest[at] = new;
            return Some(t.build(Node::And(rest.into())));
        }
    }
    None
}

/// `a = b and x + k * (a <u b) = j` is `a = b and x = j`: the high half of a difference compared with 0
fn and_knows_borrow(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    let equations = operands.iter().filter_map(|id| match *t.node(*id) {
        Node::Cmp32(Cmp::Eq, left, right) => Some((*id, left, right)),
        _ => None,
    });
    let equations: Vec<(Id, Id, Id)> = equations.collect();
    for (at, id) in operands.iter().enumerate() {
        let Some((_, left, right)) = equations.iter().find(|(equation, ..)| equation == id).copied() else {
            continue;
        };
        for (flag, _) in t.linear(left).monomials.iter() {
            let Some(order) = t.is_flag(*flag) else { continue };
            let Node::Cmp32(Cmp::LtU, a, b) = *t.node(order) else { continue };
            let is_equal = |t: &mut Terms, (equation, left, right): (Id, Id, Id)| {
                equation != *id
                    && [(a, b), (b, a)].into_iter().any(|(a, b)| {
                        let difference = t.sum(&[(a, 1), (b, u32::MAX), (left, u32::MAX), (right, 1)], 0);
                        t.constant(difference) == Some(0)
                    })
            };
            if equations.iter().any(|equation| is_equal(t, *equation)) {
                let mut rest = operands.to_vec();
                let left = t.assuming(left, order, false);
                rest[at] = t.cmp(Cmp::Eq, left, right);
                return Some(t.build(Node::And(rest.into())));
            }
        }
    }
    None
}

/// An interval of words that a comparison with a constant leaves, or all words but one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// From the first to the last, unsigned or signed as the comparison.
    Between(i64, i64),
    /// Anything else.
    Not(i64),
}

/// The word compared and what is left of it, for unsigned or for signed order.
fn bound(t: &Terms, id: Id, op: Cmp) -> Option<(Id, Bound)> {
    let (atom, positive) = literal(t, id);
    let Node::Cmp32(own, a, b) = *t.node(atom) else {
        return None;
    };
    let k = t.constant(b)?;
    if (own, op, k) == (Cmp::LtS, Cmp::LtU, 0) {
        let sign = 1i64 << 31;
        let bound = if positive { Bound::Between(sign, 2 * sign - 1) } else { Bound::Between(0, sign - 1) };
        return Some((a, bound));
    }
    let (k, least, greatest) = match op {
        Cmp::LtS => (i64::from(k as i32), i64::from(i32::MIN), i64::from(i32::MAX)),
        Cmp::LtU | Cmp::Eq => (i64::from(k), 0, i64::from(u32::MAX)),
    };
    let bound = match (own, positive) {
        (Cmp::Eq, true) => Bound::Between(k, k),
        (Cmp::Eq, false) if k == least => Bound::Between(k + 1, greatest),
        (Cmp::Eq, false) if k == greatest => Bound::Between(least, k - 1),
        (Cmp::Eq, false) => Bound::Not(k),
        (own, true) if own == op => Bound::Between(least, k - 1),
        (own, false) if own == op => Bound::Between(k, greatest),
        _ => return None,
    };
    Some((a, bound))
}

/// What two bounds leave together, if one bound can say it; the first is no hole.
fn joined(a: Bound, b: Bound) -> Option<Bound> {
    match (a, b) {
        (Bound::Between(low, high), Bound::Between(least, most)) => {
            Some(Bound::Between(low.max(least), high.min(most)))
        }
        (Bound::Between(low, high), Bound::Not(hole)) | (Bound::Not(hole), Bound::Between(low, high)) => {
            if hole == low {
                Some(Bound::Between(low + 1, high))
            } else if hole == high {
                Some(Bound::Between(low, high - 1))
            } else if hole < low || hole > high {
                Some(Bound::Between(low, high))
            } else {
                None
            }
        }
        (Bound::Not(_), Bound::Not(_)) => None,
    }
}

/// The conditions that say a bound.
fn of_bound(t: &mut Terms, op: Cmp, x: Id, bound: Bound) -> Vec<Id> {
    let (least, greatest) = match op {
        Cmp::LtS => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Cmp::LtU | Cmp::Eq => (0, i64::from(u32::MAX)),
    };
    let Bound::Between(low, high) = bound else { unreachable!("two bounds never leave a hole") };
    if low > high {
        return vec![t.truth(false)];
    }
    if low == high {
        return vec![t.cmp_const(Cmp::Eq, x, low as u32)];
    }
    let mut conditions = Vec::new();
    if low > least {
        let below = t.cmp_const(op, x, low as u32);
        conditions.push(t.negation(below));
    }
    if high < greatest {
        conditions.push(t.cmp_const(op, x, (high + 1) as u32));
    }
    conditions
}

/// Two comparisons of one word with constants are one, or none, or an equality: `x < 3 and x < 5` is
/// `x < 3`, `not x < 3 and not x = 3` is `not x < 4`, `x < 3 and not x < 2` is `x = 2`
fn and_of_bounds(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    for op in [Cmp::LtU, Cmp::LtS] {
        let bounds: Vec<Option<(Id, Bound)>> = operands.iter().map(|id| bound(t, *id, op)).collect();
        for i in 0..operands.len() {
            for j in i + 1..operands.len() {
                let (Some((x, a)), Some((y, b))) = (bounds[i], bounds[j]) else {
                    continue;
                };
                let Some(both) = joined(a, b).filter(|_| x == y) else {
                    continue;
                };
                let stated = of_bound(t, op, x, both);
                let known = BTreeSet::from([operands[i], operands[j]]);
                if stated.iter().copied().collect::<BTreeSet<Id>>() == known {
                    continue;
                }
                let rest = operands.iter().enumerate().filter(|(at, _)| *at != i && *at != j).map(|(_, id)| *id);
                let all: Vec<Id> = rest.chain(stated).collect();
                return Some(t.build(Node::And(all.into())));
            }
        }
    }
    None
}

/// `not x < y and not x = y` is `y < x`; `not x < y and not y < x` is `x = y`; `x < y and not x = y` is
/// `x < y`; `x < y and not y < x` is `x < y`; `x < y` and `x = y`, or `y < x`, is false
fn and_of_orders(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    for (at, id) in operands.iter().enumerate() {
        let (atom, less) = literal(t, *id);
        let Node::Cmp32(op @ (Cmp::LtU | Cmp::LtS), x, y) = *t.node(atom) else {
            continue;
        };
        let (equal, greater) = (t.eq(x, y), t.cmp(op, y, x));
        let (same, same_positive) = literal(t, equal);
        let (over, over_positive) = literal(t, greater);
        for (other_at, other) in operands.iter().enumerate() {
            let (other, positive) = literal(t, *other);
            let is_equal = (other == same).then_some(positive == same_positive);
            let is_greater = (other == over && over != atom).then_some(positive == over_positive);
            let stated = match (less, is_equal, is_greater) {
                (true, Some(true), _) | (true, _, Some(true)) => t.truth(false),
                (true, Some(false), _) | (true, _, Some(false)) => *id,
                (false, Some(true), _) => equal,
                (false, _, Some(true)) => greater,
                (false, Some(false), _) => greater,
                (false, _, Some(false)) => equal,
                _ => continue,
            };
            let rest = operands.iter().enumerate().filter(|(i, _)| *i != at && *i != other_at).map(|(_, id)| *id);
            let all: Vec<Id> = rest.chain([stated]).collect();
            return Some(t.build(Node::And(all.into())));
        }
    }
    None
}

/// `x <s 0 and x + k <s 0` is `x <s -k` for `k` from 1 to 2^31 - 1; `not x <s 0 and not x + k <s 0` is
/// `not x <s -k` for `k` from 2^31 + 1: how `LT` and `GE` after an addition of `k` read
fn and_of_signs(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::And(operands) = node else {
        return None;
    };
    let signs: Vec<Option<(Id, bool)>> = operands.iter().map(|id| sign_of(t, *id)).collect();
    for (i, first) in signs.iter().enumerate() {
        for (j, second) in signs.iter().enumerate() {
            let (Some((x, negative)), Some((y, other))) = (first, second) else {
                continue;
            };
            if i == j || negative != other {
                continue;
            }
            let distance = t.sub(*y, *x);
            let Some(k) = t.constant(distance) else {
                continue;
            };
            let moved_to_zero = if *negative { k as i32 > 0 } else { (k as i32) < 0 && k != 1 << 31 };
            if !moved_to_zero {
                continue;
            }
            let below = t.cmp_const(Cmp::LtS, *x, k.wrapping_neg());
            let stated = if *negative { below } else { t.negation(below) };
            let rest = operands.iter().enumerate().filter(|(at, _)| *at != i && *at != j).map(|(_, id)| *id);
            let all: Vec<Id> = rest.chain([stated]).collect();
            return Some(t.build(Node::And(all.into())));
        }
    }
    None
}

/// The word whose sign a condition tells, and whether it says negative.
fn sign_of(t: &Terms, id: Id) -> Option<(Id, bool)> {
    let (atom, positive) = literal(t, id);
    match *t.node(atom) {
        Node::Cmp32(Cmp::LtS, x, zero) if t.constant(zero) == Some(0) => Some((x, positive)),
        _ => None,
    }
}
