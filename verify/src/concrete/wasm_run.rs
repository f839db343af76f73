//! The concrete Wasm interpreter: [`crate::wasm::sem`] over integers.
//!
//! Requires: a module read by [`crate::wasm::module::read`] and a state of its instantiation.
//! Ensures: a run ends: fuel counts operators, and calls are at most as deep as the limit says.

use super::instantiate::State;
use super::word::{Concrete, Fault, RegionIndex, Wide, Word};
use crate::trap::Trap;
use crate::wasm::control::Then;
use crate::wasm::module::NULL;
use crate::wasm::module::{Constant, FunctionType, Module, ValueType};
use crate::wasm::sem::{self, Activation, Event, Value, Width, World};

/// What an imported function does: import index, arguments, the state; yields the results.
pub type Host<'h> = dyn FnMut(u32, &[Constant], &mut State) -> Result<Vec<Constant>, String> + 'h;

/// How far a run may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Operators.
    pub fuel: u64,
    /// Activations at one time.
    pub depth: u32,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With results.
    Returned(Vec<Constant>),
    /// By a trap of the operator at an offset of the module.
    Trapped(Trap, u32),
    /// It was given up; nothing is said of the run.
    Stopped(Stop),
}

/// Why a run was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Fuel is used up.
    Fuel,
    /// Calls are too deep.
    Depth,
    /// An argument, a result or an index does not fit, or the host refused.
    Refused(String),
}

fn refused(why: &str) -> Stop {
    Stop::Refused(why.to_string())
}

/// An instance: a module with its state.
#[derive(Clone, Debug)]
pub struct Instance<'m> {
    /// The module.
    pub module: &'m Module,
    /// Memory, globals and table.
    pub state: State,
}

/// An activation of an instance's function.
pub type Frame<'m> = (u32, Activation<Instance<'m>>);

impl<'m> Instance<'m> {
    /// Calls a function, imported or not, and runs it to its end.
    pub fn call(&mut self, function: u32, arguments: &[Constant], limits: Limits, host: &mut Host<'_>) -> Outcome {
        let values = arguments.iter().map(|constant| value(*constant)).collect();
        let frames = Vec::new();
        let mut run = Run { instance: self, frames, limits, host };
        match run.enter(function, values) {
            Ok(None) => run.all(),
            Ok(Some(results)) => outcome(results),
            Err(stop) => Outcome::Stopped(stop),
        }
    }

    /// Goes on with a function from the state in the middle of it.
    pub fn resume(&mut self, frame: Frame<'m>, limits: Limits, host: &mut Host<'_>) -> Outcome {
        Run { instance: self, frames: vec![frame], limits, host }.all()
    }
}

/// The value as the semantics has it.
pub fn value<T: Concrete>(constant: Constant) -> Value<T> {
    match constant {
        Constant::I32(word) => Value::W32(Word::Int(word)),
        Constant::I64(wide) => Value::W64(Wide::int(wide)),
        Constant::Function(function) => Value::W32(reference(function)),
    }
}

/// A reference to a function: where that is stays open.
fn reference(function: u32) -> Word {
    Word::Pointer { region: FUNCTIONS, offset: function }
}

/// The function that a word refers to.
fn referenced(word: &Word) -> Option<u32> {
    match word {
        Word::Pointer { region: FUNCTIONS, offset } => Some(*offset),
        Word::Pointer { .. } | Word::Int(_) | Word::Low { .. } | Word::Poison => None,
    }
}

/// The constant that a value is, if it is known.
pub fn constant<T: Concrete>(value: &Value<T>) -> Option<Constant> {
    match value {
        Value::W32(word) => word.as_int().map(Constant::I32).or(referenced(word).map(Constant::Function)),
        Value::W64(wide) => wide.as_int().map(Constant::I64),
    }
}

fn outcome(results: Vec<Value<Instance<'_>>>) -> Outcome {
    match results.iter().map(constant).collect() {
        Some(results) => Outcome::Returned(results),
        None => Outcome::Stopped(refused("a result is no integer")),
    }
}

struct Run<'r, 'h, 'm> {
    instance: &'r mut Instance<'m>,
    frames: Vec<Frame<'m>>,
    limits: Limits,
    host: &'r mut Host<'h>,
}

