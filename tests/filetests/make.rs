//! Compiles the input of a filetest and keeps what it can be asked about.

use std::collections::BTreeMap;
use std::fmt::Display;

use synth::config::Config;
use synth::elf::{self, ImageOptions, Imports};
use synth::lower::ModuleInfo;
use synth::lower::module::{GlobalCell, LengthCell};
use synth::stage::{Stage, Tap};
use synth::{alloc, ir, lower, opt};
use synth_verify::disassemble;

use super::file::{File, Input};

/// What the compiler made of an input.
#[derive(Clone, Debug, Default)]
pub struct Made {
    texts: BTreeMap<Stage, String>,
    /// Of a module.
    pub files: Option<Files>,
}

/// A module and the files made from it.
#[derive(Clone, Debug)]
pub struct Files {
    pub wasm: Vec<u8>,
    pub object: Vec<u8>,
    pub image: Vec<u8>,
    /// Bytes of code by function name.
    pub sizes: BTreeMap<String, u32>,
}

impl Made {
    /// The text of all functions at a stage.
    pub fn text(&self, stage: Stage) -> String {
        self.texts.get(&stage).cloned().unwrap_or_default()
    }

    fn add(&mut self, stage: Stage, text: &str) {
        let all = self.texts.entry(stage).or_default();
        *all += text.trim_end();
        all.push('\n');
    }
}

impl Tap for Made {
    fn enter(&mut self, _: Stage) {}

    fn text(&mut self, stage: Stage, _: &str, text: &dyn Display) {
        // Machine code is shown as the validator's disassembler reads it in the file.
        if stage != Stage::Asm {
            self.add(stage, &text.to_string());
        }
    }
}

/// Compiles.
pub fn run(file: &File) -> Result<Made, String> {
    match &file.input {
        Input::Wat(text) => module(text, &file.config),
        Input::Ir(text) => function(text, &file.config),
    }
}

fn module(text: &str, config: &Config) -> Result<Made, String> {
    let wasm = wat::parse_str(text).map_err(|error| error.to_string())?;
    let mut made = Made::default();
    let output = synth::compile(&wasm, config, &mut made).map_err(|error| error.to_string())?;
    let object = elf::object(&output.program, config.cpu).map_err(|error| error.to_string())?;
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(config.cpu) };
    let image = elf::image(&output.program, config.cpu, options).map_err(|error| error.to_string())?;
    let names = output.allocations.iter().map(|function| function.name.clone());
    let functions = names.zip(&output.program.functions);
    let extents: Vec<(String, u32, u32)> =
        functions.map(|(name, function)| (name, function.index, function.code.len() as u32)).collect();
    let listing = disassemble::run(&object).map_err(|error| error.to_string())?;
    for (name, index, bytes) in &extents {
        made.add(Stage::Asm, &assembly(&listing, name, (*index, *bytes)));
    }
    let sizes = extents.into_iter().map(|(name, _, bytes)| (name, bytes)).collect();
    made.files = Some(Files { wasm, object, image, sizes });
    Ok(made)
}

/// The part of a disassembly for one function, addresses counted from its start.
fn assembly(listing: &str, name: &str, (index, bytes): (u32, u32)) -> String {
    let symbol = format!("m.f{index}");
    let is_head =
        |line: &&str| line.strip_suffix(':').is_some_and(|names| names.split(", ").any(|name| name == symbol));
    let mut text = format!("{name}:\n");
    let mut start = None;
    for line in listing.lines().skip_while(|line| !is_head(line)).skip(1) {
        let Some((address, rest)) = line.split_once(':') else {
            break;
        };
        let Ok(address) = u32::from_str_radix(address.trim(), 16) else {
            break;
        };
        let offset = address - *start.get_or_insert(address);
        if offset >= bytes {
            break;
        }
        text += &format!("{offset:4x}:{}\n", without_source(rest));
    }
    text
}

/// The line without the Wasm offset, which changes with every edit of the input.
fn without_source(line: &str) -> &str {
    let Some((body, notes)) = line.split_once(" ; ") else {
        return line.trim_end();
    };
    match notes.split_once("wasm 0x") {
        Some(("", _)) => body.trim_end(),
        Some((symbol, _)) => line[..body.len() + " ; ".len() + symbol.len()].trim_end_matches([',', ' ']),
        None => line.trim_end(),
    }
}

/// A function that starts as SSA. The module around it has a memory that can grow, and a global of
/// each type.
fn function(text: &str, config: &Config) -> Result<Made, String> {
    let mut func = ir::text::parse(text).map_err(|error| error.to_string())?;
    ir::check::run(&func).map_err(|violation| format!("not well-formed: {violation:?}"))?;
    let globals = [GlobalCell::Cell(ir::op::Type::I32), GlobalCell::Cell(ir::op::Type::I64)];
    let info = ModuleInfo::new(0, (&[LengthCell::Present], &[]), &globals);
    let mut made = Made::default();
    opt::run(&mut func, config, |_, _| {});
    made.add(Stage::Opt, &func.to_string());
    let vcode = lower::run(&func, &info, config);
    made.add(Stage::Vcode, &vcode.to_string());
    made.add(Stage::Alloc, &alloc::run(&vcode).to_string());
    Ok(made)
}
