//! Calls, entry and return, by AAPCS.

use std::collections::BTreeMap;

use super::words::Word;
use super::{Half, Lower, Pair, Wanted};
use crate::ir;
use crate::ir::{Function, Op, Passed, Sig, Signature, Value};
use crate::vcode::abi::{self, Area, ArgPlace, ArgWord, Arguments, Results, Width, width};
use crate::vcode::float::{FloatInst, Part};
use crate::vcode::func::FrameValue;
use crate::vcode::imm::{Imm12, ModifiedImm};
use crate::vcode::inst::{Address, AluOp, Call, Callee, Flags, Inst, Operand2, StoreKind, Terminator};
use crate::vcode::reg::RegClass;
use crate::vcode::{Origin, PReg, VReg};
use synth_verify::hints::Base;

/// Bytes of stack that arguments take, up to the last word.
fn stack_end(places: &[ArgPlace]) -> u32 {
    let last = places.iter().filter_map(|place| match *place {
        ArgPlace::Word(word) | ArgPlace::Double { high: word, .. } => Some(word),
        ArgPlace::Single(..) | ArgPlace::Whole(_) => None,
    });
    let ends = last.map(|word| match word {
        ArgWord::Stack(offset) => offset + 4,
        ArgWord::Reg(_) => 0,
    });
    ends.max().unwrap_or(0)
}

/// The words of results in an area, each with its offset from the area's start.
fn result_words<T: Copy>(area: &Area, results: &[Passed], values: &[T]) -> Vec<(u32, T, Half)> {
    let mut words = Vec::new();
    for ((&result, &value), &offset) in results.iter().zip(values).zip(&area.offsets) {
        words.push((offset, value, Half::Low));
        if width(result.ty()) == Width::Double {
            words.push((offset + 4, value, Half::High));
        }
    }
    words
}

/// The words of arguments that are in the core's registers or on the stack, with their places.
fn argument_words(places: &[ArgPlace], values: &[Value]) -> Vec<(ArgWord, Value, Half)> {
    assert_eq!(places.len(), values.len(), "an argument for each place");
    let words = places.iter().zip(values).flat_map(|(place, &value)| {
        let (low, high) = match *place {
            ArgPlace::Word(low) => (Some(low), None),
            ArgPlace::Double { low, high } => (Some(low), Some(high)),
            ArgPlace::Single(..) | ArgPlace::Whole(_) => (None, None),
        };
        let low = low.map(|low| (low, value, Half::Low));
        low.into_iter().chain(high.map(|high| (high, value, Half::High)))
    });
    words.collect()
}

/// What a register of the floating-point unit carries: a number, or one and another above it.
#[derive(Clone, Copy)]
struct Carried<T> {
    class: RegClass,
    low: T,
    high: Option<T>,
}

/// What arrives in registers of the floating-point unit. An upper half is used only where the lower one is.
fn in_float_registers<T: Copy>(places: &[ArgPlace], values: &[T]) -> BTreeMap<PReg, Carried<T>> {
    let mut carried: BTreeMap<PReg, Carried<T>> = BTreeMap::new();
    for (place, &value) in places.iter().zip(values) {
        let alone = |class| Carried { class, low: value, high: None };
        match *place {
            ArgPlace::Word(_) | ArgPlace::Double { .. } => {}
            ArgPlace::Whole(at) => _ = carried.insert(at, alone(RegClass::Double)),
            ArgPlace::Single(at, Part::Low) => _ = carried.insert(at, alone(RegClass::Single)),
            ArgPlace::Single(at, Part::High) => {
                let below = carried.get_mut(&at).expect("the lower half is taken");
                (below.class, below.high) = (RegClass::Double, Some(value));
            }
        }
    }
    carried
}

/// Where what came in a register of the floating-point unit is wanted: the register, what is wanted of it, which half it is.
type Arrival = (VReg, Wanted, Option<Part>);

