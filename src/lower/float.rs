//! Operators of the floating-point unit, and values that cross to its registers or back.

use super::words::Word;
use super::{Lower, Wanted};
use crate::ir;
use crate::ir::{Op, Type, Value};
use crate::target::FloatUnit;
use crate::vcode::float::{FloatImm, FloatInst, FloatOp, Format, Part};
use crate::vcode::inst::{Cond, Inst, Trap};
use crate::vcode::reg::{Bank, RegClass};
use crate::vcode::{Origin, VReg};

/// What makes a float, if the unit has the operator.
pub(super) fn arithmetic(op: Op) -> Option<(FloatOp, Format)> {
    Some(match op {
        Op::AddF32 => (FloatOp::Add, Format::F32),
        Op::SubF32 => (FloatOp::Sub, Format::F32),
        Op::MulF32 => (FloatOp::Mul, Format::F32),
        Op::DivF32 => (FloatOp::Div, Format::F32),
        Op::SqrtF32 => (FloatOp::Sqrt, Format::F32),
        Op::CeilF32 => (FloatOp::Ceil, Format::F32),
        Op::FloorF32 => (FloatOp::Floor, Format::F32),
        Op::TruncF32 => (FloatOp::Trunc, Format::F32),
        Op::NearestF32 => (FloatOp::Nearest, Format::F32),
        Op::ConvertI32SF32 => (FloatOp::FromSigned, Format::F32),
        Op::ConvertI32UF32 => (FloatOp::FromUnsigned, Format::F32),
        Op::Demote => (FloatOp::Convert, Format::F32),
        Op::AddF64 => (FloatOp::Add, Format::F64),
        Op::SubF64 => (FloatOp::Sub, Format::F64),
        Op::MulF64 => (FloatOp::Mul, Format::F64),
        Op::DivF64 => (FloatOp::Div, Format::F64),
        Op::SqrtF64 => (FloatOp::Sqrt, Format::F64),
        Op::CeilF64 => (FloatOp::Ceil, Format::F64),
        Op::FloorF64 => (FloatOp::Floor, Format::F64),
        Op::TruncF64 => (FloatOp::Trunc, Format::F64),
        Op::NearestF64 => (FloatOp::Nearest, Format::F64),
        Op::ConvertI32SF64 => (FloatOp::FromSigned, Format::F64),
        Op::ConvertI32UF64 => (FloatOp::FromUnsigned, Format::F64),
        Op::Promote => (FloatOp::Convert, Format::F64),
        _ => return None,
    })
}

/// What makes an integer of a float.
pub(super) fn to_integer(op: Op) -> Option<(FloatOp, Format)> {
    Some(match op {
        Op::TruncF32I32S => (FloatOp::ToSigned, Format::F32),
        Op::TruncF32I32U => (FloatOp::ToUnsigned, Format::F32),
        Op::TruncF64I32S => (FloatOp::ToSigned, Format::F64),
        Op::TruncF64I32U => (FloatOp::ToUnsigned, Format::F64),
        _ => return None,
    })
}

/// The condition on the flags of a comparison that a comparison of floats is (DDI0403, A7.3: N if less, Z and C if
/// equal, C if greater, C and V if unordered).
pub(super) fn comparison(op: Op) -> Option<(Cond, Format)> {
    Some(match op {
        Op::EqF32 => (Cond::Eq, Format::F32),
        Op::NeF32 => (Cond::Ne, Format::F32),
        Op::LtF32 => (Cond::Mi, Format::F32),
        Op::LeF32 => (Cond::Ls, Format::F32),
        Op::EqF64 => (Cond::Eq, Format::F64),
        Op::NeF64 => (Cond::Ne, Format::F64),
        Op::LtF64 => (Cond::Mi, Format::F64),
        Op::LeF64 => (Cond::Ls, Format::F64),
        _ => return None,
    })
}

