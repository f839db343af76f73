//! The symbolic executor's state: terms, facts, and both sides' worlds.
//!
//! One [`Symbolic`] walks one path at a time. It is the [`Domain`] of both semantics: operators make
//! terms, decisions are answered from facts. Machine steps see the machine's facts only: what the
//! source learns never admits a machine access.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::abi::{self, Convention};
use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::float::Float;
use crate::hints::Base;
use crate::program::{DESCRIPTOR_BYTES, ENTRY_BYTES, Program};
use crate::term::facts::Facts;
use crate::term::node::Width;
use crate::term::prove::Prover;
use crate::term::{Bounds, Function, Term32, Term64, TermBool, TermMem, Terms};
use crate::verdict::Method;
use crate::wasm::module::{FunctionType, ValueType};
use crate::wasm::sem::Value;

use super::machine::MachineState;

/// A Wasm value as terms.
pub type TermValue = Value<Symbolic>;

/// Why a step did not finish.
#[derive(Clone, Debug)]
pub enum Stop {
    /// The facts do not decide this condition.
    Undecided(TermBool),
    /// The machine may fault, or does what is not modelled.
    Fault(String),
}

/// Which side is stepping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The machine code.
    Machine,
    /// The Wasm code.
    Source,
    /// The Wasm code, as far as the facts lead without the solver.
    Ahead,
}

/// A linear memory.
#[derive(Clone, Copy)]
pub struct Linear {
    /// Its bytes.
    pub contents: TermMem,
    /// Its length in bytes.
    pub length: Term32,
}

/// A table.
#[derive(Clone, Copy)]
pub struct Table {
    /// Its entries, a word each, if they can change.
    pub entries: Option<TermMem>,
    /// Their number.
    pub size: Term32,
}

/// What Wasm code sees beside its locals and its stack.
#[derive(Clone)]
pub struct SourceWorld {
    /// Memories by index.
    pub memories: Vec<Linear>,
    /// Tables by index.
    pub tables: Vec<Table>,
    /// Globals by index.
    pub globals: Vec<TermValue>,
}

/// Where a region is and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its first address.
    pub address: Term32,
    /// Bytes.
    pub bytes: u32,
}

/// The regions of the module under judgement.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    /// By base; a module without the region has no entry.
    pub extents: BTreeMap<Base, Extent>,
    /// The address of the word that holds the stack limit.
    pub stack_limit: Option<Term32>,
}

/// What does not change of a memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// The offset in the instance region of its length, if that can change.
    pub length_cell: Option<u32>,
    /// Most pages that it may have.
    pub reserve_pages: u32,
    /// What is known of its length in every state.
    pub length_bounds: Bounds,
    /// Whether it is a data segment: its bytes never change, and its length becomes 0 or stays.
    pub is_segment: bool,
}

/// What does not change of a table.
#[derive(Clone, Copy, Debug)]
pub struct TableLimits {
    /// Whether its entries are references to functions.
    pub of_functions: bool,
    /// The reference at an index, if none can change.
    pub constant: Option<Function>,
    /// Whether it is an element segment, which may be dropped.
    pub is_segment: bool,
    /// The offset in the instance region of its size, if that can change.
    pub size_cell: Option<u32>,
    /// Most entries that it may have.
    pub reserve: u32,
    /// What is known of its size in every state.
    pub size_bounds: Bounds,
}

/// What a reference to a function, by the place of its descriptor, leads to.
#[derive(Clone, Copy, Debug)]
pub struct Descriptors {
    /// The type id.
    pub type_id: Function,
    /// The code address.
    pub code: Function,
}

/// What does not change while a module is judged.
#[derive(Clone, Debug)]
pub struct Constants {
    /// Where the regions are.
    pub regions: Regions,
    /// SP at the entry of the function.
    pub entry_sp: Term32,
    /// The stack limit.
    pub limit: Term32,
    /// The functions that references name.
    pub functions: Descriptors,
    /// Tables by index.
    pub tables: Vec<TableLimits>,
    /// Memories by index.
    pub memories: Vec<MemoryLimits>,
    /// By global index: its type.
    pub globals: Vec<ValueType>,
    /// By global index: whether it has no cell, its value being a constant.
    pub global_is_constant: Vec<bool>,
    /// By global index: the offset of its cell in the instance region.
    pub cells: Vec<Option<u32>>,
    /// The area for the function's results, if it has several: what r0 holds at entry.
    pub results: Option<Extent>,
}

