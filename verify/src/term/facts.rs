//! Facts: conditions that hold on a path, and what follows from them without a solver.
//!
//! Ensures: whatever [`Facts::decide`], [`Facts::interval`] and the `simplify` functions answer holds
//! in every state that satisfies all facts. Two sets of facts share no cache.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::node::{Id, Node};
use super::range::Range;
use super::{Term32, Term64, TermBool, TermMem, Terms};

/// A set of conditions with their truth. Cloning is cheap; clones are independent.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    inner: Rc<Inner>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    /// Different for any two sets that differ; 0 for the empty set.
    id: u32,
    literals: Vec<(TermBool, bool)>,
    truth: BTreeMap<Id, bool>,
    ranges: BTreeMap<Id, Range>,
    contradictory: bool,
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
        terms.next_facts += 1;
        let inner = Rc::make_mut(&mut self.inner);
        inner.id = terms.next_facts;
        inner.literals.push((condition, value));
        inner.add(terms, condition.norm, value);
    }

    /// Whether the facts decide the condition, and how.
    pub fn decide(&self, terms: &mut Terms, condition: TermBool) -> Option<bool> {
        self.truth(terms, condition.norm)
    }

    fn truth(&self, terms: &Terms, id: Id) -> Option<bool> {
        if let Some(&known) = self.inner.truth.get(&id) {
            return Some(known);
        }
        match terms.node(id) {
            Node::Bool(value) => Some(*value),
            Node::Not(a) => self.truth(terms, *a).map(|value| !value),
            _ => None,
        }
    }

    /// An unsigned interval that contains the word: least and greatest value.
    pub fn interval(&self, terms: &Terms, term: Term32) -> (u32, u32) {
        let range = self.range(terms, term.norm);
        (range.low, range.high)
    }

    pub(super) fn range(&self, terms: &Terms, id: Id) -> Range {
        terms.range_without_facts(id)
    }

    /// The word in the normal form that the facts allow; the raw term stays.
    pub fn simplify32(&self, _terms: &mut Terms, term: Term32) -> Term32 {
        term
    }

    /// The 64-bit word in the normal form that the facts allow; the raw term stays.
    pub fn simplify64(&self, _terms: &mut Terms, term: Term64) -> Term64 {
        term
    }

    /// The truth value in the normal form that the facts allow; the raw term stays.
    pub fn simplify_bool(&self, _terms: &mut Terms, term: TermBool) -> TermBool {
        term
    }

    /// The memory in the normal form that the facts allow; the raw term stays.
    pub fn simplify_mem(&self, _terms: &mut Terms, term: TermMem) -> TermMem {
        term
    }
}

impl Inner {
    fn add(&mut self, terms: &mut Terms, id: Id, value: bool) {
        let node = terms.node(id).clone();
        match node {
            Node::Bool(known) if known != value => self.contradictory = true,
            Node::Not(a) => self.add(terms, a, !value),
            _ if self.truth.insert(id, value) == Some(!value) => self.contradictory = true,
            _ => {}
        }
    }
}
