//! Many mutants, judged, and the table of what became of them.
//!
//! Ensures: the mutant of a number is a function of the subjects, the shard, the seed and the number. Each is counted
//! once, however often chance leads to it. A table depends on the plan alone, not on threads or time.

pub mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use synth_verify::replay::Random;

use crate::damage::{Level, Mutant, Subject, mutant};
use crate::judge::{Fate, Judge};

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Mutants to judge.
    pub count: u64,
    /// From which everything derives.
    pub seed: u64,
    /// The first number.
    pub from: u64,
    /// Which subjects: those whose number is the first modulo the second.
    pub shard: (u64, u64),
    /// How many at a time.
    pub threads: u64,
    /// Who judges.
    pub judge: Judge,
}

/// What became of the mutants of one operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// All of them.
    pub tried: u64,
    /// Refused.
    pub killed: u64,
    /// Accepted, and nothing that is loaded differs.
    pub same: u64,
    /// Accepted, equivalent by runs and a second judgement.
    pub proved: u64,
    /// Accepted, equivalent by runs.
    pub by_runs: u64,
    /// Accepted, and no run tells.
    pub undecided: u64,
    /// Accepted, and different.
    pub survivors: u64,
}

/// A mutant that is neither refused nor equivalent.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Of which subject.
    pub subject: String,
    /// Itself.
    pub mutant: Mutant,
    /// What became of it.
    pub fate: Fate,
}

/// What became of all.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By operator.
    pub rows: BTreeMap<(Level, &'static str), Row>,
    /// Those that are neither refused nor equivalent, by number.
    pub found: Vec<Found>,
    /// How many functions were damaged.
    pub functions: usize,
}

/// Numbers tried in vain, as a multiple of the count, before it is said that there are no more mutants.
const VAIN: u64 = 20;

/// Judges as many mutants as the plan says, or fewer if there are no more. `watch` sees how many there are so far.
pub fn run(subjects: &[Subject], plan: &Plan, watch: &(dyn Fn(u64) + Sync)) -> Table {
    let (shard, shards) = plan.shard;
    let mine: Vec<usize> = (0..subjects.len()).filter(|index| *index as u64 % shards == shard).collect();
    let mut table =
        Table { functions: mine.iter().map(|index| subjects[*index].functions()).sum(), ..Table::default() };
    if mine.is_empty() {
        return table;
    }
    let run = Run { subjects, mine: &mine, plan, seen: Mutex::default(), judged: AtomicU64::new(0), watch };
    let (mut from, last) = (plan.from, plan.from.saturating_add(plan.count.saturating_mul(VAIN)));
    // What a round adds does not depend on who was first.
    while table.total().tried < plan.count && from < last {
        let to = from + (plan.count - table.total().tried);
        for part in run.round(from, to) {
            table.add(part);
        }
        from = to;
    }
    table.found.sort_by_key(|found| found.number);
    table
}

/// What threads share.
struct Run<'a> {
    subjects: &'a [Subject],
    mine: &'a [usize],
    plan: &'a Plan,
    /// Hashes of the mutants so far, with the subjects that they are of.
    seen: Mutex<BTreeSet<(usize, [u8; 16])>>,
    judged: AtomicU64,
    watch: &'a (dyn Fn(u64) + Sync),
}

