//! A file in memory beside its Wasm module: where the module's state is, and whether it is equal.
//!
//! Requires: a program that `program::bind` handed out.
//! Ensures: [`Bound::same_state`] compares all of it: each memory, and each table that can change, up to its
//! length and zeros behind it, the length itself, and every global that has a cell.

use std::collections::BTreeMap;

use crate::abi;
use crate::elf::{Elf, FileKind};
use crate::hints::Base;
use crate::program::{Access as TableAccess, DESCRIPTOR_BYTES, ENTRY_BYTES, Program};
use crate::wasm::module::{Constant, FunctionType, Module, NULL};

use super::instantiate::{Pause, Reserves, State};
use super::load::{self, Loaded};
use super::region::{Access, Memory};
use super::thumb_run::External;
use super::word::{Fault, RegionIndex, Word};

/// A module and its file, loaded.
pub struct Bound<'a> {
    /// The module.
    pub module: &'a Module,
    /// What the file means for it.
    pub program: &'a Program,
    /// The file in memory.
    pub loaded: Loaded,
    /// The name of the module in symbols.
    pub name: String,
    memories: Vec<Option<Place>>,
    /// Those that can change.
    tables: Vec<Option<Place>>,
    instance: Option<Place>,
}

/// A region of the module inside a loaded region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    region: RegionIndex,
    offset: u32,
    bytes: u32,
}

