//! What a Wasm module says, read independently of the compiler.
//!
//! Requires: nothing of the bytes.
//! Ensures: the module is valid (`valid.rs`) and uses only what [`Op`] and the types here can say; all else is
//! refused with its offset. Offsets are those of the module's bytes.

use crate::hints::Sort;
use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{
    CompositeInnerType, ConstExpr, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Name, Parser,
    Payload, TableInit, TypeRef,
};

use super::constant;
use super::control::{self, Control};
use super::op::{self, Op};
use super::runtime::Runtime;
use super::template::Linked;
use super::valid::{features, validate};

/// Bytes of a Wasm page where none are declared, as a power of two.
const PAGE_LOG2: u8 = 16;

/// Why a module was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WasmError {
    /// The bytes are not a valid module.
    Invalid {
        /// Where, in the module's bytes.
        offset: u64,
        /// What the parser says.
        reason: String,
    },
    /// The module is valid and uses what the validator does not know.
    Unsupported {
        /// Where, in the module's bytes.
        offset: u64,
        /// What is not known.
        what: String,
    },
}

impl WasmError {
    pub(super) fn unsupported(offset: u32, what: impl Into<String>) -> WasmError {
        WasmError::Unsupported { offset: u64::from(offset), what: what.into() }
    }

    pub(super) fn from_parser(error: wasmparser::Error) -> WasmError {
        WasmError::Invalid { offset: error.offset(), reason: error.message().to_string() }
    }
}

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum ValueType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Binary32 number.
    F32,
    /// Binary64 number.
    F64,
    /// Reference to a function.
    FuncRef,
    /// Reference to something of the host.
    ExternRef,
}

impl ValueType {
    /// Its width.
    pub fn sort(self) -> Sort {
        match self {
            ValueType::I32 | ValueType::F32 | ValueType::FuncRef | ValueType::ExternRef => Sort::W32,
            ValueType::I64 | ValueType::F64 => Sort::W64,
        }
    }

    pub(super) fn read(value: wasmparser::ValType, offset: u32) -> Result<ValueType, WasmError> {
        match value {
            wasmparser::ValType::I32 => Ok(ValueType::I32),
            wasmparser::ValType::I64 => Ok(ValueType::I64),
            wasmparser::ValType::F32 => Ok(ValueType::F32),
            wasmparser::ValType::F64 => Ok(ValueType::F64),
            wasmparser::ValType::Ref(reference) => ValueType::reference(reference, offset),
            wasmparser::ValType::V128 => Err(WasmError::unsupported(offset, format!("type {value}"))),
        }
    }

    fn reference(value: wasmparser::RefType, offset: u32) -> Result<ValueType, WasmError> {
        match value {
            wasmparser::RefType::FUNCREF => Ok(ValueType::FuncRef),
            wasmparser::RefType::EXTERNREF => Ok(ValueType::ExternRef),
            other => Err(WasmError::unsupported(offset, format!("type {other}"))),
        }
    }
}

/// The type of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct FunctionType {
    /// Types of the parameters.
    pub parameters: Vec<ValueType>,
    /// Types of the results.
    pub results: Vec<ValueType>,
}

/// An imported function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// Module name.
    pub module: String,
    /// Field name.
    pub field: String,
    /// Its type, an index into [`Module::types`].
    pub type_index: u32,
}

/// One operator and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// The operator.
    pub op: Op,
    /// Its byte offset in the module.
    pub offset: u32,
}

/// A function with a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its index; imports are counted.
    pub index: u32,
    /// Its type, an index into [`Module::types`].
    pub type_index: u32,
    /// Its type.
    pub signature: FunctionType,
    /// Types of all locals, parameters first.
    pub locals: Vec<ValueType>,
    /// The operators, the closing `end` included.
    pub body: Vec<Instruction>,
    /// Where branches go and what stands on the operand stack.
    pub control: Control,
}

