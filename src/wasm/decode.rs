//! From the operators of the Wasm reader to the instructions supported here: one table.
//!
//! Requires: the operator passed validation under the features of [`parse`](super::parse).

use wasmparser::{BlockType as ReaderBlockType, MemArg, MemArgTarget, Operator, RefType, ValType};

use super::inst::{BlockType, Bulk, Inst, Place, SignOp};
use super::module::{DataIndex, ElementIndex, Module, TypeIndex};
use super::types::{FunctionType, ValueType};
use crate::entity::TypedVec;
use crate::error::Error;
use crate::ir::op::{Access, Function, Memory, Op, Table, Type};

/// What a user can do about an operator or type that is missing here.
const REMEDY: &str = "compile the source without it; the README lists what is supported";

/// The function types that blocks and calls refer to.
pub type Types = TypedVec<TypeIndex, FunctionType>;

/// The instruction for an operator at this byte offset.
pub fn inst(operator: &Operator, offset: u64, module: &Module) -> Result<Inst, Error> {
    let found = match control(operator, offset, &module.types)? {
        Some(inst) => Some(inst),
        None => {
            let state = memory(operator, module)?.or_else(|| reference(operator));
            let integer = state.or_else(|| i32_numeric(operator)).or_else(|| i64_numeric(operator));
            integer.or_else(|| f32_numeric(operator)).or_else(|| f64_numeric(operator)).or_else(|| conversion(operator))
        }
    };
    found.ok_or_else(|| {
        let name = operator_name(operator);
        Error::unsupported(offset, format!("the operator `{name}` is not supported"), REMEDY)
    })
}

/// The value type at this byte offset.
pub fn value_type(ty: ValType, offset: u64) -> Result<ValueType, Error> {
    match ty {
        ValType::I32 => Ok(ValueType::I32),
        ValType::I64 => Ok(ValueType::I64),
        ValType::F32 => Ok(ValueType::F32),
        ValType::F64 => Ok(ValueType::F64),
        ValType::Ref(ty) => reference_type(ty, offset),
        ValType::V128 => Err(Error::unsupported(offset, format!("the type `{ty}` is not supported"), REMEDY)),
    }
}

/// The type of a reference at this byte offset.
pub fn reference_type(ty: RefType, offset: u64) -> Result<ValueType, Error> {
    match ty {
        RefType::FUNCREF => Ok(ValueType::FuncRef),
        RefType::EXTERNREF => Ok(ValueType::ExternRef),
        _ => Err(Error::unsupported(offset, format!("the type `{ty}` is not supported"), REMEDY)),
    }
}

fn block_type(ty: ReaderBlockType, offset: u64, types: &Types) -> Result<BlockType, Error> {
    match ty {
        ReaderBlockType::Empty => Ok(BlockType::default()),
        ReaderBlockType::Type(ty) => Ok(BlockType { params: vec![], results: vec![value_type(ty, offset)?.passed()] }),
        ReaderBlockType::FuncType(index) => Ok(types[TypeIndex(index)].signature()),
    }
}

fn control(operator: &Operator, offset: u64, types: &Types) -> Result<Option<Inst>, Error> {
    Ok(Some(match operator {
        Operator::Unreachable => Inst::Unreachable,
        Operator::Nop => Inst::Nop,
        Operator::Block { blockty } => Inst::Block(block_type(*blockty, offset, types)?),
        Operator::Loop { blockty } => Inst::Loop(block_type(*blockty, offset, types)?),
        Operator::If { blockty } => Inst::If(block_type(*blockty, offset, types)?),
        Operator::Else => Inst::Else,
        Operator::End => Inst::End,
        Operator::Br { relative_depth } => Inst::Br(*relative_depth),
        Operator::BrIf { relative_depth } => Inst::BrIf(*relative_depth),
        Operator::BrTable { targets } => {
            let all = targets.targets().chain([Ok(targets.default())]);
            let all: Result<Box<[u32]>, wasmparser::Error> = all.collect();
            Inst::BrTable(all.map_err(|e| Error::invalid(e.offset(), e.message()))?)
        }
        Operator::Return => Inst::Return,
        Operator::Call { function_index } => Inst::Call(*function_index),
        Operator::CallIndirect { type_index, table_index } => Inst::CallIndirect(*type_index, Table(*table_index)),
        Operator::ReturnCall { function_index } => Inst::ReturnCall(*function_index),
        Operator::ReturnCallIndirect { type_index, table_index } => {
            Inst::ReturnCallIndirect(*type_index, Table(*table_index))
        }
        Operator::Drop => Inst::Drop,
        Operator::Select | Operator::TypedSelect { .. } => Inst::Select,
        Operator::LocalGet { local_index } => Inst::LocalGet(*local_index),
        Operator::LocalSet { local_index } => Inst::LocalSet(*local_index),
        Operator::LocalTee { local_index } => Inst::LocalTee(*local_index),
        Operator::GlobalGet { global_index } => Inst::GlobalGet(*global_index),
        Operator::GlobalSet { global_index } => Inst::GlobalSet(*global_index),
        Operator::I32Const { value } => Inst::Const(Type::I32, u64::from(*value as u32)),
        Operator::I64Const { value } => Inst::Const(Type::I64, *value as u64),
        Operator::F32Const { value } => Inst::Const(Type::I32, u64::from(value.bits())),
        Operator::F64Const { value } => Inst::Const(Type::I64, value.bits()),
        _ => return Ok(None),
    }))
}

