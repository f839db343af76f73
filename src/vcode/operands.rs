//! The one table of what an instruction reads and writes: uses, definitions, registers that are
//! fixed or tied, registers destroyed, flags.
//!
//! Ensures: uses are visited before definitions. Everything else about operands (lists, renaming,
//! allocation, labels) is derived from [`Inst::map`] and [`Terminator::map`].

use super::float::FloatInst;
use super::inst::{Address, Call, Callee, Choice, Edge, Flags, Inst, Operand2, ShiftBy, Terminator};
use super::reg::{Bank, PReg, RegSet};

/// Read or written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Read.
    Use,
    /// Written.
    Def,
}

/// Which registers an operand may be in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Constraint {
    /// Any.
    Any,
    /// Exactly this one.
    Fixed(PReg),
    /// The one of the use with this index, counted over the uses of the instruction.
    Tied(usize),
}

/// One operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Operand<R> {
    /// The register.
    pub reg: R,
    /// Read or written.
    pub role: Role,
    /// Where it may be.
    pub constraint: Constraint,
    /// Among which registers.
    pub bank: Bank,
}

/// What an instruction does with the flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlagsEffect {
    /// They are an operand.
    pub reads: bool,
    /// They are a result, or destroyed.
    pub writes: bool,
}

impl<R> Operand<R> {
    /// The same in a register of the floating-point unit.
    pub(super) fn float(self) -> Operand<R> {
        Operand { bank: Bank::Float, ..self }
    }

    /// The same in a register of either bank: the instruction says the rest.
    fn either(self) -> Operand<R> {
        Operand { bank: Bank::Either, ..self }
    }
}

pub(super) fn used<R>(reg: R) -> Operand<R> {
    Operand { reg, role: Role::Use, constraint: Constraint::Any, bank: Bank::Core }
}

pub(super) fn defined<R>(reg: R) -> Operand<R> {
    Operand { reg, role: Role::Def, constraint: Constraint::Any, bank: Bank::Core }
}

fn tied<R>(reg: R, to: usize) -> Operand<R> {
    Operand { reg, role: Role::Def, constraint: Constraint::Tied(to), bank: Bank::Core }
}

fn fixed<R>(reg: R, role: Role, at: PReg) -> Operand<R> {
    Operand { reg, role, constraint: Constraint::Fixed(at), bank: at.bank() }
}

impl<R: Copy> Operand2<R> {
    fn map<S>(self, f: &mut impl FnMut(Operand<R>) -> S) -> Operand2<S> {
        match self {
            Operand2::Reg(m) => Operand2::Reg(f(used(m))),
            Operand2::Shifted(m, op, by) => Operand2::Shifted(f(used(m)), op, by),
            Operand2::Imm(imm) => Operand2::Imm(imm),
        }
    }
}

impl<R: Copy> Choice<R> {
    fn map<S>(self, f: &mut impl FnMut(Operand<R>) -> S) -> Choice<S> {
        match self {
            Choice::Reg(m) => Choice::Reg(f(used(m))),
            Choice::Imm(imm) => Choice::Imm(imm),
        }
    }
}

impl<R: Copy> Address<R> {
    fn map<S>(self, f: &mut impl FnMut(Operand<R>) -> S) -> Address<S> {
        match self {
            Address::Offset(base, offset) => Address::Offset(f(used(base)), offset),
            Address::Index(base, index, shift) => {
                let base = f(used(base));
                Address::Index(base, f(used(index)), shift)
            }
        }
    }
}

impl<R: Copy> Call<R> {
    fn map<S>(&self, f: &mut impl FnMut(Operand<R>) -> S) -> Call<S> {
        let callee = match self.callee {
            Callee::Function(index) => Callee::Function(index),
            Callee::Import(index) => Callee::Import(index),
            Callee::Register(m) => Callee::Register(f(fixed(m, Role::Use, PReg::LR))),
        };
        let args = self.args.iter().map(|&(at, m)| (at, f(fixed(m, Role::Use, at)))).collect();
        let results = self.results.iter().map(|&(at, d)| (at, f(fixed(d, Role::Def, at)))).collect();
        Call { callee, args, results }
    }
}

