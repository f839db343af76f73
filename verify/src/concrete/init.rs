//! Whether `NAME_init`, or an image's reset, leaves what instantiation demands.
//!
//! Requires: a program that `program::bind` handed out.
//! Ensures: no finding only if the code, run from poison in every register, on the stack, in linear
//! memory and in every cell, leaves exactly the state of [`super::instantiate`], traps where that
//! traps, and calls the start function once, after the state is complete, and nothing else. Behind
//! that call it neither writes the state nor lets anything depend on it. It runs no code but its own, its
//! frame information is true, and an image has the stack that it and the start function need.
//!
//! The code has no input, so this one run is all its runs. In an object its addresses are regions
//! without a place, so it is all runs of every link.

use std::collections::{BTreeMap, BTreeSet};

use crate::cfi::FrameTable;
use crate::elf::{Elf, FileKind};
use crate::segment::kept::Kept;
use crate::trap::Trap;
use crate::verdict::{Check, Finding};
use crate::wasm::module::Module;

use super::bound::Bound;
use super::instantiate::{self, State};
use super::region::Memory;
use super::thumb_run::{End, External, Outcome, Processor, Surroundings};
use super::trace::Trace;

/// Most instructions of the code; clearing a large memory takes a few for each word.
const STEPS_MAX: u64 = 1 << 26;

/// The section in which an image has the harness that runs after instantiation.
const HARNESS: &str = ".synth.harness";

/// What is known beside the file.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The frame information.
    pub frames: Option<&'a FrameTable>,
    /// Bytes of stack that the start function needs.
    pub start_bytes: u32,
}

/// What came of it.
#[derive(Default)]
pub struct Checked {
    /// Obligations closed.
    pub obligations: u32,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// Bytes below SP that `NAME_init` needs, the start function included.
    pub stack_bytes: u32,
    /// Addresses of the code bytes that were run or read.
    pub covered: BTreeSet<u32>,
}

/// Checks instantiation.
pub fn check(bound: &Bound<'_>, elf: &Elf<'_>, known: Known<'_>) -> Checked {
    let Some(wanted) = instantiate::run(bound.module, &bound.reserve_pages()) else {
        let findings = vec![finding("the table is too large to instantiate".into())];
        return Checked { findings, ..Checked::default() };
    };
    let mut check = Init { bound, module: bound.module, known, state: wanted.state, checked: Checked::default() };
    let starts: &[Start] = match bound.program.kind {
        FileKind::Relocatable => &[Start::Init],
        FileKind::Executable => &[Start::Init, Start::Reset],
    };
    for start in starts {
        let ran = check.run(*start, wanted.trap, elf).and_then(|trace| check.traces(*start, trace));
        if let Err(message) = ran {
            check.checked.findings.push(finding(format!("{}: {message}", start.words())));
        }
    }
    check.checked
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
    known: Known<'a>,
    state: State,
    checked: Checked,
}

impl Init<'_, '_> {
    fn run(&mut self, start: Start, trap: Option<Trap>, elf: &Elf<'_>) -> Result<Trace, String> {
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
        processor.trace = Some(Trace::default());
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
            self.checked.obligations += 1;
        }
        // How it ended, and the state it left.
        self.checked.obligations += 2;
        processor.trace.take().ok_or("there is no trace".to_owned())
    }

    /// Judges what a run left behind.
    fn traces(&mut self, start: Start, trace: Trace) -> Result<(), String> {
        let program = self.bound.program;
        let init = program.init.ok_or("there is none")?;
        let own = match start {
            Start::Init => init,
            Start::Reset => program.reset.ok_or("there is no symbol Reset for its code")?,
        };
        let within = |range: (u32, u32), at: u32| range.0 <= at && at < range.1;
        if let Some(at) = trace.kept.keys().find(|at| !within(own, **at) && !within(init, **at)) {
            return Err(format!("it runs the code at {at:#x}, which is not its own"));
        }
        let of_own = trace.kept.iter().filter(|(at, _)| within(own, **at));
        let kept: BTreeMap<u32, Kept> = of_own.map(|(at, kept)| (at - own.0, kept.clone())).collect();
        let bytes = trace.stack_bytes(self.known.start_bytes);
        match start {
            Start::Init => {
                self.checked.findings.extend(self.known.frames.iter().flat_map(|table| table.check(own, &kept)));
                self.checked.stack_bytes = bytes;
            }
            Start::Reset => {
                // Where SP is the same, `NAME_init` runs as it does by itself.
                if trace.kept.get(&init.0).is_none_or(|kept| kept.depths != BTreeSet::from([0])) {
                    return Err("it does not enter the init function with SP as at reset".to_owned());
                }
                let table = self.known.frames.iter();
                self.checked.findings.extend(table.flat_map(|table| table.check_outermost(own, &kept)));
                let stack = self.bound.loaded.memory.region(self.bound.loaded.stack);
                let has = stack.map_or(0, |stack| stack.len());
                if bytes > has {
                    return Err(format!("it needs {bytes} bytes of stack, the image has {has}"));
                }
            }
        }
        self.checked.covered.extend(trace.covered);
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
