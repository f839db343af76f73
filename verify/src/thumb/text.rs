//! Instructions as text: the unified assembler syntax (A4.2), without width suffixes.
//!
//! Ensures: every operand that the instruction value keeps is printed. Branch targets are relative
//! to the instruction (`.+8`), so that the text does not depend on where the code lies.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt::{self, Display, Formatter};

use crate::hints::Location;

use super::inst::{
    Address, BitOp, Cond, DataOp, ExtendKind, Inst, LongOp, MoveOp, MultipleMode, Reg, RegSet, SetFlags, Shift,
    ShiftKind, Sign, System, TestOp, Width, Writeback, ZeroTest,
};

mod float;

impl Display for Inst {
    /// The text outside an IT block.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Text { inst: self, condition: None }.fmt(f)
    }
}

/// An instruction with the condition that an IT block gives it, if any.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The instruction.
    pub inst: &'a Inst,
    /// Its condition.
    pub condition: Option<Cond>,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (mnemonic, operands) = self.parts();
        let condition = self.condition.map_or(String::new(), |cond| cond.to_string());
        // The condition stands before the data type.
        let (mnemonic, data_type) = mnemonic.split_at(mnemonic.find('.').unwrap_or(mnemonic.len()));
        let condition = format!("{condition}{data_type}");
        if operands.is_empty() {
            write!(f, "{mnemonic}{condition}")
        } else {
            write!(f, "{mnemonic}{condition} {operands}")
        }
    }
}

