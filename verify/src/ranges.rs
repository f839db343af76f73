//! Live ranges and the colouring, rebuilt from the machine code by names alone.
//!
//! Requires: nothing; labels are untrusted. Ensures: [`run`] has no finding only if every
//! instruction that reads a location reads the value that its label names, on every path: then no
//! two values whose ranges overlap share a register or a stack word. A location is a register, or a stack word
//! that is moved whole, at an offset from SP or by a load or store of one word through a register that is known to
//! be a distance from SP (`pointer`). What reaches the stack in another way, through an index, by bytes, or as several
//! words through a register, is not followed here: the segment proof judges its values like all others.
//!
//! The state is a lattice per location: nothing known, one name, or several. A write puts its name
//! there, or nothing if the label gives none; a call leaves nothing in caller-saved registers; where
//! paths meet, different names become several. What an instruction reads and writes comes from the
//! validator's own table. No value is computed here, and the segment proof does not rest on this check.
//! This check takes one thing from the segment walk, if that ran: how many entries of a jump table can
//! be chosen, which only values tell. Without it a table ends where its bytes and the labels say so.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi;
use crate::hints::{ENTRY_NAME, Label, Location, Name, entry_name};
use crate::program::Word as ConstantWord;
use crate::segment::walk::Subject;
use crate::thumb::decode::decode;
use crate::thumb::feature::FloatUnit;
use crate::thumb::float::{FloatInst, FloatReg};
use crate::thumb::inst::{Address, DataOp, Inst, MultipleMode, Reg, RegSet, Shift, Width, Writeback};
use crate::thumb::operands::operands;
use crate::verdict::{Check, Finding};

mod live;

pub use live::{constants_read, live};

/// Findings after which a function is given up.
const FINDINGS_MAX: usize = 8;

/// How many entries of each jump table can be chosen, by the offset of its branch.
pub type Jumps = BTreeMap<u32, u32>;

/// Rebuilds the live ranges of a function and reports each clash.
pub fn run(subject: &Subject<'_>, jumps: &Jumps) -> Vec<Finding> {
    let mut ranges = match Ranges::read(subject, jumps) {
        Ok(ranges) => ranges,
        Err(finding) => return vec![finding],
    };
    ranges.flow();
    ranges.judge();
    ranges.findings
}

/// Offsets of the bytes that control can reach as far as branches tell, with their literals and jump
/// tables. Among them are instructions that the segment proof has found to be never run.
pub fn reachable(subject: &Subject<'_>, jumps: &Jumps) -> BTreeSet<u32> {
    let Ok(ranges) = Ranges::read(subject, jumps) else { return BTreeSet::new() };
    let code = ranges.steps.iter().flat_map(|(at, step)| *at..*at + step.size);
    code.chain(ranges.constants).collect()
}

/// What one location holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    /// The value of this name, put there at this offset.
    One(Name, u32),
    /// Different values on different paths: two of them.
    Several(Name, Name),
    /// What an instruction at this offset left there, which has no name.
    Unnamed(u32),
}

type State = BTreeMap<Location, Held>;

/// One instruction.
struct Step<'a> {
    size: u32,
    reads: BTreeSet<Location>,
    writes: BTreeSet<Location>,
    /// Locations that the ABI lets it read as well: arguments of a call, results of a return.
    may_read: BTreeSet<Location>,
    is_call: bool,
    is_conditional: bool,
    /// It jumps to an address in a register or from memory: where control goes on behind it, it has not run.
    leaves: bool,
    successors: Vec<u32>,
    /// SP below entry after it.
    depth: i32,
    label: Option<&'a Label>,
    text: String,
}

/// What an edge's locations were called before, and are called now.
type Renames<'a> = &'a [(Location, Name, Name)];

/// What is known on the way to an instruction.
#[derive(Clone, Copy)]
struct Context {
    /// SP below entry.
    depth: i32,
    /// How many instructions of an IT block follow.
    conditional: u32,
    /// A register that the instruction before set, or the one before a branch to here, and what it holds.
    pointer: Option<(Reg, Pointer)>,
    /// Where that branch is.
    branched: Option<u32>,
}

