//! The operators on integers: what each operator of [`crate::domain`] means.
//!
//! Ensures: total, as the domain says. The evaluator and the constant rules both use this table.

use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};

/// A unary operator on 32-bit words.
pub fn un32(op: Un32, a: u32) -> u32 {
    match op {
        Un32::Clz => a.leading_zeros(),
        Un32::Rbit => a.reverse_bits(),
        Un32::Rev => a.swap_bytes(),
        Un32::Popcnt => a.count_ones(),
        Un32::Sext8 => a as u8 as i8 as u32,
        Un32::Sext16 => a as u16 as i16 as u32,
    }
}

/// A binary operator on 32-bit words.
pub fn bin32(op: Bin32, a: u32, b: u32) -> u32 {
    let wide = (u64::from(a), u64::from(b));
    let (signed_a, signed_b) = (a as i32, b as i32);
    match op {
        Bin32::Add => a.wrapping_add(b),
        Bin32::Sub => a.wrapping_sub(b),
        Bin32::Mul => a.wrapping_mul(b),
        Bin32::MulHighU => ((wide.0 * wide.1) >> 32) as u32,
        Bin32::MulHighS => ((i64::from(signed_a) * i64::from(signed_b)) >> 32) as u32,
        Bin32::DivU => a.checked_div(b).unwrap_or(0),
        Bin32::DivS if b == 0 => 0,
        Bin32::DivS => signed_a.wrapping_div(signed_b) as u32,
        Bin32::And => a & b,
        Bin32::Or => a | b,
        Bin32::Xor => a ^ b,
        Bin32::Shl => a.checked_shl(b).unwrap_or(0),
        Bin32::ShrU => a.checked_shr(b).unwrap_or(0),
        Bin32::ShrS => (signed_a >> b.min(31)) as u32,
        Bin32::RotR => a.rotate_right(b % 32),
    }
}

/// A comparison of 32-bit words.
pub fn cmp32(op: Cmp, a: u32, b: u32) -> bool {
    match op {
        Cmp::Eq => a == b,
        Cmp::LtU => a < b,
        Cmp::LtS => (a as i32) < (b as i32),
    }
}

/// A unary operator on 64-bit words.
pub fn un64(op: Un64, a: u64) -> u64 {
    match op {
        Un64::Clz => u64::from(a.leading_zeros()),
        Un64::Ctz => u64::from(a.trailing_zeros()),
        Un64::Popcnt => u64::from(a.count_ones()),
        Un64::Sext8 => a as u8 as i8 as u64,
        Un64::Sext16 => a as u16 as i16 as u64,
        Un64::Sext32 => a as u32 as i32 as u64,
    }
}

/// A binary operator on 64-bit words.
pub fn bin64(op: Bin64, a: u64, b: u64) -> u64 {
    let count = (b % 64) as u32;
    match op {
        Bin64::Add => a.wrapping_add(b),
        Bin64::Sub => a.wrapping_sub(b),
        Bin64::Mul => a.wrapping_mul(b),
        Bin64::And => a & b,
        Bin64::Or => a | b,
        Bin64::Xor => a ^ b,
        Bin64::Shl => a << count,
        Bin64::ShrU => a >> count,
        Bin64::ShrS => ((a as i64) >> count) as u64,
        Bin64::RotL => a.rotate_left(count),
        Bin64::RotR => a.rotate_right(count),
        Bin64::DivU => a.checked_div(b).unwrap_or(0),
        Bin64::DivS if b == 0 => 0,
        Bin64::DivS => (a as i64).wrapping_div(b as i64) as u64,
        Bin64::RemU => a.checked_rem(b).unwrap_or(a),
        Bin64::RemS if b == 0 => a,
        Bin64::RemS => (a as i64).wrapping_rem(b as i64) as u64,
    }
}

/// A comparison of 64-bit words.
pub fn cmp64(op: Cmp, a: u64, b: u64) -> bool {
    match op {
        Cmp::Eq => a == b,
        Cmp::LtU => a < b,
        Cmp::LtS => (a as i64) < (b as i64),
    }
}

/// Whether `a + b + c` is 2^32 or more.
pub fn carry(a: u32, b: u32, c: bool) -> bool {
    u64::from(a) + u64::from(b) + u64::from(c) > u64::from(u32::MAX)
}
