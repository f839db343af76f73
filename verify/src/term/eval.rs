//! The value of a term under an assignment of its symbols.
//!
//! Ensures: defined for raw and for normal terms alike; this is the meaning that rules keep.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::node::{Arena, BitOp, Function, Id, Node, Sort, Symbol, Width, children};
use super::value;

/// What the unknowns are. A symbol that is not named gets a value derived from the seed, within its
/// bounds; so does every byte of memory and every value of a function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Assignment {
    /// Chooses everything that is not named.
    pub seed: u64,
    /// Words.
    pub words: BTreeMap<Symbol, u32>,
    /// Truth values.
    pub bools: BTreeMap<Symbol, bool>,
    /// Bytes of memories.
    pub bytes: BTreeMap<(Symbol, u32), u8>,
    /// Values of functions.
    pub applications: BTreeMap<(Function, Vec<u32>), u32>,
}

/// The value of a term.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Of sort Bool.
    Bool(bool),
    /// Of sort W32.
    W32(u32),
    /// Of sort W64.
    W64(u64),
    /// Of sort Mem.
    Mem(Memory),
}

/// A memory: a symbol's bytes with others written over them. Equal values may differ in `written`;
/// [`Evaluator::same_memory`] compares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    symbol: Symbol,
    written: Rc<BTreeMap<u32, u8>>,
}

/// Evaluates terms of one arena under one assignment, each node once.
#[derive(Debug)]
pub struct Evaluator<'a> {
    arena: &'a Arena,
    assignment: &'a Assignment,
    values: BTreeMap<Id, Value>,
}

/// The value of one term.
pub fn eval(arena: &Arena, assignment: &Assignment, id: Id) -> Value {
    Evaluator::new(arena, assignment).value(id)
}

