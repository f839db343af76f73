//! The compiler: WebAssembly in, Thumb-2 out.

pub mod alloc;
pub mod config;
pub mod elf;
pub mod emit;
pub mod entity;
pub mod error;
pub mod interp;
pub mod ir;
pub mod lower;
pub mod opt;
pub mod qemu;
pub mod target;
pub mod translate;
pub mod vcode;
pub mod wasm;
