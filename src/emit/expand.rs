//! From allocated blocks to pieces of lines: every item as machine instructions, every terminator
//! as branches, every trap as a tail of its own behind the function.
//!
//! Requires: what `alloc` ensures; r12 is free outside the moves that `alloc` sequenced.
//! Ensures: a piece per block of the layout, in its order; then the trap tails. A jump to what
//! comes next is not written. The values between the instructions of one item have fresh names.

use std::collections::{BTreeMap, BTreeSet};

use synth_verify::hints::{Class, Location, Name};

use crate::alloc::{Allocated, Item, Place};
use crate::entity::TypedVec;
use crate::target::Isa;
use crate::vcode::entity::Block;
use crate::vcode::func::ENTRY;
use crate::vcode::inst::{
    Callee, Choice, CompareOp, Cond, Flags, InPlaceOp, Inst, Operand2, ShiftBy, Symbol, Terminator, Trap, ZeroTest,
};
use crate::vcode::reg::{Bank, PReg};

use super::constant::{self, Need};
use super::frame;
use super::layout;
use super::line::{Half, Line, LineOp, Literal, Names, Note, Piece, Pieces, StackState};
use super::machine::{FlagsMode, Machine, Position, Side};

mod choice;
mod ending;
mod float;
mod stack;

use ending::opposite;

/// Which entries of a table go through a stub that stands right behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stubs {
    /// Those that go backward.
    Backward,
    /// All.
    All,
}

/// The function as pieces. `checked_bytes`, if given, is what the prologue makes sure the stack has.
pub fn run(func: &Allocated, checked_bytes: Option<u32>, stubs: Stubs) -> Pieces {
    let order = layout::order(func);
    let mut expander = Expander {
        func,
        order: order.iter().enumerate().map(|(index, &block)| (block, index)).collect(),
        pieces: Pieces { isa: func.isa, ..Pieces::default() },
        piece_of: TypedVec::filled(None, func.blocks.len()),
        open: None,
        tails: Vec::new(),
        pooled: constant::pooled(&needs(func, &order)),
        // Behind the names of upper words.
        next_name: 2 * u32::try_from(func.vregs.len()).expect("fewer than 2^31 registers"),
        stubs,
    };
    for &block in &order {
        let piece = expander.pieces.create(Some(block), frame::body_state(&func.frame));
        expander.piece_of[block] = Some(piece);
    }
    for (index, &block) in order.iter().enumerate() {
        let piece = expander.piece(block);
        expander.pieces.order.push(piece);
        expander.open = Some(piece);
        if block == ENTRY {
            expander.entry(piece, checked_bytes);
        }
        expander.block(block, order.get(index + 1).copied());
    }
    expander.fill_empty_pieces();
    let tails = std::mem::take(&mut expander.tails);
    expander.pieces.order.extend(tails);
    expander.pieces
}

/// For each item, whether its flags are read, must be kept or are free.
fn flags_modes(items: &[Item], terminator: &Terminator<PReg>) -> Vec<FlagsMode> {
    let mut live = terminator.reads_flags();
    let mut modes: Vec<FlagsMode> = items
        .iter()
        .rev()
        .map(|item| {
            let effect = item.inst.flags_effect();
            let mode = match (effect.writes, live) {
                (true, _) => FlagsMode::Set,
                (false, true) => FlagsMode::Keep,
                (false, false) => FlagsMode::Dead,
            };
            live = effect.reads || live && !effect.writes;
            mode
        })
        .collect();
    modes.reverse();
    modes
}

/// What each constant that does not fit one instruction costs where it is needed.
fn needs(func: &Allocated, order: &[Block]) -> BTreeMap<Literal, Vec<Need>> {
    let mut needs: BTreeMap<Literal, Vec<Need>> = BTreeMap::new();
    for &block in order {
        let data = &func.blocks[block];
        let modes = flags_modes(&data.items, &data.terminator);
        for (item, mode) in data.items.iter().zip(modes) {
            let (literal, d, inline_bytes) = match item.inst {
                Inst::Const { d, value } => {
                    let inline = constant::steps(func.isa, value, d, mode);
                    (Literal::Word(value), d, inline.map_or(NEVER_INLINE, |steps| constant::bytes(&steps)))
                }
                Inst::Address { d, symbol, addend } => {
                    (Literal::Address(symbol, addend), d, address_bytes(func.isa, addend))
                }
                _ => continue,
            };
            needs.entry(literal).or_default().push(Need { inline_bytes, d });
        }
    }
    needs
}

