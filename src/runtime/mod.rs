//! What the processor lacks, as WebAssembly that is compiled and linked like the module's own code.
//!
//! Ensures: a module with an operator that the processor lacks gets the runtime's functions behind its own.
//! Their bytes travel in the file, so that the validator judges their code against them and recognises
//! them by their hash (`verify/src/wasm/runtime.rs`).

pub mod templates;

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Error;
use crate::ir::op::{Function, Op, PLAIN};
use crate::wasm::{self, Author, Bindings, Code, ExportKind, Inst, Module};

/// The parts, each a module in text of functions that call only each other. No two use one name.
const PARTS: [&str; 11] = [
    include_str!("i64_division.wat"),
    include_str!("i32_division.wat"),
    include_str!("counting.wat"),
    include_str!("i64_multiplication.wat"),
    include_str!("f32_arithmetic.wat"),
    include_str!("f32_compare.wat"),
    include_str!("f32_integral.wat"),
    include_str!("f64_arithmetic.wat"),
    include_str!("f64_compare.wat"),
    include_str!("f64_integral.wat"),
    include_str!("to_integer.wat"),
];

/// The runtime as a binary module: the functions of all parts.
pub fn binary() -> Vec<u8> {
    let functions = |part: &'static str| -> &'static str {
        let (_, inside) = part.split_once("\n(module\n").expect("a part is a module");
        inside.trim_end().strip_suffix(')').expect("a part ends with its module")
    };
    let text = format!("(module\n{})", PARTS.map(functions).join("\n"));
    wasm::read(text.as_bytes()).expect("the runtime is WebAssembly").into_owned()
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
    if !bodies.flat_map(|body| &body.insts).any(|inst| is_helped(inst, config)) {
        return Ok(None);
    }
    let bytes = binary();
    let runtime = parse(&bytes, config)?;
    for export in module.link(runtime, &Bindings::default()) {
        if let ExportKind::Function(function) = export.kind {
            module.linked.insert(export.name, function);
        }
    }
    Ok(Some(bytes))
}

/// Reads a module of ours.
fn parse(bytes: &[u8], config: &Config) -> Result<Module, Error> {
    let mut module = wasm::parse(bytes, config)?;
    for function in module.functions.values_mut() {
        if let Code::Body(body) = &mut function.code {
            body.author = Author::Synth;
        }
    }
    Ok(module)
}

fn is_helped(inst: &Inst, config: &Config) -> bool {
    let (isa, float) = (config.cpu.isa(), config.float);
    match inst {
        Inst::Divide(op) | Inst::Numeric(op) | Inst::Swapped(op) => op.is_helped(isa, float),
        Inst::Wide(_, high) => high.is_helped(isa, float),
        Inst::Truncate { .. } => true,
        _ => false,
    }
}

/// The functions of a linked runtime, by the operator that each computes: they are called as it is.
pub fn helpers(module: &Module, config: &Config) -> BTreeMap<Op, Function> {
    let helped = PLAIN.iter().filter(|(op, ..)| op.is_helped(config.cpu.isa(), config.float));
    helped.filter_map(|(op, name, ..)| Some((*op, *module.linked.get(*name)?))).collect()
}
