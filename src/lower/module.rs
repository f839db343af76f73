//! What lowering needs to know about the module: which functions are imported and where the cells
//! of the instance are.

use std::collections::BTreeMap;

use crate::ir::{Function, Global, Memory, Op, Table, Type};
use crate::vcode::abi::DESCRIPTOR_BYTES;
use crate::wasm::Module;

/// Facts about the module that instructions depend on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModuleInfo {
    imported_functions: u32,
    lengths: Vec<Option<u32>>,
    cells: Vec<Option<u32>>,
    instance_bytes: u32,
    helpers: BTreeMap<Op, Function>,
    /// Offsets in the instance of the sizes of tables that grow.
    sizes: Vec<Option<u32>>,
    /// The functions with descriptors, by place.
    descriptors: BTreeMap<Function, u32>,
}

/// The layout that a global asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobalCell {
    /// A cell for a value of this type.
    Cell(Type),
    /// None: it is a constant.
    Constant,
}

/// Whether a word of the instance holds the length of a memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LengthCell {
    /// It does, because some function changes the length.
    Present,
    /// The length is a constant.
    Absent,
}

/// Bytes of a table entry, which is a reference.
pub const ENTRY_BYTES: u32 = 4;

/// Offset in a descriptor of the type id.
pub const DESCRIPTOR_TYPE_OFFSET: u32 = 0;

/// Offset in a descriptor of the code address.
pub const DESCRIPTOR_CODE_OFFSET: u32 = 4;

impl ModuleInfo {
    /// Lays out the instance as `docs/abi.md` says: the lengths of memories, the sizes of tables, then each
    /// global with a cell, each in index order and aligned to its size.
    pub fn new(
        imported_functions: u32,
        (lengths, sizes): (&[LengthCell], &[LengthCell]),
        globals: &[GlobalCell],
    ) -> ModuleInfo {
        let mut bytes: u32 = 0;
        let mut word = |length: &LengthCell| match length {
            LengthCell::Present => {
                bytes += 4;
                Some(bytes - 4)
            }
            LengthCell::Absent => None,
        };
        let lengths = lengths.iter().map(&mut word).collect();
        let sizes = sizes.iter().map(&mut word).collect();
        let cells = globals
            .iter()
            .map(|global| {
                let GlobalCell::Cell(ty) = global else {
                    return None;
                };
                let size = ty.bits() / 8;
                let offset = bytes.next_multiple_of(size);
                bytes = offset + size;
                Some(offset)
            })
            .collect();
        let info = ModuleInfo { imported_functions, lengths, sizes, cells, ..ModuleInfo::default() };
        ModuleInfo { instance_bytes: bytes, ..info }
    }

    /// What lowering needs to know about a module, and the functions that compute what the processor
    /// cannot.
    pub fn of(module: &Module, helpers: BTreeMap<Op, Function>) -> ModuleInfo {
        let globals: Vec<GlobalCell> = module
            .globals
            .values()
            .map(|global| match global.mutable {
                true => GlobalCell::Cell(global.ty.carrier()),
                false => GlobalCell::Constant,
            })
            .collect();
        let length_cell = |varies: bool| if varies { LengthCell::Present } else { LengthCell::Absent };
        let lengths: Vec<LengthCell> = module.memories.values().map(|memory| length_cell(memory.varies)).collect();
        let sizes: Vec<LengthCell> = module.tables.values().map(|table| length_cell(table.varies)).collect();
        let descriptors = module.referenced().into_iter().zip(0..).collect();
        let imports = u32::try_from(module.imported_functions()).expect("fewer than 2^32");
        ModuleInfo { helpers, descriptors, ..ModuleInfo::new(imports, (&lengths, &sizes), &globals) }
    }

    /// The function that computes an operator.
    ///
    /// Requires: the module has been linked with it.
    pub fn helper(&self, op: Op) -> Function {
        self.helpers[&op]
    }

    /// Whether a function is imported.
    pub fn is_imported(&self, function: Function) -> bool {
        function.0 < self.imported_functions
    }

    /// Offset in the instance of a global's cell.
    ///
    /// Requires: the global has one.
    pub fn cell(&self, global: Global) -> u32 {
        self.cells[global.0 as usize].expect("a global that code reads or writes has a cell")
    }

    /// Offset in the instance of a table's size.
    ///
    /// Requires: the table grows.
    pub fn size(&self, table: Table) -> u32 {
        self.sizes[table.0 as usize].expect("a size that code reads or writes has a cell")
    }

    /// Offset of a function's descriptor among all.
    ///
    /// Requires: a reference names the function.
    pub fn descriptor(&self, function: Function) -> u32 {
        DESCRIPTOR_BYTES * self.descriptors[&function]
    }

    /// Offset in the instance of a memory's length in bytes.
    ///
    /// Requires: the length is a variable.
    pub fn length(&self, memory: Memory) -> u32 {
        self.lengths[memory.0 as usize].expect("a length that code reads or writes has a cell")
    }

    /// Size of the instance in bytes.
    pub fn instance_bytes(&self) -> u32 {
        self.instance_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned_to_their_size_and_constants_have_none() {
        use GlobalCell::{Cell, Constant};
        let globals = [Cell(Type::I32), Constant, Cell(Type::I64), Cell(Type::I32), Cell(Type::I64)];
        let info = ModuleInfo::new(1, (&[LengthCell::Present], &[]), &globals);
        assert_eq!(info.cells, [Some(4), None, Some(8), Some(16), Some(24)], "the length takes the first word");
        assert_eq!(info.instance_bytes(), 32);
        let lengths = [LengthCell::Absent, LengthCell::Present, LengthCell::Present];
        let info = ModuleInfo::new(1, (&lengths, &[]), &globals);
        assert_eq!((info.lengths, info.cells[0]), (vec![None, Some(0), Some(4)], Some(8)));
        let info = ModuleInfo::new(1, (&lengths[..2], &lengths[..2]), &globals);
        assert_eq!((info.size(Table(1)), info.cells[0]), (4, Some(8)), "sizes come behind lengths");
        let info = ModuleInfo::new(1, (&[LengthCell::Absent], &[]), &globals);
        assert_eq!(info.cells, [Some(0), None, Some(8), Some(16), Some(24)]);
        assert!(info.is_imported(Function(0)) && !info.is_imported(Function(1)));
    }
}
