//! `synth run`: call an exported function.
//!
//! A module is compiled to an image and proved first. The image runs in QEMU, or in the
//! validator's interpreter where QEMU is not installed or not wanted.

use std::time::Duration;

use synth::elf::names;
use synth::model;
use synth::qemu::firmware::{Export, Firmware, FirmwareError};
use synth::qemu::{Action, Fault, Outcome, Qemu, QemuError, Value};
use synth::trap::Trap;

use super::args::{Engine, OutputKind, Run};
use super::failure::{Exit, Failure};
use super::{compile, driver, print_data, read_file, report, values};

/// Does the command.
pub fn run(command: &Run) -> Result<(), Failure> {
    let input = read_file(&command.input)?;
    let elf = if input.starts_with(b"\x7fELF") { input } else { compile_and_prove(command, &input)? };
    let firmware = Firmware::read(&elf).map_err(firmware_failure)?;
    let export = find_export(&firmware, &command.invoke)?;
    let actions = actions(command, export)?;
    let outcomes = outcomes(command, &firmware, &actions).map_err(|error| engine_failure(&firmware, error))?;
    print_outcomes(&firmware, &outcomes)
}

fn compile_and_prove(command: &Run, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let request = driver::request(&command.code, OutputKind::Image, &compile::stem(&command.input))?;
    let compiled = driver::compile(input, &request)?;
    report::refusal(&driver::check(&compiled.wasm, &compiled.elf)?)?;
    Ok(compiled.elf)
}

fn firmware_failure(error: FirmwareError) -> Failure {
    let remedy = match &error {
        FirmwareError::NotLinked => "give the module itself, or compile with --type image",
        FirmwareError::NotElf(_) | FirmwareError::Foreign(_) => "compile the module again with --type image",
    };
    Failure::new(Exit::Input, "invalid-elf", error.to_string(), remedy)
}

/// The export of this Wasm name. The module's prefix, if it has one, is found by its end.
fn find_export<'a>(firmware: &'a Firmware, name: &str) -> Result<&'a Export, Failure> {
    let symbol = names::mangle(name);
    firmware.export_named(&symbol).ok_or_else(|| {
        let known: Vec<&str> = firmware.exports.iter().map(|export| export.symbol.as_str()).collect();
        let remedy = format!("exported functions: {}", known.join(", "));
        Failure::new(Exit::Input, "no-export", format!("the module exports no function `{name}`"), &remedy)
    })
}

/// What to do: pokes, the call, peeks.
fn actions(command: &Run, export: &Export) -> Result<Vec<Action>, Failure> {
    let usage = |message: String| {
        let types: Vec<&str> = export.parameters.iter().map(|ty| ty.name()).collect();
        let remedy = format!("its parameters are ({})", types.join(", "));
        Failure::new(Exit::Usage, "arguments", format!("`{}`: {message}", command.invoke), &remedy)
    };
    let (wanted, given) = (export.parameters.len(), command.arguments.len());
    if wanted != given {
        return Err(usage(format!("{wanted} arguments are needed, {given} are given")));
    }
    let pairs = command.arguments.iter().zip(&export.parameters);
    let arguments: Result<Vec<Value>, String> = pairs.map(|(text, ty)| values::parse_argument(text, *ty)).collect();
    let mut actions = Vec::new();
    actions.extend(command.poke.iter().map(|poke| Action::Poke(poke.offset, poke.bytes.clone())));
    actions.push(Action::Call(export.symbol.clone(), arguments.map_err(usage)?));
    actions.extend(command.peek.iter().map(|peek| Action::Peek(peek.offset, peek.length)));
    Ok(actions)
}

fn outcomes(command: &Run, firmware: &Firmware, actions: &[Action]) -> Result<Vec<Outcome>, QemuError> {
    let qemu = Qemu { time_limit: Duration::from_secs(command.timeout), ..Qemu::default() };
    match command.engine {
        Engine::Model => model_outcomes(firmware, actions),
        Engine::Qemu => match qemu.run(firmware, actions) {
            Err(QemuError::Missing) => {
                eprintln!("note: qemu-system-arm is not installed; the validator's interpreter runs the code");
                model_outcomes(firmware, actions)
            }
            done => done,
        },
    }
}

/// In the validator's interpreter.
fn model_outcomes(firmware: &Firmware, actions: &[Action]) -> Result<Vec<Outcome>, QemuError> {
    let outcomes = model::run(firmware, actions)?;
    Ok(outcomes.into_iter().map(|(outcome, _)| outcome).collect())
}

fn engine_failure(firmware: &Firmware, error: QemuError) -> Failure {
    let (code, remedy) = match &error {
        QemuError::NotInstantiated(fault) => {
            return trap_failure(firmware, *fault, ("instantiation trapped", Trap::instantiation_words));
        }
        QemuError::Missing => ("qemu", "install qemu-system-arm, or use --engine model"),
        QemuError::BadAction(_) => ("memory", "check --poke and --peek"),
        QemuError::TimedOut(_) => ("time-out", "give more time with --timeout"),
        QemuError::Failed(_) => ("engine", "try the other --engine, and report it if they differ"),
        QemuError::File(_) => ("file", "check the directory for temporary files"),
    };
    Failure::new(Exit::Input, code, error.to_string(), remedy)
}

/// Prints results and memory, then fails if the call trapped.
fn print_outcomes(firmware: &Firmware, outcomes: &[Outcome]) -> Result<(), Failure> {
    let mut fault = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Returned(results) => results.iter().for_each(|value| print_data(&format!("{value}\n"))),
            Outcome::Bytes(bytes) => print_data(&format!("{}\n", values::hex(bytes))),
            Outcome::Faulted(found) => fault = Some(*found),
        }
    }
    fault.map_or(Ok(()), |fault| Err(trap_failure(firmware, fault, ("trap", Trap::words))))
}

/// What happened, and how traps are called there.
type Event = (&'static str, fn(Trap) -> &'static str);

fn trap_failure(firmware: &Firmware, fault: Fault, (what, words): Event) -> Failure {
    let place = firmware.function_at(fault.address);
    let function = place.map_or(format!("at address {:#x}", fault.address), |(function, _)| {
        let name = firmware.exports.iter().find(|export| export.function == function);
        name.map_or(format!("in function {function}"), |export| format!("in function {function} ({})", export.symbol))
    });
    let Some(trap) = fault.trap() else {
        let message = format!("the processor faulted {function}, status {:#x}, which is no Wasm trap", fault.status);
        return Failure::new(Exit::Trapped, "fault", message, "this is a bug in synth; please report it");
    };
    let offset = place.and_then(|(function, at)| driver::wasm_offset(&firmware.bytes, function, at));
    let message = format!("{what}: {} {function}", words(trap));
    Failure { offset: offset.map(u64::from), ..Failure::new(Exit::Trapped, "trap", message, "") }
}
