//! Removes what nothing needs, and tells what only frames need.
//!
//! Ensures: every value is lowered because lowered code uses it, or virtual because a frame or a
//! virtual value uses it, or gone.
//!
//! A frame slot whose value the machine does not compute is kept if an expression of pure operators
//! over lowered values describes it; what the source makes of the slot can then be described too.
//! Any other such slot is emptied. Nothing that the machine computes depends on it: otherwise its
//! value would be lowered.

use crate::entity::TypedVec;
use crate::ir::cfg;
use crate::ir::func::{Block, Def, ENTRY, Func, Liveness, Value};
use crate::ir::op::Effect;

/// Why a value is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    None,
    Frame,
    Machine,
}

/// Removes dead code and marks virtual values.
pub fn run(func: &mut Func) {
    let cfg = cfg::run(func);
    let mut needs: TypedVec<Value, Need> = TypedVec::filled(Need::None, func.values.len());
    mark_machine(func, &cfg.rpo, &mut needs);
    let describable = describable(func, &cfg.rpo, &needs);
    for block in &cfg.rpo {
        for slot in func.blocks[*block].frame.slots_mut() {
            *slot = slot.filter(|value| describable[*value]);
        }
    }
    mark_frames(func, &cfg.rpo, &mut needs);
    sweep(func, &needs);
}

/// Marks what lowered code uses.
fn mark_machine(func: &Func, rpo: &[Block], needs: &mut TypedVec<Value, Need>) {
    let mut edges: TypedVec<Block, Vec<&[Value]>> = TypedVec::filled(vec![], func.blocks.len());
    let mut work: Vec<Value> = func.blocks[ENTRY].params.clone();
    for block in rpo {
        let data = &func.blocks[*block];
        for target in data.terminator.targets() {
            edges[target.block].push(&target.args);
        }
        work.extend(data.terminator.operands());
        for inst in &data.insts {
            let inst = &func.insts[*inst];
            if !inst.op.is_removable() {
                work.extend(&inst.args);
                work.extend(inst.result);
            }
        }
    }
    while let Some(value) = work.pop() {
        if needs[value] == Need::Machine {
            continue;
        }
        needs[value] = Need::Machine;
        match func.values[value].def {
            Def::Inst(inst) => work.extend(&func.insts[inst].args),
            Def::Param(block) => {
                let params = &func.blocks[block].params;
                let index = params.iter().position(|param| *param == value).expect("a parameter");
                work.extend(edges[block].iter().map(|args| args[index]));
            }
        }
    }
}

/// Which values are lowered or can be described over lowered values.
fn describable(func: &Func, rpo: &[Block], needs: &TypedVec<Value, Need>) -> TypedVec<Value, bool> {
    let mut describable: TypedVec<Value, bool> = needs.values().map(|need| *need == Need::Machine).collect();
    // Definitions come before their uses in this order.
    for inst in rpo.iter().flat_map(|block| &func.blocks[*block].insts) {
        let inst = &func.insts[*inst];
        if let (Some(value), Effect::Pure) = (inst.result, inst.op.effect()) {
            describable[value] |= inst.args.iter().all(|arg| describable[*arg]);
        }
    }
    describable
}

/// Marks what frames use beyond that.
fn mark_frames(func: &Func, rpo: &[Block], needs: &mut TypedVec<Value, Need>) {
    let slots = rpo.iter().flat_map(|block| func.blocks[*block].frame.slots());
    let mut work: Vec<Value> = slots.flatten().copied().collect();
    while let Some(value) = work.pop() {
        if needs[value] != Need::None {
            continue;
        }
        needs[value] = Need::Frame;
        let inst = func.definition(value).expect("a described value is no parameter");
        work.extend(&inst.args);
    }
}

fn sweep(func: &mut Func, needs: &TypedVec<Value, Need>) {
    for (value, data) in func.values.iter_mut() {
        data.liveness = match needs[value] {
            Need::Frame => Liveness::Virtual,
            Need::None | Need::Machine => Liveness::Lowered,
        };
    }
    let insts = &func.insts;
    for block in func.blocks.values_mut() {
        block.insts.retain(|inst| {
            let inst = &insts[*inst];
            let is_needed = inst.result.is_some_and(|value| needs[value] != Need::None);
            is_needed || !inst.op.is_removable()
        });
    }
    func.retain_params(|param| needs[param] == Need::Machine);
}
