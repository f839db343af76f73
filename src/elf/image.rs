//! The image: the program at fixed addresses, with vector table, startup and test harness.
//!
//! Ensures: the board's code begins with the vector table, then come code and constants; its RAM
//! holds the stack, then instance and memory. No relocation is left. `Reset`, which stands behind
//! `NAME_init`, calls it and enters the harness, whose section alone lies outside the validator's
//! claim.

use super::asm::Assembler;
use super::parts::{self, Startup};
use super::program::{Program, Symbol};
use super::unit::{Binding, Section, SectionId, SectionKind, SymbolEntry, SymbolId, SymbolKind, Unit};
use super::write::{self, FileKind};
use super::{ElfError, harness, init, relocate};
use crate::target::{Board, Cpu, FloatUnit, Isa};

/// Entries of the vector table: initial SP, reset, and the system exceptions (DDI0403, B1.5.2).
const VECTORS: usize = 16;

/// What the limit leaves below it for an exception frame and the fault handler.
const LIMIT_RESERVE_BYTES: u32 = 256;

/// Who provides what the module imports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Imports {
    /// Nobody: an import is an error.
    Refused,
    /// A stub that returns 0.
    Stubbed,
}

/// How the image is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageOptions {
    /// The board that it is for.
    pub board: Board,
    /// Bytes of stack, a multiple of 8.
    pub stack_bytes: u32,
    /// Who provides what the module imports.
    pub imports: Imports,
}

impl ImageOptions {
    /// An image for a board, with the stack that it gives.
    pub fn on(board: Board) -> ImageOptions {
        ImageOptions { board, stack_bytes: board.stack_bytes, imports: Imports::Refused }
    }

    /// An image for the first board of a processor.
    pub fn of(cpu: Cpu) -> ImageOptions {
        ImageOptions::on(cpu.boards(FloatUnit::None)[0])
    }
}

/// Writes the image.
pub fn run(program: &Program, cpu: Cpu, options: ImageOptions) -> Result<Vec<u8>, ElfError> {
    if let (Imports::Refused, Some(import)) = (options.imports, program.imports.first()) {
        return Err(ElfError::MissingImport(import.module.clone(), import.field.clone()));
    }
    let board = options.board;
    let mut unit = parts::run(program, cpu, Startup::Own(board))?;
    let stack_top = board.ram + options.stack_bytes;
    let vectors = unit.add_section(".vectors".into(), SectionKind::Constants, 4, vec![0; 4 * VECTORS]);
    unit.add_mapping("$d", vectors, 0);
    add_stack_limit(&mut unit, board.ram + LIMIT_RESERVE_BYTES);
    let harness_at = |place| harness::run((place, cpu.isa(), program.float), stack_top, board);
    let harness = add_harness(&mut unit, program, harness_at(0).bytes);
    parts::check_names(&unit)?;

    let mut rom = sections(&unit, |kind| matches!(kind, SectionKind::Code | SectionKind::Constants));
    // At reset the processor reads the vector table there.
    rom.sort_by_key(|id| *id != vectors);
    let rom_end = assign(&mut unit, &rom, board.code);
    ElfError::check("the image's code with its constants", rom_end - u64::from(board.code), board.code_bytes.into())?;
    let ram = sections(&unit, |kind| kind == SectionKind::Zeroed);
    let ram_end = assign(&mut unit, &ram, stack_top);
    ElfError::check("the image's RAM", ram_end - u64::from(board.ram), board.ram_bytes.into())?;

    let place = unit.sections[harness.0].address;
    let code = harness_at(place);
    unit.sections[harness.0].bytes[..code.bytes.len()].copy_from_slice(&code.bytes);
    let reset = unit.symbols.iter().position(|symbol| symbol.name == parts::RESET);
    let reset = SymbolId(reset.expect("the parts define it"));
    let entry = unit.value(reset).expect("in its section");
    fill_vectors(&mut unit, vectors, [stack_top, entry, (place + code.fault) | 1]);
    resolve(&mut unit)?;
    let branch = (entry & !1) + unit.symbols[reset.0].size - init::RESET_BRANCH_BYTES;
    enter_harness(&mut unit, cpu.isa(), branch, place + code.start)?;
    Ok(write::run(&unit, FileKind::Executable(entry)))
}

