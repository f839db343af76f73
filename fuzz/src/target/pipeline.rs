//! A module of either maker compiles, is proved, and runs as another engine runs it.

use crate::choices::Choices;
use crate::{agree, generate, oracle, smith};

/// Bytes that choose the processor and the arguments; the others make the module.
const ARGUMENT_BYTES: usize = 64;

/// Judges the module that the bytes make.
pub fn run(bytes: &[u8]) {
    let (arguments, module) = bytes.split_at(bytes.len().min(ARGUMENT_BYTES));
    let mut choices = Choices::new(arguments);
    let config = oracle::config(choices.byte().into());
    let made = match choices.below(2) {
        0 => Some(generate::module(&mut Choices::new(module))),
        _ => smith::of(module),
    };
    let Some(wasm) = made else { return };
    if let Err(why) = agree::judge(&wasm, &config, &mut choices, None) {
        panic!("{:?} {:?}: {why}", config.cpu, config.float);
    }
}
