//! Answers what a filetest asks.

use synth::elf::program::Type;
use synth::qemu::firmware::Firmware;
use synth_verify::check::{Checks, check};
use synth_verify::model::{self, Action, Constant, FunctionType, ModelError, Outcome, ValueType};

use super::file::{Ask, End, File, What, words};
use super::make::{Files, Made};

/// Most instructions of one run.
const STEPS_MAX: u64 = 10_000_000;

/// What does not hold, a line each.
pub fn wrong(file: &File, made: &Made) -> Vec<String> {
    let mut wrong = Vec::new();
    for ask in &file.asks {
        let answer = match &ask.what {
            What::Check(stage, text) => contains(&made.text(*stage), text)
                .then_some(())
                .ok_or_else(|| format!("{text:?} is not in {}:\n{}", stage.name(), made.text(*stage))),
            What::CheckNot(stage, text) => (!contains(&made.text(*stage), text))
                .then_some(())
                .ok_or_else(|| format!("{text:?} is in {}:\n{}", stage.name(), made.text(*stage))),
            What::Run { .. } => Ok(()),
            What::Size { function, bytes_max } => files(made).and_then(|files| size(files, function, *bytes_max)),
            What::Verify => files(made).and_then(verify),
        };
        wrong.extend(answer.err().map(|why| format!("line {}: {why}", ask.line)));
    }
    let runs: Vec<&Ask> = file.asks.iter().filter(|ask| matches!(ask.what, What::Run { .. })).collect();
    if let Some(files) = made.files.as_ref().filter(|_| !runs.is_empty()) {
        wrong.extend(wrong_runs(files, &runs));
    }
    wrong
}

fn files(made: &Made) -> Result<&Files, String> {
    made.files.as_ref().ok_or_else(|| "there is no module".to_owned())
}

/// Whether a line contains the text with no word cut in two.
pub fn contains(haystack: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_whole = |line: &str, at: usize| {
        let (before, behind) = (line[..at].chars().next_back(), line[at + text.len()..].chars().next());
        let cut_before = text.starts_with(is_word) && before.is_some_and(is_word);
        let cut_behind = text.ends_with(is_word) && behind.is_some_and(is_word);
        !cut_before && !cut_behind
    };
    haystack.lines().map(words).any(|line| line.match_indices(text).any(|(at, _)| is_whole(&line, at)))
}

fn size(files: &Files, function: &str, bytes_max: u32) -> Result<(), String> {
    let known = || files.sizes.keys().cloned().collect::<Vec<_>>().join(", ");
    match files.sizes.get(function) {
        None => Err(format!("there is no function {function}; there are {}", known())),
        Some(bytes) if *bytes > bytes_max => Err(format!("{function} has {bytes} bytes")),
        Some(_) => Ok(()),
    }
}

fn verify(files: &Files) -> Result<(), String> {
    for (kind, elf) in [("object", &files.object), ("image", &files.image)] {
        let report = check(&files.wasm, elf, Checks::All).map_err(|error| format!("the {kind}: {error}"))?;
        if !report.proved() {
            let functions = report.functions.iter().flat_map(|function| {
                let findings = function.findings.iter().map(|finding| format!("{finding:?}"));
                findings.chain([format!("{}: {}", function.name, function.verdict)])
            });
            let lines = functions.chain(report.findings.iter().map(|finding| format!("{finding:?}")));
            let uncovered = report.uncovered_bytes;
            return Err(format!(
                "the {kind} is not proved, {uncovered} bytes uncovered\n{}",
                lines.collect::<Vec<_>>().join("\n")
            ));
        }
    }
    Ok(())
}

