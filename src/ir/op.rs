//! The operators of the IR: the one table of their names, types and effects.
//!
//! Every operator is total. Where a Wasm instruction traps, the translator emits a [`Op::TrapIf`]
//! before the total operator. Shift and rotate counts are taken modulo the width, as in Wasm
//! (core spec, 4.3.2). Division by zero gives 0 and `MIN / -1` gives `MIN`, as on Armv7-M (DDI0403,
//! A7.7.127); a remainder is always `a - (a / b) * b`, so the remainder by zero is `a`.
//!
//! Comparisons give 1 or 0 as an `i32`. There is no "greater": the translator swaps the operands.
//! There is no "is zero": it is a comparison with the constant 0.
//!
//! A value is 32 or 64 bits: a float is its bits, and only operators know it from an integer. Operators
//! on floats are those of IEEE 754-2019, rounded to nearest, with one NaN (core spec, 4.3.3).

use crate::target::{FloatUnit, Isa};
use crate::trap::Trap;

use crate::entity;

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Type {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

impl Type {
    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
        }
    }

    /// Its size in bits.
    pub fn bits(self) -> u32 {
        match self {
            Type::I32 => 32,
            Type::I64 => 64,
        }
    }
}

entity! {
    /// A linear memory of the module.
    Memory, "memory";
    /// A table of the module.
    Table, "table";
    /// A global of the module, imports counted.
    Global, "global";
    /// A function of the module, imports counted.
    Function, "fn";
    /// A signature in [`Func::signatures`](super::func::Func::signatures).
    Sig, "sig";
}

/// How many bytes a memory access touches and how they become a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// One byte, zero-extended to 32 bits. Stores use this for one byte.
    U8,
    /// One byte, sign-extended to 32 bits; loads only.
    S8,
    /// Two bytes, zero-extended to 32 bits. Stores use this for two bytes.
    U16,
    /// Two bytes, sign-extended to 32 bits; loads only.
    S16,
    /// Four bytes.
    W32,
    /// Eight bytes.
    W64,
}

impl Access {
    /// Every access.
    pub const ALL: [Access; 6] = [Access::U8, Access::S8, Access::U16, Access::S16, Access::W32, Access::W64];

    /// Bytes touched.
    pub fn bytes(self) -> u32 {
        match self {
            Access::U8 | Access::S8 => 1,
            Access::U16 | Access::S16 => 2,
            Access::W32 => 4,
            Access::W64 => 8,
        }
    }

    /// Type of the value loaded or stored.
    pub fn ty(self) -> Type {
        match self {
            Access::W64 => Type::I64,
            Access::U8 | Access::S8 | Access::U16 | Access::S16 | Access::W32 => Type::I32,
        }
    }

    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Access::U8 => "u8",
            Access::S8 => "s8",
            Access::U16 => "u16",
            Access::S16 => "s16",
            Access::W32 => "w32",
            Access::W64 => "w64",
        }
    }
}

/// A part of the instance's state that changes while a function runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// The bytes of a linear memory.
    Bytes(Memory),
    /// The length of a linear memory.
    Length(Memory),
    /// A mutable global.
    Global(Global),
    /// The entries of a table.
    Entries(Table),
    /// The number of entries of a table.
    Size(Table),
    /// The results of the last call, if it has several.
    Results,
}

/// What an operator does besides computing its result, and what it depends on besides its operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing: it may be merged, removed, moved and computed again anywhere.
    Pure,
    /// Reads what never changes, but only behind its check: it may be merged with a dominating
    /// equal and removed, not moved upwards.
    Guarded,
    /// Reads a part of the state, behind its check. It may be removed.
    Read(State),
    /// Writes a part of the state.
    Write(State),
    /// Leaves the function if its operand is not zero.
    Trap,
    /// Reads and writes every part of the state and may trap.
    Call,
}

