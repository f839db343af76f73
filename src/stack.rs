//! How much stack each function needs, and which functions check for it.
//!
//! Ensures: every cycle of the call graph, calls through the table counted, passes a function that
//! checks; a check covers the frame and the longest chain of callees up to their own checks.

use std::collections::{BTreeMap, BTreeSet};

/// Stack that an imported function may use, in bytes (`docs/abi.md`).
const IMPORT_BYTES: u32 = 512;

/// A function as far as the stack is concerned.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Bytes of its frame.
    pub frame_bytes: u32,
    /// Functions that it may call, by Wasm index.
    pub callees: BTreeSet<u32>,
}

/// What each function's limit check reserves, in bytes; 0 for a function without a check.
pub fn checks(functions: &BTreeMap<u32, Node>) -> BTreeMap<u32, u32> {
    let checked: BTreeSet<u32> = functions.keys().copied().filter(|index| reaches(functions, *index, *index)).collect();
    let mut needs = BTreeMap::new();
    for index in functions.keys() {
        need(functions, &checked, *index, &mut needs);
    }
    needs.into_iter().map(|(index, need)| (index, if checked.contains(&index) { need } else { 0 })).collect()
}

/// Whether some chain of calls leads from one function to another.
fn reaches(functions: &BTreeMap<u32, Node>, from: u32, to: u32) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        for callee in functions.get(&at).into_iter().flat_map(|node| &node.callees) {
            if *callee == to {
                return true;
            }
            if seen.insert(*callee) {
                waiting.push(*callee);
            }
        }
    }
    false
}

/// Bytes from SP at entry to the lowest byte used before the next check. Recursion ends at checks.
fn need(functions: &BTreeMap<u32, Node>, checked: &BTreeSet<u32>, index: u32, needs: &mut BTreeMap<u32, u32>) -> u32 {
    if let Some(known) = needs.get(&index) {
        return *known;
    }
    let Some(node) = functions.get(&index) else {
        return IMPORT_BYTES;
    };
    let unchecked = node.callees.iter().filter(|callee| !checked.contains(callee));
    let below = unchecked.map(|callee| need(functions, checked, *callee, needs)).max().unwrap_or(0);
    let total = node.frame_bytes.saturating_add(below);
    needs.insert(index, total);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(frame_bytes: u32, callees: &[u32]) -> Node {
        Node { frame_bytes, callees: callees.iter().copied().collect() }
    }

    #[test]
    fn only_functions_on_a_cycle_check() {
        let graph =
            BTreeMap::from([(0, node(8, &[1])), (1, node(16, &[1, 2])), (2, node(24, &[3])), (3, node(32, &[]))]);
        let checks = checks(&graph);
        assert_eq!(checks[&0], 0);
        assert_eq!(checks[&1], 16 + 24 + 32);
        assert_eq!(checks[&2], 0);
    }

    #[test]
    fn an_import_has_a_fixed_need() {
        let graph = BTreeMap::from([(5, node(8, &[5, 0]))]);
        assert_eq!(checks(&graph)[&5], 8 + IMPORT_BYTES);
    }
}
