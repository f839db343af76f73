//! A function in SSA form with block parameters.
//!
//! Block 0 is the entry: its parameters are the function's, and nothing jumps to it. A block's
//! instructions run in list order, then its terminator. A value is a block parameter or the one
//! result of an instruction; its definition dominates its uses. A call with several results has none:
//! operators right behind it read them.
//!
//! Each block may carry its Wasm place and frame: which value each Wasm local and operand-stack
//! slot holds when control stands there. A frame's use of a value is no use in the machine: a value
//! that only frames (and other such values) use is *virtual* and is not lowered.

use crate::trap::Trap;

use super::op::{Function, Op, Sig, Type};
use crate::entity;
use crate::entity::TypedVec;

entity! {
    /// A basic block.
    Block, "b";
    /// A value.
    Value, "v";
    /// An instruction.
    Inst, "i";
}

/// What a call hands over: bits, of which the calling convention asks whether they are a float.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Passed {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// A binary32 number.
    F32,
    /// A binary64 number.
    F64,
}

impl Passed {
    /// Every one.
    pub const ALL: [Passed; 4] = [Passed::I32, Passed::I64, Passed::F32, Passed::F64];

    /// The type of its bits.
    pub fn ty(self) -> Type {
        match self {
            Passed::I32 | Passed::F32 => Type::I32,
            Passed::I64 | Passed::F64 => Type::I64,
        }
    }

    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Passed::I32 => "i32",
            Passed::I64 => "i64",
            Passed::F32 => "f32",
            Passed::F64 => "f64",
        }
    }
}

impl From<Type> for Passed {
    fn from(ty: Type) -> Passed {
        match ty {
            Type::I32 => Passed::I32,
            Type::I64 => Passed::I64,
        }
    }
}

/// Parameters and results.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Signature {
    /// The parameters.
    pub params: Vec<Passed>,
    /// The results.
    pub results: Vec<Passed>,
}

impl Signature {
    /// The types of the parameters.
    pub fn param_types(&self) -> Vec<Type> {
        self.params.iter().map(|param| param.ty()).collect()
    }

    /// The types of the results.
    pub fn result_types(&self) -> Vec<Type> {
        self.results.iter().map(|result| result.ty()).collect()
    }
}

/// A function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Func {
    /// Wasm function index, imports counted.
    pub index: u32,
    /// For people: the name section's name, or an export's, or the index.
    pub name: String,
    /// Its own signature.
    pub signature: Signature,
    /// Signatures that its call instructions name.
    pub signatures: TypedVec<Sig, Signature>,
    /// Blocks; the order is the layout order, entry first.
    pub blocks: TypedVec<Block, BlockData>,
    /// Instructions; which block holds them is said by the blocks.
    pub insts: TypedVec<Inst, InstData>,
    /// Values.
    pub values: TypedVec<Value, ValueData>,
}

/// The entry block.
pub const ENTRY: Block = Block(0);

/// A basic block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockData {
    /// Values that the predecessors hand over.
    pub params: Vec<Value>,
    /// Instructions in order.
    pub insts: Vec<Inst>,
    /// How control leaves.
    pub terminator: Terminator,
    /// The Wasm offset of the instruction that the terminator stands for.
    pub terminator_offset: u32,
    /// The Wasm place of the block's head. A block without one has one predecessor.
    pub source: Option<Place>,
    /// What locals and operand stack hold at the head; empty without a place.
    pub frame: Frame,
}

/// A place in the Wasm module: control is about to execute the instruction there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Wasm function index, imports counted.
    pub function: u32,
    /// Byte offset in the module of the next instruction to execute.
    pub offset: u32,
}

/// What the Wasm state holds at a place. `None` is a slot that the source does not read again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// Each local, parameters first.
    pub locals: Vec<Option<Value>>,
    /// Each operand-stack slot, bottom first.
    pub stack: Vec<Option<Value>>,
}

impl Frame {
    /// Every slot, locals first.
    pub fn slots(&self) -> impl Iterator<Item = &Option<Value>> {
        self.locals.iter().chain(&self.stack)
    }

    /// Every slot, locals first, mutable.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut Option<Value>> {
        self.locals.iter_mut().chain(&mut self.stack)
    }
}

/// An instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstData {
    /// What it computes.
    pub op: Op,
    /// Its operands.
    pub args: Vec<Value>,
    /// Its result, if it has one.
    pub result: Option<Value>,
    /// The Wasm offset of the instruction that it is there for.
    pub offset: u32,
}

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueData {
    /// Its type.
    pub ty: Type,
    /// What defines it.
    pub def: Def,
    /// The Wasm instruction whose result it is, where there is one.
    pub made_at: Option<Made>,
    /// Whether it is lowered.
    pub liveness: Liveness,
}

