//! A machine of plain integers: 32-bit words, truth values, a sparse memory.

use std::collections::BTreeMap;

use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::float::Float;
use crate::term::value;
use crate::thumb::decode::decode;
use crate::thumb::feature::{Architecture, FloatUnit, Target, Variant};
use crate::thumb::inst::{Cond, Reg, RegSet, Width};
use crate::thumb::sem::{Alignment, Flags, Flow, ItState, Machine, step};

/// Where the code of a test lies.
pub(super) const CODE: u32 = 0x100;

/// The machine. A byte that nobody wrote has a value made from its address.
#[derive(Clone)]
pub(super) struct Plain {
    pub(super) registers: [u32; Reg::COUNT],
    pub(super) flags: Flags<Plain>,
    pub(super) float_flags: Flags<Plain>,
    pub(super) it: ItState,
    pub(super) memory: BTreeMap<u32, u8>,
    pub(super) target: Target,
    /// Registers asked for and set, PC left out.
    pub(super) reads: RegSet,
    pub(super) writes: RegSet,
}

impl Plain {
    pub(super) fn new() -> Plain {
        Plain {
            registers: [0; Reg::COUNT],
            flags: Flags::from_bits([false; 4]),
            float_flags: Flags::from_bits([false; 4]),
            it: ItState::default(),
            memory: BTreeMap::new(),
            target: Target { architecture: Architecture::V7EM, float: FloatUnit::V5Double, variant: Variant::Float },
            reads: RegSet::EMPTY,
            writes: RegSet::EMPTY,
        }
    }

    /// N, Z, C, V.
    pub(super) fn nzcv(&mut self) -> [bool; 4] {
        let flags = self.flags.clone();
        [Cond::Mi, Cond::Eq, Cond::Hs, Cond::Vs].map(|cond| flags.condition(self, cond))
    }

    /// Runs the code, placed at [`CODE`], until it ends, branches or stops.
    pub(super) fn run(&mut self, halfwords: &[u16]) -> Result<Flow<u32>, String> {
        let bytes: Vec<u8> = halfwords.iter().flat_map(|half| half.to_le_bytes()).collect();
        let mut at = 0;
        while at < bytes.len() {
            let (inst, size) = decode(&bytes, at).map_err(|error| error.to_string())?;
            let flow = step(self, &inst, CODE + at as u32, size)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
            at += size as usize;
        }
        Ok(Flow::Next)
    }

    fn bytes(&self, address: u32, width: Width) -> u32 {
        (0..width.bytes()).rev().fold(0, |word, index| {
            let at = address.wrapping_add(index);
            word << 8 | u32::from(*self.memory.get(&at).unwrap_or(&fresh_byte(at)))
        })
    }

    pub(super) fn put(&mut self, address: u32, width: Width, word: u32) {
        for index in 0..width.bytes() {
            let byte = (word >> (8 * index)) as u8;
            self.memory.insert(address.wrapping_add(index), byte);
        }
    }
}

