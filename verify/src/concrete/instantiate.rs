//! Instantiation of a module: the state in which its exports may first run.
//!
//! Ensures: the order of the core specification (2.0, section 4.5.4, and 1.0 where that says the
//! same): globals, memory and table, element segments, data segments. A segment that lies outside
//! traps and writes nothing; earlier segments stay written. Start functions are not run here: what they
//! change is not known, and what is written behind them is told apart.

use crate::trap::Trap;
use crate::wasm::module::{Constant, DataSegment, Memory, Module, Table, Target};

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
    /// The state before the first start function, or after all if there is none.
    pub state: State,
    /// The start functions that are called, and what is written to memories behind each.
    pub starts: Vec<(u32, Vec<Write>)>,
    /// The trap, if a segment lies outside.
    pub trap: Option<Trap>,
}

/// The null reference.
pub const NULL: Constant = Constant::I32(0);

/// Bytes that a segment leaves in a memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// The memory.
    pub memory: u32,
    /// The first byte.
    pub start: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
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
    let mut instantiated = Instantiated { state, starts: Vec::new(), trap: None };
    instantiated.trap = instantiated.run(module).err();
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
    let items = segment.into_iter().flat_map(|segment| &segment.items);
    let mut entries: Vec<Constant> = items.map(|item| item.map_or(NULL, Constant::Function)).collect();
    entries.resize(table.minimum as usize, NULL);
    entries
}

impl Instantiated {
    fn run(&mut self, module: &Module) -> Result<(), Trap> {
        let (mut elements, mut data) = (0, 0);
        let last = (module.elements.len(), module.data.len(), None);
        let inputs = module.starts.iter().map(|start| (start.elements, start.data, Some(start.function)));
        for (next_elements, next_data, start) in inputs.chain([last]) {
            for segment in module.elements.get(elements..next_elements).unwrap_or(&[]) {
                let Some((table, start)) = segment.active else { continue };
                let entries = window(&mut self.state.tables[table as usize], start, segment.items.len());
                let entries = entries.ok_or(Trap::TableAccess)?;
                for (entry, item) in entries.iter_mut().zip(&segment.items) {
                    *entry = item.map_or(NULL, Constant::Function);
                }
            }
            for segment in module.data.get(data..next_data).unwrap_or(&[]) {
                self.write(segment)?;
            }
            (elements, data) = (next_elements, next_data);
            self.starts.extend(start.map(|function| (function, Vec::new())));
        }
        Ok(())
    }

    /// Lengths are those from before the start functions: memories may have grown since, but no compiled
    /// code asks for that.
    fn write(&mut self, segment: &DataSegment) -> Result<(), Trap> {
        let Some(target) = segment.active else { return Ok(()) };
        let memory = &mut self.state.memories[target.memory as usize];
        let bytes = window(memory, target.start, segment.bytes.len()).ok_or(Trap::MemoryOutOfBounds)?;
        match self.starts.last_mut() {
            None => bytes.copy_from_slice(&segment.bytes),
            Some((_, writes)) => {
                let Target { memory, start } = target;
                writes.push(Write { memory, start, bytes: segment.bytes.clone() });
            }
        }
        Ok(())
    }
}

fn window<T>(items: &mut [T], start: u32, count: usize) -> Option<&mut [T]> {
    let start = start as usize;
    items.get_mut(start..start.checked_add(count)?)
}