/// A result of a Wasm instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// The instruction's byte offset in the module.
    pub offset: u32,
    /// How many of its results lie above this one on the operand stack.
    pub above: u32,
}

/// What defines a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// A parameter of this block.
    Param(Block),
    /// The result of this instruction.
    Inst(Inst),
}

/// Whether a value exists in the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Liveness {
    /// It is lowered.
    Lowered,
    /// Only frames and other virtual values use it; its instruction is not lowered.
    Virtual,
}

/// An edge: the block and what its parameters receive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target {
    /// The block entered.
    pub block: Block,
    /// One value per parameter.
    pub args: Vec<Value>,
}

impl Target {
    /// An edge that hands over these values.
    pub fn new(block: Block, args: Vec<Value>) -> Target {
        Target { block, args }
    }
}

/// Who is called where control does not come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callee {
    /// A function of the module, imported or not.
    Function(Function),
    /// The code at an address. It is known to have the signature.
    Code,
}

/// How control leaves a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Terminator {
    /// To the target.
    Jump(Target),
    /// To `then` if `cond` is not zero, else to `otherwise`.
    BranchIf {
        /// An `i32`.
        cond: Value,
        /// Taken if it is not zero.
        then: Target,
        /// Taken if it is zero.
        otherwise: Target,
    },
    /// To `targets[index]`, or to `default` if the index is too large.
    BrTable {
        /// An `i32`, unsigned.
        index: Value,
        /// By index.
        targets: Vec<Target>,
        /// For every other index.
        default: Target,
    },
    /// Out of the function with these results.
    Return(Vec<Value>),
    /// Out of the function into another, whose results are this one's.
    ReturnCall {
        /// The other.
        callee: Callee,
        /// Its signature.
        signature: Sig,
        /// Its arguments; before them its code address, if that is how it is known.
        args: Vec<Value>,
    },
    /// Never further.
    Trap(Trap),
}

impl Terminator {
    /// The edges, in order; the default of a table last.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let (first, many, last): (Option<&Target>, &[Target], Option<&Target>) = match self {
            Terminator::Jump(target) => (Some(target), &[], None),
            Terminator::BranchIf { then, otherwise, .. } => (Some(then), &[], Some(otherwise)),
            Terminator::BrTable { targets, default, .. } => (None, targets, Some(default)),
            Terminator::Return(_) | Terminator::ReturnCall { .. } | Terminator::Trap(_) => (None, &[], None),
        };
        first.into_iter().chain(many).chain(last)
    }

    /// The edges, in order, mutable.
    pub fn targets_mut(&mut self) -> impl Iterator<Item = &mut Target> {
        let (first, many, last): (Option<&mut Target>, &mut [Target], Option<&mut Target>) = match self {
            Terminator::Jump(target) => (Some(target), &mut [], None),
            Terminator::BranchIf { then, otherwise, .. } => (Some(then), &mut [], Some(otherwise)),
            Terminator::BrTable { targets, default, .. } => (None, targets, Some(default)),
            Terminator::Return(_) | Terminator::ReturnCall { .. } | Terminator::Trap(_) => (None, &mut [], None),
        };
        first.into_iter().chain(many).chain(last)
    }

    /// The operands that are not handed over on an edge.
    pub fn operands(&self) -> &[Value] {
        match self {
            Terminator::BranchIf { cond, .. } => std::slice::from_ref(cond),
            Terminator::BrTable { index, .. } => std::slice::from_ref(index),
            Terminator::Return(values) | Terminator::ReturnCall { args: values, .. } => values,
            Terminator::Jump(_) | Terminator::Trap(_) => &[],
        }
    }

    /// The operands that are not handed over on an edge, mutable.
    pub fn operands_mut(&mut self) -> &mut [Value] {
        match self {
            Terminator::BranchIf { cond, .. } => std::slice::from_mut(cond),
            Terminator::BrTable { index, .. } => std::slice::from_mut(index),
            Terminator::Return(values) | Terminator::ReturnCall { args: values, .. } => values,
            Terminator::Jump(_) | Terminator::Trap(_) => &mut [],
        }
    }

    /// Every value used: operands, then edge arguments.
    pub fn uses(&self) -> impl Iterator<Item = Value> {
        let edges = self.targets().flat_map(|target| target.args.iter());
        self.operands().iter().chain(edges).copied()
    }
}

/// Which values stand for which from now on: the argument of [`Func::replace`].
#[derive(Clone, Debug)]
pub struct Replacements {
    by: TypedVec<Value, Option<Value>>,
    any: bool,
}

