//! The validator's Wasm semantics against a second engine, operator by operator.

use synth_verify::concrete::instantiate::{self, Reserves, State};
use synth_verify::concrete::wasm_run::{Instance, Limits, Outcome, Stop, constant};
use synth_verify::trap::Trap;
use synth_verify::wasm::module::{self, Constant, Exported, Module, NULL, WasmError};
use synth_verify::wasm::sem::{self, Activation, Event};
use synth_verify::wasm::steps::Cause;

const LIMITS: Limits = Limits { fuel: 1_000_000, depth: 100 };

/// What one call comes to, in a form that both engines can give.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Observed {
    outcome: Result<Vec<Constant>, Trap>,
    memory: Vec<u8>,
    globals: Vec<Constant>,
}

fn read(wat: &str) -> Module {
    module::read(&wat::parse_str(wat).expect("the test is well-formed")).expect("within scope")
}

fn export(module: &Module, name: &str) -> u32 {
    let found = module.exports.iter().find(|export| export.name == name).expect("exported");
    match found.item {
        Exported::Function(index) => index,
        Exported::Table(_) | Exported::Memory(_) | Exported::Global(_) => panic!("no function"),
    }
}

fn instantiate(module: &Module) -> State {
    let instance =
        instantiate::run(module, &Reserves { pages: vec![4; 3], entries: vec![8; 3] }).expect("a small table");
    assert_eq!(instance.pauses, []);
    instance.state
}

/// The host of every test: adds one to the sum of its arguments.
fn host(results: usize) -> impl FnMut(u32, &[Constant], &mut State) -> Result<Vec<Constant>, String> {
    move |_, arguments, _| {
        let sum = arguments.iter().map(|value| wide(*value)).fold(1, u64::wrapping_add);
        Ok(vec![Constant::I32(sum as u32); results])
    }
}

fn wide(value: Constant) -> u64 {
    match value {
        Constant::I32(word) => u64::from(word),
        Constant::I64(wide) => wide,
        Constant::Function(_) => panic!("a reference is no number"),
    }
}

fn ours(module: &Module, calls: &[(&str, Vec<Constant>)]) -> Vec<Observed> {
    let mut instance = Instance { module, state: instantiate(module) };
    let host_results =
        module.imports.first().map_or(0, |import| module.types[import.type_index as usize].results.len());
    calls
        .iter()
        .map(|(name, arguments)| {
            let function = export(module, name);
            check_every_place(&instance, function, arguments);
            let outcome = instance.call(function, arguments, LIMITS, &mut host(host_results));
            Observed {
                outcome: match outcome {
                    Outcome::Returned(results) => Ok(results),
                    Outcome::Trapped(trap, _) => Err(trap),
                    Outcome::Stopped(stop) => panic!("{name} {arguments:?}: {stop:?}"),
                },
                memory: instance.state.memories.first().cloned().unwrap_or_default(),
                globals: instance.state.globals.clone(),
            }
        })
        .collect()
}

/// Starts the function anew at every place its run passes, up to its first call, and expects the
/// same end. That the activation may start there checks the static types of the operand stack.
fn check_every_place(instance: &Instance<'_>, index: u32, arguments: &[Constant]) {
    let module = instance.module;
    let Some(function) = module.function(index) else {
        return;
    };
    let host_results =
        module.imports.first().map_or(0, |import| module.types[import.type_index as usize].results.len());
    let mut whole = instance.clone();
    let expected = whole.call(index, arguments, LIMITS, &mut host(host_results));
    let mut walk = instance.clone();
    let values = arguments.iter().map(|value| synth_verify::concrete::wasm_run::value(*value)).collect();
    let mut activation = Activation::enter(&mut walk, function, values).expect("typed arguments");
    for _ in 0..200 {
        let (locals, stack) = (activation.locals.clone(), activation.stack.clone());
        let position = activation.position;
        let offset = function.offset(position).expect("in the body");
        assert_eq!(function.position(offset), Some(position));
        let height = function.control.height(position);
        assert_eq!(height, Some(stack.len() as u32), "stack height at {offset:#x}");
        let restarted = Activation::at(function, position, locals, stack);
        let restarted = restarted.unwrap_or_else(|| panic!("types at {offset:#x}"));
        let mut resumed = walk.clone();
        let end = resumed.resume((index, restarted), LIMITS, &mut host(host_results));
        assert_eq!(end, expected, "resumed at {offset:#x}");
        assert_eq!(resumed.state, whole.state, "resumed at {offset:#x}");
        match sem::step(&mut walk, module, function, &mut activation).expect("no fault") {
            Event::Next => {}
            Event::Return(results) => {
                let results: Option<Vec<Constant>> = results.iter().map(constant).collect();
                assert_eq!(results.map(Outcome::Returned), Some(expected));
                return;
            }
            Event::Trap(trap, offset) => {
                assert_eq!(Outcome::Trapped(trap, offset), expected);
                return;
            }
            Event::Call { .. } | Event::CallIndirect { .. } => return,
        }
    }
}

