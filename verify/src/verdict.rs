//! What the validator says: verdicts, the obligations behind them, and how each was closed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::smt::solvers::Fault;
use crate::thumb::feature::Target;
use crate::trap::Trap;

/// The judgement on one function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every obligation was closed.
    Proved,
    /// A run from the function's entry on which Wasm and machine code differ.
    Refuted(Counterexample),
    /// Not proved, and not shown wrong either. A refusal all the same.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Proved => "Proved",
            Verdict::Refuted(_) => "Refuted",
            Verdict::Unknown => "Unknown",
        })
    }
}

/// A concrete run, replayed through both interpreters, on which the two sides differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// The arguments, `i32` zero-extended.
    pub arguments: Vec<u64>,
    /// Seed of the contents of memory and globals.
    pub seed: u64,
    /// What Wasm does, in words.
    pub wasm: String,
    /// What the machine code does, in words.
    pub machine: String,
}

/// Something that had to hold and was not shown to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Byte offset in the function (or in the file, for findings about the file).
    pub at: u32,
    /// Which check found it.
    pub check: Check,
    /// What does not hold, in one sentence.
    pub message: String,
}

/// The independent checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Check {
    /// Live ranges rebuilt from the machine code, and the colouring of them.
    Ranges,
    /// The proof of each segment.
    Segment,
    /// Symbols, relocations, sections, coverage.
    File,
    /// Instantiation, startup.
    Instantiation,
    /// Stack need.
    Stack,
    /// Frame information for debuggers.
    FrameInformation,
}

/// What kind of thing had to be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Kind {
    /// A result of the function, or a callee-saved register, SP or return address at its end.
    Return,
    /// The trap and the state at it.
    Trap,
    /// An argument, or the state, at a call.
    Call,
    /// A Wasm local or operand-stack slot at a cut.
    Source,
    /// A machine location at a cut.
    Location,
    /// A fact at a cut.
    Fact,
    /// Memory, globals or memory length at a cut.
    World,
    /// A memory access lies in a region.
    Access,
    /// A register-to-register copy holds the value it is said to hold.
    Move,
    /// A stored word is the value it is said to be.
    Spill,
    /// A loaded word is the value it is said to be.
    Reload,
    /// A recomputed word is the value it is said to be.
    Remat,
}

/// How an obligation was closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Method {
    /// Both sides were the same term before any rule.
    Same,
    /// Both sides have one normal form.
    Rules,
    /// Both sides have one normal form under the facts of the path.
    Facts,
    /// The solver found no counterexample.
    Solver,
    /// The path cannot be taken.
    Infeasible,
}

/// One closed obligation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obligation {
    /// Byte offset in the function of the instruction at which it holds.
    pub at: u32,
    /// What had to be shown.
    pub kind: Kind,
    /// How it was.
    pub method: Method,
    /// Which of the function's queries the solver found that no state satisfies, if those are kept.
    pub query: Option<u32>,
}

/// A way from an instruction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// Its condition holds.
    Taken,
    /// Its condition does not hold.
    NotTaken,
    /// Any: the instruction itself is run in no state.
    On,
}

impl Way {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Way::Taken => "taken",
            Way::NotTaken => "not taken",
            Way::On => "any",
        }
    }
}

/// The judgement on one function with its grounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionReport {
    /// Wasm function index.
    pub function: u32,
    /// Its name for people.
    pub name: String,
    /// The judgement.
    pub verdict: Verdict,
    /// Why it is not Proved; empty if it is.
    pub findings: Vec<Finding>,
    /// The closed obligations, in the order of the walk.
    pub obligations: Vec<Obligation>,
    /// Straight-line segments walked.
    pub segments: u32,
    /// Bytes of code.
    pub code_bytes: u32,
    /// Bytes of stack below SP at entry, callees included where they are bounded.
    pub stack_bytes: u32,
    /// Ways that no state of some path takes, by the offset of the instruction that they leave, and of how many paths.
    pub dead: BTreeMap<(u32, Way), u32>,
    /// What stands behind the judgement, if it is to be kept.
    pub record: Option<Record>,
}

/// What stands behind the judgement on a function, for those who read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// First address of its code.
    pub start: u32,
    /// The queries that no state satisfies, in the SMT-LIB language.
    pub queries: Vec<String>,
    /// Offsets of instructions that some path runs.
    pub run: BTreeSet<u32>,
    /// Offsets of bytes that are read as literals and jump tables.
    pub constants: BTreeSet<u32>,
    /// Which value is where, and for how long.
    pub ranges: Vec<LiveRange>,
    /// The Wasm offset that an instruction is there for, as the hints say.
    pub sources: BTreeMap<u32, u32>,
    /// Whether it stands behind the module's own functions: the compiler's, not the user's.
    pub is_helper: bool,
}

