//! Armv6-M: rewrites the items that it lacks into those that it has.
//!
//! Requires: no division, long product, count of zeros or table, for which selection asks the runtime
//! and comparisons.
//! Ensures: every item is an instruction of Armv6-M whatever low registers it gets, but for constants and
//! addresses, which may come from a literal pool, and choices, which skip one instruction. Flags are as they
//! were where they are read.
//!
//! Most instructions here destroy the flags. Where one has come between a comparison and its reader, the
//! comparison is made again: its operands are still there, each register having one definition.

use std::rc::Rc;

use crate::target::Isa;
use crate::vcode::entity::{Block, VReg};
use crate::vcode::func::{Func, Node, Origin, Purpose};
use crate::vcode::imm::{BitField, IndexShift, ModifiedImm, ShiftImm};
use crate::vcode::inst::{
    Address, AluOp, Choice, CompareOp, Cond, Flags, InPlaceOp, Inst, LoadKind, Operand2, ShiftBy, ShiftOp, Sign,
    StoreKind, UnaryOp, WideOp,
};

/// Rewrites a function for Armv6-M; one for another processor stays as it is.
pub fn run(func: &mut Func) {
    if func.isa != Isa::V6M {
        return;
    }
    for block in func.blocks.keys() {
        let nodes = std::mem::take(&mut func.blocks[block].insts);
        let insts = Rewriter::new(func).block(block, nodes);
        func.blocks[block].insts = insts;
    }
}

/// An item that sets the flags which readers want.
struct Setter {
    inst: Inst<VReg>,
    /// What set the flags that it reads itself.
    before: Option<Rc<Setter>>,
}

struct Rewriter<'a> {
    func: &'a mut Func,
    out: Vec<Node>,
    source: Option<u32>,
    purpose: Purpose,
    setter: Option<Rc<Setter>>,
    /// Where the item stands that set the flags, if they still are as it left them.
    intact_since: Option<usize>,
    /// Whether the flags before the item at work are read by it or behind it.
    is_wanted: bool,
}

/// Whether the flags before each item are read by it or by one behind it.
fn wanted(nodes: &[Node], mut is_wanted: bool) -> Vec<bool> {
    let mut list: Vec<bool> = nodes
        .iter()
        .rev()
        .map(|node| {
            let effect = node.inst.flags_effect();
            is_wanted = effect.reads || is_wanted && !effect.writes;
            is_wanted
        })
        .collect();
    list.reverse();
    list
}

fn low_bits(mask: u32) -> Option<u32> {
    (mask != 0 && mask & mask.wrapping_add(1) == 0).then(|| mask.count_ones())
}

