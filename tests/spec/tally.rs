//! What came of modules and assertions, counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Counts, and what is wrong.
#[derive(Default)]
pub struct Tally {
    /// Modules whose every function is proved.
    pub modules_proved: usize,
    /// The functions of these.
    pub functions_proved: usize,
    /// Assertions that hold.
    pub passed: usize,
    /// How many of them need a larger board than the processor's first, and hold there.
    pub larger: usize,
    /// Assertions that do not, and modules without assertions that are not as they must be.
    pub failed: usize,
    /// Assertions that were not run, by reason.
    pub not_run: BTreeMap<String, usize>,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Assertions hold.
    pub fn passed(count: usize) -> Tally {
        Tally { passed: count, ..Tally::default() }
    }

    /// Assertions do not hold; something is wrong even where there are none.
    pub fn failed(count: usize, why: String) -> Tally {
        Tally { failed: count.max(1), wrong: vec![why], ..Tally::default() }
    }

    /// Assertions are not run.
    pub fn not_run(count: usize, why: String) -> Tally {
        let not_run = if count == 0 { BTreeMap::new() } else { BTreeMap::from([(why, count)]) };
        Tally { not_run, ..Tally::default() }
    }

    /// How many assertions there are.
    pub fn assertions(&self) -> usize {
        self.passed + self.failed + self.not_run_count()
    }

    /// How many of them were not run.
    pub fn not_run_count(&self) -> usize {
        self.not_run.values().sum()
    }
}

impl<'a> AddAssign<&'a Tally> for Tally {
    fn add_assign(&mut self, other: &'a Tally) {
        self.modules_proved += other.modules_proved;
        self.functions_proved += other.functions_proved;
        self.passed += other.passed;
        self.larger += other.larger;
        self.failed += other.failed;
        for (why, count) in &other.not_run {
            *self.not_run.entry(why.clone()).or_default() += count;
        }
        self.wrong.extend_from_slice(&other.wrong);
    }
}
