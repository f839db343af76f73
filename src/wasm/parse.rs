//! Bytes to [`Module`].
//!
//! Ensures: the module is valid under the features in scope, and everything it contains is
//! supported; so translation, optimisation, lowering and allocation cannot fail.
//!
//! A module that is valid only under more features is `Unsupported`; one that is valid under none
//! is `Invalid`.

use std::collections::BTreeMap;

use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Parser, Payload,
    TableInit, TypeRef, Validator, WasmFeatures,
};

use super::constant::Constant;
use super::decode;
use super::inst::Inst;
use super::module::{
    Author, Body, Code, Data, DataMode, Element, ElementMode, Export, ExportKind, FuncDecl, GlobalDecl, Import,
    Instance, MemoryDecl, Module, TableDecl, TypeIndex,
};
use super::names;
use super::types::{FunctionType, ValueType};
use crate::config::{Config, LOADED_BYTES_MAX, LOCALS_MAX, TABLE_ENTRIES_MAX};
use crate::entity::Entity;
use crate::error::Error;
use crate::ir::op::{Function, Global, Memory, Table};

/// The proposals in scope.
const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::REFERENCE_TYPES);

/// A growing table has room for this many entries, or for its declared maximum if that is less, without
/// being asked.
const TABLE_ENTRIES_DEFAULT: u32 = 1024;

/// A declared maximum up to this many bytes is reserved without being asked for.
const SMALL_BYTES: u32 = 1 << 20;

/// A page where none is declared (core spec, 4.2.8), as a power of two.
const PAGE_LOG2: u8 = 16;

/// What a user can do about a construct that is missing here.
const REMEDY: &str = "compile the source without that feature; the README lists what is supported";

/// Reads and validates a binary module.
pub fn parse(bytes: &[u8], config: &Config) -> Result<Module, Error> {
    validate(bytes)?;
    let mut builder = Builder::default();
    for payload in Parser::new(0).parse_all(bytes) {
        builder.payload(payload.map_err(malformed)?)?;
    }
    builder.finish(config)
}

fn malformed(error: wasmparser::Error) -> Error {
    Error::invalid(error.offset(), error.message())
}

fn validate(bytes: &[u8]) -> Result<(), Error> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::too_big(None, "the module exceeds 4 GiB", "split it"));
    }
    if Parser::is_component(bytes) {
        let remedy = "extract the core module from it";
        return Err(Error::unsupported(0, "this is a component, not a core module", remedy));
    }
    let Err(error) = Validator::new_with_features(FEATURES).validate_all(bytes) else {
        return Ok(());
    };
    if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes) {
        return Err(malformed(error));
    }
    // What the parser names may be one of several; what is enough to accept the module is the one.
    let enough = |flag: &WasmFeatures| Validator::new_with_features(FEATURES.union(*flag)).validate_all(bytes).is_ok();
    let named = error.missing_wasm_feature().filter(|flag| !FEATURES.contains(*flag));
    let proposal = named.or_else(|| WasmFeatures::all().iter().find(enough)).and_then(|features| {
        let name = features.iter_names().next()?.0;
        Some(format!("the {} proposal is not supported", name.to_lowercase().replace('_', "-")))
    });
    let message = match proposal {
        Some(proposal) => format!("{proposal}: {}", error.message()),
        None => format!("beyond what is supported: {}", error.message()),
    };
    Err(Error::unsupported(error.offset(), message, REMEDY))
}

#[derive(Default)]
struct Builder {
    module: Module,
    /// Types of functions whose bodies have not been read.
    declared: std::collections::VecDeque<TypeIndex>,
    /// How many locals the bodies read so far declare.
    locals: u64,
    names: BTreeMap<u32, String>,
    start: Option<Function>,
}

