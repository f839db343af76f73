//! Proves Thumb-2 machine code equal to the WebAssembly module it was compiled from.

pub mod abi;
pub mod attributes;
pub mod canary;
pub mod cfi;
pub mod check;
pub mod concrete;
pub mod damage;
pub mod disassemble;
pub mod domain;
pub mod elf;
pub mod evidence;
pub mod float;
pub mod hints;
pub mod layout;
mod lower_bound;
pub mod model;
pub mod program;
pub mod ranges;
pub mod replay;
pub mod segment;
pub mod smt;
pub mod stack;
pub mod term;
pub mod thumb;
pub mod trap;
pub mod verdict;
pub mod wasm;
