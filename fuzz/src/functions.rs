//! Arbitrary functions of machine instructions: any control flow, loops with several entries and unreachable blocks
//! among them; both banks; fixed and tied registers; calls; as many live values as there may be.
//!
//! Ensures: the function is well-formed (`vcode::check`). It means nothing: what is computed is not looked at.

use std::collections::BTreeSet;

use synth::entity::{Entity, TypedVec};
use synth::target::{FloatUnit, Isa};
use synth::trap::Trap;
use synth::vcode::float::{FloatImm, FloatInst, FloatOp, Format, Part};
use synth::vcode::func::{ENTRY, Head, Node, Origin, Purpose};
use synth::vcode::imm::{BitField, Imm8, Imm12, IndexShift, ModifiedImm, ShiftImm};
use synth::vcode::inst::{
    Address, AluOp, Call, Callee, Choice, CompareOp, Cond, Edge, Flags, InPlaceOp, LoadKind, MulLongAddOp, Operand2,
    ShiftBy, ShiftOp, Sign, StoreKind, Symbol, Terminator, UnaryOp, WideOp, ZeroTest,
};
use synth::vcode::{Block, Func, Inst, PReg, RegClass, VReg};

use crate::choices::Choices;

/// Most blocks of a function.
const BLOCKS_MAX: usize = 14;

/// Most items of a block.
const ITEMS_MAX: usize = 24;

/// The function that the bytes make.
pub fn function(choices: &mut Choices<'_>) -> Func {
    let mut func = Func::new(0);
    (func.isa, func.float) = [
        (Isa::V7M, FloatUnit::None),
        (Isa::V7M, FloatUnit::V5Double),
        (Isa::V6M, FloatUnit::None),
        (Isa::V7M, FloatUnit::V4Single),
    ][choices.below(4)];
    let count = 1 + choices.below(BLOCKS_MAX);
    for _ in 0..count {
        func.block(Head::default());
    }
    let leaves = choices.below(4) == 0;
    let mut writer = Writer { func, choices, block: ENTRY, scope: Vec::new(), flags: false, leaves };
    writer.successors(count);
    writer.blocks();
    writer.func
}

struct Writer<'a, 'b> {
    func: Func,
    choices: &'a mut Choices<'b>,
    block: Block,
    /// The values that are defined where the next item goes.
    scope: Vec<VReg>,
    /// Whether the flags are.
    flags: bool,
    /// Whether the function leaves for others, whose stack arguments lie where its own do.
    leaves: bool,
}

impl Writer<'_, '_> {
    /// Where each block goes; what it passes there comes later.
    fn successors(&mut self, count: usize) {
        for block in (0..count).map(Block::new) {
            let ways = match (count, self.choices.below(8)) {
                (1, _) | (_, 0) => 0,
                (_, 1..=3) => 1,
                (_, 4..=6) => 2,
                _ => 1 + self.choices.below(5),
            };
            let targets = (0..ways).map(|_| {
                // As a rule the next ones, so that most blocks are reached.
                let next = block.index() + 1 + self.choices.below(2);
                let any = 1 + self.choices.below(count - 1);
                let target = if self.choices.below(3) > 0 && next < count { next } else { any };
                Edge { block: Block::new(target), args: Vec::new() }
            });
            let targets: Vec<Edge<VReg>> = targets.collect();
            self.func.blocks[block].terminator = match &targets[..] {
                [] => Terminator::Trap(Trap::Unreachable),
                [only] => Terminator::Jump(only.clone()),
                // Which kind of branch it is, is decided at its end.
                _ => Terminator::Table { index: VReg::new(0), targets },
            };
            if block != ENTRY {
                let params = (0..self.choices.below(5)).map(|_| self.fresh_of_any_class()).collect();
                self.func.blocks[block].params = params;
            }
        }
    }

    /// Writes blocks so that those that dominate a block come before it.
    fn blocks(&mut self) {
        let dominators = dominators(&self.func);
        let mut order: Vec<Block> = self.func.blocks.keys().collect();
        order.sort_by_key(|&block| dominators[block].as_ref().map_or(usize::MAX, BTreeSet::len));
        let mut defined: TypedVec<Block, Vec<VReg>> = TypedVec::filled(Vec::new(), self.func.blocks.len());
        for block in order {
            self.block = block;
            self.flags = false;
            self.scope = dominators[block].iter().flatten().flat_map(|&above| defined[above].clone()).collect();
            let inherited = self.scope.len();
            self.scope.extend(self.func.blocks[block].params.clone());
            if block == ENTRY {
                self.entry();
            }
            for _ in 0..self.choices.below(ITEMS_MAX) {
                self.item();
            }
            self.end();
            defined[block] = self.scope.split_off(inherited);
        }
    }

