//! The 32-bit instructions (A5.3), as one word with the first halfword on top: data processing,
//! branches and control.

use super::super::inst::{
    BitOp, Cond, DataOp, ExtendKind, Immediate, Inst, MoveOp, Reg, SetFlags, Shift, ShiftKind, Sign, System, TestOp,
};
use super::fields::{bit, bits, expand, hint, not, ordinary, register, set_flags, should_be, sign_extend};
use super::{DecodeError, Decoded, fields, float, memory, multiply};

/// A5.3: by the fields op1, op2 and op.
pub(super) fn decode(w: u32) -> Decoded {
    match (bits(w, 28, 27), bits(w, 26, 20)) {
        (0b01, op) if op & 0b110_0100 == 0 => memory::multiple(w),
        (0b01, op) if op & 0b110_0100 == 0b000_0100 => memory::dual_or_table(w),
        (0b01, op) if op & 0b110_0000 == 0b010_0000 => shifted_register(w),
        (0b01, _) => float::decode(w),
        (0b10, _) if bit(w, 15) => control(w),
        (0b10, op) if op & 0b010_0000 == 0 => modified_immediate(w),
        (0b10, _) => plain_immediate(w),
        (_, op) if op & 0b110_0000 == 0 => memory::single(w),
        (_, op) if op & 0b111_0000 == 0b010_0000 => data_register(w),
        (_, op) if op & 0b111_1000 == 0b011_0000 => multiply::word(w),
        (_, op) if op & 0b111_1000 == 0b011_1000 => multiply::long(w),
        _ => float::decode(w),
    }
}

/// A row of the tables A5-10 and A5-22, which have the same operations.
enum Row {
    Data(DataOp),
    Move(MoveOp),
    Test(TestOp),
}

/// The operation, by opcode, destination and first operand: with PC as the destination of a
/// flag-setting operation only the flags remain, with PC as first operand only the second.
fn row(w: u32) -> Result<Row, DecodeError> {
    let n_is_pc = register(w, 16) == Reg::PC;
    let only_flags = register(w, 8) == Reg::PC && bit(w, 20);
    Ok(match bits(w, 24, 21) {
        0b0000 if only_flags => Row::Test(TestOp::Tst),
        0b0000 => Row::Data(DataOp::And),
        0b0001 => Row::Data(DataOp::Bic),
        0b0010 if n_is_pc => Row::Move(MoveOp::Mov),
        0b0010 => Row::Data(DataOp::Orr),
        0b0011 if n_is_pc => Row::Move(MoveOp::Mvn),
        0b0011 => Row::Data(DataOp::Orn),
        0b0100 if only_flags => Row::Test(TestOp::Teq),
        0b0100 => Row::Data(DataOp::Eor),
        0b1000 if only_flags => Row::Test(TestOp::Cmn),
        0b1000 => Row::Data(DataOp::Add),
        0b1010 => Row::Data(DataOp::Adc),
        0b1011 => Row::Data(DataOp::Sbc),
        0b1101 if only_flags => Row::Test(TestOp::Cmp),
        0b1101 => Row::Data(DataOp::Sub),
        0b1110 => Row::Data(DataOp::Rsb),
        _ => return Err(DecodeError::Undefined),
    })
}

/// Whether the first operand may be SP: in a comparison, and in the instructions ADD and SUB
/// (SP plus or minus immediate or register), the only ones whose destination may be SP too.
fn check_first(row: &Row, d: Reg, n: Reg) -> Result<(), DecodeError> {
    match row {
        Row::Data(DataOp::Add | DataOp::Sub) if n == Reg::SP => not(Reg::PC, d),
        Row::Data(DataOp::Add | DataOp::Sub) => {
            ordinary(&[d])?;
            not(Reg::PC, n)
        }
        Row::Data(
            DataOp::And
            | DataOp::Bic
            | DataOp::Orr
            | DataOp::Orn
            | DataOp::Eor
            | DataOp::Adc
            | DataOp::Sbc
            | DataOp::Rsb,
        ) => ordinary(&[d, n]),
        Row::Move(MoveOp::Mov | MoveOp::Mvn) => ordinary(&[d]),
        Row::Test(TestOp::Cmp | TestOp::Cmn) => not(Reg::PC, n),
        Row::Test(TestOp::Tst | TestOp::Teq) => ordinary(&[n]),
    }
}

