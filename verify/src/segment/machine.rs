//! The machine's state as terms, and what its loads and stores mean.
//!
//! Memory is split into regions: linear memories and tables (one array each), the instance's cells (one word each),
//! the frame and the incoming arguments (one word each, by offset from SP at entry), the caller's area
//! for several results (one word each), and constants (the code itself, and constant tables). An address that
//! is a fault. Words below SP do not survive the instruction.
//!
//! What Wasm types as a reference to a function is null or the address of a descriptor: arguments, results,
//! globals, locals, operands and table entries. Such words are *known references*. An address that is one of
//! them, shown not to be null, plus 0 or 4 lies in a descriptor. Only known references are written to tables,
//! so what is read from there is one.

mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::abi::{self, Place};
use crate::domain::{Bin32, Cmp, Domain};
use crate::hints::{Base, Location};
use crate::program::{ENTRY_BYTES, Word};
use crate::term::node::Width;
use crate::term::{Id, Term32, TermMem, Terms};
use crate::thumb::feature::Target;
use crate::thumb::flags::Flags;
use crate::thumb::inst::{Inst, Reg, Width as Bytes};
use crate::thumb::sem::{Alignment, ItState, Machine};
use crate::verdict::Method;
use crate::wasm::module::{Function, ValueType};
use crate::wasm::sem::Value;

use super::goal;
use super::relation::Ghosts;
use super::symbolic::{Constants, SourceWorld, Stop, Symbolic, TermValue, region_bounds};

/// Registers, flags and memory.
#[derive(Clone)]
pub struct MachineState {
    /// By number; that of PC means nothing.
    pub registers: [Term32; Reg::COUNT],
    /// The condition flags.
    pub flags: Flags<Symbolic>,
    /// Those of the floating-point unit.
    float_flags: Flags<Symbolic>,
    /// What is left of an IT block.
    pub it: ItState,
    /// Linear memories, by index.
    pub memories: Vec<TermMem>,
    /// Words of the instance region, by offset.
    cells: Rc<BTreeMap<u32, Term32>>,
    /// Words of the stack that are known, by offset from SP at entry.
    stack: Rc<BTreeMap<i32, Term32>>,
    /// Words of the function's own result area that are known, by offset.
    results: Rc<BTreeMap<u32, Term32>>,
    /// First offset behind the incoming arguments.
    arguments_end: i32,
    touched: bool,
    constants_read: Vec<u32>,
    /// Entries of the tables that can change.
    pub tables: Vec<Option<TermMem>>,
    /// Known references, in normal form.
    references: Rc<BTreeSet<Id>>,
    new_references: Vec<Term32>,
}

/// Registers and flags.
pub struct Core {
    registers: [Term32; Reg::COUNT],
    flags: Flags<Symbolic>,
    float_flags: Flags<Symbolic>,
    it: ItState,
}

/// Where an address lies.
enum Where {
    Memory(u32, Term32),
    Instance(Term32),
    Table(u32, Term32),
    /// The type id or the code address of the function with this reference.
    Descriptor(Term32, DescriptorWord),
    StackLimit,
    Stack(i32),
    Results(u32),
}

/// A word of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DescriptorWord {
    Type,
    Code,
}

impl MachineState {
    /// The registers at entry: unknowns, SP the entry SP, LR a return address.
    pub fn entry_registers(symbolic: &mut Symbolic) -> [Term32; Reg::COUNT] {
        std::array::from_fn(|register| match (register, symbolic.constants.results) {
            (0, Some(area)) => area.address,
            (13, _) => symbolic.constants.entry_sp,
            _ => symbolic.terms.fresh32(&format!("{} at entry", abi::register_name(register as u8))),
        })
    }

    /// The state at entry under AAPCS, and the arguments it passes.
    pub fn entry(
        symbolic: &mut Symbolic,
        world: &SourceWorld,
        function: &Function,
        ghosts: &Ghosts,
    ) -> (MachineState, Vec<TermValue>) {
        let mut state = MachineState::junk(&mut symbolic.terms, &symbolic.constants, world, 0);
        state.registers = ghosts.registers;
        let places = symbolic.convention(&function.signature).arguments;
        state.set_arguments(symbolic, function);
        let mut arguments = Vec::new();
        for words in places {
            let words: Vec<Term32> = words
                .into_iter()
                .map(|place| match place {
                    Place::Register(register) => state.registers[usize::from(register)],
                    Place::Stack(offset) => {
                        let word = symbolic.terms.fresh32("argument");
                        Rc::make_mut(&mut state.stack).insert(offset as i32, word);
                        word
                    }
                })
                .collect();
            arguments.push(match words[..] {
                [low, high] => Value::W64(symbolic.terms.join(&high, &low)),
                _ => Value::W32(words[0]),
            });
        }
        (state, arguments)
    }

