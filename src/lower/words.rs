//! The words that values consist of: constants, words of other values, or registers of their own.
//!
//! Ensures: a value that is read through (*transparent*) never has a register whose origin names
//! it, and every expression in the hints reads through it likewise, so both name the same values.

use super::{Half, Lower};
use crate::entity::TypedVec;
use crate::ir;
use crate::ir::{Effect, Liveness, Op, Type, Value};
use crate::vcode::VReg;
use crate::vcode::func::{FrameValue, Origin};
use crate::vcode::imm::ShiftImm;
use crate::vcode::inst::ShiftOp;

use super::shared::Shared;

/// Most nodes of an expression; what is larger has a name of its own.
const EXPRESSION_NODES_MAX: u32 = 64;

/// A word of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// A constant.
    Const(u32),
    /// A word that has, or would have, a register.
    Part(Value, Half),
}

/// A word shifted by a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ShiftedWord {
    pub(super) word: Word,
    pub(super) op: ShiftOp,
    pub(super) by: ShiftImm,
}

impl<'a> Lower<'a> {
    /// Decides which values are transparent.
    pub(super) fn find_transparent(&mut self, order: &[ir::Block]) {
        let mut nodes = TypedVec::<Value, u32>::filled(1, self.ir.values.len());
        // Definitions come before uses in reverse postorder.
        for &block in order.iter().rev() {
            for &inst in &self.ir.blocks[block].insts {
                let inst = &self.ir.insts[inst];
                let Some(result) = inst.result else { continue };
                let args: u32 = inst.args.iter().map(|&arg| nodes[arg]).sum();
                let times = match inst.op {
                    Op::RemU32 | Op::RemS32 | Op::ExtendS | Op::Extend32S64 => 2,
                    _ => 1,
                };
                // The operands, as often as the expression names them.
                let size = 1 + times * args;
                let is_virtual = self.ir.values[result].liveness == Liveness::Virtual;
                let is_read_through = match inst.op.effect() {
                    Effect::Pure => is_virtual || self.is_read_through(inst),
                    _ => false,
                };
                if is_read_through && size <= EXPRESSION_NODES_MAX && !self.is_in_unit(result) {
                    self.transparent[result] = true;
                    nodes[result] = size;
                }
            }
        }
    }

    /// Whether the machine reads through an instruction, at least in one half.
    fn is_read_through(&self, inst: &ir::InstData) -> bool {
        match inst.op {
            Op::Const32(_)
            | Op::Const64(_)
            | Op::MemoryBase(_)
            | Op::Wrap
            | Op::ExtendU
            | Op::ExtendS
            | Op::Extend32S64 => true,
            _ => [Half::Low, Half::High].into_iter().any(|half| self.through(inst, half).is_some()),
        }
    }

    /// The word that a half of an instruction's result is, if it is one that exists without it.
    fn through(&self, inst: &ir::InstData, half: Half) -> Option<Word> {
        let arg = |index: usize, half| self.word(inst.args[index], half);
        let zero = Some(Word::Const(0));
        match (inst.op, half) {
            (Op::Const32(bits), Half::Low) => Some(Word::Const(bits)),
            (Op::Const64(bits), Half::Low) => Some(Word::Const(bits as u32)),
            (Op::Const64(bits), Half::High) => Some(Word::Const((bits >> 32) as u32)),
            (Op::Wrap | Op::ExtendU | Op::ExtendS | Op::Extend32S64, Half::Low) => Some(arg(0, Half::Low)),
            (Op::ExtendU | Op::Clz64 | Op::Ctz64 | Op::Popcnt64, Half::High) => zero,
            (Op::Shl64 | Op::ShrU64 | Op::ShrS64 | Op::RotL64 | Op::RotR64, _) => self.through_shift(inst, half),
            (Op::And64, _) => match (arg(0, half), arg(1, half)) {
                (Word::Const(a), Word::Const(b)) => Some(Word::Const(a & b)),
                (Word::Const(0), _) | (_, Word::Const(0)) => zero,
                (Word::Const(u32::MAX), word) | (word, Word::Const(u32::MAX)) => Some(word),
                _ => None,
            },
            (Op::Or64 | Op::Xor64, _) => match (arg(0, half), arg(1, half)) {
                (Word::Const(0), word) | (word, Word::Const(0)) => Some(word),
                _ => None,
            },
            _ => None,
        }
    }

