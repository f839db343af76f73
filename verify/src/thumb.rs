//! The machine side: what a Thumb-2 instruction is, which bytes encode it, and what it does.

pub mod inst;
pub mod flags;
pub mod sem;
pub mod decode;
