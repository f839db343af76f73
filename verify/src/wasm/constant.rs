//! Constant expressions (core spec, 3.3.10): initial values of globals, places of segments.

use wasmparser::{ConstExpr, Operator};

use super::module::{Constant, Module, WasmError, small};

/// The value of a constant expression over the globals before it.
pub(super) fn value(expression: &ConstExpr<'_>, module: &Module) -> Result<Constant, WasmError> {
    let offset = small(expression.get_binary_reader().original_position());
    let unknown = |what: &Operator<'_>| WasmError::unsupported(offset, format!("the constant operator {what:?}"));
    let mut stack: Vec<Constant> = Vec::new();
    for operator in expression.get_operators_reader() {
        let operator = operator.map_err(WasmError::from_parser)?;
        let value = match operator {
            Operator::End => break,
            Operator::I32Const { value } => Constant::I32(value.cast_unsigned()),
            Operator::I64Const { value } => Constant::I64(value.cast_unsigned()),
            Operator::F32Const { value } => Constant::I32(value.bits()),
            Operator::F64Const { value } => Constant::I64(value.bits()),
            Operator::RefNull { .. } => Constant::I32(0),
            Operator::RefFunc { function_index } => Constant::Function(module.before + function_index),
            Operator::GlobalGet { global_index } => {
                let global = module.globals.get(global_index as usize).filter(|global| !global.mutable);
                global.ok_or_else(|| unknown(&operator))?.initial
            }
            _ => {
                let operands = (stack.pop(), stack.pop());
                let (Some(b), Some(a)) = operands else { return Err(unknown(&operator)) };
                combine(&operator, a, b).ok_or_else(|| unknown(&operator))?
            }
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Ok(value),
        _ => Err(WasmError::unsupported(offset, "a constant expression without one value")),
    }
}

/// An operator of two constants.
fn combine(operator: &Operator<'_>, a: Constant, b: Constant) -> Option<Constant> {
    use Constant::{I32, I64};
    Some(match (operator, a, b) {
        (Operator::I32Add, I32(a), I32(b)) => I32(a.wrapping_add(b)),
        (Operator::I32Sub, I32(a), I32(b)) => I32(a.wrapping_sub(b)),
        (Operator::I32Mul, I32(a), I32(b)) => I32(a.wrapping_mul(b)),
        (Operator::I64Add, I64(a), I64(b)) => I64(a.wrapping_add(b)),
        (Operator::I64Sub, I64(a), I64(b)) => I64(a.wrapping_sub(b)),
        (Operator::I64Mul, I64(a), I64(b)) => I64(a.wrapping_mul(b)),
        _ => return None,
    })
}
