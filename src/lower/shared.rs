//! Small values that several instructions of a block use: constants, addresses, masked counts.
//!
//! Ensures: each is computed once per stretch, before its first use; a call ends a stretch, since
//! computing such a value again is cheaper than keeping it over a call.

use std::collections::BTreeMap;

use synth_verify::hints::{Base, Bin32};

use super::{Half, Lower};
use crate::ir;
use crate::vcode::VReg;
use crate::vcode::func::{FrameValue, Node, Origin, Purpose};
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{AluOp, Flags, Inst, Operand2, Symbol};

/// What is shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Shared {
    /// The bits of a word and with this constant: a shift count.
    Masked(ir::Value, Half, u32),
    /// A register plus a constant whose low 12 bits are zero.
    Beyond(VReg, u32),
    /// A constant.
    Const(u32),
    /// The address of a symbol, plus a constant.
    Address(Symbol, i32),
}

#[derive(Clone, Copy, Debug)]
struct SharedItem {
    vreg: VReg,
    /// How many items, counted from the block's end, stand behind the first use.
    at: usize,
    source: u32,
    purpose: Purpose,
}

/// The values shared in the stretch being lowered.
#[derive(Debug, Default)]
pub(super) struct SharedItems {
    items: BTreeMap<Shared, SharedItem>,
    touched: Vec<Shared>,
}

impl SharedItems {
    /// The instruction just flushed is now the first use of what it asked for.
    pub(super) fn touch(&mut self, length: usize) {
        for key in self.touched.drain(..) {
            if let Some(item) = self.items.get_mut(&key) {
                item.at = length;
            }
        }
    }
}

/// An address as an expression.
fn address_of(symbol: Symbol, addend: i32) -> FrameValue {
    let base = FrameValue::Base(match symbol {
        Symbol::Memory(memory) => Base::Memory(memory),
        Symbol::Table(table) => Base::Table(table),
        Symbol::Instance => Base::Instance,
        Symbol::Functions => Base::Functions,
        Symbol::Data | Symbol::Elements | Symbol::Function(_) | Symbol::StackLimit => {
            unreachable!("selection asks for no address of {symbol}")
        }
    });
    match addend {
        0 => base,
        addend => {
            let addend = FrameValue::Const32(addend.cast_unsigned());
            FrameValue::Bin32(Bin32::Add, Box::new(base), Box::new(addend))
        }
    }
}

impl Lower<'_> {
    /// The register of a shared value.
    pub(super) fn share(&mut self, key: Shared) -> VReg {
        self.shared.touched.push(key);
        if let Some(item) = self.shared.items.get(&key) {
            return item.vreg;
        }
        let vreg = self.out.vreg(match key {
            Shared::Const(value) => Origin::Derived(FrameValue::Const32(value)),
            Shared::Address(symbol, addend) => Origin::Derived(address_of(symbol, addend)),
            Shared::Masked(..) | Shared::Beyond(..) => Origin::Local,
        });
        if matches!(key, Shared::Const(_) | Shared::Address(..)) {
            self.poolable.insert(vreg);
        }
        let item = SharedItem { vreg, at: 0, source: self.source, purpose: self.purpose };
        self.shared.items.insert(key, item);
        self.ask_operands(key);
        vreg
    }

    fn ask_operands(&mut self, key: Shared) {
        match key {
            Shared::Masked(value, half, _) => {
                self.part(value, half);
            }
            Shared::Beyond(..) | Shared::Const(_) | Shared::Address(..) => {}
        }
    }

    /// Ends the stretch: everything shared gets its place.
    pub(super) fn place_shared(&mut self) {
        let items = std::mem::take(&mut self.shared.items);
        // In key order; the keys that others are computed from come last, hence stand first.
        let mut placed: Vec<(usize, Node)> = Vec::new();
        for (&key, item) in &items {
            let node =
                Node { inst: self.shared_inst(key, item.vreg), source: Some(item.source), purpose: item.purpose };
            placed.push((item.at, node));
        }
        placed.sort_by_key(|&(at, _)| at);
        let Some(&(first, _)) = placed.first() else {
            return;
        };
        let behind = self.reversed.split_off(first);
        let mut placed = placed.into_iter().peekable();
        for (index, node) in behind.into_iter().enumerate() {
            while let Some((_, shared)) = placed.next_if(|&(at, _)| at <= first + index) {
                self.reversed.push(shared);
            }
            self.reversed.push(node);
        }
        self.reversed.extend(placed.map(|(_, node)| node));
    }

    fn shared_inst(&mut self, key: Shared, d: VReg) -> Inst<VReg> {
        let (op, n, m) = match key {
            Shared::Const(value) => return Inst::Const { d, value },
            Shared::Address(symbol, addend) => return Inst::Address { d, symbol, addend },
            Shared::Masked(value, half, mask) => {
                let imm = ModifiedImm::new(mask).expect("masks of counts are small");
                (AluOp::And, self.part(value, half), Operand2::Imm(imm))
            }
            Shared::Beyond(n, addend) => {
                let imm = ModifiedImm::new(addend).expect("made only of what encodes");
                (AluOp::Add, n, Operand2::Imm(imm))
            }
        };
        let flags = Flags::Keep;
        Inst::Alu { op, flags, d, n, m }
    }
}
