//! The compiler: WebAssembly in, Thumb-2 out.

pub mod elf;
pub mod firmware;
pub mod qemu;
pub mod target;
pub mod alloc;
pub mod vcode;
pub mod config;
pub mod entity;
pub mod error;
pub mod ir;
pub mod wasm;
