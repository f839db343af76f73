//! Registers and sets of them.

use crate::hints::Location;

/// A register of one word: r0 to r15 have the numbers 0 to 15, s0 to s31 of the floating-point unit 16 to 47.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Reg(u8);

impl Reg {
    /// First argument and result.
    pub const R0: Reg = Reg(0);
    /// Second argument, high word of a result.
    pub const R1: Reg = Reg(1);
    /// The scratch register of procedure calls, r12.
    pub const IP: Reg = Reg(12);
    /// The stack pointer, r13.
    pub const SP: Reg = Reg(13);
    /// The link register, r14.
    pub const LR: Reg = Reg(14);
    /// The program counter, r15. No instruction value has it as an ordinary operand, except as
    /// the target of a load and as the base of a table branch.
    pub const PC: Reg = Reg(15);

    /// How many registers there are.
    pub const COUNT: usize = 48;

    /// The register with this number, if there is one.
    pub const fn new(number: u8) -> Option<Reg> {
        if (number as usize) < Reg::COUNT { Some(Reg(number)) } else { None }
    }

    /// The register of the floating-point unit named by the low five bits of a number: s0 to s31.
    pub const fn single(number: u8) -> Reg {
        Reg(16 + (number & 31))
    }

    /// The register named by the low four bits of an encoding field.
    pub(super) const fn field(bits: u32) -> Reg {
        Reg((bits & 15) as u8)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Where it is in hints.
    pub const fn location(self) -> Location {
        match self.0.checked_sub(16) {
            None => Location::Core(self.0),
            Some(single) => Location::Single(single),
        }
    }
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct RegSet(u64);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);

    /// The set whose bit n stands for register n.
    pub const fn from_bits(bits: u64) -> RegSet {
        RegSet(bits)
    }

    /// Bit n is set if register n is in the set.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set with one more register.
    #[must_use]
    pub fn with(self, register: Reg) -> RegSet {
        RegSet(self.0 | 1 << register.0)
    }

    /// The registers of both sets.
    #[must_use]
    pub fn union(self, other: RegSet) -> RegSet {
        RegSet(self.0 | other.0)
    }

    /// Whether the register is in the set.
    pub fn contains(self, register: Reg) -> bool {
        self.0 >> register.0 & 1 == 1
    }

    /// How many registers it has.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The registers, lowest first.
    pub fn iter(self) -> impl Iterator<Item = Reg> {
        (0..Reg::COUNT as u8).map(Reg).filter(move |register| self.contains(*register))
    }
}

impl FromIterator<Reg> for RegSet {
    fn from_iter<T: IntoIterator<Item = Reg>>(registers: T) -> RegSet {
        registers.into_iter().fold(RegSet::EMPTY, RegSet::with)
    }
}