fn theirs(wat: &str, module: &Module, calls: &[(&str, Vec<Constant>)]) -> Vec<Observed> {
    let mut config = wasmi::Config::default();
    config.wasm_bulk_memory(true).wasm_wide_arithmetic(true);
    let engine = wasmi::Engine::new(&config);
    let bytes = wat::parse_str(wat).expect("the test is well-formed");
    let compiled = wasmi::Module::new(&engine, &bytes).expect("valid");
    let mut store = wasmi::Store::new(&engine, wasmi::StoreLimitsBuilder::new().memory_size(4 * 65536).build());
    store.limiter(|limits| limits);
    let mut linker = wasmi::Linker::new(&engine);
    for import in compiled.imports() {
        let Some(signature) = import.ty().func() else { panic!("only functions are imported") };
        let run = |_: wasmi::Caller<'_, wasmi::StoreLimits>, inputs: &[wasmi::Val], outputs: &mut [wasmi::Val]| {
            let sum = inputs.iter().map(|value| wide(from_val(value))).fold(1, u64::wrapping_add);
            outputs.fill(wasmi::Val::I32(sum as i32));
            Ok(())
        };
        linker.func_new(import.module(), import.name(), signature.clone(), run).expect("new name");
    }
    let instance = linker.instantiate_and_start(&mut store, &compiled).expect("no trap");
    calls
        .iter()
        .map(|(name, arguments)| {
            let function = instance.get_func(&store, name).expect("exported");
            let inputs: Vec<wasmi::Val> = arguments.iter().map(|value| to_val(*value)).collect();
            let results = function.ty(&store).results().len();
            let mut outputs = vec![wasmi::Val::I32(0); results];
            let outcome = match function.call(&mut store, &inputs, &mut outputs) {
                Ok(()) => Ok(outputs.iter().map(from_val).collect()),
                Err(error) => Err(trap(error.as_trap_code().expect("a trap"))),
            };
            let memory = instance.get_memory(&store, "memory");
            Observed {
                outcome,
                memory: memory.map_or(vec![], |memory| memory.data(&store).to_vec()),
                globals: (0..module.globals.len())
                    .map(|index| {
                        let global = instance.get_global(&store, &format!("g{index}"));
                        from_val(&global.expect("every global is exported").get(&store))
                    })
                    .collect(),
            }
        })
        .collect()
}

fn to_val(value: Constant) -> wasmi::Val {
    match value {
        Constant::I32(word) => wasmi::Val::I32(word as i32),
        Constant::I64(wide) => wasmi::Val::I64(wide as i64),
        Constant::Function(_) => unreachable!("references are not exchanged with wasmi"),
    }
}

fn from_val(value: &wasmi::Val) -> Constant {
    match value {
        wasmi::Val::I32(word) => Constant::I32(*word as u32),
        wasmi::Val::I64(wide) => Constant::I64(*wide as u64),
        wasmi::Val::F32(number) => Constant::I32(number.to_bits()),
        wasmi::Val::F64(number) => Constant::I64(number.to_bits()),
        other => panic!("{other:?}"),
    }
}

