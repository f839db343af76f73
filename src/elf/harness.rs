//! The test harness of an image: does what a mailbox in RAM says, and reports to a file of the host.
//!
//! It has inputs, so it lies outside the validator's claim, in a section of its own. QEMU puts the
//! mailbox there before boot; without one the harness idles.
//!
//! Ensures: actions are done in order on one instance; a call that traps is reported and the next
//! action follows. A trap of instantiation is reported and ends the run, unless the mailbox says where the code of
//! `NAME_init` is: then the next action follows, and [`Word::Resume`] goes on behind the trap.
//!
//! | offset | mailbox |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 4 | address of the next action; 0 while instantiation runs |
//! | 8 | handle of the result file; -1 until it is open |
//! | 12 | length of the file's path |
//! | 16 | three words for semihosting requests |
//! | 28 | five words for a result record |
//! | 48 | address of the action that follows instantiation, or a part of it |
//! | 52 | address and bytes of `NAME_init`, or 0 |
//! | 60 | where instantiation trapped: address or 0, SP, LR, two words at the stack's top |
//! | 80 | the path, ended by a zero byte |
//!
//! The actions, words as [`Word`] says, stand where the board has room for them.
//! The file receives a record of five words per call (see [`Record`]), and the bytes of each read.

use super::asm::{Assembler, Label};
use crate::emit::float::{FloatMachine, FloatReg};
use crate::emit::machine::Machine;
use crate::target::{Board, FloatUnit, Isa};
use crate::vcode::inst::{Cond, LoadKind, ShiftOp, StoreKind};
use crate::vcode::reg::PReg;

/// Its section.
pub const SECTION: &str = ".synth.harness";

/// First word of a mailbox.
pub const MAGIC: u32 = 0x6874_7973;

/// Offset of the path in the mailbox.
pub const PATH: usize = 128;

/// Offset of the address of the first action.
pub const FIRST_ACTION: usize = 48;

/// Offset of the address and length of `NAME_init`.
pub const INIT: usize = 52;

/// Bytes of the mailbox; the path ends before its end.
pub const MAILBOX_BYTES: usize = 256;

/// First word of an action, and the words behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Word {
    /// Closes the file and ends.
    End = 0,
    /// Writes to memory: address, length, the bytes, zeros up to a multiple of 4.
    Write = 1,
    /// Calls: address with Thumb bit, number of stack words, bytes of the area for several results or 0,
    /// r0, r1, r2, r3, with a floating-point unit s0 to s15, the stack words. The area lies at the stack's top; if there is one, r0 is its address.
    Call = 2,
    /// Reads memory: address, length.
    Read = 3,
    /// Reads the area of the last call: length.
    Results = 4,
    /// Goes on with instantiation up to its next trap.
    Resume = 5,
}

/// First word of a result record, and the words behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Record {
    /// r0, r1, and s0 to s7 with a floating-point unit.
    Returned = 1,
    /// Address of the instruction, its first halfword, configurable fault status, LR.
    Faulted = 2,
    /// The same, before the first action.
    NotInstantiated = 3,
}

const NEXT_ACTION: u32 = 4;
const HANDLE: u32 = 8;
const PATH_LENGTH: u32 = 12;
const REQUEST: u32 = 16;
const PAUSED: u32 = 60;
const PAUSED_TOP: u32 = PAUSED + 12;
const RECORD: u32 = 80;

/// Configurable fault status register (DDI0403, B3.2.15).
const CFSR: u32 = 0xe000_ed28;

/// Semihosting operations (Arm semihosting, "Semihosting operations").
const SYS_OPEN: u32 = 0x01;
const SYS_CLOSE: u32 = 0x02;
const SYS_WRITE: u32 = 0x05;
const SYS_EXIT: u32 = 0x18;
/// The reason "application exit" of `SYS_EXIT`.
const APPLICATION_EXIT: u32 = 0x20026;
/// The mode "wb" of `SYS_OPEN`.
const MODE_WRITE_BINARY: u32 = 5;

/// `BKPT #0xab`, a semihosting request (Arm semihosting, "The semihosting interface").
const SEMIHOST: u16 = 0xbeab;
/// `WFI` (DDI0403, A7.7.259).
const WAIT: u16 = 0xbf30;

const R0: PReg = PReg::R0;
const R1: PReg = PReg::R1;
const R2: PReg = PReg::R2;
const R3: PReg = PReg::R3;
const SP: PReg = PReg::SP;
/// Bytes of a record.
pub const RECORD_BYTES: usize = 12 + 4 * FLOAT_RESULTS;

