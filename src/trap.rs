//! The traps of Wasm (core spec, 4.4.1) and the `UDF` number that each becomes.
//!
//! This is the compiler's own table. The validator has another one; `docs/abi.md` binds both.

/// Why execution stops. The discriminant is the immediate of the `UDF` that stops it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Trap {
    /// The instruction `unreachable`.
    Unreachable = 0xe0,
    /// An access, or an active data segment, that does not lie in memory.
    MemoryOutOfBounds = 0xe1,
    /// An integer division or remainder with a zero divisor.
    DivideByZero = 0xe2,
    /// A quotient that its type cannot hold.
    IntegerOverflow = 0xe3,
    /// The index of an indirect call that does not lie in the table.
    TableOutOfBounds = 0xe4,
    /// A call through a null entry.
    UninitializedElement = 0xe5,
    /// A call through an entry of another type.
    IndirectCallType = 0xe6,
    /// No stack is left for a call.
    StackExhausted = 0xe7,
    /// A NaN has no integer.
    InvalidConversion = 0xe8,
    /// Any other access to a table, or an active element segment, that does not lie in the table.
    TableAccess = 0xe9,
}

impl Trap {
    /// All of them, by number.
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

    /// The immediate of its `UDF`.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The trap with this `UDF` immediate.
    pub fn from_code(code: u8) -> Option<Trap> {
        Trap::ALL.into_iter().find(|trap| trap.code() == code)
    }

    /// What the spec's test suite calls it.
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
