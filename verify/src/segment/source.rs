//! The Wasm side of a segment: from one place to the next, along every way the facts leave open.

use std::collections::{BTreeMap, BTreeSet};

use crate::hints::{FunctionHints, Shown};
use crate::term::Term32;
use crate::term::facts::Facts;
use crate::term::node::Width as TermWidth;
use crate::trap::Trap;
use crate::wasm::control::{Target, Then};
use crate::wasm::module::{Function, Module};
use crate::wasm::op::Op;
use crate::wasm::sem::{self, Activation, Event, Width, World};

use super::symbolic::{Side, SourceWorld, Stop, Symbolic, TermValue};

/// Steps that one run of the source may take, all forks together, beside those for each operator.
const STEPS_MAX: u32 = 200_000;

/// Steps that all runs of the source of one function may take, beside some for each operator.
const ALL_STEPS_MAX: u64 = 8_000_000;

/// Steps of all runs of the source for each operator of the function.
const ALL_STEPS_PER_OPERATOR: u64 = 1_000;

/// Steps of one way for each operator of the function. A machine path between two cuts comes to no
/// instruction twice; a way that goes round and round meets no path.
const ROUNDS_MAX: u32 = 8;

/// Ways that one run of the source may take, beside one for each operator: a table has many entries.
const FORKS_MAX: usize = 256;

/// The source's state between two events.
#[derive(Clone)]
pub struct SourceState {
    /// Memory and globals.
    pub world: SourceWorld,
    /// The running function.
    pub activation: Activation<Symbolic>,
    /// What it showed since the cut, last.
    pub shown: BTreeMap<Shown, TermValue>,
    /// Steps since the cut.
    pub steps: u32,
}

/// The places where the run shows values that the hints speak of, by Wasm offset.
#[derive(Default)]
pub struct Watched {
    at: BTreeMap<u32, BTreeSet<Shown>>,
}

impl Watched {
    /// All places that the cuts of a function name.
    pub fn of(hints: &FunctionHints) -> Watched {
        let mut watched = Watched::default();
        for unknown in hints.cuts.iter().flat_map(|cut| &cut.unknowns) {
            match unknown.shown {
                Shown::Nowhere => {}
                Shown::Result(at, _) | Shown::Local(at, _) | Shown::Stack(at, _) => {
                    watched.at.entry(at).or_default().insert(unknown.shown);
                }
            }
        }
        watched
    }

    /// Notes what is shown before the operator at an offset runs.
    fn before(&self, offset: u32, state: &mut SourceState) {
        for &shown in self.at.get(&offset).into_iter().flatten() {
            let value = match shown {
                Shown::Local(_, index) => state.activation.locals.get(index as usize),
                Shown::Stack(_, slot) => state.activation.stack.get(slot as usize),
                Shown::Nowhere | Shown::Result(..) => None,
            };
            if let Some(value) = value.cloned() {
                state.shown.insert(shown, value);
            }
        }
    }

    /// Notes the results of the operator at an offset.
    pub fn behind(&self, offset: u32, state: &mut SourceState) {
        for &shown in self.at.get(&offset).into_iter().flatten() {
            let value = match shown {
                Shown::Result(_, above) => state.activation.stack.iter().rev().nth(above as usize),
                Shown::Nowhere | Shown::Local(..) | Shown::Stack(..) => None,
            };
            if let Some(value) = value.cloned() {
                state.shown.insert(shown, value);
            }
        }
    }
}

/// What the source did at the end of a run.
#[derive(Clone)]
pub enum SourceEvent {
    /// It stands at the place asked for.
    Arrived,
    /// A direct call of this function.
    Call {
        /// What comes behind it.
        then: Then,
        /// Its index.
        function: u32,
        /// What it is given.
        arguments: Vec<TermValue>,
        /// The call's Wasm offset.
        offset: u32,
    },
    /// An indirect call, its checks passed.
    CallIndirect {
        /// What comes behind it.
        then: Then,
        /// Index of the type asked for.
        type_index: u32,
        /// The entry's code address.
        code: Term32,
        /// What it is given.
        arguments: Vec<TermValue>,
        /// The call's Wasm offset.
        offset: u32,
    },
    /// The function returns.
    Return(Vec<TermValue>),
    /// A trap.
    Trap(Trap),
}