/// What is known of a register on the way to a stack word that an offset from SP does not reach.
#[derive(Clone, Copy)]
enum Pointer {
    /// This number.
    Number(u32),
    /// SP plus this distance.
    Distance(i32),
}

struct Ranges<'a> {
    steps: BTreeMap<u32, Step<'a>>,
    renames: BTreeMap<(u32, u32), Renames<'a>>,
    before: BTreeMap<u32, State>,
    /// Bytes of stack that the arguments take.
    argument_bytes: u32,
    /// Offsets of bytes that are read as literals and jump tables.
    constants: BTreeSet<u32>,
    findings: Vec<Finding>,
}

impl<'a> Ranges<'a> {
    /// Follows control from the entry and reads every instruction that can run.
    fn read(subject: &Subject<'a>, jumps: &Jumps) -> Result<Ranges<'a>, Finding> {
        let labels: BTreeMap<u32, &Label> = subject.hints.labels.iter().map(|label| (label.at, label)).collect();
        let joins = subject.hints.joins.iter();
        let renames = joins.map(|join| ((join.from, join.at), join.renames.as_slice())).collect();
        let mut ranges = Ranges {
            steps: BTreeMap::new(),
            renames,
            before: BTreeMap::new(),
            argument_bytes: abi::convention(&subject.function.signature, subject.program.target.variant).stack_bytes,
            constants: BTreeSet::new(),
            findings: Vec::new(),
        };
        let mut waiting = vec![(0u32, Context { depth: 0, conditional: 0, pointer: None, branched: None })];
        let mut by_pointer: BTreeSet<u32> = BTreeSet::new();
        while let Some((at, context)) = waiting.pop() {
            if ranges.steps.contains_key(&at) {
                continue;
            }
            let pc = subject.start.wrapping_add(at);
            let decoded = decode(subject.program.code(pc, subject.end), 0)
                .map_err(|error| find(at, format!("no instruction that is modelled: {error}")))?;
            let successors = successors(subject, &decoded, at, jumps).map_err(|why| find(at, why))?;
            ranges
                .constants
                .extend(constants(&decoded.0, pc, &successors).map(|address| address.wrapping_sub(subject.start)));
            let is_call = is_call(&decoded.0) && linked_branch(subject, &decoded.0, at).is_none();
            let label = labels.get(&at).copied();
            let (mut step, mut after) = step(&decoded, (context, is_call), label).map_err(|why| find(at, why))?;
            match decoded.0 {
                _ if step.is_conditional => {}
                // A branch over literals.
                Inst::Branch { .. } if context.branched.is_none() => {
                    (after.pointer, after.branched) = (context.pointer, Some(at));
                }
                ref inst => after.pointer = pointer(subject, inst, pc, context.pointer),
            }
            step.successors = successors;
            if context.conditional > 0 && !step.successors.contains(&(at + decoded.1)) {
                step.successors.push(at + decoded.1);
            }
            if context.pointer.is_some_and(|held| is_followed(&decoded.0, held)) {
                by_pointer.extend([Some(at), context.branched].into_iter().flatten());
            }
            waiting.extend(step.successors.iter().map(|next| (*next, after)));
            ranges.steps.insert(at, step);
        }
        ranges.entered_once(&by_pointer)?;
        Ok(ranges)
    }

    /// What an instruction left in a pointer is known where no other instruction leads to on the way to its use.
    fn entered_once(&self, by_pointer: &BTreeSet<u32>) -> Result<(), Finding> {
        let mut seen: BTreeSet<u32> = BTreeSet::from([0]);
        let entered = self.steps.values().flat_map(|step| &step.successors);
        match entered.copied().find(|at| by_pointer.contains(at) && !seen.insert(*at)) {
            Some(at) => Err(find(at, "a branch leads between an address on the stack and its use".to_owned())),
            None => Ok(()),
        }
    }

    /// Propagates names to a fixed point.
    fn flow(&mut self) {
        let registers = (0..Reg::COUNT as u8).filter(|register| !matches!(register, 13 | 15)).map(abi::location_of);
        let words = (0..self.argument_bytes as i32).step_by(4).map(Location::Stack);
        let state = registers.chain(words).map(|place| (place, Held::One(entry_name(place), 0))).collect();
        let state = renamed(state, self.renames.get(&(u32::MAX, 0)).copied().unwrap_or(&[]), 0);
        self.before.insert(0, state);
        let mut waiting = BTreeSet::from([0]);
        while let Some(at) = waiting.pop_first() {
            let Some(step) = self.steps.get(&at) else { continue };
            let after = step.after(&self.before[&at], at);
            for next in &step.successors {
                let arriving = renamed(after.clone(), self.renames.get(&(at, *next)).copied().unwrap_or(&[]), *next);
                if merge(&mut self.before, *next, arriving) {
                    waiting.insert(*next);
                }
            }
        }
    }

    /// Reports every read of what is not there.
    fn judge(&mut self) {
        let mut findings = Vec::new();
        for (at, step) in &self.steps {
            if let Some(state) = self.before.get(at) {
                findings.extend(self.judge_step(*at, step, state).into_iter().map(|message| find(*at, message)));
            }
        }
        findings.truncate(FINDINGS_MAX);
        self.findings.extend(findings);
    }

    fn judge_step(&self, at: u32, step: &Step<'_>, state: &State) -> Vec<String> {
        let Some(label) = step.label else { return vec![format!("`{}` has no label", step.text)] };
        let mut messages = Vec::new();
        for location in &step.reads {
            let mut named = label.reads.iter().filter(|(read, _)| read == location);
            if named.next().is_none() && !(step.is_conditional && step.writes.contains(location)) {
                messages.push(format!(
                    "`{}` reads {}, and its label names no value there",
                    step.text,
                    words(*location)
                ));
            }
        }
        for (location, name) in &label.reads {
            let may = step.may_read.contains(location) || (step.is_conditional && step.writes.contains(location));
            if !step.reads.contains(location) && !may {
                messages.push(format!("`{}` does not read {}, as its label says", step.text, words(*location)));
                continue;
            }
            match state.get(location) {
                Some(Held::One(held, _)) if held == name => {}
                held => messages.push(self.clash((at, step), *location, *name, held.copied())),
            }
        }
        for (location, _) in &label.writes {
            if !step.writes.contains(location) {
                messages.push(format!("`{}` does not write {}, as its label says", step.text, words(*location)));
            }
        }
        messages
    }

    /// Which value, which location, from where to where, overwritten where and by what.
    fn clash(&self, (at, step): (u32, &Step<'_>), location: Location, name: Name, held: Option<Held>) -> String {
        let defined = self.writers(location, name);
        let from = if defined.is_empty() { "the entry".to_owned() } else { defined };
        let place = words(location);
        let range = format!("value {} lives in {place} from {from} to {at:#x} (`{}`)", name_words(name), step.text);
        match held {
            Some(Held::One(other, since)) => {
                format!("{range}, but {place} was overwritten at {since:#x} by value {}", name_words(other))
            }
            Some(Held::Several(one, other)) => {
                let others = [one, other].into_iter().filter(|other| *other != name);
                let others: Vec<String> = others.map(|other| self.overwriter(location, other)).collect();
                format!("{range}, but on one path {place} was overwritten {}", others.join(" and on another "))
            }
            Some(Held::Unnamed(since)) => format!("{range}, but {place} was overwritten at {since:#x}"),
            None => format!("{range}, but on some path nothing was put into {place}"),
        }
    }
}

impl Ranges<'_> {
    /// The offsets of the instructions that put a value there.
    fn writers(&self, location: Location, name: Name) -> String {
        let puts = |step: &Step<'_>| step.label.is_some_and(|label| label.writes.contains(&(location, name)));
        let found: Vec<String> =
            self.steps.iter().filter(|(_, step)| puts(step)).map(|(at, _)| format!("{at:#x}")).collect();
        found.join(", ")
    }

    /// Where a value that does not belong there was put, and which.
    fn overwriter(&self, location: Location, name: Name) -> String {
        match self.writers(location, name) {
            nowhere if nowhere.is_empty() => format!("by value {}", name_words(name)),
            found => format!("at {found} by value {}", name_words(name)),
        }
    }
}

impl Step<'_> {
    fn after(&self, before: &State, at: u32) -> State {
        let mut state = before.clone();
        if self.leaves {
            return state;
        }
        if self.is_call {
            // Registers that no instruction names hold nothing anyway.
            for register in abi::caller_saved(FloatUnit::V5Double) {
                state.insert(abi::location_of(register), Held::Unnamed(at));
            }
        }
        let below = -self.depth;
        state.retain(|location, _| !matches!(location, Location::Stack(offset) if *offset < below));
        for location in &self.writes {
            state.insert(*location, Held::Unnamed(at));
        }
        if let Some(label) = self.label {
            for (location, name) in label.writes.iter().filter(|(location, _)| self.writes.contains(location)) {
                state.insert(*location, Held::One(*name, at));
            }
        }
        state
    }
}

