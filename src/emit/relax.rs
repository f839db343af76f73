//! Addresses: the form of each branch, load of a literal and table, and where literal pools stand.
//!
//! Requires: pieces in an order in which each that falls into another stands before it, and tables
//! lead forward.
//! Ensures: every line reaches what it names in its form. Forms start at the shortest and only
//! grow, so a fixpoint comes; pools stand where control does not fall through, or else behind a
//! jump around them.

use std::collections::BTreeMap;

use crate::entity::TypedVec;
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{CompareOp, Cond, Operand2, ZeroTest};
use crate::vcode::reg::PReg;

use super::encode::{branch_if_reaches, branch_reaches, encode, zero_reaches};
use super::line::{Half, Line, LineOp, Literal, Piece, Pieces};
use super::machine::{EntryWidth, Machine, Position, Width};

#[cfg(test)]
mod tests;

/// How a line whose form is open is written. Lines with one form are `Narrow`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Form {
    /// CBZ or CBNZ.
    Direct,
    /// A 16-bit branch or load; a table of bytes.
    Narrow,
    /// A 32-bit branch or load; a table of halfwords.
    Wide,
    /// A 16-bit branch on the inverted condition around a 32-bit one.
    Far,
}

/// What cannot be reached in any form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfReach {
    /// The target of a table.
    Table,
    /// The target of a branch; the function is larger than 16 MiB.
    Branch,
}

/// The code in address order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// What stands where, by ascending offset.
    pub chunks: Vec<Chunk>,
    /// Where each piece begins.
    pub starts: TypedVec<Piece, u32>,
    /// Where each load finds its literal, by piece and line.
    pub literals: BTreeMap<(Piece, usize), u32>,
    /// Bytes in all.
    pub bytes: u32,
}

/// Something with an offset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Its offset in the function.
    pub at: u32,
    /// What it is.
    pub kind: ChunkKind,
}

/// What stands at an offset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChunkKind {
    /// A line in a form.
    Line(Piece, usize, Form),
    /// A literal pool; with a jump around it where control would run into it.
    Pool(Option<Width>, Vec<Literal>),
}

/// Finds a form for every line and a place for every literal.
pub fn run(pieces: &Pieces) -> Result<Placed, OutOfReach> {
    let mut forms: TypedVec<Piece, Vec<Form>> =
        pieces.data.values().map(|data| data.lines.iter().map(|line| first_form(&line.op)).collect()).collect();
    loop {
        let placed = Sweep::run(pieces, &forms);
        let mut has_grown = false;
        for chunk in &placed.chunks {
            let ChunkKind::Line(piece, index, form) = chunk.kind else {
                continue;
            };
            let op = &pieces.data[piece].lines[index].op;
            if !reaches(op, form, chunk.at, &placed, (piece, index)) {
                forms[piece][index] = longer(op, form)?;
                has_grown = true;
            }
        }
        if !has_grown {
            return Ok(placed);
        }
    }
}

fn first_form(op: &LineOp) -> Form {
    match op {
        LineOp::JumpZero(_, n, _) if n.is_low() => Form::Direct,
        LineOp::Literal(d, _) if !d.is_low() => Form::Wide,
        _ => Form::Narrow,
    }
}

fn longer(op: &LineOp, form: Form) -> Result<Form, OutOfReach> {
    match (op, form) {
        (LineOp::JumpZero(..), Form::Direct) => Ok(Form::Narrow),
        (LineOp::JumpIf(..) | LineOp::JumpZero(..), Form::Wide) => Ok(Form::Far),
        (LineOp::Table(..), Form::Wide) => Err(OutOfReach::Table),
        (_, Form::Narrow) => Ok(Form::Wide),
        (_, Form::Direct | Form::Wide | Form::Far) => Err(OutOfReach::Branch),
    }
}

