//! Natural loops. Wasm control is reducible, so they are all the loops there are.

use super::cfg::Cfg;
use super::dom::Dominators;
use super::func::Block;
use crate::entity::TypedVec;

/// How blocks lie in loops.
#[derive(Clone, Debug)]
pub struct Loops {
    /// Number of loops around each block.
    pub depth: TypedVec<Block, u32>,
    /// For each loop head, in reverse postorder: the head and the blocks of its loop, ascending.
    pub bodies: Vec<(Block, Vec<Block>)>,
}

/// Finds the loops.
pub fn run(cfg: &Cfg, dominators: &Dominators) -> Loops {
    let mut depth = TypedVec::filled(0, cfg.preds.len());
    let mut bodies = Vec::new();
    for head in cfg.rpo.iter().copied() {
        let is_back = |pred: &Block| dominators.dominates(head, *pred);
        let mut work: Vec<Block> = cfg.preds[head].iter().copied().filter(is_back).collect();
        if work.is_empty() {
            continue;
        }
        let mut inside = std::collections::BTreeSet::from([head]);
        while let Some(block) = work.pop() {
            if inside.insert(block) {
                work.extend(&cfg.preds[block]);
            }
        }
        for block in &inside {
            depth[*block] += 1;
        }
        bodies.push((head, inside.into_iter().collect()));
    }
    Loops { depth, bodies }
}
