//! The decoder against disassemblers.
//!
//! An encoding that we accept must be one that the other accepts, with the same text. What we refuse and the other
//! accepts is counted by our reason: the decoder is a positive list.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use synth_verify::thumb::decode::decode;
use synth_verify::thumb::inst::{Cond, Inst, SetFlags};

use super::profile::Profile;
use super::sample::Code;
use super::text::{keeps_no_operands, normal, ours};
use super::tools;

/// A disassembler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Disassembler {
    /// LLVM's, which knows processors.
    Llvm,
    /// That of the GNU binutils, which knows encodings that its processors lack.
    Binutils,
}

impl Disassembler {
    /// Every one.
    pub const ALL: [Disassembler; 2] = [Disassembler::Llvm, Disassembler::Binutils];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Disassembler::Llvm => "LLVM",
            Disassembler::Binutils => "binutils",
        }
    }

    /// The command, without the file; `None` if it is not installed.
    fn command(self, profile: &Profile) -> Option<Command> {
        match self {
            Disassembler::Llvm => {
                let mut command = tools::llvm("llvm-objdump")?;
                command.args(["-d", "--no-print-imm-hex", "--no-show-raw-insn"]);
                command.args([format!("--triple={}", profile.llvm.0), format!("--mcpu={}", profile.llvm.1)]);
                Some(command)
            }
            Disassembler::Binutils => {
                let mut command = tools::installed("arm-none-eabi-objdump")?;
                command.args(["-d", "-z", "--no-show-raw-insn", "-M", "reg-names-std", "-m", profile.binutils]);
                Some(command)
            }
        }
    }

    /// The text of each instruction of an object, by address; what it refuses is not there.
    fn run(self, profile: &Profile, object: &Path) -> io::Result<Option<BTreeMap<u32, String>>> {
        let Some(mut command) = self.command(profile) else { return Ok(None) };
        let output = command.arg(object).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))));
        }
        let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
        Ok(Some(text.lines().filter_map(|line| self.line(line)).collect()))
    }

    fn line(self, line: &str) -> Option<(u32, String)> {
        let (address, rest) = line.split_once(':')?;
        let address = u32::from_str_radix(address.trim(), 16).ok()?;
        let text = match self {
            Disassembler::Llvm => {
                let text = rest.split(['@', '<']).next()?.trim();
                text.replace('\t', " ")
            }
            Disassembler::Binutils => super::text::of_binutils(rest),
        };
        (!text.is_empty()).then_some((address, text))
    }
}

/// What we and another make of encodings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// How many were compared.
    pub compared: usize,
    /// Accepted by both with the same text.
    pub same: usize,
    /// Refused by both.
    pub refused: usize,
    /// Differences for a reason that [`EXPLAINED`] gives, by reason.
    pub explained: BTreeMap<&'static str, usize>,
    /// Accepted by the other alone: by our reason, how many and the text of one.
    pub theirs: BTreeMap<String, (usize, String)>,
    /// Other differences: the first few.
    pub unexplained: Vec<String>,
    /// And how many there are.
    pub differences: usize,
}

/// Differences that are printed.
const SHOWN: usize = 40;

impl Comparison {
    /// Both together.
    pub fn merge(&mut self, other: Comparison) {
        self.compared += other.compared;
        self.same += other.same;
        self.refused += other.refused;
        self.differences += other.differences;
        for (reason, count) in other.explained {
            *self.explained.entry(reason).or_default() += count;
        }
        for (reason, (count, example)) in other.theirs {
            self.theirs.entry(reason).or_insert((0, example)).0 += count;
        }
        self.unexplained.extend(other.unexplained);
        self.unexplained.truncate(SHOWN);
    }
}

/// Why texts differ though the meaning is one, or why the other refuses what is an instruction.
struct Reason {
    of: Disassembler,
    /// First halfword, or both, that it is about.
    mask: u32,
    value: u32,
    why: &'static str,
}

/// Each kind of difference that is no fault of ours.
const EXPLAINED: [Reason; 9] = [
    Reason {
        of: Disassembler::Llvm,
        mask: 0xff78,
        value: 0x4468,
        why: "ADD d, SP, d: we print the sum with the destination first",
    },
    Reason {
        of: Disassembler::Llvm,
        mask: 0xffff_f0ff,
        value: 0xf2af_0000,
        why: "ADR by -0 has its other name, SUB from PC (DDI0403, A7.7.7)",
    },
    Reason { of: Disassembler::Llvm, mask: 0xffff, value: 0xdef9, why: "LLVM's own name for UDF #249" },
    Reason { of: Disassembler::Llvm, mask: 0xffff, value: 0xdefe, why: "LLVM's own name for UDF #254" },
    Reason {
        of: Disassembler::Binutils,
        mask: 0xffff,
        value: 0x46c0,
        why: "MOV r8, r8 is printed as a comment on NOP, as old processors had it",
    },
    Reason {
        of: Disassembler::Binutils,
        mask: 0xfff0_f0fc,
        value: 0xf380_8000,
        why: "MSR of the APSR is printed without the flags that it writes",
    },
    Reason {
        of: Disassembler::Binutils,
        mask: 0xffff_f0ff,
        value: 0xf3ef_8000,
        why: "MRS of the APSR has the name that the A profile has for it, CPSR",
    },
    Reason {
        of: Disassembler::Binutils,
        mask: 0xff60_00ff,
        value: 0xe960_0000,
        why: "LDRD and STRD that move their base by 0 are printed without `!`",
    },
    Reason {
        of: Disassembler::Binutils,
        mask: 0xfe9f_0f00,
        value: 0xf81f_0e00,
        why: "an unprivileged load at PC is a load from a literal (DDI0403, A7.7.61: Rn == '1111')",
    },
];

