//! Damages proved files and counts which damages the validator refuses.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use synth::config::{Config, Cpu};
use synth::qemu::Qemu;
use synth_fuzz::damage::{Kind, Subject};
use synth_fuzz::judge::Judge;
use synth_fuzz::mutants::{Found, Plan, Table, modules, run};
use synth_verify::check::Solvers;

/// Damages proved files in many ways and counts which damages the validator refuses.
///
/// What it accepts is run on both sides; an accepted mutant that differs is a hole in the validator. The last line has
/// the totals. Exit codes: 0, no survivor; 1, a survivor, or a mutant that nobody can tell about; 2, wrong usage or a file
/// that is none.
#[derive(Parser)]
#[command(name = "mutants")]
struct Arguments {
    /// Modules, text or binary; without any, the built-in ones for several processors.
    files: Vec<PathBuf>,
    /// Mutants to judge.
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// From which all of them derive.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the first: with `--count 1`, this one again.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only the part I of N of the modules.
    #[arg(long, value_name = "I/N", default_value = "0/1", value_parser = shard)]
    shard: (u64, u64),
    /// How many at a time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    threads: u64,
    /// Concrete runs of each accepted mutant.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Of accepted images, one of so many boots in QEMU; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 10)]
    qemu: u64,
    /// Prove what was accepted again, without rules, by this solver.
    #[arg(long, value_name = "SOLVER", value_parser = clap::value_parser!(Solvers))]
    second: Option<Solvers>,
    /// The processor that named files are compiled for.
    #[arg(long, default_value = "cortex-m4", value_parser = cpu)]
    cpu: Cpu,
    /// Use its floating-point unit.
    #[arg(long)]
    hard_float: bool,
    /// Make images of named files, not objects.
    #[arg(long)]
    image: bool,
    /// Print the table as Markdown.
    #[arg(long)]
    markdown: bool,
    /// Write survivors to this directory.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let (part, parts) = text.split_once('/').ok_or("two numbers with a slash, as in 0/4")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let (part, parts) = (number(part)?, number(parts)?);
    if part < parts { Ok((part, parts)) } else { Err(format!("parts count from 0 to {}", parts.saturating_sub(1))) }
}

fn cpu(text: &str) -> Result<Cpu, String> {
    let names = || Cpu::ALL.map(Cpu::name).join(", ");
    Cpu::named(text).ok_or_else(|| format!("a processor is one of {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let subjects = match read(&arguments) {
        Ok(subjects) => subjects,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // What panics on purpose says so in the table; everything else ends the program all the same.
    std::panic::set_hook(Box::new(|_| {}));
    let mut judge = Judge::new(arguments.runs);
    judge.second = arguments.second;
    judge.qemu = (arguments.qemu > 0).then(|| (Qemu::default(), arguments.qemu));
    let plan = Plan {
        count: arguments.count,
        seed: arguments.seed,
        from: arguments.from,
        shard: arguments.shard,
        threads: arguments.threads,
        judge,
    };
    let begun = Instant::now();
    let table = run(&subjects, &plan, &|count| {
        if count.is_multiple_of(500) {
            eprint!("\r{count} of {} in {:.0?} ", plan.count, begun.elapsed());
            let _ = std::io::stderr().flush();
        }
    });
    eprintln!();
    if arguments.markdown {
        println!("{}", page(&arguments, &subjects, &table));
    } else {
        print!("{table}");
    }
    for found in &table.found {
        tell(found, &arguments);
    }
    let total = table.total();
    if total.tried < plan.count {
        println!("there are no more mutants of these modules");
    }
    println!("{} functions in {} modules, {total}", table.functions, subjects.len());
    ExitCode::from(u8::from(is_open(&table)))
}

/// The page for `docs/`.
fn page(arguments: &Arguments, subjects: &[Subject], table: &Table) -> String {
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    format!(
        "# Mutants\n\nProved files damaged in one place each, and what became of them: `cargo run --release -p synth-fuzz --bin \
         mutants -- {}` made this page.\n\nA mutant is *killed* when the validator refuses it. Of an accepted one either *nothing \
         loaded differs*, as another reader of ELF files sees it; or {} concrete runs of both sides on boundary inputs agree \
         (of images one of {} also boots in QEMU), and where it is *proved again* raw terms and another solver agree too. A \
         *survivor* differs in a run. The bound is the exact one of Clopper and Pearson, at 95 %, on the share of wrong mutants \
         that are accepted.\n\n{}\nModules: {}.\n",
        flags.join(" "),
        arguments.runs,
        arguments.qemu,
        table.markdown(),
        names.join(", "),
    )
}

/// Whether something is neither refused nor equivalent.
fn is_open(table: &Table) -> bool {
    !table.found.is_empty()
}

fn read(arguments: &Arguments) -> Result<Vec<Subject>, String> {
    if arguments.files.is_empty() {
        return modules::built_in();
    }
    let mut config = Config { cpu: arguments.cpu, ..Config::default() };
    if arguments.hard_float {
        config.float = config.cpu.float_unit();
    }
    let form = if arguments.image { Kind::Image } else { Kind::Object };
    let one = |path: &PathBuf| {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        modules::subject(&name, &bytes, config.clone(), form)
    };
    arguments.files.iter().map(one).collect()
}

fn tell(found: &Found, arguments: &Arguments) {
    let Found { number, subject, mutant, fate } = found;
    println!("{subject}: {mutant}: {fate}");
    let (seed, (part, parts)) = (arguments.seed, arguments.shard);
    println!("  again with: --seed {seed} --shard {part}/{parts} --from {number} --count 1, same files and flags");
    let Some(directory) = &arguments.save else { return };
    let write = |ending: &str, bytes: &[u8]| {
        let path = directory.join(format!("{seed}-{number}.{ending}"));
        match std::fs::write(&path, bytes) {
            Ok(()) => println!("  {}", path.display()),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    };
    write("elf", &mutant.elf);
    write("wasm", &mutant.wasm);
}
