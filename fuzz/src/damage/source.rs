//! Damage to the Wasm module, the code staying as it is: whether the source is really read.
//!
//! Ensures: the module is valid.

use std::ops::{Range, RangeInclusive};

use synth_verify::replay::Random;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::{choose, pick};

/// Operators without immediates by type, as ranges of their bytes (Wasm core spec, 5.4.7), and accesses of one type.
const FAMILIES: [RangeInclusive<u8>; 22] = [
    0x46..=0x4f,
    0x51..=0x5a,
    0x5b..=0x60,
    0x61..=0x66,
    0x67..=0x69,
    0x6a..=0x78,
    0x79..=0x7b,
    0x7c..=0x8a,
    0x8b..=0x91,
    0x92..=0x98,
    0x99..=0x9f,
    0xa0..=0xa6,
    0xa8..=0xa9,
    0xaa..=0xab,
    0xac..=0xad,
    0xb2..=0xb3,
    0xb7..=0xb8,
    0xc0..=0xc1,
    0xc2..=0xc4,
    0x2c..=0x2f,
    0x30..=0x35,
    0x3c..=0x3e,
];

/// What is done, and the module then, which is valid.
pub fn damage(wasm: &[u8], random: &mut Random) -> Option<(&'static str, usize, Vec<u8>)> {
    let found = if random.below(4) == 0 { outside_code(wasm, random)? } else { in_code(wasm, random)? };
    let (what, at, byte) = found;
    let mut changed = wasm.to_vec();
    changed[at] = byte;
    let features = WasmFeatures::all();
    (changed != wasm && Validator::new_with_features(features).validate_all(&changed).is_ok())
        .then_some((what, at, changed))
}

/// A byte of an operator: what is done, where, and the byte then.
fn in_code(wasm: &[u8], random: &mut Random) -> Option<(&'static str, usize, u8)> {
    let sites = operators(wasm)?;
    let place = &sites[pick(random, sites.len())?];
    let (start, length) = (place.start as usize, (place.end - place.start) as usize);
    let byte = wasm[start];
    if let Some(family) = FAMILIES.iter().find(|family| family.contains(&byte))
        && (length == 1 || random.below(2) == 0)
    {
        let others = family.clone().filter(|other| *other != byte).map(|other| ("other operator", other));
        let (what, other) = choose(others.collect(), random)?;
        return Some((what, start, other));
    }
    let at = start + 1 + pick(random, length - 1)?;
    Some(("other immediate", at, near(wasm[at], random)))
}

fn near(byte: u8, random: &mut Random) -> u8 {
    match random.below(4) {
        0 => byte.wrapping_add(1),
        1 => byte.wrapping_sub(1),
        2 => byte ^ 4,
        _ => byte ^ 1 << random.below(7),
    }
}

/// The bytes of each operator.
fn operators(wasm: &[u8]) -> Option<Vec<Range<u64>>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.ok()? else { continue };
        let mut reader = body.get_operators_reader().ok()?;
        while !reader.eof() {
            let start = reader.original_position();
            reader.read().ok()?;
            found.push(start..reader.original_position());
        }
    }
    Some(found)
}

/// A byte of what is no code: limits, initial values, data, elements, types.
fn outside_code(wasm: &[u8], random: &mut Random) -> Option<(&'static str, usize, u8)> {
    let mut found: Vec<(&'static str, Range<u64>)> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::TypeSection(section) => found.push(("other byte of types", section.range())),
            Payload::FunctionSection(section) => found.push(("other type of a function", section.range())),
            Payload::TableSection(section) => found.push(("other byte of tables", section.range())),
            Payload::MemorySection(section) => found.push(("other byte of memories", section.range())),
            Payload::GlobalSection(section) => found.push(("other byte of globals", section.range())),
            Payload::ExportSection(section) => found.push(("other byte of exports", section.range())),
            Payload::StartSection { range, .. } => found.push(("other start function", range)),
            Payload::ElementSection(section) => found.push(("other byte of elements", section.range())),
            Payload::DataSection(section) => found.push(("other byte of data", section.range())),
            _ => {}
        }
    }
    let (what, range) = choose(found, random)?;
    let at = range.start as usize + pick(random, (range.end - range.start) as usize)?;
    Some((what, at, near(wasm[at], random)))
}
