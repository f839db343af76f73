//! Random functions without control flow: the same result and the same memory as the IR says.

use std::collections::BTreeMap;

use super::super::eval::MEMORY;
use super::*;
use crate::ir::op::PLAIN;
use crate::ir::{Access, Memory, eval};

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
        match self.below(3) {
            0 => self.next(),
            1 => 1 << self.below(64),
            _ => self.pick(&BOUNDARIES),
        }
    }
}

const PARAMS: [Type; 4] = [Type::I32, Type::I64, Type::I32, Type::I64];
const STEPS: usize = 24;
const STORES_AT: u32 = 0x100;

/// A function that computes a chain of values, stores some and returns the last.
fn random_function(random: &mut Random) -> Func {
    let mut func = Func::new(0, "random".into(), signature(&PARAMS, &[]));
    let mut values = func.blocks[ENTRY].params.clone();
    for step in 0..STEPS {
        let value = if random.below(4) == 0 {
            let ty = random.pick(&[Type::I32, Type::I64]);
            push(&mut func, Op::constant(ty, random.bits()), &[])
        } else {
            random_operation(random, &mut func, &values)
        };
        values.push(value);
        if random.below(6) == 0 {
            store(&mut func, value, step);
        }
    }
    let last = *values.last().expect("the parameters at least");
    func.signature.results = vec![func.values[last].ty];
    func.blocks[ENTRY].terminator = Terminator::Return(vec![last]);
    func
}

fn random_operation(random: &mut Random, func: &mut Func, values: &[Value]) -> Value {
    let (op, _, types, _) = random.pick(PLAIN);
    let args: Vec<Value> = types
        .iter()
        .map(|&ty| {
            let fitting: Vec<Value> = values
                .iter()
                .copied()
                .filter(|&value| func.values[value].ty == ty)
                .collect();
            // Recent values are more likely, so that trees grow.
            let recent = fitting.len().saturating_sub(1 + random.below(4));
            match random.below(2) {
                0 => fitting[recent],
                _ => random.pick(&fitting),
            }
        })
        .collect();
    push(func, op, &args)
}

fn store(func: &mut Func, value: Value, step: usize) {
    let memory = Memory(0);
    let access = match func.values[value].ty {
        Type::I32 => Access::W32,
        Type::I64 => Access::W64,
    };
    let base = push(func, Op::MemoryBase(memory), &[]);
    let index = push(func, Op::Const32(8 * step as u32), &[]);
    let address = push(func, Op::Add32, &[base, index]);
    let op = Op::Store {
        memory,
        access,
        offset: STORES_AT,
    };
    func.push(ENTRY, op, vec![address, value], 0);
}

/// The result and the bytes stored.
fn expected(func: &Func, args: &[u64]) -> (u64, BTreeMap<u32, u8>) {
    let mut values: BTreeMap<Value, u64> = BTreeMap::new();
    let mut memory = Machine::new();
    for (&param, &arg) in func.blocks[ENTRY].params.iter().zip(args) {
        values.insert(param, arg);
    }
    for &inst in &func.blocks[ENTRY].insts {
        let inst = &func.insts[inst];
        let args: Vec<u64> = inst.args.iter().map(|arg| values[arg]).collect();
        let value = match inst.op {
            Op::Const32(bits) => u64::from(bits),
            Op::Const64(bits) => bits,
            Op::MemoryBase(_) => u64::from(MEMORY),
            Op::Store { access, offset, .. } => {
                let address = (args[0] as u32).wrapping_add(offset);
                memory.write(address, 4, args[1] as u32);
                if access == Access::W64 {
                    memory.write(address + 4, 4, (args[1] >> 32) as u32);
                }
                continue;
            }
            op => eval::run(op, &args).expect("a plain operator has a meaning"),
        };
        values.insert(inst.result.expect("stores are treated above"), value);
    }
    let Terminator::Return(results) = &func.blocks[ENTRY].terminator else {
        unreachable!("made so");
    };
    (values[&results[0]], memory.bytes)
}

#[test]
fn random_functions_compute_what_the_ir_says() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let func = random_function(&mut random);
        let lowered = lower(&func);
        for _ in 0..6 {
            let args: Vec<u64> = PARAMS.map(|ty| mask(ty, random.bits())).to_vec();
            let (value, bytes) = expected(&func, &args);
            let mut machine = machine(&PARAMS, &args);
            let Outcome::Returned(words) = machine.run(&lowered) else {
                panic!("nothing traps\n{lowered}");
            };
            let high = words.get(1).copied().unwrap_or(0);
            let found = u64::from(high) << 32 | u64::from(words[0]);
            assert_eq!(found, value, "{args:x?}\n{func}\n{lowered}");
            assert_eq!(machine.bytes, bytes, "{args:x?}\n{func}\n{lowered}");
        }
    }
}