impl Text<'_> {
    /// Mnemonic without condition, and operands.
    fn parts(&self) -> (String, String) {
        let sets = |flags: SetFlags| match flags {
            SetFlags::Yes => "s",
            SetFlags::OutsideIt if self.condition.is_none() => "s",
            SetFlags::OutsideIt | SetFlags::No => "",
        };
        match *self.inst {
            Inst::DataImm { op, flags, d, n, imm } => {
                (format!("{}{}", data(op), sets(flags)), format!("{d}, {n}, #{}", imm.value))
            }
            Inst::DataReg { op, flags, d, n, m, shift } => {
                (format!("{}{}", data(op), sets(flags)), format!("{d}, {n}, {m}{}", shifted(shift)))
            }
            Inst::MoveImm { op, flags, d, imm } => {
                (format!("{}{}", moved(op), sets(flags)), format!("{d}, #{}", imm.value))
            }
            Inst::MoveReg { op: MoveOp::Mov, flags, d, m, shift } => shift_immediate(shift, sets(flags), d, m),
            Inst::MoveReg { op: MoveOp::Mvn, flags, d, m, shift } => {
                (format!("mvn{}", sets(flags)), format!("{d}, {m}{}", shifted(shift)))
            }
            Inst::TestImm { op, n, imm } => (test(op).into(), format!("{n}, #{}", imm.value)),
            Inst::TestReg { op, n, m, shift } => (test(op).into(), format!("{n}, {m}{}", shifted(shift))),
            Inst::ShiftReg { kind, flags, d, n, m } => {
                (format!("{}{}", shift_name(kind), sets(flags)), format!("{d}, {n}, {m}"))
            }
            Inst::MovW { d, imm } => ("movw".into(), format!("{d}, #{imm}")),
            Inst::MovT { d, imm } => ("movt".into(), format!("{d}, #{imm}")),
            Inst::Adr { d, offset } => ("adr".into(), format!("{d}, #{offset}")),
            Inst::Mul { flags, d, n, m } => (format!("mul{}", sets(flags)), format!("{d}, {n}, {m}")),
            Inst::Mla { d, n, m, a } => ("mla".into(), format!("{d}, {n}, {m}, {a}")),
            Inst::Mls { d, n, m, a } => ("mls".into(), format!("{d}, {n}, {m}, {a}")),
            Inst::Smmul { d, n, m } => ("smmul".into(), format!("{d}, {n}, {m}")),
            Inst::Smmla { d, n, m, a } => ("smmla".into(), format!("{d}, {n}, {m}, {a}")),
            Inst::MulLong { op, lo, hi, n, m } => (long(op).into(), format!("{lo}, {hi}, {n}, {m}")),
            Inst::Div { sign, d, n, m } => (signed(sign, "sdiv", "udiv").into(), format!("{d}, {n}, {m}")),
            Inst::Bfi { d, n: Some(n), lsb, width } => ("bfi".into(), format!("{d}, {n}, #{lsb}, #{width}")),
            Inst::Bfi { d, n: None, lsb, width } => ("bfc".into(), format!("{d}, #{lsb}, #{width}")),
            Inst::Bfx { sign, d, n, lsb, width } => {
                (signed(sign, "sbfx", "ubfx").into(), format!("{d}, {n}, #{lsb}, #{width}"))
            }
            Inst::Extend { kind, d, n, m, rotate } => extension(kind, (d, n, m), rotate),
            Inst::Bits { op, d, m } => (bit_op(op).into(), format!("{d}, {m}")),
            Inst::Load { width, sign, t, address } => (load_name(width, sign).into(), format!("{t}, {address}")),
            Inst::Store { width, t, address } => (format!("str{}", suffix(width)), format!("{t}, {address}")),
            Inst::LoadDual { t, t2, address } => ("ldrd".into(), format!("{t}, {t2}, {address}")),
            Inst::StoreDual { t, t2, address } => ("strd".into(), format!("{t}, {t2}, {address}")),
            Inst::LoadMultiple { n, writeback, mode, registers } => {
                if (n, writeback, mode) == (Reg::SP, Writeback::Yes, MultipleMode::IncrementAfter) {
                    ("pop".into(), registers.to_string())
                } else {
                    (format!("ldm{}", suffix_of(mode)), based(n, writeback, registers))
                }
            }
            Inst::StoreMultiple { n, writeback, mode, registers } => {
                if (n, writeback, mode) == (Reg::SP, Writeback::Yes, MultipleMode::DecrementBefore) {
                    ("push".into(), registers.to_string())
                } else {
                    (format!("stm{}", suffix_of(mode)), based(n, writeback, registers))
                }
            }
            Inst::Branch { offset } => ("b".into(), target(offset)),
            Inst::BranchCond { cond, offset } => (format!("b{cond}"), target(offset)),
            Inst::CompareBranch { test, n, offset } => {
                let name = match test {
                    ZeroTest::Zero => "cbz",
                    ZeroTest::NonZero => "cbnz",
                };
                (name.into(), format!("{n}, {}", target(offset)))
            }
            Inst::BranchLink { offset } => ("bl".into(), target(offset)),
            Inst::BranchLinkReg { m } => ("blx".into(), m.to_string()),
            Inst::BranchReg { m } => ("bx".into(), m.to_string()),
            Inst::TableBranch { width, n, m } => match width {
                Width::Byte => ("tbb".into(), format!("[{n}, {m}]")),
                Width::Half | Width::Word => ("tbh".into(), format!("[{n}, {m}, lsl #1]")),
            },
            Inst::It { first, mask } => (format!("it{}", then_else(first, mask)), first.to_string()),
            Inst::Nop => ("nop".into(), String::new()),
            Inst::Udf { imm } => ("udf".into(), format!("#{imm}")),
            Inst::Float(ref inst) => float::parts(inst),
            Inst::System(system) => system_parts(system),
        }
    }
}

/// `t` and `e` for the instructions behind the first of an IT block.
fn then_else(first: Cond, mask: u8) -> String {
    let end = mask.trailing_zeros();
    (end + 1..4).rev().map(|bit| if u32::from(mask) >> bit & 1 == first as u32 & 1 { 't' } else { 'e' }).collect()
}

