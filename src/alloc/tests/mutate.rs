//! The checker refuses what is wrong: allocated functions with one item damaged.

use synth_verify::hints::Class;

use super::generate::{Random, Shape, function};
use super::interpret::{run_allocated, run_virtual};
use crate::alloc::allocate;
use crate::alloc::allocated::Allocated;
use crate::alloc::check::check;
use crate::vcode::entity::{Block, Entity, Slot};
use crate::vcode::operands::{Constraint, Role};
use crate::vcode::reg::PReg;
use crate::vcode::{Inst, Terminator};

/// One way to damage a function. Yields whether there was something to damage.
type Damage = fn(&mut Allocated, &mut Random) -> bool;

fn random_block(allocated: &Allocated, random: &mut Random) -> Block {
    Block::new(random.below(allocated.blocks.len()))
}

fn forget_an_added_item(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    let items = &mut allocated.blocks[block].items;
    let added = |class| !matches!(class, Class::Direct | Class::Check);
    let Some(place) = items.iter().position(|item| added(item.class)) else {
        return false;
    };
    items.remove(place);
    true
}

fn read_another_register(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    let items = &mut allocated.blocks[block].items;
    if items.is_empty() {
        return false;
    }
    let item = random.below(items.len());
    let mut changed = false;
    items[item].inst = items[item].inst.map(&mut |operand| {
        let free = operand.role == Role::Use && operand.constraint == Constraint::Any;
        if free && !changed {
            changed = true;
            return PReg::new((operand.reg.number() + 1) % 12);
        }
        operand.reg
    });
    changed
}

fn write_another_register(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    let items = &mut allocated.blocks[block].items;
    let Some(item) = items.iter_mut().find(|item| {
        item.class == Class::Direct
            && item.inst.operands().iter().any(|o| o.role == Role::Def && o.constraint == Constraint::Any)
    }) else {
        return false;
    };
    item.inst = item.inst.map(&mut |operand| match operand.role {
        Role::Def => PReg::new((operand.reg.number() + 1) % 12),
        Role::Use => operand.reg,
    });
    true
}

fn confuse_slots(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    let slots = allocated.frame.slots;
    for item in &mut allocated.blocks[block].items {
        if let Inst::SlotLoad { slot, .. } = &mut item.inst
            && slots > 1
        {
            *slot = Slot((slot.0 + 1) % slots);
            return true;
        }
    }
    false
}

fn exchange_two_items(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    let items = &mut allocated.blocks[block].items;
    let pair = items.windows(2).position(|pair| {
        pair[0].class != Class::Direct && pair[1].reads.iter().any(|read| pair[0].writes.contains(read))
    });
    let Some(place) = pair else { return false };
    items.swap(place, place + 1);
    true
}

fn branch_elsewhere(allocated: &mut Allocated, random: &mut Random) -> bool {
    let block = random_block(allocated, random);
    match &mut allocated.blocks[block].terminator {
        Terminator::Branch { then, otherwise, .. } if then.block != otherwise.block => {
            std::mem::swap(then, otherwise);
            true
        }
        _ => false,
    }
}

/// Applies the damage to many functions: whatever the checker lets pass must do the same.
fn refuses(damage: Damage) {
    let shape = Shape { size: 50, reach: 20, calls: 10 };
    let mut random = Random::new(99);
    let (mut damaged, mut refused) = (0, 0);
    for seed in 0..120 {
        let func = function(seed, shape);
        let mut outcome = allocate(&func);
        assert_eq!(check(&outcome.func, &outcome.recipes, &outcome.allocated), Ok(()));
        if !(0..20).any(|_| damage(&mut outcome.allocated, &mut random)) {
            continue;
        }
        damaged += 1;
        if check(&outcome.func, &outcome.recipes, &outcome.allocated).is_err() {
            refused += 1;
        } else {
            assert_eq!(run_virtual(&func, 1), run_allocated(&outcome.allocated, 1));
        }
    }
    assert!(damaged > 40, "{damaged} damaged");
    // Damage to a value that nobody reads is none.
    assert!(refused * 3 >= damaged * 2, "{refused} of {damaged} refused");
}

#[test]
fn a_forgotten_move_or_reload_is_refused() {
    refuses(forget_an_added_item);
}

#[test]
fn reading_another_register_is_refused() {
    refuses(read_another_register);
}

#[test]
fn writing_another_register_is_refused() {
    refuses(write_another_register);
}

#[test]
fn another_slot_is_refused() {
    refuses(confuse_slots);
}

#[test]
fn items_out_of_order_are_refused() {
    refuses(exchange_two_items);
}

#[test]
fn another_successor_is_refused() {
    refuses(branch_elsewhere);
}