fn renamed(mut state: State, renames: &[(Location, Name, Name)], at: u32) -> State {
    let before = state.clone();
    for (location, old, new) in renames {
        if matches!(before.get(location), Some(Held::One(held, _)) if held == old) {
            state.insert(*location, Held::One(*new, at));
        }
    }
    state
}

/// Joins a state into the one before an instruction; whether that changed.
fn merge(before: &mut BTreeMap<u32, State>, at: u32, arriving: State) -> bool {
    let Some(state) = before.get_mut(&at) else {
        before.insert(at, arriving);
        return true;
    };
    let mut changed = false;
    state.retain(|location, held| {
        let Some(other) = arriving.get(location) else {
            changed = true;
            return false;
        };
        let joined = match (*held, *other) {
            (Held::One(one, since), Held::One(other, _)) if one == other => Held::One(one, since),
            (Held::One(one, _), Held::One(other, _)) => Held::Several(one.min(other), one.max(other)),
            (Held::Unnamed(since), _) | (_, Held::Unnamed(since)) => Held::Unnamed(since),
            (several @ Held::Several(..), _) | (_, several @ Held::Several(..)) => several,
        };
        changed |= joined != *held;
        *held = joined;
        true
    });
    changed
}

/// Offsets that control may go to; the end of a call is the next instruction.
fn successors(subject: &Subject<'_>, (inst, size): &(Inst, u32), at: u32, jumps: &Jumps) -> Result<Vec<u32>, String> {
    let next = at + size;
    let target = |offset: i32| at.wrapping_add(4).wrapping_add_signed(offset);
    let inside = |at: u32| {
        let fits = at < subject.end - subject.start;
        fits.then_some(at).ok_or_else(|| format!("control leaves the function for offset {at:#x}"))
    };
    if let Some(target) = linked_branch(subject, inst, at) {
        return Ok(vec![target]);
    }
    match inst {
        Inst::Branch { offset } => {
            let (pc, to) = (subject.start.wrapping_add(at), subject.start.wrapping_add(target(*offset)));
            match subject.program.leaves_for(pc, to, (subject.start, subject.end))? {
                Some(_) => Ok(Vec::new()),
                None => Ok(vec![inside(target(*offset))?]),
            }
        }
        Inst::BranchCond { offset, .. } | Inst::CompareBranch { offset, .. } => {
            Ok(vec![next, inside(target(*offset))?])
        }
        Inst::TableBranch { width, .. } => table_targets(subject, next, *width, jumps.get(&at).copied().unwrap_or(0)),
        Inst::Udf { .. } => Ok(Vec::new()),
        inst if leaves(inst) => Ok(Vec::new()),
        _ => Ok(vec![inside(next)?]),
    }
}

