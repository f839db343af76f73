//! Prints functions, instructions and terminators, for people and for tests.

use std::fmt::{self, Debug, Display, Formatter};

use super::entity::VReg;
use super::func::{BlockData, Func};
use super::inst::{
    Address, AluOp, Callee, Choice, CompareOp, Cond, Edge, Flags, FloatInst, InPlaceOp, Inst, LoadKind, MulLongAddOp,
    Operand2, ShiftBy, ShiftOp, Sign, StoreKind, Symbol, Terminator, UnaryOp, WideOp, ZeroTest,
};
use super::reg::PReg;

macro_rules! names {
    ($type:ty: $($variant:pat => $name:literal),+ $(,)?) => {
        impl Display for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($variant => $name),+ })
            }
        }
    };
}

names!(Cond: Cond::Eq => "eq", Cond::Ne => "ne", Cond::Hs => "hs", Cond::Lo => "lo",
    Cond::Mi => "mi", Cond::Pl => "pl", Cond::Vs => "vs", Cond::Vc => "vc", Cond::Hi => "hi",
    Cond::Ls => "ls", Cond::Ge => "ge", Cond::Lt => "lt", Cond::Gt => "gt", Cond::Le => "le");
names!(AluOp: AluOp::Add => "add", AluOp::Adc => "adc", AluOp::Sub => "sub", AluOp::Sbc => "sbc",
    AluOp::Rsb => "rsb", AluOp::And => "and", AluOp::Orr => "orr", AluOp::Eor => "eor",
    AluOp::Bic => "bic", AluOp::Orn => "orn");
names!(WideOp: WideOp::Add => "addw", WideOp::Sub => "subw");
names!(ShiftOp: ShiftOp::Lsl => "lsl", ShiftOp::Lsr => "lsr", ShiftOp::Asr => "asr",
    ShiftOp::Ror => "ror");
names!(UnaryOp: UnaryOp::Clz => "clz", UnaryOp::Rbit => "rbit", UnaryOp::Rev => "rev",
    UnaryOp::Uxtb => "uxtb", UnaryOp::Uxth => "uxth", UnaryOp::Sxtb => "sxtb",
    UnaryOp::Sxth => "sxth");
names!(CompareOp: CompareOp::Cmp => "cmp", CompareOp::Cmn => "cmn", CompareOp::Tst => "tst",
    CompareOp::Teq => "teq");
names!(Sign: Sign::Unsigned => "u", Sign::Signed => "s");
names!(MulLongAddOp: MulLongAddOp::Umlal => "umlal", MulLongAddOp::Smlal => "smlal",
    MulLongAddOp::Umaal => "umaal");
names!(LoadKind: LoadKind::Word => "ldr", LoadKind::Half => "ldrh", LoadKind::HalfSigned => "ldrsh",
    LoadKind::Byte => "ldrb", LoadKind::ByteSigned => "ldrsb");
names!(StoreKind: StoreKind::Word => "str", StoreKind::Half => "strh", StoreKind::Byte => "strb");
names!(ZeroTest: ZeroTest::Zero => "cbz", ZeroTest::NonZero => "cbnz");
names!(Flags: Flags::Keep => "", Flags::Set => "s");

impl Display for Symbol {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Symbol::Memory(index) => write!(f, "memory{index}"),
            Symbol::Instance => f.write_str("instance"),
            Symbol::Table(index) => write!(f, "table{index}"),
            Symbol::Functions => f.write_str("functions"),
            Symbol::Elements => f.write_str("elements"),
            Symbol::Data => f.write_str("data"),
            Symbol::Function(index) => write!(f, "f{index}"),
            Symbol::StackLimit => f.write_str("stack_limit"),
        }
    }
}

impl<R: Display> Display for Operand2<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operand2::Reg(m) => write!(f, "{m}"),
            Operand2::Shifted(m, op, by) => write!(f, "{m} {op} #{}", by.value()),
            Operand2::Imm(imm) => write!(f, "#{:#x}", imm.value()),
        }
    }
}

