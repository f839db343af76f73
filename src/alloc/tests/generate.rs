//! Random functions: structured control flow, values used long after they are made.

use crate::target::FloatUnit;
use crate::vcode::entity::Block;
use crate::vcode::float::{FloatInst, FloatOp, Format, Part};
use crate::vcode::func::{Func, Head, Node, Origin, Purpose};
use crate::vcode::imm::{BitField, Imm8, Imm12, ModifiedImm, ShiftImm};
use crate::vcode::inst::{
    Address, AluOp, Call, Callee, Choice, CompareOp, Cond, Edge, Flags, LoadKind, MulLongAddOp, Operand2, ShiftBy,
    ShiftOp, Sign, StoreKind, Symbol, Terminator, Trap, ZeroTest,
};
use crate::vcode::reg::{PReg, RegClass};
use crate::vcode::{Inst, VReg};

/// A small deterministic source of numbers (xorshift).
pub struct Random(u64);

impl Random {
    /// Seeds it.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % bound as u64).expect("below a usize")
    }

    fn number(&mut self) -> u32 {
        u32::try_from(self.below(1 << 20)).expect("20 bits")
    }
}

/// What kind of functions to make.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Items and constructs.
    pub size: usize,
    /// How far back operands reach.
    pub reach: usize,
    /// One item in this many is a call.
    pub calls: usize,
}

struct Generator {
    func: Func,
    random: Random,
    shape: Shape,
    block: Block,
    scope: Vec<VReg>,
    /// The same of the floating-point unit.
    floats: Vec<VReg>,
    left: usize,
}

/// A random function; every second one has a floating-point unit.
pub fn function(seed: u64, shape: Shape) -> Func {
    let mut func = Func::new(0);
    func.float = if seed.is_multiple_of(2) { FloatUnit::None } else { FloatUnit::V5Double };
    let block = func.block(Head::default());
    let random = Random::new(seed);
    let mut generator =
        Generator { func, random, shape, block, scope: Vec::new(), floats: Vec::new(), left: shape.size };
    generator.entry();
    while generator.left > 0 {
        generator.statements(4, 0);
    }
    if generator.random.below(3) == 0 {
        generator.leave();
        return generator.func;
    }
    let values =
        (0..=1u8).take(generator.random.below(3)).map(|number| (PReg::new(number), generator.pick())).collect();
    generator.end(Terminator::Return { values });
    generator.func
}

impl Generator {
    fn entry(&mut self) {
        let count = self.random.below(5);
        let mut defs: Vec<(PReg, VReg)> =
            (0u8..4).take(count).map(|number| (PReg::new(number), self.fresh())).collect();
        self.scope.extend(defs.iter().map(|&(_, vreg)| vreg));
        if self.has_unit() {
            let count = self.random.below(9) as u8;
            defs.extend((0..count).map(|number| (PReg::double(number), self.fresh_float())));
            self.floats.extend(defs.iter().map(|&(_, vreg)| vreg).filter(|vreg| !self.scope.contains(vreg)));
        }
        if !defs.is_empty() {
            self.push(Inst::Args { defs });
        }
        for offset in 0..self.random.below(3) {
            let d = self.fresh();
            self.push(Inst::IncomingLoad { d, offset: 4 * u32::try_from(offset).expect("small") });
            self.scope.push(d);
        }
        for _ in 0..2 {
            let d = self.fresh();
            let value = self.random.number();
            self.push(Inst::Const { d, value });
            self.scope.push(d);
        }
    }

    /// Leaves for another function, with stack arguments where the own ones came.
    fn leave(&mut self) {
        for offset in (0..4 * self.random.below(4) as u32).step_by(4) {
            let s = self.pick();
            self.push(Inst::IncomingStore { s, offset });
        }
        let callee = if self.random.below(2) == 0 { Callee::Register(self.pick()) } else { Callee::Function(2) };
        let count = self.random.below(5);
        let args = (0u8..4).take(count).map(|number| (PReg::new(number), self.pick())).collect();
        self.end(Terminator::ReturnCall(Call { callee, args, results: vec![] }));
    }

    fn fresh(&mut self) -> VReg {
        self.func.vreg(Origin::Local)
    }

    fn push(&mut self, inst: Inst<VReg>) {
        let node = Node { inst, source: None, purpose: Purpose::Direct };
        self.func.blocks[self.block].insts.push(node);
    }

    fn end(&mut self, terminator: Terminator<VReg>) {
        self.func.blocks[self.block].terminator = terminator;
    }

