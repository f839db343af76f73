//! Removes block parameters that always receive the same value.
//!
//! Ensures: in a reducible graph the parameters that stay are those of minimal SSA form.
//! Source: M. Braun et al., "Simple and Efficient Construction of Static Single Assignment Form",
//! 2013, section 3.1.
//!
//! Equal constants count as the same value. Of two parameters of a block that receive the same
//! values on every edge, one stays.

use std::collections::BTreeMap;

use crate::entity::TypedVec;
use crate::ir::cfg;
use crate::ir::func::{Block, ENTRY, Func, Replacements, Value};
use crate::ir::op::{Op, Type};

/// Removes the redundant parameters of all blocks.
pub fn run(func: &mut Func) {
    let cfg = cfg::run(func);
    let mut edges: TypedVec<Block, Vec<Vec<Value>>> = TypedVec::filled(Vec::new(), func.blocks.len());
    for block in &cfg.rpo {
        for target in func.blocks[*block].terminator.targets() {
            edges[target.block].push(target.args.clone());
        }
    }
    let mut pruner = Pruner { replacements: Replacements::new(func), constants: BTreeMap::new(), func };
    let mut changed = true;
    while changed {
        changed = false;
        for block in cfg.rpo.iter().copied().skip(1) {
            changed |= pruner.block(block, &edges[block]);
        }
    }
    let replacements = pruner.replacements;
    func.replace(&replacements);
    func.retain_params(|param| replacements.resolve(param) == param);
}

struct Pruner<'a> {
    func: &'a mut Func,
    replacements: Replacements,
    /// Constants made in the entry, where they dominate every use.
    constants: BTreeMap<(Type, u64), Value>,
}

impl Pruner<'_> {
    fn block(&mut self, block: Block, edges: &[Vec<Value>]) -> bool {
        let mut changed = false;
        let mut columns = BTreeMap::new();
        for (index, param) in self.func.blocks[block].params.clone().into_iter().enumerate() {
            if self.replacements.resolve(param) != param {
                continue;
            }
            let column: Vec<Value> = edges.iter().map(|args| self.replacements.resolve(args[index])).collect();
            let other = self.same(param, &column).or_else(|| columns.get(&column).copied());
            match other {
                Some(other) => {
                    self.replacements.insert(param, other);
                    changed = true;
                }
                None => {
                    columns.insert(column, param);
                }
            }
        }
        changed
    }

    /// The one value that the parameter receives, if there is one.
    fn same(&mut self, param: Value, column: &[Value]) -> Option<Value> {
        let mut received = column.iter().copied().filter(|arg| *arg != param);
        let first = received.next()?;
        let rest: Vec<Value> = received.filter(|arg| *arg != first).collect();
        if rest.is_empty() {
            return Some(first);
        }
        let bits = self.func.constant(first)?;
        let is_equal = rest.iter().all(|arg| self.func.constant(*arg) == Some(bits));
        is_equal.then(|| self.constant(self.func.values[first].ty, bits))
    }

    fn constant(&mut self, ty: Type, bits: u64) -> Value {
        if let Some(known) = self.constants.get(&(ty, bits)) {
            return *known;
        }
        let offset = self.func.blocks[ENTRY].source.map_or(0, |place| place.offset);
        let inst = self.func.make(Op::constant(ty, bits), vec![], offset);
        self.func.blocks[ENTRY].insts.insert(0, inst);
        let value = self.func.insts[inst].result.expect("a constant has a result");
        self.constants.insert((ty, bits), value);
        value
    }
}
