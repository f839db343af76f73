//! Well-formedness of a function. Run between passes in tests, in debug builds and while fuzzing.
//!
//! Checked of every reachable block: operators have their operands' and results' types; edges hand
//! over what parameters take; a definition dominates its uses, frames included; a block with a
//! place has a frame, a block without one has one predecessor; lowered code uses lowered values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::cfg::{self, Cfg};
use super::dom::{self, Dominators};
use super::func::{Block, Callee, Def, ENTRY, Func, Inst, Liveness, Target, Terminator, Value};
use super::op::{Access, Effect, Op, Type};

/// The first rule that a function breaks, with the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Checked = Result<(), Violation>;

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation(message())) }
}

/// Checks a function.
pub fn run(func: &Func) -> Checked {
    ensure(!func.blocks.is_empty(), || "there is no entry".into())?;
    for (block, data) in func.blocks.iter() {
        for target in data.terminator.targets() {
            ensure(target.block.0 < func.blocks.len() as u32, || format!("{block}: no {}", target.block))?;
        }
    }
    let cfg = cfg::run(func);
    let dominators = dom::run(&cfg);
    let mut checker = Checker { func, cfg: &cfg, dominators, placed: BTreeSet::new(), defined: BTreeMap::new() };
    ensure(cfg.preds[ENTRY].is_empty(), || "something leads to the entry".into())?;
    checker.types_of(&func.blocks[ENTRY].params, &func.signature.param_types(), "entry parameters")?;
    // In dominator order, so that what dominates has been seen.
    cfg.rpo.iter().try_for_each(|block| checker.block(*block))
}

struct Checker<'a> {
    func: &'a Func,
    cfg: &'a Cfg,
    dominators: Dominators,
    /// The block that defines each value whose definition has been passed.
    defined: BTreeMap<Value, Block>,
    placed: BTreeSet<Inst>,
}

