//! What code is made for: target triples, processors, and the boards that QEMU has for them.

use std::fmt;

/// A processor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cpu {
    /// Armv6-M.
    CortexM0,
    /// Armv6-M.
    CortexM0Plus,
    /// Armv7-M.
    CortexM3,
    /// Armv7E-M.
    CortexM4,
    /// Armv7E-M, dual issue.
    CortexM7,
    /// Armv8-M with the main extension.
    CortexM33,
}

impl Cpu {
    /// Every processor, in the order of their names.
    pub const ALL: [Cpu; 6] =
        [Cpu::CortexM0, Cpu::CortexM0Plus, Cpu::CortexM3, Cpu::CortexM4, Cpu::CortexM7, Cpu::CortexM33];

    /// Its name, as compilers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Cpu::CortexM0 => "cortex-m0",
            Cpu::CortexM0Plus => "cortex-m0plus",
            Cpu::CortexM3 => "cortex-m3",
            Cpu::CortexM4 => "cortex-m4",
            Cpu::CortexM7 => "cortex-m7",
            Cpu::CortexM33 => "cortex-m33",
        }
    }

    /// The processor of that name.
    pub fn named(name: &str) -> Option<Cpu> {
        Cpu::ALL.into_iter().find(|cpu| cpu.name() == name)
    }

    /// `Tag_CPU_arch` of the build attributes (Arm addenda32, 3.3.6.1).
    pub fn attribute_arch(self) -> u8 {
        match self {
            Cpu::CortexM0 | Cpu::CortexM0Plus => 11,
            Cpu::CortexM3 => 10,
            Cpu::CortexM4 | Cpu::CortexM7 => 13,
            Cpu::CortexM33 => 17,
        }
    }

    /// The instructions that it has.
    pub fn isa(self) -> Isa {
        match self {
            Cpu::CortexM0 | Cpu::CortexM0Plus => Isa::V6M,
            Cpu::CortexM3 | Cpu::CortexM4 | Cpu::CortexM7 | Cpu::CortexM33 => Isa::V7M,
        }
    }

    /// Its floating-point unit, where the target lets code use it.
    pub fn float_unit(self) -> FloatUnit {
        match self {
            Cpu::CortexM0 | Cpu::CortexM0Plus | Cpu::CortexM3 => FloatUnit::None,
            Cpu::CortexM4 => FloatUnit::V4Single,
            Cpu::CortexM7 => FloatUnit::V5Double,
            Cpu::CortexM33 => FloatUnit::V5Single,
        }
    }

    /// The boards that run its images with this unit, the default first.
    pub fn boards(self, float: FloatUnit) -> Vec<Board> {
        let boards: &[Board] = match self {
            Cpu::CortexM0 | Cpu::CortexM0Plus => &[Board::MPS2_AN385, Board::MICROBIT],
            Cpu::CortexM3 => &[Board::MPS2_AN385],
            Cpu::CortexM4 => &[Board::MPS2_AN386],
            Cpu::CortexM7 => &[Board::MPS2_AN500],
            Cpu::CortexM33 => &[Board::MPS2_AN505, Board::MPS3_AN524],
        };
        boards.iter().copied().filter(|board| float == FloatUnit::None || board.has_float_unit).collect()
    }
}

/// The instructions that code is made of, as far as selection has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isa {
    /// Armv6-M: 16-bit instructions of two operands on r0 to r7 that set flags, and BL.
    V6M,
    /// Armv7-M, and all that have its instructions.
    #[default]
    V7M,
}

/// A floating-point unit that code may use. With one, floats are passed in its registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum FloatUnit {
    /// None.
    #[default]
    None,
    /// FPv4-SP: single precision.
    V4Single,
    /// FPv5-SP: and rounding to integral numbers.
    V5Single,
    /// FPv5-D16: and double precision.
    V5Double,
}

