//! Hints with something changed, and files that carry other hints.

use sha2::{Digest, Sha256};
use synth_verify::elf::Elf;
use synth_verify::hints::{Expr, FunctionHints, Hints, Location, codec};
use synth_verify::replay::Random;

const SECTION: &str = ".synth.hints";

/// The file with these hints instead of its own, which are longer or as long, or are made room for behind its end.
pub fn put(file: &[u8], hints: &Hints) -> Option<Vec<u8>> {
    put_bytes(file, &codec::encode(hints))
}

/// The file with these bytes in the place of its hints.
pub fn put_bytes(file: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::read(file).ok()?;
    let (index, _) = elf.section(SECTION)?;
    // The header of a section has its offset and its size in the file (ELF, section header).
    let headers = u32::from_le_bytes(file.get(32..36)?.try_into().ok()?) as usize;
    let header = headers + 40 * index;
    let mut changed = file.to_vec();
    let place = changed.len() as u32;
    changed.get_mut(header + 16..header + 20)?.copy_from_slice(&place.to_le_bytes());
    changed.get_mut(header + 20..header + 24)?.copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    changed.extend_from_slice(bytes);
    Some(changed)
}

/// The file, as if it had been made from this module.
pub fn of_module(file: &[u8], wasm: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::read(file).ok()?;
    let (_, section) = elf.section(SECTION)?;
    let hints = codec::decode(elf.bytes(section)).ok()?;
    put(file, &Hints { wasm_sha256: Sha256::digest(wasm).into(), ..hints })
}

fn pick(random: &mut Random, length: usize) -> Option<usize> {
    (length > 0).then(|| random.below(length as u64) as usize)
}

/// Hints with one thing changed.
pub fn changed(hints: &Hints, donors: &[FunctionHints], random: &mut Random) -> Hints {
    let mut hints = hints.clone();
    let Some(which) = pick(random, hints.functions.len()) else {
        return hints;
    };
    let donor = pick(random, donors.len()).map(|at| donors[at].clone()).unwrap_or_default();
    let function = &mut hints.functions[which];
    match random.below(16) {
        0 => {
            let number = function.function;
            *function = FunctionHints { function: number, ..donor };
        }
        1 => function.cuts = donor.cuts,
        2 => function.frame_bytes = 8 * random.below(6) as u32,
        3 => function.checked_bytes = 8 * random.below(6) as u32,
        4 => {
            if let Some(at) = pick(random, function.labels.len()) {
                let other = random.below(function.labels.len() as u64) as usize;
                let (one, two) = (function.labels[at].clone(), function.labels[other].clone());
                (function.labels[at].reads, function.labels[at].writes) = (two.reads, two.writes);
                (function.labels[other].reads, function.labels[other].writes) = (one.reads, one.writes);
            }
        }
        5 => function.joins.clear(),
        6 => {
            let class = pick(random, donor.labels.len()).map(|at| donor.labels[at].class);
            if let (Some(at), Some(class)) = (pick(random, function.labels.len()), class) {
                function.labels[at].class = class;
            }
        }
        7 => {
            let start = 2 * random.below(256) as u32;
            function.data.push((start, start + 2 * random.below(8) as u32));
        }
        8 => function.code_bytes = function.code_bytes.wrapping_add(2 * random.below(8) as u32).wrapping_sub(8),
        9 => hints.functions.truncate(which),
        _ => changed_cut(function, random),
    }
    hints
}

/// One cut dropped, moved, or saying something else.
fn changed_cut(function: &mut FunctionHints, random: &mut Random) {
    let Some(which) = pick(random, function.cuts.len()) else {
        return;
    };
    let other = random.below(function.cuts.len() as u64) as usize;
    let of_other = function.cuts[other].nodes.clone();
    let cut = &mut function.cuts[which];
    let nodes = cut.nodes.len().max(1) as u64;
    let node = |random: &mut Random| random.below(nodes) as u32;
    match random.below(12) {
        0 => _ = function.cuts.remove(which),
        1 => {
            let places = (function.cuts[which].at, function.cuts[other].at);
            function.cuts.swap(which, other);
            (function.cuts[which].at, function.cuts[other].at) = places;
        }
        2 => cut.facts.clear(),
        3 => {
            cut.nodes.push(Expr::Const32(random.below(2) as u32));
            cut.facts.push(cut.nodes.len() as u32 - 1);
        }
        4 => {
            if let Some(at) = pick(random, cut.locations.len()) {
                cut.locations[at].location = location(random);
            }
        }
        5 => {
            if let Some(at) = pick(random, cut.locations.len()) {
                cut.locations[at].value = node(random);
            }
        }
        6 => {
            if let Some(at) = pick(random, cut.locals.len()) {
                cut.locals[at] = (random.below(3) > 0).then(|| node(random));
            }
        }
        7 => cut.depth = 4 * random.below(8) as u32,
        8 => {
            if let Some(at) = pick(random, cut.nodes.len()) {
                cut.nodes[at] = match random.below(3) {
                    0 => Expr::Const32(random.word() as u32),
                    1 => Expr::Const64(random.word()),
                    _ => of_other.get(at).copied().unwrap_or(Expr::Const32(0)),
                };
            }
        }
        9 => cut.at = 2 * random.below(256) as u32,
        10 => {
            if let Some(at) = pick(random, cut.unknowns.len()) {
                cut.unknowns.remove(at);
            }
        }
        _ => {
            let source = function.cuts[other].source.clone();
            function.cuts[which].source = source;
        }
    }
}

fn location(random: &mut Random) -> Location {
    match random.below(4) {
        0 | 1 => Location::Core(random.below(15) as u8),
        2 => Location::Single(random.below(32) as u8),
        _ => Location::Stack(4 * (random.below(256) as i32 - 128)),
    }
}
