//! Puts addends and addresses into code and words (AAELF32, 5.6.1).

use super::ElfError;
use super::asm::set_move;
use super::parts;
use super::program::RelocationKind;
use super::unit::Fixup;

/// Puts the addend of a relocation that the linker will do.
pub fn put_addend(bytes: &mut [u8], fixup: &Fixup) {
    match fixup.kind {
        RelocationKind::ThmCall => {
            assert_eq!(fixup.addend, 0, "a call goes to a function's start");
            // The linker adds the addend to the instruction's own address, where PC is 4 further.
            parts::call(bytes, fixup.offset, -4).expect("-4 is in range");
        }
        RelocationKind::MovwAbsNc | RelocationKind::MovtAbs => {
            let addend = i16::try_from(fixup.addend).expect("the addend of a move has 16 bits");
            put_half(bytes, fixup.offset, addend as u16);
        }
        RelocationKind::Abs32 => put_word(bytes, fixup.offset, fixup.addend as u32),
    }
}

/// Puts an address. `place` is the address of the first byte of `bytes`.
pub fn put_address(
    bytes: &mut [u8],
    place: u32,
    fixup: &Fixup,
    value: u32,
) -> Result<(), ElfError> {
    let address = value.wrapping_add_signed(fixup.addend);
    match fixup.kind {
        RelocationKind::ThmCall => {
            let from = i64::from(place) + i64::from(fixup.offset) + 4;
            return parts::call(bytes, fixup.offset, i64::from(address & !1) - from);
        }
        RelocationKind::MovwAbsNc => put_half(bytes, fixup.offset, address as u16),
        RelocationKind::MovtAbs => put_half(bytes, fixup.offset, (address >> 16) as u16),
        RelocationKind::Abs32 => put_word(bytes, fixup.offset, address),
    }
    Ok(())
}

fn put_word(bytes: &mut [u8], offset: u32, value: u32) {
    let at = offset as usize;
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Replaces the immediate of a `MOVW` or `MOVT`.
fn put_half(bytes: &mut [u8], offset: u32, value: u16) {
    let at = offset as usize;
    let half = |index: usize| u16::from_le_bytes([bytes[at + index], bytes[at + index + 1]]);
    let mut halves = [half(0), half(2)];
    set_move(&mut halves, value);
    for (index, half) in halves.into_iter().enumerate() {
        bytes[at + 2 * index..at + 2 * index + 2].copy_from_slice(&half.to_le_bytes());
    }
}
