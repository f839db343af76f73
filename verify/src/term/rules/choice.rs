//! `ite`, on truth values, words and memories.

use std::collections::BTreeMap;

use super::super::Terms;
use super::super::node::{Id, Node, Sort, Width, Writes};
use super::{Rule, rules};
use crate::domain::Cmp;

/// Choices.
pub(super) const CHOICES: &[Rule] = rules![
    choice_of_halves,
    choice_known,
    choice_of_same,
    choice_negated,
    choice_branches_know,
    choice_of_equals,
    choice_of_sum_known,
    choice_of_float_truth,
    choice_of_offset,
    choice_of_truths,
    choice_of_negations,
    choice_of_opposites,
    choice_nested,
    choice_of_writes,
];

fn of(node: &Node) -> Option<(Id, Id, Id)> {
    match *node {
        Node::Ite(c, a, b) => Some((c, a, b)),
        _ => None,
    }
}

/// `ite(c, h:l, j:k) = ite(c, h, j):ite(c, l, k)`
fn choice_of_halves(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let ((high, low), (other_high, other_low)) = (t.halves(a)?, t.halves(b)?);
    let (high, low) = (t.choose(c, high, other_high), t.choose(c, low, other_low));
    Some(t.build(Node::Join(high, low)))
}

/// `ite(true, x, y) = x`, `ite(false, x, y) = y`
fn choice_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    match t.node(c) {
        Node::Bool(true) => Some(a),
        Node::Bool(false) => Some(b),
        _ => None,
    }
}

/// `ite(c, x, x) = x`
fn choice_of_same(_: &mut Terms, node: &Node) -> Option<Id> {
    let (_, a, b) = of(node)?;
    (a == b).then_some(a)
}

/// `ite(not c, x, y) = ite(c, y, x)`
fn choice_negated(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let Node::Not(plain) = *t.node(c) else {
        return None;
    };
    Some(t.choose(plain, b, a))
}

/// `ite(c, f(c), g(c)) = ite(c, f(true), g(false))`
fn choice_branches_know(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let (then, otherwise) = (t.assuming(a, c, true), t.assuming(b, c, false));
    ((then, otherwise) != (a, b)).then(|| t.choose(c, then, otherwise))
}

/// `ite(x = y, x, y) = y`
fn choice_of_equals(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let Node::Cmp32(Cmp::Eq, left, right) = *t.node(c) else {
        return None;
    };
    if t.arena().sort(a) != Sort::W32 {
        return None;
    }
    let difference = t.sub(left, right);
    let own = t.sub(a, b);
    let opposite = t.scaled(own, u32::MAX);
    (own == difference || opposite == difference).then_some(b)
}

/// `ite(x = y, x - y + k, z) = ite(x = y, k, z)`, also for `y - x + k`
fn choice_of_sum_known(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let Node::Cmp32(Cmp::Eq, left, right) = *t.node(c) else {
        return None;
    };
    if t.arena().sort(a) != Sort::W32 || t.constant(a).is_some() {
        return None;
    }
    let difference = t.sub(left, right);
    let (rest, other) = (t.sub(a, difference), t.sum(&[(a, 1), (difference, 1)], 0));
    let known = [rest, other].into_iter().find(|value| t.constant(*value).is_some())?;
    Some(t.choose(c, known, b))
}

/// `ite(c, x + k, x) = x + k*ite(c, 1, 0)`
fn choice_of_offset(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    if t.arena().sort(a) != Sort::W32 || (t.constant(a) == Some(1) && t.constant(b) == Some(0)) {
        return None;
    }
    let difference = t.sub(a, b);
    let k = t.constant(difference)?;
    let flag = t.flag(c);
    Some(t.sum(&[(b, 1), (flag, k)], 0))
}

