//! Colouring: one register for each range, so that most values never move.
//!
//! Ensures: ranges that interfere have different registers; no range has a forbidden one. A range
//! that finds no register has none and is placed step by step by `assign`, which never fails.
//!
//! Ranges that like each other are merged first, where Briggs's test says that this cannot make
//! the graph harder. Then the graph is taken apart, light ranges first, and each range on the way
//! back takes the cheapest register that is left. The cost of a register counts bytes and cycles
//! times frequency: wide encodings of r8 and up, saving a preserved register, moves not saved.

use std::collections::{BTreeMap, BTreeSet};

use super::allocated::Calls;
use super::ranges::{Range, RangeData, Ranges};
use crate::vcode::entity::{Entity, TypedVec};
use crate::vcode::reg::{Bank, PReg, RegSet};

/// What saving and restoring a register of r4 to r7 or LR costs, in the unit of `ranges`.
const SAVE_LOW: i64 = 2;
/// The same for r8 to r11, which need wide instructions.
const SAVE_HIGH: i64 = 5;

/// The register, of those that there are, of each range. `calls` says whether LR is saved anyway.
pub fn run(ranges: &Ranges, registers: impl Fn(Bank) -> RegSet, calls: Calls) -> TypedVec<Range, Option<PReg>> {
    let mut graph = Graph::new(ranges, Bank::ALL.map(registers), calls);
    graph.coalesce();
    graph.colour();
    graph.improve();
    let mut colours = Vec::with_capacity(ranges.data.len());
    for range in ranges.data.keys() {
        let root = graph.find(range);
        colours.push(graph.colours[root]);
    }
    colours.into()
}

struct Graph {
    nodes: TypedVec<Range, RangeData>,
    parent: TypedVec<Range, Range>,
    affinities: Vec<(u64, Range, Range)>,
    liked: TypedVec<Range, Vec<(Range, u64)>>,
    colours: TypedVec<Range, Option<PReg>>,
    holders: BTreeMap<PReg, u32>,
    /// By bank, in the order of `Bank::ALL`.
    registers: [RegSet; 2],
    calls: Calls,
}

impl Graph {
    fn new(ranges: &Ranges, registers: [RegSet; 2], calls: Calls) -> Graph {
        let mut affinities: Vec<(u64, Range, Range)> =
            ranges.affinities.iter().map(|(&(a, b), &worth)| (worth, a, b)).collect();
        affinities.sort_unstable_by_key(|&(worth, a, b)| (std::cmp::Reverse(worth), a, b));
        Graph {
            nodes: ranges.data.clone(),
            parent: ranges.data.keys().collect(),
            affinities,
            liked: TypedVec::filled(Vec::new(), ranges.data.len()),
            colours: TypedVec::filled(None, ranges.data.len()),
            holders: BTreeMap::new(),
            registers,
            calls,
        }
    }

    /// The range that this one is merged into. Halves the way there, as chains of merges are long.
    fn find(&mut self, mut range: Range) -> Range {
        while self.parent[range] != range {
            self.parent[range] = self.parent[self.parent[range]];
            range = self.parent[range];
        }
        range
    }

    /// The registers of a range's bank.
    fn registers(&self, range: Range) -> RegSet {
        let [core, float] = self.registers;
        match self.nodes[range].bank {
            Bank::Core | Bank::Either => core,
            Bank::Float => float,
        }
    }

    fn allowed(&self, range: Range) -> RegSet {
        self.registers(range).minus(self.nodes[range].forbidden)
    }

    fn is_significant(&self, range: Range) -> bool {
        self.nodes[range].neighbours.len() >= self.allowed(range).len() as usize
    }

    fn coalesce(&mut self) {
        // A merge can make an earlier pair safe, so the list is gone through again while it helps.
        loop {
            let mut merged = false;
            for (_, a, b) in self.affinities.clone() {
                let (a, b) = (self.find(a), self.find(b));
                if a != b && !self.nodes[a].neighbours.contains(&b) && self.is_safe(a, b) {
                    self.merge(a, b);
                    merged = true;
                }
            }
            if !merged {
                break;
            }
        }
        for (worth, a, b) in self.affinities.clone() {
            let (a, b) = (self.find(a), self.find(b));
            if a != b {
                self.liked[a].push((b, worth));
                self.liked[b].push((a, worth));
            }
        }
    }

    /// George: every hard neighbour of the one is a neighbour of the other already.
    /// Briggs: the merged range has fewer hard neighbours than registers.
    ///
    /// Asks first what looks at the smaller range alone: a range that others merge into becomes large.
    fn is_safe(&self, a: Range, b: Range) -> bool {
        let george = |from: Range, into: Range| {
            self.nodes[from].forbidden.minus(self.nodes[into].forbidden).is_empty()
                && self.nodes[from]
                    .neighbours
                    .iter()
                    .all(|range| self.nodes[into].neighbours.contains(range) || !self.is_significant(*range))
        };
        let degree = |range: Range| self.nodes[range].neighbours.len();
        let (small, large) = if degree(a) <= degree(b) { (a, b) } else { (b, a) };
        george(small, large) || self.is_easy(small, large) || george(large, small)
    }

    fn is_easy(&self, small: Range, large: Range) -> bool {
        let forbidden = self.nodes[small].forbidden.union(self.nodes[large].forbidden);
        let room = self.registers(small).minus(forbidden).len() as usize;
        let [few, many] = [small, large].map(|range| &self.nodes[range].neighbours);
        let hard = |range: &Range| {
            let both = few.contains(range) && many.contains(range);
            let degree = self.nodes[*range].neighbours.len() - usize::from(both);
            degree >= self.allowed(*range).len() as usize
        };
        let union = many.iter().chain(few.iter().filter(|range| !many.contains(range)));
        union.filter(|range| hard(range)).take(room).count() < room
    }

