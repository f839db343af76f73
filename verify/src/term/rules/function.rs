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
