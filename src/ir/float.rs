//! Operators on floats as constants: IEEE 754-2019 on bits, by the host's own arithmetic.
//!
//! Ensures: a result that is a NaN is the canonical one with the sign bit clear. The host rounds to
//! nearest, ties to even, and has subnormals, as Rust promises of `f32` and `f64`.

use super::op::Op;

/// The result of an operator on floats; `None` for the others. Operands and result are zero-extended.
pub fn run(op: Op, a: u64, b: u64) -> Option<u64> {
    binary32(op, a as u32, b as u32)
        .or_else(|| binary64(op, a, b))
        .or_else(|| from_integer(op, a))
        .or_else(|| to_integer(op, a))
}

/// Whether processors differ in what an operator makes of constants: a float that is made of a NaN.
pub fn is_open(op: Op, args: &[u64]) -> bool {
    let of_single = matches!(
        op,
        Op::AddF32
            | Op::SubF32
            | Op::MulF32
            | Op::DivF32
            | Op::MinF32
            | Op::MaxF32
            | Op::SqrtF32
            | Op::CeilF32
            | Op::FloorF32
            | Op::TruncF32
            | Op::NearestF32
            | Op::Promote
    );
    let of_double = matches!(
        op,
        Op::AddF64
            | Op::SubF64
            | Op::MulF64
            | Op::DivF64
            | Op::MinF64
            | Op::MaxF64
            | Op::SqrtF64
            | Op::CeilF64
            | Op::FloorF64
            | Op::TruncF64
            | Op::NearestF64
            | Op::Demote
    );
    of_single && args.iter().any(|bits| f32::from_bits(*bits as u32).is_nan())
        || of_double && args.iter().any(|bits| f64::from_bits(*bits).is_nan())
}

fn single(value: f32) -> u64 {
    let canonical = if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
    canonical.into()
}

fn double(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() }
}

macro_rules! format {
    ($run:ident, $float:ident, $bits:ident, $made:ident,
     $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $sqrt:ident
     $ceil:ident $floor:ident $trunc:ident $nearest:ident $eq:ident $ne:ident $lt:ident $le:ident) => {
        fn $run(op: Op, a: $bits, b: $bits) -> Option<u64> {
            let (a, b) = ($float::from_bits(a), $float::from_bits(b));
            // Equal numbers of different signs are zeros.
            let (lesser, greater) = match a.is_nan() || b.is_nan() {
                true => ($float::NAN, $float::NAN),
                false if a < b || a == b && a.is_sign_negative() => (a, b),
                false => (b, a),
            };
            Some(match op {
                Op::$add => $made(a + b),
                Op::$sub => $made(a - b),
                Op::$mul => $made(a * b),
                Op::$div => $made(a / b),
                Op::$min => $made(lesser),
                Op::$max => $made(greater),
                Op::$sqrt => $made(a.sqrt()),
                Op::$ceil => $made(a.ceil()),
                Op::$floor => $made(a.floor()),
                Op::$trunc => $made(a.trunc()),
                Op::$nearest => $made(a.round_ties_even()),
                Op::$eq => u64::from(a == b),
                Op::$ne => u64::from(a != b),
                Op::$lt => u64::from(a < b),
                Op::$le => u64::from(a <= b),
                _ => return None,
            })
        }
    };
}

format! {
    binary32, f32, u32, single,
    AddF32 SubF32 MulF32 DivF32 MinF32 MaxF32 SqrtF32
    CeilF32 FloorF32 TruncF32 NearestF32 EqF32 NeF32 LtF32 LeF32
}

format! {
    binary64, f64, u64, double,
    AddF64 SubF64 MulF64 DivF64 MinF64 MaxF64 SqrtF64
    CeilF64 FloorF64 TruncF64 NearestF64 EqF64 NeF64 LtF64 LeF64
}

/// Conversions to a format: each rounds once.
fn from_integer(op: Op, a: u64) -> Option<u64> {
    Some(match op {
        Op::ConvertI32SF32 => single(a as u32 as i32 as f32),
        Op::ConvertI32UF32 => single(a as u32 as f32),
        Op::ConvertI64SF32 => single(a as i64 as f32),
        Op::ConvertI64UF32 => single(a as f32),
        Op::ConvertI32SF64 => double(f64::from(a as u32 as i32)),
        Op::ConvertI32UF64 => double(f64::from(a as u32)),
        Op::ConvertI64SF64 => double(a as i64 as f64),
        Op::ConvertI64UF64 => double(a as f64),
        Op::Demote => single(f64::from_bits(a) as f32),
        Op::Promote => double(f64::from(f32::from_bits(a as u32))),
        _ => return None,
    })
}

/// Conversions to integers, which saturate as Rust's do, and what says whether one is exact but for the
/// fraction. Binary32 numbers are binary64 numbers.
fn to_integer(op: Op, a: u64) -> Option<u64> {
    let (from_single, from_double) = (f64::from(f32::from_bits(a as u32)), f64::from_bits(a));
    // The integers between the limits, which are no integers of the type, and are exact.
    let fits = |value: f64, low: f64, high: f64| match value.trunc() {
        nan if nan.is_nan() => 1,
        whole if low < whole && whole < high => 0,
        _ => 2,
    };
    let two = |power: u32| 2f64.powi(power as i32);
    // The next number below -2^63 is -2^63 - 2^11.
    let below = -(two(63) + two(11));
    Some(match op {
        Op::TruncF32I32S => (from_single as i32 as u32).into(),
        Op::TruncF32I32U => (from_single as u32).into(),
        Op::TruncF32I64S => from_single as i64 as u64,
        Op::TruncF32I64U => from_single as u64,
        Op::TruncF64I32S => (from_double as i32 as u32).into(),
        Op::TruncF64I32U => (from_double as u32).into(),
        Op::TruncF64I64S => from_double as i64 as u64,
        Op::TruncF64I64U => from_double as u64,
        Op::FitsF32I32S => fits(from_single, -two(31) - 1.0, two(31)),
        Op::FitsF32I32U => fits(from_single, -1.0, two(32)),
        Op::FitsF32I64S => fits(from_single, below, two(63)),
        Op::FitsF32I64U => fits(from_single, -1.0, two(64)),
        Op::FitsF64I32S => fits(from_double, -two(31) - 1.0, two(31)),
        Op::FitsF64I32U => fits(from_double, -1.0, two(32)),
        Op::FitsF64I64S => fits(from_double, below, two(63)),
        Op::FitsF64I64U => fits(from_double, -1.0, two(64)),
        _ => return None,
    })
}
