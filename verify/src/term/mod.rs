//! Terms: the values of symbolic execution, each as it was written and in normal form.
//!
//! [`Terms`] is an arena and a [`Domain`]. A value is a pair of ids: the *raw* term records every
//! operator as asked for, nothing folded; the *normal* term is built by rewrite rules
//! ([`rules::RULES`]). Goals are compared on normal terms; "equal before any rule" and the solver use
//! raw terms only, so that a wrong rule cannot confirm itself.
//!
//! Ensures: under every assignment that respects the [`Bounds`] of the symbols, the raw and the
//! normal term of a value evaluate to the same ([`eval`]); 64-bit values in normal form are pairs of
//! halves. Nothing depends on the order of a hash map.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::{Bin32, Bin64, Cmp, Domain, Un32, Un64};
use crate::float::Float;

pub mod eval;
pub mod facts;
#[cfg(test)]
mod facts_tests;
mod float;
pub mod node;
mod normal;
pub mod print;
#[cfg(test)]
mod properties;
pub mod prove;
pub mod range;
#[cfg(test)]
mod range_tests;
pub mod rules;
mod simplify;
pub mod value;

pub use facts::Facts;
pub use node::{Arena, Bounds, Function, Half, Id, Linear, Node, Sort, Symbol, Width};

use node::SymbolInfo;

/// A truth value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TermBool {
    /// As written.
    pub raw: Id,
    /// In normal form.
    pub norm: Id,
}

/// A 32-bit word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Term32 {
    /// As written.
    pub raw: Id,
    /// In normal form.
    pub norm: Id,
}

/// A 64-bit word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Term64 {
    /// As written.
    pub raw: Id,
    /// In normal form: [`Node::Join`].
    pub norm: Id,
}

/// A memory: bytes indexed by 32-bit addresses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TermMem {
    /// As written.
    pub raw: Id,
    /// In normal form.
    pub norm: Id,
}

/// The arena of all terms, and the domain of symbolic execution.
#[derive(Debug, Default)]
pub struct Terms {
    arena: Arena,
    normal: normal::State,
    regions: BTreeMap<String, Term32>,
}

impl Terms {
    /// An empty arena.
    pub fn new() -> Terms {
        Terms::default()
    }

    /// The nodes.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// The node of an id.
    pub fn node(&self, id: Id) -> &Node {
        self.arena.node(id)
    }

    /// A new unknown word.
    pub fn fresh32(&mut self, name: &str) -> Term32 {
        self.fresh32_within(name, Bounds::ALL)
    }

    /// A new unknown word of which an interval and an alignment are known.
    ///
    /// Requires: some word satisfies the bounds.
    pub fn fresh32_within(&mut self, name: &str, bounds: Bounds) -> Term32 {
        debug_assert!(bounds.low <= bounds.high && bounds.align_log2 < 32);
        let id = self.fresh(name, Sort::W32, bounds, false);
        Term32 { raw: id, norm: id }
    }

    /// A new unknown 64-bit word: a pair of unknowns.
    pub fn fresh64(&mut self, name: &str) -> Term64 {
        let high = self.fresh32(&format!("{name}.high"));
        let low = self.fresh32(&format!("{name}.low"));
        self.join(&high, &low)
    }

    /// A new unknown truth value.
    pub fn fresh_bool(&mut self, name: &str) -> TermBool {
        let id = self.fresh(name, Sort::Bool, Bounds::ALL, false);
        TermBool { raw: id, norm: id }
    }

    /// A new unknown memory.
    pub fn fresh_mem(&mut self, name: &str) -> TermMem {
        let id = self.fresh(name, Sort::Mem, Bounds::ALL, false);
        TermMem { raw: id, norm: id }
    }

    fn fresh(&mut self, name: &str, sort: Sort, bounds: Bounds, is_region: bool) -> Id {
        let id = self.arena.fresh(SymbolInfo { name: name.to_owned(), sort, bounds, is_region });
        self.keep(Node::Symbol(self.symbol_of(id).expect("a symbol was made")));
        id
    }

    /// The address of a region, an unknown constant: the same name gives the same term.
    ///
    /// The bounds of the first call hold.
    pub fn region(&mut self, name: &str, bounds: Bounds) -> Term32 {
        if let Some(&term) = self.regions.get(name) {
            return term;
        }
        let id = self.fresh(name, Sort::W32, bounds, true);
        let term = Term32 { raw: id, norm: id };
        self.regions.insert(name.to_owned(), term);
        term
    }

