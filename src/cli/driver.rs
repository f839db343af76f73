//! The calls into the compiler and the validator, each in a function of its own.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use synth::Output;
use synth::alloc::Stats;
use synth::config::{Config, OptLevel};
use synth::elf::program::Assurance;
use synth::elf::{ElfError, ImageOptions, Imports, Program, names};
use synth::stage::{NoTap, Stage, Tap};
use synth::target::{Board, Cpu, FloatUnit, Target, TargetError, Triple};
use synth::wasm::Input;
use synth_verify::check::{self, Options, Solvers, Source};
use synth_verify::hints::codec;
use synth_verify::verdict::{CheckError, Report};

use super::args::{CodeOptions, Optimise, OutputKind};
use super::evidence;
use super::failure::{Exit, Failure};
use super::input::Inputs;

/// What is asked of the compiler.
#[derive(Clone, Debug)]
pub struct Request {
    /// What decides the code.
    pub config: Config,
    /// What to make.
    pub kind: OutputKind,
    /// The board that an image is for.
    pub board: Board,
    /// Whether imports that nothing provides are stubs in an image.
    pub imports: Imports,
    /// Whether the output is marked as unvalidated.
    pub assurance: Assurance,
    /// Stages whose text is wanted.
    pub stages: Vec<Stage>,
    /// The one function whose text is wanted.
    pub function: Option<String>,
}

impl Request {
    /// The choices that decide the code, those that were made by default included.
    fn flags(&self) -> Vec<String> {
        let Config { opt_level, cpu, float, module_name, export_prefix, memory_max, table_max } = &self.config;
        let mut flags = vec![
            format!("type {}", if self.kind == OutputKind::Image { "image" } else { "object" }),
            format!("target-cpu {}", cpu.name()),
            format!("float-unit {float:?}"),
            format!("optimise {opt_level:?}"),
            format!("module-name {module_name}"),
            format!("export-prefix {export_prefix}"),
        ];
        flags.extend(memory_max.map(|bytes| format!("memory-max {bytes}")));
        flags.extend(table_max.map(|entries| format!("table-max {entries}")));
        if self.kind == OutputKind::Image {
            flags.push(format!("board {}", self.board.machine));
            flags.push(format!("imports {:?}", self.imports).to_lowercase());
        }
        flags
    }
}

/// What the compiler made.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The ELF file.
    pub elf: Vec<u8>,
    /// The text of each stage asked for.
    pub listings: Vec<(Stage, String)>,
    /// The time of each stage.
    pub timings: Vec<(&'static str, Duration)>,
}

/// The request for these flags. `stem` names the module where no flag does.
pub fn request(code: &CodeOptions, kind: OutputKind, stem: &str) -> Result<Request, Failure> {
    let of_image = [(code.board.is_some(), "--board"), (code.stub_imports, "--stub-imports")];
    if let Some((_, flag)) = of_image.iter().find(|(is_given, _)| *is_given && kind == OutputKind::Object) {
        let remedy = "give --type image, or leave the flag out";
        return Err(Failure::new(Exit::Usage, "image-only", format!("{flag} decides nothing in an object"), remedy));
    }
    let cpu = code.codegen.last().map(|cpu| cpu.0.as_str());
    let target = Target::named(code.target.as_deref(), cpu).map_err(target_failure)?;
    let board = board(code.board.as_deref(), target)?;
    let config = Config {
        opt_level: match code.optimise {
            Some(Optimise::None) => OptLevel::O0,
            Some(Optimise::Some) => OptLevel::O1,
            Some(Optimise::Speed) | None => OptLevel::O2,
            Some(Optimise::Size) => OptLevel::Os,
        },
        cpu: target.cpu,
        float: target.float_unit(),
        module_name: code.module_name.clone().unwrap_or_else(|| names::of_stem(stem)),
        export_prefix: code.module_name.as_ref().map_or(String::new(), |name| format!("{name}_")),
        memory_max: code.memory_max,
        table_max: code.table_max,
    };
    let imports = if code.stub_imports { Imports::Stubbed } else { Imports::Refused };
    let assurance = Assurance::Validated;
    Ok(Request { config, kind, board, imports, assurance, stages: Vec::new(), function: None })
}

/// The board of that name, else the processor's first.
fn board(name: Option<&str>, target: Target) -> Result<Board, Failure> {
    let float = target.float_unit();
    let boards = target.cpu.boards(float);
    let Some(name) = name else { return Ok(boards[0]) };
    boards.iter().copied().find(|board| board.machine == name).ok_or_else(|| {
        let unit = if float == FloatUnit::None { "" } else { " with a floating-point unit" };
        let what = format!("{}{unit}", target.cpu.name());
        let message = format!("board {name} has no {what}");
        let known: Vec<&str> = boards.iter().map(|board| board.machine).collect();
        Failure::new(Exit::Usage, "board", message, &format!("boards with {what}: {}", known.join(", ")))
    })
}

