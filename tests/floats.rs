//! Each operator on floats, once proved and twice refused: code of another operator, and code of the
//! same with other operands.

use sha2::{Digest, Sha256};
use synth::config::Config;
use synth::elf;
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};
use synth_verify::hints::codec;
use synth_verify::verdict::{FunctionReport, Verdict};

/// Operators by the types of operands and result and the length of their encoding, so that one can
/// stand in another's place.
const GROUPS: &[(&str, usize, &str, &[&str])] = &[
    ("f32", 2, "f32", &["f32.add", "f32.sub", "f32.mul", "f32.div", "f32.min", "f32.max", "f32.copysign"]),
    ("f64", 2, "f64", &["f64.add", "f64.sub", "f64.mul", "f64.div", "f64.min", "f64.max", "f64.copysign"]),
    ("f32", 1, "f32", &["f32.sqrt", "f32.ceil", "f32.floor", "f32.trunc", "f32.nearest", "f32.neg", "f32.abs"]),
    ("f64", 1, "f64", &["f64.sqrt", "f64.ceil", "f64.floor", "f64.trunc", "f64.nearest", "f64.neg", "f64.abs"]),
    ("f32", 2, "i32", &["f32.eq", "f32.ne", "f32.lt", "f32.gt", "f32.le", "f32.ge"]),
    ("f64", 2, "i32", &["f64.eq", "f64.ne", "f64.lt", "f64.gt", "f64.le", "f64.ge"]),
    ("i32", 1, "f32", &["f32.convert_i32_s", "f32.convert_i32_u", "f32.reinterpret_i32"]),
    ("i64", 1, "f32", &["f32.convert_i64_s", "f32.convert_i64_u"]),
    ("i32", 1, "f64", &["f64.convert_i32_s", "f64.convert_i32_u"]),
    ("i64", 1, "f64", &["f64.convert_i64_s", "f64.convert_i64_u", "f64.reinterpret_i64"]),
    ("f64", 1, "f32", &["f32.demote_f64"]),
    ("f32", 1, "f64", &["f64.promote_f32"]),
    ("f32", 1, "i32", &["i32.trunc_f32_s", "i32.trunc_f32_u", "i32.reinterpret_f32"]),
    ("f64", 1, "i32", &["i32.trunc_f64_s", "i32.trunc_f64_u"]),
    ("f32", 1, "i64", &["i64.trunc_f32_s", "i64.trunc_f32_u"]),
    ("f64", 1, "i64", &["i64.trunc_f64_s", "i64.trunc_f64_u", "i64.reinterpret_f64"]),
    ("f32", 1, "i32", &["i32.trunc_sat_f32_s", "i32.trunc_sat_f32_u"]),
    ("f64", 1, "i32", &["i32.trunc_sat_f64_s", "i32.trunc_sat_f64_u"]),
    ("f32", 1, "i64", &["i64.trunc_sat_f32_s", "i64.trunc_sat_f32_u"]),
    ("f64", 1, "i64", &["i64.trunc_sat_f64_s", "i64.trunc_sat_f64_u"]),
];

/// A function for each operator, of which each is replaced by the one `by` places further in its group.
fn module(by: usize, swapped: bool) -> Vec<u8> {
    let mut text = String::from("(module\n");
    for (from, operands, to, names) in GROUPS {
        for (at, name) in names.iter().enumerate() {
            let stands = names[(at + by) % names.len()];
            let order: &[u32] = match (operands, swapped) {
                (1, false) => &[0],
                (1, true) => &[1],
                (_, false) => &[0, 1],
                (_, true) => &[1, 0],
            };
            let operands: String = order.iter().map(|local| format!("(local.get {local})")).collect();
            text.push_str(&format!(
                "(func (export \"{name}\") (param {from} {from}) (result {to}) ({stands} {operands}))\n"
            ));
        }
    }
    wat::parse_str(text + ")").expect("a module")
}

/// What the validator says of the code of one module as the code of another.
fn judged(code_of: &[u8], as_of: &[u8]) -> Vec<FunctionReport> {
    let mut output = synth::compile(code_of, &Config::default(), &mut NoTap).expect("it compiles");
    output.hints.wasm_sha256 = Sha256::digest(as_of).into();
    output.program.hints = codec::encode(&output.hints);
    let object = elf::object(&output.program, Config::default().cpu).expect("an object");
    check(as_of, &object, Checks::All).expect("a judgement").functions
}

fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|(.., names)| names.iter().copied())
}

#[test]
fn each_operator_is_proved() {
    let module = module(0, false);
    for function in judged(&module, &module) {
        assert_eq!(function.verdict, Verdict::Proved, "{}: {:?}", function.name, function.findings);
    }
}

#[test]
fn another_operator_is_refused() {
    let reports = judged(&module(0, false), &module(1, false));
    let alone = |name: &str| GROUPS.iter().any(|(.., names)| *names == [name]);
    for (name, function) in names().zip(&reports).filter(|(name, _)| !alone(name)) {
        assert_ne!(function.verdict, Verdict::Proved, "{name}");
        assert!(!function.findings.is_empty(), "{name}");
    }
}

/// No operator is taken to be commutative.
#[test]
fn other_operands_are_refused() {
    let reports = judged(&module(0, false), &module(0, true));
    for (name, function) in names().zip(&reports) {
        assert_ne!(function.verdict, Verdict::Proved, "{name}");
    }
}
