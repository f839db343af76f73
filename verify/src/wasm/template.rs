//! Templates: Wasm functions that do what a bulk operator says, over memories that they import.
//!
//! The bytes of a template travel in the file under judgement. Each operator of the module becomes a call
//! of an instance of its template, whose imports are bound to the operator's memories; an instance is
//! proved like any function. That a template does what the operator says is a claim about its bytes: it
//! is believed of bytes whose hash is in [`KNOWN`], for the reason given there.
//!
//! Ensures: no bulk operator is left. A segment that `memory.init` names is a memory of its own behind
//! the others, in the order of segments. The instances stand behind all functions, in the order in which
//! the first operator of each is met: functions by index, operators as they stand.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::link::{self, Bindings};
use super::module::{self, Exported, Memory, Module};
use super::op::{Bulk, Op};

/// Templates that are known: the section and the export, the SHA-256 of the bytes, and why the function
/// is believed to do what the operator says.
const KNOWN: [(Template, &str, &str); 3] = [
    (Template::Fill, "cc21281cf1c1c650c11c5fbeed1d93bf6a9e132c9083dc4952f3d508abea1c4a", TESTED),
    (Template::Copy, "eb2b5579e4a34b8926f9715c24fa20c270179fd810738096125ca37eb8ea8d8e", TESTED),
    (Template::Move, "05bbadfe24f69e88bd0da11198fc5fa5405da3a6dce120d31d95fe046052fc1b", TESTED),
];

const TESTED: &str = "tested against a second engine (tests/templates.rs)";

/// What a template does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Template {
    /// Fills a part of a memory.
    Fill,
    /// Copies within a memory.
    Copy,
    /// Copies from one memory to another.
    Move,
}

impl Template {
    /// Its name: that of its export, and of its section behind `.synth.`.
    pub fn name(self) -> &'static str {
        match self {
            Template::Fill => "memory.fill",
            Template::Copy => "memory.copy",
            Template::Move => "memory.move",
        }
    }
}

/// A template over memories.
type Instance = (Template, Vec<u32>);

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
    let segments = add_segments(module);
    let mut instances: BTreeMap<Instance, u32> = BTreeMap::new();
    for instance in wanted(module, &segments) {
        let (template, memories) = &instance;
        let name = format!(".synth.{}", template.name());
        let bytes = section(&name).ok_or_else(|| format!("the module needs the section {name}"))?;
        let (other, reason) = read(*template, bytes)?;
        let bindings = Bindings { memories: memories.clone(), ..Bindings::default() };
        let exports = link::link(module, other, &bindings);
        let function = exports.iter().find_map(|export| match export.item {
            Exported::Function(function) if export.name == template.name() => Some(function),
            Exported::Function(_) | Exported::Table(_) | Exported::Memory(_) | Exported::Global(_) => None,
        });
        let function = function.ok_or_else(|| format!("{name} exports no such function"))?;
        let words = format!("{} of memory {}", template.name(), words(memories));
        module.templates.push(Linked { function, claim: format!("{words} is that operator: {reason}") });
        module.names.insert(function, words);
        instances.insert(instance, function);
    }
    rewrite(module, &segments, &instances);
    Ok(())
}

fn words(memories: &[u32]) -> String {
    let numbers: Vec<String> = memories.iter().map(u32::to_string).collect();
    numbers.join(" from ")
}

/// Reads a template whose bytes are known.
fn read(template: Template, bytes: &[u8]) -> Result<(Module, &'static str), String> {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let known = KNOWN.iter().find(|(known, digest, _)| *known == template && *digest == hash);
    let (_, _, reason) = known.ok_or_else(|| format!("the template with the hash {hash} is not known"))?;
    let other = module::read(bytes).map_err(|error| error.to_string())?;
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

fn bulks(module: &Module) -> Vec<Bulk> {
    let bodies = module.functions.iter().flat_map(|function| &function.body);
    bodies.filter_map(|instruction| if let Op::Bulk(bulk) = instruction.op { Some(bulk) } else { None }).collect()
}

/// The instances that the operators need, each once, in the order of the first operator.
fn wanted(module: &Module, segments: &BTreeMap<u32, u32>) -> Vec<Instance> {
    let mut wanted: Vec<Instance> = Vec::new();
    for instance in bulks(module).into_iter().filter_map(|bulk| instance(bulk, segments)) {
        if !wanted.contains(&instance) {
            wanted.push(instance);
        }
    }
    wanted
}

/// What an operator becomes a call of.
fn instance(bulk: Bulk, segments: &BTreeMap<u32, u32>) -> Option<Instance> {
    match bulk {
        Bulk::MemoryFill(memory) => Some((Template::Fill, vec![memory])),
        Bulk::MemoryCopy { to, from } if to == from => Some((Template::Copy, vec![to])),
        Bulk::MemoryCopy { to, from } => Some((Template::Move, vec![to, from])),
        Bulk::MemoryInit { to, data } => Some((Template::Move, vec![to, segments[&data]])),
        Bulk::DataDrop(_) => None,
    }
}

fn rewrite(module: &mut Module, segments: &BTreeMap<u32, u32>, instances: &BTreeMap<Instance, u32>) {
    for instruction in module.functions.iter_mut().flat_map(|function| &mut function.body) {
        let Op::Bulk(bulk) = instruction.op else { continue };
        instruction.op = match (instance(bulk, segments), bulk) {
            (Some(instance), _) => Op::Call(instances[&instance]),
            (None, Bulk::DataDrop(data)) if segments.contains_key(&data) => Op::MemoryDrop(segments[&data]),
            // What no `memory.init` reads is as good as dropped.
            (None, _) => Op::Nop,
        };
    }
}
