//! Addresses; loads and stores; cells of the instance; table entries.
//!
//! Sums of addresses wrap like the machine's, so a constant may move from the sum into the
//! instruction whatever its size.

use super::module::ENTRY_BYTES;
use super::shared::Shared;
use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir::{Access, Function, Global, Memory, Op, Table, Type, Value};
use crate::vcode::VReg;
use crate::vcode::imm::{Imm12, IndexShift, ModifiedImm};
use crate::vcode::inst::{Address, Inst, LoadKind, StoreKind, Symbol};

/// The low bits of an offset that an instruction can hold.
const OFFSET_MASK: u32 = 0xfff;

fn word_offset(offset: u32) -> Imm12 {
    Imm12::new(offset & OFFSET_MASK).expect("12 bits")
}

fn address_width(access: Access) -> u32 {
    // The second word of an access of 8 bytes is 4 bytes further.
    if access == Access::W64 { 4 } else { 0 }
}

impl Lower<'_> {
    pub(super) fn memory_base(&mut self, want: Option<Pair>, memory: Memory) {
        if let Some(d) = want.and_then(|want| want.low) {
            let symbol = Symbol::Memory(memory.0);
            self.poolable.insert(d);
            self.emit(Inst::Address { d, symbol, addend: 0 });
        }
    }

    // Addresses.

    /// The address of an access.
    fn address(&mut self, access: Access, base: Value, offset: u32) -> Address<VReg> {
        if offset == 0
            && access != Access::W64
            && let Some(address) = self.index_address(base)
        {
            return address;
        }
        let (base, offset) = self.without_constant(access, base, offset);
        let base = self.word_reg(base);
        self.offset_address(access, base, offset)
    }

    /// A sum that only such accesses use, as base and index.
    fn index_address(&mut self, sum: Value) -> Option<Address<VReg>> {
        let inst = self.here(sum).filter(|inst| inst.op == Op::Add32)?;
        let usage = self.usage[sum];
        let (a, b) = (inst.args[0], inst.args[1]);
        let is_constant = |value| self.constant(value).is_some();
        if usage.uses != usage.plain_addresses || is_constant(a) || is_constant(b) {
            return None;
        }
        // A shift of the index is free, but only if the shifted value is not needed anyway.
        let words = [a, b].map(|value| self.word(value, Half::Low));
        let orders = [(words[0], words[1]), (words[1], words[0])];
        for (base, index) in orders {
            if usage.uses == 1
                && let Some(shifted) = self.shifted(index)
                && shifted.op == crate::vcode::inst::ShiftOp::Lsl
                && let Some(shift) = IndexShift::new(shifted.by.value())
            {
                let (base, index) = (self.word_reg(base), self.word_reg(shifted.word));
                return Some(Address::Index(base, index, shift));
            }
        }
        let (base, index) = (self.word_reg(words[0]), self.word_reg(words[1]));
        Some(Address::Index(base, index, IndexShift::ZERO))
    }

    /// Takes constants out of the sum that an address is, where the sum has no other use or is the
    /// memory's base plus a constant.
    fn without_constant(&self, access: Access, mut base: Value, mut offset: u32) -> (Word, u32) {
        while let Some(inst) = self.ir.definition(base).filter(|i| i.op == Op::Add32) {
            let (rest, bits) = match (self.constant(inst.args[0]), self.constant(inst.args[1])) {
                (_, Some(bits)) => (inst.args[0], bits),
                (Some(bits), _) => (inst.args[1], bits),
                _ => break,
            };
            let is_base = matches!(self.ir.op(rest), Some(Op::MemoryBase(_)));
            let sum = offset.wrapping_add(bits);
            let fits = sum <= OFFSET_MASK - address_width(access);
            let moves = is_base || (fits && self.only_here(base).is_some());
            if !moves {
                break;
            }
            (base, offset) = (rest, sum);
        }
        (self.word(base, Half::Low), offset)
    }

    /// Base plus an offset of any size.
    fn offset_address(&mut self, access: Access, base: VReg, offset: u32) -> Address<VReg> {
        if offset <= OFFSET_MASK - address_width(access) {
            return Address::Offset(base, word_offset(offset));
        }
        let mut near = offset & OFFSET_MASK;
        if near > OFFSET_MASK - address_width(access) {
            near = 0;
        }
        let far = offset - near;
        if ModifiedImm::new(far).is_some() {
            let base = self.share(Shared::Beyond(base, far));
            return Address::Offset(base, word_offset(near));
        }
        if access != Access::W64 {
            let index = self.share(Shared::Const(offset));
            return Address::Index(base, index, IndexShift::ZERO);
        }
        let d = self.local();
        self.add_constant(d, base, offset);
        Address::Offset(d, Imm12::ZERO)
    }

    fn second_word(address: Address<VReg>) -> Address<VReg> {
        match address {
            Address::Offset(base, offset) => Address::Offset(base, word_offset(offset.value() + 4)),
            Address::Index(..) => unreachable!("8 bytes are addressed by an offset"),
        }
    }

    // Accesses.

    pub(super) fn load(&mut self, want: Option<Pair>, access: Access, base: Value, offset: u32) {
        let Some(want) = want else { return };
        let address = self.address(access, base, offset);
        let kind = match access {
            Access::U8 => LoadKind::Byte,
            Access::S8 => LoadKind::ByteSigned,
            Access::U16 => LoadKind::Half,
            Access::S16 => LoadKind::HalfSigned,
            Access::W32 | Access::W64 => LoadKind::Word,
        };
        self.load_pair(want, kind, address);
    }

    fn load_pair(&mut self, want: Pair, kind: LoadKind, address: Address<VReg>) {
        if let Some(d) = want.low {
            self.emit(Inst::Load { kind, d, address });
        }
        if let Some(d) = want.high {
            let address = Lower::second_word(address);
            self.emit(Inst::Load { kind, d, address });
        }
    }

    pub(super) fn store(&mut self, access: Access, args: &[Value], offset: u32) {
        let address = self.address(access, args[0], offset);
        let kind = match access {
            Access::U8 | Access::S8 => StoreKind::Byte,
            Access::U16 | Access::S16 => StoreKind::Half,
            Access::W32 | Access::W64 => StoreKind::Word,
        };
        self.store_words(kind, access.ty(), args[1], address);
    }

    fn store_words(&mut self, kind: StoreKind, ty: Type, value: Value, address: Address<VReg>) {
        let low = self.word(value, Half::Low);
        let s = self.word_reg(low);
        self.emit(Inst::Store { kind, s, address });
        if ty == Type::I64 {
            let high = self.word(value, Half::High);
            let s = self.word_reg(high);
            let address = Lower::second_word(address);
            self.emit(Inst::Store { kind, s, address });
        }
    }

    // Cells.

    /// The address of a cell, of which an instruction can also reach the second word.
    fn cell(&mut self, offset: u32) -> Address<VReg> {
        // The low part leaves room for the second word, since cells are aligned to their size.
        let near = offset & (OFFSET_MASK & !7) | offset & 4;
        let far = i32::try_from(offset - near).expect("instances are smaller than 2 GiB");
        let base = self.share(Shared::Address(Symbol::Instance, far));
        Address::Offset(base, word_offset(near))
    }

    pub(super) fn global_get(&mut self, want: Option<Pair>, global: Global) {
        let Some(want) = want else { return };
        let address = self.cell(self.module.cell(global));
        self.load_pair(want, LoadKind::Word, address);
    }

    pub(super) fn global_set(&mut self, global: Global, ty: Type, value: Value) {
        let address = self.cell(self.module.cell(global));
        self.store_words(StoreKind::Word, ty, value, address);
    }

    pub(super) fn memory_bytes(&mut self, want: Option<Pair>, memory: Memory) {
        let Some(want) = want else { return };
        let address = self.cell(self.module.length(memory));
        self.load_pair(want, LoadKind::Word, address);
    }

    pub(super) fn set_memory_bytes(&mut self, memory: Memory, value: Value) {
        let address = self.cell(self.module.length(memory));
        self.store_words(StoreKind::Word, Type::I32, value, address);
    }

    // Tables and references.

    pub(super) fn function_ref(&mut self, want: Option<Pair>, function: Function) {
        if let Some(d) = want.and_then(|want| want.low) {
            let addend = i32::try_from(self.module.descriptor(function)).expect("descriptors are below 2 GiB");
            self.poolable.insert(d);
            self.emit(Inst::Address { d, symbol: Symbol::Functions, addend });
        }
    }

    pub(super) fn table_get(&mut self, want: Option<Pair>, table: Table, index: Value) {
        let Some(want) = want else { return };
        let address = self.entry(table, index);
        self.load_pair(want, LoadKind::Word, address);
    }

    pub(super) fn table_set(&mut self, table: Table, args: &[Value]) {
        let address = self.entry(table, args[0]);
        self.store_words(StoreKind::Word, Type::I32, args[1], address);
    }

    /// The address of a table's entry.
    fn entry(&mut self, table: Table, index: Value) -> Address<VReg> {
        let base = self.share(Shared::Address(Symbol::Table(table.0), 0));
        match self.word(index, Half::Low) {
            Word::Const(index) => self.offset_address(Access::W32, base, index.wrapping_mul(ENTRY_BYTES)),
            word @ Word::Part(..) => {
                let shift = IndexShift::new(ENTRY_BYTES.ilog2()).expect("entries are words");
                Address::Index(base, self.word_reg(word), shift)
            }
        }
    }

    pub(super) fn table_size(&mut self, want: Option<Pair>, table: Table) {
        let Some(want) = want else { return };
        let address = self.cell(self.module.size(table));
        self.load_pair(want, LoadKind::Word, address);
    }

    pub(super) fn set_table_size(&mut self, table: Table, value: Value) {
        let address = self.cell(self.module.size(table));
        self.store_words(StoreKind::Word, Type::I32, value, address);
    }

    /// A word of the descriptor that a reference points to.
    pub(super) fn descriptor_word(&mut self, want: Option<Pair>, reference: Value, offset: u32) {
        let Some(want) = want else { return };
        let base = self.reg(reference);
        self.load_pair(want, LoadKind::Word, Address::Offset(base, word_offset(offset)));
    }
}
