//! Damage to allocated code: layout and labels follow it, as if allocation were wrong.

use synth::Units;
use synth::alloc::allocated::{Allocated, AllocatedBlock, Item, Place};
use synth::vcode::entity::{Block, Entity, Slot};
use synth::vcode::operands::{Constraint, Role};
use synth::vcode::reg::{Bank, PReg};
use synth::vcode::{Inst, Terminator};
use synth_verify::hints::Class;
use synth_verify::replay::Random;

use super::pick;

/// One way to damage a block; `None` if there is nothing to damage.
type Damage = fn(&mut AllocatedBlock, u32, &mut Random) -> Option<()>;

const OPERATORS: [(&str, Damage); 9] = [
    ("move, spill, reload or rematerialisation forgotten", forget),
    ("register read", read_another),
    ("register written", write_another),
    ("slot of a reload", reload_another),
    ("slot of a spill", spill_to_another),
    ("items exchanged", exchange),
    ("rematerialised constant", rematerialise_another),
    ("incoming argument", argument_of_another),
    ("edges exchanged", branch_elsewhere),
];

/// Changes one block of one function: what is done, and where.
pub fn damage(units: &mut Units, random: &mut Random) -> Option<(&'static str, String)> {
    let which = random.below(units.functions.len().max(1) as u64) as usize;
    let unit = units.functions.get_mut(which)?;
    let (name, operator) = OPERATORS[random.below(OPERATORS.len() as u64) as usize];
    let Allocated { blocks, frame, .. } = &mut unit.allocated;
    let slots = frame.slots;
    // From a random block on, the first that has what this damages.
    let first = random.below(blocks.len().max(1) as u64) as usize;
    let order: Vec<Block> = (0..blocks.len()).map(|at| Block::new((first + at) % blocks.len())).collect();
    let block = order.into_iter().find(|block| operator(&mut blocks[*block], slots, random).is_some())?;
    Some((name, format!("{} {block}", unit.name)))
}

fn choose(block: &AllocatedBlock, random: &mut Random, wanted: impl Fn(&Item) -> bool) -> Option<usize> {
    let found: Vec<usize> = (0..block.items.len()).filter(|at| wanted(&block.items[*at])).collect();
    pick(random, &found).copied()
}

fn is_added(item: &Item) -> bool {
    matches!(item.class, Class::Move | Class::Spill | Class::Reload | Class::Remat)
}

fn forget(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, is_added)?;
    block.items.remove(at);
    Some(())
}

/// Another core register that compiled code uses.
fn another(reg: PReg, random: &mut Random) -> PReg {
    PReg::new((reg.number() + 1 + random.below(6) as u8) % 8)
}

fn has(item: &Item, role: Role) -> bool {
    let free = |constraint| constraint == Constraint::Any;
    item.inst.operands().iter().any(|o| o.role == role && free(o.constraint) && o.reg.bank() == Bank::Core)
}

/// An operand of this role becomes another register, and the label says so.
fn exchange_register(item: &mut Item, role: Role, random: &mut Random) -> Option<()> {
    let mut change = None;
    item.inst = item.inst.map(&mut |operand| {
        let fits = operand.role == role && operand.constraint == Constraint::Any && operand.reg.bank() == Bank::Core;
        if fits && change.is_none() {
            change = Some((operand.reg, another(operand.reg, random)));
        }
        match change {
            Some((from, to)) if fits && operand.reg == from => to,
            _ => operand.reg,
        }
    });
    let (from, to) = change?;
    let places = match role {
        Role::Use => &mut item.reads,
        Role::Def => &mut item.writes,
    };
    for (place, _) in places.iter_mut().filter(|(place, _)| *place == Place::Reg(from)) {
        *place = Place::Reg(to);
    }
    Some(())
}

fn read_another(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| has(item, Role::Use))?;
    exchange_register(&mut block.items[at], Role::Use, random)
}

fn write_another(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| has(item, Role::Def))?;
    exchange_register(&mut block.items[at], Role::Def, random)
}

fn another_slot(slot: Slot, slots: u32, random: &mut Random) -> Option<Slot> {
    (slots > 1).then(|| Slot((slot.0 + 1 + random.below(u64::from(slots) - 1) as u32) % slots))
}

fn reload_another(block: &mut AllocatedBlock, slots: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| matches!(item.inst, Inst::SlotLoad { .. }))?;
    let item = &mut block.items[at];
    let Inst::SlotLoad { slot, .. } = &mut item.inst else { return None };
    *slot = another_slot(*slot, slots, random)?;
    let slot = *slot;
    item.reads.iter_mut().for_each(|(place, _)| *place = Place::Slot(slot));
    Some(())
}

fn spill_to_another(block: &mut AllocatedBlock, slots: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| matches!(item.inst, Inst::SlotStore { .. }))?;
    let item = &mut block.items[at];
    let Inst::SlotStore { slot, .. } = &mut item.inst else { return None };
    *slot = another_slot(*slot, slots, random)?;
    let slot = *slot;
    item.writes.iter_mut().for_each(|(place, _)| *place = Place::Slot(slot));
    Some(())
}

fn exchange(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    // Arguments stand first.
    let pairs: Vec<usize> = (2..block.items.len()).collect();
    let at = *pick(random, &pairs)?;
    block.items.swap(at - 1, at);
    Some(())
}

fn rematerialise_another(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| {
        item.class == Class::Remat && matches!(item.inst, Inst::Const { .. } | Inst::Address { .. })
    })?;
    match &mut block.items[at].inst {
        Inst::Const { value, .. } => *value ^= 1 << random.below(32),
        Inst::Address { addend, .. } => *addend += 4,
        _ => return None,
    }
    Some(())
}

fn argument_of_another(block: &mut AllocatedBlock, _: u32, random: &mut Random) -> Option<()> {
    let at = choose(block, random, |item| matches!(item.inst, Inst::IncomingLoad { .. }))?;
    let item = &mut block.items[at];
    let Inst::IncomingLoad { offset, .. } = &mut item.inst else { return None };
    *offset = if *offset == 0 || random.below(2) == 0 { *offset + 4 } else { *offset - 4 };
    let offset = *offset;
    item.reads.iter_mut().for_each(|(place, _)| *place = Place::Incoming(offset));
    Some(())
}

fn branch_elsewhere(block: &mut AllocatedBlock, _: u32, _: &mut Random) -> Option<()> {
    match &mut block.terminator {
        Terminator::Branch { then, otherwise, .. } | Terminator::BranchZero { then, otherwise, .. } => {
            std::mem::swap(then, otherwise);
            block.renames.swap(0, 1);
            Some(())
        }
        _ => None,
    }
}
