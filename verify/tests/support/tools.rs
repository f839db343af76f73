//! Programs that tests of the decoder and the encoder compare with: `./setup --test-tools`
//! installs them. A test whose program is missing says so, and fails in CI.

use std::io::Write;
use std::process::{Command, Stdio};

/// A tool of LLVM: of the version that is known to agree, else whichever there is.
pub fn llvm(name: &str) -> Option<Command> {
    installed(&format!("{name}-19")).or_else(|| installed(name))
}

/// A program, if it is installed.
pub fn installed(program: &str) -> Option<Command> {
    let mut asked = Command::new(program);
    let status = asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| Command::new(program))
}

/// Says that a test is skipped because a program is missing.
pub fn skipped(test: &str, program: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI runs without {program}");
    // Past the test runner, which keeps the output of tests that pass to itself.
    _ = writeln!(std::io::stderr(), "\nskipped 1 test: {test}: {program} is not installed");
}
