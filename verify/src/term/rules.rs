//! The rewrite rules, each an equation, and the order in which they are tried.

use super::Terms;
use super::node::{Id, Node};

/// One equation, read from left to right.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Gives the right side if the node, whose operands are in normal form, has the shape of the left.
    pub(super) apply: fn(&mut Terms, &Node) -> Option<Id>,
}

/// Every rule, by the order of trial.
pub const RULES: &[Rule] = &[];

/// The result of the first rule that applies.
pub(super) fn apply(terms: &mut Terms, node: &Node) -> Option<Id> {
    RULES.iter().find_map(|rule| (rule.apply)(terms, node))
}
