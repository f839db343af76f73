//! What a boot image says about itself: its board, its exports, where memory and functions lie.
//!
//! Nothing here is trusted by the validator; `synth run` needs it to call a function.

use std::collections::BTreeMap;
use std::fmt;

use object::{Object, ObjectSection, ObjectSymbol};

use crate::elf::program::Type;
use crate::elf::relocate;
use crate::target::{Board, FloatUnit};

/// Bytes of a `BL`.
const CALL_BYTES: u32 = 4;

/// A boot image, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firmware {
    /// The file.
    pub bytes: Vec<u8>,
    /// The board it runs on.
    pub board: Board,
    /// The floating-point unit in whose registers floats are passed; which one it is does not matter.
    pub float: FloatUnit,
    /// What stands before each export in its symbol.
    pub export_prefix: String,
    /// Its exported functions.
    pub exports: Vec<Export>,
    /// Every function with code.
    pub functions: Vec<Extent>,
    /// The functions that are synth's and not the user's, by name.
    pub of_synth: BTreeMap<u32, String>,
    /// Linear memory.
    pub memory: Option<Region>,
    /// The code that instantiates.
    pub init: Region,
    /// The segment whose place out of bounds ends instantiation, in words.
    pub outside: Option<String>,
}

/// An exported function of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its symbol.
    pub symbol: String,
    /// Wasm function index.
    pub function: u32,
    /// Its address, Thumb bit set.
    pub address: u32,
    /// Parameter types.
    pub parameters: Vec<Type>,
    /// Result types.
    pub results: Vec<Type>,
}

/// Where a function's code lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Wasm function index.
    pub function: u32,
    /// Address of its first instruction.
    pub address: u32,
    /// Bytes of code.
    pub bytes: u32,
}

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Its first address.
    pub address: u32,
    /// Its size.
    pub bytes: u32,
}

/// Why a file is no image that can be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FirmwareError {
    /// It is no ELF file for Arm, or a broken one.
    NotElf(String),
    /// It is a relocatable object.
    NotLinked,
    /// It was not made by this compiler: the named thing is missing or unreadable.
    Foreign(String),
}

impl fmt::Display for FirmwareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FirmwareError::NotElf(why) => write!(f, "not an Arm ELF file: {why}"),
            FirmwareError::NotLinked => f.write_str("a relocatable object cannot be booted"),
            FirmwareError::Foreign(what) => write!(f, "not a boot image of this compiler: {what}"),
        }
    }
}

impl std::error::Error for FirmwareError {}