/// Terms, facts and the states of both sides on one path.
pub struct Symbolic {
    /// The arena.
    pub terms: Terms,
    /// The prover.
    pub prover: Prover,
    /// Constants of the module.
    pub constants: Constants,
    /// The file under judgement.
    pub program: Rc<Program>,
    /// The machine's state.
    pub machine: MachineState,
    /// The source's world.
    pub world: SourceWorld,
    /// The facts that the stepping side may use.
    pub facts: Facts,
    /// The stepping side.
    pub side: Side,
    /// Behind the last entry that the jump table read by the last instruction takes.
    pub jump_end: Option<u32>,
    /// How the machine's accesses since the last instruction were shown to lie in their regions, and by which query.
    pub accesses: Vec<(Method, Option<u32>)>,
}

impl Symbolic {
    /// An executor at no particular place.
    pub fn new(mut terms: Terms, constants: Constants, program: Rc<Program>, world: SourceWorld) -> Symbolic {
        let machine = MachineState::junk(&mut terms, &constants, &world, 0);
        Symbolic {
            terms,
            prover: Prover::new(),
            constants,
            program,
            machine,
            world,
            facts: Facts::new(),
            side: Side::Source,
            jump_end: None,
            accesses: Vec::new(),
        }
    }

    /// How a function of this type is called.
    pub fn convention(&self, signature: &FunctionType) -> Convention {
        abi::convention(signature, self.program.target.variant)
    }

    /// Notes how an access was shown to lie in its region.
    pub(super) fn note_access(&mut self, method: Method) {
        let query = self.prover.last_query().filter(|_| method == Method::Solver);
        self.accesses.push((method, query));
    }

    /// A reference at an index within a table, of a world's entries.
    pub fn entry(&mut self, table: u32, entries: Option<TermMem>, index: Term32) -> Result<Term32, Stop> {
        let constant = self.constants.tables[table as usize].constant;
        match (entries, constant) {
            (Some(entries), _) => {
                let offset = self.entry_offset(index);
                Ok(self.terms.load(entries, offset, Width::Word))
            }
            (None, Some(constant)) => Ok(self.terms.apply32(constant, &[index])),
            (None, None) => Err(Stop::Fault(format!("nothing is known of table {table}"))),
        }
    }

    /// Where an entry is in its table.
    pub fn entry_offset(&mut self, index: Term32) -> Term32 {
        let shift = self.terms.w32(ENTRY_BYTES.ilog2());
        self.terms.bin32(Bin32::Shl, &index, &shift)
    }

    /// A reference to a function.
    pub fn reference_to(&mut self, function: u32) -> Result<Term32, Stop> {
        let place = self.program.descriptors.get(&function).copied();
        let functions = self.constants.regions.extents.get(&Base::Functions).copied();
        let (Some(place), Some(functions)) = (place, functions) else {
            return Err(Stop::Fault(format!("function {function} has no descriptor")));
        };
        let offset = self.terms.w32(DESCRIPTOR_BYTES * place);
        Ok(self.terms.bin32(Bin32::Add, &functions.address, &offset))
    }

    /// What a reference leads to: a function of the place of its descriptor. Without descriptors there is no
    /// reference that is not null.
    pub fn described(&mut self, which: Function, reference: Term32) -> Term32 {
        let Some(functions) = self.constants.regions.extents.get(&Base::Functions).copied() else {
            return self.terms.w32(0);
        };
        let offset = self.terms.bin32(Bin32::Sub, &reference, &functions.address);
        let shift = self.terms.w32(DESCRIPTOR_BYTES.ilog2());
        let place = self.terms.bin32(Bin32::ShrU, &offset, &shift);
        self.terms.apply32(which, &[place])
    }

