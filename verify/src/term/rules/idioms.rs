//! What machine code computes and what Wasm asks for, as pairs that the rules alone must bring to one
//! normal form, and near misses that must stay apart.

use super::super::node::Width;
use super::super::print::show;
use super::super::{Term32, Term64, TermBool, Terms};
use crate::domain::{Bin32, Bin64, Cmp, Domain, Un32, Un64};
use crate::float::{Float, Format, Relation};
use crate::thumb::flags::Flags;
use crate::thumb::inst::Cond;

fn same(t: &Terms, machine: Term32, source: Term32) {
    assert_eq!(machine.norm, source.norm, "\n{}\n{}", show(t.arena(), machine.norm), show(t.arena(), source.norm));
    assert_ne!(machine.raw, source.raw, "the pair shows nothing");
}

fn same_bool(t: &Terms, machine: TermBool, source: TermBool) {
    assert_eq!(machine.norm, source.norm, "\n{}\n{}", show(t.arena(), machine.norm), show(t.arena(), source.norm));
}

fn word(t: &mut Terms, value: u32) -> Term32 {
    t.w32(value)
}

fn bin(t: &mut Terms, op: Bin32, a: Term32, b: Term32) -> Term32 {
    t.bin32(op, &a, &b)
}

fn imm(t: &mut Terms, op: Bin32, a: Term32, b: u32) -> Term32 {
    let b = t.w32(b);
    t.bin32(op, &a, &b)
}

/// A register shift of the machine: by the low byte of the count.
fn shift(t: &mut Terms, op: Bin32, a: Term32, count: Term32) -> Term32 {
    let count = imm(t, Bin32::And, count, 255);
    t.bin32(op, &a, &count)
}

fn halves(t: &mut Terms, a: Term64) -> (Term32, Term32) {
    (t.high(&a), t.low(&a))
}

/// The machine's pair against a 64-bit operator of Wasm.
fn same_pair(t: &mut Terms, (high, low): (Term32, Term32), source: Term64) {
    let (source_high, source_low) = halves(t, source);
    same(t, low, source_low);
    same(t, high, source_high);
}

fn operands(t: &mut Terms) -> (Term64, Term64) {
    (t.fresh64("a"), t.fresh64("b"))
}

#[test]
fn sums_and_differences_of_pairs() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    let none = t.bool(false);
    let (low, flags) = Flags::add(&mut t, &al, &bl, &none);
    let carry = flags.carry(&mut t);
    let (high, _) = Flags::add(&mut t, &ah, &bh, &carry);
    let sum = t.bin64(Bin64::Add, &a, &b);
    same_pair(&mut t, (high, low), sum);
    let (low, flags) = Flags::sub(&mut t, &al, &bl);
    let (high, _) = flags.sub_carry(&mut t, &ah, &bh);
    let difference = t.bin64(Bin64::Sub, &a, &b);
    same_pair(&mut t, (high, low), difference);
}

#[test]
fn sums_with_a_negative_constant_are_differences() {
    let mut t = Terms::new();
    let a = t.fresh64("a");
    let (ah, al) = halves(&mut t, a);
    let (five, zero) = (word(&mut t, 5), word(&mut t, 0));
    let (low, flags) = Flags::sub(&mut t, &al, &five);
    let (high, _) = flags.sub_carry(&mut t, &ah, &zero);
    let minus_five = t.w64(5u64.wrapping_neg());
    let sum = t.bin64(Bin64::Add, &a, &minus_five);
    same_pair(&mut t, (high, low), sum);
}

#[test]
fn products_of_pairs() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    let (low, over) = (bin(&mut t, Bin32::Mul, bl, al), bin(&mut t, Bin32::MulHighU, bl, al));
    let (first, second) = (bin(&mut t, Bin32::Mul, ah, bl), bin(&mut t, Bin32::Mul, bh, al));
    let high = bin(&mut t, Bin32::Add, second, over);
    let high = bin(&mut t, Bin32::Add, first, high);
    let product = t.bin64(Bin64::Mul, &a, &b);
    same_pair(&mut t, (high, low), product);
}