/// Registers in which floats are returned.
pub const FLOAT_RESULTS: usize = 8;

/// Registers in which floats are passed.
pub const FLOAT_ARGUMENTS: usize = 16;

/// Holds the mailbox's address.
const MAILBOX: PReg = PReg::new(4);
/// Holds the address of the action at work.
const CURSOR: PReg = PReg::new(5);
const R12: PReg = PReg::SCRATCH;

/// The harness, assembled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Harness {
    /// Its code.
    pub bytes: Vec<u8>,
    /// Offset of where `Reset` goes after instantiation.
    pub start: u32,
    /// Offset of the handler of every fault.
    pub fault: u32,
}

/// Assembles the harness for these addresses.
pub fn run((place, isa, float): (u32, Isa, FloatUnit), stack_top: u32, board: Board) -> Harness {
    let mut builder = Builder::new(isa, stack_top, board);
    builder.float = float;
    let start = builder.start();
    builder.open();
    builder.send();
    builder.dispatch();
    builder.write();
    builder.read();
    builder.results();
    builder.resume();
    builder.call();
    let fault = builder.fault();
    let asm = builder.asm;
    let (start, fault) = (asm.offset(start), asm.offset(fault));
    let (bytes, relocations) = asm.finish(place);
    assert!(relocations.is_empty(), "the harness refers only to itself");
    Harness { bytes, start, fault }
}

/// What stands for an import that nobody provides: it returns 0, in so many bytes of memory if the
/// results have an area.
pub fn stub(asm: &mut Assembler, area_bytes: u32, float: FloatUnit) {
    asm.constant(R1, 0);
    for offset in (0..area_bytes).step_by(4) {
        asm.store(StoreKind::Word, R1, (R0, 0));
        if offset + 4 < area_bytes {
            asm.add_imm(R0, 4);
        }
    }
    asm.constant(R0, 0);
    if float != FloatUnit::None {
        for double in 0..FLOAT_RESULTS as u8 / 2 {
            asm.inst(Machine::Float(FloatMachine::FromPair { double, low: R0, high: R1 }));
        }
    }
    asm.inst(Machine::BranchReg { m: PReg::LR });
    asm.inst(Machine::Nop);
}

struct Builder {
    asm: Assembler,
    float: FloatUnit,
    stack_top: u32,
    board: Board,
    idle: Label,
    open: Label,
    begin: Label,
    send: Label,
    next: Label,
    write: Label,
    read: Label,
    results: Label,
    resume: Label,
    call: Label,
    record: Label,
    exit: Label,
}

impl Builder {
    fn new(isa: Isa, stack_top: u32, board: Board) -> Builder {
        let mut asm = Assembler::new(isa);
        let mut label = || asm.label();
        let (idle, open, begin, send, next) = (label(), label(), label(), label(), label());
        let (write, read, results, resume) = (label(), label(), label(), label());
        let (call, record, exit) = (label(), label(), label());
        Builder {
            asm,
            float: FloatUnit::None,
            stack_top,
            board,
            idle,
            open,
            begin,
            send,
            next,
            write,
            read,
            results,
            resume,
            call,
            record,
            exit,
        }
    }

    fn load(&mut self, d: PReg, n: PReg, offset: u32) {
        self.asm.load(LoadKind::Word, d, (n, offset));
    }

    fn store(&mut self, s: PReg, n: PReg, offset: u32) {
        self.asm.store(StoreKind::Word, s, (n, offset));
    }

    /// Where `Reset` goes. Idles if there is no mailbox.
    fn start(&mut self) -> Label {
        let start = self.asm.here();
        self.find_mailbox();
        self.asm.call_label(self.open);
        self.asm.constant(R0, 0);
        self.store(R0, MAILBOX, PAUSED);
        self.asm.place(self.begin);
        self.load(CURSOR, MAILBOX, FIRST_ACTION as u32);
        self.store(CURSOR, MAILBOX, NEXT_ACTION);
        self.asm.branch(self.next);

        self.asm.place(self.idle);
        self.asm.special(WAIT);
        self.asm.branch(self.idle);
        start
    }

    /// Loads the mailbox's address; idles unless the mailbox begins with the magic word.
    fn find_mailbox(&mut self) {
        self.asm.constant(MAILBOX, self.board.mailbox);
        self.load(R0, MAILBOX, 0);
        self.asm.constant(R1, MAGIC);
        self.asm.compare(R0, R1);
        self.asm.branch_if(Cond::Ne, self.idle);
    }

