//! The encoder: one instruction, one or two halfwords (DDI0403, chapter A7).
//!
//! Requires: distances in reach of the width asked for; registers that the manual allows in the
//! instruction (SP only as an operand of additions, moves, comparisons and addresses; PC nowhere
//! but in a POP).
//! Ensures: the 16-bit encoding wherever one says the same. Outside an IT block most 16-bit
//! data processing sets flags and inside it none does; [`FlagsMode`] says what is allowed.

use crate::vcode::imm::{Imm12, ModifiedImm};
use crate::vcode::inst::{
    Address, AluOp, CompareOp, Cond, LoadKind, MulLongAddOp, Operand2, ShiftOp, Sign, StoreKind, UnaryOp, WideOp,
    ZeroTest,
};
use crate::vcode::reg::{PReg, RegSet};

use super::float;
use super::machine::{EntryWidth, FlagsMode, Machine, Position, Side, Width};

#[cfg(test)]
mod tests;

/// An encoded instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// 16 bits.
    Narrow(u16),
    /// 32 bits, the halfword at the lower address first.
    Wide(u16, u16),
}

impl Code {
    /// Number of bytes. An instruction has no length of 0.
    pub fn bytes(self) -> u32 {
        match self {
            Code::Narrow(_) => 2,
            Code::Wide(..) => 4,
        }
    }

    /// Appends the bytes, each halfword little-endian (DDI0403, A3.3).
    pub fn append_to(self, bytes: &mut Vec<u8>) {
        match self {
            Code::Narrow(half) => bytes.extend(half.to_le_bytes()),
            Code::Wide(first, second) => {
                bytes.extend(first.to_le_bytes());
                bytes.extend(second.to_le_bytes());
            }
        }
    }
}

