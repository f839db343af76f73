//! Large functions are proved: wide tables, many parameters, large frames, deep nesting, long runs.
//!
//! Each module once met a limit, or a cost that grew faster than the function. Costs are counted, not
//! timed: obligations here, terms in `verify/tests/growth.rs`.

use synth::config::Config;
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
