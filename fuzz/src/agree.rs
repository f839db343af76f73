//! Whether a proved image runs as another engine runs the module.
//!
//! The other engine is wasmi: it shares `wasmparser` with us and nothing else.

use synth::config::Config;
use synth::elf::{ElfError, names};
use synth::entity::Entity;
use synth::error::Error;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Fault, Outcome, Qemu, QemuError, Value};
use synth::trap::Trap;
use synth::wasm::{ExportKind, ValueType};
use wasmi::errors::{ErrorKind, InstantiationError, TableError};
use wasmi::{Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val};

use crate::choices::Choices;
use crate::oracle::{self, Failure};

/// Bytes of memory compared after the calls.
const COMPARED_BYTES: usize = 0x2000;

/// Steps of the other engine that a module may take.
const FUEL: u64 = 10_000_000;

/// Calls within calls that the other engine allows: more than the fuel of a random module.
const CALLS_MAX: usize = 10_000;

/// Most instructions of one call in the interpreter.
const STEPS_MAX: u64 = 1 << 30;

/// What became of a module.
pub enum Judged {
    /// Both engines agree, after so many operators.
    Agreed(u64),
    /// It is larger than a board.
    TooLarge,
}

/// Compiles a module, proves it, and compares its runs in the interpreter, and in QEMU where there is one, with those
/// of the other engine.
///
/// # Errors
/// Any of this fails.
pub fn judge(wasm: &[u8], config: &Config, choices: &mut Choices<'_>, qemu: Option<&Qemu>) -> Result<Judged, String> {
    let run = reference(wasm, config, choices)?;
    let proved = match oracle::image(wasm, config) {
        Ok(proved) => proved,
        Err(Failure::Refused(Error::TooBig(_)) | Failure::NoFile(ElfError::TooBig { .. })) => {
            return Ok(Judged::TooLarge);
        }
        Err(failure) => return Err(failure.to_string()),
    };
    let firmware = firmware(&proved.elf)?;
    if let Some(difference) = difference(&run, modelled(&firmware, &run.actions, STEPS_MAX)) {
        return Err(format!("in the interpreter: {difference}"));
    }
    if let Some(qemu) = qemu
        && let Some(difference) = difference(&run, qemu.run(&firmware, &run.actions))
    {
        return Err(format!("in QEMU: {difference}"));
    }
    Ok(Judged::Agreed(run.operators))
}

/// The answers of the interpreter.
///
/// # Errors
/// The image does not come up, or a call takes more steps.
pub fn modelled(firmware: &Firmware, actions: &[Action], steps_max: u64) -> Result<Vec<Outcome>, QemuError> {
    let outcomes = synth::model::run(firmware, actions, steps_max)?;
    Ok(outcomes.into_iter().map(|(outcome, _)| outcome).collect())
}

/// What one call came to, in a form that both engines have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// Its results.
    Returned(Vec<u64>),
    /// The words of the trap.
    Trapped(String),
    /// Bytes of memory.
    Bytes(Vec<u8>),
}

/// A run of the other engine.
pub struct Run {
    /// How instantiation ends where it does not succeed; nothing is asked of the image then.
    pub stopped: Option<End>,
    /// What to ask of an image.
    pub actions: Vec<Action>,
    /// What the answers must be.
    pub ends: Vec<End>,
    /// Operators executed.
    pub operators: u64,
}

/// Calls every exported function of numbers to numbers twice, then reads memory, in the other engine.
///
/// # Errors
/// The engine refuses the module, or ends in a way that an image has no word for.
pub fn reference(wasm: &[u8], config: &Config, choices: &mut Choices<'_>) -> Result<Run, String> {
    let words = |error: wasmi::Error| error.to_string();
    let parsed = synth::wasm::parse(wasm, config).map_err(|error| error.to_string())?;
    let reserve = parsed.memories.values().map(|memory| memory.reserve_bytes()).max().unwrap_or(0);
    let mut engine_config = wasmi::Config::default();
    engine_config.consume_fuel(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    engine_config.set_max_recursion_depth(CALLS_MAX);
    let engine = Engine::new(&engine_config);
    let module = Module::new(&engine, wasm).map_err(words)?;
    let limits = StoreLimitsBuilder::new().memory_size(reserve as usize).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits: &mut StoreLimits| limits);
    store.set_fuel(FUEL).map_err(words)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "mix", |_: i32, _: i32| 0).map_err(|error| error.to_string())?;
    let mut run = Run { stopped: None, actions: Vec::new(), ends: Vec::new(), operators: 0 };
    let instance = match linker.instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            run.stopped = Some(end(Err(error), &[])?);
            return Ok(run);
        }
    };
    for export in &parsed.exports {
        let ExportKind::Function(index) = export.kind else { continue };
        let ty = &parsed.types[parsed.functions[index].ty];
        if ty.params.iter().chain(&ty.results).any(|ty| matches!(ty, ValueType::FuncRef | ValueType::ExternRef)) {
            continue;
        }
        for _ in 0..2 {
            let arguments: Vec<Value> = ty.params.iter().map(|ty| choices.value(*ty)).collect();
            let inputs: Vec<Val> = arguments.iter().map(value).collect();
            let mut outputs: Vec<Val> = ty.results.iter().map(|_| Val::I32(0)).collect();
            let function = instance.get_func(&store, &export.name).ok_or("an export is missing")?;
            let called = function.call(&mut store, &inputs, &mut outputs);
            run.actions.push(Action::Call(names::mangle(&export.name), arguments));
            run.ends.push(end(called, &outputs)?);
        }
    }
    let is_first = |kind| matches!(kind, ExportKind::Memory(memory) if memory.index() == 0);
    if let Some(memory) = parsed.exports.iter().find(|export| is_first(export.kind)) {
        let memory = instance.get_memory(&store, &memory.name).ok_or("the memory is missing")?;
        let bytes = memory.data(&store);
        let compared = &bytes[..bytes.len().min(COMPARED_BYTES)];
        run.actions.push(Action::Peek(0, compared.len() as u32));
        run.ends.push(End::Bytes(compared.to_vec()));
    }
    run.operators = FUEL - store.get_fuel().map_err(words)?;
    Ok(run)
}

