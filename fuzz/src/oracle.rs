//! What must hold of every module: it compiles, is proved, and runs as another engine runs it.

use std::fmt;

use synth::config::{Config, Cpu, FloatUnit};
use synth::elf::{self, ElfError, ImageOptions, Imports};
use synth::error::Error;
use synth::stage::NoTap;
use synth::wasm::Input;
use synth_verify::check::{Options, Source, check_with};
use synth_verify::verdict::Report;

/// Why a module fails.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The compiler refuses it.
    Refused(Error),
    /// Its code does not make a file.
    NoFile(ElfError),
    /// The validator gives no judgement.
    NoJudgement(String),
    /// The validator does not prove it.
    Unproved(Box<Report>),
}

impl fmt::Display for Failure {
    /// Without the hundreds of obligations that hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(error) => write!(f, "refused: {error}"),
            Failure::NoFile(error) => write!(f, "no file: {error}"),
            Failure::NoJudgement(why) => write!(f, "no judgement: {why}"),
            Failure::Unproved(report) => {
                write!(f, "{} bytes uncovered", report.uncovered_bytes)?;
                for finding in &report.findings {
                    write!(f, "\n  {}", finding.message)?;
                }
                for function in &report.functions {
                    for finding in &function.findings {
                        write!(f, "\n  {}+{:#x}: {}", function.name, finding.at, finding.message)?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// A compiled and proved module.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The ELF bytes.
    pub elf: Vec<u8>,
    /// The judgement.
    pub report: Report,
}

/// Compiles a module to an object and proves it.
pub fn object(wasm: &[u8], config: &Config) -> Result<Proved, Failure> {
    let output = synth::compile(wasm, config, &mut NoTap).map_err(Failure::Refused)?;
    let elf = elf::object(&output.program, config.cpu).map_err(Failure::NoFile)?;
    proved(&[Input { name: "", wasm }], elf)
}

/// Enough for every recursion that the fuel of a random module allows.
pub const STACK_BYTES: u32 = 512 * 1024;

/// The processors in turn, with and without their floating-point units.
pub fn config(turn: usize) -> Config {
    let cpu = Cpu::ALL[turn % Cpu::ALL.len()];
    let float = if (turn / Cpu::ALL.len()).is_multiple_of(2) { FloatUnit::None } else { cpu.float_unit() };
    Config { cpu, float, ..Config::default() }
}

/// An image for a processor with room for every random module and stubs for its imports.
pub fn options(cpu: Cpu) -> ImageOptions {
    ImageOptions { imports: Imports::Stubbed, stack_bytes: STACK_BYTES, ..ImageOptions::of(cpu) }
}

/// Compiles a module to an image with stubs for its imports and proves it.
pub fn image(wasm: &[u8], config: &Config) -> Result<Proved, Failure> {
    image_linked(&[Input { name: "", wasm }], config, Imports::Stubbed)
}

/// Compiles modules that import from those before them to an image and proves it.
pub fn image_linked(inputs: &[Input], config: &Config, imports: Imports) -> Result<Proved, Failure> {
    image_on(inputs, config, ImageOptions { imports, stack_bytes: STACK_BYTES, ..ImageOptions::of(config.cpu) })
}

/// The same with other options: for another board.
pub fn image_on(inputs: &[Input], config: &Config, options: ImageOptions) -> Result<Proved, Failure> {
    let output = synth::compile_linked(inputs, config, &mut NoTap).map_err(Failure::Refused)?;
    let elf = elf::image(&output.program, config.cpu, options).map_err(Failure::NoFile)?;
    proved(inputs, elf)
}

fn proved(inputs: &[Input], elf: Vec<u8>) -> Result<Proved, Failure> {
    let sources: Vec<Source> = inputs.iter().map(|input| Source { name: input.name, wasm: input.wasm }).collect();
    let report =
        check_with(&sources, &elf, &Options::default()).map_err(|error| Failure::NoJudgement(error.to_string()))?;
    if report.proved() { Ok(Proved { elf, report }) } else { Err(Failure::Unproved(Box::new(report))) }
}
