//! Frame information: what a debugger reads in `.debug_frame` is what the walk proved.
//!
//! DWARF 5, 6.4, with the register numbers of AADWARF32, 4.1; gimli decodes it. Ensures:
//! [`FrameTable::check`] finds nothing only if exactly one entry is for the function, and before every
//! instruction that was run the table finds the caller's SP, and for each register of the caller
//! that a callee preserves, and the return address, a place that holds its value.

use std::collections::{BTreeMap, BTreeSet};

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, DebugFrame, EndianSlice, FrameDescriptionEntry, LittleEndian, RegisterRule,
};
use gimli::{UnwindContext, UnwindSection, UnwindTableRow};

use crate::abi;
use crate::elf::{Contents, Elf, FRAME_SECTION, FileKind, Home, RelocationKind, SymbolKind};
use crate::hints::Location;
use crate::segment::kept::Kept;
use crate::verdict::{Check, Finding};

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// SP and LR by their DWARF numbers.
const SP: u16 = 13;
const LR: u16 = 14;

/// The frame information of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FrameTable {
    entries: Vec<Entry>,
}

/// The rows of one function, by addresses of code.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    start: u32,
    end: u32,
    rows: Vec<Row>,
}

/// What is said of the addresses from `start` up to `end`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Row {
    start: u32,
    end: u32,
    /// SP at entry as bytes above SP; the error says what else it is.
    depth: Result<i64, String>,
    /// By DWARF number.
    rules: BTreeMap<u16, Rule>,
}

/// Where a register's value at entry is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    /// Where it was.
    Same,
    /// In the stack word at this offset from SP at entry.
    Stack(i64),
    /// Lost.
    Undefined,
    /// Something else.
    Other(String),
}

/// Reads the frame information; `None` if the file has none. Addresses are those of `Program`, whose
/// code is section `text`.
///
/// # Errors
/// It cannot be read, or it depends on something other than the addresses of code.
pub fn read(elf: &Elf<'_>, text: &str) -> Result<Option<FrameTable>, String> {
    if elf.sections.iter().all(|section| section.name != FRAME_SECTION) {
        return Ok(None);
    }
    let (index, section) =
        elf.section(FRAME_SECTION).ok_or_else(|| format!("there are several sections {FRAME_SECTION}"))?;
    if section.contents != Contents::Bytes || section.allocated {
        return Err(format!("{FRAME_SECTION} is no section of bytes that are not loaded"));
    }
    let (text, _) = elf.section(text).ok_or_else(|| format!("there is no one section {text}"))?;
    let mut bytes = elf.bytes(section).to_vec();
    let relocated = relocate(elf, (index, text), &mut bytes)?;
    let table = decode(&bytes, &relocated, elf.kind).map_err(|why| format!("{FRAME_SECTION}: {why}"))?;
    Ok(Some(table))
}

/// What a relocation puts into a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relocated {
    ToFrames,
    ToCode,
}

/// Says for each relocated word what it refers to. In a relocatable file code is at 0, as are sections
/// that are not loaded, so the words already hold the sums.
fn relocate(
    elf: &Elf<'_>,
    (own, text): (usize, usize),
    bytes: &mut [u8],
) -> Result<BTreeMap<usize, Relocated>, String> {
    let mut relocated = BTreeMap::new();
    for relocation in &elf.frame_relocations {
        let symbol = elf.symbols.get(relocation.symbol).ok_or("a relocation names no symbol")?;
        let at = relocation.offset as usize;
        let what = match symbol.home {
            Home::Section(index) if index == own => Relocated::ToFrames,
            Home::Section(index) if index == text => Relocated::ToCode,
            Home::Section(_) | Home::Undefined | Home::Absolute => {
                return Err(format!("{FRAME_SECTION}: the relocation at {at:#x} names {:?}", symbol.name));
            }
        };
        // A function's symbol would set bit 0 (AAELF32, 5.6.1.1).
        if relocation.kind != RelocationKind::Abs32
            || symbol.kind == SymbolKind::Function
            || elf.kind != FileKind::Relocatable
        {
            return Err(format!("{FRAME_SECTION}: the relocation at {at:#x} does not put a plain address"));
        }
        let word = bytes
            .get_mut(at..at + 4)
            .and_then(|word| word.first_chunk_mut::<4>())
            .ok_or("a relocation lies outside")?;
        *word = u32::from_le_bytes(*word).wrapping_add(symbol.value).to_le_bytes();
        if relocated.insert(at, what).is_some() {
            return Err(format!("{FRAME_SECTION}: two relocations at {at:#x}"));
        }
    }
    Ok(relocated)
}

