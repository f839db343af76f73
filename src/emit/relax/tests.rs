//! Forms at the edges of their reach; pools where loads reach them; tables of both widths.

use synth_verify::hints::Class;

use super::super::assemble;
use super::super::frame::plain;
use super::super::islands;
use super::super::line::{Note, StackState};
use super::*;
use crate::vcode::inst::Symbol;

const R0: PReg = PReg::new(0);
const R8: PReg = PReg::new(8);

fn line(op: LineOp) -> Line {
    plain(op, Note { source: None, class: Class::Direct, reads: vec![], writes: vec![] })
}

fn nops(count: u32) -> Vec<Line> {
    (0..count).map(|_| line(LineOp::Machine(Machine::Nop))).collect()
}

fn ret() -> Line {
    line(LineOp::Machine(Machine::BranchReg { m: PReg::LR }))
}

/// Pieces of these lines in this order; each falls into the next unless its last line leaves.
fn pieces(list: Vec<Vec<Line>>) -> Pieces {
    let mut pieces = Pieces::default();
    let count = list.len();
    for (index, lines) in list.into_iter().enumerate() {
        let leaves = lines.last().is_some_and(|line| {
            let leaving = LineOp::Machine(Machine::BranchReg { m: PReg::LR });
            let traps = matches!(line.op, LineOp::Machine(Machine::Udf(_)));
            line.op == leaving || traps || matches!(line.op, LineOp::Jump(_) | LineOp::Table(..))
        });
        let piece = pieces.append(None, StackState::default());
        pieces.data[piece].lines = lines;
        if !leaves && index + 1 < count {
            pieces.data[piece].falls_into = Some(Piece(piece.0 + 1));
        }
    }
    pieces
}

/// The form of a line, after checking that the bytes can be written.
fn form(pieces: &Pieces, piece: u32, index: usize) -> Form {
    let placed = run(pieces).expect("everything is in reach");
    let assembled = assemble::run(pieces, &placed);
    assert_eq!(assembled.code.len(), placed.bytes as usize);
    let mut forms = placed.chunks.iter().filter_map(|chunk| match chunk.kind {
        ChunkKind::Line(at, line, form) if at == Piece(piece) && line == index => Some(form),
        _ => None,
    });
    forms.next().expect("each line has a place")
}

/// A branch over `count` bytes of other code.
fn over(op: LineOp, bytes: u32) -> Pieces {
    pieces(vec![vec![line(op)], nops(bytes / 2), vec![ret()]])
}

/// A branch back over `count` bytes of other code.
fn back(op: LineOp, bytes: u32) -> Pieces {
    let mut lines = nops(bytes / 2);
    lines.push(line(op));
    pieces(vec![lines, vec![ret()]])
}

#[test]
fn forward_branches_grow_where_their_reach_ends() {
    let jump = LineOp::Jump(Piece(2));
    assert_eq!(form(&over(jump.clone(), 2048), 0, 0), Form::Narrow);
    assert_eq!(form(&over(jump, 2050), 0, 0), Form::Wide);
    let jump_if = LineOp::JumpIf(Cond::Lt, Piece(2));
    assert_eq!(form(&over(jump_if.clone(), 256), 0, 0), Form::Narrow);
    assert_eq!(form(&over(jump_if.clone(), 258), 0, 0), Form::Wide);
    assert_eq!(form(&over(jump_if, 0x10_0004), 0, 0), Form::Far);
    let jump_zero = |n| LineOp::JumpZero(ZeroTest::Zero, n, Piece(2));
    assert_eq!(form(&over(jump_zero(R0), 2), 0, 0), Form::Direct);
    assert_eq!(form(&over(jump_zero(R0), 128), 0, 0), Form::Direct);
    assert_eq!(form(&over(jump_zero(R0), 130), 0, 0), Form::Narrow);
    assert_eq!(form(&over(jump_zero(R8), 2), 0, 0), Form::Narrow);
    assert_eq!(form(&over(jump_zero(R0), 256), 0, 0), Form::Narrow);
    assert_eq!(form(&over(jump_zero(R0), 258), 0, 0), Form::Wide);
}

