//! Reads what an ELF file says: sections, segments, symbols, relocations.
//!
//! ELF for the Arm Architecture (AAELF32) on top of the System V gABI; 32-bit, little-endian, Arm,
//! relocatable or executable. Requires nothing: any bytes may come in. Ensures: every offset and
//! index that is handed out was checked against the file; what is not understood is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is wrong with the file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElfError {
    /// Byte offset in the file.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (file offset {:#x})", self.message, self.offset)
    }
}

impl std::error::Error for ElfError {}

/// The section of frame information, which is not loaded (DWARF 5, 6.4.1).
pub const FRAME_SECTION: &str = ".debug_frame";

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// To be linked.
    Relocatable,
    /// Linked, at fixed addresses.
    Executable,
}

/// What a section holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// Bytes of the file.
    Bytes,
    /// Zeros, which the file does not store.
    Zeros,
    /// Tables of this format: symbols, strings, relocations.
    Tables,
}

/// A section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub contents: Contents,
    /// Whether it occupies memory when the program runs.
    pub allocated: bool,
    /// Whether it may be written then.
    pub writable: bool,
    /// Whether it may be executed then.
    pub executable: bool,
    /// Its address, in an executable file.
    pub address: u32,
    /// File offset of its bytes.
    pub offset: usize,
    /// Its size in bytes.
    pub bytes: u32,
    /// Its alignment.
    pub align: u32,
}

/// A segment to load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// File offset of its bytes.
    pub offset: usize,
    /// Address while the program runs.
    pub virtual_address: u32,
    /// Address at which the bytes are before the program starts.
    pub physical_address: u32,
    /// Bytes from the file.
    pub file_bytes: u32,
    /// Bytes in memory; those past the file's are not initialised by loading.
    pub memory_bytes: u32,
    /// Whether it may be written.
    pub writable: bool,
    /// Whether it may be executed.
    pub executable: bool,
}

/// How a symbol takes part in linking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// Seen only in this file.
    Local,
    /// Seen everywhere, once.
    Global,
    /// Replaced by a global one of that name.
    Weak,
}

/// What a symbol names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolKind {
    /// Nothing in particular.
    None,
    /// Data.
    Object,
    /// Code.
    Function,
    /// A section.
    Section,
    /// A source file.
    File,
}

/// Where a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// In no section of this file.
    Undefined,
    /// A plain number.
    Absolute,
    /// In this section.
    Section(usize),
}

/// A symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its value: offset in its section (relocatable) or address (executable).
    pub value: u32,
    /// Its size in bytes.
    pub bytes: u32,
    /// How it links.
    pub binding: Binding,
    /// What it names.
    pub kind: SymbolKind,
    /// Whether its visibility is the default one.
    pub default_visibility: bool,
    /// Where it is.
    pub home: Home,
}

/// A relocation of the closed list (AAELF32, 5.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelocationKind {
    /// `R_ARM_ABS32`: (S + A) | T.
    Abs32,
    /// `R_ARM_THM_CALL`: BL.
    ThumbCall,
    /// R_ARM_THM_JUMP24: B.
    ThumbJump,
    /// `R_ARM_THM_MOVW_ABS_NC`: low half of (S + A) | T.
    MovwAbs,
    /// `R_ARM_THM_MOVT_ABS`: high half of S + A.
    MovtAbs,
}

/// A relocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Section that is changed.
    pub section: usize,
    /// Offset in it.
    pub offset: u32,
    /// How.
    pub kind: RelocationKind,
    /// Index of the symbol.
    pub symbol: usize,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elf<'a> {
    /// All bytes.
    pub data: &'a [u8],
    /// What kind of file it is.
    pub kind: FileKind,
    /// The entry point, in an executable file.
    pub entry: u32,
    /// Sections by index.
    pub sections: Vec<Section>,
    /// Segments to load.
    pub segments: Vec<Segment>,
    /// Symbols by index.
    pub symbols: Vec<Symbol>,
    /// Relocations of allocated sections.
    pub relocations: Vec<Relocation>,
    /// Relocations of [`FRAME_SECTION`].
    pub frame_relocations: Vec<Relocation>,
    /// The build attributes, if the file has some.
    pub attributes: Option<&'a [u8]>,
    /// The index of the defined symbol of a name, or none if there are several.
    names: BTreeMap<String, Option<usize>>,
}

