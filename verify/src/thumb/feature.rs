//! What code is for: which extension of the architecture an instruction belongs to, and which architecture or
//! floating-point unit has it.

use std::fmt;

use super::float::{FloatInst, FloatReg};
use super::inst::{Inst, LongOp, System};
use crate::float::{Binary, Float, Format, Unary};
use crate::hints::Sort;

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
        Target { architecture: self, ..Target::default() }.require(inst, size)
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

/// A floating-point unit that code may be for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum FloatUnit {
    /// None.
    #[default]
    None,
    /// FPv4-SP.
    V4Single,
    /// FPv5-SP.
    V5Single,
    /// FPv5 with double precision.
    V5Double,
}

impl FloatUnit {
    fn features(self) -> &'static [Feature] {
        match self {
            FloatUnit::None => &[],
            FloatUnit::V4Single => &[Feature::Float],
            FloatUnit::V5Single => &[Feature::Float, Feature::FloatRounding],
            FloatUnit::V5Double => &[Feature::Float, Feature::FloatRounding, Feature::FloatDouble],
        }
    }

    /// Whether an instruction of the unit is the operator.
    pub fn computes(self, op: Float) -> bool {
        computing(op).is_some_and(|feature| self.features().contains(&feature))
    }
}

impl fmt::Display for FloatUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FloatUnit::None => "no floating-point unit",
            FloatUnit::V4Single => "FPv4-SP",
            FloatUnit::V5Single => "FPv5-SP",
            FloatUnit::V5Double => "FPv5-D16",
        })
    }
}

/// Where arguments and results are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Variant {
    /// Base AAPCS: all in core registers.
    #[default]
    Base,
    /// AAPCS-VFP: floats in registers of the floating-point unit.
    Float,
}

/// What code is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Target {
    /// The architecture.
    pub architecture: Architecture,
    /// Its floating-point unit.
    pub float: FloatUnit,
    /// How functions are called.
    pub variant: Variant,
}

impl Target {
    /// Whether every such processor runs an instruction of so many bytes.
    ///
    /// # Errors
    /// It does not; the error says so.
    pub fn require(self, inst: &Inst, size: u32) -> Result<(), String> {
        let feature = inst.feature(size);
        if self.architecture.row().features.contains(&feature) || self.float.features().contains(&feature) {
            return Ok(());
        }
        Err(format!("the file is for {self}, which has no {feature:?} instructions"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.architecture)?;
        match (self.float, self.variant) {
            (FloatUnit::None, _) => Ok(()),
            (unit, Variant::Base) => write!(f, " and {unit}, called by the base AAPCS"),
            (unit, Variant::Float) => write!(f, " and {unit}"),
        }
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
    /// FPv4-SP, as in Cortex-M4: single precision, and moves of double registers (DDI0403, A2.5).
    Float,
    /// What FPv5-SP adds, as in Cortex-M33.
    FloatRounding,
    /// Double precision, as in Cortex-M7.
    FloatDouble,
}

/// The feature whose instructions include the operator.
fn computing(op: Float) -> Option<Feature> {
    let arithmetic = |format| match format {
        Format::F32 => Feature::Float,
        Format::F64 => Feature::FloatDouble,
    };
    match op {
        Float::Binary(Binary::Min | Binary::Max, _) | Float::Fits(..) => None,
        Float::Convert(Sort::W64, ..) | Float::Truncate(_, Sort::W64, _) => None,
        Float::Unary(Unary::Ceil | Unary::Floor | Unary::Trunc | Unary::Nearest, Format::F32) => {
            Some(Feature::FloatRounding)
        }
        Float::Binary(_, format)
        | Float::Unary(_, format)
        | Float::Compare(_, format)
        | Float::Convert(Sort::W32, _, format)
        | Float::Truncate(format, Sort::W32, _) => Some(arithmetic(format)),
        Float::Demote | Float::Promote => Some(Feature::FloatDouble),
    }
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
            Inst::Float(inst) => inst.feature(),
            Inst::System(System::Vmrs { .. } | System::Vmsr { .. }) => Feature::Float,
            // It writes GE (DDI0403, B5.2.3).
            Inst::System(System::Msr { mask, .. }) if mask & 1 == 1 => Feature::Dsp,
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

impl FloatInst {
    fn feature(&self) -> Feature {
        let by_format = |register: FloatReg| match register {
            FloatReg::Single(_) => Feature::Float,
            FloatReg::Double(_) => Feature::FloatDouble,
        };
        match *self {
            FloatInst::Compute { op, .. } => computing(op).unwrap_or(Feature::FloatDouble),
            FloatInst::Sign { d, .. } | FloatInst::Move { d, .. } | FloatInst::Constant { d, .. } => by_format(d),
            FloatInst::Compare { n, .. } => by_format(n),
            FloatInst::Transfer { .. }
            | FloatInst::Flags
            | FloatInst::Load { .. }
            | FloatInst::Store { .. }
            | FloatInst::LoadMultiple { .. }
            | FloatInst::StoreMultiple { .. } => Feature::Float,
        }
    }
}
