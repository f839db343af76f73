//! Loading: what an ELF file puts into memory before its first instruction runs.
//!
//! Requires: a file that the reader accepted.
//! Ensures: an object's sections are regions without a base and relocations put addresses into
//! them; what it does not define is a region of its own. An image's segments lie at their physical
//! addresses, its sections without bytes are poison, and so is the stack.

use std::collections::BTreeMap;

use super::region::{Access, Memory, Region};
use super::word::{Fault, RegionIndex, Word};
use crate::abi;
use crate::attributes;
use crate::elf::{Contents, Elf, FileKind, Home, Relocation, RelocationKind, Section, Segment, SymbolKind};
use crate::layout::{self, Board};
use crate::thumb::decode::decode;
use crate::thumb::feature::Target;
use crate::thumb::inst::{Inst, Width};

/// Bytes of stack that an object is run with.
pub const STACK_BYTES: u32 = 1 << 16;

/// Most bytes that are loaded, those that begin as zeros counted: no run could set more of them.
const BYTES_MAX: u32 = 1 << 27;

/// The bytes of a BL to be relocated: `BL .`, whose addend of -4 stands for the place after it.
const UNLINKED_CALL: [u8; 4] = [0xff, 0xf7, 0xfe, 0xff];

/// `B.W` to itself: no addend.
const UNLINKED_JUMP: [u8; 4] = [0xff, 0xf7, 0xfe, 0xbf];

/// An instruction that a relocation changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocated {
    /// Its bytes in the file. In memory they are poison: what linking makes of them is not known.
    pub bytes: [u8; 4],
    /// What it becomes.
    pub patch: Patch,
}

/// What a relocation makes of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patch {
    /// BL to this address.
    Call(Word),
    /// MOVW of the low half of this address.
    Low(Word),
    /// MOVT of the high half of this address.
    High(Word),
}

/// A file in memory.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its regions.
    pub memory: Memory,
    /// The region that is the stack; SP starts at its end.
    pub stack: RegionIndex,
    /// In an object, the region that addresses of code count from; in an image they are absolute.
    pub text: Option<RegionIndex>,
    /// In an object, the region of the descriptors of functions.
    pub functions: Option<RegionIndex>,
    /// Addresses of symbols whose name is unique. A function's has bit 0 set.
    pub symbols: BTreeMap<String, Word>,
    /// Changed instructions, by address of code.
    pub relocated: BTreeMap<u32, Relocated>,
    /// What the code is for.
    pub target: Target,
    /// Where an image's vector table is.
    pub vectors: u32,
}

impl Loaded {
    /// An address of code as the word that a program has for it, bit 0 clear.
    pub fn code_word(&self, pc: u32) -> Word {
        match self.text {
            Some(region) => Word::Pointer { region, offset: pc },
            None => Word::Int(pc),
        }
    }

    /// The address of code that a word with bit 0 set is, or `None` if it is no such word.
    pub fn code_address(&self, word: Word) -> Option<u32> {
        let odd = match (word, self.text) {
            (Word::Int(address), None) => address,
            (Word::Pointer { region, offset }, Some(text)) if region == text => offset,
            (Word::Int(_) | Word::Pointer { .. } | Word::Low { .. } | Word::Poison, Some(_) | None) => return None,
        };
        (odd & 1 == 1).then_some(odd & !1)
    }
}

/// Loads a file. The code of an object is its one executable section.
pub fn run(elf: &Elf<'_>) -> Result<Loaded, Fault> {
    let loaded = elf.sections.iter().filter(|section| section.allocated);
    if loaded.fold(0, |bytes: u32, section| bytes.saturating_add(section.bytes)) > BYTES_MAX {
        return fault(format!("there are more than {BYTES_MAX} bytes to load"));
    }
    match elf.kind {
        FileKind::Relocatable => object(elf),
        FileKind::Executable => image(elf),
    }
}

fn fault<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Other(why.into()))
}

fn target(elf: &Elf<'_>) -> Result<Target, Fault> {
    attributes::read(elf).map_err(Fault::Other)
}

fn access(section: &Section) -> Access {
    match (section.executable, section.writable) {
        (true, _) => Access::Execute,
        (false, true) => Access::ReadWrite,
        (false, false) => Access::ReadOnly,
    }
}

