//! Hand-written machine code with hints, as text, made into ELF files.
//!
//! A case file holds one Wasm module, code for each of its functions, and twins: damages that must be
//! refused, each with the words that the refusal must contain. `cases/FORMAT.md` describes the format.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use sha2::{Digest, Sha256};
use synth_verify::hints::{
    Class, Cut, Expr, FunctionHints, Hints, Join, Label, Located, Location, Name, Shown, Sort, Unknown, codec,
    entry_name,
};

pub mod frames;
mod nodes;
pub mod regions;
use synth_verify::wasm::module::{self, Function, Module};

/// A parsed case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The Wasm bytes.
    pub wasm: Vec<u8>,
    /// Code by function index; `u32::MAX` is `m_init`.
    pub functions: BTreeMap<u32, Code>,
    /// The damages.
    pub twins: Vec<Twin>,
    /// The contents of `.debug_frame`, if the file has it.
    pub frames: Option<frames::Frames>,
    /// `Tag_CPU_arch` of the build attributes.
    pub architecture: u8,
    /// `Tag_FP_arch` and `Tag_ABI_HardFP_use`.
    pub float: Option<[u8; 2]>,
}

/// Code with hints.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Relocations: offset, type, symbol.
    pub relocations: Vec<(u32, object::elf::RelocationType, String)>,
    /// The hints.
    pub hints: FunctionHints,
}

/// A damage that must be refused.
#[derive(Clone, Debug)]
pub struct Twin {
    /// Which function.
    pub function: u32,
    /// What is damaged.
    pub changes: Vec<Change>,
    /// What the refusal must say.
    pub words: String,
    /// What the live-range check alone must say, if it must refuse.
    pub ranges: Option<String>,
    /// The line in the file.
    pub line: usize,
}

/// Damage at one place.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where.
    pub at: u32,
    /// The accepted bytes.
    pub old: Vec<u8>,
    /// As many others.
    pub new: Vec<u8>,
    /// What the damaged instruction reads and writes, if its label changes too.
    pub names: Option<(Names, Names)>,
}

/// Locations with the names of their values.
pub type Names = Vec<(Location, Name)>;

/// Code of `m_init`.
pub const INIT: u32 = u32::MAX;

/// `Tag_CPU_arch` of Armv7-M (Arm addenda32, 3.3.5.2).
const ARMV7M: u8 = 10;

/// Parses a case.
pub fn parse(text: &str) -> Case {
    let wat: String = section(text, "[wat]").join("\n");
    let wasm = wat::parse_str(&wat).unwrap_or_else(|error| panic!("{error}"));
    let module = module::read(&wasm).unwrap_or_else(|error| panic!("{error}"));
    let mut functions = BTreeMap::new();
    let mut twins = Vec::new();
    let mut at = (Part::None, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.split("# ").next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "[wat]" => at = (Part::Wat, 0),
            "[code" => {
                at = (Part::Code, function_number(words[1]));
                functions.insert(
                    at.1,
                    Code { hints: FunctionHints { function: at.1, ..FunctionHints::default() }, ..Code::default() },
                );
            }
            "[cut" => {
                at = (Part::Cut, function_number(words[1]));
                functions.get_mut(&at.1).unwrap().hints.cuts.push(cut(&module, at.1, &words));
            }
            "[architecture" => at = (Part::None, 0),
            "[twins" => at = (Part::Twins, function_number(words[1])),
            _ => match at.0 {
                Part::Wat | Part::None => {}
                Part::Code => code_line(functions.get_mut(&at.1).unwrap(), line),
                Part::Cut => {
                    let function = module.function(at.1).unwrap();
                    cut_line(functions.get_mut(&at.1).unwrap().hints.cuts.last_mut().unwrap(), &words, function);
                }
                Part::Twins => twins.push(twin(at.1, line, number + 1)),
            },
        }
    }
    for code in functions.values_mut() {
        code.hints.code_bytes = code.bytes.len() as u32;
    }
    let tags = text.lines().find_map(|line| line.strip_prefix("[architecture ")).unwrap_or("]");
    let tags: Vec<u8> = tags.trim_end_matches(']').split_whitespace().map(|tag| number(tag) as u8).collect();
    let float = tags.get(1).map(|unit| [*unit, tags[2]]);
    Case { wasm, functions, twins, frames: None, architecture: tags.first().copied().unwrap_or(ARMV7M), float }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    None,
    Wat,
    Code,
    Cut,
    Twins,
}

fn section<'a>(text: &'a str, header: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| line.trim() != header).skip(1);
    lines.take_while(|line| !line.trim_start().starts_with('[')).collect()
}

fn function_number(word: &str) -> u32 {
    let word = word.trim_end_matches(']');
    if word == "init" { INIT } else { word.parse().unwrap() }
}