fn reaches(op: &LineOp, form: Form, at: u32, placed: &Placed, line: (Piece, usize)) -> bool {
    let distance = |target: Piece| distance(at, placed.starts[target]);
    match op {
        LineOp::Machine(_) | LineOp::SymbolHalf(..) | LineOp::Call(_) | LineOp::Leave(_) => true,
        LineOp::Jump(target) => match form {
            Form::Direct | Form::Narrow => branch_reaches(Width::Narrow, distance(*target)),
            Form::Wide | Form::Far => branch_reaches(Width::Wide, distance(*target)),
        },
        LineOp::JumpIf(_, target) => conditional_reaches(form, distance(*target)),
        LineOp::JumpZero(_, n, target) if form == Form::Direct => zero_reaches(*n, distance(*target)),
        LineOp::JumpZero(_, n, target) => conditional_reaches(form, distance(*target) - compare_bytes(*n)),
        LineOp::Table(_, targets) => {
            let most = match form {
                Form::Direct | Form::Narrow => 2 * 0xff,
                Form::Wide | Form::Far => 2 * 0xffff,
            };
            targets.iter().all(|&target| (4..=most + 4).contains(&distance(target)))
        }
        LineOp::Literal(..) => match form {
            Form::Direct | Form::Narrow => literal_distance(at, placed.literals[&line]) <= 1020,
            Form::Wide | Form::Far => literal_distance(at, placed.literals[&line]) <= 4095,
        },
    }
}

fn distance(from: u32, to: u32) -> i32 {
    let signed = |offset: u32| i32::try_from(offset).expect("code is smaller than 2 GiB");
    signed(to) - signed(from)
}

fn conditional_reaches(form: Form, distance: i32) -> bool {
    match form {
        Form::Direct | Form::Narrow => branch_if_reaches(Width::Narrow, distance),
        Form::Wide => branch_if_reaches(Width::Wide, distance),
        Form::Far => branch_reaches(Width::Wide, distance - 2),
    }
}

/// From the word-aligned PC that a load at `at` reads, to the literal.
fn literal_distance(at: u32, literal: u32) -> u32 {
    literal - ((at + 4) & !3)
}

fn compare_with_zero(n: PReg) -> Machine {
    let zero = ModifiedImm::new(0).expect("0 is encodable");
    Machine::Compare { op: CompareOp::Cmp, n, m: Operand2::Imm(zero) }
}

fn compare_bytes(n: PReg) -> i32 {
    if n.is_low() { 2 } else { 4 }
}

/// Where the things that a line names are.
pub trait Surroundings {
    /// The offset of a piece.
    fn start(&self, piece: Piece) -> u32;
    /// The offset of the literal that the line loads.
    fn literal(&self) -> u32;
}

/// The instructions of a line at an offset.
///
/// What a relocation will change holds the relocation's addend, as REL relocations have it: the
/// low 16 bits of it in MOVW and MOVT, and the distance -4 in BL (AAELF32, 5.6.1).
pub fn instructions(op: &LineOp, form: Form, at: u32, around: &dyn Surroundings) -> Vec<Machine> {
    let to = |target: Piece| distance(at, around.start(target));
    let width = match form {
        Form::Direct | Form::Narrow => Width::Narrow,
        Form::Wide | Form::Far => Width::Wide,
    };
    let branch_if = |cond: Cond, distance: i32| match form {
        Form::Direct | Form::Narrow | Form::Wide => {
            vec![Machine::BranchIf { width, cond, distance }]
        }
        Form::Far => vec![
            Machine::BranchIf { width: Width::Narrow, cond: cond.negated(), distance: 6 },
            Machine::Branch { width: Width::Wide, distance: distance - 2 },
        ],
    };
    match *op {
        LineOp::Machine(machine) => vec![machine],
        LineOp::SymbolHalf(half, d, literal) => {
            let imm = match literal {
                Literal::Address(_, addend) => addend as u16,
                Literal::Word(word) if half == Half::High => (word >> 16) as u16,
                Literal::Word(word) => word as u16,
            };
            vec![match half {
                Half::Low => Machine::Movw { d, imm },
                Half::High => Machine::Movt { d, imm },
            }]
        }
        LineOp::Call(_) => vec![Machine::Call { distance: 0 }],
        LineOp::Leave(_) => vec![Machine::Branch { width: Width::Wide, distance: 0 }],
        LineOp::Literal(d, _) => {
            let distance = literal_distance(at, around.literal());
            let distance = u16::try_from(distance).expect("literals are in reach");
            vec![Machine::LoadLiteral { width, d, distance }]
        }
        LineOp::Jump(target) => vec![Machine::Branch { width, distance: to(target) }],
        LineOp::JumpIf(cond, target) => branch_if(cond, to(target)),
        LineOp::JumpZero(test, n, target) if form == Form::Direct => {
            vec![Machine::BranchZero { test, n, distance: to(target) }]
        }
        LineOp::JumpZero(test, n, target) => {
            let mut list = vec![compare_with_zero(n)];
            let cond = match test {
                ZeroTest::Zero => Cond::Eq,
                ZeroTest::NonZero => Cond::Ne,
            };
            list.extend(branch_if(cond, to(target) - compare_bytes(n)));
            list
        }
        LineOp::Table(m, _) => vec![Machine::TableBranch { entries: entry_width(form), m }],
    }
}

