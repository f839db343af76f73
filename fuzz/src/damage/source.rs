//! Damage to the Wasm module, the code staying as it is: whether the source is really read.
//!
//! Ensures: the module is valid, and its operators stand where they stood.

use synth_verify::replay::Random;
use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

use super::pick;

/// Opcodes of one byte that have one type: any of a row can stand for another (core spec, 5.4).
const ROWS: [(u8, u8); 24] = [
    (0x0c, 0x0d), // br, br_if: refused by validation where they do not fit
    (0x20, 0x22), // local.get, local.set, local.tee: likewise
    (0x2c, 0x2d), // i32.load8_s, i32.load8_u
    (0x2e, 0x2f), // i32.load16_s, i32.load16_u
    (0x30, 0x31),
    (0x32, 0x33),
    (0x34, 0x35),
    (0x3a, 0x3b), // i32.store8, i32.store16
    (0x3c, 0x3e),
    (0x46, 0x4f), // comparisons of i32
    (0x51, 0x5a), // of i64
    (0x5b, 0x60), // of f32
    (0x61, 0x66), // of f64
    (0x67, 0x69), // i32.clz, ctz, popcnt
    (0x6a, 0x78), // i32.add to i32.rotr
    (0x79, 0x7b),
    (0x7c, 0x8a), // i64.add to i64.rotr
    (0x8b, 0x91), // f32.abs to f32.sqrt
    (0x92, 0x98), // f32.add to f32.copysign
    (0x99, 0x9f),
    (0xa0, 0xa6),
    (0xa8, 0xa9), // i32.trunc_f32_s, i32.trunc_f32_u
    (0xac, 0xad), // i64.extend_i32_s, i64.extend_i32_u
    (0xb2, 0xb3), // f32.convert_i32_s, f32.convert_i32_u
];

/// What is done, where, and the module then.
pub fn damage(wasm: &[u8], random: &mut Random) -> Option<(String, String, Vec<u8>)> {
    let operators = operators(wasm)?;
    let (at, size, is_constant) = *pick(random, &operators)?;
    let mut changed = wasm.to_vec();
    let operator = if is_constant {
        // The lowest bits of the number: LEB128 keeps its length.
        changed[at + 1] ^= 1 << random.below(6);
        "other constant"
    } else if size > 1 && random.below(2) == 0 {
        // The last immediate: an index, or an offset.
        changed[at + size - 1] ^= 1 << random.below(4);
        "other immediate"
    } else {
        let (first, last) = *ROWS.iter().find(|(first, last)| (*first..=*last).contains(&changed[at]))?;
        changed[at] = first + random.below(u64::from(last - first) + 1) as u8;
        "other operator"
    };
    Validator::new_with_features(WasmFeatures::all()).validate_all(&changed).ok()?;
    let place = format!("{at:#x}: {:02x?} -> {:02x?}", &wasm[at..at + size], &changed[at..at + size]);
    (changed != wasm).then(|| (operator.to_owned(), place, changed))
}

/// Offset, size, and whether it is a constant, of each operator.
fn operators(wasm: &[u8]) -> Option<Vec<(usize, usize, bool)>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.ok()? else { continue };
        let end = body.range().end as usize;
        let mut all = Vec::new();
        for operator in body.get_operators_reader().ok()?.into_iter_with_offsets() {
            let (operator, at) = operator.ok()?;
            all.push((at as usize, matches!(operator, Operator::I32Const { .. } | Operator::I64Const { .. })));
        }
        let ends = all.iter().skip(1).map(|(at, _)| *at).chain([end]);
        found.extend(all.iter().zip(ends).map(|((at, is_constant), end)| (*at, end - at, *is_constant)));
    }
    Some(found)
}
