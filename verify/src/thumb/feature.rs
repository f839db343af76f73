//! Which extension of the architecture an instruction belongs to, and which architecture has it.

use std::fmt;

use super::inst::{Inst, LongOp};

/// An architecture that code may be for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Architecture {
    /// Armv6-M.
    V6M,
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
const ARCHITECTURES: [Row; 5] = [
    Row { architecture: Architecture::V6M, name: "Armv6-M", tag: 11, dsp: 0, features: &[Feature::Base] },
    Row {
        architecture: Architecture::V7M,
        name: "Armv7-M",
        tag: 10,
        dsp: 0,
        features: &[Feature::Base, Feature::Main],
    },
    Row {
        architecture: Architecture::V7EM,
        name: "Armv7E-M",
        tag: 13,
        dsp: 0,
        features: &[Feature::Base, Feature::Main, Feature::Dsp],
    },
    Row {
        architecture: Architecture::V8M,
        name: "Armv8-M.main",
        tag: 17,
        dsp: 0,
        features: &[Feature::Base, Feature::Main],
    },
    Row {
        architecture: Architecture::V8MDsp,
        name: "Armv8-M.main with DSP",
        tag: 17,
        dsp: 1,
        features: &[Feature::Base, Feature::Main, Feature::Dsp],
    },
];

impl Architecture {
    /// The architecture with these values of `Tag_CPU_arch` and `Tag_DSP_extension`.
    pub fn of_tags(tag: u32, dsp: u32) -> Option<Architecture> {
        ARCHITECTURES.iter().find(|row| (row.tag, row.dsp) == (tag, dsp)).map(|row| row.architecture)
    }

    /// Whether every processor of the architecture runs an instruction of so many bytes.
    ///
    /// # Errors
    /// It does not; the error says so.
    pub fn require(self, inst: &Inst, size: u32) -> Result<(), String> {
        let feature = inst.feature(size);
        if self.row().features.contains(&feature) {
            return Ok(());
        }
        Err(format!("the file is for {self}, which has no {feature:?} instructions"))
    }

    /// Whether a load or store of one register may be at any address, UNALIGN_TRP being 0; else its address
    /// must be a multiple of its size (DDI0419, A3.2.1).
    pub fn has_unaligned(self) -> bool {
        self.row().features.contains(&Feature::Main)
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

/// What an instruction belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Feature {
    /// Armv6-M, as in Cortex-M0 (DDI0419, A5): 16-bit encodings, and BL.
    Base,
    /// Armv7-M, as in Cortex-M3: 32-bit encodings, conditional instructions, compare and branch.
    Main,
    /// The DSP extension of Armv7E-M, as in Cortex-M4 and M7.
    Dsp,
}

impl Inst {
    /// What it belongs to in an encoding of so many bytes.
    pub fn feature(&self, size: u32) -> Feature {
        let by_size = if size == 2 { Feature::Base } else { Feature::Main };
        match self {
            Inst::Smmul { .. } | Inst::Smmla { .. } | Inst::Extend { n: Some(_), .. } => Feature::Dsp,
            Inst::MulLong { op, .. } => match op {
                LongOp::Umaal => Feature::Dsp,
                LongOp::Smull | LongOp::Umull | LongOp::Smlal | LongOp::Umlal => Feature::Main,
            },
            Inst::BranchLink { .. } => Feature::Base,
            Inst::It { .. } | Inst::CompareBranch { .. } => Feature::Main,
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
            | Inst::BranchLinkReg { .. }
            | Inst::BranchReg { .. }
            | Inst::TableBranch { .. }
            | Inst::Nop
            | Inst::Udf { .. }
            | Inst::System(_) => by_size,
        }
    }
}