impl<'a> Elf<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn read(data: &'a [u8]) -> Result<Elf<'a>, ElfError> {
        Reader { data }.elf()
    }

    /// The bytes of a section that has some in the file.
    pub fn bytes(&self, section: &Section) -> &'a [u8] {
        match section.contents {
            Contents::Zeros => &[],
            Contents::Bytes | Contents::Tables => &self.data[section.offset..section.offset + section.bytes as usize],
        }
    }

    /// The section of this name and its index, if there is exactly one.
    pub fn section(&self, name: &str) -> Option<(usize, &Section)> {
        let mut found = self.sections.iter().enumerate().filter(|(_, section)| section.name == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The defined symbol of this name, if there is exactly one.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.names.get(name).copied().flatten().and_then(|index| self.symbols.get(index))
    }
}

struct Reader<'a> {
    data: &'a [u8],
}

/// A section header as it stands in the file.
struct Header {
    at: usize,
    name: u32,
    kind: u32,
    flags: u32,
    address: u32,
    offset: u32,
    bytes: u32,
    link: u32,
    info: u32,
    align: u32,
    entry_bytes: u32,
}

const SHN_LORESERVE: usize = 0xff00;
const SHT_NULL: u32 = 0;
const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_RELA: u32 = 4;
const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHT_REL: u32 = 9;
const SHT_ARM_ATTRIBUTES: u32 = 0x7000_0003;
const PT_LOAD: u32 = 1;
const SHF_WRITE: u32 = 1;
const SHF_ALLOC: u32 = 2;
const SHF_EXECINSTR: u32 = 4;

