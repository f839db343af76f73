//! Large functions are proved: wide tables, many parameters, large frames, deep nesting, long runs.
//!
//! Each module once met a limit, or a cost that grew faster than the function. Costs are counted, not
//! timed: obligations here, terms in `verify/tests/growth.rs`.

use synth::config::{Config, Cpu};
use synth::stage::NoTap;
use synth_fuzz::oracle;

/// Compiles and proves a module in text; yields the number of obligations.
fn prove(text: &str) -> usize {
    let wasm = wat::parse_str(text).expect("a module");
    match oracle::object(&wasm, &Config::default()) {
        Ok(proved) => proved.report.functions.iter().map(|function| function.obligations.len()).sum(),
        Err(failure) => panic!("{failure:?}"),
    }
}

/// A table of these depths into blocks that each return a number of their own.
fn table(depths: &[usize]) -> String {
    let blocks = depths.iter().max().expect("a table has entries") + 2;
    let open = "(block ".repeat(blocks);
    let entries: Vec<String> = depths.iter().map(usize::to_string).collect();
    let bodies: String = (0..blocks).map(|block| format!(") (return (i32.const {}))", 3 * block + 1)).collect();
    format!(
        "(module (func (export \"f\") (param i32) (result i32) {open} (br_table {} {} (local.get 0)) {bodies}))",
        entries.join(" "),
        blocks - 1
    )
}

#[test]
fn a_table_is_proved_by_its_targets_and_not_by_its_entries() {
    let alike = |entries: usize| prove(&table(&[vec![0; entries], vec![1; entries]].concat()));
    assert_eq!(alike(50), alike(400));
}

#[test]
fn a_table_may_have_thousands_of_targets() {
    let depths: Vec<usize> = (0..4200).collect();
    assert!(prove(&table(&depths)) > 4200);
}

#[test]
fn a_function_may_have_many_parameters() {
    let parameters = "i32 ".repeat(1000);
    prove(&format!(
        "(module (func (export \"f\") (param {parameters}) (result i32) (i32.sub (local.get 0) (local.get 999))))"
    ));
}

#[test]
fn a_frame_may_be_larger_than_an_offset_reaches() {
    let calls = "call $h ".repeat(530);
    let adds = "i64.add ".repeat(529);
    prove(&format!(
        "(module (import \"h\" \"f\" (func $h (result i64))) (func (export \"f\") (result i64) {calls} {adds}))"
    ));
}

#[test]
fn blocks_may_be_nested_deeply() {
    let (open, close) = ("block ".repeat(100_000), "end ".repeat(100_000));
    prove(&format!("(module (func (export \"f\") {open} {close}))"));
}

#[test]
fn a_function_may_make_many_calls() {
    let calls = "call $h ".repeat(20_001);
    let obligations =
        prove(&format!("(module (import \"h\" \"f\" (func $h)) (memory 1) (func (export \"f\") {calls}))"));
    assert!(obligations > 20_001);
}

#[test]
fn armv6m_checks_for_64_kib_of_stack_at_most() {
    let results = "i64 ".repeat(1000);
    let each = "(drop)".repeat(1000);
    let chain = |length: usize| -> String {
        let call = |next: usize| if next < length { format!("(call $f{next})") } else { String::new() };
        (0..length).map(|at| format!("(func $f{at} (call $many) {each} {})", call(at + 1))).collect()
    };
    let compile = |length: usize| {
        let text = format!(
            "(module (func $many (result {results}) (unreachable)) {}
             (func $again (export \"f\") (param i32) (if (local.get 0) (then (call $again (i32.const 0)))) (call $f0)))",
            chain(length)
        );
        let config = Config { cpu: Cpu::CortexM0, ..Config::default() };
        synth::compile(&wat::parse_str(text).expect("a module"), &config, &mut NoTap)
    };
    assert!(compile(8).is_ok());
    let error = compile(9).expect_err("it needs 72 KB").to_string();
    assert!(error.contains("more stack than Armv6-M can check for"), "{error}");
}

/// A check of the stack before kilobytes of code without an end, and slots far from SP.
#[test]
fn a_long_function_with_a_large_frame_is_proved_on_the_smallest_core() {
    let locals = 400;
    let parameters = "i32 ".repeat(locals);
    let sums: String = (0..locals)
        .map(|local| format!("(local.set {local} (i32.add (local.get {local}) (local.get {})))", (local + 7) % locals))
        .collect();
    let arguments: String = (0..locals).map(|local| format!("(local.get {local})")).collect();
    let text =
        format!("(module (func $f (export \"f\") (param {parameters}) (result i32) {sums} (call $f {arguments})))");
    let config = Config { cpu: Cpu::CortexM0, ..Config::default() };
    oracle::object(&wat::parse_str(text).expect("a module"), &config).unwrap_or_else(|failure| panic!("{failure}"));
}
