//! Allocation keeps what functions do: random and handwritten functions run before and after.

mod cases;
mod generate;
mod interpret;
mod moves;
mod mutate;
mod plan;

use super::allocated::Allocated;
use crate::target::Isa;
use crate::vcode::Func;

/// Allocates a function for each instruction set, and compares the runs on a few arguments. The one for
/// Armv7-M comes back.
fn check(func: &Func) -> Allocated {
    check_one(&Func { isa: Isa::V6M, ..func.clone() });
    check_one(func)
}

fn check_one(func: &Func) -> Allocated {
    crate::vcode::check::check(func).unwrap_or_else(|e| panic!("{e}\n{func}"));
    let allocated = super::run(func);
    for seed in 1..5 {
        let before = interpret::run_virtual(func, seed);
        let after = interpret::run_allocated(&allocated, seed);
        assert_eq!(before, after, "seed {seed}\n{func}\n{allocated}");
    }
    allocated
}