/// Encodes an instruction.
///
/// # Panics
/// If a distance is out of reach of the width asked for.
#[expect(clippy::too_many_lines, reason = "one row per instruction")]
pub fn encode(inst: &Machine, position: Position) -> Code {
    match *inst {
        Machine::Alu { op, flags, d, n, m } => match narrow_alu(op, (flags, position), (d, n, m)) {
            Some(half) => Code::Narrow(half),
            None => data_processing(alu_code(op), flags, (d, bits(n)), m),
        },
        Machine::AluWide { op, d, n, imm } => {
            let first = match op {
                WideOp::Add => 0xf200,
                WideOp::Sub => 0xf2a0,
            };
            plain_immediate(first | bits(n), d, half(imm.value()))
        }
        Machine::Mov { flags, d, m } => match narrow_mov((flags, position), d, m) {
            Some(half) => Code::Narrow(half),
            None => data_processing(2, flags, (d, 15), m),
        },
        Machine::Mvn { flags, d, m } => match m {
            Operand2::Reg(m) if may_narrow(flags, position) && low(&[d, m]) => {
                Code::Narrow(0x43c0 | bits(m) << 3 | bits(d))
            }
            _ => data_processing(3, flags, (d, 15), m),
        },
        Machine::Movw { d, imm } => plain_immediate(0xf240 | imm >> 12, d, imm & 0xfff),
        Machine::Movt { d, imm } => plain_immediate(0xf2c0 | imm >> 12, d, imm & 0xfff),
        Machine::Shift { op, flags, d, n, m } => {
            if may_narrow(flags, position) && low(&[d, m]) && d == n {
                let code = match op {
                    ShiftOp::Lsl => 0x4080,
                    ShiftOp::Lsr => 0x40c0,
                    ShiftOp::Asr => 0x4100,
                    ShiftOp::Ror => 0x41c0,
                };
                return Code::Narrow(code | bits(m) << 3 | bits(d));
            }
            let sets = u16::from(flags == FlagsMode::Set);
            let first = 0xfa00 | shift_code(op) << 5 | sets << 4 | bits(n);
            Code::Wide(first, 0xf000 | bits(d) << 8 | bits(m))
        }
        Machine::Mul { flags, d, n, m } => {
            let other = if d == n { m } else { n };
            if may_narrow(flags, position) && low(&[d, other]) && (d == n || d == m) {
                return Code::Narrow(0x4340 | bits(other) << 3 | bits(d));
            }
            Code::Wide(0xfb00 | bits(n), 0xf000 | bits(d) << 8 | bits(m))
        }
        Machine::MulAdd { d, n, m, a } => Code::Wide(0xfb00 | bits(n), bits(a) << 12 | bits(d) << 8 | bits(m)),
        Machine::MulSub { d, n, m, a } => Code::Wide(0xfb00 | bits(n), bits(a) << 12 | bits(d) << 8 | 0x10 | bits(m)),
        Machine::MulLong { sign, low, high, n, m } => {
            let first = match sign {
                Sign::Signed => 0xfb80,
                Sign::Unsigned => 0xfba0,
            };
            Code::Wide(first | bits(n), bits(low) << 12 | bits(high) << 8 | bits(m))
        }
        Machine::MulLongAdd { op, low, high, n, m } => {
            let (first, second) = match op {
                MulLongAddOp::Smlal => (0xfbc0, 0),
                MulLongAddOp::Umlal => (0xfbe0, 0),
                MulLongAddOp::Umaal => (0xfbe0, 0x60),
            };
            Code::Wide(first | bits(n), bits(low) << 12 | bits(high) << 8 | second | bits(m))
        }
        Machine::Div { sign, d, n, m } => {
            let first = match sign {
                Sign::Signed => 0xfb90,
                Sign::Unsigned => 0xfbb0,
            };
            Code::Wide(first | bits(n), 0xf0f0 | bits(d) << 8 | bits(m))
        }
        Machine::Unary { op, d, m } => unary(op, d, m),
        Machine::Extract { sign, d, n, field } => {
            let first = match sign {
                Sign::Signed => 0xf340,
                Sign::Unsigned => 0xf3c0,
            };
            bit_field(first | bits(n), d, half(field.lsb()), half(field.width() - 1))
        }
        Machine::Insert { d, n, field } => {
            bit_field(0xf360 | bits(n), d, half(field.lsb()), half(field.lsb() + field.width() - 1))
        }
        Machine::Clear { d, field } => bit_field(0xf36f, d, half(field.lsb()), half(field.lsb() + field.width() - 1)),
        Machine::Compare { op, n, m } => compare(op, n, m),
        Machine::Load { kind, d, address } => {
            let forms = match kind {
                LoadKind::Word => ACCESS_WORD.load(0xf8d0),
                LoadKind::Half => ACCESS_HALF.load(0xf8b0),
                LoadKind::Byte => ACCESS_BYTE.load(0xf890),
                LoadKind::HalfSigned => ACCESS_HALF_SIGNED,
                LoadKind::ByteSigned => ACCESS_BYTE_SIGNED,
            };
            access(&forms, d, address)
        }
        Machine::Store { kind, s, address } => {
            let forms = match kind {
                StoreKind::Word => ACCESS_WORD,
                StoreKind::Half => ACCESS_HALF,
                StoreKind::Byte => ACCESS_BYTE,
            };
            access(&forms, s, address)
        }
        Machine::LoadLiteral { width, d, distance } => load_literal(width, d, distance),
        Machine::Push(list) => push(list),
        Machine::Pop(list) => pop(list),
        Machine::Branch { width, distance } => branch(width, distance),
        Machine::BranchIf { width, cond, distance } => branch_if(width, cond, distance),
        Machine::BranchZero { test, n, distance } => {
            assert!(zero_reaches(n, distance), "{test:?} {n} {distance}");
            let code = match test {
                ZeroTest::Zero => 0xb100,
                ZeroTest::NonZero => 0xb900,
            };
            let offset = (distance - 4) as u16;
            Code::Narrow(code | (offset & 0x40) << 3 | (offset & 0x3e) << 2 | bits(n))
        }
        Machine::Call { distance } => match long_branch(distance) {
            Code::Wide(first, second) => Code::Wide(first, second | 0x4000),
            narrow @ Code::Narrow(_) => narrow,
        },
        Machine::CallReg { m } => Code::Narrow(0x4780 | bits(m) << 3),
        Machine::BranchReg { m } => Code::Narrow(0x4700 | bits(m) << 3),
        Machine::TableBranch { entries, m } => {
            let half_entries = u16::from(entries == EntryWidth::Half);
            Code::Wide(0xe8df, 0xf000 | half_entries << 4 | bits(m))
        }
        Machine::It { cond, second } => Code::Narrow(0xbf00 | u16::from(cond.code()) << 4 | it_mask(cond, second)),
        Machine::Float(inst) => {
            let word = float::encode(&inst);
            Code::Wide((word >> 16) as u16, word as u16)
        }
        Machine::Udf(code) => Code::Narrow(0xde00 | u16::from(code)),
        Machine::Nop => Code::Narrow(0xbf00),
    }
}