impl FloatUnit {
    /// `Tag_FP_arch` and `Tag_ABI_HardFP_use` (Arm addenda32, 3.3.6.1 and 3.3.7.1), if there is one.
    pub fn attributes(self) -> Option<[u8; 2]> {
        match self {
            FloatUnit::None => None,
            FloatUnit::V4Single => Some([6, 1]),
            FloatUnit::V5Single => Some([8, 1]),
            FloatUnit::V5Double => Some([8, 0]),
        }
    }
}

/// A board and its memory map, as QEMU has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Board {
    /// QEMU's name of it.
    pub machine: &'static str,
    /// Address of the memory for code and constants; the vector table is at its start.
    pub code: u32,
    /// Bytes of it.
    pub code_bytes: u32,
    /// Address of the RAM.
    pub ram: u32,
    /// Bytes of RAM.
    pub ram_bytes: u32,
    /// Bytes of RAM that an image has for its stack if nobody says otherwise.
    pub stack_bytes: u32,
    /// Whether its processor has the floating-point unit that it may have.
    pub has_float_unit: bool,
    /// Address of memory that the test harness alone uses: the mailbox, whose words it changes.
    pub mailbox: u32,
    /// Address of memory for the actions that it reads.
    pub actions: u32,
    /// Bytes of it.
    pub actions_bytes: u32,
}

/// What the MPS2 boards share.
const MPS2: Board = Board {
    machine: "",
    code: 0,
    code_bytes: 0x40_0000,
    ram: 0x2000_0000,
    ram_bytes: 0x40_0000,
    stack_bytes: 16 * 1024,
    has_float_unit: true,
    mailbox: 0x2100_0000,
    actions: 0x2100_0100,
    actions_bytes: 0xff_ff00,
};

impl Board {
    /// MPS2 with a Cortex-M3 (Arm DAI0385).
    pub const MPS2_AN385: Board = Board { machine: "mps2-an385", has_float_unit: false, ..MPS2 };
    /// MPS2 with a Cortex-M4 (Arm DAI0386).
    pub const MPS2_AN386: Board = Board { machine: "mps2-an386", ..MPS2 };
    /// MPS2 with a Cortex-M7 (Arm DAI0500).
    pub const MPS2_AN500: Board = Board { machine: "mps2-an500", mailbox: 0x6000_0000, actions: 0x6000_0100, ..MPS2 };
    /// MPS2 with a Cortex-M33, which starts in Secure state and stays there (Arm DAI0505).
    pub const MPS2_AN505: Board = Board {
        machine: "mps2-an505",
        code: 0x1000_0000,
        ram: 0x3800_0000,
        mailbox: 0x8000_0000,
        actions: 0x8000_0100,
        ..MPS2
    };
    /// MPS3 with a Cortex-M33, the one of its two that has no floating-point unit (Arm DAI0524): its code in block RAM, all else in the Secure parts of the DDR memory.
    pub const MPS3_AN524: Board = Board {
        machine: "mps3-an524",
        code: 0x1000_0000,
        code_bytes: 0x8_0000,
        ram: 0x7000_0000,
        ram_bytes: 0x1000_0000,
        has_float_unit: false,
        mailbox: 0x9000_0000,
        actions: 0x9000_0100,
        ..MPS2
    };
    /// BBC micro:bit with a Cortex-M0: the upper half of its flash holds actions, the top of its RAM the mailbox.
    pub const MICROBIT: Board = Board {
        machine: "microbit",
        code: 0,
        code_bytes: 0x2_0000,
        ram: 0x2000_0000,
        ram_bytes: 0x3f00,
        stack_bytes: 4 * 1024,
        has_float_unit: false,
        mailbox: 0x2000_3f00,
        actions: 0x2_0000,
        actions_bytes: 0x2_0000,
    };