/// Does all runs on one instance.
fn wrong_runs(files: &Files, runs: &[&Ask]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut actions = Vec::new();
    let firmware = match Firmware::read(&files.image) {
        Ok(firmware) => firmware,
        Err(error) => return vec![error.to_string()],
    };
    for run in runs {
        match action(&firmware, &run.what) {
            Ok(action) => actions.push(action),
            Err(why) => wrong.push(format!("line {}: {why}", run.line)),
        }
    }
    if !wrong.is_empty() {
        return wrong;
    }
    let outcomes = match model::run(&files.image, &actions, STEPS_MAX) {
        Ok(outcomes) => outcomes,
        Err(error) => return vec![format!("line {}: {}", runs[0].line, no_outcome(&error))],
    };
    for (run, outcome) in runs.iter().zip(&outcomes) {
        wrong.extend(differs(&run.what, outcome).map(|why| format!("line {}: {why}", run.line)));
    }
    wrong
}

fn no_outcome(error: &ModelError) -> String {
    format!("the runs of this file have no outcome: {error}")
}

fn action(firmware: &Firmware, what: &What) -> Result<Action, String> {
    let What::Run { function, arguments, .. } = what else { unreachable!("only runs are asked for") };
    let export = firmware.export_named(function).ok_or_else(|| format!("there is no exported function {function}"))?;
    if export.parameters.len() != arguments.len() {
        return Err(format!("{function} has {} parameters", export.parameters.len()));
    }
    let pairs = arguments.iter().zip(&export.parameters);
    let values: Vec<Constant> = pairs.map(|(text, ty)| constant(text, *ty)).collect::<Result<_, _>>()?;
    let kinds = |types: &[Type]| {
        let kind = |ty: &Type| match ty {
            Type::I32 => ValueType::I32,
            Type::I64 => ValueType::I64,
            Type::F32 => ValueType::F32,
            Type::F64 => ValueType::F64,
            Type::FuncRef => ValueType::FuncRef,
            Type::ExternRef => ValueType::ExternRef,
        };
        types.iter().map(kind).collect()
    };
    let signature = FunctionType { parameters: kinds(&export.parameters), results: kinds(&export.results) };
    Ok(Action::Call(export.address & !1, signature, values))
}

/// A number, signed or not, decimal or hexadecimal, that fits the type either way. Floats are their bits.
fn constant(text: &str, ty: Type) -> Result<Constant, String> {
    let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
    let number = match digits.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    let number = number.map_err(|_| format!("{text:?} is no number"))? * sign;
    let fits = |bits: u32| (-(1i128 << (bits - 1))..1i128 << bits).contains(&number);
    match ty {
        Type::I32 | Type::F32 | Type::FuncRef | Type::ExternRef if fits(32) => Ok(Constant::I32(number as u32)),
        Type::I64 | Type::F64 if fits(64) => Ok(Constant::I64(number as u64)),
        Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::FuncRef | Type::ExternRef => {
            Err(format!("{text} does not fit the type"))
        }
    }
}

fn differs(what: &What, outcome: &Outcome) -> Option<String> {
    let What::Run { end, .. } = what else { unreachable!("only runs are asked for") };
    match (end, outcome) {
        (End::Trap(trap), Outcome::Trapped(found, _)) if *trap == found.trap => None,
        (End::Results(wanted), Outcome::Returned(found, _)) => {
            let ty = |value: &Constant| match value {
                Constant::I32(_) | Constant::Function(_) => Type::I32,
                Constant::I64(_) => Type::I64,
            };
            let same = |(wanted, found): (&String, &Constant)| constant(wanted, ty(found)).as_ref() == Ok(found);
            let all = wanted.len() == found.len() && wanted.iter().zip(found).all(same);
            (!all).then(|| format!("the result is {}", results(found)))
        }
        (_, Outcome::Returned(found, _)) => Some(format!("it returned {}", results(found))),
        (_, Outcome::Trapped(found, _)) => Some(format!("it trapped at {:#x}: {}", found.at, found.trap.words())),
        (_, Outcome::Bytes(_)) => Some("it read bytes".to_owned()),
    }
}

fn results(values: &[Constant]) -> String {
    let words = values.iter().map(|value| match value {
        Constant::I32(word) => (*word as i32).to_string(),
        Constant::I64(word) => (*word as i64).to_string(),
        Constant::Function(function) => format!("function {function}"),
    });
    words.collect::<Vec<_>>().join(", ")
}