impl<'a> Evaluator<'a> {
    /// Evaluates nothing yet.
    pub fn new(arena: &'a Arena, assignment: &'a Assignment) -> Evaluator<'a> {
        Evaluator { arena, assignment, values: BTreeMap::new() }
    }

    /// The value of a term; operands first, so that deep terms need no deep stack.
    pub fn value(&mut self, id: Id) -> Value {
        if let Some(known) = self.values.get(&id) {
            return known.clone();
        }
        let mut work = vec![id];
        while let Some(&next) = work.last() {
            let before = work.len();
            let operands = children(self.arena.node(next)).into_iter();
            work.extend(operands.filter(|operand| !self.values.contains_key(operand)));
            if work.len() == before {
                work.pop();
                _ = self.one(next);
            }
        }
        self.one(id)
    }

    /// The value of a term whose operands have theirs.
    fn one(&mut self, id: Id) -> Value {
        if let Some(known) = self.values.get(&id) {
            return known.clone();
        }
        let node = self.arena.node(id).clone();
        let value = match self.arena.sort(id) {
            Sort::Bool => Value::Bool(self.truth(&node)),
            Sort::W32 => Value::W32(self.word(&node)),
            Sort::W64 => Value::W64(self.double(&node)),
            Sort::Mem => Value::Mem(self.memory(&node)),
        };
        self.values.insert(id, value.clone());
        value
    }

    /// The value of a term of sort Bool.
    pub fn bool(&mut self, id: Id) -> bool {
        match self.value(id) {
            Value::Bool(value) => value,
            other => panic!("not a truth value: {other:?}"),
        }
    }

    /// The value of a term of sort W32.
    pub fn w32(&mut self, id: Id) -> u32 {
        match self.value(id) {
            Value::W32(value) => value,
            other => panic!("not a word: {other:?}"),
        }
    }

    /// The value of a term of sort W64.
    pub fn w64(&mut self, id: Id) -> u64 {
        match self.value(id) {
            Value::W64(value) => value,
            other => panic!("not a 64-bit word: {other:?}"),
        }
    }

    /// The value of a term of sort Mem.
    pub fn mem(&mut self, id: Id) -> Memory {
        match self.value(id) {
            Value::Mem(value) => value,
            other => panic!("not a memory: {other:?}"),
        }
    }

    /// The byte of a memory at an address.
    pub fn byte(&self, memory: &Memory, address: u32) -> u8 {
        if let Some(&byte) = memory.written.get(&address) {
            return byte;
        }
        if let Some(&byte) = self.assignment.bytes.get(&(memory.symbol, address)) {
            return byte;
        }
        mix(self.assignment.seed, &[3, memory.symbol.0, address]) as u8
    }

    /// Whether two memories have the same bytes everywhere.
    ///
    /// Memories over different symbols count as different, as almost all of their bytes are.
    pub fn same_memory(&self, a: &Memory, b: &Memory) -> bool {
        let mut written = a.written.keys().chain(b.written.keys());
        a.symbol == b.symbol && written.all(|&address| self.byte(a, address) == self.byte(b, address))
    }

    fn truth(&mut self, node: &Node) -> bool {
        match node {
            Node::Symbol(symbol) => {
                let chosen = mix(self.assignment.seed, &[1, symbol.0]) & 1 == 1;
                *self.assignment.bools.get(symbol).unwrap_or(&chosen)
            }
            Node::Ite(c, a, b) => {
                if self.bool(*c) {
                    self.bool(*a)
                } else {
                    self.bool(*b)
                }
            }
            Node::Bool(value) => *value,
            Node::Not(a) => !self.bool(*a),
            Node::And(operands) => operands.iter().all(|operand| self.bool(*operand)),
            Node::Or(a, b) => self.bool(*a) || self.bool(*b),
            Node::Cmp32(op, a, b) => value::cmp32(*op, self.w32(*a), self.w32(*b)),
            Node::Cmp64(op, a, b) => value::cmp64(*op, self.w64(*a), self.w64(*b)),
            Node::Carry(a, b, c) => value::carry(self.w32(*a), self.w32(*b), self.bool(*c)),
            Node::SameMem(a, b) => {
                let (a, b) = (self.mem(*a), self.mem(*b));
                self.same_memory(&a, &b)
            }
            other => panic!("not a truth value: {other:?}"),
        }
    }

    fn word(&mut self, node: &Node) -> u32 {
        match node {
            Node::Symbol(symbol) => self.symbol(*symbol),
            Node::Apply(function, operands) => {
                let operands: Vec<u32> = operands.iter().map(|operand| self.w32(*operand)).collect();
                let points = self.arena.points(*function);
                match operands[..] {
                    _ if let Some(value) = self.arena.float_value(*function, &operands) => value,
                    [operand] if (operand as usize) < points.len() => self.w32(points[operand as usize].raw),
                    _ => self.apply(*function, operands),
                }
            }
            Node::Ite(c, a, b) => {
                if self.bool(*c) {
                    self.w32(*a)
                } else {
                    self.w32(*b)
                }
            }
            Node::Const(value) => *value,
            Node::Un32(op, a) => value::un32(*op, self.w32(*a)),
            Node::Bin32(op, a, b) => value::bin32(*op, self.w32(*a), self.w32(*b)),
            Node::Linear(sum) => sum
                .monomials
                .iter()
                .fold(sum.constant, |total, (id, factor)| total.wrapping_add(self.w32(*id).wrapping_mul(*factor))),
            Node::Product(operands) => {
                operands.iter().fold(1, |product: u32, operand| product.wrapping_mul(self.w32(*operand)))
            }
            Node::Bits(bits) => bits.operands.iter().fold(bits.constant, |value, operand| match bits.op {
                BitOp::And => value & self.w32(*operand),
                BitOp::Or => value | self.w32(*operand),
                BitOp::Xor => value ^ self.w32(*operand),
            }),
            Node::High(a) => (self.w64(*a) >> 32) as u32,
            Node::Low(a) => self.w64(*a) as u32,
            Node::Load(width, memory, address) => {
                let (memory, address) = (self.mem(*memory), self.w32(*address));
                (0..width.bytes())
                    .fold(0, |word, at| word | u32::from(self.byte(&memory, address.wrapping_add(at))) << (8 * at))
            }
            other => panic!("not a word: {other:?}"),
        }
    }

    fn double(&mut self, node: &Node) -> u64 {
        match node {
            Node::Ite(c, a, b) => {
                if self.bool(*c) {
                    self.w64(*a)
                } else {
                    self.w64(*b)
                }
            }
            Node::Const64(value) => *value,
            Node::Join(high, low) => u64::from(self.w32(*high)) << 32 | u64::from(self.w32(*low)),
            Node::Un64(op, a) => value::un64(*op, self.w64(*a)),
            Node::Bin64(op, a, b) => value::bin64(*op, self.w64(*a), self.w64(*b)),
            other => panic!("not a 64-bit word: {other:?}"),
        }
    }

    fn memory(&mut self, node: &Node) -> Memory {
        match node {
            Node::Symbol(symbol) => Memory { symbol: *symbol, written: Rc::default() },
            Node::Ite(c, a, b) => {
                if self.bool(*c) {
                    self.mem(*a)
                } else {
                    self.mem(*b)
                }
            }
            Node::Store(width, memory, address, value) => {
                let (memory, address, value) = (self.mem(*memory), self.w32(*address), self.w32(*value));
                self.write(memory, *width, address, value)
            }
            Node::Writes(writes) => {
                let (mut memory, base) = (self.mem(writes.memory), self.w32(writes.base));
                for (offset, byte) in writes.bytes.iter() {
                    let byte = self.w32(*byte);
                    memory = self.write(memory, Width::Byte, base.wrapping_add(*offset), byte);
                }
                memory
            }
            other => panic!("not a memory: {other:?}"),
        }
    }

    fn write(&self, memory: Memory, width: Width, address: u32, value: u32) -> Memory {
        let mut written = memory.written;
        for (at, byte) in value.to_le_bytes().into_iter().enumerate().take(width.bytes() as usize) {
            Rc::make_mut(&mut written).insert(address.wrapping_add(at as u32), byte);
        }
        Memory { symbol: memory.symbol, written }
    }

    /// The value of a word symbol: as assigned, else chosen near a boundary as often as not.
    fn symbol(&self, symbol: Symbol) -> u32 {
        if let Some(&value) = self.assignment.words.get(&symbol) {
            return value;
        }
        let bounds = self.arena.symbol(symbol).bounds;
        let chosen = boundary_biased(mix(self.assignment.seed, &[0, symbol.0]));
        let aligned = chosen >> bounds.align_log2 << bounds.align_log2;
        if (bounds.low..=bounds.high).contains(&aligned) {
            return aligned;
        }
        let span = (u64::from(bounds.high) - u64::from(bounds.low)) >> bounds.align_log2;
        let steps = u64::from(chosen) % (span + 1);
        let least = u64::from(bounds.low).next_multiple_of(1 << bounds.align_log2);
        let value = least + (steps << bounds.align_log2);
        u32::try_from(if value > u64::from(bounds.high) { least } else { value }).unwrap_or(bounds.low)
    }

    fn apply(&self, function: Function, operands: Vec<u32>) -> u32 {
        let mut words = vec![2, function.0];
        words.extend(&operands);
        let chosen = boundary_biased(mix(self.assignment.seed, &words));
        *self.assignment.applications.get(&(function, operands)).unwrap_or(&chosen)
    }
}

/// A number that depends on all the words given (the finaliser of splitmix64, folded over them).
pub fn mix(seed: u64, words: &[u32]) -> u64 {
    let mut state = seed;
    for word in words {
        state = state.wrapping_add(u64::from(*word)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// A word that is small, near a power of two, or near a sign change half of the time.
pub fn boundary_biased(random: u64) -> u32 {
    let word = (random >> 32) as u32;
    let near = (random as u32 >> 3 & 3).wrapping_sub(1);
    match random & 7 {
        0 => word & 3,
        1 => 0u32.wrapping_sub(word & 3),
        2 => 0x8000_0000u32.wrapping_add(near),
        3 => (1u32 << (word & 31)).wrapping_add(near),
        4 => word & 0x3f,
        _ => word,
    }
}
