//! Control flow: predecessors, reverse postorder, dominators, natural loops.

use std::collections::BTreeSet;

use crate::vcode::entity::{Block, TypedVec};
use crate::vcode::func::{ENTRY, Func};

/// Control flow of a function.
pub struct Flow {
    /// Predecessors, one entry per edge.
    pub preds: TypedVec<Block, Vec<Block>>,
    /// Successors, one entry per edge.
    pub succs: TypedVec<Block, Vec<Block>>,
    /// Reachable blocks in reverse postorder.
    pub order: Vec<Block>,
    /// How many loops each block is in.
    pub depth: TypedVec<Block, u32>,
    /// Natural loops by header, in reverse postorder of the headers.
    pub loops: Vec<(Block, BTreeSet<Block>)>,
    position: TypedVec<Block, Option<usize>>,
}

impl Flow {
    /// Analyses a function.
    pub fn new(func: &Func) -> Flow {
        let count = func.blocks.len();
        let succs: TypedVec<Block, Vec<Block>> =
            func.blocks.values().map(|data| data.terminator.edges().iter().map(|edge| edge.block).collect()).collect();
        let order = reverse_postorder(&succs);
        let mut position = TypedVec::filled(None, count);
        let mut preds = TypedVec::filled(Vec::new(), count);
        for (index, &block) in order.iter().enumerate() {
            position[block] = Some(index);
            for &succ in &succs[block] {
                preds[succ].push(block);
            }
        }
        let mut flow = Flow { preds, succs, order, depth: TypedVec::filled(0, count), loops: Vec::new(), position };
        flow.find_loops();
        flow
    }

    /// Whether control can reach the block.
    pub fn reached(&self, block: Block) -> bool {
        self.position[block].is_some()
    }

    /// The loop of which the block is the header.
    pub fn loop_of(&self, header: Block) -> Option<&BTreeSet<Block>> {
        self.loops.iter().find(|(head, _)| *head == header).map(|(_, body)| body)
    }

    /// How often the block runs, roughly.
    pub fn frequency(&self, block: Block) -> u64 {
        8u64.pow(self.depth[block].min(6))
    }

    fn find_loops(&mut self) {
        let dominators = self.dominators();
        let position = |block: Block| self.position[block].expect("reached");
        for &header in &self.order {
            let mut body = BTreeSet::new();
            for &latch in &self.preds[header] {
                let mut above = latch;
                while position(above) > position(header) {
                    above = self.order[dominators[position(above)]];
                }
                if above == header {
                    self.collect_body(header, latch, &mut body);
                }
            }
            if !body.is_empty() {
                for &block in &body {
                    self.depth[block] += 1;
                }
                self.loops.push((header, body));
            }
        }
    }

    fn collect_body(&self, header: Block, latch: Block, body: &mut BTreeSet<Block>) {
        body.insert(header);
        let mut work = vec![latch];
        while let Some(block) = work.pop() {
            if body.insert(block) {
                work.extend(&self.preds[block]);
            }
        }
    }

    /// Immediate dominators as positions in the order (Cooper, Harvey and Kennedy).
    fn dominators(&self) -> Vec<usize> {
        let mut dominators: Vec<Option<usize>> = vec![None; self.order.len()];
        dominators[0] = Some(0);
        let mut changed = true;
        while changed {
            changed = false;
            for (index, &block) in self.order.iter().enumerate().skip(1) {
                let mut best: Option<usize> = None;
                // The last comes first: it is deep, and what is met with it only goes up from there.
                for &pred in self.preds[block].iter().rev() {
                    let pred = self.position[pred].expect("predecessors are reached");
                    if dominators[pred].is_none() {
                        continue;
                    }
                    best = Some(best.map_or(pred, |other| meet(&dominators, pred, other)));
                }
                if dominators[index] != best {
                    dominators[index] = best;
                    changed = true;
                }
            }
        }
        dominators.into_iter().map(|d| d.expect("every reached block is dominated")).collect()
    }
}

fn meet(dominators: &[Option<usize>], mut a: usize, mut b: usize) -> usize {
    while a != b {
        let up = a.max(b);
        let above = dominators[up].expect("processed");
        if a > b {
            a = above;
        } else {
            b = above;
        }
    }
    a
}

fn reverse_postorder(succs: &TypedVec<Block, Vec<Block>>) -> Vec<Block> {
    let mut seen = TypedVec::<Block, bool>::filled(false, succs.len());
    let mut order = Vec::new();
    let mut stack = vec![(ENTRY, 0)];
    seen[ENTRY] = true;
    while let Some((block, next)) = stack.pop() {
        let Some(&succ) = succs[block].get(next) else {
            order.push(block);
            continue;
        };
        stack.push((block, next + 1));
        if !std::mem::replace(&mut seen[succ], true) {
            stack.push((succ, 0));
        }
    }
    order.reverse();
    order
}
