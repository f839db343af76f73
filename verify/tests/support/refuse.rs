//! Cases and files that must be refused after a change.

use std::fs;
use std::path::Path;

use object::SectionKind;
use object::write::Object;
use synth_verify::check::{Checks, check};
use synth_verify::hints::codec;

use crate::support::{Case, parse, words_of};

/// The case of this name.
pub fn case(name: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name).with_extension("case");
    parse(&fs::read_to_string(path).unwrap())
}

/// Expects a refusal of a file in these words.
pub fn refuse(wasm: &[u8], elf: &[u8], words: &str) {
    let said = match check(wasm, elf, Checks::All) {
        Ok(report) => {
            assert!(!report.proved(), "is proved; {words:?} expected");
            words_of(&report)
        }
        Err(error) => error.to_string(),
    };
    assert!(said.contains(words), "{words:?} expected:\n{said}");
}

/// Expects a refusal of a case after a change of its object file.
pub fn refuse_object(name: &str, words: &str, change: impl FnOnce(&mut Object<'static>)) {
    let case = case(name);
    let mut object = case.object();
    change(&mut object);
    let section = object.add_section(Vec::new(), b".synth.hints".to_vec(), SectionKind::Other);
    object.append_section_data(section, &codec::encode(&case.hints()), 1);
    refuse(&case.wasm, &object.write().unwrap(), words);
}
