//! The side table of a function: where branches go and what stands on the operand stack.
//!
//! Requires: a function body that the parser has validated.
//! Ensures: for every operator that the validation algorithm types (core spec, appendix
//! "Validation Algorithm") the operand stack before it is known, so that a run can start there;
//! for every label its place, its number of values and the height of the stack below them.
//!
//! A place is the position of the next operator to run. The label of a loop is the place behind
//! `loop`; the label of any other block is the place behind its `end`; the label of the function
//! is its return. Code behind an unconditional branch has no stack: nothing ever runs there.

#![deny(clippy::wildcard_enum_match_arm)]

use std::collections::BTreeMap;

use crate::hints::Sort;

use super::module::{FunctionType, Instruction, Module, ValueType, WasmError};
use super::op::{Bulk, Load, Op, SignOp};

/// What comes behind a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// The next operator.
    Next,
    /// The function returns what the call returns.
    Return,
}

/// Where a branch to a label goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// To the operator at this position of the body.
    Place(u32),
    /// Out of the function.
    Return,
}

/// What a branch to a label does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where it goes.
    pub target: Target,
    /// How many values it takes along from the top of the stack.
    pub arity: u32,
    /// How many values stay below them.
    pub height: u32,
}

/// The side table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Control {
    scopes: Vec<Scope>,
    places: Vec<Place>,
    /// For `if` and `else`: where control goes that does not enter what follows.
    otherwise: BTreeMap<u32, u32>,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Scope {
    parent: Option<u32>,
    label: Label,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// The innermost block that the operator stands in.
    scope: u32,
    /// The operand stack before the operator; `None` in dead code.
    stack: Option<Stack>,
}

/// A stack as a list from the top. Stacks share their lower parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stack {
    height: u32,
    top: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    value: ValueType,
    below: Option<u32>,
}

impl Control {
    /// The label at a depth, seen from the operator at a position.
    pub fn label(&self, position: u32, depth: u32) -> Option<Label> {
        let mut scope = self.places.get(position as usize)?.scope;
        for _ in 0..depth {
            scope = self.scopes.get(scope as usize)?.parent?;
        }
        self.scopes.get(scope as usize).map(|found| found.label)
    }

    /// How many labels the operator at a position sees, the function's own counted.
    pub fn label_count(&self, position: u32) -> u32 {
        let mut scope = self.places.get(position as usize).map(|place| place.scope);
        let mut labels = 0;
        while let Some(found) = scope.and_then(|index| self.scopes.get(index as usize)) {
            labels += 1;
            scope = found.parent;
        }
        labels
    }

    /// For an `if`, the place taken when the condition is zero; for an `else` that the first part
    /// runs into, the place behind the `end`.
    pub fn otherwise(&self, position: u32) -> Option<u32> {
        self.otherwise.get(&position).copied()
    }

    /// How many values stand on the operand stack before the operator; `None` in dead code.
    pub fn height(&self, position: u32) -> Option<u32> {
        Some(self.places.get(position as usize)?.stack?.height)
    }

    /// The types on the operand stack before the operator, bottom first, integers in place of some floats; `None` in
    /// dead code.
    pub fn stack(&self, position: u32) -> Option<Vec<ValueType>> {
        let stack = self.places.get(position as usize)?.stack?;
        let mut types = Vec::with_capacity(stack.height as usize);
        let mut next = stack.top;
        while let Some(cell) = next {
            let cell = self.cells[cell as usize];
            types.push(cell.value);
            next = cell.below;
        }
        types.reverse();
        Some(types)
    }
}

/// Builds the side table of one function.
pub fn run(
    module: &Module,
    signature: &FunctionType,
    locals: &[ValueType],
    body: &[Instruction],
) -> Result<Control, WasmError> {
    let label = Label { target: Target::Return, arity: count(signature.results.len()), height: 0 };
    let empty = Stack { height: 0, top: None };
    let mut builder = Builder {
        module,
        locals,
        control: Control { scopes: vec![Scope { parent: None, label }], ..Control::default() },
        open: vec![Open {
            scope: 0,
            kind: Kind::Block,
            base: Some(empty),
            block: FunctionType { parameters: Vec::new(), results: signature.results.clone() },
        }],
        stack: Some(empty),
    };
    for (position, instruction) in body.iter().enumerate() {
        builder
            .operator(count(position), &instruction.op)
            .ok_or_else(|| WasmError::unsupported(instruction.offset, "the types here"))?;
    }
    Ok(builder.control)
}

fn count(items: usize) -> u32 {
    u32::try_from(items).expect("a body is shorter than 4 GiB")
}

/// How an open block was opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    /// An `if` at this position whose `else` has not come.
    If(u32),
    /// The second part of an `if`; its `else` stands at this position.
    Else(u32),
}

/// A block that is open at the present operator.
struct Open {
    scope: u32,
    kind: Kind,
    /// The stack below its parameters; `None` if the block stands in dead code.
    base: Option<Stack>,
    /// What it takes and leaves.
    block: FunctionType,
}

