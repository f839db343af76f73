//! The textual form of a function: for `--emit`, for tests, and as input of tests.
//!
//! Ensures: `parse(&print(f))` is `f` again, but for entities that nothing in `f` reaches.
//!
//! ```text
//! func 3 "name" (i32, i64) -> (i32)
//! sig0 (i32) -> ()
//! b0(v0: i32, v1: i64) 3:0x2a [v0, - | v1]
//!   v2 = i32.add v0, v0 @0x2c*
//!   virtual v3 = i32.const 5 @0x2d
//!   trapif MemoryOutOfBounds v2 @0x2f
//!   jump b1(v2) @0x31
//! ```
//! Behind a block's parameters stand its place and frame (`-` is an empty slot), behind `@` the
//! Wasm offset; a star marks the result of the Wasm instruction itself, with a number behind it if so
//! many other results lie above it.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display};

use super::func::{
    Block, BlockData, Callee, Func, Inst, InstData, Liveness, Made, Passed, Place, Signature, Target, Terminator, Value,
};
use super::op::Op;

pub use parse::{ParseError, parse};

/// The text of a function.
pub fn print(func: &Func) -> String {
    func.to_string()
}

impl Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "func {} \"{}\" {}", self.index, Escaped(&self.name), self.signature)?;
        for (sig, signature) in self.signatures.iter() {
            writeln!(f, "{sig} {signature}")?;
        }
        for (block, data) in self.blocks.iter() {
            print_head(f, self, block, data)?;
            for inst in &data.insts {
                print_inst(f, self, *inst)?;
            }
            writeln!(f, "  {} @{:#x}", data.terminator, data.terminator_offset)?;
        }
        Ok(())
    }
}

impl Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |types: &[Passed]| types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", names(&self.params), names(&self.results))
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.block, List(&self.args))
    }
}

impl Display for Terminator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Terminator::Jump(target) => write!(f, "jump {target}"),
            Terminator::BranchIf { cond, then, otherwise } => {
                write!(f, "branch_if {cond}, {then}, {otherwise}")
            }
            Terminator::BrTable { index, targets, default } => {
                write!(f, "br_table {index}, [{}], {default}", List(targets))
            }
            Terminator::Return(values) if values.is_empty() => f.write_str("return"),
            Terminator::Return(values) => write!(f, "return {}", List(values)),
            Terminator::ReturnCall { callee: Callee::Function(function), signature, args } => {
                write!(f, "return_call {function} {signature}{}{}", space(args), List(args))
            }
            Terminator::ReturnCall { callee: Callee::Code, signature, args } => {
                write!(f, "return_call_code {signature}{}{}", space(args), List(args))
            }
            Terminator::Trap(trap) => write!(f, "trap {trap:?}"),
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Const32(bits) => write!(f, "i32.const {}", *bits as i32),
            Op::Const64(bits) => write!(f, "i64.const {}", *bits as i64),
            Op::MemoryBase(memory) => write!(f, "memory_base {memory}"),
            Op::MemoryBytes(memory) => write!(f, "memory_bytes {memory}"),
            Op::SetMemoryBytes(memory) => write!(f, "set_memory_bytes {memory}"),
            Op::Load { memory, access, offset } => {
                write!(f, "load.{} {memory}+{offset:#x}", access.name())
            }
            Op::Store { memory, access, offset } => {
                write!(f, "store.{} {memory}+{offset:#x}", access.name())
            }
            Op::GlobalGet(global, ty) => write!(f, "{}.global_get {global}", ty.name()),
            Op::GlobalSet(global, ty) => write!(f, "{}.global_set {global}", ty.name()),
            Op::FunctionRef(function) => write!(f, "function_ref {function}"),
            Op::TableEntry(table) => write!(f, "table_entry {table}"),
            Op::TableGet(table) => write!(f, "table_get {table}"),
            Op::TableSet(table) => write!(f, "table_set {table}"),
            Op::TableSize(table) => write!(f, "table_size {table}"),
            Op::SetTableSize(table) => write!(f, "set_table_size {table}"),
            Op::ReferenceType => f.write_str("reference_type"),
            Op::ReferenceCode => f.write_str("reference_code"),
            Op::Call { function, signature } => write!(f, "call {function} {signature}"),
            Op::CallCode { signature } => write!(f, "call_code {signature}"),
            Op::CallResult { signature, index } => write!(f, "call_result {signature} {index}"),
            Op::TrapIf(trap) => write!(f, "trapif {trap:?}"),
            plain => f.write_str(plain.plain().map_or("?", |(name, _, _)| name)),
        }
    }
}

/// A string in which only graphic ASCII stands for itself, as in the Wasm text format.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'"' | b'\\' => write!(f, "\\{byte:02x}")?,
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\{byte:02x}")?,
            }
        }
        Ok(())
    }
}

/// What stands before operands.
fn space(args: &[Value]) -> &'static str {
    if args.is_empty() { "" } else { " " }
}

/// Items with commas between them.
struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{item}")?;
        }
        Ok(())
    }
}

fn print_head(f: &mut fmt::Formatter<'_>, func: &Func, block: Block, data: &BlockData) -> fmt::Result {
    let param = |value: &Value| format!("{value}: {}", func.values[*value].ty.name());
    let params: Vec<String> = data.params.iter().map(param).collect();
    write!(f, "{block}({})", List(&params))?;
    if let Some(Place { function, offset }) = data.source {
        let slot = |slot: &Option<Value>| slot.map_or("-".into(), |value| value.to_string());
        let locals: Vec<String> = data.frame.locals.iter().map(slot).collect();
        let stack: Vec<String> = data.frame.stack.iter().map(slot).collect();
        write!(f, " {function}:{offset:#x} [{} | {}]", List(&locals), List(&stack))?;
    }
    writeln!(f)
}

fn print_inst(f: &mut fmt::Formatter<'_>, func: &Func, inst: Inst) -> fmt::Result {
    let InstData { op, args, result, offset } = &func.insts[inst];
    f.write_str("  ")?;
    let mut star = String::new();
    if let Some(value) = result {
        let data = &func.values[*value];
        let prefix = if data.liveness == Liveness::Virtual { "virtual " } else { "" };
        star = match data.made_at {
            None => String::new(),
            Some(Made { above: 0, .. }) => "*".into(),
            Some(Made { above, .. }) => format!("*{above}"),
        };
        write!(f, "{prefix}{value} = ")?;
    }
    writeln!(f, "{op}{}{} @{offset:#x}{star}", space(args), List(args))
}