/// A location that holds one value from one instruction to another, both included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LiveRange {
    /// The value's name.
    pub name: String,
    /// The register or the word of the frame.
    pub location: String,
    /// Offset of the first instruction before which it is there.
    pub from: u32,
    /// Offset of the last.
    pub to: u32,
}

/// The judgement on a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// One per function that has code.
    pub functions: Vec<FunctionReport>,
    /// What does not hold of the file as a whole.
    pub findings: Vec<Finding>,
    /// Bytes of executable sections under no verdict.
    pub uncovered_bytes: u32,
    /// What the verdict rests on besides the trusted base, a sentence each.
    pub assumptions: Vec<String>,
    /// Obligations about the file: instantiation, symbols, relocations.
    pub file_obligations: u32,
    /// Bytes of stack below SP that `NAME_init` needs, the start function included as far as it is bounded.
    pub init_stack_bytes: u32,
    /// What the judgement is for.
    pub target: Option<Target>,
    /// First address of instantiation's and startup's code, and behind its last.
    pub startup: Vec<(u32, u32)>,
}

impl Report {
    /// Whether the file may be written: everything Proved, nothing open, nothing left out.
    pub fn proved(&self) -> bool {
        let complete = self.functions.iter().all(|f| f.verdict == Verdict::Proved && !f.obligations.is_empty());
        complete && self.findings.is_empty() && self.uncovered_bytes == 0 && self.file_obligations > 0
    }

    /// Whether some function is shown wrong by a concrete run.
    pub fn refuted(&self) -> bool {
        self.functions.iter().any(|f| matches!(f.verdict, Verdict::Refuted(_)))
    }

    /// Number of obligations by method.
    pub fn methods(&self) -> BTreeMap<Method, u32> {
        let mut counts = BTreeMap::new();
        for obligation in self.functions.iter().flat_map(|f| &f.obligations) {
            *counts.entry(obligation.method).or_default() += 1;
        }
        counts
    }
}

/// Why there is no judgement at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckError {
    /// The Wasm bytes of the input of this number are no valid module within scope, or do not fit those before.
    Wasm(usize, String),
    /// The ELF bytes are no usable file.
    Elf(String),
    /// The hint section is missing or unreadable.
    Hints(String),
    /// The ELF was made from another module.
    OtherModule(String),
    /// A solver that was asked for is missing.
    MissingSolver(String),
    /// A solver failed, or two contradict each other.
    Solver(String),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = match self {
            CheckError::Wasm(_, why) => ("the Wasm module", why),
            CheckError::Elf(why) => ("the ELF file", why),
            CheckError::Hints(why) => ("the hints", why),
            CheckError::OtherModule(why) => ("the pair of files", why),
            CheckError::MissingSolver(why) | CheckError::Solver(why) => ("the solvers", why),
        };
        write!(f, "{what}: {why}")
    }
}

impl std::error::Error for CheckError {}

impl From<Fault> for CheckError {
    fn from(fault: Fault) -> CheckError {
        match fault {
            Fault::Missing(why) => CheckError::MissingSolver(why),
            Fault::Failed(why) => CheckError::Solver(why),
        }
    }
}

/// How a function ends, for messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With these results.
    Returned(Vec<u64>),
    /// By a trap.
    Trapped(Trap),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_not_proved() {
        let function = FunctionReport {
            function: 0,
            name: "f".to_owned(),
            verdict: Verdict::Proved,
            findings: Vec::new(),
            obligations: vec![Obligation { at: 0, kind: Kind::Return, method: Method::Same, query: None }],
            segments: 1,
            code_bytes: 2,
            stack_bytes: 0,
            dead: BTreeMap::new(),
            record: None,
        };
        let whole = Report { functions: vec![function.clone(), function], file_obligations: 1, ..Report::default() };
        assert!(whole.proved());
        let without = |change: &dyn Fn(&mut Report)| {
            let mut report = whole.clone();
            change(&mut report);
            report.proved()
        };
        assert!(!Report::default().proved(), "a report of nothing");
        assert!(!without(&|report| report.file_obligations = 0));
        assert!(!without(&|report| report.uncovered_bytes = 1));
        assert!(!without(&|report| report.functions[1].obligations.clear()));
        assert!(!without(&|report| report.functions[1].verdict = Verdict::Unknown));
        let finding = Finding { at: 0, check: Check::File, message: "something".to_owned() };
        assert!(!without(&|report| report.findings.push(finding.clone())));
    }
}
