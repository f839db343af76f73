//! From allocated code to bytes.
//!
//! Requires: what `alloc` ensures.
//! Ensures: code that is position-independent but for its relocations, with a label for every
//! instruction, and the relation between machine and Wasm at every place where ways meet.
//!
//! | file | holds |
//! |---|---|
//! | `machine` | one Thumb-2 instruction |
//! | `encode` | its bytes; their number is the only size there is |
//! | `float` | the same of the floating-point unit |
//! | `line` | code before it has addresses |
//! | `layout` | the order of blocks |
//! | `frame` | prologue, epilogue, places in the frame |
//! | `roots` | which values the relation leaves unknown |
//! | `constant` | the shortest form of constants |
//! | `expand` | items as instructions |
//! | `relax` | forms of branches, places of literals |
//! | `islands` | trap tails moved to where short branches reach them |
//! | `assemble` | bytes, labels, relocations |
//! | `relation` | cuts and joins |
//! | `text` | printing |

use std::fmt;

use synth_verify::hints::FunctionHints;

use crate::alloc::Allocated;
use crate::target::Isa;
use crate::vcode::Func;

pub mod assemble;
pub mod constant;
pub mod encode;
pub mod expand;
pub mod float;
pub mod frame;
pub mod islands;
pub mod layout;
pub mod line;
pub mod machine;
pub mod relation;
pub mod relax;
pub mod roots;
pub mod text;

pub use assemble::{FrameRow, Relocation, RelocationKind};

use self::expand::Stubs;
use self::relax::OutOfReach;

/// The code of one function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emitted {
    /// The bytes; to be placed at a multiple of 4.
    pub code: Vec<u8>,
    /// By ascending offset.
    pub relocations: Vec<Relocation>,
    /// For the validator.
    pub hints: FunctionHints,
    /// For unwinders, by ascending offset.
    pub frame_rows: Vec<FrameRow>,
}

/// Why a function cannot be emitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooBig {
    /// Its code exceeds what branches reach.
    Code,
    /// The stack that it has to find free exceeds what Armv6-M checks for.
    Stack,
}

/// Most stack that a check on Armv6-M adds to the limit, by instructions that add a byte.
const CHECKED_BYTES_MAX: u32 = 1 << 16;

/// Emits a function. `need`, if given, is the stack in bytes that the prologue has to find free.
pub fn run(func: &Func, allocated: &Allocated, need: Option<u32>) -> Result<Emitted, TooBig> {
    let checked = need.map(|need| frame::checked_bytes(allocated.isa, need));
    if allocated.isa == Isa::V6M && checked > Some(CHECKED_BYTES_MAX) {
        return Err(TooBig::Stack);
    }
    let attempt = |stubs: Stubs| {
        let pieces = expand::run(allocated, checked, stubs);
        islands::run(pieces)
    };
    let (pieces, placed) = match attempt(Stubs::Backward) {
        Err(OutOfReach::Table) => attempt(Stubs::All),
        other => other,
    }
    .map_err(|_| TooBig::Code)?;
    let assembled = assemble::run(&pieces, &placed);
    let hints = relation::run((func, allocated), (&pieces, &assembled), checked);
    Ok(Emitted { code: assembled.code, relocations: assembled.relocations, hints, frame_rows: assembled.frame_rows })
}

impl fmt::Display for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts = self.hints.labels.iter().map(|label| label.at as usize);
        let ends = starts.clone().skip(1).chain([self.code.len()]);
        for (from, to) in starts.zip(ends) {
            write!(f, "{from:6x}:")?;
            for half in self.code[from..to].chunks(2) {
                write!(f, " {:02x}{:02x}", half[1], half[0])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
