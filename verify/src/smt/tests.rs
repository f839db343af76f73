//! The solver against the evaluator, and what it must and must not prove.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::solvers::{Fault, Outside, Solvers};
use super::{Budget, Proof, Smt};
use crate::domain::{Bin32, Bin64, Cmp, Domain, Un64};
use crate::term::eval::{Assignment, Evaluator, mix};
use crate::term::prove::{By, Open, Outcome, Prover};
use crate::term::rules::tests::Generator;
use crate::term::{Facts, Term32, TermBool, Terms, Width};

fn plus(t: &mut Terms, a: Term32, k: u32) -> Term32 {
    let k = t.w32(k);
    t.bin32(Bin32::Add, &a, &k)
}

/// Every operator of raw terms means to z3 what it means to the evaluator: a random term with its
/// symbols fixed has the value that the evaluator gives, and no other.
#[test]
fn translation_agrees_with_the_evaluator() {
    let mut checked = 0;
    for round in 0..150 {
        let mut generator = Generator::new(5_000_000 + round);
        let assignment = Assignment { seed: mix(round, &[3]), ..Assignment::default() };
        for _ in 0..6 {
            generator.step();
        }
        let fixed = generator.words[..4].to_vec();
        let mut facts = Facts::new();
        for symbol in fixed {
            let value = Evaluator::new(generator.terms.arena(), &assignment).w32(symbol.raw);
            let value = generator.terms.w32(value);
            let equal = generator.terms.cmp32(Cmp::Eq, &symbol, &value);
            facts.assume(&mut generator.terms, equal, true);
        }
        let (word, truth) = (generator.new_word(), generator.new_bool());
        let mut smt = Smt::new();
        let value = Evaluator::new(generator.terms.arena(), &assignment).w32(word.raw);
        let holds = Evaluator::new(generator.terms.arena(), &assignment).bool(truth.raw);
        let (right, wrong) = (generator.terms.w32(value), generator.terms.w32(!value));
        let is_wrong = generator.terms.cmp32(Cmp::Eq, &word, &wrong);
        let opposite = if holds { generator.terms.not(&truth) } else { truth };
        // The assignment is a counterexample to both, so neither may be valid.
        assert_ne!(smt.prove(&generator.terms, &facts, is_wrong), Proof::Valid);
        assert_ne!(smt.prove(&generator.terms, &facts, opposite), Proof::Valid);
        let is_right = generator.terms.cmp32(Cmp::Eq, &word, &right);
        if smt.prove(&generator.terms, &facts, is_right) == Proof::Valid {
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} values were determined");
}

#[test]
fn operators_on_constants_have_one_value() {
    let values =
        [0u64, 1, 5, 31, 32, 63, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 63, u64::MAX, 0x1234_5678_9abc_def0];
    let mut t = Terms::new();
    let mut smt = Smt { budget: Budget { uninterpreted: 100_000, exact: 1_000_000 }, ..Smt::default() };
    let (facts, mut all) = (Facts::new(), t.bool(true));
    let mut expect = |t: &mut Terms, raw, value: u64| {
        let (expected, actual) = (t.w64(value), raw);
        let equal = t.cmp64(Cmp::Eq, &actual, &expected);
        all = t.and(&all, &equal);
    };
    let assignment = Assignment::default();
    for a in values {
        for op in [Un64::Clz, Un64::Ctz, Un64::Popcnt, Un64::Sext8, Un64::Sext16, Un64::Sext32] {
            let operand = t.w64(a);
            let term = t.un64(op, &operand);
            let value = Evaluator::new(t.arena(), &assignment).w64(term.raw);
            expect(&mut t, term, value);
        }
        for b in values {
            for op in [
                Bin64::Add,
                Bin64::Sub,
                Bin64::Mul,
                Bin64::Shl,
                Bin64::ShrU,
                Bin64::ShrS,
                Bin64::RotL,
                Bin64::RotR,
                Bin64::DivU,
                Bin64::DivS,
                Bin64::RemU,
                Bin64::RemS,
            ] {
                let (x, y) = (t.w64(a), t.w64(b));
                let term = t.bin64(op, &x, &y);
                let value = Evaluator::new(t.arena(), &assignment).w64(term.raw);
                expect(&mut t, term, value);
            }
            for op in [
                Bin32::Mul,
                Bin32::MulHighU,
                Bin32::MulHighS,
                Bin32::DivU,
                Bin32::DivS,
                Bin32::Shl,
                Bin32::ShrS,
                Bin32::RotR,
            ] {
                let (x, y) = (t.w32(a as u32), t.w32(b as u32));
                let term = t.bin32(op, &x, &y);
                let value = Evaluator::new(t.arena(), &assignment).w32(term.raw);
                let (zero, wide) = (t.w32(0), value);
                let term = t.join(&zero, &term);
                expect(&mut t, term, u64::from(wide));
            }
        }
    }
    assert_eq!(smt.prove(&t, &facts, all), Proof::Valid);
}

#[test]
fn bit_tricks_are_proved_and_near_misses_refuted() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    // (x & y) + (x | y) = x + y, which no rule knows.
    let (and, or) = (t.bin32(Bin32::And, &x, &y), t.bin32(Bin32::Or, &x, &y));
    let (left, right) = (t.bin32(Bin32::Add, &and, &or), t.bin32(Bin32::Add, &x, &y));
    let (mut prover, facts) = (Prover::new(), Facts::new());
    assert_eq!(prover.equal32(&mut t, &facts, left, right), Outcome::Closed(By::Solver));
    let wrong = t.bin32(Bin32::Add, &and, &x);
    let Outcome::Open(Open::Counter(model)) = prover.equal32(&mut t, &facts, left, wrong) else {
        panic!("a false equation was not refuted");
    };
    let mut evaluator = Evaluator::new(t.arena(), &model);
    assert_ne!(evaluator.w32(left.raw), evaluator.w32(wrong.raw));
    assert_eq!((prover.counts.solver, prover.counts.open), (1, 1));
    assert!(prover.smt.queries > 0 && prover.smt.steps > 0);
}

