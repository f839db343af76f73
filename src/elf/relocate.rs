//! Puts addends and addresses into code and words (AAELF32, 5.6.1).

use super::ElfError;
use super::program::RelocationKind;
use super::unit::Fixup;
use crate::emit::encode::{branch_reaches, encode};
use crate::emit::machine::{Machine, Position, Width};
use crate::vcode::reg::PReg;

/// Puts the addend of a relocation that the linker will do.
pub fn put_addend(bytes: &mut [u8], fixup: &Fixup) {
    match fixup.kind {
        RelocationKind::ThmCall => {
            assert_eq!(fixup.addend, 0, "a call goes to a function's start");
            // A linker puts the target at the distance that stands here, from the target's address:
            // a call of itself stands for no addend.
            overwrite(bytes, fixup.offset, Machine::Call { distance: 0 });
        }
        RelocationKind::ThmJump => {
            assert_eq!(fixup.addend, 0, "a branch goes to a function's start");
            overwrite(bytes, fixup.offset, Machine::Branch { width: Width::Wide, distance: 0 });
        }
        RelocationKind::MovwAbsNc | RelocationKind::MovtAbs => {
            let addend = i16::try_from(fixup.addend).expect("the addend of a move has 16 bits");
            put_half(bytes, fixup, addend as u16);
        }
        RelocationKind::Abs32 => put_word(bytes, fixup.offset, fixup.addend as u32),
    }
}

/// Puts an address. `place` is the address of the first byte of `bytes`.
pub fn put_address(bytes: &mut [u8], place: u32, fixup: &Fixup, value: u32) -> Result<(), ElfError> {
    let address = value.wrapping_add_signed(fixup.addend);
    match fixup.kind {
        RelocationKind::ThmCall => {
            let distance = i64::from(address & !1) - i64::from(place + fixup.offset);
            return put_call(bytes, fixup.offset, distance);
        }
        RelocationKind::ThmJump => {
            let distance = i64::from(address & !1) - i64::from(place + fixup.offset);
            return put_branch(bytes, fixup.offset, distance);
        }
        RelocationKind::MovwAbsNc => put_half(bytes, fixup, address as u16),
        RelocationKind::MovtAbs => put_half(bytes, fixup, (address >> 16) as u16),
        RelocationKind::Abs32 => put_word(bytes, fixup.offset, address),
    }
    Ok(())
}

/// Puts a `BL` over a distance from its own address.
pub fn put_call(bytes: &mut [u8], offset: u32, distance: i64) -> Result<(), ElfError> {
    let distance = reachable("the distance of a call", distance)?;
    overwrite(bytes, offset, Machine::Call { distance });
    Ok(())
}

/// Puts a 32-bit `B` over a distance from its own address.
pub fn put_branch(bytes: &mut [u8], offset: u32, distance: i64) -> Result<(), ElfError> {
    let distance = reachable("the distance of a branch", distance)?;
    overwrite(bytes, offset, Machine::Branch { width: Width::Wide, distance });
    Ok(())
}

fn reachable(what: &str, distance: i64) -> Result<i32, ElfError> {
    let reaches = |distance: &i32| branch_reaches(Width::Wide, *distance);
    let too_big = || ElfError::TooBig { what: what.into(), bytes: distance.unsigned_abs(), limit: 1 << 24 };
    i32::try_from(distance).ok().filter(reaches).ok_or_else(too_big)
}

fn overwrite(bytes: &mut [u8], offset: u32, inst: Machine) {
    let mut code = Vec::new();
    encode(&inst, Position::Plain).append_to(&mut code);
    bytes[offset as usize..][..code.len()].copy_from_slice(&code);
}

fn put_word(bytes: &mut [u8], offset: u32, value: u32) {
    bytes[offset as usize..][..4].copy_from_slice(&value.to_le_bytes());
}

/// Replaces the immediate of a `MOVW` or `MOVT`, whose register stands in bits 11:8 of the second
/// halfword (DDI0403, A7.7.76 and A7.7.79).
fn put_half(bytes: &mut [u8], fixup: &Fixup, imm: u16) {
    let d = PReg::new(bytes[fixup.offset as usize + 3] & 0xf);
    let inst = match fixup.kind {
        RelocationKind::MovtAbs => Machine::Movt { d, imm },
        RelocationKind::MovwAbsNc | RelocationKind::ThmCall | RelocationKind::ThmJump | RelocationKind::Abs32 => {
            Machine::Movw { d, imm }
        }
    };
    overwrite(bytes, fixup.offset, inst);
}
