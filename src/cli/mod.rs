//! The command line: the only code that reads files, prints, and chooses exit codes.
//!
//! | file | holds |
//! |---|---|
//! | `args` | commands and flags |
//! | `compile`, `verify`, `run`, `inspect` | a command each |
//! | `evidence` | folders of evidence, and the command that checks one |
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
mod evidence;
mod failure;
mod input;
mod inspect;
mod output;
mod report;
mod run;
mod signals;
mod values;
mod verify;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, ErrorFormat, EvidenceCommand};
use failure::{Exit, Failure};
use output::Output;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(report_internal_error));
    let given: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(readable(given.clone())) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, error_format(&given)),
    };
    let done = match arguments.command {
        Command::Compile(command) => compile::run(&command),
        Command::Verify(command) => verify::run(&command),
        Command::Evidence(command) => match command.command {
            EvidenceCommand::Check(command) => evidence::check(&command),
        },
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

/// The command line with the numbers behind `run` as its reader takes them.
fn readable(mut given: Vec<OsString>) -> Vec<OsString> {
    let command = given.iter().position(|argument| argument == "run");
    let behind = command.map_or(Vec::new(), |command| given.split_off(command));
    given.extend(behind.into_iter().map(values::plain_negative));
    given
}

/// The error format that a command line asks for, even one that cannot be read.
fn error_format(given: &[OsString]) -> ErrorFormat {
    let is_split = |pair: &[OsString]| pair[0] == "--error-format" && pair[1] == "json";
    match given.windows(2).any(is_split) || given.iter().any(|argument| argument == "--error-format=json") {
        true => ErrorFormat::Json,
        false => ErrorFormat::Human,
    }
}

/// What was asked for with `--help` or `--version`, or what is wrong with the usage.
fn usage(error: &clap::Error, format: ErrorFormat) -> ExitCode {
    if error.use_stderr() && format == ErrorFormat::Json {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ");
        let mut failure = Failure::new(Exit::Usage, "usage", message, "");
        failure.details = lines.map(str::to_owned).collect();
        failure.remedy = failure.details.pop().unwrap_or_default();
        say(&failure.render(format));
        return ExitCode::from(Exit::Usage as u8);
    }
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    if error.use_stderr() {
        return ExitCode::from(Exit::Usage as u8);
    }
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(Exit::Input as u8),
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
        let (code, remedy) = match error.kind() {
            ErrorKind::NotFound => ("missing-file", "check the path"),
            ErrorKind::IsADirectory => ("cannot-read", "give a file in it"),
            _ => ("cannot-read", "check the file and its permissions"),
        };
        Failure::new(Exit::Input, code, message, remedy)
    })
}

/// Prints data for the user's next program.
fn print_data(text: &str) -> Result<(), Failure> {
    Output::standard().write(text.as_bytes())
}
