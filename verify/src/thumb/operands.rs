//! Which registers and flags an instruction reads and writes.
//!
//! Ensures: exactly those that [`step`](super::sem::step) reads and writes, PC left out. A call is
//! the branch alone: that a callee reads arguments and destroys registers is a fact of the ABI.

#![deny(clippy::wildcard_enum_match_arm)]

use super::float::{FloatInst, FloatReg};
use super::inst::{
    Address, Cond, DataOp, Immediate, Inst, LongOp, Reg, RegSet, SetFlags, Shift, System, TestOp, Writeback,
};

/// A set of condition flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FlagSet(u8);

impl FlagSet {
    /// None.
    pub const EMPTY: FlagSet = FlagSet(0);
    /// Negative.
    pub const N: FlagSet = FlagSet(8);
    /// Zero.
    pub const Z: FlagSet = FlagSet(4);
    /// Carry.
    pub const C: FlagSet = FlagSet(2);
    /// Overflow.
    pub const V: FlagSet = FlagSet(1);
    /// All four.
    pub const ALL: FlagSet = FlagSet(15);

    /// The flags of both sets.
    #[must_use]
    pub const fn union(self, other: FlagSet) -> FlagSet {
        FlagSet(self.0 | other.0)
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it has every flag of the other set.
    pub const fn contains(self, other: FlagSet) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Cond {
    /// The flags that it depends on.
    pub fn flags(self) -> FlagSet {
        match self {
            Cond::Eq | Cond::Ne => FlagSet::Z,
            Cond::Hs | Cond::Lo => FlagSet::C,
            Cond::Mi | Cond::Pl => FlagSet::N,
            Cond::Vs | Cond::Vc => FlagSet::V,
            Cond::Hi | Cond::Ls => FlagSet::C.union(FlagSet::Z),
            Cond::Ge | Cond::Lt => FlagSet::N.union(FlagSet::V),
            Cond::Gt | Cond::Le => FlagSet::N.union(FlagSet::Z).union(FlagSet::V),
        }
    }
}

/// What an instruction reads and writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Operands {
    /// Registers read.
    pub reads: RegSet,
    /// Registers written.
    pub writes: RegSet,
    /// Flags read.
    pub flags_read: FlagSet,
    /// Flags written.
    pub flags_written: FlagSet,
}

impl Operands {
    fn reading(mut self, registers: impl IntoIterator<Item = Reg>) -> Operands {
        self.reads = self.reads.union(registers.into_iter().collect());
        self
    }

    fn writing(mut self, registers: impl IntoIterator<Item = Reg>) -> Operands {
        self.writes = self.writes.union(registers.into_iter().collect());
        self
    }

    fn reading_flags(mut self, flags: FlagSet) -> Operands {
        self.flags_read = self.flags_read.union(flags);
        self
    }

