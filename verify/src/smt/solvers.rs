//! Which solvers must find that no state satisfies a query, and the ones that are programs.
//!
//! A program reads one query in the SMT-LIB language from its standard input and answers with a line: `sat`, `unsat`
//! or `unknown`. Ensures: whatever else it does is an error, not an answer: a program that is missing, that dies,
//! that says something else, that does not end, or that fails on two queries whose answers are known.
//! What counts steps gets a limit in steps. The clock is there for what hangs, and its end is an error, so that no
//! verdict depends on how fast a machine is.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use z3::SatResult;

/// How long a program may take for one query: far more than its steps take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Steps (`--rlimit`) that cvc5 may take for one query.
const CVC5_STEPS: u32 = 4_000_000;

/// The solvers that must agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Solvers {
    /// z3, in the process. It is asked in any case, as it finds the states that others are asked about.
    pub z3: bool,
    /// cvc5, a program.
    pub cvc5: bool,
    /// Bitwuzla, a program.
    pub bitwuzla: bool,
}

impl Solvers {
    /// The names that `--solver` takes.
    pub const NAMES: [&str; 4] = ["z3", "cvc5", "bitwuzla", "all"];

    /// Each of them.
    pub const ALL: Solvers = Solvers { z3: true, cvc5: true, bitwuzla: true };

    const NONE: Solvers = Solvers { z3: false, cvc5: false, bitwuzla: false };
}

impl Default for Solvers {
    fn default() -> Solvers {
        Solvers { z3: true, ..Solvers::NONE }
    }
}

impl FromStr for Solvers {
    type Err = String;

    fn from_str(name: &str) -> Result<Solvers, String> {
        match name {
            "z3" => Ok(Solvers::default()),
            "cvc5" => Ok(Solvers { cvc5: true, ..Solvers::NONE }),
            "bitwuzla" => Ok(Solvers { bitwuzla: true, ..Solvers::NONE }),
            "all" => Ok(Solvers::ALL),
            _ => Err(format!("the solvers are {}", Solvers::NAMES.join(", "))),
        }
    }
}

impl fmt::Display for Solvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [(self.z3, "z3"), (self.cvc5, "cvc5"), (self.bitwuzla, "bitwuzla")];
        let names: Vec<&str> = named.into_iter().filter(|(is_named, _)| *is_named).map(|(_, name)| name).collect();
        f.write_str(if *self == Solvers::ALL { "all".to_owned() } else { names.join("+") }.as_str())
    }
}

/// Why the solvers give no judgement. It says nothing about the program that is judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A program is not installed.
    Missing(String),
    /// A solver failed, or two contradict each other.
    Failed(String),
}

/// A solver that is a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outside {
    /// Its name.
    pub name: &'static str,
    /// What it says of its version.
    pub version: String,
    program: String,
    flags: Vec<String>,
    patience: Duration,
}

impl Outside {
    /// The programs among the solvers, each asked for its version and two queries.
    ///
    /// # Errors
    /// One is missing or fails.
    pub fn start(solvers: Solvers) -> Result<Vec<Outside>, Fault> {
        let limit = format!("--rlimit={CVC5_STEPS}");
        let cvc5 = solvers.cvc5.then(|| Outside::run("cvc5", "cvc5", &["--lang=smt2", &limit], PATIENCE));
        let bitwuzla = solvers.bitwuzla.then(|| Outside::run("bitwuzla", "bitwuzla", &[], PATIENCE));
        [cvc5, bitwuzla].into_iter().flatten().collect()
    }

    /// A program that is there and answers what is known.
    ///
    /// # Errors
    /// It is missing or fails.
    pub fn run(name: &'static str, program: &str, flags: &[&str], patience: Duration) -> Result<Outside, Fault> {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut outside = Outside { name, version: String::new(), program: program.to_owned(), flags, patience };
        let version = outside.output(&["--version".to_owned()], "")?;
        outside.version = version.lines().next().unwrap_or_default().trim().to_owned();
        for (claim, answer) in [("true", SatResult::Sat), ("false", SatResult::Unsat)] {
            let query = format!("(set-logic QF_AUFBV)\n(assert {claim})\n(check-sat)\n");
            let is = outside.ask(&query)?;
            if is != answer {
                return Err(outside.fault(&format!("finds (assert {claim}) {is:?}")));
            }
        }
        Ok(outside)
    }

    /// Its answer to a query.
    ///
    /// # Errors
    /// There is none.
    pub fn ask(&self, query: &str) -> Result<SatResult, Fault> {
        let said = self.output(&self.flags, query)?;
        match said.trim() {
            "sat" => Ok(SatResult::Sat),
            "unsat" => Ok(SatResult::Unsat),
            "unknown" => Ok(SatResult::Unknown),
            "" => Err(self.fault("says nothing")),
            other => Err(self.fault(&format!("says {:?}", other.chars().take(200).collect::<String>()))),
        }
    }

    fn fault(&self, what: &str) -> Fault {
        Fault::Failed(format!("{} {what}", self.name))
    }

    /// What it prints, given this to read.
    fn output(&self, flags: &[String], input: &str) -> Result<String, Fault> {
        let mut command = Command::new(&self.program);
        command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Fault::Missing(format!("the solver {} is not installed", self.name)),
            _ => self.fault(&format!("cannot be run: {error}")),
        })?;
        let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.fault("has no input or output"));
        };
        let input = input.to_owned();
        let (done, said) = mpsc::channel();
        // One that does not read all of its input has said why.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
        thread::spawn(move || {
            let mut text = Vec::new();
            let read = stdout.read_to_end(&mut text);
            done.send(read.map(|_| text))
        });
        let said = said.recv_timeout(self.patience);
        let Ok(said) = said else {
            end(&mut child);
            return Err(self.fault(&format!("gives no answer within {} s", self.patience.as_secs())));
        };
        let status = child.wait().map_err(|error| self.fault(&format!("is lost: {error}")))?;
        let text = said.map_err(|error| self.fault(&format!("cannot be read: {error}")))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        if !status.success() {
            let last = text.lines().last().unwrap_or_default().to_owned();
            return Err(self.fault(&format!("ends with {status}: {last}")));
        }
        Ok(text)
    }
}

/// Ends a program that nobody waits for any more.
fn end(child: &mut Child) {
    _ = child.kill();
    _ = child.wait();
}
