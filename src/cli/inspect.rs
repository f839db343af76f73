//! `synth disasm` and `synth explain`.

use super::args::{Disasm, Explain, OutputKind, Topic};
use super::failure::Failure;
use super::input::{Input, Inputs};
use super::{driver, print_data, read_file};

/// Prints the code of an ELF file.
pub fn disassemble(command: &Disasm) -> Result<(), Failure> {
    let elf = read_file(&command.elf)?;
    print_data(&driver::disassemble(&elf)?)
}

/// Prints how the compiler decided.
pub fn explain(command: &Explain) -> Result<(), Failure> {
    match &command.topic {
        Topic::Alloc(alloc) => {
            let input = Inputs::one(Input::read(&alloc.input)?);
            let request = driver::request(&alloc.code, OutputKind::Object, &input.stem())?;
            print_data(&driver::explain_allocation(&input, &request)?)
        }
    }
}
