//! 64-bit operators, each pushed to the halves.
//!
//! `h:l` is the word of high half `h` and low half `l`. The forms are those that 32-bit machine code
//! computes, so that it meets them without a solver.

use super::super::Terms;
use super::super::node::{Id, Node};
use super::super::value;
use super::make::Field;
use super::{Rule, rules};
use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};

/// 64-bit operators.
pub(super) const WIDE: &[Rule] = rules![
    const64,
    high_of_join,
    low_of_join,
    clz64,
    ctz64,
    popcnt64,
    sext8_64,
    sext16_64,
    sext32_64,
    add64,
    sub64,
    mul64,
    bits64,
    shl64_constant,
    shl64,
    shr_u64_constant,
    shr_u64,
    shr_s64_constant,
    shr_s64,
    rot_l64,
    rot_r64,
    divide64_constants,
    divide64_by_power,
    divide64,
    eq64,
    lt_u64,
    lt_s64,
];

type Halves = (Id, Id);

/// The halves of both operands of an operator.
fn of(t: &Terms, op: Bin64, node: &Node) -> Option<(Halves, Halves)> {
    match *node {
        Node::Bin64(own, a, b) if own == op => Some((t.halves(a)?, t.halves(b)?)),
        _ => None,
    }
}

fn one(t: &Terms, op: Un64, node: &Node) -> Option<Halves> {
    match *node {
        Node::Un64(own, a) if own == op => t.halves(a),
        _ => None,
    }
}

fn compared(t: &Terms, op: Cmp, node: &Node) -> Option<(Halves, Halves)> {
    match *node {
        Node::Cmp64(own, a, b) if own == op => Some((t.halves(a)?, t.halves(b)?)),
        _ => None,
    }
}

/// `h:l`
fn pair(t: &mut Terms, high: Id, low: Id) -> Option<Id> {
    Some(t.build(Node::Join(high, low)))
}

/// `0:l`
fn small(t: &mut Terms, low: Id) -> Option<Id> {
    let zero = t.word(0);
    pair(t, zero, low)
}

/// `k = (k >> 32):(k & (2^32 - 1))`
fn const64(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Const64(value) = *node else {
        return None;
    };
    let (high, low) = (t.word((value >> 32) as u32), t.word(value as u32));
    pair(t, high, low)
}

/// `high(h:l) = h`
fn high_of_join(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::High(a) = *node else { return None };
    Some(t.halves(a)?.0)
}

/// `low(h:l) = l`
fn low_of_join(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Low(a) = *node else { return None };
    Some(t.halves(a)?.1)
}

/// `clz(h:l) = 0:ite(h = 0, clz(l) + 32, clz(h))`
fn clz64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (high, low) = one(t, Un64::Clz, node)?;
    let count = leading_zeros(t, high, low);
    small(t, count)
}

fn leading_zeros(t: &mut Terms, high: Id, low: Id) -> Id {
    let empty = t.is_zero(high);
    let (of_low, of_high) = (t.un(Un32::Clz, low), t.un(Un32::Clz, high));
    let of_low = t.sum(&[(of_low, 1)], 32);
    t.choose(empty, of_low, of_high)
}

/// `ctz(h:l) = 0:ite(l = 0, clz(rbit(h)) + 32, clz(rbit(l)))`
fn ctz64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (high, low) = one(t, Un64::Ctz, node)?;
    let empty = t.is_zero(low);
    let (reversed_high, reversed_low) = (t.un(Un32::Rbit, high), t.un(Un32::Rbit, low));
    let (of_high, of_low) = (t.un(Un32::Clz, reversed_high), t.un(Un32::Clz, reversed_low));
    let of_high = t.sum(&[(of_high, 1)], 32);
    let count = t.choose(empty, of_high, of_low);
    small(t, count)
}

/// `popcnt(h:l) = 0:(popcnt(h) + popcnt(l))`
fn popcnt64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (high, low) = one(t, Un64::Popcnt, node)?;
    let (high, low) = (t.un(Un32::Popcnt, high), t.un(Un32::Popcnt, low));
    let count = t.sum(&[(high, 1), (low, 1)], 0);
    small(t, count)
}

fn extended(t: &mut Terms, low: Id) -> Option<Id> {
    let high = t.shr_s(low, 31);
    pair(t, high, low)
}

/// `sext8(h:l) = (sext8(l) >>s 31):sext8(l)`
fn sext8_64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (_, low) = one(t, Un64::Sext8, node)?;
    let low = t.un(Un32::Sext8, low);
    extended(t, low)
}

