//! A small assembler for the code that no Wasm function stands behind: instantiation, startup, harness.
//!
//! Requires: each label is placed once before `finish`.
//! Ensures: encodings come from `emit::encode` alone.
//!
//! All callers are in this crate; the only user's data that comes here are the words given to
//! `constant`, which takes any, and offsets that `init` keeps in range.

use super::program::{Relocation, RelocationKind, Symbol};
use crate::emit::constant;
use crate::emit::encode::{Code, branch_if_reaches, encode};
use crate::emit::machine::{FlagsMode, Machine, Position, Width};
use crate::target::Isa;
use crate::vcode::imm::{Imm12, IndexShift, ModifiedImm, ShiftImm};
use crate::vcode::inst::{Address, AluOp, CompareOp, Cond, LoadKind, Operand2, ShiftOp, StoreKind};
use crate::vcode::reg::PReg;

/// A place to branch to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(usize);

#[derive(Clone, Copy, Debug)]
enum Fixup {
    /// A branch or call, its distance to be filled in.
    Branch(Machine),
    /// A `MOVW` and a `MOVT` of the label's address, Thumb bit not set.
    Address(PReg),
}

/// Code under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    isa: Isa,
    data: Vec<(u32, u32)>,
    code: Vec<u8>,
    labels: Vec<Option<u32>>,
    fixups: Vec<(u32, Label, Fixup)>,
    relocations: Vec<Relocation>,
}

impl Assembler {
    /// For these instructions.
    pub fn new(isa: Isa) -> Assembler {
        Assembler { isa, ..Assembler::default() }
    }

    /// Ranges without instructions, half-open and ascending. Where there are some, the code has to be placed at
    /// a multiple of 4.
    pub fn data(&self) -> Vec<(u32, u32)> {
        self.data.clone()
    }

    /// Bytes so far.
    pub fn position(&self) -> u32 {
        self.code.len() as u32
    }

    /// A label to be placed later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts a label here.
    pub fn place(&mut self, label: Label) {
        assert!(self.labels[label.0].is_none(), "a label has one place");
        self.labels[label.0] = Some(self.position());
    }

