//! Instruction selection: from SSA values to Thumb-2 instructions over virtual registers.
//!
//! Requires: a well-formed `ir::Func` whose values that only frames use are marked virtual.
//! Ensures: a `vcode::Func` that passes `vcode::check`, computes the same, keeps the block order
//! (range checks of tables add blocks behind their block) and says of each virtual register that
//! is live into a block which expression over SSA values it holds.
//!
//! Tree matching on demand: blocks are visited after everything they dominate, and a block's
//! instructions backwards, so every use of a value is seen before its definition. An instruction
//! that nobody asked for is not selected; a use that folds its operand does not ask for it. An
//! `i64` is asked for by halves.
//!
//! | file | holds |
//! |---|---|
//! | `module` | what is known of the module: imports, cells |
//! | `words` | which words are constants or other words; registers asked for |
//! | `expression` | words and frames as expressions over SSA values, for the hints |
//! | `shared` | constants, addresses and other small values shared inside a block |
//! | `int` `logic` `shift` | 32-bit operators |
//! | `wide` `wide_shift` | 64-bit operators |
//! | `high` | high halves of 128-bit operators |
//! | `bank` | which values live in the floating-point unit |
//! | `float` | its operators, and values that cross to it or back |
//! | `compare` | conditions, flags, selects |
//! | `memory` | addresses, loads, stores, cells, table entries, descriptors |
//! | `pieces` | loads and stores that must not be unaligned |
//! | `call` | calls, entry, return |
//! | `control` | terminators and edges |
//! | `dead` | removal of what turned out unused |
//! | `pool` | long constants and addresses over the whole function |
//! | `legalise` | what Armv6-M lacks, as what it has |

mod bank;
mod call;
mod compare;
mod control;
mod dead;
mod expression;
mod float;
mod high;
mod int;
mod legalise;
mod logic;
mod memory;
pub mod module;
mod pieces;
mod pool;
mod shared;
mod shift;
mod wide;
mod wide_shift;
mod words;

#[cfg(test)]
mod eval;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::entity::TypedVec;
use crate::ir;
use crate::ir::{Op, Type};
use crate::target::{FloatUnit, Isa};
use crate::vcode;
use crate::vcode::VReg;
use crate::vcode::func::{Head, Node, Origin, Purpose};
use crate::vcode::inst::{Inst, Terminator, Trap};
use crate::vcode::reg::Bank;

use module::{DESCRIPTOR_CODE_OFFSET, DESCRIPTOR_TYPE_OFFSET};

pub use module::ModuleInfo;

/// Selects instructions for a function.
pub fn run(func: &ir::Func, module: &ModuleInfo, config: &Config) -> vcode::Func {
    let cfg = ir::cfg::run(func);
    let dominators = ir::dom::run(&cfg);
    let loops = ir::loops::run(&cfg, &dominators);
    let order: Vec<ir::Block> = cfg.rpo.iter().rev().copied().collect();
    let mut lower = Lower::new(func, module, config, &order);
    for block in func.blocks.keys() {
        lower.make_blocks(block);
    }
    for &block in &order {
        lower.lower_block(block);
    }
    for &block in &order {
        lower.make_head(block, &dominators);
    }
    lower.define_values();
    let (mut out, blocks) = (lower.out, lower.blocks);
    dead::run(&mut out);
    let flow = pool::Flow { func, cfg: &cfg, dominators: &dominators, loops: &loops, blocks: &blocks };
    pool::run(&mut out, &flow, &lower.poolable);
    legalise::run(&mut out);
    debug_assert_eq!(vcode::check::check(&out), Ok(()), "{out}");
    out
}

/// Which half of a value. A 32-bit value is all low.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Half {
    /// Bits 31:0.
    Low,
    /// Bits 63:32.
    High,
}

/// The registers that a 64-bit result is asked for in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pair {
    low: Option<VReg>,
    high: Option<VReg>,
}

/// The registers that a result is asked for in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wanted {
    words: Pair,
    /// One of the floating-point unit.
    float: Option<VReg>,
}

impl Wanted {
    /// It is asked for in none.
    const NOTHING: Wanted = Wanted { words: Pair { low: None, high: None }, float: None };
}

/// Where a value is defined and how often the machine uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Usage {
    home: ir::Block,
    uses: u32,
    /// Uses as the address of an access of at most 4 bytes without offset in the home block.
    plain_addresses: u32,
}