/// `sext16(h:l) = (sext16(l) >>s 31):sext16(l)`
fn sext16_64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (_, low) = one(t, Un64::Sext16, node)?;
    let low = t.un(Un32::Sext16, low);
    extended(t, low)
}

/// `sext32(h:l) = (l >>s 31):l`
fn sext32_64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (_, low) = one(t, Un64::Sext32, node)?;
    extended(t, low)
}

/// `h:l + j:k = (h + j + carry(l, k, 0)):(l + k)`
fn add64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high_a, low_a), (high_b, low_b)) = of(t, Bin64::Add, node)?;
    let none = t.truth(false);
    let carry = t.carry_of(low_a, low_b, none);
    let carry = t.flag(carry);
    let low = t.sum(&[(low_a, 1), (low_b, 1)], 0);
    let high = t.sum(&[(high_a, 1), (high_b, 1), (carry, 1)], 0);
    pair(t, high, low)
}

/// `h:l - j:k = (h - j - ite(l <u k, 1, 0)):(l - k)`
fn sub64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high_a, low_a), (high_b, low_b)) = of(t, Bin64::Sub, node)?;
    let borrow = t.cmp(Cmp::LtU, low_a, low_b);
    let borrow = t.flag(borrow);
    let low = t.sub(low_a, low_b);
    let high = t.sum(&[(high_a, 1), (high_b, u32::MAX), (borrow, u32::MAX)], 0);
    pair(t, high, low)
}

/// `h:l * j:k = (mulhu(l, k) + h*k + l*j):(l*k)`
fn mul64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high_a, low_a), (high_b, low_b)) = of(t, Bin64::Mul, node)?;
    let low = t.bin(Bin32::Mul, low_a, low_b);
    let over = t.bin(Bin32::MulHighU, low_a, low_b);
    let (cross_a, cross_b) = (t.bin(Bin32::Mul, high_a, low_b), t.bin(Bin32::Mul, low_a, high_b));
    let high = t.sum(&[(over, 1), (cross_a, 1), (cross_b, 1)], 0);
    pair(t, high, low)
}

/// A quotient or remainder, with its operands.
fn division(node: &Node) -> Option<(Bin64, Id, Id)> {
    match *node {
        Node::Bin64(op @ (Bin64::DivU | Bin64::DivS | Bin64::RemU | Bin64::RemS), a, b) => Some((op, a, b)),
        _ => None,
    }
}

/// A 64-bit word that is a constant.
fn constant64(t: &Terms, id: Id) -> Option<u64> {
    let (high, low) = t.halves(id)?;
    Some(u64::from(t.constant(high)?) << 32 | u64::from(t.constant(low)?))
}

/// `k / m`, `k % m`
fn divide64_constants(t: &mut Terms, node: &Node) -> Option<Id> {
    let (op, a, b) = division(node)?;
    let value = value::bin64(op, constant64(t, a)?, constant64(t, b)?);
    let (high, low) = (t.word((value >> 32) as u32), t.word(value as u32));
    pair(t, high, low)
}

/// `x /u 2^k = x >>u k`, `x %u 2^k = x & (2^k - 1)`
fn divide64_by_power(t: &mut Terms, node: &Node) -> Option<Id> {
    let (op, a, b) = division(node)?;
    let power = constant64(t, b).filter(|power| power.is_power_of_two())?;
    let quotient = (op == Bin64::DivU).then(|| (u64::from(power.trailing_zeros()), Bin64::ShrU));
    let remainder = (op == Bin64::RemU).then_some((power - 1, Bin64::And));
    let (by, shifts) = quotient.or(remainder)?;
    let (high, low) = (t.word((by >> 32) as u32), t.word(by as u32));
    let by = pair(t, high, low)?;
    Some(t.build(Node::Bin64(shifts, a, by)))
}

/// `q = high(q):low(q)` for a quotient or remainder `q`
fn divide64(t: &mut Terms, node: &Node) -> Option<Id> {
    division(node)?;
    let whole = t.keep(node.clone());
    let (high, low) = (t.keep(Node::High(whole)), t.keep(Node::Low(whole)));
    pair(t, high, low)
}

