//! Functions of machine instructions over virtual registers, in SSA form, with what hints need to
//! know about each value and each block.
//!
//! Ensures (checked by `vcode::check`): each virtual register is defined once, by an instruction
//! or as a block parameter, and the definition dominates its uses; a use as an edge argument is
//! at the end of the predecessor. The entry block is block 0, has no parameters and no
//! predecessors; its first item is `Args` if there are register arguments.

use std::collections::BTreeMap;

use synth_verify::hints::{Base, Bin32, Bin64, Cmp, Float, Sort, Un32, Un64};

use super::entity::{Block, TypedVec, VReg, Value};
use super::inst::{Callee, Inst, Terminator};
use super::reg::RegClass;
use crate::ir::func::Made;
use crate::target::{FloatUnit, Isa};

/// A function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Func {
    /// Wasm function index, imports counted.
    pub index: u32,
    /// The instructions that it may have.
    pub isa: Isa,
    /// The floating-point unit that it may use.
    pub float: FloatUnit,
    /// The blocks; block 0 is the entry.
    pub blocks: TypedVec<Block, BlockData>,
    /// What each virtual register stands for.
    pub vregs: TypedVec<VReg, Origin>,
    /// What each virtual register is.
    pub classes: TypedVec<VReg, RegClass>,
    /// Two numbers in one register: which, the lower half first. They have no names but those.
    pub halves: BTreeMap<VReg, [Option<VReg>; 2]>,
    /// The SSA values that origins and frames mention.
    pub values: BTreeMap<Value, ValueInfo>,
}

/// The entry block.
pub const ENTRY: Block = Block(0);

/// A basic block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockData {
    /// Virtual registers that the edges in define.
    pub params: Vec<VReg>,
    /// The items.
    pub insts: Vec<Node>,
    /// How it ends.
    pub terminator: Terminator<VReg>,
    /// The Wasm offset that the terminator is there for.
    pub terminator_source: Option<u32>,
    /// What the hints say at its head.
    pub head: Head,
}

/// An item and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The instruction.
    pub inst: Inst<VReg>,
    /// The Wasm offset it is there for.
    pub source: Option<u32>,
    /// Whether it is part of a check that may trap.
    pub purpose: Purpose,
}

/// What an item is for; becomes the class of its label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// It computes what a Wasm instruction asks for.
    Direct,
    /// It is part of a check that may trap.
    Check,
}

/// The Wasm state at a block's head.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The Wasm places, outermost frame first: function index and byte offset in the module.
    /// Empty where the head corresponds to no Wasm place; such a head cannot be a cut.
    pub source: Vec<(u32, u32)>,
    /// What each Wasm local, of every frame in `source`, holds; `None` is unconstrained.
    pub locals: Vec<Option<FrameValue>>,
    /// What each operand-stack slot holds, bottom first.
    pub stack: Vec<Option<FrameValue>>,
    /// 32-bit expressions that are not zero here.
    pub facts: Vec<FrameValue>,
}

/// An SSA value's type, where it was made, and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueInfo {
    /// Its type.
    pub sort: Sort,
    /// The Wasm instruction whose result it is, if one made it.
    pub made_at: Option<Made>,
    /// Its definition by a pure operator over other values, if it has one.
    pub definition: Option<FrameValue>,
    /// What is known of it wherever it is: a 32-bit expression over it that is not zero.
    pub range: Option<FrameValue>,
    /// Where it comes to be.
    pub born: Born,
    /// Whether the code may use words that its definition mentions in its stead.
    pub is_read_through: bool,
}

/// Where an SSA value comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Born {
    /// It is a parameter of this block.
    AtHead(Block),
    /// An instruction of this block makes it.
    Inside(Block),
}

/// What a virtual register stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A 32-bit SSA value.
    Value(Value),
    /// Bits 31:0 of a 64-bit SSA value.
    Low(Value),
    /// Bits 63:32 of a 64-bit SSA value.
    High(Value),
    /// A 64-bit SSA value.
    Wide(Value),
    /// An expression.
    Derived(FrameValue),
    /// An intermediate result that never lives into a cut.
    Local,
}

impl Origin {
    /// Its words as expressions, the low one first; none if there are none.
    pub fn expressions(&self) -> Vec<FrameValue> {
        let low = |value: Value| FrameValue::Low(Box::new(FrameValue::Value(value)));
        let high = |value: Value| FrameValue::High(Box::new(FrameValue::Value(value)));
        match self {
            Origin::Value(value) => vec![FrameValue::Value(*value)],
            Origin::Low(value) => vec![low(*value)],
            Origin::High(value) => vec![high(*value)],
            Origin::Wide(value) => vec![low(*value), high(*value)],
            Origin::Derived(expression) => vec![expression.clone()],
            Origin::Local => Vec::new(),
        }
    }
}

