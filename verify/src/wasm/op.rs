//! The operators that the validator knows, and their decoding from the parser's operators.
//!
//! Ensures: an operator outside [`Op`] is refused by name; none is skipped or approximated.
//! Names and meaning follow the Wasm core specification 1.0, sections 2.4 and 4.3, and the
//! sign-extension proposal.

#![deny(clippy::wildcard_enum_match_arm)]

use wasmparser::{AbstractHeapType, BlockType, HeapType, MemArgTarget, Operator};

use crate::float::{self, Float, Format, Sign};
use crate::hints::Sort;

use super::module::{FunctionType, Module, ValueType, WasmError};

/// Unary operators that yield a word of their own type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Unary {
    /// Leading zeros.
    Clz,
    /// Trailing zeros.
    Ctz,
    /// One bits.
    Popcnt,
    /// Sign extension of bits 7:0.
    Extend8S,
    /// Sign extension of bits 15:0.
    Extend16S,
}

/// Binary operators of `i32`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Binary32 {
    /// `i32.add`
    Add,
    /// `i32.sub`
    Sub,
    /// `i32.mul`
    Mul,
    /// `i32.div_s`
    DivS,
    /// `i32.div_u`
    DivU,
    /// `i32.rem_s`
    RemS,
    /// `i32.rem_u`
    RemU,
    /// `i32.and`
    And,
    /// `i32.or`
    Or,
    /// `i32.xor`
    Xor,
    /// `i32.shl`
    Shl,
    /// `i32.shr_s`
    ShrS,
    /// `i32.shr_u`
    ShrU,
    /// `i32.rotl`
    Rotl,
    /// `i32.rotr`
    Rotr,
}

/// Operators on and to 128 bits, as two `i64`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Wide {
    /// `i64.add128`
    Add,
    /// `i64.sub128`
    Sub,
    /// `i64.mul_wide_s`
    MulS,
    /// `i64.mul_wide_u`
    MulU,
}

impl Wide {
    /// How many `i64` it takes.
    pub fn operands(self) -> usize {
        match self {
            Wide::Add | Wide::Sub => 4,
            Wide::MulS | Wide::MulU => 2,
        }
    }
}

/// Binary operators of `i64`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Binary64 {
    /// `i64.add`
    Add,
    /// `i64.sub`
    Sub,
    /// `i64.mul`
    Mul,
    /// `i64.and`
    And,
    /// `i64.or`
    Or,
    /// `i64.xor`
    Xor,
    /// `i64.shl`
    Shl,
    /// `i64.shr_s`
    ShrS,
    /// `i64.shr_u`
    ShrU,
    /// `i64.rotl`
    Rotl,
    /// `i64.rotr`
    Rotr,
    /// `i64.div_s`
    DivS,
    /// `i64.div_u`
    DivU,
    /// `i64.rem_s`
    RemS,
    /// `i64.rem_u`
    RemU,
}

/// Comparisons of two words of one type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Relation {
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `lt_s`
    LtS,
    /// `lt_u`
    LtU,
    /// `gt_s`
    GtS,
    /// `gt_u`
    GtU,
    /// `le_s`
    LeS,
    /// `le_u`
    LeU,
    /// `ge_s`
    GeS,
    /// `ge_u`
    GeU,
}

/// Operators on the sign of a float.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum SignOp {
    /// `neg`
    Neg,
    /// `abs`
    Abs,
    /// `copysign`
    Copysign,
}

/// What a load reads and how it fills the result. A float is loaded as the integer of its bits.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Load {
    /// `i32.load`
    I32,
    /// `i32.load8_s`
    I32From8S,
    /// `i32.load8_u`
    I32From8U,
    /// `i32.load16_s`
    I32From16S,
    /// `i32.load16_u`
    I32From16U,
    /// `i64.load`
    I64,
    /// `i64.load8_s`
    I64From8S,
    /// `i64.load8_u`
    I64From8U,
    /// `i64.load16_s`
    I64From16S,
    /// `i64.load16_u`
    I64From16U,
    /// `i64.load32_s`
    I64From32S,
    /// `i64.load32_u`
    I64From32U,
}