impl<'a> Bound<'a> {
    /// Loads a file and finds the module's regions by their symbols.
    ///
    /// # Errors
    /// A region is not where its symbol says.
    pub fn new(module: &'a Module, program: &'a Program, elf: &Elf<'_>, name: &str) -> Result<Bound<'a>, Fault> {
        let loaded = load::run(elf)?;
        let place = |base: Base, what: &str| {
            // A memory that can have no page has no bytes that could be anywhere.
            let Some(region) = program.regions.get(&base).filter(|region| region.bytes > 0) else {
                return Ok(None);
            };
            let symbol = loaded.symbols.get(&format!("{name}.{what}"));
            let located = symbol.and_then(|word| loaded.memory.locate(*word, region.bytes));
            match located {
                Some((found, offset)) => Ok(Some(Place { region: found, offset, bytes: region.bytes })),
                None => Err(Fault::Other(format!("{name}.{what} is not in one loaded region"))),
            }
        };
        let memories = (0..module.memories.len() as u32)
            .map(|memory| place(Base::Memory(memory), &format!("memory{memory}")))
            .collect::<Result<_, Fault>>()?;
        let tables = (0..).zip(&program.tables).map(|(index, table)| match table.access {
            TableAccess::Written => place(Base::Table(index), &format!("table{index}")),
            TableAccess::Read => Ok(None),
        });
        let tables = tables.collect::<Result<_, Fault>>()?;
        let instance = place(Base::Instance, "instance")?;
        let name = name.to_string();
        Ok(Bound { module, program, loaded, name, memories, tables, instance })
    }

    /// What memories and tables may grow to.
    pub fn reserves(&self) -> Reserves {
        let entries = self.program.tables.iter().map(|table| table.reserve).collect();
        Reserves { pages: self.reserve_pages(), entries }
    }

    /// The pages that each memory may grow to.
    pub fn reserve_pages(&self) -> Vec<u32> {
        let places = self.module.memories.iter().zip(&self.memories);
        places.map(|(memory, place)| place.map_or(0, |place| place.bytes) >> memory.page_log2).collect()
    }

    /// The imports as functions outside of the file, in index order.
    ///
    /// # Errors
    /// An import without an address.
    pub fn imports(&self) -> Result<Vec<External>, Fault> {
        let imports = self.module.imports.iter().zip(0u32..);
        let externals = imports.map(|(import, index)| {
            let symbol = abi::import_symbol(&import.module, &import.field);
            let address = match self.program.kind {
                FileKind::Relocatable => self.loaded.symbols.get(&symbol).copied(),
                FileKind::Executable => {
                    let address = self.program.imports.get(&index);
                    address.map(|address| Word::Int(address | 1))
                }
            };
            let signature = self.module.signature(index).cloned();
            // An object that never calls an import need not name it.
            let nowhere = Word::Pointer { region: RegionIndex::MAX, offset: 3 };
            match (address, signature) {
                (Some(address), Some(signature)) => Ok(External { address, signature }),
                (None, Some(signature)) => Ok(External { address: nowhere, signature }),
                (Some(_) | None, None) => Err(Fault::Other(format!("{symbol} has no type"))),
            }
        });
        externals.collect()
    }

    /// A function of the module as an external one, so that calls of it are noticed.
    pub fn as_external(&self, function: u32) -> Option<External> {
        let (start, _) = self.program.functions.get(&function)?;
        let signature: FunctionType = self.module.signature(function)?.clone();
        Some(External { address: self.loaded.code_word(*start).plus(1), signature })
    }

    /// Where each memory is that may be written, and each table that may.
    fn written(&self) -> impl Iterator<Item = Option<Place>> {
        let places = self.memories.iter().zip(&self.module.memories);
        places.map(|(place, memory)| place.filter(|_| memory.segment.is_none())).chain(self.tables.iter().copied())
    }

    /// The words that a constant is in memory, low first.
    ///
    /// # Errors
    /// It refers to a function that has no descriptor.
    fn words(&self, value: Constant) -> Result<Vec<Word>, Fault> {
        match value {
            Constant::I32(word) => Ok(vec![Word::Int(word)]),
            Constant::I64(wide) => Ok(vec![Word::Int(wide as u32), Word::Int((wide >> 32) as u32)]),
            Constant::Function(function) => {
                let place = self.program.descriptors.get(&function);
                let first = self.loaded.symbols.get(&format!("{}.functions", self.name));
                match (place, first) {
                    (Some(place), Some(first)) => Ok(vec![first.plus(DESCRIPTOR_BYTES * place)]),
                    (Some(_) | None, _) => Err(Fault::Other(format!("function {function} has no descriptor"))),
                }
            }
        }
    }

    /// Puts a state into memory.
    ///
    /// # Errors
    /// It does not fit.
    pub fn write_state(&self, state: &State, memory: &mut Memory) -> Result<(), Fault> {
        for (place, bytes) in self.written().zip(&state.memories) {
            let Some(place) = place else { continue };
            let mut bytes = bytes.clone();
            bytes.resize(place.bytes as usize, 0);
            set(memory, place, 0, &bytes)?;
        }
        for (place, entries) in self.tables.iter().zip(&state.tables) {
            let Some(place) = *place else { continue };
            set(memory, place, 0, &vec![0; place.bytes as usize])?;
            for (at, entry) in (0..).step_by(ENTRY_BYTES as usize).zip(entries) {
                set_words(memory, place, at, &self.words(*entry)?)?;
            }
        }
        let Some(place) = self.instance else {
            return Ok(());
        };
        for (table, entries) in self.program.tables.iter().zip(&state.tables) {
            if let Some(offset) = table.size_cell {
                set(memory, place, offset, &(entries.len() as u32).to_le_bytes())?;
            }
        }
        for (bytes, cell) in state.memories.iter().zip(&self.program.lengths) {
            if let Some(offset) = cell {
                set(memory, place, *offset, &(bytes.len() as u32).to_le_bytes())?;
            }
        }
        for (value, cell) in state.globals.iter().zip(&self.program.cells) {
            let Some(offset) = cell else { continue };
            set_words(memory, place, *offset, &self.words(*value)?)?;
        }
        Ok(())
    }

    /// Expects a state in memory.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn same_state(&self, state: &State, memory: &Memory) -> Result<(), String> {
        for (index, (place, wanted)) in self.memories.iter().zip(&state.memories).enumerate() {
            let Some(place) = *place else { continue };
            let found = get(memory, place, 0, place.bytes, &format!("memory {index}"))?;
            let (inside, behind) = found.split_at(wanted.len().min(found.len()));
            let pairs = inside.iter().zip(wanted).zip(0u32..);
            if let Some(((found, wanted), at)) = pairs.into_iter().find(|((a, b), _)| a != b) {
                return Err(format!("byte {at:#x} of memory {index} is {found:#04x}, in Wasm {wanted:#04x}"));
            }
            let is_written = self.module.memories[index].segment.is_none();
            if let Some(at) = behind.iter().position(|byte| *byte != 0).filter(|_| is_written) {
                let at = inside.len() + at;
                return Err(format!("byte {at:#x} of memory {index}, beyond the length, is not zero"));
            }
        }
        for (index, (place, wanted)) in self.tables.iter().zip(&state.tables).enumerate() {
            let Some(place) = *place else { continue };
            let behind = std::iter::repeat(&NULL);
            let entries = (place.bytes / ENTRY_BYTES) as usize;
            for (entry, wanted) in wanted.iter().chain(behind).take(entries).enumerate() {
                let what = format!("entry {entry} of table {index}");
                self.same_words((memory, place), ENTRY_BYTES * entry as u32, *wanted, &what)?;
            }
        }
        let Some(place) = self.instance else {
            return Ok(());
        };
        for (index, (table, entries)) in self.program.tables.iter().zip(&state.tables).enumerate() {
            let Some(offset) = table.size_cell else { continue };
            let what = format!("the size of table {index}");
            self.same_words((memory, place), offset, Constant::I32(entries.len() as u32), &what)?;
        }
        for (index, (bytes, cell)) in state.memories.iter().zip(&self.program.lengths).enumerate() {
            let Some(offset) = cell else { continue };
            let what = format!("the length of memory {index}");
            let found = get(memory, place, *offset, 4, &what)?;
            if found != (bytes.len() as u32).to_le_bytes() {
                return Err(format!("{what} is {found:02x?}, in Wasm {}", bytes.len()));
            }
        }
        for ((value, cell), global) in state.globals.iter().zip(&self.program.cells).zip(0..) {
            let Some(offset) = cell else { continue };
            self.same_words((memory, place), *offset, *value, &format!("global {global}"))?;
        }
        Ok(())
    }