#[test]
fn products_of_extended_words() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let zero = word(&mut t, 0);
    let (a, b) = (t.join(&zero, &x), t.join(&zero, &y));
    let product = t.bin64(Bin64::Mul, &a, &b);
    let (low, high) = (bin(&mut t, Bin32::Mul, y, x), bin(&mut t, Bin32::MulHighU, y, x));
    same_pair(&mut t, (high, low), product);
    let (a, b) = (t.un64(Un64::Sext32, &a), t.un64(Un64::Sext32, &b));
    let product = t.bin64(Bin64::Mul, &a, &b);
    let high = bin(&mut t, Bin32::MulHighS, y, x);
    same_pair(&mut t, (high, low), product);
}

#[test]
fn orders_of_pairs() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let constants = [0, 1, 5, 1 << 31, 1 << 32, 7 << 32, u64::MAX, 1 << 63, (1 << 63) - 1];
    let mut others: Vec<Term64> = constants.iter().map(|value| t.w64(*value)).collect();
    others.push(b);
    for other in others {
        let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, other));
        let (_, low) = Flags::sub(&mut t, &al, &bl);
        let (_, flags) = low.sub_carry(&mut t, &ah, &bh);
        for (cond, op) in [(Cond::Lo, Cmp::LtU), (Cond::Lt, Cmp::LtS)] {
            let (machine, source) = (flags.condition(&mut t, cond), t.cmp64(op, &a, &other));
            same_bool(&t, machine, source);
        }
    }
}

#[test]
fn a_borrow_is_a_carry_of_the_complement() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    let less = t.cmp32(Cmp::LtU, &al, &bl);
    let (no_borrow, not_bh) = (t.not(&less), imm(&mut t, Bin32::Xor, bh, u32::MAX));
    let carry = t.carry(&ah, &not_bh, &no_borrow);
    let (machine, source) = (t.not(&carry), t.cmp64(Cmp::LtU, &a, &b));
    same_bool(&t, machine, source);
}

#[test]
fn a_borrow_from_a_sum_is_the_carry_of_the_sum() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    // Signs of both kinds, so that neither `x` nor `!x` is visibly a complement.
    let x = bin(&mut t, Bin32::Sub, ah, al);
    let y = bin(&mut t, Bin32::Sub, bh, bl);
    let (sum, not_x) = (bin(&mut t, Bin32::Add, x, y), imm(&mut t, Bin32::Xor, x, u32::MAX));
    let (yes, no) = (t.bool(true), t.bool(false));
    let no_borrow = t.carry(&not_x, &sum, &yes);
    let (machine, source) = (t.not(&no_borrow), t.carry(&x, &y, &no));
    same_bool(&t, machine, source);
    let other = t.carry(&x, &y, &yes);
    assert_ne!(machine.norm, other.norm);
}

#[test]
fn a_positive_number_is_a_range() {
    let mut t = Terms::new();
    let (a, _) = operands(&mut t);
    let (x, _) = halves(&mut t, a);
    let (less, one) = (imm(&mut t, Bin32::Sub, x, 1), word(&mut t, 1));
    let (count, more) = (word(&mut t, 0x7fff_ffff), word(&mut t, 0x8000_0000));
    let below = t.cmp32(Cmp::LtS, &x, &one);
    let (machine, source) = (t.cmp32(Cmp::LtU, &less, &count), t.not(&below));
    same_bool(&t, machine, source);
    let other = t.cmp32(Cmp::LtU, &less, &more);
    assert_ne!(other.norm, source.norm);
}

#[test]
fn equal_words_borrow_nothing() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    let (one, none) = (word(&mut t, 1), word(&mut t, 0));
    let zero_difference = |t: &mut Terms, borrowing: Term32| {
        let (low, below) = (t.cmp32(Cmp::Eq, &al, &bl), t.cmp32(Cmp::LtU, &borrowing, &bl));
        let borrow = t.ite32(&below, &one, &none);
        let high = bin(t, Bin32::Sub, ah, borrow);
        let high = t.cmp32(Cmp::Eq, &high, &bh);
        t.and(&low, &high)
    };
    let (machine, other) = (zero_difference(&mut t, al), zero_difference(&mut t, ah));
    let source = t.cmp64(Cmp::Eq, &a, &b);
    same_bool(&t, machine, source);
    assert_ne!(other.norm, source.norm);
}

