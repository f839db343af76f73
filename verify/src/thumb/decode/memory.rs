//! The 32-bit loads and stores (A5.3.5 to A5.3.10) and the table branch.

use super::super::inst::{Address, Inst, MultipleMode, Reg, RegSet, Sign, Width, Writeback};
use super::fields::{bit, bits, ordinary, register, should_be, signed, up_or_down};
use super::{DecodeError, Decoded};

/// LDM and STM, PUSH and POP (A5.3.5).
pub(super) fn multiple(w: u32) -> Decoded {
    let mode = match bits(w, 24, 23) {
        0b01 => MultipleMode::IncrementAfter,
        0b10 => MultipleMode::DecrementBefore,
        _ => return Err(DecodeError::Undefined),
    };
    let (n, registers) = (register(w, 16), RegSet::from_bits(u64::from(bits(w, 15, 0))));
    let writeback = if bit(w, 21) { Writeback::Yes } else { Writeback::No };
    should_be(w, 1 << 13, 0)?;
    if n == Reg::PC || registers.len() < 2 {
        return Err(DecodeError::Unpredictable("PC as base, or fewer than two registers"));
    }
    if writeback == Writeback::Yes && registers.contains(n) {
        return Err(DecodeError::Unpredictable("transfers the base that it writes"));
    }
    if bit(w, 20) {
        if registers.contains(Reg::PC) && registers.contains(Reg::LR) {
            return Err(DecodeError::Unpredictable("loads both LR and PC"));
        }
        return Ok(Inst::LoadMultiple { n, writeback, mode, registers });
    }
    should_be(w, 1 << 15, 0)?;
    Ok(Inst::StoreMultiple { n, writeback, mode, registers })
}

/// LDRD, STRD, exclusive accesses and table branches (A5.3.6).
pub(super) fn dual_or_table(w: u32) -> Decoded {
    let (before, up, back) = (bit(w, 24), bit(w, 23), bit(w, 21));
    if before || back {
        return dual(w);
    }
    match (up, bit(w, 20), bits(w, 7, 4)) {
        (true, true, op @ (0b0000 | 0b0001)) => {
            should_be(w, 0xff00, 0xf000)?;
            let (n, m) = (register(w, 16), register(w, 0));
            if n == Reg::SP {
                return Err(DecodeError::Unpredictable("a branch table at SP"));
            }
            ordinary(&[m])?;
            let width = if op == 0 { Width::Byte } else { Width::Half };
            Ok(Inst::TableBranch { width, n, m })
        }
        (false, _, _) | (true, _, 0b0100 | 0b0101) => Err(DecodeError::Unmodelled("an exclusive access")),
        _ => Err(DecodeError::Undefined),
    }
}

/// LDRD and STRD.
fn dual(w: u32) -> Decoded {
    let (n, t, t2) = (register(w, 16), register(w, 12), register(w, 8));
    let (before, back) = (bit(w, 24), bit(w, 21));
    let offset = up_or_down(bit(w, 23), bits(w, 7, 0) * 4);
    ordinary(&[t, t2])?;
    if back && (n == t || n == t2) {
        return Err(DecodeError::Unpredictable("transfers the base that it writes"));
    }
    let address = indexed(n, offset, before, back);
    if bit(w, 20) {
        if t == t2 {
            return Err(DecodeError::Unpredictable("loads one register twice"));
        }
        if n == Reg::PC && back {
            return Err(DecodeError::Unpredictable("writes PC as a base"));
        }
        let address = if n == Reg::PC { Address::Literal { offset } } else { address };
        return Ok(Inst::LoadDual { t, t2, address });
    }
    if n == Reg::PC {
        return Err(DecodeError::Unpredictable("a store at PC"));
    }
    Ok(Inst::StoreDual { t, t2, address })
}

/// The addressing mode of the P and W bits.
fn indexed(n: Reg, offset: i32, before: bool, back: bool) -> Address {
    match (before, back) {
        (true, false) => Address::Offset { n, offset },
        (true, true) => Address::PreIndex { n, offset },
        (false, _) => Address::PostIndex { n, offset },
    }
}

/// Loads and stores of a byte, half or word (A5.3.7 to A5.3.10).
pub(super) fn single(w: u32) -> Decoded {
    let width = match bits(w, 22, 21) {
        0 => Width::Byte,
        1 => Width::Half,
        2 => Width::Word,
        _ => return Err(DecodeError::Undefined),
    };
    let (n, t) = (register(w, 16), register(w, 12));
    let sign = if bit(w, 24) { Sign::Signed } else { Sign::Unsigned };
    if bit(w, 20) {
        if sign == Sign::Signed && width == Width::Word {
            return Err(DecodeError::Undefined);
        }
        if t == Reg::PC && width != Width::Word {
            return Err(DecodeError::Unmodelled("a memory hint"));
        }
        let address = if n == Reg::PC {
            Address::Literal { offset: up_or_down(bit(w, 23), bits(w, 11, 0)) }
        } else {
            address(w)?
        };
        check_load(width, t, address)?;
        return Ok(Inst::Load { width, sign, t, address });
    }
    if sign == Sign::Signed || n == Reg::PC {
        return Err(DecodeError::Undefined);
    }
    let address = address(w)?;
    if t == Reg::PC || (t == Reg::SP && width != Width::Word) {
        return Err(DecodeError::Unpredictable("stores PC, or part of SP"));
    }
    Ok(Inst::Store { width, t, address })
}

fn check_load(width: Width, t: Reg, address: Address) -> Result<(), DecodeError> {
    if t == Reg::SP && width != Width::Word {
        return Err(DecodeError::Unpredictable("loads part of SP"));
    }
    match address {
        Address::Literal { offset } if t == Reg::PC && offset % 4 != 0 => {
            Err(DecodeError::Unpredictable("loads PC from an address that is no multiple of 4"))
        }
        Address::Literal { .. }
        | Address::Offset { .. }
        | Address::Index { .. }
        | Address::PreIndex { .. }
        | Address::PostIndex { .. } => Ok(()),
    }
}

/// The address of a load or store whose base is not PC.
fn address(w: u32) -> Result<Address, DecodeError> {
    let n = register(w, 16);
    if bit(w, 23) {
        let offset = signed(bits(w, 11, 0));
        return Ok(Address::Offset { n, offset });
    }
    if !bit(w, 11) {
        if bits(w, 10, 6) != 0 {
            return Err(DecodeError::Undefined);
        }
        let m = register(w, 0);
        ordinary(&[m])?;
        let shift = bits(w, 5, 4) as u8;
        return Ok(Address::Index { n, m, shift });
    }
    let (before, up, back) = (bit(w, 10), bit(w, 9), bit(w, 8));
    match (before, up, back) {
        (false, _, false) => return Err(DecodeError::Undefined),
        (true, true, false) => return Err(DecodeError::Unmodelled("an unprivileged access")),
        (true, false, false) | (_, _, true) => {}
    }
    if back && n == register(w, 12) {
        return Err(DecodeError::Unpredictable("transfers the base that it writes"));
    }
    Ok(indexed(n, up_or_down(up, bits(w, 7, 0)), before, back))
}
