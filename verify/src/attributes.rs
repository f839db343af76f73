//! Build attributes: what the code of a file is for.
//!
//! Arm addenda32, chapter 3. Ensures: [`read`] names a target only if the public attributes of the whole file
//! say that the code is Thumb code for it. A file that does not say so is refused: a linker may take it for code
//! of another profile, and lead calls over code of the other instruction set.

use crate::elf::Elf;
use crate::thumb::feature::{Architecture, FloatUnit, Target, Variant};

/// Tags that are read here (Arm addenda32, 3.3).
const CPU_ARCH: u32 = 6;
const CPU_ARCH_PROFILE: u32 = 7;
const FP_ARCH: u32 = 10;
const ABI_FP_NUMBER_MODEL: u32 = 23;
const ABI_HARDFP_USE: u32 = 27;
const ABI_VFP_ARGS: u32 = 28;
const COMPATIBILITY: u32 = 32;
const DSP_EXTENSION: u32 = 46;

/// `Tag_File`: attributes of the whole file, not of a section or a symbol.
const FILE: u8 = 1;

/// What a file is for.
///
/// # Errors
/// The attributes cannot be read, or they ask for what is not modelled.
pub fn read(elf: &Elf<'_>) -> Result<Target, String> {
    let Some(bytes) = elf.attributes else { return Err("build attributes: there are none".to_owned()) };
    let pairs = public(bytes).ok_or("they cannot be read".to_owned());
    pairs.and_then(|pairs| target(&pairs)).map_err(|why| format!("build attributes: {why}"))
}

/// Whether a file says that it has floats: only then do linkers compare how it passes them with how others do.
pub fn has_floats(elf: &Elf<'_>) -> bool {
    let pairs = elf.attributes.and_then(public).unwrap_or_default();
    pairs.iter().any(|(tag, value)| *tag == ABI_FP_NUMBER_MODEL && *value > 0)
}

/// What tags and values name.
fn target(pairs: &[(u32, u32)]) -> Result<Target, String> {
    let value = |wanted: u32| pairs.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let read = [CPU_ARCH, CPU_ARCH_PROFILE, FP_ARCH, ABI_FP_NUMBER_MODEL, ABI_HARDFP_USE, ABI_VFP_ARGS, DSP_EXTENSION];
    for wanted in read {
        // Which of several holds is not said (3.2.3), and readers differ.
        if pairs.iter().filter(|(tag, _)| *tag == wanted).count() > 1 {
            return Err(format!("the tag {wanted} is given twice"));
        }
    }
    let architecture = architecture(value)?;
    let float = float(architecture, [FP_ARCH, ABI_HARDFP_USE].map(|tag| value(tag).unwrap_or(0)))?;
    let variant = match (value(ABI_VFP_ARGS).unwrap_or(0), float) {
        (0, _) => Variant::Base,
        (1, FloatUnit::V4Single | FloatUnit::V5Single | FloatUnit::V5Double) => Variant::Float,
        _ => return Err("arguments are passed in registers that the file has no unit for".to_owned()),
    };
    Ok(Target { architecture, float, variant })
}

/// The unit that values of `Tag_FP_arch` and `Tag_ABI_HardFP_use` name. 6 is VFPv4-D16, 8 FPv5-D16, of which a
/// file that uses single precision only (1) is for the part of it that Cortex-M4 and M33 have.
fn float(architecture: Architecture, values: [u32; 2]) -> Result<FloatUnit, String> {
    match (values, architecture) {
        ([0, _], _) => Ok(FloatUnit::None),
        ([6, 1], Architecture::V7EM) => Ok(FloatUnit::V4Single),
        ([8, 1], Architecture::V7EM | Architecture::V8M | Architecture::V8MDsp) => Ok(FloatUnit::V5Single),
        ([8, 0 | 3], Architecture::V7EM | Architecture::V8M | Architecture::V8MDsp) => Ok(FloatUnit::V5Double),
        ([unit, precision], _) => Err(format!("floating-point unit {unit} with precision {precision} is not modelled")),
    }
}

/// The architecture.
fn architecture(value: impl Fn(u32) -> Option<u32>) -> Result<Architecture, String> {
    let tag = value(CPU_ARCH).ok_or("they name no architecture")?;
    if value(CPU_ARCH_PROFILE) != Some(u32::from(b'M')) {
        return Err("they do not say that the code is for a microcontroller".to_owned());
    }
    let dsp = value(DSP_EXTENSION).unwrap_or(0);
    Architecture::of_tags(tag, dsp).ok_or_else(|| format!("architecture {tag} is not modelled"))
}

