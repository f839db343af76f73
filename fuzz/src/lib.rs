//! Random modules and the oracles that judge them.

pub mod agree;
pub mod broken;
pub mod choices;
pub mod damage;
pub mod generate;
pub mod oracle;
pub mod smith;
