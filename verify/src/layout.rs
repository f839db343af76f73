//! Whether sections, segments and symbols lie as the proofs take for granted.
//!
//! Requires: a file that the reader accepted. Ensures: [`check`] finds nothing only if the bytes that
//! are judged are the bytes that run, no region shares storage with another or with code, and linking
//! cannot bind a name to what the module does not mean.

use std::collections::BTreeSet;

use crate::abi;
use crate::attributes;
use crate::elf::{Binding, Contents, Elf, FileKind, Home, Section, Segment, Symbol, SymbolKind};
use crate::hints::Hints;
use crate::thumb::feature::Architecture;
use crate::wasm::module::{Exported, Module};

/// The section in which an image has the code that runs after instantiation, and on exceptions.
pub const HARNESS: &str = ".synth.harness";

/// Entries of the vector table that the architecture has a use for (DDI0403, B1.5.2). Those behind are for interrupts of
/// devices, which are not enabled at reset.
const SYSTEM_VECTORS: u32 = 16;

/// The first of them that is an exception; before it stand the initial SP and the address of `Reset`.
const FIRST_EXCEPTION: u32 = 2;

/// A board that images are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Board {
    /// What it is called.
    pub name: &'static str,
    /// The architectures of its processors.
    architectures: &'static [Architecture],
    /// Where a processor finds the vector table at reset.
    pub vectors: u32,
    /// Memory of its own: each byte has no second address in these ranges. Elsewhere a board has mirrors of
    /// the same memory, windows on its bits, and devices.
    pub memory: [(u32, u32); 2],
    /// What of it programs cannot write to.
    flash: (u32, u32),
}

/// Every board. Of those with one architecture a smaller one stands before a larger one.
const BOARDS: [Board; 4] = [
    // nRF51 Series Reference Manual, 4 and 5.
    Board {
        name: "BBC micro:bit",
        architectures: &[Architecture::V6M],
        vectors: 0,
        memory: [(0, 0x0004_0000), (0x2000_0000, 0x2000_4000)],
        flash: (0, 0x0004_0000),
    },
    // Arm DAI0385, DAI0386, DAI0500.
    Board {
        name: "MPS2 with AN385, AN386 or AN500",
        architectures: &[Architecture::V6M, Architecture::V7M, Architecture::V7EM],
        vectors: 0,
        memory: [(0, 0x0040_0000), (0x2000_0000, 0x2040_0000)],
        flash: (0, 0),
    },
    // Arm DAI0505: the Secure addresses, where its processor starts.
    Board {
        name: "MPS2 with AN505",
        architectures: &[Architecture::V8M, Architecture::V8MDsp],
        vectors: 0x1000_0000,
        memory: [(0x1000_0000, 0x1040_0000), (0x3800_0000, 0x3840_0000)],
        flash: (0, 0),
    },
    // Arm DAI0524: Secure addresses, of the block RAM and of the first part of the DDR memory.
    Board {
        name: "MPS3 with AN524",
        architectures: &[Architecture::V8M, Architecture::V8MDsp],
        vectors: 0x1000_0000,
        memory: [(0x1000_0000, 0x1008_0000), (0x7000_0000, 0x8000_0000)],
        flash: (0, 0),
    },
];

/// The board that an image is for: the first of its architecture that has all the memory that the image
/// takes, its stack included, or else the largest, of which it takes what is not there.
pub fn board(elf: &Elf<'_>) -> &'static Board {
    let architecture = attributes::read(elf).unwrap_or_default().architecture;
    let loaded = elf.segments.iter().map(|segment| (segment.virtual_address, segment.memory_bytes));
    let zeros = elf.sections.iter().filter(|found| found.allocated && found.contents == Contents::Zeros);
    let loaded: Vec<(u32, u32)> = loaded.collect();
    let zeros: Vec<(u32, u32)> = zeros.map(|section| (section.address, section.bytes)).collect();
    let fits = |board: &Board| {
        let stack = word(elf, board.vectors).map(|end| (end.wrapping_sub(4), 4));
        let written = zeros.iter().copied().chain(stack);
        loaded.iter().all(|(address, bytes)| board.has(*address, *bytes))
            && written.into_iter().all(|(address, bytes)| board.has_ram(address, bytes))
    };
    let of_architecture = || BOARDS.iter().filter(|board| board.architectures.contains(&architecture));
    let fitting = of_architecture().find(|board| fits(board));
    fitting.or_else(|| of_architecture().next_back()).expect("every architecture has a board")
}

/// Whether an address of Thumb code, bit 0 set, is one of a section of an image.
fn is_code_of(section: &Section, address: u32) -> bool {
    address & 1 == 1 && (address & !1).checked_sub(section.address).is_some_and(|at| at < section.bytes)
}

/// The word that is loaded to an address.
fn word(elf: &Elf<'_>, address: u32) -> Option<u32> {
    let (segment, at) = loading(elf, address)?;
    let bytes = elf.data.get(segment.offset + at as usize..)?;
    bytes.first_chunk().map(|word| u32::from_le_bytes(*word))
}

/// The segment that loads a word to an address, and where in it.
fn loading<'a>(elf: &'a Elf<'_>, address: u32) -> Option<(&'a Segment, u32)> {
    let segments = elf.segments.iter().filter(|segment| segment.physical_address <= address);
    let mut places = segments.map(|segment| (segment, address - segment.physical_address));
    places.find(|(segment, at)| at.checked_add(4).is_some_and(|end| end <= segment.file_bytes))
}

