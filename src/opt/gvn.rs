//! Global value numbering: of two equal pure instructions, one dominating the other, the second
//! goes. Of two equal reads of state in one block without a write between, the second goes, and so
//! of two equal reads of a table in one block: a cut cannot say what a table held.
//!
//! Source: P. Briggs, K. D. Cooper, L. T. Simpson, "Value Numbering", 1997 (dominator-tree scopes).
//!
//! Blocks are visited in reverse postorder, so a dominating definition has been seen; whether one
//! that has been seen dominates is asked of the dominator tree.

use std::collections::BTreeMap;

use crate::ir::cfg;
use crate::ir::dom::{self, Dominators};
use crate::ir::func::{Block, Func, InstData, Replacements, Value};
use crate::ir::op::{Effect, Op, State};

/// What makes two instructions equal.
type Key = (Op, Vec<Value>);

/// Removes the uses of recomputed values.
pub fn run(func: &mut Func) {
    let cfg = cfg::run(func);
    let dominators = dom::run(&cfg);
    let mut numbering =
        Numbering { dominators, known: BTreeMap::new(), reads: BTreeMap::new(), replacements: Replacements::new(func) };
    for block in &cfg.rpo {
        numbering.reads.clear();
        for inst in &func.blocks[*block].insts {
            numbering.inst(*block, &func.insts[*inst]);
        }
    }
    func.replace(&numbering.replacements);
}

struct Numbering {
    dominators: Dominators,
    known: BTreeMap<Key, Vec<(Value, Block)>>,
    /// What has been read in this block and not been written since.
    reads: BTreeMap<Key, (Value, State)>,
    replacements: Replacements,
}

impl Numbering {
    fn inst(&mut self, block: Block, inst: &InstData) {
        let mut args: Vec<Value> = inst.args.iter().map(|arg| self.replacements.resolve(*arg)).collect();
        if inst.op.is_commutative() {
            args.sort_unstable();
        }
        let key = (inst.op, args);
        match (inst.op.effect(), inst.result) {
            (Effect::Pure, Some(result)) => self.pure(block, key, result),
            (Effect::Guarded, Some(result)) => self.guarded(block, key, result),
            (Effect::Read(state), Some(result)) => match self.reads.get(&key) {
                Some((earlier, _)) => self.replacements.insert(result, *earlier),
                None => {
                    self.reads.insert(key, (result, state));
                }
            },
            (Effect::Write(written), _) => self.reads.retain(|_, (_, state)| *state != written),
            (Effect::Call, _) => self.reads.clear(),
            (Effect::Trap, _) => {}
            (Effect::Pure | Effect::Guarded | Effect::Read(_), None) => {
                unreachable!("{} has a result", inst.op)
            }
        }
    }

    fn guarded(&mut self, block: Block, key: Key, result: Value) {
        let equal = self.known.entry(key).or_default();
        match equal.iter().find(|(_, home)| *home == block) {
            Some((earlier, _)) => self.replacements.insert(result, *earlier),
            None => equal.push((result, block)),
        }
    }

    fn pure(&mut self, block: Block, key: Key, result: Value) {
        let equal = self.known.entry(key).or_default();
        let dominating = equal.iter().find(|(_, home)| self.dominators.dominates(*home, block));
        match dominating {
            Some((earlier, _)) => self.replacements.insert(result, *earlier),
            None => equal.push((result, block)),
        }
    }
}
