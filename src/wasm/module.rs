//! A module that passed validation and uses only what is supported. Owns all its data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::inst::Inst;
use super::types::{FunctionType, ValueType};
use crate::entity;
use crate::entity::TypedVec;
use crate::ir::op::{Function, Global, Memory, Table, Type};

entity! {
    /// An index into the type section.
    TypeIndex, "type";
}

/// A module.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Function types.
    pub types: TypedVec<TypeIndex, FunctionType>,
    /// Functions, imports first.
    pub functions: TypedVec<Function, FuncDecl>,
    /// Linear memories.
    pub memories: TypedVec<Memory, MemoryDecl>,
    /// Tables.
    pub tables: TypedVec<Table, TableDecl>,
    /// Globals.
    pub globals: TypedVec<Global, GlobalDecl>,
    /// Exports in section order.
    pub exports: Vec<Export>,
    /// The start function.
    pub start: Option<Function>,
    /// Element segments in section order.
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

/// A linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryDecl {
    /// Bytes of a page, as a power of two.
    pub page_log2: u8,
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
        self.initial_pages << self.page_log2
    }

    /// Bytes set aside.
    pub fn reserve_bytes(&self) -> u32 {
        self.reserve_pages << self.page_log2
    }
}

/// A table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableDecl {
    /// The type of its entries, a reference.
    pub ty: ValueType,
    /// Entries at instantiation.
    pub initial: u32,
    /// The declared maximum.
    pub maximum: Option<u32>,
    /// Entries set aside; `table.grow` fails beyond. Equals `initial` unless it `grows`.
    pub reserve: u32,
    /// Whether some function changes its entries.
    pub changes: bool,
    /// Whether some function contains `table.grow`, so that the size is a variable.
    pub grows: bool,
}

impl TableDecl {
    /// Whether it is in RAM.
    pub fn is_variable(&self) -> bool {
        self.changes || self.grows
    }
}

/// A global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlobalDecl {
    /// Its type.
    pub ty: ValueType,
    /// Whether `global.set` may change it; then it has a cell in the instance.
    pub mutable: bool,
    /// Its initial value.
    pub initial: Initial,
}

/// An initial value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initial {
    /// These bits. A null reference is 0.
    Bits(u64),
    /// A reference to a function.
    Function(Function),
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
    /// A memory.
    Memory(Memory),
    /// A table.
    Table(Table),
    /// A global.
    Global(Global),
}

/// An element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// What instantiation does with it.
    pub mode: ElementMode,
    /// The type of its references.
    pub ty: ValueType,
    /// The references; `None` is null.
    pub items: Vec<Option<Function>>,
}

/// What instantiation does with an element segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ElementMode {
    /// It fills a table.
    Active {
        /// The table.
        table: Table,
        /// The first entry it fills.
        offset: u32,
    },
    /// Nothing.
    Passive,
    /// It only says what functions are referenced.
    Declared,
}

/// An active data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// The memory that it fills.
    pub memory: Memory,
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

    /// Takes note of what an instruction does to tables.
    pub fn note_table(&mut self, inst: &Inst) {
        match inst {
            Inst::TableSet(table) => self.tables[*table].changes = true,
            Inst::TableGrow(table) => self.tables[*table].grows = true,
            _ => {}
        }
    }

    /// The type of a function.
    pub fn function_type(&self, function: Function) -> &FunctionType {
        &self.types[self.functions[function].ty]
    }

    /// The functions that references name, which have descriptors, in index order.
    pub fn referenced(&self) -> BTreeSet<Function> {
        let items = self.elements.iter().flat_map(|element| element.items.iter().copied().flatten());
        let initial = self.globals.values().filter_map(|global| match global.initial {
            Initial::Function(function) => Some(function),
            Initial::Bits(_) => None,
        });
        let bodies = self.functions.values().filter_map(|function| match &function.code {
            Code::Body(body) => Some(&body.insts),
            Code::Import { .. } => None,
        });
        let code = bodies.flatten().filter_map(|inst| match inst {
            Inst::RefFunc(function) => Some(*function),
            _ => None,
        });
        items.chain(initial).chain(code).collect()
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
