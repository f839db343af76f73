//! Each rule against the evaluator, on random terms and boundary values.

use std::collections::BTreeMap;

use super::super::eval::{Assignment, Evaluator, boundary_biased, mix};
use super::super::node::{Bounds, Id, Node, Sort, Width};
use super::super::print::show;
use super::super::{Term32, Term64, TermBool, TermMem, Terms};
use super::RULES;
use crate::domain::{Bin32, Bin64, Cmp, Domain, Un32, Un64};
use crate::float::Float;
use crate::hints;

const UN32: [Un32; 6] = [Un32::Clz, Un32::Rbit, Un32::Rev, Un32::Popcnt, Un32::Sext8, Un32::Sext16];
const BIN32: [Bin32; 14] = [
    Bin32::Add,
    Bin32::Sub,
    Bin32::Mul,
    Bin32::MulHighU,
    Bin32::MulHighS,
    Bin32::DivU,
    Bin32::DivS,
    Bin32::And,
    Bin32::Or,
    Bin32::Xor,
    Bin32::Shl,
    Bin32::ShrU,
    Bin32::ShrS,
    Bin32::RotR,
];
const UN64: [Un64; 6] = [Un64::Clz, Un64::Ctz, Un64::Popcnt, Un64::Sext8, Un64::Sext16, Un64::Sext32];
const BIN64: [Bin64; 15] = [
    Bin64::Add,
    Bin64::Sub,
    Bin64::Mul,
    Bin64::And,
    Bin64::Or,
    Bin64::Xor,
    Bin64::Shl,
    Bin64::ShrU,
    Bin64::ShrS,
    Bin64::RotL,
    Bin64::RotR,
    Bin64::DivU,
    Bin64::DivS,
    Bin64::RemU,
    Bin64::RemS,
];
const CMP: [Cmp; 3] = [Cmp::Eq, Cmp::LtU, Cmp::LtS];
const WIDTHS: [Width; 3] = [Width::Byte, Width::Half, Width::Word];
const CONSTANTS: [u32; 20] = [
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    16,
    24,
    30,
    31,
    32,
    33,
    255,
    0xffff,
    0x00ff_ff00,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    u32::MAX,
];

