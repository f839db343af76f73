//! The compiler: WebAssembly in, Thumb-2 out.
//!
//! ```text
//! bytes ─ wasm ─ translate ─ opt ─ lower ─ alloc ─ (stack) ─ emit ─ assemble ─ elf ─ bytes
//!          Module    ir::Func     vcode::Func  Allocated     Emitted   Program
//! ```
//!
//! [`compile`] is the whole of it: [`units`], then [`output`]. Nothing here judges the result: that is `synth_verify`.

pub mod alloc;
mod assemble;
pub mod config;
pub mod elf;
pub mod emit;
pub mod entity;
pub mod error;
pub mod ir;
pub mod lower;
pub mod model;
pub mod opt;
pub mod qemu;
mod runtime;
mod stack;
pub mod stage;
pub mod target;
pub mod translate;
pub mod trap;
pub mod vcode;
pub mod wasm;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use synth_verify::hints::{Hints, codec};

use crate::alloc::Allocated;
use crate::config::Config;
use crate::elf::Program;
use crate::elf::program::Linked;
use crate::emit::{Emitted, TooBig};
use crate::error::Error;
use crate::lower::ModuleInfo;
use crate::stage::{Stage, Tap};
use crate::wasm::{Author, Input, Module};

/// A compiled module, ready to be written as an object or an image.
#[derive(Clone, Debug)]
pub struct Output {
    /// The program.
    pub program: Program,
    /// The hints that it carries.
    pub hints: Hints,
    /// What the allocator did, by function.
    pub allocations: Vec<Allocation>,
}

/// What the allocator did to a function.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// The function's name for people.
    pub name: String,
    /// The counts.
    pub stats: alloc::Stats,
}

/// Compiles a binary module.
///
/// # Errors
/// The module is invalid, uses what is not supported, or is too big for the target.
pub fn compile(wasm: &[u8], config: &Config, tap: &mut dyn Tap) -> Result<Output, Error> {
    compile_linked(&[Input { name: "", wasm }], config, tap)
}

/// Compiles binary modules that import from those before them, to one program.
///
/// # Errors
/// As [`compile`]; or what a module imports is not what it says.
pub fn compile_linked(inputs: &[Input], config: &Config, tap: &mut dyn Tap) -> Result<Output, Error> {
    output(&units(inputs, config, tap)?, config, tap)
}

/// The functions of modules, allocated, and what else goes into the file.
#[derive(Clone, Debug)]
pub struct Units {
    module: Module,
    info: ModuleInfo,
    identity: [u8; 32],
    linked: Vec<Linked>,
    /// The functions, those that stand behind the module's own last.
    pub functions: Vec<Unit>,
}

/// A function before its code has addresses.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name for people.
    pub name: String,
    /// Its instructions over virtual registers.
    pub vcode: vcode::Func,
    /// The same over registers.
    pub allocated: Allocated,
}

/// The stages up to allocation.
///
/// # Errors
/// As [`compile_linked`].
pub fn units(inputs: &[Input], config: &Config, tap: &mut dyn Tap) -> Result<Units, Error> {
    tap.enter(Stage::Wasm);
    let mut module = wasm::link(inputs, config)?;
    wasm::forward::run(&mut module);
    let mut linked: Vec<Linked> = Vec::new();
    for (name, bytes) in runtime::templates::link(&mut module, config)? {
        linked.push(Linked { name, bytes });
    }
    let own = module.functions.len();
    linked.extend(runtime::link(&mut module, config)?.map(|bytes| Linked { name: "runtime", bytes }));
    wasm::settle(&mut module, config)?;
    wasm::instantiation::mark(&mut module);
    let info = ModuleInfo::of(&module, runtime::helpers(&module, config));
    let mut functions = Vec::new();
    for index in module.functions.keys().take(own) {
        functions.extend(function(&module, index, (&info, config), tap));
    }
    let mut helpers: BTreeMap<ir::Function, Unit> = BTreeMap::new();
    while let Some(index) = missing(functions.iter().chain(helpers.values()), own) {
        helpers.extend(function(&module, index, (&info, config), tap).map(|unit| (index, unit)));
    }
    functions.extend(helpers.into_values());
    Ok(Units { module, info, identity: identity(inputs), linked, functions })
}