    fn entry(&mut self) {
        let mut defs: Vec<(PReg, VReg)> = Vec::new();
        for number in 0..self.choices.below(5) as u8 {
            defs.push((PReg::new(number), self.fresh(RegClass::Core)));
        }
        if self.has_unit() {
            for number in 0..self.choices.below(9) as u8 {
                let class = self.float_class();
                defs.push((PReg::double(number), self.fresh(class)));
            }
        }
        self.scope.extend(defs.iter().map(|&(_, vreg)| vreg));
        if !defs.is_empty() {
            self.push(Inst::Args { defs });
        }
    }

    fn has_unit(&self) -> bool {
        self.func.float != FloatUnit::None
    }

    fn float_class(&mut self) -> RegClass {
        [RegClass::Single, RegClass::Double][self.choices.below(2)]
    }

    fn fresh(&mut self, class: RegClass) -> VReg {
        self.func.vreg_of(class, Origin::Local)
    }

    fn fresh_of_any_class(&mut self) -> VReg {
        let class = if self.has_unit() && self.choices.below(3) == 0 { self.float_class() } else { RegClass::Core };
        self.fresh(class)
    }

    fn push(&mut self, inst: Inst<VReg>) {
        let effect = inst.flags_effect();
        if effect.writes {
            self.flags = !matches!(inst, Inst::Call(_));
        }
        let purpose = if matches!(inst, Inst::TrapIf { .. }) { Purpose::Check } else { Purpose::Direct };
        self.func.blocks[self.block].insts.push(Node { inst, source: None, purpose });
    }

    fn define(&mut self, class: RegClass, make: impl FnOnce(VReg) -> Inst<VReg>) -> VReg {
        let d = self.fresh(class);
        self.push(make(d));
        self.scope.push(d);
        d
    }

    fn core(&mut self, make: impl FnOnce(VReg) -> Inst<VReg>) -> VReg {
        self.define(RegClass::Core, make)
    }

    /// A value of a class, made if there is none.
    fn pick(&mut self, class: RegClass) -> VReg {
        let classes = &self.func.classes;
        let of_class: Vec<VReg> = self.scope.iter().copied().filter(|&vreg| classes[vreg] == class).collect();
        if let Some(last) = of_class.len().checked_sub(1) {
            return match self.choices.below(4) {
                // As a rule the last ones; but any lives as long as it likes.
                0 => of_class[self.choices.below(of_class.len())],
                _ => of_class[last - self.choices.below(of_class.len().min(6))],
            };
        }
        match class {
            RegClass::Core => {
                let value = self.choices.i32() as u32;
                self.core(|d| Inst::Const { d, value })
            }
            RegClass::Single => {
                let low = self.pick(RegClass::Core);
                self.define(class, |d| Inst::Float(FloatInst::FromCore { d, low, high: None }))
            }
            RegClass::Double => {
                let (low, high) = (self.pick(RegClass::Core), self.pick(RegClass::Core));
                self.define(class, |d| Inst::Float(FloatInst::FromCore { d, low, high: Some(high) }))
            }
        }
    }

    fn word(&mut self) -> VReg {
        self.pick(RegClass::Core)
    }

    fn flags_mode(&mut self) -> Flags {
        [Flags::Keep, Flags::Set][self.choices.below(2)]
    }

    fn modified(&mut self) -> ModifiedImm {
        ModifiedImm::new(u32::from(self.choices.byte()) << self.choices.below(25)).expect("a byte, shifted")
    }

    fn shift_imm(&mut self) -> ShiftImm {
        ShiftImm::new(1 + self.choices.below(31) as u32).expect("1 to 31")
    }

    fn shift_op(&mut self) -> ShiftOp {
        self.choices.pick(&[ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr, ShiftOp::Ror])
    }

    fn alu_op(&mut self) -> AluOp {
        use AluOp::{Adc, Add, And, Bic, Eor, Orn, Orr, Rsb, Sbc, Sub};
        let all = [Add, Sub, Rsb, And, Orr, Eor, Bic, Orn, Adc, Sbc];
        // The carry is an operand of the last two.
        let known = if self.flags { 10 } else { 8 };
        all[self.choices.below(known)]
    }

    fn second(&mut self) -> Operand2<VReg> {
        match self.choices.below(4) {
            0 => Operand2::Imm(self.modified()),
            1 => Operand2::Shifted(self.word(), self.shift_op(), self.shift_imm()),
            _ => Operand2::Reg(self.word()),
        }
    }

