//! The whole judgement: two files in, a report out.
//!
//! [`check_with`] is the only way to a verdict. It binds the ELF file to the Wasm module, walks every
//! function, rebuilds the live ranges, adds up the stack, and runs instantiation.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::abi;
use crate::attributes;
use crate::cfi::{self, FrameTable};
use crate::concrete::bound::Bound;
use crate::concrete::init::{self, Known};
use crate::concrete::word::Word;
use crate::domain::{Bin32, Domain};
use crate::elf::{Elf, FileKind};
use crate::hints::{self, Base, FunctionHints, Hints};
use crate::lower_bound;
use crate::program::{self, Access, Place, Program};
use crate::ranges;
use crate::replay;
use crate::segment::machine::region_term;
use crate::segment::symbolic::{
    Constants, Descriptors, Extent, Linear, MemoryLimits, Regions, STACK_END_MAX, STACK_LIMIT_MAX, SourceWorld,
    Symbolic, Table, TableLimits, region_bounds,
};
use crate::segment::walk::{self, Budget, Subject, Walked};
use crate::smt::Smt;
use crate::smt::solvers::Outside;
pub use crate::smt::solvers::Solvers;
use crate::stack::{self, Frame};
use crate::term::prove::Prover;
use crate::term::{Bounds, Term32, Terms};
use crate::thumb::inst::Width;
use crate::verdict::{Check, CheckError, Finding, FunctionReport, Record, Report, Verdict};
use crate::wasm::inputs;
pub use crate::wasm::inputs::Source;
use crate::wasm::module::{Constant, Module, ValueType};
use crate::wasm::sem::Value;
use crate::wasm::{forward, runtime, template};

/// Which of the checks on functions run. Only [`Checks::All`] can end in Proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checks {
    /// Live ranges and segments.
    All,
    /// Live ranges alone.
    Ranges,
    /// Segments alone.
    Segments,
}

/// How a file is judged. No option makes the judgement more willing than the default one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which checks run.
    pub checks: Checks,
    /// Concrete runs that look for a difference once the proof of a function has failed.
    pub replays: u32,
    /// Who must find that no state satisfies a query. Whoever is named is believed.
    pub solvers: Solvers,
    /// Whether normal forms may close goals. Without them identity and the solvers alone do, on raw terms: slow, and
    /// a second opinion on goals and on which ways are dead. Where a word of the frame or an address lies is read off
    /// normal forms all the same.
    pub rules: bool,
    /// Whether the report keeps what stands behind each judgement.
    pub journal: bool,
    /// The one function that is judged, with its file bound; the others are left out, and nothing is Proved.
    pub only: Option<u32>,
    /// Of that function, from one offset to before another, labels that are not read: what is said of an instruction
    /// that is damaged may be what refuses it.
    pub unlabelled: (u32, u32),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            checks: Checks::All,
            replays: 64,
            solvers: Solvers::default(),
            rules: true,
            journal: false,
            only: None,
            unlabelled: (0, 0),
        }
    }
}

/// Findings after which the walk over a function gives up.
const FINDINGS_MAX: usize = 8;

/// The seed they start from: a constant, so that a verdict can be repeated.
const REPLAY_SEED: u64 = 0x5eed;

/// Functions of a file that are run if they are not proved, in search of a run that differs.
const REPLAYED_MAX: u32 = 16;

/// Steps of the solver for all functions of a file together, beside some for each byte of code: a bound on how
/// long a judgement takes, far above what proofs need.
const SOLVER_STEPS: u64 = 32_000_000;
const SOLVER_STEPS_OF_BYTE: u64 = 8_000;

/// Judges whether an ELF file does what a Wasm module says.
///
/// # Errors
/// There is no judgement: a file is unreadable, hints are missing, or the files do not belong together.
pub fn check(wasm: &[u8], elf: &[u8], checks: Checks) -> Result<Report, CheckError> {
    check_with(&[Source { name: "", wasm }], elf, &Options { checks, ..Options::default() })
}

