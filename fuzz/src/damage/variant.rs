//! What an instruction of the compiler can be mistaken for: the same with another operator, constant, condition,
//! width, sign or order of operands.

use synth::trap::Trap;
use synth::vcode::Inst;
use synth::vcode::float::{FloatImm, FloatInst, FloatOp, Format, Part};
use synth::vcode::imm::{BitField, Imm8, Imm12, IndexShift, ModifiedImm, ShiftImm};
use synth::vcode::inst::{
    Address, AluOp, Choice, CompareOp, Cond, Flags, InPlaceOp, LoadKind, MulLongAddOp, Operand2, ShiftBy, ShiftOp,
    Sign, StoreKind, Terminator, UnaryOp, WideOp, ZeroTest,
};

const ALU: [AluOp; 10] = [
    AluOp::Add,
    AluOp::Adc,
    AluOp::Sub,
    AluOp::Sbc,
    AluOp::Rsb,
    AluOp::And,
    AluOp::Orr,
    AluOp::Eor,
    AluOp::Bic,
    AluOp::Orn,
];
const SHIFTS: [ShiftOp; 4] = [ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr, ShiftOp::Ror];
const UNARY: [UnaryOp; 7] =
    [UnaryOp::Clz, UnaryOp::Rbit, UnaryOp::Rev, UnaryOp::Uxtb, UnaryOp::Uxth, UnaryOp::Sxtb, UnaryOp::Sxth];
const COMPARES: [CompareOp; 4] = [CompareOp::Cmp, CompareOp::Cmn, CompareOp::Tst, CompareOp::Teq];
const SIGNS: [Sign; 2] = [Sign::Unsigned, Sign::Signed];
const LONG_ADDS: [MulLongAddOp; 3] = [MulLongAddOp::Umlal, MulLongAddOp::Smlal, MulLongAddOp::Umaal];
const LOADS: [LoadKind; 5] =
    [LoadKind::Word, LoadKind::Half, LoadKind::HalfSigned, LoadKind::Byte, LoadKind::ByteSigned];
const STORES: [StoreKind; 3] = [StoreKind::Word, StoreKind::Half, StoreKind::Byte];
const FLOAT_FAMILIES: [&[FloatOp]; 4] = [
    &[FloatOp::Add, FloatOp::Sub, FloatOp::Mul, FloatOp::Div],
    &[FloatOp::Sqrt, FloatOp::Abs, FloatOp::Neg, FloatOp::Ceil, FloatOp::Floor, FloatOp::Trunc, FloatOp::Nearest],
    &[FloatOp::ToSigned, FloatOp::ToUnsigned],
    &[FloatOp::FromSigned, FloatOp::FromUnsigned],
];

/// Everything of a list but one.
fn others<T: Copy + PartialEq>(all: &[T], one: T) -> Vec<T> {
    all.iter().copied().filter(|other| *other != one).collect()
}

/// Numbers that are nearly this one.
fn near(value: u32) -> Vec<u32> {
    let steps = [1, 4].into_iter().flat_map(|step| [value.wrapping_add(step), value.wrapping_sub(step)]);
    steps.chain([value.wrapping_neg(), value ^ 0x8000_0000]).filter(|other| *other != value).collect()
}

fn near_imm<T>(value: u32, make: impl Fn(u32) -> Option<T>) -> Vec<T> {
    near(value).into_iter().filter_map(make).collect()
}

