//! Reads and writes the bytes of the hint section.
//!
//! Requires: for [`encode`], hints in the order that [`super`] documents.
//! Ensures: `decode(encode(h)) == Ok(h)`, and whatever `decode` accepts encodes to the same bytes.
//! `decode` never panics, holds no more memory than a constant times its input, and refuses
//! trailing bytes, unknown tags, forward node references, and offsets that do not ascend. It does
//! not look at the width of an expression's operands: that is the prover's business.
//!
//! Numbers are LEB128 in their shortest form, signed ones zigzag-coded. Offsets, and references
//! from node to node, are differences. A sequence is its length and then its elements; since each
//! element takes a byte or more, a length that exceeds the rest of the input is refused at once.

use super::{
    Base, Class, Cut, ENTRY_NAME, Expr, FunctionHints, Hints, Join, Label, Located, Location, Name, Node, Shown, Sort,
    Unknown, VERSION,
};
use crate::domain::{Bin32, Bin64, Cmp, Un32, Un64};
use crate::float::Float;

#[cfg(test)]
mod tests;
mod text;

pub use text::to_text;

/// The first bytes of the section.
pub const MAGIC: [u8; 4] = *b"SYHT";

/// Why bytes are not hints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HintError {
    /// Offset in the section at which reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl std::fmt::Display for HintError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hint section, byte {}: {}", self.offset, self.what)
    }
}

impl std::error::Error for HintError {}

/// The bytes of the section.
pub fn encode(hints: &Hints) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new() };
    writer.bytes.extend_from_slice(&MAGIC);
    writer.u32(VERSION);
    writer.bytes.extend_from_slice(&hints.wasm_sha256);
    writer.string(&hints.module_name);
    writer.string(&hints.export_prefix);
    writer.list(&hints.functions, Writer::function);
    writer.bytes
}

/// The hints that the bytes of the section say.
pub fn decode(bytes: &[u8]) -> Result<Hints, HintError> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.take(4)? != MAGIC {
        return Err(HintError { offset: 0, what: "the section does not start with its magic" });
    }
    if reader.u32()? != VERSION {
        return Err(HintError { offset: 4, what: "another version of the format" });
    }
    let mut wasm_sha256 = [0; 32];
    wasm_sha256.copy_from_slice(reader.take(32)?);
    let hints = Hints {
        wasm_sha256,
        module_name: reader.string()?,
        export_prefix: reader.string()?,
        functions: reader.list(Reader::function)?,
    };
    if reader.at != bytes.len() {
        return Err(reader.error("bytes after the end"));
    }
    Ok(hints)
}

const UN32: [Un32; 6] = [Un32::Clz, Un32::Rbit, Un32::Rev, Un32::Popcnt, Un32::Sext8, Un32::Sext16];
const BIN32: [Bin32; 14] = [
    Bin32::Add,
    Bin32::Sub,
    Bin32::Mul,
    Bin32::MulHighU,
    Bin32::MulHighS,
    Bin32::DivU,
    Bin32::DivS,
    Bin32::And,
    Bin32::Or,
    Bin32::Xor,
    Bin32::Shl,
    Bin32::ShrU,
    Bin32::ShrS,
    Bin32::RotR,
];
const UN64: [Un64; 6] = [Un64::Clz, Un64::Ctz, Un64::Popcnt, Un64::Sext8, Un64::Sext16, Un64::Sext32];
const BIN64: [Bin64; 15] = [
    Bin64::Add,
    Bin64::Sub,
    Bin64::Mul,
    Bin64::And,
    Bin64::Or,
    Bin64::Xor,
    Bin64::Shl,
    Bin64::ShrU,
    Bin64::ShrS,
    Bin64::RotL,
    Bin64::RotR,
    Bin64::DivU,
    Bin64::DivS,
    Bin64::RemU,
    Bin64::RemS,
];
const CMP: [Cmp; 3] = [Cmp::Eq, Cmp::LtU, Cmp::LtS];
const CLASS: [Class; 8] =
    [Class::Direct, Class::Move, Class::Spill, Class::Reload, Class::Remat, Class::Check, Class::Trap, Class::Frame];

