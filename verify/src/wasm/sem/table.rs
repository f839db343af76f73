//! Operators on tables (core spec, 4.4.6), and calls through them.
//!
//! Ensures: as [`super::step`].

use crate::domain::{Bin32, Cmp};
use crate::trap::Trap;

use super::{Callee, Done, Outcome, Stepper, Then, World};

impl<W: World> Stepper<'_, W> {
    pub(super) fn table_get(&mut self, table: u32) -> Outcome<W> {
        let index = self.top32(0);
        if !self.is_within(&index, table)? {
            return Ok(Done::Trap(Trap::TableAccess));
        }
        let reference = self.world.table_get(table, &index)?;
        self.pop();
        self.push32(reference);
        Ok(Done::Next)
    }

    pub(super) fn table_set(&mut self, table: u32) -> Outcome<W> {
        let (reference, index) = (self.top32(0), self.top32(1));
        if !self.is_within(&index, table)? {
            return Ok(Done::Trap(Trap::TableAccess));
        }
        self.world.table_set(table, &index, &reference)?;
        self.pop_many(2);
        Ok(Done::Next)
    }

    /// Whether an index lies within a table.
    fn is_within(&mut self, index: &W::W32, table: u32) -> Result<bool, W::Stop> {
        let size = self.world.table_size(table);
        let inside = self.world.cmp32(Cmp::LtU, index, &size);
        self.world.decide(&inside)
    }

    pub(super) fn is_null(&mut self, reference: &W::W32) -> W::Bool {
        let null = self.world.w32(0);
        self.world.cmp32(Cmp::Eq, reference, &null)
    }

    /// Grows a table by null entries, which is all that templates ask for.
    pub(super) fn table_grow(&mut self, table: u32) -> Outcome<W> {
        let (delta, reference) = (self.top32(0), self.top32(1));
        let is_null = self.is_null(&reference);
        if !self.world.decide(&is_null)? {
            return Err(self.world.refuse("a table grows by entries that are not null".to_owned()));
        }
        self.pop_many(2);
        let old = self.world.table_size(table);
        let reserve = self.world.table_reserve(table);
        let reserve = self.world.w32(reserve);
        let room = self.world.bin32(Bin32::Sub, &reserve, &old);
        let too_much = self.world.cmp32(Cmp::LtU, &room, &delta);
        let fits = self.world.not(&too_much);
        let (zero, failed) = (self.world.w32(0), self.world.w32(u32::MAX));
        let added = self.world.ite32(&fits, &delta, &zero);
        let size = self.world.bin32(Bin32::Add, &old, &added);
        let result = self.world.ite32(&fits, &old, &failed);
        self.world.set_table_size(table, &size);
        self.push32(result);
        Ok(Done::Next)
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32, then: Then) -> Outcome<W> {
        let index = self.top32(0);
        if !self.is_within(&index, table)? {
            return Ok(Done::Trap(Trap::TableOutOfBounds));
        }
        let reference = self.world.table_get(table, &index)?;
        let is_null = self.is_null(&reference);
        if self.world.decide(&is_null)? {
            return Ok(Done::Trap(Trap::UninitializedElement));
        }
        let found = self.world.reference_type(&reference)?;
        let wanted = self.module.type_id(type_index).expect("validated");
        let wanted = self.world.w32(wanted);
        let fits = self.world.cmp32(Cmp::Eq, &found, &wanted);
        if !self.world.decide(&fits)? {
            return Ok(Done::Trap(Trap::IndirectCallType));
        }
        let code = self.world.reference_code(&reference)?;
        self.pop();
        let arguments = self.pop_many(self.module.types[type_index as usize].parameters.len());
        Ok(Done::Call { callee: Callee::Indirect { type_index, code }, arguments, then })
    }
}