impl Run<'_> {
    /// The mutants of a range of numbers, a table for each thread.
    fn round(&self, from: u64, to: u64) -> Vec<Table> {
        let next = AtomicU64::new(from);
        let work = || {
            let mut table = Table::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to {
                    return table;
                }
                self.one(number, &mut table);
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.plan.threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread catches panics")).collect()
        })
    }

    fn one(&self, number: u64, table: &mut Table) {
        let which = self.mine[(number % self.mine.len() as u64) as usize];
        let subject = &self.subjects[which];
        let seed = Random::new(self.plan.seed).word() ^ number;
        // The writers of files may panic when they are handed damage: there is no mutant then.
        let made = panic::catch_unwind(AssertUnwindSafe(|| mutant(subject, self.subjects, &mut Random::new(seed))));
        let Ok(Some(mutant)) = made else { return };
        let mut hash = Sha256::new();
        hash.update(&mutant.wasm);
        hash.update(&mutant.elf);
        let key = <[u8; 16]>::try_from(&hash.finalize()[..16]).expect("a hash of 32 bytes");
        if !self.seen.lock().expect("no thread panics with it").insert((which, key)) {
            return;
        }
        let judged = panic::catch_unwind(AssertUnwindSafe(|| self.plan.judge.judge(subject, &mutant, seed)));
        let fate = match judged {
            Ok(Some(fate)) => fate,
            Ok(None) => return,
            Err(_) => Fate::Survivor("the validator panics".to_owned()),
        };
        table.rows.entry(mutant.operator).or_default().count(&fate);
        if matches!(fate, Fate::Undecided | Fate::Survivor(_)) {
            table.found.push(Found { number, subject: subject.name.clone(), mutant, fate });
        }
        (self.watch)(self.judged.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

impl Row {
    fn count(&mut self, fate: &Fate) {
        self.tried += 1;
        let of_fate = match fate {
            Fate::Killed => &mut self.killed,
            Fate::Same => &mut self.same,
            Fate::Proved => &mut self.proved,
            Fate::ByRuns => &mut self.by_runs,
            Fate::Undecided => &mut self.undecided,
            Fate::Survivor(_) => &mut self.survivors,
        };
        *of_fate += 1;
    }

    fn add(&mut self, other: &Row) {
        self.tried += other.tried;
        self.killed += other.killed;
        self.same += other.same;
        self.proved += other.proved;
        self.by_runs += other.by_runs;
        self.undecided += other.undecided;
        self.survivors += other.survivors;
    }

    /// The exact 95 % bound (Clopper and Pearson, 1934) on the share of wrong mutants that are accepted: the share at
    /// which so few survivors or fewer are seen with a probability of 5 %.
    pub fn bound(&self) -> f64 {
        let wrong = self.killed + self.survivors;
        if self.survivors >= wrong {
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if at_most(self.survivors, wrong, middle) > 0.05 { low = middle } else { high = middle }
        }
        high
    }
}

/// The probability of at most so many successes in so many trials.
fn at_most(successes: u64, trials: u64, share: f64) -> f64 {
    let mut log_term = trials as f64 * (-share).ln_1p();
    let mut sum = log_term.exp();
    for count in 1..=successes {
        log_term += ((trials - count + 1) as f64 / count as f64).ln() + share.ln() - (-share).ln_1p();
        sum += log_term.exp();
    }
    sum
}

impl Table {
    fn add(&mut self, other: Table) {
        for (operator, row) in other.rows {
            self.rows.entry(operator).or_default().add(&row);
        }
        self.found.extend(other.found);
    }

    /// All rows as one.
    pub fn total(&self) -> Row {
        self.rows.values().fold(Row::default(), |mut total, row| {
            total.add(row);
            total
        })
    }

    /// As a table of Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| level | damage | tried | killed | nothing loaded differs | equivalent, proved again | equivalent by runs | undecided | survivors | 95 % bound |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        let mut line = |level: &str, what: &str, row: &Row| {
            let counts = [row.tried, row.killed, row.same, row.proved, row.by_runs, row.undecided, row.survivors];
            let counts = counts.map(|count| count.to_string()).join(" | ");
            text += &format!("| {level} | {what} | {counts} | {} |\n", percent(row.bound()));
        };
        for ((level, what), row) in &self.rows {
            line(level.name(), what, row);
        }
        line("all", "", &self.total());
        text
    }
}

fn percent(share: f64) -> String {
    if share < 0.0001 { format!("{:.4} %", share * 100.0) } else { format!("{:.2} %", share * 100.0) }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["tried", "killed", "same", "proved", "by runs", "undecided", "survive", "bound"];
        write!(f, "{:55}", "damage")?;
        head.iter().try_for_each(|word| write!(f, "{word:>10}"))?;
        writeln!(f)?;
        for ((level, what), row) in &self.rows {
            write!(f, "{:55}", format!("{}: {what}", level.name()))?;
            let counts = [row.tried, row.killed, row.same, row.proved, row.by_runs, row.undecided, row.survivors];
            counts.iter().try_for_each(|count| write!(f, "{count:10}"))?;
            writeln!(f, "{:>10}", percent(row.bound()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} mutants: {} killed, {} equivalent ({} the same when loaded, {} proved again, {} by runs), {} undecided, {} survivors; of wrong mutants at most {} are accepted (95 %)",
            self.tried,
            self.killed,
            self.same + self.proved + self.by_runs,
            self.same,
            self.proved,
            self.by_runs,
            self.undecided,
            self.survivors,
            percent(self.bound()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from tables of the Clopper-Pearson interval, one-sided at 95 %.
    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        let bound = |killed, survivors| Row { killed, survivors, ..Row::default() }.bound();
        assert!((bound(10, 0) - 0.2589).abs() < 1e-4);
        assert!((bound(100, 0) - 0.0295).abs() < 1e-4);
        assert!((bound(9, 1) - 0.3942).abs() < 1e-4);
        assert!((bound(100_000, 0) - 2.9957e-5).abs() < 1e-8);
        assert!((bound(0, 0) - 1.0).abs() < 1e-9);
    }
}
