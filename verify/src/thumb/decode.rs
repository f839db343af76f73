//! Bytes to instructions: a positive list (DDI 0403, A5 and the encodings of A7).
//!
//! Ensures: an [`Inst`] comes out only for an encoding that the manual defines, whose should-be
//! bits are as they should be, that is not UNPREDICTABLE by itself, and that [`Inst`] can express.
//! All else is an error that says which of these failed. What depends on the place inside an IT
//! block is judged by [`sem`](super::sem).
//!
//! A table row of the manual is one `match` arm or `if`; the registers that it forbids are named
//! in the lines after it.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;

use super::inst::{
    Address, BitOp, Cond, DataOp, ExtendKind, Immediate, Inst, MoveOp, MultipleMode, Reg, RegSet, SetFlags, Shift,
    ShiftKind, Sign, System, TestOp, Width, Writeback, ZeroTest,
};

mod fields;
mod float;
mod memory;
mod multiply;
mod wide;

use fields::{bit, bits, low, signed};

/// Why bytes are no instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The code ends inside the instruction.
    Truncated,
    /// The manual gives the encoding no meaning.
    Undefined,
    /// The manual calls the encoding UNPREDICTABLE.
    Unpredictable(&'static str),
    /// An instruction that the validator does not know.
    Unmodelled(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => write!(f, "the code ends inside an instruction"),
            DecodeError::Undefined => write!(f, "undefined encoding"),
            DecodeError::Unpredictable(why) => write!(f, "unpredictable encoding: {why}"),
            DecodeError::Unmodelled(what) => write!(f, "not modelled: {what}"),
        }
    }
}

impl std::error::Error for DecodeError {}

type Decoded = Result<Inst, DecodeError>;

/// The instruction at a byte offset, and its size in bytes.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(code: &[u8], offset: usize) -> Result<(Inst, u32), DecodeError> {
    let first = halfword(code, offset)?;
    // 0b11101, 0b11110 and 0b11111 begin a 32-bit instruction (A5.1).
    if first >> 11 < 0b11101 {
        return Ok((narrow(first)?, 2));
    }
    let after = offset.checked_add(2).ok_or(DecodeError::Truncated)?;
    let second = halfword(code, after)?;
    Ok((wide::decode(first << 16 | second)?, 4))
}

fn halfword(code: &[u8], offset: usize) -> Result<u32, DecodeError> {
    let end = offset.checked_add(2).ok_or(DecodeError::Truncated)?;
    match code.get(offset..end) {
        Some(&[low, high]) => Ok(u32::from(u16::from_le_bytes([low, high]))),
        Some(_) | None => Err(DecodeError::Truncated),
    }
}

/// A5.2: the 16-bit instructions.
fn narrow(h: u32) -> Decoded {
    match bits(h, 15, 11) {
        0b00000..=0b00010 => shift_immediate(h),
        0b00011 => add_subtract(h),
        0b00100..=0b00111 => immediate8(h),
        0b01000 if bit(h, 10) => high_registers(h),
        0b01000 => data_register(h),
        0b01001 => Ok(load(Width::Word, low(h, 8), Address::Literal { offset: signed(bits(h, 7, 0) * 4) })),
        0b01010 | 0b01011 => memory_register(h),
        0b01100..=0b10001 => memory_immediate(h),
        0b10010 | 0b10011 => {
            let address = Address::Offset { n: Reg::SP, offset: signed(bits(h, 7, 0) * 4) };
            let t = low(h, 8);
            Ok(if bit(h, 11) { load(Width::Word, t, address) } else { store(Width::Word, t, address) })
        }
        0b10100 => Ok(Inst::Adr { d: low(h, 8), offset: signed(bits(h, 7, 0) * 4) }),
        0b10101 => Ok(stack_immediate(DataOp::Add, low(h, 8), bits(h, 7, 0) * 4)),
        0b10110 | 0b10111 => miscellaneous(h),
        0b11000 | 0b11001 => multiple(h),
        0b11010 | 0b11011 => conditional(h),
        0b11100 => Ok(Inst::Branch { offset: fields::sign_extend(bits(h, 10, 0), 11) * 2 }),
        _ => Err(DecodeError::Undefined),
    }
}