fn trap(code: wasmi::TrapCode) -> Trap {
    match code {
        wasmi::TrapCode::UnreachableCodeReached => Trap::Unreachable,
        wasmi::TrapCode::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        wasmi::TrapCode::TableOutOfBounds => Trap::TableOutOfBounds,
        wasmi::TrapCode::IndirectCallToNull => Trap::UninitializedElement,
        wasmi::TrapCode::IntegerDivisionByZero => Trap::DivideByZero,
        wasmi::TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        wasmi::TrapCode::BadSignature => Trap::IndirectCallType,
        wasmi::TrapCode::StackOverflow => Trap::StackExhausted,
        wasmi::TrapCode::BadConversionToInteger => Trap::InvalidConversion,
        other => panic!("{other:?}"),
    }
}

fn agree(wat: &str, calls: &[(&str, Vec<Constant>)]) {
    let module = read(wat);
    let (ours, theirs) = (ours(&module, calls), theirs(wat, &module, calls));
    for (call, (ours, theirs)) in calls.iter().zip(ours.iter().zip(&theirs)) {
        assert!(ours.memory == theirs.memory, "memory after {call:?}");
        assert_eq!((&ours.outcome, &ours.globals), (&theirs.outcome, &theirs.globals), "{call:?}");
    }
}

const BOUNDARY: [u64; 22] = [
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    33,
    63,
    64,
    65,
    0x7f,
    0x80,
    0xffff_8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0001,
    0xffff_ffff_ffff_ffff,
];

fn boundary(kind: &str) -> Vec<Constant> {
    match kind {
        "i32" => BOUNDARY[..17].iter().map(|value| Constant::I32(*value as u32)).collect(),
        "i64" => BOUNDARY.iter().map(|value| Constant::I64(*value)).collect(),
        other => panic!("{other}"),
    }
}

/// One function per operator, called on all pairs of boundary operands.
fn operators(rows: &[(&str, &str, &str)]) {
    for (operator, operand, result) in rows {
        let binary = format!(
            "(module (func (export \"f\") (param {operand} {operand}) (result {result}) \
             ({operator} (local.get 0) (local.get 1))))"
        );
        let unary = format!(
            "(module (func (export \"f\") (param {operand}) (result {result}) \
             ({operator} (local.get 0))))"
        );
        let values = boundary(operand);
        let is_unary = wat::parse_str(&unary).is_ok_and(|bytes| module::read(&bytes).is_ok());
        let calls: Vec<(&str, Vec<Constant>)> = if is_unary {
            values.iter().map(|a| ("f", vec![*a])).collect()
        } else {
            let pairs = values.iter().flat_map(|a| values.iter().map(|b| vec![*a, *b]));
            pairs.map(|pair| ("f", pair)).collect()
        };
        agree(if is_unary { &unary } else { &binary }, &calls);
    }
}

/// Zeros, subnormal numbers, limits of integers, infinities and NaNs, of both signs.
const FLOATS: [(u32, u64); 13] = [
    (0, 0),
    (1, 1),
    (0x007f_ffff, 0x000f_ffff_ffff_ffff),
    (0x3f80_0000, 0x3ff0_0000_0000_0000),
    (0x3f00_0000, 0x3fe0_0000_0000_0000),
    (0x4020_0000, 0x4004_0000_0000_0000),
    (0x4b7f_ffff, 0x433f_ffff_ffff_ffff),
    (0x4f00_0000, 0x41e0_0000_0000_0000),
    (0x5f80_0000, 0x43f0_0000_0000_0000),
    (0x7f7f_ffff, 0x7fef_ffff_ffff_ffff),
    (0x7f80_0000, 0x7ff0_0000_0000_0000),
    (0x7fc0_0000, 0x7ff8_0000_0000_0000),
    (0x7fa0_0001, 0x7ff4_0000_0000_0001),
];

