//! What an ELF file means for one Wasm module: where functions, regions and constants are.
//!
//! Requires: nothing of the file. Ensures: a [`Program`] is handed out only if every export has its
//! one symbol, every function its code, every region its place and size, and the table its entries,
//! all by the rules of `docs/abi.md`. Addresses of an object are offsets in its text section.

use std::collections::BTreeMap;

use crate::abi::{self, HasLength};
use crate::attributes;
use crate::elf::{Binding, Contents, Elf, FileKind, Home, Relocation, RelocationKind, Section, Symbol, SymbolKind};
use crate::hints::{Base, Hints, Sort};
use crate::layout::{self, Board};
use crate::mapping::Mapping;
use crate::thumb::feature::Target;
use crate::verdict::{Check, Finding};
use crate::wasm::module::{Export, Exported, Module, Table};
use crate::wasm::steps::Step;

/// Whom a branch with link calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallTarget {
    /// A function of the module or an import, by index.
    Function(u32),
}

/// Where something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At this address.
    Number(u32),
    /// At an address that the linker chooses.
    Linked,
}

/// A region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Where it is.
    pub place: Place,
    /// Bytes.
    pub bytes: u32,
}

/// A word of constant data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// A number.
    Number(u32),
    /// An address in a region, plus a number.
    Base(Base, u32),
    /// The address of the stack limit's word.
    StackLimit,
}

/// The file, bound to the module.
#[derive(Clone, Debug)]
pub struct Program {
    /// Object or image.
    pub kind: FileKind,
    /// What the code is for.
    pub target: Target,
    /// The board that an image is for.
    pub board: &'static Board,
    /// Address of the first byte of code.
    pub text_start: u32,
    /// The code.
    pub text: Vec<u8>,
    /// What linkers take it for.
    pub mapping: Mapping,
    /// First address and end of each function with code, by index.
    pub functions: BTreeMap<u32, (u32, u32)>,
    /// Addresses of imported functions, in an image.
    pub imports: BTreeMap<u32, u32>,
    /// First address and end of `NAME_init`.
    pub init: Option<(u32, u32)>,
    /// First address and end of `Reset`, in an image.
    pub reset: Option<(u32, u32)>,
    /// The regions.
    pub regions: BTreeMap<Base, Region>,
    /// Where the stack limit's word is, if the file has one.
    pub stack_limit: Option<Place>,
    /// The place of each descriptor among all, by function.
    pub descriptors: BTreeMap<u32, u32>,
    /// The tables.
    pub tables: Vec<Entries>,
    /// Offsets of the cells with memories' lengths.
    pub lengths: Vec<Option<u32>>,
    /// Offsets of the globals' cells.
    pub cells: Vec<Option<u32>>,
    /// Relocations of the code: address, kind, what it names.
    relocations: BTreeMap<u32, (RelocationKind, Named)>,
    /// Bytes of executable sections besides the module's own.
    pub foreign_code_bytes: u32,
}

/// What a relocation names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Named {
    Region(Base),
    StackLimit,
    Function(u32),
    /// Constant bytes or references for instantiation.
    Data,
}

/// Bytes of a table entry, which is a reference.
pub const ENTRY_BYTES: u32 = 4;

/// Bytes of a function's descriptor: type id and code address.
pub const DESCRIPTOR_BYTES: u32 = 8;

/// Most table entries that are judged.
const ENTRIES_MAX: u32 = 1 << 20;

/// Whether a region is only read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// It is constant.
    Read,
    /// It is in RAM.
    Written,
}

/// What is known of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entries {
    /// The functions after instantiation; `None` is null.
    pub initial: Vec<Option<u32>>,
    /// Whether they may change, so that the table is in RAM.
    pub access: Access,
    /// The offset in the instance region of its size, if that can change.
    pub size_cell: Option<u32>,
    /// Most entries that it may have.
    pub reserve: u32,
}