impl<R: Display> Display for Choice<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Reg(m) => write!(f, "{m}"),
            Choice::Imm(imm) => write!(f, "#{}", imm.value()),
        }
    }
}

impl<R: Display> Display for ShiftBy<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ShiftBy::Reg(m) => write!(f, "{m}"),
            ShiftBy::Imm(imm) => write!(f, "#{}", imm.value()),
        }
    }
}

impl<R: Display> Display for Address<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Address::Offset(base, offset) => write!(f, "[{base}, #{}]", offset.value()),
            Address::Index(base, index, shift) => {
                write!(f, "[{base}, {index} lsl #{}]", shift.value())
            }
        }
    }
}

fn pairs<R: Display>(pairs: &[(PReg, R)]) -> String {
    let list: Vec<String> = pairs.iter().map(|(at, reg)| format!("{reg}@{at}")).collect();
    list.join(", ")
}

impl<R: Display + Copy> Display for Inst<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Inst::Args { defs } => write!(f, "{} = args", pairs(defs)),
            Inst::Move { d, m } => write!(f, "{d} = {m}"),
            Inst::Const { d, value } => write!(f, "{d} = {value:#x}"),
            Inst::Address { d, symbol, addend } => write!(f, "{d} = {symbol} + {addend}"),
            Inst::Alu { op, flags, d, n, m } => write!(f, "{d} = {op}{flags} {n}, {m}"),
            Inst::AluWide { op, d, n, imm } => write!(f, "{d} = {op} {n}, #{}", imm.value()),
            Inst::Not { flags, d, m } => write!(f, "{d} = mvn{flags} {m}"),
            Inst::Shift { op, flags, d, n, by } => write!(f, "{d} = {op}{flags} {n}, {by}"),
            Inst::InPlace { op, flags, d, n, m } => match op {
                InPlaceOp::Alu(op) => write!(f, "{d} = {op}{flags} in place {n}, {m}"),
                InPlaceOp::Shift(op) => write!(f, "{d} = {op}{flags} in place {n}, {m}"),
                InPlaceOp::Mul => write!(f, "{d} = mul{flags} in place {n}, {m}"),
            },
            Inst::Mul { d, n, m } => write!(f, "{d} = mul {n}, {m}"),
            Inst::MulAdd { d, n, m, a } => write!(f, "{d} = mla {n}, {m}, {a}"),
            Inst::MulSub { d, n, m, a } => write!(f, "{d} = mls {n}, {m}, {a}"),
            Inst::MulLong { sign, low, high, n, m } => {
                write!(f, "{low}, {high} = {sign}mull {n}, {m}")
            }
            Inst::MulLongAdd { op, low, high, low_in, high_in, n, m } => {
                write!(f, "{low}, {high} = {op} {low_in}, {high_in}, {n}, {m}")
            }
            Inst::Div { sign, d, n, m } => write!(f, "{d} = {sign}div {n}, {m}"),
            Inst::Unary { op, d, m } => write!(f, "{d} = {op} {m}"),
            Inst::Extract { sign, d, n, field } => {
                write!(f, "{d} = {sign}bfx {n}, #{}, #{}", field.lsb(), field.width())
            }
            Inst::Insert { d, into, n, field } => {
                write!(f, "{d} = bfi {into}, {n}, #{}, #{}", field.lsb(), field.width())
            }
            Inst::Clear { d, from, field } => {
                write!(f, "{d} = bfc {from}, #{}, #{}", field.lsb(), field.width())
            }
            Inst::Compare { op, n, m } => write!(f, "{op} {n}, {m}"),
            Inst::Select { d, cond, a, b } => write!(f, "{d} = select {cond}, {a}, {b}"),
            Inst::SetCond { d, cond } => write!(f, "{d} = set {cond}"),
            Inst::Load { kind, d, address } => write!(f, "{d} = {kind} {address}"),
            Inst::Store { kind, s, address } => write!(f, "{kind} {s}, {address}"),
            Inst::SlotLoad { d, slot } => write!(f, "{d} = load {slot}"),
            Inst::SlotStore { s, slot } => write!(f, "store {s}, {slot}"),
            Inst::IncomingLoad { d, offset } => write!(f, "{d} = incoming {offset}"),
            Inst::IncomingStore { s, offset } => write!(f, "incoming {offset} = {s}"),
            Inst::OutgoingStore { s, offset } => write!(f, "outgoing {offset} = {s}"),
            Inst::ResultArea { d, offset, bytes } => write!(f, "{d} = results {offset}+{bytes}"),
            Inst::OutgoingLoad { d, offset } => write!(f, "{d} = outgoing {offset}"),
            Inst::Call(call) => {
                if !call.results.is_empty() {
                    write!(f, "{} = ", pairs(&call.results))?;
                }
                write!(f, "call {}({})", call.callee, pairs(&call.args))
            }
            Inst::Float(inst) => write!(f, "{inst}"),
            Inst::TrapIf { cond, trap } => write!(f, "trapif {cond}, {trap:?}"),
        }
    }
}

