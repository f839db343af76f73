//! Raw terms as terms of z3: words are bit-vectors, memories arrays of bytes.
//!
//! Ensures: each operator is translated by its meaning in [`crate::term::value`]; under
//! [`Abstraction::Uninterpreted`] a product, a quotient or a high product of two unknowns is an
//! unknown function of its operands, which only admits more states.

use std::collections::{BTreeMap, BTreeSet};

use z3::ast::{Array, Ast, BV, Bool};
use z3::{FuncDecl, Sort as Z3Sort};

use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};
use crate::term::eval::Assignment;
use crate::term::node::{BitOp, Function, Id, Node, Sort, Symbol, children};
use crate::term::{Terms, Width};

/// How products and quotients are translated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abstraction {
    /// As unknown functions, unless one operand is a constant.
    Uninterpreted,
    /// As what they are.
    Exact,
}

/// A translated term.
#[derive(Clone)]
enum Translated {
    Bool(Bool),
    Word(BV),
    Memory(Array),
}

/// Translates the terms of one query.
pub struct Translation<'a> {
    terms: &'a Terms,
    how: Abstraction,
    done: BTreeMap<Id, Translated>,
    symbols: BTreeMap<Symbol, Id>,
    /// Addresses at which memories are read or written.
    addresses: Vec<BV>,
    applications: Vec<(Function, Vec<BV>, BV)>,
    /// What is known of functions at points and of unknowns in place of terms.
    points: Vec<Bool>,
    /// Terms that are unknowns, whatever they are made of.
    opaque: BTreeSet<Id>,
}

fn word(value: u32) -> BV {
    BV::from_u64(u64::from(value), 32)
}

fn double(value: u64) -> BV {
    BV::from_u64(value, 64)
}

