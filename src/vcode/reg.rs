//! Physical registers, sets of them, and classes of virtual ones.
//!
//! r12 is never allocated: it breaks cycles of parallel moves and holds addresses beyond the
//! immediate range. LR is allocated like a register that calls clobber and the prologue saves.
//! Of the floating-point unit d15 is what r12 is of the core. A binary32 number takes a whole double
//! register, in whose even half it is: then every number takes one register.

use std::fmt;

use crate::target::{FloatUnit, Isa};

/// Registers that one instruction chooses from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Bank {
    /// The core's.
    #[default]
    Core,
    /// The floating-point unit's.
    Float,
    /// Either, of an operand; no register is of this bank.
    Either,
}

impl Bank {
    /// The banks that registers are of.
    pub const ALL: [Bank; 2] = [Bank::Core, Bank::Float];

    /// The register that is never allocated.
    pub const fn scratch(self) -> PReg {
        match self {
            Bank::Core | Bank::Either => PReg::SCRATCH,
            Bank::Float => PReg::FLOAT_SCRATCH,
        }
    }
}

/// What a virtual register is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum RegClass {
    /// A word in a core register.
    #[default]
    Core,
    /// A word in a register of the floating-point unit.
    Single,
    /// Two words in a register of the floating-point unit.
    Double,
}

impl RegClass {
    /// The registers that it may be in.
    pub fn bank(self) -> Bank {
        match self {
            RegClass::Core => Bank::Core,
            RegClass::Single | RegClass::Double => Bank::Float,
        }
    }

    /// How many words it is.
    pub fn words(self) -> u32 {
        match self {
            RegClass::Core | RegClass::Single => 1,
            RegClass::Double => 2,
        }
    }
}

/// A register: r0 to r15 by number, then d0 to d15.
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

    /// The scratch register of the floating-point unit, d15.
    pub const FLOAT_SCRATCH: PReg = PReg(31);

    /// Core register `number`.
    ///
    /// Panics if `number` is 16 or more.
    pub const fn new(number: u8) -> PReg {
        assert!(number < 16);
        PReg(number)
    }

    /// Double register `number`.
    ///
    /// Panics if `number` is 16 or more.
    pub const fn double(number: u8) -> PReg {
        assert!(number < 16);
        PReg(16 + number)
    }

    /// Its number in its bank, 0 to 15.
    pub const fn number(self) -> u8 {
        self.0 % 16
    }

    /// Its number among the registers of all banks.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The bank that it is of.
    pub const fn bank(self) -> Bank {
        if self.0 < 16 { Bank::Core } else { Bank::Float }
    }

    /// Whether most 16-bit encodings can name it (r0 to r7).
    pub const fn is_low(self) -> bool {
        self.0 < 8
    }
}

impl fmt::Display for PReg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            16.. => write!(f, "d{}", self.number()),
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

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegSet(u32);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);
    /// The core's registers.
    pub const CORE: RegSet = RegSet(0xffff);
    /// What the allocator may hand out where every instruction takes any register: r0 to r11 and LR, d0 to d14.
    pub const ALLOCABLE: RegSet = RegSet(0x7fff_4fff);
    /// What a call destroys (AAPCS, 6.1.1 and 6.1.2): r0 to r3, r12, LR, d0 to d7.
    pub const CLOBBERED: RegSet = RegSet(0x00ff_500f);
    /// What a function must preserve (AAPCS, 6.1.1 and 6.1.2): r4 to r11, d8 to d15.
    pub const PRESERVED: RegSet = RegSet(0xff00_0ff0);
    /// r0 to r7.
    pub const LOW: RegSet = RegSet(0x00ff);

    /// What the allocator may hand out in a bank.
    pub const fn allocable((isa, float): (Isa, FloatUnit), bank: Bank) -> RegSet {
        match (bank, isa, float) {
            (Bank::Core | Bank::Either, Isa::V6M, _) => RegSet::LOW,
            (Bank::Core | Bank::Either, Isa::V7M, _) => RegSet::ALLOCABLE.core(),
            (Bank::Float, _, FloatUnit::None) => RegSet::EMPTY,
            (Bank::Float, ..) => RegSet::ALLOCABLE.minus(RegSet::CORE),
        }
    }

    /// Those of the core.
    #[must_use]
    pub const fn core(self) -> RegSet {
        self.intersection(RegSet::CORE)
    }

    /// Those of the floating-point unit.
    #[must_use]
    pub const fn floats(self) -> RegSet {
        self.minus(RegSet::CORE)
    }

    /// The set of core registers with these bits.
    pub const fn from_bits(bits: u16) -> RegSet {
        RegSet(bits as u32)
    }

    /// Bit n set: core register n is in.
    pub const fn bits(self) -> u16 {
        self.0 as u16
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
        (0..32).filter(move |number| self.0 >> number & 1 == 1).map(PReg)
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
