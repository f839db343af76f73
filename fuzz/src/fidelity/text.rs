//! Texts of instructions as disassemblers print them, made comparable with the validator's.
//!
//! Ensures: two texts with one normal form have one meaning. What is taken as one is listed at each rule.

use synth_verify::thumb::inst::{Cond, Inst, System};
use synth_verify::thumb::text::Text;

/// Our text, with branch targets as addresses.
pub fn ours(inst: &Inst, condition: Option<Cond>, address: u32) -> String {
    let text = Text { inst, condition }.to_string();
    match text.find(" .") {
        Some(at) => {
            let offset: i32 = text[at + 2..].parse().expect("a relative target");
            let target = address.wrapping_add(4).wrapping_add_signed(offset - 4);
            format!("{} {target:#x}", &text[..at])
        }
        None => text,
    }
}

/// Whether the instruction value keeps less than its text: its mnemonic alone is compared.
pub fn keeps_no_operands(inst: &Inst) -> bool {
    matches!(inst, Inst::System(System::Cps | System::Dbg | System::Dsb | System::Dmb | System::Isb))
}

/// One form for what both sides may write in several.
///
/// * `.w`, `.n` and the `w` of ADDW and SUBW only name an encoding.
/// * An offset of zero may be written or not, also as `#-0`.
/// * A destination that is also the first operand may be written once or twice.
/// * Constants are taken modulo 2^32; the zero of a comparison may be `#0.0`.
pub fn normal(text: &str) -> String {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let mnemonic = mnemonic.replace(".w", "").replace(".n", "").replace("addw", "add").replace("subw", "sub");
    let operands = operands.replace("#-0", "#0").replace(", #0]!", "]!").replace(", #0]", "]").replace("#0.0", "#0");
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

/// What binutils print behind the address, in LLVM's words; nothing if they refuse it.
///
/// * A target and the number of BKPT are in base 16; `cs` and `cc` are `hs` and `lo`.
/// * The second factor of MUL may be left out; MOV of a shifted register is the shift; NEG is RSB from 0; ADD and SUB of PC are ADR.
/// * `stmia` and `ldmia` are `stm` and `ldm`, with SP also `push` and `pop`.
/// * Registers of the floating-point unit in a row may be written as the first and the last.
/// * Special registers are in capitals; PSR is `xpsr`, and CPSR_f and its kin are the APSR.
/// * A constant of the unit is written as the 8 bits of its encoding.
pub fn of_binutils(line: &str) -> String {
    let (text, comment) = line.split_once(['@', ';']).unwrap_or((line, ""));
    let text = text.split('<').next().unwrap_or_default().trim().replace('\t', " ");
    if text.contains("??") || comment.contains("UNDEFINED") {
        return String::new();
    }
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((&text, ""));
    let (mnemonic, operands) = renamed(&mnemonic.replace(".w", "").replace(".n", ""), operands);
    format!("{mnemonic} {operands}").trim().to_owned()
}

/// In LLVM's words.
fn renamed(mnemonic: &str, operands: &str) -> (String, String) {
    let parts: Vec<&str> = operands.split(", ").collect();
    let same = || (mnemonic.to_owned(), operands.to_owned());
    match (mnemonic, parts.as_slice()) {
        ("b" | "bl", [target]) => (mnemonic.to_owned(), format!("0x{target}")),
        ("cbz" | "cbnz", [register, target]) => (mnemonic.to_owned(), format!("{register}, 0x{target}")),
        ("bcs", [target]) => ("bhs".to_owned(), format!("0x{target}")),
        ("bcc", [target]) => ("blo".to_owned(), format!("0x{target}")),
        (_, [target]) if is_condition(mnemonic.strip_prefix('b')) => (mnemonic.to_owned(), format!("0x{target}")),
        (_, ["cs"]) if mnemonic.starts_with("it") => (mnemonic.to_owned(), "hs".to_owned()),
        (_, ["cc"]) if mnemonic.starts_with("it") => (mnemonic.to_owned(), "lo".to_owned()),
        ("mov" | "movs", [d, m, shift]) => {
            let (kind, count) = shift.split_once(' ').unwrap_or((shift, ""));
            let sets = &mnemonic[3..];
            let operands = if count.is_empty() { format!("{d}, {m}") } else { format!("{d}, {m}, {count}") };
            (format!("{kind}{sets}"), operands)
        }
        ("bkpt", [number]) => (mnemonic.to_owned(), format!("#{}", of_hex(number).unwrap_or_default())),
        ("mrs" | "msr", _) => (mnemonic.to_owned(), special(&operands.to_lowercase())),
        ("svc", [number]) => (mnemonic.to_owned(), format!("#{number}")),
        ("muls", [d, m]) => ("muls".to_owned(), format!("{d}, {m}, {d}")),
        ("negs", [d, m]) => ("rsbs".to_owned(), format!("{d}, {m}, #0")),
        ("add" | "addw", [d, "pc", offset]) => ("adr".to_owned(), format!("{d}, {offset}")),
        ("sub" | "subw", [d, "pc", offset]) => ("adr".to_owned(), format!("{d}, #-{}", &offset[1..])),
        ("ldmia" | "stmdb", _) if operands.starts_with("sp!, ") => {
            let name = if mnemonic == "ldmia" { "pop" } else { "push" };
            (name.to_owned(), operands["sp!, ".len()..].to_owned())
        }
        ("ldmia" | "stmia", _) => (mnemonic[..3].to_owned(), operands.to_owned()),
        ("vmov.f32" | "vmov.f64", [d, constant]) => match constant.strip_prefix('#').map(str::parse) {
            Some(Ok(bits)) => (mnemonic.to_owned(), format!("{d}, #{}", expanded(bits))),
            Some(Err(_)) | None => same(),
        },
        _ if operands.ends_with('}') => (mnemonic.to_owned(), in_full(operands)),
        _ => same(),
    }
}

fn is_condition(text: Option<&str>) -> bool {
    text.is_some_and(|text| Cond::ALL.iter().any(|cond| cond.to_string() == text))
}

/// The names of special registers.
fn special(operands: &str) -> String {
    let names = [("psr", "xpsr"), ("cpsr_f", "apsr_nzcvq"), ("cpsr_s", "apsr_g"), ("cpsr_fs", "apsr_nzcvqg")];
    let name = |part: &str| {
        names.iter().find(|(theirs, _)| *theirs == part).map_or(part.to_owned(), |(_, llvm)| (*llvm).to_owned())
    };
    operands.split(", ").map(name).collect::<Vec<_>>().join(", ")
}

fn of_hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// `{s1-s3}` as `{s1, s2, s3}`.
fn in_full(operands: &str) -> String {
    let range = || {
        let (base, list) = operands.split_once('{')?;
        let (first, last) = list.strip_suffix('}')?.split_once('-')?;
        let (bank, first) = first.split_at_checked(1)?;
        let last = last.strip_prefix(bank)?;
        let all: Vec<String> =
            (first.parse::<u8>().ok()?..=last.parse().ok()?).map(|number| format!("{bank}{number}")).collect();
        Some(format!("{base}{{{}}}", all.join(", ")))
    };
    range().unwrap_or_else(|| operands.to_owned())
}

/// `VFPExpandImm` (DDI0403, A6.4.2) of a sign, 3 bits of exponent and 4 of fraction.
fn expanded(bits: u8) -> String {
    let exponent = (i32::from(bits >> 4 & 7) ^ 4) - 3;
    let number = f64::from(16 + (bits & 15)) / 16.0 * f64::from(exponent).exp2();
    let number = if bits & 0x80 == 0 { number } else { -number };
    let text = format!("{number:.6e}");
    let (mantissa, exponent) = text.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
