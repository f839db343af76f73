//! The relation at a cut: begun with fresh unknowns, and shown again wherever a segment arrives.
//!
//! The relation says: there are values of the unknowns such that every listed Wasm slot, machine
//! location and fact is as its expression says, both worlds are the same, and SP is at the declared
//! depth. At the end of a segment any choice of unknowns is sound; [`witnesses`] chooses.

use std::collections::BTreeMap;

use crate::domain::{Cmp, Domain};
use crate::hints::{Base, Cut, ENTRY_NAME, Expr, Location, Name, Sort};
use crate::term::facts::Facts;
use crate::term::node::Width;
use crate::term::{Term32, TermBool};
use crate::thumb::register::Reg;
use crate::wasm::module::Function;
use crate::wasm::sem::{Activation, Value};

use super::expression::{self, Surroundings, Value as Node, ValueOf};
use super::machine::MachineState;
use super::source::SourceState;
use super::symbolic::{Linear, SourceWorld, Symbolic, Table, TermValue};

/// What the registers held at entry to the function.
#[derive(Clone, Debug)]
pub struct Ghosts {
    /// By register number; SP's is the entry SP, that of PC means nothing.
    pub registers: [Term32; Reg::COUNT],
}

/// The unknowns of the cut that a segment began at, by key.
pub type Known = BTreeMap<u32, TermValue>;

/// Both sides at the start of a segment.
pub struct Start {
    /// The machine.
    pub machine: MachineState,
    /// The source.
    pub source: SourceState,
    /// The facts of the cut.
    pub facts: Facts,
    /// Its unknowns.
    pub known: Known,
    /// The values that have names, with what they are.
    pub names: BTreeMap<Name, Term32>,
}

/// Both sides at a cut, with fresh unknowns for all that is known to be related.
pub fn begin(symbolic: &mut Symbolic, function: &Function, cut: &Cut, ghosts: &Ghosts) -> Result<Start, String> {
    let unknowns: Vec<ValueOf<Symbolic>> = cut.unknowns.iter().map(|unknown| fresh(symbolic, unknown.sort)).collect();
    let world = fresh_world(symbolic);
    let values = nodes(symbolic, cut, &unknowns, &world)?;
    let mut machine = MachineState::junk(&mut symbolic.terms, &symbolic.constants, &world, cut.depth);
    machine.set_arguments(symbolic, function);
    let mut names = BTreeMap::new();
    for located in &cut.locations {
        let word = located_value(&values, located.name, located.value, ghosts)?;
        machine.set_location(located.location, word).map_err(|why| format!("the cut at {:#x}: {why}", cut.at))?;
        names.insert(located.name, word);
    }
    for (name, node) in &cut.named {
        names.insert(*name, word_at(&values, *node)?);
    }
    let activation = activation(symbolic, function, cut, &values)?;
    let mut facts = Facts::new();
    for node in &cut.facts {
        let holds = nonzero(symbolic, word_at(&values, *node)?);
        facts.assume(&mut symbolic.terms, holds, true);
    }
    let stack = function.control.stack(activation.position).unwrap_or_default();
    let types = function.locals.iter().copied().chain(stack);
    machine.know_references(activation.locals.iter().chain(&activation.stack).zip(types));
    machine.know_globals(&symbolic.constants, &world);
    symbolic.assume_nulls(&mut machine, [&mut facts]);
    let known = cut.unknowns.iter().zip(unknowns).map(|(unknown, value)| (unknown.key, to_source(value))).collect();
    let source = SourceState { world, activation, shown: BTreeMap::new(), steps: 0 };
    Ok(Start { machine, source, facts, known, names })
}

/// What has to hold for both sides to stand at the cut, worlds and SP aside.
pub struct Claims {
    /// Wasm slots: what is said, what is, in words.
    pub slots: Vec<(TermValue, TermValue, String)>,
    /// Machine locations: the location, what is said.
    pub locations: Vec<(Location, Name, Term32)>,
    /// Facts.
    pub facts: Vec<TermBool>,
}