    /// Does a semihosting request whose parameters stand in the mailbox.
    fn request(&mut self, operation: u32) {
        self.asm.constant(R0, operation);
        self.asm.copy(R1, MAILBOX);
        self.asm.add_imm(R1, REQUEST as u8);
        self.asm.special(SEMIHOST);
    }

    /// Function: opens the result file unless it is open.
    fn open(&mut self) {
        let is_open = self.asm.label();
        self.asm.place(self.open);
        self.load(R0, MAILBOX, HANDLE);
        self.asm.add_imm(R0, 1);
        self.asm.branch_if(Cond::Ne, is_open);
        self.asm.copy(R0, MAILBOX);
        self.asm.add_imm(R0, PATH as u8);
        self.store(R0, MAILBOX, REQUEST);
        self.asm.constant(R0, MODE_WRITE_BINARY);
        self.store(R0, MAILBOX, REQUEST + 4);
        self.load(R0, MAILBOX, PATH_LENGTH);
        self.store(R0, MAILBOX, REQUEST + 8);
        self.request(SYS_OPEN);
        self.store(R0, MAILBOX, HANDLE);
        self.asm.place(is_open);
        self.asm.inst(Machine::BranchReg { m: PReg::LR });
    }

    /// Function: appends the r1 bytes at r0 to the file.
    fn send(&mut self) {
        self.asm.place(self.send);
        self.load(R2, MAILBOX, HANDLE);
        self.store(R2, MAILBOX, REQUEST);
        self.store(R0, MAILBOX, REQUEST + 4);
        self.store(R1, MAILBOX, REQUEST + 8);
        self.request(SYS_WRITE);
        self.asm.inst(Machine::BranchReg { m: PReg::LR });
    }

    /// Goes to the action at the cursor; ends at the end.
    fn dispatch(&mut self) {
        self.asm.place(self.next);
        self.load(R0, CURSOR, 0);
        let actions = [
            (Word::Write, self.write),
            (Word::Call, self.call),
            (Word::Read, self.read),
            (Word::Results, self.results),
            (Word::Resume, self.resume),
        ];
        for (word, label) in actions {
            self.asm.compare_imm(R0, word as u8);
            self.asm.branch_if(Cond::Eq, label);
        }
        self.asm.place(self.exit);
        self.load(R0, MAILBOX, HANDLE);
        self.store(R0, MAILBOX, REQUEST);
        self.request(SYS_CLOSE);
        self.asm.constant(R0, SYS_EXIT);
        self.asm.constant(R1, APPLICATION_EXIT);
        self.asm.special(SEMIHOST);
        self.asm.branch(self.idle);
    }

    /// Action: copies bytes from the mailbox into memory.
    fn write(&mut self) {
        self.asm.place(self.write);
        self.load(R0, CURSOR, 4);
        self.load(R1, CURSOR, 8);
        self.asm.add_imm(CURSOR, 12);
        self.asm.copy(R3, R1);
        let done = self.asm.label();
        let again = self.asm.here();
        self.asm.compare_imm(R1, 0);
        self.asm.branch_if(Cond::Eq, done);
        self.asm.sub_imm(R1, 1);
        self.asm.load_indexed(LoadKind::Byte, R2, (CURSOR, R1));
        self.asm.store_indexed(StoreKind::Byte, R2, (R0, R1));
        self.asm.branch(again);
        self.asm.place(done);
        self.asm.add(CURSOR, CURSOR, R3);
        // Up to the next word.
        self.asm.add_imm(CURSOR, 3);
        self.asm.shift(ShiftOp::Lsr, CURSOR, 2);
        self.asm.shift(ShiftOp::Lsl, CURSOR, 2);
        self.asm.branch(self.next);
    }

    /// Action: sends bytes of memory.
    fn read(&mut self) {
        self.asm.place(self.read);
        self.load(R0, CURSOR, 4);
        self.load(R1, CURSOR, 8);
        self.asm.add_imm(CURSOR, 12);
        self.asm.call_label(self.send);
        self.asm.branch(self.next);
    }

    /// Action: sends what the last call left at the stack's top.
    fn results(&mut self) {
        self.asm.place(self.results);
        self.load(R1, CURSOR, 4);
        self.asm.add_imm(CURSOR, 8);
        self.asm.constant(R0, self.stack_top);
        self.asm.sub(R0, R0, R1);
        self.asm.call_label(self.send);
        self.asm.branch(self.next);
    }

