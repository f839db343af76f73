//! What each Thumb-2 instruction does (DDI0403, chapter A7), written once over a [`Machine`].
//!
//! Requires: an instruction that `decode` gave. Ensures: [`step`] either finishes, or stops with the
//! machine's `Stop`; after an undecided condition the driver restores the state from before the step
//! and runs it again with more facts. What the manual leaves UNPREDICTABLE, and what Wasm code has no
//! use for, is a fault.
//!
//! An instruction of an IT block that only writes registers and flags writes either the new or the
//! old words; any other asks whether its condition holds.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::domain::{Bin32, Cmp, Decide, Domain, Un32};

pub use super::flags::Flags;
use super::inst::{
    Address, BitOp, Cond, DataOp, ExtendKind, Immediate, Inst, LongOp, MoveOp, MultipleMode, Reg, RegSet, SetFlags,
    Shift, ShiftKind, Sign, TestOp, Width, Writeback, ZeroTest,
};

/// The flags of a machine.
pub type FlagsOf<M> = Flags<M>;

/// ITSTATE: the conditions of the instructions that an IT instruction makes conditional (B1.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ItState(u8);

impl ItState {
    /// Behind an IT instruction.
    fn begin(first: Cond, mask: u8) -> ItState {
        ItState((first as u8) << 4 | mask & 15)
    }

    /// Whether the next instruction is conditional.
    pub fn is_active(self) -> bool {
        self.0 & 15 != 0
    }

    /// Whether it is the last one.
    fn is_last(self) -> bool {
        self.0 & 15 == 8
    }

    fn condition(self) -> Option<Cond> {
        Cond::from_code(u32::from(self.0 >> 4))
    }

    fn advance(self) -> ItState {
        if self.0 & 7 == 0 { ItState(0) } else { ItState(self.0 & 0xe0 | self.0 << 1 & 0x1f) }
    }
}

/// What an access needs of its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alignment {
    /// Nothing: UNALIGN_TRP is 0.
    Any,
    /// A multiple of 4, else a UsageFault.
    Word,
}

/// A machine state that instructions run on.
pub trait Machine: Decide {
    /// The stop for a step that the manual or the policy rules out.
    fn fault(&mut self, reason: String) -> Self::Stop;
    /// r0 to r12, SP, LR.
    fn register(&mut self, register: Reg) -> Result<Self::W32, Self::Stop>;
    /// Sets one of them.
    fn set_register(&mut self, register: Reg, word: Self::W32) -> Result<(), Self::Stop>;
    /// The flags.
    fn flags(&self) -> Flags<Self>;
    /// Sets them.
    fn set_flags(&mut self, flags: Flags<Self>);
    /// The IT state.
    fn it(&self) -> ItState;
    /// Sets it.
    fn set_it(&mut self, it: ItState);
    /// Reads bytes, little-endian, zero-extended.
    fn load(&mut self, address: &Self::W32, width: Width, alignment: Alignment) -> Result<Self::W32, Self::Stop>;
    /// Writes the low bytes of a word.
    fn store(
        &mut self,
        address: &Self::W32,
        width: Width,
        alignment: Alignment,
        word: &Self::W32,
    ) -> Result<(), Self::Stop>;
    /// Reads bytes at an address relative to the code, zero-extended.
    fn constant(&mut self, address: u32, width: Width) -> Result<Self::W32, Self::Stop>;
    /// An address relative to the code, as a word.
    fn code_address(&mut self, address: u32) -> Result<Self::W32, Self::Stop>;
    /// The entry at an index of a jump table in the code.
    fn jump_table(&mut self, table: u32, index: &Self::W32, width: Width) -> Result<u32, Self::Stop>;
}

/// Where control goes after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flow<W> {
    /// To the next instruction.
    Next,
    /// To this address.
    Jump(u32),
    /// To the function at `target`, which returns to `return_address`.
    Call {
        /// Address called.
        target: u32,
        /// Address behind the call.
        return_address: u32,
    },
    /// As a call, to the address in the word; bit 0 of it must be set.
    CallRegister(W),
    /// To the address in the word; bit 0 of it must be set.
    JumpRegister(W),
    /// Nowhere: `UDF` with this number.
    Trap(u8),
}

/// What an instruction without memory access and branch writes.
struct Writes<M: Machine> {
    registers: Vec<(Reg, M::W32)>,
    flags: Option<Flags<M>>,
}