/// The working state of selection.
struct Lower<'a> {
    ir: &'a ir::Func,
    module: &'a ModuleInfo,
    usage: TypedVec<ir::Value, Usage>,
    /// Whether a value is read through: it never has registers of its own.
    transparent: TypedVec<ir::Value, bool>,
    parts: BTreeMap<(ir::Value, Half), VReg>,
    /// The bank that each value lives in.
    banks: TypedVec<ir::Value, Bank>,
    /// The registers of the floating-point unit that values were asked for in.
    floats: BTreeMap<ir::Value, VReg>,
    /// Values that the hints mention and whose definitions are still to be said.
    undefined: Vec<ir::Value>,
    blocks: TypedVec<ir::Block, vcode::Block>,
    out: vcode::Func,
    /// The block being lowered.
    block: ir::Block,
    /// Its items, last first.
    reversed: Vec<Node>,
    /// The items of the instruction being lowered, in order.
    buffer: Vec<Node>,
    shared: shared::SharedItems,
    /// The instruction before the one being lowered.
    before: Option<ir::Inst>,
    /// Values that were made with what stands right behind them.
    made_with_high: BTreeSet<ir::Value>,
    /// Holds the address of the function's own result area, if something asked for it.
    area: Option<VReg>,
    /// The results that were asked for of the call before, by index, if they come in registers.
    results_wanted: Vec<(u32, Wanted)>,
    /// Registers of constants and addresses that are not bound to one use.
    poolable: BTreeSet<VReg>,
    /// The Wasm offset of the instruction being lowered.
    source: u32,
    purpose: Purpose,
}

