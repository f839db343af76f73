//! Whatever bytes are a module: compiler and validator say so or refuse it, and agree on which.

use std::fmt::Display;
use std::sync::LazyLock;

use synth::config::Config;
use synth::elf::{self, ElfError};
use synth::ir::text;
use synth::stage::{Stage, Tap};
use synth_verify::check::{Checks, check};
use synth_verify::verdict::CheckError;

use crate::choices::Choices;
use crate::subjects::{self, Compiled};
use crate::{change, oracle, smith};

/// Reads the text of each function in SSA form, and prints what it read.
struct RoundTrip;

impl Tap for RoundTrip {
    fn enter(&mut self, _: Stage) {}

    fn text(&mut self, stage: Stage, _: &str, text: &dyn Display) {
        if matches!(stage, Stage::Ir | Stage::Opt) {
            let printed = text.to_string();
            let read = text::parse(&printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
            assert_eq!(text::print(&read), printed);
        }
    }
}

static SUBJECTS: LazyLock<Vec<Compiled>> = LazyLock::new(subjects::all);

/// Most bytes of a memory: the validator sets each to zero, in seconds if there are very many.
const MEMORY_MAX: u32 = 1 << 22;

/// Reads the bytes, or one of the subjects with its bytes changed, or an unrestricted module of wasm-smith.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let config = oracle::config(choices.byte().into());
    let wasm = match choices.below(4) {
        0 => choices.rest().to_vec(),
        1 => match smith::unrestricted(choices.rest()) {
            Some(wasm) => wasm,
            None => return,
        },
        _ => {
            let subject = &SUBJECTS[choices.below(SUBJECTS.len())];
            change::bytes(&subject.wasm, &mut choices)
        }
    };
    if let Ok(text) = std::str::from_utf8(&wasm) {
        // Text is read as text.
        let _ = synth::wasm::read(text.as_bytes());
    }
    judge(&wasm, &config);
}

fn judge(wasm: &[u8], config: &Config) {
    let file = match synth::compile(wasm, config, &mut RoundTrip) {
        Ok(output) if output.program.memories.iter().any(|memory| memory.reserve_bytes > MEMORY_MAX) => return,
        Ok(output) => match elf::object(&output.program, config.cpu) {
            Ok(file) => file,
            Err(ElfError::TooBig { .. }) => return,
            Err(error) => panic!("a compiled module makes no file: {error}"),
        },
        Err(error) => {
            assert!(!error.to_string().is_empty());
            // The validator reads what it will on its own; a file of another module never fits.
            let other = &SUBJECTS[0];
            if wasm != other.wasm {
                assert!(check(wasm, &other.elf(&other.hints), Checks::All).is_err());
            }
            return;
        }
    };
    if let Err(error @ CheckError::Wasm(..)) = check(wasm, &file, Checks::Ranges) {
        panic!("the compiler reads a module that the validator does not: {error}");
    }
}