impl<'a> Reader<'a> {
    fn elf(&self) -> Result<Elf<'a>, ElfError> {
        self.identification()?;
        let kind = match self.half(16)? {
            1 => FileKind::Relocatable,
            2 => FileKind::Executable,
            other => return Err(error(16, format!("file type {other} is neither relocatable nor executable"))),
        };
        let flags = self.word(36)?;
        if flags >> 24 != 5 || flags & 0x0080_0000 != 0 {
            return Err(error(36, format!("flags {flags:#x} are not those of little-endian EABI version 5")));
        }
        let headers = self.headers()?;
        headers.iter().try_for_each(linkable)?;
        let names = headers.get(usize::from(self.half(50)?)).ok_or_else(|| error(50, "no section names".into()))?;
        let names = self.slice(names.offset, names.bytes, names.at)?;
        let sections: Vec<Section> =
            headers.iter().map(|header| self.section(header, names)).collect::<Result<_, _>>()?;
        let symbols = self.symbols(&headers)?;
        let relocations = self.relocations(&headers, &sections, symbols.len())?;
        if let Some(one) = relocations.iter().find(|one| sections[one.section].allocated)
            && kind == FileKind::Executable
        {
            // No loader of the boards applies them: the bytes of the file are what runs.
            let name = &sections[one.section].name;
            return Err(error(0, format!("section {name} of a linked file has relocations")));
        }
        let of_frames = |relocation: &Relocation| sections[relocation.section].name == FRAME_SECTION;
        let (frame_relocations, relocations) = relocations.into_iter().partition(of_frames);
        let segments = self.segments()?;
        let mut names = BTreeMap::new();
        for (index, symbol) in symbols.iter().enumerate().filter(|(_, symbol)| symbol.home != Home::Undefined) {
            names.entry(symbol.name.clone()).and_modify(|found| *found = None).or_insert(Some(index));
        }
        let elf = Elf {
            data: self.data,
            kind,
            entry: self.word(24)?,
            sections,
            segments,
            symbols,
            relocations,
            frame_relocations,
            attributes: None,
            names,
        };
        let elf = Elf { attributes: self.attributes(&headers, &elf.sections)?, ..elf };
        disjoint(&elf)?;
        Ok(elf)
    }

    fn identification(&self) -> Result<(), ElfError> {
        let wanted: [(usize, u8, &str); 7] = [
            (0, 0x7f, "this is no ELF file"),
            (1, b'E', "this is no ELF file"),
            (2, b'L', "this is no ELF file"),
            (3, b'F', "this is no ELF file"),
            (4, 1, "the file is not 32-bit"),
            (5, 1, "the file is not little-endian"),
            (6, 1, "the ELF version is not 1"),
        ];
        for (at, byte, message) in wanted {
            if self.data.get(at) != Some(&byte) {
                return Err(error(at, message.to_owned()));
            }
        }
        match self.half(18)? {
            40 => Ok(()),
            other => Err(error(18, format!("machine {other} is not Arm"))),
        }
    }

    fn headers(&self) -> Result<Vec<Header>, ElfError> {
        let start = self.word(32)? as usize;
        let (size, count) = (usize::from(self.half(46)?), usize::from(self.half(48)?));
        if count > 0 && size != 40 {
            return Err(error(46, format!("section headers of {size} bytes")));
        }
        // From here on the numbers of sections are reserved: a symbol's mean something else (gABI, special sections).
        if count >= SHN_LORESERVE {
            return Err(error(48, format!("{count} section headers")));
        }
        (0..count)
            .map(|index| {
                let at =
                    start.checked_add(40 * index).ok_or_else(|| error(32, "section headers lie outside".into()))?;
                Ok(Header {
                    at,
                    name: self.word(at)?,
                    kind: self.word(at + 4)?,
                    flags: self.word(at + 8)?,
                    address: self.word(at + 12)?,
                    offset: self.word(at + 16)?,
                    bytes: self.word(at + 20)?,
                    link: self.word(at + 24)?,
                    info: self.word(at + 28)?,
                    align: self.word(at + 32)?,
                    entry_bytes: self.word(at + 36)?,
                })
            })
            .collect()
    }

    fn section(&self, header: &Header, names: &[u8]) -> Result<Section, ElfError> {
        let allocated = header.flags & SHF_ALLOC != 0;
        let contents = match header.kind {
            SHT_PROGBITS => Contents::Bytes,
            SHT_ARM_ATTRIBUTES if !allocated => Contents::Bytes,
            SHT_NOBITS => Contents::Zeros,
            kind if allocated => {
                return Err(error(header.at + 4, format!("a loaded section has type {kind:#x}")));
            }
            _ => Contents::Tables,
        };
        if contents != Contents::Zeros {
            self.slice(header.offset, header.bytes, header.at)?;
        }
        if header.address.checked_add(header.bytes).is_none() {
            return Err(error(header.at + 12, "a section wraps around the address space".to_owned()));
        }
        let name = string(names, header.name, header.at)?;
        // Its bytes are what readers read: not compressed, not merged with others.
        if name == FRAME_SECTION && header.flags != 0 {
            return Err(error(header.at + 8, format!("{name} has flags {:#x}", header.flags)));
        }
        Ok(Section {
            name,
            contents,
            allocated,
            writable: header.flags & SHF_WRITE != 0,
            executable: header.flags & SHF_EXECINSTR != 0,
            address: header.address,
            offset: header.offset as usize,
            bytes: header.bytes,
            align: header.align.max(1),
        })
    }

    fn symbols(&self, headers: &[Header]) -> Result<Vec<Symbol>, ElfError> {
        let mut tables = headers.iter().filter(|header| header.kind == SHT_SYMTAB);
        let Some(table) = tables.next() else { return Ok(Vec::new()) };
        if let Some(second) = tables.next() {
            return Err(error(second.at, "there are two symbol tables".to_owned()));
        }
        let strings =
            headers.get(table.link as usize).ok_or_else(|| error(table.at + 24, "symbols have no names".into()))?;
        let strings = self.slice(strings.offset, strings.bytes, strings.at)?;
        // A linker takes the rows before `sh_info` for local ones, whatever they say (gABI, sections).
        let locals = table.info as usize;
        let rows = self.rows(table, 16)?.enumerate();
        rows.map(|(index, at)| {
            let symbol = self.symbol(at, strings, headers.len())?;
            // The first row stands for no symbol (gABI, symbol table): to relocations it is the number 0.
            if index == 0 && self.slice(at as u32, 16, at)?.iter().any(|byte| *byte != 0) {
                return Err(error(at, "the first symbol, which is none, says something".to_owned()));
            }
            if (symbol.binding == Binding::Local) != (index < locals) {
                return Err(error(at + 12, format!("{:?} is on the wrong side of the local symbols", symbol.name)));
            }
            Ok(symbol)
        })
        .collect()
    }

    /// Linkers find the attributes by the section's type, or by its name.
    fn attributes(&self, headers: &[Header], sections: &[Section]) -> Result<Option<&'a [u8]>, ElfError> {
        let with_names = headers.iter().zip(sections);
        let mut found = with_names.filter(|(header, _)| header.kind == SHT_ARM_ATTRIBUTES);
        let Some((header, section)) = found.next() else { return Ok(None) };
        if let Some((second, _)) = found.next() {
            return Err(error(second.at, "there are two sections of build attributes".to_owned()));
        }
        if section.name != ".ARM.attributes" {
            return Err(error(header.at, "build attributes in a section that linkers do not look for".to_owned()));
        }
        self.slice(header.offset, header.bytes, header.at).map(Some)
    }

    fn symbol(&self, at: usize, strings: &[u8], section_count: usize) -> Result<Symbol, ElfError> {
        let info = self.half(at + 12)?;
        let binding = match (info >> 4) & 15 {
            0 => Binding::Local,
            1 => Binding::Global,
            2 => Binding::Weak,
            other => return Err(error(at + 12, format!("symbol binding {other} is unknown"))),
        };
        let kind = match info & 15 {
            0 => SymbolKind::None,
            1 => SymbolKind::Object,
            2 => SymbolKind::Function,
            3 => SymbolKind::Section,
            4 => SymbolKind::File,
            other => return Err(error(at + 12, format!("symbol type {other} is unknown"))),
        };
        let home = match self.half(at + 14)? {
            0 => Home::Undefined,
            0xfff1 => Home::Absolute,
            index if usize::from(index) < section_count => Home::Section(usize::from(index)),
            other => return Err(error(at + 14, format!("a symbol lies in section {other}, which there is not"))),
        };
        Ok(Symbol {
            name: string(strings, self.word(at)?, at)?,
            value: self.word(at + 4)?,
            bytes: self.word(at + 8)?,
            binding,
            kind,
            default_visibility: (info >> 8) & 3 == 0,
            home,
        })
    }

    fn relocations(
        &self,
        headers: &[Header],
        sections: &[Section],
        symbol_count: usize,
    ) -> Result<Vec<Relocation>, ElfError> {
        let mut relocations = Vec::new();
        let mut relocated = BTreeSet::new();
        for header in headers {
            let target = header.info as usize;
            let is_read = |section: &Section| section.allocated || section.name == FRAME_SECTION;
            let of_read = sections.get(target).is_some_and(is_read);
            match header.kind {
                SHT_RELA if of_read => {
                    return Err(error(header.at, "relocations with addends are not used on Arm".to_owned()));
                }
                SHT_REL if of_read => {
                    if headers.get(header.link as usize).is_none_or(|table| table.kind != SHT_SYMTAB) {
                        return Err(error(header.at + 24, "relocations of no symbol table".to_owned()));
                    }
                    // Linkers read the first such section alone.
                    if !relocated.insert(target) {
                        return Err(error(header.at, "a section has two sections of relocations".to_owned()));
                    }
                    for at in self.rows(header, 8)? {
                        relocations.push(self.relocation(at, target, sections, symbol_count)?);
                    }
                }
                _ => {}
            }
        }
        check_single(&relocations)?;
        Ok(relocations)
    }

    fn relocation(
        &self,
        at: usize,
        section: usize,
        sections: &[Section],
        symbol_count: usize,
    ) -> Result<Relocation, ElfError> {
        let (offset, info) = (self.word(at)?, self.word(at + 4)?);
        let kind = match info & 255 {
            2 => RelocationKind::Abs32,
            10 => RelocationKind::ThumbCall,
            30 => RelocationKind::ThumbJump,
            47 => RelocationKind::MovwAbs,
            48 => RelocationKind::MovtAbs,
            other => return Err(error(at + 4, format!("relocation type {other} is not modelled"))),
        };
        let symbol = (info >> 8) as usize;
        if symbol == 0 || symbol >= symbol_count {
            return Err(error(at + 4, format!("a relocation names symbol {symbol}, which there is not")));
        }
        let inside = offset.checked_add(4).is_some_and(|end| end <= sections[section].bytes);
        if !inside || sections[section].contents != Contents::Bytes {
            return Err(error(at, "a relocation lies outside its section".to_owned()));
        }
        Ok(Relocation { section, offset, kind, symbol })
    }

    fn segments(&self) -> Result<Vec<Segment>, ElfError> {
        let start = self.word(28)? as usize;
        let (size, count) = (usize::from(self.half(42)?), usize::from(self.half(44)?));
        // The number stands elsewhere then (gABI, program header).
        if count == 0xffff {
            return Err(error(44, "there are too many program headers".to_owned()));
        }
        if count > 0 && size != 32 {
            return Err(error(42, format!("program headers of {size} bytes")));
        }
        let mut segments = Vec::new();
        for index in 0..count {
            let at = start.checked_add(32 * index).ok_or_else(|| error(28, "program headers lie outside".into()))?;
            let kind = self.word(at)?;
            if kind != PT_LOAD {
                return Err(error(at, format!("program header type {kind:#x} is not modelled")));
            }
            let flags = self.word(at + 24)?;
            let segment = Segment {
                offset: self.word(at + 4)? as usize,
                virtual_address: self.word(at + 8)?,
                physical_address: self.word(at + 12)?,
                file_bytes: self.word(at + 16)?,
                memory_bytes: self.word(at + 20)?,
                writable: flags & 2 != 0,
                executable: flags & 1 != 0,
            };
            self.slice(self.word(at + 4)?, segment.file_bytes, at)?;
            let wraps = [segment.virtual_address, segment.physical_address]
                .iter()
                .any(|address| address.checked_add(segment.memory_bytes).is_none());
            if wraps || segment.file_bytes > segment.memory_bytes {
                return Err(error(at, "a segment does not fit the address space".to_owned()));
            }
            if segment.writable && segment.executable {
                return Err(error(at + 24, "a segment is both writable and executable".to_owned()));
            }
            segments.push(segment);
        }
        Ok(segments)
    }

    fn rows(&self, header: &Header, row_bytes: u32) -> Result<impl Iterator<Item = usize> + use<>, ElfError> {
        if header.entry_bytes != row_bytes || !header.bytes.is_multiple_of(row_bytes) {
            return Err(error(header.at + 36, format!("a table has rows of {} bytes", header.entry_bytes)));
        }
        self.slice(header.offset, header.bytes, header.at)?;
        let (start, step) = (header.offset as usize, row_bytes as usize);
        Ok((start..start + header.bytes as usize).step_by(step))
    }

    fn slice(&self, offset: u32, bytes: u32, at: usize) -> Result<&'a [u8], ElfError> {
        let end = (offset as usize).checked_add(bytes as usize);
        end.and_then(|end| self.data.get(offset as usize..end))
            .ok_or_else(|| error(at, format!("{bytes} bytes at {offset:#x} lie outside the file")))
    }

    fn half(&self, at: usize) -> Result<u16, ElfError> {
        let bytes = self.data.get(at..).and_then(|rest| rest.first_chunk::<2>());
        bytes.map(|bytes| u16::from_le_bytes(*bytes)).ok_or_else(|| error(at, "the file ends here".to_owned()))
    }

    fn word(&self, at: usize) -> Result<u32, ElfError> {
        let bytes = self.data.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(|| error(at, "the file ends here".to_owned()))
    }
}

