//! Modules by name, each linked to those before it: what they are compiled to, and what is refused of it after a change.

use synth::config::Config;
use synth::elf::{ImageOptions, Imports, Program, image};
use synth::qemu::firmware::Firmware;
use synth::stage::NoTap;
use synth::wasm::Input;
use synth_fuzz::oracle::{self, Failure};
use synth_verify::check::{Options, Source, check_with};

/// A name and a module in text.
pub type Named<'a> = (&'a str, &'a str);

fn binaries(modules: &[Named]) -> Vec<Vec<u8>> {
    modules.iter().map(|(_, text)| wat::parse_str(text).expect("text assembles")).collect()
}

fn inputs<'a>(modules: &'a [Named], binaries: &'a [Vec<u8>]) -> Vec<Input<'a>> {
    modules.iter().zip(binaries).map(|((name, _), wasm)| Input { name, wasm }).collect()
}

/// The modules as a proved image.
pub fn proved(modules: &[Named]) -> Result<Firmware, Failure> {
    let binaries = binaries(modules);
    let proved = oracle::image_linked(&inputs(modules, &binaries), &Config::default(), Imports::Stubbed)?;
    Ok(Firmware::read(&proved.elf).expect("an image of this compiler"))
}

/// The modules as the program `m`.
pub fn program(modules: &[Named]) -> Program {
    let binaries = binaries(modules);
    let config = Config { module_name: "m".into(), ..Config::default() };
    synth::compile_linked(&inputs(modules, &binaries), &config, &mut NoTap).expect("they are supported").program
}

/// Expects a refusal of an image of the modules after a change, in these words.
#[track_caller]
pub fn refuse(modules: &[Named], words: &str, change: impl FnOnce(&mut Program)) {
    let mut program = program(modules);
    change(&mut program);
    let cpu = Config::default().cpu;
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(cpu) };
    let elf = image(&program, cpu, options).expect("it fits");
    let binaries = binaries(modules);
    let sources = modules.iter().zip(&binaries).map(|((name, _), wasm)| Source { name, wasm });
    let report = check_with(&sources.collect::<Vec<_>>(), &elf, &Options::default()).expect("a judgement");
    assert!(!report.proved());
    let findings = report.functions.iter().flat_map(|function| &function.findings).chain(&report.findings);
    let said: Vec<&str> = findings.map(|finding| finding.message.as_str()).collect();
    assert!(said.iter().any(|said| said.contains(words)), "{words:?} expected: {said:?}");
}
