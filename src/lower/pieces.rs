//! Accesses to linear memory on processors that fault where an address is not a multiple of the size.
//!
//! Ensures: each access is made of the largest pieces that its address is seen to be a multiple of, bytes in
//! general. The pieces of a value are joined as the validator's terms join them.

use super::shared::Shared;
use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir::{Access, Memory, Op, Value};
use crate::vcode::VReg;
use crate::vcode::imm::Imm12;
use crate::vcode::inst::{Address, AluOp, Inst, LoadKind, Operand2, ShiftOp, StoreKind, Symbol, UnaryOp};

/// Memory begins at a multiple of 8 (`docs/abi.md`).
const MEMORY_ALIGN_LOG2: u32 = 3;

/// How deep the operands of an address are looked at.
const DEPTH_MAX: u32 = 8;

/// Offsets that every piece of a value of 8 bytes can have.
const OFFSET_MAX: u32 = 24;

impl Lower<'_> {
    /// How many low bits of a word are seen to be 0.
    fn zero_bits(&self, word: Word, depth: u32) -> u32 {
        let value = match word {
            Word::Const(bits) => return bits.trailing_zeros(),
            Word::Part(_, Half::High) => return 0,
            Word::Part(value, Half::Low) => value,
        };
        let Some(inst) = self.ir.definition(value).filter(|_| depth < DEPTH_MAX) else { return 0 };
        let of = |index: usize| self.zero_bits(self.word(inst.args[index], Half::Low), depth + 1);
        match inst.op {
            Op::MemoryBase(_) => MEMORY_ALIGN_LOG2,
            Op::Add32 | Op::Sub32 | Op::Or32 | Op::Xor32 => of(0).min(of(1)),
            Op::And32 => of(0).max(of(1)),
            Op::Mul32 => (of(0) + of(1)).min(32),
            Op::Shl32 => match self.constant(inst.args[1]) {
                Some(count) => (of(0) + count % 32).min(32),
                None => of(0),
            },
            _ => 0,
        }
    }

    /// The place in a memory that an address is, if it is a constant.
    fn constant_place(&self, base: Value) -> Option<(Memory, u32)> {
        let inst = self.ir.definition(base).filter(|inst| inst.op == Op::Add32)?;
        let [a, b] = inst.args[..] else { return None };
        let (memory, at) = match (self.ir.op(a), self.ir.op(b)) {
            (Some(Op::MemoryBase(memory)), _) => (memory, b),
            (_, Some(Op::MemoryBase(memory))) => (memory, a),
            _ => return None,
        };
        Some((memory, self.constant(at)?))
    }

    /// The bytes of the largest piece, the address of the first, and the offset from there.
    fn pieces(&mut self, bytes: u32, base: Value, offset: u32) -> (u32, VReg, u32) {
        if let Some((memory, at)) = self.constant_place(base) {
            let at = at.wrapping_add(offset);
            let n = self.share(Shared::Address(Symbol::Memory(memory.0), at.cast_signed()));
            return ((1 << at.trailing_zeros().min(2)).min(bytes), n, 0);
        }
        let word = self.word(base, Half::Low);
        let zero_bits = self.zero_bits(word, 0).min(offset.trailing_zeros());
        let piece = (1 << zero_bits.min(2)).min(bytes);
        let n = self.word_reg(word);
        if offset <= OFFSET_MAX {
            return (piece, n, offset);
        }
        let d = self.local();
        self.add_constant(d, n, offset);
        (piece, d, 0)
    }

    pub(super) fn load_pieces(&mut self, want: Pair, access: Access, base: Value, offset: u32) {
        let (piece, n, offset) = self.pieces(access.bytes(), base, offset);
        for (d, at) in [(want.low, 0), (want.high, 4)] {
            let Some(d) = d else { continue };
            match access {
                Access::S8 | Access::S16 => {
                    let (word, op) = match access {
                        Access::S8 => (self.local(), UnaryOp::Sxtb),
                        _ => (self.local(), UnaryOp::Sxth),
                    };
                    self.load_word(word, access.bytes(), piece, (n, offset + at));
                    self.unary(op, d, word);
                }
                _ => self.load_word(d, access.bytes().min(4), piece, (n, offset + at)),
            }
        }
    }

    /// d = so many bytes, from the lowest piece up.
    fn load_word(&mut self, d: VReg, bytes: u32, piece: u32, (n, offset): (VReg, u32)) {
        let kind = match piece {
            1 => LoadKind::Byte,
            2 => LoadKind::Half,
            _ => LoadKind::Word,
        };
        let mut joined: Option<VReg> = None;
        for at in (0..bytes).step_by(piece as usize) {
            let is_last = at + piece >= bytes;
            let address = Address::Offset(n, Imm12::new(offset + at).expect("offsets are small"));
            let result = |lower: &mut Self| if is_last { d } else { lower.local() };
            joined = Some(match joined {
                None => {
                    let part = result(self);
                    self.emit(Inst::Load { kind, d: part, address });
                    part
                }
                Some(lower_part) => {
                    let part = self.local();
                    self.emit(Inst::Load { kind, d: part, address });
                    let shifted = self.shift_imm_local(ShiftOp::Lsl, part, 8 * at);
                    let whole = result(self);
                    self.alu(AluOp::Orr, whole, lower_part, Operand2::Reg(shifted));
                    whole
                }
            });
        }
    }

    pub(super) fn store_pieces(&mut self, access: Access, args: &[Value], offset: u32) {
        let (piece, n, offset) = self.pieces(access.bytes(), args[0], offset);
        let kind = match piece {
            1 => StoreKind::Byte,
            2 => StoreKind::Half,
            _ => StoreKind::Word,
        };
        for at in (0..access.bytes()).step_by(piece as usize) {
            let half = if at < 4 { Half::Low } else { Half::High };
            let word = self.word(args[1], half);
            let s = match word {
                Word::Const(bits) => {
                    self.word_reg(Word::Const(bits >> (8 * (at % 4)) & (u32::MAX >> (32 - 8 * piece))))
                }
                Word::Part(..) => {
                    let whole = self.word_reg(word);
                    match at % 4 {
                        0 => whole,
                        at => self.shift_imm_local(ShiftOp::Lsr, whole, 8 * at),
                    }
                }
            };
            let address = Address::Offset(n, Imm12::new(offset + at).expect("offsets are small"));
            self.emit(Inst::Store { kind, s, address });
        }
    }
}