    /// Adds to facts that a machine's new references are null, where the module has no descriptors.
    pub fn assume_nulls<'f>(&mut self, machine: &mut MachineState, facts: impl IntoIterator<Item = &'f mut Facts>) {
        let words = machine.take_new_references();
        if self.constants.regions.extents.contains_key(&Base::Functions) {
            return;
        }
        for facts in facts {
            for word in &words {
                let null = self.terms.w32(0);
                let is_null = self.terms.cmp32(Cmp::Eq, word, &null);
                facts.assume(&mut self.terms, is_null, true);
            }
        }
    }

    /// The least and the greatest index, if the facts bound it to fewer than `count_max` numbers.
    pub fn bounded(&mut self, index: Term32, count_max: u32) -> Result<(u32, u32), Stop> {
        let index = self.facts.simplify32(&mut self.terms, index);
        let (low, high) = self.facts.interval(&self.terms, index);
        if high.checked_sub(low).is_none_or(|count| count >= count_max) {
            return Err(Stop::Fault(format!("an index in [{low}, {high}] is not bounded by its table")));
        }
        Ok((low, high))
    }

    /// How many of the ascending `ends` are at most the index. Halves the intervals that are left, so
    /// that a way among n of them needs few facts.
    pub fn among(&mut self, index: Term32, ends: &[u32]) -> Result<usize, Stop> {
        let index = self.facts.simplify32(&mut self.terms, index);
        let (low, high) = self.facts.interval(&self.terms, index);
        let mut first = ends.partition_point(|end| *end <= low);
        let mut last = ends.partition_point(|end| *end <= high);
        while first < last {
            let middle = first + (last - first) / 2;
            let end = self.terms.w32(ends[middle]);
            let is_below = self.terms.cmp32(Cmp::LtU, &index, &end);
            match self.decide(&is_below)? {
                true => last = middle,
                false => first = middle + 1,
            }
        }
        Ok(first)
    }
}

impl Domain for Symbolic {
    type Bool = TermBool;
    type W32 = Term32;
    type W64 = Term64;

    fn bool(&mut self, value: bool) -> TermBool {
        self.terms.bool(value)
    }
    fn not(&mut self, a: &TermBool) -> TermBool {
        self.terms.not(a)
    }
    fn and(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.and(a, b)
    }
    fn or(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.or(a, b)
    }
    fn ite_bool(&mut self, c: &TermBool, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.ite_bool(c, a, b)
    }
    fn w32(&mut self, value: u32) -> Term32 {
        self.terms.w32(value)
    }
    fn un32(&mut self, op: Un32, a: &Term32) -> Term32 {
        self.terms.un32(op, a)
    }
    fn bin32(&mut self, op: Bin32, a: &Term32, b: &Term32) -> Term32 {
        self.terms.bin32(op, a, b)
    }
    fn cmp32(&mut self, op: Cmp, a: &Term32, b: &Term32) -> TermBool {
        self.terms.cmp32(op, a, b)
    }
    fn ite32(&mut self, c: &TermBool, a: &Term32, b: &Term32) -> Term32 {
        self.terms.ite32(c, a, b)
    }
    fn carry(&mut self, a: &Term32, b: &Term32, carry: &TermBool) -> TermBool {
        self.terms.carry(a, b, carry)
    }
    fn w64(&mut self, value: u64) -> Term64 {
        self.terms.w64(value)
    }
    fn join(&mut self, high: &Term32, low: &Term32) -> Term64 {
        self.terms.join(high, low)
    }
    fn high(&mut self, a: &Term64) -> Term32 {
        self.terms.high(a)
    }
    fn low(&mut self, a: &Term64) -> Term32 {
        self.terms.low(a)
    }
    fn un64(&mut self, op: Un64, a: &Term64) -> Term64 {
        self.terms.un64(op, a)
    }
    fn bin64(&mut self, op: Bin64, a: &Term64, b: &Term64) -> Term64 {
        self.terms.bin64(op, a, b)
    }
    fn cmp64(&mut self, op: Cmp, a: &Term64, b: &Term64) -> TermBool {
        self.terms.cmp64(op, a, b)
    }
    fn float(&mut self, op: Float, words: &[Term32]) -> [Term32; 2] {
        self.terms.float(op, words)
    }
    fn ite64(&mut self, c: &TermBool, a: &Term64, b: &Term64) -> Term64 {
        self.terms.ite64(c, a, b)
    }
}

impl Decide for Symbolic {
    type Stop = Stop;

    fn decide(&mut self, condition: &TermBool) -> Result<bool, Stop> {
        let known = match self.side {
            Side::Machine | Side::Ahead => self.prover.known(&mut self.terms, &self.facts, *condition),
            Side::Source => self.prover.decide(&mut self.terms, &self.facts, *condition),
        };
        known.ok_or(Stop::Undecided(*condition))
    }
}

/// The highest value of the stack limit: the stack is memory, and the system's own address space
/// begins above (DDI0403, B3.1).
pub const STACK_LIMIT_MAX: u32 = STACK_END_MAX - 1;

/// The highest address behind the stack.
pub const STACK_END_MAX: u32 = 0xe000_0000;

/// Bounds of a region's address: aligned, and far enough from the end not to wrap.
pub fn region_bounds(bytes: u32) -> Bounds {
    Bounds { low: 0, high: (u32::MAX - bytes) & !7, align_log2: 3 }
}
