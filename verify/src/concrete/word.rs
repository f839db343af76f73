//! Concrete words: integers, addresses inside regions whose place is not known yet, and poison.
//!
//! Ensures: an operator on integers is that of [`crate::term::value`]; on an address it is exact
//! or poison, never a guess about where the region lies. Poison spreads, and stops the run where
//! it is decided on.
//!
//! Poison is what a register or a byte holds that nobody has given a value: at a function's entry,
//! below SP, and in RAM at reset. As far as a region is aligned, the low bits of an
//! address are those of its offset.

use std::fmt;

use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::float::Float;
use crate::term::value;
use crate::thumb::inst::Width;

/// A region by its index in a [`Memory`](super::region::Memory).
pub type RegionIndex = u32;

/// A 32-bit word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Word {
    /// An integer.
    Int(u32),
    /// The address of a byte of a region, or near it.
    Pointer {
        /// The region.
        region: RegionIndex,
        /// The byte, modulo 2^32.
        offset: u32,
    },
    /// The low 16 bits of such an address: what MOVW leaves before MOVT completes it.
    Low {
        /// The region.
        region: RegionIndex,
        /// The byte, modulo 2^32.
        offset: u32,
    },
    /// Not known.
    Poison,
}

impl Word {
    /// The integer, if it is one.
    pub fn as_int(self) -> Option<u32> {
        match self {
            Word::Int(value) => Some(value),
            Word::Pointer { .. } | Word::Low { .. } | Word::Poison => None,
        }
    }

    /// Whether it is known what its low bytes are: an integer, or an address as a whole.
    pub fn is_known(self, width: Width) -> bool {
        match self {
            Word::Int(_) => true,
            Word::Pointer { .. } => width == Width::Word,
            Word::Low { .. } | Word::Poison => false,
        }
    }

    /// The word with a number added.
    #[must_use]
    pub fn plus(self, number: u32) -> Word {
        bin32(Bin32::Add, self, Word::Int(number), |_| Extent::ANYWHERE)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Int(value) => write!(f, "{value:#x}"),
            Word::Pointer { region, offset } => write!(f, "region {region} + {offset:#x}"),
            Word::Low { region, offset } => write!(f, "low half of region {region} + {offset:#x}"),
            Word::Poison => f.write_str("poison"),
        }
    }
}

/// A 64-bit word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wide {
    /// Bits 63:32.
    pub high: Word,
    /// Bits 31:0.
    pub low: Word,
}

impl Wide {
    /// An integer.
    pub fn int(value: u64) -> Wide {
        Wide { high: Word::Int((value >> 32) as u32), low: Word::Int(value as u32) }
    }

    /// The integer, if it is one.
    pub fn as_int(self) -> Option<u64> {
        let (high, low) = (self.high.as_int()?, self.low.as_int()?);
        Some(u64::from(high) << 32 | u64::from(low))
    }

    const POISON: Wide = Wide { high: Word::Poison, low: Word::Poison };
}

/// A truth value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Truth {
    /// True or false.
    Known(bool),
    /// Not known.
    Poison,
}

/// Why a run cannot go on although no trap occurred.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// A decision depends on poison or on where a region lies.
    Undecided,
    /// The word is no address of a mapped byte for this access.
    Unmapped {
        /// The word.
        address: Word,
        /// What was asked of it.
        why: &'static str,
    },
    /// Anything else, in words.
    Other(String),
}

impl Fault {
    /// Whether the interpreter has no value where a processor has one, so that it cannot tell what comes of it.
    pub fn is_of_model(&self) -> bool {
        matches!(self, Fault::Undecided | Fault::Unmapped { address: Word::Poison | Word::Low { .. }, .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Undecided => f.write_str("a decision depends on a value that nobody has set"),
            Fault::Unmapped { address, why } => write!(f, "{why} at {address}"),
            Fault::Other(why) => f.write_str(why),
        }
    }
}

/// Marks the interpreters: they compute on [`Word`]s and decide at once.
pub trait Concrete {
    /// Whether a byte of a region is known not to be at 0: a reference to a function is not null.
    fn is_not_null(&self, _region: RegionIndex, _offset: u32) -> bool {
        false
    }