struct Builder<'a> {
    module: &'a Module,
    locals: &'a [ValueType],
    control: Control,
    open: Vec<Open>,
    /// The present stack; `None` in dead code.
    stack: Option<Stack>,
}

impl Builder<'_> {
    /// Records the state before an operator and applies it. `None` where the types do not fit,
    /// which validation excludes.
    fn operator(&mut self, position: u32, op: &Op) -> Option<()> {
        let scope = self.open.last()?.scope;
        self.control.places.push(Place { scope, stack: self.stack });
        match op {
            Op::Block(kind) => {
                self.begin(kind, Kind::Block, position)?;
            }
            Op::Loop(kind) => {
                self.begin(kind, Kind::Loop, position)?;
            }
            Op::If(kind) => {
                self.pop(1)?;
                self.begin(kind, Kind::If(position), position)?;
            }
            Op::Else => self.begin_else(position)?,
            Op::End => self.end(position)?,
            Op::Unreachable
            | Op::Br(_)
            | Op::BrTable(..)
            | Op::Return
            | Op::ReturnCall(_)
            | Op::ReturnCallIndirect(..) => self.stack = None,
            op @ (Op::Nop
            | Op::BrIf(_)
            | Op::Call(_)
            | Op::CallIndirect(..)
            | Op::Drop
            | Op::Select
            | Op::LocalGet(_)
            | Op::LocalSet(_)
            | Op::LocalTee(_)
            | Op::GlobalGet(_)
            | Op::GlobalSet(_)
            | Op::Load(..)
            | Op::Store(..)
            | Op::MemorySize(..)
            | Op::MemoryGrow(_)
            | Op::RefNull(_)
            | Op::RefIsNull
            | Op::RefFunc(_)
            | Op::TableGet(_)
            | Op::TableSet(_)
            | Op::TableSize(_)
            | Op::TableGrow(_)
            | Op::MemoryDrop(_)
            | Op::TableDrop(_)
            | Op::Bulk(_)
            | Op::I32Const(_)
            | Op::I64Const(_)
            | Op::I32Eqz
            | Op::I64Eqz
            | Op::I32Compare(_)
            | Op::I64Compare(_)
            | Op::I32Unary(_)
            | Op::I64Unary(_)
            | Op::I32Binary(_)
            | Op::I64Binary(_)
            | Op::I32WrapI64
            | Op::I64ExtendI32S
            | Op::I64ExtendI32U
            | Op::I64Extend32S
            | Op::Wide(_)
            | Op::Sign(..)
            | Op::Float(_)
            | Op::FloatSwapped(_)
            | Op::Truncate { .. }) => self.straight(op)?,
        }
        Some(())
    }

    fn begin(&mut self, block: &FunctionType, kind: Kind, position: u32) -> Option<()> {
        let base = match self.stack {
            Some(stack) => Some(self.below(stack, block.parameters.len())?),
            None => None,
        };
        // A branch to a loop starts it anew with its parameters. The place behind any other block is
        // not known yet: `end` fills it in.
        let carried = match kind {
            Kind::Loop => &block.parameters,
            Kind::Block | Kind::If(_) | Kind::Else(_) => &block.results,
        };
        let label = Label {
            target: Target::Place(position + 1),
            arity: count(carried.len()),
            height: base.map_or(0, |stack| stack.height),
        };
        let scope = count(self.control.scopes.len());
        let parent = Some(self.open.last()?.scope);
        self.control.scopes.push(Scope { parent, label });
        self.open.push(Open { scope, kind, base, block: block.clone() });
        Some(())
    }

    fn begin_else(&mut self, position: u32) -> Option<()> {
        let mut open = self.open.pop()?;
        let Kind::If(opened_at) = open.kind else {
            return None;
        };
        self.control.otherwise.insert(opened_at, position + 1);
        open.kind = Kind::Else(position);
        self.stack = open.base;
        self.push(&open.block.parameters);
        self.open.push(open);
        Some(())
    }

    fn end(&mut self, position: u32) -> Option<()> {
        let open = self.open.pop()?;
        let behind = position + 1;
        match open.kind {
            Kind::If(start) | Kind::Else(start) => {
                self.control.otherwise.insert(start, behind);
            }
            Kind::Block | Kind::Loop => {}
        }
        let label = &mut self.control.scopes[open.scope as usize].label;
        if open.kind != Kind::Loop && label.target != Target::Return {
            label.target = Target::Place(behind);
        }
        self.stack = open.base;
        self.push(&open.block.results);
        Some(())
    }

    /// Operators after which the next one runs, or none.
    fn straight(&mut self, op: &Op) -> Option<()> {
        if self.stack.is_none() {
            return Some(());
        }
        let (pops, pushes) = self.effect(op)?;
        self.pop(pops)?;
        self.push(&pushes);
        Some(())
    }

    /// How many values an operator takes and the types of those it leaves.
    fn effect(&self, op: &Op) -> Option<(usize, Vec<ValueType>)> {
        use ValueType::{I32, I64};
        Some(match op {
            Op::Nop | Op::MemoryDrop(_) | Op::TableDrop(_) | Op::Bulk(Bulk::DataDrop(_) | Bulk::ElemDrop(_)) => {
                (0, vec![])
            }
            Op::Bulk(Bulk::MemoryFill(_) | Bulk::MemoryCopy { .. } | Bulk::MemoryInit { .. }) => (3, vec![]),
            Op::Bulk(Bulk::TableFill(_) | Bulk::TableCopy { .. } | Bulk::TableInit { .. }) => (3, vec![]),
            Op::Bulk(Bulk::TableGrow(_)) => (2, vec![I32]),
            Op::BrIf(_) | Op::Drop | Op::LocalSet(_) | Op::GlobalSet(_) => (1, vec![]),
            Op::Call(function) => call(self.module.signature(*function)?, 0),
            Op::CallIndirect(index, _) => call(self.module.types.get(*index as usize)?, 1),
            Op::Select => (3, vec![self.below_top(1)?]),
            Op::LocalGet(local) => (0, vec![*self.locals.get(*local as usize)?]),
            Op::LocalTee(local) => (1, vec![*self.locals.get(*local as usize)?]),
            Op::GlobalGet(global) => {
                let found = self.module.globals.get(*global as usize)?;
                (0, vec![found.value_type])
            }
            Op::Load(load, _) => (1, vec![loaded(*load)]),
            Op::Store(..) => (2, vec![]),
            Op::MemorySize(..) | Op::I32Const(_) => (0, vec![I32]),
            Op::RefNull(kind) => (0, vec![*kind]),
            Op::RefFunc(_) => (0, vec![ValueType::FuncRef]),
            Op::RefIsNull => (1, vec![I32]),
            Op::TableGet(table) => (1, vec![self.module.tables.get(*table as usize)?.element]),
            Op::TableSet(_) => (2, vec![]),
            Op::TableSize(_) => (0, vec![I32]),
            Op::TableGrow(_) => (2, vec![I32]),
            Op::I64Const(_) => (0, vec![I64]),
            Op::MemoryGrow(_) | Op::I32Eqz | Op::I64Eqz | Op::I32Unary(_) | Op::I32WrapI64 => (1, vec![I32]),
            Op::I32Compare(_) | Op::I64Compare(_) | Op::I32Binary(_) => (2, vec![I32]),
            Op::Wide(wide) => (wide.operands(), vec![I64, I64]),
            Op::I64Unary(_) | Op::I64ExtendI32S | Op::I64ExtendI32U | Op::I64Extend32S => (1, vec![I64]),
            Op::I64Binary(_) => (2, vec![I64]),
            Op::Sign(SignOp::Neg | SignOp::Abs, sort) => (1, vec![integer(*sort)]),
            Op::Sign(SignOp::Copysign, sort) => (2, vec![integer(*sort)]),
            Op::Float(float) | Op::FloatSwapped(float) => (float.operands().len(), vec![integer(float.result())]),
            Op::Truncate { whole, .. } => (1, vec![integer(whole.result())]),
            Op::Unreachable
            | Op::Block(_)
            | Op::Loop(_)
            | Op::If(_)
            | Op::Else
            | Op::End
            | Op::Br(_)
            | Op::BrTable(..)
            | Op::Return
            | Op::ReturnCall(_)
            | Op::ReturnCallIndirect(..) => return None,
        })
    }

    fn push(&mut self, types: &[ValueType]) {
        let Some(mut stack) = self.stack else { return };
        for value in types {
            let cell = count(self.control.cells.len());
            self.control.cells.push(Cell { value: *value, below: stack.top });
            stack = Stack { height: stack.height + 1, top: Some(cell) };
        }
        self.stack = Some(stack);
    }

    fn pop(&mut self, values: usize) -> Option<()> {
        if let Some(stack) = self.stack {
            self.stack = Some(self.below(stack, values)?);
        }
        Some(())
    }

    fn below(&self, mut stack: Stack, values: usize) -> Option<Stack> {
        for _ in 0..values {
            let cell = self.control.cells[stack.top? as usize];
            stack = Stack { height: stack.height - 1, top: cell.below };
        }
        Some(stack)
    }

    /// The type of the value with so many values above it.
    fn below_top(&self, above: usize) -> Option<ValueType> {
        let top = self.below(self.stack?, above)?.top?;
        Some(self.control.cells[top as usize].value)
    }
}

fn call(signature: &FunctionType, extra: usize) -> (usize, Vec<ValueType>) {
    (signature.parameters.len() + extra, signature.results.clone())
}

/// The integer of a width, which stands for a float of that width too.
fn integer(sort: Sort) -> ValueType {
    match sort {
        Sort::W32 => ValueType::I32,
        Sort::W64 => ValueType::I64,
    }
}

/// The type of what a load yields.
pub fn loaded(load: Load) -> ValueType {
    match load {
        Load::I32 | Load::I32From8S | Load::I32From8U | Load::I32From16S | Load::I32From16U => ValueType::I32,
        Load::I64
        | Load::I64From8S
        | Load::I64From8U
        | Load::I64From16S
        | Load::I64From16U
        | Load::I64From32S
        | Load::I64From32U => ValueType::I64,
    }
}
