//! Hand-written machine code: each case is accepted, each of its twins is refused in the right words.
//!
//! A twin differs from its case in the damaged bytes alone, or in them and their labels. One that names
//! words of the live-range check must be refused by that check alone and by the segment proof alone.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use support::{Case, Twin, parse, words_of};
use synth_verify::check::{Checks, check};

#[test]
fn cases_are_proved_and_their_twins_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let judged = judge_file(file);
                    found.lock().unwrap().insert(file, judged);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let twins: usize = found.values().map(|(twins, _)| twins).sum();
    let wrong: Vec<String> = found.into_values().flat_map(|(_, wrong)| wrong).collect();
    println!("{} cases proved, {twins} twins refused", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The number of twins of a case, and what is wrong with the judgement on it and on them.
fn judge_file(file: &Path) -> (usize, Vec<String>) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let case = parse(&fs::read_to_string(file).unwrap());
    let report = check(&case.wasm, &case.elf(), Checks::All).unwrap_or_else(|error| panic!("{name}: {error}"));
    if !report.proved() {
        return (0, vec![format!("{name} must be proved:\n{}", words_of(&report))]);
    }
    assert!(!case.twins.is_empty(), "{name} has no twin");
    let judged = case.twins.iter().flat_map(|twin| judge(&case, twin).into_iter().map(move |why| (twin.line, why)));
    (case.twins.len(), judged.map(|(line, why)| format!("{name}:{line}: {why}")).collect())
}

/// What is wrong with the judgement on a twin.
fn judge(case: &Case, twin: &Twin) -> Vec<String> {
    let damaged = case.damaged(twin);
    let elf = damaged.elf();
    let mut wrong = Vec::new();
    match check(&damaged.wasm, &elf, Checks::All) {
        Ok(report) if report.proved() => wrong.push("is proved".to_owned()),
        Ok(report) if !words_of(&report).contains(&twin.words) => {
            wrong.push(format!("is refused without the words {:?}:\n{}", twin.words, words_of(&report)));
        }
        Ok(_) => {}
        Err(error) => wrong.push(format!("has no judgement: {error}")),
    }
    let Some(words) = &twin.ranges else { return wrong };
    let alone = check(&damaged.wasm, &elf, Checks::Ranges).expect("the file is readable");
    if !words_of(&alone).contains(words.as_str()) {
        wrong.push(format!("live ranges alone do not say {words:?}:\n{}", words_of(&alone)));
    }
    let alone = check(&damaged.wasm, &elf, Checks::Segments).expect("the file is readable");
    if alone.functions.iter().all(|function| function.findings.is_empty()) {
        wrong.push("the segment proof alone does not refuse it".to_owned());
    }
    wrong
}
