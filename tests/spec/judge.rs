//! One job judged: compiled, proved, run, compared.
//!
//! Ensures: each assertion of the job is counted once. A panic is a failure of the job that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use synth::config::Config;
use synth::elf::{ElfError, ImageOptions, Imports};
use synth::error::Error;
use synth::qemu::Action;
use synth::qemu::firmware::Firmware;
use synth::stage::NoTap;
use synth::target::{Board, Cpu, Isa};
use synth::trap::Trap;
use synth::wasm::Input;
use synth_fuzz::oracle::{self, Failure};
use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

use crate::engines::{self, Engines, Run, Seen, Shown};
use crate::plan::{Plan, Turn};
use crate::script::{Call, End, Goal, Job, Step, StepKind};
use crate::tally::Tally;

/// What to compile for, and a board.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The compiler's options.
    pub config: Config,
    /// Half of its RAM is the most that a memory grows to, three quarters all memories of linked modules
    /// together, an eighth the stack; none of them more than a program may have.
    pub board: Board,
}

impl Machine {
    fn memory_bytes(&self) -> u32 {
        (self.board.ram_bytes / 2).min(64 << 20)
    }

    fn all_bytes(&self) -> u32 {
        (self.board.ram_bytes / 4 * 3).min(96 << 20)
    }

    /// Enough for every recursion that ends, on boards with 4 MiB of RAM.
    fn stack_bytes(&self) -> u32 {
        (self.board.ram_bytes / 8).min(oracle::STACK_BYTES) & !7
    }

    /// A board of the processor that has much more, if there is one.
    pub fn larger(&self) -> Option<Machine> {
        let boards = self.config.cpu.boards(self.config.float);
        let board = boards.into_iter().find(|board| board.ram_bytes / 8 >= self.board.ram_bytes)?;
        Some(Machine { config: self.config.clone(), board })
    }
}

/// Why an assertion is not run that a larger board would pass.
const BOARD: &str = "more memory than the board has";

/// Why an assertion is not run that needs tail calls without end.
const STACK: &str = "tail calls without end, which take stack on Armv6-M";

/// Judges a job: on a larger board, if the processor has one, where the first has too little memory.
pub fn run(job: &Job, machine: &Machine, engines: Engines) -> Tally {
    let tally = run_on(job, machine, engines);
    let (Some(short), Some(machine)) = (tally.not_run.get(BOARD).copied(), machine.larger()) else {
        return tally;
    };
    let larger = run_on(job, &machine, engines);
    match larger.not_run.get(BOARD).copied().unwrap_or(0) {
        rest if rest < short => Tally { larger: short - rest, ..larger },
        _ => tally,
    }
}

fn run_on(job: &Job, machine: &Machine, engines: Engines) -> Tally {
    let tally = catch_unwind(AssertUnwindSafe(|| judge(job, machine, engines)));
    tally.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Tally::failed(job.assertions(), format!("{}: it panics: {}", job.line, text.unwrap_or("no words")))
    })
}

