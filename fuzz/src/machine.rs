//! Arbitrary instructions of the encoder, with the registers that the manual allows them.

use synth::emit::float::{FloatMachine, FloatReg};
use synth::emit::machine::{EntryWidth, FlagsMode, Machine, Position, Side, Width};
use synth::vcode::float::{FloatOp, Format};
use synth::vcode::imm::{BitField, Imm12, IndexShift, ModifiedImm, ShiftImm};
use synth::vcode::inst::{
    Address, AluOp, CompareOp, Cond, LoadKind, MulLongAddOp, Operand2, ShiftOp, Sign, StoreKind, UnaryOp, WideOp,
    ZeroTest,
};
use synth::vcode::{PReg, RegSet};

use crate::choices::Choices;

const SIGNS: [Sign; 2] = [Sign::Unsigned, Sign::Signed];
const SHIFTS: [ShiftOp; 4] = [ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr, ShiftOp::Ror];

/// An instruction and where it stands.
pub fn instruction(choices: &mut Choices<'_>) -> (Machine, Position) {
    let position = match choices.below(3) {
        0 => Position::Under(choices.pick(&Cond::ALL)),
        _ => Position::Plain,
    };
    let inst = match choices.below(4) {
        0 => computation(choices, position),
        1 => multiplication(choices),
        2 => memory(choices),
        // What cannot stand under a condition.
        _ if position == Position::Plain => control(choices),
        _ => computation(choices, position),
    };
    // Those of the floating-point unit never stand in an IT block.
    let position = if matches!(inst, Machine::Float(_)) { Position::Plain } else { position };
    (inst, position)
}

fn register(choices: &mut Choices<'_>) -> PReg {
    let low = choices.below(2) == 0;
    PReg::new(if low { choices.below(8) as u8 } else { choices.pick(&[8, 9, 10, 11, 12, 14]) })
}

fn shift(choices: &mut Choices<'_>) -> ShiftImm {
    ShiftImm::new(1 + choices.below(31) as u32).expect("1 to 31")
}

fn modified(choices: &mut Choices<'_>) -> ModifiedImm {
    let byte = u32::from(choices.byte());
    let value = match choices.below(5) {
        0 => byte << 16 | byte,
        1 => byte << 24 | byte << 8,
        2 => byte * 0x0101_0101,
        3 => (0x80 | byte) << choices.below(25),
        _ => byte,
    };
    ModifiedImm::new(value).expect("one of the five forms")
}

fn second(choices: &mut Choices<'_>) -> Operand2<PReg> {
    match choices.below(3) {
        0 => Operand2::Imm(modified(choices)),
        1 => Operand2::Shifted(register(choices), choices.pick(&SHIFTS), shift(choices)),
        _ => Operand2::Reg(register(choices)),
    }
}

fn field(choices: &mut Choices<'_>) -> BitField {
    let lsb = choices.below(32);
    BitField::new(lsb as u32, 1 + choices.below(32 - lsb) as u32).expect("inside a word")
}

fn computation(choices: &mut Choices<'_>, position: Position) -> Machine {
    use AluOp::{Adc, Add, And, Bic, Eor, Orn, Orr, Rsb, Sbc, Sub};
    let flags = match position {
        Position::Plain => choices.pick(&[FlagsMode::Set, FlagsMode::Keep, FlagsMode::Dead]),
        Position::Under(_) => FlagsMode::Keep,
    };
    let (d, n) = (register(choices), register(choices));
    match choices.below(9) {
        0 => {
            let op = choices.pick(&[Add, Adc, Sub, Sbc, Rsb, And, Orr, Eor, Bic, Orn]);
            Machine::Alu { op, flags, d, n, m: second(choices) }
        }
        1 => {
            let imm = Imm12::new(choices.i32() as u32 & 0xfff).expect("12 bits");
            Machine::AluWide { op: choices.pick(&[WideOp::Add, WideOp::Sub]), d, n, imm }
        }
        2 => Machine::Mov { flags, d, m: second(choices) },
        3 => Machine::Mvn { flags, d, m: second(choices) },
        4 => Machine::Movw { d, imm: choices.i32() as u16 },
        5 => Machine::Movt { d, imm: choices.i32() as u16 },
        6 => Machine::Shift { op: choices.pick(&SHIFTS), flags, d, n, m: register(choices) },
        7 => Machine::Mul { flags: FlagsMode::Keep, d, n, m: register(choices) },
        _ => {
            let op = choices.pick(&[CompareOp::Cmp, CompareOp::Cmn, CompareOp::Tst, CompareOp::Teq]);
            Machine::Compare { op, n, m: second(choices) }
        }
    }
}