/// Calls an operator on floats with all boundary operands. Floats are passed as bits, and a NaN that an
/// operator chose is made the canonical one, for engines may choose another.
fn float_operator(name: &str, (operand, count): (&str, usize), result: &str) {
    let bits = |kind: &str| if kind.ends_with("32") { "i32" } else { "i64" }.to_owned();
    let read = |local: usize| match operand.starts_with('f') {
        true => format!("({operand}.reinterpret_{} (local.get {local}))", bits(operand)),
        false => format!("(local.get {local})"),
    };
    let value = format!("({name} {})", (0..count).map(read).collect::<String>());
    let moves_bits = ["neg", "abs", "copysign"].iter().any(|word| name.ends_with(word));
    let body = match result.starts_with('f') {
        false => value,
        true if moves_bits => format!("({}.reinterpret_{result} {value})", bits(result)),
        true => format!(
            "(local.set $x {value}) (select ({carrier}.reinterpret_{result} (local.get $x)) \
             ({carrier}.reinterpret_{result} ({result}.const nan)) ({result}.eq (local.get $x) (local.get $x)))",
            carrier = bits(result)
        ),
    };
    let wat = format!(
        "(module (func (export \"f\") (param {} {}) (result {}) (local $x {result}) {body}))",
        bits(operand),
        bits(operand),
        bits(result)
    );
    let values: Vec<Constant> = match operand {
        "f32" => FLOATS.iter().flat_map(|(a, _)| [*a, a | 1 << 31]).map(Constant::I32).collect(),
        "f64" => FLOATS.iter().flat_map(|(_, a)| [*a, a | 1 << 63]).map(Constant::I64).collect(),
        integer => boundary(integer),
    };
    let pairs = values.iter().flat_map(|a| values.iter().map(|b| vec![*a, *b]));
    let calls: Vec<(&str, Vec<Constant>)> = pairs.map(|pair| ("f", pair)).collect();
    agree(&wat, &calls);
}

#[test]
fn every_operator_on_floats() {
    for (float, other) in [("f32", "f64"), ("f64", "f32")] {
        for name in ["add", "sub", "mul", "div", "min", "max", "copysign"] {
            float_operator(&format!("{float}.{name}"), (float, 2), float);
        }
        for name in ["eq", "ne", "lt", "gt", "le", "ge"] {
            float_operator(&format!("{float}.{name}"), (float, 2), "i32");
        }
        for name in ["sqrt", "ceil", "floor", "trunc", "nearest", "neg", "abs"] {
            float_operator(&format!("{float}.{name}"), (float, 1), float);
        }
        let name = if float == "f32" { "f32.demote_f64" } else { "f64.promote_f32" };
        float_operator(name, (other, 1), float);
        for (integer, sign) in [("i32", "s"), ("i32", "u"), ("i64", "s"), ("i64", "u")] {
            float_operator(&format!("{float}.convert_{integer}_{sign}"), (integer, 1), float);
            float_operator(&format!("{integer}.trunc_{float}_{sign}"), (float, 1), integer);
            float_operator(&format!("{integer}.trunc_sat_{float}_{sign}"), (float, 1), integer);
        }
    }
}

#[test]
fn every_i32_operator() {
    let names = [
        "clz",
        "ctz",
        "popcnt",
        "eqz",
        "extend8_s",
        "extend16_s",
        "add",
        "sub",
        "mul",
        "div_s",
        "div_u",
        "rem_s",
        "rem_u",
        "and",
        "or",
        "xor",
        "shl",
        "shr_s",
        "shr_u",
        "rotl",
        "rotr",
        "eq",
        "ne",
        "lt_s",
        "lt_u",
        "gt_s",
        "gt_u",
        "le_s",
        "le_u",
        "ge_s",
        "ge_u",
    ];
    for name in names {
        operators(&[(&format!("i32.{name}"), "i32", "i32")]);
    }
}

