//! Spilling: decides which values are in registers at each point, before any register is chosen.
//!
//! Requires: a prepared function.
//! Ensures: at each point no more values are in registers of a bank than there are, across a call no more than it preserves,
//! and every operand that is neither fixed nor an edge argument is among them when it is used.
//! Fixed operands and edge arguments may come from memory. Each value that is read from its slot
//! was written there right after its definition.
//!
//! The method is Braun and Hack's: walk each block with the set W of values in registers; when
//! it is too large, the values used furthest away leave. At a join W starts with what all
//! predecessors have, at a loop's head with what the loop uses. A value that leaves and never
//! comes back costs nothing; a value with a recipe comes back without a slot.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::Flow;
use super::live::{LOOP_EXIT, Live, Uses};
use super::remat::{self, Recipe};
use crate::vcode::VReg;
use crate::vcode::entity::{Block, TypedVec};
use crate::vcode::func::Func;
use crate::vcode::operands::{Constraint, Operand, Role};
use crate::vcode::reg::{Bank, RegSet};

/// What happens at one point of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The value comes into a register from its slot or by its recipe.
    Reload(VReg),
    /// The value leaves its register.
    Drop(VReg),
    /// The value is copied to its slot.
    Spill(VReg),
    /// Item of the block with this index; then these values, operands or not, leave.
    Inst(usize, Vec<VReg>),
}

/// What is in registers in one block.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockPlan {
    /// At the head.
    pub entry: BTreeSet<VReg>,
    /// In between; the terminator follows.
    pub steps: Vec<Step>,
    /// Before the terminator.
    pub exit: BTreeSet<VReg>,
}

/// What is in registers, and which values need slots.
pub struct Plan {
    /// By block.
    pub blocks: TypedVec<Block, BlockPlan>,
    /// Values that are read from slots.
    pub slotted: BTreeSet<VReg>,
}

/// What spilling needs to know about a function.
pub struct Facts<'a> {
    /// The function.
    pub func: &'a Func,
    /// Its control flow.
    pub flow: &'a Flow,
    /// Its live values.
    pub live: &'a Live,
    /// Its recipes.
    pub recipes: &'a TypedVec<VReg, Option<Recipe>>,
}

impl Facts<'_> {
    /// The bank that a value's registers are of.
    pub fn bank(&self, vreg: VReg) -> Bank {
        self.func.classes[vreg].bank()
    }

    /// The registers of a bank.
    pub fn allocable(&self, bank: Bank) -> RegSet {
        RegSet::allocable((self.func.isa, self.func.float), bank)
    }

    /// How many registers of a bank there are.
    pub fn registers(&self, bank: Bank) -> usize {
        self.allocable(bank).len() as usize
    }

    /// How many of them survive a call.
    pub fn registers_across_call(&self, bank: Bank) -> usize {
        self.allocable(bank).intersection(RegSet::PRESERVED).len() as usize
    }

    /// Those values that are in a bank.
    pub fn of_bank(&self, set: &BTreeSet<VReg>, bank: Bank) -> BTreeSet<VReg> {
        set.iter().copied().filter(|vreg| self.bank(*vreg) == bank).collect()
    }
}

/// Plans a function.
pub fn run(facts: &Facts<'_>) -> Plan {
    let mut planner = Planner {
        facts,
        blocks: TypedVec::filled(None, facts.func.blocks.len()),
        slotted: BTreeSet::new(),
        pressure: Bank::ALL.map(|bank| Pressure::new(facts, bank)),
    };
    for &block in &facts.flow.order {
        planner.plan_block(block);
    }
    planner.find_edge_reloads();
    planner.store_at_definitions();
    let blocks: Vec<BlockPlan> = planner.blocks.values().map(|plan| plan.clone().unwrap_or_default()).collect();
    Plan { blocks: blocks.into(), slotted: planner.slotted }
}

/// How many values of a bank are live at once, per block.
pub struct Pressure {
    /// At most, anywhere in the block.
    pub anywhere: TypedVec<Block, usize>,
    /// At most, across a call of the block; `None` without calls.
    pub across_call: TypedVec<Block, Option<usize>>,
}

