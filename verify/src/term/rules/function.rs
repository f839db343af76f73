//! Functions of operands for which their values are known.

use super::super::Terms;
use super::super::node::{Id, Node};
use super::{Rule, rules};

/// Functions at known points.
pub(super) const POINTS: &[Rule] = rules![function_at_point, float_of_constants];

/// `f(n) = p` if `f` is known to be `p` at the number that the operand can only be.
fn function_at_point(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Apply(function, operands) = node else { return None };
    let [operand] = operands[..] else { return None };
    let range = t.range(operand);
    let point = t.arena.points(*function).get(range.low as usize)?;
    (range.low == range.high).then_some(point.norm)
}

/// `f(c, d, ..) = e` for an operator on floats and constants.
fn float_of_constants(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Apply(function, operands) = node else { return None };
    let word = |id: &Id| match t.node(*id) {
        Node::Const(word) => Some(*word),
        _ => None,
    };
    let words: Vec<u32> = operands.iter().map(word).collect::<Option<_>>()?;
    let value = t.arena.float_value(*function, &words)?;
    Some(t.build(Node::Const(value)))
}

#[cfg(test)]
mod tests {
    use crate::domain::Domain;
    use crate::float::{Binary, Float, Format};
    use crate::term::prove::Prover;
    use crate::term::{Bounds, Facts, Term32, Terms};

    /// A function that is 7 at 0 and 9 at 1.
    fn at(terms: &mut Terms, index: Term32) -> Term32 {
        let function = terms.function("f");
        let points = vec![terms.w32(7), terms.w32(9)];
        terms.define_points(function, points);
        terms.apply32(function, &[index])
    }

    #[test]
    fn a_function_is_known_at_its_points_only() {
        let terms = &mut Terms::new();
        let one = terms.w32(1);
        let two = terms.w32(2);
        let known = at(terms, one);
        assert_eq!(terms.as_const32(known), Some(9));
        let open = at(terms, two);
        assert_eq!(terms.as_const32(open), None);
    }

    /// An operator on floats of constants is their value, also where a condition chooses between constants;
    /// else nothing is known of it, not even that a sum does not depend on the order.
    #[test]
    fn operators_on_floats_have_values_at_constants_only() {
        let terms = &mut Terms::new();
        let (mut prover, facts) = (Prover::new(), Facts::new());
        let add = Float::Binary(Binary::Add, Format::F32);
        let (one, two) = (terms.w32(0x3f80_0000), terms.w32(0x4000_0000));
        let [sum, _] = terms.float(add, &[one, one]);
        assert_eq!(terms.as_const32(sum), Some(0x4000_0000));
        let p = terms.fresh_bool("p");
        let either = terms.ite32(&p, &one, &two);
        let [sum, _] = terms.float(add, &[either, one]);
        for (limit, is_proved) in [(0x4040_0000, true), (0x403f_ffff, false)] {
            let limit = terms.w32(limit);
            let above = terms.cmp32(crate::domain::Cmp::LtU, &limit, &sum);
            let not_above = terms.not(&above);
            assert_eq!(prover.holds(terms, &facts, not_above).is_closed(), is_proved);
        }
        let (x, y) = (terms.fresh32("x"), terms.fresh32("y"));
        let ([a, _], [b, _]) = (terms.float(add, &[x, y]), terms.float(add, &[y, x]));
        assert!(!prover.equal32(terms, &facts, a, b).is_closed());
        let [again, _] = terms.float(add, &[x, y]);
        assert!(prover.equal32(terms, &facts, a, again).is_closed());
        let mul = Float::Binary(Binary::Mul, Format::F32);
        let [other, _] = terms.float(mul, &[x, y]);
        assert!(!prover.equal32(terms, &facts, a, other).is_closed());
    }

    #[test]
    fn the_solver_knows_the_points() {
        let terms = &mut Terms::new();
        let (mut prover, facts) = (Prover::new(), Facts::new());
        let seven = terms.w32(7);
        for (high, is_proved) in [(1, true), (2, false)] {
            let index = terms.fresh32_within("index", Bounds { low: 0, high, align_log2: 0 });
            let value = at(terms, index);
            let below = terms.cmp32(crate::domain::Cmp::LtU, &value, &seven);
            let not_below = terms.not(&below);
            assert_eq!(prover.holds(terms, &facts, not_below).is_closed(), is_proved);
        }
    }
}
