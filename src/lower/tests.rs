//! Selected code computes what the IR says, and has the shape it should have.

mod compute;
mod effects;
mod random;
mod shape;

use super::eval::{Machine, Outcome};
use super::module::{GlobalCell, LengthCell};
use super::{ModuleInfo, run};
use crate::config::{Config, Cpu};
use crate::ir::{ENTRY, Func, Op, Signature, Terminator, Type, Value};
use crate::target::FloatUnit;
use crate::vcode;
use crate::vcode::abi::{self, ArgPlace, ArgWord};

/// Numbers at which something changes.
const BOUNDARIES: [u64; 26] = [
    0,
    1,
    2,
    5,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    0xff,
    0x100,
    0xfff,
    0x1000,
    0xffff,
    0x1234_5678,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ff00,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

fn signature(params: &[Type], results: &[Type]) -> Signature {
    let passed = |types: &[Type]| types.iter().map(|&ty| ty.into()).collect();
    Signature { params: passed(params), results: passed(results) }
}

/// A function of these parameters whose only block `build` fills; it returns what `build` returns.
fn function(params: &[Type], build: impl FnOnce(&mut Func, &[Value]) -> Value) -> Func {
    let mut func = Func::new(0, "test".into(), signature(params, &[]));
    let values = func.blocks[ENTRY].params.clone();
    let result = build(&mut func, &values);
    func.signature.results = vec![func.values[result].ty.into()];
    func.blocks[ENTRY].terminator = Terminator::Return(vec![result]);
    func
}

fn push(func: &mut Func, op: Op, args: &[Value]) -> Value {
    let inst = func.push(ENTRY, op, args.to_vec(), 0);
    func.insts[inst].result.expect("the operator has a result")
}

fn module() -> ModuleInfo {
    let globals = [GlobalCell::Cell(Type::I32), GlobalCell::Constant, GlobalCell::Cell(Type::I64)];
    ModuleInfo::new(1, (&[LengthCell::Present], &[]), &globals)
}

/// Lowers, and checks that the result is well-formed.
fn lower(func: &Func) -> vcode::Func {
    lower_for(func, Config::default().cpu)
}

/// The same for a processor.
fn lower_for(func: &Func, cpu: Cpu) -> vcode::Func {
    let lowered = run(func, &module(), &Config { cpu, ..Config::default() });
    if let Err(broken) = vcode::check::check(&lowered) {
        panic!("{broken}\n{func}\n{lowered}");
    }
    lowered
}

/// A machine with these arguments.
fn machine(types: &[Type], args: &[u64]) -> Machine {
    let mut machine = Machine::new();
    let mut put = |at, word| match at {
        ArgWord::Reg(reg) => drop(machine.registers.insert(reg.number(), word)),
        ArgWord::Stack(offset) => drop(machine.stack.insert(offset, word)),
    };
    for (place, &arg) in abi::arguments(&signature(types, &[]), FloatUnit::None).places.iter().zip(args) {
        match *place {
            ArgPlace::Word(at) => put(at, arg as u32),
            ArgPlace::Double { low, high } => {
                put(low, arg as u32);
                put(high, (arg >> 32) as u32);
            }
            ArgPlace::Single(..) | ArgPlace::Whole(_) => unreachable!("there is no floating-point unit"),
        }
    }
    machine
}

/// Runs lowered code; the result as a number.
fn result(lowered: &vcode::Func, types: &[Type], args: &[u64]) -> u64 {
    match machine(types, args).run(lowered) {
        Outcome::Returned(words) => {
            let high = words.get(1).copied().unwrap_or(0);
            u64::from(high) << 32 | u64::from(words[0])
        }
        Outcome::Left => panic!("it does not return\n{lowered}"),
        Outcome::Trapped(trap) => panic!("{trap:?}\n{lowered}"),
    }
}

fn mask(ty: Type, bits: u64) -> u64 {
    bits & (u64::MAX >> (64 - ty.bits()))
}