impl Function {
    /// The position in [`Function::body`] of the operator at a byte offset of the module.
    pub fn position(&self, offset: u32) -> Option<u32> {
        let found = self.body.binary_search_by_key(&offset, |instruction| instruction.offset).ok()?;
        u32::try_from(found).ok()
    }

    /// The byte offset of the operator at a position.
    pub fn offset(&self, position: u32) -> Option<u32> {
        self.body.get(position as usize).map(|instruction| instruction.offset)
    }
}

/// A table of references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// The type of its entries.
    pub element: ValueType,
    /// Entries at instantiation; without `table.grow` that is also the size for ever.
    pub minimum: u32,
    /// The limit declared.
    pub maximum: Option<u32>,
    /// The element segment that it is, if it is one: its entries never change.
    pub segment: Option<u32>,
}

/// A linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Bytes of a page, as a power of two.
    pub page_log2: u8,
    /// Pages at instantiation, at most [`Memory::pages_max`].
    pub minimum: u32,
    /// The limit declared, in pages.
    pub maximum: Option<u32>,
    /// The data segment that it is, if it is one: its bytes are the segment's and never change.
    pub segment: Option<u32>,
}

impl Memory {
    /// Bytes at instantiation.
    pub fn minimum_bytes(&self) -> u32 {
        self.minimum << self.page_log2
    }

    /// Most pages that it may have: 32 bits count the bytes.
    pub fn pages_max(&self) -> u32 {
        u32::MAX >> self.page_log2
    }
}

/// A constant, by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Constant {
    /// An integer or float of 32 bits. A null reference is 0.
    I32(u32),
    /// An integer or float of 64 bits.
    I64(u64),
    /// A reference to the function with this index. Behind [`Module::before`] functions of another module, these are
    /// counted first.
    Function(u32),
}

/// The null reference.
pub const NULL: Constant = Constant::I32(0);

impl Constant {
    /// Its width.
    pub fn sort(self) -> Sort {
        match self {
            Constant::I32(_) | Constant::Function(_) => Sort::W32,
            Constant::I64(_) => Sort::W64,
        }
    }

    /// The function that it refers to.
    pub fn function(self) -> Option<u32> {
        match self {
            Constant::Function(function) => Some(function),
            Constant::I32(_) | Constant::I64(_) => None,
        }
    }
}

/// A global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Global {
    /// Its type.
    pub value_type: ValueType,
    /// Whether `global.set` may change it.
    pub mutable: bool,
    /// Its initial value.
    pub initial: Constant,
}

/// What an export names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Exported {
    /// The function with this index.
    Function(u32),
    /// The table with this index.
    Table(u32),
    /// The memory with this index.
    Memory(u32),
    /// The global with this index.
    Global(u32),
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// The input that it is of, where several are linked.
    pub of: Option<String>,
    /// Its name.
    pub name: String,
    /// What it names.
    pub item: Exported,
}

/// An element segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementSegment {
    /// The table that it fills at instantiation, and the first entry there.
    pub active: Option<(u32, u32)>,
    /// Whether it waits for `table.init`.
    pub is_passive: bool,
    /// The type of its references.
    pub value_type: ValueType,
    /// The references.
    pub items: Vec<Constant>,
}

/// Where an active data segment goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The memory that it fills.
    pub memory: u32,
    /// First byte of memory.
    pub start: u32,
}

/// A data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataSegment {
    /// Where instantiation puts it; a passive segment waits for `memory.init`.
    pub active: Option<Target>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An input, by what its instantiation ends with. Its segments begin where those of the input before it end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// The number of element segments up to its last.
    pub elements: usize,
    /// The number of data segments up to its last.
    pub data: usize,
    /// Its start function.
    pub start: Option<u32>,
}

