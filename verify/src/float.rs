//! Operators on floats (core spec, 4.3.3 and 4.3.4): names, widths, and what they compute.
//!
//! A float is its bits. In proofs an operator is a function of the words of its operands of which
//! nothing is known but that equal operands give equal results, and what it is of constants:
//! [`Float::value`], which the interpreters use too.
//!
//! Ensures: a result that is a NaN is the canonical one with the sign bit clear, whatever the operands.
//! The host rounds to nearest, ties to even, and has subnormals, as Rust promises of its floats.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::hints::Sort;

/// The format of a float.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Format {
    /// Binary32.
    F32,
    /// Binary64.
    F64,
}

/// Whether an integer has a sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Sign {
    /// It has.
    Signed,
    /// It has none.
    Unsigned,
}

/// Operators on two floats of one format that give one of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Binary {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// The lesser.
    Min,
    /// The greater.
    Max,
}

/// Operators on a float that give one of its format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Unary {
    /// Square root.
    Sqrt,
    /// Integral, up.
    Ceil,
    /// Integral, down.
    Floor,
    /// Integral, towards zero.
    Trunc,
    /// Integral, to nearest, ties to even.
    Nearest,
}

/// Comparisons of two floats of one format. They give 1 or 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Relation {
    /// Equal.
    Eq,
    /// Not equal, or unordered.
    Ne,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

/// An operator on floats.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Float {
    /// Of two floats a float.
    Binary(Binary, Format),
    /// Of a float a float.
    Unary(Unary, Format),
    /// Of two floats a truth value.
    Compare(Relation, Format),
    /// The nearest float to an integer.
    Convert(Sort, Sign, Format),
    /// The nearest binary32 number to a binary64 number.
    Demote,
    /// A binary32 number as binary64.
    Promote,
    /// The integer towards zero, or the nearest of the type; 0 for NaN.
    Truncate(Format, Sort, Sign),
    /// 0 if the type has the integer towards zero, 1 for NaN, else 2.
    Fits(Format, Sort, Sign),
}

const FORMATS: [Format; 2] = [Format::F32, Format::F64];
const SORTS: [Sort; 2] = [Sort::W32, Sort::W64];
const SIGNS: [Sign; 2] = [Sign::Signed, Sign::Unsigned];
const BINARY: [Binary; 6] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Min, Binary::Max];
const UNARY: [Unary; 5] = [Unary::Sqrt, Unary::Ceil, Unary::Floor, Unary::Trunc, Unary::Nearest];
const RELATIONS: [Relation; 4] = [Relation::Eq, Relation::Ne, Relation::Lt, Relation::Le];

impl Float {
    /// Every operator, in an order that the hints number them by.
    pub fn all() -> Vec<Float> {
        let mut all = vec![Float::Demote, Float::Promote];
        for format in FORMATS {
            all.extend(BINARY.map(|operator| Float::Binary(operator, format)));
            all.extend(UNARY.map(|operator| Float::Unary(operator, format)));
            all.extend(RELATIONS.map(|relation| Float::Compare(relation, format)));
            for (sort, sign) in SORTS.into_iter().flat_map(|sort| SIGNS.map(|sign| (sort, sign))) {
                all.push(Float::Convert(sort, sign, format));
                all.push(Float::Truncate(format, sort, sign));
                all.push(Float::Fits(format, sort, sign));
            }
        }
        all
    }

    /// The operator's name in the text format. A `fits` has that of the operator that traps, and `.fits`.
    pub fn name(self) -> String {
        match self {
            Float::Binary(operator, format) => format!("{}.{}", float(format), lower(operator)),
            Float::Unary(operator, format) => format!("{}.{}", float(format), lower(operator)),
            Float::Compare(relation, format) => format!("{}.{}", float(format), lower(relation)),
            Float::Convert(sort, sign, format) => {
                format!("{}.convert_{}_{}", float(format), integer(sort), letter(sign))
            }
            Float::Demote => "f32.demote_f64".to_owned(),
            Float::Promote => "f64.promote_f32".to_owned(),
            Float::Truncate(format, sort, sign) => {
                format!("{}.trunc_sat_{}_{}", integer(sort), float(format), letter(sign))
            }
            Float::Fits(format, sort, sign) => {
                format!("{}.trunc_{}_{}.fits", integer(sort), float(format), letter(sign))
            }
        }
    }

