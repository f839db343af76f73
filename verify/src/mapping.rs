//! Mapping symbols: which bytes linkers and readers take for instructions (AAELF32, 5.5.5).
//!
//! Ensures: [`Mapping::wrong`] finds nothing only if what runs is marked as Thumb code, and what is read as data. A linker
//! that works around errata looks for instructions in what is marked as code, and puts others there; a reader of a
//! disassembly sees what is marked.

use std::collections::{BTreeMap, BTreeSet};

use crate::elf::{Binding, Elf, Home, SymbolKind};
use crate::verdict::{Check, Finding};

/// What bytes are, up to the next mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    /// Thumb instructions, `$t`.
    Thumb,
    /// Constants, `$d`.
    Data,
    /// Instructions of another set: `$a`, `$x`.
    Other,
}

/// The marks of one section by address; in an object, offset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mapping {
    marks: BTreeMap<u32, Mark>,
}

impl Mapping {
    /// Those of a section.
    ///
    /// # Errors
    /// Two of them contradict each other, or one is not as linkers expect it.
    pub fn read(elf: &Elf<'_>, section: usize) -> Result<Mapping, String> {
        let mut mapping = Mapping::default();
        for symbol in elf.symbols.iter().filter(|symbol| symbol.home == Home::Section(section)) {
            let Some(rest) = symbol.name.strip_prefix('$') else { continue };
            let mark = match rest.split('.').next() {
                Some("t") => Mark::Thumb,
                Some("d") => Mark::Data,
                Some("a" | "x") => Mark::Other,
                // A name like any other.
                Some(_) | None => continue,
            };
            if symbol.binding != Binding::Local || symbol.kind != SymbolKind::None {
                return Err(format!(
                    "the mapping symbol {} at {:#x} is no local one without type",
                    symbol.name, symbol.value
                ));
            }
            if mapping.marks.insert(symbol.value, mark).is_some_and(|other| other != mark) {
                return Err(format!("two mapping symbols at {:#x} contradict each other", symbol.value));
            }
        }
        Ok(mapping)
    }

    /// The first of the bytes, counted from `start`, that is not marked as what it is: a constant, or code.
    pub fn wrong(&self, start: u32, covered: &BTreeSet<u32>, constants: &BTreeSet<u32>) -> Option<Finding> {
        let marked = |at: u32| self.marks.range(..=at).next_back().map(|(_, mark)| *mark);
        let wanted = |at: &u32| if constants.contains(at) { Mark::Data } else { Mark::Thumb };
        let at = *covered.iter().find(|at| marked(start.wrapping_add(**at)) != Some(wanted(at)))?;
        let is = if wanted(&at) == Mark::Data { "read as a constant" } else { "run" };
        let message = format!("what is {is} there is marked as something else by the mapping symbols");
        Some(Finding { at, check: Check::File, message })
    }
}
