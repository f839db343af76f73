//! Which extension of the architecture an instruction belongs to.

use super::inst::{Inst, LongOp};

/// What an instruction needs beyond the base architecture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Feature {
    /// Armv7-M, as in Cortex-M3.
    Base,
    /// The DSP extension of Armv7E-M, as in Cortex-M4 and M7.
    Dsp,
}

impl Inst {
    /// The extension that it belongs to.
    pub fn feature(&self) -> Feature {
        match self {
            Inst::Smmul { .. } | Inst::Smmla { .. } | Inst::Extend { n: Some(_), .. } => Feature::Dsp,
            Inst::MulLong { op, .. } => match op {
                LongOp::Umaal => Feature::Dsp,
                LongOp::Smull | LongOp::Umull | LongOp::Smlal | LongOp::Umlal => Feature::Base,
            },
            Inst::DataImm { .. }
            | Inst::DataReg { .. }
            | Inst::MoveImm { .. }
            | Inst::MoveReg { .. }
            | Inst::TestImm { .. }
            | Inst::TestReg { .. }
            | Inst::ShiftReg { .. }
            | Inst::MovW { .. }
            | Inst::MovT { .. }
            | Inst::Adr { .. }
            | Inst::Mul { .. }
            | Inst::Mla { .. }
            | Inst::Mls { .. }
            | Inst::Div { .. }
            | Inst::Bfi { .. }
            | Inst::Bfx { .. }
            | Inst::Extend { n: None, .. }
            | Inst::Bits { .. }
            | Inst::Load { .. }
            | Inst::Store { .. }
            | Inst::LoadDual { .. }
            | Inst::StoreDual { .. }
            | Inst::LoadMultiple { .. }
            | Inst::StoreMultiple { .. }
            | Inst::Branch { .. }
            | Inst::BranchCond { .. }
            | Inst::CompareBranch { .. }
            | Inst::BranchLink { .. }
            | Inst::BranchLinkReg { .. }
            | Inst::BranchReg { .. }
            | Inst::TableBranch { .. }
            | Inst::It { .. }
            | Inst::Nop
            | Inst::Udf { .. }
            | Inst::System(_) => Feature::Base,
        }
    }
}