impl Board {
    /// Whether some bytes lie in one range of its memory.
    pub fn has(&self, address: u32, bytes: u32) -> bool {
        let end = address.checked_add(bytes);
        self.memory.iter().any(|range| address >= range.0 && end.is_some_and(|end| end <= range.1))
    }

    /// Whether they lie in one range of it, and programs can write to them.
    pub fn has_ram(&self, address: u32, bytes: u32) -> bool {
        self.has(address, bytes) && (address >= self.flash.1 || address.saturating_add(bytes) <= self.flash.0)
    }
}

/// Symbols of the module's own data, behind its name and a dot, and what stands before and behind its name in
/// their sections.
fn own_data(module: &Module) -> Vec<(String, &'static str, String)> {
    let fixed = [("instance", ".bss"), ("functions", ".rodata"), ("elements", ".rodata"), ("data", ".rodata")];
    let fixed = fixed.map(|(what, before)| (what.to_owned(), before));
    let memories =
        module.memories.iter().enumerate().map(|(index, memory)| {
            (format!("memory{index}"), if memory.segment.is_some() { ".rodata" } else { ".bss" })
        });
    let tables = (0..module.tables.len() as u32).map(|table| {
        let before = if module.changes_table(table) { ".bss" } else { ".rodata" };
        (format!("table{table}"), before)
    });
    memories.chain(tables).chain(fixed).map(|(what, before)| (what.clone(), before, what)).collect()
}

/// What is not as it must be, in sentences.
pub fn check(elf: &Elf<'_>, module: &Module, hints: &Hints, text: usize) -> Vec<String> {
    let mut layout = Layout { elf, module, hints, text, board: board(elf), wrong: Vec::new() };
    layout.names();
    layout.sections();
    layout.own_data();
    match elf.kind {
        FileKind::Relocatable => layout.object(),
        FileKind::Executable => layout.image(),
    }
    layout.wrong
}

struct Layout<'a> {
    elf: &'a Elf<'a>,
    module: &'a Module,
    hints: &'a Hints,
    text: usize,
    board: &'static Board,
    wrong: Vec<String>,
}

impl<'a> Layout<'a> {
    /// The file's own symbols for data, with their sections.
    fn own(&self) -> Vec<(&'a Symbol, usize)> {
        let elf = self.elf;
        let own = own_data(self.module);
        let named = own.iter().filter_map(|(what, ..)| elf.symbol(&format!("{}.{what}", self.hints.module_name)));
        let placed = named.filter_map(|symbol| match symbol.home {
            Home::Section(section) => Some((symbol, section)),
            Home::Undefined | Home::Absolute => None,
        });
        placed.collect()
    }

    /// The prefix of exports is one of the two that a user may ask for.
    fn names(&mut self) {
        let (prefix, name) = (&self.hints.export_prefix, &self.hints.module_name);
        if !prefix.is_empty() && *prefix != format!("{name}_") {
            self.wrong.push(format!("exports are prefixed by {prefix:?}, which is not the module's name"));
        }
    }

