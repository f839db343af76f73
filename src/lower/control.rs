//! Terminators and edges.

use super::compare::Test;
use super::words::Word;
use super::{Half, Lower};
use crate::ir;
use crate::ir::{Target, Type, Value};
use crate::target::Isa;
use crate::vcode::VReg;
use crate::vcode::entity::Block;
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{CompareOp, Cond, Edge, Operand2, Terminator, ZeroTest};

/// Tables with at most this many entries become a chain of comparisons.
const CHAIN_ENTRIES_MAX: usize = 3;

/// How many blocks a terminator needs behind its own.
pub(super) fn extra_blocks(terminator: &ir::Terminator, isa: Isa) -> usize {
    match terminator {
        ir::Terminator::BrTable { targets, .. } => match targets.len() {
            0 => 0,
            entries if entries <= CHAIN_ENTRIES_MAX || isa == Isa::V6M => entries - 1,
            _ => 1,
        },
        ir::Terminator::Jump(_)
        | ir::Terminator::BranchIf { .. }
        | ir::Terminator::Return(_)
        | ir::Terminator::ReturnCall { .. }
        | ir::Terminator::Trap(_) => 0,
    }
}

impl Lower<'_> {
    /// Lowers the terminator of the current block, and with it the blocks behind it.
    pub(super) fn lower_terminator(&mut self, terminator: &ir::Terminator) {
        let block = self.blocks[self.block];
        let lowered = match terminator {
            ir::Terminator::Jump(target) => Terminator::Jump(self.edge(target)),
            ir::Terminator::BranchIf { cond, then, otherwise } => self.branch_if(*cond, then, otherwise),
            ir::Terminator::BrTable { index, targets, default } => match targets.len() {
                0 => Terminator::Jump(self.edge(default)),
                entries if entries <= CHAIN_ENTRIES_MAX => self.branch_chain(*index, targets, default),
                _ if self.is_small() => self.branch_tree(*index, targets, default),
                _ => self.branch_table(*index, targets, default),
            },
            ir::Terminator::Return(values) => self.lower_return(values),
            ir::Terminator::ReturnCall { callee, signature, args } => self.return_call(*callee, *signature, args),
            ir::Terminator::Trap(trap) => Terminator::Trap(*trap),
        };
        self.end_block(block, lowered);
    }

    fn end_block(&mut self, block: Block, terminator: Terminator<VReg>) {
        let data = &mut self.out.blocks[block];
        data.terminator = terminator;
        data.terminator_source = Some(self.source);
    }

    /// An edge; constants that it hands over get registers of their own, which the parameters can
    /// take over.
    fn edge(&mut self, target: &Target) -> Edge<VReg> {
        let mut args = Vec::new();
        let params = &self.ir.blocks[target.block].params;
        for (&value, &param) in target.args.iter().zip(params) {
            if self.is_in_unit(param) {
                args.push(self.float(value));
                continue;
            }
            args.push(self.edge_word(value, Half::Low));
            if self.ir.values[value].ty == Type::I64 {
                args.push(self.edge_word(value, Half::High));
            }
        }
        let block = self.blocks[target.block];
        Edge { block, args }
    }

    fn edge_word(&mut self, value: Value, half: Half) -> VReg {
        match self.word(value, half) {
            word @ Word::Const(_) => self.fresh_reg(word),
            Word::Part(value, half) => self.part(value, half),
        }
    }

    fn branch_if(&mut self, cond: Value, then: &Target, otherwise: &Target) -> Terminator<VReg> {
        let (then, otherwise) = (self.edge(then), self.edge(otherwise));
        match self.test(cond) {
            Test::Flags(cond) => Terminator::Branch { cond, then, otherwise },
            Test::Register(n, test) => Terminator::BranchZero { test, n, then, otherwise },
        }
    }

    fn compare_index(&mut self, n: VReg, bits: u32) {
        let m = match ModifiedImm::new(bits) {
            Some(imm) => Operand2::Imm(imm),
            None => Operand2::Reg(self.fresh_reg(Word::Const(bits))),
        };
        self.compare(CompareOp::Cmp, n, m);
    }

    /// The items emitted so far become those of a block behind the current one.
    fn end_extra_block(&mut self, block: Block, terminator: Terminator<VReg>) {
        let insts = std::mem::take(&mut self.buffer);
        self.out.blocks[block].insts = insts;
        self.end_block(block, terminator);
    }

    /// Compares the index with each entry's number; the blocks in the chain are filled last first.
    fn branch_chain(&mut self, index: Value, targets: &[Target], default: &Target) -> Terminator<VReg> {
        let first = self.blocks[self.block];
        let mut otherwise = None;
        for (entry, target) in targets.iter().enumerate().rev() {
            let then = self.edge(target);
            let otherwise_edge = otherwise.take().unwrap_or_else(|| self.edge(default));
            let n = self.reg_for_chain(index, entry);
            let terminator = if entry == 0 {
                let test = ZeroTest::Zero;
                Terminator::BranchZero { test, n, then, otherwise: otherwise_edge }
            } else {
                self.compare_index(n, entry as u32);
                Terminator::Branch { cond: Cond::Eq, then, otherwise: otherwise_edge }
            };
            if entry == 0 {
                return terminator;
            }
            let block = Block(first.0 + entry as u32);
            self.end_extra_block(block, terminator);
            otherwise = Some(Edge { block, args: Vec::new() });
        }
        unreachable!("a chain has a first entry")
    }

    /// The index, which every block of the chain can read.
    fn reg_for_chain(&mut self, index: Value, entry: usize) -> VReg {
        match self.word(index, Half::Low) {
            // A shared constant would stand in one block only.
            word @ Word::Const(_) if entry > 0 => self.fresh_reg(word),
            word => self.word_reg(word),
        }
    }

    /// Checks the range, then halves it until one entry is left.
    fn branch_tree(&mut self, index: Value, targets: &[Target], default: &Target) -> Terminator<VReg> {
        let n = self.reg_for_chain(index, targets.len());
        let before = std::mem::take(&mut self.buffer);
        let mut next = self.blocks[self.block].0 + 1;
        let then = self.branch_half((n, 0), targets, &mut next);
        self.buffer = before;
        let otherwise = self.edge(default);
        self.compare_index(n, targets.len() as u32);
        Terminator::Branch { cond: Cond::Lo, then, otherwise }
    }

    /// An edge to the block that chooses among at least two entries, the first of which has the number `from`.
    fn branch_half(&mut self, (n, from): (VReg, u32), targets: &[Target], next: &mut u32) -> Edge<VReg> {
        let block = Block(*next);
        *next += 1;
        let (low, high) = targets.split_at(targets.len() / 2);
        let middle = from + low.len() as u32;
        let inner = [(low, from), (high, middle)].map(|(half, from)| match half {
            [_] => None,
            _ => Some(self.branch_half((n, from), half, next)),
        });
        let [then, otherwise] = inner;
        let then = then.unwrap_or_else(|| self.edge(&low[0]));
        let otherwise = otherwise.unwrap_or_else(|| self.edge(&high[0]));
        self.compare_index(n, middle);
        self.end_extra_block(block, Terminator::Branch { cond: Cond::Lo, then, otherwise });
        Edge { block, args: Vec::new() }
    }

    /// Checks the range, then jumps through a table.
    fn branch_table(&mut self, index: Value, targets: &[Target], default: &Target) -> Terminator<VReg> {
        let table = Block(self.blocks[self.block].0 + 1);
        let word = self.word(index, Half::Low);
        let n = match word {
            Word::Const(_) => self.fresh_reg(word),
            Word::Part(..) => self.word_reg(word),
        };
        let before = std::mem::take(&mut self.buffer);
        let edges = targets.iter().map(|target| self.edge(target)).collect();
        let terminator = Terminator::Table { index: n, targets: edges };
        self.end_extra_block(table, terminator);
        self.buffer = before;
        let otherwise = self.edge(default);
        self.compare_index(n, targets.len() as u32);
        Terminator::Branch { cond: Cond::Lo, then: Edge { block: table, args: Vec::new() }, otherwise }
    }
}