impl Builder {
    fn payload(&mut self, payload: Payload) -> Result<(), Error> {
        match payload {
            Payload::TypeSection(reader) => self.types(reader),
            Payload::ImportSection(reader) => self.imports(reader),
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    let ty = TypeIndex(ty.map_err(malformed)?);
                    self.declared.push_back(ty);
                }
                Ok(())
            }
            Payload::TableSection(reader) => self.tables(reader),
            Payload::MemorySection(reader) => self.memories(reader),
            Payload::GlobalSection(reader) => self.globals(reader),
            Payload::ExportSection(reader) => self.exports(reader),
            Payload::StartSection { func, .. } => {
                self.start = Some(Function(func));
                Ok(())
            }
            Payload::ElementSection(reader) => self.elements(reader),
            Payload::DataSection(reader) => self.data(reader),
            Payload::CodeSectionEntry(body) => self.body(&body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(reader) = section.as_known() {
                    self.names = names::function_names(reader);
                }
                Ok(())
            }
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataCountSection { .. }
            | Payload::End(_) => Ok(()),
            other => {
                let offset = other.as_section().map(|(_, range)| range.start);
                Err(Error::unsupported(offset, "this section is not supported", REMEDY))
            }
        }
    }

    fn types(&mut self, reader: wasmparser::TypeSectionReader) -> Result<(), Error> {
        let offset = reader.range().start;
        for ty in reader.into_iter_err_on_gc_types() {
            let ty = ty.map_err(malformed)?;
            let convert = |types: &[wasmparser::ValType]| {
                types.iter().map(|ty| decode::value_type(*ty, offset)).collect::<Result<Vec<_>, _>>()
            };
            let (params, results) = (convert(ty.params())?, convert(ty.results())?);
            self.module.types.push(FunctionType { params, results });
        }
        Ok(())
    }

    fn imports(&mut self, reader: wasmparser::ImportSectionReader) -> Result<(), Error> {
        for import in reader.into_imports_with_offsets() {
            let (offset, import) = import.map_err(malformed)?;
            let (module, field) = (import.module.to_string(), import.name.to_string());
            let ty = match import.ty {
                TypeRef::Func(ty) => TypeIndex(ty),
                TypeRef::Memory(memory) => {
                    let kind = ExportKind::Memory(self.memory(memory, offset)?);
                    self.module.imports.push(Import { module, field, kind, offset });
                    continue;
                }
                TypeRef::Table(table) => {
                    let kind = ExportKind::Table(self.table(table, offset)?);
                    self.module.imports.push(Import { module, field, kind, offset });
                    continue;
                }
                TypeRef::Global(global) => {
                    let ty = decode::value_type(global.content_type, offset)?;
                    let initial = Constant::unknown(self.module.globals.next_key());
                    let decl = GlobalDecl { ty, mutable: global.mutable, initial };
                    let kind = ExportKind::Global(self.module.globals.push(decl));
                    self.module.imports.push(Import { module, field, kind, offset });
                    continue;
                }
                TypeRef::Tag(_) | TypeRef::FuncExact(_) => {
                    let message = format!("the import `{module}.{field}` is of a kind that is not supported");
                    return Err(Error::unsupported(offset, message, REMEDY));
                }
            };
            let code = Code::Import { module, field, offset };
            self.module.functions.push(FuncDecl { ty, name: String::new(), code });
        }
        Ok(())
    }

    fn tables(&mut self, reader: wasmparser::TableSectionReader) -> Result<(), Error> {
        for table in reader.into_iter_with_offsets() {
            let (offset, table) = table.map_err(malformed)?;
            if !matches!(table.init, TableInit::RefNull) {
                let message = "a table with an initial value is not supported";
                return Err(Error::unsupported(offset, message, REMEDY));
            }
            self.table(table.ty, offset)?;
        }
        Ok(())
    }

    fn table(&mut self, table: wasmparser::TableType, offset: u64) -> Result<Table, Error> {
        let initial = u32::try_from(table.initial).ok().filter(|entries| *entries <= TABLE_ENTRIES_MAX);
        let initial = initial.ok_or_else(|| {
            let message = format!("the table has {} entries, at most {TABLE_ENTRIES_MAX} fit", table.initial);
            Error::too_big(offset, message, "make it smaller")
        })?;
        Ok(self.module.tables.push(TableDecl {
            ty: decode::reference_type(table.element_type, offset)?,
            initial,
            maximum: table.maximum.map(|entries| u32::try_from(entries).unwrap_or(u32::MAX)),
            reserve: initial,
            changes: false,
            varies: false,
            segment: None,
            offset,
        }))
    }

    fn memories(&mut self, reader: wasmparser::MemorySectionReader) -> Result<(), Error> {
        for memory in reader.into_iter_with_offsets() {
            let (offset, memory) = memory.map_err(malformed)?;
            self.memory(memory, offset)?;
        }
        Ok(())
    }

    fn memory(&mut self, memory: wasmparser::MemoryType, offset: u64) -> Result<Memory, Error> {
        let page_log2 = memory.page_size_log2.map_or(PAGE_LOG2, |log2| log2 as u8);
        let initial_pages = u32::try_from(memory.initial).ok().filter(|pages| *pages <= u32::MAX >> page_log2);
        let Some(initial_pages) = initial_pages else {
            let message = "a memory of 4 GiB does not fit the target's address space";
            return Err(Error::too_big(offset, message, "declare a smaller memory"));
        };
        Ok(self.module.memories.push(MemoryDecl {
            page_log2,
            initial_pages,
            maximum_pages: memory.maximum.map(|pages| u32::try_from(pages).unwrap_or(u32::MAX)),
            reserve_pages: initial_pages,
            varies: false,
            segment: None,
            offset,
        }))
    }

    fn globals(&mut self, reader: wasmparser::GlobalSectionReader) -> Result<(), Error> {
        for global in reader.into_iter_with_offsets() {
            let (offset, global) = global.map_err(malformed)?;
            let ty = decode::value_type(global.ty.content_type, offset)?;
            let initial = Constant::read(&global.init_expr, &self.module.globals)?;
            self.module.globals.push(GlobalDecl { ty, mutable: global.ty.mutable, initial });
        }
        Ok(())
    }

    fn exports(&mut self, reader: wasmparser::ExportSectionReader) -> Result<(), Error> {
        for export in reader.into_iter_with_offsets() {
            let (offset, export) = export.map_err(malformed)?;
            let kind = match export.kind {
                ExternalKind::Func => ExportKind::Function(Function(export.index)),
                ExternalKind::Memory => ExportKind::Memory(Memory(export.index)),
                ExternalKind::Table => ExportKind::Table(Table(export.index)),
                ExternalKind::Global => ExportKind::Global(Global(export.index)),
                ExternalKind::Tag | ExternalKind::FuncExact => {
                    let message = format!("the export `{}` is not supported", export.name);
                    return Err(Error::unsupported(offset, message, REMEDY));
                }
            };
            self.module.exports.push(Export { of: None, name: export.name.to_string(), kind });
        }
        Ok(())
    }

    fn elements(&mut self, reader: wasmparser::ElementSectionReader) -> Result<(), Error> {
        for element in reader.into_iter_with_offsets() {
            let (offset, element) = element.map_err(malformed)?;
            let mode = match element.kind {
                ElementKind::Active { table_index, offset_expr } => {
                    let offset = Constant::read(&offset_expr, &self.module.globals)?;
                    ElementMode::Active { table: Table(table_index.unwrap_or(0)), offset }
                }
                ElementKind::Passive => ElementMode::Passive,
                ElementKind::Declared => ElementMode::Declared,
            };
            let read = |expression: ConstExpr| Constant::read(&expression, &self.module.globals);
            let (ty, items) = match element.items {
                ElementItems::Functions(functions) => {
                    let functions = functions.into_iter();
                    let items = functions.map(|f| f.map(|f| Constant::Function(Function(f))).map_err(malformed));
                    (ValueType::FuncRef, items.collect::<Result<Vec<_>, _>>()?)
                }
                ElementItems::Expressions(ty, expressions) => {
                    let items = expressions.into_iter().map(|item| read(item.map_err(malformed)?));
                    (decode::reference_type(ty, offset)?, items.collect::<Result<Vec<_>, _>>()?)
                }
            };
            self.module.elements.push(Element { mode, ty, items });
        }
        Ok(())
    }

    fn data(&mut self, reader: wasmparser::DataSectionReader) -> Result<(), Error> {
        for data in reader.into_iter_with_offsets() {
            let (_, data) = data.map_err(malformed)?;
            let mode = match data.kind {
                DataKind::Passive => DataMode::Passive,
                DataKind::Active { memory_index, offset_expr } => {
                    let offset = Constant::read(&offset_expr, &self.module.globals)?;
                    DataMode::Active { memory: Memory(memory_index), offset }
                }
            };
            self.module.data.push(Data { mode, bytes: data.data.to_vec() });
        }
        Ok(())
    }

    fn body(&mut self, reader: &FunctionBody) -> Result<(), Error> {
        let ty = self.declared.pop_front().expect("validation counts bodies");
        let mut locals = self.module.types[ty].signature().param_types();
        let mut groups = reader.get_locals_reader().map_err(malformed)?;
        for _ in 0..groups.get_count() {
            let offset = groups.original_position();
            let (count, ty) = groups.read().map_err(malformed)?;
            self.locals += u64::from(count);
            if self.locals > LOCALS_MAX {
                let message = format!("the functions have more than {LOCALS_MAX} locals");
                return Err(Error::too_big(offset, message, "split the module"));
            }
            let ty = decode::value_type(ty, offset)?.carrier();
            locals.extend(std::iter::repeat_n(ty, count as usize));
        }
        let (mut insts, mut offsets) = (Vec::new(), Vec::new());
        for operator in reader.get_operators_reader().map_err(malformed)?.into_iter_with_offsets() {
            let (operator, offset) = operator.map_err(malformed)?;
            insts.push(decode::inst(&operator, offset, &self.module)?);
            offsets.push(offset as u32);
        }
        let code = Code::Body(Body { author: Author::User, locals, insts, offsets });
        self.module.functions.push(FuncDecl { ty, name: String::new(), code });
        Ok(())
    }

    fn finish(mut self, config: &Config) -> Result<Module, Error> {
        assert!(self.declared.is_empty(), "validation counts bodies");
        self.name_functions();
        let (elements, data) = (self.module.elements.len(), self.module.data.len());
        self.module.instances.push(Instance { elements, data, start: self.start });
        settle(&mut self.module, config)?;
        Ok(self.module)
    }

    fn name_functions(&mut self) {
        for (index, function) in self.module.functions.iter_mut() {
            function.name = match &function.code {
                Code::Import { module, field, .. } => format!("{module}.{field}"),
                Code::Body(_) => format!("f{}", index.index()),
            };
        }
        for export in self.module.exports.iter().rev() {
            if let ExportKind::Function(function) = export.kind {
                self.module.functions[function].name = export.name.clone();
            }
        }
        for (index, name) in std::mem::take(&mut self.names) {
            if (index as usize) < self.module.functions.len() {
                self.module.functions[Function(index)].name = name;
            }
        }
    }
}

