//! How much stack each function needs, from proved frame sizes and the calls that were seen.
//!
//! Ensures: along every chain of calls SP stays above what an export was entered with less its
//! need, or a limit check lies on every cycle and covers everything up to the next check.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::HOST_STACK_BYTES;
use crate::segment::walk::Callee;
use crate::verdict::{Check, Finding};
use crate::wasm::module::Module;

/// What is known of one function.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Bytes below SP at entry, proved.
    pub bytes: u32,
    /// What its limit check reserves; 0 without a check.
    pub checked_bytes: u32,
    /// Whom it calls.
    pub calls: BTreeSet<Callee>,
}

/// What a limit check may reserve beyond the need: room for an encodable constant.
const SLACK_BYTES: u32 = 4096;

/// The need of each function with its callees up to their checks, and what does not hold.
pub fn needs(
    module: &Module,
    frames: &BTreeMap<u32, Frame>,
    descriptors: &BTreeMap<u32, u32>,
) -> (BTreeMap<u32, u32>, Vec<Finding>) {
    let mut stack =
        Stack { module, frames, descriptors, needs: BTreeMap::new(), under_way: BTreeSet::new(), findings: Vec::new() };
    for index in frames.keys() {
        stack.need(*index);
    }
    for (index, frame) in frames {
        let need = stack.needs[index];
        let reserved = frame.checked_bytes;
        if reserved > 0 && (reserved < need || reserved > need.saturating_add(SLACK_BYTES)) {
            let name = module.display_name(*index);
            let message = format!("{name} checks for {reserved} bytes of stack and needs {need}");
            stack.findings.push(Finding { at: 0, check: Check::Stack, message });
        }
    }
    (stack.needs, stack.findings)
}

/// Bytes below SP at a call that a function needs; one that checks the stack limit needs none before.
pub fn at_call(function: u32, frames: &BTreeMap<u32, Frame>, needs: &BTreeMap<u32, u32>) -> u32 {
    match frames.get(&function) {
        Some(frame) if frame.checked_bytes > 0 => 0,
        Some(_) => needs.get(&function).copied().unwrap_or(u32::MAX),
        None => HOST_STACK_BYTES,
    }
}

struct Stack<'a> {
    module: &'a Module,
    frames: &'a BTreeMap<u32, Frame>,
    /// By function: those that references name.
    descriptors: &'a BTreeMap<u32, u32>,
    needs: BTreeMap<u32, u32>,
    under_way: BTreeSet<u32>,
    findings: Vec<Finding>,
}

impl Stack<'_> {
    /// Bytes from SP at entry to the lowest byte used before the next limit check.
    fn need(&mut self, index: u32) -> u32 {
        if let Some(known) = self.needs.get(&index) {
            return *known;
        }
        let Some(frame) = self.frames.get(&index) else { return HOST_STACK_BYTES };
        if !self.under_way.insert(index) {
            let message =
                format!("{} calls itself without a stack limit check on the way", self.module.display_name(index));
            self.findings.push(Finding { at: 0, check: Check::Stack, message });
            return 0;
        }
        let mut below = 0;
        for callee in self.callees(&frame.calls) {
            let checked = self.frames.get(&callee).is_some_and(|frame| frame.checked_bytes > 0);
            if !checked {
                below = below.max(self.need(callee));
            }
        }
        self.under_way.remove(&index);
        let need = frame.bytes.saturating_add(below);
        self.needs.insert(index, need);
        need
    }

    fn callees(&self, calls: &BTreeSet<Callee>) -> BTreeSet<u32> {
        let mut functions = BTreeSet::new();
        for call in calls {
            match call {
                Callee::Direct(function) => _ = functions.insert(*function),
                Callee::Indirect(type_index) => {
                    let id = self.module.type_id(*type_index);
                    let id_of =
                        |function: &u32| self.module.type_index(*function).and_then(|ty| self.module.type_id(ty));
                    functions.extend(self.descriptors.keys().copied().filter(|function| id_of(function) == id));
                }
            }
        }
        functions
    }
}
