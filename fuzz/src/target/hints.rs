//! Whatever the hints say: no wrong program is Proved, nothing panics, and what is read is written as it was.

use std::sync::LazyLock;

use synth_verify::hints::{FunctionHints, Hints, codec};
use synth_verify::replay::Random;

use crate::change;
use crate::choices::Choices;
use crate::damage::hints::changed;
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
        let all = (0..module.program.functions.len())
            .flat_map(move |function| bits(function).map(move |bit| (function, bit)));
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
                hints = changed(&hints, donors, &mut Random::new(choices.i64() as u64));
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
