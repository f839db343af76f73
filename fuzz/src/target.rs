//! What fuzzers run: one function of bytes per file, which panics on a finding.
//!
//! Ensures: what a function does depends on its bytes alone, and ends within seconds.

use std::path::PathBuf;

pub mod allocator;
pub mod decode;
pub mod elf;
pub mod hints;
pub mod mutant;
pub mod pipeline;
pub mod wasm;

/// A target: a name, as in `cargo fuzz run NAME`, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Target; 7] = [
    ("allocator", allocator::run),
    ("decode", decode::run),
    ("elf", elf::run),
    ("hints", hints::run),
    ("mutant", mutant::run),
    ("pipeline", pipeline::run),
    ("wasm", wasm::run),
];

/// The program of a target: under a fuzzer it runs what the fuzzer makes, without one the files that are named.
#[macro_export]
macro_rules! target {
    ($run:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $run(bytes));
        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::target::replay($run)
        }
    };
}

/// Runs a target on the files and folders of files that the command line names.
///
/// # Errors
/// One of them cannot be read.
pub fn replay(run: fn(&[u8])) -> std::io::Result<()> {
    for argument in std::env::args_os().skip(1) {
        for path in files(PathBuf::from(argument))? {
            println!("{}", path.display());
            run(&std::fs::read(path)?);
        }
    }
    Ok(())
}

/// The file, or the files of the folder, in order.
///
/// # Errors
/// The folder cannot be read.
pub fn files(path: PathBuf) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}
