//! The operators that the runtime implements, and wasmi to run it and them in.
//!
//! Floats cross every interface as their bits, so that a NaN's payload is never lost.

pub mod nan;
pub mod operands;

use wasmi::{Engine as Wasmi, Instance, Linker, Module, Store, TrapCode, Val};

/// The type of an operand or result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A binary32 number.
    F32,
    /// A binary64 number.
    F64,
}

use Kind::{F32, F64, I32, I64};

impl Kind {
    fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
        }
    }

    /// The integer type that its bits are passed as.
    fn carrier(self) -> Kind {
        match self {
            I32 | F32 => I32,
            I64 | F64 => I64,
        }
    }
}

/// An export of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The export's name: the operator's, or that of the predicate of one.
    pub name: &'static str,
    /// What it takes.
    pub operands: &'static [Kind],
    /// What it gives.
    pub result: Kind,
}

const fn op(name: &'static str, operands: &'static [Kind], result: Kind) -> Operator {
    Operator { name, operands, result }
}

/// Every export.
pub const OPERATORS: &[Operator] = &[
    op("i64.div_u", &[I64, I64], I64),
    op("i64.div_s", &[I64, I64], I64),
    op("i64.rem_u", &[I64, I64], I64),
    op("i64.rem_s", &[I64, I64], I64),
    op("f32.add", &[F32, F32], F32),
    op("f32.sub", &[F32, F32], F32),
    op("f32.mul", &[F32, F32], F32),
    op("f32.div", &[F32, F32], F32),
    op("f32.sqrt", &[F32], F32),
    op("f32.min", &[F32, F32], F32),
    op("f32.max", &[F32, F32], F32),
    op("f32.ceil", &[F32], F32),
    op("f32.floor", &[F32], F32),
    op("f32.trunc", &[F32], F32),
    op("f32.nearest", &[F32], F32),
    op("f32.eq", &[F32, F32], I32),
    op("f32.ne", &[F32, F32], I32),
    op("f32.lt", &[F32, F32], I32),
    op("f32.le", &[F32, F32], I32),
    op("f64.add", &[F64, F64], F64),
    op("f64.sub", &[F64, F64], F64),
    op("f64.mul", &[F64, F64], F64),
    op("f64.div", &[F64, F64], F64),
    op("f64.sqrt", &[F64], F64),
    op("f64.min", &[F64, F64], F64),
    op("f64.max", &[F64, F64], F64),
    op("f64.ceil", &[F64], F64),
    op("f64.floor", &[F64], F64),
    op("f64.trunc", &[F64], F64),
    op("f64.nearest", &[F64], F64),
    op("f64.eq", &[F64, F64], I32),
    op("f64.ne", &[F64, F64], I32),
    op("f64.lt", &[F64, F64], I32),
    op("f64.le", &[F64, F64], I32),
    op("f32.demote_f64", &[F64], F32),
    op("f64.promote_f32", &[F32], F64),
    op("f32.convert_i32_s", &[I32], F32),
    op("f32.convert_i32_u", &[I32], F32),
    op("f32.convert_i64_s", &[I64], F32),
    op("f32.convert_i64_u", &[I64], F32),
    op("f64.convert_i32_s", &[I32], F64),
    op("f64.convert_i32_u", &[I32], F64),
    op("f64.convert_i64_s", &[I64], F64),
    op("f64.convert_i64_u", &[I64], F64),
    op("i32.trunc_sat_f32_s", &[F32], I32),
    op("i32.trunc_sat_f32_u", &[F32], I32),
    op("i32.trunc_sat_f64_s", &[F64], I32),
    op("i32.trunc_sat_f64_u", &[F64], I32),
    op("i64.trunc_sat_f32_s", &[F32], I64),
    op("i64.trunc_sat_f32_u", &[F32], I64),
    op("i64.trunc_sat_f64_s", &[F64], I64),
    op("i64.trunc_sat_f64_u", &[F64], I64),
    op("i32.trunc_f32_s.fits", &[F32], I32),
    op("i32.trunc_f32_u.fits", &[F32], I32),
    op("i32.trunc_f64_s.fits", &[F64], I32),
    op("i32.trunc_f64_u.fits", &[F64], I32),
    op("i64.trunc_f32_s.fits", &[F32], I32),
    op("i64.trunc_f32_u.fits", &[F32], I32),
    op("i64.trunc_f64_s.fits", &[F64], I32),
    op("i64.trunc_f64_u.fits", &[F64], I32),
];