fn is_call(inst: &Inst) -> bool {
    matches!(inst, Inst::BranchLink { .. } | Inst::BranchLinkReg { .. })
}

/// Where a BL goes that is a branch to a place inside its function, behind the entry.
fn linked_branch(subject: &Subject<'_>, inst: &Inst, at: u32) -> Option<u32> {
    let Inst::BranchLink { offset } = inst else { return None };
    let target = at.wrapping_add(4).wrapping_add_signed(*offset);
    let is_relocated = subject.program.relocation_within(subject.start.wrapping_add(at), 4).is_some();
    (!is_relocated && (1..subject.end - subject.start).contains(&target)).then_some(target)
}

/// Whether an instruction jumps to an address in a register or from memory.
pub(crate) fn leaves(inst: &Inst) -> bool {
    match inst {
        Inst::BranchReg { .. } => true,
        Inst::Load { t, .. } => *t == Reg::PC,
        Inst::LoadMultiple { registers, .. } => registers.contains(Reg::PC),
        _ => false,
    }
}

/// Addresses of the bytes that an instruction reads from the code.
fn constants(inst: &Inst, pc: u32, targets: &[u32]) -> std::ops::Range<u32> {
    let (from, bytes) = match inst {
        Inst::Load { width, address: Address::Literal { offset }, .. } => {
            ((pc.wrapping_add(4) & !3).wrapping_add_signed(*offset), width.bytes())
        }
        Inst::Float(FloatInst::Load { d, address: Address::Literal { offset } }) => {
            ((pc.wrapping_add(4) & !3).wrapping_add_signed(*offset), 4 * d.words().len() as u32)
        }
        Inst::TableBranch { width, .. } => (pc.wrapping_add(4), width.bytes() * targets.len() as u32),
        _ => (pc, 0),
    };
    from..from.saturating_add(bytes)
}

