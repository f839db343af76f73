//! Memory instructions (core spec, 4.4.7) with explicit bounds checks and addresses.
//!
//! An access of n bytes at index i with constant offset o is in bounds iff i + o + n <= L, computed
//! without wrapping. With c = o + n that is c <= L and i <= L - c, where nothing wraps.

use crate::trap::Trap;

use super::Translator;
use crate::ir::func::{Terminator, Value};
use crate::ir::op::{Access, Memory, Op};
use crate::wasm::{MemoryDecl, PAGE_BYTES};

/// The only memory.
const MEMORY: Memory = Memory(0);

impl Translator<'_> {
    pub(super) fn load(&mut self, access: Access, offset: u32, widen: Option<Op>) {
        let index = self.pop();
        let Some(pointer) = self.checked_pointer(index, access, offset) else {
            return;
        };
        let load = Op::Load { memory: MEMORY, access, offset };
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

    pub(super) fn store(&mut self, access: Access, offset: u32) {
        let (value, index) = (self.pop(), self.pop());
        let Some(pointer) = self.checked_pointer(index, access, offset) else {
            return;
        };
        self.effect(Op::Store { memory: MEMORY, access, offset }, vec![pointer, value]);
    }

    /// Stores the low bytes of an `i64`.
    pub(super) fn store_low(&mut self, access: Access, offset: u32) {
        let (value, index) = (self.pop(), self.pop());
        let Some(pointer) = self.checked_pointer(index, access, offset) else {
            return;
        };
        let low = self.op(Op::Wrap, vec![value]);
        self.effect(Op::Store { memory: MEMORY, access, offset }, vec![pointer, low]);
    }

    pub(super) fn memory_size(&mut self) {
        let memory = self.memory_decl();
        if !memory.grows {
            return self.result(Op::Const32(memory.initial_pages), vec![]);
        }
        let pages = self.pages();
        self.push_result(pages);
    }

    /// Straight-line: the length grows by nothing where it cannot grow.
    pub(super) fn memory_grow(&mut self) {
        let (delta, memory) = (self.pop(), self.memory_decl());
        let old = self.pages();
        let reserve = self.const32(memory.reserve_pages);
        let room = self.op(Op::Sub32, vec![reserve, old]);
        let fits = self.op(Op::LeU32, vec![delta, room]);
        let (shift, zero) = (self.const32(PAGE_BYTES.ilog2()), self.const32(0));
        let bytes = self.op(Op::Shl32, vec![delta, shift]);
        let more = self.op(Op::Select32, vec![fits, bytes, zero]);
        let length = self.op(Op::MemoryBytes(MEMORY), vec![]);
        let longer = self.op(Op::Add32, vec![length, more]);
        self.effect(Op::SetMemoryBytes(MEMORY), vec![longer]);
        let failed = self.const32(u32::MAX);
        self.result(Op::Select32, vec![fits, old, failed]);
    }

    fn memory_decl(&self) -> MemoryDecl {
        self.module.memory.expect("validation finds the memory")
    }

    /// The length in pages of a memory that can grow.
    fn pages(&mut self) -> Value {
        let length = self.op(Op::MemoryBytes(MEMORY), vec![]);
        let shift = self.const32(PAGE_BYTES.ilog2());
        self.op(Op::ShrU32, vec![length, shift])
    }

    /// Checks an access and gives the address of its index. Without a result the access always
    /// traps and the block has ended.
    fn checked_pointer(&mut self, index: Value, access: Access, offset: u32) -> Option<Value> {
        let memory = self.memory_decl();
        let needed = u64::from(offset) + u64::from(access.bytes());
        let needed = u32::try_from(needed).ok().filter(|needed| *needed <= memory.reserve_bytes());
        let Some(needed) = needed else {
            self.end_block(Terminator::Trap(Trap::MemoryOutOfBounds));
            return None;
        };
        let index_max = match memory.grows {
            false => self.const32(memory.initial_bytes() - needed),
            true => self.index_max(memory, needed),
        };
        let is_outside = self.op(Op::LtU32, vec![index_max, index]);
        self.trap_if(Trap::MemoryOutOfBounds, is_outside);
        let base = self.op(Op::MemoryBase(MEMORY), vec![]);
        Some(self.op(Op::Add32, vec![base, index]))
    }

    /// The largest index in bounds, in a memory that can grow.
    fn index_max(&mut self, memory: MemoryDecl, needed: u32) -> Value {
        let length = self.op(Op::MemoryBytes(MEMORY), vec![]);
        let needed_value = self.const32(needed);
        if needed > memory.initial_bytes() {
            let is_short = self.op(Op::LtU32, vec![length, needed_value]);
            self.trap_if(Trap::MemoryOutOfBounds, is_short);
        }
        self.op(Op::Sub32, vec![length, needed_value])
    }
}