#[test]
fn facts_count_and_only_those_given() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (and, zero) = (t.bin32(Bin32::And, &x, &y), t.w32(0));
    let disjoint = t.cmp32(Cmp::Eq, &and, &zero);
    let (or, sum) = (t.bin32(Bin32::Or, &x, &y), t.bin32(Bin32::Add, &x, &y));
    let (mut prover, mut facts) = (Prover::new(), Facts::new());
    assert!(!prover.equal32(&mut t, &facts, or, sum).is_closed());
    facts.assume(&mut t, disjoint, true);
    assert_eq!(prover.equal32(&mut t, &facts, or, sum), Outcome::Closed(By::Solver));
}

#[test]
fn products_meet_as_unknown_functions() {
    let mut t = Terms::new();
    let (x, y, z) = (t.fresh32("x"), t.fresh32("y"), t.fresh32("z"));
    // Under z = x, a choice between two products is one of them.
    let (first, second) = (t.bin32(Bin32::Mul, &x, &y), t.bin32(Bin32::Mul, &y, &z));
    let (mut smt, mut facts) = (Smt::new(), Facts::new());
    let goal = t.cmp32(Cmp::Eq, &first, &second);
    assert!(matches!(smt.prove(&t, &facts, goal), Proof::Counter(_)));
    let equal = t.cmp32(Cmp::Eq, &x, &z);
    facts.assume(&mut t, equal, true);
    assert_eq!(smt.prove(&t, &facts, goal), Proof::Valid);
}

#[test]
fn facts_contradict_each_other_whatever_a_product_is() {
    let mut t = Terms::new();
    let [a, b, y, z] = ["a", "b", "y", "z"].map(|name| t.fresh32(name));
    let high = t.bin32(Bin32::MulHighU, &a, &b);
    let refuted = |t: &mut Terms, pairs: [(Term32, Term32, bool); 3]| {
        let mut facts = Facts::new();
        for (below, above, value) in pairs {
            let less = t.cmp32(Cmp::LtU, &below, &above);
            facts.assume(t, less, value);
        }
        Smt::new().refutes_but_for_costly(t, &facts, None)
    };
    assert!(refuted(&mut t, [(high, y, true), (y, z, true), (high, z, false)]));
    assert!(!refuted(&mut t, [(high, y, true), (z, y, true), (high, z, false)]));
    // Only what a product is makes this impossible: no square ends in these bits.
    let (square, mask, end) = (t.bin32(Bin32::Mul, &a, &a), t.w32(3), t.w32(2));
    let low = t.bin32(Bin32::And, &square, &mask);
    let ends = t.cmp32(Cmp::Eq, &low, &end);
    let mut facts = Facts::new();
    facts.assume(&mut t, ends, true);
    assert!(!Smt::new().refutes_but_for_costly(&t, &facts, None));
}