#[test]
fn a_complement_of_mixed_signs_turns_a_comparison_round() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, _)) = (halves(&mut t, a), halves(&mut t, b));
    let sum = bin(&mut t, Bin32::Add, ah, al);
    let x = bin(&mut t, Bin32::Sub, sum, bh);
    let not_x = imm(&mut t, Bin32::Xor, x, u32::MAX);
    let (limit, flipped, off) = (word(&mut t, 0x49), word(&mut t, !0x48), word(&mut t, !0x49));
    let above = t.cmp32(Cmp::LtU, &not_x, &flipped);
    let (machine, source) = (t.not(&above), t.cmp32(Cmp::LtU, &x, &limit));
    same_bool(&t, machine, source);
    let above = t.cmp32(Cmp::LtU, &not_x, &off);
    let other = t.not(&above);
    assert_ne!(other.norm, source.norm);
}

#[test]
fn equality_of_pairs_by_or() {
    let mut t = Terms::new();
    let (a, b) = operands(&mut t);
    let ((ah, al), (bh, bl)) = (halves(&mut t, a), halves(&mut t, b));
    let (low, high) = (bin(&mut t, Bin32::Xor, al, bl), bin(&mut t, Bin32::Xor, ah, bh));
    let both = bin(&mut t, Bin32::Or, low, high);
    let zero = word(&mut t, 0);
    let (machine, source) = (t.cmp32(Cmp::Eq, &both, &zero), t.cmp64(Cmp::Eq, &a, &b));
    same_bool(&t, machine, source);
}

#[test]
fn conditions_after_a_comparison() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let constants = [0, 1, 2, 5, 1 << 31, (1 << 31) - 1, 4u32.wrapping_neg(), u32::MAX];
    let mut others: Vec<Term32> = constants.iter().map(|value| t.w32(*value)).collect();
    others.push(y);
    for other in others {
        let (_, flags) = Flags::sub(&mut t, &x, &other);
        let pairs = [(Cond::Lo, Cmp::LtU), (Cond::Lt, Cmp::LtS), (Cond::Eq, Cmp::Eq)];
        for (cond, op) in pairs {
            let (machine, source) = (flags.condition(&mut t, cond), t.cmp32(op, &x, &other));
            same_bool(&t, machine, source);
        }
        for (cond, op) in [(Cond::Ls, Cmp::LtU), (Cond::Le, Cmp::LtS)] {
            let (less, equal) = (t.cmp32(op, &x, &other), t.cmp32(Cmp::Eq, &x, &other));
            let (machine, source) = (flags.condition(&mut t, cond), t.or(&less, &equal));
            same_bool(&t, machine, source);
        }
    }
}

#[test]
fn conditions_after_an_addition() {
    let mut t = Terms::new();
    let (x, none) = (t.fresh32("x"), t.bool(false));
    for k in [1u32, 5, 100, 0x4000_0000, 5u32.wrapping_neg(), 0xc000_0000, u32::MAX] {
        let (added, other) = (word(&mut t, k), word(&mut t, k.wrapping_neg()));
        let (_, flags) = Flags::add(&mut t, &x, &added, &none);
        for (cond, op) in [(Cond::Lo, Cmp::LtU), (Cond::Lt, Cmp::LtS), (Cond::Eq, Cmp::Eq)] {
            let (machine, source) = (flags.condition(&mut t, cond), t.cmp32(op, &x, &other));
            same_bool(&t, machine, source);
        }
    }
}

