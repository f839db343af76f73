//! Linking: a module behind another, its imports bound to what the first has.
//!
//! Requires: each binding names something of the first module.
//! Ensures: imported functions come first, those of the first module before those of the other; then
//! the functions with bodies in the same order. Types, memories, tables, globals and segments of the other
//! stand behind those of the first, what it imports left out.

use super::constant::Constant;
use super::inst::{Bulk, Inst, Place};
use super::module::{
    Code, DataIndex, DataMode, ElementIndex, ElementMode, Export, ExportKind, Instance, Module, TypeIndex,
};
use crate::entity::{Entity, TypedVec};
use crate::ir::op::{Function, Global, Memory, Table};

/// What the imports of a module become, in the order of each index space.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bindings {
    /// Functions; `None` stays an import.
    pub functions: Vec<Option<Function>>,
    /// Memories.
    pub memories: Vec<Memory>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Globals.
    pub globals: Vec<Global>,
}

impl Module {
    /// Puts a module behind this one; gives its exports, in the indices of the whole.
    pub fn link(&mut self, mut other: Module, bindings: &Bindings) -> Vec<Export> {
        let imports = self.imported_functions() as u32;
        let unbound = bindings.functions.iter().filter(|bound| bound.is_none()).count() as u32;
        let moved = |function: Function| Function(function.0 + if function.0 < imports { 0 } else { unbound });
        let mut own = Indices::of(self);
        own.functions = self.functions.keys().map(moved).collect();
        let mut indices = Indices {
            types: self.types.len() as u32,
            functions: Vec::new(),
            memories: behind(&self.memories, bindings.memories.clone(), other.memories.len()),
            tables: behind(&self.tables, bindings.tables.clone(), other.tables.len()),
            globals: behind(&self.globals, bindings.globals.clone(), other.globals.len()),
            data: self.data.len() as u32,
            elements: self.elements.len() as u32,
        };
        let mut next = imports;
        for bound in &bindings.functions {
            indices.functions.push(bound.map_or(Function(next), moved));
            next += u32::from(bound.is_none());
        }
        let bodies = other.functions.len() - bindings.functions.len();
        let first = self.functions.len() as u32 + unbound;
        indices.functions.extend((first..).take(bodies).map(Function));
        own.apply(self);
        indices.apply(&mut other);
        self.append(other, bindings)
    }

    /// Appends what has its place already.
    fn append(&mut self, other: Module, bindings: &Bindings) -> Vec<Export> {
        let imports = self.imported_functions();
        let mut functions: Vec<_> = std::mem::take(&mut self.functions).into_iter().collect();
        let mut others: Vec<_> = other.functions.into_iter().collect();
        let bodies = others.split_off(bindings.functions.len());
        let unbound = others.into_iter().zip(&bindings.functions).filter(|(_, bound)| bound.is_none());
        functions.splice(imports..imports, unbound.map(|(function, _)| function));
        functions.extend(bodies);
        self.functions = functions.into();
        let (elements, data) = (self.elements.len(), self.data.len());
        self.instances.extend(other.instances.iter().map(|instance| Instance {
            elements: instance.elements + elements,
            data: instance.data + data,
            ..*instance
        }));
        other.types.into_iter().for_each(|ty| _ = self.types.push(ty));
        let memories = other.memories.into_iter().skip(bindings.memories.len());
        memories.for_each(|memory| _ = self.memories.push(memory));
        for mut global in other.globals.into_iter().skip(bindings.globals.len()) {
            global.initial.close(&self.globals);
            self.globals.push(global);
        }
        for mut data in other.data {
            if let DataMode::Active { offset, .. } = &mut data.mode {
                offset.close(&self.globals);
            }
            self.data.push(data);
        }
        let tables = other.tables.into_iter().skip(bindings.tables.len());
        tables.for_each(|table| _ = self.tables.push(table));
        for mut element in other.elements {
            if let ElementMode::Active { offset, .. } = &mut element.mode {
                offset.close(&self.globals);
            }
            element.items.iter_mut().for_each(|item| item.close(&self.globals));
            self.elements.push(element);
        }
        other.exports
    }
}

/// The indices of a space: what is bound, then what stands behind the items that there are.
fn behind<K: Entity, V>(items: &TypedVec<K, V>, mut bound: Vec<K>, count: usize) -> Vec<K> {
    let first = items.len();
    let own = count - bound.len();
    bound.extend((first..first + own).map(K::new));
    bound
}

/// Where the indices of a module lead.
struct Indices {
    /// Added to each.
    types: u32,
    functions: Vec<Function>,
    memories: Vec<Memory>,
    tables: Vec<Table>,
    globals: Vec<Global>,
    /// Added to each.
    data: u32,
    /// Added to each.
    elements: u32,
}

impl Indices {
    /// Those of a module as it is.
    fn of(module: &Module) -> Indices {
        Indices {
            types: 0,
            functions: module.functions.keys().collect(),
            memories: module.memories.keys().collect(),
            tables: module.tables.keys().collect(),
            globals: module.globals.keys().collect(),
            data: 0,
            elements: 0,
        }
    }

