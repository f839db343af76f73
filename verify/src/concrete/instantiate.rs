//! Instantiation of a module: the state in which its exports may first run.
//!
//! Ensures: the order of the core specification (2.0, section 4.5.4, and 1.0 where that says the
//! same): globals, memories and tables, then the steps of [`crate::wasm::steps`]. Start functions are not run here: what
//! they, or whoever handles a trap, change is not known, and what is written behind them is told apart.

use crate::wasm::module::{Constant, DataSegment, ElementSegment, Memory, Module, NULL, Table, Target};
use crate::wasm::steps::{Cause, Step};

/// What the functions of an instance share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Linear memories, each up to its present length.
    pub memories: Vec<Vec<u8>>,
    /// The pages that `memory.grow` may reach, by memory.
    pub reserve_pages: Vec<u32>,
    /// Values of the globals.
    pub globals: Vec<Constant>,
    /// References in the tables, each up to its present size. Null is the number 0.
    pub tables: Vec<Vec<Constant>>,
    /// The entries that `table.grow` may reach, by table.
    pub reserve_entries: Vec<u32>,
}

/// What instantiation comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instantiated {
    /// The state before the first pause, or after all if there is none.
    pub state: State,
    /// Where other code runs, in order.
    pub pauses: Vec<Pause>,
}

/// A point of instantiation at which other code runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    /// Why.
    pub cause: Cause,
    /// The bytes that are written behind it, up to the next: memory, first byte, the bytes.
    pub bytes: Vec<(u32, u32, Vec<u8>)>,
    /// The references likewise: table, first entry, the references.
    pub references: Vec<(u32, u32, Vec<Constant>)>,
}

/// Most table entries that are instantiated.
const TABLE_MAX: u32 = 1 << 20;

/// How far memories and tables may grow.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reserves {
    /// Pages of each memory.
    pub pages: Vec<u32>,
    /// Entries of each table.
    pub entries: Vec<u32>,
}

/// Instantiates a module whose memories and tables may grow to the reserves; their present and their declared
/// size count too. `None` if a table is larger than anything a small device has.
pub fn run(module: &Module, reserves: &Reserves) -> Option<Instantiated> {
    if module.tables.iter().any(|table| table.minimum > TABLE_MAX) {
        return None;
    }
    let entries = reserves.entries.iter().copied().chain(std::iter::repeat(0));
    let reserve_entries = module
        .tables
        .iter()
        .zip(entries)
        .map(|(table, wanted)| wanted.min(table.maximum.unwrap_or(u32::MAX)).max(table.minimum));
    let wanted = reserves.pages.iter().copied().chain(std::iter::repeat(0));
    let reserve = module.memories.iter().zip(wanted).map(|(memory, wanted)| {
        let most = memory.maximum.map_or(memory.pages_max(), |maximum| maximum.min(memory.pages_max()));
        wanted.min(most).max(memory.minimum)
    });
    let state = State {
        memories: module.memories.iter().map(|memory| contents(module, memory)).collect(),
        reserve_pages: reserve.collect(),
        globals: module.globals.iter().map(|global| global.initial).collect(),
        tables: module.tables.iter().map(|table| references(module, table)).collect(),
        reserve_entries: reserve_entries.collect(),
    };
    let mut instantiated = Instantiated { state, pauses: Vec::new() };
    module.steps().into_iter().for_each(|step| instantiated.step(module, step));
    Some(instantiated)
}

/// What a memory holds before any segment is written: zeros, or the segment that it is.
fn contents(module: &Module, memory: &Memory) -> Vec<u8> {
    let bytes = memory.minimum_bytes() as usize;
    let segment = memory.segment.and_then(|segment| module.data.get(segment as usize)?.bytes.get(..bytes));
    segment.map_or_else(|| vec![0; bytes], <[u8]>::to_vec)
}

/// What a table holds before any segment is written: null, or the segment that it is.
fn references(module: &Module, table: &Table) -> Vec<Constant> {
    let segment = table.segment.and_then(|segment| module.elements.get(segment as usize));
    let mut entries = segment.map_or_else(Vec::new, |segment| segment.items.clone());
    entries.resize(table.minimum as usize, NULL);
    entries
}

impl Instantiated {
    fn step(&mut self, module: &Module, step: Step) {
        match (step, self.pauses.last_mut()) {
            (Step::Pause(cause), _) => self.pauses.push(Pause { cause, bytes: Vec::new(), references: Vec::new() }),
            (Step::Data(index), pause) => {
                let DataSegment { active: Some(Target { memory, start }), bytes } = &module.data[index] else { return };
                match pause {
                    Some(pause) => pause.bytes.push((*memory, *start, bytes.clone())),
                    None => {
                        self.state.memories[*memory as usize][*start as usize..][..bytes.len()].copy_from_slice(bytes)
                    }
                }
            }
            (Step::Elements(index), pause) => {
                let ElementSegment { active: Some((table, start)), items, .. } = &module.elements[index] else {
                    return;
                };
                match pause {
                    Some(pause) => pause.references.push((*table, *start, items.clone())),
                    None => self.state.tables[*table as usize][*start as usize..][..items.len()].copy_from_slice(items),
                }
            }
        }
    }
}
