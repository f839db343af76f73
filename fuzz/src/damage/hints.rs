//! Hints with something changed, and files that carry other hints.

use sha2::{Digest, Sha256};
use synth_verify::elf::Elf;
use synth_verify::hints::{Cut, Expr, FunctionHints, Hints, Location, Shown, codec};
use synth_verify::replay::Random;

use super::{choose, pick};

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

/// Changes the hints of one function. Yields nothing if there is nothing of the kind.
type Change = fn(&mut FunctionHints, &mut Random) -> Option<()>;

const CHANGES: [(&str, Change); 26] = [
    ("all dropped", |hints, _| Some(*hints = FunctionHints { function: hints.function, ..FunctionHints::default() })),
    ("other frame size", |hints, random| Some(hints.frame_bytes ^= 4 << random.below(3))),
    ("other checked stack", |hints, random| Some(hints.checked_bytes ^= 8 << random.below(6))),
    ("other size of code", |hints, random| Some(hints.code_bytes ^= 2 << random.below(3))),
    ("other function", |hints, random| Some(hints.function ^= 1 << random.below(2))),
    ("no joins", |hints, _| Some(hints.joins.clear())),
    ("cut dropped", |hints, random| Some(_ = hints.cuts.remove(pick(random, hints.cuts.len())?))),
    ("cuts exchanged", |hints, random| {
        let (one, other) = (pick(random, hints.cuts.len())?, pick(random, hints.cuts.len())?);
        let places = (hints.cuts[one].at, hints.cuts[other].at);
        hints.cuts.swap(one, other);
        (hints.cuts[one].at, hints.cuts[other].at) = places;
        Some(())
    }),
    ("cut elsewhere", |hints, random| {
        let near = random.below(2) == 0;
        let step = 2 * random.below(if near { 4 } else { 256 }) as u32;
        let cut = cut(hints, random)?;
        Some(cut.at = if near { cut.at ^ step } else { step })
    }),
    ("fact dropped", |hints, random| {
        let cut = cut(hints, random)?;
        Some(_ = cut.facts.remove(pick(random, cut.facts.len())?))
    }),
    ("fact invented", |hints, random| {
        let value = random.below(2) as u32;
        let cut = cut(hints, random)?;
        cut.nodes.push(Expr::Const32(value));
        Some(cut.facts.push(cut.nodes.len() as u32 - 1))
    }),
    ("any node a fact", |hints, random| {
        let cut = cut(hints, random)?;
        Some(cut.facts.push(pick(random, cut.nodes.len())? as u32))
    }),
    ("other node", |hints, random| {
        let cut = cut(hints, random)?;
        let (at, from) = (pick(random, cut.nodes.len())?, pick(random, cut.nodes.len())?);
        Some(cut.nodes[at] = cut.nodes[from])
    }),
    ("other constant", |hints, random| {
        let cut = cut(hints, random)?;
        let at = pick(random, cut.nodes.len())?;
        let changed = match cut.nodes[at] {
            Expr::Const32(value) => Expr::Const32(value ^ 1 << random.below(5)),
            Expr::Const64(value) => Expr::Const64(value ^ 1 << random.below(40)),
            Expr::Load(memory, bytes, node) => Expr::Load(memory, bytes ^ 3, node),
            Expr::Unknown(index) => Expr::Unknown(index ^ 1),
            _ => return None,
        };
        Some(cut.nodes[at] = changed)
    }),
    ("located elsewhere", |hints, random| {
        let cut = cut(hints, random)?;
        let at = pick(random, cut.locations.len())?;
        Some(
            cut.locations[at].location = match (random.below(4), cut.locations[at].location) {
                (0, _) => Location::Stack(4 * (random.below(256) as i32 - 128)),
                (1, _) => Location::Single(random.below(32) as u8),
                (_, Location::Stack(offset)) => Location::Stack(offset ^ 4),
                (_, Location::Core(_) | Location::Single(_)) => Location::Core(random.below(15) as u8),
            },
        )
    }),
    ("places exchanged", |hints, random| {
        let cut = cut(hints, random)?;
        let (one, other) = (pick(random, cut.locations.len())?, pick(random, cut.locations.len())?);
        let places = (cut.locations[one].location, cut.locations[other].location);
        Some((cut.locations[other].location, cut.locations[one].location) = places)
    }),
    ("place dropped", |hints, random| {
        let cut = cut(hints, random)?;
        Some(_ = cut.locations.remove(pick(random, cut.locations.len())?))
    }),
    ("other value", |hints, random| {
        let cut = cut(hints, random)?;
        let (at, node) = (pick(random, cut.locations.len())?, pick(random, cut.nodes.len())?);
        Some(cut.locations[at].value = node as u32)
    }),
    ("other local", |hints, random| {
        let cut = cut(hints, random)?;
        let (at, node) = (pick(random, cut.locals.len())?, pick(random, cut.nodes.len())?);
        Some(cut.locals[at] = (random.below(3) > 0).then_some(node as u32))
    }),
    ("other place of the source", |hints, random| {
        let step = random.below(5) as u32 + 1;
        let cut = cut(hints, random)?;
        let at = pick(random, cut.source.len())?;
        let place = &mut cut.source[at].1;
        Some(*place = if random.below(2) == 0 { *place + step } else { place.wrapping_sub(step) })
    }),
    ("other depth", |hints, random| {
        let step = 4 << random.below(2);
        Some(cut(hints, random)?.depth ^= step)
    }),
    ("unknown dropped", |hints, random| {
        let cut = cut(hints, random)?;
        Some(_ = cut.unknowns.remove(pick(random, cut.unknowns.len())?))
    }),
    ("any constant", |hints, random| {
        let value = random.word();
        let cut = cut(hints, random)?;
        let at = pick(random, cut.nodes.len())?;
        Some(cut.nodes[at] = if value & 1 == 0 { Expr::Const32(value as u32) } else { Expr::Const64(value) })
    }),
    ("code called data", |hints, random| {
        let start = 2 * random.below(256) as u32;
        Some(hints.data.push((start, start + 2 * random.below(8) as u32)))
    }),
    ("shown elsewhere", |hints, random| {
        let cut = cut(hints, random)?;
        let at = pick(random, cut.unknowns.len())?;
        let shown = &mut cut.unknowns[at].shown;
        Some(
            *shown = match *shown {
                Shown::Nowhere => Shown::Local(0, 0),
                Shown::Result(place, above) => Shown::Result(place + 1, above),
                Shown::Local(place, local) => Shown::Local(place, local ^ 1),
                Shown::Stack(place, slot) => Shown::Stack(place, slot ^ 1),
            },
        )
    }),
    ("label", |hints, random| {
        let at = pick(random, hints.labels.len())?;
        let other = pick(random, hints.labels.len())?;
        let (one, two) = (hints.labels[at].clone(), hints.labels[other].clone());
        match random.below(5) {
            0 => _ = hints.labels.remove(at),
            1 => hints.labels[at].writes = two.writes,
            2 => hints.labels[at].reads = two.reads,
            3 => hints.labels[at].class = two.class,
            _ => {
                (hints.labels[at].at, hints.labels[other].at) = (two.at, one.at);
                hints.labels.swap(at, other);
            }
        }
        Some(())
    }),
];

