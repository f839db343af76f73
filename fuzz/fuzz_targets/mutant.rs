//! Damaged code is refused or does the same.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::mutant::run);
