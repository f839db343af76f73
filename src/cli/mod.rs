//! The command line: the only code that reads files, prints, and chooses exit codes.
//!
//! | file | holds |
//! |---|---|
//! | `args` | commands and flags |
//! | `compile`, `verify`, `run`, `inspect` | a command each |
//! | `driver` | the calls into compiler and validator |
//! | `input` | the module given, and places in its text |
//! | `values` | numbers and bytes as users write them |
//! | `report` | verdicts as text |
//! | `failure` | errors as text or JSON, exit codes |
//! | `output` | files that appear whole or not at all, standard output |
//! | `signals` | signals held back while QEMU runs |

mod args;
mod compile;
mod driver;
mod failure;
mod input;
mod inspect;
mod output;
mod report;
mod run;
mod signals;
mod values;
mod verify;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use failure::{Exit, Failure};
use output::Output;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(report_internal_error));
    let arguments = match Arguments::try_parse_from(std::env::args_os().map(values::plain_negative)) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
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
            say(&failure.render(arguments.error_format));
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// What was asked for with `--help` or `--version`, or what is wrong with the usage.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    if error.use_stderr() {
        return ExitCode::from(Exit::Usage as u8);
    }
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(Exit::Input as u8),
        Err(_) | Ok(()) => ExitCode::SUCCESS,
    }
}

fn report_internal_error(info: &std::panic::PanicHookInfo<'_>) {
    say(&format!(
        "internal error: {info}\nThis is a bug in synth. Nothing was written. Please report it with the input.\n"
    ));
}

/// Tells the user something. Where nobody can be told, the exit code still says how it ended.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Reads a whole file.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let message = format!("cannot read {}: {error}", path.display());
        Failure::new(Exit::Input, "missing-file", message, "check the path")
    })
}

/// Prints data for the user's next program.
fn print_data(text: &str) -> Result<(), Failure> {
    Output::standard().write(text.as_bytes())
}
