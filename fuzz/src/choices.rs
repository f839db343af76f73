//! Decisions drawn from bytes: what a fuzzer, or a seed, has for a generator.

/// Decisions drawn from bytes; when the bytes are used up every decision is the first choice.
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Decisions from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices { bytes }
    }

    /// The bytes that no decision has taken.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is at most 256.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(crate) fn i32(&mut self) -> i32 {
        match self.below(6) {
            0 => self.pick(&[0, 1, -1, i32::MIN, i32::MAX, 2, 31, 32, 33, 255, 256, 0xffff, 0x8000, -128]),
            1 => 1 << self.below(32),
            2 | 3 => self.below(100) as i32,
            _ => i32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
        }
    }

    /// The bits of a binary32 number: zeros, limits, integers, numbers near 1, and any, NaNs among them.
    pub(crate) fn f32(&mut self) -> u32 {
        let sign = u32::from(self.byte() & 1) << 31;
        sign | match self.below(5) {
            0 => self.pick(&[
                0,
                1,
                0x7f_ffff,
                0x80_0000,
                0x7f7f_ffff,
                0x7f80_0000,
                0x7fc0_0000,
                0x4f00_0000,
                0x5f00_0000,
            ]),
            1 => (self.below(200) as f32).to_bits(),
            2 => 0x3f00_0000 + (self.i32() as u32 & 0x1ff_ffff),
            _ => self.i32() as u32 & 0x7fff_ffff,
        }
    }

    /// The bits of a binary64 number, as those of binary32 numbers.
    pub(crate) fn f64(&mut self) -> u64 {
        let sign = u64::from(self.byte() & 1) << 63;
        sign | match self.below(5) {
            0 => self.pick(&[
                0,
                1,
                1 << 52,
                (1 << 52) - 1,
                0x7fef << 48,
                0x7ff0 << 48,
                0x7ff8 << 48,
                0x41e0 << 48,
                0x43e0 << 48,
            ]),
            1 => f64::from(self.below(200) as u32).to_bits(),
            2 => (0x3fe0 << 48) + (self.i64() as u64 & ((1 << 54) - 1)),
            3 => f64::from(f32::from_bits(self.f32() & 0x7fff_ffff)).to_bits() & (u64::MAX >> 1),
            _ => self.i64() as u64 & (u64::MAX >> 1),
        }
    }

    pub(crate) fn i64(&mut self) -> i64 {
        match self.below(5) {
            0 => self.pick(&[0, 1, -1, i64::MIN, i64::MAX, 63, 64, 32, 0xffff_ffff, 0x1_0000_0000]),
            1 => 1 << self.below(64),
            2 => i64::from(self.i32()),
            _ => i64::from(self.i32()) << 32 | i64::from(self.i32() as u32),
        }
    }
}

/// Bytes of decisions from a seed (splitmix64), for runs without a fuzzer.
pub fn decisions(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(z ^ z >> 31).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
