//! Assignment: walks the plan and writes the instructions over physical registers.
//!
//! Requires: a plan, and colours for some ranges such that ranges that interfere differ.
//! Ensures: every operand is in a register that its constraint allows; a value with a colour is
//! in it everywhere except between a fixed definition and the move right behind it.
//!
//! Why this never fails: before any item there are no more values than registers, so a reload or a
//! definition finds one free; no more live across a call than it preserves registers, and the
//! move to there and to the argument registers is parallel, so it needs no free register.
//! Colours only say which free register to take. Values without colours take any, and make way
//! by a move where a call needs their register.

use std::collections::BTreeMap;

use synth_verify::hints::Class;

use super::allocated::{Item, Place};
use super::colour::cheapest_first;
use super::moves::{self, Move, Source};
use super::ranges::{Range, Ranges};
use super::redundant;
use super::spill::{Facts, Plan, Step};
use crate::vcode::entity::{Block, Slot, TypedVec};
use crate::vcode::func::{Node, Purpose};
use crate::vcode::operands::{Constraint, Operand, Role};
use crate::vcode::reg::{Bank, PReg, RegSet};
use crate::vcode::{Edge, Inst, Terminator, VReg};

/// Everything that was decided before.
pub struct Decisions<'a> {
    /// The function.
    pub facts: &'a Facts<'a>,
    /// What is in registers.
    pub plan: &'a Plan,
    /// Live ranges.
    pub ranges: &'a Ranges,
    /// Their registers.
    pub colours: &'a TypedVec<Range, Option<PReg>>,
    /// The slot of each value that has one.
    pub slots: &'a BTreeMap<VReg, Slot>,
}

impl Decisions<'_> {
    /// The registers that a range may have.
    fn registers(&self, range: Range) -> RegSet {
        self.facts.allocable(self.ranges.data[range].bank)
    }
}

/// The code of one block.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Registers at the head.
    pub entry: BTreeMap<VReg, PReg>,
    /// Registers before the terminator and the moves of its edge.
    pub exit: BTreeMap<VReg, PReg>,
    /// The items.
    pub items: Vec<Item>,
    /// The end, edges without arguments.
    pub terminator: Option<Terminator<PReg>>,
    /// What the end reads.
    pub terminator_reads: Vec<(Place, VReg)>,
    /// For each edge: place, name before, name after.
    pub renames: Vec<Vec<(Place, VReg, VReg)>>,
}

/// The code of all blocks.
pub struct Assigned {
    /// By block.
    pub code: TypedVec<Block, Code>,
    /// Number of slots, a spare one included if it was needed.
    pub slots: u32,
    /// Moves asked for that need no instruction.
    pub coalesced: u32,
}

/// Writes the code of each block.
pub fn run(decisions: &Decisions<'_>, slot_count: u32) -> Assigned {
    let blocks = decisions.facts.func.blocks.len();
    let mut assigner = Assigner {
        of: decisions,
        code: TypedVec::filled(Code::default(), blocks),
        // One word for the core, and behind it two for the floating-point unit.
        spare: Spare { first: slot_count, words: 0 },
        coalesced: 0,
    };
    for &block in &decisions.facts.flow.order {
        assigner.block(block);
    }
    for &block in &decisions.facts.flow.order {
        assigner.edges(block);
        let code = &mut assigner.code[block];
        assigner.coalesced += redundant::run(&code.entry, &mut code.items);
    }
    let slots = slot_count + assigner.spare.words;
    Assigned { code: assigner.code, slots, coalesced: assigner.coalesced }
}

struct Spare {
    first: u32,
    words: u32,
}

impl Spare {
    fn take(&mut self, bank: Bank) -> Slot {
        let (offset, end) = if bank == Bank::Float { (1, 3) } else { (0, 1) };
        self.words = self.words.max(end);
        Slot(self.first + offset)
    }
}

struct Assigner<'a> {
    of: &'a Decisions<'a>,
    code: TypedVec<Block, Code>,
    spare: Spare,
    coalesced: u32,
}

/// Registers while one block is walked.
struct Walk {
    now: BTreeMap<VReg, PReg>,
    range: BTreeMap<VReg, Range>,
    items: Vec<Item>,
}

impl Walk {
    fn occupied(&self) -> RegSet {
        self.now.values().copied().collect()
    }

    fn reads(&self, vregs: impl IntoIterator<Item = VReg>) -> Vec<(Place, VReg)> {
        vregs.into_iter().map(|vreg| (Place::Reg(self.now[&vreg]), vreg)).collect()
    }
}