fn system_parts(system: System) -> (String, String) {
    match system {
        System::Svc(imm) => ("svc".into(), format!("#{imm}")),
        System::Bkpt(imm) => ("bkpt".into(), format!("#{imm}")),
        System::Yield => ("yield".into(), String::new()),
        System::Wfe => ("wfe".into(), String::new()),
        System::Wfi => ("wfi".into(), String::new()),
        System::Sev => ("sev".into(), String::new()),
        System::Dbg => ("dbg".into(), String::new()),
        System::Cps => ("cps".into(), String::new()),
        System::Dsb => ("dsb".into(), String::new()),
        System::Dmb => ("dmb".into(), String::new()),
        System::Isb => ("isb".into(), String::new()),
        System::Clrex => ("clrex".into(), String::new()),
        System::Vmrs { d } => ("vmrs".into(), format!("{d}, fpscr")),
        System::Vmsr { n } => ("vmsr".into(), format!("fpscr, {n}")),
        System::Mrs { d, sysm } => ("mrs".into(), format!("{d}, {}", special(sysm))),
        System::Msr { n, sysm, mask } => {
            let part = match mask {
                1 if sysm <= 3 => "_g",
                3 if sysm <= 3 => "_nzcvqg",
                _ if sysm <= 3 => "_nzcvq",
                _ => "",
            };
            ("msr".into(), format!("{}{part}, {n}", special(sysm)))
        }
    }
}

/// The special registers, B5.1.
fn special(sysm: u8) -> String {
    let name = match sysm {
        0 => "apsr",
        1 => "iapsr",
        2 => "eapsr",
        3 => "xpsr",
        5 => "ipsr",
        6 => "epsr",
        7 => "iepsr",
        8 => "msp",
        9 => "psp",
        16 => "primask",
        17 => "basepri",
        18 => "basepri_max",
        19 => "faultmask",
        20 => "control",
        other => return format!("special{other}"),
    };
    name.to_owned()
}

fn target(offset: i32) -> String {
    format!(".{:+}", i64::from(offset) + 4)
}

fn shift_immediate(shift: Shift, sets: &str, d: Reg, m: Reg) -> (String, String) {
    let (name, count) = match shift {
        Shift::Lsl(0) => return (format!("mov{sets}"), format!("{d}, {m}")),
        Shift::Rrx => return (format!("rrx{sets}"), format!("{d}, {m}")),
        Shift::Lsl(count) => ("lsl", count),
        Shift::Lsr(count) => ("lsr", count),
        Shift::Asr(count) => ("asr", count),
        Shift::Ror(count) => ("ror", count),
    };
    (format!("{name}{sets}"), format!("{d}, {m}, #{count}"))
}

fn shifted(shift: Shift) -> String {
    match shift {
        Shift::Lsl(0) => String::new(),
        Shift::Lsl(count) => format!(", lsl #{count}"),
        Shift::Lsr(count) => format!(", lsr #{count}"),
        Shift::Asr(count) => format!(", asr #{count}"),
        Shift::Ror(count) => format!(", ror #{count}"),
        Shift::Rrx => ", rrx".to_owned(),
    }
}

fn extension(kind: ExtendKind, (d, n, m): (Reg, Option<Reg>, Reg), rotate: u8) -> (String, String) {
    let name = match kind {
        ExtendKind::Sxtb => ["sxtb", "sxtab"],
        ExtendKind::Sxth => ["sxth", "sxtah"],
        ExtendKind::Uxtb => ["uxtb", "uxtab"],
        ExtendKind::Uxth => ["uxth", "uxtah"],
    };
    let rotated = if rotate == 0 { String::new() } else { format!(", ror #{rotate}") };
    match n {
        None => (name[0].into(), format!("{d}, {m}{rotated}")),
        Some(n) => (name[1].into(), format!("{d}, {n}, {m}{rotated}")),
    }
}

fn based(n: Reg, writeback: Writeback, registers: RegSet) -> String {
    let mark = match writeback {
        Writeback::Yes => "!",
        Writeback::No => "",
    };
    format!("{n}{mark}, {registers}")
}

fn suffix_of(mode: MultipleMode) -> &'static str {
    match mode {
        MultipleMode::IncrementAfter => "",
        MultipleMode::DecrementBefore => "db",
    }
}