/// `ite(c, true, y) = c or y`; `ite(c, false, y) = not c and y`; `ite(c, x, true) = not c or x`;
/// `ite(c, x, false) = c and x`
fn choice_of_truths(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    match (t.node(a), t.node(b)) {
        (Node::Bool(true), _) => Some(t.either(c, b)),
        (Node::Bool(false), _) => {
            let not = t.negation(c);
            Some(t.both(not, b))
        }
        (_, Node::Bool(true)) => {
            let not = t.negation(c);
            Some(t.either(not, a))
        }
        (_, Node::Bool(false)) => Some(t.both(c, a)),
        _ => None,
    }
}

/// `ite(c, not x, y) = not ite(c, x, not y)`
fn choice_of_negations(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let Node::Not(plain) = *t.node(a) else {
        return None;
    };
    let other = t.negation(b);
    let choice = t.choose(c, plain, other);
    Some(t.negation(choice))
}

/// `ite(f(..) = 0, 0, 1) = f(..)` if `f` gives 0 or 1
fn choice_of_float_truth(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let Node::Cmp32(Cmp::Eq, left, right) = *t.node(c) else {
        return None;
    };
    let (truth, zero) = if t.constant(left).is_some() { (right, left) } else { (left, right) };
    let is_truth = matches!(t.node(truth), Node::Apply(..)) && t.range(truth).high <= 1;
    let constants = [zero, a, b].map(|id| t.constant(id));
    (is_truth && constants == [Some(0), Some(0), Some(1)]).then_some(truth)
}

/// `ite(c, x, not x) = ite(x, c, not c)`
fn choice_of_opposites(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    if t.arena().sort(a) != Sort::Bool || a >= c {
        return None;
    }
    let opposite = t.negation(a);
    let other = t.negation(c);
    (b == opposite).then(|| t.choose(a, c, other))
}

/// `ite(c, ite(d, x, y), y) = ite(c and d, x, y)`; `ite(c, x, ite(d, x, y)) = ite(c or d, x, y)`
fn choice_nested(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    if let Node::Ite(d, x, y) = *t.node(a) {
        if y == b {
            let both = t.both(c, d);
            return Some(t.choose(both, x, y));
        }
        if x == b {
            let not = t.negation(d);
            let both = t.both(c, not);
            return Some(t.choose(both, y, x));
        }
    }
    if let Node::Ite(d, x, y) = *t.node(b) {
        if x == a {
            let either = t.either(c, d);
            return Some(t.choose(either, x, y));
        }
        if y == a {
            let not = t.negation(d);
            let either = t.either(c, not);
            return Some(t.choose(either, y, x));
        }
    }
    None
}

/// A memory as writes over another at distances from an address.
fn as_writes(t: &Terms, memory: Id, like: &Writes) -> Option<BTreeMap<u32, Id>> {
    if memory == like.memory {
        return Some(BTreeMap::new());
    }
    match t.node(memory) {
        Node::Writes(writes) if writes.memory == like.memory && writes.base == like.base => {
            Some(writes.bytes.iter().copied().collect())
        }
        _ => None,
    }
}

/// `ite(c, m[a := x], m[a := y]) = m[a := ite(c, x, y)]`, byte by byte; a byte that one branch does not
/// write is that of `m`
fn choice_of_writes(t: &mut Terms, node: &Node) -> Option<Id> {
    let (c, a, b) = of(node)?;
    let like = match (t.node(a), t.node(b)) {
        (Node::Writes(writes), _) if as_writes(t, b, writes).is_some() => writes.clone(),
        (_, Node::Writes(writes)) if as_writes(t, a, writes).is_some() => writes.clone(),
        _ => return None,
    };
    let (then, otherwise) = (as_writes(t, a, &like)?, as_writes(t, b, &like)?);
    let mut offsets: Vec<u32> = then.keys().chain(otherwise.keys()).copied().collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut bytes = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let address = t.sum(&[(like.base, 1)], offset);
        let old = t.build(Node::Load(Width::Byte, like.memory, address));
        let x = then.get(&offset).copied().unwrap_or(old);
        let y = otherwise.get(&offset).copied().unwrap_or(old);
        bytes.push((offset, t.choose(c, x, y)));
    }
    Some(t.build(Node::Writes(Writes { memory: like.memory, base: like.base, bytes: bytes.into() })))
}
