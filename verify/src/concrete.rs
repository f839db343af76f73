//! Runs on concrete values: both semantics as interpreters, and instantiation.
//!
//! Nothing here proves anything about all inputs. Instantiation and startup have no input, so one
//! run is a proof of them; for everything else a run can only refute.

pub mod bound;
pub mod init;
pub mod instantiate;
pub mod load;
pub mod region;
pub mod thumb_run;
pub mod trace;
pub mod wasm_run;
pub mod word;
