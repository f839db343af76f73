//! What linkers read in a file and the validator must read alike: build attributes, mapping symbols, types of symbols,
//! numbers of sections.

#[path = "support/bytes.rs"]
#[expect(dead_code, reason = "relocations are damaged elsewhere")]
mod bytes;
#[path = "support/refuse.rs"]
mod refuse;
#[expect(dead_code, reason = "what twins need is used by the tests of cases")]
mod support;

use bytes::*;
use object::SymbolKind;
use refuse::{case, refuse, refuse_object};

/// Of linkers some put other instructions in the place of those that errata are about, in what is marked as code.
#[test]
fn what_linkers_take_for_code_or_data() {
    let whole = case("relocated-literal").elf();
    let rows = (1..section_place(&whole, ".symtab").1 / 16).map(|index| symbol_row(&whole, index));
    let names = section_place(&whole, ".strtab").0;
    let named =
        |name: &str| rows.clone().find(|row| text(&whole, names + word(&whole, *row) as usize) == name).unwrap();
    let [code, data] = ["$t", "$d"].map(named);
    let changed = |at: usize, bytes: &[u8], words: &str| {
        let mut elf = whole.clone();
        elf[at..at + bytes.len()].copy_from_slice(bytes);
        refuse(&case("relocated-literal").wasm, &elf, words);
    };
    let mark = |row: usize| names + word(&whole, row) as usize;
    changed(mark(data), b"$t", "0x4 File: what is read as a constant there is marked as something else");
    for other in [b"$d", b"$a", b"tt"] {
        changed(mark(code), other, "0x0 File: what is run there is marked as something else");
    }
    // A type, another binding; both at one place.
    changed(code + 12, &[1], "is no local one without type");
    changed(data + 4, &whole[code + 4..code + 8], "contradict each other");
}

/// To the address of a function a linker adds bit 0.
#[test]
fn data_that_linkers_take_for_something_else() {
    for kind in [SymbolKind::Text, SymbolKind::Label] {
        refuse_object("startup", "is no symbol of data", |object| {
            let data = object.symbol_id(b"m.data").unwrap();
            object.symbol_mut(data).kind = kind;
        });
    }
}

#[test]
fn attributes_that_do_not_name_the_profile() {
    let whole = case("multiply-high").elf();
    let tags = whole.windows(4).position(|bytes| bytes[0] == 6 && bytes[2..] == [7, b'M']).unwrap();
    let damaged = |at: usize, byte: u8, words: &str| {
        let mut elf = whole.clone();
        elf[at] = byte;
        refuse(&case("multiply-high").wasm, &elf, words);
    };
    // Another vendor's; no profile, but a tag that nobody knows; no architecture.
    damaged(tags - 11, b'b', "build attributes: they name no architecture");
    damaged(tags + 2, 30, "build attributes: they do not say that the code is for a microcontroller");
    damaged(tags, 30, "build attributes: they name no architecture");
    let mut elf = whole.clone();
    set_section(&mut elf, ".ARM.attributes", 4, 1);
    refuse(&case("multiply-high").wasm, &elf, "build attributes: there are none");
    let mut elf = whole;
    set_section(&mut elf, ".ARM.attributes", 0, 0);
    refuse(&case("multiply-high").wasm, &elf, "build attributes in a section that linkers do not look for");
}

/// A linker asks how floats are passed of those files only that say that they have some.
#[test]
fn attributes_without_floats() {
    for name in ["several-floats", "float-identity"] {
        let mut elf = case(name).elf();
        let tag = elf.windows(3).position(|bytes| bytes == [b'M', 23, 3]).unwrap() + 1;
        elf[tag + 1] = 0;
        refuse(&case(name).wasm, &elf, "they do not say that there are floats");
    }
}

/// From 0xff00 on numbers of sections are reserved: a symbol in such a one is a common block, or a number.
#[test]
fn more_sections_than_numbers() {
    let mut elf = case("multiply-high").elf();
    let start = u32::from_le_bytes(elf[32..36].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes([elf[48], elf[49]]) as usize;
    let headers = elf[start..start + 40 * count].to_vec();
    let place = elf.len() as u32;
    elf.extend(headers);
    elf.resize(elf.len() + 40 * (0xff00 - count), 0);
    elf[32..36].copy_from_slice(&place.to_le_bytes());
    elf[48..50].copy_from_slice(&0xff00_u16.to_le_bytes());
    refuse(&case("multiply-high").wasm, &elf, "65280 section headers");
}

#[test]
fn attributes_that_are_loaded() {
    let mut elf = case("multiply-high").elf();
    set_section(&mut elf, ".ARM.attributes", 8, 2);
    refuse(&case("multiply-high").wasm, &elf, "a loaded section has type 0x70000003");
}

/// Linking sets bit 0 of what may be a function's address: an addend must not count on it.
#[test]
fn an_odd_addend() {
    let mut case = case("limit-before-call");
    let code = &mut case.functions.get_mut(&0).unwrap().bytes;
    // movw r12, #0, with 1.
    assert_eq!(code[..4], [0x40, 0xf2, 0x00, 0x0c]);
    code[2] = 1;
    refuse(&case.wasm, &case.elf(), "an odd addend to a function's address");
}
