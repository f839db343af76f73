//! Words as expressions, with the halves of 64-bit operators told apart.
//!
//! Ensures: the result is equal to the expression for all values. Two expressions of one word that
//! `lower` reads through operators become the same.

use synth_verify::hints::{Bin32, Bin64, Un64};

use crate::vcode::func::FrameValue;

/// Which half of a 64-bit value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    /// Bits 31:0.
    Low,
    /// Bits 63:32.
    High,
}

impl Half {
    /// The other one.
    pub fn other(self) -> Half {
        match self {
            Half::Low => Half::High,
            Half::High => Half::Low,
        }
    }
}

/// A 32-bit expression in its normal form.
pub fn word(expression: &FrameValue) -> FrameValue {
    match expression {
        FrameValue::Low(whole) => half(whole, Half::Low),
        FrameValue::High(whole) => half(whole, Half::High),
        other => other.clone(),
    }
}

/// A half of a 64-bit expression in its normal form.
pub fn half(whole: &FrameValue, which: Half) -> FrameValue {
    let kept = || match which {
        Half::Low => FrameValue::Low(Box::new(whole.clone())),
        Half::High => FrameValue::High(Box::new(whole.clone())),
    };
    match whole {
        FrameValue::Join(high, low) => word(match which {
            Half::Low => low,
            Half::High => high,
        }),
        FrameValue::Const64(bits) => FrameValue::Const32(match which {
            Half::Low => *bits as u32,
            Half::High => (*bits >> 32) as u32,
        }),
        FrameValue::Bin64(op, a, b) => {
            let of = |a| half(a, which);
            match op {
                Bin64::And => bitwise(Bin32::And, of(a), of(b)),
                Bin64::Or => bitwise(Bin32::Or, of(a), of(b)),
                Bin64::Xor => bitwise(Bin32::Xor, of(a), of(b)),
                Bin64::Add | Bin64::Sub if which == Half::Low => match (op, of(a), of(b)) {
                    (_, a, FrameValue::Const32(0)) | (Bin64::Add, FrameValue::Const32(0), a) => a,
                    (Bin64::Add, a, b) => FrameValue::Bin32(Bin32::Add, Box::new(a), Box::new(b)),
                    (_, a, b) => FrameValue::Bin32(Bin32::Sub, Box::new(a), Box::new(b)),
                },
                Bin64::Mul if which == Half::Low => FrameValue::Bin32(Bin32::Mul, Box::new(of(a)), Box::new(of(b))),
                _ => shifted((*op, which), a, b).unwrap_or_else(kept),
            }
        }
        FrameValue::Un64(Un64::Clz | Un64::Ctz | Un64::Popcnt, _) if which == Half::High => FrameValue::Const32(0),
        _ => kept(),
    }
}

/// A half of a shift by a known count that only one half of `a` goes into: that half, shifted, or
/// what fills up.
fn shifted((op, which): (Bin64, Half), a: &FrameValue, count: &FrameValue) -> Option<FrameValue> {
    let is_shift = matches!(op, Bin64::Shl | Bin64::ShrU | Bin64::ShrS | Bin64::RotL | Bin64::RotR);
    let FrameValue::Const32(count) = half(count, Half::Low) else { return None };
    let count = count % 64;
    if is_shift && count == 0 {
        return Some(half(a, which));
    }
    let by = |op, a, count| match count {
        0 => a,
        _ => FrameValue::Bin32(op, Box::new(a), Box::new(FrameValue::Const32(count))),
    };
    let Some(beyond) = count.checked_sub(32) else {
        return match (op, which) {
            (Bin64::Shl, Half::Low) => Some(by(Bin32::Shl, half(a, Half::Low), count)),
            (Bin64::ShrU, Half::High) => Some(by(Bin32::ShrU, half(a, Half::High), count)),
            (Bin64::ShrS, Half::High) => Some(by(Bin32::ShrS, half(a, Half::High), count)),
            _ => None,
        };
    };
    match (op, which) {
        (Bin64::Shl, Half::Low) | (Bin64::ShrU, Half::High) => Some(FrameValue::Const32(0)),
        (Bin64::Shl, Half::High) => Some(by(Bin32::Shl, half(a, Half::Low), beyond)),
        (Bin64::ShrU, Half::Low) => Some(by(Bin32::ShrU, half(a, Half::High), beyond)),
        (Bin64::ShrS, Half::Low) => Some(by(Bin32::ShrS, half(a, Half::High), beyond)),
        (Bin64::ShrS, Half::High) => Some(by(Bin32::ShrS, half(a, Half::High), 31)),
        (Bin64::RotL | Bin64::RotR, Half::Low) if beyond == 0 => Some(half(a, Half::High)),
        (Bin64::RotL | Bin64::RotR, Half::High) if beyond == 0 => Some(half(a, Half::Low)),
        _ => None,
    }
}

