//! Register allocation.

pub mod allocated;

pub use allocated::{Allocated, AllocatedBlock, Frame, Item, Place, Stats};