/// Judges whether an ELF file does what Wasm modules say, each linked to those before it.
///
/// # Errors
/// As [`check`]; or the modules do not fit together.
pub fn check_with(sources: &[Source<'_>], elf: &[u8], options: &Options) -> Result<Report, CheckError> {
    let mut module = inputs::run(sources).map_err(|(number, why)| CheckError::Wasm(number, why))?;
    let elf = Elf::read(elf).map_err(|error| CheckError::Elf(error.to_string()))?;
    let hints = read_hints(&elf)?;
    if hints.wasm_sha256 != identity(sources) {
        return Err(CheckError::OtherModule("the ELF file was made from another Wasm module".to_owned()));
    }
    // What the file says it is for is said of a file that is refused, too.
    let report = Report { target: attributes::read(&elf).ok(), ..Report::default() };
    let refused = |findings| Ok(Report { findings, file_obligations: 1, ..report.clone() });
    let finding = |message| vec![Finding { at: 0, check: Check::File, message }];
    let own = module.function_count();
    if let Err(message) = link_own(&mut module, &elf) {
        return refused(finding(message));
    }
    let program = match program::bind(&elf, &module, &hints) {
        Ok(program) => program,
        Err(findings) => return refused(findings),
    };
    let bound = match Bound::new(&module, &program, &elf, &hints.module_name) {
        Ok(bound) => bound,
        Err(fault) => return refused(finding(format!("the file cannot be loaded: {fault}"))),
    };
    let outside = Outside::start(options.solvers)?;
    let mut judge = Judge {
        module: &module,
        program: &program,
        bound: &bound,
        hints: &hints,
        report,
        frames: BTreeMap::new(),
        frame_table: None,
        run: BTreeSet::new(),
        solver_steps: SOLVER_STEPS + SOLVER_STEPS_OF_BYTE * program.text.len() as u64,
        replayed: 0,
        walk_budget: Budget::of_code(program.text.len() as u64),
        options,
        outside,
        own,
    };
    judge.frame_information(&elf);
    judge.functions()?;
    if options.only.is_some() {
        return Ok(judge.report);
    }
    let needs = judge.stack();
    judge.instantiation(&elf, &needs);
    judge.coverage();
    judge.assumptions();
    Ok(judge.report)
}

/// The hash of what an ELF file is made from: of the one module, or of all names and modules.
fn identity(sources: &[Source<'_>]) -> [u8; 32] {
    if let [only] = sources {
        return Sha256::digest(only.wasm).into();
    }
    let mut all = Sha256::new();
    for source in sources {
        all.update(Sha256::digest(source.name));
        all.update(Sha256::digest(source.wasm));
    }
    all.finalize().into()
}

/// Links what stands behind the module's functions: those for exported imports, then what travels in the file,
/// templates and the runtime.
pub(crate) fn link_own(module: &mut Module, elf: &Elf<'_>) -> Result<(), String> {
    let section = |name: &str| elf.section(name).map(|(_, section)| elf.bytes(section));
    forward::add(module).map_err(|error| error.to_string())?;
    template::link(module, section)?;
    section(".synth.runtime").map_or(Ok(()), |bytes| runtime::link(module, bytes))
}

/// The hints that a file carries.
///
/// # Errors
/// There are none, or they cannot be read.
pub fn read_hints(elf: &Elf<'_>) -> Result<Hints, CheckError> {
    let mut sections = elf.sections.iter().filter(|section| section.name == ".synth.hints");
    let section = sections.next().ok_or_else(|| CheckError::Hints("there is no section .synth.hints".to_owned()))?;
    if sections.next().is_some() {
        return Err(CheckError::Hints("there are several sections .synth.hints".to_owned()));
    }
    hints::codec::decode(elf.bytes(section)).map_err(|error| CheckError::Hints(error.to_string()))
}

struct Judge<'a> {
    module: &'a Module,
    program: &'a Program,
    bound: &'a Bound<'a>,
    hints: &'a Hints,
    report: Report,
    frames: BTreeMap<u32, Frame>,
    frame_table: Option<FrameTable>,
    /// Addresses of the code bytes that instantiation ran or read.
    run: BTreeSet<u32>,
    /// Steps that the solver may still take.
    solver_steps: u64,
    /// Functions that were run because they are not proved.
    replayed: u32,
    /// What the walks of further functions may take.
    walk_budget: Budget,
    options: &'a Options,
    /// The solvers that are programs.
    outside: Vec<Outside>,
    /// How many functions the modules themselves have; the compiler's stand behind them.
    own: u32,
}

impl Judge<'_> {
    /// Frame information is for debuggers; without it the program does the same.
    fn frame_information(&mut self, elf: &Elf<'_>) {
        match cfi::read(elf, &format!(".text.{}", self.hints.module_name)) {
            Ok(Some(table)) => self.frame_table = Some(table),
            Ok(None) => {
                self.report.assumptions.push("there is no frame information; nobody unwinds the stack".to_owned())
            }
            Err(message) => self.report.findings.push(Finding { at: 0, check: Check::FrameInformation, message }),
        }
    }

    fn functions(&mut self) -> Result<(), CheckError> {
        let checks = self.options.checks;
        let none = FunctionHints::default();
        let is_judged = |index: u32| self.options.only.is_none_or(|only| only == index);
        for function in self.module.functions.iter().filter(|function| is_judged(function.index)) {
            let mut of_function = self.hints.functions.iter().filter(|hints| hints.function == function.index);
            let hints = of_function.next().unwrap_or(&none);
            let unlabelled = self.unlabelled(hints);
            let hints = unlabelled.as_ref().unwrap_or(hints);
            // A function of the runtime that nobody needs is not there.
            let Some(&(start, end)) = self.program.functions.get(&function.index) else { continue };
            // Who asks for one function asks whether it is refused, not for all reasons.
            let findings_max = if self.options.only.is_some() { 1 } else { FINDINGS_MAX };
            let budget = self.walk_budget;
            let subject = Subject {
                module: self.module,
                function,
                program: self.program,
                hints,
                start,
                end,
                findings_max,
                budget,
            };
            let mut findings = Vec::new();
            if hints.function != function.index || of_function.next().is_some() {
                findings.push(Finding {
                    at: 0,
                    check: Check::Segment,
                    message: "there is no one record of hints".to_owned(),
                });
            }
            let mut queries = Vec::new();
            let walked = match checks {
                Checks::Ranges => Walked::default(),
                Checks::All | Checks::Segments => {
                    let mut symbolic = symbolic(self.module, self.program, function);
                    symbolic.prover = self.prover();
                    let walked = walk::run(&mut symbolic, &subject);
                    let smt = symbolic.prover.smt;
                    self.solver_steps = smt.left;
                    self.walk_budget = self.walk_budget.without(walked.spent);
                    if let Some(fault) = smt.fault {
                        return Err(fault.into());
                    }
                    queries = smt.journal.unwrap_or_default();
                    walked
                }
            };
            if checks != Checks::Segments {
                findings.extend(ranges::run(&subject, &walked.jumps));
            }
            let record = self.options.journal.then(|| record(&subject, &walked, (queries, function.index >= self.own)));
            let report = FunctionReport { record, ..self.judge(&subject, walked, findings) };
            self.report.functions.push(report);
        }
        Ok(())
    }

    /// The hints of a function without the labels that are not to be read, if there are such.
    fn unlabelled(&self, hints: &FunctionHints) -> Option<FunctionHints> {
        let (from, to) = self.options.unlabelled;
        let is_left_out = |at: u32| self.options.only.is_some() && (from..to).contains(&at);
        hints.labels.iter().any(|label| is_left_out(label.at)).then(|| {
            let mut hints = hints.clone();
            hints.labels.retain(|label| !is_left_out(label.at));
            hints
        })
    }

    /// A prover as the options say, for the next function.
    fn prover(&self) -> Prover {
        let smt = Smt {
            left: self.solver_steps,
            solvers: self.options.solvers,
            outside: self.outside.clone(),
            journal: self.options.journal.then(Vec::new),
            ..Smt::default()
        };
        Prover { rules: self.options.rules, smt, ..Prover::default() }
    }

    fn judge(&mut self, subject: &Subject<'_>, walked: Walked, mut findings: Vec<Finding>) -> FunctionReport {
        let checks = self.options.checks;
        let function = subject.function.index;
        if checks != Checks::Ranges && walked.findings.is_empty() {
            findings.extend(unshown(subject, &walked));
        }
        findings.extend(walked.findings);
        if let Some(table) = self.frame_table.as_ref().filter(|_| checks != Checks::Ranges) {
            findings.extend(table.check((subject.start, subject.end), &walked.kept));
            self.report.file_obligations += 1;
        }
        let frame = Frame {
            bytes: walked.depth_max,
            checked_bytes: subject.hints.checked_bytes,
            calls: walked.calls,
            leaves: walked.leaves,
        };
        self.frames.insert(function, frame);
        if checks == Checks::All {
            // What branches lead to and no path ran is code that the proof has shown to be dead.
            let covered = walked.covered.union(&ranges::reachable(subject, &walked.jumps)).copied().collect();
            let constants = ranges::constants_read(subject, &walked.jumps);
            findings.extend(self.program.mapping.wrong(subject.start, &covered, &constants));
            self.report.uncovered_bytes += uncovered(self.program, (subject.start, subject.end), &covered);
        }
        let verdict = match (checks, findings.is_empty()) {
            (Checks::All, true) if !walked.obligations.is_empty() => Verdict::Proved,
            (_, true) => Verdict::Unknown,
            (_, false) => {
                // Each run has memories of its own.
                let replays = if self.replayed < REPLAYED_MAX { self.options.replays } else { 0 };
                self.replayed += 1;
                match replay::differ(self.bound, function, replays, REPLAY_SEED) {
                    Some(counterexample) => Verdict::Refuted(counterexample),
                    None => Verdict::Unknown,
                }
            }
        };
        FunctionReport {
            function,
            name: self.module.display_name(function),
            verdict,
            findings,
            obligations: walked.obligations,
            segments: walked.segments,
            code_bytes: subject.end - subject.start,
            stack_bytes: walked.depth_max,
            dead: walked.dead,
            record: None,
        }
    }

    fn stack(&mut self) -> BTreeMap<u32, u32> {
        let (needs, findings) = stack::needs(self.module, &self.frames, &self.program.descriptors);
        for report in &mut self.report.functions {
            report.stack_bytes = needs.get(&report.function).copied().unwrap_or(report.stack_bytes);
        }
        self.report.findings.extend(findings);
        if self.program.kind == FileKind::Executable {
            self.image_stack(&needs);
        }
        needs
    }

    /// The stack of an image: what exports need fits, the limit lies in it, and it is no region.
    fn image_stack(&mut self, needs: &BTreeMap<u32, u32>) {
        let mut find = |message: String| self.report.findings.push(Finding { at: 0, check: Check::Stack, message });
        let memory = &self.bound.loaded.memory;
        let stack = memory.region(self.bound.loaded.stack).and_then(|region| Some((region.base?, region.len())));
        let Some((start, bytes)) = stack else { return find("the image has no stack".to_owned()) };
        for (base, region) in &self.program.regions {
            if let Place::Number(address) = region.place
                && address < start.saturating_add(bytes)
                && start < address.saturating_add(region.bytes)
            {
                find(format!("the stack lies in the region {base:?}"));
            }
        }
        // A trap at the deepest place must not write what lies below the stack.
        let frame = abi::exception_frame_bytes(self.program.target.float);
        let has = bytes.saturating_sub(frame);
        for (function, need) in needs.iter().filter(|(_, need)| **need > has) {
            let name = self.module.display_name(*function);
            find(format!("{name} needs {need} bytes of stack, the image has {has} above an exception frame"));
        }
        if let Some(Place::Number(address)) = self.program.stack_limit {
            let limit = memory.load(Word::Int(address), Width::Word).ok().and_then(|word| word.as_int());
            if limit.is_none_or(|limit| limit < start.saturating_add(frame) || limit > start.saturating_add(bytes)) {
                find(format!("{} does not lie in the stack, above an exception frame", abi::STACK_LIMIT));
            }
        }
    }

    fn instantiation(&mut self, elf: &Elf<'_>, needs: &BTreeMap<u32, u32>) {
        let starts = self.module.instances.iter().filter_map(|instance| instance.start);
        let start_bytes = starts.map(|start| stack::at_call(start, &self.frames, needs)).max().unwrap_or(0);
        let known = Known { frames: self.frame_table.as_ref(), start_bytes };
        let checked = init::check(self.bound, elf, known);
        self.report.file_obligations += checked.obligations;
        self.report.findings.extend(checked.findings);
        self.report.init_stack_bytes = checked.stack_bytes;
        self.report.findings.extend(self.program.mapping.wrong(0, &checked.covered, &checked.constants));
        self.run = checked.covered;
    }

    /// Code between the functions is padding; other executable sections are not ours.
    fn coverage(&mut self) {
        let run: Vec<(u32, u32)> = self.program.init.into_iter().chain(self.program.reset).collect();
        for range in &run {
            let covered = self.run.range(range.0..range.1).map(|at| at - range.0).collect();
            self.report.uncovered_bytes += uncovered(self.program, *range, &covered);
        }
        let mut ranges: Vec<(u32, u32)> = self.program.functions.values().copied().chain(run.iter().copied()).collect();
        self.report.startup = run;
        ranges.sort_unstable();
        let text_end = self.program.text_start + self.program.text.len() as u32;
        let starts = ranges.iter().map(|range| range.0).chain([text_end]);
        let ends = [self.program.text_start].into_iter().chain(ranges.iter().map(|range| range.1));
        for (from, to) in ends.zip(starts) {
            let gap = to.saturating_sub(from);
            if gap > 3 || !is_padding(self.program.code(from, to)) {
                self.report.uncovered_bytes += gap;
            }
        }
        self.report.uncovered_bytes += self.program.foreign_code_bytes;
    }

    fn assumptions(&mut self) {
        if self.program.kind == FileKind::Executable {
            let board = self.program.board;
            let ranges = board.memory.map(|(start, end)| format!("{start:#x} to {end:#x}"));
            let memory = ranges.join(" and ");
            self.report.assumptions.push(format!("the board has memory of its own at {memory}, as {} has", board.name));
        }
        let imports = self.module.imports.iter();
        let symbols: BTreeSet<String> =
            imports.map(|import| abi::import_symbol(&import.module, &import.field)).collect();
        for symbol in symbols {
            self.report.assumptions.push(format!("{symbol} obeys AAPCS and leaves the module's regions alone"));
        }
        let runtime = &self.module.runtime;
        let called = runtime.operators.keys().filter(|function| self.frames.contains_key(*function));
        let names: Vec<String> = called.map(|function| self.module.display_name(*function)).collect();
        if !names.is_empty() {
            let (names, reason) = (names.join(", "), &runtime.reason);
            self.report.assumptions.push(format!("each is the operator of its name: {names} ({reason})"));
        }
        self.report.assumptions.extend(self.module.templates.iter().map(|linked| linked.claim.clone()));
        if self.frames.values().any(|frame| frame.checked_bytes > 0) {
            let limit = abi::STACK_LIMIT;
            self.report.assumptions.push(format!("{limit} is at most SP, and what unchecked code needs lies below it"));
        }
    }
}