fn number(word: &str) -> u32 {
    let (digits, negative) = word.strip_prefix('-').map_or((word, false), |rest| (rest, true));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
        None => digits.parse().unwrap(),
    };
    if negative { value.wrapping_neg() } else { value }
}

/// `4408 | r0:1 r1:2 -> r0:3 | class | reloc=kind:symbol`, `data 1234 5678`, `frame 16`, `check 24`.
fn code_line(code: &mut Code, line: &str) {
    if let Some(rest) = line.strip_prefix("frame ") {
        code.hints.frame_bytes = number(rest.trim());
        return;
    }
    if let Some(rest) = line.strip_prefix("check ") {
        code.hints.checked_bytes = number(rest.trim());
        return;
    }
    if let Some(rest) = line.strip_prefix("join ") {
        return code.hints.joins.push(join(rest));
    }
    let at = code.bytes.len() as u32;
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    if let Some(rest) = fields[0].strip_prefix("data") {
        let bytes = halfwords(rest);
        code.hints.data.push((at, at + bytes.len() as u32));
        code.bytes.extend(bytes);
    } else {
        code.bytes.extend(halfwords(fields[0]));
        let (reads, writes) = reads_and_writes(fields.get(1).unwrap_or(&""));
        let class = fields.get(2).map_or(Class::Direct, |text| class(text));
        code.hints.labels.push(Label { at, source: None, class, reads, writes });
    }
    for field in &fields {
        if let Some((kind, symbol)) = field.strip_prefix("reloc=").and_then(|text| text.split_once(':')) {
            let kind = match kind {
                "abs32" => object::elf::R_ARM_ABS32,
                "call" => object::elf::R_ARM_THM_PC22,
                "jump" => object::elf::R_ARM_THM_JUMP24,
                "movw" => object::elf::R_ARM_THM_MOVW_ABS_NC,
                "movt" => object::elf::R_ARM_THM_MOVT_ABS,
                other => panic!("relocation {other}"),
            };
            code.relocations.push((at, kind, symbol.to_owned()));
        }
    }
}

fn halfwords(text: &str) -> Vec<u8> {
    text.split_whitespace().flat_map(|word| u16::from_str_radix(word, 16).unwrap().to_le_bytes()).collect()
}

fn class(text: &str) -> Class {
    match text {
        "" | "direct" => Class::Direct,
        "move" => Class::Move,
        "spill" => Class::Spill,
        "reload" => Class::Reload,
        "remat" => Class::Remat,
        "check" => Class::Check,
        "trap" => Class::Trap,
        "frame" => Class::Frame,
        other if other.starts_with("reloc=") => Class::Direct,
        other => panic!("class {other}"),
    }
}

/// `r0:1 r1:2 -> r0:3`; nothing is written where there is no arrow.
fn reads_and_writes(text: &str) -> (Names, Names) {
    let (reads, writes) = text.split_once("->").unwrap_or((text, ""));
    (names(reads), names(writes))
}

fn names(text: &str) -> Names {
    text.split_whitespace()
        .map(|pair| {
            let (place, value) = pair.split_once(':').unwrap_or_else(|| panic!("{pair}"));
            (location(place), name(value))
        })
        .collect()
}

fn location(text: &str) -> Location {
    match text {
        "lr" => Location::Core(14),
        _ if text.starts_with('r') => Location::Core(text[1..].parse().unwrap()),
        _ if text.starts_with('s') => Location::Single(text[1..].parse().unwrap()),
        _ => Location::Stack(text.trim_start_matches('[').trim_end_matches(']').parse().unwrap()),
    }
}

/// `12`; `@r4`, `@lr` and `@[8]` for what a place held at entry.
fn name(text: &str) -> Name {
    match text.strip_prefix('@') {
        Some(place) => entry_name(location(place)),
        None => text.parse().unwrap(),
    }
}

/// `FROM AT : r0 1 2, r1 3 4`; `entry` for what happens before the first instruction.
fn join(text: &str) -> Join {
    let (edge, renames) = text.split_once(':').unwrap();
    let edge: Vec<&str> = edge.split_whitespace().collect();
    let from = if edge[0] == "entry" { u32::MAX } else { number(edge[0]) };
    let renames = renames.split(',').map(|rename| {
        let words: Vec<&str> = rename.split_whitespace().collect();
        (location(words[0]), name(words[1]), name(words[2]))
    });
    Join { at: number(edge[1]), from, renames: renames.collect() }
}