    /// A label that stands here.
    pub fn here(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// The offset of a label that has been placed.
    pub fn offset(&self, label: Label) -> u32 {
        self.labels[label.0].expect("every label is placed")
    }

    /// Resolves every label. `origin` is the address of the first byte, for absolute addresses.
    pub fn finish(mut self, origin: u32) -> (Vec<u8>, Vec<Relocation>) {
        for (at, label, fixup) in std::mem::take(&mut self.fixups) {
            let target = self.offset(label);
            match fixup {
                Fixup::Branch(branch) => {
                    let distance = target as i32 - at as i32;
                    self.overwrite(at, with_distance(branch, distance));
                }
                Fixup::Address(d) => {
                    let address = origin + target;
                    if self.isa == Isa::V6M {
                        let mut at = at;
                        for inst in bytewise(d, address) {
                            self.overwrite(at, inst);
                            at += 2;
                        }
                        continue;
                    }
                    self.overwrite(at, Machine::Movw { d, imm: address as u16 });
                    self.overwrite(at + 4, Machine::Movt { d, imm: (address >> 16) as u16 });
                }
            }
        }
        (self.code, self.relocations)
    }

    fn overwrite(&mut self, at: u32, inst: Machine) {
        let mut bytes = Vec::new();
        encode(&inst, Position::Plain).append_to(&mut bytes);
        let at = at as usize;
        self.code[at..at + bytes.len()].copy_from_slice(&bytes);
    }

    /// Appends an instruction.
    pub fn inst(&mut self, inst: Machine) {
        encode(&inst, Position::Plain).append_to(&mut self.code);
    }

    /// Appends an instruction that compiled code never has.
    pub fn special(&mut self, half: u16) {
        Code::Narrow(half).append_to(&mut self.code);
    }

    /// The same of 32 bits, the first halfword on top.
    pub fn special_wide(&mut self, word: u32) {
        Code::Wide((word >> 16) as u16, word as u16).append_to(&mut self.code);
    }

    /// Puts a constant into a register; the flags may change.
    pub fn constant(&mut self, d: PReg, value: u32) {
        if self.isa == Isa::V6M {
            let short = constant::steps(self.isa, value, d, FlagsMode::Dead);
            return short.unwrap_or_else(|| bytewise(d, value)).into_iter().for_each(|inst| self.inst(inst));
        }
        if let Some(imm) = ModifiedImm::new(value) {
            let m = Operand2::Imm(imm);
            return self.inst(Machine::Mov { flags: FlagsMode::Dead, d, m });
        }
        self.inst(Machine::Movw { d, imm: value as u16 });
        if value >> 16 != 0 {
            self.inst(Machine::Movt { d, imm: (value >> 16) as u16 });
        }
    }

    /// The address of a symbol, by `MOVW` and `MOVT`, or else from a word around which a branch goes.
    pub fn address(&mut self, d: PReg, symbol: Symbol) {
        if self.isa == Isa::V6M {
            return self.literal(d, symbol);
        }
        self.relocate(RelocationKind::MovwAbsNc, symbol);
        self.inst(Machine::Movw { d, imm: 0 });
        self.relocate(RelocationKind::MovtAbs, symbol);
        self.inst(Machine::Movt { d, imm: 0 });
    }

    fn literal(&mut self, d: PReg, symbol: Symbol) {
        if !self.position().is_multiple_of(4) {
            self.inst(Machine::Nop);
        }
        self.inst(Machine::LoadLiteral { width: Width::Narrow, d, distance: 0 });
        self.inst(Machine::Branch { width: Width::Narrow, distance: 6 });
        let at = self.position();
        self.relocate(RelocationKind::Abs32, symbol);
        self.code.extend([0; 4]);
        self.data.push((at, at + 4));
    }

    /// The address of a label in code at a fixed place.
    pub fn address_of(&mut self, d: PReg, label: Label) {
        self.fixups.push((self.position(), label, Fixup::Address(d)));
        if self.isa == Isa::V6M {
            return bytewise(d, 0).into_iter().for_each(|inst| self.inst(inst));
        }
        self.inst(Machine::Movw { d, imm: 0 });
        self.inst(Machine::Movt { d, imm: 0 });
    }

    /// `bl` to a function.
    pub fn call(&mut self, symbol: Symbol) {
        self.relocate(RelocationKind::ThmCall, symbol);
        self.inst(Machine::Call { distance: 4 });
    }

    fn relocate(&mut self, kind: RelocationKind, symbol: Symbol) {
        let offset = self.position();
        self.relocations.push(Relocation { offset, kind, symbol, addend: 0 });
    }

    /// `bl` to a label.
    pub fn call_label(&mut self, label: Label) {
        self.branch_to(label, Machine::Call { distance: 4 });
    }

    /// `b`, 32 bits; on Armv6-M 16 bits.
    pub fn branch(&mut self, label: Label) {
        let width = if self.isa == Isa::V6M { Width::Narrow } else { Width::Wide };
        self.branch_to(label, Machine::Branch { width, distance: 4 });
    }

    /// `b<cond>`: 16 bits to a label that has been placed and is in reach, else 32, in two instructions on
    /// Armv6-M.
    pub fn branch_if(&mut self, cond: Cond, label: Label) {
        let is_near = |target: u32| branch_if_reaches(Width::Narrow, target as i32 - self.position() as i32);
        let width = if self.labels[label.0].is_some_and(is_near) { Width::Narrow } else { Width::Wide };
        if width == Width::Wide && self.isa == Isa::V6M {
            let around = Machine::BranchIf { width: Width::Narrow, cond: cond.negated(), distance: 4 };
            self.inst(around);
            return self.branch(label);
        }
        self.branch_to(label, Machine::BranchIf { width, cond, distance: 4 });
    }

    fn branch_to(&mut self, label: Label, branch: Machine) {
        self.fixups.push((self.position(), label, Fixup::Branch(branch)));
        self.inst(branch);
    }

    /// `mov d, m`
    pub fn copy(&mut self, d: PReg, m: PReg) {
        self.inst(Machine::Mov { flags: FlagsMode::Keep, d, m: Operand2::Reg(m) });
    }

    /// `adds d, n, m`
    pub fn add(&mut self, d: PReg, n: PReg, m: PReg) {
        self.alu(AluOp::Add, (d, n), Operand2::Reg(m));
    }

    /// `subs d, n, m`
    pub fn sub(&mut self, d: PReg, n: PReg, m: PReg) {
        self.alu(AluOp::Sub, (d, n), Operand2::Reg(m));
    }

    /// `adds d, d, #value`, the value below 256.
    pub fn add_imm(&mut self, d: PReg, value: u8) {
        self.alu(AluOp::Add, (d, d), immediate(value));
    }

    /// `subs d, d, #value`, the value below 256.
    pub fn sub_imm(&mut self, d: PReg, value: u8) {
        self.alu(AluOp::Sub, (d, d), immediate(value));
    }

    fn alu(&mut self, op: AluOp, (d, n): (PReg, PReg), m: Operand2<PReg>) {
        self.inst(Machine::Alu { op, flags: FlagsMode::Set, d, n, m });
    }

    /// `lsls d, d, #count` or its like, the count 1 to 31.
    pub fn shift(&mut self, op: ShiftOp, d: PReg, count: u32) {
        let amount = ShiftImm::new(count).expect("a count of 1 to 31");
        let m = Operand2::Shifted(d, op, amount);
        self.inst(Machine::Mov { flags: FlagsMode::Dead, d, m });
    }

    /// `cmp n, #value`
    pub fn compare_imm(&mut self, n: PReg, value: u8) {
        self.inst(Machine::Compare { op: CompareOp::Cmp, n, m: immediate(value) });
    }

    /// `cmp n, m`
    pub fn compare(&mut self, n: PReg, m: PReg) {
        self.inst(Machine::Compare { op: CompareOp::Cmp, n, m: Operand2::Reg(m) });
    }

    /// `ldr d, [n, #offset]` or its like, the offset below 4096.
    pub fn load(&mut self, kind: LoadKind, d: PReg, (n, offset): (PReg, u32)) {
        self.inst(Machine::Load { kind, d, address: at(n, offset) });
    }

    /// `str s, [n, #offset]` or its like, the offset below 4096.
    pub fn store(&mut self, kind: StoreKind, s: PReg, (n, offset): (PReg, u32)) {
        self.inst(Machine::Store { kind, s, address: at(n, offset) });
    }

    /// `ldr d, [n, m]` or its like.
    pub fn load_indexed(&mut self, kind: LoadKind, d: PReg, (n, m): (PReg, PReg)) {
        let address = Address::Index(n, m, IndexShift::ZERO);
        self.inst(Machine::Load { kind, d, address });
    }

    /// `str s, [n, m]` or its like.
    pub fn store_indexed(&mut self, kind: StoreKind, s: PReg, (n, m): (PReg, PReg)) {
        let address = Address::Index(n, m, IndexShift::ZERO);
        self.inst(Machine::Store { kind, s, address });
    }
}

/// A word in `d`, byte by byte from the top: always as many instructions of 16 bits.
fn bytewise(d: PReg, value: u32) -> Vec<Machine> {
    let [top, rest @ ..] = value.to_be_bytes();
    let flags = FlagsMode::Dead;
    let mut steps = vec![Machine::Mov { flags, d, m: immediate(top) }];
    for byte in rest {
        let by = ShiftImm::new(8).expect("a shift amount");
        steps.push(Machine::Mov { flags, d, m: Operand2::Shifted(d, ShiftOp::Lsl, by) });
        steps.push(Machine::Alu { op: AluOp::Add, flags, d, n: d, m: immediate(byte) });
    }
    steps
}

fn immediate(value: u8) -> Operand2<PReg> {
    Operand2::Imm(ModifiedImm::new(value.into()).expect("eight bits are an immediate"))
}

fn at(n: PReg, offset: u32) -> Address<PReg> {
    Address::Offset(n, Imm12::new(offset).expect("an offset below 4096"))
}

fn with_distance(branch: Machine, distance: i32) -> Machine {
    match branch {
        Machine::Call { .. } => Machine::Call { distance },
        Machine::Branch { width, .. } => Machine::Branch { width, distance },
        Machine::BranchIf { width, cond, .. } => Machine::BranchIf { width, cond, distance },
        other => other,
    }
}
