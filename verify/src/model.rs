//! Runs a boot image in the concrete interpreter: what `synth run --engine model` does.
//!
//! Ensures: the image runs from reset to its harness, then each action is done in order on that one
//! instance. A run that the interpreter cannot vouch for (a read of memory nobody has set, a broken
//! calling convention) is an error, never an outcome.

use std::fmt;

use crate::concrete::load::{self, Loaded};
use crate::concrete::region::Memory;
use crate::concrete::thumb_run::{After, End, Handler, Host, Outcome as Run, Processor, Surroundings};
use crate::concrete::word::Word;
use crate::elf::{Elf, FileKind};
use crate::trap::Trap;

pub use crate::wasm::module::{Constant, FunctionType, ValueType};

/// The section that the image goes to after instantiation.
const HARNESS: &str = ".synth.harness";

/// Something to do with an instance. Addresses are the machine's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Put bytes at an address.
    Write(u32, Vec<u8>),
    /// Call the function at an address, bit 0 clear.
    Call(u32, FunctionType, Vec<Constant>),
    /// Get this many bytes at an address.
    Read(u32, u32),
}

/// What an action gave. A write gives nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The results of a call, and the instructions it took.
    Returned(Vec<Constant>, u64),
    /// A call trapped, after so many instructions.
    Trapped(Trapped, u64),
    /// The bytes read.
    Bytes(Vec<u8>),
}

/// A trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trapped {
    /// Which.
    pub trap: Trap,
    /// The address of code where it is.
    pub at: u32,
    /// What LR held there, if that is a number that is known.
    pub link: Option<u32>,
}

/// Why there are no outcomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModelError {
    /// The file cannot be run.
    File(String),
    /// Instantiation trapped.
    NotInstantiated(Trapped),
    /// The interpreter does not vouch for the run, at an address of code.
    Fault(String, u32),
    /// More instructions than the limit.
    Unfinished(u64),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelError::File(why) => f.write_str(why),
            ModelError::NotInstantiated(Trapped { trap, at, .. }) => {
                write!(f, "instantiation trapped at {at:#x}: {}", trap.words())
            }
            ModelError::Fault(why, at) => write!(f, "at {at:#x}: {why}"),
            ModelError::Unfinished(steps) => write!(f, "no end after {steps} instructions"),
        }
    }
}

impl std::error::Error for ModelError {}

/// Does the actions, each call in at most `steps_max` instructions.
///
/// # Errors
/// There is no run that the interpreter vouches for, or instantiation traps.
pub fn run(image: &[u8], actions: &[Action], steps_max: u64) -> Result<Vec<Outcome>, ModelError> {
    let elf = Elf::read(image).map_err(|error| ModelError::File(error.to_string()))?;
    let machine = Machine::new(&elf, steps_max)?;
    let mut processor = Processor::new(&machine.loaded);
    let started = machine.reset(&mut processor, None);
    match started.end {
        End::Reached(_) => machine.steps(&mut processor, actions),
        End::Trapped(trap, at) => Err(ModelError::NotInstantiated(Trapped { trap, at, link: processor.link() })),
        End::Returned(_) | End::Faulted(..) | End::Unfinished => Err(no_outcome(&started)),
    }
}

/// A part of instantiation, and what is done behind it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// The trap that ends the part.
    pub trap: Option<Trapped>,
    /// What the actions gave.
    pub outcomes: Vec<Outcome>,
}

/// Goes on where instantiation traps: in each turn it runs up to its next trap or its end, then the actions are done.
/// `NAME_init` has these addresses; behind a trap elsewhere there is no more of it.
///
/// # Errors
/// There is no run that the interpreter vouches for.
pub fn run_in_turns(
    image: &[u8],
    init: (u32, u32),
    turns: &[Vec<Action>],
    steps_max: u64,
) -> Result<Vec<Turn>, ModelError> {
    let elf = Elf::read(image).map_err(|error| ModelError::File(error.to_string()))?;
    let machine = Machine::new(&elf, steps_max)?;
    let (mut ran, mut failed): (Vec<Turn>, Option<ModelError>) = (Vec::new(), None);
    let mut handler = |trap, at: u32, memory: &mut Memory| {
        let is_own = (init.0..init.1).contains(&at);
        // Other calls have the stack to themselves.
        let stack = memory.region(machine.loaded.stack).cloned();
        let mut processor = Processor::new(&machine.loaded);
        std::mem::swap(&mut processor.memory, memory);
        let actions = turns.get(ran.len()).map_or(&[][..], Vec::as_slice);
        match machine.steps(&mut processor, actions) {
            Ok(outcomes) => ran.push(Turn { trap: Some(Trapped { trap, at, link: None }), outcomes }),
            Err(error) => failed = Some(error),
        }
        std::mem::swap(&mut processor.memory, memory);
        if let (Some(own), Some(stack)) = (memory.region_mut(machine.loaded.stack), stack) {
            *own = stack;
        }
        if is_own && failed.is_none() && ran.len() < turns.len() { After::GoOn } else { After::End }
    };
    let mut processor = Processor::new(&machine.loaded);
    let started = machine.reset(&mut processor, Some(&mut handler));
    match started.end {
        End::Reached(_) | End::Trapped(..) => {}
        End::Returned(_) | End::Faulted(..) | End::Unfinished => return Err(no_outcome(&started)),
    }
    if let Some(error) = failed {
        return Err(error);
    }
    while ran.len() < turns.len() {
        let outcomes = machine.steps(&mut processor, &turns[ran.len()])?;
        ran.push(Turn { trap: None, outcomes });
    }
    Ok(ran)
}

