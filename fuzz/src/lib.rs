//! Random modules and the oracles that judge them.
