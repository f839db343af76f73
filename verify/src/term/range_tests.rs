//! Any range: whatever is computed from ranges contains what is computed from their members.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::node::{Arena, BitOp, Bits, Bounds, Id, Linear, Node, Sort, SymbolInfo, Width};
use super::range::{Range, of_node, remainder_divisor};
use super::{Term32, Terms, value};
use crate::domain::{Bin32, Domain, Un32};

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

/// Small words, words near a power of two, and any.
fn word() -> impl Strategy<Value = u32> {
    let near_power = (0u32..32, 0u32..5).prop_map(|(bit, by)| (1u32 << bit).wrapping_add(by).wrapping_sub(2));
    prop_oneof![0u32..40, near_power.clone(), near_power.prop_map(|word: u32| !word), any::<u32>()]
}

/// A range and one of its members.
fn member() -> impl Strategy<Value = (Range, u32)> {
    let known = prop_oneof![Just(0u32), Just(u32::MAX), word(), any::<u32>()];
    (word(), known, word(), word()).prop_map(|(member, known, below, above)| {
        let bits = Range::of_bits(!member & known, member & known);
        let between = Range::between(member.saturating_sub(below), member.saturating_add(above));
        (bits.meet(between), member)
    })
}

fn contains(range: Range, member: u32) -> bool {
    let bits = member & range.zeros == 0 && member & range.ones == range.ones;
    (range.low..=range.high).contains(&member) && bits && !range.is_empty()
}

/// The range of a node whose operands are the symbols of `members`, by number.
fn of(node: &Node, members: &[(Range, u32)]) -> Range {
    of_node(node, Bounds::ALL, |id| members[id.index()].0)
}