    /// A state of which only the world and the depth of SP are known.
    pub fn junk(terms: &mut Terms, constants: &Constants, world: &SourceWorld, depth: u32) -> MachineState {
        let depth = terms.w32(depth);
        let sp = terms.bin32(Bin32::Sub, &constants.entry_sp, &depth);
        let registers = std::array::from_fn(|register| match register {
            13 => sp,
            _ => terms.fresh32("junk"),
        });
        let [flags, float_flags] = [(), ()].map(|()| junk_flags(terms));
        let cells = Rc::new(cells(terms, constants, world));
        MachineState {
            registers,
            flags,
            float_flags,
            it: ItState::default(),
            memories: world.memories.iter().map(|memory| memory.contents).collect(),
            cells,
            stack: Rc::default(),
            results: Rc::default(),
            arguments_end: 0,
            touched: false,
            constants_read: Vec::new(),
            tables: entries(world),
            references: Rc::default(),
            new_references: Vec::new(),
        }
    }

    /// Behind a call: caller-saved registers, flags, outgoing arguments and everything below SP are
    /// junk, the world is the given one.
    pub fn clobber(&mut self, symbolic: &mut Symbolic, world: &SourceWorld, argument_bytes: u32) {
        self.clobber_registers(symbolic, argument_bytes);
        self.memories = world.memories.iter().map(|memory| memory.contents).collect();
        self.cells = Rc::new(cells(&mut symbolic.terms, &symbolic.constants, world));
        self.tables = entries(world);
    }

    /// From now on a word is a known reference: Wasm types it as one to a function.
    pub fn know_reference(&mut self, word: Term32) {
        if Rc::make_mut(&mut self.references).insert(word.norm) {
            self.new_references.push(word);
        }
    }

    /// The known references that there were not before this was last asked.
    pub fn take_new_references(&mut self) -> Vec<Term32> {
        std::mem::take(&mut self.new_references)
    }

