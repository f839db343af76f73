//! The same function for another allocator, regalloc2: how much it spills, and whether it can.

use std::collections::{BTreeMap, BTreeSet};

use regalloc2::{
    Allocation, Block, Edit, Function, Inst, InstRange, MachineEnv, Operand, OperandConstraint, OperandKind,
    OperandPos, PReg, PRegSet, RegClass, RegallocOptions, VReg, checker::Checker,
};
use synth::target::{FloatUnit, Isa};
use synth::vcode::func::{ENTRY, Func};
use synth::vcode::operands::{self, Constraint, Role};
use synth::vcode::{self, RegSet};

/// What another allocator keeps in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spills {
    /// Stores to slots and loads from them.
    pub moves: usize,
    /// Registers of the caller that it uses, and so has to save.
    pub saved: usize,
}

/// Allocates the function with the other allocator, whose checker accepts the result.
///
/// # Errors
/// It cannot, or its checker says that the result is wrong.
pub fn spills(func: &Func) -> Result<Spills, String> {
    let other = Other::new(func);
    let env = environment(func);
    let options = RegallocOptions { validate_ssa: true, ..RegallocOptions::default() };
    let output = regalloc2::run(&other, &env, &options).map_err(|error| format!("the other allocator: {error}"))?;
    let mut checker = Checker::new(&other, &env);
    checker.prepare(&output);
    checker.run().map_err(|errors| format!("the other allocator's checker: {errors:?}"))?;
    let in_memory = |at: &Allocation| at.is_stack();
    let moves = output.edits.iter().filter(|(_, Edit::Move { from, to })| in_memory(from) || in_memory(to)).count();
    let written = output.edits.iter().map(|(_, Edit::Move { to, .. })| to);
    let used: BTreeSet<PReg> = output.allocs.iter().chain(written).filter_map(|at| at.as_reg()).collect();
    let saved = RegSet::PRESERVED.iter().filter(|callee| used.contains(&register(*callee))).count();
    Ok(Spills { moves, saved })
}

fn register(register: vcode::PReg) -> PReg {
    match register.index() {
        index @ 0..16 => PReg::new(index, RegClass::Int),
        index => PReg::new(index - 16, RegClass::Float),
    }
}

fn environment(func: &Func) -> MachineEnv {
    let of_bank = |bank| RegSet::allocable((func.isa, func.float), bank);
    let set = |registers: RegSet| registers.iter().map(register).collect::<PRegSet>();
    let none = PRegSet::empty();
    let (core, float) = (of_bank(vcode::Bank::Core), of_bank(vcode::Bank::Float));
    let callers = |registers: RegSet| set(registers.minus(RegSet::PRESERVED));
    let callees = |registers: RegSet| set(registers.intersection(RegSet::PRESERVED));
    let has_unit = func.float != FloatUnit::None;
    let scratch = |bank: vcode::Bank| Some(register(bank.scratch()));
    MachineEnv {
        preferred_regs_by_class: [callers(core), callers(float), none],
        non_preferred_regs_by_class: [callees(core), callees(float), none],
        scratch_by_class: [scratch(vcode::Bank::Core), scratch(vcode::Bank::Float).filter(|_| has_unit), None],
        fixed_stack_slots: Vec::new(),
    }
}

/// An instruction of any kind.
struct Op {
    operands: Vec<Operand>,
    clobbers: PRegSet,
    is_return: bool,
    is_branch: bool,
}

struct Node {
    first: usize,
    end: usize,
    params: Vec<VReg>,
    successors: Vec<Block>,
    predecessors: Vec<Block>,
    /// What each edge passes.
    args: Vec<Vec<VReg>>,
}

/// A block, or the one that splits its edge with this number.
type Place = (vcode::Block, Option<usize>);

/// The reachable blocks of a function, its critical edges split. They stand in reverse postorder: the other
/// allocator's checker starts from the order that it is given.
struct Other {
    ops: Vec<Op>,
    blocks: Vec<Node>,
    vregs: usize,
}

