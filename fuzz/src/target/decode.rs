//! Encoder, decoder and another disassembler agree on what instructions are.
//!
//! What the compiler encodes, the validator reads as the same text. What the validator reads, yaxpeax-arm reads as
//! the same registers and numbers, of those instructions that it knows: not those of the floating-point unit or
//! of the system.

use synth::emit::encode::encode;
use synth::emit::machine::{FlagsMode, Machine, Position};
use synth::emit::text::Assembly;
use synth_verify::thumb::decode::decode;
use synth_verify::thumb::inst::{Cond, Inst};
use synth_verify::thumb::operands::operands;
use synth_verify::thumb::text::Text;
use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv7::InstDecoder;

use crate::choices::Choices;
use crate::machine;

/// Most instructions of one input.
const INSTRUCTIONS_MAX: usize = 64;

/// Reads the bytes as instructions, and encodes the instructions that they choose.
pub fn run(bytes: &[u8]) {
    for at in (0..bytes.len().min(2 * INSTRUCTIONS_MAX)).step_by(2) {
        if let Err(why) = is_read_alike(&bytes[at..]) {
            panic!("{why}");
        }
    }
    let mut choices = Choices::new(bytes);
    for _ in 0..INSTRUCTIONS_MAX.min(bytes.len() / 4) {
        let (inst, position) = machine::instruction(&mut choices);
        if let Err(why) = is_read_as_meant(&inst, position) {
            panic!("{why}");
        }
    }
}

/// What the compiler writes, the validator reads.
///
/// # Errors
/// It reads something else.
pub fn is_read_as_meant(inst: &Machine, position: Position) -> Result<(), String> {
    let code = encode(inst, position);
    let mut bytes = Vec::new();
    code.append_to(&mut bytes);
    let meant = Assembly(inst, position).to_string();
    let (read, size) = decode(&bytes, 0).map_err(|error| format!("{meant} is {bytes:02x?}: {error}"))?;
    if size != code.bytes() {
        return Err(format!("{meant} is {bytes:02x?}, of which {size} are read"));
    }
    let condition = match position {
        Position::Plain => None,
        Position::Under(cond) => Cond::from_code(cond.code().into()),
    };
    let is = Text { inst: &read, condition }.to_string();
    // ADDW and SUBW are additions and subtractions; so is the width no part of the meaning, nor an offset of 0.
    let plain = |text: &str| {
        let text = text.replacen(".n ", " ", 1).replacen(".w ", " ", 1).replace(", #0]", "]");
        text.replacen("addw", "add", 1).replacen("subw", "sub", 1)
    };
    let commutes = match inst {
        Machine::Alu { op, .. } => op.commutes(),
        Machine::Mul { .. } => true,
        _ => false,
    };
    // The short forms have the operand that is also the result first.
    let sorted = |text: String| {
        let mut words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        if let (true, [_, _, n, m]) = (commutes, &mut words[..])
            && n > m
        {
            std::mem::swap(n, m);
        }
        words.join(" ")
    };
    let (is, meant) = (sorted(plain(&is)), sorted(plain(&meant)));
    let may_set = matches!(
        inst,
        Machine::Alu { flags: FlagsMode::Dead, .. }
            | Machine::Mov { flags: FlagsMode::Dead, .. }
            | Machine::Mvn { flags: FlagsMode::Dead, .. }
            | Machine::Shift { flags: FlagsMode::Dead, .. }
            | Machine::Mul { .. }
    );
    let without_s = |text: &str| text.replacen("s ", " ", 1);
    if is == meant || may_set && without_s(&is) == meant {
        Ok(())
    } else {
        Err(format!("{meant} is {bytes:02x?}, which is read as {is}"))
    }
}

/// What the validator reads, the other disassembler reads alike.
///
/// # Errors
/// It reads something else.
pub fn is_read_alike(bytes: &[u8]) -> Result<(), String> {
    let Ok((inst, size)) = decode(bytes, 0) else { return Ok(()) };
    let text = inst.to_string();
    let _ = operands(&inst, None);
    if matches!(inst, Inst::Float(_) | Inst::System(_)) {
        return Ok(());
    }
    let mut reader = U8Reader::new(bytes);
    let other = InstDecoder::default_thumb().decode(&mut reader);
    let other = other.map_err(|error| format!("{:02x?} is {text}; the other: {error}", &bytes[..size as usize]))?;
    let other = other.to_string();
    let (is, wanted) = (Parts::of(&text), Parts::of(&other));
    if is == wanted { Ok(()) } else { Err(format!("{:02x?} is {text}; the other: {other}", &bytes[..size as usize])) }
}

/// What texts of different makers have in common.
#[derive(PartialEq, Eq, Debug)]
struct Parts {
    name: String,
    /// Registers and numbers, in order; targets of branches are left out, since makers count them from other places.
    operands: Vec<String>,
}

impl Parts {
    fn of(text: &str) -> Parts {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        let name = name.trim_end_matches(".w").trim_end_matches(".n");
        let name = match name {
            // Where only the immediate is wider, the name may be the same.
            "movw" => "mov",
            "addw" => "add",
            "subw" => "sub",
            "stmia" => "stm",
            "ldmia" => "ldm",
            other => other,
        };
        // The other gives the last bit of the field, where the manual's syntax has the width.
        let rest = rest.rsplit_once(',').filter(|_| name == "bfi").map_or(rest, |(before, _)| before);
        let words = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| !word.is_empty());
        let mut operands: Vec<String> = words.filter_map(word).collect();
        if rest.starts_with(['.', '$']) || rest.contains(" .") || rest.contains(" $") {
            operands.retain(|operand| operand.starts_with('r') || operand == "lr");
        }
        // ADR is an addition to PC, or a subtraction from it.
        let mut name = name;
        if let ("add" | "sub", [_, base, ..]) = (name, &operands[..])
            && base == "pc"
        {
            operands.remove(1);
            if let ("sub", Some(offset)) = (name, operands.get_mut(1)) {
                *offset = format!("-{offset}");
            }
            name = "adr";
        }
        // What is result and first operand is written once or twice.
        while operands.len() > 1 && operands[0] == operands[1] {
            operands.remove(0);
        }
        Parts { operands, name: name.to_owned() }
    }
}

fn word(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let number = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    let named = match digits {
        "sb" => "r9",
        "sl" => "r10",
        "fp" => "r11",
        "ip" => "r12",
        other => other,
    };
    match number {
        // An offset of 0 is written or not.
        Some(0) => None,
        Some(number) => Some(format!("{sign}{number}")),
        None => Some(named.to_owned()),
    }
}
