//! Facts: conditions that hold on a path, and what follows from them without a solver.
//!
//! Ensures: whatever [`Facts::decide`], [`Facts::interval`] and the `simplify` functions answer holds
//! in every state that satisfies all facts and the bounds of the symbols. Caches belong to one set of
//! facts and are dropped when a fact is added, so that nothing leaks to a sibling.
//!
//! Drawn from the facts: truth of conditions, spans of words (intervals that may wrap, kept for sums
//! without their constants), orders `a + s <= b`, and equations solved for their youngest atom.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::node::{Id, Linear, Node, Sort};
use super::range::{self, Range};
use super::{Term32, Term64, TermBool, TermMem, Terms};
use crate::domain::Cmp;

/// A set of conditions with their truth. Cloning is cheap; clones are independent.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub(super) inner: Rc<Inner>,
}

/// The facts and what was drawn from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    literals: Vec<(TermBool, bool)>,
    /// Conditions in normal form, none of them a negation or a conjunction that holds.
    truth: BTreeMap<Id, bool>,
    spans: BTreeMap<Id, Span>,
    orders: Vec<Order>,
    /// Equations, each solved for its youngest atom.
    pub(super) solved: BTreeMap<Id, Id>,
    contradictory: bool,
    /// Ranges under these facts.
    ranges: Cache<Range>,
    /// Normal forms under these facts.
    pub(super) simplified: Cache<Id>,
}

/// What was found out under one set of facts; only looked up. A set that is cloned is about to get
/// another fact, so the clone begins with nothing.
#[derive(Debug)]
pub(super) struct Cache<V>(RefCell<HashMap<Id, V>>);

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Cache(RefCell::default())
    }
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Cache::default()
    }
}

impl<V: Copy> Cache<V> {
    pub(super) fn get(&self, id: Id) -> Option<V> {
        self.0.borrow().get(&id).copied()
    }

    pub(super) fn insert(&self, id: Id, value: V) {
        self.0.borrow_mut().insert(id, value);
    }

    fn clear(&mut self) {
        self.0.get_mut().clear();
    }
}

/// The words from `low` to `low + width`, modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    low: u32,
    width: u32,
}

/// `less + gap <= greater`, as numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Order {
    less: Id,
    greater: Id,
    gap: i64,
}

/// How many orders a conclusion may be drawn through.
const ORDER_STEPS: u32 = 3;
/// How often spans are drawn from each other when a fact is added.
const ROUNDS: u32 = 3;

impl Span {
    fn of(range: Range) -> Span {
        Span { low: range.low, width: range.high.wrapping_sub(range.low) }
    }

    fn moved(self, by: u32) -> Span {
        Span { low: self.low.wrapping_add(by), width: self.width }
    }

    fn range(self) -> Range {
        match self.low.checked_add(self.width) {
            Some(high) => Range::between(self.low, high),
            None => Range::ALL,
        }
    }

    /// A span that contains all common words; `None` if there is none.
    fn meet(self, other: Span) -> Option<Span> {
        let distance = other.low.wrapping_sub(self.low);
        let end = u64::from(distance) + u64::from(other.width);
        let upper = (distance <= self.width).then(|| {
            let high = end.min(u64::from(self.width)) as u32;
            Span { low: other.low, width: high - distance }
        });
        let lower = end.checked_sub(1 << 32).map(|high| {
            let width = high.min(u64::from(self.width)) as u32;
            Span { low: self.low, width }
        });
        match (upper, lower) {
            (Some(_), Some(_)) => Some(if self.width <= other.width { self } else { other }),
            (one, None) | (None, one) => one,
        }
    }
}

impl Facts {
    /// No facts.
    pub fn new() -> Facts {
        Facts::default()
    }

    /// The conditions assumed, in order.
    pub fn literals(&self) -> &[(TermBool, bool)] {
        &self.inner.literals
    }

    /// Whether the facts are seen to contradict each other: no state satisfies them.
    pub fn is_contradictory(&self) -> bool {
        self.inner.contradictory
    }

