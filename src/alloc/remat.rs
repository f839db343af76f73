//! Which values are cheaper computed again than kept: constants, addresses, stack arguments, and
//! a constant added to one of these.

use std::collections::BTreeMap;

use crate::vcode::VReg;
use crate::vcode::entity::TypedVec;
use crate::vcode::func::Func;
use crate::vcode::inst::{AluOp, Flags, Inst, Operand2, WideOp};

/// How to compute a value from nothing: an instruction without uses that keeps flags.
pub type Recipe = Inst<VReg>;

/// The recipe of each virtual register that has one.
pub fn run(func: &Func) -> TypedVec<VReg, Option<Recipe>> {
    let mut recipes = TypedVec::filled(None, func.vregs.len());
    let nodes = || func.blocks.values().flat_map(|data| &data.insts);
    let keeps_arguments = !nodes().any(|node| matches!(node.inst, Inst::IncomingStore { .. }));
    // Definitions dominate uses, so a few passes in any block order reach every chain; a chain
    // that is left is only kept in a register or spilled.
    for _ in 0..3 {
        for data in func.blocks.values() {
            for node in &data.insts {
                if let [d] = node.inst.defs()[..] {
                    let lasts = keeps_arguments || !matches!(node.inst, Inst::IncomingLoad { .. });
                    recipes[d] = recipe(&node.inst, &recipes).filter(|_| lasts);
                }
            }
        }
    }
    recipes
}

/// The virtual registers whose recipes are constants.
pub fn constants(recipes: &TypedVec<VReg, Option<Recipe>>) -> BTreeMap<VReg, u32> {
    let constant = |(vreg, recipe): (VReg, &Option<Recipe>)| match recipe {
        Some(Inst::Const { value, .. }) => Some((vreg, *value)),
        _ => None,
    };
    recipes.iter().filter_map(constant).collect()
}

fn recipe(inst: &Inst<VReg>, recipes: &TypedVec<VReg, Option<Recipe>>) -> Option<Recipe> {
    match *inst {
        Inst::Const { .. } | Inst::Address { .. } | Inst::IncomingLoad { .. } => Some(inst.clone()),
        Inst::Move { d, m } => plus(d, recipes[m].as_ref()?, 0),
        Inst::AluWide { op: WideOp::Add, d, n, imm } => plus(d, recipes[n].as_ref()?, imm.value()),
        Inst::AluWide { op: WideOp::Sub, d, n, imm } => plus(d, recipes[n].as_ref()?, imm.value().wrapping_neg()),
        Inst::Alu { op: AluOp::Add, flags: Flags::Keep, d, n, m: Operand2::Imm(imm) } => {
            plus(d, recipes[n].as_ref()?, imm.value())
        }
        Inst::Alu { op: AluOp::Sub, flags: Flags::Keep, d, n, m: Operand2::Imm(imm) } => {
            plus(d, recipes[n].as_ref()?, imm.value().wrapping_neg())
        }
        _ => None,
    }
}

fn plus(d: VReg, base: &Recipe, amount: u32) -> Option<Recipe> {
    match *base {
        Inst::Const { value, .. } => Some(Inst::Const { d, value: value.wrapping_add(amount) }),
        Inst::Address { symbol, addend, .. } => {
            let addend = addend.wrapping_add(amount.cast_signed());
            Some(Inst::Address { d, symbol, addend })
        }
        Inst::IncomingLoad { offset, .. } if amount == 0 => Some(Inst::IncomingLoad { d, offset }),
        _ => None,
    }
}

/// Whether the recipe costs no more than reading any register: two bytes, one cycle.
pub fn is_tiny<R>(recipe: &Inst<R>) -> bool {
    matches!(recipe, Inst::Const { value, .. } if *value < 256)
}
