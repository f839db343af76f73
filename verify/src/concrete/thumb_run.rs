//! The concrete interpreter of machine code: [`crate::thumb::sem`] over [`Word`]s.
//!
//! Requires: a loaded file.
//! Ensures: [`Processor::run`] ends, after a bounded number of instructions; a run that reports
//! [`End::Returned`] kept the contract of `docs/abi.md` on its way: callee-saved registers and SP
//! as at entry, no access below SP or in the caller's frame, no decision, address or result that
//! depends on a register or a byte that nobody has set.

use std::collections::BTreeSet;

use super::load::{Loaded, Patch};
use super::region::{Access, Memory};
use super::trace::Trace;
use super::word::{Concrete, Extent, Fault, RegionIndex, Truth, Word};
use crate::abi::{self, Convention, Place, Results};
use crate::hints::{Location, Sort};
use crate::segment::kept::{Kept, LR, of_the_caller};
use crate::thumb::decode::decode;
use crate::thumb::feature::{FloatUnit, Target};
use crate::thumb::inst::{Inst, Reg, System, Width};
use crate::thumb::sem::{self, Alignment, Flags, Flow, ItState, Machine};
use crate::trap::Trap;
use crate::wasm::module::{Constant, FunctionType, ValueType};

pub mod state;

/// The address that every run returns to: code that no file has.
const RETURN: Word = Word::Pointer { region: RegionIndex::MAX, offset: 1 };

/// What a callee-saved register holds at entry: an address in a region that no file has.
fn token(register: u8) -> Word {
    Word::Pointer { region: RegionIndex::MAX - 1 - u32::from(register), offset: 0 }
}

/// A function outside of what is run, by its address with bit 0 set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct External {
    /// Where calls of it go.
    pub address: Word,
    /// Its type.
    pub signature: FunctionType,
}

/// What an external function does: its number, its arguments, all memory; yields its results.
pub type Host<'h> = dyn FnMut(usize, &[Constant], &mut Memory) -> Result<Vec<Constant>, String> + 'h;

/// What a run may do and where it stops.
pub struct Surroundings<'s, 'h> {
    /// Functions outside of what is run.
    pub externals: &'s [External],
    /// What they do.
    pub host: &'s mut Host<'h>,
    /// Code at whose first visit the run stops: half-open ranges of addresses.
    pub stops: &'s [(u32, u32)],
    /// Who handles traps.
    pub handler: Option<&'s mut Handler<'h>>,
    /// Most instructions.
    pub steps_max: u64,
}

/// What handles a trap at an address of code, which sees all memory.
pub type Handler<'h> = dyn FnMut(Trap, u32, &mut Memory) -> After + 'h;

/// What follows a trap that is handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// The instruction behind it.
    GoOn,
    /// Nothing: it ends the run.
    End,
}

/// Bytes of the instruction that traps.
const TRAP_BYTES: u32 = 2;

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It returned results and kept the contract.
    Returned(Vec<Constant>),
    /// It reported a trap at an address of code.
    Trapped(Trap, u32),
    /// It came to one of the stops.
    Reached(u32),
    /// It broke a rule at an address of code.
    Faulted(Fault, u32),
    /// It took too many instructions; nothing is said of it.
    Unfinished,
}

/// A run's end and its length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Instructions run.
    pub steps: u64,
}

/// A core with the memory of a loaded file.
pub struct Processor<'p> {
    loaded: &'p Loaded,
    /// Memory as it stands.
    pub memory: Memory,
    /// By number; that of PC means nothing.
    registers: [Word; Reg::COUNT],
    flags: Flags<Processor<'p>>,
    float_flags: Flags<Processor<'p>>,
    it: ItState,
    /// The first byte of the stack that belongs to the caller.
    stack_end: u32,
    /// What the caller leaves to the callee for several results: half-open, in the stack.
    area: (u32, u32),
    /// How far start-up code has come with the floating-point unit; nothing where other code runs.
    unit: Option<UnitState>,
    /// What the run leaves behind, if somebody wants to know.
    pub trace: Option<Trace>,
}