fn target_failure(error: TargetError) -> Failure {
    let triples: Vec<&str> = Triple::ALL.iter().map(|triple| triple.name()).collect();
    let cpus: Vec<&str> = Cpu::ALL.iter().map(|cpu| cpu.name()).collect();
    let remedy = format!("targets: {}; processors: {}", triples.join(", "), cpus.join(", "));
    match error {
        TargetError::Unsupported(_) => Failure::new(Exit::Input, "unsupported", error.to_string(), &remedy),
        TargetError::UnknownTriple(_) | TargetError::UnknownCpu(_) | TargetError::OtherCpu { .. } => {
            Failure::new(Exit::Usage, "target", error.to_string(), &remedy)
        }
    }
}

/// Compiles a module.
pub fn compile(input: &Inputs, request: &Request) -> Result<Compiled, Failure> {
    let mut watch = Watch { request, listings: Vec::new(), timings: BTreeMap::new(), present: None };
    let modules: Vec<Input> = input.modules().map(|(name, wasm)| Input { name, wasm }).collect();
    let output = synth::compile_linked(&modules, &request.config, &mut watch);
    let mut output = output.map_err(|error| input.failure(error))?;
    watch.leave();
    check_function(request, &output)?;
    output.program.assurance = request.assurance;
    let start = Instant::now();
    let elf = write(&output.program, request).map_err(elf_failure)?;
    let elf_time = start.elapsed();
    let mut listings = watch.listings;
    if request.stages.contains(&Stage::Asm) {
        listings.push((Stage::Asm, assembly(&elf, &output, request)?));
    }
    let mut timings: Vec<(&'static str, Duration)> =
        watch.timings.into_iter().map(|(stage, taken)| (stage.name(), taken)).collect();
    timings.push(("elf", elf_time));
    Ok(Compiled { elf, listings, timings })
}

/// Refuses a wish for the text of a function that has none.
fn check_function(request: &Request, output: &Output) -> Result<(), Failure> {
    let known = || output.allocations.iter().map(|function| function.name.as_str());
    match &request.function {
        Some(wanted) if !known().any(|name| name == wanted) => {
            let message = format!("no function with code is named `{wanted}`");
            let remedy = format!("functions: {}", known().collect::<Vec<_>>().join(", "));
            Err(Failure::new(Exit::Input, "no-function", message, &remedy))
        }
        Some(_) | None => Ok(()),
    }
}

/// The last stage.
fn write(program: &Program, request: &Request) -> Result<Vec<u8>, ElfError> {
    let cpu = request.config.cpu;
    match request.kind {
        OutputKind::Object => synth::elf::object(program, cpu),
        OutputKind::Image => {
            let options = ImageOptions { imports: request.imports, ..ImageOptions::on(request.board) };
            synth::elf::image(program, cpu, options)
        }
    }
}

fn elf_failure(error: ElfError) -> Failure {
    let code = match error {
        ElfError::TooBig { .. } => "too-big",
        ElfError::MissingImport(..) => "missing-import",
        ElfError::Collision(_) => "collision",
    };
    Failure::new(Exit::Input, code, error.to_string(), error.remedy())
}

/// Keeps the text of the stages asked for, and the time that each stage takes.
struct Watch<'a> {
    request: &'a Request,
    listings: Vec<(Stage, String)>,
    timings: BTreeMap<Stage, Duration>,
    present: Option<(Stage, Instant)>,
}

impl Watch<'_> {
    fn leave(&mut self) {
        if let Some((stage, start)) = self.present.take() {
            *self.timings.entry(stage).or_default() += start.elapsed();
        }
    }
}

impl Tap for Watch<'_> {
    fn enter(&mut self, stage: Stage) {
        self.leave();
        self.present = Some((stage, Instant::now()));
    }

    fn text(&mut self, stage: Stage, function: &str, text: &dyn Display) {
        let is_wanted = self.request.function.as_ref().is_none_or(|wanted| wanted == function);
        // Assembly is read back from the file, where calls and addresses are complete.
        if stage != Stage::Asm && is_wanted && self.request.stages.contains(&stage) {
            let text = text.to_string();
            self.listings.push((stage, format!(";; {} of {function}\n{}\n", stage.name(), text.trim_end())));
        }
    }
}

/// Proves an ELF file against its modules.
pub fn check(input: &Inputs, elf: &[u8], solvers: Solvers) -> Result<Report, Failure> {
    let sources: Vec<Source> = input.modules().map(|(name, wasm)| Source { name, wasm }).collect();
    let options = Options { solvers, ..Options::default() };
    check::check_with(&sources, elf, &options).map_err(|error| located(input, error))
}