fn cut<'a>(hints: &'a mut FunctionHints, random: &mut Random) -> Option<&'a mut Cut> {
    let at = pick(random, hints.cuts.len())?;
    hints.cuts.get_mut(at)
}

/// Hints with one thing changed; as they were where chance leads to nothing that can be changed so.
pub fn changed(hints: &Hints, donors: &[FunctionHints], random: &mut Random) -> Hints {
    damage(hints, donors, random).map_or_else(|| hints.clone(), |(_, changed)| changed)
}

/// What is changed, and the hints then.
pub fn damage(hints: &Hints, donors: &[FunctionHints], random: &mut Random) -> Option<(&'static str, Hints)> {
    let mut hints = hints.clone();
    let at = pick(random, hints.functions.len())?;
    let before = hints.functions[at].clone();
    let what = match random.below(16) {
        0 => {
            hints.functions.truncate(at);
            return Some(("no records of functions", hints));
        }
        1 => {
            let donor = donors[pick(random, donors.len())?].clone();
            hints.functions[at] = FunctionHints { function: before.function, ..donor };
            "those of another function"
        }
        2 => {
            hints.functions[at].cuts.clone_from(&donors[pick(random, donors.len())?].cuts);
            "cuts of another function"
        }
        _ => {
            let (what, change) = choose(CHANGES.to_vec(), random)?;
            change(&mut hints.functions[at], random)?;
            what
        }
    };
    (before != hints.functions[at]).then_some((what, hints))
}