/// A module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Module {
    /// Function types.
    pub types: Vec<FunctionType>,
    /// Imported functions; they have the first function indices.
    pub imports: Vec<Import>,
    /// Functions with bodies.
    pub functions: Vec<Function>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The memories.
    pub memories: Vec<Memory>,
    /// Globals.
    pub globals: Vec<Global>,
    /// Exports, in the order of the section.
    pub exports: Vec<Export>,
    /// The inputs, in the order of instantiation.
    pub instances: Vec<Instance>,
    /// Element segments, in order.
    pub elements: Vec<ElementSegment>,
    /// Data segments, in order.
    pub data: Vec<DataSegment>,
    /// Function names from the name section. For messages only.
    pub names: BTreeMap<u32, String>,
    /// What it imports beside functions, in order: kind, module and field.
    pub wanted: Vec<(Exported, String, String)>,
    /// Functions of another module that references in constants count before those of this one.
    pub before: u32,
    /// The templates that are linked behind the functions.
    pub templates: Vec<Linked>,
    /// The runtime that is linked behind the functions, if one is.
    pub runtime: Runtime,
}

impl Module {
    /// Functions, imports counted.
    pub fn function_count(&self) -> u32 {
        count(self.imports.len() + self.functions.len())
    }

    /// The function with this index, if it has a body.
    pub fn function(&self, index: u32) -> Option<&Function> {
        let defined = (index as usize).checked_sub(self.imports.len())?;
        self.functions.get(defined)
    }

    /// The first index of a function: imports of one module and field are one function.
    pub fn first_index(&self, function: u32) -> u32 {
        let Some(import) = self.imports.get(function as usize) else { return function };
        let names = |other: &Import| (&other.module, &other.field) == (&import.module, &import.field);
        self.imports.iter().position(names).map_or(function, count)
    }

    /// The type index of a function, imported or not.
    pub fn type_index(&self, function: u32) -> Option<u32> {
        match self.imports.get(function as usize) {
            Some(import) => Some(import.type_index),
            None => self.function(function).map(|found| found.type_index),
        }
    }

    /// The type of a function, imported or not.
    pub fn signature(&self, function: u32) -> Option<&FunctionType> {
        self.types.get(self.type_index(function)? as usize)
    }

    /// The number that stands for a type in a table entry: 1 + the index of the first type that
    /// is structurally equal. 0 stands for a null entry.
    pub fn type_id(&self, type_index: u32) -> Option<u32> {
        let wanted = self.types.get(type_index as usize)?;
        self.types.iter().position(|found| found == wanted).map(|first| count(first + 1))
    }

    /// Whether some function changes the length of a memory.
    pub fn length_varies(&self, memory: u32) -> bool {
        let changes = |op: &Op| *op == Op::MemoryGrow(memory) || *op == Op::MemoryDrop(memory);
        self.functions.iter().any(|function| function.body.iter().any(|found| changes(&found.op)))
    }

    /// Whether some function changes the size of a table.
    pub fn size_varies(&self, table: u32) -> bool {
        self.operators().any(|op| matches!(op, Op::TableGrow(changed) | Op::TableDrop(changed) if *changed == table))
    }

    /// The functions that references name, which have descriptors: those of element segments, of globals
    /// and of `ref.func`.
    pub fn referenced(&self) -> BTreeSet<u32> {
        let items = self.elements.iter().flat_map(|segment| segment.items.iter().filter_map(|item| item.function()));
        let initial = self.globals.iter().filter_map(|global| global.initial.function());
        let code = self.operators().filter_map(|op| match op {
            Op::RefFunc(function) => Some(*function),
            _ => None,
        });
        items.chain(initial).chain(code).collect()
    }

    pub(super) fn operators(&self) -> impl Iterator<Item = &Op> {
        self.functions.iter().flat_map(|function| function.body.iter().map(|instruction| &instruction.op))
    }

    /// What to call a function in a message.
    pub fn display_name(&self, function: u32) -> String {
        self.names.get(&function).cloned().unwrap_or_else(|| format!("function {function}"))
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).expect("the parser's limits keep counts below 2^32")
}

/// Reads a module that imports no global.
pub fn read(bytes: &[u8]) -> Result<Module, WasmError> {
    read_behind(bytes, &Before { functions: 0, value: &|_, _| None })
}