    fn field(&mut self) -> BitField {
        let lsb = self.choices.below(32) as u32;
        BitField::new(lsb, 1 + self.choices.below(32 - lsb as usize) as u32).expect("inside a word")
    }

    fn address(&mut self) -> Address<VReg> {
        let base = self.word();
        match self.choices.below(2) {
            0 => Address::Offset(base, Imm12::new(u32::from(self.choices.byte())).expect("12 bits")),
            _ => Address::Index(base, self.word(), IndexShift::new(self.choices.below(4) as u32).expect("to 3")),
        }
    }

    fn cond(&mut self) -> Cond {
        self.choices.pick(&Cond::ALL)
    }

    fn item(&mut self) {
        let kinds = if self.has_unit() { 36 } else { 30 };
        match self.choices.below(kinds) {
            kind @ 0..10 => self.computation(kind),
            kind @ 10..20 => self.multiplication(kind),
            20..24 if self.flags => self.flag_reader(),
            kind @ 20..26 => self.memory(kind),
            26 | 27 => self.call(),
            28 => {
                let m = self.scope.get(self.choices.below(self.scope.len())).copied();
                let m = m.unwrap_or_else(|| self.word());
                let class = self.func.classes[m];
                self.define(class, |d| Inst::Move { d, m });
            }
            29 => self.several_results(),
            _ => self.float(),
        }
    }

    fn computation(&mut self, kind: usize) {
        let (flags, n) = (self.flags_mode(), self.word());
        match kind {
            0 => {
                let value = self.choices.i32() as u32;
                self.core(|d| Inst::Const { d, value })
            }
            1 => {
                let (symbol, addend) = (Symbol::Memory(0), i32::from(self.choices.byte()));
                self.core(|d| Inst::Address { d, symbol, addend })
            }
            2 | 3 => {
                let (op, m) = (self.alu_op(), self.second());
                self.core(|d| Inst::Alu { op, flags, d, n, m })
            }
            4 => {
                let op = [WideOp::Add, WideOp::Sub][self.choices.below(2)];
                let imm = Imm12::new(u32::from(self.choices.byte()) << 4).expect("12 bits");
                self.core(|d| Inst::AluWide { op, d, n, imm })
            }
            5 => {
                let m = self.second();
                self.core(|d| Inst::Not { flags, d, m })
            }
            6 => {
                let op = self.shift_op();
                let by = match self.choices.below(2) {
                    0 => ShiftBy::Imm(self.shift_imm()),
                    _ => ShiftBy::Reg(self.word()),
                };
                self.core(|d| Inst::Shift { op, flags, d, n, by })
            }
            7 | 8 => {
                let m = if self.choices.below(4) == 0 {
                    Operand2::Imm(self.modified())
                } else {
                    Operand2::Reg(self.word())
                };
                let op = match self.choices.below(3) {
                    0 => InPlaceOp::Alu(self.alu_op()),
                    1 => InPlaceOp::Shift(self.shift_op()),
                    _ => InPlaceOp::Mul,
                };
                // The product's flags are no result.
                let flags = if op == InPlaceOp::Mul { Flags::Keep } else { flags };
                self.core(|d| Inst::InPlace { op, flags, d, n, m })
            }
            _ => {
                let m = self.second();
                let op = self.choices.pick(&[CompareOp::Cmp, CompareOp::Cmn, CompareOp::Tst, CompareOp::Teq]);
                return self.push(Inst::Compare { op, n, m });
            }
        };
    }

    fn multiplication(&mut self, kind: usize) {
        let (n, m, a) = (self.word(), self.word(), self.word());
        let sign = [Sign::Unsigned, Sign::Signed][self.choices.below(2)];
        match kind {
            10 => self.core(|d| Inst::Mul { d, n, m }),
            11 => self.core(|d| Inst::MulAdd { d, n, m, a }),
            12 => self.core(|d| Inst::MulSub { d, n, m, a }),
            13 => {
                let (low, high) = (self.fresh(RegClass::Core), self.fresh(RegClass::Core));
                self.push(Inst::MulLong { sign, low, high, n, m });
                return self.scope.extend([low, high]);
            }
            14 => {
                let op = self.choices.pick(&[MulLongAddOp::Umlal, MulLongAddOp::Smlal, MulLongAddOp::Umaal]);
                let (low_in, high_in) = (a, self.word());
                let (low, high) = (self.fresh(RegClass::Core), self.fresh(RegClass::Core));
                self.push(Inst::MulLongAdd { op, low, high, low_in, high_in, n, m });
                return self.scope.extend([low, high]);
            }
            15 => self.core(|d| Inst::Div { sign, d, n, m }),
            16 => {
                let op = self.choices.pick(&[UnaryOp::Clz, UnaryOp::Rbit, UnaryOp::Rev, UnaryOp::Sxtb]);
                self.core(|d| Inst::Unary { op, d, m })
            }
            17 => {
                let field = self.field();
                self.core(|d| Inst::Extract { sign, d, n, field })
            }
            18 => {
                let field = self.field();
                self.core(|d| Inst::Insert { d, into: n, n: m, field })
            }
            _ => {
                let field = self.field();
                self.core(|d| Inst::Clear { d, from: n, field })
            }
        };
    }

