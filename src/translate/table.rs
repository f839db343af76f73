//! Table instructions (core spec, 4.4.6) and calls through tables, with explicit bounds checks.

use crate::trap::Trap;

use super::Translator;
use crate::ir::func::{Callee, Terminator, Value};
use crate::ir::op::{Op, Sig, Table};
use crate::wasm::TypeIndex;

impl Translator<'_> {
    pub(super) fn table_get(&mut self, table: Table) {
        let index = self.pop();
        if self.checked_index(index, table, Trap::TableAccess).is_some() {
            self.result(self.entry(table), vec![index]);
        }
    }

    pub(super) fn table_set(&mut self, table: Table) {
        let (value, index) = (self.pop(), self.pop());
        if self.checked_index(index, table, Trap::TableAccess).is_some() {
            self.effect(Op::TableSet(table), vec![index, value]);
        }
    }

    pub(super) fn table_size(&mut self, table: Table) {
        let size = self.size(table);
        self.push_result(size);
    }

    /// Straight-line: the table grows by nothing where it cannot grow. New entries are null already.
    pub(super) fn table_grow(&mut self, table: Table) {
        let (delta, _null) = (self.pop(), self.pop());
        let old = self.size(table);
        let reserve = self.const32(self.module.tables[table].reserve);
        let room = self.op(Op::Sub32, vec![reserve, old]);
        let fits = self.op(Op::LeU32, vec![delta, room]);
        let zero = self.const32(0);
        let more = self.op(Op::Select32, vec![fits, delta, zero]);
        let longer = self.op(Op::Add32, vec![old, more]);
        self.effect(Op::SetTableSize(table), vec![longer]);
        let failed = self.const32(u32::MAX);
        self.result(Op::Select32, vec![fits, old, failed]);
    }

    /// The table is a segment, of which nothing is left.
    pub(super) fn table_drop(&mut self, table: Table) {
        let zero = self.const32(0);
        self.effect(Op::SetTableSize(table), vec![zero]);
    }

    pub(super) fn call_indirect(&mut self, ty: TypeIndex, table: Table) {
        if let Some((signature, args)) = self.checked_code(ty, table) {
            self.push_call(Op::CallCode { signature }, signature, args);
        }
    }

    pub(super) fn return_call_indirect(&mut self, ty: TypeIndex, table: Table) {
        if let Some((signature, args)) = self.checked_code(ty, table) {
            self.end_block(Terminator::ReturnCall { callee: Callee::Code, signature, args });
        }
    }

    /// The operands of a call through a table, behind its checks: the code address, the arguments.
    /// Nothing if such a call always traps.
    fn checked_code(&mut self, ty: TypeIndex, table: Table) -> Option<(Sig, Vec<Value>)> {
        let index = self.pop();
        self.checked_index(index, table, Trap::TableOutOfBounds)?;
        let (reference, null) = (self.op(self.entry(table), vec![index]), self.const32(0));
        let is_null = self.op(Op::Eq32, vec![reference, null]);
        self.trap_if(Trap::UninitializedElement, is_null);
        let found = self.op(Op::ReferenceType, vec![reference]);
        let wanted = self.const32(self.module.type_id(ty));
        let is_other = self.op(Op::Ne32, vec![found, wanted]);
        self.trap_if(Trap::IndirectCallType, is_other);
        let code = self.op(Op::ReferenceCode, vec![reference]);
        let (signature, mut args) = self.arguments(&self.module.types[ty].signature());
        args.insert(0, code);
        Some((signature, args))
    }

    /// The operator that reads an entry.
    fn entry(&self, table: Table) -> Op {
        match self.module.tables[table].is_variable() {
            true => Op::TableGet(table),
            false => Op::TableEntry(table),
        }
    }

    fn size(&mut self, table: Table) -> Value {
        let decl = self.module.tables[table];
        match decl.varies {
            true => self.op(Op::TableSize(table), vec![]),
            false => self.const32(decl.initial),
        }
    }

    /// Checks an index. Without a result the access always traps and the block has ended.
    fn checked_index(&mut self, index: Value, table: Table, trap: Trap) -> Option<()> {
        let reserve = self.module.tables[table].reserve;
        if reserve == 0 || self.func.constant(index).is_some_and(|index| index >= u64::from(reserve)) {
            self.end_block(Terminator::Trap(trap));
            return None;
        }
        let size = self.size(table);
        let is_outside = self.op(Op::LeU32, vec![size, index]);
        self.trap_if(trap, is_outside);
        Some(())
    }
}
