//! `synth compile`: compile, prove, write.
//!
//! Ensures: the output is written only after a report in which everything is Proved, unless the
//! user asked for none.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use synth::elf::program::Assurance;
use synth_verify::verdict::Report;

use super::args::{Compile, Emit, OutputKind, Validate};
use super::driver::{self, Compiled};
use super::evidence::{self, Folder};
use super::failure::{Exit, Failure};
use super::input::Inputs;
use super::output::{self, Output};
use super::{report, say};

/// Does the command.
pub fn run(command: &Compile) -> Result<(), Failure> {
    let input = Inputs::read(&command.inputs)?;
    let mut request = driver::request(&command.code, command.kind, &input.stem())?;
    request.stages = command.emit.iter().map(|emit| emit.stage).collect();
    request.function = command.func.clone();
    if command.validate == Validate::Off {
        request.assurance = Assurance::Unvalidated;
    }
    let (elf, listings) = outputs(command, &input)?;
    let folder = folder(command, &[&[&elf], &listings.iter().collect::<Vec<_>>()[..]].concat())?;
    let compiled = driver::compile(&input, &request)?;
    // What a stage made is shown even if the proof then fails: that is when it is needed.
    for (emit, output) in command.emit.iter().zip(&listings) {
        output.write(listing(emit, &compiled).as_bytes())?;
    }
    match (command.validate, folder) {
        (Validate::Full, None) => prove(command, &compiled, || driver::check(&input, &compiled.elf, command.solver))?,
        (Validate::Full, Some(folder)) => {
            let mut made = None;
            prove(command, &compiled, || {
                let bundle = driver::evidence(&input, &compiled.elf, (&request, command.solver))?;
                let report = bundle.report.clone();
                made = Some(bundle);
                Ok(report)
            })?;
            if let Some(made) = made {
                evidence::refusal(&made)?;
                say(&format!("evidence: {}\n", evidence::canaries(&made)));
                folder.write(&made.files)?;
            }
        }
        (Validate::Off, _) => {
            print_timings(command, &compiled);
            say("warning: the output is not validated\n");
        }
    }
    elf.write(&compiled.elf)
}

/// Where evidence goes, if it is asked for.
fn folder(command: &Compile, outputs: &[&Output]) -> Result<Option<Folder>, Failure> {
    let Some(path) = &command.evidence else { return Ok(None) };
    if command.validate == Validate::Off {
        let remedy = "leave one of them out";
        return Err(Failure::new(Exit::Usage, "no-evidence", "without validation there is no evidence", remedy));
    }
    output::check_outside(path, outputs)?;
    Folder::at(path).map(Some)
}

/// Where the ELF file and each listing go: places that can be written, and are not the same.
fn outputs(command: &Compile, input: &Inputs) -> Result<(Output, Vec<Output>), Failure> {
    let elf = Output::at(&command.output.clone().unwrap_or_else(|| default_output(command, input)))?;
    let place = |emit: &Emit| emit.path.as_ref().map_or(Ok(Output::standard()), |path| Output::at(path));
    let listings: Vec<Output> = command.emit.iter().map(place).collect::<Result<_, _>>()?;
    // Listings may follow one another on standard output, but not the file.
    let apart = listings.iter().filter(|listing| elf.is_standard() || !listing.is_standard());
    let outputs: Vec<&Output> = [&elf].into_iter().chain(apart).collect();
    for input in &command.inputs {
        output::check_distinct(&input.path, &outputs)?;
    }
    Ok((elf, listings))
}

/// Checks the output and says what came of it.
fn prove(
    command: &Compile,
    compiled: &Compiled,
    check: impl FnOnce() -> Result<Report, Failure>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let checked = check();
    let taken = start.elapsed();
    print_timings(command, compiled);
    let checked = checked?;
    if command.timings {
        report::print_time("validate", taken);
        let compile: Duration = compiled.timings.iter().map(|(_, taken)| *taken).sum();
        report::print_time("total", compile + taken);
        say(&report::methods(&checked));
    }
    say(&report::text(&checked));
    report::refusal(&checked)
}

fn print_timings(command: &Compile, compiled: &Compiled) {
    if command.timings {
        for (stage, taken) in &compiled.timings {
            report::print_time(stage, *taken);
        }
    }
}

fn listing(emit: &Emit, compiled: &Compiled) -> String {
    let listings = compiled.listings.iter().filter(|(stage, _)| *stage == emit.stage);
    listings.map(|(_, text)| text.as_str()).collect()
}

fn default_output(command: &Compile, input: &Inputs) -> PathBuf {
    let extension = match command.kind {
        OutputKind::Object => "o",
        OutputKind::Image => "elf",
    };
    PathBuf::from(format!("{}.{extension}", input.stem()))
}