impl Lower<'_> {
    fn arguments(&self, signature: &Signature) -> Arguments {
        abi::arguments(signature, self.out.float)
    }

    fn results(&self, passed: &[Passed]) -> Results {
        abi::results(passed, self.out.float)
    }

    /// Defines the parameters at the entry.
    pub(super) fn lower_entry(&mut self) {
        let params = &self.ir.blocks[ir::ENTRY].params;
        let mut defs = Vec::new();
        let mut loads = Vec::new();
        defs.extend(self.area.map(|area| (PReg::R0, area)));
        let places = self.arguments(&self.ir.signature).places;
        let words = argument_words(&places, params);
        for &(_, value, half) in &words {
            if self.floats.contains_key(&value) {
                self.part(value, half);
            }
        }
        for (place, value, half) in words {
            let Some(d) = self.asked(value, half) else {
                continue;
            };
            match place {
                ArgWord::Reg(at) => defs.push((at, d)),
                ArgWord::Stack(offset) => loads.push(Inst::IncomingLoad { d, offset }),
            }
        }
        let wants: Vec<Wanted> = params.iter().map(|&param| self.asked_all(param)).collect();
        let (floats, arrivals) = self.arriving(&places, &wants);
        defs.extend(floats);
        if !defs.is_empty() {
            self.emit(Inst::Args { defs });
        }
        for load in loads {
            self.emit(load);
        }
        self.arrive(arrivals);
        for &param in params {
            if let Some(&d) = self.floats.get(&param)
                && !self.is_in_unit(param)
            {
                self.move_from_core(d, param);
            }
        }
    }

    /// Registers for what comes in registers of the floating-point unit and is wanted, and where it goes from there.
    fn arriving(&mut self, places: &[ArgPlace], wants: &[Wanted]) -> (Vec<(PReg, VReg)>, Vec<Arrival>) {
        let (mut defs, mut arrivals) = (Vec::new(), Vec::new());
        for (at, Carried { class, low, high }) in in_float_registers(places, wants) {
            match high {
                None => {
                    let is_wanted = low.float.or(low.words.low).or(low.words.high).is_some();
                    let d = low.float.or_else(|| is_wanted.then(|| self.local_of(class)));
                    if let Some(d) = d {
                        defs.push((at, d));
                        arrivals.push((d, low, None));
                    }
                }
                Some(high) => {
                    let d = self.local_of(class);
                    defs.push((at, d));
                    self.out.halves.insert(d, [low.float, high.float]);
                    // The lower half last: it can stay.
                    arrivals.push((d, high, Some(Part::High)));
                    arrivals.push((d, low, Some(Part::Low)));
                }
            }
        }
        (defs, arrivals)
    }

    fn arrive(&mut self, arrivals: Vec<Arrival>) {
        for (m, want, part) in arrivals {
            let Some(part) = part else {
                self.move_to_core(want, m);
                continue;
            };
            if let Some(d) = want.words.low {
                self.emit(Inst::Float(FloatInst::ToCore { d, m, part }));
            }
            if let Some(d) = want.float {
                self.emit(Inst::Float(FloatInst::Unpack { d, m, part }));
            }
        }
    }

    /// The registers of the floating-point unit that values are passed in, a different register for each.
    fn fixed_floats(&mut self, places: &[ArgPlace], values: &[Value]) -> Vec<(PReg, VReg)> {
        let mut fixed: Vec<(PReg, VReg)> = Vec::new();
        for (at, Carried { low, high, .. }) in in_float_registers(places, values) {
            let n = self.float(low);
            let is_taken = fixed.iter().any(|&(_, other)| other == n);
            let vreg = match high {
                Some(high) => {
                    let (d, m) = (self.local_of(RegClass::Double), self.float(high));
                    self.out.halves.insert(d, [Some(n), Some(m)]);
                    self.emit(Inst::Float(FloatInst::Pack { d, n, m }));
                    d
                }
                None if is_taken => {
                    let d = self.out.vreg_of(self.out.classes[n], self.out.vregs[n].clone());
                    self.emit(Inst::Move { d, m: n });
                    d
                }
                None => n,
            };
            fixed.push((at, vreg));
        }
        fixed
    }

    pub(super) fn call(&mut self, want: Option<Wanted>, function: Function, signature: Sig, args: &[Value]) {
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

    /// Leaves for another function, or calls it and returns: if it takes more stack arguments than there
    /// is room for, and on Armv6-M, which can neither restore LR but into PC nor branch far.
    pub(super) fn return_call(&mut self, callee: ir::Callee, signature: Sig, args: &[Value]) -> Terminator<VReg> {
        self.place_shared();
        let (callee, args) = match (callee, args) {
            (ir::Callee::Function(function), args) => (self.callee(function), args),
            (ir::Callee::Code, [code, args @ ..]) => (Callee::Register(self.reg(*code)), args),
            (ir::Callee::Code, []) => unreachable!("the code address is an operand"),
        };
        let ir = self.ir;
        let signature = &ir.signatures[signature];
        let places = self.arguments(signature).places;
        if self.is_small() || stack_end(&places) > stack_end(&self.arguments(&ir.signature).places) {
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
        let floats = self.fixed_floats(&places, args);
        let mut args = self.fixed_words(&fixed);
        args.extend(floats);
        if let Results::Area(_) = self.results(&signature.results) {
            args.push((PReg::R0, self.own_area()));
        }
        Terminator::ReturnCall(Call { callee, args, results: Vec::new() })
    }

    fn call_and_return(&mut self, callee: Callee<VReg>, signature: &Signature, args: &[Value]) -> Terminator<VReg> {
        let results = self.results(&signature.results);
        let values: Vec<(PReg, VReg)> = match &results {
            Results::Core(registers) => registers.iter().map(|&at| (at, self.local())).collect(),
            Results::Float(places) => {
                let registers = in_float_registers(places, places);
                registers.into_iter().map(|(at, carried)| (at, self.local_of(carried.class))).collect()
            }
            Results::Area(_) => Vec::new(),
        };
        self.emit_call_into(values.clone(), callee, signature, args);
        if let Results::Area(area) = results {
            let start = self.arguments(signature).stack_bytes;
            for (offset, ..) in result_words(&area, &signature.results, &signature.results) {
                let (d, s) = (self.local(), self.own_area());
                self.emit(Inst::OutgoingLoad { d, offset: start + offset });
                self.store_result((0, s), offset, d);
            }
        }
        Terminator::Return { values }
    }

    pub(super) fn call_code(&mut self, want: Option<Wanted>, signature: Sig, args: &[Value]) {
        self.place_shared();
        let code = self.reg(args[0]);
        self.emit_call(want, Callee::Register(code), signature, &args[1..]);
    }

    /// Whether a helped operator takes but a few instructions on these operands.
    pub(super) fn has_short_way(&self, want: Pair, op: Op, args: &[Value]) -> bool {
        let is_power = |value: Value| match self.words(value) {
            (Word::Const(low), Word::Const(high)) => (u64::from(high) << 32 | u64::from(low)).is_power_of_two(),
            _ => false,
        };
        match op {
            Op::DivU32 | Op::RemU32 => self.constant(args[1]).is_some_and(u32::is_power_of_two),
            Op::Mul64 => want.high.is_none() || args.iter().any(|arg| is_power(*arg)),
            _ => false,
        }
    }

    /// Computes what the processor has no instruction for by a function of the runtime; says whether it did.
    pub(super) fn help(&mut self, want: Pair, op: Op, args: &[Value]) -> bool {
        let Some(helper) = self.module.helper(op) else { return false };
        self.place_shared();
        let results = self.ir.result_type(op).into_iter().map(Passed::from).collect();
        let params = self.ir.operand_types(op).into_iter().map(Passed::from).collect();
        let signature = Signature { params, results };
        let want = Wanted { words: want, float: None };
        self.emit_call_of(Some(want), Callee::Function(helper.0), &signature, args);
        true
    }

    fn emit_call(&mut self, want: Option<Wanted>, callee: Callee<VReg>, signature: Sig, args: &[Value]) {
        let ir = self.ir;
        self.emit_call_of(want, callee, &ir.signatures[signature], args);
    }

    fn emit_call_of(&mut self, want: Option<Wanted>, callee: Callee<VReg>, signature: &Signature, args: &[Value]) {
        let several = std::mem::take(&mut self.results_wanted);
        match self.results(&signature.results) {
            Results::Core(registers) => {
                let words = want.map(|want| [want.words.low, want.words.high]).unwrap_or_default();
                let results = registers.iter().zip(words).filter_map(|(&at, d)| Some((at, d?))).collect();
                self.emit_call_into(results, callee, signature, args);
            }
            Results::Float(places) => {
                let single = want.map(|want| (0, want));
                let mut wants = vec![Wanted::NOTHING; places.len()];
                for (index, want) in several.into_iter().chain(single) {
                    wants[index as usize] = want;
                }
                let (results, arrivals) = self.arriving(&places, &wants);
                self.emit_call_into(results, callee, signature, args);
                self.arrive(arrivals);
            }
            Results::Area(_) => self.emit_call_into(Vec::new(), callee, signature, args),
        }
    }

    /// Calls; these are its results in registers.
    fn emit_call_into(
        &mut self,
        results: Vec<(PReg, VReg)>,
        callee: Callee<VReg>,
        signature: &Signature,
        args: &[Value],
    ) {
        let mut fixed = Vec::new();
        let arguments = self.arguments(signature);
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
        let floats = self.fixed_floats(&arguments.places, args);
        let mut args = self.fixed_words(&fixed);
        args.extend(floats);
        if let Results::Area(area) = self.results(&signature.results) {
            let d = self.local();
            self.emit(Inst::ResultArea { d, offset: arguments.stack_bytes, bytes: area.bytes });
            args.push((PReg::R0, d));
        }
        self.emit(Inst::Call(Call { callee, args, results }));
    }

    /// Takes one of several results of the call before.
    pub(super) fn call_result(&mut self, want: Option<Wanted>, signature: Sig, index: u32) {
        let Some(want) = want else { return };
        let signature = &self.ir.signatures[signature];
        let area = match self.results(&signature.results) {
            Results::Area(area) => area,
            // They are defined where the call is.
            Results::Core(_) | Results::Float(_) => return self.results_wanted.push((index, want)),
        };
        let start = self.arguments(signature).stack_bytes;
        let numbers: Vec<u32> = (0..signature.results.len() as u32).collect();
        for (offset, number, half) in result_words(&area, &signature.results, &numbers) {
            let d = match half {
                Half::Low => want.words.low,
                Half::High => want.words.high,
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
    fn store_results(&mut self, area: &Area, values: &[Value]) {
        let mut base = (0, self.own_area());
        for (offset, value, half) in result_words(area, &self.ir.signature.results, values) {
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
        let values = match self.results(&self.ir.signature.results) {
            Results::Area(area) => {
                self.store_results(&area, values);
                Vec::new()
            }
            Results::Float(places) => self.fixed_floats(&places, values),
            Results::Core(registers) => {
                let halves = values.iter().flat_map(|&value| [(value, Half::Low), (value, Half::High)]);
                let words = registers.iter().zip(halves).map(|(&at, (value, half))| (at, self.word(value, half)));
                let words: Vec<(PReg, Word)> = words.collect();
                self.fixed_words(&words)
            }
        };
        Terminator::Return { values }
    }
}
