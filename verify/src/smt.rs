//! The solvers: queries about raw terms, with a budget counted in steps of the solver.
//!
//! Ensures: [`Proof::Valid`] only if all solvers asked answered `unsat` for the facts and the negated goal, or for
//! a weaker set of assumptions: some facts left out, products and quotients replaced by unknown
//! functions, subterms that both sides share by unknowns. A model is evaluated on the raw terms before it is returned as a
//! counterexample. An operator on floats is an unknown function to z3, whose values it is told where a model
//! has others.
//! A query that is satisfied by a state at hand, drawn or found for an earlier query, is not put to any solver.
//! No term is read back from z3 by its kind; only `unsat` and values of words are used. States come from z3 alone.
//! Two solvers that contradict each other are a fault, after which nothing is answered.

use std::collections::BTreeSet;

use z3::{Params, SatResult, Solver, ast};

use crate::domain::Bin32;
use crate::term::eval::Assignment;
use crate::term::node::{Id, Node, Symbol, children};
use crate::term::{Facts, TermBool, Terms};

pub mod solvers;
mod states;
mod text;
mod translate;

use solvers::{Fault, Outside, Solvers};
use states::States;
use translate::{Abstraction, Translation};

/// A state in which the facts hold and the goal does not.
pub type Model = Assignment;

/// The solver's verdict on a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The goal holds in every state that satisfies the facts.
    Valid,
    /// A state in which it does not.
    Counter(Model),
    /// The budget was used up, or the model could not be replayed.
    Unknown(String),
}

/// How many of its steps (`rlimit`) z3 may take for one query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// With products and quotients as unknown functions.
    pub uninterpreted: u32,
    /// With products and quotients of bits.
    pub exact: u32,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { uninterpreted: 3_000_000, exact: 3_000_000 }
    }
}

/// The solver with its budget and its counters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smt {
    /// Limits for one query.
    pub budget: Budget,
    /// Steps that all queries together may still take; without one, none is answered.
    pub left: u64,
    /// Queries asked.
    pub queries: u64,
    /// Steps that z3 took in all queries.
    pub steps: u64,
    /// Who must agree.
    pub solvers: Solvers,
    /// Those of them that are programs.
    pub outside: Vec<Outside>,
    /// What went wrong with a solver; nothing is answered any more.
    pub fault: Option<Fault>,
    /// The queries that no state satisfies, in the SMT-LIB language, if they are to be kept.
    pub journal: Option<Vec<String>>,
    /// What is tried before a solver is.
    pub states: States,
}

impl Default for Smt {
    fn default() -> Smt {
        Smt {
            budget: Budget::default(),
            left: u64::MAX,
            queries: 0,
            steps: 0,
            solvers: Solvers::default(),
            outside: Vec::new(),
            fault: None,
            journal: None,
            states: States::default(),
        }
    }
}

/// What a query takes at least, as its terms are translated.
const QUERY_STEPS: u64 = 1000;

/// How often a query is asked again with values of operators on floats that a model got wrong.
const REFINEMENTS_MAX: u32 = 8;

/// One query and what came of it.
enum Answer {
    Unsat,
    Sat(Model),
    Unknown(String),
}

impl Smt {
    /// A solver with the default budget.
    pub fn new() -> Smt {
        Smt::default()
    }

    /// Whether the goal holds in every state that satisfies the facts.
    pub fn prove(&mut self, terms: &Terms, facts: &Facts, goal: TermBool) -> Proof {
        let all = facts.literals();
        if let Some(model) = self.states.satisfying(terms, &query_claims(all, goal)) {
            return Proof::Counter(model);
        }
        let near = cone(terms, all, goal);
        let answer = self.ask(terms, &near, goal, Abstraction::Uninterpreted);
        if matches!(answer, Answer::Unsat) {
            return Proof::Valid;
        }
        if near.len() < all.len()
            && matches!(answer, Answer::Sat(_))
            && matches!(self.ask(terms, all, goal, Abstraction::Uninterpreted), Answer::Unsat)
        {
            return Proof::Valid;
        }
        match self.ask(terms, all, goal, Abstraction::Exact) {
            Answer::Unsat => Proof::Valid,
            Answer::Unknown(reason) => Proof::Unknown(reason),
            Answer::Sat(model) if states::satisfies(terms, &query_claims(all, goal), &model) => Proof::Counter(model),
            Answer::Sat(_) => Proof::Unknown("the solver's model does not replay".into()),
        }
    }

