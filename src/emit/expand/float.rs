//! Items of the floating-point unit. Its instructions read and write words, and a label names each of them.

use super::super::float::{FloatMachine, FloatReg};
use super::super::frame;
use super::super::line::{LineOp, Names};
use super::super::machine::{Machine, Position};
use super::{Expander, Site};
use crate::target::FloatUnit;
use crate::vcode::VReg;
use crate::vcode::float::{FloatInst, Format, Part};
use crate::vcode::reg::{PReg, RegClass};

/// The highest offset of VLDR and VSTR, and the bits of an offset that they hold.
const OFFSET_MAX: u32 = 1020;

fn line(machine: FloatMachine) -> LineOp {
    LineOp::Machine(Machine::Float(machine))
}

/// The single register that is a word of a register.
fn single(register: PReg, part: Part) -> u8 {
    2 * register.number() + u8::from(part == Part::High)
}

impl Expander<'_> {
    /// The format of what a register of the unit holds, by its name.
    fn format(&self, vreg: VReg) -> Format {
        match self.func.classes[vreg] {
            RegClass::Core | RegClass::Single => Format::F32,
            RegClass::Double => Format::F64,
        }
    }

    /// The name of one word of a place.
    fn word(&self, of: (crate::alloc::Place, VReg), part: Part) -> Names {
        let words = self.names(&[of]);
        let index = usize::from(part == Part::High);
        words.get(index..=index).map_or(Vec::new(), <[_]>::to_vec)
    }

    pub(super) fn float(&mut self, site: Site<'_>, inst: FloatInst<PReg>) {
        let (reads, writes) = (&site.item.reads, &site.item.writes);
        match inst {
            FloatInst::Compute { op, format, d, n, m } => {
                let (to, from) = op.classes(format);
                let reg = |class, register| match class {
                    RegClass::Core | RegClass::Single => FloatReg::of(Format::F32, register),
                    RegClass::Double => FloatReg::of(Format::F64, register),
                };
                let n = n.map(|n| reg(from, n));
                self.put(site, line(FloatMachine::Compute { op, format, d: reg(to, d), n, m: reg(from, m) }));
            }
            FloatInst::Compare { format, n, m } => {
                let names = self.names(reads);
                let (n, m) = (FloatReg::of(format, n), FloatReg::of(format, m));
                self.put_named(site, (line(FloatMachine::Compare { n, m }), Position::Plain), names, vec![]);
                self.put_named(site, (line(FloatMachine::Flags), Position::Plain), vec![], vec![]);
            }
            FloatInst::Const { format, d, imm } => {
                self.put(site, line(FloatMachine::Const { d: FloatReg::of(format, d), imm }));
            }
            FloatInst::FromCore { d, low, high: None } => {
                self.put(site, line(FloatMachine::FromCore { single: single(d, Part::Low), t: low }));
            }
            FloatInst::FromCore { d, low, high: Some(high) } => {
                self.put(site, line(FloatMachine::FromPair { double: d.number(), low, high }));
            }
            FloatInst::ToCore { d, m, part } => {
                let (from, to) = (self.word(reads[0], part), self.names(writes));
                let machine = FloatMachine::ToCore { t: d, single: single(m, part) };
                self.put_named(site, (line(machine), Position::Plain), from, to);
            }
            FloatInst::Pack { d, n, m } => {
                // The upper half first: the operands are in lower halves, one of them perhaps that of d.
                for (part, from, of) in [(Part::High, m, reads[1]), (Part::Low, n, reads[0])] {
                    let (from_name, to_name) = (self.word(of, Part::Low), self.word(writes[0], part));
                    let (d, m) = (FloatReg::Single(single(d, part)), FloatReg::Single(single(from, Part::Low)));
                    self.copy_word(site, (d, m), from_name, to_name);
                }
            }
            FloatInst::Unpack { d, m, part } => {
                let (from, to) = (self.word(reads[0], part), self.names(writes));
                let (d, m) = (FloatReg::Single(single(d, Part::Low)), FloatReg::Single(single(m, part)));
                self.copy_word(site, (d, m), from, to);
            }
        }
    }

    /// Copies a word, unless it is in its place already under its name.
    fn copy_word(&mut self, site: Site<'_>, (d, m): (FloatReg, FloatReg), from: Names, to: Names) {
        if d != m || from != to {
            self.put_named(site, (line(FloatMachine::Move { d, m }), Position::Plain), from, to);
        }
    }

    /// Copies a number; where there is no double precision, its words.
    pub(super) fn float_move(&mut self, site: Site<'_>, d: PReg, m: PReg) {
        let (from, to) = (site.item.reads[0], site.item.writes[0]);
        let format = self.format(to.1);
        if format == Format::F32 || self.func.float == FloatUnit::V5Double {
            let (d, m) = (FloatReg::of(format, d), FloatReg::of(format, m));
            return self.put(site, line(FloatMachine::Move { d, m }));
        }
        for part in [Part::Low, Part::High] {
            let names = (self.word(from, part), self.word(to, part));
            let (d, m) = (FloatReg::Single(single(d, part)), FloatReg::Single(single(m, part)));
            self.put_named(site, (line(FloatMachine::Move { d, m }), Position::Plain), names.0, names.1);
        }
    }

    pub(super) fn float_load(&mut self, site: Site<'_>, d: PReg, offset: u32) {
        let d = FloatReg::of(self.format(site.item.writes[0].1), d);
        self.at_stack(site, offset, |n, words| FloatMachine::Load { d, n, words });
    }

    pub(super) fn float_store(&mut self, site: Site<'_>, s: PReg, offset: u32) {
        let d = FloatReg::of(self.format(site.item.reads[0].1), s);
        self.at_stack(site, offset, |n, words| FloatMachine::Store { d, n, words });
    }

    /// An access at a distance from SP, far ones by way of r12.
    fn at_stack(&mut self, site: Site<'_>, offset: u32, access: impl Fn(PReg, u8) -> FloatMachine) {
        let words = |offset: u32| (offset / 4) as u8;
        if offset <= OFFSET_MAX {
            return self.put(site, line(access(PReg::SP, words(offset))));
        }
        let via = PReg::SCRATCH;
        let near = offset & 0x3ff;
        let mut ops = frame::distance(self.func.isa, offset - near, via);
        ops.push(line(access(via, words(near))));
        self.chain(site, via, ops);
    }
}
