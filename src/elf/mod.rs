//! The last stage: a relocatable object, or an image that boots.
//!
//! Requires: every relocation names something the program defines or imports.
//! Ensures: the sections, symbols and relocations of `docs/abi.md`. Fails only as [`ElfError`] says.

pub mod asm;
mod frame;
pub mod harness;
mod image;
mod init;
pub mod names;
mod object;
mod parts;
pub mod program;
pub(crate) mod relocate;
mod unit;
mod write;

use std::fmt;

pub use image::{ImageOptions, Imports, run as image};
pub use object::run as object;
pub use program::Program;

/// Why there is no file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElfError {
    /// Something is larger than the format or the memory allows.
    TooBig {
        /// What it is.
        what: String,
        /// Its size in bytes.
        bytes: u64,
        /// The most it may be.
        limit: u64,
    },
    /// The image's module imports this function, module and field, and nothing provides it.
    MissingImport(String, String),
    /// Two things would have this symbol.
    Collision(String),
}

impl ElfError {
    /// An error if the bytes are more than the limit.
    fn check(what: &str, bytes: u64, limit: u64) -> Result<(), ElfError> {
        if bytes <= limit { Ok(()) } else { Err(ElfError::TooBig { what: what.into(), bytes, limit }) }
    }

    /// What the user can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            ElfError::TooBig { .. } => "make the module or its memory smaller, or link an object for a larger board",
            ElfError::MissingImport(..) => "link an object with code that provides it, or use --stub-imports",
            ElfError::Collision(_) => "choose another --module-name, or rename the export or import",
        }
    }
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElfError::TooBig { what, bytes, limit } => {
                write!(f, "{what} is {bytes} bytes, at most {limit} fit")
            }
            ElfError::MissingImport(module, field) => {
                write!(f, "nothing provides the imported function \"{module}\" \"{field}\"")
            }
            ElfError::Collision(symbol) => write!(f, "two things would have the symbol {symbol}"),
        }
    }
}

impl std::error::Error for ElfError {}
