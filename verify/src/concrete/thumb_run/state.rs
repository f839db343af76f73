//! A core from a state that is given to the state that it leaves, for whoever compares it with another machine.

use super::{End, Leave, Outcome, Processor, Surroundings};
use crate::concrete::word::{Truth, Word};
use crate::thumb::flags::Flags;
use crate::thumb::inst::{Cond, Reg};

/// Registers, and N, Z, C and V of both kinds. A register or flag of which nothing is known is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// By number; that of PC means nothing.
    pub registers: [Option<u32>; Reg::COUNT],
    /// The condition flags.
    pub flags: [Option<bool>; 4],
    /// The flags of the floating-point unit.
    pub float_flags: [Option<bool>; 4],
}

impl Processor<'_> {
    /// Runs code of an image from an address to one of the stops or to another end. Memory is as it stands, but for
    /// what is below SP; the whole stack belongs to what is run.
    pub fn run_from(&mut self, state: &State, entry: u32, around: &mut Surroundings<'_, '_>) -> Outcome {
        self.registers = state.registers.map(|word| word.map_or(Word::Poison, Word::Int));
        let truths =
            |flags: [Option<bool>; 4]| Flags::from_bits(flags.map(|flag| flag.map_or(Truth::Poison, Truth::Known)));
        self.flags = truths(state.flags);
        self.float_flags = truths(state.float_flags);
        self.it = Default::default();
        self.stack_end = self.stack_bytes();
        self.area = (self.stack_end, self.stack_end);
        let sp = self.stack_offset().unwrap_or(0);
        if let Some(stack) = self.memory.region_mut(self.loaded.stack) {
            stack.poison(0, sp);
        }
        let (left, pc, steps) = self.go(entry, around);
        let end = match left {
            Ok(Some(Leave::Return)) => End::Returned(Vec::new()),
            Ok(Some(Leave::Trap(trap))) => End::Trapped(trap, pc),
            Ok(Some(Leave::Stop)) => End::Reached(pc),
            Ok(None) => End::Unfinished,
            Err(fault) => End::Faulted(fault, pc),
        };
        Outcome { end, steps }
    }

    /// The state as it stands.
    pub fn state(&mut self) -> State {
        let (flags, float_flags) = (self.flags.clone(), self.float_flags.clone());
        let registers = self.registers.map(Word::as_int);
        let mut bits = |flags: Flags<Self>| {
            [Cond::Mi, Cond::Eq, Cond::Hs, Cond::Vs].map(|cond| match flags.condition(self, cond) {
                Truth::Known(flag) => Some(flag),
                Truth::Poison => None,
            })
        };
        State { registers, flags: bits(flags), float_flags: bits(float_flags) }
    }
}