/// As many symbols.
fn symbols<const N: usize>() -> [Id; N] {
    let mut arena = Arena::default();
    let info = SymbolInfo { name: "x".to_owned(), sort: Sort::W32, bounds: Bounds::ALL, is_region: false };
    [(); N].map(|()| arena.fresh(info.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8000))]

    #[test]
    fn operators_contain_their_values(a in member(), b in member()) {
        let (members, [x, y]) = ([a, b], symbols());
        for op in UN32 {
            let (range, value) = (of(&Node::Un32(op, x), &members), value::un32(op, a.1));
            prop_assert!(contains(range, value), "{op:?}: {value:#x} is not in {range:?}");
        }
        for op in BIN32 {
            let (range, value) = (of(&Node::Bin32(op, x, y), &members), value::bin32(op, a.1, b.1));
            prop_assert!(contains(range, value), "{op:?}: {value:#x} is not in {range:?}");
        }
    }

    #[test]
    fn shifts_by_a_constant_contain_their_values(a in member(), count in 0u32..40) {
        let (members, [x, y]) = ([a, (Range::of_const(count), count)], symbols());
        for op in &BIN32[10..] {
            let (range, value) = (of(&Node::Bin32(*op, x, y), &members), value::bin32(*op, a.1, count));
            prop_assert!(contains(range, value), "{op:?}: {value:#x} is not in {range:?}");
        }
    }

    #[test]
    fn sums_and_products_contain_their_values(
        members in [member(), member(), member()],
        factors in [word(), word(), word()],
        constant in word(),
    ) {
        let ids: [Id; 3] = symbols();
        let monomials = ids.into_iter().zip(factors).filter(|(_, factor)| *factor != 0).collect();
        let range = of(&Node::Linear(Linear { monomials, constant }), &members);
        let terms = members.iter().zip(factors).map(|((_, member), factor)| member.wrapping_mul(factor));
        let value = terms.fold(constant, u32::wrapping_add);
        prop_assert!(contains(range, value), "a sum: {value:#x} is not in {range:?}");

        let range = of(&Node::Product(ids.into()), &members);
        let value = members.iter().fold(1u32, |product, (_, member)| product.wrapping_mul(*member));
        prop_assert!(contains(range, value), "a product: {value:#x} is not in {range:?}");
    }

    #[test]
    fn bits_choices_and_loads_contain_their_values(
        members in [member(), member(), member()],
        constant in word(),
        op in select(vec![BitOp::And, BitOp::Or, BitOp::Xor]),
    ) {
        let ids: [Id; 3] = symbols();
        let range = of(&Node::Bits(Bits { op, operands: ids.into(), constant }), &members);
        let value = members.iter().fold(constant, |word, (_, member)| match op {
            BitOp::And => word & member,
            BitOp::Or => word | member,
            BitOp::Xor => word ^ member,
        });
        prop_assert!(contains(range, value), "{op:?}: {value:#x} is not in {range:?}");

        let range = of(&Node::Ite(ids[0], ids[1], ids[2]), &members);
        prop_assert!(contains(range, members[1].1) && contains(range, members[2].1), "{range:?}");

        for width in [Width::Byte, Width::Half, Width::Word] {
            let range = of(&Node::Load(width, ids[0], ids[1]), &members);
            prop_assert!(contains(range, constant & width.mask()), "{range:?}");
        }
    }

    #[test]
    fn sets_are_met_and_joined((a, x) in member(), (b, y) in member()) {
        prop_assert!(contains(a.join(b), x) && contains(a.join(b), y), "{:?}", a.join(b));
        let both = a.meet(b);
        for member in [x, y] {
            let expected = contains(a, member) && contains(b, member);
            prop_assert_eq!(contains(both, member), expected, "{:?}", both);
        }
        prop_assert_eq!(contains(a, y), contains(a.meet(Range::ALL), y));
        prop_assert!(a.constant().is_none_or(|only| only == x));
        prop_assert!(a.sign().is_none_or(|sign| sign == (x >> 31 == 1)));
        prop_assert!(x.trailing_zeros() >= a.trailing_zeros());
        prop_assert_eq!(x & !a.possible(), 0);
    }

    #[test]
    fn bounds_of_a_symbol_contain_what_keeps_them(low in word(), more in word(), align_log2 in 0u32..32, at in word()) {
        let bounds = Bounds { low, high: low.saturating_add(more), align_log2 };
        let aligned = at >> align_log2 << align_log2;
        let member = (bounds.low..=bounds.high).contains(&aligned);
        prop_assert!(!member || contains(Range::of_bounds(bounds), aligned), "{bounds:?}");
    }

    #[test]
    fn a_remainder_is_below_its_divisor(
        parts in vec((0usize..2, word()), 0..3),
        constant in word(),
        (factor, divisor) in (word(), word()),
        values in [word(), word()],
    ) {
        // x - (x / k) * f, where f is k as often as not.
        let factor = if factor % 2 == 0 { divisor } else { factor };
        let mut terms = Terms::new();
        let symbols = [terms.fresh32("x"), terms.fresh32("y")];
        let mut dividend = terms.w32(constant);
        let mut number = constant;
        for (at, by) in parts {
            let by_term = terms.w32(by);
            let part = terms.bin32(Bin32::Mul, &symbols[at], &by_term);
            dividend = terms.bin32(Bin32::Add, &dividend, &part);
            number = number.wrapping_add(values[at].wrapping_mul(by));
        }
        let rest = remainder(&mut terms, dividend, divisor, factor);
        let value = number.wrapping_sub(number.checked_div(divisor).unwrap_or(0).wrapping_mul(factor));
        if let Some(bound) = remainder_divisor(terms.arena(), rest.norm) {
            prop_assert!(value < bound, "{value} is not below {bound}");
        }
    }
}

fn remainder(terms: &mut Terms, dividend: Term32, divisor: u32, factor: u32) -> Term32 {
    let (divisor, factor) = (terms.w32(divisor), terms.w32(factor));
    let quotient = terms.bin32(Bin32::DivU, &dividend, &divisor);
    let whole = terms.bin32(Bin32::Mul, &quotient, &factor);
    terms.bin32(Bin32::Sub, &dividend, &whole)
}
