//! What the processor lacks, as WebAssembly that is compiled and linked like the module's own code.
//!
//! Ensures: a module that needs 64-bit division gets the runtime's functions behind its own. Their
//! bytes travel in the file, so that the validator judges their code against them and recognises
//! them by their hash (`verify/src/wasm/runtime.rs`).

pub mod templates;

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Error;
use crate::ir::op::{Function, Op};
use crate::wasm::{self, Bindings, Code, ExportKind, Inst, Module};

/// 64-bit division.
const I64_DIVISION: &str = include_str!("i64_division.wat");

/// The runtime as a binary module.
pub fn binary() -> Vec<u8> {
    wasm::read(I64_DIVISION.as_bytes()).expect("the runtime is WebAssembly").into_owned()
}

/// Links the runtime behind a module's functions if the module needs it; gives the runtime's bytes.
///
/// # Errors
/// There are too many functions.
pub fn link(module: &mut Module, config: &Config) -> Result<Option<Vec<u8>>, Error> {
    let bodies = module.functions.values().filter_map(|function| match &function.code {
        Code::Body(body) => Some(body),
        Code::Import { .. } => None,
    });
    let needs = bodies.flat_map(|body| &body.insts).any(|inst| helper_name(inst).is_some());
    if !needs {
        return Ok(None);
    }
    let bytes = binary();
    let runtime = wasm::parse(&bytes, config)?;
    for export in module.link(runtime, &Bindings::default()) {
        if let ExportKind::Function(function) = export.kind {
            module.linked.insert(export.name, function);
        }
    }
    Ok(Some(bytes))
}

fn helper_name(inst: &Inst) -> Option<&'static str> {
    match inst {
        Inst::Divide(op) if op.is_helped() => name(*op),
        _ => None,
    }
}

/// The runtime's name of an operator that the processor lacks.
fn name(op: Op) -> Option<&'static str> {
    match op {
        Op::DivU64 => Some("i64.div_u"),
        Op::DivS64 => Some("i64.div_s"),
        Op::RemU64 => Some("i64.rem_u"),
        Op::RemS64 => Some("i64.rem_s"),
        _ => None,
    }
}

/// The functions of a linked runtime, by the operator that each computes.
pub fn helpers(module: &Module) -> BTreeMap<Op, Function> {
    let all = [Op::DivU64, Op::DivS64, Op::RemU64, Op::RemS64];
    let named = all.into_iter().filter_map(|op| Some((op, name(op)?)));
    named.filter_map(|(op, name)| Some((op, *module.linked.get(name)?))).collect()
}