/// The targets of a jump table: it ends where the first of them, an instruction with a label, or a
/// literal that such an instruction reads, begins. Alignment ends it as well, an entry that leads into
/// the table, unless that one can be chosen.
fn table_targets(subject: &Subject<'_>, table: u32, width: Width, chosen: u32) -> Result<Vec<u32>, String> {
    let length = subject.end - subject.start;
    let chosen_end = table.saturating_add(chosen.saturating_mul(width.bytes()));
    let labelled = subject.hints.labels.iter().map(|label| label.at);
    let behind = labelled.chain(literals(subject)).filter(|at| *at >= table).min();
    let mut end = behind.unwrap_or(length);
    let mut targets = Vec::new();
    let mut at = table;
    while at + width.bytes() <= end {
        let mut entry = 0;
        for position in 0..width.bytes() {
            let byte = subject.program.constant_byte(subject.start.wrapping_add(at + position))?;
            entry |= u32::from(byte) << (8 * position);
        }
        let target = table.wrapping_add(2 * entry);
        if at >= chosen_end && (table..at + width.bytes()).contains(&target) {
            break;
        }
        if target >= length {
            return Err(format!("an entry of the jump table leads to offset {target:#x}, outside the function"));
        }
        if target > table {
            end = end.min(target);
        }
        targets.push(target);
        at += width.bytes();
    }
    Ok(targets)
}

/// Offsets of the literals that instructions with labels read.
fn literals(subject: &Subject<'_>) -> impl Iterator<Item = u32> {
    subject.hints.labels.iter().filter_map(|label| {
        let pc = subject.start.checked_add(label.at).filter(|pc| *pc < subject.end)?;
        let (inst, _) = decode(subject.program.code(pc, subject.end), 0).ok()?;
        let read = constants(&inst, pc, &[]);
        (!read.is_empty()).then(|| read.start.wrapping_sub(subject.start))
    })
}