/// Coprocessor access control register (DDI0403, B3.2.20).
const CPACR: Word = Word::Int(0xe000_ed88);

/// What start-up code writes there: full access to the floating-point unit, which is coprocessors 10 and 11.
const FULL_ACCESS: Word = Word::Int(0x00f0_0000);

/// FPSCR with DN alone (DDI0403, A2.5.3): rounding to nearest, no flushing to zero, default NaNs.
const STATUS: Word = Word::Int(1 << 25);

/// What start-up code has done for the floating-point unit. Each step follows the one before, and nothing else may
/// be done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitState {
    /// As at reset.
    Off,
    /// Access is allowed.
    Enabled,
    /// And DSB has waited for it.
    Written,
    /// And ISB has made it hold.
    Usable,
    /// FPSCR is set.
    Set,
}

/// Why the loop ends.
enum Leave {
    Return,
    Trap(Trap),
    Stop,
}

impl<'p> Processor<'p> {
    /// What LR holds, if it is a number.
    pub fn link(&self) -> Option<u32> {
        match self.registers[usize::from(Reg::LR.number())] {
            Word::Int(link) => Some(link),
            Word::Pointer { .. } | Word::Low { .. } | Word::Poison => None,
        }
    }

    /// A core on which nothing has run.
    pub fn new(loaded: &'p Loaded) -> Processor<'p> {
        Processor {
            loaded,
            memory: loaded.memory.clone(),
            registers: [Word::Poison; Reg::COUNT],
            flags: Flags::from_bits([Truth::Poison; 4]),
            float_flags: Flags::from_bits([Truth::Poison; 4]),
            it: ItState::default(),
            stack_end: 0,
            area: (0, 0),
            unit: None,
            trace: None,
        }
    }

    /// Calls a function under AAPCS and runs it to its end.
    pub fn call(
        &mut self,
        function: u32,
        signature: &FunctionType,
        arguments: &[Constant],
        around: &mut Surroundings<'_, '_>,
    ) -> Outcome {
        let sp = match self.enter(signature, arguments) {
            Ok(sp) => sp,
            Err(fault) => {
                return Outcome { end: End::Faulted(fault, function), steps: 0 };
            }
        };
        let (left, pc, steps) = self.go(function, around);
        let end = match left {
            Ok(Some(Leave::Return)) => match self.leave(signature, sp) {
                Ok(results) => End::Returned(results),
                Err(fault) => End::Faulted(fault, pc),
            },
            Ok(Some(Leave::Trap(trap))) => End::Trapped(trap, pc),
            Ok(Some(Leave::Stop)) => End::Reached(pc),
            Ok(None) => End::Unfinished,
            Err(fault) => End::Faulted(fault, pc),
        };
        Outcome { end, steps }
    }

    /// Runs an image from reset (DDI0403, B1.5.5): SP and PC from the vector table.
    pub fn reset(&mut self, around: &mut Surroundings<'_, '_>) -> Outcome {
        let table = self.loaded.vectors;
        let vectors = [table, table + 4].map(|at| self.memory.load(Word::Int(at), Width::Word));
        let (Ok(sp), Ok(entry)) = (&vectors[0], &vectors[1]) else {
            let fault = Fault::Unmapped { address: Word::Int(table), why: "no vector table" };
            return Outcome { end: End::Faulted(fault, 0), steps: 0 };
        };
        let Some(entry) = self.loaded.code_address(*entry) else {
            let fault = Fault::Unmapped { address: *entry, why: "no Thumb code for reset" };
            return Outcome { end: End::Faulted(fault, 0), steps: 0 };
        };
        self.clear();
        self.unit = Some(UnitState::Off);
        self.registers[13] = *sp;
        let (left, pc, steps) = self.go(entry, around);
        if matches!(left, Ok(Some(Leave::Stop)))
            && self.loaded.target.float != FloatUnit::None
            && self.unit != Some(UnitState::Set)
        {
            let fault = Fault::Other("the floating-point unit is not set up".into());
            return Outcome { end: End::Faulted(fault, pc), steps };
        }
        self.unit = None;
        let end = match left {
            Ok(Some(Leave::Return)) => End::Faulted(Fault::Other("reset has nowhere to return to".into()), pc),
            Ok(Some(Leave::Trap(trap))) => End::Trapped(trap, pc),
            Ok(Some(Leave::Stop)) => End::Reached(pc),
            Ok(None) => End::Unfinished,
            Err(fault) => End::Faulted(fault, pc),
        };
        Outcome { end, steps }
    }

    fn clear(&mut self) {
        self.registers = [Word::Poison; Reg::COUNT];
        self.forget_flags();
        self.it = ItState::default();
        self.stack_end = self.stack_bytes();
        self.area = (self.stack_end, self.stack_end);
        if let Some(stack) = self.memory.region_mut(self.loaded.stack) {
            stack.poison(0, stack.len());
        }
    }

    fn forget_flags(&mut self) {
        self.flags = Flags::from_bits([Truth::Poison; 4]);
        self.float_flags = Flags::from_bits([Truth::Poison; 4]);
    }

    fn convention(&self, signature: &FunctionType) -> Convention {
        abi::convention(signature, self.loaded.target.variant)
    }

    fn stack_bytes(&self) -> u32 {
        self.memory.region(self.loaded.stack).map_or(0, |stack| stack.len())
    }

    /// Sets registers and stack as a caller does. Yields SP.
    fn enter(&mut self, signature: &FunctionType, arguments: &[Constant]) -> Result<Word, Fault> {
        let given: Vec<Sort> = arguments.iter().map(|value| value.sort()).collect();
        if given != sorts(&signature.parameters) {
            return Err(Fault::Other("arguments of other types".into()));
        }
        self.clear();
        let Convention { arguments: places, stack_bytes: bytes, results } = self.convention(signature);
        let area = self.stack_bytes().checked_sub(results.area_bytes());
        let top = area.and_then(|area| area.checked_sub(bytes.next_multiple_of(8)));
        let (Some(area), Some(top)) = (area, top) else {
            return Err(Fault::Other("the stack is smaller than the arguments".into()));
        };
        let sp = self.memory.address(self.loaded.stack, top);
        self.stack_end = top + bytes;
        self.area = (area, self.stack_bytes());
        if let Results::Area { .. } = results {
            self.registers[0] = self.memory.address(self.loaded.stack, area);
        }
        for register in abi::callee_saved(self.loaded.target.float) {
            self.registers[usize::from(register)] = token(register);
        }
        self.registers[13] = sp;
        self.registers[14] = RETURN;
        for (argument, places) in arguments.iter().zip(places) {
            for (word, place) in words(*argument).into_iter().zip(places) {
                match place {
                    Place::Register(register) => self.registers[usize::from(register)] = word,
                    Place::Stack(offset) => {
                        self.memory.store(sp.plus(offset), Width::Word, word)?;
                    }
                }
            }
        }
        Ok(sp)
    }

    /// Checks what a callee owes its caller, and takes its results.
    fn leave(&self, signature: &FunctionType, sp: Word) -> Result<Vec<Constant>, Fault> {
        for register in abi::callee_saved(self.loaded.target.float) {
            if self.registers[usize::from(register)] != token(register) {
                return Err(Fault::Other(format!("{} is not as at entry", abi::register_name(register))));
            }
        }
        if self.registers[13] != sp {
            return Err(Fault::Other("SP is not as at entry".into()));
        }
        if self.it.is_active() {
            return Err(Fault::Other("a return inside an IT block".into()));
        }
        let mut words = match self.convention(signature).results {
            Results::Registers(registers) => {
                registers.into_iter().map(|register| self.registers[usize::from(register)]).collect::<Vec<_>>()
            }
            Results::Area { words, .. } => {
                let area = self.memory.address(self.loaded.stack, self.area.0);
                let word = |offset: u32| self.memory.load(area.plus(offset), Width::Word);
                words.into_iter().map(word).collect::<Result<_, Fault>>()?
            }
        }
        .into_iter()
        .map(Word::as_int);
        let mut next = || words.next().flatten();
        let results = signature.results.iter().map(|result| match result.sort() {
            Sort::W32 => next().map(Constant::I32),
            Sort::W64 => {
                let (low, high) = (u64::from(next()?), u64::from(next()?));
                Some(Constant::I64(high << 32 | low))
            }
        });
        let results: Option<Vec<Constant>> = results.collect();
        results.ok_or(Fault::Other("a result that is no integer".into()))
    }

    /// The loop: the reason to leave it (`None` when out of steps), where, and after how many steps.
    fn go(&mut self, entry: u32, around: &mut Surroundings<'_, '_>) -> (Result<Option<Leave>, Fault>, u32, u64) {
        let mut pc = entry;
        for steps in 0..around.steps_max {
            if around.stops.iter().any(|(from, to)| (*from..*to).contains(&pc)) {
                return (Ok(Some(Leave::Stop)), pc, steps);
            }
            let inside = self.it.is_active();
            match self.step(pc, around) {
                Ok(Ok(next)) => pc = next,
                // Who goes on behind a trap finds the IT state of the trap.
                Ok(Err(leave)) if inside => return (Ok(Some(leave)), pc, steps + 1),
                Ok(Err(leave)) => match self.handled(&leave, pc, around) {
                    After::GoOn => pc = pc.wrapping_add(TRAP_BYTES),
                    After::End => return (Ok(Some(leave)), pc, steps + 1),
                },
                Err(fault) => return (Err(fault), pc, steps),
            }
        }
        (Ok(None), pc, around.steps_max)
    }

    fn handled(&mut self, leave: &Leave, pc: u32, around: &mut Surroundings<'_, '_>) -> After {
        match (leave, &mut around.handler) {
            (Leave::Trap(trap), Some(handler)) => {
                let after = handler(*trap, pc, &mut self.memory);
                if after == After::GoOn {
                    // The contract keeps LR, beside what every function keeps.
                    for register in abi::caller_saved(self.loaded.target.float).filter(|register| *register != LR) {
                        self.registers[usize::from(register)] = Word::Poison;
                    }
                    self.forget_flags();
                }
                after
            }
            (Leave::Trap(_), _) | (Leave::Return | Leave::Stop, _) => After::End,
        }
    }

    /// One instruction: the address of the next one, or why there is none.
    fn step(&mut self, pc: u32, around: &mut Surroundings<'_, '_>) -> Result<Result<u32, Leave>, Fault> {
        let bytes = match self.loaded.relocated.get(&pc) {
            Some(relocated) => &relocated.bytes,
            None => self.memory.fetch(self.loaded.code_word(pc))?,
        };
        let (inst, size) = decode(bytes, 0).map_err(|error| Fault::Other(error.to_string()))?;
        self.loaded.target.require(&inst, size).map_err(Fault::Other)?;
        self.note(pc, size)?;
        let next = pc.wrapping_add(size);
        let sp_before = self.stack_offset()?;
        let flow = if self.sets_up(&inst)? { Flow::Next } else { self.execute(&inst, pc, size)? };
        let sp_after = self.stack_offset()?;
        if sp_after > sp_before
            && let Some(stack) = self.memory.region_mut(self.loaded.stack)
        {
            stack.poison(sp_before, sp_after);
        }
        match flow {
            Flow::Next => Ok(Ok(next)),
            Flow::Jump(target) => match self.patch(pc) {
                Some(Patch::Call(word)) => self.leave_for(word, around),
                Some(Patch::Low(_) | Patch::High(_)) => Err(Fault::Other("a patched branch".into())),
                None => self.leave_for(self.loaded.code_word(target).plus(1), around),
            },
            Flow::Call { target, .. } => {
                let target = match self.patch(pc) {
                    Some(Patch::Call(word)) => word,
                    Some(Patch::Low(_) | Patch::High(_)) | None => self.loaded.code_word(target).plus(1),
                };
                self.enter_call(target, next, around).map(Ok)
            }
            Flow::CallRegister(target) => self.enter_call(target, next, around).map(Ok),
            Flow::JumpRegister(target) => self.leave_for(target, around),
            Flow::Trap(code) => match Trap::from_code(code) {
                Some(trap) => Ok(Err(Leave::Trap(trap))),
                None => Err(Fault::Other(format!("UDF #{code} is no trap"))),
            },
        }
    }

    /// Whether an instruction is a step of setting up the floating-point unit; then it is done.
    fn sets_up(&mut self, inst: &Inst) -> Result<bool, Fault> {
        let next = match (self.unit, inst) {
            (Some(UnitState::Enabled), Inst::System(System::Dsb)) => UnitState::Written,
            (Some(UnitState::Written), Inst::System(System::Isb)) => UnitState::Usable,
            (Some(UnitState::Usable), Inst::System(System::Vmsr { n })) if self.register(*n)? == STATUS => {
                UnitState::Set
            }
            (Some(state), Inst::Float(_)) if state != UnitState::Set => {
                return Err(Fault::Other("the floating-point unit is used before it is set up".into()));
            }
            _ => return Ok(false),
        };
        if self.it.is_active() {
            return Err(Fault::Other("the floating-point unit is set up inside an IT block".into()));
        }
        self.unit = Some(next);
        Ok(true)
    }

    /// Notes an instruction, and where the caller's values are before it.
    fn note(&mut self, pc: u32, size: u32) -> Result<(), Fault> {
        let Some(mut trace) = self.trace.take() else { return Ok(()) };
        if !trace.is_own(pc) {
            return Err(Fault::Other(format!("it runs the code at {pc:#x}, which is not its own")));
        }
        if trace.is_new(pc) {
            let kept = self.kept(&trace)?;
            trace.note(pc, size, kept);
        }
        self.trace = Some(trace);
        Ok(())
    }

    fn kept(&self, trace: &Trace) -> Result<Kept, Fault> {
        let sp = self.stack_offset()?;
        let depth = self.stack_end.checked_sub(sp).ok_or(Fault::Other("SP above its value at entry".into()))?;
        let stack = self.memory.region(self.loaded.stack).ok_or(Fault::Other("no stack".into()))?;
        let homes = of_the_caller(self.loaded.target.float).map(|register| {
            let value = if register == LR { RETURN } else { token(register) };
            let core = (self.registers[usize::from(register)] == value).then_some(abi::location_of(register));
            let words = trace.written.range(sp..self.stack_end).filter(|at| stack.word(**at) == value);
            // Offsets in the stack are far below 2^31.
            let below = words.map(|at| Location::Stack(-((self.stack_end - at) as i32)));
            (register, core.into_iter().chain(below).collect())
        });
        Ok(Kept { depths: BTreeSet::from([depth]), homes: homes.collect() })
    }

    /// Says that code bytes were read, if an address is in code.
    fn note_read(&mut self, address: Word, bytes: u32) {
        let Some(trace) = &mut self.trace else { return };
        let Some((region, _)) = self.memory.locate(address, bytes) else { return };
        let is_code = self.memory.region(region).is_some_and(|region| region.access == Access::Execute);
        if let Word::Int(at) | Word::Pointer { offset: at, .. } = address
            && is_code
        {
            trace.covered.extend(at..at.saturating_add(bytes));
            trace.constants.extend(at..at.saturating_add(bytes));
        }
    }

    fn note_change(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.change();
        }
    }

