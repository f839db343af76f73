//! The result of allocation: the same blocks over physical registers, with a label per item.
//!
//! Ensures: items of the input stand in the input's order; what was added is of class Move,
//! Spill, Reload or Remat and keeps the flags. Blocks keep their numbers; blocks from
//! `input_blocks` on split edges. No edge carries arguments.

use std::collections::BTreeMap;
use std::fmt;

use synth_verify::hints::Class;

use crate::target::{FloatUnit, Isa};
use crate::vcode::entity::{Block, Slot, TypedVec, VReg};
use crate::vcode::inst::{Inst, Terminator};
use crate::vcode::reg::{PReg, RegClass, RegSet};

/// An allocated function.
#[derive(Clone, Debug)]
pub struct Allocated {
    /// Wasm function index, imports counted.
    pub index: u32,
    /// The instructions that it may have.
    pub isa: Isa,
    /// The floating-point unit that it may use.
    pub float: FloatUnit,
    /// The blocks; block 0 is the entry. Blocks that nothing reaches are empty and trap.
    pub blocks: TypedVec<Block, AllocatedBlock>,
    /// How many blocks the input had; those from here on have no Wasm place.
    pub input_blocks: usize,
    /// The virtual registers, as extended by the allocator: the name of a vreg is its number.
    pub vregs: TypedVec<VReg, crate::vcode::func::Origin>,
    /// What each is.
    pub classes: TypedVec<VReg, RegClass>,
    /// The numbers that share a register, the lower half first.
    pub halves: BTreeMap<VReg, [Option<VReg>; 2]>,
    /// The virtual registers that hold constants, whatever computes them.
    pub constants: BTreeMap<VReg, u32>,
    /// The stack frame.
    pub frame: Frame,
    /// What it cost.
    pub stats: Stats,
}

/// An allocated block.
#[derive(Clone, Debug)]
pub struct AllocatedBlock {
    /// Where every live value is at the head, names after the edge's renames.
    pub located: Vec<(Place, VReg)>,
    /// Live values without a place, to be computed again where they are used.
    pub named: Vec<VReg>,
    /// The items.
    pub items: Vec<Item>,
    /// How it ends.
    pub terminator: Terminator<PReg>,
    /// What the terminator reads, by name.
    pub terminator_reads: Vec<(Place, VReg)>,
    /// The Wasm offset that the terminator is there for.
    pub terminator_source: Option<u32>,
    /// For each edge of the terminator: place, name before, name after.
    pub renames: Vec<Vec<(Place, VReg, VReg)>>,
    /// How many loops it is in.
    pub loop_depth: u32,
}

/// An item with its label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The instruction.
    pub inst: Inst<PReg>,
    /// What it is there for.
    pub class: Class,
    /// The Wasm offset it is there for.
    pub source: Option<u32>,
    /// Places read, with the value expected there.
    pub reads: Vec<(Place, VReg)>,
    /// Places written, with the value put there.
    pub writes: Vec<(Place, VReg)>,
}

/// Where a value can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// In a register.
    Reg(PReg),
    /// In a word of the spill area, or in the two from there on.
    Slot(Slot),
    /// In a stack argument of this function, by byte offset from SP at entry.
    Incoming(u32),
    /// In a stack argument of the next call or a result of the last, by byte offset from SP at the call.
    Outgoing(u32),
}

/// The stack frame, from high to low addresses: saved registers, padding, slots, outgoing arguments
/// and results.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// What the prologue saves: preserved registers that are used, LR if it is, and r3 where
    /// one more word aligns SP. The epilogue restores all of it.
    pub saved: RegSet,
    /// Bytes below the saved registers.
    pub local_bytes: u32,
    /// Bytes at SP for outgoing stack arguments and, above them, results.
    pub outgoing_bytes: u32,
    /// Number of slots.
    pub slots: u32,
    /// Whether the function calls.
    pub calls: Calls,
}

