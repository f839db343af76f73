//! The index types of machine-level code.

use crate::entity;

pub use crate::entity::{Entity, TypedVec};
pub use crate::ir::func::Value;

entity! {
    /// A basic block of a function.
    Block, "block";
    /// A virtual register: one name for one 32-bit value.
    VReg, "v";
    /// A word of the spill area.
    Slot, "slot";
}
