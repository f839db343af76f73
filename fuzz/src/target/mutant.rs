//! Damaged code is refused, or does what the module says.

use std::sync::LazyLock;

use synth::config::Config;
use synth_verify::check::{Checks, Options, Source, check_with};
use synth_verify::damage;
use synth_verify::elf::Elf;
use synth_verify::replay::Random;

use crate::choices::{Choices, decisions};
use crate::subjects::{self, Compiled};
use crate::{agree, generate, oracle};

/// Most instructions of one call: a damaged loop may have no end.
const STEPS_MAX: u64 = 1 << 22;

/// Runs of an accepted mutant, each with other arguments.
const RUNS: u64 = 20;

static SUBJECTS: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    subjects::all().into_iter().map(|subject: Compiled| (subject.image(), subject.wasm)).collect()
});

/// Damages one function of a subject, or of the module that the bytes make.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut random = Random::new(choices.i64() as u64);
    let config = Config::default();
    let (image, wasm) = match choices.below(SUBJECTS.len() + 2) {
        known if known < SUBJECTS.len() => SUBJECTS[known].clone(),
        _ => {
            let wasm = generate::module(&mut choices);
            let Ok(output) = synth::compile(&wasm, &config, &mut synth::stage::NoTap) else { return };
            let Ok(image) = synth::elf::image(&output.program, config.cpu, oracle::options(config.cpu)) else { return };
            (image, wasm)
        }
    };
    let Ok(elf) = Elf::read(&image) else { unreachable!("an image is an ELF file") };
    let functions = damage::functions(&elf);
    let function = &functions[random.below(functions.len() as u64) as usize];
    let Some(damage) = function.damage(&mut random) else { return };
    let mutant = damage.apply(&image);
    let options = Options { checks: Checks::All, replays: 0 };
    let judged = check_with(&[Source { name: "", wasm: &wasm }], &mutant, &options);
    if !judged.is_ok_and(|report| report.proved()) {
        return;
    }
    for seed in 0..RUNS {
        let arguments = decisions(seed, 500);
        let Ok(run) = agree::reference(&wasm, &config, &mut Choices::new(&arguments)) else { return };
        let difference = |image: &[u8]| {
            let firmware = agree::firmware(image).unwrap_or_else(|why| panic!("a proved image: {why}"));
            agree::difference(&run, agree::modelled(&firmware, &run.actions, STEPS_MAX))
        };
        // Engines have limits of their own: on steps, on calls within calls.
        if difference(&image).is_some() {
            continue;
        }
        if let Some(why) = difference(&mutant) {
            panic!("{} in {} at {:#x} is accepted: {why}", damage.operator.words(), function.name, damage.at);
        }
    }
}