/// Random terms over few symbols, so that rules with repeated operands meet.
pub(crate) struct Generator {
    pub(crate) terms: Terms,
    random: u64,
    bools: Vec<TermBool>,
    pub(crate) words: Vec<Term32>,
    doubles: Vec<Term64>,
    mems: Vec<TermMem>,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        let mut terms = Terms::new();
        terms.normal.log = Some(Vec::new());
        let bounds = [
            Bounds::ALL,
            Bounds::ALL,
            Bounds { low: 0, high: 100, align_log2: 0 },
            Bounds { low: 0x2000_0000, high: 0x2000_0100, align_log2: 3 },
        ];
        let words = bounds.map(|bounds| terms.fresh32_within("x", bounds)).to_vec();
        let bools = vec![terms.fresh_bool("p"), terms.fresh_bool("q")];
        let doubles = vec![terms.fresh64("d")];
        let mems = vec![terms.fresh_mem("m")];
        Generator { terms, random: seed, bools, words, doubles, mems }
    }

    fn next(&mut self, below: usize) -> usize {
        self.random = mix(self.random, &[1]);
        (self.random >> 16) as usize % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len())]
    }

    fn word(&mut self) -> Term32 {
        match self.next(4) {
            0 => {
                let value = self.pick(&CONSTANTS);
                self.terms.w32(value)
            }
            1 => {
                let known = self.words[..4].to_vec();
                self.pick(&known)
            }
            _ => {
                let known = self.words.clone();
                self.pick(&known)
            }
        }
    }

    fn bool(&mut self) -> TermBool {
        let known = self.bools.clone();
        self.pick(&known)
    }

    fn double(&mut self) -> Term64 {
        if self.next(4) == 0 {
            let (high, low) = (self.pick(&CONSTANTS), self.pick(&CONSTANTS));
            return self.terms.w64(u64::from(high) << 32 | u64::from(low));
        }
        let known = self.doubles.clone();
        self.pick(&known)
    }

    fn mem(&mut self) -> TermMem {
        let known = self.mems.clone();
        self.pick(&known)
    }

    /// One more term of each sort, as the dice fall.
    pub(crate) fn step(&mut self) -> (Id, Id) {
        match self.next(16) {
            0..=7 => {
                let term = self.new_word();
                self.words.push(term);
                (term.raw, term.norm)
            }
            8..=10 => {
                let term = self.new_bool();
                self.bools.push(term);
                (term.raw, term.norm)
            }
            11..=13 => {
                let term = self.new_double();
                self.doubles.push(term);
                (term.raw, term.norm)
            }
            _ => {
                let term = self.new_mem();
                self.mems.push(term);
                (term.raw, term.norm)
            }
        }
    }

    pub(crate) fn new_word(&mut self) -> Term32 {
        let (a, b, c) = (self.word(), self.word(), self.bool());
        match self.next(13) {
            12 => {
                let (one, zero) = (self.terms.w32(1), self.terms.w32(0));
                self.terms.ite32(&c, &one, &zero)
            }
            0 => {
                let op = self.pick(&UN32);
                self.terms.un32(op, &a)
            }
            1 | 2 => self.terms.ite32(&c, &a, &b),
            3 => {
                let (memory, width) = (self.mem(), self.pick(&WIDTHS));
                let offset = self.next(6) as u32;
                let offset = self.terms.w32(offset);
                let address = self.terms.bin32(Bin32::Add, &a, &offset);
                self.terms.load(memory, address, width)
            }
            4 => {
                let wide = self.double();
                if self.next(2) == 0 { self.terms.high(&wide) } else { self.terms.low(&wide) }
            }
            5 => {
                let function = self.terms.function("f");
                let points = [5, 0, 1 << 31].map(|value| self.terms.w32(value));
                self.terms.define_points(function, points.to_vec());
                self.terms.apply32(function, &[a])
            }
            6 => {
                let count = self.next(33) as u32;
                let (op, count) = (self.pick(&BIN32[10..]), self.terms.w32(count));
                self.terms.bin32(op, &a, &count)
            }
            _ => {
                let op = self.pick(&BIN32);
                self.terms.bin32(op, &a, &b)
            }
        }
    }

    /// Half of the result of an operator on floats.
    fn float(&mut self) -> Term32 {
        let all = Float::all();
        let op = self.pick(&all);
        let count: usize = op.operands().iter().map(|sort| if *sort == hints::Sort::W32 { 1 } else { 2 }).sum();
        let words: Vec<Term32> = (0..count).map(|_| self.word()).collect();
        let halves = self.terms.float(op, &words);
        if let Float::Compare(..) = op {
            // As the machine makes a word of its flags.
            let (zero, one) = (self.terms.w32(0), self.terms.w32(1));
            let is_false = self.terms.cmp32(Cmp::Eq, &halves[0], &zero);
            return self.terms.ite32(&is_false, &zero, &one);
        }
        self.pick(&halves)
    }

    pub(crate) fn new_bool(&mut self) -> TermBool {
        let (a, b, c) = (self.bool(), self.bool(), self.bool());
        match self.next(14) {
            0 => self.terms.not(&a),
            1 => self.terms.and(&a, &b),
            2 => self.terms.or(&a, &b),
            3 => self.terms.ite_bool(&c, &a, &b),
            4 => {
                let (x, y) = (self.word(), self.word());
                if self.next(2) == 0 {
                    return self.terms.carry(&x, &y, &c);
                }
                // The borrow of `x + z < x`.
                let (z, ones, no_borrow) = (self.word(), self.terms.w32(u32::MAX), self.terms.bool(true));
                let x = self.terms.bin32(Bin32::Sub, &x, &y);
                let (sum, not_x) = (self.terms.bin32(Bin32::Add, &x, &z), self.terms.bin32(Bin32::Xor, &x, &ones));
                self.terms.carry(&not_x, &sum, &no_borrow)
            }
            5 | 6 => {
                let (x, y, op) = (self.double(), self.double(), self.pick(&CMP));
                self.terms.cmp64(op, &x, &y)
            }
            7 => {
                let (x, y) = (self.mem(), self.mem());
                self.terms.same_mem(&x, &y)
            }
            8 => {
                // The halves of a difference compared with those of a number.
                let (x, y, z, k) = (self.word(), self.word(), self.word(), self.word());
                let (one, none) = (self.terms.w32(1), self.terms.w32(0));
                let (equal, below) = (self.terms.cmp32(Cmp::Eq, &x, &y), self.terms.cmp32(Cmp::LtU, &x, &y));
                let borrow = self.terms.ite32(&below, &one, &none);
                let high = self.terms.bin32(Bin32::Sub, &z, &borrow);
                let other = self.terms.cmp32(Cmp::Eq, &high, &k);
                self.terms.and(&equal, &other)
            }
            9 => {
                // Whether a word is positive, as a range.
                let (x, least) = (self.word(), 1 + self.next(3) as u32);
                let (by, count) = (self.terms.w32(least), self.terms.w32((1 << 31) - least));
                let (less, more) = (self.terms.bin32(Bin32::Sub, &x, &by), self.terms.bin32(Bin32::Add, &x, &by));
                if self.next(2) == 0 {
                    return self.terms.cmp32(Cmp::LtU, &less, &count);
                }
                // The signs before and after an addition.
                let zero = self.terms.w32(0);
                let (before, after) = (self.terms.cmp32(Cmp::LtS, &x, &zero), self.terms.cmp32(Cmp::LtS, &more, &zero));
                self.terms.and(&before, &after)
            }
            _ => {
                let (x, y, op) = (self.word(), self.word(), self.pick(&CMP));
                self.terms.cmp32(op, &x, &y)
            }
        }
    }

    fn new_double(&mut self) -> Term64 {
        let (a, b) = (self.double(), self.double());
        match self.next(6) {
            0 => {
                let (high, low) = (self.word(), self.word());
                self.terms.join(&high, &low)
            }
            1 => {
                let c = self.bool();
                self.terms.ite64(&c, &a, &b)
            }
            2 => {
                let op = self.pick(&UN64);
                self.terms.un64(op, &a)
            }
            _ => {
                let op = self.pick(&BIN64);
                self.terms.bin64(op, &a, &b)
            }
        }
    }

    fn new_mem(&mut self) -> TermMem {
        let (a, b) = (self.mem(), self.mem());
        if self.next(5) == 0 {
            let c = self.bool();
            return self.terms.ite_mem(&c, &a, &b);
        }
        let (base, value, width) = (self.word(), self.word(), self.pick(&WIDTHS));
        let offset = self.next(6) as u32;
        let offset = self.terms.w32(offset);
        let address = self.terms.bin32(Bin32::Add, &base, &offset);
        self.terms.store(a, address, width, value)
    }
}

