//! The compiler: WebAssembly in, Thumb-2 out.

pub mod alloc;
pub mod emit;
pub mod vcode;