    fn code(&self, target: Word) -> Result<u32, Fault> {
        let why = "a jump to what is no Thumb code";
        self.loaded.code_address(target).ok_or(Fault::Unmapped { address: target, why })
    }

    /// Where SP points in the stack's region; its end counts too. Hardware clears the two low bits of what is written
    /// to SP (DDI0403, B1.4.1).
    fn stack_offset(&self) -> Result<u32, Fault> {
        let address = self.registers[13];
        match self.memory.offset_in(address, self.loaded.stack) {
            Some(offset) if offset.is_multiple_of(4) => Ok(offset),
            Some(_) => Err(Fault::Unmapped { address, why: "SP is no multiple of 4" }),
            None => Err(Fault::Unmapped { address, why: "SP outside the stack" }),
        }
    }

    /// What a relocation makes of the instruction here.
    fn patch(&self, pc: u32) -> Option<Patch> {
        self.loaded.relocated.get(&pc).map(|relocated| relocated.patch)
    }

    /// An instruction, or what a relocation makes of it.
    fn execute(&mut self, inst: &Inst, pc: u32, size: u32) -> Result<Flow<Word>, Fault> {
        match (self.patch(pc), inst) {
            (None | Some(Patch::Call(_)), _) => sem::step(self, inst, pc, size),
            (Some(_), _) if self.it.is_active() => {
                Err(Fault::Other("a relocated instruction inside an IT block".into()))
            }
            (Some(Patch::Low(Word::Pointer { region, offset })), Inst::MovW { d, .. }) => {
                self.set_register(*d, Word::Low { region, offset })?;
                Ok(Flow::Next)
            }
            (Some(Patch::High(Word::Pointer { region, offset })), Inst::MovT { d, .. }) => {
                let is_half_set = self.registers[usize::from(d.number())] == Word::Low { region, offset };
                self.set_register(*d, if is_half_set { Word::Pointer { region, offset } } else { Word::Poison })?;
                Ok(Flow::Next)
            }
            (Some(Patch::Low(_) | Patch::High(_)), Inst::MovW { .. } | Inst::MovT { .. }) => {
                Err(Fault::Other("a relocation of the other half, or against what is no region".into()))
            }
            (Some(Patch::Low(_) | Patch::High(_)), _) => Err(Fault::Other("a patch of another instruction".into())),
        }
    }