fn bits(register: PReg) -> u16 {
    u16::from(register.number())
}

fn half(value: u32) -> u16 {
    u16::try_from(value).expect("immediate types hold at most 16 bits")
}

fn low(registers: &[PReg]) -> bool {
    registers.iter().all(|register| register.is_low())
}

/// Whether 16-bit data processing, which sets flags exactly outside IT blocks, is what is asked for.
fn may_narrow(flags: FlagsMode, position: Position) -> bool {
    match position {
        Position::Plain => flags != FlagsMode::Keep,
        Position::Under(_) => flags != FlagsMode::Set,
    }
}

fn shift_code(op: ShiftOp) -> u16 {
    match op {
        ShiftOp::Lsl => 0,
        ShiftOp::Lsr => 1,
        ShiftOp::Asr => 2,
        ShiftOp::Ror => 3,
    }
}

/// The `op` field of 32-bit data processing (A5.3.1, A5.3.11).
fn alu_code(op: AluOp) -> u16 {
    match op {
        AluOp::And => 0,
        AluOp::Bic => 1,
        AluOp::Orr => 2,
        AluOp::Orn => 3,
        AluOp::Eor => 4,
        AluOp::Add => 8,
        AluOp::Adc => 10,
        AluOp::Sbc => 11,
        AluOp::Sub => 13,
        AluOp::Rsb => 14,
    }
}

fn narrow_alu(
    op: AluOp,
    (flags, position): (FlagsMode, Position),
    (d, n, m): (PReg, PReg, Operand2<PReg>),
) -> Option<u16> {
    let narrow = may_narrow(flags, position);
    match (op, m) {
        (AluOp::Add, Operand2::Reg(m)) => {
            if narrow && low(&[d, n, m]) {
                return Some(0x1800 | bits(m) << 6 | bits(n) << 3 | bits(d));
            }
            // This form sets no flags anywhere and takes any register.
            let other = if d == n { m } else { n };
            ((d == n || d == m) && flags != FlagsMode::Set)
                .then(|| 0x4400 | (bits(d) & 8) << 4 | bits(other) << 3 | bits(d) & 7)
        }
        (AluOp::Sub, Operand2::Reg(m)) => {
            (narrow && low(&[d, n, m])).then(|| 0x1a00 | bits(m) << 6 | bits(n) << 3 | bits(d))
        }
        (AluOp::Add | AluOp::Sub, Operand2::Imm(imm)) => narrow_add_immediate(op, (flags, narrow), (d, n, imm)),
        (AluOp::Rsb, Operand2::Imm(imm)) => {
            (narrow && imm.value() == 0 && low(&[d, n])).then(|| 0x4240 | bits(n) << 3 | bits(d))
        }
        (_, Operand2::Reg(m)) => {
            let code = match op {
                AluOp::And => 0x4000,
                AluOp::Eor => 0x4040,
                AluOp::Adc => 0x4140,
                AluOp::Sbc => 0x4180,
                AluOp::Orr => 0x4300,
                AluOp::Bic => 0x4380,
                AluOp::Add | AluOp::Sub | AluOp::Rsb | AluOp::Orn => return None,
            };
            let other = if d == n { m } else { n };
            let shared = d == n || d == m && op.commutes();
            (narrow && shared && low(&[d, other])).then(|| code | bits(other) << 3 | bits(d))
        }
        _ => None,
    }
}

fn narrow_add_immediate(
    op: AluOp,
    (flags, narrow): (FlagsMode, bool),
    (d, n, imm): (PReg, PReg, ModifiedImm),
) -> Option<u16> {
    let value = imm.value();
    let is_sub = op == AluOp::Sub;
    if n == PReg::SP {
        // These forms set no flags anywhere.
        return match flags {
            FlagsMode::Keep | FlagsMode::Dead if value % 4 == 0 => {
                if d == PReg::SP && value <= 508 {
                    Some(0xb000 | u16::from(is_sub) << 7 | half(value / 4))
                } else if d.is_low() && value <= 1020 && !is_sub {
                    Some(0xa800 | bits(d) << 8 | half(value / 4))
                } else {
                    None
                }
            }
            _ => None,
        };
    }
    if !narrow || !low(&[d, n]) {
        None
    } else if d == n && value < 256 {
        Some(0x3000 | u16::from(is_sub) << 11 | bits(d) << 8 | half(value))
    } else if value < 8 {
        Some(0x1c00 | u16::from(is_sub) << 9 | half(value) << 6 | bits(n) << 3 | bits(d))
    } else {
        None
    }
}