/// Runs the instruction at `pc`, which has `size` bytes.
///
/// # Errors
/// The machine's stop.
pub fn step<M: Machine>(m: &mut M, inst: &Inst, pc: u32, size: u32) -> Result<Flow<M::W32>, M::Stop> {
    let it = m.it();
    if !it.is_active() {
        return match compute(m, inst, pc, it)? {
            Some(writes) => apply(m, writes),
            None => act(m, inst, pc, size),
        };
    }
    if !allowed_in_it(inst, it) {
        return Err(m.fault("UNPREDICTABLE inside an IT block".to_owned()));
    }
    let Some(cond) = it.condition() else { return Err(m.fault("an IT block without a condition".to_owned())) };
    let condition = m.flags().condition(m, cond);
    let writes = compute(m, inst, pc, it)?;
    m.set_it(it.advance());
    match writes {
        Some(writes) => {
            let merged = merge(m, &condition, writes)?;
            apply(m, merged)
        }
        None if m.decide(&condition)? => act(m, inst, pc, size),
        None => Ok(Flow::Next),
    }
}

fn apply<M: Machine>(m: &mut M, writes: Writes<M>) -> Result<Flow<M::W32>, M::Stop> {
    for (register, word) in writes.registers {
        m.set_register(register, word)?;
    }
    if let Some(flags) = writes.flags {
        m.set_flags(flags);
    }
    Ok(Flow::Next)
}

fn merge<M: Machine>(m: &mut M, condition: &M::Bool, writes: Writes<M>) -> Result<Writes<M>, M::Stop> {
    let mut registers = Vec::new();
    for (register, new) in writes.registers {
        let old = m.register(register)?;
        registers.push((register, m.ite32(condition, &new, &old)));
    }
    let old = m.flags();
    let flags = writes.flags.map(|new| Flags::either(m, condition, &new, &old));
    Ok(Writes { registers, flags })
}

/// B1.4.2, and the notes of each instruction: a branch must be the last of its block, some
/// instructions may not be inside at all.
fn allowed_in_it(inst: &Inst, it: ItState) -> bool {
    match inst {
        Inst::It { .. } | Inst::CompareBranch { .. } | Inst::BranchCond { .. } | Inst::System(_) => false,
        Inst::Branch { .. }
        | Inst::BranchLink { .. }
        | Inst::BranchLinkReg { .. }
        | Inst::BranchReg { .. }
        | Inst::TableBranch { .. } => it.is_last(),
        Inst::Load { t, .. } => *t != Reg::PC || it.is_last(),
        Inst::LoadMultiple { registers, .. } => !registers.contains(Reg::PC) || it.is_last(),
        Inst::DataImm { .. }
        | Inst::DataReg { .. }
        | Inst::MoveImm { .. }
        | Inst::MoveReg { .. }
        | Inst::TestImm { .. }
        | Inst::TestReg { .. }
        | Inst::ShiftReg { .. }
        | Inst::MovW { .. }
        | Inst::MovT { .. }
        | Inst::Adr { .. }
        | Inst::Mul { .. }
        | Inst::Mla { .. }
        | Inst::Mls { .. }
        | Inst::Smmul { .. }
        | Inst::Smmla { .. }
        | Inst::MulLong { .. }
        | Inst::Div { .. }
        | Inst::Bfi { .. }
        | Inst::Bfx { .. }
        | Inst::Extend { .. }
        | Inst::Bits { .. }
        | Inst::Store { .. }
        | Inst::LoadDual { .. }
        | Inst::StoreDual { .. }
        | Inst::StoreMultiple { .. }
        | Inst::Nop
        | Inst::Udf { .. } => true,
    }
}