/// Instantiates the relation of a cut for the states at the end of a segment.
pub fn claims(
    symbolic: &mut Symbolic,
    cut: &Cut,
    (machine, source): (&MachineState, &SourceState),
    known: &Known,
    ghosts: &Ghosts,
) -> Result<Claims, String> {
    let unknowns = witnesses(symbolic, cut, machine, source, known);
    let values = nodes(symbolic, cut, &unknowns, &source.world)?;
    let mut slots = Vec::new();
    let actual =
        [("local", &cut.locals, &source.activation.locals), ("stack slot", &cut.stack, &source.activation.stack)];
    for (kind, said, is) in actual {
        if said.len() != is.len() {
            return Err(format!("the cut at {:#x} lists {} {kind}s, Wasm has {}", cut.at, said.len(), is.len()));
        }
        for (index, (node, is)) in said.iter().zip(is).enumerate() {
            if let Some(node) = node {
                let said = to_source(value_at(&values, *node)?);
                slots.push((said, is.clone(), format!("{kind} {index}")));
            }
        }
    }
    let mut locations = Vec::new();
    for located in &cut.locations {
        let said = located_value(&values, located.name, located.value, ghosts)?;
        locations.push((located.location, located.name, said));
    }
    let mut facts = Vec::new();
    for node in &cut.facts {
        facts.push(nonzero(symbolic, word_at(&values, *node)?));
    }
    Ok(Claims { slots, locations, facts })
}

/// A value for each unknown, the first that applies: the Wasm slot that is just this unknown, the
/// machine locations that are it or its halves, what Wasm showed on the way here, its value at the cut
/// before, the one half of it that the machine holds. Else junk. Any choice is sound.
fn witnesses(
    symbolic: &mut Symbolic,
    cut: &Cut,
    machine: &MachineState,
    source: &SourceState,
    known: &Known,
) -> Vec<ValueOf<Symbolic>> {
    let unknowns = cut.unknowns.iter().enumerate();
    unknowns
        .map(|(index, unknown)| {
            let index = index as u32;
            let found = slot_of(cut, index, source)
                .or_else(|| location_of(symbolic, cut, index, machine))
                .or_else(|| source.shown.get(&unknown.shown).map(|value| part(symbolic, value, unknown.sort)))
                .or_else(|| known.get(&unknown.key).cloned())
                .or_else(|| part_of(symbolic, cut, index, machine))
                .filter(|value| sort_of(value) == unknown.sort);
            found.map_or_else(|| fresh(symbolic, unknown.sort), to_node)
        })
        .collect()
}

/// The slot that is just this unknown.
fn slot_of(cut: &Cut, unknown: u32, source: &SourceState) -> Option<TermValue> {
    let locals = cut.locals.iter().zip(&source.activation.locals);
    let mut slots = locals.chain(cut.stack.iter().zip(&source.activation.stack));
    let (_, is) = slots.find(|(node, _)| node.is_some_and(|node| is_unknown(cut, node, unknown)))?;
    Some(is.clone())
}

/// A value, or its low word where a word is asked for.
fn part(symbolic: &mut Symbolic, value: &TermValue, sort: Sort) -> TermValue {
    match (value, sort) {
        (Value::W64(long), Sort::W32) => Value::W32(symbolic.terms.low(long)),
        (Value::W64(_), Sort::W64) | (Value::W32(_), Sort::W32 | Sort::W64) => value.clone(),
    }
}

fn location_of(symbolic: &mut Symbolic, cut: &Cut, unknown: u32, machine: &MachineState) -> Option<TermValue> {
    let find = |fits: &dyn Fn(u32) -> bool| {
        let found = cut.locations.iter().find(|located| located.name < ENTRY_NAME && fits(located.value))?;
        machine.location(found.location).ok()
    };
    if let Some(word) = find(&|node| is_unknown(cut, node, unknown)) {
        return Some(Value::W32(word));
    }
    let (high, low) = halves(cut, unknown, machine);
    Some(Value::W64(symbolic.terms.join(&high?, &low?)))
}

/// The halves of an unknown that the machine holds.
fn halves(cut: &Cut, unknown: u32, machine: &MachineState) -> (Option<Term32>, Option<Term32>) {
    let find = |is_high: bool| {
        let half = |node: u32| match cut.nodes.get(node as usize) {
            Some(Expr::High(whole)) => is_high && is_unknown(cut, *whole, unknown),
            Some(Expr::Low(whole)) => !is_high && is_unknown(cut, *whole, unknown),
            _ => false,
        };
        let found = cut.locations.iter().find(|located| located.name < ENTRY_NAME && half(located.value))?;
        machine.location(found.location).ok()
    };
    (find(true), find(false))
}