fn narrow_mov((flags, position): (FlagsMode, Position), d: PReg, m: Operand2<PReg>) -> Option<u16> {
    let narrow = may_narrow(flags, position);
    match m {
        // This form sets no flags anywhere and takes any register.
        Operand2::Reg(m) if flags != FlagsMode::Set => Some(0x4600 | (bits(d) & 8) << 4 | bits(m) << 3 | bits(d) & 7),
        // A shift left by 0, which is a move only outside IT blocks.
        Operand2::Reg(m) => (narrow && low(&[d, m])).then(|| bits(m) << 3 | bits(d)),
        Operand2::Imm(imm) => {
            (narrow && d.is_low() && imm.value() < 256).then(|| 0x2000 | bits(d) << 8 | half(imm.value()))
        }
        Operand2::Shifted(m, op, by) => {
            let code = shift_code(op) << 11 | half(by.value()) << 6;
            (narrow && op != ShiftOp::Ror && low(&[d, m])).then(|| code | bits(m) << 3 | bits(d))
        }
    }
}

/// 32-bit data processing with a modified immediate or a shifted register; `n` is 15 in moves and
/// `d` is 15 in comparisons.
fn data_processing(op: u16, flags: FlagsMode, (d, n): (PReg, u16), m: Operand2<PReg>) -> Code {
    let sets = u16::from(flags == FlagsMode::Set);
    let register = |m: PReg, shift: u16, amount: u16| {
        let first = 0xea00 | op << 5 | sets << 4 | n;
        let second = (amount & 0x1c) << 10 | bits(d) << 8 | (amount & 3) << 6 | shift << 4;
        Code::Wide(first, second | bits(m))
    };
    match m {
        Operand2::Reg(m) => register(m, 0, 0),
        Operand2::Shifted(m, shift, by) => register(m, shift_code(shift), half(by.value())),
        Operand2::Imm(imm) => plain_immediate(0xf000 | op << 5 | sets << 4 | n, d, imm.code()),
    }
}

/// The layout `i:imm3:imm8` of every 12-bit immediate.
fn plain_immediate(first: u16, d: PReg, imm: u16) -> Code {
    Code::Wide(first | (imm & 0x800) >> 1, (imm & 0x700) << 4 | bits(d) << 8 | imm & 0xff)
}

fn bit_field(first: u16, d: PReg, lsb: u16, last: u16) -> Code {
    Code::Wide(first, (lsb & 0x1c) << 10 | bits(d) << 8 | (lsb & 3) << 6 | last)
}

fn unary(op: UnaryOp, d: PReg, m: PReg) -> Code {
    let (narrow, first, second) = match op {
        UnaryOp::Sxth => (Some(0xb200), 0xfa0f, 0xf080),
        UnaryOp::Sxtb => (Some(0xb240), 0xfa4f, 0xf080),
        UnaryOp::Uxth => (Some(0xb280), 0xfa1f, 0xf080),
        UnaryOp::Uxtb => (Some(0xb2c0), 0xfa5f, 0xf080),
        UnaryOp::Rev => (Some(0xba00), 0xfa90 | bits(m), 0xf080),
        UnaryOp::Rbit => (None, 0xfa90 | bits(m), 0xf0a0),
        UnaryOp::Clz => (None, 0xfab0 | bits(m), 0xf080),
    };
    match narrow {
        Some(code) if low(&[d, m]) => Code::Narrow(code | bits(m) << 3 | bits(d)),
        _ => Code::Wide(first, second | bits(d) << 8 | bits(m)),
    }
}

