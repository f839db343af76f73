//! Each operator alone, on boundary operands, with registers, constants and extended words as
//! operands, and with everything that can consume its result.

use super::*;
use crate::ir::Trap;
use crate::ir::eval;
use crate::ir::op;
use crate::target::{FloatUnit, Isa};

/// Checks a function of at most two changing arguments against the IR's meaning.
fn check(func: &Func, types: &[Type], expected: impl Fn(&[u64]) -> u64) {
    let lowered = lower(func);
    let many: Vec<u64> = BOUNDARIES.to_vec();
    let one = vec![0];
    let second = if types.len() > 1 { &many } else { &one };
    for &a in &many {
        for &b in second {
            let args: Vec<u64> = types.iter().zip([a, b, a ^ b, !a]).map(|(&ty, bits)| mask(ty, bits)).collect();
            let found = result(&lowered, types, &args);
            let expected = expected(&args);
            assert_eq!(found, expected, "{args:x?}\n{func}\n{lowered}");
        }
    }
}

fn meaning(op: Op, args: &[u64]) -> u64 {
    eval::run(op, args).expect("a plain operator has a meaning")
}

/// The operators that are computed without a call.
fn inline() -> impl Iterator<Item = &'static (Op, &'static str, &'static [Type], Type)> {
    op::PLAIN.iter().filter(|row| !row.0.is_helped(Isa::V7M, FloatUnit::None))
}

#[test]
fn every_operator_computes_what_the_ir_says() {
    for &(op, _, types, _) in inline() {
        let func = function(types, |func, args| push(func, op, args));
        check(&func, types, |args| meaning(op, args));
    }
}

#[test]
fn both_halves_of_128_bits_are_one_chain() {
    let rows = [
        (Op::Add64, Op::Add128High, 4, 4),
        (Op::Sub64, Op::Sub128High, 4, 4),
        (Op::Mul64, Op::MulHighU64, 2, 9),
        (Op::Mul64, Op::MulHighS64, 2, 19),
    ];
    for (low, high, operands, instructions) in rows {
        let types = vec![Type::I64; operands];
        let func = function(&types, |func, args| {
            let low = push(func, low, &[args[0], args[operands / 2]]);
            let high = push(func, high, args);
            push(func, Op::Sub64, &[low, high])
        });
        let difference = |args: &[u64]| {
            let low = meaning(low, &[args[0], args[operands / 2]]);
            low.wrapping_sub(meaning(high, args))
        };
        check(&func, &types, difference);
        let made = lower(&func).blocks[vcode::Block(0)].insts.len();
        // Before it the arguments arrive, four words at most in registers; behind it the halves meet.
        let arrive = 1 + (2 * operands).saturating_sub(4);
        assert_eq!(made, arrive + instructions + 2, "{}", lower(&func));
    }
}

#[test]
fn a_constant_operand_changes_nothing() {
    for &(op, _, types, _) in inline().filter(|row| row.2.len() == 2) {
        for constant in BOUNDARIES.map(|bits| mask(types[0], bits)) {
            let bits = Op::constant(types[0], constant);
            let func = function(&types[..1], |func, args| {
                let constant = push(func, bits, &[]);
                push(func, op, &[args[0], constant])
            });
            check(&func, &types[..1], |args| meaning(op, &[args[0], constant]));
            let func = function(&types[..1], |func, args| {
                let constant = push(func, bits, &[]);
                push(func, op, &[constant, args[0]])
            });
            check(&func, &types[..1], |args| meaning(op, &[constant, args[0]]));
        }
    }
}

#[test]
fn extended_operands_change_nothing() {
    let wide = inline().filter(|row| row.2 == [Type::I64, Type::I64]);
    for &(op, ..) in wide {
        for first in [Op::ExtendU, Op::ExtendS] {
            for second in [Op::ExtendU, Op::ExtendS] {
                let types = [Type::I32, Type::I32];
                let func = function(&types, |func, args| {
                    let a = push(func, first, &args[..1]);
                    let b = push(func, second, &args[1..]);
                    push(func, op, &[a, b])
                });
                check(&func, &types, |args| {
                    let a = meaning(first, &args[..1]);
                    let b = meaning(second, &args[1..]);
                    meaning(op, &[a, b])
                });
            }
        }
    }
}

#[test]
fn either_half_alone_is_right() {
    for &(op, _, types, _) in inline().filter(|row| row.3 == Type::I64) {
        let low = function(types, |func, args| {
            let wide = push(func, op, args);
            push(func, Op::Wrap, &[wide])
        });
        check(&low, types, |args| mask(Type::I32, meaning(op, args)));
        let high = function(types, |func, args| {
            let wide = push(func, op, args);
            let count = push(func, Op::Const64(32), &[]);
            let high = push(func, Op::ShrU64, &[wide, count]);
            push(func, Op::Wrap, &[high])
        });
        check(&high, types, |args| meaning(op, args) >> 32);
    }
}

