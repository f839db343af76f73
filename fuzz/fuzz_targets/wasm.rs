//! No bytes make a reader of modules panic.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::wasm::run);