#[test]
fn every_i64_operator() {
    let same = [
        "clz",
        "ctz",
        "popcnt",
        "extend8_s",
        "extend16_s",
        "extend32_s",
        "add",
        "sub",
        "mul",
        "and",
        "or",
        "xor",
        "shl",
        "shr_s",
        "shr_u",
        "rotl",
        "rotr",
        "div_s",
        "div_u",
        "rem_s",
        "rem_u",
    ];
    for name in same {
        operators(&[(&format!("i64.{name}"), "i64", "i64")]);
    }
    let truth = ["eqz", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
    for name in truth {
        operators(&[(&format!("i64.{name}"), "i64", "i32")]);
    }
    operators(&[
        ("i32.wrap_i64", "i64", "i32"),
        ("i64.extend_i32_s", "i32", "i64"),
        ("i64.extend_i32_u", "i32", "i64"),
    ]);
}

const PAGE: u32 = 65536;

#[test]
fn every_load_and_store_at_the_ends_of_memory() {
    let loads = [
        ("i32.load", "i32"),
        ("i32.load8_s", "i32"),
        ("i32.load8_u", "i32"),
        ("i32.load16_s", "i32"),
        ("i32.load16_u", "i32"),
        ("i64.load", "i64"),
        ("i64.load8_s", "i64"),
        ("i64.load8_u", "i64"),
        ("i64.load16_s", "i64"),
        ("i64.load16_u", "i64"),
        ("i64.load32_s", "i64"),
        ("i64.load32_u", "i64"),
    ];
    let stores = [
        ("i32.store", "i32"),
        ("i32.store8", "i32"),
        ("i32.store16", "i32"),
        ("i64.store", "i64"),
        ("i64.store8", "i64"),
        ("i64.store16", "i64"),
        ("i64.store32", "i64"),
    ];
    let places = [
        0,
        1,
        3,
        100,
        PAGE - 9,
        PAGE - 8,
        PAGE - 5,
        PAGE - 4,
        PAGE - 2,
        PAGE - 1,
        PAGE,
        PAGE + 1,
        0x7fff_ffff,
        u32::MAX - 3,
        u32::MAX,
    ];
    for offset in [0u32, 1, 8, 65535, 65536, 0x8000_0000, u32::MAX - 4, u32::MAX - 3, u32::MAX] {
        let mut functions = String::new();
        let mut calls = Vec::new();
        for (name, kind) in loads {
            functions += &format!(
                "(func (export \"{name}\") (param i32) (result {kind}) \
                 ({name} offset={offset} (local.get 0)))"
            );
            calls.extend(places.map(|place| (name, vec![Constant::I32(place)])));
        }
        for (name, kind) in stores {
            functions += &format!(
                "(func (export \"{name}\") (param i32 {kind}) \
                 ({name} offset={offset} (local.get 0) (local.get 1)))"
            );
            let value = match kind {
                "i32" => Constant::I32(0x8182_8384),
                _ => Constant::I64(0x9192_9394_9596_9798),
            };
            calls.extend(places.map(|place| (name, vec![Constant::I32(place), value])));
        }
        let wat = format!(
            "(module (memory (export \"memory\") 1 1) \
             (data (i32.const 0) \"\\80\\7f\\ff\\fe\\01\\82\\93\\a4\\b5\") \
             (data (i32.const 65526) \"\\81\\72\\f3\\fe\\05\\82\\97\\a8\\b9\\ca\") {functions})"
        );
        agree(&wat, &calls);
    }
}

#[test]
fn control_flow() {
    let wat = r#"(module
      (global (export "g0") (mut i32) (i32.const 5))
      (global (export "g1") (mut i64) (i64.const -5))
      (global (export "g2") i32 (i32.const 9))
      (func (export "switch") (param i32) (result i32)
        (block $d (block $c (block $b (block $a
          (br_table $a $b $c $a $d (local.get 0)))
          (return (i32.const 10)))
          (return (i32.const 20)))
          (global.set 0 (i32.add (global.get 0) (i32.const 1))))
        (i32.add (global.get 0) (i32.const 30)))
      (func (export "carried") (param i32) (result i32)
        (i64.const 7)
        (block (result i32) (i32.const 3)
          (block (result i32)
            (i32.const 1) (i32.const 2) (br_table 0 1 2 (local.get 0)))
          (drop))
        (local.set 0) (drop) (local.get 0))
      (func (export "values") (param i32) (result i32)
        (i32.const 100)
        (block (result i32)
          (i32.const 11) (i32.const 22)
          (block (result i32)
            (i32.const 33) (i32.const 44)
            (local.get 0) (br_table 0 1 0))
          (i32.add) (i32.mul))
        (i32.sub))
      (func (export "factorial") (param i64) (result i64) (local i64)
        (local.set 1 (i64.const 1))
        (block (loop
          (br_if 1 (i64.eqz (local.get 0)))
          (local.set 1 (i64.mul (local.get 1) (local.get 0)))
          (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
          (br 0)))
        (local.get 1))
      (func (export "nested") (param i32) (result i32) (local i32 i32 i32)
        (loop $outer
          (local.set 2 (i32.const 0))
          (loop $inner
            (local.set 3 (i32.add (local.get 3) (i32.xor (local.get 1) (local.get 2))))
            (br_if $inner (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 5))))
          (br_if $outer (i32.lt_s (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
        (local.get 3))
      (func (export "again") (param i32) (result i32)
        (i32.const 1000)
        (loop (result i32)
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (i32.const 5)
          (br_if 0 (i32.gt_s (local.get 0) (i32.const 0))))
        (i32.add (local.get 0)) (i32.sub))
      (func (export "dead") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (return (i32.const 1)) (drop) (if (result i64) (then (i64.const 1)) (else (unreachable))) (drop) (i32.const 8))
          (else (block (result i32) (br 0 (i32.const 4)) (br_table 0 0 (i32.const 7)) (block (result i32) (i32.const 1)) (loop (br 0)) ))))
      (func (export "ifs") (param i32 i32) (result i32)
        (if (local.get 0) (then (global.set 1 (i64.const 77))))
        (if (result i32) (local.get 1)
          (then (if (result i32) (local.get 0) (then (i32.const 3)) (else (i32.const 4))))
          (else (nop) (i32.const 5))))
      (func (export "selects") (param i32 i64 i64) (result i64)
        (global.set 0 (select (i32.const 1) (i32.const 2) (local.get 0)))
        (select (local.get 1) (local.get 2) (local.get 0)))
      (func (export "trap") (param i32) (global.set 0 (i32.const 4)) (br_if 0 (local.get 0)) (unreachable))
      (func $even (export "even") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
          (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
      (func $odd (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
        (call $even (i32.sub (local.get 0) (i32.const 1)))))"#;
    let mut calls: Vec<(&str, Vec<Constant>)> = Vec::new();
    for value in [0, 1, 2, 3, 4, 5, 6, 1000, u32::MAX] {
        for name in ["switch", "carried", "values", "dead", "trap"] {
            calls.push((name, vec![Constant::I32(value)]));
        }
        calls.push(("selects", vec![Constant::I32(value), Constant::I64(3), Constant::I64(4)]));
    }
    for value in [0, 1, 5, 20] {
        calls.push(("factorial", vec![Constant::I64(value)]));
        calls.push(("again", vec![Constant::I32(value as u32)]));
        calls.push(("nested", vec![Constant::I32(value as u32)]));
        calls.push(("even", vec![Constant::I32(value as u32)]));
    }
    for (a, b) in [(0, 0), (0, 1), (1, 0), (9, 9)] {
        calls.push(("ifs", vec![Constant::I32(a), Constant::I32(b)]));
    }
    agree(wat, &calls);
}

#[test]
fn indirect_calls_and_imports() {
    let wat = r#"(module
      (type $unary (func (param i32) (result i32)))
      (type $same (func (param i32) (result i32)))
      (type $none (func (result i32)))
      (import "env" "sum" (func $sum (param i32 i64) (result i32)))
      (table 6 6 funcref)
      (elem (i32.const 1) $double $seven $host $double)
      (elem (i32.const 2) $seven $square)
      (func $double (type $unary) (i32.add (local.get 0) (local.get 0)))
      (func $square (type $same) (i32.mul (local.get 0) (local.get 0)))
      (func $seven (type $none) (i32.const 7))
      (func $host (type $unary) (call $sum (local.get 0) (i64.const -1)))
      (func (export "unary") (param i32 i32) (result i32)
        (i32.add (i32.const 1000) (call_indirect (type $unary) (local.get 0) (local.get 1))))
      (func (export "none") (param i32) (result i32) (call_indirect (type $none) (local.get 0)))
      (func (export "host") (param i32) (result i32) (call $host (local.get 0))))"#;
    let mut calls: Vec<(&str, Vec<Constant>)> = Vec::new();
    for index in [0, 1, 2, 3, 4, 5, 6, 7, 0x8000_0000, u32::MAX] {
        calls.push(("unary", vec![Constant::I32(12), Constant::I32(index)]));
        calls.push(("none", vec![Constant::I32(index)]));
        calls.push(("host", vec![Constant::I32(index)]));
    }
    agree(wat, &calls);
}

#[test]
fn several_results_and_tail_calls() {
    let wat = r#"(module
      (type $pair (func (param i32 i64) (result i64 i32)))
      (type $one (func (result i32)))
      (import "env" "sum" (func $sum (param i32 i64) (result i32)))
      (table 4 4 funcref)
      (elem (i32.const 0) $swap $down $seven)
      (func $seven (type $one) (i32.const 7))
      (func $swap (export "swap") (type $pair) (local.get 1) (local.get 0))
      (func $down (export "down") (type $pair)
        (if (i32.eqz (local.get 0)) (then (return (local.get 1) (local.get 0))))
        (i64.const 99)
        (return_call $down (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 3))))
      (func (export "through") (param i32 i64 i32) (result i64 i32)
        (i32.const 5)
        (block (br_if 0 (local.get 0)) (return_call $swap (local.get 0) (local.get 1)))
        (return_call_indirect (type $pair) (local.get 0) (local.get 1) (local.get 2)))
      (func (export "host") (param i32 i64) (result i32) (return_call $sum (local.get 0) (local.get 1)))
      (func (export "back") (param i32 i64) (result i32)
        (call $swap (local.get 0) (local.get 1)) (i32.add) (i32.wrap_i64)))"#;
    let wat = wat.replace("(i32.add) (i32.wrap_i64)", "(drop) (i32.wrap_i64)");
    let mut calls: Vec<(&str, Vec<Constant>)> = Vec::new();
    for count in [0, 1, 9, 150] {
        let arguments = vec![Constant::I32(count), Constant::I64(1 << 40)];
        calls.extend(["swap", "down", "host", "back"].map(|name| (name, arguments.clone())));
        for index in [0, 1, 2, 3, 4] {
            calls.push(("through", vec![arguments[0], arguments[1], Constant::I32(index)]));
        }
    }
    agree(&wat, &calls);
}

#[test]
fn every_operator_of_128_bits() {
    for (operator, halves) in [("add128", 4), ("sub128", 4), ("mul_wide_s", 2), ("mul_wide_u", 2)] {
        let parameters = "i64 ".repeat(halves);
        let operands: String = (0..halves).map(|index| format!("(local.get {index})")).collect();
        let wat =
            format!("(module (func (export \"f\") (param {parameters}) (result i64 i64) (i64.{operator} {operands})))");
        let all = BOUNDARY.iter().flat_map(|a| BOUNDARY.iter().map(|b| [*a, *b]));
        let calls = all.flat_map(|[a, b]| match halves {
            2 => vec![("f", vec![Constant::I64(a), Constant::I64(b)])],
            _ => [0, 1, u64::MAX, 1 << 63]
                .map(|high| ("f", vec![Constant::I64(a), Constant::I64(high), Constant::I64(b), Constant::I64(!high)]))
                .to_vec(),
        });
        agree(&wat, &calls.collect::<Vec<_>>());
    }
}

#[test]
fn memory_grows_up_to_the_reserve() {
    let wat = r#"(module
      (memory (export "memory") 1)
      (func (export "size") (result i32) (memory.size))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "put") (param i32) (i32.store (local.get 0) (i32.const -1))))"#;
    let word = |value| vec![Constant::I32(value)];
    let calls = [
        ("size", vec![]),
        ("put", word(65532)),
        ("put", word(65533)),
        ("grow", word(0)),
        ("grow", word(u32::MAX)),
        ("grow", word(65536)),
        ("grow", word(4)),
        ("grow", word(2)),
        ("size", vec![]),
        ("put", word(65533)),
        ("put", word(3 * 65536 - 4)),
        ("put", word(3 * 65536 - 3)),
        ("grow", word(2)),
        ("grow", word(1)),
        ("size", vec![]),
        ("put", word(4 * 65536 - 4)),
        ("grow", word(1)),
    ];
    agree(wat, &calls);
}

