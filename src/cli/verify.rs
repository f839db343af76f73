//! `synth verify`: prove an ELF file again, from the two files alone.

use std::time::Instant;

use super::args::Verify;
use super::failure::Failure;
use super::input::Input;
use super::{driver, print_data, read_file, report, say};

/// Does the command.
pub fn run(command: &Verify) -> Result<(), Failure> {
    let module = Input::read(&command.module)?;
    let elf = read_file(&command.elf)?;
    let start = Instant::now();
    let checked = driver::check(&module.wasm, &elf)?;
    if command.timings {
        report::print_time("validate", start.elapsed());
        say(&report::methods(&checked));
    }
    print_data(&report::text(&checked))?;
    report::refusal(&checked)
}