fn compare(op: CompareOp, n: PReg, m: Operand2<PReg>) -> Code {
    match (op, m) {
        (CompareOp::Cmp, Operand2::Imm(imm)) if n.is_low() && imm.value() < 256 => {
            return Code::Narrow(0x2800 | bits(n) << 8 | half(imm.value()));
        }
        (CompareOp::Cmp, Operand2::Reg(m)) if !low(&[n, m]) => {
            return Code::Narrow(0x4500 | (bits(n) & 8) << 4 | bits(m) << 3 | bits(n) & 7);
        }
        (CompareOp::Cmp | CompareOp::Cmn | CompareOp::Tst, Operand2::Reg(m)) if low(&[n, m]) => {
            let code = match op {
                CompareOp::Tst => 0x4200,
                CompareOp::Cmp => 0x4280,
                CompareOp::Cmn | CompareOp::Teq => 0x42c0,
            };
            return Code::Narrow(code | bits(m) << 3 | bits(n));
        }
        _ => {}
    }
    let code = match op {
        CompareOp::Tst => 0,
        CompareOp::Teq => 4,
        CompareOp::Cmn => 8,
        CompareOp::Cmp => 13,
    };
    data_processing(code, FlagsMode::Set, (PReg::PC, bits(n)), m)
}

/// The encodings of one kind of memory access.
#[derive(Clone, Copy)]
struct AccessForms {
    /// Base plus a small constant, all registers low.
    short: Option<u16>,
    /// Base plus index, all registers low.
    indexed: u16,
    /// SP plus a constant.
    stack: Option<u16>,
    /// The 32-bit form with a constant; with an index it is this without bit 7.
    wide: u16,
    /// Log2 of the bytes accessed, by which short constants are scaled.
    scale: u16,
}

impl AccessForms {
    /// The loads beside the stores: bit 11 of each 16-bit form, and the given 32-bit form.
    const fn load(self, wide: u16) -> AccessForms {
        AccessForms {
            short: match self.short {
                Some(code) => Some(code | 0x0800),
                None => None,
            },
            indexed: self.indexed | 0x0800,
            stack: match self.stack {
                Some(code) => Some(code | 0x0800),
                None => None,
            },
            wide,
            scale: self.scale,
        }
    }
}

const ACCESS_WORD: AccessForms =
    AccessForms { short: Some(0x6000), indexed: 0x5000, stack: Some(0x9000), wide: 0xf8c0, scale: 2 };
const ACCESS_HALF: AccessForms =
    AccessForms { short: Some(0x8000), indexed: 0x5200, stack: None, wide: 0xf8a0, scale: 1 };
const ACCESS_BYTE: AccessForms =
    AccessForms { short: Some(0x7000), indexed: 0x5400, stack: None, wide: 0xf880, scale: 0 };
const ACCESS_BYTE_SIGNED: AccessForms =
    AccessForms { short: None, indexed: 0x5600, stack: None, wide: 0xf990, scale: 0 };
const ACCESS_HALF_SIGNED: AccessForms =
    AccessForms { short: None, indexed: 0x5e00, stack: None, wide: 0xf9b0, scale: 1 };

fn access(forms: &AccessForms, t: PReg, address: Address<PReg>) -> Code {
    match address {
        Address::Offset(base, offset) => {
            let offset = half(offset.value());
            let scaled = offset >> forms.scale;
            let is_scaled = scaled << forms.scale == offset;
            if let (Some(code), PReg::SP, true, 0..=255) = (forms.stack, base, is_scaled, scaled)
                && t.is_low()
            {
                return Code::Narrow(code | bits(t) << 8 | scaled);
            }
            if let (Some(code), true, 0..=31) = (forms.short, is_scaled, scaled)
                && low(&[base, t])
            {
                return Code::Narrow(code | scaled << 6 | bits(base) << 3 | bits(t));
            }
            Code::Wide(forms.wide | bits(base), bits(t) << 12 | offset)
        }
        Address::Index(base, index, shift) => {
            if shift.value() == 0 && low(&[base, index, t]) {
                return Code::Narrow(forms.indexed | bits(index) << 6 | bits(base) << 3 | bits(t));
            }
            let second = bits(t) << 12 | half(shift.value()) << 4 | bits(index);
            Code::Wide(forms.wide & !0x80 | bits(base), second)
        }
    }
}