impl SourceEvent {
    /// In words, for messages.
    pub fn words(&self) -> String {
        match self {
            SourceEvent::Arrived => "reaches the cut".to_owned(),
            SourceEvent::Call { function, offset, .. } => {
                format!("calls function {function} at wasm offset {offset:#x}")
            }
            SourceEvent::CallIndirect { offset, .. } => format!("calls indirectly at wasm offset {offset:#x}"),
            SourceEvent::Return(_) => "returns".to_owned(),
            SourceEvent::Trap(trap) => format!("traps with \"{}\"", trap.words()),
        }
    }
}

/// One way the source may go, under the facts that lead there.
pub struct Outcome {
    /// The facts of the path and of this way.
    pub facts: Facts,
    /// The state at the event.
    pub state: SourceState,
    /// The event.
    pub event: SourceEvent,
}

/// Runs the source until it arrives at `place` (a position in the body) after at least one step, or
/// calls, returns or traps. `spent` counts the steps of all runs of a function.
///
/// # Errors
/// What is not modelled, or a budget that is used up.
pub fn run_to(
    symbolic: &mut Symbolic,
    (module, function, watched): (&Module, &Function, &Watched),
    start: &SourceState,
    facts: &Facts,
    place: Option<u32>,
    spent: &mut u64,
) -> Result<Vec<Outcome>, String> {
    let all_max = ALL_STEPS_MAX + ALL_STEPS_PER_OPERATOR * function.body.len() as u64;
    let mut waiting = vec![(start.clone(), facts.clone())];
    let mut outcomes = Vec::new();
    let way_max = ROUNDS_MAX.saturating_mul(function.body.len() as u32).saturating_add(64);
    let forks_max = FORKS_MAX + function.body.len();
    let mut budget = STEPS_MAX.saturating_add(way_max);
    while let Some((mut state, facts)) = waiting.pop() {
        if waiting.len() + outcomes.len() > forks_max {
            return Err(format!("the source may go more than {forks_max} ways here"));
        }
        loop {
            if state.steps > 0 && place == Some(state.activation.position) {
                outcomes.push(Outcome { facts, state, event: SourceEvent::Arrived });
                break;
            }
            *spent += 1;
            if *spent > all_max {
                return Err("the source takes too many steps in this function".to_owned());
            }
            budget = budget.saturating_sub(1);
            if budget == 0 || state.steps > way_max {
                return Err("the source takes too many steps here".to_owned());
            }
            match step(symbolic, Side::Source, (module, function, watched), &mut state, &facts) {
                Ok(None) => {}
                Ok(Some(event)) => {
                    outcomes.push(Outcome { facts, state, event });
                    break;
                }
                Err(Stop::Fault(reason)) => return Err(reason),
                Err(Stop::Undecided(condition)) => {
                    let mut otherwise = facts.clone();
                    otherwise.assume(&mut symbolic.terms, condition, false);
                    let mut facts = facts;
                    facts.assume(&mut symbolic.terms, condition, true);
                    waiting.push((state.clone(), facts));
                    waiting.push((state, otherwise));
                    break;
                }
            }
        }
    }
    Ok(outcomes)
}

/// Runs the source as far as the facts alone lead, up to the next event or the place of a cut. What
/// follows on a path need not run it again.
///
/// Every fact of a path holds on its continuations, so the run would take the same steps there. It
/// makes no event, and the places where one may stop are those of cuts.
pub fn run_ahead(
    symbolic: &mut Symbolic,
    (module, function, watched): (&Module, &Function, &Watched),
    state: &mut SourceState,
    facts: &Facts,
    places: &BTreeSet<u32>,
) {
    // What goes round goes on at the next event, where it is refused.
    for _ in 0..function.body.len() {
        let position = state.activation.position;
        if state.steps > 0 && places.contains(&position) || may_leave(function, position) {
            return;
        }
        match step(symbolic, Side::Ahead, (module, function, watched), state, facts) {
            Ok(None) => {}
            Ok(Some(_)) => {
                state.activation.position = position;
                state.steps -= 1;
                return;
            }
            Err(_) => return,
        }
    }
}

/// Whether the operator at a position may call or return. One that traps changes nothing.
fn may_leave(function: &Function, position: u32) -> bool {
    let returns =
        |depth: u32| function.control.label(position, depth).is_none_or(|label| label.target == Target::Return);
    match function.body.get(position as usize).map(|instruction| &instruction.op) {
        None
        | Some(
            Op::Return
            | Op::Call(_)
            | Op::CallIndirect(..)
            | Op::ReturnCall(_)
            | Op::ReturnCallIndirect(..)
            | Op::BrTable(..),
        ) => true,
        Some(Op::Br(depth) | Op::BrIf(depth)) => returns(*depth),
        Some(Op::End) => position as usize + 1 == function.body.len(),
        Some(_) => false,
    }
}

