//! An interpreter of functions over virtual registers, for tests of selection.
//!
//! Ensures: reading a register that was not written, or flags that something destroyed, panics.

use std::collections::BTreeMap;

use crate::vcode::entity::Entity;
use crate::vcode::func::{ENTRY, Func};
use crate::vcode::imm::BitField;
use crate::vcode::inst::{
    Address, AluOp, Call, Callee, Choice, CompareOp, Cond, Edge, Flags, InPlaceOp, Inst, LoadKind, MulLongAddOp,
    Operand2, ShiftBy, ShiftOp, Sign, StoreKind, Symbol, Terminator, Trap, UnaryOp, WideOp, ZeroTest,
};
use crate::vcode::{PReg, VReg};

/// Where the linear memory is.
pub(super) const MEMORY: u32 = 0x2000_0000;
/// SP.
pub(super) const STACK: u32 = 0x2008_0000;
/// Where the instance is.
pub(super) const INSTANCE: u32 = 0x1000_0000;
/// Where the table is.
pub(super) const TABLE: u32 = 0x0800_0000;

/// Where the descriptors of functions are.
pub(super) const FUNCTIONS: u32 = 0x0900_0000;

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// With these words in r0 and r1.
    Returned(Vec<u32>),
    /// With a trap.
    Trapped(Trap),
    /// With a function that it leaves for, the last of the calls.
    Left,
}

/// A call that was made. Its results are 0x1234 in r0 and 0x5678 in r1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Called {
    pub(super) callee: String,
    /// Register arguments, with the registers' numbers.
    pub(super) registers: Vec<(u8, u32)>,
    /// Stack arguments, with their byte offsets.
    pub(super) stack: Vec<(u32, u32)>,
}

/// A machine before or after a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Machine {
    /// Bytes by address; others are 0.
    pub(super) bytes: BTreeMap<u32, u8>,
    /// Register arguments.
    pub(super) registers: BTreeMap<u8, u32>,
    /// Stack arguments, by byte offset.
    pub(super) stack: BTreeMap<u32, u32>,
    /// Each call in order.
    pub(super) calls: Vec<Called>,
    outgoing: BTreeMap<u32, u32>,
    values: BTreeMap<VReg, u32>,
    flags: Option<NZCV>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::upper_case_acronyms, reason = "the name in the manual")]
struct NZCV {
    n: bool,
    z: bool,
    c: bool,
    v: bool,
}

/// Steps after which a run is given up.
const STEPS_MAX: u32 = 100_000;

fn add_with_carry(a: u32, b: u32, carry: bool) -> (u32, NZCV) {
    let wide = u64::from(a) + u64::from(b) + u64::from(carry);
    let signed = i64::from(a as i32) + i64::from(b as i32) + i64::from(carry);
    let sum = wide as u32;
    let flags =
        NZCV { n: (sum as i32) < 0, z: sum == 0, c: wide > u64::from(u32::MAX), v: signed != i64::from(sum as i32) };
    (sum, flags)
}

fn shift(op: ShiftOp, n: u32, by: u32) -> u32 {
    match op {
        ShiftOp::Lsl => n.checked_shl(by).unwrap_or(0),
        ShiftOp::Lsr => n.checked_shr(by).unwrap_or(0),
        ShiftOp::Asr => ((n as i32) >> by.min(31)) as u32,
        ShiftOp::Ror => n.rotate_right(by % 32),
    }
}

fn mask(field: BitField) -> u32 {
    (u32::MAX >> (32 - field.width())) << field.lsb()
}

impl Machine {
    /// A machine whose arguments are these words, placed by `places`.
    pub(super) fn new() -> Machine {
        Machine::default()
    }

