//! One job judged: compiled, proved, run, compared.
//!
//! Ensures: each assertion of the job is counted once. A panic is a failure of the job that caused it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use synth::config::{Config, Cpu};
use synth::elf::{ElfError, Imports, names};
use synth::error::Error;
use synth::qemu::Action;
use synth::qemu::firmware::Firmware;
use synth::stage::NoTap;
use synth::wasm::Input;
use synth_fuzz::oracle::{self, Failure, Proved};
use wasmparser::{Parser, Payload, TypeRef, Validator, WasmFeatures};

use crate::engines::{self, Engines, Run, Seen, Shown};
use crate::script::{Call, End, ExportKind, Goal, Job, Step, StepKind};
use crate::tally::Tally;

/// Most bytes that a memory grows to: the board has 4 MiB of RAM, and a stack lies there too.
const MEMORY_BYTES_MAX: u32 = 2 << 20;

/// Most bytes that all memories of linked modules may reserve.
const ALL_BYTES_MAX: u32 = 3 << 20;

/// Why an assertion is not run that a larger board would pass.
const BOARD: &str = "more memory than the board has";

/// Judges a job.
pub fn run(job: &Job, cpu: Cpu, engines: Engines) -> Tally {
    let tally = catch_unwind(AssertUnwindSafe(|| judge(job, cpu, engines)));
    tally.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Tally::failed(job.assertions(), format!("{}: it panics: {}", job.line, text.unwrap_or("no words")))
    })
}

fn judge(job: &Job, cpu: Cpu, engines: Engines) -> Tally {
    let fail = |why: String| Tally::failed(job.assertions(), format!("{}: {why}", job.line));
    let wasm = match (&job.wasm, &job.goal) {
        (Ok(wasm), _) => wasm,
        (Err(_), Goal::Refusal) => return Tally::passed(1),
        (Err(why), _) => return fail(format!("the text is refused: {why}")),
    };
    let config = Config { cpu, memory_max: Some(MEMORY_BYTES_MAX), ..Config::default() };
    if let Goal::Refusal = job.goal {
        return match (synth::compile(wasm, &config, &mut NoTap), later(job, wasm)) {
            (Err(Error::Invalid(_)), _) => Tally::passed(1),
            // Not what the version of the suite has, and not taken for it.
            (Err(error), Some(later)) if names_proposal(&error, later) => Tally::passed(1),
            (_, Some(later)) => Tally::not_run(1, format!("valid by the {} proposal", words(later))),
            (Ok(_), None) => fail("it is compiled".to_owned()),
            (Err(error), None) => Tally::not_run(1, reason(&error.details().message)),
        };
    }
    let getters = getters(job, wasm);
    let is_alone = job.before.is_empty() && getters.is_empty();
    let own = if is_alone { String::new() } else { format!("${}", job.number) };
    let before = job.before.iter().map(|instance| Input { name: &instance.name, wasm: &instance.wasm });
    let behind = getters.iter().map(|(name, wasm)| Input { name, wasm });
    let inputs: Vec<Input> = before.chain([Input { name: &own, wasm }]).chain(behind).collect();
    let share = ALL_BYTES_MAX / memories(&inputs).max(1);
    let config = Config { memory_max: Some(share.min(MEMORY_BYTES_MAX)), ..config };
    if let Goal::Unlinkable = job.goal {
        return match oracle::image_linked(&inputs, &config, Imports::Refused) {
            Err(Failure::Refused(Error::Link(_)) | Failure::NoFile(ElfError::MissingImport(..))) => Tally::passed(1),
            Err(Failure::Refused(error)) if is_unbound(&error) => Tally::passed(1),
            Err(Failure::Refused(error)) => Tally::not_run(1, reason(&error.details().message)),
            Err(failure) => fail(failure.to_string()),
            Ok(_) => fail("it is linked".to_owned()),
        };
    }
    let proved = match oracle::image_linked(&inputs, &config, Imports::Stubbed) {
        Ok(proved) => proved,
        Err(Failure::Refused(error @ (Error::Unsupported(_) | Error::TooBig(_) | Error::Link(_)))) => {
            return Tally::not_run(job.assertions(), reason(&error.details().message));
        }
        Err(Failure::NoFile(error)) => return Tally::not_run(job.assertions(), reason(&error.to_string())),
        Err(failure) => return fail(failure.to_string()),
    };
    let mut tally = behaviour((job, &own), wasm, &proved, engines);
    tally.modules_proved += 1;
    tally.functions_proved += proved.report.functions.len();
    tally
}

/// The proposal beyond the version of the suite that makes a module valid, if one does.
fn later(job: &Job, wasm: &[u8]) -> Option<WasmFeatures> {
    let is_valid = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
    let beyond = WasmFeatures::all().difference(job.features);
    beyond.iter().find(|flag| is_valid(job.features.union(*flag))).filter(|_| !is_valid(job.features))
}