#[test]
fn every_operator_can_be_a_condition() {
    for &(op, _, types, _) in inline().filter(|row| row.3 == Type::I32) {
        for negate in [false, true] {
            let condition = |func: &mut Func, args: &[Value]| {
                let value = push(func, op, args);
                if !negate {
                    return value;
                }
                let zero = push(func, Op::Const32(0), &[]);
                push(func, Op::Eq32, &[value, zero])
            };
            let holds = |args: &[u64]| (meaning(op, args) != 0) != negate;
            let func = function(types, |func, args| {
                let cond = condition(func, args);
                let a = push(func, Op::Const64(0x1_0000_0002), &[]);
                let b = push(func, Op::Const64(0x3_dead_beef), &[]);
                push(func, Op::Select64, &[cond, a, b])
            });
            let choose = |holds: bool| if holds { 0x1_0000_0002 } else { 0x3_dead_beef };
            check(&func, types, |args| choose(holds(args)));
            let func = branching(types, condition);
            check(&func, types, |args| u64::from(holds(args)));
            trapping(types, condition, holds);
        }
    }
}

/// A function that returns through a branch whether the condition holds.
fn branching(types: &[Type], condition: impl Fn(&mut Func, &[Value]) -> Value) -> Func {
    let mut func = function(types, |func, args| condition(func, args));
    let Terminator::Return(values) = func.blocks[ENTRY].terminator.clone() else {
        unreachable!("made so");
    };
    let mut arm = |bits| {
        let block = func.add_block();
        let inst = func.push(block, Op::Const32(bits), vec![], 0);
        let value = func.insts[inst].result.expect("a constant");
        func.blocks[block].terminator = Terminator::Return(vec![value]);
        crate::ir::Target::new(block, vec![])
    };
    let (then, otherwise) = (arm(1), arm(0));
    func.blocks[ENTRY].terminator = Terminator::BranchIf { cond: values[0], then, otherwise };
    func
}

/// Checks that `trapif` traps exactly if the condition holds.
fn trapping(types: &[Type], condition: impl Fn(&mut Func, &[Value]) -> Value, holds: impl Fn(&[u64]) -> bool) {
    let func = function(types, |func, args| {
        let cond = condition(func, args);
        func.push(ENTRY, Op::TrapIf(Trap::IntegerOverflow), vec![cond], 0);
        push(func, Op::Const32(7), &[])
    });
    let lowered = lower(&func);
    for a in BOUNDARIES {
        for b in BOUNDARIES {
            let args = [a, b, 1];
            let args: Vec<u64> = types.iter().zip(args).map(|(&t, w)| mask(t, w)).collect();
            let expected = match holds(&args) {
                true => Outcome::Trapped(Trap::IntegerOverflow),
                false => Outcome::Returned(vec![7]),
            };
            let found = machine(types, &args).run(&lowered);
            assert_eq!(found, expected, "{args:x?}\n{func}\n{lowered}");
        }
    }
}

#[test]
fn comparisons_with_constants_branch_right() {
    for &(op, _, types, _) in inline().filter(|row| row.2.len() == 2 && row.3 == Type::I32) {
        for constant in BOUNDARIES.map(|bits| mask(types[0], bits)) {
            for order in [[0, 1], [1, 0]] {
                let condition = |func: &mut Func, args: &[Value]| {
                    let constant = push(func, Op::constant(types[0], constant), &[]);
                    let both = [args[0], constant];
                    push(func, op, &[both[order[0]], both[order[1]]])
                };
                let func = branching(&types[..1], condition);
                check(&func, &types[..1], |args| {
                    let both = [args[0], constant];
                    u64::from(meaning(op, &[both[order[0]], both[order[1]]]) != 0)
                });
            }
        }
    }
}

#[test]
fn the_overflow_check_of_a_signed_division_is_right() {
    let types = [Type::I32, Type::I32];
    let condition = |func: &mut Func, args: &[Value]| {
        let least = push(func, Op::Const32(0x8000_0000), &[]);
        let minus_one = push(func, Op::Const32(u32::MAX), &[]);
        let a = push(func, Op::Eq32, &[args[0], least]);
        let b = push(func, Op::Eq32, &[args[1], minus_one]);
        push(func, Op::And32, &[a, b])
    };
    let holds = |args: &[u64]| args == [0x8000_0000, 0xffff_ffff];
    trapping(&types, condition, holds);
}
