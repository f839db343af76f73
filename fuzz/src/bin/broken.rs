//! Breaks the validator on purpose, one fault of `verify/tests/broken/` at a time, and says which tests notice:
//! `broken` for all faults, `broken NAME..` for those named, `broken --new` for those that the page lacks. What is found stands in `docs/broken.md` in place of what
//! stood there of the same faults.
//!
//! The workspace is copied below `target`, and the copy is what is broken, built and tested. Tests run in the order of
//! [`SUITE`], the quick ones first, up to the first program of which one fails. Exit 1 if a fault goes unnoticed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use synth_fuzz::broken::{self, Fault};

/// Arguments of `cargo`, for one group of tests after the other.
const SUITE: &[&[&str]] = &[
    &["test", "-p", "synth-verify", "--test", "files", "--test", "readers", "--test", "runs", "--test", "frames"],
    &["test", "-p", "synth-verify", "--test", "cases", "cases_are_proved"],
    &["test", "-p", "synth-verify"],
    &["test", "-p", "synth", "--test", "refused", "--test", "damaged_images", "--test", "hint_swaps"],
];

/// What is not copied of the workspace's own folder.
const LEFT_OUT: &[&str] = &["target", ".git", ".z3"];

/// Most tests that are named for a fault.
const NAMED_MAX: usize = 3;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let unnoticed = run(&names).unwrap_or_else(|why| {
        eprintln!("{why}");
        exit(2)
    });
    exit(i32::from(unnoticed > 0));
}

/// Judges the faults of these names, or all; how many nobody noticed.
fn run(names: &[String]) -> Result<usize, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no place")?;
    let list = read(&root.join("verify/tests/broken/list.txt"))?;
    let faults = broken::parse(&list)?;
    let copy = root.join("target/broken/source");
    copy_over(root, &copy, LEFT_OUT).map_err(|why| format!("cannot copy the workspace: {why}"))?;
    if let Some(noticed) = tested(&copy)? {
        return Err(format!("the tests fail before anything is broken: {}", noticed.words()));
    }
    let place = root.join("docs/broken.md");
    let mut rows = rows_of(&fs::read_to_string(&place).unwrap_or_default());
    let mut unnoticed = 0;
    let known: Vec<String> = rows.keys().cloned().collect();
    let is_asked = |fault: &&Fault| match names {
        [] => true,
        [only] if only == "--new" => !known.contains(&fault.name),
        names => names.contains(&fault.name),
    };
    for fault in faults.iter().filter(is_asked) {
        let noticed = judge(fault, &copy)?;
        unnoticed += usize::from(noticed.is_none());
        let row = row(fault, noticed.as_ref());
        println!("{row}");
        _ = rows.insert(fault.name.clone(), row);
        let all: Vec<&str> = faults.iter().filter_map(|fault| rows.get(&fault.name)).map(String::as_str).collect();
        fs::write(&place, page(&all)).map_err(|why| format!("cannot write {}: {why}", place.display()))?;
    }
    println!("{unnoticed} unnoticed");
    Ok(unnoticed)
}

/// The rows of a page, by the names of their faults.
fn rows_of(page: &str) -> BTreeMap<String, String> {
    let name = |row: &str| row.strip_prefix("| ")?.split(" | ").next().map(str::to_owned);
    page.lines().filter_map(|row| Some((name(row)?, row.to_owned()))).collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|why| format!("cannot read {}: {why}", path.display()))
}

/// Breaks the copy, tests it, and mends it.
fn judge(fault: &Fault, copy: &Path) -> Result<Option<Noticed>, String> {
    let file = copy.join("verify/src").join(&fault.file);
    let whole = read(&file)?;
    let write = |text: &str| fs::write(&file, text).map_err(|why| format!("cannot write {}: {why}", file.display()));
    write(&fault.apply(&whole)?)?;
    let noticed = tested(copy).map_err(|why| format!("{}: {why}", fault.name));
    write(&whole)?;
    noticed
}

/// The tests that failed, with places in cases.
struct Noticed {
    tests: Vec<String>,
    cases: Vec<String>,
}

impl Noticed {
    fn words(&self) -> String {
        let quoted = |names: &[String]| {
            let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
            let more = names.len().saturating_sub(NAMED_MAX);
            named.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        };
        let lists = [self.cases.as_slice(), self.tests.as_slice()];
        let words: Vec<String> = lists.into_iter().filter(|names| !names.is_empty()).map(quoted).collect();
        words.join("; ")
    }
}

/// What the first tests that fail say; nothing if all pass.
fn tested(copy: &Path) -> Result<Option<Noticed>, String> {
    for arguments in SUITE {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // What this process was built with is not for the copy.
        for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("CARGO_")) {
            _ = cargo.env_remove(key);
        }
        let build = copy.with_file_name("build");
        _ = cargo.args(*arguments).current_dir(copy).env("CARGO_TARGET_DIR", build).env("SYNTH_FAIL_FAST", "1");
        let output = cargo.output();
        let output = output.map_err(|why| format!("cargo does not run: {why}"))?;
        if output.status.success() {
            continue;
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let tests = said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
        let tests: Vec<String> = tests.map(str::to_owned).collect();
        if tests.is_empty() {
            return Err(format!("no test failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        let cases = said.lines().filter_map(|line| {
            let (name, rest) = line.split_once(".case:")?;
            let (number, _) = rest.split_once(": ")?;
            Some(format!("{}.case:{number}", name.rsplit('\n').next()?))
        });
        // A case may say two things.
        let mut cases: Vec<String> = cases.collect();
        cases.dedup();
        return Ok(Some(Noticed { cases, tests }));
    }
    Ok(None)
}

/// Where nothing is noticed.
const NOTHING: &str = "**nothing**";

fn row(fault: &Fault, noticed: Option<&Noticed>) -> String {
    let words = noticed.map_or_else(|| NOTHING.to_owned(), Noticed::words);
    format!("| {} | {} | `{}` | {words} |", fault.name, fault.sentence, fault.file)
}

fn page(rows: &[&str]) -> String {
    let unnoticed = rows.iter().filter(|row| row.contains(NOTHING)).count();
    format!(
        "# The validator broken on purpose\n\n\
         Made by `cargo run -p synth-fuzz --bin broken`. Each fault of `verify/tests/broken/list.txt` is put into a copy\n\
         of the validator's source, one at a time, and the tests run, quick ones first, up to the first program of which\n\
         one fails. {} faults, {unnoticed} of them unnoticed.\n\n\
         | fault | what is broken | file below `verify/src` | noticed by |\n|---|---|---|---|\n{}\n",
        rows.len(),
        rows.join("\n")
    )
}

/// Makes the copy what the workspace is. What has not changed is left as it is, so that it need not be built again.
fn copy_over(from: &Path, to: &Path, left_out: &[&str]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let entries = |place: &Path| -> io::Result<Vec<PathBuf>> {
        fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let is_left_out = |path: &Path| path.file_name().is_some_and(|name| left_out.iter().any(|out| name == *out));
    for path in entries(to)? {
        let original = path.file_name().map(|name| from.join(name));
        if original.is_some_and(|original| !original.exists() || original.is_dir() != path.is_dir()) {
            if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
    }
    for path in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        let copy = to.join(name);
        if is_left_out(&path) {
            continue;
        } else if path.is_dir() {
            copy_over(&path, &copy, &[])?;
        } else if fs::read(&copy).ok() != Some(fs::read(&path)?) {
            _ = fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}
