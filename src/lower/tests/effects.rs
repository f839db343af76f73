//! Loads, stores, cells, tables and calls, executed.

use super::super::eval::{Called, FUNCTIONS, INSTANCE, MEMORY, STACK, TABLE};
use super::*;
use crate::ir::{Access, Function, Global, Memory, Table};

const I32: Type = Type::I32;
const I64: Type = Type::I64;

#[test]
fn loads_extend_as_their_access_says() {
    let expected = [
        (Access::U8, 0xf0_u64),
        (Access::S8, 0xffff_fff0),
        (Access::U16, 0x8df0),
        (Access::S16, 0xffff_8df0),
        (Access::W32, 0xabcd_8df0),
        (Access::W64, 0x1234_5678_abcd_8df0),
    ];
    for (access, value) in expected {
        for offset in [0, 3, 0xffb, 0xffc, 0xffd, 0x1000, 0x1234_5678] {
            let func = function(&[I32], |func, args| {
                let memory = Memory(0);
                let base = push(func, Op::MemoryBase(memory), &[]);
                let address = push(func, Op::Add32, &[base, args[0]]);
                let load = Op::Load { memory, access, offset };
                push(func, load, &[address])
            });
            let lowered = lower(&func);
            let mut machine = machine(&[I32], &[0x40]);
            machine.write(MEMORY + 0x40 + offset, 4, 0xabcd_8df0);
            machine.write(MEMORY + 0x44 + offset, 4, 0x1234_5678);
            let words = [value as u32, (value >> 32) as u32];
            let words = &words[..(access.ty().bits() / 32) as usize];
            let expected = Outcome::Returned(words.to_vec());
            assert_eq!(machine.run(&lowered), expected, "{access:?}\n{lowered}");
        }
    }
}

#[test]
fn cells_are_where_the_layout_says() {
    let func = function(&[I32, I64], |func, args| {
        let old = push(func, Op::GlobalGet(Global(2), I64), &[]);
        for (op, arg) in [
            (Op::GlobalSet(Global(0), I32), args[0]),
            (Op::GlobalSet(Global(2), I64), args[1]),
            (Op::SetMemoryBytes(Memory(0)), args[0]),
        ] {
            func.push(ENTRY, op, vec![arg], 0);
        }
        old
    });
    let lowered = lower(&func);
    let mut machine = machine(&[I32, I64], &[0x11, 0x22_0000_0033]);
    machine.write(INSTANCE + 8, 4, 0x44);
    machine.write(INSTANCE + 12, 4, 0x55);
    let outcome = machine.run(&lowered);
    assert_eq!(outcome, Outcome::Returned(vec![0x44, 0x55]), "{lowered}");
    let cells = [0, 4, 8, 12].map(|offset| machine.read(INSTANCE + offset, 4));
    assert_eq!(cells, [0x11, 0x11, 0x33, 0x22], "{lowered}");
}

#[test]
fn tables_lead_to_descriptors() {
    for constant in [false, true] {
        let func = function(&[I32], |func, args| {
            let index = match constant {
                true => push(func, Op::Const32(3), &[]),
                false => args[0],
            };
            let reference = push(func, Op::TableGet(Table(0)), &[index]);
            func.push(ENTRY, Op::TableSet(Table(0)), vec![args[0], index], 0);
            let ty = push(func, Op::ReferenceType, &[reference]);
            let code = push(func, Op::ReferenceCode, &[reference]);
            push(func, Op::Sub32, &[code, ty])
        });
        let lowered = lower(&func);
        let mut machine = machine(&[I32], &[3]);
        machine.write(TABLE + 12, 4, FUNCTIONS + 8);
        machine.write(FUNCTIONS + 8, 4, 5);
        machine.write(FUNCTIONS + 12, 4, 0x805);
        let outcome = machine.run(&lowered);
        assert_eq!(outcome, Outcome::Returned(vec![0x800]), "{lowered}");
        assert_eq!(machine.read(TABLE + 12, 4), 3, "{lowered}");
    }
}

#[test]
fn calls_pass_registers_and_stack() {
    let types = [I32, I64, I32, I64];
    let mut called = Vec::new();
    for op in 0..3 {
        let func = function(&types, |func, args| {
            let sig = func.signature_index(&signature(&types, &[I64]));
            let code = push(func, Op::Const32(0x805), &[]);
            let (op, mut values) = match op {
                2 => (Op::CallCode { signature: sig }, vec![code]),
                function => (Op::Call { function: Function(function), signature: sig }, vec![]),
            };
            values.extend([args[2], args[1], args[2], args[3]]);
            let result = push(func, op, &values);
            push(func, Op::Add64, &[result, args[1]])
        });
        let lowered = lower(&func);
        let mut machine = machine(&types, &[1, 0x3_0000_0002, 4, 0x6_0000_0005]);
        let outcome = machine.run(&lowered);
        assert_eq!(outcome, Outcome::Returned(vec![0x1236, 0x567b]), "{lowered}");
        called.extend(machine.calls);
    }
    let call = |callee: &str| Called {
        callee: callee.into(),
        registers: vec![(0, 4), (2, 2), (3, 3)],
        stack: vec![(0, 4), (8, 5), (12, 6)],
    };
    assert_eq!(called, [call("import0"), call("f1"), call("0x805")]);
}