fn load(width: Width, t: Reg, address: Address) -> Inst {
    Inst::Load { width, sign: Sign::Unsigned, t, address }
}

fn store(width: Width, t: Reg, address: Address) -> Inst {
    Inst::Store { width, t, address }
}

fn stack_immediate(op: DataOp, d: Reg, value: u32) -> Inst {
    Inst::DataImm { op, flags: SetFlags::No, d, n: Reg::SP, imm: Immediate::plain(value) }
}

/// LSL, LSR and ASR by a constant. LSL by 0 is MOVS, which always sets the flags.
fn shift_immediate(h: u32) -> Decoded {
    let shift = fields::shift(bits(h, 12, 11), bits(h, 10, 6));
    let flags = if shift == Shift::Lsl(0) { SetFlags::Yes } else { SetFlags::OutsideIt };
    Ok(Inst::MoveReg { op: MoveOp::Mov, flags, d: low(h, 0), m: low(h, 3), shift })
}

/// ADD and SUB of three registers, or of a register and 3 bits.
fn add_subtract(h: u32) -> Decoded {
    let op = if bit(h, 9) { DataOp::Sub } else { DataOp::Add };
    let (flags, d, n) = (SetFlags::OutsideIt, low(h, 0), low(h, 3));
    Ok(if bit(h, 10) {
        let imm = Immediate::plain(bits(h, 8, 6));
        Inst::DataImm { op, flags, d, n, imm }
    } else {
        let (m, shift) = (low(h, 6), Shift::Lsl(0));
        Inst::DataReg { op, flags, d, n, m, shift }
    })
}

/// MOV, CMP, ADD and SUB with 8 bits.
fn immediate8(h: u32) -> Decoded {
    let (flags, d) = (SetFlags::OutsideIt, low(h, 8));
    let imm = Immediate::plain(bits(h, 7, 0));
    let op = match bits(h, 12, 11) {
        0 => {
            return Ok(Inst::MoveImm { op: MoveOp::Mov, flags, d, imm });
        }
        1 => {
            return Ok(Inst::TestImm { op: TestOp::Cmp, n: d, imm });
        }
        2 => DataOp::Add,
        _ => DataOp::Sub,
    };
    Ok(Inst::DataImm { op, flags, d, n: d, imm })
}

/// A5.2.2: two low registers.
fn data_register(h: u32) -> Decoded {
    let (d, m, flags, shift) = (low(h, 0), low(h, 3), SetFlags::OutsideIt, Shift::Lsl(0));
    let data = |op| Inst::DataReg { op, flags, d, n: d, m, shift };
    let by_register = |kind| Inst::ShiftReg { kind, flags, d, n: d, m };
    let test = |op| Inst::TestReg { op, n: d, m, shift };
    Ok(match bits(h, 9, 6) {
        0b0000 => data(DataOp::And),
        0b0001 => data(DataOp::Eor),
        0b0010 => by_register(ShiftKind::Lsl),
        0b0011 => by_register(ShiftKind::Lsr),
        0b0100 => by_register(ShiftKind::Asr),
        0b0101 => data(DataOp::Adc),
        0b0110 => data(DataOp::Sbc),
        0b0111 => by_register(ShiftKind::Ror),
        0b1000 => test(TestOp::Tst),
        0b1001 => Inst::DataImm { op: DataOp::Rsb, flags, d, n: m, imm: Immediate::plain(0) },
        0b1010 => test(TestOp::Cmp),
        0b1011 => test(TestOp::Cmn),
        0b1100 => data(DataOp::Orr),
        0b1101 => Inst::Mul { flags, d, n: m, m: d },
        0b1110 => data(DataOp::Bic),
        _ => Inst::MoveReg { op: MoveOp::Mvn, flags, d, m, shift },
    })
}

