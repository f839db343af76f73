//! Random functions: the same result, the same traps and the same memory as the IR says.

use std::collections::BTreeMap;

use super::super::eval::MEMORY;
use super::*;
use crate::config::Cpu;
use crate::ir::op::PLAIN;
use crate::ir::{Access, Block, Memory, Target, Trap, eval};
use crate::target::{FloatUnit, Isa};

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn bits(&mut self) -> u64 {
        match self.below(5) {
            0 => self.next(),
            1 => 1 << self.below(64),
            2 => (1 << self.below(64)) - 1,
            3 => self.below(40) as u64,
            _ => self.pick(&BOUNDARIES),
        }
    }
}

const PARAMS: [Type; 4] = [Type::I32, Type::I64, Type::I32, Type::I64];
const STORES_AT: u32 = 0x100;
const BYTES_PER_BLOCK: u32 = 0x200;

/// The operators that fold into others, which random choice alone would rarely meet.
const FOLDING: &[Op] = &[
    Op::Add32,
    Op::Sub32,
    Op::Mul32,
    Op::And32,
    Op::Or32,
    Op::Xor32,
    Op::Shl32,
    Op::ShrU32,
    Op::ShrS32,
    Op::Extend8S32,
    Op::Extend16S32,
    Op::Add64,
    Op::Mul64,
    Op::Or64,
    Op::ExtendU,
    Op::ExtendS,
    Op::Wrap,
];

/// A function under construction, at one block of it.
struct Builder<'a> {
    random: &'a mut Random,
    func: &'a mut Func,
    block: Block,
    /// What the block may use.
    values: Vec<Value>,
}