/// What a walk without findings has left out.
fn unshown(subject: &Subject<'_>, walked: &Walked) -> Vec<Finding> {
    let (program, start) = (subject.program, subject.start);
    let code = lower_bound::Code {
        bytes: program.code(start, subject.end),
        cuts: subject.hints.cuts.iter().map(|cut| cut.at).collect(),
        is_relocated: &|at, size| program.relocation_within(start.wrapping_add(at), size).is_some(),
    };
    let missing = lower_bound::missing(&code, walked).into_iter();
    let finding =
        |(at, what)| Finding { at, check: Check::Segment, message: format!("nothing is shown of the {what} there") };
    missing.map(finding).collect()
}

/// What stands behind the judgement on a function.
fn record(subject: &Subject<'_>, walked: &Walked, (queries, is_helper): (Vec<String>, bool)) -> Record {
    let run: BTreeSet<u32> = walked.kept.keys().copied().collect();
    let labels = subject.hints.labels.iter();
    Record {
        start: subject.start,
        queries,
        constants: ranges::constants_read(subject, &walked.jumps),
        ranges: ranges::live(subject, &walked.jumps),
        sources: labels.filter_map(|label| Some((label.at, label.source?))).collect(),
        is_helper,
        run,
    }
}

/// Bytes of a function that no path ran or read, padding left out.
fn uncovered(program: &Program, (start, end): (u32, u32), covered: &BTreeSet<u32>) -> u32 {
    let size = end - start;
    let mut count = 0;
    let mut from = 0;
    while from < size {
        if covered.contains(&from) {
            from += 1;
            continue;
        }
        let to = (from..size).find(|at| covered.contains(at)).unwrap_or(size);
        let bytes = program.code(start + from, start + to);
        if to - from > 3 || !is_padding(bytes) {
            count += to - from;
        }
        from = to;
    }
    count
}

