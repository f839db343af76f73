//! Proving goals: by identity, by normal form, under facts, and last by the solver.
//!
//! Ensures: [`Outcome::Closed`] only if the goal holds in every state that satisfies the facts.

use super::facts::Facts;
use super::node::Id;
use super::{Term32, Term64, TermBool, TermMem, Terms};
use crate::domain::{Cmp, Domain};
use crate::smt::{Model, Proof, Smt};

/// What closed a goal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum By {
    /// The raw terms are the same.
    Identity,
    /// The normal terms are the same.
    Rules,
    /// The normal terms are the same under the facts.
    Facts,
    /// The solver found no state in which they differ.
    Solver,
}

/// Why a goal is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Open {
    /// A state that satisfies the facts and not the goal; it may be unreachable.
    Counter(Model),
    /// The solver's budget was used up, or it gave up.
    Unknown(String),
}

/// The verdict on a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Proved.
    Closed(By),
    /// Not proved.
    Open(Open),
}

impl Outcome {
    /// Whether the goal is proved.
    pub fn is_closed(&self) -> bool {
        matches!(self, Outcome::Closed(_))
    }
}

/// How many goals were closed by what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Closed because the raw terms are the same.
    pub identity: u64,
    /// Closed by rewrite rules.
    pub rules: u64,
    /// Closed by rules under facts.
    pub facts: u64,
    /// Closed by the solver.
    pub solver: u64,
    /// Left open.
    pub open: u64,
}

impl Counts {
    /// Goals asked.
    pub fn total(&self) -> u64 {
        self.identity + self.rules + self.facts + self.solver + self.open
    }

    /// Adds the goals of another run.
    pub fn add(&mut self, other: &Counts) {
        self.identity += other.identity;
        self.rules += other.rules;
        self.facts += other.facts;
        self.solver += other.solver;
        self.open += other.open;
    }
}

/// Proves goals and counts them.
#[derive(Debug)]
pub struct Prover {
    /// Whether normal forms may close goals and decide conditions; without them identity and the solver alone do, on
    /// raw terms.
    pub rules: bool,
    /// The solver, with its budget and its counters.
    pub smt: Smt,
    /// Goals so far.
    pub counts: Counts,
}

impl Default for Prover {
    fn default() -> Prover {
        Prover { rules: true, smt: Smt::default(), counts: Counts::default() }
    }
}

impl Prover {
    /// A prover with the solver's default budget.
    pub fn new() -> Prover {
        Prover::default()
    }

    /// Whether the facts decide the condition, as far as rules tell. Where rules may close nothing the solver must
    /// say so too.
    pub fn known(&mut self, terms: &mut Terms, facts: &Facts, condition: TermBool) -> Option<bool> {
        let known = facts.decide(terms, condition)?;
        let holds = if known { condition } else { terms.not(&condition) };
        (self.rules || self.smt.entails(terms, facts, holds)).then_some(known)
    }

    /// What shows that no state satisfies the facts.
    pub fn contradiction(&mut self, terms: &mut Terms, facts: &Facts) -> Option<By> {
        if self.rules && facts.is_contradictory() {
            return Some(By::Facts);
        }
        let never = terms.bool(false);
        match self.holds(terms, facts, never) {
            Outcome::Closed(by) => Some(by),
            Outcome::Open(_) => None,
        }
    }

    /// The number of the last query that no state satisfies, if they are kept.
    pub fn last_query(&self) -> Option<u32> {
        self.smt.journal.as_ref()?.len().checked_sub(1).map(|last| last as u32)
    }

    /// Whether two words are equal in every state that satisfies the facts.
    pub fn equal32(&mut self, terms: &mut Terms, facts: &Facts, a: Term32, b: Term32) -> Outcome {
        let goal = terms.cmp32(Cmp::Eq, &a, &b);
        self.equal(terms, facts, ((a.raw, a.norm), (b.raw, b.norm)), goal)
    }

    /// Whether two 64-bit words are equal in every state that satisfies the facts.
    pub fn equal64(&mut self, terms: &mut Terms, facts: &Facts, a: Term64, b: Term64) -> Outcome {
        let goal = terms.cmp64(Cmp::Eq, &a, &b);
        self.equal(terms, facts, ((a.raw, a.norm), (b.raw, b.norm)), goal)
    }

