//! Canaries: damaged copies of a file that was just proved, which the same judgement must refuse.
//!
//! Requires: a file that is Proved. Ensures: each [`Canary`] is a copy with one damage to one function, all of them derived
//! from a hash of the inputs. One that the judgement accepts is given to the concrete interpreters: where both sides
//! agree on every run the damage changed nothing that counts, and another takes its place; where they differ the judgement has
//! been wrong, and [`Canary::lives`].

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::check::{Checks, Options, Source, check_with};
use crate::damage::{self, Damage};
use crate::elf::{Elf, FileKind, Section};
use crate::replay::{self, Random};
use crate::smt::solvers::Solvers;
use crate::verdict::{CheckError, Report, Verdict};

/// Runs of both sides of a function whose damage is accepted.
const RUNS: u32 = 2_000;

/// How many damages are tried for each that must be refused.
const TRIES: u32 = 8;

/// A damaged copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canary {
    /// The function's index.
    pub function: u32,
    /// Its name.
    pub name: String,
    /// What was done to it.
    pub damage: Damage,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a damaged copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The judgement refuses it, in these words.
    Refused(String),
    /// The judgement accepts it, and the runs find no difference.
    Equivalent,
    /// The judgement accepts it, and a run differs, in these words.
    Differs(String),
}

impl Outcome {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Refused(_) => "refused",
            Outcome::Equivalent => "equivalent",
            Outcome::Differs(_) => "differs",
        }
    }

    /// Why.
    pub fn why(&self) -> &str {
        match self {
            Outcome::Refused(why) | Outcome::Differs(why) => why,
            Outcome::Equivalent => "",
        }
    }
}

impl Canary {
    /// Whether the judgement accepts a file that does something else.
    pub fn lives(&self) -> bool {
        matches!(self.outcome, Outcome::Differs(_))
    }
}

/// What the canaries say against the judgement, a line each: copies that live, and functions no damage to which was
/// refused. Without such a line they say nothing against it.
pub fn against(report: &Report, canaries: &[Canary]) -> Vec<String> {
    let living = canaries.iter().filter(|canary| canary.lives()).map(|canary| {
        let (damage, name) = (&canary.damage, &canary.name);
        format!("{name}+{:#x}, {}: {}", damage.at, damage.operator.words(), canary.outcome.why())
    });
    let dies = |function: u32| {
        let mut own = canaries.iter().filter(|canary| canary.function == function);
        own.any(|canary| matches!(canary.outcome, Outcome::Refused(_)))
    };
    let silent = report.functions.iter().filter(|function| !dies(function.function));
    living.chain(silent.map(|function| format!("{}: no damage to it is refused", function.name))).collect()
}

/// Damages each function of a file until so many copies are refused, or enough were tried.
///
/// # Errors
/// The file cannot be read, or a solver fails.
pub fn run(
    sources: &[Source<'_>],
    file: &[u8],
    report: &Report,
    (solvers, count): (Solvers, u32),
) -> Result<Vec<Canary>, CheckError> {
    let options = Options { replays: 0, solvers, ..Options::default() };
    run_under(sources, file, (report, count), &|damaged, place| {
        let only = place.map(|place| place.function);
        // Alone, what the code does is judged, without what is said of its registers.
        let (checks, unlabelled) = place.map_or((Checks::All, (0, 0)), |place| (Checks::Segments, place.bytes));
        refusal(sources, damaged, &Options { checks, only, unlabelled, ..options })
    })
}

/// What is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The function.
    pub function: u32,
    /// Its bytes, from an offset to before another.
    pub bytes: (u32, u32),
}

/// Why a judgement refuses a file, as a whole or for one function; nothing if it accepts it.
pub type Refuses<'a> = dyn Fn(&[u8], Option<Place>) -> Result<Option<String>, CheckError> + 'a;