/// Entries to set aside for a table.
fn reserve_entries(table: &TableDecl, config: &Config) -> Result<u32, Error> {
    let limit = config.table_max.unwrap_or(TABLE_ENTRIES_DEFAULT.max(table.initial));
    if limit < table.initial {
        let message = format!("a table starts with {} entries, more than the limit allows", table.initial);
        return Err(Error::too_big(table.offset, message, "raise --table-max or declare a smaller table"));
    }
    match table.varies && table.segment.is_none() {
        true => Ok(limit.min(table.maximum.unwrap_or(u32::MAX)).clamp(table.initial, TABLE_ENTRIES_MAX)),
        false => Ok(table.initial),
    }
}

/// Refuses imports that are bound to nothing and cannot be left to a linker of objects: what is no function, and two
/// types under one name, which would be one symbol.
pub fn require_closed(module: &Module) -> Result<(), Error> {
    if let Some(import) = module.imports.first() {
        return Err(unbound(import));
    }
    let mut types: BTreeMap<(&str, &str), &FunctionType> = BTreeMap::new();
    for function in module.functions.values() {
        let Code::Import { module: of, field, offset } = &function.code else { break };
        let ty = &module.types[function.ty];
        if types.insert((of, field), ty).is_some_and(|known| known != ty) {
            let message = format!("the import `{of}.{field}` is declared with two types");
            return Err(Error::unsupported(*offset, message, "import the second function by another name"));
        }
    }
    Ok(())
}