/// What a store writes. A float is stored as the integer of its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Store {
    /// `i32.store`
    I32,
    /// `i32.store8`
    I32To8,
    /// `i32.store16`
    I32To16,
    /// `i64.store`
    I64,
    /// `i64.store8`
    I64To8,
    /// `i64.store16`
    I64To16,
    /// `i64.store32`
    I64To32,
}

/// Where an access goes, beside its index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The memory.
    pub memory: u32,
    /// The constant offset.
    pub offset: u32,
}

/// An operator that becomes a call of a template (see [`super::template`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bulk {
    /// `memory.fill` of a memory.
    MemoryFill(u32),
    /// `memory.copy` from one memory to another, or within one.
    MemoryCopy {
        /// The memory written.
        to: u32,
        /// The memory read.
        from: u32,
    },
    /// `memory.init` of a memory from a data segment.
    MemoryInit {
        /// The memory written.
        to: u32,
        /// The segment read.
        data: u32,
    },
    /// `data.drop` of a data segment.
    DataDrop(u32),
    /// `table.fill` of a table.
    TableFill(u32),
    /// `table.copy` from one table to another, or within one.
    TableCopy {
        /// The table written.
        to: u32,
        /// The table read.
        from: u32,
    },
    /// `table.init` of a table from an element segment.
    TableInit {
        /// The table written.
        to: u32,
        /// The segment read.
        element: u32,
    },
    /// `elem.drop` of an element segment.
    ElemDrop(u32),
    /// `table.grow` of a table.
    TableGrow(u32),
}

/// One operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Traps.
    Unreachable,
    /// Does nothing; `reinterpret` neither, as a float is its bits.
    Nop,
    /// Opens a block; its label stands behind its `end`.
    Block(FunctionType),
    /// Opens a loop; its label stands behind this operator.
    Loop(FunctionType),
    /// Opens a block that runs its first part if the condition is not zero.
    If(FunctionType),
    /// Opens the second part of an `if`.
    Else,
    /// Closes a block, or the function.
    End,
    /// Branches to the label at this depth.
    Br(u32),
    /// Branches if the condition is not zero.
    BrIf(u32),
    /// Branches to the label that the index selects: the depths, then the default depth.
    BrTable(Box<[u32]>, u32),
    /// Returns.
    Return,
    /// Calls the function with this index.
    Call(u32),
    /// Calls a function of the type with this index through the table with this index.
    CallIndirect(u32, u32),
    /// `return_call`.
    ReturnCall(u32),
    /// `return_call_indirect` with its type index and its table.
    ReturnCallIndirect(u32, u32),
    /// Drops one operand.
    Drop,
    /// Selects one of two operands, typed or not.
    Select,
    /// Reads a local.
    LocalGet(u32),
    /// Writes a local.
    LocalSet(u32),
    /// Writes a local and keeps the operand.
    LocalTee(u32),
    /// Reads a global.
    GlobalGet(u32),
    /// Writes a global.
    GlobalSet(u32),
    /// Reads linear memory at index plus constant offset.
    Load(Load, Place),
    /// Writes linear memory at index plus constant offset.
    Store(Store, Place),
    /// The length of the memory with this index, in units of two to this power of bytes: the page of the
    /// memory that the operator was validated with.
    MemorySize(u32, u8),
    /// Grows the memory with this index.
    MemoryGrow(u32),
    /// The null reference, of functions or of the host.
    RefNull(ValueType),
    /// Whether a reference is null.
    RefIsNull,
    /// A reference to the function with this index.
    RefFunc(u32),
    /// Reads an entry of the table with this index.
    TableGet(u32),
    /// Writes an entry of the table with this index.
    TableSet(u32),
    /// The number of entries of the table with this index.
    TableSize(u32),
    /// Grows the table with this index by null entries.
    TableGrow(u32),
    /// Sets the length of the memory with this index, which is a data segment, to 0.
    MemoryDrop(u32),
    /// Sets the size of the table with this index, which is an element segment, to 0.
    TableDrop(u32),
    /// A bulk operator that is not linked yet.
    Bulk(Bulk),
    /// `i32.const`, or the bits of an `f32.const`
    I32Const(u32),
    /// `i64.const`, or the bits of an `f64.const`
    I64Const(u64),
    /// `i32.eqz`
    I32Eqz,
    /// `i64.eqz`
    I64Eqz,
    /// An `i32` comparison.
    I32Compare(Relation),
    /// An `i64` comparison.
    I64Compare(Relation),
    /// An `i32` unary operator.
    I32Unary(Unary),
    /// An `i64` unary operator.
    I64Unary(Unary),
    /// An `i32` binary operator.
    I32Binary(Binary32),
    /// An `i64` binary operator.
    I64Binary(Binary64),
    /// `i32.wrap_i64`
    I32WrapI64,
    /// `i64.extend_i32_s`
    I64ExtendI32S,
    /// `i64.extend_i32_u`
    I64ExtendI32U,
    /// `i64.extend32_s`
    I64Extend32S,
    /// An operator on or to 128 bits.
    Wide(Wide),
    /// An operator on the sign of a float of this width.
    Sign(SignOp, Sort),
    /// An operator on floats.
    Float(Float),
    /// The operator with its two operands swapped: `a > b` is `b < a`.
    FloatSwapped(Float),
    /// A conversion to an integer that traps where there is none.
    Truncate {
        /// What says whether there is one.
        fits: Float,
        /// What gives it.
        whole: Float,
    },
}

