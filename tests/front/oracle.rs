//! Runs one program everywhere and compares.

use crate::interp::{self, Funcs, Instance, Run, Stop, frames};
use synth::config::{Config, OptLevel};
use synth::entity::TypedVec;
use synth::ir::{Function, Memory, Op, Trap, Type, check, text};
use synth::wasm::{Code, ExportKind, Inst, Module};
use synth::{opt, translate, wasm};
use wasmi::{Linker, Store, TrapCode, Val};

/// Wasm steps that a call may take; calls that take more are not compared.
const FUEL: u64 = 20_000;

/// IR steps that one Wasm step takes at most: growing memory takes the most.
const EXPANSION: u64 = 20;

/// A module in every form.
pub struct Program {
    module: Module,
    engine: wasmi::Engine,
    compiled: wasmi::Module,
    /// The functions in IR after translation and after each pass, with the name of the pass.
    stages: Vec<(String, Funcs)>,
}

/// What a call did.
#[derive(Debug, PartialEq)]
struct Effect {
    outcome: Result<Vec<u64>, Stop>,
    instance: Instance,
}

/// What imported functions compute.
pub fn host(function: Function, args: &[u64]) -> u64 {
    let start = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(function.0) + 1);
    args.iter().fold(start, |sum, arg| (sum ^ arg).rotate_left(7).wrapping_mul(0x1_0000_01b3))
}

impl Program {
    /// Compiles the text at every level.
    pub fn new(text: &str) -> Program {
        let bytes = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"));
        Program::from_bytes(bytes)
    }

    /// Compiles the binary module at every level.
    pub fn from_bytes(bytes: Vec<u8>) -> Program {
        let config = Config { memory_max: Some(4 << 16), ..Config::default() };
        let module = wasm::parse(&bytes, &config).unwrap_or_else(|e| panic!("{e}"));
        let translated: Funcs = module.functions.keys().map(|function| translate::run(&module, function)).collect();
        let mut stages = vec![("translate".to_string(), translated.clone())];
        for opt_level in [OptLevel::O0, OptLevel::O2] {
            stages.extend(optimised(&translated, &Config { opt_level, ..config.clone() }));
        }
        // A stage that changed nothing need not run again.
        stages.dedup_by(|next, previous| next.1 == previous.1);
        let engine = wasmi::Engine::default();
        let compiled = wasmi::Module::new(&engine, &bytes).expect("valid");
        Program { module, engine, compiled, stages }
    }

    /// Calls every exported function with combinations of the words.
    pub fn check_all(&self, words: &[u64]) {
        for export in &self.module.exports {
            let ExportKind::Function(function) = export.kind else {
                continue;
            };
            let types = self.module.function_type(function).signature().param_types();
            let mut calls = vec![vec![]];
            for ty in &types {
                let few = if types.len() > 2 { words.len() / 3 } else { words.len() };
                let step = words.len() / few;
                calls = calls
                    .into_iter()
                    .flat_map(|call: Vec<u64>| {
                        words.iter().step_by(step).map(move |word| [call.clone(), vec![mask(*ty, *word)]].concat())
                    })
                    .collect();
            }
            calls.dedup();
            for args in &calls {
                self.check_call(&export.name, function, args);
            }
        }
    }

    fn check_call(&self, name: &str, function: Function, args: &[u64]) {
        let fresh = || Instance::new(&self.module);
        let Ok(mut instance) = fresh() else { panic!("{name}: instantiation traps") };
        let call = (function, args);
        let expected = interp::run_wasm(&self.module, &mut instance, host, call, FUEL);
        if matches!(expected.outcome, Err(Stop::OutOfFuel | Stop::TooDeep)) {
            return;
        }
        let Run { outcome, trace } = expected;
        let effect = Effect { outcome, instance };
        if !self.selects_on_zero_test() {
            self.check_wasmi(name, args, &effect);
        }
        for (stage, funcs) in &self.stages {
            let mut instance = fresh().expect("instantiated before");
            let context = (&self.module, host as interp::Host);
            let run = interp::run_ir(funcs, &mut instance, context, call, EXPANSION * FUEL);
            let found = Effect { outcome: run.outcome, instance };
            let shown = || funcs[function].as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(found.outcome, effect.outcome, "{name}{args:?} after {stage}:\n{}", shown());
            assert!(found == effect, "{name}{args:?} leaves another state after {stage}:\n{}", shown());
            if let Err(visit) = frames::check(&run.trace, &trace) {
                panic!("{name}{args:?} after {stage}: no such state: {visit:x?}\n{}", shown());
            }
        }
    }

