//! Liveness as distances: how many items until a value is used next.
//!
//! Ensures: a value has a distance at a block's edge exactly if it is live there; parameters of a
//! block are among its entry values, edge arguments are uses at the end of the predecessor.
//! Leaving a loop adds [`LOOP_EXIT`] for each loop left, so that what the loop uses is nearer
//! than what only later code uses (Braun and Hack, "Register spilling and live-range splitting
//! for SSA-form programs").

use std::collections::BTreeMap;

use super::flow::Flow;
use crate::vcode::VReg;
use crate::vcode::entity::{Block, TypedVec};
use crate::vcode::func::Func;

/// What leaving a loop adds to a distance.
pub const LOOP_EXIT: u32 = 100_000;

/// Distances beyond this are all the same.
const FAR: u32 = 100_000_000;

/// Live values with their distances.
pub struct Live {
    /// At each block's head, parameters included.
    pub entry: TypedVec<Block, BTreeMap<VReg, u32>>,
    /// At each block's end.
    pub exit: TypedVec<Block, BTreeMap<VReg, u32>>,
}

/// Where one block uses its values.
pub struct Uses<'a> {
    places: BTreeMap<VReg, Vec<usize>>,
    exit: &'a BTreeMap<VReg, u32>,
    length: usize,
}

impl Uses<'_> {
    /// Distance from item `from` to the next use there or later; `None` when the value is dead.
    pub fn next(&self, vreg: VReg, from: usize) -> Option<u32> {
        let places = self.places.get(&vreg).map_or(&[][..], Vec::as_slice);
        let first = places.partition_point(|&place| place < from);
        match places.get(first) {
            Some(&place) => Some(length(place - from)),
            None => self.exit.get(&vreg).map(|&far| far.saturating_add(length(self.length - from))),
        }
    }
}

fn length(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(FAR).min(FAR)
}

impl Live {
    /// Analyses a function.
    pub fn new(func: &Func, flow: &Flow) -> Live {
        let none = TypedVec::filled(BTreeMap::new(), func.blocks.len());
        let mut live = Live { entry: none.clone(), exit: none };
        let local: TypedVec<Block, Local> = func.blocks.keys().map(|b| Local::new(func, b)).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for &block in flow.order.iter().rev() {
                let exit = live.meet(func, flow, block);
                if exit == live.exit[block] && !live.entry[block].is_empty() {
                    continue;
                }
                let entry = local[block].entry(&exit);
                live.exit[block] = exit;
                if entry != live.entry[block] {
                    live.entry[block] = entry;
                    changed = true;
                }
            }
        }
        live
    }

    /// Where `block` uses its values; item `insts.len()` is the terminator with its edges.
    pub fn uses<'a>(&'a self, func: &Func, block: Block) -> Uses<'a> {
        let data = &func.blocks[block];
        let mut places: BTreeMap<VReg, Vec<usize>> = BTreeMap::new();
        for (index, node) in data.insts.iter().enumerate() {
            for vreg in node.inst.uses() {
                places.entry(vreg).or_default().push(index);
            }
        }
        for vreg in end_uses(func, block) {
            places.entry(vreg).or_default().push(data.insts.len());
        }
        Uses { places, exit: &self.exit[block], length: data.insts.len() + 1 }
    }

    fn meet(&self, func: &Func, flow: &Flow, block: Block) -> BTreeMap<VReg, u32> {
        let mut exit: BTreeMap<VReg, u32> = BTreeMap::new();
        for &succ in &flow.succs[block] {
            let left = flow.depth[block].saturating_sub(flow.depth[succ]);
            for (&vreg, &distance) in &self.entry[succ] {
                if func.blocks[succ].params.contains(&vreg) {
                    continue;
                }
                let distance = distance.saturating_add(LOOP_EXIT.saturating_mul(left)).min(FAR);
                exit.entry(vreg).and_modify(|d| *d = distance.min(*d)).or_insert(distance);
            }
        }
        exit
    }
}

/// What the terminator of a block uses, edge arguments included.
pub fn end_uses(func: &Func, block: Block) -> Vec<VReg> {
    let end = &func.blocks[block].terminator;
    let operands = end.operands().into_iter().map(|operand| operand.reg);
    operands.chain(end.edges().iter().flat_map(|edge| edge.args.clone())).collect()
}

/// What one block does to distances.
struct Local {
    first_use: BTreeMap<VReg, u32>,
    defs: Vec<VReg>,
    length: u32,
}

impl Local {
    fn new(func: &Func, block: Block) -> Local {
        let data = &func.blocks[block];
        let mut first_use = BTreeMap::new();
        let mut defs = Vec::new();
        for (index, node) in data.insts.iter().enumerate() {
            for vreg in node.inst.uses() {
                first_use.entry(vreg).or_insert(length(index));
            }
            defs.extend(node.inst.defs());
        }
        let end = length(data.insts.len());
        for vreg in end_uses(func, block) {
            first_use.entry(vreg).or_insert(end);
        }
        for def in &defs {
            first_use.remove(def);
        }
        Local { first_use, defs, length: end + 1 }
    }

    fn entry(&self, exit: &BTreeMap<VReg, u32>) -> BTreeMap<VReg, u32> {
        let mut entry: BTreeMap<VReg, u32> =
            exit.iter().map(|(&vreg, &distance)| (vreg, distance.saturating_add(self.length).min(FAR))).collect();
        for def in &self.defs {
            entry.remove(def);
        }
        entry.extend(&self.first_use);
        entry
    }
}
