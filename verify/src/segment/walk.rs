//! The walk over one function: every machine path from every cut to the next, against the source.
//!
//! Ensures: [`run`] reports no finding only if each segment's goals are closed on every path, each
//! path ends at a cut, a return or a trap, and every visited instruction is decoded and steps
//! without a fault. The machine goes first, on facts of its own; the source follows at each event.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::domain::Decide;
use crate::elf::RelocationKind;
use crate::hints::{Class, Cut, FunctionHints, Label, Name};
use crate::program::{CallTarget, Program};
use crate::ranges;
use crate::term::facts::Facts;
use crate::term::prove::By;
use crate::term::{Term32, TermBool};
use crate::thumb::decode::decode;
use crate::thumb::inst::{Cond, Inst};
use crate::thumb::sem::{self, Flow};
use crate::trap::Trap;
use crate::verdict::{Check, Finding, Kind, Method, Obligation, Way};
use crate::wasm::control::Then;
use crate::wasm::module::{Function, Module};
use crate::wasm::op::Op;
use crate::wasm::sem::Activation;

use super::goal;
use super::kept::Kept;
use super::machine::MachineState;
use super::relation::{self, Ghosts, Known};
use super::source::{SourceEvent, SourceState, Watched, run_ahead, run_to};
use super::symbolic::{Side, Stop, Symbolic};

/// What the walk may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Budget {
    /// Machine instructions that paths run.
    pub steps: u64,
    /// Paths.
    pub paths: u64,
}

impl Budget {
    /// That of a whole file with so many bytes of code: some times what code with cuts at its joins takes. Without cuts the
    /// number of paths may double with each branch.
    pub fn of_code(bytes: u64) -> Budget {
        Budget { steps: 20_000 + 4 * bytes, paths: 2_000 + bytes }
    }

    /// What is left of it.
    #[must_use]
    pub fn without(self, spent: Budget) -> Budget {
        Budget { steps: self.steps.saturating_sub(spent.steps), paths: self.paths.saturating_sub(spent.paths) }
    }
}

/// What is walked: one function with its code and hints.
pub struct Subject<'a> {
    /// The Wasm module.
    pub module: &'a Module,
    /// The Wasm function.
    pub function: &'a Function,
    /// The file.
    pub program: &'a Program,
    /// Its hints.
    pub hints: &'a FunctionHints,
    /// First address of its code.
    pub start: u32,
    /// Behind its last.
    pub end: u32,
    /// Findings after which the walk gives up.
    pub findings_max: usize,
    /// What it may take.
    pub budget: Budget,
}

/// What the walk found out.
#[derive(Default)]
pub struct Walked {
    /// Closed obligations.
    pub obligations: Vec<Obligation>,
    /// What is not shown.
    pub findings: Vec<Finding>,
    /// Segments walked.
    pub segments: u32,
    /// Offsets in the function of bytes that were run or read as constants.
    pub covered: BTreeSet<u32>,
    /// Deepest SP, in bytes below entry.
    pub depth_max: u32,
    /// Calls made.
    pub calls: BTreeSet<Callee>,
    /// What the function leaves for without coming back.
    pub leaves: BTreeSet<Callee>,
    /// Where the caller's values are before each instruction that was run, by offset.
    pub kept: BTreeMap<u32, Kept>,
    /// How many entries of each jump table can be chosen, by the offset of its branch.
    pub jumps: BTreeMap<u32, u32>,
    /// Ways of instructions, by offset, that no state of some path takes, and of how many paths.
    pub dead: BTreeMap<(u32, Way), u32>,
    /// What the walk took.
    pub spent: Budget,
}

/// Whom a function calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Callee {
    /// A function of the module or an import, by index.
    Direct(u32),
    /// Any function in the table of this type.
    Indirect(u32),
}

/// One path under way.
#[derive(Clone)]
pub(super) struct Path {
    pub machine: MachineState,
    pub machine_facts: Facts,
    /// The source, somewhere between the last event and the one that the machine comes to next.
    pub source: Rc<SourceState>,
    /// Facts of the machine and of the source.
    pub facts: Facts,
    /// Address of the next instruction.
    pub pc: u32,
    pub known: Rc<Known>,
    /// What each named value is, where it is known.
    pub names: Rc<BTreeMap<Name, Term32>>,
    /// Whether anything happened since entry that `exhausted` must precede.
    pub fresh: Freshness,
    /// Instructions run since the cut.
    pub length: u32,
    /// Whether the facts have just been split on what the next instruction asks.
    pub split: bool,
}

