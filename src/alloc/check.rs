//! The checker: follows the name of each value through an allocated function.
//!
//! Requires: the prepared function, the recipes, and the allocated function before empty blocks
//! are bypassed.
//! Ensures: `Ok` means that the original items stand there in order, that each of their operands
//! is in the place it is read from on every path, that constraints are kept, and that what the
//! result says about places at block heads is true.
//!
//! The lattice: each place has a set of names it surely holds. Transfer: a definition removes its
//! name everywhere and is then the only name of its place; a copy copies the set; a call empties
//! what it destroys; an edge gives each place the parameters whose arguments it holds, and takes
//! the old ones away. Meet: intersection.

use std::collections::{BTreeMap, BTreeSet};

use synth_verify::hints::Class;

use super::allocated::{Allocated, Item, Place};
use super::remat::Recipe;
use crate::vcode::entity::{Block, TypedVec};
use crate::vcode::func::{ENTRY, Func};
use crate::vcode::operands::{Constraint, Operand, Role};
use crate::vcode::reg::{PReg, RegSet};
use crate::vcode::{Edge, Inst, VReg};

type State = BTreeMap<Place, BTreeSet<VReg>>;

/// The first thing that is wrong, in words.
pub fn check(func: &Func, recipes: &TypedVec<VReg, Option<Recipe>>, allocated: &Allocated) -> Result<(), String> {
    let checker = Checker { func, recipes, allocated };
    let mut entry: TypedVec<Block, Option<State>> = TypedVec::filled(None, func.blocks.len());
    entry[ENTRY] = Some(State::new());
    let mut work = BTreeSet::from([ENTRY]);
    while let Some(block) = work.pop_first() {
        let state = entry[block].clone().expect("queued blocks are reached");
        let exit = checker.block(block, state).map_err(|e| format!("{block}: {e}"))?;
        for edge in func.blocks[block].terminator.edges() {
            let next = checker.edge(edge, &exit);
            let met = match &entry[edge.block] {
                None => next,
                Some(old) => meet(old, &next),
            };
            if entry[edge.block].as_ref() != Some(&met) {
                entry[edge.block] = Some(met);
                work.insert(edge.block);
            }
        }
    }
    for (block, state) in entry.iter() {
        if let Some(state) = state {
            checker.statements(block, state)?;
        }
    }
    Ok(())
}

fn meet(a: &State, b: &State) -> State {
    let both = a.iter().filter_map(|(place, names)| {
        let names: BTreeSet<VReg> = names.intersection(b.get(place)?).copied().collect();
        (!names.is_empty()).then_some((*place, names))
    });
    both.collect()
}

struct Checker<'a> {
    func: &'a Func,
    recipes: &'a TypedVec<VReg, Option<Recipe>>,
    allocated: &'a Allocated,
}

