//! Hints are untrusted: none makes wrong code Proved, and none makes the validator panic.

use synth_fuzz::damage::hints::changed;
use synth_fuzz::subjects::{self, Compiled};
use synth_verify::hints::{FunctionHints, codec};
use synth_verify::replay::Random;

/// The same with one bit of code flipped, if a concrete run shows that it is wrong now.
fn damaged(module: &Compiled, random: &mut Random) -> Option<Compiled> {
    let function = random.below(module.program.functions.len() as u64) as usize;
    let at = random.below(module.program.functions[function].code.len() as u64) as usize;
    module.damaged(function, 8 * at + random.below(8) as usize)
}

#[test]
fn no_hints_make_wrong_code_proved() {
    let modules = subjects::all();
    let donors: Vec<FunctionHints> = modules.iter().flat_map(|module| module.hints.functions.clone()).collect();
    let mut random = Random::new(0x5eed);
    let mut tried = 0;
    for module in &modules {
        assert!(module.proves(&module.elf(&module.hints)), "the accepted file is not Proved");
        let wrong: Vec<Compiled> = (0..24).filter_map(|_| damaged(module, &mut random)).take(5).collect();
        assert!(!wrong.is_empty(), "no damage is shown wrong");
        for wrong in &wrong {
            for _ in 0..10 {
                let mut hints = wrong.hints.clone();
                for _ in 0..=random.below(3) {
                    hints = changed(&hints, &donors, &mut random);
                }
                assert!(!wrong.proves(&wrong.elf(&hints)), "hints make wrong code Proved:\n{}", codec::to_text(&hints));
                tried += 1;
            }
        }
    }
    println!("{tried} sets of hints, none of which makes wrong code Proved");
}

#[test]
fn no_hints_make_the_validator_panic() {
    let modules = subjects::all();
    let donors: Vec<FunctionHints> = modules.iter().flat_map(|module| module.hints.functions.clone()).collect();
    let mut random = Random::new(7);
    for module in &modules {
        for _ in 0..20 {
            let mut hints = module.hints.clone();
            for _ in 0..=random.below(6) {
                hints = changed(&hints, &donors, &mut random);
            }
            let _ = module.proves(&module.elf(&hints));
        }
        for _ in 0..60 {
            let mut bytes = codec::encode(&module.hints);
            for _ in 0..=random.below(3) {
                // The module's name and hash stay: other checks refuse those at once.
                let at = 48 + random.below(bytes.len() as u64 - 48) as usize;
                bytes[at] = random.word() as u8;
            }
            let _ = module.proves(&module.elf_of(bytes));
        }
    }
}