impl<'a> Lower<'a> {
    fn new(ir: &'a ir::Func, module: &'a ModuleInfo, config: &Config, order: &[ir::Block]) -> Lower<'a> {
        let nowhere = Usage { home: ir::ENTRY, uses: 0, plain_addresses: 0 };
        let mut lower = Lower {
            ir,
            module,
            usage: TypedVec::filled(nowhere, ir.values.len()),
            transparent: TypedVec::filled(false, ir.values.len()),
            parts: BTreeMap::new(),
            banks: bank::run(ir, order, config.float),
            floats: BTreeMap::new(),
            undefined: Vec::new(),
            blocks: TypedVec::new(),
            out: vcode::Func::new(ir.index),
            block: ir::ENTRY,
            reversed: Vec::new(),
            buffer: Vec::new(),
            shared: shared::SharedItems::default(),
            before: None,
            made_with_high: BTreeSet::new(),
            area: None,
            results_wanted: Vec::new(),
            poolable: BTreeSet::new(),
            source: 0,
            purpose: Purpose::Direct,
        };
        (lower.out.isa, lower.out.float) = (config.cpu.isa(), config.float);
        lower.find_homes(order);
        lower.count_uses(order);
        lower.find_transparent(order);
        lower
    }

    fn find_homes(&mut self, order: &[ir::Block]) {
        for &block in order {
            let data = &self.ir.blocks[block];
            let results = data.insts.iter().filter_map(|&inst| self.ir.insts[inst].result);
            for value in data.params.iter().copied().chain(results) {
                self.usage[value].home = block;
            }
        }
    }

    fn count_uses(&mut self, order: &[ir::Block]) {
        for &block in order {
            let data = &self.ir.blocks[block];
            let lowered = data.insts.iter().filter(|&&inst| self.ir.is_lowered(inst));
            for &inst in lowered {
                let inst = &self.ir.insts[inst];
                for &arg in &inst.args {
                    self.usage[arg].uses += 1;
                }
                if let Op::Load { access, offset, .. } | Op::Store { access, offset, .. } = inst.op {
                    let address = &mut self.usage[inst.args[0]];
                    let is_plain = offset == 0 && access.bytes() <= 4 && address.home == block;
                    address.plain_addresses += u32::from(is_plain);
                }
            }
            for value in data.terminator.uses() {
                self.usage[value].uses += 1;
            }
        }
    }

    /// Makes the machine block of a block and the blocks behind it that its terminator needs.
    fn make_blocks(&mut self, block: ir::Block) {
        let data = &self.ir.blocks[block];
        let made = self.out.block(Head::default());
        self.blocks.push(made);
        for _ in 0..control::extra_blocks(&data.terminator, self.out.isa) {
            self.out.block(Head::default());
        }
        if block != ir::ENTRY {
            for &param in &data.params {
                if self.is_in_unit(param) {
                    let float = self.float(param);
                    self.out.blocks[made].params.push(float);
                    continue;
                }
                let low = self.part(param, Half::Low);
                self.out.blocks[made].params.push(low);
                if self.ir.values[param].ty == Type::I64 {
                    let high = self.part(param, Half::High);
                    self.out.blocks[made].params.push(high);
                }
            }
        }
        self.out.blocks[made].terminator = Terminator::Trap(Trap::Unreachable);
    }

    fn lower_block(&mut self, block: ir::Block) {
        let data = &self.ir.blocks[block];
        self.block = block;
        self.source = data.terminator_offset;
        self.purpose = Purpose::Direct;
        self.lower_terminator(&data.terminator);
        self.flush();
        for (index, &inst) in data.insts.iter().enumerate().rev() {
            if self.ir.is_lowered(inst) {
                self.before = index.checked_sub(1).map(|before| data.insts[before]);
                let inst = &self.ir.insts[inst];
                self.source = inst.offset;
                self.purpose = Purpose::Direct;
                self.lower_inst(inst);
                self.flush();
            }
        }
        if block == ir::ENTRY {
            self.source = data.source.map_or(data.terminator_offset, |p| p.offset);
            // The arguments arrive before anything else, also before what is shared.
            self.place_shared();
            self.lower_entry();
            self.flush();
        } else if self.out.float != FloatUnit::None {
            self.place_shared();
            self.cross_params(&data.params);
            self.flush();
        }
        let block = self.blocks[block];
        self.out.blocks[block].insts = self.take_items();
    }

    /// What is asked for of a value.
    fn asked_all(&self, value: ir::Value) -> Wanted {
        let words = Pair { low: self.asked(value, Half::Low), high: self.asked(value, Half::High) };
        Wanted { words, float: self.floats.get(&value).copied() }
    }

    fn lower_inst(&mut self, inst: &'a ir::InstData) {
        if inst.result.is_some_and(|value| self.made_with_high.contains(&value)) {
            return;
        }
        let Some((value, want)) = inst.result.map(|value| (value, self.asked_all(value))) else {
            return self.lower_words(None, inst);
        };
        let is_wanted = want.words.low.or(want.words.high).or(want.float).is_some();
        if !is_wanted && inst.op.is_removable() {
            return;
        }
        match (self.float_form(inst), want.float) {
            (Some(form), _) => self.lower_float(want, form, &inst.args),
            // The core computes its words first.
            (None, Some(d)) if !self.is_in_unit(value) => {
                self.part(value, Half::Low);
                if self.ir.values[value].ty == Type::I64 {
                    self.part(value, Half::High);
                }
                self.lower_words(Some(Wanted { float: None, ..self.asked_all(value) }), inst);
                self.move_from_core(d, value);
            }
            (None, _) => self.lower_words(Some(want), inst),
        }
    }

    fn lower_words(&mut self, asked: Option<Wanted>, inst: &'a ir::InstData) {
        let want = asked.map(|want| want.words);
        let wanted = want.filter(|want| want.low.or(want.high).is_some());
        match inst.op {
            Op::MemoryBase(memory) => self.memory_base(wanted, memory),
            Op::MemoryBytes(memory) => self.memory_bytes(wanted, memory),
            Op::SetMemoryBytes(memory) => self.set_memory_bytes(memory, inst.args[0]),
            Op::Load { access, offset, .. } => self.load(wanted, access, inst.args[0], offset),
            Op::Store { access, offset, .. } => self.store(access, &inst.args, offset),
            Op::GlobalGet(global, _) => self.global_get(wanted, global),
            Op::GlobalSet(global, ty) => self.global_set(global, ty, inst.args[0]),
            Op::FunctionRef(function) => self.function_ref(wanted, function),
            Op::TableEntry(table) | Op::TableGet(table) => self.table_get(wanted, table, inst.args[0]),
            Op::TableSet(table) => self.table_set(table, &inst.args),
            Op::TableSize(table) => self.table_size(wanted, table),
            Op::SetTableSize(table) => self.set_table_size(table, inst.args[0]),
            Op::ReferenceType => self.descriptor_word(wanted, inst.args[0], DESCRIPTOR_TYPE_OFFSET),
            Op::ReferenceCode => self.descriptor_word(wanted, inst.args[0], DESCRIPTOR_CODE_OFFSET),
            Op::Call { function, signature } => self.call(asked, function, signature, &inst.args),
            Op::CallCode { signature } => self.call_code(asked, signature, &inst.args),
            Op::CallResult { signature, index } => self.call_result(asked, signature, index),
            Op::TrapIf(trap) => self.trap_if(trap, inst.args[0]),
            op => {
                let Some(want) = wanted else { return };
                if !self.has_short_way(want, op, &inst.args) && self.help(want, op, &inst.args) {
                    return;
                }
                if let (Some(form), Some(d)) = (float::to_integer(op), want.low) {
                    return self.lower_to_integer(d, form, inst.args[0]);
                }
                if let (Some(d), Some(cond)) = (want.low, self.compare_floats(op, &inst.args)) {
                    return self.emit(Inst::SetCond { d, cond });
                }
                match (inst.result.map(|value| self.ir.values[value].ty), want.low) {
                    (Some(Type::I32), Some(d)) => self.lower_int(d, op, &inst.args),
                    _ => self.lower_wide(want, op, &inst.args),
                }
            }
        }
    }

    /// Whether the floating-point unit has double precision.
    fn has_double(&self) -> bool {
        self.out.float == FloatUnit::V5Double
    }

    /// Whether a function of the runtime computes an operator.
    fn is_helped(&self, op: Op) -> bool {
        op.is_helped(self.out.isa, self.out.float)
    }

    /// Whether only the instructions of Armv6-M are there.
    fn is_small(&self) -> bool {
        self.out.isa == Isa::V6M
    }

    // Items.

    fn emit(&mut self, inst: Inst<VReg>) {
        self.buffer.push(Node { inst, source: Some(self.source), purpose: self.purpose });
    }

    /// A register for an intermediate result.
    fn local(&mut self) -> VReg {
        self.out.vreg(Origin::Local)
    }

    /// Puts the items of the instruction just lowered in front of those behind it.
    fn flush(&mut self) {
        self.reversed.extend(self.buffer.drain(..).rev());
        self.shared.touch(self.reversed.len());
    }

    /// The items of the block just lowered, in order.
    fn take_items(&mut self) -> Vec<Node> {
        self.place_shared();
        let mut items = std::mem::take(&mut self.reversed);
        items.reverse();
        items
    }
}