impl Checker<'_> {
    fn block(&self, block: Block, mut state: State) -> Result<State, String> {
        let data = &self.func.blocks[block];
        let result = &self.allocated.blocks[block];
        let mut original = data.insts.iter();
        for item in &result.items {
            let names = |list: &[(Place, VReg)]| list.iter().map(|&(_, v)| v).collect::<Vec<_>>();
            let copies = names(&item.reads) == names(&item.writes);
            let direct = matches!(item.class, Class::Direct | Class::Check);
            let outcome = if direct || item.class == Class::Move && !copies {
                let node = original.next().ok_or("more items than there were")?;
                self.original(&node.inst, item, &mut state)
            } else {
                self.added(item, &mut state)
            };
            outcome.map_err(|e| format!("{}: {e}", item.inst))?;
        }
        if original.next().is_some() {
            return Err("an item is missing".into());
        }
        let before = data.terminator.operands();
        let after = result.terminator.operands();
        for (old, new) in before.iter().zip(&after) {
            read(&state, new.reg, old.reg)?;
            fits(old, new.reg, &[])?;
        }
        let places = |edges: Vec<Block>| edges;
        let old = places(data.terminator.edges().iter().map(|edge| edge.block).collect());
        let new = places(result.terminator.edges().iter().map(|edge| edge.block).collect());
        if before.len() != after.len() || old != new {
            return Err("the terminator differs".into());
        }
        for (place, name, _) in result.renames.iter().flatten() {
            if !holds(&state, *place, *name) {
                return Err(format!("an edge renames {name} in {place:?}, which is not there"));
            }
        }
        Ok(state)
    }

    fn original(&self, old: &Inst<VReg>, item: &Item, state: &mut State) -> Result<(), String> {
        if old.map(&mut |_| ()) != item.inst.map(&mut |_| ()) {
            return Err(format!("stands for {old}"));
        }
        let (before, after) = (old.operands(), item.inst.operands());
        let uses: Vec<PReg> = after.iter().filter(|o| o.role == Role::Use).map(|o| o.reg).collect();
        for (old, new) in before.iter().zip(&after) {
            fits(old, new.reg, &uses)?;
            if old.role == Role::Use {
                read(state, new.reg, old.reg)?;
            }
        }
        for reg in item.inst.clobbers().iter() {
            state.remove(&Place::Reg(reg));
        }
        let mut written = RegSet::EMPTY;
        for (old, new) in before.iter().zip(&after).filter(|(old, _)| old.role == Role::Def) {
            if written.contains(new.reg) {
                return Err(format!("{} is written twice", new.reg));
            }
            written.insert(new.reg);
            state.values_mut().for_each(|names| {
                names.remove(&old.reg);
            });
        }
        for (old, new) in before.iter().zip(&after).filter(|(old, _)| old.role == Role::Def) {
            state.insert(Place::Reg(new.reg), BTreeSet::from([old.reg]));
        }
        Ok(())
    }

    fn added(&self, item: &Item, state: &mut State) -> Result<(), String> {
        let [(to, name)] = item.writes[..] else {
            return Err("writes one place".into());
        };
        let (said_to, from) = match item.inst {
            Inst::Move { d, m } => (Place::Reg(d), Some(Place::Reg(m))),
            Inst::SlotLoad { d, slot } => (Place::Reg(d), Some(Place::Slot(slot))),
            Inst::SlotStore { s, slot } => (Place::Slot(slot), Some(Place::Reg(s))),
            Inst::Const { d, .. } | Inst::Address { d, .. } | Inst::IncomingLoad { d, .. } => {
                let recipe = self.recipes[name].as_ref().map(|recipe| recipe.map(&mut |_| d));
                if recipe.as_ref() != Some(&item.inst) {
                    return Err(format!("is not how to compute {name}"));
                }
                (Place::Reg(d), None)
            }
            _ => return Err("was not there before".into()),
        };
        if said_to != to {
            return Err("its label names another place".into());
        }
        let names = match from {
            None => BTreeSet::from([name]),
            Some(from) => {
                if item.reads != [(from, name)] || !holds(state, from, name) {
                    return Err(format!("{name} is not in {from:?}"));
                }
                state[&from].clone()
            }
        };
        state.insert(to, names);
        Ok(())
    }

    fn edge(&self, edge: &Edge<VReg>, exit: &State) -> State {
        let params = &self.func.blocks[edge.block].params;
        let mut next = State::new();
        for (&place, names) in exit {
            let mut now: BTreeSet<VReg> = names.iter().copied().filter(|name| !params.contains(name)).collect();
            let passed = params.iter().zip(&edge.args).filter(|(_, arg)| names.contains(arg));
            now.extend(passed.map(|(&param, _)| param));
            if !now.is_empty() {
                next.insert(place, now);
            }
        }
        next
    }

    /// What the result says about the head of a block.
    fn statements(&self, block: Block, state: &State) -> Result<(), String> {
        for &(place, name) in &self.allocated.blocks[block].located {
            if !matches!(place, Place::Incoming(_)) && !holds(state, place, name) {
                return Err(format!("{block}: {name} is said to be in {place:?}"));
            }
        }
        Ok(())
    }
}

fn holds(state: &State, place: Place, name: VReg) -> bool {
    state.get(&place).is_some_and(|names| names.contains(&name))
}

fn read(state: &State, reg: PReg, name: VReg) -> Result<(), String> {
    if holds(state, Place::Reg(reg), name) { Ok(()) } else { Err(format!("{name} is not in {reg}")) }
}

fn fits(old: &Operand<VReg>, reg: PReg, uses: &[PReg]) -> Result<(), String> {
    let kept = match old.constraint {
        Constraint::Any => true,
        Constraint::Fixed(at) => reg == at,
        Constraint::Tied(place) => uses.get(place) == Some(&reg),
    };
    if kept && RegSet::ALLOCABLE.contains(reg) { Ok(()) } else { Err(format!("{} may not be in {reg}", old.reg)) }
}
