//! Places in the bytes of an ELF file: headers of sections, rows of symbols and relocations.

/// The word at an offset.
pub fn word(elf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(elf[at..at + 4].try_into().unwrap())
}

/// Where the header of a section is (System V gABI, section header).
pub fn section_header(elf: &[u8], name: &str) -> usize {
    let half = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    let (start, count) = (word(elf, 32) as usize, half(48));
    let names = word(elf, start + 40 * half(50) + 16);
    let mut headers = (0..count).map(|index| start + 40 * index);
    let found = headers.find(|header| text(elf, (names + word(elf, *header)) as usize) == name);
    found.unwrap_or_else(|| panic!("there is no section {name}"))
}

/// The text at an offset, up to its zero.
pub fn text(elf: &[u8], at: usize) -> &str {
    let end = elf[at..].iter().position(|byte| *byte == 0).unwrap();
    std::str::from_utf8(&elf[at..at + end]).unwrap()
}

/// Where the bytes of a section are, and how many.
pub fn section_place(elf: &[u8], name: &str) -> (usize, usize) {
    let header = section_header(elf, name);
    (word(elf, header + 16) as usize, word(elf, header + 20) as usize)
}

/// The number of the symbol that the first relocation of a section names.
pub fn rel_symbol(elf: &[u8], name: &str) -> usize {
    (word(elf, section_place(elf, name).0 + 4) >> 8) as usize
}

/// Where the row of a symbol is.
pub fn symbol_row(elf: &[u8], index: usize) -> usize {
    section_place(elf, ".symtab").0 + 16 * index
}

/// The name of a symbol.
pub fn symbol_name(elf: &[u8], index: usize) -> &str {
    text(elf, section_place(elf, ".strtab").0 + word(elf, symbol_row(elf, index)) as usize)
}

/// Sets a word of the header of a section.
pub fn set_section(elf: &mut [u8], name: &str, field: usize, value: u32) {
    let header = section_header(elf, name);
    elf[header + field..header + field + 4].copy_from_slice(&value.to_le_bytes());
}
