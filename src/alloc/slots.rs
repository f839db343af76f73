//! Slots of the spill area: values that are never live together share one.
//!
//! Ensures: two values of `slotted` that are live at one point have different slots. A parameter
//! takes the slot of an argument where it can, so that the edge moves nothing. Slots of the banks differ: a slot
//! of the floating-point unit has two words if any of its values has.

use std::collections::{BTreeMap, BTreeSet};

use super::spill::{Facts, visit_points};
use crate::vcode::VReg;
use crate::vcode::entity::Slot;
use crate::vcode::reg::Bank;

/// The slot of each value, and how many words there are.
pub fn run(facts: &Facts<'_>, slotted: &BTreeSet<VReg>) -> (BTreeMap<VReg, Slot>, u32) {
    let mut slots: BTreeMap<VReg, Slot> = BTreeMap::new();
    let mut words = 0;
    for bank in Bank::ALL {
        let of_bank = facts.of_bank(slotted, bank);
        let step = of_bank.iter().map(|vreg| facts.func.classes[*vreg].words()).max().unwrap_or(1);
        let (numbers, count) = numbered(facts, &of_bank);
        slots.extend(numbers.into_iter().map(|(vreg, number)| (vreg, Slot(words + step * number.0))));
        words += step * count;
    }
    (slots, words)
}

/// The slot of each value of a bank by number, and how many there are.
fn numbered(facts: &Facts<'_>, slotted: &BTreeSet<VReg>) -> (BTreeMap<VReg, Slot>, u32) {
    let beside = interference(facts, slotted);
    let mut partners: BTreeMap<VReg, BTreeSet<VReg>> = BTreeMap::new();
    for data in facts.func.blocks.values() {
        for edge in data.terminator.edges() {
            for (&param, &arg) in facts.func.blocks[edge.block].params.iter().zip(&edge.args) {
                partners.entry(param).or_default().insert(arg);
                partners.entry(arg).or_default().insert(param);
            }
        }
    }
    let mut slots: BTreeMap<VReg, Slot> = BTreeMap::new();
    let mut count = 0;
    for &vreg in slotted {
        let others = beside.get(&vreg).into_iter().flatten();
        let taken: BTreeSet<Slot> = others.filter_map(|other| slots.get(other)).copied().collect();
        let liked = partners.get(&vreg).into_iter().flatten();
        let mut liked = liked.filter_map(|other| slots.get(other)).copied();
        let slot = liked
            .find(|slot| !taken.contains(slot))
            .or_else(|| (0..count).map(Slot).find(|slot| !taken.contains(slot)))
            .unwrap_or(Slot(count));
        count = count.max(slot.0 + 1);
        slots.insert(vreg, slot);
    }
    (slots, count)
}

/// In SSA form two values are live together exactly if one is live where the other is defined.
fn interference(facts: &Facts<'_>, slotted: &BTreeSet<VReg>) -> BTreeMap<VReg, BTreeSet<VReg>> {
    let mut beside: BTreeMap<VReg, BTreeSet<VReg>> = BTreeMap::new();
    if slotted.is_empty() {
        return beside;
    }
    for &block in &facts.flow.order {
        let params = &facts.func.blocks[block].params;
        let mut before: Option<BTreeSet<VReg>> = None;
        visit_points(facts, block, &mut |live, _| {
            let live: BTreeSet<VReg> = live.intersection(slotted).copied().collect();
            let is_new = |vreg: &VReg| match &before {
                None => params.contains(vreg),
                Some(before) => !before.contains(vreg),
            };
            for &new in live.iter().filter(|&vreg| is_new(vreg)) {
                beside.entry(new).or_default().extend(&live);
                for &other in &live {
                    beside.entry(other).or_default().insert(new);
                }
            }
            before = Some(live);
        });
    }
    beside
}