/// Whether a path still stands at the function's entry as far as stores and calls go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Freshness {
    Entry,
    Under,
}

/// Walks a function.
pub fn run(symbolic: &mut Symbolic, subject: &Subject<'_>) -> Walked {
    let ghosts = Ghosts { registers: MachineState::entry_registers(symbolic) };
    let mut walk = Walk {
        symbolic,
        subject,
        ghosts,
        walked: Walked::default(),
        watched: Watched::of(subject.hints),
        labels: BTreeMap::new(),
        cuts: BTreeMap::new(),
        conditional: BTreeMap::new(),
        places: BTreeSet::new(),
        source_steps: 0,
    };
    walk.labels = subject.hints.labels.iter().map(|label| (label.at, label)).collect();
    walk.cuts = subject.hints.cuts.iter().map(|cut| (cut.at, cut)).collect();
    walk.places = subject.hints.cuts.iter().filter_map(|cut| relation::place(cut, subject.function).ok()).collect();
    walk.segments();
    walk.walked
}

pub(super) struct Walk<'a, 'b> {
    pub symbolic: &'a mut Symbolic,
    pub subject: &'a Subject<'b>,
    pub ghosts: Ghosts,
    pub walked: Walked,
    pub watched: Watched,
    pub labels: BTreeMap<u32, &'a Label>,
    cuts: BTreeMap<u32, &'a Cut>,
    /// Offsets of instructions that were run, and whether an IT block was under way there: a branch into
    /// a block is UNPREDICTABLE (DDI0403, A7.7.38).
    conditional: BTreeMap<u32, bool>,
    /// Positions of the body where cuts stand.
    places: BTreeSet<u32>,
    /// Steps that the source has taken, in all its runs.
    source_steps: u64,
}

/// How one instruction went.
enum Stepped {
    /// The path goes on at its `pc`.
    On,
    /// The path has ended; its goals are recorded.
    End,
    /// The path goes on, and so does another.
    Fork(Box<Path>),
    /// The path goes on as these.
    Split(Vec<Path>),
}

impl Walk<'_, '_> {
    fn segments(&mut self) {
        if self.cuts.contains_key(&0) {
            return self.find(0, "a cut stands at the entry".to_owned());
        }
        match self.entry() {
            Ok(path) => self.segment(path),
            Err(why) => self.find(0, why),
        }
        let cuts: Vec<&Cut> = self.cuts.values().copied().collect();
        for cut in cuts {
            if self.walked.findings.len() >= self.subject.findings_max {
                return;
            }
            if cut.at >= self.subject.end - self.subject.start {
                self.find(cut.at, "a cut stands outside its function".to_owned());
                continue;
            }
            match relation::begin(self.symbolic, self.subject.function, cut, &self.ghosts) {
                Ok(start) => self.segment(Path {
                    machine: start.machine,
                    machine_facts: start.facts.clone(),
                    source: Rc::new(start.source),
                    facts: start.facts,
                    pc: self.subject.start + cut.at,
                    known: Rc::new(start.known),
                    names: Rc::new(start.names),
                    fresh: Freshness::Under,
                    length: 0,
                    split: false,
                }),
                Err(why) => self.find(cut.at, why),
            }
        }
    }

    /// Both sides at the function's entry: the contract.
    fn entry(&mut self) -> Result<Path, String> {
        let world = relation::fresh_world(self.symbolic);
        let (mut machine, arguments) = MachineState::entry(self.symbolic, &world, self.subject.function, &self.ghosts);
        let parameters = &self.subject.function.signature.parameters;
        machine.know_references(arguments.iter().zip(parameters.iter().copied()));
        machine.know_globals(&self.symbolic.constants, &world);
        let mut facts = Facts::new();
        self.symbolic.assume_nulls(&mut machine, [&mut facts]);
        let activation = Activation::enter(self.symbolic, self.subject.function, arguments)
            .ok_or("the entry does not fit the function's type")?;
        Ok(Path {
            machine,
            machine_facts: facts.clone(),
            source: Rc::new(SourceState { world, activation, shown: BTreeMap::new(), steps: 0 }),
            facts,
            pc: self.subject.start,
            known: Rc::new(Known::new()),
            names: Rc::default(),
            fresh: Freshness::Entry,
            length: 0,
            split: false,
        })
    }