impl Builder<'_> {
    fn push(&mut self, op: Op, args: &[Value]) -> Value {
        let inst = self.func.push(self.block, op, args.to_vec(), 0);
        let result = self.func.insts[inst].result;
        result.expect("the operator has a result")
    }

    fn constant(&mut self, ty: Type) -> Value {
        let bits = self.random.bits();
        self.push(Op::constant(ty, bits), &[])
    }

    fn pick(&mut self, ty: Type) -> Value {
        let fitting: Vec<Value> =
            self.values.iter().copied().filter(|&value| self.func.values[value].ty == ty).collect();
        // Recent values are more likely, so that trees grow.
        match self.random.below(4) {
            0 => self.constant(ty),
            1 if !fitting.is_empty() => self.random.pick(&fitting),
            _ => match fitting.last() {
                Some(_) => fitting[fitting.len().saturating_sub(1 + self.random.below(3))],
                None => self.constant(ty),
            },
        }
    }

    fn operation(&mut self) {
        let ty = self.random.pick(&[Type::I32, Type::I64]);
        let value = self.tree(ty, 2);
        self.values.push(value);
    }

    /// A tree of operators whose inner nodes have no other use.
    fn tree(&mut self, ty: Type, depth: u32) -> Value {
        let op = loop {
            let op = match self.random.below(3) {
                0 => self.random.pick(PLAIN).0,
                _ => self.random.pick(FOLDING),
            };
            if !op.is_helped(Isa::V7M, FloatUnit::None) && op.plain().is_some_and(|(_, _, result)| result == ty) {
                break op;
            }
        };
        let (_, types, _) = op.plain().expect("both tables hold plain operators");
        let args: Vec<Value> = types
            .iter()
            .map(|&ty| match (depth, self.random.below(4)) {
                (1.., 0 | 1) => self.tree(ty, depth - 1),
                (_, 2) => self.constant(ty),
                _ => self.pick(ty),
            })
            .collect();
        self.push(op, &args)
    }

    fn store(&mut self, step: u32) {
        let memory = Memory(0);
        let ty = self.random.pick(&[Type::I32, Type::I64]);
        let access = match (ty, self.random.below(3)) {
            (Type::I64, _) => Access::W64,
            (Type::I32, 0) => Access::U8,
            (Type::I32, 1) => Access::U16,
            (Type::I32, _) => Access::W32,
        };
        let value = self.pick(ty);
        let base = self.push(Op::MemoryBase(memory), &[]);
        let address = match self.random.below(3) {
            0 => base,
            1 => {
                let index = self.push(Op::Const32(BYTES_PER_BLOCK * self.block.0), &[]);
                self.push(Op::Add32, &[base, index])
            }
            _ => {
                let index = self.pick(Type::I32);
                let count = self.random.below(5) as u32;
                let scale = self.push(Op::Const32(count), &[]);
                let scaled = self.push(Op::Shl32, &[index, scale]);
                self.push(Op::Add32, &[base, scaled])
            }
        };
        let offset = self.random.pick(&[0, STORES_AT, 0xffc, 0xfff, 0x12_3456]) + 8 * step;
        let op = Op::Store { memory, access, offset };
        self.func.push(self.block, op, vec![address, value], 0);
    }

    fn fill(&mut self, steps: u32) {
        for step in 0..steps {
            self.operation();
            match self.random.below(24) {
                0..4 => self.store(step),
                4 => {
                    // Most words are not zero, and a trap ends what can be compared.
                    let (a, b) = (self.pick(Type::I32), self.pick(Type::I32));
                    let compare = self.random.pick(&[Op::Eq32, Op::LtU32, Op::And32]);
                    let cond = self.push(compare, &[a, b]);
                    let trap = Op::TrapIf(Trap::IntegerOverflow);
                    self.func.push(self.block, trap, vec![cond], 0);
                }
                _ => {}
            }
        }
    }

    fn target(&mut self, block: Block) -> Target {
        let types: Vec<Type> = self.func.blocks[block].params.iter().map(|&param| self.func.values[param].ty).collect();
        let args = types.into_iter().map(|ty| self.pick(ty)).collect();
        Target::new(block, args)
    }

    /// Ends the block; edges lead only to later blocks.
    fn finish(&mut self, blocks: usize) {
        let later: Vec<Block> = (self.block.0 + 1..blocks as u32).map(Block).collect();
        let terminator = if later.is_empty() {
            let value = self.pick(Type::I64);
            Terminator::Return(vec![value])
        } else {
            match self.random.below(4) {
                0 => {
                    let next = self.random.pick(&later);
                    Terminator::Jump(self.target(next))
                }
                1 => {
                    let index = self.pick(Type::I32);
                    let entries = self.random.below(6);
                    let blocks: Vec<Block> = (0..=entries).map(|_| self.random.pick(&later)).collect();
                    let mut targets: Vec<Target> = blocks.into_iter().map(|block| self.target(block)).collect();
                    let default = targets.pop().expect("one more than the entries");
                    Terminator::BrTable { index, targets, default }
                }
                _ => {
                    let cond = self.pick(Type::I32);
                    let (a, b) = (self.random.pick(&later), self.random.pick(&later));
                    Terminator::BranchIf { cond, then: self.target(a), otherwise: self.target(b) }
                }
            }
        };
        self.func.blocks[self.block].terminator = terminator;
    }
}

/// A function of some blocks; each may use the values of the entry, its parameters and its own.
fn random_function(random: &mut Random, blocks: usize, steps: u32) -> Func {
    let mut func = Func::new(0, "random".into(), signature(&PARAMS, &[Type::I64]));
    for _ in 1..blocks {
        let block = func.add_block();
        for _ in 0..random.below(4) {
            let ty = random.pick(&[Type::I32, Type::I64]);
            func.add_param(block, ty);
        }
    }
    let mut shared = Vec::new();
    for block in (0..blocks as u32).map(Block) {
        let mut values = shared.clone();
        values.extend(&func.blocks[block].params);
        let mut builder = Builder { random, func: &mut func, block, values };
        builder.fill(steps);
        let values = builder.values.clone();
        builder.finish(blocks);
        if block == ENTRY {
            shared = values;
        }
    }
    func
}