impl<R: Display> Display for FloatInst<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FloatInst::Compute { op, format, d, n: Some(n), m } => write!(f, "{d} = {op:?} {format:?} {n}, {m}"),
            FloatInst::Compute { op, format, d, n: None, m } => write!(f, "{d} = {op:?} {format:?} {m}"),
            FloatInst::Compare { format, n, m } => write!(f, "compare {format:?} {n}, {m}"),
            FloatInst::Const { format, d, imm } => write!(f, "{d} = {format:?} {:#x}", imm.code()),
            FloatInst::FromCore { d, low, high: None } => write!(f, "{d} = from core {low}"),
            FloatInst::FromCore { d, low, high: Some(high) } => write!(f, "{d} = from core {high}:{low}"),
            FloatInst::ToCore { d, m, part } => write!(f, "{d} = to core {m} {part:?}"),
            FloatInst::Pack { d, n, m } => write!(f, "{d} = pack {m}:{n}"),
            FloatInst::Unpack { d, m, part } => write!(f, "{d} = unpack {m} {part:?}"),
        }
    }
}

impl<R: Display> Display for Callee<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Callee::Function(index) => write!(f, "f{index}"),
            Callee::Import(index) => write!(f, "import{index}"),
            Callee::Register(reg) => write!(f, "[{reg}]"),
        }
    }
}

impl<R: Debug> Display for Edge<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.block)?;
        if self.args.is_empty() { Ok(()) } else { write!(f, "{:?}", self.args) }
    }
}

impl<R: Display + Debug> Display for Terminator<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Terminator::Jump(edge) => write!(f, "jump {edge}"),
            Terminator::Branch { cond, then, otherwise } => {
                write!(f, "branch {cond}, {then}, {otherwise}")
            }
            Terminator::BranchZero { test, n, then, otherwise } => {
                write!(f, "{test} {n}, {then}, {otherwise}")
            }
            Terminator::Table { index, targets } => {
                let list: Vec<String> = targets.iter().map(ToString::to_string).collect();
                write!(f, "table {index}, {}", list.join(", "))
            }
            Terminator::Return { values } => write!(f, "return {}", pairs(values)),
            Terminator::ReturnCall(call) => write!(f, "return call {}({})", call.callee, pairs(&call.args)),
            Terminator::Trap(trap) => write!(f, "trap {trap:?}"),
        }
    }
}

impl Display for BlockData {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for node in &self.insts {
            writeln!(f, "    {}", node.inst)?;
        }
        writeln!(f, "    {}", self.terminator)
    }
}

impl Display for Func {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "function {}", self.index)?;
        for (block, data) in self.blocks.iter() {
            let params: Vec<String> = data.params.iter().map(VReg::to_string).collect();
            write!(f, "{block}({}):\n{data}", params.join(", "))?;
        }
        Ok(())
    }
}
