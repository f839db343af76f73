//! From a program to the sections, symbols and relocations that object and image share.
//!
//! Ensures: the sections of `docs/abi.md` in their order; calls between the program's own
//! functions are resolved, every other open end is a relocation. Fails only with [`ElfError`].
//!
//! A function that holds data starts at a multiple of 4, because `LDR` (literal) and `ADR` count
//! from an aligned PC; a `NOP`, which nothing reaches, may stand before it.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{Assurance, Function, Program, Relocation, RelocationKind, Symbol, Table, Type, Visibility};
use super::unit::{Binding, Fixup, SectionId, SectionKind, SymbolEntry, SymbolId, SymbolKind, Unit};
use super::{ElfError, frame, init, names, relocate};
use crate::config::LOADED_BYTES_MAX;
use crate::target::{Board, Cpu, FloatUnit, Isa};
use crate::vcode::abi::DESCRIPTOR_BYTES;

/// Symbol of where an image starts.
pub const RESET: &str = "Reset";

/// Between functions: `NOP`.
const PADDING: [u8; 2] = [0x00, 0xbf];

/// What follows `NAME_init` in the code section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Startup {
    /// Nothing: another file starts the program.
    Foreign,
    /// `Reset`: a call of `NAME_init`, and a 32-bit branch that `image` fills in; on this board.
    Own(Board),
}

/// Makes the sections.
pub fn run(program: &Program, cpu: Cpu, startup: Startup) -> Result<Unit, ElfError> {
    let mut unit = Unit::default();
    check_reserved(program)?;
    let name = &program.name;
    let code = unit.add_section(format!(".text.{name}"), SectionKind::Code, 4, Vec::new());
    let code_symbol = unit.add_section_symbol(code);
    let instantiate = init::run(program, cpu.isa());
    let mut functions: Vec<&Function> = program.functions.iter().collect();
    functions.push(&instantiate);
    let reset = init::reset(program, cpu.isa());
    if let Startup::Own(_) = startup {
        functions.push(&reset);
    }
    let placed = place(&functions)?;

    define_functions(&mut unit, program, code, &placed);
    define_regions(&mut unit, program);
    define_imports(&mut unit, program);
    fill_code(&mut unit, code, &placed)?;
    check_names(&unit)?;
    fill_descriptors(&mut unit, program);
    fill_tables(&mut unit, program);
    unit.add_section(".synth.hints".into(), SectionKind::Unloaded, 1, program.hints.clone());
    for linked in &program.linked {
        unit.add_section(format!(".synth.{}", linked.name), SectionKind::Unloaded, 1, linked.bytes.clone());
    }
    let interface = interface(program, cpu, startup).into_bytes();
    unit.add_section(".synth.interface".into(), SectionKind::Unloaded, 1, interface);
    if program.assurance == Assurance::Unvalidated {
        let notice = b"compiled with --validate=off\n".to_vec();
        unit.add_section(".synth.unvalidated".into(), SectionKind::Unloaded, 1, notice);
    }
    frame::add(&mut unit, code_symbol, &placed);
    unit.add_section(".ARM.attributes".into(), SectionKind::Attributes, 1, attributes(cpu, program));
    unit.float = program.float;
    let loaded = unit.sections.iter().filter(|section| section.kind.is_loaded());
    let bytes = loaded.map(|section| u64::from(section.size)).sum();
    ElfError::check("the code with all regions", bytes, LOADED_BYTES_MAX)?;
    Ok(unit)
}

/// Refuses a name of the module's for what is reserved: the stack limit, whether or not the program has one.
fn check_reserved(program: &Program) -> Result<(), ElfError> {
    let exports = program.exports.iter().map(|export| export.symbol.clone());
    let globals = program.globals.iter().map(|global| global.symbol.clone());
    let imports = program.imports.iter().map(|import| names::import(&import.module, &import.field));
    match exports.chain(globals).chain(imports).find(|symbol| symbol == names::STACK_LIMIT) {
        Some(symbol) => Err(ElfError::Collision(symbol)),
        None => Ok(()),
    }
}

/// Refuses two things of one global name; undefined symbols of one name are one thing already.
pub fn check_names(unit: &Unit) -> Result<(), ElfError> {
    let mut seen = BTreeSet::new();
    for symbol in unit.symbols.iter().filter(|symbol| symbol.binding == Binding::Global) {
        if !seen.insert(&symbol.name) {
            return Err(ElfError::Collision(symbol.name.clone()));
        }
    }
    Ok(())
}