    fn merge(&mut self, a: Range, b: Range) {
        let gone = std::mem::take(&mut self.nodes[b]);
        for &neighbour in &gone.neighbours {
            self.nodes[neighbour].neighbours.remove(&b);
            self.nodes[neighbour].neighbours.insert(a);
        }
        let node = &mut self.nodes[a];
        node.neighbours.extend(gone.neighbours);
        node.forbidden = node.forbidden.union(gone.forbidden);
        node.weight += gone.weight;
        for (reg, worth) in gone.wishes {
            *node.wishes.entry(reg).or_insert(0) += worth;
        }
        self.parent[b] = a;
    }

    fn roots(&self) -> Vec<Range> {
        self.nodes.keys().filter(|&range| self.parent[range] == range).collect()
    }

    fn colour(&mut self) {
        for range in self.removal_order().into_iter().rev() {
            self.paint(range);
        }
    }

    /// Takes the graph apart: a range with fewer neighbours than registers always finds one.
    fn removal_order(&self) -> Vec<Range> {
        let roots = self.roots();
        let mut degree: TypedVec<Range, usize> = self.nodes.values().map(|node| node.neighbours.len()).collect();
        let mut easy = BTreeSet::new();
        let mut hard = BTreeSet::new();
        let room = |range: Range| self.allowed(range).len() as usize;
        // The lightest per neighbour goes first when nothing is easy.
        let key = |range: Range| {
            let node = &self.nodes[range];
            (node.weight / (1 + node.neighbours.len() as u64), range)
        };
        for &range in &roots {
            if degree[range] < room(range) {
                easy.insert((self.nodes[range].weight, range));
            } else {
                hard.insert(key(range));
            }
        }
        let mut removed = TypedVec::<Range, bool>::filled(false, self.nodes.len());
        let mut order = Vec::new();
        while let Some((_, range)) = easy.pop_first().or_else(|| hard.pop_first()) {
            removed[range] = true;
            order.push(range);
            for &other in &self.nodes[range].neighbours {
                if removed[other] {
                    continue;
                }
                degree[other] -= 1;
                if degree[other] + 1 == room(other) {
                    hard.remove(&key(other));
                    easy.insert((self.nodes[other].weight, other));
                }
            }
        }
        order
    }

    /// Gives a range its cheapest register, if one is left.
    fn paint(&mut self, range: Range) {
        if let Some(old) = self.colours[range].take() {
            *self.holders.get_mut(&old).expect("counted") -= 1;
        }
        let taken: RegSet = self.nodes[range].neighbours.iter().filter_map(|&other| self.colours[other]).collect();
        let best = self.allowed(range).minus(taken).iter().min_by_key(|&reg| (self.cost(range, reg), rank(reg)));
        self.colours[range] = best;
        if let Some(reg) = best {
            *self.holders.entry(reg).or_insert(0) += 1;
        }
    }

    fn cost(&self, range: Range, reg: PReg) -> i64 {
        let node = &self.nodes[range];
        let is_short = reg.is_low() || reg.bank() == Bank::Float;
        let mut cost = if is_short { 0 } else { signed(node.weight) };
        let unused = self.holders.get(&reg).is_none_or(|&count| count == 0);
        if unused && RegSet::PRESERVED.contains(reg) {
            cost += if is_short { SAVE_LOW } else { SAVE_HIGH };
        }
        if unused && reg == PReg::LR && self.calls == Calls::None {
            cost += SAVE_LOW;
        }
        cost -= signed(node.wishes.get(&reg).copied().unwrap_or(0));
        for &(other, worth) in &self.liked[range] {
            // A partner without a register yet counts by what it may still get.
            match self.colours[other] {
                Some(colour) if colour == reg => cost -= signed(worth),
                Some(_) => {}
                None => {
                    if let Some(&wish) = self.nodes[other].wishes.get(&reg) {
                        cost -= signed(worth.min(wish) / 2);
                    }
                }
            }
        }
        cost
    }

    /// Repaints each range beside its final neighbours, heaviest first.
    fn improve(&mut self) {
        let mut roots = self.roots();
        roots.sort_by_key(|&range| (std::cmp::Reverse(self.nodes[range].weight), range));
        for _ in 0..3 {
            for &range in &roots {
                self.paint(range);
            }
        }
    }
}

fn signed(worth: u64) -> i64 {
    i64::try_from(worth).unwrap_or(i64::MAX / 1024).min(i64::MAX / 1024)
}

/// Breaks ties: registers that need no saving, low ones first, then the rest in order.
fn rank(reg: PReg) -> usize {
    let number = usize::from(reg.number());
    if reg == PReg::LR { 8 } else { number + usize::from(number >= 8) }
}

/// The order in which `assign` tries registers when a range has none of its own.
pub fn cheapest_first(set: RegSet) -> Vec<PReg> {
    let mut list: Vec<PReg> = set.iter().collect();
    list.sort_by_key(|&reg| rank(reg));
    list
}

/// Whether two ranges that interfere share a register: the property that colouring promises.
pub fn conflicts(ranges: &Ranges, colours: &TypedVec<Range, Option<PReg>>) -> usize {
    ranges
        .data
        .iter()
        .flat_map(|(range, data)| data.neighbours.iter().map(move |&other| (range, other)))
        .filter(|&(a, b)| a.index() < b.index() && colours[a].is_some() && colours[a] == colours[b])
        .count()
}
