//! The module that a command was given, and where in its text an error lies.

use std::path::{Path, PathBuf};

use synth::error::Error;
use synth::wasm;

use super::args::NamedPath;
use super::failure::{Failure, InText};
use super::read_file;

/// A module, read but not yet judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    path: PathBuf,
    /// The binary module: the file, or what its text stands for.
    pub wasm: Vec<u8>,
    /// The file's text, if it is text.
    text: Option<String>,
}

impl Input {
    /// Reads a module, binary or text.
    pub fn read(path: &Path) -> Result<Input, Failure> {
        Input::of(path, read_file(path)?)
    }

    /// The module that a file holds.
    pub fn of(path: &Path, bytes: Vec<u8>) -> Result<Input, Failure> {
        let wasm = wasm::read(&bytes).map_err(|error| in_text(path, error))?.into_owned();
        // What is not its own binary form is text.
        let text = if wasm == bytes { None } else { String::from_utf8(bytes).ok() };
        Ok(Input { path: path.into(), wasm, text })
    }

    /// The failure that an error in this module is.
    pub fn failure(&self, error: Error) -> Failure {
        self.locate(error.into())
    }

    /// Adds the place in the text to a failure that has one in the binary module.
    pub fn locate(&self, failure: Failure) -> Failure {
        let (Some(text), Some(offset)) = (&self.text, failure.offset) else {
            return failure;
        };
        let file = self.path.display().to_string();
        Failure { text: Some(Box::new(InText { file, position: wasm::text::position(text, offset) })), ..failure }
    }

    /// The file's name without its last extension.
    pub fn stem(&self) -> String {
        self.path.file_stem().map_or("module".into(), |stem| stem.to_string_lossy().into_owned())
    }
}

/// The modules that a command was given, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inputs {
    all: Vec<(String, Input)>,
}

impl Inputs {
    /// Reads modules.
    pub fn read(paths: &[NamedPath]) -> Result<Inputs, Failure> {
        let read = |named: &NamedPath| {
            let input = Input::read(&named.path)?;
            Ok((named.name.clone().unwrap_or_else(|| input.stem()), input))
        };
        Ok(Inputs { all: paths.iter().map(read).collect::<Result<_, Failure>>()? })
    }

    /// One module.
    pub fn one(input: Input) -> Inputs {
        Inputs { all: vec![(input.stem(), input)] }
    }

    /// The modules by name.
    pub fn modules(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all.iter().map(|(name, input)| (name.as_str(), input.wasm.as_slice()))
    }

    /// The first file's name without its last extension.
    pub fn stem(&self) -> String {
        self.all.first().map_or("module".into(), |(_, input)| input.stem())
    }

    /// The failure that an error in them is.
    pub fn failure(&self, error: Error) -> Failure {
        match &self.all[..] {
            [(_, only)] => only.failure(error),
            _ => error.into(),
        }
    }
}

/// An error in a text that stands for no module.
fn in_text(path: &Path, error: Error) -> Failure {
    let text = error.details().position.map(|position| {
        let file = path.display().to_string();
        Box::new(InText { file, position: Some(position) })
    });
    Failure { text, ..error.into() }
}