/// An image, loaded.
struct Machine {
    loaded: Loaded,
    /// The addresses of the harness.
    harness: (u32, u32),
    steps_max: u64,
}

impl Machine {
    fn new(elf: &Elf<'_>, steps_max: u64) -> Result<Machine, ModelError> {
        let harness = elf.section(HARNESS).filter(|_| elf.kind == FileKind::Executable);
        let (_, harness) = harness.ok_or_else(|| ModelError::File("this is no boot image".to_owned()))?;
        let loaded = load::run(elf).map_err(|fault| ModelError::File(fault.to_string()))?;
        Ok(Machine { loaded, harness: (harness.address, harness.address + harness.bytes), steps_max })
    }

    /// Runs from reset to the harness.
    fn reset(&self, processor: &mut Processor<'_>, handler: Option<&mut Handler<'_>>) -> Run {
        let host: &mut Host<'_> = &mut |_, _, _| Err("nobody provides it".to_owned());
        let stops = [self.harness];
        processor.reset(&mut Surroundings { externals: &[], host, stops: &stops, handler, steps_max: self.steps_max })
    }

    /// Does the actions. The stubs of imports lie in the harness; a call may run them.
    fn steps(&self, processor: &mut Processor<'_>, actions: &[Action]) -> Result<Vec<Outcome>, ModelError> {
        let host: &mut Host<'_> = &mut |_, _, _| Err("nobody provides it".to_owned());
        let mut around = Surroundings { externals: &[], host, stops: &[], handler: None, steps_max: self.steps_max };
        let mut outcomes = Vec::new();
        for action in actions {
            outcomes.extend(step(processor, &mut around, action)?);
        }
        Ok(outcomes)
    }
}

fn step(
    processor: &mut Processor<'_>,
    around: &mut Surroundings<'_, '_>,
    action: &Action,
) -> Result<Option<Outcome>, ModelError> {
    match action {
        Action::Write(address, bytes) => {
            let (region, offset) = locate(processor, *address, bytes.len())?;
            let region = processor.memory.region_mut(region).ok_or_else(|| outside(*address))?;
            region.set_bytes(offset, bytes).map_err(|fault| ModelError::Fault(fault.to_string(), *address))?;
            Ok(None)
        }
        Action::Call(function, signature, arguments) => {
            let run = processor.call(*function, signature, arguments, around);
            match run.end {
                End::Returned(results) => Ok(Some(Outcome::Returned(results, run.steps))),
                End::Trapped(trap, at) => {
                    let trapped = Trapped { trap, at, link: processor.link() };
                    Ok(Some(Outcome::Trapped(trapped, run.steps)))
                }
                End::Reached(_) | End::Faulted(..) | End::Unfinished => Err(no_outcome(&run)),
            }
        }
        Action::Read(address, count) => {
            let (region, offset) = locate(processor, *address, *count as usize)?;
            let region = processor.memory.region(region).ok_or_else(|| outside(*address))?;
            let unset = |at| ModelError::Fault(format!("byte {at:#x} of memory is no integer"), *address);
            Ok(Some(Outcome::Bytes(region.integers(offset, *count).map_err(unset)?.to_vec())))
        }
    }
}

fn locate(processor: &Processor<'_>, address: u32, bytes: usize) -> Result<(u32, u32), ModelError> {
    let bytes = u32::try_from(bytes).map_err(|_| outside(address))?;
    processor.memory.locate(Word::Int(address), bytes).ok_or_else(|| outside(address))
}

fn outside(address: u32) -> ModelError {
    ModelError::Fault("the bytes lie in no one region".to_owned(), address)
}

fn no_outcome(run: &Run) -> ModelError {
    match &run.end {
        End::Faulted(fault, at) => ModelError::Fault(fault.to_string(), *at),
        End::Unfinished => ModelError::Unfinished(run.steps),
        End::Returned(_) => ModelError::Fault("it returned to nowhere".to_owned(), 0),
        End::Trapped(trap, at) => ModelError::Fault(trap.words().to_owned(), *at),
        End::Reached(at) => ModelError::Fault("it came to the harness".to_owned(), *at),
    }
}