/// What an instruction reads and writes, stack words included, and what is known behind it.
fn step<'a>(
    (inst, size): &(Inst, u32),
    (context, is_call): (Context, bool),
    label: Option<&'a Label>,
) -> Result<(Step<'a>, Context), String> {
    let depth = context.depth;
    let touched = operands(inst, None);
    let (mut reads, mut writes) = (locations(touched.reads), locations(touched.writes));
    let (depth_after, stack) = stack_words(inst, depth, context.pointer)?;
    match stack {
        StackWords::None => {}
        StackWords::Read(words) => reads.extend(words),
        StackWords::Written(words) => writes.extend(words),
    }
    let mut may_read = BTreeSet::new();
    if is_call {
        may_read.extend(passing());
        let arguments = label.into_iter().flat_map(|label| &label.reads).map(|(location, _)| *location);
        may_read.extend(arguments.filter(|place| matches!(place, Location::Stack(offset) if *offset >= -depth)));
        writes.extend((0..2).map(Location::Core).chain((0..8).map(Location::Single)));
        // Results in an area are in the caller's own frame.
        let results = label.into_iter().flat_map(|label| &label.writes).map(|(location, _)| *location);
        writes.extend(results.filter(|place| matches!(place, Location::Stack(offset) if (-depth..0).contains(offset))));
    }
    if leaves(inst) {
        // Results, or the arguments of the function that this one leaves for.
        may_read.extend(passing());
    }
    if matches!(inst, Inst::Branch { .. } | Inst::BranchLink { .. }) {
        // A branch to a shared epilogue hands the results on, one to a function its arguments.
        may_read.extend(passing());
        may_read.extend(label.into_iter().flat_map(|label| &label.reads).map(|(location, _)| *location));
    }
    let step = Step {
        size: *size,
        reads,
        writes,
        may_read,
        is_call,
        is_conditional: context.conditional > 0,
        leaves: leaves(inst),
        successors: Vec::new(),
        depth: depth_after,
        label,
        text: inst.to_string(),
    };
    let conditional = match *inst {
        Inst::It { mask, .. } => 4 - u32::from(mask & 15).trailing_zeros(),
        _ => context.conditional.saturating_sub(1),
    };
    let behind = if step.leaves { depth } else { depth_after };
    Ok((step, Context { depth: behind, conditional, pointer: None, branched: None }))
}

/// The registers in which calls and returns hand words on.
fn passing() -> impl Iterator<Item = Location> {
    (0..4).map(Location::Core).chain((0..16).map(Location::Single))
}

