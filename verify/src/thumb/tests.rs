//! Tests of the machine side that run the semantics on plain integers.

mod agree;
mod flags;
mod forms;
mod operands;
mod plain;
mod step;
