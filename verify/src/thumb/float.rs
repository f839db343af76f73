//! Instructions of the floating-point unit, as values.
//!
//! Ensures: as in `inst`. What such an instruction computes is an operator on the words of its operands
//! (`crate::float`); a double register is the two single ones that it consists of.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403), A2.5 and A6.

use crate::float::{Float, Unary};

use super::inst::{Address, MultipleMode, Reg, Writeback};

/// A register of the unit as an instruction names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FloatReg {
    /// s0 to s31.
    Single(u8),
    /// d0 to d15.
    Double(u8),
}

impl FloatReg {
    /// Its words, the low one first (DDI 0403, A2.5.1).
    pub fn words(self) -> Vec<Reg> {
        match self {
            FloatReg::Single(number) => vec![Reg::single(number)],
            FloatReg::Double(number) => vec![Reg::single(2 * number), Reg::single(2 * number + 1)],
        }
    }

    /// This register and those behind it.
    pub fn run(self, count: u8) -> impl Iterator<Item = FloatReg> {
        (0..count).map(move |index| match self {
            FloatReg::Single(first) => FloatReg::Single(first + index),
            FloatReg::Double(first) => FloatReg::Double(first + index),
        })
    }
}

/// What happens to a sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignOp {
    /// It becomes the other one: VNEG.
    Neg,
    /// It is cleared: VABS.
    Abs,
}

/// Registers between which words are moved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Words {
    /// A core register.
    Core(Reg),
    /// Two core registers, the low word in the first.
    CorePair(Reg, Reg),
    /// One of the unit.
    Float(FloatReg),
    /// This single register and the next one.
    Singles(u8),
}

impl Words {
    /// The registers, the low word first.
    pub fn registers(self) -> Vec<Reg> {
        match self {
            Words::Core(register) => vec![register],
            Words::CorePair(low, high) => vec![low, high],
            Words::Float(register) => register.words(),
            Words::Singles(first) => vec![Reg::single(first), Reg::single(first + 1)],
        }
    }
}

/// One instruction. `d` is a destination, `n` and `m` are sources.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FloatInst {
    /// `d := op(n, m)`, or of `m` alone. Integers are in single registers.
    Compute {
        /// Operation.
        op: Float,
        /// Destination.
        d: FloatReg,
        /// First of two operands.
        n: Option<FloatReg>,
        /// The only or second operand.
        m: FloatReg,
    },
    /// `d := m` with another sign.
    Sign {
        /// Operation.
        op: SignOp,
        /// Destination.
        d: FloatReg,
        /// Operand.
        m: FloatReg,
    },
    /// `d := m`.
    Move {
        /// Destination.
        d: FloatReg,
        /// Operand.
        m: FloatReg,
    },
    /// `d := bits`, a number in the format of `d`.
    Constant {
        /// Destination.
        d: FloatReg,
        /// The constant.
        bits: u64,
    },
    /// Words from core registers to the unit or back.
    Transfer {
        /// Destination.
        d: Words,
        /// Source.
        m: Words,
    },
    /// The flags of the unit become those of comparing `n` with `m`, with +0 if that is not there.
    Compare {
        /// First operand.
        n: FloatReg,
        /// Second operand.
        m: Option<FloatReg>,
    },
    /// The condition flags become the flags of the unit.
    Flags,
    /// Loads. Faults unless the address is a multiple of 4.
    Load {
        /// Destination.
        d: FloatReg,
        /// Where; [`Address::Offset`] or [`Address::Literal`].
        address: Address,
    },
    /// Stores. Faults unless the address is a multiple of 4.
    Store {
        /// Source.
        d: FloatReg,
        /// Where; [`Address::Offset`].
        address: Address,
    },
    /// Loads registers in a row, the first from the lowest address. Faults unless the address is a multiple of 4.
    LoadMultiple {
        /// Base.
        n: Reg,
        /// Whether the base moves.
        writeback: Writeback,
        /// Where the words are.
        mode: MultipleMode,
        /// First register.
        first: FloatReg,
        /// How many registers.
        count: u8,
    },
    /// Stores registers in a row, the first to the lowest address. Faults unless the address is a multiple of 4.
    StoreMultiple {
        /// Base.
        n: Reg,
        /// Whether the base moves.
        writeback: Writeback,
        /// Where the words go.
        mode: MultipleMode,
        /// First register.
        first: FloatReg,
        /// How many registers.
        count: u8,
    },
}

impl FloatInst {
    /// Whether it has no conditional form: the rounding instructions of FPv5 but VRINTZ.
    pub fn is_unconditional(&self) -> bool {
        let FloatInst::Compute { op: Float::Unary(unary, _), .. } = self else { return false };
        matches!(unary, Unary::Ceil | Unary::Floor | Unary::Nearest)
    }
}