    /// Adds a condition, or its negation.
    pub fn assume(&mut self, terms: &mut Terms, condition: TermBool, value: bool) {
        let simple = self.simplified(terms, condition.norm);
        let refuted = self.known(terms, condition.norm) == Some(!value);
        let inner = Rc::make_mut(&mut self.inner);
        inner.contradictory |= refuted;
        inner.literals.push((condition, value));
        inner.add(terms, condition.norm, value);
        if simple != condition.norm {
            inner.add(terms, simple, value);
        }
        inner.ranges.clear();
        inner.simplified.clear();
        for _ in 0..ROUNDS {
            let news = self.draw_last_parts(terms);
            if !self.draw_spans(terms) && !news {
                break;
            }
        }
    }

    /// `not (a and b)` where `a` holds says `not b`; whether there was such a fact.
    fn draw_last_parts(&mut self, terms: &mut Terms) -> bool {
        let mut last: Vec<Id> = Vec::new();
        for (id, _) in self.inner.truth.iter().filter(|(_, value)| !**value) {
            let Node::And(parts) = terms.node(*id) else {
                continue;
            };
            let open: Vec<Id> = parts.iter().copied().filter(|part| self.known(terms, *part) != Some(true)).collect();
            if let [only] = open[..]
                && self.known(terms, only).is_none()
            {
                last.push(only);
            }
        }
        let inner = Rc::make_mut(&mut self.inner);
        for part in &last {
            inner.add(terms, *part, false);
        }
        inner.ranges.clear();
        inner.simplified.clear();
        !last.is_empty()
    }

    /// Whether the facts decide the condition, and how.
    pub fn decide(&self, terms: &mut Terms, condition: TermBool) -> Option<bool> {
        if let Some(known) = self.known(terms, condition.norm) {
            return Some(known);
        }
        let simple = self.simplified(terms, condition.norm);
        self.known(terms, simple)
    }

    /// An unsigned interval that contains the word: least and greatest value. Not simplified first:
    /// [`Facts::range_of`] may know more.
    pub fn interval(&self, terms: &Terms, term: Term32) -> (u32, u32) {
        let range = self.range(terms, term.norm);
        (range.low, range.high)
    }

    /// The range of a word under the facts: interval and known bits.
    pub fn range_of(&self, terms: &mut Terms, term: Term32) -> Range {
        let simple = self.simplified(terms, term.norm);
        let range = self.range(terms, term.norm).meet(self.range(terms, simple));
        [term.norm, simple].into_iter().fold(range, |range, id| range.meet(self.range_of_multiple(terms, id)))
    }

    /// The range of `2^k * q + r`, `r < 2^k`, from the range of `q`: the facts speak of an index, not
    /// of its multiple.
    fn range_of_multiple(&self, terms: &mut Terms, id: Id) -> Range {
        let sum = terms.linear(id);
        let factors = sum.monomials.iter().map(|(_, factor)| *factor);
        let shift = factors.fold(0, |all, factor| all | factor).trailing_zeros();
        if shift == 0 || shift >= 32 {
            return Range::ALL;
        }
        // Signed quotients keep small factors small.
        let divided = |number: u32| ((number as i32) >> shift) as u32;
        let parts: Vec<(Id, u32)> = sum.monomials.iter().map(|(atom, factor)| (*atom, divided(*factor))).collect();
        let quotient = terms.sum(&parts, divided(sum.constant));
        let range = self.range(terms, quotient);
        if range.high > u32::MAX >> shift {
            return Range::ALL;
        }
        let rest = sum.constant & !(u32::MAX << shift);
        Range::between(range.low << shift | rest, range.high << shift | rest)
    }

    /// The word in the normal form that the facts allow; the raw term stays.
    pub fn simplify32(&self, terms: &mut Terms, term: Term32) -> Term32 {
        Term32 { norm: self.simplified(terms, term.norm), ..term }
    }

    /// The 64-bit word in the normal form that the facts allow; the raw term stays.
    pub fn simplify64(&self, terms: &mut Terms, term: Term64) -> Term64 {
        Term64 { norm: self.simplified(terms, term.norm), ..term }
    }

    /// The truth value in the normal form that the facts allow; the raw term stays.
    pub fn simplify_bool(&self, terms: &mut Terms, term: TermBool) -> TermBool {
        TermBool { norm: self.simplified(terms, term.norm), ..term }
    }