type Values<'m> = Vec<Value<Instance<'m>>>;

impl<'m> Run<'_, '_, 'm> {
    fn all(&mut self) -> Outcome {
        loop {
            match self.step() {
                Ok(None) => {}
                Ok(Some(ended)) => return ended,
                Err(stop) => return Outcome::Stopped(stop),
            }
        }
    }

    /// One operator; the outcome if it ends the run.
    fn step(&mut self) -> Result<Option<Outcome>, Stop> {
        self.limits.fuel = self.limits.fuel.checked_sub(1).ok_or(Stop::Fuel)?;
        let (index, activation) = self.frames.last_mut().ok_or(refused("no activation"))?;
        let module = self.instance.module;
        let function = module.function(*index).ok_or(refused("no such function"))?;
        let event = sem::step(self.instance, module, function, activation);
        let (callee, arguments, then) = match event.map_err(|fault| Stop::Refused(fault.to_string()))? {
            Event::Next => return Ok(None),
            Event::Trap(trap, offset) => return Ok(Some(Outcome::Trapped(trap, offset))),
            Event::Return(results) => {
                self.frames.pop();
                let Some((_, caller)) = self.frames.last_mut() else {
                    return Ok(Some(outcome(results)));
                };
                caller.stack.extend(results);
                return Ok(None);
            }
            Event::Call { function, arguments, then, .. } => (function, arguments, then),
            Event::CallIndirect { code, arguments, then, .. } => {
                let function = referenced(&code);
                (function.ok_or(refused("a table entry is no function"))?, arguments, then)
            }
        };
        // A function that returns what it calls has nothing left to do.
        if then == Then::Return && module.function(callee).is_some() {
            self.frames.pop();
        }
        if let Some(results) = self.enter(callee, arguments)?
            && let Some((_, caller)) = self.frames.last_mut()
        {
            caller.stack.extend(results);
        }
        Ok(None)
    }

    /// Enters a function with a body, or runs an import and yields its results.
    fn enter(&mut self, index: u32, arguments: Values<'m>) -> Result<Option<Values<'m>>, Stop> {
        let module = self.instance.module;
        if let Some(import) = module.imports.get(index as usize) {
            let signature = module.types.get(import.type_index as usize);
            let signature = signature.ok_or(refused("an import without a type"))?;
            return self.import(index, signature, &arguments).map(Some);
        }
        if self.frames.len() as u64 >= u64::from(self.limits.depth) {
            return Err(Stop::Depth);
        }
        let function = module.function(index).ok_or(refused("no such function"))?;
        let activation = Activation::enter(self.instance, function, arguments);
        let activation = activation.ok_or(refused("arguments of other types"))?;
        self.frames.push((index, activation));
        Ok(None)
    }

    fn import(&mut self, index: u32, signature: &FunctionType, arguments: &Values<'m>) -> Result<Values<'m>, Stop> {
        let arguments: Option<Vec<Constant>> = arguments.iter().map(constant).collect();
        let arguments = arguments.ok_or(refused("an argument is no integer"))?;
        if !has_sorts(&arguments, &signature.parameters) {
            return Err(refused("arguments of other types"));
        }
        let results = (self.host)(index, &arguments, &mut self.instance.state);
        let results = results.map_err(Stop::Refused)?;
        if !has_sorts(&results, &signature.results) {
            return Err(refused("results of other types"));
        }
        Ok(results.into_iter().map(value).collect())
    }
}

fn has_sorts(values: &[Constant], types: &[ValueType]) -> bool {
    values.len() == types.len() && values.iter().zip(types).all(|(value, ty)| value.sort() == ty.sort())
}

/// The region that stands for functions; the instance has no other addresses.
const FUNCTIONS: RegionIndex = 0;

impl Concrete for Instance<'_> {
    fn is_not_null(&self, _: RegionIndex, _: u32) -> bool {
        true
    }
}

fn int(word: &Word) -> Result<u32, Fault> {
    word.as_int().ok_or(Fault::Unmapped { address: *word, why: "an index that is no integer" })
}

impl Instance<'_> {
    fn bytes(&mut self, memory: u32, at: &Word, width: Width) -> Result<&mut [u8], Fault> {
        let start = int(at)? as usize;
        let range = start..start + width.bytes() as usize;
        let outside = Fault::Unmapped { address: *at, why: "an access beyond the memory" };
        self.state.memories[memory as usize].get_mut(range).ok_or(outside)
    }

