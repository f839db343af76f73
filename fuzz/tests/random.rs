//! Random modules of two makers: each compiles, is proved, and runs as another engine runs it. The processors take
//! turns, with and without their floating-point units.
//!
//! `SYNTH_RANDOM_SEED`, `SYNTH_RANDOM_COUNT` and `SYNTH_RANDOM_QEMU` set the first seed, how many modules each maker
//! makes, and how many of them boot in QEMU. Without them they are few, and the same each time.

use synth::qemu::Qemu;
use synth_fuzz::agree::{self, Judged};
use synth_fuzz::choices::{Choices, decisions};
use synth_fuzz::{generate, oracle, smith};

#[test]
fn own_modules_are_proved_and_agree_with_another_engine() {
    let average = sweep(300, 25, |seed| {
        let bytes = decisions(seed, 3000);
        Some(generate::module(&mut Choices::new(&bytes)))
    });
    assert!(average >= 200, "modules are too short to tell");
}

#[test]
fn modules_of_wasm_smith_are_proved_and_agree_with_another_engine() {
    let average = sweep(300, 25, smith::module);
    assert!(average >= 50, "modules are too short to tell");
}

/// The operators that a module executes on average.
fn sweep(count: u64, in_qemu: u64, make: impl Fn(u64) -> Option<Vec<u8>>) -> u64 {
    let first = setting("SYNTH_RANDOM_SEED", 0);
    let count = setting("SYNTH_RANDOM_COUNT", count);
    let in_qemu = setting("SYNTH_RANDOM_QEMU", in_qemu);
    let installed = std::process::Command::new("qemu-system-arm").arg("--version").output().is_ok();
    assert!(installed || std::env::var_os("CI").is_none(), "qemu-system-arm is missing");
    let qemu = installed.then(Qemu::default);
    let (mut wrong, mut operators, mut booted, mut agreed, mut large) = (Vec::new(), 0, 0, 0, 0);
    for seed in first..first + count {
        let Some(wasm) = make(seed) else { continue };
        let qemu = qemu.as_ref().filter(|_| seed % (count / in_qemu.clamp(1, count)) == 0);
        booted += u64::from(qemu.is_some());
        match judge(seed, &wasm, qemu) {
            Ok(Judged::Agreed(executed)) => {
                operators += executed;
                agreed += 1;
            }
            Ok(Judged::TooLarge) => large += 1,
            Err(why) => {
                println!("seed {seed}: {why}");
                wrong.push(seed);
            }
        }
    }
    let average = operators / agreed.max(1);
    println!(
        "seeds {first} to {}: {agreed} modules agree, {large} are too large, {} are wrong, {booted} in QEMU, {average} operators on average",
        first + count,
        wrong.len()
    );
    assert!(wrong.is_empty(), "seeds {wrong:?}");
    assert!(large * 50 <= count, "too many modules are too large");
    average
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What became of the module of a seed, or what is wrong.
fn judge(seed: u64, wasm: &[u8], qemu: Option<&Qemu>) -> Result<Judged, String> {
    // The modules that boot in QEMU are evenly spaced, and are to be for all processors too.
    let config = oracle::config((seed + seed / 12) as usize);
    let arguments = decisions(seed ^ 0xa5a5, 500);
    agree::judge(wasm, &config, &mut Choices::new(&arguments), qemu)
}
