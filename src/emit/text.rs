//! Printing machine instructions, in the unified syntax of the assemblers.

use std::fmt::{self, Display, Formatter};

use crate::vcode::inst::{Address, Operand2, Sign};
use crate::vcode::reg::{PReg, RegSet};

use super::machine::{EntryWidth, FlagsMode, Machine, Position, Side, Width};

/// An instruction with its position, as the assemblers read it. A branch target is `.` and a
/// distance; `FlagsMode::Dead` is printed like `Keep`.
pub struct Assembly<'a>(pub &'a Machine, pub Position);

/// The operand of [`Display`] for lists of registers.
struct List(RegSet);

impl Display for List {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|register| register.to_string()).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

/// The flexible second operand, or an address, as the assemblers write it.
struct Operand<T>(T);

impl Display for Operand<Operand2<PReg>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand2::Reg(m) => write!(f, "{m}"),
            Operand2::Shifted(m, op, by) => write!(f, "{m}, {op} #{}", by.value()),
            Operand2::Imm(imm) => write!(f, "#{}", imm.value()),
        }
    }
}

impl Display for Operand<Address<PReg>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Address::Offset(base, offset) => write!(f, "[{base}, #{}]", offset.value()),
            Address::Index(base, index, shift) if shift.value() == 0 => {
                write!(f, "[{base}, {index}]")
            }
            Address::Index(base, index, shift) => {
                write!(f, "[{base}, {index}, lsl #{}]", shift.value())
            }
        }
    }
}

fn suffix(flags: FlagsMode) -> &'static str {
    match flags {
        FlagsMode::Set => "s",
        FlagsMode::Keep | FlagsMode::Dead => "",
    }
}

fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::Unsigned => "u",
        Sign::Signed => "s",
    }
}

fn width(width: Width) -> &'static str {
    match width {
        Width::Narrow => ".n",
        Width::Wide => ".w",
    }
}

impl Display for Assembly<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let c = match self.1 {
            Position::Plain => String::new(),
            Position::Under(cond) => cond.to_string(),
        };
        match *self.0 {
            Machine::Alu { op, flags, d, n, m } => {
                write!(f, "{}{}{c} {d}, {n}, {}", op, suffix(flags), Operand(m))
            }
            Machine::AluWide { op, d, n, imm } => write!(f, "{op}{c} {d}, {n}, #{}", imm.value()),
            Machine::Mov { flags, d, m: Operand2::Shifted(m, op, by) } => {
                write!(f, "{op}{}{c} {d}, {m}, #{}", suffix(flags), by.value())
            }
            Machine::Mov { flags, d, m } => {
                write!(f, "mov{}{c} {d}, {}", suffix(flags), Operand(m))
            }
            Machine::Mvn { flags, d, m } => {
                write!(f, "mvn{}{c} {d}, {}", suffix(flags), Operand(m))
            }
            Machine::Movw { d, imm } => write!(f, "movw{c} {d}, #{imm}"),
            Machine::Movt { d, imm } => write!(f, "movt{c} {d}, #{imm}"),
            Machine::Shift { op, flags, d, n, m } => {
                write!(f, "{op}{}{c} {d}, {n}, {}", suffix(flags), m)
            }
            Machine::Mul { d, n, m, .. } => write!(f, "mul{c} {d}, {n}, {m}"),
            Machine::MulAdd { d, n, m, a } => write!(f, "mla{c} {d}, {n}, {m}, {a}"),
            Machine::MulSub { d, n, m, a } => write!(f, "mls{c} {d}, {n}, {m}, {a}"),
            Machine::MulLong { sign: s, low, high, n, m } => {
                write!(f, "{}mull{c} {low}, {high}, {n}, {m}", sign(s))
            }
            Machine::MulLongAdd { op, low, high, n, m } => {
                write!(f, "{op}{c} {low}, {high}, {n}, {m}")
            }
            Machine::Div { sign: s, d, n, m } => write!(f, "{}div{c} {d}, {n}, {m}", sign(s)),
            Machine::Unary { op, d, m } => write!(f, "{op}{c} {d}, {m}"),
            Machine::Extract { sign: s, d, n, field } => {
                write!(f, "{}bfx{c} {d}, {n}, #{}, #{}", sign(s), field.lsb(), field.width())
            }
            Machine::Insert { d, n, field } => {
                write!(f, "bfi{c} {d}, {n}, #{}, #{}", field.lsb(), field.width())
            }
            Machine::Clear { d, field } => {
                write!(f, "bfc{c} {d}, #{}, #{}", field.lsb(), field.width())
            }
            Machine::Compare { op, n, m } => write!(f, "{op}{c} {n}, {}", Operand(m)),
            Machine::Load { kind, d, address } => write!(f, "{kind}{c} {d}, {}", Operand(address)),
            Machine::Store { kind, s, address } => write!(f, "{kind}{c} {s}, {}", Operand(address)),
            Machine::LoadLiteral { width: w, d, distance } => {
                write!(f, "ldr{c}{} {d}, [pc, #{distance}]", width(w))
            }
            Machine::Float(inst) => write!(f, "{inst}"),
            Machine::Push(list) => write!(f, "push{c} {}", List(list)),
            Machine::Pop(list) => write!(f, "pop{c} {}", List(list)),
            Machine::Branch { width: w, distance } => write!(f, "b{c}{} .{distance:+}", width(w)),
            Machine::BranchIf { width: w, cond, distance } => {
                write!(f, "b{cond}{} .{distance:+}", width(w))
            }
            Machine::BranchZero { test, n, distance } => write!(f, "{test} {n}, .{distance:+}"),
            Machine::Call { distance } => write!(f, "bl{c} .{distance:+}"),
            Machine::CallReg { m } => write!(f, "blx{c} {m}"),
            Machine::BranchReg { m } => write!(f, "bx{c} {m}"),
            Machine::TableBranch { entries: EntryWidth::Byte, m } => write!(f, "tbb [pc, {m}]"),
            Machine::TableBranch { entries: EntryWidth::Half, m } => {
                write!(f, "tbh [pc, {m}, lsl #1]")
            }
            Machine::It { cond, second } => write!(f, "it{} {cond}", side(second)),
            Machine::Udf(code) => write!(f, "udf #{code}"),
            Machine::Nop => f.write_str("nop"),
        }
    }
}

fn side(second: Option<Side>) -> &'static str {
    match second {
        None => "",
        Some(Side::Then) => "t",
        Some(Side::Else) => "e",
    }
}
