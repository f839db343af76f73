//! Several modules made one: what each imports from those before it is bound by name.
//!
//! Requires: nothing of the modules.
//! Ensures: an import is bound to the export that its names say, and only if that has the type which the
//! import asks for (core spec, 3.2.8 and 4.5.4); the whole is instantiated in the order of the inputs.
//! What no input has stays an import if it is a function, and is refused otherwise.

use std::collections::BTreeMap;

use super::guard;
use super::link::{self, Bindings};
use super::module::{self, Before, Exported, Global, Memory, Module, Table};
use super::steps::{self, Step};

/// A module, and the name by which others import from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source<'a> {
    /// The name.
    pub name: &'a str,
    /// The module.
    pub wasm: &'a [u8],
}

/// Exports by the input's name and their own.
type Exports = BTreeMap<(String, String), Exported>;

/// Reads and links the inputs. Exports of several are told apart by the inputs' names.
///
/// # Errors
/// Which input is refused, by its number, and why: perhaps an import does not fit.
pub fn run(sources: &[Source<'_>]) -> Result<Module, (usize, String)> {
    let mut whole = Module::default();
    if let [only] = sources {
        whole = module::read(only.wasm).map_err(|error| (0, error.to_string()))?;
        return match whole.wanted.first() {
            Some((_, of, field)) => Err((0, format!("the import {of:?} {field:?} is bound to nothing"))),
            None => Ok(whole),
        };
    }
    for (number, source) in sources.iter().enumerate() {
        add(&mut whole, (&sources[..number], source)).map_err(|why| (number, why))?;
    }
    Ok(whole)
}

/// Links an input behind those before it.
fn add(whole: &mut Module, (before, source): (&[Source<'_>], &Source<'_>)) -> Result<(), String> {
    let is_before = |of: &str| before.iter().any(|other| other.name == of);
    if is_before(source.name) {
        return Err("two inputs have this name".to_owned());
    }
    let exports = exports(whole);
    let value = &|of: &str, field: &str| match exports.get(&(of.to_owned(), field.to_owned())) {
        Some(Exported::Global(global)) => whole.globals.get(*global as usize).map(|global| global.initial),
        Some(Exported::Function(_) | Exported::Table(_) | Exported::Memory(_)) | None => None,
    };
    let other = module::read_behind(source.wasm, &Before { functions: whole.function_count(), value })
        .map_err(|error| error.to_string())?;
    let (bindings, guards) = bindings(whole, &other, &exports, &|of| is_before(of) || of == source.name)?;
    if segment_by_growth(whole, &other, &bindings) {
        return Err("a segment lies beyond what a memory or table starts with, which may have grown before".to_owned());
    }
    for (of, least) in guards {
        guard::add(whole, of, least).map_err(|error| error.to_string())?;
    }
    for mut export in link::link(whole, other, &bindings) {
        export.of = Some(source.name.to_owned());
        whole.exports.push(export);
    }
    Ok(())
}

fn exports(whole: &Module) -> Exports {
    let exports = whole.exports.iter();
    exports.filter_map(|export| Some(((export.of.clone()?, export.name.clone()), export.item))).collect()
}

fn bindings(
    whole: &Module,
    other: &Module,
    exports: &Exports,
    named: &dyn Fn(&str) -> bool,
) -> Result<(Bindings, Vec<(Exported, u32)>), String> {
    let find = |of: &str, field: &str| match exports.get(&(of.to_owned(), field.to_owned())) {
        None if named(of) => Err(format!("{of:?} exports no {field:?}")),
        found => Ok(found.copied()),
    };
    let (mut bindings, mut guards) = (Bindings::default(), Vec::new());
    for import in &other.imports {
        let unfit = || format!("the import {:?} {:?} is not what is exported", import.module, import.field);
        let bound = match find(&import.module, &import.field)? {
            None => None,
            Some(Exported::Function(function)) => {
                let fits = whole.signature(function) == other.types.get(import.type_index as usize);
                Some(fits.then_some(function).ok_or_else(unfit)?)
            }
            Some(Exported::Table(_) | Exported::Memory(_) | Exported::Global(_)) => return Err(unfit()),
        };
        bindings.functions.push(bound);
    }
    for (wanted, of, field) in &other.wanted {
        let unfit = || format!("the import {of:?} {field:?} is not what is exported");
        let found = find(of, field)?.ok_or_else(|| format!("the import {of:?} {field:?} is bound to nothing"))?;
        let item = found;
        match (found, *wanted) {
            (Exported::Memory(found), Exported::Memory(wanted)) => {
                let pair = (whole.memories.get(found as usize), other.memories.get(wanted as usize));
                let fits = matches!(pair, (Some(found), Some(wanted)) if memory_fits(found, wanted));
                bindings.memories.push(fits.then_some(found).ok_or_else(unfit)?);
                let sizes = pair.0.zip(pair.1).map(|(found, wanted)| (found.minimum, wanted.minimum, found.maximum));
                guards.extend(large_enough(whole, item, sizes).ok_or_else(unfit)?);
            }
            (Exported::Table(found), Exported::Table(wanted)) => {
                let pair = (whole.tables.get(found as usize), other.tables.get(wanted as usize));
                let fits = matches!(pair, (Some(found), Some(wanted)) if table_fits(found, wanted));
                bindings.tables.push(fits.then_some(found).ok_or_else(unfit)?);
                let sizes = pair.0.zip(pair.1).map(|(found, wanted)| (found.minimum, wanted.minimum, found.maximum));
                guards.extend(large_enough(whole, item, sizes).ok_or_else(unfit)?);
            }
            (Exported::Global(found), Exported::Global(wanted)) => {
                let pair = (whole.globals.get(found as usize), other.globals.get(wanted as usize));
                let fits = matches!(pair, (Some(found), Some(wanted)) if global_fits(found, wanted));
                bindings.globals.push(fits.then_some(found).ok_or_else(unfit)?);
            }
            (Exported::Function(_) | Exported::Table(_) | Exported::Memory(_) | Exported::Global(_), _) => {
                return Err(unfit());
            }
        }
    }
    Ok((bindings, guards))
}

/// What is to be asked of a memory or table when it is imported, so that it is as large as the import says: nothing if it
/// starts so large. `None` if it can never be.
fn large_enough(
    whole: &Module,
    of: Exported,
    sizes: Option<(u32, u32, Option<u32>)>,
) -> Option<Option<(Exported, u32)>> {
    let (has, wanted, maximum) = sizes?;
    if has >= wanted {
        return Some(None);
    }
    let may_be = maximum.is_none_or(|maximum| maximum >= wanted) && guard::may_grow(whole, of);
    may_be.then_some(Some((of, wanted)))
}

/// Whether a segment of a module lies outside of an imported memory or table as it is declared, but code that runs before
/// may make that larger: then what Wasm does with it depends on that code, and steps are known before.
fn segment_by_growth(whole: &Module, other: &Module, bindings: &Bindings) -> bool {
    if !whole.steps().iter().any(|step| matches!(step, Step::Pause(_))) {
        return false;
    }
    let outgrown = |of: Exported, has: u32, start: u32, count: usize| {
        !steps::is_inside(has, start, count) && guard::may_grow(whole, of)
    };
    let data = other.data.iter().any(|segment| {
        let Some(target) = segment.active else { return false };
        let Some(&memory) = bindings.memories.get(target.memory as usize) else { return false };
        let has = whole.memories[memory as usize].minimum_bytes();
        outgrown(Exported::Memory(memory), has, target.start, segment.bytes.len())
    });
    let elements = other.elements.iter().any(|segment| {
        let Some((table, start)) = segment.active else { return false };
        let Some(&table) = bindings.tables.get(table as usize) else { return false };
        outgrown(Exported::Table(table), whole.tables[table as usize].minimum, start, segment.items.len())
    });
    data || elements
}

/// Whether a memory may stand for an imported one that is not larger: pages and maximum (core spec, 3.2.8).
fn memory_fits(found: &Memory, wanted: &Memory) -> bool {
    let within = |limit: u32| found.maximum.is_some_and(|maximum| maximum <= limit);
    found.page_log2 == wanted.page_log2 && wanted.maximum.is_none_or(within)
}

/// Whether a table may stand for an imported one that is not larger: its type and its maximum.
fn table_fits(found: &Table, wanted: &Table) -> bool {
    let may_grow_beyond = wanted.maximum.is_some_and(|limit| found.maximum.is_none_or(|maximum| maximum > limit));
    found.element == wanted.element && !may_grow_beyond
}

fn global_fits(found: &Global, wanted: &Global) -> bool {
    (found.value_type, found.mutable) == (wanted.value_type, wanted.mutable)
}