fn value(value: &Value) -> Val {
    match value {
        Value::I32(bits) => Val::I32(*bits as i32),
        Value::I64(bits) => Val::I64(*bits as i64),
        Value::F32(bits) => Val::F32(wasmi::F32::from_bits(*bits)),
        Value::F64(bits) => Val::F64(wasmi::F64::from_bits(*bits)),
        // No generated module is given a reference that is not null.
        Value::FuncRef(_) => Val::FuncRef(wasmi::Ref::Null),
        Value::ExternRef(_) => Val::ExternRef(wasmi::Ref::Null),
    }
}

fn end(called: Result<(), wasmi::Error>, outputs: &[Val]) -> Result<End, String> {
    match called {
        Ok(()) => Ok(End::Returned(
            outputs
                .iter()
                .map(|value| match value {
                    Val::I32(bits) => u64::from(*bits as u32),
                    Val::I64(bits) => *bits as u64,
                    Val::F32(number) => u64::from(number.to_bits()),
                    Val::F64(number) => number.to_bits(),
                    other => unreachable!("{other:?} is no number"),
                })
                .collect(),
        )),
        Err(error) => {
            let code = match error.kind() {
                ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. })
                | ErrorKind::Table(TableError::CopyOutOfBounds) => TrapCode::TableOutOfBounds,
                _ => error.as_trap_code().ok_or_else(|| error.to_string())?,
            };
            let words = match code {
                TrapCode::UnreachableCodeReached => "unreachable",
                TrapCode::MemoryOutOfBounds => "out of bounds memory access",
                TrapCode::TableOutOfBounds => "undefined element",
                TrapCode::IndirectCallToNull => "uninitialized element",
                TrapCode::IntegerDivisionByZero => "integer divide by zero",
                TrapCode::IntegerOverflow => "integer overflow",
                TrapCode::BadSignature => "indirect call type mismatch",
                TrapCode::StackOverflow => "call stack exhausted",
                TrapCode::BadConversionToInteger => "invalid conversion to integer",
                other => return Err(format!("{other:?}")),
            };
            Ok(End::Trapped(words.to_owned()))
        }
    }
}

/// What of an image's run is not as in the other engine.
pub fn difference(run: &Run, outcomes: Result<Vec<Outcome>, QemuError>) -> Option<String> {
    let outcomes = match (outcomes, &run.stopped) {
        (Ok(outcomes), None) => outcomes,
        (Ok(_), Some(wanted)) => return Some(format!("it is instantiated, the other engine says {wanted:?}")),
        (Err(QemuError::NotInstantiated(fault)), Some(wanted)) => {
            let is = trapped(&fault);
            return (is != *wanted).then(|| format!("instantiation gives {is:?}, the other engine says {wanted:?}"));
        }
        (Err(error), _) => return Some(error.to_string()),
    };
    if outcomes.len() != run.ends.len() {
        return Some(format!("{} answers where {} were asked for", outcomes.len(), run.ends.len()));
    }
    for ((action, wanted), is) in run.actions.iter().zip(&run.ends).zip(outcomes) {
        let is = match is {
            Outcome::Returned(values) => End::Returned(values.iter().map(|value| value.bits()).collect()),
            Outcome::Faulted(fault) => trapped(&fault),
            Outcome::Bytes(bytes) => End::Bytes(bytes),
        };
        if is != *wanted {
            return Some(format!("{action:?} gives {is:?}, the other engine says {wanted:?}"));
        }
    }
    None
}

/// A trap in the other engine's words, which do not tell accesses of tables from calls.
fn trapped(fault: &Fault) -> End {
    let trap = fault.trap().map(|trap| match trap {
        Trap::TableAccess => Trap::TableOutOfBounds,
        other => other,
    });
    End::Trapped(trap.map_or_else(|| format!("{fault:?}"), |trap| trap.words().to_owned()))
}

/// Reads an image for either engine.
///
/// # Errors
/// It is none.
pub fn firmware(image: &[u8]) -> Result<Firmware, String> {
    Firmware::read(image).map_err(|error| error.to_string())
}

impl Choices<'_> {
    /// An argument.
    fn value(&mut self, ty: ValueType) -> Value {
        match ty {
            ValueType::I32 => Value::I32(self.i32() as u32),
            ValueType::I64 => Value::I64(self.i64() as u64),
            ValueType::F32 => Value::F32(self.f32()),
            ValueType::F64 => Value::F64(self.f64()),
            ValueType::FuncRef => Value::FuncRef(0),
            ValueType::ExternRef => Value::ExternRef(0),
        }
    }
}
