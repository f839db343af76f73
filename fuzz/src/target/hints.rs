//! Whatever the hints say: no wrong program is Proved, nothing panics, and what is read is written as it was.

use std::sync::LazyLock;

use synth_verify::hints::{Expr, FunctionHints, Hints, Location, codec};

use crate::change;
use crate::choices::Choices;
use crate::subjects::{self, Compiled};

/// Wrong programs of each module.
const WRONG_OF_EACH: usize = 4;

/// Bits of code that are flipped in search of one: a prime, to meet instructions at different bits.
const STRIDE: usize = 37;

/// The modules, and functions of which runs have shown that they are wrong.
struct Subjects {
    wrong: Vec<Compiled>,
    donors: Vec<FunctionHints>,
}

static SUBJECTS: LazyLock<Subjects> = LazyLock::new(|| {
    let modules = subjects::all();
    let donors = modules.iter().flat_map(|module| module.hints.functions.clone()).collect();
    let wrong = modules.iter().flat_map(|module| {
        assert!(module.proves(&module.elf(&module.hints)), "the accepted file is not Proved");
        let bits = |function: usize| (0..8 * module.program.functions[function].code.len()).step_by(STRIDE);
        let all = (0..module.program.functions.len()).flat_map(move |function| bits(function).map(move |bit| (function, bit)));
        all.filter_map(|(function, bit)| module.damaged(function, bit)).take(WRONG_OF_EACH)
    });
    Subjects { wrong: wrong.collect(), donors }
});

/// Gives a wrong program the hints that the bytes make.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let Subjects { wrong, donors } = &*SUBJECTS;
    let wrong = &wrong[choices.below(wrong.len())];
    let hints = match choices.below(8) {
        0 => header(wrong, choices.rest()),
        1 | 2 => {
            // The module's name and hash stay: other checks refuse those at once.
            let own = codec::encode(&wrong.hints);
            let (head, tail) = own.split_at(header(wrong, &[]).len());
            [head, &change::bytes(tail, &mut choices)].concat()
        }
        _ => {
            let mut hints = wrong.hints.clone();
            for _ in 0..=choices.below(4) {
                change(&mut hints, donors, &mut choices);
            }
            codec::encode(&hints)
        }
    };
    if let Ok(read) = codec::decode(&hints) {
        assert_eq!(codec::encode(&read), hints, "what is read is not what is written");
        let _ = codec::to_text(&read);
    }
    assert!(!wrong.proves(&wrong.elf_of(hints)), "hints make wrong code Proved");
}

/// Bytes behind the header that fits the module.
fn header(module: &Compiled, bytes: &[u8]) -> Vec<u8> {
    let mut head = codec::encode(&Hints { functions: Vec::new(), ..module.hints.clone() });
    // Without the number of functions, which is 0 and takes a byte.
    head.pop();
    [&head, bytes].concat()
}

fn pick(choices: &mut Choices<'_>, length: usize) -> Option<usize> {
    (length > 0).then(|| choices.below(length))
}

/// Changes one thing.
pub fn change(hints: &mut Hints, donors: &[FunctionHints], choices: &mut Choices<'_>) {
    let Some(which) = pick(choices, hints.functions.len()) else { return };
    let donor = donors[choices.below(donors.len())].clone();
    let function = &mut hints.functions[which];
    match choices.below(16) {
        0 => *function = FunctionHints { function: function.function, ..donor },
        1 => function.cuts = donor.cuts,
        2 => function.frame_bytes = 8 * choices.below(6) as u32,
        3 => function.checked_bytes = 8 * choices.below(6) as u32,
        4 => {
            if let (Some(one), Some(other)) = (pick(choices, function.labels.len()), pick(choices, function.labels.len()))
            {
                let (reads, writes) = (function.labels[one].reads.clone(), function.labels[one].writes.clone());
                function.labels[one].reads = std::mem::replace(&mut function.labels[other].reads, reads);
                function.labels[one].writes = std::mem::replace(&mut function.labels[other].writes, writes);
            }
        }
        5 => function.joins.clear(),
        6 => {
            if let Some(at) = pick(choices, function.labels.len()) {
                function.labels[at].class = donor.labels[choices.below(donor.labels.len())].class;
            }
        }
        7 => {
            let (start, bytes) = (2 * u32::from(choices.byte()), 2 * choices.below(8) as u32);
            function.data.push((start, start + bytes));
        }
        8 => function.code_bytes = function.code_bytes.wrapping_add(2 * choices.below(8) as u32).wrapping_sub(8),
        9 => hints.functions.truncate(which),
        _ => change_cut(function, choices),
    }
}

/// One cut dropped, moved, or saying something else.
fn change_cut(function: &mut FunctionHints, choices: &mut Choices<'_>) {
    let Some(which) = pick(choices, function.cuts.len()) else { return };
    let other = choices.below(function.cuts.len());
    let of_other = function.cuts[other].nodes.clone();
    let cut = &mut function.cuts[which];
    let nodes = cut.nodes.len().max(1);
    let node = |choices: &mut Choices<'_>| choices.below(nodes) as u32;
    match choices.below(12) {
        0 => _ = function.cuts.remove(which),
        1 => {
            let places = (function.cuts[which].at, function.cuts[other].at);
            function.cuts.swap(which, other);
            (function.cuts[which].at, function.cuts[other].at) = places;
        }
        2 => cut.facts.clear(),
        3 => {
            cut.nodes.push(Expr::Const32(choices.below(2) as u32));
            cut.facts.push(cut.nodes.len() as u32 - 1);
        }
        4 => {
            if let Some(at) = pick(choices, cut.locations.len()) {
                cut.locations[at].location = location(choices);
            }
        }
        5 => {
            if let Some(at) = pick(choices, cut.locations.len()) {
                cut.locations[at].value = node(choices);
            }
        }
        6 => {
            if let Some(at) = pick(choices, cut.locals.len()) {
                cut.locals[at] = (choices.below(3) > 0).then(|| node(choices));
            }
        }
        7 => cut.depth = 4 * choices.below(8) as u32,
        8 => {
            if let Some(at) = pick(choices, cut.nodes.len()) {
                cut.nodes[at] = match choices.below(3) {
                    0 => Expr::Const32(choices.i32() as u32),
                    1 => Expr::Const64(choices.i64() as u64),
                    _ => of_other.get(at).copied().unwrap_or(Expr::Const32(0)),
                };
            }
        }
        9 => cut.at = 2 * u32::from(choices.byte()),
        10 => {
            if let Some(at) = pick(choices, cut.unknowns.len()) {
                cut.unknowns.remove(at);
            }
        }
        _ => {
            let source = function.cuts[other].source.clone();
            function.cuts[which].source = source;
        }
    }
}

fn location(choices: &mut Choices<'_>) -> Location {
    match choices.below(3) {
        0 => Location::Core(choices.below(15) as u8),
        1 => Location::Single(choices.below(32) as u8),
        _ => Location::Stack(4 * (i32::from(choices.byte()) - 128)),
    }
}
