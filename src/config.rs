//! What the user chooses. Plain data; nothing here reads the environment.

pub use crate::target::{Cpu, FloatUnit};

/// Most bytes of a program that are loaded, its code and all regions: the validator loads no more.
pub const LOADED_BYTES_MAX: u64 = 1 << 27;

/// Most entries of a table: 4 MiB, more than any board has. The validator instantiates no larger one.
pub const TABLE_ENTRIES_MAX: u32 = 1 << 20;

/// Most locals of all functions of a module together: a byte of Wasm can declare thousands. The validator reads no more.
pub const LOCALS_MAX: u64 = 1 << 22;

/// The choices that decide which bytes come out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How much work to put into the code.
    pub opt_level: OptLevel,
    /// The processor to compile for.
    pub cpu: Cpu,
    /// The floating-point unit that code may use.
    pub float: FloatUnit,
    /// The module's name, as symbols spell it.
    pub module_name: String,
    /// What stands before each export in its symbol.
    pub export_prefix: String,
    /// Upper limit, in bytes, of what `memory.grow` may reach. Without it the module's own maximum
    /// counts where it is small, else memory does not grow.
    pub memory_max: Option<u32>,
    /// Upper limit, in entries, of what `table.grow` may reach. Without it 1024 entries, or what the table
    /// starts with if that is more.
    pub table_max: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            opt_level: OptLevel::O2,
            cpu: Cpu::CortexM4,
            float: FloatUnit::None,
            module_name: "module".into(),
            export_prefix: String::new(),
            memory_max: None,
            table_max: None,
        }
    }
}

/// How much work to put into the code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OptLevel {
    /// Translate and clean up only.
    O0,
    /// The passes that always pay.
    O1,
    /// Fast code.
    O2,
    /// Small code.
    Os,
}
