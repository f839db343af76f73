//! What the ELF writers are given: machine code with its open ends, and what instantiation does.
//!
//! Everything here is data. Offsets are bytes from the start of the function or region they are in.

use std::fmt;

use crate::target::FloatUnit;
use crate::trap::Trap;
pub use crate::vcode::inst::Symbol;

/// A compiled module, ready to be written as an object or an image.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// The module's name, as symbols spell it; local symbols begin with it (`NAME.f3`).
    pub name: String,
    /// What stands before each export of the one input in its symbol: empty, or the name and an underscore.
    pub export_prefix: String,
    /// The functions that have code, in index order.
    pub functions: Vec<Function>,
    /// The imported functions, in index order.
    pub imports: Vec<Import>,
    /// The exported functions, in the module's order.
    pub exports: Vec<Export>,
    /// The exported globals that have a cell, in the module's order.
    pub globals: Vec<ExportedGlobal>,
    /// Linear memories.
    pub memories: Vec<Memory>,
    /// Bytes of the region of globals and memory lengths.
    pub instance_bytes: u32,
    /// The descriptors of functions that references name.
    pub descriptors: Vec<Descriptor>,
    /// Tables by index.
    pub tables: Vec<Table>,
    /// What `NAME_init` does.
    pub instantiation: Instantiation,
    /// The encoded hints.
    pub hints: Vec<u8>,
    /// What is linked behind the module's own functions.
    pub linked: Vec<Linked>,
    /// Whether the validator is to judge the file before anybody gets it.
    pub assurance: Assurance,
    /// The floating-point unit that the code uses, in whose registers floats are passed.
    pub float: FloatUnit,
}

/// A binary WebAssembly module that is linked in; it travels in the section `.synth.NAME`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Whether a file is proved before it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Assurance {
    /// It is.
    #[default]
    Validated,
    /// It is not, and says so in the section `.synth.unvalidated`.
    Unvalidated,
}

/// The code of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Function {
    /// Wasm function index, imports counted.
    pub index: u32,
    /// The machine code, literal pools and jump tables included.
    pub code: Vec<u8>,
    /// Ranges of `code` that hold no instructions, half-open and ascending.
    pub data: Vec<(u32, u32)>,
    /// The open ends of `code`.
    pub relocations: Vec<Relocation>,
    /// How the frame changes, by ascending offset.
    pub frame: Vec<FrameStep>,
    /// For people: the function's name, if it is none of the user's but synth's.
    pub of_synth: Option<String>,
}

/// A place in the code that depends on an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Offset of the instruction or word.
    pub offset: u32,
    /// How the address is put there.
    pub kind: RelocationKind,
    /// Whose address.
    pub symbol: Symbol,
    /// Added to the address. For a `MOVW`/`MOVT` pair it lies in -32768..=32767, and both halves
    /// carry the same addend; for a call it is 0.
    pub addend: i32,
}

/// How an address is put into code (Arm ELF, AAELF32 5.6.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RelocationKind {
    /// The target of a `BL`.
    ThmCall,
    /// `R_ARM_THM_JUMP24`: B.
    ThmJump,
    /// The low half, in a `MOVW`.
    MovwAbsNc,
    /// The high half, in a `MOVT`.
    MovtAbs,
    /// A word.
    Abs32,
}

/// One change of the frame, in force from `at` on (DWARF 5, 6.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameStep {
    /// Offset of the instruction behind the one that made the change.
    pub at: u32,
    /// The change.
    pub rule: FrameRule,
}

/// How to find the caller's frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameRule {
    /// SP at entry is this many bytes above the present SP.
    Depth(u32),
    /// A register is saved this many bytes below SP at entry.
    Saved {
        /// DWARF number: 4 to 11, 14, or 264 to 271 for d8 to d15.
        register: u16,
        /// Bytes below SP at entry.
        below: u32,
    },
    /// A register holds again what it held at entry.
    Restored(u16),
    /// What a core register held at entry is lost; for the return address: there is no caller.
    Lost(u8),
    /// The rules in force are kept aside.
    Remember,
    /// The rules last kept aside are in force again.
    Recall,
}

/// An imported function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// Wasm function index.
    pub function: u32,
    /// Name of the module it comes from.
    pub module: String,
    /// Its name there.
    pub field: String,
    /// Bytes of memory for its results, if it has several; else 0.
    pub area_bytes: u32,
    /// Whether it takes or returns floats.
    pub floats: bool,
}

