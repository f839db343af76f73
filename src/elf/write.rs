//! The bytes of an ELF file, from its sections and symbols.
//!
//! Requires: in an executable, every loaded section has its address and no relocation is left.
//! Ensures: the same input gives the same bytes; local symbols come before global ones.

use object::elf;
use object::write::StringId;
use object::write::elf::{FileHeader, ProgramHeader, Rel, SectionHeader, SectionIndex, Sym, Writer};
use object::{Endianness, write::elf::SinglePhase};

use super::program::RelocationKind;
use crate::target::FloatUnit;

use super::unit::{Binding, Section, SectionKind, SymbolKind, Unit};

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A relocatable object.
    Relocatable,
    /// A program that starts at this address, Thumb bit set. Each section is loaded on its own.
    Executable(u32),
}

/// Writes the file.
pub fn run(unit: &Unit, kind: FileKind) -> Vec<u8> {
    let names: Vec<String> = unit.sections.iter().map(|section| format!(".rel{}", section.name)).collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new_single_phase(Endianness::Little, false, &mut bytes);
    let is_in_memory = |section: &Section| section.kind.is_loaded() && section.size > 0;
    let (e_type, e_entry, loads): (_, _, Vec<usize>) = match kind {
        FileKind::Relocatable => (elf::ET_REL, 0, Vec::new()),
        FileKind::Executable(entry) => {
            let all = 0..unit.sections.len();
            (elf::ET_EXEC, entry, all.filter(|&index| is_in_memory(&unit.sections[index])).collect())
        }
    };
    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type,
        e_machine: elf::EM_ARM,
        e_entry: e_entry.into(),
        e_flags: match (kind, unit.float) {
            (FileKind::Relocatable, _) | (_, FloatUnit::None) => elf::EF_ARM_EABI_VER5,
            (FileKind::Executable(_), _) => elf::FileFlags(elf::EF_ARM_EABI_VER5.0 | elf::EF_ARM_ABI_FLOAT_HARD),
        },
    };
    let never = "the buffer grows as needed";
    writer.write_file_header(&header).expect(never);
    writer.write_program_headers_placeholder(loads.len() as u32);
    let body = write_body(&mut writer, unit, &names);
    let load = |&index: &usize| program_header(&unit.sections[index], body.offsets[index]);
    let headers: Vec<ProgramHeader> = loads.iter().map(load).collect();
    write_headers(&mut writer, unit, body);
    let mut front = Vec::new();
    writer.write_headers_to(&mut front, &headers).expect("the file is below 4 GiB");
    bytes[..front.len()].copy_from_slice(&front);
    bytes
}

/// Where the parts of the file are.
struct Body {
    names: Vec<StringId>,
    offsets: Vec<u64>,
    relocations: Vec<Option<(StringId, u64)>>,
    locals: u32,
}

fn write_body<'a>(writer: &mut Writer<'a, SinglePhase>, unit: &'a Unit, rel_names: &'a [String]) -> Body {
    let mut names = Vec::new();
    let mut offsets = Vec::new();
    for section in &unit.sections {
        names.push(writer.add_section_name(section.name.as_bytes()));
        offsets.push(writer.write_align(section.align.into()));
        writer.write(&section.bytes);
    }
    let (numbers, locals) = write_symbols(writer, unit);
    let mut relocations = Vec::new();
    for (section, name) in unit.sections.iter().zip(rel_names) {
        if section.relocations.is_empty() {
            relocations.push(None);
            continue;
        }
        let name = writer.add_section_name(name.as_bytes());
        let offset = writer.write_align_relocation();
        for fixup in &section.relocations {
            let relocation = Rel {
                r_offset: fixup.offset.into(),
                r_sym: numbers[fixup.target.0],
                r_type: relocation_type(fixup.kind),
                r_addend: 0,
            };
            writer.write_relocation(false, &relocation);
        }
        relocations.push(Some((name, offset)));
    }
    writer.write_strtab().expect("names are below 4 GiB");
    writer.write_shstrtab().expect("names are below 4 GiB");
    Body { names, offsets, relocations, locals }
}

