//! The stages by their one name each, and how to watch them.

use std::fmt::Display;

/// A stage of the pipeline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Reading the module.
    Wasm,
    /// SSA as translated.
    Ir,
    /// SSA as optimised.
    Opt,
    /// Instructions over virtual registers.
    Vcode,
    /// Instructions over registers.
    Alloc,
    /// Machine code.
    Asm,
    /// Hints for the validator.
    Hints,
}

impl Stage {
    /// Its word: option, listing and timing.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Wasm => "wasm",
            Stage::Ir => "ir",
            Stage::Opt => "opt",
            Stage::Vcode => "vcode",
            Stage::Alloc => "alloc",
            Stage::Asm => "asm",
            Stage::Hints => "hints",
        }
    }
}

/// Watches a compilation.
pub trait Tap {
    /// A stage begins.
    fn enter(&mut self, stage: Stage);
    /// What a stage made of a function. The text is made only if it is printed.
    fn text(&mut self, stage: Stage, function: &str, text: &dyn Display);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTap;

impl Tap for NoTap {
    fn enter(&mut self, _: Stage) {}
    fn text(&mut self, _: Stage, _: &str, _: &dyn Display) {}
}