    /// Expects the words of a value.
    fn same_words(
        &self,
        (memory, place): (&Memory, Place),
        at: u32,
        value: Constant,
        what: &str,
    ) -> Result<(), String> {
        let wanted = self.words(value).map_err(|fault| fault.to_string())?;
        let region = memory.region(place.region).ok_or_else(|| format!("{what} has no region"))?;
        let offsets = (place.offset + at..).step_by(4);
        let found: Vec<Word> = wanted.iter().zip(offsets).map(|(_, offset)| region.word(offset)).collect();
        if found != wanted {
            let list = |words: &[Word]| words.iter().map(Word::to_string).collect::<Vec<_>>().join(" ");
            return Err(format!("{what} is {}, in Wasm {}", list(&found), list(&wanted)));
        }
        Ok(())
    }

    /// Forgets what memories, tables and cells hold; from now on only what is known may be written to them.
    pub fn forget_state(&self, memory: &mut Memory) {
        self.poison_state(memory);
        for place in self.written().chain([self.instance]).flatten() {
            if let Some(region) = memory.region_mut(place.region) {
                region.access = Access::Unknown;
            }
        }
    }

    /// Expects of forgotten state that what is written behind a pause, and nothing else, has been written since.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn same_writes(&self, pause: &Pause, memory: &Memory) -> Result<(), String> {
        let known = |place: Place| {
            let region = memory.region(place.region);
            let bytes =
                region.into_iter().flat_map(move |region| region.known(place.offset, place.offset + place.bytes));
            bytes.map(move |(at, byte)| (at - place.offset, byte)).collect::<BTreeMap<u32, Option<u8>>>()
        };
        for (index, place) in (0..).zip(&self.memories) {
            let Some(place) = place.filter(|_| self.module.memories[index as usize].segment.is_none()) else {
                continue;
            };
            let mut wanted = BTreeMap::new();
            for (_, start, bytes) in pause.bytes.iter().filter(|(memory, ..)| *memory == index) {
                wanted.extend((*start..).zip(bytes.iter().copied().map(Some)));
            }
            if known(place) != wanted {
                return Err(format!("what is written to memory {index} is not what segments say"));
            }
        }
        for (index, place) in (0..).zip(&self.tables) {
            let Some(place) = *place else { continue };
            let mut wanted = BTreeMap::new();
            for (_, start, references) in pause.references.iter().filter(|(table, ..)| *table == index) {
                wanted.extend((*start..).zip(references.iter().copied()));
            }
            let bytes = wanted.keys().flat_map(|entry| ENTRY_BYTES * entry..ENTRY_BYTES * (entry + 1));
            if !known(place).keys().copied().eq(bytes) {
                return Err(format!("what is written to table {index} is not what segments say"));
            }
            for (entry, reference) in wanted {
                let what = format!("entry {entry} of table {index}");
                self.same_words((memory, place), ENTRY_BYTES * entry, reference, &what)?;
            }
        }
        match self.instance.map(known) {
            Some(written) if !written.is_empty() => Err("cells are written behind a pause".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes linear memory and cells poison, as no code that sets them up may rely on them.
    pub fn poison_state(&self, memory: &mut Memory) {
        for place in self.written().chain([self.instance]).flatten() {
            if let Some(region) = memory.region_mut(place.region) {
                region.poison(place.offset, place.offset + place.bytes);
            }
        }
    }
}

/// Puts words into a place.
fn set_words(memory: &mut Memory, place: Place, offset: u32, words: &[Word]) -> Result<(), Fault> {
    for (at, word) in (offset..).step_by(4).zip(words) {
        if at.checked_add(4).is_none_or(|end| end > place.bytes) {
            return Err(Fault::Other("the state does not fit into its regions".into()));
        }
        memory.initialise(place.region, place.offset + at, *word)?;
    }
    Ok(())
}

fn set(memory: &mut Memory, place: Place, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
    let fits = offset.checked_add(bytes.len() as u32).is_some_and(|end| end <= place.bytes);
    match memory.region_mut(place.region).filter(|_| fits) {
        Some(region) => region.set_bytes(place.offset + offset, bytes),
        None => Err(Fault::Other("the state does not fit into its regions".into())),
    }
}

fn get<'m>(memory: &'m Memory, place: Place, offset: u32, bytes: u32, what: &str) -> Result<&'m [u8], String> {
    let region = memory.region(place.region).ok_or(format!("{what} has no region"))?;
    let found = region.integers(place.offset + offset, bytes);
    found.map_err(|at| format!("{what} holds no integer at {:#x}", at.wrapping_sub(place.offset)))
}