/// An expression over SSA values; becomes nodes of a cut. Variants as in `hints::Expr`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each variant is the one of the same name in hints::Expr")]
pub enum FrameValue {
    Value(Value),
    Const32(u32),
    Const64(u64),
    Un32(Un32, Box<FrameValue>),
    Bin32(Bin32, Box<FrameValue>, Box<FrameValue>),
    Cmp32(Cmp, Box<FrameValue>, Box<FrameValue>),
    Ite32(Box<FrameValue>, Box<FrameValue>, Box<FrameValue>),
    Un64(Un64, Box<FrameValue>),
    Bin64(Bin64, Box<FrameValue>, Box<FrameValue>),
    Cmp64(Cmp, Box<FrameValue>, Box<FrameValue>),
    Ite64(Box<FrameValue>, Box<FrameValue>, Box<FrameValue>),
    Float1(Float, Box<FrameValue>),
    Float2(Float, Box<FrameValue>, Box<FrameValue>),
    Join(Box<FrameValue>, Box<FrameValue>),
    High(Box<FrameValue>),
    Low(Box<FrameValue>),
    Base(Base),
    Load(u32, u8, Box<FrameValue>),
    Global32(u32),
    Global64(u32),
    MemoryBytes(u32),
    TableEntry(u32, Box<FrameValue>),
    ReferenceType(Box<FrameValue>),
    ReferenceCode(Box<FrameValue>),
}

impl FrameValue {
    /// How many operators it consists of.
    pub fn operators(&self) -> u32 {
        match self {
            FrameValue::Value(_)
            | FrameValue::Const32(_)
            | FrameValue::Const64(_)
            | FrameValue::Base(_)
            | FrameValue::Global32(_)
            | FrameValue::Global64(_)
            | FrameValue::MemoryBytes(_) => 0,
            FrameValue::Un32(_, a)
            | FrameValue::Un64(_, a)
            | FrameValue::Float1(_, a)
            | FrameValue::High(a)
            | FrameValue::Low(a)
            | FrameValue::Load(_, _, a)
            | FrameValue::TableEntry(_, a)
            | FrameValue::ReferenceType(a)
            | FrameValue::ReferenceCode(a) => 1 + a.operators(),
            FrameValue::Bin32(_, a, b)
            | FrameValue::Cmp32(_, a, b)
            | FrameValue::Bin64(_, a, b)
            | FrameValue::Cmp64(_, a, b)
            | FrameValue::Float2(_, a, b)
            | FrameValue::Join(a, b) => 1 + a.operators() + b.operators(),
            FrameValue::Ite32(c, a, b) | FrameValue::Ite64(c, a, b) => {
                1 + c.operators() + a.operators() + b.operators()
            }
        }
    }

    /// The SSA values that it mentions.
    pub fn values(&self) -> Vec<Value> {
        match self {
            FrameValue::Value(value) => vec![*value],
            FrameValue::Const32(_)
            | FrameValue::Const64(_)
            | FrameValue::Base(_)
            | FrameValue::Global32(_)
            | FrameValue::Global64(_)
            | FrameValue::MemoryBytes(_) => Vec::new(),
            FrameValue::Un32(_, a)
            | FrameValue::Un64(_, a)
            | FrameValue::Float1(_, a)
            | FrameValue::High(a)
            | FrameValue::Low(a)
            | FrameValue::Load(_, _, a)
            | FrameValue::TableEntry(_, a)
            | FrameValue::ReferenceType(a)
            | FrameValue::ReferenceCode(a) => a.values(),
            FrameValue::Bin32(_, a, b)
            | FrameValue::Cmp32(_, a, b)
            | FrameValue::Bin64(_, a, b)
            | FrameValue::Cmp64(_, a, b)
            | FrameValue::Float2(_, a, b)
            | FrameValue::Join(a, b) => [a.values(), b.values()].concat(),
            FrameValue::Ite32(c, a, b) | FrameValue::Ite64(c, a, b) => [c.values(), a.values(), b.values()].concat(),
        }
    }
}

impl Func {
    /// A function without blocks.
    pub fn new(index: u32) -> Func {
        Func { index, ..Func::default() }
    }

    /// What the calls of the function call.
    pub fn calls(&self) -> impl Iterator<Item = Callee<VReg>> {
        let nodes = self.blocks.values().flat_map(|block| &block.insts);
        nodes.filter_map(|node| match &node.inst {
            Inst::Call(call) => Some(call.callee),
            _ => None,
        })
    }

    /// What the function leaves for.
    pub fn leaves(&self) -> impl Iterator<Item = Callee<VReg>> {
        self.blocks.values().filter_map(|block| match &block.terminator {
            Terminator::ReturnCall(call) => Some(call.callee),
            _ => None,
        })
    }

    /// A new virtual register of the core.
    pub fn vreg(&mut self, origin: Origin) -> VReg {
        self.vreg_of(RegClass::Core, origin)
    }

    /// A new virtual register.
    pub fn vreg_of(&mut self, class: RegClass, origin: Origin) -> VReg {
        self.classes.push(class);
        self.vregs.push(origin)
    }

    /// A new block without parameters or items, ending in `unreachable`'s trap until told otherwise.
    pub fn block(&mut self, head: Head) -> Block {
        self.blocks.push(BlockData {
            params: Vec::new(),
            insts: Vec::new(),
            terminator: Terminator::Trap(super::inst::Trap::Unreachable),
            terminator_source: None,
            head,
        })
    }
}
