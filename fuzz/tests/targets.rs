//! Each fuzz target runs for about a second: on the seeds, on the corpus if there is one, and on random bytes.

use std::path::Path;
use std::time::{Duration, Instant};

use synth_fuzz::choices::{Choices, decisions};
use synth_fuzz::target::{self, Target};
use synth_fuzz::{functions, regalloc};

/// How long a target runs, after what it prepares.
const TIME: Duration = Duration::from_secs(1);

/// Random inputs that it runs on in any case.
const RUNS_MIN: u64 = 4;

fn sweep(name: &str) {
    let (_, run): Target = *target::ALL.iter().find(|(known, _)| *known == name).expect("a target");
    run(&[]);
    let begun = Instant::now();
    for folder in ["seeds", "corpus"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
        if !folder.is_dir() {
            continue;
        }
        for file in target::files(folder).expect("a readable folder") {
            if folder_is_seeds(&file) || begun.elapsed() < TIME / 2 {
                run(&std::fs::read(file).expect("a readable file"));
            }
        }
    }
    let mut runs = 0;
    while runs < RUNS_MIN || begun.elapsed() < TIME {
        run(&decisions(runs, [16, 60, 200, 800][runs as usize % 4]));
        runs += 1;
    }
    println!("{name}: {runs} random inputs");
}

/// What was found once is run each time.
fn folder_is_seeds(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "seeds")
}

#[test]
fn allocator() {
    sweep("allocator");
}

#[test]
fn another_allocator_spills_more() {
    let (mut ours, mut others) = (0, 0);
    for seed in 0..200 {
        let func = functions::function(&mut Choices::new(&decisions(seed, [100, 300, 1000][seed as usize % 3])));
        let stats = synth::alloc::run(&func).stats;
        ours += stats.spills + stats.reloads;
        others += regalloc::spills(&func).expect("an allocation").moves as u32;
    }
    println!("{ours} stores to slots and loads from them, {others} of the other allocator");
    assert!(ours <= others, "{ours} against {others}");
}

#[test]
fn decode() {
    sweep("decode");
}

#[test]
fn elf() {
    sweep("elf");
}

#[test]
fn hints() {
    sweep("hints");
}

#[test]
fn mutant() {
    sweep("mutant");
}

#[test]
fn pipeline() {
    sweep("pipeline");
}

#[test]
fn wasm() {
    sweep("wasm");
}
