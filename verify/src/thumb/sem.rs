//! What each Thumb-2 instruction does (DDI0403, chapter A7), written once over a [`Machine`].
//!
//! Requires: an instruction that `decode` gave. Ensures: [`step`] either finishes, or stops with the
//! machine's `Stop`; after an undecided condition the driver restores registers, flags and IT state from
//! before the step and runs it again with more facts: a step asks before it accesses memory. What the manual leaves UNPREDICTABLE, and what Wasm code has no
//! use for, is a fault.
//!
//! An instruction of an IT block that only writes registers and flags writes either the new or the
//! old words; any other asks whether its condition holds.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::domain::{Bin32, Cmp, Decide};

use super::feature::Target;
pub use super::flags::Flags;
use super::inst::{Cond, Inst, Reg, SetFlags, Shift, Sign, Width, ZeroTest};

mod data;
mod float;
mod transfer;

use data::{
    bits, data, extend, extract, immediate, insert, logic, moved, multiply_long, product, shifted, shifted_by_register,
    test,
};
use transfer::{effective, literal_base, load, load_dual, load_multiple, offset_by, store_multiple, write_back};

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
    /// Nothing: it is a byte, or UNALIGN_TRP is 0.
    Any,
    /// A multiple of 2, else a fault.
    Half,
    /// A multiple of 4, else a fault.
    Word,
}

impl Alignment {
    /// Bytes of which the address is a multiple.
    pub fn bytes(self) -> u32 {
        match self {
            Alignment::Any => 1,
            Alignment::Half => 2,
            Alignment::Word => 4,
        }
    }

    /// What a load or store of one register needs.
    fn of_single(target: Target, width: Width) -> Alignment {
        match width {
            _ if target.architecture.has_unaligned() => Alignment::Any,
            Width::Byte => Alignment::Any,
            Width::Half => Alignment::Half,
            Width::Word => Alignment::Word,
        }
    }
}

/// A machine state that instructions run on.
pub trait Machine: Decide {
    /// What the code is for.
    fn target(&self) -> Target;
    /// The stop for a step that the manual or the policy rules out.
    fn fault(&mut self, reason: String) -> Self::Stop;
    /// Any register but PC.
    fn register(&mut self, register: Reg) -> Result<Self::W32, Self::Stop>;
    /// Sets one of them.
    fn set_register(&mut self, register: Reg, word: Self::W32) -> Result<(), Self::Stop>;
    /// The flags.
    fn flags(&self) -> Flags<Self>;
    /// Sets them.
    fn set_flags(&mut self, flags: Flags<Self>);
    /// The flags of the floating-point unit.
    fn float_flags(&self) -> Flags<Self>;
    /// Sets them.
    fn set_float_flags(&mut self, flags: Flags<Self>);
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
    float_flags: Option<Flags<M>>,
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
    if !allowed_in_it(inst, size, it) {
        return Err(m.fault("UNPREDICTABLE inside an IT block".to_owned()));
    }
    let Some(cond) = it.condition() else {
        return Err(m.fault("an IT block without a condition".to_owned()));
    };
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

/// Runs an instruction outside IT blocks that a branch on this condition jumps over, as it would run inside one: it
/// writes either the new or the old words. Says whether it did; one that accesses memory or branches is left.
///
/// # Errors
/// The machine's stop.
pub fn step_unless<M: Machine>(m: &mut M, cond: Cond, inst: &Inst, pc: u32) -> Result<bool, M::Stop> {
    let it = m.it();
    let Some(writes) = compute(m, inst, pc, it)? else { return Ok(false) };
    let skipped = m.flags().condition(m, cond);
    let runs = m.not(&skipped);
    let merged = merge(m, &runs, writes)?;
    apply(m, merged)?;
    Ok(true)
}

fn apply<M: Machine>(m: &mut M, writes: Writes<M>) -> Result<Flow<M::W32>, M::Stop> {
    for (register, word) in writes.registers {
        m.set_register(register, word)?;
    }
    if let Some(flags) = writes.flags {
        m.set_flags(flags);
    }
    if let Some(flags) = writes.float_flags {
        m.set_float_flags(flags);
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
    let old = m.float_flags();
    let float_flags = writes.float_flags.map(|new| Flags::either(m, condition, &new, &old));
    Ok(Writes { registers, flags, float_flags })
}

/// B1.4.2, and the notes of each instruction: a branch must be the last of its block, some
/// instructions may not be inside at all.
fn allowed_in_it(inst: &Inst, size: u32, it: ItState) -> bool {
    match inst {
        Inst::It { .. } | Inst::CompareBranch { .. } | Inst::BranchCond { .. } | Inst::System(_) => false,
        Inst::Branch { .. }
        | Inst::BranchLink { .. }
        | Inst::BranchLinkReg { .. }
        | Inst::BranchReg { .. }
        | Inst::TableBranch { .. } => it.is_last(),
        Inst::Load { t, .. } => *t != Reg::PC || it.is_last(),
        // MOV (register) T2, the only 16-bit form that sets the flags wherever it stands.
        Inst::MoveReg { flags, .. } => size == 4 || *flags != SetFlags::Yes,
        Inst::LoadMultiple { registers, .. } => !registers.contains(Reg::PC) || it.is_last(),
        Inst::Float(inst) => !inst.is_unconditional(),
        Inst::DataImm { .. }
        | Inst::DataReg { .. }
        | Inst::MoveImm { .. }
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
            return Ok(Some(Writes { registers: vec![(lo, low), (hi, high)], flags: None, float_flags: None }));
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
        Inst::Float(ref inst) => return float::compute(m, inst),
        Inst::Nop => {
            return Ok(Some(Writes { registers: Vec::new(), flags: None, float_flags: None }));
        }
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
    Ok(Some(Writes { registers: vec![(register, word)], flags, float_flags: None }))
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
            let alignment = Alignment::of_single(m.target(), width);
            m.store(&at, width, alignment, &word)?;
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
        Inst::Float(ref inst) => float::act(m, inst, pc),
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
fn link<M: Machine>(m: &mut M, pc: u32, size: u32) -> Result<(), M::Stop> {
    let word = m.w32(pc.wrapping_add(size) | 1);
    m.set_register(Reg::LR, word)
}
