//! The machine side: what a Thumb-2 instruction is, which bytes encode it, and what it does.

pub mod decode;
pub mod feature;
pub mod flags;
pub mod float;
pub mod inst;
pub mod operands;
pub mod register;
pub mod sem;
pub mod text;

#[cfg(test)]
mod tests;
