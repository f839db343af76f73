//! Templates: Wasm functions that do what a bulk operator says, over memories and tables that they import.
//!
//! The bytes of a template travel in the file under judgement. Each operator of the module becomes a call
//! of an instance of its template, whose imports are bound to the operator's memories and tables; an instance is
//! proved like any function. That a template does what the operator says is a claim about its bytes: it
//! is believed of bytes whose hash is in [`KNOWN`], for the reason given there.
//!
//! Ensures: no bulk operator is left. A segment that `memory.init` names is a memory of its own behind
//! the others, one that `table.init` names is a table, in the order of segments. The instances stand behind all functions, in the order in which
//! the first operator of each is met: functions by index, operators as they stand.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::link::{self, Bindings};
use super::module::{self, Exported, Memory, Module, Table, ValueType};
use super::op::{Bulk, Op};

/// Templates that are known: the section and the export, the SHA-256 of the bytes, and why the function
/// is believed to do what the operator says.
const KNOWN: [(Template, &str, &str); 11] = [
    (Template::Fill, "cc21281cf1c1c650c11c5fbeed1d93bf6a9e132c9083dc4952f3d508abea1c4a", TESTED),
    (Template::Copy, "eb2b5579e4a34b8926f9715c24fa20c270179fd810738096125ca37eb8ea8d8e", TESTED),
    (Template::Move, "05bbadfe24f69e88bd0da11198fc5fa5405da3a6dce120d31d95fe046052fc1b", TESTED),
    (Template::TableFill(Of::Functions), "5a3ccbb08a1d52d581323db66c7902f1cd8ca8c2eba597da47f6304c1da2fc52", TESTED),
    (Template::TableFill(Of::Host), "ab75735f09bc0317bd341cefd721068949f464fef68a701be3dfb7ad04bbd9a8", TESTED),
    (Template::TableCopy(Of::Functions), "15689f87bef2de15664fd9018af1f62fb24cbcbbdb8407d8f1ca6fcaa849d27b", TESTED),
    (Template::TableCopy(Of::Host), "93ba0c46d003a683523adbeb80b11edc4ac34d5d6ffb4859dab5c3640d303609", TESTED),
    (Template::TableMove(Of::Functions), "0d956692b87d08bee9dad8dec4e9247bcc3932855551cbd34775728bb50f3739", TESTED),
    (Template::TableMove(Of::Host), "29caa3b9db2de5b563c5ef0298c10bac2af2102be5b83d34dd4420b02ce89270", TESTED),
    (Template::TableGrow(Of::Functions), "1599b77eef7057e3271870280c240618eaca3bcc3a5df35a2cee97de336d1bc8", TESTED),
    (Template::TableGrow(Of::Host), "119bfa34160d50acc9054a9d9bfb3eaf3fbac0ae6df37fa6726d476f9b168368", TESTED),
];

const TESTED: &str = "tested against a second engine (tests/templates.rs, tests/table_templates.rs)";

/// What a template does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Template {
    /// Fills a part of a memory.
    Fill,
    /// Copies within a memory.
    Copy,
    /// Copies from one memory to another.
    Move,
    /// Fills a part of a table.
    TableFill(Of),
    /// Copies within a table.
    TableCopy(Of),
    /// Copies from one table to another.
    TableMove(Of),
    /// Grows a table.
    TableGrow(Of),
}

/// What the references of a table are of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Of {
    /// Functions.
    Functions,
    /// Things of the host.
    Host,
}

impl Template {
    /// Its name: that of its section behind `.synth.`.
    pub fn name(self) -> String {
        let (Template::TableFill(of) | Template::TableCopy(of) | Template::TableMove(of) | Template::TableGrow(of)) =
            self
        else {
            return self.export().to_owned();
        };
        match of {
            Of::Functions => self.export().to_owned(),
            Of::Host => format!("{}.extern", self.export()),
        }
    }

