//! The validator's models of the machine against what others made: its decoder against disassemblers, the meaning of
//! instructions against QEMU. The tables are those of `docs/fidelity.md`.

pub mod case;
pub mod decode;
pub mod machine;
pub mod profile;
pub mod report;
pub mod sample;
pub mod semantics;
pub mod text;
#[path = "../../verify/tests/support/tools.rs"]
pub mod tools;