impl Pressure {
    /// Counts over every point of a function.
    pub fn new(facts: &Facts<'_>, bank: Bank) -> Pressure {
        let count = facts.func.blocks.len();
        let mut pressure =
            Pressure { anywhere: TypedVec::filled(0, count), across_call: TypedVec::filled(None, count) };
        for &block in &facts.flow.order {
            visit_points(facts, block, &mut |live, place| {
                let count = live.iter().filter(|vreg| facts.bank(**vreg) == bank).count();
                let old = pressure.anywhere[block];
                pressure.anywhere[block] = old.max(count);
                if place == Point::AcrossCall {
                    let old = pressure.across_call[block].unwrap_or(0);
                    pressure.across_call[block] = Some(old.max(count));
                }
            });
        }
        pressure
    }
}

/// What kind of point a set of live values is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// Between items, or with the definitions of an item.
    Plain,
    /// While a call runs.
    AcrossCall,
}

/// Shows the set of live values at every point of a block.
pub fn visit_points(facts: &Facts<'_>, block: Block, visit: &mut dyn FnMut(&BTreeSet<VReg>, Point)) {
    let uses = facts.live.uses(facts.func, block);
    let mut live: BTreeSet<VReg> = facts.live.entry[block].keys().copied().collect();
    visit(&live, Point::Plain);
    for (index, node) in facts.func.blocks[block].insts.iter().enumerate() {
        // What is live dies only where it is used or, if nobody uses it, where it is defined.
        let ends = |vreg: VReg| uses.next(vreg, index + 1).is_none();
        for operand in node.inst.operands().iter().filter(|operand| ends(operand.reg)) {
            live.remove(&operand.reg);
        }
        if !node.inst.clobbers().is_empty() {
            visit(&live, Point::AcrossCall);
        }
        live.extend(node.inst.defs());
        visit(&live, Point::Plain);
        for vreg in node.inst.defs().into_iter().filter(|vreg| ends(*vreg)) {
            live.remove(&vreg);
        }
    }
}

struct Planner<'a> {
    facts: &'a Facts<'a>,
    blocks: TypedVec<Block, Option<BlockPlan>>,
    slotted: BTreeSet<VReg>,
    /// By bank, in the order of `Bank::ALL`.
    pressure: [Pressure; 2],
}

