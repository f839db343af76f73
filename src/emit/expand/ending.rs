//! How blocks end: branches to the pieces of other blocks, tables with their stubs, returns.

use std::collections::BTreeMap;

use synth_verify::hints::Class;

use super::super::frame;
use super::super::layout;
use super::super::line::{LineOp, Names, Note, Piece};
use super::super::machine::{Machine, Side};
use super::{Expander, Stubs};
use crate::vcode::entity::Block;
use crate::vcode::inst::{Callee, Symbol, Terminator, ZeroTest};
use crate::vcode::reg::PReg;

impl Expander<'_> {
    pub(super) fn end_note(&self, block: Block, mut reads: Names) -> Note {
        let data = &self.func.blocks[block];
        reads.extend(self.names(&data.terminator_reads));
        Note { source: data.terminator_source, class: Class::Direct, reads, writes: vec![] }
    }

    /// The piece that an edge leads to; notes what it renames.
    pub(super) fn target(&mut self, block: Block, edge: usize, to: Block) -> Piece {
        let none = Vec::new();
        let renames = self.func.blocks[block].renames.get(edge).unwrap_or(&none);
        let (to, renames) = layout::resolve(self.func, to, renames);
        let (from, to) = (self.open(), self.piece(to));
        let renames: Vec<_> = renames
            .into_iter()
            .flat_map(|(place, before, after)| {
                let after = frame::words(self.func, place, after).into_iter().map(|(_, name)| name);
                let before = frame::words(self.func, place, before);
                before.into_iter().zip(after).map(|((location, before), after)| (location, before, after))
            })
            .collect();
        let known = &mut self.pieces.data[from].renames;
        if !renames.is_empty() && known.iter().all(|(target, _)| *target != to) {
            known.push((to, renames));
        }
        to
    }

    pub(super) fn terminator(&mut self, block: Block, next: Option<Block>) {
        let func = self.func;
        let piece = self.open();
        match &func.blocks[block].terminator {
            Terminator::Jump(edge) => {
                let target = self.target(block, 0, edge.block);
                let note = self.end_note(block, vec![]);
                self.jump((piece, next), target, note);
            }
            Terminator::Branch { cond, then, otherwise } => {
                let targets = [self.target(block, 0, then.block), self.target(block, 1, otherwise.block)];
                let note = self.end_note(block, vec![]);
                self.two_way((piece, next), targets, note, &|side| match side {
                    (Side::Then, target) => LineOp::JumpIf(*cond, target),
                    (Side::Else, target) => LineOp::JumpIf(cond.negated(), target),
                });
            }
            Terminator::BranchZero { test, n, then, otherwise } => {
                let targets = [self.target(block, 0, then.block), self.target(block, 1, otherwise.block)];
                let note = self.end_note(block, vec![]);
                self.two_way((piece, next), targets, note, &|side| match side {
                    (Side::Then, target) => LineOp::JumpZero(*test, *n, target),
                    (Side::Else, target) => LineOp::JumpZero(opposite(*test), *n, target),
                });
            }
            Terminator::Table { index, targets } => {
                let targets: Vec<Piece> =
                    targets.iter().enumerate().map(|(edge, target)| self.target(block, edge, target.block)).collect();
                self.table((block, next), *index, targets);
            }
            Terminator::Return { .. } => {
                let results = self.names(&func.blocks[block].terminator_reads);
                let source = func.blocks[block].terminator_source;
                let lines = frame::epilogue(func.isa, &func.frame, frame::Exit::Return, results, source);
                self.lines(piece).extend(lines);
            }
            Terminator::ReturnCall(call) => {
                let arguments = self.names(&func.blocks[block].terminator_reads);
                let exit = match call.callee {
                    Callee::Function(function) | Callee::Import(function) => {
                        frame::Exit::Branch(Symbol::Function(function))
                    }
                    Callee::Register(code) => frame::Exit::Through(code),
                };
                let source = func.blocks[block].terminator_source;
                self.lines(piece).extend(frame::epilogue(func.isa, &func.frame, exit, arguments, source));
            }
            Terminator::Trap(trap) => {
                let note = Note { class: Class::Trap, ..self.end_note(block, vec![]) };
                self.lines(piece).push(frame::plain(LineOp::Machine(Machine::Udf(trap.code())), note));
            }
        }
    }

    fn jump(&mut self, (piece, next): (Piece, Option<Block>), target: Piece, note: Note) {
        if next.map(|next| self.piece(next)) == Some(target) {
            self.pieces.data[piece].falls_into = Some(target);
        } else {
            self.lines(piece).push(frame::plain(LineOp::Jump(target), note));
        }
    }

    /// A branch to one of two pieces. `branch` makes the line that goes to a side.
    pub(super) fn two_way(
        &mut self,
        (piece, next): (Piece, Option<Block>),
        [then, otherwise]: [Piece; 2],
        note: Note,
        branch: &dyn Fn((Side, Piece)) -> LineOp,
    ) {
        let falls_into = next.map(|next| self.piece(next));
        if then == otherwise {
            return self.jump((piece, next), then, note);
        }
        let (op, rest) = if falls_into == Some(then) {
            (branch((Side::Else, otherwise)), then)
        } else {
            (branch((Side::Then, then)), otherwise)
        };
        let silent = Note { reads: vec![], ..note.clone() };
        self.lines(piece).push(frame::plain(op, note));
        self.jump((piece, next), rest, silent);
    }

    fn table(&mut self, (block, next): (Block, Option<Block>), index: PReg, targets: Vec<Piece>) {
        let piece = self.open();
        let note = self.end_note(block, vec![]);
        let [first, ..] = targets.as_slice() else {
            unreachable!("a table has a target for each index, and there is an index");
        };
        if targets.iter().all(|target| target == first) {
            let silent = Note { reads: vec![], ..note };
            return self.jump((piece, next), *first, silent);
        }
        let here = self.order[&block];
        let mut stubs: BTreeMap<Piece, Piece> = BTreeMap::new();
        let mut entries = Vec::new();
        for target in targets {
            let place = self.pieces.data[target].block.map(|block| self.order[&block]);
            let is_forward = place.is_some_and(|place| place > here);
            entries.push(match self.stubs {
                Stubs::Backward if is_forward => target,
                Stubs::Backward | Stubs::All => match stubs.get(&target) {
                    Some(&stub) => stub,
                    None => {
                        let stub = self.stub(piece, target, note.source);
                        stubs.insert(target, stub);
                        stub
                    }
                },
            });
        }
        self.lines(piece).push(frame::plain(LineOp::Table(index, entries), note));
    }

    /// A jump behind a table, on which the names change instead of at the table's own edge.
    fn stub(&mut self, from: Piece, target: Piece, source: Option<u32>) -> Piece {
        let stub = self.pieces.append(None, frame::body_state(&self.func.frame));
        let note = Note { source, class: Class::Direct, reads: vec![], writes: vec![] };
        self.lines(stub).push(frame::plain(LineOp::Jump(target), note));
        let known = &mut self.pieces.data[from].renames;
        if let Some(index) = known.iter().position(|(to, _)| *to == target) {
            let renames = known.remove(index);
            self.pieces.data[stub].renames.push(renames);
        }
        stub
    }
}

pub(super) fn opposite(test: ZeroTest) -> ZeroTest {
    match test {
        ZeroTest::Zero => ZeroTest::NonZero,
        ZeroTest::NonZero => ZeroTest::Zero,
    }
}
