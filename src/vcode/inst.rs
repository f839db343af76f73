//! Thumb-2 instructions and terminators, over virtual registers before allocation and physical
//! ones after it.
//!
//! Ensures: what can be written here can be encoded once every register is physical and is
//! neither SP nor PC. One item may become several machine instructions; which registers it reads
//! and writes is said in `operands` and nowhere else. No item writes a definition before it has
//! read every use, so a definition may share a register with a use that ends there.
//!
//! Flags are written by items with `Flags::Set` and by `Compare`, destroyed by `Call`, and never
//! live at a block's head. Between the writer and a reader stand only items that keep them.

use super::entity::{Block, Slot};
pub use super::float::FloatInst;
use super::imm::{BitField, Imm8, Imm12, IndexShift, ModifiedImm, ShiftImm};
use super::reg::PReg;

pub use crate::trap::Trap;

/// Whether an instruction must write the condition flags.
///
/// `Keep` says that nobody reads the flags it would write; where they are live they must survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flags {
    /// The flags are not a result.
    Keep,
    /// The flags are a result.
    Set,
}

/// Conditions (DDI0403, A7.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cond {
    /// Equal: Z.
    Eq = 0,
    /// Not equal.
    Ne = 1,
    /// Carry set, unsigned higher or same.
    Hs = 2,
    /// Carry clear, unsigned lower.
    Lo = 3,
    /// Negative.
    Mi = 4,
    /// Positive or zero.
    Pl = 5,
    /// Overflow.
    Vs = 6,
    /// No overflow.
    Vc = 7,
    /// Unsigned higher.
    Hi = 8,
    /// Unsigned lower or same.
    Ls = 9,
    /// Signed greater or equal.
    Ge = 10,
    /// Signed less.
    Lt = 11,
    /// Signed greater.
    Gt = 12,
    /// Signed less or equal.
    Le = 13,
}

impl Cond {
    /// Every condition, in encoding order.
    pub const ALL: [Cond; 14] = [
        Cond::Eq,
        Cond::Ne,
        Cond::Hs,
        Cond::Lo,
        Cond::Mi,
        Cond::Pl,
        Cond::Vs,
        Cond::Vc,
        Cond::Hi,
        Cond::Ls,
        Cond::Ge,
        Cond::Lt,
        Cond::Gt,
        Cond::Le,
    ];

    /// The condition that holds exactly when this one does not.
    #[must_use]
    pub fn negated(self) -> Cond {
        Cond::ALL[(self as u8 ^ 1) as usize]
    }

    /// Its four bits in an instruction.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Two-operand arithmetic and logic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AluOp {
    /// n + m.
    Add,
    /// n + m + carry.
    Adc,
    /// n - m.
    Sub,
    /// n - m - not carry.
    Sbc,
    /// m - n.
    Rsb,
    /// n & m.
    And,
    /// n | m.
    Orr,
    /// n ^ m.
    Eor,
    /// n & !m.
    Bic,
    /// n | !m.
    Orn,
}

impl AluOp {
    /// Whether the carry flag is an operand.
    pub fn reads_carry(self) -> bool {
        matches!(self, AluOp::Adc | AluOp::Sbc)
    }

    /// Whether the operands may be exchanged.
    pub fn commutes(self) -> bool {
        matches!(self, AluOp::Add | AluOp::Adc | AluOp::And | AluOp::Orr | AluOp::Eor)
    }
}

/// Addition or subtraction of a plain 12-bit immediate (ADDW, SUBW).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WideOp {
    /// n + imm.
    Add,
    /// n - imm.
    Sub,
}

/// Shifts and rotations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShiftOp {
    /// Logical left.
    Lsl,
    /// Logical right.
    Lsr,
    /// Arithmetic right.
    Asr,
    /// Rotate right.
    Ror,
}

/// What an instruction of two operands does with the first, which is also the destination.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InPlaceOp {
    /// Arithmetic and logic.
    Alu(AluOp),
    /// A shift by a register.
    Shift(ShiftOp),
    /// A product. Its flags are no result.
    Mul,
}

impl InPlaceOp {
    /// Whether the carry flag is an operand.
    pub fn reads_carry(self) -> bool {
        matches!(self, InPlaceOp::Alu(op) if op.reads_carry())
    }

    /// Whether the operands may be exchanged.
    pub fn commutes(self) -> bool {
        match self {
            InPlaceOp::Alu(op) => op.commutes(),
            InPlaceOp::Shift(_) => false,
            InPlaceOp::Mul => true,
        }
    }
}

/// One operand, one result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// Count leading zeros.
    Clz,
    /// Reverse bits.
    Rbit,
    /// Reverse bytes.
    Rev,
    /// Zero-extend a byte.
    Uxtb,
    /// Zero-extend a halfword.
    Uxth,
    /// Sign-extend a byte.
    Sxtb,
    /// Sign-extend a halfword.
    Sxth,
}