/// No input has what an import asks for, and the host has only functions.
pub(super) fn unbound(Import { module, field, kind, offset }: &Import) -> Error {
    let (kind, example) = match kind {
        ExportKind::Function(_) => unreachable!("it is left to the host"),
        ExportKind::Memory(_) => ("memory", "(module (memory (export \"..\") 1))"),
        ExportKind::Table(_) => ("table", "(module (table (export \"..\") 8 funcref))"),
        ExportKind::Global(_) => ("global", "(module (global (export \"..\") i32 (i32.const 0)))"),
    };
    let message = format!("no input provides the {kind} that is imported as `{module}.{field}`");
    let remedy = format!("give the module that defines it as another input before this: {module}=FILE, with {example}");
    Error::unsupported(*offset, message, remedy)
}

/// Says of each memory and table what varies, and what to set aside for it.
pub fn settle(module: &mut Module, config: &Config) -> Result<(), Error> {
    for function in module.functions.values() {
        let Code::Body(body) = &function.code else { continue };
        for inst in &body.insts {
            match inst {
                Inst::MemoryGrow(memory) | Inst::MemoryDrop(memory) => module.memories[*memory].varies = true,
                Inst::TableSet(table) => module.tables[*table].changes = true,
                Inst::TableGrow(table) | Inst::TableDrop(table) => module.tables[*table].varies = true,
                _ => {}
            }
        }
    }
    for memory in module.memories.values_mut() {
        memory.reserve_pages = reserve_pages(memory, config)?;
    }
    for table in module.tables.values_mut() {
        table.reserve = reserve_entries(table, config)?;
    }
    Ok(())
}

