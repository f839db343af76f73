//! The intermediate representation: a function in SSA form with block parameters.

pub mod func;
pub mod op;

pub use func::{
    Block, BlockData, Def, ENTRY, Frame, Func, Inst, InstData, Liveness, Place, Replacements,
    Signature, Target, Terminator, Value, ValueData,
};
pub use op::{Access, Effect, Function, Global, Memory, Op, Sig, State, Table, Type};
pub use synth_verify::trap::Trap;
