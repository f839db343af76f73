//! The compiler: WebAssembly in, Thumb-2 out.

pub mod alloc;
pub mod vcode;
pub mod config;
pub mod entity;
pub mod error;
pub mod ir;
pub mod wasm;
