//! Building normal terms: the loop that applies rules, and what it knows meanwhile.
//!
//! Ensures: [`Terms::build`] returns a term equal to the node it is given, in every state in which
//! the active facts hold. A cache entry made without facts is never used under others and no entry
//! is made under facts, so nothing leaks between two sets of facts.

use std::collections::HashMap;

use super::facts::Facts;
use super::node::{Bounds, Id, Linear, Node};
use super::range::{self, Range};
use super::{Terms, rules};

/// Nested applications of rules after which a node is kept as it is.
const DEPTH_MAX: u32 = 48;
/// Applications of rules for one operator of a semantics after which nodes are kept as they are.
const STEPS_MAX: u32 = 20_000;

/// What building remembers.
#[derive(Debug, Default)]
pub struct State {
    /// The range of each term without facts.
    ranges: Vec<Option<Range>>,
    /// Results without facts; only looked up.
    built: HashMap<Node, Id>,
    depth: u32,
    steps: u32,
    /// The facts that hold where the term under construction is used.
    facts: Option<Facts>,
    /// Each application of a rule: its name, the left side and the right side.
    #[cfg(test)]
    pub(super) log: Option<Vec<(&'static str, Node, Id)>>,
}

impl Terms {
    /// The normal form of a node whose operands are in normal form.
    pub(super) fn build(&mut self, node: Node) -> Id {
        let cached = self.normal.facts.is_none();
        if cached && let Some(&id) = self.normal.built.get(&node) {
            return id;
        }
        if self.normal.depth == 0 {
            self.normal.steps = 0;
        }
        if self.normal.depth > DEPTH_MAX || self.normal.steps > STEPS_MAX {
            return self.keep(node);
        }
        self.normal.depth += 1;
        self.normal.steps += 1;
        let id = match rules::apply(self, &node) {
            Some(id) => id,
            None => self.keep(node.clone()),
        };
        let id = self.under_facts(id);
        self.normal.depth -= 1;
        if cached {
            self.normal.built.insert(node, id);
        }
        id
    }

    /// Adds a node that no rule changes.
    pub(super) fn keep(&mut self, node: Node) -> Id {
        let id = self.arena.intern(node);
        let ranges = &mut self.normal.ranges;
        if ranges.len() <= id.index() {
            ranges.resize(id.index() + 1, None);
        }
        if ranges[id.index()].is_none() {
            let bounds = self.bounds(id);
            let known = &self.normal.ranges;
            let range = range::of_node(self.arena.node(id), bounds, |child| known[child.index()].unwrap_or(Range::ALL));
            let range = match range::remainder_divisor(&self.arena, id) {
                Some(divisor) => range.meet(Range::between(0, divisor - 1)),
                None => range,
            };
            self.normal.ranges[id.index()] = Some(range);
        }
        id
    }

    /// The bounds of a symbol or of a function; for any other term, all.
    pub(super) fn bounds(&self, id: Id) -> Bounds {
        match self.arena.node(id) {
            Node::Symbol(symbol) => self.arena.symbol(*symbol).bounds,
            Node::Apply(function, _) => Bounds { high: self.arena.function_max(*function), ..Bounds::ALL },
            _ => Bounds::ALL,
        }
    }

    /// The range of a normal term without any facts.
    pub(super) fn range_without_facts(&self, id: Id) -> Range {
        self.normal.ranges.get(id.index()).copied().flatten().unwrap_or(Range::ALL)
    }

    /// The range of any normal term in every state.
    pub fn range_of_any(&self, id: Id) -> Range {
        self.range_without_facts(id)
    }

    /// The range of a normal term under the facts that are active.
    pub(super) fn range(&self, id: Id) -> Range {
        match &self.normal.facts {
            None => self.range_without_facts(id),
            Some(facts) => facts.range(self, id),
        }
    }

    /// Makes facts active, or none, and returns those that were.
    pub(super) fn set_facts(&mut self, facts: Option<Facts>) -> Option<Facts> {
        std::mem::replace(&mut self.normal.facts, facts)
    }

    /// The facts that are active.
    pub(super) fn active_facts(&self) -> Option<&Facts> {
        self.normal.facts.as_ref()
    }

    /// A normal word as a sum.
    pub fn linear(&self, id: Id) -> Linear {
        match self.node(id) {
            Node::Linear(sum) => sum.clone(),
            Node::Const(value) => Linear { monomials: [].into(), constant: *value },
            _ => Linear { monomials: [(id, 1)].into(), constant: 0 },
        }
    }

    /// The constant that a normal word is.
    pub(super) fn constant(&self, id: Id) -> Option<u32> {
        match self.node(id) {
            Node::Const(value) => Some(*value),
            _ => None,
        }
    }

    /// A constant word.
    pub(super) fn word(&mut self, value: u32) -> Id {
        self.keep(Node::Const(value))
    }

    /// A truth constant.
    pub(super) fn truth(&mut self, value: bool) -> Id {
        self.keep(Node::Bool(value))
    }
}