/// Damages each function of a file until so many copies are refused by a judgement, or enough were tried.
///
/// # Errors
/// The file cannot be read, or there is no judgement.
pub fn run_under(
    sources: &[Source<'_>],
    file: &[u8],
    (report, count): (&Report, u32),
    refuses: &Refuses<'_>,
) -> Result<Vec<Canary>, CheckError> {
    let elf = Elf::read(file).map_err(|error| CheckError::Elf(error.to_string()))?;
    let codes = damage::functions(&elf);
    let mut canaries = Vec::new();
    for function in &report.functions {
        let place = function.record.as_ref().and_then(|record| file_offset(&elf, record.start));
        let code = codes.iter().find(|code| Some(code.file_offset) == place);
        let code = code.ok_or_else(|| CheckError::Elf(format!("the code of {} has no symbol", function.name)))?;
        let mut random = Random::new(seed(sources, file, function.function));
        let (mut refused, mut seen) = (0, BTreeSet::new());
        for _ in 0..TRIES * count {
            if refused == count {
                break;
            }
            let Some(damage) = code.damage(&mut random) else { break };
            if !seen.insert((damage.file_offset, damage.after.clone())) {
                continue;
            }
            let bytes = (damage.at, damage.at + damage.after.len() as u32);
            let place = Place { function: function.function, bytes };
            let outcome = judge(sources, &damage.apply(file), place, refuses)?;
            refused += u32::from(matches!(outcome, Outcome::Refused(_)));
            canaries.push(Canary { function: function.function, name: function.name.clone(), damage, outcome });
        }
    }
    Ok(canaries)
}

/// Where in the file the code at an address is: in an object, the module's section begins at 0.
fn file_offset(elf: &Elf<'_>, address: u32) -> Option<usize> {
    let holds = |section: &&Section| {
        let start = if elf.kind == FileKind::Executable { section.address } else { 0 };
        let is_own = section.name.starts_with(".text") && section.executable;
        is_own && address.checked_sub(start).is_some_and(|offset| offset < section.bytes)
    };
    let section = elf.sections.iter().find(holds)?;
    let start = if elf.kind == FileKind::Executable { section.address } else { 0 };
    Some(section.offset + (address - start) as usize)
}

/// A number that the inputs decide.
fn seed(sources: &[Source<'_>], file: &[u8], function: u32) -> u64 {
    let mut all = Sha256::new();
    sources.iter().for_each(|source| all.update(Sha256::digest(source.wasm)));
    all.update(Sha256::digest(file));
    all.update(function.to_le_bytes());
    let hash: [u8; 32] = all.finalize().into();
    hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The judgement on a damaged file: on the function alone first, which is cheap. It leaves out live ranges, and what hints
/// say of the damaged instruction, so what it refuses is what the code does. What it accepts is run; only where a run differs is the
/// whole asked, hints and all.
fn judge(sources: &[Source<'_>], file: &[u8], place: Place, refuses: &Refuses<'_>) -> Result<Outcome, CheckError> {
    if let Some(why) = refuses(file, Some(place))? {
        return Ok(Outcome::Refused(why));
    }
    let function = place.function;
    let seed = seed(sources, file, function);
    let runs = replay::with_bound(sources, file, |bound| replay::sweep(bound, function, RUNS, seed))?;
    let Some(run) = runs.differs else { return Ok(Outcome::Equivalent) };
    Ok(match refuses(file, None)? {
        Some(why) => Outcome::Refused(why),
        None => Outcome::Differs(format!("Wasm {}, the machine {}", run.wasm, run.machine)),
    })
}

/// Why the judgement refuses a file; nothing if it accepts it as far as it goes.
fn refusal(sources: &[Source<'_>], file: &[u8], options: &Options) -> Result<Option<String>, CheckError> {
    let report = match check_with(sources, file, options) {
        Err(fault @ (CheckError::MissingSolver(_) | CheckError::Solver(_))) => return Err(fault),
        Err(error) => return Ok(Some(error.to_string())),
        Ok(report) => report,
    };
    let open = report.functions.iter().filter(|function| function.verdict != Verdict::Proved);
    let mut findings = report.findings.iter().chain(open.flat_map(|function| &function.findings));
    let found = findings.next().map(|finding| finding.message.clone());
    let accepted = match options.only {
        Some(_) => found.is_none(),
        None => report.proved(),
    };
    Ok((!accepted).then(|| found.unwrap_or_else(|| "something is under no verdict".to_owned())))
}
