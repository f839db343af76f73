//! Several modules made one: what each imports from those before it is bound by name.
//!
//! Ensures: the whole is instantiated in the order of the inputs (core spec, 4.5.4): the segments of
//! each, then its start function. The same input twice is two instances. A function that no input
//! has stays an import.

use std::collections::{BTreeMap, BTreeSet};

use super::link::Bindings;
use super::module::{Code, Export, ExportKind, Import, MemoryDecl, Module, TableDecl};
use super::parse::{parse, unbound};
use crate::config::Config;
use crate::error::Error;

/// A module, and the name by which others import from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input<'a> {
    /// The name.
    pub name: &'a str,
    /// The binary module.
    pub wasm: &'a [u8],
}

/// Reads and links the inputs. Exports of several are told apart by the inputs' names.
///
/// # Errors
/// An input is refused, or an import does not fit what it is bound to.
pub fn run(inputs: &[Input], config: &Config) -> Result<Module, Error> {
    if let [only] = inputs {
        return parse(only.wasm, config);
    }
    let mut whole = Module::default();
    let mut names = BTreeSet::new();
    for input in inputs {
        if !names.insert(input.name) {
            let message = format!("two inputs are named `{}`", input.name);
            return Err(Error::link(message, "name one of them by NAME=PATH"));
        }
        let mut other = parse(input.wasm, config)?;
        let bindings = Binder { whole: &whole, names: &names, input: input.name, other: &other }.run()?;
        other.imports.clear();
        for export in whole.link(other, &bindings) {
            whole.exports.push(Export { of: Some(input.name.to_owned()), ..export });
        }
    }
    Ok(whole)
}

/// Finds what the imports of a module are bound to.
struct Binder<'a> {
    whole: &'a Module,
    names: &'a BTreeSet<&'a str>,
    input: &'a str,
    other: &'a Module,
}

impl Binder<'_> {
    fn run(&self) -> Result<Bindings, Error> {
        let exports: BTreeMap<(&str, &str), ExportKind> = self
            .whole
            .exports
            .iter()
            .filter_map(|export| Some(((export.of.as_deref()?, export.name.as_str()), export.kind)))
            .collect();
        let find = |module: &str, field: &str| match exports.get(&(module, field)) {
            None if self.names.contains(module) => Err(self.unknown(module, field)),
            found => Ok(found.copied()),
        };
        let mut bindings = Bindings::default();
        for declared in self.other.functions.values() {
            let Code::Import { module, field, .. } = &declared.code else { break };
            let wanted = &self.other.types[declared.ty];
            bindings.functions.push(match find(module, field)? {
                None => None,
                Some(ExportKind::Function(function)) if self.whole.function_type(function) == wanted => Some(function),
                Some(_) => return Err(self.incompatible(module, field)),
            });
        }
        for Import { module, field, kind, offset } in &self.other.imports {
            let found = find(module, field)?.ok_or_else(|| unbound(module, field, *offset))?;
            match (found, *kind) {
                (ExportKind::Memory(found), ExportKind::Memory(wanted))
                    if memory_fits(&self.whole.memories[found], &self.other.memories[wanted]) =>
                {
                    bindings.memories.push(found);
                }
                (ExportKind::Global(found), ExportKind::Global(wanted)) => {
                    let (is, asked) = (&self.whole.globals[found], &self.other.globals[wanted]);
                    if (is.ty, is.mutable) != (asked.ty, asked.mutable) {
                        return Err(self.incompatible(module, field));
                    }
                    bindings.globals.push(found);
                }
                (ExportKind::Table(found), ExportKind::Table(wanted))
                    if table_fits(&self.whole.tables[found], &self.other.tables[wanted]) =>
                {
                    bindings.tables.push(found);
                }
                _ => return Err(self.incompatible(module, field)),
            }
        }
        Ok(bindings)
    }

    fn unknown(&self, module: &str, field: &str) -> Error {
        let message = format!("unknown import: `{}` imports `{module}.{field}`, which is not exported", self.input);
        Error::link(message, "export it, or give the module that exports it before the one that imports it")
    }

    fn incompatible(&self, module: &str, field: &str) -> Error {
        let message =
            format!("incompatible import type: `{}` imports `{module}.{field}` as what it is not", self.input);
        Error::link(message, "make both declarations the same")
    }
}

/// Whether a memory may stand for an imported one (core spec, 3.2.8: limits).
fn memory_fits(memory: &MemoryDecl, wanted: &MemoryDecl) -> bool {
    memory.page_log2 == wanted.page_log2
        && within((memory.initial_pages, memory.maximum_pages), (wanted.initial_pages, wanted.maximum_pages))
}

/// Whether a table may stand for an imported one (core spec, 3.2.8: table types).
fn table_fits(table: &TableDecl, wanted: &TableDecl) -> bool {
    table.ty == wanted.ty && within((table.initial, table.maximum), (wanted.initial, wanted.maximum))
}

/// Whether limits allow no more than others (core spec, 3.2.8: limits).
fn within(limits: (u32, Option<u32>), wanted: (u32, Option<u32>)) -> bool {
    let has_limit = |limit: u32| limits.1.is_some_and(|maximum| maximum <= limit);
    limits.0 >= wanted.0 && wanted.1.is_none_or(has_limit)
}