fn object(elf: &Elf<'_>) -> Result<Loaded, Fault> {
    let mut memory = Memory::default();
    let stack = Region::new("stack", None, Access::ReadWrite, vec![0; STACK_BYTES as usize]);
    let stack = memory.add(stack.aligned(8));
    let mut regions = BTreeMap::new();
    let (mut text, mut functions) = (None, None);
    for (index, section) in elf.sections.iter().enumerate().filter(|(_, found)| found.allocated) {
        let mut bytes = elf.bytes(section).to_vec();
        bytes.resize(section.bytes as usize, 0);
        let found = Region::new(&section.name, None, access(section), bytes);
        let region = memory.add(if section.align.is_power_of_two() { found.aligned(section.align) } else { found });
        regions.insert(index, region);
        if section.name.starts_with(".rodata.") && section.name.ends_with(".functions") {
            functions = Some(region);
        }
        if section.executable && section.bytes > 0 && text.replace(region).is_some() {
            return fault("an object with two sections of code");
        }
    }
    let mut loader = Object { elf, memory, regions, stack, externals: BTreeMap::new() };
    let words = loader.words()?;
    let mut relocated = BTreeMap::new();
    for relocation in &elf.relocations {
        if let Some(instruction) = loader.relocate(relocation, &words)? {
            relocated.insert(relocation.offset, instruction);
        }
    }
    let mut memory = loader.memory;
    poison(&mut memory, stack);
    let symbols = unique(elf, &words);
    Ok(Loaded { memory, stack, text, functions, symbols, relocated, target: target(elf)?, vectors: 0 })
}

fn poison(memory: &mut Memory, region: RegionIndex) {
    if let Some(region) = memory.region_mut(region) {
        region.poison(0, region.len());
    }
}

/// The symbols with a unique name.
fn unique(elf: &Elf<'_>, words: &[Option<Word>]) -> BTreeMap<String, Word> {
    let mut named: BTreeMap<String, Option<Word>> = BTreeMap::new();
    for (symbol, word) in elf.symbols.iter().zip(words) {
        if let Some(word) = word
            && !symbol.name.is_empty()
        {
            let entry = named.entry(symbol.name.clone());
            entry.and_modify(|found| *found = None).or_insert(Some(*word));
        }
    }
    named.into_iter().filter_map(|(name, word)| Some((name, word?))).collect()
}

struct Object<'a> {
    elf: &'a Elf<'a>,
    memory: Memory,
    /// Region of each loaded section.
    regions: BTreeMap<usize, RegionIndex>,
    stack: RegionIndex,
    /// Addresses of what the file does not define.
    externals: BTreeMap<String, Word>,
}

impl Object<'_> {
    /// The address of each symbol that has one.
    fn words(&mut self) -> Result<Vec<Option<Word>>, Fault> {
        let elf = self.elf;
        let mut words = Vec::new();
        for symbol in &elf.symbols {
            words.push(match symbol.home {
                Home::Absolute => Some(Word::Int(symbol.value)),
                Home::Section(index) => {
                    self.regions.get(&index).map(|region| Word::Pointer { region: *region, offset: symbol.value })
                }
                Home::Undefined if symbol.name.is_empty() => None,
                Home::Undefined => Some(self.external(&symbol.name)?),
            });
        }
        Ok(words)
    }

    /// The stack limit is a word that holds the stack's lowest usable address; all else that is not
    /// defined is a function without code.
    fn external(&mut self, name: &str) -> Result<Word, Fault> {
        if let Some(word) = self.externals.get(name) {
            return Ok(*word);
        }
        let word = if name == abi::STACK_LIMIT {
            let cell = Region::new(name, None, Access::ReadOnly, vec![0; 4]);
            let region = self.memory.add(cell.aligned(4));
            let limit = Word::Pointer { region: self.stack, offset: abi::HOST_STACK_BYTES };
            self.memory.initialise(region, 0, limit)?;
            Word::Pointer { region, offset: 0 }
        } else {
            let region = self.memory.add(Region::new(name, None, Access::Execute, Vec::new()));
            Word::Pointer { region, offset: 1 }
        };
        self.externals.insert(name.to_string(), word);
        Ok(word)
    }

    fn relocate(&mut self, relocation: &Relocation, words: &[Option<Word>]) -> Result<Option<Relocated>, Fault> {
        let Some(region) = self.regions.get(&relocation.section).copied() else {
            return fault("a relocation of a section that is not loaded");
        };
        let Some(symbol) = words.get(relocation.symbol).copied().flatten() else {
            return fault("a relocation against a symbol without an address");
        };
        let is_code = self
            .elf
            .symbols
            .get(relocation.symbol)
            .is_some_and(|symbol| symbol.kind == SymbolKind::Function || symbol.home == Home::Undefined);
        // Linking sets bit 0 of a function's address behind the sum (AAELF32, 5.6.1): the addend must leave it alone.
        let even = |addend: u32| match is_code && addend & 1 == 1 {
            true => fault("an odd addend to a function's address"),
            false => Ok(addend),
        };
        let at = Word::Pointer { region, offset: relocation.offset };
        if relocation.kind == RelocationKind::Abs32 {
            let Some(addend) = self.memory.load(at, Width::Word)?.as_int() else {
                return fault("two relocations of one word");
            };
            self.memory.initialise(region, relocation.offset, symbol.plus(even(addend)?))?;
            return Ok(None);
        }
        let Some(bytes) = self.memory.fetch(at)?.first_chunk().copied() else {
            return fault("two relocations of one instruction");
        };
        let patch = match relocation.kind {
            RelocationKind::ThumbCall if bytes == UNLINKED_CALL => Patch::Call(symbol),
            RelocationKind::ThumbJump if bytes == UNLINKED_JUMP => Patch::Call(symbol),
            RelocationKind::MovwAbs => Patch::Low(symbol.plus(even(addend(&bytes)?)?)),
            RelocationKind::MovtAbs => Patch::High(symbol.plus(even(addend(&bytes)?)?)),
            RelocationKind::ThumbCall | RelocationKind::ThumbJump | RelocationKind::Abs32 => {
                return fault("a relocated call with an addend");
            }
        };
        if let Some(code) = self.memory.region_mut(region) {
            code.poison(relocation.offset, relocation.offset + 4);
        }
        Ok(Some(Relocated { bytes, patch }))
    }
}