/// Refuses memories that are larger together than a program may be. Requires: they are settled.
pub fn require_room(module: &Module) -> Result<(), Error> {
    let mut total = 0;
    for memory in module.memories.values() {
        total += u64::from(memory.reserve_bytes());
        if total > LOADED_BYTES_MAX {
            let message = format!("memory takes {total} bytes, at most {LOADED_BYTES_MAX} fit");
            return Err(Error::too_big(memory.offset, message, "declare less memory, or lower --memory-max"));
        }
    }
    Ok(())
}

/// Pages to set aside for a memory.
fn reserve_pages(memory: &MemoryDecl, config: &Config) -> Result<u32, Error> {
    let initial = memory.initial_pages;
    let limit = config.memory_max.map(|bytes| bytes >> memory.page_log2);
    if limit.is_some_and(|limit| limit < initial) {
        let message = format!("the memory starts with {initial} pages, more than the limit allows");
        return Err(Error::too_big(memory.offset, message, "raise --memory-max or declare less memory"));
    }
    if !memory.varies || memory.segment.is_some() {
        return Ok(initial);
    }
    let pages_max = u32::MAX >> memory.page_log2;
    let declared = memory.maximum_pages.unwrap_or(pages_max);
    let wanted = match limit {
        Some(limit) => limit.min(declared),
        None if declared <= SMALL_BYTES >> memory.page_log2 => declared,
        None => initial,
    };
    Ok(wanted.clamp(initial, pages_max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::op::Type;
    use crate::wasm::ValueType;

    fn parse_text(text: &str) -> Result<Module, Error> {
        parse(&wat::parse_str(text).expect("text assembles"), &Config::default())
    }

    fn refused(text: &str) -> String {
        parse_text(text).expect_err("must be refused").to_string()
    }

    #[test]
    fn floats_are_their_bits() {
        let module = parse_text(
            "(module (global f64 (f64.const -0)) (type (func (param f32))) (type (func (param i32)))
                (func (param f32) (local f64) (drop (f32.const nan:0x200000))))",
        );
        let module = module.expect("valid");
        assert_eq!(
            module.globals[Global(0)],
            GlobalDecl { ty: ValueType::F64, mutable: false, initial: Constant::Value(1 << 63) }
        );
        let Code::Body(body) = &module.functions[Function(0)].code else { panic!("it has a body") };
        assert_eq!(body.locals, [Type::I32, Type::I64]);
        assert_eq!(body.insts[0], Inst::Const(Type::I32, 0x7fa0_0000));
        assert_eq!(module.types.keys().map(|ty| module.type_id(ty)).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_proposal_out_of_scope_is_named() {
        for (text, word) in [
            ("(module (func (drop (v128.const i32x4 0 0 0 0))))", "simd"),
            ("(module (memory i64 1))", "memory64"),
            ("(module (table 1 anyref))", "gc"),
            ("(module (memory 1 1 shared))", "threads"),
        ] {
            let error = refused(text);
            assert!(error.starts_with("unsupported: ") && error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn an_invalid_module_is_invalid_under_every_feature() {
        for text in [
            "(module (func (result i32)))",
            "(module (func (drop (i32.add (i32.const 1) (i64.const 1)))))",
            "(module (func (br 1)))",
            "(module (func (call 7)))",
        ] {
            let error = refused(text);
            assert!(error.starts_with("invalid module: "), "{text}: {error}");
        }
        let cut = parse(b"\0asm\x01\0\0", &Config::default()).expect_err("too short");
        assert_eq!(cut.kind(), "invalid module");
    }

    #[test]
    fn what_is_bound_to_nothing_is_refused() {
        let module = parse_text("(module (import \"a\" \"b\" (memory 1)))").expect("valid");
        let error = require_closed(&module).expect_err("must be refused").to_string();
        assert!(error.contains("no input provides the memory that is imported as `a.b`"), "{error}");
        assert!(error.contains("a=FILE, with (module"), "{error}");
    }

    #[test]
    fn the_reserve_follows_growth_and_limits() {
        let reserve = |text: &str, memory_max: Option<u32>| {
            let bytes = wat::parse_str(text).expect("text assembles");
            let config = Config { memory_max, ..Config::default() };
            parse(&bytes, &config).map(|module| module.memories[Memory(0)].reserve_pages)
        };
        let grows = "(module (memory 1 8) (func (drop (memory.grow (i32.const 1)))))";
        let endless = "(module (memory 1) (func (drop (memory.grow (i32.const 1)))))";
        assert_eq!(reserve("(module (memory 2 8))", None), Ok(2));
        assert_eq!(reserve(grows, None), Ok(8));
        assert_eq!(reserve(endless, None), Ok(1));
        assert_eq!(reserve(endless, Some(3 << PAGE_LOG2)), Ok(3));
        assert_eq!(reserve(grows, Some(100 << PAGE_LOG2)), Ok(8));
        assert!(matches!(reserve(grows, Some(100)), Err(Error::TooBig(_))));
        let bytes = "(module (memory 100 2000000 (pagesize 1)) (func (drop (memory.grow (i32.const 1)))))";
        assert_eq!(reserve(bytes, None), Ok(100));
        assert_eq!(reserve(bytes, Some(3000)), Ok(3000));
        assert_eq!(reserve(&bytes.replace("2000000", "1048576"), None), Ok(1 << 20));
        let whole = "(module (memory 4294967295 (pagesize 1)))";
        assert_eq!(reserve(whole, None), Ok(u32::MAX));
    }

    #[test]
    fn memories_that_fit_nowhere_are_too_big() {
        let room = |text: &str| require_room(&parse_text(text).expect("valid"));
        assert_eq!(room("(module (memory 2048))"), Ok(()));
        assert!(matches!(room("(module (memory 2049))"), Err(Error::TooBig(_))));
        assert_eq!(room("(module (memory 1024) (memory 1024))"), Ok(()));
        let error = room("(module (memory 1024) (memory 1025))").expect_err("must be refused");
        assert_eq!(error.details().offset, Some(0xe));
    }

    #[test]
    fn a_table_that_fits_nowhere_is_too_big() {
        assert!(parse_text("(module (table 1048576 funcref))").is_ok());
        assert!(matches!(parse_text("(module (table 1048577 funcref))"), Err(Error::TooBig(_))));
    }

    #[test]
    fn equal_types_share_an_id() {
        let module = parse_text("(module (type (func)) (type (func (param i32))) (type (func)))");
        let module = module.expect("valid");
        assert_eq!(module.types.keys().map(|ty| module.type_id(ty)).collect::<Vec<_>>(), [1, 2, 1]);
    }
}
