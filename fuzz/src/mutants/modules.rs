//! The modules that are damaged if nobody names others: small ones of every kind, for processors of every kind.

use synth::config::{Config, Cpu, FloatUnit, OptLevel};

use crate::damage::{Kind, Subject};

/// What a module is compiled for: processor, whether its floating-point unit is used, form, effort.
type Target = (Cpu, bool, Kind, OptLevel);

const M0: Target = (Cpu::CortexM0, false, Kind::Object, OptLevel::O2);
const M0_IMAGE: Target = (Cpu::CortexM0Plus, false, Kind::Image, OptLevel::O2);
const M3: Target = (Cpu::CortexM3, false, Kind::Object, OptLevel::O2);
const M3_PLAIN: Target = (Cpu::CortexM3, false, Kind::Object, OptLevel::O0);
const M4: Target = (Cpu::CortexM4, false, Kind::Object, OptLevel::O2);
const M4_SMALL: Target = (Cpu::CortexM4, false, Kind::Object, OptLevel::Os);
const M4_IMAGE: Target = (Cpu::CortexM4, false, Kind::Image, OptLevel::O2);
const M4_FLOAT: Target = (Cpu::CortexM4, true, Kind::Object, OptLevel::O2);
const M7_FLOAT: Target = (Cpu::CortexM7, true, Kind::Object, OptLevel::O2);
const M7_FLOAT_IMAGE: Target = (Cpu::CortexM7, true, Kind::Image, OptLevel::O2);
const M33: Target = (Cpu::CortexM33, true, Kind::Object, OptLevel::O2);

macro_rules! modules {
    ($($name:literal: $($target:ident)+;)+) => {
        &[$(($name, include_str!(concat!("../../mutants/", $name, ".wat")), &[$($target),+])),+]
    };
}

/// Name, text, and what it is compiled for.
const MODULES: &[(&str, &str, &[Target])] = modules! {
    "integer": M4 M0 M3_PLAIN;
    "divide": M4 M7_FLOAT_IMAGE;
    "compare": M4 M0;
    "wide": M4 M3;
    "wide_shift": M4 M0;
    "memory": M4 M0 M4_IMAGE;
    "memory_wide": M4 M33;
    "loops": M4 M0_IMAGE M4_SMALL;
    "grow": M4 M4_IMAGE;
    "bulk": M4;
    "calls": M4 M0;
    "indirect": M4 M4_IMAGE;
    "tables": M4 M4_IMAGE;
    "spills": M4 M0 M3_PLAIN;
    "switch": M4 M0;
    "results": M4 M0_IMAGE;
    "tail": M4 M3;
    "globals": M4 M4_IMAGE;
    "image": M4_IMAGE M0_IMAGE M7_FLOAT_IMAGE;
    "imports": M4 M33;
    "data": M4 M4_IMAGE;
    "float_soft": M4;
    "float_single": M4_FLOAT M33 M7_FLOAT_IMAGE;
    "float_double": M7_FLOAT M7_FLOAT_IMAGE;
    "traps": M4 M0;
};

/// All of them, proved.
///
/// # Errors
/// One is no subject; why not, in words.
pub fn built_in() -> Result<Vec<Subject>, String> {
    let all = MODULES.iter().flat_map(|(name, text, targets)| targets.iter().map(move |target| (name, text, target)));
    all.map(|(name, text, target)| of(name, text.as_bytes(), *target)).collect()
}

/// A module, text or binary, for a target.
fn of(name: &str, module: &[u8], (cpu, float, form, opt_level): Target) -> Result<Subject, String> {
    let float = if float { cpu.float_unit() } else { FloatUnit::None };
    let config = Config { cpu, float, opt_level, ..Config::default() };
    let title = format!(
        "{name} ({}{}{})",
        cpu.name(),
        suffix(float != FloatUnit::None, " hard"),
        suffix(form == Kind::Image, " image")
    );
    subject(&title, module, config, form)
}

fn suffix(is: bool, word: &str) -> &str {
    if is { word } else { "" }
}

/// A module, text or binary.
///
/// # Errors
/// Why it is no subject, in words.
pub fn subject(name: &str, module: &[u8], config: Config, kind: Kind) -> Result<Subject, String> {
    let wasm = synth::wasm::read(module).map_err(|error| format!("{name}: {error}"))?;
    Subject::new(name, wasm.into_owned(), config, kind).map_err(|why| format!("{name}: {why}"))
}
