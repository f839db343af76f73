//! Handwritten and random functions.

use super::check;
use super::generate::{Shape, function};
use crate::alloc::allocated::{Allocated, Stats};
use crate::vcode::entity::Block;
use crate::vcode::func::{Func, Head, Node, Origin, Purpose};
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{AluOp, Call, Callee, CompareOp, Cond, Edge, Flags, Operand2, Symbol, Terminator};
use crate::vcode::operands::Role;
use crate::vcode::reg::PReg;
use crate::vcode::{Inst, VReg};

/// Runs seeds and sums what they cost.
fn sweep(seeds: std::ops::Range<u64>, shape: Shape) -> Vec<Stats> {
    seeds.map(|seed| check(&function(seed, shape)).stats).collect()
}

#[test]
fn small_functions_do_the_same() {
    sweep(0..200, Shape { size: 12, reach: 6, calls: 8 });
}

#[test]
fn functions_of_low_pressure_do_not_spill() {
    let stats = sweep(0..100, Shape { size: 60, reach: 4, calls: 1000 });
    let roomy = |s: &&Stats| s.pressure_max <= 13 && s.call_pressure_max <= 8;
    assert!(stats.iter().filter(roomy).count() > 30, "many should have room");
    assert!(stats.iter().filter(roomy).all(|stats| stats.spilled == 0));
}

#[test]
fn functions_of_high_pressure_do_the_same() {
    let stats = sweep(0..200, Shape { size: 120, reach: 40, calls: 12 });
    assert!(stats.iter().map(|stats| stats.spilled).sum::<u32>() > 500, "these should spill");
}

#[test]
fn no_spill_is_spurious() {
    for shape in [
        Shape { size: 60, reach: 14, calls: 10 },
        Shape { size: 100, reach: 20, calls: 30 },
        Shape { size: 100, reach: 9, calls: 5 },
    ] {
        for (seed, stats) in sweep(1000..1080, shape).iter().enumerate() {
            assert!(stats.spurious.is_empty(), "{shape:?} {seed}: {:?}", stats.spurious);
        }
    }
}

/// Writes functions by hand.
struct Writer {
    func: Func,
    block: Block,
}

impl Writer {
    fn new() -> Writer {
        let mut func = Func::new(0);
        let block = func.block(Head::default());
        Writer { func, block }
    }

    fn vregs<const N: usize>(&mut self) -> [VReg; N] {
        [(); N].map(|()| self.func.vreg(Origin::Local))
    }

    fn push(&mut self, inst: Inst<VReg>) {
        let node = Node { inst, source: None, purpose: Purpose::Direct };
        self.func.blocks[self.block].insts.push(node);
    }

    fn args(&mut self, count: u8) -> Vec<VReg> {
        let defs: Vec<(PReg, VReg)> = (0..count).map(|n| (PReg::new(n), self.func.vreg(Origin::Local))).collect();
        self.push(Inst::Args { defs: defs.clone() });
        defs.into_iter().map(|(_, vreg)| vreg).collect()
    }

    fn add(&mut self, n: VReg, m: VReg) -> VReg {
        let [d] = self.vregs();
        let m = Operand2::Reg(m);
        self.push(Inst::Alu { op: AluOp::Add, flags: Flags::Keep, d, n, m });
        d
    }

    fn call(&mut self, args: &[VReg]) -> VReg {
        let [d] = self.vregs();
        let args = (0..).map(PReg::new).zip(args.iter().copied()).collect();
        let results = vec![(PReg::R0, d)];
        self.push(Inst::Call(Call { callee: Callee::Function(1), args, results }));
        d
    }

    fn end(&mut self, terminator: Terminator<VReg>) {
        self.func.blocks[self.block].terminator = terminator;
    }

    fn finish(mut self, result: VReg) -> Allocated {
        self.end(Terminator::Return { values: vec![(PReg::R0, result)] });
        check(&self.func)
    }
}

