//! No hints make a wrong program Proved.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::hints::run);
