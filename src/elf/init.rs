//! `NAME_init`: the code that instantiates the module (Wasm core spec, 4.5.4).
//!
//! Requires: each segment lies inside the memory; each cell inside the instance region.
//! Ensures: `run` makes code that, from any contents of RAM and registers, zeroes memory and
//! instance, writes cells and segments in order, then calls the start function and returns; if a
//! segment is out of bounds, it traps behind the writes before it. It follows AAPCS.
//!
//! Loops count down an integer instead of comparing pointers, so that their course does not
//! depend on where the linker puts the regions.

use super::asm::{Assembler, LR, Reg, When};
use super::program::{FrameRule, FrameStep, Function, Program, Segment, Symbol};

const R0: Reg = Reg(0);
const R1: Reg = Reg(1);
const R2: Reg = Reg(2);
const R3: Reg = Reg(3);

/// The code of `NAME_init`. Its `index` has no meaning.
pub fn run(program: &Program) -> Function {
    let mut asm = Assembler::default();
    let mut frame = Vec::new();
    let plan = &program.instantiation;
    let start = plan.start.filter(|_| plan.trap.is_none());
    if start.is_some() {
        asm.push(1 << 4 | 1 << 8);
        let at = asm.position();
        let saved = |register, below| FrameStep {
            at,
            rule: FrameRule::Saved { register, below },
        };
        frame.extend([
            FrameStep {
                at,
                rule: FrameRule::Depth(8),
            },
            saved(4, 8),
            saved(14, 4),
        ]);
    }
    let memory_bytes = program.memory.map_or(0, |memory| memory.reserve_bytes);
    zero(&mut asm, Symbol::Memory, memory_bytes);
    zero(&mut asm, Symbol::Instance, program.instance_bytes);
    write_cells(&mut asm, &plan.cells);
    copy_segments(&mut asm, &plan.segments);
    match (plan.trap, start) {
        (Some(code), _) => asm.trap(code),
        (None, Some(function)) => {
            asm.call(function);
            asm.pop(1 << 4 | 1 << 8);
        }
        (None, None) => asm.branch_register(LR),
    }
    let (code, relocations) = asm.finish(0);
    Function {
        index: u32::MAX,
        code,
        data: Vec::new(),
        relocations,
        frame,
    }
}

/// The bytes that `NAME_init` copies into memory: the segments one after the other.
pub fn data(program: &Program) -> Vec<u8> {
    program
        .instantiation
        .segments
        .iter()
        .flat_map(|segment| segment.bytes.iter().copied())
        .collect()
}

/// Zeroes a region that starts at a multiple of 8.
fn zero(asm: &mut Assembler, region: Symbol, bytes: u32) {
    if bytes == 0 {
        return;
    }
    asm.address(R0, region);
    asm.constant(R2, 0);
    asm.constant(R3, 0);
    if bytes >= 16 {
        asm.constant(R1, bytes / 16);
        let again = asm.here();
        asm.store_multiple(R0, 1 << 2 | 1 << 3);
        asm.store_multiple(R0, 1 << 2 | 1 << 3);
        asm.sub_imm(R1, 1);
        asm.branch_when(When::NotEqual, again);
    }
    for _ in 0..bytes % 16 / 4 {
        asm.store_advance(R2, R0);
    }
    for _ in 0..bytes % 4 {
        asm.store_byte_advance(R2, R0);
    }
}

/// Writes words into the instance region, which is zero.
fn write_cells(asm: &mut Assembler, cells: &[(u32, u32)]) {
    // The base register moves up whenever a cell is out of reach of a 12-bit offset.
    let mut base = None;
    for &(offset, value) in cells.iter().filter(|(_, value)| *value != 0) {
        let reach = match base {
            Some(base) if (base..base + 4096).contains(&offset) => offset - base,
            _ => {
                asm.address(R0, Symbol::Instance);
                if offset >= 4096 {
                    asm.constant(R1, offset);
                    asm.add(R0, R1);
                    base = Some(offset);
                    0
                } else {
                    base = Some(0);
                    offset
                }
            }
        };
        asm.constant(R1, value);
        asm.store(R1, R0, reach as u16);
    }
}

/// Copies the segments. Their bytes follow each other, so the source address is set once.
fn copy_segments(asm: &mut Assembler, segments: &[Segment]) {
    if segments.iter().all(|segment| segment.bytes.is_empty()) {
        return;
    }
    asm.address(R1, Symbol::Data);
    for segment in segments.iter().filter(|segment| !segment.bytes.is_empty()) {
        asm.address(R0, Symbol::Memory);
        if segment.offset != 0 {
            asm.constant(R3, segment.offset);
            asm.add(R0, R3);
        }
        let bytes = segment.bytes.len() as u32;
        if bytes >= 4 {
            // LDR and STR may be unaligned: UNALIGN_TRP is 0 by the contract.
            asm.constant(R3, bytes / 4);
            let again = asm.here();
            asm.load_advance(R2, R1);
            asm.store_advance(R2, R0);
            asm.sub_imm(R3, 1);
            asm.branch_when(When::NotEqual, again);
        }
        for _ in 0..bytes % 4 {
            asm.load_byte_advance(R2, R1);
            asm.store_byte_advance(R2, R0);
        }
    }
}
