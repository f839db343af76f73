//! Calls, entry and return, by AAPCS.

use super::words::Word;
use super::{Half, Lower, Pair};
use crate::ir;
use crate::ir::{Function, Op, Sig, Signature, Type, Value};
use crate::vcode::abi::{self, ArgPlace, ArgWord, Arguments, Width, width, widths};
use crate::vcode::func::FrameValue;
use crate::vcode::imm::{Imm12, ModifiedImm};
use crate::vcode::inst::{Address, AluOp, Call, Callee, Flags, Inst, Operand2, StoreKind, Terminator};
use crate::vcode::{Origin, PReg, VReg};
use synth_verify::hints::Base;

fn arguments(signature: &Signature) -> Arguments {
    abi::arguments(&widths(&signature.params), &widths(&signature.results))
}

/// Bytes of stack that arguments take, up to the last word.
fn stack_end(places: &[ArgPlace]) -> u32 {
    let last = places.iter().map(|place| match *place {
        ArgPlace::Word(word) | ArgPlace::Double { high: word, .. } => word,
    });
    let ends = last.map(|word| match word {
        ArgWord::Stack(offset) => offset + 4,
        ArgWord::Reg(_) => 0,
    });
    ends.max().unwrap_or(0)
}

/// The words of several results, each with its offset from the area's start.
fn result_words<T: Copy>(types: &[Type], values: &[T]) -> Vec<(u32, T, Half)> {
    let Some(area) = abi::area(&widths(types)) else {
        return Vec::new();
    };
    let mut words = Vec::new();
    for ((&ty, &value), &offset) in types.iter().zip(values).zip(&area.offsets) {
        words.push((offset, value, Half::Low));
        if width(ty) == Width::Double {
            words.push((offset + 4, value, Half::High));
        }
    }
    words
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
        let mut defs = Vec::new();
        let mut loads = Vec::new();
        defs.extend(self.area.map(|area| (PReg::R0, area)));
        for (place, value, half) in argument_words(&arguments(&self.ir.signature).places, params) {
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
        let callee = self.callee(function);
        self.emit_call(want, callee, signature, args);
    }

    fn callee(&self, function: Function) -> Callee<VReg> {
        match self.module.is_imported(function) {
            true => Callee::Import(function.0),
            false => Callee::Function(function.0),
        }
    }

    /// Leaves for another function, or calls it and returns if it takes more stack arguments than there
    /// is room for.
    pub(super) fn return_call(&mut self, callee: ir::Callee, signature: Sig, args: &[Value]) -> Terminator<VReg> {
        self.place_shared();
        let (callee, args) = match (callee, args) {
            (ir::Callee::Function(function), args) => (self.callee(function), args),
            (ir::Callee::Code, [code, args @ ..]) => (Callee::Register(self.reg(*code)), args),
            (ir::Callee::Code, []) => unreachable!("the code address is an operand"),
        };
        let ir = self.ir;
        let signature = &ir.signatures[signature];
        let places = arguments(signature).places;
        if stack_end(&places) > stack_end(&arguments(&ir.signature).places) {
            return self.call_and_return(callee, signature, args);
        }
        let mut fixed = Vec::new();
        for (place, value, half) in argument_words(&places, args) {
            let word = self.word(value, half);
            match place {
                ArgWord::Stack(offset) => {
                    let s = self.word_reg(word);
                    self.emit(Inst::IncomingStore { s, offset });
                }
                ArgWord::Reg(at) => fixed.push((at, word)),
            }
        }
        let mut args = self.fixed_words(&fixed);
        if abi::area(&widths(&signature.results)).is_some() {
            args.push((PReg::R0, self.own_area()));
        }
        Terminator::ReturnCall(Call { callee, args, results: Vec::new() })
    }

    fn call_and_return(&mut self, callee: Callee<VReg>, signature: &Signature, args: &[Value]) -> Terminator<VReg> {
        let pair = Pair { low: Some(self.local()), high: Some(self.local()) };
        self.emit_call_of(Some(pair), callee, signature, args);
        let start = arguments(signature).stack_bytes;
        if let [ty] = signature.results[..] {
            let words = abi::result(width(ty)).iter().zip([pair.low, pair.high]);
            return Terminator::Return { values: words.filter_map(|(&at, word)| Some((at, word?))).collect() };
        }
        for (offset, ..) in result_words(&signature.results, &signature.results) {
            let (d, s) = (self.local(), self.own_area());
            self.emit(Inst::OutgoingLoad { d, offset: start + offset });
            self.store_result((0, s), offset, d);
        }
        Terminator::Return { values: Vec::new() }
    }

    pub(super) fn call_code(&mut self, want: Option<Pair>, signature: Sig, args: &[Value]) {
        self.place_shared();
        let code = self.reg(args[0]);
        self.emit_call(want, Callee::Register(code), signature, &args[1..]);
    }

    /// Computes what the processor has no instruction for by a function of the runtime.
    pub(super) fn help(&mut self, want: Pair, op: Op, args: &[Value]) {
        self.place_shared();
        let callee = Callee::Function(self.module.helper(op).0);
        let results = self.ir.result_type(op).into_iter().collect();
        let signature = Signature { params: self.ir.operand_types(op), results };
        self.emit_call_of(Some(want), callee, &signature, args);
    }

    fn emit_call(&mut self, want: Option<Pair>, callee: Callee<VReg>, signature: Sig, args: &[Value]) {
        let ir = self.ir;
        self.emit_call_of(want, callee, &ir.signatures[signature], args);
    }

    fn emit_call_of(&mut self, want: Option<Pair>, callee: Callee<VReg>, signature: &Signature, args: &[Value]) {
        let mut fixed = Vec::new();
        let arguments = arguments(signature);
        for (place, value, half) in argument_words(&arguments.places, args) {
            let word = self.word(value, half);
            match place {
                ArgWord::Stack(offset) => {
                    let s = self.word_reg(word);
                    self.emit(Inst::OutgoingStore { s, offset });
                }
                ArgWord::Reg(at) => fixed.push((at, word)),
            }
        }
        let mut args = self.fixed_words(&fixed);
        if let Some(area) = abi::area(&widths(&signature.results)) {
            let d = self.local();
            self.emit(Inst::ResultArea { d, offset: arguments.stack_bytes, bytes: area.bytes });
            args.push((PReg::R0, d));
        }
        let mut results = Vec::new();
        if let ([ty], Some(want)) = (&signature.results[..], want) {
            for (&at, d) in abi::result(width(*ty)).iter().zip([want.low, want.high]) {
                results.extend(d.map(|d| (at, d)));
            }
        }
        self.emit(Inst::Call(Call { callee, args, results }));
    }

    /// Loads one of several results of the call before.
    pub(super) fn call_result(&mut self, want: Option<Pair>, signature: Sig, index: u32) {
        let Some(want) = want else { return };
        let signature = &self.ir.signatures[signature];
        let start = arguments(signature).stack_bytes;
        let numbers: Vec<u32> = (0..signature.results.len() as u32).collect();
        for (offset, number, half) in result_words(&signature.results, &numbers) {
            let d = match half {
                Half::Low => want.low,
                Half::High => want.high,
            };
            if let Some(d) = d.filter(|_| number == index) {
                self.emit(Inst::OutgoingLoad { d, offset: start + offset });
            }
        }
    }

    /// The register that holds the address of the function's own result area.
    fn own_area(&mut self) -> VReg {
        let origin = || Origin::Derived(FrameValue::Base(Base::Results));
        match self.area {
            Some(area) => area,
            None => *self.area.insert(self.out.vreg(origin())),
        }
    }

    /// Stores several results for the caller.
    fn store_results(&mut self, values: &[Value]) {
        let mut base = (0, self.own_area());
        for (offset, value, half) in result_words(&self.ir.signature.results, values) {
            let word = self.word(value, half);
            let s = self.word_reg(word);
            base = self.store_result(base, offset, s);
        }
    }

    /// Stores a word of the own result area. The base is a register and how far it lies behind the
    /// area's start; yields the one to go on with.
    fn store_result(&mut self, mut base: (u32, VReg), offset: u32, s: VReg) -> (u32, VReg) {
        let (far, near) = (offset & !0xfff, Imm12::new(offset & 0xfff).expect("12 bits"));
        if base.0 != far {
            let m = Operand2::Imm(ModifiedImm::new(far).expect("a signature has at most 1000 results"));
            let (d, n) = (self.local(), self.own_area());
            self.emit(Inst::Alu { op: AluOp::Add, flags: Flags::Keep, d, n, m });
            base = (far, d);
        }
        self.emit(Inst::Store { kind: StoreKind::Word, s, address: Address::Offset(base.1, near) });
        base
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
        if values.len() > 1 {
            self.store_results(values);
            return Terminator::Return { values: Vec::new() };
        }
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