/// Binds a file to a module.
///
/// # Errors
/// Everything that is not as `docs/abi.md` says.
pub fn bind(elf: &Elf<'_>, module: &Module, hints: &Hints) -> Result<Program, Vec<Finding>> {
    let mut binder = Binder { elf, module, hints, findings: Vec::new() };
    let program = binder.program();
    match program {
        Some(program) if binder.findings.is_empty() => Ok(program),
        _ => {
            if binder.findings.is_empty() {
                binder.find("the file cannot be read as this module's".to_owned());
            }
            Err(binder.findings)
        }
    }
}

impl Program {
    /// The bytes from an address to the end of its function.
    pub fn code(&self, pc: u32, end: u32) -> &[u8] {
        let (from, to) = (pc.wrapping_sub(self.text_start) as usize, end.wrapping_sub(self.text_start) as usize);
        self.text.get(from..to).unwrap_or(&[])
    }

    /// Whom a BL or B at `pc` that goes to `target` calls.
    ///
    /// # Errors
    /// It goes nowhere that is known.
    pub fn call_target(&self, pc: u32, target: u32) -> Result<CallTarget, String> {
        let function = match self.relocations.get(&pc) {
            Some((RelocationKind::ThumbCall | RelocationKind::ThumbJump, Named::Function(function))) => Some(*function),
            Some(_) => None,
            None => {
                let own = self.functions.iter().find(|(_, range)| range.0 == target).map(|(index, _)| *index);
                own.or_else(|| self.imports.iter().find(|(_, address)| **address == target).map(|(index, _)| *index))
            }
        };
        function.map(CallTarget::Function).ok_or_else(|| format!("a call of {target:#x}, where no function begins"))
    }

    /// Whom a B at `pc` leaves its function for: what its relocation names, else the function that begins
    /// where it goes. The start of its own function is no place to branch to but as a call.
    ///
    /// # Errors
    /// Its relocation names no function.
    pub fn leaves_for(&self, pc: u32, target: u32, (start, end): (u32, u32)) -> Result<Option<CallTarget>, String> {
        if self.relocations.contains_key(&pc) {
            return self.call_target(pc, target).map(Some);
        }
        let inside = target > start && target < end;
        Ok(if inside { None } else { self.call_target(pc, target).ok() })
    }

    /// What a relocation of a MOVW or MOVT at `pc` adds to: a region's start or the stack limit's word.
    pub fn relocated_half(&self, pc: u32) -> Option<(RelocationKind, Word)> {
        match self.relocations.get(&pc)? {
            (kind, Named::Region(base)) => Some((*kind, Word::Base(*base, 0))),
            (kind, Named::StackLimit) => Some((*kind, Word::StackLimit)),
            (_, Named::Function(_) | Named::Data) => None,
        }
    }

    /// The kind of the relocation that changes any of these bytes.
    pub fn relocation_within(&self, pc: u32, size: u32) -> Option<(u32, RelocationKind)> {
        let first = pc.saturating_sub(3);
        let mut near = self.relocations.range(first..pc.saturating_add(size));
        near.next().map(|(address, (kind, _))| (*address, *kind))
    }

    /// The constant word at an address inside the code.
    ///
    /// # Errors
    /// There is none, or it holds what is no constant.
    pub fn constant(&self, address: u32) -> Result<Word, String> {
        let end = address.checked_add(4).ok_or("a literal wraps around")?;
        let bytes: [u8; 4] = self
            .code(address, end)
            .try_into()
            .map_err(|_| format!("a literal at {address:#x} lies outside the code"))?;
        let number = u32::from_le_bytes(bytes);
        match self.relocation_within(address, 4) {
            None => Ok(Word::Number(number)),
            Some((at, RelocationKind::Abs32)) if at == address => match self.relocations[&address].1 {
                Named::Region(base) => Ok(Word::Base(base, number)),
                Named::StackLimit if number == 0 => Ok(Word::StackLimit),
                Named::StackLimit | Named::Function(_) | Named::Data => {
                    Err(format!("the literal at {address:#x} names what code may not"))
                }
            },
            Some(_) => Err(format!("the literal at {address:#x} is changed by a relocation in its midst")),
        }
    }

