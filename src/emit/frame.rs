//! Prologues, epilogues and addresses in the frame.
//!
//! The frame, from SP at entry down: saved registers of the core, of the floating-point unit, slots, outgoing arguments. SP moves only in
//! the prologue and the epilogue.

use synth_verify::hints::{self, Class, Location};

use crate::alloc::{Allocated, Frame, Place};
use crate::target::{FloatUnit, Isa};
use crate::vcode::VReg;
use crate::vcode::imm::{Imm12, ModifiedImm};
use crate::vcode::inst::{Address, AluOp, CompareOp, LoadKind, Operand2, Symbol, WideOp};
use crate::vcode::reg::{Bank, PReg, RegSet};

use super::float::FloatMachine;
use super::line::{Half, Line, LineOp, Literal, Names, Note, StackState};
use super::machine::{FlagsMode, Machine, Position, round_up_to_immediate};

/// Where the hints say that the words of a value are, and what they call them, the low word first.
pub fn words(func: &Allocated, place: Place, vreg: VReg) -> Names {
    let upper = u32::try_from(func.vregs.len()).expect("fewer than 2^31 registers") + vreg.0;
    let [low, high] = func.halves.get(&vreg).copied().unwrap_or_default();
    let names = [low.map_or(vreg.0, |low| low.0), high.map_or(upper, |high| high.0)];
    let names = names.into_iter().take(func.classes[vreg].words() as usize);
    names.zip(0..).map(|(name, word)| (location(&func.frame, place, word), name)).collect()
}

/// Where the hints say that a word of a place is.
fn location(frame: &Frame, place: Place, word: u8) -> Location {
    let above = 4 * i32::from(word);
    let from_sp = |offset: u32| Location::Stack(signed(offset) - signed(frame.bytes()) + above);
    match place {
        Place::Reg(register) => register_word(register, word),
        Place::Slot(slot) => from_sp(frame.slot_offset(slot)),
        Place::Incoming(offset) => Location::Stack(signed(offset) + above),
        Place::Outgoing(offset) => from_sp(offset),
    }
}

/// Where a word of a register is.
pub fn register_word(register: PReg, word: u8) -> Location {
    match register.bank() {
        Bank::Core | Bank::Either => Location::Core(register.number()),
        Bank::Float => Location::Single(2 * register.number() + word),
    }
}

/// The words of a register.
fn register_words(register: PReg) -> impl Iterator<Item = Location> {
    let count = if register.bank() == Bank::Float { 2 } else { 1 };
    (0..count).map(move |word| register_word(register, word))
}

fn signed(bytes: u32) -> i32 {
    i32::try_from(bytes).expect("a frame is smaller than 2 GiB")
}

/// The stack in the body of the function.
pub fn body_state(frame: &Frame) -> StackState {
    StackState { depth: frame.bytes(), saved: frame.saved }
}

/// The deepest that SP can go, in bytes below SP at entry: registers that are lent, for an address or because
/// loads and stores cannot name another, wait on the stack.
pub fn bytes_max(isa: Isa, frame: &Frame) -> u32 {
    let lent = match isa {
        Isa::V6M => 8,
        Isa::V7M if Imm12::new(frame.local_bytes).is_some() => 0,
        Isa::V7M => 4,
    };
    frame.bytes() + lent
}

/// Where each register's value at entry is in the body, preserved registers and LR only.
pub fn entry_values(func: &Allocated) -> Names {
    let saved = func.frame.saved;
    let preserved = if func.float == FloatUnit::None { RegSet::PRESERVED.core() } else { RegSet::PRESERVED };
    let kept = preserved.union(RegSet::one(PReg::LR));
    let mut names = entry_registers(kept.minus(saved));
    names.extend(saved_words(saved.core(), 0));
    names.extend(saved_words(saved.floats(), 4 * saved.core().len()));
    names.sort_by_key(|(_, name)| *name);
    names
}

/// The name of what a core register held at entry.
pub fn entry_name(register: PReg) -> u32 {
    hints::entry_name(register_word(register, 0))
}