    /// Whether two normal terms are equal whatever the subterms are that both contain; `false` also
    /// when the budget does not suffice.
    pub fn equal_but_for_shared(&mut self, terms: &Terms, a: Id, b: Id) -> bool {
        if self.states.tell_apart(terms, a, b) {
            return false;
        }
        let mut translation = Translation::with_opaque(terms, shared(terms, a, &[b]));
        let different = translation.different(a, b);
        self.contradict(translation, &[different])
    }

    /// Whether the facts contradict each other, or the goal's negation if there is a goal, whatever
    /// the subterms are that the goal, else the last fact, has in common with the other facts;
    /// `false` also when the budget does not suffice.
    pub fn refutes_but_for_shared(&mut self, terms: &Terms, facts: &Facts, goal: Option<TermBool>) -> bool {
        let claims = claims(facts, goal);
        let Some(((last, _), others)) = claims.split_last() else { return false };
        let others: Vec<Id> = others.iter().map(|(other, _)| *other).collect();
        self.refutes(terms, &claims, shared(terms, *last, &others))
    }

    /// Whether the facts contradict each other, or the goal's negation if there is a goal, whatever products,
    /// quotients and functions give; `false` also when the budget does not suffice.
    pub fn refutes_but_for_costly(&mut self, terms: &Terms, facts: &Facts, goal: Option<TermBool>) -> bool {
        let claims = claims(facts, goal);
        let costly = costly(terms, claims.iter().map(|(claim, _)| *claim).collect());
        self.refutes(terms, &claims, costly)
    }

    /// Whether no state satisfies the claims, whatever the opaque terms are.
    fn refutes(&mut self, terms: &Terms, claims: &[(Id, bool)], opaque: BTreeSet<Id>) -> bool {
        if self.states.satisfying(terms, claims).is_some() {
            return false;
        }
        let mut translation = Translation::with_opaque(terms, opaque);
        let claims: Vec<ast::Bool> = claims
            .iter()
            .map(|(claim, value)| match value {
                true => translation.bool(*claim),
                false => translation.bool(*claim).not(),
            })
            .collect();
        self.contradict(translation, &claims)
    }

    /// Whether the solvers find that no state satisfies the claims.
    fn contradict(&mut self, mut translation: Translation<'_>, claims: &[ast::Bool]) -> bool {
        let solver = Solver::new_for_logic("QF_AUFBV").unwrap_or_default();
        for claim in claims {
            solver.assert(claim);
        }
        for known in translation.known() {
            solver.assert(known);
        }
        self.limited(&solver, self.budget.uninterpreted) == SatResult::Unsat
    }

    /// Asks the solvers, with so many steps for z3, or those that are left.
    fn limited(&mut self, solver: &Solver, steps: u32) -> SatResult {
        let steps = u32::try_from(self.left).map_or(steps, |left| left.min(steps));
        // A limit of 0 would be none.
        if steps == 0 || self.fault.is_some() {
            return SatResult::Unknown;
        }
        let mut params = Params::new();
        params.set_u32("rlimit", steps);
        solver.set_params(&params);
        let before = steps_so_far(solver);
        self.queries += 1;
        let result = solver.check();
        let taken = steps_so_far(solver).saturating_sub(before);
        self.steps += taken;
        self.left = self.left.saturating_sub(taken.max(QUERY_STEPS));
        match self.agreed(solver, result) {
            Ok(result) => result,
            Err(fault) => {
                self.fault = Some(fault);
                SatResult::Unknown
            }
        }
    }

