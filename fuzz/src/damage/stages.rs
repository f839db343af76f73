//! Damage between stages of the compiler: to instructions over virtual registers, and to allocated ones. Layout, labels
//! and relations follow, as if the compiler itself erred there.

use std::panic::{self, AssertUnwindSafe};

use synth::alloc::allocated::{Allocated, AllocatedBlock, Item, Place};
use synth::elf::program::Program;
use synth::entity::{Entity, TypedVec};
use synth::stage::NoTap;
use synth::vcode::operands::{Constraint, Operand, Role};
use synth::vcode::{Block, BlockData, Edge, Func, Inst, PReg, RegSet, Slot, VReg, check};
use synth::{Unit, alloc};
use synth_verify::hints::Class;
use synth_verify::replay::Random;

use super::{Subject, choose, pick, variant};

/// A stage behind which one function is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behind {
    /// Instruction selection.
    Selection,
    /// Register allocation.
    Allocation,
}

/// How often another place is tried when the damage has left no function that is one.
const ATTEMPTS: u32 = 20;

/// Changes one function behind a stage: what is done, in which function, and the program. `None` where there is no such
/// place, or the compiler notices.
pub fn damage(subject: &Subject, behind: Behind, random: &mut Random) -> Option<(&'static str, u32, Program)> {
    let mut units = subject.units.clone();
    let at = pick(random, units.functions.len())?;
    // A damaged function may break what a later stage relies on: then the compiler has noticed.
    let compiled = panic::catch_unwind(AssertUnwindSafe(|| {
        let what = behind.damage(&mut units.functions[at], random)?;
        Some((what, synth::output(&units, &subject.config, &mut NoTap).ok()?.program))
    }));
    let (what, program) = compiled.ok()??;
    Some((what, subject.units.functions[at].vcode.index, program))
}

impl Behind {
    fn damage(self, unit: &mut Unit, random: &mut Random) -> Option<&'static str> {
        match self {
            Behind::Allocation => (0..ATTEMPTS).find_map(|_| damage_allocated(&mut unit.allocated, random)),
            Behind::Selection => {
                let (what, func) = (0..ATTEMPTS).find_map(|_| {
                    let mut func = unit.vcode.clone();
                    let what = damage_func(&mut func, random)?;
                    (func != unit.vcode && check::check(&func).is_ok()).then_some((what, func))
                })?;
                unit.allocated = alloc::run(&func);
                unit.vcode = func;
                Some(what)
            }
        }
    }
}

fn damage_func(func: &mut Func, random: &mut Random) -> Option<&'static str> {
    let block = Block::new(pick(random, func.blocks.len())?);
    let data = &func.blocks[block];
    let at = pick(random, data.insts.len() + 1)?;
    let found = if at < data.insts.len() { at_node(func, data, at) } else { at_end(func, data) };
    let (what, data) = choose(found, random)?;
    func.blocks[block] = data;
    Some(what)
}

/// What can be done to an item of a block.
fn at_node(func: &Func, data: &BlockData, at: usize) -> Vec<(&'static str, BlockData)> {
    let with = |inst| {
        let mut data = data.clone();
        data.insts[at].inst = inst;
        data
    };
    let inst = &data.insts[at].inst;
    let mut found: Vec<_> = variant::of_inst(inst).into_iter().map(|(what, inst)| (what, with(inst))).collect();
    for (index, operand) in inst.operands().iter().enumerate().filter(|(_, operand)| operand.role == Role::Use) {
        let other = same_class(func, operand.reg);
        found.extend(other.map(|reg| ("other value", with(replaced(inst, index, reg)))));
    }
    let mut dropped = data.clone();
    dropped.insts.remove(at);
    found.push(("instruction dropped", dropped));
    if at + 1 < data.insts.len() {
        let mut swapped = data.clone();
        swapped.insts.swap(at, at + 1);
        found.push(("neighbours exchanged", swapped));
    }
    found
}

/// What can be done to the end of a block.
fn at_end(func: &Func, data: &BlockData) -> Vec<(&'static str, BlockData)> {
    let with = |terminator| BlockData { terminator, ..data.clone() };
    let end = &data.terminator;
    let mut found: Vec<_> = variant::of_end(end).into_iter().map(|(what, end)| (what, with(end))).collect();
    for (index, edge) in end.edges().into_iter().enumerate() {
        for block in func.blocks.keys().filter(|block| *block != edge.block) {
            let mut turned = end.clone();
            *turned.edges_mut()[index] = Edge { block, args: edge.args.clone() };
            found.push(("other branch target", with(turned)));
        }
        for (place, arg) in edge.args.iter().enumerate() {
            for reg in same_class(func, *arg) {
                let mut turned = end.clone();
                turned.edges_mut()[index].args[place] = reg;
                found.push(("other value", with(turned)));
            }
        }
    }
    for (index, operand) in end.operands().iter().enumerate() {
        for reg in same_class(func, operand.reg) {
            let mut count = 0;
            let turned = end.map(
                &mut |operand| {
                    count += 1;
                    if count == index + 1 { reg } else { operand.reg }
                },
                &mut Edge::clone,
            );
            found.push(("other value", with(turned)));
        }
    }
    found
}

/// The other virtual registers of a kind.
fn same_class(func: &Func, reg: VReg) -> impl Iterator<Item = VReg> {
    let class = func.classes[reg];
    func.classes.iter().filter(move |(other, of)| *other != reg && **of == class).map(|(other, _)| other)
}

/// An instruction with the operand of this number in another register.
fn replaced<R: Copy>(inst: &Inst<R>, index: usize, reg: R) -> Inst<R> {
    let mut count = 0;
    inst.map(&mut |operand: Operand<R>| {
        count += 1;
        if count == index + 1 { reg } else { operand.reg }
    })
}

