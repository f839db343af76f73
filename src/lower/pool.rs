//! Constants and addresses that take more than one short instruction, over the whole function.
//!
//! Ensures: of equal ones, a block computes none that a dominating block has computed; what each
//! round of a loop without calls needs is computed before the loop. Every such value stays one that the allocator
//! can compute again, so a register that it takes costs nothing where registers are short.

use std::collections::{BTreeMap, BTreeSet};

use crate::entity::TypedVec;
use crate::ir;
use crate::ir::Effect;
use crate::ir::cfg::Cfg;
use crate::ir::dom::Dominators;
use crate::ir::loops::Loops;
use crate::vcode;
use crate::vcode::VReg;
use crate::vcode::func::Node;
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{Edge, Inst, Symbol};

/// What is computed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Const(u32),
    Address(Symbol, i32),
}

/// What the pass knows of the function before selection.
pub(super) struct Flow<'a> {
    pub(super) func: &'a ir::Func,
    pub(super) cfg: &'a Cfg,
    pub(super) dominators: &'a Dominators,
    pub(super) loops: &'a Loops,
    /// The machine block of each block.
    pub(super) blocks: &'a TypedVec<ir::Block, vcode::Block>,
}

/// Merges and hoists the values in `shared`, which are not bound to one use.
pub(super) fn run(out: &mut vcode::Func, flow: &Flow, shared: &BTreeSet<VReg>) {
    hoist(out, flow, shared);
    let replaced = merge(out, flow, shared);
    if !replaced.is_empty() {
        rename(out, &replaced);
    }
}

fn key(node: &Node, shared: &BTreeSet<VReg>) -> Option<(Key, VReg)> {
    let (key, d) = match node.inst {
        Inst::Const { d, value } => {
            let is_short = ModifiedImm::new(value).is_some() || ModifiedImm::new(!value).is_some();
            (!is_short).then_some((Key::Const(value), d))?
        }
        Inst::Address { d, symbol, addend } => (Key::Address(symbol, addend), d),
        _ => return None,
    };
    shared.contains(&d).then_some((key, d))
}

/// Where a block's values are better computed: before the outermost loop around it that has no
/// calls, over which such a value would take a register that the function must save. Only blocks
/// that run in each round of their own loop are named.
fn destinations(flow: &Flow) -> BTreeMap<ir::Block, ir::Block> {
    let is_call = |inst: &ir::Inst| flow.func.insts[*inst].op.effect() == Effect::Call;
    let mut destinations = BTreeMap::new();
    let mut runs_always = BTreeSet::new();
    // Heads of outer loops come before those of inner ones.
    for (head, body) in &flow.loops.bodies {
        let inside: BTreeSet<ir::Block> = body.iter().copied().collect();
        let ends = flow.cfg.preds[*head].iter().copied();
        let ends: Vec<ir::Block> = ends.filter(|end| inside.contains(end)).collect();
        for &block in body {
            let is_passed = ends.iter().any(|&end| flow.dominators.dominates(block, end));
            if is_passed {
                runs_always.insert(block);
            } else {
                runs_always.remove(&block);
            }
        }
        let mut insts = body.iter().flat_map(|&block| &flow.func.blocks[block].insts);
        if let Some(before) = flow.dominators.idom(*head)
            && !insts.any(is_call)
        {
            for &block in body {
                destinations.entry(block).or_insert(before);
            }
        }
    }
    destinations.retain(|block, _| runs_always.contains(block));
    destinations
}

fn hoist(out: &mut vcode::Func, flow: &Flow, shared: &BTreeSet<VReg>) {
    for (from, to) in destinations(flow) {
        let (from, to) = (flow.blocks[from], flow.blocks[to]);
        let items = std::mem::take(&mut out.blocks[from].insts);
        let (moved, kept): (Vec<Node>, Vec<Node>) = items.into_iter().partition(|node| key(node, shared).is_some());
        out.blocks[from].insts = kept;
        // Neither kind of item touches the flags that the terminator may read.
        out.blocks[to].insts.extend(moved);
    }
}

/// Removes items equal to one in a dominating place; says which register stands for which.
fn merge(out: &mut vcode::Func, flow: &Flow, shared: &BTreeSet<VReg>) -> BTreeMap<VReg, VReg> {
    let mut known: BTreeMap<Key, Vec<(ir::Block, VReg)>> = BTreeMap::new();
    let mut replaced = BTreeMap::new();
    for &block in &flow.cfg.rpo {
        let items = &mut out.blocks[flow.blocks[block]].insts;
        items.retain(|node| {
            let Some((key, d)) = key(node, shared) else {
                return true;
            };
            let places = known.entry(key).or_default();
            let dominating = places.iter().find(|&&(place, _)| flow.dominators.dominates(place, block));
            match dominating {
                Some(&(_, stands)) => {
                    replaced.insert(d, stands);
                    false
                }
                None => {
                    places.push((block, d));
                    true
                }
            }
        });
    }
    replaced
}

fn rename(out: &mut vcode::Func, replaced: &BTreeMap<VReg, VReg>) {
    let stands = |vreg: VReg| replaced.get(&vreg).copied().unwrap_or(vreg);
    for data in out.blocks.values_mut() {
        for node in &mut data.insts {
            node.inst = node.inst.map(&mut |operand| stands(operand.reg));
        }
        data.terminator = data.terminator.map(&mut |operand| stands(operand.reg), &mut |edge| Edge {
            block: edge.block,
            args: edge.args.iter().map(|&arg| stands(arg)).collect(),
        });
    }
}
