//! Runs boot images in QEMU: writes the mailbox, boots, reads the results.
//!
//! Ensures: actions are done in order on one instance. QEMU is ended, and its files are gone, when
//! the time is up or the run is called off.
//! The mailbox is described in [`crate::elf::harness`].

pub mod firmware;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::elf::harness::{
    FIRST_ACTION, FLOAT_ARGUMENTS, INIT, MAGIC, MAILBOX_BYTES, PATH, RECORD_BYTES, Record, Word,
};
use crate::elf::program::Type;
use crate::target::FloatUnit;
use crate::trap::Trap;
use crate::vcode::abi::{self, Area, ArgPlace, ArgWord, Passed, Results, Signature};
use crate::vcode::float::Part;
use firmware::{Export, Firmware, Region};

/// A QEMU to run images in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Qemu {
    /// The program.
    pub program: PathBuf,
    /// How long a run may take.
    pub time_limit: Duration,
}

impl Default for Qemu {
    fn default() -> Qemu {
        Qemu { program: "qemu-system-arm".into(), time_limit: Duration::from_secs(30) }
    }
}

/// A value that crosses the boundary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// 32-bit integer.
    I32(u32),
    /// 64-bit integer.
    I64(u64),
    /// Binary32 number, as its bits.
    F32(u32),
    /// Binary64 number, as its bits.
    F64(u64),
    /// Reference to a function: the address of its descriptor, or 0.
    FuncRef(u32),
    /// Reference to something of the host: a word that it chose, or 0.
    ExternRef(u32),
}

impl Value {
    /// The value of a type with these low bits.
    pub fn new(ty: Type, bits: u64) -> Value {
        match ty {
            Type::I32 => Value::I32(bits as u32),
            Type::I64 => Value::I64(bits),
            Type::F32 => Value::F32(bits as u32),
            Type::F64 => Value::F64(bits),
            Type::FuncRef => Value::FuncRef(bits as u32),
            Type::ExternRef => Value::ExternRef(bits as u32),
        }
    }

    /// Its type.
    pub fn ty(self) -> Type {
        match self {
            Value::I32(_) => Type::I32,
            Value::I64(_) => Type::I64,
            Value::F32(_) => Type::F32,
            Value::F64(_) => Type::F64,
            Value::FuncRef(_) => Type::FuncRef,
            Value::ExternRef(_) => Type::ExternRef,
        }
    }

    /// Its bits, zero-extended.
    pub fn bits(self) -> u64 {
        match self {
            Value::I32(bits) | Value::F32(bits) | Value::FuncRef(bits) | Value::ExternRef(bits) => bits.into(),
            Value::I64(bits) | Value::F64(bits) => bits,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(value) => (*value as i32).fmt(f),
            Value::I64(value) => (*value as i64).fmt(f),
            Value::F32(bits) => f32::from_bits(*bits).fmt(f),
            Value::F64(bits) => f64::from_bits(*bits).fmt(f),
            Value::FuncRef(0) | Value::ExternRef(0) => f.write_str("null"),
            Value::FuncRef(address) => write!(f, "{address:#x}"),
            Value::ExternRef(word) => word.fmt(f),
        }
    }
}

/// Something to do with an instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Write bytes to linear memory at this offset.
    Poke(u32, Vec<u8>),
    /// Call the export with this symbol.
    Call(String, Vec<Value>),
    /// Read this many bytes of linear memory at this offset.
    Peek(u32, u32),
}

/// What an action gave. A poke gives nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The results of a call.
    Returned(Vec<Value>),
    /// A call ended in a fault.
    Faulted(Fault),
    /// The bytes read.
    Bytes(Vec<u8>),
}

/// Why the processor stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Address of the instruction.
    pub address: u32,
    /// Its first halfword; 0 if it cannot be read.
    pub halfword: u16,
    /// The configurable fault status register.
    pub status: u32,
    /// LR, if it is known: behind a call, bit 0 set, where the function has not put something else there.
    pub link: Option<u32>,
}