/// Zeros, or a no-operation.
fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0) || bytes == [0x00, 0xbf]
}

/// A fresh executor for one function of the module.
fn symbolic(module: &Module, program: &Program, function: &crate::wasm::module::Function) -> Symbolic {
    let mut terms = Terms::new();
    let regions = regions(&mut terms, program);
    let memories: Vec<MemoryLimits> = (0..module.memories.len()).map(|index| limits(module, program, index)).collect();
    // SP at entry is a multiple of 8, and the stack is memory: entry assumptions.
    let entry_sp = terms.region("SP at entry", Bounds { low: 0, high: STACK_END_MAX, align_log2: 3 });
    let limit = terms.fresh32_within("stack limit", Bounds { low: 0, high: STACK_LIMIT_MAX, align_log2: 0 });
    let address = regions.extents.get(&Base::Functions).map(|extent| extent.address);
    let functions = descriptors(&mut terms, module, program);
    let tables: Vec<TableLimits> =
        (0..program.tables.len()).map(|index| table(&mut terms, (module, program), (index, address))).collect();
    let world = world(&mut terms, (module, program), (&memories, &tables), address);
    let results = match abi::convention(&function.signature, program.target.variant).results.area_bytes() {
        0 => None,
        bytes => Some(Extent { address: region_term(&mut terms, "results", bytes), bytes }),
    };
    let constants = Constants {
        regions,
        entry_sp,
        limit,
        functions,
        tables,
        memories,
        globals: module.globals.iter().map(|global| global.value_type).collect(),
        global_is_constant: module.globals.iter().map(|global| !global.mutable).collect(),
        cells: program.cells.clone(),
        results,
    };
    Symbolic::new(terms, constants, Rc::new(program.clone()), world)
}

