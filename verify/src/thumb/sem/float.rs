//! The floating-point unit (DDI0403, A2.5).
//!
//! Requires: rounding to nearest, no flushing to zero (FPSCR.RMode and FZ are 0). An operation is then the
//! operator of IEEE 754. Which NaN it gives is a function of its operands, as in `crate::float`.

use super::super::float::{FloatInst, FloatReg, SignOp};
use super::super::inst::{Address, Reg, RegSet};
use super::transfer::{effective, literal_base, load_multiple, offset_by, store_multiple};
use super::{Alignment, Flags, Flow, Machine, Width, Writes};
use crate::domain::Bin32;

fn words<M: Machine>(m: &mut M, register: FloatReg) -> Result<Vec<M::W32>, M::Stop> {
    register.words().into_iter().map(|register| m.register(register)).collect()
}

/// What an instruction writes, if it does not access memory.
pub(super) fn compute<M: Machine>(m: &mut M, inst: &FloatInst) -> Result<Option<Writes<M>>, M::Stop> {
    let (to, results) = match *inst {
        FloatInst::Compute { op, d, n, m: other } => {
            let mut operands = Vec::new();
            for register in n.into_iter().chain([other]) {
                operands.extend(words(m, register)?);
            }
            (d.words(), m.float(op, &operands).to_vec())
        }
        FloatInst::Sign { op, d, m: other } => {
            let mut words = words(m, other)?;
            if let Some(top) = words.last_mut() {
                let (op, mask) = match op {
                    SignOp::Neg => (Bin32::Xor, m.w32(1 << 31)),
                    SignOp::Abs => (Bin32::And, m.w32(u32::MAX >> 1)),
                };
                *top = m.bin32(op, top, &mask);
            }
            (d.words(), words)
        }
        FloatInst::Move { d, m: other } => (d.words(), words(m, other)?),
        FloatInst::Constant { d, bits } => (d.words(), vec![m.w32(bits as u32), m.w32((bits >> 32) as u32)]),
        FloatInst::Transfer { d, m: from } => {
            let words = from.registers().into_iter().map(|register| m.register(register));
            let words = words.collect::<Result<_, M::Stop>>()?;
            (d.registers(), words)
        }
        FloatInst::Compare { n, m: other } => {
            let a = words(m, n)?;
            let b = match other {
                Some(other) => words(m, other)?,
                None => a.iter().map(|_| m.w32(0)).collect(),
            };
            let flags = Flags::Float { a, b };
            return Ok(Some(Writes { registers: Vec::new(), flags: None, float_flags: Some(flags) }));
        }
        FloatInst::Flags => {
            return Ok(Some(Writes { registers: Vec::new(), flags: Some(m.float_flags()), float_flags: None }));
        }
        FloatInst::Load { .. }
        | FloatInst::Store { .. }
        | FloatInst::LoadMultiple { .. }
        | FloatInst::StoreMultiple { .. } => return Ok(None),
    };
    let registers = to.into_iter().zip(results).collect();
    Ok(Some(Writes { registers, flags: None, float_flags: None }))
}

/// Loads and stores; the address is always a multiple of 4.
pub(super) fn act<M: Machine>(m: &mut M, inst: &FloatInst, pc: u32) -> Result<Flow<M::W32>, M::Stop> {
    match *inst {
        FloatInst::Load { d, address: Address::Literal { offset } } => {
            let mut at = literal_base(pc).wrapping_add_signed(offset);
            for register in d.words() {
                let word = m.constant(at, Width::Word)?;
                m.set_register(register, word)?;
                at = at.wrapping_add(4);
            }
            Ok(Flow::Next)
        }
        FloatInst::Load { d, address } => {
            let (at, _) = effective(m, address)?;
            for (index, register) in d.words().into_iter().enumerate() {
                let at = offset_by(m, &at, 4 * index as u32);
                let word = m.load(&at, Width::Word, Alignment::Word)?;
                m.set_register(register, word)?;
            }
            Ok(Flow::Next)
        }
        FloatInst::Store { d, address } => {
            let (at, _) = effective(m, address)?;
            for (index, word) in words(m, d)?.iter().enumerate() {
                let at = offset_by(m, &at, 4 * index as u32);
                m.store(&at, Width::Word, Alignment::Word, word)?;
            }
            Ok(Flow::Next)
        }
        FloatInst::LoadMultiple { n, writeback, mode, first, count } => {
            load_multiple(m, (n, writeback), mode, set(first, count))
        }
        FloatInst::StoreMultiple { n, writeback, mode, first, count } => {
            store_multiple(m, (n, writeback), mode, set(first, count))
        }
        FloatInst::Compute { .. }
        | FloatInst::Sign { .. }
        | FloatInst::Move { .. }
        | FloatInst::Constant { .. }
        | FloatInst::Transfer { .. }
        | FloatInst::Compare { .. }
        | FloatInst::Flags => Err(m.fault("not modelled".to_owned())),
    }
}

/// The words of registers in a row. They are moved in the order of their numbers.
fn set(first: FloatReg, count: u8) -> RegSet {
    let registers: Vec<Reg> = first.run(count).flat_map(FloatReg::words).collect();
    registers.into_iter().collect()
}