fn names_proposal(error: &Error, proposal: WasmFeatures) -> bool {
    matches!(error, Error::Unsupported(details) if details.message.contains(&format!("the {} proposal", words(proposal))))
}

/// A proposal's name.
fn words(proposal: WasmFeatures) -> String {
    let names: Vec<String> = proposal.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    names.join(" and ")
}

/// What a proved module does.
fn behaviour((job, own): (&Job, &str), wasm: &[u8], proved: &Proved, engines: Engines) -> Tally {
    let firmware = || Firmware::read(&proved.elf).expect("an image of this compiler");
    match &job.goal {
        Goal::Refusal => unreachable!("it is not compiled"),
        Goal::Proof => Tally::default(),
        Goal::Unlinkable => unreachable!("it is judged by whether it is compiled"),
        Goal::Steps(steps) => instance((job, own), steps, wasm, &|calls| engines::run(engines, &firmware(), calls)),
    }
}

/// How many memories the modules declare, all together.
fn memories(inputs: &[Input]) -> u32 {
    let payloads = inputs.iter().flat_map(|input| Parser::new(0).parse_all(input.wasm).flatten());
    let count = payloads.map(|payload| match payload {
        Payload::MemorySection(section) => section.count(),
        _ => 0,
    });
    count.sum()
}

/// Whether an import that is no function is bound to nothing.
fn is_unbound(error: &Error) -> bool {
    matches!(error, Error::Unsupported(details) if details.message.ends_with("is not a function"))
}

/// Whether the traps of instantiation come in these words.
fn is_trapped(wanted: &[&str], traps: &[Seen]) -> bool {
    let fits = |(words, seen): (&&str, &Seen)| matches!(seen, Seen::Trapped(trap) if is_said(words, trap.words()));
    wanted.len() == traps.len() && wanted.iter().zip(traps).all(fits)
}

/// The steps on an instance that every engine has.
fn instance((job, own): (&Job, &str), steps: &[Step], wasm: &[u8], run: &dyn Fn(&[Action]) -> Vec<Run>) -> Tally {
    let line = job.line;
    let mut tally = Tally::default();
    let mut calls: Vec<(&Step, &Call)> = Vec::new();
    for step in steps {
        match &step.call {
            Ok(call) => calls.push((step, call)),
            Err(why) if step.kind == StepKind::Assertion => tally += &Tally::not_run(1, why.clone()),
            Err(_) => {}
        }
    }
    let actions: Vec<Action> = calls.iter().map(|(_, call)| action(job, own, call)).collect();
    let traps: Vec<&str> =
        job.before.iter().map(|instance| &instance.trap).chain([&job.trap]).flatten().map(String::as_str).collect();
    let mut shown: Vec<(&str, Vec<Seen>)> = Vec::new();
    for run in run(&actions) {
        let wrong = match run.end {
            Ok(Shown { traps: found, calls }) if is_trapped(&traps, &found) => {
                shown.push((run.engine, calls));
                continue;
            }
            Ok(Shown { traps: found, .. }) => format!("instantiation traps with {found:?}; wanted {traps:?}"),
            Err(why) => why,
        };
        let counted = |(step, _): &&(&Step, &Call)| step.kind == StepKind::Assertion;
        let assertions = calls.iter().filter(counted).count() + usize::from(job.trap.is_some());
        tally += &Tally::failed(assertions, format!("{line}: {}: {wrong}", run.engine));
        return tally;
    }
    tally += &Tally::passed(job.trap.is_some().into());
    let mut small = None;
    for (at, (step, call)) in calls.iter().enumerate().filter(|(_, (step, _))| step.kind != StepKind::Again) {
        let wrong = shown.iter().find(|(_, seen)| !ends(&call.end, &seen[at]));
        tally += &match wrong {
            None => Tally::passed((step.kind == StepKind::Assertion).into()),
            Some((engine, seen)) => {
                let small = small.get_or_insert_with(|| small_memory(wasm, &calls, &actions));
                if small[at].as_ref() == Some(&seen[at]) {
                    Tally::not_run(1, BOARD.to_owned())
                } else {
                    let wanted = words_of(&call.end);
                    Tally::failed(1, format!("{}: {engine} shows {:?}; wanted {wanted}", step.line, seen[at]))
                }
            }
        };
    }
    tally
}

/// The call of an export, by its symbol.
fn action(job: &Job, own: &str, call: &Call) -> Action {
    let of = job.before.iter().find(|instance| instance.number == call.instance);
    let of = of.map_or(own, |instance| &instance.name);
    let symbol = match call.kind {
        ExportKind::Global => names::linked_export(&getter_name(of, call), GETTER),
        ExportKind::Function if of.is_empty() => names::mangle(&call.export),
        ExportKind::Function => names::linked_export(of, &call.export),
    };
    Action::Call(symbol, call.arguments.clone())
}