    /// The widths of its operands.
    pub fn operands(self) -> Vec<Sort> {
        match self {
            Float::Binary(_, format) | Float::Compare(_, format) => vec![sort(format); 2],
            Float::Unary(_, format) | Float::Truncate(format, ..) | Float::Fits(format, ..) => vec![sort(format)],
            Float::Convert(from, ..) => vec![from],
            Float::Demote => vec![Sort::W64],
            Float::Promote => vec![Sort::W32],
        }
    }

    /// The width of its result.
    pub fn result(self) -> Sort {
        match self {
            Float::Binary(_, format) | Float::Unary(_, format) | Float::Convert(_, _, format) => sort(format),
            Float::Compare(..) | Float::Demote | Float::Fits(..) => Sort::W32,
            Float::Promote => Sort::W64,
            Float::Truncate(_, to, _) => to,
        }
    }

    /// What it computes of the words of its operands, low before high: low and high word.
    ///
    /// Requires: as many words as [`Float::operands`] have.
    pub fn value(self, words: &[u32]) -> [u32; 2] {
        let mut words = words.iter().copied();
        let mut word = || u64::from(words.next().unwrap_or(0));
        let operands: Vec<u64> = self
            .operands()
            .into_iter()
            .map(|sort| match sort {
                Sort::W32 => word(),
                Sort::W64 => word() | word() << 32,
            })
            .collect();
        let result = self.bits(operands[0], operands.get(1).copied().unwrap_or(0));
        [result as u32, (result >> 32) as u32]
    }

    /// Of a `fits`: how the lowest number and how `a` relates, the highest being less always, and both.
    /// No other number lies between the lowest one and the least that is too low.
    pub fn limits(self) -> Option<(Relation, f64, f64)> {
        let Float::Fits(format, to, sign) = self else { return None };
        Some(match (format, to, sign) {
            (_, Sort::W32, Sign::Unsigned) => (Relation::Lt, -1.0, 4_294_967_296.0),
            (_, Sort::W64, Sign::Unsigned) => (Relation::Lt, -1.0, 18_446_744_073_709_551_616.0),
            (Format::F32, Sort::W32, Sign::Signed) => (Relation::Le, -2_147_483_648.0, 2_147_483_648.0),
            (Format::F64, Sort::W32, Sign::Signed) => (Relation::Lt, -2_147_483_649.0, 2_147_483_648.0),
            (_, Sort::W64, Sign::Signed) => (Relation::Le, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0),
        })
    }

    /// What it computes, unless that is a float made of a NaN: which NaN it is then, processors differ in, by
    /// FPSCR.DN too.
    pub fn certain_value(self, words: &[u32]) -> Option<[u32; 2]> {
        let is_nan = |format| match format {
            Format::F32 => words.iter().any(|word| f32::from_bits(*word).is_nan()),
            Format::F64 => words.chunks(2).any(|pair| {
                let high = pair.get(1).copied().unwrap_or(0);
                f64::from_bits(u64::from(high) << 32 | u64::from(pair[0])).is_nan()
            }),
        };
        let is_open = match self {
            Float::Binary(_, format) | Float::Unary(_, format) => is_nan(format),
            Float::Demote => is_nan(Format::F64),
            Float::Promote => is_nan(Format::F32),
            Float::Compare(..) | Float::Convert(..) | Float::Truncate(..) | Float::Fits(..) => false,
        };
        (!is_open).then(|| self.value(words))
    }