    /// Runs a function.
    pub(super) fn run(&mut self, func: &Func) -> Outcome {
        let mut block = ENTRY;
        let mut params: Vec<u32> = Vec::new();
        for _ in 0..STEPS_MAX {
            let data = &func.blocks[block];
            assert_eq!(data.params.len(), params.len(), "{block}");
            for (&param, &value) in data.params.iter().zip(&params) {
                self.values.insert(param, value);
            }
            self.flags = None;
            for node in &data.insts {
                if let Err(trap) = self.step(&node.inst) {
                    return Outcome::Trapped(trap);
                }
            }
            let edge: &Edge<VReg> = match &data.terminator {
                Terminator::Jump(edge) => edge,
                Terminator::Branch { cond, then, otherwise } => match self.holds(*cond) {
                    true => then,
                    false => otherwise,
                },
                Terminator::BranchZero { test, n, then, otherwise } => {
                    match (self.get(*n) == 0) == (*test == ZeroTest::Zero) {
                        true => then,
                        false => otherwise,
                    }
                }
                Terminator::Table { index, targets } => &targets[self.get(*index) as usize],
                Terminator::ReturnCall(call) => {
                    let mut called = self.called(call);
                    called.stack = self.stack.clone().into_iter().collect();
                    self.calls.push(called);
                    return Outcome::Left;
                }
                Terminator::Return { values } => {
                    let words: BTreeMap<u8, u32> =
                        values.iter().map(|&(at, value)| (at.number(), self.get(value))).collect();
                    return Outcome::Returned(words.into_values().collect());
                }
                Terminator::Trap(trap) => return Outcome::Trapped(*trap),
            };
            params = edge.args.iter().map(|&arg| self.get(arg)).collect();
            block = edge.block;
        }
        panic!("the run does not end:\n{func}");
    }

    fn get(&self, vreg: VReg) -> u32 {
        match self.values.get(&vreg) {
            Some(&value) => value,
            None => panic!("v{} is read before it is written", vreg.index()),
        }
    }

    fn set(&mut self, vreg: VReg, value: u32) {
        self.values.insert(vreg, value);
    }

    fn flags(&self) -> NZCV {
        self.flags.expect("flags are read where they are valid")
    }

    fn holds(&self, cond: Cond) -> bool {
        let NZCV { n, z, c, v } = self.flags();
        match cond {
            Cond::Eq => z,
            Cond::Ne => !z,
            Cond::Hs => c,
            Cond::Lo => !c,
            Cond::Mi => n,
            Cond::Pl => !n,
            Cond::Vs => v,
            Cond::Vc => !v,
            Cond::Hi => c && !z,
            Cond::Ls => !c || z,
            Cond::Ge => n == v,
            Cond::Lt => n != v,
            Cond::Gt => !z && n == v,
            Cond::Le => z || n != v,
        }
    }

    fn operand2(&self, m: Operand2<VReg>) -> u32 {
        match m {
            Operand2::Reg(m) => self.get(m),
            Operand2::Shifted(m, op, by) => shift(op, self.get(m), by.value()),
            Operand2::Imm(imm) => imm.value(),
        }
    }

    fn address(&self, address: Address<VReg>) -> u32 {
        match address {
            Address::Offset(base, offset) => self.get(base).wrapping_add(offset.value()),
            Address::Index(base, index, by) => {
                let index = self.get(index) << by.value();
                self.get(base).wrapping_add(index)
            }
        }
    }

    /// Reads little-endian bytes.
    pub(super) fn read(&self, address: u32, bytes: u32) -> u32 {
        (0..bytes).fold(0, |word, index| {
            let byte = self.bytes.get(&address.wrapping_add(index)).copied();
            word | u32::from(byte.unwrap_or(0)) << (8 * index)
        })
    }

    /// Writes little-endian bytes.
    pub(super) fn write(&mut self, address: u32, bytes: u32, value: u32) {
        for index in 0..bytes {
            let byte = (value >> (8 * index)) as u8;
            self.bytes.insert(address.wrapping_add(index), byte);
        }
    }

    /// N and Z of a result; C and V become unusable for tests that would need them, which is
    /// checked by giving them the values that hurt most: those before, complemented.
    fn logic_flags(&mut self, value: u32) {
        let before = self.flags;
        self.flags = Some(NZCV {
            n: (value as i32) < 0,
            z: value == 0,
            c: before.is_some_and(|flags| !flags.c),
            v: before.is_some_and(|flags| !flags.v),
        });
    }

    fn alu(&mut self, op: AluOp, flags: Flags, n: u32, m: u32) -> u32 {
        let carry = op.reads_carry() && self.flags().c;
        let arithmetic = match op {
            AluOp::Add => Some(add_with_carry(n, m, false)),
            AluOp::Adc => Some(add_with_carry(n, m, carry)),
            AluOp::Sub => Some(add_with_carry(n, !m, true)),
            AluOp::Sbc => Some(add_with_carry(n, !m, carry)),
            AluOp::Rsb => Some(add_with_carry(!n, m, true)),
            AluOp::And | AluOp::Orr | AluOp::Eor | AluOp::Bic | AluOp::Orn => None,
        };
        if let Some((value, nzcv)) = arithmetic {
            if flags == Flags::Set {
                self.flags = Some(nzcv);
            }
            return value;
        }
        let value = match op {
            AluOp::And => n & m,
            AluOp::Orr => n | m,
            AluOp::Eor => n ^ m,
            AluOp::Bic => n & !m,
            _ => n | !m,
        };
        if flags == Flags::Set {
            self.logic_flags(value);
        }
        value
    }