/// A5.2.3: ADD, CMP, MOV on all registers, BX and BLX.
fn high_registers(h: u32) -> Decoded {
    let d = Reg::field(bits(h, 7, 7) << 3 | bits(h, 2, 0));
    let m = Reg::field(bits(h, 6, 3));
    let shift = Shift::Lsl(0);
    let uses_pc = d == Reg::PC || m == Reg::PC;
    match bits(h, 9, 8) {
        0b01 if bits(h, 7, 6) == 0 => Err(DecodeError::Unpredictable("CMP of two low registers")),
        0b01 if uses_pc => Err(DecodeError::Unpredictable("CMP with PC")),
        0b01 => Ok(Inst::TestReg { op: TestOp::Cmp, n: d, m, shift }),
        0b00 if uses_pc => Err(DecodeError::Unmodelled("ADD with PC")),
        0b00 => Ok(Inst::DataReg { op: DataOp::Add, flags: SetFlags::No, d, n: d, m, shift }),
        0b10 if uses_pc => Err(DecodeError::Unmodelled("MOV with PC")),
        0b10 => Ok(Inst::MoveReg { op: MoveOp::Mov, flags: SetFlags::No, d, m, shift }),
        _ => {
            fields::should_be(h, 0b111, 0)?;
            if m == Reg::PC {
                return Err(DecodeError::Unpredictable("branch to PC"));
            }
            if m == Reg::SP {
                return Err(DecodeError::Unmodelled("branch to the stack"));
            }
            Ok(if bit(h, 7) { Inst::BranchLinkReg { m } } else { Inst::BranchReg { m } })
        }
    }
}

/// Loads and stores at a register plus a register.
fn memory_register(h: u32) -> Decoded {
    let t = low(h, 0);
    let address = Address::Index { n: low(h, 3), m: low(h, 6), shift: 0 };
    let sign_extended = |width| Inst::Load { width, sign: Sign::Signed, t, address };
    Ok(match bits(h, 11, 9) {
        0b000 => store(Width::Word, t, address),
        0b001 => store(Width::Half, t, address),
        0b010 => store(Width::Byte, t, address),
        0b011 => sign_extended(Width::Byte),
        0b100 => load(Width::Word, t, address),
        0b101 => load(Width::Half, t, address),
        0b110 => load(Width::Byte, t, address),
        _ => sign_extended(Width::Half),
    })
}

/// Loads and stores at a register plus 5 bits.
fn memory_immediate(h: u32) -> Decoded {
    let width = match bits(h, 15, 12) {
        0b0110 => Width::Word,
        0b0111 => Width::Byte,
        _ => Width::Half,
    };
    let address = Address::Offset { n: low(h, 3), offset: signed(bits(h, 10, 6) * width.bytes()) };
    let t = low(h, 0);
    Ok(if bit(h, 11) { load(width, t, address) } else { store(width, t, address) })
}

/// STM and LDM of low registers. LDM writes back unless it loads its base.
fn multiple(h: u32) -> Decoded {
    let (n, list) = (low(h, 8), bits(h, 7, 0));
    let registers = RegSet::from_bits(u64::from(list));
    if registers.is_empty() {
        return Err(DecodeError::Unpredictable("no register to transfer"));
    }
    let mode = MultipleMode::IncrementAfter;
    if bit(h, 11) {
        let writeback = if registers.contains(n) { Writeback::No } else { Writeback::Yes };
        return Ok(Inst::LoadMultiple { n, writeback, mode, registers });
    }
    if registers.contains(n) && registers.iter().next() != Some(n) {
        return Err(DecodeError::Unpredictable("stores its base after writing it"));
    }
    Ok(Inst::StoreMultiple { n, writeback: Writeback::Yes, mode, registers })
}

