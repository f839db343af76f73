//! Size, executed instructions, spills and proof effort of known programs, as a table.
//!
//! `cargo bench --bench figures` prints what `benches/README.md` shows. Instructions are counted by
//! the validator's interpreter, so that the figures are the same on every machine. Shared fixtures
//! that are not present are left out.

use std::path::Path;
use std::time::Instant;

use synth::config::Config;
use synth::elf::{self, ImageOptions, Imports};
use synth::model;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Value};
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};
use synth_verify::verdict::{Method, Report, Verdict};

/// A call to measure: module, export, arguments, what memory holds before.
struct Case {
    path: &'static str,
    function: &'static str,
    arguments: &'static [u32],
    memory: fn() -> Vec<Action>,
}

const SEED: &str = "../shared/fixtures/seed";

const CASES: &[Case] = &[
    Case {
        path: "../shared/fixtures/seed/flat_flight.loom.wasm",
        function: "flat_flight",
        arguments: &[0x1000, 0x2000],
        memory: nominal_flight,
    },
    Case {
        path: "../shared/fixtures/seed/control_step.wasm",
        function: "control_step_decide",
        arguments: &[3000, 50, 40, 0],
        memory: Vec::new,
    },
    Case {
        path: "../shared/fixtures/seed/flight_seam.wasm",
        function: "flight_algo",
        arguments: &[0x1000, 0x2000],
        memory: nominal_flight,
    },
    Case {
        path: "../shared/fixtures/seed/flight_seam_flat.wasm",
        function: "flight_algo",
        arguments: &[0x1000, 0x2000],
        memory: nominal_flight,
    },
    Case {
        path: "../shared/fixtures/seed/gust_kernel.wasm",
        function: "gust_poll",
        arguments: &[0x400, 7],
        memory: Vec::new,
    },
    Case {
        path: "../shared/fixtures/seed/div_const.wat",
        function: "divu_500",
        arguments: &[123_456],
        memory: Vec::new,
    },
    Case { path: "examples/controller/controller.wasm", function: "report", arguments: &[42, 400], memory: Vec::new },
];

/// The vector "nominal" of the fixtures: seven words of state, six halfwords of measurements.
fn nominal_flight() -> Vec<Action> {
    let state = [1000i32, -500, 200, 0, 0, 0, 7];
    let imu = [100i16, -50, 30, 300, -200, 0];
    vec![
        Action::Poke(0x1000, state.into_iter().flat_map(i32::to_le_bytes).collect()),
        Action::Poke(0x2000, imu.into_iter().flat_map(i16::to_le_bytes).collect()),
    ]
}

fn main() {
    if !Path::new(SEED).exists() {
        eprintln!("{SEED} is not present; its programs are left out");
    }
    println!(
        "| program | function | bytes | all functions | executed | spills | reloads | remats | spurious | verdict | goals | without solver | compile ms | prove ms |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|");
    for case in CASES {
        if let Ok(input) = std::fs::read(case.path) {
            println!("{}", row(case, &input));
        }
    }
}

fn row(case: &Case, input: &[u8]) -> String {
    let config = Config::default();
    let wasm = synth::wasm::read(input).expect("a module");
    let start = Instant::now();
    let output = synth::compile(&wasm, &config, &mut NoTap).expect("a module in scope");
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(config.cpu) };
    let image = elf::image(&output.program, config.cpu, options).expect("it fits");
    let compiled = start.elapsed();
    let start = Instant::now();
    let report = check(&wasm, &image, Checks::All).expect("a judgement");
    let proved = start.elapsed();

    let firmware = Firmware::read(&image).expect("an image");
    let export = firmware.export(case.function).expect("exported");
    let index = export.function;
    let mut actions = (case.memory)();
    let arguments = case.arguments.iter().map(|word| Value::I32(*word));
    actions.push(Action::Call(case.function.into(), arguments.collect()));
    let outcomes = model::run(&firmware, &actions, u64::MAX).expect("a run");
    let executed = outcomes.last().expect("an outcome").1;

    let at = report.functions.iter().position(|f| f.function == index);
    let at = at.expect("it has code");
    let stats = &output.allocations[at].stats;
    let all: u32 = report.functions.iter().map(|f| f.code_bytes).sum();
    let (goals, share) = effort(&report);
    let everything = output.allocations.iter();
    format!(
        "| {} | `{}` | {} | {all} | {executed} | {} | {} | {} | {} | {} | {goals} | {share:.1} % | {:.1} | {:.1} |",
        Path::new(case.path).file_name().expect("a file").display(),
        case.function,
        report.functions[at].code_bytes,
        stats.spills,
        stats.reloads,
        stats.remats,
        everything.map(|a| a.stats.spurious.len()).sum::<usize>(),
        verdict(&report),
        1000.0 * compiled.as_secs_f64(),
        1000.0 * proved.as_secs_f64(),
    )
}

fn verdict(report: &Report) -> &'static str {
    let is_proved = |verdict: &Verdict| *verdict == Verdict::Proved;
    match (report.proved(), report.functions.iter().all(|f| is_proved(&f.verdict))) {
        (true, _) => "Proved",
        (false, true) => "file not proved",
        (false, false) => "not proved",
    }
}

/// Goals that are not the same term at once, and the share of them that the solver did not see.
fn effort(report: &Report) -> (u32, f64) {
    let methods = report.methods();
    let count = |method: &Method| methods.get(method).copied().unwrap_or(0);
    let solver = count(&Method::Solver);
    let others = [Method::Rules, Method::Facts, Method::Infeasible].iter().map(count).sum::<u32>();
    let goals = others + solver;
    let share = if goals == 0 { 100.0 } else { 100.0 * f64::from(others) / f64::from(goals) };
    (goals, share)
}