/// An unknown of which the machine holds one half. Whatever the other is, some value has it.
fn part_of(symbolic: &mut Symbolic, cut: &Cut, unknown: u32, machine: &MachineState) -> Option<TermValue> {
    let (high, low) = halves(cut, unknown, machine);
    if high.is_none() && low.is_none() {
        return None;
    }
    let high = high.unwrap_or_else(|| symbolic.terms.fresh32("x.high"));
    let low = low.unwrap_or_else(|| symbolic.terms.fresh32("x.low"));
    Some(Value::W64(symbolic.terms.join(&high, &low)))
}

fn is_unknown(cut: &Cut, node: u32, unknown: u32) -> bool {
    cut.nodes.get(node as usize) == Some(&Expr::Unknown(unknown))
}

/// A fresh world that both sides share.
pub fn fresh_world(symbolic: &mut Symbolic) -> SourceWorld {
    let memories = (0..symbolic.constants.memories.len()).map(|index| fresh_memory(symbolic, index)).collect();
    let kinds: Vec<(usize, Sort)> =
        symbolic.world.globals.iter().enumerate().map(|(index, value)| (index, value.sort())).collect();
    let globals = kinds
        .into_iter()
        .map(|(index, kind)| match symbolic.constants.global_is_constant[index] {
            true => symbolic.world.globals[index].clone(),
            false => match kind {
                Sort::W32 => Value::W32(symbolic.terms.fresh32(&format!("global{index}"))),
                Sort::W64 => Value::W64(symbolic.terms.fresh64(&format!("global{index}"))),
            },
        })
        .collect();
    let tables = (0..symbolic.constants.tables.len()).map(|index| fresh_table(symbolic, index)).collect();
    SourceWorld { memories, tables, globals }
}

/// A table of unknown entries if they can change; its size is unknown too if it can.
fn fresh_table(symbolic: &mut Symbolic, index: usize) -> Table {
    let limits = symbolic.constants.tables[index];
    let known = symbolic.world.tables[index];
    Table {
        entries: known.entries.map(|_| symbolic.terms.fresh_mem(&format!("table{index}"))),
        size: match limits.size_cell {
            Some(_) => symbolic.terms.fresh32_within("table size", limits.size_bounds),
            None => known.size,
        },
    }
}

/// A memory of unknown contents; its length is unknown too if it can change.
fn fresh_memory(symbolic: &mut Symbolic, index: usize) -> Linear {
    let limits = symbolic.constants.memories[index];
    let contents = match limits.is_segment {
        true => symbolic.world.memories[index].contents,
        false => symbolic.terms.fresh_mem(&format!("memory{index}")),
    };
    let length = match limits.length_cell {
        Some(_) => symbolic.terms.fresh32_within("memory length", limits.length_bounds),
        None => symbolic.world.memories[index].length,
    };
    Linear { contents, length }
}

fn fresh(symbolic: &mut Symbolic, sort: Sort) -> ValueOf<Symbolic> {
    match sort {
        Sort::W32 => Node::W32(symbolic.terms.fresh32("x")),
        Sort::W64 => Node::W64(symbolic.terms.fresh64("x")),
    }
}

fn activation(
    symbolic: &mut Symbolic,
    function: &Function,
    cut: &Cut,
    values: &[ValueOf<Symbolic>],
) -> Result<Activation<Symbolic>, String> {
    let place = place(cut, function)?;
    let kinds =
        function.control.stack(place).ok_or_else(|| format!("the cut at {:#x} stands where nothing runs", cut.at))?;
    let locals: Vec<Sort> = function.locals.iter().map(|local| local.sort()).collect();
    let locals = slots(symbolic, &cut.locals, &locals, values)?;
    let kinds: Vec<Sort> = kinds.iter().map(|kind| kind.sort()).collect();
    let stack = slots(symbolic, &cut.stack, &kinds, values)?;
    Activation::at(function, place, locals, stack)
        .ok_or_else(|| format!("the cut at {:#x} does not fit the Wasm place", cut.at))
}

/// The position in the body that a cut stands at.
pub fn place(cut: &Cut, function: &Function) -> Result<u32, String> {
    match cut.source.as_slice() {
        [(index, offset)] if *index == function.index => {
            function.position(*offset).ok_or_else(|| format!("the cut at {:#x} names no Wasm instruction", cut.at))
        }
        _ => Err(format!("the cut at {:#x} does not name one place in this function", cut.at)),
    }
}

