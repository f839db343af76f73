//! Templates: bulk operators as WebAssembly over the memories of the instruction.
//!
//! Ensures: no bulk instruction is left in the module. A segment that `memory.init` names is a memory
//! of its own behind the others, in the order of segments. The instances stand behind all functions,
//! in the order in which the first instruction of each is met: functions by index, instructions as
//! they stand. The bytes of the templates used travel in the file, so that the validator links alike.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Error;
use crate::ir::op::{Function, Memory};
use crate::wasm::{self, Bindings, Bulk, Code, DataIndex, DataMode, ExportKind, Inst, MemoryDecl, Module};

/// A template: its name, which is that of its export, and its text.
type Template = (&'static str, &'static str);

const FILL: Template = ("memory.fill", include_str!("memory_fill.wat"));
const COPY: Template = ("memory.copy", include_str!("memory_copy.wat"));
const MOVE: Template = ("memory.move", include_str!("memory_move.wat"));

/// A template over memories.
type Instance = (Template, Vec<Memory>);

/// Links what the module's bulk instructions need; gives the templates used, by name.
///
/// # Errors
/// A memory does not fit.
pub fn link(module: &mut Module, config: &Config) -> Result<BTreeMap<&'static str, Vec<u8>>, Error> {
    let segments = add_segments(module);
    let mut used = BTreeMap::new();
    let mut instances: BTreeMap<Instance, Function> = BTreeMap::new();
    for instance in bulks(module).into_iter().filter_map(|bulk| instance(bulk, &segments)) {
        if instances.contains_key(&instance) {
            continue;
        }
        let ((name, text), memories) = &instance;
        let bytes = wasm::read(text.as_bytes()).expect("a template is WebAssembly").into_owned();
        let template = wasm::parse(&bytes, config)?;
        used.insert(*name, bytes);
        let exports = module.link(template, &Bindings { memories: memories.clone(), ..Bindings::default() });
        let function = exports.iter().find_map(|export| match export.kind {
            ExportKind::Function(function) if export.name == *name => Some(function),
            _ => None,
        });
        instances.insert(instance, function.expect("a template exports its function"));
    }
    for function in module.functions.values_mut() {
        let Code::Body(body) = &mut function.code else { continue };
        body.insts.iter_mut().for_each(|inst| rewrite(inst, &segments, &instances));
    }
    Ok(used)
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

/// What an instruction becomes a call of.
fn instance(bulk: Bulk, segments: &BTreeMap<DataIndex, Memory>) -> Option<Instance> {
    match bulk {
        Bulk::MemoryFill(memory) => Some((FILL, vec![memory])),
        Bulk::MemoryCopy { to, from } if to == from => Some((COPY, vec![to])),
        Bulk::MemoryCopy { to, from } => Some((MOVE, vec![to, from])),
        Bulk::MemoryInit { to, data } => Some((MOVE, vec![to, segments[&data]])),
        Bulk::DataDrop(_) => None,
    }
}

fn rewrite(inst: &mut Inst, segments: &BTreeMap<DataIndex, Memory>, instances: &BTreeMap<Instance, Function>) {
    let Inst::Bulk(bulk) = *inst else { return };
    *inst = match (instance(bulk, segments), bulk) {
        (Some(instance), _) => Inst::Call(instances[&instance].0),
        // What no `memory.init` reads is as good as dropped.
        (None, Bulk::DataDrop(data)) => segments.get(&data).map_or(Inst::Nop, |memory| Inst::MemoryDrop(*memory)),
        (None, _) => unreachable!("only a drop is no call"),
    };
}
