//! One job judged: compiled, proved, run, compared.
//!
//! Ensures: each assertion of the job is counted once. A panic is a failure of the job that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use synth::config::{Config, Cpu};
use synth::error::Error;
use synth::qemu::Action;
use synth::qemu::firmware::Firmware;
use synth::stage::NoTap;
use synth_fuzz::oracle::{self, Failure, Proved};
use wasmparser::Validator;

use crate::engines::{self, Engines, NoRun, Run, Seen};
use crate::script::{Call, End, Goal, Job, LINKING, Links, Step, StepKind};
use crate::tally::Tally;

/// Most bytes that a memory grows to: the board has 4 MiB of RAM, and a stack lies there too.
const MEMORY_BYTES_MAX: u32 = 2 << 20;

/// Why an assertion is not run that a larger board would pass.
const BOARD: &str = "more memory than the board has";

/// Why a refusal is not asked for.
const LATER: &str = "valid since a later version";

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
        return match synth::compile(wasm, &config, &mut NoTap) {
            Ok(_) if is_later(job, wasm) => Tally::not_run(1, LATER.to_owned()),
            Ok(_) => fail("it is compiled".to_owned()),
            Err(Error::Invalid(_)) => Tally::passed(1),
            Err(error) => Tally::not_run(1, reason(&error.details().message)),
        };
    }
    let proved = match oracle::image(wasm, &config) {
        Ok(proved) => proved,
        Err(Failure::Refused(error @ (Error::Unsupported(_) | Error::TooBig(_)))) => {
            return Tally::not_run(job.assertions(), reason(&error.details().message));
        }
        Err(Failure::NoFile(error)) => return Tally::not_run(job.assertions(), reason(&error.to_string())),
        Err(failure) => return fail(failure.to_string()),
    };
    let mut tally = behaviour(job, wasm, &proved, engines);
    tally.modules_proved += 1;
    tally.functions_proved += proved.report.functions.len();
    tally
}

/// Whether a module is invalid in its version of the suite alone.
fn is_later(job: &Job, wasm: &[u8]) -> bool {
    let refused = |features| Validator::new_with_features(features).validate_all(wasm).is_err();
    job.features.is_some_and(refused)
}

/// What a proved module does.
fn behaviour(job: &Job, wasm: &[u8], proved: &Proved, engines: Engines) -> Tally {
    let firmware = || Firmware::read(&proved.elf).expect("an image of this compiler");
    match &job.goal {
        Goal::Refusal => unreachable!("it is not compiled"),
        Goal::Proof => Tally::default(),
        Goal::Unlinkable => Tally::not_run(1, LINKING.to_owned()),
        Goal::Trap(_) | Goal::Steps(_) if job.links == Links::Others => {
            Tally::not_run(job.assertions(), LINKING.to_owned())
        }
        Goal::Trap(words) => instantiation(job.line, words, &engines::run(engines, &firmware(), &[])),
        Goal::Steps(steps) => instance(job.line, steps, wasm, &|calls| engines::run(engines, &firmware(), calls)),
    }
}

/// Whether every engine's instantiation ends in these words.
fn instantiation(line: usize, words: &str, runs: &[Run]) -> Tally {
    let wrong = runs.iter().find_map(|run| match &run.end {
        Err(NoRun::Instantiation(Seen::Trapped(trap))) if is_said(words, trap.instantiation_words()) => None,
        Err(NoRun::Instantiation(seen)) => Some(format!("instantiation ends in {seen:?} in {}", run.engine)),
        Err(NoRun::Failed(why)) => Some(format!("{} fails: {why}", run.engine)),
        Ok(_) => Some(format!("it is instantiated in {}", run.engine)),
    });
    match wrong {
        None => Tally::passed(1),
        Some(wrong) => Tally::failed(1, format!("{line}: {wrong}; wanted a trap: {words}")),
    }
}

/// The steps on an instance that every engine has.
fn instance(line: usize, steps: &[Step], wasm: &[u8], run: &dyn Fn(&[Action]) -> Vec<Run>) -> Tally {
    let mut tally = Tally::default();
    let mut calls: Vec<(&Step, &Call)> = Vec::new();
    for step in steps {
        match &step.call {
            Ok(call) => calls.push((step, call)),
            Err(why) if step.kind == StepKind::Assertion => tally += &Tally::not_run(1, why.clone()),
            Err(_) => {}
        }
    }
    let actions: Vec<Action> = calls.iter().map(|(_, call)| call.action.clone()).collect();
    let mut shown: Vec<(&str, Vec<Seen>)> = Vec::new();
    for run in run(&actions) {
        match run.end {
            Ok(seen) => shown.push((run.engine, seen)),
            Err(no_run) => {
                let assertions = calls.iter().filter(|(step, _)| step.kind == StepKind::Assertion).count();
                let why = match no_run {
                    NoRun::Instantiation(seen) => format!("instantiation ends in {seen:?}"),
                    NoRun::Failed(why) => why,
                };
                tally += &Tally::failed(assertions, format!("{line}: {}: {why}", run.engine));
                return tally;
            }
        }
    }
    let mut small = None;
    for (at, (step, call)) in calls.iter().enumerate() {
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