fn memory(operator: &Operator, module: &Module) -> Result<Option<Inst>, Error> {
    Ok(Some(match operator {
        Operator::I32Load { memarg } | Operator::F32Load { memarg } => load(memarg, Access::W32, None)?,
        Operator::I32Load8U { memarg } => load(memarg, Access::U8, None)?,
        Operator::I32Load8S { memarg } => load(memarg, Access::S8, None)?,
        Operator::I32Load16U { memarg } => load(memarg, Access::U16, None)?,
        Operator::I32Load16S { memarg } => load(memarg, Access::S16, None)?,
        Operator::I64Load { memarg } | Operator::F64Load { memarg } => load(memarg, Access::W64, None)?,
        Operator::I64Load8U { memarg } => load(memarg, Access::U8, Some(Op::ExtendU))?,
        Operator::I64Load8S { memarg } => load(memarg, Access::S8, Some(Op::ExtendS))?,
        Operator::I64Load16U { memarg } => load(memarg, Access::U16, Some(Op::ExtendU))?,
        Operator::I64Load16S { memarg } => load(memarg, Access::S16, Some(Op::ExtendS))?,
        Operator::I64Load32U { memarg } => load(memarg, Access::W32, Some(Op::ExtendU))?,
        Operator::I64Load32S { memarg } => load(memarg, Access::W32, Some(Op::ExtendS))?,
        Operator::I32Store { memarg } | Operator::F32Store { memarg } => Inst::Store(Access::W32, place(memarg)?),
        Operator::I32Store8 { memarg } => Inst::Store(Access::U8, place(memarg)?),
        Operator::I32Store16 { memarg } => Inst::Store(Access::U16, place(memarg)?),
        Operator::I64Store { memarg } | Operator::F64Store { memarg } => Inst::Store(Access::W64, place(memarg)?),
        Operator::I64Store8 { memarg } => Inst::StoreLow(Access::U8, place(memarg)?),
        Operator::I64Store16 { memarg } => Inst::StoreLow(Access::U16, place(memarg)?),
        Operator::I64Store32 { memarg } => Inst::StoreLow(Access::W32, place(memarg)?),
        Operator::MemorySize { mem } => Inst::MemorySize(Memory(*mem), module.memories[Memory(*mem)].page_log2),
        Operator::MemoryGrow { mem } => Inst::MemoryGrow(Memory(*mem)),
        Operator::MemoryFill { mem } => Inst::Bulk(Bulk::MemoryFill(Memory(*mem))),
        Operator::MemoryCopy { dst_mem, src_mem } => {
            Inst::Bulk(Bulk::MemoryCopy { to: Memory(*dst_mem), from: Memory(*src_mem) })
        }
        Operator::MemoryInit { data_index, mem } => {
            Inst::Bulk(Bulk::MemoryInit { to: Memory(*mem), data: DataIndex(*data_index) })
        }
        Operator::DataDrop { data_index } => Inst::Bulk(Bulk::DataDrop(DataIndex(*data_index))),
        _ => return Ok(None),
    }))
}