    /// Whether two memories are equal in every state that satisfies the facts.
    pub fn equal_mem(&mut self, terms: &mut Terms, facts: &Facts, a: TermMem, b: TermMem) -> Outcome {
        let goal = terms.same_mem(&a, &b);
        self.equal(terms, facts, ((a.raw, a.norm), (b.raw, b.norm)), goal)
    }

    /// Whether two truth values are equal in every state that satisfies the facts.
    pub fn equal_bool(&mut self, terms: &mut Terms, facts: &Facts, a: TermBool, b: TermBool) -> Outcome {
        let not_b = terms.not(&b);
        let goal = terms.ite_bool(&a, &b, &not_b);
        self.equal(terms, facts, ((a.raw, a.norm), (b.raw, b.norm)), goal)
    }

    /// Whether a condition holds in every state that satisfies the facts.
    pub fn holds(&mut self, terms: &mut Terms, facts: &Facts, goal: TermBool) -> Outcome {
        let truth = terms.bool(true);
        self.equal(terms, facts, ((goal.raw, goal.norm), (truth.raw, truth.norm)), goal)
    }

    /// Whether the facts decide the condition; the solver is asked if nothing else helps, with
    /// products and quotients as unknown functions only.
    ///
    /// `None` also when the solver does not know.
    pub fn decide(&mut self, terms: &mut Terms, facts: &Facts, condition: TermBool) -> Option<bool> {
        if let Some(known) = self.known(terms, facts, condition) {
            return Some(known);
        }
        let negation = terms.not(&condition);
        for (holds, goal) in [(true, condition), (false, negation)] {
            if self.rules && self.smt.refutes_but_for_shared(terms, facts, Some(goal)) {
                return Some(holds);
            }
        }
        if self.smt.entails(terms, facts, condition) {
            return Some(true);
        }
        self.smt.entails(terms, facts, negation).then_some(false)
    }

    /// Sides are pairs of a raw and a normal term; the goal says that they are equal.
    fn equal(&mut self, terms: &mut Terms, facts: &Facts, (a, b): (Side, Side), goal: TermBool) -> Outcome {
        let by = match self.rules {
            true => closed_without_solver(terms, facts, (a, b), goal),
            false => (a.0 == b.0).then_some(By::Identity),
        };
        if let Some(by) = by {
            *match by {
                By::Identity => &mut self.counts.identity,
                By::Rules => &mut self.counts.rules,
                By::Facts => &mut self.counts.facts,
                By::Solver => &mut self.counts.solver,
            } += 1;
            return Outcome::Closed(by);
        }
        let closed = match terms.as_bool(goal) {
            _ if !self.rules => false,
            Some(_) => {
                self.smt.refutes_but_for_shared(terms, facts, None)
                    || self.smt.refutes_but_for_costly(terms, facts, None)
            }
            None => {
                let (left, right) = (facts.simplified(terms, a.1), facts.simplified(terms, b.1));
                self.smt.equal_but_for_shared(terms, left, right)
            }
        };
        if closed {
            self.counts.solver += 1;
            return Outcome::Closed(By::Solver);
        }
        let open = match self.smt.prove(terms, facts, goal) {
            Proof::Valid => {
                self.counts.solver += 1;
                return Outcome::Closed(By::Solver);
            }
            Proof::Counter(model) => Open::Counter(model),
            Proof::Unknown(reason) => Open::Unknown(reason),
        };
        self.counts.open += 1;
        Outcome::Open(open)
    }
}

/// A raw and a normal term.
type Side = (Id, Id);

fn closed_without_solver(terms: &mut Terms, facts: &Facts, (a, b): (Side, Side), goal: TermBool) -> Option<By> {
    if a.0 == b.0 {
        return Some(By::Identity);
    }
    if a.1 == b.1 || terms.as_bool(goal) == Some(true) {
        return Some(By::Rules);
    }
    let same = facts.simplified(terms, a.1) == facts.simplified(terms, b.1);
    (same || facts.is_contradictory() || facts.decide(terms, goal) == Some(true)).then_some(By::Facts)
}
