//! Operators on floats that others say: what code makes of comparisons is what Wasm has operators for.

use super::{Term32, TermBool, Terms};
use crate::domain::{Cmp, Domain};
use crate::float::{Float, Format, Relation};

/// `ne` as "not `eq`", and `fits` by comparisons; nothing for the other operators.
pub(super) fn by_comparisons(t: &mut Terms, op: Float, words: &[Term32]) -> Option<Term32> {
    let (zero, one) = (t.w32(0), t.w32(1));
    match op {
        Float::Compare(Relation::Ne, format) => {
            let equal = holds(t, Relation::Eq, format, (words, words.len() / 2));
            Some(t.ite32(&equal, &zero, &one))
        }
        Float::Fits(format, ..) => {
            let (relation, low, high) = op.limits()?;
            let [low, high] = [low, high].map(|number| constant(t, format, number));
            let with = |first: &[Term32], second: &[Term32]| [first, second].concat();
            let is_number = holds(t, Relation::Eq, format, (&with(words, words), words.len()));
            let is_high_enough = holds(t, relation, format, (&with(&low, words), words.len()));
            let is_low_enough = holds(t, Relation::Lt, format, (&with(words, &high), words.len()));
            let two = t.w32(2);
            let inside = t.and(&is_high_enough, &is_low_enough);
            let outside = t.ite32(&inside, &zero, &two);
            Some(t.ite32(&is_number, &outside, &one))
        }
        Float::Binary(..)
        | Float::Unary(..)
        | Float::Compare(..)
        | Float::Convert(..)
        | Float::Demote
        | Float::Promote
        | Float::Truncate(..) => None,
    }
}

/// Whether a relation holds of the two floats that these words are, the second from `at` on.
fn holds(t: &mut Terms, relation: Relation, format: Format, (words, at): (&[Term32], usize)) -> TermBool {
    debug_assert_eq!(2 * at, words.len(), "two floats of one format");
    let [truth, _] = t.float(Float::Compare(relation, format), words);
    let zero = t.w32(0);
    let is_false = t.cmp32(Cmp::Eq, &truth, &zero);
    t.not(&is_false)
}

/// The words of a number that the format has.
fn constant(t: &mut Terms, format: Format, number: f64) -> Vec<Term32> {
    match format {
        Format::F32 => vec![t.w32((number as f32).to_bits())],
        Format::F64 => [number.to_bits() as u32, (number.to_bits() >> 32) as u32].map(|word| t.w32(word)).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of numbers at and beside every limit, and of what is no number.
    #[test]
    fn comparisons_say_what_the_operators_are() {
        let limits = Float::all().into_iter().filter_map(Float::limits).flat_map(|(_, low, high)| [low, high]);
        let mut numbers: Vec<f64> = vec![0.0, -0.0, 0.5, -0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for limit in limits {
            let single = limit as f32;
            numbers.extend([limit, limit.next_up(), limit.next_down()]);
            numbers.extend([single.next_up(), single.next_down()].map(f64::from));
        }
        let terms = &mut Terms::new();
        for op in Float::all() {
            let format = match op {
                Float::Compare(Relation::Ne, format) | Float::Fits(format, ..) => format,
                _ => continue,
            };
            for a in &numbers {
                let bits = |number: f64| match format {
                    Format::F32 => vec![(number as f32).to_bits()],
                    Format::F64 => vec![number.to_bits() as u32, (number.to_bits() >> 32) as u32],
                };
                let words: Vec<u32> = match op.operands().len() {
                    1 => bits(*a),
                    _ => [bits(*a), bits(0.0)].concat(),
                };
                let operands: Vec<Term32> = words.iter().map(|word| terms.w32(*word)).collect();
                let said = by_comparisons(terms, op, &operands).and_then(|word| terms.as_const32(word));
                assert_eq!(said, Some(op.value(&words)[0]), "{op:?} of {a}");
            }
        }
    }
}