    /// What is known of the place of a region.
    fn extent(&self, _region: RegionIndex) -> Extent {
        Extent::ANYWHERE
    }
}

/// What is known of the place of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// A power of two of which its address is a multiple.
    pub align: u32,
    /// Its length: so many bytes from its address on do not wrap around.
    pub bytes: u32,
}

impl Extent {
    /// Nothing is known.
    pub const ANYWHERE: Extent = Extent { align: 1, bytes: 0 };
}

fn known(a: &Truth, b: &Truth, then: impl Fn(bool, bool) -> bool) -> Truth {
    match (a, b) {
        (Truth::Known(a), Truth::Known(b)) => Truth::Known(then(*a, *b)),
        (Truth::Poison, _) | (_, Truth::Poison) => Truth::Poison,
    }
}

impl<T: Concrete> Domain for T {
    type Bool = Truth;
    type W32 = Word;
    type W64 = Wide;

    fn bool(&mut self, value: bool) -> Truth {
        Truth::Known(value)
    }

    fn not(&mut self, a: &Truth) -> Truth {
        match a {
            Truth::Known(value) => Truth::Known(!value),
            Truth::Poison => Truth::Poison,
        }
    }

    fn and(&mut self, a: &Truth, b: &Truth) -> Truth {
        match (a, b) {
            (Truth::Known(false), _) | (_, Truth::Known(false)) => Truth::Known(false),
            (Truth::Known(true) | Truth::Poison, Truth::Known(true) | Truth::Poison) => known(a, b, |a, b| a && b),
        }
    }

    fn or(&mut self, a: &Truth, b: &Truth) -> Truth {
        match (a, b) {
            (Truth::Known(true), _) | (_, Truth::Known(true)) => Truth::Known(true),
            (Truth::Known(false) | Truth::Poison, Truth::Known(false) | Truth::Poison) => known(a, b, |a, b| a || b),
        }
    }

    fn ite_bool(&mut self, c: &Truth, a: &Truth, b: &Truth) -> Truth {
        match c {
            Truth::Known(true) => *a,
            Truth::Known(false) => *b,
            Truth::Poison => Truth::Poison,
        }
    }

    fn w32(&mut self, value: u32) -> Word {
        Word::Int(value)
    }

    fn un32(&mut self, op: Un32, a: &Word) -> Word {
        match a {
            Word::Int(a) => Word::Int(value::un32(op, *a)),
            Word::Pointer { .. } | Word::Low { .. } | Word::Poison => Word::Poison,
        }
    }

    fn bin32(&mut self, op: Bin32, a: &Word, b: &Word) -> Word {
        bin32(op, *a, *b, |region| self.extent(region))
    }

    fn cmp32(&mut self, op: Cmp, a: &Word, b: &Word) -> Truth {
        match (op, *a, *b) {
            (Cmp::Eq, Word::Pointer { region, offset }, Word::Int(0))
            | (Cmp::Eq, Word::Int(0), Word::Pointer { region, offset })
                if self.is_not_null(region, offset) =>
            {
                Truth::Known(false)
            }
            _ => cmp32(op, *a, *b, |region| self.extent(region)),
        }
    }

    fn ite32(&mut self, c: &Truth, a: &Word, b: &Word) -> Word {
        match c {
            Truth::Known(true) => *a,
            Truth::Known(false) => *b,
            Truth::Poison => Word::Poison,
        }
    }

    fn w64(&mut self, value: u64) -> Wide {
        Wide::int(value)
    }

    fn join(&mut self, high: &Word, low: &Word) -> Wide {
        Wide { high: *high, low: *low }
    }