/// The byte at an address where nobody wrote.
pub(super) fn fresh_byte(address: u32) -> u8 {
    (address.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

fn aligned(address: u32, alignment: Alignment) -> Result<(), String> {
    if address.is_multiple_of(alignment.bytes()) { Ok(()) } else { Err("unaligned".to_owned()) }
}

impl Machine for Plain {
    fn target(&self) -> Target {
        self.target
    }

    fn fault(&mut self, reason: String) -> String {
        reason
    }

    fn register(&mut self, register: Reg) -> Result<u32, String> {
        self.reads = self.reads.with(register);
        if register == Reg::PC {
            return Err("PC as an operand".to_owned());
        }
        Ok(self.registers[usize::from(register.number())])
    }

    fn set_register(&mut self, register: Reg, word: u32) -> Result<(), String> {
        self.writes = self.writes.with(register);
        if register == Reg::PC {
            return Err("PC as a result".to_owned());
        }
        self.registers[usize::from(register.number())] = word;
        Ok(())
    }

    fn flags(&self) -> Flags<Plain> {
        self.flags.clone()
    }

    fn set_flags(&mut self, flags: Flags<Plain>) {
        self.flags = flags;
    }

    fn float_flags(&self) -> Flags<Plain> {
        self.float_flags.clone()
    }

    fn set_float_flags(&mut self, flags: Flags<Plain>) {
        self.float_flags = flags;
    }

    fn it(&self) -> ItState {
        self.it
    }

    fn set_it(&mut self, it: ItState) {
        self.it = it;
    }

    fn load(&mut self, address: &u32, width: Width, alignment: Alignment) -> Result<u32, String> {
        aligned(*address, alignment)?;
        Ok(self.bytes(*address, width))
    }

    fn store(&mut self, address: &u32, width: Width, alignment: Alignment, word: &u32) -> Result<(), String> {
        aligned(*address, alignment)?;
        self.put(*address, width, *word);
        Ok(())
    }

    fn constant(&mut self, address: u32, width: Width) -> Result<u32, String> {
        Ok(self.bytes(address, width))
    }

    fn code_address(&mut self, address: u32) -> Result<u32, String> {
        Ok(address)
    }

    fn jump_table(&mut self, table: u32, index: &u32, width: Width) -> Result<u32, String> {
        let offset = index.wrapping_mul(width.bytes());
        Ok(self.bytes(table.wrapping_add(offset), width))
    }
}

impl Decide for Plain {
    type Stop = String;

    fn decide(&mut self, condition: &bool) -> Result<bool, String> {
        Ok(*condition)
    }
}

impl Domain for Plain {
    type Bool = bool;
    type W32 = u32;
    type W64 = u64;

    fn bool(&mut self, value: bool) -> bool {
        value
    }

    fn not(&mut self, a: &bool) -> bool {
        !a
    }

    fn and(&mut self, a: &bool, b: &bool) -> bool {
        *a && *b
    }

    fn or(&mut self, a: &bool, b: &bool) -> bool {
        *a || *b
    }

    fn ite_bool(&mut self, c: &bool, a: &bool, b: &bool) -> bool {
        if *c { *a } else { *b }
    }

    fn w32(&mut self, value: u32) -> u32 {
        value
    }

    fn un32(&mut self, op: Un32, a: &u32) -> u32 {
        value::un32(op, *a)
    }

    fn bin32(&mut self, op: Bin32, a: &u32, b: &u32) -> u32 {
        value::bin32(op, *a, *b)
    }

    fn cmp32(&mut self, op: Cmp, a: &u32, b: &u32) -> bool {
        value::cmp32(op, *a, *b)
    }

    fn ite32(&mut self, c: &bool, a: &u32, b: &u32) -> u32 {
        if *c { *a } else { *b }
    }

    fn w64(&mut self, value: u64) -> u64 {
        value
    }

    fn join(&mut self, high: &u32, low: &u32) -> u64 {
        u64::from(*high) << 32 | u64::from(*low)
    }

    fn high(&mut self, a: &u64) -> u32 {
        (*a >> 32) as u32
    }

    fn low(&mut self, a: &u64) -> u32 {
        *a as u32
    }

    fn un64(&mut self, op: Un64, a: &u64) -> u64 {
        value::un64(op, *a)
    }

    fn bin64(&mut self, op: Bin64, a: &u64, b: &u64) -> u64 {
        value::bin64(op, *a, *b)
    }

    fn cmp64(&mut self, op: Cmp, a: &u64, b: &u64) -> bool {
        value::cmp64(op, *a, *b)
    }

    fn float(&mut self, op: Float, words: &[u32]) -> [u32; 2] {
        op.value(words)
    }

    fn ite64(&mut self, c: &bool, a: &u64, b: &u64) -> u64 {
        if *c { *a } else { *b }
    }
}
