//! Compiles and proves files, or random modules: `prove FILE..`, `prove --count N --seed S`, with `--smith` those of
//! wasm-smith; for another processor behind `--cpu NAME`, with its floating-point unit behind `--hard-float`.
//! `--print SEED` writes a random module instead.

use std::time::Instant;

use synth::config::{Config, Cpu};
use synth_fuzz::choices::{Choices, decisions};
use synth_fuzz::generate::module;
use synth_fuzz::oracle::{self, Failure};
use synth_fuzz::smith;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut config = Config::default();
    if let Some(at) = arguments.iter().position(|argument| argument == "--cpu") {
        let cpu: Vec<String> = arguments.drain(at..(at + 2).min(arguments.len())).collect();
        config.cpu = cpu.get(1).and_then(|name| Cpu::named(name)).expect("the name of a processor");
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--hard-float") {
        arguments.remove(at);
        config.float = config.cpu.float_unit();
    }
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let of_smith = arguments.iter().any(|argument| argument == "--smith");
    let make = |seed| {
        if of_smith { smith::module(seed) } else { Some(module(&mut Choices::new(&decisions(seed, 3000)))) }
    };
    let mut failed = 0;
    if let Some(seed) = option("--print") {
        return std::fs::write("/dev/stdout", make(seed).expect("a module")).expect("standard output");
    }
    match option("--count") {
        Some(count) => {
            let first = option("--seed").unwrap_or(0);
            for seed in first..first + count {
                let Some(wasm) = make(seed) else { continue };
                failed += u32::from(!judge(&format!("seed {seed}"), &wasm, &config));
            }
        }
        None => {
            for file in &arguments {
                let wasm =
                    synth::wasm::read(&std::fs::read(file).expect("a readable file")).expect("Wasm").into_owned();
                failed += u32::from(!judge(file, &wasm, &config));
            }
        }
    }
    println!("{failed} failed");
    std::process::exit(i32::from(failed > 0));
}

fn judge(name: &str, wasm: &[u8], config: &Config) -> bool {
    let begun = Instant::now();
    match oracle::object(wasm, config) {
        Ok(proved) => {
            let bytes: u32 = proved.report.functions.iter().map(|function| function.code_bytes).sum();
            println!("{name}: proved, {bytes} bytes, {:?}, {:?}", proved.report.methods(), begun.elapsed());
            true
        }
        Err(Failure::Unproved(report)) => {
            println!("{name}: NOT PROVED, {:?}", begun.elapsed());
            for function in report.functions.iter().filter(|function| !function.findings.is_empty()) {
                println!("  {} {}: {}", function.function, function.name, function.verdict);
                for finding in &function.findings {
                    println!("    {:#x} {:?}: {}", finding.at, finding.check, finding.message);
                }
            }
            for finding in &report.findings {
                println!("  file {:?}: {}", finding.check, finding.message);
            }
            println!("  uncovered {}", report.uncovered_bytes);
            false
        }
        Err(failure) => {
            println!("{name}: {failure:?}");
            false
        }
    }
}