    fn high(&mut self, a: &Wide) -> Word {
        a.high
    }

    fn low(&mut self, a: &Wide) -> Word {
        a.low
    }

    fn un64(&mut self, op: Un64, a: &Wide) -> Wide {
        a.as_int().map_or(Wide::POISON, |a| Wide::int(value::un64(op, a)))
    }

    fn bin64(&mut self, op: Bin64, a: &Wide, b: &Wide) -> Wide {
        match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => Wide::int(value::bin64(op, a, b)),
            (None, _) | (_, None) => Wide::POISON,
        }
    }

    fn cmp64(&mut self, op: Cmp, a: &Wide, b: &Wide) -> Truth {
        match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => Truth::Known(value::cmp64(op, a, b)),
            (None, _) | (_, None) => Truth::Poison,
        }
    }

    fn float(&mut self, op: Float, words: &[Word]) -> [Word; 2] {
        let known: Option<Vec<u32>> = words.iter().map(|word| word.as_int()).collect();
        known.map_or([Word::Poison; 2], |words| op.value(&words).map(Word::Int))
    }

    fn ite64(&mut self, c: &Truth, a: &Wide, b: &Wide) -> Wide {
        match c {
            Truth::Known(true) => *a,
            Truth::Known(false) => *b,
            Truth::Poison => Wide::POISON,
        }
    }
}

/// The decision of an interpreter.
pub fn decide(condition: &Truth) -> Result<bool, Fault> {
    match condition {
        Truth::Known(value) => Ok(*value),
        Truth::Poison => Err(Fault::Undecided),
    }
}

impl<T: Concrete> Decide for T {
    type Stop = Fault;

    fn decide(&mut self, condition: &Truth) -> Result<bool, Fault> {
        decide(condition)
    }
}

fn bin32(op: Bin32, a: Word, b: Word, extent: impl Fn(RegionIndex) -> Extent) -> Word {
    match (a, b) {
        (Word::Int(a), Word::Int(b)) => Word::Int(value::bin32(op, a, b)),
        (Word::Pointer { region, offset }, Word::Int(int)) => pointer_int(op, (region, offset), int, extent(region)),
        (Word::Int(int), Word::Pointer { region, offset }) => match op {
            Bin32::Add | Bin32::And | Bin32::Or | Bin32::Xor => pointer_int(op, (region, offset), int, extent(region)),
            Bin32::Sub
            | Bin32::Mul
            | Bin32::MulHighU
            | Bin32::MulHighS
            | Bin32::DivU
            | Bin32::DivS
            | Bin32::Shl
            | Bin32::ShrU
            | Bin32::ShrS
            | Bin32::RotR => Word::Poison,
        },
        (Word::Pointer { region: a, offset: from }, Word::Pointer { region: b, offset: what })
            if a == b && op == Bin32::Sub =>
        {
            Word::Int(from.wrapping_sub(what))
        }
        (Word::Pointer { .. }, Word::Pointer { .. })
        | (Word::Low { .. } | Word::Poison, _)
        | (_, Word::Low { .. } | Word::Poison) => Word::Poison,
    }
}

/// An address and an integer. Bits that the region's alignment makes known are computed on.
fn pointer_int(op: Bin32, (region, offset): (RegionIndex, u32), int: u32, extent: Extent) -> Word {
    // The low bits that an address shares with its offset.
    let shared = extent.align - 1;
    let at = |offset| Word::Pointer { region, offset };
    match op {
        Bin32::Add => at(offset.wrapping_add(int)),
        Bin32::Sub => at(offset.wrapping_sub(int)),
        Bin32::And if int <= shared => Word::Int(offset & int),
        Bin32::And if int >= !shared => at(offset & int),
        Bin32::Or if int <= shared => at(offset | int),
        Bin32::Xor if int <= shared => at(offset ^ int),
        Bin32::Shl | Bin32::ShrU | Bin32::ShrS | Bin32::RotR if int == 0 => at(offset),
        Bin32::Mul
        | Bin32::MulHighU
        | Bin32::MulHighS
        | Bin32::DivU
        | Bin32::DivS
        | Bin32::And
        | Bin32::Or
        | Bin32::Xor
        | Bin32::Shl
        | Bin32::ShrU
        | Bin32::ShrS
        | Bin32::RotR => Word::Poison,
    }
}

