//! The types of WebAssembly, as modules declare them, and as bits in SSA.

use crate::ir::func::{Passed, Signature};
use crate::ir::op::Type;

/// The type of a value (core spec, 2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ValueType {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A binary32 number.
    F32,
    /// A binary64 number.
    F64,
    /// A reference to a function: the address of its descriptor, or 0.
    FuncRef,
    /// A reference to something of the host: a word that it chose, or 0.
    ExternRef,
}

impl ValueType {
    /// What SSA has in its place: its bits.
    pub fn carrier(self) -> Type {
        match self {
            ValueType::I32 | ValueType::F32 | ValueType::FuncRef | ValueType::ExternRef => Type::I32,
            ValueType::I64 | ValueType::F64 => Type::I64,
        }
    }

    /// What a call hands over of it.
    pub fn passed(self) -> Passed {
        match self {
            ValueType::F32 => Passed::F32,
            ValueType::F64 => Passed::F64,
            ValueType::I32 | ValueType::I64 | ValueType::FuncRef | ValueType::ExternRef => self.carrier().into(),
        }
    }
}

/// The type of a function. What calls and blocks hand over is its [`signature`](Self::signature);
/// the type itself is what the type ids of tables tell apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct FunctionType {
    /// Types of the parameters.
    pub params: Vec<ValueType>,
    /// Types of the results.
    pub results: Vec<ValueType>,
}

impl FunctionType {
    /// The bits that it hands over.
    pub fn signature(&self) -> Signature {
        let passed = |types: &[ValueType]| types.iter().map(|ty| ty.passed()).collect();
        Signature { params: passed(&self.params), results: passed(&self.results) }
    }
}