impl Operator {
    /// The operator of the engine that decides: for a predicate, the one that traps.
    pub fn engine_name(&self) -> &'static str {
        self.name.strip_suffix(".fits").unwrap_or(self.name)
    }

    /// What the export must give if the engine's operator ends like this.
    pub fn expected(&self, arguments: &[u64], engine: Outcome) -> Outcome {
        let is_predicate = self.engine_name() != self.name;
        match engine {
            Outcome::Value(_) if is_predicate => Outcome::Value(0),
            Outcome::Trap(TrapCode::BadConversionToInteger) if is_predicate => Outcome::Value(1),
            Outcome::Trap(TrapCode::IntegerOverflow) if is_predicate => Outcome::Value(2),
            // The caller's to check. The remainder is always a - (a / b) * b.
            Outcome::Trap(TrapCode::IntegerDivisionByZero) if self.name.contains("div") => Outcome::Value(0),
            Outcome::Trap(TrapCode::IntegerDivisionByZero | TrapCode::IntegerOverflow) => Outcome::Value(arguments[0]),
            Outcome::Value(_) | Outcome::Trap(_) => engine,
        }
    }

    /// A function that does the operator of the engine on bits.
    fn oracle_function(&self) -> String {
        let name = self.engine_name();
        let result = if name == self.name { self.result } else { kind_named(&name[..3]) };
        let parameters: Vec<&str> = self.operands.iter().map(|kind| kind.carrier().name()).collect();
        let arguments: String = self
            .operands
            .iter()
            .enumerate()
            .map(|(index, kind)| read(*kind, &format!("(local.get {index})")))
            .collect();
        let body = match result {
            I32 | I64 => format!("({name} {arguments})"),
            F32 | F64 => format!("({}.reinterpret_{} ({name} {arguments}))", result.carrier().name(), result.name()),
        };
        let carrier = result.carrier().name();
        format!("(func (export \"{name}\") (param {}) (result {carrier}) {body})\n", parameters.join(" "))
    }
}

fn kind_named(name: &str) -> Kind {
    [I32, I64, F32, F64].into_iter().find(|kind| kind.name() == name).expect("a type")
}

/// An operand of this kind from its bits.
fn read(kind: Kind, bits: &str) -> String {
    match kind {
        I32 | I64 => bits.to_owned(),
        F32 | F64 => format!("({}.reinterpret_{} {bits})", kind.name(), kind.carrier().name()),
    }
}

/// A module that exports the engine's own operators.
pub fn oracle_module() -> String {
    let functions: String = OPERATORS.iter().map(Operator::oracle_function).collect();
    format!("(module {functions})")
}

/// How a call ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It returns these bits.
    Value(u64),
    /// It traps.
    Trap(TrapCode),
}

/// An instance in wasmi.
pub struct Engine {
    store: Store<()>,
    instance: Instance,
}

impl Engine {
    /// Instantiates a module in text.
    pub fn new(text: &str) -> Engine {
        let wasm = wat::parse_str(text).expect("a module");
        let engine = Wasmi::default();
        let module = Module::new(&engine, &wasm[..]).expect("a module");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("an instance");
        Engine { store, instance }
    }

    /// The names of the exports.
    pub fn exports(&self) -> Vec<String> {
        self.instance.exports(&self.store).map(|export| export.name().to_owned()).collect()
    }

    /// Calls an export.
    pub fn call(&mut self, name: &str, arguments: &[u64]) -> Outcome {
        let function = self.instance.get_func(&self.store, name).expect("exported");
        let ty = function.ty(&self.store);
        let inputs: Vec<Val> = ty
            .params()
            .iter()
            .zip(arguments)
            .map(|(ty, bits)| match ty {
                wasmi::ValType::I32 => Val::I32(*bits as i32),
                _ => Val::I64(*bits as i64),
            })
            .collect();
        let mut outputs = [Val::I32(0)];
        match function.call(&mut self.store, &inputs, &mut outputs) {
            Ok(()) => Outcome::Value(match outputs[0] {
                Val::I32(value) => u64::from(value as u32),
                Val::I64(value) => value as u64,
                ref other => panic!("{other:?} is not an integer"),
            }),
            Err(error) => Outcome::Trap(error.as_trap_code().expect("a trap")),
        }
    }
}