fn reference(operator: &Operator) -> Option<Inst> {
    Some(match operator {
        // The null reference of every type is 0.
        Operator::RefNull { .. } => Inst::Const(Type::I32, 0),
        Operator::RefIsNull => Inst::IsZero(Type::I32),
        Operator::RefFunc { function_index } => Inst::RefFunc(Function(*function_index)),
        Operator::TableGet { table } => Inst::TableGet(Table(*table)),
        Operator::TableSet { table } => Inst::TableSet(Table(*table)),
        Operator::TableSize { table } => Inst::TableSize(Table(*table)),
        Operator::TableGrow { table } => Inst::Bulk(Bulk::TableGrow(Table(*table))),
        Operator::TableFill { table } => Inst::Bulk(Bulk::TableFill(Table(*table))),
        Operator::TableCopy { dst_table, src_table } => {
            Inst::Bulk(Bulk::TableCopy { to: Table(*dst_table), from: Table(*src_table) })
        }
        Operator::TableInit { elem_index, table } => {
            Inst::Bulk(Bulk::TableInit { to: Table(*table), element: ElementIndex(*elem_index) })
        }
        Operator::ElemDrop { elem_index } => Inst::Bulk(Bulk::ElemDrop(ElementIndex(*elem_index))),
        _ => return None,
    })
}

fn load(memarg: &MemArg, access: Access, widen: Option<Op>) -> Result<Inst, Error> {
    Ok(Inst::Load(access, place(memarg)?, widen))
}

/// Where an access goes. A 32-bit memory has no constant offset beyond 32 bits (core spec, 3.3.7).
fn place(memarg: &MemArg) -> Result<Place, Error> {
    let offset = u32::try_from(memarg.offset);
    let offset = offset.map_err(|_| Error::invalid(None, "an offset of an access does not fit in 32 bits"))?;
    match memarg.target {
        MemArgTarget::Memory(memory) => Ok(Place { memory: Memory(memory), offset }),
        MemArgTarget::Array(_) => Err(Error::unsupported(None, "the gc proposal is not supported", REMEDY)),
    }
}

fn i32_numeric(operator: &Operator) -> Option<Inst> {
    use Inst::{Divide, IsZero, Numeric, Swapped};
    Some(match operator {
        Operator::I32Eqz => IsZero(Type::I32),
        Operator::I32Eq => Numeric(Op::Eq32),
        Operator::I32Ne => Numeric(Op::Ne32),
        Operator::I32LtS => Numeric(Op::LtS32),
        Operator::I32LtU => Numeric(Op::LtU32),
        Operator::I32GtS => Swapped(Op::LtS32),
        Operator::I32GtU => Swapped(Op::LtU32),
        Operator::I32LeS => Numeric(Op::LeS32),
        Operator::I32LeU => Numeric(Op::LeU32),
        Operator::I32GeS => Swapped(Op::LeS32),
        Operator::I32GeU => Swapped(Op::LeU32),
        Operator::I32Clz => Numeric(Op::Clz32),
        Operator::I32Ctz => Numeric(Op::Ctz32),
        Operator::I32Popcnt => Numeric(Op::Popcnt32),
        Operator::I32Add => Numeric(Op::Add32),
        Operator::I32Sub => Numeric(Op::Sub32),
        Operator::I32Mul => Numeric(Op::Mul32),
        Operator::I32DivS => Divide(Op::DivS32),
        Operator::I32DivU => Divide(Op::DivU32),
        Operator::I32RemS => Divide(Op::RemS32),
        Operator::I32RemU => Divide(Op::RemU32),
        Operator::I32And => Numeric(Op::And32),
        Operator::I32Or => Numeric(Op::Or32),
        Operator::I32Xor => Numeric(Op::Xor32),
        Operator::I32Shl => Numeric(Op::Shl32),
        Operator::I32ShrS => Numeric(Op::ShrS32),
        Operator::I32ShrU => Numeric(Op::ShrU32),
        Operator::I32Rotl => Numeric(Op::RotL32),
        Operator::I32Rotr => Numeric(Op::RotR32),
        Operator::I32WrapI64 => Numeric(Op::Wrap),
        Operator::I32Extend8S => Numeric(Op::Extend8S32),
        Operator::I32Extend16S => Numeric(Op::Extend16S32),
        _ => return None,
    })
}

