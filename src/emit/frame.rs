//! Prologues, epilogues and addresses in the frame.
//!
//! The frame, from SP at entry down: saved registers, slots, outgoing arguments. SP moves only in
//! the prologue and the epilogue.

use synth_verify::hints::{Class, ENTRY_NAME, Location};

use crate::alloc::{Frame, Place};
use crate::vcode::imm::{Imm12, ModifiedImm};
use crate::vcode::inst::{Address, AluOp, CompareOp, LoadKind, Operand2, Symbol, WideOp};
use crate::vcode::reg::{PReg, RegSet};

use super::line::{Half, Line, LineOp, Literal, Names, Note, StackState};
use super::machine::{FlagsMode, Machine, Position, round_up_to_immediate};

/// Where the hints say that a place is.
pub fn location(frame: &Frame, place: Place) -> Location {
    let from_sp = |offset: u32| Location::Stack(signed(offset) - signed(frame.bytes()));
    match place {
        Place::Reg(register) => Location::Core(register.number()),
        Place::Slot(slot) => from_sp(frame.slot_offset(slot)),
        Place::Incoming(offset) => Location::Stack(signed(offset)),
        Place::Outgoing(offset) => from_sp(offset),
    }
}

fn signed(bytes: u32) -> i32 {
    i32::try_from(bytes).expect("a frame is smaller than 2 GiB")
}

/// The stack in the body of the function.
pub fn body_state(frame: &Frame) -> StackState {
    StackState { depth: frame.bytes(), saved: frame.saved }
}

/// The deepest that SP can go, in bytes below SP at entry: a frame too large for one load may lend a
/// register for an address, whose value then waits on the stack.
pub fn bytes_max(frame: &Frame) -> u32 {
    let lent = if Imm12::new(frame.local_bytes).is_some() { 0 } else { 4 };
    frame.bytes() + lent
}

/// Where each register's value at entry is in the body, preserved registers and LR only.
pub fn entry_values(frame: &Frame) -> Names {
    let kept = RegSet::PRESERVED.union(RegSet::one(PReg::LR));
    let untouched =
        kept.minus(frame.saved).iter().map(|register| (Location::Core(register.number()), entry_name(register)));
    let mut names: Names = saved_words(frame.saved).into_iter().chain(untouched).collect();
    names.sort_by_key(|(_, name)| *name);
    names
}

/// The name of what a register held at entry.
pub fn entry_name(register: PReg) -> u32 {
    ENTRY_NAME + u32::from(register.number())
}

/// The stack words that a PUSH at entry writes: the lowest register at the lowest address.
fn saved_words(saved: RegSet) -> Names {
    let bytes = signed(4 * saved.len());
    let words = saved.iter().zip((-bytes..0).step_by(4));
    words.map(|(register, at)| (Location::Stack(at), entry_name(register))).collect()
}

fn entry_registers(set: RegSet) -> Names {
    set.iter().map(|register| (Location::Core(register.number()), entry_name(register))).collect()
}

/// A line outside IT blocks.
pub fn plain(op: LineOp, note: Note) -> Line {
    Line { op, position: Position::Plain, note, stack: None }
}

fn framed(machine: Machine, (reads, writes): (Names, Names), stack: StackState) -> Line {
    let note = Note { source: None, class: Class::Frame, reads, writes };
    Line { stack: Some(stack), ..plain(LineOp::Machine(machine), note) }
}

/// What the stack check of a function compares with: the bytes it needs, rounded up to what one
/// addition can hold. A need beyond every addition is beyond every stack too.
pub fn checked_bytes(need: u32) -> u32 {
    round_up_to_immediate(need).unwrap_or(0xff00_0000)
}

/// Leaves the lowest SP at which `bytes` of stack are left in r12, and compares SP with it. Control
/// has to leave if SP is lower. `names` yields names for the values in between.
pub fn limit_check(bytes: u32, names: &mut dyn FnMut() -> u32) -> Vec<Line> {
    let (ip, flags) = (PReg::SCRATCH, FlagsMode::Keep);
    let limit = Literal::Address(Symbol::StackLimit, 0);
    let add = match ModifiedImm::new(bytes) {
        Some(imm) => Machine::Alu { op: AluOp::Add, flags, d: ip, n: ip, m: Operand2::Imm(imm) },
        None => {
            let imm = Imm12::new(bytes).expect("the need was rounded up to an immediate");
            Machine::AluWide { op: WideOp::Add, d: ip, n: ip, imm }
        }
    };
    let load = Machine::Load { kind: LoadKind::Word, d: ip, address: Address::Offset(ip, Imm12::ZERO) };
    let ops = [
        LineOp::SymbolHalf(Half::Low, ip, limit),
        LineOp::SymbolHalf(Half::High, ip, limit),
        LineOp::Machine(load),
        LineOp::Machine(add),
    ];
    let mut held: Names = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    for op in ops {
        let written = vec![(Location::Core(ip.number()), names())];
        let note = Note { source: None, class: Class::Check, reads: held, writes: written.clone() };
        held = written;
        lines.push(plain(op, note));
    }
    let compare = Machine::Compare { op: CompareOp::Cmp, n: PReg::SP, m: Operand2::Reg(ip) };
    let note = Note { source: None, class: Class::Check, reads: held, writes: vec![] };
    lines.push(plain(LineOp::Machine(compare), note));
    lines
}

