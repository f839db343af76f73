//! Guards: whether a memory or table that may have grown before an input imports it has what the input asks for.
//!
//! Requires: a linked module, and one of its memories or tables.
//! Ensures: behind the functions stands one that traps if there are fewer pages or entries than asked for, and it is
//! started before what comes next. Wasm judges the limits of an import when it instantiates (core spec 2.0, 4.5.4).

#![deny(clippy::wildcard_enum_match_arm)]

use super::control;
use super::module::{Exported, Function, FunctionType, Instance, Instruction, Module, WasmError};
use super::op::{Bulk, Op, Relation};

/// Adds the function for a memory or table.
///
/// # Errors
/// What it is for is neither, or is not there.
pub fn add(module: &mut Module, of: Exported, least: u32) -> Result<(), WasmError> {
    let missing = || WasmError::unsupported(0, "a guard of what has no size");
    let size = match of {
        Exported::Memory(memory) => {
            let declared = module.memories.get(memory as usize).ok_or_else(missing)?;
            Op::MemorySize(memory, declared.page_log2)
        }
        Exported::Table(table) => Op::TableSize(table),
        Exported::Function(_) | Exported::Global(_) => return Err(missing()),
    };
    let is_less = [size, Op::I32Const(least), Op::I32Compare(Relation::LtU)];
    let ops = is_less.into_iter().chain([Op::If(FunctionType::default()), Op::Unreachable, Op::End, Op::End]);
    let body: Vec<Instruction> = (0..).zip(ops).map(|(offset, op)| Instruction { op, offset }).collect();
    let (index, signature) = (module.function_count(), FunctionType::default());
    let type_index = u32::try_from(module.types.len()).map_err(|_| missing())?;
    module.types.push(signature.clone());
    let control = control::run(module, &signature, &[], &body)?;
    module.names.insert(index, "the guard of an import".to_owned());
    module.functions.push(Function { index, type_index, signature, locals: Vec::new(), body, control });
    let (elements, data) = (module.elements.len(), module.data.len());
    module.instances.push(Instance { elements, data, start: Some(index) });
    Ok(())
}

/// Whether some function makes a memory or table larger.
pub fn may_grow(module: &Module, of: Exported) -> bool {
    module.operators().any(|op| {
        *op == match of {
            Exported::Memory(memory) => Op::MemoryGrow(memory),
            Exported::Table(table) => Op::Bulk(Bulk::TableGrow(table)),
            Exported::Function(_) | Exported::Global(_) => return false,
        }
    })
}