/// The offset of each function in the code section.
fn place<'a>(functions: &[&'a Function]) -> Result<Vec<(u32, &'a Function)>, ElfError> {
    let mut next = 0u64;
    let mut placed = Vec::new();
    for function in functions {
        if !function.data.is_empty() {
            next = next.next_multiple_of(4);
        }
        placed.push((next as u32, *function));
        next += function.code.len() as u64;
    }
    ElfError::check("the code", next, 1 << 31)?;
    Ok(placed)
}

fn define_functions(unit: &mut Unit, program: &Program, code: SectionId, placed: &[(u32, &Function)]) {
    let function = |name: String, binding, (offset, function): (u32, &Function)| SymbolEntry {
        name,
        binding,
        kind: SymbolKind::Function,
        place: Some((code, offset)),
        size: function.code.len() as u32,
    };
    let (own, startup) = placed.split_at(program.functions.len());
    for at in own {
        let index = at.1.index;
        let id = unit.add_symbol(function(format!("{}.f{index}", program.name), Binding::Local, *at));
        unit.by_name.insert(Symbol::Function(index), id);
    }
    let by_index: BTreeMap<u32, (u32, &Function)> = own.iter().map(|at| (at.1.index, *at)).collect();
    for export in &program.exports {
        let at = by_index.get(&export.function).expect("an exported function has code");
        unit.add_symbol(function(export.symbol.clone(), Binding::Global, *at));
    }
    for (name, at) in [format!("{}_init", program.name), RESET.into()].into_iter().zip(startup) {
        unit.add_symbol(function(name, Binding::Global, *at));
    }
}

fn define_regions(unit: &mut Unit, program: &Program) {
    let name = &program.name;
    if !program.descriptors.is_empty() {
        let bytes = vec![0; DESCRIPTOR_BYTES as usize * program.descriptors.len()];
        let id = unit.add_section(format!(".rodata.{name}.functions"), SectionKind::Constants, 8, bytes);
        define_object(unit, Symbol::Functions, format!("{name}.functions"), id);
        unit.add_mapping("$d", id, 0);
    }
    for (index, table) in (0..).zip(&program.tables).filter(|(_, table)| table.bytes() > 0) {
        let id = match table {
            Table::Constants(_) => {
                let bytes = vec![0; table.bytes() as usize];
                let id = unit.add_section(format!(".rodata.{name}.table{index}"), SectionKind::Constants, 8, bytes);
                unit.add_mapping("$d", id, 0);
                id
            }
            Table::Ram(_) => unit.add_zeroed(format!(".bss.{name}.table{index}"), 8, table.bytes()),
        };
        define_object(unit, Symbol::Table(index), format!("{name}.table{index}"), id);
    }
    let copied = init::references(program).count();
    if copied > 0 {
        let id = unit.add_section(format!(".rodata.{name}.elements"), SectionKind::Constants, 4, vec![0; 4 * copied]);
        define_object(unit, Symbol::Elements, format!("{name}.elements"), id);
        unit.add_mapping("$d", id, 0);
    }
    let data = init::data(program);
    if !data.is_empty() {
        let id = unit.add_section(format!(".rodata.{name}.data"), SectionKind::Constants, 4, data);
        define_object(unit, Symbol::Data, format!("{name}.data"), id);
        unit.add_mapping("$d", id, 0);
    }
    if program.instance_bytes > 0 {
        let id = unit.add_zeroed(format!(".bss.{name}.instance"), 8, program.instance_bytes);
        define_object(unit, Symbol::Instance, format!("{name}.instance"), id);
        for global in &program.globals {
            let (name, kind) = (global.symbol.clone(), SymbolKind::Object);
            let (place, size) = (Some((id, global.offset)), global.bytes);
            unit.add_symbol(SymbolEntry { name, binding: Binding::Global, kind, place, size });
        }
    }
    for (index, memory) in (0..).zip(&program.memories) {
        let id = match &memory.contents {
            Some(bytes) if bytes.is_empty() => continue,
            Some(bytes) => {
                let id =
                    unit.add_section(format!(".rodata.{name}.memory{index}"), SectionKind::Constants, 8, bytes.clone());
                unit.add_mapping("$d", id, 0);
                id
            }
            None => unit.add_zeroed(format!(".bss.{name}.memory{index}"), 8, memory.reserve_bytes),
        };
        define_object(unit, Symbol::Memory(index), format!("{name}.memory{index}"), id);
        if memory.visibility == Visibility::Exported {
            unit.add_symbol(SymbolEntry {
                name: names::exported_memory(name, index),
                binding: Binding::Global,
                kind: SymbolKind::Object,
                place: Some((id, 0)),
                size: memory.reserve_bytes,
            });
        }
    }
}

