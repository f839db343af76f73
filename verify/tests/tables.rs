//! Tables of object files that say what no linker reads as it stands, or what lies past their ends.
//!
//! Each test takes a case that is Proved, changes a number in its file, and expects a refusal in the right words.

#[path = "support/bytes.rs"]
mod bytes;
#[expect(dead_code, reason = "objects are changed by other tests")]
#[path = "support/refuse.rs"]
mod refuse;
#[expect(dead_code, reason = "what twins and damaged objects need is used by other tests")]
mod support;

use bytes::*;
use refuse::{case, refuse};
use support::Case;

/// The case whose file is damaged.
fn startup() -> Case {
    case("startup")
}

/// The row of the symbol table that is no symbol, to linkers.
#[test]
fn the_first_symbol_is_none() {
    let case = startup();
    let mut elf = case.elf();
    let row = symbol_row(&elf, 0);
    let known = rel_symbol(&elf, ".rel.text.m");
    let known: Vec<u8> = elf[symbol_row(&elf, known)..][..16].to_vec();
    elf[row..row + 16].copy_from_slice(&known);
    refuse(&case.wasm, &elf, "the first symbol, which is none, says something");
    let mut elf = case.elf();
    let at = section_place(&elf, ".rel.text.m").0 + 4;
    elf[at + 1..at + 4].copy_from_slice(&[0; 3]);
    refuse(&case.wasm, &elf, "a relocation names symbol 0, which there is not");
}

/// Linkers read the first section of relocations that a section has.
#[test]
fn a_second_section_of_relocations() {
    let case = startup();
    let mut elf = case.elf();
    let (from, to) = (section_header(&elf, ".rel.text.m"), section_header(&elf, ".synth.hints"));
    let of_relocations: Vec<u8> = elf[from + 4..from + 40].to_vec();
    elf[to + 4..to + 40].copy_from_slice(&of_relocations);
    // No rows: each byte is relocated once.
    elf[to + 20..to + 24].copy_from_slice(&[0; 4]);
    refuse(&case.wasm, &elf, "a section has two sections of relocations");
}

#[test]
fn a_number_that_stands_elsewhere() {
    let case = startup();
    for (at, words) in [(44, "there are too many program headers"), (48, ""), (50, "no section names")] {
        let mut elf = case.elf();
        elf[at..at + 2].copy_from_slice(&[0xff, 0xff]);
        refuse(&case.wasm, &elf, words);
    }
    // SHN_XINDEX and SHN_COMMON.
    for section in [0xffff_u16, 0xfff2] {
        let mut elf = case.elf();
        let row = symbol_row(&elf, rel_symbol(&elf, ".rel.text.m"));
        elf[row + 14..row + 16].copy_from_slice(&section.to_le_bytes());
        refuse(&case.wasm, &elf, "a symbol lies in section");
    }
}

/// Relocations with addends, groups, extended section numbers, and what runs by itself, by their types.
#[test]
fn types_of_sections_that_are_not_modelled() {
    let wasm = startup().wasm;
    for (kind, words) in [
        (4, "relocations with addends are not used on Arm"),
        (17, "section type 0x11 is not modelled"),
        (18, "section type 0x12 is not modelled"),
        (14, "section type 0xe is not modelled"),
        (11, "section type 0xb is not modelled"),
    ] {
        let mut elf = startup().elf();
        set_section(&mut elf, ".rel.text.m", 4, kind);
        refuse(&wasm, &elf, words);
    }
    for (kind, words) in [(7, "a loaded section has type 0x7"), (14, "section type 0xe is not modelled")] {
        let mut elf = startup().elf();
        set_section(&mut elf, ".bss.m.memory0", 4, kind);
        refuse(&wasm, &elf, words);
    }
}

/// Kinds and bindings of symbols that linkers treat in their own way: thread-local data, common blocks, functions that
/// choose a function, unique objects.
#[test]
fn kinds_of_symbols_that_are_not_modelled() {
    let case = startup();
    for (info, words) in [
        (0x06, "symbol type 6 is unknown"),
        (0x05, "symbol type 5 is unknown"),
        (0x0a, "symbol type 10 is unknown"),
        (0xa1, "symbol binding 10 is unknown"),
        (0xd1, "symbol binding 13 is unknown"),
    ] {
        let mut elf = case.elf();
        let row = symbol_row(&elf, rel_symbol(&elf, ".rel.text.m"));
        elf[row + 12] = info;
        refuse(&case.wasm, &elf, words);
    }
}

/// Numbers past the ends of what they count in.
#[test]
fn places_that_wrap_around() {
    let case = startup();
    for (name, field, value) in [
        (".text.m", 20, u32::MAX),
        (".text.m", 16, u32::MAX),
        (".text.m", 12, u32::MAX),
        (".bss.m.memory0", 20, u32::MAX),
        (".bss.m.memory0", 12, 0xffff_ff00),
        (".bss.m.memory0", 32, 0xffff_ffff),
        (".symtab", 20, u32::MAX - 15),
        (".symtab", 24, u32::MAX),
        (".symtab", 36, 0),
        (".rel.text.m", 16, u32::MAX),
        (".rel.text.m", 24, 0),
        (".rel.text.m", 36, 12),
        (".synth.hints", 20, u32::MAX),
    ] {
        let mut elf = case.elf();
        set_section(&mut elf, name, field, value);
        refuse(&case.wasm, &elf, "");
    }
    for name in ["m.f2", "m.memory0", "m.instance", "m_init", "a"] {
        for field in [4, 8] {
            let mut elf = case.elf();
            let count = section_place(&elf, ".symtab").1 / 16;
            let index = (1..count).find(|index| symbol_name(&elf, *index) == name).unwrap();
            let row = symbol_row(&elf, index);
            elf[row + field..row + field + 4].copy_from_slice(&0xffff_fff8_u32.to_le_bytes());
            refuse(&case.wasm, &elf, "");
        }
    }
}