impl<R: Copy> Inst<R> {
    /// The same instruction with every operand replaced by `f`'s answer.
    pub fn map<S>(&self, f: &mut impl FnMut(Operand<R>) -> S) -> Inst<S> {
        match *self {
            Inst::Args { ref defs } => {
                Inst::Args { defs: defs.iter().map(|&(at, d)| (at, f(fixed(d, Role::Def, at)))).collect() }
            }
            Inst::Move { d, m } => {
                let m = f(used(m).either());
                Inst::Move { d: f(defined(d).either()), m }
            }
            Inst::Const { d, value } => Inst::Const { d: f(defined(d)), value },
            Inst::Address { d, symbol, addend } => Inst::Address { d: f(defined(d)), symbol, addend },
            Inst::Alu { op, flags, d, n, m } => {
                let n = f(used(n));
                let m = m.map(f);
                Inst::Alu { op, flags, d: f(defined(d)), n, m }
            }
            Inst::AluWide { op, d, n, imm } => {
                let n = f(used(n));
                Inst::AluWide { op, d: f(defined(d)), n, imm }
            }
            Inst::Not { flags, d, m } => {
                let m = m.map(f);
                Inst::Not { flags, d: f(defined(d)), m }
            }
            Inst::Shift { op, flags, d, n, by } => {
                let n = f(used(n));
                let by = match by {
                    ShiftBy::Reg(m) => ShiftBy::Reg(f(used(m))),
                    ShiftBy::Imm(imm) => ShiftBy::Imm(imm),
                };
                Inst::Shift { op, flags, d: f(defined(d)), n, by }
            }
            Inst::InPlace { op, flags, d, n, m } => {
                let n = f(used(n));
                let m = m.map(f);
                Inst::InPlace { op, flags, d: f(tied(d, 0)), n, m }
            }
            Inst::Mul { d, n, m } => {
                let (n, m) = (f(used(n)), f(used(m)));
                Inst::Mul { d: f(defined(d)), n, m }
            }
            Inst::MulAdd { d, n, m, a } => {
                let (n, m, a) = (f(used(n)), f(used(m)), f(used(a)));
                Inst::MulAdd { d: f(defined(d)), n, m, a }
            }
            Inst::MulSub { d, n, m, a } => {
                let (n, m, a) = (f(used(n)), f(used(m)), f(used(a)));
                Inst::MulSub { d: f(defined(d)), n, m, a }
            }
            Inst::MulLong { sign, low, high, n, m } => {
                let (n, m) = (f(used(n)), f(used(m)));
                let (low, high) = (f(defined(low)), f(defined(high)));
                Inst::MulLong { sign, low, high, n, m }
            }
            Inst::MulLongAdd { op, low, high, low_in, high_in, n, m } => {
                let (low_in, high_in) = (f(used(low_in)), f(used(high_in)));
                let (n, m) = (f(used(n)), f(used(m)));
                let (low, high) = (f(tied(low, 0)), f(tied(high, 1)));
                Inst::MulLongAdd { op, low, high, low_in, high_in, n, m }
            }
            Inst::Div { sign, d, n, m } => {
                let (n, m) = (f(used(n)), f(used(m)));
                Inst::Div { sign, d: f(defined(d)), n, m }
            }
            Inst::Unary { op, d, m } => {
                let m = f(used(m));
                Inst::Unary { op, d: f(defined(d)), m }
            }
            Inst::Extract { sign, d, n, field } => {
                let n = f(used(n));
                Inst::Extract { sign, d: f(defined(d)), n, field }
            }
            Inst::Insert { d, into, n, field } => {
                let (into, n) = (f(used(into)), f(used(n)));
                Inst::Insert { d: f(tied(d, 0)), into, n, field }
            }
            Inst::Clear { d, from, field } => {
                let from = f(used(from));
                Inst::Clear { d: f(tied(d, 0)), from, field }
            }
            Inst::Compare { op, n, m } => {
                let n = f(used(n));
                Inst::Compare { op, n, m: m.map(f) }
            }
            Inst::Select { d, cond, a, b } => {
                let (a, b) = (a.map(f), b.map(f));
                Inst::Select { d: f(defined(d)), cond, a, b }
            }
            Inst::SetCond { d, cond } => Inst::SetCond { d: f(defined(d)), cond },
            Inst::Load { kind, d, address } => {
                let address = address.map(f);
                Inst::Load { kind, d: f(defined(d)), address }
            }
            Inst::Store { kind, s, address } => {
                let s = f(used(s));
                Inst::Store { kind, s, address: address.map(f) }
            }
            Inst::SlotLoad { d, slot } => Inst::SlotLoad { d: f(defined(d).either()), slot },
            Inst::SlotStore { s, slot } => Inst::SlotStore { s: f(used(s).either()), slot },
            Inst::IncomingLoad { d, offset } => Inst::IncomingLoad { d: f(defined(d)), offset },
            Inst::IncomingStore { s, offset } => Inst::IncomingStore { s: f(used(s)), offset },
            Inst::OutgoingStore { s, offset } => Inst::OutgoingStore { s: f(used(s)), offset },
            Inst::ResultArea { d, offset, bytes } => Inst::ResultArea { d: f(defined(d)), offset, bytes },
            Inst::OutgoingLoad { d, offset } => Inst::OutgoingLoad { d: f(defined(d)), offset },
            Inst::Call(ref call) => Inst::Call(call.map(f)),
            Inst::Float(ref inst) => Inst::Float(inst.map(f)),
            Inst::TrapIf { cond, trap } => Inst::TrapIf { cond, trap },
        }
    }

