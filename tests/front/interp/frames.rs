//! Checks what blocks say about the Wasm state against a run of the Wasm code.
//!
//! A run of the IR passes a subsequence of the places that the Wasm run passes: a pass may drop a
//! block's head, never invent one. At each head every recorded slot holds what Wasm has there.

use super::{Trace, Visit};

/// The first visit of the IR that no later visit of the Wasm code agrees with.
pub fn check(ir: &Trace, wasm: &Trace) -> Result<(), Box<Visit>> {
    let mut rest = wasm.iter();
    for visit in ir {
        if !rest.any(|candidate| agrees(visit, candidate)) {
            return Err(Box::new(visit.clone()));
        }
    }
    Ok(())
}

fn agrees(ir: &Visit, wasm: &Visit) -> bool {
    let slots = |recorded: &[Option<u64>], actual: &[Option<u64>]| {
        recorded.len() == actual.len() && recorded.iter().zip(actual).all(|(r, a)| r.is_none() || r == a)
    };
    ir.place == wasm.place && slots(&ir.locals, &wasm.locals) && slots(&ir.stack, &wasm.stack)
}
