//! What can be wrong with a user's input. Everything else is a bug of ours and panics.
//!
//! Ensures: each error says where (a byte offset in the Wasm module, or a line of its text), what,
//! and what to do next.

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
    /// Inputs do not fit together.
    Link(Details),
}

/// Where, what, and what to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// The input that it is in, by its number among several, where one is known.
    pub input: Option<usize>,
    /// Byte offset in the Wasm module, where one is known.
    pub offset: Option<u64>,
    /// Place in the module's text, where it was given as text and has no binary form.
    pub position: Option<Position>,
    /// What is wrong: one clause, no full stop.
    pub message: String,
    /// What the user can do about it: one sentence without a full stop.
    pub remedy: String,
}

impl Details {
    fn new(offset: impl Into<Option<u64>>, message: impl Into<String>, remedy: impl Into<String>) -> Details {
        let (message, remedy) = (message.into(), remedy.into());
        Details { input: None, offset: offset.into(), position: None, message, remedy }
    }
}

/// A place in a text, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The byte in the line.
    pub column: usize,
}

impl Error {
    /// The input is not valid.
    pub fn invalid(offset: impl Into<Option<u64>>, message: impl Into<String>) -> Error {
        let remedy = "check the tool that produced the module; `wasm-validate` shows the same";
        Error::Invalid(Details::new(offset, message, remedy))
    }

    /// The input is text that stands for no module.
    pub fn invalid_text(position: Position, message: impl Into<String>) -> Error {
        let details = Details::new(None, message, "correct the text there (core spec, 6)");
        Error::Invalid(Details { position: Some(position), ..details })
    }

    /// The input uses something not supported.
    pub fn unsupported(offset: impl Into<Option<u64>>, message: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Unsupported(Details::new(offset, message, remedy))
    }

    /// The input exceeds a limit.
    pub fn too_big(offset: impl Into<Option<u64>>, message: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::TooBig(Details::new(offset, message, remedy))
    }

    /// Inputs do not fit together.
    pub fn link(message: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Link(Details::new(None, message, remedy))
    }

    /// The error in the input of this number.
    pub fn of(mut self, number: usize) -> Error {
        self.details_mut().input = Some(number);
        self
    }

    fn details_mut(&mut self) -> &mut Details {
        match self {
            Error::Invalid(details) | Error::Unsupported(details) | Error::TooBig(details) | Error::Link(details) => {
                details
            }
        }
    }

    /// Where, what, and what to do next.
    pub fn details(&self) -> &Details {
        match self {
            Error::Invalid(details) | Error::Unsupported(details) | Error::TooBig(details) | Error::Link(details) => {
                details
            }
        }
    }

    /// The name of the kind, as printed first.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "invalid module",
            Error::Unsupported(_) => "unsupported",
            Error::TooBig(_) => "too big",
            Error::Link(_) => "link",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { input: _, offset, position, message, remedy } = self.details();
        write!(f, "{}: {message}", self.kind())?;
        if let Some(offset) = offset {
            write!(f, " (at byte {offset:#x})")?;
        }
        if let Some(Position { line, column }) = position {
            write!(f, " (at line {line}, column {column})")?;
        }
        write!(f, "; {remedy}")
    }
}

impl std::error::Error for Error {}
