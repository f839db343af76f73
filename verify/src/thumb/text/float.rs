//! Instructions of the floating-point unit as text.

use std::fmt::{self, Display, Formatter};

use super::super::float::{FloatInst, FloatReg, SignOp, Words};
use super::super::inst::{MultipleMode, Reg, Writeback};
use crate::float::{Binary, Float, Format, Sign, Unary};

impl Display for FloatReg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FloatReg::Single(number) => write!(f, "s{number}"),
            FloatReg::Double(number) => write!(f, "d{number}"),
        }
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Words::Core(register) => write!(f, "{register}"),
            Words::CorePair(low, high) => write!(f, "{low}, {high}"),
            Words::Float(register) => write!(f, "{register}"),
            Words::Singles(first) => write!(f, "s{first}, s{}", first + 1),
        }
    }
}

/// Mnemonic without condition, and operands.
pub(super) fn parts(inst: &FloatInst) -> (String, String) {
    match *inst {
        FloatInst::Compute { op, d, n: Some(n), m } => (operator(op), format!("{d}, {n}, {m}")),
        FloatInst::Compute { op, d, n: None, m } => (operator(op), format!("{d}, {m}")),
        FloatInst::Sign { op: SignOp::Neg, d, m } => (format!("vneg.{}", of(d)), format!("{d}, {m}")),
        FloatInst::Sign { op: SignOp::Abs, d, m } => (format!("vabs.{}", of(d)), format!("{d}, {m}")),
        FloatInst::Move { d, m } => (format!("vmov.{}", of(d)), format!("{d}, {m}")),
        FloatInst::Constant { d, bits } => {
            let number = match d {
                FloatReg::Single(_) => f64::from(f32::from_bits(bits as u32)),
                FloatReg::Double(_) => f64::from_bits(bits),
            };
            (format!("vmov.{}", of(d)), format!("{d}, #{}", scientific(number)))
        }
        FloatInst::Transfer { d, m } => ("vmov".into(), format!("{d}, {m}")),
        FloatInst::Compare { n, m: Some(m) } => (format!("vcmp.{}", of(n)), format!("{n}, {m}")),
        FloatInst::Compare { n, m: None } => (format!("vcmp.{}", of(n)), format!("{n}, #0")),
        FloatInst::Flags => ("vmrs".into(), "APSR_nzcv, fpscr".into()),
        FloatInst::Load { d, address } => ("vldr".into(), format!("{d}, {address}")),
        FloatInst::Store { d, address } => ("vstr".into(), format!("{d}, {address}")),
        FloatInst::LoadMultiple {
            n: Reg::SP,
            writeback: Writeback::Yes,
            mode: MultipleMode::IncrementAfter,
            first,
            count,
        } => ("vpop".into(), list(first, count)),
        FloatInst::LoadMultiple { n, writeback, mode, first, count } => {
            (format!("vldm{}", suffix(mode)), format!("{n}{}, {}", mark(writeback), list(first, count)))
        }
        FloatInst::StoreMultiple {
            n: Reg::SP,
            writeback: Writeback::Yes,
            mode: MultipleMode::DecrementBefore,
            first,
            count,
        } => ("vpush".into(), list(first, count)),
        FloatInst::StoreMultiple { n, writeback, mode, first, count } => {
            (format!("vstm{}", suffix(mode)), format!("{n}{}, {}", mark(writeback), list(first, count)))
        }
    }
}

fn suffix(mode: MultipleMode) -> &'static str {
    match mode {
        MultipleMode::IncrementAfter => "ia",
        MultipleMode::DecrementBefore => "db",
    }
}

fn mark(writeback: Writeback) -> &'static str {
    match writeback {
        Writeback::Yes => "!",
        Writeback::No => "",
    }
}

fn list(first: FloatReg, count: u8) -> String {
    let names: Vec<String> = first.run(count).map(|register| register.to_string()).collect();
    format!("{{{}}}", names.join(", "))
}

/// As C prints with `%e`.
fn scientific(number: f64) -> String {
    let text = format!("{number:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn of(register: FloatReg) -> &'static str {
    match register {
        FloatReg::Single(_) => name(Format::F32),
        FloatReg::Double(_) => name(Format::F64),
    }
}

fn name(format: Format) -> &'static str {
    match format {
        Format::F32 => "f32",
        Format::F64 => "f64",
    }
}

fn integer(sign: Sign) -> &'static str {
    match sign {
        Sign::Signed => "s32",
        Sign::Unsigned => "u32",
    }
}

/// The operators that there are instructions for. The others have no name here.
fn operator(op: Float) -> String {
    match op {
        Float::Binary(Binary::Add, format) => format!("vadd.{}", name(format)),
        Float::Binary(Binary::Sub, format) => format!("vsub.{}", name(format)),
        Float::Binary(Binary::Mul, format) => format!("vmul.{}", name(format)),
        Float::Binary(Binary::Div, format) => format!("vdiv.{}", name(format)),
        Float::Unary(Unary::Sqrt, format) => format!("vsqrt.{}", name(format)),
        Float::Unary(Unary::Ceil, format) => format!("vrintp.{}", name(format)),
        Float::Unary(Unary::Floor, format) => format!("vrintm.{}", name(format)),
        Float::Unary(Unary::Trunc, format) => format!("vrintz.{}", name(format)),
        Float::Unary(Unary::Nearest, format) => format!("vrintn.{}", name(format)),
        Float::Convert(_, sign, format) => format!("vcvt.{}.{}", name(format), integer(sign)),
        Float::Truncate(format, _, sign) => format!("vcvt.{}.{}", integer(sign), name(format)),
        Float::Demote => "vcvt.f32.f64".into(),
        Float::Promote => "vcvt.f64.f32".into(),
        Float::Binary(Binary::Min | Binary::Max, _) | Float::Compare(..) | Float::Fits(..) => op.name(),
    }
}
