//! The code of a file as text: what the validator's own decoder makes of it.
//!
//! Ensures: every byte of every section with code is printed, as an instruction, as data, or as
//! what the decoder does not know. Nothing here bears on a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;

use crate::elf::{Elf, ElfError, FileKind, Home, Section, SymbolKind};
use crate::hints::codec;
use crate::thumb::decode::decode;
use crate::thumb::inst::{Cond, Inst};
use crate::thumb::text::Text;

/// The text of all code.
///
/// # Errors
/// The bytes are no ELF file for Arm.
pub fn run(file: &[u8]) -> Result<String, ElfError> {
    let elf = Elf::read(file)?;
    let mut text = String::new();
    for (index, section) in elf.sections.iter().enumerate().filter(|(_, section)| section.executable) {
        let listing = Listing::new(&elf, index, section);
        _ = writeln!(text, "section {}:", section.name);
        listing.print(&mut text);
    }
    Ok(text)
}

/// A stretch of code as it stands in a section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its address; in an object the offset in its section.
    pub address: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it is no instruction.
    pub is_data: bool,
    /// What it says.
    pub text: String,
}

/// Of stretches of addresses: the offsets there of bytes that are no instructions. Elsewhere mapping symbols tell.
pub type Kinds = Vec<(Range<u32>, BTreeSet<u32>)>;

/// The code of one section, each byte once.
pub fn rows(elf: &Elf<'_>, section: usize, known: &Kinds) -> Vec<Row> {
    let mut listing = Listing::new(elf, section, &elf.sections[section]);
    for (range, data) in known {
        let behind = listing.is_data(range.end);
        listing.kinds.retain(|address, _| !range.contains(address));
        let mut before = None;
        for at in range.clone() {
            let is_data = data.contains(&(at - range.start));
            if before != Some(is_data) {
                listing.kinds.insert(at, is_data);
            }
            before = Some(is_data);
        }
        listing.kinds.entry(range.end).or_insert(behind);
    }
    let mut rows = Vec::new();
    listing.each(|address, bytes, (is_data, text)| {
        rows.push(Row { address, bytes: bytes.to_vec(), is_data, text });
    });
    rows
}

/// What is known about the addresses of one section.
struct Listing<'a> {
    code: &'a [u8],
    start: u32,
    /// Names of functions by address.
    names: BTreeMap<u32, Vec<String>>,
    /// Whether data (`true`) or instructions begin at an address, by the mapping symbols.
    kinds: BTreeMap<u32, bool>,
    /// Symbols that relocations put in.
    relocated: BTreeMap<u32, String>,
    /// Wasm offsets by address.
    sources: BTreeMap<u32, u32>,
}

