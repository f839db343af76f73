//! From the Wasm operand stack to SSA.
//!
//! Requires: a module from [`wasm::parse`](crate::wasm::parse).
//! Ensures: the function is well-formed; each block that control can enter from several places
//! stands at a Wasm place of its own and its frame names every live local and every stack slot.
//!
//! The operand stack and the locals are simulated with values in place of words. A loop head and
//! the join behind an `end` receive every local that is live there as a parameter; parameters that
//! always receive the same value are removed by the optimiser at every level. Wasm cannot change
//! the operand stack below a block, so its slots need no parameters. Unreachable code is skipped.

mod liveness;
mod memory;
mod numeric;
mod table;

use crate::trap::Trap;

use crate::ir::func::{
    Block, Callee, ENTRY, Frame, Func, Inst as IrInst, Made, Place, Signature, Target, Terminator, Value,
};
use crate::ir::op::{Function, Global, Op, Sig, Type};
use crate::wasm::{BlockType, Body, Code, Inst, Module, TypeIndex};

/// Translates a function that the module defines; `None` for an import.
pub fn run(module: &Module, function: Function) -> Option<Func> {
    let Code::Body(body) = &module.functions[function].code else {
        return None;
    };
    let name = module.functions[function].name.clone();
    let func = Func::new(function.0, name, module.function_type(function).signature());
    let mut translator = Translator {
        module,
        body,
        live: liveness::run(body),
        matchings: matchings(body),
        func,
        order: vec![ENTRY],
        returns: Vec::new(),
        block: Some(ENTRY),
        locals: Vec::new(),
        stack: Vec::new(),
        labels: Vec::new(),
        index: 0,
    };
    translator.enter_function();
    for index in 0..body.insts.len() {
        translator.index = index;
        translator.step(&body.insts[index]);
    }
    Some(translator.finish())
}

/// Where a branch to a label leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LabelKind {
    /// Behind the `end` of a `block`, or of an `if` whose `else` arm is open or absent.
    Join,
    /// Behind the `end` of an `if` whose `then` arm is open; `Block` is the `else` arm.
    IfElse(Block),
    /// To the head of a loop.
    Loop,
    /// Out of the function.
    Function,
    /// Nowhere: the block was opened in unreachable code.
    Dead,
}

/// A block that is open.
struct Label {
    kind: LabelKind,
    /// The block entered by a branch; unused for `Function` and `Dead`.
    block: Block,
    /// How many operands a branch hands over.
    carried: usize,
    /// Locals handed over as parameters, before the operands.
    params: Vec<u32>,
    /// Height of the operand stack below the block.
    height: usize,
    /// Whether some edge leads to `block`.
    is_reached: bool,
    /// What the locals and the stack held before an `if` with an `else`.
    saved: Option<(Vec<Option<Value>>, Vec<Value>)>,
}

struct Translator<'a> {
    module: &'a Module,
    body: &'a Body,
    live: liveness::Liveness,
    matchings: Vec<Matching>,
    func: Func,
    /// Blocks in the order in which they were entered.
    order: Vec<Block>,
    /// Blocks that only return, on edges that leave the function.
    returns: Vec<Block>,
    /// The block being filled; `None` in unreachable code.
    block: Option<Block>,
    /// What each local holds; `None` where it is not live.
    locals: Vec<Option<Value>>,
    stack: Vec<Value>,
    labels: Vec<Label>,
    /// Number of the current instruction.
    index: usize,
}

