//! A module that passed validation and uses only what is supported. Owns all its data.

use std::collections::{BTreeMap, BTreeSet};

use super::constant::Constant;
use super::inst::Inst;
use super::types::{FunctionType, ValueType};
use crate::entity;
use crate::entity::TypedVec;
use crate::ir::op::{Function, Global, Memory, Table, Type};

entity! {
    /// An index into the element section.
    ElementIndex, "element";
    /// An index into the type section.
    TypeIndex, "type";
    /// An index into the data section.
    DataIndex, "data";
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
    /// The inputs that it is made of, in the order of instantiation.
    pub instances: Vec<Instance>,
    /// Element segments in section order.
    pub elements: TypedVec<ElementIndex, Element>,
    /// Data segments in section order.
    pub data: TypedVec<DataIndex, Data>,
    /// Imports that are no functions, in section order.
    pub imports: Vec<Import>,
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

impl FuncDecl {
    /// Who wrote it; an import is what the user asks for.
    pub fn author(&self) -> Author {
        match &self.code {
            Code::Body(body) => body.author,
            Code::Import { .. } => Author::User,
        }
    }
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
        /// Where it is declared, by byte offset in its module.
        offset: u64,
    },
    /// From the code section.
    Body(Body),
}

/// A function body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Who wrote it.
    pub author: Author,
    /// Types of all locals, parameters first, as SSA has them.
    pub locals: Vec<Type>,
    /// Instructions, the function's own `end` last.
    pub insts: Vec<Inst>,
    /// For each instruction, its byte offset in the module that its author wrote.
    pub offsets: Vec<u32>,
}

/// Who wrote a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Author {
    /// Whose module it is.
    User,
    /// Synth: a template, a function of the runtime, or what linking puts in.
    Synth,
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
    /// Pages set aside; `memory.grow` fails beyond. Equals `initial_pages` unless the length varies.
    pub reserve_pages: u32,
    /// Whether some function changes the length, so that it is a variable.
    pub varies: bool,
    /// The data segment that it is, if it is one: its bytes never change.
    pub segment: Option<DataIndex>,
    /// Where it is declared, by byte offset in its module.
    pub offset: u64,
}

impl MemoryDecl {
    /// Bytes at instantiation.
    pub fn initial_bytes(&self) -> u32 {
        self.initial_pages << self.page_log2
    }

    /// Bytes that it always has: a segment may be dropped.
    pub fn least_bytes(&self) -> u32 {
        if self.varies && self.segment.is_some() { 0 } else { self.initial_bytes() }
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
    /// Entries set aside; `table.grow` fails beyond. Equals `initial` unless the size varies.
    pub reserve: u32,
    /// Whether its entries change when something may have seen them.
    pub changes: bool,
    /// Whether some function changes its size, so that it is a variable.
    pub varies: bool,
    /// The segment that it is.
    pub segment: Option<ElementIndex>,
    /// Where it is declared, by byte offset in the module.
    pub offset: u64,
}

impl TableDecl {
    /// Whether it is in RAM.
    pub fn is_variable(&self) -> bool {
        self.segment.is_none() && (self.changes || self.varies)
    }
}

/// A global.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GlobalDecl {
    /// Its type.
    pub ty: ValueType,
    /// Whether `global.set` may change it; then it has a cell in the instance.
    pub mutable: bool,
    /// The bits of its initial value.
    pub initial: Constant,
}

/// What the instantiation of an input ends with; its segments begin behind those of the input before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// So many element segments end with its own.
    pub elements: usize,
    /// So many data segments end with its own.
    pub data: usize,
    /// Its start function.
    pub start: Option<Function>,
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// The input that it is of, where several are linked.
    pub of: Option<String>,
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
    /// The references: functions, or null.
    pub items: Vec<Constant>,
}

/// What instantiation does with an element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElementMode {
    /// It fills a table, and is dropped.
    Active {
        /// The table.
        table: Table,
        /// The first entry it fills.
        offset: Constant,
    },
    /// It waits for `table.init`.
    Passive,
    /// It only says what functions are referenced.
    Declared,
}

/// A data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// What happens with it.
    pub mode: DataMode,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What happens with a data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DataMode {
    /// Instantiation writes and drops it.
    Active {
        /// The memory that it fills.
        memory: Memory,
        /// First byte of memory it fills.
        offset: Constant,
    },
    /// It waits for `memory.init`.
    Passive,
}

/// An import that is no function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The module part of the name.
    pub module: String,
    /// The field part of the name.
    pub field: String,
    /// What it is in this module.
    pub kind: ExportKind,
    /// Where it is declared, by byte offset in the module.
    pub offset: u64,
}

impl Module {
    /// The type of a function.
    pub fn function_type(&self, function: Function) -> &FunctionType {
        &self.types[self.functions[function].ty]
    }

    /// The functions that references name, which have descriptors, in index order.
    pub fn referenced(&self) -> BTreeSet<Function> {
        let items = self.elements.values().flat_map(|element| element.items.iter().filter_map(Constant::function));
        let initial = self.globals.values().filter_map(|global| global.initial.function());
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
