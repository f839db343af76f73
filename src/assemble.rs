//! From a module and the code of its functions to what the ELF writers are given.
//!
//! Requires: one piece of code per function with a body, in index order.
//! Ensures: the instance's cells and constant tables are as instantiation leaves them (core spec, 4.5.4), and the
//! steps that lead there are in order.

use crate::config::Config;
use crate::elf::names;
use crate::elf::program::{
    Assurance, CellValue, Descriptor, Elements, Export, ExportedGlobal, FrameRule, FrameStep, Function, Import,
    InitStep, Instantiation, Linked, Memory, Outside, Program, Relocation, RelocationKind, Segment, Table, Type,
    Visibility,
};
use crate::emit::{self, Emitted};
use crate::ir;
use crate::lower::ModuleInfo;
use crate::vcode::abi;
use crate::wasm::instantiation::{self, Step};
use crate::wasm::{self, Code, Constant, DataMode, ElementIndex, ElementMode, ExportKind, Module, ValueType};

/// The code of one function.
pub fn function(index: u32, emitted: &Emitted) -> Function {
    let relocations = emitted.relocations.iter().map(|relocation| Relocation {
        offset: relocation.offset,
        kind: match relocation.kind {
            emit::RelocationKind::ThmCall => RelocationKind::ThmCall,
            emit::RelocationKind::ThmJump => RelocationKind::ThmJump,
            emit::RelocationKind::MovwAbsNc => RelocationKind::MovwAbsNc,
            emit::RelocationKind::MovtAbs => RelocationKind::MovtAbs,
            emit::RelocationKind::Abs32 => RelocationKind::Abs32,
        },
        symbol: relocation.symbol,
        addend: relocation.addend,
    });
    Function {
        index,
        code: emitted.code.clone(),
        data: emitted.hints.data.clone(),
        relocations: relocations.collect(),
        frame: frame_steps(&emitted.frame_rows),
        of_synth: None,
    }
}

/// The changes between the rows of the frame table.
fn frame_steps(rows: &[emit::FrameRow]) -> Vec<FrameStep> {
    let mut steps = Vec::new();
    let (mut depth, mut saved) = (0, Vec::new());
    for row in rows {
        let mut step = |rule| steps.push(FrameStep { at: row.offset, rule });
        if row.cfa_offset != depth {
            step(FrameRule::Depth(row.cfa_offset));
        }
        for (register, at) in row.saved.iter().filter(|held| !saved.contains(*held)) {
            step(FrameRule::Saved { register: *register, below: at.unsigned_abs() });
        }
        for (register, _) in saved.iter().filter(|held| !row.saved.contains(held)) {
            step(FrameRule::Restored(*register));
        }
        depth = row.cfa_offset;
        saved.clone_from(&row.saved);
    }
    steps
}

/// The whole program.
pub fn run(
    (module, info): (&Module, &ModuleInfo),
    config: &Config,
    functions: Vec<Function>,
    (hints, linked): (Vec<u8>, Vec<Linked>),
) -> Program {
    Program {
        name: config.module_name.clone(),
        export_prefix: config.export_prefix.clone(),
        functions,
        imports: imports(module, config),
        exports: exports(module, config),
        globals: globals((module, info), config),
        memories: memories(module),
        instance_bytes: info.instance_bytes(),
        descriptors: descriptors(module),
        tables: tables(module, info),
        instantiation: instantiate(module, info),
        hints,
        linked,
        assurance: Assurance::default(),
        float: config.float,
    }
}

fn imports(module: &Module, config: &Config) -> Vec<Import> {
    let declared = module.functions.iter();
    declared
        .filter_map(|(index, function)| match &function.code {
            Code::Import { module: of, field, .. } => {
                let ty = &module.types[function.ty];
                let area_bytes =
                    abi::results(&ty.signature().results, config.float).area().map_or(0, |area| area.bytes);
                let floats = ty.params.iter().chain(&ty.results).any(|ty| value_type(*ty).is_float());
                Some(Import { function: index.0, module: of.clone(), field: field.clone(), area_bytes, floats })
            }
            Code::Body(_) => None,
        })
        .collect()
}

fn exports(module: &Module, config: &Config) -> Vec<Export> {
    let functions = module.exports.iter().filter_map(|export| match export.kind {
        ExportKind::Function(function) => Some((export, function)),
        ExportKind::Memory(_) | ExportKind::Table(_) | ExportKind::Global(_) => None,
    });
    functions
        .map(|(export, function)| {
            let signature = module.function_type(function);
            Export {
                name: export.name.clone(),
                symbol: symbol(export, config),
                function: function.0,
                parameters: signature.params.iter().map(|ty| value_type(*ty)).collect(),
                results: signature.results.iter().map(|ty| value_type(*ty)).collect(),
            }
        })
        .collect()
}

/// The symbol of an exported function or global.
fn symbol(export: &wasm::Export, config: &Config) -> String {
    match &export.of {
        Some(input) => names::linked_export(input, &export.name),
        None => format!("{}{}", config.export_prefix, names::mangle(&export.name)),
    }
}