/// Decodes one operator that stands at `offset`.
pub fn decode(operator: &Operator<'_>, offset: u32, module: &Module) -> Result<Op, WasmError> {
    if let Some(op) = decode_control(operator, offset, &module.types)? {
        return Ok(op);
    }
    decode_numeric(operator)
        .or_else(|| decode_memory(operator, module))
        .or_else(|| decode_float(operator))
        .ok_or_else(|| WasmError::unsupported(offset, format!("operator {operator:?}")))
}

fn block_type(kind: BlockType, offset: u32, types: &[FunctionType]) -> Result<FunctionType, WasmError> {
    match kind {
        BlockType::Empty => Ok(FunctionType::default()),
        BlockType::Type(value) => {
            Ok(FunctionType { parameters: Vec::new(), results: vec![ValueType::read(value, offset)?] })
        }
        BlockType::FuncType(index) => {
            types.get(index as usize).cloned().ok_or_else(|| WasmError::unsupported(offset, "a block of no type"))
        }
    }
}

fn null_type(heap: HeapType, offset: u32) -> Result<ValueType, WasmError> {
    match heap {
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Func } => Ok(ValueType::FuncRef),
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern } => Ok(ValueType::ExternRef),
        HeapType::Abstract { .. } | HeapType::Concrete(_) | HeapType::Exact(_) => {
            Err(WasmError::unsupported(offset, format!("a null reference of type {heap:?}")))
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller refuses every other operator")]
fn decode_control(operator: &Operator<'_>, offset: u32, types: &[FunctionType]) -> Result<Option<Op>, WasmError> {
    let op = match operator {
        Operator::Unreachable => Op::Unreachable,
        Operator::Nop => Op::Nop,
        Operator::Block { blockty } => Op::Block(block_type(*blockty, offset, types)?),
        Operator::Loop { blockty } => Op::Loop(block_type(*blockty, offset, types)?),
        Operator::If { blockty } => Op::If(block_type(*blockty, offset, types)?),
        Operator::Else => Op::Else,
        Operator::End => Op::End,
        Operator::Br { relative_depth } => Op::Br(*relative_depth),
        Operator::BrIf { relative_depth } => Op::BrIf(*relative_depth),
        Operator::BrTable { targets } => {
            let depths = targets.targets().collect::<Result<Vec<u32>, _>>();
            Op::BrTable(depths.map_err(WasmError::from_parser)?.into(), targets.default())
        }
        Operator::Return => Op::Return,
        Operator::Call { function_index } => Op::Call(*function_index),
        Operator::CallIndirect { type_index, table_index } => Op::CallIndirect(*type_index, *table_index),
        Operator::ReturnCall { function_index } => Op::ReturnCall(*function_index),
        Operator::ReturnCallIndirect { type_index, table_index } => Op::ReturnCallIndirect(*type_index, *table_index),
        Operator::Drop => Op::Drop,
        Operator::Select | Operator::TypedSelect { .. } => Op::Select,
        Operator::RefNull { hty } => Op::RefNull(null_type(*hty, offset)?),
        Operator::RefIsNull => Op::RefIsNull,
        Operator::RefFunc { function_index } => Op::RefFunc(*function_index),
        Operator::TableGet { table } => Op::TableGet(*table),
        Operator::TableSet { table } => Op::TableSet(*table),
        Operator::TableSize { table } => Op::TableSize(*table),
        Operator::TableGrow { table } => Op::Bulk(Bulk::TableGrow(*table)),
        Operator::TableFill { table } => Op::Bulk(Bulk::TableFill(*table)),
        Operator::TableCopy { dst_table, src_table } => Op::Bulk(Bulk::TableCopy { to: *dst_table, from: *src_table }),
        Operator::TableInit { elem_index, table } => Op::Bulk(Bulk::TableInit { to: *table, element: *elem_index }),
        Operator::ElemDrop { elem_index } => Op::Bulk(Bulk::ElemDrop(*elem_index)),
        Operator::LocalGet { local_index } => Op::LocalGet(*local_index),
        Operator::LocalSet { local_index } => Op::LocalSet(*local_index),
        Operator::LocalTee { local_index } => Op::LocalTee(*local_index),
        Operator::GlobalGet { global_index } => Op::GlobalGet(*global_index),
        Operator::GlobalSet { global_index } => Op::GlobalSet(*global_index),
        _ => return Ok(None),
    };
    Ok(Some(op))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller refuses every other operator")]
fn decode_memory(operator: &Operator<'_>, module: &Module) -> Option<Op> {
    use Operator as O;
    let (load, argument) = match operator {
        O::MemorySize { mem } => return Some(Op::MemorySize(*mem, module.memories.get(*mem as usize)?.page_log2)),
        O::MemoryGrow { mem } => return Some(Op::MemoryGrow(*mem)),
        O::MemoryFill { mem } => return Some(Op::Bulk(Bulk::MemoryFill(*mem))),
        O::MemoryCopy { dst_mem, src_mem } => {
            return Some(Op::Bulk(Bulk::MemoryCopy { to: *dst_mem, from: *src_mem }));
        }
        O::MemoryInit { data_index, mem } => {
            return Some(Op::Bulk(Bulk::MemoryInit { to: *mem, data: *data_index }));
        }
        O::DataDrop { data_index } => return Some(Op::Bulk(Bulk::DataDrop(*data_index))),
        O::I32Load { memarg } | O::F32Load { memarg } => (Ok(Load::I32), memarg),
        O::I32Load8S { memarg } => (Ok(Load::I32From8S), memarg),
        O::I32Load8U { memarg } => (Ok(Load::I32From8U), memarg),
        O::I32Load16S { memarg } => (Ok(Load::I32From16S), memarg),
        O::I32Load16U { memarg } => (Ok(Load::I32From16U), memarg),
        O::I64Load { memarg } | O::F64Load { memarg } => (Ok(Load::I64), memarg),
        O::I64Load8S { memarg } => (Ok(Load::I64From8S), memarg),
        O::I64Load8U { memarg } => (Ok(Load::I64From8U), memarg),
        O::I64Load16S { memarg } => (Ok(Load::I64From16S), memarg),
        O::I64Load16U { memarg } => (Ok(Load::I64From16U), memarg),
        O::I64Load32S { memarg } => (Ok(Load::I64From32S), memarg),
        O::I64Load32U { memarg } => (Ok(Load::I64From32U), memarg),
        O::I32Store { memarg } | O::F32Store { memarg } => (Err(Store::I32), memarg),
        O::I32Store8 { memarg } => (Err(Store::I32To8), memarg),
        O::I32Store16 { memarg } => (Err(Store::I32To16), memarg),
        O::I64Store { memarg } | O::F64Store { memarg } => (Err(Store::I64), memarg),
        O::I64Store8 { memarg } => (Err(Store::I64To8), memarg),
        O::I64Store16 { memarg } => (Err(Store::I64To16), memarg),
        O::I64Store32 { memarg } => (Err(Store::I64To32), memarg),
        _ => return None,
    };
    let MemArgTarget::Memory(memory) = argument.target else { return None };
    let place = Place { memory, offset: u32::try_from(argument.offset).ok()? };
    Some(match load {
        Ok(load) => Op::Load(load, place),
        Err(store) => Op::Store(store, place),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller refuses every other operator")]
fn decode_numeric(operator: &Operator<'_>) -> Option<Op> {
    use Operator as O;
    Some(match operator {
        O::I32Const { value } => Op::I32Const(value.cast_unsigned()),
        O::I64Const { value } => Op::I64Const(value.cast_unsigned()),
        O::I32Eqz => Op::I32Eqz,
        O::I32Eq => Op::I32Compare(Relation::Eq),
        O::I32Ne => Op::I32Compare(Relation::Ne),
        O::I32LtS => Op::I32Compare(Relation::LtS),
        O::I32LtU => Op::I32Compare(Relation::LtU),
        O::I32GtS => Op::I32Compare(Relation::GtS),
        O::I32GtU => Op::I32Compare(Relation::GtU),
        O::I32LeS => Op::I32Compare(Relation::LeS),
        O::I32LeU => Op::I32Compare(Relation::LeU),
        O::I32GeS => Op::I32Compare(Relation::GeS),
        O::I32GeU => Op::I32Compare(Relation::GeU),
        O::I64Eqz => Op::I64Eqz,
        O::I64Eq => Op::I64Compare(Relation::Eq),
        O::I64Ne => Op::I64Compare(Relation::Ne),
        O::I64LtS => Op::I64Compare(Relation::LtS),
        O::I64LtU => Op::I64Compare(Relation::LtU),
        O::I64GtS => Op::I64Compare(Relation::GtS),
        O::I64GtU => Op::I64Compare(Relation::GtU),
        O::I64LeS => Op::I64Compare(Relation::LeS),
        O::I64LeU => Op::I64Compare(Relation::LeU),
        O::I64GeS => Op::I64Compare(Relation::GeS),
        O::I64GeU => Op::I64Compare(Relation::GeU),
        O::I32Clz => Op::I32Unary(Unary::Clz),
        O::I32Ctz => Op::I32Unary(Unary::Ctz),
        O::I32Popcnt => Op::I32Unary(Unary::Popcnt),
        O::I32Extend8S => Op::I32Unary(Unary::Extend8S),
        O::I32Extend16S => Op::I32Unary(Unary::Extend16S),
        O::I64Clz => Op::I64Unary(Unary::Clz),
        O::I64Ctz => Op::I64Unary(Unary::Ctz),
        O::I64Popcnt => Op::I64Unary(Unary::Popcnt),
        O::I64Extend8S => Op::I64Unary(Unary::Extend8S),
        O::I64Extend16S => Op::I64Unary(Unary::Extend16S),
        O::I64Extend32S => Op::I64Extend32S,
        O::I64Add128 => Op::Wide(Wide::Add),
        O::I64Sub128 => Op::Wide(Wide::Sub),
        O::I64MulWideS => Op::Wide(Wide::MulS),
        O::I64MulWideU => Op::Wide(Wide::MulU),
        O::I32Add => Op::I32Binary(Binary32::Add),
        O::I32Sub => Op::I32Binary(Binary32::Sub),
        O::I32Mul => Op::I32Binary(Binary32::Mul),
        O::I32DivS => Op::I32Binary(Binary32::DivS),
        O::I32DivU => Op::I32Binary(Binary32::DivU),
        O::I32RemS => Op::I32Binary(Binary32::RemS),
        O::I32RemU => Op::I32Binary(Binary32::RemU),
        O::I32And => Op::I32Binary(Binary32::And),
        O::I32Or => Op::I32Binary(Binary32::Or),
        O::I32Xor => Op::I32Binary(Binary32::Xor),
        O::I32Shl => Op::I32Binary(Binary32::Shl),
        O::I32ShrS => Op::I32Binary(Binary32::ShrS),
        O::I32ShrU => Op::I32Binary(Binary32::ShrU),
        O::I32Rotl => Op::I32Binary(Binary32::Rotl),
        O::I32Rotr => Op::I32Binary(Binary32::Rotr),
        O::I64Add => Op::I64Binary(Binary64::Add),
        O::I64Sub => Op::I64Binary(Binary64::Sub),
        O::I64Mul => Op::I64Binary(Binary64::Mul),
        O::I64And => Op::I64Binary(Binary64::And),
        O::I64Or => Op::I64Binary(Binary64::Or),
        O::I64Xor => Op::I64Binary(Binary64::Xor),
        O::I64Shl => Op::I64Binary(Binary64::Shl),
        O::I64ShrS => Op::I64Binary(Binary64::ShrS),
        O::I64ShrU => Op::I64Binary(Binary64::ShrU),
        O::I64Rotl => Op::I64Binary(Binary64::Rotl),
        O::I64Rotr => Op::I64Binary(Binary64::Rotr),
        O::I64DivS => Op::I64Binary(Binary64::DivS),
        O::I64DivU => Op::I64Binary(Binary64::DivU),
        O::I64RemS => Op::I64Binary(Binary64::RemS),
        O::I64RemU => Op::I64Binary(Binary64::RemU),
        O::I32WrapI64 => Op::I32WrapI64,
        O::I64ExtendI32S => Op::I64ExtendI32S,
        O::I64ExtendI32U => Op::I64ExtendI32U,
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller refuses every other operator")]
fn decode_float(operator: &Operator<'_>) -> Option<Op> {
    use Operator as O;
    use float::{Binary, Relation as Order, Unary as One};
    let binary = |operator, format| Op::Float(Float::Binary(operator, format));
    let unary = |operator, format| Op::Float(Float::Unary(operator, format));
    let compare = |relation, format| Op::Float(Float::Compare(relation, format));
    let swapped = |relation, format| Op::FloatSwapped(Float::Compare(relation, format));
    let (f32, f64, s, u) = (Format::F32, Format::F64, Sign::Signed, Sign::Unsigned);
    let (i32, i64) = (Sort::W32, Sort::W64);
    let convert = |from, sign, format| Op::Float(Float::Convert(from, sign, format));
    let saturate = |format, to, sign| Op::Float(Float::Truncate(format, to, sign));
    let truncate = |format, to, sign| Op::Truncate {
        fits: Float::Fits(format, to, sign),
        whole: Float::Truncate(format, to, sign),
    };
    Some(match operator {
        O::I32ReinterpretF32 | O::I64ReinterpretF64 | O::F32ReinterpretI32 | O::F64ReinterpretI64 => Op::Nop,
        O::F32Const { value } => Op::I32Const(value.bits()),
        O::F64Const { value } => Op::I64Const(value.bits()),
        O::F32DemoteF64 => Op::Float(Float::Demote),
        O::F64PromoteF32 => Op::Float(Float::Promote),
        O::F32Add => binary(Binary::Add, f32),
        O::F32Sub => binary(Binary::Sub, f32),
        O::F32Mul => binary(Binary::Mul, f32),
        O::F32Div => binary(Binary::Div, f32),
        O::F32Min => binary(Binary::Min, f32),
        O::F32Max => binary(Binary::Max, f32),
        O::F32Sqrt => unary(One::Sqrt, f32),
        O::F32Ceil => unary(One::Ceil, f32),
        O::F32Floor => unary(One::Floor, f32),
        O::F32Trunc => unary(One::Trunc, f32),
        O::F32Nearest => unary(One::Nearest, f32),
        O::F32Eq => compare(Order::Eq, f32),
        O::F32Ne => compare(Order::Ne, f32),
        O::F32Lt => compare(Order::Lt, f32),
        O::F32Le => compare(Order::Le, f32),
        O::F32Gt => swapped(Order::Lt, f32),
        O::F32Ge => swapped(Order::Le, f32),
        O::F32Neg => Op::Sign(SignOp::Neg, i32),
        O::F32Abs => Op::Sign(SignOp::Abs, i32),
        O::F32Copysign => Op::Sign(SignOp::Copysign, i32),
        O::F32ConvertI32S => convert(i32, s, f32),
        O::I32TruncF32S => truncate(f32, i32, s),
        O::I32TruncSatF32S => saturate(f32, i32, s),
        O::F32ConvertI32U => convert(i32, u, f32),
        O::I32TruncF32U => truncate(f32, i32, u),
        O::I32TruncSatF32U => saturate(f32, i32, u),
        O::F32ConvertI64S => convert(i64, s, f32),
        O::I64TruncF32S => truncate(f32, i64, s),
        O::I64TruncSatF32S => saturate(f32, i64, s),
        O::F32ConvertI64U => convert(i64, u, f32),
        O::I64TruncF32U => truncate(f32, i64, u),
        O::I64TruncSatF32U => saturate(f32, i64, u),
        O::F64Add => binary(Binary::Add, f64),
        O::F64Sub => binary(Binary::Sub, f64),
        O::F64Mul => binary(Binary::Mul, f64),
        O::F64Div => binary(Binary::Div, f64),
        O::F64Min => binary(Binary::Min, f64),
        O::F64Max => binary(Binary::Max, f64),
        O::F64Sqrt => unary(One::Sqrt, f64),
        O::F64Ceil => unary(One::Ceil, f64),
        O::F64Floor => unary(One::Floor, f64),
        O::F64Trunc => unary(One::Trunc, f64),
        O::F64Nearest => unary(One::Nearest, f64),
        O::F64Eq => compare(Order::Eq, f64),
        O::F64Ne => compare(Order::Ne, f64),
        O::F64Lt => compare(Order::Lt, f64),
        O::F64Le => compare(Order::Le, f64),
        O::F64Gt => swapped(Order::Lt, f64),
        O::F64Ge => swapped(Order::Le, f64),
        O::F64Neg => Op::Sign(SignOp::Neg, i64),
        O::F64Abs => Op::Sign(SignOp::Abs, i64),
        O::F64Copysign => Op::Sign(SignOp::Copysign, i64),
        O::F64ConvertI32S => convert(i32, s, f64),
        O::I32TruncF64S => truncate(f64, i32, s),
        O::I32TruncSatF64S => saturate(f64, i32, s),
        O::F64ConvertI32U => convert(i32, u, f64),
        O::I32TruncF64U => truncate(f64, i32, u),
        O::I32TruncSatF64U => saturate(f64, i32, u),
        O::F64ConvertI64S => convert(i64, s, f64),
        O::I64TruncF64S => truncate(f64, i64, s),
        O::I64TruncSatF64S => saturate(f64, i64, s),
        O::F64ConvertI64U => convert(i64, u, f64),
        O::I64TruncF64U => truncate(f64, i64, u),
        O::I64TruncSatF64U => saturate(f64, i64, u),
        _ => return None,
    })
}