    fn pick(&mut self) -> VReg {
        let reach = self.shape.reach.min(self.scope.len());
        let back = self.random.below(reach);
        self.scope[self.scope.len() - 1 - back]
    }

    fn define(&mut self, make: impl FnOnce(VReg) -> Inst<VReg>) {
        let d = self.fresh();
        self.push(make(d));
        self.scope.push(d);
    }

    fn has_unit(&self) -> bool {
        self.func.float != FloatUnit::None
    }

    fn fresh_float(&mut self) -> VReg {
        self.func.vreg_of(RegClass::Double, Origin::Local)
    }

    fn define_float(&mut self, make: impl FnOnce(VReg) -> FloatInst<VReg>) {
        let d = self.fresh_float();
        self.push(Inst::Float(make(d)));
        self.floats.push(d);
    }

    fn pick_float(&mut self) -> VReg {
        if self.floats.is_empty() {
            let (low, high) = (self.pick(), Some(self.pick()));
            self.define_float(|d| FloatInst::FromCore { d, low, high });
        }
        let reach = self.shape.reach.min(self.floats.len());
        let back = self.random.below(reach);
        self.floats[self.floats.len() - 1 - back]
    }

    fn float_item(&mut self) {
        let (n, m) = (self.pick_float(), self.pick_float());
        let format = Format::F64;
        match self.random.below(7) {
            0 => {
                let (low, high) = (self.pick(), Some(self.pick()));
                self.define_float(|d| FloatInst::FromCore { d, low, high });
            }
            1 => self.define(|d| Inst::Float(FloatInst::ToCore { d, m, part: Part::High })),
            2 => {
                self.push(Inst::Float(FloatInst::Compare { format, n, m }));
                self.define(|d| Inst::SetCond { d, cond: Cond::Mi });
            }
            3 => self.define_float(|d| FloatInst::Pack { d, n, m }),
            4 => {
                let d = self.fresh_float();
                self.push(Inst::Move { d, m });
                self.floats.push(d);
            }
            _ => self.define_float(|d| FloatInst::Compute { op: FloatOp::Sub, format, d, n: Some(n), m }),
        }
    }

    /// Values of the unit for parameters of the unit.
    fn float_arguments(&mut self) -> Vec<VReg> {
        let count = if self.has_unit() { 3 } else { 0 };
        (0..count).map(|_| self.pick_float()).collect()
    }

    fn float_params(&mut self, block: Block) -> Vec<VReg> {
        let count = if self.has_unit() { 3 } else { 0 };
        let params: Vec<VReg> = (0..count).map(|_| self.fresh_float()).collect();
        self.func.blocks[block].params.extend(&params);
        self.floats.extend(&params);
        params
    }

