//! What the semantics asks of whoever runs it: values, and the state beside locals and stack.
//!
//! Ensures: memories and tables exist; an access lies within the memory's length and a table
//! index within the table, as [`super::sem`] has checked both before it asks.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::domain::{Decide, Domain};
use crate::hints::Sort;

#[cfg(doc)]
use super::module::Module;

/// How many bytes an access moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Half,
    /// Four bytes.
    Word,
}

impl Width {
    /// The number of bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }
}

/// A value on the stack, in a local or in a global.
pub enum Value<D: Domain + ?Sized> {
    /// An `i32`, the bits of an `f32`, or a reference.
    W32(D::W32),
    /// An `i64`, or the bits of an `f64`.
    W64(D::W64),
}

impl<D: Domain + ?Sized> Clone for Value<D> {
    fn clone(&self) -> Self {
        match self {
            Value::W32(word) => Value::W32(word.clone()),
            Value::W64(word) => Value::W64(word.clone()),
        }
    }
}

impl<D: Domain + ?Sized> Value<D> {
    /// Its width.
    pub fn sort(&self) -> Sort {
        match self {
            Value::W32(_) => Sort::W32,
            Value::W64(_) => Sort::W64,
        }
    }
}

/// What a function sees beside its locals and its stack.
pub trait World: Decide {
    /// Why a step cannot be taken, in words.
    fn refuse(&mut self, reason: String) -> Self::Stop;

    /// Reads bytes of linear memory that lie within its length, little-endian, zero-extended.
    fn load(&mut self, memory: u32, at: &Self::W32, width: Width) -> Result<Self::W32, Self::Stop>;
    /// Writes the low bytes of a word to linear memory, within its length.
    fn store(&mut self, memory: u32, at: &Self::W32, width: Width, value: &Self::W32) -> Result<(), Self::Stop>;
    /// The memory's length in bytes, a multiple of the page size.
    fn memory_bytes(&mut self, memory: u32) -> Self::W32;
    /// Sets the memory's length in bytes; bytes between the old and the new length are zero.
    fn set_memory_bytes(&mut self, memory: u32, bytes: &Self::W32);
    /// The most pages the memory may grow to under the policy; at least its present length.
    fn reserve_pages(&mut self, memory: u32) -> u32;

    /// The value of a global.
    fn global_get(&mut self, global: u32) -> Value<Self>;
    /// Sets a global.
    fn global_set(&mut self, global: u32, value: &Value<Self>);

    /// The number of entries of a table.
    fn table_size(&mut self, table: u32) -> Self::W32;
    /// Sets the number of entries of a table; entries between the old and the new number are null.
    fn set_table_size(&mut self, table: u32, entries: &Self::W32);
    /// The most entries the table may grow to under the policy; at least its present number.
    fn table_reserve(&mut self, table: u32) -> u32;
    /// The reference at an index within a table.
    fn table_get(&mut self, table: u32, index: &Self::W32) -> Result<Self::W32, Self::Stop>;
    /// Sets the reference at an index within a table.
    fn table_set(&mut self, table: u32, index: &Self::W32, reference: &Self::W32) -> Result<(), Self::Stop>;

    /// A reference to a function, which is not null. The null reference is 0.
    fn function_reference(&mut self, function: u32) -> Result<Self::W32, Self::Stop>;
    /// The type id of the function that a reference names, as [`Module::type_id`]. It is not null.
    fn reference_type(&mut self, reference: &Self::W32) -> Result<Self::W32, Self::Stop>;
    /// What identifies the function that a reference names. It is not null.
    fn reference_code(&mut self, reference: &Self::W32) -> Result<Self::W32, Self::Stop>;

    /// How many of the ascending `ends` are at most the index: which of the intervals that they end it
    /// lies in.
    fn enumerate(&mut self, index: &Self::W32, ends: &[u32]) -> Result<usize, Self::Stop>;
}