impl<'a> Translation<'a> {
    /// Nothing translated yet.
    pub fn new(terms: &'a Terms, how: Abstraction) -> Translation<'a> {
        Translation {
            terms,
            how,
            done: BTreeMap::new(),
            symbols: BTreeMap::new(),
            addresses: Vec::new(),
            applications: Vec::new(),
            points: Vec::new(),
            opaque: BTreeSet::new(),
        }
    }

    /// Nothing translated yet; these terms will be unknowns within their ranges.
    pub fn with_opaque(terms: &'a Terms, opaque: BTreeSet<Id>) -> Translation<'a> {
        Translation { opaque, ..Translation::new(terms, Abstraction::Uninterpreted) }
    }

    /// That two terms of one sort are not the same.
    pub fn different(&mut self, a: Id, b: Id) -> Bool {
        match (self.translated(a), self.translated(b)) {
            (Translated::Bool(a), Translated::Bool(b)) => a.eq(&b).not(),
            (Translated::Word(a), Translated::Word(b)) => a.eq(&b).not(),
            (Translated::Memory(a), Translated::Memory(b)) => a.eq(&b).not(),
            _ => unreachable!("sorts are checked when terms are made"),
        }
    }

    /// A truth value.
    pub fn bool(&mut self, id: Id) -> Bool {
        match self.translated(id) {
            Translated::Bool(value) => value,
            Translated::Word(_) | Translated::Memory(_) => {
                unreachable!("sorts are checked when terms are made")
            }
        }
    }

    /// The negation of the goal; two memories differ at some address that the model names.
    pub fn negated_goal(&mut self, id: Id) -> Bool {
        let Node::SameMem(a, b) = *self.terms.node(id) else {
            return self.bool(id).not();
        };
        let (a, b) = (self.memory(a), self.memory(b));
        let address = BV::new_const("differs", 32);
        self.addresses.push(address.clone());
        select(&a, &address).eq(select(&b, &address)).not()
    }

    /// What is known of the symbols and functions translated so far.
    pub fn known(&mut self) -> Vec<Bool> {
        let mut known = self.points.clone();
        for (symbol, id) in self.symbols.clone() {
            let info = self.terms.arena().symbol(symbol);
            if info.sort != Sort::W32 {
                continue;
            }
            let (bounds, value) = (info.bounds, self.word(id));
            if bounds.low > 0 {
                known.push(value.bvuge(word(bounds.low)));
            }
            if bounds.high < u32::MAX {
                known.push(value.bvule(word(bounds.high)));
            }
            if bounds.align_log2 > 0 {
                known.push(value.bvand(word((1 << bounds.align_log2) - 1)).eq(word(0)));
            }
        }
        known
    }

    /// The values that a model gives to symbols, functions, and the bytes at addresses used.
    pub fn assignment(&self, model: &z3::Model) -> Assignment {
        let number = |value: &BV| model.eval(value, true).and_then(|value| value.as_u64());
        let mut found = Assignment::default();
        let addresses: Vec<u32> = self.addresses.iter().filter_map(number).map(|at| at as u32).collect();
        for (&symbol, id) in &self.symbols {
            match &self.done[id] {
                Translated::Bool(value) => {
                    let value = model.eval(value, true).and_then(|value| value.as_bool());
                    found.bools.insert(symbol, value.unwrap_or_default());
                }
                Translated::Word(value) => {
                    found.words.insert(symbol, number(value).unwrap_or_default() as u32);
                }
                Translated::Memory(memory) => {
                    for at in addresses.iter().flat_map(|&at| (0..4).map(move |by| at.wrapping_add(by))) {
                        let byte = number(&select(memory, &word(at))).unwrap_or_default();
                        found.bytes.insert((symbol, at), byte as u8);
                    }
                }
            }
        }
        for (function, operands, value) in &self.applications {
            let operands = operands.iter().map(|operand| number(operand).unwrap_or_default() as u32).collect();
            found.applications.insert((*function, operands), number(value).unwrap_or_default() as u32);
        }
        found
    }

    /// The values of operators on floats, at the operands that a model has, where the model has others.
    pub fn violated(&self, model: &z3::Model) -> Vec<Bool> {
        let number = |value: &BV| Some(model.eval(value, true)?.as_u64()? as u32);
        let mut violated = Vec::new();
        for (function, operands, value) in &self.applications {
            let words: Option<Vec<u32>> = operands.iter().map(number).collect();
            let Some(words) = words else { continue };
            let Some(is) = self.terms.arena().float_value(*function, &words) else { continue };
            if number(value) != Some(is) {
                let there: Vec<Bool> = operands.iter().zip(words).map(|(operand, at)| operand.eq(word(at))).collect();
                violated.push(Bool::and(&there).implies(value.eq(word(is))));
            }
        }
        violated
    }

    /// A term of any sort; operands first, so that deep terms need no deep stack.
    fn translated(&mut self, id: Id) -> Translated {
        let mut work = vec![id];
        while let Some(&next) = work.last() {
            if self.done.contains_key(&next) {
                work.pop();
                continue;
            }
            if self.opaque.contains(&next) {
                let value = self.unknown(next);
                self.done.insert(next, value);
                continue;
            }
            let missing: Vec<Id> =
                children(self.terms.node(next)).into_iter().filter(|child| !self.done.contains_key(child)).collect();
            if missing.is_empty() {
                let value = self.one(next);
                self.done.insert(next, value);
                work.pop();
            } else {
                work.extend(missing);
            }
        }
        self.done[&id].clone()
    }

    /// An unknown in place of a term.
    fn unknown(&mut self, id: Id) -> Translated {
        let name = format!("term#{}", id.index());
        match self.terms.arena().sort(id) {
            Sort::Bool => Translated::Bool(Bool::new_const(name)),
            Sort::W32 => {
                let value = BV::new_const(name, 32);
                let range = self.terms.range_of_any(id);
                self.points.push(value.bvuge(word(range.low)));
                self.points.push(value.bvule(word(range.high)));
                self.points.push(value.bvand(word(range.zeros)).eq(word(0)));
                Translated::Word(value)
            }
            Sort::W64 => Translated::Word(BV::new_const(name, 64)),
            Sort::Mem => Translated::Memory(Array::new_const(name, &Z3Sort::bitvector(32), &Z3Sort::bitvector(8))),
        }
    }

    fn word(&mut self, id: Id) -> BV {
        match self.translated(id) {
            Translated::Word(value) => value,
            Translated::Bool(_) | Translated::Memory(_) => {
                unreachable!("sorts are checked when terms are made")
            }
        }
    }

    fn memory(&mut self, id: Id) -> Array {
        match self.translated(id) {
            Translated::Memory(value) => value,
            Translated::Bool(_) | Translated::Word(_) => {
                unreachable!("sorts are checked when terms are made")
            }
        }
    }

    /// A term whose operands are translated.
    fn one(&mut self, id: Id) -> Translated {
        let node = self.terms.node(id).clone();
        match &node {
            Node::Symbol(symbol) => self.symbol(*symbol, id),
            Node::Ite(c, a, b) => self.ite(*c, *a, *b),
            Node::Bool(_)
            | Node::Not(_)
            | Node::And(_)
            | Node::Or(..)
            | Node::Cmp32(..)
            | Node::Cmp64(..)
            | Node::Carry(..)
            | Node::SameMem(..) => Translated::Bool(self.truth(&node)),
            Node::Store(..) | Node::Writes(_) => Translated::Memory(self.stored(&node)),
            Node::Apply(..)
            | Node::Const(_)
            | Node::Un32(..)
            | Node::Bin32(..)
            | Node::Linear(_)
            | Node::Product(_)
            | Node::Bits(_)
            | Node::High(_)
            | Node::Low(_)
            | Node::Load(..)
            | Node::Const64(_)
            | Node::Join(..)
            | Node::Un64(..)
            | Node::Bin64(..) => Translated::Word(self.number(&node)),
        }
    }

    fn symbol(&mut self, symbol: Symbol, id: Id) -> Translated {
        self.symbols.insert(symbol, id);
        let name = self.terms.arena().unique_name(symbol);
        match self.terms.arena().symbol(symbol).sort {
            Sort::Bool => Translated::Bool(Bool::new_const(name)),
            Sort::W32 | Sort::W64 => Translated::Word(BV::new_const(name, 32)),
            Sort::Mem => Translated::Memory(Array::new_const(name, &Z3Sort::bitvector(32), &Z3Sort::bitvector(8))),
        }
    }

    fn ite(&mut self, c: Id, a: Id, b: Id) -> Translated {
        let c = self.bool(c);
        match (self.translated(a), self.translated(b)) {
            (Translated::Bool(a), Translated::Bool(b)) => Translated::Bool(c.ite(&a, &b)),
            (Translated::Word(a), Translated::Word(b)) => Translated::Word(c.ite(&a, &b)),
            (Translated::Memory(a), Translated::Memory(b)) => Translated::Memory(c.ite(&a, &b)),
            _ => unreachable!("sorts are checked when terms are made"),
        }
    }

    fn truth(&mut self, node: &Node) -> Bool {
        match node {
            Node::Bool(value) => Bool::from_bool(*value),
            Node::Not(a) => self.bool(*a).not(),
            Node::And(operands) => {
                let operands: Vec<Bool> = operands.iter().map(|operand| self.bool(*operand)).collect();
                Bool::and(&operands)
            }
            Node::Or(a, b) => Bool::or(&[self.bool(*a), self.bool(*b)]),
            Node::Cmp32(op, a, b) | Node::Cmp64(op, a, b) => {
                let (a, b) = (self.word(*a), self.word(*b));
                match op {
                    Cmp::Eq => a.eq(&b),
                    Cmp::LtU => a.bvult(&b),
                    Cmp::LtS => a.bvslt(&b),
                }
            }
            Node::Carry(a, b, c) => {
                let carry = self.bool(*c).ite(&BV::from_u64(1, 33), &BV::from_u64(0, 33));
                let sum = self.word(*a).zero_ext(1).bvadd(self.word(*b).zero_ext(1)).bvadd(carry);
                sum.extract(32, 32).eq(BV::from_u64(1, 1))
            }
            Node::SameMem(a, b) => self.memory(*a).eq(self.memory(*b)),
            other => unreachable!("not a truth value: {other:?}"),
        }
    }

    fn number(&mut self, node: &Node) -> BV {
        match node {
            Node::Apply(function, operands) => self.apply(*function, operands),
            Node::Const(value) => word(*value),
            Node::Un32(op, a) => unary(*op, &self.word(*a)),
            Node::Bin32(op, a, b) => self.binary(*op, *a, *b),
            Node::Linear(sum) => sum
                .monomials
                .iter()
                .fold(word(sum.constant), |total, (id, factor)| total.bvadd(self.word(*id).bvmul(word(*factor)))),
            Node::Product(operands) => {
                operands.iter().fold(word(1), |product, operand| product.bvmul(self.word(*operand)))
            }
            Node::Bits(bits) => bits.operands.iter().fold(word(bits.constant), |value, operand| match bits.op {
                BitOp::And => value.bvand(self.word(*operand)),
                BitOp::Or => value.bvor(self.word(*operand)),
                BitOp::Xor => value.bvxor(self.word(*operand)),
            }),
            Node::High(a) => self.word(*a).extract(63, 32),
            Node::Low(a) => self.word(*a).extract(31, 0),
            Node::Load(width, memory, address) => self.load(*width, *memory, *address),
            Node::Const64(value) => double(*value),
            Node::Join(high, low) => self.word(*high).concat(self.word(*low)),
            Node::Un64(op, a) => unary64(*op, &self.word(*a)),
            Node::Bin64(op, a, b) => self.binary64(*op, *a, *b),
            other => unreachable!("not a word: {other:?}"),
        }
    }

    fn apply(&mut self, function: Function, operands: &[Id]) -> BV {
        let constant = |id: &Id| match self.terms.node(*id) {
            Node::Const(word) => Some(*word),
            _ => None,
        };
        let words: Option<Vec<u32>> = operands.iter().map(constant).collect();
        if let Some(value) = words.and_then(|words| self.terms.arena().float_value(function, &words)) {
            return word(value);
        }
        let operands: Vec<BV> = operands.iter().map(|operand| self.word(*operand)).collect();
        let name = format!("{}/{}", self.terms.arena().function_name(function), operands.len());
        let value = apply(&name, &operands);
        if let [operand] = &operands[..] {
            for (index, point) in (0_u32..).zip(self.terms.arena().points(function)) {
                let is_there = operand.eq(word(index));
                let is_point = value.eq(self.word(point.raw));
                self.points.push(is_there.implies(&is_point));
            }
        }
        self.applications.push((function, operands, value.clone()));
        value
    }

    /// Whether an operator of these operands is replaced by an unknown function.
    fn is_hard(&self, operands: [&BV; 2]) -> bool {
        let constant = operands.iter().any(|operand| operand.simplify().as_u64().is_some());
        self.how == Abstraction::Uninterpreted && !constant
    }

    fn product(&self, a: &BV, b: &BV) -> BV {
        if self.is_hard([a, b]) { commutative("product", a, b) } else { a.bvmul(b) }
    }

    fn high_product(&self, a: &BV, b: &BV) -> BV {
        if self.is_hard([a, b]) {
            return commutative("high_product", a, b);
        }
        a.zero_ext(32).bvmul(b.zero_ext(32)).extract(63, 32)
    }

    fn binary(&mut self, op: Bin32, a: Id, b: Id) -> BV {
        let (left, right) = (self.word(a), self.word(b));
        let zero = word(0);
        match op {
            Bin32::Add => left.bvadd(right),
            Bin32::Sub => left.bvsub(right),
            Bin32::Mul => self.product(&left, &right),
            Bin32::MulHighU => self.high_product(&left, &right),
            Bin32::MulHighS => {
                let unsigned = self.high_product(&left, &right);
                let by_left = left.bvslt(&zero).ite(&right, &zero);
                let by_right = right.bvslt(&zero).ite(&left, &zero);
                unsigned.bvsub(by_left).bvsub(by_right)
            }
            Bin32::DivU => {
                let hard = self.is_hard([&left, &right]);
                let quotient = if hard { apply("div_u", &[left, right.clone()]) } else { left.bvudiv(&right) };
                right.eq(&zero).ite(&zero, &quotient)
            }
            Bin32::DivS => {
                let hard = self.is_hard([&left, &right]);
                let quotient = if hard { apply("div_s", &[left, right.clone()]) } else { left.bvsdiv(&right) };
                right.eq(&zero).ite(&zero, &quotient)
            }
            Bin32::And => left.bvand(right),
            Bin32::Or => left.bvor(right),
            Bin32::Xor => left.bvxor(right),
            Bin32::Shl => left.bvshl(right),
            Bin32::ShrU => left.bvlshr(right),
            Bin32::ShrS => left.bvashr(right),
            Bin32::RotR => rotated(left, &right, word(31), true),
        }
    }

    fn binary64(&mut self, op: Bin64, a: Id, b: Id) -> BV {
        let (left, right) = (self.word(a), self.word(b));
        let (count, zero) = (right.bvand(double(63)), double(0));
        match op {
            Bin64::Add => left.bvadd(right),
            Bin64::Sub => left.bvsub(right),
            Bin64::Mul => self.product64(&left, &right),
            Bin64::And => left.bvand(right),
            Bin64::Or => left.bvor(right),
            Bin64::Xor => left.bvxor(right),
            Bin64::Shl => left.bvshl(count),
            Bin64::ShrU => left.bvlshr(count),
            Bin64::ShrS => left.bvashr(count),
            Bin64::RotL => rotated(left, &right, double(63), false),
            Bin64::RotR => rotated(left, &right, double(63), true),
            Bin64::DivU => {
                let quotient = self.division64("div_u64", &left, &right, |a, b| a.bvudiv(b));
                right.eq(&zero).ite(&zero, &quotient)
            }
            Bin64::DivS => {
                let quotient = self.division64("div_s64", &left, &right, |a, b| a.bvsdiv(b));
                right.eq(&zero).ite(&zero, &quotient)
            }
            // A remainder by 0 is the dividend in SMT-LIB too.
            Bin64::RemU => self.division64("rem_u64", &left, &right, |a, b| a.bvurem(b)),
            Bin64::RemS => self.division64("rem_s64", &left, &right, |a, b| a.bvsrem(b)),
        }
    }

    fn division64(&self, name: &str, a: &BV, b: &BV, exact: fn(&BV, &BV) -> BV) -> BV {
        if !self.is_hard([a, b]) {
            return exact(a, b);
        }
        let half = |which: &str| apply(&format!("{name}.{which}"), &[a.clone(), b.clone()]);
        half("high").concat(half("low"))
    }

    /// A 64-bit product; abstractly it is made of products of halves, as machine code makes it.
    fn product64(&mut self, a: &BV, b: &BV) -> BV {
        if self.how == Abstraction::Exact {
            return a.bvmul(b);
        }
        let (high_a, low_a) = (a.extract(63, 32), a.extract(31, 0));
        let (high_b, low_b) = (b.extract(63, 32), b.extract(31, 0));
        let crosses = self.product(&high_a, &low_b).bvadd(self.product(&low_a, &high_b));
        self.high_product(&low_a, &low_b).bvadd(crosses).concat(self.product(&low_a, &low_b))
    }

    fn load(&mut self, width: Width, memory: Id, address: Id) -> BV {
        let (memory, address) = (self.memory(memory), self.word(address));
        self.addresses.push(address.clone());
        let mut value = select(&memory, &address);
        for at in 1..width.bytes() {
            value = select(&memory, &address.bvadd(word(at))).concat(&value);
        }
        match width {
            Width::Byte => value.zero_ext(24),
            Width::Half => value.zero_ext(16),
            Width::Word => value,
        }
    }

    fn stored(&mut self, node: &Node) -> Array {
        match node {
            Node::Store(width, memory, address, value) => {
                let (mut memory, address, value) = (self.memory(*memory), self.word(*address), self.word(*value));
                self.addresses.push(address.clone());
                for at in 0..width.bytes() {
                    memory = memory.store(&address.bvadd(word(at)), &value.extract(8 * at + 7, 8 * at));
                }
                memory
            }
            Node::Writes(writes) => {
                let (mut memory, base) = (self.memory(writes.memory), self.word(writes.base));
                for (offset, byte) in writes.bytes.iter() {
                    let address = base.bvadd(word(*offset));
                    let byte = self.word(*byte).extract(7, 0);
                    self.addresses.push(address.clone());
                    memory = memory.store(&address, &byte);
                }
                memory
            }
            other => unreachable!("not a memory: {other:?}"),
        }
    }
}

fn select(memory: &Array, address: &BV) -> BV {
    memory.select(address).as_bv().expect("memories hold bytes")
}

fn apply(name: &str, operands: &[BV]) -> BV {
    let sorts: Vec<Z3Sort> = operands.iter().map(Ast::get_sort).collect();
    let domain: Vec<&Z3Sort> = sorts.iter().collect();
    let operands: Vec<&dyn Ast> = operands.iter().map(|operand| operand as &dyn Ast).collect();
    FuncDecl::new(name, &domain, &Z3Sort::bitvector(32)).apply(&operands).as_bv().expect("functions give words")
}

/// An unknown function that does not depend on the order of its operands.
fn commutative(name: &str, a: &BV, b: &BV) -> BV {
    let ordered = a.bvult(b);
    apply(name, &[ordered.ite(a, b), ordered.ite(b, a)])
}

/// A rotation by so many bits modulo the width, `mask` being the width less 1: SMT-LIB rotates by constants alone.
fn rotated(a: BV, by: &BV, mask: BV, is_right: bool) -> BV {
    let count = by.bvand(&mask);
    let back = by.bvneg().bvand(&mask);
    let (right, left) = if is_right { (count, back) } else { (back, count) };
    a.bvlshr(&right).bvor(a.bvshl(&left))
}

fn unary(op: Un32, a: &BV) -> BV {
    match op {
        Un32::Clz => leading_zeros(a),
        Un32::Rbit => (1..32).fold(a.extract(0, 0), |bits, at| bits.concat(a.extract(at, at))),
        Un32::Rev => (1..4).fold(a.extract(7, 0), |bytes, at| bytes.concat(a.extract(8 * at + 7, 8 * at))),
        Un32::Popcnt => ones(a),
        Un32::Sext8 => a.extract(7, 0).sign_ext(24),
        Un32::Sext16 => a.extract(15, 0).sign_ext(16),
    }
}

/// Leading zeros of 32 bits, by halving.
fn leading_zeros(a: &BV) -> BV {
    let (mut rest, mut count) = (a.clone(), word(0));
    for half in [16u32, 8, 4, 2, 1] {
        let empty = rest.bvlshr(word(32 - half)).eq(word(0));
        count = empty.ite(&count.bvadd(word(half)), &count);
        rest = empty.ite(&rest.bvshl(word(half)), &rest);
    }
    a.eq(word(0)).ite(&word(32), &count)
}

/// One bits of 32, by summing neighbours.
fn ones(a: &BV) -> BV {
    let mut sums = a.clone();
    for (shift, mask) in [(1, 0x5555_5555), (2, 0x3333_3333), (4, 0x0f0f_0f0f), (8, 0x00ff_00ff), (16, 0xffff)] {
        sums = sums.bvand(word(mask)).bvadd(sums.bvlshr(word(shift)).bvand(word(mask)));
    }
    sums
}

fn unary64(op: Un64, a: &BV) -> BV {
    let (high, low, zero) = (a.extract(63, 32), a.extract(31, 0), word(0));
    let count = match op {
        Un64::Clz => high.eq(&zero).ite(&leading_zeros(&low).bvadd(word(32)), &leading_zeros(&high)),
        Un64::Ctz => {
            let (low_first, high_first) = (unary(Un32::Rbit, &low), unary(Un32::Rbit, &high));
            low.eq(&zero).ite(&leading_zeros(&high_first).bvadd(word(32)), &leading_zeros(&low_first))
        }
        Un64::Popcnt => ones(&high).bvadd(ones(&low)),
        Un64::Sext8 => return a.extract(7, 0).sign_ext(56),
        Un64::Sext16 => return a.extract(15, 0).sign_ext(48),
        Un64::Sext32 => return low.sign_ext(32),
    };
    count.zero_ext(32)
}
