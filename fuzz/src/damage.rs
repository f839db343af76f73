//! Damage to proved programs: what the validator has to refuse.
//!
//! Ensures: a [`Mutant`] differs from its [`Subject`] in one thing, and derives from the random numbers alone. The hash by
//! which hints name their module always fits, so that no mutant is refused for that.
//!
//! | file | damages | at |
//! |---|---|---|
//! | `synth_verify::damage` | machine code | the bytes of one function |
//! | `selection` | instructions over virtual registers | before allocation: code, hints and layout follow |
//! | `allocation` | instructions over registers | before emission: code and hints follow |
//! | `hints` | hints, of code that is wrong already | the section of hints |
//! | `source` | the Wasm module | one operator or constant |
//! | `file` | the rest of the ELF file | data, symbols, relocations, headers |

use synth::config::Config;
use synth::elf::program::Program;
use synth::elf::{self, ImageOptions, Imports};
use synth::stage::NoTap;
use synth::wasm::Input;
use synth::{Output, Units};
use synth_verify::check::{Options, Source, check_with};
use synth_verify::damage::functions;
use synth_verify::elf::Elf;
use synth_verify::replay::Random;

use crate::oracle::{Failure, STACK_BYTES};

mod allocation;
mod file;
pub mod hints;
mod selection;
mod source;

/// What kind of file a program becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// To be linked.
    Object,
    /// To be booted.
    Image,
}

/// A proved program to be damaged.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name for people.
    pub name: String,
    /// The module.
    pub wasm: Vec<u8>,
    /// How it was compiled.
    pub config: Config,
    /// What it became.
    pub kind: Kind,
    /// The file.
    pub elf: Vec<u8>,
    units: Units,
    output: Output,
}

impl Subject {
    /// Compiles a module and proves it.
    ///
    /// # Errors
    /// It is refused, by the compiler or by the validator.
    pub fn new(name: &str, wasm: Vec<u8>, config: Config, kind: Kind) -> Result<Subject, Failure> {
        let units = synth::units(&[Input { name: "", wasm: &wasm }], &config, &mut NoTap).map_err(Failure::Refused)?;
        let output = synth::output(&units, &config, &mut NoTap).map_err(Failure::Refused)?;
        let elf = file_of(&output.program, &config, kind).map_err(Failure::NoFile)?;
        let report = check_with(&[Source { name: "", wasm: &wasm }], &elf, &Options::default())
            .map_err(|error| Failure::NoJudgement(error.to_string()))?;
        if !report.proved() {
            return Err(Failure::Unproved(Box::new(report)));
        }
        Ok(Subject { name: name.to_owned(), wasm, config, kind, elf, units, output })
    }

    /// How many functions it has, those of the runtime counted.
    pub fn functions(&self) -> usize {
        self.units.functions.len()
    }

    /// The file of a changed program; `None` if there is none.
    fn file(&self, program: &Program) -> Option<Vec<u8>> {
        file_of(program, &self.config, self.kind).ok()
    }

    /// The file of changed functions.
    fn emitted(&self, units: &Units) -> Option<Vec<u8>> {
        self.file(&synth::output(units, &self.config, &mut NoTap).ok()?.program)
    }
}

fn file_of(program: &Program, config: &Config, kind: Kind) -> Result<Vec<u8>, elf::ElfError> {
    match kind {
        Kind::Object => elf::object(program, config.cpu),
        Kind::Image => {
            let options =
                ImageOptions { imports: Imports::Stubbed, stack_bytes: STACK_BYTES, ..ImageOptions::of(config.cpu) };
            elf::image(program, config.cpu, options)
        }
    }
}

/// A damaged program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// What was damaged.
    pub family: Family,
    /// What was done to it.
    pub operator: String,
    /// Where, and what was there before, in words.
    pub place: String,
    /// The module.
    pub wasm: Vec<u8>,
    /// The file.
    pub elf: Vec<u8>,
}

/// What a damage is to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Family {
    /// The bytes of functions.
    Code,
    /// Instructions before allocation.
    Selection,
    /// Instructions before emission.
    Allocation,
    /// Hints of damaged code.
    Hints,
    /// The module.
    Source,
    /// All else in the file.
    File,
    /// The file of another program.
    Pair,
}

impl Family {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Family::Code => "code",
            Family::Selection => "selection",
            Family::Allocation => "allocation",
            Family::Hints => "hints",
            Family::Source => "source",
            Family::File => "file",
            Family::Pair => "pair",
        }
    }
}

/// One mutant of a subject; `None` if the place that was chosen cannot be damaged so, or nothing changed.
pub fn mutant(subject: &Subject, others: &[Subject], random: &mut Random) -> Option<Mutant> {
    let same =
        |family, operator: String, place, elf| Mutant { family, operator, place, wasm: subject.wasm.clone(), elf };
    let mutant = match random.below(100) {
        0..=59 => {
            let (operator, place, elf) = code(subject, random)?;
            same(Family::Code, operator, place, elf)
        }
        60..=67 => {
            let mut units = subject.units.clone();
            let (operator, place) = selection::damage(&mut units, random)?;
            same(Family::Selection, operator.to_owned(), place, subject.emitted(&units)?)
        }
        68..=79 => {
            let mut units = subject.units.clone();
            let (operator, place) = allocation::damage(&mut units, random)?;
            same(Family::Allocation, operator.to_owned(), place, subject.emitted(&units)?)
        }
        80..=86 => {
            let (of_code, place, elf) = code(subject, random)?;
            let donors: Vec<_> = others.iter().flat_map(|other| other.output.hints.functions.clone()).collect();
            let changed = hints::changed(&subject.output.hints, &donors, random);
            same(Family::Hints, "other hints".to_owned(), format!("{place}, {of_code}"), hints::put(&elf, &changed)?)
        }
        87..=90 => {
            let (operator, place, wasm) = source::damage(&subject.wasm, random)?;
            let elf = hints::of_module(&subject.elf, &wasm)?;
            Mutant { family: Family::Source, operator, place, wasm, elf }
        }
        91..=98 => {
            let (operator, place, elf) = file::damage(&subject.elf, random)?;
            same(Family::File, operator, place, elf)
        }
        _ => {
            let other = others.get(random.below(others.len().max(1) as u64) as usize)?;
            let elf = hints::of_module(&other.elf, &subject.wasm)?;
            same(Family::Pair, "file of another module".to_owned(), other.name.clone(), elf)
        }
    };
    (mutant.elf != subject.elf || mutant.wasm != subject.wasm).then_some(mutant)
}

/// Damage to the bytes of one function.
fn code(subject: &Subject, random: &mut Random) -> Option<(String, String, Vec<u8>)> {
    let elf = Elf::read(&subject.elf).ok()?;
    let functions = functions(&elf);
    let function = pick(random, &functions)?;
    let damage = function.damage(random)?;
    let place = format!("{}+{:#x}: {:02x?} -> {:02x?}", function.name, damage.at, damage.before, damage.after);
    Some((damage.operator.words().to_owned(), place, damage.apply(&subject.elf)))
}

/// One of these.
pub(crate) fn pick<'a, T>(random: &mut Random, choices: &'a [T]) -> Option<&'a T> {
    choices.get(random.below(choices.len().max(1) as u64) as usize)
}
