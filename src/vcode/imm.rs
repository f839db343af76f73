//! Immediates that exist only if they encode.

/// A Thumb modified immediate constant (DDI0403, A5.3.2): an 8-bit value shifted into any place,
/// or a byte repeated in one of three patterns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ModifiedImm {
    value: u32,
    code: u16,
}

impl ModifiedImm {
    /// The immediate with this value, if it encodes.
    pub fn new(value: u32) -> Option<ModifiedImm> {
        let byte = value & 0xff;
        let upper = value >> 8 & 0xff;
        let code = if value == byte {
            byte
        } else if value == byte | byte << 16 {
            0x100 | byte
        } else if value == upper << 8 | upper << 24 {
            0x200 | upper
        } else if value == byte * 0x0101_0101 {
            0x300 | byte
        } else {
            // The top set bit of the rotated byte is implied, so the rotation follows from it.
            let rotation = value.leading_zeros() + 8;
            let byte = value.rotate_left(rotation);
            if byte > 0xff {
                return None;
            }
            rotation << 7 | byte & 0x7f
        };
        Some(ModifiedImm { value, code: u16::try_from(code).expect("12 bits") })
    }

    /// The 32-bit value.
    pub fn value(self) -> u32 {
        self.value
    }

    /// The 12 bits `i:imm3:imm8`.
    pub fn code(self) -> u16 {
        self.code
    }
}

/// An unsigned 8-bit immediate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Imm8(u8);

impl Imm8 {
    /// The immediate with this value, if it encodes.
    pub fn new(value: u32) -> Option<Imm8> {
        u8::try_from(value).ok().map(Imm8)
    }

    /// The value.
    pub fn value(self) -> u32 {
        self.0.into()
    }
}

/// An unsigned 12-bit immediate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Imm12(u16);

impl Imm12 {
    /// Zero.
    pub const ZERO: Imm12 = Imm12(0);

    /// The immediate with this value, if it encodes.
    pub fn new(value: u32) -> Option<Imm12> {
        u16::try_from(value).ok().filter(|&value| value < 1 << 12).map(Imm12)
    }

    /// The value.
    pub fn value(self) -> u32 {
        self.0.into()
    }
}

/// A shift amount from 1 to 31. Zero is a move, and 32 means something else to each shift.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShiftImm(u8);

impl ShiftImm {
    /// The amount, if it is from 1 to 31.
    pub fn new(amount: u32) -> Option<ShiftImm> {
        u8::try_from(amount).ok().filter(|amount| (1..32).contains(amount)).map(ShiftImm)
    }

    /// The value.
    pub fn value(self) -> u32 {
        self.0.into()
    }
}

/// How far the index of an address is shifted left: 0 to 3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IndexShift(u8);

impl IndexShift {
    /// No shift.
    pub const ZERO: IndexShift = IndexShift(0);

    /// The amount, if it is at most 3.
    pub fn new(amount: u32) -> Option<IndexShift> {
        u8::try_from(amount).ok().filter(|&amount| amount < 4).map(IndexShift)
    }

    /// The value.
    pub fn value(self) -> u32 {
        self.0.into()
    }
}

/// A run of bits inside a word: at least one bit, none beyond bit 31.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BitField {
    lsb: u8,
    width: u8,
}

impl BitField {
    /// The field of `width` bits from bit `lsb` up, if it lies in a word.
    pub fn new(lsb: u32, width: u32) -> Option<BitField> {
        if width == 0 || lsb >= 32 || width > 32 - lsb {
            return None;
        }
        Some(BitField { lsb: u8::try_from(lsb).ok()?, width: u8::try_from(width).ok()? })
    }

    /// The lowest bit.
    pub fn lsb(self) -> u32 {
        self.lsb.into()
    }

    /// Number of bits, 1 to 32.
    pub fn width(self) -> u32 {
        self.width.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ThumbExpandImm (DDI0403, A5.3.2), written from the manual's pseudocode.
    fn expand(code: u32) -> u32 {
        let byte = code & 0xff;
        match code >> 8 {
            0 => byte,
            1 => byte | byte << 16,
            2 => byte << 8 | byte << 24,
            3 => byte | byte << 8 | byte << 16 | byte << 24,
            _ => (0x80 | code & 0x7f).rotate_right(code >> 7),
        }
    }

    #[test]
    fn every_code_is_found_and_expands_to_its_value() {
        for code in 0..1 << 12 {
            let value = expand(code);
            let imm = ModifiedImm::new(value).expect("an expanded code encodes");
            assert_eq!(expand(imm.code().into()), value);
        }
    }

    #[test]
    fn what_does_not_encode_does_not_exist() {
        for value in [0x101, 0x1fe0_0001, 0x0001_ff00, 0xffff_ffff - 1, 0x8000_0001] {
            assert_eq!(ModifiedImm::new(value), None, "{value:#x}");
        }
        assert!(ModifiedImm::new(0xff00_ff00).is_some());
        assert!(ShiftImm::new(0).is_none() && ShiftImm::new(32).is_none());
        assert!(BitField::new(31, 2).is_none() && BitField::new(0, 32).is_some());
    }
}
