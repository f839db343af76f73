//! Which bits are a NaN, and which NaN the runtime gives.

use super::Kind;

/// Infinity and the canonical NaN.
fn format(kind: Kind) -> Option<(u64, u64)> {
    match kind {
        Kind::F32 => Some((0x7f80_0000, 0x7fc0_0000)),
        Kind::F64 => Some((0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0000)),
        Kind::I32 | Kind::I64 => None,
    }
}

/// Whether these bits are a NaN.
pub fn is(kind: Kind, bits: u64) -> bool {
    let without_sign = match kind {
        Kind::F32 | Kind::I32 => bits & 0x7fff_ffff,
        Kind::F64 | Kind::I64 => bits & 0x7fff_ffff_ffff_ffff,
    };
    format(kind).is_some_and(|(infinity, _)| without_sign > infinity)
}

/// Whether these bits are the one NaN that operators give: canonical, its sign clear.
pub fn is_canonical(kind: Kind, bits: u64) -> bool {
    format(kind).is_some_and(|(_, canonical)| bits == canonical)
}
