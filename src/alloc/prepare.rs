//! Prepares for allocation: forwards copies, splits edges, frees tied operands.
//!
//! Requires: a well-formed function.
//! Ensures: an edge into a block with parameters or with several predecessors starts at a block
//! with one successor. A use to which a definition is tied ends at its instruction and is no
//! other operand of it; the only moves are those that copy such a use. Unreachable blocks are
//! empty and trap. Block numbers are kept.

use std::collections::BTreeMap;

use crate::trap::Trap;

use super::flow::Flow;
use super::live::Live;
use crate::vcode::entity::{Block, TypedVec};
use crate::vcode::func::{BlockData, Func, Head, Node, Purpose};
use crate::vcode::inst::{Edge, Inst, Operand2, Terminator};
use crate::vcode::operands::{Constraint, Operand, Role};
use crate::vcode::{Origin, VReg};

/// The prepared copy of a function.
pub fn run(input: &Func) -> Func {
    let mut func = input.clone();
    clear_unreachable(&mut func);
    forward_copies(&mut func);
    split_edges(&mut func);
    free_tied(&mut func);
    func
}

fn clear_unreachable(func: &mut Func) {
    let flow = Flow::new(func);
    for block in func.blocks.keys() {
        if !flow.reached(block) {
            let data = &mut func.blocks[block];
            data.params.clear();
            data.insts.clear();
            data.terminator = Terminator::Trap(Trap::Unreachable);
        }
    }
}

/// A move gives a value a second name; the first does for both.
fn forward_copies(func: &mut Func) {
    let mut original: TypedVec<VReg, VReg> = func.vregs.keys().collect();
    for data in func.blocks.values_mut() {
        data.insts.retain(|node| {
            if let Inst::Move { d, m } = node.inst {
                original[d] = m;
            }
            !matches!(node.inst, Inst::Move { .. })
        });
    }
    let resolve = |mut vreg: VReg| {
        while original[vreg] != vreg {
            vreg = original[vreg];
        }
        vreg
    };
    // What the second name stands for, the first does from now on, if it had no meaning of its own.
    for vreg in func.vregs.keys().collect::<Vec<_>>() {
        let first = resolve(vreg);
        if func.vregs[first] == Origin::Local {
            func.vregs[first] = func.vregs[vreg].clone();
        }
    }
    for data in func.blocks.values_mut() {
        for node in &mut data.insts {
            node.inst = node.inst.map(&mut |operand| resolve(operand.reg));
        }
        let mut end = data.terminator.map(&mut |o| resolve(o.reg), &mut |edge| edge.clone());
        for edge in end.edges_mut() {
            edge.args.iter_mut().for_each(|arg| *arg = resolve(*arg));
        }
        data.terminator = end;
    }
}

fn split_edges(func: &mut Func) {
    let mut entering = TypedVec::<Block, u32>::filled(0, func.blocks.len());
    for data in func.blocks.values() {
        for edge in data.terminator.edges() {
            entering[edge.block] += 1;
        }
    }
    for block in func.blocks.keys() {
        let mut terminator = func.blocks[block].terminator.clone();
        let source = func.blocks[block].terminator_source;
        if terminator.edges().len() < 2 {
            continue;
        }
        // Equal edges of one jump table share their block.
        let mut made: BTreeMap<(Block, Vec<VReg>), Block> = BTreeMap::new();
        for edge in terminator.edges_mut() {
            if entering[edge.block] < 2 && func.blocks[edge.block].params.is_empty() {
                continue;
            }
            let key = (edge.block, edge.args.clone());
            let middle = *made.entry(key).or_insert_with(|| {
                func.blocks.push(BlockData {
                    params: Vec::new(),
                    insts: Vec::new(),
                    terminator: Terminator::Jump(edge.clone()),
                    terminator_source: source,
                    head: Head::default(),
                })
            });
            *edge = Edge { block: middle, args: Vec::new() };
        }
        func.blocks[block].terminator = terminator;
    }
}

fn free_tied(func: &mut Func) {
    let live = Live::new(func, &Flow::new(func));
    for block in func.blocks.keys() {
        let uses = live.uses(func, block);
        let mut insts = Vec::new();
        for (index, mut node) in func.blocks[block].insts.clone().into_iter().enumerate() {
            let is_last = |reg| uses.next(reg, index + 1).is_none();
            if let Inst::InPlace { op, n, m: Operand2::Reg(m), .. } = &mut node.inst
                && op.commutes()
                && !is_last(*n)
                && is_last(*m)
            {
                std::mem::swap(n, m);
            }
            let operands = node.inst.operands();
            for operand in &operands {
                let Constraint::Tied(place) = operand.constraint else {
                    continue;
                };
                let reg = operands[place].reg;
                let others = operands.iter().filter(|o| o.role == Role::Use && o.reg == reg);
                if uses.next(reg, index + 1).is_none() && others.count() == 1 {
                    continue;
                }
                let copy = func.vreg_of(func.classes[reg], func.vregs[reg].clone());
                insts.push(Node {
                    inst: Inst::Move { d: copy, m: reg },
                    source: node.source,
                    purpose: Purpose::Direct,
                });
                node.inst = replace_use(&node.inst, place, copy);
            }
            insts.push(node);
        }
        func.blocks[block].insts = insts;
    }
}

fn replace_use(inst: &Inst<VReg>, place: usize, by: VReg) -> Inst<VReg> {
    let mut seen = 0;
    inst.map(&mut |operand: Operand<VReg>| {
        if operand.role == Role::Def {
            return operand.reg;
        }
        seen += 1;
        if seen == place + 1 { by } else { operand.reg }
    })
}
