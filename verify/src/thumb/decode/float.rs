//! The floating-point unit (DDI 0403, A6.4 to A6.7; for VRINT also DDI 0553, C2.4).

use super::super::float::{FloatInst, FloatReg, SignOp, Words};
use super::super::inst::{Address, Inst, MultipleMode, Reg, System, Writeback};
use super::fields::{bit, bits, not, ordinary, register, should_be, up_or_down};
use super::{DecodeError, Decoded};
use crate::float::{Binary, Float, Format, Sign, Unary};
use crate::hints::Sort;

/// Coprocessors 10 and 11 are the unit: single and double precision.
pub(super) fn decode(w: u32) -> Decoded {
    if bits(w, 11, 9) != 0b101 || bits(w, 27, 26) != 0b11 {
        return Err(DecodeError::Unmodelled("a coprocessor instruction"));
    }
    let inst = match (bit(w, 28), bit(w, 25), bit(w, 24), bit(w, 4)) {
        (false, false, ..) => memory(w)?,
        (false, true, false, false) => data(w)?,
        (false, true, false, true) => return transfer(w),
        (true, true, false, false) => unconditional(w)?,
        _ => return Err(DecodeError::Unmodelled("an instruction of a coprocessor or of vectors")),
    };
    Ok(Inst::Float(inst))
}

type Found = Result<FloatInst, DecodeError>;

/// A register from four bits and one. There are sixteen double registers.
fn float_register(format: Format, four: u32, one: u32) -> Result<FloatReg, DecodeError> {
    match format {
        Format::F32 => Ok(FloatReg::Single((four << 1 | one) as u8)),
        Format::F64 if one == 0 => Ok(FloatReg::Double(four as u8)),
        Format::F64 => Err(DecodeError::Undefined),
    }
}

fn destination(w: u32, format: Format) -> Result<FloatReg, DecodeError> {
    float_register(format, bits(w, 15, 12), bits(w, 22, 22))
}

fn first(w: u32, format: Format) -> Result<FloatReg, DecodeError> {
    float_register(format, bits(w, 19, 16), bits(w, 7, 7))
}

fn second(w: u32, format: Format) -> Result<FloatReg, DecodeError> {
    float_register(format, bits(w, 3, 0), bits(w, 5, 5))
}

fn format(w: u32) -> Format {
    if bit(w, 8) { Format::F64 } else { Format::F32 }
}

/// A6.4: by opc1 without its D bit, and bit 6.
fn data(w: u32) -> Found {
    let format = format(w);
    let op = match (bit(w, 23), bits(w, 21, 20), bit(w, 6)) {
        (false, 0b10, false) => Binary::Mul,
        (false, 0b11, false) => Binary::Add,
        (false, 0b11, true) => Binary::Sub,
        (true, 0b00, false) => Binary::Div,
        (true, 0b11, false) => return constant(w),
        (true, 0b11, true) => return unary(w),
        _ => return Err(DecodeError::Unmodelled("a fused, negated or accumulating product")),
    };
    let op = Float::Binary(op, format);
    Ok(FloatInst::Compute { op, d: destination(w, format)?, n: Some(first(w, format)?), m: second(w, format)? })
}

/// `VFPExpandImm` (A6.4.1).
fn constant(w: u32) -> Found {
    should_be(w, 0b1010_0000, 0)?;
    let imm = bits(w, 19, 16) << 4 | bits(w, 3, 0);
    let (sign, fraction) = (u64::from(imm >> 7), u64::from(bits(imm, 3, 0)));
    let exponent = u64::from(bits(imm, 5, 4));
    let format = format(w);
    let bits = match (format, bit(imm, 6)) {
        (Format::F32, false) => sign << 31 | 0b1000_0000 << 23 | exponent << 23 | fraction << 19,
        (Format::F32, true) => sign << 31 | 0b0111_1100 << 23 | exponent << 23 | fraction << 19,
        (Format::F64, false) => sign << 63 | 0b100_0000_0000 << 52 | exponent << 52 | fraction << 48,
        (Format::F64, true) => sign << 63 | 0b011_1111_1100 << 52 | exponent << 52 | fraction << 48,
    };
    Ok(FloatInst::Constant { d: destination(w, format)?, bits })
}

/// Table A6-3, the other operations: by opc2 and bit 7.
fn unary(w: u32) -> Found {
    let format = format(w);
    let (d, m) = (|| destination(w, format), || second(w, format));
    let compute = |op: Float, d, m| Ok(FloatInst::Compute { op, d, n: None, m });
    match (bits(w, 19, 16), bit(w, 7)) {
        (0b0000, false) => Ok(FloatInst::Move { d: d()?, m: m()? }),
        (0b0000, true) => Ok(FloatInst::Sign { op: SignOp::Abs, d: d()?, m: m()? }),
        (0b0001, false) => Ok(FloatInst::Sign { op: SignOp::Neg, d: d()?, m: m()? }),
        (0b0001, true) => compute(Float::Unary(Unary::Sqrt, format), d()?, m()?),
        (0b0100, false) => Ok(FloatInst::Compare { n: d()?, m: Some(m()?) }),
        (0b0101, false) => {
            should_be(w, 0b10_1111, 0)?;
            Ok(FloatInst::Compare { n: d()?, m: None })
        }
        (0b0110, true) => compute(Float::Unary(Unary::Trunc, format), d()?, m()?),
        (0b0111, true) => match format {
            Format::F32 => compute(Float::Promote, destination(w, Format::F64)?, m()?),
            Format::F64 => compute(Float::Demote, destination(w, Format::F32)?, m()?),
        },
        (0b1000, signed) => compute(Float::Convert(Sort::W32, sign(signed), format), d()?, second(w, Format::F32)?),
        (0b1100, true) => truncate(w, Sign::Unsigned),
        (0b1101, true) => truncate(w, Sign::Signed),
        _ => Err(DecodeError::Unmodelled("a conversion, rounding or comparison of another kind")),
    }
}