/// The addend of a MOVW or MOVT: its immediate as a signed number (AAELF32, 5.6.1.6).
fn addend(bytes: &[u8]) -> Result<u32, Fault> {
    match decode(bytes, 0).map(|(inst, _)| inst) {
        Ok(Inst::MovW { imm, .. } | Inst::MovT { imm, .. }) => Ok(i32::from(imm.cast_signed()).cast_unsigned()),
        Ok(_) | Err(_) => fault("a MOVW or MOVT relocation of another instruction"),
    }
}

fn image(elf: &Elf<'_>) -> Result<Loaded, Fault> {
    let mut memory = Memory::default();
    for segment in elf.segments.iter().filter(|found| found.file_bytes > 0) {
        let bytes = elf.data.get(segment.offset..segment.offset + segment.file_bytes as usize);
        let Some(bytes) = bytes else {
            return fault("a segment beyond the file");
        };
        let access = match (segment.executable, segment.writable) {
            (true, _) => Access::Execute,
            (false, true) => Access::ReadWrite,
            (false, false) => Access::ReadOnly,
        };
        let name = format!("segment at {:#x}", segment.physical_address);
        memory.add(Region::new(&name, Some(segment.physical_address), access, bytes.to_vec()));
    }
    let zeros = |section: &&Section| section.allocated && section.contents == Contents::Zeros;
    let mut sections = Vec::new();
    for section in elf.sections.iter().filter(zeros) {
        let bytes = vec![0; section.bytes as usize];
        let region = Region::new(&section.name, Some(section.address), access(section), bytes);
        let region = memory.add(region);
        poison(&mut memory, region);
        sections.push(region);
    }
    let stack = image_stack(&mut memory, layout::board(elf), &sections)?;
    let is_taken = |segment: &Segment| {
        let place = (segment.virtual_address, segment.virtual_address + segment.file_bytes);
        let range = memory.region(stack).and_then(|found| Some((found.base?, found.base? + found.len())));
        range.is_some_and(|range| place.0 < range.1 && range.0 < place.1)
    };
    if elf.segments.iter().any(is_taken) {
        return fault("the stack lies in a segment that has bytes");
    }
    let words: Vec<Option<Word>> =
        elf.symbols.iter().map(|symbol| (symbol.home != Home::Undefined).then_some(Word::Int(symbol.value))).collect();
    let symbols = unique(elf, &words);
    let relocated = BTreeMap::new();
    let (target, vectors) = (target(elf)?, layout::board(elf).vectors);
    Ok(Loaded { memory, stack, text: None, functions: None, symbols, relocated, target, vectors })
}

/// The stack ends where the vector table's first word says (DDI0403, B1.5.3). It is a section without bytes
/// that ends there, or else it begins where memory or the region below it does.
fn image_stack(memory: &mut Memory, board: &Board, sections: &[RegionIndex]) -> Result<RegionIndex, Fault> {
    let Some(end) = memory.load(Word::Int(board.vectors), Width::Word)?.as_int() else {
        return fault("a vector table without a stack pointer");
    };
    if let Some((region, offset)) = memory.locate(Word::Int(end.wrapping_sub(1)), 1) {
        let is_whole =
            |found: &Region| found.len() == offset + 1 && found.access == Access::ReadWrite && end.is_multiple_of(8);
        let fits = sections.contains(&region) && memory.region(region).is_some_and(is_whole);
        return if fits { Ok(region) } else { fault("the stack ends in what is no stack") };
    }
    let range = board.memory.iter().find(|range| range.0 < end && end <= range.1);
    let range = range.filter(|_| board.has_ram(end.wrapping_sub(1), 1));
    let start = range.map(|range| memory.ends().filter(|found| *found <= end).fold(range.0, u32::max));
    let Some(start) = start.filter(|start| *start < end && end % 8 == 0) else {
        return fault("the vector table's stack pointer leaves no stack");
    };
    let bytes = vec![0; (end - start) as usize];
    let stack = memory.add(Region::new("stack", Some(start), Access::ReadWrite, bytes));
    poison(memory, stack);
    Ok(stack)
}