/// Of what asks whether a float has an integer: the condition under which a lowest number compares with it, that number,
/// the least one that is too high, and the format.
pub(super) fn limits(fits: Op) -> Option<(Cond, f64, f64, Format)> {
    const TOO_HIGH_32: f64 = 2_147_483_648.0;
    const TOO_HIGH_64: f64 = 9_223_372_036_854_775_808.0;
    let (less, not_greater) = (Cond::Mi, Cond::Ls);
    Some(match fits {
        Op::FitsF32I32S => (not_greater, -TOO_HIGH_32, TOO_HIGH_32, Format::F32),
        Op::FitsF32I32U => (less, -1.0, 2.0 * TOO_HIGH_32, Format::F32),
        Op::FitsF64I32S => (less, -TOO_HIGH_32 - 1.0, TOO_HIGH_32, Format::F64),
        Op::FitsF64I32U => (less, -1.0, 2.0 * TOO_HIGH_32, Format::F64),
        Op::FitsF32I64S => (not_greater, -TOO_HIGH_64, TOO_HIGH_64, Format::F32),
        Op::FitsF32I64U => (less, -1.0, 2.0 * TOO_HIGH_64, Format::F32),
        Op::FitsF64I64S => (not_greater, -TOO_HIGH_64, TOO_HIGH_64, Format::F64),
        Op::FitsF64I64U => (less, -1.0, 2.0 * TOO_HIGH_64, Format::F64),
        _ => return None,
    })
}

/// An operator on integers that changes the sign of a float, which the unit can do: the other sign, or none.
pub(super) fn sign_change(func: &ir::Func, inst: &ir::InstData, unit: FloatUnit) -> Option<(FloatOp, Format)> {
    let constant = inst.args.get(1).and_then(|&arg| func.constant(arg))?;
    let change = match (inst.op, constant) {
        (Op::Xor32, 0x8000_0000) => Some((FloatOp::Neg, Format::F32)),
        (Op::And32, 0x7fff_ffff) => Some((FloatOp::Abs, Format::F32)),
        (Op::Xor64, 0x8000_0000_0000_0000) => Some((FloatOp::Neg, Format::F64)),
        (Op::And64, 0x7fff_ffff_ffff_ffff) => Some((FloatOp::Abs, Format::F64)),
        _ => None,
    };
    change.filter(|(_, format)| *format == Format::F32 || unit == FloatUnit::V5Double)
}

