//! The control-flow graph: predecessors and an order of the blocks.

use super::func::{Block, ENTRY, Func};
use crate::entity::TypedVec;

/// Predecessors and reverse postorder. Valid until an edge changes.
#[derive(Clone, Debug)]
pub struct Cfg {
    /// For each block, the origin of each edge to it, by ascending origin; a block that leads
    /// there twice stands there twice. Edges from unreachable blocks are not counted.
    pub preds: TypedVec<Block, Vec<Block>>,
    /// The reachable blocks in reverse postorder: but for back edges, predecessors come first.
    pub rpo: Vec<Block>,
    reached: TypedVec<Block, bool>,
}

/// Computes the control-flow graph.
pub fn run(func: &Func) -> Cfg {
    let (rpo, reached) = reverse_postorder(func);
    let mut preds = TypedVec::filled(Vec::new(), func.blocks.len());
    for (block, data) in func.blocks.iter().filter(|(block, _)| reached[*block]) {
        for target in data.terminator.targets() {
            preds[target.block].push(block);
        }
    }
    Cfg { preds, rpo, reached }
}

impl Cfg {
    /// Whether some path leads from the entry to the block.
    pub fn is_reachable(&self, block: Block) -> bool {
        self.reached[block]
    }

    /// The only block that leads here, on however many edges.
    pub fn single_pred(&self, block: Block) -> Option<Block> {
        let (first, rest) = self.preds[block].split_first()?;
        rest.iter().all(|pred| pred == first).then_some(*first)
    }
}

fn reverse_postorder(func: &Func) -> (Vec<Block>, TypedVec<Block, bool>) {
    // The last successor is visited first, so that the first one comes first in the result.
    let successors =
        |block: Block| -> Vec<Block> { func.blocks[block].terminator.targets().map(|target| target.block).collect() };
    let mut reached = TypedVec::filled(false, func.blocks.len());
    let mut order = Vec::with_capacity(func.blocks.len());
    let mut path = vec![(ENTRY, successors(ENTRY))];
    reached[ENTRY] = true;
    while let Some((block, rest)) = path.last_mut() {
        match rest.pop() {
            Some(next) if reached[next] => {}
            Some(next) => {
                reached[next] = true;
                path.push((next, successors(next)));
            }
            None => {
                order.push(*block);
                path.pop();
            }
        }
    }
    order.reverse();
    (order, reached)
}
