//! Whether an allocated function does what the function did, by values alone: written from the instruction tables,
//! without the allocator's own checker, its prepared function or its recipes.
//!
//! Requires: a well-formed function and what `alloc::run` made of it.
//! Ensures: `Ok` means that on every path each operand of each item is read from a register that holds the value it
//! held before allocation, that constraints are kept, that calls and callers lose nothing, and that what the result says of
//! places is true.
//!
//! The state says of registers and of words of the spill area which values they surely hold: a virtual register's,
//! or one that is known at compile time. A definition replaces what a register held, and takes the old value of its
//! name from everywhere; where ways meet, what both say remains. A move before allocation gives a value another name.

use std::collections::{BTreeMap, BTreeSet};

use synth::alloc::{Allocated, Item, Place};
use synth::target::Isa;
use synth::vcode::func::{ENTRY, Func};
use synth::vcode::inst::{AluOp, Flags, InPlaceOp, Operand2, Symbol, Terminator, WideOp};
use synth::vcode::operands::{Constraint, Operand, Role};
use synth::vcode::{Block, Inst, PReg, RegClass, VReg};
use synth_verify::hints::Class;

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Content {
    /// What a virtual register holds.
    Of(VReg),
    /// A number.
    Number(u32),
    /// An address.
    Address(Symbol, i32),
    /// The stack argument at this offset.
    Argument(u32),
}

/// What is surely where. A word of the spill area holds a word of a value, the low one or the high one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct State {
    registers: BTreeMap<PReg, BTreeSet<Content>>,
    words: BTreeMap<u32, BTreeSet<(Content, u32)>>,
}

/// What is wrong first, in words.
///
/// # Errors
/// The allocated function does something else.
pub fn check(func: &Func, allocated: &Allocated) -> Result<(), String> {
    let checker = Checker { func, allocated, known: known(func) };
    checker.frame()?;
    let mut heads: BTreeMap<Block, State> = BTreeMap::from([(ENTRY, State::default())]);
    let mut work = BTreeSet::from([ENTRY]);
    while let Some(block) = work.pop_first() {
        let mut state = heads[&block].clone();
        checker.block(block, &mut state).map_err(|why| format!("{block}: {why}"))?;
        for (number, edge) in func.blocks[block].terminator.edges().into_iter().enumerate() {
            let mut next = state.clone();
            checker.way(block, number, &mut next).map_err(|why| format!("{block} to {}: {why}", edge.block))?;
            next.rename(&func.blocks[edge.block].params, &edge.args, &checker.known);
            let met = match heads.get(&edge.block) {
                None => next,
                Some(old) => old.meet(&next),
            };
            if heads.get(&edge.block) != Some(&met) {
                heads.insert(edge.block, met);
                work.insert(edge.block);
            }
        }
    }
    heads.iter().try_for_each(|(block, state)| checker.statements(*block, state))
}

impl State {
    fn meet(&self, other: &State) -> State {
        let mut met = State::default();
        for (register, contents) in &self.registers {
            let both = other.registers.get(register).into_iter().flat_map(|these| these & contents).collect();
            met.registers.insert(*register, both);
        }
        for (word, contents) in &self.words {
            let both = other.words.get(word).into_iter().flat_map(|these| these & contents).collect();
            met.words.insert(*word, both);
        }
        met.registers.retain(|_, contents| !contents.is_empty());
        met.words.retain(|_, contents| !contents.is_empty());
        met
    }

    /// The name means nothing any more.
    fn forget(&mut self, name: VReg) {
        self.registers.values_mut().for_each(|contents| _ = contents.remove(&Content::Of(name)));
        self.words.values_mut().for_each(|contents| contents.retain(|(content, _)| *content != Content::Of(name)));
    }

    /// Each new name means, from now on, what the old one means now.
    fn rename(&mut self, new: &[VReg], old: &[VReg], known: &BTreeMap<VReg, Content>) {
        let before = self.clone();
        new.iter().for_each(|&name| self.forget(name));
        for (&new, &old) in new.iter().zip(old) {
            let is_old = |content: &Content| *content == Content::Of(old) || known.get(&old) == Some(content);
            for (register, contents) in &before.registers {
                if contents.iter().any(is_old) {
                    self.registers.entry(*register).or_default().insert(Content::Of(new));
                }
            }
            for (word, contents) in &before.words {
                let parts = contents.iter().filter(|(content, _)| is_old(content));
                let named: Vec<(Content, u32)> = parts.map(|&(_, part)| (Content::Of(new), part)).collect();
                self.words.entry(*word).or_default().extend(named);
            }
        }
    }
}

