//! The nodes of terms, each stored once.
//!
//! Ensures: two nodes with equal contents have the same [`Id`]; the operands of a node have smaller
//! ids than the node, so that every term is finite and a loop over ids visits operands first.
//!
//! Raw and normalised terms share the arena. Some forms occur only in one of them, as noted.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};
use crate::float::Float;

use super::Term32;

/// The name of a node in its arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(pub(super) u32);

impl Id {
    /// Position in the arena.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names an unknown in [`Arena::symbol`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Symbol(pub u32);

/// A half of a 64-bit word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Half {
    /// Bits 31:0.
    Low,
    /// Bits 63:32.
    High,
}

/// Names a function of 32-bit words. What is known of it is that equal operands give equal results, and
/// what it is of some constants.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Function(pub u32);

/// The type of a term.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// A truth value.
    Bool,
    /// A 32-bit word.
    W32,
    /// A 64-bit word.
    W64,
    /// Bytes indexed by 32-bit addresses.
    Mem,
}

/// How many bytes an access touches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes, little-endian.
    Half,
    /// Four bytes, little-endian.
    Word,
}

impl Width {
    /// Number of bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }

    /// The bits that a zero-extended value of this width can have.
    pub fn mask(self) -> u32 {
        match self {
            Width::Byte => 0xff,
            Width::Half => 0xffff,
            Width::Word => u32::MAX,
        }
    }

    /// The width of this many bytes: 1, 2 or 4.
    pub fn from_bytes(bytes: u32) -> Option<Width> {
        match bytes {
            1 => Some(Width::Byte),
            2 => Some(Width::Half),
            4 => Some(Width::Word),
            _ => None,
        }
    }
}

/// What is known of a symbol in every state: an interval and an alignment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Bounds {
    /// Least unsigned value.
    pub low: u32,
    /// Greatest unsigned value.
    pub high: u32,
    /// The value is a multiple of two to this power.
    pub align_log2: u32,
}

impl Bounds {
    /// Every word.
    pub const ALL: Bounds = Bounds { low: 0, high: u32::MAX, align_log2: 0 };
}

/// An unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolInfo {
    /// For people; the arena adds a number to make it unique.
    pub name: String,
    /// Its type; [`Sort::W64`] never, as such an unknown is a pair.
    pub sort: Sort,
    /// What is known of a word.
    pub bounds: Bounds,
    /// Whether it is the address of a region.
    pub is_region: bool,
}

/// Operators on bits that take any number of operands in normal form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum BitOp {
    /// Conjunction, with a mask.
    And,
    /// Disjunction; the constant is 0 in normal form.
    Or,
    /// Exclusive or, with a constant.
    Xor,
}

/// One bit operator with all its operands.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Bits {
    /// Which.
    pub op: BitOp,
    /// Operands that are not constant, by ascending id.
    pub operands: Rc<[Id]>,
    /// The constant operand.
    pub constant: u32,
}

/// A sum modulo 2^32.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Linear {
    /// Operand and factor, by ascending id; no factor is 0.
    pub monomials: Rc<[(Id, u32)]>,
    /// What is added.
    pub constant: u32,
}

/// Bytes written over a memory, all at constant distances from one address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Writes {
    /// The memory below.
    pub memory: Id,
    /// The address without its constant; the constant 0 for absolute addresses.
    pub base: Id,
    /// Distance and byte, by ascending distance; each byte is a word below 256.
    pub bytes: Rc<[(u32, Id)]>,
}

