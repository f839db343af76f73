//! The WebAssembly instructions that are supported.
//!
//! Ensures: what cannot be written here is refused by [`parse`](super::parse), so later stages are
//! total. Numeric instructions are already named by the IR operator that computes them.

use super::module::{DataIndex, ElementIndex};
use crate::ir::func::Signature;
use crate::ir::op::{Access, Function, Memory, Op, Table, Type};

/// What a block takes from the operand stack and leaves on it.
pub type BlockType = Signature;

/// Where an access goes, beside its index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The memory.
    pub memory: Memory,
    /// The constant offset.
    pub offset: u32,
}

/// An instruction that becomes a call of a template when it is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bulk {
    /// `memory.fill`.
    MemoryFill(Memory),
    /// `memory.copy`.
    MemoryCopy {
        /// The memory written.
        to: Memory,
        /// The memory read.
        from: Memory,
    },
    /// `memory.init`.
    MemoryInit {
        /// The memory written.
        to: Memory,
        /// The segment read.
        data: DataIndex,
    },
    /// `data.drop`.
    DataDrop(DataIndex),
    /// `table.fill`.
    TableFill(Table),
    /// `table.copy`.
    TableCopy {
        /// The table written.
        to: Table,
        /// The table read.
        from: Table,
    },
    /// `table.init`.
    TableInit {
        /// The table written.
        to: Table,
        /// The segment read.
        element: ElementIndex,
    },
    /// `elem.drop`.
    ElemDrop(ElementIndex),
    /// `table.grow`; in a template it grows by null entries and stays.
    TableGrow(Table),
}

/// What happens to the sign of a float (core spec, 4.3.3): all of it is done on bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignOp {
    /// `neg`.
    Neg,
    /// `abs`.
    Abs,
    /// `copysign`.
    Copy,
}

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
    /// `return_call`.
    ReturnCall(u32),
    /// `return_call_indirect` with its type index and its table.
    ReturnCallIndirect(u32, Table),
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
    /// A load: bytes touched, where, and the operator that widens the result to `i64`.
    Load(Access, Place, Option<Op>),
    /// A store of the operand itself: bytes touched, where.
    Store(Access, Place),
    /// A store of the low bits of an `i64` operand: bytes touched, where.
    StoreLow(Access, Place),
    /// `memory.size`, in units of two to this power of bytes: the page of the memory that the
    /// instruction was validated with.
    MemorySize(Memory, u8),
    /// `memory.grow`.
    MemoryGrow(Memory),
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
    /// `data.drop` of the segment that a memory is.
    MemoryDrop(Memory),
    /// `elem.drop` of the segment that a table is.
    TableDrop(Table),
    /// An instruction that is not linked yet.
    Bulk(Bulk),
    /// A constant, by its bits. A null reference is 0.
    Const(Type, u64),
    /// A total numeric instruction with its operands in order.
    Numeric(Op),
    /// A numeric instruction with two results: the operators of the low one, of the first operands of
    /// its halves, and of the high one, of all operands.
    Wide(Op, Op),
    /// A comparison whose operands are swapped: `a > b` is `b < a`.
    Swapped(Op),
    /// `i32.eqz`, `i64.eqz` or `ref.is_null`.
    IsZero(Type),
    /// A division or remainder, which may trap.
    Divide(Op),
    /// An operator on the sign of a float with these bits.
    Sign(SignOp, Type),
    /// The operator that cuts off the fraction of a float, behind the one that says whether it may.
    Truncate {
        /// 0 if the result fits, 1 of a NaN, else 2.
        fits: Op,
        /// The result.
        to_integer: Op,
    },
}
