//! The forms that conditions take: the ones that the source's comparisons have, so that most
//! goals are equal before any rule.

use crate::domain::{Bin32, Bin64, Cmp, Domain, Un32, Un64};
use crate::float::Float;
use crate::thumb::inst::Cond;
use crate::thumb::sem::Flags;

/// A domain that writes down what it is asked for.
struct Written;

fn relation(op: Cmp, a: &str, b: &str) -> String {
    match op {
        Cmp::Eq => format!("{a} = {b}"),
        Cmp::LtU => format!("{a} <u {b}"),
        Cmp::LtS => format!("{a} <s {b}"),
    }
}

impl Domain for Written {
    type Bool = String;
    type W32 = String;
    type W64 = String;

    fn bool(&mut self, value: bool) -> String {
        value.to_string()
    }

    fn not(&mut self, a: &String) -> String {
        format!("not {a}")
    }

    fn and(&mut self, a: &String, b: &String) -> String {
        format!("({a} and {b})")
    }

    fn or(&mut self, a: &String, b: &String) -> String {
        format!("({a} or {b})")
    }

    fn ite_bool(&mut self, c: &String, a: &String, b: &String) -> String {
        format!("if({c}, {a}, {b})")
    }

    fn w32(&mut self, value: u32) -> String {
        value.to_string()
    }

    fn un32(&mut self, op: Un32, a: &String) -> String {
        format!("{op:?}({a})")
    }

    fn bin32(&mut self, op: Bin32, a: &String, b: &String) -> String {
        format!("{op:?}({a}, {b})")
    }

    fn cmp32(&mut self, op: Cmp, a: &String, b: &String) -> String {
        relation(op, a, b)
    }

    fn ite32(&mut self, c: &String, a: &String, b: &String) -> String {
        format!("if({c}, {a}, {b})")
    }

    fn carry(&mut self, a: &String, b: &String, carry: &String) -> String {
        format!("carry({a}, {b}, {carry})")
    }

    fn w64(&mut self, value: u64) -> String {
        value.to_string()
    }

    fn join(&mut self, high: &String, low: &String) -> String {
        format!("{high}:{low}")
    }

    fn high(&mut self, a: &String) -> String {
        format!("high({a})")
    }

    fn low(&mut self, a: &String) -> String {
        format!("low({a})")
    }

    fn un64(&mut self, op: Un64, a: &String) -> String {
        format!("{op:?}({a})")
    }

    fn bin64(&mut self, op: Bin64, a: &String, b: &String) -> String {
        format!("{op:?}({a}, {b})")
    }

    fn cmp64(&mut self, op: Cmp, a: &String, b: &String) -> String {
        relation(op, a, b)
    }

    fn float(&mut self, op: Float, words: &[String]) -> [String; 2] {
        ["low", "high"].map(|half| format!("{half} {op:?}({})", words.join(", ")))
    }

    fn ite64(&mut self, c: &String, a: &String, b: &String) -> String {
        format!("if({c}, {a}, {b})")
    }
}

fn check(flags: &Flags<Written>, expected: &[(Cond, &str)]) {
    for (cond, form) in expected {
        assert_eq!(flags.condition(&mut Written, *cond), *form, "{cond}");
    }
}

#[test]
fn after_a_comparison() {
    let (_, flags) = Flags::sub(&mut Written, &"a".to_owned(), &"b".to_owned());
    check(
        &flags,
        &[
            (Cond::Eq, "a = b"),
            (Cond::Ne, "not a = b"),
            (Cond::Hs, "not a <u b"),
            (Cond::Lo, "not not a <u b"),
            (Cond::Mi, "Sub(a, b) <s 0"),
            (Cond::Hi, "b <u a"),
            (Cond::Ls, "not b <u a"),
            (Cond::Lt, "a <s b"),
            (Cond::Ge, "not a <s b"),
            (Cond::Gt, "b <s a"),
            (Cond::Le, "not b <s a"),
        ],
    );
}

#[test]
fn after_a_comparison_of_pairs() {
    let (_, low) = Flags::sub(&mut Written, &"al".to_owned(), &"bl".to_owned());
    let (_, flags) = low.sub_carry(&mut Written, &"ah".to_owned(), &"bh".to_owned());
    check(
        &flags,
        &[
            (Cond::Hs, "not ah:al <u bh:bl"),
            (Cond::Lo, "not not ah:al <u bh:bl"),
            (Cond::Lt, "ah:al <s bh:bl"),
            (Cond::Ge, "not ah:al <s bh:bl"),
        ],
    );
}

#[test]
fn after_a_sum() {
    let never = "false".to_owned();
    let (_, flags) = Flags::add(&mut Written, &"a".to_owned(), &"b".to_owned(), &never);
    check(&flags, &[(Cond::Hs, "carry(a, b, false)")]);
}
