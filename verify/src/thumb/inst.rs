//! Thumb-2 instructions, as values. Those of the floating-point unit are in `float`.
//!
//! Ensures: one [`Inst`] is one architectural operation; aliases and encodings of different width
//! with one meaning are one value. Immediates are expanded. What the manual calls UNPREDICTABLE
//! and is decided by the instruction alone is never built by [`decode`](super::decode); the types
//! here do not forbid it by themselves.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403), chapters A5 to A7.

pub use super::float::FloatInst;
pub use super::register::{Reg, RegSet};

/// A condition (DDI 0403, A7.3). "Always" is the absence of a condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Cond {
    /// Equal: Z.
    Eq = 0,
    /// Not equal: not Z.
    Ne = 1,
    /// Unsigned higher or same: C.
    Hs = 2,
    /// Unsigned lower: not C.
    Lo = 3,
    /// Minus: N.
    Mi = 4,
    /// Plus or zero: not N.
    Pl = 5,
    /// Overflow: V.
    Vs = 6,
    /// No overflow: not V.
    Vc = 7,
    /// Unsigned higher: C and not Z.
    Hi = 8,
    /// Unsigned lower or same: not C, or Z.
    Ls = 9,
    /// Signed greater or equal: N = V.
    Ge = 10,
    /// Signed less: N != V.
    Lt = 11,
    /// Signed greater: not Z, and N = V.
    Gt = 12,
    /// Signed less or equal: Z, or N != V.
    Le = 13,
}

impl Cond {
    /// Every condition, in code order.
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

    /// The condition with this 4-bit code; `None` for "always" (14) and 15.
    pub fn from_code(code: u32) -> Option<Cond> {
        Cond::ALL.into_iter().find(|cond| *cond as u32 == code)
    }

    /// The condition that holds exactly when this one does not.
    #[must_use]
    pub fn inverse(self) -> Cond {
        match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Hs => Cond::Lo,
            Cond::Lo => Cond::Hs,
            Cond::Mi => Cond::Pl,
            Cond::Pl => Cond::Mi,
            Cond::Vs => Cond::Vc,
            Cond::Vc => Cond::Vs,
            Cond::Hi => Cond::Ls,
            Cond::Ls => Cond::Hi,
            Cond::Ge => Cond::Lt,
            Cond::Lt => Cond::Ge,
            Cond::Gt => Cond::Le,
            Cond::Le => Cond::Gt,
        }
    }
}

/// Whether an instruction sets the flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SetFlags {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// It does, but not inside an IT block: the 16-bit forms.
    OutsideIt,
}

/// The kind of a shift by a register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShiftKind {
    /// Logical left.
    Lsl,
    /// Logical right.
    Lsr,
    /// Arithmetic right.
    Asr,
    /// Rotate right.
    Ror,
}

/// A shift by a constant. The default, `Lsl(0)`, is no shift.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shift {
    /// Logical left by 0 to 31.
    Lsl(u8),
    /// Logical right by 1 to 32.
    Lsr(u8),
    /// Arithmetic right by 1 to 32.
    Asr(u8),
    /// Rotate right by 1 to 31.
    Ror(u8),
    /// Rotate right by one bit through the carry flag.
    Rrx,
}

/// A constant operand, expanded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Immediate {
    /// Its value.
    pub value: u32,
    /// The carry that a logical instruction puts in C (`ThumbExpandImm_C`, A5.3.2): bit 31 of a
    /// rotated constant. `None` leaves C as it is.
    pub carry: Option<bool>,
}

impl Immediate {
    /// A constant that leaves the carry flag alone.
    pub fn plain(value: u32) -> Immediate {
        Immediate { value, carry: None }
    }
}

/// A data-processing operation with a result and two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DataOp {
    /// `n & operand`.
    And,
    /// `n & !operand`.
    Bic,
    /// `n | operand`.
    Orr,
    /// `n | !operand`.
    Orn,
    /// `n ^ operand`.
    Eor,
    /// `n + operand`.
    Add,
    /// `n + operand + C`.
    Adc,
    /// `n - operand`.
    Sub,
    /// `n - operand - !C`.
    Sbc,
    /// `operand - n`.
    Rsb,
}

/// A data-processing operation with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MoveOp {
    /// The operand.
    Mov,
    /// Its complement.
    Mvn,
}

