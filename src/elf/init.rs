//! `NAME_init`: the code that instantiates the module (Wasm core spec, 4.5.4).
//!
//! Requires: each segment lies inside its memory or table; each cell inside the instance region.
//! Ensures: `run` makes code that, from any contents of RAM and registers, zeroes memories, tables and
//! instance, writes cells, then does the steps in order and returns; a trap of its own leaves registers and stack
//! as what follows needs them. It follows AAPCS.
//!
//! Only instructions that compiled functions have too are used. Loops count down an integer
//! instead of comparing pointers, so that their course does not depend on where the regions are.

use super::asm::Assembler;
use super::program::{CellValue, Elements, FrameRule, FrameStep, Function, InitStep, Program, Segment, Symbol, Table};
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
    let calls = plan.steps.iter().any(|step| matches!(step, InitStep::Call(_)));
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
        if let Table::Ram(_) = table {
            zero(&mut asm, Symbol::Table(index), table.bytes());
        }
    }
    zero(&mut asm, Symbol::Instance, program.instance_bytes);
    write_cells((&mut asm, isa), &plan.cells);
    let mut copier = Copier { asm: &mut asm, isa, source: None, elements: 0, data: 0 };
    for step in &plan.steps {
        match step {
            InitStep::Elements(elements) => copier.elements(elements),
            InitStep::Data(segment) => copier.data(segment),
            InitStep::Call(function) => {
                copier.source = None;
                copier.asm.call(Symbol::Function(*function));
            }
            InitStep::Trap(outside) => {
                copier.source = None;
                copier.asm.inst(Machine::Udf(outside.trap().code()));
            }
        }
    }
    match calls {
        true => asm.inst(Machine::Pop(RegSet::from_iter([R4, PReg::PC]))),
        false => asm.inst(Machine::BranchReg { m: PReg::LR }),
    }
    let data = asm.data();
    let (code, relocations) = asm.finish(0);
    Function { index: INIT, code, data, relocations, frame, of_synth: None }
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
    asm.inst(match isa {
        Isa::V6M => Machine::Call { distance: 4 },
        Isa::V7M => Machine::Branch { width: Width::Wide, distance: 4 },
    });
    let (code, relocations) = asm.finish(0);
    let frame = vec![FrameStep { at: 0, rule: FrameRule::Lost(14) }];
    Function { index: INIT - 1, code, relocations, frame, ..Function::default() }
}

/// The bytes that `NAME_init` copies into memory: the segments one after the other.
pub fn data(program: &Program) -> Vec<u8> {
    let segments = program.instantiation.steps.iter().filter_map(|step| match step {
        InitStep::Data(segment) => Some(&segment.bytes),
        InitStep::Elements(_) | InitStep::Call(_) | InitStep::Trap(_) => None,
    });
    segments.flatten().copied().collect()
}

/// The references that it copies into tables, likewise.
pub fn references(program: &Program) -> impl Iterator<Item = &Option<u32>> {
    let segments = program.instantiation.steps.iter().filter_map(|step| match step {
        InitStep::Elements(elements) => Some(&elements.entries),
        InitStep::Data(_) | InitStep::Call(_) | InitStep::Trap(_) => None,
    });
    segments.flatten()
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

/// Copies segments. Those of a kind follow each other where they are read, so that the address of the next is
/// known where one has been copied.
struct Copier<'a> {
    asm: &'a mut Assembler,
    isa: Isa,
    /// What r1 is the address of: a region, and so many bytes into it.
    source: Option<(Symbol, u32)>,
    /// Bytes of references that are copied already.
    elements: u32,
    /// Bytes of data that are copied already.
    data: u32,
}

impl Copier<'_> {
    fn elements(&mut self, elements: &Elements) {
        let items = elements.entries.len() as u32;
        if items == 0 {
            return;
        }
        self.read_at((Symbol::Elements, self.elements));
        self.asm.address(R0, Symbol::Table(elements.table));
        move_up(self.asm, 4 * elements.first);
        copy(self.asm, (LoadKind::Word, StoreKind::Word, 4), items);
        self.elements += 4 * items;
        self.source = Some((Symbol::Elements, self.elements));
    }

    fn data(&mut self, segment: &Segment) {
        let bytes = segment.bytes.len() as u32;
        if bytes == 0 {
            return;
        }
        self.read_at((Symbol::Data, self.data));
        self.asm.address(R0, Symbol::Memory(segment.memory));
        move_up(self.asm, segment.offset);
        // LDR and STR may be unaligned where UNALIGN_TRP is 0 by the contract. Armv6-M has nothing like it.
        let (load, store, step) = match self.isa {
            Isa::V6M => (LoadKind::Byte, StoreKind::Byte, 1),
            Isa::V7M => (LoadKind::Word, StoreKind::Word, 4),
        };
        let items = bytes / u32::from(step);
        if items > 0 {
            copy(self.asm, (load, store, step), items);
        }
        let rest = bytes % u32::from(step);
        for offset in 0..rest {
            self.asm.load(LoadKind::Byte, R2, (R1, offset));
            self.asm.store(StoreKind::Byte, R2, (R0, offset));
        }
        if rest != 0 {
            self.asm.add_imm(R1, rest as u8);
        }
        self.data += bytes;
        self.source = Some((Symbol::Data, self.data));
    }

    /// Makes r1 an address in a region.
    fn read_at(&mut self, (symbol, offset): (Symbol, u32)) {
        if self.source == Some((symbol, offset)) {
            return;
        }
        self.asm.address(R1, symbol);
        if offset != 0 {
            self.asm.constant(R3, offset);
            self.asm.add(R1, R1, R3);
        }
    }
}
