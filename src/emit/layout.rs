//! The order of blocks in the code, and which blocks vanish.
//!
//! Requires: a reducible control-flow graph, as Wasm's structured control gives.
//! Ensures: each reached block that has code, or that nothing but itself follows, stands once in
//! the order; the entry is first, blocks that only trap are last, and the blocks of a loop stand
//! together. A loop whose last block jumps back to a first block that may leave the loop is turned,
//! so that each round takes one branch instead of two.
//!
//! A block without items that jumps elsewhere vanishes: its predecessors go where it goes.

use std::collections::BTreeSet;

use crate::alloc::{Allocated, Place};
use crate::entity::{Entity, TypedVec};
use crate::vcode::entity::{Block, VReg};
use crate::vcode::func::ENTRY;
use crate::vcode::inst::Terminator;

/// A name that changes on an edge: place, before, after.
pub type Rename = (Place, VReg, VReg);

/// Where an edge leads once empty blocks have vanished, and what it renames on the way.
pub fn resolve(func: &Allocated, block: Block, renames: &[Rename]) -> (Block, Vec<Rename>) {
    let mut renames = renames.to_vec();
    let mut at = block;
    let mut seen = BTreeSet::new();
    while let Some((next, later)) = passes_on(func, at) {
        if !seen.insert(at) {
            return (block, renames);
        }
        renames = in_sequence(renames, later);
        at = next;
    }
    (at, renames)
}

/// The successor of a block that does nothing.
fn passes_on(func: &Allocated, block: Block) -> Option<(Block, &[Rename])> {
    let data = &func.blocks[block];
    match &data.terminator {
        Terminator::Jump(edge) if data.items.is_empty() && block != ENTRY => {
            Some((edge.block, data.renames.first().map_or(&[], Vec::as_slice)))
        }
        _ => None,
    }
}

fn in_sequence(mut first: Vec<Rename>, second: &[Rename]) -> Vec<Rename> {
    for &(place, before, after) in second {
        match first.iter_mut().find(|(at, _, name)| *at == place && *name == before) {
            Some(known) => known.2 = after,
            None => first.push((place, before, after)),
        }
    }
    first.retain(|(_, before, after)| before != after);
    first
}

/// The order of the blocks that have code.
pub fn order(func: &Allocated) -> Vec<Block> {
    let successors: TypedVec<Block, Vec<Block>> = func.blocks.keys().map(|block| successors(func, block)).collect();
    let sequence = reverse_postorder(func, &successors);
    let loops = Loops::find(&sequence, &successors, func.blocks.len());
    let mut placed = Placement { func, loops: &loops, done: vec![false; func.blocks.len()], order: Vec::new() };
    placed.place(&sequence, None);
    let (hot, cold): (Vec<Block>, Vec<Block>) =
        placed.order.into_iter().partition(|&block| block == ENTRY || !is_cold(func, block));
    [hot, cold].concat()
}

fn is_cold(func: &Allocated, block: Block) -> bool {
    matches!(func.blocks[block].terminator, Terminator::Trap(_))
}

fn successors(func: &Allocated, block: Block) -> Vec<Block> {
    let edges = func.blocks[block].terminator.edges();
    edges.into_iter().map(|edge| resolve(func, edge.block, &[]).0).collect()
}

/// Depth-first from the entry. The successor visited last comes first behind its predecessor, so
/// those that leave loops are visited first, and `otherwise` after `then`.
fn reverse_postorder(func: &Allocated, successors: &TypedVec<Block, Vec<Block>>) -> Vec<Block> {
    let visit_order = |block: Block| {
        let mut list = successors[block].clone();
        if matches!(func.blocks[block].terminator, Terminator::Table { .. }) {
            list.reverse();
        }
        list.sort_by_key(|&next| (!is_cold(func, next), func.blocks[next].loop_depth));
        list
    };
    let mut seen = vec![false; func.blocks.len()];
    seen[ENTRY.index()] = true;
    let mut stack = vec![(ENTRY, visit_order(ENTRY).into_iter())];
    let mut postorder = Vec::new();
    while let Some((block, rest)) = stack.last_mut() {
        match rest.next() {
            Some(next) if seen[next.index()] => {}
            Some(next) => {
                seen[next.index()] = true;
                stack.push((next, visit_order(next).into_iter()));
            }
            None => {
                postorder.push(*block);
                stack.pop();
            }
        }
    }
    postorder.reverse();
    postorder
}

/// The natural loops.
struct Loops {
    /// For each block that is the head of a loop: the blocks of the loop.
    members: TypedVec<Block, Option<BTreeSet<Block>>>,
}

impl Loops {
    fn find(sequence: &[Block], successors: &TypedVec<Block, Vec<Block>>, count: usize) -> Loops {
        let mut position = vec![usize::MAX; count];
        for (index, block) in sequence.iter().enumerate() {
            position[block.index()] = index;
        }
        let mut predecessors: TypedVec<Block, Vec<Block>> = TypedVec::filled(Vec::new(), count);
        for &block in sequence {
            for &next in &successors[block] {
                predecessors[next].push(block);
            }
        }
        let mut members: TypedVec<Block, Option<BTreeSet<Block>>> = TypedVec::filled(None, count);
        for &latch in sequence {
            for &head in &successors[latch] {
                if position[head.index()] > position[latch.index()] {
                    continue;
                }
                let body = members[head].get_or_insert_with(|| BTreeSet::from([head]));
                let mut waiting = vec![latch];
                while let Some(block) = waiting.pop() {
                    if position[block.index()] >= position[head.index()] && body.insert(block) {
                        waiting.extend(&predecessors[block]);
                    }
                }
            }
        }
        Loops { members }
    }
}

struct Placement<'a> {
    func: &'a Allocated,
    loops: &'a Loops,
    done: Vec<bool>,
    order: Vec<Block>,
}

impl Placement<'_> {
    /// Places the blocks, each loop among them as a whole. `within` is the head of the loop that
    /// they are the blocks of.
    fn place(&mut self, blocks: &[Block], within: Option<Block>) {
        for &block in blocks {
            if self.done[block.index()] {
                continue;
            }
            match &self.loops.members[block] {
                Some(members) if within != Some(block) => {
                    let inner: Vec<Block> = blocks.iter().copied().filter(|block| members.contains(block)).collect();
                    let start = self.order.len();
                    self.place(&inner, Some(block));
                    self.turn(start, members);
                }
                _ => {
                    self.done[block.index()] = true;
                    self.order.push(block);
                }
            }
        }
    }

    /// Moves the head of the loop that was placed from `start` on behind its last block, if that
    /// block only jumps back and the head decides whether to leave.
    fn turn(&mut self, start: usize, members: &BTreeSet<Block>) {
        let placed = &mut self.order[start..];
        let (head, last) = (placed[0], placed[placed.len() - 1]);
        let goes = |block: Block| resolve(self.func, block, &[]).0;
        let jumps_back = match &self.func.blocks[last].terminator {
            Terminator::Jump(edge) => goes(edge.block) == head,
            _ => false,
        };
        let may_leave = match &self.func.blocks[head].terminator {
            Terminator::Branch { then, otherwise, .. } | Terminator::BranchZero { then, otherwise, .. } => {
                members.contains(&goes(then.block)) != members.contains(&goes(otherwise.block))
            }
            _ => false,
        };
        if jumps_back && may_leave && last != head {
            placed.rotate_left(1);
        }
    }
}
