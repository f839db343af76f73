//! The intermediate representation: a function in SSA form with block parameters.

pub mod cfg;
pub mod check;
pub mod dom;
pub mod eval;
pub mod float;
pub mod func;
pub mod loops;
pub mod op;
pub mod text;

pub use crate::trap::Trap;
pub use func::{
    Block, BlockData, Callee, Def, ENTRY, Frame, Func, Inst, InstData, Liveness, Passed, Place, Replacements,
    Signature, Target, Terminator, Value, ValueData,
};
pub use op::{Access, Effect, Function, Global, Memory, Op, Sig, State, Table, Type};