/// What does not change of a memory.
fn limits(module: &Module, program: &Program, index: usize) -> MemoryLimits {
    let memory = module.memories[index];
    let bytes = program.regions.get(&Base::Memory(index as u32)).map_or(0, |region| region.bytes);
    let is_segment = memory.segment.is_some();
    let low = if is_segment { 0 } else { memory.minimum_bytes() };
    let length_bounds = Bounds { low, high: bytes, align_log2: u32::from(memory.page_log2) };
    let reserve_pages = bytes >> memory.page_log2;
    MemoryLimits { length_cell: program.lengths[index], reserve_pages, length_bounds, is_segment }
}

fn regions(terms: &mut Terms, program: &Program) -> Regions {
    let mut regions = Regions::default();
    for (base, region) in &program.regions {
        let address = match region.place {
            Place::Number(address) => terms.w32(address),
            // A null reference is no descriptor.
            Place::Linked if *base == Base::Functions => {
                terms.region("Functions", Bounds { low: 8, ..region_bounds(region.bytes) })
            }
            Place::Linked => region_term(terms, &format!("{base:?}"), region.bytes),
        };
        regions.extents.insert(*base, Extent { address, bytes: region.bytes });
    }
    regions.stack_limit = program.stack_limit.map(|place| match place {
        Place::Number(address) => terms.w32(address),
        // A `uint32_t` of somebody else.
        Place::Linked => terms.region(abi::STACK_LIMIT, Bounds { low: 0, high: 0xffff_fffc, align_log2: 2 }),
    });
    regions
}

