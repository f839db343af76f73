//! The least that a proof of a function has to show, counted from its code alone.
//!
//! Requires: the code, where cuts stand, and which ways of branches the walk has shown not to be taken.
//! Ensures: [`missing`] is empty only if there is an obligation at each call, return and trap that branches lead to from
//! the entry or from a cut. A walk that leaves something out is so found, whatever it says of itself.
//!
//! Nothing is computed here, and nothing of the walk but what it claims is used. It is a lower bound: jump tables are not
//! followed, and behind a way that is not taken on some path nothing is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::segment::walk::Walked;
use crate::thumb::decode::decode;
use crate::thumb::inst::{Inst, Reg};
use crate::verdict::{Method, Way};

/// The code of a function.
pub struct Code<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where cuts stand.
    pub cuts: BTreeSet<u32>,
    /// Whether a relocation changes so many bytes at an offset.
    pub is_relocated: &'a dyn Fn(u32, u32) -> bool,
}

/// The places without an obligation, by offset, with what is there.
pub fn missing(code: &Code<'_>, walked: &Walked) -> Vec<(u32, &'static str)> {
    let at = |method: fn(Method) -> bool| -> BTreeSet<u32> {
        walked.obligations.iter().filter(|closed| method(closed.method)).map(|closed| closed.at).collect()
    };
    let (shown, ended) = (at(|_| true), at(|method| method == Method::Infeasible));
    let mut waiting: Vec<(u32, u32)> = code.cuts.iter().copied().chain([0]).map(|at| (at, 0)).collect();
    let (mut seen, mut missing) = (BTreeSet::new(), Vec::new());
    while let Some((at, conditional)) = waiting.pop() {
        if !seen.insert(at) {
            continue;
        }
        let Some(Step { place, successors }) = step(code, at, conditional, &walked.dead) else { continue };
        missing.extend(place.filter(|_| !shown.contains(&at)).map(|what| (at, what)));
        if !ended.contains(&at) {
            waiting.extend(successors);
        }
    }
    missing
}

/// One instruction: what has to be shown there, and what comes next, with how many instructions of an IT block follow.
struct Step {
    place: Option<&'static str>,
    successors: Vec<(u32, u32)>,
}

fn step(code: &Code<'_>, at: u32, conditional: u32, dead: &BTreeMap<(u32, Way), u32>) -> Option<Step> {
    let (inst, size) = decode(code.bytes.get(at as usize..)?, 0).ok()?;
    let next = (at + size, conditional.saturating_sub(1));
    let target = |offset: i32| at.wrapping_add(4).wrapping_add_signed(offset);
    let is_relocated = (code.is_relocated)(at, size);
    let is_inside = |target: u32| !is_relocated && target > 0 && (target as usize) < code.bytes.len();
    let (place, taken, goes_on) = match &inst {
        Inst::Branch { offset } | Inst::BranchLink { offset } if is_inside(target(*offset)) => {
            (None, Some(target(*offset)), conditional > 0)
        }
        Inst::Branch { .. } => (Some("branch to another function"), None, conditional > 0),
        Inst::BranchCond { offset, .. } | Inst::CompareBranch { offset, .. } => (None, Some(target(*offset)), true),
        Inst::BranchLink { .. } | Inst::BranchLinkReg { .. } => (Some("call"), None, true),
        Inst::BranchReg { .. } | Inst::Load { t: Reg::PC, .. } => (Some("return"), None, conditional > 0),
        Inst::LoadMultiple { registers, .. } if registers.contains(Reg::PC) => (Some("return"), None, conditional > 0),
        Inst::Udf { .. } => (Some("trap"), None, conditional > 0),
        Inst::TableBranch { .. } => (None, None, false),
        Inst::It { mask, .. } => {
            let block = (at + size, 4 - u32::from(*mask).trailing_zeros());
            return Some(Step { place: None, successors: vec![block] });
        }
        _ => return Some(Step { place: None, successors: vec![next] }),
    };
    let is_dead = |way| dead.contains_key(&(at, way));
    let is_call = matches!(inst, Inst::BranchLink { .. } | Inst::BranchLinkReg { .. });
    let taken = taken.filter(|_| !is_dead(Way::Taken)).map(|target| (target, 0));
    let goes_on = (goes_on && (is_call || !is_dead(Way::NotTaken))).then_some(next);
    Some(Step { place: place.filter(|_| !is_dead(Way::Taken)), successors: taken.into_iter().chain(goes_on).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Kind, Obligation};

    /// What is missing of this code, with obligations and dead ways at these offsets.
    fn asked(halves: &[u16], shown: &[u32], ended: &[u32], dead: &[(u32, Way)]) -> Vec<(u32, &'static str)> {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let closed = |at: &u32, method| Obligation { at: *at, kind: Kind::Return, method, query: None };
        let obligations = shown.iter().map(|at| closed(at, Method::Rules));
        let walked = Walked {
            obligations: obligations.chain(ended.iter().map(|at| closed(at, Method::Infeasible))).collect(),
            dead: dead.iter().map(|way| (*way, 1)).collect(),
            ..Walked::default()
        };
        let code = Code { bytes: &bytes, cuts: BTreeSet::new(), is_relocated: &|_, _| false };
        let mut missing = missing(&code, &walked);
        missing.sort_unstable();
        missing
    }

    #[test]
    fn each_end_of_each_way_is_asked_for() {
        // cbz r0, trap; bl outside; bx lr; trap: udf.
        let code = [0xb110, 0xf000, 0xf880, 0x4770, 0xdee1];
        assert_eq!(asked(&code, &[2, 6, 8], &[], &[]), []);
        assert_eq!(asked(&code, &[], &[], &[]), [(2, "call"), (6, "return"), (8, "trap")]);
        assert_eq!(asked(&code, &[2, 6], &[], &[]), [(8, "trap")]);
        // A way that the facts rule out, and a path that ends where it cannot be.
        assert_eq!(asked(&code, &[2, 6], &[], &[(0, Way::Taken)]), []);
        assert_eq!(asked(&code, &[8], &[], &[(0, Way::NotTaken)]), []);
        assert_eq!(asked(&code, &[8], &[2], &[]), []);
    }

    #[test]
    fn a_return_under_a_condition_has_a_way_on() {
        // it eq; bxeq lr; udf.
        let code = [0xbf08, 0x4770, 0xdee1];
        assert_eq!(asked(&code, &[], &[], &[]), [(2, "return"), (4, "trap")]);
        assert_eq!(asked(&code, &[], &[], &[(2, Way::Taken)]), [(4, "trap")]);
        assert_eq!(asked(&code, &[], &[], &[(2, Way::NotTaken)]), [(2, "return")]);
    }
}
