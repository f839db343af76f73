//! Constant expressions: initial values, and where segments begin (core spec, 3.3.10).
//!
//! Ensures: an expression over constants and known globals is a value as soon as it is read; one over
//! imported globals is when they are bound.

use wasmparser::{ConstExpr, Operator};

use super::module::GlobalDecl;
use crate::entity::TypedVec;
use crate::error::Error;
use crate::ir::eval;
use crate::ir::op::{Global, Op};

/// What a user can do about an operator that is missing here.
const REMEDY: &str = "use constants, their sums, differences and products, and global.get";

/// The value of a constant expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constant {
    /// It is known. An `i32` is zero-extended.
    Value(u64),
    /// It depends on imported globals.
    Open(Vec<Step>),
}

/// A step of an expression, over a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Pushes a constant.
    Constant(u64),
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
        let mut stack: Vec<u64> = Vec::new();
        for step in steps {
            let pushed = match *step {
                Step::Constant(bits) => bits,
                Step::Global(global) => match globals.get(global).map(|global| &global.initial) {
                    Some(Constant::Value(bits)) => *bits,
                    Some(Constant::Open(_)) | None => return,
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
            Constant::Open(_) => unreachable!("a module is compiled when all that it imports is bound"),
        }
    }

    /// Follows the globals that it depends on to other indices.
    pub(super) fn reindex(&mut self, globals: &[Global]) {
        let Constant::Open(steps) = self else { return };
        for step in steps {
            if let Step::Global(global) = step {
                *global = globals[global.0 as usize];
            }
        }
    }
}
