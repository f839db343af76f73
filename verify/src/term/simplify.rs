//! Building a term again where facts hold.
//!
//! Ensures: the result is equal to the term in every state that satisfies the facts. Conditions that
//! the facts decide are gone, words that can have one value are constants, equations assumed are used
//! from the youngest atom to older ones, and ranges under the facts open the way for more rules.

use super::Terms;
use super::facts::Facts;
use super::node::{Id, Linear, Node, Writes, children};

impl Facts {
    /// The normal term rebuilt under the facts.
    pub(super) fn simplified(&self, terms: &mut Terms, id: Id) -> Id {
        if self.literals().is_empty() {
            return id;
        }
        let outer = terms.set_facts(Some(self.clone()));
        self.rebuild(terms, id);
        terms.set_facts(outer);
        self.done(id).expect("it was rebuilt")
    }

    fn done(&self, id: Id) -> Option<Id> {
        self.inner.simplified.get(id)
    }

    /// Rebuilds operands first, without recursion, as terms may be deep.
    fn rebuild(&self, terms: &mut Terms, id: Id) {
        let mut work = vec![id];
        while let Some(&next) = work.last() {
            if self.done(next).is_some() {
                work.pop();
                continue;
            }
            // An equation leads to older atoms only, so this ends.
            let needed = match self.inner.solved.get(&next) {
                Some(value) => vec![*value],
                None => children(terms.node(next)),
            };
            let missing: Vec<Id> = needed.into_iter().filter(|child| self.done(*child).is_none()).collect();
            if missing.is_empty() {
                let new = self.one(terms, next);
                self.inner.simplified.insert(next, new);
                work.pop();
            } else {
                work.extend(missing);
            }
        }
    }

    /// A term whose operands are rebuilt.
    fn one(&self, terms: &mut Terms, id: Id) -> Id {
        let done = |id: Id| self.done(id).expect("operands come first");
        if let Some(value) = self.inner.solved.get(&id) {
            return done(*value);
        }
        let new = match terms.node(id).clone() {
            node @ (Node::Symbol(_) | Node::Bool(_) | Node::Const(_) | Node::Const64(_)) => terms.build(node),
            Node::Apply(function, operands) => {
                terms.build(Node::Apply(function, operands.iter().map(|id| done(*id)).collect()))
            }
            Node::Ite(c, a, b) => terms.build(Node::Ite(done(c), done(a), done(b))),
            Node::Not(a) => terms.build(Node::Not(done(a))),
            Node::And(parts) => terms.build(Node::And(parts.iter().map(|id| done(*id)).collect())),
            Node::Or(a, b) => terms.build(Node::Or(done(a), done(b))),
            Node::Cmp32(op, a, b) => terms.build(Node::Cmp32(op, done(a), done(b))),
            Node::Cmp64(op, a, b) => terms.build(Node::Cmp64(op, done(a), done(b))),
            Node::Carry(a, b, c) => terms.build(Node::Carry(done(a), done(b), done(c))),
            Node::SameMem(a, b) => terms.build(Node::SameMem(done(a), done(b))),
            Node::Un32(op, a) => terms.build(Node::Un32(op, done(a))),
            Node::Bin32(op, a, b) => terms.build(Node::Bin32(op, done(a), done(b))),
            Node::Linear(Linear { monomials, constant }) => {
                let parts: Vec<(Id, u32)> = monomials.iter().map(|(id, factor)| (done(*id), *factor)).collect();
                terms.sum(&parts, constant)
            }
            Node::Product(operands) => {
                let operands: Vec<Id> = operands.iter().map(|id| done(*id)).collect();
                terms.multiply(&operands)
            }
            Node::Bits(bits) => {
                let operands: Vec<Id> = bits.operands.iter().map(|id| done(*id)).collect();
                terms.bits(bits.op, &operands, bits.constant)
            }
            Node::High(a) => terms.build(Node::High(done(a))),
            Node::Low(a) => terms.build(Node::Low(done(a))),
            Node::Load(width, memory, address) => terms.build(Node::Load(width, done(memory), done(address))),
            Node::Join(high, low) => terms.build(Node::Join(done(high), done(low))),
            Node::Un64(op, a) => terms.build(Node::Un64(op, done(a))),
            Node::Bin64(op, a, b) => terms.build(Node::Bin64(op, done(a), done(b))),
            Node::Store(width, memory, address, value) => {
                terms.build(Node::Store(width, done(memory), done(address), done(value)))
            }
            Node::Writes(Writes { memory, base, bytes }) => {
                let bytes: Vec<(u32, Id)> = bytes.iter().map(|(offset, byte)| (*offset, done(*byte))).collect();
                terms.write_bytes(done(memory), done(base), &bytes)
            }
        };
        match self.known(terms, new) {
            Some(value) => terms.truth(value),
            None => terms.under_facts(new),
        }
    }
}
