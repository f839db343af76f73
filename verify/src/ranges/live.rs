//! The colouring as a table: which value is in which location, and for how long.
//!
//! Nothing here bears on a verdict.

use std::collections::{BTreeMap, BTreeSet};

use crate::hints::{Location, Name};
use crate::segment::walk::Subject;
use crate::verdict::LiveRange;

use super::{Held, Jumps, Ranges, name_words, words};

/// The live ranges of a function: the locations that hold one value which some instruction to come reads, as runs of
/// instructions in the order of their addresses.
pub fn live(subject: &Subject<'_>, jumps: &Jumps) -> Vec<LiveRange> {
    let Ok(mut ranges) = Ranges::read(subject, jumps) else { return Vec::new() };
    ranges.flow();
    let live = ranges.live();
    let mut open: BTreeMap<(Name, Location), (u32, u32)> = BTreeMap::new();
    let mut found = Vec::new();
    let mut close = |(name, location): (Name, Location), (from, to): (u32, u32)| {
        found.push(LiveRange { name: name_words(name), location: words(location), from, to });
    };
    for (at, places) in &live {
        let held = places.iter().filter_map(|place| match ranges.before.get(at)?.get(place)? {
            Held::One(name, _) => Some((*name, *place)),
            Held::Several(..) | Held::Unnamed(_) => None,
        });
        let held: BTreeSet<(Name, Location)> = held.collect();
        let ended: Vec<(Name, Location)> = open.keys().filter(|key| !held.contains(key)).copied().collect();
        for key in ended {
            open.remove(&key).into_iter().for_each(|span| close(key, span));
        }
        for key in held {
            open.entry(key).or_insert((*at, *at)).1 = *at;
        }
    }
    open.into_iter().for_each(|(key, span)| close(key, span));
    found.sort();
    found
}

/// Offsets of the bytes that instructions read as literals and jump tables.
pub fn constants_read(subject: &Subject<'_>, jumps: &Jumps) -> BTreeSet<u32> {
    Ranges::read(subject, jumps).map_or(BTreeSet::new(), |ranges| ranges.constants)
}

impl Ranges<'_> {
    /// By instruction: the locations that it, or one behind it, reads before they are written.
    fn live(&self) -> BTreeMap<u32, BTreeSet<Location>> {
        let mut before: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, step) in &self.steps {
            step.successors.iter().for_each(|next| before.entry(*next).or_default().push(*at));
        }
        let mut live: BTreeMap<u32, BTreeSet<Location>> = BTreeMap::new();
        let mut waiting: BTreeSet<u32> = self.steps.keys().copied().collect();
        while let Some(at) = waiting.pop_last() {
            let Some(step) = self.steps.get(&at) else { continue };
            let behind = step.successors.iter().filter_map(|next| live.get(next)).flatten();
            let kept = behind.filter(|place| step.is_conditional || !step.writes.contains(place));
            let read = step.label.into_iter().flat_map(|label| &label.reads).map(|(place, _)| place);
            let places: BTreeSet<Location> = kept.chain(read).copied().collect();
            if live.get(&at) != Some(&places) {
                live.insert(at, places);
                waiting.extend(before.get(&at).into_iter().flatten());
            }
        }
        live
    }
}