impl Replacements {
    /// None yet.
    pub fn new(func: &Func) -> Replacements {
        Replacements { by: TypedVec::filled(None, func.values.len()), any: false }
    }

    /// `old` shall be `new` everywhere.
    ///
    /// Requires: `new` does not itself lead to `old`.
    pub fn insert(&mut self, old: Value, new: Value) {
        let new = self.resolve(new);
        assert_ne!(old, new, "a value cannot replace itself");
        assert!(self.by.get(old).is_none_or(Option::is_none), "{old} is replaced twice");
        while self.by.len() <= old.0 as usize {
            self.by.push(None);
        }
        self.by[old] = Some(new);
        self.any = true;
    }

    /// What stands for `value`.
    pub fn resolve(&self, mut value: Value) -> Value {
        while let Some(next) = self.by.get(value).copied().flatten() {
            value = next;
        }
        value
    }

    /// Whether nothing is replaced.
    pub fn is_empty(&self) -> bool {
        !self.any
    }
}

impl Func {
    /// A function with an entry block for the signature, which as yet ends in a trap.
    pub fn new(index: u32, name: String, signature: Signature) -> Func {
        let mut func = Func {
            index,
            name,
            signature,
            signatures: TypedVec::new(),
            blocks: TypedVec::new(),
            insts: TypedVec::new(),
            values: TypedVec::new(),
        };
        let entry = func.add_block();
        for ty in func.signature.param_types() {
            func.add_param(entry, ty);
        }
        func
    }

    /// Appends an empty block without a place, which as yet ends in a trap.
    pub fn add_block(&mut self) -> Block {
        self.blocks.push(BlockData {
            params: Vec::new(),
            insts: Vec::new(),
            terminator: Terminator::Trap(Trap::Unreachable),
            terminator_offset: 0,
            source: None,
            frame: Frame::default(),
        })
    }