/// What an instruction writes, if it neither accesses memory nor branches.
#[expect(clippy::too_many_lines, reason = "one arm per instruction")]
fn compute<M: Machine>(m: &mut M, inst: &Inst, pc: u32, it: ItState) -> Result<Option<Writes<M>>, M::Stop> {
    let sets = |flags: SetFlags| match flags {
        SetFlags::Yes => true,
        SetFlags::No => false,
        SetFlags::OutsideIt => !it.is_active(),
    };
    let (register, word, flags) = match *inst {
        Inst::DataImm { op, flags, d, n, imm } => {
            let operand = immediate(m, imm);
            let n = m.register(n)?;
            let (word, set) = data(m, op, &n, &operand);
            (d, word, sets(flags).then_some(set))
        }
        Inst::DataReg { op, flags, d, n, m: source, shift } => {
            let source = m.register(source)?;
            let operand = shifted(m, &source, shift);
            let n = m.register(n)?;
            let (word, set) = data(m, op, &n, &operand);
            (d, word, sets(flags).then_some(set))
        }
        Inst::MoveImm { op, flags, d, imm } => {
            let operand = immediate(m, imm);
            let (word, set) = moved(m, op, &operand);
            (d, word, sets(flags).then_some(set))
        }
        Inst::MoveReg { op, flags, d, m: source, shift } => {
            let source = m.register(source)?;
            let operand = shifted(m, &source, shift);
            let (word, set) = moved(m, op, &operand);
            (d, word, sets(flags).then_some(set))
        }
        Inst::TestImm { op, n, imm } => {
            let operand = immediate(m, imm);
            return test(m, op, n, &operand).map(Some);
        }
        Inst::TestReg { op, n, m: source, shift } => {
            let source = m.register(source)?;
            let operand = shifted(m, &source, shift);
            return test(m, op, n, &operand).map(Some);
        }
        Inst::ShiftReg { kind, flags, d, n, m: count } => {
            let (n, count) = (m.register(n)?, m.register(count)?);
            let operand = shifted_by_register(m, kind, &n, &count);
            let set = logic(m, &operand.word, operand.carry);
            (d, operand.word, sets(flags).then_some(set))
        }
        Inst::MovW { d, imm } => (d, m.w32(u32::from(imm)), None),
        Inst::MovT { d, imm } => {
            let (old, mask, high) = (m.register(d)?, m.w32(0xffff), m.w32(u32::from(imm) << 16));
            let low = m.bin32(Bin32::And, &old, &mask);
            (d, m.bin32(Bin32::Or, &low, &high), None)
        }
        Inst::Adr { d, offset } => (d, m.code_address(literal_base(pc).wrapping_add_signed(offset))?, None),
        Inst::Mul { flags, d, n, m: other } => {
            let (n, other) = (m.register(n)?, m.register(other)?);
            let word = m.bin32(Bin32::Mul, &n, &other);
            let old = m.flags();
            let (c, v) = (old.carry(m), old.overflow(m));
            (d, word.clone(), sets(flags).then_some(Flags::Logic { result: word, c, v }))
        }
        Inst::Mla { d, n, m: other, a } => {
            let product = product(m, Bin32::Mul, n, other)?;
            let a = m.register(a)?;
            (d, m.bin32(Bin32::Add, &a, &product), None)
        }
        Inst::Mls { d, n, m: other, a } => {
            let product = product(m, Bin32::Mul, n, other)?;
            let a = m.register(a)?;
            (d, m.bin32(Bin32::Sub, &a, &product), None)
        }
        Inst::Smmul { d, n, m: other } => (d, product(m, Bin32::MulHighS, n, other)?, None),
        Inst::Smmla { d, n, m: other, a } => {
            let product = product(m, Bin32::MulHighS, n, other)?;
            let a = m.register(a)?;
            (d, m.bin32(Bin32::Add, &a, &product), None)
        }
        Inst::MulLong { op, lo, hi, n, m: other } => {
            let (low, high) = multiply_long(m, op, (lo, hi), (n, other))?;
            return Ok(Some(Writes { registers: vec![(lo, low), (hi, high)], flags: None }));
        }
        Inst::Div { sign, d, n, m: other } => {
            let op = match sign {
                Sign::Signed => Bin32::DivS,
                Sign::Unsigned => Bin32::DivU,
            };
            (d, product(m, op, n, other)?, None)
        }
        Inst::Bfi { d, n, lsb, width } => (d, insert(m, d, n, (lsb, width))?, None),
        Inst::Bfx { sign, d, n, lsb, width } => (d, extract(m, sign, n, (lsb, width))?, None),
        Inst::Extend { kind, d, n, m: source, rotate } => {
            let source = m.register(source)?;
            let rotated = shifted(m, &source, if rotate == 0 { Shift::Lsl(0) } else { Shift::Ror(rotate) });
            let extended = extend(m, kind, &rotated.word);
            let word = match n {
                Some(n) => {
                    let n = m.register(n)?;
                    m.bin32(Bin32::Add, &n, &extended)
                }
                None => extended,
            };
            (d, word, None)
        }
        Inst::Bits { op, d, m: source } => {
            let source = m.register(source)?;
            (d, bits(m, op, &source), None)
        }
        Inst::Nop => return Ok(Some(Writes { registers: Vec::new(), flags: None })),
        Inst::Load { .. }
        | Inst::Store { .. }
        | Inst::LoadDual { .. }
        | Inst::StoreDual { .. }
        | Inst::LoadMultiple { .. }
        | Inst::StoreMultiple { .. }
        | Inst::Branch { .. }
        | Inst::BranchCond { .. }
        | Inst::CompareBranch { .. }
        | Inst::BranchLink { .. }
        | Inst::BranchLinkReg { .. }
        | Inst::BranchReg { .. }
        | Inst::TableBranch { .. }
        | Inst::It { .. }
        | Inst::Udf { .. }
        | Inst::System(_) => return Ok(None),
    };
    Ok(Some(Writes { registers: vec![(register, word)], flags }))
}