/// What is done, and the instruction then. The registers stay, but for their order.
pub fn of_inst<R: Copy + PartialEq>(inst: &Inst<R>) -> Vec<(&'static str, Inst<R>)> {
    let mut found: Vec<(&'static str, Inst<R>)> = Vec::new();
    match inst {
        Inst::Const { d, value } => {
            found.extend(near(*value).into_iter().map(|value| ("other constant", Inst::Const { d: *d, value })));
        }
        Inst::Address { d, symbol, addend } => {
            let make = |addend| ("other constant", Inst::Address { d: *d, symbol: *symbol, addend });
            found.extend([1, -1, 4, -4].map(|step| make(addend.wrapping_add(step))));
        }
        Inst::Alu { op, flags, d, n, m } => {
            let make = |op, flags, n, m| Inst::Alu { op, flags, d: *d, n, m };
            found.extend(others(&ALU, *op).into_iter().map(|op| ("other operation", make(op, *flags, *n, *m))));
            found.extend(of_operand(*m).into_iter().map(|(what, m)| (what, make(*op, *flags, *n, m))));
            found.push(("flags set or not", make(*op, other_flags(*flags), *n, *m)));
            if let Operand2::Reg(m) = *m {
                found.push(("operands exchanged", make(*op, *flags, m, Operand2::Reg(*n))));
            }
        }
        Inst::AluWide { op, d, n, imm } => {
            let make = |op, imm| Inst::AluWide { op, d: *d, n: *n, imm };
            let turned = others(&[WideOp::Add, WideOp::Sub], *op);
            found.extend(turned.into_iter().map(|op| ("other operation", make(op, *imm))));
            found.extend(near_imm(imm.value(), Imm12::new).into_iter().map(|imm| ("other constant", make(*op, imm))));
        }
        Inst::Not { flags, d, m } => {
            found.extend(of_operand(*m).into_iter().map(|(what, m)| (what, Inst::Not { flags: *flags, d: *d, m })));
        }
        Inst::Shift { op, flags, d, n, by } => {
            let make = |op, by| Inst::Shift { op, flags: *flags, d: *d, n: *n, by };
            found.extend(others(&SHIFTS, *op).into_iter().map(|op| ("other shift", make(op, *by))));
            if let ShiftBy::Imm(amount) = by {
                let near = near_imm(amount.value(), ShiftImm::new);
                found.extend(near.into_iter().map(|by| ("other constant", make(*op, ShiftBy::Imm(by)))));
            }
        }
        Inst::InPlace { op, flags, d, n, m } => {
            let make = |op, m| Inst::InPlace { op, flags: *flags, d: *d, n: *n, m };
            let all = ALU.map(InPlaceOp::Alu).into_iter().chain(SHIFTS.map(InPlaceOp::Shift)).chain([InPlaceOp::Mul]);
            // What Armv6-M has of these.
            let has = |other: &InPlaceOp| !matches!(other, InPlaceOp::Alu(AluOp::Rsb | AluOp::Orn));
            let other = all.filter(|other| other != op && has(other) && matches!(m, Operand2::Reg(_)));
            found.extend(other.map(|op| ("other operation", make(op, *m))));
            found.extend(of_operand(*m).into_iter().map(|(what, m)| (what, make(*op, m))));
        }
        Inst::Mul { d, n, m } => {
            found.push(("other product or quotient", Inst::MulAdd { d: *d, n: *n, m: *m, a: *n }));
            found.push(("other product or quotient", Inst::Div { sign: Sign::Unsigned, d: *d, n: *n, m: *m }));
        }
        Inst::MulAdd { d, n, m, a } => {
            found.push(("other product or quotient", Inst::MulSub { d: *d, n: *n, m: *m, a: *a }));
            found.push(("other product or quotient", Inst::Mul { d: *d, n: *n, m: *m }));
            found.push(("operands exchanged", Inst::MulAdd { d: *d, n: *a, m: *m, a: *n }));
        }
        Inst::MulSub { d, n, m, a } => {
            found.push(("other product or quotient", Inst::MulAdd { d: *d, n: *n, m: *m, a: *a }));
            found.push(("operands exchanged", Inst::MulSub { d: *d, n: *a, m: *m, a: *n }));
        }
        Inst::MulLong { sign, low, high, n, m } => {
            let make = |sign, low, high| Inst::MulLong { sign, low, high, n: *n, m: *m };
            let turned = others(&SIGNS, *sign);
            found.extend(turned.into_iter().map(|sign| ("other product or quotient", make(sign, *low, *high))));
            found.push(("results exchanged", make(*sign, *high, *low)));
        }
        Inst::MulLongAdd { op, low, high, low_in, high_in, n, m } => {
            let make =
                |op, low_in, high_in| Inst::MulLongAdd { op, low: *low, high: *high, low_in, high_in, n: *n, m: *m };
            let turned = others(&LONG_ADDS, *op);
            found.extend(turned.into_iter().map(|op| ("other product or quotient", make(op, *low_in, *high_in))));
            found.push(("operands exchanged", make(*op, *high_in, *low_in)));
        }
        Inst::Div { sign, d, n, m } => {
            let make = |sign, n, m| Inst::Div { sign, d: *d, n, m };
            let turned = others(&SIGNS, *sign);
            found.extend(turned.into_iter().map(|sign| ("other product or quotient", make(sign, *n, *m))));
            found.push(("operands exchanged", make(*sign, *m, *n)));
        }
        Inst::Unary { op, d, m } => {
            let other = others(&UNARY, *op).into_iter();
            found.extend(other.map(|op| ("other operation", Inst::Unary { op, d: *d, m: *m })));
        }
        Inst::Extract { sign, d, n, field } => {
            let make = |sign, field| Inst::Extract { sign, d: *d, n: *n, field };
            let turned = others(&SIGNS, *sign);
            found.extend(turned.into_iter().map(|sign| ("other width, sign or direction", make(sign, *field))));
            found.extend(fields(*field).into_iter().map(|field| ("other constant", make(*sign, field))));
        }
        Inst::Insert { d, into, n, field } => {
            let make = |field| Inst::Insert { d: *d, into: *into, n: *n, field };
            found.extend(fields(*field).into_iter().map(|field| ("other constant", make(field))));
        }
        Inst::Clear { d, from, field } => {
            let make = |field| Inst::Clear { d: *d, from: *from, field };
            found.extend(fields(*field).into_iter().map(|field| ("other constant", make(field))));
        }
        Inst::Compare { op, n, m } => {
            let other = others(&COMPARES, *op).into_iter();
            found.extend(other.map(|op| ("other operation", Inst::Compare { op, n: *n, m: *m })));
            let bounds = of_operand(*m).into_iter();
            found.extend(bounds.map(|(_, m)| ("other compared constant", Inst::Compare { op: *op, n: *n, m })));
            if let Operand2::Reg(m) = *m {
                found.push(("operands exchanged", Inst::Compare { op: *op, n: m, m: Operand2::Reg(*n) }));
            }
        }
        Inst::Select { d, cond, a, b } => {
            let make = |cond, a, b| Inst::Select { d: *d, cond, a, b };
            found.extend(others(&Cond::ALL, *cond).into_iter().map(|cond| ("other condition", make(cond, *a, *b))));
            found.push(("operands exchanged", make(*cond, *b, *a)));
            for (what, other) in of_choice(*a) {
                found.push((what, make(*cond, other, *b)));
            }
        }
        Inst::SetCond { d, cond } => {
            let other = others(&Cond::ALL, *cond).into_iter();
            found.extend(other.map(|cond| ("other condition", Inst::SetCond { d: *d, cond })));
        }
        Inst::Load { kind, d, address } => {
            let make = |kind, address| Inst::Load { kind, d: *d, address };
            let other = others(&LOADS, *kind).into_iter();
            found.extend(other.map(|kind| ("other width, sign or direction", make(kind, *address))));
            found.extend(of_address(*address).into_iter().map(|address| ("other address", make(*kind, address))));
        }
        Inst::Store { kind, s, address } => {
            let make = |kind, address| Inst::Store { kind, s: *s, address };
            let other = others(&STORES, *kind).into_iter();
            found.extend(other.map(|kind| ("other width, sign or direction", make(kind, *address))));
            found.extend(of_address(*address).into_iter().map(|address| ("other address", make(*kind, address))));
        }
        Inst::TrapIf { cond, trap } => {
            let other = others(&Cond::ALL, *cond).into_iter();
            found.extend(other.map(|cond| ("other condition", Inst::TrapIf { cond, trap: *trap })));
            let other = others(&Trap::ALL, *trap).into_iter();
            found.extend(other.map(|trap| ("other trap", Inst::TrapIf { cond: *cond, trap })));
        }
        Inst::Float(float) => {
            found.extend(of_float(float).into_iter().map(|(what, float)| (what, Inst::Float(float))));
        }
        Inst::Args { .. }
        | Inst::Move { .. }
        | Inst::SlotLoad { .. }
        | Inst::SlotStore { .. }
        | Inst::IncomingLoad { .. }
        | Inst::IncomingStore { .. }
        | Inst::OutgoingStore { .. }
        | Inst::ResultArea { .. }
        | Inst::OutgoingLoad { .. }
        | Inst::Call(_) => {}
    }
    found
}

fn other_flags(flags: Flags) -> Flags {
    match flags {
        Flags::Keep => Flags::Set,
        Flags::Set => Flags::Keep,
    }
}

fn of_operand<R: Copy>(operand: Operand2<R>) -> Vec<(&'static str, Operand2<R>)> {
    match operand {
        Operand2::Reg(_) => Vec::new(),
        Operand2::Shifted(m, op, by) => {
            let other = others(&SHIFTS, op).into_iter().map(|op| ("other shift", Operand2::Shifted(m, op, by)));
            let near = near_imm(by.value(), ShiftImm::new).into_iter();
            let near = near.map(|by| ("other constant", Operand2::Shifted(m, op, by)));
            other.chain(near).chain([("shift dropped", Operand2::Reg(m))]).collect()
        }
        Operand2::Imm(imm) => {
            let near = near_imm(imm.value(), ModifiedImm::new).into_iter();
            near.map(|imm| ("other constant", Operand2::Imm(imm))).collect()
        }
    }
}

fn of_choice<R>(choice: Choice<R>) -> Vec<(&'static str, Choice<R>)> {
    match choice {
        Choice::Reg(_) => Vec::new(),
        Choice::Imm(imm) => {
            near_imm(imm.value(), Imm8::new).into_iter().map(|imm| ("other constant", Choice::Imm(imm))).collect()
        }
    }
}

fn of_address<R: Copy>(address: Address<R>) -> Vec<Address<R>> {
    match address {
        Address::Offset(base, offset) => {
            near_imm(offset.value(), Imm12::new).into_iter().map(|offset| Address::Offset(base, offset)).collect()
        }
        Address::Index(base, index, shift) => {
            let other = near_imm(shift.value(), IndexShift::new).into_iter();
            other.map(|shift| Address::Index(base, index, shift)).collect()
        }
    }
}

fn fields(field: BitField) -> Vec<BitField> {
    let (lsb, width) = (field.lsb(), field.width());
    let other = [(lsb + 1, width), (lsb.wrapping_sub(1), width), (lsb, width + 1), (lsb, width - 1)];
    other.into_iter().filter_map(|(lsb, width)| BitField::new(lsb, width)).collect()
}

fn of_float<R: Copy + PartialEq>(inst: &FloatInst<R>) -> Vec<(&'static str, FloatInst<R>)> {
    let mut found = Vec::new();
    match *inst {
        FloatInst::Compute { op, format, d, n, m } => {
            let family = FLOAT_FAMILIES.into_iter().find(|family| family.contains(&op)).unwrap_or(&[]);
            let make = |op, n, m| FloatInst::Compute { op, format, d, n, m };
            found.extend(others(family, op).into_iter().map(|op| ("other float instruction", make(op, n, m))));
            if let Some(n) = n {
                found.push(("operands exchanged", make(op, Some(m), n)));
            }
        }
        FloatInst::Compare { format, n, m } => {
            found.push(("operands exchanged", FloatInst::Compare { format, n: m, m: n }));
        }
        FloatInst::Const { format, d, imm } => {
            // One, a half and two: one of them is another number.
            let numbers: [u64; 3] = match format {
                Format::F32 => [0x3f80_0000, 0x3f00_0000, 0x4000_0000],
                Format::F64 => [0x3ff0 << 48, 0x3fe0 << 48, 0x4000 << 48],
            };
            let other =
                numbers.into_iter().filter_map(|bits| FloatImm::new(format, bits)).filter(|other| *other != imm);
            found.extend(other.map(|imm| ("other constant", FloatInst::Const { format, d, imm })));
        }
        FloatInst::FromCore { d, low, high } => {
            if let Some(high) = high {
                found.push(("operands exchanged", FloatInst::FromCore { d, low: high, high: Some(low) }));
            }
        }
        FloatInst::ToCore { d, m, part } => {
            found.push(("other half", FloatInst::ToCore { d, m, part: other_part(part) }));
        }
        FloatInst::Unpack { d, m, part } => {
            found.push(("other half", FloatInst::Unpack { d, m, part: other_part(part) }));
        }
        FloatInst::Pack { d, n, m } => found.push(("operands exchanged", FloatInst::Pack { d, n: m, m: n })),
    }
    found
}

fn other_part(part: Part) -> Part {
    match part {
        Part::Low => Part::High,
        Part::High => Part::Low,
    }
}

/// What is done, and the end of the block then.
pub fn of_end<R: Clone>(end: &Terminator<R>) -> Vec<(&'static str, Terminator<R>)> {
    let mut found = Vec::new();
    match end {
        Terminator::Branch { cond, then, otherwise } => {
            let make = |cond| Terminator::Branch { cond, then: then.clone(), otherwise: otherwise.clone() };
            found.extend(others(&Cond::ALL, *cond).into_iter().map(|cond| ("other condition", make(cond))));
            found.push(("branch always taken", Terminator::Jump(then.clone())));
            found.push(("branch never taken", Terminator::Jump(otherwise.clone())));
        }
        Terminator::BranchZero { test, n, then, otherwise } => {
            let test = match test {
                ZeroTest::Zero => ZeroTest::NonZero,
                ZeroTest::NonZero => ZeroTest::Zero,
            };
            let (n, then, otherwise) = (n.clone(), then.clone(), otherwise.clone());
            found.push(("branch always taken", Terminator::Jump(then.clone())));
            found.push(("branch never taken", Terminator::Jump(otherwise.clone())));
            found.push(("other condition", Terminator::BranchZero { test, n, then, otherwise }));
        }
        Terminator::Table { index, targets } => {
            let make = |targets| Terminator::Table { index: index.clone(), targets };
            for at in 1..targets.len() {
                let mut turned = targets.clone();
                turned.swap(at - 1, at);
                found.push(("jump table entries exchanged", make(turned)));
            }
            if targets.len() > 1 {
                found.push(("jump table entry dropped", make(targets[1..].to_vec())));
                found.push(("jump table entry dropped", make(targets[..targets.len() - 1].to_vec())));
            }
        }
        Terminator::Return { values } => {
            for at in 1..values.len() {
                let mut turned = values.clone();
                (turned[at - 1].0, turned[at].0) = (values[at].0, values[at - 1].0);
                found.push(("results exchanged", Terminator::Return { values: turned }));
            }
        }
        Terminator::Trap(trap) => {
            let other = others(&Trap::ALL, *trap).into_iter();
            found.extend(other.map(|trap| ("other trap", Terminator::Trap(trap))));
        }
        Terminator::Jump(_) | Terminator::ReturnCall(_) => {}
    }
    found
}