    fn flag_reader(&mut self) {
        let cond = self.cond();
        match self.choices.below(4) {
            0 => _ = self.core(|d| Inst::SetCond { d, cond }),
            1 => self.push(Inst::TrapIf { cond, trap: Trap::IntegerOverflow }),
            _ => {
                let a = Choice::Reg(self.word());
                let b = match self.choices.below(2) {
                    0 => Choice::Imm(Imm8::new(u32::from(self.choices.byte())).expect("a byte")),
                    _ => Choice::Reg(self.word()),
                };
                self.core(|d| Inst::Select { d, cond, a, b });
            }
        }
    }

    fn memory(&mut self, kind: usize) {
        let offset = 4 * self.choices.below(4) as u32;
        match kind {
            20 | 21 => {
                let kinds = [LoadKind::Word, LoadKind::Half, LoadKind::ByteSigned];
                let (kind, address) = (self.choices.pick(&kinds), self.address());
                self.core(|d| Inst::Load { kind, d, address });
            }
            22 | 23 => {
                let (s, address) = (self.word(), self.address());
                let kind = self.choices.pick(&[StoreKind::Word, StoreKind::Half, StoreKind::Byte]);
                self.push(Inst::Store { kind, s, address });
            }
            24 => _ = self.core(|d| Inst::IncomingLoad { d, offset }),
            _ => {
                let s = self.word();
                self.push(Inst::OutgoingStore { s, offset });
            }
        }
    }

    /// A call's callee and register arguments.
    fn callee(&mut self) -> (Callee<VReg>, Vec<(PReg, VReg)>) {
        let callee = match self.choices.below(3) {
            0 => Callee::Register(self.word()),
            1 => Callee::Import(1),
            _ => Callee::Function(2),
        };
        let mut args = Vec::new();
        for number in 0..self.choices.below(5) as u8 {
            args.push((PReg::new(number), self.word()));
        }
        if self.has_unit() {
            for number in 0..self.choices.below(9) as u8 {
                let class = self.float_class();
                args.push((PReg::double(number), self.pick(class)));
            }
        }
        (callee, args)
    }

    fn call(&mut self) {
        let (callee, args) = self.callee();
        let mut results = Vec::new();
        match self.choices.below(4) {
            0 => {}
            1 if self.has_unit() => {
                for number in 0..=self.choices.below(4) as u8 {
                    let class = self.float_class();
                    results.push((PReg::double(number), self.fresh(class)));
                }
            }
            2 => results.extend([0, 1].map(|number| (PReg::new(number), self.fresh(RegClass::Core)))),
            _ => results.push((PReg::R0, self.fresh(RegClass::Core))),
        }
        self.scope.extend(results.iter().map(|&(_, vreg)| vreg));
        self.push(Inst::Call(Call { callee, args, results }));
    }

    fn several_results(&mut self) {
        let area = self.core(|d| Inst::ResultArea { d, offset: 8, bytes: 16 });
        let args = vec![(PReg::R0, area), (PReg::R1, self.word())];
        self.push(Inst::Call(Call { callee: Callee::Function(2), args, results: vec![] }));
        for offset in [8, 20, 12].into_iter().take(self.choices.below(4)) {
            self.core(|d| Inst::OutgoingLoad { d, offset });
        }
    }

