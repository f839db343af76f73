//! Guards: of a memory or table that may have grown before an input imports it, whether it has what the input asks for.
//!
//! Ensures: `run` adds, behind all functions, one that traps unless there are so many pages or entries, and an instance
//! of which it is the start function. So the limits of an import are judged when Wasm judges them (core spec, 4.5.4), where
//! they cannot be judged before.

use super::inst::{BlockType, Bulk, Inst};
use super::module::{Author, Body, Code, FuncDecl, Instance, Module};
use super::types::FunctionType;
use crate::ir::op::{Memory, Op, Table, Type};

/// What has a size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sized {
    /// A memory.
    Memory(Memory),
    /// A table.
    Table(Table),
}

/// A size to be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Whose.
    pub of: Sized,
    /// The fewest pages or entries.
    pub least: u32,
}

/// Adds the function and the instance.
pub fn run(module: &mut Module, guard: Guard) {
    let (size, name) = match guard.of {
        Sized::Memory(memory) => (Inst::MemorySize(memory, module.memories[memory].page_log2), "memory"),
        Sized::Table(table) => (Inst::TableSize(table), "table"),
    };
    let insts = vec![
        size,
        Inst::Const(Type::I32, guard.least.into()),
        Inst::Numeric(Op::LtU32),
        Inst::If(BlockType::default()),
        Inst::Unreachable,
        Inst::End,
        Inst::End,
    ];
    let offsets = (0..insts.len() as u32).collect();
    let ty = module.types.push(FunctionType::default());
    let code = Code::Body(Body { author: Author::Synth, locals: Vec::new(), insts, offsets });
    let start = module.functions.push(FuncDecl { ty, name: format!("the guard of a {name}"), code });
    let (elements, data) = (module.elements.len(), module.data.len());
    module.instances.push(Instance { elements, data, start: Some(start) });
}

/// Whether some function of a module changes the size.
pub fn grows(module: &Module, of: Sized) -> bool {
    let bodies = module.functions.values().filter_map(|function| match &function.code {
        Code::Body(body) => Some(&body.insts),
        Code::Import { .. } => None,
    });
    bodies.flatten().any(|inst| match (inst, of) {
        (Inst::MemoryGrow(grown), Sized::Memory(memory)) => *grown == memory,
        (Inst::Bulk(Bulk::TableGrow(grown)), Sized::Table(table)) => *grown == table,
        _ => false,
    })
}