/// How wide the entries of a table are in a form.
pub fn entry_width(form: Form) -> EntryWidth {
    match form {
        Form::Direct | Form::Narrow => EntryWidth::Byte,
        Form::Wide | Form::Far => EntryWidth::Half,
    }
}

/// Bytes of a line in a form, the table behind a table branch included.
fn line_bytes(line: &Line, form: Form) -> u32 {
    /// Distances that every form can encode.
    struct Near;
    impl Surroundings for Near {
        fn start(&self, _: Piece) -> u32 {
            16
        }
        fn literal(&self) -> u32 {
            16
        }
    }
    let list = instructions(&line.op, form, 0, &Near);
    let code: u32 = list.iter().map(|machine| encode(machine, line.position).bytes()).sum();
    match &line.op {
        LineOp::Table(_, targets) => code + table_bytes(form, targets.len()),
        _ => code,
    }
}

/// Bytes of a table, the one that makes them even included.
pub fn table_bytes(form: Form, entries: usize) -> u32 {
    let entries = u32::try_from(entries).expect("Wasm limits the entries of a table");
    (entries * entry_width(form).bytes()).next_multiple_of(2)
}

/// A literal that loads wait for.
struct Pending {
    literal: Literal,
    loads: Vec<(Piece, usize)>,
    /// The last offset that every load reaches.
    deadline: u32,
    /// The last offset that every load reaches that has its longest form already.
    last_deadline: u32,
}

/// One pass over the lines in their order.
struct Sweep<'a> {
    pieces: &'a Pieces,
    forms: &'a TypedVec<Piece, Vec<Form>>,
    at: u32,
    pending: Vec<Pending>,
    /// Whether control falls into what comes next.
    is_entered: bool,
    placed: Placed,
}

/// Room for an IT block and a jump, before which a pool may have to wait.
const SLACK: u32 = 16;