fn decode(bytes: &[u8], relocated: &BTreeMap<usize, Relocated>, kind: FileKind) -> Result<FrameTable, String> {
    let words = |error: gimli::Error| error.to_string();
    let mut section = DebugFrame::new(bytes, LittleEndian);
    section.set_address_size(4);
    let bases = BaseAddresses::default();
    let mut table = FrameTable::default();
    let mut wanted = BTreeMap::new();
    let mut entries = section.entries(&bases);
    while let Some(entry) = entries.next().map_err(words)? {
        let CieOrFde::Fde(partial) = entry else { continue };
        let entry = partial.parse(DebugFrame::cie_from_offset).map_err(words)?;
        // With 32-bit DWARF the length is followed by the offset of the common part, then the address.
        wanted.insert(entry.offset() + 4, Relocated::ToFrames);
        wanted.insert(entry.offset() + 8, Relocated::ToCode);
        table.entries.push(rows(&section, &bases, &entry)?);
    }
    let is_linked = kind == FileKind::Executable;
    if *relocated != wanted && !(is_linked && relocated.is_empty()) {
        return Err("relocations are not just those of the addresses of functions".to_owned());
    }
    Ok(table)
}

fn rows(
    section: &DebugFrame<Bytes<'_>>,
    bases: &BaseAddresses,
    entry: &FrameDescriptionEntry<Bytes<'_>>,
) -> Result<Entry, String> {
    let common = entry.cie();
    if common.return_address_register().0 != LR
        || common.augmentation().is_some()
        || common.encoding().address_size != 4
    {
        return Err("an entry is not made for this processor".to_owned());
    }
    let end = entry.initial_address().checked_add(entry.len()).ok_or("an entry wraps around")?;
    let mut context = UnwindContext::new();
    let mut table = entry.rows(section, bases, &mut context).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().map_err(|error| error.to_string())? {
        rows.push(Row {
            start: address(row.start_address())?,
            end: address(row.end_address())?,
            depth: depth(row),
            rules: rules(row),
        });
    }
    Ok(Entry { start: address(entry.initial_address())?, end: address(end)?, rows })
}

fn address(number: u64) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{number:#x} is no address"))
}

fn depth(row: &UnwindTableRow<usize>) -> Result<i64, String> {
    match row.cfa() {
        CfaRule::RegisterAndOffset { register, offset } if register.0 == SP => Ok(*offset),
        CfaRule::RegisterAndOffset { register, offset } => Err(format!("register {}{offset:+}", register.0)),
        CfaRule::Expression(_) => Err("an expression".to_owned()),
    }
}

fn rules(row: &UnwindTableRow<usize>) -> BTreeMap<u16, Rule> {
    let rules = row.registers().map(|(register, rule)| {
        let rule = match rule {
            RegisterRule::SameValue => Rule::Same,
            RegisterRule::Offset(offset) => Rule::Stack(*offset),
            RegisterRule::Undefined => Rule::Undefined,
            RegisterRule::ValOffset(_)
            | RegisterRule::Register(_)
            | RegisterRule::Expression(_)
            | RegisterRule::ValExpression(_)
            | RegisterRule::Architectural
            | RegisterRule::Constant(_) => Rule::Other(format!("{rule:?}")),
        };
        (register.0, rule)
    });
    rules.collect()
}

impl FrameTable {
    /// Compares the table with what is proved before each instruction, by offset, of the function at these
    /// addresses.
    pub fn check(&self, range: (u32, u32), kept: &BTreeMap<u32, Kept>) -> Vec<Finding> {
        self.compare(range, kept, disagreements)
    }

    /// The same of code that nobody calls: a debugger must find no caller there, or no entry.
    pub fn check_outermost(&self, (start, end): (u32, u32), kept: &BTreeMap<u32, Kept>) -> Vec<Finding> {
        if self.entries.iter().all(|entry| entry.start >= end || entry.end <= start) {
            return Vec::new();
        }
        self.compare((start, end), kept, outermost)
    }