    fn entry(&mut self, table: u32, index: &Word) -> Result<&mut Constant, Fault> {
        let entry = self.state.tables[table as usize].get_mut(int(index)? as usize);
        entry.ok_or(Fault::Unmapped { address: *index, why: "no table entry" })
    }
}

impl World for Instance<'_> {
    fn refuse(&mut self, reason: String) -> Fault {
        Fault::Other(reason)
    }

    fn load(&mut self, memory: u32, at: &Word, width: Width) -> Result<Word, Fault> {
        let bytes = self.bytes(memory, at, width)?;
        Ok(Word::Int(bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))))
    }

    fn store(&mut self, memory: u32, at: &Word, width: Width, value: &Word) -> Result<(), Fault> {
        let value = int(value)?.to_le_bytes();
        let bytes = self.bytes(memory, at, width)?;
        bytes.copy_from_slice(&value[..bytes.len()]);
        Ok(())
    }

    fn memory_bytes(&mut self, memory: u32) -> Word {
        Word::Int(u32::try_from(self.state.memories[memory as usize].len()).expect("32 bits count the bytes"))
    }

    fn set_memory_bytes(&mut self, memory: u32, bytes: &Word) {
        let index = memory as usize;
        let most = self.state.reserve_pages[index] << self.module.memories[index].page_log2;
        if let Word::Int(bytes) = bytes
            && *bytes <= most
        {
            self.state.memories[index].resize(*bytes as usize, 0);
        }
    }

    fn reserve_pages(&mut self, memory: u32) -> u32 {
        self.state.reserve_pages[memory as usize]
    }

    fn global_get(&mut self, global: u32) -> Value<Self> {
        value(self.state.globals[global as usize])
    }

    fn global_set(&mut self, global: u32, value: &Value<Self>) {
        if let Some(constant) = constant(value) {
            self.state.globals[global as usize] = constant;
        }
    }

    fn table_size(&mut self, table: u32) -> Word {
        let entries = self.state.tables[table as usize].len();
        Word::Int(u32::try_from(entries).expect("instantiation bounds the table"))
    }

    fn set_table_size(&mut self, table: u32, entries: &Word) {
        let most = self.state.reserve_entries[table as usize];
        if let Word::Int(entries) = entries
            && *entries <= most
        {
            self.state.tables[table as usize].resize(*entries as usize, NULL);
        }
    }

    fn table_reserve(&mut self, table: u32) -> u32 {
        self.state.reserve_entries[table as usize]
    }

    fn table_get(&mut self, table: u32, index: &Word) -> Result<Word, Fault> {
        match value::<Self>(*self.entry(table, index)?) {
            Value::W32(word) => Ok(word),
            Value::W64(_) => Err(Fault::Other("an entry of 64 bits".into())),
        }
    }

    fn table_set(&mut self, table: u32, index: &Word, reference: &Word) -> Result<(), Fault> {
        let reference = constant::<Self>(&Value::W32(*reference));
        *self.entry(table, index)? = reference.ok_or(Fault::Other("a reference that is not known".into()))?;
        Ok(())
    }

    fn function_reference(&mut self, function: u32) -> Result<Word, Fault> {
        Ok(reference(function))
    }

    fn reference_type(&mut self, reference: &Word) -> Result<Word, Fault> {
        let type_index = referenced(reference).and_then(|function| self.module.type_index(function));
        let id = type_index.and_then(|found| self.module.type_id(found));
        id.map(Word::Int).ok_or(Fault::Other("a reference to no function".into()))
    }

    fn reference_code(&mut self, reference: &Word) -> Result<Word, Fault> {
        Ok(*reference)
    }

    fn enumerate(&mut self, index: &Word, ends: &[u32]) -> Result<usize, Fault> {
        let index = int(index)?;
        Ok(ends.partition_point(|end| *end <= index))
    }
}
