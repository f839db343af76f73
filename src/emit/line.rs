//! Code before it has addresses: pieces of lines, where branches name pieces and constants are not
//! yet in a pool.

use synth_verify::hints::{Class, Location, Name};

use crate::entity;
use crate::entity::TypedVec;
use crate::vcode::entity::Block;
use crate::vcode::inst::{Cond, Symbol, ZeroTest};
use crate::vcode::reg::{PReg, RegSet};

use super::machine::{Machine, Position};

entity! {
    /// A run of lines that is entered only at its start.
    Piece, "piece";
}

/// Code of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pieces {
    /// The pieces.
    pub data: TypedVec<Piece, PieceData>,
    /// Their order in the code.
    pub order: Vec<Piece>,
}

/// One piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PieceData {
    /// The block it is the code of; none for trap tails and the stubs of tables.
    pub block: Option<Block>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The piece that control falls into behind the last line. It must come next in the order.
    pub falls_into: Option<Piece>,
    /// The value names that change on the way to a piece.
    pub renames: Vec<(Piece, Vec<Rename>)>,
    /// The stack at its start.
    pub stack: StackState,
}

/// Location, name before, name after.
pub type Rename = (Location, Name, Name);

/// Named machine locations.
pub type Names = Vec<(Location, Name)>;

/// What an unwinder has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackState {
    /// SP as bytes below SP at entry.
    pub depth: u32,
    /// The registers whose values at entry are on the stack.
    pub saved: RegSet,
}

/// One instruction, or one branch whose form is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it does.
    pub op: LineOp,
    /// Whether it is in an IT block.
    pub position: Position,
    /// What is said about it.
    pub note: Note,
    /// The stack after it, if it changes it.
    pub stack: Option<StackState>,
}

/// What is said about an instruction in its label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The Wasm offset it is there for.
    pub source: Option<u32>,
    /// What it is there for.
    pub class: Class,
    /// Locations read.
    pub reads: Names,
    /// Locations written.
    pub writes: Names,
}

/// What a line does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineOp {
    /// One instruction.
    Machine(Machine),
    /// MOVW of bits 15:0 of an address, or MOVT of bits 31:16.
    SymbolHalf(Half, PReg, Literal),
    /// BL to a function.
    Call(Symbol),
    /// B to a function.
    Leave(Symbol),
    /// Loads a constant from a literal pool.
    Literal(PReg, Literal),
    /// Goes to a piece.
    Jump(Piece),
    /// Goes to a piece if the condition holds.
    JumpIf(Cond, Piece),
    /// Goes to a piece if the register is, or is not, zero. May destroy flags.
    JumpZero(ZeroTest, PReg, Piece),
    /// Goes to the piece with this index; all of them come later in the order.
    Table(PReg, Vec<Piece>),
}

/// Which half of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// Bits 15:0.
    Low,
    /// Bits 31:16.
    High,
}

/// A constant of 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Literal {
    /// A number.
    Word(u32),
    /// The address of a symbol plus a number.
    Address(Symbol, i32),
}

impl LineOp {
    /// The pieces it may go to.
    pub fn targets(&self) -> &[Piece] {
        match self {
            LineOp::Jump(target) | LineOp::JumpIf(_, target) | LineOp::JumpZero(_, _, target) => {
                std::slice::from_ref(target)
            }
            LineOp::Table(_, targets) => targets,
            LineOp::Machine(_) | LineOp::SymbolHalf(..) | LineOp::Call(_) | LineOp::Leave(_) | LineOp::Literal(..) => {
                &[]
            }
        }
    }
}

impl Pieces {
    /// Makes a piece without a place in the order.
    pub fn create(&mut self, block: Option<Block>, stack: StackState) -> Piece {
        self.data.push(PieceData { block, lines: Vec::new(), falls_into: None, renames: Vec::new(), stack })
    }

    /// Makes a piece behind all that have a place.
    pub fn append(&mut self, block: Option<Block>, stack: StackState) -> Piece {
        let piece = self.create(block, stack);
        self.order.push(piece);
        piece
    }

    /// How many ways lead into each piece from others and itself.
    pub fn predecessor_counts(&self) -> TypedVec<Piece, u32> {
        let mut counts = TypedVec::filled(0, self.data.len());
        for data in self.data.values() {
            let jumps = data.lines.iter().flat_map(|line| line.op.targets());
            for &target in jumps.chain(&data.falls_into) {
                counts[target] += 1;
            }
        }
        counts
    }
}
