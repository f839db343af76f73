//! `NAME_init`: the code that instantiates the module (Wasm core spec, 4.5.4).
//!
//! Requires: each segment lies inside its memory; each cell inside the instance region; start functions are
//! in order, each behind segments that there are.
//! Ensures: `run` makes code that, from any contents of RAM and registers, zeroes memories, tables and
//! instance, writes cells and table entries, then writes segments and calls start functions in order and returns; if a
//! segment is out of bounds, it traps behind what comes before it. It follows AAPCS.
//!
//! Only instructions that compiled functions have too are used. Loops count down an integer
//! instead of comparing pointers, so that their course does not depend on where the regions are.

use super::asm::Assembler;
use super::program::{CellValue, FrameRule, FrameStep, Function, Program, Segment, Symbol, Table, TableHome};
use crate::emit::machine::{Machine, Width};
use crate::vcode::inst::{Cond, LoadKind, StoreKind};
use crate::vcode::reg::{PReg, RegSet};

const R0: PReg = PReg::R0;
const R1: PReg = PReg::R1;
const R2: PReg = PReg::R2;
const R3: PReg = PReg::R3;
const R4: PReg = PReg::new(4);

/// Stands for the index of `NAME_init`: no Wasm function has it (core spec, 7.2: indices are below
/// the number of functions, which is below 2^32).
const INIT: u32 = u32::MAX;

/// Offset of the branch in `Reset`.
pub const RESET_BRANCH: u32 = 4;

/// Bytes that one turn of the zeroing loop writes.
const ZERO_STEP: u32 = 32;

/// The code of `NAME_init`.
pub fn run(program: &Program) -> Function {
    let mut asm = Assembler::default();
    let mut frame = Vec::new();
    let plan = &program.instantiation;
    let calls = !plan.starts.is_empty();
    if calls {
        // r4 only keeps SP a multiple of 8.
        asm.inst(Machine::Push(RegSet::from_iter([R4, PReg::LR])));
        let at = asm.position();
        let saved = |register, below| FrameStep { at, rule: FrameRule::Saved { register, below } };
        frame.extend([FrameStep { at, rule: FrameRule::Depth(8) }, saved(4, 8), saved(14, 4)]);
    }
    for (index, memory) in (0..).zip(&program.memories).filter(|(_, memory)| memory.contents.is_none()) {
        zero(&mut asm, Symbol::Memory(index), memory.reserve_bytes);
    }
    for (index, table) in (0..).zip(&program.tables) {
        if let TableHome::Ram(_) = table.home {
            zero(&mut asm, Symbol::Table(index), table.bytes());
        }
    }
    zero(&mut asm, Symbol::Instance, program.instance_bytes);
    write_cells(&mut asm, &plan.cells);
    copy_entries(&mut asm, &program.tables);
    let mut written = 0;
    for start in &plan.starts {
        copy_segments(&mut asm, &plan.segments, written..start.after);
        asm.call(Symbol::Function(start.function));
        written = start.after;
    }
    copy_segments(&mut asm, &plan.segments, written..plan.segments.len());
    match plan.outside {
        Some(outside) => asm.inst(Machine::Udf(outside.trap().code())),
        None if calls => asm.inst(Machine::Pop(RegSet::from_iter([R4, PReg::PC]))),
        None => asm.inst(Machine::BranchReg { m: PReg::LR }),
    }
    let (code, relocations) = asm.finish(0);
    Function { index: INIT, code, data: Vec::new(), relocations, frame }
}

/// The code of `Reset`: the processor has set SP; nothing else needs to be set up. Behind a call that
/// returns stands a 32-bit branch, [`RESET_BRANCH`] bytes from the start, whose target the image knows.
pub fn reset(program: &Program) -> Function {
    let mut asm = Assembler::default();
    asm.call(Symbol::Function(INIT));
    assert_eq!(asm.position(), RESET_BRANCH);
    if program.instantiation.outside.is_none() {
        asm.inst(Machine::Branch { width: Width::Wide, distance: 4 });
    }
    let (code, relocations) = asm.finish(0);
    let frame = vec![FrameStep { at: 0, rule: FrameRule::Lost(14) }];
    Function { index: INIT - 1, code, relocations, frame, ..Function::default() }
}

/// The bytes that `NAME_init` copies into memory: the segments one after the other.
pub fn data(program: &Program) -> Vec<u8> {
    program.instantiation.segments.iter().flat_map(|segment| segment.bytes.iter().copied()).collect()
}