    /// Every board.
    pub const ALL: [Board; 6] = [
        Board::MPS2_AN385,
        Board::MPS2_AN386,
        Board::MPS2_AN500,
        Board::MPS2_AN505,
        Board::MPS3_AN524,
        Board::MICROBIT,
    ];

    /// The board of that name.
    pub fn named(name: &str) -> Option<Board> {
        Board::ALL.into_iter().find(|board| board.machine == name)
    }
}

/// A target: a triple and a processor that runs its code. The processor alone decides the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The instruction set and calling convention.
    pub triple: Triple,
    /// The processor to tune for.
    pub cpu: Cpu,
}

impl Default for Target {
    fn default() -> Target {
        Target { triple: Triple::Thumbv7em, cpu: Cpu::CortexM4 }
    }
}

impl Target {
    /// The floating-point unit that code may use.
    pub fn float_unit(self) -> FloatUnit {
        match self.triple.convention() {
            Convention::Base => FloatUnit::None,
            Convention::Float => self.cpu.float_unit(),
        }
    }

    /// The target with these names. Without a processor, the triple's first; without a triple, the
    /// last of [`Triple::ALL`] that the processor runs; without either, the default.
    pub fn named(triple: Option<&str>, cpu: Option<&str>) -> Result<Target, TargetError> {
        let triple = triple.map(Triple::named).transpose()?;
        let cpu = cpu.map(|name| Cpu::named(name).ok_or_else(|| TargetError::UnknownCpu(name.into()))).transpose()?;
        let (triple, cpu) = match (triple, cpu) {
            (None, None) => return Ok(Target::default()),
            (Some(triple), None) => (triple, triple.cpus()[0]),
            (Some(triple), Some(cpu)) => (triple, cpu),
            (None, Some(cpu)) => {
                let mut triples = Triple::ALL.into_iter().rev();
                (triples.find(|triple| triple.cpus().contains(&cpu)).expect("a processor runs some triple"), cpu)
            }
        };
        if !triple.cpus().contains(&cpu) {
            return Err(TargetError::OtherCpu { triple, cpu });
        }
        Ok(Target { triple, cpu })
    }
}

/// A target triple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Triple {
    /// Armv6-M, base AAPCS.
    Thumbv6m,
    /// Armv7-M, base AAPCS.
    Thumbv7m,
    /// Armv7E-M, base AAPCS.
    Thumbv7em,
    /// Armv7E-M with a floating-point unit, AAPCS-VFP.
    Thumbv7emHf,
    /// Armv8-M with the main extension, base AAPCS.
    Thumbv8mMain,
    /// Armv8-M with the main extension and a floating-point unit, AAPCS-VFP.
    Thumbv8mMainHf,
}

/// Which variant of AAPCS a triple calls functions by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Convention {
    /// All in core registers.
    Base,
    /// Floats in registers of the floating-point unit.
    Float,
}

