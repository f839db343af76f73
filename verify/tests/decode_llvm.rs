//! The decoder and the text of instructions, against LLVM's disassembler.
//!
//! Every 16-bit encoding and a fixed sample of the 32-bit ones is decoded; each that we accept must
//! be one that LLVM accepts, with the same text. What we refuse is counted, not compared: the
//! decoder is a positive list. Without LLVM the test says that it is skipped, and fails in CI.

#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use synth_verify::thumb::decode::{DecodeError, decode};
use synth_verify::thumb::feature::Architecture;
use synth_verify::thumb::inst::{Cond, Inst, SetFlags, System};
use synth_verify::thumb::text::Text;

/// One encoding: its halfwords as one number, and whether there are two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Code {
    Narrow(u16),
    Wide(u32),
}

impl Code {
    fn bytes(self) -> Vec<u8> {
        match self {
            Code::Narrow(h) => h.to_le_bytes().to_vec(),
            Code::Wide(w) => {
                let [first, second] = [(w >> 16) as u16, w as u16];
                [first.to_le_bytes(), second.to_le_bytes()].concat()
            }
        }
    }

    fn directive(self) -> String {
        match self {
            Code::Narrow(h) => format!(".inst.n {h:#06x}"),
            Code::Wide(w) => format!(".inst.w {w:#010x}"),
        }
    }
}

/// A generator whose sequence is part of the test.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }
}

fn narrow() -> Vec<Code> {
    (0..0xe800).map(Code::Narrow).collect()
}

/// Every first halfword with second halfwords of the shapes that encodings have, so that
/// should-be bits and register fields are often right and often wrong.
fn wide() -> Vec<Code> {
    let mut sequence = Sequence(1);
    let mut codes = Vec::new();
    for first in 0xe800..=0xffff_u32 {
        for shape in 0..40 {
            let random = sequence.next() & 0xffff;
            let second = match shape % 8 {
                0 => random & 0x7fff,
                1 => random | 0xf000,
                2 => random & 0x0f0f | 0xf000,
                3 => random & 0x0fcf | 0xf080,
                4 => random & 0x7f0f,
                5 => random & 0xf1ef | 0x0a00,
                6 => random & 0xf1bf | 0x0a40,
                _ => random,
            };
            codes.push(Code::Wide(first << 16 | second));
        }
    }
    codes
}

/// A processor as LLVM knows it.
struct Target {
    triple: &'static str,
    cpu: &'static str,
}

const M7: Target = Target { triple: "thumbv7em", cpu: "cortex-m7" };
const M0: Target = Target { triple: "thumbv6m", cpu: "cortex-m0" };

/// `None`: LLVM is not there.
fn assemble(directory: &Path, name: &str, text: &str) -> Option<PathBuf> {
    let (source, object) = (directory.join(format!("{name}.s")), directory.join(format!("{name}.o")));
    std::fs::write(&source, text).expect("the temporary directory is writable");
    let status = tools::llvm("llvm-mc")?
        .args(["--triple=thumbv7em-none-eabi", "--mcpu=cortex-m4", "--filetype=obj", "-o"])
        .args([&object, &source])
        .status()
        .expect("it is installed");
    assert!(status.success(), "llvm-mc assembles .inst directives");
    Some(object)
}

/// Address and text of each line of a disassembly.
fn disassemble(object: &Path, target: &Target) -> BTreeMap<u32, String> {
    let output = tools::llvm("llvm-objdump")
        .expect("llvm-objdump is there if llvm-mc is")
        .args(["-d", "--no-print-imm-hex", "--no-show-raw-insn"])
        .args([format!("--triple={}", target.triple), format!("--mcpu={}", target.cpu)])
        .arg(object)
        .output()
        .expect("it is installed");
    let text = String::from_utf8(output.stdout).expect("a disassembly is text");
    text.lines()
        .filter_map(|line| {
            let (address, rest) = line.split_once(':')?;
            let address = u32::from_str_radix(address.trim(), 16).ok()?;
            let rest = rest.split(['@', '<']).next().unwrap_or_default();
            Some((address, rest.trim().replace('\t', " ")))
        })
        .collect()
}

/// Where the texts differ for a reason: mask and value of the encoding, and the reason.
const EXPLAINED: [(u16, u16, &str); 3] = [
    (0xff78, 0x4468, "ADD d, SP, d: we print the sum with the destination first"),
    (0xffff, 0xdef9, "LLVM's own name for UDF #249"),
    (0xffff, 0xdefe, "LLVM's own name for UDF #254"),
];

