//! Search for a run on which machine code and Wasm differ.
//!
//! Requires: a module bound to a file.
//! Ensures: a [`Counterexample`] is a run from the function's entry, of both concrete interpreters
//! on the same arguments, memory, globals and host, that ends differently. Where one side runs out
//! of steps, depth or stack nothing is concluded. No counterexample proves nothing.
//!
//! Everything derives from the seed, so that a counterexample can be run again.

use crate::check::{self, Source};
use crate::concrete::bound::Bound;
use crate::concrete::instantiate::{self, State};
use crate::concrete::thumb_run::{End, Processor, Surroundings};
use crate::concrete::wasm_run::{self, Instance, Limits};
use crate::concrete::word::Word;
use crate::elf::Elf;
use crate::hints::Sort;
use crate::program;
use crate::trap::Trap;
use crate::verdict::{CheckError, Counterexample};
use crate::wasm::inputs;
use crate::wasm::module::{Constant, Memory, ValueType};

/// Operators of a run of Wasm.
const FUEL: u64 = 20_000;

/// Instructions of a run of machine code: twenty for each operator, prologues and spills included.
const STEPS_MAX: u64 = 20 * FUEL;

/// Activations at one time.
const DEPTH: u32 = 32;

/// Arguments at which code tends to go wrong.
const BOUNDARY: [u64; 20] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    31,
    32,
    63,
    64,
    255,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

/// The generator SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number of 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below a bound that is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }
}

/// What runs came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Runs {
    /// On so many both sides came to an end, and to the same.
    pub agreed: u32,
    /// The first on which they did not.
    pub differs: Option<Counterexample>,
    /// The first on which the machine came to something for which its interpreter has no value: poison, or a comparison of
    /// addresses. It may be what a processor does too, or may not.
    pub unknown: Option<Counterexample>,
}

impl Runs {
    /// A run that does not agree, one that differs before one of which that is unknown.
    pub fn found(self) -> Option<Counterexample> {
        self.differs.or(self.unknown)
    }
}

/// What one run came to on both sides.
enum Compared {
    Same,
    Differs(Counterexample),
    Unknown(Counterexample),
}

/// Binds a file to modules and loads it, for runs of both sides. Nothing is judged.
///
/// # Errors
/// A file cannot be read or loaded, or does not fit.
pub fn with_bound<T>(sources: &[Source<'_>], elf: &[u8], then: impl FnOnce(&Bound<'_>) -> T) -> Result<T, CheckError> {
    let mut module = inputs::run(sources).map_err(|(number, why)| CheckError::Wasm(number, why))?;
    let elf = Elf::read(elf).map_err(|error| CheckError::Elf(error.to_string()))?;
    let hints = check::read_hints(&elf)?;
    check::link_own(&mut module, &elf).map_err(CheckError::OtherModule)?;
    let program = program::bind(&elf, &module, &hints).map_err(|findings| {
        let messages: Vec<String> = findings.into_iter().map(|finding| finding.message).collect();
        CheckError::OtherModule(messages.join("; "))
    })?;
    let bound = Bound::new(&module, &program, &elf, &hints.module_name);
    Ok(then(&bound.map_err(|fault| CheckError::Elf(fault.to_string()))?))
}

/// Runs both sides of a function on inputs derived from a seed; the first that differs.
pub fn differ(bound: &Bound<'_>, function: u32, runs: u32, seed: u64) -> Option<Counterexample> {
    sweep(bound, function, runs, seed).found()
}

/// One run with everything derived from its seed: [`Counterexample::seed`].
pub fn run(bound: &Bound<'_>, function: u32, seed: u64) -> Option<Counterexample> {
    of_seeds(bound, function, std::iter::once(seed)).found()
}

/// Runs both sides of a function on inputs derived from a seed, until one differs.
pub fn sweep(bound: &Bound<'_>, function: u32, runs: u32, seed: u64) -> Runs {
    let mut seeds = Random::new(seed);
    of_seeds(bound, function, (0..runs).map(|_| seeds.word()))
}

fn of_seeds(bound: &Bound<'_>, function: u32, seeds: impl Iterator<Item = u64>) -> Runs {
    let mut runs = Runs::default();
    if mentions_functions(bound, function) {
        return runs;
    }
    let Some(initial) = instantiate::run(bound.module, &bound.reserves()) else { return runs };
    for seed in seeds {
        match one(bound, function, (&initial.state, seed)) {
            Some(Compared::Same) => runs.agreed += 1,
            Some(Compared::Differs(found)) => return Runs { differs: Some(found), ..runs },
            Some(Compared::Unknown(found)) => _ = runs.unknown.get_or_insert(found),
            None => {}
        }
    }
    runs
}

