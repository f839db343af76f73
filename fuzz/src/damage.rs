//! Damage: mutants of a proved file, of which a validator has to refuse each that does something else.
//!
//! Ensures: a [`Mutant`] is a function of the subjects and the random numbers; it differs from what it was made of.
//!
//! | level | what is damaged |
//! |---|---|
//! | code | the machine code of one function in the file; hints stay (`synth_verify::damage`) |
//! | selection | instructions over virtual registers, before allocation; all later stages follow |
//! | allocation | allocated instructions and the frame, before emission; layout and hints follow |
//! | program | what the ELF writer is given: callees, exports, tables, data, instantiation |
//! | hints | the hints, the code stays |
//! | hints and code | both |
//! | source | the module; its hash in the hints follows |
//! | file | headers, symbols, relocations, constants, vectors, sections that are not loaded |
//! | pair | the file of another module; the hash in its hints follows |

mod file;
pub mod hints;
mod program;
mod source;
mod stages;
mod variant;

use std::fmt;

use synth::config::Config;
use synth::elf::program::Program;
use synth::elf::{self, ImageOptions, Imports};
use synth::entity::Entity;
use synth::stage::NoTap;
use synth::wasm::Input;
use synth::{Output, Units};
use synth_verify::check::{Options, Source, check_with};
use synth_verify::damage::{Code, functions};
use synth_verify::elf::Elf;
use synth_verify::replay::Random;

use crate::oracle::Failure;
use stages::Behind;

/// Bytes of an image's stack: few, as each run begins with a copy.
const STACK_BYTES: u32 = 1 << 12;

/// What is damaged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Machine code.
    Code,
    /// Instructions over virtual registers.
    Selection,
    /// Allocated instructions.
    Allocation,
    /// What the ELF writer is given.
    Program,
    /// Hints.
    Hints,
    /// Hints and machine code.
    HintsAndCode,
    /// The module.
    Source,
    /// The file around the code.
    File,
    /// Which file belongs to which module.
    Pair,
}

impl Level {
    /// How many of 100 mutants are of which level.
    const SHARES: [(Level, u64); 9] = [
        (Level::Code, 40),
        (Level::Selection, 14),
        (Level::Allocation, 12),
        (Level::Program, 6),
        (Level::Hints, 6),
        (Level::HintsAndCode, 6),
        (Level::Source, 8),
        (Level::File, 7),
        (Level::Pair, 1),
    ];

    /// Its word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Level::Code => "code",
            Level::Selection => "selection",
            Level::Allocation => "allocation",
            Level::Program => "program",
            Level::Hints => "hints",
            Level::HintsAndCode => "hints and code",
            Level::Source => "source",
            Level::File => "file",
            Level::Pair => "pair",
        }
    }
}

/// What is made of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A relocatable object.
    Object,
    /// An image with stubs for imports.
    Image,
}

/// A module with its proved file.
#[derive(Clone, Debug)]
pub struct Subject {
    /// For people, and to find it again.
    pub name: String,
    /// The module.
    pub wasm: Vec<u8>,
    /// How it is compiled.
    pub config: Config,
    /// To what.
    pub kind: Kind,
    /// The file.
    pub elf: Vec<u8>,
    units: Units,
    output: Output,
    codes: Vec<Code>,
    /// The functions of each type.
    types: Vec<Vec<u32>>,
}

/// A subject with one thing damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// What is damaged, and how.
    pub operator: (Level, &'static str),
    /// Where, and to what.
    pub place: String,
    /// The function that is damaged, if it is one of the module's.
    pub function: Option<u32>,
    /// The module.
    pub wasm: Vec<u8>,
    /// The file.
    pub elf: Vec<u8>,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.operator.0.name(), self.operator.1, self.place)
    }
}

impl Subject {
    /// Compiles a module and has its file proved.
    ///
    /// # Errors
    /// It is refused, by the compiler or by the validator.
    pub fn new(name: &str, wasm: Vec<u8>, config: Config, kind: Kind) -> Result<Subject, Failure> {
        let units = synth::units(&[Input { name: "", wasm: &wasm }], &config, &mut NoTap).map_err(Failure::Refused)?;
        let output = synth::output(&units, &config, &mut NoTap).map_err(Failure::Refused)?;
        let elf = file_of(&output.program, &config, kind).map_err(Failure::NoFile)?;
        let unread = |why: String| Failure::NoJudgement(why);
        let report = check_with(&[Source { name: "", wasm: &wasm }], &elf, &Options::default())
            .map_err(|error| unread(error.to_string()))?;
        if !report.proved() {
            return Err(Failure::Unproved(Box::new(report)));
        }
        let codes = functions(&Elf::read(&elf).map_err(|error| unread(error.to_string()))?);
        let parsed = synth::wasm::parse(&wasm, &config).map_err(Failure::Refused)?;
        let mut types = vec![Vec::new(); parsed.types.len()];
        for (index, function) in parsed.functions.iter() {
            types[function.ty.index()].push(index.0);
        }
        Ok(Subject { name: name.to_owned(), wasm, config, kind, elf, units, output, codes, types })
    }

    /// How many functions it has, the compiler's own included.
    pub fn functions(&self) -> usize {
        self.units.functions.len()
    }

