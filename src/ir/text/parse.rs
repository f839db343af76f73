//! Reads the textual form of a function.

use super::super::func::Passed;
use super::super::func::{
    Block, BlockData, Callee, Def, ENTRY, Frame, Func, InstData, Liveness, Made, Place, Signature, Target, Terminator,
    Value, ValueData,
};
use super::super::op::{Access, Effect, Function, Global, Memory, Op, PLAIN, Sig, Table, Type};
use crate::entity::{Entity, TypedVec};
use crate::trap::Trap;

/// Why a text is no function: the line, counted from 1, and what was expected there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What was expected.
    pub expected: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

type Parsed<T> = Result<T, ParseError>;

/// Most entities of a kind, so that a number in a text cannot ask for all memory.
const INDEX_MAX: u32 = 1 << 20;

/// Reads a function. What it says need not be well-formed; see [`check`](super::super::check).
pub fn parse(text: &str) -> Parsed<Func> {
    let tokens = tokenize(text);
    let line_count = text.lines().count();
    Parser { tokens, next: 0, line_count }.func()
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    line: usize,
}

fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            let len = match first {
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                '-' if rest.starts_with("->") => 2,
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.push(Token { text: rest[..len].to_string(), line: index + 1 });
            rest = rest[len..].trim_start();
        }
    }
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    line_count: usize,
}

impl Parser {
    // Tokens.

    fn peek(&self) -> &str {
        self.tokens.get(self.next).map_or("", |token| &token.text)
    }

    fn fail<T>(&self, expected: &str) -> Parsed<T> {
        let line = self.tokens.get(self.next).map_or(self.line_count, |token| token.line);
        Err(ParseError { line, expected: expected.to_string() })
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.peek() == text;
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.accept(text) { Ok(()) } else { self.fail(&format!("`{text}`")) }
    }

    fn word(&mut self) -> String {
        let word = self.peek().to_string();
        self.next += 1;
        word
    }

    fn string(&mut self) -> Parsed<String> {
        let word = self.peek();
        let quoted = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match quoted.and_then(unescape) {
            Some(string) => {
                self.next += 1;
                Ok(string)
            }
            None => self.fail("a string"),
        }
    }

    fn number(&mut self) -> Parsed<u64> {
        let negative = self.accept("-");
        let text = self.peek();
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        let Ok(number) = parsed else {
            return self.fail("a number");
        };
        self.next += 1;
        Ok(if negative { number.wrapping_neg() } else { number })
    }

