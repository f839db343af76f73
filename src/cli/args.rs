//! Commands and flags.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use synth::config::{Cpu, TABLE_ENTRIES_MAX};
use synth::stage::Stage;
use synth::target::{Board, Target, Triple};
use synth_verify::check::Solvers;

use super::values::{self, Peek, Poke};

/// Compiles WebAssembly to Arm Thumb-2 and proves each output equal to its input.
#[derive(Parser, Debug)]
#[command(name = "synth", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How errors are printed.
    #[arg(long, value_enum, default_value = "human", global = true)]
    pub error_format: ErrorFormat,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done, every guarantee met
  1    input or compile error, or a tool is missing or timed out
  2    wrong usage
  3    validation refuted the output
  4    validation is incomplete, or hints are missing or unusable
  5    the ELF file was made from another module, or evidence is altered or stale
  6    the program that was run trapped
  101  internal error";

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Compile a module, prove the result, write it.
    Compile(Compile),
    /// Prove an ELF file against its module again.
    Verify(Verify),
    /// Work with evidence that `compile` wrote.
    Evidence(Evidence),
    /// Call an exported function in QEMU.
    Run(Run),
    /// Print the code of an ELF file.
    Disasm(Disasm),
    /// Say how the compiler decided.
    Explain(Explain),
}

/// `synth compile`.
#[derive(Args, Debug)]
pub struct Compile {
    /// The module, binary or text. Several are linked: each imports from those before it, by the name that
    /// `NAME=PATH` gives, else by the file's stem.
    #[arg(required = true, value_name = "[NAME=]PATH", value_parser = parse_input)]
    pub inputs: Vec<NamedPath>,
    /// The file to write, `-` for standard output; by default the input's name with `.o` or `.elf`.
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// What to write.
    #[arg(long = "type", value_enum, default_value = "object")]
    pub kind: OutputKind,
    /// What to compile for and how.
    #[command(flatten)]
    pub code: CodeOptions,
    /// Whether to prove the output before it is written.
    #[arg(long, value_enum, value_name = "MODE", num_args = 0..=1, require_equals = true,
          default_value = "full", default_missing_value = "full")]
    pub validate: Validate,
    /// Whose word a proof rests on: z3, cvc5, bitwuzla, or all, which must then agree.
    #[arg(long, value_name = "NAME", default_value = "z3", value_parser = solvers())]
    pub solver: Solvers,
    /// Write what the proof rests on to this folder, for assessors and for `evidence check`: docs/evidence.md.
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Print what these stages make (ir, opt, vcode, alloc, asm, hints); `STAGE=PATH` writes it to a file.
    #[arg(long, value_name = "STAGE[=PATH]", value_delimiter = ',', value_parser = parse_emit)]
    pub emit: Vec<Emit>,
    /// Print only this function of each stage, named as the stages name it.
    #[arg(long, value_name = "NAME")]
    pub func: Option<String>,
    /// Print the time of each stage and how the obligations were closed.
    #[arg(long)]
    pub timings: bool,
}

/// What decides the code.
#[derive(Args, Debug)]
pub struct CodeOptions {
    /// Target triple, which says how floats are passed and which processors run the code.
    #[arg(long, value_name = "TRIPLE", help = target_help())]
    pub target: Option<String>,
    /// Code generation options: the processor, by default the target's first.
    #[arg(short = 'C', value_name = "OPTION", value_parser = codegen_options())]
    pub codegen: Vec<TargetCpu>,
    /// In an image, the board that it is for, by QEMU's name; by default the processor's first.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Board::ALL.map(|board| board.machine)))]
    pub board: Option<String>,
    /// Optimisation: 0, 1, 2 (speed, the default) or s (size).
    #[arg(short = 'O', value_enum, value_name = "LEVEL")]
    pub optimise: Option<Optimise>,
    /// Most bytes that `memory.grow` may reach; by default the module's maximum if that is at most 1 MiB, else
    /// what memory starts with.
    #[arg(long, value_name = "BYTES", value_parser = values::parse_bytes_count)]
    pub memory_max: Option<u32>,
    /// Most entries that `table.grow` may reach, at most 1048576; by default the table's maximum, but at most 1024 or
    /// what the table starts with.
    #[arg(long, value_name = "ENTRIES",
          value_parser = clap::value_parser!(u32).range(..=i64::from(TABLE_ENTRIES_MAX)))]
    pub table_max: Option<u32>,
    /// Name in the module's symbols, and prefix of its exports.
    #[arg(long, value_name = "NAME", value_parser = parse_module_name)]
    pub module_name: Option<String>,
    /// In an image, let imported functions that nothing provides return 0.
    #[arg(long)]
    pub stub_imports: bool,
}

impl CodeOptions {
    /// The first of them that was given.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.target.is_some(), "--target"),
            (!self.codegen.is_empty(), "-C"),
            (self.board.is_some(), "--board"),
            (self.optimise.is_some(), "-O"),
            (self.memory_max.is_some(), "--memory-max"),
            (self.table_max.is_some(), "--table-max"),
            (self.module_name.is_some(), "--module-name"),
            (self.stub_imports, "--stub-imports"),
        ];
        given.into_iter().find(|(is_given, _)| *is_given).map(|(_, name)| name)
    }
}

/// `synth verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The module, or the modules as they were given to `compile`.
    #[arg(required = true, value_name = "[NAME=]PATH", value_parser = parse_input)]
    pub inputs: Vec<NamedPath>,
    /// The ELF file that was made from it.
    pub elf: PathBuf,
    /// Whose word a proof rests on: z3, cvc5, bitwuzla, or all, which must then agree.
    #[arg(long, value_name = "NAME", default_value = "z3", value_parser = solvers())]
    pub solver: Solvers,
    /// Print the time taken and how the obligations were closed.
    #[arg(long)]
    pub timings: bool,
}