    fn segment(&mut self, start: Path) {
        self.walked.segments += 1;
        let mut waiting = vec![start];
        let Budget { steps, paths } = self.subject.budget;
        while let Some(mut path) = waiting.pop() {
            self.walked.spent.paths += 1;
            loop {
                self.walked.spent.steps += 1;
                if self.walked.spent.steps > steps || self.walked.spent.paths > paths {
                    return self.find(
                        self.offset(path.pc),
                        "the file has too many paths or steps; a cut is missing".to_owned(),
                    );
                }
                if self.walked.findings.len() >= self.subject.findings_max {
                    return;
                }
                let at_cut = path.length > 0 && self.cuts.contains_key(&self.offset(path.pc));
                let stepped = if at_cut { self.arrive(&path).map(|()| Stepped::End) } else { self.step(&mut path) };
                match stepped {
                    Ok(Stepped::On) => {}
                    // Traps are mostly branched to: their paths end first, and hold nothing.
                    Ok(Stepped::Fork(other)) => waiting.push(*other),
                    Ok(Stepped::End) => break,
                    Ok(Stepped::Split(paths)) => {
                        waiting.extend(paths);
                        break;
                    }
                    Err(why) => {
                        self.refuse(&path, why);
                        break;
                    }
                }
            }
        }
    }

    /// Records why a path is not shown to be right, unless it cannot be taken.
    fn refuse(&mut self, path: &Path, why: String) {
        let at = self.offset(path.pc);
        if !self.is_dead(&path.facts, at, Kind::Access) {
            self.find(at, why);
        }
    }

    pub(super) fn find(&mut self, at: u32, message: String) {
        self.walked.findings.push(Finding { at, check: Check::Segment, message });
    }

    pub(super) fn close(&mut self, at: u32, kind: Kind, method: Method) {
        self.close_by(at, kind, method, None);
    }

    pub(super) fn close_by(&mut self, at: u32, kind: Kind, method: Method, query: Option<u32>) {
        self.walked.obligations.push(Obligation { at, kind, method, query });
    }

    /// Whether no state satisfies the facts of a way, which is then dead.
    fn is_dead(&mut self, facts: &Facts, at: u32, kind: Kind) -> bool {
        let Some(by) = self.symbolic.prover.contradiction(&mut self.symbolic.terms, facts) else { return false };
        let query = self.symbolic.prover.last_query().filter(|_| by == By::Solver);
        self.close_by(at, kind, Method::Infeasible, query);
        self.rule_out(at, Way::On);
        true
    }

    /// Whether the facts of a way out of an instruction are seen to contradict each other; it is dead then.
    fn is_ruled_out(&mut self, facts: &Facts) -> bool {
        let prover = &mut self.symbolic.prover;
        facts.is_contradictory() && (prover.rules || prover.contradiction(&mut self.symbolic.terms, facts).is_some())
    }

    fn rule_out(&mut self, at: u32, way: Way) {
        *self.walked.dead.entry((at, way)).or_default() += 1;
    }

    pub(super) fn offset(&self, pc: u32) -> u32 {
        pc.wrapping_sub(self.subject.start)
    }