impl Checker<'_> {
    fn block(&mut self, block: Block) -> Checked {
        let data = &self.func.blocks[block];
        for param in &data.params {
            let def = self.func.values[*param].def;
            ensure(def == Def::Param(block), || format!("{param} is not of {block}"))?;
            let lowered = self.func.values[*param].liveness == Liveness::Lowered;
            ensure(lowered, || format!("the parameter {param} is virtual"))?;
            self.defined.insert(*param, block);
        }
        self.frame(block)?;
        let mut called = None;
        for inst in &data.insts {
            self.inst(block, *inst).map_err(|e| Violation(format!("{block}, {inst}: {e}")))?;
            match self.func.insts[*inst].op {
                Op::Call { signature, .. } | Op::CallCode { signature } => called = Some(signature),
                Op::CallResult { signature, .. } => {
                    ensure(called == Some(signature), || format!("{block}, {inst}: it is not behind its call"))?;
                }
                _ => called = None,
            }
        }
        self.terminator(block).map_err(|e| Violation(format!("{block}, terminator: {e}")))
    }

    fn frame(&self, block: Block) -> Checked {
        let data = &self.func.blocks[block];
        let has_slots = data.frame.slots().next().is_some();
        ensure(data.source.is_some() || !has_slots, || format!("{block} has a frame, no place"))?;
        let is_single = block == ENTRY || self.cfg.single_pred(block).is_some();
        ensure(data.source.is_some() || is_single, || format!("{block} is a join without place"))?;
        for value in data.frame.slots().flatten() {
            self.is_defined(block, *value)?;
        }
        Ok(())
    }

    fn inst(&mut self, block: Block, inst: Inst) -> Checked {
        let data = &self.func.insts[inst];
        ensure(self.placed.insert(inst), || "it stands twice".into())?;
        self.types_of(&data.args, &self.func.operand_types(data.op), "operands")?;
        if let Op::Store { access: Access::S8 | Access::S16, .. } = data.op {
            return Err(Violation("a store does not extend".into()));
        }
        let is_lowered = self.func.is_lowered(inst);
        for arg in &data.args {
            self.is_defined(block, *arg)?;
            ensure(!is_lowered || self.is_lowered(*arg), || format!("it uses the virtual {arg}"))?;
        }
        let ty = data.result.map(|value| self.func.values[value].ty);
        ensure(ty == self.func.result_type(data.op), || format!("the result has type {ty:?}"))?;
        let Some(result) = data.result else {
            return Ok(());
        };
        let value = &self.func.values[result];
        ensure(value.def == Def::Inst(inst), || format!("{result} has another definition"))?;
        let made_here = value.made_at.is_none_or(|made| made.offset == data.offset);
        ensure(made_here, || format!("{result} is made elsewhere"))?;
        let may_be_virtual = data.op.effect() == Effect::Pure;
        ensure(self.is_lowered(result) || may_be_virtual, || format!("{result} cannot be virtual"))?;
        self.defined.insert(result, block);
        Ok(())
    }

    fn terminator(&self, block: Block) -> Checked {
        let terminator = &self.func.blocks[block].terminator;
        for value in terminator.uses() {
            self.is_defined(block, value)?;
            ensure(self.is_lowered(value), || format!("it uses the virtual {value}"))?;
        }
        match terminator {
            Terminator::Return(values) => {
                self.types_of(values, &self.func.signature.result_types(), "results")?;
            }
            Terminator::BranchIf { .. } | Terminator::BrTable { .. } => {
                self.types_of(terminator.operands(), &[Type::I32], "condition")?;
            }
            Terminator::ReturnCall { callee, signature, args } => {
                let callee = match callee {
                    Callee::Function(function) => Op::Call { function: *function, signature: *signature },
                    Callee::Code => Op::CallCode { signature: *signature },
                };
                self.types_of(args, &self.func.operand_types(callee), "operands")?;
                let results = &self.func.signatures[*signature].results;
                ensure(*results == self.func.signature.results, || "the callee returns other results".into())?;
            }
            Terminator::Jump(_) | Terminator::Trap(_) => {}
        }
        terminator.targets().try_for_each(|target| self.edge(target))
    }

    fn edge(&self, target: &Target) -> Checked {
        let params = &self.func.blocks[target.block].params;
        let types: Vec<Type> = params.iter().map(|param| self.func.values[*param].ty).collect();
        self.types_of(&target.args, &types, "edge arguments")
    }

    fn types_of(&self, values: &[Value], wanted: &[Type], what: &str) -> Checked {
        for value in values {
            ensure(self.func.values.get(*value).is_some(), || format!("{what}: no {value}"))?;
        }
        let found: Vec<Type> = values.iter().map(|value| self.func.values[*value].ty).collect();
        ensure(found == wanted, || format!("{what}: {found:?}, expected {wanted:?}"))
    }

    fn is_lowered(&self, value: Value) -> bool {
        self.func.values[value].liveness == Liveness::Lowered
    }

    /// The definition of `value` has been passed on every path to this point of `block`.
    fn is_defined(&self, block: Block, value: Value) -> Checked {
        ensure(self.func.values.get(value).is_some(), || format!("{block}: no {value}"))?;
        let home = self.defined.get(&value);
        let passed = home.is_some_and(|home| self.dominators.dominates(*home, block));
        ensure(passed, || format!("{value} does not dominate its use in {block}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::text::parse;

    const GOOD: &str = r#"
        func 0 "f" (i32, i64) -> (i32)
        sig0 (i32) -> (i64)
        sig1 () -> (i32, i64)
        b0(v0: i32, v1: i64) 0:0x10 [v0, v1 | ]
          call fn2 sig1 @0x10
          v7 = call_result sig1 1 @0x10*
          v2 = i32.const 4 @0x10
          virtual v3 = i32.add v0, v2 @0x11*
          jump b1(v2) @0x12
        b1(v4: i32) 0:0x14 [v3, v1 | v4]
          v5 = i32.add v4, v0 @0x15
          branch_if v5, b1(v5), b2() @0x16
        b2()
          return v5 @0x17"#;

    fn verdict(text: &str) -> String {
        let func = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        super::run(&func).map_or_else(|violation| violation.0, |()| "well-formed".into())
    }

    #[test]
    fn a_well_formed_function_passes() {
        assert_eq!(verdict(GOOD), "well-formed");
    }

    #[test]
    fn each_rule_has_a_near_miss() {
        for (from, to, expected) in [
            ("jump b1(v2)", "jump b1()", "edge arguments"),
            ("jump b1(v2)", "jump b1(v1)", "edge arguments"),
            ("jump b1(v2)", "jump b1(v5)", "does not dominate"),
            ("jump b1(v2)", "jump b0(v0, v1)", "leads to the entry"),
            ("jump b1(v2)", "jump b7()", "no b7"),
            ("return v5", "return v1", "results"),
            ("return v5 @", "return @", "results"),
            ("return v5 @", "return_call fn3 sig0 v4 @", "other results"),
            ("return v5 @", "return_call fn3 sig0 @", "operands"),
            ("branch_if v5", "branch_if v1", "condition"),
            ("i32.add v4, v0", "i32.add v4, v1", "operands"),
            ("i32.add v4, v0 @", "i32.add v4 @", "operands"),
            ("i32.add v4, v0", "i32.add v5, v0", "does not dominate"),
            ("i32.add v4, v0", "i32.add v3, v0", "uses the virtual"),
            ("i32.add v4, v0", "call fn1 sig0 v1", "operands"),
            ("v5 = i32.add v4, v0", "v4 = i32.add v2, v0", "is not of b1"),
            ("call fn2 sig1 @0x10\n", "", "is not behind its call"),
            ("call_result sig1 1", "call_result sig0 0", "is not behind its call"),
            ("b2()\n", "b2(v6: i32)\n", "edge arguments"),
            ("[v3, v1 | v4]", "[v3, v5 | v4]", "does not dominate"),
            ("b1(v4: i32) 0:0x14 [v3, v1 | v4]", "b1(v4: i32)", "join without place"),
            ("(i32, i64) -> (i32)\n", "(i32, i32) -> (i32)\n", "entry parameters"),
        ] {
            assert!(GOOD.contains(from), "{from} is in the text");
            let found = verdict(&GOOD.replacen(from, to, 1));
            assert!(found.contains(expected), "{to}: {found}, expected {expected}");
        }
    }
}
