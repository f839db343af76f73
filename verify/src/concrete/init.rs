//! Whether `NAME_init`, or an image's reset, leaves what instantiation demands.
//!
//! Requires: a program that `program::bind` handed out.
//! Ensures: no finding only if the code, run from poison in every register, on the stack, in linear
//! memory and in every cell, leaves exactly the state of [`super::instantiate`], and comes by the same pauses in order:
//! it calls each start function once, after what precedes it is written, and traps where a segment lies outside. Behind
//! such a call, or if a handler goes on behind such a trap, it writes the segments that follow and nothing else, and lets
//! nothing depend on the state. It runs no code but its own, its frame information is true, and an image has the stack
//! that it and the start functions need.
//!
//! The code has no input, so this one run is all its runs. In an object its addresses are regions
//! without a place, so it is all runs of every link.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::abi;
use crate::cfi::FrameTable;
use crate::elf::{Elf, FileKind};
use crate::layout::HARNESS;
use crate::segment::kept::Kept;
use crate::trap::Trap;
use crate::verdict::{Check, Finding};
use crate::wasm::steps::Cause;

use super::bound::Bound;
use super::instantiate::{self, Instantiated, Pause};
use super::region::Memory;
use super::thumb_run::{After, End, External, Outcome, Processor, Surroundings};
use super::trace::Trace;

/// Most instructions of the code, and those it may take for each byte that is mapped: it clears and copies.
const STEPS_MAX: u64 = 1 << 26;
const STEPS_OF_BYTE: u64 = 16;

/// What is known beside the file.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The frame information.
    pub frames: Option<&'a FrameTable>,
    /// Bytes of stack that a start function needs at most.
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
    /// Those of them that were read.
    pub constants: BTreeSet<u32>,
}

