//! Bytes, with everything that is said about them by offset: labels, relocations, frame rows.
//!
//! Requires: what `relax` placed.
//! Ensures: each label, relocation and row stands at the offset its instruction has; ranges without
//! instructions are listed.

use synth_verify::hints::{Class, Label};

use crate::entity::TypedVec;
use crate::target::Isa;
use crate::vcode::inst::Symbol;
use crate::vcode::reg::{PReg, RegSet};

use super::encode::encode;
use super::line::{Half, Line, LineOp, Literal, Piece, Pieces, StackState};
use super::machine::{EntryWidth, Machine, Position, Width};
use super::relax::{self, Chunk, ChunkKind, Form, Placed, Surroundings};

/// A place in the code that holds, or is relative to, an address not known yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Offset in the function.
    pub offset: u32,
    /// How the address is held.
    pub kind: RelocationKind,
    /// Whose address.
    pub symbol: Symbol,
    /// What is added to it. The bytes hold it too, as REL relocations want it.
    pub addend: i32,
}

/// How an address is held (AAELF32, 5.6.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RelocationKind {
    /// `R_ARM_THM_CALL`: BL.
    ThmCall,
    /// `R_ARM_THM_JUMP24`: B.
    ThmJump,
    /// `R_ARM_THM_MOVW_ABS_NC`: bits 15:0 in MOVW.
    MovwAbsNc,
    /// `R_ARM_THM_MOVT_ABS`: bits 31:16 in MOVT.
    MovtAbs,
    /// `R_ARM_ABS32`: a word.
    Abs32,
}

/// What an unwinder knows from an offset on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameRow {
    /// Offset in the function.
    pub offset: u32,
    /// The canonical frame address (SP at entry) minus SP.
    pub cfa_offset: u32,
    /// Saved registers that the caller gets back, by DWARF number, with their distance from the canonical
    /// frame address.
    pub saved: Vec<(u16, i32)>,
}

/// How control comes from one piece into another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entrance {
    /// The piece that is entered.
    pub to: Piece,
    /// The piece that control comes from.
    pub from: Piece,
    /// The offset of the instruction that it comes from.
    pub at: u32,
}

/// The assembled function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Assembled {
    /// The bytes.
    pub code: Vec<u8>,
    /// By ascending offset.
    pub relocations: Vec<Relocation>,
    /// One per instruction, by ascending offset.
    pub labels: Vec<Label>,
    /// Ranges without instructions, by ascending offset.
    pub data: Vec<(u32, u32)>,
    /// By ascending offset, the first at 0.
    pub frame_rows: Vec<FrameRow>,
    /// All ways from piece to piece.
    pub entrances: Vec<Entrance>,
    /// Where each piece begins.
    pub starts: TypedVec<Piece, u32>,
}

/// Writes the function.
pub fn run(pieces: &Pieces, placed: &Placed) -> Assembled {
    let starts = placed.starts.clone();
    let out = Assembled { starts, ..Assembled::default() };
    let mut writer = Writer { pieces, placed, out, stack: None, last: None, fallen: None };
    for chunk in &placed.chunks {
        match &chunk.kind {
            ChunkKind::Line(piece, index, form) => writer.line(chunk.at, (*piece, *index), *form),
            ChunkKind::Pool(jump, words) => writer.pool(chunk, *jump, words),
        }
    }
    debug_assert_eq!(writer.at(), placed.bytes, "sizes are those of the encoder");
    writer.out
}

struct Writer<'a> {
    pieces: &'a Pieces,
    placed: &'a Placed,
    out: Assembled,
    /// What the last row says.
    stack: Option<StackState>,
    /// The offset of the last instruction.
    last: Option<u32>,
    /// The entrance that control falls through, if a piece has just ended.
    fallen: Option<usize>,
}

struct Around<'a> {
    placed: &'a Placed,
    line: (Piece, usize),
}

impl Surroundings for Around<'_> {
    fn start(&self, piece: Piece) -> u32 {
        self.placed.starts[piece]
    }

    fn literal(&self) -> u32 {
        self.placed.literals[&self.line]
    }
}

