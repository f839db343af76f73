//! Computes what is constant and simplifies by algebra; the equations are in [`rules`](super::rules).
//!
//! Blocks are visited in reverse postorder, so the operands of an instruction are simple already.

use super::rules::{self, Simpler};
use crate::ir::cfg;
use crate::ir::func::{Block, Func, Inst, Replacements, Target, Terminator, Value};
use crate::ir::op::Op;

/// Folds constants and simplifies.
pub fn run(func: &mut Func) {
    let order = cfg::run(func).rpo;
    let mut folder = Folder { replacements: Replacements::new(func), func };
    for block in order {
        folder.block(block);
    }
    let replacements = folder.replacements;
    func.replace(&replacements);
}

struct Folder<'a> {
    func: &'a mut Func,
    replacements: Replacements,
}

impl Folder<'_> {
    fn block(&mut self, block: Block) {
        let insts = std::mem::take(&mut self.func.blocks[block].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            for arg in &mut self.func.insts[inst].args {
                *arg = self.replacements.resolve(*arg);
            }
            match self.func.insts[inst].op {
                Op::TrapIf(trap) => {
                    let condition = rules::condition(self.func, self.func.insts[inst].args[0]);
                    match self.func.constant(condition) {
                        Some(0) => continue,
                        Some(_) => {
                            self.func.blocks[block].insts = kept;
                            self.func.blocks[block].terminator = Terminator::Trap(trap);
                            self.func.blocks[block].terminator_offset = self.func.insts[inst].offset;
                            return;
                        }
                        None => self.func.insts[inst].args[0] = condition,
                    }
                    kept.push(inst);
                }
                _ => self.inst(inst, &mut kept),
            }
        }
        self.func.blocks[block].insts = kept;
        self.terminator(block);
    }

    /// Simplifies one instruction in place as far as it goes.
    fn inst(&mut self, inst: Inst, kept: &mut Vec<Inst>) {
        let offset = self.func.insts[inst].offset;
        // Each rule shortens the expression or moves it towards its canonical form.
        while let Some(simpler) = rules::simplify(self.func, &self.func.insts[inst]) {
            match simpler {
                Simpler::Value(value) => {
                    let result = self.func.insts[inst].result.expect("a rule is about a result");
                    self.replacements.insert(result, value);
                    break;
                }
                Simpler::Constant(op) => self.rewrite(inst, op, vec![]),
                Simpler::Op(op, args) => self.rewrite(inst, op, args),
                Simpler::WithConstant(op, first, constant) => {
                    let made = self.func.make(constant, vec![], offset);
                    kept.push(made);
                    let constant = self.func.insts[made].result.expect("a constant has a result");
                    self.rewrite(inst, op, vec![first, constant]);
                }
            }
        }
        // Even an instruction that is replaced stays: removing it is left to `dce`.
        kept.push(inst);
    }

    fn rewrite(&mut self, inst: Inst, op: Op, args: Vec<Value>) {
        let data = &mut self.func.insts[inst];
        (data.op, data.args) = (op, args);
    }

    fn terminator(&mut self, block: Block) {
        for value in self.func.blocks[block].terminator.operands_mut() {
            *value = self.replacements.resolve(*value);
        }
        let Terminator::BranchIf { cond, then, otherwise } = &self.func.blocks[block].terminator else {
            return;
        };
        let (then, otherwise): (Target, Target) = (then.clone(), otherwise.clone());
        let cond = rules::condition(self.func, *cond);
        self.func.blocks[block].terminator = match rules::negated(self.func, cond) {
            Some(cond) => Terminator::BranchIf { cond, then: otherwise, otherwise: then },
            None => Terminator::BranchIf { cond, then, otherwise },
        };
    }
}