    /// The memory in the normal form that the facts allow; the raw term stays.
    pub fn simplify_mem(&self, terms: &mut Terms, term: TermMem) -> TermMem {
        TermMem { norm: self.simplified(terms, term.norm), ..term }
    }

    /// The truth of a normal condition that was assumed.
    pub(super) fn literal(&self, id: Id) -> Option<bool> {
        self.inner.truth.get(&id).copied()
    }

    /// The truth of a normal condition: assumed, or by its parts, by ranges, or by orders.
    pub(super) fn known(&self, terms: &Terms, id: Id) -> Option<bool> {
        if let Some(known) = self.literal(id) {
            return Some(known);
        }
        match terms.node(id) {
            Node::Bool(value) => Some(*value),
            Node::Not(a) => self.known(terms, *a).map(|value| !value),
            Node::And(parts) => {
                let parts: Vec<Option<bool>> = parts.iter().map(|part| self.known(terms, *part)).collect();
                if parts.contains(&Some(false)) {
                    Some(false)
                } else {
                    parts.iter().all(|part| *part == Some(true)).then_some(true)
                }
            }
            Node::Ite(c, a, b) => match self.known(terms, *c) {
                Some(c) => self.known(terms, if c { *a } else { *b }),
                None => {
                    let (a, b) = (self.known(terms, *a)?, self.known(terms, *b)?);
                    (a == b).then_some(a)
                }
            },
            Node::Cmp32(Cmp::LtU, a, b) => {
                if self.at_most(terms, *a, 1, *b, ORDER_STEPS) {
                    Some(true)
                } else {
                    self.at_most(terms, *b, 0, *a, ORDER_STEPS).then_some(false)
                }
            }
            Node::Cmp32(Cmp::Eq, a, b) => {
                let (a, b) = (self.range(terms, *a), self.range(terms, *b));
                let apart = a.high < b.low || b.high < a.low || a.ones & b.zeros != 0 || a.zeros & b.ones != 0;
                match (a.constant(), b.constant()) {
                    _ if apart => Some(false),
                    (Some(a), Some(b)) => Some(a == b),
                    _ => None,
                }
            }
            Node::Cmp32(Cmp::LtS, a, b) => {
                let (a, b) = (self.range(terms, *a), self.range(terms, *b));
                match (a.sign()?, b.sign()?) {
                    (true, false) => Some(true),
                    (false, true) => Some(false),
                    _ if a.high < b.low => Some(true),
                    _ => (a.low >= b.high).then_some(false),
                }
            }
            _ => None,
        }
    }

    /// The range of a normal word under the facts.
    pub(super) fn range(&self, terms: &Terms, id: Id) -> Range {
        if let Some(known) = self.inner.ranges.get(id) {
            return known;
        }
        let own = range::of_node(terms.node(id), terms.bounds(id), |child| self.range(terms, child));
        let mut range = terms.range_without_facts(id).meet(own);
        let (base, constant) = base_of(terms, id);
        if let Some(span) = base.and_then(|base| self.inner.spans.get(&base)) {
            range = range.meet(span.moved(constant).range());
        }
        self.inner.ranges.insert(id, range);
        range
    }

    /// Whether `a + gap <= b` as numbers, by ranges or through orders.
    fn at_most(&self, terms: &Terms, a: Id, gap: i64, b: Id, steps: u32) -> bool {
        let (range_a, range_b) = (self.range(terms, a), self.range(terms, b));
        if i64::from(range_a.high) + gap <= i64::from(range_b.low) {
            return true;
        }
        if let Some(distance) = self.distance(terms, b, a)
            && gap <= distance
        {
            return true;
        }
        steps > 0
            && self.inner.orders.iter().any(|order| match self.distance(terms, a, order.less) {
                Some(distance) => self.at_most(terms, order.greater, gap + distance - order.gap, b, steps - 1),
                None => false,
            })
    }