macro_rules! operators {
    (
        plain { $($variant:ident $name:literal ($($arg:ident),*) -> $result:ident, $doc:literal;)* }
        helped { $($helped:ident $helped_name:literal ($($operand:ident),*) -> $gives:ident, $about:literal;)* }
    ) => {
        /// An operator with its immediates.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Op {
            $(#[doc = $doc] $variant,)*
            $(#[doc = $about] $helped,)*
            /// A 32-bit constant.
            Const32(u32),
            /// A 64-bit constant.
            Const64(u64),
            /// The address of byte 0 of a linear memory: a link-time constant.
            MemoryBase(Memory),
            /// The length of a linear memory in bytes, from its cell in the instance. Used only for
            /// memories that can grow; the length of others is a constant.
            MemoryBytes(Memory),
            /// Sets the length of a linear memory in bytes.
            SetMemoryBytes(Memory),
            /// The value at address operand 0 plus `offset`, little-endian, any alignment.
            Load {
                /// The memory that the address points into.
                memory: Memory,
                /// Bytes touched, and how they become a value.
                access: Access,
                /// Added to the address, modulo 2^32.
                offset: u32,
            },
            /// Stores operand 1 at address operand 0 plus `offset`, little-endian, any alignment.
            Store {
                /// The memory that the address points into.
                memory: Memory,
                /// Bytes touched; never a sign-extending access.
                access: Access,
                /// Added to the address, modulo 2^32.
                offset: u32,
            },
            /// The value of a global that has a cell.
            GlobalGet(Global, Type),
            /// Sets a global.
            GlobalSet(Global, Type),
            /// A reference to a function: the address of its descriptor, a link-time constant.
            FunctionRef(Function),
            /// The reference at an index, in bounds, of a table that never changes.
            TableEntry(Table),
            /// The reference at an index, in bounds, of a table that is in RAM.
            TableGet(Table),
            /// Makes operand 1 the reference at index operand 0, in bounds.
            TableSet(Table),
            /// The number of entries of a table that can grow.
            TableSize(Table),
            /// Sets the number of entries of a table.
            SetTableSize(Table),
            /// The type id of a function, of a reference that is not null: 1 + the index of the first
            /// structurally equal type.
            ReferenceType,
            /// The code address of a function, of a reference that is not null.
            ReferenceCode,
            /// Calls a function of the module, imported or not.
            Call {
                /// The callee.
                function: Function,
                /// Its signature.
                signature: Sig,
            },
            /// Calls the code address in operand 0 with the other operands. The callee is known to
            /// have this signature.
            CallCode {
                /// The callee's signature.
                signature: Sig,
            },
            /// One of several results of a call of this signature. Behind the call stand only others of it.
            CallResult {
                /// The callee's signature.
                signature: Sig,
                /// Which one, first 0.
                index: u32,
            },
            /// Traps if operand 0 is not zero.
            TrapIf(Trap),
        }

        /// Operators without immediates, in table order: operator, name, operand types, result type.
        pub const PLAIN: &[(Op, &str, &[Type], Type)] =
            &[
                $((Op::$variant, $name, &[$(Type::$arg),*], Type::$result),)*
                $((Op::$helped, $helped_name, &[$(Type::$operand),*], Type::$gives),)*
            ];

        impl Op {
            /// Operand types and result type, where the operator has no immediates.
            pub fn plain(self) -> Option<(&'static str, &'static [Type], Type)> {
                match self {
                    $(Op::$variant => Some(($name, &[$(Type::$arg),*], Type::$result)),)*
                    $(Op::$helped => Some(($helped_name, &[$(Type::$operand),*], Type::$gives)),)*
                    Op::Const32(_) | Op::Const64(_) | Op::MemoryBase(_) | Op::MemoryBytes(_)
                    | Op::SetMemoryBytes(_) | Op::Load { .. } | Op::Store { .. }
                    | Op::GlobalGet(..) | Op::GlobalSet(..) | Op::FunctionRef(_) | Op::TableEntry(_)
                    | Op::TableGet(_) | Op::TableSet(_) | Op::TableSize(_) | Op::SetTableSize(_)
                    | Op::ReferenceType | Op::ReferenceCode
                    | Op::Call { .. } | Op::CallCode { .. } | Op::CallResult { .. } | Op::TrapIf(_) => None,
                }
            }

            /// Whether no processor computes it: a function of the runtime does.
            fn has_no_instruction(self) -> bool {
                matches!(self, $(Op::$helped)|*)
            }
        }
    };
}

operators! { plain {
    Add32 "i32.add" (I32, I32) -> I32, "Sum modulo 2^32.";
    Sub32 "i32.sub" (I32, I32) -> I32, "Difference modulo 2^32.";
    Mul32 "i32.mul" (I32, I32) -> I32, "Product modulo 2^32.";
    DivU32 "i32.div_u" (I32, I32) -> I32, "Unsigned quotient; 0 when the divisor is 0.";
    DivS32 "i32.div_s" (I32, I32) -> I32, "Signed quotient, truncated; 0 when the divisor is 0.";
    RemU32 "i32.rem_u" (I32, I32) -> I32, "Unsigned remainder; operand 0 when the divisor is 0.";
    RemS32 "i32.rem_s" (I32, I32) -> I32, "Signed remainder; operand 0 when the divisor is 0.";
    And32 "i32.and" (I32, I32) -> I32, "Bitwise and.";
    Or32 "i32.or" (I32, I32) -> I32, "Bitwise or.";
    Xor32 "i32.xor" (I32, I32) -> I32, "Bitwise exclusive or.";
    Shl32 "i32.shl" (I32, I32) -> I32, "Shift left, count modulo 32.";
    ShrU32 "i32.shr_u" (I32, I32) -> I32, "Logical shift right, count modulo 32.";
    ShrS32 "i32.shr_s" (I32, I32) -> I32, "Arithmetic shift right, count modulo 32.";
    RotL32 "i32.rotl" (I32, I32) -> I32, "Rotate left, count modulo 32.";
    RotR32 "i32.rotr" (I32, I32) -> I32, "Rotate right, count modulo 32.";
    Clz32 "i32.clz" (I32) -> I32, "Number of leading zero bits; 32 for 0.";
    Ctz32 "i32.ctz" (I32) -> I32, "Number of trailing zero bits; 32 for 0.";
    Popcnt32 "i32.popcnt" (I32) -> I32, "Number of one bits.";
    Extend8S32 "i32.extend8_s" (I32) -> I32, "Sign-extends bits 7:0.";
    Extend16S32 "i32.extend16_s" (I32) -> I32, "Sign-extends bits 15:0.";
    Eq32 "i32.eq" (I32, I32) -> I32, "Equal.";
    Ne32 "i32.ne" (I32, I32) -> I32, "Not equal.";
    LtU32 "i32.lt_u" (I32, I32) -> I32, "Less than, unsigned.";
    LtS32 "i32.lt_s" (I32, I32) -> I32, "Less than, signed.";
    LeU32 "i32.le_u" (I32, I32) -> I32, "Less than or equal, unsigned.";
    LeS32 "i32.le_s" (I32, I32) -> I32, "Less than or equal, signed.";
    Select32 "i32.select" (I32, I32, I32) -> I32, "Operand 1 if operand 0 is not zero, else operand 2.";
    Add64 "i64.add" (I64, I64) -> I64, "Sum modulo 2^64.";
    Sub64 "i64.sub" (I64, I64) -> I64, "Difference modulo 2^64.";
    Mul64 "i64.mul" (I64, I64) -> I64, "Product modulo 2^64.";
    Add128High "i64.add128_high" (I64, I64, I64, I64) -> I64, "High half of the sum of two numbers, each a low and a high half.";
    Sub128High "i64.sub128_high" (I64, I64, I64, I64) -> I64, "High half of the difference of two numbers, each a low and a high half.";
    MulHighS64 "i64.mul_high_s" (I64, I64) -> I64, "High half of the signed product.";
    MulHighU64 "i64.mul_high_u" (I64, I64) -> I64, "High half of the unsigned product.";
    And64 "i64.and" (I64, I64) -> I64, "Bitwise and.";
    Or64 "i64.or" (I64, I64) -> I64, "Bitwise or.";
    Xor64 "i64.xor" (I64, I64) -> I64, "Bitwise exclusive or.";
    Shl64 "i64.shl" (I64, I64) -> I64, "Shift left, count modulo 64.";
    ShrU64 "i64.shr_u" (I64, I64) -> I64, "Logical shift right, count modulo 64.";
    ShrS64 "i64.shr_s" (I64, I64) -> I64, "Arithmetic shift right, count modulo 64.";
    RotL64 "i64.rotl" (I64, I64) -> I64, "Rotate left, count modulo 64.";
    RotR64 "i64.rotr" (I64, I64) -> I64, "Rotate right, count modulo 64.";
    Clz64 "i64.clz" (I64) -> I64, "Number of leading zero bits; 64 for 0.";
    Ctz64 "i64.ctz" (I64) -> I64, "Number of trailing zero bits; 64 for 0.";
    Popcnt64 "i64.popcnt" (I64) -> I64, "Number of one bits.";
    Extend8S64 "i64.extend8_s" (I64) -> I64, "Sign-extends bits 7:0.";
    Extend16S64 "i64.extend16_s" (I64) -> I64, "Sign-extends bits 15:0.";
    Extend32S64 "i64.extend32_s" (I64) -> I64, "Sign-extends bits 31:0.";
    Eq64 "i64.eq" (I64, I64) -> I32, "Equal.";
    Ne64 "i64.ne" (I64, I64) -> I32, "Not equal.";
    LtU64 "i64.lt_u" (I64, I64) -> I32, "Less than, unsigned.";
    LtS64 "i64.lt_s" (I64, I64) -> I32, "Less than, signed.";
    LeU64 "i64.le_u" (I64, I64) -> I32, "Less than or equal, unsigned.";
    LeS64 "i64.le_s" (I64, I64) -> I32, "Less than or equal, signed.";
    Select64 "i64.select" (I32, I64, I64) -> I64, "Operand 1 if operand 0 is not zero, else operand 2.";
    Wrap "i32.wrap_i64" (I64) -> I32, "Bits 31:0.";
    ExtendU "i64.extend_i32_u" (I32) -> I64, "Zero-extends 32 bits to 64.";
    ExtendS "i64.extend_i32_s" (I32) -> I64, "Sign-extends 32 bits to 64.";
} helped {
    DivU64 "i64.div_u" (I64, I64) -> I64, "Unsigned quotient; 0 when the divisor is 0.";
    DivS64 "i64.div_s" (I64, I64) -> I64, "Signed quotient, truncated; 0 when the divisor is 0.";
    RemU64 "i64.rem_u" (I64, I64) -> I64, "Unsigned remainder; operand 0 when the divisor is 0.";
    RemS64 "i64.rem_s" (I64, I64) -> I64, "Signed remainder; operand 0 when the divisor is 0.";
    // Floats are their bits. A result that is a NaN is the positive one without payload.
    AddF32 "f32.add" (I32, I32) -> I32, "Sum.";
    SubF32 "f32.sub" (I32, I32) -> I32, "Difference.";
    MulF32 "f32.mul" (I32, I32) -> I32, "Product.";
    DivF32 "f32.div" (I32, I32) -> I32, "Quotient.";
    MinF32 "f32.min" (I32, I32) -> I32, "The lesser; -0 is less than 0.";
    MaxF32 "f32.max" (I32, I32) -> I32, "The greater; 0 is greater than -0.";
    SqrtF32 "f32.sqrt" (I32) -> I32, "Square root.";
    CeilF32 "f32.ceil" (I32) -> I32, "The next integral number up.";
    FloorF32 "f32.floor" (I32) -> I32, "The next integral number down.";
    TruncF32 "f32.trunc" (I32) -> I32, "The next integral number towards zero.";
    NearestF32 "f32.nearest" (I32) -> I32, "The nearest integral number, ties to even.";
    EqF32 "f32.eq" (I32, I32) -> I32, "Equal numbers.";
    NeF32 "f32.ne" (I32, I32) -> I32, "Not equal, or unordered.";
    LtF32 "f32.lt" (I32, I32) -> I32, "Less than.";
    LeF32 "f32.le" (I32, I32) -> I32, "Less than or equal.";
    ConvertI32SF32 "f32.convert_i32_s" (I32) -> I32, "The nearest number to a signed integer.";
    ConvertI32UF32 "f32.convert_i32_u" (I32) -> I32, "The nearest number to an unsigned integer.";
    ConvertI64SF32 "f32.convert_i64_s" (I64) -> I32, "The nearest number to a signed integer.";
    ConvertI64UF32 "f32.convert_i64_u" (I64) -> I32, "The nearest number to an unsigned integer.";
    AddF64 "f64.add" (I64, I64) -> I64, "Sum.";
    SubF64 "f64.sub" (I64, I64) -> I64, "Difference.";
    MulF64 "f64.mul" (I64, I64) -> I64, "Product.";
    DivF64 "f64.div" (I64, I64) -> I64, "Quotient.";
    MinF64 "f64.min" (I64, I64) -> I64, "The lesser; -0 is less than 0.";
    MaxF64 "f64.max" (I64, I64) -> I64, "The greater; 0 is greater than -0.";
    SqrtF64 "f64.sqrt" (I64) -> I64, "Square root.";
    CeilF64 "f64.ceil" (I64) -> I64, "The next integral number up.";
    FloorF64 "f64.floor" (I64) -> I64, "The next integral number down.";
    TruncF64 "f64.trunc" (I64) -> I64, "The next integral number towards zero.";
    NearestF64 "f64.nearest" (I64) -> I64, "The nearest integral number, ties to even.";
    EqF64 "f64.eq" (I64, I64) -> I32, "Equal numbers.";
    NeF64 "f64.ne" (I64, I64) -> I32, "Not equal, or unordered.";
    LtF64 "f64.lt" (I64, I64) -> I32, "Less than.";
    LeF64 "f64.le" (I64, I64) -> I32, "Less than or equal.";
    ConvertI32SF64 "f64.convert_i32_s" (I32) -> I64, "The nearest number to a signed integer.";
    ConvertI32UF64 "f64.convert_i32_u" (I32) -> I64, "The nearest number to an unsigned integer.";
    ConvertI64SF64 "f64.convert_i64_s" (I64) -> I64, "The nearest number to a signed integer.";
    ConvertI64UF64 "f64.convert_i64_u" (I64) -> I64, "The nearest number to an unsigned integer.";
    Demote "f32.demote_f64" (I64) -> I32, "The nearest binary32 number.";
    Promote "f64.promote_f32" (I32) -> I64, "The same number as binary64.";
    TruncF32I32S "i32.trunc_sat_f32_s" (I32) -> I32, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF32I32U "i32.trunc_sat_f32_u" (I32) -> I32, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF64I32S "i32.trunc_sat_f64_s" (I64) -> I32, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF64I32U "i32.trunc_sat_f64_u" (I64) -> I32, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF32I64S "i64.trunc_sat_f32_s" (I32) -> I64, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF32I64U "i64.trunc_sat_f32_u" (I32) -> I64, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF64I64S "i64.trunc_sat_f64_s" (I64) -> I64, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    TruncF64I64U "i64.trunc_sat_f64_u" (I64) -> I64, "The integer towards zero, or the nearest of its type; 0 for NaN.";
    FitsF32I32S "i32.trunc_f32_s.fits" (I32) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF32I32U "i32.trunc_f32_u.fits" (I32) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF64I32S "i32.trunc_f64_s.fits" (I64) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF64I32U "i32.trunc_f64_u.fits" (I64) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF32I64S "i64.trunc_f32_s.fits" (I32) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF32I64U "i64.trunc_f32_u.fits" (I32) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF64I64S "i64.trunc_f64_s.fits" (I64) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
    FitsF64I64U "i64.trunc_f64_u.fits" (I64) -> I32, "0 if its type has the integer towards zero; 1 for NaN, else 2.";
} }

impl Op {
    /// The constant of this type with these low bits.
    pub fn constant(ty: Type, bits: u64) -> Op {
        match ty {
            Type::I32 => Op::Const32(bits as u32),
            Type::I64 => Op::Const64(bits),
        }
    }

    /// What it does besides computing its result.
    pub fn effect(self) -> Effect {
        match self {
            Op::Const32(_) | Op::Const64(_) | Op::MemoryBase(_) | Op::FunctionRef(_) => Effect::Pure,
            Op::MemoryBytes(memory) => Effect::Read(State::Length(memory)),
            Op::SetMemoryBytes(memory) => Effect::Write(State::Length(memory)),
            Op::Load { memory, .. } => Effect::Read(State::Bytes(memory)),
            Op::Store { memory, .. } => Effect::Write(State::Bytes(memory)),
            Op::GlobalGet(global, _) => Effect::Read(State::Global(global)),
            Op::GlobalSet(global, _) => Effect::Write(State::Global(global)),
            Op::TableEntry(_) | Op::ReferenceType | Op::ReferenceCode => Effect::Guarded,
            Op::TableGet(table) => Effect::Read(State::Entries(table)),
            Op::TableSet(table) => Effect::Write(State::Entries(table)),
            Op::TableSize(table) => Effect::Read(State::Size(table)),
            Op::SetTableSize(table) => Effect::Write(State::Size(table)),
            Op::Call { .. } | Op::CallCode { .. } => Effect::Call,
            Op::CallResult { .. } => Effect::Read(State::Results),
            Op::TrapIf(_) => Effect::Trap,
            plain => {
                debug_assert!(plain.plain().is_some(), "{plain:?} has no row in the table");
                Effect::Pure
            }
        }
    }

    /// Whether it may be removed when nothing uses its result.
    pub fn is_removable(self) -> bool {
        matches!(self.effect(), Effect::Pure | Effect::Guarded | Effect::Read(_))
    }

    /// Whether a function of the runtime computes it where these instructions are all there are.
    pub fn is_helped(self, isa: Isa, float: FloatUnit) -> bool {
        let lacks = || {
            matches!(
                self,
                Op::DivU32
                    | Op::DivS32
                    | Op::RemU32
                    | Op::RemS32
                    | Op::Mul64
                    | Op::MulHighS64
                    | Op::MulHighU64
                    | Op::Clz32
                    | Op::Ctz32
                    | Op::Clz64
                    | Op::Ctz64
            )
        };
        self.has_no_instruction() && !self.is_of_unit(float) || isa == Isa::V6M && lacks()
    }

    /// Whether it is an instruction of a floating-point unit.
    fn is_of_unit(self, float: FloatUnit) -> bool {
        let least = match self {
            Op::AddF32
            | Op::SubF32
            | Op::MulF32
            | Op::DivF32
            | Op::SqrtF32
            | Op::EqF32
            | Op::NeF32
            | Op::LtF32
            | Op::LeF32
            | Op::ConvertI32SF32
            | Op::ConvertI32UF32
            | Op::TruncF32I32S
            | Op::TruncF32I32U => FloatUnit::V4Single,
            Op::CeilF32 | Op::FloorF32 | Op::TruncF32 | Op::NearestF32 => FloatUnit::V5Single,
            Op::AddF64
            | Op::SubF64
            | Op::MulF64
            | Op::DivF64
            | Op::SqrtF64
            | Op::CeilF64
            | Op::FloorF64
            | Op::TruncF64
            | Op::NearestF64
            | Op::EqF64
            | Op::NeF64
            | Op::LtF64
            | Op::LeF64
            | Op::ConvertI32SF64
            | Op::ConvertI32UF64
            | Op::TruncF64I32S
            | Op::TruncF64I32U
            | Op::Demote
            | Op::Promote => FloatUnit::V5Double,
            _ => return false,
        };
        float >= least
    }

    /// Whether its operands may be swapped.
    pub fn is_commutative(self) -> bool {
        matches!(
            self,
            Op::Add32
                | Op::Mul32
                | Op::And32
                | Op::Or32
                | Op::Xor32
                | Op::Eq32
                | Op::Ne32
                | Op::Add64
                | Op::Mul64
                | Op::And64
                | Op::Or64
                | Op::Xor64
                | Op::Eq64
                | Op::Ne64
        )
    }
}