    fn apply(&self, module: &mut Module) {
        for function in module.functions.values_mut() {
            function.ty = self.ty(function.ty);
            if let Code::Body(body) = &mut function.code {
                body.insts.iter_mut().for_each(|inst| self.inst(inst));
            }
        }
        for global in module.globals.values_mut() {
            self.constant(&mut global.initial);
        }
        for data in module.data.values_mut() {
            if let DataMode::Active { memory, offset } = &mut data.mode {
                *memory = self.memory(*memory);
                self.constant(offset);
            }
        }
        for element in module.elements.values_mut() {
            if let ElementMode::Active { table, offset } = &mut element.mode {
                *table = self.table(*table);
                self.constant(offset);
            }
            element.items.iter_mut().for_each(|item| self.constant(item));
        }
        for export in &mut module.exports {
            export.kind = match export.kind {
                ExportKind::Function(function) => ExportKind::Function(self.function(function)),
                ExportKind::Memory(memory) => ExportKind::Memory(self.memory(memory)),
                ExportKind::Table(table) => ExportKind::Table(self.table(table)),
                ExportKind::Global(global) => ExportKind::Global(self.global(global)),
            };
        }
        for start in module.instances.iter_mut().filter_map(|instance| instance.start.as_mut()) {
            *start = self.function(*start);
        }
    }

    fn inst(&self, inst: &mut Inst) {
        match inst {
            Inst::Call(function) | Inst::ReturnCall(function) => *function = self.function(Function(*function)).0,
            Inst::CallIndirect(ty, table) | Inst::ReturnCallIndirect(ty, table) => {
                (*ty, *table) = (self.ty(TypeIndex(*ty)).0, self.table(*table));
            }
            Inst::RefFunc(function) => *function = self.function(*function),
            Inst::TableGet(table)
            | Inst::TableSet(table)
            | Inst::TableSize(table)
            | Inst::TableGrow(table)
            | Inst::TableDrop(table) => *table = self.table(*table),
            Inst::GlobalGet(global) | Inst::GlobalSet(global) => *global = self.global(Global(*global)).0,
            Inst::Load(_, place, _) | Inst::Store(_, place) | Inst::StoreLow(_, place) => {
                *place = Place { memory: self.memory(place.memory), ..*place };
            }
            Inst::MemorySize(memory, _) | Inst::MemoryGrow(memory) | Inst::MemoryDrop(memory) => {
                *memory = self.memory(*memory);
            }
            Inst::Bulk(bulk) => {
                *bulk = match *bulk {
                    Bulk::MemoryFill(memory) => Bulk::MemoryFill(self.memory(memory)),
                    Bulk::MemoryCopy { to, from } => Bulk::MemoryCopy { to: self.memory(to), from: self.memory(from) },
                    Bulk::MemoryInit { to, data } => Bulk::MemoryInit { to: self.memory(to), data: self.data(data) },
                    Bulk::DataDrop(data) => Bulk::DataDrop(self.data(data)),
                    Bulk::TableFill(table) => Bulk::TableFill(self.table(table)),
                    Bulk::TableCopy { to, from } => Bulk::TableCopy { to: self.table(to), from: self.table(from) },
                    Bulk::TableInit { to, element } => {
                        Bulk::TableInit { to: self.table(to), element: self.element(element) }
                    }
                    Bulk::ElemDrop(element) => Bulk::ElemDrop(self.element(element)),
                    Bulk::TableGrow(table) => Bulk::TableGrow(self.table(table)),
                };
            }
            Inst::Unreachable
            | Inst::Nop
            | Inst::Block(_)
            | Inst::Loop(_)
            | Inst::If(_)
            | Inst::Else
            | Inst::End
            | Inst::Br(_)
            | Inst::BrIf(_)
            | Inst::BrTable(_)
            | Inst::Return
            | Inst::Drop
            | Inst::Select
            | Inst::LocalGet(_)
            | Inst::LocalSet(_)
            | Inst::LocalTee(_)
            | Inst::Const(..)
            | Inst::Numeric(_)
            | Inst::Wide(..)
            | Inst::Swapped(_)
            | Inst::IsZero(_)
            | Inst::Divide(_)
            | Inst::Sign(..)
            | Inst::Truncate { .. } => {}
        }
    }

    fn ty(&self, ty: TypeIndex) -> TypeIndex {
        TypeIndex(ty.0 + self.types)
    }

    fn function(&self, function: Function) -> Function {
        self.functions[function.index()]
    }

    fn memory(&self, memory: Memory) -> Memory {
        self.memories[memory.index()]
    }

    fn table(&self, table: Table) -> Table {
        self.tables[table.index()]
    }

    fn element(&self, element: ElementIndex) -> ElementIndex {
        ElementIndex(element.0 + self.elements)
    }

    fn constant(&self, constant: &mut Constant) {
        constant.reindex((&self.globals, &self.functions));
    }

    fn global(&self, global: Global) -> Global {
        self.globals[global.index()]
    }

    fn data(&self, data: DataIndex) -> DataIndex {
        DataIndex(data.0 + self.data)
    }
}
