//! A job's modules as the inputs of one image, and its steps as what is done in turns.
//!
//! Ensures: a step is done when the instances above it in the script are there, and before those below it are made:
//! between them stands an input whose instantiation does nothing but trap, behind which the engines do the steps and go
//! on.

use synth::elf::names;
use synth::qemu::Action;
use wasmparser::{Parser, Payload, TypeRef};

use crate::script::{Call, ExportKind, Goal, Instance, Job, Step};

/// The inputs and the turns.
pub struct Plan {
    /// Names and modules, in order.
    pub inputs: Vec<(String, Vec<u8>)>,
    /// Each ends with the instantiation that traps, the last with the end of all.
    pub turns: Vec<Turn>,
    /// The names of the instances, by number.
    named: Vec<(usize, String)>,
}

/// A part of instantiation, and what is done behind it.
#[derive(Default)]
pub struct Turn {
    /// The words in which the part ends, if that is a trap.
    pub trap: Option<String>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// Traps, and is nothing else.
const PAUSE: &str = "(module (table 0 funcref) (elem (i32.const 1) funcref))";

/// The words of its trap.
const PAUSE_WORDS: &str = "out of bounds table access";

/// The export of a module that reads a global.
const GETTER: &str = "get";

impl Plan {
    /// Makes the plan of a job.
    pub fn new(job: &Job, wasm: &[u8]) -> Plan {
        let steps = match &job.goal {
            Goal::Steps(steps) => &steps[..],
            Goal::Proof | Goal::Unlinkable | Goal::Refusal => &[],
        };
        let reads_global =
            steps.iter().filter_map(|step| step.call.as_ref().ok()).any(|call| call.kind == ExportKind::Global);
        let is_alone = job.before.is_empty() && !reads_global;
        let name = if is_alone { String::new() } else { format!("${}", job.number) };
        let own = Instance::new((job.number, job.line), name, wasm.to_vec(), job.trap.clone());
        let instances: Vec<&Instance> = job.before.iter().chain([&own]).collect();
        let named = instances.iter().map(|instance| (instance.number, instance.name.clone())).collect();
        let mut plan = Plan { inputs: Vec::new(), turns: Vec::new(), named };
        let mut turn = Turn::default();
        for (at, instance) in instances.iter().enumerate() {
            plan.inputs.push((instance.name.clone(), instance.wasm.clone()));
            plan.inputs.extend(getters(instance, steps));
            let next = instances.get(at + 1).map(|next| next.line);
            let is_next = |step: &&Step| step.line >= instance.line && next.is_none_or(|next| step.line < next);
            turn.steps.extend(steps.iter().filter(is_next).cloned());
            turn.trap.clone_from(&instance.trap);
            if next.is_some() && turn.trap.is_none() && !turn.steps.is_empty() {
                plan.inputs.push((format!("pause {at}"), wat::parse_str(PAUSE).expect("it is a module")));
                turn.trap = Some(PAUSE_WORDS.to_owned());
            }
            if next.is_some() && turn.trap.is_some() {
                plan.turns.push(std::mem::take(&mut turn));
            }
        }
        plan.turns.push(turn);
        plan
    }

    /// The call of an export, by its symbol.
    pub fn action(&self, call: &Call) -> Action {
        let of = self.named.iter().find(|(number, _)| *number == call.instance).map_or("", |(_, name)| name);
        let symbol = match call.kind {
            ExportKind::Global => names::linked_export(&getter_name(of, call), GETTER),
            ExportKind::Function if of.is_empty() => names::mangle(&call.export),
            ExportKind::Function => names::linked_export(of, &call.export),
        };
        Action::Call(symbol, call.arguments.clone())
    }
}

fn getter_name(of: &str, call: &Call) -> String {
    format!("{of} {}", call.export)
}

/// Modules that read the globals of an instance which the steps ask for: what calls functions reads no variables.
fn getters(instance: &Instance, steps: &[Step]) -> Vec<(String, Vec<u8>)> {
    let mut getters: Vec<(String, Vec<u8>)> = Vec::new();
    let calls = steps.iter().filter_map(|step| step.call.as_ref().ok());
    for call in calls.filter(|call| call.kind == ExportKind::Global && call.instance == instance.number) {
        let name = getter_name(&instance.name, call);
        let Some((ty, mutable)) = exported_global(&instance.wasm, &call.export) else { continue };
        let of = if mutable { format!("(mut {ty})") } else { ty.clone() };
        let text = format!(
            "(module (import {:?} {:?} (global {of})) (func (export {GETTER:?}) (result {ty}) (global.get 0)))",
            instance.name, call.export,
        );
        if getters.iter().all(|(known, _)| *known != name) {
            getters.extend(wat::parse_str(&text).ok().map(|getter| (name, getter)));
        }
    }
    getters
}

/// The type of an exported global, and whether it is mutable.
fn exported_global(wasm: &[u8], name: &str) -> Option<(String, bool)> {
    let mut globals = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                let imports = section.into_imports().flatten();
                globals.extend(imports.filter_map(|import| match import.ty {
                    TypeRef::Global(ty) => Some(ty),
                    _ => None,
                }));
            }
            Payload::GlobalSection(section) => globals.extend(section.into_iter().flatten().map(|global| global.ty)),
            Payload::ExportSection(section) => {
                let export = section.into_iter().flatten().find(|export| export.name == name)?;
                let ty = globals.get(export.index as usize)?;
                return Some((ty.content_type.to_string(), ty.mutable));
            }
            _ => {}
        }
    }
    None
}