    /// From now on those values are known references that have the type of one.
    pub fn know_references<'v>(&mut self, values: impl IntoIterator<Item = (&'v TermValue, ValueType)>) {
        for (value, ty) in values {
            if let (Value::W32(word), ValueType::FuncRef) = (value, ty) {
                self.know_reference(*word);
            }
        }
    }

    /// From now on the globals of a world are known references that have the type of one.
    pub fn know_globals(&mut self, constants: &Constants, world: &SourceWorld) {
        self.know_references(world.globals.iter().zip(constants.globals.iter().copied()));
    }

    /// What a call destroys that leaves the world as it is.
    pub fn clobber_registers(&mut self, symbolic: &mut Symbolic, argument_bytes: u32) {
        for register in abi::caller_saved(symbolic.program.target.float) {
            self.registers[usize::from(register)] = symbolic.terms.fresh32("junk");
        }
        self.flags = junk_flags(&mut symbolic.terms);
        self.float_flags = junk_flags(&mut symbolic.terms);
        if let Ok(depth) = self.depth(&mut symbolic.terms, &symbolic.constants) {
            let top = argument_bytes as i32 - depth as i32;
            self.forget_below(top);
        }
    }

    /// How many bytes SP is below SP at entry.
    ///
    /// # Errors
    /// SP is not at a constant distance, or above entry.
    pub fn depth(&self, terms: &mut Terms, constants: &Constants) -> Result<u32, String> {
        let distance = terms.distance(constants.entry_sp, self.registers[13]);
        match distance {
            Some(depth) if depth <= i32::MAX as u32 && depth.is_multiple_of(4) => Ok(depth),
            Some(_) => Err("SP is above its value at entry or not a multiple of 4".to_owned()),
            None => Err("SP is not at a constant distance from its value at entry".to_owned()),
        }
    }

    /// The word at a location.
    ///
    /// # Errors
    /// There is no such location, or nothing is known of it.
    pub fn location(&self, location: Location) -> Result<Term32, String> {
        match location {
            Location::Stack(offset) => {
                self.stack.get(&offset).copied().ok_or_else(|| format!("stack word {offset:+} holds nothing known"))
            }
            Location::Core(_) | Location::Single(_) => {
                let register =
                    abi::register_at(location).ok_or_else(|| format!("there is no register {location:?}"))?;
                Ok(self.registers[usize::from(register)])
            }
        }
    }

    /// The stack words that are known, with their places.
    pub fn stack_words(&self) -> impl Iterator<Item = (Location, Term32)> {
        self.stack.iter().map(|(offset, word)| (Location::Stack(*offset), *word))
    }

    /// Says what a location holds, at a cut.
    ///
    /// # Errors
    /// No value can be there.
    pub fn set_location(&mut self, location: Location, word: Term32) -> Result<(), String> {
        match location {
            Location::Core(13) => Err("SP is listed as a location".to_owned()),
            Location::Core(_) | Location::Single(_) => {
                let register = abi::register_at(location).ok_or("a cut lists a register there is not")?;
                self.registers[usize::from(register)] = word;
                Ok(())
            }
            Location::Stack(offset) if offset % 4 == 0 => {
                Rc::make_mut(&mut self.stack).insert(offset, word);
                Ok(())
            }
            Location::Stack(offset) => Err(format!("stack offset {offset} is no word")),
        }
    }

    /// Says how far the incoming arguments of a function reach.
    pub fn set_arguments(&mut self, symbolic: &Symbolic, function: &Function) {
        self.arguments_end = symbolic.convention(&function.signature).stack_bytes as i32;
    }

    /// A word of the function's own result area.
    pub fn result(&self, offset: u32) -> Result<Term32, String> {
        self.results.get(&offset).copied().ok_or_else(|| format!("the result area's word at {offset} is not stored"))
    }

    /// Several results of a call: an area of the frame from `start` on holds these words at these
    /// offsets, and nothing else that is known.
    pub fn set_results(&mut self, start: i32, bytes: u32, words: impl Iterator<Item = (u32, Term32)>) {
        let stack = Rc::make_mut(&mut self.stack);
        stack.retain(|offset, _| *offset < start || *offset >= start + bytes as i32);
        stack.extend(words.map(|(offset, word)| (start + offset as i32, word)));
    }

    /// A word of the instance region.
    pub fn cell(&self, offset: u32) -> Result<Term32, String> {
        self.cells.get(&offset).copied().ok_or_else(|| format!("there is no instance word at {offset}"))
    }

    /// Words below SP are junk from now on: an interrupt may push there.
    ///
    /// # Errors
    /// SP is not at a known distance.
    pub fn forget_below_sp(&mut self, symbolic: &mut Symbolic) -> Result<(), String> {
        let depth = self.depth(&mut symbolic.terms, &symbolic.constants)? as i32;
        self.forget_below(-depth);
        Ok(())
    }

    fn forget_below(&mut self, top: i32) {
        if self.stack.first_key_value().is_some_and(|(offset, _)| *offset < top) {
            let stack = Rc::make_mut(&mut self.stack);
            *stack = stack.split_off(&top);
        }
    }

    /// What a step may change before its decisions are made.
    pub fn core(&self) -> Core {
        Core {
            registers: self.registers,
            flags: self.flags.clone(),
            float_flags: self.float_flags.clone(),
            it: self.it,
        }
    }

    /// Undoes what a step changed before a decision that could not be made.
    pub fn restore(&mut self, core: Core) {
        self.registers = core.registers;
        self.flags = core.flags;
        self.float_flags = core.float_flags;
        self.it = core.it;
    }

    /// Whether memory other than constants was read or written since entry.
    pub fn touched_memory(&self) -> bool {
        self.touched
    }

    /// Whether instructions of an IT block follow.
    pub fn in_it_block(&self) -> bool {
        self.it.is_active()
    }

    /// Addresses of the code bytes read as constants by the last instruction.
    pub fn take_constants_read(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.constants_read)
    }
}

/// The entries of a world's tables that can change.
fn entries(world: &SourceWorld) -> Vec<Option<TermMem>> {
    world.tables.iter().map(|table| table.entries).collect()
}

fn junk_flags(terms: &mut Terms) -> Flags<Symbolic> {
    let bits = std::array::from_fn(|_| terms.fresh_bool("flag"));
    Flags::from_bits(bits)
}