/// Tags and values of the attributes that belong to the ABI. Text has the value 0.
fn public(bytes: &[u8]) -> Option<Vec<(u32, u32)>> {
    let mut rest = bytes.strip_prefix(b"A")?;
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (vendor, others) = sized(rest, 0)?;
        rest = others;
        let mut vendor = vendor;
        if text(&mut vendor)? != b"aeabi" {
            continue;
        }
        while !vendor.is_empty() {
            let (scope, others) = sized(vendor, 1)?;
            if vendor[0] != FILE {
                return None;
            }
            vendor = others;
            attributes(scope, &mut pairs)?;
        }
    }
    Some(pairs)
}

/// Splits off what a length, `at` bytes from the start, counts from the start; yields what follows the length.
fn sized(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
    let (inside, behind) = bytes.split_at_checked(length)?;
    Some((inside.get(at + 4..)?, behind))
}

fn attributes(mut bytes: &[u8], pairs: &mut Vec<(u32, u32)>) -> Option<()> {
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        // Names of processors, and odd tags from the compatibility tag on, have text (3.2.5).
        let is_text = matches!(tag, 4 | 5) || tag > COMPATIBILITY && tag % 2 == 1;
        let value = if is_text { 0 } else { number(&mut bytes)? };
        if is_text || tag == COMPATIBILITY {
            text(&mut bytes)?;
        }
        pairs.push((tag, value));
    }
    Some(())
}

/// A number in ULEB128.
fn number(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0;
    for shift in (0..28).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Text up to its zero.
fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (text, rest) = bytes.split_at(end);
    *bytes = &rest[1..];
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(attributes: &[u8]) -> Vec<u8> {
        let file = [&[FILE][..], &(attributes.len() as u32 + 5).to_le_bytes(), attributes].concat();
        let vendor = [&b"aeabi\0"[..], &file].concat();
        [&b"A"[..], &(vendor.len() as u32 + 4).to_le_bytes(), &vendor].concat()
    }

    #[test]
    fn text_and_numbers_are_told_apart() {
        let bytes = section(&[5, b'M', b'3', 0, 6, 10, 7, b'M', 32, 1, b'x', 0, 67, b'2', 0, 34, 1]);
        assert_eq!(public(&bytes), Some(vec![(5, 0), (6, 10), (7, 77), (32, 1), (67, 0), (34, 1)]));
    }

    #[test]
    fn the_extension_is_read_where_the_architecture_leaves_it_open() {
        let of = |pairs: &[(u32, u32)]| target(pairs).map(|found| found.to_string());
        assert_eq!(of(&[(6, 17), (7, 77)]).as_deref(), Ok("Armv8-M.main"));
        assert_eq!(of(&[(6, 17), (7, 77), (46, 1)]).as_deref(), Ok("Armv8-M.main with DSP"));
        assert!(of(&[(6, 10), (7, 77), (46, 1)]).is_err() && of(&[(6, 17), (7, 77), (46, 2)]).is_err());
        // The profile of applications, none, and no architecture.
        assert!([&[(6, 17), (7, 65)][..], &[(6, 17)], &[(7, 77)]].into_iter().all(|pairs| of(pairs).is_err()));
        assert_eq!(of(&[(6, 10), (7, 77), (6, 10)]), Err("the tag 6 is given twice".to_owned()));
    }

    #[test]
    fn a_unit_is_named_with_its_precision() {
        let of = |pairs: &[(u32, u32)]| target(&[pairs, &[(7, 77)]].concat()).map(|found| found.to_string());
        assert_eq!(of(&[(6, 13), (10, 6), (27, 1), (28, 1)]).as_deref(), Ok("Armv7E-M and FPv4-SP"));
        let base = Ok("Armv7E-M and FPv5-D16, called by the base AAPCS");
        assert_eq!(of(&[(6, 13), (10, 8)]).as_deref(), base);
        assert_eq!(of(&[(6, 17), (10, 8), (27, 1), (28, 1)]).as_deref(), Ok("Armv8-M.main and FPv5-SP"));
        for wrong in [&[(6, 13), (28, 1)][..], &[(6, 10), (10, 6), (27, 1)], &[(6, 13), (10, 6)], &[(6, 13), (10, 7)]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
        assert!(of(&[(6, 13), (10, 6), (27, 1), (28, 2)]).is_err());
    }

    #[test]
    fn a_part_that_does_not_fit_is_refused() {
        let whole = section(&[6, 10]);
        assert!((2..whole.len()).all(|end| public(&whole[..end]).is_none()));
        let mut of_a_section = whole.clone();
        of_a_section[11] = 2;
        assert_eq!(public(&of_a_section), None);
        assert_eq!(public(&section(&[6])), None);
    }
}