/// More than every pool costs.
const NEVER_INLINE: u32 = 1 << 16;

/// What an address costs without a pool: a relocated MOVW and MOVT, which hold an addend of 16 bits
/// (AAELF32, 5.6.1), so that a larger addend leaves only the pool; Armv6-M has neither.
fn address_bytes(isa: Isa, addend: i32) -> u32 {
    if isa == Isa::V7M && i16::try_from(addend).is_ok() { 8 } else { NEVER_INLINE }
}

struct Expander<'a> {
    func: &'a Allocated,
    /// Where each block stands in the order.
    order: BTreeMap<Block, usize>,
    pieces: Pieces,
    piece_of: TypedVec<Block, Option<Piece>>,
    /// The piece that the items at work go to: that of their block, or a later part of it.
    open: Option<Piece>,
    /// Pieces that stand behind all blocks.
    tails: Vec<Piece>,
    pooled: BTreeSet<Literal>,
    next_name: Name,
    stubs: Stubs,
}

/// Where the lines of an item go, and what is said about them.
#[derive(Clone, Copy)]
struct Site<'a> {
    piece: Piece,
    item: &'a Item,
    flags: FlagsMode,
}

impl Expander<'_> {
    fn piece(&self, block: Block) -> Piece {
        self.piece_of[block].expect("edges lead to blocks of the layout")
    }

    fn open(&self) -> Piece {
        self.open.expect("a block is at work")
    }

    fn fresh(&mut self) -> Name {
        self.next_name += 1;
        self.next_name - 1
    }

    fn names(&self, list: &[(Place, crate::vcode::VReg)]) -> Names {
        list.iter().flat_map(|&(place, vreg)| frame::words(self.func, place, vreg)).collect()
    }

    fn lines(&mut self, piece: Piece) -> &mut Vec<Line> {
        &mut self.pieces.data[piece].lines
    }

    /// On Armv6-M the check's trap stands behind it: a branch that goes further may take LR, which is not saved yet.
    fn entry(&mut self, piece: Piece, checked_bytes: Option<u32>) {
        self.pieces.data[piece].stack = StackState::default();
        if let Some(bytes) = checked_bytes {
            let isa = self.func.isa;
            let arguments = self.func.blocks[ENTRY].items.first().filter(|item| matches!(item.inst, Inst::Args { .. }));
            let mut places = arguments.into_iter().flat_map(|item| &item.writes);
            let fourth = places.find(|(place, _)| *place == Place::Reg(PReg::R3)).map(|(_, vreg)| vreg.0);
            let padding = self.func.frame.saved.contains(PReg::R3).then(|| frame::entry_name(PReg::R3));
            let fourth = fourth.or(padding);
            let mut lines = frame::limit_check(isa, bytes, fourth, &mut || self.fresh());
            let state = StackState::default();
            let tail = self.trap_piece(Trap::StackExhausted, None, state);
            let branch = match isa {
                Isa::V7M => {
                    self.tails.push(tail);
                    LineOp::JumpIf(Cond::Lo, tail)
                }
                Isa::V6M => {
                    self.pieces.order.push(tail);
                    let behind = self.pieces.append(None, state);
                    self.pieces.data[piece].falls_into = Some(tail);
                    self.open = Some(behind);
                    LineOp::JumpIf(Cond::Hs, behind)
                }
            };
            let note = Note { source: None, class: Class::Check, reads: vec![], writes: vec![] };
            lines.push(frame::plain(branch, note));
            self.lines(piece).extend(lines);
        }
        let prologue = frame::prologue(self.func.isa, &self.func.frame);
        let piece = self.open();
        self.lines(piece).extend(prologue);
    }

    /// Gives an instruction to pieces that have none and need a place of their own: where names
    /// change behind them, where a cut would stand at offset 0, and where two cuts would coincide.
    fn fill_empty_pieces(&mut self) {
        let counts = self.pieces.predecessor_counts();
        for piece in self.pieces.order.clone() {
            let data = &self.pieces.data[piece];
            let Some(next) = data.falls_into.filter(|_| data.lines.is_empty()) else {
                continue;
            };
            let is_entry = data.block == Some(ENTRY);
            if !is_entry || !data.renames.is_empty() || counts[next] > 1 {
                let note = Note { source: None, class: Class::Frame, reads: vec![], writes: vec![] };
                self.lines(piece).push(frame::plain(LineOp::Machine(Machine::Nop), note));
            }
        }
    }

    fn trap_tail(&mut self, trap: Trap, source: Option<u32>, stack: StackState) -> Piece {
        let piece = self.trap_piece(trap, source, stack);
        self.tails.push(piece);
        piece
    }

    fn trap_piece(&mut self, trap: Trap, source: Option<u32>, stack: StackState) -> Piece {
        let piece = self.pieces.create(None, stack);
        let note = Note { source, class: Class::Trap, reads: vec![], writes: vec![] };
        self.lines(piece).push(frame::plain(LineOp::Machine(Machine::Udf(trap.code())), note));
        piece
    }

    fn block(&mut self, block: Block, next: Option<Block>) {
        let func = self.func;
        let data = &func.blocks[block];
        let modes = flags_modes(&data.items, &data.terminator);
        let mut fused = None;
        for (index, item) in data.items.iter().enumerate() {
            if fused.take().is_some() {
                continue;
            }
            let piece = self.open();
            let site = Site { piece, item, flags: modes[index] };
            match (zero_test(item), data.items.get(index + 1)) {
                (Some((n, is_zero)), Some(Item { inst: Inst::TrapIf { cond, trap }, source, .. }))
                    if modes[index + 1] == FlagsMode::Dead && is_zero(*cond).is_some() =>
                {
                    let test = is_zero(*cond).expect("just matched");
                    let tail = self.trap_tail(*trap, *source, frame::body_state(&func.frame));
                    self.put(site, LineOp::JumpZero(test, n, tail));
                    fused = Some(());
                }
                (Some((n, is_zero)), None) => match data.terminator {
                    Terminator::Branch { cond, ref then, ref otherwise } if is_zero(cond).is_some() => {
                        let test = is_zero(cond).expect("just matched");
                        let names = self.names(&item.reads);
                        let targets = [self.target(block, 0, then.block), self.target(block, 1, otherwise.block)];
                        let note = self.end_note(block, names);
                        let jump = |test, target| LineOp::JumpZero(test, n, target);
                        return self.two_way((self.open(), next), targets, note, &|side| match side {
                            (Side::Then, target) => jump(test, target),
                            (Side::Else, target) => jump(opposite(test), target),
                        });
                    }
                    _ => self.item(site, block, index),
                },
                _ => self.item(site, block, index),
            }
        }
        self.terminator(block, next);
    }

    /// One instruction for the whole item.
    fn put(&mut self, site: Site<'_>, op: LineOp) {
        let reads = self.names(&site.item.reads);
        let writes = self.names(&site.item.writes);
        self.put_named(site, (op, Position::Plain), reads, writes);
    }

    fn put_named(&mut self, site: Site<'_>, (op, position): (LineOp, Position), reads: Names, writes: Names) {
        self.put_class(site, site.item.class, (op, position), (reads, writes));
    }

    fn put_class(&mut self, site: Site<'_>, class: Class, (op, position): (LineOp, Position), names: (Names, Names)) {
        let note = Note { source: site.item.source, class, reads: names.0, writes: names.1 };
        self.lines(site.piece).push(Line { op, position, note, stack: None });
    }

    /// Instructions of which each writes `via` for the next to read. The last one reads and writes
    /// what the item does besides.
    fn chain(&mut self, site: Site<'_>, via: PReg, ops: Vec<LineOp>) {
        let (reads, writes) = (self.names(&site.item.reads), self.names(&site.item.writes));
        self.chain_named(site, via, ops, reads, writes);
    }

    fn chain_named(&mut self, site: Site<'_>, via: PReg, ops: Vec<LineOp>, mut reads: Names, writes: Names) {
        let mut held: Names = Vec::new();
        let last = ops.len() - 1;
        for (index, op) in ops.into_iter().enumerate() {
            if index < last {
                let written = vec![(Location::Core(via.number()), self.fresh())];
                let read = std::mem::replace(&mut held, written.clone());
                // It makes an address or a part of a constant, no copy of a value.
                self.put_class(site, Class::Direct, (op, Position::Plain), (read, written));
            } else {
                reads.append(&mut held);
                self.put_named(site, (op, Position::Plain), std::mem::take(&mut reads), writes.clone());
            }
        }
    }

    fn item(&mut self, site: Site<'_>, block: Block, index: usize) {
        let flags = site.flags;
        let asked = |asked: Flags| match asked {
            Flags::Set => FlagsMode::Set,
            Flags::Keep => flags,
        };
        let machine = match site.item.inst {
            // The caller has put them there.
            Inst::Args { .. } => return,
            // What is in its place already only matters if its name changes.
            Inst::Move { d, m } if d == m && site.item.reads == site.item.writes => return,
            Inst::Float(inst) => return self.float(site, inst),
            Inst::Move { d, m } if d.bank() == Bank::Float => return self.float_move(site, d, m),
            Inst::SlotLoad { d, slot } if d.bank() == Bank::Float => {
                return self.float_load(site, d, self.func.frame.slot_offset(slot));
            }
            Inst::SlotStore { s, slot } if s.bank() == Bank::Float => {
                return self.float_store(site, s, self.func.frame.slot_offset(slot));
            }
            Inst::Const { d, value } if self.is_out_of_reach(d) => {
                return self
                    .load_high(site, d, (block, index), |via, _| vec![LineOp::Literal(via, Literal::Word(value))]);
            }
            Inst::Address { d, symbol, addend } if self.is_out_of_reach(d) => {
                let literal = Literal::Address(symbol, addend);
                return self.load_high(site, d, (block, index), |via, _| vec![LineOp::Literal(via, literal)]);
            }
            Inst::Const { d, value } => return self.constant(site, d, value),
            Inst::Address { d, symbol, addend } => {
                return self.symbol_address(site, d, Literal::Address(symbol, addend));
            }
            Inst::Select { d, cond, a, b } if self.func.isa == Isa::V6M => return self.choose(site, d, cond, (a, b)),
            Inst::Select { d, cond, a, b } => return self.select(site, d, cond, (a, b)),
            Inst::SetCond { d, cond } => {
                let number = |value| Choice::Imm(crate::vcode::imm::Imm8::new(value).expect("0 and 1 are bytes"));
                return self.select(site, d, cond, (number(1), number(0)));
            }
            Inst::SlotLoad { d, slot } => {
                return self.stack_load(site, d, self.func.frame.slot_offset(slot), (block, index));
            }
            Inst::IncomingLoad { d, offset } => {
                return self.stack_load(site, d, self.func.frame.incoming_offset(offset), (block, index));
            }
            Inst::SlotStore { s, slot } => {
                return self.stack_store(site, s, self.func.frame.slot_offset(slot), (block, index));
            }
            Inst::IncomingStore { s, offset } => {
                return self.stack_store(site, s, self.func.frame.incoming_offset(offset), (block, index));
            }
            Inst::OutgoingStore { s, offset } => {
                return self.stack_store(site, s, offset, (block, index));
            }
            Inst::OutgoingLoad { d, offset } => return self.stack_load(site, d, offset, (block, index)),
            Inst::ResultArea { d, offset, .. } => {
                let isa = self.func.isa;
                if self.is_out_of_reach(d) {
                    return self
                        .load_high(site, d, (block, index), |via, lent| frame::distance(isa, offset + lent, via));
                }
                return self.chain(site, d, frame::distance(isa, offset, d));
            }
            Inst::Call(ref call) => {
                let op = match call.callee {
                    Callee::Function(function) | Callee::Import(function) => LineOp::Call(Symbol::Function(function)),
                    Callee::Register(m) => LineOp::Machine(Machine::CallReg { m }),
                };
                return self.put(site, op);
            }
            Inst::TrapIf { cond, trap } => {
                let state = frame::body_state(&self.func.frame);
                let tail = self.trap_tail(trap, site.item.source, state);
                return self.put(site, LineOp::JumpIf(cond, tail));
            }
            Inst::Move { d, m } => Machine::Mov { flags, d, m: Operand2::Reg(m) },
            Inst::Alu { op, flags, d, n, m } => Machine::Alu { op, flags: asked(flags), d, n, m },
            Inst::AluWide { op, d, n, imm } => Machine::AluWide { op, d, n, imm },
            Inst::Not { flags, d, m } => Machine::Mvn { flags: asked(flags), d, m },
            Inst::Shift { op, flags, d, n, by: ShiftBy::Reg(m) } => Machine::Shift { op, flags: asked(flags), d, n, m },
            Inst::Shift { op, flags, d, n, by: ShiftBy::Imm(by) } => {
                Machine::Mov { flags: asked(flags), d, m: Operand2::Shifted(n, op, by) }
            }
            Inst::InPlace { op, flags, d, n, m } => {
                debug_assert_eq!(d, n, "tied operands share registers");
                let flags = asked(flags);
                match (op, m) {
                    (InPlaceOp::Alu(op), m) => Machine::Alu { op, flags, d, n, m },
                    (InPlaceOp::Shift(op), Operand2::Reg(m)) => Machine::Shift { op, flags, d, n, m },
                    (InPlaceOp::Mul, Operand2::Reg(m)) => Machine::Mul { flags, d, n, m },
                    (InPlaceOp::Shift(_) | InPlaceOp::Mul, Operand2::Shifted(..) | Operand2::Imm(_)) => {
                        unreachable!("shifts and products in place are of registers")
                    }
                }
            }
            Inst::Mul { d, n, m } => Machine::Mul { flags, d, n, m },
            Inst::MulAdd { d, n, m, a } => Machine::MulAdd { d, n, m, a },
            Inst::MulSub { d, n, m, a } => Machine::MulSub { d, n, m, a },
            Inst::MulLong { sign, low, high, n, m } => Machine::MulLong { sign, low, high, n, m },
            Inst::MulLongAdd { op, low, high, low_in, high_in, n, m } => {
                debug_assert!(low == low_in && high == high_in, "tied operands share registers");
                Machine::MulLongAdd { op, low, high, n, m }
            }
            Inst::Div { sign, d, n, m } => Machine::Div { sign, d, n, m },
            Inst::Unary { op, d, m } => Machine::Unary { op, d, m },
            Inst::Extract { sign, d, n, field } => Machine::Extract { sign, d, n, field },
            Inst::Insert { d, into, n, field } => {
                debug_assert_eq!(d, into, "tied operands share registers");
                Machine::Insert { d, n, field }
            }
            Inst::Clear { d, from, field } => {
                debug_assert_eq!(d, from, "tied operands share registers");
                Machine::Clear { d, field }
            }
            Inst::Compare { op, n, m } => Machine::Compare { op, n, m },
            Inst::Load { kind, d, address } => Machine::Load { kind, d, address },
            Inst::Store { kind, s, address } => Machine::Store { kind, s, address },
        };
        self.put(site, LineOp::Machine(machine));
    }

    fn constant(&mut self, site: Site<'_>, d: PReg, value: u32) {
        let literal = Literal::Word(value);
        if self.pooled.contains(&literal) {
            return self.put(site, LineOp::Literal(d, literal));
        }
        match constant::steps(self.func.isa, value, d, site.flags) {
            Some(steps) => self.chain(site, d, steps.into_iter().map(LineOp::Machine).collect()),
            None => self.put(site, LineOp::Literal(d, literal)),
        }
    }

    fn symbol_address(&mut self, site: Site<'_>, d: PReg, literal: Literal) {
        if self.pooled.contains(&literal) || self.func.isa == Isa::V6M {
            return self.put(site, LineOp::Literal(d, literal));
        }
        let half = |half| LineOp::SymbolHalf(half, d, literal);
        self.chain(site, d, vec![half(Half::Low), half(Half::High)]);
    }
}

/// A comparison with zero, as the register and the test that a condition on it asks for.
type ZeroComparison = (PReg, fn(Cond) -> Option<ZeroTest>);

fn zero_test(item: &Item) -> Option<ZeroComparison> {
    match item.inst {
        Inst::Compare { op: CompareOp::Cmp, n, m: Operand2::Imm(imm) } if imm.value() == 0 => {
            Some((n, |cond| match cond {
                Cond::Eq => Some(ZeroTest::Zero),
                Cond::Ne => Some(ZeroTest::NonZero),
                _ => None,
            }))
        }
        _ => None,
    }
}
