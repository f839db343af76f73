//! Which NaN a result may be (core spec 4.3.3, NaN propagation), and which the runtime promises.

use super::{Kind, Operator};

/// Bits without the sign of infinity, and the quiet bit.
fn format(kind: Kind) -> Option<(u64, u64)> {
    match kind {
        Kind::F32 => Some((0x7f80_0000, 0x0040_0000)),
        Kind::F64 => Some((0x7ff0_0000_0000_0000, 0x0008_0000_0000_0000)),
        Kind::I32 | Kind::I64 => None,
    }
}

fn without_sign(kind: Kind, bits: u64) -> u64 {
    match kind {
        Kind::F32 | Kind::I32 => bits & 0x7fff_ffff,
        Kind::F64 | Kind::I64 => bits & 0x7fff_ffff_ffff_ffff,
    }
}

/// Whether these bits are a NaN.
pub fn is(kind: Kind, bits: u64) -> bool {
    format(kind).is_some_and(|(infinity, _)| without_sign(kind, bits) > infinity)
}

fn is_canonical(kind: Kind, bits: u64) -> bool {
    format(kind).is_some_and(|(infinity, quiet)| without_sign(kind, bits) == infinity | quiet)
}

/// Whether a NaN is a result that the specification and the runtime's contract allow.
pub fn is_permitted(operator: &Operator, arguments: &[u64], bits: u64) -> bool {
    let Some((infinity, quiet)) = format(operator.result) else { return false };
    let mut operands = operator.operands.iter().copied().zip(arguments.iter().copied());
    let first = operands.clone().find(|(kind, bits)| is(*kind, *bits));
    let all_canonical = operands.all(|(kind, bits)| !is(kind, bits) || is_canonical(kind, bits));
    let is_arithmetic = is(operator.result, bits) && bits & quiet != 0;
    let is_promised = match first {
        None => bits == infinity | quiet,
        // The sign is free; `sub` changes it.
        Some((kind, first)) if kind == operator.result => without_sign(kind, bits) == without_sign(kind, first | quiet),
        Some(_) => true,
    };
    is_arithmetic && is_promised && (!all_canonical || is_canonical(operator.result, bits))
}
