//! Machine instructions of the floating-point unit, and their encodings (DDI0403, A6.4 to A6.7; VRINT: DDI0553, C2.4).

use std::fmt::{self, Display, Formatter};

use crate::vcode::float::{FloatImm, FloatOp, Format};
use crate::vcode::reg::PReg;

/// A register as instructions name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FloatReg {
    /// s0 to s31.
    Single(u8),
    /// d0 to d15.
    Double(u8),
}

impl FloatReg {
    /// A number of a format in a register of the allocator's.
    pub fn of(format: Format, register: PReg) -> FloatReg {
        match format {
            Format::F32 => FloatReg::Single(2 * register.number()),
            Format::F64 => FloatReg::Double(register.number()),
        }
    }

    /// Its four bits and its one bit.
    fn split(self) -> (u32, u32) {
        match self {
            FloatReg::Single(number) => (u32::from(number >> 1), u32::from(number & 1)),
            FloatReg::Double(number) => (u32::from(number), 0),
        }
    }

    /// In the place of a destination, with the bit that says the precision.
    fn d(self) -> u32 {
        let (four, one) = self.split();
        one << 22 | four << 12 | self.size()
    }

    fn n(self) -> u32 {
        let (four, one) = self.split();
        four << 16 | one << 7
    }

    fn m(self) -> u32 {
        let (four, one) = self.split();
        one << 5 | four
    }

    fn size(self) -> u32 {
        match self {
            FloatReg::Single(_) => 0,
            FloatReg::Double(_) => 1 << 8,
        }
    }
}

impl Display for FloatReg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FloatReg::Single(number) => write!(f, "s{number}"),
            FloatReg::Double(number) => write!(f, "d{number}"),
        }
    }
}

/// An instruction. `t` is a core register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the fields are the manual's own: d, n, m, t, and what the variant's line says")]
pub enum FloatMachine {
    /// `op d, n, m`; the format is that of the numbers it computes with.
    Compute { op: FloatOp, format: Format, d: FloatReg, n: Option<FloatReg>, m: FloatReg },
    /// `vmov d, m`
    Move { d: FloatReg, m: FloatReg },
    /// `vmov d, #imm`
    Const { d: FloatReg, imm: FloatImm },
    /// `vcmp n, m`
    Compare { n: FloatReg, m: FloatReg },
    /// `vmrs APSR_nzcv, fpscr`
    Flags,
    /// `vmov s, t`
    FromCore { single: u8, t: PReg },
    /// `vmov t, s`
    ToCore { t: PReg, single: u8 },
    /// `vmov d, low, high`
    FromPair { double: u8, low: PReg, high: PReg },
    /// `vldr d, [n, #4 * words]`
    Load { d: FloatReg, n: PReg, words: u8 },
    /// `vstr d, [n, #4 * words]`
    Store { d: FloatReg, n: PReg, words: u8 },
    /// `vpush {d8-..}`: so many double registers from d8 on.
    Push(u8),
    /// `vpop {d8-..}`
    Pop(u8),
    /// `vmsr fpscr, t`
    SetStatus { t: PReg },
}

/// The words of an instruction as one, the first halfword on top.
pub fn encode(inst: &FloatMachine) -> u32 {
    let core = |register: PReg| u32::from(register.number());
    let single = |number: u8| FloatReg::Single(number);
    match *inst {
        FloatMachine::Compute { op, format, d, n: Some(n), m } => {
            let code = match op {
                FloatOp::Add => 0x0030_0000,
                FloatOp::Sub => 0x0030_0040,
                FloatOp::Mul => 0x0020_0000,
                FloatOp::Div => 0x0080_0000,
                _ => unreachable!("{op:?} {format:?} has one operand"),
            };
            0xee00_0a00 | code | d.d() | n.n() | m.m()
        }
        FloatMachine::Compute { op, d, n: None, m, .. } => compute(op, d, m),
        FloatMachine::Move { d, m } => 0xeeb0_0a40 | d.d() | m.m(),
        FloatMachine::Const { d, imm } => {
            let code = u32::from(imm.code());
            0xeeb0_0a00 | d.d() | (code >> 4) << 16 | code & 15
        }
        FloatMachine::Compare { n, m } => 0xeeb4_0a40 | n.d() | m.m(),
        FloatMachine::Flags => 0xeef1_fa10,
        FloatMachine::FromCore { single: s, t } => 0xee00_0a10 | single(s).n() | core(t) << 12,
        FloatMachine::ToCore { t, single: s } => 0xee10_0a10 | single(s).n() | core(t) << 12,
        FloatMachine::FromPair { double, low, high } => {
            0xec40_0b10 | core(high) << 16 | core(low) << 12 | u32::from(double)
        }
        FloatMachine::Load { d, n, words } => 0xed90_0a00 | d.d() | core(n) << 16 | u32::from(words),
        FloatMachine::Store { d, n, words } => 0xed80_0a00 | d.d() | core(n) << 16 | u32::from(words),
        FloatMachine::Push(count) => 0xed2d_8b00 | (2 * u32::from(count)),
        FloatMachine::Pop(count) => 0xecbd_8b00 | (2 * u32::from(count)),
        FloatMachine::SetStatus { t } => 0xeee1_0a10 | core(t) << 12,
    }
}

