//! Mutants of the built-in modules, other ones each time: none that the validator accepts does something else.
//!
//! `SYNTH_MUTANTS_SEED` repeats a run, `SYNTH_MUTANTS_COUNT` makes it longer.

use std::time::{SystemTime, UNIX_EPOCH};

use synth::config::{Config, Cpu};
use synth_fuzz::damage::{Kind, Level, Mutant};
use synth_fuzz::judge::{Fate, Judge};
use synth_fuzz::mutants::{Plan, Table, modules, run};
use synth_verify::check::{Options, Source, check_with};
use synth_verify::verdict::{CheckError, Report, Verdict};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn plan(count: u64, seed: u64, runs: u32) -> Plan {
    Plan { count, seed, from: 0, shard: (0, 1), threads: 2, judge: Judge::new(runs) }
}

fn print(table: &Table) {
    println!("{table}{}", table.total());
    for found in &table.found {
        println!("number {}, {}: {}: {}", found.number, found.subject, found.mutant, found.fate);
    }
}

#[test]
fn no_mutant_survives() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
    let seed = setting("SYNTH_MUTANTS_SEED").unwrap_or(now.as_nanos() as u64);
    println!("SYNTH_MUTANTS_SEED={seed}");
    let subjects = modules::built_in().expect("each is proved");
    let count = setting("SYNTH_MUTANTS_COUNT").unwrap_or(3000);
    let table = run(&subjects, &plan(count, seed, 300), &|_| {});
    print(&table);
    assert!(table.functions >= 40, "{} functions", table.functions);
    assert_eq!(table.total().tried, count);
    assert!(table.found.is_empty(), "SYNTH_MUTANTS_SEED={seed}");
    assert!(table.total().killed * 10 > count * 6, "most damage is to be noticed");
}

/// A validator that accepts everything: what it lets pass is found out by the runs.
#[expect(clippy::unnecessary_wraps, reason = "the type of a validator")]
fn credulous(sources: &[Source<'_>], elf: &[u8], options: &Options) -> Result<Report, CheckError> {
    let mut report = check_with(sources, elf, options).unwrap_or_default();
    report.findings.clear();
    report.uncovered_bytes = 0;
    report.file_obligations = 1;
    report.functions.clear();
    Ok(report)
}

/// A validator that believes what it cannot refute by a proof in one kind of place: a function is Proved as soon as something of it is.
fn hasty(sources: &[Source<'_>], elf: &[u8], options: &Options) -> Result<Report, CheckError> {
    let mut report = check_with(sources, elf, options)?;
    for function in report.functions.iter_mut().filter(|function| !function.obligations.is_empty()) {
        function.findings.clear();
        function.verdict = Verdict::Proved;
    }
    Ok(report)
}

#[test]
fn a_broken_validator_has_survivors() {
    let subjects = modules::built_in().expect("each is proved");
    for (name, validator) in [("credulous", credulous as _), ("hasty", hasty as _)] {
        let judge = Judge { validator, ..Judge::new(40) };
        let table = run(&subjects, &Plan { judge, ..plan(150, 7, 0) }, &|_| {});
        let differ = table.found.iter().filter(|found| matches!(found.fate, Fate::Survivor(_))).count();
        println!("{name}: {}", table.total());
        assert!(differ > 30, "{name}: {differ} survivors of {}", table.total().tried);
    }
}

/// `cmp r0, #0; bls` is `beq`: on the address of a function's descriptor the interpreter has no carry, and does not tell.
#[test]
fn where_the_interpreter_has_no_value_the_second_judgement_tells() {
    let wat = include_bytes!("../mutants/indirect.wat");
    let config = Config { cpu: Cpu::CortexM0, ..Config::default() };
    let subject = modules::subject("indirect", wat, config, Kind::Object).expect("it is proved");
    // LDR r0, [r1, r0]; CMP r0, #0; BEQ.
    let null = [0x08, 0x58, 0x00, 0x28];
    let at = subject.elf.windows(6).position(|code| code[..4] == null && code[5] == 0xd0).expect("a check for null");
    let with = |condition: u8| {
        let mut elf = subject.elf.clone();
        elf[at + 5] = condition;
        let operator = (Level::Code, "other condition");
        let mutant = Mutant { operator, place: String::new(), function: None, wasm: subject.wasm.clone(), elf };
        Judge::new(200).judge(&subject, &mutant, 1)
    };
    assert_eq!(with(0xd9), Some(Fate::Proved));
    // BLT.
    assert_eq!(with(0xdb), Some(Fate::Killed));
}
