//! Exports of imported functions: the function that stands for such an import in the file.
//!
//! Requires: a linked module, behind whose functions nothing stands yet.
//! Ensures: every exported function has a body. That of one for an import hands the parameters to the import and returns
//! what it returns; it makes way for it, as `return_call` may. They are in the order of the exports, one for each import.

use std::collections::BTreeMap;

use super::control;
use super::module::{Exported, Function, Instruction, Module, WasmError};
use super::op::Op;

/// Adds the functions.
///
/// # Errors
/// An import has no type.
pub fn add(module: &mut Module) -> Result<(), WasmError> {
    let imports = u32::try_from(module.imports.len()).expect("the parser's limits keep counts below 2^32");
    let mut standing: BTreeMap<u32, u32> = BTreeMap::new();
    for place in 0..module.exports.len() {
        let Exported::Function(import) = module.exports[place].item else { continue };
        if import >= imports {
            continue;
        }
        let index = match standing.get(&import) {
            Some(index) => *index,
            None => {
                let function = function(module, import)?;
                module.names.insert(function.index, format!("{} of the host", module.display_name(import)));
                standing.insert(import, function.index);
                let index = function.index;
                module.functions.push(function);
                index
            }
        };
        module.exports[place].item = Exported::Function(index);
    }
    Ok(())
}

fn function(module: &Module, import: u32) -> Result<Function, WasmError> {
    let typed = module.type_index(import).zip(module.signature(import));
    let (type_index, signature) = typed.ok_or_else(|| WasmError::unsupported(0, "an import without a type"))?;
    let locals = signature.parameters.clone();
    let parameters = (0..).zip(&locals).map(|(local, _)| Op::LocalGet(local));
    let ops = parameters.chain([Op::ReturnCall(import), Op::End]);
    let body: Vec<Instruction> = (0..).zip(ops).map(|(offset, op)| Instruction { op, offset }).collect();
    let control = control::run(module, signature, &locals, &body)?;
    Ok(Function { index: module.function_count(), type_index, signature: signature.clone(), locals, body, control })
}
