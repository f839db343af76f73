//! What becomes of a mutant: the validator refuses it, or others look at what it does.
//!
//! Ensures: nothing that was accepted is called equivalent by the validator's word alone. Either what is loaded is what
//! it was, read by another reader of ELF files; or concrete runs of both sides agree, and beside them, where it is
//! asked, a second judgement that shares neither rules nor solver with the first. A run that differs is a survivor.

use std::fmt;

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};
use synth::qemu::Qemu;
use synth_verify::check::{Options, Solvers, Source, check_with};
use synth_verify::replay::{self, Runs};
use synth_verify::verdict::{CheckError, Report, Verdict};

use crate::agree;
use crate::choices::{Choices, decisions};
use crate::damage::{Kind, Mutant, Subject};

/// What became of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The validator refuses it.
    Killed,
    /// Accepted, and what is loaded is what it was.
    Same,
    /// Accepted; no run differs, and the second judgement agrees.
    Proved,
    /// Accepted; runs agree.
    ByRuns,
    /// Accepted, and neither runs nor the second judgement tell.
    Undecided,
    /// Accepted, and a run differs: a hole in the validator.
    Survivor(String),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Killed => f.write_str("killed"),
            Fate::Same => f.write_str("nothing that is loaded differs"),
            Fate::Proved => f.write_str("equivalent by runs and a second judgement"),
            Fate::ByRuns => f.write_str("equivalent by runs"),
            Fate::Undecided => f.write_str("accepted, and no run tells"),
            Fate::Survivor(why) => write!(f, "SURVIVES: {why}"),
        }
    }
}

