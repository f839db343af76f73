//! Interpreters for tests and fuzzing: of Wasm modules, and of the IR made from them.
//!
//! Both run over the same [`Instance`] and record the same kind of [`Trace`], so that each step of
//! the compiler up to the IR can be compared with what it started from, frames included.

pub mod frames;
mod ir;
mod wasm;

use synth::trap::Trap;

use synth::entity::TypedVec;
use synth::ir::func::{Func, Place};
use synth::ir::op::{Function, Global, Memory, Table};
use synth::wasm::{Constant, DataMode, ElementMode, Module};

/// Why a run ended without results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// A trap, with the Wasm offset of the instruction that trapped.
    Trap(Trap, u32),
    /// The steps allowed are used up.
    OutOfFuel,
    /// Calls are nested too deeply.
    TooDeep,
}

/// Calls may be nested this deeply.
const DEPTH_MAX: u32 = 200;

/// What an imported function returns: a function of its index and arguments.
pub type Host = fn(Function, &[u64]) -> u64;

/// A linear memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bytes {
    /// All bytes that it may ever have; zero behind the length.
    pub all: Vec<u8>,
    /// Its length.
    pub length: u32,
}

impl Bytes {
    /// The bytes up to the length.
    pub fn present(&mut self) -> &mut [u8] {
        &mut self.all[..self.length as usize]
    }
}

/// Where descriptors of functions are.
const FUNCTIONS: u64 = 0x3000_0000;

/// The reference to a function.
pub fn reference(function: Function) -> u64 {
    FUNCTIONS + 8 * u64::from(function.0)
}

/// The function that a reference names; `None` is null.
pub fn referenced(reference: u64) -> Option<Function> {
    reference.checked_sub(FUNCTIONS).map(|offset| Function(offset as u32 / 8))
}

/// The state of an instantiated module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Linear memories.
    pub memories: TypedVec<Memory, Bytes>,
    /// Globals; an `i32` is zero-extended.
    pub globals: TypedVec<Global, u64>,
    /// Table entries, each a reference.
    pub tables: TypedVec<Table, Vec<u64>>,
    /// Calls of imported functions, in order.
    pub host_calls: Vec<(Function, Vec<u64>)>,
}

impl Instance {
    /// Instantiates a module, its start function not yet run (core spec, 4.5.4).
    pub fn new(module: &Module) -> Result<Instance, Trap> {
        let memories = module.memories.values();
        let memories = memories
            .map(|memory| Bytes { all: vec![0; memory.reserve_bytes() as usize], length: memory.initial_bytes() });
        let mut instance = Instance {
            memories: memories.collect(),
            globals: module.globals.values().map(|global| bits(&global.initial)).collect(),
            tables: module.tables.values().map(|table| vec![0; table.initial as usize]).collect(),
            host_calls: Vec::new(),
        };
        for (index, table) in module.tables.iter() {
            let items = table.segment.map_or(&[][..], |segment| &module.elements[segment].items);
            for (entry, item) in instance.tables[index].iter_mut().zip(items) {
                *entry = bits(item);
            }
        }
        for element in module.elements.values() {
            let ElementMode::Active { table, offset } = &element.mode else { continue };
            let first = offset.value() as usize;
            let entries = instance.tables[*table].get_mut(first..first + element.items.len());
            for (entry, item) in entries.ok_or(Trap::TableAccess)?.iter_mut().zip(&element.items) {
                *entry = bits(item);
            }
        }
        for data in module.data.values() {
            let DataMode::Active { memory, offset } = &data.mode else { continue };
            let first = offset.value() as usize;
            let bytes = instance.memories[*memory].present().get_mut(first..first + data.bytes.len());
            bytes.ok_or(Trap::MemoryOutOfBounds)?.copy_from_slice(&data.bytes);
        }
        Ok(instance)
    }
}

fn bits(constant: &Constant) -> u64 {
    constant.function().map_or_else(|| constant.value(), reference)
}

/// A place that control passed, with what the slots held; `None` is a slot not recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The place.
    pub place: Place,
    /// Locals.
    pub locals: Vec<Option<u64>>,
    /// Operand stack, bottom first.
    pub stack: Vec<Option<u64>>,
}

/// The places passed, in order.
pub type Trace = Vec<Visit>;

/// How a run ended, and what it passed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The results, or why there are none.
    pub outcome: Result<Vec<u64>, Stop>,
    /// The places passed: for Wasm every instruction, for the IR every block with a place.
    pub trace: Trace,
}

/// Runs the Wasm code of a function.
pub fn run_wasm(module: &Module, instance: &mut Instance, host: Host, call: (Function, &[u64]), fuel: u64) -> Run {
    let mut machine = wasm::Machine { module, instance, host, fuel, depth: 0, trace: Vec::new() };
    let outcome = machine.call(call.0, call.1.to_vec());
    Run { outcome, trace: machine.trace }
}

/// The functions of a module in IR; `None` for an import.
pub type Funcs = TypedVec<Function, Option<Func>>;

/// Runs the IR of a function.
pub fn run_ir(
    funcs: &Funcs,
    instance: &mut Instance,
    module_host: (&Module, Host),
    call: (Function, &[u64]),
    fuel: u64,
) -> Run {
    let (module, host) = module_host;
    let mut machine =
        ir::Machine { module, funcs, instance, host, fuel, depth: 0, trace: Vec::new(), returned: Vec::new() };
    let outcome = machine.call(call.0, call.1.to_vec());
    Run { outcome, trace: machine.trace }
}