    /// Runs one instruction.
    fn step(&mut self, path: &mut Path) -> Result<Stepped, String> {
        let at = self.offset(path.pc);
        if path.pc < self.subject.start || path.pc >= self.subject.end {
            return Err(format!("control leaves the function for {:#x}", path.pc));
        }
        let bytes = self.subject.program.code(path.pc, self.subject.end);
        let (inst, size) = decode(bytes, 0).map_err(|error| format!("no instruction that is modelled: {error}"))?;
        self.subject.program.target.require(&inst, size)?;
        self.walked.covered.extend(at..at + size);
        self.note_kept(path, at)?;
        let inside = path.machine.in_it_block();
        if *self.conditional.entry(at).or_insert(inside) != inside {
            return Err("a branch leads to an instruction inside an IT block".to_owned());
        }
        if let Inst::BranchCond { cond, offset } = inst
            && (size, offset) == (2, 0)
            && !inside
            && let Some(stepped) = self.skip(path, cond)?
        {
            return Ok(stepped);
        }
        let core = path.machine.core();
        let flow = match self.execute(path, &inst, size) {
            Ok(flow) => flow,
            Err(Stop::Fault(why)) => return Err(format!("`{inst}`: {why}")),
            Err(Stop::Undecided(condition)) => {
                path.machine.restore(core);
                return Ok(self.fork(path, condition));
            }
        };
        let is_split = std::mem::take(&mut path.split);
        let is_branch = matches!(inst, Inst::BranchCond { .. } | Inst::CompareBranch { .. });
        if !is_split && (is_branch || inside && leads_away(&inst)) {
            self.rule_out(at, if flow == Flow::Next { Way::Taken } else { Way::NotTaken });
        }
        // A path longer than the function has come to some instruction twice.
        path.length += 1;
        if path.length > (self.subject.end - self.subject.start) / 2 {
            return Err("the path goes in a circle; a cut is missing".to_owned());
        }
        self.symbolic.assume_nulls(&mut path.machine, [&mut path.machine_facts, &mut path.facts]);
        for (method, query) in std::mem::take(&mut self.symbolic.accesses) {
            self.close_by(at, Kind::Access, method, query);
        }
        path.machine.forget_below_sp(self.symbolic)?;
        self.after(path, at, &flow)?;
        let next = path.pc + size;
        self.follow(path, &inst, flow, next)
    }

    /// A branch around one instruction of 16 bits that only writes registers: where the facts do not tell whether
    /// it is taken, both ways are one, as with an IT block. Nothing if it is no such branch.
    fn skip(&mut self, path: &mut Path, cond: Cond) -> Result<Option<Stepped>, String> {
        let (at, pc) = (self.offset(path.pc), path.pc + 2);
        let is_cut = |at| self.cuts.contains_key(&at);
        // A copy gives the value of its label where it runs, which is said of one way alone.
        let is_direct = self.labels.get(&(at + 2)).is_none_or(|label| label.class == Class::Direct);
        if is_cut(at + 2) || is_cut(at + 4) || !is_direct {
            return Ok(None);
        }
        if self.subject.program.relocation_within(path.pc, 4).is_some() {
            return Ok(None);
        }
        let Ok((inst, 2)) = decode(self.subject.program.code(pc, self.subject.end), 0) else { return Ok(None) };
        let core = path.machine.core();
        let decided = self.with_machine(path, |symbolic| {
            let condition = symbolic.machine.flags.clone().condition(symbolic, cond);
            symbolic.decide(&condition)
        });
        let Err(Stop::Undecided(_)) = decided else { return Ok(None) };
        let stepped = self.with_machine(path, |symbolic| sem::step_unless(symbolic, cond, &inst, pc));
        let Ok(true) = stepped else {
            path.machine.restore(core);
            return Ok(None);
        };
        self.subject.program.target.require(&inst, 2)?;
        self.walked.covered.extend(at..at + 4);
        self.note_kept(path, at + 2)?;
        if *self.conditional.entry(at + 2).or_insert(false) {
            return Err("a branch leads to an instruction inside an IT block".to_owned());
        }
        path.length += 2;
        self.after(path, at, &Flow::Next)?;
        self.after(path, at + 2, &Flow::Next)?;
        path.pc += 4;
        Ok(Some(Stepped::On))
    }

    /// Runs something on the machine of a path, under its facts.
    fn with_machine<T>(&mut self, path: &mut Path, run: impl FnOnce(&mut Symbolic) -> T) -> T {
        self.symbolic.side = Side::Machine;
        self.symbolic.facts = path.machine_facts.clone();
        std::mem::swap(&mut self.symbolic.machine, &mut path.machine);
        let result = run(self.symbolic);
        std::mem::swap(&mut self.symbolic.machine, &mut path.machine);
        result
    }

    /// The path where a condition holds, and another where it does not.
    fn fork(&mut self, path: &mut Path, condition: TermBool) -> Stepped {
        let of_function = (self.subject.module, self.subject.function, &self.watched);
        let source = Rc::make_mut(&mut path.source);
        run_ahead(self.symbolic, of_function, source, &path.facts, &self.places);
        path.split = true;
        let mut other = path.clone();
        for (way, value) in [(&mut *path, true), (&mut other, false)] {
            way.machine_facts.assume(&mut self.symbolic.terms, condition, value);
            way.facts.assume(&mut self.symbolic.terms, condition, value);
        }
        let at = self.offset(path.pc);
        let ways = [self.is_ruled_out(&path.facts), self.is_ruled_out(&other.facts)];
        for (way, is_dead) in [Way::Taken, Way::NotTaken].into_iter().zip(ways) {
            if is_dead {
                self.rule_out(at, way);
            }
        }
        match (ways[0], ways[1]) {
            (false, false) => Stepped::Fork(Box::new(other)),
            (false, true) => Stepped::On,
            (true, false) => Stepped::Split(vec![other]),
            (true, true) => Stepped::End,
        }
    }

