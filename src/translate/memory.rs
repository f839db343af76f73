//! Memory instructions (core spec, 4.4.7) with explicit bounds checks and addresses.
//!
//! An access of n bytes at index i with constant offset o is in bounds iff i + o + n <= L, computed
//! without wrapping. With c = o + n that is c <= L and i <= L - c, where nothing wraps.

use crate::trap::Trap;

use super::Translator;
use crate::ir::func::{Terminator, Value};
use crate::ir::op::{Access, Memory, Op};
use crate::wasm::{MemoryDecl, Place};

impl Translator<'_> {
    pub(super) fn load(&mut self, access: Access, place: Place, widen: Option<Op>) {
        let index = self.pop();
        let Some(pointer) = self.checked_pointer(index, access, place) else {
            return;
        };
        let load = Op::Load { memory: place.memory, access, offset: place.offset };
        match widen {
            None => self.result(load, vec![pointer]),
            Some(widen) => {
                let narrow = self.op(load, vec![pointer]);
                // The low word of the result.
                self.func.values[narrow].made_at = Some(crate::ir::func::Made { offset: self.offset(), above: 0 });
                self.result(widen, vec![narrow]);
            }
        }
    }

    pub(super) fn store(&mut self, access: Access, place: Place) {
        let (value, index) = (self.pop(), self.pop());
        let Some(pointer) = self.checked_pointer(index, access, place) else {
            return;
        };
        self.effect(Op::Store { memory: place.memory, access, offset: place.offset }, vec![pointer, value]);
    }

    /// Stores the low bytes of an `i64`.
    pub(super) fn store_low(&mut self, access: Access, place: Place) {
        let (value, index) = (self.pop(), self.pop());
        let Some(pointer) = self.checked_pointer(index, access, place) else {
            return;
        };
        let low = self.op(Op::Wrap, vec![value]);
        self.effect(Op::Store { memory: place.memory, access, offset: place.offset }, vec![pointer, low]);
    }

    /// The length in units of two to this power of bytes.
    pub(super) fn memory_size(&mut self, memory: Memory, unit_log2: u8) {
        let decl = self.module.memories[memory];
        if !decl.varies {
            return self.result(Op::Const32(decl.initial_bytes() >> unit_log2), vec![]);
        }
        let units = self.length_in(memory, unit_log2);
        self.push_result(units);
    }

    /// Straight-line: the length grows by nothing where it cannot grow.
    pub(super) fn memory_grow(&mut self, memory: Memory) {
        let (delta, decl) = (self.pop(), self.module.memories[memory]);
        let old = self.length_in(memory, decl.page_log2);
        let reserve = self.const32(decl.reserve_pages);
        let room = self.op(Op::Sub32, vec![reserve, old]);
        let fits = self.op(Op::LeU32, vec![delta, room]);
        let (shift, zero) = (self.const32(decl.page_log2.into()), self.const32(0));
        let bytes = self.op(Op::Shl32, vec![delta, shift]);
        let more = self.op(Op::Select32, vec![fits, bytes, zero]);
        let length = self.op(Op::MemoryBytes(memory), vec![]);
        let longer = self.op(Op::Add32, vec![length, more]);
        self.effect(Op::SetMemoryBytes(memory), vec![longer]);
        let failed = self.const32(u32::MAX);
        self.result(Op::Select32, vec![fits, old, failed]);
    }

    /// Drops the segment that a memory is.
    pub(super) fn memory_drop(&mut self, memory: Memory) {
        let zero = self.const32(0);
        self.effect(Op::SetMemoryBytes(memory), vec![zero]);
    }

    /// The length of a memory that can grow.
    fn length_in(&mut self, memory: Memory, unit_log2: u8) -> Value {
        let length = self.op(Op::MemoryBytes(memory), vec![]);
        let shift = self.const32(unit_log2.into());
        self.op(Op::ShrU32, vec![length, shift])
    }

    /// Checks an access and gives the address of its index. Without a result the access always
    /// traps and the block has ended.
    fn checked_pointer(&mut self, index: Value, access: Access, place: Place) -> Option<Value> {
        let decl = self.module.memories[place.memory];
        let needed = u64::from(place.offset) + u64::from(access.bytes());
        let needed = u32::try_from(needed).ok().filter(|needed| *needed <= decl.reserve_bytes());
        let Some(needed) = needed else {
            self.end_block(Terminator::Trap(Trap::MemoryOutOfBounds));
            return None;
        };
        let index_max = match decl.varies {
            false => self.const32(decl.initial_bytes() - needed),
            true => self.index_max(place.memory, decl, needed),
        };
        let is_outside = self.op(Op::LtU32, vec![index_max, index]);
        self.trap_if(Trap::MemoryOutOfBounds, is_outside);
        let base = self.op(Op::MemoryBase(place.memory), vec![]);
        Some(self.op(Op::Add32, vec![base, index]))
    }

    /// The largest index in bounds, in a memory that can grow.
    fn index_max(&mut self, memory: Memory, decl: MemoryDecl, needed: u32) -> Value {
        let length = self.op(Op::MemoryBytes(memory), vec![]);
        let needed_value = self.const32(needed);
        if needed > decl.least_bytes() {
            let is_short = self.op(Op::LtU32, vec![length, needed_value]);
            self.trap_if(Trap::MemoryOutOfBounds, is_short);
        }
        self.op(Op::Sub32, vec![length, needed_value])
    }
}