#[test]
fn memories_are_compared_byte_for_byte() {
    let mut t = Terms::new();
    let (p, q, x, y) = (t.fresh32("p"), t.fresh32("q"), t.fresh32("x"), t.fresh32("y"));
    let memory = t.fresh_mem("m");
    let write = |t: &mut Terms, first: (Term32, Term32), second: (Term32, Term32)| {
        let once = t.store(memory, first.0, Width::Word, first.1);
        t.store(once, second.0, Width::Word, second.1)
    };
    let (one, other) = (write(&mut t, (p, x), (q, y)), write(&mut t, (q, y), (p, x)));
    let (mut prover, mut facts) = (Prover::new(), Facts::new());
    assert!(matches!(prover.equal_mem(&mut t, &facts, one, other), Outcome::Open(Open::Counter(_))));
    // p + 3 < q with p + 3 not wrapping.
    let (end, limit) = (plus(&mut t, p, 3), t.w32(0x8000_0000));
    let (apart, small) = (t.cmp32(Cmp::LtU, &end, &q), t.cmp32(Cmp::LtU, &p, &limit));
    let below = t.cmp32(Cmp::LtU, &q, &limit);
    for fact in [apart, small, below] {
        facts.assume(&mut t, fact, true);
    }
    assert!(prover.equal_mem(&mut t, &facts, one, other).is_closed());
}

#[test]
fn a_used_up_budget_is_no_proof() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (product, one) = (t.bin32(Bin32::Mul, &x, &y), t.w32(0x1234_5677));
    let found = t.cmp32(Cmp::Eq, &product, &one);
    let goal = t.not(&found);
    let mut smt = Smt { budget: Budget { uninterpreted: 10, exact: 10 }, ..Smt::default() };
    assert!(matches!(smt.prove(&t, &Facts::new(), goal), Proof::Unknown(_)));
}

#[test]
fn what_all_queries_take_is_limited() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (and, or) = (t.bin32(Bin32::And, &x, &y), t.bin32(Bin32::Or, &x, &y));
    let greater = t.cmp32(Cmp::LtU, &or, &and);
    let goal = t.not(&greater);
    let (mut much, mut some) = (Smt::new(), Smt { left: 1, ..Smt::new() });
    assert_eq!(much.prove(&t, &Facts::new(), goal), Proof::Valid);
    assert!(matches!(some.prove(&t, &Facts::new(), goal), Proof::Unknown(_)));
    assert_eq!(some.left, 0);
    assert!(!some.entails(&t, &Facts::new(), goal) && matches!(some.prove(&t, &Facts::new(), goal), Proof::Unknown(_)));
}

#[test]
fn a_state_at_hand_spares_the_solver() {
    let mut t = Terms::new();
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (one, same) = (t.w32(0x1234_5678), t.cmp32(Cmp::Eq, &x, &y));
    let is_one = t.cmp32(Cmp::Eq, &x, &one);
    let (mut smt, mut facts) = (Smt::new(), Facts::new());
    // A drawn one differs in some bit, none is the one.
    assert!(matches!(smt.prove(&t, &facts, same), Proof::Counter(_)) && smt.queries == 0);
    facts.assume(&mut t, is_one, true);
    assert!(matches!(smt.prove(&t, &facts, same), Proof::Counter(_)));
    let asked = smt.queries;
    assert!(asked > 0);
    // The solver's state satisfies these facts too, and tells the terms apart.
    assert!(!smt.entails(&t, &facts, same) && !smt.refutes_but_for_costly(&t, &facts, None));
    assert!(!smt.equal_but_for_shared(&t, x.raw, y.raw) && smt.queries == asked);
    // What holds in every state is no state's to refute: the solver is asked.
    let greater = t.cmp32(Cmp::LtU, &one, &x);
    let goal = t.not(&greater);
    assert_eq!(smt.prove(&t, &facts, goal), Proof::Valid);
    assert!(smt.queries > asked);
}

/// The commutativity that z3 is asked about, which holds, and a claim that all but a few states satisfy.
fn claims(t: &mut Terms) -> (TermBool, TermBool) {
    let (x, y) = (t.fresh32("x"), t.fresh32("y"));
    let (and, or) = (t.bin32(Bin32::And, &x, &y), t.bin32(Bin32::Or, &x, &y));
    let greater = t.cmp32(Cmp::LtU, &or, &and);
    let one = t.w32(0x1234_5678);
    let is_one = t.cmp32(Cmp::Eq, &x, &one);
    (t.not(&greater), t.not(&is_one))
}

