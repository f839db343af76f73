//! Hints: what a compiler tells the validator so that it need not search. Untrusted throughout.
//!
//! Ensures: a wrong hint can cost a proof and can never make one. Every place is an offset inside
//! one function; no address, no register preloaded, no meaning is taken from here. The bytes
//! travel in a section that is not loaded; [`codec`] reads and writes them.
//!
//! A [`Cut`] relates both sides to one vector of unknowns x: the Wasm locals and operand stack as
//! expressions over x, and the machine locations as expressions over x. A [`Label`] names the
//! values that one machine instruction reads and writes, from which the live ranges are rebuilt.

pub use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};
pub use crate::float::Float;

pub mod codec;

/// Version of the encoding; a reader refuses every other.
pub const VERSION: u32 = 6;

/// All hints of one module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// SHA-256 of the Wasm bytes that the code was compiled from.
    pub wasm_sha256: [u8; 32],
    /// Name of the module, as used in its local symbols (`NAME.f3`, `NAME.memory0`).
    pub module_name: String,
    /// What stands before each export in its symbol; empty, or the module name and an underscore.
    pub export_prefix: String,
    /// One record per function that has code, in function-index order.
    pub functions: Vec<FunctionHints>,
}

/// Hints of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FunctionHints {
    /// Wasm function index, imports counted.
    pub function: u32,
    /// Bytes of code, literal pools and jump tables included.
    pub code_bytes: u32,
    /// Bytes of stack below the SP at entry, pushes included.
    pub frame_bytes: u32,
    /// What the prologue's limit check reserves, in bytes; 0 when there is no check.
    pub checked_bytes: u32,
    /// Cut points, by ascending offset. Offset 0 (the entry) has none.
    pub cuts: Vec<Cut>,
    /// One label per instruction, by ascending offset.
    pub labels: Vec<Label>,
    /// Value names that change without an instruction when control enters a block.
    pub joins: Vec<Join>,
    /// Literal pools, jump tables and padding: half-open ranges that hold no instruction.
    pub data: Vec<(u32, u32)>,
}

/// The relation at one place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cut {
    /// Offset of the first instruction at the cut.
    pub at: u32,
    /// The Wasm places, outermost frame first: function index and byte offset in the module.
    pub source: Vec<(u32, u32)>,
    /// SP at the cut, as bytes below SP at entry.
    pub depth: u32,
    /// The unknowns. The key names the same value at every cut (an SSA value number).
    pub unknowns: Vec<Unknown>,
    /// Expressions; an operand is the index of an earlier node.
    pub nodes: Vec<Expr>,
    /// Each Wasm local, parameters included, of every frame in `source`; `None` is unconstrained.
    pub locals: Vec<Option<Node>>,
    /// Each operand-stack slot, bottom first, of every frame in `source`.
    pub stack: Vec<Option<Node>>,
    /// Machine locations that hold a known value.
    pub locations: Vec<Located>,
    /// Values that have a name but no location, to be rematerialised: name and 32-bit expression.
    pub named: Vec<(Name, Node)>,
    /// 32-bit expressions that are not zero here.
    pub facts: Vec<Node>,
}

/// Index into [`Cut::nodes`].
pub type Node = u32;

/// The name of a 32-bit machine value: one virtual register of the compiler.
///
/// Names from [`ENTRY_NAME`] on stand for what a register held at entry (`ENTRY_NAME + number`).
pub type Name = u32;

/// First of the names of values that registers and argument words hold at entry.
pub const ENTRY_NAME: Name = 0xffff_0000;

/// First of the names of argument words, behind those of registers. They last for more words than any
/// signature has: a function has at most 1000 parameters (Wasm JavaScript interface, section 8).
pub const ENTRY_WORD_NAME: Name = ENTRY_NAME + 64;

/// The name of what a location holds at entry: a register by its number, then argument words.
pub fn entry_name(location: Location) -> Name {
    match location {
        Location::Core(register) => ENTRY_NAME + Name::from(register),
        Location::Single(register) => ENTRY_NAME + 16 + Name::from(register),
        Location::Stack(offset) => ENTRY_WORD_NAME + (offset.max(0) as Name / 4).min(Name::MAX - ENTRY_WORD_NAME),
    }
}

/// An unknown: a Wasm value live at the cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// Names the same value at every cut.
    pub key: u32,
    /// Its type.
    pub sort: Sort,
    /// Where Wasm shows it.
    pub shown: Shown,
}