/// A5.3.1: data processing with a modified constant.
fn modified_immediate(w: u32) -> Decoded {
    let row = row(w)?;
    let (n, d, flags) = (register(w, 16), register(w, 8), set_flags(w, 20));
    check_first(&row, d, n)?;
    let imm = expand(imm12(w))?;
    Ok(match row {
        Row::Data(op) => Inst::DataImm { op, flags, d, n, imm },
        Row::Move(op) => Inst::MoveImm { op, flags, d, imm },
        Row::Test(op) => Inst::TestImm { op, n, imm },
    })
}

/// `i:imm3:imm8`.
fn imm12(w: u32) -> u32 {
    bits(w, 26, 26) << 11 | bits(w, 14, 12) << 8 | bits(w, 7, 0)
}

/// `imm4:i:imm3:imm8`.
fn imm16(w: u32) -> u16 {
    (bits(w, 19, 16) << 12 | imm12(w)) as u16
}

/// A5.3.11: data processing with a shifted register.
fn shifted_register(w: u32) -> Decoded {
    if bits(w, 24, 21) == 0b0110 {
        return Err(DecodeError::Unmodelled("PKHBT or PKHTB"));
    }
    let row = row(w)?;
    let (n, d, m) = (register(w, 16), register(w, 8), register(w, 0));
    let flags = set_flags(w, 20);
    let shift = fields::shift(bits(w, 5, 4), bits(w, 14, 12) << 2 | bits(w, 7, 6));
    should_be(w, 1 << 15, 0)?;
    if let Row::Move(MoveOp::Mov) = row
        && shift == Shift::Lsl(0)
        && flags == SetFlags::No
    {
        // MOV (register) T3 may move to or from SP, not both.
        not(Reg::PC, d)?;
        not(Reg::PC, m)?;
        if d == Reg::SP {
            not(Reg::SP, m)?;
        }
    } else {
        check_first(&row, d, n)?;
        ordinary(&[m])?;
    }
    if d == Reg::SP && matches!(row, Row::Data(_)) && !matches!(shift, Shift::Lsl(0..=3)) {
        return Err(DecodeError::Unpredictable("SP by a far shift"));
    }
    Ok(match row {
        Row::Data(op) => Inst::DataReg { op, flags, d, n, m, shift },
        Row::Move(op) => Inst::MoveReg { op, flags, d, m, shift },
        Row::Test(op) => Inst::TestReg { op, n, m, shift },
    })
}

/// A5.3.3: data processing with a plain constant.
fn plain_immediate(w: u32) -> Decoded {
    let (n, d) = (register(w, 16), register(w, 8));
    match bits(w, 24, 20) {
        0b00000 => add_plain(w, DataOp::Add),
        0b01010 => add_plain(w, DataOp::Sub),
        0b00100 => {
            ordinary(&[d])?;
            Ok(Inst::MovW { d, imm: imm16(w) })
        }
        0b01100 => {
            ordinary(&[d])?;
            Ok(Inst::MovT { d, imm: imm16(w) })
        }
        0b10100 => extract(w, Sign::Signed),
        0b11100 => extract(w, Sign::Unsigned),
        0b10110 => {
            should_be(w, 1 << 26 | 1 << 5, 0)?;
            ordinary(&[d])?;
            not(Reg::SP, n)?;
            let (msb, lsb) = (bits(w, 4, 0), bit_offset(w));
            if msb < lsb {
                return Err(DecodeError::Unpredictable("a bit field that ends before it begins"));
            }
            Ok(Inst::Bfi { d, n: (n != Reg::PC).then_some(n), lsb: lsb as u8, width: (msb - lsb + 1) as u8 })
        }
        0b10000 | 0b10010 | 0b11000 | 0b11010 => Err(DecodeError::Unmodelled("a saturation")),
        _ => Err(DecodeError::Undefined),
    }
}

