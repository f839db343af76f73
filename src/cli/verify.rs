//! `synth verify`: prove an ELF file again, from the files alone.

use std::time::Instant;

use super::args::Verify;
use super::failure::Failure;
use super::input::Inputs;
use super::{driver, print_data, read_file, report, say};

/// Does the command.
pub fn run(command: &Verify) -> Result<(), Failure> {
    let inputs = Inputs::read(&command.inputs)?;
    let elf = read_file(&command.elf)?;
    let start = Instant::now();
    let checked = driver::check(&inputs, &elf, command.solver)?;
    if command.timings {
        report::print_time("validate", start.elapsed());
        say(&report::methods(&checked));
    }
    print_data(&report::text(&checked))?;
    report::refusal(&checked)
}
