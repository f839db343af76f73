//! Any function is allocated, and does what it did: by a checker of its own, and beside another allocator.

use synth::alloc;
use synth::vcode::{self, RegSet};

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
    let spills = regalloc::spills(&func).unwrap_or_else(|why| panic!("{why}\n{func}"));
    let (ours, saved) = (allocated.stats.spilled, allocated.frame.saved.intersection(RegSet::PRESERVED).iter().count());
    // A slot instead of one more register of the caller's to save costs the same.
    let needed = spills.slots > 0 || spills.saved > saved;
    assert!(needed || ours == 0, "{ours} spilled where none need be\n{func}\n{allocated}");
}