    /// The unknown that this term is, if it is one.
    pub fn symbol_of(&self, id: Id) -> Option<Symbol> {
        match self.node(id) {
            Node::Symbol(symbol) => Some(*symbol),
            _ => None,
        }
    }

    /// Whether the normal term is the address of a region.
    pub fn is_region(&self, id: Id) -> bool {
        self.symbol_of(id).is_some_and(|symbol| self.arena.symbol(symbol).is_region)
    }

    /// The one region that an address is relative to, and the distance from its start.
    ///
    /// `None` if no region, several, or a multiple of a region occurs in the sum.
    pub fn split_region(&mut self, address: Term32) -> Option<(Term32, Term32)> {
        let sum = self.linear(address.norm);
        let mut regions = sum.monomials.iter().filter(|(id, _)| self.is_region(*id));
        let (region, factor) = *regions.next()?;
        if factor != 1 || regions.next().is_some() {
            return None;
        }
        let region = Term32 { raw: region, norm: region };
        let offset = self.bin32(Bin32::Sub, &address, &region);
        Some((region, offset))
    }

    /// `a - b`, when it is a constant.
    pub fn distance(&mut self, a: Term32, b: Term32) -> Option<u32> {
        let difference = self.bin32(Bin32::Sub, &a, &b);
        self.as_const32(difference)
    }

