//! Whatever bytes are an ELF file: every reader of such files ends.

use std::sync::LazyLock;

use synth::qemu::firmware::Firmware;
use synth_verify::check::{Options, Source, check_with};
use synth_verify::disassemble;

use crate::change;
use crate::choices::Choices;
use crate::subjects::{self, Compiled};

/// Steps of the interpreter that a damaged image may take.
const STEPS_MAX: u64 = 20_000;

struct Files {
    wasm: Vec<u8>,
    files: [Vec<u8>; 2],
}

static FILES: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let files = |subject: Compiled| Files { files: [subject.elf(&subject.hints), subject.image()], wasm: subject.wasm };
    subjects::all().into_iter().map(files).collect()
});

/// Reads the bytes, or an object or image with its bytes changed.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let subject = &FILES[choices.below(FILES.len())];
    let file = match choices.below(8) {
        0 => choices.rest().to_vec(),
        kind => change::bytes(&subject.files[kind % 2], &mut choices),
    };
    let _ = disassemble::run(&file);
    let options = Options { replays: 1, ..Options::default() };
    let _ = check_with(&[Source { name: "", wasm: &subject.wasm }], &file, &options);
    if let Ok(firmware) = Firmware::read(&file) {
        let _ = synth::model::run(&firmware, &[], STEPS_MAX);
    }
}