    /// The name of its export.
    pub fn export(self) -> &'static str {
        match self {
            Template::TableFill(_) => "table.fill",
            Template::TableCopy(_) => "table.copy",
            Template::TableMove(_) => "table.move",
            Template::TableGrow(_) => "table.grow",
            Template::Fill => "memory.fill",
            Template::Copy => "memory.copy",
            Template::Move => "memory.move",
        }
    }
}

/// A template over memories and tables.
type Instance = (Template, Vec<u32>, Vec<u32>);

/// The memories and tables that segments are.
struct Segments {
    data: BTreeMap<u32, u32>,
    elements: BTreeMap<u32, u32>,
}

/// An instance that is linked: its function, and what is believed of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// The function.
    pub function: u32,
    /// What it is believed to do, and why.
    pub claim: String,
}

/// Links what the module's bulk operators need. `section` gives the bytes of a section of the file.
///
/// # Errors
/// What is wrong with the templates.
pub fn link<'f>(module: &mut Module, section: impl Fn(&str) -> Option<&'f [u8]>) -> Result<(), String> {
    let segments = Segments { data: add_segments(module), elements: add_element_segments(module) };
    let mut instances: BTreeMap<Instance, u32> = BTreeMap::new();
    for instance in wanted(module, &segments) {
        let (template, memories, tables) = &instance;
        let name = format!(".synth.{}", template.name());
        let bytes = section(&name).ok_or_else(|| format!("the module needs the section {name}"))?;
        let (other, reason) = read(*template, bytes)?;
        let bindings = Bindings { memories: memories.clone(), tables: tables.clone(), ..Bindings::default() };
        let exports = link::link(module, other, &bindings);
        let function = exports.iter().find_map(|export| match export.item {
            Exported::Function(function) if export.name == template.export() => Some(function),
            Exported::Function(_) | Exported::Table(_) | Exported::Memory(_) | Exported::Global(_) => None,
        });
        let function = function.ok_or_else(|| format!("{name} exports no such function"))?;
        let words = match &tables[..] {
            [] => format!("{} of memory {}", template.name(), words(memories)),
            tables => format!("{} of table {}", template.name(), words(tables)),
        };
        module.templates.push(Linked { function, claim: format!("{words} is that operator: {reason}") });
        module.names.insert(function, words);
        instances.insert(instance, function);
    }
    rewrite(module, &segments, &instances);
    Ok(())
}

fn words(items: &[u32]) -> String {
    let numbers: Vec<String> = items.iter().map(u32::to_string).collect();
    numbers.join(" from ")
}

/// Reads a template whose bytes are known.
fn read(template: Template, bytes: &[u8]) -> Result<(Module, &'static str), String> {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let known = KNOWN.iter().find(|(known, digest, _)| *known == template && *digest == hash);
    let (_, _, reason) = known.ok_or_else(|| format!("the template with the hash {hash} is not known"))?;
    let mut other = module::read(bytes).map_err(|error| error.to_string())?;
    for instruction in other.functions.iter_mut().flat_map(|function| &mut function.body) {
        // In a template, growth is by null entries.
        if let Op::Bulk(Bulk::TableGrow(table)) = instruction.op {
            instruction.op = Op::TableGrow(table);
        }
    }
    Ok((other, reason))
}

/// The segments that `memory.init` names become memories: the memory of each.
fn add_segments(module: &mut Module) -> BTreeMap<u32, u32> {
    let mut memories = BTreeMap::new();
    for bulk in bulks(module) {
        if let Bulk::MemoryInit { data, .. } = bulk {
            memories.insert(data, 0);
        }
    }
    for (data, memory) in &mut memories {
        *memory = module.memories.len() as u32;
        let segment = &module.data[*data as usize];
        // Instantiation drops an active segment.
        let bytes = if segment.active.is_none() { segment.bytes.len() } else { 0 };
        let bytes = u32::try_from(bytes).expect("a module is shorter than 4 GiB");
        module.memories.push(Memory { page_log2: 0, minimum: bytes, maximum: Some(bytes), segment: Some(*data) });
    }
    memories
}

