//! A program as a user gets it: compiled to an image, proved, and called in QEMU; and the same
//! program in wasmi, an engine that shares nothing with this project.

#![allow(dead_code, reason = "each test uses a part")]

pub mod linked;

use std::io::Write;
use std::path::{Path, PathBuf};

use synth::config::{Config, Cpu};
use synth::elf::names;
use synth::model;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Outcome, Qemu, QemuError, Value};
use synth::trap::Trap;
use synth_fuzz::oracle;
use wasmi::{TrapCode, Val, ValType};

/// Most instructions of one call in the interpreter.
const STEPS_MAX: u64 = 1 << 30;

/// A proved image.
pub struct Program {
    /// The module.
    pub wasm: Vec<u8>,
    /// The image, read.
    pub firmware: Firmware,
}

/// What an action showed, in any engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The results of a call.
    Returned(Vec<Value>),
    /// A call trapped.
    Trapped(Trap),
    /// The bytes read.
    Bytes(Vec<u8>),
}

/// One `i32` result.
pub fn returned(value: u32) -> Seen {
    Seen::Returned(vec![Value::I32(value)])
}

/// A call by the export's Wasm name.
pub fn call(name: &str, arguments: &[u32]) -> Action {
    let arguments = arguments.iter().map(|value| Value::I32(*value)).collect();
    Action::Call(names::mangle(name), arguments)
}

impl Program {
    /// Compiles and proves a module, text or binary.
    #[track_caller]
    pub fn new(module: &[u8]) -> Program {
        Program::with(module, &Config::default())
    }

    /// The same for a processor.
    #[track_caller]
    pub fn for_cpu(module: &[u8], cpu: Cpu) -> Program {
        Program::with(module, &Config { cpu, ..Config::default() })
    }

    /// The same with options.
    #[track_caller]
    pub fn with(module: &[u8], config: &Config) -> Program {
        let wasm = wat::parse_bytes(module).expect("a module").into_owned();
        let proved = oracle::image(&wasm, config);
        let proved = proved.unwrap_or_else(|failure| panic!("{failure}"));
        let firmware = Firmware::read(&proved.elf).expect("an image of this compiler");
        Program { wasm, firmware }
    }

    /// What the actions show in QEMU, in one boot; `None` if it is not installed.
    #[track_caller]
    pub fn in_qemu(&self, test: &str, actions: &[Action]) -> Option<Vec<Seen>> {
        match Qemu::default().run(&self.firmware, actions) {
            Ok(outcomes) => Some(outcomes.into_iter().map(seen).collect()),
            Err(QemuError::Missing) => {
                assert!(std::env::var_os("CI").is_none(), "CI runs without QEMU");
                skipped(test, "qemu-system-arm is not installed");
                None
            }
            Err(error) => panic!("{test}: {error}"),
        }
    }

    /// What they show in the validator's interpreter.
    #[track_caller]
    pub fn in_model(&self, actions: &[Action]) -> Vec<Seen> {
        let outcomes = model::run(&self.firmware, actions, STEPS_MAX).expect("a run");
        outcomes.into_iter().map(|(outcome, _)| seen(outcome)).collect()
    }

    /// What they show in wasmi. Imports return 0, as they do in the image.
    pub fn in_wasmi(&self, actions: &[Action]) -> Vec<Seen> {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, &self.wasm[..]).expect("a module");
        let mut store = wasmi::Store::new(&engine, ());
        let mut linker = wasmi::Linker::new(&engine);
        for import in module.imports() {
            let ty = import.ty().func().expect("a function").clone();
            let zeros: Vec<Val> = ty.results().iter().map(|ty| to_val(*ty, 0)).collect();
            let define = linker.func_new(import.module(), import.name(), ty, move |_, _, out| {
                out.clone_from_slice(&zeros);
                Ok(())
            });
            define.expect("imports have names of their own");
        }
        let instance = linker.instantiate_and_start(&mut store, &module).expect("an instance");
        actions.iter().filter_map(|action| act(&mut store, &instance, action)).collect()
    }
}