    /// The value of a word whose normal form is a constant.
    pub fn as_const32(&self, term: Term32) -> Option<u32> {
        match self.node(term.norm) {
            Node::Const(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of a truth value whose normal form is a constant.
    pub fn as_bool(&self, term: TermBool) -> Option<bool> {
        match self.node(term.norm) {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An uninterpreted function of words, for instance the code address of a table entry.
    pub fn function(&mut self, name: &str) -> Function {
        self.arena.function(name)
    }

    /// Says what a function of one word is at 0, 1, 2 and so on. What it is elsewhere stays open.
    pub fn define_points(&mut self, function: Function, points: Vec<Term32>) {
        self.arena.define_points(function, points);
    }

    /// The value of an uninterpreted function.
    pub fn apply32(&mut self, function: Function, operands: &[Term32]) -> Term32 {
        let raw: Rc<[Id]> = operands.iter().map(|operand| operand.raw).collect();
        let norm: Rc<[Id]> = operands.iter().map(|operand| operand.norm).collect();
        Term32 { raw: self.arena.intern(Node::Apply(function, raw)), norm: self.build(Node::Apply(function, norm)) }
    }

    /// The bytes at an address, zero-extended, little-endian.
    pub fn load(&mut self, memory: TermMem, address: Term32, width: Width) -> Term32 {
        Term32 {
            raw: self.arena.intern(Node::Load(width, memory.raw, address.raw)),
            norm: self.build(Node::Load(width, memory.norm, address.norm)),
        }
    }

    /// A memory with the low bytes of a value written at an address, little-endian.
    pub fn store(&mut self, memory: TermMem, address: Term32, width: Width, value: Term32) -> TermMem {
        TermMem {
            raw: self.arena.intern(Node::Store(width, memory.raw, address.raw, value.raw)),
            norm: self.build(Node::Store(width, memory.norm, address.norm, value.norm)),
        }
    }

    /// `if condition then a else b`, on memories.
    pub fn ite_mem(&mut self, c: &TermBool, a: &TermMem, b: &TermMem) -> TermMem {
        TermMem {
            raw: self.arena.intern(Node::Ite(c.raw, a.raw, b.raw)),
            norm: self.build(Node::Ite(c.norm, a.norm, b.norm)),
        }
    }

    /// Whether two memories are equal in every byte.
    ///
    /// The normal form is `true` when the normal memories are the same term, else opaque.
    pub fn same_mem(&mut self, a: &TermMem, b: &TermMem) -> TermBool {
        TermBool {
            raw: self.arena.intern(Node::SameMem(a.raw, b.raw)),
            norm: self.build(Node::SameMem(a.norm, b.norm)),
        }
    }

    fn term_bool(&mut self, raw: Node, normal: Node) -> TermBool {
        TermBool { raw: self.arena.intern(raw), norm: self.build(normal) }
    }

    fn term32(&mut self, raw: Node, normal: Node) -> Term32 {
        Term32 { raw: self.arena.intern(raw), norm: self.build(normal) }
    }

    fn term64(&mut self, raw: Node, normal: Node) -> Term64 {
        Term64 { raw: self.arena.intern(raw), norm: self.build(normal) }
    }
}

impl Domain for Terms {
    type Bool = TermBool;
    type W32 = Term32;
    type W64 = Term64;

    fn bool(&mut self, value: bool) -> TermBool {
        self.term_bool(Node::Bool(value), Node::Bool(value))
    }

    fn not(&mut self, a: &TermBool) -> TermBool {
        self.term_bool(Node::Not(a.raw), Node::Not(a.norm))
    }

    fn and(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.term_bool(Node::And(Rc::new([a.raw, b.raw])), Node::And(Rc::new([a.norm, b.norm])))
    }

    fn or(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.term_bool(Node::Or(a.raw, b.raw), Node::Or(a.norm, b.norm))
    }

    fn ite_bool(&mut self, c: &TermBool, a: &TermBool, b: &TermBool) -> TermBool {
        self.term_bool(Node::Ite(c.raw, a.raw, b.raw), Node::Ite(c.norm, a.norm, b.norm))
    }

    fn w32(&mut self, value: u32) -> Term32 {
        self.term32(Node::Const(value), Node::Const(value))
    }

    fn un32(&mut self, op: Un32, a: &Term32) -> Term32 {
        self.term32(Node::Un32(op, a.raw), Node::Un32(op, a.norm))
    }

    fn bin32(&mut self, op: Bin32, a: &Term32, b: &Term32) -> Term32 {
        self.term32(Node::Bin32(op, a.raw, b.raw), Node::Bin32(op, a.norm, b.norm))
    }

    fn cmp32(&mut self, op: Cmp, a: &Term32, b: &Term32) -> TermBool {
        self.term_bool(Node::Cmp32(op, a.raw, b.raw), Node::Cmp32(op, a.norm, b.norm))
    }

    fn carry(&mut self, a: &Term32, b: &Term32, carry: &TermBool) -> TermBool {
        self.term_bool(Node::Carry(a.raw, b.raw, carry.raw), Node::Carry(a.norm, b.norm, carry.norm))
    }

    fn ite32(&mut self, c: &TermBool, a: &Term32, b: &Term32) -> Term32 {
        self.term32(Node::Ite(c.raw, a.raw, b.raw), Node::Ite(c.norm, a.norm, b.norm))
    }

    fn w64(&mut self, value: u64) -> Term64 {
        self.term64(Node::Const64(value), Node::Const64(value))
    }

    fn join(&mut self, high: &Term32, low: &Term32) -> Term64 {
        self.term64(Node::Join(high.raw, low.raw), Node::Join(high.norm, low.norm))
    }

    fn high(&mut self, a: &Term64) -> Term32 {
        self.term32(Node::High(a.raw), Node::High(a.norm))
    }

    fn low(&mut self, a: &Term64) -> Term32 {
        self.term32(Node::Low(a.raw), Node::Low(a.norm))
    }

    fn un64(&mut self, op: Un64, a: &Term64) -> Term64 {
        self.term64(Node::Un64(op, a.raw), Node::Un64(op, a.norm))
    }

    fn bin64(&mut self, op: Bin64, a: &Term64, b: &Term64) -> Term64 {
        self.term64(Node::Bin64(op, a.raw, b.raw), Node::Bin64(op, a.norm, b.norm))
    }

    fn cmp64(&mut self, op: Cmp, a: &Term64, b: &Term64) -> TermBool {
        self.term_bool(Node::Cmp64(op, a.raw, b.raw), Node::Cmp64(op, a.norm, b.norm))
    }

    fn float(&mut self, op: Float, words: &[Term32]) -> [Term32; 2] {
        if let Some(word) = float::by_comparisons(self, op, words) {
            return [word, self.w32(0)];
        }
        [Half::Low, Half::High].map(|half| {
            let function = self.arena.float(op, half);
            self.apply32(function, words)
        })
    }

    fn ite64(&mut self, c: &TermBool, a: &Term64, b: &Term64) -> Term64 {
        self.term64(Node::Ite(c.raw, a.raw, b.raw), Node::Ite(c.norm, a.norm, b.norm))
    }
}
