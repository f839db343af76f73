//! Evidence from outside: the same bytes wherever it is made, checked from its own files, refused if one byte is another.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use synth_verify::canary::{self, Canary, Outcome};
use synth_verify::check::{Options, Solvers, Source, check_with};
use synth_verify::elf::Elf;

fn synth(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synth")).current_dir(directory).args(arguments).output().unwrap()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[track_caller]
fn done(output: &Output) -> String {
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{talk}");
    talk
}

#[track_caller]
fn refused(output: &Output, exit: i32, words: &[&str]) {
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{talk}");
    words.iter().for_each(|words| assert!(talk.contains(words), "{talk}"));
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Makes the evidence of a module twice, in different folders and from different ones, and checks it.
fn twice(module: &str, flags: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (directory.path().join("one"), directory.path().join("another/deeper"));
    fs::create_dir_all(&one).unwrap();
    fs::create_dir_all(&other).unwrap();
    let file = here(module).file_name().unwrap().to_string_lossy().into_owned();
    fs::copy(here(module), one.join(&file)).unwrap();
    fs::copy(here(module), other.join(&file)).unwrap();
    let make = |from: &Path, input: &str, output: &str, evidence: &str| {
        let arguments = [&["compile", input, "-o", output, "--evidence", evidence], flags].concat();
        assert!(done(&synth(from, &arguments)).contains("damaged copies refused"));
    };
    make(&one, &file, "out.o", "evidence");
    make(directory.path(), &format!("another/deeper/{file}"), "x.o", "another/e");
    let bundle = one.join("evidence");
    let (first, second) = (files(&bundle), files(&directory.path().join("another/e")));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (path, bytes) in &first {
        assert!(second[path] == *bytes, "{path} depends on the folder");
    }
    assert_eq!(first["inputs/output.elf"], fs::read(one.join("out.o")).unwrap());
    done(&synth(directory.path(), &["evidence", "check", "one/evidence"]));
    (directory, bundle)
}

/// Every byte of every executable section is in one row of the trace.
fn traced(bundle: &Path) -> Vec<String> {
    let trace = fs::read_to_string(bundle.join("trace.csv")).unwrap();
    let file = fs::read(bundle.join("inputs/output.elf")).unwrap();
    let elf = Elf::read(&file).unwrap();
    let mut code: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut classes = Vec::new();
    for row in trace.lines().skip(1) {
        let (section, rest) = row.split_once(',').unwrap();
        let (address, rest) = rest.split_once(',').unwrap();
        let (bytes, _) = rest.split_once(',').unwrap();
        let code = code.entry(section.to_owned()).or_default();
        let start = elf.section(section).unwrap().1.address;
        let address = u32::from_str_radix(address.trim_start_matches("0x"), 16).unwrap();
        assert_eq!(address - start, code.len() as u32, "{row}");
        code.extend((0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap()));
        classes.push(row.rsplit(',').next().unwrap().to_owned());
    }
    let executable = elf.sections.iter().filter(|section| section.executable);
    for section in executable {
        assert_eq!(code.remove(&section.name).unwrap_or_default(), elf.bytes(section), "{}", section.name);
    }
    assert!(code.is_empty(), "{:?}", code.keys());
    classes
}

/// Each query that the bundle holds is found by its hash, is asked whether a state satisfies it, and is named.
fn queries_are_whole(bundle: &Path) -> usize {
    let all = files(bundle);
    let text = |path: &str| String::from_utf8(all[path].clone()).unwrap();
    let named = text("obligations.csv") + &text("decisions.csv");
    let queries: Vec<&String> = all.keys().filter(|path| path.starts_with("smt/")).collect();
    for path in &queries {
        assert!(named.contains(path.as_str()), "{path} is named by nothing");
        let query = text(path);
        assert!(query.starts_with("(set-logic QF_AUFBV)\n") && query.ends_with("(check-sat)\n"), "{query}");
        for solver in ["z3", "cvc5"] {
            let Ok(answer) = Command::new(solver).arg(bundle.join(path)).output() else { continue };
            assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "unsat", "{solver} {path}");
        }
    }
    let rows = named.lines().filter_map(|row| row.rsplit(',').next().filter(|path| path.starts_with("smt/")));
    rows.for_each(|path| assert!(all.contains_key(path), "{path} is missing"));
    queries.len()
}

#[test]
fn evidence_of_a_fixture_is_the_same_everywhere_and_no_byte_of_it_can_change() {
    let (directory, bundle) = twice("tests/fixtures/memory.wat", &[]);
    let classes = traced(&bundle);
    for class in ["direct", "check", "trap", "access", "epilogue"] {
        assert!(classes.iter().any(|found| found == class), "no {class} in {classes:?}");
    }
    queries_are_whole(&bundle);
    for (path, bytes) in files(&bundle) {
        let file = bundle.join(&path);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &["error[evidence]"]);
        }
        fs::remove_file(&file).unwrap();
        refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &[&path]);
        fs::write(&file, bytes).unwrap();
    }
    fs::write(bundle.join("smt-extra"), "x").unwrap();
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &["smt-extra does not belong"]);
    fs::remove_file(bundle.join("smt-extra")).unwrap();
    // The module's name, changed wherever it stands for people.
    let request = fs::read_to_string(bundle.join("request.txt")).unwrap();
    let other = request.replace("module memory\n", "module flight_control\n");
    assert_ne!(other, request);
    let hashed = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sums = fs::read_to_string(bundle.join("SHA256SUMS")).unwrap();
    fs::write(bundle.join("SHA256SUMS"), sums.replace(&hashed(&request), &hashed(&other))).unwrap();
    fs::write(bundle.join("request.txt"), other).unwrap();
    let words = ["request.txt names the module otherwise than the file"];
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &words);
    fs::write(bundle.join("request.txt"), request).unwrap();
    fs::write(bundle.join("SHA256SUMS"), sums).unwrap();
    // A table that was changed together with its hash is found by making it again.
    let sums = fs::read_to_string(bundle.join("SHA256SUMS")).unwrap();
    let line = sums.lines().find(|line| line.ends_with("  ranges.csv")).unwrap();
    fs::write(bundle.join("SHA256SUMS"), format!("{sums}{line}0\n")).unwrap();
    let words = ["ranges.csv0 is missing"];
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &words);
    fs::write(bundle.join("SHA256SUMS"), format!("{sums}0{line}\n")).unwrap();
    let words = ["ranges.csv has two hashes"];
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &words);
    fs::write(bundle.join("SHA256SUMS"), format!("{sums}0\n")).unwrap();
    let words = ["SHA256SUMS has a line that is no hash"];
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &words);
    fs::write(bundle.join("ranges.csv"), "").unwrap();
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ranges.csv";
    fs::write(bundle.join("SHA256SUMS"), sums.replace(line, hash)).unwrap();
    let words = ["ranges.csv is not what is made of the inputs"];
    refused(&synth(directory.path(), &["evidence", "check", "one/evidence"]), 5, &words);
}