/// The functions from the place of a descriptor to the type id and to the code address there. Addresses in an
/// object are unknowns, one per function.
fn descriptors(terms: &mut Terms, module: &Module, program: &Program) -> Descriptors {
    let address = terms.function("address of function");
    let (mut types, mut codes) = (Vec::new(), Vec::new());
    for function in program.descriptors.keys() {
        let id = module.type_index(*function).and_then(|index| module.type_id(index));
        types.push(terms.w32(id.unwrap_or(0)));
        let function = terms.w32(module.first_index(*function));
        codes.push(terms.apply32(address, &[function]));
    }
    let descriptors =
        Descriptors { type_id: terms.function("type of descriptor"), code: terms.function("code of descriptor") };
    terms.define_points(descriptors.type_id, types);
    terms.define_points(descriptors.code, codes);
    descriptors
}

/// The reference to a function, where the descriptors are at an address; null without one.
fn reference(terms: &mut Terms, program: &Program, (function, address): (Option<u32>, Option<Term32>)) -> Term32 {
    let place = function.and_then(|function| program.descriptors.get(&function).copied());
    match (place, address) {
        (Some(place), Some(address)) => {
            let offset = terms.w32(program::DESCRIPTOR_BYTES * place);
            terms.bin32(Bin32::Add, &address, &offset)
        }
        (Some(_) | None, _) => terms.w32(0),
    }
}

