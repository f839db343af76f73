//! Live ranges in registers, their interference, and what each would like.
//!
//! Requires: a plan of a prepared function.
//! Ensures: a range is a maximal part of a value's life in registers that is connected by control
//! flow. Two ranges interfere if one starts while the other is in a register. Ranges that do not
//! interfere can share a register all the time; a range kept out of `forbidden` never stands in
//! a call's way.

use std::collections::{BTreeMap, BTreeSet};

use super::spill::{Facts, Plan, Step};
use crate::entity;
use crate::vcode::entity::{Block, Entity, TypedVec};
use crate::vcode::float::{FloatInst, Part};
use crate::vcode::inst::{AluOp, Choice, Inst, Operand2, ShiftBy};
use crate::vcode::operands::{Constraint, Role};
use crate::vcode::reg::{Bank, PReg, RegSet};
use crate::vcode::{Terminator, VReg};

entity! {
    /// A live range in registers.
    Range, "range";
}

/// The ranges of a function.
#[derive(Default)]
pub struct Ranges {
    /// The range of each value at each block's head.
    pub entry: TypedVec<Block, BTreeMap<VReg, Range>>,
    /// The range of each value at each block's end.
    pub exit: TypedVec<Block, BTreeMap<VReg, Range>>,
    /// The ranges that start at each step of each block.
    pub starts: TypedVec<Block, Vec<Vec<(VReg, Range)>>>,
    /// What is known of each range. Only representatives have ranges of their own.
    pub data: TypedVec<Range, RangeData>,
    /// Pairs that would like one register, with what that saves.
    pub affinities: BTreeMap<(Range, Range), u64>,
}

/// A range.
#[derive(Clone, Default)]
pub struct RangeData {
    /// What its registers are of.
    pub bank: Bank,
    /// Ranges of its bank it may not share a register with.
    pub neighbours: BTreeSet<Range>,
    /// Registers that a call destroys while it is live.
    pub forbidden: RegSet,
    /// How often it is an operand.
    pub weight: u64,
    /// Registers that save a move, with what that saves.
    pub wishes: BTreeMap<PReg, u64>,
}

/// What a saved move is worth, against 1 for a high register where a low one would do.
const MOVE: u64 = 2;

/// Builds the ranges of a plan.
pub fn run(facts: &Facts<'_>, plan: &Plan) -> Ranges {
    let mut parts = Parts::new(facts, plan);
    for &block in &facts.flow.order {
        parts.connect(facts, plan, block);
    }
    let mut ranges = parts.into_ranges(facts);
    for &block in &facts.flow.order {
        Builder { facts, ranges: &mut ranges, block, now: BTreeMap::new(), worth: 0 }.build(plan);
    }
    ranges
}

/// Parts of ranges inside one block, with a union-find over them.
struct Parts {
    entry: TypedVec<Block, BTreeMap<VReg, Range>>,
    exit: TypedVec<Block, BTreeMap<VReg, Range>>,
    starts: TypedVec<Block, Vec<Vec<(VReg, Range)>>>,
    parent: Vec<usize>,
}

impl Parts {
    fn new(facts: &Facts<'_>, plan: &Plan) -> Parts {
        let count = facts.func.blocks.len();
        let mut parts = Parts {
            entry: TypedVec::filled(BTreeMap::new(), count),
            exit: TypedVec::filled(BTreeMap::new(), count),
            starts: TypedVec::filled(Vec::new(), count),
            parent: Vec::new(),
        };
        for &block in &facts.flow.order {
            let blocks = &plan.blocks[block];
            let mut now: BTreeMap<VReg, Range> = blocks.entry.iter().map(|&vreg| (vreg, parts.fresh())).collect();
            parts.entry[block] = now.clone();
            for step in &blocks.steps {
                let started: Vec<VReg> = match step {
                    Step::Reload(vreg) => vec![*vreg],
                    Step::Inst(index, _) => facts.func.blocks[block].insts[*index].inst.defs(),
                    Step::Drop(_) | Step::Spill(_) => vec![],
                };
                let started: Vec<(VReg, Range)> = started.into_iter().map(|vreg| (vreg, parts.fresh())).collect();
                now.extend(started.iter().copied());
                match step {
                    Step::Drop(vreg) => {
                        now.remove(vreg);
                    }
                    Step::Inst(_, leaving) => now.retain(|vreg, _| !leaving.contains(vreg)),
                    Step::Reload(_) | Step::Spill(_) => {}
                }
                parts.starts[block].push(started);
            }
            parts.exit[block] = now;
        }
        parts
    }

