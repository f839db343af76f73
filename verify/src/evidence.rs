//! Evidence: what an assessor reads about one compiled file, and a machine proves again.
//!
//! Ensures: a bundle is a function of the modules, the ELF file, the flags and the tool alone, byte for byte; it is
//! made only of a file that is Proved and whose canaries are refused. To check a bundle is to make it again and to
//! compare, so that nothing in it is believed. Nothing comes from the compiler but the file that it made.
//!
//! | file | holds |
//! |---|---|
//! | `request` | what a bundle is made of, as text |
//! | `statement` | what is proved, and under which assumptions |
//! | `manifest` | hashes, versions, totals |
//! | `tables` | functions, obligations, live ranges, dead ways |
//! | `trace` | each byte of code, and what it is there for |
//! | `csv`, `json` | text formats |

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::canary::{self, Canary};
use crate::check::{Options, Source, check_with, read_hints};
use crate::elf::Elf;
use crate::smt::solvers::{Outside, Solvers};
use crate::verdict::{CheckError, Report};

mod csv;
mod json;
mod manifest;
mod request;
mod statement;
mod tables;
mod trace;

pub use request::Request;

/// How many damages to each function must be refused.
pub const CANARIES: u32 = 3;

/// The hashes of all other files, as `sha256sum` writes them.
const SUMS: &str = "SHA256SUMS";
const REQUEST: &str = "request.txt";
const ELF: &str = "inputs/output.elf";

/// What makes and checks bundles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tool<'a> {
    /// Its version.
    pub version: &'a str,
    /// The hash of its sources and of the versions of what it is built of.
    pub sources: &'a str,
    /// The compiler that it was built with.
    pub compiler: &'a str,
}

/// The files of a bundle by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What came of making a bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The judgement on the file.
    pub report: Report,
    /// The damaged files, and what was said of them.
    pub canaries: Vec<Canary>,
    /// The bundle; nothing if the file is not Proved or canaries speak against the judgement.
    pub files: Files,
}

/// What is wrong with a bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A file is not what the bundle says it is, or not what is made of the bundle's inputs.
    File {
        /// Its path in the bundle.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no judgement on the bundle's inputs.
    Check(CheckError),
    /// The bundle's inputs are not Proved, or canaries speak against it.
    Refused(Box<Made>),
}

/// Makes the bundle of a file.
///
/// # Errors
/// There is no judgement on it.
pub fn bundle(wasm: &[&[u8]], elf: &[u8], request: &Request, tool: &Tool<'_>) -> Result<Made, CheckError> {
    let names = request.modules.iter().map(String::as_str);
    let sources: Vec<Source<'_>> = names.zip(wasm).map(|(name, wasm)| Source { name, wasm }).collect();
    let options = Options { solvers: request.solvers, journal: true, ..Options::default() };
    let report = check_with(&sources, elf, &options)?;
    if !report.proved() {
        return Ok(Made { report, canaries: Vec::new(), files: Files::new() });
    }
    let canaries = canary::run(&sources, elf, &report, (request.solvers, CANARIES))?;
    if !canary::against(&report, &canaries).is_empty() {
        return Ok(Made { report, canaries, files: Files::new() });
    }
    let read = Elf::read(elf).map_err(|error| CheckError::Elf(error.to_string()))?;
    let mut files = Files::new();
    let mut put = |path: &str, text: String| _ = files.insert(path.to_owned(), text.into_bytes());
    put(REQUEST, request.to_text());
    put("statement.md", statement::text(request, (wasm, elf), &report));
    put("functions.csv", tables::functions(&report));
    put("obligations.csv", tables::obligations(&report));
    put("decisions.csv", tables::decisions(&report));
    put("ranges.csv", tables::ranges(&report));
    put("dead.csv", tables::dead(&report));
    put("trace.csv", trace::text(&read, &report));
    put("canary.json", canary_text(&canaries));
    for query in report.functions.iter().filter_map(|function| function.record.as_ref()).flat_map(|r| &r.queries) {
        put(&query_path(query), query.clone());
    }
    for (number, wasm) in wasm.iter().enumerate() {
        files.insert(input_path(number), wasm.to_vec());
    }
    files.insert(ELF.to_owned(), elf.to_vec());
    let manifest = manifest::text(&read, (&files, request), &report, (tool, &solvers(request.solvers)?));
    files.insert("manifest.json".to_owned(), manifest.into_bytes());
    let sums = sums(&files);
    files.insert(SUMS.to_owned(), sums.into_bytes());
    Ok(Made { report, canaries, files })
}