    /// Notes where the caller's values are before an instruction.
    fn note_kept(&mut self, path: &Path, at: u32) -> Result<(), String> {
        let depth = path.machine.depth(&mut self.symbolic.terms, &self.symbolic.constants)?;
        match self.walked.kept.entry(at) {
            Entry::Vacant(entry) => {
                _ = entry.insert(Kept::of(depth, &path.machine, &self.ghosts, self.subject.program.target.float))
            }
            Entry::Occupied(mut entry) => entry.get_mut().meet(depth, &path.machine, &self.ghosts),
        }
        Ok(())
    }

    /// The instruction's own meaning, or that of its relocation.
    fn execute(&mut self, path: &mut Path, inst: &Inst, size: u32) -> Result<Flow<Term32>, Stop> {
        self.symbolic.side = Side::Machine;
        self.symbolic.accesses.clear();
        self.symbolic.jump_end = None;
        self.symbolic.facts = path.machine_facts.clone();
        std::mem::swap(&mut self.symbolic.machine, &mut path.machine);
        let flow = self.run(inst, path.pc, size);
        std::mem::swap(&mut self.symbolic.machine, &mut path.machine);
        self.walked.covered.extend(
            path.machine.take_constants_read().into_iter().map(|address| address.wrapping_sub(self.subject.start)),
        );
        flow
    }

    fn run(&mut self, inst: &Inst, pc: u32, size: u32) -> Result<Flow<Term32>, Stop> {
        let program = self.subject.program;
        match program.relocation_within(pc, size) {
            None => sem::step(self.symbolic, inst, pc, size),
            Some((at, RelocationKind::ThumbCall)) if at == pc && matches!(inst, Inst::BranchLink { .. }) => {
                sem::step(self.symbolic, inst, pc, size)
            }
            Some((at, RelocationKind::ThumbJump)) if at == pc && size == 4 && matches!(inst, Inst::Branch { .. }) => {
                sem::step(self.symbolic, inst, pc, size)
            }
            Some((at, _)) => match program.relocated_half(pc).filter(|_| at == pc) {
                Some((kind, word)) if kind == half_of(inst) => self.symbolic.set_half(inst, word).map(|()| Flow::Next),
                Some(_) | None => Err(Stop::Fault("a relocation changes this instruction".to_owned())),
            },
        }
    }

    /// Checks after each instruction: depth, the stack limit, and what its label claims.
    fn after(&mut self, path: &mut Path, at: u32, flow: &Flow<Term32>) -> Result<(), String> {
        let depth = path.machine.depth(&mut self.symbolic.terms, &self.symbolic.constants)?;
        if depth > self.subject.hints.frame_bytes {
            return Err(format!("SP is {depth} bytes below entry, {} are declared", self.subject.hints.frame_bytes));
        }
        self.walked.depth_max = self.walked.depth_max.max(depth);
        if path.fresh == Freshness::Entry && (depth > 0 || path.machine.touched_memory()) {
            goal::limit_was_checked(self, path)?;
            path.fresh = Freshness::Under;
        }
        // The label of a call speaks of what is behind it.
        let is_call = matches!(flow, Flow::Call { .. } | Flow::CallRegister(_));
        match (self.labels.get(&at).copied(), is_call) {
            (None, _) => Ok(()),
            (Some(label), false) => goal::label(self, path, label),
            (Some(label), true) => match label.class {
                Class::Direct | Class::Check | Class::Trap | Class::Frame => Ok(()),
                Class::Move | Class::Spill | Class::Reload | Class::Remat => {
                    Err("a call is labelled as a copy of a value".to_owned())
                }
            },
        }
    }