/// A data-processing operation whose only result is the flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TestOp {
    /// The flags of `n & operand`.
    Tst,
    /// The flags of `n ^ operand`.
    Teq,
    /// The flags of `n - operand`.
    Cmp,
    /// The flags of `n + operand`.
    Cmn,
}

/// Signed or unsigned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sign {
    /// Two's complement.
    Signed,
    /// Unsigned.
    Unsigned,
}

/// A multiplication of two words to 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LongOp {
    /// `hi:lo := n * m`, signed.
    Smull,
    /// `hi:lo := n * m`, unsigned.
    Umull,
    /// `hi:lo := hi:lo + n * m`, signed.
    Smlal,
    /// `hi:lo := hi:lo + n * m`, unsigned.
    Umlal,
    /// `hi:lo := n * m + hi + lo`, unsigned.
    Umaal,
}

/// What an extension keeps of its rotated operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExtendKind {
    /// Bits 7:0, sign-extended.
    Sxtb,
    /// Bits 15:0, sign-extended.
    Sxth,
    /// Bits 7:0, zero-extended.
    Uxtb,
    /// Bits 15:0, zero-extended.
    Uxth,
}

/// A permutation or count of the bits of one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BitOp {
    /// Leading zero bits.
    Clz,
    /// Bits in reverse order.
    Rbit,
    /// Bytes in reverse order.
    Rev,
    /// The two bytes of each half in reverse order.
    Rev16,
    /// The two bytes of the low half in reverse order, sign-extended.
    Revsh,
}

/// How many bytes a memory access moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Width {
    /// One.
    Byte = 1,
    /// Two.
    Half = 2,
    /// Four.
    Word = 4,
}

impl Width {
    /// The number of bytes.
    pub fn bytes(self) -> u32 {
        self as u32
    }
}

/// The address of a load or store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// `[n, #offset]`.
    Offset {
        /// Base.
        n: Reg,
        /// Bytes.
        offset: i32,
    },
    /// `[n, m, lsl #shift]`.
    Index {
        /// Base.
        n: Reg,
        /// Index.
        m: Reg,
        /// Left shift of the index, 0 to 3.
        shift: u8,
    },
    /// `[n, #offset]!`: the base becomes the address.
    PreIndex {
        /// Base.
        n: Reg,
        /// Bytes.
        offset: i32,
    },
    /// `[n], #offset`: the base is the address and is advanced afterwards.
    PostIndex {
        /// Base.
        n: Reg,
        /// Bytes.
        offset: i32,
    },
    /// `[pc, #offset]`: the offset counts from the instruction's address plus 4, rounded down
    /// to a multiple of 4.
    Literal {
        /// Bytes.
        offset: i32,
    },
}

/// Where a multiple load or store begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MultipleMode {
    /// At the base, upward (IA). `LDMIA SP!` is POP.
    IncrementAfter,
    /// Below the base, so that it ends there (DB). `STMDB SP!` is PUSH.
    DecrementBefore,
}

/// Whether a multiple load or store moves its base.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Writeback {
    /// It does not.
    No,
    /// It does, past the words moved.
    Yes,
}

/// What a compare-and-branch takes its branch on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ZeroTest {
    /// `CBZ`.
    Zero,
    /// `CBNZ`.
    NonZero,
}

/// An instruction that changes or observes more than registers, flags and memory.
///
/// Decoded so that it can be refused by its name. Operands that no rule needs are not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum System {
    /// Supervisor call.
    Svc(u8),
    /// Breakpoint.
    Bkpt(u8),
    /// Hint: yield.
    Yield,
    /// Wait for an event.
    Wfe,
    /// Wait for an interrupt.
    Wfi,
    /// Send an event.
    Sev,
    /// Debug hint.
    Dbg,
    /// Change the processor state: PRIMASK or FAULTMASK.
    Cps,
    /// Data synchronisation barrier.
    Dsb,
    /// Data memory barrier.
    Dmb,
    /// Instruction synchronisation barrier.
    Isb,
    /// Clears the exclusive monitor.
    Clrex,
    /// Reads the special register `sysm`.
    Mrs {
        /// Destination.
        d: Reg,
        /// Special register number.
        sysm: u8,
    },
    /// Writes the special register `sysm`.
    Msr {
        /// Source.
        n: Reg,
        /// Special register number.
        sysm: u8,
        /// Which parts of the APSR are written.
        mask: u8,
    },
    /// Reads the status of the floating-point unit, FPSCR.
    Vmrs {
        /// Destination.
        d: Reg,
    },
    /// Writes it.
    Vmsr {
        /// Source.
        n: Reg,
    },
}

