//! Templates: bulk operators as WebAssembly over the memories and tables of the instruction.
//!
//! Ensures: no bulk instruction is left in the module. A segment that `memory.init` names is a memory
//! of its own behind the others, one that `table.init` names is a table, in the order of segments. The
//! instances stand behind all functions, in the order in which the first instruction of each is met:
//! functions by index, instructions as they stand. The bytes of the templates used travel in the file,
//! so that the validator links alike.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Error;
use crate::ir::op::{Function, Memory, Table};
use crate::wasm::{
    self, Bindings, Bulk, Code, DataIndex, DataMode, ElementIndex, ElementMode, ExportKind, Inst, MemoryDecl, Module,
    TableDecl, ValueType,
};

/// A template.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Template {
    /// The name under which its bytes travel.
    name: &'static str,
    /// The name of its export.
    export: &'static str,
    text: &'static str,
}

const FILL: Template = of_memory("memory.fill", include_str!("memory_fill.wat"));
const COPY: Template = of_memory("memory.copy", include_str!("memory_copy.wat"));
const MOVE: Template = of_memory("memory.move", include_str!("memory_move.wat"));

/// Templates over tables: of references to functions, and of references to the host.
const TABLE_FILL: [Template; 2] = of_table(["table.fill", "table.fill.extern"], include_str!("table_fill.wat"));
const TABLE_COPY: [Template; 2] = of_table(["table.copy", "table.copy.extern"], include_str!("table_copy.wat"));
const TABLE_MOVE: [Template; 2] = of_table(["table.move", "table.move.extern"], include_str!("table_move.wat"));
const TABLE_GROW: [Template; 2] = of_table(["table.grow", "table.grow.extern"], include_str!("table_grow.wat"));

const fn of_memory(name: &'static str, text: &'static str) -> Template {
    Template { name, export: name, text }
}

const fn of_table([export, host]: [&'static str; 2], text: &'static str) -> [Template; 2] {
    [Template { name: export, export, text }, Template { name: host, export, text }]
}

impl Template {
    fn bytes(self) -> Vec<u8> {
        let text = match self.name == self.export {
            true => self.text.to_owned(),
            false => self.text.replace("funcref", "externref").replace("ref.null func", "ref.null extern"),
        };
        wasm::read(text.as_bytes()).expect("a template is WebAssembly").into_owned()
    }
}

/// A template over memories and tables.
type Instance = (Template, Vec<Memory>, Vec<Table>);

/// The memories and tables that segments are.
struct Segments {
    data: BTreeMap<DataIndex, Memory>,
    elements: BTreeMap<ElementIndex, Table>,
}

/// Links what the module's bulk instructions need; gives the templates used, by name.
///
/// # Errors
/// A memory or table does not fit.
pub fn link(module: &mut Module, config: &Config) -> Result<BTreeMap<&'static str, Vec<u8>>, Error> {
    let segments = Segments { data: add_segments(module), elements: add_element_segments(module) };
    let mut used = BTreeMap::new();
    let mut instances: BTreeMap<Instance, Function> = BTreeMap::new();
    let wanted: Vec<Instance> =
        bulks(module).into_iter().filter_map(|bulk| instance(bulk, &segments, module)).collect();
    for instance in wanted {
        if instances.contains_key(&instance) {
            continue;
        }
        let (template, memories, tables) = &instance;
        let bytes = template.bytes();
        let mut other = super::parse(&bytes, config)?;
        insts_mut(&mut other).for_each(keep_growth);
        used.insert(template.name, bytes);
        let bindings = Bindings { memories: memories.clone(), tables: tables.clone(), ..Bindings::default() };
        let exports = module.link(other, &bindings);
        let function = exports.iter().find_map(|export| match export.kind {
            ExportKind::Function(function) if export.name == template.export => Some(function),
            _ => None,
        });
        instances.insert(instance, function.expect("a template exports its function"));
    }
    let types: Vec<ValueType> = module.tables.values().map(|table| table.ty).collect();
    let function = |bulk| instance_of(bulk, &segments, &types).map(|instance| instances[&instance]);
    insts_mut(module).for_each(|inst| rewrite(inst, &segments, function));
    Ok(used)
}

/// In a template, growth is by null entries.
fn keep_growth(inst: &mut Inst) {
    if let Inst::Bulk(Bulk::TableGrow(table)) = *inst {
        *inst = Inst::TableGrow(table);
    }
}

fn insts_mut(module: &mut Module) -> impl Iterator<Item = &mut Inst> {
    let bodies = module.functions.values_mut().filter_map(|function| match &mut function.code {
        Code::Body(body) => Some(&mut body.insts),
        Code::Import { .. } => None,
    });
    bodies.flatten()
}

