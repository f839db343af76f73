//! `synth compile`: compile, prove, write.
//!
//! Ensures: the output is written only after a report in which everything is Proved, unless the
//! user asked for none.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use synth::elf::program::Assurance;

use super::args::{Compile, Emit, OutputKind, Validate};
use super::driver::{self, Compiled};
use super::failure::Failure;
use super::{output, print_data, read_file, report};

/// Does the command.
pub fn run(command: &Compile) -> Result<(), Failure> {
    let input = read_file(&command.input)?;
    let mut request = driver::request(&command.code, command.kind, &stem(&command.input))?;
    request.stages = command.emit.iter().map(|emit| emit.stage).collect();
    request.function = command.func.clone();
    if command.validate == Validate::Off {
        request.assurance = Assurance::Unvalidated;
    }
    let compiled = driver::compile(&input, &request)?;
    // What a stage made is shown even if the proof then fails: that is when it is needed.
    for emit in &command.emit {
        print_stage(emit, &compiled)?;
    }
    match command.validate {
        Validate::Full => prove(command, &compiled)?,
        Validate::Off => {
            print_timings(command, &compiled);
            eprintln!("warning: the output is not validated");
        }
    }
    let path = command.output.clone().unwrap_or_else(|| default_output(command));
    output::write(&path, &compiled.elf)
}

/// Checks the output and says what came of it.
fn prove(command: &Compile, compiled: &Compiled) -> Result<(), Failure> {
    let start = Instant::now();
    let checked = driver::check(&compiled.wasm, &compiled.elf);
    let taken = start.elapsed();
    print_timings(command, compiled);
    let checked = checked?;
    if command.timings {
        report::print_time("validate", taken);
        let compile: Duration = compiled.timings.iter().map(|(_, taken)| *taken).sum();
        report::print_time("total", compile + taken);
        eprint!("{}", report::methods(&checked));
    }
    eprint!("{}", report::text(&checked));
    report::refusal(&checked)
}

fn print_timings(command: &Compile, compiled: &Compiled) {
    if command.timings {
        for (stage, taken) in &compiled.timings {
            report::print_time(stage, *taken);
        }
    }
}

fn print_stage(emit: &Emit, compiled: &Compiled) -> Result<(), Failure> {
    let listings = compiled.listings.iter().filter(|(stage, _)| *stage == emit.stage);
    let text: String = listings.map(|(_, text)| text.as_str()).collect();
    match &emit.path {
        Some(path) => output::write(path, text.as_bytes()),
        None => {
            print_data(&text);
            Ok(())
        }
    }
}

/// The input's file name without its last extension.
pub fn stem(input: &Path) -> String {
    input.file_stem().map_or("module".into(), |stem| stem.to_string_lossy().into_owned())
}

fn default_output(command: &Compile) -> PathBuf {
    let extension = match command.kind {
        OutputKind::Object => "o",
        OutputKind::Image => "elf",
    };
    PathBuf::from(format!("{}.{extension}", stem(&command.input)))
}