/// Memory accesses, branches, traps, and what is refused.
fn act<M: Machine>(m: &mut M, inst: &Inst, pc: u32, size: u32) -> Result<Flow<M::W32>, M::Stop> {
    let target = |offset: i32| pc.wrapping_add(4).wrapping_add_signed(offset);
    match *inst {
        Inst::Load { width, sign, t, address } => load(m, (width, sign), t, address, pc),
        Inst::Store { width, t, address } => {
            let word = m.register(t)?;
            let (at, writeback) = effective(m, address)?;
            write_back(m, writeback)?;
            m.store(&at, width, Alignment::Any, &word)?;
            Ok(Flow::Next)
        }
        Inst::LoadDual { t, t2, address } => load_dual(m, (t, t2), address, pc),
        Inst::StoreDual { t, t2, address } => {
            let words = [m.register(t)?, m.register(t2)?];
            let (at, writeback) = effective(m, address)?;
            write_back(m, writeback)?;
            for (index, word) in words.iter().enumerate() {
                let at = offset_by(m, &at, 4 * index as u32);
                m.store(&at, Width::Word, Alignment::Word, word)?;
            }
            Ok(Flow::Next)
        }
        Inst::LoadMultiple { n, writeback, mode, registers } => load_multiple(m, (n, writeback), mode, registers),
        Inst::StoreMultiple { n, writeback, mode, registers } => store_multiple(m, (n, writeback), mode, registers),
        Inst::Branch { offset } => Ok(Flow::Jump(target(offset))),
        Inst::BranchCond { cond, offset } => {
            let condition = m.flags().condition(m, cond);
            Ok(if m.decide(&condition)? { Flow::Jump(target(offset)) } else { Flow::Next })
        }
        Inst::CompareBranch { test, n, offset } => {
            let (n, zero) = (m.register(n)?, m.w32(0));
            let is_zero = m.cmp32(Cmp::Eq, &n, &zero);
            let condition = match test {
                ZeroTest::Zero => is_zero,
                ZeroTest::NonZero => m.not(&is_zero),
            };
            Ok(if m.decide(&condition)? { Flow::Jump(target(offset)) } else { Flow::Next })
        }
        Inst::BranchLink { offset } => {
            link(m, pc, size)?;
            Ok(Flow::Call { target: target(offset), return_address: pc.wrapping_add(size) })
        }
        Inst::BranchLinkReg { m: register } => {
            let word = m.register(register)?;
            link(m, pc, size)?;
            Ok(Flow::CallRegister(word))
        }
        Inst::BranchReg { m: register } => Ok(Flow::JumpRegister(m.register(register)?)),
        Inst::TableBranch { width, n, m: index } => {
            if n != Reg::PC {
                return Err(m.fault("a jump table away from its branch is not modelled".to_owned()));
            }
            let index = m.register(index)?;
            let entry = m.jump_table(pc.wrapping_add(4), &index, width)?;
            Ok(Flow::Jump(pc.wrapping_add(4).wrapping_add(2 * entry)))
        }
        Inst::It { first, mask } => {
            m.set_it(ItState::begin(first, mask));
            Ok(Flow::Next)
        }
        Inst::Udf { imm } => Ok(Flow::Trap(imm)),
        Inst::System(system) => Err(m.fault(format!("{system:?} has no place in compiled code"))),
        Inst::DataImm { .. }
        | Inst::DataReg { .. }
        | Inst::MoveImm { .. }
        | Inst::MoveReg { .. }
        | Inst::TestImm { .. }
        | Inst::TestReg { .. }
        | Inst::ShiftReg { .. }
        | Inst::MovW { .. }
        | Inst::MovT { .. }
        | Inst::Adr { .. }
        | Inst::Mul { .. }
        | Inst::Mla { .. }
        | Inst::Mls { .. }
        | Inst::Smmul { .. }
        | Inst::Smmla { .. }
        | Inst::MulLong { .. }
        | Inst::Div { .. }
        | Inst::Bfi { .. }
        | Inst::Bfx { .. }
        | Inst::Extend { .. }
        | Inst::Bits { .. }
        | Inst::Nop => Err(m.fault("not modelled".to_owned())),
    }
}

