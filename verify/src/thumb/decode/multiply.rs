//! The 32-bit multiplications and divisions (A5.3.14 and A5.3.15).

use super::super::inst::{Inst, LongOp, Reg, SetFlags, Sign};
use super::fields::{bits, not, ordinary, register, should_be};
use super::{DecodeError, Decoded};

/// Multiplications with a 32-bit result.
pub(super) fn word(w: u32) -> Decoded {
    let (n, a, d, m) = (register(w, 16), register(w, 12), register(w, 8), register(w, 0));
    match (bits(w, 22, 20), bits(w, 7, 4)) {
        (0b000, 0b0000) => {
            ordinary(&[d, n, m])?;
            not(Reg::SP, a)?;
            Ok(if a == Reg::PC {
                let flags = SetFlags::No;
                Inst::Mul { flags, d, n, m }
            } else {
                Inst::Mla { d, n, m, a }
            })
        }
        (0b000, 0b0001) => {
            ordinary(&[d, n, m, a])?;
            Ok(Inst::Mls { d, n, m, a })
        }
        (0b101, 0b0000) => {
            ordinary(&[d, n, m])?;
            not(Reg::SP, a)?;
            Ok(if a == Reg::PC { Inst::Smmul { d, n, m } } else { Inst::Smmla { d, n, m, a } })
        }
        (0b001, 0b0000..=0b0011)
        | (0b010..=0b100, 0b0000 | 0b0001)
        | (0b101, 0b0001)
        | (0b110, 0b0000 | 0b0001)
        | (0b111, 0b0000) => Err(DecodeError::Unmodelled("a multiplication of the DSP extension")),
        _ => Err(DecodeError::Undefined),
    }
}

/// Multiplications with a 64-bit result, and divisions.
pub(super) fn long(w: u32) -> Decoded {
    let (n, lo, hi, m) = (register(w, 16), register(w, 12), register(w, 8), register(w, 0));
    let op = match (bits(w, 22, 20), bits(w, 7, 4)) {
        (0b000, 0b0000) => LongOp::Smull,
        (0b010, 0b0000) => LongOp::Umull,
        (0b100, 0b0000) => LongOp::Smlal,
        (0b110, 0b0000) => LongOp::Umlal,
        (0b110, 0b0110) => LongOp::Umaal,
        (op @ (0b001 | 0b011), 0b1111) => {
            should_be(w, 0xf << 12, 0xf << 12)?;
            ordinary(&[hi, n, m])?;
            let sign = if op == 0b001 { Sign::Signed } else { Sign::Unsigned };
            return Ok(Inst::Div { sign, d: hi, n, m });
        }
        (0b100, 0b1000..=0b1101) | (0b101, 0b1100 | 0b1101) => {
            return Err(DecodeError::Unmodelled("a multiplication of the DSP extension"));
        }
        _ => return Err(DecodeError::Undefined),
    };
    ordinary(&[lo, hi, n, m])?;
    if lo == hi {
        return Err(DecodeError::Unpredictable("both halves of a result in one register"));
    }
    Ok(Inst::MulLong { op, lo, hi, n, m })
}