/// `x & 0 = 0`, `x & -1 = x`, `x | 0 = x`, `x ^ 0 = x`.
fn bitwise(op: Bin32, a: FrameValue, b: FrameValue) -> FrameValue {
    let zero = FrameValue::Const32(0);
    let (neutral, is_and) = match op {
        Bin32::And => (FrameValue::Const32(u32::MAX), true),
        _ => (zero.clone(), false),
    };
    if is_and && (a == zero || b == zero) {
        zero
    } else if a == neutral {
        b
    } else if b == neutral {
        a
    } else {
        FrameValue::Bin32(op, Box::new(a), Box::new(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vcode::entity::Value;

    #[test]
    fn a_half_that_an_operator_leaves_alone_is_the_operands() {
        let value = FrameValue::Value(Value(1));
        let other = FrameValue::Value(Value(2));
        let extended = FrameValue::Join(Box::new(FrameValue::Const32(0)), Box::new(other.clone()));
        let xor = FrameValue::Bin64(Bin64::Xor, Box::new(extended), Box::new(value.clone()));
        assert_eq!(half(&xor, Half::High), FrameValue::High(Box::new(value.clone())));
        let low = FrameValue::Low(Box::new(value));
        let expected = FrameValue::Bin32(Bin32::Xor, Box::new(other), Box::new(low));
        assert_eq!(word(&FrameValue::Low(Box::new(xor))), expected);
    }

    #[test]
    fn masked_halves_are_zero_or_whole() {
        let value = FrameValue::Value(Value(1));
        let mask = FrameValue::Const64(u64::from(u32::MAX) << 32);
        let and = FrameValue::Bin64(Bin64::And, Box::new(value.clone()), Box::new(mask));
        assert_eq!(half(&and, Half::Low), FrameValue::Const32(0));
        assert_eq!(half(&and, Half::High), FrameValue::High(Box::new(value)));
    }

    #[test]
    fn a_far_shift_moves_one_half_and_fills_the_other() {
        let value = || Box::new(FrameValue::Value(Value(1)));
        let shift = |op, count| FrameValue::Bin64(op, value(), Box::new(FrameValue::Const64(count)));
        let left = shift(Bin64::Shl, 57);
        assert_eq!(half(&left, Half::Low), FrameValue::Const32(0));
        let low = Box::new(FrameValue::Low(value()));
        let moved = FrameValue::Bin32(Bin32::Shl, low, Box::new(FrameValue::Const32(25)));
        assert_eq!(half(&left, Half::High), moved);
        assert_eq!(half(&shift(Bin64::ShrU, 32), Half::Low), FrameValue::High(value()));
        let turned = shift(Bin64::RotL, 32);
        assert_eq!(half(&turned, Half::High), FrameValue::Low(value()));
        assert_eq!(half(&shift(Bin64::ShrS, 64), Half::High), FrameValue::High(value()));
        let near = shift(Bin64::Shl, 31);
        let low = Box::new(FrameValue::Low(value()));
        let moved = FrameValue::Bin32(Bin32::Shl, low, Box::new(FrameValue::Const32(31)));
        assert_eq!(half(&near, Half::Low), moved);
        assert_eq!(half(&near, Half::High), FrameValue::High(Box::new(near.clone())));
    }

    #[test]
    fn adding_a_multiple_of_two_to_the_32_leaves_the_low_half() {
        let value = FrameValue::Value(Value(1));
        let add = |bits| FrameValue::Bin64(Bin64::Add, Box::new(value.clone()), Box::new(FrameValue::Const64(bits)));
        assert_eq!(half(&add(5 << 32), Half::Low), FrameValue::Low(Box::new(value.clone())));
        assert_eq!(half(&add(5 << 32), Half::High), FrameValue::High(Box::new(add(5 << 32))));
        let low = Box::new(FrameValue::Low(Box::new(value.clone())));
        let sum = FrameValue::Bin32(Bin32::Add, low, Box::new(FrameValue::Const32(5)));
        assert_eq!(half(&add(5), Half::Low), sum);
    }
}
