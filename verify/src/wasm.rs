//! The Wasm side: what a module says, where control goes, and what each operator does.
//!
//! Independent of the compiler. [`module::read`] refuses whatever the semantics does not know.

mod constant;
pub mod control;
pub mod forward;
mod guard;
pub mod inputs;
pub mod link;
pub mod module;
pub mod op;
pub mod runtime;
pub mod sem;
pub mod steps;
pub mod template;
mod valid;
pub mod wide;
pub mod world;
