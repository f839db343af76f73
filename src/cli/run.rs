//! `synth run`: call an exported function.
//!
//! A module is compiled to an image and proved first. The image runs in QEMU, or in the
//! validator's interpreter where QEMU is not installed or not wanted.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use synth::elf::names;
use synth::model;
use synth::qemu::firmware::{Export, Firmware, FirmwareError};
use synth::qemu::{Action, Fault, Outcome, Qemu, QemuError, Value};
use synth::trap::Trap;
use synth_verify::check::Solvers;

use super::args::{Engine, OutputKind, Run};
use super::failure::{Exit, Failure};
use super::input::{Input, Inputs};
use super::signals::Held;
use super::{driver, print_data, read_file, report, say, values};

/// Does the command.
pub fn run(command: &Run) -> Result<(), Failure> {
    let bytes = read_file(&command.input)?;
    if bytes.starts_with(b"\x7fELF") {
        if let Some(flag) = command.code.first_given() {
            let message = format!("{flag} decides how a module is compiled, and {} is", command.input.display());
            let remedy = "leave the flag out, or give the module";
            return Err(Failure::new(Exit::Usage, "compiled", message, remedy));
        }
        return call(command, &bytes);
    }
    let module = Input::of(&command.input, bytes)?;
    let elf = compile_and_prove(command, &Inputs::one(module.clone()))?;
    call(command, &elf).map_err(|failure| match failure.offset {
        Some(_) => module.locate(failure),
        None => failure,
    })
}

fn compile_and_prove(command: &Run, input: &Inputs) -> Result<Vec<u8>, Failure> {
    let request = driver::request(&command.code, OutputKind::Image, &input.stem())?;
    let compiled = driver::compile(input, &request)?;
    report::refusal(&driver::check(input, &compiled.elf, Solvers::default())?)?;
    Ok(compiled.elf)
}

fn call(command: &Run, image: &[u8]) -> Result<(), Failure> {
    let firmware = Firmware::read(image).map_err(firmware_failure)?;
    let export = find_export(&firmware, &command.invoke)?;
    let actions = actions(command, export)?;
    let outcomes = outcomes(command, &firmware, &actions).map_err(|error| engine_failure(&firmware, error))?;
    print_outcomes(&firmware, &outcomes)
}

fn firmware_failure(error: FirmwareError) -> Failure {
    let remedy = match &error {
        FirmwareError::NotLinked => "give the module itself, or compile with --type image",
        FirmwareError::NotElf(_) | FirmwareError::Foreign(_) => "compile the module again with --type image",
    };
    Failure::new(Exit::Input, "invalid-elf", error.to_string(), remedy)
}

/// The export of this Wasm name.
fn find_export<'a>(firmware: &'a Firmware, name: &str) -> Result<&'a Export, Failure> {
    let symbol = names::mangle(name);
    firmware.export_named(&symbol).ok_or_else(|| {
        let spelling = |symbol: &str| names::unmangle(symbol.strip_prefix(&firmware.export_prefix).unwrap_or(symbol));
        let known: Vec<String> = firmware.exports.iter().map(|export| spelling(&export.symbol)).collect();
        let remedy = match &known[..] {
            [] => "it exports no function at all".to_string(),
            known => format!("exported functions: {}", known.join(", ")),
        };
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
    let in_qemu = || {
        let signals = Held::new()?;
        qemu.run_unless(&|| signals.has_come(), firmware, actions)
    };
    match command.engine {
        Engine::Model => model_outcomes(qemu.time_limit, firmware, actions),
        Engine::Qemu => match in_qemu() {
            Err(QemuError::Missing) => {
                say("note: qemu-system-arm is not installed; the validator's interpreter runs the code\n");
                model_outcomes(qemu.time_limit, firmware, actions)
            }
            done => done,
        },
    }
}

/// In the validator's interpreter, which counts no time: a thread of its own runs it, and is left
/// behind when the time is up.
fn model_outcomes(limit: Duration, firmware: &Firmware, actions: &[Action]) -> Result<Vec<Outcome>, QemuError> {
    let (firmware, actions) = (firmware.clone(), actions.to_vec());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(model::run(&firmware, &actions, u64::MAX)));
    match receiver.recv_timeout(limit) {
        Ok(outcomes) => Ok(outcomes?.into_iter().map(|(outcome, _)| outcome).collect()),
        Err(RecvTimeoutError::Timeout) => Err(QemuError::TimedOut(limit)),
        Err(RecvTimeoutError::Disconnected) => panic!("the interpreter ended without an outcome"),
    }
}