impl Fault {
    /// The trap that the `UDF` stands for that caused it, if one did.
    pub fn trap(self) -> Option<Trap> {
        // Bit 16 of the status: undefined instruction (DDI0403, B3.2.15). Armv6-M has no status, and reads 0.
        let undefined = (self.status == 0 || self.status & 1 << 16 != 0) && self.halfword & 0xff00 == 0xde00;
        Trap::from_code(self.halfword as u8).filter(|_| undefined)
    }
}

/// A part of instantiation, and what is done behind it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// The trap that ends the part.
    pub trap: Option<Fault>,
    /// What the actions gave.
    pub outcomes: Vec<Outcome>,
}

/// Why there are no outcomes.
#[derive(Debug)]
pub enum QemuError {
    /// QEMU is not installed.
    Missing,
    /// An action cannot be done on this image.
    BadAction(String),
    /// Instantiation ended in a fault.
    NotInstantiated(Fault),
    /// The time was up.
    TimedOut(Duration),
    /// The run was called off.
    CalledOff,
    /// The engine failed, or the file of results is not what was asked for.
    Failed(String),
    /// A file could not be written or read.
    File(std::io::Error),
}

impl fmt::Display for QemuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QemuError::Missing => f.write_str("qemu-system-arm is not installed"),
            QemuError::BadAction(why) => f.write_str(why),
            QemuError::NotInstantiated(fault) => {
                write!(f, "instantiation trapped at {:#x}", fault.address)
            }
            QemuError::TimedOut(limit) => {
                write!(f, "the run did not end within {} s", limit.as_secs())
            }
            QemuError::CalledOff => f.write_str("the run was called off"),
            QemuError::Failed(why) => write!(f, "the engine failed: {why}"),
            QemuError::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for QemuError {}

impl From<std::io::Error> for QemuError {
    fn from(error: std::io::Error) -> QemuError {
        QemuError::File(error)
    }
}

impl Qemu {
    /// Boots the image and does the actions. Gives the outcome of each call and peek.
    pub fn run(&self, firmware: &Firmware, actions: &[Action]) -> Result<Vec<Outcome>, QemuError> {
        self.run_unless(&|| false, firmware, actions)
    }

    /// The same, called off as soon as `is_off` says so.
    pub fn run_unless(
        &self,
        is_off: &dyn Fn() -> bool,
        firmware: &Firmware,
        actions: &[Action],
    ) -> Result<Vec<Outcome>, QemuError> {
        let turn = self.session(is_off, (firmware, None), &[actions])?.pop().expect("one turn for one");
        turn.trap.map_or(Ok(turn.outcomes), |fault| Err(QemuError::NotInstantiated(fault)))
    }

    /// Goes on where instantiation traps: in each turn it runs up to its next trap or its end, then the actions are
    /// done. Behind a trap of a start function there is no more of it.
    pub fn run_in_turns(&self, firmware: &Firmware, turns: &[&[Action]]) -> Result<Vec<Turn>, QemuError> {
        self.session(&|| false, (firmware, Some(firmware.init)), turns)
    }

