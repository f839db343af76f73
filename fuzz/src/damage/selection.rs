//! Damage to instructions over virtual registers: allocation, layout and hints follow it, as if selection were wrong.
//!
//! Ensures: registers are read and written as before, so that allocation is given what it may be given.

use synth::target::Isa;
use synth::vcode::float::{FloatInst, FloatOp};
use synth::vcode::imm::{Imm12, ModifiedImm, ShiftImm};
use synth::vcode::inst::{
    Address, AluOp, CompareOp, Cond, InPlaceOp, LoadKind, Operand2, ShiftBy, ShiftOp, Sign, StoreKind, Trap, UnaryOp,
    WideOp, ZeroTest,
};
use synth::vcode::{Inst, Terminator, VReg};
use synth::{Units, alloc};
use synth_verify::replay::Random;

use super::pick;

/// Changes one instruction of one function: what is done, and where.
pub fn damage(units: &mut Units, random: &mut Random) -> Option<(&'static str, String)> {
    let which = random.below(units.functions.len().max(1) as u64) as usize;
    let unit = units.functions.get_mut(which)?;
    let isa = unit.vcode.isa;
    let blocks = unit.vcode.blocks.len() as u64;
    let at = unit.vcode.blocks.keys().nth(random.below(blocks.max(1)) as usize)?;
    let block = &mut unit.vcode.blocks[at];
    let items = block.insts.len() as u64 + 1;
    let operator = match random.below(items) as usize {
        item if item < block.insts.len() => instruction(&mut block.insts[item].inst, isa, random)?,
        _ => terminator(&mut block.terminator, random)?,
    };
    unit.allocated = alloc::run(&unit.vcode);
    Some((operator, format!("{} {at}", unit.name)))
}

fn other<T: Copy + PartialEq>(now: &mut T, all: &[T], random: &mut Random) -> Option<()> {
    let others: Vec<T> = all.iter().copied().filter(|one| one != now).collect();
    *now = *pick(random, &others)?;
    Some(())
}

fn near(value: u32, random: &mut Random) -> u32 {
    match random.below(6) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => value.wrapping_add(4),
        3 => value.wrapping_neg(),
        _ => value ^ 1 << random.below(32),
    }
}

