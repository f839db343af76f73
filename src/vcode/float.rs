//! Instructions of the floating-point unit, over virtual registers before allocation and physical ones after it.
//!
//! Ensures: as in `inst`. A binary32 number is in the even half of a register, a binary64 number in all of it;
//! what the other half of a register with a binary32 number holds, nobody knows.

use super::operands::{Operand, defined, used};
use super::reg::RegClass;

/// A format of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Format {
    /// Binary32.
    F32,
    /// Binary64.
    F64,
}

impl Format {
    /// The registers that hold such a number.
    pub fn class(self) -> RegClass {
        match self {
            Format::F32 => RegClass::Single,
            Format::F64 => RegClass::Double,
        }
    }

    /// The other one.
    fn other(self) -> Format {
        match self {
            Format::F32 => Format::F64,
            Format::F64 => Format::F32,
        }
    }
}

/// What is computed. Integers are words in the unit's registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FloatOp {
    /// n + m.
    Add,
    /// n - m.
    Sub,
    /// n * m.
    Mul,
    /// n / m.
    Div,
    /// The square root of m.
    Sqrt,
    /// m without its sign.
    Abs,
    /// m with the other sign.
    Neg,
    /// m rounded up.
    Ceil,
    /// m rounded down.
    Floor,
    /// m rounded towards zero.
    Trunc,
    /// m rounded to nearest, ties to even.
    Nearest,
    /// The nearest number to a signed integer.
    FromSigned,
    /// The nearest number to an unsigned integer.
    FromUnsigned,
    /// The nearest signed integer to m rounded towards zero, 0 for a NaN.
    ToSigned,
    /// The nearest unsigned integer to m rounded towards zero, 0 for a NaN.
    ToUnsigned,
    /// The nearest number to m, which has the other format.
    Convert,
}

impl FloatOp {
    /// The registers of its result and of its operands, `format` being that of the numbers it computes with.
    pub fn classes(self, format: Format) -> (RegClass, RegClass) {
        let own = format.class();
        match self {
            FloatOp::FromSigned | FloatOp::FromUnsigned => (own, RegClass::Single),
            FloatOp::ToSigned | FloatOp::ToUnsigned => (RegClass::Single, own),
            FloatOp::Convert => (own, format.other().class()),
            FloatOp::Add
            | FloatOp::Sub
            | FloatOp::Mul
            | FloatOp::Div
            | FloatOp::Sqrt
            | FloatOp::Abs
            | FloatOp::Neg
            | FloatOp::Ceil
            | FloatOp::Floor
            | FloatOp::Trunc
            | FloatOp::Nearest => (own, own),
        }
    }
}

/// A number that is an immediate of VMOV: sign, three bits of exponent, four of fraction (DDI0403, A6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FloatImm(u8);

impl FloatImm {
    /// The immediate of a number with these bits, if there is one.
    pub fn new(format: Format, bits: u64) -> Option<FloatImm> {
        let (exponent_bits, fraction_bits) = match format {
            Format::F32 => (8, 23),
            Format::F64 => (11, 52),
        };
        let sign = bits >> (exponent_bits + fraction_bits) & 1;
        let exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
        let fraction = bits & ((1 << fraction_bits) - 1);
        let bias: u64 = (1 << (exponent_bits - 1)) - 1;
        // Exponents -3 to 4: the top bit is the inverse of those below it.
        let small = (exponent + 3).checked_sub(bias).filter(|small| *small < 8)?;
        let code = small ^ 4;
        let top = fraction >> (fraction_bits - 4);
        (top << (fraction_bits - 4) == fraction).then_some(FloatImm((sign << 7 | code << 4 | top) as u8))
    }

    /// Its eight bits in an instruction.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// Which word of a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// Bits 31:0.
    Low,
    /// Bits 63:32.
    High,
}

/// One instruction. `d` is the destination, `n` the first operand, `m` the second or only one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "fields are d, n, m and what the variant's line says")]
pub enum FloatInst<R> {
    /// d = op n, m.
    Compute { op: FloatOp, format: Format, d: R, n: Option<R>, m: R },
    /// Writes the flags of comparing n with m.
    Compare { format: Format, n: R, m: R },
    /// d = the number.
    Const { format: Format, d: R, imm: FloatImm },
    /// d = the word, or the two words, in core registers.
    FromCore { d: R, low: R, high: Option<R> },
    /// d, a core register, = a word of m.
    ToCore { d: R, m: R, part: Part },
    /// d = the word of n, and above it the word of m.
    Pack { d: R, n: R, m: R },
    /// d = a word of m.
    Unpack { d: R, m: R, part: Part },
}

impl<R: Copy> FloatInst<R> {
    /// The same instruction with every operand replaced by `f`'s answer; uses first.
    pub fn map<S>(&self, f: &mut impl FnMut(Operand<R>) -> S) -> FloatInst<S> {
        match *self {
            FloatInst::Compute { op, format, d, n, m } => {
                let n = n.map(|n| f(used(n).float()));
                let m = f(used(m).float());
                FloatInst::Compute { op, format, d: f(defined(d).float()), n, m }
            }
            FloatInst::Compare { format, n, m } => {
                let n = f(used(n).float());
                FloatInst::Compare { format, n, m: f(used(m).float()) }
            }
            FloatInst::Const { format, d, imm } => FloatInst::Const { format, d: f(defined(d).float()), imm },
            FloatInst::FromCore { d, low, high } => {
                let (low, high) = (f(used(low)), high.map(|high| f(used(high))));
                FloatInst::FromCore { d: f(defined(d).float()), low, high }
            }
            FloatInst::ToCore { d, m, part } => {
                let m = f(used(m).float());
                FloatInst::ToCore { d: f(defined(d)), m, part }
            }
            FloatInst::Pack { d, n, m } => {
                let (n, m) = (f(used(n).float()), f(used(m).float()));
                FloatInst::Pack { d: f(defined(d).float()), n, m }
            }
            FloatInst::Unpack { d, m, part } => {
                let m = f(used(m).float());
                FloatInst::Unpack { d: f(defined(d).float()), m, part }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immediates_are_the_numbers_that_the_manual_lists() {
        let single = |number: f32| FloatImm::new(Format::F32, number.to_bits().into()).map(FloatImm::code);
        assert_eq!(single(1.0), Some(0x70));
        assert_eq!(single(-2.0), Some(0x80));
        assert_eq!(single(31.0), Some(0x3f));
        assert_eq!(single(0.125), Some(0x40));
        assert_eq!((single(0.0), single(32.0), single(0.1), single(f32::NAN)), (None, None, None, None));
        let double = |number: f64| FloatImm::new(Format::F64, number.to_bits()).map(FloatImm::code);
        assert_eq!((double(1.0), double(-0.5), double(1.03125)), (Some(0x70), Some(0xe0), None));
    }
}