/// One term.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Node {
    /// An unknown of any sort but W64.
    Symbol(Symbol),
    /// An uninterpreted function of words; a word.
    Apply(Function, Rc<[Id]>),
    /// `if condition then a else b`; any sort in raw terms, not W64 in normal form.
    Ite(Id, Id, Id),

    /// A truth constant.
    Bool(bool),
    /// Negation.
    Not(Id),
    /// Conjunction: two operands in raw terms; any number, by ascending id, in normal form.
    And(Rc<[Id]>),
    /// Disjunction of two; raw only.
    Or(Id, Id),
    /// A comparison of words.
    Cmp32(Cmp, Id, Id),
    /// A comparison of 64-bit words.
    Cmp64(Cmp, Id, Id),
    /// Whether `a + b + c` is 2^32 or more, `c` a truth value.
    Carry(Id, Id, Id),
    /// Whether two memories are equal; raw only.
    SameMem(Id, Id),

    /// A word.
    Const(u32),
    /// A unary operator on words.
    Un32(Un32, Id),
    /// A binary operator on words; in normal form only those without a form of their own.
    Bin32(Bin32, Id, Id),
    /// A sum; normal form only.
    Linear(Linear),
    /// A product of two or more words, by ascending id; normal form only.
    Product(Rc<[Id]>),
    /// Bitwise operators; normal form only.
    Bits(Bits),
    /// Bits 63:32; raw only.
    High(Id),
    /// Bits 31:0; raw only.
    Low(Id),
    /// The bytes at an address, zero-extended: width, memory, address.
    Load(Width, Id, Id),

    /// A 64-bit word; raw only.
    Const64(u64),
    /// A 64-bit word of its high and low halves.
    Join(Id, Id),
    /// A unary operator on 64-bit words; raw only.
    Un64(Un64, Id),
    /// A binary operator on 64-bit words; raw only.
    Bin64(Bin64, Id, Id),

    /// A memory with a value written: width, memory, address, value; raw only.
    Store(Width, Id, Id, Id),
    /// A memory with bytes written; normal form only.
    Writes(Writes),
}

/// What is known of a function.
#[derive(Debug)]
struct FunctionInfo {
    name: String,
    points: Vec<Term32>,
    float: Option<(Float, Half)>,
}

/// All nodes, symbols and functions.
#[derive(Debug, Default)]
pub struct Arena {
    nodes: Vec<Node>,
    /// Only looked up, never iterated over.
    ids: HashMap<Node, Id>,
    symbols: Vec<SymbolInfo>,
    functions: Vec<FunctionInfo>,
    function_ids: BTreeMap<String, Function>,
}

impl Arena {
    /// The id of the node, added if it is new.
    pub fn intern(&mut self, node: Node) -> Id {
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = Id(u32::try_from(self.nodes.len()).expect("fewer than 2^32 terms"));
        debug_assert!(children(&node).iter().all(|child| *child < id));
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        id
    }

    /// The id of a node, if it has been made.
    pub fn find(&self, node: &Node) -> Option<Id> {
        self.ids.get(node).copied()
    }

    /// The node of an id.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A new unknown, different from all before.
    pub fn fresh(&mut self, info: SymbolInfo) -> Id {
        debug_assert!(info.sort != Sort::W64);
        let symbol = Symbol(u32::try_from(self.symbols.len()).expect("fewer than 2^32 symbols"));
        self.symbols.push(info);
        self.intern(Node::Symbol(symbol))
    }

    /// What an unknown is.
    pub fn symbol(&self, symbol: Symbol) -> &SymbolInfo {
        &self.symbols[symbol.0 as usize]
    }

    /// A name for an unknown that no other has.
    pub fn unique_name(&self, symbol: Symbol) -> String {
        format!("{}#{}", self.symbol(symbol).name, symbol.0)
    }

    /// The function of this name.
    pub fn function(&mut self, name: &str) -> Function {
        if let Some(&function) = self.function_ids.get(name) {
            return function;
        }
        let function = Function(u32::try_from(self.functions.len()).expect("few functions"));
        self.functions.push(FunctionInfo { name: name.to_owned(), points: Vec::new(), float: None });
        self.function_ids.insert(name.to_owned(), function);
        function
    }