/// `imm3:imm2`, the lowest bit of a bit field.
fn bit_offset(w: u32) -> u32 {
    bits(w, 14, 12) << 2 | bits(w, 7, 6)
}

/// ADDW, SUBW and ADR.
fn add_plain(w: u32, op: DataOp) -> Decoded {
    let (n, d, value) = (register(w, 16), register(w, 8), imm12(w));
    if n == Reg::PC {
        ordinary(&[d])?;
        let offset = fields::up_or_down(op == DataOp::Add, value);
        return Ok(Inst::Adr { d, offset });
    }
    check_first(&Row::Data(op), d, n)?;
    Ok(Inst::DataImm { op, flags: SetFlags::No, d, n, imm: Immediate::plain(value) })
}

/// SBFX and UBFX.
fn extract(w: u32, sign: Sign) -> Decoded {
    let (n, d) = (register(w, 16), register(w, 8));
    should_be(w, 1 << 26 | 1 << 5, 0)?;
    ordinary(&[d, n])?;
    let (lsb, width) = (bit_offset(w), bits(w, 4, 0) + 1);
    if lsb + width > 32 {
        return Err(DecodeError::Unpredictable("a bit field past bit 31"));
    }
    Ok(Inst::Bfx { sign, d, n, lsb: lsb as u8, width: width as u8 })
}

/// A5.3.4: branches and miscellaneous control.
fn control(w: u32) -> Decoded {
    match (bit(w, 14), bit(w, 12)) {
        (false, false) => match Cond::from_code(bits(w, 25, 22)) {
            Some(cond) => {
                let (s, j1, j2) = (bits(w, 26, 26), bits(w, 13, 13), bits(w, 11, 11));
                let offset = s << 19 | j2 << 18 | j1 << 17 | bits(w, 21, 16) << 11 | bits(w, 10, 0);
                Ok(Inst::BranchCond { cond, offset: sign_extend(offset, 20) * 2 })
            }
            None => system(w),
        },
        (false, true) => Ok(Inst::Branch { offset: far_offset(w) }),
        (true, true) => Ok(Inst::BranchLink { offset: far_offset(w) }),
        (true, false) => Err(DecodeError::Undefined),
    }
}

/// The 25-bit offset of B T4 and BL: J1 and J2 are coded relative to S.
fn far_offset(w: u32) -> i32 {
    let s = bits(w, 26, 26);
    let i1 = 1 ^ bits(w, 13, 13) ^ s;
    let i2 = 1 ^ bits(w, 11, 11) ^ s;
    let offset = s << 23 | i1 << 22 | i2 << 21 | bits(w, 25, 16) << 11 | bits(w, 10, 0);
    sign_extend(offset, 24) * 2
}

/// The special registers of B5.1 that Armv7-M has.
fn special(sysm: u32) -> Result<u8, DecodeError> {
    match sysm {
        0..=3 | 5..=9 | 16..=20 => Ok(sysm as u8),
        _ => Err(DecodeError::Unpredictable("no such special register")),
    }
}