/// An exported function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its Wasm name.
    pub name: String,
    /// Its symbol.
    pub symbol: String,
    /// Wasm function index; the function has code.
    pub function: u32,
    /// Parameter types.
    pub parameters: Vec<Type>,
    /// Result types.
    pub results: Vec<Type>,
}

/// An exported global.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportedGlobal {
    /// Its symbol.
    pub symbol: String,
    /// Where its cell is in the instance region.
    pub offset: u32,
    /// Bytes of the cell.
    pub bytes: u32,
}

/// A value type at the boundary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Binary32 number.
    F32,
    /// Binary64 number.
    F64,
    /// A reference to a function.
    FuncRef,
    /// A reference to something of the host.
    ExternRef,
}

impl Type {
    /// All of them.
    pub const ALL: [Type; 6] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::FuncRef, Type::ExternRef];

    /// Whether it is a number that a floating-point unit could hold.
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// Its Wasm name.
    pub fn name(self) -> &'static str {
        match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::FuncRef => "funcref",
            Type::ExternRef => "externref",
        }
    }
}

/// A linear memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Bytes reserved: the most that `memory.grow` can reach.
    pub reserve_bytes: u32,
    /// Who sees its symbol.
    pub visibility: Visibility,
    /// Its bytes, if they never change; they lie in read-only memory, or nowhere if there are none.
    pub contents: Option<Vec<u8>>,
}

/// Whether the module exports a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// Only the module's own code uses it.
    Private,
    /// The host may use it by its global symbol.
    Exported,
}

/// What a reference to a function points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// 1 + the index of the first structurally equal function type.
    pub type_id: u32,
    /// The function, by Wasm index.
    pub function: u32,
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Table {
    /// It is constant: of each entry the offset of a descriptor among all, or null.
    Constants(Vec<Option<u32>>),
    /// It is in RAM, with room for so many entries, and null at the start.
    Ram(u32),
}

impl Table {
    /// Bytes of its region.
    pub fn bytes(&self) -> u32 {
        match self {
            Table::Constants(entries) => 4 * entries.len() as u32,
            Table::Ram(entries) => 4 * entries,
        }
    }
}

/// What happens at instantiation besides zeroing (Wasm core spec, 4.5.4), constant tables apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Instantiation {
    /// Words of the instance region that are not zero at the start: offset and value, the
    /// lengths of memories and tables included.
    pub cells: Vec<(u32, CellValue)>,
    /// What is done then, in order.
    pub steps: Vec<InitStep>,
}

/// A step of instantiation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InitStep {
    /// References are written.
    Elements(Elements),
    /// Bytes are written.
    Data(Segment),
    /// The start function with this Wasm index is called.
    Call(u32),
    /// A segment lies out of bounds: a trap, behind which a handler may go on.
    Trap(Outside),
}

impl Instantiation {
    /// The first segment that lies out of bounds.
    pub fn outside(&self) -> Option<Outside> {
        self.steps.iter().find_map(|step| match step {
            InitStep::Trap(outside) => Some(*outside),
            InitStep::Elements(_) | InitStep::Data(_) | InitStep::Call(_) => None,
        })
    }
}

/// An active element segment of a table in RAM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elements {
    /// The table.
    pub table: u32,
    /// The first entry that it fills.
    pub first: u32,
    /// What goes there: offsets of descriptors among all, or null.
    pub entries: Vec<Option<u32>>,
}

/// What a word of the instance region is at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellValue {
    /// A number.
    Number(u32),
    /// The address of the descriptor at this offset among all.
    Descriptor(u32),
}

/// A segment out of bounds, by its number in its section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// An element segment, outside of the table.
    Element(u32),
    /// A data segment, outside of memory.
    Data(u32),
}

impl Outside {
    /// The trap that it causes.
    pub fn trap(self) -> Trap {
        match self {
            Outside::Element(_) => Trap::TableAccess,
            Outside::Data(_) => Trap::MemoryOutOfBounds,
        }
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outside::Element(number) => write!(f, "element segment {number}"),
            Outside::Data(number) => write!(f, "data segment {number}"),
        }
    }
}

/// An active data segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The memory that it goes to.
    pub memory: u32,
    /// Where it goes there.
    pub offset: u32,
    /// What goes there.
    pub bytes: Vec<u8>,
}
