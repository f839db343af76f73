//! Constant expressions: initial values, and where segments begin (core spec, 3.3.10).
//!
//! Ensures: an expression over constants and known globals is a value as soon as it is read; one over
//! imported globals is when they are bound.

use wasmparser::{ConstExpr, Operator};

use super::module::GlobalDecl;
use crate::entity::TypedVec;
use crate::error::Error;
use crate::ir::eval;
use crate::ir::op::{Function, Global, Op};

/// What a user can do about an operator that is missing here.
const REMEDY: &str = "use constants, their sums, differences and products, and global.get";

/// The value of a constant expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constant {
    /// It is known. An `i32` is zero-extended; a null reference is 0.
    Value(u64),
    /// A reference to a function.
    Function(Function),
    /// It depends on imported globals.
    Open(Vec<Step>),
}

/// A step of an expression, over a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Pushes a constant.
    Constant(u64),
    /// Pushes a reference to a function.
    Function(Function),
    /// Pushes the value of a global.
    Global(Global),
    /// Pops two operands and pushes the result of an operator without a trap.
    Binary(Op),
}

impl Constant {
    /// Reads an expression in which some globals may be used.
    pub fn read(expr: &ConstExpr, globals: &TypedVec<Global, GlobalDecl>) -> Result<Constant, Error> {
        let malformed = |error: wasmparser::Error| Error::invalid(error.offset(), error.message());
        let mut steps = Vec::new();
        for operator in expr.get_operators_reader().into_iter_with_offsets() {
            let (operator, offset) = operator.map_err(malformed)?;
            steps.push(match operator {
                Operator::I32Const { value } => Step::Constant(u64::from(value as u32)),
                Operator::I64Const { value } => Step::Constant(value as u64),
                Operator::F32Const { value } => Step::Constant(u64::from(value.bits())),
                Operator::F64Const { value } => Step::Constant(value.bits()),
                Operator::RefNull { .. } => Step::Constant(0),
                Operator::RefFunc { function_index } => Step::Function(Function(function_index)),
                Operator::GlobalGet { global_index } => Step::Global(Global(global_index)),
                Operator::I32Add => Step::Binary(Op::Add32),
                Operator::I32Sub => Step::Binary(Op::Sub32),
                Operator::I32Mul => Step::Binary(Op::Mul32),
                Operator::I64Add => Step::Binary(Op::Add64),
                Operator::I64Sub => Step::Binary(Op::Sub64),
                Operator::I64Mul => Step::Binary(Op::Mul64),
                Operator::End => continue,
                _ => {
                    let message = "only constant expressions over numbers are supported as initial values";
                    return Err(Error::unsupported(offset, message, REMEDY));
                }
            });
        }
        let mut constant = Constant::Open(steps);
        constant.close(globals);
        Ok(constant)
    }

    /// The value of an imported global.
    pub(super) fn unknown(global: Global) -> Constant {
        Constant::Open(vec![Step::Global(global)])
    }

    /// Makes it a value if the globals that it depends on have one.
    pub fn close(&mut self, globals: &TypedVec<Global, GlobalDecl>) {
        let Constant::Open(steps) = self else { return };
        // No operator is on references.
        let function = match steps[..] {
            [Step::Function(function)] => Some(function),
            [Step::Global(global)] => globals.get(global).and_then(|global| global.initial.function()),
            _ => None,
        };
        if let Some(function) = function {
            *self = Constant::Function(function);
            return;
        }
        let mut stack: Vec<u64> = Vec::new();
        for step in steps {
            let pushed = match *step {
                Step::Constant(bits) => bits,
                Step::Function(_) => return,
                Step::Global(global) => match globals.get(global).map(|global| &global.initial) {
                    Some(Constant::Value(bits)) => *bits,
                    Some(Constant::Open(_) | Constant::Function(_)) | None => return,
                },
                Step::Binary(op) => {
                    let operands = stack.split_off(stack.len().saturating_sub(2));
                    eval::run(op, &operands).expect("validation gives an operator its operands")
                }
            };
            stack.push(pushed);
        }
        *self = Constant::Value(stack.pop().expect("validation gives an expression a value"));
    }

    /// The value, which linking has made known.
    pub fn value(&self) -> u64 {
        match self {
            Constant::Value(bits) => *bits,
            Constant::Function(function) => unreachable!("a reference to {function} is no number"),
            Constant::Open(_) => unreachable!("a module is compiled when all that it imports is bound"),
        }
    }

    /// The function that it refers to.
    pub fn function(&self) -> Option<Function> {
        match self {
            Constant::Function(function) => Some(*function),
            Constant::Value(_) | Constant::Open(_) => None,
        }
    }

    /// Follows the globals and functions that it depends on to other indices.
    pub(super) fn reindex(&mut self, (globals, functions): (&[Global], &[Function])) {
        let steps = match self {
            Constant::Value(_) => return,
            Constant::Function(function) => return *function = functions[function.0 as usize],
            Constant::Open(steps) => steps,
        };
        for step in steps {
            match step {
                Step::Global(global) => *global = globals[global.0 as usize],
                Step::Function(function) => *function = functions[function.0 as usize],
                Step::Constant(_) | Step::Binary(_) => {}
            }
        }
    }
}
