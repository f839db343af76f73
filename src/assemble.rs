//! From a module and the code of its functions to what the ELF writers are given.
//!
//! Requires: one piece of code per function with a body, in index order.
//! Ensures: the instance's cells, the table and the data segments are as instantiation leaves them
//! (core spec 1.0, 4.5.4), up to the first segment that lies out of bounds.

use crate::config::Config;
use crate::elf::names;
use crate::elf::program::{
    Assurance, CellValue, Descriptor, Export, FrameRule, FrameStep, Function, Import, Instantiation, Linked, Memory,
    Outside, Program, Relocation, RelocationKind, Segment, Start, Table, TableHome, Type, Visibility,
};
use crate::emit::{self, Emitted};
use crate::ir;
use crate::lower::ModuleInfo;
use crate::vcode::abi;
use crate::wasm::{Code, Constant, DataMode, ElementMode, ExportKind, Module, ValueType};

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
    let (tables, outside) = tables(module, info);
    Program {
        name: config.module_name.clone(),
        export_prefix: config.export_prefix.clone(),
        functions,
        imports: imports(module),
        exports: exports(module, config),
        memories: memories(module),
        instance_bytes: info.instance_bytes(),
        descriptors: descriptors(module),
        tables,
        instantiation: instantiation(module, info, outside),
        hints,
        linked,
        assurance: Assurance::default(),
        float: config.float,
    }
}

fn imports(module: &Module) -> Vec<Import> {
    let declared = module.functions.iter();
    declared
        .filter_map(|(index, function)| match &function.code {
            Code::Import { module: of, field } => {
                let area = abi::area(&module.types[function.ty].signature().results);
                let area_bytes = area.map_or(0, |area| area.bytes);
                Some(Import { function: index.0, module: of.clone(), field: field.clone(), area_bytes })
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
                symbol: match &export.of {
                    Some(input) => names::linked_export(input, &export.name),
                    None => format!("{}{}", config.export_prefix, names::mangle(&export.name)),
                },
                function: function.0,
                parameters: signature.params.iter().map(|ty| value_type(*ty)).collect(),
                results: signature.results.iter().map(|ty| value_type(*ty)).collect(),
            }
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

/// The tables, and the number of the first segment that lies outside of its.
fn tables(module: &Module, info: &ModuleInfo) -> (Vec<Table>, Option<usize>) {
    let entry = |item: &Constant| item.function().map(|function| info.descriptor(function));
    let empty = module.tables.values().map(|table| Table {
        entries: match table.segment {
            Some(segment) => module.elements[segment].items.iter().take(table.initial as usize).map(entry).collect(),
            None => vec![None; table.initial as usize],
        },
        home: if table.is_variable() { TableHome::Ram(table.reserve) } else { TableHome::Constants },
    });
    let mut tables: Vec<Table> = empty.collect();
    for (number, element) in module.elements.values().enumerate() {
        let ElementMode::Active { table, offset } = &element.mode else { continue };
        let entries = &mut tables[table.0 as usize].entries;
        let start = offset.value() as usize;
        let Some(range) = entries.get_mut(start..).and_then(|rest| rest.get_mut(..element.items.len())) else {
            return (tables, Some(number));
        };
        for (place, item) in range.iter_mut().zip(&element.items) {
            *place = entry(item);
        }
    }
    (tables, None)
}

/// What instantiation does (core spec, 4.5.4): of each input its element segments, of which the first that
/// lies outside is known, its data segments and its start function.
fn instantiation(module: &Module, info: &ModuleInfo, outside: Option<usize>) -> Instantiation {
    let mut plan = Instantiation { cells: cells(module, info), ..Instantiation::default() };
    let mut written = 0;
    let last = (module.elements.len(), module.data.len(), None);
    let inputs = module.starts.iter().map(|start| (start.elements, start.data, Some(start.function)));
    for (elements, data, start) in inputs.chain([last]) {
        if let Some(number) = outside.filter(|number| *number < elements) {
            plan.outside = Some(Outside::Element(number as u32));
            return plan;
        }
        for (number, segment) in module.data.iter().take(data).skip(written) {
            let DataMode::Active { memory, offset } = &segment.mode else { continue };
            let bytes = u64::from(module.memories[*memory].initial_bytes());
            if offset.value() + segment.bytes.len() as u64 > bytes {
                plan.outside = Some(Outside::Data(number.0));
                return plan;
            }
            let bytes = segment.bytes.clone();
            plan.segments.push(Segment { memory: memory.0, offset: offset.value() as u32, bytes });
        }
        written = data;
        plan.starts.extend(start.map(|function| Start { function: function.0, after: plan.segments.len() }));
    }
    plan
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
