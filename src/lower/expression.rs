//! Words and frames as expressions over SSA values, for the hints.
//!
//! Ensures: registers and frames name SSA values; what a value is made of is said once, by its definition.

use std::collections::{BTreeMap, BTreeSet};

use synth_verify::hints::{Base, Bin32, Bin64, Cmp, Float, Sort, Un32, Un64};

use super::Lower;
use crate::ir;
use crate::ir::dom::Dominators;
use crate::ir::op::{Access, Effect};
use crate::ir::{Op, Type, Value};
use crate::vcode::entity::Value as Named;
use crate::vcode::func::{Born, FrameValue, Head, ValueInfo};

/// Bits 31:0 of an expression.
fn low(expression: FrameValue) -> FrameValue {
    match expression {
        FrameValue::Join(_, low) => *low,
        FrameValue::Const64(bits) => FrameValue::Const32(bits as u32),
        other => FrameValue::Low(Box::new(other)),
    }
}

fn un32(op: Un32, a: FrameValue) -> FrameValue {
    FrameValue::Un32(op, Box::new(a))
}

fn bin32(op: Bin32, a: FrameValue, b: FrameValue) -> FrameValue {
    FrameValue::Bin32(op, Box::new(a), Box::new(b))
}

fn word(bits: u32) -> FrameValue {
    FrameValue::Const32(bits)
}

fn ite32(c: FrameValue, a: FrameValue, b: FrameValue) -> FrameValue {
    FrameValue::Ite32(Box::new(c), Box::new(a), Box::new(b))
}

fn is_not(condition: FrameValue) -> FrameValue {
    ite32(condition, word(0), word(1))
}

