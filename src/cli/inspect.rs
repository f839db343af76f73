//! `synth disasm` and `synth explain`.

use super::args::{Disasm, Explain, OutputKind, Topic};
use super::failure::Failure;
use super::{compile, driver, print_data, read_file};

/// Prints the code of an ELF file.
pub fn disassemble(command: &Disasm) -> Result<(), Failure> {
    let elf = read_file(&command.elf)?;
    print_data(&driver::disassemble(&elf)?);
    Ok(())
}

/// Prints how the compiler decided.
pub fn explain(command: &Explain) -> Result<(), Failure> {
    match &command.topic {
        Topic::Alloc(alloc) => {
            let input = read_file(&alloc.input)?;
            let request = driver::request(&alloc.code, OutputKind::Object, &compile::stem(&alloc.input))?;
            print_data(&driver::explain_allocation(&input, &request)?);
            Ok(())
        }
    }
}