/// One run from a state that its seed changes; `None` if a side comes to no end.
fn one(bound: &Bound<'_>, function: u32, (initial, seed): (&State, u64)) -> Option<Compared> {
    let mut random = Random::new(seed);
    let state = disturb(bound, initial.clone(), &mut random);
    let signature = bound.module.signature(function)?;
    let arguments: Vec<Constant> =
        signature.parameters.iter().map(|kind| choose(kind.sort(), &state, &mut random)).collect();
    let source = source(bound, function, &state, (&arguments, seed))?;
    let machine = machine(bound, function, &state, (&arguments, seed))?;
    let is_unknown = matches!(&machine.end, End::Faulted(fault, _) if fault.is_of_model());
    let Some((wasm, machine)) = compare(bound, &source, &machine)? else { return Some(Compared::Same) };
    let found = Counterexample { arguments: arguments.into_iter().map(wide).collect(), seed, wasm, machine };
    Some(if is_unknown { Compared::Unknown(found) } else { Compared::Differs(found) })
}

/// Whether references to functions come and go at a function's border or at that of the module. What they are in
/// the machine is not known here, so such functions are not run.
fn mentions_functions(bound: &Bound<'_>, function: u32) -> bool {
    let imports = 0..bound.module.imports.len() as u32;
    let signatures = imports.chain([function]).filter_map(|index| bound.module.signature(index));
    let mut types = signatures.flat_map(|signature| signature.parameters.iter().chain(&signature.results));
    types.any(|ty| *ty == ValueType::FuncRef)
}

/// A call of an import, for comparison.
type Called = (u32, Vec<Constant>);

/// What one side came to.
struct Side<E, S> {
    end: E,
    calls: Vec<Called>,
    state: S,
}

/// How a comparable run of Wasm ended.
enum SourceEnd {
    Returned(Vec<Constant>),
    Trapped(Trap),
}

fn wide(value: Constant) -> u64 {
    match value {
        Constant::I32(word) => u64::from(word),
        Constant::I64(wide) => wide,
        Constant::Function(function) => u64::from(function),
    }
}

/// Half of the runs start from instantiation, the others from changed memory, length and globals.
fn disturb(bound: &Bound<'_>, mut state: State, random: &mut Random) -> State {
    if random.below(2) == 0 {
        return state;
    }
    for (index, memory) in state.memories.iter_mut().enumerate() {
        let Memory { page_log2, segment, .. } = bound.module.memories[index];
        if segment.is_some() {
            continue;
        }
        let room = u64::from(state.reserve_pages[index]) - (memory.len() as u64 >> page_log2);
        if bound.program.lengths[index].is_some() && room > 0 {
            let more = (random.below(room.min(3) + 1) as usize) << page_log2;
            memory.resize(memory.len() + more, 0);
        }
        scribble(memory, random);
    }
    for index in 0..state.globals.len() {
        let global = bound.module.globals[index];
        if global.mutable && global.value_type != ValueType::FuncRef && random.below(2) == 0 {
            state.globals[index] = choose(global.value_type.sort(), &state, random);
        }
    }
    state
}

/// Writes to a memory: the first kilobyte densely, the rest here and there, the end for accesses at the bound.
fn scribble(memory: &mut [u8], random: &mut Random) {
    let bytes = memory.len() as u64;
    if bytes == 0 {
        return;
    }
    for at in 0..bytes.min(1024) {
        memory[at as usize] = random.word() as u8;
    }
    for _ in 0..256 {
        let at = random.below(bytes) as usize;
        memory[at] = random.word() as u8;
    }
    for at in bytes.saturating_sub(16)..bytes {
        memory[at as usize] = random.word() as u8;
    }
}

/// A boundary, a small number, an address near the memory's ends, or any number.
fn choose(kind: Sort, state: &State, random: &mut Random) -> Constant {
    let number = match random.below(5) {
        0 | 1 => BOUNDARY[random.below(BOUNDARY.len() as u64) as usize],
        2 => random.below(16),
        3 => {
            let memory = random.below(state.memories.len().max(1) as u64);
            let bytes = state.memories.get(memory as usize).map_or(0, Vec::len) as u64;
            bytes.wrapping_sub(random.below(20)).wrapping_add(4)
        }
        _ => random.word(),
    };
    match kind {
        Sort::W32 => Constant::I32(number as u32),
        Sort::W64 => Constant::I64(number),
    }
}

/// What the host answers: a number that its seed, the import and the count of calls determine.
fn answer(seed: u64, import: u32, call: usize, results: &[ValueType]) -> Vec<Constant> {
    let mut random = Random::new(seed ^ u64::from(import) << 32 ^ call as u64);
    let mut one = |kind: &ValueType| match kind.sort() {
        Sort::W32 => Constant::I32(random.word() as u32),
        Sort::W64 => Constant::I64(random.word()),
    };
    results.iter().map(&mut one).collect()
}

