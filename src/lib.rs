//! The compiler: WebAssembly in, Thumb-2 out.

pub mod elf;
pub mod firmware;
pub mod qemu;
pub mod target;
