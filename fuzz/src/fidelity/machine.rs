//! QEMU as a machine that runs cases, a batch at a time: `harness.s` reads them from a file and writes what each leaves
//! to another.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use synth_verify::thumb::feature::FloatUnit;
use synth_verify::thumb::inst::Reg;

use super::case::{Case, Layout};
use super::profile::Profile;
use super::tools;

/// What a case leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// Registers by number; that of PC is where the case ended.
    pub registers: [u32; Reg::COUNT],
    /// xPSR.
    pub status: u32,
    /// CFSR: why it ended.
    pub fault: u32,
    /// FPSCR.
    pub float_status: u32,
    /// [`sum`] of the data.
    pub data: u32,
    /// That of the stack from SP up; 0 if SP is not in the stack.
    pub stack: u32,
}

/// A sum that depends on the order of the words.
pub fn sum(words: impl IntoIterator<Item = u32>) -> u32 {
    words.into_iter().fold(0_u32, |sum, word| sum.wrapping_mul(31).wrapping_add(word))
}

/// The board of a processor with the harness.
pub struct Machine<'p> {
    profile: &'p Profile,
    directory: tempfile::TempDir,
}

/// FPSCR.DN: then every NaN is the one that the model gives.
const DEFAULT_NAN: u32 = 1 << 25;
/// xPSR.T.
const THUMB: u32 = 1 << 24;
/// Words of a result of the harness.
const RESULT_WORDS: usize = 53;
/// How long a batch may take.
const TIME_LIMIT: Duration = Duration::from_secs(120);

impl<'p> Machine<'p> {
    /// Assembles the harness for a processor. `None`: a program that is needed is not installed.
    ///
    /// # Errors
    /// A file or the assembler fails.
    pub fn new(profile: &'p Profile) -> io::Result<Option<Machine<'p>>> {
        let directory = tempfile::tempdir()?;
        let mut source = String::new();
        let float = u32::from(profile.target.float != FloatUnit::None);
        for (name, value) in [("BASE", profile.memory.0), ("RAM", profile.memory.1), ("FLOAT", float)] {
            writeln!(source, ".equ {name}, {value:#x}").map_err(io::Error::other)?;
        }
        source.push_str(include_str!("harness.s"));
        std::fs::write(directory.path().join("harness.s"), source)?;
        let (Some(mut assembler), Some(mut copy)) = (tools::llvm("llvm-mc"), tools::llvm("llvm-objcopy")) else {
            return Ok(None);
        };
        if tools::installed(QEMU).is_none() {
            return Ok(None);
        }
        assembler.args([format!("--triple={}", profile.llvm.0), format!("--mcpu={}", profile.llvm.1)]);
        assembler.args(["--filetype=obj", "-o", "harness.o", "harness.s"]);
        copy.args(["-O", "binary", "-j", ".text", "harness.o", "harness.bin"]);
        for command in [&mut assembler, &mut copy] {
            let status = command.current_dir(directory.path()).stdin(Stdio::null()).status()?;
            if !status.success() {
                return Err(io::Error::other(format!("{command:?}: {status}")));
            }
        }
        Ok(Some(Machine { profile, directory }))
    }

    /// What each case leaves.
    ///
    /// # Errors
    /// QEMU does not end, or ends before the last case.
    pub fn run(&self, cases: &[&Case]) -> io::Result<Vec<Left>> {
        let path = |name: &str| self.directory.path().join(name);
        let bytes: Vec<u8> = cases.iter().flat_map(|case| self.record(case)).flat_map(u32::to_le_bytes).collect();
        std::fs::write(path("cases"), bytes)?;
        let status = self.boot(self.directory.path());
        let found = std::fs::read(path("found"))?;
        let words: Vec<u32> =
            found.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        let left: Vec<Left> = words.chunks_exact(RESULT_WORDS).map(left).collect();
        match (status, cases.get(left.len())) {
            (Ok(_), None) => Ok(left),
            (Ok(status), Some(case)) => {
                Err(io::Error::other(format!("QEMU ended with {status} at {} from {:x?}", case.text(), case.registers)))
            }
            (Err(error), case) => {
                let text = case.map_or(String::new(), |case| case.text());
                Err(io::Error::other(format!("{error} at {text}")))
            }
        }
    }

    /// The words of a case in the order of the harness.
    fn record(&self, case: &Case) -> Vec<u32> {
        let layout = Layout::of(self.profile);
        let mut words = vec![layout.entry, THUMB | top(case.flags), case.registers[13]];
        words.extend(&case.registers[4..12]);
        words.extend(&case.registers[..4]);
        words.extend([case.registers[12], case.registers[14], DEFAULT_NAN | top(case.float_flags)]);
        words.extend(&case.registers[16..]);
        words.extend(case.code.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])));
        words
    }

    fn boot(&self, directory: &Path) -> io::Result<ExitStatus> {
        let loader = format!("loader,file=harness.bin,addr={:#x},force-raw=on", self.profile.memory.0);
        let child = Command::new(QEMU)
            .current_dir(directory)
            .args(["-M", self.profile.board, "-nographic", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-device", &loader])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        wait(child)
    }
}

const QEMU: &str = "qemu-system-arm";

fn wait(mut child: Child) -> io::Result<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < TIME_LIMIT {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Err(io::Error::other(format!("QEMU did not end within {} s", TIME_LIMIT.as_secs())))
}

fn left(words: &[u32]) -> Left {
    let mut registers = [0; Reg::COUNT];
    registers[4..12].copy_from_slice(&words[..8]);
    registers[..4].copy_from_slice(&words[8..12]);
    registers[12] = words[12];
    registers[14] = words[13];
    registers[15] = words[14];
    registers[13] = words[16];
    registers[16..].copy_from_slice(&words[19..51]);
    Left { registers, status: words[15], fault: words[17], float_status: words[18], data: words[51], stack: words[52] }
}

/// Flags where status registers have them.
pub fn top([n, z, c, v]: [bool; 4]) -> u32 {
    u32::from(n) << 31 | u32::from(z) << 30 | u32::from(c) << 29 | u32::from(v) << 28
}
