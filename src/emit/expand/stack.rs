//! Words of the frame: loads and stores, and the registers that lend themselves where one is needed.

use synth_verify::hints::{Class, Location, Name};

use super::super::frame;
use super::super::line::{Line, LineOp, Names, Note, StackState};
use super::super::machine::{FlagsMode, Machine, Position};
use super::{Expander, Site};
use crate::alloc::Place;
use crate::target::Isa;
use crate::vcode::entity::Block;
use crate::vcode::inst::{LoadKind, Operand2, StoreKind};
use crate::vcode::reg::{PReg, RegSet};

/// The item at work: its block and its index there.
type At = (Block, usize);

fn load(d: PReg, address: crate::vcode::inst::Address<PReg>) -> LineOp {
    LineOp::Machine(Machine::Load { kind: LoadKind::Word, d, address })
}

fn store(s: PReg, address: crate::vcode::inst::Address<PReg>) -> LineOp {
    LineOp::Machine(Machine::Store { kind: StoreKind::Word, s, address })
}

fn copy(d: PReg, m: PReg) -> LineOp {
    LineOp::Machine(Machine::Mov { flags: FlagsMode::Keep, d, m: Operand2::Reg(m) })
}

impl Expander<'_> {
    /// Whether loads and stores cannot name a register.
    pub(super) fn is_out_of_reach(&self, register: PReg) -> bool {
        self.func.isa == Isa::V6M && !register.is_low()
    }

    pub(super) fn stack_load(&mut self, site: Site<'_>, d: PReg, offset: u32, at: At) {
        let isa = self.func.isa;
        let ops = |via: PReg, lent: u32| {
            let (mut ops, address) = frame::address(isa, offset + lent, via);
            ops.push(load(via, address));
            ops
        };
        match self.is_out_of_reach(d) {
            true => self.load_high(site, d, at, ops),
            false => self.chain(site, d, ops(d, 0)),
        }
    }

    /// Brings a word into a register that loads cannot name, by way of r0. `ops` leave it in the register they
    /// are given, while SP is so many bytes lower.
    pub(super) fn load_high(&mut self, site: Site<'_>, d: PReg, at: At, ops: impl FnOnce(PReg, u32) -> Vec<LineOp>) {
        let via = PReg::R0;
        let lent = self.lend(site, RegSet::one(via), at);
        let held = vec![(Location::Core(via.number()), self.fresh())];
        let (reads, writes) = (self.names(&site.item.reads), self.names(&site.item.writes));
        self.chain_named(site, via, ops(via, lent.bytes()), reads, held.clone());
        self.put_named(site, (copy(d, via), Position::Plain), held, writes);
        self.take_back(site, lent);
    }

    pub(super) fn stack_store(&mut self, site: Site<'_>, s: PReg, offset: u32, at: At) {
        let isa = self.func.isa;
        let lent_max = if isa == Isa::V6M { 8 } else { 0 };
        let is_near = frame::address(isa, offset + lent_max, PReg::R1).0.is_empty();
        let high = self.is_out_of_reach(s);
        let lent = match (isa, is_near, high) {
            (Isa::V7M, false, _) if s == PReg::SCRATCH => RegSet::one(PReg::R0),
            (Isa::V7M, ..) | (Isa::V6M, true, false) => RegSet::EMPTY,
            (Isa::V6M, true, true) => RegSet::one(PReg::R0),
            (Isa::V6M, false, true) => RegSet::from_iter([PReg::R0, PReg::R1]),
            (Isa::V6M, false, false) if s == PReg::R0 => RegSet::one(PReg::R1),
            (Isa::V6M, false, false) => RegSet::one(PReg::R0),
        };
        // The stored register cannot wait in the register that its address needs.
        let via = match (isa, high) {
            (Isa::V6M, true) => PReg::R1,
            _ => lent.first().unwrap_or(PReg::SCRATCH),
        };
        let lent = self.lend(site, lent, at);
        let (mut ops, address) = frame::address(isa, offset + lent.bytes(), via);
        let (mut reads, writes) = (self.names(&site.item.reads), self.names(&site.item.writes));
        let mut stored = s;
        if high {
            let held = vec![(Location::Core(0), self.fresh())];
            stored = PReg::R0;
            self.put_named(site, (copy(stored, s), Position::Plain), std::mem::replace(&mut reads, held.clone()), held);
        }
        ops.push(store(stored, address));
        self.chain_named(site, via, ops, reads, writes);
        self.take_back(site, lent);
    }

    /// Of registers that the item uses for itself, those that hold a value wait on the stack.
    fn lend(&mut self, site: Site<'_>, registers: RegSet, (block, index): At) -> Lent {
        let names: Vec<(PReg, Name)> =
            registers.iter().filter_map(|register| Some((register, self.name_in(register, block, index)?))).collect();
        let registers = names.iter().map(|(register, _)| *register).collect();
        let mut lent = Lent { registers, held: Vec::new(), waiting: Vec::new() };
        if lent.registers.is_empty() {
            return lent;
        }
        let state = frame::body_state(&self.func.frame);
        let deeper = StackState { depth: state.depth + lent.bytes(), ..state };
        let below = i32::try_from(deeper.depth).expect("a frame is smaller than 2 GiB");
        for ((register, name), at) in names.into_iter().zip((-below..).step_by(4)) {
            lent.held.push((Location::Core(register.number()), name));
            lent.waiting.push((Location::Stack(at), name));
        }
        self.move_stack(site, Machine::Push(registers), (lent.held.clone(), lent.waiting.clone()), deeper);
        lent
    }

    fn take_back(&mut self, site: Site<'_>, lent: Lent) {
        if lent.registers.is_empty() {
            return;
        }
        let state = frame::body_state(&self.func.frame);
        self.move_stack(site, Machine::Pop(lent.registers), (lent.waiting, lent.held), state);
    }

    fn move_stack(&mut self, site: Site<'_>, machine: Machine, (reads, writes): (Names, Names), stack: StackState) {
        let note = Note { source: site.item.source, class: Class::Frame, reads, writes };
        let line = frame::plain(LineOp::Machine(machine), note);
        self.lines(site.piece).push(Line { stack: Some(stack), ..line });
    }

    /// The name of the value that a register holds before an item; none if nobody needs what is in it.
    fn name_in(&self, register: PReg, block: Block, index: usize) -> Option<Name> {
        let data = &self.func.blocks[block];
        for item in data.items[..index].iter().rev() {
            let mut writes = item.writes.iter();
            if let Some((_, vreg)) = writes.find(|(place, _)| *place == Place::Reg(register)) {
                return Some(vreg.0);
            }
            if item.inst.clobbers().contains(register) {
                return None;
            }
        }
        let mut located = data.located.iter();
        located.find(|(place, _)| *place == Place::Reg(register)).map(|(_, vreg)| vreg.0)
    }
}

/// Registers that wait on the stack.
struct Lent {
    registers: RegSet,
    held: Names,
    waiting: Names,
}

impl Lent {
    /// How far SP is below where it is without them.
    fn bytes(&self) -> u32 {
        4 * self.registers.len()
    }
}