impl Rewriter<'_> {
    fn new(func: &mut Func) -> Rewriter<'_> {
        Rewriter {
            func,
            out: Vec::new(),
            source: None,
            purpose: Purpose::Direct,
            setter: None,
            intact_since: None,
            is_wanted: false,
        }
    }

    fn block(mut self, block: Block, nodes: Vec<Node>) -> Vec<Node> {
        let ends_on_flags = self.func.blocks[block].terminator.reads_flags();
        for (node, is_wanted) in nodes.iter().zip(wanted(&nodes, ends_on_flags)) {
            (self.source, self.purpose, self.is_wanted) = (node.source, node.purpose, is_wanted);
            self.rewrite(node.inst.clone());
        }
        if ends_on_flags {
            self.renew_flags();
        }
        self.out
    }

    // Items.

    fn local(&mut self) -> VReg {
        self.func.vreg(Origin::Local)
    }

    fn node(&self, inst: Inst<VReg>) -> Node {
        Node { inst, source: self.source, purpose: self.purpose }
    }

    /// Appends an item that Armv6-M has.
    fn put(&mut self, inst: Inst<VReg>) {
        let effect = inst.flags_effect();
        if effect.reads {
            self.renew_flags();
        }
        if effect.writes {
            let before = self.setter.clone().filter(|_| effect.reads);
            self.setter = Some(Rc::new(Setter { inst: inst.clone(), before }));
            self.intact_since = (!matches!(inst, Inst::Call(_))).then_some(self.out.len());
        } else if destroys_flags(&inst) {
            self.intact_since = None;
        }
        let node = self.node(inst);
        self.out.push(node);
    }

    /// Sets the flags again if they have been destroyed.
    fn renew_flags(&mut self) {
        if self.intact_since.is_none()
            && let Some(setter) = self.setter.clone()
        {
            self.set_again(&setter);
            self.intact_since = Some(self.out.len() - 1);
        }
    }

    fn set_again(&mut self, setter: &Setter) {
        if let Some(before) = &setter.before {
            self.set_again(before);
        }
        let results = setter.inst.defs();
        let func = &mut *self.func;
        let inst = setter.inst.map(&mut |operand| match results.contains(&operand.reg) {
            true => func.vreg(Origin::Local),
            false => operand.reg,
        });
        let node = self.node(inst);
        self.out.push(node);
    }

    /// A register that holds a constant; where flags are waited for, before what set them.
    fn constant(&mut self, value: u32) -> VReg {
        let d = self.local();
        let node = self.node(Inst::Const { d, value });
        match &mut self.intact_since {
            Some(at) if self.is_wanted => {
                self.out.insert(*at, node);
                *at += 1;
            }
            Some(_) | None => self.out.push(node),
        }
        d
    }

    fn shifted(&mut self, op: ShiftOp, n: VReg, by: ShiftImm) -> VReg {
        let d = self.local();
        self.shift_imm(op, Flags::Keep, d, (n, by));
        d
    }

    /// A second operand as a register.
    fn register(&mut self, m: Operand2<VReg>) -> VReg {
        match m {
            Operand2::Reg(m) => m,
            Operand2::Shifted(m, op, by) => self.shifted(op, m, by),
            Operand2::Imm(imm) => self.constant(imm.value()),
        }
    }

    fn in_place(&mut self, op: InPlaceOp, flags: Flags, d: VReg, n: VReg, m: VReg) {
        self.put(Inst::InPlace { op, flags, d, n, m: Operand2::Reg(m) });
    }

    // Rewriting.

    fn rewrite(&mut self, inst: Inst<VReg>) {
        match inst {
            Inst::Alu { op, flags, d, n, m } => self.alu(op, flags, d, (n, m)),
            Inst::AluWide { op, d, n, imm } => {
                let op = match op {
                    WideOp::Add => AluOp::Add,
                    WideOp::Sub => AluOp::Sub,
                };
                self.add_constant(op, Flags::Keep, d, (n, imm.value()));
            }
            Inst::Not { flags, d, m } => {
                let m = Operand2::Reg(self.register(m));
                self.put(Inst::Not { flags, d, m });
            }
            Inst::Shift { op, flags, d, n, by: ShiftBy::Reg(m) } => self.in_place(InPlaceOp::Shift(op), flags, d, n, m),
            Inst::Shift { op, flags, d, n, by: ShiftBy::Imm(by) } => self.shift_imm(op, flags, d, (n, by)),
            Inst::Mul { d, n, m } => self.in_place(InPlaceOp::Mul, Flags::Keep, d, n, m),
            Inst::MulAdd { d, n, m, a } => self.multiply_into(AluOp::Add, d, a, (n, m)),
            Inst::MulSub { d, n, m, a } => self.multiply_into(AluOp::Sub, d, a, (n, m)),
            Inst::Extract { sign, d, n, field } => self.extract(sign, d, n, field),
            Inst::Insert { d, into, n, field } => self.insert(d, into, n, field),
            Inst::Clear { d, from, field } => {
                let mask = self.constant(mask_of(field));
                self.in_place(InPlaceOp::Alu(AluOp::Bic), Flags::Keep, d, from, mask);
            }
            Inst::Compare { op, n, m } => self.compare(op, n, m),
            Inst::Select { d, cond, a, b } => self.select(d, cond, a, b),
            Inst::SetCond { d, cond } => self.set_cond(d, cond),
            Inst::Load { kind, d, address } => self.load(kind, d, address),
            Inst::Store { kind, s, address } => {
                let bytes = match kind {
                    StoreKind::Word => 4,
                    StoreKind::Half => 2,
                    StoreKind::Byte => 1,
                };
                let address = self.address(bytes, address);
                self.put(Inst::Store { kind, s, address });
            }
            Inst::MulLong { .. } | Inst::MulLongAdd { .. } | Inst::Div { .. } | Inst::Float(_) => {
                unreachable!("selection asks the runtime instead of {inst}")
            }
            Inst::Args { .. }
            | Inst::Move { .. }
            | Inst::Const { .. }
            | Inst::Address { .. }
            | Inst::InPlace { .. }
            | Inst::Unary { .. }
            | Inst::SlotLoad { .. }
            | Inst::SlotStore { .. }
            | Inst::IncomingLoad { .. }
            | Inst::IncomingStore { .. }
            | Inst::OutgoingStore { .. }
            | Inst::ResultArea { .. }
            | Inst::OutgoingLoad { .. }
            | Inst::Call(_)
            | Inst::TrapIf { .. } => self.put(inst),
        }
    }

    fn alu(&mut self, op: AluOp, flags: Flags, d: VReg, (n, m): (VReg, Operand2<VReg>)) {
        match (op, m) {
            (AluOp::Add | AluOp::Sub, Operand2::Imm(imm)) => self.add_constant(op, flags, d, (n, imm.value())),
            (AluOp::Add | AluOp::Sub, _) => {
                let m = Operand2::Reg(self.register(m));
                self.put(Inst::Alu { op, flags, d, n, m });
            }
            (AluOp::Rsb, Operand2::Imm(imm)) if imm.value() == 0 => self.put(Inst::Alu { op, flags, d, n, m }),
            (AluOp::Rsb, _) => {
                let (op, from) = (AluOp::Sub, self.register(m));
                self.put(Inst::Alu { op, flags, d, n: from, m: Operand2::Reg(n) });
            }
            (AluOp::Orn, _) => {
                let (complement, m) = (self.local(), self.register(m));
                self.put(Inst::Not { flags: Flags::Keep, d: complement, m: Operand2::Reg(m) });
                self.in_place(InPlaceOp::Alu(AluOp::Orr), flags, d, n, complement);
            }
            (AluOp::And, Operand2::Imm(imm)) if flags == Flags::Keep && self.mask(d, n, imm.value()) => {}
            (AluOp::Adc | AluOp::Sbc | AluOp::And | AluOp::Orr | AluOp::Eor | AluOp::Bic, _) => {
                let m = self.register(m);
                self.in_place(InPlaceOp::Alu(op), flags, d, n, m);
            }
        }
    }

    /// d = n op value, for Add and Sub.
    fn add_constant(&mut self, op: AluOp, flags: Flags, d: VReg, (n, value): (VReg, u32)) {
        let imm = |value| Operand2::Imm(ModifiedImm::new(value).expect("a byte is encodable"));
        match value {
            0..8 => self.put(Inst::Alu { op, flags, d, n, m: imm(value) }),
            8..256 => self.put(Inst::InPlace { op: InPlaceOp::Alu(op), flags, d, n, m: imm(value) }),
            256..511 if flags == Flags::Keep => {
                let (op, near) = (InPlaceOp::Alu(op), self.local());
                self.put(Inst::InPlace { op, flags, d: near, n, m: imm(255) });
                self.put(Inst::InPlace { op, flags, d, n: near, m: imm(value - 255) });
            }
            _ => {
                let m = Operand2::Reg(self.constant(value));
                self.put(Inst::Alu { op, flags, d, n, m });
            }
        }
    }

    /// d = n & mask by two shifts, if the mask is one run of bits at an end of the word and no byte.
    fn mask(&mut self, d: VReg, n: VReg, mask: u32) -> bool {
        let (first, second, zeros) = match (low_bits(mask), low_bits(!mask)) {
            (Some(ones), _) if ones > 8 => (ShiftOp::Lsl, ShiftOp::Lsr, 32 - ones),
            (_, Some(zeros)) => (ShiftOp::Lsr, ShiftOp::Lsl, zeros),
            _ => return false,
        };
        let Some(by) = ShiftImm::new(zeros) else { return false };
        let between = self.shifted(first, n, by);
        self.shift_imm(second, Flags::Keep, d, (between, by));
        true
    }

    fn shift_imm(&mut self, op: ShiftOp, flags: Flags, d: VReg, (n, by): (VReg, ShiftImm)) {
        match op {
            ShiftOp::Lsl | ShiftOp::Lsr | ShiftOp::Asr => {
                self.put(Inst::Shift { op, flags, d, n, by: ShiftBy::Imm(by) });
            }
            ShiftOp::Ror => {
                let m = self.constant(by.value());
                self.in_place(InPlaceOp::Shift(op), flags, d, n, m);
            }
        }
    }

    /// d = a op n * m.
    fn multiply_into(&mut self, op: AluOp, d: VReg, a: VReg, (n, m): (VReg, VReg)) {
        let product = self.local();
        self.in_place(InPlaceOp::Mul, Flags::Keep, product, n, m);
        self.put(Inst::Alu { op, flags: Flags::Keep, d, n: a, m: Operand2::Reg(product) });
    }

    fn extract(&mut self, sign: Sign, d: VReg, n: VReg, field: BitField) {
        let above = ShiftImm::new(32 - field.lsb() - field.width());
        let n = above.map_or(n, |by| self.shifted(ShiftOp::Lsl, n, by));
        let op = match sign {
            Sign::Unsigned => ShiftOp::Lsr,
            Sign::Signed => ShiftOp::Asr,
        };
        match ShiftImm::new(32 - field.width()) {
            Some(by) => self.shift_imm(op, Flags::Keep, d, (n, by)),
            None => self.put(Inst::Move { d, m: n }),
        }
    }

    fn insert(&mut self, d: VReg, into: VReg, n: VReg, field: BitField) {
        let mask = self.constant(mask_of(field));
        let kept = self.local();
        self.in_place(InPlaceOp::Alu(AluOp::Bic), Flags::Keep, kept, into, mask);
        let mut bits = n;
        if let Some(by) = ShiftImm::new(32 - field.width()) {
            bits = self.shifted(ShiftOp::Lsl, bits, by);
        }
        if let Some(by) = ShiftImm::new(32 - field.width() - field.lsb()) {
            bits = self.shifted(ShiftOp::Lsr, bits, by);
        }
        self.in_place(InPlaceOp::Alu(AluOp::Orr), Flags::Keep, d, kept, bits);
    }

    // Flags.

    fn compare(&mut self, op: CompareOp, n: VReg, m: Operand2<VReg>) {
        match (op, m) {
            (CompareOp::Cmp, Operand2::Imm(imm)) if imm.value() < 256 => self.put(Inst::Compare { op, n, m }),
            (CompareOp::Cmp | CompareOp::Cmn | CompareOp::Tst, _) => {
                let m = Operand2::Reg(self.register(m));
                self.put(Inst::Compare { op, n, m });
            }
            (CompareOp::Teq, _) => {
                let (d, m) = (self.local(), self.register(m));
                self.in_place(InPlaceOp::Alu(AluOp::Eor), Flags::Set, d, n, m);
            }
        }
    }

    fn select(&mut self, d: VReg, cond: Cond, a: Choice<VReg>, b: Choice<VReg>) {
        self.renew_flags();
        let [a, b] = [a, b].map(|choice| match choice {
            Choice::Reg(m) => m,
            Choice::Imm(imm) => self.constant(imm.value()),
        });
        self.put(Inst::Select { d, cond, a: Choice::Reg(a), b: Choice::Reg(b) });
    }

    fn set_cond(&mut self, d: VReg, cond: Cond) {
        self.renew_flags();
        let imm = |value| Operand2::Imm(ModifiedImm::new(value).expect("0 and 1 are encodable"));
        let compared = self.setter.as_ref().and_then(|setter| setter.inst.uses().first().copied());
        match (cond, compared) {
            // x - x - borrow is 0 or -1.
            (Cond::Lo | Cond::Hs, Some(x)) => {
                let borrow = self.local();
                self.in_place(InPlaceOp::Alu(AluOp::Sbc), Flags::Keep, borrow, x, x);
                let (op, value) = if cond == Cond::Lo { (AluOp::Rsb, 0) } else { (AluOp::Add, 1) };
                self.put(Inst::Alu { op, flags: Flags::Keep, d, n: borrow, m: imm(value) });
            }
            _ => {
                let [one, zero] = [1, 0].map(|value| Choice::Reg(self.constant(value)));
                self.put(Inst::Select { d, cond, a: one, b: zero });
            }
        }
    }

    // Memory.

    /// An address that an access of so many bytes can have.
    fn address(&mut self, bytes: u32, address: Address<VReg>) -> Address<VReg> {
        match address {
            Address::Offset(_, offset) if offset.value() % bytes == 0 && offset.value() / bytes < 32 => address,
            Address::Offset(base, offset) => {
                let index = self.constant(offset.value());
                Address::Index(base, index, IndexShift::ZERO)
            }
            Address::Index(base, index, shift) => match ShiftImm::new(shift.value()) {
                Some(by) => Address::Index(base, self.shifted(ShiftOp::Lsl, index, by), IndexShift::ZERO),
                None => address,
            },
        }
    }

    fn load(&mut self, kind: LoadKind, d: VReg, address: Address<VReg>) {
        let (bytes, unsigned) = match kind {
            LoadKind::Word => (4, None),
            LoadKind::Half => (2, None),
            LoadKind::Byte => (1, None),
            LoadKind::HalfSigned => (2, Some((LoadKind::Half, UnaryOp::Sxth))),
            LoadKind::ByteSigned => (1, Some((LoadKind::Byte, UnaryOp::Sxtb))),
        };
        let address = self.address(bytes, address);
        match (address, unsigned) {
            // A load that extends a sign takes an index only.
            (Address::Offset(..), Some((kind, op))) => {
                let word = self.local();
                self.put(Inst::Load { kind, d: word, address });
                self.put(Inst::Unary { op, d, m: word });
            }
            _ => self.put(Inst::Load { kind, d, address }),
        }
    }
}

fn mask_of(field: BitField) -> u32 {
    u32::MAX >> (32 - field.width()) << field.lsb()
}

/// Whether the instruction of an item may leave other flags behind, though none are asked of it.
fn destroys_flags(inst: &Inst<VReg>) -> bool {
    match inst {
        Inst::Alu { .. }
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
        | Inst::Extract { .. }
        | Inst::Insert { .. }
        | Inst::Clear { .. }
        | Inst::Compare { .. }
        | Inst::SetCond { .. }
        | Inst::Call(_) => true,
        Inst::Args { .. }
        | Inst::Move { .. }
        | Inst::Const { .. }
        | Inst::Address { .. }
        | Inst::Unary { .. }
        | Inst::Select { .. }
        | Inst::Load { .. }
        | Inst::Store { .. }
        | Inst::SlotLoad { .. }
        | Inst::SlotStore { .. }
        | Inst::IncomingLoad { .. }
        | Inst::IncomingStore { .. }
        | Inst::OutgoingStore { .. }
        | Inst::ResultArea { .. }
        | Inst::OutgoingLoad { .. }
        | Inst::Float(_)
        | Inst::TrapIf { .. } => false,
    }
}
