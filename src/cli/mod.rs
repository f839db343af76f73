//! The command line: the only code that reads files, prints, and chooses exit codes.
//!
//! | file | holds |
//! |---|---|
//! | `args` | commands and flags |
//! | `compile`, `verify`, `run`, `inspect` | a command each |
//! | `driver` | the calls into compiler and validator |
//! | `values` | numbers and bytes as users write them |
//! | `report` | verdicts as text |
//! | `failure` | errors as text or JSON, exit codes |
//! | `output` | files that appear whole or not at all |

mod args;
mod compile;
mod driver;
mod failure;
mod inspect;
mod output;
mod report;
mod run;
mod values;
mod verify;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use failure::{Exit, Failure};

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(report_internal_error));
    // Clap ends the process with 2 on wrong usage, with 0 on `--help` and `--version`.
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Compile(command) => compile::run(&command),
        Command::Verify(command) => verify::run(&command),
        Command::Run(command) => run::run(&command),
        Command::Disasm(command) => inspect::disassemble(&command),
        Command::Explain(command) => inspect::explain(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{}", failure.render(arguments.error_format));
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn report_internal_error(info: &std::panic::PanicHookInfo<'_>) {
    eprintln!("internal error: {info}\nThis is a bug in synth. Nothing was written. Please report it with the input.");
}

/// Reads a whole file.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let message = format!("cannot read {}: {error}", path.display());
        Failure::new(Exit::Input, "missing-file", message, "check the path")
    })
}

/// Prints data for the user's next program. A reader that has gone away is no error.
fn print_data(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