#[test]
fn several_results_are_read_above_the_stack_arguments() {
    let types = [I64, I32, I32];
    let func = function(&types, |func, args| {
        let signature = func.signature_index(&signature(&types, &[I32, I64]));
        func.push(ENTRY, Op::Call { function: Function(1), signature }, args.to_vec(), 0);
        let low = push(func, Op::CallResult { signature, index: 0 }, &[]);
        let high = push(func, Op::CallResult { signature, index: 1 }, &[]);
        let low = push(func, Op::ExtendU, &[low]);
        push(func, Op::Add64, &[low, high])
    });
    let lowered = lower(&func);
    let mut machine = machine(&types, &[0x2_0000_0001, 3, 4]);
    // 8 bytes of stack arguments, then a word, padding, and two words.
    for (offset, word) in [(8, 5), (16, 0xffff_fffe), (20, 7)] {
        machine.write(STACK + offset, 4, word);
    }
    assert_eq!(machine.run(&lowered), Outcome::Returned(vec![3, 8]), "{lowered}");
    let registers = vec![(0, STACK + 8), (2, 1), (3, 2)];
    let mut called = machine.calls.pop().expect("a call");
    called.registers.sort_unstable();
    assert_eq!(called, Called { callee: "f1".into(), registers, stack: vec![(0, 3), (4, 4)] });
}

#[test]
fn several_results_are_stored_where_r0_points() {
    let mut func = Func::new(0, "test".into(), signature(&[I64, I32], &[I32, I64]));
    let params = func.blocks[ENTRY].params.clone();
    func.blocks[ENTRY].terminator = Terminator::Return(vec![params[1], params[0]]);
    let lowered = lower(&func);
    let mut machine = machine(&[I32, I64, I32], &[u64::from(MEMORY) + 0x80, 0x2_0000_0001, 3]);
    assert_eq!(machine.run(&lowered), Outcome::Returned(vec![]), "{lowered}");
    assert_eq!([0x80, 0x88, 0x8c].map(|offset| machine.read(MEMORY + offset, 4)), [3, 1, 2]);
}

#[test]
fn what_is_left_for_gets_its_arguments_where_the_own_ones_came() {
    let own = [I64, I64, I32];
    for (types, calls_and_returns) in [(vec![I64, I64, I32], false), (vec![I64, I64, I64, I32], true)] {
        let mut func = Func::new(0, "test".into(), signature(&own, &[I32]));
        let params = func.blocks[ENTRY].params.clone();
        let signature = func.signature_index(&signature(&types, &[I32]));
        let args = [params[1], params[0], params[0], params[2]];
        let args = if calls_and_returns { args.to_vec() } else { [params[1], params[0], params[2]].to_vec() };
        let callee = crate::ir::Callee::Function(Function(2));
        func.blocks[ENTRY].terminator = Terminator::ReturnCall { callee, signature, args };
        let lowered = lower(&func);
        let mut machine = machine(&own, &[0x2_0000_0001, 0x4_0000_0003, 5]);
        let outcome = machine.run(&lowered);
        let registers = vec![(0, 3), (1, 4), (2, 1), (3, 2)];
        let (wanted, stack) = match calls_and_returns {
            true => (Outcome::Returned(vec![0x1234]), vec![(0, 1), (4, 2), (8, 5)]),
            false => (Outcome::Left, vec![(0, 5)]),
        };
        assert_eq!(outcome, wanted, "{lowered}");
        assert_eq!(machine.calls, [Called { callee: "f2".into(), registers, stack }], "{lowered}");
    }
}

#[test]
fn long_chains_of_words_are_cut() {
    let func = function(&[I32], |func, args| {
        let mut value = args[0];
        for _ in 0..3000 {
            let wide = push(func, Op::ExtendS, &[value]);
            value = push(func, Op::Wrap, &[wide]);
        }
        push(func, Op::ExtendS, &[value])
    });
    let lowered = lower(&func);
    assert_eq!(result(&lowered, &[I32], &[0x8000_0001]), 0xffff_ffff_8000_0001);
}