/// A validator: the real one, or one that is broken.
pub type Validator = fn(&[Source<'_>], &[u8], &Options) -> Result<Report, CheckError>;

/// Most instructions of one call of an image: a damaged loop may have no end.
const STEPS_MAX: u64 = 1 << 20;

/// Who judges, and how much is asked.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The validator that is tested.
    pub validator: Validator,
    /// Concrete runs of the damaged function, or of all together where it is none.
    pub runs: u32,
    /// Whom a second judgement asks, which normal forms have no part in.
    pub second: Option<Solvers>,
    /// Where images boot, of accepted ones each of so many.
    pub qemu: Option<(Qemu, u64)>,
}

impl Judge {
    /// With the real validator, so many runs and nobody else.
    pub fn new(runs: u32) -> Judge {
        Judge { validator: check_with, runs, second: None, qemu: None }
    }

    /// What becomes of a mutant of this subject. `None` if the module is none that can be compiled.
    pub fn judge(&self, subject: &Subject, mutant: &Mutant, seed: u64) -> Option<Fate> {
        let sources = [Source { name: "", wasm: &mutant.wasm }];
        if mutant.wasm == subject.wasm && self.refuses_alone(mutant) {
            return Some(Fate::Killed);
        }
        match (self.validator)(&sources, &mutant.elf, &Options { replays: 0, ..Options::default() }) {
            Err(CheckError::Wasm(..)) => return None,
            Ok(report) if report.proved() => {}
            Ok(_) | Err(_) => return Some(Fate::Killed),
        }
        if mutant.wasm == subject.wasm
            && let (Some(before), Some(after)) = (loaded(&subject.elf), loaded(&mutant.elf))
            && before == after
        {
            return Some(Fate::Same);
        }
        let runs = match self.run(mutant, seed) {
            Ok(runs) => runs,
            Err(error) => return Some(Fate::Survivor(format!("it cannot be run: {error}"))),
        };
        if let Some(found) = runs.differs {
            let (arguments, seed) = (found.arguments, found.seed);
            let why = format!("Wasm {}, the code {}; arguments {arguments:x?}, seed {seed}", found.wasm, found.machine);
            return Some(Fate::Survivor(why));
        }
        let booted = match self.boot(subject, mutant, seed) {
            Some(Err(why)) => return Some(Fate::Survivor(why)),
            Some(Ok(())) => true,
            None => false,
        };
        // Where the interpreter has no value, runs do not tell: the second judgement must.
        let second = self.second.or(runs.unknown.as_ref().map(|_| Solvers::default()));
        if second.is_some_and(|solvers| proves(solvers, mutant)) {
            return Some(Fate::Proved);
        }
        if runs.unknown.is_some() {
            return Some(Fate::Undecided);
        }
        Some(if runs.agreed * 10 >= self.runs || booted { Fate::ByRuns } else { Fate::Undecided })
    }

    /// Whether the damaged function is refused by itself, which is quicker to see than that the file is.
    fn refuses_alone(&self, mutant: &Mutant) -> bool {
        let Some(function) = mutant.function else { return false };
        let sources = [Source { name: "", wasm: &mutant.wasm }];
        let options = Options { replays: 0, only: Some(function), ..Options::default() };
        (self.validator)(&sources, &mutant.elf, &options).map_or(true, |report| {
            let of_functions = report.functions.iter().flat_map(|function| &function.findings);
            report.findings.iter().chain(of_functions).next().is_some()
        })
    }

    /// Runs the damaged function, and the others.
    fn run(&self, mutant: &Mutant, seed: u64) -> Result<Runs, CheckError> {
        let sources = [Source { name: "", wasm: &mutant.wasm }];
        replay::with_bound(&sources, &mutant.elf, |bound| {
            let all: Vec<u32> = bound.program.functions.keys().copied().collect();
            let others: Vec<u32> = all.into_iter().filter(|function| Some(*function) != mutant.function).collect();
            // Where one function is damaged, the others are little but a check of that.
            let of_all_others = if mutant.function.is_some() { self.runs / 10 } else { self.runs };
            let of_others = (of_all_others / others.len().max(1) as u32).max(1);
            let shares = mutant.function.map(|function| (function, self.runs));
            let shares = shares.into_iter().chain(others.into_iter().map(|function| (function, of_others)));
            let mut total = Runs::default();
            for (function, runs) in shares {
                let of_function = replay::sweep(bound, function, runs, seed);
                total.agreed += of_function.agreed;
                total.unknown = total.unknown.or(of_function.unknown);
                if of_function.differs.is_some() {
                    return Runs { differs: of_function.differs, ..total };
                }
            }
            total
        })
    }

    /// Boots an image and calls its exports, in the interpreter and one of so many in QEMU. `None` where another engine
    /// has no answer, or another one than that of the undamaged image; where the file is no image that it can read; and
    /// where the module is damaged, of whose exports the image's harness does not know.
    fn boot(&self, subject: &Subject, mutant: &Mutant, seed: u64) -> Option<Result<(), String>> {
        if subject.kind != Kind::Image || mutant.wasm != subject.wasm || agree::firmware(&mutant.elf).is_err() {
            return None;
        }
        let qemu = self.qemu.as_ref().filter(|(_, one_of)| seed.is_multiple_of(*one_of)).map(|(qemu, _)| qemu);
        let difference = |wasm: &[u8], elf: &[u8]| {
            let bytes = decisions(seed, 500);
            let wanted = agree::reference(wasm, &subject.config, &mut Choices::new(&bytes))?;
            let firmware = agree::firmware(elf)?;
            let modelled = agree::modelled(&firmware, &wanted.actions, STEPS_MAX);
            let of_model = agree::difference(&wanted, modelled).map(|why| format!("in the interpreter {why}"));
            let in_qemu = || agree::difference(&wanted, qemu?.run(&firmware, &wanted.actions));
            Ok::<_, String>(of_model.or_else(|| in_qemu().map(|why| format!("in QEMU {why}"))))
        };
        if difference(&subject.wasm, &subject.elf) != Ok(None) {
            return None;
        }
        match difference(&mutant.wasm, &mutant.elf) {
            Ok(None) => Some(Ok(())),
            Ok(Some(why)) | Err(why) => Some(Err(why)),
        }
    }
}

/// Whether raw terms and these solvers prove it too: the damaged function, or all.
fn proves(solvers: Solvers, mutant: &Mutant) -> bool {
    let sources = [Source { name: "", wasm: &mutant.wasm }];
    let options = Options { replays: 0, rules: false, solvers, only: mutant.function, ..Options::default() };
    check_with(&sources, &mutant.elf, &options).is_ok_and(|report| match mutant.function {
        Some(_) => report.functions.iter().all(|of_function| of_function.verdict == Verdict::Proved),
        None => report.proved(),
    })
}

/// Everything of a file that loading, linking and calling depend on, as another reader sees it.
#[derive(PartialEq, Eq, Debug)]
struct Loaded {
    entry: u64,
    segments: Vec<(u64, u64, Vec<u8>, String)>,
    sections: Vec<(String, u64, u64, u64, String, Vec<u8>, Vec<String>)>,
    symbols: Vec<(String, u64, u64, String)>,
}

fn loaded(elf: &[u8]) -> Option<Loaded> {
    let file = object::File::parse(elf).ok()?;
    let mut segments = Vec::new();
    for segment in file.segments() {
        let flags = format!("{:?}", segment.flags());
        segments.push((segment.address(), segment.size(), segment.data().ok()?.to_vec(), flags));
    }
    let mut sections = Vec::new();
    for section in file.sections() {
        let object::SectionFlags::Elf { sh_flags, sh_type } = section.flags() else { return None };
        if sh_flags.0 & object::elf::SHF_ALLOC.0 == 0 {
            continue;
        }
        let name = |index| file.symbol_by_index(index).ok().and_then(|symbol| symbol.name().ok().map(str::to_owned));
        let relocations = section.relocations().map(|(at, relocation)| {
            let target = match relocation.target() {
                object::RelocationTarget::Symbol(index) => name(index),
                _ => None,
            };
            format!("{at:#x} {:?} {target:?} {}", relocation.flags(), relocation.addend())
        });
        sections.push((
            section.name().ok()?.to_owned(),
            section.address(),
            section.size(),
            section.align(),
            format!("{sh_type:?} {sh_flags:?}"),
            section.data().ok()?.to_vec(),
            relocations.collect(),
        ));
    }
    let symbols = file.symbols().filter(|symbol| !symbol.name().is_ok_and(|name| name.starts_with('$')));
    let symbols = symbols.map(|symbol| {
        let place = format!("{:?} {:?} {:?}", symbol.section(), symbol.kind(), symbol.flags());
        Some((symbol.name().ok()?.to_owned(), symbol.address(), symbol.size(), place))
    });
    Some(Loaded { entry: file.entry(), segments, sections, symbols: symbols.collect::<Option<_>>()? })
}