/// The words of the instance region for a world.
fn cells(terms: &mut Terms, constants: &Constants, world: &SourceWorld) -> BTreeMap<u32, Term32> {
    let mut cells = BTreeMap::new();
    for (memory, limits) in world.memories.iter().zip(&constants.memories) {
        cells.extend(limits.length_cell.map(|cell| (cell, memory.length)));
    }
    for (table, limits) in world.tables.iter().zip(&constants.tables) {
        cells.extend(limits.size_cell.map(|cell| (cell, table.size)));
    }
    for (index, value) in world.globals.iter().enumerate() {
        let Some(offset) = constants.cells[index] else { continue };
        for (word, at) in goal::words(terms, value).into_iter().zip([offset, offset + 4]) {
            cells.insert(at, word);
        }
    }
    cells
}

impl Symbolic {
    /// The region that an access of so many bytes lies in, or a fault.
    fn place(&mut self, address: Term32, bytes: u32) -> Result<Where, Stop> {
        if let Some((region, offset)) = self.terms.split_region(address) {
            if region == self.constants.entry_sp {
                let offset = self.terms.as_const32(offset);
                let offset = offset.ok_or_else(|| Stop::Fault("a stack address is not constant".to_owned()))?;
                return Ok(Where::Stack(offset as i32));
            }
            if let Some(area) = self.constants.results.filter(|area| area.address == region) {
                let offset = self.terms.as_const32(offset).filter(|offset| {
                    offset % 4 == 0 && bytes == 4 && offset.checked_add(4).is_some_and(|end| end <= area.bytes)
                });
                let why = "the result area is not accessed as a word of its own at a constant offset";
                return offset.map(Where::Results).ok_or_else(|| Stop::Fault(why.to_owned()));
            }
            if Some(region) == self.constants.regions.stack_limit
                && self.terms.as_const32(offset) == Some(0)
                && bytes == 4
            {
                return Ok(Where::StackLimit);
            }
        }
        if self.constants.regions.stack_limit.is_some_and(|limit| limit.norm == address.norm) && bytes == 4 {
            return Ok(Where::StackLimit);
        }
        if let Some(place) = self.descriptor(address, bytes) {
            return Ok(place);
        }
        let extents: Vec<_> = self.constants.regions.extents.iter().map(|(base, extent)| (*base, *extent)).collect();
        for method in [Method::Facts, Method::Solver] {
            for (base, extent) in &extents {
                let Some(last) = extent.bytes.checked_sub(bytes) else { continue };
                let offset = self.terms.bin32(Bin32::Sub, &address, &extent.address);
                if self.is_at_most(offset, last, method) {
                    self.note_access(method);
                    return Ok(match base {
                        Base::Memory(memory) => Where::Memory(*memory, offset),
                        Base::Instance => Where::Instance(offset),
                        Base::Table(table) => Where::Table(*table, offset),
                        Base::Functions => return self.own_descriptor(address, offset),
                        Base::Results => unreachable!("it is no region of the program"),
                    });
                }
            }
        }
        Err(Stop::Fault("the address is not shown to lie inside one region".to_owned()))
    }

    fn constant_offset(&self, offset: Term32, bytes: u32) -> Result<u32, Stop> {
        match self.terms.as_const32(offset) {
            Some(offset) if bytes == 4 && offset % 4 == 0 => Ok(offset),
            _ => Err(Stop::Fault("a cell is not accessed as a whole word at a constant offset".to_owned())),
        }
    }

    /// Alignment that LDRD, LDM and the like need (DDI0403, A3.2.1), and on Armv6-M every access. A region
    /// begins at a multiple of 8, and in cells and tables only words are accessed.
    fn require_aligned(&mut self, place: &Where, alignment: Alignment) -> Result<(), Stop> {
        let bytes = alignment.bytes();
        let aligned = match place {
            Where::Stack(offset) => offset.unsigned_abs().is_multiple_of(bytes),
            Where::Instance(_) | Where::Table(..) | Where::Descriptor(..) | Where::StackLimit | Where::Results(_) => {
                true
            }
            Where::Memory(_, offset) => {
                let (mask, zero) = (self.terms.w32(bytes - 1), self.terms.w32(0));
                let rest = self.terms.bin32(Bin32::And, offset, &mask);
                let is_multiple = self.terms.cmp32(Cmp::Eq, &rest, &zero);
                self.prover.decide(&mut self.terms, &self.facts, is_multiple) == Some(true)
            }
        };
        let message = || Stop::Fault(format!("the address is not shown to be a multiple of {bytes}"));
        aligned.then_some(()).ok_or_else(message)
    }

