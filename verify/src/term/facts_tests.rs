//! Facts against the evaluator, and what they must and must not decide.

use super::eval::{Assignment, Evaluator, mix};
use super::node::{Bounds, Width};
use super::print::show;
use super::prove::{By, Outcome, Prover};
use super::rules::tests::{Generator, agree};
use super::{Facts, Term32, TermBool, Terms};
use crate::domain::{Bin32, Cmp, Domain};

#[test]
fn conclusions_hold_where_the_facts_hold() {
    let mut decided = 0;
    for round in 0..1500 {
        let mut generator = Generator::new(4_000_000 + round);
        let assignment = Assignment { seed: mix(round, &[9]), ..Assignment::default() };
        for _ in 0..20 {
            generator.step();
        }
        let mut facts = Facts::new();
        for _ in 0..4 {
            let condition = generator.new_bool();
            let value = Evaluator::new(generator.terms.arena(), &assignment).bool(condition.raw);
            facts.assume(&mut generator.terms, condition, value);
        }
        assert!(!facts.is_contradictory());
        for _ in 0..20 {
            let (condition, word) = (generator.new_bool(), generator.new_word());
            let (_, other) = generator.step();
            let terms = &mut generator.terms;
            let (decision, range) = (facts.decide(terms, condition), facts.range_of(terms, word));
            let simple = [facts.simplified(terms, word.norm), facts.simplified(terms, condition.norm)];
            let simple_other = facts.simplified(terms, other);
            let mut evaluator = Evaluator::new(terms.arena(), &assignment);
            if let Some(decision) = decision {
                decided += 1;
                assert_eq!(decision, evaluator.bool(condition.raw), "{}", show(terms.arena(), condition.norm));
            }
            let value = evaluator.w32(word.raw);
            assert!((range.low..=range.high).contains(&value), "{}", show(terms.arena(), word.norm));
            assert!(value & range.zeros == 0 && value & range.ones == range.ones);
            assert_eq!(evaluator.w32(simple[0]), value, "{}", show(terms.arena(), word.norm));
            assert_eq!(evaluator.bool(simple[1]), evaluator.bool(condition.raw));
            assert!(agree(&mut evaluator, terms.arena().sort(other), other, simple_other));
        }
    }
    assert!(decided > 1000, "only {decided} decided");
}

/// Terms `x`, `y` and a memory length `l` of at least one page.
fn scene() -> (Terms, [Term32; 3]) {
    let mut terms = Terms::new();
    let length = Bounds { low: 0x1_0000, high: 0x10_0000, align_log2: 16 };
    let words = [terms.fresh32("x"), terms.fresh32("y"), terms.fresh32_within("length", length)];
    (terms, words)
}

fn less(terms: &mut Terms, op: Cmp, a: Term32, b: Term32) -> TermBool {
    terms.cmp32(op, &a, &b)
}

fn plus(terms: &mut Terms, a: Term32, k: u32) -> Term32 {
    let k = terms.w32(k);
    terms.bin32(Bin32::Add, &a, &k)
}

#[test]
fn a_bounds_check_bounds_the_access() {
    let (mut terms, [x, _, length]) = scene();
    // x <= length - 4
    let limit = plus(&mut terms, length, 4u32.wrapping_neg());
    let out = less(&mut terms, Cmp::LtU, limit, x);
    let mut facts = Facts::new();
    facts.assume(&mut terms, out, false);
    assert_eq!(facts.interval(&terms, x), (0, 0x10_0000 - 4));
    let end = plus(&mut terms, x, 4);
    let over = less(&mut terms, Cmp::LtU, length, end);
    assert_eq!(facts.decide(&mut terms, over), Some(false));
    let end = plus(&mut terms, x, 5);
    let over = less(&mut terms, Cmp::LtU, length, end);
    assert_eq!(facts.decide(&mut terms, over), None);
}

#[test]
fn orders_are_followed_through_a_third_word() {
    let (mut terms, [x, y, length]) = scene();
    let (first, second) = (less(&mut terms, Cmp::LtU, x, y), less(&mut terms, Cmp::LtU, y, length));
    let mut facts = Facts::new();
    facts.assume(&mut terms, first, true);
    let goal = less(&mut terms, Cmp::LtU, x, length);
    assert_eq!(facts.decide(&mut terms, goal), None);
    let before = facts.clone();
    facts.assume(&mut terms, second, true);
    assert_eq!(facts.decide(&mut terms, goal), Some(true));
    assert_eq!(before.decide(&mut terms, goal), None, "a fact of one fork was used in its sibling");
    let next = plus(&mut terms, x, 1);
    let goal = less(&mut terms, Cmp::LtU, next, length);
    assert_eq!(facts.decide(&mut terms, goal), Some(true));
    let next = plus(&mut terms, x, 2);
    let goal = less(&mut terms, Cmp::LtU, next, length);
    assert_eq!(facts.decide(&mut terms, goal), None);
}