/// A second operand with the carry that a logical operation puts in C; `None` leaves C.
struct Operand<M: Machine> {
    word: M::W32,
    carry: Option<M::Bool>,
}

fn immediate<M: Machine>(m: &mut M, imm: Immediate) -> Operand<M> {
    let carry = imm.carry.map(|carry| m.bool(carry));
    Operand { word: m.w32(imm.value), carry }
}

/// `Shift_C` of the manual (A7.4.2) for a constant count.
fn shifted<M: Machine>(m: &mut M, source: &M::W32, shift: Shift) -> Operand<M> {
    let (op, count, carry_bit) = match shift {
        Shift::Lsl(0) => return Operand { word: source.clone(), carry: None },
        Shift::Lsl(count) => (Bin32::Shl, count, 32 - u32::from(count)),
        Shift::Lsr(count) => (Bin32::ShrU, count, u32::from(count) - 1),
        Shift::Asr(count) => (Bin32::ShrS, count, u32::from(count) - 1),
        Shift::Ror(count) => (Bin32::RotR, count, u32::from(count) - 1),
        Shift::Rrx => return rotated_through_carry(m, source),
    };
    let count = m.w32(u32::from(count));
    let word = m.bin32(op, source, &count);
    Operand { word, carry: Some(bit(m, source, carry_bit)) }
}

fn rotated_through_carry<M: Machine>(m: &mut M, source: &M::W32) -> Operand<M> {
    let carry = m.flags().carry(m);
    let (one, zero, top) = (m.w32(1), m.w32(0), m.w32(1 << 31));
    let low = m.bin32(Bin32::ShrU, source, &one);
    let high = m.ite32(&carry, &top, &zero);
    Operand { word: m.bin32(Bin32::Or, &low, &high), carry: Some(bit(m, source, 0)) }
}

fn bit<M: Machine>(m: &mut M, word: &M::W32, number: u32) -> M::Bool {
    let (mask, zero) = (m.w32(1 << number), m.w32(0));
    let masked = m.bin32(Bin32::And, word, &mask);
    let clear = m.cmp32(Cmp::Eq, &masked, &zero);
    m.not(&clear)
}

/// `Shift_C` for a count in bits 7:0 of a register. A count of 0 leaves C.
fn shifted_by_register<M: Machine>(m: &mut M, kind: ShiftKind, source: &M::W32, count: &M::W32) -> Operand<M> {
    let (byte, zero, one) = (m.w32(0xff), m.w32(0), m.w32(1));
    let count = m.bin32(Bin32::And, count, &byte);
    let op = match kind {
        ShiftKind::Lsl => Bin32::Shl,
        ShiftKind::Lsr => Bin32::ShrU,
        ShiftKind::Asr => Bin32::ShrS,
        ShiftKind::Ror => Bin32::RotR,
    };
    let word = m.bin32(op, source, &count);
    let before = m.bin32(Bin32::Sub, &count, &one);
    // The bit shifted out last: of the word shifted by one less.
    let last = m.bin32(op, source, &before);
    let carry = match kind {
        ShiftKind::Lsl => bit(m, &last, 31),
        ShiftKind::Lsr | ShiftKind::Asr => bit(m, &last, 0),
        ShiftKind::Ror => bit(m, &word, 31),
    };
    let is_zero = m.cmp32(Cmp::Eq, &count, &zero);
    let old = m.flags().carry(m);
    Operand { word, carry: Some(m.ite_bool(&is_zero, &old, &carry)) }
}

/// The flags of a logical result.
fn logic<M: Machine>(m: &mut M, result: &M::W32, carry: Option<M::Bool>) -> Flags<M> {
    let old = m.flags();
    let c = carry.unwrap_or_else(|| old.carry(m));
    let v = old.overflow(m);
    Flags::Logic { result: result.clone(), c, v }
}

fn complement<M: Machine>(m: &mut M, word: &M::W32) -> M::W32 {
    let ones = m.w32(u32::MAX);
    m.bin32(Bin32::Xor, word, &ones)
}