/// Comparisons that only write flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CompareOp {
    /// Flags of n - m.
    Cmp,
    /// Flags of n + m.
    Cmn,
    /// Flags of n & m.
    Tst,
    /// Flags of n ^ m.
    Teq,
}

/// Unsigned or signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sign {
    /// Unsigned.
    Unsigned,
    /// Signed.
    Signed,
}

/// Multiplication into 64 bits that adds to what is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MulLongAddOp {
    /// high:low + n * m, unsigned.
    Umlal,
    /// high:low + n * m, signed.
    Smlal,
    /// n * m + high + low, each a word; needs the DSP extension.
    Umaal,
}

/// What a load reads and how it extends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LoadKind {
    /// Four bytes.
    Word,
    /// Two bytes, zero-extended.
    Half,
    /// Two bytes, sign-extended.
    HalfSigned,
    /// One byte, zero-extended.
    Byte,
    /// One byte, sign-extended.
    ByteSigned,
}

/// How many bytes a store writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreKind {
    /// Four bytes.
    Word,
    /// Two bytes.
    Half,
    /// One byte.
    Byte,
}

/// The flexible second operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand2<R> {
    /// A register.
    Reg(R),
    /// A register, shifted.
    Shifted(R, ShiftOp, ShiftImm),
    /// A constant.
    Imm(ModifiedImm),
}

/// The amount of a shift. A register counts with its low byte (DDI0403, A7.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShiftBy<R> {
    /// A register.
    Reg(R),
    /// A constant.
    Imm(ShiftImm),
}

/// What a select chooses from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Choice<R> {
    /// A register.
    Reg(R),
    /// A constant.
    Imm(Imm8),
}

/// The address of a load or store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Address<R> {
    /// Base plus constant.
    Offset(R, Imm12),
    /// Base plus shifted index.
    Index(R, R, IndexShift),
}

/// What an address is relative to. Names are given by the ELF stage.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Symbol {
    /// Byte 0 of a linear memory.
    Memory(u32),
    /// The cells of globals and memory lengths.
    Instance,
    /// Entry 0 of a table.
    Table(u32),
    /// The descriptors of functions.
    Functions,
    /// What instantiation copies into tables.
    Elements,
    /// The bytes of the data segments.
    Data,
    /// The code of a function, by Wasm function index (imports counted).
    Function(u32),
    /// The word that holds the lowest address the stack may use.
    StackLimit,
}

/// What a call calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Callee<R> {
    /// A function of this module, by Wasm function index (imports counted).
    Function(u32),
    /// An imported function, by Wasm function index.
    Import(u32),
    /// The code address in a register, fixed to LR: no argument is there and the call destroys it.
    Register(R),
}

/// A call. Stack arguments are stored before it by `OutgoingStore`, several results are loaded behind
/// it by `OutgoingLoad`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Call<R> {
    /// What is called.
    pub callee: Callee<R>,
    /// Register arguments.
    pub args: Vec<(PReg, R)>,
    /// Register results.
    pub results: Vec<(PReg, R)>,
}

