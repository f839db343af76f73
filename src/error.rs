//! What can be wrong with a user's input. Everything else is a bug of ours and panics.
//!
//! Ensures: each error says where (a byte offset in the Wasm module), what, and what to do next.

use std::fmt;

/// Why an input is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The input is no WebAssembly module.
    Invalid(Details),
    /// The input is a WebAssembly module that uses something not supported here.
    Unsupported(Details),
    /// The input, or the code for it, exceeds a limit of the target or of this compiler.
    TooBig(Details),
}

/// Where, what, and what to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// Byte offset in the Wasm module, where one is known.
    pub offset: Option<u64>,
    /// What is wrong: one clause, no full stop.
    pub message: String,
    /// What the user can do about it: one sentence without a full stop.
    pub remedy: String,
}

impl Error {
    /// The input is not valid.
    pub fn invalid(offset: impl Into<Option<u64>>, message: impl Into<String>) -> Error {
        Error::Invalid(Details {
            offset: offset.into(),
            message: message.into(),
            remedy: "check the tool that produced the module; `wasm-validate` shows the same".into(),
        })
    }

    /// The input uses something not supported.
    pub fn unsupported(offset: impl Into<Option<u64>>, message: impl Into<String>, remedy: impl Into<String>) -> Error {
        let (message, remedy) = (message.into(), remedy.into());
        Error::Unsupported(Details { offset: offset.into(), message, remedy })
    }

    /// The input exceeds a limit.
    pub fn too_big(offset: impl Into<Option<u64>>, message: impl Into<String>, remedy: impl Into<String>) -> Error {
        let (message, remedy) = (message.into(), remedy.into());
        Error::TooBig(Details { offset: offset.into(), message, remedy })
    }

    /// Where, what, and what to do next.
    pub fn details(&self) -> &Details {
        match self {
            Error::Invalid(details) | Error::Unsupported(details) | Error::TooBig(details) => details,
        }
    }

    /// The name of the kind, as printed first.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "invalid module",
            Error::Unsupported(_) => "unsupported",
            Error::TooBig(_) => "too big",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { offset, message, remedy } = self.details();
        write!(f, "{}: {message}", self.kind())?;
        if let Some(offset) = offset {
            write!(f, " (at byte {offset:#x})")?;
        }
        write!(f, "; {remedy}")
    }
}

impl std::error::Error for Error {}