/// `[cut F at 0x10 op 5 depth 8]`.
fn cut(module: &Module, function: u32, words: &[&str]) -> Cut {
    let value = |key: &str| {
        let at = words.iter().position(|word| *word == key)?;
        Some(number(words[at + 1].trim_end_matches(']')))
    };
    let op = value("op").expect("a cut names an operator");
    let offset = module.function(function).unwrap().offset(op).expect("the operator is there");
    Cut {
        at: value("at").expect("a cut has a place"),
        source: vec![(function, offset)],
        depth: value("depth").unwrap_or(0),
        ..Cut::default()
    }
}

/// `unknown KEY w32 [op N [ABOVE]]`, another expression, `local N|-`, `stack N|-`, `r4:12 = N`, `named 12 N`, `fact N`.
fn cut_line(cut: &mut Cut, words: &[&str], function: &Function) {
    let slot = |word: &str| (word != "-").then(|| number(word));
    match words[0] {
        "unknown" => {
            let sort = if words[2] == "w64" { Sort::W64 } else { Sort::W32 };
            let shown = words.get(4).map_or(Shown::Nowhere, |word| {
                let above = words.get(5).map_or(0, |word| number(word));
                Shown::Result(function.offset(number(word)).expect("the operator is there"), above)
            });
            cut.unknowns.push(Unknown { key: number(words[1]), sort, shown });
            cut.nodes.push(Expr::Unknown(cut.unknowns.len() as u32 - 1));
        }
        "local" => cut.locals.push(slot(words[1])),
        "stack" => cut.stack.push(slot(words[1])),
        "named" => cut.named.push((name(words[1]), number(words[2]))),
        "fact" => cut.facts.push(number(words[1])),
        first => match first.split_once(':') {
            Some((place, value)) => {
                let node = words.get(2).map_or(0, |word| number(word));
                cut.locations.push(Located { location: location(place), name: name(value), value: node });
            }
            None => cut.nodes.push(nodes::node(first, &words[1..])),
        },
    }
}

/// `0x2: 4408 -> 4409 | r0:1 -> r1:2, 0x8: .. ; words of the refusal ; words of the live-range check`.
fn twin(function: u32, line: &str, number_of_line: usize) -> Twin {
    let fields: Vec<&str> = line.split(';').map(str::trim).collect();
    let changes = fields[0].split(',').map(|change| {
        let (at, damage) = change.split_once(':').unwrap();
        let (bytes, names) = damage.split_once('|').map_or((damage, None), |(bytes, names)| (bytes, Some(names)));
        let (old, new) = bytes.split_once("->").unwrap();
        Change { at: number(at.trim()), old: halfwords(old), new: halfwords(new), names: names.map(reads_and_writes) }
    });
    Twin {
        function,
        changes: changes.collect(),
        words: fields.get(1).copied().unwrap_or_default().to_owned(),
        ranges: fields.get(2).map(|words| (*words).to_owned()),
        line: number_of_line,
    }
}

impl Case {
    /// The case with the bytes of a twin.
    pub fn damaged(&self, twin: &Twin) -> Case {
        let mut case = self.clone();
        let code = case.functions.get_mut(&twin.function).expect("the function is there");
        for Change { at, old, new, names } in &twin.changes {
            let range = *at as usize..*at as usize + old.len();
            assert_eq!(&code.bytes[range.clone()], old.as_slice(), "line {}: the accepted bytes", twin.line);
            assert_eq!(old.len(), new.len(), "line {}: twins differ only in the damaged bytes", twin.line);
            code.bytes[range].copy_from_slice(new);
            if let Some((reads, writes)) = names {
                let label = code.hints.labels.iter_mut().find(|label| label.at == *at);
                let label = label.unwrap_or_else(|| panic!("line {}: no instruction begins there", twin.line));
                (label.reads, label.writes) = (reads.clone(), writes.clone());
            }
        }
        case
    }

    /// The ELF object as bytes.
    pub fn elf(&self) -> Vec<u8> {
        let mut object = self.object();
        self.add_hints(&mut object);
        object.write().unwrap()
    }

    /// The hints that the code carries.
    pub fn hints(&self) -> Hints {
        Hints {
            wasm_sha256: Sha256::digest(&self.wasm).into(),
            module_name: "m".to_owned(),
            export_prefix: String::new(),
            functions: self
                .functions
                .iter()
                .filter(|(index, _)| **index != INIT)
                .map(|(_, code)| code.hints.clone())
                .collect(),
        }
    }

    fn add_hints(&self, object: &mut Object<'_>) {
        let section = object.add_section(Vec::new(), b".synth.hints".to_vec(), SectionKind::Other);
        object.append_section_data(section, &codec::encode(&self.hints()), 1);
    }