    /// What the solvers that must agree say, given what z3 says.
    fn agreed(&mut self, solver: &Solver, of_z3: SatResult) -> Result<SatResult, Fault> {
        if self.outside.is_empty() && !(self.journal.is_some() && of_z3 == SatResult::Unsat) {
            return Ok(of_z3);
        }
        let query = text::of(solver);
        let mut answers = vec![("z3", of_z3)];
        for outside in &self.outside {
            answers.push((outside.name, outside.ask(&query)?));
        }
        let said = |what| answers.iter().find(|(_, answer)| *answer == what);
        if let (Some((one, _)), Some((other, _))) = (said(SatResult::Sat), said(SatResult::Unsat)) {
            let words =
                format!("{one} finds a state that satisfies a query, {other} finds that there is none:\n{query}");
            return Err(Fault::Failed(words));
        }
        let must = if self.solvers.z3 { &answers[..] } else { &answers[1..] };
        Ok(match of_z3 {
            SatResult::Sat => SatResult::Sat,
            _ if must.iter().all(|(_, answer)| *answer == SatResult::Unsat) => {
                self.journal.iter_mut().for_each(|journal| journal.push(query.clone()));
                SatResult::Unsat
            }
            SatResult::Unsat | SatResult::Unknown => SatResult::Unknown,
        })
    }

    /// Whether the goal follows from the facts with products and quotients as unknown functions;
    /// `false` also when the budget does not suffice.
    pub fn entails(&mut self, terms: &Terms, facts: &Facts, goal: TermBool) -> bool {
        if self.states.satisfying(terms, &query_claims(facts.literals(), goal)).is_some() {
            return false;
        }
        let answer = self.ask(terms, facts.literals(), goal, Abstraction::Uninterpreted);
        matches!(answer, Answer::Unsat)
    }

    fn ask(&mut self, terms: &Terms, facts: &[(TermBool, bool)], goal: TermBool, how: Abstraction) -> Answer {
        let (solver, translation) = query(terms, facts, goal, how);
        let limit = match how {
            Abstraction::Uninterpreted => self.budget.uninterpreted,
            Abstraction::Exact => self.budget.exact,
        };
        for _ in 0..=REFINEMENTS_MAX {
            match self.limited(&solver, limit) {
                SatResult::Unsat => return Answer::Unsat,
                SatResult::Unknown => {
                    let reason = solver.get_reason_unknown().unwrap_or_default();
                    return Answer::Unknown(format!("{} gave up within {limit} steps: {reason}", self.solvers));
                }
                SatResult::Sat => {}
            }
            let Some(model) = solver.get_model() else { return Answer::Unknown("no model".into()) };
            let violated = translation.violated(&model);
            if violated.is_empty() {
                let model = translation.assignment(&model);
                self.states.keep(model.clone());
                return Answer::Sat(model);
            }
            for value in violated {
                solver.assert(value);
            }
        }
        Answer::Unknown("operators on floats have other values than in every model found".into())
    }
}

/// The facts and the negation of the goal, as they stand: which, and whether it holds.
fn query_claims(facts: &[(TermBool, bool)], goal: TermBool) -> Vec<(Id, bool)> {
    let facts = facts.iter().map(|(fact, value)| (fact.raw, *value));
    facts.chain([(goal.raw, false)]).collect()
}

/// The facts and the negation of the goal, in normal form: which, and whether it holds.
fn claims(facts: &Facts, goal: Option<TermBool>) -> Vec<(Id, bool)> {
    let facts = facts.literals().iter().map(|(fact, value)| (fact.norm, *value));
    facts.chain(goal.map(|goal| (goal.norm, false))).collect()
}

