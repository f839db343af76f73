//! The least that a proof of a function has to show, counted from its code alone.
//!
//! Requires: the code, where cuts stand, and which ways of branches the walk has shown not to be taken.
//! Ensures: [`missing`] is empty only if there is an obligation at each call, return and trap that branches lead to from
//! the entry or from a cut. A walk that leaves something out is so found, whatever it says of itself.
//!
//! Nothing is computed here, and nothing of the walk but what it claims is used. It is a lower bound: jump tables are not
//! followed, and behind a way that is not taken on some path nothing is asked for.

use std::collections::BTreeSet;

use crate::segment::walk::{Subject, Walked};
use crate::thumb::decode::decode;
use crate::thumb::inst::{Inst, Reg};
use crate::verdict::Method;

/// The places without an obligation, by offset, with what is there.
pub fn missing(subject: &Subject<'_>, walked: &Walked) -> Vec<(u32, &'static str)> {
    let at = |method: fn(Method) -> bool| -> BTreeSet<u32> {
        walked.obligations.iter().filter(|closed| method(closed.method)).map(|closed| closed.at).collect()
    };
    let (shown, ended) = (at(|_| true), at(|method| method == Method::Infeasible));
    let cuts: BTreeSet<u32> = subject.hints.cuts.iter().map(|cut| cut.at).collect();
    let mut waiting: Vec<(u32, u32)> = cuts.iter().copied().chain([0]).map(|at| (at, 0)).collect();
    let (mut seen, mut missing) = (BTreeSet::new(), Vec::new());
    while let Some((at, conditional)) = waiting.pop() {
        if !seen.insert(at) {
            continue;
        }
        let Some(Step { place, successors }) = step(subject, at, conditional, &walked.dead) else { continue };
        missing.extend(place.filter(|_| !shown.contains(&at)).map(|what| (at, what)));
        if !ended.contains(&at) {
            waiting.extend(successors.into_iter().filter(|(next, _)| !cuts.contains(next)));
        }
    }
    missing
}

/// One instruction: what has to be shown there, and what comes next, with how many instructions of an IT block follow.
struct Step {
    place: Option<&'static str>,
    successors: Vec<(u32, u32)>,
}

fn step(subject: &Subject<'_>, at: u32, conditional: u32, dead: &BTreeSet<(u32, bool)>) -> Option<Step> {
    let pc = subject.start.checked_add(at).filter(|pc| *pc < subject.end)?;
    let (inst, size) = decode(subject.program.code(pc, subject.end), 0).ok()?;
    let next = (at + size, conditional.saturating_sub(1));
    let target = |offset: i32| at.wrapping_add(4).wrapping_add_signed(offset);
    let is_relocated = subject.program.relocation_within(pc, size).is_some();
    let is_inside = |target: u32| !is_relocated && target > 0 && target < subject.end - subject.start;
    let (place, taken, goes_on) = match &inst {
        Inst::Branch { offset } if is_inside(target(*offset)) => (None, Some(target(*offset)), conditional > 0),
        Inst::BranchLink { offset } if is_inside(target(*offset)) => (None, Some(target(*offset)), conditional > 0),
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
    let is_dead = |way: bool| dead.contains(&(at, way));
    let is_call = matches!(inst, Inst::BranchLink { .. } | Inst::BranchLinkReg { .. });
    let taken = taken.filter(|_| !is_dead(true)).map(|target| (target, 0));
    let goes_on = (goes_on && (is_call || !is_dead(false))).then_some(next);
    Some(Step { place: place.filter(|_| !is_dead(true)), successors: taken.into_iter().chain(goes_on).collect() })
}
