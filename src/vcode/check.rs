//! Well-formedness of functions over virtual registers.
//!
//! Ensures: an `Ok` function keeps every promise at the head of `vcode::func` and `vcode::inst`:
//! one definition each, definitions dominate uses, edges pass as many arguments as their block
//! has parameters, fixed registers are distinct and allocable, flags are written before they are
//! read in the same block with only flag-keeping items between.

use super::entity::{Block, Entity, TypedVec, VReg};
use super::func::{ENTRY, Func};
use super::inst::Inst;
use super::operands::{Constraint, Operand, Role};
use super::reg::{Bank, RegSet};

/// The first broken promise, in words.
pub fn check(func: &Func) -> Result<(), String> {
    if func.blocks.is_empty() {
        return Err("a function needs an entry block".into());
    }
    check_edges(func)?;
    check_definitions(func)?;
    for (block, data) in func.blocks.iter() {
        for (index, node) in data.insts.iter().enumerate() {
            check_fixed(&node.inst.operands()).map_err(|e| format!("{block}: {}: {e}", node.inst))?;
            check_banks(func, &node.inst).map_err(|e| format!("{block}: {}: {e}", node.inst))?;
            if matches!(node.inst, Inst::Args { .. }) && (block != ENTRY || index != 0) {
                return Err(format!("{block}: arguments arrive elsewhere than at the entry"));
            }
        }
        check_fixed(&data.terminator.operands()).map_err(|e| format!("{block}: {e}"))?;
        check_flags(func, block)?;
    }
    Ok(())
}

fn check_edges(func: &Func) -> Result<(), String> {
    if !func.blocks[ENTRY].params.is_empty() {
        return Err("the entry block has parameters".into());
    }
    for (block, data) in func.blocks.iter() {
        for edge in data.terminator.edges() {
            if edge.block.index() >= func.blocks.len() || edge.block == ENTRY {
                return Err(format!("{block}: an edge to {}", edge.block));
            }
            if edge.args.len() != func.blocks[edge.block].params.len() {
                return Err(format!("{block}: {edge} passes the wrong number of arguments"));
            }
        }
    }
    Ok(())
}

fn check_fixed(operands: &[Operand<VReg>]) -> Result<(), String> {
    for role in [Role::Use, Role::Def] {
        let mut seen = RegSet::EMPTY;
        for operand in operands.iter().filter(|operand| operand.role == role) {
            let Constraint::Fixed(reg) = operand.constraint else {
                continue;
            };
            if seen.contains(reg) || !RegSet::ALLOCABLE.contains(reg) {
                return Err(format!("{reg} is fixed twice or cannot be"));
            }
            seen.insert(reg);
        }
    }
    Ok(())
}

/// Operands are in the bank that the instruction asks for; what copies keeps the class.
fn check_banks(func: &Func, inst: &Inst<VReg>) -> Result<(), String> {
    for operand in inst.operands() {
        let bank = func.classes[operand.reg].bank();
        if operand.bank != Bank::Either && operand.bank != bank {
            return Err(format!("{} is in the other bank", operand.reg));
        }
    }
    match *inst {
        Inst::Move { d, m } if func.classes[d] != func.classes[m] => Err(format!("{d} and {m} differ in class")),
        _ => Ok(()),
    }
}

fn check_flags(func: &Func, block: Block) -> Result<(), String> {
    let data = &func.blocks[block];
    let mut valid = false;
    for node in &data.insts {
        let effect = node.inst.flags_effect();
        if effect.reads && !valid {
            return Err(format!("{block}: {} reads flags that nobody wrote", node.inst));
        }
        if effect.writes {
            valid = !matches!(node.inst, Inst::Call(_));
        }
    }
    if data.terminator.reads_flags() && !valid {
        return Err(format!("{block}: {} reads flags that nobody wrote", data.terminator));
    }
    Ok(())
}

/// Available definitions by forward dataflow: a definition dominates a use exactly if it is
/// available there on every path, since each register has one definition.
fn check_definitions(func: &Func) -> Result<(), String> {
    let mut defined = TypedVec::<VReg, bool>::filled(false, func.vregs.len());
    let mut define = |vreg: VReg| {
        if vreg.index() >= func.vregs.len() || std::mem::replace(&mut defined[vreg], true) {
            return Err(format!("{vreg} is defined twice or is none of the function's"));
        }
        Ok(())
    };
    for data in func.blocks.values() {
        data.params.iter().try_for_each(|&param| define(param))?;
        data.insts.iter().flat_map(|node| node.inst.defs()).try_for_each(&mut define)?;
    }
    let mut available: TypedVec<Block, Option<Vec<bool>>> = TypedVec::filled(None, func.blocks.len());
    available[ENTRY] = Some(vec![false; func.vregs.len()]);
    let mut work = vec![ENTRY];
    while let Some(block) = work.pop() {
        let mut now = available[block].clone().expect("queued blocks are reached");
        for &param in &func.blocks[block].params {
            now[param.index()] = true;
        }
        for node in &func.blocks[block].insts {
            for def in node.inst.defs() {
                now[def.index()] = true;
            }
        }
        for edge in func.blocks[block].terminator.edges() {
            let next = match &available[edge.block] {
                None => now.clone(),
                Some(old) => old.iter().zip(&now).map(|(&a, &b)| a && b).collect(),
            };
            if available[edge.block].as_ref() != Some(&next) {
                available[edge.block] = Some(next);
                work.push(edge.block);
            }
        }
    }
    for block in func.blocks.keys() {
        if let Some(start) = available[block].clone() {
            check_uses(func, block, start)?;
        }
    }
    Ok(())
}

fn check_uses(func: &Func, block: Block, mut now: Vec<bool>) -> Result<(), String> {
    let data = &func.blocks[block];
    let need = |now: &[bool], vreg: VReg, what: &dyn std::fmt::Display| {
        if now.get(vreg.index()) == Some(&true) {
            Ok(())
        } else {
            Err(format!("{block}: {what}: {vreg} is not defined on every path"))
        }
    };
    for &param in &data.params {
        now[param.index()] = true;
    }
    for node in &data.insts {
        node.inst.uses().into_iter().try_for_each(|vreg| need(&now, vreg, &node.inst))?;
        for def in node.inst.defs() {
            now[def.index()] = true;
        }
    }
    let end = &data.terminator;
    end.operands().into_iter().try_for_each(|operand| need(&now, operand.reg, end))?;
    for edge in end.edges() {
        edge.args.iter().try_for_each(|&vreg| need(&now, vreg, end))?;
    }
    Ok(())
}
