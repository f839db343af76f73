//! Trap tails in reach of short branches.
//!
//! Ensures: the code is no longer than with all tails at the end. A tail that a branch reaches only
//! in a long form moves behind the nearest piece that control does not fall out of, if it is near
//! enough there.

use std::collections::{BTreeMap, BTreeSet};

use crate::target::Isa;

use super::line::{LineOp, Piece, Pieces};
use super::machine::Machine;
use super::relax::{self, ChunkKind, Form, OutOfReach, Placed};

/// Rounds after which the best order found is taken.
const ROUNDS_MAX: usize = 4;

/// Bytes by which distances may still change when tails move.
const MARGIN: u32 = 24;

/// Finds addresses, moving tails for as long as that makes the code shorter.
pub fn run(pieces: Pieces) -> Result<(Pieces, Placed), OutOfReach> {
    let placed = relax::run(&pieces)?;
    let mut best = (pieces, placed);
    for _ in 0..ROUNDS_MAX {
        let Some(order) = moved(&best.0, &best.1) else {
            break;
        };
        let pieces = Pieces { order, ..best.0.clone() };
        let placed = relax::run(&pieces)?;
        if placed.bytes >= best.1.bytes {
            break;
        }
        best = (pieces, placed);
    }
    Ok(best)
}

/// The order with every tail moved that is too far from its branch; none if no tail is.
fn moved(pieces: &Pieces, placed: &Placed) -> Option<Vec<Piece>> {
    let is_tail = |piece: Piece| {
        let data = &pieces.data[piece];
        data.block.is_none()
            && matches!(data.lines.as_slice(), [line] if matches!(line.op, LineOp::Machine(Machine::Udf(_))))
    };
    let tails: BTreeSet<Piece> = pieces.order.iter().copied().filter(|&piece| is_tail(piece)).collect();
    let ends = open_ends(pieces, placed, &tails);
    let mut behind: BTreeMap<Piece, Vec<Piece>> = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for chunk in &placed.chunks {
        let ChunkKind::Line(piece, index, form) = chunk.kind else {
            continue;
        };
        let op = &pieces.data[piece].lines[index].op;
        let reach = match (op, form) {
            (LineOp::JumpIf(..) | LineOp::JumpZero(..), Form::Wide | Form::Far | Form::Around | Form::Linked) => 250,
            (LineOp::JumpZero(_, n, _), Form::Narrow) if n.is_low() && pieces.isa == Isa::V7M => 124,
            _ => continue,
        };
        let &[tail] = op.targets() else { continue };
        if !tails.contains(&tail) {
            continue;
        }
        let is_forward = matches!(op, LineOp::JumpZero(..)) && pieces.isa == Isa::V7M;
        let mut near = ends.iter().filter(|(end, _)| {
            let backward = chunk.at >= *end && !is_forward && chunk.at - end + MARGIN <= reach;
            let forward = *end > chunk.at && end - chunk.at + MARGIN <= reach;
            backward || forward
        });
        if let Some((_, home)) = near.next_back() {
            behind.entry(*home).or_default().push(tail);
            gone.insert(tail);
        }
    }
    if gone.is_empty() {
        return None;
    }
    let mut order = Vec::new();
    for &piece in pieces.order.iter().filter(|piece| !gone.contains(piece)) {
        order.push(piece);
        order.extend(behind.remove(&piece).unwrap_or_default());
    }
    Some(order)
}

/// The ends of pieces that control does not fall out of, by offset. Tails are no homes for tails.
fn open_ends(pieces: &Pieces, placed: &Placed, tails: &BTreeSet<Piece>) -> Vec<(u32, Piece)> {
    let mut ends = Vec::new();
    for (index, &piece) in pieces.order.iter().enumerate() {
        if pieces.data[piece].falls_into.is_none() && !tails.contains(&piece) {
            let next = pieces.order.get(index + 1);
            ends.push((next.map_or(placed.bytes, |&next| placed.starts[next]), piece));
        }
    }
    ends
}