fn sign(signed: bool) -> Sign {
    if signed { Sign::Signed } else { Sign::Unsigned }
}

/// VCVT towards zero: it saturates, and gives 0 for a NaN, as `FPToFixed` does (DDI 0403, A2.5.8).
fn truncate(w: u32, sign: Sign) -> Found {
    let format = format(w);
    let op = Float::Truncate(format, Sort::W32, sign);
    Ok(FloatInst::Compute { op, d: destination(w, Format::F32)?, n: None, m: second(w, format)? })
}

/// What has no condition: VRINTN, VRINTP, VRINTM.
fn unconditional(w: u32) -> Found {
    let is_rounding = bit(w, 23) && bits(w, 21, 18) == 0b1110 && bits(w, 7, 6) == 0b01;
    let op = match bits(w, 17, 16) {
        0b01 if is_rounding => Unary::Nearest,
        0b10 if is_rounding => Unary::Ceil,
        0b11 if is_rounding => Unary::Floor,
        _ => return Err(DecodeError::Unmodelled("a selection, minimum, maximum, or rounding of another kind")),
    };
    let format = format(w);
    Ok(FloatInst::Compute { op: Float::Unary(op, format), d: destination(w, format)?, n: None, m: second(w, format)? })
}

/// A6.6: one word, and the status register.
fn transfer(w: u32) -> Decoded {
    let (t, to_core) = (register(w, 12), bit(w, 20));
    match (bits(w, 23, 21), bit(w, 8)) {
        (0b000, false) => {
            should_be(w, 0b110_1111, 0)?;
            ordinary(&[t])?;
            let single = Words::Float(first(w, Format::F32)?);
            let (d, m) = if to_core { (Words::Core(t), single) } else { (single, Words::Core(t)) };
            Ok(Inst::Float(FloatInst::Transfer { d, m }))
        }
        (0b111, false) if bits(w, 19, 16) == 0b0001 => {
            should_be(w, 0b1110_1111, 0)?;
            if to_core && t == Reg::PC {
                return Ok(Inst::Float(FloatInst::Flags));
            }
            ordinary(&[t])?;
            Ok(Inst::System(if to_core { System::Vmrs { d: t } } else { System::Vmsr { n: t } }))
        }
        _ => Err(DecodeError::Unmodelled("a part of a double register, or another status register")),
    }
}

/// A6.5 and A6.7: loads and stores, and two words from or to core registers.
fn memory(w: u32) -> Found {
    let (up, writes_back, is_load) = (bit(w, 23), bit(w, 21), bit(w, 20));
    match (bit(w, 24), up, writes_back) {
        (false, false, false) if bit(w, 22) => pair(w),
        (true, _, false) => single(w, is_load),
        (false, true, _) => multiple(w, MultipleMode::IncrementAfter),
        (true, false, true) => multiple(w, MultipleMode::DecrementBefore),
        _ => Err(DecodeError::Undefined),
    }
}

fn pair(w: u32) -> Found {
    should_be(w, 0b1101_0000, 0b0001_0000)?;
    let (t, t2) = (register(w, 12), register(w, 16));
    ordinary(&[t, t2])?;
    let float = match format(w) {
        Format::F64 => Words::Float(second(w, Format::F64)?),
        Format::F32 => match (bits(w, 3, 0) << 1 | bits(w, 5, 5)) as u8 {
            31 => return Err(DecodeError::Unpredictable("no register behind s31")),
            first => Words::Singles(first),
        },
    };
    if !bit(w, 20) {
        return Ok(FloatInst::Transfer { d: float, m: Words::CorePair(t, t2) });
    }
    if t == t2 {
        return Err(DecodeError::Unpredictable("two results in one register"));
    }
    Ok(FloatInst::Transfer { d: Words::CorePair(t, t2), m: float })
}

fn single(w: u32, is_load: bool) -> Found {
    let d = destination(w, format(w))?;
    let (n, offset) = (register(w, 16), up_or_down(bit(w, 23), 4 * bits(w, 7, 0)));
    if !is_load {
        not(Reg::PC, n)?;
        return Ok(FloatInst::Store { d, address: Address::Offset { n, offset } });
    }
    let address = if n == Reg::PC { Address::Literal { offset } } else { Address::Offset { n, offset } };
    Ok(FloatInst::Load { d, address })
}

fn multiple(w: u32, mode: MultipleMode) -> Found {
    let n = register(w, 16);
    not(Reg::PC, n)?;
    let first = destination(w, format(w))?;
    let words = bits(w, 7, 0) as u8;
    let (count, behind) = match first {
        FloatReg::Single(number) => (words, 32 - number),
        FloatReg::Double(_) if words % 2 == 1 => return Err(DecodeError::Unmodelled("FLDMX or FSTMX")),
        FloatReg::Double(number) => (words / 2, 16 - number),
    };
    if count == 0 || count > behind {
        return Err(DecodeError::Unpredictable("no register, or more than there are"));
    }
    let writeback = if bit(w, 21) { Writeback::Yes } else { Writeback::No };
    Ok(if bit(w, 20) {
        FloatInst::LoadMultiple { n, writeback, mode, first, count }
    } else {
        FloatInst::StoreMultiple { n, writeback, mode, first, count }
    })
}
