//! 128-bit sums, differences and products (wide-arithmetic proposal): the low halves are those of the
//! 64-bit operators, the high halves are made by words, with the carries that a processor would pass on.

use crate::domain::{Bin32, Bin64, Cmp, Domain};

use super::op::Wide;

/// The low and the high half of what an operator makes. A 128-bit operand is its low and its high half.
pub fn run<D: Domain>(d: &mut D, op: Wide, operands: &[D::W64]) -> [D::W64; 2] {
    match (op, operands) {
        (Wide::Add, [a_low, a_high, b_low, b_high]) => {
            let high = high_of_sum(d, [a_low, a_high], [b_low, b_high]);
            [d.bin64(Bin64::Add, a_low, b_low), high]
        }
        (Wide::Sub, [a_low, a_high, b_low, b_high]) => {
            let high = high_of_difference(d, [a_low, a_high], [b_low, b_high]);
            [d.bin64(Bin64::Sub, a_low, b_low), high]
        }
        (Wide::MulU, [a, b]) => [d.bin64(Bin64::Mul, a, b), high_of_product(d, a, b)],
        (Wide::MulS, [a, b]) => [d.bin64(Bin64::Mul, a, b), high_of_signed_product(d, a, b)],
        (Wide::Add | Wide::Sub | Wide::MulU | Wide::MulS, _) => {
            unreachable!("the operator has another number of operands")
        }
    }
}

/// The low and the high word of each half.
type Words<D> = [<D as Domain>::W32; 2];

fn words<D: Domain>(d: &mut D, half: &D::W64) -> Words<D> {
    [d.low(half), d.high(half)]
}

fn word<D: Domain>(d: &mut D, truth: &D::Bool) -> D::W32 {
    let (one, zero) = (d.w32(1), d.w32(0));
    d.ite32(truth, &one, &zero)
}

/// `a + b + carry`, and its carry.
fn add<D: Domain>(d: &mut D, a: &D::W32, b: &D::W32, carry: &D::Bool) -> (D::W32, D::Bool) {
    let sum = d.bin32(Bin32::Add, a, b);
    let carried = word(d, carry);
    (d.bin32(Bin32::Add, &sum, &carried), d.carry(a, b, carry))
}

/// Bits 127:64 of a sum.
fn high_of_sum<D: Domain>(d: &mut D, [a_low, a_high]: [&D::W64; 2], [b_low, b_high]: [&D::W64; 2]) -> D::W64 {
    let mut carry = d.bool(false);
    for (a, b) in words(d, a_low).iter().zip(&words(d, b_low)) {
        carry = d.carry(a, b, &carry);
    }
    let ([a_low, a_high], [b_low, b_high]) = (words(d, a_high), words(d, b_high));
    let (low, carry) = add(d, &a_low, &b_low, &carry);
    let (high, _) = add(d, &a_high, &b_high, &carry);
    d.join(&high, &low)
}

/// Bits 127:64 of a difference.
fn high_of_difference<D: Domain>(d: &mut D, [a_low, a_high]: [&D::W64; 2], [b_low, b_high]: [&D::W64; 2]) -> D::W64 {
    let borrow = d.cmp64(Cmp::LtU, a_low, b_low);
    let carry = d.not(&borrow);
    let ([a_low, a_high], [b_low, b_high]) = (words(d, a_high), words(d, b_high));
    let low = subtract(d, &a_low, &b_low, &carry);
    let ones = d.w32(u32::MAX);
    let complement = d.bin32(Bin32::Xor, &b_low, &ones);
    let carry = d.carry(&a_low, &complement, &carry);
    let high = subtract(d, &a_high, &b_high, &carry);
    d.join(&high, &low)
}

/// `a - b - !carry`.
fn subtract<D: Domain>(d: &mut D, a: &D::W32, b: &D::W32, carry: &D::Bool) -> D::W32 {
    let difference = d.bin32(Bin32::Sub, a, b);
    let borrows = d.not(carry);
    let borrow = word(d, &borrows);
    d.bin32(Bin32::Sub, &difference, &borrow)
}

/// Bits 127:64 of the product of two unsigned numbers.
fn high_of_product<D: Domain>(d: &mut D, a: &D::W64, b: &D::W64) -> D::W64 {
    let ([a_low, a_high], [b_low, b_high]) = (words(d, a), words(d, b));
    let zero = d.w32(0);
    let first = d.bin32(Bin32::MulHighU, &a_low, &b_low);
    let (middle, crossed) = add_product(d, [&first, &zero], &a_high, &b_low);
    let (_, other) = add_product(d, [&middle, &zero], &a_low, &b_high);
    let (low, high) = add_product(d, [&crossed, &zero], &a_high, &b_high);
    let never = d.bool(false);
    let (low, carry) = add(d, &low, &other, &never);
    let (high, _) = add(d, &high, &zero, &carry);
    d.join(&high, &low)
}

/// The low and the high word of `high:low + a * b`.
fn add_product<D: Domain>(d: &mut D, [low, high]: [&D::W32; 2], a: &D::W32, b: &D::W32) -> (D::W32, D::W32) {
    let never = d.bool(false);
    let (product_low, product_high) = (d.bin32(Bin32::Mul, a, b), d.bin32(Bin32::MulHighU, a, b));
    let (low, carry) = add(d, low, &product_low, &never);
    (low, add(d, high, &product_high, &carry).0)
}

/// Bits 127:64 of the product of two signed numbers: each factor that is negative stands for 2^64 less.
fn high_of_signed_product<D: Domain>(d: &mut D, a: &D::W64, b: &D::W64) -> D::W64 {
    let mut high = high_of_product(d, a, b);
    for (sign, factor) in [(a, b), (b, a)] {
        let top = d.high(sign);
        let by = d.w32(31);
        let mask = d.bin32(Bin32::ShrS, &top, &by);
        let [low_word, high_word] = words(d, factor);
        let less_low = d.bin32(Bin32::And, &low_word, &mask);
        let less_high = d.bin32(Bin32::And, &high_word, &mask);
        let [low, top] = words(d, &high);
        let borrow = d.cmp32(Cmp::LtU, &low, &less_low);
        let low = d.bin32(Bin32::Sub, &low, &less_low);
        let carry = d.not(&borrow);
        let top = subtract(d, &top, &less_high, &carry);
        high = d.join(&top, &low);
    }
    high
}