fn load_literal(width: Width, d: PReg, distance: u16) -> Code {
    match width {
        Width::Narrow => {
            assert!(d.is_low() && distance.is_multiple_of(4) && distance <= 1020, "{d} {distance}");
            Code::Narrow(0x4800 | bits(d) << 8 | (distance / 4))
        }
        Width::Wide => {
            assert!(Imm12::new(distance.into()).is_some(), "{distance}");
            Code::Wide(0xf8df, bits(d) << 12 | distance)
        }
    }
}

fn push(list: RegSet) -> Code {
    let outside = list.bits() & !0x40ff;
    match (outside, list.len()) {
        (0, _) => Code::Narrow(0xb400 | list.bits() >> 6 & 0x100 | list.bits() & 0xff),
        (_, 1) => Code::Wide(0xf84d, single(list) << 12 | 0x0d04),
        _ => Code::Wide(0xe92d, list.bits()),
    }
}

fn pop(list: RegSet) -> Code {
    let outside = list.bits() & !0x80ff;
    match (outside, list.len()) {
        (0, _) => Code::Narrow(0xbc00 | list.bits() >> 7 & 0x100 | list.bits() & 0xff),
        (_, 1) => Code::Wide(0xf85d, single(list) << 12 | 0x0b04),
        _ => Code::Wide(0xe8bd, list.bits()),
    }
}

fn single(list: RegSet) -> u16 {
    half(list.bits().trailing_zeros())
}

/// Whether `b` of this width reaches.
pub fn branch_reaches(width: Width, distance: i32) -> bool {
    distance % 2 == 0
        && match width {
            Width::Narrow => (-2044..=2050).contains(&distance),
            Width::Wide => (-0x00ff_fffc..=0x0100_0002).contains(&distance),
        }
}

/// Whether `b<cond>` of this width reaches.
pub fn branch_if_reaches(width: Width, distance: i32) -> bool {
    distance % 2 == 0
        && match width {
            Width::Narrow => (-252..=258).contains(&distance),
            Width::Wide => (-0x000f_fffc..=0x0010_0002).contains(&distance),
        }
}

/// Whether `cbz` of this register reaches.
pub fn zero_reaches(n: PReg, distance: i32) -> bool {
    n.is_low() && distance % 2 == 0 && (4..=130).contains(&distance)
}

fn branch(width: Width, distance: i32) -> Code {
    assert!(branch_reaches(width, distance), "{width:?} {distance}");
    match width {
        Width::Narrow => Code::Narrow(0xe000 | ((distance - 4) >> 1) as u16 & 0x7ff),
        Width::Wide => long_branch(distance),
    }
}

/// The layout of B.W and, with bit 14 of the second halfword set, of BL.
fn long_branch(distance: i32) -> Code {
    assert!(branch_reaches(Width::Wide, distance), "{distance}");
    let offset = distance - 4;
    let sign = (offset >> 31) as u16 & 1;
    let field = |shift: i32, width: u32| (offset >> shift) as u16 & ((1 << width) - 1);
    let j1 = field(23, 1) ^ sign ^ 1;
    let j2 = field(22, 1) ^ sign ^ 1;
    let first = 0xf000 | sign << 10 | field(12, 10);
    Code::Wide(first, 0x9000 | j1 << 13 | j2 << 11 | field(1, 11))
}

fn branch_if(width: Width, cond: Cond, distance: i32) -> Code {
    assert!(branch_if_reaches(width, distance), "{width:?} {distance}");
    let offset = distance - 4;
    let cond = u16::from(cond.code());
    let field = |shift: i32, width: u32| (offset >> shift) as u16 & ((1 << width) - 1);
    match width {
        Width::Narrow => Code::Narrow(0xd000 | cond << 8 | field(1, 8)),
        Width::Wide => {
            let sign = (offset >> 31) as u16 & 1;
            let first = 0xf000 | sign << 10 | cond << 6 | field(12, 6);
            Code::Wide(first, 0x8000 | field(18, 1) << 13 | field(19, 1) << 11 | field(1, 11))
        }
    }
}

/// The mask of an IT block of one or two (A7.3.2): per later instruction bit 0 of its condition,
/// then a one.
fn it_mask(cond: Cond, second: Option<Side>) -> u16 {
    let bit = u16::from(cond.code()) & 1;
    match second {
        None => 0b1000,
        Some(Side::Then) => bit << 3 | 0b0100,
        Some(Side::Else) => (bit ^ 1) << 3 | 0b0100,
    }
}
