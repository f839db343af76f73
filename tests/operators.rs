//! Each operator, once proved and twice refused: code of another operator, and code of the
//! same with other operands.

use sha2::{Digest, Sha256};
use synth::config::{Config, Cpu};
use synth::elf;
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};
use synth_verify::hints::codec;
use synth_verify::verdict::{FunctionReport, Verdict};

/// Operators by the types of operands and result and the length of their encoding, so that one can
/// stand in another's place. The operands of those that are commutative are not swapped.
const GROUPS: &[Group] = &[
    (&["i32", "i32"], "i32", Order::Free, &["i32.add", "i32.mul", "i32.and", "i32.or", "i32.xor", "i32.eq", "i32.ne"]),
    (&["i32", "i32"], "i32", Order::Fixed, &["i32.sub", "i32.shl", "i32.shr_s", "i32.shr_u", "i32.rotl", "i32.rotr"]),
    (&["i32", "i32"], "i32", Order::Fixed, &["i32.div_s", "i32.div_u", "i32.rem_s", "i32.rem_u"]),
    (&["i32", "i32"], "i32", Order::Fixed, &["i32.lt_s", "i32.lt_u", "i32.gt_s", "i32.gt_u"]),
    (&["i32", "i32"], "i32", Order::Fixed, &["i32.le_s", "i32.le_u", "i32.ge_s", "i32.ge_u"]),
    (
        &["i32"],
        "i32",
        Order::Fixed,
        &["i32.clz", "i32.ctz", "i32.popcnt", "i32.eqz", "i32.extend8_s", "i32.extend16_s"],
    ),
    (&["i64", "i64"], "i64", Order::Free, &["i64.add", "i64.mul", "i64.and", "i64.or", "i64.xor"]),
    (&["i64", "i64"], "i64", Order::Fixed, &["i64.sub", "i64.shl", "i64.shr_s", "i64.shr_u", "i64.rotl", "i64.rotr"]),
    (&["i64", "i64"], "i64", Order::Fixed, &["i64.div_s", "i64.div_u", "i64.rem_s", "i64.rem_u"]),
    (&["i64", "i64"], "i32", Order::Free, &["i64.eq", "i64.ne"]),
    (&["i64", "i64"], "i32", Order::Fixed, &["i64.lt_s", "i64.lt_u", "i64.gt_s", "i64.gt_u"]),
    (&["i64", "i64"], "i32", Order::Fixed, &["i64.le_s", "i64.le_u", "i64.ge_s", "i64.ge_u"]),
    (
        &["i64"],
        "i64",
        Order::Fixed,
        &["i64.clz", "i64.ctz", "i64.popcnt", "i64.extend8_s", "i64.extend16_s", "i64.extend32_s"],
    ),
    (&["i64"], "i32", Order::Fixed, &["i32.wrap_i64", "i64.eqz"]),
    (&["i32"], "i64", Order::Fixed, &["i64.extend_i32_s", "i64.extend_i32_u"]),
    (&["i32"], "i32", Order::Fixed, &["i32.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u"]),
    (&["i32"], "i64", Order::Fixed, &["i64.load", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u"]),
    (&["i32"], "i64", Order::Fixed, &["i64.load32_s", "i64.load32_u"]),
    (&["i32"], "f32", Order::Fixed, &["f32.load", "f32.load offset=4"]),
    (&["i32"], "f64", Order::Fixed, &["f64.load", "f64.load offset=8"]),
    (&["i32", "i32"], "", Order::Fixed, &["i32.store", "i32.store8", "i32.store16"]),
    (&["i32", "i64"], "", Order::Other, &["i64.store", "i64.store8", "i64.store16", "i64.store32"]),
    (&["i32", "f32"], "", Order::Other, &["f32.store", "f32.store offset=4"]),
    (&["i32", "f64"], "", Order::Other, &["f64.store", "f64.store offset=8"]),
    (&[], "i32", Order::Free, &["memory.size", "memory.size 1"]),
    (&["i32"], "i32", Order::Fixed, &["memory.grow", "memory.grow 1"]),
    (&["i32", "i32", "i32"], "", Order::Fixed, &["memory.copy", "memory.copy 1 1"]),
    (&["i32", "i32", "i32"], "", Order::Fixed, &["memory.fill", "memory.fill 1"]),
    (&["i32", "i32", "i32"], "", Order::Fixed, &["memory.init 0", "memory.init 1"]),
    (&[], "", Order::Free, &["data.drop 0", "data.drop 1"]),
    (&["i32"], "funcref", Order::Fixed, &["table.get 0", "table.get 1"]),
    (&["i32", "funcref"], "", Order::Other, &["table.set 0", "table.set 1"]),
    (&[], "i32", Order::Free, &["table.size 0", "table.size 1"]),
    (&["funcref", "i32"], "i32", Order::Other, &["table.grow 0", "table.grow 1"]),
    (
        &["i32", "i32", "i32"],
        "",
        Order::Fixed,
        &["table.copy 0 0", "table.copy 1 1", "table.copy 0 1", "table.copy 1 0"],
    ),
    (&["i32", "funcref", "i32"], "", Order::Other, &["table.fill 0", "table.fill 1"]),
    (
        &["i32", "i32", "i32"],
        "",
        Order::Fixed,
        &["table.init 0 0", "table.init 0 1", "table.init 1 1", "table.init 1 0"],
    ),
    (&[], "", Order::Free, &["elem.drop 0", "elem.drop 1"]),
    (&["funcref"], "i32", Order::Fixed, &["ref.is_null"]),
    (&[], "funcref", Order::Free, &["ref.null func", "ref.func 0", "ref.func 1"]),
    (&["i32", "i32", "i32"], "i32", Order::Fixed, &["select"]),
    (&["i64", "i64", "i32"], "i64", Order::Other, &["select"]),
    (&[], "i32", Order::Free, &["global.get 0", "global.get 1"]),
    (&["i32"], "", Order::Fixed, &["global.set 0", "global.set 1"]),
    (&["f32", "f32"], "f32", Order::Fixed, &["f32.add", "f32.sub", "f32.mul", "f32.div"]),
    (&["f32", "f32"], "f32", Order::Fixed, &["f32.min", "f32.max", "f32.copysign"]),
    (&["f64", "f64"], "f64", Order::Fixed, &["f64.add", "f64.sub", "f64.mul", "f64.div"]),
    (&["f64", "f64"], "f64", Order::Fixed, &["f64.min", "f64.max", "f64.copysign"]),
    (&["f32"], "f32", Order::Fixed, &["f32.sqrt", "f32.ceil", "f32.floor", "f32.trunc", "f32.nearest"]),
    (&["f32"], "f32", Order::Fixed, &["f32.neg", "f32.abs"]),
    (&["f64"], "f64", Order::Fixed, &["f64.sqrt", "f64.ceil", "f64.floor", "f64.trunc", "f64.nearest"]),
    (&["f64"], "f64", Order::Fixed, &["f64.neg", "f64.abs"]),
    (&["f32", "f32"], "i32", Order::Fixed, &["f32.eq", "f32.ne", "f32.lt", "f32.gt", "f32.le", "f32.ge"]),
    (&["f64", "f64"], "i32", Order::Fixed, &["f64.eq", "f64.ne", "f64.lt", "f64.gt", "f64.le", "f64.ge"]),
    (&["i32"], "f32", Order::Fixed, &["f32.convert_i32_s", "f32.convert_i32_u", "f32.reinterpret_i32"]),
    (&["i64"], "f32", Order::Fixed, &["f32.convert_i64_s", "f32.convert_i64_u"]),
    (&["i32"], "f64", Order::Fixed, &["f64.convert_i32_s", "f64.convert_i32_u"]),
    (&["i64"], "f64", Order::Fixed, &["f64.convert_i64_s", "f64.convert_i64_u", "f64.reinterpret_i64"]),
    (&["f64"], "f32", Order::Fixed, &["f32.demote_f64"]),
    (&["f32"], "f64", Order::Fixed, &["f64.promote_f32"]),
    (&["f32"], "i32", Order::Fixed, &["i32.trunc_f32_s", "i32.trunc_f32_u", "i32.reinterpret_f32"]),
    (&["f64"], "i32", Order::Fixed, &["i32.trunc_f64_s", "i32.trunc_f64_u"]),
    (&["f32"], "i64", Order::Fixed, &["i64.trunc_f32_s", "i64.trunc_f32_u"]),
    (&["f64"], "i64", Order::Fixed, &["i64.trunc_f64_s", "i64.trunc_f64_u", "i64.reinterpret_f64"]),
    (&["f32"], "i32", Order::Fixed, &["i32.trunc_sat_f32_s", "i32.trunc_sat_f32_u"]),
    (&["f64"], "i32", Order::Fixed, &["i32.trunc_sat_f64_s", "i32.trunc_sat_f64_u"]),
    (&["f32"], "i64", Order::Fixed, &["i64.trunc_sat_f32_s", "i64.trunc_sat_f32_u"]),
    (&["f64"], "i64", Order::Fixed, &["i64.trunc_sat_f64_s", "i64.trunc_sat_f64_u"]),
];

/// Types of operands and result, what the order of operands means, and the operators.
type Group = (&'static [&'static str], &'static str, Order, &'static [&'static str]);

/// What the order of operands means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// Nothing.
    Free,
    /// The first two have one type and are not to be swapped.
    Fixed,
    /// They have types of their own.
    Other,
}

/// What the operators need, and behind their functions one that reads all segments.
const STATE: &str = r#"
(memory 1 2) (memory 2 3) (data "0123456789abcdef") (data "fedcba9876543210")
(table 4 8 funcref) (table 5 9 funcref) (elem func 0) (elem func 1 0)
(global (mut i32) (i32.const 5)) (global (mut i32) (i32.const 6))
"#;

const READER: &str = r#"(func (param i32)
  (memory.init 0 (local.get 0) (local.get 0) (local.get 0)) (memory.init 1 (local.get 0) (local.get 0) (local.get 0))
  (table.init 0 0 (local.get 0) (local.get 0) (local.get 0)) (table.init 0 1 (local.get 0) (local.get 0) (local.get 0)))
"#;

/// Whether operators are calls of instances of templates.
fn are_templates(names: &[&str]) -> bool {
    let of = ["memory.copy", "memory.fill", "memory.init", "table.copy", "table.fill", "table.init", "table.grow"];
    names.iter().any(|name| of.iter().any(|of| name.starts_with(of)))
}

/// A function for each operator, of which each is replaced by the one `by` places further in its group.
/// An operator has twice as many parameters as operands: the others are there to be used by mistake.
fn module(groups: &[Group], by: usize, swapped: bool) -> Vec<u8> {
    let mut text = format!("(module {STATE}");
    for (types, to, order, names) in groups {
        for (at, name) in names.iter().enumerate() {
            let stands = names[(at + by) % names.len()];
            let mut order_of: Vec<usize> = (0..types.len()).collect();
            match (swapped && *order == Order::Fixed, types.len()) {
                (true, 1) => order_of = vec![1],
                (true, _) => order_of.swap(0, 1),
                (false, _) => {}
            }
            let operands: String = order_of.iter().map(|local| format!("(local.get {local})")).collect();
            let result = if to.is_empty() { String::new() } else { format!("(result {to})") };
            let parameters = [*types, *types].concat().join(" ");
            let name = format!("{name} {}", types.join(" "));
            text.push_str(&format!("(func (export \"{name}\") (param {parameters}) {result} ({stands} {operands}))\n"));
        }
    }
    wat::parse_str(text + READER + ")").expect("a module")
}

/// What to compile for, and the groups for it: all for the default, those with floats for each floating-point unit.
fn targets() -> Vec<(Config, Vec<Group>)> {
    let is_float = |ty: &str| ty.starts_with('f');
    let floats = GROUPS.iter().copied().filter(|(types, to, ..)| is_float(to) || types.iter().any(|ty| is_float(ty)));
    let floats: Vec<Group> = floats.collect();
    let with_unit = |cpu: Cpu| (Config { cpu, float: cpu.float_unit(), ..Config::default() }, floats.clone());
    let units = [Cpu::CortexM4, Cpu::CortexM33, Cpu::CortexM7].map(with_unit);
    [(Config::default(), GROUPS.to_vec())].into_iter().chain(units).collect()
}

/// What the validator says of the code of one module as the code of another.
fn judged(config: &Config, code_of: &[u8], as_of: &[u8]) -> Vec<FunctionReport> {
    let mut output = synth::compile(code_of, config, &mut NoTap).expect("it compiles");
    output.hints.wasm_sha256 = Sha256::digest(as_of).into();
    output.program.hints = codec::encode(&output.hints);
    let object = elf::object(&output.program, config.cpu).expect("an object");
    check(as_of, &object, Checks::All).expect("a judgement").functions
}

/// Each operator, and what the order of its operands means.
fn operators(groups: &[Group]) -> impl Iterator<Item = (Order, &'static str)> {
    groups.iter().flat_map(|(_, _, order, names)| names.iter().map(move |name| (*order, *name)))
}

#[test]
fn each_operator_is_proved() {
    for (config, groups) in targets() {
        let module = module(&groups, 0, false);
        for function in judged(&config, &module, &module) {
            assert_eq!(function.verdict, Verdict::Proved, "{}: {:?}", function.name, function.findings);
        }
    }
}

#[test]
fn another_operator_is_refused() {
    let pairs = targets();
    let pairs = pairs.iter().flat_map(|(config, groups)| groups.iter().map(move |group| (config, group)));
    for (config, group) in pairs.filter(|(_, (.., names))| names.len() > 1) {
        let reports = judged(config, &module(&[*group], 0, false), &module(&[*group], 1, false));
        if are_templates(group.3) {
            // It is the instance that is another.
            assert!(reports.iter().any(|function| function.verdict != Verdict::Proved), "{:?}", group.3);
            continue;
        }
        for (name, function) in group.3.iter().zip(&reports) {
            assert_ne!(function.verdict, Verdict::Proved, "{name}");
            assert!(!function.findings.is_empty(), "{name}");
        }
    }
}

/// No operator on floats is taken to be commutative.
#[test]
fn other_operands_are_refused() {
    for (config, groups) in targets() {
        let reports = judged(&config, &module(&groups, 0, false), &module(&groups, 0, true));
        for ((order, name), function) in operators(&groups).zip(&reports) {
            assert_eq!(function.verdict == Verdict::Proved, order != Order::Fixed, "{name}");
        }
    }
}