#[test]
fn shifts_of_pairs() {
    let mut t = Terms::new();
    let (a, count) = operands(&mut t);
    let ((h, l), (_, count_low)) = (halves(&mut t, a), halves(&mut t, count));
    let n = imm(&mut t, Bin32::And, count_low, 63);
    let thirty_two = word(&mut t, 32);
    let (over, under) = (imm(&mut t, Bin32::Sub, n, 32), bin(&mut t, Bin32::Sub, thirty_two, n));
    let across = |t: &mut Terms, (op, back), near, far| {
        let parts = [shift(t, op, near, n), shift(t, op, far, over), shift(t, back, far, under)];
        let some = bin(t, Bin32::Or, parts[0], parts[1]);
        bin(t, Bin32::Or, some, parts[2])
    };
    let (high, low) = (across(&mut t, (Bin32::Shl, Bin32::ShrU), h, l), shift(&mut t, Bin32::Shl, l, n));
    let source = t.bin64(Bin64::Shl, &a, &count);
    same_pair(&mut t, (high, low), source);
    let (low, high) = (across(&mut t, (Bin32::ShrU, Bin32::Shl), l, h), shift(&mut t, Bin32::ShrU, h, n));
    let source = t.bin64(Bin64::ShrU, &a, &count);
    same_pair(&mut t, (high, low), source);
    let (beyond, flags) = Flags::sub(&mut t, &n, &thirty_two);
    let (far, reached) = (shift(&mut t, Bin32::ShrS, h, beyond), flags.condition(&mut t, Cond::Hs));
    let zero = word(&mut t, 0);
    let far = t.ite32(&reached, &far, &zero);
    let (near, crossed) = (shift(&mut t, Bin32::ShrU, l, n), shift(&mut t, Bin32::Shl, h, under));
    let low = bin(&mut t, Bin32::Or, near, crossed);
    let (low, high) = (bin(&mut t, Bin32::Or, low, far), shift(&mut t, Bin32::ShrS, h, n));
    let source = t.bin64(Bin64::ShrS, &a, &count);
    same_pair(&mut t, (high, low), source);
}

#[test]
fn rotations_of_pairs() {
    let mut t = Terms::new();
    let (a, count) = operands(&mut t);
    let ((h, l), (_, n)) = (halves(&mut t, a), halves(&mut t, count));
    let (bit, zero, thirty_two) = (imm(&mut t, Bin32::And, n, 32), word(&mut t, 0), word(&mut t, 32));
    let equal = t.cmp32(Cmp::Eq, &bit, &zero);
    let swapped = t.not(&equal);
    let (first, second) = (t.ite32(&swapped, &h, &l), t.ite32(&swapped, &l, &h));
    let by = imm(&mut t, Bin32::And, n, 31);
    let rest = bin(&mut t, Bin32::Sub, thirty_two, by);
    let across = |t: &mut Terms, (op, back), near, far| {
        let (near, far) = (shift(t, op, near, by), shift(t, back, far, rest));
        bin(t, Bin32::Or, near, far)
    };
    for (source, ops) in [(Bin64::RotL, (Bin32::Shl, Bin32::ShrU)), (Bin64::RotR, (Bin32::ShrU, Bin32::Shl))] {
        let (low, high) = (across(&mut t, ops, first, second), across(&mut t, ops, second, first));
        let source = t.bin64(source, &a, &count);
        same_pair(&mut t, (high, low), source);
    }
}

#[test]
fn shifts_and_rotations_of_pairs_by_constants() {
    let mut t = Terms::new();
    let a = t.fresh64("a");
    let (h, l) = halves(&mut t, a);
    for k in [1u32, 7, 16, 31] {
        let funnel = |t: &mut Terms, near, far| {
            let (near, far) = (imm(t, Bin32::Shl, near, k), imm(t, Bin32::ShrU, far, 32 - k));
            bin(t, Bin32::Or, near, far)
        };
        let (count, high, low) = (t.w64(u64::from(k)), funnel(&mut t, h, l), imm(&mut t, Bin32::Shl, l, k));
        let source = t.bin64(Bin64::Shl, &a, &count);
        let (source_high, _) = halves(&mut t, source);
        same(&t, high, source_high);
        let (_, source_low) = halves(&mut t, source);
        assert_eq!(low.norm, source_low.norm);
        let (source, high, low) = (t.bin64(Bin64::RotL, &a, &count), funnel(&mut t, h, l), funnel(&mut t, l, h));
        same_pair(&mut t, (high, low), source);
        let back = t.w64(u64::from(64 - k));
        let source = t.bin64(Bin64::RotR, &a, &back);
        same_pair(&mut t, (high, low), source);
    }
}