fn data<M: Machine>(m: &mut M, op: DataOp, n: &M::W32, operand: &Operand<M>) -> (M::W32, Flags<M>) {
    let logical = match op {
        DataOp::And => Some((Bin32::And, false)),
        DataOp::Bic => Some((Bin32::And, true)),
        DataOp::Orr => Some((Bin32::Or, false)),
        DataOp::Orn => Some((Bin32::Or, true)),
        DataOp::Eor => Some((Bin32::Xor, false)),
        DataOp::Add | DataOp::Adc | DataOp::Sub | DataOp::Sbc | DataOp::Rsb => None,
    };
    if let Some((op, inverted)) = logical {
        let second = if inverted { complement(m, &operand.word) } else { operand.word.clone() };
        let word = m.bin32(op, n, &second);
        let flags = logic(m, &word, operand.carry.clone());
        return (word, flags);
    }
    let never = m.bool(false);
    match op {
        DataOp::Add => Flags::add(m, n, &operand.word, &never),
        DataOp::Adc => {
            let carry = m.flags().carry(m);
            Flags::add(m, n, &operand.word, &carry)
        }
        DataOp::Sub => Flags::sub(m, n, &operand.word),
        DataOp::Rsb => Flags::sub(m, &operand.word, n),
        DataOp::Sbc | DataOp::And | DataOp::Bic | DataOp::Orr | DataOp::Orn | DataOp::Eor => {
            m.flags().sub_carry(m, n, &operand.word)
        }
    }
}

fn moved<M: Machine>(m: &mut M, op: MoveOp, operand: &Operand<M>) -> (M::W32, Flags<M>) {
    let word = match op {
        MoveOp::Mov => operand.word.clone(),
        MoveOp::Mvn => complement(m, &operand.word),
    };
    let flags = logic(m, &word, operand.carry.clone());
    (word, flags)
}

fn test<M: Machine>(m: &mut M, op: TestOp, n: Reg, operand: &Operand<M>) -> Result<Writes<M>, M::Stop> {
    let n = m.register(n)?;
    let flags = match op {
        TestOp::Cmp => Flags::sub(m, &n, &operand.word).1,
        TestOp::Cmn => {
            let never = m.bool(false);
            Flags::add(m, &n, &operand.word, &never).1
        }
        TestOp::Tst => data(m, DataOp::And, &n, operand).1,
        TestOp::Teq => data(m, DataOp::Eor, &n, operand).1,
    };
    Ok(Writes { registers: Vec::new(), flags: Some(flags) })
}

fn product<M: Machine>(m: &mut M, op: Bin32, n: Reg, other: Reg) -> Result<M::W32, M::Stop> {
    let (n, other) = (m.register(n)?, m.register(other)?);
    Ok(m.bin32(op, &n, &other))
}

/// Low and high word of a 64-bit multiplication.
fn multiply_long<M: Machine>(
    m: &mut M,
    op: LongOp,
    (lo, hi): (Reg, Reg),
    (n, other): (Reg, Reg),
) -> Result<(M::W32, M::W32), M::Stop> {
    let high = match op {
        LongOp::Smull | LongOp::Smlal => Bin32::MulHighS,
        LongOp::Umull | LongOp::Umlal | LongOp::Umaal => Bin32::MulHighU,
    };
    let low = product(m, Bin32::Mul, n, other)?;
    let high = product(m, high, n, other)?;
    let never = m.bool(false);
    match op {
        LongOp::Smull | LongOp::Umull => Ok((low, high)),
        LongOp::Smlal | LongOp::Umlal => {
            let (old_low, old_high) = (m.register(lo)?, m.register(hi)?);
            let carry = m.carry(&old_low, &low, &never);
            let low = m.bin32(Bin32::Add, &old_low, &low);
            let high = Flags::add(m, &old_high, &high, &carry).0;
            Ok((low, high))
        }
        LongOp::Umaal => {
            let (first, second) = (m.register(lo)?, m.register(hi)?);
            let carry = m.carry(&low, &first, &never);
            let low = m.bin32(Bin32::Add, &low, &first);
            let zero = m.w32(0);
            let high = Flags::add(m, &high, &zero, &carry).0;
            let carry = m.carry(&low, &second, &never);
            let low = m.bin32(Bin32::Add, &low, &second);
            let high = Flags::add(m, &high, &zero, &carry).0;
            Ok((low, high))
        }
    }
}

fn field_mask(width: u8) -> u32 {
    u32::MAX >> (32 - u32::from(width))
}

fn insert<M: Machine>(m: &mut M, d: Reg, n: Option<Reg>, (lsb, width): (u8, u8)) -> Result<M::W32, M::Stop> {
    let old = m.register(d)?;
    let keep = m.w32(!(field_mask(width) << lsb));
    let kept = m.bin32(Bin32::And, &old, &keep);
    let Some(n) = n else { return Ok(kept) };
    let n = m.register(n)?;
    let (mask, count) = (m.w32(field_mask(width)), m.w32(u32::from(lsb)));
    let field = m.bin32(Bin32::And, &n, &mask);
    let placed = m.bin32(Bin32::Shl, &field, &count);
    Ok(m.bin32(Bin32::Or, &kept, &placed))
}