/// The stack words that a PUSH or VPUSH writes when SP is so many bytes below SP at entry: the lowest register at
/// the lowest address.
fn saved_words(saved: RegSet, depth: u32) -> Names {
    let names = entry_registers(saved);
    let lowest = -signed(depth + 4 * u32::try_from(names.len()).expect("at most 32"));
    names.into_iter().zip((lowest..).step_by(4)).map(|((_, name), at)| (Location::Stack(at), name)).collect()
}

fn entry_registers(set: RegSet) -> Names {
    let words = set.iter().flat_map(register_words);
    words.map(|location| (location, hints::entry_name(location))).collect()
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
pub fn checked_bytes(isa: Isa, need: u32) -> u32 {
    match isa {
        Isa::V6M => need,
        Isa::V7M => round_up_to_immediate(need).unwrap_or(0xff00_0000),
    }
}

/// Leaves the lowest SP at which `bytes` of stack are left in a register, and compares SP with it. Control
/// has to leave if SP is lower. `fourth` is the name of what r3 holds, if that is used. `names` yields names for the values in between.
pub fn limit_check(isa: Isa, bytes: u32, fourth: Option<u32>, names: &mut dyn FnMut() -> u32) -> Vec<Line> {
    if isa == Isa::V6M {
        return limit_check_low(bytes, fourth, names);
    }
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

/// The same in r3, whose value waits in r12 if it has a name: on Armv6-M only low registers
/// can be loaded to. What is left in r3 is its own value again.
fn limit_check_low(bytes: u32, held_name: Option<u32>, names: &mut dyn FnMut() -> u32) -> Vec<Line> {
    let (via, ip) = (PReg::R3, PReg::SCRATCH);
    let limit = Literal::Address(Symbol::StackLimit, 0);
    let mut ops = vec![
        LineOp::Literal(via, limit),
        LineOp::Machine(Machine::Load { kind: LoadKind::Word, d: via, address: Address::Offset(via, Imm12::ZERO) }),
    ];
    for start in (0..bytes).step_by(255) {
        let imm = ModifiedImm::new((bytes - start).min(255)).expect("a byte is encodable");
        let (op, flags) = (AluOp::Add, FlagsMode::Dead);
        ops.push(LineOp::Machine(Machine::Alu { op, flags, d: via, n: via, m: Operand2::Imm(imm) }));
    }
    let copy = |d, m| LineOp::Machine(Machine::Mov { flags: FlagsMode::Keep, d, m: Operand2::Reg(m) });
    let own = |register: PReg, name| vec![(Location::Core(register.number()), name)];
    let check = |op, reads, writes| plain(op, Note { source: None, class: Class::Check, reads, writes });
    let mut lines: Vec<Line> =
        held_name.map(|name| check(copy(ip, via), own(via, name), own(ip, name))).into_iter().collect();
    let mut held: Names = Vec::new();
    for op in ops {
        let written = vec![(Location::Core(via.number()), names())];
        lines.push(check(op, std::mem::replace(&mut held, written.clone()), written));
    }
    let compare = Machine::Compare { op: CompareOp::Cmp, n: PReg::SP, m: Operand2::Reg(via) };
    lines.push(check(LineOp::Machine(compare), held, vec![]));
    lines.extend(held_name.map(|name| check(copy(via, ip), own(ip, name), own(via, name))));
    lines
}

/// Saves registers and makes room.
pub fn prologue(isa: Isa, frame: &Frame) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = StackState::default();
    let (saved, floats) = (frame.saved.core(), frame.saved.floats());
    if !saved.is_empty() {
        state = StackState { depth: 4 * saved.len(), saved };
        let names = (entry_registers(saved), saved_words(saved, 0));
        lines.push(framed(Machine::Push(saved), names, state));
    }
    if !floats.is_empty() {
        let names = (entry_registers(floats), saved_words(floats, state.depth));
        state = StackState { depth: frame.saved_bytes(), saved: frame.saved };
        lines.push(framed(Machine::Float(FloatMachine::Push(float_count(floats))), names, state));
    }
    for (step, bytes) in sp_steps(isa, AluOp::Sub, frame.local_bytes) {
        state.depth += bytes;
        lines.push(framed(step, (vec![], vec![]), state));
    }
    lines
}

fn float_count(floats: RegSet) -> u8 {
    u8::try_from(floats.len()).expect("at most 8")
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
pub fn epilogue(isa: Isa, frame: &Frame, exit: Exit, mut reads: Names, source: Option<u32>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = body_state(frame);
    if let Exit::Through(code) = exit {
        lines.extend(address_out_of_the_way(code, &mut reads, state));
    }
    for (step, bytes) in sp_steps(isa, AluOp::Add, frame.local_bytes) {
        state.depth -= bytes;
        lines.push(framed(step, (vec![], vec![]), state));
    }
    let lr = RegSet::one(PReg::LR);
    let (saved, floats) = (frame.saved.core(), frame.saved.floats());
    if !floats.is_empty() {
        state = StackState { depth: 4 * saved.len(), saved };
        let names = (saved_words(floats, state.depth), entry_registers(floats));
        lines.push(framed(Machine::Float(FloatMachine::Pop(float_count(floats))), names, state));
    }
    let returns_by_pop = exit == Exit::Return && saved.contains(PReg::LR);
    if !saved.is_empty() {
        let (restored, list) = match returns_by_pop {
            true => (saved.minus(lr), saved.minus(lr).union(RegSet::one(PReg::PC))),
            false => (saved, saved),
        };
        let names = (saved_words(saved, 0), entry_registers(restored));
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
fn sp_steps(isa: Isa, op: AluOp, bytes: u32) -> Vec<(Machine, u32)> {
    let (d, n, flags) = (PReg::SP, PReg::SP, FlagsMode::Keep);
    let mut steps = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let (step, moved) = match (ModifiedImm::new(left), Imm12::new(left)) {
            _ if isa == Isa::V6M => {
                // The 16-bit forms hold a multiple of 4 up to 508.
                let part = left.min(508);
                let imm = ModifiedImm::new(part).expect("seven bits in one place are encodable");
                (Machine::Alu { op, flags, d, n, m: Operand2::Imm(imm) }, part)
            }
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
pub fn distance(isa: Isa, offset: u32, d: PReg) -> Vec<LineOp> {
    let flags = FlagsMode::Keep;
    let add = |n: PReg, m: Operand2<PReg>| LineOp::Machine(Machine::Alu { op: AluOp::Add, flags, d, n, m });
    match (isa, ModifiedImm::new(offset), Imm12::new(offset)) {
        (Isa::V6M, Some(imm), _) if offset <= 1020 && offset.is_multiple_of(4) => {
            vec![add(PReg::SP, Operand2::Imm(imm))]
        }
        (Isa::V6M, ..) => {
            vec![LineOp::Literal(d, Literal::Word(offset)), add(d, Operand2::Reg(PReg::SP))]
        }
        (Isa::V7M, Some(imm), _) => vec![add(PReg::SP, Operand2::Imm(imm))],
        (Isa::V7M, None, Some(imm)) => vec![LineOp::Machine(Machine::AluWide { op: WideOp::Add, d, n: PReg::SP, imm })],
        (Isa::V7M, None, None) => {
            let steps = super::constant::steps(isa, offset, d, flags).expect("every constant has steps");
            let mut steps: Vec<LineOp> = steps.into_iter().map(LineOp::Machine).collect();
            steps.push(add(d, Operand2::Reg(PReg::SP)));
            steps
        }
    }
}

/// The address of a word at a distance from SP, and what has to run before an access to it. The
/// instructions write only `via`, which must not be SP, and leave the flags alone.
pub fn address(isa: Isa, offset: u32, via: PReg) -> (Vec<LineOp>, Address<PReg>) {
    let is_near = isa == Isa::V7M || offset <= 1020;
    if let Some(imm) = Imm12::new(offset).filter(|_| is_near) {
        return (vec![], Address::Offset(PReg::SP, imm));
    }
    let near = Imm12::new(offset & 0xfff).expect("12 bits");
    if isa == Isa::V6M {
        return (distance(isa, offset, via), Address::Offset(via, Imm12::ZERO));
    }
    (distance(isa, offset & !0xfff, via), Address::Offset(via, near))
}
