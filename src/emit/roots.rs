//! Which SSA values the hints leave unknown, and which cuts have to carry them.
//!
//! Ensures: every value is either a *root*, an unknown of the relation, or said by its definition
//! over roots, and is the same at every cut. A root that some cut mentions is among the unknowns of
//! every cut between the place where it comes to be and that cut, so the validator can hand its
//! value on from cut to cut, whether or not Wasm or the machine still hold it.
//!
//! Roots are what no pure operator makes (parameters, loads, results of calls), and values whose
//! definition is too large to be worth saying in full. Only a value that Wasm shows where it comes to
//! be can be handed on from there; the others are *lost* as roots.

use std::collections::{BTreeMap, BTreeSet};

use synth_verify::hints::Shown;

use crate::vcode::Func;
use crate::vcode::entity::{Block, TypedVec, Value};
use crate::vcode::func::{Born, FrameValue, ValueInfo};

/// Operators that a definition may consist of; above that, the value is a root if it can be.
const WEIGHT_MAX: u32 = 12;

/// What is known of every value.
pub struct Roots<'a> {
    func: &'a Func,
    said: BTreeMap<Value, Said>,
}

/// How a value is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// As an unknown that the validator finds.
    Root,
    /// As an unknown that only a machine location or a Wasm slot can tell.
    Lost,
    /// By its definition, which consists of this many operators.
    Defined(u32),
}

impl<'a> Roots<'a> {
    /// Decides for every value of a function.
    pub fn new(func: &'a Func) -> Roots<'a> {
        let mut roots = Roots { func, said: BTreeMap::new() };
        for &value in func.values.keys() {
            roots.decide(value);
        }
        roots
    }

    /// Operands first, without recursion, as definitions may be deep.
    fn decide(&mut self, value: Value) {
        let mut work = vec![value];
        while let Some(&next) = work.last() {
            let operands = self.func.values.get(&next).and_then(|info| info.definition.as_ref());
            let operands = operands.map(FrameValue::values).unwrap_or_default();
            let open: Vec<Value> = operands.into_iter().filter(|operand| !self.said.contains_key(operand)).collect();
            if open.is_empty() || self.said.contains_key(&next) {
                let said = self.one(next);
                self.said.insert(next, said);
                work.pop();
            } else {
                work.extend(open);
            }
        }
    }

    fn one(&self, value: Value) -> Said {
        let Some(info) = self.func.values.get(&value) else { return Said::Lost };
        let as_root = if self.shown(value) == Shown::Nowhere { Said::Lost } else { Said::Root };
        let Some(definition) = &info.definition else { return as_root };
        let mut weight = definition.operators();
        for operand in definition.values() {
            match self.said.get(&operand) {
                Some(Said::Root) => {}
                Some(Said::Defined(more)) => weight = weight.saturating_add(*more),
                Some(Said::Lost) | None => return as_root,
            }
        }
        match as_root {
            Said::Root if weight > WEIGHT_MAX && !info.is_read_through => Said::Root,
            _ => Said::Defined(weight),
        }
    }

    /// The definition by which a value is said, unless it is an unknown.
    pub fn definition(&self, value: Value) -> Option<&'a FrameValue> {
        match self.said.get(&value)? {
            Said::Root | Said::Lost => None,
            Said::Defined(_) => self.func.values.get(&value)?.definition.as_ref(),
        }
    }

    /// Where Wasm shows an unknown: as a result, or in a slot at the head that it is a parameter of.
    pub fn shown(&self, root: Value) -> Shown {
        match self.func.values.get(&root).map(|info| (info.made_at, info.born)) {
            None | Some((None, Born::Inside(_))) => Shown::Nowhere,
            Some((Some(made), _)) => Shown::Result(made.offset, made.above),
            Some((None, Born::AtHead(block))) => {
                let head = &self.func.blocks[block].head;
                let Some(&(_, at)) = head.source.last() else { return Shown::Nowhere };
                let is_root = |slot: &Option<FrameValue>| *slot == Some(FrameValue::Value(root));
                let position = |slots: &[Option<FrameValue>]| slots.iter().position(is_root);
                match (position(&head.locals), position(&head.stack)) {
                    (Some(local), _) => Shown::Local(at, local as u32),
                    (None, Some(slot)) => Shown::Stack(at, slot as u32),
                    (None, None) => Shown::Nowhere,
                }
            }
        }
    }

    /// What is known of an unknown.
    pub fn info(&self, root: Value) -> Option<&'a ValueInfo> {
        self.func.values.get(&root)
    }

    /// The unknowns that an expression is said in.
    pub fn of(&self, expression: &FrameValue) -> BTreeSet<Value> {
        let mut seen = BTreeSet::new();
        let mut roots = BTreeSet::new();
        let mut work = expression.values();
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            match self.definition(value) {
                Some(definition) => work.extend(definition.values()),
                None => _ = roots.insert(value),
            }
        }
        roots
    }

    /// Whether the validator finds out every unknown of an expression, wherever it stands.
    pub fn are_found(&self, expression: &FrameValue) -> bool {
        self.of(expression).iter().all(|root| self.is_found(*root))
    }

    /// Whether the validator finds out an unknown, wherever a cut stands.
    pub fn is_found(&self, root: Value) -> bool {
        self.said.get(&root) == Some(&Said::Root)
    }

    /// For each block, the unknowns to carry at its head, from those that each cut mentions.
    pub fn carried(&self, mentioned: &BTreeMap<Block, BTreeSet<Value>>) -> TypedVec<Block, BTreeSet<Value>> {
        let mut predecessors: TypedVec<Block, Vec<Block>> = TypedVec::filled(Vec::new(), self.func.blocks.len());
        for (block, data) in self.func.blocks.iter() {
            for edge in data.terminator.edges() {
                predecessors[edge.block].push(block);
            }
        }
        let mut carried: TypedVec<Block, BTreeSet<Value>> = TypedVec::filled(BTreeSet::new(), self.func.blocks.len());
        let mut work: Vec<(Block, Value)> = Vec::new();
        for (block, values) in mentioned {
            work.extend(values.iter().map(|value| (*block, *value)));
        }
        while let Some((block, value)) = work.pop() {
            let born = self.info(value).map(|info| info.born);
            if born == Some(Born::Inside(block)) || !carried[block].insert(value) || born == Some(Born::AtHead(block)) {
                continue;
            }
            work.extend(predecessors[block].iter().map(|earlier| (*earlier, value)));
        }
        carried
    }
}