    /// `a - b` as numbers, if the terms differ by a constant and neither wraps on the way.
    fn distance(&self, terms: &Terms, a: Id, b: Id) -> Option<i64> {
        if a == b {
            return Some(0);
        }
        let ((base_a, k), (base_b, j)) = (base_of(terms, a), base_of(terms, b));
        if base_a? != base_b? {
            return None;
        }
        let distance = i64::from(k.wrapping_sub(j) as i32);
        let range = self.range(terms, b);
        let fits = |end: u32| u32::try_from(i64::from(end) + distance).is_ok();
        (fits(range.low) && fits(range.high)).then_some(distance)
    }

    /// Draws spans from orders, and from spans and the rest of a sum; whether one became smaller.
    fn draw_spans(&mut self, terms: &Terms) -> bool {
        let mut drawn: Vec<(Id, Range)> = Vec::new();
        for order in &self.inner.orders {
            let (less, greater) = (self.range(terms, order.less), self.range(terms, order.greater));
            let least = (i64::from(less.low) + order.gap).clamp(0, i64::from(u32::MAX));
            let most = i64::from(greater.high) - order.gap;
            let contradiction = Range { low: 1, high: 0, ..Range::ALL };
            drawn.push(match u32::try_from(most) {
                Ok(most) => (order.less, Range::between(0, most)),
                Err(_) => (order.less, contradiction),
            });
            drawn.push((order.greater, Range::between(least as u32, u32::MAX)));
        }
        for (&id, &value) in &self.inner.truth {
            drawn.extend(self.without_end(terms, id, value));
        }
        let inner = Rc::make_mut(&mut self.inner);
        let mut changed = false;
        for (id, range) in drawn {
            if range.low > range.high {
                inner.contradictory = true;
            } else {
                changed |= inner.restrict(terms, id, Span::of(range));
            }
        }
        if changed {
            inner.ranges.clear();
            inner.simplified.clear();
        }
        changed
    }

    /// What `a != k` says of a word whose range ends at `k`.
    fn without_end(&self, terms: &Terms, id: Id, value: bool) -> Option<(Id, Range)> {
        let Node::Cmp32(op, a, b) = *terms.node(id) else {
            return None;
        };
        let k = terms.constant(b)?;
        let range = self.range(terms, a);
        match (op, value) {
            (Cmp::Eq, false) if range.low == k && k < range.high => Some((a, Range::between(k + 1, range.high))),
            (Cmp::Eq, false) if range.high == k && k > range.low => Some((a, Range::between(range.low, k - 1))),
            _ => None,
        }
    }
}

/// The sum without its constant, if it has been made, and the constant.
fn base_of(terms: &Terms, id: Id) -> (Option<Id>, u32) {
    match terms.node(id) {
        Node::Linear(sum) if sum.constant != 0 => match sum.monomials[..] {
            [(only, 1)] => (Some(only), sum.constant),
            _ => {
                let base = Linear { monomials: sum.monomials.clone(), constant: 0 };
                (terms.arena().find(&Node::Linear(base)), sum.constant)
            }
        },
        Node::Const(value) => (None, *value),
        _ => (Some(id), 0),
    }
}

