//! Encoder, decoder and another disassembler agree.
#![cfg_attr(fuzzing, no_main)]

synth_fuzz::target!(synth_fuzz::target::decode::run);