/// Zeroes a region that starts at a multiple of 8.
fn zero(asm: &mut Assembler, region: Symbol, bytes: u32) {
    if bytes == 0 {
        return;
    }
    asm.address(R0, region);
    asm.constant(R2, 0);
    if bytes >= ZERO_STEP {
        asm.constant(R1, bytes / ZERO_STEP);
        let again = asm.here();
        for offset in (0..ZERO_STEP).step_by(4) {
            asm.store(StoreKind::Word, R2, (R0, offset));
        }
        asm.add_imm(R0, ZERO_STEP as u8);
        asm.sub_imm(R1, 1);
        asm.branch_if(Cond::Ne, again);
    }
    let rest = bytes % ZERO_STEP;
    for offset in (0..rest / 4 * 4).step_by(4) {
        asm.store(StoreKind::Word, R2, (R0, offset));
    }
    for offset in rest / 4 * 4..rest {
        asm.store(StoreKind::Byte, R2, (R0, offset));
    }
}

/// Writes words into the instance region, which is zero.
fn write_cells(asm: &mut Assembler, cells: &[(u32, CellValue)]) {
    // The base register moves whenever a cell is out of reach of a 12-bit offset.
    let mut base = None;
    for &(offset, value) in cells {
        let start = match base {
            Some(start) if (start..start + 4096).contains(&offset) => start,
            _ => {
                let start = if offset < 4096 { 0 } else { offset };
                asm.address(R0, Symbol::Instance);
                move_up(asm, start);
                base = Some(start);
                start
            }
        };
        match value {
            CellValue::Number(number) => asm.constant(R1, number),
            CellValue::Descriptor(offset) => {
                asm.address(R1, Symbol::Functions);
                asm.constant(R3, offset);
                asm.add(R1, R1, R3);
            }
        }
        asm.store(StoreKind::Word, R1, (R0, offset - start));
    }
}

/// Adds a constant to r0. Changes r3.
fn move_up(asm: &mut Assembler, bytes: u32) {
    if bytes != 0 {
        asm.constant(R3, bytes);
        asm.add(R0, R0, R3);
    }
}

/// Copies the entries of tables in RAM. Their words follow each other, so the source address is set once.
fn copy_entries(asm: &mut Assembler, tables: &[Table]) {
    if tables.iter().all(|table| table.copied().1.is_empty()) {
        return;
    }
    asm.address(R1, Symbol::Elements);
    for (index, table) in (0..).zip(tables) {
        let (first, entries) = table.copied();
        if !entries.is_empty() {
            asm.address(R0, Symbol::Table(index));
            move_up(asm, 4 * first as u32);
            copy_words(asm, entries.len() as u32);
        }
    }
}

/// Copies so many words, not none, from r1 to r0, both of which move behind them.
fn copy_words(asm: &mut Assembler, words: u32) {
    asm.constant(R3, words);
    let again = asm.here();
    asm.load(LoadKind::Word, R2, (R1, 0));
    asm.store(StoreKind::Word, R2, (R0, 0));
    asm.add_imm(R1, 4);
    asm.add_imm(R0, 4);
    asm.sub_imm(R3, 1);
    asm.branch_if(Cond::Ne, again);
}

/// Copies some of the segments. Their bytes follow each other, so the source address is set once.
fn copy_segments(asm: &mut Assembler, all: &[Segment], range: std::ops::Range<usize>) {
    let (before, segments) = (&all[..range.start], &all[range]);
    if segments.iter().all(|segment| segment.bytes.is_empty()) {
        return;
    }
    asm.address(R1, Symbol::Data);
    let skipped: usize = before.iter().map(|segment| segment.bytes.len()).sum();
    if skipped != 0 {
        asm.constant(R3, skipped as u32);
        asm.add(R1, R1, R3);
    }
    for segment in segments.iter().filter(|segment| !segment.bytes.is_empty()) {
        asm.address(R0, Symbol::Memory(segment.memory));
        move_up(asm, segment.offset);
        let bytes = segment.bytes.len() as u32;
        if bytes >= 4 {
            // LDR and STR may be unaligned: UNALIGN_TRP is 0 by the contract.
            copy_words(asm, bytes / 4);
        }
        let rest = bytes % 4;
        for offset in 0..rest {
            asm.load(LoadKind::Byte, R2, (R1, offset));
            asm.store(StoreKind::Byte, R2, (R0, offset));
        }
        if rest != 0 {
            asm.add_imm(R1, rest as u8);
        }
    }
}