/// Conditional branches, UDF and SVC.
fn conditional(h: u32) -> Decoded {
    let imm = bits(h, 7, 0);
    match (Cond::from_code(bits(h, 11, 8)), bit(h, 8)) {
        (Some(cond), _) => Ok(Inst::BranchCond { cond, offset: fields::sign_extend(imm, 8) * 2 }),
        (None, false) => Ok(Inst::Udf { imm: imm as u8 }),
        (None, true) => Ok(Inst::System(System::Svc(imm as u8))),
    }
}

/// A5.2.5: miscellaneous 16-bit instructions.
fn miscellaneous(h: u32) -> Decoded {
    match bits(h, 11, 8) {
        0b0000 => {
            let op = if bit(h, 7) { DataOp::Sub } else { DataOp::Add };
            Ok(stack_immediate(op, Reg::SP, bits(h, 6, 0) * 4))
        }
        0b0001 | 0b0011 | 0b1001 | 0b1011 => Ok(Inst::CompareBranch {
            test: if bit(h, 11) { ZeroTest::NonZero } else { ZeroTest::Zero },
            n: low(h, 0),
            offset: signed(bits(h, 9, 9) << 6 | bits(h, 7, 3) << 1),
        }),
        0b0010 => Ok(Inst::Extend {
            kind: match bits(h, 7, 6) {
                0 => ExtendKind::Sxth,
                1 => ExtendKind::Sxtb,
                2 => ExtendKind::Uxth,
                _ => ExtendKind::Uxtb,
            },
            d: low(h, 0),
            n: None,
            m: low(h, 3),
            rotate: 0,
        }),
        0b0100 | 0b0101 | 0b1100 | 0b1101 => push_pop(h),
        0b0110 if bits(h, 7, 5) == 0b011 => {
            fields::should_be(h, 0b1100, 0)?;
            if bits(h, 1, 0) == 0 {
                return Err(DecodeError::Unpredictable("CPS that changes nothing"));
            }
            Ok(Inst::System(System::Cps))
        }
        0b1010 => {
            let op = match bits(h, 7, 6) {
                0 => BitOp::Rev,
                1 => BitOp::Rev16,
                3 => BitOp::Revsh,
                _ => return Err(DecodeError::Undefined),
            };
            Ok(Inst::Bits { op, d: low(h, 0), m: low(h, 3) })
        }
        0b1110 => Ok(Inst::System(System::Bkpt(bits(h, 7, 0) as u8))),
        0b1111 => it_or_hint(h),
        _ => Err(DecodeError::Undefined),
    }
}

/// PUSH with LR, POP with PC.
fn push_pop(h: u32) -> Decoded {
    let extra = if bit(h, 8) { if bit(h, 11) { 1 << 15 } else { 1 << 14 } } else { 0 };
    let registers = RegSet::from_bits(u64::from(bits(h, 7, 0) | extra));
    if registers.is_empty() {
        return Err(DecodeError::Unpredictable("no register to transfer"));
    }
    let (n, writeback) = (Reg::SP, Writeback::Yes);
    Ok(if bit(h, 11) {
        Inst::LoadMultiple { n, writeback, mode: MultipleMode::IncrementAfter, registers }
    } else {
        Inst::StoreMultiple { n, writeback, mode: MultipleMode::DecrementBefore, registers }
    })
}

fn it_or_hint(h: u32) -> Decoded {
    let mask = bits(h, 3, 0);
    if mask == 0 {
        return fields::hint(bits(h, 7, 4));
    }
    match Cond::from_code(bits(h, 7, 4)) {
        Some(first) => Ok(Inst::It { first, mask: mask as u8 }),
        None if bit(h, 4) => Err(DecodeError::Unpredictable("IT with condition 15")),
        None => Err(DecodeError::Unmodelled("IT with condition AL")),
    }
}
