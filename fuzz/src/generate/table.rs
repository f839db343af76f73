//! Tables that change, and references.

use wasm_encoder::{HeapType, Instruction, RefType, ValType};

use super::Body;

/// Entries of the second table.
pub(super) const ENTRIES: u64 = 4;

impl Body<'_, '_, '_> {
    /// Sets an entry, or a few.
    pub(super) fn table_statement(&mut self) {
        let (table, from) = (self.table(), self.table());
        let which = self.choices.below(6);
        self.table_index();
        match which {
            0 => self.table_index(),
            _ => self.reference(2),
        }
        if which < 2 {
            self.table_index();
        }
        self.op(match which {
            0 => Instruction::TableCopy { src_table: from, dst_table: table },
            1 => Instruction::TableFill(table),
            _ => Instruction::TableSet(table),
        });
    }

    /// A word that depends on tables.
    pub(super) fn table_query(&mut self) {
        if self.choices.below(3) == 2 {
            let table = self.table();
            return self.op(Instruction::TableSize(table));
        }
        self.reference(2);
        self.op(Instruction::RefIsNull);
    }

    /// One of the tables.
    pub(super) fn table(&mut self) -> u32 {
        u32::from(self.plan.references && self.choices.below(2) == 1)
    }

    /// An index, mostly inside.
    fn table_index(&mut self) {
        self.expression(ValType::I32, 2);
        let mask = self.choices.pick(&[1, 1, 1, 7]);
        self.op(Instruction::I32Const(mask));
        self.op(Instruction::I32And);
    }

    /// A reference to a function.
    fn reference(&mut self, depth: u32) {
        match self.choices.below(6) {
            0 => self.op(Instruction::RefNull(HeapType::FUNC)),
            1 | 2 => {
                let function = self.plan.imports + self.choices.below(self.plan.signatures.len()) as u32;
                self.op(Instruction::RefFunc(function));
            }
            3 if depth > 0 => {
                self.reference(depth - 1);
                self.reference(depth - 1);
                self.expression(ValType::I32, 2);
                self.op(Instruction::TypedSelect(ValType::Ref(RefType::FUNCREF)));
            }
            _ => {
                self.table_index();
                let table = self.table();
                self.op(Instruction::TableGet(table));
            }
        }
    }
}
