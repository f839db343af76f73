//! The front half of the compiler against two interpreters.
//!
//! Each program runs in wasmi, in the reference interpreter, and in the IR as translated and after
//! every pass. Results, traps, memory, globals and host calls must agree, every function must be
//! well-formed and survive printing and parsing, and every frame must tell the Wasm state.

mod interp;
mod numeric;
mod oracle;
mod programs;
mod random;

use oracle::Program;

/// Operands at which operators change their behaviour.
pub const WORDS: [u64; 20] = [
    0,
    1,
    2,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 63,
    u64::MAX,
];

/// Calls every exported function with every combination of up to three of a few operands.
pub fn check(text: &str) {
    Program::new(text).check_all(&WORDS);
}