/// Makes a bundle again from its own inputs, and compares.
///
/// # Errors
/// The bundle is altered, or was made by another tool, or its inputs are not Proved.
pub fn check(files: &Files, tool: &Tool<'_>) -> Result<Made, Fault> {
    intact(files)?;
    let fault = |path: &str, why| Fault::File { path: path.to_owned(), why };
    let text = files.get(REQUEST).and_then(|bytes| str::from_utf8(bytes).ok());
    let request = text.and_then(Request::of_text).ok_or_else(|| fault(REQUEST, "cannot be read"))?;
    let wasm = (0..request.modules.len()).map(|number| {
        let path = input_path(number);
        files.get(&path).map(Vec::as_slice).ok_or_else(|| fault(&path, "is missing"))
    });
    let wasm: Vec<&[u8]> = wasm.collect::<Result<_, _>>()?;
    let elf = files.get(ELF).ok_or_else(|| fault(ELF, "is missing"))?;
    // Those of several modules are what they import from each other by: the proof depends on them.
    if let [only] = &request.modules[..] {
        let hints = Elf::read(elf).ok().and_then(|elf| read_hints(&elf).ok());
        if hints.is_some_and(|hints| hints.module_name != *only) {
            return Err(fault(REQUEST, "names the module otherwise than the file"));
        }
    }
    let made = bundle(&wasm, elf, &request, tool).map_err(Fault::Check)?;
    if made.files.is_empty() {
        return Err(Fault::Refused(Box::new(made)));
    }
    // The manifest names the tool: one that is another is said first. The hashes follow from all else, and are last.
    let first = ["manifest.json".to_owned()];
    let paths = first.iter().chain(files.keys()).chain(made.files.keys());
    let (hashes, others): (Vec<_>, Vec<_>) = paths.partition(|path| *path == SUMS);
    for path in others.into_iter().chain(hashes) {
        match (files.get(path), made.files.get(path)) {
            (Some(is), Some(said)) if is == said => {}
            (Some(_), Some(_)) => return Err(fault(path, "is not what is made of the inputs in the bundle")),
            (Some(_), None) => return Err(fault(path, "does not belong to the bundle")),
            (None, _) => return Err(fault(path, "is missing")),
        }
    }
    Ok(made)
}

/// Compares each file with its hash in the bundle.
///
/// # Errors
/// Which file is another, missing, or one too many.
pub fn intact(files: &Files) -> Result<(), Fault> {
    let fault = |path: String, why| Err(Fault::File { path, why });
    let Some(said) = files.get(SUMS) else {
        return fault(SUMS.to_owned(), "is missing: the folder is no evidence, or is altered");
    };
    let (said, is) = (String::from_utf8_lossy(said), sums(files));
    let (mut said, mut is): (Vec<&str>, Vec<&str>) = (said.lines().collect(), is.lines().collect());
    said.sort_unstable();
    is.sort_unstable();
    let path = |line: &str| line.split_once("  ").map_or(SUMS, |(_, path)| path).to_owned();
    let names = |lines: &[&str], line: &str| lines.iter().any(|other| path(other) == path(line));
    if let Some(line) = is.iter().find(|line| !said.contains(line)) {
        let why = if names(&said, line) { "is altered: it has another hash" } else { "does not belong to the bundle" };
        return fault(path(line), why);
    }
    match said.iter().find(|line| !is.contains(line)) {
        Some(line) if !line.contains("  ") => fault(SUMS.to_owned(), "has a line that is no hash of a file"),
        Some(line) if names(&is, line) => fault(path(line), "has two hashes in SHA256SUMS"),
        Some(line) => fault(path(line), "is missing"),
        None => Ok(()),
    }
}

/// The hashes of files, but of the file of hashes itself, as the bundle has them.
pub fn sums(files: &Files) -> String {
    let others = files.iter().filter(|(path, _)| *path != SUMS);
    others.map(|(path, bytes)| format!("{}  {path}\n", hash(bytes))).collect()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn input_path(number: usize) -> String {
    format!("inputs/{number}.wasm")
}

/// The file of a query, the same for the same text.
fn query_path(query: &str) -> String {
    format!("smt/{}.smt2", hash(query.as_bytes()))
}

/// The solvers that the proof rests on, with their versions.
fn solvers(solvers: Solvers) -> Result<Vec<(&'static str, String)>, CheckError> {
    let mut named = vec![("z3", z3::full_version().to_owned())];
    named.extend(Outside::start(solvers)?.into_iter().map(|outside| (outside.name, outside.version)));
    Ok(named)
}

fn canary_text(canaries: &[Canary]) -> String {
    let rows = canaries.iter().map(|canary| {
        json::object(&[
            ("function", canary.function.to_string()),
            ("name", json::string(&canary.name)),
            ("operator", json::string(canary.damage.operator.words())),
            ("at", canary.damage.at.to_string()),
            ("before", json::string(&csv::hex(&canary.damage.before))),
            ("after", json::string(&csv::hex(&canary.damage.after))),
            ("outcome", json::string(canary.outcome.word())),
            ("why", json::string(canary.outcome.why())),
        ])
    });
    json::rows(rows)
}
