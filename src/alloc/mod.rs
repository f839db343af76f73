//! Register allocation: virtual registers become r0 to r11, LR, d0 to d14 and slots of the stack frame.
//!
//! Requires: a well-formed function (`vcode::check`).
//! Ensures: an equivalent function over physical registers; it always succeeds.
//!
//! | pass | does |
//! |---|---|
//! | `prepare` | forwards copies, splits edges, frees tied operands |
//! | `flow`, `live`, `remat` | loops; distances to next uses; recipes for values |
//! | `spill` | which values are in registers at each point: never more than there are |
//! | `ranges`, `colour` | live ranges in registers, their interference and wishes; a register each |
//! | `slots` | slots for values in memory |
//! | `assign`, `moves` | code: registers at each point, parallel moves at calls and edges |
//! | `redundant` | drops copies of what a register still holds |
//! | `check` | follows each value through the result (debug builds, tests) |
//!
//! Because `spill` bounds the pressure first, `assign` cannot fail whatever `colour` finds, and no
//! value is spilled because a colouring failed.

pub mod allocated;
mod assign;
pub mod check;
mod colour;
mod flow;
mod live;
mod moves;
mod prepare;
mod ranges;
mod redundant;
mod remat;
mod slots;
mod spill;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::target::Isa;
use crate::trap::Trap;

pub use allocated::{Allocated, AllocatedBlock, Calls, Frame, Item, Place, Stats};

use crate::vcode::VReg;
use crate::vcode::entity::{Block, Slot, TypedVec};
use crate::vcode::func::{ENTRY, Func};
use crate::vcode::inst::{Inst, Terminator};
use crate::vcode::reg::{PReg, RegSet};
use assign::{Assigned, Decisions};
use flow::Flow;
use live::Live;
use remat::Recipe;
use spill::Facts;

/// Allocates a function.
pub fn run(input: &Func) -> Allocated {
    debug_assert_eq!(crate::vcode::check::check(input), Ok(()), "{input}");
    let Outcome { func, recipes, mut allocated } = allocate(input);
    debug_assert_eq!(check::check(&func, &recipes, &allocated), Ok(()), "{func}\n{allocated}");
    bypass_empty_blocks(&mut allocated);
    allocated
}

/// An allocated function with what the checker compares it to.
struct Outcome {
    func: Func,
    recipes: TypedVec<VReg, Option<Recipe>>,
    allocated: Allocated,
}

fn allocate(input: &Func) -> Outcome {
    let func = prepare::run(input);
    let flow = Flow::new(&func);
    let live = Live::new(&func, &flow);
    let recipes = remat::run(&func);
    let facts = Facts { func: &func, flow: &flow, live: &live, recipes: &recipes };
    let plan = spill::run(&facts);
    let ranges = ranges::run(&facts, &plan);
    let calls = calls(&func);
    let colours = colour::run(&ranges, |bank| facts.allocable(bank), calls);
    debug_assert_eq!(colour::conflicts(&ranges, &colours), 0);
    let (slots, slot_count) = slots::run(&facts, &plan.slotted);
    let decisions = Decisions { facts: &facts, plan: &plan, ranges: &ranges, colours: &colours, slots: &slots };
    let assigned = assign::run(&decisions, slot_count);
    let coalesced = assigned.coalesced;
    let mut allocated = collect(&facts, assigned, &slots, input.blocks.len());
    allocated.stats = stats::run(&facts, &plan.slotted, &allocated);
    allocated.stats.moves_coalesced = coalesced;
    allocated.stats.uncoloured = stats::count(colours.values().filter(|colour| colour.is_none()).count());
    Outcome { func, recipes, allocated }
}

fn calls(func: &Func) -> Calls {
    let mut nodes = func.blocks.values().flat_map(|data| &data.insts);
    if nodes.any(|node| matches!(node.inst, Inst::Call(_))) { Calls::Some } else { Calls::None }
}

/// Puts the parts of the result together.
fn collect(facts: &Facts<'_>, assigned: Assigned, slots: &BTreeMap<VReg, Slot>, input_blocks: usize) -> Allocated {
    let func = facts.func;
    let frame = frame(func, &assigned);
    let blocks = assigned.code.iter().map(|(block, code)| {
        let (located, named) = head(facts, slots, block, &code.entry);
        let reached = facts.flow.reached(block);
        AllocatedBlock {
            located: if reached { located } else { vec![] },
            named: if reached { named } else { vec![] },
            items: code.items.clone(),
            terminator: code.terminator.clone().unwrap_or(Terminator::Trap(Trap::Unreachable)),
            terminator_reads: code.terminator_reads.clone(),
            terminator_source: func.blocks[block].terminator_source,
            renames: code.renames.clone(),
            loop_depth: facts.flow.depth[block],
        }
    });
    Allocated {
        index: func.index,
        isa: func.isa,
        float: func.float,
        blocks: blocks.collect(),
        input_blocks,
        vregs: func.vregs.clone(),
        classes: func.classes.clone(),
        halves: func.halves.clone(),
        constants: remat::constants(facts.recipes),
        frame,
        stats: Stats::default(),
    }
}