fn is_explained(code: Code) -> bool {
    match code {
        Code::Narrow(h) => EXPLAINED.iter().any(|(mask, value, _)| h & mask == *value),
        Code::Wide(_) => false,
    }
}

/// One form for what both sides may write in several.
///
/// * `.w` and the `w` of ADDW and SUBW only name an encoding.
/// * An offset of zero may be written or not, also as `#-0`.
/// * A destination that is also the first operand may be written once or twice.
/// * Constants are taken modulo 2^32.
fn normal(text: &str) -> String {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let mnemonic = mnemonic.replace(".w", "").replace("addw", "add").replace("subw", "sub");
    let operands = operands.replace("#-0", "#0").replace(", #0]!", "]!").replace(", #0]", "]");
    let mut parts: Vec<String> = operands
        .split(", ")
        .map(|part| {
            let (constant, end) = match part.strip_prefix('#') {
                Some(rest) => (rest.trim_end_matches([']', '!']), part),
                None => return part.to_owned(),
            };
            match constant.parse::<i64>() {
                Ok(value) => format!("#{}{}", value as u32, &end[1 + constant.len()..]),
                Err(_) => part.to_owned(),
            }
        })
        .collect();
    if parts.len() > 2 && parts[0] == parts[1] {
        parts.remove(1);
    }
    format!("{mnemonic} {}", parts.join(", "))
}

/// Our text, with branch targets as LLVM prints them.
fn ours(inst: &Inst, condition: Option<Cond>, address: u32) -> String {
    let text = Text { inst, condition }.to_string();
    match text.find(" .").or_else(|| text.find(", .").map(|at| at + 1)) {
        Some(at) => {
            let offset: i32 = text[at + 2..].parse().expect("a relative target");
            let target = address.wrapping_add_signed(offset);
            format!("{} {target:#x}", &text[..at])
        }
        None => text,
    }
}

/// Whether the instruction value keeps less than its text: its mnemonic alone is compared.
fn keeps_no_operands(inst: &Inst) -> bool {
    matches!(inst, Inst::System(System::Cps | System::Dbg | System::Dsb | System::Dmb | System::Isb))
}

/// Result of a comparison.
struct Comparison {
    /// How many encodings were compared.
    accepted: usize,
    /// How many differ as the table explains.
    known: usize,
    /// The other differences.
    unknown: Vec<String>,
}

/// Compares the text of what we accept, each behind an IT instruction if there is a condition.
fn compare(name: &str, codes: &[Code], condition: Option<Cond>) -> Option<Comparison> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("the target directory is writable");
    let mut source = ".syntax unified\n.thumb\n".to_owned();
    let mut expected = Vec::new();
    let mut address = 0;
    for code in codes {
        let Ok((inst, size)) = decode(&code.bytes(), 0) else {
            continue;
        };
        assert_eq!(size as usize, code.bytes().len(), "{code:x?}");
        if let Some(cond) = condition {
            if !may_be_conditional(&inst, size) {
                continue;
            }
            writeln!(source, ".inst.n {:#06x}", 0xbf08 | (cond as u16) << 4).expect("writing to a string");
            address += 2;
        }
        writeln!(source, "{}", code.directive()).expect("writing to a string");
        expected.push((address, *code, inst));
        address += size;
        if let Inst::It { .. } = inst {
            source.push_str("nop\nnop\nnop\nnop\n");
            address += 8;
        }
    }
    let object = assemble(&directory, name, &source)?;
    let theirs = disassemble(&object, &M7);
    let mut differences = Vec::new();
    for (address, code, inst) in &expected {
        let our_text = normal(&ours(inst, condition, *address));
        let their_text = theirs.get(address).map_or(String::new(), |text| normal(text));
        let same =
            if keeps_no_operands(inst) { their_text.starts_with(our_text.trim()) } else { our_text == their_text };
        if !same {
            let text = format!("{code:x?}: {our_text:?}, LLVM {their_text:?}");
            differences.push((*code, text));
        }
    }
    let explained = |(code, _): &(Code, String)| is_explained(*code);
    let (known, unknown): (Vec<_>, Vec<_>) = differences.into_iter().partition(explained);
    Some(Comparison {
        accepted: expected.len(),
        known: known.len(),
        unknown: unknown.into_iter().map(|(_, text)| text).collect(),
    })
}