    fn compare(
        &self,
        (start, end): (u32, u32),
        kept: &BTreeMap<u32, Kept>,
        disagreements: fn(&Row, &Kept) -> Vec<String>,
    ) -> Vec<Finding> {
        let find = |at: u32, message: String| Finding { at, check: Check::FrameInformation, message };
        let of_function: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.start < end && entry.end > start).collect();
        let entry = match of_function[..] {
            [entry] if (entry.start, entry.end) == (start, end) => entry,
            [] => return vec![find(0, "the frame table has no entry for the function".to_owned())],
            [_] => return vec![find(0, "the frame table's entry does not have the function's addresses".to_owned())],
            [..] => return vec![find(0, "several entries of the frame table are for the function".to_owned())],
        };
        let mut findings = Vec::new();
        for (at, kept) in kept {
            let address = start + at;
            let mut rows = entry.rows.iter().filter(|row| row.start <= address && address < row.end);
            match (rows.next(), rows.next()) {
                (Some(row), None) => findings.extend(disagreements(row, kept).into_iter().map(|why| find(*at, why))),
                _ => findings.push(find(*at, "the frame table has not one row for the instruction".to_owned())),
            }
        }
        findings
    }
}

/// What a row says that is not so of code without a caller.
fn outermost(row: &Row, kept: &Kept) -> Vec<String> {
    let mut wrong: Vec<String> = wrong_depth(row, kept).into_iter().collect();
    if row.rules != BTreeMap::from([(LR, Rule::Undefined)]) {
        wrong.push("the frame table has more of a caller than that there is none".to_owned());
    }
    wrong
}

/// What a row says of SP at entry that is not so.
fn wrong_depth(row: &Row, kept: &Kept) -> Option<String> {
    match &row.depth {
        Ok(depth) if kept.depths.iter().all(|known| *depth == i64::from(*known)) => None,
        Ok(depth) => {
            let known: Vec<String> = kept.depths.iter().map(|known| format!("SP+{known}")).collect();
            Some(format!("the frame table says that SP was at SP+{depth}, it was at {}", known.join(" or ")))
        }
        Err(other) => Some(format!("the frame table says that SP was {other}")),
    }
}

/// What a row says that is not so.
fn disagreements(row: &Row, kept: &Kept) -> Vec<String> {
    let mut wrong: Vec<String> = wrong_depth(row, kept).into_iter().collect();
    for (&register, homes) in &kept.homes {
        let (number, word) = dwarf(register);
        // By the convention of AAPCS tables a register without a rule is where it was.
        let said = match row.rules.get(&number) {
            None | Some(Rule::Same) => Ok(abi::location_of(register)),
            Some(Rule::Stack(offset)) => {
                i32::try_from(offset.saturating_add(word)).map(Location::Stack).map_err(|_| offset.to_string())
            }
            Some(Rule::Undefined) => Err("lost".to_owned()),
            Some(Rule::Other(rule)) => Err(rule.clone()),
        };
        match said {
            Ok(place) if homes.contains(&place) => {}
            Ok(place) => wrong.push(format!(
                "the frame table says that the caller's {} is in {}, it is in {}",
                words(abi::location_of(register)),
                words(place),
                list(homes)
            )),
            Err(rule) => {
                let register = words(abi::location_of(register));
                wrong.push(format!("the frame table has a rule for {register} that is not modelled: {rule}"));
            }
        }
    }
    let preserved: BTreeSet<u16> = kept.homes.keys().map(|register| dwarf(*register).0).collect();
    for register in row.rules.keys().filter(|register| !preserved.contains(register)) {
        wrong.push(format!("the frame table has a rule for register {register}, which nobody preserves"));
    }
    wrong
}

/// The DWARF number of the register that a word is part of, and where in it: d0 to d15 are 256 to 271 (AADWARF32, 4.1).
fn dwarf(register: u8) -> (u16, i64) {
    match abi::location_of(register) {
        Location::Single(single) => (256 + u16::from(single / 2), 4 * i64::from(single % 2)),
        Location::Core(_) | Location::Stack(_) => (u16::from(register), 0),
    }
}

fn list(homes: &BTreeSet<Location>) -> String {
    let words: Vec<String> = homes.iter().map(|home| words(*home)).collect();
    if words.is_empty() { "no known place".to_owned() } else { words.join(" and ") }
}

fn words(place: Location) -> String {
    match place {
        Location::Core(register) => format!("r{register}"),
        Location::Single(register) => format!("s{register}"),
        Location::Stack(offset) => format!("stack word {offset:+}"),
    }
}