impl Lower<'_> {
    /// Whether a value lives in the unit's registers.
    pub(super) fn is_in_unit(&self, value: Value) -> bool {
        self.banks[value] == Bank::Float
    }

    fn format_of(&self, value: Value) -> Format {
        match self.ir.values[value].ty {
            Type::I32 => Format::F32,
            Type::I64 => Format::F64,
        }
    }

    /// A register of the unit for an intermediate result.
    pub(super) fn local_of(&mut self, class: RegClass) -> VReg {
        self.out.vreg_of(class, Origin::Local)
    }

    /// The register of the unit that holds a value; asks for it.
    pub(super) fn float(&mut self, value: Value) -> VReg {
        let format = self.format_of(value);
        if let Some(&vreg) = self.floats.get(&value) {
            return vreg;
        }
        if let Some(bits) = self.ir.constant(value) {
            return self.float_constant(format, bits);
        }
        if self.transparent[value] {
            let d = self.local_of(format.class());
            self.move_from_core(d, value);
            return d;
        }
        let name = self.name(value);
        let origin = match format {
            Format::F32 => Origin::Value(name),
            Format::F64 => Origin::Wide(name),
        };
        let vreg = self.out.vreg_of(format.class(), origin);
        self.floats.insert(value, vreg);
        vreg
    }

    fn float_constant(&mut self, format: Format, bits: u64) -> VReg {
        let d = self.local_of(format.class());
        match FloatImm::new(format, bits) {
            Some(imm) if format == Format::F32 || self.has_double() => {
                self.emit(Inst::Float(FloatInst::Const { format, d, imm }));
            }
            _ => {
                let low = self.word_reg(Word::Const(bits as u32));
                let high = (format == Format::F64).then(|| self.word_reg(Word::Const((bits >> 32) as u32)));
                self.emit(Inst::Float(FloatInst::FromCore { d, low, high }));
            }
        }
        d
    }

    /// d = the words of a value, which the core has.
    pub(super) fn move_from_core(&mut self, d: VReg, value: Value) {
        let (low, high) = self.words(value);
        let low = self.word_reg(low);
        let high = (self.ir.values[value].ty == Type::I64).then(|| self.word_reg(high));
        self.emit(Inst::Float(FloatInst::FromCore { d, low, high }));
    }

    /// The words asked for of what a register of the unit holds.
    pub(super) fn move_to_core(&mut self, want: Wanted, m: VReg) {
        for (d, part) in [(want.words.low, Part::Low), (want.words.high, Part::High)] {
            if let Some(d) = d {
                self.emit(Inst::Float(FloatInst::ToCore { d, m, part }));
            }
        }
    }

    /// What the unit computes of an instruction that makes a float.
    pub(super) fn float_form(&self, inst: &ir::InstData) -> Option<(FloatOp, Format)> {
        let in_unit = |value: &Value| self.is_in_unit(*value);
        inst.result.filter(in_unit)?;
        arithmetic(inst.op).or_else(|| sign_change(self.ir, inst, self.out.float))
    }

    pub(super) fn lower_float(&mut self, want: Wanted, (op, format): (FloatOp, Format), args: &[Value]) {
        let d = want.float.unwrap_or_else(|| self.local_of(format.class()));
        let (n, m) = match (op, args) {
            (FloatOp::FromSigned | FloatOp::FromUnsigned, &[a, ..]) => {
                let (m, low) = (self.local_of(RegClass::Single), self.reg(a));
                self.emit(Inst::Float(FloatInst::FromCore { d: m, low, high: None }));
                (None, m)
            }
            (FloatOp::Add | FloatOp::Sub | FloatOp::Mul | FloatOp::Div, &[a, b]) => {
                (Some(self.float(a)), self.float(b))
            }
            (_, args) => (None, self.float(args[0])),
        };
        self.emit(Inst::Float(FloatInst::Compute { op, format, d, n, m }));
        self.move_to_core(want, d);
    }

    /// d = the integer.
    pub(super) fn lower_to_integer(&mut self, d: VReg, (op, format): (FloatOp, Format), a: Value) {
        let (t, m) = (self.local_of(RegClass::Single), self.float(a));
        self.emit(Inst::Float(FloatInst::Compute { op, format, d: t, n: None, m }));
        self.emit(Inst::Float(FloatInst::ToCore { d, m: t, part: Part::Low }));
    }

    /// Compares floats, if that is what an operator does and the unit can; yields the condition.
    pub(super) fn compare_floats(&mut self, op: Op, args: &[Value]) -> Option<Cond> {
        let (cond, format) = comparison(op).filter(|_| !self.is_helped(op))?;
        let (n, m) = (self.float(args[0]), self.float(args[1]));
        self.emit(Inst::Float(FloatInst::Compare { format, n, m }));
        Some(cond)
    }

    /// Traps by comparisons if a float has no integer: where what is tested is whether it is a NaN, or whether it does
    /// not fit. Says whether it did.
    pub(super) fn trap_unless_fits(&mut self, trap: Trap, cond: Value) -> bool {
        let Some(inst) = self.here(cond) else { return false };
        let (fits, for_nan) = match (inst.op, &inst.args[..]) {
            (Op::Eq32, &[fits, one]) if self.is_constant(one, 1) => (self.here(fits), true),
            _ => (Some(inst), false),
        };
        let Some((fits, (relation, low, high, format))) = fits.and_then(|fits| Some((fits, limits(fits.op)?))) else {
            return false;
        };
        if self.is_helped(if format == Format::F32 { Op::LtF32 } else { Op::LtF64 }) {
            return false;
        }
        let a = self.float(fits.args[0]);
        if for_nan {
            self.emit(Inst::Float(FloatInst::Compare { format, n: a, m: a }));
            self.emit(Inst::TrapIf { cond: Cond::Vs, trap });
            return true;
        }
        for (n, m, relation) in [(Err(low), Ok(a), relation), (Ok(a), Err(high), Cond::Mi)] {
            let [n, m] = [n, m].map(|operand| operand.unwrap_or_else(|number| self.float_number(format, number)));
            self.emit(Inst::Float(FloatInst::Compare { format, n, m }));
            self.emit(Inst::TrapIf { cond: relation.negated(), trap });
        }
        true
    }

    fn float_number(&mut self, format: Format, number: f64) -> VReg {
        let bits = match format {
            Format::F32 => u64::from((number as f32).to_bits()),
            Format::F64 => number.to_bits(),
        };
        self.float_constant(format, bits)
    }

    /// Parameters of the block just lowered that are wanted in the other bank too.
    pub(super) fn cross_params(&mut self, params: &[Value]) {
        for &param in params {
            let want = self.asked_all(param);
            match (self.is_in_unit(param), want.float) {
                (true, Some(float)) => self.move_to_core(want, float),
                (false, Some(d)) => self.move_from_core(d, param),
                (_, None) => {}
            }
        }
    }
}