fn reason(of: Disassembler, code: Code) -> Option<&'static str> {
    let word = match code {
        Code::Narrow(half) => u32::from(half),
        Code::Wide(word) => word,
    };
    EXPLAINED.iter().find(|reason| reason.of == of && word & reason.mask == reason.value).map(|reason| reason.why)
}

/// What we make of one encoding.
struct Ours {
    code: Code,
    address: u32,
    inst: Result<Inst, String>,
}

/// Compares encodings, each behind an IT instruction if there is a condition; then only those that may be there.
///
/// # Errors
/// A file or a program fails. `None`: the program is not installed.
pub fn compare(
    (of, profile): (Disassembler, &Profile),
    codes: &[Code],
    condition: Option<Cond>,
) -> io::Result<Option<Comparison>> {
    let (bytes, ours) = layout(profile, codes, condition);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("code.o");
    std::fs::write(&path, object(&bytes))?;
    let Some(theirs) = of.run(profile, &path)? else { return Ok(None) };
    let mut result = Comparison { compared: ours.len(), ..Comparison::default() };
    for one in &ours {
        judge(&mut result, of, (one, condition), theirs.get(&one.address).map(String::as_str));
    }
    Ok(Some(result))
}

fn judge(result: &mut Comparison, of: Disassembler, (one, condition): (&Ours, Option<Cond>), theirs: Option<&str>) {
    let text = match (&one.inst, theirs) {
        (Err(_), None) => {
            result.refused += 1;
            return;
        }
        (Err(why), Some(text)) => {
            result.theirs.entry(why.clone()).or_insert_with(|| (0, text.to_owned())).0 += 1;
            return;
        }
        (Ok(inst), theirs) => {
            let our_text = normal(&ours(inst, condition, one.address));
            let their_text = theirs.map_or(String::new(), normal);
            let is_same =
                if keeps_no_operands(inst) { their_text.starts_with(our_text.trim()) } else { our_text == their_text };
            if is_same {
                result.same += 1;
                return;
            }
            format!("{:x?}: {our_text:?}, {} {their_text:?}", one.code, of.name())
        }
    };
    match reason(of, one.code) {
        Some(why) => *result.explained.entry(why).or_default() += 1,
        None => {
            result.differences += 1;
            if result.unexplained.len() < SHOWN {
                result.unexplained.push(text);
            }
        }
    }
}

const NOP: u16 = 0xbf00;

/// The code, and what we make of each encoding in it.
fn layout(profile: &Profile, codes: &[Code], condition: Option<Cond>) -> (Vec<u8>, Vec<Ours>) {
    let mut bytes = Vec::with_capacity(4 * codes.len());
    let mut found = Vec::with_capacity(codes.len());
    for &code in codes {
        let inst = decode(&code.bytes(), 0).map_err(|error| error.to_string());
        let inst = inst.and_then(|(inst, size)| profile.target.require(&inst, size).map(|()| inst));
        if let Some(cond) = condition {
            if !inst.as_ref().is_ok_and(|inst| may_be_conditional(inst, code.size())) {
                continue;
            }
            bytes.extend((0xbf08 | (cond as u16) << 4).to_le_bytes());
        }
        found.push(Ours { code, address: bytes.len() as u32, inst });
        bytes.extend(code.bytes());
        // An IT instruction, accepted or not, must not make the next encoding conditional.
        if matches!(code, Code::Narrow(half) if half & 0xff00 == 0xbf00) {
            bytes.extend([NOP; 4].map(u16::to_le_bytes).concat());
        }
    }
    (bytes, found)
}

/// Whether it may be alone in an IT block, and prints a condition there.
fn may_be_conditional(inst: &Inst, size: u32) -> bool {
    match inst {
        Inst::It { .. } | Inst::BranchCond { .. } | Inst::CompareBranch { .. } | Inst::Udf { .. } | Inst::System(_) => {
            false
        }
        // The 16-bit MOVS of two registers, which sets the flags wherever it is.
        Inst::MoveReg { flags, .. } => size == 4 || *flags != SetFlags::Yes,
        Inst::Float(inst) => !inst.is_unconditional(),
        _ => true,
    }
}

/// The code as an object of Thumb code.
fn object(bytes: &[u8]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    object.append_section_data(text, bytes, 4);
    object.add_symbol(Symbol {
        name: b"$t".to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Unknown,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::Elf { st_info: object::elf::SymbolInfo(0), st_other: object::elf::SymbolOther(0) },
    });
    object.write().expect("an object with one section")
}