impl Assigner<'_> {
    fn block(&mut self, block: Block) {
        let entry = self.entry_registers(block);
        let mut walk = Walk { now: entry.clone(), range: self.of.ranges.entry[block].clone(), items: Vec::new() };
        let data = &self.of.facts.func.blocks[block];
        for (place, step) in self.of.plan.blocks[block].steps.iter().enumerate() {
            walk.range.extend(self.of.ranges.starts[block][place].iter().copied());
            match step {
                Step::Drop(vreg) => {
                    walk.now.remove(vreg);
                }
                Step::Spill(vreg) => {
                    let (to, name) = (Place::Slot(self.of.slots[vreg]), *vreg);
                    let from = Source::Place(Place::Reg(walk.now[vreg]));
                    self.moves(&mut walk, vec![Move { to, from, name }]);
                }
                Step::Reload(vreg) => {
                    let reg = self.pick(&walk, *vreg, walk.occupied());
                    let (to, from) = (Place::Reg(reg), self.memory(*vreg));
                    self.moves(&mut walk, vec![Move { to, from, name: *vreg }]);
                    walk.now.insert(*vreg, reg);
                }
                Step::Inst(index, leaving) => {
                    self.inst(&mut walk, (&data.insts[*index], &data.insts[index + 1..]), leaving);
                }
            }
        }
        let code = &mut self.code[block];
        code.entry = entry;
        code.exit = walk.now.clone();
        self.end(&mut walk, &data.terminator, block);
        self.code[block].items = walk.items;
    }

    /// Values with colours are in them; the others stay where a predecessor has them, if they can.
    fn entry_registers(&self, block: Block) -> BTreeMap<VReg, PReg> {
        let flow = self.of.facts.flow;
        let func = self.of.facts.func;
        let ranges = &self.of.ranges.entry[block];
        if let Some((&pred, more)) = flow.preds[block].split_first()
            && more.iter().all(|&other| other == pred)
            && func.blocks[block].params.is_empty()
        {
            let exit = &self.code[pred].exit;
            return ranges.keys().map(|vreg| (*vreg, exit[vreg])).collect();
        }
        let mut entry: BTreeMap<VReg, PReg> =
            ranges.iter().filter_map(|(&vreg, &range)| Some((vreg, self.of.colours[range]?))).collect();
        for (&vreg, &range) in ranges {
            if self.of.colours[range].is_some() {
                continue;
            }
            let occupied: RegSet = entry.values().copied().collect();
            let there = flow.preds[block]
                .iter()
                .find_map(|&pred| self.code[pred].exit.get(&vreg).copied().filter(|&reg| !occupied.contains(reg)));
            let reg = there.unwrap_or_else(|| self.pick_any(range, occupied));
            entry.insert(vreg, reg);
        }
        entry
    }

    /// The colour of a value's range if it is free, else some free register.
    fn pick(&self, walk: &Walk, vreg: VReg, occupied: RegSet) -> PReg {
        let range = walk.range[&vreg];
        match self.of.colours[range] {
            Some(reg) if !occupied.contains(reg) => reg,
            _ => self.pick_any(range, occupied),
        }
    }

    fn pick_any(&self, range: Range, occupied: RegSet) -> PReg {
        let free = self.of.registers(range).minus(occupied);
        let good = free.minus(self.of.ranges.data[range].forbidden);
        let pool = if good.is_empty() { free } else { good };
        cheapest_first(pool).first().copied().expect("the plan leaves a register free")
    }

    /// Where a value that is in no register comes from.
    fn memory(&self, vreg: VReg) -> Source {
        match &self.of.facts.recipes[vreg] {
            Some(recipe) => Source::Recipe(recipe.clone()),
            None => Source::Place(Place::Slot(self.of.slots[&vreg])),
        }
    }

    fn source(&self, now: &BTreeMap<VReg, PReg>, vreg: VReg) -> Source {
        match now.get(&vreg) {
            Some(&reg) => Source::Place(Place::Reg(reg)),
            None => self.memory(vreg),
        }
    }

    fn moves(&mut self, walk: &mut Walk, moves: Vec<Move>) {
        self.coalesced += moves.iter().map(Move::is_idle).map(u32::from).sum::<u32>();
        walk.items.extend(self.sequence(moves));
    }

    /// The banks share no place, so each is a sequence of its own.
    fn sequence(&mut self, moves: Vec<Move>) -> Vec<Item> {
        let facts = self.of.facts;
        let (floats, words): (Vec<Move>, Vec<Move>) =
            moves.into_iter().partition(|asked| facts.bank(asked.name) == Bank::Float);
        let mut items = Vec::new();
        for (moves, bank) in [(words, Bank::Core), (floats, Bank::Float)] {
            items.extend(moves::sequence(moves, bank.scratch(), &mut || self.spare.take(bank)));
        }
        items
    }

    fn inst(&mut self, walk: &mut Walk, (node, behind): (&Node, &[Node]), leaving: &[VReg]) {
        match &node.inst {
            Inst::Args { .. } | Inst::Call(_) => self.fixed(walk, (node, behind), leaving),
            _ => self.plain(walk, node, leaving),
        }
    }

    fn plain(&mut self, walk: &mut Walk, node: &Node, leaving: &[VReg]) {
        let operands = node.inst.operands();
        let used: BTreeMap<VReg, PReg> = walk.now.clone();
        let mut reads = walk.reads(uses(&operands));
        walk.now.retain(|vreg, _| !leaving.contains(vreg));
        // Tied definitions first: the others have a choice.
        for operand in operands.iter().filter(|operand| operand.role == Role::Def) {
            if let Constraint::Tied(place) = operand.constraint {
                walk.now.insert(operand.reg, used[&operands[place].reg]);
            }
        }
        for operand in operands.iter().filter(|operand| operand.role == Role::Def) {
            if operand.constraint == Constraint::Any {
                self.make_way(walk, &used, operand.reg);
                let reg = self.pick(walk, operand.reg, walk.occupied());
                walk.now.insert(operand.reg, reg);
            }
        }
        let mut writes = walk.reads(defs(&operands));
        match node.inst {
            Inst::IncomingLoad { d, offset } => reads.push((Place::Incoming(offset), d)),
            Inst::IncomingStore { s, offset } => writes.push((Place::Incoming(offset), s)),
            Inst::OutgoingStore { s, offset } => writes.push((Place::Outgoing(offset), s)),
            Inst::OutgoingLoad { d, offset } => reads.push((Place::Outgoing(offset), d)),
            _ => {}
        }
        let inst = node.inst.map(&mut |operand| match operand.role {
            Role::Use => used[&operand.reg],
            Role::Def => walk.now[&operand.reg],
        });
        let class = match inst {
            Inst::Move { .. } => Class::Move,
            _ => class(node),
        };
        walk.items.push(Item { inst, class, source: node.source, reads, writes });
        walk.now.retain(|vreg, _| !leaving.contains(vreg));
    }

    /// Moves a value without a colour out of a colour that is now needed, if there is a register
    /// free both before and after the item. Otherwise the newcomer will take another.
    fn make_way(&mut self, walk: &mut Walk, used: &BTreeMap<VReg, PReg>, vreg: VReg) {
        let Some(wanted) = self.of.colours[walk.range[&vreg]] else {
            return;
        };
        let Some(holder) = walk.now.iter().find(|&(_, &reg)| reg == wanted).map(|(&v, _)| v) else {
            return;
        };
        // A definition of the same item stays. An operand may go: the item reads its old register.
        if !used.contains_key(&holder) || self.of.colours[walk.range[&holder]] == Some(wanted) {
            return;
        }
        let before: RegSet = used.values().copied().collect();
        let occupied = before.union(walk.occupied());
        if self.of.registers(walk.range[&holder]).minus(occupied).is_empty() {
            return;
        }
        let to = self.pick(walk, holder, occupied);
        let from = Source::Place(Place::Reg(wanted));
        self.moves(walk, vec![Move { to: Place::Reg(to), from, name: holder }]);
        walk.now.insert(holder, to);
    }

    /// Entry arguments and calls: fixed operands, and registers that do not survive.
    fn fixed(&mut self, walk: &mut Walk, (node, behind): (&Node, &[Node]), leaving: &[VReg]) {
        let operands = node.inst.operands();
        let mut moves = Vec::new();
        let mut staying = walk.now.clone();
        staying.retain(|vreg, _| !leaving.contains(vreg));
        let clobbers = node.inst.clobbers();
        let mut kept: RegSet = staying.values().copied().collect();
        for (&vreg, reg) in staying.iter_mut().filter(|(_, reg)| clobbers.contains(**reg)) {
            let home = self.pick(walk, vreg, kept.union(clobbers));
            kept.insert(home);
            let from = Source::Place(Place::Reg(*reg));
            moves.push(Move { to: Place::Reg(home), from, name: vreg });
            *reg = home;
        }
        let mut reads = Vec::new();
        for operand in &operands {
            let (Role::Use, Constraint::Fixed(at)) = (operand.role, operand.constraint) else {
                continue;
            };
            let from = self.source(&walk.now, operand.reg);
            moves.push(Move { to: Place::Reg(at), from, name: operand.reg });
            reads.push((Place::Reg(at), operand.reg));
        }
        self.moves(walk, moves);
        walk.now = staying;
        let mut arrived = BTreeMap::new();
        for operand in operands.iter().filter(|operand| operand.role == Role::Def) {
            let Constraint::Fixed(at) = operand.constraint else {
                continue;
            };
            arrived.insert(operand.reg, at);
        }
        let arrived_words = arrived.iter().map(|(&vreg, &at)| (Place::Reg(at), vreg));
        let writes = arrived_words.chain(results_in_memory(behind)).collect();
        let inst = node.inst.map(&mut |operand| match operand.constraint {
            Constraint::Fixed(at) => at,
            Constraint::Any | Constraint::Tied(_) => walk.now[&operand.reg],
        });
        walk.items.push(Item { inst, class: class(node), source: node.source, reads, writes });
        arrived.retain(|vreg, _| !leaving.contains(vreg));
        self.settle(walk, arrived);
    }

    /// Moves what arrived in fixed registers to its colours.
    fn settle(&mut self, walk: &mut Walk, arrived: BTreeMap<VReg, PReg>) {
        let (coloured, others): (Vec<VReg>, Vec<VReg>) =
            arrived.keys().partition(|vreg| self.of.colours[walk.range[vreg]].is_some());
        let mut moves = Vec::new();
        for vreg in coloured.into_iter().chain(others) {
            let occupied = walk.occupied();
            let at = arrived[&vreg];
            let colour = self.of.colours[walk.range[&vreg]];
            let reg = match colour {
                None if !occupied.contains(at) => at,
                _ => self.pick(walk, vreg, occupied),
            };
            walk.now.insert(vreg, reg);
            let from = Source::Place(Place::Reg(at));
            moves.push(Move { to: Place::Reg(reg), from, name: vreg });
        }
        self.moves(walk, moves);
    }

    fn end(&mut self, walk: &mut Walk, terminator: &Terminator<VReg>, block: Block) {
        let mut moves = Vec::new();
        for operand in terminator.operands() {
            if let Constraint::Fixed(at) = operand.constraint {
                let from = self.source(&walk.now, operand.reg);
                moves.push(Move { to: Place::Reg(at), from, name: operand.reg });
            }
        }
        self.moves(walk, moves);
        let mut reads = Vec::new();
        let mapped = terminator.map(
            &mut |operand| {
                let reg = match operand.constraint {
                    Constraint::Fixed(at) => at,
                    Constraint::Any | Constraint::Tied(_) => walk.now[&operand.reg],
                };
                reads.push((Place::Reg(reg), operand.reg));
                reg
            },
            &mut |edge| Edge { block: edge.block, args: Vec::new() },
        );
        self.code[block].terminator = Some(mapped);
        self.code[block].terminator_reads = reads;
    }

    /// Makes the end of a block meet the head of each successor.
    fn edges(&mut self, block: Block) {
        let terminator = &self.of.facts.func.blocks[block].terminator;
        let edges: Vec<Edge<VReg>> = terminator.edges().into_iter().cloned().collect();
        for edge in &edges {
            let params = &self.of.facts.func.blocks[edge.block].params;
            let entry = self.code[edge.block].entry.clone();
            let exit = self.code[block].exit.clone();
            let mut moves = Vec::new();
            let mut renames = Vec::new();
            for (&vreg, &reg) in entry.iter().filter(|(vreg, _)| !params.contains(vreg)) {
                let from = self.source(&exit, vreg);
                moves.push(Move { to: Place::Reg(reg), from, name: vreg });
            }
            for (&param, &arg) in params.iter().zip(&edge.args) {
                let to = match (entry.get(&param), self.of.slots.get(&param)) {
                    (Some(&reg), _) => Place::Reg(reg),
                    (None, Some(&slot)) => Place::Slot(slot),
                    (None, None) => continue,
                };
                let asked = Move { to, from: self.source(&exit, arg), name: arg };
                self.coalesced += u32::from(asked.is_idle());
                moves.push(asked);
                if arg != param {
                    renames.push((to, arg, param));
                }
            }
            let items = self.sequence(moves);
            debug_assert!(items.is_empty() || edges.len() == 1, "moves need an edge of their own");
            let code = &mut self.code[block];
            code.items.extend(items);
            code.renames.push(renames);
        }
    }
}

/// The words that a call leaves in memory, from the loads between it and the next one.
fn results_in_memory(behind: &[Node]) -> impl Iterator<Item = (Place, VReg)> {
    let until_next = behind.iter().take_while(|node| !matches!(node.inst, Inst::Call(_)));
    until_next.filter_map(|node| match node.inst {
        Inst::OutgoingLoad { d, offset } => Some((Place::Outgoing(offset), d)),
        _ => None,
    })
}

fn uses(operands: &[Operand<VReg>]) -> impl Iterator<Item = VReg> {
    operands.iter().filter(|operand| operand.role == Role::Use).map(|operand| operand.reg)
}

fn defs(operands: &[Operand<VReg>]) -> impl Iterator<Item = VReg> {
    operands.iter().filter(|operand| operand.role == Role::Def).map(|operand| operand.reg)
}

fn class(node: &Node) -> Class {
    match node.purpose {
        Purpose::Direct => Class::Direct,
        Purpose::Check => Class::Check,
    }
}