/// A linker, or a tool that reads an image by its sections, takes the section for what it is here: no merging, grouping, compression, thread-local
/// storage, and no relocations of another format.
fn linkable(header: &Header) -> Result<(), ElfError> {
    let is_known = matches!(
        header.kind,
        SHT_NULL
            | SHT_PROGBITS
            | SHT_SYMTAB
            | SHT_STRTAB
            | SHT_RELA
            | SHT_NOTE
            | SHT_NOBITS
            | SHT_REL
            | SHT_ARM_ATTRIBUTES
    );
    if !is_known {
        return Err(error(header.at + 4, format!("section type {:#x} is not modelled", header.kind)));
    }
    let plain = SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR;
    if header.flags & SHF_ALLOC != 0 && header.flags & !plain != 0 {
        return Err(error(header.at + 8, format!("a loaded section has flags {:#x}", header.flags)));
    }
    Ok(())
}

/// Loaded sections and segments of an executable file do not overlap.
fn disjoint(elf: &Elf<'_>) -> Result<(), ElfError> {
    if elf.kind == FileKind::Relocatable {
        return Ok(());
    }
    let sections = elf.sections.iter().filter(|section| section.allocated && section.bytes > 0);
    let mut ranges: Vec<(u32, u32)> =
        sections.map(|section| (section.address, section.address + section.bytes)).collect();
    check_disjoint(&mut ranges, "sections")?;
    let places = |address: fn(&Segment) -> u32, bytes: fn(&Segment) -> u32| -> Vec<(u32, u32)> {
        let segments = elf.segments.iter().filter(|segment| bytes(segment) > 0);
        segments.map(|segment| (address(segment), address(segment) + bytes(segment))).collect()
    };
    let mut used = places(|segment| segment.virtual_address, |segment| segment.memory_bytes);
    check_disjoint(&mut used, "segments")?;
    // What lies where at reset is decided at the load addresses; what the file has no bytes for may be made zeros.
    let mut loaded = places(|segment| segment.physical_address, |segment| segment.memory_bytes);
    check_disjoint(&mut loaded, "segments as loaded")
}