    /// Goes to an address. An external function is run at once, and returns to where LR says.
    fn leave_for(&mut self, target: Word, around: &mut Surroundings<'_, '_>) -> Result<Result<u32, Leave>, Fault> {
        let mut target = target;
        if let Some(number) = around.externals.iter().position(|external| external.address == target) {
            target = self.registers[14];
            self.run_external(number, around)?;
        }
        if target == RETURN { Ok(Err(Leave::Return)) } else { self.code(target).map(Ok) }
    }

    /// Calls a function of the file, or an external one that is run at once.
    fn enter_call(&mut self, target: Word, next: u32, around: &mut Surroundings<'_, '_>) -> Result<u32, Fault> {
        self.note_change();
        let Some(number) = around.externals.iter().position(|external| external.address == target) else {
            self.registers[14] = self.loaded.code_word(next).plus(1);
            return self.code(target);
        };
        self.run_external(number, around)?;
        Ok(next)
    }

    fn run_external(&mut self, number: usize, around: &mut Surroundings<'_, '_>) -> Result<(), Fault> {
        let offset = self.stack_offset()?;
        if offset % 8 != 0 {
            return Err(Fault::Other("SP is no multiple of 8 at a call".into()));
        }
        if let Some(trace) = &mut self.trace {
            trace.call_depths.insert(self.stack_end.saturating_sub(offset));
        }
        let signature = &around.externals[number].signature;
        let arguments = self.arguments(signature)?;
        let results = (around.host)(number, &arguments, &mut self.memory).map_err(Fault::Other)?;
        let given: Vec<Sort> = results.iter().map(|value| value.sort()).collect();
        if given != sorts(&signature.results) {
            return Err(Fault::Other("results of other types".into()));
        }
        let convention = self.convention(signature);
        let area = self.registers[0];
        if let Some(stack) = self.memory.region_mut(self.loaded.stack) {
            stack.poison(offset, offset + convention.stack_bytes);
        }
        for register in abi::caller_saved(self.loaded.target.float) {
            self.registers[usize::from(register)] = Word::Poison;
        }
        self.forget_flags();
        let returned = results.into_iter().flat_map(words);
        match convention.results {
            Results::Registers(registers) => {
                for (register, word) in registers.into_iter().zip(returned) {
                    self.registers[usize::from(register)] = word;
                }
            }
            Results::Area { words, .. } => {
                for (offset, word) in words.into_iter().zip(returned) {
                    self.check_stack(area.plus(offset), 4, Write::Yes)?;
                    self.memory.store(area.plus(offset), Width::Word, word)?;
                }
            }
        }
        Ok(())
    }

