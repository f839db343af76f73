//! Removes parameters and items whose results turned out unused.
//!
//! Ensures: what remains is needed by something with an effect. Selection asks for both halves of
//! every parameter, because it cannot know yet which of them a loop uses.

use crate::entity::TypedVec;
use crate::vcode::inst::Inst;
use crate::vcode::{Block, Func, VReg};

/// Where a register is defined.
#[derive(Clone, Copy)]
enum Definition {
    Param(Block, usize),
    Item(Block, usize),
}

struct Marks {
    /// Per block, per item.
    items: TypedVec<Block, Vec<bool>>,
    /// Per block, per parameter.
    params: TypedVec<Block, Vec<bool>>,
    definitions: TypedVec<VReg, Option<Definition>>,
    predecessors: TypedVec<Block, Vec<Block>>,
    work: Vec<VReg>,
}

/// Removes what is unused.
pub(super) fn run(func: &mut Func) {
    let mut marks = Marks::new(func);
    for (block, data) in func.blocks.iter() {
        for (index, node) in data.insts.iter().enumerate() {
            if has_effect(&node.inst) {
                marks.mark_item(func, block, index);
            }
        }
        if data.terminator.reads_flags() {
            marks.mark_flag_writer(func, block, data.insts.len());
        }
        let operands = data.terminator.operands();
        marks.work.extend(operands.iter().map(|operand| operand.reg));
    }
    while let Some(vreg) = marks.work.pop() {
        match marks.definitions[vreg] {
            Some(Definition::Item(block, index)) => marks.mark_item(func, block, index),
            Some(Definition::Param(block, index)) => marks.mark_param(func, block, index),
            None => {}
        }
    }
    marks.sweep(func);
}

/// Whether an item matters even if nobody reads its results.
fn has_effect(inst: &Inst<VReg>) -> bool {
    match inst {
        Inst::Store { .. }
        | Inst::SlotStore { .. }
        | Inst::IncomingStore { .. }
        | Inst::OutgoingStore { .. }
        | Inst::Call(_)
        | Inst::TrapIf { .. } => true,
        Inst::Args { .. }
        | Inst::Move { .. }
        | Inst::Const { .. }
        | Inst::Address { .. }
        | Inst::Alu { .. }
        | Inst::AluWide { .. }
        | Inst::Not { .. }
        | Inst::Shift { .. }
        | Inst::InPlace { .. }
        | Inst::Mul { .. }
        | Inst::MulAdd { .. }
        | Inst::MulSub { .. }
        | Inst::MulLong { .. }
        | Inst::MulLongAdd { .. }
        | Inst::Div { .. }
        | Inst::Unary { .. }
        | Inst::Extract { .. }
        | Inst::Insert { .. }
        | Inst::Clear { .. }
        | Inst::Compare { .. }
        | Inst::Select { .. }
        | Inst::SetCond { .. }
        | Inst::Load { .. }
        | Inst::SlotLoad { .. }
        | Inst::IncomingLoad { .. }
        | Inst::ResultArea { .. }
        | Inst::OutgoingLoad { .. }
        | Inst::Float(_) => false,
    }
}

impl Marks {
    fn new(func: &Func) -> Marks {
        let mut marks = Marks {
            items: TypedVec::new(),
            params: TypedVec::new(),
            definitions: TypedVec::filled(None, func.vregs.len()),
            predecessors: TypedVec::filled(Vec::new(), func.blocks.len()),
            work: Vec::new(),
        };
        for (block, data) in func.blocks.iter() {
            marks.items.push(vec![false; data.insts.len()]);
            marks.params.push(vec![false; data.params.len()]);
            for (index, &param) in data.params.iter().enumerate() {
                marks.definitions[param] = Some(Definition::Param(block, index));
            }
            for (index, node) in data.insts.iter().enumerate() {
                for def in node.inst.defs() {
                    marks.definitions[def] = Some(Definition::Item(block, index));
                }
            }
            for edge in data.terminator.edges() {
                if !marks.predecessors[edge.block].contains(&block) {
                    marks.predecessors[edge.block].push(block);
                }
            }
        }
        marks
    }

    fn mark_item(&mut self, func: &Func, block: Block, index: usize) {
        if std::mem::replace(&mut self.items[block][index], true) {
            return;
        }
        let inst = &func.blocks[block].insts[index].inst;
        self.work.extend(inst.uses());
        if inst.flags_effect().reads {
            self.mark_flag_writer(func, block, index);
        }
    }

    /// Marks the last item before `end` that writes the flags.
    fn mark_flag_writer(&mut self, func: &Func, block: Block, end: usize) {
        let items = &func.blocks[block].insts[..end];
        let writer = items.iter().rposition(|node| node.inst.flags_effect().writes);
        if let Some(index) = writer {
            self.mark_item(func, block, index);
        }
    }

    fn mark_param(&mut self, func: &Func, block: Block, index: usize) {
        if std::mem::replace(&mut self.params[block][index], true) {
            return;
        }
        for &from in &self.predecessors[block] {
            for edge in func.blocks[from].terminator.edges() {
                if edge.block == block {
                    self.work.push(edge.args[index]);
                }
            }
        }
    }

    fn sweep(&self, func: &mut Func) {
        let blocks: Vec<Block> = func.blocks.keys().collect();
        for block in blocks {
            let data = &mut func.blocks[block];
            let mut keep = self.items[block].iter();
            data.insts.retain(|_| *keep.next().expect("a mark per item"));
            let mut keep = self.params[block].iter();
            data.params.retain(|_| *keep.next().expect("a mark per parameter"));
            for edge in data.terminator.edges_mut() {
                let mut keep = self.params[edge.block].iter();
                edge.args.retain(|_| *keep.next().expect("a mark per parameter"));
            }
        }
    }
}