    /// The ELF object but for its hints.
    pub fn object(&self) -> Object<'static> {
        let module = module::read(&self.wasm).unwrap();
        let mut object = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
        object.flags = object::FileFlags::Elf {
            os_abi: object::elf::OsAbi(0),
            abi_version: 0,
            e_flags: object::elf::FileFlags(0x0500_0000),
        };
        let text = object.add_section(Vec::new(), b".text.m".to_vec(), SectionKind::Text);
        let mut symbols = BTreeMap::new();
        regions::add(&mut object, &module, &mut symbols);
        let mut placed = Vec::new();
        for (index, code) in &self.functions {
            let at = object.append_section_data(text, &code.bytes, 4);
            placed.push((code, at));
            let size = code.bytes.len() as u64;
            if code.hints.data.first().is_none_or(|(from, _)| *from > 0) {
                mark(&mut object, text, "$t", at);
            }
            for (from, to) in &code.hints.data {
                mark(&mut object, text, "$d", at + u64::from(*from));
                let is_last = code.hints.data.iter().all(|(next, _)| next != to);
                if is_last && u64::from(*to) < size {
                    mark(&mut object, text, "$t", at + u64::from(*to));
                }
            }
            let name = if *index == INIT { "m_init".to_owned() } else { format!("m.f{index}") };
            let scope = if *index == INIT { SymbolScope::Dynamic } else { SymbolScope::Compilation };
            symbols.insert(name.clone(), function_symbol(&mut object, text, &name, (at, size), scope));
            for export in module.exports.iter().filter(|export| export.item == module::Exported::Function(*index)) {
                function_symbol(&mut object, text, &export.name, (at, size), SymbolScope::Dynamic);
            }
        }
        regions::fill_tables(&mut object, &module, &mut symbols);
        let addresses: BTreeMap<u32, u64> = placed.iter().map(|(code, at)| (code.hints.function, *at)).collect();
        for (code, at) in placed {
            for (offset, kind, symbol) in &code.relocations {
                let name = if symbol.contains('_') { symbol.clone() } else { format!("m.{symbol}") };
                let id = *symbols.entry(name.clone()).or_insert_with(|| undefined(&mut object, &name));
                let flags = object::RelocationFlags::Elf { r_type: *kind };
                object
                    .add_relocation(text, Relocation { offset: at + u64::from(*offset), symbol: id, addend: 0, flags })
                    .unwrap();
            }
        }
        if let Some(frames) = &self.frames {
            frames::add(&mut object, text, (frames, &addresses));
        }
        let section = object.add_section(Vec::new(), b".ARM.attributes".to_vec(), SectionKind::Other);
        object.section_mut(section).flags =
            SectionFlags::Elf { sh_type: object::elf::SHT_ARM_ATTRIBUTES, sh_flags: object::elf::SectionFlags(0) };
        // CPU_arch, CPU_arch_profile, ABI_FP_number_model; FP_arch, ABI_HardFP_use, ABI_VFP_args.
        let float = self.float.into_iter().flat_map(|[unit, precision]| [10, unit, 27, precision, 28, 1]);
        let tags: Vec<u8> = [6, self.architecture, 7, b'M', 23, 3].into_iter().chain(float).collect();
        // Format, length, vendor; scope of the file, length.
        let (file, vendor) = (tags.len() as u8 + 5, tags.len() as u8 + 15);
        let bytes = [&[b'A', vendor, 0, 0, 0][..], b"aeabi\0\x01", &[file, 0, 0, 0], &tags].concat();
        object.append_section_data(section, &bytes, 1);
        object
    }
}

/// A mapping symbol (AAELF32, 5.5.5).
fn mark(object: &mut Object<'_>, section: object::write::SectionId, name: &str, value: u64) {
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value,
        size: 0,
        kind: SymbolKind::Label,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
}

/// A symbol that the file does not define.
pub fn undefined(object: &mut Object<'_>, name: &str) -> object::write::SymbolId {
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Text,
        scope: SymbolScope::Unknown,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    })
}

fn function_symbol(
    object: &mut Object<'_>,
    section: object::write::SectionId,
    name: &str,
    (at, size): (u64, u64),
    scope: SymbolScope,
) -> object::write::SymbolId {
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value: at | 1,
        size,
        kind: SymbolKind::Text,
        scope,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    })
}

/// A report, for messages of failing tests.
pub fn words_of(report: &synth_verify::verdict::Report) -> String {
    let mut text = String::new();
    for function in &report.functions {
        writeln!(text, "function {}: {}", function.function, function.verdict).unwrap();
        for finding in &function.findings {
            writeln!(text, "  {:#x} {:?}: {}", finding.at, finding.check, finding.message).unwrap();
        }
    }
    for finding in &report.findings {
        writeln!(text, "file: {:?}: {}", finding.check, finding.message).unwrap();
    }
    writeln!(text, "uncovered bytes: {}", report.uncovered_bytes).unwrap();
    text
}