fn engine_failure(firmware: &Firmware, error: QemuError) -> Failure {
    let (code, remedy) = match &error {
        QemuError::NotInstantiated(fault) => {
            return trap_failure(firmware, *fault, "instantiation trapped");
        }
        QemuError::Missing => ("qemu", "install qemu-system-arm, or use --engine model"),
        QemuError::BadAction(_) => ("memory", "check --poke and --peek"),
        QemuError::TimedOut(_) => ("time-out", "give more time with --timeout"),
        QemuError::CalledOff => ("called-off", "start it again"),
        QemuError::Failed(_) => ("engine", "try the other --engine, and report it if they differ"),
        QemuError::File(_) => ("file", "check the directory for temporary files"),
    };
    Failure::new(Exit::Input, code, error.to_string(), remedy)
}

/// Prints results and memory, then fails if the call trapped.
fn print_outcomes(firmware: &Firmware, outcomes: &[Outcome]) -> Result<(), Failure> {
    let (mut text, mut fault) = (String::new(), None);
    for outcome in outcomes {
        match outcome {
            Outcome::Returned(results) => text.extend(results.iter().map(|value| format!("{value}\n"))),
            Outcome::Bytes(bytes) => text.push_str(&format!("{}\n", values::hex(bytes))),
            Outcome::Faulted(found) => fault = Some(*found),
        }
    }
    print_data(&text)?;
    fault.map_or(Ok(()), |fault| Err(trap_failure(firmware, fault, "trap")))
}

fn trap_failure(firmware: &Firmware, fault: Fault, what: &str) -> Failure {
    let inner = firmware.function_at(fault.address);
    // The user's instruction is the call of what is synth's, as long as LR tells.
    let of_synth = inner.filter(|(function, _)| firmware.of_synth.contains_key(function));
    let caller = of_synth.zip(fault.link).and_then(|((function, _), link)| firmware.call_before(link & !1, function));
    let place = caller.or(inner);
    let places: Vec<String> =
        caller.iter().chain(&inner).map(|(function, _)| in_function(firmware, *function)).collect();
    let at = match (place, &firmware.outside) {
        (Some(_), _) => places.join(", "),
        // What runs outside of functions is instantiation, which copies segments.
        (None, Some(segment)) => format!("in {segment}"),
        (None, None) => format!("at address {:#x}", fault.address),
    };
    let Some(trap) = fault.trap() else {
        let message = format!("the processor faulted {at}, status {:#x}, which is no Wasm trap", fault.status);
        return Failure::new(Exit::Trapped, "fault", message, "this is a bug in synth; please report it");
    };
    let offset = place.and_then(|(function, at)| driver::wasm_offset(&firmware.bytes, function, at));
    let message = format!("{what}: {} {at}", trap.words());
    let remedy = if place.is_some() { trap_remedy(trap) } else { "give the table or memory room for the segment" };
    Failure { offset: offset.map(u64::from), ..Failure::new(Exit::Trapped, "trap", message, remedy) }
}

fn in_function(firmware: &Firmware, function: u32) -> String {
    if let Some(name) = firmware.of_synth.get(&function) {
        return format!("in synth's runtime function {name}");
    }
    let export = firmware.exports.iter().find(|export| export.function == function);
    let name = export.map_or(String::new(), |export| format!(" ({})", export.symbol));
    format!("in function {function}{name}")
}

/// What the user can do about a trap, which is what the program asked for.
fn trap_remedy(trap: Trap) -> &'static str {
    match trap {
        Trap::Unreachable => "the program gave up here: look for its assertion or panic",
        Trap::MemoryOutOfBounds => "check the address; if memory should have grown first, raise --memory-max",
        Trap::DivideByZero => "check the divisor",
        Trap::IntegerOverflow => "check for the least integer divided by -1, and for floats too large for an integer",
        Trap::TableOutOfBounds => "check the index against the table's size",
        Trap::TableAccess => "check the index; if the table should have grown first, raise --table-max",
        Trap::UninitializedElement => "check the index: no element segment fills this entry",
        Trap::IndirectCallType => "check the function pointer's type against the function's",
        Trap::StackExhausted => "bound the recursion",
        Trap::InvalidConversion => "check for NaN before the conversion",
    }
}
