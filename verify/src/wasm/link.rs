//! Linking: a module behind another, its imports bound to what the first has.
//!
//! Requires: each binding names something of the first module, of the type that the other imports.
//! Ensures: imported functions come first, those of the first module before those of the other; then
//! the functions with bodies in the same order. Types, memories, tables, globals and segments of the other
//! stand behind those of the first, what it imports left out.

#![deny(clippy::wildcard_enum_match_arm)]

use super::module::{Constant, Export, Exported, Instance, Module};
use super::op::{Bulk, Op};

/// What the imports of a module become, in the order of each index space.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bindings {
    /// Functions; `None` stays an import.
    pub functions: Vec<Option<u32>>,
    /// Memories.
    pub memories: Vec<u32>,
    /// Tables.
    pub tables: Vec<u32>,
    /// Globals.
    pub globals: Vec<u32>,
}

/// Puts a module behind another; gives its exports, in the indices of the whole.
pub fn link(module: &mut Module, mut other: Module, bindings: &Bindings) -> Vec<Export> {
    let imports = count(module.imports.len());
    let unbound = count(bindings.functions.iter().filter(|bound| bound.is_none()).count());
    let moved = |function: u32| if function < imports { function } else { function + unbound };
    let before: Vec<u32> = (0..module.function_count()).map(moved).collect();
    let own = Indices {
        types: 0,
        functions: before.clone(),
        before: Vec::new(),
        memories: (0..count(module.memories.len())).collect(),
        tables: (0..count(module.tables.len())).collect(),
        globals: (0..count(module.globals.len())).collect(),
        data: 0,
        elements: 0,
    };
    let mut functions = Vec::new();
    let mut next = imports;
    for bound in &bindings.functions {
        functions.push(bound.map_or(next, moved));
        next += u32::from(bound.is_none());
    }
    let first = module.function_count() + unbound;
    functions.extend((first..).take(other.functions.len()));
    let indices = Indices {
        types: count(module.types.len()),
        functions,
        before: before.into_iter().take(other.before as usize).collect(),
        memories: behind(&bindings.memories, module.memories.len(), other.memories.len()),
        tables: behind(&bindings.tables, module.tables.len(), other.tables.len()),
        globals: behind(&bindings.globals, module.globals.len(), other.globals.len()),
        data: count(module.data.len()),
        elements: count(module.elements.len()),
    };
    own.apply(module);
    indices.apply(&mut other);
    let imported = other.imports.into_iter().zip(&bindings.functions);
    module.imports.extend(imported.filter(|(_, bound)| bound.is_none()).map(|(import, _)| import));
    module.functions.extend(other.functions);
    module.types.extend(other.types);
    module.memories.extend(other.memories.into_iter().skip(bindings.memories.len()));
    module.tables.extend(other.tables.into_iter().skip(bindings.tables.len()));
    module.globals.extend(other.globals.into_iter().skip(bindings.globals.len()));
    let (elements, data) = (module.elements.len(), module.data.len());
    module.instances.extend(other.instances.iter().map(|instance| Instance {
        elements: instance.elements + elements,
        data: instance.data + data,
        ..*instance
    }));
    module.elements.extend(other.elements);
    module.data.extend(other.data);
    module.names.extend(other.names);
    other.exports
}

fn count(items: usize) -> u32 {
    u32::try_from(items).expect("the parser's limits keep counts below 2^32")
}

/// The indices of a space: what is bound, then what stands behind the items that there are.
fn behind(bound: &[u32], items: usize, others: usize) -> Vec<u32> {
    let own = (count(items)..).take(others.saturating_sub(bound.len()));
    bound.iter().copied().chain(own).collect()
}

/// Where the indices of a module lead.
struct Indices {
    /// Added to each.
    types: u32,
    functions: Vec<u32>,
    /// Those of the module before it that constants count first.
    before: Vec<u32>,
    memories: Vec<u32>,
    tables: Vec<u32>,
    globals: Vec<u32>,
    /// Added to each.
    data: u32,
    /// Added to each.
    elements: u32,
}