/// What a module has before it.
pub struct Before<'a> {
    /// Functions.
    pub functions: u32,
    /// The initial value of a global by module and field.
    pub value: &'a dyn Fn(&str, &str) -> Option<Constant>,
}

/// Reads a module that is to be linked behind another.
pub fn read_behind(bytes: &[u8], before: &Before<'_>) -> Result<Module, WasmError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(WasmError::Unsupported { offset: 0, what: "a module of 4 GiB".into() });
    }
    validate(bytes)?;
    let module = Module { before: before.functions, ..Module::default() };
    let mut reader = Reader { module, declared: Vec::new(), before, start: None, locals: 0 };
    let mut parser = Parser::new(0);
    parser.set_features(features());
    for payload in parser.parse_all(bytes) {
        reader.payload(payload.map_err(WasmError::from_parser)?)?;
    }
    reader.controls()?;
    let (elements, data) = (reader.module.elements.len(), reader.module.data.len());
    reader.module.instances.push(Instance { elements, data, start: reader.start });
    Ok(reader.module)
}

/// The module so far.
struct Reader<'a> {
    module: Module,
    before: &'a Before<'a>,
    start: Option<u32>,
    /// Type indices of the function section.
    declared: Vec<u32>,
    /// Declared locals of the functions read so far.
    locals: u32,
}

/// Most of them: they take memory, and a byte of Wasm can declare thousands.
const LOCALS_MAX: u32 = 1 << 22;

pub(super) fn small(offset: u64) -> u32 {
    u32::try_from(offset).expect("a module is shorter than 4 GiB")
}