fn judge(job: &Job, machine: &Machine, engines: Engines) -> Tally {
    let fail = |why: String| Tally::failed(job.assertions(), format!("{}: {why}", job.line));
    let wasm = match (&job.wasm, &job.goal) {
        (Ok(wasm), _) => wasm,
        (Err(_), Goal::Refusal) => return Tally::passed(1),
        (Err(why), _) => return fail(format!("the text is refused: {why}")),
    };
    let config = Config { memory_max: Some(machine.memory_bytes()), ..machine.config.clone() };
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
    let plan = Plan::new(job, wasm);
    let inputs: Vec<Input> = plan.inputs.iter().map(|(name, wasm)| Input { name, wasm }).collect();
    let share = machine.all_bytes() / memories(&inputs).max(1);
    let config = Config { memory_max: Some(share.min(machine.memory_bytes())), ..config };
    let image = |imports| {
        let options = ImageOptions { imports, stack_bytes: machine.stack_bytes(), ..ImageOptions::on(machine.board) };
        oracle::image_on(&inputs, &config, options)
    };
    if let Goal::Unlinkable = job.goal {
        return match image(Imports::Refused) {
            Err(Failure::Refused(Error::Link(_)) | Failure::NoFile(ElfError::MissingImport(..))) => Tally::passed(1),
            Err(Failure::Refused(error)) if is_unbound(&error) => Tally::passed(1),
            Err(Failure::Refused(error)) => Tally::not_run(1, reason(&error.details().message)),
            Err(failure) => fail(failure.to_string()),
            Ok(_) => fail("it is linked".to_owned()),
        };
    }
    let proved = match image(Imports::Stubbed) {
        Ok(proved) => proved,
        Err(Failure::Refused(error @ (Error::Unsupported(_) | Error::TooBig(_) | Error::Link(_)))) => {
            return Tally::not_run(job.assertions(), reason(&error.details().message));
        }
        Err(Failure::NoFile(error)) => return Tally::not_run(job.assertions(), reason(&error.to_string())),
        Err(failure) => return fail(failure.to_string()),
    };
    let firmware = Firmware::read(&proved.elf).expect("an image of this compiler");
    let mut tally = match job.goal {
        Goal::Proof => Tally::default(),
        Goal::Steps(_) => instance((job, wasm, machine), &plan, &|turns| engines::run(engines, &firmware, turns)),
        Goal::Refusal | Goal::Unlinkable => unreachable!("it is judged by whether it is compiled"),
    };
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

/// How many memories the modules declare, all together.
fn memories(inputs: &[Input]) -> u32 {
    let payloads = inputs.iter().flat_map(|input| Parser::new(0).parse_all(input.wasm).flatten());
    let count = payloads.map(|payload| match payload {
        Payload::MemorySection(section) => section.count(),
        _ => 0,
    });
    count.sum()
}

/// Whether an import is left that the host has not.
fn is_unbound(error: &Error) -> bool {
    matches!(error, Error::Unsupported(details) if details.message.starts_with("no input provides the "))
}

/// Whether each part of instantiation ends as it must.
fn is_trapped(turns: &[Turn], found: &[Option<Seen>]) -> bool {
    let fits = |(turn, found): (&Turn, &Option<Seen>)| match (&turn.trap, found) {
        (Some(words), Some(Seen::Trapped(trap))) => is_said(words, trap.words()),
        (wanted, found) => wanted.is_none() && found.is_none(),
    };
    turns.len() == found.len() && turns.iter().zip(found).all(fits)
}

/// The steps on instances that every engine has.
fn instance(
    (job, wasm, machine): (&Job, &[u8], &Machine),
    plan: &Plan,
    run: &dyn Fn(&[&[Action]]) -> Vec<Run>,
) -> Tally {
    let mut tally = Tally::default();
    let mut calls: Vec<(&Step, &Call)> = Vec::new();
    let mut turns: Vec<Vec<Action>> = Vec::new();
    for turn in &plan.turns {
        let mut actions = Vec::new();
        for step in &turn.steps {
            match &step.call {
                Ok(call) => {
                    calls.push((step, call));
                    actions.push(plan.action(call));
                }
                Err(why) if step.kind == StepKind::Assertion => tally += &Tally::not_run(1, why.clone()),
                Err(_) => {}
            }
        }
        turns.push(actions);
    }
    let mut shown: Vec<(&str, Vec<Seen>)> = Vec::new();
    for run in run(&turns.iter().map(Vec::as_slice).collect::<Vec<_>>()) {
        let wrong = match run.end {
            Ok(Shown { traps, calls }) if is_trapped(&plan.turns, &traps) => {
                shown.push((run.engine, calls));
                continue;
            }
            Ok(Shown { traps, .. }) => {
                let wanted: Vec<&Option<String>> = plan.turns.iter().map(|turn| &turn.trap).collect();
                format!("instantiation traps with {traps:?}; wanted {wanted:?}")
            }
            Err(why) => why,
        };
        let counted = |(step, _): &&(&Step, &Call)| step.kind == StepKind::Assertion;
        let assertions = calls.iter().filter(counted).count() + usize::from(job.trap.is_some());
        tally += &Tally::failed(assertions, format!("{}: {}: {wrong}", job.line, run.engine));
        return tally;
    }
    let actions = turns.concat();
    tally += &Tally::passed(job.trap.is_some().into());
    let mut small = None;
    for (at, (step, call)) in calls.iter().enumerate().filter(|(_, (step, _))| step.kind != StepKind::Again) {
        let wrong = shown.iter().find(|(_, seen)| !ends(&call.end, &seen[at]));
        tally += &match wrong {
            None => Tally::passed((step.kind == StepKind::Assertion).into()),
            Some((_, seen))
                if seen[at] == Seen::Trapped(Trap::StackExhausted) && is_chain(machine.config.cpu, wasm) =>
            {
                Tally::not_run(1, STACK.to_owned())
            }
            Some((engine, seen)) => {
                let small = small.get_or_insert_with(|| small_memory((wasm, machine), &calls, &actions));
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

/// Whether a module leaves functions for others, and a processor calls instead.
fn is_chain(cpu: Cpu, wasm: &[u8]) -> bool {
    let bodies = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => body.get_operators_reader().ok(),
        _ => None,
    });
    let leaves = |operator| matches!(operator, Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. });
    cpu.isa() == Isa::V6M && bodies.flatten().flatten().any(leaves)
}

/// What each call shows that ends otherwise than it must for want of memory alone: another engine
/// ends as it must, and shows this where memory grows no further than here. Growth may fail where
/// resources end (core spec, 4.4.7).
fn small_memory((wasm, machine): (&[u8], &Machine), calls: &[(&Step, &Call)], actions: &[Action]) -> Vec<Option<Seen>> {
    let large = engines::shown_within(usize::MAX, wasm, actions);
    let small = engines::shown_within(machine.memory_bytes() as usize, wasm, actions);
    let both = calls.iter().zip(large).zip(small);
    both.map(|(((_, call), large), small)| {
        large.filter(|seen| ends(&call.end, seen))?;
        small
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