/// Proves an ELF file against its modules, and makes evidence of it.
pub fn evidence(
    input: &Inputs,
    elf: &[u8],
    (request, solvers): (&Request, Solvers),
) -> Result<synth_verify::evidence::Made, Failure> {
    let (mut names, wasm): (Vec<String>, Vec<&[u8]>) =
        input.modules().map(|(name, wasm)| (name.to_owned(), wasm)).unzip();
    if let [only] = &mut names[..] {
        // No other imports from it: the name that counts is that of its symbols.
        only.clone_from(&request.config.module_name);
    }
    let bundle = evidence::request(names, solvers, request.flags());
    synth_verify::evidence::bundle(&wasm, elf, &bundle, &evidence::TOOL).map_err(|error| located(input, error))
}

/// Why there is no report, with the place in the modules.
fn located(input: &Inputs, error: CheckError) -> Failure {
    match error {
        CheckError::Wasm(number, _) => input.locate(number, check_failure(error)),
        CheckError::Elf(_)
        | CheckError::Hints(_)
        | CheckError::OtherModule(_)
        | CheckError::MissingSolver(_)
        | CheckError::Solver(_) => check_failure(error),
    }
}

/// The allocator's account of each function.
pub fn explain_allocation(input: &Inputs, request: &Request) -> Result<String, Failure> {
    let modules: Vec<Input> = input.modules().map(|(name, wasm)| Input { name, wasm }).collect();
    let output = synth::compile_linked(&modules, &request.config, &mut NoTap);
    let output = output.map_err(|error| input.failure(error))?;
    Ok(output.allocations.iter().map(|function| allocation(&function.name, &function.stats)).collect())
}

fn allocation(name: &str, stats: &Stats) -> String {
    format!(
        "{name}: {} values, peak pressure {} ({} across a call), {} colours, {} values spilled, {} spills, \
         {} reloads, {} remats, {} moves coalesced, {} moves left, {} spurious spills\n",
        stats.values,
        stats.pressure_max,
        stats.call_pressure_max,
        stats.colours,
        stats.spilled,
        stats.spills,
        stats.reloads,
        stats.remats,
        stats.moves_coalesced,
        stats.moves,
        stats.spurious.len()
    )
}

/// The code of the functions asked for, as the validator's decoder reads it in the file.
fn assembly(elf: &[u8], output: &Output, request: &Request) -> Result<String, Failure> {
    let text = disassemble(elf)?;
    let Some(wanted) = &request.function else {
        return Ok(text);
    };
    let functions = output.allocations.iter().zip(&output.hints.functions);
    let symbols: Vec<String> = functions
        .filter(|(allocation, _)| allocation.name == *wanted)
        .map(|(_, hints)| format!("{}.f{}", output.hints.module_name, hints.function))
        .collect();
    // An empty line stands before each label, and a label is its names with commas between.
    let blocks = text.split("\n\n").filter(|block| {
        let label = block.lines().next().unwrap_or_default();
        let mut names = label.trim_end_matches(':').split(", ");
        names.any(|name| symbols.iter().any(|symbol| symbol == name))
    });
    Ok(blocks.map(|block| format!(";; asm of {wanted}\n{}\n", block.trim_end())).collect())
}

/// The code of an ELF file as text.
pub fn disassemble(elf: &[u8]) -> Result<String, Failure> {
    let failure = |error: synth_verify::elf::ElfError| check_failure(CheckError::Elf(error.to_string()));
    synth_verify::disassemble::run(elf).map_err(failure)
}

/// The Wasm offset that the code at an offset of a function is there for, as the hints say.
pub fn wasm_offset(elf: &[u8], function: u32, offset: u32) -> Option<u32> {
    let file = object::File::parse(elf).ok()?;
    let section = object::Object::section_by_name(&file, ".synth.hints")?;
    let hints = codec::decode(object::ObjectSection::data(&section).ok()?).ok()?;
    let function = hints.functions.iter().find(|hints| hints.function == function)?;
    function.labels.iter().find(|label| label.at == offset)?.source
}

/// Why there is no report.
pub fn check_failure(error: CheckError) -> Failure {
    let message = error.to_string();
    match error {
        CheckError::Wasm(..) => Failure::new(Exit::Input, "invalid", message, "check the module"),
        CheckError::Elf(_) => Failure::new(Exit::Input, "invalid-elf", message, "compile the module again"),
        CheckError::Hints(_) => Failure::new(
            Exit::Unknown,
            "hints",
            message,
            "keep the section .synth.hints; without it the file cannot be proved",
        ),
        CheckError::OtherModule(_) => {
            Failure::new(Exit::OtherModule, "other-module", message, "give the module that the file was made from")
        }
        CheckError::MissingSolver(_) => Failure::new(
            Exit::Input,
            "missing-solver",
            message,
            "install it (./setup --test-tools), or choose --solver z3",
        ),
        CheckError::Solver(_) => Failure::new(
            Exit::Unknown,
            "solver",
            message,
            "this is a fault of a solver, not of the module; choose another with --solver",
        ),
    }
}