/// What the IR says a function does.
struct Reference<'a> {
    func: &'a Func,
    values: BTreeMap<Value, u64>,
    memory: Machine,
}

impl Reference<'_> {
    fn run(&mut self, args: &[u64]) -> Outcome {
        let mut block = ENTRY;
        let mut params = args.to_vec();
        loop {
            let data = &self.func.blocks[block];
            for (&param, &arg) in data.params.iter().zip(&params) {
                self.values.insert(param, arg);
            }
            for &inst in &data.insts {
                if let Err(trap) = self.step(inst) {
                    return Outcome::Trapped(trap);
                }
            }
            let target = match &data.terminator {
                Terminator::Jump(target) => target,
                Terminator::BranchIf { cond, then, otherwise } => match self.values[cond] {
                    0 => otherwise,
                    _ => then,
                },
                Terminator::BrTable { index, targets, default } => {
                    targets.get(self.values[index] as usize).unwrap_or(default)
                }
                Terminator::Return(results) => {
                    let bits = self.values[&results[0]];
                    return Outcome::Returned(vec![bits as u32, (bits >> 32) as u32]);
                }
                Terminator::ReturnCall { .. } => unreachable!("no random function leaves for another"),
                Terminator::Trap(trap) => return Outcome::Trapped(*trap),
            };
            params = target.args.iter().map(|arg| self.values[arg]).collect();
            block = target.block;
        }
    }

    fn step(&mut self, inst: crate::ir::Inst) -> Result<(), Trap> {
        let inst = &self.func.insts[inst];
        let args: Vec<u64> = inst.args.iter().map(|arg| self.values[arg]).collect();
        let value = match inst.op {
            Op::Const32(bits) => u64::from(bits),
            Op::Const64(bits) => bits,
            Op::MemoryBase(_) => u64::from(MEMORY),
            Op::Store { access, offset, .. } => {
                let address = (args[0] as u32).wrapping_add(offset);
                let bytes = access.bytes().min(4);
                self.memory.write(address, bytes, args[1] as u32);
                if access == Access::W64 {
                    let next = address.wrapping_add(4);
                    self.memory.write(next, 4, (args[1] >> 32) as u32);
                }
                return Ok(());
            }
            Op::TrapIf(trap) if args[0] != 0 => return Err(trap),
            Op::TrapIf(_) => return Ok(()),
            op => eval::run(op, &args).expect("a plain operator has a meaning"),
        };
        let result = inst.result.expect("effects are treated above");
        self.values.insert(result, value);
        Ok(())
    }
}

fn check(random: &mut Random, blocks: usize, steps: u32) {
    let func = random_function(random, blocks, steps);
    check_for(random, &func, Cpu::CortexM4);
    if func.insts.values().all(|inst| !inst.op.is_helped(Isa::V6M, FloatUnit::None)) {
        check_for(random, &func, Cpu::CortexM0);
    }
}

fn check_for(random: &mut Random, func: &Func, cpu: Cpu) {
    let lowered = lower_for(func, cpu);
    for _ in 0..6 {
        let args: Vec<u64> = PARAMS.map(|ty| mask(ty, random.bits())).to_vec();
        let mut reference = Reference { func, values: BTreeMap::new(), memory: Machine::new() };
        let expected = reference.run(&args);
        let mut machine = machine(&PARAMS, &args);
        let found = machine.run(&lowered);
        assert_eq!(found, expected, "{args:x?}\n{func}\n{lowered}");
        let bytes = reference.memory.bytes;
        assert_eq!(machine.bytes, bytes, "{args:x?}\n{func}\n{lowered}");
    }
}

#[test]
fn random_blocks_compute_what_the_ir_says() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        check(&mut random, 1, 12);
    }
}

#[test]
fn random_control_flow_leads_where_the_ir_says() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..1000 {
        check(&mut random, 6, 4);
    }
}
