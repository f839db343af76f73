//! What the input says. The only stage besides `elf` that refuses a program.

mod constant;
pub mod decode;
pub mod forward;
mod guard;
mod inputs;
pub mod inst;
pub mod instantiation;
mod link;
pub mod module;
mod names;
pub mod parse;
pub mod text;
pub mod types;

use std::borrow::Cow;

use crate::error::Error;

pub use constant::Constant;
pub use inputs::{Input, run as link};
pub use inst::{BlockType, Bulk, Inst, Place, SignOp};
pub use link::Bindings;
pub use module::{
    Author, Body, Code, Data, DataIndex, DataMode, Element, ElementIndex, ElementMode, Export, ExportKind, FuncDecl,
    GlobalDecl, Import, Instance, MemoryDecl, Module, TableDecl, TypeIndex,
};
pub use parse::{parse, settle};
pub use types::{FunctionType, ValueType};

/// The binary module in `input`, which is one, or is WebAssembly text.
pub fn read(input: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if input.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(input));
    }
    if input.is_empty() {
        return Err(Error::invalid(0, "the file is empty"));
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return Err(Error::invalid(0, "neither a WebAssembly binary nor text"));
    };
    Ok(Cow::Owned(text::encode(text)?))
}