fn instruction(inst: &mut Inst<VReg>, isa: Isa, random: &mut Random) -> Option<&'static str> {
    let narrow = isa == Isa::V6M;
    Some(match inst {
        Inst::Const { value, .. } => {
            *value = near(*value, random);
            "constant"
        }
        Inst::Address { addend, .. } => {
            *addend = near(*addend as u32, random) as i32 & 0xffff;
            "address of a region"
        }
        Inst::Alu { op, m, .. } => match (random.below(2), m) {
            (0, m @ (Operand2::Imm(_) | Operand2::Shifted(..))) => operand(m, random)?,
            _ if op.reads_carry() => {
                other(op, &[AluOp::Adc, AluOp::Sbc], random)?;
                "operation"
            }
            _ if narrow => return None,
            _ => {
                other(
                    op,
                    &[AluOp::Add, AluOp::Sub, AluOp::Rsb, AluOp::And, AluOp::Orr, AluOp::Eor, AluOp::Bic],
                    random,
                )?;
                "operation"
            }
        },
        Inst::AluWide { op, imm, .. } => match random.below(2) {
            0 => {
                other(op, &[WideOp::Add, WideOp::Sub], random)?;
                "operation"
            }
            _ => {
                *imm = Imm12::new(near(imm.value(), random))?;
                "constant"
            }
        },
        Inst::Not { m, .. } | Inst::Compare { op: CompareOp::Tst | CompareOp::Teq, m, .. } => operand(m, random)?,
        Inst::Compare { op, m, .. } => match random.below(2) {
            0 => operand(m, random)?,
            _ => {
                other(op, &[CompareOp::Cmp, CompareOp::Cmn], random)?;
                "comparison"
            }
        },
        Inst::Shift { op, by, .. } => match (random.below(2), by) {
            (0, ShiftBy::Imm(amount)) => {
                *amount = ShiftImm::new(near(amount.value(), random) & 31)?;
                "shift"
            }
            _ if narrow => return None,
            _ => {
                other(op, &[ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr, ShiftOp::Ror], random)?;
                "shift"
            }
        },
        Inst::InPlace { op: InPlaceOp::Alu(op), .. } if op.reads_carry() => {
            other(op, &[AluOp::Adc, AluOp::Sbc], random)?;
            "operation"
        }
        Inst::InPlace { op: InPlaceOp::Alu(op), .. } => {
            other(op, &[AluOp::And, AluOp::Orr, AluOp::Eor, AluOp::Bic], random)?;
            "operation"
        }
        Inst::InPlace { op: InPlaceOp::Shift(op), .. } => {
            other(op, &[ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr], random)?;
            "shift"
        }
        Inst::MulAdd { d, n, m, a } => {
            *inst = Inst::MulSub { d: *d, n: *n, m: *m, a: *a };
            "product"
        }
        Inst::MulSub { d, n, m, a } => {
            *inst = Inst::MulAdd { d: *d, n: *n, m: *m, a: *a };
            "product"
        }
        Inst::MulLong { sign, .. } | Inst::Div { sign, .. } | Inst::Extract { sign, .. } => {
            other(sign, &[Sign::Signed, Sign::Unsigned], random)?;
            "sign"
        }
        Inst::Unary { op, .. } => {
            let all: &[UnaryOp] = match op {
                UnaryOp::Clz | UnaryOp::Rbit | UnaryOp::Rev => &[UnaryOp::Clz, UnaryOp::Rbit, UnaryOp::Rev],
                UnaryOp::Uxtb | UnaryOp::Uxth | UnaryOp::Sxtb | UnaryOp::Sxth => {
                    &[UnaryOp::Uxtb, UnaryOp::Uxth, UnaryOp::Sxtb, UnaryOp::Sxth]
                }
            };
            if narrow && all[0] == UnaryOp::Clz {
                return None;
            }
            other(op, all, random)?;
            "width or sign"
        }
        Inst::Select { cond, .. } | Inst::SetCond { cond, .. } => {
            other(cond, &Cond::ALL, random)?;
            "condition"
        }
        Inst::TrapIf { cond, trap } => match random.below(2) {
            0 => {
                other(cond, &Cond::ALL, random)?;
                "condition of a check"
            }
            _ => {
                other(trap, &Trap::ALL, random)?;
                "trap"
            }
        },
        Inst::Load { kind, address, .. } => match random.below(2) {
            0 => place(address, random)?,
            _ if narrow => return None,
            _ => {
                use LoadKind::{Byte, ByteSigned, Half, HalfSigned, Word};
                other(kind, &[Word, Half, HalfSigned, Byte, ByteSigned], random)?;
                "width or sign of a load"
            }
        },
        Inst::Store { kind, address, .. } => match random.below(2) {
            0 => place(address, random)?,
            _ if narrow => return None,
            _ => {
                other(kind, &[StoreKind::Word, StoreKind::Half, StoreKind::Byte], random)?;
                "width of a store"
            }
        },
        Inst::Call(call) => {
            let last = call.args.len().checked_sub(1)?;
            let (a, b) = (random.below(last as u64 + 1) as usize, random.below(last as u64 + 1) as usize);
            if call.args[a].1 == call.args[b].1 || call.args[a].0.bank() != call.args[b].0.bank() {
                return None;
            }
            (call.args[a].1, call.args[b].1) = (call.args[b].1, call.args[a].1);
            "arguments exchanged"
        }
        Inst::Float(FloatInst::Compute { op, n: Some(_), .. }) => {
            other(op, &[FloatOp::Add, FloatOp::Sub, FloatOp::Mul, FloatOp::Div], random)?;
            "float operation"
        }
        Inst::Float(FloatInst::Compare { n, m, .. }) if n != m => {
            std::mem::swap(n, m);
            "float operands"
        }
        Inst::Args { .. }
        | Inst::Move { .. }
        | Inst::InPlace { op: InPlaceOp::Mul, .. }
        | Inst::Mul { .. }
        | Inst::MulLongAdd { .. }
        | Inst::Insert { .. }
        | Inst::Clear { .. }
        | Inst::SlotLoad { .. }
        | Inst::SlotStore { .. }
        | Inst::IncomingLoad { .. }
        | Inst::IncomingStore { .. }
        | Inst::OutgoingStore { .. }
        | Inst::OutgoingLoad { .. }
        | Inst::ResultArea { .. }
        | Inst::Float(_) => return None,
    })
}

fn operand(operand: &mut Operand2<VReg>, random: &mut Random) -> Option<&'static str> {
    match operand {
        Operand2::Reg(_) => return None,
        Operand2::Shifted(_, op, amount) => match random.below(2) {
            0 => *amount = ShiftImm::new(near(amount.value(), random) & 31)?,
            _ => other(op, &[ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr], random)?,
        },
        Operand2::Imm(imm) => *imm = ModifiedImm::new(near(imm.value(), random))?,
    }
    Some("operand")
}

fn place(address: &mut Address<VReg>, random: &mut Random) -> Option<&'static str> {
    match address {
        Address::Offset(_, offset) => *offset = Imm12::new(near(offset.value(), random))?,
        Address::Index(..) => return None,
    }
    Some("offset of an access")
}

fn terminator(terminator: &mut Terminator<VReg>, random: &mut Random) -> Option<&'static str> {
    Some(match terminator {
        Terminator::Branch { cond, .. } => {
            other(cond, &Cond::ALL, random)?;
            "condition of a branch"
        }
        Terminator::BranchZero { test, .. } => {
            other(test, &[ZeroTest::Zero, ZeroTest::NonZero], random)?;
            "condition of a branch"
        }
        Terminator::Table { targets, .. } => {
            let count = targets.len() as u64;
            let (a, b) = (random.below(count.max(1)) as usize, random.below(count.max(1)) as usize);
            if targets.get(a)? == targets.get(b)? {
                return None;
            }
            targets.swap(a, b);
            "entries of a table"
        }
        Terminator::Return { values } => {
            let words: Vec<usize> = (0..values.len()).filter(|at| values[*at].0.bank() == values[0].0.bank()).collect();
            let (a, b) = (*pick(random, &words)?, *pick(random, &words)?);
            if values[a].1 == values[b].1 {
                return None;
            }
            (values[a].1, values[b].1) = (values[b].1, values[a].1);
            "words of a result exchanged"
        }
        Terminator::Trap(trap) => {
            other(trap, &Trap::ALL, random)?;
            "trap"
        }
        Terminator::Jump(_) | Terminator::ReturnCall(_) => return None,
    })
}