impl Lower<'_> {
    /// A value by its name.
    fn expression(&mut self, value: Value) -> FrameValue {
        FrameValue::Value(self.name(value))
    }

    /// The name of a value for the hints, which say what it is.
    pub(super) fn name(&mut self, value: Value) -> Named {
        let data = &self.ir.values[value];
        let sort = match data.ty {
            Type::I32 => Sort::W32,
            Type::I64 => Sort::W64,
        };
        let made_at = data.made_at;
        if !self.out.values.contains_key(&Named(value.0)) {
            let is_read_through = self.transparent[value];
            let home = self.blocks[self.usage[value].home];
            let born = match data.def {
                ir::Def::Param(_) => Born::AtHead(home),
                ir::Def::Inst(_) => Born::Inside(home),
            };
            let info = ValueInfo { sort, made_at, definition: None, range: self.range(value), born, is_read_through };
            self.out.values.insert(Named(value.0), info);
            self.undefined.push(value);
        }
        Named(value.0)
    }

    /// What the operator that makes a value leaves open, where `opt` relies on it.
    fn range(&self, value: Value) -> Option<FrameValue> {
        let inst = self.ir.definition(value)?;
        let it = || FrameValue::Value(Named(value.0));
        let masked = |mask: u32| match mask.checked_add(1).filter(|end| end.is_power_of_two()) {
            Some(end) => compare32(Cmp::LtU, it(), word(end)),
            None => compare32(Cmp::Eq, bin32(Bin32::And, it(), word(mask)), it()),
        };
        let second = inst.args.get(1).and_then(|&arg| self.ir.constant(arg));
        match (inst.op, second) {
            (Op::And32, Some(mask)) if mask as u32 != u32::MAX => Some(masked(mask as u32)),
            (Op::ShrU32, Some(count)) if count % 32 != 0 => Some(masked(u32::MAX >> (count % 32))),
            (Op::Load { access, .. }, _) => match access {
                Access::U8 => Some(masked(0xff)),
                Access::U16 => Some(masked(0xffff)),
                Access::S8 => Some(compare32(Cmp::Eq, un32(Un32::Sext8, it()), it())),
                Access::S16 => Some(compare32(Cmp::Eq, un32(Un32::Sext16, it()), it())),
                _ => None,
            },
            (Op::Extend8S32, _) => Some(compare32(Cmp::Eq, un32(Un32::Sext8, it()), it())),
            (Op::Extend16S32, _) => Some(compare32(Cmp::Eq, un32(Un32::Sext16, it()), it())),
            (
                Op::Eq32
                | Op::Ne32
                | Op::LtU32
                | Op::LtS32
                | Op::LeU32
                | Op::LeS32
                | Op::Eq64
                | Op::Ne64
                | Op::LtU64
                | Op::LtS64
                | Op::LeU64
                | Op::LeS64,
                _,
            ) => Some(masked(1)),
            _ => None,
        }
    }

    /// Says of every value that the hints mention what it is made of. Definitions mention values
    /// in turn; however long a chain of them is, no call nests deeper than one expression.
    pub(super) fn define_values(&mut self) {
        while let Some(value) = self.undefined.pop() {
            let definition = self.definition(value);
            if let Some(info) = self.out.values.get_mut(&Named(value.0)) {
                info.definition = definition;
            }
        }
    }

    /// What an operator that reads nothing that changes makes a value of.
    fn definition(&mut self, value: Value) -> Option<FrameValue> {
        let inst = self.ir.definition(value)?;
        if !matches!(inst.op.effect(), Effect::Pure | Effect::Guarded) {
            return None;
        }
        if is_unsaid(inst.op) {
            return None;
        }
        let args = inst.args.iter().map(|&arg| self.expression(arg)).collect();
        Some(match inst.op {
            Op::FunctionRef(function) => {
                bin32(Bin32::Add, FrameValue::Base(Base::Functions), word(self.module.descriptor(function)))
            }
            op => operation(op, args),
        })
    }

    /// What the checks on every way to a block have left over: for each index that is compared with
    /// constants the smallest limit, and every other condition that did not hold.
    fn passed_checks(&mut self, block: ir::Block, dominators: &Dominators) -> Vec<FrameValue> {
        let mut limits: BTreeMap<Value, u32> = BTreeMap::new();
        let mut others: BTreeSet<Value> = BTreeSet::new();
        let mut above = dominators.idom(block);
        while let Some(earlier) = above {
            for &inst in &self.ir.blocks[earlier].insts {
                let inst = &self.ir.insts[inst];
                let (Op::TrapIf(_), &[condition]) = (inst.op, &inst.args[..]) else { continue };
                match self.ir.definition(condition).map(|check| (check.op, &check.args[..])) {
                    Some((Op::LtU32, &[limit, index])) if self.ir.constant(limit).is_some() => {
                        let limit = self.ir.constant(limit).map_or(u32::MAX, |limit| limit as u32);
                        let least = limits.entry(index).or_insert(u32::MAX);
                        *least = limit.min(*least);
                    }
                    _ => _ = others.insert(condition),
                }
            }
            above = dominators.idom(earlier).filter(|&next| next != earlier);
        }
        let is_false = |condition| FrameValue::Cmp32(Cmp::Eq, Box::new(condition), Box::new(word(0)));
        let mut passed = Vec::new();
        for (index, limit) in limits {
            let index = Box::new(self.expression(index));
            passed.push(is_false(FrameValue::Cmp32(Cmp::LtU, Box::new(word(limit)), index)));
        }
        for condition in others {
            passed.push(is_false(self.expression(condition)));
        }
        passed
    }

    /// Says at a block's head which Wasm state stands there.
    pub(super) fn make_head(&mut self, block: ir::Block, dominators: &Dominators) {
        let data = &self.ir.blocks[block];
        let Some(place) = data.source else { return };
        let mut slots = |slots: &[Option<Value>]| -> Vec<Option<FrameValue>> {
            let expression = |slot: &Option<Value>| slot.map(|value| self.expression(value));
            slots.iter().map(expression).collect()
        };
        let locals = slots(&data.frame.locals);
        let stack = slots(&data.frame.stack);
        let facts = self.passed_checks(block, dominators);
        let block = self.blocks[block];
        self.out.blocks[block].head = Head { source: vec![(place.function, place.offset)], locals, stack, facts };
    }
}

/// The expression of a pure operator.
/// Whether the hints have no word for an operator: its results are unknowns.
fn is_unsaid(op: Op) -> bool {
    matches!(op, Op::Add128High | Op::Sub128High | Op::MulHighS64 | Op::MulHighU64)
}

