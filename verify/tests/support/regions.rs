//! Linear memory, instance, tables, descriptors and data of a case, as the runtime contract lays them out.

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
    bytes += (0..module.tables.len() as u32).map(|table| if module.size_varies(table) { 4 } else { 0 }).sum::<u64>();
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
    for (index, table) in (0..).zip(&module.tables) {
        let name = format!("table{index}");
        let entries = if module.size_varies(index) { table.maximum.unwrap_or(table.minimum) } else { table.minimum };
        let bytes = 4 * u64::from(entries);
        let (section, at) = match module.changes_table(index) {
            true => zeroed(object, &name, bytes),
            false => constant(object, &name, &vec![0; bytes as usize]),
        };
        region(object, symbols, (&name, SymbolScope::Compilation), (section, at, bytes));
    }
    let descriptors: Vec<u8> = module
        .referenced()
        .into_iter()
        .flat_map(|function| [module.type_id(module.type_index(function).unwrap()).unwrap(), 0])
        .flat_map(u32::to_le_bytes)
        .collect();
    if !descriptors.is_empty() {
        let (section, at) = constant(object, "functions", &descriptors);
        region(object, symbols, ("functions", SymbolScope::Compilation), (section, at, descriptors.len() as u64));
    }
}

/// Relocates the code addresses of descriptors, and the entries of constant tables.
pub fn fill_tables(object: &mut Object<'_>, module: &Module, symbols: &mut Symbols) {
    let Some(functions) = symbols.get("m.functions").copied() else { return };
    let referenced: Vec<u32> = module.referenced().into_iter().collect();
    for (place, function) in referenced.iter().enumerate() {
        let name = format!("m.f{function}");
        let symbol = *symbols.entry(name.clone()).or_insert_with(|| undefined(object, &name));
        relocate(object, functions, (8 * place as u64 + 4, symbol, 0));
    }
    for segment in &module.elements {
        let Some((table, start)) = segment.active.filter(|(table, _)| !module.changes_table(*table)) else { continue };
        for (entry, item) in (u64::from(start)..).zip(&segment.items) {
            let place = item.function().and_then(|item| referenced.iter().position(|function| *function == item));
            if let Some(place) = place {
                relocate(object, symbols[&format!("m.table{table}")], (4 * entry, functions, 8 * place as i64));
            }
        }
    }
}

/// Adds a relocation to the section that a symbol begins.
fn relocate(object: &mut Object<'_>, region: SymbolId, (offset, symbol, addend): (u64, SymbolId, i64)) {
    let SymbolSection::Section(section) = object.symbol(region).section else { return };
    let flags = object::RelocationFlags::Elf { r_type: object::elf::R_ARM_ABS32 };
    object.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
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