/// One item of a block. `d` is the destination, `n` the first operand, `m` the second.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "fields are d, n, m and what the variant's line says")]
pub enum Inst<R> {
    /// The entry's register arguments. Only first in the entry block; no code.
    Args { defs: Vec<(PReg, R)> },
    /// d = m. Keeps flags.
    Move { d: R, m: R },
    /// d = value, in whatever form is shortest and leaves live flags alone.
    Const { d: R, value: u32 },
    /// d = address of symbol + addend. Keeps flags.
    Address { d: R, symbol: Symbol, addend: i32 },
    /// d = n op m.
    Alu { op: AluOp, flags: Flags, d: R, n: R, m: Operand2<R> },
    /// d = n op imm. Keeps flags.
    AluWide { op: WideOp, d: R, n: R, imm: Imm12 },
    /// d = !m.
    Not { flags: Flags, d: R, m: Operand2<R> },
    /// d = n shifted.
    Shift { op: ShiftOp, flags: Flags, d: R, n: R, by: ShiftBy<R> },
    /// d = n op m; d and n share a register. The form that Armv6-M has of most operators.
    InPlace { op: InPlaceOp, flags: Flags, d: R, n: R, m: Operand2<R> },
    /// d = n * m.
    Mul { d: R, n: R, m: R },
    /// d = a + n * m.
    MulAdd { d: R, n: R, m: R, a: R },
    /// d = a - n * m.
    MulSub { d: R, n: R, m: R, a: R },
    /// high:low = n * m.
    MulLong { sign: Sign, low: R, high: R, n: R, m: R },
    /// high:low = n * m added to high_in:low_in, which are in the same registers.
    MulLongAdd { op: MulLongAddOp, low: R, high: R, low_in: R, high_in: R, n: R, m: R },
    /// d = n / m; 0 when m is 0.
    Div { sign: Sign, d: R, n: R, m: R },
    /// d = op m.
    Unary { op: UnaryOp, d: R, m: R },
    /// d = the field of n, extended.
    Extract { sign: Sign, d: R, n: R, field: BitField },
    /// d = into with the field replaced by the low bits of n; d and into share a register.
    Insert { d: R, into: R, n: R, field: BitField },
    /// d = from with the field cleared; d and from share a register.
    Clear { d: R, from: R, field: BitField },
    /// Writes flags.
    Compare { op: CompareOp, n: R, m: Operand2<R> },
    /// d = if cond then a else b. Reads and keeps flags; shortest when d shares a register with a or b.
    Select { d: R, cond: Cond, a: Choice<R>, b: Choice<R> },
    /// d = if cond then 1 else 0. Reads and keeps flags.
    SetCond { d: R, cond: Cond },
    /// d = memory at address.
    Load { kind: LoadKind, d: R, address: Address<R> },
    /// Memory at address = s.
    Store { kind: StoreKind, s: R, address: Address<R> },
    /// d = word of the spill area.
    SlotLoad { d: R, slot: Slot },
    /// Word of the spill area = s.
    SlotStore { s: R, slot: Slot },
    /// d = stack argument at this byte offset from SP at entry.
    IncomingLoad { d: R, offset: u32 },
    /// Stack argument of the function that this one leaves for, at this byte offset from SP at entry, = s.
    IncomingStore { s: R, offset: u32 },
    /// Stack argument of the next call, at this byte offset from SP at the call, = s.
    OutgoingStore { s: R, offset: u32 },
    /// d = address of the area for the next call's results: so many bytes, at this byte offset from SP.
    ResultArea { d: R, offset: u32, bytes: u32 },
    /// d = word of the last call's results, at this byte offset from SP at the call.
    OutgoingLoad { d: R, offset: u32 },
    /// A call. Destroys flags and what AAPCS lets it destroy.
    Call(Call<R>),
    /// An instruction of the floating-point unit.
    Float(FloatInst<R>),
    /// Traps if cond. Reads and keeps flags; the trap itself stands behind the function.
    TrapIf { cond: Cond, trap: Trap },
}

/// Control flow to another block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Edge<R> {
    /// Where to.
    pub block: Block,
    /// One per parameter of the block; none once registers are allocated.
    pub args: Vec<R>,
}

/// What a register is tested for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ZeroTest {
    /// It is 0.
    Zero,
    /// It is not 0.
    NonZero,
}

/// The end of a block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "fields say what they are")]
pub enum Terminator<R> {
    /// Goes on elsewhere.
    Jump(Edge<R>),
    /// Branches on the flags.
    Branch { cond: Cond, then: Edge<R>, otherwise: Edge<R> },
    /// Branches on a register; may destroy flags.
    BranchZero { test: ZeroTest, n: R, then: Edge<R>, otherwise: Edge<R> },
    /// Goes to `targets[index]`. Requires index < number of targets.
    Table { index: R, targets: Vec<Edge<R>> },
    /// Returns register results.
    Return { values: Vec<(PReg, R)> },
    /// Leaves for another function, which returns to the caller. Stack arguments are stored before it by
    /// `IncomingStore`.
    ReturnCall(Call<R>),
    /// Traps.
    Trap(Trap),
}

impl<R> Terminator<R> {
    /// The edges out, in order.
    pub fn edges(&self) -> Vec<&Edge<R>> {
        match self {
            Terminator::Jump(edge) => vec![edge],
            Terminator::Branch { then, otherwise, .. } | Terminator::BranchZero { then, otherwise, .. } => {
                vec![then, otherwise]
            }
            Terminator::Table { targets, .. } => targets.iter().collect(),
            Terminator::Return { .. } | Terminator::ReturnCall(_) | Terminator::Trap(_) => vec![],
        }
    }

    /// The edges out, in order.
    pub fn edges_mut(&mut self) -> Vec<&mut Edge<R>> {
        match self {
            Terminator::Jump(edge) => vec![edge],
            Terminator::Branch { then, otherwise, .. } | Terminator::BranchZero { then, otherwise, .. } => {
                vec![then, otherwise]
            }
            Terminator::Table { targets, .. } => targets.iter_mut().collect(),
            Terminator::Return { .. } | Terminator::ReturnCall(_) | Terminator::Trap(_) => vec![],
        }
    }
}