/// Writes the symbol table. Returns each symbol's number in it, and the number of local ones.
fn write_symbols<'a>(writer: &mut Writer<'a, SinglePhase>, unit: &'a Unit) -> (Vec<u32>, u32) {
    let mut order: Vec<usize> = (0..unit.symbols.len()).collect();
    order.sort_by_key(|&index| unit.symbols[index].binding);
    let names: Vec<Option<StringId>> = unit
        .symbols
        .iter()
        .map(|symbol| (!symbol.name.is_empty()).then(|| writer.add_string(symbol.name.as_bytes())))
        .collect();
    writer.write_null_symbol();
    let mut numbers = vec![0; unit.symbols.len()];
    let mut locals = 1;
    for index in order {
        let symbol = &unit.symbols[index];
        let bind = match symbol.binding {
            Binding::Local => elf::STB_LOCAL,
            Binding::Global => elf::STB_GLOBAL,
        };
        let kind = match symbol.kind {
            SymbolKind::Bare => elf::STT_NOTYPE,
            SymbolKind::Function => elf::STT_FUNC,
            SymbolKind::Object => elf::STT_OBJECT,
            SymbolKind::Section => elf::STT_SECTION,
        };
        let number = writer.write_symbol(&Sym {
            section: symbol.place.map(|(section, _)| section.0 as u32 + 1),
            st_name: writer.string_offset(names[index]),
            st_info: elf::SymbolInfo::new(bind, kind),
            st_other: elf::SymbolOther(elf::STV_DEFAULT.0),
            st_shndx: elf::SHN_UNDEF,
            st_value: unit.value(super::unit::SymbolId(index)).unwrap_or(0).into(),
            st_size: symbol.size.into(),
        });
        numbers[index] = number.0;
        locals += u32::from(symbol.binding == Binding::Local);
    }
    (numbers, locals)
}

fn write_headers(writer: &mut Writer<'_, SinglePhase>, unit: &Unit, body: Body) {
    writer.write_null_section_header();
    for (index, section) in unit.sections.iter().enumerate() {
        let (sh_type, sh_flags) = section_type(section);
        writer.write_section_header(&SectionHeader {
            sh_name: writer.section_name_offset(Some(body.names[index])),
            sh_type,
            sh_flags,
            sh_addr: section.address.into(),
            sh_offset: body.offsets[index],
            sh_size: section.size.into(),
            sh_link: 0,
            sh_info: 0,
            sh_addralign: section.align.into(),
            sh_entsize: 0,
        });
    }
    writer.write_strtab_section_header();
    writer.write_symtab_section_header(body.locals);
    // The null section, then ours, then the string table, then the symbol table.
    let symbols = SectionIndex(unit.sections.len() as u32 + 2);
    for (index, relocations) in body.relocations.iter().enumerate() {
        let Some((name, offset)) = *relocations else {
            continue;
        };
        let count = unit.sections[index].relocations.len();
        let section = SectionIndex(index as u32 + 1);
        writer.write_relocation_section_header(name, section, symbols, offset, count, false);
    }
    writer.write_shstrtab_section_header();
}

fn section_type(section: &Section) -> (elf::SectionType, elf::SectionFlags) {
    let none = elf::SectionFlags(0);
    match section.kind {
        SectionKind::Code => (elf::SHT_PROGBITS, elf::SHF_ALLOC | elf::SHF_EXECINSTR),
        SectionKind::Constants => (elf::SHT_PROGBITS, elf::SHF_ALLOC),
        SectionKind::Zeroed => (elf::SHT_NOBITS, elf::SHF_ALLOC | elf::SHF_WRITE),
        SectionKind::Unloaded => (elf::SHT_PROGBITS, none),
        SectionKind::Attributes => (elf::SHT_ARM_ATTRIBUTES, none),
    }
}

fn relocation_type(kind: RelocationKind) -> elf::RelocationType {
    match kind {
        RelocationKind::ThmCall => elf::R_ARM_THM_PC22,
        RelocationKind::ThmJump => elf::R_ARM_THM_JUMP24,
        RelocationKind::MovwAbsNc => elf::R_ARM_THM_MOVW_ABS_NC,
        RelocationKind::MovtAbs => elf::R_ARM_THM_MOVT_ABS,
        RelocationKind::Abs32 => elf::R_ARM_ABS32,
    }
}

fn program_header(section: &Section, offset: u64) -> ProgramHeader {
    let (p_flags, p_filesz) = match section.kind {
        SectionKind::Zeroed => (elf::PF_R | elf::PF_W, 0),
        SectionKind::Code => (elf::PF_R | elf::PF_X, section.size),
        SectionKind::Constants | SectionKind::Unloaded | SectionKind::Attributes => (elf::PF_R, section.size),
    };
    ProgramHeader {
        p_type: elf::PT_LOAD,
        p_flags,
        p_offset: offset,
        p_vaddr: section.address.into(),
        p_paddr: section.address.into(),
        p_filesz: p_filesz.into(),
        p_memsz: section.size.into(),
        p_align: section.align.into(),
    }
}