    /// The other functions of a function's type.
    fn alike(&self, function: u32) -> Vec<u32> {
        let of_type = self.types.iter().find(|functions| functions.contains(&function));
        of_type.map(|all| all.iter().copied().filter(|other| *other != function).collect()).unwrap_or_default()
    }

    fn file_of(&self, program: &Program) -> Option<Vec<u8>> {
        file_of(program, &self.config, self.kind).ok()
    }

    /// The function of this symbol, if it is one of the module's: `NAME.f3`.
    fn function_named(&self, symbol: &str) -> Option<u32> {
        symbol.strip_prefix(&format!("{}.f", self.config.module_name))?.parse().ok()
    }
}

fn file_of(program: &Program, config: &Config, kind: Kind) -> Result<Vec<u8>, elf::ElfError> {
    match kind {
        Kind::Object => elf::object(program, config.cpu),
        Kind::Image => {
            let board = config.cpu.boards(config.float)[0];
            let options =
                ImageOptions { imports: Imports::Stubbed, stack_bytes: STACK_BYTES, ..ImageOptions::on(board) };
            elf::image(program, config.cpu, options)
        }
    }
}

/// A mutant of a subject, for which others lend files and hints; `None` where chance leads to no place that can be
/// damaged.
pub fn mutant(subject: &Subject, others: &[Subject], random: &mut Random) -> Option<Mutant> {
    let mut share = random.below(Level::SHARES.iter().map(|(_, share)| share).sum());
    let (level, _) = Level::SHARES.into_iter().find(|(_, of_level)| {
        let here = share < *of_level;
        share = share.wrapping_sub(*of_level);
        here
    })?;
    let mutant = at_level(subject, others, level, random)?;
    (mutant.elf != subject.elf || mutant.wasm != subject.wasm).then_some(mutant)
}

fn at_level(subject: &Subject, others: &[Subject], level: Level, random: &mut Random) -> Option<Mutant> {
    let make = |what, place: String, function, elf| {
        Some(Mutant { operator: (level, what), place, function, wasm: subject.wasm.clone(), elf })
    };
    match level {
        Level::Code => {
            let (what, place, function, elf) = in_code(subject, random)?;
            make(what, place, function, elf)
        }
        Level::Selection | Level::Allocation => {
            let behind = if level == Level::Selection { Behind::Selection } else { Behind::Allocation };
            let (what, function, program) = stages::damage(subject, behind, random)?;
            make(what, format!("function {function}"), Some(function), subject.file_of(&program)?)
        }
        Level::Program => {
            let (what, program) = program::damage(subject, random)?;
            make(what, "the program".to_owned(), None, subject.file_of(&program)?)
        }
        Level::Hints | Level::HintsAndCode => {
            let donors: Vec<_> = others.iter().flat_map(|other| other.output.hints.functions.clone()).collect();
            let (what, hints) = hints::damage(&subject.output.hints, &donors, random)?;
            if level == Level::Hints {
                return make(what, "the hints".to_owned(), None, hints::put(&subject.elf, &hints)?);
            }
            let (of_code, place, function, elf) = in_code(subject, random)?;
            make(what, format!("{of_code} at {place}"), function, hints::put(&elf, &hints)?)
        }
        Level::Source => {
            let (what, at, wasm) = source::damage(&subject.wasm, random)?;
            let elf = hints::of_module(&subject.elf, &wasm)?;
            Some(Mutant { operator: (level, what), place: format!("byte {at:#x}"), function: None, wasm, elf })
        }
        Level::File => {
            let (what, place, elf) = file::damage(&subject.elf, random)?;
            make(what, place, None, elf)
        }
        Level::Pair => {
            let other = &others[pick(random, others.len())?];
            let elf = hints::of_module(&other.elf, &subject.wasm)?;
            make("file of another module", format!("that of {}", other.name), None, elf)
        }
    }
}

/// What is done to the code of a function, where, to which one of the module's, and the file then.
type InCode = (&'static str, String, Option<u32>, Vec<u8>);

fn in_code(subject: &Subject, random: &mut Random) -> Option<InCode> {
    let code = &subject.codes[pick(random, subject.codes.len())?];
    let damage = code.damage(random)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let place = format!("{}+{:#x}: {} becomes {}", code.name, damage.at, hex(&damage.before), hex(&damage.after));
    Some((damage.operator.words(), place, subject.function_named(&code.name), damage.apply(&subject.elf)))
}

/// A place in a list that is not empty.
fn pick(random: &mut Random, length: usize) -> Option<usize> {
    (length > 0).then(|| random.below(length as u64) as usize)
}

/// One of several things that can be done: each kind is as likely as any other, and each of a kind.
fn choose<T>(found: Vec<(&'static str, T)>, random: &mut Random) -> Option<(&'static str, T)> {
    let mut kinds: Vec<&'static str> = found.iter().map(|(what, _)| *what).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kind = kinds[pick(random, kinds.len())?];
    let mut of_kind: Vec<T> = found.into_iter().filter(|(what, _)| *what == kind).map(|(_, thing)| thing).collect();
    let at = pick(random, of_kind.len())?;
    Some((kind, of_kind.swap_remove(at)))
}