#[test]
fn backward_branches_grow_where_their_reach_ends() {
    let last = |bytes: u32| (bytes / 2) as usize;
    let jump = LineOp::Jump(Piece(0));
    assert_eq!(form(&back(jump.clone(), 2044), 0, last(2044)), Form::Narrow);
    assert_eq!(form(&back(jump, 2046), 0, last(2046)), Form::Wide);
    let jump_if = LineOp::JumpIf(Cond::Lt, Piece(0));
    assert_eq!(form(&back(jump_if.clone(), 252), 0, last(252)), Form::Narrow);
    assert_eq!(form(&back(jump_if, 254), 0, last(254)), Form::Wide);
    let jump_zero = LineOp::JumpZero(ZeroTest::NonZero, R0, Piece(0));
    assert_eq!(form(&back(jump_zero.clone(), 0), 0, 0), Form::Narrow);
    assert_eq!(form(&back(jump_zero, 252), 0, last(252)), Form::Wide);
}

#[test]
fn one_branch_that_grows_pushes_the_next_out_of_reach() {
    // The first spans 254 bytes and the second, which stands between its ends, spans 258.
    let first = vec![line(LineOp::JumpIf(Cond::Eq, Piece(3)))];
    let mut second = vec![line(LineOp::JumpIf(Cond::Eq, Piece(4)))];
    second.extend(nops(127));
    let pieces = pieces(vec![first, second, vec![], nops(2), vec![ret()]]);
    assert_eq!(form(&pieces, 1, 0), Form::Wide);
    assert_eq!(form(&pieces, 0, 0), Form::Wide);
}

fn load(d: PReg, word: u32) -> Line {
    line(LineOp::Literal(d, Literal::Word(word)))
}

/// Checks that each load of a word finds it, and counts the pools.
fn pools(pieces: &Pieces) -> usize {
    let placed = run(pieces).expect("everything is in reach");
    let code = assemble::run(pieces, &placed).code;
    for chunk in &placed.chunks {
        let ChunkKind::Line(piece, index, _) = chunk.kind else {
            continue;
        };
        if let LineOp::Literal(_, Literal::Word(word)) = pieces.data[piece].lines[index].op {
            let at = chunk.at as usize;
            let first = u16::from_le_bytes([code[at], code[at + 1]]);
            let distance = if first == 0xf8df {
                usize::from(u16::from_le_bytes([code[at + 2], code[at + 3]]) & 0xfff)
            } else {
                assert_eq!(first >> 11, 0b01001, "a load of a literal");
                usize::from(first & 0xff) * 4
            };
            let from = ((at + 4) & !3) + distance;
            assert_eq!(code[from..from + 4], word.to_le_bytes(), "at {at:#x}");
        }
    }
    placed.chunks.iter().filter(|chunk| matches!(chunk.kind, ChunkKind::Pool(..))).count()
}

#[test]
fn loads_of_one_word_share_it() {
    let lines = vec![load(R0, 1), load(R8, 2), load(R0, 1), load(R0, 2), ret()];
    let pieces = pieces(vec![lines]);
    assert_eq!(pools(&pieces), 1);
    assert_eq!(run(&pieces).map(|placed| placed.bytes), Ok(2 + 4 + 2 + 2 + 2 + 8));
}

#[test]
fn a_load_is_long_where_the_short_one_does_not_reach() {
    let with = |bytes: u32| {
        let mut lines = vec![load(R0, 7)];
        lines.extend(nops(bytes / 2));
        lines.push(ret());
        pieces(vec![lines])
    };
    assert_eq!(form(&with(1020), 0, 0), Form::Narrow);
    assert_eq!(form(&with(1024), 0, 0), Form::Wide);
    assert_eq!(pools(&with(1020)), 1);
    assert_eq!(pools(&with(1024)), 1);
}