impl Triple {
    /// Every triple.
    pub const ALL: [Triple; 6] = [
        Triple::Thumbv6m,
        Triple::Thumbv7emHf,
        Triple::Thumbv8mMainHf,
        Triple::Thumbv7m,
        Triple::Thumbv8mMain,
        Triple::Thumbv7em,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Triple::Thumbv6m => "thumbv6m-none-eabi",
            Triple::Thumbv7m => "thumbv7m-none-eabi",
            Triple::Thumbv7em => "thumbv7em-none-eabi",
            Triple::Thumbv7emHf => "thumbv7em-none-eabihf",
            Triple::Thumbv8mMain => "thumbv8m.main-none-eabi",
            Triple::Thumbv8mMainHf => "thumbv8m.main-none-eabihf",
        }
    }

    /// The processors it runs on, the default first.
    pub fn cpus(self) -> &'static [Cpu] {
        match self {
            Triple::Thumbv6m => &[Cpu::CortexM0, Cpu::CortexM0Plus],
            Triple::Thumbv7m => &[Cpu::CortexM3, Cpu::CortexM4, Cpu::CortexM7, Cpu::CortexM33],
            Triple::Thumbv7em | Triple::Thumbv7emHf => &[Cpu::CortexM4, Cpu::CortexM7],
            Triple::Thumbv8mMain | Triple::Thumbv8mMainHf => &[Cpu::CortexM33],
        }
    }

    fn convention(self) -> Convention {
        match self {
            Triple::Thumbv6m | Triple::Thumbv7m | Triple::Thumbv7em | Triple::Thumbv8mMain => Convention::Base,
            Triple::Thumbv7emHf | Triple::Thumbv8mMainHf => Convention::Float,
        }
    }

    fn named(name: &str) -> Result<Triple, TargetError> {
        const LATER: [&str; 3] =
            ["thumbv8m.base-none-eabi", "thumbv8.1m.main-none-eabi", "thumbv8.1m.main-none-eabihf"];
        match Triple::ALL.into_iter().find(|triple| triple.name() == name) {
            Some(triple) => Ok(triple),
            None if LATER.contains(&name) => Err(TargetError::Unsupported(name.into())),
            None => Err(TargetError::UnknownTriple(name.into())),
        }
    }
}

/// Why a target cannot be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// A known target that this compiler does not make code for.
    Unsupported(String),
    /// No such triple.
    UnknownTriple(String),
    /// No such processor.
    UnknownCpu(String),
    /// The processor does not run the triple's code.
    OtherCpu {
        /// The triple.
        triple: Triple,
        /// The processor.
        cpu: Cpu,
    },
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Unsupported(name) => write!(f, "target {name} is not supported"),
            TargetError::UnknownTriple(name) => write!(f, "there is no target {name}"),
            TargetError::UnknownCpu(name) => write!(f, "there is no processor {name}"),
            TargetError::OtherCpu { triple, cpu } => {
                write!(f, "{} does not run on {}", triple.name(), cpu.name())
            }
        }
    }
}

impl std::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let both = |triple, cpu| Target::named(Some(triple), cpu);
        assert_eq!(both("thumbv7em-none-eabi", None), Ok(Target::default()));
        assert_eq!(both("thumbv7m-none-eabi", None).map(|t| t.cpu), Ok(Cpu::CortexM3));
        assert!(matches!(both("thumbv8.1m.main-none-eabihf", None), Err(TargetError::Unsupported(_))));
        let unit = |triple, cpu| both(triple, cpu).map(Target::float_unit);
        assert_eq!(unit("thumbv7em-none-eabi", Some("cortex-m7")), Ok(FloatUnit::None));
        assert_eq!(unit("thumbv7em-none-eabihf", None), Ok(FloatUnit::V4Single));
        assert_eq!(unit("thumbv7em-none-eabihf", Some("cortex-m7")), Ok(FloatUnit::V5Double));
        assert_eq!(unit("thumbv8m.main-none-eabihf", None), Ok(FloatUnit::V5Single));
        assert!(matches!(both("x86_64", None), Err(TargetError::UnknownTriple(_))));
        assert!(matches!(both("thumbv7em-none-eabi", Some("cortex-m3")), Err(TargetError::OtherCpu { .. })));
        assert_eq!(Target::named(None, None), Ok(Target::default()));
        let alone = |cpu| Target::named(None, Some(cpu)).map(|t| t.triple);
        assert_eq!(alone("cortex-m3"), Ok(Triple::Thumbv7m));
        assert_eq!(alone("cortex-m7"), Ok(Triple::Thumbv7em));
        assert_eq!(alone("cortex-m33"), Ok(Triple::Thumbv8mMain));
        let on = |triple: Triple| Target::named(Some(triple.name()), None).map(|target| target.triple);
        assert!(Triple::ALL.into_iter().all(|triple| on(triple) == Ok(triple)));
        assert!(matches!(alone("cortex-m9"), Err(TargetError::UnknownCpu(_))));
    }
}
