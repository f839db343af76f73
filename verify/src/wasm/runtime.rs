//! The runtime: Wasm functions that compute operators which the processor has no instruction for.
//!
//! The bytes of the runtime travel in the file under judgement. Its code is proved equal to these
//! bytes like that of any other function. That a function of it *is* the operator of its name is a
//! claim about the bytes alone: it is believed of bytes whose hash is in [`KNOWN`], for the reason
//! given there.
//!
//! Ensures: a linked function touches neither memory nor globals, for its module has none.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::link::{self, Bindings};
use super::module::{self, Exported, Module};
use crate::domain::{Bin32, Bin64, Un64};
use crate::float::Float;
use crate::hints::Sort;

/// Runtimes that are known, by the SHA-256 of their bytes, and why their functions are believed to be
/// the operators.
const KNOWN: [(&str, &str); 1] = [(
    "cd48aa3469004901ff15fac3928e68aaf74ab3c3c79dff8e3683874fba84ec5f",
    "tested against a second engine (tests/runtime.rs)",
)];

/// An operator that a function computes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operator {
    /// Of two words.
    Word(Bin32),
    /// What is left of a word by this quotient of two words, multiplied again.
    Rest(Bin32),
    /// The leading zeros of a word.
    LeadingZeros,
    /// The trailing zeros of a word.
    TrailingZeros,
    /// Of one 64-bit integer.
    WideUnary(Un64),
    /// Of two 64-bit integers.
    Wide(Bin64),
    /// Of floats.
    Float(Float),
}

impl Operator {
    /// The widths of its operands.
    pub fn operands(self) -> Vec<Sort> {
        match self {
            Operator::Word(_) | Operator::Rest(_) => vec![Sort::W32; 2],
            Operator::LeadingZeros | Operator::TrailingZeros => vec![Sort::W32],
            Operator::WideUnary(_) => vec![Sort::W64],
            Operator::Wide(_) => vec![Sort::W64; 2],
            Operator::Float(float) => float.operands(),
        }
    }

    /// The width of its result.
    pub fn result(self) -> Sort {
        match self {
            Operator::Word(_) | Operator::Rest(_) | Operator::LeadingZeros | Operator::TrailingZeros => Sort::W32,
            Operator::WideUnary(_) | Operator::Wide(_) => Sort::W64,
            Operator::Float(float) => float.result(),
        }
    }
}

/// The functions of a runtime.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Runtime {
    /// The operator that each computes, by function index. A function that is not here is a function.
    pub operators: BTreeMap<u32, Operator>,
    /// Index of the first function of the runtime, if one is linked.
    pub first: Option<u32>,
    /// Why they are believed to.
    pub reason: String,
}

impl Runtime {
    /// Whether a function belongs to the runtime.
    pub fn contains(&self, function: u32) -> bool {
        self.first.is_some_and(|first| function >= first)
    }
}

/// Links a runtime behind a module's functions.
///
/// # Errors
/// What is wrong with its bytes.
pub fn link(module: &mut Module, bytes: &[u8]) -> Result<(), String> {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let known = KNOWN.iter().find(|(known, _)| *known == hash);
    let (_, reason) = known.ok_or_else(|| format!("the runtime with the hash {hash} is not known"))?;
    let other = module::read(bytes).map_err(|error| error.to_string())?;
    let has_state = !other.memories.is_empty() || !other.tables.is_empty() || !other.globals.is_empty();
    if has_state || !other.imports.is_empty() || other.instances.iter().any(|instance| instance.start.is_some()) {
        return Err("the runtime has more than functions".to_owned());
    }
    let first = module.function_count();
    let mut operators = BTreeMap::new();
    for (index, name) in &other.names {
        module.names.insert(index + first, format!("{name} of the runtime"));
    }
    for export in link::link(module, other, &Bindings::default()) {
        let Exported::Function(index) = export.item else { continue };
        module.names.insert(index, format!("{} of the runtime", export.name));
        if let Some(operator) = operator(&export.name) {
            operators.insert(index, operator);
        }
    }
    module.runtime = Runtime { operators, first: Some(first), reason: (*reason).to_owned() };
    Ok(())
}

fn operator(name: &str) -> Option<Operator> {
    let all = [
        ("i32.div_u", Operator::Word(Bin32::DivU)),
        ("i32.div_s", Operator::Word(Bin32::DivS)),
        ("i32.rem_u", Operator::Rest(Bin32::DivU)),
        ("i32.rem_s", Operator::Rest(Bin32::DivS)),
        ("i32.clz", Operator::LeadingZeros),
        ("i32.ctz", Operator::TrailingZeros),
        ("i64.clz", Operator::WideUnary(Un64::Clz)),
        ("i64.ctz", Operator::WideUnary(Un64::Ctz)),
        ("i64.mul", Operator::Wide(Bin64::Mul)),
        ("i64.div_u", Operator::Wide(Bin64::DivU)),
        ("i64.div_s", Operator::Wide(Bin64::DivS)),
        ("i64.rem_u", Operator::Wide(Bin64::RemU)),
        ("i64.rem_s", Operator::Wide(Bin64::RemS)),
    ];
    let integer = all.into_iter().find(|(known, _)| *known == name).map(|(_, operator)| operator);
    let float = || Float::all().into_iter().find(|float| float.name() == name).map(Operator::Float);
    integer.or_else(float)
}