#[test]
fn a_pool_stands_between_blocks_before_it_is_out_of_reach() {
    let block = |word: u32| {
        let mut lines = vec![load(R0, word)];
        lines.extend(nops(300));
        lines.push(ret());
        lines
    };
    let pieces = pieces((0..5).map(block).collect());
    assert_eq!(pools(&pieces), 5);
    assert!((0..5).all(|piece| form(&pieces, piece, 0) == Form::Narrow));
}

#[test]
fn a_pool_that_no_block_ends_for_is_jumped_around() {
    let mut lines = Vec::new();
    for word in 0..40 {
        lines.push(load(R0, 1000 + word));
        lines.extend(nops(500));
    }
    lines.push(ret());
    let pieces = pieces(vec![lines]);
    assert!(pools(&pieces) > 5);
    let placed = run(&pieces).expect("everything is in reach");
    let assembled = assemble::run(&pieces, &placed);
    assert_eq!(assembled.data.len(), pools(&pieces));
    assert!(assembled.labels.is_sorted_by_key(|label| label.at));
}

#[test]
fn a_thousand_literals_find_places() {
    let mut lines: Vec<Line> = (0..2500).map(|word| load(if word % 3 == 0 { R8 } else { R0 }, word)).collect();
    lines.push(ret());
    assert!(pools(&pieces(vec![lines])) >= 3);
}

#[test]
fn tables_take_the_narrowest_entries_that_reach() {
    let with = |bytes: u32| {
        let table = vec![line(LineOp::Table(R0, vec![Piece(1), Piece(2), Piece(1)]))];
        let mut far = nops(bytes / 2);
        far.push(ret());
        pieces(vec![table, far, vec![ret()]])
    };
    // The table itself is four bytes, and the return two.
    assert_eq!(form(&with(504), 0, 0), Form::Narrow);
    assert_eq!(form(&with(506), 0, 0), Form::Wide);
    assert_eq!(run(&with(131_064)), Err(OutOfReach::Table));
    let pieces = with(504);
    let code = assemble::run(&pieces, &run(&pieces).expect("in reach")).code;
    assert_eq!(code[..8], [0xdf, 0xe8, 0x00, 0xf0, 2, 255, 2, 2]);
}

#[test]
fn relocated_instructions_hold_their_addends() {
    let symbol = Literal::Address(Symbol::Memory(0), 0x1234);
    let lines = vec![
        line(LineOp::SymbolHalf(Half::Low, R0, symbol)),
        line(LineOp::SymbolHalf(Half::High, R0, symbol)),
        line(LineOp::Call(Symbol::Function(3))),
        line(LineOp::Literal(R0, symbol)),
        ret(),
    ];
    let pieces = pieces(vec![lines]);
    let assembled = assemble::run(&pieces, &run(&pieces).expect("in reach"));
    assert_eq!(
        assembled.code,
        [
            0x41, 0xf2, 0x34, 0x20, 0xc1, 0xf2, 0x34, 0x20, 0xff, 0xf7, 0xfe, 0xff, 0x00, 0x48, 0x70, 0x47, 0x34, 0x12,
            0, 0
        ]
    );
    let offsets: Vec<u32> = assembled.relocations.iter().map(|relocation| relocation.offset).collect();
    assert_eq!(offsets, [0, 4, 8, 16]);
}

#[test]
fn tails_move_to_where_short_branches_reach_them() {
    // Three blocks of 200 bytes; the first two trap.
    let block = |tail: u32| {
        let mut lines = vec![line(LineOp::JumpIf(Cond::Eq, Piece(tail)))];
        lines.extend(nops(100));
        lines.push(ret());
        lines
    };
    let tail = || vec![line(LineOp::Machine(Machine::Udf(0xe1)))];
    let pieces = pieces(vec![block(3), block(4), block(5), tail(), tail(), tail()]);
    let before = run(&pieces).expect("in reach").bytes;
    let (moved, placed) = islands::run(pieces).expect("in reach");
    assert_eq!(before - placed.bytes, 4);
    assert!((0..3).all(|piece| form(&moved, piece, 0) == Form::Narrow));
}
