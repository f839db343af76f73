//! The proof of one function, segment by segment.
//!
//! A segment is a tree of machine paths from a cut (or the entry) to the next cuts and ends. [`walk`]
//! runs the machine code; at each event [`source`] runs the Wasm code to the same event; [`goal`]
//! compares; [`relation`] says what is known at a cut.

pub mod expression;
mod goal;
pub mod kept;
pub mod machine;
pub mod relation;
pub mod source;
pub mod symbolic;
pub mod walk;
