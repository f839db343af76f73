//! Hand-written machine code: each case is accepted, each of its twins is refused in the right words.
//!
//! A twin differs from its case in the damaged bytes alone, or in them and their labels. One that names
//! words of the live-range check must be refused by that check alone and by the segment proof alone.
//!
//! `SYNTH_FAIL_FAST` leaves out the cases behind the first that is wrong.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use support::{Case, Twin, parse, words_of};
use synth_verify::check::{Checks, Options, Source, check, check_with};
use synth_verify::verdict::{CheckError, Method, Report};

#[test]
fn cases_are_proved_and_their_twins_refused() {
    let fail_fast = std::env::var_os("SYNTH_FAIL_FAST").is_some();
    let failed = AtomicBool::new(false);
    let found = of_each_case(|file| {
        if fail_fast && failed.load(Ordering::Relaxed) {
            return (0, Vec::new());
        }
        let judged = judge_file(file);
        _ = failed.fetch_or(!judged.1.is_empty(), Ordering::Relaxed);
        judged
    });
    let (cases, twins) = (found.len(), found.values().map(|(twins, _)| twins).sum::<usize>());
    let wrong: Vec<String> = found.into_values().flat_map(|(_, wrong)| wrong).collect();
    println!("{cases} cases proved, {twins} twins refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What comes of each file of a case.
fn of_each_case<T: Send>(judge: impl Fn(&Path) -> T + Sync) -> BTreeMap<PathBuf, T> {
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
                    let judged = judge(file);
                    found.lock().unwrap().insert(file.clone(), judged);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn judge_with(file: &Path, options: &Options) -> Result<Report, CheckError> {
    let case = parse(&fs::read_to_string(file).unwrap());
    check_with(&[Source { name: "", wasm: &case.wasm }], &case.elf(), options)
}

#[test]
fn other_solvers_prove_what_z3_proves() {
    for solver in ["cvc5", "all"] {
        let options = Options { solvers: solver.parse().unwrap(), ..Options::default() };
        let reports = of_each_case(|file| judge_with(file, &options));
        if let Some(CheckError::MissingSolver(why)) = reports.values().find_map(|report| report.as_ref().err()) {
            println!("skipped: {why}");
            continue;
        }
        let mut by_solver = 0;
        for (file, report) in reports {
            let report = report.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert!(report.proved(), "{solver}: {}\n{}", file.display(), words_of(&report));
            by_solver += report.methods().get(&Method::Solver).copied().unwrap_or(0);
        }
        assert!(by_solver > 0, "no goal came to {solver}");
    }
}

/// Without rules identity and the solver close the goals of all cases but of those that it gives up: a high product, and an
/// operator on floats of any operands.
#[test]
fn rules_are_not_needed_where_the_solver_can() {
    let options = Options { rules: false, ..Options::default() };
    let reports = of_each_case(|file| judge_with(file, &options).unwrap());
    let methods: BTreeSet<Method> = reports.values().flat_map(|report| report.methods().into_keys()).collect();
    assert!(methods.contains(&Method::Solver) && !methods.contains(&Method::Rules), "{methods:?}");
    let open = reports.iter().filter(|(_, report)| !report.proved());
    let open: Vec<_> = open.map(|(file, _)| file.file_stem().unwrap().to_string_lossy()).collect();
    assert_eq!(open, ["float-single", "multiply-high"]);
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
