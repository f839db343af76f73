//! Filetests: small inputs, each with what it is meant to show, written by hand, and recorded snapshots.
//!
//! `cargo test --test filetests NAME` runs the files whose path contains NAME; with `BLESS=1` their
//! snapshots are recorded again. Nothing is recorded unless everything asked for by hand holds.
//! What a file can ask is said in [`file`].

mod ask;
mod file;
mod make;
mod selftest;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The directories, by what the files in them are about.
const DIRECTORIES: [&str; 6] = ["translate", "opt", "lower", "alloc", "emit", "whole"];

/// What to do with snapshots.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Compare,
    Record,
}

fn main() -> ExitCode {
    let arguments = Arguments::read(std::env::args().skip(1));
    let mode = match mode(std::env::var_os("BLESS").is_some(), std::env::var_os("CI").is_some()) {
        Ok(mode) => mode,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let (files, stray) = files(&root);
    let mut outcomes = BTreeMap::new();
    let mut try_it = |name: String, judge: &dyn Fn() -> Judgement| {
        if arguments.select(&name) {
            let outcome = if arguments.is_list { Ok(None) } else { quietly(judge) };
            outcomes.insert(name, outcome);
        }
    };
    for (name, test) in selftest::TESTS {
        try_it(format!("harness/{name}"), &|| {
            test();
            Ok(None)
        });
    }
    for path in files {
        try_it(name(&root, &path), &|| judge(&path, mode));
    }
    for path in stray {
        try_it(name(&root, &path), &|| Err(STRAY.to_owned()));
    }
    if arguments.is_list {
        outcomes.keys().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    report(&root, outcomes)
}

const STRAY: &str = "this is neither a directory of filetests nor a .wat or .ir file in one";

/// The name of a file's test: its path.
fn name(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("it was found there");
    relative.display().to_string()
}

/// Recording is for people: what a machine records nobody has read.
fn mode(is_bless: bool, is_ci: bool) -> Result<Mode, &'static str> {
    match (is_bless, is_ci) {
        (true, true) => Err("BLESS is refused where CI is set: snapshots are recorded by people"),
        (true, false) => Ok(Mode::Record),
        (false, _) => Ok(Mode::Compare),
    }
}

/// What the test runner was asked, as far as it matters here.
struct Arguments {
    filters: Vec<String>,
    skips: Vec<String>,
    is_exact: bool,
    is_list: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Arguments {
        let mut arguments = Arguments { filters: Vec::new(), skips: Vec::new(), is_exact: false, is_list: false };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--exact" => arguments.is_exact = true,
                "--list" => arguments.is_list = true,
                "--skip" => arguments.skips.extend(words.next()),
                "--test-threads" | "--color" | "--format" | "--logfile" => _ = words.next(),
                flag if flag.starts_with('-') => {}
                _ => arguments.filters.push(word),
            }
        }
        arguments
    }

    fn select(&self, name: &str) -> bool {
        let fits = |filter: &String| {
            if self.is_exact { name == filter } else { name.contains(filter.as_str()) }
        };
        (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skips.iter().any(fits)
    }
}

/// All filetests, and what else lies around.
fn files(root: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut files, mut stray) = (Vec::new(), Vec::new());
    for entry in sorted(root) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_file() && name.ends_with(".rs") {
            continue;
        }
        if !DIRECTORIES.contains(&name.as_str()) {
            stray.push(entry);
            continue;
        }
        for file in sorted(&entry) {
            let is_input = file.extension().is_some_and(|extension| extension == "wat" || extension == "ir");
            if is_input { files.push(file) } else { stray.push(file) }
        }
    }
    (files, stray)
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the directory can be read").path()).collect();
    paths.sort();
    paths
}

/// What came of a file: new text to record, or what is wrong with it.
type Judgement = Result<Option<String>, String>;

/// A panic is a failure of the file that caused it.
fn quietly(judge: impl FnOnce() -> Judgement) -> Judgement {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| Err("it panicked; see above".to_owned()))
}

fn judge(path: &Path, mode: Mode) -> Judgement {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    run(&text, &extension, mode)
}

/// Runs the text of one file.
fn run(text: &str, extension: &str, mode: Mode) -> Judgement {
    let file = file::parse(text, extension).map_err(|wrong| wrong.join("\n"))?;
    let made = make::run(&file)?;
    let wrong = ask::wrong(&file, &made);
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let fresh = file.with_snapshots(|stage| made.text(stage));
    match mode {
        Mode::Record => Ok((fresh != text).then_some(fresh)),
        Mode::Compare if fresh == text => Ok(None),
        Mode::Compare => Err(format!("the snapshots differ; BLESS=1 records them\n{}", difference(text, &fresh))),
    }
}

/// The lines that differ: everything between the common start and the common end.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same_start..], &new[same_start..]);
    let same_end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let marked = |mark: &str, lines: &[&str]| lines.iter().map(|line| format!("{mark} {line}\n")).collect::<String>();
    let (old, new) = (&old[..old.len() - same_end], &new[..new.len() - same_end]);
    format!("line {}:\n{}{}", same_start + 1, marked("-", old), marked("+", new))
}

fn report(root: &Path, outcomes: BTreeMap<String, Judgement>) -> ExitCode {
    let count = outcomes.len();
    let (mut recorded, mut failed) = (Vec::new(), Vec::new());
    for (name, outcome) in outcomes {
        println!("test {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        match outcome {
            Ok(Some(text)) => recorded.push((name, text)),
            Ok(None) => {}
            Err(why) => failed.push((name, why)),
        }
    }
    for (name, why) in &failed {
        println!("\n---- {name}\n{why}");
    }
    if failed.is_empty() {
        for (name, text) in &recorded {
            fs::write(root.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
            println!("recorded {name}");
        }
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {} passed; {} failed\n", count - failed.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
