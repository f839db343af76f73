//! No bytes make a reader of ELF files panic.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::elf::run);
