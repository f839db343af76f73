//! Whether a proved image runs as another engine runs the module.
//!
//! The other engine is wasmi: it shares `wasmparser` with us and nothing else.

use synth::config::Config;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Outcome, Value};
use synth::trap::Trap;
use wasm_encoder::ValType;
use wasmi::{Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val};

use crate::choices::Choices;
use crate::generate::Generated;

/// Bytes of memory compared after the calls.
const COMPARED_BYTES: u32 = 0x2000;

/// Steps of the other engine that a module may take.
const FUEL: u64 = 10_000_000;

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
    /// What to ask of an image.
    pub actions: Vec<Action>,
    /// What the answers must be.
    pub ends: Vec<End>,
    /// Operators executed.
    pub operators: u64,
}

/// Calls every function twice and the digest once, then reads memory, in the other engine.
///
/// # Errors
/// The engine refuses the module.
pub fn reference(generated: &Generated, config: &Config, choices: &mut Choices<'_>) -> Result<Run, String> {
    let words = |error: wasmi::Error| error.to_string();
    let parsed = synth::wasm::parse(&generated.wasm, config).map_err(|error| error.to_string())?;
    let reserve = parsed.memories.values().map(|memory| memory.reserve_bytes()).max().unwrap_or(0);
    let mut engine_config = wasmi::Config::default();
    engine_config.consume_fuel(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    let engine = Engine::new(&engine_config);
    let module = Module::new(&engine, &generated.wasm).map_err(words)?;
    let limits = StoreLimitsBuilder::new().memory_size(reserve as usize).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits: &mut StoreLimits| limits);
    store.set_fuel(FUEL).map_err(words)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "mix", |_: i32, _: i32| 0).map_err(|error| error.to_string())?;
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(words)?;
    let mut run = Run { actions: Vec::new(), ends: Vec::new(), operators: 0 };
    for (index, signature) in generated.signatures.iter().enumerate() {
        for _ in 0..2 {
            let name = format!("f{index}");
            let arguments: Vec<Value> = signature.params.iter().map(|kind| choices.value(*kind)).collect();
            let inputs: Vec<Val> = arguments.iter().map(value).collect();
            let mut outputs: Vec<Val> = signature.results.iter().map(|_| Val::I32(0)).collect();
            let function = instance.get_func(&store, &name).ok_or("an export is missing")?;
            let called = function.call(&mut store, &inputs, &mut outputs);
            run.actions.push(Action::Call(name, arguments));
            run.ends.push(end(called, &outputs)?);
        }
    }
    let mut digest = [Val::I64(0)];
    let function = instance.get_func(&store, "digest").ok_or("the digest is missing")?;
    function.call(&mut store, &[], &mut digest).map_err(words)?;
    run.actions.push(Action::Call("digest".to_owned(), Vec::new()));
    run.ends.push(end(Ok(()), &digest)?);
    let memory = instance.get_memory(&store, "memory").ok_or("the memory is missing")?;
    run.actions.push(Action::Peek(0, COMPARED_BYTES));
    run.ends.push(End::Bytes(memory.data(&store)[..COMPARED_BYTES as usize].to_vec()));
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
            let code = error.as_trap_code().ok_or_else(|| error.to_string())?;
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

/// The first answer of an image that is not as the other engine's.
pub fn difference(run: &Run, outcomes: &[Outcome]) -> Option<String> {
    if outcomes.len() != run.ends.len() {
        return Some(format!("{} answers where {} were asked for", outcomes.len(), run.ends.len()));
    }
    for ((action, wanted), is) in run.actions.iter().zip(&run.ends).zip(outcomes) {
        let is = match is {
            Outcome::Returned(values) => End::Returned(values.iter().map(|value| value.bits()).collect()),
            Outcome::Faulted(fault) => {
                // The other engine does not tell accesses from calls.
                let trap = fault.trap().map(|trap| match trap {
                    Trap::TableAccess => Trap::TableOutOfBounds,
                    other => other,
                });
                End::Trapped(trap.map_or_else(|| format!("{fault:?}"), |trap| trap.words().to_owned()))
            }
            Outcome::Bytes(bytes) => End::Bytes(bytes.clone()),
        };
        if is != *wanted {
            return Some(format!("{action:?} gives {is:?}, the other engine says {wanted:?}"));
        }
    }
    None
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
    fn value(&mut self, kind: ValType) -> Value {
        match kind {
            ValType::I64 => Value::I64(self.i64() as u64),
            ValType::F32 => Value::F32(self.f32()),
            ValType::F64 => Value::F64(self.f64()),
            _ => Value::I32(self.i32() as u32),
        }
    }
}
