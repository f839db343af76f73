//! Proves Thumb-2 machine code equal to the WebAssembly module it was compiled from.

pub mod abi;
pub mod concrete;
pub mod domain;
pub mod hints;
pub mod smt;
pub mod term;
pub mod trap;
pub mod verdict;
pub mod wasm;