#[test]
fn queries_without_a_state_are_kept_as_text() {
    let mut t = Terms::new();
    let (right, wrong) = claims(&mut t);
    let text = |goal| {
        let mut smt = Smt { journal: Some(Vec::new()), ..Smt::new() };
        smt.prove(&t, &Facts::new(), goal);
        smt.journal.unwrap()
    };
    assert_eq!(text(wrong), Vec::<String>::new());
    let [query] = &text(right)[..] else { panic!("one query closes the goal") };
    assert!(query.starts_with("(set-logic QF_AUFBV)") && query.contains("x#0") && query.ends_with("(check-sat)\n"));
    assert_eq!(text(right), [query.clone()], "the text depends on what was asked before");
}

/// A program that stands in for a solver: it answers the first questions right, then does what the script says.
fn stub(directory: &Path, script: &str) -> Result<Outside, Fault> {
    let path = directory.join("stub");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo stub 1; exit; }}\nquery=$(cat)\ncase \"$query\" in\n\
         *'(assert true)'*) echo sat;;\n*'(assert false)'*) echo unsat;;\n*) {script};;\nesac\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Outside::run("stub", path.to_str().unwrap(), &[], Duration::from_secs(2))
}

#[test]
fn solvers_that_contradict_each_other_or_fail_are_a_fault() {
    let directory = std::env::temp_dir().join(format!("synth-stub-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mut t = Terms::new();
    let (right, wrong) = claims(&mut t);
    let ask = |script: &str, goal| {
        let outside = vec![stub(&directory, script).unwrap()];
        let mut smt = Smt { solvers: Solvers::ALL, outside, ..Smt::new() };
        (smt.prove(&t, &Facts::new(), goal), smt.fault)
    };
    let failed = |fault: Option<Fault>, words: &str| match fault {
        Some(Fault::Failed(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{words}: {other:?}"),
    };
    assert_eq!(ask("echo unsat", right), (Proof::Valid, None));
    // One that says the same of every query is noticed on the first where z3 knows better.
    failed(ask("echo sat", right).1, "stub finds a state");
    failed(ask("echo unsat", wrong).1, "stub finds that there is none");
    // No answer is no proof, and no fault.
    assert!(matches!(ask("echo unknown", right), (Proof::Unknown(_), None)));
    for (script, words) in [
        ("exit 3", "ends with"),
        ("kill -9 $$", "ends with"),
        ("echo unsat; exit 1", "ends with"),
        ("echo '(error \"no\")'", "says \"(error"),
        ("true", "says nothing"),
        ("exec sleep 60", "no answer within 2 s"),
    ] {
        let (proof, fault) = ask(script, right);
        assert!(matches!(proof, Proof::Unknown(_)), "{script}: {proof:?}");
        failed(fault, words);
    }
    let lies = Outside::run("liar", "/bin/echo", &["unsat"], Duration::from_secs(2));
    failed(lies.err(), "liar finds (assert true) Unsat");
    let missing = Outside::run("none", "/no/such/solver", &[], Duration::from_secs(2));
    assert_eq!(missing.err(), Some(Fault::Missing("the solver none is not installed".to_owned())));
    fs::remove_dir_all(directory).unwrap();
}

/// What z3 finds of random terms the others find too, each from the text.
#[test]
fn the_text_means_the_same_to_every_solver() {
    for (name, solvers) in [("cvc5", "cvc5"), ("bitwuzla", "bitwuzla")] {
        let outside = match Outside::start(solvers.parse().unwrap()) {
            Err(Fault::Missing(_)) => {
                println!("skipped: {name} is not installed");
                continue;
            }
            started => started.unwrap(),
        };
        let mut proved = 0;
        for round in 0..25 {
            let mut generator = Generator::new(7_000_000 + round);
            for _ in 0..6 {
                generator.step();
            }
            let (word, truth) = (generator.new_word(), generator.new_bool());
            let simple = generator.terms.w32(0);
            let same = generator.terms.cmp32(Cmp::Eq, &word, &simple);
            let mut smt = Smt { solvers: Solvers::ALL, outside: outside.clone(), ..Smt::new() };
            for goal in [same, truth] {
                proved += u32::from(smt.prove(&generator.terms, &Facts::new(), goal) == Proof::Valid);
            }
            assert_eq!(smt.fault, None);
        }
        println!("{name} agrees; {proved} goals proved");
    }
}
