//! The processors that models are compared on.

use synth_verify::thumb::feature::{Architecture, FloatUnit, Target, Variant};

/// A processor, as the validator, the disassemblers and QEMU know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The name of the processor.
    pub name: &'static str,
    /// What the validator has it have.
    pub target: Target,
    /// LLVM's triple and processor.
    pub llvm: (&'static str, &'static str),
    /// The architecture, as binutils name it.
    pub binutils: &'static str,
    /// QEMU's board.
    pub board: &'static str,
    /// Where the board has code, the vector table first, and memory.
    pub memory: (u32, u32),
}

const fn target(architecture: Architecture, float: FloatUnit) -> Target {
    Target { architecture, float, variant: Variant::Float }
}

/// Every one, the most capable first.
pub const PROFILES: [Profile; 5] = [
    Profile {
        name: "cortex-m7",
        target: target(Architecture::V7EM, FloatUnit::V5Double),
        llvm: ("thumbv7em-none-eabi", "cortex-m7"),
        binutils: "armv7e-m",
        board: "mps2-an500",
        memory: (0, 0x2000_0000),
    },
    Profile {
        name: "cortex-m4",
        target: target(Architecture::V7EM, FloatUnit::V4Single),
        llvm: ("thumbv7em-none-eabi", "cortex-m4"),
        binutils: "armv7e-m",
        board: "mps2-an386",
        memory: (0, 0x2000_0000),
    },
    Profile {
        name: "cortex-m33",
        target: target(Architecture::V8MDsp, FloatUnit::V5Single),
        llvm: ("thumbv8m.main-none-eabi", "cortex-m33"),
        binutils: "armv8-m.main",
        board: "mps2-an505",
        memory: (0x1000_0000, 0x3800_0000),
    },
    Profile {
        name: "cortex-m3",
        target: target(Architecture::V7M, FloatUnit::None),
        llvm: ("thumbv7m-none-eabi", "cortex-m3"),
        binutils: "armv7",
        board: "mps2-an385",
        memory: (0, 0x2000_0000),
    },
    Profile {
        name: "cortex-m0",
        target: target(Architecture::V6M, FloatUnit::None),
        llvm: ("thumbv6m-none-eabi", "cortex-m0"),
        binutils: "armv6-m",
        board: "microbit",
        memory: (0, 0x2000_0000),
    },
];

impl Profile {
    /// The one with this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}