fn act(store: &mut wasmi::Store<()>, instance: &wasmi::Instance, action: &Action) -> Option<Seen> {
    match action {
        Action::Poke(offset, bytes) => {
            let memory = memory(&*store, instance);
            memory.write(store, *offset as usize, bytes).expect("fits");
            None
        }
        Action::Peek(offset, length) => {
            let memory = memory(&*store, instance);
            let start = *offset as usize;
            Some(Seen::Bytes(memory.data(&*store)[start..start + *length as usize].to_vec()))
        }
        Action::Call(symbol, arguments) => {
            let function = instance.get_func(&*store, symbol).expect("exported");
            let inputs: Vec<Val> = arguments
                .iter()
                .map(|argument| match argument {
                    Value::I32(value) => Val::I32(*value as i32),
                    Value::I64(value) => Val::I64(*value as i64),
                    Value::F32(bits) => Val::F32(wasmi::F32::from_bits(*bits)),
                    Value::F64(bits) => Val::F64(wasmi::F64::from_bits(*bits)),
                    Value::FuncRef(_) | Value::ExternRef(_) => panic!("{argument:?} is no number"),
                })
                .collect();
            let results = function.ty(&*store).results().to_vec();
            let mut outputs: Vec<Val> = results.iter().map(|ty| to_val(*ty, 0)).collect();
            Some(match function.call(&mut *store, &inputs, &mut outputs) {
                Ok(()) => Seen::Returned(outputs.iter().map(from_val).collect()),
                Err(error) => Seen::Trapped(trap(error.as_trap_code())),
            })
        }
    }
}

/// The memory that the module exports.
fn memory(store: &wasmi::Store<()>, instance: &wasmi::Instance) -> wasmi::Memory {
    instance.exports(store).find_map(wasmi::Export::into_memory).expect("a memory is exported")
}

fn seen(outcome: Outcome) -> Seen {
    match outcome {
        Outcome::Returned(values) => Seen::Returned(values),
        Outcome::Bytes(bytes) => Seen::Bytes(bytes),
        Outcome::Faulted(fault) => Seen::Trapped(fault.trap().expect("a fault is a trap")),
    }
}

fn to_val(ty: ValType, value: i64) -> Val {
    match ty {
        ValType::I32 => Val::I32(value as i32),
        ValType::I64 => Val::I64(value),
        ValType::F32 => Val::F32(wasmi::F32::from_bits(value as u32)),
        ValType::F64 => Val::F64(wasmi::F64::from_bits(value as u64)),
        other => panic!("{other:?} is no number"),
    }
}

fn from_val(val: &Val) -> Value {
    match val {
        Val::I32(value) => Value::I32(*value as u32),
        Val::I64(value) => Value::I64(*value as u64),
        Val::F32(number) => Value::F32(number.to_bits()),
        Val::F64(number) => Value::F64(number.to_bits()),
        other => panic!("{other:?} is no number"),
    }
}

fn trap(code: Option<TrapCode>) -> Trap {
    match code {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Trap::UninitializedElement,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivideByZero,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::BadSignature) => Trap::IndirectCallType,
        Some(TrapCode::StackOverflow) => Trap::StackExhausted,
        Some(TrapCode::BadConversionToInteger) => Trap::InvalidConversion,
        other => panic!("unexpected trap {other:?}"),
    }
}

/// Says that a test did not run. The line goes past the test runner, which keeps the output of
/// tests that pass to itself; `./test` counts it.
pub fn skipped(test: &str, why: &str) {
    _ = writeln!(std::io::stderr(), "\nskipped 1 test: {test}: {why}");
}

/// What the last of some calls on a new instance gives in the validator's interpreter.
#[track_caller]
pub fn last(firmware: &Firmware, calls: &[(&str, u32)]) -> Result<u32, Trap> {
    let call = |(name, argument): &(&str, u32)| {
        let parameters = &firmware.export(name).unwrap().parameters;
        Action::Call((*name).into(), parameters.iter().map(|_| Value::I32(*argument)).collect())
    };
    let actions: Vec<Action> = calls.iter().map(call).collect();
    match model::run(firmware, &actions, 1 << 20).unwrap().pop() {
        Some((Outcome::Returned(values), _)) => match values[..] {
            [Value::I32(value)] => Ok(value),
            ref other => panic!("{other:?} is not one word"),
        },
        Some((Outcome::Faulted(fault), _)) => Err(fault.trap().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// A path in this repository.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
