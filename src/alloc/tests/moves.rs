//! Parallel moves, as a property: any moves at once, done one after the other.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::alloc::allocated::Place;
use crate::alloc::moves::{Move, Source, sequence};
use crate::vcode::entity::Slot;
use crate::vcode::inst::Inst;
use crate::vcode::reg::PReg;
use crate::vcode::{Bank, VReg};

/// What breaks cycles through memory; no place of any move.
const SPARE: Slot = Slot(9);

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        (0u8..6).prop_map(|number| Place::Reg(PReg::new(number))),
        (0u32..4).prop_map(|at| Place::Slot(Slot(at)))
    ]
}

fn source() -> impl Strategy<Value = Source> {
    let recipe = any::<u32>().prop_map(|value| Source::Recipe(Inst::Const { d: VReg(0), value }));
    prop_oneof![5 => place().prop_map(Source::Place), 1 => recipe]
}

/// What the places hold at first.
fn before(place: Place) -> u32 {
    match place {
        Place::Reg(register) => 0x100 + register.index() as u32,
        Place::Slot(slot) => 0x200 + slot.0,
        Place::Incoming(offset) | Place::Outgoing(offset) => 0x300 + offset,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_destination_gets_what_its_source_had(wanted in vec((place(), source()), 0..10)) {
        let mut taken = BTreeSet::new();
        let wanted: Vec<(Place, Source)> = wanted.into_iter().filter(|(to, _)| taken.insert(*to)).collect();
        let moves = wanted.iter().map(|(to, from)| Move { to: *to, from: from.clone(), name: VReg(1) }).collect();
        let scratch = Bank::Core.scratch();
        let items = sequence(moves, scratch, &mut || SPARE);
        let mut now: BTreeMap<Place, u32> = BTreeMap::new();
        for item in &items {
            let read = |place: Place| now.get(&place).copied().unwrap_or_else(|| before(place));
            let (to, value) = match item.inst {
                Inst::Move { d, m } => (Place::Reg(d), read(Place::Reg(m))),
                Inst::SlotLoad { d, slot } => (Place::Reg(d), read(Place::Slot(slot))),
                Inst::SlotStore { s, slot } => (Place::Slot(slot), read(Place::Reg(s))),
                Inst::Const { d, value } => (Place::Reg(d), value),
                ref other => panic!("{other} is no move"),
            };
            prop_assert!(!item.inst.flags_effect().writes);
            prop_assert_eq!(item.writes.clone(), vec![(to, VReg(1))]);
            now.insert(to, value);
        }
        for (to, from) in &wanted {
            let had = match from {
                Source::Place(from) => before(*from),
                Source::Recipe(Inst::Const { value, .. }) => *value,
                Source::Recipe(other) => panic!("{other} is not drawn"),
            };
            prop_assert_eq!(now.get(to).copied().unwrap_or_else(|| before(*to)), had, "{:?} in {:?}", to, items);
        }
        let mut allowed: BTreeSet<Place> = wanted.iter().map(|(to, _)| *to).collect();
        allowed.extend([Place::Reg(scratch), Place::Slot(SPARE)]);
        prop_assert!(now.keys().all(|place| allowed.contains(place)), "{:?}", items);
    }
}