/// `h:l op j:k = (h op j):(l op k)` for `&`, `|`, `^`
fn bits64(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Bin64(op, a, b) = *node else {
        return None;
    };
    let op = match op {
        Bin64::And => Bin32::And,
        Bin64::Or => Bin32::Or,
        Bin64::Xor => Bin32::Xor,
        Bin64::Add
        | Bin64::Sub
        | Bin64::Mul
        | Bin64::Shl
        | Bin64::ShrU
        | Bin64::ShrS
        | Bin64::RotL
        | Bin64::RotR
        | Bin64::DivU
        | Bin64::DivS
        | Bin64::RemU
        | Bin64::RemS => return None,
    };
    let ((high_a, low_a), (high_b, low_b)) = (t.halves(a)?, t.halves(b)?);
    let (high, low) = (t.bin(op, high_a, high_b), t.bin(op, low_a, low_b));
    pair(t, high, low)
}

/// A constant count modulo 64.
fn constant_count(t: &Terms, low: Id) -> Option<u32> {
    Some(t.constant(low)? % 64)
}

/// `(a << k) | (b >> (32 - k))` for a constant `k` below 32.
fn funnel(t: &mut Terms, a: Id, b: Id, count: u32) -> Id {
    if count == 0 {
        return a;
    }
    let (up, down) = (t.shl(a, count), t.shr_u(b, 32 - count));
    t.bin(Bin32::Or, up, down)
}

/// `h:l << k = (h << k | l >> (32 - k)):(l << k)`, `(l << (k - 32)):0` from 32, `k` constant
fn shl64_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::Shl, node)?;
    let count = constant_count(t, count)?;
    if count >= 32 {
        let (high, zero) = (t.shl(low, count - 32), t.word(0));
        return pair(t, high, zero);
    }
    let (high, low) = (funnel(t, high, low, count), t.shl(low, count));
    pair(t, high, low)
}

/// `h:l >> k = (h >> k):(h << (32 - k) | l >> k)`, `0:(h >> (k - 32))` from 32, `k` constant
fn shr_u64_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::ShrU, node)?;
    let count = constant_count(t, count)?;
    if count >= 32 {
        let low = t.shr_u(high, count - 32);
        return small(t, low);
    }
    let low = if count == 0 { low } else { funnel(t, high, low, 32 - count) };
    let high = t.shr_u(high, count);
    pair(t, high, low)
}

/// `h:l >>s k = (h >>s k):(h << (32 - k) | l >> k)`, `(h >>s 31):(h >>s (k - 32))` from 32, `k` constant
fn shr_s64_constant(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::ShrS, node)?;
    let count = constant_count(t, count)?;
    if count >= 32 {
        let (sign, low) = (t.shr_s(high, 31), t.shr_s(high, count - 32));
        return pair(t, sign, low);
    }
    let low = if count == 0 { low } else { funnel(t, high, low, 32 - count) };
    let high = t.shr_s(high, count);
    pair(t, high, low)
}

/// Counts of the three shifts of a 64-bit shift by `n`: `n & 63`, `(n - 32) & 255`, `(32 - n) & 255`.
fn counts(t: &mut Terms, count: Id) -> (Id, Id, Id) {
    let n = t.masked(count, 63);
    let (over, under) = (t.sum(&[(n, 1)], 32u32.wrapping_neg()), t.sum(&[(n, u32::MAX)], 32));
    (n, t.masked(over, 255), t.masked(under, 255))
}

/// `h:l << c = (h << n | l << (n - 32 & 255) | l >> (32 - n & 255)):(l << n)`, `n = c & 63`
fn shl64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::Shl, node)?;
    let (n, over, under) = counts(t, count);
    let parts = [t.bin(Bin32::Shl, high, n), t.bin(Bin32::Shl, low, over), t.bin(Bin32::ShrU, low, under)];
    let low = t.bin(Bin32::Shl, low, n);
    let high = t.bin(Bin32::Or, parts[0], parts[1]);
    let high = t.bin(Bin32::Or, high, parts[2]);
    pair(t, high, low)
}

/// `h:l >> c = (h >> n):(l >> n | h >> (n - 32 & 255) | h << (32 - n & 255))`, `n = c & 63`
fn shr_u64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::ShrU, node)?;
    let (n, over, under) = counts(t, count);
    let parts = [t.bin(Bin32::ShrU, low, n), t.bin(Bin32::ShrU, high, over), t.bin(Bin32::Shl, high, under)];
    let high = t.bin(Bin32::ShrU, high, n);
    let low = t.bin(Bin32::Or, parts[0], parts[1]);
    let low = t.bin(Bin32::Or, low, parts[2]);
    pair(t, high, low)
}