/// One operand. The precision stands in the operand where that is the number.
fn compute(op: FloatOp, d: FloatReg, m: FloatReg) -> u32 {
    let own = d.d() | m.m();
    // Where the result is an integer or of the other format, the operand says the precision.
    let by_operand = own & !(1 << 8) | m.size();
    match op {
        FloatOp::Sqrt => 0xeeb1_0ac0 | own,
        FloatOp::Abs => 0xeeb0_0ac0 | own,
        FloatOp::Neg => 0xeeb1_0a40 | own,
        FloatOp::Ceil => 0xfeba_0a40 | own,
        FloatOp::Floor => 0xfebb_0a40 | own,
        FloatOp::Trunc => 0xeeb6_0ac0 | own,
        FloatOp::Nearest => 0xfeb9_0a40 | own,
        FloatOp::FromSigned => 0xeeb8_0ac0 | own,
        FloatOp::FromUnsigned => 0xeeb8_0a40 | own,
        FloatOp::ToSigned => 0xeebd_0ac0 | by_operand,
        FloatOp::ToUnsigned => 0xeebc_0ac0 | by_operand,
        FloatOp::Convert => 0xeeb7_0ac0 | by_operand,
        FloatOp::Add | FloatOp::Sub | FloatOp::Mul | FloatOp::Div => unreachable!("{op:?} has two operands"),
    }
}

impl Display for FloatMachine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FloatMachine::Compute { op, format, d, n, m } => {
                write!(f, "{} {d}, ", mnemonic(*op, *format))?;
                n.iter().try_for_each(|n| write!(f, "{n}, "))?;
                write!(f, "{m}")
            }
            FloatMachine::Move { d, m } => write!(f, "vmov.{} {d}, {m}", of(*d)),
            FloatMachine::Const { d, imm } => write!(f, "vmov.{} {d}, #{:#04x}", of(*d), imm.code()),
            FloatMachine::Compare { n, m } => write!(f, "vcmp.{} {n}, {m}", of(*n)),
            FloatMachine::Flags => f.write_str("vmrs apsr_nzcv, fpscr"),
            FloatMachine::FromCore { single, t } => write!(f, "vmov s{single}, {t}"),
            FloatMachine::ToCore { t, single } => write!(f, "vmov {t}, s{single}"),
            FloatMachine::FromPair { double, low, high } => write!(f, "vmov d{double}, {low}, {high}"),
            FloatMachine::Load { d, n, words } => write!(f, "vldr {d}, [{n}, #{}]", 4 * u32::from(*words)),
            FloatMachine::Store { d, n, words } => write!(f, "vstr {d}, [{n}, #{}]", 4 * u32::from(*words)),
            FloatMachine::Push(count) => write!(f, "vpush {{d8-d{}}}", 7 + count),
            FloatMachine::Pop(count) => write!(f, "vpop {{d8-d{}}}", 7 + count),
            FloatMachine::SetStatus { t } => write!(f, "vmsr fpscr, {t}"),
        }
    }
}

fn of(register: FloatReg) -> &'static str {
    match register {
        FloatReg::Single(_) => "f32",
        FloatReg::Double(_) => "f64",
    }
}

fn mnemonic(op: FloatOp, format: Format) -> String {
    let (own, other) = match format {
        Format::F32 => ("f32", "f64"),
        Format::F64 => ("f64", "f32"),
    };
    match op {
        FloatOp::Add => format!("vadd.{own}"),
        FloatOp::Sub => format!("vsub.{own}"),
        FloatOp::Mul => format!("vmul.{own}"),
        FloatOp::Div => format!("vdiv.{own}"),
        FloatOp::Sqrt => format!("vsqrt.{own}"),
        FloatOp::Abs => format!("vabs.{own}"),
        FloatOp::Neg => format!("vneg.{own}"),
        FloatOp::Ceil => format!("vrintp.{own}"),
        FloatOp::Floor => format!("vrintm.{own}"),
        FloatOp::Trunc => format!("vrintz.{own}"),
        FloatOp::Nearest => format!("vrintn.{own}"),
        FloatOp::FromSigned => format!("vcvt.{own}.s32"),
        FloatOp::FromUnsigned => format!("vcvt.{own}.u32"),
        FloatOp::ToSigned => format!("vcvt.s32.{own}"),
        FloatOp::ToUnsigned => format!("vcvt.u32.{own}"),
        FloatOp::Convert => format!("vcvt.{own}.{other}"),
    }
}