fn refusal(wat: &str) -> WasmError {
    module::read(&wat::parse_str(wat).expect("the text is well-formed")).expect_err("refused")
}

#[test]
fn what_is_not_known_is_refused() {
    let unsupported = ["(module (memory 65536))", "(module (import \"a\" \"b\" (global i32)))"];
    for wat in unsupported {
        assert!(matches!(refusal(wat), WasmError::Unsupported { .. }), "{wat}");
    }
    let invalid = [
        "(module (func (result i32)))",
        "(module (func (i32.add (i32.const 1) (i64.const 2)) (drop)))",
        "(module (memory 1 (pagesize 4)))",
        "(module (func (param v128)))",
    ];
    for wat in invalid {
        assert!(matches!(refusal(wat), WasmError::Invalid { .. }), "{wat}");
    }
    assert!(matches!(module::read(b"\0asm"), Err(WasmError::Invalid { .. })));
    assert!(matches!(module::read(b""), Err(WasmError::Invalid { .. })));
}

#[test]
fn a_refusal_names_what_and_offset() {
    let message = refusal("(module (memory 65536))").to_string();
    assert!(message.contains("memory") && message.contains("at offset 0xa"), "{message}");
}

#[test]
fn a_trapping_segment_keeps_what_came_before() {
    let module = read(
        r#"(module (memory 1) (table 2 funcref) (func $f)
           (elem (i32.const 1) $f) (data (i32.const 0) "ab") (data (i32.const 65535) "cd")
           (data (i32.const 4) "ef"))"#,
    );
    let instance = instantiate::run(&module, &Reserves { pages: vec![1], entries: vec![] }).unwrap();
    let causes: Vec<Cause> = instance.pauses.iter().map(|pause| pause.cause).collect();
    assert_eq!(causes, [Cause::Trap(Trap::MemoryOutOfBounds)]);
    assert_eq!(instance.state.tables, [[NULL, Constant::Function(0)]]);
    assert_eq!(&instance.state.memories[0][..6], b"ab\0\0\0\0");
    assert_eq!(instance.state.memories[0][65535], 0);
}