#[test]
fn evidence_of_an_image_covers_startup_and_harness() {
    let (_directory, bundle) = twice("tests/fixtures/calls.wat", &["--type", "image"]);
    let classes = traced(&bundle);
    for class in ["startup", "harness", "call", "prologue", "epilogue"] {
        assert!(classes.iter().any(|found| found == class), "no {class}");
    }
    queries_are_whole(&bundle);
}

/// Nothing that comes before a frame is made is for the function's result.
#[test]
fn what_looks_at_the_stack_is_a_check() {
    let directory = tempfile::tempdir().unwrap();
    let text = r#"(module (import "e" "g" (func $g (param i32))) (func $f (export "f") (param i32)
        local.get 0 call $g local.get 0 call $f local.get 0 call $g))"#;
    fs::write(directory.path().join("a.wat"), text).unwrap();
    for cpu in ["cortex-m0", "cortex-m4"] {
        let flags = ["compile", "a.wat", "-C", &format!("target-cpu={cpu}"), "--evidence", "e"];
        done(&synth(directory.path(), &flags));
        let classes = traced(&directory.path().join("e"));
        let frame = classes.iter().position(|class| class == "prologue").unwrap();
        assert!(frame >= 6, "{classes:?}");
        assert!(classes[..frame].iter().all(|class| class == "check" || class == "trap"), "{classes:?}");
    }
}