/// Each byte is relocated at most once.
fn check_single(relocations: &[Relocation]) -> Result<(), ElfError> {
    let mut places: Vec<(usize, u32)> = relocations.iter().map(|one| (one.section, one.offset)).collect();
    places.sort_unstable();
    match places.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 - pair[0].1 < 4) {
        Some(pair) => Err(error(0, format!("two relocations of section {} at {:#x}", pair[1].0, pair[1].1))),
        None => Ok(()),
    }
}

fn check_disjoint(ranges: &mut [(u32, u32)], what: &str) -> Result<(), ElfError> {
    ranges.sort_unstable();
    match ranges.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => Err(error(0, format!("two {what} overlap at address {:#x}", pair[1].0))),
        None => Ok(()),
    }
}

fn string(table: &[u8], at: u32, header: usize) -> Result<String, ElfError> {
    let rest = table.get(at as usize..).ok_or_else(|| error(header, "a name lies outside its table".to_owned()))?;
    let end = rest.iter().position(|byte| *byte == 0).ok_or_else(|| error(header, "a name has no end".to_owned()))?;
    Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
}

fn error(offset: usize, message: String) -> ElfError {
    ElfError { offset, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_an_error() {
        assert_eq!(Elf::read(b"").unwrap_err().offset, 0);
        assert!(Elf::read(b"\x7fELF").is_err());
        let mut bytes = vec![0u8; 200];
        bytes[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        for seed in 0..2000u32 {
            let at = 7 + (seed.wrapping_mul(2_654_435_761) as usize) % 190;
            bytes[at] = (seed >> 3) as u8;
            let _ = Elf::read(&bytes);
        }
    }
}