    fn entity<E: Entity>(&mut self, prefix: &str) -> Parsed<E> {
        let digits: Option<u32> = self.peek().strip_prefix(prefix).and_then(|digits| digits.parse().ok());
        match digits {
            Some(index) if index < INDEX_MAX => {
                self.next += 1;
                Ok(E::new(index as usize))
            }
            _ => self.fail(&format!("`{prefix}` and a number")),
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        self.entity("v")
    }

    /// Items up to the closing token, which is consumed.
    fn list<T>(&mut self, close: &str, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.accept(close) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    // Structure.

    fn func(mut self) -> Parsed<Func> {
        self.expect("func")?;
        let index = self.number()? as u32;
        let name = self.string()?;
        let signature = self.signature()?;
        let mut func = Func::new(index, name, signature);
        (func.blocks, func.values) = (TypedVec::new(), TypedVec::new());
        while self.peek().starts_with("sig") {
            let sig: Sig = self.entity("sig")?;
            if sig != func.signatures.next_key() {
                return self.fail("signatures in order");
            }
            let signature = self.signature()?;
            func.signatures.push(signature);
        }
        while !self.peek().is_empty() {
            self.block(&mut func)?;
        }
        Ok(func)
    }

    fn signature(&mut self) -> Parsed<Signature> {
        self.expect("(")?;
        let params = self.list(")", Self::passed)?;
        self.expect("->")?;
        self.expect("(")?;
        Ok(Signature { params, results: self.list(")", Self::passed)? })
    }

    fn passed(&mut self) -> Parsed<Passed> {
        let found = Passed::ALL.into_iter().find(|passed| passed.name() == self.peek());
        let Some(passed) = found else { return self.fail("a type") };
        self.next += 1;
        Ok(passed)
    }

    fn ty(&mut self) -> Parsed<Type> {
        match self.peek() {
            "i32" => self.next += 1,
            "i64" => {
                self.next += 1;
                return Ok(Type::I64);
            }
            _ => return self.fail("a type"),
        }
        Ok(Type::I32)
    }

    fn param(&mut self) -> Parsed<(Value, Type)> {
        let value = self.value()?;
        self.expect(":")?;
        Ok((value, self.ty()?))
    }

    fn slot(&mut self) -> Parsed<Option<Value>> {
        if self.accept("-") { Ok(None) } else { self.value().map(Some) }
    }

    fn block(&mut self, func: &mut Func) -> Parsed<()> {
        let block: Block = self.entity("b")?;
        if block != func.blocks.next_key() {
            return self.fail("blocks in order");
        }
        func.add_block();
        self.expect("(")?;
        for (value, ty) in self.list(")", Self::param)? {
            let (def, liveness) = (Def::Param(block), Liveness::Lowered);
            define(func, value, ValueData { ty, def, made_at: None, liveness });
            func.blocks[block].params.push(value);
        }
        if self.peek().starts_with(|c: char| c.is_ascii_digit()) {
            let function = self.number()? as u32;
            self.expect(":")?;
            let offset = self.number()? as u32;
            self.expect("[")?;
            let locals = self.list("|", Self::slot)?;
            let stack = self.list("]", Self::slot)?;
            func.blocks[block].source = Some(Place { function, offset });
            func.blocks[block].frame = Frame { locals, stack };
        }
        loop {
            if let Some(terminator) = self.terminator(func)? {
                self.expect("@")?;
                let offset = self.number()? as u32;
                let data: &mut BlockData = &mut func.blocks[block];
                (data.terminator, data.terminator_offset) = (terminator, offset);
                return Ok(());
            }
            self.inst(func, block)?;
        }
    }

    fn target(&mut self) -> Parsed<Target> {
        let block = self.entity("b")?;
        self.expect("(")?;
        Ok(Target::new(block, self.list(")", Self::value)?))
    }

    fn terminator(&mut self, func: &Func) -> Parsed<Option<Terminator>> {
        Ok(Some(if self.accept("jump") {
            Terminator::Jump(self.target()?)
        } else if self.accept("branch_if") {
            let cond = self.value()?;
            self.expect(",")?;
            let then = self.target()?;
            self.expect(",")?;
            Terminator::BranchIf { cond, then, otherwise: self.target()? }
        } else if self.accept("br_table") {
            let index = self.value()?;
            self.expect(",")?;
            self.expect("[")?;
            let targets = self.list("]", Self::target)?;
            self.expect(",")?;
            Terminator::BrTable { index, targets, default: self.target()? }
        } else if self.accept("return") {
            Terminator::Return(self.operands()?)
        } else if self.accept("return_call") {
            let callee = Callee::Function(self.entity("fn")?);
            Terminator::ReturnCall { callee, signature: self.sig(func)?, args: self.operands()? }
        } else if self.accept("return_call_code") {
            Terminator::ReturnCall { callee: Callee::Code, signature: self.sig(func)?, args: self.operands()? }
        } else if self.accept("trap") {
            Terminator::Trap(self.trap()?)
        } else {
            return Ok(None);
        }))
    }

    /// Values up to the `@`, which stays.
    fn operands(&mut self) -> Parsed<Vec<Value>> {
        let mut values = Vec::new();
        while self.peek() != "@" {
            if !values.is_empty() {
                self.expect(",")?;
            }
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn inst(&mut self, func: &mut Func, block: Block) -> Parsed<()> {
        let is_virtual = self.accept("virtual");
        let result = match self.peek().strip_prefix('v').map(str::parse::<u32>) {
            Some(Ok(_)) => {
                let value = self.value()?;
                self.expect("=")?;
                Some(value)
            }
            Some(Err(_)) | None => None,
        };
        let op = self.op(func)?;
        let args = self.operands()?;
        self.expect("@")?;
        let offset = self.number()? as u32;
        let made_at = match self.accept("*") {
            true if self.peek().starts_with(|c: char| c.is_ascii_digit()) => {
                Some(Made { offset, above: self.number()? as u32 })
            }
            true => Some(Made { offset, above: 0 }),
            false => None,
        };
        if func.result_type(op).is_some() != result.is_some() {
            return self.fail("a result exactly where the operator has one");
        }
        let inst = func.insts.push(InstData { op, args, result, offset });
        func.blocks[block].insts.push(inst);
        if let (Some(value), Some(ty)) = (result, func.result_type(op)) {
            let is_virtual = is_virtual && op.effect() == Effect::Pure;
            let liveness = if is_virtual { Liveness::Virtual } else { Liveness::Lowered };
            define(func, value, ValueData { ty, def: Def::Inst(inst), made_at, liveness });
        }
        Ok(())
    }

    // Operators.

    fn op(&mut self, func: &Func) -> Parsed<Op> {
        let name = self.word();
        if let Some((op, ..)) = PLAIN.iter().find(|(_, known, ..)| *known == name) {
            return Ok(*op);
        }
        Ok(match name.as_str() {
            "i32.const" => Op::Const32(self.number()? as u32),
            "i64.const" => Op::Const64(self.number()?),
            "memory_base" => Op::MemoryBase(self.memory()?),
            "memory_bytes" => Op::MemoryBytes(self.memory()?),
            "set_memory_bytes" => Op::SetMemoryBytes(self.memory()?),
            "i32.global_get" => Op::GlobalGet(self.global()?, Type::I32),
            "i64.global_get" => Op::GlobalGet(self.global()?, Type::I64),
            "i32.global_set" => Op::GlobalSet(self.global()?, Type::I32),
            "i64.global_set" => Op::GlobalSet(self.global()?, Type::I64),
            "function_ref" => Op::FunctionRef(self.entity("fn")?),
            "table_entry" => Op::TableEntry(self.table()?),
            "table_get" => Op::TableGet(self.table()?),
            "table_set" => Op::TableSet(self.table()?),
            "table_size" => Op::TableSize(self.table()?),
            "set_table_size" => Op::SetTableSize(self.table()?),
            "reference_type" => Op::ReferenceType,
            "reference_code" => Op::ReferenceCode,
            "call" => {
                let function: Function = self.entity("fn")?;
                Op::Call { function, signature: self.sig(func)? }
            }
            "call_code" => Op::CallCode { signature: self.sig(func)? },
            "call_result" => Op::CallResult { signature: self.sig(func)?, index: self.number()? as u32 },
            "trapif" => Op::TrapIf(self.trap()?),
            _ => {
                let access = |name: &str| Access::ALL.into_iter().find(|a| a.name() == name);
                let load = name.strip_prefix("load.").and_then(access);
                let store = name.strip_prefix("store.").and_then(access);
                match (load, store) {
                    (Some(access), _) => {
                        let (memory, offset) = self.place()?;
                        Op::Load { memory, access, offset }
                    }
                    (None, Some(access)) => {
                        let (memory, offset) = self.place()?;
                        Op::Store { memory, access, offset }
                    }
                    (None, None) => {
                        self.next -= 1;
                        return self.fail("an operator");
                    }
                }
            }
        })
    }

    fn memory(&mut self) -> Parsed<Memory> {
        self.entity("memory")
    }

    fn table(&mut self) -> Parsed<Table> {
        self.entity("table")
    }

    fn global(&mut self) -> Parsed<Global> {
        self.entity("global")
    }

    fn sig(&mut self, func: &Func) -> Parsed<Sig> {
        let sig: Sig = self.entity("sig")?;
        if func.signatures.get(sig).is_some() { Ok(sig) } else { self.fail("a known signature") }
    }

    fn place(&mut self) -> Parsed<(Memory, u32)> {
        let memory = self.memory()?;
        self.expect("+")?;
        Ok((memory, self.number()? as u32))
    }

    fn trap(&mut self) -> Parsed<Trap> {
        let name = self.peek();
        match Trap::ALL.into_iter().find(|trap| format!("{trap:?}") == name) {
            Some(trap) => {
                self.next += 1;
                Ok(trap)
            }
            None => self.fail("a trap"),
        }
    }
}

/// The inverse of the escaping in strings: a backslash and two hexadecimal digits are a byte.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('\\');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

/// Puts a value at its number. Numbers that the text leaves out belong to values that nothing uses.
fn define(func: &mut Func, value: Value, data: ValueData) {
    let unused = ValueData { ty: Type::I32, def: Def::Param(ENTRY), made_at: None, liveness: data.liveness };
    while func.values.len() <= value.index() {
        func.values.push(unused);
    }
    func.values[value] = data;
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_kind_of_instruction_survives() {
        let text = "\
func 7 \"na\\22\\c3\\a9me\" (i32, i64) -> (i64)
sig0 (i32) -> (i64)
sig1 () -> (i32, i64)
b0(v0: i32, v1: i64) 7:0x10 [v0, -, v1 | ]
  v2 = memory_base memory0 @0x11
  v3 = i32.add v2, v0 @0x11
  v4 = load.s16 memory0+0xfffffffc v3 @0x11*
  store.w64 memory0+0x0 v3, v1 @0x12
  v5 = memory_bytes memory0 @0x13
  set_memory_bytes memory0 v5 @0x13
  v6 = i64.global_get global2 @0x14*
  i32.global_set global1 v0 @0x15
  v14 = function_ref fn3 @0x16*
  v15 = table_size table1 @0x16*
  set_table_size table1 v15 @0x16
  v16 = table_get table1 v0 @0x16*
  table_set table1 v0, v14 @0x16
  v17 = table_entry table0 v0 @0x16
  v7 = reference_type v17 @0x16
  v8 = reference_code v17 @0x16
  v9 = call_code sig0 v8, v0 @0x16*
  v10 = call fn3 sig0 v4 @0x17*
  call fn4 sig1 @0x17
  v18 = call_result sig1 0 @0x17*1
  v19 = call_result sig1 1 @0x17*
  v11 = i64.const -5 @0x18
  virtual v12 = i32.const -2147483648 @0x18
  trapif IntegerOverflow v0 @0x19
  br_table v0, [b1(), b2(v6), b1()], b2(v9) @0x1a
b1() 7:0x1b [-, -, - | v0, -]
  trap Unreachable @0x1b
b2(v13: i64) 7:0x1c [ | v13]
  branch_if v7, b1(), b3() @0x1c
b3()
  branch_if v7, b4(), b5() @0x1c
b4()
  return_call fn3 sig0 v0 @0x1d
b5()
  return_call_code sig0 v8, v0 @0x1d
";
        assert_eq!(parse(text).map(|func| func.to_string()), Ok(text.to_string()));
    }

    #[test]
    fn errors_name_their_line() {
        for (text, line, expected) in [
            ("fun 1", 1, "`func`"),
            ("func 0 \"f\" () -> ()\nb1() return @0", 2, "blocks in order"),
            ("func 0 \"f\" () -> ()\nb0()\n  v0 = i32.frob v1 @0", 3, "an operator"),
            ("func 0 \"f\" () -> ()\nb0()\n  i32.const 1 @0", 3, "a result exactly"),
            ("func 0 \"f\" () -> ()\nb0()\n  trap Nothing @0", 3, "a trap"),
            ("func 0 \"f\" () -> ()\nb0()\n  call fn0 sig0 @0", 3, "a known signature"),
            ("func 0 \"f\" () -> ()\nb0()\n  return v99999999 @0", 3, "`v` and a number"),
            ("func 0 \"f\" () -> ()\nb0()\n  jump b0(", 3, "`v` and a number"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.expected.contains(expected), "{text}: {error}");
        }
    }
}