impl Translator<'_> {
    fn enter_function(&mut self) {
        let params = self.func.blocks[ENTRY].params.clone();
        let is_live = |local: usize, live: &liveness::Liveness| live.at_entry().contains(local as u32);
        self.locals = vec![None; self.body.locals.len()];
        for (local, param) in params.iter().enumerate() {
            self.locals[local] = Some(*param).filter(|_| is_live(local, &self.live));
        }
        let frame = Frame { locals: self.locals.clone(), stack: vec![] };
        let offset = self.body.offsets[0];
        self.func.blocks[ENTRY].frame = frame;
        self.func.blocks[ENTRY].source = Some(Place { function: self.func.index, offset });
        for local in params.len()..self.locals.len() {
            if is_live(local, &self.live) {
                let zero = self.op(Op::constant(self.body.locals[local], 0), vec![]);
                self.locals[local] = Some(zero);
            }
        }
        let results = self.func.signature.results.len();
        self.push_label(LabelKind::Function, ENTRY, (0, results), vec![]);
    }

    fn finish(mut self) -> Func {
        assert!(self.block.is_none() && self.labels.is_empty(), "the body ends with its end");
        self.order.append(&mut self.returns);
        self.func.reorder(&self.order);
        self.func
    }

    fn step(&mut self, inst: &Inst) {
        match inst {
            Inst::Block(ty) => self.open_block(ty),
            Inst::Loop(ty) => self.open_loop(ty),
            Inst::If(ty) => self.open_if(ty),
            Inst::Else => self.switch_arm(),
            Inst::End => self.close(),
            _ if self.block.is_none() => {}
            Inst::Unreachable => self.end_block(Terminator::Trap(Trap::Unreachable)),
            Inst::Br(depth) => self.branch(*depth),
            Inst::BrIf(depth) => self.branch_if(*depth),
            Inst::BrTable(depths) => self.branch_table(depths),
            Inst::Return => self.return_from_function(),
            Inst::ReturnCall(function) => self.return_call(Function(*function)),
            Inst::ReturnCallIndirect(ty, table) => self.return_call_indirect(TypeIndex(*ty), *table),
            _ => self.step_straight(inst),
        }
    }

    fn step_straight(&mut self, inst: &Inst) {
        match inst {
            Inst::Call(function) => self.call(Function(*function)),
            Inst::CallIndirect(ty, table) => self.call_indirect(TypeIndex(*ty), *table),
            Inst::Drop => {
                self.pop();
            }
            Inst::Select => self.select(),
            Inst::LocalGet(local) => {
                let value = self.locals[*local as usize].expect("a local that is read is live");
                self.stack.push(value);
            }
            Inst::LocalSet(local) => self.locals[*local as usize] = Some(self.pop()),
            Inst::LocalTee(local) => self.locals[*local as usize] = self.stack.last().copied(),
            Inst::GlobalGet(global) => self.global_get(Global(*global)),
            Inst::GlobalSet(global) => {
                let (value, global) = (self.pop(), Global(*global));
                let ty = self.module.globals[global].ty.carrier();
                self.effect(Op::GlobalSet(global, ty), vec![value]);
            }
            Inst::Load(access, place, widen) => self.load(*access, *place, *widen),
            Inst::Store(access, place) => self.store(*access, *place),
            Inst::StoreLow(access, place) => self.store_low(*access, *place),
            Inst::MemorySize(memory, unit_log2) => self.memory_size(*memory, *unit_log2),
            Inst::MemoryGrow(memory) => self.memory_grow(*memory),
            Inst::MemoryDrop(memory) => self.memory_drop(*memory),
            Inst::RefFunc(function) => self.result(Op::FunctionRef(*function), vec![]),
            Inst::TableGet(table) => self.table_get(*table),
            Inst::TableSet(table) => self.table_set(*table),
            Inst::TableSize(table) => self.table_size(*table),
            Inst::TableGrow(table) => self.table_grow(*table),
            Inst::TableDrop(table) => self.table_drop(*table),
            Inst::Bulk(bulk) => unreachable!("{bulk:?} is linked"),
            Inst::Const(ty, bits) => self.result(Op::constant(*ty, *bits), vec![]),
            Inst::Numeric(op) => self.numeric(*op),
            Inst::Wide(low, high) => self.wide(*low, *high),
            Inst::Swapped(op) => self.swapped(*op),
            Inst::IsZero(ty) => self.is_zero(*ty),
            Inst::Divide(op) => self.divide(*op),
            Inst::Sign(op, ty) => self.sign(*op, *ty),
            Inst::Truncate { fits, to_integer } => self.truncate(*fits, *to_integer),
            Inst::Nop => {}
            Inst::Unreachable
            | Inst::Block(_)
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
    }

    // Values.

    fn offset(&self) -> u32 {
        self.body.offsets[self.index]
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().expect("validation checks the stack")
    }

    fn push_inst(&mut self, op: Op, args: Vec<Value>) -> IrInst {
        let block = self.block.expect("reachable code");
        let offset = self.offset();
        self.func.push(block, op, args, offset)
    }

    /// Emits an operator without a result.
    fn effect(&mut self, op: Op, args: Vec<Value>) {
        let inst = self.push_inst(op, args);
        assert!(self.func.insts[inst].result.is_none(), "{op:?} has a result");
    }

    /// Emits an operator for its result.
    fn op(&mut self, op: Op, args: Vec<Value>) -> Value {
        let inst = self.push_inst(op, args);
        self.func.insts[inst].result.expect("an operator with a result")
    }

    /// Emits the operator whose result is the result of the Wasm instruction.
    fn result(&mut self, op: Op, args: Vec<Value>) {
        let value = self.op(op, args);
        self.push_result(value);
    }

    /// Pushes the result of the Wasm instruction.
    fn push_result(&mut self, value: Value) {
        self.push_one_of(value, 0);
    }

    /// Pushes one of several results of the Wasm instruction, above which some others will lie.
    fn push_one_of(&mut self, value: Value, above: u32) {
        self.func.values[value].made_at = Some(Made { offset: self.offset(), above });
        self.stack.push(value);
    }

    fn const32(&mut self, bits: u32) -> Value {
        self.op(Op::Const32(bits), vec![])
    }

    fn trap_if(&mut self, trap: Trap, condition: Value) {
        self.effect(Op::TrapIf(trap), vec![condition]);
    }

    fn select(&mut self) {
        let (condition, otherwise, then) = (self.pop(), self.pop(), self.pop());
        let op = match self.func.values[then].ty {
            Type::I32 => Op::Select32,
            Type::I64 => Op::Select64,
        };
        self.result(op, vec![condition, then, otherwise]);
    }

    fn global_get(&mut self, global: Global) {
        let decl = &self.module.globals[global];
        let op = match (decl.mutable, decl.initial.function()) {
            (true, _) => Op::GlobalGet(global, decl.ty.carrier()),
            (false, None) => Op::constant(decl.ty.carrier(), decl.initial.value()),
            (false, Some(function)) => Op::FunctionRef(function),
        };
        self.result(op, vec![]);
    }

    fn call(&mut self, function: Function) {
        let (signature, args) = self.arguments(&self.module.function_type(function).signature());
        self.push_call(Op::Call { function, signature }, signature, args);
    }

    fn return_call(&mut self, function: Function) {
        let (signature, args) = self.arguments(&self.module.function_type(function).signature());
        self.end_block(Terminator::ReturnCall { callee: Callee::Function(function), signature, args });
    }

    /// Takes the arguments of a call from the stack.
    fn arguments(&mut self, signature: &Signature) -> (Sig, Vec<Value>) {
        let args = self.stack.split_off(self.stack.len() - signature.params.len());
        (self.func.signature_index(signature), args)
    }

    fn push_call(&mut self, op: Op, signature: Sig, args: Vec<Value>) {
        let inst = self.push_inst(op, args);
        if let Some(value) = self.func.insts[inst].result {
            return self.push_result(value);
        }
        let results = self.func.signatures[signature].results.len() as u32;
        for index in 0..results {
            let value = self.op(Op::CallResult { signature, index }, vec![]);
            self.push_one_of(value, results - 1 - index);
        }
    }

    // Control.

    /// Opens a block that has taken some operands; a branch to its label hands over `carried`.
    fn push_label(&mut self, kind: LabelKind, block: Block, (taken, carried): (usize, usize), params: Vec<u32>) {
        let height = self.stack.len() - taken;
        self.labels.push(Label { kind, block, carried, params, height, is_reached: false, saved: None });
    }

    /// Ends the current block.
    fn end_block(&mut self, terminator: Terminator) {
        let (block, offset) = (self.block.take().expect("reachable code"), self.offset());
        self.func.blocks[block].terminator = terminator;
        self.func.blocks[block].terminator_offset = offset;
    }

    /// Continues in a block whose head is the place behind the current instruction.
    fn begin_block(&mut self, block: Block) {
        assert!(self.block.is_none(), "the previous block has ended");
        let live = self.live.after(self.index);
        for (local, value) in self.locals.iter_mut().enumerate() {
            *value = value.filter(|_| live.contains(local as u32));
        }
        let stack = self.stack.iter().copied().map(Some).collect();
        let offset = self.body.offsets[self.index + 1];
        self.func.blocks[block].frame = Frame { locals: self.locals.clone(), stack };
        self.func.blocks[block].source = Some(Place { function: self.func.index, offset });
        self.order.push(block);
        self.block = Some(block);
    }

    fn branch(&mut self, depth: u32) {
        if self.labels[self.labels.len() - 1 - depth as usize].kind == LabelKind::Function {
            return self.return_from_function();
        }
        let target = self.edge(depth);
        self.end_block(Terminator::Jump(target));
    }

    /// The edge that a branch to the label takes from here. Operands stay on the stack.
    fn edge(&mut self, depth: u32) -> Target {
        let index = self.labels.len() - 1 - depth as usize;
        let label = &mut self.labels[index];
        label.is_reached = true;
        if label.kind == LabelKind::Function {
            let (block, offset) = (self.func.add_block(), self.offset());
            self.func.blocks[block].terminator = self.return_terminator();
            self.func.blocks[block].terminator_offset = offset;
            self.returns.push(block);
            return Target::new(block, vec![]);
        }
        let label = &self.labels[index];
        let local = |local: &u32| self.locals[*local as usize].expect("a live local");
        let mut args: Vec<Value> = label.params.iter().map(local).collect();
        args.extend(&self.stack[self.stack.len() - label.carried..]);
        Target::new(label.block, args)
    }

    fn return_terminator(&self) -> Terminator {
        let results = self.func.signature.results.len();
        Terminator::Return(self.stack[self.stack.len() - results..].to_vec())
    }

    fn return_from_function(&mut self) {
        let terminator = self.return_terminator();
        self.end_block(terminator);
    }

    fn branch_if(&mut self, depth: u32) {
        let cond = self.pop();
        let (then, next) = (self.edge(depth), self.func.add_block());
        self.end_block(Terminator::BranchIf { cond, then, otherwise: Target::new(next, vec![]) });
        self.begin_block(next);
    }

    fn branch_table(&mut self, depths: &[u32]) {
        let index = self.pop();
        let mut edges: std::collections::BTreeMap<u32, Target> = std::collections::BTreeMap::new();
        for depth in depths {
            if !edges.contains_key(depth) {
                let edge = self.edge(*depth);
                edges.insert(*depth, edge);
            }
        }
        let mut targets: Vec<Target> = depths.iter().map(|depth| edges[depth].clone()).collect();
        let default = targets.pop().expect("a table has a default");
        self.end_block(Terminator::BrTable { index, targets, default });
    }

    /// A block whose parameters are the locals live behind instruction `index`, and operands.
    fn add_join(&mut self, index: usize, operands: &[Type]) -> (Block, Vec<u32>) {
        let block = self.func.add_block();
        let params: Vec<u32> = self.live.after(index).iter().collect();
        for local in &params {
            self.func.add_param(block, self.body.locals[*local as usize]);
        }
        for ty in operands {
            self.func.add_param(block, *ty);
        }
        (block, params)
    }

    /// Opens a block in unreachable code.
    fn open_dead(&mut self) {
        self.push_label(LabelKind::Dead, ENTRY, (0, 0), vec![]);
    }

    fn open_block(&mut self, ty: &BlockType) {
        if self.block.is_none() {
            return self.open_dead();
        }
        let (block, params) = self.add_join(self.matchings[self.index].end, &ty.result_types());
        self.push_label(LabelKind::Join, block, (ty.params.len(), ty.results.len()), params);
    }

    fn open_loop(&mut self, ty: &BlockType) {
        if self.block.is_none() {
            return self.open_dead();
        }
        let (block, params) = self.add_join(self.index, &ty.param_types());
        self.push_label(LabelKind::Loop, block, (ty.params.len(), ty.params.len()), params);
        let target = self.edge(0);
        self.end_block(Terminator::Jump(target));
        self.receive_params(self.labels.len() - 1);
        self.begin_block(block);
    }

    fn open_if(&mut self, ty: &BlockType) {
        if self.block.is_none() {
            return self.open_dead();
        }
        let (cond, matching) = (self.pop(), self.matchings[self.index]);
        let (join, params) = self.add_join(matching.end, &ty.result_types());
        let operands = (ty.params.len(), ty.results.len());
        let then = self.func.add_block();
        let otherwise = match matching.has_else {
            true => {
                let arm = self.func.add_block();
                self.push_label(LabelKind::IfElse(arm), join, operands, params);
                let saved = (self.locals.clone(), self.stack.clone());
                self.labels.last_mut().expect("just pushed").saved = Some(saved);
                Target::new(arm, vec![])
            }
            false => {
                self.push_label(LabelKind::Join, join, operands, params);
                self.edge(0)
            }
        };
        self.end_block(Terminator::BranchIf { cond, then: Target::new(then, vec![]), otherwise });
        self.begin_block(then);
    }

    /// At `else`: leaves the `then` arm and continues in the other.
    fn switch_arm(&mut self) {
        if self.block.is_some() {
            let target = self.edge(0);
            self.end_block(Terminator::Jump(target));
        }
        let label = self.labels.last_mut().expect("an open if");
        let LabelKind::IfElse(arm) = label.kind else {
            return;
        };
        label.kind = LabelKind::Join;
        (self.locals, self.stack) = label.saved.take().expect("saved at the if");
        self.begin_block(arm);
    }

    fn close(&mut self) {
        let kind = self.labels.last().expect("an open block").kind;
        match kind {
            LabelKind::Function if self.block.is_some() => self.return_from_function(),
            LabelKind::Join if self.block.is_some() => {
                let target = self.edge(0);
                self.end_block(Terminator::Jump(target));
            }
            LabelKind::IfElse(_) => unreachable!("an if with an else has met it"),
            LabelKind::Function | LabelKind::Join | LabelKind::Loop | LabelKind::Dead => {}
        }
        let label = self.labels.last().expect("an open block");
        let join = (label.kind == LabelKind::Join && label.is_reached).then_some(label.block);
        if let Some(block) = join {
            self.receive_params(self.labels.len() - 1);
            self.begin_block(block);
        }
        self.labels.pop();
    }

    /// Makes the parameters of a label's block the locals and the top of the stack.
    fn receive_params(&mut self, label: usize) {
        let label = &self.labels[label];
        let values = &self.func.blocks[label.block].params;
        self.locals.fill(None);
        for (local, value) in label.params.iter().zip(values) {
            self.locals[*local as usize] = Some(*value);
        }
        self.stack.truncate(label.height);
        self.stack.extend(&values[label.params.len()..]);
    }
}

/// The `end` of a block, and whether it is an `if` with an `else`.
#[derive(Clone, Copy)]
struct Matching {
    end: usize,
    has_else: bool,
}

/// For each instruction that opens a block, its `end`; for the others a value without meaning.
fn matchings(body: &Body) -> Vec<Matching> {
    let mut matchings = vec![Matching { end: 0, has_else: false }; body.insts.len()];
    let mut open = Vec::new();
    for (index, inst) in body.insts.iter().enumerate() {
        match (inst, open.last()) {
            (Inst::Block(_) | Inst::Loop(_) | Inst::If(_), _) => open.push(index),
            (Inst::Else, Some(opener)) => matchings[*opener].has_else = true,
            (Inst::End, Some(opener)) => {
                matchings[*opener].end = index;
                open.pop();
            }
            _ => {}
        }
    }
    matchings
}