fn slots(
    symbolic: &mut Symbolic,
    said: &[Option<u32>],
    kinds: &[Sort],
    values: &[ValueOf<Symbolic>],
) -> Result<Vec<TermValue>, String> {
    if said.len() != kinds.len() {
        return Err(format!("a cut lists {} slots, Wasm has {}", said.len(), kinds.len()));
    }
    said.iter()
        .zip(kinds)
        .map(|(node, kind)| match (node, kind) {
            (Some(node), _) => Ok(to_source(value_at(values, *node)?)),
            (None, Sort::W32) => Ok(Value::W32(symbolic.terms.fresh32("slot"))),
            (None, Sort::W64) => Ok(Value::W64(symbolic.terms.fresh64("slot"))),
        })
        .collect()
}

fn nodes(
    symbolic: &mut Symbolic,
    cut: &Cut,
    unknowns: &[ValueOf<Symbolic>],
    world: &SourceWorld,
) -> Result<Vec<ValueOf<Symbolic>>, String> {
    expression::evaluate(symbolic, cut, unknowns, &mut At { world: world.clone() })
}

struct At {
    world: SourceWorld,
}

impl Surroundings<Symbolic> for At {
    fn base(&mut self, symbolic: &mut Symbolic, base: Base) -> Option<Term32> {
        let extent = match base {
            Base::Results => symbolic.constants.results,
            Base::Memory(_) | Base::Instance | Base::Table(_) | Base::Functions => {
                symbolic.constants.regions.extents.get(&base).copied()
            }
        };
        extent.map(|extent| extent.address)
    }

    fn load(&mut self, symbolic: &mut Symbolic, memory: u32, bytes: u8, address: &Term32) -> Option<Term32> {
        let width = Width::from_bytes(u32::from(bytes))?;
        let contents = self.world.memories.get(memory as usize)?.contents;
        Some(symbolic.terms.load(contents, *address, width))
    }

    fn global(&mut self, _: &mut Symbolic, global: u32) -> Option<ValueOf<Symbolic>> {
        self.world.globals.get(global as usize).cloned().map(to_node)
    }

    fn memory_bytes(&mut self, _: &mut Symbolic, memory: u32) -> Option<Term32> {
        self.world.memories.get(memory as usize).map(|memory| memory.length)
    }

    fn table_entry(&mut self, symbolic: &mut Symbolic, table: u32, index: &Term32) -> Option<Term32> {
        let entries = self.world.tables.get(table as usize)?.entries;
        symbolic.entry(table, entries, *index).ok()
    }

    fn reference_type(&mut self, symbolic: &mut Symbolic, reference: &Term32) -> Term32 {
        symbolic.described(symbolic.constants.functions.type_id, *reference)
    }

    fn reference_code(&mut self, symbolic: &mut Symbolic, reference: &Term32) -> Term32 {
        symbolic.described(symbolic.constants.functions.code, *reference)
    }
}

fn nonzero(symbolic: &mut Symbolic, word: Term32) -> TermBool {
    let zero = symbolic.terms.w32(0);
    let is_zero = symbolic.terms.cmp32(Cmp::Eq, &word, &zero);
    symbolic.terms.not(&is_zero)
}

fn located_value(values: &[ValueOf<Symbolic>], name: Name, node: u32, ghosts: &Ghosts) -> Result<Term32, String> {
    match name.checked_sub(ENTRY_NAME) {
        Some(register) => ghosts
            .registers
            .get(register as usize)
            .copied()
            .ok_or_else(|| format!("name {name:#x} stands for no register")),
        None => word_at(values, node),
    }
}

fn value_at(values: &[ValueOf<Symbolic>], node: u32) -> Result<ValueOf<Symbolic>, String> {
    values.get(node as usize).cloned().ok_or_else(|| format!("there is no expression {node}"))
}

fn word_at(values: &[ValueOf<Symbolic>], node: u32) -> Result<Term32, String> {
    match value_at(values, node)? {
        Node::W32(word) => Ok(word),
        Node::W64(_) => Err(format!("expression {node} is no 32-bit word")),
    }
}

fn to_source(value: ValueOf<Symbolic>) -> TermValue {
    match value {
        Node::W32(word) => Value::W32(word),
        Node::W64(long) => Value::W64(long),
    }
}

fn to_node(value: TermValue) -> ValueOf<Symbolic> {
    match value {
        Value::W32(word) => Node::W32(word),
        Value::W64(long) => Node::W64(long),
    }
}

fn sort_of(value: &TermValue) -> Sort {
    match value {
        Value::W32(_) => Sort::W32,
        Value::W64(_) => Sort::W64,
    }
}