/// Whether two terms have the same value; memories byte for byte.
pub(crate) fn agree(evaluator: &mut Evaluator<'_>, sort: Sort, a: Id, b: Id) -> bool {
    match sort {
        Sort::Mem => {
            let (a, b) = (evaluator.mem(a), evaluator.mem(b));
            evaluator.same_memory(&a, &b)
        }
        Sort::Bool | Sort::W32 | Sort::W64 => evaluator.value(a) == evaluator.value(b),
    }
}

/// Checks every logged application of a rule, and counts them.
fn check_log(terms: &mut Terms, fired: &mut BTreeMap<&'static str, u64>, assignments: &[Assignment]) -> u64 {
    let log = std::mem::take(terms.normal.log.as_mut().expect("a test keeps a log"));
    let pairs: Vec<(&str, Id, Id)> =
        log.into_iter().map(|(name, node, id)| (name, terms.arena.intern(node), id)).collect();
    let mut evaluations = 0;
    for assignment in assignments {
        let mut evaluator = Evaluator::new(&terms.arena, assignment);
        for (name, left, right) in &pairs {
            let sort = terms.arena.sort(*right);
            evaluations += 1;
            assert!(
                agree(&mut evaluator, sort, *left, *right),
                "{name}: {} is not {}\n{:?} against {:?}",
                show(&terms.arena, *left),
                show(&terms.arena, *right),
                evaluator.value(*left),
                evaluator.value(*right),
            );
        }
    }
    for (name, ..) in pairs {
        *fired.entry(name).or_default() += 1;
    }
    evaluations
}