    fn compare(&mut self, op: CompareOp, n: u32, m: u32) {
        match op {
            CompareOp::Cmp => self.flags = Some(add_with_carry(n, !m, true).1),
            CompareOp::Cmn => self.flags = Some(add_with_carry(n, m, false).1),
            CompareOp::Tst => self.logic_flags(n & m),
            CompareOp::Teq => self.logic_flags(n ^ m),
        }
    }

    fn choice(&self, choice: Choice<VReg>) -> u32 {
        match choice {
            Choice::Reg(m) => self.get(m),
            Choice::Imm(imm) => imm.value(),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one row per instruction")]
    fn step(&mut self, inst: &Inst<VReg>) -> Result<(), Trap> {
        match *inst {
            Inst::Args { ref defs } => {
                for &(at, d) in defs {
                    let value = self.registers[&at.number()];
                    self.set(d, value);
                }
            }
            Inst::Move { d, m } => self.set(d, self.get(m)),
            Inst::Float(_) => panic!("these tests have no floating-point unit"),
            Inst::Const { d, value } => self.set(d, value),
            Inst::Address { d, symbol, addend } => {
                let base = match symbol {
                    Symbol::Memory(_) => MEMORY,
                    Symbol::Instance => INSTANCE,
                    Symbol::Table(_) => TABLE,
                    Symbol::Functions => FUNCTIONS,
                    Symbol::Data | Symbol::Elements | Symbol::Function(_) | Symbol::StackLimit => {
                        panic!("selection makes no address of {symbol}")
                    }
                };
                self.set(d, base.wrapping_add_signed(addend));
            }
            Inst::Alu { op, flags, d, n, m } => {
                let (n, m) = (self.get(n), self.operand2(m));
                let value = self.alu(op, flags, n, m);
                self.set(d, value);
            }
            Inst::AluWide { op, d, n, imm } => {
                let (n, imm) = (self.get(n), imm.value());
                self.set(
                    d,
                    match op {
                        WideOp::Add => n.wrapping_add(imm),
                        WideOp::Sub => n.wrapping_sub(imm),
                    },
                );
            }
            Inst::Not { flags, d, m } => {
                let value = !self.operand2(m);
                if flags == Flags::Set {
                    self.logic_flags(value);
                }
                self.set(d, value);
            }
            Inst::Shift { op, flags, d, n, by } => {
                let by = match by {
                    ShiftBy::Reg(m) => self.get(m) & 0xff,
                    ShiftBy::Imm(imm) => imm.value(),
                };
                let value = shift(op, self.get(n), by);
                if flags == Flags::Set {
                    self.logic_flags(value);
                }
                self.set(d, value);
            }
            Inst::InPlace { op, flags, d, n, m } => {
                let (n, m) = (self.get(n), self.operand2(m));
                let value = match op {
                    InPlaceOp::Alu(op) => self.alu(op, flags, n, m),
                    InPlaceOp::Shift(op) => shift(op, n, m & 0xff),
                    InPlaceOp::Mul => n.wrapping_mul(m),
                };
                self.set(d, value);
            }
            Inst::Mul { d, n, m } => self.set(d, self.get(n).wrapping_mul(self.get(m))),
            Inst::MulAdd { d, n, m, a } => {
                let product = self.get(n).wrapping_mul(self.get(m));
                self.set(d, self.get(a).wrapping_add(product));
            }
            Inst::MulSub { d, n, m, a } => {
                let product = self.get(n).wrapping_mul(self.get(m));
                self.set(d, self.get(a).wrapping_sub(product));
            }
            Inst::MulLong { sign, low, high, n, m } => {
                let product = self.product(sign, n, m);
                self.set(low, product as u32);
                self.set(high, (product >> 32) as u32);
            }
            Inst::MulLongAdd { op, low, high, low_in, high_in, n, m } => {
                let (l, h) = (u64::from(self.get(low_in)), u64::from(self.get(high_in)));
                let sum = match op {
                    MulLongAddOp::Umlal => (h << 32 | l).wrapping_add(self.product(Sign::Unsigned, n, m)),
                    MulLongAddOp::Smlal => (h << 32 | l).wrapping_add(self.product(Sign::Signed, n, m)),
                    MulLongAddOp::Umaal => l + h + self.product(Sign::Unsigned, n, m),
                };
                self.set(low, sum as u32);
                self.set(high, (sum >> 32) as u32);
            }
            Inst::Div { sign, d, n, m } => {
                let (n, m) = (self.get(n), self.get(m));
                let value = match (sign, m) {
                    (_, 0) => 0,
                    (Sign::Unsigned, _) => n / m,
                    (Sign::Signed, _) => (n as i32).wrapping_div(m as i32) as u32,
                };
                self.set(d, value);
            }
            Inst::Unary { op, d, m } => {
                let m = self.get(m);
                let value = match op {
                    UnaryOp::Clz => m.leading_zeros(),
                    UnaryOp::Rbit => m.reverse_bits(),
                    UnaryOp::Rev => m.swap_bytes(),
                    UnaryOp::Uxtb => m & 0xff,
                    UnaryOp::Uxth => m & 0xffff,
                    UnaryOp::Sxtb => m as i8 as u32,
                    UnaryOp::Sxth => m as i16 as u32,
                };
                self.set(d, value);
            }
            Inst::Extract { sign, d, n, field } => {
                let up = self.get(n) << (32 - field.lsb() - field.width());
                let op = match sign {
                    Sign::Unsigned => ShiftOp::Lsr,
                    Sign::Signed => ShiftOp::Asr,
                };
                self.set(d, shift(op, up, 32 - field.width()));
            }
            Inst::Insert { d, into, n, field } => {
                let (into, n) = (self.get(into), self.get(n) << field.lsb());
                self.set(d, into & !mask(field) | n & mask(field));
            }
            Inst::Clear { d, from, field } => self.set(d, self.get(from) & !mask(field)),
            Inst::Compare { op, n, m } => {
                let (n, m) = (self.get(n), self.operand2(m));
                self.compare(op, n, m);
            }
            Inst::Select { d, cond, a, b } => {
                let (a, b) = (self.choice(a), self.choice(b));
                self.set(d, if self.holds(cond) { a } else { b });
            }
            Inst::SetCond { d, cond } => self.set(d, self.holds(cond).into()),
            Inst::Load { kind, d, address } => {
                let address = self.address(address);
                let value = match kind {
                    LoadKind::Word => self.read(address, 4),
                    LoadKind::Half => self.read(address, 2),
                    LoadKind::HalfSigned => self.read(address, 2) as i16 as u32,
                    LoadKind::Byte => self.read(address, 1),
                    LoadKind::ByteSigned => self.read(address, 1) as i8 as u32,
                };
                self.set(d, value);
            }
            Inst::Store { kind, s, address } => {
                let bytes = match kind {
                    StoreKind::Word => 4,
                    StoreKind::Half => 2,
                    StoreKind::Byte => 1,
                };
                self.write(self.address(address), bytes, self.get(s));
            }
            Inst::IncomingLoad { d, offset } => self.set(d, self.stack[&offset]),
            Inst::IncomingStore { s, offset } => {
                let value = self.get(s);
                self.stack.insert(offset, value);
            }
            Inst::OutgoingStore { s, offset } => {
                let value = self.get(s);
                self.outgoing.insert(offset, value);
            }
            Inst::ResultArea { d, offset, .. } => self.set(d, STACK + offset),
            Inst::OutgoingLoad { d, offset } => self.set(d, self.read(STACK + offset, 4)),
            Inst::Call(ref call) => {
                let called = self.called(call);
                self.calls.push(called);
                for &(at, d) in &call.results {
                    self.set(d, if at == PReg::R0 { 0x1234 } else { 0x5678 });
                }
                self.flags = None;
            }
            Inst::TrapIf { cond, trap } => {
                if self.holds(cond) {
                    return Err(trap);
                }
            }
            Inst::SlotLoad { .. } | Inst::SlotStore { .. } => {
                panic!("selection makes no spill code")
            }
        }
        Ok(())
    }

    fn called(&mut self, call: &Call<VReg>) -> Called {
        let registers = call.args.iter().map(|&(at, m)| (at.number(), self.get(m)));
        Called {
            callee: match call.callee {
                Callee::Function(index) => format!("f{index}"),
                Callee::Import(index) => format!("import{index}"),
                Callee::Register(m) => format!("{:#x}", self.get(m)),
            },
            registers: registers.collect(),
            stack: std::mem::take(&mut self.outgoing).into_iter().collect(),
        }
    }

    fn product(&self, sign: Sign, n: VReg, m: VReg) -> u64 {
        let (n, m) = (self.get(n), self.get(m));
        match sign {
            Sign::Unsigned => u64::from(n) * u64::from(m),
            Sign::Signed => (i64::from(n as i32) * i64::from(m as i32)) as u64,
        }
    }
}