fn results_of(bound: &Bound<'_>, import: u32) -> Vec<ValueType> {
    bound.module.signature(import).map_or(Vec::new(), |signature| signature.results.clone())
}

fn source(
    bound: &Bound<'_>,
    function: u32,
    state: &State,
    (arguments, seed): (&[Constant], u64),
) -> Option<Side<SourceEnd, State>> {
    let mut calls: Vec<Called> = Vec::new();
    let mut instance = Instance { module: bound.module, state: state.clone() };
    let mut host = |import: u32, arguments: &[Constant], _: &mut State| {
        let import = bound.module.first_index(import);
        calls.push((import, arguments.to_vec()));
        Ok(answer(seed, import, calls.len(), &results_of(bound, import)))
    };
    let limits = Limits { fuel: FUEL, depth: DEPTH };
    let end = match instance.call(function, arguments, limits, &mut host) {
        wasm_run::Outcome::Returned(results) => SourceEnd::Returned(results),
        wasm_run::Outcome::Trapped(trap, _) => SourceEnd::Trapped(trap),
        wasm_run::Outcome::Stopped(_) => return None,
    };
    Some(Side { end, calls, state: instance.state })
}

fn machine<'b>(
    bound: &'b Bound<'_>,
    function: u32,
    state: &State,
    (arguments, seed): (&[Constant], u64),
) -> Option<Side<End, Processor<'b>>> {
    let mut processor = Processor::new(&bound.loaded);
    bound.write_state(state, &mut processor.memory).ok()?;
    let externals = bound.imports().ok()?;
    let mut calls: Vec<Called> = Vec::new();
    let mut host = |number: usize, arguments: &[Constant], _: &mut _| {
        let import = number as u32;
        calls.push((import, arguments.to_vec()));
        Ok(answer(seed, import, calls.len(), &results_of(bound, import)))
    };
    let mut around =
        Surroundings { externals: &externals, host: &mut host, stops: &[], handler: None, steps_max: STEPS_MAX };
    let (start, _) = bound.program.functions.get(&function)?;
    let signature = bound.module.signature(function)?;
    let end = processor.call(*start, signature, arguments, &mut around).end;
    Some(Side { end, calls, state: processor })
}

/// What differs, in the words of each side; `None` if the ends say nothing.
fn compare(
    bound: &Bound<'_>,
    source: &Side<SourceEnd, State>,
    machine: &Side<End, Processor<'_>>,
) -> Option<Option<(String, String)>> {
    let wasm = match &source.end {
        SourceEnd::Returned(results) => format!("returns {}", list(results)),
        SourceEnd::Trapped(trap) => format!("traps: {}", trap.words()),
    };
    let (same_end, code) = match (&source.end, &machine.end) {
        // The stack of this run is as large as the interpreter chose: exhaustion says nothing.
        (_, End::Trapped(Trap::StackExhausted, _) | End::Unfinished) => return None,
        (_, End::Faulted(fault, at)) => (false, format!("at {at:#x}: {fault}")),
        (_, End::Reached(at)) => (false, format!("comes to {at:#x}")),
        (SourceEnd::Returned(wanted), End::Returned(found)) => (wanted == found, format!("returns {}", list(found))),
        (SourceEnd::Trapped(wanted), End::Trapped(found, at)) => {
            (wanted == found, format!("traps at {at:#x}: {}", found.words()))
        }
        (SourceEnd::Trapped(_), End::Returned(found)) => (false, format!("returns {}", list(found))),
        (SourceEnd::Returned(_), End::Trapped(found, at)) => (false, format!("traps at {at:#x}: {}", found.words())),
    };
    if !same_end {
        return Some(Some((wasm, code)));
    }
    if source.calls != machine.calls {
        let words = |calls: &[Called]| {
            let calls: Vec<String> =
                calls.iter().map(|(import, values)| format!("{import}({})", list(values))).collect();
            format!("calls imports {}", calls.join(", "))
        };
        return Some(Some((words(&source.calls), words(&machine.calls))));
    }
    let state = bound.same_state(&source.state, &machine.state.memory);
    Some(state.err().map(|difference| (wasm, format!("{code}; {difference}"))))
}

fn list(values: &[Constant]) -> String {
    let one = |value: &Constant| match value {
        Constant::I32(word) => Word::Int(*word).to_string(),
        Constant::I64(wide) => format!("{wide:#x}"),
        Constant::Function(function) => format!("function {function}"),
    };
    let values: Vec<String> = values.iter().map(one).collect();
    if values.is_empty() { "nothing".to_string() } else { values.join(", ") }
}