fn i64_numeric(operator: &Operator) -> Option<Inst> {
    use Inst::{Divide, IsZero, Numeric, Swapped};
    Some(match operator {
        Operator::I64Eqz => IsZero(Type::I64),
        Operator::I64Eq => Numeric(Op::Eq64),
        Operator::I64Ne => Numeric(Op::Ne64),
        Operator::I64LtS => Numeric(Op::LtS64),
        Operator::I64LtU => Numeric(Op::LtU64),
        Operator::I64GtS => Swapped(Op::LtS64),
        Operator::I64GtU => Swapped(Op::LtU64),
        Operator::I64LeS => Numeric(Op::LeS64),
        Operator::I64LeU => Numeric(Op::LeU64),
        Operator::I64GeS => Swapped(Op::LeS64),
        Operator::I64GeU => Swapped(Op::LeU64),
        Operator::I64Clz => Numeric(Op::Clz64),
        Operator::I64Ctz => Numeric(Op::Ctz64),
        Operator::I64Popcnt => Numeric(Op::Popcnt64),
        Operator::I64Add => Numeric(Op::Add64),
        Operator::I64Sub => Numeric(Op::Sub64),
        Operator::I64Mul => Numeric(Op::Mul64),
        Operator::I64DivS => Divide(Op::DivS64),
        Operator::I64DivU => Divide(Op::DivU64),
        Operator::I64RemS => Divide(Op::RemS64),
        Operator::I64RemU => Divide(Op::RemU64),
        Operator::I64And => Numeric(Op::And64),
        Operator::I64Or => Numeric(Op::Or64),
        Operator::I64Xor => Numeric(Op::Xor64),
        Operator::I64Shl => Numeric(Op::Shl64),
        Operator::I64ShrS => Numeric(Op::ShrS64),
        Operator::I64ShrU => Numeric(Op::ShrU64),
        Operator::I64Rotl => Numeric(Op::RotL64),
        Operator::I64Rotr => Numeric(Op::RotR64),
        Operator::I64ExtendI32S => Numeric(Op::ExtendS),
        Operator::I64ExtendI32U => Numeric(Op::ExtendU),
        Operator::I64Extend8S => Numeric(Op::Extend8S64),
        Operator::I64Extend16S => Numeric(Op::Extend16S64),
        Operator::I64Extend32S => Numeric(Op::Extend32S64),
        Operator::I64Add128 => Inst::Wide(Op::Add64, Op::Add128High),
        Operator::I64Sub128 => Inst::Wide(Op::Sub64, Op::Sub128High),
        Operator::I64MulWideS => Inst::Wide(Op::Mul64, Op::MulHighS64),
        Operator::I64MulWideU => Inst::Wide(Op::Mul64, Op::MulHighU64),
        _ => return None,
    })
}

fn f32_numeric(operator: &Operator) -> Option<Inst> {
    use Inst::{Numeric, Sign, Swapped};
    Some(match operator {
        Operator::F32Add => Numeric(Op::AddF32),
        Operator::F32Sub => Numeric(Op::SubF32),
        Operator::F32Mul => Numeric(Op::MulF32),
        Operator::F32Div => Numeric(Op::DivF32),
        Operator::F32Min => Numeric(Op::MinF32),
        Operator::F32Max => Numeric(Op::MaxF32),
        Operator::F32Sqrt => Numeric(Op::SqrtF32),
        Operator::F32Ceil => Numeric(Op::CeilF32),
        Operator::F32Floor => Numeric(Op::FloorF32),
        Operator::F32Trunc => Numeric(Op::TruncF32),
        Operator::F32Nearest => Numeric(Op::NearestF32),
        Operator::F32Eq => Numeric(Op::EqF32),
        Operator::F32Lt => Numeric(Op::LtF32),
        Operator::F32Le => Numeric(Op::LeF32),
        Operator::F32Ne => Numeric(Op::NeF32),
        Operator::F32Gt => Swapped(Op::LtF32),
        Operator::F32Ge => Swapped(Op::LeF32),
        Operator::F32Neg => Sign(SignOp::Neg, Type::I32),
        Operator::F32Abs => Sign(SignOp::Abs, Type::I32),
        Operator::F32Copysign => Sign(SignOp::Copy, Type::I32),
        _ => return None,
    })
}

fn f64_numeric(operator: &Operator) -> Option<Inst> {
    use Inst::{Numeric, Sign, Swapped};
    Some(match operator {
        Operator::F64Add => Numeric(Op::AddF64),
        Operator::F64Sub => Numeric(Op::SubF64),
        Operator::F64Mul => Numeric(Op::MulF64),
        Operator::F64Div => Numeric(Op::DivF64),
        Operator::F64Min => Numeric(Op::MinF64),
        Operator::F64Max => Numeric(Op::MaxF64),
        Operator::F64Sqrt => Numeric(Op::SqrtF64),
        Operator::F64Ceil => Numeric(Op::CeilF64),
        Operator::F64Floor => Numeric(Op::FloorF64),
        Operator::F64Trunc => Numeric(Op::TruncF64),
        Operator::F64Nearest => Numeric(Op::NearestF64),
        Operator::F64Eq => Numeric(Op::EqF64),
        Operator::F64Lt => Numeric(Op::LtF64),
        Operator::F64Le => Numeric(Op::LeF64),
        Operator::F64Ne => Numeric(Op::NeF64),
        Operator::F64Gt => Swapped(Op::LtF64),
        Operator::F64Ge => Swapped(Op::LeF64),
        Operator::F64Neg => Sign(SignOp::Neg, Type::I64),
        Operator::F64Abs => Sign(SignOp::Abs, Type::I64),
        Operator::F64Copysign => Sign(SignOp::Copy, Type::I64),
        _ => return None,
    })
}