impl Firmware {
    /// Reads an image.
    pub fn read(bytes: &[u8]) -> Result<Firmware, FirmwareError> {
        let not_elf = |error: object::Error| FirmwareError::NotElf(error.to_string());
        let file = object::File::parse(bytes).map_err(not_elf)?;
        if file.architecture() != object::Architecture::Arm || file.format() != object::BinaryFormat::Elf {
            return Err(FirmwareError::NotElf("another processor's".into()));
        }
        match file.kind() {
            object::ObjectKind::Executable => {}
            object::ObjectKind::Relocatable => return Err(FirmwareError::NotLinked),
            _ => return Err(FirmwareError::Foreign("its file type".into())),
        }
        let section = file.section_by_name(".synth.interface");
        let section = section.ok_or_else(|| FirmwareError::Foreign("no interface section".into()))?;
        let text = section.data().map_err(not_elf)?;
        let text = std::str::from_utf8(text).map_err(|_| FirmwareError::Foreign("its interface section".into()))?;
        let interface = read_interface(&file, text)?;
        let board = interface.board.ok_or_else(|| FirmwareError::Foreign("no board named".into()))?;
        let name = file.sections().find_map(|section| section.name().ok()?.strip_prefix(".text.").map(str::to_owned));
        let init = name.and_then(|name| file.symbol_by_name(&format!("{name}_init")));
        let init = init.ok_or_else(|| FirmwareError::Foreign("no code that instantiates".into()))?;
        let mut functions = Vec::new();
        let mut memory = None;
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            let (address, bytes) = (symbol.address() as u32 & !1, symbol.size() as u32);
            let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            if suffix == "memory0" {
                memory = Some(Region { address, bytes });
            } else if let Some(Ok(function)) = suffix.strip_prefix('f').map(str::parse) {
                functions.push(Extent { function, address, bytes });
            }
        }
        Ok(Firmware {
            bytes: bytes.to_vec(),
            board,
            float: interface.float,
            export_prefix: interface.export_prefix,
            exports: interface.exports,
            functions,
            of_synth: interface.of_synth,
            memory,
            init: Region { address: init.address() as u32 & !1, bytes: init.size() as u32 },
            outside: interface.outside,
        })
    }

    /// The export with this symbol.
    pub fn export(&self, symbol: &str) -> Option<&Export> {
        self.exports.iter().find(|export| export.symbol == symbol)
    }

    /// The export whose Wasm name is spelt like this.
    pub fn export_named(&self, spelling: &str) -> Option<&Export> {
        self.export(&format!("{}{spelling}", self.export_prefix))
    }

    /// The call of a function that returns to an address: the function that it is in, and its offset there.
    pub fn call_before(&self, returns_to: u32, callee: u32) -> Option<(u32, u32)> {
        let at = returns_to.checked_sub(CALL_BYTES)?;
        let place = self.function_at(at)?;
        let callee = self.functions.iter().find(|extent| extent.function == callee)?;
        let file = object::File::parse(&*self.bytes).ok()?;
        let code = file.sections().find_map(|section| section.data_range(at.into(), CALL_BYTES.into()).ok()?)?;
        let mut call = code.to_vec();
        let distance = i64::from(callee.address) - i64::from(at);
        relocate::put_call(&mut call, 0, distance).ok()?;
        (call == code).then_some(place)
    }

    /// The function whose code holds an address, and the offset of the address in it.
    pub fn function_at(&self, address: u32) -> Option<(u32, u32)> {
        let inside = |extent: &&Extent| address.wrapping_sub(extent.address) < extent.bytes;
        self.functions.iter().find(inside).map(|extent| (extent.function, address - extent.address))
    }
}

/// What the lines say that `elf::parts` writes.
#[derive(Default)]
struct Interface {
    board: Option<Board>,
    float: FloatUnit,
    export_prefix: String,
    exports: Vec<Export>,
    of_synth: BTreeMap<u32, String>,
    outside: Option<String>,
}

fn read_interface(file: &object::File<'_>, text: &str) -> Result<Interface, FirmwareError> {
    let mut interface = Interface::default();
    for line in text.lines() {
        let foreign = || FirmwareError::Foreign(format!("the interface line `{line}`"));
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["cpu", _] => {}
            ["floats", ..] => interface.float = FloatUnit::V4Single,
            ["board", name] => interface.board = Some(Board::named(name).ok_or_else(foreign)?),
            ["prefix", prefix] => interface.export_prefix = prefix.into(),
            ["outside", ..] => interface.outside = Some(words[1..].join(" ")),
            ["synth", function, ..] => {
                let function = function.parse().map_err(|_| foreign())?;
                interface.of_synth.insert(function, words[2..].join(" "));
            }
            ["export", symbol, function, parameters, results] => {
                let defined = file.symbol_by_name(symbol).ok_or_else(foreign)?;
                interface.exports.push(Export {
                    symbol: symbol.into(),
                    function: function.parse().map_err(|_| foreign())?,
                    address: defined.address() as u32 | 1,
                    parameters: read_types(parameters).ok_or_else(foreign)?,
                    results: read_types(results).ok_or_else(foreign)?,
                });
            }
            _ => return Err(foreign()),
        }
    }
    Ok(interface)
}

fn read_types(text: &str) -> Option<Vec<Type>> {
    let named = |name| Type::ALL.into_iter().find(|t| t.name() == name);
    if text == "-" { Some(Vec::new()) } else { text.split(',').map(named).collect() }
}