    /// One byte of constant code bytes, for jump tables.
    pub fn constant_byte(&self, address: u32) -> Result<u8, String> {
        if self.relocation_within(address, 1).is_some() {
            return Err(format!("the byte at {address:#x} is changed by a relocation"));
        }
        self.code(address, address.saturating_add(1))
            .first()
            .copied()
            .ok_or_else(|| format!("the byte at {address:#x} lies outside the code"))
    }
}

fn file_finding(message: String) -> Finding {
    Finding { at: 0, check: Check::File, message }
}

struct Binder<'a> {
    elf: &'a Elf<'a>,
    module: &'a Module,
    hints: &'a Hints,
    findings: Vec<Finding>,
}

impl Binder<'_> {
    fn find(&mut self, message: String) {
        self.findings.push(file_finding(message));
    }

    fn require<T>(&mut self, found: Option<T>, message: impl FnOnce() -> String) -> Option<T> {
        if found.is_none() {
            self.find(message());
        }
        found
    }

    fn name(&self, what: &str) -> String {
        format!("{}.{what}", self.hints.module_name)
    }

    fn program(&mut self) -> Option<Program> {
        let name = self.hints.module_name.clone();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')) {
            self.find(format!("{name:?} is no name of a module"));
        }
        let text_name = format!(".text.{}", self.hints.module_name);
        let (text_index, text) =
            self.require(self.elf.section(&text_name), || format!("there is no one section {text_name}"))?;
        if !text.executable || text.writable || text.contents != Contents::Bytes {
            self.find(format!("{text_name} is no read-only code"));
        }
        let text_start = self.section_start(text);
        let wrong = layout::check(self.elf, self.module, self.hints, text_index);
        self.findings.extend(wrong.into_iter().map(file_finding));
        let target = attributes::read(self.elf).unwrap_or_else(|why| {
            self.find(why);
            Target::default()
        });
        let mapping = Mapping::read(self.elf, text_index).unwrap_or_else(|why| {
            self.find(why);
            Mapping::default()
        });
        let functions = self.functions(text_index)?;
        self.exports(&functions, text_index);
        let imports = self.imports();
        let instance = self.instance();
        let descriptors: BTreeMap<u32, u32> = self.module.referenced().into_iter().zip(0..).collect();
        let mut tables = self.tables(&instance.sizes);
        let regions = self.regions(instance.bytes, descriptors.len() as u32, &mut tables);
        let mut program = Program {
            kind: self.elf.kind,
            target,
            board: layout::board(self.elf),
            text_start,
            text: self.elf.bytes(text).to_vec(),
            mapping,
            functions,
            imports,
            init: self.init(text_index),
            reset: self.elf.symbol("Reset").and_then(|symbol| self.code_range(symbol, text_index)),
            regions,
            stack_limit: self.stack_limit(),
            descriptors,
            tables,
            lengths: instance.lengths,
            cells: instance.cells,
            relocations: BTreeMap::new(),
            foreign_code_bytes: self.foreign_code(text_index),
        };
        program.relocations = self.text_relocations(text_index, &program);
        self.check_constants(&program, text_index);
        Some(program)
    }

    fn section_start(&self, section: &Section) -> u32 {
        match self.elf.kind {
            FileKind::Relocatable => 0,
            FileKind::Executable => section.address,
        }
    }

    /// First address and end of a code symbol of the text section.
    fn code_range(&self, symbol: &Symbol, text_index: usize) -> Option<(u32, u32)> {
        let text = &self.elf.sections[text_index];
        let start = symbol.value & !1;
        let end = start.checked_add(symbol.bytes)?;
        let within = start >= self.section_start(text) && end <= self.section_start(text).checked_add(text.bytes)?;
        let is_code = symbol.kind == SymbolKind::Function && symbol.value & 1 == 1;
        (symbol.home == Home::Section(text_index) && is_code && within && symbol.bytes > 0).then_some((start, end))
    }

    fn functions(&mut self, text_index: usize) -> Option<BTreeMap<u32, (u32, u32)>> {
        let mut functions = BTreeMap::new();
        let mut end_of_last = 0;
        for function in &self.module.functions {
            let name = self.name(&format!("f{}", function.index));
            if self.module.runtime.contains(function.index) && self.elf.symbol(&name).is_none() {
                continue;
            }
            let symbol = self.require(self.elf.symbol(&name), || format!("there is no one symbol {name}"))?;
            let range = self.code_range(symbol, text_index);
            let local = symbol.binding == Binding::Local;
            let range =
                self.require(range.filter(|_| local), || format!("{name} is no local function of the text section"))?;
            if range.0 < end_of_last {
                self.find(format!("{name} overlaps the function before it"));
            }
            end_of_last = range.1;
            functions.insert(function.index, range);
        }
        Some(functions)
    }

    fn exports(&mut self, functions: &BTreeMap<u32, (u32, u32)>, text_index: usize) {
        for export in &self.module.exports {
            match export.item {
                Exported::Function(index) => {
                    let name = abi::exported_item(export, &self.hints.export_prefix);
                    let symbol = self.elf.symbol(&name);
                    let range = symbol.and_then(|symbol| self.code_range(symbol, text_index));
                    let wanted = functions.get(&index);
                    let public = symbol.is_some_and(|s| s.binding == Binding::Global && s.default_visibility);
                    if !public || range.is_none() || range.map(|range| range.0) != wanted.map(|range| range.0) {
                        self.find(format!("export {:?} is not the one global function symbol {name}", export.name));
                    }
                }
                Exported::Memory(index) => {
                    let name = abi::exported_memory(&self.hints.module_name, index);
                    let own = self.elf.symbol(&self.name(&format!("memory{index}")));
                    if !self.is_public_object(&name, own.map(|symbol| (symbol.home, symbol.value, symbol.bytes))) {
                        self.find(format!("the exported memory is not the one global symbol {name}"));
                    }
                }
                Exported::Global(index) => self.exported_global(export, index),
                Exported::Table(_) => {}
            }
        }
    }

    /// The symbol of a global is its cell, if it has one.
    fn exported_global(&mut self, export: &Export, index: u32) {
        let Some(offset) = self.instance().cells[index as usize] else { return };
        let name = abi::exported_item(export, &self.hints.export_prefix);
        let instance = self.elf.symbol(&self.name("instance"));
        let bytes = match self.module.globals[index as usize].value_type.sort() {
            Sort::W32 => 4,
            Sort::W64 => 8,
        };
        let cell = instance.map(|symbol| (symbol.home, symbol.value.wrapping_add(offset), bytes));
        if !self.is_public_object(&name, cell) {
            self.find(format!("export {:?} is not the one global symbol {name} of its cell", export.name));
        }
    }

    /// Whether others find data by this name: at this place, with so many bytes.
    fn is_public_object(&self, name: &str, place: Option<(Home, u32, u32)>) -> bool {
        let is_public = |symbol: &&Symbol| {
            symbol.binding == Binding::Global && symbol.kind == SymbolKind::Object && symbol.default_visibility
        };
        let found = self.elf.symbol(name).filter(is_public);
        place.is_some() && found.map(|symbol| (symbol.home, symbol.value, symbol.bytes)) == place
    }

    /// Imports: undefined in an object, code outside the module in an image.
    fn imports(&mut self) -> BTreeMap<u32, u32> {
        let mut addresses = BTreeMap::new();
        for (index, import) in self.module.imports.iter().enumerate() {
            let name = abi::import_symbol(&import.module, &import.field);
            if self.module.signature(self.module.first_index(index as u32)) != self.module.signature(index as u32) {
                self.find(format!("import {name} has two types"));
            }
            if self.elf.kind == FileKind::Executable {
                match self.elf.symbol(&name) {
                    Some(symbol) if symbol.value & 1 == 1 => {
                        addresses.insert(index as u32, symbol.value & !1);
                    }
                    Some(_) | None => self.find(format!("import {name} is not provided")),
                }
            }
        }
        addresses
    }

    fn instance(&self) -> abi::Instance {
        let length = |memory| if self.module.length_varies(memory) { HasLength::Yes } else { HasLength::No };
        let lengths: Vec<HasLength> = (0..self.module.memories.len() as u32).map(length).collect();
        let size = |table| if self.module.size_varies(table) { HasLength::Yes } else { HasLength::No };
        let sizes: Vec<HasLength> = (0..self.module.tables.len() as u32).map(size).collect();
        let cells: Vec<Option<Sort>> =
            self.module.globals.iter().map(|global| global.mutable.then_some(global.value_type.sort())).collect();
        abi::instance(&lengths, &sizes, &cells)
    }

    fn regions(&mut self, instance_bytes: u32, descriptors: u32, tables: &mut [Entries]) -> BTreeMap<Base, Region> {
        let mut regions = BTreeMap::new();
        if instance_bytes > 0 {
            self.region(Base::Instance, "instance", Access::Written, &mut regions);
            if regions.get(&Base::Instance).is_some_and(|region| region.bytes != instance_bytes) {
                self.find(format!("the instance region does not have {instance_bytes} bytes"));
            }
        }
        for (index, memory) in (0..).zip(&self.module.memories) {
            // A segment without bytes is nowhere.
            if memory.segment.is_some() && memory.minimum == 0 {
                continue;
            }
            let access = if memory.segment.is_some() { Access::Read } else { Access::Written };
            self.region(Base::Memory(index), &format!("memory{index}"), access, &mut regions);
            let bytes = regions.get(&Base::Memory(index)).map_or(0, |region| region.bytes);
            let pages = bytes >> memory.page_log2;
            let too_large = memory.maximum.is_some_and(|maximum| pages > maximum);
            if pages << memory.page_log2 != bytes || pages < memory.minimum || too_large {
                self.find(format!("memory {index} has {bytes} bytes, which the module does not allow"));
            }
        }
        for (index, table) in (0..).zip(tables) {
            self.table_region(index, table, &mut regions);
        }
        if descriptors > 0 {
            self.region(Base::Functions, "functions", Access::Read, &mut regions);
            let region = regions.get(&Base::Functions);
            if region.is_some_and(|region| Some(region.bytes) != descriptors.checked_mul(DESCRIPTOR_BYTES)) {
                self.find(format!("there is no place for {descriptors} descriptors of functions"));
            }
            if region.is_some_and(|region| region.place == Place::Number(0)) {
                self.find("the descriptor of a function is at 0, where null references point".to_owned());
            }
        }
        regions
    }

    /// A table's region: as large as the table, or as large as it may become.
    fn table_region(&mut self, index: u32, table: &mut Entries, regions: &mut BTreeMap<Base, Region>) {
        let what = format!("table{index}");
        let is_segment = self.module.tables[index as usize].segment.is_some();
        if table.initial.is_empty()
            && (is_segment || table.size_cell.is_none() || self.elf.symbol(&self.name(&what)).is_none())
        {
            return;
        }
        self.region(Base::Table(index), &what, table.access, regions);
        let Some(region) = regions.get(&Base::Table(index)) else { return };
        let (entries, declared) = (region.bytes / ENTRY_BYTES, self.module.tables[index as usize]);
        let fits = match table.size_cell {
            Some(_) if declared.segment.is_none() => {
                entries >= declared.minimum && entries <= declared.maximum.unwrap_or(u32::MAX)
            }
            Some(_) | None => entries == declared.minimum,
        };
        if !fits || !region.bytes.is_multiple_of(ENTRY_BYTES) {
            self.find(format!("table {index} has {} bytes, which the module does not allow", region.bytes));
        }
        table.reserve = entries;
    }

    fn region(&mut self, base: Base, what: &str, access: Access, regions: &mut BTreeMap<Base, Region>) {
        let name = self.name(what);
        let Some(symbol) = self.elf.symbol(&name) else { return self.find(format!("there is no one symbol {name}")) };
        let Home::Section(index) = symbol.home else { return self.find(format!("{name} lies in no section")) };
        let section = &self.elf.sections[index];
        let start = self.section_start(section);
        let within = symbol.value >= start
            && symbol.value.checked_add(symbol.bytes).is_some_and(|end| end <= start + section.bytes);
        let fits = section.allocated && !section.executable && section.writable == (access == Access::Written);
        let aligned = symbol.value.is_multiple_of(8)
            && (self.elf.kind == FileKind::Executable || section.align.is_multiple_of(8));
        let is_own = symbol.binding == Binding::Local && symbol.kind == SymbolKind::Object;
        if !within || !fits || !aligned || !is_own {
            return self.find(format!("{name} is not a local, 8-aligned region in a section of the right kind"));
        }
        let place = match self.elf.kind {
            FileKind::Relocatable => Place::Linked,
            FileKind::Executable => Place::Number(symbol.value),
        };
        regions.insert(base, Region { place, bytes: symbol.bytes });
    }

    fn stack_limit(&self) -> Option<Place> {
        match self.elf.kind {
            FileKind::Relocatable => {
                let mut found = self.elf.symbols.iter().filter(|symbol| symbol.name == abi::STACK_LIMIT);
                found.any(|symbol| symbol.home == Home::Undefined).then_some(Place::Linked)
            }
            FileKind::Executable => self.elf.symbol(abi::STACK_LIMIT).map(|symbol| Place::Number(symbol.value)),
        }
    }

    fn init(&mut self, text_index: usize) -> Option<(u32, u32)> {
        let name = format!("{}_init", self.hints.module_name);
        let is_public = |symbol: &&Symbol| symbol.binding == Binding::Global && symbol.default_visibility;
        let symbol = self.elf.symbol(&name).filter(is_public);
        let range = symbol.and_then(|symbol| self.code_range(symbol, text_index));
        self.require(range, || format!("there is no one global function {name}"))
    }

    /// The tables after instantiation: element segments in order, without those of an input behind its trap.
    fn tables(&mut self, sizes: &[Option<u32>]) -> Vec<Entries> {
        let module = self.module;
        if module.tables.iter().any(|table| table.minimum > ENTRIES_MAX) {
            self.find("a table is too large".to_owned());
            return Vec::new();
        }
        let entries = (0..).zip(&module.tables).map(|(index, table)| Entries {
            initial: initial(module, table),
            access: if module.changes_table(index) { Access::Written } else { Access::Read },
            size_cell: sizes[index as usize],
            reserve: table.minimum,
        });
        let mut tables: Vec<Entries> = entries.collect();
        for step in module.steps() {
            let Step::Elements(index) = step else { continue };
            let segment = &module.elements[index];
            let Some((table, start)) = segment.active else { continue };
            let entries = &mut tables[table as usize].initial;
            let places = entries.iter_mut().skip(start as usize);
            places.zip(&segment.items).for_each(|(entry, item)| *entry = item.function());
        }
        tables
    }

    fn text_relocations(&mut self, text_index: usize, program: &Program) -> BTreeMap<u32, (RelocationKind, Named)> {
        let mut named = BTreeMap::new();
        let relocations: Vec<_> = self.elf.relocations.iter().filter(|r| r.section == text_index).copied().collect();
        for relocation in relocations {
            let symbol = &self.elf.symbols[relocation.symbol];
            let Some(what) = self.named(symbol, program) else {
                let message = format!(
                    "the relocation at code offset {:#x} names {:?}, which code may not",
                    relocation.offset, symbol.name
                );
                self.find(message);
                continue;
            };
            if named.insert(relocation.offset, (relocation.kind, what)).is_some() {
                self.find(format!("two relocations at code offset {:#x}", relocation.offset));
            }
        }
        named
    }

    fn named(&self, symbol: &Symbol, program: &Program) -> Option<Named> {
        if symbol.home == Home::Undefined {
            if symbol.name == abi::STACK_LIMIT {
                return Some(Named::StackLimit);
            }
            return self.import_of(symbol).map(Named::Function);
        }
        let is = |what: &str| self.elf.symbol(&self.name(what)) == Some(symbol);
        let region = program.regions.keys().find(|base| match base {
            Base::Memory(memory) => is(&format!("memory{memory}")),
            Base::Instance => is("instance"),
            Base::Table(table) => is(&format!("table{table}")),
            Base::Functions => is("functions"),
            Base::Results => false,
        });
        region.map(|base| Named::Region(*base)).or((is("data") || is("elements")).then_some(Named::Data))
    }

    /// The import that an undefined symbol stands for.
    fn import_of(&self, symbol: &Symbol) -> Option<u32> {
        let mut imports = self.module.imports.iter();
        let index = imports.position(|import| abi::import_symbol(&import.module, &import.field) == symbol.name)?;
        (symbol.home == Home::Undefined).then_some(index as u32)
    }

    /// The bytes of descriptors are type ids and odd code addresses, those of constant tables references to them
    /// or zeros. In an object each address is a relocation; no other word that is loaded has one, but for those
    /// of the code and of what instantiation copies into tables.
    fn check_constants(&mut self, program: &Program, text_index: usize) {
        let elf = self.elf;
        let loaded = elf.relocations.iter().filter(|one| one.section != text_index);
        let mut relocations: Relocations<'_> = loaded.map(|one| ((one.section, one.offset), one)).collect();
        if let Some((section, start)) = self.constant_place(program, Base::Functions, "functions") {
            for (function, place) in &program.descriptors {
                let at = start + DESCRIPTOR_BYTES * place;
                let id = self.module.type_index(*function).and_then(|index| self.module.type_id(index));
                let relocation = relocations.remove(&(section, at + 4));
                let found = self.code_word((program, text_index), relocation, self.word((section, at + 4)));
                if id.is_none() || self.word((section, at)) != id || found != Some(self.module.first_index(*function)) {
                    self.find(format!("the descriptor of function {function} does not describe it"));
                }
            }
        }
        for (index, table) in (0..).zip(&program.tables).filter(|(_, table)| table.access == Access::Read) {
            let Some((section, start)) = self.constant_place(program, Base::Table(index), &format!("table{index}"))
            else {
                continue;
            };
            for (entry, function) in (0..).zip(&table.initial) {
                let at = start + ENTRY_BYTES * entry;
                let relocation = relocations.remove(&(section, at));
                let wanted = function.map(|function| program.descriptors.get(&function).copied());
                if self.reference_word(program, relocation, self.word((section, at))) != Some(wanted.flatten()) {
                    self.find(format!("entry {entry} of table {index} is not what instantiation puts there"));
                }
            }
        }
        let copied = elf.symbol(&self.name("elements")).map(|symbol| symbol.home);
        for ((section, offset), relocation) in relocations {
            let names_function =
                self.named(&elf.symbols[relocation.symbol], program) == Some(Named::Region(Base::Functions));
            if copied != Some(Home::Section(section)) || !names_function || relocation.kind != RelocationKind::Abs32 {
                let name = &elf.sections[section].name;
                self.find(format!("section {name} has a relocation at {offset:#x}, where the module has no address"));
            }
        }
    }

    /// The section and the offset there of a region of constants, if the module has it.
    fn constant_place(&self, program: &Program, base: Base, what: &str) -> Option<(usize, u32)> {
        program.regions.get(&base)?;
        let symbol = self.elf.symbol(&self.name(what))?;
        match symbol.home {
            Home::Section(index) => {
                Some((index, symbol.value.wrapping_sub(self.section_start(&self.elf.sections[index]))))
            }
            Home::Undefined | Home::Absolute => None,
        }
    }

    fn word(&self, (section, at): (usize, u32)) -> Option<u32> {
        let bytes = self.elf.bytes(&self.elf.sections[section]).get(at as usize..)?;
        bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// Which descriptor a word refers to; the inner `None` is null, the outer is neither.
    fn reference_word(
        &self,
        program: &Program,
        relocation: Option<&Relocation>,
        word: Option<u32>,
    ) -> Option<Option<u32>> {
        let place = |offset: u32| (offset.is_multiple_of(DESCRIPTOR_BYTES)).then_some(Some(offset / DESCRIPTOR_BYTES));
        match (relocation, word?) {
            (None, 0) => Some(None),
            (None, address) => match program.regions.get(&Base::Functions)?.place {
                Place::Number(start) => place(address.checked_sub(start)?),
                Place::Linked => None,
            },
            (Some(relocation), addend) if relocation.kind == RelocationKind::Abs32 => {
                let named = self.named(&self.elf.symbols[relocation.symbol], program)?;
                (named == Named::Region(Base::Functions)).then_some(())?;
                place(addend)
            }
            (Some(_), _) => None,
        }
    }

    /// Which function a code address names.
    fn code_word(
        &self,
        (program, text_index): (&Program, usize),
        relocation: Option<&Relocation>,
        word: Option<u32>,
    ) -> Option<u32> {
        let starting =
            |start: u32| program.functions.iter().find(|(_, range)| range.0 == start).map(|(index, _)| *index);
        match (relocation, word?) {
            (None, address) if self.elf.kind == FileKind::Executable && address & 1 == 1 => {
                let foreign = program.imports.iter().find(|(_, at)| **at == address & !1).map(|(index, _)| *index);
                starting(address & !1).or(foreign)
            }
            (Some(relocation), addend) if relocation.kind == RelocationKind::Abs32 && addend & !1 == 0 => {
                let symbol = &self.elf.symbols[relocation.symbol];
                let own = self.code_range(symbol, text_index).filter(|_| symbol.binding == Binding::Local);
                own.and_then(|(start, _)| starting(start)).or_else(|| self.import_of(symbol))
            }
            (None | Some(_), _) => None,
        }
    }

    /// Bytes that may be executed and belong neither to the module nor to the named harness: those of
    /// executable sections, and those of executable segments that lie in no section.
    fn foreign_code(&self, text_index: usize) -> u32 {
        let loaded = || self.elf.sections.iter().enumerate().filter(|(_, section)| section.allocated);
        let foreign = loaded()
            .filter(|(index, section)| section.executable && *index != text_index && section.name != layout::HARNESS);
        let of_sections = foreign.map(|(_, section)| section.bytes);
        let of_segments = self.elf.segments.iter().filter(|segment| segment.executable).map(|segment| {
            let (start, end) = (segment.virtual_address, segment.virtual_address.saturating_add(segment.memory_bytes));
            let inside = |section: &Section| {
                let (from, to) = (section.address.max(start), (section.address + section.bytes).min(end));
                to.saturating_sub(from)
            };
            loaded().map(|(_, section)| inside(section)).fold(segment.memory_bytes, u32::saturating_sub)
        });
        of_sections.chain(of_segments).fold(0, u32::saturating_add)
    }
}

/// The entries of a table before instantiation writes any: null, or those of the segment that it is.
fn initial(module: &Module, table: &Table) -> Vec<Option<u32>> {
    let segment = table.segment.and_then(|segment| module.elements.get(segment as usize));
    let items = segment.into_iter().flat_map(|segment| &segment.items);
    let mut entries: Vec<Option<u32>> = items.map(|item| item.function()).collect();
    entries.resize(table.minimum as usize, None);
    entries
}

/// Relocations by section and offset.
type Relocations<'a> = BTreeMap<(usize, u32), &'a Relocation>;
