//! Random modules, random damage, and the oracles that judge what comes of them.

pub mod agree;
pub mod allocation;
pub mod broken;
pub mod change;
pub mod choices;
pub mod damage;
pub mod fidelity;
pub mod functions;
pub mod generate;
pub mod judge;
pub mod machine;
pub mod mutants;
pub mod oracle;
pub mod regalloc;
pub mod smith;
pub mod subjects;
pub mod target;
