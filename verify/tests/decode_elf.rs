//! The ELF reader on a file made by an independent writer, and on damaged copies of it.

use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};
use synth_verify::elf::{Elf, FileKind, RelocationKind};

/// An object with a function that holds the address of an import at each given offset.
fn object(addresses: &[u64]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
    object.flags = object::FileFlags::Elf { os_abi: elf::OsAbi(0), abi_version: 0, e_flags: elf::EF_ARM_EABI_VER5 };
    let text = object.add_section(Vec::new(), b".text.m".to_vec(), SectionKind::Text);
    object.append_section_data(text, &[0; 16], 4);
    let symbol = |name: &str, section, size| Symbol {
        name: name.into(),
        value: u64::from(size > 0),
        size,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section,
        flags: SymbolFlags::None,
    };
    object.add_symbol(symbol("f", SymbolSection::Section(text), 16));
    let import = object.add_symbol(symbol("env_log", SymbolSection::Undefined, 0));
    for offset in addresses {
        let relocation = Relocation {
            offset: *offset,
            symbol: import,
            addend: 0,
            flags: RelocationFlags::Elf { r_type: elf::R_ARM_ABS32 },
        };
        object.add_relocation(text, relocation).expect("an offset inside the section");
    }
    object.write().expect("an object")
}

#[test]
fn an_object_is_read() {
    let bytes = object(&[0, 8]);
    let elf = Elf::read(&bytes).expect("a good object");
    assert_eq!(elf.kind, FileKind::Relocatable);
    let (index, text) = elf.section(".text.m").expect("the code");
    assert!(text.executable && text.allocated && !text.writable);
    assert_eq!(elf.bytes(text).len(), 16);
    let places: Vec<_> = elf.relocations.iter().map(|one| (one.section, one.offset, one.kind)).collect();
    assert_eq!(places, [(index, 0, RelocationKind::Abs32), (index, 8, RelocationKind::Abs32)]);
    assert_eq!(elf.symbols[elf.relocations[0].symbol].name, "env_log");
    assert!(elf.symbol("f").is_some() && elf.symbol("env_log").is_none());
}

#[test]
fn two_relocations_of_one_place_are_refused() {
    let bytes = object(&[4, 6]);
    let error = Elf::read(&bytes).expect_err("overlapping relocations");
    assert!(error.to_string().contains("two relocations"), "{error}");
}

#[test]
fn damage_is_an_answer_and_never_a_panic() {
    let good = object(&[0, 8]);
    let mut refused = 0;
    for at in 0..good.len() {
        for damage in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= damage;
            match Elf::read(&bytes) {
                Ok(elf) => {
                    for section in &elf.sections {
                        let _ = elf.bytes(section);
                    }
                }
                Err(_) => refused += 1,
            }
        }
        let _ = Elf::read(&good[..at]);
    }
    assert!(refused > good.len() / 4, "{refused} of {}", 3 * good.len());
}

#[test]
fn other_machines_and_byte_orders_are_refused() {
    let good = object(&[]);
    for (at, byte, words) in [(4, 2, "32-bit"), (5, 2, "little-endian"), (18, 3, "not Arm"), (38, 0x80, "flags")] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let error = Elf::read(&bytes).expect_err("a foreign file");
        assert!(error.to_string().contains(words), "{error}");
    }
}