fn define_object(unit: &mut Unit, symbol: Symbol, name: String, section: SectionId) {
    let size = unit.sections[section.0].size;
    let place = Some((section, 0));
    let id = unit.add_symbol(SymbolEntry { name, binding: Binding::Local, kind: SymbolKind::Object, place, size });
    unit.by_name.insert(symbol, id);
}

fn define_imports(unit: &mut Unit, program: &Program) {
    for import in &program.imports {
        let id = undefined(unit, names::import(&import.module, &import.field));
        unit.by_name.insert(Symbol::Function(import.function), id);
    }
    let limit = |relocation: &Relocation| relocation.symbol == Symbol::StackLimit;
    if program.functions.iter().flat_map(|function| &function.relocations).any(limit) {
        let id = undefined(unit, names::STACK_LIMIT.into());
        unit.by_name.insert(Symbol::StackLimit, id);
    }
}

/// An undefined symbol; two imports of one name are one symbol.
fn undefined(unit: &mut Unit, name: String) -> SymbolId {
    if let Some(index) = unit.symbols.iter().position(|symbol| symbol.place.is_none() && symbol.name == name) {
        return SymbolId(index);
    }
    let kind = SymbolKind::Bare;
    unit.add_symbol(SymbolEntry { name, binding: Binding::Global, kind, place: None, size: 0 })
}

fn fill_code(unit: &mut Unit, code: SectionId, placed: &[(u32, &Function)]) -> Result<(), ElfError> {
    let offsets: BTreeMap<u32, u32> = placed.iter().map(|(offset, function)| (function.index, *offset)).collect();
    let mut bytes = Vec::new();
    let mut fixups = Vec::new();
    for (offset, function) in placed {
        while bytes.len() < *offset as usize {
            bytes.extend(PADDING);
        }
        map_code(unit, code, *offset, function);
        bytes.extend_from_slice(&function.code);
        for relocation in &function.relocations {
            let at = offset + relocation.offset;
            match (relocation.kind, relocation.symbol) {
                (RelocationKind::ThmCall, Symbol::Function(callee)) if offsets.contains_key(&callee) => {
                    let callee = offsets[&callee];
                    relocate::put_call(&mut bytes, at, i64::from(callee) - i64::from(at))?;
                }
                (RelocationKind::ThmJump, Symbol::Function(callee)) if offsets.contains_key(&callee) => {
                    let callee = offsets[&callee];
                    relocate::put_branch(&mut bytes, at, i64::from(callee) - i64::from(at))?;
                }
                (kind, symbol) => {
                    let target = *unit.by_name.get(&symbol).expect("a relocation's symbol is defined");
                    fixups.push(Fixup { offset: at, kind, target, addend: relocation.addend });
                }
            }
        }
    }
    let section = &mut unit.sections[code.0];
    section.size = bytes.len() as u32;
    section.bytes = bytes;
    section.relocations = fixups;
    Ok(())
}

/// Mapping symbols: where instructions begin and where data begins (AAELF32, 5.5.5).
fn map_code(unit: &mut Unit, code: SectionId, offset: u32, function: &Function) {
    let mut instructions_from = 0;
    for &(from, to) in &function.data {
        if instructions_from < from {
            unit.add_mapping("$t", code, offset + instructions_from);
        }
        unit.add_mapping("$d", code, offset + from);
        instructions_from = to;
    }
    if (instructions_from as usize) < function.code.len() {
        unit.add_mapping("$t", code, offset + instructions_from);
    }
}

fn fill_descriptors(unit: &mut Unit, program: &Program) {
    let mut words = Vec::new();
    for descriptor in &program.descriptors {
        let target =
            *unit.by_name.get(&Symbol::Function(descriptor.function)).expect("a referenced function is defined");
        words.push(DataWord::Number(descriptor.type_id));
        words.push(DataWord::Address(target, 0));
    }
    fill_words(unit, Symbol::Functions, words);
}

fn fill_tables(unit: &mut Unit, program: &Program) {
    let Some(&functions) = unit.by_name.get(&Symbol::Functions) else { return };
    let word = |entry: &Option<u32>| match entry {
        Some(offset) => DataWord::Address(functions, offset.cast_signed()),
        None => DataWord::Number(0),
    };
    for (index, table) in (0..).zip(&program.tables) {
        if let Table::Constants(entries) = table {
            fill_words(unit, Symbol::Table(index), entries.iter().map(word).collect());
        }
    }
    fill_words(unit, Symbol::Elements, init::references(program).map(word).collect());
}

