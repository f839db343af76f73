//! Damage to what stands around the code in an ELF file: headers, symbols, relocations, data, attributes.

use synth_verify::elf::Elf;
use synth_verify::replay::Random;

use super::pick;

/// A part of a file that is damaged under one name.
struct Part {
    name: &'static str,
    from: usize,
    to: usize,
    /// Size of the fields.
    unit: usize,
}

/// What is done, where, and the file then.
pub fn damage(file: &[u8], random: &mut Random) -> Option<(&'static str, String, Vec<u8>)> {
    let parts = parts(file)?;
    let part = &parts[pick(random, parts.len())?];
    let fields = (part.to - part.from) / part.unit;
    let at = part.from + part.unit * random.below(fields.max(1) as u64) as usize;
    let field = file.get(at..at + part.unit)?;
    let mut bytes = [0; 4];
    bytes[..part.unit].copy_from_slice(field);
    let before = u32::from_le_bytes(bytes);
    let after = match random.below(8) {
        0 => before.wrapping_add(1),
        1 => before.wrapping_sub(1),
        2 => before.wrapping_add(4),
        3 => before.wrapping_sub(4),
        4 => 0,
        // Another field of this part.
        5 => {
            let other = part.from + part.unit * random.below(fields.max(1) as u64) as usize;
            bytes[..part.unit].copy_from_slice(file.get(other..other + part.unit)?);
            u32::from_le_bytes(bytes)
        }
        _ => before ^ 1 << random.below(8 * part.unit as u64),
    };
    let mut changed = file.to_vec();
    changed[at..at + part.unit].copy_from_slice(&after.to_le_bytes()[..part.unit]);
    let place = format!("{at:#x}: {before:#x} -> {after:#x}");
    (changed != file).then(|| (part.name, place, changed))
}

/// The parts that a file has. Code and hints have damages of their own.
fn parts(file: &[u8]) -> Option<Vec<Part>> {
    let elf = Elf::read(file).ok()?;
    let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize);
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?)));
    // ELF header, program headers, section headers (ELF, object files).
    let (programs, sections) = (word(28)?, word(32)?);
    let mut parts = vec![part("ELF header", 0, 52, 2), part("section headers", sections, sections + 40 * half(48)?, 4)];
    if half(44)? > 0 {
        parts.push(part("program headers", programs, programs + 32 * half(44)?, 4));
    }
    for index in 0..half(48)? {
        let header = sections + 40 * index;
        let (kind, offset, bytes) = (word(header + 4)?, word(header + 16)?, word(header + 20)?);
        let end = offset.checked_add(bytes)?;
        if bytes == 0 || end > file.len() {
            continue;
        }
        // SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_REL, SHT_ARM_ATTRIBUTES.
        match kind {
            2 => {
                parts.push(part("symbols", offset, end, 4));
                // st_info, st_other, st_shndx.
                let entry = offset + 16 * (bytes / 16 / 2);
                parts.push(part("symbols", entry + 12, (entry + 16).min(end), 1));
            }
            3 => parts.push(part("names", offset, end, 1)),
            4 | 9 => parts.push(part("relocations", offset, end, 4)),
            0x7000_0003 => parts.push(part("attributes", offset, end, 1)),
            _ => {}
        }
    }
    for section in elf.sections.iter().filter(|section| !elf.bytes(section).is_empty()) {
        let place = (section.offset, section.offset + elf.bytes(section).len());
        let name = match section.name.as_str() {
            ".synth.hints" => continue,
            _ if section.executable => continue,
            ".debug_frame" => "frame information",
            name if name.starts_with(".synth.") => "what travels with the code",
            ".vectors" => "vector table",
            _ if section.allocated && section.writable => "data",
            _ if section.allocated => "constants",
            _ => continue,
        };
        parts.push(part(name, place.0, place.1, 1));
        if place.1 - place.0 >= 4 && section.allocated {
            parts.push(part(name, place.0, place.1 - (place.1 - place.0) % 4, 4));
        }
    }
    Some(parts)
}

fn part(name: &'static str, from: usize, to: usize, unit: usize) -> Part {
    Part { name, from, to, unit }
}