fn extract<M: Machine>(m: &mut M, sign: Sign, n: Reg, (lsb, width): (u8, u8)) -> Result<M::W32, M::Stop> {
    let n = m.register(n)?;
    match sign {
        Sign::Unsigned => {
            let (count, mask) = (m.w32(u32::from(lsb)), m.w32(field_mask(width)));
            let low = m.bin32(Bin32::ShrU, &n, &count);
            Ok(m.bin32(Bin32::And, &low, &mask))
        }
        Sign::Signed => {
            let up = m.w32(32 - u32::from(lsb) - u32::from(width));
            let down = m.w32(32 - u32::from(width));
            let top = m.bin32(Bin32::Shl, &n, &up);
            Ok(m.bin32(Bin32::ShrS, &top, &down))
        }
    }
}

fn extend<M: Domain>(m: &mut M, kind: ExtendKind, word: &M::W32) -> M::W32 {
    match kind {
        ExtendKind::Sxtb => m.un32(Un32::Sext8, word),
        ExtendKind::Sxth => m.un32(Un32::Sext16, word),
        ExtendKind::Uxtb | ExtendKind::Uxth => {
            let mask = m.w32(if kind == ExtendKind::Uxtb { 0xff } else { 0xffff });
            m.bin32(Bin32::And, word, &mask)
        }
    }
}

fn bits<M: Domain>(m: &mut M, op: BitOp, word: &M::W32) -> M::W32 {
    match op {
        BitOp::Clz => m.un32(Un32::Clz, word),
        BitOp::Rbit => m.un32(Un32::Rbit, word),
        BitOp::Rev => m.un32(Un32::Rev, word),
        BitOp::Rev16 => {
            let reversed = m.un32(Un32::Rev, word);
            let half = m.w32(16);
            m.bin32(Bin32::RotR, &reversed, &half)
        }
        BitOp::Revsh => {
            let reversed = m.un32(Un32::Rev, word);
            let half = m.w32(16);
            m.bin32(Bin32::ShrS, &reversed, &half)
        }
    }
}

/// `Align(PC, 4)` for an instruction at `pc`.
fn literal_base(pc: u32) -> u32 {
    pc.wrapping_add(4) & !3
}

fn offset_by<M: Machine>(m: &mut M, address: &M::W32, bytes: u32) -> M::W32 {
    let bytes = m.w32(bytes);
    m.bin32(Bin32::Add, address, &bytes)
}

/// An address, and the base register to update with its new value.
type Effective<M> = (<M as Domain>::W32, Option<(Reg, <M as Domain>::W32)>);

fn effective<M: Machine>(m: &mut M, address: Address) -> Result<Effective<M>, M::Stop> {
    match address {
        Address::Offset { n, offset } => {
            let base = m.register(n)?;
            Ok((offset_by(m, &base, offset as u32), None))
        }
        Address::Index { n, m: index, shift } => {
            let (base, index, count) = (m.register(n)?, m.register(index)?, m.w32(u32::from(shift)));
            let scaled = if shift == 0 { index } else { m.bin32(Bin32::Shl, &index, &count) };
            Ok((m.bin32(Bin32::Add, &base, &scaled), None))
        }
        Address::PreIndex { n, offset } => {
            let base = m.register(n)?;
            let at = offset_by(m, &base, offset as u32);
            Ok((at.clone(), Some((n, at))))
        }
        Address::PostIndex { n, offset } => {
            let base = m.register(n)?;
            let after = offset_by(m, &base, offset as u32);
            Ok((base, Some((n, after))))
        }
        Address::Literal { .. } => Err(m.fault("a literal is no place to store to".to_owned())),
    }
}

fn write_back<M: Machine>(m: &mut M, writeback: Option<(Reg, M::W32)>) -> Result<(), M::Stop> {
    match writeback {
        Some((register, word)) => m.set_register(register, word),
        None => Ok(()),
    }
}