impl Sweep<'_> {
    fn run(pieces: &Pieces, forms: &TypedVec<Piece, Vec<Form>>) -> Placed {
        let placed = Placed {
            chunks: Vec::new(),
            starts: TypedVec::filled(0, pieces.data.len()),
            literals: BTreeMap::new(),
            bytes: 0,
        };
        let mut sweep = Sweep { pieces, forms, at: 0, pending: Vec::new(), is_entered: true, placed };
        let runs = sweep.runs();
        let mut run = runs.iter();
        for &piece in &pieces.order {
            sweep.piece(piece);
            sweep.is_entered = pieces.data[piece].falls_into.is_some();
            if sweep.is_entered {
                continue;
            }
            // `runs` has one entry per piece that control does not fall out of.
            run.next();
            match run.as_slice().first() {
                Some(next) if !sweep.is_urgent(next.bytes, next.literals) => {}
                _ => sweep.pool(None),
            }
        }
        debug_assert!(sweep.pending.is_empty(), "the last piece does not fall through");
        sweep.placed.bytes = sweep.at;
        sweep.placed
    }

    /// The lengths of the stretches between places where a pool costs no jump.
    fn runs(&self) -> Vec<Run> {
        let mut runs = vec![Run::default()];
        for &piece in &self.pieces.order {
            let data = &self.pieces.data[piece];
            let run = runs.last_mut().expect("never empty");
            for (line, &form) in data.lines.iter().zip(&self.forms[piece]) {
                run.bytes += line_bytes(line, form);
                run.literals += u32::from(matches!(line.op, LineOp::Literal(..)));
            }
            if data.falls_into.is_none() {
                runs.push(Run::default());
            }
        }
        // The last one is what stands behind the end.
        runs.pop();
        runs
    }

    fn piece(&mut self, piece: Piece) {
        self.placed.starts[piece] = self.at;
        let data = &self.pieces.data[piece];
        for (index, line) in data.lines.iter().enumerate() {
            let form = self.forms[piece][index];
            let bytes = line_bytes(line, form);
            if line.position == Position::Plain && self.must_pool_before(bytes) {
                let words = u32::try_from(self.pending.len()).expect("a count of lines");
                let width = if 4 + 4 * words <= 2048 { Width::Narrow } else { Width::Wide };
                self.pool((index > 0 || self.is_entered).then_some(width));
                if index == 0 {
                    self.placed.starts[piece] = self.at;
                }
            }
            let kind = ChunkKind::Line(piece, index, form);
            self.placed.chunks.push(Chunk { at: self.at, kind });
            if let LineOp::Literal(_, literal) = line.op {
                self.wait_for(literal, form, (piece, index));
            }
            self.at += bytes;
        }
    }

    fn wait_for(&mut self, literal: Literal, form: Form, load: (Piece, usize)) {
        let pc = (self.at + 4) & !3;
        let (deadline, last_deadline) = match form {
            Form::Direct | Form::Narrow => (pc + 1020, u32::MAX),
            Form::Wide | Form::Far => (pc + 4092, pc + 4092),
        };
        match self.pending.iter_mut().find(|pending| pending.literal == literal) {
            Some(pending) => {
                pending.loads.push(load);
                pending.deadline = pending.deadline.min(deadline);
                pending.last_deadline = pending.last_deadline.min(last_deadline);
            }
            None => {
                let loads = vec![load];
                self.pending.push(Pending { literal, loads, deadline, last_deadline });
            }
        }
    }

    /// Whether some literal is out of reach if the pool comes only behind the next stretch.
    fn is_urgent(&self, bytes: u32, literals: u32) -> bool {
        let count = u32::try_from(self.pending.len()).expect("a count of lines") + literals;
        let end = self.at + bytes + SLACK + 4 * count;
        self.pending.iter().any(|pending| pending.deadline < end)
    }

    /// Whether a load in its longest form is out of reach of a pool behind the next line. A load
    /// in a shorter form grows first.
    fn must_pool_before(&self, bytes: u32) -> bool {
        let count = u32::try_from(self.pending.len()).expect("a count of lines") + 1;
        let end = self.at + bytes + SLACK + 4 * count;
        self.pending.iter().any(|pending| pending.last_deadline < end)
    }

    /// Places all literals that are waited for here.
    fn pool(&mut self, jump: Option<Width>) {
        if self.pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|pending| pending.deadline.min(pending.last_deadline));
        let words = pending.iter().map(|pending| pending.literal).collect();
        self.placed.chunks.push(Chunk { at: self.at, kind: ChunkKind::Pool(jump, words) });
        self.at += match jump {
            None => 0,
            Some(Width::Narrow) => 2,
            Some(Width::Wide) => 4,
        };
        self.at = self.at.next_multiple_of(4);
        for pending in pending {
            for load in pending.loads {
                self.placed.literals.insert(load, self.at);
            }
            self.at += 4;
        }
    }
}

/// What stands between two places where a pool costs no jump.
#[derive(Clone, Copy, Default)]
struct Run {
    bytes: u32,
    literals: u32,
}