    fn arguments(&self, signature: &FunctionType) -> Result<Vec<Constant>, Fault> {
        let places = self.convention(signature).arguments;
        let word = |place: &Place| match place {
            Place::Register(register) => Ok(self.registers[usize::from(*register)]),
            Place::Stack(offset) => self.memory.load(self.registers[13].plus(*offset), Width::Word),
        };
        let mut arguments = Vec::new();
        for places in places {
            let words: Vec<Word> = places.iter().map(word).collect::<Result<_, Fault>>()?;
            let integers: Option<Vec<u32>> = words.into_iter().map(Word::as_int).collect();
            arguments.push(match integers.as_deref() {
                Some([low]) => Constant::I32(*low),
                Some([low, high]) => Constant::I64(u64::from(*high) << 32 | u64::from(*low)),
                Some(_) | None => {
                    return Err(Fault::Other("an argument that is no integer".into()));
                }
            });
        }
        Ok(arguments)
    }

    /// Faults at an access that is not shown to be aligned.
    fn check_aligned(&self, address: Word, alignment: Alignment) -> Result<(), Fault> {
        let is_aligned = match (alignment, address) {
            (Alignment::Any, _) | (_, Word::Low { .. } | Word::Poison) => true,
            (Alignment::Half | Alignment::Word, Word::Int(address)) => address.is_multiple_of(alignment.bytes()),
            (Alignment::Half | Alignment::Word, Word::Pointer { region, offset }) => {
                (self.extent(region).align | offset).is_multiple_of(alignment.bytes())
            }
        };
        if is_aligned { Ok(()) } else { Err(Fault::Unmapped { address, why: "an unaligned access" }) }
    }

