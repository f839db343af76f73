//! The runtime, `src/runtime`: each export against wasmi's own operator, what the compiler folds it to and
//! what the validator takes it for, bit for bit; and proved when compiled.
//!
//! Operands are all pairs out of a list of boundary cases, then random ones. `SYNTH_RUNTIME_CASES`
//! says how many random ones per operator; 200000 take minutes in a release build.

mod runtime_support;

use std::collections::BTreeSet;

use runtime_support::operands::{self, Random};
use runtime_support::{Engine, OPERATORS, Operator, Outcome, nan};
use synth::config::Config;
use synth::ir::eval;
use synth::ir::op::PLAIN;
use synth_fuzz::oracle::{self, Failure};
use synth_verify::float::Float;
use synth_verify::hints::Sort;

/// Random operands or pairs per operator.
const CASES: u32 = 10_000;

/// Every file of the runtime.
const FILES: &[(&str, &str)] = &[
    ("i64_division", include_str!("../src/runtime/i64_division.wat")),
    ("f32_arithmetic", include_str!("../src/runtime/f32_arithmetic.wat")),
    ("f32_compare", include_str!("../src/runtime/f32_compare.wat")),
    ("f32_integral", include_str!("../src/runtime/f32_integral.wat")),
    ("f64_arithmetic", include_str!("../src/runtime/f64_arithmetic.wat")),
    ("f64_compare", include_str!("../src/runtime/f64_compare.wat")),
    ("f64_integral", include_str!("../src/runtime/f64_integral.wat")),
    ("to_integer", include_str!("../src/runtime/to_integer.wat")),
];

fn text(name: &str) -> &'static str {
    FILES.iter().find(|(file, _)| *file == name).expect("a file of the table").1
}

/// Compares every export of a file with the engine's operator.
#[track_caller]
fn agrees(file: &str) {
    let mut ours = Engine::new(text(file));
    let mut theirs = Engine::new(&runtime_support::oracle_module());
    let cases = std::env::var("SYNTH_RUNTIME_CASES").map_or(CASES, |count| count.parse().expect("a number"));
    for export in ours.exports() {
        let operator = OPERATORS.iter().find(|operator| operator.name == export);
        let operator = operator.unwrap_or_else(|| panic!("{export} is not in OPERATORS"));
        let mut random = Random::new(0x5eed);
        let float = Float::all().into_iter().find(|float| float.name() == export);
        assert_eq!(float.is_none(), file == "i64_division", "{export}");
        let compare = |arguments: &[u64]| compare(operator, float, arguments, (&mut ours, &mut theirs));
        operands::each(operator.operands, cases, &mut random, compare);
    }
}

#[track_caller]
fn compare(operator: &Operator, float: Option<Float>, arguments: &[u64], (ours, theirs): (&mut Engine, &mut Engine)) {
    let got = ours.call(operator.name, arguments);
    let wasmi = theirs.call(operator.engine_name(), arguments);
    let expected = operator.expected(arguments, wasmi);
    let is_nan = matches!((expected, operator.result), (Outcome::Value(bits), kind) if nan::is(kind, bits));
    let right = match got {
        Outcome::Value(bits) if is_nan => nan::is_canonical(operator.result, bits),
        Outcome::Value(_) | Outcome::Trap(_) => got == expected,
    };
    assert!(right, "{}({arguments:#x?}) gives {got:x?}, not {expected:x?}", operator.name);
    let Outcome::Value(bits) = got else { return };
    let (op, ..) = PLAIN.iter().find(|(_, name, ..)| *name == operator.name).expect("each is an operator of SSA");
    assert_eq!(eval::run(*op, arguments), Some(bits), "{} as the compiler folds it: {arguments:#x?}", operator.name);
    if let Some(float) = float {
        let words: Vec<u32> = float
            .operands()
            .iter()
            .zip(arguments)
            .flat_map(|(sort, bits)| match sort {
                Sort::W32 => vec![*bits as u32],
                Sort::W64 => vec![*bits as u32, (*bits >> 32) as u32],
            })
            .collect();
        let [low, high] = float.value(&words);
        let value = u64::from(low) | u64::from(high) << 32;
        assert_eq!(value, bits, "{} as the validator has it: {arguments:#x?}", operator.name);
    }
}

/// Compiles and proves a file.
#[track_caller]
fn is_proved(file: &str) {
    let wasm = wat::parse_str(text(file)).expect("a module");
    match oracle::object(&wasm, &Config::default()) {
        Ok(_) => {}
        Err(Failure::Unproved(report)) => {
            let open = report.functions.iter().filter(|function| !function.findings.is_empty());
            let names: Vec<String> = open.map(|function| format!("{}: {}", function.name, function.verdict)).collect();
            panic!("{file} is not proved: {names:?}");
        }
        Err(failure) => panic!("{file}: {failure:?}"),
    }
}

#[test]
fn every_operator_has_an_export() {
    let exported: BTreeSet<String> = FILES.iter().flat_map(|(_, text)| Engine::new(text).exports()).collect();
    let wanted: BTreeSet<String> = OPERATORS.iter().map(|operator| operator.name.to_owned()).collect();
    assert_eq!(exported, wanted);
}

/// The compiler must be able to take it as it is: no floats, no state, and none of its own operators.
#[test]
fn only_integers_and_no_state_are_used() {
    for (file, text) in FILES {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with(";;")).collect();
        for word in code.split(|c: char| c.is_whitespace() || c == '(' || c == ')') {
            let is_float = word.starts_with("f32.") || word.starts_with("f64.");
            let is_division = ["i64.div_u", "i64.div_s", "i64.rem_u", "i64.rem_s"].contains(&word);
            let is_state = ["memory", "global", "table", "import"].contains(&word);
            assert!(!is_float && !is_division && !is_state, "{file}: {word}");
        }
    }
}

macro_rules! files {
    ($($file:ident)*) => {
        mod agrees {
            $(#[test] fn $file() { super::agrees(stringify!($file)); })*
        }
        mod is_proved {
            $(#[test] fn $file() { super::is_proved(stringify!($file)); })*
        }
    };
}

files! {
    i64_division
    f32_arithmetic f32_compare f32_integral
    f64_arithmetic f64_compare f64_integral
    to_integer
}
