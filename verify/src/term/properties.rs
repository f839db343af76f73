//! Any term: rules, facts and the evaluator agree, with other seeds each time.
//!
//! What `rules/tests.rs` and `facts_tests.rs` show of seeds that are fixed; here a failure shrinks to the fewest terms.

use proptest::prelude::*;

use super::eval::{Assignment, Evaluator, mix};
use super::facts::Facts;
use super::node::Id;
use super::print::show;
use super::rules::tests::{Generator, agree};

/// Three assignments, biased to boundaries.
fn assignments(seed: u64) -> [Assignment; 3] {
    [0, 1, 2].map(|at| Assignment { seed: mix(seed, &[at]), ..Assignment::default() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2500))]

    #[test]
    fn normal_forms_keep_the_value(seed: u64, steps in 1usize..40, at: u64) {
        let mut generator = Generator::new(seed);
        let pairs: Vec<(Id, Id)> = (0..steps).map(|_| generator.step()).collect();
        let arena = generator.terms.arena();
        for assignment in assignments(at) {
            let mut evaluator = Evaluator::new(arena, &assignment);
            for &(raw, norm) in &pairs {
                let same = agree(&mut evaluator, arena.sort(norm), raw, norm);
                prop_assert!(same, "{} is not {}", show(arena, raw), show(arena, norm));
            }
        }
    }

    #[test]
    fn what_follows_from_facts_holds_with_them(seed: u64, steps in 1usize..24, facts_count in 1usize..6, at: u64) {
        let mut generator = Generator::new(seed);
        for _ in 0..steps {
            generator.step();
        }
        let assignment = Assignment { seed: at, ..Assignment::default() };
        let mut facts = Facts::new();
        for _ in 0..facts_count {
            let condition = generator.new_bool();
            let value = Evaluator::new(generator.terms.arena(), &assignment).bool(condition.raw);
            facts.assume(&mut generator.terms, condition, value);
        }
        prop_assert!(!facts.is_contradictory());
        for _ in 0..steps {
            let (condition, word) = (generator.new_bool(), generator.new_word());
            let (_, other) = generator.step();
            let terms = &mut generator.terms;
            let (decision, range) = (facts.decide(terms, condition), facts.range_of(terms, word));
            let simple = facts.simplified(terms, other);
            let arena = terms.arena();
            let mut evaluator = Evaluator::new(arena, &assignment);
            let holds = evaluator.bool(condition.raw);
            prop_assert!(decision.is_none_or(|decision| decision == holds), "{}", show(arena, condition.norm));
            let value = evaluator.w32(word.raw);
            prop_assert!((range.low..=range.high).contains(&value), "{}", show(arena, word.norm));
            prop_assert!(value & range.zeros == 0 && value & range.ones == range.ones, "{}", show(arena, word.norm));
            prop_assert!(agree(&mut evaluator, arena.sort(other), other, simple), "{}", show(arena, other));
        }
    }
}