    /// Faults at an access to the stack below SP, or beyond the incoming arguments if it writes.
    fn check_stack(&self, address: Word, bytes: u32, write: Write) -> Result<(), Fault> {
        let Some((region, offset)) = self.memory.locate(address, bytes) else {
            return Ok(());
        };
        if region != self.loaded.stack {
            return Ok(());
        }
        if offset < self.stack_offset()? {
            return Err(Fault::Unmapped { address, why: "an access below SP" });
        }
        let in_area = offset >= self.area.0 && offset + bytes <= self.area.1;
        if write == Write::Yes && offset + bytes > self.stack_end && !in_area {
            return Err(Fault::Unmapped { address, why: "a store to the caller's frame" });
        }
        Ok(())
    }
}

/// Whether an access writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    No,
    Yes,
}

fn sorts(types: &[ValueType]) -> Vec<Sort> {
    types.iter().map(|value| value.sort()).collect()
}

fn words(value: Constant) -> Vec<Word> {
    match value {
        Constant::I32(word) => vec![Word::Int(word)],
        Constant::I64(wide) => vec![Word::Int(wide as u32), Word::Int((wide >> 32) as u32)],
        // The address of its descriptor is the module's, of which the processor knows nothing.
        Constant::Function(_) => vec![Word::Poison],
    }
}

