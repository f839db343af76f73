//! The engines that run a proved image, and the one that tells what a small memory makes of a module.

use synth::elf::names;
use synth::model;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Outcome, Qemu, QemuError, Turn, Value};
use synth::trap::Trap;
use wasmi::{StoreLimits, StoreLimitsBuilder, Val};

/// The engines to run every image in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engines {
    /// QEMU and the validator's interpreter.
    Both,
    /// The interpreter alone.
    Model,
}

/// What a call showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Its results.
    Returned(Vec<Value>),
    /// It trapped.
    Trapped(Trap),
    /// The processor stopped, and no trap says why.
    Faulted(String),
}

/// What an engine showed.
pub struct Run {
    /// Its name.
    pub engine: &'static str,
    /// What it showed, or why it failed.
    pub end: Result<Shown, String>,
}

/// A run that goes on where instantiation traps.
pub struct Shown {
    /// How each part of instantiation ends, if in a trap.
    pub traps: Vec<Option<Seen>>,
    /// Each call in order.
    pub calls: Vec<Seen>,
}

/// Most instructions of one call in the interpreter.
const STEPS_MAX: u64 = 1 << 30;

/// Does the calls of each turn, in each engine.
pub fn run(engines: Engines, firmware: &Firmware, turns: &[&[Action]]) -> Vec<Run> {
    let mut runs = vec![Run { engine: "the model", end: end(model::run_in_turns(firmware, turns, STEPS_MAX)) }];
    if engines == Engines::Both {
        runs.push(Run { engine: "QEMU", end: end(Qemu::default().run_in_turns(firmware, turns)) });
    }
    runs
}

fn end(ran: Result<Vec<Turn>, QemuError>) -> Result<Shown, String> {
    let mut shown = Shown { traps: Vec::new(), calls: Vec::new() };
    for Turn { trap, outcomes } in ran.map_err(|error| error.to_string())? {
        shown.traps.push(trap.map(|fault| seen(Outcome::Faulted(fault))));
        shown.calls.extend(outcomes.into_iter().map(seen));
    }
    Ok(shown)
}

fn seen(outcome: Outcome) -> Seen {
    match outcome {
        Outcome::Returned(values) => Seen::Returned(values),
        Outcome::Faulted(fault) => fault.trap().map_or_else(|| Seen::Faulted(format!("{fault:x?}")), Seen::Trapped),
        Outcome::Bytes(_) => unreachable!("a script reads no bytes"),
    }
}

/// What the calls show in wasmi where memory grows to no more than this; `None` for a call that neither returns
/// nor leaves its memory, and for all if wasmi does not run the module.
pub fn shown_within(memory_bytes: usize, wasm: &[u8], calls: &[Action]) -> Vec<Option<Seen>> {
    bounded(memory_bytes, wasm, calls).unwrap_or_else(|_| vec![None; calls.len()])
}

fn bounded(memory_bytes: usize, wasm: &[u8], calls: &[Action]) -> Result<Vec<Option<Seen>>, wasmi::Error> {
    let mut config = wasmi::Config::default();
    config.wasm_custom_page_sizes(true);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm)?;
    let limits = StoreLimitsBuilder::new().memory_size(memory_bytes).build();
    let mut store = wasmi::Store::new(&engine, limits);
    store.limiter(|limits: &mut StoreLimits| limits);
    let mut linker = wasmi::Linker::new(&engine);
    for import in module.imports() {
        if let Some(ty) = import.ty().func() {
            linker.func_new(import.module(), import.name(), ty.clone(), |_, _, _| Ok(()))?;
        }
    }
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    Ok(calls.iter().map(|action| call(&mut store, instance, action)).collect())
}

fn call(store: &mut wasmi::Store<StoreLimits>, instance: wasmi::Instance, action: &Action) -> Option<Seen> {
    let Action::Call(symbol, arguments) = action else { return None };
    let function = instance.get_func(&*store, &names::unmangle(symbol))?;
    let inputs: Vec<Val> = arguments
        .iter()
        .map(|argument| match argument {
            Value::I32(value) => Val::I32(*value as i32),
            Value::I64(value) => Val::I64(*value as i64),
            Value::F32(bits) => Val::F32(wasmi::F32::from_bits(*bits)),
            Value::F64(bits) => Val::F64(wasmi::F64::from_bits(*bits)),
            // Only how far memory grows is asked for.
            Value::FuncRef(_) => Val::FuncRef(wasmi::Ref::Null),
            Value::ExternRef(_) => Val::ExternRef(wasmi::Ref::Null),
        })
        .collect();
    let mut outputs: Vec<Val> = vec![Val::I32(0); function.ty(&*store).results().len()];
    if let Err(error) = function.call(store, &inputs, &mut outputs) {
        let is_beyond = error.as_trap_code() == Some(wasmi::TrapCode::MemoryOutOfBounds);
        return is_beyond.then_some(Seen::Trapped(Trap::MemoryOutOfBounds));
    }
    let values: Option<Vec<Value>> = outputs
        .iter()
        .map(|output| match output {
            Val::I32(value) => Some(Value::I32(*value as u32)),
            Val::I64(value) => Some(Value::I64(*value as u64)),
            Val::F32(number) => Some(Value::F32(number.to_bits())),
            Val::F64(number) => Some(Value::F64(number.to_bits())),
            _ => None,
        })
        .collect();
    values.map(Seen::Returned)
}
