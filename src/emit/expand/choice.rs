//! A choice between two registers by the flags: an IT block, or on Armv6-M a branch around one move.

use synth_verify::hints::Location;

use super::super::frame;
use super::super::line::{LineOp, Names, Piece};
use super::super::machine::{FlagsMode, Machine, Position, Side};
use super::{Expander, Site};
use crate::vcode::imm::ModifiedImm;
use crate::vcode::inst::{Choice, Cond, Operand2};
use crate::vcode::reg::PReg;

fn mov(d: PReg, choice: Choice<PReg>) -> LineOp {
    let m = match choice {
        Choice::Reg(m) => Operand2::Reg(m),
        Choice::Imm(imm) => Operand2::Imm(ModifiedImm::new(imm.value()).expect("a byte is encodable")),
    };
    LineOp::Machine(Machine::Mov { flags: FlagsMode::Keep, d, m })
}

/// The names of what a choice reads.
fn of(reads: &Names, choice: Choice<PReg>) -> Names {
    let read = |location: Location| matches!(choice, Choice::Reg(m) if location == Location::Core(m.number()));
    reads.iter().copied().filter(|&(location, _)| read(location)).collect()
}

impl Expander<'_> {
    /// An IT block of one move, or of two where neither choice is in the destination already.
    pub(super) fn select(&mut self, site: Site<'_>, d: PReg, cond: Cond, (a, b): (Choice<PReg>, Choice<PReg>)) {
        let reads = self.names(&site.item.reads);
        let writes = self.names(&site.item.writes);
        if a == b {
            return self.put(site, mov(d, a));
        }
        let single = match (a, b) {
            (_, Choice::Reg(b)) if b == d => Some((cond, a)),
            (Choice::Reg(a), _) if a == d => Some((cond.negated(), b)),
            _ => None,
        };
        let it = |cond, second| (LineOp::Machine(Machine::It { cond, second }), Position::Plain);
        if let Some((cond, choice)) = single {
            self.put_named(site, it(cond, None), vec![], vec![]);
            return self.put_named(site, (mov(d, choice), Position::Under(cond)), reads, writes);
        }
        let between = vec![(Location::Core(d.number()), self.fresh())];
        self.put_named(site, it(cond, Some(Side::Else)), vec![], vec![]);
        self.put_named(site, (mov(d, a), Position::Under(cond)), of(&reads, a), between.clone());
        let last_reads = [of(&reads, b), between].concat();
        self.put_named(site, (mov(d, b), Position::Under(cond.negated())), last_reads, writes);
    }

    /// Puts the one choice in the destination, unless it is there, and branches around a move of the other.
    pub(super) fn choose(&mut self, site: Site<'_>, d: PReg, cond: Cond, (a, b): (Choice<PReg>, Choice<PReg>)) {
        let (reads, writes) = (self.names(&site.item.reads), self.names(&site.item.writes));
        if a == b {
            return self.put(site, mov(d, a));
        }
        let place = Location::Core(d.number());
        let held = |choice| of(&reads, choice).first().map(|(_, name)| *name);
        let (skip, before, moved) = match (a, b) {
            (_, Choice::Reg(m)) if m == d => (cond.negated(), held(b), a),
            (Choice::Reg(m), _) if m == d => (cond, held(a), b),
            _ => {
                let name = self.fresh();
                self.put_named(site, (mov(d, b), Position::Plain), of(&reads, b), vec![(place, name)]);
                (cond.negated(), Some(name), a)
            }
        };
        let state = frame::body_state(&self.func.frame);
        let from = self.open();
        let [moving, behind]: [Piece; 2] = std::array::from_fn(|_| self.pieces.append(None, state));
        self.put_named(site, (LineOp::JumpIf(skip, behind), Position::Plain), vec![], vec![]);
        let renames = before.zip(writes.first()).map(|(before, (_, after))| (place, before, *after));
        let data = &mut self.pieces.data[from];
        data.falls_into = Some(moving);
        data.renames.extend(renames.map(|rename| (behind, vec![rename])));
        let site = Site { piece: moving, ..site };
        self.put_named(site, (mov(d, moved), Position::Plain), of(&reads, moved), writes);
        self.pieces.data[moving].falls_into = Some(behind);
        self.open = Some(behind);
    }
}