    fn bits(self, a: u64, b: u64) -> u64 {
        match self {
            Float::Binary(operator, Format::F32) => single(binary32(operator, f32_of(a), f32_of(b))),
            Float::Binary(operator, Format::F64) => double(binary64(operator, f64_of(a), f64_of(b))),
            Float::Unary(operator, Format::F32) => single(unary32(operator, f32_of(a))),
            Float::Unary(operator, Format::F64) => double(unary64(operator, f64_of(a))),
            Float::Compare(relation, format) => u64::from(compare(relation, widened(format, a), widened(format, b))),
            Float::Convert(sort, sign, Format::F32) => single(match (sort, sign) {
                (Sort::W32, Sign::Signed) => a as u32 as i32 as f32,
                (Sort::W32, Sign::Unsigned) => a as u32 as f32,
                (Sort::W64, Sign::Signed) => a as i64 as f32,
                (Sort::W64, Sign::Unsigned) => a as f32,
            }),
            Float::Convert(sort, sign, Format::F64) => double(match (sort, sign) {
                (Sort::W32, Sign::Signed) => f64::from(a as u32 as i32),
                (Sort::W32, Sign::Unsigned) => f64::from(a as u32),
                (Sort::W64, Sign::Signed) => a as i64 as f64,
                (Sort::W64, Sign::Unsigned) => a as f64,
            }),
            Float::Demote => single(f64_of(a) as f32),
            Float::Promote => double(f64::from(f32_of(a))),
            Float::Truncate(format, sort, sign) => truncate(widened(format, a), sort, sign),
            Float::Fits(format, sort, sign) => {
                let number = widened(format, a);
                // A number that fits is the one that its integer is nearest to, but for the fraction; one
                // too large saturates to an integer that is not, or that is one below it.
                let whole = truncate(number, sort, sign);
                match number {
                    nan if nan.is_nan() => 1,
                    number if exactly(whole, sort, sign) == exactly_float(number) => 0,
                    _ => 2,
                }
            }
        }
    }
}

fn lower(name: impl std::fmt::Debug) -> String {
    format!("{name:?}").to_ascii_lowercase()
}

fn float(format: Format) -> &'static str {
    match format {
        Format::F32 => "f32",
        Format::F64 => "f64",
    }
}

fn integer(sort: Sort) -> &'static str {
    match sort {
        Sort::W32 => "i32",
        Sort::W64 => "i64",
    }
}

fn letter(sign: Sign) -> &'static str {
    match sign {
        Sign::Signed => "s",
        Sign::Unsigned => "u",
    }
}

fn sort(format: Format) -> Sort {
    match format {
        Format::F32 => Sort::W32,
        Format::F64 => Sort::W64,
    }
}

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn f64_of(bits: u64) -> f64 {
    f64::from_bits(bits)
}

/// The number as binary64, which has every binary32 number.
fn widened(format: Format, bits: u64) -> f64 {
    match format {
        Format::F32 => f64::from(f32_of(bits)),
        Format::F64 => f64_of(bits),
    }
}

fn single(number: f32) -> u64 {
    u64::from(if number.is_nan() { 0x7fc0_0000 } else { number.to_bits() })
}

fn double(number: f64) -> u64 {
    if number.is_nan() { 0x7ff8_0000_0000_0000 } else { number.to_bits() }
}

macro_rules! arithmetic {
    ($binary:ident, $unary:ident, $float:ident) => {
        fn $binary(operator: Binary, a: $float, b: $float) -> $float {
            match operator {
                Binary::Add => a + b,
                Binary::Sub => a - b,
                Binary::Mul => a * b,
                Binary::Div => a / b,
                Binary::Min | Binary::Max if a.is_nan() || b.is_nan() => $float::NAN,
                // Zeros are equal, and the one with the sign is the lesser.
                Binary::Min if a == b => {
                    if a.is_sign_negative() {
                        a
                    } else {
                        b
                    }
                }
                Binary::Max if a == b => {
                    if a.is_sign_negative() {
                        b
                    } else {
                        a
                    }
                }
                Binary::Min => {
                    if a < b {
                        a
                    } else {
                        b
                    }
                }
                Binary::Max => {
                    if a < b {
                        b
                    } else {
                        a
                    }
                }
            }
        }

        fn $unary(operator: Unary, a: $float) -> $float {
            match operator {
                Unary::Sqrt => a.sqrt(),
                Unary::Ceil => a.ceil(),
                Unary::Floor => a.floor(),
                Unary::Trunc => a.trunc(),
                Unary::Nearest => a.round_ties_even(),
            }
        }
    };
}