/// `synth evidence`.
#[derive(Args, Debug)]
pub struct Evidence {
    /// What to do with it.
    #[command(subcommand)]
    pub command: EvidenceCommand,
}

/// What to do with evidence.
#[derive(Subcommand, Debug)]
pub enum EvidenceCommand {
    /// Prove it again from the files in it, and compare every byte.
    Check(EvidenceCheck),
}

/// `synth evidence check`.
#[derive(Args, Debug)]
pub struct EvidenceCheck {
    /// The folder.
    pub directory: PathBuf,
}

/// `synth run`.
#[derive(Args, Debug)]
pub struct Run {
    /// A module, which is compiled and proved first, or a boot image.
    pub input: PathBuf,
    /// The exported function.
    #[arg(long, value_name = "NAME")]
    pub invoke: String,
    /// Its arguments, which may be negative. Integers: decimal or 0x, signed or unsigned. Floats: decimal, `inf` or
    /// `nan`. References: `null`; one of the host's is any word.
    #[arg(value_parser = values::parse_signed)]
    pub arguments: Vec<String>,
    /// Write bytes to linear memory before the call.
    #[arg(long, value_name = "ADDR=HEX", value_parser = values::parse_poke)]
    pub poke: Vec<Poke>,
    /// Print bytes of linear memory after the call, in hexadecimal.
    #[arg(long, value_name = "ADDR:LEN", value_parser = values::parse_peek)]
    pub peek: Vec<Peek>,
    /// What runs the code.
    #[arg(long, value_enum, default_value = "qemu")]
    pub engine: Engine,
    /// Seconds until a run is given up.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// What to compile for and how, if the input is a module.
    #[command(flatten)]
    pub code: CodeOptions,
}

/// `synth disasm`.
#[derive(Args, Debug)]
pub struct Disasm {
    /// An object or image.
    pub elf: PathBuf,
}

/// `synth explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// What to explain.
    #[command(subcommand)]
    pub topic: Topic,
}

/// What to explain.
#[derive(Subcommand, Debug)]
pub enum Topic {
    /// Register allocation, function by function.
    Alloc(ExplainAlloc),
}

/// `synth explain alloc`.
#[derive(Args, Debug)]
pub struct ExplainAlloc {
    /// The module.
    pub input: PathBuf,
    /// What to compile for and how.
    #[command(flatten)]
    pub code: CodeOptions,
}

/// How errors are printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorFormat {
    /// For people.
    Human,
    /// One JSON object on a line.
    Json,
}

/// What to write.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputKind {
    /// A relocatable object.
    Object,
    /// An image that boots.
    Image,
}

/// Whether to prove.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validate {
    /// Every function.
    Full,
    /// Nothing; the output is marked as unvalidated.
    Off,
}

/// How to optimise.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Optimise {
    /// Not at all.
    #[value(name = "0")]
    None,
    /// What always pays.
    #[value(name = "1")]
    Some,
    /// For speed.
    #[value(name = "2")]
    Speed,
    /// For size.
    #[value(name = "s")]
    Size,
}

/// What runs the code.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// QEMU; the validator's interpreter if QEMU is not installed.
    Qemu,
    /// The validator's interpreter.
    Model,
}

/// The stages that have text.
const STAGES: [Stage; 6] = [Stage::Ir, Stage::Opt, Stage::Vcode, Stage::Alloc, Stage::Asm, Stage::Hints];

/// A stage to print, and where to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emit {
    /// The stage.
    pub stage: Stage,
    /// The file; standard output without one.
    pub path: Option<PathBuf>,
}

/// A module to read, and the name by which others import from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedPath {
    /// The name, if one is given.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// The value of `-C target-cpu=`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetCpu(pub String);

fn target_help() -> String {
    let row = |triple: Triple| {
        let cpus: Vec<&str> = triple.cpus().iter().map(|cpu| cpu.name()).collect();
        format!("{} ({})", triple.name(), cpus.join(", "))
    };
    let triples = Triple::ALL.map(row).join(", ");
    format!(
        "Target triple: {triples}; eabihf passes floats in the floating-point unit; by default what the processor \
         runs, else {}",
        Target::default().triple.name()
    )
}

/// The options that `-C` takes.
fn codegen_options() -> impl TypedValueParser<Value = TargetCpu> {
    const OPTION: &str = "target-cpu=";
    let options = PossibleValuesParser::new(Cpu::ALL.map(|cpu| format!("{OPTION}{}", cpu.name())));
    options.map(|option| TargetCpu(option[OPTION.len()..].into()))
}

fn solvers() -> impl TypedValueParser<Value = Solvers> {
    PossibleValuesParser::new(Solvers::NAMES).try_map(|name| name.parse::<Solvers>())
}

fn parse_input(text: &str) -> Result<NamedPath, String> {
    match text.split_once('=') {
        Some(("", _)) => Err("a name stands before `=`".into()),
        Some((_, "")) => Err("a path stands behind `=`".into()),
        Some((name, path)) if !name.contains('/') => Ok(NamedPath { name: Some(name.into()), path: path.into() }),
        _ => Ok(NamedPath { name: None, path: text.into() }),
    }
}

fn parse_emit(text: &str) -> Result<Emit, String> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let names = || STAGES.map(Stage::name).join(", ");
    let stage = STAGES.into_iter().find(|stage| stage.name() == name);
    Ok(Emit { stage: stage.ok_or_else(|| format!("the stages are {}", names()))?, path })
}

fn parse_module_name(text: &str) -> Result<String, String> {
    if synth::elf::names::is_identifier(text) { Ok(text.into()) } else { Err("a module name is a C identifier".into()) }
}