    /// Its operands, uses first.
    pub fn operands(&self) -> Vec<Operand<R>> {
        let mut list = Vec::new();
        self.map(&mut |operand| list.push(operand));
        list
    }

    /// The registers read.
    pub fn uses(&self) -> Vec<R> {
        self.operands().into_iter().filter(|o| o.role == Role::Use).map(|o| o.reg).collect()
    }

    /// The registers written.
    pub fn defs(&self) -> Vec<R> {
        self.operands().into_iter().filter(|o| o.role == Role::Def).map(|o| o.reg).collect()
    }

    /// The registers destroyed besides the definitions.
    pub fn clobbers(&self) -> RegSet {
        if matches!(self, Inst::Call(_)) { RegSet::CLOBBERED } else { RegSet::EMPTY }
    }

    /// What it does with the flags.
    pub fn flags_effect(&self) -> FlagsEffect {
        let effect = |reads, writes| FlagsEffect { reads, writes };
        match *self {
            Inst::Alu { op, flags, .. } => effect(op.reads_carry(), flags == Flags::Set),
            Inst::InPlace { op, flags, .. } => effect(op.reads_carry(), flags == Flags::Set),
            Inst::Not { flags, .. } | Inst::Shift { flags, .. } => effect(false, flags == Flags::Set),
            Inst::Compare { .. } | Inst::Call(_) | Inst::Float(FloatInst::Compare { .. }) => effect(false, true),
            Inst::Select { .. } | Inst::SetCond { .. } | Inst::TrapIf { .. } => effect(true, false),
            Inst::Args { .. }
            | Inst::Move { .. }
            | Inst::Const { .. }
            | Inst::Address { .. }
            | Inst::AluWide { .. }
            | Inst::Mul { .. }
            | Inst::MulAdd { .. }
            | Inst::MulSub { .. }
            | Inst::MulLong { .. }
            | Inst::MulLongAdd { .. }
            | Inst::Div { .. }
            | Inst::Unary { .. }
            | Inst::Extract { .. }
            | Inst::Insert { .. }
            | Inst::Clear { .. }
            | Inst::Load { .. }
            | Inst::Store { .. }
            | Inst::SlotLoad { .. }
            | Inst::SlotStore { .. }
            | Inst::IncomingLoad { .. }
            | Inst::IncomingStore { .. }
            | Inst::OutgoingStore { .. }
            | Inst::ResultArea { .. }
            | Inst::OutgoingLoad { .. }
            | Inst::Float(_) => effect(false, false),
        }
    }
}

impl<R: Copy> Terminator<R> {
    /// The same terminator with every operand replaced by `f`'s answer and every edge by `edge`'s.
    pub fn map<S>(
        &self,
        f: &mut impl FnMut(Operand<R>) -> S,
        edge: &mut impl FnMut(&Edge<R>) -> Edge<S>,
    ) -> Terminator<S> {
        match *self {
            Terminator::Jump(ref target) => Terminator::Jump(edge(target)),
            Terminator::Branch { cond, ref then, ref otherwise } => {
                Terminator::Branch { cond, then: edge(then), otherwise: edge(otherwise) }
            }
            Terminator::BranchZero { test, n, ref then, ref otherwise } => {
                Terminator::BranchZero { test, n: f(used(n)), then: edge(then), otherwise: edge(otherwise) }
            }
            Terminator::Table { index, ref targets } => {
                Terminator::Table { index: f(used(index)), targets: targets.iter().map(edge).collect() }
            }
            Terminator::Return { ref values } => {
                Terminator::Return { values: values.iter().map(|&(at, m)| (at, f(fixed(m, Role::Use, at)))).collect() }
            }
            Terminator::ReturnCall(ref call) => Terminator::ReturnCall(call.map(f)),
            Terminator::Trap(trap) => Terminator::Trap(trap),
        }
    }

    /// Its operands, edge arguments not counted.
    pub fn operands(&self) -> Vec<Operand<R>> {
        let mut list = Vec::new();
        self.map(&mut |operand| list.push(operand), &mut |edge| Edge { block: edge.block, args: Vec::new() });
        list
    }

    /// Whether the flags are an operand.
    pub fn reads_flags(&self) -> bool {
        matches!(self, Terminator::Branch { .. })
    }
}