    /// wasmi 2.0.0 takes the same arm of a `select` whatever an `eqz` or `ne` before it gives. The
    /// reference interpreter stays as the judge of such modules.
    fn selects_on_zero_test(&self) -> bool {
        self.module.functions.values().any(|function| {
            let Code::Body(body) = &function.code else {
                return false;
            };
            body.insts.windows(2).any(|pair| {
                let tests = matches!(pair[0], Inst::IsZero(_) | Inst::Numeric(Op::Ne32 | Op::Ne64));
                tests && pair[1] == Inst::Select
            })
        })
    }

    fn check_wasmi(&self, name: &str, args: &[u64], expected: &Effect) {
        let (engine, module) = (&self.engine, &self.compiled);
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        for (index, import) in module.imports().enumerate() {
            let ty = import.ty().func().expect("a function").clone();
            let results = ty.results().to_vec();
            let define = linker.func_new(import.module(), import.name(), ty, move |_, args, out| {
                let words: Vec<u64> = args.iter().map(word).collect();
                for (out, ty) in out.iter_mut().zip(&results) {
                    *out = val(*ty, host(Function(index as u32), &words));
                }
                Ok(())
            });
            define.expect("imports have names of their own");
        }
        let instance = linker.instantiate_and_start(&mut store, module).expect("instantiates");
        let export = instance.get_func(&store, name).expect("exported");
        let ty = export.ty(&store);
        let inputs: Vec<Val> = ty.params().iter().zip(args).map(|(ty, word)| val(*ty, *word)).collect();
        let mut outputs: Vec<Val> = ty.results().iter().map(|ty| val(*ty, 0)).collect();
        let outcome = match export.call(&mut store, &inputs, &mut outputs) {
            Ok(()) => Ok(outputs.iter().map(word).collect::<Vec<u64>>()),
            Err(error) => Err(trap(error.as_trap_code())),
        };
        let expected_outcome = expected.outcome.clone().map_err(|stop| match stop {
            Stop::Trap(trap, _) => trap,
            Stop::OutOfFuel | Stop::TooDeep => Trap::StackExhausted,
        });
        assert_eq!(expected_outcome, outcome, "{name}{args:?} in wasmi");
        if let Some(memory) = instance.get_memory(&store, "memory") {
            let bytes = memory.data(&store);
            assert_eq!(bytes.len(), expected.instance.memories[Memory(0)].length as usize, "{name}{args:?}: length");
            assert!(bytes == &expected.instance.memories[Memory(0)].all[..bytes.len()], "{name}{args:?}: memory");
        }
    }
}

/// Runs the passes, checking the functions after each.
fn optimised(translated: &Funcs, config: &Config) -> Vec<(String, Funcs)> {
    let mut stages: Vec<(String, Funcs)> = Vec::new();
    for (function, func) in translated.iter() {
        let Some(func) = func else { continue };
        check_form(func, "translate");
        let (mut func, mut number) = (func.clone(), 0);
        opt::run(&mut func, config, |pass, func| {
            check_form(func, pass.name);
            if stages.len() == number {
                let label = format!("{} ({:?}, pass {number})", pass.name, config.opt_level);
                stages.push((label, TypedVec::filled(None, translated.len())));
            }
            stages[number].1[function] = Some(func.clone());
            number += 1;
        });
    }
    stages
}

fn check_form(func: &synth::ir::Func, stage: &str) {
    check::run(func).unwrap_or_else(|violation| panic!("after {stage}: {violation}\n{func}"));
    let printed = text::print(func);
    let parsed = text::parse(&printed).unwrap_or_else(|e| panic!("after {stage}: {e}\n{printed}"));
    assert_eq!(text::print(&parsed), printed, "after {stage}");
    check::run(&parsed).unwrap_or_else(|violation| panic!("parsed: {violation}\n{printed}"));
}

fn mask(ty: Type, word: u64) -> u64 {
    word & (u64::MAX >> (64 - ty.bits()))
}

fn word(val: &Val) -> u64 {
    match val {
        Val::I32(word) => u64::from(*word as u32),
        Val::I64(word) => *word as u64,
        Val::F32(number) => u64::from(number.to_bits()),
        Val::F64(number) => number.to_bits(),
        other => panic!("{other:?} is no number"),
    }
}

fn val(ty: wasmi::ValType, word: u64) -> Val {
    match ty {
        wasmi::ValType::I32 => Val::I32(word as u32 as i32),
        wasmi::ValType::I64 => Val::I64(word as i64),
        wasmi::ValType::F32 => Val::F32(wasmi::F32::from_bits(word as u32)),
        wasmi::ValType::F64 => Val::F64(wasmi::F64::from_bits(word)),
        other => panic!("{other:?} is no number"),
    }
}

fn trap(code: Option<TrapCode>) -> Trap {
    match code {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Trap::UninitializedElement,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivideByZero,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::BadSignature) => Trap::IndirectCallType,
        Some(TrapCode::BadConversionToInteger) => Trap::InvalidConversion,
        other => panic!("unexpected trap {other:?}"),
    }
}