    /// No two regions share a byte, and linkers take each for data: to the address of a function they add bit 0
    /// (AAELF32, 5.5.3).
    fn own_data(&mut self) {
        let own = self.own();
        for (index, (one, section)) in own.iter().enumerate() {
            if one.kind != SymbolKind::Object {
                self.wrong.push(format!("{} is no symbol of data", one.name));
            }
            for (other, _) in own[..index].iter().filter(|(_, home)| home == section) {
                if one.value < other.value.saturating_add(other.bytes)
                    && other.value < one.value.saturating_add(one.bytes)
                {
                    self.wrong.push(format!("{} and {} overlap", other.name, one.name));
                }
            }
        }
    }

    fn object(&mut self) {
        // Literals are found at multiples of 4 bytes.
        if !self.elf.sections[self.text].align.is_multiple_of(4) {
            self.wrong.push("the code is not aligned to 4 bytes".to_owned());
        }
        let own: Vec<usize> = self.own().into_iter().map(|(_, section)| section).collect();
        for section in own.iter().chain([&self.text]).map(|index| &self.elf.sections[*index]) {
            if !section.align.is_power_of_two() {
                self.wrong.push(format!("section {} is aligned to {} bytes", section.name, section.align));
            }
        }
        // Linkers place sections by their names.
        let module = &self.hints.module_name;
        for (what, before, behind) in own_data(self.module) {
            let home = self.elf.symbol(&format!("{module}.{what}")).map(|symbol| symbol.home);
            let wanted = format!("{before}.{module}.{behind}");
            let Some(Home::Section(index)) = home else { continue };
            let section = &self.elf.sections[index];
            if section.name != wanted || section.writable != (before == ".bss") {
                self.wrong.push(format!("{module}.{what} does not lie in section {wanted} of its kind"));
            }
        }
        // What a linker gives a meaning by its name, such as `.init_array`, is none of the module's.
        for (index, section) in self.elf.sections.iter().enumerate() {
            if section.allocated && section.bytes > 0 && index != self.text && !own.contains(&index) {
                self.wrong.push(format!("section {} is loaded and belongs to nothing in the module", section.name));
            }
        }
        if abi::passes_floats(self.module) && !attributes::has_floats(self.elf) {
            self.wrong
                .push("build attributes: they do not say that there are floats, and how is not compared".to_owned());
        }
        self.defined();
        self.undefined();
    }

    /// What is defined for others is what the module exports, and the function that instantiates it. A linker binds
    /// what others mean by such a name, a handler or a library's function, to the definition here.
    fn defined(&mut self) {
        let exported = self.module.exports.iter().filter_map(|export| match export.item {
            Exported::Function(_) => Some(abi::exported_item(export, &self.hints.export_prefix)),
            Exported::Global(global) => {
                let has_cell = self.module.globals.get(global as usize).is_some_and(|global| global.mutable);
                has_cell.then(|| abi::exported_item(export, &self.hints.export_prefix))
            }
            Exported::Memory(memory) => Some(abi::exported_memory(&self.hints.module_name, memory)),
            Exported::Table(_) => None,
        });
        let wanted: BTreeSet<String> = exported.chain([format!("{}_init", self.hints.module_name)]).collect();
        let defined = self.elf.symbols.iter().filter(|symbol| symbol.home != Home::Undefined);
        for symbol in defined.filter(|symbol| symbol.binding != Binding::Local) {
            if !wanted.contains(&symbol.name) {
                self.wrong
                    .push(format!("{:?} is defined for others, and is nothing that the module exports", symbol.name));
            }
        }
    }

    /// What is not defined here is what the module imports, or the stack limit.
    fn undefined(&mut self) {
        let imports = self.module.imports.iter().map(|import| abi::import_symbol(&import.module, &import.field));
        let wanted: Vec<String> = imports.chain([abi::STACK_LIMIT.to_owned()]).collect();
        for name in &wanted {
            if self.elf.symbols.iter().any(|symbol| symbol.name == *name && symbol.home != Home::Undefined) {
                self.wrong.push(format!("{name} is to come from outside and is defined in the file itself"));
            }
        }
        // The first row of the table is no symbol (gABI, symbol table).
        for symbol in self.elf.symbols.iter().skip(1).filter(|symbol| symbol.home == Home::Undefined) {
            let plain = matches!(symbol.kind, SymbolKind::None | SymbolKind::Function | SymbolKind::Object);
            if !wanted.contains(&symbol.name) || !plain {
                self.wrong.push(format!("{:?} is not defined, and is nothing that the module imports", symbol.name));
            }
            // A weak one may stay undefined: a call of it then does nothing.
            if symbol.binding != Binding::Global {
                self.wrong.push(format!("{} is not defined, and not asked for as a global symbol", symbol.name));
            }
        }
    }