#[test]
fn shift_counts_are_taken_modulo_32() {
    let mut t = Terms::new();
    let (x, n) = (t.fresh32("x"), t.fresh32("n"));
    let masked = imm(&mut t, Bin32::And, n, 31);
    for op in [Bin32::Shl, Bin32::ShrU, Bin32::ShrS] {
        let (machine, source) = (shift(&mut t, op, x, masked), bin(&mut t, op, x, masked));
        same(&t, machine, source);
        let unmasked = shift(&mut t, op, x, n);
        assert_ne!(unmasked.norm, source.norm);
    }
    let (zero, thirty_two) = (word(&mut t, 0), word(&mut t, 32));
    let (negated, rest) = (bin(&mut t, Bin32::Sub, zero, masked), bin(&mut t, Bin32::Sub, thirty_two, n));
    let (machine, source) = (shift(&mut t, Bin32::RotR, x, rest), bin(&mut t, Bin32::RotR, x, negated));
    same(&t, machine, source);
    // A count that is a remainder needs no mask.
    let ten = word(&mut t, 10);
    let quotient = bin(&mut t, Bin32::DivU, n, ten);
    let whole = bin(&mut t, Bin32::Mul, quotient, ten);
    let remainder = bin(&mut t, Bin32::Sub, n, whole);
    let masked = imm(&mut t, Bin32::And, remainder, 31);
    let (machine, source) = (shift(&mut t, Bin32::Shl, x, remainder), bin(&mut t, Bin32::Shl, x, masked));
    same(&t, machine, source);
}

#[test]
fn bit_fields_meet() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    // UXTB, UXTH, UBFX.
    for (width, low) in [(8, 0), (16, 0), (5, 3), (1, 30), (7, 25)] {
        let up = imm(&mut t, Bin32::Shl, x, 32 - width - low);
        let machine = imm(&mut t, Bin32::ShrU, up, 32 - width);
        let down = imm(&mut t, Bin32::ShrU, x, low);
        let source = imm(&mut t, Bin32::And, down, (1 << width) - 1);
        same(&t, machine, source);
        let masked = imm(&mut t, Bin32::And, x, ((1 << width) - 1) << low);
        let source = imm(&mut t, Bin32::ShrU, masked, low);
        same(&t, machine, source);
    }
    // BFI against masks and shifts.
    let (kept, put) = (imm(&mut t, Bin32::And, x, !0xff00), imm(&mut t, Bin32::And, y, 0xff));
    let put = imm(&mut t, Bin32::Shl, put, 8);
    let source = bin(&mut t, Bin32::Or, kept, put);
    let moved = imm(&mut t, Bin32::Shl, y, 8);
    let moved = imm(&mut t, Bin32::And, moved, 0xff00);
    let machine = bin(&mut t, Bin32::Add, moved, kept);
    same(&t, machine, source);
    // SXTB.
    let up = imm(&mut t, Bin32::Shl, x, 24);
    let (machine, source) = (t.un32(Un32::Sext8, &x), imm(&mut t, Bin32::ShrS, up, 24));
    same(&t, machine, source);
    // A mask as a difference, a remainder by a power of two.
    let (eight, seven) = (word(&mut t, 8), imm(&mut t, Bin32::And, x, 7));
    let quotient = bin(&mut t, Bin32::DivU, x, eight);
    let whole = bin(&mut t, Bin32::Mul, quotient, eight);
    let remainder = bin(&mut t, Bin32::Sub, x, whole);
    same(&t, remainder, seven);
}

#[test]
fn complements_meet() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let not_y = imm(&mut t, Bin32::Xor, y, u32::MAX);
    let (first, ones) = (bin(&mut t, Bin32::And, x, not_y), word(&mut t, u32::MAX));
    let other = bin(&mut t, Bin32::Sub, ones, y);
    let second = bin(&mut t, Bin32::And, other, x);
    same(&t, first, second);
    let either = bin(&mut t, Bin32::Or, first, y);
    let both = bin(&mut t, Bin32::Xor, x, y);
    assert_ne!(either.norm, both.norm);
    let not_x = imm(&mut t, Bin32::Xor, x, u32::MAX);
    let (exclusive, plain) = (bin(&mut t, Bin32::Xor, not_x, not_y), bin(&mut t, Bin32::Xor, y, x));
    same(&t, exclusive, plain);
}

