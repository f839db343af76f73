//! Runs functions before and after allocation and records what they do.

use std::collections::BTreeMap;

use synth_verify::hints::Class;

use crate::alloc::allocated::Allocated;
use crate::vcode::entity::Slot;
use crate::vcode::float::FloatInst;
use crate::vcode::func::ENTRY;
use crate::vcode::inst::{
    Address, AluOp, Call, Choice, CompareOp, Cond, Flags, InPlaceOp, MulLongAddOp, Operand2, ShiftBy, ShiftOp, Sign,
    Symbol, Terminator, ZeroTest,
};
use crate::vcode::operands::Role;
use crate::vcode::reg::{PReg, RegSet};
use crate::vcode::{Func, Inst, VReg};

/// Items of the input that one run may execute.
const FUEL: u32 = 3000;

/// What a run did: calls, stores, traps, results.
pub type Log = Vec<(&'static str, Vec<u32>)>;

#[derive(Clone, Copy, Default)]
struct Nzcv {
    n: bool,
    z: bool,
    c: bool,
    v: bool,
}

struct Machine {
    seed: u32,
    flags: Nzcv,
    memory: BTreeMap<u32, u32>,
    outgoing: BTreeMap<u32, u32>,
    returned: u32,
    incoming: BTreeMap<u32, u32>,
    slots: BTreeMap<Slot, u32>,
    log: Log,
    fuel: u32,
}

fn hash(a: u32, b: u32) -> u32 {
    let x = (a ^ b.rotate_left(13)).wrapping_mul(0x9e37_79b1).wrapping_add(0x85eb_ca6b);
    x ^ x >> 15
}

impl Machine {
    fn new(seed: u32) -> Machine {
        Machine {
            seed,
            flags: Nzcv::default(),
            memory: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            returned: 0,
            incoming: BTreeMap::new(),
            slots: BTreeMap::new(),
            log: Vec::new(),
            fuel: FUEL,
        }
    }

    fn argument(&self, reg: PReg) -> u32 {
        hash(self.seed, reg.index() as u32)
    }

    fn add(&mut self, a: u32, b: u32, carry: bool, flags: Flags) -> u32 {
        let wide = u64::from(a) + u64::from(b) + u64::from(carry);
        let sum = a.wrapping_add(b).wrapping_add(u32::from(carry));
        if flags == Flags::Set {
            let v = (a ^ sum) & (b ^ sum) & 0x8000_0000 != 0;
            self.flags = Nzcv { n: sum.cast_signed() < 0, z: sum == 0, c: wide >> 32 == 1, v };
        }
        sum
    }

    fn logic(&mut self, value: u32, flags: Flags) -> u32 {
        if flags == Flags::Set {
            self.flags.n = value.cast_signed() < 0;
            self.flags.z = value == 0;
        }
        value
    }

    fn holds(&self, cond: Cond) -> bool {
        let Nzcv { n, z, c, v } = self.flags;
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

    fn alu(&mut self, op: AluOp, flags: Flags, n: u32, m: u32) -> u32 {
        let carry = self.flags.c;
        match op {
            AluOp::Add => self.add(n, m, false, flags),
            AluOp::Adc => self.add(n, m, carry, flags),
            AluOp::Sub => self.add(n, !m, true, flags),
            AluOp::Sbc => self.add(n, !m, carry, flags),
            AluOp::Rsb => self.add(m, !n, true, flags),
            AluOp::And => self.logic(n & m, flags),
            AluOp::Orr => self.logic(n | m, flags),
            AluOp::Eor => self.logic(n ^ m, flags),
            AluOp::Bic => self.logic(n & !m, flags),
            AluOp::Orn => self.logic(n | !m, flags),
        }
    }

    fn call<R: Copy>(&mut self, call: &Call<R>, get: &dyn Fn(R) -> u32) -> Vec<u32> {
        let mut seen: Vec<u32> = call.args.iter().map(|&(_, arg)| get(arg)).collect();
        seen.extend(self.outgoing.values());
        if let crate::vcode::inst::Callee::Register(reg) = call.callee {
            seen.push(get(reg));
        }
        let result = seen.iter().fold(17, |a, &b| hash(a, b));
        self.log.push(("call", seen));
        self.outgoing.clear();
        self.returned = result;
        self.flags = Nzcv { n: true, z: true, c: true, v: true };
        (0u32..).zip(&call.results).map(|(index, _)| hash(result, index)).collect()
    }

    /// Executes an item and yields its results in the order of its definitions.
    fn step<R: Copy>(&mut self, inst: &Inst<R>, get: &dyn Fn(R) -> u32) -> Option<Vec<u32>> {
        let value = match *inst {
            Inst::Args { ref defs } => {
                return Some(defs.iter().map(|&(at, _)| self.argument(at)).collect());
            }
            Inst::Move { m, .. } => get(m),
            Inst::Const { value, .. } => value,
            Inst::Address { symbol, addend, .. } => {
                let base = if symbol == Symbol::Memory(0) { 0x2000_0000 } else { 0x1000 };
                addend.cast_unsigned().wrapping_add(base)
            }
            Inst::Alu { op, flags, n, m, .. } => {
                let m = second(m, get);
                self.alu(op, flags, get(n), m)
            }
            Inst::AluWide { n, imm, .. } => get(n).wrapping_add(imm.value()),
            Inst::Not { flags, m, .. } => self.logic(!second(m, get), flags),
            Inst::Shift { op, flags, n, by, .. } => {
                let by = match by {
                    ShiftBy::Reg(m) => get(m) & 31,
                    ShiftBy::Imm(imm) => imm.value(),
                };
                self.logic(shifted(op, get(n), by), flags)
            }
            Inst::InPlace { op, flags, n, m, .. } => {
                let m = second(m, get);
                match op {
                    InPlaceOp::Alu(op) => self.alu(op, flags, get(n), m),
                    InPlaceOp::Shift(op) => self.logic(shifted(op, get(n), m & 31), flags),
                    InPlaceOp::Mul => get(n).wrapping_mul(m),
                }
            }
            Inst::Mul { n, m, .. } => get(n).wrapping_mul(get(m)),
            Inst::MulAdd { n, m, a, .. } => get(a).wrapping_add(get(n).wrapping_mul(get(m))),
            Inst::MulSub { n, m, a, .. } => get(a).wrapping_sub(get(n).wrapping_mul(get(m))),
            Inst::MulLong { n, m, .. } => {
                let product = u64::from(get(n)) * u64::from(get(m));
                return Some(halves(product));
            }
            Inst::MulLongAdd { op, low_in, high_in, n, m, .. } => {
                assert_eq!(op, MulLongAddOp::Umlal);
                let old = u64::from(get(high_in)) << 32 | u64::from(get(low_in));
                return Some(halves(old.wrapping_add(u64::from(get(n)) * u64::from(get(m)))));
            }
            Inst::Div { n, m, .. } => get(n).checked_div(get(m)).unwrap_or(0),
            Inst::Unary { m, .. } => get(m).leading_zeros(),
            Inst::Extract { sign, n, field, .. } => {
                assert_eq!(sign, Sign::Unsigned);
                get(n) >> field.lsb() & (u32::MAX >> (32 - field.width()))
            }
            Inst::Insert { into, n, field, .. } => {
                let mask = u32::MAX >> (32 - field.width()) << field.lsb();
                get(into) & !mask | get(n) << field.lsb() & mask
            }
            Inst::Clear { from, field, .. } => get(from) & !(u32::MAX >> (32 - field.width()) << field.lsb()),
            Inst::Compare { op, n, m } => {
                let m = second(m, get);
                let op = match op {
                    CompareOp::Cmp => AluOp::Sub,
                    CompareOp::Cmn => AluOp::Add,
                    CompareOp::Tst => AluOp::And,
                    CompareOp::Teq => AluOp::Eor,
                };
                self.alu(op, Flags::Set, get(n), m);
                return Some(vec![]);
            }
            Inst::Select { cond, a, b, .. } => match if self.holds(cond) { a } else { b } {
                Choice::Reg(m) => get(m),
                Choice::Imm(imm) => imm.value(),
            },
            Inst::SetCond { cond, .. } => u32::from(self.holds(cond)),
            Inst::Load { address, .. } => {
                let at = place(address, get);
                *self.memory.entry(at).or_insert(hash(at, self.seed))
            }
            Inst::Store { s, address, .. } => {
                let at = place(address, get);
                self.memory.insert(at, get(s));
                self.log.push(("store", vec![at, get(s)]));
                return Some(vec![]);
            }
            Inst::SlotLoad { slot, .. } => self.slots[&slot],
            Inst::SlotStore { s, slot } => {
                self.slots.insert(slot, get(s));
                return Some(vec![]);
            }
            Inst::IncomingLoad { offset, .. } => {
                self.incoming.get(&offset).copied().unwrap_or(hash(self.seed, 100 + offset))
            }
            Inst::IncomingStore { s, offset } => {
                self.incoming.insert(offset, get(s));
                return Some(vec![]);
            }
            Inst::OutgoingStore { s, offset } => {
                self.outgoing.insert(offset, get(s));
                return Some(vec![]);
            }
            Inst::ResultArea { offset, bytes, .. } => hash(offset, bytes),
            Inst::OutgoingLoad { offset, .. } => hash(self.returned, offset),
            // What the unit computes does not matter here, only what of.
            Inst::Float(ref inst) => {
                let mut made = 23;
                inst.map(&mut |operand| {
                    if operand.role == Role::Use {
                        made = hash(made, get(operand.reg));
                    }
                });
                if let FloatInst::Compare { .. } = inst {
                    self.alu(AluOp::Sub, Flags::Set, made, 0);
                    return Some(vec![]);
                }
                made
            }
            Inst::Call(ref call) => return Some(self.call(call, get)),
            Inst::TrapIf { cond, .. } => {
                if self.holds(cond) {
                    self.log.push(("trap", vec![]));
                    return None;
                }
                return Some(vec![]);
            }
        };
        Some(vec![value])
    }

    fn end<R: Copy>(&mut self, end: &Terminator<R>, get: &dyn Fn(R) -> u32) -> Option<usize> {
        match *end {
            Terminator::Jump(_) => Some(0),
            Terminator::Branch { cond, .. } => Some(usize::from(!self.holds(cond))),
            Terminator::BranchZero { test, n, .. } => Some(usize::from((get(n) == 0) != (test == ZeroTest::Zero))),
            Terminator::Table { index, .. } => Some(get(index) as usize),
            Terminator::ReturnCall(ref call) => {
                self.log.push(("arguments", self.incoming.values().copied().collect()));
                self.call(call, get);
                None
            }
            Terminator::Return { ref values } => {
                self.log.push(("return", values.iter().map(|&(_, v)| get(v)).collect()));
                None
            }
            Terminator::Trap(_) => {
                self.log.push(("trap", vec![]));
                None
            }
        }
    }
}

fn halves(value: u64) -> Vec<u32> {
    let [low, high] = [value & 0xffff_ffff, value >> 32];
    vec![u32::try_from(low).expect("masked"), u32::try_from(high).expect("shifted")]
}

fn second<R: Copy>(m: Operand2<R>, get: &dyn Fn(R) -> u32) -> u32 {
    match m {
        Operand2::Reg(m) => get(m),
        Operand2::Shifted(m, op, by) => shifted(op, get(m), by.value()),
        Operand2::Imm(imm) => imm.value(),
    }
}

fn shifted(op: ShiftOp, n: u32, by: u32) -> u32 {
    match op {
        ShiftOp::Lsl => n << by,
        ShiftOp::Lsr => n >> by,
        ShiftOp::Asr => (n.cast_signed() >> by).cast_unsigned(),
        ShiftOp::Ror => n.rotate_right(by),
    }
}

fn place<R: Copy>(address: Address<R>, get: &dyn Fn(R) -> u32) -> u32 {
    match address {
        Address::Offset(base, offset) => get(base).wrapping_add(offset.value()),
        Address::Index(base, index, shift) => get(base).wrapping_add(get(index) << shift.value()),
    }
}

/// Runs a function over virtual registers.
pub fn run_virtual(func: &Func, seed: u32) -> Log {
    let mut machine = Machine::new(seed);
    let mut values: BTreeMap<VReg, u32> = BTreeMap::new();
    let mut block = ENTRY;
    loop {
        for node in &func.blocks[block].insts {
            if !matches!(node.inst, Inst::Move { .. }) {
                if machine.fuel == 0 {
                    return machine.log;
                }
                machine.fuel -= 1;
            }
            let Some(results) = machine.step(&node.inst, &|reg| values[&reg]) else {
                return machine.log;
            };
            values.extend(node.inst.defs().into_iter().zip(results));
        }
        let end = &func.blocks[block].terminator;
        let Some(taken) = machine.end(end, &|reg| values[&reg]) else {
            return machine.log;
        };
        let edge = end.edges()[taken].clone();
        let passed: Vec<u32> = edge.args.iter().map(|arg| values[arg]).collect();
        values.extend(func.blocks[edge.block].params.iter().copied().zip(passed));
        block = edge.block;
    }
}

/// Runs an allocated function; whatever a register or slot held before is noise.
pub fn run_allocated(func: &Allocated, seed: u32) -> Log {
    let mut machine = Machine::new(seed);
    let mut registers = [0xdead_0000; 32];
    for register in (0..4).map(PReg::new).chain((0..8).map(PReg::double)) {
        registers[register.index()] = machine.argument(register);
    }
    let keep = RegSet::PRESERVED.union(RegSet::one(PReg::LR)).minus(func.frame.saved);
    let mut block = ENTRY;
    loop {
        for item in &func.blocks[block].items {
            if matches!(item.class, Class::Direct | Class::Check) {
                if machine.fuel == 0 {
                    return machine.log;
                }
                machine.fuel -= 1;
            }
            let get = |reg: PReg| registers[reg.index()];
            let Some(results) = machine.step(&item.inst, &get) else {
                return machine.log;
            };
            for reg in item.inst.clobbers().iter() {
                registers[reg.index()] = 0xdead_0001;
            }
            let defs = item.inst.operands().into_iter().filter(|o| o.role == Role::Def);
            for (def, result) in defs.zip(results) {
                assert!(!keep.contains(def.reg), "{} is not saved", def.reg);
                registers[def.reg.index()] = result;
            }
        }
        let end = &func.blocks[block].terminator;
        let get = |reg: PReg| registers[reg.index()];
        let Some(taken) = machine.end(end, &get) else {
            return machine.log;
        };
        block = end.edges()[taken].block;
    }
}