impl Frame {
    /// Lays out a frame. SP is kept a multiple of 8 where the function calls (AAPCS32, 6.2.1.2).
    ///
    /// `padding` is a register that carries no argument, in or out, nor a result: where one word is
    /// missing and nothing else lies below the saved registers, it is saved too, which costs no
    /// instruction.
    pub fn new(mut saved: RegSet, slots: u32, outgoing_bytes: u32, calls: Calls, padding: Option<PReg>) -> Frame {
        let mut local_bytes = outgoing_bytes + 4 * slots;
        if calls == Calls::Some && !(local_bytes + 4 * saved.core().len()).is_multiple_of(8) {
            match padding {
                Some(reg) if local_bytes == 0 => saved.insert(reg),
                _ => local_bytes += 4,
            }
        }
        Frame { saved, local_bytes, outgoing_bytes, slots, calls }
    }

    /// Byte offset of a slot from SP after the prologue.
    pub fn slot_offset(&self, slot: Slot) -> u32 {
        debug_assert!(slot.0 < self.slots);
        self.outgoing_bytes + 4 * slot.0
    }

    /// Bytes below SP at entry.
    pub fn bytes(&self) -> u32 {
        self.local_bytes + self.saved_bytes()
    }

    /// Bytes of the saved registers: those of the core, and below them those of the floating-point unit.
    pub fn saved_bytes(&self) -> u32 {
        4 * self.saved.core().len() + 8 * self.saved.floats().len()
    }

    /// Byte offset of an incoming stack argument from SP after the prologue.
    pub fn incoming_offset(&self, offset: u32) -> u32 {
        self.bytes() + offset
    }
}

/// Whether a function calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Calls {
    /// It calls, so LR is saved and SP aligned.
    Some,
    /// It does not.
    #[default]
    None,
}

/// Counts for `explain alloc`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Values that needed a register.
    pub values: u32,
    /// The largest number of values live at once.
    pub pressure_max: u32,
    /// The largest number of values live across one call.
    pub call_pressure_max: u32,
    /// Registers used.
    pub colours: u32,
    /// Values that have a slot.
    pub spilled: u32,
    /// Stores to slots.
    pub spills: u32,
    /// Loads from slots and of stack arguments again.
    pub reloads: u32,
    /// Values computed again.
    pub remats: u32,
    /// Moves asked for by edges, ties, fixed registers and the input that need no instruction.
    pub moves_coalesced: u32,
    /// Moves that are left.
    pub moves: u32,
    /// Live ranges that found no colour and were placed step by step.
    pub uncoloured: u32,
    /// Values with a slot although at every point of their range the registers sufficed.
    pub spurious: Vec<VReg>,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("values", self.values),
            ("pressure, at most", self.pressure_max),
            ("pressure across calls, at most", self.call_pressure_max),
            ("registers used", self.colours),
            ("values with a slot", self.spilled),
            ("spurious among these", self.spurious.len().try_into().unwrap_or(u32::MAX)),
            ("spills", self.spills),
            ("reloads", self.reloads),
            ("rematerialisations", self.remats),
            ("moves coalesced", self.moves_coalesced),
            ("moves left", self.moves),
            ("ranges without a colour", self.uncoloured),
        ];
        rows.iter().try_for_each(|(what, count)| writeln!(f, "  {what:32}{count:6}"))
    }
}

impl fmt::Display for Allocated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "function {}: {:?}", self.index, self.frame)?;
        for (block, data) in self.blocks.iter() {
            writeln!(f, "{block}: {:?} {:?}", data.located, data.named)?;
            for item in &data.items {
                let text = item.inst.to_string();
                let (class, reads, writes) = (item.class, &item.reads, &item.writes);
                writeln!(f, "    {text:36} ; {class:?} {reads:?} -> {writes:?}")?;
            }
            writeln!(f, "    {} ; {:?}", data.terminator, data.renames)?;
        }
        Ok(())
    }
}
