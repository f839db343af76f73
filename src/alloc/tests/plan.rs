//! Any function: the plan of what is in registers keeps its word, over all paths.
//!
//! What `spill` ensures is checked of the plan itself, before registers and slots are chosen: room at each point,
//! operands in registers, a store behind the definition of what is read from a slot, and nothing in a
//! register that was not brought there.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::check;
use super::generate::{Shape, function};
use crate::alloc::flow::Flow;
use crate::alloc::live::Live;
use crate::alloc::spill::{self, Facts, Plan, Step};
use crate::alloc::{prepare, remat};
use crate::target::Isa;
use crate::vcode::entity::Block;
use crate::vcode::operands::{Constraint, Operand, Role};
use crate::vcode::reg::Bank;
use crate::vcode::{Func, VReg};

/// Walks one block of a plan.
struct Walk<'a> {
    facts: &'a Facts<'a>,
    plan: &'a Plan,
    now: BTreeSet<VReg>,
    /// Values of the block that their slots hold by now, of those that it defines.
    unstored: BTreeSet<VReg>,
}

impl Walk<'_> {
    fn has_room(&self, also: &BTreeSet<VReg>) {
        for bank in Bank::ALL {
            let there = self.facts.of_bank(&self.now.union(also).copied().collect(), bank);
            assert!(there.len() <= self.facts.registers(bank), "{there:?} do not fit");
        }
    }

    /// The value can be read from its slot, or computed.
    fn is_kept(&self, vreg: VReg) {
        let kept = self.facts.recipes[vreg].is_some() || self.plan.slotted.contains(&vreg);
        assert!(kept, "{vreg} is nowhere");
        assert!(!self.unstored.contains(&vreg), "the slot of {vreg} is read before it is written");
    }

    /// The operands are where the instruction or the end of the block wants them.
    fn reads(&self, operands: &[Operand<VReg>]) {
        for operand in operands.iter().filter(|operand| operand.role == Role::Use) {
            match operand.constraint {
                Constraint::Any | Constraint::Tied(_) => {
                    assert!(self.now.contains(&operand.reg), "{} is in no register", operand.reg);
                }
                Constraint::Fixed(_) if self.now.contains(&operand.reg) => {}
                Constraint::Fixed(_) => self.is_kept(operand.reg),
            }
        }
    }

    fn step(&mut self, step: &Step, block: Block) {
        match step {
            Step::Reload(vreg) => {
                self.is_kept(*vreg);
                assert!(self.now.insert(*vreg), "{vreg} is in a register");
            }
            Step::Drop(vreg) => assert!(self.now.remove(vreg), "{vreg} is in no register"),
            Step::Spill(vreg) => {
                assert!(self.now.contains(vreg), "{vreg} is in no register");
                assert!(self.unstored.remove(vreg), "{vreg} is stored again, or not behind its definition");
            }
            Step::Inst(index, leaving) => self.inst(*index, leaving, block),
        }
        self.has_room(&BTreeSet::new());
    }

    fn inst(&mut self, index: usize, leaving: &[VReg], block: Block) {
        let inst = &self.facts.func.blocks[block].insts[index].inst;
        assert!(self.unstored.is_empty(), "{:?} are stored late", self.unstored);
        self.reads(&inst.operands());
        let defs: BTreeSet<VReg> = inst.defs().into_iter().collect();
        let dead: BTreeSet<VReg> = leaving.iter().copied().filter(|vreg| defs.contains(vreg)).collect();
        self.now.retain(|vreg| !leaving.contains(vreg));
        if !inst.clobbers().is_empty() {
            for bank in Bank::ALL {
                let across = self.facts.of_bank(&self.now, bank).len();
                assert!(across <= self.facts.registers_across_call(bank), "{across} across a call");
            }
        }
        self.has_room(&defs);
        self.unstored = defs.intersection(&self.plan.slotted).copied().collect();
        self.now.extend(defs.difference(&dead));
    }
}

/// What holds at the end of the block holds at the head of the next, or can be made to.
fn edges(walk: &Walk<'_>, block: Block) {
    let func = walk.facts.func;
    for edge in func.blocks[block].terminator.edges() {
        let params = &func.blocks[edge.block].params;
        let entry = &walk.plan.blocks[edge.block].entry;
        for vreg in entry.difference(&walk.now).filter(|vreg| !params.contains(vreg)) {
            walk.is_kept(*vreg);
        }
        for (param, arg) in params.iter().zip(&edge.args) {
            let live = walk.facts.live.entry[edge.block].contains_key(param);
            if live && !walk.now.contains(arg) {
                walk.is_kept(*arg);
            }
            let placed = entry.contains(param) || walk.plan.slotted.contains(param);
            assert!(placed || !live, "{param} has no place");
        }
    }
}

fn check_plan(input: &Func) {
    let func = prepare::run(input);
    let flow = Flow::new(&func);
    let live = Live::new(&func, &flow);
    let recipes = remat::run(&func);
    let facts = Facts { func: &func, flow: &flow, live: &live, recipes: &recipes };
    let plan = spill::run(&facts);
    for &block in &flow.order {
        let data = &func.blocks[block];
        let now = plan.blocks[block].entry.clone();
        // A parameter that is in no register arrives in its slot.
        let unstored = data.params.iter().copied().filter(|p| now.contains(p) && plan.slotted.contains(p)).collect();
        let mut walk = Walk { facts: &facts, plan: &plan, now, unstored };
        walk.has_room(&BTreeSet::new());
        for step in &plan.blocks[block].steps {
            walk.step(step, block);
        }
        assert!(walk.unstored.is_empty(), "{:?} are stored late", walk.unstored);
        walk.reads(&data.terminator.operands());
        assert_eq!(walk.now, plan.blocks[block].exit);
        edges(&walk, block);
    }
}

/// Sizes and pressures from nothing to far more than there are registers.
fn shapes() -> impl Strategy<Value = Shape> {
    (1usize..120, 1usize..48, prop_oneof![Just(1000usize), 4usize..40]).prop_map(|(size, reach, calls)| Shape {
        size,
        reach,
        calls,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_plan_keeps_its_word(seed: u64, shape in shapes()) {
        let func = function(seed, shape);
        for isa in [Isa::V7M, Isa::V6M] {
            check_plan(&Func { isa, ..func.clone() });
        }
    }

    #[test]
    fn any_function_does_the_same(seed: u64, shape in shapes()) {
        let allocated = check(&function(seed, shape));
        prop_assert!(allocated.stats.spurious.is_empty(), "{:?}", allocated.stats.spurious);
    }
}