/// One instruction. `d` is a destination, `n`, `m`, `a` are sources, `t` is transferred.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Inst {
    /// `d := n op imm`. AND to ORN, EOR take the carry of the constant.
    DataImm {
        /// Operation.
        op: DataOp,
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// First operand.
        n: Reg,
        /// Second operand.
        imm: Immediate,
    },
    /// `d := n op shift(m)`.
    DataReg {
        /// Operation.
        op: DataOp,
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// First operand.
        n: Reg,
        /// Second operand.
        m: Reg,
        /// How the second operand is shifted.
        shift: Shift,
    },
    /// `d := imm` or its complement.
    MoveImm {
        /// Operation.
        op: MoveOp,
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// Operand.
        imm: Immediate,
    },
    /// `d := shift(m)` or its complement: MOV, the shifts by a constant, RRX and MVN.
    MoveReg {
        /// Operation.
        op: MoveOp,
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// Operand.
        m: Reg,
        /// How the operand is shifted.
        shift: Shift,
    },
    /// Sets the flags from `n op imm`.
    TestImm {
        /// Operation.
        op: TestOp,
        /// First operand.
        n: Reg,
        /// Second operand.
        imm: Immediate,
    },
    /// Sets the flags from `n op shift(m)`.
    TestReg {
        /// Operation.
        op: TestOp,
        /// First operand.
        n: Reg,
        /// Second operand.
        m: Reg,
        /// How the second operand is shifted.
        shift: Shift,
    },
    /// `d := n shifted by bits 7:0 of m`.
    ShiftReg {
        /// Kind.
        kind: ShiftKind,
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// The word shifted.
        n: Reg,
        /// The count.
        m: Reg,
    },
    /// `d := imm`, 16 bits, high half zero.
    MovW {
        /// Destination.
        d: Reg,
        /// The 16 bits.
        imm: u16,
    },
    /// The high half of `d` becomes `imm`.
    MovT {
        /// Destination.
        d: Reg,
        /// The 16 bits.
        imm: u16,
    },
    /// `d := address of the instruction plus 4, rounded down to a multiple of 4, plus offset`.
    Adr {
        /// Destination.
        d: Reg,
        /// Bytes.
        offset: i32,
    },
    /// `d := n * m`; flags N and Z if they are set at all.
    Mul {
        /// Whether it sets the flags.
        flags: SetFlags,
        /// Destination.
        d: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
    },
    /// `d := a + n * m`.
    Mla {
        /// Destination.
        d: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
        /// Summand.
        a: Reg,
    },
    /// `d := a - n * m`.
    Mls {
        /// Destination.
        d: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
        /// Minuend.
        a: Reg,
    },
    /// `d := bits 63:32 of n * m`, signed (DSP extension).
    Smmul {
        /// Destination.
        d: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
    },
    /// `d := bits 63:32 of (a << 32) + n * m`, signed (DSP extension).
    Smmla {
        /// Destination.
        d: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
        /// Summand.
        a: Reg,
    },
    /// A 64-bit multiplication.
    MulLong {
        /// Operation.
        op: LongOp,
        /// Low word of the result, and of the summand.
        lo: Reg,
        /// High word of the result, and of the summand.
        hi: Reg,
        /// Factor.
        n: Reg,
        /// Factor.
        m: Reg,
    },
    /// `d := n / m`; 0 for a zero divisor, under the policy that such a division does not fault.
    Div {
        /// Signed or unsigned.
        sign: Sign,
        /// Destination.
        d: Reg,
        /// Dividend.
        n: Reg,
        /// Divisor.
        m: Reg,
    },
    /// `d` with `width` bits from `lsb` on replaced by the low bits of `n`; by zeros without `n`.
    Bfi {
        /// Destination, and the word whose other bits stay.
        d: Reg,
        /// Source of the bits; `None` is BFC.
        n: Option<Reg>,
        /// Lowest bit replaced.
        lsb: u8,
        /// Number of bits, 1 to 32.
        width: u8,
    },
    /// `d := width bits of n from lsb on`, extended: UBFX, SBFX.
    Bfx {
        /// How the bits are extended.
        sign: Sign,
        /// Destination.
        d: Reg,
        /// Source.
        n: Reg,
        /// Lowest bit taken.
        lsb: u8,
        /// Number of bits, 1 to 32.
        width: u8,
    },
    /// `d := n + extend(m rotated right)`; without `n` only the extension.
    Extend {
        /// What is kept of the operand.
        kind: ExtendKind,
        /// Destination.
        d: Reg,
        /// Summand, in the forms of the DSP extension.
        n: Option<Reg>,
        /// Operand.
        m: Reg,
        /// Right rotation before the extension: 0, 8, 16 or 24.
        rotate: u8,
    },
    /// `d := op(m)`.
    Bits {
        /// Operation.
        op: BitOp,
        /// Destination.
        d: Reg,
        /// Operand.
        m: Reg,
    },
    /// Loads `t`, extended to a word. With `t` = PC it is an interworking branch.
    Load {
        /// Bytes read.
        width: Width,
        /// How they are extended.
        sign: Sign,
        /// Destination.
        t: Reg,
        /// Where.
        address: Address,
    },
    /// Stores the low bytes of `t`.
    Store {
        /// Bytes written.
        width: Width,
        /// Source.
        t: Reg,
        /// Where.
        address: Address,
    },
    /// Loads two words. Faults unless the address is a multiple of 4.
    LoadDual {
        /// Destination of the word at the address.
        t: Reg,
        /// Destination of the next word.
        t2: Reg,
        /// Where; never [`Address::Index`].
        address: Address,
    },
    /// Stores two words. Faults unless the address is a multiple of 4.
    StoreDual {
        /// The word at the address.
        t: Reg,
        /// The next word.
        t2: Reg,
        /// Where; never [`Address::Index`] or [`Address::Literal`].
        address: Address,
    },
    /// Loads words, lowest register from the lowest address. Faults unless the address is a
    /// multiple of 4. With PC in the list it is an interworking branch.
    LoadMultiple {
        /// Base.
        n: Reg,
        /// Whether the base moves.
        writeback: Writeback,
        /// Where the words are.
        mode: MultipleMode,
        /// Destinations.
        registers: RegSet,
    },
    /// Stores words, lowest register to the lowest address. Faults unless the address is a
    /// multiple of 4.
    StoreMultiple {
        /// Base.
        n: Reg,
        /// Whether the base moves.
        writeback: Writeback,
        /// Where the words go.
        mode: MultipleMode,
        /// Sources.
        registers: RegSet,
    },
    /// Branch; the offset counts from the instruction's address plus 4, here and below.
    Branch {
        /// Bytes.
        offset: i32,
    },
    /// Branch if the condition holds.
    BranchCond {
        /// Condition.
        cond: Cond,
        /// Bytes.
        offset: i32,
    },
    /// Branch if the register is, or is not, zero.
    CompareBranch {
        /// Which of the two.
        test: ZeroTest,
        /// The register.
        n: Reg,
        /// Bytes.
        offset: i32,
    },
    /// Call: LR becomes the next address with bit 0 set.
    BranchLink {
        /// Bytes.
        offset: i32,
    },
    /// Call of the address in `m`; bit 0 of it must be set.
    BranchLinkReg {
        /// The register.
        m: Reg,
    },
    /// Branch to the address in `m`; bit 0 of it must be set.
    BranchReg {
        /// The register.
        m: Reg,
    },
    /// Branch forward by twice the table entry at index `m`: TBB, TBH.
    TableBranch {
        /// Size of an entry, `Byte` or `Half`.
        width: Width,
        /// Address of the table; PC is the instruction's address plus 4.
        n: Reg,
        /// Index.
        m: Reg,
    },
    /// Makes up to four following instructions conditional.
    It {
        /// Condition of the first.
        first: Cond,
        /// The four mask bits of the encoding, never 0.
        mask: u8,
    },
    /// Nothing.
    Nop,
    /// Permanently undefined: the trap instruction, 16-bit form.
    Udf {
        /// The trap code.
        imm: u8,
    },
    /// One of the floating-point unit.
    Float(FloatInst),
    /// What only start-up code may use, if anything.
    System(System),
}
