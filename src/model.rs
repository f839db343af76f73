//! Runs boot images in the validator's interpreter: the actions and outcomes of [`crate::qemu`].
//!
//! Ensures: an outcome is one that the interpreter vouches for; anything else is an error.

use synth_verify::model::{self, Constant, FunctionType, ModelError, Trapped, ValueType};

use crate::elf::program::Type;
use crate::qemu::firmware::Firmware;
use crate::qemu::{self, Action, Fault, Outcome, QemuError, Turn, Value};

/// Does the actions, each call in at most `steps_max` instructions. Gives the outcome of each call
/// and peek, with the instructions that it took.
///
/// # Errors
/// An action cannot be done, or the interpreter does not vouch for the run.
pub fn run(firmware: &Firmware, actions: &[Action], steps_max: u64) -> Result<Vec<(Outcome, u64)>, QemuError> {
    let steps = to_model(firmware, actions)?;
    let outcomes = model::run(&firmware.bytes, &steps, steps_max).map_err(failure)?;
    Ok(from_model((firmware, actions), outcomes))
}

/// Goes on where instantiation traps, as [`qemu::Qemu::run_in_turns`] does.
///
/// # Errors
/// As [`run`], without the trap.
pub fn run_in_turns(firmware: &Firmware, turns: &[&[Action]], steps_max: u64) -> Result<Vec<Turn>, QemuError> {
    let steps: Result<Vec<_>, QemuError> = turns.iter().map(|actions| to_model(firmware, actions)).collect();
    let init = (firmware.init.address, firmware.init.address + firmware.init.bytes);
    let ran = model::run_in_turns(&firmware.bytes, init, &steps?, steps_max).map_err(failure)?;
    let turns = ran.into_iter().zip(turns).map(|(turn, actions)| Turn {
        trap: turn.trap.map(fault),
        outcomes: from_model((firmware, actions), turn.outcomes).into_iter().map(|(outcome, _)| outcome).collect(),
    });
    Ok(turns.collect())
}

fn failure(error: ModelError) -> QemuError {
    match error {
        ModelError::NotInstantiated(trapped) => QemuError::NotInstantiated(fault(trapped)),
        ModelError::File(_) | ModelError::Fault(..) | ModelError::Unfinished(_) => QemuError::Failed(error.to_string()),
    }
}

fn from_model((firmware, actions): (&Firmware, &[Action]), outcomes: Vec<model::Outcome>) -> Vec<(Outcome, u64)> {
    let types = actions.iter().filter_map(|action| outcome_types(firmware, action));
    outcomes.into_iter().zip(types).map(|(found, types)| outcome(found, types)).collect()
}

fn to_model(firmware: &Firmware, actions: &[Action]) -> Result<Vec<model::Action>, QemuError> {
    actions.iter().map(|action| step(firmware, action)).collect()
}

fn step(firmware: &Firmware, action: &Action) -> Result<model::Action, QemuError> {
    match action {
        Action::Poke(offset, bytes) => {
            let address = qemu::memory_address(firmware, *offset, bytes.len() as u32)?;
            Ok(model::Action::Write(address, bytes.clone()))
        }
        Action::Peek(offset, length) => {
            Ok(model::Action::Read(qemu::memory_address(firmware, *offset, *length)?, *length))
        }
        Action::Call(symbol, arguments) => {
            let export = qemu::checked_export(firmware, symbol, arguments)?;
            let signature =
                FunctionType { parameters: value_types(&export.parameters), results: value_types(&export.results) };
            let constant = |value: &Value| match *value {
                Value::I32(bits) | Value::F32(bits) | Value::FuncRef(bits) | Value::ExternRef(bits) => {
                    Constant::I32(bits)
                }
                Value::I64(bits) | Value::F64(bits) => Constant::I64(bits),
            };
            Ok(model::Action::Call(export.address & !1, signature, arguments.iter().map(constant).collect()))
        }
    }
}

fn value_types(types: &[Type]) -> Vec<ValueType> {
    let value_type = |ty: &Type| match ty {
        Type::I32 => ValueType::I32,
        Type::I64 => ValueType::I64,
        Type::F32 => ValueType::F32,
        Type::F64 => ValueType::F64,
        Type::FuncRef => ValueType::FuncRef,
        Type::ExternRef => ValueType::ExternRef,
    };
    types.iter().map(value_type).collect()
}

/// The types of what an action returns, if it has an outcome.
fn outcome_types<'a>(firmware: &'a Firmware, action: &Action) -> Option<&'a [Type]> {
    match action {
        Action::Poke(..) => None,
        Action::Peek(..) => Some(&[]),
        Action::Call(symbol, _) => firmware.export(symbol).map(|export| &export.results[..]),
    }
}

fn outcome(found: model::Outcome, types: &[Type]) -> (Outcome, u64) {
    match found {
        model::Outcome::Bytes(bytes) => (Outcome::Bytes(bytes), 0),
        model::Outcome::Trapped(trapped, steps) => (Outcome::Faulted(fault(trapped)), steps),
        model::Outcome::Returned(results, steps) => {
            let bits = |constant| match constant {
                Constant::I32(bits) => u64::from(bits),
                Constant::I64(bits) => bits,
                Constant::Function(_) => unreachable!("the machine has words"),
            };
            let values = results.into_iter().zip(types).map(|(result, ty)| Value::new(*ty, bits(result)));
            (Outcome::Returned(values.collect()), steps)
        }
    }
}

/// A trap as the processor reports it: the undefined instruction `UDF #code`.
fn fault(Trapped { trap, at, link }: Trapped) -> Fault {
    Fault { address: at, halfword: 0xde00 | trap as u16, status: 1 << 16, link }
}
