//! Loads and stores: their addresses, and what they move in which order.

use super::super::inst::{Address, MultipleMode, Reg, RegSet, Sign, Width, Writeback};
use super::{Alignment, Flow, Machine};
use crate::domain::{Bin32, Domain, Un32};

/// `Align(PC, 4)` for an instruction at `pc`.
pub(super) fn literal_base(pc: u32) -> u32 {
    pc.wrapping_add(4) & !3
}

pub(super) fn offset_by<M: Machine>(m: &mut M, address: &M::W32, bytes: u32) -> M::W32 {
    let bytes = m.w32(bytes);
    m.bin32(Bin32::Add, address, &bytes)
}

/// An address, and the base register to update with its new value.
pub(super) type Effective<M> = (<M as Domain>::W32, Option<(Reg, <M as Domain>::W32)>);

pub(super) fn effective<M: Machine>(m: &mut M, address: Address) -> Result<Effective<M>, M::Stop> {
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

pub(super) fn write_back<M: Machine>(m: &mut M, writeback: Option<(Reg, M::W32)>) -> Result<(), M::Stop> {
    match writeback {
        Some((register, word)) => m.set_register(register, word),
        None => Ok(()),
    }
}

pub(super) fn load<M: Machine>(
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
            let alignment = match t {
                Reg::PC => Alignment::Word,
                _ => Alignment::of_single(m.target(), width),
            };
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

pub(super) fn load_dual<M: Machine>(
    m: &mut M,
    (t, t2): (Reg, Reg),
    address: Address,
    pc: u32,
) -> Result<Flow<M::W32>, M::Stop> {
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

pub(super) fn load_multiple<M: Machine>(
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
pub(super) fn store_multiple<M: Machine>(
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