fn step(
    symbolic: &mut Symbolic,
    side: Side,
    (module, function, watched): (&Module, &Function, &Watched),
    state: &mut SourceState,
    facts: &Facts,
) -> Result<Option<SourceEvent>, Stop> {
    symbolic.side = side;
    symbolic.facts = facts.clone();
    std::mem::swap(&mut symbolic.world, &mut state.world);
    let offset = function.offset(state.activation.position).unwrap_or(0);
    watched.before(offset, state);
    let event = sem::step(symbolic, module, function, &mut state.activation);
    std::mem::swap(&mut symbolic.world, &mut state.world);
    let event = event?;
    state.steps += 1;
    Ok(match event {
        Event::Next => {
            watched.behind(offset, state);
            None
        }
        Event::Call { then, offset, function, arguments } => {
            Some(SourceEvent::Call { then, function, arguments, offset })
        }
        Event::CallIndirect { then, offset, type_index, code, arguments } => {
            Some(SourceEvent::CallIndirect { then, type_index, code, arguments, offset })
        }
        Event::Return(results) => Some(SourceEvent::Return(results)),
        Event::Trap(trap, _) => Some(SourceEvent::Trap(trap)),
    })
}

fn width(of: Width) -> TermWidth {
    match of {
        Width::Byte => TermWidth::Byte,
        Width::Half => TermWidth::Half,
        Width::Word => TermWidth::Word,
    }
}

impl World for Symbolic {
    fn refuse(&mut self, reason: String) -> Stop {
        Stop::Fault(reason)
    }

    fn load(&mut self, memory: u32, at: &Term32, of: Width) -> Result<Term32, Stop> {
        Ok(self.terms.load(self.world.memories[memory as usize].contents, *at, width(of)))
    }

    fn store(&mut self, memory: u32, at: &Term32, of: Width, value: &Term32) -> Result<(), Stop> {
        let contents = &mut self.world.memories[memory as usize].contents;
        *contents = self.terms.store(*contents, *at, width(of), *value);
        Ok(())
    }

    fn memory_bytes(&mut self, memory: u32) -> Term32 {
        self.world.memories[memory as usize].length
    }

    fn set_memory_bytes(&mut self, memory: u32, bytes: &Term32) {
        self.world.memories[memory as usize].length = *bytes;
    }

    fn reserve_pages(&mut self, memory: u32) -> u32 {
        self.constants.memories[memory as usize].reserve_pages
    }

    fn global_get(&mut self, global: u32) -> TermValue {
        self.world.globals[global as usize].clone()
    }

    fn global_set(&mut self, global: u32, value: &TermValue) {
        self.world.globals[global as usize] = value.clone();
    }

    fn table_size(&mut self, table: u32) -> Term32 {
        self.world.tables[table as usize].size
    }

    fn set_table_size(&mut self, table: u32, entries: &Term32) {
        self.world.tables[table as usize].size = *entries;
    }

    fn table_reserve(&mut self, table: u32) -> u32 {
        self.constants.tables[table as usize].reserve
    }

    fn table_get(&mut self, table: u32, index: &Term32) -> Result<Term32, Stop> {
        let entries = self.world.tables[table as usize].entries;
        self.entry(table, entries, *index)
    }

    fn table_set(&mut self, table: u32, index: &Term32, reference: &Term32) -> Result<(), Stop> {
        let offset = self.entry_offset(*index);
        match &mut self.world.tables[table as usize].entries {
            Some(entries) => *entries = self.terms.store(*entries, offset, TermWidth::Word, *reference),
            None => return Err(Stop::Fault(format!("table {table} is constant"))),
        }
        Ok(())
    }

    fn function_reference(&mut self, function: u32) -> Result<Term32, Stop> {
        self.reference_to(function)
    }

    fn reference_type(&mut self, reference: &Term32) -> Result<Term32, Stop> {
        Ok(self.described(self.constants.functions.type_id, *reference))
    }

    fn reference_code(&mut self, reference: &Term32) -> Result<Term32, Stop> {
        Ok(self.described(self.constants.functions.code, *reference))
    }

    fn enumerate(&mut self, index: &Term32, ends: &[u32]) -> Result<usize, Stop> {
        self.among(*index, ends)
    }
}
