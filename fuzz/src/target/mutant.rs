//! A damaged program is refused, or does what its module says.

use std::sync::LazyLock;

use synth::config::Config;
use synth::qemu::firmware::Firmware;
use synth_verify::check::{Options, Source, check_with};
use synth_verify::elf::Elf;
use synth_verify::replay::Random;

use crate::choices::{Choices, decisions};
use crate::damage::{Kind, Subject, mutant};
use crate::subjects::MODULES;
use crate::{agree, generate};

/// Most instructions of one call: a damaged loop may have no end.
const STEPS_MAX: u64 = 1 << 20;

/// Runs of an accepted mutant, each with other arguments.
const RUNS: u64 = 6;

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let wasm = |text: &&str| wat::parse_str(text).expect("the text of a module");
    let subject = |wasm| Subject::new("", wasm, Config::default(), Kind::Image).expect("a proved image");
    MODULES.iter().map(wasm).map(subject).collect()
});

/// Damages a known subject, or the module that the bytes make.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut random = Random::new(choices.i64() as u64);
    let subject = match choices.below(SUBJECTS.len() + 2) {
        known if known < SUBJECTS.len() => SUBJECTS[known].clone(),
        _ => match Subject::new("", generate::module(&mut choices), Config::default(), Kind::Image) {
            Ok(subject) => subject,
            // Whether every module is proved is another target's question.
            Err(_) => return,
        },
    };
    let Some(mutant) = mutant(&subject, &SUBJECTS, &mut random) else { return };
    let options = Options { replays: 0, ..Options::default() };
    let judged = check_with(&[Source { name: "", wasm: &mutant.wasm }], &mutant.elf, &options);
    if !judged.is_ok_and(|report| report.proved()) {
        return;
    }
    // What says how an image is called is no part of the claim.
    if interface(&mutant.elf) != interface(&subject.elf) {
        return;
    }
    let firmware = |image: &[u8]| agree::firmware(image).unwrap_or_else(|why| panic!("a proved image: {why}"));
    let (own, damaged) = (firmware(&subject.elf), firmware(&mutant.elf));
    for seed in 0..RUNS {
        let difference = |wasm: &[u8], image: &Firmware| {
            let arguments = decisions(seed, 500);
            let run = agree::reference(wasm, &subject.config, &mut Choices::new(&arguments)).ok()?;
            agree::difference(&run, agree::modelled(image, &run.actions, STEPS_MAX))
        };
        // Engines have limits of their own: on steps, on calls within calls.
        if difference(&subject.wasm, &own).is_some() {
            continue;
        }
        if let Some(why) = difference(&mutant.wasm, &damaged) {
            panic!("{mutant} is accepted: {why}");
        }
    }
}

fn interface(image: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::read(image).ok()?;
    elf.section(".synth.interface").map(|(_, section)| elf.bytes(section).to_vec())
}