/// Checks instantiation.
pub fn check(bound: &Bound<'_>, elf: &Elf<'_>, known: Known<'_>) -> Checked {
    let Some(wanted) = instantiate::run(bound.module, &bound.reserves()) else {
        let findings = vec![finding("the table is too large to instantiate".into())];
        return Checked { findings, ..Checked::default() };
    };
    let mut check = Init { bound, known, wanted, checked: Checked::default() };
    let starts: &[Start] = match bound.program.kind {
        FileKind::Relocatable => &[Start::Init],
        FileKind::Executable => &[Start::Init, Start::Reset],
    };
    for start in starts {
        let ran = check.run(*start, elf).and_then(|trace| check.traces(*start, trace));
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
    known: Known<'a>,
    wanted: Instantiated,
    checked: Checked,
}

impl Init<'_, '_> {
    fn run(&mut self, start: Start, elf: &Elf<'_>) -> Result<Trace, String> {
        let (externals, order) = self.pauses()?;
        let (bound, wanted) = (self.bound, &self.wanted);
        let passed: RefCell<Vec<(Passed, Result<(), String>)>> = RefCell::default();
        let pass = |what: Passed, memory: &mut Memory| {
            let before = passed.borrow().len();
            passed.borrow_mut().push((what, so_far(bound, wanted, before, memory)));
            // A start function, or who handles a trap, may have changed anything.
            bound.forget_state(memory);
        };
        let mut host = |number: usize, _: &[_], memory: &mut Memory| {
            pass(Passed::Call(number), memory);
            Ok(Vec::new())
        };
        let (init, own) = self.code(start)?;
        let mut handler = |trap: Trap, at: u32, memory: &mut Memory| {
            let expected = wanted.pauses.get(passed.borrow().len()).map(|pause| pause.cause);
            if !(init.0..init.1).contains(&at) || expected != Some(Cause::Trap(trap)) {
                return After::End;
            }
            pass(Passed::Trap(trap), memory);
            After::GoOn
        };
        let mut processor = Processor::new(&bound.loaded);
        processor.trace = Some(Trace::within(&[own, init]));
        bound.poison_state(&mut processor.memory);
        let stops: Vec<(u32, u32)> = match (start, elf.section(HARNESS)) {
            // It is entered where it begins, and nowhere else.
            (Start::Reset, Some((_, harness))) => vec![(harness.address, harness.address.saturating_add(2))],
            (Start::Reset | Start::Init, _) => Vec::new(),
        };
        let mut around = Surroundings {
            externals: &externals,
            host: &mut host,
            stops: &stops,
            handler: Some(&mut handler),
            steps_max: processor.memory.bytes().saturating_mul(STEPS_OF_BYTE).min(STEPS_MAX),
        };
        let outcome = match start {
            Start::Init => processor.call(init.0, &Default::default(), &[], &mut around),
            Start::Reset => processor.reset(&mut around),
        };
        ended(start, &outcome)?;
        let passed = passed.into_inner();
        let calls = |passed: &[Passed]| passed.iter().filter(|what| matches!(what, Passed::Call(_))).count();
        let found: Vec<Passed> = passed.iter().map(|(what, _)| *what).collect();
        if calls(&found) != calls(&order) {
            return Err(format!("{} calls of the start function instead of {}", calls(&found), calls(&order)));
        }
        if found.len() != order.len() {
            return Err("it does not trap where segments lie outside".to_owned());
        }
        so_far(bound, wanted, passed.len(), &processor.memory)?;
        for ((what, state), expected) in passed.into_iter().zip(order) {
            state.map_err(|why| format!("{}, {why}", what.words()))?;
            if what != expected {
                return Err("start functions are called, or traps come, in another order".to_owned());
            }
            self.checked.obligations += 1;
        }
        // How it ended, and the state it left.
        self.checked.obligations += 2;
        processor.trace.take().ok_or("there is no trace".to_owned())
    }

    /// The addresses of the init function, and of the code where a run starts.
    fn code(&self, start: Start) -> Result<((u32, u32), (u32, u32)), String> {
        let init = self.bound.program.init.ok_or("there is none")?;
        let own = match start {
            Start::Init => init,
            Start::Reset => self.bound.program.reset.ok_or("there is no symbol Reset for its code")?,
        };
        Ok((init, own))
    }

    /// Judges what a run left behind.
    fn traces(&mut self, start: Start, trace: Trace) -> Result<(), String> {
        let (init, own) = self.code(start)?;
        let of_own = trace.kept.iter().filter(|(at, _)| (own.0..own.1).contains(*at));
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
                let frame = abi::exception_frame_bytes(self.bound.program.target.float);
                let has = stack.map_or(0, |stack| stack.len().saturating_sub(frame));
                if bytes > has {
                    return Err(format!(
                        "it needs {bytes} bytes of stack, the image has {has} above an exception frame"
                    ));
                }
            }
        }
        self.checked.covered.extend(trace.covered);
        self.checked.constants.extend(trace.constants);
        Ok(())
    }

    /// The start functions as ones whose calls are noticed, every other call being a fault; and what is passed, in
    /// order.
    fn pauses(&self) -> Result<(Vec<External>, Vec<Passed>), String> {
        let imported = self.bound.imports().map_err(|fault| fault.to_string())?;
        let (mut externals, mut order): (Vec<External>, Vec<Passed>) = (Vec::new(), Vec::new());
        for Pause { cause, .. } in &self.wanted.pauses {
            let function = match cause {
                Cause::Start(function) => *function,
                Cause::Trap(trap) => {
                    order.push(Passed::Trap(*trap));
                    continue;
                }
            };
            let defined = self.bound.as_external(function);
            let found = defined.or_else(|| imported.get(function as usize).cloned());
            let found = found.ok_or("the start function has no address")?;
            let known = externals.iter().position(|known| known.address == found.address);
            order.push(Passed::Call(known.unwrap_or(externals.len())));
            if known.is_none() {
                externals.push(found);
            }
        }
        Ok((externals, order))
    }
}

/// What a run of instantiation comes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Passed {
    /// A call of the start function with this number.
    Call(usize),
    /// A trap of its own.
    Trap(Trap),
}

impl Passed {
    fn words(self) -> &'static str {
        match self {
            Passed::Call(_) => "at the call of the start function",
            Passed::Trap(_) => "at the trap",
        }
    }
}

/// Whether memory is as it must be behind so many pauses.
fn so_far(bound: &Bound<'_>, wanted: &Instantiated, pauses: usize, memory: &Memory) -> Result<(), String> {
    match pauses.checked_sub(1) {
        None => bound.same_state(&wanted.state, memory),
        Some(last) => {
            let pause = wanted.pauses.get(last).ok_or("it calls or traps too often")?;
            bound.same_writes(pause, memory)
        }
    }
}

fn ended(start: Start, outcome: &Outcome) -> Result<(), String> {
    match (&outcome.end, start) {
        (End::Returned(_), Start::Init) | (End::Reached(_), Start::Reset) => Ok(()),
        (End::Faulted(fault, at), _) => Err(format!("{fault}, at {at:#x}")),
        (End::Unfinished, _) => Err("it takes too many instructions".into()),
        (End::Returned(_) | End::Reached(_) | End::Trapped(..), _) => Err(format!("it ends with {:?}", outcome.end)),
    }
}