    fn session(
        &self,
        is_off: &dyn Fn() -> bool,
        (firmware, init): (&Firmware, Option<Region>),
        turns: &[&[Action]],
    ) -> Result<Vec<Turn>, QemuError> {
        let actions_words = encode(firmware, turns)?;
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("image.elf"), &firmware.bytes)?;
        std::fs::write(directory.path().join("mailbox.bin"), mailbox(firmware, init))?;
        std::fs::write(directory.path().join("actions.bin"), actions_words)?;
        let status = self.boot(is_off, firmware, directory.path())?;
        let talk =
            || String::from_utf8_lossy(&std::fs::read(directory.path().join("talk")).unwrap_or_default()).into_owned();
        if !status.success() {
            return Err(QemuError::Failed(format!("{status}: {}", talk().lines().next().unwrap_or(""))));
        }
        let results = std::fs::read(directory.path().join(RESULTS))?;
        decode((firmware, init), turns, &results)
    }

    /// Runs QEMU in the directory until it ends or has to.
    fn boot(&self, is_off: &dyn Fn() -> bool, firmware: &Firmware, directory: &Path) -> Result<ExitStatus, QemuError> {
        let loader = |file: &str, address: u32| format!("loader,file={file},addr={address:#x},force-raw=on");
        let mailbox = loader("mailbox.bin", firmware.board.mailbox);
        let actions = loader("actions.bin", firmware.board.actions);
        let child = Command::new(&self.program)
            .current_dir(directory)
            .args(["-M", firmware.board.machine, "-nographic", "-monitor", "none", "-serial", "none"])
            .args([
                "-semihosting-config",
                "enable=on,target=native",
                "-kernel",
                "image.elf",
                "-device",
                &mailbox,
                "-device",
                &actions,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(directory.join("talk"))?)
            .spawn();
        match child {
            Ok(child) => self.wait(is_off, child),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(QemuError::Missing),
            Err(error) => Err(error.into()),
        }
    }

    fn wait(&self, is_off: &dyn Fn() -> bool, mut child: Child) -> Result<ExitStatus, QemuError> {
        let start = Instant::now();
        while start.elapsed() < self.time_limit && !is_off() {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill()?;
        child.wait()?;
        Err(if is_off() { QemuError::CalledOff } else { QemuError::TimedOut(self.time_limit) })
    }
}

/// Name of the result file.
const RESULTS: &str = "results";

/// The mailbox before boot.
fn mailbox(firmware: &Firmware, init: Option<Region>) -> Vec<u8> {
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut mailbox = bytes(&[MAGIC, 0, u32::MAX, RESULTS.len() as u32]);
    mailbox.resize(FIRST_ACTION, 0);
    mailbox.extend(bytes(&[firmware.board.actions]));
    assert_eq!(mailbox.len(), INIT);
    mailbox.extend(init.map_or(Vec::new(), |init| bytes(&[init.address, init.bytes])));
    mailbox.resize(PATH, 0);
    mailbox.extend(RESULTS.bytes());
    mailbox.resize(MAILBOX_BYTES, 0);
    mailbox
}

/// The words of these actions.
fn encode(firmware: &Firmware, turns: &[&[Action]]) -> Result<Vec<u8>, QemuError> {
    let mut words = Vec::new();
    for (turn, actions) in turns.iter().enumerate() {
        if turn > 0 {
            words.push(Word::Resume as u32);
        }
        encode_turn(firmware, actions, &mut words)?;
    }
    words.push(Word::End as u32);
    let room = firmware.board.actions_bytes as usize;
    if 4 * words.len() > room {
        let board = firmware.board.machine;
        return Err(QemuError::BadAction(format!(
            "the actions take more than the {room} bytes that {board} has for them"
        )));
    }
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn encode_turn(firmware: &Firmware, actions: &[Action], words: &mut Vec<u32>) -> Result<(), QemuError> {
    for action in actions {
        match action {
            Action::Poke(offset, bytes) => {
                let length = bytes.len() as u32;
                words.extend([Word::Write as u32, memory_address(firmware, *offset, length)?, length]);
                words.extend(bytes.chunks(4).map(|chunk| {
                    let mut word = [0; 4];
                    word[..chunk.len()].copy_from_slice(chunk);
                    u32::from_le_bytes(word)
                }));
            }
            Action::Call(symbol, arguments) => {
                let export = checked_export(firmware, symbol, arguments)?;
                let area = area(&export.results, firmware.float).map(|area| area.bytes);
                let placed = place(arguments, &export.results, firmware.float);
                words.extend([Word::Call as u32, export.address, placed.stack.len() as u32, area.unwrap_or(0)]);
                words.extend(placed.registers);
                if firmware.float != FloatUnit::None {
                    words.extend(placed.floats);
                }
                words.extend(placed.stack);
                words.extend(area.into_iter().flat_map(|bytes| [Word::Results as u32, bytes]));
            }
            Action::Peek(offset, length) => {
                words.extend([Word::Read as u32, memory_address(firmware, *offset, *length)?, *length]);
            }
        }
    }
    Ok(())
}

/// The machine's address of bytes of linear memory.
pub fn memory_address(firmware: &Firmware, offset: u32, length: u32) -> Result<u32, QemuError> {
    let Some(memory) = firmware.memory else {
        return Err(QemuError::BadAction("the module has no memory".into()));
    };
    match offset.checked_add(length) {
        Some(end) if end <= memory.bytes => Ok(memory.address + offset),
        _ => Err(QemuError::BadAction(format!(
            "the {length} bytes at {offset:#x} are not inside the memory of {} bytes",
            memory.bytes
        ))),
    }
}

/// The export with this symbol, if it takes these arguments.
pub fn checked_export<'a>(firmware: &'a Firmware, symbol: &str, arguments: &[Value]) -> Result<&'a Export, QemuError> {
    let export = firmware.export(symbol);
    let export = export.ok_or_else(|| QemuError::BadAction(format!("there is no exported function {symbol}")))?;
    let fits = |(argument, parameter): (&Value, &Type)| argument.ty() == *parameter;
    if export.parameters.len() != arguments.len() || !arguments.iter().zip(&export.parameters).all(fits) {
        return Err(QemuError::BadAction(format!("{symbol} takes other arguments")));
    }
    Ok(export)
}