fn globals((module, info): (&Module, &ModuleInfo), config: &Config) -> Vec<ExportedGlobal> {
    let globals = module.exports.iter().filter_map(|export| match export.kind {
        ExportKind::Global(global) => Some((export, global, &module.globals[global])),
        ExportKind::Function(_) | ExportKind::Memory(_) | ExportKind::Table(_) => None,
    });
    let cells = globals.filter(|(_, _, decl)| decl.mutable);
    cells
        .map(|(export, global, decl)| ExportedGlobal {
            symbol: symbol(export, config),
            offset: info.cell(global),
            bytes: decl.ty.carrier().bits() / 8,
        })
        .collect()
}

fn value_type(ty: ValueType) -> Type {
    match ty {
        ValueType::I32 => Type::I32,
        ValueType::I64 => Type::I64,
        ValueType::FuncRef => Type::FuncRef,
        ValueType::ExternRef => Type::ExternRef,
        ValueType::F32 => Type::F32,
        ValueType::F64 => Type::F64,
    }
}

fn memories(module: &Module) -> Vec<Memory> {
    let is_exported = |memory| module.exports.iter().any(|export| export.kind == ExportKind::Memory(memory));
    let declared = module.memories.iter();
    declared
        .map(|(index, memory)| Memory {
            reserve_bytes: memory.reserve_bytes(),
            visibility: if is_exported(index) { Visibility::Exported } else { Visibility::Private },
            contents: memory
                .segment
                .map(|segment| module.data[segment].bytes[..memory.initial_bytes() as usize].to_vec()),
        })
        .collect()
}

fn descriptors(module: &Module) -> Vec<Descriptor> {
    let referenced = module.referenced().into_iter();
    let descriptor = |function: ir::Function| Descriptor {
        type_id: module.type_id(module.functions[function].ty),
        function: function.0,
    };
    referenced.map(descriptor).collect()
}

/// The tables; one that is constant holds what its segments write.
fn tables(module: &Module, info: &ModuleInfo) -> Vec<Table> {
    let declared = module.tables.values().map(|table| {
        if table.is_variable() {
            return Table::Ram(table.reserve);
        }
        let segment = table.segment.map_or(&[][..], |segment| &module.elements[segment].items);
        let mut entries = references(segment, info);
        entries.resize(table.initial as usize, None);
        Table::Constants(entries)
    });
    let mut tables: Vec<Table> = declared.collect();
    for step in instantiation::run(module) {
        let Step::Elements(index) = step else { continue };
        let (table, start, items) = target(module, index);
        if let Table::Constants(entries) = &mut tables[table.0 as usize] {
            entries[start as usize..][..items.len()].copy_from_slice(&references(items, info));
        }
    }
    tables
}

/// The table that an active segment fills, the first entry there, and what it writes.
fn target(module: &Module, index: ElementIndex) -> (ir::Table, u32, &[Constant]) {
    let element = &module.elements[index];
    match &element.mode {
        ElementMode::Active { table, offset } => (*table, offset.value() as u32, &element.items),
        ElementMode::Passive | ElementMode::Declared => unreachable!("it is no step of instantiation"),
    }
}

/// References as offsets of descriptors.
fn references(items: &[Constant], info: &ModuleInfo) -> Vec<Option<u32>> {
    items.iter().map(|item| item.function().map(|function| info.descriptor(function))).collect()
}

/// What instantiation does (core spec, 4.5.4) besides what is constant.
fn instantiate(module: &Module, info: &ModuleInfo) -> Instantiation {
    let steps = instantiation::run(module).into_iter().filter_map(|step| match step {
        Step::Elements(index) => {
            let (table, first, items) = target(module, index);
            let is_written = module.tables[table].is_variable();
            let entries = || references(items, info);
            is_written.then(|| InitStep::Elements(Elements { table: table.0, first, entries: entries() }))
        }
        Step::Data(index) => {
            let data = &module.data[index];
            let DataMode::Active { memory, offset } = &data.mode else { return None };
            let (memory, offset) = (memory.0, offset.value() as u32);
            Some(InitStep::Data(Segment { memory, offset, bytes: data.bytes.clone() }))
        }
        Step::Start(function) => Some(InitStep::Call(function.0)),
        Step::ElementsOutside(index) => Some(InitStep::Trap(Outside::Element(index.0))),
        Step::DataOutside(index) => Some(InitStep::Trap(Outside::Data(index.0))),
    });
    Instantiation { cells: cells(module, info), steps: steps.collect() }
}

/// Words of the instance that are not zero at the start.
fn cells(module: &Module, info: &ModuleInfo) -> Vec<(u32, CellValue)> {
    let mut words = Vec::new();
    for (index, memory) in module.memories.iter().filter(|(_, memory)| memory.varies) {
        words.push((info.length(index), CellValue::Number(memory.initial_bytes())));
    }
    for (index, table) in module.tables.iter().filter(|(_, table)| table.varies) {
        words.push((info.size(index), CellValue::Number(table.initial)));
    }
    for (index, global) in module.globals.iter().filter(|(_, global)| global.mutable) {
        let offset = info.cell(index);
        match global.initial.function() {
            Some(function) => words.push((offset, CellValue::Descriptor(info.descriptor(function)))),
            None => {
                let bits = global.initial.value();
                words.push((offset, CellValue::Number(bits as u32)));
                if global.ty.carrier() == ir::Type::I64 {
                    words.push((offset + 4, CellValue::Number((bits >> 32) as u32)));
                }
            }
        }
    }
    words.retain(|(_, value)| *value != CellValue::Number(0));
    words
}
