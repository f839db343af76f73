//! Random modules of another maker, over everything that is in scope, and what another engine makes of them.
//!
//! Ensures: a module ends: each function and each turn of a loop takes fuel that it brings along. NaNs are made
//! canonical by the module, so that engines agree bit for bit. Memories and tables cannot grow beyond what an
//! image sets aside.

use arbitrary::Unstructured;
use synth::elf::names;
use synth::qemu::{Action, Value};
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};
use wasmi::{Engine, Linker, Store, Val, ValType};

use crate::agree::{End, Run, end, value};
use crate::choices::{Choices, decisions};

/// Functions and turns of loops that an instance may enter.
const FUEL: u32 = 2_000;

/// Pages of 64 KiB that an image sets aside without being asked.
const PAGES_MAX: u64 = 4;

fn config() -> Config {
    Config {
        allow_start_export: true,
        allowed_instructions: InstructionKinds::new(&[
            InstructionKind::NumericInt,
            InstructionKind::Numeric,
            InstructionKind::Reference,
            InstructionKind::Parametric,
            InstructionKind::Variable,
            InstructionKind::Table,
            InstructionKind::Memory,
            InstructionKind::Control,
            InstructionKind::Aggregate,
        ]),
        canonicalize_nans: true,
        custom_page_sizes_enabled: true,
        exceptions_enabled: false,
        export_everything: true,
        gc_enabled: false,
        compact_imports_enabled: false,
        max_imports: 0,
        max_memories: 3,
        max_memory32_bytes: PAGES_MAX << 16,
        max_tables: 3,
        max_table_elements: 60,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 1,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        table_max_size_required: true,
        threads_enabled: false,
        ..Config::default()
    }
}

/// The module that a seed makes; `None` if the seed makes none.
pub fn module(seed: u64) -> Option<Vec<u8>> {
    let bytes = decisions(seed, 2_000 + (seed % 7) as usize * 1_000);
    let mut module = Module::new(config(), &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(FUEL).ok()?;
    Some(module.to_bytes())
}

/// Calls every exported function whose parameters are numbers, in the other engine; `None` if it cannot be
/// instantiated.
///
/// # Errors
/// The engine refuses the module, or ends in a way that an image has no word for.
pub fn reference(wasm: &[u8], seed: u64) -> Result<Option<Run>, String> {
    let mut config = wasmi::Config::default();
    config.wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    let engine = Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    let mut store = Store::new(&engine, ());
    let Ok(instance) = Linker::new(&engine).instantiate_and_start(&mut store, &module) else {
        return Ok(None);
    };
    let bytes = decisions(seed ^ 0x5a5a, 4_000);
    let mut choices = Choices::new(&bytes);
    let mut run = Run { actions: Vec::new(), ends: Vec::new(), operators: 0 };
    let functions: Vec<(String, wasmi::Func)> = instance
        .exports(&store)
        .filter_map(|export| Some((export.name().to_owned(), export.into_func()?)))
        .collect();
    for (name, function) in functions {
        let ty = function.ty(&store);
        let Some(arguments) = ty.params().iter().map(|kind| choices.number(*kind)).collect::<Option<Vec<Value>>>()
        else {
            continue;
        };
        let is_number = |kind: &ValType| zero(*kind).is_some();
        let Some(mut outputs) = ty.results().iter().map(|kind| zero(*kind)).collect::<Option<Vec<Val>>>() else {
            continue;
        };
        debug_assert!(ty.results().iter().all(is_number));
        let inputs: Vec<Val> = arguments.iter().map(value).collect();
        let called = function.call(&mut store, &inputs, &mut outputs);
        run.actions.push(Action::Call(names::mangle(&name), arguments));
        run.ends.push(end(called, &outputs)?);
        run.operators += 1;
    }
    Ok(Some(run))
}

fn zero(kind: ValType) -> Option<Val> {
    match kind {
        ValType::I32 => Some(Val::I32(0)),
        ValType::I64 => Some(Val::I64(0)),
        ValType::F32 => Some(Val::F32(wasmi::F32::from_bits(0))),
        ValType::F64 => Some(Val::F64(wasmi::F64::from_bits(0))),
        ValType::V128 | ValType::FuncRef | ValType::ExternRef => None,
    }
}

impl Choices<'_> {
    fn number(&mut self, kind: ValType) -> Option<Value> {
        match kind {
            ValType::I32 => Some(Value::I32(self.i32() as u32)),
            ValType::I64 => Some(Value::I64(self.i64() as u64)),
            ValType::F32 => Some(Value::F32(self.f32())),
            ValType::F64 => Some(Value::F64(self.f64())),
            ValType::V128 | ValType::FuncRef | ValType::ExternRef => None,
        }
    }
}

/// Whether an end is one of a run that has used up its fuel.
pub fn is_out_of_fuel(end: &End) -> bool {
    *end == End::Trapped("unreachable".to_owned())
}
