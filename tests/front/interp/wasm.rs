//! Interprets Wasm instructions, as the reference for the translator.

use synth::trap::Trap;

use super::{DEPTH_MAX, Host, Instance, Stop, Trace, Visit, reference, referenced};
use synth::ir::eval;
use synth::ir::func::Place;
use synth::ir::op::{Access, Function, Global, Memory, Op, Table, Type};
use synth::wasm::{BlockType, Body, Code, Inst, Module, SignOp, TypeIndex};

pub(super) struct Machine<'a> {
    pub module: &'a Module,
    pub instance: &'a mut Instance,
    pub host: Host,
    pub fuel: u64,
    pub depth: u32,
    pub trace: Trace,
}

/// An open block: where a branch to it continues, and what it leaves on the stack.
#[derive(Clone, Copy)]
struct Label {
    continues: usize,
    is_loop: bool,
    arity: usize,
    height: usize,
}

struct Activation<'a> {
    body: &'a Body,
    function: Function,
    pc: usize,
    locals: Vec<u64>,
    stack: Vec<u64>,
    types: Vec<Type>,
    labels: Vec<Label>,
}

impl Activation<'_> {
    fn pop(&mut self) -> u64 {
        self.types.pop();
        self.stack.pop().expect("validation checks the stack")
    }

    fn push(&mut self, ty: Type, word: u64) {
        self.types.push(ty);
        self.stack.push(word & (u64::MAX >> (64 - ty.bits())));
    }

    /// The index of the `end`, or of the `else` if one comes first, of the block opened at `pc`.
    fn scan(&self, stops_at_else: Else) -> usize {
        let mut depth = 0;
        for (index, inst) in self.body.insts.iter().enumerate().skip(self.pc) {
            match inst {
                Inst::Block(_) | Inst::Loop(_) | Inst::If(_) => depth += 1,
                Inst::Else if depth == 1 && stops_at_else == Else::Stops => return index,
                Inst::End if depth == 1 => return index,
                Inst::End => depth -= 1,
                _ => {}
            }
        }
        unreachable!("validation matches every block with its end")
    }

    fn open(&mut self, ty: &BlockType, is_loop: IsLoop) {
        let is_loop = is_loop == IsLoop::Yes;
        let continues = if is_loop { self.pc + 1 } else { self.scan(Else::Passes) + 1 };
        let arity = if is_loop { ty.params.len() } else { ty.results.len() };
        self.labels.push(Label { continues, is_loop, arity, height: self.stack.len() - ty.params.len() });
    }

    /// Branches; false if the branch leaves the function.
    fn branch(&mut self, depth: u32) -> Flow {
        let index = self.labels.len() - 1 - depth as usize;
        let label = self.labels[index];
        let from = self.stack.len() - label.arity;
        self.stack.drain(label.height..from);
        self.types.drain(label.height..from);
        self.labels.truncate(index + usize::from(label.is_loop));
        self.pc = label.continues;
        if index == 0 && !label.is_loop { Flow::Leave } else { Flow::Stay }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Else {
    Stops,
    Passes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsLoop {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Stay,
    Leave,
}

impl Machine<'_> {
    pub fn call(&mut self, function: Function, args: Vec<u64>) -> Result<Vec<u64>, Stop> {
        let module = self.module;
        let signature = module.function_type(function).signature();
        let Code::Body(body) = &module.functions[function].code else {
            let word = (self.host)(function, &args);
            self.instance.host_calls.push((function, args));
            let mask = |ty: &Type| word & (u64::MAX >> (64 - ty.bits()));
            return Ok(signature.result_types().iter().map(mask).collect());
        };
        if self.depth == DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        let mut locals = args;
        locals.resize(body.locals.len(), 0);
        let arity = signature.results.len();
        let end = Label { continues: body.insts.len(), is_loop: false, arity, height: 0 };
        let mut activation =
            Activation { body, function, pc: 0, locals, stack: vec![], types: vec![], labels: vec![end] };
        self.depth += 1;
        while self.step(&mut activation)? == Flow::Stay {}
        self.depth -= 1;
        Ok(activation.stack.split_off(activation.stack.len() - arity))
    }

    fn step(&mut self, a: &mut Activation) -> Result<Flow, Stop> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Stop::OutOfFuel)?;
        let place = Place { function: a.function.0, offset: a.body.offsets[a.pc] };
        self.trace.push(Visit {
            place,
            locals: a.locals.iter().copied().map(Some).collect(),
            stack: a.stack.iter().copied().map(Some).collect(),
        });
        let body = a.body;
        match &body.insts[a.pc] {
            Inst::Block(ty) => a.open(ty, IsLoop::No),
            Inst::Loop(ty) => a.open(ty, IsLoop::Yes),
            Inst::If(ty) => {
                let taken = a.pop() != 0;
                a.open(ty, IsLoop::No);
                if !taken {
                    let target = a.scan(Else::Stops);
                    if body.insts[target] == Inst::End {
                        a.labels.pop();
                    }
                    a.pc = target;
                }
            }
            Inst::Else => return Ok(a.branch(0)),
            Inst::End => {
                a.labels.pop();
                if a.labels.is_empty() {
                    return Ok(Flow::Leave);
                }
            }
            Inst::Br(depth) => return Ok(a.branch(*depth)),
            Inst::BrIf(depth) => {
                if a.pop() != 0 {
                    return Ok(a.branch(*depth));
                }
            }
            Inst::BrTable(depths) => {
                let index = (a.pop() as usize).min(depths.len() - 1);
                return Ok(a.branch(depths[index]));
            }
            Inst::Return => return Ok(Flow::Leave),
            Inst::ReturnCall(function) => {
                self.step_straight(a, &Inst::Call(*function), place.offset)?;
                return Ok(Flow::Leave);
            }
            Inst::ReturnCallIndirect(ty, table) => {
                self.step_straight(a, &Inst::CallIndirect(*ty, *table), place.offset)?;
                return Ok(Flow::Leave);
            }
            inst => self.step_straight(a, inst, place.offset)?,
        }
        a.pc += 1;
        Ok(Flow::Stay)
    }

    fn step_straight(&mut self, a: &mut Activation, inst: &Inst, at: u32) -> Result<(), Stop> {
        match inst {
            Inst::Unreachable => return Err(Stop::Trap(Trap::Unreachable, at)),
            Inst::Call(function) => self.invoke(a, Function(*function))?,
            Inst::CallIndirect(ty, table) => {
                let function = self.table_entry(*table, a.pop() as usize, TypeIndex(*ty));
                self.invoke(a, function.map_err(|trap| Stop::Trap(trap, at))?)?;
            }
            Inst::Drop => {
                a.pop();
            }
            Inst::Select => {
                let (condition, otherwise, ty) = (a.pop(), a.stack.pop(), a.types.pop());
                let then = a.pop();
                let chosen = if condition != 0 { Some(then) } else { otherwise };
                if let (Some(ty), Some(word)) = (ty, chosen) {
                    a.push(ty, word);
                }
            }
            Inst::LocalGet(local) => a.push(a.body.locals[*local as usize], a.locals[*local as usize]),
            Inst::LocalSet(local) => a.locals[*local as usize] = a.pop(),
            Inst::LocalTee(local) => a.locals[*local as usize] = a.stack[a.stack.len() - 1],
            Inst::GlobalGet(global) => {
                let global = Global(*global);
                a.push(self.module.globals[global].ty.carrier(), self.instance.globals[global]);
            }
            Inst::GlobalSet(global) => self.instance.globals[Global(*global)] = a.pop(),
            Inst::Load(..) | Inst::Store(..) | Inst::StoreLow(..) => {
                self.access(a, inst).map_err(|trap| Stop::Trap(trap, at))?;
            }
            Inst::MemorySize(memory, unit_log2) => {
                a.push(Type::I32, u64::from(self.instance.memories[*memory].length >> unit_log2));
            }
            Inst::MemoryGrow(memory) => {
                let delta = a.pop();
                let result = self.grow(*memory, delta);
                a.push(Type::I32, u64::from(result));
            }
            Inst::RefFunc(function) => a.push(Type::I32, reference(*function)),
            Inst::TableGet(table) => {
                let entry = self.instance.tables[*table].get(a.pop() as usize).copied();
                a.push(Type::I32, entry.ok_or(Stop::Trap(Trap::TableAccess, at))?);
            }
            Inst::TableSet(table) => {
                let (reference, index) = (a.pop(), a.pop() as usize);
                let entry = self.instance.tables[*table].get_mut(index);
                *entry.ok_or(Stop::Trap(Trap::TableAccess, at))? = reference;
            }
            Inst::TableSize(table) => a.push(Type::I32, self.instance.tables[*table].len() as u64),
            Inst::TableDrop(table) => self.instance.tables[*table].clear(),
            Inst::TableGrow(table) => {
                let (delta, null) = (a.pop(), a.pop());
                assert_eq!(null, 0, "tables grow by null entries");
                let (entries, reserve) = (&mut self.instance.tables[*table], self.module.tables[*table].reserve);
                let old = entries.len() as u64;
                if old + delta <= u64::from(reserve) {
                    entries.resize((old + delta) as usize, 0);
                    a.push(Type::I32, old);
                } else {
                    a.push(Type::I32, u64::from(u32::MAX));
                }
            }
            Inst::MemoryDrop(memory) => self.instance.memories[*memory].length = 0,
            Inst::Bulk(_) => unreachable!("bulk instructions are linked before they run"),
            Inst::Const(ty, bits) => a.push(*ty, *bits),
            Inst::Numeric(op) => numeric(a, *op),
            Inst::Wide(low, high) => {
                let count = if matches!(high, Op::Add128High | Op::Sub128High) { 4 } else { 2 };
                let from = a.stack.len() - count;
                a.types.truncate(from);
                let args = a.stack.split_off(from);
                let result = |op, args: &[u64]| eval::run(op, args).expect("a plain operator");
                a.push(Type::I64, result(*low, &[args[0], args[count / 2]]));
                a.push(Type::I64, result(*high, &args));
            }
            Inst::Swapped(op) => {
                let last = a.stack.len() - 1;
                a.stack.swap(last, last - 1);
                numeric(a, *op);
            }
            Inst::IsZero(_) => {
                let word = a.pop();
                a.push(Type::I32, u64::from(word == 0));
            }
            Inst::Divide(op) => {
                let (divisor, dividend) = (a.stack[a.stack.len() - 1], a.stack[a.stack.len() - 2]);
                if divisor == 0 {
                    return Err(Stop::Trap(Trap::DivideByZero, at));
                }
                if *op == Op::DivS32 && dividend == 1 << 31 && divisor == u64::from(u32::MAX) {
                    return Err(Stop::Trap(Trap::IntegerOverflow, at));
                }
                numeric(a, *op);
            }
            Inst::Sign(op, ty) => {
                let sign = 1 << (ty.bits() - 1);
                let b = a.pop();
                let word = match op {
                    SignOp::Neg => b ^ sign,
                    SignOp::Abs => b & !sign,
                    SignOp::Copy => a.pop() & !sign | b & sign,
                };
                a.push(*ty, word);
            }
            Inst::Truncate { fits, to_integer } => {
                let word = a.stack[a.stack.len() - 1];
                match eval::run(*fits, &[word]) {
                    Some(0) => numeric(a, *to_integer),
                    Some(1) => return Err(Stop::Trap(Trap::InvalidConversion, at)),
                    _ => return Err(Stop::Trap(Trap::IntegerOverflow, at)),
                }
            }
            Inst::Nop => {}
            Inst::Block(_)
            | Inst::Loop(_)
            | Inst::If(_)
            | Inst::Else
            | Inst::End
            | Inst::Br(_)
            | Inst::BrIf(_)
            | Inst::BrTable(_)
            | Inst::Return
            | Inst::ReturnCall(_)
            | Inst::ReturnCallIndirect(..) => {
                unreachable!("control is handled by the caller")
            }
        }
        Ok(())
    }

    fn invoke(&mut self, a: &mut Activation, function: Function) -> Result<(), Stop> {
        let signature = self.module.function_type(function).signature();
        let from = a.stack.len() - signature.params.len();
        a.types.truncate(from);
        let results = self.call(function, a.stack.split_off(from))?;
        for (ty, word) in signature.result_types().into_iter().zip(results) {
            a.push(ty, word);
        }
        Ok(())
    }

    fn table_entry(&self, table: Table, index: usize, ty: TypeIndex) -> Result<Function, Trap> {
        let entry = self.instance.tables[table].get(index).ok_or(Trap::TableOutOfBounds)?;
        let function = referenced(*entry).ok_or(Trap::UninitializedElement)?;
        let is_equal = *self.module.function_type(function) == self.module.types[ty];
        if is_equal { Ok(function) } else { Err(Trap::IndirectCallType) }
    }

    fn grow(&mut self, memory: Memory, delta: u64) -> u32 {
        let decl = self.module.memories[memory];
        let bytes = &mut self.instance.memories[memory];
        let old = bytes.length >> decl.page_log2;
        let new = u64::from(old) + delta;
        if new > u64::from(decl.reserve_pages) {
            return u32::MAX;
        }
        bytes.length = (new as u32) << decl.page_log2;
        old
    }

    fn access(&mut self, a: &mut Activation, inst: &Inst) -> Result<(), Trap> {
        let (access, place, value) = match inst {
            Inst::Load(access, place, _) => (access, place, None),
            Inst::Store(access, place) | Inst::StoreLow(access, place) => (access, place, Some(a.pop())),
            _ => unreachable!("not an access"),
        };
        let first = a.pop() as usize + place.offset as usize;
        let memory = self.instance.memories[place.memory].present();
        let bytes = memory.get_mut(first..first + access.bytes() as usize);
        let bytes = bytes.ok_or(Trap::MemoryOutOfBounds)?;
        if let Some(value) = value {
            bytes.copy_from_slice(&value.to_le_bytes()[..bytes.len()]);
            return Ok(());
        }
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        let (signed, ty) = match inst {
            Inst::Load(_, _, Some(Op::ExtendS)) => (true, Type::I64),
            Inst::Load(_, _, Some(_)) => (false, Type::I64),
            _ => (matches!(access, Access::S8 | Access::S16), access.ty()),
        };
        let unused = 64 - 8 * access.bytes();
        let extended = ((word << unused) as i64 >> unused) as u64;
        a.push(ty, if signed { extended } else { word });
        Ok(())
    }
}

fn numeric(a: &mut Activation, op: Op) {
    let (_, operands, result) = op.plain().expect("a numeric operator");
    let from = a.stack.len() - operands.len();
    a.types.truncate(from);
    let word = eval::run(op, &a.stack.split_off(from)).expect("a numeric operator");
    a.push(result, word);
}