impl Other {
    fn new(func: &Func) -> Other {
        let mut other = Other { ops: Vec::new(), blocks: Vec::new(), vregs: func.vregs.len() };
        let order = order(func);
        let numbers: BTreeMap<Place, usize> =
            order.iter().enumerate().map(|(number, &place)| (place, number)).collect();
        let names = |list: &[vcode::VReg]| list.iter().map(|&vreg| virtual_register(func, vreg)).collect::<Vec<_>>();
        for &(block, way) in &order {
            let data = &func.blocks[block];
            let edges = data.terminator.edges();
            let first = other.ops.len();
            let mut params = Vec::new();
            if way.is_none() {
                params = names(&data.params);
                let ops = data.insts.iter().map(|node| op(func, &node.inst.operands(), call_clobbers(&node.inst)));
                other.ops.extend(ops);
                let end = op(func, &data.terminator.operands(), PRegSet::empty());
                other.ops.push(Op { is_return: edges.is_empty(), is_branch: !edges.is_empty(), ..end });
            } else {
                let (operands, clobbers) = (Vec::new(), PRegSet::empty());
                other.ops.push(Op { operands, clobbers, is_return: false, is_branch: true });
            }
            let passed = |place: &Place| match (place, way) {
                ((_, Some(_)), _) => Vec::new(),
                (_, way) => names(&edges[way.unwrap_or(0)].args),
            };
            let after = successors(func, (block, way));
            other.blocks.push(Node {
                first,
                end: other.ops.len(),
                params,
                successors: after.iter().map(|place| Block::new(numbers[place])).collect(),
                predecessors: Vec::new(),
                args: after.iter().map(passed).collect(),
            });
        }
        for block in 0..other.blocks.len() {
            for target in other.blocks[block].successors.clone() {
                other.blocks[target.index()].predecessors.push(Block::new(block));
            }
        }
        other
    }
}

fn successors(func: &Func, (block, way): Place) -> Vec<Place> {
    let edges = func.blocks[block].terminator.edges();
    match (way, &edges[..]) {
        (Some(number), _) => vec![(edges[number].block, None)],
        (None, [only]) => vec![(only.block, None)],
        (None, _) => (0..edges.len()).map(|number| (block, Some(number))).collect(),
    }
}

/// Reverse postorder.
fn order(func: &Func) -> Vec<Place> {
    let entry = (ENTRY, None);
    let mut seen = BTreeSet::from([entry]);
    let mut order = Vec::new();
    let mut open = vec![(entry, successors(func, entry))];
    while let Some((place, left)) = open.last_mut() {
        let place = *place;
        match left.pop() {
            Some(next) if seen.insert(next) => open.push((next, successors(func, next))),
            Some(_) => {}
            None => {
                order.push(place);
                open.pop();
            }
        }
    }
    order.reverse();
    order
}

fn virtual_register(func: &Func, vreg: vcode::VReg) -> VReg {
    let class = match func.classes[vreg] {
        vcode::RegClass::Core => RegClass::Int,
        vcode::RegClass::Single | vcode::RegClass::Double => RegClass::Float,
    };
    VReg::new(vreg.0 as usize, class)
}

/// What a call destroys beside its results.
fn call_clobbers(inst: &vcode::Inst<vcode::VReg>) -> PRegSet {
    let mut clobbers: PRegSet = inst.clobbers().iter().map(register).collect();
    if let vcode::Inst::Call(call) = inst {
        call.results.iter().for_each(|&(at, _)| clobbers.remove(register(at)));
    }
    clobbers
}

fn op(func: &Func, list: &[operands::Operand<vcode::VReg>], clobbers: PRegSet) -> Op {
    let operands = list.iter().map(|operand| {
        let (kind, pos) = match operand.role {
            Role::Use => (OperandKind::Use, OperandPos::Early),
            Role::Def => (OperandKind::Def, OperandPos::Late),
        };
        let constraint = match operand.constraint {
            Constraint::Any => OperandConstraint::Reg,
            // Where LR holds no values, a callee's address is moved there by the call.
            Constraint::Fixed(vcode::PReg::LR) if func.isa == Isa::V6M => OperandConstraint::Reg,
            Constraint::Fixed(at) => OperandConstraint::FixedReg(register(at)),
            // It ties one result of an instruction at most.
            Constraint::Tied(0) => OperandConstraint::Reuse(0),
            Constraint::Tied(_) => OperandConstraint::Reg,
        };
        Operand::new(virtual_register(func, operand.reg), constraint, kind, pos)
    });
    Op { operands: operands.collect(), clobbers, is_return: false, is_branch: false }
}

impl Function for Other {
    fn num_insts(&self) -> usize {
        self.ops.len()
    }

    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let node = &self.blocks[block.index()];
        InstRange::new(Inst::new(node.first), Inst::new(node.end))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        &self.blocks[block.index()].successors
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        &self.blocks[block.index()].predecessors
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        &self.blocks[block.index()].params
    }

    fn is_ret(&self, inst: Inst) -> bool {
        self.ops[inst.index()].is_return
    }

    fn is_branch(&self, inst: Inst) -> bool {
        self.ops[inst.index()].is_branch
    }

    fn branch_blockparams(&self, block: Block, _: Inst, successor: usize) -> &[VReg] {
        &self.blocks[block.index()].args[successor]
    }

    fn inst_operands(&self, inst: Inst) -> &[Operand] {
        &self.ops[inst.index()].operands
    }

    fn inst_clobbers(&self, inst: Inst) -> PRegSet {
        self.ops[inst.index()].clobbers
    }

    fn num_vregs(&self) -> usize {
        self.vregs
    }

    fn spillslot_size(&self, _: RegClass) -> usize {
        1
    }
}
