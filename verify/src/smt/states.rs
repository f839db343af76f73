//! States at hand: the cheapest way to see that a query can be satisfied is a state that satisfies it.
//!
//! Ensures: a state is returned only if our own evaluator finds every claim as it is claimed. Nothing is ever proved here.

use super::Model;
use crate::term::Terms;
use crate::term::eval::{Evaluator, Value};
use crate::term::node::Id;

/// How many states are kept.
const STATES_MAX: usize = 16;

/// States that satisfied queries, the last one first, and drawn ones at the beginning. The next query has mostly the same
/// facts and some more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct States {
    models: Vec<Model>,
}

impl Default for States {
    fn default() -> States {
        States { models: (0..STATES_MAX as u64).map(|seed| Model { seed, ..Model::default() }).collect() }
    }
}

impl States {
    /// A state that satisfies the claims: terms, and whether they hold.
    pub(super) fn satisfying(&mut self, terms: &Terms, claims: &[(Id, bool)]) -> Option<Model> {
        let at = self.models.iter().position(|model| satisfies(terms, claims, model))?;
        self.models[..=at].rotate_right(1);
        self.models.first().cloned()
    }

    /// Whether two terms have different values in one of the states.
    pub(super) fn tell_apart(&self, terms: &Terms, a: Id, b: Id) -> bool {
        self.models.iter().any(|model| {
            let mut evaluator = Evaluator::new(terms.arena(), model);
            match (evaluator.value(a), evaluator.value(b)) {
                (Value::Mem(a), Value::Mem(b)) => !evaluator.same_memory(&a, &b),
                (a, b) => a != b,
            }
        })
    }

    /// Keeps a state for the next queries, in the place of the one that was of use the longest ago.
    pub(super) fn keep(&mut self, model: Model) {
        self.models.truncate(STATES_MAX - 1);
        self.models.insert(0, model);
    }
}

/// Whether a state satisfies the claims.
pub(super) fn satisfies(terms: &Terms, claims: &[(Id, bool)], model: &Model) -> bool {
    let mut evaluator = Evaluator::new(terms.arena(), model);
    claims.iter().all(|(claim, value)| evaluator.bool(*claim) == *value)
}
