//! Physical core registers and sets of them.
//!
//! r12 is never allocated: it breaks cycles of parallel moves and holds addresses beyond the
//! immediate range. LR is allocated like a register that calls clobber and the prologue saves.

use std::fmt;

use crate::target::Isa;

/// A core register, r0 to r15.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PReg(u8);

impl PReg {
    /// First argument and result register.
    pub const R0: PReg = PReg(0);
    /// Second argument and result register.
    pub const R1: PReg = PReg(1);
    /// Third argument register.
    pub const R2: PReg = PReg(2);
    /// Fourth argument register.
    pub const R3: PReg = PReg(3);
    /// The scratch register, r12.
    pub const SCRATCH: PReg = PReg(12);
    /// The stack pointer, r13.
    pub const SP: PReg = PReg(13);
    /// The link register, r14.
    pub const LR: PReg = PReg(14);
    /// The program counter, r15.
    pub const PC: PReg = PReg(15);

    /// Register `number`.
    ///
    /// Panics if `number` is 16 or more.
    pub const fn new(number: u8) -> PReg {
        assert!(number < 16);
        PReg(number)
    }

    /// Its number, 0 to 15.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether most 16-bit encodings can name it (r0 to r7).
    pub const fn is_low(self) -> bool {
        self.0 < 8
    }
}

impl fmt::Display for PReg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            13 => f.write_str("sp"),
            14 => f.write_str("lr"),
            15 => f.write_str("pc"),
            number => write!(f, "r{number}"),
        }
    }
}

impl fmt::Debug for PReg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of core registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegSet(u16);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);
    /// What the allocator may hand out where every instruction takes any register: r0 to r11 and LR.
    pub const ALLOCABLE: RegSet = RegSet(0x4fff);
    /// What a call destroys (AAPCS, 6.1.1): r0 to r3, r12, LR.
    pub const CLOBBERED: RegSet = RegSet(0x500f);
    /// What a function must preserve (AAPCS, 6.1.1): r4 to r11.
    pub const PRESERVED: RegSet = RegSet(0x0ff0);
    /// r0 to r7.
    pub const LOW: RegSet = RegSet(0x00ff);

    /// What the allocator may hand out.
    pub const fn allocable(isa: Isa) -> RegSet {
        match isa {
            Isa::V6M => RegSet::LOW,
            Isa::V7M => RegSet::ALLOCABLE,
        }
    }

    /// The set with these bits.
    pub const fn from_bits(bits: u16) -> RegSet {
        RegSet(bits)
    }

    /// Bit n set: register n is in.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set of one register.
    pub const fn one(reg: PReg) -> RegSet {
        RegSet(1 << reg.0)
    }

    /// Whether `reg` is in.
    pub const fn contains(self, reg: PReg) -> bool {
        self.0 >> reg.0 & 1 == 1
    }

    /// Adds `reg`.
    pub fn insert(&mut self, reg: PReg) {
        self.0 |= 1 << reg.0;
    }

    /// Removes `reg`.
    pub fn remove(&mut self, reg: PReg) {
        self.0 &= !(1 << reg.0);
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: RegSet) -> RegSet {
        RegSet(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: RegSet) -> RegSet {
        RegSet(self.0 & other.0)
    }

    /// What is in `self` and not in `other`.
    #[must_use]
    pub const fn minus(self, other: RegSet) -> RegSet {
        RegSet(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The lowest, if any.
    pub fn first(self) -> Option<PReg> {
        self.iter().next()
    }

    /// The registers, ascending.
    pub fn iter(self) -> impl Iterator<Item = PReg> {
        (0..16).filter(move |number| self.0 >> number & 1 == 1).map(PReg)
    }
}

impl FromIterator<PReg> for RegSet {
    fn from_iter<A: IntoIterator<Item = PReg>>(regs: A) -> Self {
        regs.into_iter().fold(RegSet::EMPTY, |set, reg| set.union(RegSet::one(reg)))
    }
}

impl fmt::Debug for RegSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