#[test]
fn equations_replace_the_youngest_atom() {
    let (mut terms, [x, y, _]) = scene();
    let sum = terms.bin32(Bin32::Add, &x, &y);
    let mut facts = Facts::new();
    let seven = terms.w32(7);
    let equal = terms.cmp32(Cmp::Eq, &sum, &seven);
    facts.assume(&mut terms, equal, true);
    let other = terms.bin32(Bin32::Sub, &seven, &y);
    let mut prover = Prover::new();
    assert_eq!(prover.equal32(&mut terms, &facts, x, other), Outcome::Closed(By::Facts));
    assert_eq!(prover.counts.facts, 1);
}

#[test]
fn a_decided_condition_selects_its_branch() {
    let (mut terms, [x, y, _]) = scene();
    let condition = less(&mut terms, Cmp::LtS, x, y);
    let choice = terms.ite32(&condition, &x, &y);
    let (mut yes, mut no) = (Facts::new(), Facts::new());
    yes.assume(&mut terms, condition, true);
    no.assume(&mut terms, condition, false);
    assert_eq!(yes.simplify32(&mut terms, choice).norm, x.norm);
    assert_eq!(no.simplify32(&mut terms, choice).norm, y.norm);
    assert_eq!(yes.simplify32(&mut terms, choice).norm, x.norm);
}

#[test]
fn a_mask_vanishes_below_a_bound() {
    let (mut terms, [x, ..]) = scene();
    let (limit, mask) = (terms.w32(32), terms.w32(31));
    let small = less(&mut terms, Cmp::LtU, x, limit);
    let masked = terms.bin32(Bin32::And, &x, &mask);
    let mut facts = Facts::new();
    facts.assume(&mut terms, small, true);
    assert_eq!(facts.simplify32(&mut terms, masked).norm, x.norm);
    let wide = terms.w32(33);
    let below = less(&mut terms, Cmp::LtU, x, wide);
    let mut weaker = Facts::new();
    weaker.assume(&mut terms, below, true);
    assert_ne!(weaker.simplify32(&mut terms, masked).norm, x.norm);
}

#[test]
fn accesses_are_disjoint_by_a_bound() {
    let (mut terms, [x, y, _]) = scene();
    let (limit, hundred) = (terms.w32(96), terms.w32(100));
    let far = terms.bin32(Bin32::Add, &x, &hundred);
    let small = less(&mut terms, Cmp::LtU, y, limit);
    let near = terms.bin32(Bin32::Add, &x, &y);
    let memory = terms.fresh_mem("m");
    let stored = terms.store(memory, near, Width::Word, y);
    let (after, before) = (terms.load(stored, far, Width::Word), terms.load(memory, far, Width::Word));
    let mut facts = Facts::new();
    assert_ne!(after.norm, before.norm);
    facts.assume(&mut terms, small, true);
    assert_eq!(facts.simplify32(&mut terms, after).norm, before.norm);
}

#[test]
fn opposite_facts_contradict() {
    let (mut terms, [x, y, _]) = scene();
    let (condition, opposite) = (less(&mut terms, Cmp::LtU, x, y), less(&mut terms, Cmp::LtU, y, x));
    let mut facts = Facts::new();
    facts.assume(&mut terms, condition, true);
    assert!(!facts.is_contradictory());
    facts.assume(&mut terms, opposite, true);
    assert!(facts.is_contradictory());
}

#[test]
fn a_multiple_is_bounded_by_its_quotient() {
    let mut terms = Terms::new();
    let (a, five, two, eight, four) = (terms.fresh32("a"), terms.w32(5), terms.w32(2), terms.w32(8), terms.w32(4));
    let quotient = terms.bin32(Bin32::DivU, &a, &five);
    let whole = terms.bin32(Bin32::Mul, &quotient, &five);
    let index = terms.bin32(Bin32::Sub, &a, &whole);
    let offset = terms.bin32(Bin32::Mul, &index, &eight);
    let code = terms.bin32(Bin32::Add, &offset, &four);
    let mut facts = Facts::new();
    assert!(facts.range_of(&mut terms, code).high > 12);
    let within = terms.cmp32(Cmp::LtU, &index, &two);
    facts.assume(&mut terms, within, true);
    let (type_range, code_range) = (facts.range_of(&mut terms, offset), facts.range_of(&mut terms, code));
    assert_eq!((type_range.low, type_range.high), (0, 8));
    assert_eq!((code_range.low, code_range.high), (4, 12));
}

#[test]
fn a_carry_bounds_a_difference() {
    let mut terms = Terms::new();
    let bounds = Bounds { low: 65536, high: 3 * 65536, align_log2: 16 };
    let length = terms.fresh32_within("length", bounds);
    let (one, sixteen) = (terms.w32(1), terms.w32(16));
    let pages = terms.bin32(Bin32::ShrU, &length, &sixteen);
    let index = terms.bin32(Bin32::Sub, &one, &pages);
    let last = terms.bin32(Bin32::Sub, &length, &one);
    let beyond = terms.cmp32(Cmp::LtU, &last, &index);
    let mut facts = Facts::new();
    assert!(facts.range_of(&mut terms, index).high >= 3 * 65536);
    facts.assume(&mut terms, beyond, false);
    assert!(facts.range_of(&mut terms, index).high < 3 * 65536);
}