#[test]
fn evidence_of_a_package() {
    let module = "target/packages/node_modules/rabin-wasm/dist/rabin.wasm";
    if !here(module).exists() {
        println!("skipped: the package rabin-wasm is not installed (./setup --test-tools)");
        return;
    }
    let (_directory, bundle) = twice(module, &[]);
    let classes = traced(&bundle);
    for class in ["spill", "reload", "literal"] {
        assert!(classes.iter().any(|found| found == class), "no {class}");
    }
    queries_are_whole(&bundle);
}

/// A judgement that accepts every damage, or every damage to a function, is noticed by the runs.
#[test]
fn canaries_die_of_no_judgement_and_live_where_it_is_blind() {
    let wasm = wat::parse_file(here("tests/fixtures/memory.wat")).unwrap();
    let config = synth::config::Config::default();
    let output = synth::compile(&wasm, &config, &mut synth::stage::NoTap).unwrap();
    let elf = synth::elf::object(&output.program, config.cpu).unwrap();
    let sources = [Source { name: "memory", wasm: &wasm }];
    let report = check_with(&sources, &elf, &Options { journal: true, ..Options::default() }).unwrap();
    let lives = |refuses: &canary::Refuses<'_>| {
        canary::run_under(&sources, &elf, (&report, 2), refuses).unwrap().iter().filter(|canary| canary.lives()).count()
    };
    assert!(lives(&|_, _| Ok(None)) > 0, "a blind judgement passes");
    assert_eq!(lives(&|_, place| Ok(place.is_none().then(|| "as a whole".to_owned()))), 0);
    assert_eq!(lives(&|_, place| Ok(place.map(|_| "alone".to_owned()))), 0);
    let canaries = canary::run(&sources, &elf, &report, (Solvers::default(), 2)).unwrap();
    let refused = canaries.iter().filter(|canary| matches!(canary.outcome, Outcome::Refused(_))).count();
    assert_eq!(refused, 2 * report.functions.len());
    // None dies of what its hints say of the instruction that is damaged.
    let stale = |canary: &&Canary| canary.outcome.why().contains("label");
    assert_eq!(canaries.iter().find(stale), None);
    assert_eq!(canary::against(&report, &canaries), Vec::<String>::new());
    assert_eq!(canary::against(&report, &canaries[2..]), ["function 0: no damage to it is refused"]);
}

#[test]
fn evidence_is_made_of_what_is_proved_and_only_where_it_may_be() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::copy(here("tests/fixtures/wide.wat"), path("a.wat")).unwrap();
    let compile = |flags: &[&str]| synth(directory.path(), &[&["compile", "a.wat"], flags].concat());
    refused(&compile(&["--evidence", "e", "--validate=off"]), 2, &["error[no-evidence]"]);
    fs::create_dir(path("mine")).unwrap();
    fs::write(path("mine/thesis"), "x").unwrap();
    refused(&compile(&["--evidence", "mine"]), 2, &["error[no-bundle]: mine is there and no evidence as it was made"]);
    refused(&compile(&["--evidence", "no/e"]), 1, &["error[cannot-write]", "is to be in is not there"]);
    assert_eq!(files(&path("mine")).len(), 1);
    assert!(!path("a.o").exists());
    fs::create_dir(path("empty")).unwrap();
    let inside = "is in the folder for evidence";
    refused(&compile(&["--evidence", "empty", "-o", "empty/a.o"]), 2, &["error[same-file]", inside]);
    refused(&compile(&["--evidence", "empty", "--emit", "asm=./empty/../empty/a.s"]), 2, &[inside]);
    refused(&compile(&["--evidence", "new", "-o", "new"]), 2, &[inside]);
    assert!(!path("new").exists() && files(&path("empty")).is_empty());
    refused(&synth(directory.path(), &["evidence", "check", "none"]), 1, &["error[cannot-read]"]);
    refused(&synth(directory.path(), &["evidence", "check", "mine"]), 5, &["SHA256SUMS is missing"]);
    // A bundle in the place of an older one.
    done(&compile(&["--evidence", "e"]));
    let first = files(&path("e"));
    assert!(queries_are_whole(&path("e")) > 0);
    done(&compile(&["--evidence", "e", "-O", "0"]));
    assert_ne!(files(&path("e")), first);
    done(&synth(directory.path(), &["evidence", "check", "e"]));
}
