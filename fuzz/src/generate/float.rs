//! Floats in random modules.

use wasm_encoder::{Ieee32, Ieee64, Instruction, ValType};

use super::Body;

impl Body<'_, '_, '_> {
    /// A float from operators, a NaN among the results made the canonical one.
    pub(super) fn float(&mut self, of: ValType, depth: u32) {
        use Instruction as I;
        let single = of == ValType::F32;
        let either = |narrow: I<'static>, wide: I<'static>| if single { narrow } else { wide };
        match self.choices.below(12) {
            // No NaN arises where bits are only moved or the sign is changed.
            0 => {
                self.expression(if single { ValType::I32 } else { ValType::I64 }, depth - 1);
                return self.op(either(I::F32ReinterpretI32, I::F64ReinterpretI64));
            }
            1 => {
                self.expression(of, depth - 1);
                let negate = self.choices.below(2) == 0;
                return self.op(if negate { either(I::F32Neg, I::F64Neg) } else { either(I::F32Abs, I::F64Abs) });
            }
            2 => {
                self.expression(of, depth - 1);
                self.expression(of, depth - 1);
                return self.op(either(I::F32Copysign, I::F64Copysign));
            }
            3 => {
                let signed = self.choices.below(2) == 0;
                if self.choices.below(2) == 0 {
                    self.expression(ValType::I32, depth - 1);
                    return self.op(if signed {
                        either(I::F32ConvertI32S, I::F64ConvertI32S)
                    } else {
                        either(I::F32ConvertI32U, I::F64ConvertI32U)
                    });
                }
                self.expression(ValType::I64, depth - 1);
                return self.op(if signed {
                    either(I::F32ConvertI64S, I::F64ConvertI64S)
                } else {
                    either(I::F32ConvertI64U, I::F64ConvertI64U)
                });
            }
            4 => {
                self.expression(if single { ValType::F64 } else { ValType::F32 }, depth - 1);
                self.op(either(I::F32DemoteF64, I::F64PromoteF32));
            }
            5 | 6 => {
                self.expression(of, depth - 1);
                let op = [
                    either(I::F32Sqrt, I::F64Sqrt),
                    either(I::F32Ceil, I::F64Ceil),
                    either(I::F32Floor, I::F64Floor),
                    either(I::F32Trunc, I::F64Trunc),
                    either(I::F32Nearest, I::F64Nearest),
                ];
                let chosen = self.choices.below(op.len());
                self.op(op[chosen].clone());
            }
            _ => {
                self.expression(of, depth - 1);
                self.expression(of, depth - 1);
                let op = [
                    either(I::F32Add, I::F64Add),
                    either(I::F32Sub, I::F64Sub),
                    either(I::F32Mul, I::F64Mul),
                    either(I::F32Div, I::F64Div),
                    either(I::F32Min, I::F64Min),
                    either(I::F32Max, I::F64Max),
                ];
                let chosen = self.choices.below(op.len());
                self.op(op[chosen].clone());
            }
        }
        let scratch = self.locals.len() as u32 - if single { 3 } else { 2 };
        self.op(I::LocalTee(scratch));
        self.op(either(I::F32Const(Ieee32::new(0x7fc0_0000)), I::F64Const(Ieee64::new(0x7ff8 << 48))));
        self.op(I::LocalGet(scratch));
        self.op(I::LocalGet(scratch));
        self.op(either(I::F32Eq, I::F64Eq));
        self.op(I::Select);
        // The local can be read like any other.
        self.op(I::LocalTee(scratch));
    }

    /// An integer from floats: a comparison, a conversion, or the bits.
    pub(super) fn integer_of_float(&mut self, of: ValType, depth: u32) {
        use Instruction as I;
        let from = self.choices.pick(&[ValType::F32, ValType::F64]);
        let single = from == ValType::F32;
        let either = |narrow: I<'static>, wide: I<'static>| if single { narrow } else { wide };
        if of == ValType::I32 && self.choices.below(2) == 0 {
            self.expression(from, depth - 1);
            self.expression(from, depth - 1);
            let op = [
                either(I::F32Eq, I::F64Eq),
                either(I::F32Ne, I::F64Ne),
                either(I::F32Lt, I::F64Lt),
                either(I::F32Gt, I::F64Gt),
                either(I::F32Le, I::F64Le),
                either(I::F32Ge, I::F64Ge),
            ];
            let chosen = self.choices.below(op.len());
            return self.op(op[chosen].clone());
        }
        // Conversions that trap do so on most random operands.
        let kind = self.choices.below(8);
        if kind == 0 {
            self.expression(if of == ValType::I32 { ValType::F32 } else { ValType::F64 }, depth - 1);
            return self.op(if of == ValType::I32 { I::I32ReinterpretF32 } else { I::I64ReinterpretF64 });
        }
        self.expression(from, depth - 1);
        let signed = self.choices.below(2) == 0;
        self.op(match (of, kind, signed) {
            (ValType::I64, 1, true) => either(I::I64TruncF32S, I::I64TruncF64S),
            (ValType::I64, 1, false) => either(I::I64TruncF32U, I::I64TruncF64U),
            (ValType::I64, _, true) => either(I::I64TruncSatF32S, I::I64TruncSatF64S),
            (ValType::I64, _, false) => either(I::I64TruncSatF32U, I::I64TruncSatF64U),
            (_, 1, true) => either(I::I32TruncF32S, I::I32TruncF64S),
            (_, 1, false) => either(I::I32TruncF32U, I::I32TruncF64U),
            (_, _, true) => either(I::I32TruncSatF32S, I::I32TruncSatF64S),
            (_, _, false) => either(I::I32TruncSatF32U, I::I32TruncSatF64U),
        });
    }
}
