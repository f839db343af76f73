//! Which bank of registers each value lives in.
//!
//! Ensures: what the floating-point unit makes lives in its registers, what the core makes in the core's. What
//! neither makes, a block's parameter or a change of sign, lives where most of its uses want it.
//!
//! A value that is also wanted in the other bank is copied there once, right behind its definition.

use super::float;
use crate::entity::TypedVec;
use crate::ir;
use crate::ir::{Op, Passed, Value};
use crate::target::{FloatUnit, Isa};
use crate::vcode::abi::{self, ArgPlace, Results};
use crate::vcode::float::{FloatOp, Format};
use crate::vcode::reg::Bank;

/// The bank of each value.
pub(super) fn run(func: &ir::Func, order: &[ir::Block], unit: FloatUnit) -> TypedVec<Value, Bank> {
    let count = func.values.len();
    let mut banks = Banks {
        func,
        unit,
        homes: TypedVec::filled(Bank::Core, count),
        scores: TypedVec::filled(0, count),
        open: Vec::new(),
        links: Vec::new(),
    };
    if unit != FloatUnit::None {
        banks.entry();
        for &block in order {
            banks.block(block);
        }
        banks.settle();
    }
    banks.homes
}

struct Banks<'a> {
    func: &'a ir::Func,
    unit: FloatUnit,
    homes: TypedVec<Value, Bank>,
    /// Uses that want the unit's registers, less those that want the core's.
    scores: TypedVec<Value, i32>,
    /// The values whose bank is open.
    open: Vec<Value>,
    /// Values that become others: the one is best where the other is.
    links: Vec<(Value, Value)>,
}

impl Banks<'_> {
    fn entry(&mut self) {
        let places = abi::arguments(&self.func.signature, self.unit).places;
        for (&param, place) in self.func.blocks[ir::ENTRY].params.iter().zip(places) {
            if matches!(place, ArgPlace::Single(..) | ArgPlace::Whole(_)) {
                self.homes[param] = Bank::Float;
            }
        }
    }

    fn block(&mut self, block: ir::Block) {
        let data = &self.func.blocks[block];
        if block != ir::ENTRY {
            self.open.extend(&data.params);
        }
        for &inst in data.insts.iter().filter(|&&inst| self.func.is_lowered(inst)) {
            self.inst(&self.func.insts[inst]);
        }
        match &data.terminator {
            ir::Terminator::Return(values) => {
                let wants = if self.are_in_unit(&self.func.signature.results) { 1 } else { -1 };
                values.iter().for_each(|&value| self.scores[value] += wants);
            }
            ir::Terminator::ReturnCall { callee, signature, args } => {
                let skipped = usize::from(matches!(callee, ir::Callee::Code));
                self.arguments(*signature, &args[skipped..]);
            }
            ir::Terminator::Jump(_)
            | ir::Terminator::BranchIf { .. }
            | ir::Terminator::BrTable { .. }
            | ir::Terminator::Trap(_) => {}
        }
        for target in data.terminator.targets() {
            let params = &self.func.blocks[target.block].params;
            self.links.extend(target.args.iter().copied().zip(params.iter().copied()));
        }
    }

    fn inst(&mut self, inst: &ir::InstData) {
        let wants = match inst.op {
            Op::TrapIf(_) => 0,
            op if self.is_said_by_comparisons(op) => 1,
            op if op.is_helped(Isa::V7M, self.unit) => -1,
            op => match (float::arithmetic(op), float::to_integer(op).is_some() || float::comparison(op).is_some()) {
                (Some((op, _)), _) => {
                    if let Some(result) = inst.result {
                        self.homes[result] = Bank::Float;
                    }
                    if matches!(op, FloatOp::FromSigned | FloatOp::FromUnsigned) { -1 } else { 1 }
                }
                (None, true) => 1,
                (None, false) => -1,
            },
        };
        match (inst.op, inst.result) {
            (Op::Call { signature, .. }, result) => {
                self.arguments(signature, &inst.args);
                self.call_result(signature, result);
            }
            (Op::CallCode { signature }, result) => {
                self.arguments(signature, &inst.args[1..]);
                self.call_result(signature, result);
            }
            (Op::CallResult { signature, .. }, result) => self.call_result(signature, result),
            (_, Some(result)) if float::sign_change(self.func, inst, self.unit).is_some() => {
                self.open.push(result);
                self.links.push((inst.args[0], result));
            }
            _ => inst.args.iter().for_each(|&arg| self.scores[arg] += wants),
        }
    }

    /// Whether an operator asks whether a float fits an integer, which traps then ask by comparisons.
    fn is_said_by_comparisons(&self, op: Op) -> bool {
        let compares = |format| match format {
            Format::F32 => !Op::LtF32.is_helped(Isa::V7M, self.unit),
            Format::F64 => !Op::LtF64.is_helped(Isa::V7M, self.unit),
        };
        float::limits(op).is_some_and(|(.., format)| compares(format))
    }

    fn passed(&mut self, value: Value, passed: Passed) {
        self.scores[value] += if matches!(passed, Passed::F32 | Passed::F64) { 1 } else { -1 };
    }

    fn arguments(&mut self, signature: ir::Sig, args: &[Value]) {
        let params = &self.func.signatures[signature].params;
        for (&arg, &passed) in args.iter().zip(params) {
            self.passed(arg, passed);
        }
    }

    fn call_result(&mut self, signature: ir::Sig, result: Option<Value>) {
        if let Some(result) = result.filter(|_| self.are_in_unit(&self.func.signatures[signature].results)) {
            self.homes[result] = Bank::Float;
        }
    }

    /// Whether results are returned in registers of the unit.
    fn are_in_unit(&self, results: &[Passed]) -> bool {
        matches!(abi::results(results, self.unit), Results::Float(_))
    }

    /// Moves values to the unit for as long as their uses and what they are linked with want it.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for index in 0..self.open.len() {
                let value = self.open[index];
                if self.homes[value] == Bank::Core && self.wants_unit(value) {
                    self.homes[value] = Bank::Float;
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn wants_unit(&self, value: Value) -> bool {
        let in_unit = |value: Value| self.homes[value] == Bank::Float;
        let onward = self.links.iter().filter(|&&(from, to)| from == value && in_unit(to)).count();
        let comes_from_unit = self.links.iter().any(|&(from, to)| to == value && in_unit(from));
        let score = i64::from(self.scores[value]) + onward as i64;
        score > 0 || score == 0 && comes_from_unit
    }
}