    fn float(&mut self) {
        let format = [Format::F32, Format::F64][self.choices.below(2)];
        let class = format.class();
        let part = [Part::Low, Part::High][self.choices.below(2)];
        match self.choices.below(8) {
            0 => {
                let (low, high) = (self.word(), (class == RegClass::Double).then(|| self.word()));
                self.define(class, |d| Inst::Float(FloatInst::FromCore { d, low, high }))
            }
            1 => {
                let m = self.pick(class);
                self.core(|d| Inst::Float(FloatInst::ToCore { d, m, part }))
            }
            2 => {
                let (n, m) = (self.pick(class), self.pick(class));
                return self.push(Inst::Float(FloatInst::Compare { format, n, m }));
            }
            3 => {
                let (n, m) = (self.pick(RegClass::Single), self.pick(RegClass::Single));
                self.define(RegClass::Double, |d| Inst::Float(FloatInst::Pack { d, n, m }))
            }
            4 => {
                let m = self.pick(RegClass::Double);
                self.define(RegClass::Single, |d| Inst::Float(FloatInst::Unpack { d, m, part }))
            }
            5 => {
                let imm = FloatImm::new(Format::F64, 1f64.to_bits()).expect("1 is an immediate");
                self.define(class, |d| Inst::Float(FloatInst::Const { format, d, imm }))
            }
            6 => {
                let op = self.choices.pick(&[FloatOp::ToSigned, FloatOp::FromUnsigned, FloatOp::Convert, FloatOp::Neg]);
                let (to, from) = op.classes(format);
                let m = self.pick(from);
                self.define(to, |d| Inst::Float(FloatInst::Compute { op, format, d, n: None, m }))
            }
            _ => {
                let op = self.choices.pick(&[FloatOp::Add, FloatOp::Sub, FloatOp::Mul, FloatOp::Div]);
                let (n, m) = (Some(self.pick(class)), self.pick(class));
                self.define(class, |d| Inst::Float(FloatInst::Compute { op, format, d, n, m }))
            }
        };
    }

    /// The arguments of the edges, and what kind of end it is.
    fn end(&mut self) {
        let mut edges: Vec<Edge<VReg>> = self.func.blocks[self.block].terminator.edges().into_iter().cloned().collect();
        for edge in &mut edges {
            for param in self.func.blocks[edge.block].params.clone() {
                let class = self.func.classes[param];
                edge.args.push(self.pick(class));
            }
        }
        let terminator = match <[Edge<VReg>; 2]>::try_from(edges) {
            Ok([then, otherwise]) if self.choices.below(4) > 0 => self.branch(then, otherwise),
            Ok(edges) => Terminator::Table { index: self.word(), targets: edges.into() },
            Err(mut edges) if edges.len() == 1 => Terminator::Jump(edges.remove(0)),
            Err(edges) if edges.is_empty() => self.exit(),
            Err(targets) => Terminator::Table { index: self.word(), targets },
        };
        self.func.blocks[self.block].terminator = terminator;
    }

    fn branch(&mut self, then: Edge<VReg>, otherwise: Edge<VReg>) -> Terminator<VReg> {
        if self.flags && self.choices.below(2) == 0 {
            return Terminator::Branch { cond: self.cond(), then, otherwise };
        }
        let test = [ZeroTest::Zero, ZeroTest::NonZero][self.choices.below(2)];
        Terminator::BranchZero { test, n: self.word(), then, otherwise }
    }

    fn exit(&mut self) -> Terminator<VReg> {
        if self.leaves && self.choices.below(2) == 0 {
            for offset in (0..4 * self.choices.below(4) as u32).step_by(4) {
                let s = self.word();
                self.push(Inst::IncomingStore { s, offset });
            }
            let (callee, args) = self.callee();
            return Terminator::ReturnCall(Call { callee, args, results: vec![] });
        }
        let values = match self.choices.below(5) {
            0 => return Terminator::Trap(Trap::Unreachable),
            1 if self.has_unit() => {
                let class = self.float_class();
                vec![(PReg::double(0), self.pick(class)), (PReg::double(1), self.pick(class))]
            }
            2 => vec![(PReg::R0, self.word()), (PReg::R1, self.word())],
            _ => vec![(PReg::R0, self.word())],
        };
        Terminator::Return { values }
    }
}

/// The blocks that strictly dominate each block; none of those that nothing reaches.
fn dominators(func: &Func) -> TypedVec<Block, Option<BTreeSet<Block>>> {
    let mut above: TypedVec<Block, Option<BTreeSet<Block>>> = TypedVec::filled(None, func.blocks.len());
    above[ENTRY] = Some(BTreeSet::new());
    let mut work = vec![ENTRY];
    while let Some(block) = work.pop() {
        let mut through = above[block].clone().expect("what is queued is reached");
        through.insert(block);
        for edge in func.blocks[block].terminator.edges() {
            let met = match &above[edge.block] {
                None => through.iter().copied().filter(|&one| one != edge.block).collect(),
                Some(old) => old.intersection(&through).copied().collect::<BTreeSet<Block>>(),
            };
            if above[edge.block].as_ref() != Some(&met) {
                above[edge.block] = Some(met);
                work.push(edge.block);
            }
        }
    }
    above
}