#[test]
fn counting_bits() {
    let mut t = Terms::new();
    let a = t.fresh64("a");
    let (h, l) = halves(&mut t, a);
    let zero = word(&mut t, 0);
    let (near, far) = (t.un32(Un32::Clz, &h), t.un32(Un32::Clz, &l));
    let beyond = imm(&mut t, Bin32::Add, far, 32);
    let empty = t.cmp32(Cmp::Eq, &h, &zero);
    let machine = t.ite32(&empty, &beyond, &near);
    let source = t.un64(Un64::Clz, &a);
    same_pair(&mut t, (zero, machine), source);
    let five = imm(&mut t, Bin32::ShrU, far, 5);
    let (is_zero, one) = (t.cmp32(Cmp::Eq, &l, &zero), word(&mut t, 1));
    let source = t.ite32(&is_zero, &one, &zero);
    same(&t, five, source);
}

#[test]
fn remainders_by_multiply_and_subtract() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let quotient = bin(&mut t, Bin32::DivS, x, y);
    let (one, other) = (bin(&mut t, Bin32::Mul, quotient, y), bin(&mut t, Bin32::Mul, y, quotient));
    let (machine, source) = (bin(&mut t, Bin32::Sub, x, one), bin(&mut t, Bin32::Sub, x, other));
    same(&t, machine, source);
}

#[test]
fn bytes_and_words_in_memory() {
    let mut t = Terms::new();
    let (x, y, memory) = (t.fresh32("x"), t.fresh32("address"), t.fresh_mem("m"));
    let mut bytes = memory;
    for at in [2, 0, 3, 1] {
        let (address, byte) = (imm(&mut t, Bin32::Add, y, at), imm(&mut t, Bin32::ShrU, x, 8 * at));
        bytes = t.store(bytes, address, Width::Byte, byte);
    }
    let whole = t.store(memory, y, Width::Word, x);
    assert_eq!(bytes.norm, whole.norm);
    let wrong = imm(&mut t, Bin32::Add, y, 1);
    let moved = t.store(memory, wrong, Width::Word, x);
    assert_ne!(moved.norm, whole.norm);
    let loaded = t.load(bytes, y, Width::Word);
    same(&t, loaded, x);
    let mut joined = t.load(memory, y, Width::Byte);
    for at in 1..4 {
        let address = imm(&mut t, Bin32::Add, y, at);
        let byte = t.load(memory, address, Width::Byte);
        let byte = imm(&mut t, Bin32::Shl, byte, 8 * at);
        joined = bin(&mut t, Bin32::Or, joined, byte);
    }
    let word = t.load(memory, y, Width::Word);
    same(&t, joined, word);
    let (narrow, masked) = (t.load(memory, y, Width::Half), imm(&mut t, Bin32::And, word, 0xffff));
    same(&t, narrow, masked);
    let other = imm(&mut t, Bin32::Add, y, 4);
    let (stored, before) = (t.store(memory, y, Width::Word, x), t.load(memory, other, Width::Word));
    let after = t.load(stored, other, Width::Word);
    same(&t, after, before);
    let back = t.store(memory, y, Width::Word, word);
    assert_eq!(back.norm, memory.norm);
}

#[test]
fn later_stores_hide_earlier_ones() {
    let mut t = Terms::new();
    let (x, y, p, q) = (t.fresh32("x"), t.fresh32("y"), t.fresh32("p"), t.fresh32("q"));
    let memory = t.fresh_mem("m");
    let first = t.store(memory, p, Width::Word, x);
    let second = t.store(first, q, Width::Word, y);
    let third = t.store(second, p, Width::Word, y);
    let direct = t.store(memory, q, Width::Word, y);
    let direct = t.store(direct, p, Width::Word, y);
    assert_eq!(third.norm, direct.norm);
    assert_ne!(second.norm, direct.norm);
}

#[test]
fn truth_values_as_words() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (one, zero) = (word(&mut t, 1), word(&mut t, 0));
    let less = t.cmp32(Cmp::LtS, &x, &y);
    let flag = t.ite32(&less, &one, &zero);
    let again = t.cmp32(Cmp::Eq, &flag, &zero);
    let not = t.not(&less);
    same_bool(&t, again, not);
    let opposite = t.ite32(&again, &zero, &one);
    same(&t, opposite, flag);
    let negated = imm(&mut t, Bin32::Xor, flag, 1);
    let source = t.ite32(&less, &zero, &one);
    same(&t, negated, source);
}