/// Where live values are at a block's head. A parameter's slot is written behind the head.
fn head(
    facts: &Facts<'_>,
    slots: &BTreeMap<VReg, Slot>,
    block: Block,
    entry: &BTreeMap<VReg, PReg>,
) -> (Vec<(Place, VReg)>, Vec<VReg>) {
    let params = &facts.func.blocks[block].params;
    let mut located: Vec<(Place, VReg)> = entry.iter().map(|(&vreg, &reg)| (Place::Reg(reg), vreg)).collect();
    let mut named = Vec::new();
    for &vreg in facts.live.entry[block].keys() {
        if let Some(&slot) = slots.get(&vreg)
            && !(params.contains(&vreg) && entry.contains_key(&vreg))
        {
            located.push((Place::Slot(slot), vreg));
        }
        match &facts.recipes[vreg] {
            Some(Inst::IncomingLoad { offset, .. }) => located.push((Place::Incoming(*offset), vreg)),
            Some(_) if !entry.contains_key(&vreg) => named.push(vreg),
            _ => {}
        }
    }
    (located, named)
}

/// Items and blocks of a function on Armv6-M whose branches all reach: an item takes at most 16 bytes, its literal
/// included, and a short branch goes 2 KiB. In a longer one a branch may have to destroy LR.
const SHORT_ITEMS_MAX: usize = 100;

fn frame(func: &Func, assigned: &Assigned) -> Frame {
    let items = || assigned.code.values().flat_map(|code| &code.items);
    let calls = calls(func);
    let written: RegSet = items().flat_map(|item| item.inst.defs()).collect();
    let mut saved = written.intersection(RegSet::PRESERVED.union(RegSet::one(PReg::LR)));
    // VPUSH takes registers in a row.
    let last = saved.floats().iter().map(PReg::number).max();
    saved = saved.union((8..=last.unwrap_or(0)).map(PReg::double).collect());
    if calls == Calls::Some || func.isa == Isa::V6M && items().count() + func.blocks.len() > SHORT_ITEMS_MAX {
        saved.insert(PReg::LR);
    }
    let outgoing = items().filter_map(|item| match item.inst {
        Inst::OutgoingStore { offset, .. } => Some(offset + 4),
        Inst::ResultArea { offset, bytes, .. } => Some(offset + bytes),
        _ => None,
    });
    let outgoing = outgoing.max().unwrap_or(0).next_multiple_of(8);
    let arguments = func.blocks[ENTRY].insts.first().map(|node| &node.inst);
    let takes_r3 = match arguments {
        Some(Inst::Args { defs }) => defs.iter().any(|&(at, _)| at == PReg::R3),
        _ => false,
    };
    let gives_r3 = |terminator: &Terminator<VReg>| match terminator {
        Terminator::ReturnCall(call) => call.args.iter().any(|&(at, _)| at == PReg::R3),
        _ => false,
    };
    let gives_r3 = func.blocks.values().any(|data| gives_r3(&data.terminator));
    let padding = Some(PReg::R3).filter(|_| !takes_r3 && !gives_r3);
    Frame::new(saved, assigned.slots, outgoing, calls, padding)
}

/// Lets edges go past blocks that split them for nothing.
fn bypass_empty_blocks(allocated: &mut Allocated) {
    let mut bypassed: BTreeSet<Block> = BTreeSet::new();
    for block in allocated.blocks.keys() {
        for index in 0..allocated.blocks[block].renames.len() {
            let middle = allocated.blocks[block].terminator.edges()[index].block;
            let data = &allocated.blocks[middle];
            let (Terminator::Jump(onward), true) = (&data.terminator, data.items.is_empty()) else {
                continue;
            };
            if (middle.0 as usize) < allocated.input_blocks {
                continue;
            }
            let target = onward.block;
            let renames = data.renames[0].clone();
            allocated.blocks[block].renames[index] = renames;
            allocated.blocks[block].terminator.edges_mut()[index].block = target;
            bypassed.insert(middle);
        }
    }
    for block in bypassed {
        let data = &mut allocated.blocks[block];
        data.terminator = Terminator::Trap(Trap::Unreachable);
        data.located.clear();
        data.named.clear();
        data.renames.clear();
    }
}
