//! Counts what allocation cost.

use std::collections::BTreeSet;

use synth_verify::hints::Class;

use super::allocated::{Allocated, Stats};
use super::spill::{Facts, Point, visit_points};
use crate::vcode::VReg;
use crate::vcode::reg::{Bank, RegSet};

/// The counts of a function, but for what `assign` and `colour` count.
pub fn run(facts: &Facts<'_>, slotted: &BTreeSet<VReg>, allocated: &Allocated) -> Stats {
    let mut stats = Stats { spilled: count(slotted.len()), ..Stats::default() };
    let mut values: BTreeSet<VReg> = BTreeSet::new();
    let mut crowded: BTreeSet<VReg> = BTreeSet::new();
    for &block in &facts.flow.order {
        visit_points(facts, block, &mut |live, point| {
            values.extend(live);
            stats.pressure_max = stats.pressure_max.max(count(live.len()));
            if point == Point::AcrossCall {
                stats.call_pressure_max = stats.call_pressure_max.max(count(live.len()));
            }
            for bank in Bank::ALL {
                let room = match point {
                    Point::Plain => facts.registers(bank),
                    Point::AcrossCall => facts.registers_across_call(bank),
                };
                let of_bank = facts.of_bank(live, bank);
                if of_bank.len() > room {
                    crowded.extend(of_bank);
                }
            }
        });
    }
    stats.values = count(values.len());
    stats.spurious = slotted.difference(&crowded).copied().collect();
    let mut used = RegSet::EMPTY;
    for item in allocated.blocks.values().flat_map(|block| &block.items) {
        used = item.inst.defs().into_iter().collect::<RegSet>().union(used);
        match item.class {
            Class::Spill => stats.spills += 1,
            Class::Reload => stats.reloads += 1,
            Class::Remat => stats.remats += 1,
            Class::Move => stats.moves += 1,
            Class::Direct | Class::Check | Class::Trap | Class::Frame => {}
        }
    }
    stats.colours = used.len();
    stats
}

/// A number of things as a count.
pub fn count(items: usize) -> u32 {
    u32::try_from(items).expect("fewer than 2^32 values")
}
