//! Proves Thumb-2 machine code equal to the WebAssembly module it was compiled from.

pub mod domain;
pub mod hints;
pub mod trap;
pub mod wasm;