    /// Reads bytes, zero-extended.
    pub(super) fn read(&mut self, address: Term32, width: Width, alignment: Alignment) -> Result<Term32, Stop> {
        let place = self.place(address, width.bytes())?;
        if alignment != Alignment::Any {
            self.require_aligned(&place, alignment)?;
        }
        match place {
            Where::Memory(memory, offset) => Ok(self.terms.load(self.machine.memories[memory as usize], offset, width)),
            Where::Instance(offset) => {
                let offset = self.constant_offset(offset, width.bytes())?;
                self.machine.cell(offset).map_err(Stop::Fault)
            }
            Where::Table(table, offset) => self.read_table(table, offset, width),
            Where::Descriptor(reference, word) if width == Width::Word => {
                let functions = self.constants.functions;
                let which = match word {
                    DescriptorWord::Type => functions.type_id,
                    DescriptorWord::Code => functions.code,
                };
                Ok(self.described(which, reference))
            }
            Where::Descriptor(..) => Err(Stop::Fault("a descriptor is not read as words".to_owned())),
            Where::StackLimit => Ok(self.constants.limit),
            Where::Results(offset) => {
                self.machine.touched = true;
                Ok(self.machine.result(offset).unwrap_or_else(|_| self.terms.fresh32("junk")))
            }
            Where::Stack(offset) => {
                self.machine.touched = true;
                let depth = self.machine.depth(&mut self.terms, &self.constants).map_err(Stop::Fault)?;
                let below = offset < -(depth as i32);
                if below || offset % 4 != 0 || width != Width::Word {
                    return Err(Stop::Fault(format!("the stack is read at {offset:+}, which is below SP or no word")));
                }
                if offset >= self.machine.arguments_end.max(0) {
                    return Err(Stop::Fault(format!("the stack is read at {offset:+}, which belongs to the caller")));
                }
                match self.machine.stack.get(&offset) {
                    Some(word) => Ok(*word),
                    None => Ok(self.terms.fresh32("junk")),
                }
            }
        }
    }

    /// A table's entry.
    fn read_table(&mut self, table: u32, offset: Term32, width: Width) -> Result<Term32, Stop> {
        self.require_entry(table, offset, width)?;
        let reference = match self.machine.tables[table as usize] {
            Some(entries) => self.terms.load(entries, offset, Width::Word),
            None => {
                let index = self.quotient(offset, ENTRY_BYTES);
                self.entry(table, None, index)?
            }
        };
        if self.constants.tables[table as usize].of_functions {
            self.machine.know_reference(reference);
        }
        Ok(reference)
    }

    fn write_table(&mut self, table: u32, (offset, width): (Term32, Width), value: Term32) -> Result<(), Stop> {
        self.require_entry(table, offset, width)?;
        let Some(entries) = self.machine.tables[table as usize] else {
            return Err(Stop::Fault("a constant is written".to_owned()));
        };
        if self.constants.tables[table as usize].of_functions && !self.is_reference(value) {
            return Err(Stop::Fault(format!("what is written to table {table} is not shown to be a reference")));
        }
        self.machine.tables[table as usize] = Some(self.terms.store(entries, offset, Width::Word, value));
        Ok(())
    }

    fn require_entry(&self, table: u32, offset: Term32, width: Width) -> Result<(), Stop> {
        if width != Width::Word || self.multiple_of(offset, ENTRY_BYTES) != Some(0) {
            return Err(Stop::Fault(format!("table {table} is not accessed by whole entries")));
        }
        Ok(())
    }

    /// A word whose multiple is one whose form tells that it is such a multiple. Any will do; signed quotients keep
    /// small factors small.
    fn quotient(&mut self, multiple: Term32, of: u32) -> Term32 {
        let linear = self.terms.linear(multiple.norm);
        let part = |number: u32| (number as i32).div_euclid(of as i32) as u32;
        let mut index = self.terms.w32(part(linear.constant));
        for (atom, factor) in linear.monomials.iter() {
            let atom = Term32 { raw: *atom, norm: *atom };
            let factor = self.terms.w32(part(*factor));
            let product = self.terms.bin32(Bin32::Mul, &atom, &factor);
            index = self.terms.bin32(Bin32::Add, &index, &product);
        }
        index
    }