    /// What comes after an instruction.
    fn follow(&mut self, path: &mut Path, inst: &Inst, flow: Flow<Term32>, next: u32) -> Result<Stepped, String> {
        match flow {
            Flow::Next => path.pc = next,
            Flow::Jump(target) => {
                let own = (self.subject.start, self.subject.end);
                if matches!(inst, Inst::Branch { .. })
                    && let Some(callee) = self.subject.program.leaves_for(path.pc, target, own)?
                {
                    return self.leave_for(path, callee).map(|()| Stepped::End);
                }
                // Bytes without a label are seldom code: a way there that cannot be taken says nothing of them.
                let at = self.offset(path.pc);
                if !self.labels.contains_key(&self.offset(target)) && self.is_dead(&path.facts, at, Kind::Access) {
                    return Ok(Stepped::End);
                }
                if let Some(entries) = self.symbolic.jump_end {
                    let known = self.walked.jumps.entry(path.pc.wrapping_sub(self.subject.start)).or_default();
                    *known = entries.max(*known);
                }
                path.pc = target;
            }
            // BL to a place inside the function is a branch that goes far and destroys LR.
            Flow::Call { target, .. } if self.is_inside(path.pc, target) => {
                path.machine.registers[14] = self.symbolic.terms.fresh32("junk");
                path.pc = target;
            }
            Flow::Call { target, .. } => {
                let callee = self.subject.program.call_target(path.pc, target)?;
                return self.call(path, Called::Known(callee), next);
            }
            Flow::CallRegister(target) => return self.call(path, Called::Computed(target), next),
            Flow::JumpRegister(target) => return self.leave(path, target).map(|()| Stepped::End),
            Flow::Trap(code) => return self.trap(path, code).map(|()| Stepped::End),
        }
        Ok(Stepped::On)
    }

    /// Whether a BL goes to a place inside its function, behind the entry.
    fn is_inside(&self, pc: u32, target: u32) -> bool {
        let is_relocated = self.subject.program.relocation_within(pc, 4).is_some();
        !is_relocated && (self.subject.start + 1..self.subject.end).contains(&target)
    }

    fn source_events(&mut self, path: &Path, place: Option<u32>) -> Result<Vec<super::source::Outcome>, String> {
        run_to(
            self.symbolic,
            (self.subject.module, self.subject.function, &self.watched),
            &path.source,
            &path.facts,
            place,
            &mut self.source_steps,
        )
    }

    /// The path has come to a cut.
    fn arrive(&mut self, path: &Path) -> Result<(), String> {
        let at = self.offset(path.pc);
        let cut = self.cuts[&at];
        if path.machine.in_it_block() {
            return Err("a cut stands inside an IT block".to_owned());
        }
        if path.fresh == Freshness::Entry {
            goal::limit_was_checked(self, path)?;
        }
        let place = relation::place(cut, self.subject.function)?;
        for outcome in self.source_events(path, Some(place))? {
            match &outcome.event {
                SourceEvent::Arrived => goal::cut(self, path, &outcome, cut)?,
                event => self.mismatch(&outcome.facts, at, "goes on to the next cut", event)?,
            }
        }
        Ok(())
    }

    /// The path jumps to an address in a register: it returns, or goes to a function of the table.
    fn leave(&mut self, path: &Path, target: Term32) -> Result<(), String> {
        let at = self.offset(path.pc);
        if path.fresh == Freshness::Entry {
            goal::limit_was_checked(self, path)?;
        }
        for outcome in self.source_events(path, None)? {
            match &outcome.event {
                SourceEvent::Return(results) => goal::returned(self, path, (&outcome, results), target)?,
                SourceEvent::CallIndirect { then: Then::Return, .. } => {
                    goal::left(self, path, &outcome, &Called::Computed(target))?;
                }
                event => self.mismatch(&outcome.facts, at, "returns", event)?,
            }
        }
        Ok(())
    }

    /// The path goes to another function, which returns to the caller.
    fn leave_for(&mut self, path: &Path, callee: CallTarget) -> Result<(), String> {
        let at = self.offset(path.pc);
        if path.fresh == Freshness::Entry {
            goal::limit_was_checked(self, path)?;
        }
        let called = Called::Known(callee);
        for outcome in self.source_events(path, None)? {
            match &outcome.event {
                SourceEvent::Call { then: Then::Return, function, .. } if self.is_called(&called, *function) => {
                    goal::left(self, path, &outcome, &called)?;
                }
                event => self.mismatch(&outcome.facts, at, &called.words_of_leaving(), event)?,
            }
        }
        Ok(())
    }