/// Defines the word with the lowest address the stack may use, as a constant.
fn add_stack_limit(unit: &mut Unit, limit: u32) {
    let Some(&symbol) = unit.by_name.get(&Symbol::StackLimit) else {
        return;
    };
    let name = ".rodata.synth_stack_limit".into();
    let section = unit.add_section(name, SectionKind::Constants, 4, limit.to_le_bytes().to_vec());
    unit.add_mapping("$d", section, 0);
    let entry = &mut unit.symbols[symbol.0];
    entry.place = Some((section, 0));
    entry.kind = SymbolKind::Object;
    entry.size = 4;
}

/// Adds the harness, to be assembled again for its address, with a stub for each import behind it.
fn add_harness(unit: &mut Unit, program: &Program, code: Vec<u8>) -> SectionId {
    let section = unit.add_section(harness::SECTION.into(), SectionKind::Code, 4, code);
    unit.add_mapping("$t", section, 0);
    unit.add_symbol(SymbolEntry {
        name: "synth_harness".into(),
        binding: Binding::Global,
        kind: SymbolKind::Function,
        place: Some((section, 0)),
        size: unit.sections[section.0].size,
    });
    for import in &program.imports {
        let entry = &mut unit.symbols[unit.by_name[&Symbol::Function(import.function)].0];
        if entry.place.is_some() {
            continue;
        }
        let mut asm = Assembler::default();
        harness::stub(&mut asm, import.area_bytes, program.float);
        let (stub, _) = asm.finish(0);
        // A stub of its own for each import: the validator knows callees by their addresses.
        let bytes = &mut unit.sections[section.0].bytes;
        entry.place = Some((section, bytes.len() as u32));
        entry.kind = SymbolKind::Function;
        entry.size = stub.len() as u32;
        bytes.extend_from_slice(&stub);
    }
    let section_data = &mut unit.sections[section.0];
    section_data.size = section_data.bytes.len() as u32;
    section
}

/// The sections of some kinds, in file order.
fn sections(unit: &Unit, is_wanted: impl Fn(SectionKind) -> bool) -> Vec<SectionId> {
    let all = unit.sections.iter().enumerate();
    all.filter(|(_, section)| is_wanted(section.kind)).map(|(index, _)| SectionId(index)).collect()
}

/// Gives the sections addresses from `start` on, in order. Returns the end.
fn assign(unit: &mut Unit, sections: &[SectionId], start: u32) -> u64 {
    let mut next = u64::from(start);
    for id in sections {
        let section = &mut unit.sections[id.0];
        next = next.next_multiple_of(section.align.into());
        section.address = next as u32;
        next += u64::from(section.size);
    }
    next
}

/// Initial SP, `Reset`, and the fault handler for every exception.
fn fill_vectors(unit: &mut Unit, vectors: SectionId, [stack_top, reset, fault]: [u32; 3]) {
    for (index, word) in unit.sections[vectors.0].bytes.chunks_exact_mut(4).enumerate() {
        let value = match index {
            0 => stack_top,
            1 => reset,
            _ => fault,
        };
        word.copy_from_slice(&value.to_le_bytes());
    }
}

/// Does every relocation.
fn resolve(unit: &mut Unit) -> Result<(), ElfError> {
    for index in 0..unit.sections.len() {
        let fixups = std::mem::take(&mut unit.sections[index].relocations);
        for fixup in fixups {
            let value = unit.value(fixup.target).expect("an image defines every symbol");
            let section = &mut unit.sections[index];
            relocate::put_address(&mut section.bytes, section.address, &fixup, value)?;
        }
    }
    Ok(())
}

/// Puts the branch to the harness, at `start`, at its place in `Reset`.
fn enter_harness(unit: &mut Unit, isa: Isa, branch: u32, start: u32) -> Result<(), ElfError> {
    let holds = |section: &&mut Section| {
        section.kind == SectionKind::Code && branch.wrapping_sub(section.address) < section.size
    };
    let section = unit.sections.iter_mut().find(holds).expect("Reset lies in the code");
    let distance = i64::from(start) - i64::from(branch);
    match isa {
        Isa::V6M => relocate::put_call(&mut section.bytes, branch - section.address, distance),
        Isa::V7M => relocate::put_branch(&mut section.bytes, branch - section.address, distance),
    }
}