/// Whether it may be alone in an IT block, and prints a condition there.
fn may_be_conditional(inst: &Inst, size: u32) -> bool {
    match inst {
        Inst::It { .. } | Inst::BranchCond { .. } | Inst::CompareBranch { .. } | Inst::Udf { .. } | Inst::System(_) => {
            false
        }
        // The 16-bit MOVS of two registers, which sets the flags wherever it is.
        Inst::MoveReg { flags, .. } => size == 4 || *flags != SetFlags::Yes,
        _ => true,
    }
}

/// Accepted at least, and explained exactly.
fn check(name: &str, codes: &[Code], condition: Option<Cond>, (accepted_min, known): (usize, usize)) {
    let Some(result) = compare(name, codes, condition) else {
        return tools::skipped(name, "llvm-mc");
    };
    assert!(
        result.unknown.is_empty(),
        "{} of {} differ:\n{}",
        result.unknown.len(),
        result.accepted,
        result.unknown[..result.unknown.len().min(40)].join("\n")
    );
    assert!(result.accepted >= accepted_min, "only {} accepted", result.accepted);
    assert_eq!(result.known, known, "differences that the table explains");
}

#[test]
fn narrow_text_is_llvms() {
    check("narrow", &narrow(), None, (57_000, 16));
}

#[test]
fn wide_text_is_llvms() {
    check("wide", &wide(), None, (50_000, 0));
}

#[test]
fn conditional_text_is_llvms() {
    let codes: Vec<Code> = narrow().into_iter().step_by(7).collect();
    check("narrow_it", &codes, Some(Cond::Lt), (7_000, 2));
    let codes: Vec<Code> = wide().into_iter().step_by(11).collect();
    check("wide_it", &codes, Some(Cond::Hs), (3_000, 0));
}

/// What Armv6-M is said to have, LLVM has for a Cortex-M0; what it is said to lack is not a 16-bit instruction
/// that LLVM has there.
#[test]
fn the_smallest_architecture_is_llvms() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smallest");
    std::fs::create_dir_all(&directory).expect("the target directory is writable");
    let mut source = ".syntax unified\n.thumb\n".to_owned();
    let mut codes = Vec::new();
    let mut address = 0;
    for code in narrow().into_iter().chain(wide().into_iter().step_by(5)) {
        let Ok((inst, size)) = decode(&code.bytes(), 0) else { continue };
        writeln!(source, "{}", code.directive()).expect("writing to a string");
        codes.push((address, code, Architecture::V6M.require(&inst, size).is_ok()));
        address += size;
        if let Inst::It { .. } = inst {
            source.push_str("nop\nnop\nnop\nnop\n");
            address += 8;
        }
    }
    let Some(object) = assemble(&directory, "smallest", &source) else {
        return tools::skipped("the_smallest_architecture_is_llvms", "llvm-mc");
    };
    let theirs = disassemble(&object, &M0);
    let is_theirs = |at: &u32| theirs.get(at).is_some_and(|text| !text.contains("unknown") && !text.is_empty());
    let wrong: Vec<String> = codes
        .iter()
        .filter(|(at, code, is_ours)| match code {
            Code::Narrow(_) => *is_ours != is_theirs(at),
            Code::Wide(_) => *is_ours && !is_theirs(at),
        })
        .map(|(_, code, is_ours)| format!("{code:x?}: {}", if *is_ours { "ours alone" } else { "LLVM's alone" }))
        .collect();
    let accepted = codes.iter().filter(|(.., is_ours)| *is_ours).count();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(accepted > 50_000, "only {accepted} accepted");
}

#[test]
fn every_encoding_gives_an_answer() {
    let mut refused = BTreeMap::new();
    for code in narrow().into_iter().chain(wide()) {
        if let Err(error) = decode(&code.bytes(), 0) {
            *refused.entry(error.to_string()).or_insert(0_usize) += 1;
        }
    }
    for first in 0xe800..=0xffff_u16 {
        assert_eq!(decode(&first.to_le_bytes(), 0), Err(DecodeError::Truncated), "{first:x}");
    }
    assert!(!refused.contains_key(&DecodeError::Truncated.to_string()));
    assert!(refused.len() > 20, "{refused:#?}");
}
