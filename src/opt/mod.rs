//! Makes functions smaller and faster, one pass after the other.
//!
//! Requires: well-formed functions. Ensures: well-formed functions with the same behaviour, traps
//! included, whose frames still tell the Wasm state.

mod checks;
mod control;
mod dce;
mod fold;
mod gvn;
mod params;
mod rules;

use crate::config::{Config, OptLevel};
use crate::ir::func::Func;

/// A step from a function to a better one.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its name.
    pub name: &'static str,
    /// The lowest level at which it runs.
    pub from: OptLevel,
    /// Changes the function.
    pub run: fn(&mut Func),
}

/// Every pass, in order.
///
/// `params` comes first because the translator hands every live local to every join. `dce` comes
/// last because it alone knows which values only frames use; at every level it must run.
pub const PASSES: &[Pass] = &[
    Pass { name: "params", from: OptLevel::O0, run: params::run },
    Pass { name: "fold", from: OptLevel::O1, run: fold::run },
    Pass { name: "control", from: OptLevel::O1, run: control::run },
    Pass { name: "params", from: OptLevel::O1, run: params::run },
    Pass { name: "gvn", from: OptLevel::O1, run: gvn::run },
    Pass { name: "fold", from: OptLevel::O1, run: fold::run },
    Pass { name: "gvn", from: OptLevel::O1, run: gvn::run },
    Pass { name: "checks", from: OptLevel::O1, run: checks::run },
    Pass { name: "control", from: OptLevel::O1, run: control::run },
    Pass { name: "params", from: OptLevel::O1, run: params::run },
    Pass { name: "dce", from: OptLevel::O0, run: dce::run },
];

/// Runs the passes of the level. `tap` sees the function after each.
pub fn run(func: &mut Func, config: &Config, mut tap: impl FnMut(&Pass, &Func)) {
    for pass in PASSES.iter().filter(|pass| pass.from <= config.opt_level) {
        (pass.run)(func);
        tap(pass, func);
    }
}
