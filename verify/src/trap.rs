//! The traps of Wasm (core spec, 4.4) and the codes by which machine code reports them.

/// Why a Wasm instruction trapped. The discriminant is the `imm8` of the `UDF` that reports it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Trap {
    /// `unreachable` was executed.
    Unreachable = 0xe0,
    /// A load, store or active segment lies outside its memory.
    MemoryOutOfBounds = 0xe1,
    /// A division or remainder by zero.
    DivideByZero = 0xe2,
    /// `MIN / -1`.
    IntegerOverflow = 0xe3,
    /// The index of an indirect call lies outside its table.
    TableOutOfBounds = 0xe4,
    /// An indirect call through a null table entry.
    UninitializedElement = 0xe5,
    /// An indirect call to a function of another type.
    IndirectCallType = 0xe6,
    /// The call stack is used up.
    StackExhausted = 0xe7,
    /// A NaN was converted to an integer.
    InvalidConversion = 0xe8,
    /// Any other access, or an active element segment, lies outside its table.
    TableAccess = 0xe9,
}

impl Trap {
    /// Every trap, in code order.
    pub const ALL: [Trap; 10] = [
        Trap::Unreachable,
        Trap::MemoryOutOfBounds,
        Trap::DivideByZero,
        Trap::IntegerOverflow,
        Trap::TableOutOfBounds,
        Trap::UninitializedElement,
        Trap::IndirectCallType,
        Trap::StackExhausted,
        Trap::InvalidConversion,
        Trap::TableAccess,
    ];

    /// The trap that `UDF #code` reports, if it reports one.
    pub fn from_code(code: u8) -> Option<Trap> {
        Trap::ALL.into_iter().find(|trap| *trap as u8 == code)
    }

    /// The words of the official test suite for it.
    pub fn words(self) -> &'static str {
        match self {
            Trap::Unreachable => "unreachable",
            Trap::MemoryOutOfBounds => "out of bounds memory access",
            Trap::DivideByZero => "integer divide by zero",
            Trap::IntegerOverflow => "integer overflow",
            Trap::TableOutOfBounds => "undefined element",
            Trap::UninitializedElement => "uninitialized element",
            Trap::IndirectCallType => "indirect call type mismatch",
            Trap::StackExhausted => "call stack exhausted",
            Trap::InvalidConversion => "invalid conversion to integer",
            Trap::TableAccess => "out of bounds table access",
        }
    }
}
