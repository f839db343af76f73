//! A module that passed validation and uses only what is supported. Owns all its data.

use std::collections::BTreeMap;
use std::ops::Range;

use super::inst::Inst;
use super::types::{FunctionType, ValueType};
use crate::entity;
use crate::entity::TypedVec;
use crate::ir::op::{Function, Global, Type};

entity! {
    /// An index into the type section.
    TypeIndex, "type";
}

/// Bytes in a page of linear memory (core spec, 4.2.8).
pub const PAGE_BYTES: u32 = 0x1_0000;

/// A module.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Function types.
    pub types: TypedVec<TypeIndex, FunctionType>,
    /// Functions, imports first.
    pub functions: TypedVec<Function, FuncDecl>,
    /// The linear memory.
    pub memory: Option<MemoryDecl>,
    /// The table.
    pub table: Option<TableDecl>,
    /// Globals.
    pub globals: TypedVec<Global, GlobalDecl>,
    /// Exports in section order.
    pub exports: Vec<Export>,
    /// The start function.
    pub start: Option<Function>,
    /// Active element segments in section order.
    pub elements: Vec<Element>,
    /// Active data segments in section order.
    pub data: Vec<Data>,
    /// Functions linked in behind the module's own, by the name under which their module exports them.
    pub linked: BTreeMap<String, Function>,
}

/// A function, imported or defined.
#[derive(Clone, Debug)]
pub struct FuncDecl {
    /// Its type.
    pub ty: TypeIndex,
    /// For people: the name section's name, or an export's, or the import's, or the index.
    pub name: String,
    /// Where its code comes from.
    pub code: Code,
}

/// Where a function's code comes from.
#[derive(Clone, Debug)]
pub enum Code {
    /// From outside.
    Import {
        /// The module part of the name.
        module: String,
        /// The field part of the name.
        field: String,
    },
    /// From the code section.
    Body(Body),
}

/// A function body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Byte range in the module: locals and instructions.
    pub range: Range<u32>,
    /// Types of all locals, parameters first, as SSA has them.
    pub locals: Vec<Type>,
    /// Instructions, the function's own `end` last.
    pub insts: Vec<Inst>,
    /// For each instruction, its byte offset in the module.
    pub offsets: Vec<u32>,
}

/// The linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryDecl {
    /// Pages at instantiation.
    pub initial_pages: u32,
    /// The declared maximum.
    pub maximum_pages: Option<u32>,
    /// Pages set aside; `memory.grow` fails beyond. Equals `initial_pages` unless it `grows`.
    pub reserve_pages: u32,
    /// Whether some function contains `memory.grow`, so that the length is a variable.
    pub grows: bool,
}

impl MemoryDecl {
    /// Bytes at instantiation.
    pub fn initial_bytes(&self) -> u32 {
        self.initial_pages * PAGE_BYTES
    }

    /// Bytes set aside.
    pub fn reserve_bytes(&self) -> u32 {
        self.reserve_pages * PAGE_BYTES
    }
}

/// The table. No supported instruction changes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableDecl {
    /// Number of entries.
    pub entries: u32,
}

/// A global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlobalDecl {
    /// Its type.
    pub ty: ValueType,
    /// Whether `global.set` may change it; then it has a cell in the instance.
    pub mutable: bool,
    /// The bits of its initial value.
    pub initial: u64,
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What is exported.
    pub kind: ExportKind,
}

/// What is exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportKind {
    /// A function.
    Function(Function),
    /// The memory.
    Memory,
    /// The table.
    Table,
    /// A global.
    Global(Global),
}

/// An active element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// First table entry it fills.
    pub offset: u32,
    /// The functions.
    pub functions: Vec<Function>,
}

/// An active data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// First byte of memory it fills.
    pub offset: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Module {
    /// Puts the functions of another module, which imports nothing, behind the own ones.
    pub fn link(&mut self, other: Module) {
        let (functions, types) = (self.functions.len() as u32, self.types.len() as u32);
        for (_, ty) in other.types.iter() {
            self.types.push(ty.clone());
        }
        for (_, function) in other.functions.iter() {
            let mut function = function.clone();
            function.ty = TypeIndex(function.ty.0 + types);
            if let Code::Body(body) = &mut function.code {
                for inst in &mut body.insts {
                    if let Inst::Call(callee) = inst {
                        *callee += functions;
                    }
                }
            }
            self.functions.push(function);
        }
        for export in other.exports {
            if let ExportKind::Function(function) = export.kind {
                self.linked.insert(export.name, Function(function.0 + functions));
            }
        }
    }

    /// The type of a function.
    pub fn function_type(&self, function: Function) -> &FunctionType {
        &self.types[self.functions[function].ty]
    }

    /// The number of imported functions, which come first.
    pub fn imported_functions(&self) -> usize {
        self.functions.values().filter(|f| matches!(f.code, Code::Import { .. })).count()
    }

    /// The id by which tables and indirect calls name a type: 1 + the index of the first
    /// structurally equal type.
    pub fn type_id(&self, ty: TypeIndex) -> u32 {
        let wanted = &self.types[ty];
        let first = self.types.iter().find(|(_, known)| *known == wanted).map_or(ty, |(i, _)| i);
        1 + first.0
    }
}
