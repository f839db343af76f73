//! Random modules and the oracles that judge them.

pub mod generate;
pub mod oracle;