    /// Whether the machine calls the function that Wasm calls.
    fn is_called(&self, called: &Called, function: u32) -> bool {
        let Called::Known(CallTarget::Function(machine)) = called else { return false };
        *machine == self.subject.module.first_index(function)
    }

    fn trap(&mut self, path: &Path, code: u8) -> Result<(), String> {
        let at = self.offset(path.pc);
        let trap = Trap::from_code(code).ok_or_else(|| format!("UDF #{code} reports no trap"))?;
        if trap == Trap::StackExhausted {
            return goal::exhausted(self, path);
        }
        for outcome in self.source_events(path, None)? {
            match &outcome.event {
                SourceEvent::Trap(kind) if *kind == trap => goal::trapped(self, path, &outcome)?,
                event => self.mismatch(&outcome.facts, at, &format!("traps with \"{}\"", trap.words()), event)?,
            }
        }
        Ok(())
    }

    fn call(&mut self, path: &Path, called: Called, next: u32) -> Result<Stepped, String> {
        let at = self.offset(path.pc);
        if path.fresh == Freshness::Entry {
            goal::limit_was_checked(self, path)?;
        }
        let runtime = &self.subject.module.runtime;
        if let Called::Known(CallTarget::Function(function)) = called
            && let Some(operator) = runtime.operators.get(&function).copied()
            && !(runtime.contains(self.subject.function.index) && self.source_calls(path, function)?)
        {
            return goal::helped(self, path, (function, operator), next).map(|path| Stepped::Split(vec![path]));
        }
        let mut ways = Vec::new();
        for outcome in self.source_events(path, None)? {
            let fits = match (&called, &outcome.event) {
                (Called::Known(_), SourceEvent::Call { function, .. }) => self.is_called(&called, *function),
                (Called::Computed(_), SourceEvent::CallIndirect { .. }) => true,
                _ => false,
            };
            if fits {
                ways.push(goal::called(self, path, outcome, &called, next)?);
            } else {
                self.mismatch(&outcome.facts, at, &called.words(), &outcome.event)?;
            }
        }
        Ok(Stepped::Split(ways))
    }

    /// Whether the source calls a function next. In the runtime a function may be called as what it is, and may
    /// help with the operator that it is.
    fn source_calls(&mut self, path: &Path, function: u32) -> Result<bool, String> {
        let names = |op: &Op| matches!(op, Op::Call(callee) | Op::ReturnCall(callee) if *callee == function);
        if !self.subject.function.body.iter().any(|instruction| names(&instruction.op)) {
            return Ok(false);
        }
        let outcomes = self.source_events(path, None)?;
        let calls =
            |event: &SourceEvent| matches!(event, SourceEvent::Call { function: callee, .. } if *callee == function);
        Ok(outcomes.iter().any(|outcome| calls(&outcome.event)))
    }

    /// The two sides do different things: wrong, unless the way cannot be taken.
    fn mismatch(&mut self, facts: &Facts, at: u32, machine: &str, source: &SourceEvent) -> Result<(), String> {
        if self.is_dead(facts, at, Kind::World) {
            return Ok(());
        }
        Err(format!("the machine {machine} where Wasm {}", source.words()))
    }
}

/// Whether an instruction, if it acts, leads elsewhere than to the next one.
fn leads_away(inst: &Inst) -> bool {
    matches!(inst, Inst::Branch { .. } | Inst::BranchLink { .. } | Inst::BranchLinkReg { .. } | Inst::Udf { .. })
        || ranges::leaves(inst)
}

/// The relocation that fits a move of half a word; any other instruction has none.
fn half_of(inst: &Inst) -> RelocationKind {
    match inst {
        Inst::MovW { .. } => RelocationKind::MovwAbs,
        Inst::MovT { .. } => RelocationKind::MovtAbs,
        _ => RelocationKind::Abs32,
    }
}

/// What the machine calls.
pub(super) enum Called {
    /// By a branch.
    Known(CallTarget),
    /// Through a register.
    Computed(Term32),
}

impl Called {
    fn words(&self) -> String {
        match self {
            Called::Known(CallTarget::Function(function)) => format!("calls function {function}"),
            Called::Computed(_) => "calls through a register".to_owned(),
        }
    }

    fn words_of_leaving(&self) -> String {
        match self {
            Called::Known(CallTarget::Function(function)) => format!("leaves for function {function}"),
            Called::Computed(_) => "leaves through a register".to_owned(),
        }
    }
}