/// What does not change of a table.
fn table(
    terms: &mut Terms,
    (module, program): (&Module, &Program),
    (index, address): (usize, Option<Term32>),
) -> TableLimits {
    let table = &program.tables[index];
    let constant = (table.access == Access::Read).then(|| {
        let points = table.initial.iter().map(|entry| reference(terms, program, (*entry, address))).collect();
        let function = terms.function(&format!("entry of table {index}"));
        terms.define_points(function, points);
        function
    });
    TableLimits {
        of_functions: module.tables[index].element == ValueType::FuncRef,
        constant,
        size_cell: table.size_cell,
        reserve: table.reserve,
        is_segment: module.tables[index].segment.is_some(),
        size_bounds: Bounds {
            low: if module.tables[index].segment.is_some() { 0 } else { module.tables[index].minimum },
            high: table.reserve,
            align_log2: 0,
        },
    }
}

fn world(
    terms: &mut Terms,
    (module, program): (&Module, &Program),
    (memories, tables): (&[MemoryLimits], &[TableLimits]),
    address: Option<Term32>,
) -> SourceWorld {
    let tables = tables.iter().map(|limits| Table {
        entries: limits.constant.is_none().then(|| terms.fresh_mem("table")),
        size: match limits.size_cell {
            Some(_) => terms.fresh32_within("table size", limits.size_bounds),
            None => terms.w32(limits.reserve),
        },
    });
    let tables = tables.collect();
    let memories = module.memories.iter().zip(memories).map(|(memory, limits)| Linear {
        contents: terms.fresh_mem("memory"),
        length: match limits.length_cell {
            Some(_) => terms.fresh32_within("memory length", limits.length_bounds),
            None => terms.w32(memory.minimum_bytes()),
        },
    });
    let memories = memories.collect();
    let globals = module
        .globals
        .iter()
        .map(|global| match global.initial {
            Constant::I32(value) => Value::W32(terms.w32(value)),
            Constant::I64(value) => Value::W64(terms.w64(value)),
            Constant::Function(function) => Value::W32(reference(terms, program, (Some(function), address))),
        })
        .collect();
    SourceWorld { memories, tables, globals }
}