/// The solver with the facts and the negated goal asserted.
fn query<'a>(
    terms: &'a Terms,
    facts: &[(TermBool, bool)],
    goal: TermBool,
    how: Abstraction,
) -> (Solver, Translation<'a>) {
    let solver = Solver::new_for_logic("QF_AUFBV").unwrap_or_default();
    let mut translation = Translation::new(terms, how);
    for (condition, value) in facts {
        let condition = translation.bool(condition.raw);
        solver.assert(if *value { condition } else { condition.not() });
    }
    let negated: ast::Bool = translation.negated_goal(goal.raw);
    solver.assert(negated);
    for known in translation.known() {
        solver.assert(known);
    }
    (solver, translation)
}

/// The largest subterms of `a` that are subterms of the others too, symbols and constants left out.
fn shared(terms: &Terms, a: Id, others: &[Id]) -> BTreeSet<Id> {
    let mut of_others = BTreeSet::new();
    let mut work = others.to_vec();
    while let Some(id) = work.pop() {
        if of_others.insert(id) {
            work.extend(children(terms.node(id)));
        }
    }
    let (mut shared, mut seen) = (BTreeSet::new(), BTreeSet::new());
    work.push(a);
    while let Some(id) = work.pop() {
        let operands = children(terms.node(id));
        if !seen.insert(id) || operands.is_empty() {
            continue;
        }
        match of_others.contains(&id) {
            true => _ = shared.insert(id),
            false => work.extend(operands),
        }
    }
    shared
}

/// The subterms of these that take the solver many steps: products, quotients, functions.
fn costly(terms: &Terms, mut work: Vec<Id>) -> BTreeSet<Id> {
    let (mut costly, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while let Some(id) = work.pop() {
        if !seen.insert(id) {
            continue;
        }
        match terms.node(id) {
            Node::Apply(..) | Node::Product(_) => _ = costly.insert(id),
            Node::Bin32(Bin32::Mul | Bin32::MulHighU | Bin32::MulHighS | Bin32::DivU | Bin32::DivS, a, b)
                if ![a, b].iter().any(|operand| matches!(terms.node(**operand), Node::Const(_))) =>
            {
                costly.insert(id);
            }
            node => work.extend(children(node)),
        }
    }
    costly
}

/// z3's count of steps in this context.
fn steps_so_far(solver: &Solver) -> u64 {
    match solver.get_statistics().value("rlimit count") {
        Some(z3::StatisticsValue::UInt(count)) => u64::from(count),
        Some(z3::StatisticsValue::Double(count)) => count as u64,
        None => 0,
    }
}

/// The facts that share symbols with the goal, directly or through other such facts.
fn cone(terms: &Terms, facts: &[(TermBool, bool)], goal: TermBool) -> Vec<(TermBool, bool)> {
    let mut reached = symbols(terms, goal.raw);
    let of_facts: Vec<BTreeSet<Symbol>> = facts.iter().map(|(fact, _)| symbols(terms, fact.raw)).collect();
    let mut taken = vec![false; facts.len()];
    loop {
        let mut grew = false;
        for (at, own) in of_facts.iter().enumerate() {
            if !taken[at] && !own.is_disjoint(&reached) {
                taken[at] = true;
                grew = true;
                reached.extend(own);
            }
        }
        if !grew {
            break;
        }
    }
    facts.iter().zip(taken).filter(|(_, taken)| *taken).map(|(fact, _)| *fact).collect()
}

/// The unknowns of a term.
fn symbols(terms: &Terms, id: Id) -> BTreeSet<Symbol> {
    let mut seen = BTreeSet::from([id]);
    let mut found = BTreeSet::new();
    let mut work = vec![id];
    while let Some(id) = work.pop() {
        if let Node::Symbol(symbol) = terms.node(id) {
            found.insert(*symbol);
        }
        work.extend(children(terms.node(id)).into_iter().filter(|child| seen.insert(*child)));
    }
    found
}

#[cfg(test)]
mod tests;
