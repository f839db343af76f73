//! How much stack each function needs, and which functions check for it.
//!
//! Ensures: every cycle of the call graph with a call on it, calls through the table counted, passes a
//! function that checks; a check covers the frame and the longest chain of callees up to their own
//! checks. What a function leaves for has the stack that it had, so a cycle of these alone needs none.

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
    /// Functions that it may leave for.
    pub leaves: BTreeSet<u32>,
}

/// What each function's limit check reserves, in bytes; 0 for a function without a check.
pub fn checks(functions: &BTreeMap<u32, Node>) -> BTreeMap<u32, u32> {
    let checked: BTreeSet<u32> = functions.keys().copied().filter(|index| recurses(functions, *index)).collect();
    let mut needs = BTreeMap::new();
    for index in functions.keys() {
        need(functions, &checked, *index, &mut needs);
    }
    needs.into_iter().map(|(index, need)| (index, if checked.contains(&index) { need } else { 0 })).collect()
}

/// Whether some way with a call on it leads from a function back to it.
fn recurses(functions: &BTreeMap<u32, Node>, start: u32) -> bool {
    // A function, and whether a call was on the way to it.
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(start, false)];
    while let Some((at, called)) = waiting.pop() {
        let Some(node) = functions.get(&at) else { continue };
        let calls = node.callees.iter().map(|callee| (*callee, true));
        for next in calls.chain(node.leaves.iter().map(|callee| (*callee, called))) {
            if next == (start, true) {
                return true;
            }
            if seen.insert(next) {
                waiting.push(next);
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
    let mut total = 0;
    for at in with_leaves(functions, checked, index) {
        let Some(node) = functions.get(&at) else {
            total = total.max(IMPORT_BYTES);
            continue;
        };
        let unchecked = node.callees.iter().filter(|callee| !checked.contains(callee));
        let below = unchecked.map(|callee| need(functions, checked, *callee, needs)).max().unwrap_or(0);
        total = total.max(node.frame_bytes.saturating_add(below));
    }
    if functions.contains_key(&index) {
        needs.insert(index, total);
    }
    total
}

/// A function and all that it may leave for, directly or not, without a check.
fn with_leaves(functions: &BTreeMap<u32, Node>, checked: &BTreeSet<u32>, index: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([index]);
    let mut waiting = vec![index];
    while let Some(at) = waiting.pop() {
        let leaves = functions.get(&at).into_iter().flat_map(|node| &node.leaves);
        waiting.extend(leaves.filter(|next| !checked.contains(next) && found.insert(**next)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(frame_bytes: u32, callees: &[u32]) -> Node {
        leaving(frame_bytes, callees, &[])
    }

    fn leaving(frame_bytes: u32, callees: &[u32], leaves: &[u32]) -> Node {
        Node { frame_bytes, callees: callees.iter().copied().collect(), leaves: leaves.iter().copied().collect() }
    }

    #[test]
    fn what_is_left_for_takes_no_more_stack() {
        let graph = BTreeMap::from([
            (0, leaving(8, &[1], &[])),
            (1, leaving(16, &[], &[2])),
            (2, leaving(24, &[3], &[1])),
            (3, node(32, &[])),
        ]);
        assert!(checks(&graph).values().all(|check| *check == 0));
        assert_eq!(need(&graph, &BTreeSet::new(), 0, &mut BTreeMap::new()), 8 + 24 + 32);
        // A cycle with one call on it.
        let graph = BTreeMap::from([(0, leaving(8, &[], &[1])), (1, leaving(16, &[0], &[]))]);
        assert_eq!(checks(&graph), BTreeMap::from([(0, 8), (1, 16)]));
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