arithmetic!(binary32, unary32, f32);
arithmetic!(binary64, unary64, f64);

fn compare(relation: Relation, a: f64, b: f64) -> bool {
    match relation {
        Relation::Eq => a == b,
        Relation::Ne => a != b,
        Relation::Lt => a < b,
        Relation::Le => a <= b,
    }
}

/// Rust's conversions saturate, and give 0 for NaN.
fn truncate(number: f64, sort: Sort, sign: Sign) -> u64 {
    match (sort, sign) {
        (Sort::W32, Sign::Signed) => u64::from(number as i32 as u32),
        (Sort::W32, Sign::Unsigned) => u64::from(number as u32),
        (Sort::W64, Sign::Signed) => number as i64 as u64,
        (Sort::W64, Sign::Unsigned) => number as u64,
    }
}

/// The integer of a type with these bits.
fn exactly(bits: u64, sort: Sort, sign: Sign) -> i128 {
    match (sort, sign) {
        (Sort::W32, Sign::Signed) => i128::from(bits as u32 as i32),
        (Sort::W64, Sign::Signed) => i128::from(bits as i64),
        (Sort::W32 | Sort::W64, Sign::Unsigned) => i128::from(bits),
    }
}

/// The integer towards zero, or one that no type of 64 bits has.
fn exactly_float(number: f64) -> i128 {
    number as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, words: &[u32]) -> [u32; 2] {
        let operator = Float::all().into_iter().find(|operator| operator.name() == name);
        operator.unwrap_or_else(|| panic!("no {name}")).value(words)
    }

    #[test]
    fn names_are_one_each() {
        let mut names: Vec<String> = Float::all().into_iter().map(Float::name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!((names.len(), count), (56, 56));
    }

    #[test]
    fn one_nan_and_two_zeros() {
        assert_eq!(named("f32.add", &[0xff80_0001, 0]), [0x7fc0_0000, 0]);
        assert_eq!(named("f64.sqrt", &[0, 0xbff0_0000]), [0, 0x7ff8_0000]);
        assert_eq!(named("f64.promote_f32", &[0xffc1_2345]), [0, 0x7ff8_0000]);
        for (a, b) in [(0, 1 << 31), (1 << 31, 0)] {
            assert_eq!(named("f32.min", &[a, b]), [1 << 31, 0]);
            assert_eq!(named("f32.max", &[a, b]), [0, 0]);
        }
        assert_eq!(named("f32.nearest", &[0x4020_0000]), [0x4000_0000, 0], "2.5");
    }

    #[test]
    fn integers_at_their_limits() {
        let fits = |name: &str, number: f64| {
            let bits = number.to_bits();
            named(name, &[bits as u32, (bits >> 32) as u32])[0]
        };
        for (name, low, high) in [
            ("i32.trunc_f64_s.fits", -2_147_483_649.0, 2_147_483_648.0),
            ("i32.trunc_f64_u.fits", -1.0, 4_294_967_296.0),
            ("i64.trunc_f64_s.fits", -9_223_372_036_854_777_856.0, 9_223_372_036_854_775_808.0),
            ("i64.trunc_f64_u.fits", -1.0, 18_446_744_073_709_551_616.0),
        ] {
            assert_eq!((fits(name, low), fits(name, high)), (2, 2), "{name}");
            assert_eq!((fits(name, low.next_up()), fits(name, high.next_down())), (0, 0), "{name}");
            assert_eq!((fits(name, f64::NAN), fits(name, f64::INFINITY)), (1, 2), "{name}");
        }
    }
}