    /// Writes the low bytes of a word.
    pub(super) fn write(
        &mut self,
        (address, width): (Term32, Width),
        value: Term32,
        alignment: Alignment,
    ) -> Result<(), Stop> {
        let place = self.place(address, width.bytes())?;
        if alignment != Alignment::Any {
            self.require_aligned(&place, alignment)?;
        }
        self.machine.touched = true;
        match place {
            Where::Memory(memory, _) if self.constants.memories[memory as usize].is_segment => {
                Err(Stop::Fault("a data segment is written".to_owned()))
            }
            Where::Memory(memory, offset) => {
                let contents = &mut self.machine.memories[memory as usize];
                *contents = self.terms.store(*contents, offset, width, value);
                Ok(())
            }
            Where::Instance(offset) => {
                let offset = self.constant_offset(offset, width.bytes())?;
                match Rc::make_mut(&mut self.machine.cells).get_mut(&offset) {
                    Some(word) => *word = value,
                    None => return Err(Stop::Fault(format!("there is no cell at {offset}"))),
                }
                Ok(())
            }
            Where::Table(table, offset) => self.write_table(table, (offset, width), value),
            Where::Descriptor(..) | Where::StackLimit => Err(Stop::Fault("a constant is written".to_owned())),
            Where::Stack(offset) => self.write_stack(offset, width, value),
            Where::Results(offset) => {
                Rc::make_mut(&mut self.machine.results).insert(offset, value);
                Ok(())
            }
        }
    }

    fn write_stack(&mut self, offset: i32, width: Width, value: Term32) -> Result<(), Stop> {
        let depth = self.machine.depth(&mut self.terms, &self.constants).map_err(Stop::Fault)?;
        if offset < -(depth as i32) {
            return Err(Stop::Fault(format!("the stack is written at {offset:+}, below SP")));
        }
        if offset >= self.machine.arguments_end.max(0) {
            return Err(Stop::Fault(format!("the stack is written at {offset:+}, which belongs to the caller")));
        }
        if width != Width::Word || offset % 4 != 0 {
            return Err(Stop::Fault("the stack is not written as whole words".to_owned()));
        }
        Rc::make_mut(&mut self.machine.stack).insert(offset, value);
        Ok(())
    }
}

fn width(of: Bytes) -> Width {
    match of {
        Bytes::Byte => Width::Byte,
        Bytes::Half => Width::Half,
        Bytes::Word => Width::Word,
    }
}

impl Symbolic {
    /// A word of constant data as a term.
    pub(super) fn constant_word(&mut self, word: Word) -> Result<Term32, Stop> {
        match word {
            Word::Number(number) => Ok(self.terms.w32(number)),
            Word::Base(base, addend) => {
                let extent = self.constants.regions.extents.get(&base).copied();
                let extent = extent.ok_or_else(|| Stop::Fault(format!("the module has no region {base:?}")))?;
                let addend = self.terms.w32(addend);
                Ok(self.terms.bin32(Bin32::Add, &extent.address, &addend))
            }
            Word::StackLimit => {
                self.constants.regions.stack_limit.ok_or_else(|| Stop::Fault("the file has no stack limit".to_owned()))
            }
        }
    }

    /// MOVW or MOVT whose constant is a half of this address and the addend that the instruction holds, a
    /// signed number (AAELF32, 5.6.1.6).
    pub(super) fn set_half(&mut self, inst: &Inst, word: Word) -> Result<(), Stop> {
        let (Inst::MovW { imm, .. } | Inst::MovT { imm, .. }) = *inst else {
            return Err(Stop::Fault("a relocation that is not modelled".to_owned()));
        };
        let (start, addend) = (self.constant_word(word)?, self.terms.w32(i32::from(imm.cast_signed()).cast_unsigned()));
        let address = self.terms.bin32(Bin32::Add, &start, &addend);
        let (low, high) = (self.terms.w32(0xffff), self.terms.w32(0xffff_0000));
        match *inst {
            Inst::MovW { d, .. } if !self.machine.it.is_active() => {
                let half = self.terms.bin32(Bin32::And, &address, &low);
                self.set_register(d, half)
            }
            Inst::MovT { d, .. } if !self.machine.it.is_active() => {
                let old = self.register(d)?;
                let kept = self.terms.bin32(Bin32::And, &old, &low);
                let half = self.terms.bin32(Bin32::And, &address, &high);
                let word = self.terms.bin32(Bin32::Or, &kept, &half);
                self.set_register(d, word)
            }
            _ => Err(Stop::Fault("a relocation that is not modelled".to_owned())),
        }
    }
}