/// The segments that `table.init` names become tables: the table of each.
fn add_element_segments(module: &mut Module) -> BTreeMap<u32, u32> {
    let mut tables = BTreeMap::new();
    for bulk in bulks(module) {
        if let Bulk::TableInit { element, .. } = bulk {
            tables.insert(element, 0);
        }
    }
    for (element, table) in &mut tables {
        *table = module.tables.len() as u32;
        let segment = &module.elements[*element as usize];
        // Instantiation drops the others.
        let entries = if segment.is_passive { segment.items.len() } else { 0 };
        let entries = u32::try_from(entries).expect("a module is shorter than 4 GiB");
        let element_type = segment.value_type;
        module.tables.push(Table {
            element: element_type,
            minimum: entries,
            maximum: Some(entries),
            segment: Some(*element),
        });
    }
    tables
}

fn bulks(module: &Module) -> Vec<Bulk> {
    let bodies = module.functions.iter().flat_map(|function| &function.body);
    bodies.filter_map(|instruction| if let Op::Bulk(bulk) = instruction.op { Some(bulk) } else { None }).collect()
}

/// The instances that the operators need, each once, in the order of the first operator.
fn wanted(module: &Module, segments: &Segments) -> Vec<Instance> {
    let mut wanted: Vec<Instance> = Vec::new();
    for instance in bulks(module).into_iter().filter_map(|bulk| instance(bulk, segments, &module.tables)) {
        if !wanted.contains(&instance) {
            wanted.push(instance);
        }
    }
    wanted
}

/// What an operator becomes a call of.
fn instance(bulk: Bulk, segments: &Segments, tables: &[Table]) -> Option<Instance> {
    let of = |table: u32| match tables[table as usize].element {
        ValueType::ExternRef => Of::Host,
        ValueType::I32 | ValueType::I64 | ValueType::F32 | ValueType::F64 | ValueType::FuncRef => Of::Functions,
    };
    match bulk {
        Bulk::MemoryFill(memory) => Some((Template::Fill, vec![memory], vec![])),
        Bulk::MemoryCopy { to, from } if to == from => Some((Template::Copy, vec![to], vec![])),
        Bulk::MemoryCopy { to, from } => Some((Template::Move, vec![to, from], vec![])),
        Bulk::MemoryInit { to, data } => Some((Template::Move, vec![to, segments.data[&data]], vec![])),
        Bulk::TableFill(table) => Some((Template::TableFill(of(table)), vec![], vec![table])),
        Bulk::TableCopy { to, from } if to == from => Some((Template::TableCopy(of(to)), vec![], vec![to])),
        Bulk::TableCopy { to, from } => Some((Template::TableMove(of(to)), vec![], vec![to, from])),
        Bulk::TableInit { to, element } => {
            Some((Template::TableMove(of(to)), vec![], vec![to, segments.elements[&element]]))
        }
        Bulk::TableGrow(table) => Some((Template::TableGrow(of(table)), vec![], vec![table])),
        Bulk::DataDrop(_) | Bulk::ElemDrop(_) => None,
    }
}

fn rewrite(module: &mut Module, segments: &Segments, instances: &BTreeMap<Instance, u32>) {
    let tables = module.tables.clone();
    for instruction in module.functions.iter_mut().flat_map(|function| &mut function.body) {
        let Op::Bulk(bulk) = instruction.op else { continue };
        instruction.op = match (instance(bulk, segments, &tables), bulk) {
            (Some(instance), _) => Op::Call(instances[&instance]),
            (None, Bulk::DataDrop(data)) if segments.data.contains_key(&data) => Op::MemoryDrop(segments.data[&data]),
            (None, Bulk::ElemDrop(element)) if segments.elements.contains_key(&element) => {
                Op::TableDrop(segments.elements[&element])
            }
            // What no `memory.init` reads is as good as dropped.
            (None, _) => Op::Nop,
        };
    }
}
