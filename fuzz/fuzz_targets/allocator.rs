//! Register allocation of any function, against a checker and another allocator.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::allocator::run);