    /// Appends a parameter to a block.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let def = Def::Param(block);
        let liveness = Liveness::Lowered;
        let value = self.values.push(ValueData { ty, def, made_at: None, liveness });
        self.blocks[block].params.push(value);
        value
    }

    /// Makes an instruction that no block holds yet, with its result if it has one.
    pub fn make(&mut self, op: Op, args: Vec<Value>, offset: u32) -> Inst {
        let inst = self.insts.next_key();
        let ty = self.result_type(op);
        let result = ty.map(|ty| {
            let def = Def::Inst(inst);
            self.values.push(ValueData { ty, def, made_at: None, liveness: Liveness::Lowered })
        });
        self.insts.push(InstData { op, args, result, offset })
    }

    /// Appends an instruction to a block.
    pub fn push(&mut self, block: Block, op: Op, args: Vec<Value>, offset: u32) -> Inst {
        let inst = self.make(op, args, offset);
        self.blocks[block].insts.push(inst);
        inst
    }

    /// The index of a signature, which is added if it is new.
    pub fn signature_index(&mut self, signature: &Signature) -> Sig {
        let found = self.signatures.iter().find(|(_, known)| *known == signature);
        match found {
            Some((index, _)) => index,
            None => self.signatures.push(signature.clone()),
        }
    }

    /// The types of an operator's operands.
    pub fn operand_types(&self, op: Op) -> Vec<Type> {
        match op {
            Op::Const32(_)
            | Op::Const64(_)
            | Op::MemoryBase(_)
            | Op::MemoryBytes(_)
            | Op::GlobalGet(..)
            | Op::FunctionRef(_)
            | Op::TableSize(_)
            | Op::CallResult { .. } => vec![],
            Op::SetMemoryBytes(_)
            | Op::Load { .. }
            | Op::TableEntry(_)
            | Op::TableGet(_)
            | Op::SetTableSize(_)
            | Op::ReferenceType
            | Op::ReferenceCode
            | Op::TrapIf(_) => vec![Type::I32],
            Op::TableSet(_) => vec![Type::I32, Type::I32],
            Op::Store { access, .. } => vec![Type::I32, access.ty()],
            Op::GlobalSet(_, ty) => vec![ty],
            Op::Call { signature, .. } => self.signatures[signature].param_types(),
            Op::CallCode { signature } => {
                let params = self.signatures[signature].param_types();
                std::iter::once(Type::I32).chain(params).collect()
            }
            plain => plain.plain().map_or(vec![], |(_, operands, _)| operands.to_vec()),
        }
    }

    /// The type of an operator's result, if it has one.
    pub fn result_type(&self, op: Op) -> Option<Type> {
        match op {
            Op::Const32(_)
            | Op::MemoryBase(_)
            | Op::MemoryBytes(_)
            | Op::FunctionRef(_)
            | Op::TableEntry(_)
            | Op::TableGet(_)
            | Op::TableSize(_)
            | Op::ReferenceType
            | Op::ReferenceCode => Some(Type::I32),
            Op::Const64(_) => Some(Type::I64),
            Op::Load { access, .. } => Some(access.ty()),
            Op::GlobalGet(_, ty) => Some(ty),
            Op::SetMemoryBytes(_)
            | Op::Store { .. }
            | Op::GlobalSet(..)
            | Op::TableSet(_)
            | Op::SetTableSize(_)
            | Op::TrapIf(_) => None,
            Op::Call { signature, .. } | Op::CallCode { signature } => match self.signatures[signature].results[..] {
                [result] => Some(result.ty()),
                _ => None,
            },
            Op::CallResult { signature, index } => {
                self.signatures[signature].results.get(index as usize).map(|result| result.ty())
            }
            plain => plain.plain().map(|(_, _, result)| result),
        }
    }

    /// The operator that computes a value, if an instruction does.
    pub fn op(&self, value: Value) -> Option<Op> {
        self.definition(value).map(|inst| inst.op)
    }

    /// The instruction that computes a value, if one does.
    pub fn definition(&self, value: Value) -> Option<&InstData> {
        match self.values[value].def {
            Def::Inst(inst) => Some(&self.insts[inst]),
            Def::Param(_) => None,
        }
    }

    /// The bits of a value that is a constant, zero-extended to 64.
    pub fn constant(&self, value: Value) -> Option<u64> {
        match self.op(value)? {
            Op::Const32(bits) => Some(u64::from(bits)),
            Op::Const64(bits) => Some(bits),
            _ => None,
        }
    }

    /// Whether an instruction is lowered: it has an effect, or its result exists in the machine.
    pub fn is_lowered(&self, inst: Inst) -> bool {
        match self.insts[inst].result {
            Some(value) if self.insts[inst].op.is_removable() => self.values[value].liveness == Liveness::Lowered,
            Some(_) | None => true,
        }
    }

    /// Keeps exactly the blocks in `order`, in that order.
    ///
    /// Requires: `order` begins with the entry and contains every block that a kept one leads to.
    pub fn reorder(&mut self, order: &[Block]) {
        assert_eq!(order.first(), Some(&ENTRY), "the entry stays first");
        let mut renamed: TypedVec<Block, Option<Block>> = TypedVec::filled(None, self.blocks.len());
        for (new, old) in order.iter().enumerate() {
            assert!(renamed[*old].is_none(), "{old} is kept once");
            renamed[*old] = Some(Block(new as u32));
        }
        let mut old: Vec<Option<BlockData>> = std::mem::take(&mut self.blocks).into_iter().map(Some).collect();
        self.blocks = order.iter().filter_map(|block| old[block.0 as usize].take()).collect();
        for (block, data) in self.blocks.iter_mut() {
            for param in &data.params {
                self.values[*param].def = Def::Param(block);
            }
            for target in data.terminator.targets_mut() {
                target.block = renamed[target.block].expect("a kept block leads to kept blocks");
            }
        }
    }

    /// Keeps the block parameters for which `keep` holds, on all edges too. Those of the entry stay.
    ///
    /// Requires: nothing uses the others.
    pub fn retain_params(&mut self, keep: impl Fn(Value) -> bool) {
        let kept: TypedVec<Block, Vec<bool>> = self
            .blocks
            .iter()
            .map(|(block, data)| data.params.iter().map(|p| block == ENTRY || keep(*p)).collect())
            .collect();
        let retain = |values: &mut Vec<Value>, kept: &[bool]| {
            let mut kept = kept.iter();
            values.retain(|_| kept.next().is_some_and(|kept| *kept));
        };
        for (block, data) in self.blocks.iter_mut() {
            retain(&mut data.params, &kept[block]);
            for target in data.terminator.targets_mut() {
                retain(&mut target.args, &kept[target.block]);
            }
        }
    }

    /// Replaces all uses: operands, edge arguments and frames. The only way to replace a use
    /// for good; the definitions replaced stay until dead code is removed.
    pub fn replace(&mut self, replacements: &Replacements) {
        if replacements.is_empty() {
            return;
        }
        let rewrite = |value: &mut Value| *value = replacements.resolve(*value);
        for inst in self.insts.values_mut() {
            inst.args.iter_mut().for_each(rewrite);
        }
        for block in self.blocks.values_mut() {
            block.terminator.operands_mut().iter_mut().for_each(rewrite);
            for target in block.terminator.targets_mut() {
                target.args.iter_mut().for_each(rewrite);
            }
            block.frame.slots_mut().flatten().for_each(rewrite);
        }
    }
}