fn damage_allocated(allocated: &mut Allocated, random: &mut Random) -> Option<&'static str> {
    if random.below(8) == 0 {
        let (what, change) = choose(of_frame(allocated), random)?;
        change(allocated);
        return Some(what);
    }
    let block = Block::new(pick(random, allocated.blocks.len())?);
    let at = pick(random, allocated.blocks[block].items.len())?;
    let (what, data) = choose(at_item(allocated, &allocated.blocks[block], at), random)?;
    allocated.blocks[block] = data;
    Some(what)
}

type Change = Box<dyn Fn(&mut Allocated)>;

/// What can be done to the frame.
fn of_frame(allocated: &Allocated) -> Vec<(&'static str, Change)> {
    let mut found: Vec<(&'static str, Change)> = Vec::new();
    for reg in allocated.frame.saved.intersection(RegSet::PRESERVED).iter() {
        found.push(("register not saved", Box::new(move |allocated| allocated.frame.saved.remove(reg))));
    }
    for reg in (4..8).map(PReg::new).filter(|reg| !allocated.frame.saved.contains(*reg)) {
        found.push(("register saved without need", Box::new(move |allocated| allocated.frame.saved.insert(reg))));
    }
    if allocated.frame.local_bytes >= 8 {
        found.push(("frame too small", Box::new(|allocated| allocated.frame.local_bytes -= 8)));
    }
    found.push(("frame too large", Box::new(|allocated| allocated.frame.local_bytes += 8)));
    if allocated.frame.outgoing_bytes >= 8 {
        found.push(("slots over outgoing arguments", Box::new(|allocated| allocated.frame.outgoing_bytes -= 8)));
    }
    found
}

/// What can be done to an item of an allocated block. Its label follows.
fn at_item(allocated: &Allocated, data: &AllocatedBlock, at: usize) -> Vec<(&'static str, AllocatedBlock)> {
    let item = &data.items[at];
    let with = |item| {
        let mut data = data.clone();
        data.items[at] = item;
        data
    };
    let mut found = Vec::new();
    for (index, operand) in item.inst.operands().into_iter().enumerate() {
        let mut all = RegSet::allocable((allocated.isa, allocated.float), operand.reg.bank());
        all.remove(operand.reg);
        if operand.constraint == Constraint::Any {
            found.extend(all.iter().map(|reg| ("other register", with(in_register(item, index, reg)))));
        }
        // A clash of two values: from here on one register stands for another.
        found.extend(all.iter().map(|reg| ("registers mixed up", mixed(data, at, (operand.reg, reg)))));
    }
    if let Inst::SlotLoad { slot, .. } | Inst::SlotStore { slot, .. } = item.inst {
        let other = TypedVec::<Slot, ()>::filled((), allocated.frame.slots as usize);
        let other = other.keys().filter(|other| *other != slot);
        found.extend(other.map(|other| ("other slot", with(in_slot(item, other)))));
    }
    if let Some(moved) = elsewhere_on_stack(&item.inst) {
        found.push(("other stack argument", with(Item { inst: moved, ..item.clone() })));
    }
    let dropped = match item.class {
        Class::Move => "move dropped",
        Class::Spill => "spill dropped",
        Class::Reload => "reload dropped",
        Class::Remat => "recomputation dropped",
        Class::Direct | Class::Check | Class::Trap | Class::Frame => "instruction dropped",
    };
    let mut without = data.clone();
    without.items.remove(at);
    found.push((dropped, without));
    if at + 1 < data.items.len() {
        let mut swapped = data.clone();
        swapped.items.swap(at, at + 1);
        found.push(("neighbours exchanged", swapped));
    }
    found
}

fn in_register(item: &Item, index: usize, reg: PReg) -> Item {
    let operand = item.inst.operands()[index];
    let mut item = Item { inst: replaced(&item.inst, index, reg), ..item.clone() };
    let label = if operand.role == Role::Use { &mut item.reads } else { &mut item.writes };
    if let Some((place, _)) = label.iter_mut().find(|(place, _)| *place == Place::Reg(operand.reg)) {
        *place = Place::Reg(reg);
    }
    item
}

fn in_slot(item: &Item, other: Slot) -> Item {
    let mut item = item.clone();
    if let Inst::SlotLoad { slot, .. } | Inst::SlotStore { slot, .. } = &mut item.inst {
        *slot = other;
    }
    for (place, _) in item.reads.iter_mut().chain(&mut item.writes) {
        if matches!(place, Place::Slot(_)) {
            *place = Place::Slot(other);
        }
    }
    item
}

fn elsewhere_on_stack(inst: &Inst<PReg>) -> Option<Inst<PReg>> {
    let mut inst = inst.clone();
    let (Inst::IncomingLoad { offset, .. }
    | Inst::IncomingStore { offset, .. }
    | Inst::OutgoingStore { offset, .. }
    | Inst::OutgoingLoad { offset, .. }) = &mut inst
    else {
        return None;
    };
    *offset ^= 4;
    Some(inst)
}

fn mixed(data: &AllocatedBlock, at: usize, (from, to): (PReg, PReg)) -> AllocatedBlock {
    let mut data = data.clone();
    for item in &mut data.items[at..] {
        let is_free = |operand: &Operand<PReg>| !matches!(operand.constraint, Constraint::Fixed(_));
        item.inst = item.inst.map(&mut |operand| match operand.reg == from && is_free(&operand) {
            true => to,
            false => operand.reg,
        });
        for (place, _) in item.reads.iter_mut().chain(&mut item.writes) {
            if *place == Place::Reg(from) {
                *place = Place::Reg(to);
            }
        }
    }
    data
}
