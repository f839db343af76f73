//! Operators on constants: the meaning that constant folding, the interpreter and tests share.

use super::float;
use super::op::{Op, Type};

/// The result of an operator without immediates; `None` for the others. Operands and result are
/// zero-extended to 64 bits.
pub fn run(op: Op, args: &[u64]) -> Option<u64> {
    let (_, operands, _) = op.plain()?;
    assert_eq!(operands.len(), args.len(), "{op:?} takes {} operands", operands.len());
    let word = |index: usize| args.get(index).copied().unwrap_or(0);
    let (a, b) = (word(0), word(1));
    match op {
        Op::Select32 | Op::Select64 => Some(if a as u32 != 0 { b } else { word(2) }),
        Op::Add128High => Some((wide(b, a).wrapping_add(wide(word(3), word(2))) >> 64) as u64),
        Op::Sub128High => Some((wide(b, a).wrapping_sub(wide(word(3), word(2))) >> 64) as u64),
        Op::MulHighU64 => Some(((u128::from(a) * u128::from(b)) >> 64) as u64),
        Op::MulHighS64 => Some(((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64),
        Op::Wrap => Some(u64::from(a as u32)),
        Op::ExtendU => Some(a),
        Op::ExtendS => Some(a as u32 as i32 as i64 as u64),
        _ => {
            let integer = match operands[0] {
                Type::I32 => words32(op, a as u32, b as u32).map(u64::from),
                Type::I64 => words64(op, a, b),
            };
            integer.or_else(|| float::run(op, a, b))
        }
    }
}

fn wide(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn words32(op: Op, a: u32, b: u32) -> Option<u32> {
    let (signed_a, signed_b) = (a as i32, b as i32);
    Some(match op {
        Op::Add32 => a.wrapping_add(b),
        Op::Sub32 => a.wrapping_sub(b),
        Op::Mul32 => a.wrapping_mul(b),
        Op::DivU32 => a.checked_div(b).unwrap_or(0),
        Op::DivS32 if b == 0 => 0,
        Op::DivS32 => signed_a.wrapping_div(signed_b) as u32,
        Op::RemU32 => a.checked_rem(b).unwrap_or(a),
        Op::RemS32 if b == 0 => a,
        Op::RemS32 => signed_a.wrapping_rem(signed_b) as u32,
        Op::And32 => a & b,
        Op::Or32 => a | b,
        Op::Xor32 => a ^ b,
        Op::Shl32 => a.wrapping_shl(b),
        Op::ShrU32 => a.wrapping_shr(b),
        Op::ShrS32 => signed_a.wrapping_shr(b) as u32,
        Op::RotL32 => a.rotate_left(b % 32),
        Op::RotR32 => a.rotate_right(b % 32),
        Op::Clz32 => a.leading_zeros(),
        Op::Ctz32 => a.trailing_zeros(),
        Op::Popcnt32 => a.count_ones(),
        Op::Extend8S32 => signed_a as i8 as i32 as u32,
        Op::Extend16S32 => signed_a as i16 as i32 as u32,
        Op::Eq32 => u32::from(a == b),
        Op::Ne32 => u32::from(a != b),
        Op::LtU32 => u32::from(a < b),
        Op::LtS32 => u32::from(signed_a < signed_b),
        Op::LeU32 => u32::from(a <= b),
        Op::LeS32 => u32::from(signed_a <= signed_b),
        _ => return None,
    })
}

fn words64(op: Op, a: u64, b: u64) -> Option<u64> {
    let (signed_a, signed_b) = (a as i64, b as i64);
    // A count modulo 64 fits the 32 bits that the shifts below take.
    let count = (b % 64) as u32;
    Some(match op {
        Op::Add64 => a.wrapping_add(b),
        Op::Sub64 => a.wrapping_sub(b),
        Op::Mul64 => a.wrapping_mul(b),
        Op::DivU64 => a.checked_div(b).unwrap_or(0),
        Op::DivS64 if b == 0 => 0,
        Op::DivS64 => signed_a.wrapping_div(signed_b) as u64,
        Op::RemU64 => a.checked_rem(b).unwrap_or(a),
        Op::RemS64 if b == 0 => a,
        Op::RemS64 => signed_a.wrapping_rem(signed_b) as u64,
        Op::And64 => a & b,
        Op::Or64 => a | b,
        Op::Xor64 => a ^ b,
        Op::Shl64 => a << count,
        Op::ShrU64 => a >> count,
        Op::ShrS64 => (signed_a >> count) as u64,
        Op::RotL64 => a.rotate_left(count),
        Op::RotR64 => a.rotate_right(count),
        Op::Clz64 => u64::from(a.leading_zeros()),
        Op::Ctz64 => u64::from(a.trailing_zeros()),
        Op::Popcnt64 => u64::from(a.count_ones()),
        Op::Extend8S64 => signed_a as i8 as i64 as u64,
        Op::Extend16S64 => signed_a as i16 as i64 as u64,
        Op::Extend32S64 => signed_a as i32 as i64 as u64,
        Op::Eq64 => u64::from(a == b),
        Op::Ne64 => u64::from(a != b),
        Op::LtU64 => u64::from(a < b),
        Op::LtS64 => u64::from(signed_a < signed_b),
        Op::LeU64 => u64::from(a <= b),
        Op::LeS64 => u64::from(signed_a <= signed_b),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::op::PLAIN;

    #[test]
    fn every_plain_operator_has_a_meaning_on_boundary_operands() {
        let words = [0, 1, 31, 32, 63, 64, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX, 1 << 63];
        for (op, name, operands, result) in PLAIN {
            for a in words {
                for b in words {
                    let mask = |ty: &Type, word: u64| word & (u64::MAX >> (64 - ty.bits()));
                    let args = [a, b, a ^ b, !a];
                    let args: Vec<u64> = operands.iter().zip(args).map(|(ty, w)| mask(ty, w)).collect();
                    let value = run(*op, &args).unwrap_or_else(|| panic!("{name} has no meaning"));
                    assert_eq!(value, mask(result, value), "{name} {args:?} exceeds its type");
                }
            }
        }
    }
}
