//! Parallel moves: turns "all at once" into a sequence.
//!
//! Requires: all registers are of one bank; no destination is named twice; the scratch register of the bank is no
//! place of any move.
//! Ensures: each destination ends with the value its source had on entry; the scratch register, the spare slot
//! and nothing else may change besides. No step touches the flags.
//!
//! A move whose destination nobody still reads can go first. When none is left, what remains is
//! cycles; one value of a cycle waits in the scratch register, or in the spare slot if that register carries
//! values between slots. What is computed from nothing comes last.

use synth_verify::hints::Class;

use super::allocated::{Item, Place};
use super::remat::Recipe;
use crate::vcode::entity::Slot;
use crate::vcode::reg::PReg;
use crate::vcode::{Inst, VReg};

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A register or a slot.
    Place(Place),
    /// Nowhere: it is computed.
    Recipe(Recipe),
}

/// One of the moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// Where to.
    pub to: Place,
    /// Where from.
    pub from: Source,
    /// Which value.
    pub name: VReg,
}

impl Move {
    /// Whether the value is there already.
    pub fn is_idle(&self) -> bool {
        self.from == Source::Place(self.to)
    }
}

/// Sequences the moves. `spare` yields the slot that may break a cycle through memory.
pub fn sequence(moves: Vec<Move>, scratch: PReg, spare: &mut dyn FnMut() -> Slot) -> Vec<Item> {
    let mut items = Vec::new();
    let mut computed = Vec::new();
    let mut pending: Vec<(Place, Place, VReg)> = Vec::new();
    for Move { to, from, name } in moves {
        debug_assert_ne!(to, Place::Reg(scratch));
        match from {
            Source::Place(from) if from == to => {}
            Source::Place(from) => pending.push((to, from, name)),
            Source::Recipe(recipe) => computed.push((to, recipe, name)),
        }
    }
    while !pending.is_empty() {
        let free = pending.iter().position(|&(to, ..)| pending.iter().all(|&(_, from, _)| from != to));
        if let Some(index) = free {
            let (to, from, name) = pending.remove(index);
            copy(&mut items, (to, from), scratch, name);
            continue;
        }
        let in_memory = |place: Place| !matches!(place, Place::Reg(_));
        let carries = pending.iter().any(|&(to, from, _)| in_memory(to) && in_memory(from));
        let wait = if carries { Place::Slot(spare()) } else { Place::Reg(scratch) };
        let held = pending[0].0;
        let name = pending.iter().find(|&&(_, from, _)| from == held).expect("a cycle").2;
        copy(&mut items, (wait, held), scratch, name);
        for (_, from, _) in pending.iter_mut().filter(|(_, from, _)| *from == held) {
            *from = wait;
        }
    }
    for (to, recipe, name) in computed {
        match to {
            Place::Reg(reg) => items.push(compute(&recipe, reg, name)),
            Place::Slot(_) | Place::Incoming(_) | Place::Outgoing(_) => {
                items.push(compute(&recipe, scratch, name));
                copy(&mut items, (to, Place::Reg(scratch)), scratch, name);
            }
        }
    }
    items
}

/// The item that computes a recipe into a register.
pub fn compute(recipe: &Recipe, reg: PReg, name: VReg) -> Item {
    let to = (Place::Reg(reg), name);
    let inst = recipe.map(&mut |_| reg);
    match inst {
        Inst::IncomingLoad { offset, .. } => item(inst, Class::Reload, (Place::Incoming(offset), name), to),
        _ => Item { inst, class: Class::Remat, source: None, reads: vec![], writes: vec![to] },
    }
}

fn copy(items: &mut Vec<Item>, (to, from): (Place, Place), scratch: PReg, name: VReg) {
    let labels = ((from, name), (to, name));
    let (inst, class) = match (to, from) {
        (Place::Reg(d), Place::Reg(m)) => (Inst::Move { d, m }, Class::Move),
        (Place::Reg(d), Place::Slot(slot)) => (Inst::SlotLoad { d, slot }, Class::Reload),
        (Place::Slot(slot), Place::Reg(s)) => (Inst::SlotStore { s, slot }, Class::Spill),
        _ => {
            copy(items, (Place::Reg(scratch), from), scratch, name);
            copy(items, (to, Place::Reg(scratch)), scratch, name);
            return;
        }
    };
    items.push(item(inst, class, labels.0, labels.1));
}

fn item(inst: Inst<PReg>, class: Class, read: (Place, VReg), write: (Place, VReg)) -> Item {
    Item { inst, class, source: None, reads: vec![read], writes: vec![write] }
}