#[test]
fn every_rule_keeps_the_value() {
    let mut fired: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut evaluations = 0;
    for round in 0..26_000 {
        let mut generator = Generator::new(round);
        for _ in 0..25 {
            generator.step();
        }
        generator.float();
        let assignments: Vec<Assignment> =
            (0..4).map(|at| Assignment { seed: mix(round, &[at]), ..Assignment::default() }).collect();
        evaluations += check_log(&mut generator.terms, &mut fired, &assignments);
    }
    assert!(evaluations > 100_000, "only {evaluations} evaluations");
    let silent: Vec<&str> =
        RULES.iter().copied().flatten().map(|rule| rule.name).filter(|name| !fired.contains_key(name)).collect();
    assert!(silent.is_empty(), "never applied: {silent:?}");
}

#[test]
fn raw_and_normal_terms_have_the_same_value() {
    for round in 0..26_000 {
        let mut generator = Generator::new(1_000_000 + round);
        let mut pairs: Vec<(Id, Id)> = (0..25).map(|_| generator.step()).collect();
        let float = generator.float();
        pairs.push((float.raw, float.norm));
        for at in 0..8 {
            let assignment = Assignment { seed: mix(round, &[at]), ..Assignment::default() };
            let mut evaluator = Evaluator::new(&generator.terms.arena, &assignment);
            for (raw, norm) in &pairs {
                let sort = generator.terms.arena.sort(*norm);
                assert!(
                    agree(&mut evaluator, sort, *raw, *norm),
                    "{} is not {}",
                    show(&generator.terms.arena, *raw),
                    show(&generator.terms.arena, *norm)
                );
            }
        }
    }
}

#[test]
fn ranges_contain_the_values() {
    for round in 0..300 {
        let mut generator = Generator::new(2_000_000 + round);
        let words: Vec<Term32> = (0..25).map(|_| generator.new_word()).collect();
        for at in 0..8 {
            let assignment = Assignment { seed: mix(round, &[at]), ..Assignment::default() };
            let mut evaluator = Evaluator::new(&generator.terms.arena, &assignment);
            for term in &words {
                let (range, value) = (generator.terms.range_without_facts(term.norm), evaluator.w32(term.norm));
                let contains = (range.low..=range.high).contains(&value);
                let bits = value & range.zeros == 0 && value & range.ones == range.ones;
                assert!(
                    contains && bits,
                    "{value:#x} is not in {range:?}: {}",
                    show(&generator.terms.arena, term.norm)
                );
            }
        }
    }
}

#[test]
fn normal_64_bit_words_are_pairs() {
    for round in 0..50 {
        let mut generator = Generator::new(3_000_000 + round);
        for _ in 0..25 {
            let (_, norm) = generator.step();
            if generator.terms.arena.sort(norm) == Sort::W64 {
                assert!(matches!(generator.terms.node(norm), Node::Join(..)));
            }
        }
    }
}

#[test]
fn rules_have_different_names() {
    let mut names: Vec<&str> = RULES.iter().copied().flatten().map(|rule| rule.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn boundary_values_are_frequent() {
    let near = (0..1000).filter(|at| boundary_biased(mix(7, &[*at])).wrapping_add(4) < 8).count();
    assert!(near > 100, "{near}");
}
