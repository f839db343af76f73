//! Several modules made one: what each imports from those before it is bound by name.
//!
//! Ensures: the whole is instantiated in the order of the inputs (core spec, 4.5.4): the segments of
//! each, then its start function. The same input twice is two instances. A function that no input
//! has stays an import.

use std::collections::BTreeMap;

use super::guard::{self, Guard, Sized};
use super::instantiation::{self, Step};
use super::link::Bindings;
use super::module::{Code, DataMode, ElementMode, Export, ExportKind, Import, Module};
use super::parse::{parse, require_closed, require_room, unbound};
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
    let mut whole = Module::default();
    if let [only] = inputs {
        whole = parse(only.wasm, config)?;
        require_closed(&whole)?;
        require_room(&whole)?;
        return Ok(whole);
    }
    for number in 0..inputs.len() {
        add(&mut whole, inputs, number, config).map_err(|error| error.of(number))?;
    }
    Ok(whole)
}

/// Links an input behind those before it.
fn add(whole: &mut Module, inputs: &[Input], number: usize, config: &Config) -> Result<(), Error> {
    let (before, input) = (&inputs[..number], &inputs[number]);
    if before.iter().any(|other| other.name == input.name) {
        let message = format!("two inputs are named `{}`", input.name);
        return Err(Error::link(message, "name one of them by NAME=PATH"));
    }
    let mut other = parse(input.wasm, config)?;
    let (bindings, guards) = Binder { whole, inputs, number, other: &other }.run()?;
    other.imports.clear();
    let pauses = instantiation::run(whole).iter().any(|step| !matches!(step, Step::Elements(_) | Step::Data(_)));
    let may_grow = |of: Sized| pauses && guard::grows(whole, of);
    let memories = bindings.memories.iter().copied().filter(|memory| may_grow(Sized::Memory(*memory)));
    let tables = bindings.tables.iter().copied().filter(|table| may_grow(Sized::Table(*table)));
    let grown = (memories.collect::<Vec<_>>(), tables.collect::<Vec<_>>());
    guards.into_iter().for_each(|guard| guard::run(whole, guard));
    for export in whole.link(other, &bindings) {
        whole.exports.push(Export { of: Some(input.name.to_owned()), ..export });
    }
    require_closed(whole)?;
    require_room(whole)?;
    let is_by_growth = |step: &Step| match step {
        Step::DataOutside(index) => {
            matches!(whole.data[*index].mode, DataMode::Active { memory, .. } if grown.0.contains(&memory))
        }
        Step::ElementsOutside(index) => {
            matches!(whole.elements[*index].mode, ElementMode::Active { table, .. } if grown.1.contains(&table))
        }
        Step::Data(_) | Step::Elements(_) | Step::Start(_) => false,
    };
    if instantiation::last(whole).iter().any(is_by_growth) {
        let message = format!(
            "a segment of `{}` lies beyond what a memory or table starts with, which may grow before",
            input.name
        );
        return Err(Error::link(message, "declare it as large as its segments need"));
    }
    Ok(())
}

/// Finds what the imports of a module are bound to.
struct Binder<'a> {
    whole: &'a Module,
    inputs: &'a [Input<'a>],
    number: usize,
    other: &'a Module,
}

impl Binder<'_> {
    fn run(&self) -> Result<(Bindings, Vec<Guard>), Error> {
        let exports: BTreeMap<(&str, &str), ExportKind> = self
            .whole
            .exports
            .iter()
            .filter_map(|export| Some(((export.of.as_deref()?, export.name.as_str()), export.kind)))
            .collect();
        let find = |module: &str, field: &str| match exports.get(&(module, field)) {
            Some(found) => Ok(Some(*found)),
            None => self.absent(module, field).map(|()| None),
        };
        let (mut bindings, mut guards) = (Bindings::default(), Vec::new());
        for declared in self.other.functions.values() {
            let Code::Import { module, field, .. } = &declared.code else { break };
            let wanted = &self.other.types[declared.ty];
            bindings.functions.push(match find(module, field)? {
                None => None,
                Some(ExportKind::Function(function)) if self.whole.function_type(function) == wanted => Some(function),
                Some(_) => return Err(self.incompatible(module, field)),
            });
        }
        for import in &self.other.imports {
            let Import { module, field, kind, .. } = import;
            let found = find(module, field)?.ok_or_else(|| unbound(import))?;
            match (found, *kind) {
                (ExportKind::Memory(found), ExportKind::Memory(wanted)) => {
                    let (is, asked) = (&self.whole.memories[found], &self.other.memories[wanted]);
                    let limits = [(is.initial_pages, is.maximum_pages), (asked.initial_pages, asked.maximum_pages)];
                    let fits = self.fits(Sized::Memory(found), limits).filter(|_| is.page_log2 == asked.page_log2);
                    guards.extend(fits.ok_or_else(|| self.incompatible(module, field))?);
                    bindings.memories.push(found);
                }
                (ExportKind::Global(found), ExportKind::Global(wanted)) => {
                    let (is, asked) = (&self.whole.globals[found], &self.other.globals[wanted]);
                    if (is.ty, is.mutable) != (asked.ty, asked.mutable) {
                        return Err(self.incompatible(module, field));
                    }
                    bindings.globals.push(found);
                }
                (ExportKind::Table(found), ExportKind::Table(wanted)) => {
                    let (is, asked) = (&self.whole.tables[found], &self.other.tables[wanted]);
                    let limits = [(is.initial, is.maximum), (asked.initial, asked.maximum)];
                    let fits = self.fits(Sized::Table(found), limits).filter(|_| is.ty == asked.ty);
                    guards.extend(fits.ok_or_else(|| self.incompatible(module, field))?);
                    bindings.tables.push(found);
                }
                _ => return Err(self.incompatible(module, field)),
            }
        }
        Ok((bindings, guards))
    }

    /// Whether limits allow no more than others (core spec, 3.2.8): they do, if a guard holds; `None` if they never do.
    fn fits(&self, of: Sized, [is, asked]: [(u32, Option<u32>); 2]) -> Option<Option<Guard>> {
        let is_limited = asked.1.is_none_or(|limit| is.1.is_some_and(|maximum| maximum <= limit));
        let may_become = || is.1.is_none_or(|maximum| asked.0 <= maximum) && guard::grows(self.whole, of);
        match is_limited {
            true if is.0 >= asked.0 => Some(None),
            true if may_become() => Some(Some(Guard { of, least: asked.0 })),
            true | false => None,
        }
    }

    /// Refuses an import that no input before this has, if an input has the name of its module.
    fn absent(&self, module: &str, field: &str) -> Result<(), Error> {
        let input = self.inputs[self.number].name;
        match self.inputs.iter().position(|input| input.name == module) {
            Some(of) if of > self.number => {
                let message = format!("`{input}` imports `{module}.{field}`, and `{module}` is given after it");
                Err(Error::link(message, format!("give `{module}` as an input before `{input}`")))
            }
            Some(_) => {
                let message = format!("unknown import: `{input}` imports `{module}.{field}`, which is not exported");
                Err(Error::link(message, format!("export it from `{module}`, or import it from another module")))
            }
            None => Ok(()),
        }
    }

    fn incompatible(&self, module: &str, field: &str) -> Error {
        let input = self.inputs[self.number].name;
        let message = format!("incompatible import type: `{input}` imports `{module}.{field}` as what it is not");
        Error::link(message, "make both declarations the same")
    }
}