fn multiplication(choices: &mut Choices<'_>) -> Machine {
    let (d, n, m, a) = (register(choices), register(choices), register(choices), register(choices));
    let sign = choices.pick(&SIGNS);
    // Two results have two registers.
    let (low, high) = if d == a { (PReg::R0, PReg::R1) } else { (d, a) };
    match choices.below(9) {
        0 => Machine::MulAdd { d, n, m, a },
        1 => Machine::MulSub { d, n, m, a },
        2 => Machine::MulLong { sign, low, high, n, m },
        3 => {
            let op = choices.pick(&[MulLongAddOp::Umlal, MulLongAddOp::Smlal, MulLongAddOp::Umaal]);
            Machine::MulLongAdd { op, low, high, n, m }
        }
        4 => Machine::Div { sign, d, n, m },
        5 => {
            use UnaryOp::{Clz, Rbit, Rev, Sxtb, Sxth, Uxtb, Uxth};
            Machine::Unary { op: choices.pick(&[Clz, Rbit, Rev, Sxtb, Sxth, Uxtb, Uxth]), d, m }
        }
        6 => Machine::Extract { sign, d, n, field: field(choices) },
        7 => Machine::Insert { d, n, field: field(choices) },
        _ => Machine::Clear { d, field: field(choices) },
    }
}

fn memory(choices: &mut Choices<'_>) -> Machine {
    use LoadKind::{Byte, ByteSigned, Half, HalfSigned, Word};
    let (d, base) = (register(choices), register(choices));
    let address = match choices.below(2) {
        0 => Address::Offset(base, Imm12::new(choices.i32() as u32 & 0xfff).expect("12 bits")),
        _ => Address::Index(base, register(choices), IndexShift::new(choices.below(4) as u32).expect("to 3")),
    };
    match choices.below(3) {
        0 => Machine::Load { kind: choices.pick(&[Word, Half, HalfSigned, Byte, ByteSigned]), d, address },
        1 => Machine::Store { kind: choices.pick(&[StoreKind::Word, StoreKind::Half, StoreKind::Byte]), s: d, address },
        _ => float(choices),
    }
}

fn float(choices: &mut Choices<'_>) -> Machine {
    use FloatOp::{Abs, Add, Ceil, Div, Floor, Mul, Nearest, Neg, Sqrt, Sub, Trunc};
    let format = choices.pick(&[Format::F32, Format::F64]);
    let mut any = || match format {
        Format::F32 => FloatReg::Single(choices.below(32) as u8),
        Format::F64 => FloatReg::Double(choices.below(16) as u8),
    };
    let (d, n, m) = (any(), any(), any());
    let (t, single) = (register(choices), choices.below(32) as u8);
    Machine::Float(match choices.below(8) {
        0 => FloatMachine::Compute { op: choices.pick(&[Add, Sub, Mul, Div]), format, d, n: Some(n), m },
        1 => {
            let op = choices.pick(&[Sqrt, Abs, Neg, Ceil, Floor, Trunc, Nearest]);
            FloatMachine::Compute { op, format, d, n: None, m }
        }
        2 => FloatMachine::Move { d, m },
        3 => FloatMachine::Compare { n, m },
        4 => FloatMachine::FromCore { single, t },
        5 => FloatMachine::ToCore { t, single },
        6 => FloatMachine::Load { d, n: t, words: choices.byte() },
        _ => FloatMachine::Store { d, n: t, words: choices.byte() },
    })
}

fn control(choices: &mut Choices<'_>) -> Machine {
    let width = choices.pick(&[Width::Narrow, Width::Wide]);
    let mut distance = |bits: u32| (choices.i32() << (32 - bits) >> (32 - bits)) & !1;
    let (short, long, near, far) = (distance(11), distance(24), distance(8), distance(20));
    let forward = u16::from(choices.byte());
    let (n, cond) = (register(choices), choices.pick(&Cond::ALL));
    match choices.below(12) {
        0 => Machine::Branch { width, distance: if width == Width::Narrow { short } else { long } },
        1 => Machine::BranchIf { width, cond, distance: if width == Width::Narrow { near } else { far } },
        2 => {
            let test = choices.pick(&[ZeroTest::Zero, ZeroTest::NonZero]);
            Machine::BranchZero { test, n: PReg::new(n.number() % 8), distance: 4 + i32::from(forward & 0x3f) * 2 }
        }
        3 => Machine::Call { distance: long },
        4 => Machine::CallReg { m: n },
        5 => Machine::BranchReg { m: n },
        6 => Machine::TableBranch { entries: choices.pick(&[EntryWidth::Byte, EntryWidth::Half]), m: n },
        7 => Machine::It { cond, second: choices.pick(&[None, Some(Side::Then), Some(Side::Else)]) },
        8 => Machine::Udf(forward as u8),
        9 => Machine::LoadLiteral { width: Width::Wide, d: n, distance: forward << 4 },
        10 => {
            let saved = RegSet::from_bits(choices.i32() as u16 & 0x4fff | 1);
            if choices.below(2) == 0 { Machine::Push(saved) } else { Machine::Pop(saved) }
        }
        _ => Machine::Nop,
    }
}