    fn fresh(&mut self) -> Range {
        self.parent.push(self.parent.len());
        Range::new(self.parent.len() - 1)
    }

    fn root(&mut self, part: Range) -> usize {
        let mut at = part.index();
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn connect(&mut self, facts: &Facts<'_>, plan: &Plan, block: Block) {
        for &succ in &facts.flow.succs[block] {
            for &vreg in &plan.blocks[succ].entry {
                if facts.func.blocks[succ].params.contains(&vreg) {
                    continue;
                }
                if let Some(&out) = self.exit[block].get(&vreg) {
                    let (a, b) = (self.root(out), self.root(self.entry[succ][&vreg]));
                    self.parent[a.max(b)] = a.min(b);
                }
            }
        }
    }

    fn into_ranges(mut self, facts: &Facts<'_>) -> Ranges {
        let mut ranges = Ranges::default();
        let mut number: BTreeMap<usize, Range> = BTreeMap::new();
        let mut name = vec![];
        for part in 0..self.parent.len() {
            let root = self.root(Range::new(part));
            let data = &mut ranges.data;
            name.push(*number.entry(root).or_insert_with(|| data.push(RangeData::default())));
        }
        for maps in self.entry.values_mut().chain(self.exit.values_mut()) {
            maps.values_mut().for_each(|part| *part = name[part.index()]);
        }
        for steps in self.starts.values_mut() {
            steps.iter_mut().flatten().for_each(|(_, part)| *part = name[part.index()]);
        }
        let at_heads = self.entry.values().flatten().map(|(vreg, range)| (*vreg, *range));
        let started = self.starts.values().flatten().flatten().copied();
        for (vreg, range) in at_heads.chain(started) {
            ranges.data[range].bank = facts.bank(vreg);
        }
        ranges.entry = self.entry;
        ranges.exit = self.exit;
        ranges.starts = self.starts;
        ranges
    }
}

struct Builder<'a> {
    facts: &'a Facts<'a>,
    ranges: &'a mut Ranges,
    block: Block,
    now: BTreeMap<VReg, Range>,
    worth: u64,
}