impl Planner<'_> {
    fn plan_block(&mut self, block: Block) {
        let entry = self.entry_set(block);
        let facts = self.facts;
        let uses = facts.live.uses(facts.func, block);
        let mut walk = Walk { now: entry.clone(), steps: Vec::new(), uses: &uses };
        let data = &facts.func.blocks[block];
        for (index, node) in data.insts.iter().enumerate() {
            self.bring(&mut walk, &node.inst.operands(), index);
            let leaving = self.leave(&mut walk, &node.inst, index);
            walk.steps.push(Step::Inst(index, leaving));
        }
        self.bring(&mut walk, &data.terminator.operands(), data.insts.len());
        self.blocks[block] = Some(BlockPlan { entry, steps: walk.steps, exit: walk.now });
    }

    /// Makes sure that the operands of item `index` are in registers.
    fn bring(&mut self, walk: &mut Walk<'_>, operands: &[Operand<VReg>], index: usize) {
        let mut needed = BTreeSet::new();
        for operand in operands.iter().filter(|operand| operand.role == Role::Use) {
            match operand.constraint {
                Constraint::Fixed(_) => {
                    if !walk.now.contains(&operand.reg) {
                        self.read_memory(operand.reg);
                    }
                }
                Constraint::Any | Constraint::Tied(_) => {
                    needed.insert(operand.reg);
                }
            }
        }
        let missing: BTreeSet<VReg> = needed.difference(&walk.now).copied().collect();
        let kept: BTreeSet<VReg> = needed.intersection(&walk.now).copied().collect();
        for bank in Bank::ALL {
            let room = self.facts.registers(bank) - self.facts.of_bank(&missing, bank).len();
            for vreg in self.excess(walk, &kept, (bank, room), index) {
                walk.now.remove(&vreg);
                walk.steps.push(Step::Drop(vreg));
            }
        }
        for vreg in missing {
            self.read_memory(vreg);
            walk.now.insert(vreg);
            walk.steps.push(Step::Reload(vreg));
        }
    }

    /// Moves W over item `index` and says what leaves at it, dead definitions included.
    fn leave(&self, walk: &mut Walk<'_>, inst: &crate::vcode::Inst<VReg>, index: usize) -> Vec<VReg> {
        let before = walk.now.clone();
        let defs: BTreeSet<VReg> = inst.defs().into_iter().collect();
        walk.now.retain(|&vreg| walk.uses.next(vreg, index + 1).is_some());
        let is_call = !inst.clobbers().is_empty();
        if is_call {
            let recipes = self.facts.recipes;
            walk.now.retain(|&vreg| !recipes[vreg].as_ref().is_some_and(remat::is_tiny));
        }
        for bank in Bank::ALL {
            let mut room = self.facts.registers(bank) - self.facts.of_bank(&defs, bank).len();
            if is_call {
                room = room.min(self.facts.registers_across_call(bank));
            }
            for vreg in self.excess(walk, &BTreeSet::new(), (bank, room), index + 1) {
                walk.now.remove(&vreg);
            }
        }
        let mut leaving: Vec<VReg> = before.difference(&walk.now).copied().collect();
        for def in defs {
            if walk.uses.next(def, index + 1).is_some() {
                walk.now.insert(def);
            } else {
                leaving.push(def);
            }
        }
        leaving
    }

    /// The values of W in a bank, none of `kept`, that must leave for `room` to suffice.
    fn excess(&self, walk: &Walk<'_>, kept: &BTreeSet<VReg>, (bank, room): (Bank, usize), index: usize) -> Vec<VReg> {
        let now = self.facts.of_bank(&walk.now, bank);
        let surplus = now.len().saturating_sub(room);
        if surplus == 0 {
            return Vec::new();
        }
        let mut candidates: Vec<(u64, VReg)> = now
            .difference(kept)
            .map(|&vreg| {
                let distance = walk.uses.next(vreg, index).map_or(u64::MAX >> 8, u64::from);
                (distance * self.ease(vreg), vreg)
            })
            .collect();
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        candidates.into_iter().take(surplus).map(|(_, vreg)| vreg).collect()
    }

    /// How willingly a value leaves: with a recipe it needs no store, with a slot not another one.
    fn ease(&self, vreg: VReg) -> u64 {
        match &self.facts.recipes[vreg] {
            Some(recipe) if remat::is_tiny(recipe) => 8,
            Some(_) => 4,
            None if self.slotted.contains(&vreg) => 2,
            None => 1,
        }
    }

    fn read_memory(&mut self, vreg: VReg) {
        if self.facts.recipes[vreg].is_none() {
            self.slotted.insert(vreg);
        }
    }

    fn entry_set(&self, block: Block) -> BTreeSet<VReg> {
        if let Some(body) = self.facts.flow.loop_of(block) {
            return self.loop_entry(block, body);
        }
        let preds: Vec<Block> =
            self.facts.flow.preds[block].iter().copied().filter(|&pred| self.blocks[pred].is_some()).collect();
        let live = &self.facts.live.entry[block];
        let mut chosen = BTreeSet::new();
        let mut some: Vec<(u32, VReg)> = Vec::new();
        for (&vreg, &distance) in live {
            let have = preds.iter().filter(|&&pred| self.has(pred, block, vreg)).count();
            if have == preds.len() {
                chosen.insert(vreg);
            } else if have > 0 && distance < LOOP_EXIT && self.facts.recipes[vreg].is_none() {
                some.push((distance, vreg));
            }
        }
        some.sort_unstable();
        for bank in Bank::ALL {
            let room = self.facts.registers(bank).saturating_sub(self.facts.of_bank(&chosen, bank).len());
            let of_bank = some.iter().map(|(_, vreg)| *vreg).filter(|vreg| self.facts.bank(*vreg) == bank);
            chosen.extend(of_bank.take(room));
        }
        self.nearest(chosen, live)
    }

    /// Whether the value is in a register at the end of `pred`. A parameter counts as if it were:
    /// where its argument is in memory, one load on the edge is no more than one load later.
    fn has(&self, pred: Block, block: Block, vreg: VReg) -> bool {
        self.facts.func.blocks[block].params.contains(&vreg)
            || self.blocks[pred].as_ref().expect("planned").exit.contains(&vreg)
    }

    /// What a loop uses comes first; what only passes through stays if the loop leaves room.
    fn loop_entry(&self, header: Block, body: &BTreeSet<Block>) -> BTreeSet<VReg> {
        let banks = Bank::ALL.iter().zip(&self.pressure);
        banks.flat_map(|(bank, pressure)| self.loop_entry_of((*bank, pressure), header, body)).collect()
    }

    fn loop_entry_of(
        &self,
        (bank, pressure): (Bank, &Pressure),
        header: Block,
        body: &BTreeSet<Block>,
    ) -> BTreeSet<VReg> {
        let live = &self.facts.live.entry[header];
        let of_bank = live.keys().filter(|vreg| self.facts.bank(**vreg) == bank);
        let (used, through): (Vec<VReg>, Vec<VReg>) = of_bank.partition(|vreg| live[vreg] < LOOP_EXIT);
        let calls = body.iter().filter_map(|&block| pressure.across_call[block]).max();
        let pressure = body.iter().map(|&block| pressure.anywhere[block]).max().unwrap_or(0);
        let own = pressure.saturating_sub(through.len());
        let mut room = self.facts.registers(bank).saturating_sub(own);
        if let Some(calls) = calls {
            let own = calls.saturating_sub(through.len());
            room = room.min(self.facts.registers_across_call(bank).saturating_sub(own));
        }
        let mut chosen = self.nearest(used.into_iter().collect(), live);
        let mut passing: Vec<(u32, VReg)> = through
            .into_iter()
            .filter(|&vreg| self.is_available(header, vreg))
            .map(|vreg| (live[&vreg], vreg))
            .collect();
        passing.sort_unstable();
        let room = room.min(self.facts.registers(bank) - chosen.len());
        chosen.extend(passing.into_iter().take(room).map(|(_, vreg)| vreg));
        chosen
    }

    fn is_available(&self, block: Block, vreg: VReg) -> bool {
        let mut planned = self.facts.flow.preds[block].iter().filter(|&&pred| self.blocks[pred].is_some());
        planned.all(|&pred| self.has(pred, block, vreg))
    }

    fn nearest(&self, set: BTreeSet<VReg>, live: &BTreeMap<VReg, u32>) -> BTreeSet<VReg> {
        let nearest_of = |bank| {
            let of_bank = self.facts.of_bank(&set, bank).into_iter();
            let mut list: Vec<(u64, VReg)> =
                of_bank.map(|vreg| (u64::from(live[&vreg]) * self.ease(vreg), vreg)).collect();
            list.sort_unstable();
            list.into_iter().take(self.facts.registers(bank)).map(|(_, vreg)| vreg)
        };
        Bank::ALL.into_iter().flat_map(nearest_of).collect()
    }

    /// Finds what edges read from slots: values that are in a register only behind the edge,
    /// arguments that are in none, and parameters that live in their slot.
    fn find_edge_reloads(&mut self) {
        let func = self.facts.func;
        for &block in &self.facts.flow.order {
            let exit = self.blocks[block].as_ref().expect("planned").exit.clone();
            for edge in func.blocks[block].terminator.edges() {
                let params = &func.blocks[edge.block].params;
                let entry = self.blocks[edge.block].as_ref().expect("planned").entry.clone();
                for &vreg in entry.difference(&exit).filter(|vreg| !params.contains(vreg)) {
                    self.read_memory(vreg);
                }
                for (&param, &arg) in params.iter().zip(&edge.args) {
                    if !self.facts.live.entry[edge.block].contains_key(&param) {
                        continue;
                    }
                    if !exit.contains(&arg) {
                        self.read_memory(arg);
                    }
                    if !entry.contains(&param) {
                        self.slotted.insert(param);
                    }
                }
            }
        }
    }

    fn store_at_definitions(&mut self) {
        for &block in &self.facts.flow.order {
            let data = &self.facts.func.blocks[block];
            let plan = self.blocks[block].as_mut().expect("planned");
            let mut steps = Vec::with_capacity(plan.steps.len());
            for &param in &data.params {
                if plan.entry.contains(&param) && self.slotted.contains(&param) {
                    steps.push(Step::Spill(param));
                }
            }
            for step in std::mem::take(&mut plan.steps) {
                let index = if let Step::Inst(index, _) = step { Some(index) } else { None };
                steps.push(step);
                for def in index.map_or(Vec::new(), |index| data.insts[index].inst.defs()) {
                    if self.slotted.contains(&def) {
                        steps.push(Step::Spill(def));
                    }
                }
            }
            plan.steps = steps;
        }
    }
}

struct Walk<'a> {
    now: BTreeSet<VReg>,
    steps: Vec<Step>,
    uses: &'a Uses<'a>,
}
