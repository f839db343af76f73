//! An ELF file in the making: sections, symbols and relocations, with or without addresses.
//!
//! `parts` fills one from a program. `object` writes it as it is; `image` gives every section an
//! address first.

use std::collections::BTreeMap;

use crate::target::FloatUnit;

use super::program::{RelocationKind, Symbol};

/// The whole file.
#[derive(Debug, Default)]
pub struct Unit {
    /// The sections, in file order.
    pub sections: Vec<Section>,
    /// The symbols, in no particular order.
    pub symbols: Vec<SymbolEntry>,
    /// Which symbol relocations mean by each name.
    pub by_name: BTreeMap<Symbol, SymbolId>,
    /// The floating-point unit in whose registers floats are passed.
    pub float: FloatUnit,
}

/// Index into [`Unit::sections`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SectionId(pub usize);

/// Index into [`Unit::symbols`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SymbolId(pub usize);

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub kind: SectionKind,
    /// Alignment, a power of two.
    pub align: u32,
    /// Its bytes; empty for [`SectionKind::Zeroed`].
    pub bytes: Vec<u8>,
    /// Its size in memory or in the file.
    pub size: u32,
    /// Its address; 0 in an object and if it is not loaded.
    pub address: u32,
    /// Its open ends.
    pub relocations: Vec<Fixup>,
}

/// What is in a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SectionKind {
    /// Instructions.
    Code,
    /// Constants.
    Constants,
    /// RAM without contents in the file.
    Zeroed,
    /// Something that is not loaded.
    Unloaded,
    /// Build attributes.
    Attributes,
}

impl SectionKind {
    /// Whether it takes part in the memory of the program.
    pub fn is_loaded(self) -> bool {
        matches!(self, SectionKind::Code | SectionKind::Constants | SectionKind::Zeroed)
    }
}

/// A relocation in a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixup {
    /// Offset in the section.
    pub offset: u32,
    /// How the address is put there.
    pub kind: RelocationKind,
    /// Whose address.
    pub target: SymbolId,
    /// Added to it.
    pub addend: i32,
}

/// A symbol.
#[derive(Debug)]
pub struct SymbolEntry {
    /// Its name; empty for a section's own symbol.
    pub name: String,
    /// Who sees it.
    pub binding: Binding,
    /// What it names.
    pub kind: SymbolKind,
    /// Where it is; `None` if another file defines it.
    pub place: Option<(SectionId, u32)>,
    /// Bytes that it covers.
    pub size: u32,
}

/// Who sees a symbol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Binding {
    /// This file only.
    Local,
    /// Every file.
    Global,
}

/// What a symbol names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolKind {
    /// Nothing of its own: a mapping symbol or an undefined function.
    Bare,
    /// A Thumb function.
    Function,
    /// Data.
    Object,
    /// A section.
    Section,
}

impl Unit {
    /// Adds a section with bytes.
    pub fn add_section(&mut self, name: String, kind: SectionKind, align: u32, bytes: Vec<u8>) -> SectionId {
        let size = bytes.len() as u32;
        self.sections.push(Section { name, kind, align, bytes, size, address: 0, relocations: Vec::new() });
        SectionId(self.sections.len() - 1)
    }

    /// Adds a section without bytes.
    pub fn add_zeroed(&mut self, name: String, align: u32, size: u32) -> SectionId {
        let id = self.add_section(name, SectionKind::Zeroed, align, Vec::new());
        self.sections[id.0].size = size;
        id
    }

    /// Adds a symbol.
    pub fn add_symbol(&mut self, symbol: SymbolEntry) -> SymbolId {
        self.symbols.push(symbol);
        SymbolId(self.symbols.len() - 1)
    }

    /// Adds a local symbol of kind `Bare`: a mapping symbol (AAELF32, 5.5.5).
    pub fn add_mapping(&mut self, name: &str, section: SectionId, offset: u32) {
        self.add_symbol(SymbolEntry {
            name: name.into(),
            binding: Binding::Local,
            kind: SymbolKind::Bare,
            place: Some((section, offset)),
            size: 0,
        });
    }

    /// Adds the symbol of a section itself.
    pub fn add_section_symbol(&mut self, section: SectionId) -> SymbolId {
        self.add_symbol(SymbolEntry {
            name: String::new(),
            binding: Binding::Local,
            kind: SymbolKind::Section,
            place: Some((section, 0)),
            size: 0,
        })
    }

    /// The value a symbol has in the symbol table: a function's has bit 0 set.
    pub fn value(&self, symbol: SymbolId) -> Option<u32> {
        let entry = &self.symbols[symbol.0];
        let (section, offset) = entry.place?;
        let thumb = u32::from(entry.kind == SymbolKind::Function);
        Some((self.sections[section.0].address + offset) | thumb)
    }
}