    /// Offset of the stack words in a call, behind those of registers.
    fn stack_words_offset(&self) -> u8 {
        match self.float {
            FloatUnit::None => 32,
            FloatUnit::V4Single | FloatUnit::V5Single | FloatUnit::V5Double => 32 + 4 * FLOAT_ARGUMENTS as u8,
        }
    }

    /// Action: calls a function on a fresh stack, then sends a record.
    fn call(&mut self) {
        self.asm.place(self.call);
        // r0: bytes of stack words, r1: the stack words, r2: bytes to keep SP a multiple of 8.
        self.load(R0, CURSOR, 8);
        self.asm.shift(ShiftOp::Lsl, R0, 2);
        self.asm.copy(R1, CURSOR);
        self.asm.add_imm(R1, self.stack_words_offset());
        self.asm.copy(R2, R1);
        self.asm.add(R2, R2, R0);
        self.store(R2, MAILBOX, NEXT_ACTION);
        self.asm.constant(R3, self.stack_top);
        self.load(R2, CURSOR, 12);
        self.asm.sub(R3, R3, R2);
        self.asm.sub(R3, R3, R0);
        self.asm.shift(ShiftOp::Lsr, R3, 3);
        self.asm.shift(ShiftOp::Lsl, R3, 3);
        self.asm.copy(SP, R3);
        let copied = self.asm.label();
        let again = self.asm.here();
        self.asm.compare_imm(R0, 0);
        self.asm.branch_if(Cond::Eq, copied);
        self.asm.sub_imm(R0, 4);
        self.asm.load_indexed(LoadKind::Word, R2, (R1, R0));
        self.asm.store_indexed(StoreKind::Word, R2, (R3, R0));
        self.asm.branch(again);
        self.asm.place(copied);
        self.load(R0, CURSOR, 4);
        self.asm.copy(R12, R0);
        if self.float != FloatUnit::None {
            for single in 0..FLOAT_ARGUMENTS as u8 {
                let (d, words) = (FloatReg::Single(single), 8 + single);
                self.asm.inst(Machine::Float(FloatMachine::Load { d, n: CURSOR, words }));
            }
        }
        for (index, reg) in [R0, R1, R2, R3].into_iter().enumerate() {
            self.load(reg, CURSOR, 16 + 4 * index as u32);
        }
        let placed = self.asm.label();
        self.load(CURSOR, CURSOR, 12);
        self.asm.compare_imm(CURSOR, 0);
        self.asm.branch_if(Cond::Eq, placed);
        self.asm.constant(R0, self.stack_top);
        self.asm.sub(R0, R0, CURSOR);
        self.asm.place(placed);
        self.asm.inst(Machine::CallReg { m: R12 });
        self.asm.constant(MAILBOX, self.board.mailbox);
        self.store(R0, MAILBOX, RECORD + 4);
        self.store(R1, MAILBOX, RECORD + 8);
        if self.float != FloatUnit::None {
            for single in 0..FLOAT_RESULTS as u8 {
                let (d, words) = (FloatReg::Single(single), (RECORD / 4) as u8 + 3 + single);
                self.asm.inst(Machine::Float(FloatMachine::Store { d, n: MAILBOX, words }));
            }
        }
        self.asm.constant(R0, Record::Returned as u32);
        self.store(R0, MAILBOX, RECORD);

        self.asm.place(self.record);
        self.asm.copy(R0, MAILBOX);
        self.asm.add_imm(R0, RECORD as u8);
        self.asm.constant(R1, RECORD_BYTES as u32);
        self.asm.call_label(self.send);
        self.load(CURSOR, MAILBOX, NEXT_ACTION);
        self.asm.compare_imm(CURSOR, 0);
        self.asm.branch_if(Cond::Ne, self.next);
        self.pause();
    }

    /// Behind a trap of instantiation: the next action, if that is asked for.
    fn pause(&mut self) {
        self.load(R0, MAILBOX, INIT as u32 + 4);
        self.asm.compare_imm(R0, 0);
        self.asm.branch_if(Cond::Eq, self.exit);
        // From elsewhere than its own code nothing leads back into `NAME_init`.
        let is_own = self.asm.label();
        self.load(R1, MAILBOX, PAUSED);
        self.load(R2, MAILBOX, INIT as u32);
        self.asm.sub(R2, R1, R2);
        self.asm.compare(R2, R0);
        self.asm.branch_if(Cond::Lo, is_own);
        self.asm.constant(R1, 0);
        self.store(R1, MAILBOX, PAUSED);
        self.asm.place(is_own);
        // All that `NAME_init` has on the stack.
        self.asm.constant(R0, self.stack_top - 8);
        for word in [0, 4] {
            self.load(R1, R0, word);
            self.store(R1, MAILBOX, PAUSED_TOP + word);
        }
        self.asm.branch(self.begin);
    }

