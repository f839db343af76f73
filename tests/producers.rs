//! The modules of `examples/producers`, made by rustc, AssemblyScript, Zig and Clang with the features
//! that each uses by default: the same answers in QEMU, in the validator's interpreter and in wasmi.

mod support;

use std::fs;

use synth::config::Config;

use support::{Program, call, here};

#[track_caller]
fn agrees(path: &str) {
    // The allocators ask for pages.
    let config = Config { memory_max: Some(1 << 20), ..Config::default() };
    let program = Program::with(&fs::read(here("examples/producers").join(path)).unwrap(), &config);
    let actions = [1, 2, 3, 77].map(|seed| call("answer", &[seed]));
    let expected = program.in_wasmi(&actions);
    assert_eq!(program.in_model(&actions), expected, "the model");
    if let Some(seen) = program.in_qemu(path, &actions) {
        assert_eq!(seen, expected, "QEMU");
    }
}

#[test]
fn rust() {
    agrees("rust/ledger.wasm");
}

#[test]
fn assemblyscript() {
    agrees("assemblyscript/words.wasm");
}

#[test]
fn zig() {
    agrees("zig/route.wasm");
}

#[test]
fn clang() {
    agrees("c/filter.wasm");
}
