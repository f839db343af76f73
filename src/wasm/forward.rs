//! Exports of imported functions: each such import gets a function with code, which leaves for it and is exported instead.
//!
//! Ensures: every exported function has code. The new functions stand behind all others, in the order of the exports.

use std::collections::BTreeMap;

use super::inst::Inst;
use super::module::{Author, Body, Code, ExportKind, FuncDecl, Module};
use crate::entity::Entity;
use crate::ir::op::{Function, Type};

/// Adds the functions.
pub fn run(module: &mut Module) {
    let imports = module.imported_functions();
    let mut forwards: BTreeMap<Function, Function> = BTreeMap::new();
    let exported: Vec<ExportKind> = module.exports.iter().map(|export| export.kind).collect();
    for (export, kind) in exported.into_iter().enumerate() {
        let ExportKind::Function(function) = kind else { continue };
        if function.index() >= imports {
            continue;
        }
        let known = forwards.get(&function).copied();
        let forward = known.unwrap_or_else(|| module.functions.push(forward(module, function)));
        forwards.insert(function, forward);
        module.exports[export].kind = ExportKind::Function(forward);
    }
}

fn forward(module: &Module, function: Function) -> FuncDecl {
    let FuncDecl { ty, name, .. } = &module.functions[function];
    let locals: Vec<Type> = module.types[*ty].params.iter().map(|ty| ty.carrier()).collect();
    let arguments = (0..locals.len() as u32).map(Inst::LocalGet);
    let insts: Vec<Inst> = arguments.chain([Inst::ReturnCall(function.0), Inst::End]).collect();
    let offsets = (0..insts.len() as u32).collect();
    FuncDecl { ty: *ty, name: name.clone(), code: Code::Body(Body { author: Author::Synth, locals, insts, offsets }) }
}