/// The register that an instruction sets to a distance from SP, or to a number that may become one.
fn pointer(subject: &Subject<'_>, inst: &Inst, pc: u32, before: Option<(Reg, Pointer)>) -> Option<(Reg, Pointer)> {
    match *inst {
        Inst::DataImm { op: DataOp::Add, d, n: Reg::SP, imm, .. } if d != Reg::SP => {
            Some((d, Pointer::Distance(i32::try_from(imm.value).ok()?)))
        }
        Inst::Load { width: Width::Word, t, address: Address::Literal { .. }, .. } => {
            match subject.program.constant(constants(inst, pc, &[]).start) {
                Ok(ConstantWord::Number(number)) => Some((t, Pointer::Number(number))),
                Ok(ConstantWord::Base(..) | ConstantWord::StackLimit) | Err(_) => None,
            }
        }
        Inst::DataReg { op: DataOp::Add, d, n, m: Reg::SP, shift: Shift::Lsl(0), .. } if d == n => match before {
            Some((register, Pointer::Number(number))) if register == d => {
                Some((d, Pointer::Distance(i32::try_from(number).ok()?)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether an instruction is read in the light of what a register holds.
fn is_followed(inst: &Inst, (register, held): (Reg, Pointer)) -> bool {
    match held {
        Pointer::Number(_) => matches!(*inst, Inst::DataReg { n, m: Reg::SP, .. } if n == register),
        Pointer::Distance(_) => operands(inst, None).reads.contains(register),
    }
}

fn locations(registers: RegSet) -> BTreeSet<Location> {
    let named = registers.iter().filter(|register| *register != Reg::SP && *register != Reg::PC);
    named.map(Reg::location).collect()
}

enum StackWords {
    None,
    Read(Vec<Location>),
    Written(Vec<Location>),
}

/// The depth of SP after an instruction, and the stack words that it moves.
fn stack_words(inst: &Inst, depth: i32, pointer: Option<(Reg, Pointer)>) -> Result<(i32, StackWords), String> {
    // Where a register points, as a distance from SP.
    let points = |base: Reg| match pointer {
        _ if base == Reg::SP => Some(0),
        Some((register, Pointer::Distance(distance))) if register == base => Some(distance),
        Some(_) | None => None,
    };
    let words =
        |from: i32, count: u32| (0..count as i32).map(|index| Location::Stack(from - depth + 4 * index)).collect();
    let word = |from: i32, width: Width| if width == Width::Word { words(from, 1) } else { Vec::new() };
    Ok(match *inst {
        Inst::Load { width, address: Address::Offset { n, offset }, .. } => match points(n) {
            Some(distance) => (depth, StackWords::Read(word(distance.wrapping_add(offset), width))),
            None => (depth, StackWords::None),
        },
        Inst::Store { width, address: Address::Offset { n, offset }, .. } => match points(n) {
            Some(distance) => (depth, StackWords::Written(word(distance.wrapping_add(offset), width))),
            None => (depth, StackWords::None),
        },
        Inst::LoadDual { address: Address::Offset { n: Reg::SP, offset }, .. } => {
            (depth, StackWords::Read(words(offset, 2)))
        }
        Inst::StoreDual { address: Address::Offset { n: Reg::SP, offset }, .. } => {
            (depth, StackWords::Written(words(offset, 2)))
        }
        Inst::Load { address: Address::PostIndex { n: Reg::SP, offset }, .. } => {
            (depth - offset, StackWords::Read(words(0, 1)))
        }
        Inst::Store { address: Address::PreIndex { n: Reg::SP, offset }, .. } => {
            (depth - offset, StackWords::Written(words(offset, 1)))
        }
        Inst::Float(FloatInst::Load { d, address: Address::Offset { n: Reg::SP, offset } }) => {
            (depth, StackWords::Read(words(offset, d.words().len() as u32)))
        }
        Inst::Float(FloatInst::Store { d, address: Address::Offset { n: Reg::SP, offset } }) => {
            (depth, StackWords::Written(words(offset, d.words().len() as u32)))
        }
        Inst::Float(FloatInst::LoadMultiple {
            n: Reg::SP,
            writeback: Writeback::Yes,
            mode: MultipleMode::IncrementAfter,
            first,
            count,
        }) => {
            let count = first.run(count).flat_map(FloatReg::words).count() as u32;
            (depth - 4 * count as i32, StackWords::Read(words(0, count)))
        }
        Inst::Float(FloatInst::StoreMultiple {
            n: Reg::SP,
            writeback: Writeback::Yes,
            mode: MultipleMode::DecrementBefore,
            first,
            count,
        }) => {
            let count = first.run(count).flat_map(FloatReg::words).count() as u32;
            let bytes = 4 * count as i32;
            (depth + bytes, StackWords::Written(words(-bytes, count)))
        }
        Inst::LoadMultiple { n: Reg::SP, writeback, mode: MultipleMode::IncrementAfter, registers } => {
            let bytes = if writeback == Writeback::Yes { 4 * registers.len() as i32 } else { 0 };
            (depth - bytes, StackWords::Read(words(0, registers.len())))
        }
        Inst::StoreMultiple {
            n: Reg::SP,
            writeback: Writeback::Yes,
            mode: MultipleMode::DecrementBefore,
            registers,
        } => {
            let bytes = 4 * registers.len() as i32;
            (depth + bytes, StackWords::Written(words(-bytes, registers.len())))
        }
        Inst::DataImm { op: DataOp::Sub, d: Reg::SP, n: Reg::SP, imm, .. } => {
            (depth.wrapping_add_unsigned(imm.value), StackWords::None)
        }
        Inst::DataImm { op: DataOp::Add, d: Reg::SP, n: Reg::SP, imm, .. } => {
            (depth.wrapping_sub_unsigned(imm.value), StackWords::None)
        }
        _ if operands(inst, None).writes.contains(Reg::SP) => {
            return Err("SP changes in a way that is not followed".to_owned());
        }
        _ => (depth, StackWords::None),
    })
}

fn find(at: u32, message: String) -> Finding {
    Finding { at, check: Check::Ranges, message }
}

fn words(location: Location) -> String {
    match location {
        Location::Core(14) => "lr".to_owned(),
        Location::Core(register) => format!("r{register}"),
        Location::Single(register) => format!("s{register}"),
        Location::Stack(offset) => format!("stack word {offset:+}"),
    }
}

fn name_words(name: Name) -> String {
    match name.checked_sub(ENTRY_NAME) {
        Some(register) => {
            format!("{}-at-entry", u8::try_from(register).map_or_else(|_| "argument".into(), abi::register_name))
        }
        None => format!("v{name}"),
    }
}