impl Machine for Symbolic {
    fn target(&self) -> Target {
        self.program.target
    }

    fn fault(&mut self, reason: String) -> Stop {
        Stop::Fault(reason)
    }

    fn register(&mut self, register: Reg) -> Result<Term32, Stop> {
        if register == Reg::PC {
            return Err(Stop::Fault("PC is read as a register".to_owned()));
        }
        Ok(self.machine.registers[usize::from(register.number())])
    }

    fn set_register(&mut self, register: Reg, word: Term32) -> Result<(), Stop> {
        if register == Reg::PC {
            return Err(Stop::Fault("PC is written as a register".to_owned()));
        }
        self.machine.registers[usize::from(register.number())] = word;
        Ok(())
    }

    fn flags(&self) -> Flags<Symbolic> {
        self.machine.flags.clone()
    }

    fn set_flags(&mut self, flags: Flags<Symbolic>) {
        self.machine.flags = flags;
    }

    fn float_flags(&self) -> Flags<Symbolic> {
        self.machine.float_flags.clone()
    }

    fn set_float_flags(&mut self, flags: Flags<Symbolic>) {
        self.machine.float_flags = flags;
    }

    fn it(&self) -> ItState {
        self.machine.it
    }

    fn set_it(&mut self, it: ItState) {
        self.machine.it = it;
    }

    fn load(&mut self, address: &Term32, bytes: Bytes, alignment: Alignment) -> Result<Term32, Stop> {
        self.read(*address, width(bytes), alignment)
    }

    fn store(&mut self, address: &Term32, bytes: Bytes, alignment: Alignment, word: &Term32) -> Result<(), Stop> {
        self.write((*address, width(bytes)), *word, alignment)
    }

    fn constant(&mut self, address: u32, bytes: Bytes) -> Result<Term32, Stop> {
        if bytes != Bytes::Word || !address.is_multiple_of(4) {
            return Err(Stop::Fault("a literal is no aligned word".to_owned()));
        }
        let word = self.program.constant(address).map_err(Stop::Fault)?;
        self.machine.constants_read.extend(address..address.saturating_add(4));
        self.constant_word(word)
    }

    fn code_address(&mut self, _address: u32) -> Result<Term32, Stop> {
        Err(Stop::Fault("the address of code is computed".to_owned()))
    }

    fn jump_table(&mut self, table: u32, index: &Term32, bytes: Bytes) -> Result<u32, Stop> {
        let (low, high) = self.bounded(*index, JUMPS_MAX)?;
        // Indices that lead to one target are one way.
        let (mut ends, mut targets): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for index in low..=high {
            let entry = self.jump_entry(table, index, bytes)?;
            if targets.last().is_some_and(|last| *last != entry) {
                ends.push(index);
            }
            if ends.len() == targets.len() {
                targets.push(entry);
            }
        }
        let run = self.among(*index, &ends)?;
        let from = run.checked_sub(1).map_or(low, |before| ends[before]);
        let to = ends.get(run).map_or(high, |end| end - 1);
        for index in from..=to {
            let first = table.wrapping_add(index.wrapping_mul(bytes.bytes()));
            self.machine.constants_read.extend(first..first.saturating_add(bytes.bytes()));
        }
        self.jump_end = Some(to.saturating_add(1));
        Ok(targets[run])
    }
}

impl Symbolic {
    /// One entry of a jump table.
    fn jump_entry(&self, table: u32, index: u32, bytes: Bytes) -> Result<u32, Stop> {
        let first = table.wrapping_add(index.wrapping_mul(bytes.bytes()));
        let mut entry = 0;
        for (position, address) in (first..first.saturating_add(bytes.bytes())).enumerate() {
            entry |= u32::from(self.program.constant_byte(address).map_err(Stop::Fault)?) << (8 * position);
        }
        Ok(entry)
    }
}

/// Entries that a jump table may have: its targets lie behind it, at most 65535 halfwords away.
const JUMPS_MAX: u32 = 65536;

/// The address of a region, as a term.
pub fn region_term(symbolic_terms: &mut Terms, name: &str, bytes: u32) -> Term32 {
    symbolic_terms.region(name, region_bounds(bytes))
}