    /// There are no other sections than those of the contract.
    fn sections(&mut self) {
        let others = self.elf.sections.iter().filter(|section| !self.is_expected(&section.name));
        let others: Vec<&str> = others.map(|section| section.name.as_str()).collect();
        for name in others {
            self.wrong.push(format!("section {name} has a meaning to linkers or debuggers that is not modelled"));
        }
    }

    /// Whether a section is one that the contract has, or one that only describes others. Code for a
    /// linker's own compiler, for one, would take the place of the code that is judged, as would a second
    /// table of frames.
    fn is_expected(&self, name: &str) -> bool {
        let module = &self.hints.module_name;
        let plain = name.strip_prefix(".rel").filter(|rest| rest.starts_with('.')).unwrap_or(name);
        let own = [format!(".text.{module}"), format!(".bss.{module}."), format!(".rodata.{module}.")];
        let described = [".debug_", ".synth.", ".comment", ".note.GNU-stack", ".ARM.attributes"];
        let tables = ["", ".symtab", ".strtab", ".shstrtab"];
        let of_image = [".vectors", ".rodata.synth_stack_limit"];
        let is_image = self.elf.kind == FileKind::Executable;
        plain == own[0]
            || is_image && of_image.contains(&plain)
            || own[1..].iter().any(|prefix| plain.starts_with(prefix))
            || described.iter().any(|prefix| plain.starts_with(prefix))
            || tables.contains(&plain)
    }

    fn image(&mut self) {
        let elf = self.elf;
        for (symbol, section) in self.own() {
            if elf.sections[section].writable {
                self.writable_region(symbol);
            } else {
                self.loaded(&elf.sections[section]);
            }
        }
        self.loaded(&elf.sections[self.text]);
        // Some tools take the bytes of an image from its sections, loaders from its segments.
        let own: Vec<usize> = self.own().into_iter().map(|(_, section)| section).chain([self.text]).collect();
        let others = elf.sections.iter().enumerate().filter(|(index, _)| !own.contains(index));
        let allocated = others.map(|(_, section)| section).filter(|section| section.allocated && section.bytes > 0);
        allocated.filter(|section| section.contents == Contents::Bytes).for_each(|section| self.loaded(section));
        self.bytes_in_sections();
        self.storage();
        self.stack_limit();
        match elf.section(HARNESS) {
            Some((index, harness)) if harness.allocated && harness.executable && !harness.writable => {
                self.vectors(harness);
                self.imports(index);
            }
            Some(_) | None => self.wrong.push(format!("there is no one section {HARNESS} of read-only code")),
        }
    }

    /// What is imported is code of the harness, not of the module.
    fn imports(&mut self, harness: usize) {
        for import in &self.module.imports {
            let name = abi::import_symbol(&import.module, &import.field);
            let symbol = self.elf.symbol(&name);
            let symbol = symbol.filter(|symbol| symbol.home == Home::Section(harness));
            if !symbol.is_some_and(|symbol| is_code_of(&self.elf.sections[harness], symbol.value)) {
                self.wrong.push(format!("import {name} is no code of the harness"));
            }
        }
    }

    /// Exceptions are taken to the harness, not into the module, and nobody changes that.
    fn vectors(&mut self, harness: &Section) {
        if word(self.elf, self.board.vectors + 4) != Some(self.elf.entry) {
            self.wrong.push(format!("debuggers begin at {:#x}, and reset elsewhere", self.elf.entry));
        }
        for number in 0..SYSTEM_VECTORS {
            let place = self.board.vectors + 4 * number;
            if loading(self.elf, place).is_none_or(|(segment, _)| segment.writable) {
                self.wrong.push(format!("the vector of exception {number} is not loaded, or may be written"));
            }
            let mut sections = self.elf.sections.iter().filter(|section| section.allocated);
            if !sections.any(|section| place >= section.address && place + 4 <= section.address + section.bytes) {
                self.wrong.push(format!("the vector of exception {number} lies in no section"));
            }
            if number >= FIRST_EXCEPTION && !word(self.elf, place).is_some_and(|handler| is_code_of(harness, handler)) {
                self.wrong.push(format!("the exception {number} is not taken to the harness"));
            }
        }
    }