#[test]
fn a_loop_with_a_counter_and_a_sum_needs_no_move() {
    let mut w = Writer::new();
    let args = w.args(2);
    let (header, after) = (w.func.block(Head::default()), w.func.block(Head::default()));
    w.end(Terminator::Jump(Edge { block: header, args: args.clone() }));
    let [count, sum, less] = w.vregs();
    w.func.blocks[header].params = vec![count, sum];
    w.block = header;
    let more = w.add(sum, count);
    let one = Operand2::Imm(ModifiedImm::new(1).expect("a byte"));
    w.push(Inst::Alu { op: AluOp::Sub, flags: Flags::Set, d: less, n: count, m: one });
    w.end(Terminator::Branch {
        cond: Cond::Ne,
        then: Edge { block: header, args: vec![less, more] },
        otherwise: Edge { block: after, args: vec![] },
    });
    w.block = after;
    let allocated = w.finish(more);
    // The sum arrives in r1 and is returned in r0, so one move stays; the loop has none.
    assert!(allocated.stats.moves <= 1, "{allocated}");
    assert_eq!(allocated.blocks[header].items.len(), 2, "{allocated}");
    assert!(allocated.frame.saved.is_empty(), "{allocated}");
}

#[test]
fn arguments_that_cross_are_swapped_through_the_scratch_register() {
    let mut w = Writer::new();
    let args = w.args(3);
    let result = w.call(&[args[1], args[0], args[2]]);
    let allocated = w.finish(result);
    assert_eq!((allocated.stats.moves, allocated.stats.spilled), (3, 0), "{allocated}");
}

#[test]
fn a_value_across_a_call_takes_one_move_and_one_saved_register() {
    let mut w = Writer::new();
    let args = w.args(2);
    let result = w.call(&args);
    let sum = w.add(result, args[0]);
    let allocated = w.finish(sum);
    assert_eq!(allocated.stats.moves, 1, "{allocated}");
    assert_eq!(format!("{:?}", allocated.frame.saved), "{r4, lr}");
    assert_eq!(allocated.frame.bytes(), 8);
}

#[test]
fn a_word_of_alignment_is_pushed_and_not_subtracted() {
    let mut w = Writer::new();
    let args = w.args(2);
    let result = w.call(&args);
    let sum = w.add(result, args[0]);
    let result = w.call(&[sum]);
    let both = w.add(args[0], args[1]);
    let sum = w.add(result, both);
    let allocated = w.finish(sum);
    assert_eq!(format!("{:?}", allocated.frame.saved), "{r3, r4, r5, lr}");
    assert_eq!(allocated.frame.local_bytes, 0);
}

#[test]
fn addresses_and_constants_are_computed_again_and_never_stored() {
    let mut w = Writer::new();
    let args = w.args(1);
    let mut values = Vec::new();
    for number in 0i32..20 {
        let [d] = w.vregs();
        let (symbol, addend) = (Symbol::Instance, 4 * number);
        w.push(if number % 2 == 0 {
            Inst::Const { d, value: 0x1234_0000 + number.cast_unsigned() }
        } else {
            Inst::Address { d, symbol, addend }
        });
        values.push(d);
    }
    let mut sum = w.call(&args);
    for &value in &values {
        sum = w.add(sum, value);
    }
    let allocated = w.finish(sum);
    assert_eq!((allocated.stats.spilled, allocated.stats.reloads), (0, 0), "{allocated}");
    assert!(allocated.stats.remats >= 12, "{allocated}");
}

#[test]
fn twenty_values_across_a_call_spill_twelve() {
    let mut w = Writer::new();
    let args = w.args(1);
    let mut values = vec![args[0]];
    for index in 0..19 {
        let next = w.add(values[index], args[0]);
        values.push(next);
    }
    let mut sum = w.call(&[]);
    for &value in &values {
        sum = w.add(sum, value);
    }
    let allocated = w.finish(sum);
    let stats = &allocated.stats;
    assert_eq!((stats.spilled, stats.spills, stats.reloads), (12, 12, 12), "{allocated}");
}

#[test]
fn a_condition_survives_what_is_inserted_behind_the_comparison() {
    let mut w = Writer::new();
    let args = w.args(2);
    let m = Operand2::Reg(args[1]);
    w.push(Inst::Compare { op: CompareOp::Cmp, n: args[0], m });
    let [d] = w.vregs();
    w.push(Inst::SetCond { d, cond: Cond::Lo });
    let allocated = w.finish(d);
    let items = &allocated.blocks[Block(0)].items;
    let writers = items.iter().filter(|item| item.inst.flags_effect().writes);
    assert_eq!(writers.count(), 1);
    assert!(
        items
            .iter()
            .all(|item| { item.inst.operands().iter().all(|o| o.role == Role::Use || !o.reg.number().eq(&12)) })
    );
}
