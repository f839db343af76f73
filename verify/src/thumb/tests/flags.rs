//! The flag records against the manual: `AddWithCarry` (D6.6.1) on integers, and conditions
//! computed from N, Z, C and V (A7.3), for all pairs of boundary values and a fixed random sample.

use super::plain::Plain;
use crate::thumb::inst::Cond;
use crate::thumb::sem::Flags;

/// Sum, N, Z, C, V.
fn add_with_carry(x: u32, y: u32, carry: bool) -> (u32, [bool; 4]) {
    let unsigned = u64::from(x) + u64::from(y) + u64::from(carry);
    let signed = i64::from(x as i32) + i64::from(y as i32) + i64::from(carry);
    let result = unsigned as u32;
    let flags = [result >> 31 == 1, result == 0, u64::from(result) != unsigned, i64::from(result as i32) != signed];
    (result, flags)
}

fn passes([n, z, c, v]: [bool; 4], cond: Cond) -> bool {
    let base = match cond as u8 >> 1 {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c && !z,
        5 => n == v,
        _ => n == v && !z,
    };
    if cond as u8 & 1 == 1 { !base } else { base }
}

fn values() -> Vec<u32> {
    let mut values = vec![
        0,
        1,
        2,
        3,
        0x7f,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        0x1_0000,
        0x7fff_fffe,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_fffe,
        0xffff_ffff,
    ];
    let mut random = 12345_u32;
    for _ in 0..15 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        values.push(random);
    }
    values
}

fn same(flags: &Flags<Plain>, expected: [bool; 4], what: &str) {
    let mut machine = Plain::new();
    for cond in Cond::ALL {
        assert_eq!(flags.condition(&mut machine, cond), passes(expected, cond), "{what}: {cond}");
    }
}

#[test]
fn one_sum_or_difference() {
    let mut machine = Plain::new();
    for a in values() {
        for b in values() {
            let (sum, bits) = add_with_carry(a, b, false);
            let (word, flags) = Flags::add(&mut machine, &a, &b, &false);
            assert_eq!(word, sum);
            same(&flags, bits, &format!("{a:x} + {b:x}"));

            let (difference, bits) = add_with_carry(a, !b, true);
            let (word, flags) = Flags::sub(&mut machine, &a, &b);
            assert_eq!(word, difference);
            same(&flags, bits, &format!("{a:x} - {b:x}"));
        }
    }
}

#[test]
fn sums_and_differences_with_any_carry() {
    let mut machine = Plain::new();
    for a in values() {
        for b in values() {
            for carry in [false, true] {
                let before = Flags::from_bits([a & 1 == 1, b & 1 == 1, carry, a & 2 == 2]);
                let (sum, bits) = add_with_carry(a, b, carry);
                let (word, flags) = Flags::add(&mut machine, &a, &b, &carry);
                assert_eq!(word, sum);
                same(&flags, bits, &format!("{a:x} + {b:x} + {carry}"));

                let (difference, bits) = add_with_carry(a, !b, carry);
                let (word, flags) = before.sub_carry(&mut machine, &a, &b);
                assert_eq!(word, difference);
                same(&flags, bits, &format!("{a:x} - {b:x} - !{carry}"));
            }
        }
    }
}

#[test]
fn pairs_of_words() {
    let mut machine = Plain::new();
    let lows = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    for (a_low, b_low) in lows.iter().flat_map(|a| lows.map(|b| (*a, b))) {
        for a in values() {
            for b in values() {
                let (_, [_, _, carry, _]) = add_with_carry(a_low, !b_low, true);
                let (high, bits) = add_with_carry(a, !b, carry);
                let (_, low) = Flags::sub(&mut machine, &a_low, &b_low);
                let (word, flags) = low.sub_carry(&mut machine, &a, &b);
                assert_eq!(word, high);
                same(&flags, bits, &format!("{a:x}:{a_low:x} - {b:x}:{b_low:x}"));

                // A third word: the pair no longer ends the difference.
                let (_, third_bits) = add_with_carry(a_low, !b, bits[2]);
                let (_, third) = flags.sub_carry(&mut machine, &a_low, &b);
                same(&third, third_bits, &format!("{a_low:x} - {b:x} after a pair"));

                let (_, [_, _, carry, _]) = add_with_carry(a_low, b_low, false);
                let (sum, bits) = add_with_carry(a, b, carry);
                let (_, low) = Flags::add(&mut machine, &a_low, &b_low, &false);
                let carried = low.carry(&mut machine);
                let (word, flags) = Flags::add(&mut machine, &a, &b, &carried);
                assert_eq!(word, sum);
                same(&flags, bits, &format!("{a:x}:{a_low:x} + {b:x}:{b_low:x}"));
            }
        }
    }
}

#[test]
fn either_of_two() {
    let mut machine = Plain::new();
    for a in values() {
        for b in values() {
            let (_, new) = Flags::sub(&mut machine, &a, &b);
            let (_, old) = Flags::add(&mut machine, &a, &b, &true);
            for condition in [false, true] {
                let merged = Flags::either(&mut machine, &condition, &new, &old);
                let (_, bits) = if condition { add_with_carry(a, !b, true) } else { add_with_carry(a, b, true) };
                same(&merged, bits, &format!("{a:x}, {b:x}, {condition}"));
            }
        }
    }
}

#[test]
fn logical_results() {
    for result in values() {
        for (c, v) in [(false, false), (false, true), (true, false), (true, true)] {
            let flags = Flags::Logic { result, c, v };
            same(&flags, [result >> 31 == 1, result == 0, c, v], &format!("{result:x}"));
        }
    }
}
