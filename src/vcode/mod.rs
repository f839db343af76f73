//! Machine-level data: Thumb-2 instructions over virtual or physical registers.
//!
//! | file | holds |
//! |---|---|
//! | `entity` | index newtypes |
//! | `reg` | physical registers and sets of them |
//! | `imm` | immediates that exist only if they encode |
//! | `inst`, `float` | instructions and terminators, generic over the register type |
//! | `operands` | the one table of uses, definitions, fixed and tied registers, clobbers and flags |
//! | `abi` | where AAPCS puts arguments and results |
//! | `func` | functions, blocks, and what the hints need to know about values |
//! | `text` | printing |
//! | `check` | well-formedness, run between stages in debug builds |

pub mod abi;
pub mod check;
pub mod entity;
pub mod float;
pub mod func;
pub mod imm;
pub mod inst;
pub mod operands;
pub mod reg;
pub mod text;

pub use entity::{Block, Slot, TypedVec, VReg, Value};
pub use func::{BlockData, Func, Node, Origin};
pub use inst::{Edge, Inst, Terminator};
pub use reg::{Bank, PReg, RegClass, RegSet};