fn load_name(width: Width, sign: Sign) -> &'static str {
    match (width, sign) {
        (Width::Byte, Sign::Unsigned) => "ldrb",
        (Width::Byte, Sign::Signed) => "ldrsb",
        (Width::Half, Sign::Unsigned) => "ldrh",
        (Width::Half, Sign::Signed) => "ldrsh",
        (Width::Word, Sign::Unsigned | Sign::Signed) => "ldr",
    }
}

fn suffix(width: Width) -> &'static str {
    match width {
        Width::Byte => "b",
        Width::Half => "h",
        Width::Word => "",
    }
}

fn signed<'a>(sign: Sign, if_signed: &'a str, if_unsigned: &'a str) -> &'a str {
    match sign {
        Sign::Signed => if_signed,
        Sign::Unsigned => if_unsigned,
    }
}

fn data(op: DataOp) -> &'static str {
    match op {
        DataOp::And => "and",
        DataOp::Bic => "bic",
        DataOp::Orr => "orr",
        DataOp::Orn => "orn",
        DataOp::Eor => "eor",
        DataOp::Add => "add",
        DataOp::Adc => "adc",
        DataOp::Sub => "sub",
        DataOp::Sbc => "sbc",
        DataOp::Rsb => "rsb",
    }
}

fn moved(op: MoveOp) -> &'static str {
    match op {
        MoveOp::Mov => "mov",
        MoveOp::Mvn => "mvn",
    }
}

fn test(op: TestOp) -> &'static str {
    match op {
        TestOp::Tst => "tst",
        TestOp::Teq => "teq",
        TestOp::Cmp => "cmp",
        TestOp::Cmn => "cmn",
    }
}

fn shift_name(kind: ShiftKind) -> &'static str {
    match kind {
        ShiftKind::Lsl => "lsl",
        ShiftKind::Lsr => "lsr",
        ShiftKind::Asr => "asr",
        ShiftKind::Ror => "ror",
    }
}

fn long(op: LongOp) -> &'static str {
    match op {
        LongOp::Smull => "smull",
        LongOp::Umull => "umull",
        LongOp::Smlal => "smlal",
        LongOp::Umlal => "umlal",
        LongOp::Umaal => "umaal",
    }
}

fn bit_op(op: BitOp) -> &'static str {
    match op {
        BitOp::Clz => "clz",
        BitOp::Rbit => "rbit",
        BitOp::Rev => "rev",
        BitOp::Rev16 => "rev16",
        BitOp::Revsh => "revsh",
    }
}

impl Display for Cond {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cond::Eq => "eq",
            Cond::Ne => "ne",
            Cond::Hs => "hs",
            Cond::Lo => "lo",
            Cond::Mi => "mi",
            Cond::Pl => "pl",
            Cond::Vs => "vs",
            Cond::Vc => "vc",
            Cond::Hi => "hi",
            Cond::Ls => "ls",
            Cond::Ge => "ge",
            Cond::Lt => "lt",
            Cond::Gt => "gt",
            Cond::Le => "le",
        })
    }
}

impl Display for Reg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Reg::SP => f.write_str("sp"),
            Reg::LR => f.write_str("lr"),
            Reg::PC => f.write_str("pc"),
            register => match register.location() {
                Location::Single(number) => write!(f, "s{number}"),
                Location::Core(_) | Location::Stack(_) => write!(f, "r{}", register.number()),
            },
        }
    }
}

impl Display for RegSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|register| register.to_string()).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Address::Offset { n, offset: 0 } => write!(f, "[{n}]"),
            Address::Offset { n, offset } => write!(f, "[{n}, #{offset}]"),
            Address::Index { n, m, shift: 0 } => write!(f, "[{n}, {m}]"),
            Address::Index { n, m, shift } => write!(f, "[{n}, {m}, lsl #{shift}]"),
            Address::PreIndex { n, offset } => write!(f, "[{n}, #{offset}]!"),
            Address::PostIndex { n, offset } => write!(f, "[{n}], #{offset}"),
            Address::Literal { offset } => write!(f, "[pc, #{offset}]"),
        }
    }
}