impl Builder<'_> {
    fn build(mut self, plan: &Plan) {
        let facts = self.facts;
        self.worth = facts.flow.frequency(self.block);
        self.now = self.ranges.entry[self.block].clone();
        let entry: Vec<Range> = self.now.values().copied().collect();
        for (index, &range) in entry.iter().enumerate() {
            entry[..index].iter().for_each(|&other| self.interfere(range, other));
        }
        let data = &facts.func.blocks[self.block];
        for (place, step) in plan.blocks[self.block].steps.iter().enumerate() {
            let started = self.ranges.starts[self.block][place].clone();
            match step {
                Step::Drop(vreg) => {
                    self.now.remove(vreg);
                }
                Step::Spill(vreg) => self.count(*vreg),
                Step::Reload(vreg) => {
                    self.start(&started);
                    self.count(*vreg);
                }
                Step::Inst(index, leaving) => {
                    self.inst(&data.insts[*index].inst, leaving, &started);
                }
            }
        }
        for operand in data.terminator.operands() {
            self.count(operand.reg);
            if let Constraint::Fixed(reg) = operand.constraint {
                self.wish(operand.reg, reg);
            }
        }
        self.edges(&data.terminator);
    }

    fn inst(&mut self, inst: &Inst<VReg>, leaving: &[VReg], started: &[(VReg, Range)]) {
        let operands = inst.operands();
        let before = self.now.clone();
        for operand in operands.iter().filter(|operand| operand.role == Role::Use) {
            self.count(operand.reg);
            if let Constraint::Fixed(reg) = operand.constraint
                && leaving.contains(&operand.reg)
            {
                self.wish(operand.reg, reg);
            }
        }
        self.now.retain(|vreg, _| !leaving.contains(vreg));
        let clobbers = inst.clobbers();
        for range in self.now.values() {
            let data = &mut self.ranges.data[*range];
            data.forbidden = data.forbidden.union(clobbers);
        }
        self.start(started);
        for operand in operands.iter().filter(|operand| operand.role == Role::Def) {
            self.count(operand.reg);
            match operand.constraint {
                Constraint::Fixed(reg) => self.wish(operand.reg, reg),
                Constraint::Tied(place) => {
                    let tied = operands[place].reg;
                    let to = self.now.get(&operand.reg).copied();
                    self.like(before.get(&tied).copied(), to, 2 * MOVE);
                }
                Constraint::Any => {}
            }
        }
        for (d, n) in narrow_pairs(inst) {
            let saves_move =
                matches!(inst, Inst::Move { .. } | Inst::Float(FloatInst::Pack { .. } | FloatInst::Unpack { .. }));
            let worth = if saves_move { MOVE } else { 1 };
            if leaving.contains(&n) {
                let to = self.now.get(&d).copied();
                self.like(before.get(&n).copied(), to, worth);
            }
        }
        self.now.retain(|vreg, _| !leaving.contains(vreg));
    }

    /// Starts ranges together, beside all that are in registers now.
    fn start(&mut self, started: &[(VReg, Range)]) {
        for &(vreg, range) in started {
            for other in self.now.values().copied().collect::<Vec<_>>() {
                self.interfere(range, other);
            }
            self.now.insert(vreg, range);
        }
    }

    fn edges(&mut self, terminator: &Terminator<VReg>) {
        for edge in terminator.edges() {
            let params = &self.facts.func.blocks[edge.block].params;
            for (param, arg) in params.iter().zip(&edge.args) {
                let entered = self.ranges.entry[edge.block].get(param).copied();
                let passed = self.now.get(arg).copied();
                self.like(passed, entered, MOVE);
            }
        }
    }

    fn interfere(&mut self, a: Range, b: Range) {
        if a != b && self.ranges.data[a].bank == self.ranges.data[b].bank {
            self.ranges.data[a].neighbours.insert(b);
            self.ranges.data[b].neighbours.insert(a);
        }
    }

    fn count(&mut self, vreg: VReg) {
        if let Some(&range) = self.now.get(&vreg) {
            self.ranges.data[range].weight += self.worth;
        }
    }

    fn wish(&mut self, vreg: VReg, reg: PReg) {
        if let Some(&range) = self.now.get(&vreg) {
            *self.ranges.data[range].wishes.entry(reg).or_insert(0) += MOVE * self.worth;
        }
    }

    fn like(&mut self, a: Option<Range>, b: Option<Range>, worth: u64) {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
            && self.ranges.data[a].bank == self.ranges.data[b].bank
        {
            let pair = (a.min(b), a.max(b));
            *self.ranges.affinities.entry(pair).or_insert(0) += worth * self.worth;
        }
    }
}

/// Pairs of a definition and a use that make the instruction shorter when they share a register.
fn narrow_pairs(inst: &Inst<VReg>) -> Vec<(VReg, VReg)> {
    match *inst {
        Inst::Move { d, m } => vec![(d, m)],
        Inst::Alu { op, d, n, m, .. } => {
            let mut pairs = match (op, m) {
                (AluOp::Rsb | AluOp::Orn, _) | (_, Operand2::Shifted(..)) => vec![],
                (AluOp::Add | AluOp::Sub, Operand2::Reg(_)) => vec![],
                (AluOp::Add | AluOp::Sub, Operand2::Imm(imm)) if imm.value() < 256 => vec![(d, n)],
                (_, Operand2::Imm(_)) => vec![],
                (_, Operand2::Reg(_)) => vec![(d, n)],
            };
            if let Operand2::Reg(m) = m
                && op.commutes()
                && op != AluOp::Add
            {
                pairs.push((d, m));
            }
            pairs
        }
        Inst::Shift { d, n, by: ShiftBy::Reg(_), .. } => vec![(d, n)],
        Inst::Mul { d, n, m } => vec![(d, n), (d, m)],
        Inst::Float(FloatInst::Pack { d, n, .. }) => vec![(d, n)],
        Inst::Float(FloatInst::Unpack { d, m, part: Part::Low }) => vec![(d, m)],
        Inst::Select { d, a, b, .. } => [a, b]
            .into_iter()
            .filter_map(|choice| match choice {
                Choice::Reg(m) => Some((d, m)),
                Choice::Imm(_) => None,
            })
            .collect(),
        _ => vec![],
    }
}