/// MSR, MRS, hints, barriers and the 32-bit UDF.
fn system(w: u32) -> Decoded {
    match bits(w, 26, 20) {
        0b011_1000 | 0b011_1001 => {
            should_be(w, 1 << 20 | 1 << 13 | 0b11 << 8, 0)?;
            let (n, mask) = (register(w, 16), bits(w, 11, 10) as u8);
            ordinary(&[n])?;
            let sysm = special(bits(w, 7, 0))?;
            if mask == 0 || (mask != 0b10 && sysm > 3) {
                return Err(DecodeError::Unpredictable("MSR with a wrong mask"));
            }
            Ok(Inst::System(System::Msr { n, sysm, mask }))
        }
        0b011_1110 | 0b011_1111 => {
            should_be(w, 1 << 20 | 0xf << 16 | 1 << 13, 0xf << 16)?;
            let d = register(w, 8);
            ordinary(&[d])?;
            let sysm = special(bits(w, 7, 0))?;
            Ok(Inst::System(System::Mrs { d, sysm }))
        }
        0b011_1010 => {
            if bits(w, 10, 8) != 0 {
                return Err(DecodeError::Undefined);
            }
            should_be(w, 0xf << 16 | 1 << 13 | 1 << 11, 0xf << 16)?;
            hint(bits(w, 7, 0))
        }
        0b011_1011 => {
            let barrier = match bits(w, 7, 4) {
                0b0010 => {
                    should_be(w, 0xf, 0xf)?;
                    System::Clrex
                }
                0b0100 => System::Dsb,
                0b0101 => System::Dmb,
                0b0110 => System::Isb,
                _ => return Err(DecodeError::Undefined),
            };
            should_be(w, 0xf << 16 | 1 << 13 | 0xf << 8, 0xf << 16 | 0xf << 8)?;
            Ok(Inst::System(barrier))
        }
        0b111_1111 if bit(w, 13) => Err(DecodeError::Unmodelled("the 32-bit UDF")),
        _ => Err(DecodeError::Undefined),
    }
}

/// A5.3.12: data processing with registers only.
fn data_register(w: u32) -> Decoded {
    if bits(w, 15, 12) != 0xf {
        return Err(DecodeError::Undefined);
    }
    let (n, d, m) = (register(w, 16), register(w, 8), register(w, 0));
    let (op1, op2) = (bits(w, 23, 20), bits(w, 7, 4));
    match (op1, op2) {
        (0b0000..=0b0111, 0b0000) => {
            ordinary(&[d, n, m])?;
            let kind = match op1 >> 1 {
                0 => ShiftKind::Lsl,
                1 => ShiftKind::Lsr,
                2 => ShiftKind::Asr,
                _ => ShiftKind::Ror,
            };
            let flags = set_flags(w, 20);
            Ok(Inst::ShiftReg { kind, flags, d, n, m })
        }
        (0b0000..=0b0101, 0b1000..=0b1111) => extend(w, op1),
        (0b1001 | 0b1011, 0b1000..=0b1011) => {
            let op = match (op1, op2 & 3) {
                (0b1001, 0) => BitOp::Rev,
                (0b1001, 1) => BitOp::Rev16,
                (0b1001, 2) => BitOp::Rbit,
                (0b1001, _) => BitOp::Revsh,
                (_, 0) => BitOp::Clz,
                (_, _) => return Err(DecodeError::Undefined),
            };
            if n != m {
                return Err(DecodeError::Unpredictable("the two copies of the operand differ"));
            }
            ordinary(&[d, m])?;
            Ok(Inst::Bits { op, d, m })
        }
        (0b1000..=0b1110, 0b0000..=0b0111) => Err(DecodeError::Unmodelled("parallel arithmetic")),
        (0b1000 | 0b1010, 0b1000..=0b1011) => Err(DecodeError::Unmodelled("saturating arithmetic or SEL")),
        _ => Err(DecodeError::Undefined),
    }
}

/// The extensions, and with a first operand other than PC the extensions with addition.
fn extend(w: u32, op1: u32) -> Decoded {
    let (n, d, m) = (register(w, 16), register(w, 8), register(w, 0));
    let kind = match op1 {
        0 => ExtendKind::Sxth,
        1 => ExtendKind::Uxth,
        4 => ExtendKind::Sxtb,
        5 => ExtendKind::Uxtb,
        _ => return Err(DecodeError::Unmodelled("extension of two bytes")),
    };
    should_be(w, 1 << 6, 0)?;
    ordinary(&[d, m])?;
    not(Reg::SP, n)?;
    Ok(Inst::Extend { kind, d, n: (n != Reg::PC).then_some(n), m, rotate: (bits(w, 5, 4) * 8) as u8 })
}
