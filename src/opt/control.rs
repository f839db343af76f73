//! Simplifies control flow: branches that go one way only, blocks that only jump, blocks that only
//! one block jumps to, and blocks that nothing reaches.
//!
//! A block's place and frame go with its head: what stays still tells the Wasm state, for the
//! heads that are gone lay on the way between two that are left.

use crate::ir::cfg;
use crate::ir::func::{Block, ENTRY, Func, Replacements, Target, Terminator, Value};

/// Simplifies until nothing changes.
pub fn run(func: &mut Func) {
    loop {
        let mut changed = false;
        for block in func.blocks.keys() {
            changed |= simplify_branch(func, block);
        }
        changed |= thread(func);
        drop_unreachable(func);
        changed |= merge(func);
        drop_unreachable(func);
        if !changed {
            return;
        }
    }
}

/// Removes the blocks that nothing reaches; the layout order of the others stays.
fn drop_unreachable(func: &mut Func) {
    let cfg = cfg::run(func);
    let order: Vec<Block> = func.blocks.keys().filter(|block| cfg.is_reachable(*block)).collect();
    if order.len() < func.blocks.len() {
        func.reorder(&order);
    }
}

fn simplify_branch(func: &mut Func, block: Block) -> bool {
    let simpler = match &func.blocks[block].terminator {
        Terminator::BranchIf { cond, then, otherwise } => match func.constant(*cond) {
            Some(0) => Some(Terminator::Jump(otherwise.clone())),
            Some(_) => Some(Terminator::Jump(then.clone())),
            None if then == otherwise => Some(Terminator::Jump(then.clone())),
            None => None,
        },
        Terminator::BrTable { index, targets, default } => {
            simplify_table(func.constant(*index), *index, targets, default)
        }
        Terminator::Jump(_) | Terminator::Return(_) | Terminator::ReturnCall { .. } | Terminator::Trap(_) => None,
    };
    match simpler {
        Some(simpler) => {
            func.blocks[block].terminator = simpler;
            true
        }
        None => false,
    }
}

fn simplify_table(constant: Option<u64>, index: Value, targets: &[Target], default: &Target) -> Option<Terminator> {
    if let Some(constant) = constant {
        let target = usize::try_from(constant).ok().and_then(|index| targets.get(index));
        return Some(Terminator::Jump(target.unwrap_or(default).clone()));
    }
    match targets {
        _ if targets.iter().all(|target| target == default) => Some(Terminator::Jump(default.clone())),
        [first] => {
            let (then, otherwise) = (default.clone(), first.clone());
            Some(Terminator::BranchIf { cond: index, then, otherwise })
        }
        [rest @ .., last] if last == default => {
            let targets = rest.to_vec();
            Some(Terminator::BrTable { index, targets, default: default.clone() })
        }
        _ => None,
    }
}

/// Leads edges past blocks that only jump.
///
/// What such a block hands on dominates it, so it dominates its predecessors too, but for its own
/// parameters: these are replaced by what the edge hands over, and nothing else may use them.
fn thread(func: &mut Func) -> bool {
    let is_local = params_used_only_by_terminator(func);
    let mut changed = false;
    for block in func.blocks.keys() {
        let mut terminator = func.blocks[block].terminator.clone();
        let mut led_past = false;
        for target in terminator.targets_mut() {
            let via = &func.blocks[target.block];
            let Terminator::Jump(next) = &via.terminator else {
                continue;
            };
            let is_loop = next.block == target.block;
            // A block without a place stays with its one predecessor.
            let has_place = func.blocks[next.block].source.is_some();
            if !via.insts.is_empty() || is_loop || !has_place || !is_local[target.block.0 as usize] {
                continue;
            }
            let substitute = |value: &Value| {
                let index = via.params.iter().position(|param| param == value);
                index.map_or(*value, |index| target.args[index])
            };
            let args = next.args.iter().map(substitute).collect();
            *target = Target::new(next.block, args);
            led_past = true;
        }
        if led_past {
            func.blocks[block].terminator = terminator;
            changed = true;
        }
    }
    changed
}

/// For each block, whether only its own terminator uses its parameters.
fn params_used_only_by_terminator(func: &Func) -> Vec<bool> {
    let mut is_local = vec![true; func.blocks.len()];
    let mut home = vec![None; func.values.len()];
    for (block, data) in func.blocks.iter() {
        for param in &data.params {
            home[param.0 as usize] = Some(block);
        }
    }
    let mut used = |value: Value, by: Option<Block>| {
        if let Some(block) = home[value.0 as usize].filter(|home| Some(*home) != by) {
            is_local[block.0 as usize] = false;
        }
    };
    for (block, data) in func.blocks.iter() {
        for inst in &data.insts {
            func.insts[*inst].args.iter().for_each(|arg| used(*arg, None));
        }
        data.terminator.uses().for_each(|value| used(value, Some(block)));
        data.frame.slots().flatten().for_each(|value| used(*value, Some(block)));
    }
    is_local
}

/// Appends to each block the block that it alone jumps to.
fn merge(func: &mut Func) -> bool {
    let cfg = cfg::run(func);
    let mut replacements = Replacements::new(func);
    let mut gone = vec![false; func.blocks.len()];
    let mut changed = false;
    for block in cfg.rpo.iter().copied() {
        if gone[block.0 as usize] {
            continue;
        }
        while let Terminator::Jump(Target { block: next, args }) = &func.blocks[block].terminator {
            let next = *next;
            if next == block || next == ENTRY || cfg.preds[next].len() != 1 {
                break;
            }
            for (param, arg) in func.blocks[next].params.iter().zip(args) {
                replacements.insert(*param, *arg);
            }
            let insts = std::mem::take(&mut func.blocks[next].insts);
            func.blocks[block].insts.extend(insts);
            let offset = func.blocks[next].terminator_offset;
            let trap = Terminator::Trap(crate::trap::Trap::Unreachable);
            let terminator = std::mem::replace(&mut func.blocks[next].terminator, trap);
            func.blocks[block].terminator = terminator;
            func.blocks[block].terminator_offset = offset;
            func.blocks[next].params.clear();
            gone[next.0 as usize] = true;
            changed = true;
        }
    }
    func.replace(&replacements);
    changed
}