/// Where the run of the Wasm code shows a value. Offsets are byte offsets in the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Shown {
    /// Nowhere.
    Nowhere,
    /// It is a result of the instruction at this offset, or the low word of that. So many results of the
    /// instruction lie above it.
    Result(u32, u32),
    /// Before the instruction at this offset runs, it is in the local with this index.
    Local(u32, u32),
    /// Before the instruction at this offset runs, it is in this operand-stack slot, bottom first.
    Stack(u32, u32),
}

/// The type of an unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
}

/// A machine location with its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Located {
    /// Where.
    pub location: Location,
    /// The name of the value.
    pub name: Name,
    /// What it is, a 32-bit expression. Without meaning, and 0, for a name from [`ENTRY_NAME`] on:
    /// those stand for what the register held at entry. A callee-saved register, or the return
    /// address, that a cut does not list is arbitrary there.
    pub value: Node,
}

/// Where a 32-bit machine value lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Location {
    /// A core register, 0 to 14.
    Core(u8),
    /// A single-precision register, 0 to 31.
    Single(u8),
    /// A stack word: byte offset from SP at entry. Negative in the own frame, else an argument.
    Stack(i32),
}

/// An expression over the unknowns of a cut.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// The unknown with this index in [`Cut::unknowns`].
    Unknown(u32),
    /// A 32-bit constant.
    Const32(u32),
    /// A 64-bit constant.
    Const64(u64),
    /// A unary operator on 32 bits.
    Un32(Un32, Node),
    /// A binary operator on 32 bits.
    Bin32(Bin32, Node, Node),
    /// 1 if the 32-bit comparison holds, else 0.
    Cmp32(Cmp, Node, Node),
    /// The second if the first (32 bits) is not zero, else the third; 32 bits.
    Ite32(Node, Node, Node),
    /// A unary operator on 64 bits.
    Un64(Un64, Node),
    /// A binary operator on 64 bits.
    Bin64(Bin64, Node, Node),
    /// 1 if the 64-bit comparison holds, else 0; 32 bits.
    Cmp64(Cmp, Node, Node),
    /// The second if the first (32 bits) is not zero, else the third; 64 bits.
    Ite64(Node, Node, Node),
    /// An operator on floats of one operand.
    Float1(Float, Node),
    /// An operator on floats of two operands.
    Float2(Float, Node, Node),
    /// High and low word as one 64-bit word.
    Join(Node, Node),
    /// Bits 63:32.
    High(Node),
    /// Bits 31:0.
    Low(Node),
    /// The address of a region.
    Base(Base),
    /// The 1, 2 or 4 bytes at an offset into a linear memory, zero-extended, memory as at the cut.
    Load(u32, u8, Node),
    /// The value at the cut of a 32-bit global.
    Global32(u32),
    /// The value at the cut of a 64-bit global.
    Global64(u32),
    /// The length of a linear memory in bytes, at the cut.
    MemoryBytes(u32),
    /// The reference at an index of a table, at the cut.
    TableEntry(u32, Node),
    /// The type id of the function that a reference names.
    ReferenceType(Node),
    /// The code address of the function that a reference names.
    ReferenceCode(Node),
}

/// A region whose address code does not compute: a link-time constant, or the caller's choice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Base {
    /// Byte 0 of a linear memory.
    Memory(u32),
    /// The cells of globals and memory lengths.
    Instance,
    /// Entry 0 of a table.
    Table(u32),
    /// The descriptors of functions.
    Functions,
    /// The area for several results: what r0 held at entry.
    Results,
}

/// What one machine instruction reads and writes, by value name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Offset of the instruction.
    pub at: u32,
    /// The Wasm offset it is there for.
    pub source: Option<u32>,
    /// What it is there for.
    pub class: Class,
    /// Locations read, with the name of the value expected there. Flags and SP have no names.
    pub reads: Vec<(Location, Name)>,
    /// Locations written, with the name of the value put there.
    pub writes: Vec<(Location, Name)>,
}

/// Why an instruction is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Class {
    /// It computes what a Wasm instruction asks for.
    Direct,
    /// It copies a value from one register to another.
    Move,
    /// It stores a value to its stack slot.
    Spill,
    /// It loads a value from its stack slot.
    Reload,
    /// It computes a value again instead of loading it.
    Remat,
    /// It is part of a check that may trap.
    Check,
    /// It reports a trap.
    Trap,
    /// It is part of a prologue or an epilogue.
    Frame,
}

/// Value names that change on a control-flow edge where no instruction moves them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Join {
    /// Offset of the block that is entered.
    pub at: u32,
    /// Offset of the last instruction of the predecessor.
    pub from: u32,
    /// Location, name before, name after.
    pub renames: Vec<(Location, Name, Name)>,
}
