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
use crate::emit::float::FloatMachine;
use crate::emit::machine::{Machine, Width};
use crate::target::{FloatUnit, Isa};
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

/// Bytes of the branch that ends `Reset`.
pub const RESET_BRANCH_BYTES: u32 = 4;

/// Coprocessor access control register, and full access to the floating-point unit (DDI0403, B3.2.20).
const CPACR: u32 = 0xe000_ed88;
const FULL_ACCESS: u32 = 0x00f0_0000;
/// FPSCR.DN: a result that is a NaN is the default one (DDI0403, A2.5.3).
const DEFAULT_NAN: u32 = 1 << 25;
/// `DSB SY` and `ISB SY` (DDI0403, A7.7.33 and A7.7.37).
const DSB: u32 = 0xf3bf_8f4f;
const ISB: u32 = 0xf3bf_8f6f;

/// Bytes that one turn of the zeroing loop writes.
const ZERO_STEP: u32 = 32;

/// The code of `NAME_init`.
pub fn run(program: &Program, isa: Isa) -> Function {
    let mut asm = Assembler::new(isa);
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
    write_cells((&mut asm, isa), &plan.cells);
    copy_entries(&mut asm, &program.tables);
    let mut written = 0;
    for start in &plan.starts {
        copy_segments((&mut asm, isa), &plan.segments, written..start.after);
        asm.call(Symbol::Function(start.function));
        written = start.after;
    }
    copy_segments((&mut asm, isa), &plan.segments, written..plan.segments.len());
    match plan.outside {
        Some(outside) => asm.inst(Machine::Udf(outside.trap().code())),
        None if calls => asm.inst(Machine::Pop(RegSet::from_iter([R4, PReg::PC]))),
        None => asm.inst(Machine::BranchReg { m: PReg::LR }),
    }
    let data = asm.data();
    let (code, relocations) = asm.finish(0);
    Function { index: INIT, code, data, relocations, frame }
}

/// The code of `Reset`: the processor has set SP; but for the floating-point unit nothing else needs to be set up.
/// Behind a call that returns stands a 32-bit branch, whose target the image knows; on Armv6-M it is a call that does
/// not return.
pub fn reset(program: &Program, isa: Isa) -> Function {
    let mut asm = Assembler::new(isa);
    if program.float != FloatUnit::None {
        asm.constant(R0, CPACR);
        asm.constant(R1, FULL_ACCESS);
        asm.store(StoreKind::Word, R1, (R0, 0));
        asm.special_wide(DSB);
        asm.special_wide(ISB);
        asm.constant(R0, DEFAULT_NAN);
        asm.inst(Machine::Float(FloatMachine::SetStatus { t: R0 }));
    }
    asm.call(Symbol::Function(INIT));
    if program.instantiation.outside.is_none() {
        asm.inst(match isa {
            Isa::V6M => Machine::Call { distance: 4 },
            Isa::V7M => Machine::Branch { width: Width::Wide, distance: 4 },
        });
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
fn write_cells((asm, isa): (&mut Assembler, Isa), cells: &[(u32, CellValue)]) {
    // The base register moves whenever a cell is out of reach of an offset.
    let reach = match isa {
        Isa::V6M => 128,
        Isa::V7M => 4096,
    };
    let mut base = None;
    for &(offset, value) in cells {
        let start = match base {
            Some(start) if (start..start + reach).contains(&offset) => start,
            _ => {
                let start = if offset < reach { 0 } else { offset };
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
            copy(asm, (LoadKind::Word, StoreKind::Word, 4), entries.len() as u32);
        }
    }
}

/// Copies so many items, not none, of so many bytes each from r1 to r0, both of which move behind them.
fn copy(asm: &mut Assembler, (load, store, step): (LoadKind, StoreKind, u8), items: u32) {
    asm.constant(R3, items);
    let again = asm.here();
    asm.load(load, R2, (R1, 0));
    asm.store(store, R2, (R0, 0));
    asm.add_imm(R1, step);
    asm.add_imm(R0, step);
    asm.sub_imm(R3, 1);
    asm.branch_if(Cond::Ne, again);
}

/// Copies some of the segments. Their bytes follow each other, so the source address is set once.
fn copy_segments((asm, isa): (&mut Assembler, Isa), all: &[Segment], range: std::ops::Range<usize>) {
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
        // LDR and STR may be unaligned where UNALIGN_TRP is 0 by the contract. Armv6-M has nothing like it.
        let (load, store, step) = match isa {
            Isa::V6M => (LoadKind::Byte, StoreKind::Byte, 1),
            Isa::V7M => (LoadKind::Word, StoreKind::Word, 4),
        };
        let items = bytes / u32::from(step);
        if items > 0 {
            copy(asm, (load, store, step), items);
        }
        let rest = bytes % u32::from(step);
        for offset in 0..rest {
            asm.load(LoadKind::Byte, R2, (R1, offset));
            asm.store(StoreKind::Byte, R2, (R0, offset));
        }
        if rest != 0 {
            asm.add_imm(R1, rest as u8);
        }
    }
}
