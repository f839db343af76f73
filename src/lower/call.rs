//! Calls, entry and return, by AAPCS.

use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir;
use crate::ir::{Function, Op, Sig, Type, Value};
use crate::vcode::abi::{self, ArgPlace, ArgWord, Width};
use crate::vcode::inst::{Call, Callee, Inst, Terminator};
use crate::vcode::{PReg, VReg};

fn width(ty: Type) -> Width {
    match ty {
        Type::I32 => Width::Word,
        Type::I64 => Width::Double,
    }
}

fn places(types: &[Type]) -> Vec<ArgPlace> {
    let widths: Vec<Width> = types.iter().map(|&ty| width(ty)).collect();
    abi::arguments(&widths).places
}

/// The words of arguments with their places.
fn argument_words(places: &[ArgPlace], values: &[Value]) -> Vec<(ArgWord, Value, Half)> {
    assert_eq!(places.len(), values.len(), "an argument for each place");
    let words = places.iter().zip(values).flat_map(|(place, &value)| {
        let (low, high) = match *place {
            ArgPlace::Word(low) => (low, None),
            ArgPlace::Double { low, high } => (low, Some(high)),
        };
        let high = high.map(|high| (high, value, Half::High));
        std::iter::once((low, value, Half::Low)).chain(high)
    });
    words.collect()
}

impl Lower<'_> {
    /// Defines the parameters at the entry.
    pub(super) fn lower_entry(&mut self) {
        let params = &self.ir.blocks[ir::ENTRY].params;
        let types: Vec<Type> = params.iter().map(|&p| self.ir.values[p].ty).collect();
        let mut defs = Vec::new();
        let mut loads = Vec::new();
        for (place, value, half) in argument_words(&places(&types), params) {
            let Some(d) = self.asked(value, half) else {
                continue;
            };
            match place {
                ArgWord::Reg(at) => defs.push((at, d)),
                ArgWord::Stack(offset) => loads.push(Inst::IncomingLoad { d, offset }),
            }
        }
        if !defs.is_empty() {
            self.emit(Inst::Args { defs });
        }
        for load in loads {
            self.emit(load);
        }
    }

    pub(super) fn call(&mut self, want: Option<Pair>, function: Function, signature: Sig, args: &[Value]) {
        self.place_shared();
        let callee = match self.module.is_imported(function) {
            true => Callee::Import(function.0),
            false => Callee::Function(function.0),
        };
        self.emit_call(want, callee, signature, args);
    }

    pub(super) fn call_code(&mut self, want: Option<Pair>, signature: Sig, args: &[Value]) {
        self.place_shared();
        let code = self.reg(args[0]);
        self.emit_call(want, Callee::Register(code), signature, &args[1..]);
    }

    /// Computes what the processor has no instruction for by a function of the runtime.
    pub(super) fn help(&mut self, want: Pair, op: Op, args: &[Value]) {
        self.place_shared();
        let (types, result) = (self.ir.operand_types(op), self.ir.result_type(op));
        let callee = Callee::Function(self.module.helper(op).0);
        self.emit_call_of(Some(want), callee, (&types, result), args);
    }

    fn emit_call(&mut self, want: Option<Pair>, callee: Callee<VReg>, signature: Sig, args: &[Value]) {
        let signature = &self.ir.signatures[signature];
        self.emit_call_of(want, callee, (&signature.params, signature.results.first().copied()), args);
    }

    fn emit_call_of(
        &mut self,
        want: Option<Pair>,
        callee: Callee<VReg>,
        (types, result): (&[Type], Option<Type>),
        args: &[Value],
    ) {
        let mut fixed = Vec::new();
        for (place, value, half) in argument_words(&places(types), args) {
            let word = self.word(value, half);
            match place {
                ArgWord::Stack(offset) => {
                    let s = self.word_reg(word);
                    self.emit(Inst::OutgoingStore { s, offset });
                }
                ArgWord::Reg(at) => fixed.push((at, word)),
            }
        }
        let args = self.fixed_words(&fixed);
        let mut results = Vec::new();
        if let (Some(ty), Some(want)) = (result, want) {
            for (&at, d) in abi::result(width(ty)).iter().zip([want.low, want.high]) {
                results.extend(d.map(|d| (at, d)));
            }
        }
        self.emit(Inst::Call(Call { callee, args, results }));
    }

    /// Registers for words that must be in fixed ones, a different register for each.
    fn fixed_words(&mut self, words: &[(PReg, Word)]) -> Vec<(PReg, VReg)> {
        let mut fixed: Vec<(PReg, VReg)> = Vec::new();
        for &(at, word) in words {
            let is_taken = |vreg| fixed.iter().any(|&(_, other)| other == vreg);
            let vreg = match word {
                Word::Const(_) => self.fresh_reg(word),
                Word::Part(value, half) => match self.part(value, half) {
                    vreg if is_taken(vreg) => self.fresh_reg(word),
                    vreg => vreg,
                },
            };
            fixed.push((at, vreg));
        }
        fixed
    }

    pub(super) fn lower_return(&mut self, values: &[Value]) -> Terminator<VReg> {
        let mut words = Vec::new();
        for &value in values {
            let registers = abi::result(width(self.ir.values[value].ty));
            for (&at, half) in registers.iter().zip([Half::Low, Half::High]) {
                words.push((at, self.word(value, half)));
            }
        }
        let values = self.fixed_words(&words);
        Terminator::Return { values }
    }
}