/// A word of constant data.
enum DataWord {
    Number(u32),
    Address(SymbolId, i32),
}

/// Puts words into the section of a symbol, if there are any.
fn fill_words(unit: &mut Unit, symbol: Symbol, words: Vec<DataWord>) {
    let Some(&symbol) = unit.by_name.get(&symbol).filter(|_| !words.is_empty()) else { return };
    let (section, _) = unit.symbols[symbol.0].place.expect("it is defined here");
    let section = &mut unit.sections[section.0];
    for (at, word) in words.into_iter().enumerate() {
        match word {
            DataWord::Number(number) => section.bytes[4 * at..][..4].copy_from_slice(&number.to_le_bytes()),
            DataWord::Address(target, addend) => {
                let offset = 4 * at as u32;
                section.relocations.push(Fixup { offset, kind: RelocationKind::Abs32, target, addend });
            }
        }
    }
}

/// What `synth run` needs to know and no proof rests on, a line each: a processor that runs the code, where floats
/// are passed,
/// the board of an image, what stands before each export in its symbol, the segment that lies out of bounds, if one does,
/// which functions are synth's, by name, and each export's symbol, function, parameters and results.
fn interface(program: &Program, cpu: Cpu, startup: Startup) -> String {
    let mut text = format!("cpu {}\n", cpu.name());
    if program.float != FloatUnit::None {
        text.push_str("floats passed in registers of their own\n");
    }
    if let Startup::Own(board) = startup {
        text.push_str(&format!("board {}\n", board.machine));
    }
    text.push_str(&format!("prefix {}\n", program.export_prefix));
    if let Some(outside) = program.instantiation.outside() {
        text.push_str(&format!("outside {outside}\n"));
    }
    for function in &program.functions {
        if let Some(name) = &function.of_synth {
            text.push_str(&format!("synth {} {name}\n", function.index));
        }
    }
    for export in &program.exports {
        let symbol = &export.symbol;
        let types = |types: &[Type]| match types {
            [] => "-".to_string(),
            types => types.iter().map(|t| t.name()).collect::<Vec<_>>().join(","),
        };
        let (parameters, results) = (types(&export.parameters), types(&export.results));
        text.push_str(&format!("export {symbol} {} {parameters} {results}\n", export.function));
    }
    text
}

/// Build attributes (Arm addenda32, 3.2): which code linkers may put beside this.
fn attributes(cpu: Cpu, program: &Program) -> Vec<u8> {
    // Tags: CPU_name 5, CPU_arch 6, CPU_arch_profile 7, THUMB_ISA_use 9, FP_arch 10, ABI_FP_number_model 23, ABI_align_needed 24,
    // ABI_align_preserved 25, ABI_HardFP_use 27, ABI_VFP_args 28, CPU_unaligned_access 34. All stay below 128: one byte of ULEB128 each.
    let mut tags = vec![5];
    tags.extend(cpu.name().bytes());
    // Armv6-M has 16-bit Thumb instructions, and no unaligned access.
    let (thumb, unaligned) = if cpu.isa() == Isa::V6M { (1, 0) } else { (2, 1) };
    tags.extend([0, 6, cpu.attribute_arch(), 7, b'M', 9, thumb]);
    let unit = program.float.attributes();
    tags.extend(unit.into_iter().flat_map(|[arch, _]| [10, arch]));
    // Without a number model (3: IEEE 754) linkers do not ask how floats are passed.
    let types = program.exports.iter().flat_map(|export| export.parameters.iter().chain(&export.results));
    let passes = program.imports.iter().any(|import| import.floats) || types.into_iter().any(|ty| ty.is_float());
    tags.extend((unit.is_some() || passes).then_some([23, 3]).into_iter().flatten());
    tags.extend([24, 1, 25, 1]);
    tags.extend(unit.into_iter().flat_map(|[_, precision]| [27, precision, 28, 1]));
    tags.extend([34, unaligned]);
    let file = [&[1][..], &(tags.len() as u32 + 5).to_le_bytes(), &tags].concat();
    let vendor = [&b"aeabi\0"[..], &file].concat();
    [&b"A"[..], &(vendor.len() as u32 + 4).to_le_bytes(), &vendor].concat()
}