    fn writing_flags(mut self, flags: FlagSet) -> Operands {
        self.flags_written = self.flags_written.union(flags);
        self
    }
}

/// The operands of an instruction. Inside an IT block, `condition` is its condition there.
///
/// A conditional instruction also reads what it writes: if the condition fails, the old value stays.
pub fn operands(inst: &Inst, condition: Option<Cond>) -> Operands {
    let all = unconditional(inst, condition.is_some());
    let mut operands = match condition {
        Some(cond) => all.reading(all.writes.iter()).reading_flags(cond.flags().union(all.flags_written)),
        None => all,
    };
    let pc = 1 << Reg::PC.number();
    operands.reads = RegSet::from_bits(operands.reads.bits() & !pc);
    operands.writes = RegSet::from_bits(operands.writes.bits() & !pc);
    operands
}

/// What the instruction uses when it is executed. `in_it`: whether 16-bit forms leave the flags.
fn unconditional(inst: &Inst, in_it: bool) -> Operands {
    let none = Operands::default();
    let sets = |flags: SetFlags, which: FlagSet| match flags {
        SetFlags::No => FlagSet::EMPTY,
        SetFlags::Yes => which,
        SetFlags::OutsideIt if in_it => FlagSet::EMPTY,
        SetFlags::OutsideIt => which,
    };
    match *inst {
        Inst::DataImm { op, flags, d, n, imm } => none
            .reading([n])
            .writing([d])
            .reading_flags(carry_in(op))
            .writing_flags(sets(flags, data_flags(op, immediate_carry(imm)))),
        Inst::DataReg { op, flags, d, n, m, shift } => none
            .reading([n, m])
            .writing([d])
            .reading_flags(carry_in(op).union(shift_carry_in(shift)))
            .writing_flags(sets(flags, data_flags(op, shift_carry(shift)))),
        Inst::MoveImm { flags, d, imm, .. } => {
            none.writing([d]).writing_flags(sets(flags, NZ.union(immediate_carry(imm))))
        }
        Inst::MoveReg { flags, d, m, shift, .. } => none
            .reading([m])
            .writing([d])
            .reading_flags(shift_carry_in(shift))
            .writing_flags(sets(flags, NZ.union(shift_carry(shift)))),
        Inst::TestImm { op, n, imm } => none.reading([n]).writing_flags(test_flags(op, immediate_carry(imm))),
        Inst::TestReg { op, n, m, shift } => {
            none.reading([n, m]).reading_flags(shift_carry_in(shift)).writing_flags(test_flags(op, shift_carry(shift)))
        }
        // A count of 0 leaves C as it was.
        Inst::ShiftReg { flags, d, n, m, .. } => none
            .reading([n, m])
            .writing([d])
            .reading_flags(sets(flags, FlagSet::C))
            .writing_flags(sets(flags, NZ.union(FlagSet::C))),
        Inst::MovW { d, .. } | Inst::Adr { d, .. } => none.writing([d]),
        Inst::MovT { d, .. } => none.reading([d]).writing([d]),
        Inst::Mul { flags, d, n, m } => none.reading([n, m]).writing([d]).writing_flags(sets(flags, NZ)),
        Inst::Mla { d, n, m, a } | Inst::Mls { d, n, m, a } | Inst::Smmla { d, n, m, a } => {
            none.reading([n, m, a]).writing([d])
        }
        Inst::Smmul { d, n, m } | Inst::Div { d, n, m, .. } => none.reading([n, m]).writing([d]),
        Inst::MulLong { op, lo, hi, n, m } => {
            let operands = none.reading([n, m]).writing([lo, hi]);
            match op {
                LongOp::Smull | LongOp::Umull => operands,
                LongOp::Smlal | LongOp::Umlal | LongOp::Umaal => operands.reading([lo, hi]),
            }
        }
        Inst::Bfi { d, n, .. } => none.reading([d]).reading(n).writing([d]),
        Inst::Bfx { d, n, .. } => none.reading([n]).writing([d]),
        Inst::Extend { d, n, m, .. } => none.reading([m]).reading(n).writing([d]),
        Inst::Bits { d, m, .. } => none.reading([m]).writing([d]),
        Inst::Load { t, address, .. } => addressed(address).writing([t]),
        Inst::Store { t, address, .. } => addressed(address).reading([t]),
        Inst::LoadDual { t, t2, address } => addressed(address).writing([t, t2]),
        Inst::StoreDual { t, t2, address } => addressed(address).reading([t, t2]),
        Inst::LoadMultiple { n, writeback, registers, .. } => {
            none.reading([n]).writing(base_written(n, writeback)).writing(registers.iter())
        }
        Inst::StoreMultiple { n, writeback, registers, .. } => {
            none.reading([n]).reading(registers.iter()).writing(base_written(n, writeback))
        }
        Inst::Branch { .. } | Inst::It { .. } | Inst::Nop | Inst::Udf { .. } => none,
        Inst::BranchCond { cond, .. } => none.reading_flags(cond.flags()),
        Inst::CompareBranch { n, .. } => none.reading([n]),
        Inst::BranchLink { .. } => none.writing([Reg::LR]),
        Inst::BranchLinkReg { m } => none.reading([m]).writing([Reg::LR]),
        Inst::BranchReg { m } => none.reading([m]),
        Inst::TableBranch { n, m, .. } => none.reading([n, m]),
        Inst::Float(inst) => float_operands(inst),
        Inst::System(system) => system_operands(system),
    }
}

fn base_written(n: Reg, writeback: Writeback) -> Option<Reg> {
    match writeback {
        Writeback::Yes => Some(n),
        Writeback::No => None,
    }
}

fn addressed(address: Address) -> Operands {
    let none = Operands::default();
    match address {
        Address::Offset { n, .. } => none.reading([n]),
        Address::Index { n, m, .. } => none.reading([n, m]),
        Address::PreIndex { n, .. } | Address::PostIndex { n, .. } => none.reading([n]).writing([n]),
        Address::Literal { .. } => none,
    }
}

fn system_operands(system: System) -> Operands {
    let none = Operands::default();
    match system {
        System::Mrs { d, .. } => none.writing([d]).reading_flags(FlagSet::ALL),
        System::Msr { n, .. } => none.reading([n]).writing_flags(FlagSet::ALL),
        System::Vmrs { d } => none.writing([d]),
        System::Vmsr { n } => none.reading([n]),
        System::Svc(_)
        | System::Bkpt(_)
        | System::Yield
        | System::Wfe
        | System::Wfi
        | System::Sev
        | System::Dbg
        | System::Cps
        | System::Dsb
        | System::Dmb
        | System::Isb
        | System::Clrex => none,
    }
}

/// Flags of the unit are no condition flags.
fn float_operands(inst: FloatInst) -> Operands {
    let none = Operands::default();
    match inst {
        FloatInst::Compute { d, n, m, .. } => {
            none.reading(n.into_iter().flat_map(FloatReg::words)).reading(m.words()).writing(d.words())
        }
        FloatInst::Sign { d, m, .. } | FloatInst::Move { d, m } => none.reading(m.words()).writing(d.words()),
        FloatInst::Constant { d, .. } => none.writing(d.words()),
        FloatInst::Transfer { d, m } => none.reading(m.registers()).writing(d.registers()),
        FloatInst::Compare { n, m } => none.reading(n.words()).reading(m.into_iter().flat_map(FloatReg::words)),
        FloatInst::Flags => none.writing_flags(FlagSet::ALL),
        FloatInst::Load { d, address } => addressed(address).writing(d.words()),
        FloatInst::Store { d, address } => addressed(address).reading(d.words()),
        FloatInst::LoadMultiple { n, writeback, first, count, .. } => {
            let list = first.run(count).flat_map(FloatReg::words);
            none.reading([n]).writing(base_written(n, writeback)).writing(list)
        }
        FloatInst::StoreMultiple { n, writeback, first, count, .. } => {
            let list = first.run(count).flat_map(FloatReg::words);
            none.reading([n]).reading(list).writing(base_written(n, writeback))
        }
    }
}

const NZ: FlagSet = FlagSet::N.union(FlagSet::Z);

/// The flags of a flag-setting operation whose operand brings `carry`.
fn data_flags(op: DataOp, carry: FlagSet) -> FlagSet {
    match op {
        DataOp::And | DataOp::Bic | DataOp::Orr | DataOp::Orn | DataOp::Eor => NZ.union(carry),
        DataOp::Add | DataOp::Adc | DataOp::Sub | DataOp::Sbc | DataOp::Rsb => FlagSet::ALL,
    }
}

fn test_flags(op: TestOp, carry: FlagSet) -> FlagSet {
    match op {
        TestOp::Tst | TestOp::Teq => NZ.union(carry),
        TestOp::Cmp | TestOp::Cmn => FlagSet::ALL,
    }
}

fn immediate_carry(imm: Immediate) -> FlagSet {
    match imm.carry {
        Some(_) => FlagSet::C,
        None => FlagSet::EMPTY,
    }
}

fn shift_carry(shift: Shift) -> FlagSet {
    match shift {
        Shift::Lsl(0) => FlagSet::EMPTY,
        Shift::Lsl(_) | Shift::Lsr(_) | Shift::Asr(_) | Shift::Ror(_) | Shift::Rrx => FlagSet::C,
    }
}

fn shift_carry_in(shift: Shift) -> FlagSet {
    match shift {
        Shift::Rrx => FlagSet::C,
        Shift::Lsl(_) | Shift::Lsr(_) | Shift::Asr(_) | Shift::Ror(_) => FlagSet::EMPTY,
    }
}

fn carry_in(op: DataOp) -> FlagSet {
    match op {
        DataOp::Adc | DataOp::Sbc => FlagSet::C,
        DataOp::And
        | DataOp::Bic
        | DataOp::Orr
        | DataOp::Orn
        | DataOp::Eor
        | DataOp::Add
        | DataOp::Sub
        | DataOp::Rsb => FlagSet::EMPTY,
    }
}