fn operation(op: Op, args: Vec<FrameValue>) -> FrameValue {
    let mut args = args.into_iter();
    let mut next = || args.next().expect("an operand for each place of the table");
    match op {
        Op::Const32(bits) => FrameValue::Const32(bits),
        Op::Const64(bits) => FrameValue::Const64(bits),
        Op::MemoryBase(memory) => FrameValue::Base(Base::Memory(memory.0)),
        Op::Add32 => bin32(Bin32::Add, next(), next()),
        Op::Sub32 => bin32(Bin32::Sub, next(), next()),
        Op::Mul32 => bin32(Bin32::Mul, next(), next()),
        Op::DivU32 => bin32(Bin32::DivU, next(), next()),
        Op::DivS32 => bin32(Bin32::DivS, next(), next()),
        Op::RemU32 => remainder(Bin32::DivU, next(), next()),
        Op::RemS32 => remainder(Bin32::DivS, next(), next()),
        Op::And32 => bin32(Bin32::And, next(), next()),
        Op::Or32 => bin32(Bin32::Or, next(), next()),
        Op::Xor32 => bin32(Bin32::Xor, next(), next()),
        Op::Shl32 => shift32(Bin32::Shl, next(), next()),
        Op::ShrU32 => shift32(Bin32::ShrU, next(), next()),
        Op::ShrS32 => shift32(Bin32::ShrS, next(), next()),
        Op::RotL32 => {
            let (a, b) = (next(), next());
            bin32(Bin32::RotR, a, bin32(Bin32::Sub, word(0), b))
        }
        Op::RotR32 => bin32(Bin32::RotR, next(), next()),
        Op::Clz32 => un32(Un32::Clz, next()),
        Op::Ctz32 => un32(Un32::Clz, un32(Un32::Rbit, next())),
        Op::Popcnt32 => un32(Un32::Popcnt, next()),
        Op::Extend8S32 => un32(Un32::Sext8, next()),
        Op::Extend16S32 => un32(Un32::Sext16, next()),
        Op::Eq32 => compare32(Cmp::Eq, next(), next()),
        Op::Ne32 => is_not(compare32(Cmp::Eq, next(), next())),
        Op::LtU32 => compare32(Cmp::LtU, next(), next()),
        Op::LtS32 => compare32(Cmp::LtS, next(), next()),
        Op::LeU32 => not_swapped(compare32, Cmp::LtU, next(), next()),
        Op::LeS32 => not_swapped(compare32, Cmp::LtS, next(), next()),
        Op::Select32 => ite32(next(), next(), next()),
        Op::Add64 => bin64(Bin64::Add, next(), next()),
        Op::Sub64 => bin64(Bin64::Sub, next(), next()),
        Op::Mul64 => bin64(Bin64::Mul, next(), next()),
        Op::DivU64 => bin64(Bin64::DivU, next(), next()),
        Op::DivS64 => bin64(Bin64::DivS, next(), next()),
        Op::RemU64 => bin64(Bin64::RemU, next(), next()),
        Op::RemS64 => bin64(Bin64::RemS, next(), next()),
        Op::And64 => bin64(Bin64::And, next(), next()),
        Op::Or64 => bin64(Bin64::Or, next(), next()),
        Op::Xor64 => bin64(Bin64::Xor, next(), next()),
        Op::Shl64 => bin64(Bin64::Shl, next(), next()),
        Op::ShrU64 => bin64(Bin64::ShrU, next(), next()),
        Op::ShrS64 => bin64(Bin64::ShrS, next(), next()),
        Op::RotL64 => bin64(Bin64::RotL, next(), next()),
        Op::RotR64 => bin64(Bin64::RotR, next(), next()),
        Op::Clz64 => un64(Un64::Clz, next()),
        Op::Ctz64 => un64(Un64::Ctz, next()),
        Op::Popcnt64 => un64(Un64::Popcnt, next()),
        Op::Extend8S64 => un64(Un64::Sext8, next()),
        Op::Extend16S64 => un64(Un64::Sext16, next()),
        Op::Extend32S64 => sign_extended(low(next())),
        Op::Eq64 => compare64(Cmp::Eq, next(), next()),
        Op::Ne64 => is_not(compare64(Cmp::Eq, next(), next())),
        Op::LtU64 => compare64(Cmp::LtU, next(), next()),
        Op::LtS64 => compare64(Cmp::LtS, next(), next()),
        Op::LeU64 => not_swapped(compare64, Cmp::LtU, next(), next()),
        Op::LeS64 => not_swapped(compare64, Cmp::LtS, next(), next()),
        Op::Select64 => {
            let (c, a, b) = (next(), next(), next());
            FrameValue::Ite64(Box::new(c), Box::new(a), Box::new(b))
        }
        Op::Wrap => low(next()),
        Op::ExtendU => FrameValue::Join(Box::new(word(0)), Box::new(next())),
        Op::ExtendS => sign_extended(next()),
        Op::TableEntry(table) => FrameValue::TableEntry(table.0, Box::new(next())),
        Op::ReferenceType => FrameValue::ReferenceType(Box::new(next())),
        Op::ReferenceCode => FrameValue::ReferenceCode(Box::new(next())),
        Op::MemoryBytes(_)
        | Op::SetMemoryBytes(_)
        | Op::Load { .. }
        | Op::Store { .. }
        | Op::GlobalGet(..)
        | Op::GlobalSet(..)
        | Op::FunctionRef(_)
        | Op::TableGet(_)
        | Op::TableSet(_)
        | Op::TableSize(_)
        | Op::SetTableSize(_)
        | Op::Call { .. }
        | Op::CallCode { .. }
        | Op::CallResult { .. }
        | Op::Add128High
        | Op::Sub128High
        | Op::MulHighS64
        | Op::MulHighU64
        | Op::TrapIf(_) => unreachable!("the operator has no definition, or one that the module gives"),
        float => float_operation(float, args.collect()),
    }
}

