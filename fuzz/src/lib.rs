//! Random modules and the oracles that judge them.

pub mod agree;
pub mod choices;
pub mod damage;
pub mod generate;
pub mod judge;
pub mod mutants;
pub mod oracle;
pub mod smith;