/// Saves registers and makes room.
pub fn prologue(frame: &Frame) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = StackState::default();
    if !frame.saved.is_empty() {
        state = StackState { depth: 4 * frame.saved.len(), saved: frame.saved };
        let names = (entry_registers(frame.saved), saved_words(frame.saved));
        lines.push(framed(Machine::Push(frame.saved), names, state));
    }
    for (step, bytes) in sp_steps(AluOp::Sub, frame.local_bytes) {
        state.depth += bytes;
        lines.push(framed(step, (vec![], vec![]), state));
    }
    lines
}

/// How control leaves the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// To the caller.
    Return,
    /// To another function, which returns to the caller.
    Branch(Symbol),
    /// The same, to the address in a register.
    Through(PReg),
}

/// Undoes the prologue and leaves. `reads` are the locations that the caller, or the function that
/// control goes to, reads.
pub fn epilogue(frame: &Frame, exit: Exit, mut reads: Names, source: Option<u32>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = body_state(frame);
    if let Exit::Through(code) = exit {
        lines.extend(address_out_of_the_way(code, &mut reads, state));
    }
    for (step, bytes) in sp_steps(AluOp::Add, frame.local_bytes) {
        state.depth -= bytes;
        lines.push(framed(step, (vec![], vec![]), state));
    }
    let lr = RegSet::one(PReg::LR);
    let returns_by_pop = exit == Exit::Return && frame.saved.contains(PReg::LR);
    if !frame.saved.is_empty() {
        let (restored, list) = match returns_by_pop {
            true => (frame.saved.minus(lr), frame.saved.minus(lr).union(RegSet::one(PReg::PC))),
            false => (frame.saved, frame.saved),
        };
        let names = (saved_words(frame.saved), entry_registers(restored));
        lines.push(framed(Machine::Pop(list), names, StackState::default()));
    }
    let leave = match exit {
        Exit::Return => LineOp::Machine(Machine::BranchReg { m: PReg::LR }),
        Exit::Through(_) => LineOp::Machine(Machine::BranchReg { m: PReg::SCRATCH }),
        Exit::Branch(symbol) => LineOp::Leave(symbol),
    };
    if !returns_by_pop {
        let held = if exit == Exit::Return { entry_registers(lr) } else { vec![] };
        let note = Note { source: None, class: Class::Frame, reads: held, writes: vec![] };
        lines.push(Line { stack: Some(StackState::default()), ..plain(leave, note) });
    }
    let last = lines.last_mut().expect("a function is left by an instruction");
    last.note.reads.extend(reads);
    last.note.source = source;
    lines
}

/// Copies the address of the function to go to out of LR, which the epilogue restores.
fn address_out_of_the_way(code: PReg, reads: &mut Names, state: StackState) -> Option<Line> {
    let (from, to) = (Location::Core(code.number()), Location::Core(PReg::SCRATCH.number()));
    let (place, name) = reads.iter_mut().find(|(place, _)| *place == from)?;
    *place = to;
    let names = (vec![(from, *name)], vec![(to, *name)]);
    let machine = Machine::Mov { flags: FlagsMode::Keep, d: PReg::SCRATCH, m: Operand2::Reg(code) };
    let line = framed(machine, names, state);
    Some(Line { note: Note { class: Class::Move, ..line.note }, ..line })
}

/// Additions that move SP, each with the bytes it moves it by.
fn sp_steps(op: AluOp, bytes: u32) -> Vec<(Machine, u32)> {
    let (d, n, flags) = (PReg::SP, PReg::SP, FlagsMode::Keep);
    let mut steps = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let (step, moved) = match (ModifiedImm::new(left), Imm12::new(left)) {
            (Some(imm), _) => (Machine::Alu { op, flags, d, n, m: Operand2::Imm(imm) }, left),
            (None, Some(imm)) => {
                let op = if op == AluOp::Add { WideOp::Add } else { WideOp::Sub };
                (Machine::AluWide { op, d, n, imm }, left)
            }
            (None, None) => {
                let part = left & 0xff << (24 - left.leading_zeros());
                let imm = ModifiedImm::new(part).expect("eight bits in one place are encodable");
                (Machine::Alu { op, flags, d, n, m: Operand2::Imm(imm) }, part)
            }
        };
        steps.push((step, moved));
        left -= moved;
    }
    steps
}

/// SP plus a distance, in a register that is not SP. Leaves the flags alone.
pub fn distance(offset: u32, d: PReg) -> Vec<Machine> {
    let flags = FlagsMode::Keep;
    let add = |n: PReg, m: Operand2<PReg>| Machine::Alu { op: AluOp::Add, flags, d, n, m };
    match (ModifiedImm::new(offset), Imm12::new(offset)) {
        (Some(imm), _) => vec![add(PReg::SP, Operand2::Imm(imm))],
        (None, Some(imm)) => vec![Machine::AluWide { op: WideOp::Add, d, n: PReg::SP, imm }],
        (None, None) => {
            let mut steps = super::constant::steps(offset, d, flags);
            steps.push(add(d, Operand2::Reg(PReg::SP)));
            steps
        }
    }
}

/// The address of a word at a distance from SP, and what has to run before an access to it. The
/// instructions write only `via`, which must not be SP, and leave the flags alone.
pub fn address(offset: u32, via: PReg) -> (Vec<Machine>, Address<PReg>) {
    if let Some(imm) = Imm12::new(offset) {
        return (vec![], Address::Offset(PReg::SP, imm));
    }
    let near = Imm12::new(offset & 0xfff).expect("12 bits");
    (distance(offset & !0xfff, via), Address::Offset(via, near))
}