    fn statements(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match self.random.below(12) {
                0 if depth < 4 => self.branch(depth),
                1 if depth < 4 => self.repeat(depth),
                2 if depth < 3 => self.table(depth),
                _ if self.random.below(self.shape.calls) == 0 => self.call(),
                _ if self.has_unit() && self.random.below(2) == 0 => self.float_item(),
                _ => self.item(),
            }
        }
    }

    fn item(&mut self) {
        let (n, m, a) = (self.pick(), self.pick(), self.pick());
        let number = self.random.number();
        let field = BitField::new(number % 16, 1 + number % 15).expect("inside a word");
        let cond = Cond::ALL[self.random.below(14)];
        let imm = ModifiedImm::new(number & 0xff).expect("a byte");
        match self.random.below(19) {
            0 | 1 => self.define(|d| Inst::Const { d, value: number }),
            2 => self.define(|d| Inst::Const { d, value: number & 0xff }),
            3 => {
                let addend = (number & 0xff).cast_signed();
                self.define(|d| Inst::Address { d, symbol: Symbol::Memory(0), addend });
            }
            4..=6 => {
                let op = [AluOp::Add, AluOp::Sub, AluOp::Eor, AluOp::Rsb][self.random.below(4)];
                let m = Operand2::Reg(m);
                self.define(|d| Inst::Alu { op, flags: Flags::Keep, d, n, m });
            }
            7 => {
                let m = Operand2::Imm(imm);
                self.define(|d| Inst::Alu { op: AluOp::Add, flags: Flags::Keep, d, n, m });
            }
            8 => {
                let by = ShiftBy::Imm(ShiftImm::new(1 + number % 31).expect("1 to 31"));
                self.define(|d| Inst::Shift { op: ShiftOp::Ror, flags: Flags::Keep, d, n, by });
            }
            9 => self.define(|d| Inst::MulAdd { d, n, m, a }),
            10 => self.long(n, m, a),
            11 => self.define(|d| Inst::Insert { d, into: n, n: m, field }),
            12 => self.define(|d| Inst::Clear { d, from: n, field }),
            13 => {
                self.push(Inst::Compare { op: CompareOp::Cmp, n, m: Operand2::Reg(m) });
                let b = Choice::Imm(Imm8::new(number & 0xff).expect("a byte"));
                self.define(|d| Inst::Select { d, cond, a: Choice::Reg(a), b });
            }
            14 => {
                self.push(Inst::Compare { op: CompareOp::Cmp, n, m: Operand2::Imm(imm) });
                let (a, b) = (Choice::Reg(a), Choice::Reg(m));
                self.define(|d| Inst::Select { d, cond, a, b });
                self.define(|d| Inst::SetCond { d, cond });
            }
            15 => self.define(|d| Inst::Move { d, m }),
            16 => {
                let address = Address::Offset(n, Imm12::new(number & 0xff).expect("12 bits"));
                self.define(|d| Inst::Load { kind: LoadKind::Word, d, address });
            }
            17 => {
                let address = Address::Offset(n, Imm12::ZERO);
                self.push(Inst::Store { kind: StoreKind::Word, s: m, address });
            }
            _ => self.add_long(n, m, a),
        }
    }

    fn long(&mut self, n: VReg, m: VReg, a: VReg) {
        let (low, high) = (self.fresh(), self.fresh());
        self.push(Inst::MulLong { sign: Sign::Unsigned, low, high, n, m });
        self.scope.extend([low, high]);
        let (low_in, high_in) = if self.random.below(2) == 0 { (low, a) } else { (n, m) };
        let (low, high) = (self.fresh(), self.fresh());
        let op = MulLongAddOp::Umlal;
        self.push(Inst::MulLongAdd { op, low, high, low_in, high_in, n, m });
        self.scope.extend([low, high]);
    }

    fn add_long(&mut self, n: VReg, m: VReg, a: VReg) {
        let second = Operand2::Reg(m);
        self.define(|d| Inst::Alu { op: AluOp::Add, flags: Flags::Set, d, n, m: second });
        self.define(|d| Inst::Alu { op: AluOp::Adc, flags: Flags::Set, d, n: a, m: second });
        if self.random.below(4) == 0 {
            self.push(Inst::Compare { op: CompareOp::Cmp, n, m: second });
            self.push(Inst::TrapIf { cond: Cond::Eq, trap: Trap::Unreachable });
        }
    }

    fn call(&mut self) {
        let count = self.random.below(5);
        let mut args: Vec<(PReg, VReg)> = (0u8..4).take(count).map(|number| (PReg::new(number), self.pick())).collect();
        if self.has_unit() {
            let count = self.random.below(9) as u8;
            args.extend((0..count).map(|number| (PReg::double(number), self.pick_float())));
        }
        if count == 4 {
            for offset in [0, 4] {
                let s = self.pick();
                self.push(Inst::OutgoingStore { s, offset });
            }
        }
        let callee = match self.random.below(3) {
            0 => Callee::Register(self.pick()),
            1 => Callee::Import(1),
            _ => Callee::Function(2),
        };
        if self.random.below(4) == 0 {
            return self.call_with_several_results(callee);
        }
        let mut results: Vec<(PReg, VReg)> =
            (0u8..2).take(self.random.below(3)).map(|number| (PReg::new(number), self.fresh())).collect();
        self.scope.extend(results.iter().map(|&(_, vreg)| vreg));
        if self.has_unit() && results.is_empty() {
            let d = self.fresh_float();
            self.floats.push(d);
            results.push((PReg::double(0), d));
        }
        self.push(Inst::Call(Call { callee, args, results }));
    }

    fn call_with_several_results(&mut self, callee: Callee<VReg>) {
        let area = self.fresh();
        self.push(Inst::ResultArea { d: area, offset: 8, bytes: 16 });
        let args = vec![(PReg::R0, area), (PReg::R1, self.pick())];
        self.push(Inst::Call(Call { callee, args, results: vec![] }));
        for offset in [8, 20, 12] {
            self.define(|d| Inst::OutgoingLoad { d, offset });
        }
    }

    fn arguments(&mut self, count: usize) -> Vec<VReg> {
        (0..count).map(|_| self.pick()).collect()
    }

    fn params(&mut self, block: Block, count: usize) -> Vec<VReg> {
        let params: Vec<VReg> = (0..count).map(|_| self.fresh()).collect();
        self.func.blocks[block].params.clone_from(&params);
        params
    }

    fn branch(&mut self, depth: usize) {
        let (then, otherwise) = (self.func.block(Head::default()), self.func.block(Head::default()));
        let join = self.func.block(Head::default());
        let count = self.random.below(4);
        let (n, m) = (self.pick(), self.pick());
        // Without a second arm the branch goes to the join itself, which makes a critical edge.
        let skip = self.random.below(3) == 0;
        let other = if skip {
            let args = [self.arguments(count), self.float_arguments()].concat();
            Edge { block: join, args }
        } else {
            Edge { block: otherwise, args: vec![] }
        };
        let then_edge = Edge { block: then, args: vec![] };
        if self.random.below(2) == 0 {
            self.push(Inst::Compare { op: CompareOp::Cmp, n, m: Operand2::Reg(m) });
            self.end(Terminator::Branch { cond: Cond::Lo, then: then_edge, otherwise: other });
        } else {
            let test = ZeroTest::NonZero;
            self.end(Terminator::BranchZero { test, n, then: then_edge, otherwise: other });
        }
        let (outer, outer_floats) = (self.scope.len(), self.floats.len());
        for arm in [Some(then), Some(otherwise).filter(|_| !skip)].into_iter().flatten() {
            self.block = arm;
            self.statements(5, depth + 1);
            let args = [self.arguments(count), self.float_arguments()].concat();
            self.end(Terminator::Jump(Edge { block: join, args }));
            self.scope.truncate(outer);
            self.floats.truncate(outer_floats);
        }
        self.block = join;
        let params = self.params(join, count);
        self.scope.extend(params);
        self.float_params(join);
    }

    fn repeat(&mut self, depth: usize) {
        let (header, after) = (self.func.block(Head::default()), self.func.block(Head::default()));
        let count = 1 + self.random.below(4);
        let args = [self.arguments(count), self.float_arguments()].concat();
        self.end(Terminator::Jump(Edge { block: header, args }));
        self.block = header;
        let (outer, outer_floats) = (self.scope.len(), self.floats.len());
        let params = self.params(header, count);
        self.scope.extend(&params);
        let mut floats = self.float_params(header);
        self.statements(6, depth + 1);
        let (n, m) = (self.pick(), self.pick());
        self.push(Inst::Compare { op: CompareOp::Cmp, n, m: Operand2::Reg(m) });
        // Passing the parameters rotated makes cycles at the back edge.
        let mut args = match self.random.below(3) {
            0 => params[1..].iter().chain(&params[..1]).copied().collect(),
            _ => self.arguments(count),
        };
        if let [_, ..] = floats[..] {
            floats.rotate_left(1);
        }
        args.extend(floats);
        let then = Edge { block: header, args };
        let kept = self.pick();
        let otherwise = Edge { block: after, args: vec![kept] };
        let cond = [Cond::Hi, Cond::Ne, Cond::Lt][self.random.below(3)];
        self.end(Terminator::Branch { cond, then, otherwise });
        self.scope.truncate(outer);
        self.floats.truncate(outer_floats);
        self.block = after;
        let params = self.params(after, 1);
        self.scope.extend(params);
    }

    fn table(&mut self, depth: usize) {
        let join = self.func.block(Head::default());
        let arm = self.func.block(Head::default());
        let n = self.pick();
        let index = self.fresh();
        let field = BitField::new(0, 2).expect("inside a word");
        self.push(Inst::Extract { sign: Sign::Unsigned, d: index, n, field });
        let (a, b) = (self.pick(), self.pick());
        let targets = vec![
            Edge { block: join, args: vec![a] },
            Edge { block: arm, args: vec![] },
            Edge { block: join, args: vec![b] },
            Edge { block: join, args: vec![a] },
        ];
        self.end(Terminator::Table { index, targets });
        let (outer, outer_floats) = (self.scope.len(), self.floats.len());
        self.block = arm;
        self.statements(4, depth + 1);
        let args = self.arguments(1);
        self.end(Terminator::Jump(Edge { block: join, args }));
        self.scope.truncate(outer);
        self.floats.truncate(outer_floats);
        self.block = join;
        let params = self.params(join, 1);
        self.scope.extend(params);
    }
}
