//! The module that a command was given, and where in its text an error lies.

use std::path::{Path, PathBuf};

use synth::error::Error;
use synth::wasm;

use super::args::NamedPath;
use super::failure::{Failure, Form, InFile};
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

    /// Adds the file, and the place in its text, to a failure that lies in this module.
    pub fn locate(&self, failure: Failure) -> Failure {
        let position = |text: &String| failure.offset.and_then(|offset| wasm::text::position(text, offset));
        let form = self.text.as_ref().map_or(Form::Binary, |text| Form::Text(position(text)));
        Failure { file: in_file(&self.path, form), ..failure }
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

    /// Adds the file, and the place in its text, to a failure that lies in the module of this number.
    pub fn locate(&self, number: usize, failure: Failure) -> Failure {
        self.all[number].1.locate(failure)
    }

    /// The failure that an error in them is.
    pub fn failure(&self, error: Error) -> Failure {
        let number = if self.all.len() == 1 { Some(0) } else { error.details().input };
        let failure = Failure::from(error);
        match number {
            Some(number) => self.locate(number, failure),
            // An offset says nothing of several modules together.
            None => Failure { offset: None, ..failure },
        }
    }
}

/// An error in a file that stands for no module.
fn in_text(path: &Path, error: Error) -> Failure {
    let form = error.details().position.map_or(Form::Binary, |position| Form::Text(Some(position)));
    Failure { file: in_file(path, form), ..error.into() }
}

fn in_file(path: &Path, form: Form) -> Option<Box<InFile>> {
    Some(Box::new(InFile { path: path.display().to_string(), form }))
}