impl Indices {
    fn apply(&self, module: &mut Module) {
        for import in &mut module.imports {
            import.type_index += self.types;
        }
        for function in &mut module.functions {
            function.index = self.function(function.index);
            function.type_index += self.types;
            function.body.iter_mut().for_each(|instruction| self.op(&mut instruction.op));
        }
        for segment in &mut module.data {
            if let Some(place) = &mut segment.active {
                place.memory = self.memory(place.memory);
            }
        }
        for segment in &mut module.elements {
            if let Some((table, _)) = &mut segment.active {
                *table = self.table(*table);
            }
            segment.items.iter_mut().for_each(|item| self.constant(item));
        }
        module.globals.iter_mut().for_each(|global| self.constant(&mut global.initial));
        for export in &mut module.exports {
            export.item = match export.item {
                Exported::Function(function) => Exported::Function(self.function(function)),
                Exported::Table(table) => Exported::Table(self.table(table)),
                Exported::Memory(memory) => Exported::Memory(self.memory(memory)),
                Exported::Global(global) => Exported::Global(self.global(global)),
            };
        }
        for start in module.instances.iter_mut().filter_map(|instance| instance.start.as_mut()) {
            *start = self.function(*start);
        }
        let names = std::mem::take(&mut module.names);
        module.names = names
            .into_iter()
            .filter_map(|(function, name)| Some((*self.functions.get(function as usize)?, name)))
            .collect();
    }

    fn op(&self, op: &mut Op) {
        match op {
            Op::Call(function) | Op::ReturnCall(function) => *function = self.function(*function),
            Op::CallIndirect(type_index, table) | Op::ReturnCallIndirect(type_index, table) => {
                (*type_index, *table) = (*type_index + self.types, self.table(*table));
            }
            Op::RefFunc(function) => *function = self.function(*function),
            Op::TableGet(table)
            | Op::TableSet(table)
            | Op::TableSize(table)
            | Op::TableGrow(table)
            | Op::TableDrop(table) => *table = self.table(*table),
            Op::GlobalGet(global) | Op::GlobalSet(global) => *global = self.global(*global),
            Op::Load(_, place) | Op::Store(_, place) => place.memory = self.memory(place.memory),
            Op::MemorySize(memory, _) | Op::MemoryGrow(memory) | Op::MemoryDrop(memory) => {
                *memory = self.memory(*memory);
            }
            Op::Bulk(bulk) => match bulk {
                Bulk::MemoryFill(memory) => *memory = self.memory(*memory),
                Bulk::MemoryCopy { to, from } => (*to, *from) = (self.memory(*to), self.memory(*from)),
                Bulk::MemoryInit { to, data } => (*to, *data) = (self.memory(*to), *data + self.data),
                Bulk::DataDrop(data) => *data += self.data,
                Bulk::TableFill(table) | Bulk::TableGrow(table) => *table = self.table(*table),
                Bulk::TableCopy { to, from } => (*to, *from) = (self.table(*to), self.table(*from)),
                Bulk::TableInit { to, element } => (*to, *element) = (self.table(*to), *element + self.elements),
                Bulk::ElemDrop(element) => *element += self.elements,
            },
            Op::Unreachable
            | Op::Nop
            | Op::Block(_)
            | Op::Loop(_)
            | Op::If(_)
            | Op::Else
            | Op::End
            | Op::Br(_)
            | Op::BrIf(_)
            | Op::BrTable(..)
            | Op::Return
            | Op::Drop
            | Op::Select
            | Op::LocalGet(_)
            | Op::LocalSet(_)
            | Op::LocalTee(_)
            | Op::RefNull(_)
            | Op::RefIsNull
            | Op::I32Const(_)
            | Op::I64Const(_)
            | Op::I32Eqz
            | Op::I64Eqz
            | Op::I32Compare(_)
            | Op::I64Compare(_)
            | Op::I32Unary(_)
            | Op::I64Unary(_)
            | Op::I32Binary(_)
            | Op::I64Binary(_)
            | Op::I32WrapI64
            | Op::I64ExtendI32S
            | Op::I64ExtendI32U
            | Op::I64Extend32S
            | Op::Wide(_)
            | Op::Sign(..)
            | Op::Float(_)
            | Op::FloatSwapped(_)
            | Op::Truncate { .. } => {}
        }
    }

    fn constant(&self, constant: &mut Constant) {
        *constant = match *constant {
            Constant::Function(function) => {
                let own = function.checked_sub(count(self.before.len()));
                Constant::Function(own.map_or_else(|| self.before[function as usize], |own| self.function(own)))
            }
            Constant::I32(_) | Constant::I64(_) => return,
        };
    }

    fn function(&self, function: u32) -> u32 {
        self.functions[function as usize]
    }

    fn memory(&self, memory: u32) -> u32 {
        self.memories[memory as usize]
    }

    fn table(&self, table: u32) -> u32 {
        self.tables[table as usize]
    }

    fn global(&self, global: u32) -> u32 {
        self.globals[global as usize]
    }
}
