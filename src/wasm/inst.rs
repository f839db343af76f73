//! The WebAssembly instructions that are supported.
//!
//! Ensures: what cannot be written here is refused by [`parse`](super::parse), so later stages are
//! total. Numeric instructions are already named by the IR operator that computes them.

use crate::ir::func::Signature;
use crate::ir::op::{Access, Function, Op, Table, Type};

/// What a block takes from the operand stack and leaves on it.
pub type BlockType = Signature;

/// An instruction (core spec, 2.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inst {
    /// `unreachable`.
    Unreachable,
    /// `nop`.
    Nop,
    /// `block`.
    Block(BlockType),
    /// `loop`.
    Loop(BlockType),
    /// `if`.
    If(BlockType),
    /// `else`.
    Else,
    /// `end`.
    End,
    /// `br`.
    Br(u32),
    /// `br_if`.
    BrIf(u32),
    /// `br_table`: the targets, the default last.
    BrTable(Box<[u32]>),
    /// `return`.
    Return,
    /// `call`.
    Call(u32),
    /// `call_indirect` with its type index and its table.
    CallIndirect(u32, Table),
    /// `drop`.
    Drop,
    /// `select`, typed or not; the operand type follows from the stack.
    Select,
    /// `local.get`.
    LocalGet(u32),
    /// `local.set`.
    LocalSet(u32),
    /// `local.tee`.
    LocalTee(u32),
    /// `global.get`.
    GlobalGet(u32),
    /// `global.set`.
    GlobalSet(u32),
    /// A load: bytes touched, constant offset, and the operator that widens the result to `i64`.
    Load(Access, u32, Option<Op>),
    /// A store of the operand itself: bytes touched, constant offset.
    Store(Access, u32),
    /// A store of the low bits of an `i64` operand: bytes touched, constant offset.
    StoreLow(Access, u32),
    /// `memory.size`.
    MemorySize,
    /// `memory.grow`.
    MemoryGrow,
    /// `ref.func`.
    RefFunc(Function),
    /// `table.get`.
    TableGet(Table),
    /// `table.set`.
    TableSet(Table),
    /// `table.size`.
    TableSize(Table),
    /// `table.grow` by null entries: the reference below the count is null.
    TableGrow(Table),
    /// A constant, by its bits. A null reference is 0.
    Const(Type, u64),
    /// A total numeric instruction with its operands in order.
    Numeric(Op),
    /// A comparison whose operands are swapped: `a > b` is `b < a`.
    Swapped(Op),
    /// `i32.eqz`, `i64.eqz` or `ref.is_null`.
    IsZero(Type),
    /// A division or remainder, which may trap.
    Divide(Op),
}