fn passed(types: &[Type]) -> Vec<Passed> {
    let passed = |ty: &Type| match ty {
        Type::I32 | Type::FuncRef | Type::ExternRef => Passed::I32,
        Type::F32 => Passed::F32,
        Type::I64 => Passed::I64,
        Type::F64 => Passed::F64,
    };
    types.iter().map(passed).collect()
}

/// The area for several results.
fn area(results: &[Type], float: FloatUnit) -> Option<Area> {
    abi::results(&passed(results), float).area()
}

/// Where the words of a call's arguments go.
struct Placed {
    /// r0 to r3.
    registers: [u32; 4],
    /// s0 to s15.
    floats: [u32; FLOAT_ARGUMENTS],
    stack: Vec<u32>,
}

fn place(arguments: &[Value], results: &[Type], float: FloatUnit) -> Placed {
    let types: Vec<Type> = arguments.iter().map(|argument| argument.ty()).collect();
    let signature = Signature { params: passed(&types), results: passed(results) };
    let places = abi::arguments(&signature, float);
    let mut registers = [0; 4];
    let mut floats = [0; FLOAT_ARGUMENTS];
    let mut stack = vec![0; places.stack_bytes as usize / 4];
    let mut put = |place, word| match place {
        ArgWord::Reg(register) => registers[usize::from(register.number())] = word,
        ArgWord::Stack(offset) => stack[offset as usize / 4] = word,
    };
    for (argument, place) in arguments.iter().zip(places.places) {
        let bits = argument.bits();
        match place {
            ArgPlace::Word(word) => put(word, bits as u32),
            ArgPlace::Double { low, high } => {
                put(low, bits as u32);
                put(high, (bits >> 32) as u32);
            }
            ArgPlace::Single(register, part) => {
                floats[2 * usize::from(register.number()) + usize::from(part == Part::High)] = bits as u32;
            }
            ArgPlace::Whole(register) => {
                let first = 2 * usize::from(register.number());
                (floats[first], floats[first + 1]) = (bits as u32, (bits >> 32) as u32);
            }
        }
    }
    Placed { registers, floats, stack }
}

/// Reads the result file in the order of the turns. If nothing goes on behind a trap, that is all.
fn decode(
    (firmware, init): (&Firmware, Option<Region>),
    turns: &[&[Action]],
    results: &[u8],
) -> Result<Vec<Turn>, QemuError> {
    let mut rest = results;
    let mut decoded = Vec::new();
    for actions in turns {
        let trap = decode_trap(&mut rest)?;
        let actions = if trap.is_some() && init.is_none() { &[] } else { *actions };
        decoded.push(Turn { trap, outcomes: decode_turn(firmware, actions, &mut rest)? });
    }
    if rest.is_empty() { Ok(decoded) } else { Err(QemuError::Failed("too many results".into())) }
}

