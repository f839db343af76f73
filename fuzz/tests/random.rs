//! Random modules: each compiles, is proved, and runs as another engine runs it. The processors take turns.
//!
//! `SYNTH_RANDOM_COUNT` and `SYNTH_RANDOM_QEMU` set how many are made and how many of them boot in
//! QEMU; the seeds are fixed, from 0 on.

use synth::config::{Config, Cpu};
use synth::qemu::Qemu;
use synth_fuzz::agree;
use synth_fuzz::choices::{Choices, decisions};
use synth_fuzz::generate::module;
use synth_fuzz::oracle;

/// Modules in the default run.
const COUNT: u64 = 300;

/// Most instructions of one call in the interpreter.
const STEPS_MAX: u64 = 1 << 30;

/// Modules of the default run that boot in QEMU.
const IN_QEMU: u64 = 25;

#[test]
fn random_modules_are_proved_and_agree_with_another_engine() {
    let count = setting("SYNTH_RANDOM_COUNT", COUNT);
    let in_qemu = setting("SYNTH_RANDOM_QEMU", IN_QEMU);
    let installed = std::process::Command::new("qemu-system-arm").arg("--version").output().is_ok();
    assert!(installed || std::env::var_os("CI").is_none(), "qemu-system-arm is missing");
    let qemu = installed.then(Qemu::default);
    let (mut wrong, mut operators, mut booted) = (Vec::new(), 0, 0);
    for seed in 0..count {
        let qemu = qemu.as_ref().filter(|_| seed % (count / in_qemu.clamp(1, count)) == 0);
        booted += u64::from(qemu.is_some());
        match judge(seed, qemu) {
            Ok(executed) => operators += executed,
            Err(why) => wrong.push(format!("seed {seed}: {why}")),
        }
    }
    let average = operators / count;
    println!("{count} modules, {} wrong, {booted} in QEMU, {average} operators on average", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(average >= 200, "modules are too short to tell");
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The operators that the other engine executed, or what is wrong.
fn judge(seed: u64, qemu: Option<&Qemu>) -> Result<u64, String> {
    let bytes = decisions(seed, 3000);
    let generated = module(&mut Choices::new(&bytes));
    // The modules that boot in QEMU are evenly spaced, and are to be for all processors too.
    let cpu = Cpu::ALL[((seed + seed / 12) % Cpu::ALL.len() as u64) as usize];
    let config = Config { cpu, ..Config::default() };
    let arguments = decisions(seed ^ 0xa5a5, 500);
    let run = agree::reference(&generated, &config, &mut Choices::new(&arguments))?;
    let proved = oracle::image(&generated.wasm, &config).map_err(|failure| failure.to_string())?;
    let firmware = agree::firmware(&proved.elf)?;
    let outcomes = synth::model::run(&firmware, &run.actions, STEPS_MAX).map_err(|error| error.to_string())?;
    let outcomes: Vec<_> = outcomes.into_iter().map(|(outcome, _)| outcome).collect();
    if let Some(difference) = agree::difference(&run, &outcomes) {
        return Err(format!("in the interpreter: {difference}"));
    }
    if let Some(qemu) = qemu {
        let outcomes = qemu.run(&firmware, &run.actions).map_err(|error| error.to_string())?;
        if let Some(difference) = agree::difference(&run, &outcomes) {
            return Err(format!("in QEMU: {difference}"));
        }
    }
    Ok(run.operators)
}
