//! The rewrite rules, each an equation, and the order in which they are tried.
//!
//! Requires: operands of the node given are in normal form.
//! Ensures: the result of a rule is equal to the node in every state in which the active facts hold.
//!
//! Normal form, in short. A word is a sum of multiples of atoms ([`Node::Linear`]); `!x` is
//! `-x - 1`, a shift left by a constant is a multiple, an `or` of disjoint bits is a sum. A mask
//! with low zeros is a multiple of a shifted mask. `ite(c, k + d, k)` is `k + d * ite(c, 1, 0)`.
//! Truth is `and` and `not` of comparisons; a comparison with a constant has it on the right;
//! 64-bit comparisons are carries of the high halves. 64-bit words are pairs of words.

use super::Terms;
use super::node::{Id, Node};
use crate::domain::Bin32;

mod bits;
mod choice;
mod compare;
mod function;
mod linear;
mod make;
mod memory;
mod shift;
mod truth;
mod unary;
mod wide;

pub(super) use make::inverse;

/// One equation, read from left to right.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The name of the function that holds it.
    pub name: &'static str,
    /// Gives the right side if the node has the shape of the left.
    pub(super) apply: fn(&mut Terms, &Node) -> Option<Id>,
}

/// A table of rules from the names of their functions.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        &[$($crate::term::rules::Rule { name: stringify!($name), apply: $name }),*]
    };
}
use rules;

/// Every rule, by kind of node and by the order of trial.
pub const RULES: &[&[Rule]] = &[
    linear::SUMS,
    linear::PRODUCTS,
    linear::SUM_RULES,
    linear::PRODUCT_RULES,
    bits::OPERATORS,
    bits::AND_OR_XOR,
    shift::SHIFTS,
    shift::DIVISIONS,
    unary::UNARY,
    compare::COMPARISONS,
    compare::CARRIES,
    truth::CONNECTIVES,
    choice::CHOICES,
    function::POINTS,
    wide::WIDE,
    memory::MEMORY,
];

/// The rules that can apply to a node.
fn candidates(node: &Node) -> &'static [Rule] {
    match node {
        Node::Symbol(_) | Node::Bool(_) | Node::Const(_) | Node::Join(..) => &[],
        Node::Apply(..) => function::POINTS,
        Node::Ite(..) => choice::CHOICES,
        Node::Not(_) | Node::And(_) | Node::Or(..) => truth::CONNECTIVES,
        Node::Cmp32(..) => compare::COMPARISONS,
        Node::Carry(..) => compare::CARRIES,
        Node::Un32(..) => unary::UNARY,
        Node::Bin32(Bin32::Add | Bin32::Sub, ..) => linear::SUMS,
        Node::Bin32(Bin32::Mul | Bin32::MulHighU | Bin32::MulHighS, ..) => linear::PRODUCTS,
        Node::Bin32(Bin32::DivU | Bin32::DivS, ..) => shift::DIVISIONS,
        Node::Bin32(Bin32::And | Bin32::Or | Bin32::Xor, ..) => bits::OPERATORS,
        Node::Bin32(Bin32::Shl | Bin32::ShrU | Bin32::ShrS | Bin32::RotR, ..) => shift::SHIFTS,
        Node::Linear(_) => linear::SUM_RULES,
        Node::Product(_) => linear::PRODUCT_RULES,
        Node::Bits(_) => bits::AND_OR_XOR,
        Node::High(_) | Node::Low(_) | Node::Const64(_) | Node::Un64(..) | Node::Bin64(..) | Node::Cmp64(..) => {
            wide::WIDE
        }
        Node::Load(..) | Node::Store(..) | Node::Writes(_) | Node::SameMem(..) => memory::MEMORY,
    }
}

/// The result of the first rule that applies.
pub(super) fn apply(terms: &mut Terms, node: &Node) -> Option<Id> {
    for rule in candidates(node) {
        if let Some(id) = (rule.apply)(terms, node) {
            #[cfg(test)]
            if let Some(log) = &mut terms.normal.log {
                log.push((rule.name, node.clone(), id));
            }
            return Some(id);
        }
    }
    None
}

#[cfg(test)]
mod idioms;
#[cfg(test)]
pub(crate) mod tests;