fn decode_trap(rest: &mut &[u8]) -> Result<Option<Fault>, QemuError> {
    let [first, address, halfword, status, link] = words(rest);
    if rest.is_empty() || first != Record::NotInstantiated as u32 {
        return Ok(None);
    }
    take(rest, RECORD_BYTES)?;
    Ok(Some(Fault { address, halfword: halfword as u16, status, link: Some(link) }))
}

fn decode_turn(firmware: &Firmware, actions: &[Action], rest: &mut &[u8]) -> Result<Vec<Outcome>, QemuError> {
    let mut outcomes = Vec::new();
    for action in actions {
        match action {
            Action::Poke(..) => {}
            Action::Call(symbol, _) => {
                let results = &firmware.export(symbol).expect("it was found before").results;
                let record = take(rest, RECORD_BYTES)?;
                let several = match area(results, firmware.float) {
                    Some(area) => in_area(take(rest, area.bytes as usize)?, results, &area),
                    None => Vec::new(),
                };
                outcomes.push(decode_call(record, (results, firmware.float), several)?);
            }
            Action::Peek(_, length) => outcomes.push(Outcome::Bytes(take(rest, *length as usize)?.to_vec())),
        }
    }
    Ok(outcomes)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], QemuError> {
    let (taken, left) = rest.split_at_checked(length).ok_or_else(|| QemuError::Failed("results are missing".into()))?;
    *rest = left;
    Ok(taken)
}

/// Several results, from the bytes of their area.
fn in_area(bytes: &[u8], results: &[Type], area: &Area) -> Vec<Value> {
    let value = |(ty, offset): (&Type, &u32)| {
        let [low, high] = words(&bytes[*offset as usize..]);
        Value::new(*ty, u64::from(high) << 32 | u64::from(low))
    };
    results.iter().zip(&area.offsets).map(value).collect()
}

/// What a record says; `several` are the results if they have an area.
fn decode_call(
    record: &[u8],
    (results, float): (&[Type], FloatUnit),
    several: Vec<Value>,
) -> Result<Outcome, QemuError> {
    let [kind, a, b, c, d] = words(record);
    if kind == Record::Faulted as u32 {
        return Ok(Outcome::Faulted(Fault { address: a, halfword: b as u16, status: c, link: Some(d) }));
    }
    if kind != Record::Returned as u32 {
        return Err(QemuError::Failed(format!("a result record of kind {kind}")));
    }
    let double = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    Ok(Outcome::Returned(match abi::results(&passed(results), float) {
        Results::Core(_) => results.iter().map(|ty| Value::new(*ty, double(a, b))).collect(),
        Results::Float(places) => {
            let registers = &record[12..];
            let bits = |place: &ArgPlace| match *place {
                ArgPlace::Single(at, part) => {
                    let index = 2 * usize::from(at.number()) + usize::from(part == Part::High);
                    u64::from(words::<1>(&registers[4 * index..])[0])
                }
                ArgPlace::Whole(at) => {
                    let [low, high] = words(&registers[8 * usize::from(at.number())..]);
                    double(low, high)
                }
                ArgPlace::Word(_) | ArgPlace::Double { .. } => unreachable!("floats are returned in the unit"),
            };
            results.iter().zip(&places).map(|(ty, place)| Value::new(*ty, bits(place))).collect()
        }
        Results::Area(_) => several,
    }))
}

/// The first words; missing bytes read as 0.
fn words<const COUNT: usize>(bytes: &[u8]) -> [u32; COUNT] {
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
    std::array::from_fn(|word| {
        let at = 4 * word;
        u32::from_le_bytes([byte(at), byte(at + 1), byte(at + 2), byte(at + 3)])
    })
}