/// The export of a module that reads a global.
const GETTER: &str = "get";

fn getter_name(of: &str, call: &Call) -> String {
    format!("{of} {}", call.export)
}

/// Modules that read the globals which the steps ask for: an exported global has no symbol.
fn getters(job: &Job, wasm: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let Goal::Steps(steps) = &job.goal else { return BTreeMap::new() };
    let mut getters = BTreeMap::new();
    let calls = steps.iter().filter_map(|step| step.call.as_ref().ok());
    for call in calls.filter(|call| call.kind == ExportKind::Global) {
        let of = job.before.iter().find(|instance| instance.number == call.instance);
        let own = format!("${}", job.number);
        let (name, wasm) = of.map_or((own.as_str(), wasm), |instance| (&instance.name, &instance.wasm));
        let Some((ty, mutable)) = exported_global(wasm, &call.export) else { continue };
        let ty = if mutable { format!("(mut {ty})") } else { ty };
        let text = format!(
            "(module (import {name:?} {:?} (global {ty})) (func (export {GETTER:?}) (result {}) (global.get 0)))",
            call.export,
            ty.trim_start_matches("(mut ").trim_end_matches(')')
        );
        getters.extend(wat::parse_str(&text).ok().map(|getter| (getter_name(name, call), getter)));
    }
    getters
}

/// The type of an exported global, and whether it is mutable.
fn exported_global(wasm: &[u8], name: &str) -> Option<(String, bool)> {
    let mut globals = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                let imports = section.into_imports().flatten();
                globals.extend(imports.filter_map(|import| match import.ty {
                    TypeRef::Global(ty) => Some(ty),
                    _ => None,
                }));
            }
            Payload::GlobalSection(section) => globals.extend(section.into_iter().flatten().map(|global| global.ty)),
            Payload::ExportSection(section) => {
                let export = section.into_iter().flatten().find(|export| export.name == name)?;
                let ty = globals.get(export.index as usize)?;
                return Some((ty.content_type.to_string(), ty.mutable));
            }
            _ => {}
        }
    }
    None
}

/// What each call shows that ends otherwise than it must for want of memory alone: another engine
/// ends as it must, and shows this where memory grows no further than here. Growth may fail where
/// resources end (core spec, 4.4.7).
fn small_memory(wasm: &[u8], calls: &[(&Step, &Call)], actions: &[Action]) -> Vec<Option<Seen>> {
    let large = engines::returned_within(usize::MAX, wasm, actions);
    let small = engines::returned_within(MEMORY_BYTES_MAX as usize, wasm, actions);
    let both = calls.iter().zip(large).zip(small);
    both.map(|(((_, call), large), small)| {
        large.filter(|values| ends(&call.end, &Seen::Returned(values.clone())))?;
        small.map(Seen::Returned)
    })
    .collect()
}

/// Whether a call ends as it must.
fn ends(end: &End, seen: &Seen) -> bool {
    match (end, seen) {
        (End::Returns, Seen::Returned(_)) => true,
        (End::Gives(patterns), Seen::Returned(values)) => {
            patterns.len() == values.len() && patterns.iter().zip(values).all(|(pattern, value)| pattern.fits(*value))
        }
        (End::Traps(words), Seen::Trapped(trap)) => is_said(words, trap.words()),
        (End::Returns | End::Gives(_), Seen::Trapped(_) | Seen::Faulted(_))
        | (End::Traps(_), Seen::Returned(_) | Seen::Faulted(_)) => false,
    }
}

/// Whether the suite's words are those of a trap. It shortens some, and adds an index to others.
fn is_said(words: &str, said: &str) -> bool {
    words.starts_with(said) || said.starts_with(words)
}

fn words_of(end: &End) -> String {
    match end {
        End::Returns => "a return".to_owned(),
        End::Gives(patterns) => format!("{patterns:?}"),
        End::Traps(words) => format!("a trap: {words}"),
    }
}

/// A refusal without what differs between modules: the reason that the table counts by.
fn reason(message: &str) -> String {
    let names_operator = message.starts_with("the operator") || message.starts_with("the type");
    let head = message.strip_suffix(" is not supported").unwrap_or(message);
    let head = head.split_once(" is not supported: ").map_or(head, |(head, _)| head);
    if names_operator {
        return head.to_owned();
    }
    let unquoted = ['`', '"'].into_iter().fold(head.to_owned(), |text, quote| {
        let parts = text.split(quote).enumerate();
        parts.map(|(at, part)| if at % 2 == 0 { part } else { ".." }).collect::<Vec<_>>().join(&quote.to_string())
    });
    let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    let words: Vec<&str> = unquoted.split(' ').map(|word| if is_number(word) { "N" } else { word }).collect();
    words.join(" ")
}
