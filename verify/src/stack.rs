//! How much stack each function needs, from proved frame sizes and the calls that were seen.
//!
//! A function that another leaves for begins where that began, and a cycle of such alone takes no stack.
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
    /// What it leaves for: that has the stack that it had.
    pub leaves: BTreeSet<Callee>,
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
        if !self.frames.contains_key(&index) {
            return HOST_STACK_BYTES;
        }
        if !self.under_way.insert(index) {
            let message =
                format!("{} calls itself without a stack limit check on the way", self.module.display_name(index));
            self.findings.push(Finding { at: 0, check: Check::Stack, message });
            return 0;
        }
        let mut need = 0;
        for at in self.with_leaves(index) {
            let Some(frame) = self.frames.get(&at) else {
                need = need.max(HOST_STACK_BYTES);
                continue;
            };
            let mut below = 0;
            for callee in self.callees(&frame.calls) {
                if !self.is_checked(callee) {
                    below = below.max(self.need(callee));
                }
            }
            need = need.max(frame.bytes.saturating_add(below));
        }
        self.under_way.remove(&index);
        self.needs.insert(index, need);
        need
    }

    fn is_checked(&self, function: u32) -> bool {
        self.frames.get(&function).is_some_and(|frame| frame.checked_bytes > 0)
    }

    /// A function and all that it leaves for, directly or not, without a limit check.
    fn with_leaves(&self, index: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::from([index]);
        let mut waiting = vec![index];
        while let Some(at) = waiting.pop() {
            let Some(frame) = self.frames.get(&at) else { continue };
            for next in self.callees(&frame.leaves) {
                if !self.is_checked(next) && found.insert(next) {
                    waiting.push(next);
                }
            }
        }
        found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: u32, calls: &[u32], leaves: &[u32]) -> Frame {
        let direct = |functions: &[u32]| functions.iter().map(|function| Callee::Direct(*function)).collect();
        Frame { bytes, checked_bytes: 0, calls: direct(calls), leaves: direct(leaves) }
    }

    #[test]
    fn what_is_left_for_takes_no_more_stack_and_a_call_on_a_cycle_does() {
        let module = Module::default();
        let round = BTreeMap::from([
            (0, frame(8, &[1], &[])),
            (1, frame(16, &[], &[2])),
            (2, frame(24, &[3], &[1])),
            (3, frame(32, &[], &[])),
        ]);
        let (found, findings) = needs(&module, &round, &BTreeMap::new());
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(found, BTreeMap::from([(0, 8 + 24 + 32), (1, 24 + 32), (2, 24 + 32), (3, 32)]));
        let with_a_call = BTreeMap::from([(0, frame(8, &[], &[1])), (1, frame(16, &[0], &[]))]);
        let (_, findings) = needs(&module, &with_a_call, &BTreeMap::new());
        assert!(findings[0].message.contains("without a stack limit check"), "{findings:?}");
    }
}