    /// The function that is half of the result of an operator on floats. Its name is no other's.
    pub fn float(&mut self, op: Float, half: Half) -> Function {
        let function = self.function(&format!("{} {half:?}", op.name()));
        self.functions[function.0 as usize].float = Some((op, half));
        function
    }

    /// What a function is of constants, if it is an operator on floats and no choice between NaNs.
    pub fn float_value(&self, function: Function, words: &[u32]) -> Option<u32> {
        let (op, half) = self.functions[function.0 as usize].float?;
        let [low, high] = op.certain_value(words)?;
        Some(match half {
            Half::Low => low,
            Half::High => high,
        })
    }

    /// The largest word that a function gives.
    pub fn function_max(&self, function: Function) -> u32 {
        match self.functions[function.0 as usize].float {
            Some((Float::Compare(..), Half::Low)) => 1,
            Some((Float::Fits(..), Half::Low)) => 2,
            _ => u32::MAX,
        }
    }

    /// The name of a function.
    pub fn function_name(&self, function: Function) -> &str {
        &self.functions[function.0 as usize].name
    }

    /// Says what a function of one word is at 0, 1, 2 and so on. What it is elsewhere stays open.
    pub fn define_points(&mut self, function: Function, points: Vec<Term32>) {
        self.functions[function.0 as usize].points = points;
    }

    /// What a function is at 0, 1, 2 and so on, as far as that is known.
    pub fn points(&self, function: Function) -> &[Term32] {
        &self.functions[function.0 as usize].points
    }

    /// The type of a term.
    pub fn sort(&self, id: Id) -> Sort {
        let mut id = id;
        loop {
            return match self.node(id) {
                Node::Symbol(symbol) => self.symbol(*symbol).sort,
                Node::Ite(_, then, _) => {
                    id = *then;
                    continue;
                }
                Node::Bool(_)
                | Node::Not(_)
                | Node::And(_)
                | Node::Or(..)
                | Node::Cmp32(..)
                | Node::Cmp64(..)
                | Node::Carry(..)
                | Node::SameMem(..) => Sort::Bool,
                Node::Apply(..)
                | Node::Const(_)
                | Node::Un32(..)
                | Node::Bin32(..)
                | Node::Linear(_)
                | Node::Product(_)
                | Node::Bits(_)
                | Node::High(_)
                | Node::Low(_)
                | Node::Load(..) => Sort::W32,
                Node::Const64(_) | Node::Join(..) | Node::Un64(..) | Node::Bin64(..) => Sort::W64,
                Node::Store(..) | Node::Writes(_) => Sort::Mem,
            };
        }
    }
}

/// The operands of a node, in order.
pub fn children(node: &Node) -> Vec<Id> {
    match node {
        Node::Symbol(_) | Node::Bool(_) | Node::Const(_) | Node::Const64(_) => Vec::new(),
        Node::Apply(_, operands) | Node::And(operands) | Node::Product(operands) => operands.to_vec(),
        Node::Bits(bits) => bits.operands.to_vec(),
        Node::Linear(sum) => sum.monomials.iter().map(|(id, _)| *id).collect(),
        Node::Ite(a, b, c) | Node::Carry(a, b, c) | Node::Store(_, a, b, c) => vec![*a, *b, *c],
        Node::Not(a) | Node::Un32(_, a) | Node::Un64(_, a) | Node::High(a) | Node::Low(a) => {
            vec![*a]
        }
        Node::Or(a, b)
        | Node::Cmp32(_, a, b)
        | Node::Cmp64(_, a, b)
        | Node::SameMem(a, b)
        | Node::Bin32(_, a, b)
        | Node::Bin64(_, a, b)
        | Node::Load(_, a, b)
        | Node::Join(a, b) => vec![*a, *b],
        Node::Writes(writes) => {
            let mut ids = vec![writes.memory, writes.base];
            ids.extend(writes.bytes.iter().map(|(_, byte)| *byte));
            ids
        }
    }
}