#[test]
fn fields_of_sums_meet() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let three = word(&mut t, 3);
    let product = bin(&mut t, Bin32::Mul, x, three);
    let sum = bin(&mut t, Bin32::Add, product, y);
    for (left, right) in [(22, 22), (22, 24), (5, 9), (1, 1)] {
        let up = imm(&mut t, Bin32::Shl, sum, left);
        let machine = imm(&mut t, Bin32::ShrU, up, right);
        let down = imm(&mut t, Bin32::ShrU, sum, right - left);
        let source = imm(&mut t, Bin32::And, down, u32::MAX >> right);
        same(&t, machine, source);
        let wider = imm(&mut t, Bin32::And, down, u32::MAX >> (right - 1));
        assert_ne!(machine.norm, wider.norm);
    }
    // A bit that both shifts bring from the same place, and one that the sign fills.
    let (zeros, signs) = (imm(&mut t, Bin32::ShrU, x, 23), imm(&mut t, Bin32::ShrS, x, 23));
    let [plain, filled] = [zeros, signs].map(|moved| imm(&mut t, Bin32::And, moved, 0x1ff));
    same(&t, plain, filled);
    let [plain, filled] = [zeros, signs].map(|moved| imm(&mut t, Bin32::And, moved, 0x3ff));
    assert_ne!(plain.norm, filled.norm);
}

#[test]
fn conditions_know_each_other() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (ones, limit, zero) = (word(&mut t, u32::MAX), word(&mut t, 0xfffe_ffff), word(&mut t, 0));
    let fits = t.cmp32(Cmp::LtU, &x, &y);
    let grown = t.ite32(&fits, &ones, &x);
    let below = t.cmp32(Cmp::LtS, &grown, &limit);
    let both = t.ite_bool(&fits, &below, &fits);
    let never = t.cmp32(Cmp::LtU, &zero, &zero);
    assert_eq!(both.norm, never.norm);
    // A choice in a sum: what is left is said of the other branch alone.
    let (lifted, least) = (imm(&mut t, Bin32::Add, grown, 0x1_0001), zero);
    let machine = t.cmp32(Cmp::LtS, &lifted, &least);
    let plain = imm(&mut t, Bin32::Add, x, 0x1_0001);
    let rest = t.cmp32(Cmp::LtS, &plain, &least);
    let source = t.ite_bool(&fits, &never, &rest);
    same_bool(&t, machine, source);
    let crossed = t.ite_bool(&fits, &rest, &never);
    assert_ne!(machine.norm, crossed.norm);
    let misses = t.not(&fits);
    let other = t.ite_bool(&misses, &below, &fits);
    assert_ne!(other.norm, never.norm);
}

/// The flags of a comparison of floats, as words, are what Wasm's comparisons give; a near miss is the order that
/// says something else of a NaN.
#[test]
fn conditions_after_a_comparison_of_floats() {
    let mut t = Terms::new();
    let (a, b) = (t.fresh32("a"), t.fresh32("b"));
    let flags = Flags::Float { a: vec![a], b: vec![b] };
    let said = |t: &mut Terms, relation, a, b| t.float(Float::Compare(relation, Format::F32), &[a, b])[0];
    let pairs = [
        (Cond::Eq, Relation::Eq, (a, b)),
        (Cond::Ne, Relation::Ne, (a, b)),
        (Cond::Mi, Relation::Lt, (a, b)),
        (Cond::Ls, Relation::Le, (a, b)),
        (Cond::Gt, Relation::Lt, (b, a)),
        (Cond::Ge, Relation::Le, (b, a)),
    ];
    let (one, zero) = (t.w32(1), t.w32(0));
    for (cond, relation, (x, y)) in pairs {
        let holds = flags.condition(&mut t, cond);
        let machine = t.ite32(&holds, &one, &zero);
        let source = said(&mut t, relation, x, y);
        assert_eq!(machine.norm, source.norm, "{cond}");
    }
    for (cond, relation) in [(Cond::Lt, Relation::Lt), (Cond::Le, Relation::Le), (Cond::Hs, Relation::Le)] {
        let holds = flags.condition(&mut t, cond);
        let machine = t.ite32(&holds, &one, &zero);
        let source = said(&mut t, relation, a, b);
        assert_ne!(machine.norm, source.norm, "{cond} holds of a NaN");
    }
}