    /// Action: goes on with instantiation where it trapped, if it did.
    fn resume(&mut self) {
        self.asm.place(self.resume);
        self.asm.add_imm(CURSOR, 4);
        self.load(R3, MAILBOX, PAUSED);
        self.asm.compare_imm(R3, 0);
        self.asm.branch_if(Cond::Eq, self.next);
        self.store(CURSOR, MAILBOX, FIRST_ACTION as u32);
        self.asm.constant(R1, 0);
        self.store(R1, MAILBOX, NEXT_ACTION);
        self.asm.constant(R0, self.stack_top - 8);
        for word in [0, 4] {
            self.load(R1, MAILBOX, PAUSED_TOP + word);
            self.store(R1, R0, word);
        }
        self.load(R0, MAILBOX, PAUSED + 4);
        self.asm.copy(SP, R0);
        self.load(R0, MAILBOX, PAUSED + 8);
        self.asm.copy(PReg::LR, R0);
        // Behind a 16-bit instruction, in Thumb state.
        self.asm.add_imm(R3, 3);
        self.asm.inst(Machine::BranchReg { m: R3 });
    }

    /// Exception handler: fills a record from the exception frame, then returns from the exception
    /// into `resume`, because a fault inside a fault handler would lock the processor up.
    fn fault(&mut self) -> Label {
        let resume = self.asm.label();
        let fault = self.asm.here();
        self.asm.constant(MAILBOX, self.board.mailbox);
        // The frame is r0, r1, r2, r3, r12, LR, PC, xPSR (DDI0403, B1.5.6).
        self.load(R1, SP, 20);
        self.store(R1, MAILBOX, RECORD + 16);
        self.load(R1, SP, 24);
        self.store(R1, MAILBOX, RECORD + 4);
        // Only an address of code is read, or reading might fault again.
        self.asm.constant(R0, self.board.code);
        self.asm.sub(R2, R1, R0);
        self.asm.constant(R0, self.board.code_bytes);
        let (unreadable, known) = (self.asm.label(), self.asm.label());
        self.asm.compare(R2, R0);
        self.asm.branch_if(Cond::Hs, unreadable);
        self.asm.load(LoadKind::Half, R2, (R1, 0));
        self.asm.branch(known);
        self.asm.place(unreadable);
        self.asm.constant(R2, 0);
        self.asm.place(known);
        self.store(R2, MAILBOX, RECORD + 8);
        self.asm.constant(R0, CFSR);
        self.load(R1, R0, 0);
        self.store(R1, MAILBOX, RECORD + 12);
        self.store(R1, R0, 0);
        self.asm.address_of(R0, resume);
        self.store(R0, SP, 24);
        // Thumb state, no IT block.
        self.asm.constant(R0, 1 << 24);
        self.store(R0, SP, 28);
        self.asm.inst(Machine::BranchReg { m: PReg::LR });

        self.asm.place(resume);
        // SP and LR are as at the fault.
        self.asm.copy(R2, SP);
        self.asm.copy(R3, PReg::LR);
        self.asm.constant(R0, self.stack_top);
        self.asm.copy(SP, R0);
        self.find_mailbox();
        let is_call = self.asm.label();
        self.load(R0, MAILBOX, NEXT_ACTION);
        self.asm.compare_imm(R0, 0);
        self.asm.branch_if(Cond::Ne, is_call);
        self.load(R0, MAILBOX, RECORD + 4);
        self.store(R0, MAILBOX, PAUSED);
        self.store(R2, MAILBOX, PAUSED + 4);
        self.store(R3, MAILBOX, PAUSED + 8);
        self.asm.place(is_call);
        self.asm.call_label(self.open);
        let started = self.asm.label();
        self.asm.constant(R0, Record::Faulted as u32);
        self.load(R1, MAILBOX, NEXT_ACTION);
        self.asm.compare_imm(R1, 0);
        self.asm.branch_if(Cond::Ne, started);
        self.asm.constant(R0, Record::NotInstantiated as u32);
        self.asm.place(started);
        self.store(R0, MAILBOX, RECORD);
        self.asm.branch(self.record);
        fault
    }
}