impl Writer<'_> {
    fn at(&self) -> u32 {
        u32::try_from(self.out.code.len()).expect("code is smaller than 4 GiB")
    }

    fn line(&mut self, at: u32, (piece, index): (Piece, usize), form: Form) {
        debug_assert_eq!(at, self.at(), "sizes are those of the encoder");
        let data = &self.pieces.data[piece];
        let line = &data.lines[index];
        if index == 0 {
            self.row(data.stack);
        }
        let around = Around { placed: self.placed, line: (piece, index) };
        let list = relax::instructions(&line.op, form, at, &around);
        self.relocate(&line.op);
        let before_last = list.len() - 1;
        for (number, machine) in list.iter().enumerate() {
            // A comparison that stands before a branch reads what the line reads.
            self.label(line, number == 0, number == before_last);
            let code = encode(machine, line.position);
            debug_assert!(
                self.pieces.isa == Isa::V7M || code.bytes() == 2 || matches!(machine, Machine::Call { .. }),
                "Armv6-M has no {machine:?}"
            );
            code.append_to(&mut self.out.code);
        }
        self.exits(piece, line);
        if let LineOp::Table(_, targets) = &line.op {
            self.table(form, targets);
        }
        if let Some(stack) = line.stack {
            self.row(stack);
        }
        self.fallen = None;
        if index + 1 == data.lines.len()
            && let (Some(to), Some(at)) = (data.falls_into, self.fall_offset(line, form))
        {
            self.fallen = Some(self.out.entrances.len());
            self.out.entrances.push(Entrance { to, from: piece, at });
        }
    }

    /// From which instruction of the line control goes on to the next one.
    fn fall_offset(&self, line: &Line, form: Form) -> Option<u32> {
        let is_conditional = matches!(line.op, LineOp::JumpIf(..) | LineOp::JumpZero(..));
        // The 16-bit branch around the longer one.
        if is_conditional && matches!(form, Form::Far | Form::Around | Form::Linked) {
            self.last.map(|last| last - 2)
        } else {
            self.last
        }
    }

    fn exits(&mut self, from: Piece, line: &Line) {
        let at = self.last.expect("a line has an instruction");
        let mut targets = line.op.targets().to_vec();
        targets.sort();
        targets.dedup();
        self.out.entrances.extend(targets.into_iter().map(|to| Entrance { to, from, at }));
    }

    fn label(&mut self, line: &Line, is_first: bool, is_last: bool) {
        let at = self.at();
        self.last = Some(at);
        let note = &line.note;
        self.out.labels.push(Label {
            at,
            source: note.source,
            class: note.class,
            reads: if is_first { note.reads.clone() } else { Vec::new() },
            writes: if is_last { note.writes.clone() } else { Vec::new() },
        });
    }

    fn relocate(&mut self, op: &LineOp) {
        let (kind, symbol, addend) = match *op {
            LineOp::SymbolHalf(Half::Low, _, Literal::Address(symbol, addend)) => {
                (RelocationKind::MovwAbsNc, symbol, addend)
            }
            LineOp::SymbolHalf(Half::High, _, Literal::Address(symbol, addend)) => {
                (RelocationKind::MovtAbs, symbol, addend)
            }
            LineOp::Call(symbol) => (RelocationKind::ThmCall, symbol, 0),
            LineOp::Leave(symbol) => (RelocationKind::ThmJump, symbol, 0),
            _ => return,
        };
        let offset = self.at();
        self.out.relocations.push(Relocation { offset, kind, symbol, addend });
    }

    fn table(&mut self, form: Form, targets: &[Piece]) {
        let base = self.at();
        for &target in targets {
            let entry = (self.placed.starts[target] - base) / 2;
            match relax::entry_width(form) {
                EntryWidth::Byte => {
                    self.out.code.push(u8::try_from(entry).expect("tables reach their targets"));
                }
                EntryWidth::Half => {
                    let entry = u16::try_from(entry).expect("tables reach their targets");
                    self.out.code.extend(entry.to_le_bytes());
                }
            }
        }
        // What makes the table even repeats an entry, so that it leads nowhere else.
        if !self.out.code.len().is_multiple_of(2) {
            self.out.code.extend(self.out.code.last().copied());
        }
        self.data_since(base);
    }

    fn pool(&mut self, chunk: &Chunk, jump: Option<Width>, words: &[Literal]) {
        debug_assert_eq!(chunk.at, self.at(), "sizes are those of the encoder");
        if let Some(width) = jump {
            let start = chunk.at + if width == Width::Narrow { 2 } else { 4 };
            let end = start.next_multiple_of(4) + 4 * words.len() as u32;
            let distance = i32::try_from(end - chunk.at).expect("a pool is small");
            self.last = Some(chunk.at);
            if let Some(index) = self.fallen {
                self.out.entrances[index].at = chunk.at;
            }
            self.out.labels.push(Label {
                at: chunk.at,
                source: None,
                class: Class::Direct,
                reads: Vec::new(),
                writes: Vec::new(),
            });
            let branch = Machine::Branch { width, distance };
            encode(&branch, Position::Plain).append_to(&mut self.out.code);
        }
        let start = self.at();
        self.pad(4);
        for literal in words {
            let word = match *literal {
                Literal::Word(word) => word,
                Literal::Address(symbol, addend) => {
                    let (offset, kind) = (self.at(), RelocationKind::Abs32);
                    self.out.relocations.push(Relocation { offset, kind, symbol, addend });
                    addend as u32
                }
            };
            self.out.code.extend(word.to_le_bytes());
        }
        self.data_since(start);
    }

    fn pad(&mut self, alignment: usize) {
        while !self.out.code.len().is_multiple_of(alignment) {
            self.out.code.push(0);
        }
    }

    fn data_since(&mut self, start: u32) {
        let end = self.at();
        match self.out.data.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => self.out.data.push((start, end)),
        }
    }

    fn row(&mut self, stack: StackState) {
        if self.stack == Some(stack) {
            return;
        }
        self.stack = Some(stack);
        let row = FrameRow { offset: self.at(), cfa_offset: stack.depth, saved: saved_offsets(stack.saved) };
        match self.out.frame_rows.last_mut() {
            Some(last) if last.offset == row.offset => *last = row,
            _ => self.out.frame_rows.push(row),
        }
    }
}

/// Where PUSH and VPUSH at entry put each register, as distances from SP at entry. A register that is pushed
/// only so that SP stays a multiple of 8 is not the caller's to get back.
fn saved_offsets(saved: RegSet) -> Vec<(u16, i32)> {
    let (core, floats) = (saved.core(), saved.floats());
    let core_bytes = 4 * i32::try_from(core.len()).expect("at most 16");
    let bytes = core_bytes + 8 * i32::try_from(floats.len()).expect("at most 16");
    let kept = RegSet::PRESERVED.union(RegSet::one(PReg::LR));
    let words = core.iter().zip((-core_bytes..).step_by(4));
    let doubles = floats.iter().zip((-bytes..).step_by(8));
    words
        .filter(|(register, _)| kept.contains(*register))
        .map(|(register, at)| (u16::from(register.number()), at))
        // AADWARF32, 4.1.
        .chain(doubles.map(|(register, at)| (256 + u16::from(register.number()), at)))
        .collect()
}