fn load<M: Machine>(
    m: &mut M,
    (width, sign): (Width, Sign),
    t: Reg,
    address: Address,
    pc: u32,
) -> Result<Flow<M::W32>, M::Stop> {
    let (word, writeback) = match address {
        Address::Literal { offset } => (m.constant(literal_base(pc).wrapping_add_signed(offset), width)?, None),
        Address::Offset { .. } | Address::Index { .. } | Address::PreIndex { .. } | Address::PostIndex { .. } => {
            let (at, writeback) = effective(m, address)?;
            let alignment = if t == Reg::PC { Alignment::Word } else { Alignment::Any };
            (m.load(&at, width, alignment)?, writeback)
        }
    };
    let word = match (width, sign) {
        (Width::Byte, Sign::Signed) => m.un32(Un32::Sext8, &word),
        (Width::Half, Sign::Signed) => m.un32(Un32::Sext16, &word),
        (Width::Byte | Width::Half, Sign::Unsigned) | (Width::Word, Sign::Signed | Sign::Unsigned) => word,
    };
    write_back(m, writeback)?;
    if t == Reg::SP {
        return Err(m.fault("a load to SP may be repeated by an interrupt (Cortex-M4 erratum 752419)".to_owned()));
    }
    if t == Reg::PC {
        return Ok(Flow::JumpRegister(word));
    }
    m.set_register(t, word)?;
    Ok(Flow::Next)
}

fn load_dual<M: Machine>(m: &mut M, (t, t2): (Reg, Reg), address: Address, pc: u32) -> Result<Flow<M::W32>, M::Stop> {
    if let Address::Literal { offset } = address {
        let at = literal_base(pc).wrapping_add_signed(offset);
        let words = [m.constant(at, Width::Word)?, m.constant(at.wrapping_add(4), Width::Word)?];
        for (register, word) in [t, t2].into_iter().zip(words) {
            m.set_register(register, word)?;
        }
        return Ok(Flow::Next);
    }
    let base = match address {
        Address::Offset { n, .. } | Address::PreIndex { n, .. } | Address::PostIndex { n, .. } => n,
        Address::Index { n, .. } => n,
        Address::Literal { .. } => Reg::PC,
    };
    if base == t || base == t2 {
        return Err(m.fault("LDRD may be repeated after it changed its base (Cortex-M3 erratum 602117)".to_owned()));
    }
    let (at, writeback) = effective(m, address)?;
    let first = m.load(&at, Width::Word, Alignment::Word)?;
    let next = offset_by(m, &at, 4);
    let second = m.load(&next, Width::Word, Alignment::Word)?;
    write_back(m, writeback)?;
    m.set_register(t, first)?;
    m.set_register(t2, second)?;
    Ok(Flow::Next)
}

/// The lowest address of a multiple access, and the base after it.
fn span<M: Machine>(m: &mut M, n: Reg, mode: MultipleMode, registers: RegSet) -> Result<(M::W32, M::W32), M::Stop> {
    let base = m.register(n)?;
    let bytes = 4 * registers.len();
    Ok(match mode {
        MultipleMode::IncrementAfter => (base.clone(), offset_by(m, &base, bytes)),
        MultipleMode::DecrementBefore => {
            let lowest = offset_by(m, &base, bytes.wrapping_neg());
            (lowest.clone(), lowest)
        }
    })
}

fn load_multiple<M: Machine>(
    m: &mut M,
    (n, writeback): (Reg, Writeback),
    mode: MultipleMode,
    registers: RegSet,
) -> Result<Flow<M::W32>, M::Stop> {
    let (lowest, after) = span(m, n, mode, registers)?;
    let mut words = Vec::new();
    for (index, register) in registers.iter().enumerate() {
        let at = offset_by(m, &lowest, 4 * index as u32);
        words.push((register, m.load(&at, Width::Word, Alignment::Word)?));
    }
    if writeback == Writeback::Yes {
        m.set_register(n, after)?;
    }
    let mut flow = Flow::Next;
    for (register, word) in words {
        if register == Reg::PC {
            flow = Flow::JumpRegister(word);
        } else {
            m.set_register(register, word)?;
        }
    }
    Ok(flow)
}

/// The base moves before the words are written, so that a push never writes below SP.
fn store_multiple<M: Machine>(
    m: &mut M,
    (n, writeback): (Reg, Writeback),
    mode: MultipleMode,
    registers: RegSet,
) -> Result<Flow<M::W32>, M::Stop> {
    let (lowest, after) = span(m, n, mode, registers)?;
    let mut words = Vec::new();
    for register in registers.iter() {
        words.push(m.register(register)?);
    }
    if writeback == Writeback::Yes {
        m.set_register(n, after)?;
    }
    for (index, word) in words.iter().enumerate() {
        let at = offset_by(m, &lowest, 4 * index as u32);
        m.store(&at, Width::Word, Alignment::Word, word)?;
    }
    Ok(Flow::Next)
}

fn link<M: Machine>(m: &mut M, pc: u32, size: u32) -> Result<(), M::Stop> {
    let word = m.w32(pc.wrapping_add(size) | 1);
    m.set_register(Reg::LR, word)
}
