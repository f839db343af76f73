//! The last stage: a relocatable object, or an image that boots.
//!
//! Requires: every relocation names something the program defines or imports.
//! Ensures: the sections, symbols and relocations of `docs/abi.md`. Fails only if something does
//! not fit: a region into the memory, a call into its range, an image's import into nothing.

pub mod asm;
mod frame;
pub mod harness;
mod image;
mod init;
pub mod names;
mod object;
mod parts;
pub mod program;
mod relocate;
mod unit;
mod write;

use std::fmt;

pub use image::{ImageError, ImageOptions, Imports, run as image};
pub use object::run as object;
pub use program::Program;

/// Something is larger than the format or the memory allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooBig {
    /// What it is.
    pub what: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The most it may be.
    pub limit: u64,
}

impl TooBig {
    fn check(what: &str, bytes: u64, limit: u64) -> Result<(), TooBig> {
        if bytes <= limit {
            Ok(())
        } else {
            Err(TooBig {
                what: what.into(),
                bytes,
                limit,
            })
        }
    }
}

impl fmt::Display for TooBig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {} bytes, at most {} fit",
            self.what, self.bytes, self.limit
        )
    }
}

impl std::error::Error for TooBig {}

#[cfg(test)]
mod tests;
