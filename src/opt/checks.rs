//! Removes checks that an earlier check makes superfluous.
//!
//! A check is superfluous if one on the way to it trapped on the same condition, or on a wider
//! range of the same index. The earlier check must lie in the same extended basic block: only then
//! no cut lies between, and the validator still has it among its facts.

use std::collections::BTreeMap;

use crate::entity::TypedVec;
use crate::ir::cfg::{self, Cfg};
use crate::ir::dom;
use crate::ir::func::{Block, Func, Value};
use crate::ir::op::{Effect, Op};

/// What a check that did not trap tells: `limit < index` is false, or a condition is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Index(Value),
    Condition(Value),
}

/// Removes superfluous checks.
pub fn run(func: &mut Func) {
    let cfg = cfg::run(func);
    let dominators = dom::run(&cfg);
    let roots = roots(func, &cfg);
    // Every check that stays, with the smallest limit it leaves to its subject.
    let mut passed: BTreeMap<Subject, Vec<(Block, u64)>> = BTreeMap::new();
    for block in cfg.rpo.iter().copied() {
        let mut kept = std::mem::take(&mut func.blocks[block].insts);
        kept.retain(|inst| {
            let inst = &func.insts[*inst];
            if inst.op.effect() != Effect::Trap {
                return true;
            }
            let (subject, limit) = subject(func, inst.args[0]);
            let checks = passed.entry(subject).or_default();
            let is_superfluous = checks.iter().any(|(earlier, earlier_limit)| {
                let is_near = roots[*earlier] == roots[block];
                *earlier_limit <= limit && is_near && dominators.dominates(*earlier, block)
            });
            if !is_superfluous {
                checks.push((block, limit));
            }
            !is_superfluous
        });
        func.blocks[block].insts = kept;
    }
}

/// What a check is about, and the limit up to which it lets it pass.
fn subject(func: &Func, condition: Value) -> (Subject, u64) {
    if let Some(inst) = func.definition(condition)
        && inst.op == Op::LtU32
        && let Some(limit) = func.constant(inst.args[0])
    {
        return (Subject::Index(inst.args[1]), limit);
    }
    (Subject::Condition(condition), 0)
}

/// For each block, the first of its extended basic block: the tree of single predecessors.
fn roots(func: &Func, cfg: &Cfg) -> TypedVec<Block, Block> {
    let mut roots: TypedVec<Block, Block> = func.blocks.keys().collect();
    for block in cfg.rpo.iter().copied() {
        if let Some(pred) = cfg.single_pred(block) {
            roots[block] = roots[pred];
        }
    }
    roots
}