impl Inner {
    fn add(&mut self, terms: &mut Terms, id: Id, value: bool) {
        let node = terms.node(id).clone();
        match (&node, value) {
            (Node::Bool(known), _) => {
                self.contradictory |= *known != value;
                return;
            }
            (Node::Not(a), _) => return self.add(terms, *a, !value),
            (Node::And(parts), true) => {
                for part in parts.iter() {
                    self.add(terms, *part, true);
                }
                return;
            }
            _ => {}
        }
        if self.truth.insert(id, value) == Some(!value) {
            self.contradictory = true;
        }
        match node {
            Node::Cmp32(op, a, b) => self.compare(terms, op, (a, b), value),
            // A sum that does not wrap is at least each of its parts.
            Node::Carry(a, b, c) if !value && matches!(terms.node(c), Node::Bool(false)) => {
                let greater = terms.sum(&[(a, 1), (b, 1)], 0);
                self.orders.extend([a, b].map(|less| Order { less, greater, gap: 0 }));
            }
            // `a + b + 1` wraps exactly if `a` is at least `!b`.
            Node::Carry(a, b, c) if matches!(terms.node(c), Node::Bool(true)) => {
                for (this, other) in [(a, b), (b, a)] {
                    let inverted = terms.sum(&[(other, u32::MAX)], u32::MAX);
                    if value {
                        self.order(terms, (inverted, this), 0);
                    } else {
                        self.order(terms, (this, inverted), 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, terms: &mut Terms, op: Cmp, (a, b): (Id, Id), value: bool) {
        let constant = terms.constant(b);
        match (op, value, constant) {
            (Cmp::Eq, true, Some(k)) => {
                self.restrict_term(terms, a, Span { low: k, width: 0 });
                self.solve(terms, a, k);
            }
            (Cmp::Eq, false, Some(k)) => {
                self.restrict_term(terms, a, Span { low: k.wrapping_add(1), width: u32::MAX - 1 })
            }
            (Cmp::LtU, true, Some(k)) if k > 0 => self.restrict_term(terms, a, Span { low: 0, width: k - 1 }),
            (Cmp::LtU, false, Some(k)) => self.restrict_term(terms, a, Span { low: k, width: u32::MAX - k }),
            (Cmp::LtS, true, Some(k)) => {
                let low = 1 << 31;
                let width = k.wrapping_sub(1).wrapping_sub(low);
                self.restrict_term(terms, a, Span { low, width });
            }
            (Cmp::LtS, false, Some(k)) => {
                self.restrict_term(terms, a, Span { low: k, width: 0x7fff_ffffu32.wrapping_sub(k) });
            }
            (Cmp::LtU, true, _) => self.order(terms, (a, b), 1),
            (Cmp::LtU, false, _) => self.order(terms, (b, a), 0),
            _ => {}
        }
    }

    /// Notes `less + gap <= greater`.
    fn order(&mut self, terms: &mut Terms, (less, greater): (Id, Id), gap: i64) {
        // Their constant-free sums are made here so that spans drawn from the order have a place.
        terms.split_constant(less);
        terms.split_constant(greater);
        self.orders.push(Order { less, greater, gap });
    }

    /// Restricts a word of which the constant-free sum may not have been made yet.
    fn restrict_term(&mut self, terms: &mut Terms, id: Id, span: Span) {
        // Made here so that later sums with other constants find it.
        terms.split_constant(id);
        self.restrict(terms, id, span);
    }

    /// Restricts a word to a span; whether that is news.
    fn restrict(&mut self, terms: &Terms, id: Id, span: Span) -> bool {
        let (Some(base), constant) = base_of(terms, id) else {
            return false;
        };
        let span = span.moved(constant.wrapping_neg());
        let old = self.spans.get(&base).copied().unwrap_or(Span::of(terms.range_without_facts(base)));
        match old.meet(span) {
            None => {
                self.contradictory = true;
                false
            }
            Some(new) => self.spans.insert(base, new) != Some(new) && new != old,
        }
    }

    /// `k_1*x_1 + .. + k_n*x_n = k` as `x_n = ..`, if `k_n` is odd; `x_n` is the youngest, so that it
    /// occurs in no other `x_i`.
    fn solve(&mut self, terms: &mut Terms, sum: Id, k: u32) {
        let sum = terms.linear(sum);
        let Some(((atom, factor), rest)) = sum.monomials.split_last() else {
            return;
        };
        if factor % 2 == 0 || self.solved.contains_key(atom) {
            return;
        }
        let inverse = super::rules::inverse(*factor);
        let rest: Vec<(Id, u32)> =
            rest.iter().map(|(id, own)| (*id, own.wrapping_mul(inverse).wrapping_neg())).collect();
        let value = terms.sum(&rest, k.wrapping_sub(sum.constant).wrapping_mul(inverse));
        self.solved.insert(*atom, value);
    }
}

impl Terms {
    /// What the active facts say of a term just built: a constant, if it can have no other value.
    pub(super) fn under_facts(&mut self, id: Id) -> Id {
        let Some(facts) = self.active_facts().cloned() else {
            return id;
        };
        match self.arena().sort(id) {
            Sort::Bool => match facts.literal(id) {
                Some(value) => self.truth(value),
                None => id,
            },
            Sort::W32 => match facts.range(self, id).constant() {
                Some(value) => self.word(value),
                None => id,
            },
            Sort::W64 | Sort::Mem => id,
        }
    }
}
