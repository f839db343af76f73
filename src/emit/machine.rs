//! Machine instructions: what the encoder says in one Thumb-2 instruction.
//!
//! Every value of [`Machine`] has an encoding on Armv7-M (DDI0403, A7.7). Immediates are types that
//! exist only if they encode; branch distances are checked by the encoder, whose caller (`relax`)
//! chose the width. Unlike `vcode::Inst`, nothing here stands for more than one instruction, and SP
//! and PC occur.

use crate::vcode::imm::{BitField, Imm12, ModifiedImm};
use crate::vcode::inst::{
    Address, AluOp, CompareOp, Cond, LoadKind, MulLongAddOp, Operand2, ShiftOp, Sign, StoreKind, UnaryOp, WideOp,
    ZeroTest,
};
use crate::vcode::reg::{PReg, RegSet};

use super::float::FloatMachine;

/// What an instruction does to the flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FlagsMode {
    /// It sets them, and somebody reads them.
    Set,
    /// It must leave them alone.
    Keep,
    /// Nobody reads them before they are set again: either will do.
    Dead,
}

/// Whether an instruction stands in an IT block, where 16-bit data processing sets no flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Position {
    /// Outside.
    Plain,
    /// Inside, under this condition.
    Under(Cond),
}

/// The size of an instruction whose operand decides between a short and a long encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Width {
    /// 16 bits.
    Narrow,
    /// 32 bits.
    Wide,
}

/// How wide the entries of a branch table are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntryWidth {
    /// TBB.
    Byte,
    /// TBH.
    Half,
}

impl EntryWidth {
    /// Bytes per entry.
    pub fn bytes(self) -> u32 {
        match self {
            EntryWidth::Byte => 1,
            EntryWidth::Half => 2,
        }
    }
}

/// On which side of an IT block a later instruction stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Under the block's condition.
    Then,
    /// Under its inverse.
    Else,
}

/// An instruction.
///
/// Branch distances count from the instruction's own address, not from the PC it reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the fields are the manual's own: d, n, m, a, and what the variant's line says")]
pub enum Machine {
    /// `op{s} d, n, m`
    Alu { op: AluOp, flags: FlagsMode, d: PReg, n: PReg, m: Operand2<PReg> },
    /// `addw d, n, #imm`
    AluWide { op: WideOp, d: PReg, n: PReg, imm: Imm12 },
    /// `mov{s} d, m`; a shift by a constant is a move of a shifted register.
    Mov { flags: FlagsMode, d: PReg, m: Operand2<PReg> },
    /// `mvn{s} d, m`
    Mvn { flags: FlagsMode, d: PReg, m: Operand2<PReg> },
    /// `movw d, #imm`
    Movw { d: PReg, imm: u16 },
    /// `movt d, #imm`
    Movt { d: PReg, imm: u16 },
    /// `lsl{s} d, n, m` and its like.
    Shift { op: ShiftOp, flags: FlagsMode, d: PReg, n: PReg, m: PReg },
    /// `mul d, n, m`. Its short form changes N and Z only, so no mode sets flags for a reader.
    Mul { flags: FlagsMode, d: PReg, n: PReg, m: PReg },
    /// `mla d, n, m, a`
    MulAdd { d: PReg, n: PReg, m: PReg, a: PReg },
    /// `mls d, n, m, a`
    MulSub { d: PReg, n: PReg, m: PReg, a: PReg },
    /// `umull low, high, n, m`
    MulLong { sign: Sign, low: PReg, high: PReg, n: PReg, m: PReg },
    /// `umlal low, high, n, m` and its like.
    MulLongAdd { op: MulLongAddOp, low: PReg, high: PReg, n: PReg, m: PReg },
    /// `udiv d, n, m`
    Div { sign: Sign, d: PReg, n: PReg, m: PReg },
    /// `clz d, m` and its like.
    Unary { op: UnaryOp, d: PReg, m: PReg },
    /// `ubfx d, n, #lsb, #width`
    Extract { sign: Sign, d: PReg, n: PReg, field: BitField },
    /// `bfi d, n, #lsb, #width`
    Insert { d: PReg, n: PReg, field: BitField },
    /// `bfc d, #lsb, #width`
    Clear { d: PReg, field: BitField },
    /// `cmp n, m` and its like.
    Compare { op: CompareOp, n: PReg, m: Operand2<PReg> },
    /// `ldr d, [..]`
    Load { kind: LoadKind, d: PReg, address: Address<PReg> },
    /// `str s, [..]`
    Store { kind: StoreKind, s: PReg, address: Address<PReg> },
    /// `ldr d, [pc, #distance]`: a multiple of 4 up to 1020, or up to 4095, from the word-aligned PC.
    LoadLiteral { width: Width, d: PReg, distance: u16 },
    /// `push {..}`
    Push(RegSet),
    /// `pop {..}`
    Pop(RegSet),
    /// `b label`
    Branch { width: Width, distance: i32 },
    /// `b<cond> label`
    BranchIf { width: Width, cond: Cond, distance: i32 },
    /// `cbz n, label`
    BranchZero { test: ZeroTest, n: PReg, distance: i32 },
    /// `bl label`
    Call { distance: i32 },
    /// `blx m`
    CallReg { m: PReg },
    /// `bx m`
    BranchReg { m: PReg },
    /// `tbb [pc, m]` or `tbh [pc, m, lsl #1]`
    TableBranch { entries: EntryWidth, m: PReg },
    /// `it{x} cond`: one instruction, or two of which the second stands on a side.
    It { cond: Cond, second: Option<Side> },
    /// An instruction of the floating-point unit.
    Float(FloatMachine),
    /// `udf #code`
    Udf(u8),
    /// `nop`
    Nop,
}

/// A constant below 4096 or encodable as a modified immediate, rounded up if it is neither.
///
/// Returns the value that ADD or ADDW can then hold; `None` if it would exceed 32 bits.
pub fn round_up_to_immediate(value: u32) -> Option<u32> {
    if value < 4096 || ModifiedImm::new(value).is_some() {
        return Some(value);
    }
    // The eight bits from the top one down are the immediate; all lower bits become 0.
    let step = 1 << (32 - value.leading_zeros() - 8);
    value.checked_next_multiple_of(step)
}