impl Reader<'_> {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), WasmError> {
        match payload {
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataCountSection { .. }
            | Payload::End(_) => {}
            Payload::TypeSection(section) => {
                let start = small(section.range().start);
                for group in section {
                    self.types(group.map_err(WasmError::from_parser)?, start)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import.map_err(WasmError::from_parser)?;
                    self.import(import, small(offset))?;
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    self.declared.push(index.map_err(WasmError::from_parser)?);
                }
            }
            Payload::TableSection(section) => {
                let start = small(section.range().start);
                for table in section {
                    let table = table.map_err(WasmError::from_parser)?;
                    if !matches!(table.init, TableInit::RefNull) {
                        return Err(WasmError::unsupported(start, "a table with an initial value"));
                    }
                    self.table(table.ty, start)?;
                }
            }
            Payload::MemorySection(section) => {
                let start = small(section.range().start);
                for memory in section {
                    self.memory(memory.map_err(WasmError::from_parser)?, start)?;
                }
            }
            Payload::GlobalSection(section) => {
                let start = small(section.range().start);
                for global in section {
                    let global = global.map_err(WasmError::from_parser)?;
                    let value_type = ValueType::read(global.ty.content_type, start)?;
                    let initial = constant::value(&global.init_expr, &self.module)?;
                    self.module.globals.push(Global { value_type, mutable: global.ty.mutable, initial });
                }
            }
            Payload::ExportSection(section) => {
                let start = small(section.range().start);
                for export in section {
                    self.export(export.map_err(WasmError::from_parser)?, start)?;
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element.map_err(WasmError::from_parser)?)?;
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    self.data(data.map_err(WasmError::from_parser)?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.names(names);
                }
            }
            other => {
                let offset = other.as_section().map_or(0, |(_, range)| range.start);
                return Err(WasmError::unsupported(small(offset), format!("section {other:?}")));
            }
        }
        Ok(())
    }

    fn types(&mut self, group: wasmparser::RecGroup, offset: u32) -> Result<(), WasmError> {
        for sub_type in group.into_types() {
            let CompositeInnerType::Func(function) = sub_type.composite_type.inner else {
                return Err(WasmError::unsupported(offset, "a type that is no function type"));
            };
            let read = |types: &[wasmparser::ValType]| {
                types.iter().map(|value| ValueType::read(*value, offset)).collect::<Result<Vec<ValueType>, WasmError>>()
            };
            self.module
                .types
                .push(FunctionType { parameters: read(function.params())?, results: read(function.results())? });
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'_>, offset: u32) -> Result<(), WasmError> {
        let what = match import.ty {
            TypeRef::Func(type_index) => {
                self.module.imports.push(Import {
                    module: import.module.to_string(),
                    field: import.name.to_string(),
                    type_index,
                });
                return Ok(());
            }
            TypeRef::Memory(memory) => {
                let index = Exported::Memory(count(self.module.memories.len()));
                self.module.wanted.push((index, import.module.to_owned(), import.name.to_owned()));
                return self.memory(memory, offset);
            }
            TypeRef::Table(table) => {
                let index = Exported::Table(count(self.module.tables.len()));
                self.module.wanted.push((index, import.module.to_owned(), import.name.to_owned()));
                return self.table(table, offset);
            }
            TypeRef::Global(global) => {
                let value_type = ValueType::read(global.content_type, offset)?;
                let initial = (self.before.value)(import.module, import.name);
                let initial =
                    initial.ok_or_else(|| WasmError::unsupported(offset, "a value of this imported global"))?;
                let index = Exported::Global(count(self.module.globals.len()));
                self.module.wanted.push((index, import.module.to_owned(), import.name.to_owned()));
                self.module.globals.push(Global { value_type, mutable: global.mutable, initial });
                return Ok(());
            }
            TypeRef::Tag(_) => "an imported tag",
            TypeRef::FuncExact(_) => "an imported function of an exact type",
        };
        Err(WasmError::unsupported(offset, what))
    }

    fn table(&mut self, ty: wasmparser::TableType, offset: u32) -> Result<(), WasmError> {
        let limit = |entries: u64| u32::try_from(entries).map_err(|_| WasmError::unsupported(offset, "a 64-bit table"));
        if ty.table64 || ty.shared {
            return Err(WasmError::unsupported(offset, "a table of this kind"));
        }
        let maximum = ty.maximum.map(limit).transpose()?;
        let element = ValueType::reference(ty.element_type, offset)?;
        self.module.tables.push(Table { element, minimum: limit(ty.initial)?, maximum, segment: None });
        Ok(())
    }

    fn memory(&mut self, ty: wasmparser::MemoryType, offset: u32) -> Result<(), WasmError> {
        let page_log2 = match ty.page_size_log2 {
            None | Some(16) => PAGE_LOG2,
            Some(0) => 0,
            Some(_) => return Err(WasmError::unsupported(offset, "a page of this size")),
        };
        if ty.memory64 || ty.shared {
            return Err(WasmError::unsupported(offset, "a memory of this kind"));
        }
        let maximum = ty.maximum.map(|pages| u32::try_from(pages).unwrap_or(u32::MAX));
        let mut memory = Memory { page_log2, minimum: 0, maximum, segment: None };
        memory.minimum = u32::try_from(ty.initial)
            .ok()
            .filter(|pages| *pages <= memory.pages_max())
            .ok_or_else(|| WasmError::unsupported(offset, "a memory of 4 GiB"))?;
        self.module.memories.push(memory);
        Ok(())
    }

    fn export(&mut self, export: wasmparser::Export<'_>, offset: u32) -> Result<(), WasmError> {
        let item = match export.kind {
            ExternalKind::Func => Exported::Function(export.index),
            ExternalKind::Table => Exported::Table(export.index),
            ExternalKind::Memory => Exported::Memory(export.index),
            ExternalKind::Global => Exported::Global(export.index),
            ExternalKind::Tag | ExternalKind::FuncExact => {
                return Err(WasmError::unsupported(offset, "an export of this kind"));
            }
        };
        self.module.exports.push(Export { of: None, name: export.name.to_string(), item });
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'_>) -> Result<(), WasmError> {
        let offset = small(element.range.start);
        let is_passive = matches!(element.kind, ElementKind::Passive);
        let mut value_type = ValueType::FuncRef;
        let active = match element.kind {
            ElementKind::Active { table_index, offset_expr } => {
                Some((table_index.unwrap_or(0), segment_start(&offset_expr, &self.module)?))
            }
            ElementKind::Passive | ElementKind::Declared => None,
        };
        let mut items = Vec::new();
        match element.items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    let function = function.map_err(WasmError::from_parser)?;
                    items.push(Constant::Function(self.module.before + function));
                }
            }
            ElementItems::Expressions(ty, expressions) => {
                value_type = ValueType::reference(ty, offset)?;
                for expression in expressions {
                    let expression = expression.map_err(WasmError::from_parser)?;
                    items.push(constant::value(&expression, &self.module)?);
                }
            }
        }
        self.module.elements.push(ElementSegment { active, is_passive, value_type, items });
        Ok(())
    }

    fn data(&mut self, data: wasmparser::Data<'_>) -> Result<(), WasmError> {
        let active = match data.kind {
            wasmparser::DataKind::Passive => None,
            wasmparser::DataKind::Active { memory_index: memory, offset_expr } => {
                Some(Target { memory, start: segment_start(&offset_expr, &self.module)? })
            }
        };
        self.module.data.push(DataSegment { active, bytes: data.data.to_vec() });
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), WasmError> {
        let at = small(body.range().start);
        let defined = self.module.functions.len();
        let index = count(self.module.imports.len() + defined);
        let type_index = self.declared.get(defined).copied();
        let signature = type_index.and_then(|found| self.module.types.get(found as usize));
        let (Some(type_index), Some(signature)) = (type_index, signature.cloned()) else {
            return Err(WasmError::unsupported(at, "a body without a type"));
        };
        let mut locals = signature.parameters.clone();
        for group in body.get_locals_reader().map_err(WasmError::from_parser)? {
            let (repeat, value) = group.map_err(WasmError::from_parser)?;
            let value = ValueType::read(value, at)?;
            self.locals = self.locals.saturating_add(repeat);
            if self.locals > LOCALS_MAX {
                return Err(WasmError::unsupported(at, "a module with so many locals"));
            }
            locals.extend(std::iter::repeat_n(value, repeat as usize));
        }
        let instructions = instructions(body, &self.module)?;
        self.module.functions.push(Function {
            index,
            type_index,
            signature,
            locals,
            body: instructions,
            control: Control::default(),
        });
        Ok(())
    }

    /// Makes the side tables, once the types of all callees are known.
    fn controls(&mut self) -> Result<(), WasmError> {
        let tables = self
            .module
            .functions
            .iter()
            .map(|function| control::run(&self.module, &function.signature, &function.locals, &function.body));
        let tables = tables.collect::<Result<Vec<Control>, WasmError>>()?;
        for (function, table) in self.module.functions.iter_mut().zip(tables) {
            function.control = table;
        }
        Ok(())
    }

    /// Names are for messages, so a damaged name section only loses them.
    fn names(&mut self, names: wasmparser::NameSectionReader<'_>) {
        for name in names.into_iter().flatten() {
            if let Name::Function(map) = name {
                for naming in map.into_iter().flatten() {
                    self.module.names.insert(naming.index, naming.name.to_string());
                }
            }
        }
    }
}

fn instructions(body: &FunctionBody<'_>, module: &Module) -> Result<Vec<Instruction>, WasmError> {
    let operators = body.get_operators_reader().map_err(WasmError::from_parser)?;
    let mut decoded = Vec::new();
    for operator in operators.into_iter_with_offsets() {
        let (operator, offset) = operator.map_err(WasmError::from_parser)?;
        let offset = small(offset);
        decoded.push(Instruction { op: op::decode(&operator, offset, module)?, offset });
    }
    Ok(decoded)
}

fn segment_start(expression: &ConstExpr<'_>, module: &Module) -> Result<u32, WasmError> {
    match constant::value(expression, module)? {
        Constant::I32(start) => Ok(start),
        Constant::I64(_) | Constant::Function(_) => {
            let offset = small(expression.get_binary_reader().original_position());
            Err(WasmError::unsupported(offset, "a 64-bit segment offset"))
        }
    }
}