    fn through_shift(&self, inst: &ir::InstData, half: Half) -> Option<Word> {
        let Word::Const(count) = self.word(inst.args[1], Half::Low) else {
            return None;
        };
        let arg = |half| Some(self.word(inst.args[0], half));
        let swapped = match half {
            Half::Low => Half::High,
            Half::High => Half::Low,
        };
        match (inst.op, half, count % 64) {
            (_, _, 0) => arg(half),
            (Op::RotL64 | Op::RotR64, _, 32) => arg(swapped),
            (Op::Shl64, Half::Low, 32..) | (Op::ShrU64, Half::High, 32..) => Some(Word::Const(0)),
            (Op::Shl64, Half::High, 32) | (Op::ShrU64 | Op::ShrS64, Half::Low, 32) => arg(swapped),
            _ => None,
        }
    }

    /// A half of a value, read through transparent values.
    pub(super) fn word(&self, value: Value, half: Half) -> Word {
        let own = Word::Part(value, half);
        if !self.transparent[value] {
            return own;
        }
        let inst = self.ir.definition(value);
        inst.and_then(|inst| self.through(inst, half)).unwrap_or(own)
    }

    /// Both halves of a 64-bit value.
    pub(super) fn words(&self, value: Value) -> (Word, Word) {
        (self.word(value, Half::Low), self.word(value, Half::High))
    }

    /// A 32-bit value, if it is a constant.
    pub(super) fn constant(&self, value: Value) -> Option<u32> {
        match self.word(value, Half::Low) {
            Word::Const(bits) => Some(bits),
            Word::Part(..) => None,
        }
    }

    /// Whether a 32-bit value is this constant.
    pub(super) fn is_constant(&self, value: Value, bits: u32) -> bool {
        self.constant(value) == Some(bits)
    }

    /// The register asked for by a use, if there was one.
    pub(super) fn asked(&self, value: Value, half: Half) -> Option<VReg> {
        self.parts.get(&(value, half)).copied()
    }

    /// The register of a part; asks for it.
    pub(super) fn part(&mut self, value: Value, half: Half) -> VReg {
        if let Some(&vreg) = self.parts.get(&(value, half)) {
            return vreg;
        }
        let name = self.name(value);
        let origin = match (self.ir.values[value].ty, half) {
            (Type::I32, _) => Origin::Value(name),
            (Type::I64, Half::Low) => Origin::Low(name),
            (Type::I64, Half::High) => Origin::High(name),
        };
        let vreg = self.out.vreg(origin);
        self.parts.insert((value, half), vreg);
        vreg
    }

    /// The register of a word; asks for it.
    pub(super) fn word_reg(&mut self, word: Word) -> VReg {
        match word {
            Word::Const(bits) => self.share(Shared::Const(bits)),
            Word::Part(value, half) => self.part(value, half),
        }
    }

    /// The register of a 32-bit value; asks for it.
    pub(super) fn reg(&mut self, value: Value) -> VReg {
        let word = self.word(value, Half::Low);
        self.word_reg(word)
    }

    /// A register that holds a word and that no other use shares.
    pub(super) fn fresh_reg(&mut self, word: Word) -> VReg {
        let origin = match word {
            Word::Const(bits) => Origin::Derived(FrameValue::Const32(bits)),
            Word::Part(value, half) => {
                let part = self.part(value, half);
                self.out.vregs[part].clone()
            }
        };
        let d = self.out.vreg(origin);
        self.move_word(d, word);
        d
    }

    /// The instruction of a value, if it stands in the block being lowered.
    pub(super) fn here(&self, value: Value) -> Option<&'a ir::InstData> {
        if self.usage[value].home != self.block || self.transparent[value] {
            return None;
        }
        self.ir.definition(value)
    }

    /// The instruction of a value that has no other use, if it stands in the block being lowered.
    pub(super) fn only_here(&self, value: Value) -> Option<&'a ir::InstData> {
        self.here(value).filter(|_| self.usage[value].uses == 1)
    }

    /// The instruction whose 32-bit result a word is, if it has no other use and stands here.
    pub(super) fn only_word_here(&self, word: Word) -> Option<&'a ir::InstData> {
        match word {
            Word::Part(value, Half::Low) if self.ir.values[value].ty == Type::I32 => self.only_here(value),
            Word::Part(..) | Word::Const(_) => None,
        }
    }
}