impl Concrete for Processor<'_> {
    fn is_not_null(&self, region: RegionIndex, offset: u32) -> bool {
        let functions = self.loaded.functions.filter(|functions| *functions == region);
        functions.and_then(|functions| self.memory.region(functions)).is_some_and(|functions| offset < functions.len())
    }

    fn extent(&self, region: RegionIndex) -> Extent {
        let found = self.memory.region(region);
        found.map_or(Extent::ANYWHERE, |found| Extent { align: found.align, bytes: found.len() })
    }
}

impl Machine for Processor<'_> {
    fn target(&self) -> Target {
        self.loaded.target
    }

    fn fault(&mut self, reason: String) -> Fault {
        Fault::Other(reason)
    }

    fn register(&mut self, register: Reg) -> Result<Word, Fault> {
        if register == Reg::PC {
            return Err(Fault::Other("PC as an operand".into()));
        }
        Ok(self.registers[usize::from(register.number())])
    }

    fn set_register(&mut self, register: Reg, word: Word) -> Result<(), Fault> {
        if matches!(register.number(), 4..=11 | 13 | 14 | 32..=47) {
            self.note_change();
        }
        if register == Reg::PC {
            return Err(Fault::Other("PC as a result".into()));
        }
        self.registers[usize::from(register.number())] = word;
        Ok(())
    }

    fn flags(&self) -> Flags<Self> {
        self.flags.clone()
    }

    fn set_flags(&mut self, flags: Flags<Self>) {
        self.flags = flags;
    }

    fn float_flags(&self) -> Flags<Self> {
        self.float_flags.clone()
    }

    fn set_float_flags(&mut self, flags: Flags<Self>) {
        self.float_flags = flags;
    }

    fn it(&self) -> ItState {
        self.it
    }

    fn set_it(&mut self, it: ItState) {
        self.it = it;
    }

    fn load(&mut self, address: &Word, width: Width, alignment: Alignment) -> Result<Word, Fault> {
        self.check_aligned(*address, alignment)?;
        self.check_stack(*address, width.bytes(), Write::No)?;
        self.note_read(*address, width.bytes());
        self.memory.load(*address, width)
    }

    fn store(&mut self, address: &Word, width: Width, alignment: Alignment, word: &Word) -> Result<(), Fault> {
        if self.unit == Some(UnitState::Off) && (*address, width, *word) == (CPACR, Width::Word, FULL_ACCESS) {
            self.unit = Some(UnitState::Enabled);
            return Ok(());
        }
        self.check_aligned(*address, alignment)?;
        self.check_stack(*address, width.bytes(), Write::Yes)?;
        if let Some(trace) = &mut self.trace
            && let Some((_, offset)) =
                self.memory.locate(*address, width.bytes()).filter(|at| at.0 == self.loaded.stack)
        {
            trace.change();
            trace.written.insert(offset);
        }
        self.memory.store(*address, width, *word)
    }

    fn constant(&mut self, address: u32, width: Width) -> Result<Word, Fault> {
        let address = self.loaded.code_word(address);
        self.note_read(address, width.bytes());
        self.memory.load(address, width)
    }

    fn code_address(&mut self, address: u32) -> Result<Word, Fault> {
        Ok(self.loaded.code_word(address))
    }

    fn jump_table(&mut self, table: u32, index: &Word, width: Width) -> Result<u32, Fault> {
        let index = index.as_int().ok_or(Fault::Undecided)?;
        let address = index.checked_mul(width.bytes()).and_then(|found| table.checked_add(found));
        let address = address.ok_or(Fault::Other("a jump table index that wraps around".into()))?;
        self.constant(address, width)?.as_int().ok_or(Fault::Undecided)
    }
}
