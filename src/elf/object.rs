//! The relocatable object, for any Arm linker.
//!
//! Ensures: addends stand in the instructions and words themselves (`REL`, AAELF32 5.6), as every
//! linker for Arm expects.

use super::parts::{self, Startup};
use super::program::Program;
use super::write::{self, FileKind};
use super::{ElfError, relocate};
use crate::target::Cpu;

/// Writes the object.
pub fn run(program: &Program, cpu: Cpu) -> Result<Vec<u8>, ElfError> {
    let mut unit = parts::run(program, cpu, Startup::Foreign)?;
    for section in &mut unit.sections {
        for fixup in &section.relocations {
            relocate::put_addend(&mut section.bytes, fixup);
        }
    }
    Ok(write::run(&unit, FileKind::Relocatable))
}