/// First tag of a family of operators; the operator's place in its table is added.
const TAG_UN32: u8 = 0x10;
const TAG_BIN32: u8 = 0x20;
const TAG_CMP32: u8 = 0x30;
const TAG_CMP64: u8 = 0x38;
const TAG_UN64: u8 = 0x40;
const TAG_BIN64: u8 = 0x50;
const TAG_FLOAT: u8 = 0x60;

/// Bit of a label's class byte that says that a Wasm offset follows.
const HAS_SOURCE: u8 = 0x80;

/// First number of a stack location; core registers are 0 to 14, single registers 16 to 47.
const STACK: u64 = 48;

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn u32(&mut self, value: u32) {
        self.u64(u64::from(value));
    }

    fn i64(&mut self, value: i64) {
        self.u64(((value << 1) ^ (value >> 63)) as u64);
    }

    fn optional(&mut self, value: Option<u32>) {
        self.u64(value.map_or(0, |value| u64::from(value) + 1));
    }

    fn string(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.u64(items.len() as u64);
        for each in items {
            item(self, each);
        }
    }

    fn function(&mut self, function: &FunctionHints) {
        self.u32(function.function);
        self.u32(function.code_bytes);
        self.u32(function.frame_bytes);
        self.u32(function.checked_bytes);
        let mut last = 0;
        self.list(&function.cuts, |writer, cut| {
            writer.difference(&mut last, cut.at);
            writer.cut(cut);
        });
        let (mut last, mut source) = (0, 0);
        self.list(&function.labels, |writer, label| {
            writer.difference(&mut last, label.at);
            writer.label(label, &mut source);
        });
        let mut last = 0;
        self.list(&function.joins, |writer, join| {
            writer.difference(&mut last, join.at);
            writer.join(join);
        });
        let mut last = 0;
        self.list(&function.data, |writer, &(start, end)| {
            writer.difference(&mut last, start);
            writer.difference(&mut last, end);
        });
    }

    /// Writes what is to be added to `last` to get `value`, and moves `last` there. A value below
    /// `last` becomes a difference that the reader refuses.
    fn difference(&mut self, last: &mut u32, value: u32) {
        self.u32(value.wrapping_sub(*last));
        *last = value;
    }

    fn cut(&mut self, cut: &Cut) {
        self.list(&cut.source, |writer, &(function, offset)| {
            writer.u32(function);
            writer.u32(offset);
        });
        self.u32(cut.depth);
        self.list(&cut.unknowns, |writer, unknown| {
            writer.u32(unknown.key);
            writer.bytes.push(match unknown.sort {
                Sort::W32 => 0,
                Sort::W64 => 1,
            });
            writer.shown(unknown.shown);
        });
        let mut index = 0;
        self.list(&cut.nodes, |writer, node| {
            writer.expr(index, node);
            index += 1;
        });
        self.list(&cut.locals, |writer, &node| writer.optional(node));
        self.list(&cut.stack, |writer, &node| writer.optional(node));
        self.list(&cut.locations, |writer, located| {
            writer.location(located.location);
            writer.u32(located.name);
            writer.u32(located.value);
        });
        self.list(&cut.named, |writer, &(name, node)| {
            writer.u32(name);
            writer.u32(node);
        });
        self.list(&cut.facts, |writer, &node| writer.u32(node));
    }

    fn expr(&mut self, index: u32, expr: &Expr) {
        match *expr {
            Expr::Unknown(unknown) => self.tagged(0, &[unknown]),
            Expr::Const32(value) => {
                self.bytes.push(1);
                self.i64(i64::from(value as i32));
            }
            Expr::Const64(value) => {
                self.bytes.push(2);
                self.i64(value as i64);
            }
            Expr::Ite32(c, a, b) => self.operator(3, index, &[c, a, b]),
            Expr::Ite64(c, a, b) => self.operator(4, index, &[c, a, b]),
            Expr::Join(high, low) => self.operator(5, index, &[high, low]),
            Expr::High(a) => self.operator(6, index, &[a]),
            Expr::Low(a) => self.operator(7, index, &[a]),
            Expr::Base(Base::Memory(memory)) => self.tagged(8, &[0, memory]),
            Expr::Base(Base::Instance) => self.tagged(8, &[1]),
            Expr::Base(Base::Table(table)) => self.tagged(8, &[2, table]),
            Expr::Base(Base::Functions) => self.tagged(8, &[3]),
            Expr::Base(Base::Results) => self.tagged(8, &[4]),
            Expr::Load(memory, bytes, address) => {
                self.tagged(9, &[memory, u32::from(bytes)]);
                self.u32(index.wrapping_sub(address));
            }
            Expr::Global32(global) => self.tagged(10, &[global]),
            Expr::Global64(global) => self.tagged(11, &[global]),
            Expr::MemoryBytes(memory) => self.tagged(12, &[memory]),
            Expr::TableEntry(table, entry) => {
                self.tagged(13, &[table]);
                self.u32(index.wrapping_sub(entry));
            }
            Expr::ReferenceType(reference) => self.operator(14, index, &[reference]),
            Expr::ReferenceCode(reference) => self.operator(15, index, &[reference]),
            Expr::Un32(op, a) => self.operator(TAG_UN32 + op as u8, index, &[a]),
            Expr::Bin32(op, a, b) => self.operator(TAG_BIN32 + op as u8, index, &[a, b]),
            Expr::Cmp32(op, a, b) => self.operator(TAG_CMP32 + op as u8, index, &[a, b]),
            Expr::Cmp64(op, a, b) => self.operator(TAG_CMP64 + op as u8, index, &[a, b]),
            Expr::Un64(op, a) => self.operator(TAG_UN64 + op as u8, index, &[a]),
            Expr::Bin64(op, a, b) => self.operator(TAG_BIN64 + op as u8, index, &[a, b]),
            Expr::Float1(op, a) => self.operator(float_tag(op), index, &[a]),
            Expr::Float2(op, a, b) => self.operator(float_tag(op), index, &[a, b]),
        }
    }

    fn shown(&mut self, shown: Shown) {
        match shown {
            Shown::Nowhere => self.tagged(0, &[]),
            Shown::Result(at, above) => self.tagged(1, &[at, above]),
            Shown::Local(at, index) => self.tagged(2, &[at, index]),
            Shown::Stack(at, slot) => self.tagged(3, &[at, slot]),
        }
    }

    fn tagged(&mut self, tag: u8, numbers: &[u32]) {
        self.bytes.push(tag);
        for &number in numbers {
            self.u32(number);
        }
    }

    fn operator(&mut self, tag: u8, index: u32, operands: &[Node]) {
        self.bytes.push(tag);
        for &operand in operands {
            self.u32(index.wrapping_sub(operand));
        }
    }

    fn location(&mut self, location: Location) {
        match location {
            Location::Core(register) => self.u32(u32::from(register)),
            Location::Single(register) => self.u32(16 + u32::from(register)),
            Location::Stack(offset) => {
                let offset = i64::from(offset);
                self.u64(STACK + ((offset << 1) ^ (offset >> 63)) as u64);
            }
        }
    }

    fn label(&mut self, label: &Label, last_source: &mut u32) {
        let class = label.class as u8;
        match label.source {
            None => self.bytes.push(class),
            Some(source) => {
                self.bytes.push(class | HAS_SOURCE);
                self.i64(i64::from(source) - i64::from(*last_source));
                *last_source = source;
            }
        }
        self.list(&label.reads, Self::named_location);
        self.list(&label.writes, Self::named_location);
    }

    fn named_location(&mut self, &(location, name): &(Location, Name)) {
        self.location(location);
        self.u32(name);
    }

    fn join(&mut self, join: &Join) {
        self.u32(join.from);
        self.list(&join.renames, |writer, &(location, before, after)| {
            writer.location(location);
            writer.u32(before);
            writer.u32(after);
        });
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, what: &'static str) -> HintError {
        HintError { offset: self.at, what }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], HintError> {
        let rest = &self.bytes[self.at..];
        if count > rest.len() {
            return Err(self.error("the section ends too early"));
        }
        self.at += count;
        Ok(&rest[..count])
    }

    fn byte(&mut self) -> Result<u8, HintError> {
        Ok(self.take(1)?[0])
    }

    fn u64(&mut self) -> Result<u64, HintError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(self.error("a number of more than 64 bits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(self.error("a number that is not in its shortest form"));
                }
                return Ok(value);
            }
        }
        Err(self.error("a number of more than 64 bits"))
    }

    fn u32(&mut self) -> Result<u32, HintError> {
        let value = self.u64()?;
        u32::try_from(value).map_err(|_| self.error("a number of more than 32 bits"))
    }

    fn i64(&mut self) -> Result<i64, HintError> {
        Ok(zigzag(self.u64()?))
    }

    fn optional(&mut self) -> Result<Option<u32>, HintError> {
        match self.u64()?.checked_sub(1) {
            None => Ok(None),
            Some(value) => match u32::try_from(value) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.error("a number of more than 32 bits")),
            },
        }
    }

    fn length(&mut self) -> Result<usize, HintError> {
        let length = self.u64()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() - self.at => Ok(length),
            _ => Err(self.error("a sequence longer than the section")),
        }
    }

    fn string(&mut self) -> Result<String, HintError> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.error("a name that is not UTF-8")),
        }
    }

    /// A sequence. It grows as elements are read: a length alone reserves nothing.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, HintError>) -> Result<Vec<T>, HintError> {
        let length = self.length()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn function(&mut self) -> Result<FunctionHints, HintError> {
        let function = self.u32()?;
        let code_bytes = self.u32()?;
        let frame_bytes = self.u32()?;
        let checked_bytes = self.u32()?;
        let mut last = None;
        let cuts = self.list(|reader| {
            let at = reader.ascending(&mut last)?;
            reader.cut(at)
        })?;
        let (mut last, mut source) = (None, 0);
        let labels = self.list(|reader| {
            let at = reader.ascending(&mut last)?;
            reader.label(at, &mut source)
        })?;
        let mut last = 0;
        let joins = self.list(|reader| {
            let at = reader.difference(&mut last)?;
            reader.join(at)
        })?;
        let mut last = 0;
        let data = self.list(|reader| Ok((reader.difference(&mut last)?, reader.difference(&mut last)?)))?;
        Ok(FunctionHints { function, code_bytes, frame_bytes, checked_bytes, cuts, labels, joins, data })
    }

    fn difference(&mut self, last: &mut u32) -> Result<u32, HintError> {
        let difference = self.u32()?;
        match last.checked_add(difference) {
            Some(value) => {
                *last = value;
                Ok(value)
            }
            None => Err(self.error("an offset that does not ascend")),
        }
    }

    /// An offset that must lie above the last one.
    fn ascending(&mut self, last: &mut Option<u32>) -> Result<u32, HintError> {
        let mut value = last.unwrap_or(0);
        self.difference(&mut value)?;
        if *last == Some(value) {
            return Err(self.error("an offset that does not ascend"));
        }
        *last = Some(value);
        Ok(value)
    }

    fn cut(&mut self, at: u32) -> Result<Cut, HintError> {
        let source = self.list(|reader| Ok((reader.u32()?, reader.u32()?)))?;
        let depth = self.u32()?;
        let unknowns = self.list(Self::unknown)?;
        let mut index = 0;
        let nodes = self.list(|reader| {
            let expr = reader.expr(index, unknowns.len())?;
            index += 1;
            Ok(expr)
        })?;
        let count = nodes.len();
        let locals = self.list(|reader| reader.optional_node(count))?;
        let stack = self.list(|reader| reader.optional_node(count))?;
        let locations = self.list(|reader| reader.located(count))?;
        let named = self.list(|reader| Ok((reader.u32()?, reader.node(count)?)))?;
        let facts = self.list(|reader| reader.node(count))?;
        Ok(Cut { at, source, depth, unknowns, nodes, locals, stack, locations, named, facts })
    }

    fn unknown(&mut self) -> Result<Unknown, HintError> {
        let key = self.u32()?;
        let sort = match self.byte()? {
            0 => Sort::W32,
            1 => Sort::W64,
            _ => return Err(self.error("no such sort")),
        };
        Ok(Unknown { key, sort, shown: self.shown()? })
    }

    fn shown(&mut self) -> Result<Shown, HintError> {
        Ok(match self.byte()? {
            0 => Shown::Nowhere,
            1 => Shown::Result(self.u32()?, self.u32()?),
            2 => Shown::Local(self.u32()?, self.u32()?),
            3 => Shown::Stack(self.u32()?, self.u32()?),
            _ => return Err(self.error("no such place to show a value")),
        })
    }

    fn located(&mut self, count: usize) -> Result<Located, HintError> {
        let location = self.location()?;
        let name = self.u32()?;
        // What a register held at entry has no expression; the node is 0, whether there is one or not.
        let value = match (name >= ENTRY_NAME, self.u32()?) {
            (true, 0) => 0,
            (false, node) if (node as usize) < count => node,
            _ => return Err(self.error("no such node")),
        };
        Ok(Located { location, name, value })
    }

    fn node(&mut self, count: usize) -> Result<Node, HintError> {
        let node = self.u32()?;
        if node as usize >= count {
            return Err(self.error("no such node"));
        }
        Ok(node)
    }

    fn optional_node(&mut self, count: usize) -> Result<Option<Node>, HintError> {
        let node = self.optional()?;
        if node.is_some_and(|node| node as usize >= count) {
            return Err(self.error("no such node"));
        }
        Ok(node)
    }

    fn expr(&mut self, index: u32, unknowns: usize) -> Result<Expr, HintError> {
        let tag = self.byte()?;
        let expr = match tag {
            0 => {
                let unknown = self.u32()?;
                if unknown as usize >= unknowns {
                    return Err(self.error("no such unknown"));
                }
                Expr::Unknown(unknown)
            }
            1 => match i32::try_from(self.i64()?) {
                Ok(value) => Expr::Const32(value as u32),
                Err(_) => return Err(self.error("a constant of more than 32 bits")),
            },
            2 => Expr::Const64(self.i64()? as u64),
            3 => Expr::Ite32(self.back(index)?, self.back(index)?, self.back(index)?),
            4 => Expr::Ite64(self.back(index)?, self.back(index)?, self.back(index)?),
            5 => Expr::Join(self.back(index)?, self.back(index)?),
            6 => Expr::High(self.back(index)?),
            7 => Expr::Low(self.back(index)?),
            8 => Expr::Base(self.base()?),
            9 => Expr::Load(self.u32()?, self.load_bytes()?, self.back(index)?),
            10 => Expr::Global32(self.u32()?),
            11 => Expr::Global64(self.u32()?),
            12 => Expr::MemoryBytes(self.u32()?),
            13 => Expr::TableEntry(self.u32()?, self.back(index)?),
            14 => Expr::ReferenceType(self.back(index)?),
            15 => Expr::ReferenceCode(self.back(index)?),
            TAG_UN32.. => return self.operator(tag, index),
        };
        Ok(expr)
    }

    fn operator(&mut self, tag: u8, index: u32) -> Result<Expr, HintError> {
        let find = |first: u8| usize::from(tag.wrapping_sub(first));
        if let Some(&op) = UN32.get(find(TAG_UN32)) {
            Ok(Expr::Un32(op, self.back(index)?))
        } else if let Some(&op) = BIN32.get(find(TAG_BIN32)) {
            Ok(Expr::Bin32(op, self.back(index)?, self.back(index)?))
        } else if let Some(&op) = CMP.get(find(TAG_CMP32)) {
            Ok(Expr::Cmp32(op, self.back(index)?, self.back(index)?))
        } else if let Some(&op) = CMP.get(find(TAG_CMP64)) {
            Ok(Expr::Cmp64(op, self.back(index)?, self.back(index)?))
        } else if let Some(&op) = UN64.get(find(TAG_UN64)) {
            Ok(Expr::Un64(op, self.back(index)?))
        } else if let Some(&op) = BIN64.get(find(TAG_BIN64)) {
            Ok(Expr::Bin64(op, self.back(index)?, self.back(index)?))
        } else if let Some(&op) = Float::all().get(find(TAG_FLOAT)) {
            match op.operands().len() {
                1 => Ok(Expr::Float1(op, self.back(index)?)),
                _ => Ok(Expr::Float2(op, self.back(index)?, self.back(index)?)),
            }
        } else {
            Err(self.error("no such expression"))
        }
    }

    /// A reference to an earlier node, as the distance back to it.
    fn back(&mut self, index: u32) -> Result<Node, HintError> {
        let distance = self.u32()?;
        match index.checked_sub(distance) {
            Some(node) if distance > 0 => Ok(node),
            _ => Err(self.error("a node that is not earlier")),
        }
    }

    fn base(&mut self) -> Result<Base, HintError> {
        match self.byte()? {
            0 => Ok(Base::Memory(self.u32()?)),
            1 => Ok(Base::Instance),
            2 => Ok(Base::Table(self.u32()?)),
            3 => Ok(Base::Functions),
            4 => Ok(Base::Results),
            _ => Err(self.error("no such region")),
        }
    }

    fn load_bytes(&mut self) -> Result<u8, HintError> {
        match self.byte()? {
            bytes @ (1 | 2 | 4) => Ok(bytes),
            _ => Err(self.error("a load of a width that is not 1, 2 or 4")),
        }
    }

    fn location(&mut self) -> Result<Location, HintError> {
        match self.u64()? {
            register @ 0..=14 => Ok(Location::Core(register as u8)),
            register @ 16..=47 => Ok(Location::Single(register as u8 - 16)),
            stack @ STACK.. => match i32::try_from(zigzag(stack - STACK)) {
                Ok(offset) => Ok(Location::Stack(offset)),
                Err(_) => Err(self.error("a stack offset of more than 32 bits")),
            },
            _ => Err(self.error("no such location")),
        }
    }

    fn label(&mut self, at: u32, last_source: &mut u32) -> Result<Label, HintError> {
        let byte = self.byte()?;
        let Some(&class) = CLASS.get(usize::from(byte & !HAS_SOURCE)) else {
            return Err(self.error("no such class"));
        };
        let source = if byte & HAS_SOURCE == 0 {
            None
        } else {
            let difference = self.i64()?;
            let source = i64::from(*last_source).checked_add(difference);
            match source.and_then(|source| u32::try_from(source).ok()) {
                Some(source) => {
                    *last_source = source;
                    Some(source)
                }
                None => return Err(self.error("a Wasm offset of more than 32 bits")),
            }
        };
        let reads = self.list(Self::named_location)?;
        let writes = self.list(Self::named_location)?;
        Ok(Label { at, source, class, reads, writes })
    }

    fn named_location(&mut self) -> Result<(Location, Name), HintError> {
        Ok((self.location()?, self.u32()?))
    }

    fn join(&mut self, at: u32) -> Result<Join, HintError> {
        let from = self.u32()?;
        let renames = self.list(|reader| Ok((reader.location()?, reader.u32()?, reader.u32()?)))?;
        Ok(Join { at, from, renames })
    }
}

fn float_tag(op: Float) -> u8 {
    Float::all().iter().position(|known| *known == op).map_or(u8::MAX, |place| TAG_FLOAT + place as u8)
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
