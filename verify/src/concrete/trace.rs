//! What a run leaves behind besides its outcome: the bytes that ran, how deep SP came, and where the caller's
//! values were before each instruction.
//!
//! Requires: the function that is run has no arguments on the stack.

use std::collections::{BTreeMap, BTreeSet};

use crate::segment::kept::Kept;

/// The traces of one run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Where it may run: from an address to before another one.
    own: Vec<(u32, u32)>,
    /// Addresses of the code bytes that were run or read.
    pub covered: BTreeSet<u32>,
    /// Those of them that were read.
    pub constants: BTreeSet<u32>,
    /// By address, what holds before an instruction, every time it is run.
    pub kept: BTreeMap<u32, Kept>,
    /// Depths of SP at calls of external functions.
    pub call_depths: BTreeSet<u32>,
    /// How often a register of the caller, SP or the stack was written.
    changes: u64,
    /// By address, `changes` when the instruction was last run.
    seen: BTreeMap<u32, u64>,
    /// Offsets of words of the stack that were written.
    pub(super) written: BTreeSet<u32>,
}

impl Trace {
    /// Of a run that has to stay within these ranges of addresses.
    pub fn within(own: &[(u32, u32)]) -> Trace {
        Trace { own: own.to_vec(), ..Trace::default() }
    }

    /// Whether an instruction is in the code that is to run.
    pub(super) fn is_own(&self, pc: u32) -> bool {
        self.own.iter().any(|(from, to)| (*from..*to).contains(&pc))
    }

    /// Says that a value of the caller, or SP, may be elsewhere now.
    pub(super) fn change(&mut self) {
        self.changes += 1;
    }

    /// Whether something has changed since the instruction was last run.
    pub(super) fn is_new(&mut self, pc: u32) -> bool {
        self.seen.insert(pc, self.changes) != Some(self.changes)
    }

    /// Adds what holds before an instruction.
    pub(super) fn note(&mut self, pc: u32, size: u32, kept: Kept) {
        self.covered.extend(pc..pc.saturating_add(size));
        match self.kept.get_mut(&pc) {
            Some(known) => known.and(&kept),
            None => _ = self.kept.insert(pc, kept),
        }
    }

    /// The deepest SP, and what a callee needs below SP at a call: bytes below SP at entry.
    pub fn stack_bytes(&self, callee_bytes: u32) -> u32 {
        let own = self.kept.values().flat_map(|kept| kept.depths.iter().copied());
        let calls = self.call_depths.iter().map(|depth| depth.saturating_add(callee_bytes));
        own.chain(calls).max().unwrap_or(0)
    }
}