/// The segments that `memory.init` names become memories: the memory of each.
fn add_segments(module: &mut Module) -> BTreeMap<DataIndex, Memory> {
    let mut memories = BTreeMap::new();
    for bulk in bulks(module) {
        if let Bulk::MemoryInit { data, .. } = bulk {
            memories.insert(data, Memory(0));
        }
    }
    for (index, memory) in &mut memories {
        let data = &module.data[*index];
        // Instantiation drops an active segment.
        let bytes = match data.mode {
            DataMode::Passive => data.bytes.len() as u32,
            DataMode::Active { .. } => 0,
        };
        *memory = module.memories.push(MemoryDecl {
            page_log2: 0,
            initial_pages: bytes,
            maximum_pages: Some(bytes),
            reserve_pages: bytes,
            varies: false,
            segment: Some(*index),
            offset: 0,
        });
    }
    memories
}

/// The bulk instructions of all functions.
fn bulks(module: &Module) -> Vec<Bulk> {
    let bodies = module.functions.values().filter_map(|function| match &function.code {
        Code::Body(body) => Some(body),
        Code::Import { .. } => None,
    });
    let insts = bodies.flat_map(|body| &body.insts);
    insts.filter_map(|inst| if let Inst::Bulk(bulk) = inst { Some(*bulk) } else { None }).collect()
}

/// The segments that `table.init` names become tables: the table of each.
fn add_element_segments(module: &mut Module) -> BTreeMap<ElementIndex, Table> {
    let mut tables = BTreeMap::new();
    for bulk in bulks(module) {
        if let Bulk::TableInit { element, .. } = bulk {
            tables.insert(element, Table(0));
        }
    }
    for (index, table) in &mut tables {
        let element = &module.elements[*index];
        // Instantiation drops the others.
        let entries = match element.mode {
            ElementMode::Passive => element.items.len() as u32,
            ElementMode::Active { .. } | ElementMode::Declared => 0,
        };
        *table = module.tables.push(TableDecl {
            ty: element.ty,
            initial: entries,
            maximum: Some(entries),
            reserve: entries,
            changes: false,
            varies: false,
            segment: Some(*index),
            offset: 0,
        });
    }
    tables
}

/// What an instruction becomes a call of.
fn instance(bulk: Bulk, segments: &Segments, module: &Module) -> Option<Instance> {
    let types: Vec<ValueType> = module.tables.values().map(|table| table.ty).collect();
    instance_of(bulk, segments, &types)
}

/// What an instruction becomes a call of, where tables have these types.
fn instance_of(bulk: Bulk, segments: &Segments, types: &[ValueType]) -> Option<Instance> {
    let of = |templates: [Template; 2], tables: Vec<Table>| {
        let is_host = types[tables[0].0 as usize] == ValueType::ExternRef;
        Some((templates[usize::from(is_host)], vec![], tables))
    };
    match bulk {
        Bulk::MemoryFill(memory) => Some((FILL, vec![memory], vec![])),
        Bulk::MemoryCopy { to, from } if to == from => Some((COPY, vec![to], vec![])),
        Bulk::MemoryCopy { to, from } => Some((MOVE, vec![to, from], vec![])),
        Bulk::MemoryInit { to, data } => Some((MOVE, vec![to, segments.data[&data]], vec![])),
        Bulk::TableFill(table) => of(TABLE_FILL, vec![table]),
        Bulk::TableCopy { to, from } if to == from => of(TABLE_COPY, vec![to]),
        Bulk::TableCopy { to, from } => of(TABLE_MOVE, vec![to, from]),
        Bulk::TableInit { to, element } => of(TABLE_MOVE, vec![to, segments.elements[&element]]),
        Bulk::TableGrow(table) => of(TABLE_GROW, vec![table]),
        Bulk::DataDrop(_) | Bulk::ElemDrop(_) => None,
    }
}

fn rewrite(inst: &mut Inst, segments: &Segments, function: impl Fn(Bulk) -> Option<Function>) {
    let Inst::Bulk(bulk) = *inst else { return };
    *inst = match (function(bulk), bulk) {
        (Some(function), _) => Inst::Call(function.0),
        // What nothing reads is as good as dropped.
        (None, Bulk::DataDrop(data)) => segments.data.get(&data).map_or(Inst::Nop, |memory| Inst::MemoryDrop(*memory)),
        (None, Bulk::ElemDrop(element)) => {
            segments.elements.get(&element).map_or(Inst::Nop, |table| Inst::TableDrop(*table))
        }
        (None, _) => unreachable!("only a drop is no call"),
    };
}
