//! Fields that several encodings share, and the conditions on them.

use super::super::inst::{Immediate, Inst, Reg, SetFlags, Shift, System};
use super::{DecodeError, Decoded};

/// Bits `high` to `low` of a word, moved down to bit 0.
pub(super) const fn bits(word: u32, high: u32, low: u32) -> u32 {
    word >> low & (u32::MAX >> (31 - (high - low)))
}

/// One bit of a word.
pub(super) const fn bit(word: u32, number: u32) -> bool {
    word >> number & 1 == 1
}

/// The low register in the three bits from `at` on.
pub(super) const fn low(word: u32, at: u32) -> Reg {
    Reg::field(bits(word, at + 2, at))
}

/// The register in the four bits from `at` on.
pub(super) const fn register(word: u32, at: u32) -> Reg {
    Reg::field(bits(word, at + 3, at))
}

/// An offset too small to be negative as a signed word.
pub(super) const fn signed(offset: u32) -> i32 {
    offset as i32
}

/// The low `width` bits of a word as a two's complement number.
pub(super) const fn sign_extend(value: u32, width: u32) -> i32 {
    (value << (32 - width)) as i32 >> (32 - width)
}

/// `offset` if the U bit is set, else its negation.
pub(super) const fn up_or_down(up: bool, offset: u32) -> i32 {
    if up { signed(offset) } else { -signed(offset) }
}

/// The S bit at `number`.
pub(super) const fn set_flags(word: u32, number: u32) -> SetFlags {
    if bit(word, number) { SetFlags::Yes } else { SetFlags::No }
}

/// Refuses unless the bits of `mask`, written `(0)` and `(1)` in the manual, are those of `value`.
pub(super) fn should_be(word: u32, mask: u32, value: u32) -> Result<(), DecodeError> {
    if word & mask == value { Ok(()) } else { Err(DecodeError::Unpredictable("a should-be bit is wrong")) }
}

/// Refuses SP and PC, the usual condition on registers of 32-bit instructions.
pub(super) fn ordinary(registers: &[Reg]) -> Result<(), DecodeError> {
    if registers.iter().any(|register| *register == Reg::SP || *register == Reg::PC) {
        return Err(DecodeError::Unpredictable("SP or PC where neither may be"));
    }
    Ok(())
}

/// Refuses one register.
pub(super) fn not(forbidden: Reg, register: Reg) -> Result<(), DecodeError> {
    if register == forbidden {
        return Err(DecodeError::Unpredictable("SP or PC where it may not be"));
    }
    Ok(())
}

/// `DecodeImmShift` (A7.4.2): kind and five bits.
pub(super) fn shift(kind: u32, count: u32) -> Shift {
    let count = count as u8;
    match (kind, count) {
        (0, count) => Shift::Lsl(count),
        (1, 0) => Shift::Lsr(32),
        (1, count) => Shift::Lsr(count),
        (2, 0) => Shift::Asr(32),
        (2, count) => Shift::Asr(count),
        (_, 0) => Shift::Rrx,
        (_, count) => Shift::Ror(count),
    }
}

/// `ThumbExpandImm_C` (A5.3.2) of `i:imm3:imm8`.
pub(super) fn expand(imm12: u32) -> Result<Immediate, DecodeError> {
    let byte = bits(imm12, 7, 0);
    if bits(imm12, 11, 10) != 0 {
        let value = (0x80 | byte & 0x7f).rotate_right(bits(imm12, 11, 7));
        return Ok(Immediate { value, carry: Some(bit(value, 31)) });
    }
    let value = match bits(imm12, 9, 8) {
        0 => byte,
        _ if byte == 0 => {
            return Err(DecodeError::Unpredictable("a repeated byte that is zero"));
        }
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        _ => byte << 24 | byte << 16 | byte << 8 | byte,
    };
    Ok(Immediate::plain(value))
}

/// The hints of A5.2.5 and A5.3.4. An unallocated one does nothing today, but is not in the list.
pub(super) fn hint(number: u32) -> Decoded {
    match number {
        0 => Ok(Inst::Nop),
        1 => Ok(Inst::System(System::Yield)),
        2 => Ok(Inst::System(System::Wfe)),
        3 => Ok(Inst::System(System::Wfi)),
        4 => Ok(Inst::System(System::Sev)),
        0xf0..=0xff => Ok(Inst::System(System::Dbg)),
        _ => Err(DecodeError::Unmodelled("an unallocated hint")),
    }
}