/// The expression of an operator on floats. Both halves name it as the text format does.
fn float_operation(op: Op, args: Vec<FrameValue>) -> FrameValue {
    let name = op.plain().map(|(name, ..)| name);
    let float = Float::all().into_iter().find(|float| Some(float.name().as_str()) == name);
    let float = float.expect("what is left in the table are operators on floats");
    let mut args = args.into_iter().map(Box::new);
    match (args.next(), args.next()) {
        (Some(a), Some(b)) => FrameValue::Float2(float, a, b),
        (Some(a), None) => FrameValue::Float1(float, a),
        (None, _) => unreachable!("every operator has an operand"),
    }
}

fn un64(op: Un64, a: FrameValue) -> FrameValue {
    FrameValue::Un64(op, Box::new(a))
}

fn bin64(op: Bin64, a: FrameValue, b: FrameValue) -> FrameValue {
    FrameValue::Bin64(op, Box::new(a), Box::new(b))
}

fn compare32(op: Cmp, a: FrameValue, b: FrameValue) -> FrameValue {
    FrameValue::Cmp32(op, Box::new(a), Box::new(b))
}

fn compare64(op: Cmp, a: FrameValue, b: FrameValue) -> FrameValue {
    FrameValue::Cmp64(op, Box::new(a), Box::new(b))
}

/// a <= b is not b < a.
fn not_swapped(
    compare: impl Fn(Cmp, FrameValue, FrameValue) -> FrameValue,
    op: Cmp,
    a: FrameValue,
    b: FrameValue,
) -> FrameValue {
    is_not(compare(op, b, a))
}

/// a - (a / b) * b.
fn remainder(divide: Bin32, a: FrameValue, b: FrameValue) -> FrameValue {
    let quotient = bin32(divide, a.clone(), b.clone());
    bin32(Bin32::Sub, a, bin32(Bin32::Mul, quotient, b))
}

fn shift32(op: Bin32, a: FrameValue, count: FrameValue) -> FrameValue {
    bin32(op, a, bin32(Bin32::And, count, word(31)))
}

fn sign_extended(a: FrameValue) -> FrameValue {
    let sign = bin32(Bin32::ShrS, a.clone(), word(31));
    FrameValue::Join(Box::new(sign), Box::new(a))
}