/// Offsets of one region compare as addresses do as far as the region reaches, as it does not wrap. Others stay
/// undecided.
fn cmp32(op: Cmp, a: Word, b: Word, extent: impl Fn(RegionIndex) -> Extent) -> Truth {
    match (a, b) {
        (Word::Int(a), Word::Int(b)) => Truth::Known(value::cmp32(op, a, b)),
        (Word::Pointer { region: a, offset: from }, Word::Pointer { region: b, offset: to }) if a == b => match op {
            Cmp::Eq => Truth::Known(from == to),
            Cmp::LtU if from.max(to) <= extent(a).bytes => Truth::Known(from < to),
            Cmp::LtU | Cmp::LtS => Truth::Poison,
        },
        (Word::Pointer { .. }, Word::Int(_) | Word::Pointer { .. })
        | (Word::Int(_), Word::Pointer { .. })
        | (Word::Low { .. } | Word::Poison, _)
        | (_, Word::Low { .. } | Word::Poison) => Truth::Poison,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine;
    impl Concrete for Machine {
        fn extent(&self, region: RegionIndex) -> Extent {
            if region == 2 { Extent { align: 8, bytes: 16 } } else { Extent::ANYWHERE }
        }
    }

    fn pointer(region: u32, offset: u32) -> Word {
        Word::Pointer { region, offset }
    }

    #[test]
    fn addresses_keep_their_region() {
        let mut m = Machine;
        let at = m.bin32(Bin32::Add, &Word::Int(4), &pointer(2, 8));
        assert_eq!(at, pointer(2, 12));
        assert_eq!(m.bin32(Bin32::Sub, &at, &pointer(2, 4)), Word::Int(8));
        assert_eq!(m.bin32(Bin32::Sub, &at, &pointer(3, 4)), Word::Poison);
        assert_eq!(m.bin32(Bin32::Sub, &Word::Int(4), &at), Word::Poison);
        assert_eq!(m.bin32(Bin32::And, &pointer(2, 13), &Word::Int(!7)), pointer(2, 8));
        assert_eq!(m.bin32(Bin32::And, &pointer(2, 13), &Word::Int(3)), Word::Int(1));
        assert_eq!(m.bin32(Bin32::And, &pointer(2, 13), &Word::Int(15)), Word::Poison);
        assert_eq!(m.bin32(Bin32::And, &pointer(3, 13), &Word::Int(1)), Word::Poison);
    }

    #[test]
    fn addresses_compare_as_far_as_their_region_reaches() {
        let mut m = Machine;
        assert_eq!(m.cmp32(Cmp::LtU, &pointer(2, 8), &pointer(2, 16)), Truth::Known(true));
        assert_eq!(m.cmp32(Cmp::LtU, &pointer(2, 8), &pointer(2, 17)), Truth::Poison);
        assert_eq!(m.cmp32(Cmp::LtU, &pointer(3, 0), &pointer(3, 1)), Truth::Poison);
    }

    #[test]
    fn poison_does_not_decide() {
        let mut m = Machine;
        let unknown = m.cmp32(Cmp::Eq, &Word::Poison, &Word::Poison);
        assert_eq!(m.decide(&unknown), Err(Fault::Undecided));
        assert_eq!(m.cmp32(Cmp::Eq, &pointer(1, 0), &Word::Int(0)), Truth::Poison);
        let certain = m.and(&unknown, &Truth::Known(false));
        assert_eq!(m.decide(&certain), Ok(false));
    }
}
