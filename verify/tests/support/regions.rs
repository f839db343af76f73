//! Linear memory, instance, table and data of a case, as the runtime contract lays them out.

use std::collections::BTreeMap;

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use synth_verify::hints::Sort;
use synth_verify::wasm::module::{Exported, Module};

use super::undefined;

/// Symbols by name.
pub type Symbols = BTreeMap<String, SymbolId>;

/// Adds each region that the module has.
pub fn add(object: &mut Object<'_>, module: &Module, symbols: &mut Symbols) {
    let mut bytes = 0u64;
    for (index, memory) in (0..).zip(&module.memories) {
        let name = format!("memory{index}");
        let reserve = u64::from(memory.maximum.unwrap_or(memory.minimum)) << memory.page_log2;
        let (section, at) = zeroed(object, &name, reserve);
        region(object, symbols, (&name, SymbolScope::Compilation), (section, at, reserve));
        if module.exports.iter().any(|export| export.item == Exported::Memory(index)) {
            let public = if index == 0 { "_memory".to_owned() } else { format!("_memory{index}") };
            region(object, symbols, (&public, SymbolScope::Dynamic), (section, at, reserve));
        }
        bytes += if module.length_varies(index) { 4 } else { 0 };
    }
    for global in module.globals.iter().filter(|global| global.mutable) {
        let size = if global.value_type.sort() == Sort::W64 { 8 } else { 4 };
        bytes = bytes.next_multiple_of(size) + size;
    }
    if bytes > 0 {
        let (section, at) = zeroed(object, "instance", bytes);
        region(object, symbols, ("instance", SymbolScope::Compilation), (section, at, bytes));
    }
    let data: Vec<u8> = module.data.iter().flat_map(|segment| segment.bytes.clone()).collect();
    if !data.is_empty() {
        let (section, at) = constant(object, "data", &data);
        region(object, symbols, ("data", SymbolScope::Compilation), (section, at, data.len() as u64));
    }
    if let Some(table) = module.table.as_ref().filter(|table| table.minimum > 0) {
        let bytes = table_bytes(module, table.minimum as usize);
        let (section, at) = constant(object, "table", &bytes);
        region(object, symbols, ("table0", SymbolScope::Compilation), (section, at, bytes.len() as u64));
    }
}

/// Type ids; the code addresses are for relocations to fill in.
fn table_bytes(module: &Module, entries: usize) -> Vec<u8> {
    let mut bytes = vec![0; 8 * entries];
    for (entry, function) in entries_of(module) {
        let id = module.type_index(function).and_then(|index| module.type_id(index)).unwrap();
        bytes[8 * entry..8 * entry + 4].copy_from_slice(&id.to_le_bytes());
    }
    bytes
}

fn entries_of(module: &Module) -> Vec<(usize, u32)> {
    let segments = module.elements.iter();
    segments.flat_map(|segment| (segment.start as usize..).zip(segment.functions.iter().copied())).collect()
}

/// Relocates the code addresses of the table.
pub fn fill_table(object: &mut Object<'_>, module: &Module, symbols: &mut Symbols) {
    let Some(table) = symbols.get("m.table0").copied() else { return };
    let SymbolSection::Section(section) = object.symbol(table).section else { return };
    for (entry, function) in entries_of(module) {
        let name = format!("m.f{function}");
        let symbol = *symbols.entry(name.clone()).or_insert_with(|| undefined(object, &name));
        let flags = object::RelocationFlags::Elf { r_type: object::elf::R_ARM_ABS32 };
        let offset = 8 * entry as u64 + 4;
        object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).unwrap();
    }
}

fn zeroed(object: &mut Object<'_>, name: &str, bytes: u64) -> (SectionId, u64) {
    let name = format!(".bss.m.{name}").into_bytes();
    let section = object.add_section(Vec::new(), name, SectionKind::UninitializedData);
    (section, object.append_section_bss(section, bytes, 8))
}

fn constant(object: &mut Object<'_>, name: &str, bytes: &[u8]) -> (SectionId, u64) {
    let name = format!(".rodata.m.{name}").into_bytes();
    let section = object.add_section(Vec::new(), name, SectionKind::ReadOnlyData);
    (section, object.append_section_data(section, bytes, 8))
}

fn region(
    object: &mut Object<'_>,
    symbols: &mut Symbols,
    (name, scope): (&str, SymbolScope),
    (section, value, size): (SectionId, u64, u64),
) {
    let name = if name.starts_with('_') { format!("m{name}") } else { format!("m.{name}") };
    let id = object.add_symbol(Symbol {
        name: name.clone().into_bytes(),
        value,
        size,
        kind: SymbolKind::Data,
        scope,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    symbols.insert(name, id);
}
