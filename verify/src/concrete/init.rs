//! Whether `NAME_init`, or an image's reset, leaves what instantiation demands.
//!
//! Requires: a program that `program::bind` handed out.
//! Ensures: no finding only if the code, run from poison in every register, on the stack, in linear
//! memory and in every cell, leaves exactly the state of [`super::instantiate`], traps where that
//! traps, and calls the start function once, after the state is complete, and nothing else. Behind
//! that call it neither writes the state nor lets anything depend on it.
//!
//! The code has no input, so this one run is all its runs. In an object its addresses are regions
//! without a place, so it is all runs of every link.

use crate::elf::{Elf, FileKind};
use crate::trap::Trap;
use crate::verdict::{Check, Finding};
use crate::wasm::module::Module;

use super::bound::Bound;
use super::instantiate::{self, State};
use super::region::Memory;
use super::thumb_run::{End, External, Outcome, Processor, Surroundings};

/// Most instructions of the code; clearing a large memory takes a few for each word.
const STEPS_MAX: u64 = 1 << 26;

/// The section in which an image has the harness that runs after instantiation.
const HARNESS: &str = ".synth.harness";

/// Checks instantiation. Yields the number of obligations closed, and what does not hold.
pub fn check(bound: &Bound<'_>, elf: &Elf<'_>) -> (u32, Vec<Finding>) {
    let Some(wanted) = instantiate::run(bound.module, bound.reserve_pages()) else {
        return (0, vec![finding("the table is too large to instantiate".into())]);
    };
    let mut check = Init { bound, module: bound.module, state: wanted.state, obligations: 0 };
    let starts: &[Start] = match bound.program.kind {
        FileKind::Relocatable => &[Start::Init],
        FileKind::Executable => &[Start::Init, Start::Reset],
    };
    let mut findings = Vec::new();
    for start in starts {
        if let Err(message) = check.run(*start, wanted.trap, elf) {
            findings.push(finding(format!("{}: {message}", start.words())));
        }
    }
    (check.obligations, findings)
}

fn finding(message: String) -> Finding {
    Finding { at: 0, check: Check::Instantiation, message }
}

/// Where a run starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// At `NAME_init`, as a function.
    Init,
    /// At an image's reset, up to its harness.
    Reset,
}

impl Start {
    fn words(self) -> &'static str {
        match self {
            Start::Init => "the init function",
            Start::Reset => "reset",
        }
    }
}

struct Init<'a, 'b> {
    bound: &'a Bound<'b>,
    module: &'a Module,
    state: State,
    obligations: u32,
}

impl Init<'_, '_> {
    fn run(&mut self, start: Start, trap: Option<Trap>, elf: &Elf<'_>) -> Result<(), String> {
        let externals = self.start_function()?;
        let mut calls: Vec<Result<(), String>> = Vec::new();
        let (bound, state) = (self.bound, &self.state);
        let mut host = |_: usize, _: &[_], memory: &mut Memory| {
            calls.push(bound.same_state(state, memory));
            // The start function may have changed anything: what comes behind it may not touch it.
            bound.freeze_state(memory);
            Ok(Vec::new())
        };
        let mut processor = Processor::new(&bound.loaded);
        bound.poison_state(&mut processor.memory);
        let stops: Vec<(u32, u32)> = match (start, elf.section(HARNESS)) {
            (Start::Reset, Some((_, harness))) => {
                vec![(harness.address, harness.address.saturating_add(harness.bytes))]
            }
            (Start::Reset | Start::Init, _) => Vec::new(),
        };
        let mut around = Surroundings { externals: &externals, host: &mut host, stops: &stops, steps_max: STEPS_MAX };
        let outcome = match start {
            Start::Init => {
                let (entry, _) = bound.program.init.ok_or("there is none")?;
                processor.call(entry, &Default::default(), &[], &mut around)
            }
            Start::Reset => processor.reset(&mut around),
        };
        ended(start, trap, &outcome)?;
        let expected = if trap.is_none() { externals.len() } else { 0 };
        if calls.len() != expected {
            return Err(format!("{} calls of the start function instead of {expected}", calls.len()));
        }
        if calls.is_empty() {
            bound.same_state(state, &processor.memory)?;
        }
        for call in calls {
            call.map_err(|why| format!("at the call of the start function, {why}"))?;
            self.obligations += 1;
        }
        // How it ended, and the state it left.
        self.obligations += 2;
        Ok(())
    }

    /// The start function as one whose calls are noticed; every other call is a fault.
    fn start_function(&self) -> Result<Vec<External>, String> {
        let Some(index) = self.module.start else {
            return Ok(Vec::new());
        };
        let defined = self.bound.as_external(index);
        let imported = self.bound.imports().map_err(|fault| fault.to_string())?;
        let found = defined.or_else(|| imported.into_iter().nth(index as usize));
        Ok(vec![found.ok_or("the start function has no address")?])
    }
}

fn ended(start: Start, trap: Option<Trap>, outcome: &Outcome) -> Result<(), String> {
    match (&outcome.end, trap, start) {
        (End::Returned(_), None, Start::Init) | (End::Reached(_), None, Start::Reset) => Ok(()),
        (End::Trapped(found, _), Some(wanted), Start::Init | Start::Reset) if *found == wanted => Ok(()),
        (End::Faulted(fault, at), _, _) => Err(format!("{fault}, at {at:#x}")),
        (End::Unfinished, _, _) => Err("it takes too many instructions".into()),
        (End::Returned(_) | End::Reached(_) | End::Trapped(..), wanted, _) => {
            Err(format!("it ends with {:?}, in Wasm {wanted:?}", outcome.end))
        }
    }
}