/// The stages behind allocation.
///
/// # Errors
/// The code is too big for the target.
pub fn output(units: &Units, config: &Config, tap: &mut dyn Tap) -> Result<Output, Error> {
    let Units { module, info, linked, functions, .. } = units;
    let checks = stack::checks(&call_graph(module, functions));
    tap.enter(Stage::Asm);
    let mut hints = Hints {
        wasm_sha256: units.identity,
        module_name: config.module_name.clone(),
        export_prefix: config.export_prefix.clone(),
        functions: Vec::new(),
    };
    let (mut code, mut allocations) = (Vec::new(), Vec::new());
    for unit in functions {
        let need = checks.get(&unit.vcode.index).copied().filter(|need| *need > 0);
        let mut emitted = emit::run(&unit.vcode, &unit.allocated, need).map_err(|why| too_big(&unit.name, why))?;
        let author = module.functions[ir::Function(unit.vcode.index)].author();
        if author == Author::Synth {
            // What is not the user's is at no place of the user's module.
            emitted.hints.labels.iter_mut().for_each(|label| label.source = None);
        }
        tap.text(Stage::Asm, &unit.name, &emitted);
        let one = || Hints { functions: vec![emitted.hints.clone()], ..hints.clone() };
        tap.text(Stage::Hints, &unit.name, &std::fmt::from_fn(|f| f.write_str(&codec::to_text(&one()))));
        let of_synth = (author == Author::Synth).then(|| unit.name.clone());
        code.push(elf::program::Function { of_synth, ..assemble::function(unit.vcode.index, &emitted) });
        allocations.push(Allocation { name: unit.name.clone(), stats: unit.allocated.stats.clone() });
        let Emitted { hints: of_function, .. } = emitted;
        hints.functions.push(of_function);
    }
    let program = assemble::run((module, info), config, code, (codec::encode(&hints), linked.clone()));
    Ok(Output { program, hints, allocations })
}

/// The hash of what was compiled: of the one module, or of all names and modules.
fn identity(inputs: &[Input]) -> [u8; 32] {
    if let [only] = inputs {
        return Sha256::digest(only.wasm).into();
    }
    let mut all = Sha256::new();
    for input in inputs {
        all.update(Sha256::digest(input.name));
        all.update(Sha256::digest(input.wasm));
    }
    all.finalize().into()
}

/// A function behind the module's own that is called and has no code yet.
fn missing<'a>(units: impl Iterator<Item = &'a Unit> + Clone, own: usize) -> Option<ir::Function> {
    let made: BTreeSet<u32> = units.clone().map(|unit| unit.vcode.index).collect();
    let mut callees = units.flat_map(|unit| unit.vcode.calls().chain(unit.vcode.leaves()));
    callees.find_map(|callee| match callee {
        vcode::inst::Callee::Function(index) if index as usize >= own && !made.contains(&index) => {
            Some(ir::Function(index))
        }
        _ => None,
    })
}

/// One function through the stages that know nothing of other functions; `None` for an import.
fn function(
    module: &Module,
    index: ir::Function,
    (info, config): (&ModuleInfo, &Config),
    tap: &mut dyn Tap,
) -> Option<Unit> {
    tap.enter(Stage::Ir);
    let mut func = translate::run(module, index)?;
    let name = func.name.clone();
    tap.text(Stage::Ir, &name, &func);
    tap.enter(Stage::Opt);
    opt::run(&mut func, config, |_, _| {});
    tap.text(Stage::Opt, &name, &func);
    tap.enter(Stage::Vcode);
    let vcode = lower::run(&func, info, config);
    tap.text(Stage::Vcode, &name, &vcode);
    tap.enter(Stage::Alloc);
    let allocated = alloc::run(&vcode);
    tap.text(Stage::Alloc, &name, &allocated);
    Some(Unit { name, vcode, allocated })
}

/// Who calls and leaves for whom, calls through a table counted for every function that a reference names.
fn call_graph(module: &Module, functions: &[Unit]) -> BTreeMap<u32, stack::Node> {
    let referenced: BTreeSet<u32> = module.referenced().into_iter().map(|function| function.0).collect();
    let functions_of = |callee: vcode::inst::Callee<vcode::VReg>| match callee {
        vcode::inst::Callee::Function(index) | vcode::inst::Callee::Import(index) => BTreeSet::from([index]),
        vcode::inst::Callee::Register(_) => referenced.clone(),
    };
    let node = |unit: &Unit| stack::Node {
        frame_bytes: emit::frame::bytes_max(unit.allocated.isa, &unit.allocated.frame),
        callees: unit.vcode.calls().flat_map(functions_of).collect(),
        leaves: unit.vcode.leaves().flat_map(functions_of).collect(),
    };
    functions.iter().map(|unit| (unit.vcode.index, node(unit))).collect()
}

fn too_big(name: &str, why: TooBig) -> Error {
    let (what, remedy) = match why {
        TooBig::Code => (format!("the code of function {name} is longer than branches reach"), "split the function"),
        TooBig::Stack => (
            format!("function {name} and those it calls take more stack than Armv6-M can check for, 64 KiB"),
            "split the results or variables of the functions, or choose another processor",
        ),
    };
    Error::too_big(None, what, remedy)
}