fn conversion(operator: &Operator) -> Option<Inst> {
    use Inst::{Nop, Numeric, Truncate};
    Some(match operator {
        // SSA has the bits of floats.
        Operator::I32ReinterpretF32
        | Operator::I64ReinterpretF64
        | Operator::F32ReinterpretI32
        | Operator::F64ReinterpretI64 => Nop,
        Operator::F32DemoteF64 => Numeric(Op::Demote),
        Operator::F64PromoteF32 => Numeric(Op::Promote),
        Operator::F32ConvertI32S => Numeric(Op::ConvertI32SF32),
        Operator::F32ConvertI32U => Numeric(Op::ConvertI32UF32),
        Operator::F32ConvertI64S => Numeric(Op::ConvertI64SF32),
        Operator::F32ConvertI64U => Numeric(Op::ConvertI64UF32),
        Operator::F64ConvertI32S => Numeric(Op::ConvertI32SF64),
        Operator::F64ConvertI32U => Numeric(Op::ConvertI32UF64),
        Operator::F64ConvertI64S => Numeric(Op::ConvertI64SF64),
        Operator::F64ConvertI64U => Numeric(Op::ConvertI64UF64),
        Operator::I32TruncSatF32S => Numeric(Op::TruncF32I32S),
        Operator::I32TruncF32S => Truncate { fits: Op::FitsF32I32S, to_integer: Op::TruncF32I32S },
        Operator::I32TruncSatF32U => Numeric(Op::TruncF32I32U),
        Operator::I32TruncF32U => Truncate { fits: Op::FitsF32I32U, to_integer: Op::TruncF32I32U },
        Operator::I32TruncSatF64S => Numeric(Op::TruncF64I32S),
        Operator::I32TruncF64S => Truncate { fits: Op::FitsF64I32S, to_integer: Op::TruncF64I32S },
        Operator::I32TruncSatF64U => Numeric(Op::TruncF64I32U),
        Operator::I32TruncF64U => Truncate { fits: Op::FitsF64I32U, to_integer: Op::TruncF64I32U },
        Operator::I64TruncSatF32S => Numeric(Op::TruncF32I64S),
        Operator::I64TruncF32S => Truncate { fits: Op::FitsF32I64S, to_integer: Op::TruncF32I64S },
        Operator::I64TruncSatF32U => Numeric(Op::TruncF32I64U),
        Operator::I64TruncF32U => Truncate { fits: Op::FitsF32I64U, to_integer: Op::TruncF32I64U },
        Operator::I64TruncSatF64S => Numeric(Op::TruncF64I64S),
        Operator::I64TruncF64S => Truncate { fits: Op::FitsF64I64S, to_integer: Op::TruncF64I64S },
        Operator::I64TruncSatF64U => Numeric(Op::TruncF64I64U),
        Operator::I64TruncF64U => Truncate { fits: Op::FitsF64I64U, to_integer: Op::TruncF64I64U },
        _ => return None,
    })
}

/// The operator's name in the text format, derived from the reader's name for it.
fn operator_name(operator: &Operator) -> String {
    let debug = format!("{operator:?}");
    let word = debug.split([' ', '(', '{']).next().unwrap_or_default();
    let mut name = String::new();
    for (position, c) in word.char_indices() {
        if c.is_ascii_uppercase() && position > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    match name.split_once('_') {
        Some((kind @ ("i32" | "i64" | "f32" | "f64" | "v128" | "memory" | "table" | "elem"), rest)) => {
            format!("{kind}.{rest}")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_text_format() {
        assert_eq!(operator_name(&Operator::F32Add), "f32.add");
        assert_eq!(operator_name(&Operator::I32TruncSatF64U), "i32.trunc_sat_f64_u");
        assert_eq!(operator_name(&Operator::I64DivS), "i64.div_s");
        assert_eq!(operator_name(&Operator::F32Const { value: 1.0.into() }), "f32.const");
    }
}
