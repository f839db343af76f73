//! The dominator tree.
//!
//! Source: K. D. Cooper, T. J. Harvey, K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001.

use super::cfg::Cfg;
use super::func::{Block, ENTRY};
use crate::entity::{Entity, TypedVec};

/// The dominator tree of the reachable blocks.
#[derive(Clone, Debug)]
pub struct Dominators {
    idom: TypedVec<Block, Option<Block>>,
    children: TypedVec<Block, Vec<Block>>,
    /// First and last number of the subtree in a preorder of the tree.
    span: TypedVec<Block, (u32, u32)>,
}

/// Computes the dominator tree.
pub fn run(cfg: &Cfg) -> Dominators {
    let count = cfg.preds.len();
    let mut position: TypedVec<Block, usize> = TypedVec::filled(usize::MAX, count);
    for (index, block) in cfg.rpo.iter().enumerate() {
        position[*block] = index;
    }
    let mut idom: TypedVec<Block, Option<Block>> = TypedVec::filled(None, count);
    idom[ENTRY] = Some(ENTRY);
    let mut changed = true;
    while changed {
        changed = false;
        for block in cfg.rpo.iter().copied().skip(1) {
            // The last comes first: it is deep, and what is met with it only goes up from there.
            let known = cfg.preds[block].iter().rev().copied().filter(|pred| idom[*pred].is_some());
            let new = known.reduce(|a, b| meet(&idom, &position, a, b));
            assert!(new.is_some(), "a reachable block has a predecessor earlier in the order");
            changed |= idom[block] != new;
            idom[block] = new;
        }
    }
    idom[ENTRY] = None;
    tree(cfg, idom)
}

/// The nearest common dominator of two blocks.
fn meet(idom: &TypedVec<Block, Option<Block>>, position: &TypedVec<Block, usize>, mut a: Block, mut b: Block) -> Block {
    while a != b {
        while position[a] > position[b] {
            a = idom[a].expect("already processed");
        }
        while position[b] > position[a] {
            b = idom[b].expect("already processed");
        }
    }
    a
}

fn tree(cfg: &Cfg, idom: TypedVec<Block, Option<Block>>) -> Dominators {
    let mut children: TypedVec<Block, Vec<Block>> = TypedVec::filled(Vec::new(), idom.len());
    for block in &cfg.rpo {
        if let Some(parent) = idom[*block] {
            children[parent].push(*block);
        }
    }
    let mut span = TypedVec::filled((0, 0), idom.len());
    let mut next = 0;
    let mut path = vec![(ENTRY, 0)];
    while let Some((block, child)) = path.last_mut() {
        if *child == 0 {
            span[*block].0 = next;
            next += 1;
        }
        match children[*block].get(*child) {
            Some(below) => {
                *child += 1;
                path.push((*below, 0));
            }
            None => {
                span[*block].1 = next - 1;
                path.pop();
            }
        }
    }
    Dominators { idom, children, span }
}

impl Dominators {
    /// The immediate dominator; none for the entry and for unreachable blocks.
    pub fn idom(&self, block: Block) -> Option<Block> {
        self.idom[block]
    }

    /// The blocks whose immediate dominator this is, in reverse postorder.
    pub fn children(&self, block: Block) -> &[Block] {
        &self.children[block]
    }

    /// Whether every path to `b` passes `a`; a block dominates itself. Both are reachable.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        debug_assert!(a.index() < self.span.len() && b.index() < self.span.len());
        self.span[a].0 <= self.span[b].0 && self.span[b].0 <= self.span[a].1
    }
}