    /// What is loaded and what holds no bytes of the file lie in memory of their own.
    fn storage(&mut self) {
        for segment in self.elf.segments.iter().filter(|segment| segment.file_bytes > 0) {
            for address in [segment.virtual_address, segment.physical_address] {
                if !self.board.has(address, segment.file_bytes) {
                    self.wrong
                        .push(format!("the segment at {address:#x} lies where the boards have no memory of its own"));
                }
            }
        }
        let is_zero = |section: &&Section| section.allocated && section.contents == Contents::Zeros;
        for section in self.elf.sections.iter().filter(is_zero).filter(|section| section.bytes > 0) {
            let end = section.address.saturating_add(section.bytes);
            let taken = self.elf.segments.iter().filter(|segment| segment.file_bytes > 0).any(|segment| {
                let places = [segment.virtual_address, segment.physical_address];
                places.iter().any(|place| section.address < place.saturating_add(segment.file_bytes) && end > *place)
            });
            if taken || !self.board.has_ram(section.address, section.bytes) {
                self.wrong.push(format!("section {} does not lie in memory of its own", section.name));
            }
        }
    }

    /// A region lies in RAM that may be written.
    fn writable_region(&mut self, symbol: &Symbol) {
        let (start, end) = (symbol.value, symbol.value.saturating_add(symbol.bytes));
        if !self.board.has_ram(start, symbol.bytes) {
            self.wrong.push(format!("{} lies where there is no RAM of its own", symbol.name));
        }
        for segment in self.elf.segments.iter().filter(|segment| !segment.writable) {
            let places = [segment.virtual_address, segment.physical_address];
            if places.iter().any(|place| start < place.saturating_add(segment.memory_bytes) && end > *place) {
                self.wrong.push(format!("a segment that may not be written overlaps {}", symbol.name));
            }
        }
    }

    /// A constant section: its bytes are in memory, at its address, from reset on.
    fn loaded(&mut self, section: &Section) {
        let holds = self.elf.segments.iter().any(|segment| {
            let inside = section.address.checked_sub(segment.virtual_address);
            inside.is_some_and(|inside| {
                let fits = inside.checked_add(section.bytes).is_some_and(|end| end <= segment.file_bytes);
                let same_bytes = segment.offset.checked_add(inside as usize) == Some(section.offset);
                fits && same_bytes && !segment.writable && segment.physical_address == segment.virtual_address
            })
        });
        if !holds || section.contents != Contents::Bytes {
            self.wrong.push(format!("section {} is not loaded as it stands, read-only, to its address", section.name));
        }
    }

    /// What is loaded stands in a section, but for zeros between sections.
    fn bytes_in_sections(&mut self) {
        let with_bytes = |section: &&Section| section.allocated && section.contents == Contents::Bytes;
        let mut sections: Vec<(u32, u32)> =
            self.elf.sections.iter().filter(with_bytes).map(|s| (s.address, s.bytes)).collect();
        sections.sort_unstable();
        for segment in &self.elf.segments {
            let start = segment.virtual_address;
            let mut bare = self.elf.data[segment.offset..][..segment.file_bytes as usize].to_vec();
            for (address, bytes) in &sections {
                let from = address.saturating_sub(start).min(segment.file_bytes);
                let to = (address + bytes).saturating_sub(start).min(segment.file_bytes);
                bare[from as usize..to as usize].fill(0);
            }
            if let Some(at) = bare.iter().position(|byte| *byte != 0) {
                self.wrong.push(format!("what is loaded to {:#x} stands in no section", start + at as u32));
            }
        }
    }

    /// The stack limit, if there is one, is a constant.
    fn stack_limit(&mut self) {
        let Some(symbol) = self.elf.symbol(abi::STACK_LIMIT) else { return };
        let section = match symbol.home {
            Home::Section(index) => Some(&self.elf.sections[index]),
            Home::Undefined | Home::Absolute => None,
        };
        match section.filter(|section| section.allocated && !section.writable && !section.executable) {
            Some(section) => {
                let end = symbol.value.checked_add(4);
                let within =
                    symbol.value >= section.address && end.is_some_and(|end| end <= section.address + section.bytes);
                if !within || !symbol.value.is_multiple_of(4) {
                    self.wrong.push(format!("{} is no aligned word of its section", abi::STACK_LIMIT));
                }
            }
            None => self.wrong.push(format!("{} is no constant", abi::STACK_LIMIT)),
        }
    }
}