impl<'a> Listing<'a> {
    fn new(elf: &Elf<'a>, index: usize, section: &Section) -> Listing<'a> {
        let start = match elf.kind {
            FileKind::Relocatable => 0,
            FileKind::Executable => section.address,
        };
        let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        let of_synth = of_synth(elf);
        let mut kinds = BTreeMap::new();
        for symbol in elf.symbols.iter().filter(|symbol| symbol.home == Home::Section(index)) {
            match (symbol.kind, symbol.name.as_str()) {
                (SymbolKind::Function, name) => {
                    let names = names.entry(symbol.value & !1).or_default();
                    names.push(name.to_owned());
                    names.extend(of_synth.iter().filter(|(end, _)| name.ends_with(end)).map(|(_, of)| of.clone()));
                }
                (_, "$d") => _ = kinds.insert(symbol.value, true),
                (_, "$t") => _ = kinds.insert(symbol.value, false),
                _ => {}
            }
        }
        let own = elf.relocations.iter().filter(|relocation| relocation.section == index);
        let relocated = own.map(|r| (r.offset, elf.symbols[r.symbol].name.clone())).collect();
        Listing { code: elf.bytes(section), start, names, kinds, relocated, sources: sources(elf) }
    }

    fn print(&self, text: &mut String) {
        self.each(|address, bytes, (_, body)| {
            if let Some(names) = self.names.get(&address) {
                _ = writeln!(text, "\n{}:", names.join(", "));
            }
            let halves: Vec<String> =
                bytes.chunks(2).map(|half| half.iter().rev().map(|byte| format!("{byte:02x}")).collect()).collect();
            let line = format!("{address:6x}: {:9}  {body}", halves.join(" "));
            let notes = self.notes(address - self.start, bytes.len() as u32, &line);
            _ = writeln!(text, "{notes}");
        });
    }

    /// Each stretch in order: its address, its bytes, whether it is data, and its text.
    fn each(&self, mut then: impl FnMut(u32, &[u8], (bool, String))) {
        let mut at = 0;
        let mut conditions: Vec<Cond> = Vec::new();
        while (at as usize) < self.code.len() {
            let address = self.start + at;
            if self.names.contains_key(&address) {
                conditions.clear();
            }
            let is_data = self.is_data(address);
            let (size, body) = if is_data { self.data(at) } else { self.instruction(at, &mut conditions) };
            then(address, &self.code[at as usize..(at + size) as usize], (is_data, body));
            at += size;
        }
    }

    /// Whether the byte at an address is no instruction.
    fn is_data(&self, address: u32) -> bool {
        self.kinds.range(..=address).next_back().is_some_and(|(_, is_data)| *is_data)
    }

    /// A word, or what is left of one before the next word, function or instruction.
    fn data(&self, at: u32) -> (u32, String) {
        let address = self.start + at;
        let size = (4 - address % 4).min(self.code.len() as u32 - at);
        let next = self.kinds.range(address + 1..).next().map_or(size, |(next, _)| (next - address).min(size));
        let mut value = 0u64;
        for (shift, byte) in self.code[at as usize..(at + next) as usize].iter().enumerate() {
            value |= u64::from(*byte) << (8 * shift);
        }
        (next, format!(".data {value:#x}"))
    }

    fn instruction(&self, at: u32, conditions: &mut Vec<Cond>) -> (u32, String) {
        let condition = if conditions.is_empty() { None } else { Some(conditions.remove(0)) };
        match decode(self.code, at as usize) {
            Ok((inst, size)) => {
                if let Inst::It { first, mask } = inst {
                    *conditions = it_conditions(first, mask);
                }
                (size, Text { inst: &inst, condition }.to_string())
            }
            Err(error) => ((self.code.len() as u32 - at).min(2), format!("({error})")),
        }
    }

    /// The line with what it names and what it is there for.
    fn notes(&self, at: u32, size: u32, line: &str) -> String {
        let mut notes = Vec::new();
        let called = match decode(self.code, at as usize) {
            // The distance counts from the address of the instruction plus 4 (A7.7.18).
            Ok((Inst::BranchLink { offset }, _)) => Some((self.start + at).wrapping_add_signed(offset + 4)),
            Ok(_) | Err(_) => None,
        };
        if let Some(symbol) = self.relocated.get(&at) {
            notes.push(symbol.clone());
        } else if let Some(names) = called.and_then(|target| self.names.get(&target)) {
            notes.push(names.join(", "));
        }
        let sources: Vec<u32> =
            (0..size).filter_map(|byte| self.sources.get(&(self.start + at + byte)).copied()).collect();
        notes.extend(sources.first().map(|source| format!("wasm {source:#x}")));
        if notes.is_empty() { line.to_owned() } else { format!("{line:56} ; {}", notes.join(", ")) }
    }
}

/// The conditions of the instructions behind an IT instruction (A7.3.3).
fn it_conditions(first: Cond, mask: u8) -> Vec<Cond> {
    let mut state = (first as u8) << 4 | mask & 15;
    let mut conditions = Vec::new();
    while state & 15 != 0 {
        conditions.extend(Cond::from_code(u32::from(state >> 4)));
        state = if state & 7 == 0 { 0 } else { state & 0xe0 | state << 1 & 0x1f };
    }
    conditions
}

/// The functions that are synth's and not the user's: how each symbol ends, and what it is called.
fn of_synth(elf: &Elf<'_>) -> Vec<(String, String)> {
    let section = elf.section(".synth.interface").map(|(_, section)| elf.bytes(section));
    let text = section.and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    let functions = text.lines().filter_map(|line| line.strip_prefix("synth ")?.split_once(' '));
    functions.map(|(index, name)| (format!(".f{index}"), format!("synth's {name}"))).collect()
}

/// The Wasm offset of each labelled instruction, by address. Without readable hints there is none.
fn sources(elf: &Elf<'_>) -> BTreeMap<u32, u32> {
    let section = elf.section(".synth.hints").map(|(_, section)| elf.bytes(section));
    let Some(hints) = section.and_then(|bytes| codec::decode(bytes).ok()) else { return BTreeMap::new() };
    let mut sources = BTreeMap::new();
    for function in &hints.functions {
        let Some(symbol) = elf.symbol(&format!("{}.f{}", hints.module_name, function.function)) else { continue };
        let start = symbol.value & !1;
        let labels = function.labels.iter();
        sources.extend(labels.filter_map(|label| Some((start.checked_add(label.at)?, label.source?))));
    }
    sources
}
