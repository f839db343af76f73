//! Operands: boundary cases, all pairs of them, and random ones near which rounding is hard.

use super::Kind;

/// A generator: SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Calls `visit` with all tuples of boundary cases, then with `cases` random ones.
pub fn each(kinds: &[Kind], cases: u32, random: &mut Random, mut visit: impl FnMut(&[u64])) {
    match kinds {
        [kind] => boundaries(*kind).into_iter().for_each(|a| visit(&[a])),
        [first, second] => {
            let second = boundaries(*second);
            for a in boundaries(*first) {
                second.iter().for_each(|b| visit(&[a, *b]));
            }
        }
        other => panic!("{} operands", other.len()),
    }
    for _ in 0..cases {
        let a = one(kinds[0], random);
        match kinds {
            [_] => visit(&[a]),
            _ => visit(&[a, near(kinds[1], a, random)]),
        }
    }
}

/// Significand bits and exponent bits of a format.
fn format(kind: Kind) -> Option<(u32, u32)> {
    match kind {
        Kind::F32 => Some((23, 8)),
        Kind::F64 => Some((52, 11)),
        Kind::I32 | Kind::I64 => None,
    }
}

fn bits(kind: Kind) -> u32 {
    match kind {
        Kind::I32 | Kind::F32 => 32,
        Kind::I64 | Kind::F64 => 64,
    }
}

fn boundaries(kind: Kind) -> Vec<u64> {
    match format(kind) {
        Some((fraction, exponent)) => floats(fraction, exponent),
        None => integers(bits(kind)),
    }
}

/// Powers of two and their neighbours, and words of several digits.
fn integers(bits: u32) -> Vec<u64> {
    let mut list = Vec::new();
    for power in [0, 1, 8, 15, 16, 23, 24, 25, 30, 31, 32, 33, 47, 48, 52, 53, 54, 62, 63] {
        let power = 1u64 << power;
        list.extend([power - 1, power, power + 1, power.wrapping_neg(), power.wrapping_neg() - 1]);
    }
    list.extend([
        10,
        1000,
        0x0100_0001,
        0xffff_ff80,
        0x0123_4567_89ab_cdef,
        // Just above halves of the last bits of both formats.
        0x8000_0080_0000_0001,
        0x8000_0000_0000_0401,
        0x0020_0000_0000_0001,
        0x7fff_ffbf_ffff_ffff,
    ]);
    let mut list: Vec<u64> = list.into_iter().map(|word| word & (u64::MAX >> (64 - bits))).collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// Every kind of number, and fractions at, below and above what rounds, for exponents where something
/// changes: subnormals, integers of each type, the halves of integers, the largest numbers.
fn floats(fraction: u32, exponent: u32) -> Vec<u64> {
    let bias = (1u64 << (exponent - 1)) - 1;
    let last = (1u64 << fraction) - 1;
    let half = 1u64 << (fraction - 1);
    let exact = bias + u64::from(fraction);
    let mut magnitudes = vec![0, 1, 2, 3, half, last, last - 1];
    for e in [1, 2, bias - 1, bias, bias + 1, exact - 1, exact, exact + 1, 2 * bias] {
        magnitudes.extend([0, 1, half, last].map(|f| e << fraction | f));
    }
    for e in [bias - u64::from(fraction) - 1, bias / 2, bias + 2, bias + 7, bias + 30, bias + 31, bias + 32] {
        magnitudes.extend([0, last].map(|f| e << fraction | f));
    }
    for e in [bias + 31, bias + 62, bias + 63, bias + 64] {
        magnitudes.extend([e << fraction, e << fraction | 1, (e << fraction) - 1]);
    }
    if fraction == 52 {
        // Around the least and greatest binary32 numbers and 32-bit integers.
        let list = [-150, -149, -127, -126, 127, 128];
        magnitudes.extend(list.map(|e: i64| bias.wrapping_add_signed(e) << fraction));
        magnitudes.extend([0x47ef_ffff_efff_ffff, 0x47ef_ffff_f000_0000, 0x380f_ffff_f000_0000, 0x3ff0_0000_1000_0000]);
        // Just above halves of the last bit of binary32.
        magnitudes.extend([0x3ff0_0000_1000_0001, 0x380f_ffff_f000_0001]);
        // The first estimate of their square root is too large.
        magnitudes.extend([0x3ff0_4c26_13bf_ffff, 0x3ff1_5e31_307f_ffff, 0x3ff3_8bb6_05ff_ffff]);
        magnitudes.extend([0x41e0_0000_001f_ffff, 0x41e0_0000_0020_0000, 0x41ef_ffff_ffe0_0000, 0x41ef_ffff_ffff_ffff]);
    }
    // Infinity; NaNs: signalling, canonical, and with payloads.
    let infinity = ((1u64 << exponent) - 1) << fraction;
    magnitudes.extend([infinity, infinity | 1, infinity | half, infinity | half | 5, infinity | last]);
    magnitudes.sort_unstable();
    magnitudes.dedup();
    let sign = 1u64 << (fraction + exponent);
    magnitudes.iter().flat_map(|magnitude| [*magnitude, *magnitude | sign]).collect()
}

/// A random operand: any bits, few significant bits, or a number near 1.
fn one(kind: Kind, random: &mut Random) -> u64 {
    let mask = u64::MAX >> (64 - bits(kind));
    let any = random.next() & mask;
    let Some((fraction, exponent)) = format(kind) else {
        return any >> random.below(u64::from(bits(kind)));
    };
    let bias = (1u64 << (exponent - 1)) - 1;
    match random.below(4) {
        0 => any,
        1 => short(any, fraction, random),
        2 => with_exponent(any, bias.wrapping_add(random.below(140)).wrapping_sub(70), (fraction, exponent)),
        _ => with_exponent(short(any, fraction, random), bias - 8 + random.below(16), (fraction, exponent)),
    }
}

/// A random operand to go with `a`: often one whose exponent is so near that significands overlap,
/// or far enough for the result to leave the range of normal numbers.
fn near(kind: Kind, a: u64, random: &mut Random) -> u64 {
    let b = one(kind, random);
    let Some((fraction, exponent)) = format(kind) else {
        // Divisors as long as the dividend.
        return if random.below(4) == 0 { a >> random.below(4) ^ random.below(8) } else { b };
    };
    let limit = (1u64 << exponent) - 1;
    let bias = limit / 2;
    let of_a = a >> fraction & limit;
    let offset = random.below(u64::from(2 * fraction + 8));
    match random.below(4) {
        0 => b,
        1 => with_exponent(
            b,
            (of_a + offset).saturating_sub(u64::from(fraction) + 4).min(limit - 1),
            (fraction, exponent),
        ),
        // The product is about the least normal number, or the quotient is.
        2 => with_exponent(b, (bias + offset).saturating_sub(of_a + u64::from(fraction)), (fraction, exponent)),
        _ => with_exponent(
            b,
            (of_a + bias + offset).saturating_sub(u64::from(fraction)).min(limit - 1),
            (fraction, exponent),
        ),
    }
}

fn with_exponent(bits: u64, e: u64, (fraction, exponent): (u32, u32)) -> u64 {
    let limit = (1u64 << exponent) - 1;
    bits & !(limit << fraction) | (e & limit) << fraction
}

/// Clears or sets a run of low bits of the fraction, so that sums, products and halves are ties.
fn short(bits: u64, fraction: u32, random: &mut Random) -> u64 {
    let low = (1u64 << random.below(u64::from(fraction) + 1)) - 1;
    if random.below(2) == 0 { bits & !low } else { bits | low }
}
