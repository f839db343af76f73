//! Which extension of the architecture an instruction belongs to, and which architecture has it.

use std::fmt;

use super::inst::{Inst, LongOp};

/// An architecture that code may be for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Architecture {
    /// Armv7-M.
    #[default]
    V7M,
    /// Armv7E-M.
    V7EM,
    /// Armv8-M with the main extension.
    V8M,
    /// The same with the DSP extension.
    V8MDsp,
}

/// What is known of an architecture.
struct Row {
    architecture: Architecture,
    name: &'static str,
    /// Its value of `Tag_CPU_arch` (Arm addenda32, 3.3.6.1).
    tag: u32,
    /// Its value of `Tag_DSP_extension` (Arm addenda32, 3.3.6.2), where that is not said by the first.
    dsp: u32,
    features: &'static [Feature],
}

/// Every architecture.
const ARCHITECTURES: [Row; 4] = [
    Row { architecture: Architecture::V7M, name: "Armv7-M", tag: 10, dsp: 0, features: &[Feature::Base] },
    Row {
        architecture: Architecture::V7EM,
        name: "Armv7E-M",
        tag: 13,
        dsp: 0,
        features: &[Feature::Base, Feature::Dsp],
    },
    Row { architecture: Architecture::V8M, name: "Armv8-M.main", tag: 17, dsp: 0, features: &[Feature::Base] },
    Row {
        architecture: Architecture::V8MDsp,
        name: "Armv8-M.main with DSP",
        tag: 17,
        dsp: 1,
        features: &[Feature::Base, Feature::Dsp],
    },
];

impl Architecture {
    /// The architecture with these values of `Tag_CPU_arch` and `Tag_DSP_extension`.
    pub fn of_tags(tag: u32, dsp: u32) -> Option<Architecture> {
        ARCHITECTURES.iter().find(|row| (row.tag, row.dsp) == (tag, dsp)).map(|row| row.architecture)
    }

    /// Whether every processor of the architecture runs an instruction.
    ///
    /// # Errors
    /// It does not; the error says so.
    pub fn require(self, inst: &Inst) -> Result<(), String> {
        let feature = inst.feature();
        if self.row().features.contains(&feature) {
            return Ok(());
        }
        Err(format!("the file is for {self}, which has no {feature:?} instructions"))
    }

    fn row(self) -> &'static Row {
        ARCHITECTURES.iter().find(|row| row.architecture == self).expect("every architecture has a row")
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

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
