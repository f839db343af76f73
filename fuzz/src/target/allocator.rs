//! Any function is allocated, and does what it did: by a checker of its own, and beside another allocator.

use synth::alloc;
use synth::vcode;

use crate::choices::Choices;
use crate::{allocation, functions, regalloc};

/// Allocates the function that the bytes make.
pub fn run(bytes: &[u8]) {
    let func = functions::function(&mut Choices::new(bytes));
    vcode::check::check(&func).unwrap_or_else(|why| panic!("{why}\n{func}"));
    let allocated = alloc::run(&func);
    if let Err(why) = allocation::check(&func, &allocated) {
        panic!("{why}\n{func}\n{allocated}");
    }
    let others = regalloc::spills(&func).unwrap_or_else(|why| panic!("{why}\n{func}"));
    let ours = (allocated.stats.spills + allocated.stats.reloads) as usize;
    // A slot may stand for a register to save.
    let theirs = others.moves + 2 * others.saved;
    assert!(ours <= theirs, "{ours} stores and loads, {theirs} of the other\n{func}\n{allocated}");
}
