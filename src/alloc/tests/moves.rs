//! Any parallel moves: run one after the other, the items do what the moves say all at once.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::alloc::allocated::{Item, Place};
use crate::alloc::moves::{Move, Source, sequence};
use crate::vcode::entity::{Entity, Slot};
use crate::vcode::reg::{Bank, PReg};
use crate::vcode::{Inst, VReg};

/// The slot that may break a cycle.
const SPARE: Slot = Slot(100);
/// Registers and slots that moves go between. Few, so that chains and cycles are common.
const PLACES: usize = 12;

/// The registers and slots of a bank by number: half of them registers.
fn place(bank: Bank, number: usize) -> Place {
    let below = u8::try_from(number).expect("few places");
    match (number < PLACES / 2, bank) {
        (true, Bank::Float) => Place::Reg(PReg::double(below)),
        (true, Bank::Core | Bank::Either) => Place::Reg(PReg::new(below)),
        // Two words each, as doubles take.
        (false, _) => Place::Slot(Slot(2 * u32::from(below))),
    }
}

/// For each place, what is moved there, if anything. A number beyond the places is a constant.
fn asked() -> impl Strategy<Value = (Bank, Vec<Option<usize>>)> {
    let core = vec(proptest::option::weighted(0.7, 0..PLACES + 2), PLACES);
    // No recipe computes a number of the floating-point unit.
    let float = vec(proptest::option::weighted(0.7, 0..PLACES), PLACES);
    prop_oneof![(Just(Bank::Core), core), (Just(Bank::Float), float)]
}

/// The name of the value that a place holds at first, or that a recipe computes.
fn name(source: usize) -> VReg {
    VReg::new(source)
}

fn moves(bank: Bank, asked: &[Option<usize>]) -> Vec<Move> {
    let moves = asked.iter().enumerate().filter_map(|(to, from)| {
        let from = (*from)?;
        let source = if from < PLACES {
            Source::Place(place(bank, from))
        } else {
            let value = u32::try_from(from).expect("few places") << 12;
            Source::Recipe(Inst::Const { d: name(from), value })
        };
        Some(Move { to: place(bank, to), from: source, name: name(from) })
    });
    moves.collect()
}

/// The value that each place holds, by name.
type Held = BTreeMap<Place, VReg>;

/// What the items do, by their instructions; their labels must say the same.
fn run(items: &[Item], held: &mut Held) {
    for Item { inst, reads, writes, .. } in items {
        assert!(!inst.flags_effect().writes, "{inst} writes the flags");
        let (to, value) = match *inst {
            Inst::Move { d, m } => (Place::Reg(d), held[&Place::Reg(m)]),
            Inst::SlotLoad { d, slot } => (Place::Reg(d), held[&Place::Slot(slot)]),
            Inst::SlotStore { s, slot } => (Place::Slot(slot), held[&Place::Reg(s)]),
            Inst::Const { d, value } => (Place::Reg(d), name((value >> 12) as usize)),
            ref other => panic!("{other} is no move"),
        };
        for (place, label) in reads {
            assert_eq!(held[place], *label, "{inst}");
        }
        assert_eq!(writes[..], [(to, value)], "{inst}");
        held.insert(to, value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_destination_gets_what_its_source_had((bank, asked) in asked(), order in any::<prop::sample::Index>()) {
        let mut moves = moves(bank, &asked);
        if !moves.is_empty() {
            let first = order.index(moves.len());
            moves.rotate_left(first);
        }
        let before: Held = (0..PLACES).map(|number| (place(bank, number), name(number))).collect();
        let mut expected = before.clone();
        expected.extend(moves.iter().map(|asked| (asked.to, asked.name)));

        let items = sequence(moves, bank.scratch(), &mut || SPARE);
        let mut held = before;
        run(&items, &mut held);
        held.remove(&Place::Reg(bank.scratch()));
        held.remove(&Place::Slot(SPARE));
        prop_assert_eq!(held, expected);
    }

    #[test]
    fn what_is_no_cycle_takes_one_item_each((bank, asked) in asked()) {
        // Each place from one with a lower number, so that nothing goes round.
        let downwards = |(to, from): (usize, &Option<usize>)| from.map(|from| from % to.max(1)).filter(|_| to > 0);
        let asked: Vec<Option<usize>> = asked.iter().enumerate().map(downwards).collect();
        let moves = moves(bank, &asked);
        let in_memory = |place: &Place| matches!(place, Place::Slot(_));
        let cost = |asked: &Move| match &asked.from {
            Source::Place(from) => 1 + usize::from(in_memory(from) && in_memory(&asked.to)),
            Source::Recipe(_) => 1,
        };
        let expected: usize = moves.iter().map(cost).sum();
        let items = sequence(moves, bank.scratch(), &mut || panic!("nothing goes round"));
        prop_assert_eq!(items.len(), expected);
    }
}
