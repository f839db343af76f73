//! Any module compiles, is proved, and runs as in another engine.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::pipeline::run);