#[test]
fn limits_stop_a_run() {
    let module = read(r#"(module (func (export "spin") (loop (br 0))) (func $f (export "deep") (call $f)))"#);
    let mut instance = Instance { module: &module, state: instantiate(&module) };
    let limits = Limits { fuel: 1000, depth: 10 };
    let spin = instance.call(0, &[], limits, &mut host(0));
    assert_eq!(spin, Outcome::Stopped(Stop::Fuel));
    let deep = instance.call(1, &[], limits, &mut host(0));
    assert_eq!(deep, Outcome::Stopped(Stop::Depth));
}

#[test]
fn a_place_is_typed() {
    let module = read(
        r#"(module (func (param i32) (result i32)
             (i64.const 1) (i32.const 2) (loop (br_if 0 (local.get 0)))
             (drop) (drop) (local.get 0) (return) (i32.const 3)))"#,
    );
    let function = &module.functions[0];
    let head = function.body.iter().position(|found| matches!(found.op, synth_verify::wasm::op::Op::Loop(_)));
    let head = head.unwrap() as u32 + 1;
    assert_eq!(function.control.height(head), Some(2));
    let behind_return = function.body.len() as u32 - 2;
    assert_eq!(function.control.height(behind_return), None);
    type Frame<'m> = Activation<Instance<'m>>;
    let word = || synth_verify::concrete::wasm_run::value(Constant::I32(0));
    let wide = || synth_verify::concrete::wasm_run::value(Constant::I64(0));
    let start = |position, stack| -> Option<Frame<'_>> { Activation::at(function, position, vec![word()], stack) };
    assert!(start(head, vec![wide(), word()]).is_some());
    assert!(start(head, vec![word(), wide()]).is_none());
    assert!(start(head, vec![wide()]).is_none());
    assert!(start(behind_return, vec![]).is_none());
}