/// `h:l >>s c = (h >>s n):(l >> n | h << (32 - n & 255) | ite(n <u 32, 0, h >>s (n - 32 & 255)))`, `n = c & 63`
fn shr_s64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::ShrS, node)?;
    let (n, over, under) = counts(t, count);
    let (near, zero) = (t.cmp_const(Cmp::LtU, n, 32), t.word(0));
    let signs = t.bin(Bin32::ShrS, high, over);
    let signs = t.choose(near, zero, signs);
    let parts = [t.bin(Bin32::ShrU, low, n), t.bin(Bin32::Shl, high, under)];
    let high = t.bin(Bin32::ShrS, high, n);
    let low = t.bin(Bin32::Or, parts[0], parts[1]);
    let low = t.bin(Bin32::Or, low, signs);
    pair(t, high, low)
}

/// The count of a rotation modulo 32, 32 minus it, and whether it has bit 5.
fn rotation(t: &mut Terms, count: Id) -> (Id, Id, Id) {
    let m = t.masked(count, 31);
    let back = t.sum(&[(m, u32::MAX)], 32);
    let half = t.of_field(Field { source: count, distance: -5, mask: 1, factor: 1 });
    let half = t.is_zero(half);
    (m, back, t.negation(half))
}

/// `rotl(h:l, n) = (j << m | k >> (32 - m)):(k << m | j >> (32 - m))`, `m = n & 31`, and `j:k` is `l:h` if
/// `n & 32` is not 0, else `h:l`
fn rot_l64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::RotL, node)?;
    let (m, back, swapped) = rotation(t, count);
    let (j, k) = (t.choose(swapped, low, high), t.choose(swapped, high, low));
    let (up_j, up_k) = (t.bin(Bin32::Shl, j, m), t.bin(Bin32::Shl, k, m));
    let (down_j, down_k) = (t.bin(Bin32::ShrU, j, back), t.bin(Bin32::ShrU, k, back));
    let (high, low) = (t.bin(Bin32::Or, up_j, down_k), t.bin(Bin32::Or, up_k, down_j));
    pair(t, high, low)
}

/// `rotr(h:l, n) = (j >> m | k << (32 - m)):(k >> m | j << (32 - m))`, with `m`, `j` and `k` as for `rotl`
fn rot_r64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high, low), (_, count)) = of(t, Bin64::RotR, node)?;
    let (m, back, swapped) = rotation(t, count);
    let (j, k) = (t.choose(swapped, low, high), t.choose(swapped, high, low));
    let (down_j, down_k) = (t.bin(Bin32::ShrU, j, m), t.bin(Bin32::ShrU, k, m));
    let (up_j, up_k) = (t.bin(Bin32::Shl, j, back), t.bin(Bin32::Shl, k, back));
    let (high, low) = (t.bin(Bin32::Or, down_j, up_k), t.bin(Bin32::Or, down_k, up_j));
    pair(t, high, low)
}

/// `h:l = j:k` is `h = j and l = k`
fn eq64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high_a, low_a), (high_b, low_b)) = compared(t, Cmp::Eq, node)?;
    let (high, low) = (t.eq(high_a, high_b), t.eq(low_a, low_b));
    Some(t.both(high, low))
}

/// `h:l <u j:k` is `not carry(h, !j, not l <u k)`
fn lt_u64(t: &mut Terms, node: &Node) -> Option<Id> {
    let (a, b) = compared(t, Cmp::LtU, node)?;
    Some(no_carry(t, a, b))
}

fn no_carry(t: &mut Terms, (high_a, low_a): Halves, (high_b, low_b): Halves) -> Id {
    let borrow = t.cmp(Cmp::LtU, low_a, low_b);
    let (carry_in, inverted) = (t.negation(borrow), t.complement(high_b));
    let carry = t.carry_of(high_a, inverted, carry_in);
    t.negation(carry)
}

/// `h:l <s j:k` is `h + 2^31:l <u j + 2^31:k`
fn lt_s64(t: &mut Terms, node: &Node) -> Option<Id> {
    let ((high_a, low_a), (high_b, low_b)) = compared(t, Cmp::LtS, node)?;
    let (high_a, high_b) = (t.sum(&[(high_a, 1)], 1 << 31), t.sum(&[(high_b, 1)], 1 << 31));
    Some(no_carry(t, (high_a, low_a), (high_b, low_b)))
}