/// The values that are known at compile time, by the operators that make them from others.
fn known(func: &Func) -> BTreeMap<VReg, Content> {
    let mut known = BTreeMap::new();
    let mut reached = BTreeSet::from([ENTRY]);
    let mut work = vec![ENTRY];
    while let Some(block) = work.pop() {
        let targets = func.blocks[block].terminator.edges().into_iter().map(|edge| edge.block);
        work.extend(targets.filter(|target| reached.insert(*target)));
    }
    let nodes = || reached.iter().flat_map(|block| &func.blocks[*block].insts);
    let arguments_last = nodes().all(|node| !matches!(node.inst, Inst::IncomingStore { .. }));
    loop {
        let before = known.len();
        for node in nodes() {
            let of = |known: &BTreeMap<VReg, Content>, n: VReg, amount: u32| match known.get(&n)? {
                Content::Number(value) => Some(Content::Number(value.wrapping_add(amount))),
                Content::Address(symbol, addend) => Some(Content::Address(*symbol, addend.wrapping_add(amount as i32))),
                content @ (Content::Argument(_) | Content::Of(_)) => (amount == 0).then_some(*content),
            };
            let (d, content) = match node.inst {
                Inst::Const { d, value } => (d, Some(Content::Number(value))),
                Inst::Address { d, symbol, addend } => (d, Some(Content::Address(symbol, addend))),
                Inst::IncomingLoad { d, offset } if arguments_last => (d, Some(Content::Argument(offset))),
                Inst::Move { d, m } => (d, of(&known, m, 0)),
                Inst::AluWide { op: WideOp::Add, d, n, imm } => (d, of(&known, n, imm.value())),
                Inst::AluWide { op: WideOp::Sub, d, n, imm } => (d, of(&known, n, imm.value().wrapping_neg())),
                Inst::Alu { op: AluOp::Add, flags: Flags::Keep, d, n, m: Operand2::Imm(imm) } => {
                    (d, of(&known, n, imm.value()))
                }
                Inst::Alu { op: AluOp::Sub, flags: Flags::Keep, d, n, m: Operand2::Imm(imm) } => {
                    (d, of(&known, n, imm.value().wrapping_neg()))
                }
                _ => continue,
            };
            if let Some(content) = content {
                known.insert(d, content);
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

/// What a call may destroy (AAPCS32, 6.1.1 and 6.1.2.1), beside SP and PC.
fn survives_calls(register: PReg) -> bool {
    if register.index() < 16 { (4..12).contains(&register.index()) } else { register.number() >= 8 }
}

/// What may hold a value from item to item: not SP, PC, nor what the emitter takes for itself, r12 and d15.
fn is_allocable(register: PReg, isa: Isa) -> bool {
    match (register.index(), isa) {
        (0..8, _) => true,
        (8..12 | 14, isa) => isa == Isa::V7M,
        (index, _) => (16..31).contains(&index),
    }
}

struct Checker<'a> {
    func: &'a Func,
    allocated: &'a Allocated,
    known: BTreeMap<VReg, Content>,
}

impl Checker<'_> {
    /// Callers find their registers again, and the spill area is as large as what is stored there.
    fn frame(&self) -> Result<(), String> {
        let frame = &self.allocated.frame;
        for item in self.allocated.blocks.values().flat_map(|data| &data.items) {
            for register in item.inst.defs() {
                let is_kept = survives_calls(register) || register == PReg::LR;
                if is_kept && !frame.saved.contains(register) {
                    return Err(format!("{}: {register} is not saved", item.inst));
                }
            }
            if let Inst::SlotStore { slot, .. } | Inst::SlotLoad { slot, .. } = item.inst
                && slot.0 + self.width(item) > frame.slots
            {
                return Err(format!("{}: the spill area ends before", item.inst));
            }
            if let Inst::OutgoingStore { offset, .. } = item.inst
                && offset + 4 > frame.outgoing_bytes
            {
                return Err(format!("{}: there is no room for arguments", item.inst));
            }
            if matches!(item.inst, Inst::Call(_)) && !frame.saved.contains(PReg::LR) {
                return Err("a call destroys the return address".into());
            }
        }
        Ok(())
    }

    /// How many words an added item moves.
    fn width(&self, item: &Item) -> u32 {
        item.writes.first().map_or(1, |&(_, name)| self.allocated.classes[name].words())
    }

    fn block(&self, block: Block, state: &mut State) -> Result<(), String> {
        let (data, result) = (&self.func.blocks[block], &self.allocated.blocks[block]);
        let mut items = result.items.iter();
        for node in &data.insts {
            if let Inst::Move { d, m } = node.inst {
                state.rename(&[d], &[m], &self.known);
                continue;
            }
            loop {
                let item = items.next().ok_or_else(|| format!("{} is missing", node.inst))?;
                if is_added(item) {
                    self.added(item, state).map_err(|why| format!("{}: {why}", item.inst))?;
                } else {
                    self.kept(&node.inst, &item.inst, state).map_err(|why| format!("{}: {why}", item.inst))?;
                    break;
                }
            }
        }
        for item in items {
            if !is_added(item) {
                return Err(format!("{} is new", item.inst));
            }
            self.added(item, state).map_err(|why| format!("{}: {why}", item.inst))?;
        }
        let (before, after) = (&data.terminator, &result.terminator);
        let without = |end: &Terminator<VReg>| end.map(&mut |_| (), &mut |_| nowhere());
        if without(before) != after.map(&mut |_| (), &mut |_| nowhere()) {
            return Err(format!("{after} for {before}"));
        }
        self.operands(&before.operands(), &after.operands(), state).map_err(|why| format!("{after}: {why}"))
    }

    /// What happens on the way of an edge: the items of blocks that split it.
    fn way(&self, block: Block, number: usize, state: &mut State) -> Result<(), String> {
        let wanted = self.func.blocks[block].terminator.edges()[number].block;
        let mut at = self.allocated.blocks[block].terminator.edges()[number].block;
        let mut steps = 0;
        while at != wanted {
            let data = self.allocated.blocks.get(at).filter(|_| at.0 as usize >= self.allocated.input_blocks);
            let Some(data) = data else { return Err(format!("goes to {at}")) };
            for item in &data.items {
                if !is_added(item) {
                    return Err(format!("{} on an edge", item.inst));
                }
                self.added(item, state).map_err(|why| format!("{}: {why}", item.inst))?;
            }
            steps += 1;
            match &data.terminator {
                Terminator::Jump(onward) if steps < 10 => at = onward.block,
                other => return Err(format!("{other} on an edge")),
            }
        }
        Ok(())
    }

    /// Whether a value is where it is read.
    fn holds(&self, contents: Option<&BTreeSet<Content>>, name: VReg) -> bool {
        let known = self.known.get(&name);
        contents.is_some_and(|contents| {
            contents.contains(&Content::Of(name)) || known.is_some_and(|known| contents.contains(known))
        })
    }

    /// Every use reads what it did, from where it may.
    fn operands(&self, before: &[Operand<VReg>], after: &[Operand<PReg>], state: &State) -> Result<(), String> {
        let uses: Vec<PReg> = after.iter().filter(|o| o.role == Role::Use).map(|o| o.reg).collect();
        for (old, new) in before.iter().zip(after) {
            let fits = match old.constraint {
                Constraint::Any => is_allocable(new.reg, self.func.isa),
                Constraint::Fixed(at) => new.reg == at,
                Constraint::Tied(place) => uses.get(place) == Some(&new.reg),
            };
            let is_float = self.func.classes[old.reg] != RegClass::Core;
            if !fits || is_float != (new.reg.index() >= 16) {
                return Err(format!("{} may not be in {}", old.reg, new.reg));
            }
            if old.role == Role::Use && !self.holds(state.registers.get(&new.reg), old.reg) {
                return Err(format!("{} is not in {}", old.reg, new.reg));
            }
        }
        Ok(())
    }

    /// An item that was there before.
    fn kept(&self, before: &Inst<VReg>, after: &Inst<PReg>, state: &mut State) -> Result<(), String> {
        if before.map(&mut |_| ()) != after.map(&mut |_| ()) {
            return Err(format!("stands for {before}"));
        }
        let (old, new) = (before.operands(), after.operands());
        self.operands(&old, &new, state).or_else(|why| match exchanged(before) {
            Some(other) => self.operands(&other.operands(), &new, state),
            None => Err(why),
        })?;
        if matches!(after, Inst::Call(_)) {
            state.registers.retain(|&register, _| survives_calls(register));
        }
        let defs: Vec<_> = old.iter().zip(&new).filter(|(old, _)| old.role == Role::Def).collect();
        defs.iter().for_each(|(old, _)| state.forget(old.reg));
        let mut written = BTreeSet::new();
        for (old, new) in defs {
            if !written.insert(new.reg) {
                return Err(format!("{} gets two values", new.reg));
            }
            let known = self.known.get(&old.reg).copied();
            state.registers.insert(new.reg, known.into_iter().chain([Content::Of(old.reg)]).collect());
        }
        Ok(())
    }

    /// An item that moves or computes again.
    fn added(&self, item: &Item, state: &mut State) -> Result<(), String> {
        let width = self.width(item);
        let words_of = |content: &Content| match content {
            Content::Of(name) => self.func.classes.get(*name).map_or(1, |class| class.words()),
            Content::Number(_) | Content::Address(..) | Content::Argument(_) => 1,
        };
        let (to, contents) = match item.inst {
            Inst::Move { d, m } => {
                let contents = state.registers.get(&m).cloned().unwrap_or_default();
                (d, contents.into_iter().filter(|content| words_of(content) <= width).collect())
            }
            Inst::SlotLoad { d, slot } => {
                let part = |part: u32| state.words.get(&(slot.0 + part)).cloned().unwrap_or_default();
                let low = part(0).into_iter().filter(|&(_, of)| of == 0).map(|(content, _)| content);
                let is_whole =
                    |content: &Content| words_of(content) <= width && (width == 1 || part(1).contains(&(*content, 1)));
                (d, low.filter(is_whole).collect())
            }
            Inst::SlotStore { s, slot } => {
                let contents = state.registers.get(&s).cloned().unwrap_or_default();
                for part in 0..width {
                    let stored = contents.iter().map(|&content| (content, part)).collect();
                    state.words.insert(slot.0 + part, stored);
                }
                return Ok(());
            }
            Inst::Const { d, value } => (d, BTreeSet::from([Content::Number(value)])),
            Inst::Address { d, symbol, addend } => (d, BTreeSet::from([Content::Address(symbol, addend)])),
            Inst::IncomingLoad { d, offset } => (d, BTreeSet::from([Content::Argument(offset)])),
            _ => return Err("was not there before".into()),
        };
        state.registers.insert(to, contents);
        Ok(())
    }

    /// What the result says about the head of a block, of values that were there before.
    fn statements(&self, block: Block, state: &State) -> Result<(), String> {
        for &(place, name) in &self.allocated.blocks[block].located {
            if name.0 as usize >= self.func.vregs.len() {
                continue;
            }
            let is_true = match place {
                Place::Reg(register) => self.holds(state.registers.get(&register), name),
                Place::Slot(slot) => (0..self.func.classes[name].words()).all(|part| {
                    let words = state.words.get(&(slot.0 + part));
                    let here = words.into_iter().flatten().filter(|(_, of)| *of == part).map(|&(content, _)| content);
                    self.holds(Some(&here.collect()), name)
                }),
                Place::Incoming(offset) => self.known.get(&name) == Some(&Content::Argument(offset)),
                Place::Outgoing(_) => false,
            };
            if !is_true {
                return Err(format!("{block}: {name} is said to be in {place:?}"));
            }
        }
        Ok(())
    }
}

fn nowhere() -> synth::vcode::Edge<()> {
    synth::vcode::Edge { block: ENTRY, args: Vec::new() }
}

/// Whether the allocator added an item: those that it keeps are labelled as what they compute.
fn is_added(item: &Item) -> bool {
    !matches!(item.class, Class::Direct | Class::Check)
}

/// The same instruction with its operands exchanged, if it may have them so.
fn exchanged(inst: &Inst<VReg>) -> Option<Inst<VReg>> {
    match *inst {
        Inst::InPlace { op, flags, d, n, m: Operand2::Reg(m) } if op.commutes() || op == InPlaceOp::Mul => {
            Some(Inst::InPlace { op, flags, d, n: m, m: Operand2::Reg(n) })
        }
        _ => None,
    }
}
