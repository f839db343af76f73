//! The operations that the Wasm semantics and the Thumb semantics are written over.
//!
//! Both semantics are generic functions of a [`Domain`]. With concrete words they are interpreters;
//! with terms they are symbolic executors. Every operator here is total: where an instruction set
//! leaves a case open, the total extension of the Arm manual is taken (division by zero gives 0,
//! `MIN / -1` gives `MIN`, a shift count of 32 or more shifts everything out).

use crate::float::Float;

/// Unary operators on 32-bit words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Un32 {
    /// Number of leading zero bits; 32 for 0.
    Clz,
    /// Reverses the order of the 32 bits.
    Rbit,
    /// Reverses the order of the four bytes.
    Rev,
    /// Number of one bits.
    Popcnt,
    /// Sign-extends bits 7:0.
    Sext8,
    /// Sign-extends bits 15:0.
    Sext16,
}

/// Binary operators on 32-bit words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Bin32 {
    /// Sum modulo 2^32.
    Add,
    /// Difference modulo 2^32.
    Sub,
    /// Low word of the product.
    Mul,
    /// High word of the unsigned 64-bit product.
    MulHighU,
    /// High word of the signed 64-bit product.
    MulHighS,
    /// Unsigned quotient; 0 when the divisor is 0.
    DivU,
    /// Signed quotient, truncated; 0 when the divisor is 0, `MIN` for `MIN / -1`.
    DivS,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Shift left; the count is the whole unsigned word, 32 and more give 0.
    Shl,
    /// Logical shift right; the count is the whole unsigned word, 32 and more give 0.
    ShrU,
    /// Arithmetic shift right; the count is the whole unsigned word, 32 and more give the sign.
    ShrS,
    /// Rotate right; the count is taken modulo 32.
    RotR,
}

/// Unary operators on 64-bit words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Un64 {
    /// Number of leading zero bits; 64 for 0.
    Clz,
    /// Number of trailing zero bits; 64 for 0.
    Ctz,
    /// Number of one bits.
    Popcnt,
    /// Sign-extends bits 7:0.
    Sext8,
    /// Sign-extends bits 15:0.
    Sext16,
    /// Sign-extends bits 31:0.
    Sext32,
}

/// Binary operators on 64-bit words. Shift and rotate counts are taken modulo 64, as in Wasm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Bin64 {
    /// Sum modulo 2^64.
    Add,
    /// Difference modulo 2^64.
    Sub,
    /// Product modulo 2^64.
    Mul,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Shift left.
    Shl,
    /// Logical shift right.
    ShrU,
    /// Arithmetic shift right.
    ShrS,
    /// Rotate left.
    RotL,
    /// Rotate right.
    RotR,
    /// Unsigned quotient; 0 when the divisor is 0.
    DivU,
    /// Signed quotient, truncated; 0 when the divisor is 0, `MIN` for `MIN / -1`.
    DivS,
    /// Unsigned remainder; the dividend when the divisor is 0.
    RemU,
    /// Signed remainder with the dividend's sign; the dividend when the divisor is 0, 0 for `MIN / -1`.
    RemS,
}

/// Comparisons, of 32-bit or of 64-bit words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Cmp {
    /// Equal.
    Eq,
    /// Less than, unsigned.
    LtU,
    /// Less than, signed.
    LtS,
}

/// Values and the total operators on them.
pub trait Domain {
    /// A truth value.
    type Bool: Clone;
    /// A 32-bit word.
    type W32: Clone;
    /// A 64-bit word.
    type W64: Clone;

    /// A truth constant.
    fn bool(&mut self, value: bool) -> Self::Bool;
    /// Negation.
    fn not(&mut self, a: &Self::Bool) -> Self::Bool;
    /// Conjunction.
    fn and(&mut self, a: &Self::Bool, b: &Self::Bool) -> Self::Bool;
    /// Disjunction.
    fn or(&mut self, a: &Self::Bool, b: &Self::Bool) -> Self::Bool;
    /// `if condition then a else b`, on truth values.
    fn ite_bool(&mut self, c: &Self::Bool, a: &Self::Bool, b: &Self::Bool) -> Self::Bool;

    /// A 32-bit constant.
    fn w32(&mut self, value: u32) -> Self::W32;
    /// A unary operator on 32-bit words.
    fn un32(&mut self, op: Un32, a: &Self::W32) -> Self::W32;
    /// A binary operator on 32-bit words.
    fn bin32(&mut self, op: Bin32, a: &Self::W32, b: &Self::W32) -> Self::W32;
    /// A comparison of 32-bit words.
    fn cmp32(&mut self, op: Cmp, a: &Self::W32, b: &Self::W32) -> Self::Bool;
    /// `if condition then a else b`, on 32-bit words. `ite32(c, 1, 0)` turns a truth value into a word.
    fn ite32(&mut self, c: &Self::Bool, a: &Self::W32, b: &Self::W32) -> Self::W32;
    /// Whether `a + b + carry` is 2^32 or more.
    fn carry(&mut self, a: &Self::W32, b: &Self::W32, carry: &Self::Bool) -> Self::Bool {
        let sum = self.bin32(Bin32::Add, a, b);
        let first = self.cmp32(Cmp::LtU, &sum, a);
        let (one, zero) = (self.w32(1), self.w32(0));
        let carried = self.ite32(carry, &one, &zero);
        let total = self.bin32(Bin32::Add, &sum, &carried);
        let second = self.cmp32(Cmp::LtU, &total, &sum);
        self.or(&first, &second)
    }

    /// A 64-bit constant.
    fn w64(&mut self, value: u64) -> Self::W64;
    /// The 64-bit word with the given high and low halves.
    fn join(&mut self, high: &Self::W32, low: &Self::W32) -> Self::W64;
    /// Bits 63:32.
    fn high(&mut self, a: &Self::W64) -> Self::W32;
    /// Bits 31:0.
    fn low(&mut self, a: &Self::W64) -> Self::W32;
    /// A unary operator on 64-bit words.
    fn un64(&mut self, op: Un64, a: &Self::W64) -> Self::W64;
    /// A binary operator on 64-bit words.
    fn bin64(&mut self, op: Bin64, a: &Self::W64, b: &Self::W64) -> Self::W64;
    /// A comparison of 64-bit words.
    fn cmp64(&mut self, op: Cmp, a: &Self::W64, b: &Self::W64) -> Self::Bool;
    /// An operator on floats, of the words of its operands, low before high: low and high word. The high
    /// word of a result of 32 bits means nothing.
    fn float(&mut self, op: Float, words: &[Self::W32]) -> [Self::W32; 2];
    /// `if condition then a else b`, on 64-bit words.
    fn ite64(&mut self, c: &Self::Bool, a: &Self::W64, b: &Self::W64) -> Self::W64;
}

/// A domain whose truth values can be decided, or else stop the run.
///
/// An executor that cannot decide returns its `Stop`; the driver that called it then splits the
/// case, adds the condition or its negation to the facts, and runs the same step again.
pub trait Decide: Domain {
    /// Why a run stopped: a trap, a fault, an undecided condition.
    type Stop;
    /// Whether the condition holds in the present state.
    fn decide(&mut self, condition: &Self::Bool) -> Result<bool, Self::Stop>;
}
