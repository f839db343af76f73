//! Compares the validator's models of the machine with what others made, and prints the tables of `docs/fidelity.md`:
//! `fidelity decode`, the decoder with disassemblers; `fidelity thumb`, the meaning of instructions with QEMU.
//!
//! It ends with 1 if something differs, and with 2 if something could not be compared.

use std::io;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use synth_fuzz::fidelity::decode::{self, Disassembler};
use synth_fuzz::fidelity::profile::{PROFILES, Profile};
use synth_fuzz::fidelity::report::{self, Decoded};
use synth_fuzz::fidelity::sample::{Code, Sampler, narrow};
use synth_fuzz::fidelity::semantics;

#[derive(Parser)]
#[command(about = "Compares the validator's models of the machine with disassemblers and QEMU")]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The decoder with LLVM and binutils: every 16-bit encoding, and 32-bit ones from every class
    Decode(Options),
    /// The meaning of instructions with QEMU
    Thumb(Options),
}

#[derive(Args)]
struct Options {
    /// A processor; without it all of them
    #[arg(long, value_parser = named)]
    cpu: Vec<&'static Profile>,
    /// How many 32-bit encodings, or cases, of each processor
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
    /// What is drawn depends on it alone
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print tables
    #[arg(long)]
    markdown: bool,
}

fn named(name: &str) -> Result<&'static Profile, String> {
    let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    Profile::named(name).ok_or_else(|| format!("it is one of {}", names.join(", ")))
}

/// How many encodings are compared at once.
const CHUNK: u64 = 250_000;

fn main() -> ExitCode {
    let result = match Command::parse().what {
        What::Decode(options) => decode(&options),
        What::Thumb(options) => thumb(&options),
    };
    match result {
        Ok(0) => ExitCode::SUCCESS,
        Ok(different) => {
            eprintln!("{different} differ");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn profiles(options: &Options) -> Vec<&'static Profile> {
    if options.cpu.is_empty() { PROFILES.iter().collect() } else { options.cpu.clone() }
}

fn missing(what: &str) -> io::Error {
    io::Error::other(format!("{what} is not installed: ./setup --test-tools"))
}

fn decode(options: &Options) -> io::Result<u64> {
    let mut all = Vec::new();
    for profile in profiles(options) {
        for by in Disassembler::ALL {
            let compare =
                |codes: &[Code]| decode::compare((by, profile), codes, None)?.ok_or_else(|| missing(by.name()));
            let found = compare(&narrow().collect::<Vec<_>>())?;
            all.push(Decoded { profile, by, what: "16-bit", found });
            let mut sampler = Sampler::new(options.seed);
            let mut found = decode::Comparison::default();
            let mut left = options.count;
            while left > 0 {
                let codes: Vec<Code> = (0..left.min(CHUNK)).map(|_| sampler.code()).collect();
                found.merge(compare(&codes)?);
                left -= codes.len() as u64;
            }
            all.push(Decoded { profile, by, what: "32-bit", found });
            for one in &all[all.len() - 2..] {
                let Decoded { what, found, .. } = one;
                let (compared, differences) = (found.compared, found.differences);
                eprintln!("{} {what} by {}: {compared} compared, {differences} differ", profile.name, by.name());
                found.unexplained.iter().for_each(|text| eprintln!("  {text}"));
            }
        }
    }
    if options.markdown {
        print!("{}", report::decoded(&all).map_err(io::Error::other)?);
    }
    Ok(all.iter().map(|one| one.found.differences as u64).sum())
}

fn thumb(options: &Options) -> io::Result<u64> {
    let mut all = Vec::new();
    for profile in profiles(options) {
        let found = semantics::compare(profile, options.count, options.seed)?;
        let found = found.ok_or_else(|| missing("QEMU or LLVM"))?;
        eprintln!("{}: {} cases, {} differ", profile.name, found.compared(), found.different());
        found.differences.iter().for_each(|text| eprintln!("  {text}"));
        all.push((profile, found));
    }
    if options.markdown {
        print!("{}", report::run(&all).map_err(io::Error::other)?);
    }
    Ok(all.iter().map(|(_, found)| found.different()).sum())
}
